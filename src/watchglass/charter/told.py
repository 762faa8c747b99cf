"""What is said about each field that changes, and how much it weighs for the people under the cameras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, Literal

from watchglass.charter.hours import WEEK, Days, Hours
from watchglass.charter.model import (
    AccessLog,
    Authority,
    CameraFault,
    Charter,
    Costs,
    CrowdDensity,
    CrowdSurge,
    Custodian,
    Fall,
    FileSource,
    GlassRule,
    InForce,
    Intrusion,
    LedgerRules,
    MjpegSource,
    Model,
    MqttDestination,
    OnSuspension,
    Oversight,
    PersonDown,
    Picture,
    Place,
    PlugIn,
    PlugInCode,
    PublicView,
    Purpose,
    Quorum,
    Record,
    Release,
    Retention,
    Review,
    RtspSource,
    Safeguards,
    Setting,
    StoppedVehicle,
    UnattendedObject,
    VehicleInPedestrianArea,
    View,
    WebcamSource,
    WebhookDestination,
    Witness,
    WrongWay,
    Zone,
)
from watchglass.charter.outline import lies_inside
from watchglass.charter.words import day, duration, listed, plain, said, when
from watchglass.core.geometry import Polygon

Weight = Literal["narrowing", "maintenance", "widening"]
Weigh = Callable[[Any, Any], Weight]
Show = Callable[[Any], str]


# ---- how a difference weighs -----------------------------------------------------------------------------------


def _neither(_old: object, _new: object) -> Weight:
    return "maintenance"


def _wider(_old: object, _new: object) -> Weight:
    return "widening"


def _more_is_wider(old: Any, new: Any) -> Weight:
    return "widening" if old is None or new is None or new > old else "narrowing"


def _less_is_wider(old: Any, new: Any) -> Weight:
    return "widening" if old is None or new is None or new < old else "narrowing"


def _members_widen(old: tuple[str, ...], new: tuple[str, ...]) -> Weight:
    if set(old) == set(new):
        return "maintenance"
    return "narrowing" if set(new) < set(old) else "widening"


def _members_protect(old: tuple[str, ...], new: tuple[str, ...]) -> Weight:
    if set(old) == set(new):
        return "maintenance"
    return "narrowing" if set(old) < set(new) else "widening"


def _zone_grows(old: Polygon, new: Polygon) -> Weight:
    return "narrowing" if lies_inside(new, old) else "widening"


def _blackout_shrinks(old: tuple[Polygon, ...], new: tuple[Polygon, ...]) -> Weight:
    covered = all(any(lies_inside(was, now) for now in new) for was in old)
    if covered and set(old) == set(new):
        return "maintenance"
    return "narrowing" if covered else "widening"


def _gate(_old: str, new: str) -> Weight:
    return "widening" if new == "always_open" else "narrowing"


def _appears(_old: object, new: object) -> Weight:
    return "narrowing" if new is not None else "widening"


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


def _minutes(schedule: tuple[Hours | None, Days]) -> set[int]:
    """The minutes of a week at which something runs; minute 0 is Monday 00:00."""
    hours, days = schedule
    start, end = (0, 24 * 60) if hours is None else (hours.start, hours.end)
    length = (end - start) % (24 * 60) or 24 * 60
    first = [WEEK.index(name) * 24 * 60 + start for name in days or WEEK]
    return {(begin + minute) % (7 * 24 * 60) for begin, minute in product(first, range(length))}


def _schedule(old: tuple[Hours | None, Days], new: tuple[Hours | None, Days]) -> Weight:
    before, after = _minutes(old), _minutes(new)
    if before == after:
        return "maintenance"
    return "narrowing" if after < before else "widening"


# ---- what is said about each field -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """How a field's change weighs and is told; the words may use ``{who}``, ``{old}`` and ``{new}``."""

    weigh: Weigh
    words: str
    show: Show = str


def _quoted(value: object) -> str:
    return "nothing" if value is None else f"“{value}”"


def _name(value: object) -> str:
    return f"“{said(str(value))}”"


def _number(value: float | None) -> str:
    return "not stated" if value is None else plain(value)


def _names(values: tuple[str, ...]) -> str:
    return listed([said(value) for value in values]) or "nobody"


def _needed(values: tuple[str, ...]) -> str:
    return listed([value.replace("_", " ") for value in values]) or "nothing"


def _any_or(words: str) -> Show:
    return lambda values: _names(values) if values else words


def _glass(rule: GlassRule | None) -> str:
    if rule is None:
        return "can no longer open anything alone"
    return f"may open up to {duration(rule.longest_ms)} of the last {duration(rule.not_older_than_ms)} alone, at once"


def _recording(record: Record | None) -> str:
    if record is None:
        return "no longer recorded"
    return "now recorded, locked, all the time" if record.when == "always" else "now recorded, locked, around alerts"


def _stated(value: object) -> str:
    return "not stated" if value is None else "stated"


def _law(value: object) -> str:
    return {"gdpr": "the GDPR", "led": "the police directive", "other": "another law"}.get(str(value), "the usual law")


def _hours_words(schedule: tuple[Hours | None, Days]) -> str:
    return when(*schedule)


_ANALYTIC: Final[dict[str, Told]] = {
    "source": Told(_wider, "{who} now looks through the camera {new}, not {old}.", _name),
    "zone": Told(_wider, "{who} now watches the area {new}, not {old}.", _name),
    "purpose": Told(_wider, "{who} now serves the purpose {new}, not {old}.", _name),
    "model": Told(_wider, "{who} now uses the software {new}, not {old}.", _name),
    "for_ms": Told(_less_is_wider, "{who} now tells a person after {new}, not after {old}.", duration),
    "hours": Told(_schedule, "{who} now runs {new}; before: {old}.", _hours_words),
    "tell": Told(_members_widen, "{who} now also tells: {new}; before: {old}.", _names),
    "notify": Told(
        lambda _old, new: "widening" if new == "at_once" else "narrowing",
        "{who} now tells others {new}.",
        lambda when: (
            "at once, before a person has decided" if when == "at_once" else "only after a person has confirmed it"
        ),
    ),
}

_OF: Final = Told(_members_widen, "{who} now looks for: {new}; before: {old}.", _names)

_CAMERA: Final[dict[str, Told]] = {
    "gate": Told(
        _gate,
        "The software now looks closely at {who} {new}.",
        lambda gate: "all the time" if gate == "always_open" else "only while something moves",
    ),
    "never_see": Told(
        _blackout_shrinks,
        "{who}: what is blacked out before anything looks at it changes; it was {old}, and is {new}.",
        lambda areas: f"{len(areas)} part{'' if len(areas) == 1 else 's'} of the picture",
    ),
    "never_show": Told(
        _blackout_shrinks,
        "{who}: what the public is never shown changes; it was {old}, and is {new}.",
        lambda areas: f"{len(areas)} part{'' if len(areas) == 1 else 's'} of the picture",
    ),
    "view": Told(_wider, "{who}: what its picture shows of the ground is now {new}.", _stated),
    "picture": Told(_neither, "{who}: the size of its picture is now {new}.", _stated),
}

_ADDRESS: Final = Told(_wider, "{who} now shows what comes from another address: {new}, not {old}.", _quoted)
_SECRET: Final = Told(_wider, "{who} now shows what comes from another address, which is kept secret.")

TOLD: Final[dict[type, dict[str, Told]]] = {
    Charter: {
        "watchglass": Told(_neither, "The language of these rules is now number {new}, not {old}."),
        "charter": Told(_neither, "These rules are now called {new}, not {old}.", _name),
        "version": Told(_neither, "This is version {new}; before: version {old}."),
        "costs": Told(_neither, "What it costs is now {new}.", _stated),
        "timezone": Told(_wider, "Days and hours now follow the clocks of {new}, not of {old}."),
    },
    Authority: {
        "name": Told(_wider, "{new} is now responsible, not {old}."),
        "contact": Told(_neither, "You can now write to {new}; before: {old}."),
        "regime": Told(_wider, "Your data is now protected by {new}, not by {old}.", _law),
        "key": Told(_neither, "The authority now signs with another key."),
        "competent_under": Told(_wider, "The law that makes the authority competent is now {new}, not {old}.", _quoted),
    },
    InForce: {
        "since": Told(_less_is_wider, "The rules now hold from {new} on, not from {old}.", day),
        "until": Told(_more_is_wider, "The rules now hold until {new}, not until {old}.", day),
    },
    Purpose: {
        "text": Told(_wider, "The purpose {who} now reads {new}; before: {old}.", _quoted),
        "legal_basis": Told(_neither, "The law for the purpose {who} is now {new}; before: {old}.", _quoted),
        "regime": Told(_wider, "For the purpose {who}, your data is now protected by {new}, not by {old}.", _law),
        "national_law": Told(_neither, "The national law for the purpose {who} is now {new}; before: {old}.", _quoted),
    },
    Model: {
        "digest": Told(_neither, "The software {who} is replaced: its fingerprint is now {new}, not {old}."),
    },
    PlugInCode: {
        "digest": Told(_neither, "The plug-in {who} is replaced: its fingerprint is now {new}, not {old}."),
    },
    FileSource: {
        **_CAMERA,
        "path": Told(_wider, "{who} now shows another file: {new}, not {old}."),
        "loop": Told(_neither, "{who} {new}.", lambda on: "now plays again and again" if on else "now plays once"),
    },
    RtspSource: {
        **_CAMERA,
        **dict.fromkeys(("url", "detect_url", "record_url"), _ADDRESS),
        **dict.fromkeys(("url_secret", "detect_url_secret", "record_url_secret"), _SECRET),
        "transport": Told(_neither, "The pictures of {who} now come by {new}, not by {old}."),
        "hardware": Told(
            _neither, "{who} is now decoded {new}.", lambda on: "on the machine's hardware" if on else "in software"
        ),
    },
    MjpegSource: {**_CAMERA, "url": _ADDRESS, "url_secret": _SECRET},
    WebcamSource: {**_CAMERA, "device": Told(_wider, "{who} is now another device: {new}, not {old}.")},
    Place: {
        "name": Told(_neither, "{who} is now said to be at {new}, not at {old}.", _quoted),
        "lat": Told(_wider, "{who} now stands at another place: {new} degrees north, not {old}.", _number),
        "lon": Told(_wider, "{who} now stands at another place: {new} degrees east, not {old}.", _number),
    },
    View: {
        "width_m": Told(_more_is_wider, "{who} now shows {new} metres across, not {old}.", _number),
        "ground": Told(_neither, "{who}: the part of its picture that counts as ground changes."),
        "plane": Told(_neither, "{who}: how its picture lies on the ground was measured anew."),
        "overhead": Told(
            _neither, "{who} is now a camera that looks {new}.", lambda on: "straight down" if on else "from the side"
        ),
    },
    Picture: {
        "width": Told(_neither, "{who}: its picture is now {new} pixels wide, not {old}."),
        "height": Told(_neither, "{who}: its picture is now {new} pixels high, not {old}."),
    },
    Zone: {
        "polygon": Told(_zone_grows, "The watched area {who} has a new outline: about {new} of the old size.", str),
        "line": Told(_wider, "The line {who} now lies elsewhere, or points the other way."),
        "area_m2": Told(_less_is_wider, "The area {who} is now said to have {new} square metres, not {old}.", _number),
    },
    Intrusion: {**_ANALYTIC, "of": _OF},
    WrongWay: {**_ANALYTIC, "of": _OF},
    VehicleInPedestrianArea: {**_ANALYTIC, "of": _OF},
    StoppedVehicle: _ANALYTIC,
    CrowdDensity: {
        **_ANALYTIC,
        "people_per_m2": Told(
            _less_is_wider, "{who} now tells a person at {new} people on each square metre, not at {old}.", _number
        ),
    },
    CrowdSurge: {
        **_ANALYTIC,
        "people": Told(_less_is_wider, "{who} now tells a person when {new} people run, not {old}."),
        "speed_m_s": Told(_less_is_wider, "{who} now takes {new} metres a second for running, not {old}.", _number),
    },
    UnattendedObject: {
        **_ANALYTIC,
        "owner_within_m": Told(
            _less_is_wider, "{who} now takes a thing for left behind when its owner is {new} metres away, not {old}.",
            _number,
        ),
    },
    Fall: _ANALYTIC,
    PersonDown: _ANALYTIC,
    PlugIn: {
        **_ANALYTIC,
        "plug_in": Told(_wider, "{who} is now judged by the plug-in {new}, not by {old}.", _name),
        "rule": Told(_wider, "{who} now tells a person when {new}; before: when {old}.", _quoted),
    },
    Setting: {
        "value": Told(_wider, "The plug-in's setting {who} is now {new}, not {old}.", _number),
    },
    CameraFault: {key: told for key, told in _ANALYTIC.items() if key not in {"zone", "model"}},
    WebhookDestination: {
        "who": Told(_wider, "Messages to {who} are now read by {new}, not by {old}.", _quoted),
        "url": Told(_wider, "Messages to {who} now go to {new}, not to {old}."),
        "secret": Told(_neither, "Messages to {who} are now signed with another secret."),
    },
    MqttDestination: {
        "who": Told(_wider, "Messages to {who} are now read by {new}, not by {old}.", _quoted),
        "host": Told(_wider, "Messages to {who} now go to the machine {new}, not to {old}."),
        "port": Told(_neither, "Messages to {who} now go to the port {new}, not to {old}."),
        "tls": Told(
            lambda _old, new: "narrowing" if new else "widening",
            "Messages to {who} are now {new}.",
            lambda on: "encrypted on their way" if on else "no longer encrypted on their way",
        ),
        "topic": Told(_neither, "Messages to {who} now stand under the topic {new}, not {old}."),
        "username": Told(_neither, "The software now signs in to {who} as {new}, not as {old}.", _quoted),
        "secret": Told(_neither, "The software now signs in to {who} with another password."),
    },
    Costs: {
        "currency": Told(_neither, "Costs are now told in {new}, not in {old}."),
        "hardware_per_year": Told(_neither, "The machine is now said to cost {new} a year, not {old}.", _number),
        "watts": Told(_neither, "The machine is now said to draw {new} watts, not {old}.", _number),
        "kwh_price": Told(_neither, "A kilowatt-hour is now said to cost {new}, not {old}.", _number),
        "reviewer_minute": Told(_neither, "A reviewer's minute is now said to cost {new}, not {old}.", _number),
    },
    Safeguards: {
        "reviewer_view": Told(_wider, "Reviewers now see a picture of the kind {new}, not {old}.", _quoted),
        "on_suspension": Told(
            _appears,
            "What people do while it is stopped is {new}.",
            lambda stop: "no longer said" if stop is None else f"now said: “{stop.people_do}”",
        ),
        "record": Told(_comes, "Original video is {new}.", _recording),
    },
    Record: {
        "when": Told(
            lambda _old, new: "widening" if new != "incidents" else "narrowing",
            "Original video is now recorded {new}.",
            lambda when: "only around alerts" if when == "incidents" else "all the time",
        ),
        "before_ms": Told(_more_is_wider, "Video from {new} before an alert is now kept, not from {old}.", duration),
        "after_ms": Told(_more_is_wider, "Video from {new} after an alert is now kept, not from {old}.", duration),
        "segment_ms": Told(_neither, "A sealed piece of video is now {new} long, not {old}.", duration),
        "sources": Told(
            _none_is_all, "Original video is now recorded by: {new}; before: {old}.", _any_or("every camera")
        ),
    },
    Custodian: {
        "key": Told(_wider, "The custodian {who} now has another key: somebody else may hold it."),
    },
    Release: {
        "custodians": Told(_quorum, "To open original video, {new} custodians must now agree; before: {old}."),
        "one_of": Told(
            _none_is_all,
            "One of these custodians must now be among those who agree: {new}; before: {old}.",
            _any_or("anybody will do"),
        ),
        "needs": Told(
            _members_protect, "Whoever asks to open original video must now state: {new}; before: {old}.", _needed
        ),
        "valid_ms": Told(
            _more_is_wider, "A request to open original video now stays valid for {new}, not for {old}.", duration
        ),
        "longest_ms": Told(
            _more_is_wider, "One request may now open up to {new} of original video, not {old}.", duration
        ),
        "break_glass": Told(_comes, "In an emergency one person {new}.", _glass),
    },
    GlassRule: {
        "key": Told(_wider, "The key that opens original video in an emergency is now another one."),
        "by": Told(
            _members_widen, "In an emergency these may now open original video alone: {new}; before: {old}.", _names
        ),
        "longest_ms": Told(
            _more_is_wider, "In an emergency one person may now open {new} of original video, not {old}.", duration
        ),
        "not_older_than_ms": Told(
            _more_is_wider, "In an emergency one person may now open what is {new} old, not {old}.", duration
        ),
        "follow_up_ms": Told(
            _more_is_wider, "An opening in an emergency must now be explained within {new}, not within {old}.", duration
        ),
    },
    AccessLog: {
        "uses": Told(
            _members_widen, "The record of who looked at what may now be used for: {new}; before: {old}.", _names
        ),
    },
    PublicView: {
        "mode": Told(_wider, "The public picture is now {new}, not {old}.", _quoted),
        "delay_ms": Told(
            _less_is_wider,
            "The public picture is now {new}; before: {old}.",
            lambda ms: f"{duration(ms)} late" if ms else "live",
        ),
        "hide_below": Told(_less_is_wider, "Pins now show once {new} or more people are there; before: {old}."),
        "grid_m": Told(_less_is_wider, "Pins are now moved to a grid of {new} metres, not {old}.", _number),
        "confirmed": Told(_wider, "The empty scene is now confirmed by {new}, not by {old}.", _quoted),
    },
    Retention: {
        "reviewer_clips_ms": Told(_more_is_wider, "Clips are now kept for {new}, not for {old}.", duration),
        "alerts_ms": Told(_more_is_wider, "What was decided is now kept for {new}, not for {old}.", duration),
        "sealed_ms": Told(
            _kept_for,
            "Original video is now kept {new}; before: {old}.",
            lambda ms: "not at all" if ms is None else f"locked, for {duration(ms)}",
        ),
    },
    Review: {
        "within_ms": Told(_more_is_wider, "A person must now decide within {new}, not within {old}.", duration),
    },
    OnSuspension: {
        "tell": Told(_members_protect, "While it is stopped, these are now told: {new}; before: {old}.", _names),
        "people_do": Told(_neither, "While it is stopped, people now do this: {new}; before: {old}.", _quoted),
    },
    LedgerRules: {
        "checkpoint_every_ms": Told(
            _more_is_wider, "New rules and stops now show in the ledger after {new}, not after {old}.", duration
        ),
        "batch_every_ms": Told(
            _more_is_wider, "Alerts and decisions now show in the ledger after {new}, not after {old}.", duration
        ),
        "merge_within_ms": Told(
            _more_is_wider, "Nothing may now take longer than {new} to show in the ledger; before: {old}.", duration
        ),
    },
    Oversight: {
        "body": Told(_wider, "{new} now watches over it, not {old}."),
        "key": Told(_wider, "Oversight now signs with another key."),
        "openings_key": Told(_wider, "The details of records can now be opened with another key."),
        "may": Told(_members_protect, "Oversight may now {new}; before: {old}.", _names),
    },
    Witness: {
        "url": Told(_neither, "A witness now has another address: {new}, not {old}."),
    },
}  # fmt: skip
"""Every described field of the model, except those that hold further parts. A test proves that none is left out."""
