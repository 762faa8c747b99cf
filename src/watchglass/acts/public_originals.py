"""What everyone may know of original video: who can open it, and how often that was asked, allowed and refused.

Counted from the public entries of the ledger, which anyone can count again. How many pieces were sealed ends at the
last midnight (UTC), as all that follows alerts does; requests and answers are in the open as soon as they are recorded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from watchglass.charter import words
from watchglass.charter.model import Charter
from watchglass.charter.sealed_words import kept_words, log_words, longest_life, opened_words
from watchglass.charter.sealing import groups
from watchglass.core.time import DAY, hour_of
from watchglass.evidence.subsets import can_still_open, permitted_subsets
from watchglass.records.outbox import Reader

MONTHS: Final = 24
_COUNTED: Final[Mapping[str, str]] = {
    "segment_sealed": "sealed",
    "case_opened": "cases",
    "release_requested": "requests",
    "release_denied": "denied",
    "release_approved": "approvals",
    "release_refused": "refusals",
    "release_granted": "grants",
    "release_taken": "taken",
    "glass_broken": "emergencies",
    "glass_followed_up": "reports",
    "hold_ordered": "holds",
    "hold_lifted": "lifted",
}
"""Which act counts as what; each is an entry of the ledger that names its act in the open."""


@dataclass(frozen=True, slots=True)
class OriginalsMonth:
    """What the ledger shows of one month (UTC).

    Attributes:
        sealed: pieces of video. denied: what the house did not let reach the custodians.
        requests: what did. taken: opened on the machine of whoever asked.
        reports: on emergencies.
    """

    month: str
    sealed: int = 0
    cases: int = 0
    requests: int = 0
    denied: int = 0
    approvals: int = 0
    refusals: int = 0
    grants: int = 0
    taken: int = 0
    emergencies: int = 0
    reports: int = 0
    holds: int = 0
    lifted: int = 0


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A custodian's key of a month: when it was published and, if so, destroyed; each with its entry."""

    custodian: str
    index: int | None
    destroyed_ms: int | None
    destroyed_index: int | None


@dataclass(frozen=True, slots=True)
class Period:
    """The keys of one month.

    Attributes:
        can_open: whether enough keys are left for anybody to open what was sealed in it.
    """

    month: str
    keys: tuple[KeyRecord, ...]
    can_open: bool

    DERIVED: ClassVar = ("destroyed",)

    @property
    def destroyed(self) -> tuple[str, ...]:
        """The custodians who destroyed theirs."""
        return tuple(key.custodian for key in self.keys if key.destroyed_ms is not None)


@dataclass(frozen=True, slots=True)
class Originals:
    """The rules about original video, in sentences.

    Attributes:
        recorded: whether the charter keeps any.
        groups: the smallest groups of custodians who can open it together.
        emergency_key: whether there is one that no custodian holds.
    """

    recorded: bool
    kept: tuple[str, ...]
    opened: tuple[str, ...]
    log: tuple[str, ...]
    custodians: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    emergency_key: bool


def originals(charter: Charter) -> Originals:
    """What the charter says about original video."""
    safeguards = charter.safeguards
    release = safeguards.release if safeguards.record is not None else None
    return Originals(
        recorded=safeguards.record is not None,
        kept=tuple(kept_words(charter)),
        opened=tuple(opened_words(charter)),
        log=tuple(log_words(charter)),
        custodians=tuple(sorted(each.name for each in safeguards.custodians)),
        groups=tuple(groups(safeguards.custodians, release)) if release else (),
        emergency_key=release is not None and release.break_glass is not None,
    )


def of_source(charter: Charter, name: str) -> tuple[str, ...]:
    """The sentences of one camera's page."""
    safeguards = charter.safeguards
    record, sealed_ms, release = safeguards.record, safeguards.retention.sealed_ms, safeguards.release
    if record is None or sealed_ms is None or release is None or not charter.records(name):
        return ("The original video of this camera is not recorded.",)
    if record.when == "always":
        what = "All of its original video is recorded"
    else:
        begin = f"{words.duration(record.before_ms)} before" if record.before_ms else "the alert"
        after = words.duration(record.after_ms)
        what = f"Its original video is recorded around alerts only, from {begin} until {after} after"
    black = " What is painted black is black in it too." if charter.source(name).never_see else ""
    names = words.listed(sorted(f"“{each.name}”" for each in safeguards.custodians))
    agree = f"{release.k} of these {release.n} must agree: {names}" if release.n > 1 else f"{names} must agree"
    among = f", and {words.listed([f'“{each}”' for each in sorted(release.one_of)], 'or')} must be one of them"
    dies = (
        "Custodians destroy their keys month by month: what is "
        f"{words.duration(longest_life(sealed_ms))} old, they cannot open any more, not even from a copy."
    )
    glass = "One emergency key is not theirs and does not end with a month; each use of it is in the ledger first."
    return (
        f"{what}. It is locked in memory, before it reaches a disk.{black}",
        "The machine here has no key that opens it.",
        f"To open any of it, {agree}{among if release.one_of and release.n > 1 else ''}.",
        f"It is deleted after {words.duration(sealed_ms)}, unless a hold for a case keeps a part of it.",
        dies,
        *((glass,) if release.break_glass else ()),
    )


def kept_line(charter: Charter) -> tuple[str, str]:
    """What the first page says of original video: (what, how long)."""
    record, sealed_ms = charter.safeguards.record, charter.safeguards.retention.sealed_ms
    if record is None or sealed_ms is None:
        return "Original video", "Never kept. It passes through memory and is gone."
    some = " of some cameras" if any(not charter.records(source.name) for source in charter.sources) else ""
    around = "" if record.when == "always" else " around alerts"
    return f"Original video{around}{some}, locked", f"{words.duration(sealed_ms)}, unless a hold keeps a part of it"


def months(reader: Reader, now_ms: int) -> tuple[OriginalsMonth, ...]:
    """What was asked, allowed and refused, the newest month first; months without anything are left out."""
    marks = ", ".join("?" * len(_COUNTED))
    rows = reader.all(
        f"SELECT substr(hour, 1, 7) AS month, act, count(*) AS n FROM entry WHERE act IN ({marks})"  # noqa: S608 (question marks)
        " AND (act != 'segment_sealed' OR hour < ?) GROUP BY month, act",
        *_COUNTED,
        hour_of(now_ms - now_ms % DAY),
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        found[row["month"]][_COUNTED[row["act"]]] = int(row["n"])
    return tuple(OriginalsMonth(month, **found[month]) for month in sorted(found, reverse=True)[:MONTHS])


def periods(reader: Reader, charter: Charter) -> tuple[Period, ...]:
    """Each month's keys, the newest month first."""
    release = charter.safeguards.release
    if release is None:
        return ()
    names = [each.name for each in charter.safeguards.custodians]
    subsets = permitted_subsets(names, release.k, list(release.one_of))
    keys: dict[str, list[KeyRecord]] = defaultdict(list)
    for row in reader.all(
        "SELECT period, custodian, destroyed_ms, published.idx AS idx, destroyed.idx AS destroyed_idx FROM sealing_key"
        " LEFT JOIN entry AS published ON published.leaf_hash = sealing_key.leaf_hash"
        " LEFT JOIN entry AS destroyed ON destroyed.leaf_hash = sealing_key.destroyed_leaf_hash"
        " ORDER BY period, custodian"
    ):
        keys[row["period"]].append(KeyRecord(row["custodian"], row["idx"], row["destroyed_ms"], row["destroyed_idx"]))
    return tuple(
        Period(
            month,
            tuple(keys[month]),
            can_still_open(subsets, {name for name in names if not _has(keys[month], name)}),
        )
        for month in sorted(keys, reverse=True)[:MONTHS]
    )


def _has(keys: list[KeyRecord], custodian: str) -> bool:
    return any(key.custodian == custodian and key.destroyed_ms is None for key in keys)
