"""What a charter says about original video, in sentences that a resident reads: what is kept, and who can open it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from watchglass.charter.model import Charter, Record, Release
from watchglass.charter.phrases import capital, count, duration, listed, said, somebody
from watchglass.charter.sealing import Use, groups
from watchglass.core.time import DAY

_MONTH: Final = 31 * DAY
"""The longest month: keys are made, and destroyed, for a month at a time."""
_A_FEW: Final = 12
"""So many names are still read; more groups are counted instead."""

_USES: Final[dict[Use, str]] = {
    "lawfulness": "to check that looking was lawful",
    "self-monitoring": "for those who look to check themselves",
    "integrity": "to keep the data whole and safe",
    "criminal-proceedings": "in criminal proceedings",
}


def longest_life(sealed_ms: int) -> int:
    """How long (ms) sealed video can be opened at most: what is kept of a month's first day goes with its last."""
    return sealed_ms + _MONTH


def kept_words(charter: Charter) -> Iterator[str]:
    """What original video is kept, and how long."""
    record, sealed_ms = charter.safeguards.record, charter.safeguards.retention.sealed_ms
    if record is None or sealed_ms is None:
        yield "The original video is not recorded."
        return
    yield f"{_what(charter, record)} is kept {_when(record)}. It is locked before it is written down."
    if any(source.never_see and charter.records(source.name) for source in charter.sources):
        yield "What is painted black is black in it too."
    yield f"The locked video is deleted after {duration(sealed_ms)}, unless a hold for a case keeps a part of it."
    yield (
        "Its keys are destroyed month by month, so that also no copy of it can be opened any more when it is "
        f"{duration(longest_life(sealed_ms))} old."
    )
    release = charter.safeguards.release
    if release is not None and release.break_glass is not None:
        yield "The emergency key is not one of these: it would still open a copy that somebody made before."


def _what(charter: Charter, record: Record) -> str:
    if not record.sources:
        return "The original video"
    places = list(dict.fromkeys(charter.source(name).place.name for name in record.sources))
    return f"The original video of {listed(places)}"


def _when(record: Record) -> str:
    if record.when == "always":
        return "all the time"
    begin = f"{duration(record.before_ms)} before" if record.before_ms else "the alert"
    return f"only around alerts, from {begin} until {duration(record.after_ms)} after"


def opened_words(charter: Charter) -> Iterator[str]:
    """Who can open original video, and what that takes; nothing where none is kept."""
    release = charter.safeguards.release
    if charter.safeguards.record is None or release is None:
        return
    yield from _who(charter, release)
    yield (
        "Whoever asks for it must name a case, the law that allows it and a reason. They may ask for at most "
        f"{duration(release.longest_ms)} of video at a time, and never agree to it themselves."
    )
    yield f"A request runs out after {duration(release.valid_ms)}."
    yield "Every request, every yes and every no stands in the public ledger before anything is opened."
    yield from _glass(release)


def _who(charter: Charter, release: Release) -> Iterator[str]:
    names = sorted(custodian.name for custodian in charter.safeguards.custodians)
    may = [*groups(charter.safeguards.custodians, release)]
    yield "The machine that records it cannot open it: it has no key for that."
    yield (
        f"{capital(count(release.n))} custodian{' keeps' if release.n == 1 else 's keep'} the keys, on "
        f"{'a machine of its' if release.n == 1 else 'machines of their'} own: {_named(names)}."
    )
    if release.k == 1:
        yield f"A single one of these can open it alone: {_named([group[0] for group in may])}."
        return
    among = f", and {_named(sorted(release.one_of), 'or')} must be one of them" if release.one_of else ""
    yield f"{capital(count(release.k))} of them must agree{among}. Nobody can open it alone with such a key."
    if len(may) * release.k <= _A_FEW:
        together = [f"{_quoted(group[0])} with {_named([*group[1:]])}" for group in may]
        yield f"Only these can open it together: {'; or '.join(together)}."
    else:
        yield f"That makes {len(may)} groups of {count(release.k)} who can open it together."
    if release.one_of and release.n - len(release.one_of) >= release.k:
        yield f"Without {_named(sorted(release.one_of), 'or')} the others cannot, however many agree."
    vital = [name for name in names if all(name in group for group in may)]
    if vital:
        keys = "the key" if len(vital) == 1 else "one of the keys"
        yield f"If {keys} of {_named(vital)} is lost, nobody can open it any more."


def _glass(release: Release) -> Iterator[str]:
    rule = release.break_glass
    if rule is None:
        return
    yield (
        f"In an emergency {somebody(rule.by)} may open up to {duration(rule.longest_ms)} of the last "
        f"{duration(rule.not_older_than_ms)} at once, without anybody's agreement."
    )
    yield (
        "That stands in the ledger first, and oversight is told at once. What it was for must be explained within "
        f"{duration(rule.follow_up_ms)}."
    )
    yield "The lock itself cannot keep the emergency key to this: the ledger and oversight do."


def log_words(charter: Charter) -> Iterator[str]:
    """What the record of who looked at what is for."""
    rules = charter.safeguards
    if rules.record is None and rules.access_log is None:
        return
    yield f"Who looked at what is recorded. That record is there only {listed([_USES[use] for use in rules.log_uses])}."
    yield "It is never used to judge how well somebody works."
    if rules.record is not None:
        yield (
            "Cases, requests for original video and signals of misuse are kept until "
            f"{duration(rules.retention.alerts_ms)} after they are over."
        )


def _quoted(name: str) -> str:
    return f"“{said(name)}”"


def _named(names: list[str], word: str = "and") -> str:
    return listed([_quoted(name) for name in names], word)
