"""Where readable text may stand in a picture of the scene. Nothing is read: only how strokes lie side by side counts.

A stroke is a thin thing that is darker, or lighter, than the ground on both of its sides. Strokes of about one height,
of one colour on one ground, side by side, are a line that may be text. Eight measures of such a line, taken with its
slant turned out and its height made twelve pixels, then decide: how dense its strokes are, how empty it is above and
below, how often strokes and gaps alternate, whether edges go in more than one direction, and so on. Bricks and fences
differ in the directions, leaves in what is above and below them, windows in that they are no strokes.

It is biased towards finding: a line too many costs a patch of the empty scene. Lines may slant by up to fifty degrees;
text that runs up or down the picture, one or two letters alone, and letters smaller than about seven pixels or larger
than nearly half of the picture are not looked for. So this helps the operator who looks; it does not replace the look.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray, FloatArray

Image = NDArray[np.uint8]

_scalar_cv2: Any = cv2
"""OpenCV's type stubs do not know that its arithmetic takes plain numbers."""

_TALL: Final = 12.0
"""Letters are looked for at this height; the picture is scaled so that each height has its turn."""
_SMALLEST: Final = 8.0
_LARGEST: Final = 0.45
"""Of the picture's shorter side."""
_STEP: Final = 2**0.5
_THICKEST: Final = np.ones((9, 9), np.uint8)
_AROUND: Final = np.ones((15, 15), np.uint8)
_FAINTEST: Final = 8
"""Grey levels by which a stroke differs from its ground, at least."""
_HEIGHTS: Final = (6, 20)
_LINE_HEIGHTS: Final = (6.0, 24.0)
_WIDEST: Final = 64
_WORD: Final = 2.2
"""Strokes so many times wider than tall are a word whose letters touch."""
_FEWEST: Final = 3
"""Letters of a line."""
_LENGTHS: Final = (1.3, 30.0)
"""Times its height."""
_FULL: Final = 0.70
"""The share of its box that a letter fills, in the middle; windows fill more."""
_MARGIN: Final = 0.25
"""Of the height: what is added around a line."""


_WEIGHTS: Final = np.array(
    [
        (2.904, 0.808, 1.26, -0.40),
        (0.353, 0.104, 0.38, -0.13),
        (0.505, 0.397, -0.96, 0.18),
        (0.804, 0.476, 1.49, -0.59),
        (0.425, 0.466, -1.74, 0.03),
        (0.065, 0.106, -0.11, 0.26),
        (0.410, 0.202, -1.08, 0.54),
        (10.45, 4.170, 0.24, -0.02),
    ]
)
"""Of each of ``Measures``: its mean, its spread, and what it counts so evened out, by itself and squared.

From a logistic regression over 58,000 lines of strokes in 66 real pictures, of which 2,400 were text that we had
rendered into them: plates and signs in nine fonts, 8 to 80 pixels tall, slanted, blurred, faint and compressed.
"""
_BIAS: Final = -4.7
_MOST: Final = 3.0


class Measures(NamedTuple):
    """What tells a line of text from other lines of strokes.

    Attributes:
        contrast: logarithm of the grey levels between strokes and ground.
        density: the share of the line that is stroke.
        outside: the same right above and below it, as a share of that.
        alternations: from stroke to ground, in a row, on the length of a letter's height.
        directions: logarithm of how steep edges are downwards over how steep they are sideways.
        clumps: the share of the strokes that is thicker than strokes are.
        unevenness: how much the strokes' shade varies, as a share of the contrast.
        height: in pixels, about 12.
    """

    contrast: float
    density: float
    outside: float
    alternations: float
    directions: float
    clumps: float
    unevenness: float
    height: float


class _Line(NamedTuple):
    """A line that may be text, in pixels of the scaled picture: its middle, length, height and slant in radians."""

    x: float
    y: float
    length: float
    height: float
    slant: float


class _Letters(NamedTuple):
    """Strokes of a letter's size, from left to right; n of each."""

    x: NDArray[np.int32]
    y: NDArray[np.int32]
    width: NDArray[np.int32]
    height: NDArray[np.int32]
    filled: FloatArray
    ink: FloatArray
    ground: FloatArray


def lettering(bgr: Image) -> tuple[FloatArray, FloatArray]:
    """Where text may stand.

    Args:
        bgr: (h, w, 3) of a scene.

    Returns:
        Boxes (n, 4) in pixels, and (n,) how tall the letters in each are. Boxes may overlap; a line that is not
        level is told in pieces.
    """
    boxes: list[tuple[float, float, float, float]] = []
    heights: list[float] = []
    for scale in _scales(bgr.shape[0], bgr.shape[1]):
        for line in _lines(_scaled(bgr, scale)):
            for x1, y1, x2, y2 in _pieces(line):
                boxes.append((x1 / scale, y1 / scale, x2 / scale, y2 / scale))
                heights.append(line.height / scale)
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(heights, np.float32)


def illegible(bgr: Image) -> Image:
    """``bgr`` with whatever may be text averaged over squares that are taller than its letters."""
    return averaged(bgr, *lettering(bgr))


def averaged(bgr: Image, boxes: FloatArray, heights: FloatArray) -> Image:
    """``bgr`` with ``boxes`` (n, 4) averaged over squares that are taller than the letters (n,) in them."""
    result = bgr.copy()
    for number in np.argsort(heights, kind="stable"):  # a letter that holds smaller ones has the last word
        x1, y1, x2, y2 = boxes[number]
        part = (slice(max(0, int(y1)), max(0, int(np.ceil(y2)))), slice(max(0, int(x1)), max(0, int(np.ceil(x2)))))
        shown = bgr[part]
        if shown.size:
            height, width = shown.shape[:2]
            few = cv2.resize(shown, (max(1, round(width / height)), 1), interpolation=cv2.INTER_AREA)
            result[part] = cv2.resize(few, (width, height), interpolation=cv2.INTER_NEAREST)
    return result


def _scales(height: int, width: int) -> Iterator[float]:
    tall = _SMALLEST
    while tall <= min(height, width) * _LARGEST:
        yield _TALL / tall
        tall *= _STEP


def _scaled(bgr: Image, scale: float) -> Image:
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cast("Image", cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=how))


def _lines(picture: Image) -> Iterator[_Line]:
    """The lines of a scaled picture that look like text."""
    for closed in (True, False):
        ground = cv2.morphologyEx(picture, cv2.MORPH_CLOSE if closed else cv2.MORPH_OPEN, _THICKEST)
        strokes = _strokes(picture, cast("Image", ground))
        letters = _letters(picture, cast("Image", ground), strokes)
        for line in _rows(letters):
            measures = _measure(picture, strokes, line)
            if measures is not None and score(measures) > 0:
                yield line


def _strokes(picture: Image, ground: Image) -> Image:
    """What differs from its ground, by half as much as the strokes around it at least: 255, else 0."""
    blue, green, red = cv2.split(cv2.absdiff(picture, ground))
    depth = cv2.max(cv2.max(blue, green), red)
    strongest = _scalar_cv2.multiply(cv2.dilate(depth, _AROUND), 0.5)
    return cast("Image", cv2.compare(depth, cv2.max(strongest, np.full_like(depth, _FAINTEST)), cv2.CMP_GE))


def _letters(picture: Image, ground: Image, strokes: Image) -> _Letters:
    """Strokes as large as a letter of about twelve pixels, or as a short word whose letters touch."""
    count, labels, stats, middles = cv2.connectedComponentsWithStats(strokes, connectivity=8)
    x, y, width, height, area = stats.T
    larger = np.maximum(width, height)
    fits = (area >= _HEIGHTS[0] - 1) & (larger >= _HEIGHTS[0]) & (height <= _HEIGHTS[1]) & (larger <= _WIDEST)
    fits &= area < 0.92 * width * height + 3
    fits[0] = False
    chosen = np.flatnonzero(fits)
    chosen = chosen[np.argsort(x[chosen], kind="stable")]
    where = np.flatnonzero(strokes.ravel())
    owner = labels.ravel()[where]
    colours = picture.reshape(-1, 3)[where]
    ink = np.stack([np.bincount(owner, colours[:, channel], count) for channel in range(3)], axis=1)
    at = middles[chosen].round().astype(int)
    return _Letters(
        x[chosen],
        y[chosen],
        width[chosen],
        height[chosen],
        (area[chosen] / (width[chosen] * height[chosen])).astype(np.float32),
        (ink[chosen] / area[chosen, None]).astype(np.float32),
        ground[at[:, 1], at[:, 0]].astype(np.float32),
    )


def _rows(letters: _Letters) -> Iterator[_Line]:
    """Letters beside each other that are alike."""
    if not len(letters.x):
        return
    group = _joined(len(letters.x), *_neighbours(letters))
    order = np.argsort(group, kind="stable")
    order = order[_large_enough(letters, group)[order]]
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        line = _fitted(letters, members) if len(members) else None
        if line is not None:
            yield line


def _large_enough(letters: _Letters, group: NDArray[np.intp]) -> BoolArray:
    """Of each letter, whether its group has enough of them, or is a word whose letters touch."""
    count = np.bincount(group)
    width = np.bincount(group, letters.width)
    tallest = np.zeros(len(count))
    np.maximum.at(tallest, group, letters.height)
    enough: BoolArray = (count >= _FEWEST) | (width >= _WORD * tallest)
    return enough[group]


def _neighbours(letters: _Letters) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of letters that stand side by side, are of like height, and of one colour on one ground."""
    left, right = letters.x, letters.x + letters.width
    middle = letters.y + letters.height / 2
    contrast = np.abs(letters.ink - letters.ground).max(axis=1)
    first = np.arange(len(left))
    reach = np.maximum(np.searchsorted(left, right + _HEIGHTS[1], side="right") - first - 1, 0)
    one = first.repeat(reach)
    other = one + 1 + np.arange(len(one)) - (np.cumsum(reach) - reach).repeat(reach)
    taller = np.maximum(letters.height[one], letters.height[other])
    lower = np.minimum(letters.height[one], letters.height[other])
    gap = left[other] - right[one]
    alike = 0.4 * np.minimum(contrast[one], contrast[other]) + 6
    good = (gap <= taller) & (gap >= -0.5 * np.minimum(letters.width[one], letters.width[other]) - 1)
    good &= (np.abs(middle[one] - middle[other]) <= 0.6 * taller) & (taller <= 2.1 * lower)
    good &= np.abs(letters.ink[one] - letters.ink[other]).max(axis=1) <= alike
    good &= np.abs(letters.ground[one] - letters.ground[other]).max(axis=1) <= alike
    return one[good], other[good]


def _joined(count: int, one: NDArray[np.intp], other: NDArray[np.intp]) -> NDArray[np.intp]:
    """The number of the group of each of ``count`` things, of which pairs belong together."""
    group = np.arange(count)
    while True:
        least = np.minimum(group[one], group[other])
        new = group.copy()
        np.minimum.at(new, one, least)
        np.minimum.at(new, other, least)
        new = new[new]
        if (new == group).all():
            return group
        group = new


def _fitted(letters: _Letters, members: NDArray[np.intp]) -> _Line | None:
    """The line through some letters; None where they make none."""
    if np.sort(letters.filled[members])[len(members) // 2] > _FULL:
        return None
    x, y, width, height = (each[members].astype(float) for each in letters[:4])
    across, down = x + width / 2, y + height / 2
    slant = 0.0
    if len(members) >= _FEWEST and np.ptp(across) > _TALL / 2:
        slant = float(np.arctan(np.clip(np.polyfit(across, down, 1)[0], -1.2, 1.2)))
    along, off = np.array([np.cos(slant), np.sin(slant)]), np.array([-np.sin(slant), np.cos(slant)])
    corners = np.stack([np.concatenate([x, x + width, x, x + width]), np.concatenate([y, y, y + height, y + height])])
    ends = along @ corners
    middles = off @ np.stack([across, down])
    half = height * np.cos(slant) / 2
    few = len(members) // 10
    top, bottom = np.sort(middles - half)[few], np.sort(middles + half)[-1 - few]
    length, tall = float(np.ptp(ends)), float(bottom - top)
    if not _LINE_HEIGHTS[0] <= tall <= _LINE_HEIGHTS[1] or not _LENGTHS[0] <= length / tall <= _LENGTHS[1]:
        return None
    middle = along * (ends.min() + ends.max()) / 2 + off * (top + bottom) / 2
    return _Line(float(middle[0]), float(middle[1]), length, tall, slant)


def _measure(picture: Image, strokes: Image, line: _Line) -> Measures | None:
    """What tells text from other lines; None where nothing can be said."""
    inked: BoolArray = _straightened(strokes, line) > 127  # noqa: PLR2004  (half)
    core = inked[6:18]
    density = float(core.mean())
    if not 0.03 < density < 0.95:  # noqa: PLR2004 # strokes, neither void nor full
        return None
    outside = float(inked[[0, 1, 2, 3, 20, 21, 22, 23]].mean()) / density
    if outside > 1.0:  # what goes on above and below is no line
        return None
    inside = _straightened(picture, line)[6:18].astype(np.float32)
    ink, ground = inside[core], inside[~core]
    channel = int(np.abs(ink.mean(axis=0) - ground.mean(axis=0)).argmax())
    contrast = abs(float(ink[:, channel].mean() - ground[:, channel].mean()))
    middle = inside[2:10, :, channel]
    beside, below = (float(np.abs(np.diff(middle, axis=axis)).mean()) for axis in (1, 0))
    changes = np.count_nonzero(core[:, 1:] != core[:, :-1]) / 2 / 12 / (core.shape[1] / 12)
    solid = cv2.erode(core.astype(np.uint8), np.ones((5, 5), np.uint8)).sum() / core.sum()
    return Measures(
        contrast=float(np.log(contrast + 1)),
        density=density,
        outside=outside,
        alternations=changes,
        directions=float(np.clip(np.log((below + 0.5) / (beside + 0.5)), -2, 2)),
        clumps=float(solid),
        unevenness=min(float(ink[:, channel].std()) / (contrast + 3), 2.0),
        height=line.height,
    )


def score(measures: Measures) -> float:
    """How much more a line looks like text than not: above zero it is taken for text."""
    mean, spread, plain, squared = _WEIGHTS.T
    even = np.clip((np.array(measures) - mean) / spread, -_MOST, _MOST)
    return float(even @ plain + even**2 @ squared) + _BIAS


def _straightened(picture: Image, line: _Line) -> Image:
    """The line lying level, 12 pixels tall, with 6 more above and below: (24, n) or (24, n, 3)."""
    step = line.height / _TALL
    count = max(4, round(line.length / step))
    along = np.array([np.cos(line.slant), np.sin(line.slant)]) * line.length / count
    down = np.array([-np.sin(line.slant), np.cos(line.slant)]) * step
    start = np.array([line.x, line.y]) - along * (count - 1) / 2 - down * 11.5
    way = np.column_stack([along, down, start])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cast("Image", cv2.warpAffine(picture, way, (count, 24), flags=how, borderMode=cv2.BORDER_REPLICATE))


def _pieces(line: _Line) -> Iterator[tuple[float, float, float, float]]:
    """Upright boxes that cover a line with a margin; several where it is not level."""
    margin = _MARGIN * line.height
    length, tall = line.length + 2 * margin, line.height + 2 * margin
    count = 1 if abs(line.slant) < 0.1 else max(1, round(length / (2 * tall)))  # noqa: PLR2004  (six degrees)
    cos, sin = abs(float(np.cos(line.slant))), abs(float(np.sin(line.slant)))
    half_x, half_y = (length / count * cos + tall * sin) / 2, (length / count * sin + tall * cos) / 2
    for number in range(count):
        offset = length * ((number + 0.5) / count - 0.5)
        x, y = line.x + offset * float(np.cos(line.slant)), line.y + offset * float(np.sin(line.slant))
        yield x - half_x, y - half_y, x + half_x, y + half_y
