"""``never_see`` areas: black before anything looks at the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray

Plane = NDArray[np.uint8]

_FEWEST_CORNERS: Final = 3
_MARGIN: Final = 2


def blackout_mask(polygons: Sequence[Sequence[tuple[float, float]]], size: tuple[int, int]) -> BoolArray:
    """Which pixels may never be seen.

    The mask is grown by two pixels and covers whole 2 by 2 cells, so that no colour of the area is left in a
    half-resolution plane.

    Args:
        polygons: corners (x, y) in pixels.
        size: (width, height) of the picture.

    Returns:
        (height, width), true where the picture must be black.

    Raises:
        ValueError: a polygon with fewer than three corners.
    """
    width, height = size
    mask: Plane = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        if len(polygon) < _FEWEST_CORNERS:
            raise ValueError("an area that may never be seen needs at least three corners")
        corners = np.asarray(polygon, np.float64).round().astype(np.int32)
        cv2.fillPoly(mask, [corners.reshape(-1, 1, 2)], 1)
    if len(polygons):
        grown = cv2.dilate(mask, np.ones((2 * _MARGIN + 1, 2 * _MARGIN + 1), np.uint8))
        cells = _halved(grown.astype(bool))
        mask = cells.repeat(2, axis=0).repeat(2, axis=1)[:height, :width].astype(np.uint8)
    return mask.astype(bool)


def black_out_bgr(bgr: Plane, mask: BoolArray) -> None:
    """Paint the masked pixels of ``bgr`` (h, w, 3) black, in place."""
    bgr[mask] = 0


def black_out_yuv(y: Plane, u: Plane, v: Plane, mask: BoolArray) -> None:
    """Paint the masked pixels of 4:2:0 planes black, in place.

    Args:
        y: (h, w) luma, limited range (black is 16).
        u: ((h+1)//2, (w+1)//2), no colour is 128.
        v: as ``u``.
        mask: (h, w) from ``blackout_mask``.
    """
    y[mask] = 16
    half = _halved(mask)
    u[half] = 128
    v[half] = 128


def _halved(mask: BoolArray) -> BoolArray:
    """(h, w) to ((h+1)//2, (w+1)//2): true where any pixel of the 2 by 2 cell is."""
    height, width = mask.shape
    padded = np.zeros((height + height % 2, width + width % 2), bool)
    padded[:height, :width] = mask
    return padded[0::2, 0::2] | padded[1::2, 0::2] | padded[0::2, 1::2] | padded[1::2, 1::2]
