from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.core.errors import BadInput
from watchglass.core.geometry import Polygon, feet, iou

SQUARE = Polygon(((0, 0), (10, 0), (10, 10), (0, 10)))


def test_area_does_not_depend_on_the_direction() -> None:
    assert SQUARE.area == Polygon(SQUARE.corners[::-1]).area == 100


@pytest.mark.parametrize("corners", [((0, 0), (1, 1)), ((0, 0), (5, 5), (9, 9)), ((0, 0), (0, 0), (0, 0))])
def test_what_is_no_polygon(corners: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(BadInput):
        Polygon(corners)


def test_a_hollow_is_outside() -> None:
    horseshoe = Polygon(((0, 0), (10, 0), (10, 10), (7, 10), (7, 3), (3, 3), (3, 10), (0, 10)))
    points = np.array([[5, 6], [1, 6], [9, 6], [5, 1], [11, 1]], dtype=np.float32)
    assert horseshoe.contains(points).tolist() == [False, True, True, True, False]
    assert horseshoe.contains(np.empty((0, 2), dtype=np.float32)).shape == (0,)


@given(st.lists(st.tuples(st.floats(-20, 20, width=32), st.floats(-20, 20, width=32)), min_size=1, max_size=20))
def test_a_square_contains_what_lies_between_its_sides(raw: list[tuple[float, float]]) -> None:
    points = np.array(raw, dtype=np.float32)
    strictly = ((points > 0) & (points < 10)).all(axis=1)
    beyond = ((points < 0) | (points > 10)).any(axis=1)
    inside = SQUARE.contains(points)
    assert inside[strictly].all()
    assert not inside[beyond].any()


def test_feet_and_overlap() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], dtype=np.float32)
    assert feet(boxes).tolist() == [[5, 10], [10, 10], [25, 30]]
    overlap = iou(boxes, boxes)
    assert np.allclose(np.diag(overlap), 1)
    assert overlap[0, 1] == pytest.approx(1 / 3)
    assert overlap[0, 2] == 0
    nothing = np.zeros((1, 4), dtype=np.float32)
    assert iou(nothing, nothing).tolist() == [[0]]
