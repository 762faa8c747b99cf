"""The replay of a log: every byte read again, every hash made again, every tile compared.

The walk is one pass from left to right. Each bundle's entries are hashed and compared with the level-0 tile beside
it; each full tile is hashed upward and compared on the next level as soon as that level's tile is complete; at the
end come the partial tiles, and the root against the checkpoint. The first thing that does not fit is named, and where
the rest of the log can tell, whether the entries or the tile is at fault.

A log may have archived its first entries: whole bundles at its start are gone then, and nothing else is. Whoever allows
for that gets the hashes of those entries from the tiles that stay, which lead to the checkpoint like all others; the
entries themselves were not read, and the replay says how many.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger import merkle
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.tiles import (
    CHECKPOINT,
    ENTRIES,
    FULL,
    HEIGHT,
    Tile,
    TileReader,
    decode_bundle,
    decode_tile,
    first_here,
    node_reader,
    read_tile,
)

_sha256 = hashlib.sha256

Progress = Callable[[int, int], None]
"""Called with (entries done, entries in all), once per bundle."""

OnBundle = Callable[[int, Sequence[bytes]], None]
"""Called with (index of the first entry, leaf hashes) once a bundle and its tile agree."""

OnEntries = Callable[[int, Sequence[bytes], Sequence[bytes]], None]
"""Called with (index of the first entry, entries, leaf hashes), then too."""


class Rewritten(DidNotVerify):
    """The entries do not lead to a checkpoint that was seen before; ``remembered`` is that one."""

    def __init__(self, remembered: Checkpoint, root: bytes) -> None:
        super().__init__(
            f"The first {remembered.size} entries are not those that were seen before: the log's past was rewritten.",
            fix="Keep both checkpoints: together they are evidence. Show them to oversight and to the witnesses.",
            path=CHECKPOINT,
            seen_size=remembered.size,
            seen_root=b64(remembered.root),
            found=b64(root),
        )
        self.remembered = remembered


@runtime_checkable
class Listing(Protocol):
    """What a reader that can list its files offers besides: then leftover partial tiles are compared too."""

    def paths(self) -> Iterable[str]:
        """The path of every file under ``tile/``."""
        ...


@dataclass(slots=True)
class Replay:
    """One pass over a log. ``levels[L]`` holds the hashes of the tile on level L that is being filled.

    The log must continue each of the ``remembered`` checkpoints. With ``onward`` the pass begins at the bundle in which
    the smallest of them ended: what stands before was read and hashed when a larger one was remembered, and the hashes
    above it must lead to the remembered roots. With ``archived`` bundles may be gone at the log's start; ``unread`` is
    then how many entries at the start nobody read, now or before. Bundles wholly before ``unread_before`` are passed
    over like archived ones: whoever reads on from there takes their hashes from the tiles.
    """

    reader: TileReader
    checkpoint: Checkpoint
    remembered: Sequence[Checkpoint]
    progress: Progress | None
    on_bundle: OnBundle | None
    on_entries: OnEntries | None = None
    onward: bool = False
    archived: bool = False
    unread_before: int = 0
    unread: int = 0
    files: int = 0
    octets: int = 0
    unpublished: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    levels: list[list[bytes]] = field(default_factory=lambda: [[]])
    leftovers: dict[tuple[int, int], list[Tile]] = field(default_factory=lambda: defaultdict(list))

    def run(self) -> None:
        """Walk the log; raise at the first thing that does not fit."""
        size = self.checkpoint.size
        self._list()
        begin = self._begin()
        here = first_here(self.reader, size) if self.archived else 0
        here = max(here, min(self.unread_before, size) // FULL * FULL)
        self.unread = here if here > begin else 0
        for first in range(begin, size, FULL):
            width = min(FULL, size - first)
            bundle = Tile(ENTRIES, first // FULL, width)
            data = self._read(bundle) if first >= here else None
            hashes = self.levels[0] = self._hashes_only(bundle) if data is None else self._hash_bundle(bundle, data)
            if data is not None:
                self._tile(0, first // FULL)
                self._compare_leftovers(bundle, data)
            self._meet_remembered(first, hashes)
            if self.on_bundle:
                self.on_bundle(first, hashes)
            if self.on_entries and data is not None:
                self.on_entries(first, decode_bundle(data, width), hashes)
            if width == FULL:
                self._rise(0, first // FULL)
            if self.progress:
                self.progress(first + width, size)
        for level in range(1, len(self.levels)):
            if self.levels[level]:
                self._tile(level, (size >> (HEIGHT * level)) // FULL)
        self._compare_root()

    def _begin(self) -> int:
        """The first entry to read; where that is not 0, what stands above the entries before it is taken from tiles."""
        smallest = min((each.size for each in self.remembered if each.size), default=0)
        if not (self.onward and smallest):
            return 0
        bundles = (smallest - 1) // FULL
        stored = node_reader(self.reader, self.checkpoint.size)
        level, count = 1, bundles
        while count:
            first = count // FULL * FULL
            try:
                self.levels.append([stored(HEIGHT * level, at) for at in range(first, count)])
            except BadInput as error:
                raise DidNotVerify(
                    f"A tile above the entries that were seen before is missing or torn: {error.message}",
                    fix="Ask the log's operator for the file, or read the log from its start.",
                    path=Tile(level, first // FULL, FULL).path,
                ) from error
            level, count = level + 1, count // FULL
        return bundles * FULL

    def _hashes_only(self, bundle: Tile) -> list[bytes]:
        """The leaf hashes of an archived bundle, from the tile that stays; what is left of the bundle must fit them."""
        tile = Tile(0, bundle.index)
        data = self._read(tile)
        try:
            hashes = decode_tile(data, FULL)
        except BadInput as error:
            raise _torn_tile(tile, data, FULL) from error
        self._compare_leftovers(tile, data)
        for other in self.leftovers.pop((ENTRIES, bundle.index), ()):
            left = self.reader.read(other.path)
            if left is not None and self._hash_bundle(other, left) != hashes[: other.width]:
                raise DidNotVerify(
                    f"{other.path} holds other entries than those whose hashes {tile.path} keeps.",
                    fix="Ask the log's operator to put back the file as it was published.",
                    path=other.path,
                    **_span(other),
                )
        return hashes

    def _hash_bundle(self, tile: Tile, data: bytes) -> list[bytes]:
        """The leaf hash of each entry of a bundle: the hot loop."""
        seeded = _sha256(b"\x00").copy
        hashes: list[bytes] = []
        add = hashes.append
        at, end = 0, len(data)
        while at + 2 <= end:
            start = at + 2
            at = start + (data[at] << 8 | data[at + 1])
            leaf = seeded()
            leaf.update(data[start:at])
            add(leaf.digest())
        if at != end or len(hashes) != tile.width:
            raise self._torn_bundle(tile, data, hashes)
        return hashes

    def _tile(self, level: int, index: int) -> None:
        """Compare the tile on disk with the hashes that were made again for it."""
        hashes = self.levels[level]
        tile = Tile(level, index, len(hashes))
        data = self._read(tile)
        if data != b"".join(hashes):
            raise self._disagreement(tile, data, hashes)
        self._compare_leftovers(tile, data)

    def _rise(self, level: int, index: int) -> None:
        """Hash a full tile onto the next level, and compare that level's tile too if it is full now."""
        nodes = self.levels[level]
        for _ in range(HEIGHT):
            nodes = merkle.pair_up(nodes)
        self.levels[level] = []
        if level + 1 == len(self.levels):
            self.levels.append([])
        above = self.levels[level + 1]
        above.append(nodes[0])
        if len(above) == FULL:
            self._tile(level + 1, index // FULL)
            self._rise(level + 1, index // FULL)

    def _meet_remembered(self, first: int, hashes: list[bytes]) -> None:
        """Where an earlier checkpoint's last entry lies in this bundle, compare its root with today's past."""
        for remembered in self.remembered:
            if not first < remembered.size <= first + len(hashes):
                continue
            root = self._root_with(hashes[: remembered.size - first])
            if root != remembered.root:
                raise Rewritten(remembered, root)

    def _compare_root(self) -> None:
        root = self._root_with(self.levels[0])
        if root != self.checkpoint.root:
            raise DidNotVerify(
                "All entries and tiles agree with each other, but not with the checkpoint: they lead to another root.",
                fix="Ask the operator for the files of this checkpoint, and keep the checkpoint as evidence.",
                path=CHECKPOINT,
                expected=b64(self.checkpoint.root),
                found=b64(root),
            )

    def _root_with(self, leaves: Sequence[bytes]) -> bytes:
        """The root over everything that has risen so far and then ``leaves`` of the bundle at hand."""
        parts = []
        for level in reversed(range(len(self.levels))):
            hashes = self.levels[level] if level else leaves
            start = 0
            for height in reversed(range(HEIGHT + 1)):
                if len(hashes) >> height & 1:
                    parts.append(merkle.root(hashes[start : start + (1 << height)]))
                    start += 1 << height
        return merkle.fold(parts) if parts else merkle.EMPTY_ROOT

    def _read(self, tile: Tile) -> bytes:
        try:
            data = read_tile(self.reader, tile)
        except BadInput as error:
            if tile.level == ENTRIES and (here := first_here(self.reader, self.checkpoint.size)) > tile.index * FULL:
                raise _gone(tile, here) from error
            raise DidNotVerify(
                f"{tile.path} is missing or torn: {error.message}",
                fix="Ask the log's operator for the file; until it is there nobody can verify these entries.",
                path=tile.path,
                **_span(tile),
            ) from error
        self.files += 1
        self.octets += len(data)
        return data

    def _list(self) -> None:
        """Sort the files that are there beyond those of this checkpoint."""
        if not isinstance(self.reader, Listing):
            return
        for path in self.reader.paths():
            try:
                tile = Tile.parse(path)
            except BadInput:
                self.strangers.append(path)
                continue
            count = self.checkpoint.size >> (HEIGHT * max(tile.level, 0))
            here = min(FULL, max(0, count - tile.index * FULL))
            if here == 0:
                self.unpublished.append(path)
            elif tile.width != here:
                if tile.width > here:
                    self.unpublished.append(path)
                self.leftovers[tile.level, tile.index].append(tile)

    def _compare_leftovers(self, tile: Tile, data: bytes) -> None:
        """Compare what earlier (or unpublished) checkpoints left of this tile with its verified bytes."""
        for other in self.leftovers.pop((tile.level, tile.index), ()):
            left = self.reader.read(other.path)
            if left is None:
                continue  # the log grew meanwhile, and its full file has replaced this one
            self.files += 1
            self.octets += len(left)
            shorter, longer = (left, data) if other.width < tile.width else (data, left)
            if not longer.startswith(shorter) or not _holds(other, left):
                raise DidNotVerify(
                    f"{other.path} is not the beginning of {tile.path}."
                    if other.width < tile.width
                    else f"{other.path} does not begin like {tile.path}.",
                    fix="Ask the log's operator to put back the file as it was published.",
                    path=other.path,
                    **_span(other),
                )

    def _torn_bundle(self, tile: Tile, data: bytes, hashes: list[bytes]) -> DidNotVerify:
        try:
            claimed = decode_tile(read_tile(self.reader, Tile(0, tile.index, tile.width)), tile.width)
        except BadInput:
            claimed = []
        first = next((i for i, (a, b) in enumerate(zip(hashes, claimed, strict=False)) if a != b), None)
        bad = tile.index * FULL + (min(len(hashes), tile.width - 1) if first is None else first)
        return DidNotVerify(
            f"{tile.path} is torn: {len(data)} bytes do not hold exactly {tile.width} entries; the first bad entry is "
            f"{bad}.",
            fix="Ask the log's operator for the file as it was published.",
            path=tile.path,
            entry=bad,
        )

    def _disagreement(self, tile: Tile, data: bytes, hashes: list[bytes]) -> DidNotVerify:
        """Name what is wrong where a tile and what lies below it differ."""
        if len(data) != len(hashes) * merkle.HASH_BYTES:
            return _torn_tile(tile, data, len(hashes))
        claimed = decode_tile(data, len(hashes))
        at = next(i for i, (a, b) in enumerate(zip(hashes, claimed, strict=True)) if a != b)
        node = tile.index * FULL + at
        first, last = node << (HEIGHT * tile.level), ((node + 1) << (HEIGHT * tile.level)) - 1
        entries = f"entry {first}" if tile.level == 0 else f"entries {first} to {last}"
        level = 0 if first < self.unread else ENTRIES  # of archived entries only the hashes are here
        bundle = Tile(level, first // FULL, min(FULL, self.checkpoint.size - first // FULL * FULL)).path
        suspect = self._suspect(tile, claimed, hashes)
        message = {
            "entry": f"{entries.capitalize()} (in {bundle}) changed: {tile.path} and the log above hold another hash.",
            "tile": f"{tile.path} changed at hash {at}: {entries} and the log above it agree without it.",
            "unknown": f"{tile.path} and {entries} (in {bundle}) do not fit each other.",
        }[suspect]
        return DidNotVerify(
            message,
            fix="Ask the log's operator for the file as it was published, and keep this copy as evidence.",
            path=bundle if suspect == "entry" else tile.path,
            entry=first,
            suspect=suspect,
            expected=b64(hashes[at]),
            found=b64(claimed[at]),
        )

    def _suspect(self, tile: Tile, claimed: list[bytes], hashes: list[bytes]) -> str:
        """Ask the tile's parent (or, where it has none, the checkpoint's root) which of the two it stands for."""
        stored = node_reader(self.reader, self.checkpoint.size)
        try:
            if tile.width == FULL:
                stands_for = stored(HEIGHT * (tile.level + 1), tile.index)
                with_claimed, with_hashes = merkle.root(claimed), merkle.root(hashes)
            else:
                stands_for = self.checkpoint.root
                with_claimed = merkle.range_hash(stored, 0, self.checkpoint.size)
                with_hashes = self._root_with(self.levels[0])
        except (BadInput, IndexError):
            return "unknown"
        if stands_for == with_claimed:
            return "entry"
        return "tile" if stands_for == with_hashes else "unknown"


def _torn_tile(tile: Tile, data: bytes, width: int) -> DidNotVerify:
    return DidNotVerify(
        f"{tile.path} is torn: it has {len(data)} bytes instead of {width * merkle.HASH_BYTES}.",
        fix="Ask the log's operator for the file as it was published.",
        path=tile.path,
    )


def _gone(tile: Tile, here: int) -> DidNotVerify:
    return DidNotVerify(
        f"The entries before {here} are not here: {tile.path} is missing. They were archived, or lost.",
        fix="The ledger's page, and its record `entries_archived`, say who has them: give that folder or address with "
        "`--archive`.",
        path=tile.path,
        archived=here,
        **_span(tile),
    )


def _holds(tile: Tile, data: bytes) -> bool:
    """Whether ``data`` has the form of ``tile``."""
    try:
        (decode_bundle if tile.level == ENTRIES else decode_tile)(data, tile.width)
    except BadInput:
        return False
    return True


def _span(tile: Tile) -> dict[str, int]:
    """The first entry that a file speaks for, for an error's details."""
    return {"entry": (tile.index * FULL) << (HEIGHT * max(tile.level, 0))}
