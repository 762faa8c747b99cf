"""What waits for witnesses takes effect in a running house only after the log itself records their cosignature."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from watchglass.acts.note_witnessed import ACT, noted_size, waits
from watchglass.core.digest import unb64
from watchglass.core.time import SECOND
from watchglass.edge.clock import VirtualClock
from world import World, make_house


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_house(tmp_path) as world:
        yield world


def test_it_counts_once_the_log_records_it_and_not_a_moment_before(world: World) -> None:
    house = world.house
    world.settle()
    size = house.sequencer.cosigned_size()
    assert house.watch.shown(size) == 0  # the charter's approvals are in it
    house.watch.note()
    assert house.watch.shown(size) == size == noted_size(house.store.read())


def test_what_waits_is_recorded_at_once_however_young_the_last_record_is(world: World) -> None:
    house, clock = world.house, world.clock
    assert isinstance(clock, VirtualClock)
    house.watch.note()
    order = world.suspend("on-the-lawn")
    clock.advance(SECOND)
    world.settle()
    house.watch.note()
    assert len(world.records(ACT)) == 1  # an order to stop waits for nobody
    size = house.sequencer.cosigned_size()
    assert house.watch.shown(size) == size
    house.hand_in(world.lift(order, "on-the-lawn"))
    clock.advance(SECOND)
    world.settle()
    lifted = house.sequencer.cosigned_size()
    assert waits(house.store.read(), size, lifted)
    assert house.watch.shown(lifted) == size
    house.watch.note()
    assert len(world.records(ACT)) == 2
    assert house.watch.shown(lifted) == lifted


def test_a_house_that_starts_again_goes_on_from_what_the_log_records(world: World) -> None:
    world.house.watch.note()
    world.settle()
    size = world.house.sequencer.cosigned_size()
    house = world.reopen()
    assert house.watch.shown(size) == size
    assert unb64(house.describe()["charter"]["sha256"])
