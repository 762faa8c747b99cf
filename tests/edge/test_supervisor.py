"""A house at work with its real worker process on the shipped street: what stops it, and what does not."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from watchglass.bootstrap import SystemClock
from watchglass.charter.decide import LEASE_MS, in_force
from watchglass.charter.permit import LookAt
from watchglass.core.errors import Refused
from watchglass.demo import STREET
from watchglass.runtime.supervisor import Supervisor
from world import World, make_house

T = TypeVar("T")
LAWN = "on-the-lawn"
EVERY = frozenset({LAWN, "gathering", "entrance-only", "in-the-bays", "camera"})


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
    with make_house(tmp_path, clock=SystemClock(), media=Path(str(STREET))) as world:
        yield world


def running(world: World) -> frozenset[str]:
    line = world.house.live.health().get("street")
    return frozenset(line.running) if line else frozenset()


def worker_pid(works: Supervisor) -> int:
    (each,) = works.crew.workers
    assert each.process.pid is not None
    return each.process.pid


@pytest.mark.slow
def test_suspended_resumed_killed_and_stopped(street: World) -> None:
    works = street.house.start()
    wait_for(lambda: running(street) == EVERY)
    assert street.house.live.size("street") == (768, 576)

    # one analytic is stopped, and the record says how soon; the others go on. That it is soon follows from leases.
    assert LEASE_MS < 2000
    order = street.suspend(LAWN)
    (obeyed,) = wait_for(lambda: street.records("suspension_obeyed"))
    assert obeyed.leaf.refs == (order,)
    assert running(street) == EVERY - {LAWN}

    # everything, likewise
    everything = street.suspend()
    obeyed = wait_for(lambda: street.records("suspension_obeyed")[1:])[0]
    assert obeyed.leaf.refs == (everything,)
    assert running(street) == frozenset()

    # it goes on only when the witness has cosigned that it may
    street.witnessed(watch=False)
    street.house.hand_in(street.lift(everything))
    street.house.hand_in(street.lift(order, LAWN))
    wait_for(lambda: all(told["lifted"] for told in street.house.describe()["suspensions"]))
    assert not any(told["resumed"] for told in street.house.describe()["suspensions"])
    assert running(street) == frozenset()
    street.witnessed()
    street.house.sequencer.nudge()
    wait_for(lambda: running(street) == EVERY)

    # a worker that is killed is started again; the camera was dark, and that is one alert
    killed = worker_pid(works)
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: worker_pid(works) != killed)
    wait_for(lambda: running(street) == EVERY)
    rows = street.house.store.read().all("SELECT facts, why FROM alert WHERE kind = 'camera_fault'")
    assert [row["facts"] for row in rows] == ['{"fault": "lost"}']

    # the same charter in its next version: the workers start anew, and the run's edges are in the log
    street.publish(street.edited())
    wait_for(lambda: len(street.records("run_started")) == 2)
    wait_for(lambda: running(street) == EVERY)
    wait_for(lambda: len(works.crew.workers) == 1)  # what runs may have been said by the one before
    last = worker_pid(works)
    street.house.halt()
    assert street.house.failure is None
    with pytest.raises(ProcessLookupError):
        os.kill(last, 0)
    assert [record.leaf.clear["cause"] for record in street.records("run_stopped")] == ["charter_ended", "asked"]


@pytest.mark.slow
def test_one_broken_source_among_good_ones(tmp_path: Path) -> None:
    with make_house(tmp_path, charter=False, clock=SystemClock(), media=Path(str(STREET))) as world:
        begin, end = world.text.index("  street:\n    kind: file"), world.text.index("analytics:\n")
        second = world.text[begin:end].replace("  street:\n", "  yard:\n", 1).replace("street.mp4", "yard.mp4")
        watching = "  yard-camera: {kind: camera_fault, source: yard, purpose: upkeep, for: 1s}\n"
        world.text = (
            world.text[:end].rstrip()
            + "\n"
            + second
            + world.text[end:].replace("analytics:\n", f"analytics:\n{watching}", 1)
        )
        (world.layout.media / "yard.mp4").write_bytes(b"no film at all" * 999)
        world.publish()
        world.open_accounts()
        world.house.start()
        wait_for(lambda: running(world) == EVERY)
        dark = wait_for(lambda: world.house.store.read().all("SELECT * FROM alert WHERE source = 'yard'"))
        assert {row["kind"] for row in dark} == {"camera_fault"}
        assert running(world) == EVERY
        told = world.house.live.health()["yard"]
        assert told.fault
        world.house.halt()
        assert len(world.records("alert_raised")) >= 1


class Calendar(SystemClock):
    """The time that it is, until somebody turns pages; the worker's own clock stays where it is."""

    def __init__(self) -> None:
        super().__init__()
        self.pages_ms = 0

    def now(self) -> int:
        return super().now() + self.pages_ms


@pytest.mark.slow
def test_when_the_charter_has_run_out_nothing_is_looked_at_any_more(tmp_path: Path) -> None:
    clock = Calendar()
    with make_house(tmp_path, clock=clock, media=Path(str(STREET))) as world:
        world.house.start()
        wait_for(lambda: running(world) == EVERY)
        charter = world.standing().charter
        assert charter is not None
        clock.pages_ms = in_force(charter)[1] - SystemClock().now()
        wait_for(lambda: running(world) == frozenset())
        seen = wait_for(lambda: world.house.live.health().get("street"))
        time.sleep(2.5)  # some lines of health later, not one picture more was decoded
        assert world.house.live.health()["street"].decoded == seen.decoded
        with pytest.raises(Refused, match="ran out"):
            world.permit(LookAt("street"))
