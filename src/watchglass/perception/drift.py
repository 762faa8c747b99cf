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
_SURELY_ALIKE: Final = 0.7
"""Further off than expected only what is very much alike is the same: somebody who begins to run."""

_FLAT: Final = 4.0
_NARROW, _SHORT = 5, 8


def soften(sample: Image) -> Image:
    """A luma sample (h, w), averaged over 3 x 3: what ``drift`` compares."""
    return cv2.blur(sample, (3, 3)).astype(np.uint8)


def drift(
    before: Image, now: Image, box: FloatArray, guess: FloatArray, stride: int, doubt: float = 0.0
) -> FloatArray | None:
    """By how many pixels what was in ``box`` has moved: (2,), or None where that cannot be told.

    Normalised cross-correlation around the guess, four samples each way or as far as the doubt reaches, and twice as
    far where nothing alike is there; refined by a parabola through the best three.

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
    if float(patch.std()) < _FLAT:
        return None
    reach = min(_FARTHEST, max(_REACH, round(doubt / stride)))
    for far, alike in ((reach, _ALIKE), (min(_FARTHEST, 2 * reach), _SURELY_ALIKE)):
        steps = _best(patch, now, (x1, y1), (right, down), far, alike)
        if steps is not None:
            return np.array(steps, np.float32) * np.float32(stride)
    return None


def _best(
    patch: Image, now: Image, at: tuple[int, int], guess: tuple[int, int], reach: int, least: float
) -> tuple[float, float] | None:
    """By how many samples a patch from ``at`` has moved, where that is within reach of the guess and alike enough."""
    rows, columns = patch.shape
    left, top = (max(0, a + g - reach) for a, g in zip(at, guess, strict=True))
    around = now[top : at[1] + rows + guess[1] + reach, left : at[0] + columns + guess[0] + reach]
    if around.shape[0] < rows + 2 or around.shape[1] < columns + 2:
        return None
    alike = cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED)
    y, x = divmod(int(alike.argmax()), alike.shape[1])
    if alike[y, x] < least or not (0 < x < alike.shape[1] - 1 and 0 < y < alike.shape[0] - 1):
        return None
    return (
        left + x - at[0] + _vertex(*alike[y, x - 1 : x + 2].tolist()),
        top + y - at[1] + _vertex(*alike[y - 1 : y + 2, x].tolist()),
    )


def _vertex(left: float, middle: float, right: float) -> float:
    """Where between -.5 and .5 the parabola through three values, the middle one the highest, has its top."""
    bend = left + right - 2 * middle
    return 0.5 * (left - right) / bend if bend < 0 else 0.0
