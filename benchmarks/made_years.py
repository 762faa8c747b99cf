"""States with which years begin, of a log in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from watchglass.ledger.merkle import leaf_hash
from watchglass.oversight.remaking import Remaker


def remaker_of(entries: Sequence[bytes], origin: str) -> Remaker:
    """Makes the states of a log with these entries."""

    def source(first: int, until: int) -> Iterator[tuple[int, bytes, bytes]]:
        return ((index, entries[index], leaf_hash(entries[index])) for index in range(first, until))

    return Remaker(origin, source)


def state_of(entries: Sequence[bytes], origin: str, size: int) -> bytes:
    """The state that the first ``size`` entries leave."""
    return remaker_of(entries, origin).state(size)
