from __future__ import annotations

import pytest

from watchglass.charter.outline import lies_inside, simple_polygon
from watchglass.core.errors import BadInput
from watchglass.core.geometry import Polygon

SQUARE = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
HORSESHOE = ((0.0, 0.0), (30.0, 0.0), (30.0, 30.0), (20.0, 30.0), (20.0, 10.0), (10.0, 10.0), (10.0, 30.0), (0.0, 30.0))


@pytest.mark.parametrize("corners", [SQUARE, HORSESHOE, SQUARE[::-1]])
def test_simple_outlines_stand(corners) -> None:
    assert simple_polygon(corners).corners == corners


@pytest.mark.parametrize(
    "corners",
    [
        ((0.0, 0.0), (10.0, 10.0), (10.0, 0.0), (0.0, 30.0)),  # a bow tie
        (*SQUARE, (0.0, 0.0)),  # closed by hand
        ((0.0, 0.0), (10.0, 0.0), (5.0, 0.0), (5.0, 5.0)),  # turns back on itself
        ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (5.0, 0.0), (0.0, 10.0)),  # touches its own edge
    ],
)
def test_outlines_that_cross_or_touch_themselves_are_refused(corners) -> None:
    with pytest.raises(BadInput, match=r"crosses itself|same corner"):
        simple_polygon(corners)


def test_inside_means_surely_inside() -> None:
    big = Polygon(((-1.0, -1.0), (31.0, -1.0), (31.0, 31.0), (-1.0, 31.0)))
    assert lies_inside(Polygon(HORSESHOE), big)
    assert lies_inside(big, big)
    assert not lies_inside(big, Polygon(HORSESHOE))
    across = Polygon(((5.0, 15.0), (25.0, 15.0), (25.0, 20.0), (5.0, 20.0)))  # corners inside, middle outside
    assert not lies_inside(across, Polygon(HORSESHOE))
