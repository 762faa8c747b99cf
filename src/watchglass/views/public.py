"""The public view: the backdrop with abstract marks of one size. No pixel of a person is ever in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray, FloatArray, feet
from watchglass.views.backdrop import BLOCK, Backdrop
from watchglass.views.light import field_of, relight

Image = NDArray[np.uint8]
PlainPin = tuple[int, int, int]
"""(x, y, kind): a snapped place in pixels, and an index into the kinds of thing."""
Area = Sequence[tuple[float, float]]
"""The corners of a polygon in pixels."""

PERSON: Final = 0
GREY: Final = (205, 203, 200)

_CELLS_WITHOUT_SCALE: Final = 24
_SMALLEST_CELL: Final = 8.0
_SUB: Final = 4
"""Fractional bits that OpenCV's drawing functions take."""

_GREY_LINE: Final = (194, 192, 189)
_INK: Final = (58, 42, 30)
_WHITE: Final = (255, 255, 255)
_COLOURS: Final = ((150, 105, 15), (40, 110, 190), (110, 125, 60), (140, 75, 120))
"""BGR of the kinds person, vehicle, bicycle, bag: distinct in hue, alike in weight; the mark tells them apart too."""
_ZONE: Final = (60, 180, 250)
_OVERSAMPLING: Final = 4
_SHADOW: Final = 0.22
_REACH: Final = 1.3
"""How far a drawn mark reaches from its middle, its shadow included, in radii."""


# ---- where marks stand ---------------------------------------------------------------------------------------------


def cell_side(width_m: float | None, width_px: int, grid_m: float) -> float:
    """The side of a grid cell in pixels.

    Args:
        width_m: metres across the picture where the charter states them; otherwise the picture is 24 cells wide.
        width_px: width of the picture in pixels.
        grid_m: side of a cell in metres. Under perspective a cell covers more ground where the scene is farther away.
    """
    cell = grid_m * width_px / width_m if width_m else width_px / _CELLS_WITHOUT_SCALE
    return max(cell, _SMALLEST_CELL)


def middle_of(column: float, row: float, cell: float, width_px: int) -> tuple[int, int]:
    """The pixel in the middle of a grid cell."""
    x = min(max((column + 0.5) * cell, 0.0), width_px - 1.0)
    return round(x), round((row + 0.5) * cell)


def snap(
    boxes: FloatArray, kinds: NDArray[np.int8], width_m: float | None, width_px: int, grid_m: float
) -> tuple[PlainPin, ...]:
    """Where marks of one single moment stand: the feet, moved to the middle of their grid cell, in no telling order.

    What the public sees is steadied over time besides (``views.smoothing``).

    Args:
        boxes: (n, 4) x1, y1, x2, y2 in pixels.
        kinds: (n,) indices into the kinds of thing.
        width_m, width_px, grid_m: as in ``cell_side``.

    Returns:
        (x, y, kind) for each box, sorted, so that their order says nothing about tracks. Equal marks stay.
    """
    cell = cell_side(width_m, width_px, grid_m)
    cells = np.floor(feet(boxes) / cell)
    return tuple(
        sorted((*middle_of(x, y, cell, width_px), int(kind)) for (x, y), kind in zip(cells, kinds, strict=True))
    )


def pin_radius(width_px: int) -> float:
    """The one radius of all marks in a picture of this width, in pixels."""
    return max(6.0, width_px / 70)


def spread(pins: Iterable[PlainPin], radius: float) -> tuple[PlainPin, ...]:
    """Marks of one cell side by side: each cell's marks stand in a row of at most three, then a row below."""
    cells: dict[tuple[int, int], list[int]] = {}
    for x, y, kind in sorted(pins):
        cells.setdefault((x, y), []).append(kind)
    placed: list[PlainPin] = []
    for (x, y), kinds in cells.items():
        for row in range(0, len(kinds), 3):
            line = kinds[row : row + 3]
            for column, kind in enumerate(line):
                beside, below = (column - (len(line) - 1) / 2) * 1.5 * radius, row / 3 * 1.5 * radius
                placed.append((round(x + beside), round(y + below), kind))
    return tuple(sorted(placed, key=lambda pin: (pin[1], pin[0], pin[2])))


# ---- what is never shown -------------------------------------------------------------------------------------------


def touched(size: tuple[int, int], areas: Iterable[Area]) -> BoolArray | None:
    """The pixels of a picture that any of ``areas`` touches: (height, width), or None where there are none.

    Args:
        size: (width, height) of the picture.
        areas: ``never_see`` or ``never_show`` of the charter.
    """
    found = np.zeros((size[1], size[0]), np.uint8)
    for area in areas:
        corners = (np.asarray(area, np.float64) * (1 << _SUB)).round().astype(np.int32).reshape(-1, 1, 2)
        cv2.fillPoly(found, [corners], 1, cv2.LINE_8, _SUB)
        cv2.polylines(found, [corners], True, 1, 1, cv2.LINE_8, _SUB)
    return found.astype(bool) if found.any() else None


def without(backdrop: Backdrop, size: tuple[int, int], areas: Iterable[Area]) -> Backdrop:
    """``backdrop`` with ``never_see`` black in it: it may have been learned before the charter said so.

    Args:
        backdrop: as it was confirmed. The PNG that it came from stays the one whose hash counts.
        size: (width, height) of the picture on which ``areas`` were drawn.
        areas: ``never_see`` of the charter.
    """
    across, down = backdrop.size[0] / size[0], backdrop.size[1] / size[1]
    black = touched(backdrop.size, ([(x * across, y * down) for x, y in area] for area in areas))
    if black is None:
        return backdrop
    return Backdrop(np.where(black[..., None], np.uint8(0), backdrop.bgr), backdrop.admitted)


def withheld(size: tuple[int, int], areas: Iterable[Area]) -> BoolArray | None:
    """The pixels of a picture that the public never sees: as ``touched``, in whole blocks of 32."""
    found = touched(size, areas)
    if found is None:
        return None
    width, height = size
    rows, columns = -(-height // BLOCK), -(-width // BLOCK)
    whole = np.zeros((rows * BLOCK, columns * BLOCK), np.uint8)
    whole[:height, :width] = found
    blocks = whole.reshape(rows, BLOCK, columns, BLOCK).any(axis=(1, 3))
    return blocks.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)[:height, :width]


def touches(x: float, y: float, radius: float, hidden: BoolArray) -> bool:
    """Whether a mark drawn at (x, y), its shadow included, would reach into ``hidden`` ((height, width))."""
    reach = int(_REACH * radius) + 2
    left, top = int(x) - reach, int(y) - reach
    part = hidden[max(0, top) : max(0, top + 2 * reach + 1), max(0, left) : max(0, left + 2 * reach + 1)]
    return bool(part.any())


def stand(pins: Iterable[PlainPin], width_px: int, hidden: BoolArray | None) -> tuple[PlainPin, ...]:
    """Where the public's marks are drawn: set apart where they share a cell, and none that reaches into ``hidden``."""
    radius = pin_radius(width_px)
    placed = spread(pins, radius)
    if hidden is None:
        return placed
    return tuple(pin for pin in placed if not touches(pin[0], pin[1], radius, hidden))


# ---- painting ------------------------------------------------------------------------------------------------------


def paint(
    backdrop: Backdrop | None,
    size: tuple[int, int],
    pins: Iterable[PlainPin],
    zone: Area | None = None,
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
    picture = ground(backdrop, size)
    if zone is not None and len(zone):
        _draw_zone(picture, zone)
    return with_marks(picture, spread(pins, pin_radius(size[0])))


def ground(
    backdrop: Backdrop | None,
    size: tuple[int, int],
    *,
    hidden: BoolArray | None = None,
    black: BoolArray | None = None,
    light: Sequence[int] = (),
) -> Image:
    """What marks are drawn on: the backdrop, a little quieter than the camera's picture; grey where it is not known.

    Args:
        backdrop: the confirmed backdrop; None, or one of another size: all grey.
        size: (width, height) of the picture.
        hidden: (height, width), what is never shown: grey too.
        black: (height, width), what is never seen; the backdrop may have been learned before the charter said so.
        light: twelve factors in sixty-fourths, row by row, by which the light differs from the backdrop's; () for none.

    Returns:
        (height, width, 3) BGR. Outside of what it greys it is a function of the backdrop and of twelve numbers alone.
    """
    width, height = size
    grey = np.full((height, width, 3), GREY, np.uint8)
    step = 16
    lines = (np.add.outer(np.arange(height), np.arange(width)) % step) < 1
    grey[lines] = _GREY_LINE
    if backdrop is None or backdrop.size != size:
        return grey
    empty = backdrop.bgr if black is None else np.where(black[..., None], np.uint8(0), backdrop.bgr)
    lit = relight(empty, field_of(light))
    # a little quieter than the camera's picture, so that the marks are what one sees
    calm = cv2.addWeighted(lit, 0.80, np.full_like(lit, 236), 0.20, 0)
    shown = backdrop.admitted if hidden is None else backdrop.admitted & ~hidden
    return np.where(shown[..., None], calm, grey)


def with_marks(picture: Image, marks: Iterable[PlainPin]) -> Image:
    """A copy of ``picture`` with ``marks`` drawn; outside of their discs and shadows no pixel differs."""
    drawn = picture.copy()
    radius = pin_radius(picture.shape[1])
    for x, y, kind in marks:
        _blend(drawn, x, y, *_stamp(radius, kind % len(_COLOURS)))
    return drawn


def _blend(picture: Image, x: int, y: int, colour: FloatArray, alpha: FloatArray) -> None:
    height, width = picture.shape[:2]
    half = alpha.shape[0] // 2
    left, top = max(0, x - half), max(0, y - half)
    right, bottom = min(width, x + half + 1), min(height, y + half + 1)
    if left >= right or top >= bottom:
        return
    cut = (slice(top - y + half, bottom - y + half), slice(left - x + half, right - x + half))
    part = picture[top:bottom, left:right]
    part[:] = (part * (1 - alpha[cut]) + colour[cut]).round().astype(np.uint8)


@lru_cache(maxsize=64)
def _stamp(radius: float, kind: int) -> tuple[FloatArray, FloatArray]:
    """A mark of one kind: (n, n, 3) colour times opacity, and (n, n, 1) opacity, 0..1; zero outside of it.

    A dot for a person, a bar for a vehicle, two dots for a bicycle, a square for a bag.
    """
    half = int(_REACH * radius) + 2
    stamp = _Stamp(2 * half + 1)
    unit = 0.26 * radius
    stamp.disc(0, 0.12 * radius, 1.16 * radius, _INK, _SHADOW)
    stamp.disc(0, 0, radius, _WHITE)
    stamp.disc(0, 0, 0.82 * radius, _COLOURS[kind])
    if kind == PERSON:
        stamp.disc(0, 0, unit, _WHITE)
    elif kind == 1:
        stamp.bar(1.7 * unit, 0.75 * unit)
    elif kind == 2:  # noqa: PLR2004  (bicycle, see _COLOURS)
        stamp.disc(-1.15 * unit, 0, 0.75 * unit, _WHITE)
        stamp.disc(1.15 * unit, 0, 0.75 * unit, _WHITE)
    else:
        stamp.bar(unit, unit)
    return stamp.small()


class _Stamp:
    """Drawn larger than it is used, so that edges are smooth. Places count from the middle."""

    def __init__(self, side: int) -> None:
        self._side = side
        large = side * _OVERSAMPLING
        self._colour = np.zeros((large, large, 3), np.float32)
        self._alpha = np.zeros((large, large, 1), np.float32)

    def disc(self, x: float, y: float, radius: float, colour: tuple[int, int, int], opacity: float = 1.0) -> None:
        mask = np.zeros(self._alpha.shape[:2], np.uint8)
        scale = _OVERSAMPLING * (1 << _SUB)
        centre = (round((x + self._side / 2) * scale), round((y + self._side / 2) * scale))
        cv2.circle(mask, centre, round(radius * scale), 255, -1, cv2.LINE_AA, _SUB)
        self._lay(mask, colour, opacity)

    def bar(self, half_width: float, half_height: float) -> None:
        mask = np.zeros(self._alpha.shape[:2], np.uint8)
        scale = _OVERSAMPLING * (1 << _SUB)
        middle = self._side / 2
        signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
        corners = (middle + signs * (half_width, half_height)) * scale
        cv2.fillConvexPoly(mask, corners.round().astype(np.int32).reshape(-1, 1, 2), 255, cv2.LINE_AA, _SUB)
        self._lay(mask, _WHITE, 1.0)

    def _lay(self, mask: Image, colour: tuple[int, int, int], opacity: float) -> None:
        cover = (mask.astype(np.float32) * np.float32(opacity / 255))[..., None]
        self._colour = self._colour * (1 - cover) + cover * np.array(colour, np.float32)
        self._alpha = self._alpha * (1 - cover) + cover

    def small(self) -> tuple[FloatArray, FloatArray]:
        size = (self._side, self._side)
        colour = cast("FloatArray", cv2.resize(self._colour, size, interpolation=cv2.INTER_AREA))
        alpha = cast("FloatArray", cv2.resize(self._alpha, size, interpolation=cv2.INTER_AREA))
        return colour, alpha[..., None]


def _draw_zone(picture: Image, zone: Area) -> None:
    corners = (np.asarray(zone, np.float64) * (1 << _SUB)).round().astype(np.int32).reshape(-1, 1, 2)
    tint = picture.copy()
    cv2.fillPoly(tint, [corners], _ZONE, cv2.LINE_AA, _SUB)
    cv2.addWeighted(tint, 0.13, picture, 0.87, 0, dst=picture)
    cv2.polylines(picture, [corners], True, _WHITE, 3, cv2.LINE_AA, _SUB)
    cv2.polylines(picture, [corners], True, _ZONE, 2, cv2.LINE_AA, _SUB)
