"""Sealed segments as the store knows them: which lie in a scope, and whether their keys can still be put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from watchglass.acts.rows import as_value
from watchglass.core.errors import Problem
from watchglass.core.time import iso
from watchglass.evidence.header import Header, read_header
from watchglass.evidence.subsets import can_still_open
from watchglass.records.outbox import Reader


@dataclass(frozen=True, slots=True)
class Segment:
    """One sealed segment that is still there.

    Attributes:
        header: holds its wrapped shares, and no secret.
        opened: what opens of its record that it is this segment (``records.opening``).
    """

    id: str
    source: str
    purpose: str
    from_ms: int
    to_ms: int
    period: str
    charter: bytes
    path: str
    header: bytes
    opened: bytes | None
    size: int
    sha256: bytes
    leaf_hash: bytes
    keep_until_ms: int

    def read_header(self) -> Header:
        """The header, parsed."""
        return read_header(self.header)


def segments_in(reader: Reader, source: str, from_ms: int, to_ms: int, *, purpose: str | None = None) -> list[Segment]:
    """What is kept of ``source`` and overlaps [from_ms, to_ms), in order of time.

    Args:
        purpose: only what was recorded for this purpose; None takes every purpose.
    """
    rows = reader.all(
        "SELECT *, bytes AS size FROM segment WHERE source = ? AND from_ms < ? AND to_ms > ? AND destroyed_ms IS NULL"
        " AND (? IS NULL OR purpose = ?) ORDER BY from_ms, id",
        source,
        to_ms,
        from_ms,
        purpose,
        purpose,
    )
    return [as_value(Segment, row) for row in rows]


def segment_of(reader: Reader, number: str) -> Segment:
    """The segment with that id.

    Raises:
        Problem: there is none (any more).
    """
    row = reader.one("SELECT *, bytes AS size FROM segment WHERE id = ? AND destroyed_ms IS NULL", number)
    if row is None:
        raise Problem("There is no such segment (any more).", fix="Its retention may have ended.")
    return as_value(Segment, row)


def held(segments: Iterable[Segment], now_ms: int) -> bool:
    """Whether some of them are past their retention, so that only a hold has kept them."""
    return any(segment.keep_until_ms <= now_ms for segment in segments)


def gone(reader: Reader, period: str) -> frozenset[str]:
    """The custodians who destroyed their key of that month."""
    rows = reader.all("SELECT custodian FROM sealing_key WHERE period = ? AND destroyed_ms IS NOT NULL", period)
    return frozenset(str(row["custodian"]) for row in rows)


def check_can_open(reader: Reader, segments: Iterable[Segment], *, without: Sequence[str] = ()) -> None:
    """Check that every segment can still be opened by somebody, before anything is recorded.

    Args:
        without: custodians who may not take part, because they asked.

    Raises:
        Problem: too many custodians destroyed their keys of that month.
    """
    lost: dict[str, frozenset[str]] = {}
    for segment in segments:
        if segment.period not in lost:
            lost[segment.period] = gone(reader, segment.period) | frozenset(without)
        if not can_still_open(segment.read_header().subsets, lost[segment.period]):
            names = ", ".join(sorted(lost[segment.period]))
            raise Problem(
                f"Nobody can open what was sealed at {iso(segment.from_ms)} any more: {names} cannot take part, and no "
                "permitted set of custodians is left.",
                fix="Nothing was recorded. What was destroyed stays destroyed; ask for another time.",
                period=segment.period,
            )
