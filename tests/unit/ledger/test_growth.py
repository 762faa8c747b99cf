"""A log that grows in any steps has the same files and the root of the tree."""

from __future__ import annotations

import pytest

from watchglass.core.errors import BadInput
from watchglass.ledger import merkle, tiles
from watchglass.ledger.growth import Growth


class Memory:
    """A log's files in memory: the twin of a directory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)


def entries(n: int) -> list[bytes]:
    return [f"{i}".encode() * (i % 5) for i in range(n)]


@pytest.mark.parametrize("steps", [[1] * 20, [255, 1, 1, 255], [256], [257, 300, 1000], [65_536 + 300]])
def test_files_and_root(steps: list[int]) -> None:
    everything = entries(sum(steps))
    memory, growth, at = Memory(), Growth(), 0
    for step in steps:
        growth.append(everything[at : at + step])
        at += step
        memory.files.update(growth.files())
        growth.written()
        assert growth.size == at
        assert growth.root() == merkle.root(merkle.leaf_hashes(everything[:at]))
        for tile in tiles.tiles_for(at):
            assert tile.path in memory.files, "every file of every checkpoint is there"
        resumed = Growth.resume(memory, at)
        assert resumed.root() == growth.root()
        growth = resumed
    read = tiles.node_reader(memory, at)
    assert merkle.range_hash(read, 0, at) == growth.root()
    assert tiles.read_entry(memory, at - 1, at) == everything[-1]


def test_nothing_new_means_nothing_to_write() -> None:
    memory, growth = Memory(), Growth()
    growth.append(entries(3))
    memory.files.update(growth.files())
    growth.written()
    assert growth.files() == []
    assert Growth.resume(memory, 3).files() == []
    growth.append([])
    assert growth.files() == []


def test_files_are_the_same_when_asked_again() -> None:
    growth = Growth()
    growth.append(entries(300))
    assert growth.files() == growth.files()


def test_an_entry_that_is_too_long_adds_nothing() -> None:
    growth = Growth()
    with pytest.raises(BadInput):
        growth.append([b"ok", b"x" * 65_536])
    assert growth.size == 0
    assert growth.files() == []


def test_a_missing_edge_is_named() -> None:
    growth, memory = Growth(), Memory()
    growth.append(entries(5))
    memory.files.update(growth.files())
    del memory.files["tile/0/000.p/5"]
    with pytest.raises(BadInput, match=r"tile/0/000\.p/5"):
        Growth.resume(memory, 5)
