"""Paths, widths, bundles."""

from __future__ import annotations

import pytest

from watchglass.core.errors import BadInput
from watchglass.ledger import tiles
from watchglass.ledger.tiles import ENTRIES, Tile


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(ENTRIES, 1_234_067, 7), "tile/entries/x001/x234/067.p/7"),
        (Tile(63, 999, 255), "tile/63/999.p/255"),
        (Tile(1, 1000), "tile/1/x001/000"),
    ],
)
def test_paths(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert Tile.parse(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/00/000",
        "tile/64/000",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/-1/000",
        "tile/entries/../000",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/0/\u0660\u0660\u0660",
        "checkpoint",
        "../checkpoint",
        "",
    ],
)
def test_other_names_name_nothing(path: str) -> None:
    with pytest.raises(BadInput):
        Tile.parse(path)


def test_the_files_of_a_log_of_70_000_entries() -> None:
    names = {(t.level, t.index, t.width) for t in tiles.tiles_for(70_000)}
    by_level = {level: sorted(t[1:] for t in names if t[0] == level) for level in (ENTRIES, 0, 1, 2)}
    assert by_level[ENTRIES] == by_level[0] == [(i, 256) for i in range(273)] + [(273, 112)]
    assert by_level[1] == [(0, 256), (1, 17)]
    assert by_level[2] == [(0, 1)]
    assert {t[0] for t in names} == {ENTRIES, 0, 1, 2}


def test_no_level_has_an_empty_tile() -> None:
    assert [t.path for t in tiles.tiles_for(256)] == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
    assert list(tiles.tiles_for(0)) == []


def test_bundles_hold_exactly_their_entries() -> None:
    entries = [b"", b"a", b"x" * 65_535]
    data = tiles.encode_bundle(entries)
    assert data[:5] == b"\0\0\0\1a"
    assert tiles.decode_bundle(data, 3) == entries
    for torn in (data[:-1], data + b"\0", data + b"\0\0", data[1:], b""):
        with pytest.raises(BadInput):
            tiles.decode_bundle(torn, 3)
    with pytest.raises(BadInput):
        tiles.decode_bundle(data, 2)
    with pytest.raises(BadInput):
        tiles.encode_bundle([b"x" * 65_536])
    with pytest.raises(BadInput):
        tiles.encode_bundle([])
    with pytest.raises(BadInput):
        tiles.encode_bundle([b""] * 257)
