"""What is said about each field of sealed originals that changes, and how it weighs: loosening is widening."""

from __future__ import annotations

from typing import Final

from watchglass.charter.model import AccessLog, Custodian, GlassRule, Quorum, Record, Release
from watchglass.charter.phrases import duration, listed, said
from watchglass.charter.weighing import (
    Show,
    Told,
    Weight,
    members_protect,
    members_widen,
    more_is_wider,
    names,
    neither,
    wider,
)


def _comes(old: object, _new: object) -> Weight:
    return "widening" if old is None else "narrowing"


def _kept_for(old: int | None, new: int | None) -> Weight:
    """Where nothing was kept, keeping is wider; where nothing is kept any more, narrower."""
    return "widening" if (new or 0) > (old or 0) else "narrowing"


def _quorum(old: Quorum, new: Quorum) -> Weight:
    """More must agree, and no more could: narrower. All else lets somebody in who had to wait for another."""
    return "narrowing" if new.k >= old.k and new.n <= old.n else "widening"


def _none_is_all(old: tuple[str, ...], new: tuple[str, ...]) -> Weight:
    """Members widen, and where none is named, any will do."""
    if set(old) == set(new):
        return "maintenance"
    return "narrowing" if new and (not old or set(new) < set(old)) else "widening"


def _needed(values: tuple[str, ...]) -> str:
    return listed([value.replace("_", " ") for value in values]) or "nothing"


def _any_or(words: str) -> Show:
    return lambda values: names(values) if values else words


def _glass(rule: GlassRule | None) -> str:
    if rule is None:
        return "can no longer open anything alone"
    return f"may open up to {duration(rule.longest_ms)} of the last {duration(rule.not_older_than_ms)} alone, at once"


def _recording(record: Record | None) -> str:
    if record is None:
        return "no longer recorded"
    if record.when == "always":
        return "now recorded, locked, all the time"
    around = f"from {duration(record.before_ms)} before until {duration(record.after_ms)} after"
    return f"now recorded, locked, around alerts: {around}"


def _released(release: Release | None) -> str:
    if release is None:
        return "no longer be opened by anybody"
    among = f", {listed([f'“{said(name)}”' for name in release.one_of], 'or')} among them" if release.one_of else ""
    alone = f"; and in an emergency one person {_glass(release.break_glass)}" if release.break_glass else ""
    return f"now be opened when {release.custodians} custodians agree{among}{alone}"


ORIGINAL: Final = {
    "record": Told(_comes, "Original video is {new}.", _recording),
    "release": Told(_comes, "Original video can {new}.", _released),
}
"""Two of the safeguards, as they come and go; what changes inside them is in ``SEALED``."""

KEPT: Final = Told(
    _kept_for,
    "Original video is now kept {new}; before: {old}.",
    lambda ms: "not at all" if ms is None else f"locked, for {duration(ms)}",
)
"""Of the retention: how long it is kept."""

SEALED: Final[dict[type, dict[str, Told]]] = {
    Record: {
        "when": Told(
            lambda _old, new: "widening" if new != "incidents" else "narrowing",
            "Original video is now recorded {new}.",
            lambda when: "only around alerts" if when == "incidents" else "all the time",
        ),
        "before_ms": Told(more_is_wider, "Video from {new} before an alert is now kept, not from {old}.", duration),
        "after_ms": Told(more_is_wider, "Video from {new} after an alert is now kept, not from {old}.", duration),
        "segment_ms": Told(neither, "A sealed piece of video is now {new} long, not {old}.", duration),
        "sources": Told(
            _none_is_all, "Original video is now recorded by: {new}; before: {old}.", _any_or("every camera")
        ),
    },
    Custodian: {
        "key": Told(wider, "The custodian {who} now has another key: somebody else may hold it."),
    },
    Release: {
        "custodians": Told(_quorum, "To open original video, {new} custodians must now agree; before: {old}."),
        "one_of": Told(
            _none_is_all,
            "One of these custodians must now be among those who agree: {new}; before: {old}.",
            _any_or("anybody will do"),
        ),
        "needs": Told(
            members_protect, "Whoever asks to open original video must now state: {new}; before: {old}.", _needed
        ),
        "valid_ms": Told(
            more_is_wider, "A request to open original video now stays valid for {new}, not for {old}.", duration
        ),
        "longest_ms": Told(
            more_is_wider, "One request may now open up to {new} of original video, not {old}.", duration
        ),
        "break_glass": Told(_comes, "In an emergency one person {new}.", _glass),
    },
    GlassRule: {
        "key": Told(wider, "The key that opens original video in an emergency is now another one."),
        "by": Told(
            members_widen, "In an emergency these may now open original video alone: {new}; before: {old}.", names
        ),
        "longest_ms": Told(
            more_is_wider, "In an emergency one person may now open {new} of original video, not {old}.", duration
        ),
        "not_older_than_ms": Told(
            more_is_wider, "In an emergency one person may now open what is {new} old, not {old}.", duration
        ),
        "follow_up_ms": Told(
            more_is_wider, "An opening in an emergency must now be explained within {new}, not within {old}.", duration
        ),
    },
    AccessLog: {
        "uses": Told(
            members_widen, "The record of who looked at what may now be used for: {new}; before: {old}.", names
        ),
    },
}
