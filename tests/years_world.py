"""A house that crossed New Year on a virtual clock, and whose past may be archived by now."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from watchglass.acts.begin_year import Due, begin_year, due
from watchglass.acts.context import attest
from watchglass.acts.years import GRACE_MS
from watchglass.bootstrap import House, LocalWitness, archiving, open_witness
from watchglass.core.digest import sha256
from watchglass.core.time import DAY, HOUR
from watchglass.edge.clock import VirtualClock
from watchglass.records.outbox import Transaction
from world import World, make_house

NEW_YEAR = 1_798_761_600_000  # 2027-01-01T00:00:00Z
KEEPER = "City archive, archive@city.example"


def advance(world: World, until: int) -> None:
    clock = world.clock
    assert isinstance(clock, VirtualClock)
    clock.advance(until - clock.now())
    world.settle()


def fill(world: World, count: int) -> None:
    """So many records, in one transaction."""
    house = world.house

    def act(tx: Transaction) -> None:
        for _ in range(count):
            clear = {"run": house.entropy.bytes(8).hex(), "vkey": house.log_vkey, "sources": ["street"]}
            attest(house.acting, tx, "recorder_named", by=None, under=None, clear=clear)

    house.store.commit(act)
    world.settle()


def begin(world: World) -> Due:
    """Let the year begin as the house does, with a state that is only bytes: what is in it is for other tests."""
    house = world.house
    wanted = due(house.store.read(), house.tiles, house.clock.now())
    assert wanted is not None
    state = b"state of %d" % wanted.size
    house.tiles.keep_state(wanted.year, state)
    begin_year(house.acting, wanted, sha256(state), "1-test")
    world.settle()
    world.settle()
    return wanted


def make_old(folder: Path, **more: Any) -> World:
    """A house in which 2027 began after some 700 entries; it is the middle of April."""
    world = make_house(folder, **more)
    fill(world, 700)
    advance(world, NEW_YEAR + 8 * DAY)
    fill(world, 3)
    advance(world, NEW_YEAR + 8 * DAY + HOUR)
    begin(world)
    fill(world, 100)
    advance(world, world.clock.now() + GRACE_MS + HOUR)
    return world


@dataclass
class Archiver:
    """The command, with the time of a world and a copy of its witness."""

    old: World
    deployment: Path
    beside: Path

    def __post_init__(self) -> None:
        shutil.copytree(self.old.folder / "people" / "witness", self.beside / "witness")
        key = self.old.house.log_key
        self.witness = LocalWitness(open_witness(self.beside / "witness", [key], clock=self.old.clock))

    def house(self, root: Path, **_: object) -> House:
        opened = House(root, clock=self.old.clock)
        opened.sequencer.watched_by({self.witness.name: self.witness})
        return opened

    def __call__(self, folder: Path | None = None, year: int = 2027) -> dict[str, Any]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(archiving, "House", self.house)
            return archiving.archive(self.deployment, year, folder or self.beside / "archive", KEEPER)
