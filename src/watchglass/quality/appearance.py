"""Strata that are measured in a picture, where nobody annotated them: size, brightness, contrast, occlusion, crowding.

All are about what the camera shows. The cuts are round numbers set beforehand, not fitted to any set: COCO's sides of
32 and 96 pixels for size, thirds of the scale for brightness, and the shares of the Caltech pedestrian benchmark for
occlusion (Dollár, Wojek, Schiele and Perona, "Pedestrian detection: an evaluation of the state of the art", PAMI 34
(2012), 743-761).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import FloatArray

Luma = NDArray[np.uint8]
"""(h, w), 0 black to 255 white."""

SMALL: Final = 32.0
LARGE: Final = 96.0
DARK: Final = 85.0
BRIGHT: Final = 170.0
FAINT: Final = 16.0
CLEAR: Final = 48.0
FLAT: Final = 32.0
STARK: Final = 64.0
TOUCHED: Final = 0.01
HEAVY: Final = 0.35
MANY: Final = 5

ORDER: Final = {
    "size": ("small", "medium", "large"),
    "brightness": ("dark", "middle", "bright"),
    "contrast": ("low", "middle", "high"),
    "occlusion": ("none", "partial", "heavy"),
    "crowding": ("none", "a few", "many"),
}
"""The groups of each measured stratum, as tables show them."""

MEANT: Final = {
    "size": f"square root of the box's area in pixels of what the detector is given: below {SMALL:.0f}, up to "
    f"{LARGE:.0f}, above",
    "brightness": f"mean luma of the thing (false boxes: of the picture), 0 to 255: below {DARK:.0f}, up to "
    f"{BRIGHT:.0f}, above",
    "contrast": f"how far the thing's mean luma is from that around it: below {FAINT:.0f}, up to {CLEAR:.0f}, above "
    f"(false boxes: standard deviation of the picture's luma: below {FLAT:.0f}, up to {STARK:.0f}, above)",
    "occlusion": f"share of the box that other labelled boxes cover, in front or behind, or that is annotated "
    f"as hidden: up to {TOUCHED:.0%}, up to {HEAVY:.0%}, above",
    "crowding": f"labelled things of the kind in the picture: none, fewer than {MANY}, {MANY} and more",
}

_GRID: Final = 16
_AROUND: Final = 0.25
_MOST_SAMPLES: Final = 200


def side(corners: tuple[float, float, float, float], scale: float) -> float:
    """The square root of a box's area, in pixels of a picture that is ``scale`` times as large."""
    return math.sqrt(max(0.0, corners[2] - corners[0]) * max(0.0, corners[3] - corners[1])) * scale


def size_of(length: float) -> str:
    return "small" if length < SMALL else "medium" if length <= LARGE else "large"


def brightness_of(mean: float) -> str:
    return "dark" if mean < DARK else "middle" if mean <= BRIGHT else "bright"


def contrast_of(difference: float) -> str:
    """Of a thing against what is around it."""
    return "low" if difference < FAINT else "middle" if difference <= CLEAR else "high"


def starkness_of(deviation: float) -> str:
    """The contrast of a whole picture."""
    return "low" if deviation < FLAT else "middle" if deviation <= STARK else "high"


def occlusion_of(hidden: float) -> str:
    return "none" if hidden <= TOUCHED else "partial" if hidden <= HEAVY else "heavy"


def crowding_of(count: int) -> str:
    return "none" if not count else "a few" if count < MANY else "many"


def of_picture(luma: Luma) -> dict[str, str]:
    """Brightness and contrast of a whole picture."""
    step = max(1, max(luma.shape) // (4 * _MOST_SAMPLES))
    sample = luma[::step, ::step]
    return {"brightness": brightness_of(float(sample.mean())), "contrast": starkness_of(float(sample.std()))}


def of_thing(luma: Luma, corners: tuple[float, float, float, float]) -> dict[str, str]:
    """Brightness and contrast of one thing.

    Args:
        luma: of the whole picture.
        corners: x1, y1, x2, y2 within it.
    """
    rows, columns = luma.shape
    x1, y1, x2, y2 = corners
    inside = (max(0, int(x1)), max(0, int(y1)), min(columns, math.ceil(x2)), min(rows, math.ceil(y2)))
    wide, high = (x2 - x1) * _AROUND, (y2 - y1) * _AROUND
    outside = (
        max(0, int(x1 - wide)), max(0, int(y1 - high)),
        min(columns, math.ceil(x2 + wide)), min(rows, math.ceil(y2 + high)),
    )  # fmt: skip
    total, pixels = _sum(luma, inside)
    all_total, all_pixels = _sum(luma, outside)
    if not pixels:
        return {}
    mean = total / pixels
    result = {"brightness": brightness_of(mean)}
    if all_pixels > pixels:
        result["contrast"] = contrast_of(abs(mean - (all_total - total) / (all_pixels - pixels)))
    return result


def _sum(luma: Luma, window: tuple[int, int, int, int]) -> tuple[float, int]:
    part = luma[window[1] : window[3], window[0] : window[2]]
    return float(part.sum(dtype=np.float64)), int(part.size)


def hidden(boxes: FloatArray) -> FloatArray:
    """The share of each box (n, 4) that other boxes cover, from a grid of 16 by 16 points in it: shape (n,).

    Boxes do not say who is in front; so a thing counts as partly hidden by what stands behind it too.
    """
    if not len(boxes):
        return np.zeros(0, np.float32)
    steps = (np.arange(_GRID, dtype=np.float32) + 0.5) / _GRID
    covered = np.zeros(len(boxes), np.float32)
    for i, (x1, y1, x2, y2) in enumerate(boxes):
        others = np.delete(boxes, i, axis=0)
        x, y = x1 + steps * (x2 - x1), y1 + steps * (y2 - y1)
        across = (x[None, :] >= others[:, None, 0]) & (x[None, :] < others[:, None, 2])
        down = (y[None, :] >= others[:, None, 1]) & (y[None, :] < others[:, None, 3])
        covered[i] = (across[:, None, :] & down[:, :, None]).any(axis=0).mean() if len(others) else 0.0
    return covered
