"""A house at work with its real worker: it beats, quiet or not; and what was a gap is told as what it was."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest

from watchglass.acts.heartbeat import ROLE
from watchglass.bootstrap import SystemClock
from watchglass.core.digest import b64
from watchglass.core.time import SECOND
from watchglass.demo import STREET
from watchglass.ledger.keys import VerifierKey
from watchglass.records.leaf import Leaf
from watchglass.records.statement import verify_leaf
from world import Record, World, make_house

T = TypeVar("T")
EVERY = 5
FAST = ("heartbeat_every: 10s", f"heartbeat_every: {EVERY}s")


def wait_for(enough: Callable[[], T], seconds: float = 120) -> T:
    """What ``enough`` gives once it gives something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := enough():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen")


@pytest.fixture
def street(tmp_path: Path) -> Iterator[World]:
    with make_house(tmp_path, clock=SystemClock(), media=Path(str(STREET)), edits=(FAST,)) as world:
        yield world


def beats(world: World) -> list[Record]:
    return world.records("heartbeat")


def spans(world: World) -> list[tuple[int, int]]:
    return [(each.leaf.clear["from_s"], each.leaf.clear["to_s"]) for each in beats(world)]


def check_chain(world: World) -> None:
    """Every beat by a key that was named for its run before it, each naming the one before."""
    named: dict[str, Leaf] = {}
    last: Record | None = None
    for record in world.records():
        if record.leaf.act == "recorder_named":
            named[record.leaf.clear["vkey"]] = record.leaf
        if record.leaf.act != "heartbeat":
            continue
        signature = record.leaf.signature
        assert signature is not None
        assert named[signature.vkey].clear["run"] == record.leaf.clear["run"]
        assert named[signature.vkey].charter == record.leaf.charter
        key = VerifierKey.parse(signature.vkey)
        verify_leaf(record.leaf, origin=world.house.origin, keys={ROLE: (key,)})
        assert record.leaf.clear["sequence"] == (last.leaf.clear["sequence"] + 1 if last else 0)
        assert record.leaf.clear["previous"] == (b64(last.hash) if last else None)
        last = record


def gaps(world: World) -> list[int]:
    return [later[0] - earlier[1] for earlier, later in pairwise(spans(world))]


def states(world: World) -> list[Any]:
    return [row["state"] for row in world.house.store.read().all("SELECT state FROM watched ORDER BY id")]


@pytest.mark.slow
def test_a_day_in_the_life_of_a_recorder(street: World) -> None:
    works = street.house.start()
    wait_for(lambda: len(beats(street)) >= 3)
    first = beats(street)
    assert set(gaps(street)) == {0}
    assert all(end - start == EVERY for start, end in spans(street)[1:])
    assert all(end % EVERY == 0 for _, end in spans(street))
    lived = first[2]
    assert 0 < lived.leaf.clear["received"] <= 20 * EVERY
    assert "on-the-lawn" in lived.leaf.clear["running"]
    assert list(lived.leaf.clear["models"]) == ["nanodet-416-int8"]

    # suspended: it goes on beating, and says that nothing ran
    street.suspend()
    wait_for(lambda: [each for each in beats(street) if not each.leaf.clear["running"]])
    idle = next(each for each in beats(street) if not each.leaf.clear["running"])
    assert idle.leaf.clear["received"] == 0
    assert set(gaps(street)) == {0}

    # killed: another process, another key, the same chain; the time between is a gap, and stays one
    (each,) = works.crew.workers
    assert each.process.pid is not None
    os.kill(each.process.pid, signal.SIGKILL)
    wait_for(lambda: len(street.records("recorder_named")) == 2)
    wait_for(lambda: len({str(record.leaf.actor) for record in beats(street)}) == 2)
    assert len([gap for gap in gaps(street) if gap]) == 1

    # stopped as its operators ask: the last beat is shorter, comes before the record of the stop, and leaves no gap
    street.house.halt()
    acts = [record.leaf.act for record in street.records() if record.leaf.act in {"heartbeat", "run_stopped"}]
    assert acts[-1] == "run_stopped"
    stopped = SystemClock().now() // SECOND
    assert stopped - spans(street)[-1][1] < EVERY + 10
    assert sum(record.fields["alerts"] for record in beats(street)) == len(
        [record for record in street.records("alert_raised") if record.fields["why"] != _MOURNED]
    )
    assert states(street)[0] == "seen"
    assert "idle" in states(street)
    check_chain(street)


_MOURNED = "The process that looks at this source ended by itself; it is being started again."


@pytest.mark.slow
def test_a_camera_that_is_gone_is_a_beat_with_no_picture(street: World) -> None:
    (street.layout.media / "street.mp4").unlink()
    street.house.start()
    wait_for(lambda: len(beats(street)) >= 2)
    street.house.halt()
    assert {record.leaf.clear["received"] for record in beats(street)} == {0}
    assert set(states(street)) == {"blind"}
    check_chain(street)


@pytest.mark.slow
def test_a_worker_that_hangs_gives_no_beat_and_goes_on_when_it_is_back(street: World) -> None:
    works = street.house.start()
    wait_for(lambda: len(beats(street)) >= 2)
    (each,) = works.crew.workers
    assert each.process.pid is not None
    os.kill(each.process.pid, signal.SIGSTOP)
    try:
        had = len(beats(street))
        time.sleep(3 * EVERY)
        assert len(beats(street)) <= had + 1
    finally:
        os.kill(each.process.pid, signal.SIGCONT)
    wait_for(lambda: len(beats(street)) >= had + 3)
    street.house.halt()
    assert max(gaps(street)) >= 3 * EVERY - EVERY - 2
    assert len({record.leaf.actor for record in beats(street)}) == 1
    check_chain(street)


@pytest.mark.slow
def test_other_rules_begin_another_run_with_another_key_and_the_chain_goes_on(street: World) -> None:
    street.house.start()
    wait_for(lambda: len(beats(street)) >= 2)
    street.publish(street.edited())
    wait_for(lambda: len({record.leaf.clear["run"] for record in beats(street)}) == 2)
    wait_for(lambda: len(beats(street)) >= 4)
    street.house.halt()
    runs = street.house.store.read().all("SELECT cause FROM run ORDER BY started_ms")
    assert [row["cause"] for row in runs] == ["charter_ended", "asked"]
    assert len(street.records("recorder_named")) == 2
    check_chain(street)


@pytest.mark.slow
def test_a_charter_without_heartbeats_names_no_recorder(tmp_path: Path) -> None:
    with make_house(
        tmp_path, clock=SystemClock(), media=Path(str(STREET)), edits=((", heartbeat_every: 10s", ""),)
    ) as world:
        world.house.start()
        line = wait_for(lambda: world.house.live.health().get("street"))
        assert line.fault is None
        world.house.halt()
        assert world.records("recorder_named") == []
        assert beats(world) == []
