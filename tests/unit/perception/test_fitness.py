"""How bright, how sharp, and how much of the zones is still where it was drawn."""

from __future__ import annotations

import pytest

from watchglass.perception.fitness import STALE_MS, Fitness, Shown
from watchglass.perception.health import Condition

ZONE = ((100.0, 100.0), (300.0, 100.0), (300.0, 200.0), (100.0, 200.0))


def looked(fitness: Fitness, condition: Condition | None = None, scene: str = "", at_ms: int = 0) -> Shown:
    fitness.look(at_ms, level=125.5, sharpness=0.75, black=16, condition=condition, scene=scene)
    return fitness.at(at_ms)


def moved(**by: float) -> Condition:
    return Condition("moved", 0, {"likeness": 0.3, **by})


def test_brightness_runs_from_black_to_white_whatever_codes_them() -> None:
    fitness = Fitness([], (640, 360))
    assert looked(fitness) == Shown(127.5, 0.75, 1.0, None)
    fitness.look(0, level=16, sharpness=None, black=16, condition=None, scene="infrared-2")
    assert fitness.at(0) == Shown(0.0, None, 1.0, True)
    fitness.look(0, level=235, sharpness=None, black=16, condition=None, scene="day")
    assert fitness.at(0) == Shown(255.0, None, 1.0, False)


def test_a_look_speaks_for_a_while_and_what_is_lost_says_nothing() -> None:
    fitness = Fitness([], (640, 360))
    looked(fitness, at_ms=1_000)
    assert fitness.at(1_000 + STALE_MS).brightness is not None
    assert fitness.at(1_001 + STALE_MS) == Shown()
    looked(fitness, at_ms=1_000)
    fitness.forget()
    assert fitness.at(1_000) == Shown()


def test_a_camera_that_was_moved_shows_less_of_a_zone_where_it_was_drawn() -> None:
    fitness = Fitness([ZONE], (640, 360))
    assert looked(fitness, moved(right_px=50, down_px=0)).zones == pytest.approx(0.75, abs=0.03)
    assert looked(fitness, moved(right_px=0, down_px=-100)).zones == pytest.approx(0.0, abs=0.03)
    assert looked(fitness, moved()).zones == 0.0  # the scene is not found again
    assert looked(fitness, Condition("black", 0)).zones == 0.0
    assert looked(fitness).zones == 1.0


def test_a_moved_view_that_is_taken_for_the_view_keeps_its_zones_wrong_until_it_is_confirmed_again() -> None:
    fitness = Fitness([ZONE], (640, 360))
    fitness.accept(moved(right_px=100, down_px=0))
    assert looked(fitness).zones == pytest.approx(0.5, abs=0.03)
    assert looked(fitness, moved(right_px=-100, down_px=0)).zones == pytest.approx(1.0, abs=0.03)
    assert looked(fitness, scene="day").zones == 1.0
