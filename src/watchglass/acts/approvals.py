"""Which custodians' approvals of a request hold, and whether they are enough for what it asks for."""

from __future__ import annotations

from watchglass.acts.segments import Segment
from watchglass.records.outbox import Reader


def approvals_of(reader: Reader, request: str, now_ms: int) -> dict[str, bytes]:
    """The custodians whose approval of a request holds now, each with the leaf hash of it."""
    rows = reader.all(
        "SELECT custodian, leaf_hash FROM release_answer WHERE request = ? AND approved = 1 AND until_ms > ?",
        request,
        now_ms,
    )
    return {str(row["custodian"]): bytes(row["leaf_hash"]) for row in rows}


def enough(segments: list[Segment], approved: frozenset[str]) -> bool:
    """Whether every segment has a permitted set of custodians all of whom approved."""
    return bool(segments) and all(
        any(approved.issuperset(each) for each in segment.read_header().subsets) for segment in segments
    )
