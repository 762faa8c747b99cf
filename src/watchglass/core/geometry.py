"""Polygons and boxes in a source's picture, in pixels, x to the right and y down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchglass.core.errors import BadInput

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

_FEWEST_CORNERS = 3


@dataclass(frozen=True, slots=True)
class Polygon:
    """A simple closed polygon; ``corners`` are (x, y) pixels."""

    corners: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if len(self.corners) < _FEWEST_CORNERS:
            raise BadInput("A polygon needs at least three corners.", fix="Add the missing corners as [x, y].")
        if abs(self.area) < 1.0:
            raise BadInput("This polygon has no area.", fix="Check the order and the values of its corners.")

    @property
    def area(self) -> float:
        """Area in square pixels (shoelace formula)."""
        points = np.asarray(self.corners, dtype=np.float64)
        x, y = points[:, 0], points[:, 1]
        return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)

    def contains(self, points: FloatArray) -> BoolArray:
        """Which of ``points`` (shape (n, 2), pixels) lie inside (even-odd rule): shape (n,)."""
        inside = np.zeros(len(points), dtype=bool)
        if not len(points):
            return inside
        x, y = points[:, 0], points[:, 1]
        previous_x, previous_y = self.corners[-1]
        for corner_x, corner_y in self.corners:
            crosses = (corner_y > y) != (previous_y > y)
            if crosses.any():
                at = (previous_x - corner_x) * (y - corner_y) / ((previous_y - corner_y) or 1.0) + corner_x
                inside ^= crosses & (x < at)
            previous_x, previous_y = corner_x, corner_y
        return inside


def feet(boxes: FloatArray) -> FloatArray:
    """Where each box (x1, y1, x2, y2; shape (n, 4)) stands on the ground: the middle of its lower edge (n, 2)."""
    return np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1).astype(np.float32)


def iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """Intersection over union of every box in ``a`` (n, 4) with every box in ``b`` (m, 4): shape (n, m)."""
    left_top = np.maximum(a[:, None, :2], b[None, :, :2])
    right_bottom = np.minimum(a[:, None, 2:], b[None, :, 2:])
    size = np.clip(right_bottom - left_top, 0, None)
    common = size[..., 0] * size[..., 1]
    area_a = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    union = area_a[:, None] + area_b[None, :] - common
    overlap: FloatArray = (common / np.maximum(union, np.float32(1e-9))).astype(np.float32)
    return overlap
