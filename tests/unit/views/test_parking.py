"""A vehicle that stands is part of the scene; one that leaves takes along what was learned of it."""

from __future__ import annotations

import numpy as np
import pytest

from watchglass.views.backdrop import BLOCK, BackdropLearner
from watchglass.views.parking import PARKED_MS, Parking

SIZE = (192, 128)
VAN = (64, 32, 128, 96)
BOX = np.array([VAN], np.float32)
NONE = np.zeros((0, 4), np.float32)
THERE = (slice(VAN[1], VAN[3]), slice(VAN[0], VAN[2]))
AROUND = (slice(16, 112), slice(48, 144))
"""As far as it is masked."""
WHITE, COAT = 220, 60
MIDDLE = (slice(BLOCK, 2 * BLOCK), slice(2 * BLOCK, 3 * BLOCK))
"""A block inside the vehicle."""


def picture(seed: int, *, van: bool, somebody: bool = False) -> np.ndarray:
    rng = np.random.default_rng(seed)
    result = 110 + np.random.default_rng(1).integers(-25, 25, (SIZE[1], SIZE[0], 1)) + rng.normal(0, 2, (128, 192, 3))
    if van:
        result[THERE] = WHITE + rng.normal(0, 2, result[THERE].shape)
    if somebody:
        result[MIDDLE] = COAT + rng.normal(0, 2, result[MIDDLE].shape)
    return result.round().clip(0, 255).astype(np.uint8)


class Street:
    """A learner, a clock, and a vehicle that may be there, may be found, and may have somebody before it."""

    def __init__(self) -> None:
        self.learner = BackdropLearner(*SIZE)
        self.second = 0

    def goes_on(
        self, seconds: int, *, van: bool, found: bool | None = None, somebody: bool = False, seen: bool = False
    ) -> None:
        beside = np.zeros((SIZE[1], SIZE[0]), bool)
        beside[MIDDLE] = somebody and seen
        for _ in range(seconds):
            finds = van if found is None else found
            masked = beside.copy()
            masked[AROUND] |= finds
            shown = picture(self.second, van=van, somebody=somebody)
            self.learner.look(self.second * 1000, shown, masked, BOX if finds else NONE, beside)
            self.second += 1

    @property
    def middle(self) -> float | None:
        """The level that is learned of the block inside the vehicle, if it is shown."""
        learned = self.learner.picture()
        return float(learned.bgr[MIDDLE].mean()) if learned.admitted[MIDDLE].all() else None


def test_a_vehicle_that_stands_is_part_of_the_scene_within_a_minute() -> None:
    street = Street()
    street.goes_on(60, van=True)
    assert street.middle == pytest.approx(WHITE, abs=3)
    assert street.learner.parked.tolist() == [list(VAN)], "and it is told, so that it is mosaicked"


def test_until_it_has_stood_for_twenty_seconds_it_masks_its_place() -> None:
    street = Street()
    street.goes_on(PARKED_MS // 1000, van=True)
    assert not len(street.learner.parked)
    street.goes_on(20, van=False)
    assert street.middle is None, "the hold of ten seconds"
    street.goes_on(15, van=False)
    assert street.middle == pytest.approx(110, abs=5), "the ground, as if the vehicle had never been there"


def test_where_one_has_left_the_ground_is_learned() -> None:
    street = Street()
    street.goes_on(50, van=True)
    street.goes_on(40, van=False)
    assert street.middle == pytest.approx(110, abs=5)
    assert not len(street.learner.parked)


def test_one_that_came_is_not_taken_for_part_of_the_scene() -> None:
    street = Street()
    street.goes_on(30, van=False)
    street.goes_on(120, van=True)
    assert not len(street.learner.parked)
    assert street.middle == pytest.approx(110, abs=5), "it masks its place, and the ground stays known"


def test_one_that_is_missed_now_and_then_has_not_left() -> None:
    street = Street()
    for _ in range(15):
        street.goes_on(3, van=True)
        street.goes_on(2, van=True, found=False)
    assert street.middle == pytest.approx(WHITE, abs=3)
    assert len(street.learner.parked) == 1


def test_somebody_before_it_whom_nobody_detects_came() -> None:
    street = Street()
    street.goes_on(60, van=True)
    street.goes_on(600, van=True, somebody=True)
    assert street.middle is None


def test_somebody_before_it_who_is_detected_is_masked_as_anywhere() -> None:
    street = Street()
    street.goes_on(60, van=True)
    street.goes_on(60, van=True, somebody=True, seen=True)
    assert street.middle == pytest.approx(WHITE, abs=3)


def test_who_came_while_it_stood_does_not_get_in_when_it_leaves() -> None:
    street = Street()
    street.goes_on(60, van=True)
    street.goes_on(60, van=True, somebody=True)
    street.goes_on(300, van=False, somebody=True)
    assert not len(street.learner.parked)
    assert street.middle is None


def test_a_queue_that_creeps_is_no_parking() -> None:
    parking = Parking()
    for second in range(120):
        parking.see(second * 1000, BOX + np.float32(2 * second))
        assert not parking.undecided


def test_a_vehicle_in_front_of_one_that_is_parked_is_masked() -> None:
    parking = Parking()
    for second in range(30):
        parking.see(second * 1000, BOX)
        for spot in parking.undecided:
            spot.part = True
    other = BOX + np.array([30, 0, 30, 0], np.float32)
    parking.see(30_000, np.concatenate([BOX, other]))
    masked = np.ones((SIZE[1], SIZE[0]), bool)
    free = ~parking.masked(masked, np.zeros_like(masked))
    assert free[THERE][:, :5].all(), "left of what the other one's margin covers"
    assert not free[THERE][:, 30:].any()
