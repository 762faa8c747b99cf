"""The files of a log (c2sp.org/tlog-tiles): their names, their widths, and bundles of entries.

A tile holds up to 256 hashes of one level; a hash on level L+1 is the Merkle tree hash of one full tile on level L.
A bundle holds up to 256 entries, each behind its length as a big-endian 16-bit number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from watchglass.core.errors import BadInput
from watchglass.ledger.merkle import HASH_BYTES, NodeReader, pair_up

FULL = 256
HEIGHT = 8
MAX_ENTRY_BYTES = 65_535
MAX_BUNDLE_BYTES = FULL * (2 + MAX_ENTRY_BYTES)
MAX_LEVEL = 63
MAX_STATE_BYTES = 64 << 20
CHECKPOINT = "checkpoint"
ENTRIES = -1
"""Stands in for the level of a bundle of entries."""

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9]|[1-5][0-9]|6[0-3])/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?"
)
_STATE = re.compile(r"years/[0-9]{4}\.state")


class TileReader(Protocol):
    """Where the files of a log come from: a directory, a web server, a memory twin."""

    def read(self, path: str) -> bytes | None:
        """The bytes of the file at ``path`` (as ``checkpoint`` or ``tile/0/000``), or None where there is none."""
        ...


def state_path(year: int) -> str:
    """Where a log keeps the carried state of a year: ``years/2027.state``."""
    return f"years/{year:04d}.state"


def is_state(path: str) -> bool:
    """Whether ``path`` names the carried state of a year."""
    return _STATE.fullmatch(path) is not None


@dataclass(frozen=True, slots=True)
class Tile:
    """One file under ``tile/``: ``level`` 0 to 63 (or ``ENTRIES``), ``index``, and ``width`` 1 to 256."""

    level: int
    index: int
    width: int = FULL

    def __post_init__(self) -> None:
        if not (ENTRIES <= self.level <= MAX_LEVEL and self.index >= 0 and 1 <= self.width <= FULL):
            raise BadInput(
                f"There is no tile at level {self.level}, index {self.index}, width {self.width}.",
                fix="Levels are 0 to 63, widths 1 to 256.",
            )

    @property
    def path(self) -> str:
        """``tile/<L>/<N>[.p/<W>]``, N in groups of three digits, all but the last prefixed with x."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        index, group = divmod(self.index, 1000)
        name = f"{group:03d}"
        while index:
            index, group = divmod(index, 1000)
            name = f"x{group:03d}/{name}"
        return f"tile/{level}/{name}" if self.width == FULL else f"tile/{level}/{name}.p/{self.width}"

    @classmethod
    def parse(cls, path: str) -> Tile:
        """The tile that ``path`` names.

        Raises:
            BadInput: it names none, or names one in another form than the only one allowed.
        """
        match = _PATH.fullmatch(path)
        if match:
            level = ENTRIES if match["level"] == "entries" else int(match["level"])
            index = int(match["index"].replace("/", "").replace("x", ""))
            tile = cls(level, index, int(match["width"] or FULL))
            if tile.path == path:
                return tile
        raise BadInput(f"{path[:80]!r} does not name a tile.", fix="Use a path like tile/0/x001/234.p/17.")


def entries_path(index: int, width: int = FULL) -> str:
    """The path of a bundle of entries."""
    return Tile(ENTRIES, index, width).path


def tiles_on(level: int, size: int) -> Iterator[Tile]:
    """The tiles of ``level`` (or bundles, for ``ENTRIES``) of a log with ``size`` entries, left to right."""
    full, partial = divmod(size >> (HEIGHT * max(level, 0)), FULL)
    for index in range(full):
        yield Tile(level, index)
    if partial:
        yield Tile(level, full, partial)


def level_count(size: int) -> int:
    """How many levels have tiles in a log of ``size`` entries."""
    levels = 0
    while size >> (HEIGHT * levels):
        levels += 1
    return levels


def tiles_for(size: int) -> Iterator[Tile]:
    """Every file under ``tile/`` that the checkpoint of ``size`` needs: bundles first, then hashes, level by level."""
    for level in range(ENTRIES, level_count(size)):
        yield from tiles_on(level, size)


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """The bytes of a bundle of 1 to 256 entries.

    Raises:
        BadInput: an entry is longer than 65,535 bytes, or there are too many or none.
    """
    if not 1 <= len(entries) <= FULL:
        raise BadInput(f"A bundle holds 1 to 256 entries, not {len(entries)}.", fix="Split the entries.")
    return b"".join(map(frame, entries))


def frame(entry: bytes) -> bytes:
    """One entry behind its 16-bit length, as it lies in a bundle.

    Raises:
        BadInput: it is longer than 65,535 bytes.
    """
    if len(entry) > MAX_ENTRY_BYTES:
        raise BadInput(
            f"An entry of {len(entry)} bytes is too long for the ledger (65,535 at most).",
            fix="Put a commitment to the large part into the record instead.",
        )
    return len(entry).to_bytes(2, "big") + entry


def decode_bundle(data: bytes, count: int) -> list[bytes]:
    """The ``count`` entries of a bundle.

    Raises:
        BadInput: ``data`` is not exactly the bytes of that many entries.
    """
    entries = []
    at, end = 0, len(data)
    while at + 2 <= end:
        start = at + 2
        at = start + (data[at] << 8 | data[at + 1])
        entries.append(data[start:at])
    if at != end or len(entries) != count:
        raise BadInput(
            f"A bundle of {end} bytes does not hold exactly {count} entries.",
            fix="Fetch the bundle again; it was cut off or changed.",
            entries_found=len(entries) if at <= end else len(entries) - 1,
        )
    return entries


def decode_tile(data: bytes, width: int) -> list[bytes]:
    """The ``width`` hashes of a tile.

    Raises:
        BadInput: ``data`` is not exactly that many hashes.
    """
    if len(data) != width * HASH_BYTES:
        raise BadInput(
            f"A tile of width {width} has {width * HASH_BYTES} bytes, not {len(data)}.",
            fix="Fetch the tile again; it was cut off or changed.",
        )
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def read_tile(reader: TileReader, tile: Tile) -> bytes:
    """The bytes of ``tile``; where a partial tile is gone, the full tile that replaced it is cut to its width.

    Raises:
        BadInput: the log has no such file.
    """
    data = reader.read(tile.path)
    if data is None and tile.width < FULL:
        full = reader.read(Tile(tile.level, tile.index).path)
        if full is not None:
            data = _cut(full, tile)
    if data is None:
        raise BadInput(
            f"The log has no {tile.path}.", fix="Ask the log's operator for the missing file.", path=tile.path
        )
    return data


def first_here(reader: TileReader, size: int) -> int:
    """The first entry of a log of ``size`` entries whose bundle is there: 0, unless bundles at its start are gone.

    It looks at as few bundles as it can; one that is missing behind one that is there is for the reader to find.
    """
    there = size // FULL
    if not there or reader.read(Tile(ENTRIES, 0).path) is not None:
        return 0
    gone = 0
    while there - gone > 1:
        middle = (gone + there) // 2
        if reader.read(Tile(ENTRIES, middle).path) is None:
            gone = middle
        else:
            there = middle
    return there * FULL


class Archived(BadInput):
    """An entry is no longer served: it is from before a year, and somebody else keeps it."""


def read_entry(reader: TileReader, index: int, size: int) -> bytes:
    """Entry ``index`` of a log of ``size`` entries, unchecked: compare its leaf hash with a proof.

    Raises:
        Archived: it is not here any more, and neither is what came before it.
        BadInput: there is no such entry, or its bundle is missing or torn.
    """
    if not 0 <= index < size:
        raise BadInput(f"Entry {index} is not in a log of {size} entries.", fix="Choose an index below the size.")
    bundle, at = divmod(index, FULL)
    tile = Tile(ENTRIES, bundle, min(FULL, size - bundle * FULL))
    try:
        data = read_tile(reader, tile)
    except BadInput as error:
        if (here := first_here(reader, size)) > index:
            raise Archived(
                f"Entry {index} is not here: the entries before {here} were archived, or lost.",
                fix="The ledger's page and its record `entries_archived` say who has them: give that folder or address "
                "with `--archive`.",
                archived=here,
            ) from error
        raise
    return decode_bundle(data, tile.width)[at]


def node_reader(reader: TileReader, size: int) -> NodeReader:
    """The hashes of perfect subtrees of a log of ``size`` entries, from its tiles; each tile is read once."""
    seen: dict[tuple[int, int], list[bytes]] = {}

    def read(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, HEIGHT)
        first = index << height
        where, at = divmod(first, FULL)
        hashes = seen.get((tile_level, where))
        if hashes is None:
            width = min(FULL, (size >> (HEIGHT * tile_level)) - where * FULL)
            tile = Tile(tile_level, where, width)
            hashes = seen[tile_level, where] = decode_tile(read_tile(reader, tile), width)
        nodes = hashes[at : at + (1 << height)]
        for _ in range(height):
            nodes = pair_up(nodes)
        return nodes[0]

    return read


def _cut(data: bytes, tile: Tile) -> bytes:
    if tile.level == ENTRIES:
        return encode_bundle(decode_bundle(data, FULL)[: tile.width])
    return data[: tile.width * HASH_BYTES]
