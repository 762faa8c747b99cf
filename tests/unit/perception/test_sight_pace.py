"""How often the detector looks: on average never more than its pace, closer together where something is new."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from watchglass.perception.observation import Detections
from watchglass.perception.ports import Image, sample_shape
from watchglass.perception.sight import DETECT_MS, HASTE_MS, SAVED, Sight

SIZE = (640, 480)
FRAME_MS = 40


@dataclass(frozen=True)
class Plain:
    """A grey picture with a bright thing in it."""

    at_ms: int
    x: int | None
    width: int = SIZE[0]
    height: int = SIZE[1]

    def luma(self) -> Image:
        sample = np.full(sample_shape(*SIZE), 90, np.uint8)
        if self.x is not None:
            sample[60:100, self.x // 3 : self.x // 3 + 14] = 200
        return sample

    def edges(self) -> Image:
        return self.luma()

    def small(self, side: int) -> Image:
        return np.full((side * SIZE[1] // SIZE[0], side, 3), 90, np.uint8)

    def part(self, x1: int, y1: int, x2: int, y2: int, side: int) -> Image:
        del x1, y1, x2, y2
        return self.small(side)

    def bgr(self) -> Image:
        return np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)


class Blind:
    side = 512

    def detect(self, bgr: Image) -> Detections:
        del bgr
        return Detections.none()


def looks(thing: dict[int, int], until_ms: int) -> list[int]:
    """When the detector looked, for a thing that is at ``thing[at_ms]``."""
    sight, result = Sight(SIZE, Blind()), []
    for at_ms in range(0, until_ms, FRAME_MS):
        picture = Plain(at_ms, thing.get(at_ms))
        sight.move(picture)
        if sight.detect(picture, is_open=True):
            result.append(at_ms)
    return result


def test_a_newcomer_is_looked_for_at_once_and_again_and_again() -> None:
    comes = 10_000
    walk = {at: 100 + (at - comes) // 20 for at in range(comes, comes + 4000, FRAME_MS)}
    after = [at for at in looks(walk, 14_000) if at >= comes]
    assert after[0] <= comes + HASTE_MS + 2 * FRAME_MS
    assert after[3] - after[0] < 3 * DETECT_MS


def test_on_average_it_never_looks_more_often_than_its_pace() -> None:
    walk = {at: 100 + at // 50 for at in range(0, 20_000, FRAME_MS)}
    times = looks(walk, 20_000)
    for first, last in itertools.combinations(range(len(times)), 2):
        assert last - first <= SAVED + (times[last] - times[first]) / DETECT_MS
    assert len(times) >= 0.8 * 20_000 / DETECT_MS


def test_where_nothing_moves_it_looks_once_a_second() -> None:
    assert np.diff(looks({}, 10_000)).min() >= 1000
