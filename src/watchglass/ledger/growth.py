"""How a log grows: which files a batch of entries makes. Pure; the sequencer writes them and then the checkpoint."""

from __future__ import annotations

from collections.abc import Sequence

from watchglass.ledger.merkle import EMPTY_ROOT, fold, leaf_hashes, root
from watchglass.ledger.tiles import (
    ENTRIES,
    FULL,
    HEIGHT,
    Tile,
    TileReader,
    decode_bundle,
    decode_tile,
    frame,
    level_count,
    read_tile,
)


class Growth:
    """The right edge of a log: what is in its last, partial files, and what appending changes.

    Use: ``append`` as often as wanted, then write everything that ``files`` gives (it is safe to write it again),
    then sign and write the checkpoint of ``size`` and ``root()``, then call ``written()``.
    """

    __slots__ = ("_bundle", "_changed", "_full", "_levels", "size")

    def __init__(self) -> None:
        """An empty log."""
        self.size = 0
        self._bundle: list[bytes] = []
        self._levels: list[list[bytes]] = []
        self._full: list[tuple[str, bytes]] = []
        self._changed = 0

    @classmethod
    def resume(cls, reader: TileReader, size: int) -> Growth:
        """The edge of the log of ``size`` entries that ``reader`` holds.

        Raises:
            BadInput: a file on the right edge is missing or torn.
        """
        growth = cls()
        growth.size = size
        for level in range(level_count(size)):
            count = size >> (HEIGHT * level)
            index, width = divmod(count, FULL)
            hashes = []
            if width:
                hashes = decode_tile(read_tile(reader, Tile(level, index, width)), width)
            growth._levels.append(hashes)
        index, width = divmod(size, FULL)
        if width:
            entries = decode_bundle(read_tile(reader, Tile(ENTRIES, index, width)), width)
            growth._bundle = [frame(entry) for entry in entries]
        return growth

    def append(self, entries: Sequence[bytes], hashes: Sequence[bytes] | None = None) -> None:
        """Add ``entries`` at the end; ``hashes`` are their leaf hashes, where the caller has them already.

        Raises:
            BadInput: an entry is longer than 65,535 bytes. Nothing is added then.
        """
        frames = [frame(entry) for entry in entries]
        if hashes is None:
            hashes = leaf_hashes(entries)
        self._add_frames(frames)
        self._add_hashes(0, hashes)
        self.size += len(frames)

    def files(self) -> list[tuple[str, bytes]]:
        """Every file that changed since the last ``written``, as (path, bytes): bundles, then tiles, lower first."""
        partial = []
        if self._changed:
            if self._bundle:
                partial.append((Tile(ENTRIES, self.size // FULL, len(self._bundle)).path, b"".join(self._bundle)))
            for level, hashes in enumerate(self._levels[: self._changed]):
                if hashes:
                    index = (self.size >> (HEIGHT * level)) // FULL
                    partial.append((Tile(level, index, len(hashes)).path, b"".join(hashes)))
        return self._full + partial

    def written(self) -> None:
        """Forget the files: they are on the disk now."""
        self._full = []
        self._changed = 0

    def root(self) -> bytes:
        """The Merkle tree hash at the present size: 32 bytes."""
        parts = []
        for hashes in reversed(self._levels):
            start = 0
            for height in reversed(range(HEIGHT)):
                if len(hashes) >> height & 1:
                    parts.append(root(hashes[start : start + (1 << height)]))
                    start += 1 << height
        return fold(parts) if parts else EMPTY_ROOT

    def _add_frames(self, frames: list[bytes]) -> None:
        index = self.size // FULL
        waiting = self._bundle + frames
        at = 0
        while len(waiting) - at >= FULL:
            self._full.append((Tile(ENTRIES, index).path, b"".join(waiting[at : at + FULL])))
            at += FULL
            index += 1
        self._bundle = waiting[at:]

    def _add_hashes(self, level: int, hashes: Sequence[bytes]) -> None:
        if not hashes:
            return
        if level == len(self._levels):
            self._levels.append([])
        self._changed = max(self._changed, level + 1)
        index = (self.size >> (HEIGHT * level)) // FULL
        waiting = self._levels[level] + list(hashes)
        above = []
        at = 0
        while len(waiting) - at >= FULL:
            tile = waiting[at : at + FULL]
            self._full.append((Tile(level, index).path, b"".join(tile)))
            above.append(root(tile))
            at += FULL
            index += 1
        self._levels[level] = waiting[at:]
        self._add_hashes(level + 1, above)
