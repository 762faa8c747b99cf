"""How the light of now differs from the light of the backdrop, as a smooth field that cannot draw a silhouette.

The picture is cut into a few large tiles (4 by 3). Each gives one factor, the median over its usable pixels of
*now / then*; tiles without enough usable pixels take the median of the others. The field between the tiles' middles is
bilinear. A thing in front of the backdrop can move a median a little; it can never show its outline in twelve numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray, FloatArray

Image = NDArray[np.uint8]

TILES: Final = (3, 4)
"""Rows and columns of the field."""

_SAMPLES_ACROSS: Final = 192
_DARKEST, _BRIGHTEST = 12, 243
_FEWEST: Final = 48
_PART: Final = 60
"""A fifth of a tile: what is left of it beside a crowd is too little to tell the light by."""

LIMITS: Final = (0.35, 2.8)
UNIT: Final = 64
"""Factors leave the house in these parts of one."""

_STILL: Final = 0.015
_BEYOND: Final = 1 / 3


def even_light() -> FloatArray:
    """The field that changes nothing: ones, shape ``TILES``."""
    return np.ones(TILES, np.float32)


def light(then: Image, now: Image, usable: BoolArray | None = None) -> FloatArray:
    """The factors from ``then`` to ``now``.

    Args:
        then: (h, w, 3) BGR, the reference picture.
        now: (h, w, 3) BGR, the picture of now.
        usable: (h, w), where both show the same surfaces as far as is known; None for everywhere.

    Returns:
        ``TILES`` factors, each between 0.35 and 2.8; ones where nothing can be said.
    """
    step = sample_step(then.shape[1])
    sampled = None if usable is None else usable[::step, ::step]
    return light_of_samples(then[::step, ::step], now[::step, ::step], sampled)


def sample_step(width: int) -> int:
    """Every how many pixels ``light`` takes a sample of a picture of this width."""
    return max(1, width // _SAMPLES_ACROSS)


def light_of_samples(then: Image, now: Image, usable: BoolArray | None) -> FloatArray:
    """As ``light``, of pictures that are small already."""
    green_then = then[..., 1].astype(np.float32)
    green_now = now[..., 1].astype(np.float32)
    good = (green_then > _DARKEST) & (green_then < _BRIGHTEST) & (green_now > _DARKEST) & (green_now < _BRIGHTEST)
    if usable is not None:
        good &= usable
    return _field((green_now / np.maximum(green_then, 1.0)).astype(np.float32), good)


def light_of_luma(then: FloatArray, now: Image | FloatArray, usable: BoolArray, black: int) -> FloatArray:
    """As ``light``, of strided luma.

    Args:
        then: (h, w) of the reference, 0 is black and 255 white.
        now: (h, w) as the camera codes it.
        usable: (h, w).
        black: what codes black in ``now``: 16 (then 235 is white) or 0.
    """
    luma = now.astype(np.float32)
    if black:
        luma = (luma - np.float32(black)) * np.float32(255 / 219)
    good = usable & (then > _DARKEST) & (then < _BRIGHTEST) & (luma > _DARKEST) & (luma < _BRIGHTEST)
    return _field((luma / np.maximum(then, np.float32(1))).astype(np.float32), good, fewest=good.size // _PART)


def coarse(field: FloatArray) -> tuple[int, ...]:
    """The field in whole sixty-fourths, row by row: what leaves the house of it."""
    return tuple(int(factor) for factor in np.rint(field * UNIT).ravel())


def field_of(factors: Sequence[int]) -> FloatArray:
    """The field that ``coarse`` wrote; () is even light.

    Raises:
        ValueError: not as many numbers as a field has, or beyond what light does.
    """
    if not factors:
        return even_light()
    low, high = (limit * UNIT for limit in LIMITS)
    if len(factors) != TILES[0] * TILES[1] or not all(low - 1 <= factor <= high + 1 for factor in factors):
        raise ValueError(f"not a field of light: {factors}")
    return (np.asarray(factors, np.float32) / np.float32(UNIT)).reshape(TILES).astype(np.float32)


def _field(ratio: FloatArray, good: BoolArray, fewest: int = 0) -> FloatArray:
    """The median of ``ratio`` (h, w) in each tile over what is ``good``, where that is ``fewest`` or more."""
    rows, columns = TILES
    field = np.full(TILES, np.nan, np.float32)
    height, width = ratio.shape
    for row in range(rows):
        for column in range(columns):
            tile = (
                slice(row * height // rows, (row + 1) * height // rows),
                slice(column * width // columns, (column + 1) * width // columns),
            )
            values = ratio[tile][good[tile]]
            if len(values) >= max(_FEWEST, fewest):
                field[row, column] = _median(values)
    known = field[~np.isnan(field)]
    if not len(known):
        return even_light()
    field[np.isnan(field)] = _median(known)
    return np.clip(field, *LIMITS).astype(np.float32)


def _median(values: FloatArray) -> np.float32:
    """The upper one of two. A tenth of what ``numpy.median`` costs where there are few."""
    return np.float32(np.partition(values, len(values) // 2)[len(values) // 2])


def beyond(field: FloatArray) -> bool:
    """Whether a third of the field reaches a limit: a lamp went out, and what is left is hardly the same picture."""
    low, high = LIMITS
    return float(((field <= low) | (field >= high)).mean()) >= _BEYOND


def changes_anything(field: FloatArray) -> bool:
    """Whether the field differs from even light by more than noise."""
    return bool(np.abs(field - 1.0).max() > _STILL)


def relight(picture: Image, field: FloatArray) -> Image:
    """``picture`` (h, w, 3) under the light that ``field`` describes; the same array when nothing changes."""
    if not changes_anything(field):
        return picture
    if np.ptp(field) < _STILL:
        table = np.clip(np.arange(256) * float(field.mean()), 0, 255).round().astype(np.uint8)
        return cast("Image", cv2.LUT(picture, table))
    height, width = picture.shape[:2]
    smooth = cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR)
    factors = cv2.merge([smooth, smooth, smooth])
    return cast("Image", cv2.multiply(picture, factors, dtype=cv2.CV_8U))
