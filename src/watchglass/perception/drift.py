"""How far something moved between two pictures shortly after each other: block matching on strided luma.

This measures motion, as a motion vector does; the samples are those of the last two pictures, and nothing of what a
thing looks like is kept.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from watchglass.core.geometry import FloatArray
from watchglass.perception.ports import Image

LONGEST_MS: Final = 600
"""Pictures further apart are not compared: too much may lie between them."""

_REACH: Final = 4
_FARTHEST: Final = 16
_ALIKE: Final = 0.5
_FLAT: Final = 4.0
_NARROW, _SHORT = 5, 8


def soften(sample: Image) -> Image:
    """A luma sample (h, w), averaged over 3 x 3: what ``drift`` compares."""
    return cv2.blur(sample, (3, 3)).astype(np.uint8)


def drift(
    before: Image, now: Image, box: FloatArray, guess: FloatArray, stride: int, doubt: float = 0.0
) -> FloatArray | None:
    """By how many pixels what was in ``box`` has moved: (2,), or None where that cannot be told.

    Normalised cross-correlation around the guess, four samples each way or as far as the doubt reaches, refined by a
    parabola through the best three.

    Args:
        before: softened luma (h, w).
        now: the same a moment later.
        box: (4,) where it was before, in pixels of the picture.
        guess: (2,) pixels by which it is expected to have moved.
        stride: pixels from one sample to the next.
        doubt: how many pixels the guess may well be wrong.
    """
    rows, columns = before.shape
    inner = (box[2:] - box[:2]) * np.float32(0.05)
    x1, y1 = (int(v) for v in np.rint((box[:2] + inner) / stride - 0.5).clip(0))
    x2, y2 = (int(v) for v in np.rint((box[2:] - inner) / stride - 0.5).clip(0))
    x2, y2 = min(x2, columns), min(y2, rows)
    if x2 - x1 < _NARROW or y2 - y1 < _SHORT:
        return None
    patch = before[y1:y2, x1:x2]
    right, down = (int(v) for v in np.rint(guess / stride))
    reach = min(_FARTHEST, max(_REACH, round(doubt / stride)))
    left, top = max(0, x1 + right - reach), max(0, y1 + down - reach)
    around = now[top : y2 + down + reach, left : x2 + right + reach]
    if around.shape[0] < y2 - y1 + 2 or around.shape[1] < x2 - x1 + 2 or float(patch.std()) < _FLAT:
        return None
    alike = cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED)
    y, x = divmod(int(alike.argmax()), alike.shape[1])
    if alike[y, x] < _ALIKE or not (0 < x < alike.shape[1] - 1 and 0 < y < alike.shape[0] - 1):
        return None
    steps = (
        left + x - x1 + _vertex(*alike[y, x - 1 : x + 2].tolist()),
        top + y - y1 + _vertex(*alike[y - 1 : y + 2, x].tolist()),
    )
    return np.array(steps, np.float32) * np.float32(stride)


def _vertex(left: float, middle: float, right: float) -> float:
    """Where between -.5 and .5 the parabola through three values, the middle one the highest, has its top."""
    bend = left + right - 2 * middle
    return 0.5 * (left - right) / bend if bend < 0 else 0.0
