"""Holes are filled from beside them, and from nothing that is not known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from watchglass.views.filling import carried_on, nearest

GROUND, ROAD = 60, 200
HOLE = (slice(30, 40), slice(70, 80))


def street() -> np.ndarray:
    """Dark on the left, light on the right."""
    picture = np.full((96, 128, 3), GROUND, np.uint8)
    picture[:, 64:] = ROAD
    return picture


def known() -> np.ndarray:
    mask = np.ones((96, 128), bool)
    mask[HOLE] = False
    return mask


@pytest.mark.parametrize("there", [0, 17, 255])
@pytest.mark.parametrize("fill", [carried_on, nearest])
def test_nothing_that_is_not_known_is_in_it(there: int, fill: Callable[..., np.ndarray]) -> None:
    picture = street()
    picture[HOLE] = there
    assert np.array_equal(fill(picture, known()), fill(street(), known()))


def test_a_hole_is_like_what_is_beside_it_and_not_like_what_is_farther_away() -> None:
    filled = carried_on(street(), known())[HOLE].astype(int)
    assert (filled >= ROAD - 25).all()


def test_what_is_known_stays_as_it_is() -> None:
    assert np.array_equal(carried_on(street(), known())[known()], street()[known()])


def test_all_is_covered_from_a_single_pixel_and_nothing_from_none() -> None:
    mask = np.zeros((96, 128), bool)
    assert not carried_on(street(), mask).any()
    mask[3, 100] = True
    assert (carried_on(street(), mask) == ROAD).all()


def test_between_dark_and_light_the_nearest_makes_no_shade() -> None:
    mask = known()
    mask[20:50, 50:80] = False
    assert set(np.unique(nearest(street(), mask))) == {GROUND, ROAD}
    assert np.array_equal(nearest(street(), mask)[mask], street()[mask])
    assert not nearest(street(), np.zeros((96, 128), bool)).any()
