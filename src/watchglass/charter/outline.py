"""Simple outlines: polygons that do not cross themselves, and whether one lies inside another."""

from __future__ import annotations

import numpy as np

from watchglass.core.errors import BadInput
from watchglass.core.geometry import Polygon

Point = tuple[float, float]

_FLAT = 1e-3
"""Points whose spread across is so small a part of their spread along lie on a line."""


def simple_polygon(corners: tuple[Point, ...]) -> Polygon:
    """The polygon with these corners; raises BadInput where its outline crosses itself."""
    polygon = Polygon(corners)
    check_simple(polygon)
    return polygon


def straight_line(ends: tuple[Point, ...]) -> tuple[Point, Point]:
    """The line with these ends; raises BadInput where it has no length."""
    first, second = ends
    if max(abs(first[0] - second[0]), abs(first[1] - second[1])) < 1:
        raise BadInput("This line has no length.", fix="Let its two ends be different points.")
    return first, second


def flat(points: list[Point]) -> bool:
    """Whether points lie on one line or in one place, so that no plane can be made from them."""
    centred = np.asarray(points, dtype=np.float64) - np.mean(points, axis=0)
    spread = np.linalg.svd(centred, compute_uv=False)
    return bool(spread[-1] <= _FLAT * max(float(spread[0]), 1e-9))


def check_simple(polygon: Polygon) -> None:
    """Refuse an outline that crosses itself: what is inside it would be a guess."""
    corners = polygon.corners
    n = len(corners)
    if len(set(corners)) != n:
        raise BadInput("This polygon has the same corner twice.", fix="Name each corner once; it closes by itself.")
    for i in range(n):
        for j in range(i + 1, n):
            if j == i + 1 or (i == 0 and j == n - 1):
                continue
            if _cross(corners[i], corners[(i + 1) % n], corners[j], corners[(j + 1) % n]):
                raise BadInput("The outline of this polygon crosses itself.", fix="Name its corners going round once.")


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _within(a: Point, b: Point, c: Point) -> bool:
    return min(a[0], b[0]) <= c[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= c[1] <= max(a[1], b[1])


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the segments a-b and c-d share a point."""
    one, two, three, four = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if one * two < 0 and three * four < 0:
        return True
    return (
        (one == 0 and _within(a, b, c))
        or (two == 0 and _within(a, b, d))
        or (three == 0 and _within(c, d, a))
        or (four == 0 and _within(c, d, b))
    )


def lies_inside(inner: Polygon, outer: Polygon) -> bool:
    """Whether ``inner`` surely lies inside ``outer``; in doubt (touching outlines) it does not."""
    if inner == outer:
        return True
    points = np.asarray(inner.corners, dtype=np.float32)
    if not bool(outer.contains(points).all()):
        return False
    return not any(_cross(*a, *b) for a in _edges(inner) for b in _edges(outer))


def _edges(polygon: Polygon) -> list[tuple[Point, Point]]:
    corners = polygon.corners
    return list(zip(corners, (*corners[1:], corners[0]), strict=True))
