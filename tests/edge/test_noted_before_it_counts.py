"""What waits for witnesses takes effect only when the log itself records their cosignature: nothing comes between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from watchglass.acts.note_witnessed import ACT
from watchglass.core.time import SECOND
from watchglass.edge.clock import VirtualClock
from watchglass.ledger import checkpoint as checkpoints
from watchglass.records.act_spec import Lane
from watchglass.records.leaf import Leaf
from world import World, make_house


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_house(tmp_path) as world:
        yield world


def noted(world: World) -> list[int]:
    """How many entries each recorded checkpoint covers, in the order of the log and then of what waits for it."""
    notes = (str(record.leaf.clear["note"]).encode() for record in world.records(ACT))
    return [checkpoints.parse(note).checkpoint.size for note in notes]


def test_whatever_is_recorded_after_it_counts_stands_behind_its_record(world: World) -> None:
    assert world.standing().published == "cosigned"
    assert noted(world)[-1] == world.house.cosigned_size()
    world.raise_alert()
    acts = [record.leaf.act for record in world.records()]
    assert acts.index("charter_approved") < acts.index(ACT) < acts.index("alert_raised")


def test_an_act_that_waits_is_recorded_as_seen_however_young_the_last_record_is(world: World) -> None:
    world.house.watch.spacing_ms = 3_600_000
    clock = world.clock
    assert isinstance(clock, VirtualClock)
    world.settle()
    before = noted(world)
    order = world.suspend("on-the-lawn")
    clock.advance(SECOND)
    world.settle()
    assert noted(world) == before, "an order to stop waits for nobody"
    world.house.hand_in(world.lift(order, "on-the-lawn"))
    assert world.standing().suspensions
    clock.advance(SECOND)
    world.settle()
    assert not world.standing().suspensions
    assert noted(world)[-1] == world.house.cosigned_size() > before[-1]
    clock.advance(SECOND)
    world.raise_alert()
    world.settle()
    assert noted(world)[-1] < world.house.cosigned_size(), "and then it is rare again"


def test_without_its_record_nothing_counts_as_seen(world: World) -> None:
    world.settle()
    size = world.house.cosigned_size()
    world.raise_alert()
    world.settle()
    assert world.house.cosigned_size() > size
    world.raise_alert()
    world.house.sequencer.integrate(tuple(Lane))
    before = world.house.cosigned_size()
    world.break_the_log(ACT)
    world.house.sequencer.ask_witnesses()
    assert world.house.cosigned_size() == before
    assert "broken" in str(world.house.sequencer.cosigning.witnessing()[0].problem)
    world.mend_the_log()
    world.house.sequencer.ask_witnesses()
    assert world.house.cosigned_size() == world.house.sequencer.head.size


def test_a_house_that_starts_again_goes_on_from_what_the_log_records(world: World) -> None:
    world.settle()
    before = noted(world)
    house = world.reopen()
    assert house.cosigned_size() == house.sequencer.head.size
    world.settle()
    world.settle()
    assert noted(world)[: len(before)] == before
    assert len(noted(world)) - len(before) <= 1


def test_each_record_is_a_whole_leaf_that_anybody_reads(world: World) -> None:
    for record in world.records(ACT):
        assert Leaf.parse(record.data).clear["note"]
