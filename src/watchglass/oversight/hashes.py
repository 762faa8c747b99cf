"""The tree over all leaf hashes, kept so that the root of every earlier size can be told again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np

from watchglass.core.errors import BadInput
from watchglass.ledger import merkle
from watchglass.ledger.merkle import HASH_BYTES

_HEIGHT: Final = 4
_WIDTH: Final = 1 << _HEIGHT
_FULL: Final = _WIDTH * HASH_BYTES


class Hashes:
    """Leaf hashes one after the other, and above each sixteen of them their root, and so on: 34 bytes an entry."""

    __slots__ = ("levels",)

    def __init__(self, levels: list[bytearray] | None = None) -> None:
        self.levels = levels if levels is not None else [bytearray()]

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self.levels[0]) // HASH_BYTES

    def append(self, leaf: bytes) -> None:
        """Take the next leaf hash (32 bytes)."""
        level = self.levels[0]
        level += leaf
        if not len(level) % _FULL:
            self._rise(0)

    def _rise(self, number: int) -> None:
        level = self.levels[number]
        if number + 1 == len(self.levels):
            self.levels.append(bytearray())
        above = self.levels[number + 1]
        above += merkle.root(_nodes(level, len(level) // HASH_BYTES - _WIDTH, _WIDTH))
        if not len(above) % _FULL:
            self._rise(number + 1)

    def leaf(self, index: int) -> bytes:
        """The leaf hash of an entry."""
        return bytes(self.levels[0][index * HASH_BYTES : (index + 1) * HASH_BYTES])

    def find(self, leaf: bytes) -> int | None:
        """The first entry with that leaf hash; None where there is none. Reads everything: only for a breach."""
        at = self.levels[0].find(leaf)
        while at >= 0 and at % HASH_BYTES:
            at = self.levels[0].find(leaf, at + 1)
        return None if at < 0 else at // HASH_BYTES

    def places(self, wanted: Collection[bytes]) -> dict[bytes, int]:
        """Where the entries with these leaf hashes stand, one of each; those that are not there are left out."""
        if not wanted or not self.size:
            return {}
        words = np.frombuffer(bytes(self.levels[0]), dtype="<u8")[:: HASH_BYTES // 8]
        first = np.array([int.from_bytes(leaf[:8], "little") for leaf in wanted], dtype=np.uint64)
        found = {self.leaf(at): at for at in np.flatnonzero(np.isin(words, first)).tolist()}
        return {leaf: found[leaf] for leaf in wanted if leaf in found}

    def root(self, size: int) -> bytes:
        """The root of the first ``size`` entries.

        Raises:
            BadInput: there are fewer.
        """
        if not 0 <= size <= self.size:
            raise BadInput(f"There are {self.size} entries, not {size}.", fix="Ask for an earlier size.")
        parts: list[bytes] = []
        for number in reversed(range(len(self.levels))):
            count = size >> (_HEIGHT * number)
            left = count % _WIDTH
            start = count - left
            for height in reversed(range(_HEIGHT)):
                if left >> height & 1:
                    parts.append(merkle.root(_nodes(self.levels[number], start, 1 << height)))
                    start += 1 << height
        return merkle.fold(parts) if parts else merkle.EMPTY_ROOT


def _nodes(level: bytearray, start: int, count: int) -> list[bytes]:
    return [
        bytes(level[at : at + HASH_BYTES]) for at in range(start * HASH_BYTES, (start + count) * HASH_BYTES, HASH_BYTES)
    ]
