"""The public view: the backdrop with abstract marks of one size. No pixel of a person is ever in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import FloatArray, feet
from watchglass.views.backdrop import Backdrop

Image = NDArray[np.uint8]
PlainPin = tuple[int, int, int]
"""(x, y, kind): a snapped place in pixels, and an index into the kinds of thing."""

PERSON: Final = 0
_CELLS_WITHOUT_SCALE: Final = 24
_SMALLEST_CELL: Final = 8.0
_SUB: Final = 4
"""Fractional bits that OpenCV's drawing functions take."""

GREY: Final = (205, 203, 200)
_GREY_LINE: Final = (194, 192, 189)
_INK: Final = (58, 42, 30)
_WHITE: Final = (255, 255, 255)
_COLOURS: Final = ((150, 105, 15), (40, 110, 190), (110, 125, 60), (140, 75, 120))
"""BGR of the kinds person, vehicle, bicycle, bag: distinct in hue, alike in weight; the mark tells them apart too."""
_ZONE: Final = (60, 180, 250)
_OVERSAMPLING: Final = 2
_SHADOW: Final = 0.22


def snap(
    boxes: FloatArray, kinds: NDArray[np.int8], width_m: float | None, width_px: int, grid_m: float
) -> tuple[PlainPin, ...]:
    """Where marks stand: the feet of the boxes, moved to the middle of their grid cell, in no telling order.

    Args:
        boxes: (n, 4) x1, y1, x2, y2 in pixels.
        kinds: (n,) indices into the kinds of thing.
        width_m: metres across the picture where the charter states them; otherwise the picture is 24 cells wide.
        width_px: width of the picture in pixels.
        grid_m: side of a cell in metres. Under perspective a cell covers more ground where the scene is farther away.

    Returns:
        (x, y, kind) for each box, sorted, so that their order says nothing about tracks. Equal marks stay.
    """
    if not len(boxes):
        return ()
    cell = grid_m * width_px / width_m if width_m else width_px / _CELLS_WITHOUT_SCALE
    cell = max(cell, _SMALLEST_CELL)
    middles = (np.floor(feet(boxes) / cell) + 0.5) * cell
    middles[:, 0] = np.clip(middles[:, 0], 0, width_px - 1)
    places = middles.round().astype(int)
    return tuple(sorted((int(x), int(y), int(kind)) for (x, y), kind in zip(places, kinds, strict=True)))


def paint(
    backdrop: Backdrop | None,
    size: tuple[int, int],
    pins: Iterable[PlainPin],
    zone: Sequence[tuple[float, float]] | None = None,
) -> Image:
    """The painted picture.

    Grey where the backdrop is not admitted; a disc of one fixed size for every thing, whatever its own size, with a
    small mark of its kind. Discs, because a detector (and a glance) takes a mark that is shaped like a person for one.

    Args:
        backdrop: the confirmed backdrop, or None: all grey. One of another size is not used either.
        size: (width, height) of the picture.
        pins: marks as ``snap`` gives them; equal ones are drawn side by side.
        zone: corners in pixels of the zone to outline, if any.

    Returns:
        (height, width, 3) BGR.
    """
    width, height = size
    picture = _ground(backdrop, size)
    twice = (width * _OVERSAMPLING, height * _OVERSAMPLING)
    large = cast("Image", cv2.resize(picture, twice, interpolation=cv2.INTER_LINEAR))
    if zone is not None and len(zone):
        _draw_zone(large, zone)
    radius = pin_radius(width)
    for x, y, kind in spread(pins, radius):
        _draw_pin(large, x, y, radius, kind)
    return cast("Image", cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA))


def pin_radius(width_px: int) -> float:
    """The one radius of all marks in a picture of this width, in pixels."""
    return max(6.0, width_px / 70)


def spread(pins: Iterable[PlainPin], radius: float) -> tuple[tuple[float, float, int], ...]:
    """Marks of one cell side by side: each cell's marks stand in a row of at most three, then a row below."""
    cells: dict[tuple[int, int], list[int]] = {}
    for x, y, kind in sorted(pins):
        cells.setdefault((x, y), []).append(kind)
    placed: list[tuple[float, float, int]] = []
    for (x, y), kinds in cells.items():
        for row in range(0, len(kinds), 3):
            line = kinds[row : row + 3]
            for column, kind in enumerate(line):
                placed.append((x + (column - (len(line) - 1) / 2) * 1.5 * radius, y + row / 3 * 1.5 * radius, kind))
    return tuple(sorted(placed, key=lambda pin: (pin[1], pin[0], pin[2])))


def _ground(backdrop: Backdrop | None, size: tuple[int, int]) -> Image:
    width, height = size
    grey = np.full((height, width, 3), GREY, np.uint8)
    step = 16
    lines = (np.add.outer(np.arange(height), np.arange(width)) % step) < 1
    grey[lines] = _GREY_LINE
    if backdrop is None or backdrop.size != size:
        return grey
    # a little quieter than the camera's picture, so that the marks are what one sees
    calm = cv2.addWeighted(backdrop.bgr, 0.80, np.full_like(backdrop.bgr, 236), 0.20, 0)
    return np.where(backdrop.admitted[..., None], calm, grey)


def _draw_zone(large: Image, zone: Sequence[tuple[float, float]]) -> None:
    corners = (np.asarray(zone, np.float64) * _OVERSAMPLING * (1 << _SUB)).round().astype(np.int32).reshape(-1, 1, 2)
    tint = large.copy()
    cv2.fillPoly(tint, [corners], _ZONE, cv2.LINE_AA, _SUB)
    cv2.addWeighted(tint, 0.13, large, 0.87, 0, dst=large)
    cv2.polylines(large, [corners], True, _WHITE, 3 * _OVERSAMPLING, cv2.LINE_AA, _SUB)
    cv2.polylines(large, [corners], True, _ZONE, round(1.6 * _OVERSAMPLING), cv2.LINE_AA, _SUB)


def _draw_pin(large: Image, x: float, y: float, radius: float, kind: int) -> None:
    colour = _COLOURS[kind % len(_COLOURS)]
    _shadow(large, x, y + 0.12 * radius, 1.16 * radius)
    _disc(large, x, y, radius, _WHITE)
    _disc(large, x, y, 0.82 * radius, colour)
    _draw_mark(large, x, y, radius, kind)


def _draw_mark(large: Image, x: float, y: float, radius: float, kind: int) -> None:
    """A dot for a person, a bar for a vehicle, two dots for a bicycle, a square for a bag."""
    unit = 0.26 * radius
    if kind == PERSON:
        _disc(large, x, y, unit, _WHITE)
    elif kind == 1:
        _bar(large, x, y, 1.7 * unit, 0.75 * unit)
    elif kind == 2:  # noqa: PLR2004  (bicycle, see _COLOURS)
        _disc(large, x - 1.15 * unit, y, 0.75 * unit, _WHITE)
        _disc(large, x + 1.15 * unit, y, 0.75 * unit, _WHITE)
    else:
        _bar(large, x, y, unit, unit)


def _disc(large: Image, x: float, y: float, radius: float, colour: tuple[int, int, int]) -> None:
    scale = _OVERSAMPLING * (1 << _SUB)
    cv2.circle(large, (round(x * scale), round(y * scale)), round(radius * scale), colour, -1, cv2.LINE_AA, _SUB)


def _shadow(large: Image, x: float, y: float, radius: float) -> None:
    margin = int(radius * _OVERSAMPLING) + 3
    left, top = max(0, int(x * _OVERSAMPLING) - margin), max(0, int(y * _OVERSAMPLING) - margin)
    part = large[top : top + 2 * margin + 1, left : left + 2 * margin + 1]
    if part.size:
        drawn = part.copy()
        _disc(drawn, x - left / _OVERSAMPLING, y - top / _OVERSAMPLING, radius, _INK)
        part[:] = cv2.addWeighted(drawn, _SHADOW, part, 1 - _SHADOW, 0)


def _bar(large: Image, x: float, y: float, half_width: float, half_height: float) -> None:
    scale = _OVERSAMPLING * (1 << _SUB)
    corners = np.array(
        [
            [x - half_width, y - half_height],
            [x + half_width, y - half_height],
            [x + half_width, y + half_height],
            [x - half_width, y + half_height],
        ]
    )
    cv2.fillConvexPoly(large, (corners * scale).round().astype(np.int32).reshape(-1, 1, 2), _WHITE, cv2.LINE_AA, _SUB)


# ---- later, and only where enough people are in view ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """What the public may see of one moment.

    Attributes:
        at_ms: the moment that is shown, the charter's delay ago.
        pins: marks; none where ``hidden``.
        people: how many persons were in view; None where ``hidden``, because the number itself would tell.
        hidden: fewer people were in view than the charter's threshold.
    """

    at_ms: int
    pins: tuple[PlainPin, ...]
    people: int | None
    hidden: bool


def hide_below(at_ms: int, pins: tuple[PlainPin, ...], people: int, threshold: int) -> Shown:
    """An empty view where fewer than ``threshold`` people were in view, so that nobody can watch a door with it."""
    if people < threshold:
        return Shown(at_ms, (), None, hidden=True)
    return Shown(at_ms, pins, people, hidden=False)


class DelayedPins:
    """The marks of one source on a timeline; what is shown is what was in view the delay ago.

    Args:
        keep_ms: how long moments are kept: at least the delay.
        stale_ms: a moment older than this, seen from the delayed present, is shown no more.
    """

    def __init__(self, keep_ms: int, stale_ms: int = 5000) -> None:
        self._moments: deque[tuple[int, tuple[PlainPin, ...], int]] = deque()
        self._keep_ms = keep_ms
        self._stale_ms = stale_ms

    def add(self, at_ms: int, pins: tuple[PlainPin, ...], people: int) -> None:
        """Take in one moment. One that is not later than the last (a clock that went back) starts the line anew."""
        if self._moments and at_ms <= self._moments[-1][0]:
            self._moments.clear()
        self._moments.append((at_ms, pins, people))
        while self._moments and self._moments[0][0] < at_ms - self._keep_ms - self._stale_ms:
            self._moments.popleft()

    def visible(self, now_ms: int, delay_ms: int, threshold: int) -> Shown | None:
        """What is shown at ``now_ms``; None when there is nothing that old, or only something older still.

        Args:
            now_ms: the present.
            delay_ms: the charter's delay; no moment younger than it is ever returned.
            threshold: the charter's ``hide_below``.
        """
        present = now_ms - delay_ms
        for at_ms, pins, people in reversed(self._moments):
            if at_ms <= present:
                return hide_below(at_ms, pins, people, threshold) if present - at_ms <= self._stale_ms else None
        return None
