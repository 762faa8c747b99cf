"""Health lines become minutes, minutes become days, and nothing is counted twice."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from watchglass.acts.source_history import history
from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.perception.messages import Health
from watchglass.perception.ports import Packet
from watchglass.runtime.measure import Measure
from watchglass.runtime.meter import Meter
from world import NOON, World

FIRST = Health("street", NOON, 10.0, 0.5, 10, 4, 1, (), cpu_seconds=0.2, decode_seconds=0.1, detect_seconds=0.04)


def line(seconds: float, **more: Any) -> Health:
    """The line so many seconds after the first, at a steady pace."""
    n = 1 + round(seconds)
    counted = replace(
        FIRST,
        at_ms=NOON + round(seconds * 1000),
        frames=10 * n,
        decoded=4 * n,
        inferences=n,
        cpu_seconds=0.2 * n,
        decode_seconds=0.1 * n,
        detect_seconds=0.04 * n,
    )
    return replace(counted, **more)


@pytest.fixture
def measure(world: World) -> Measure:
    world.clock.advance(max(0, NOON - world.clock.now()))
    return Measure(world.house.store, world.clock, cores=4)


def rows(world: World, table: str = "source_minute") -> list[Any]:
    return list(world.house.store.read().all(f"SELECT * FROM {table} ORDER BY 1, 2"))


def test_a_minute_holds_what_it_added(world: World, measure: Measure) -> None:
    for second in range(125):
        measure.take(line(second))
    measure.keep()
    first, second = rows(world)
    assert (first["at_ms"], second["at_ms"]) == (NOON, NOON + MINUTE)
    assert first["heard_ms"] == second["heard_ms"] == 60_000
    assert (first["frames"], first["decoded"], first["inferences"]) == (600, 240, 60)
    assert (first["cpu_ms"], first["decode_ms"], first["detect_ms"]) == (12_000, 6_000, 2_400)
    assert (first["fps"], first["open_share"], first["cores"]) == (10.0, 0.5, 4)
    assert first["fault_ms"] == 0
    measure.close()
    assert len(rows(world)) == 3, "what has begun is kept when the house stops"


def test_lines_that_come_late_stand_for_longer(world: World, measure: Measure) -> None:
    for second in range(0, 60, 2):
        measure.take(line(second, fault="frozen" if second >= 30 else None))
    measure.close()
    (minute,) = rows(world)
    assert minute["heard_ms"] == 59_000, "the first line stands for a second, the others for two"
    assert minute["fault_ms"] == 30_000


def test_a_silence_is_not_heard(world: World, measure: Measure) -> None:
    measure.take(line(0))
    measure.take(line(50))
    measure.close()
    (minute,) = rows(world)
    assert minute["heard_ms"] == 2_000


def test_a_worker_that_begins_anew_counts_from_nothing(world: World, measure: Measure) -> None:
    measure.take(line(100, at_ms=NOON, dropped={"late_ms": 70}))
    measure.take(line(0, at_ms=NOON + 1000, dropped={"late_ms": 5}))
    measure.close()
    (minute,) = rows(world)
    assert minute["frames"] == 1010 + 10
    assert json.loads(minute["dropped"]) == {"late_ms": 75}
    assert minute["cpu_ms"] == 20_200 + 200


def test_a_minute_cut_by_a_restart_is_one_minute(world: World, measure: Measure) -> None:
    measure.take(line(0))
    measure.close()
    again = Measure(world.house.store, world.clock, cores=4)
    again.take(line(0, at_ms=NOON + 30_000, fps_in=20.0, dropped={"clips": 1}))
    again.close()
    (minute,) = rows(world)
    assert minute["heard_ms"] == 2_000
    assert minute["fps"] == 15.0
    assert minute["frames"] == 20


def test_after_a_day_minutes_become_days_and_nothing_is_lost(world: World, measure: Measure) -> None:
    for second in range(60):
        measure.take(line(second))
    world.clock.advance(2 * MINUTE)
    measure.keep()
    assert len(rows(world)) == 1
    world.clock.advance(DAY + HOUR)
    measure.keep()
    assert rows(world) == []
    (day,) = rows(world, "source_day")
    assert (day["day_ms"], day["heard_ms"], day["frames"], day["cpu_ms"]) == (NOON - NOON % DAY, 60_000, 600, 12_000)
    world.clock.advance(100 * DAY)
    measure.keep()
    assert rows(world, "source_day") == []


def test_what_cannot_be_kept_now_is_kept_later(world: World, measure: Measure) -> None:
    measure.take(line(0))
    world.clock.advance(2 * MINUTE)
    with world.locked():
        measure.keep()
    assert rows(world) == []
    measure.keep()
    (minute,) = rows(world)
    assert minute["frames"] == 10


def test_history_tells_missing_from_none(world: World, measure: Measure) -> None:
    for second in range(60):
        measure.take(line(second, dropped={"late_ms": second}))
    measure.close()
    past = history(world.house.store.read(), "street", NOON + 5 * MINUTE)
    heard = [step for step in past.steps if step.heard_s]
    assert len(past.steps) == 96
    assert len(past.hours) == 24
    (step,) = heard
    assert (step.at_ms, step.heard_s, step.fps, step.open_share, step.core_share) == (NOON, 60, 10.0, 0.5, 0.2)
    assert past.steps[0].fps is None, "missing is missing, not nought"
    assert past.hours[-1].frames == past.whole.frames == 600
    assert past.dropped == {"late_ms": 59}
    assert (past.decode_ms, past.detect_ms) == (25.0, 40.0)
    other = history(world.house.store.read(), "elsewhere", NOON)
    assert not any(step.heard_s for step in other.steps)
    assert (other.decode_ms, other.detect_ms) == (None, None)


# ---- the meter -----------------------------------------------------------------------------------------------------


class Ticks:
    """A processor's time that grows by a quarter of a second with each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.25
        return self.now


class Works:
    side = 416

    def decode(self, packet: Packet) -> tuple[str, Packet]:
        return ("decoded", packet)

    def alone(self, packet: Packet) -> tuple[str, Packet]:
        return ("alone", packet)

    def drain(self) -> tuple[str]:
        raise ValueError("damaged")

    def detect(self, bgr: object) -> tuple[str, object]:
        return ("detected", bgr)


def test_the_meter_counts_and_changes_nothing() -> None:
    meter, works = Meter(Ticks()), Works()
    decoder, detector = meter.decoder(works), meter.detector(works)  # type: ignore[arg-type]  # answers that tell who gave them
    packet = Packet(0, True, 1, None)
    assert decoder.decode(packet) == ("decoded", packet)
    assert decoder.alone(packet) == ("alone", packet)
    assert meter.decode_seconds == 0.5
    with pytest.raises(ValueError, match="damaged"):
        decoder.drain()
    assert meter.decode_seconds == 0.75, "what fails has cost its time too"
    assert meter.detect_seconds == 0.0
    assert detector.detect("picture") == ("detected", "picture")  # type: ignore[arg-type, comparison-overlap]
    assert (meter.detect_seconds, detector.side) == (0.25, 416)
