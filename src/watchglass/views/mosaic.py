"""The reviewer's view: confirmed backdrop, and a mosaic over everything else.

What is not mosaicked is not the camera's picture at all but the confirmed backdrop under the light of now. So a
person whom the detector misses, or whose clothes hardly differ from the ground, is in no case shown: the worst that a
miss can do is to leave the empty scene in the reviewer's view. A mosaic is not anonymity: gait, clothes and company
can still tell a person to somebody who knows them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray, FloatArray
from watchglass.views.backdrop import Backdrop
from watchglass.views.light import light, relight

Image = NDArray[np.uint8]

CELL: Final = 8
"""The finest block, in pixels; all masks are aligned to it."""
_LEVELS: Final = 8
_ACROSS: Final = 8
"""Blocks across a thing: a face is at most half as wide as the box of a person near by, hence at most four blocks."""
_TALL: Final = 3
_MARGIN: Final = 0.12
_NOISE: Final = np.array([16 + value // 16 for value in range(256)], np.uint8)
_HALF: Final = np.array([value // 2 for value in range(256)], np.uint8)
_SHARE_OF_CELL: Final = 0.06
_MOST_OF_CELL: Final = 0.5
_BLOCKS_WITHOUT_BACKDROP: Final = 32
HOLD_MS: Final = 400
"""How long a mask stays after its cause, so that a miss of some frames shows nothing."""


def mosaic(bgr: Image, backdrop: Backdrop | None, boxes: FloatArray) -> tuple[Image, float]:
    """One frame for a reviewer.

    Args:
        bgr: (h, w, 3) the camera's picture.
        backdrop: the confirmed backdrop; without one (or with one of another size) the whole frame is mosaicked.
        boxes: (n, 4) of things in view, pixels.

    Returns:
        The picture, and the share of it that is mosaicked (0..1).
    """
    reference, admitted = _reference(bgr, backdrop)
    return _compose(bgr, reference, _cells(bgr, reference, admitted), boxes)


def veil(backdrop: Backdrop, boxes: FloatArray, sides: Sequence[float] = ()) -> Backdrop:
    """``backdrop`` with ``boxes`` (n, 4) mosaicked: parked vehicles and readable text, before it is confirmed.

    Args:
        backdrop: what was learned.
        boxes: (n, 4) of what must not be seen, pixels.
        sides: for each box how large its blocks must be at least, in pixels, and never less than the box itself asks
            for: for text the height of a letter, which leaves of each letter its mean. Empty: as the boxes ask.
    """
    levels = _levels(np.zeros(_grid(backdrop.bgr), bool), boxes, whole=0, sides=sides)
    return Backdrop(_painted_over(backdrop.bgr, backdrop.bgr, levels), backdrop.admitted)


class MosaicMaker:
    """Mosaics the frames of one source one after the other; masks stay for a moment after their cause.

    Args:
        backdrop: the confirmed backdrop or None.
        hold_ms: how long masks and boxes stay.
    """

    def __init__(self, backdrop: Backdrop | None, hold_ms: int = HOLD_MS) -> None:
        self._backdrop = backdrop
        self._hold_ms = hold_ms
        self._recent: deque[tuple[int, BoolArray, FloatArray]] = deque()

    def frame(self, at_ms: int, bgr: Image, boxes: FloatArray) -> tuple[Image, float]:
        """As ``mosaic``, with the cells and boxes of the last ``hold_ms`` added."""
        reference, admitted = _reference(bgr, self._backdrop)
        cells = _cells(bgr, reference, admitted)
        if self._recent and (self._recent[-1][0] > at_ms or self._recent[-1][1].shape != cells.shape):
            self._recent.clear()
        self._recent.append((at_ms, cells, boxes))
        while self._recent[0][0] < at_ms - self._hold_ms:
            self._recent.popleft()
        held = cast("BoolArray", np.logical_or.reduce([cells for _, cells, _ in self._recent]))
        return _compose(bgr, reference, held, np.concatenate([boxes for _, _, boxes in self._recent]))

    def clip(self, frames: Iterable[tuple[int, Image, FloatArray]]) -> Iterator[tuple[Image, float]]:
        """A whole clip: each frame also gets the boxes of the ``hold_ms`` after it, seen before they were found."""
        waiting: deque[tuple[int, Image, FloatArray]] = deque()
        for moment in frames:
            waiting.append(moment)
            while waiting and waiting[-1][0] - waiting[0][0] > self._hold_ms:
                yield self._next(waiting)
        while waiting:
            yield self._next(waiting)

    def _next(self, waiting: deque[tuple[int, Image, FloatArray]]) -> tuple[Image, float]:
        boxes = np.concatenate([later for _, _, later in waiting])
        at_ms, bgr, _ = waiting.popleft()
        return self.frame(at_ms, bgr, boxes)


def _reference(bgr: Image, backdrop: Backdrop | None) -> tuple[Image | None, BoolArray | None]:
    """The backdrop under the light of ``bgr``, and where it is admitted; None without one of this size."""
    if backdrop is None or backdrop.size != (bgr.shape[1], bgr.shape[0]):
        return None, None
    return relight(backdrop.bgr, light(backdrop.bgr, bgr, backdrop.admitted)), backdrop.admitted


def _grid(bgr: Image) -> tuple[int, int]:
    return -(-bgr.shape[0] // CELL), -(-bgr.shape[1] // CELL)


def _cells(bgr: Image, reference: Image | None, admitted: BoolArray | None) -> BoolArray:
    """Which 8-pixel cells are not confirmed backdrop, one cell of margin included: (ceil(h/8), ceil(w/8)).

    A pixel differs when it is farther from the backdrop than noise (more where it is bright) and than half of what the
    backdrop changes from this pixel to the next, so that a camera that trembles does not unsettle every edge.
    """
    if reference is None or admitted is None:
        return np.ones(_grid(bgr), bool)
    calm = cv2.blur(reference, (3, 3))
    edges = cv2.morphologyEx(calm, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    allowed = cv2.add(cv2.LUT(calm, _NOISE), cv2.LUT(edges, _HALF))
    over = cv2.subtract(cv2.absdiff(cv2.blur(bgr, (3, 3)), calm), allowed)
    alike = cv2.inRange(over, (0, 0, 0), (0, 0, 0))
    share = _mean_cells((alike == 0) | ~admitted, _grid(bgr))
    marked = (share >= _SHARE_OF_CELL).astype(np.uint8)
    around = cv2.filter2D(marked, -1, np.ones((3, 3)), borderType=cv2.BORDER_CONSTANT)
    marked[(around <= 1) & (share < _MOST_OF_CELL)] = 0
    return cast("BoolArray", cv2.dilate(marked, np.ones((3, 3), np.uint8)).astype(bool))


def _mean_cells(values: BoolArray, grid: tuple[int, int]) -> FloatArray:
    (height, width), (rows, columns) = values.shape, grid
    padded = cv2.copyMakeBorder(
        values.astype(np.float32), 0, rows * CELL - height, 0, columns * CELL - width, cv2.BORDER_REPLICATE
    )
    return cast("FloatArray", cv2.resize(padded, (columns, rows), interpolation=cv2.INTER_AREA))


def _compose(bgr: Image, reference: Image | None, cells: BoolArray, boxes: FloatArray) -> tuple[Image, float]:
    whole = 0 if reference is not None else _level_for(bgr.shape[1] / _BLOCKS_WITHOUT_BACKDROP * _ACROSS)
    levels = _levels(cells, boxes, whole=whole)
    ground = np.zeros_like(bgr) if reference is None else reference
    return _painted_over(ground, bgr, levels), float(_spread(levels > 0, bgr).mean())


def _painted_over(ground: Image, bgr: Image, levels: NDArray[np.uint8]) -> Image:
    """``ground`` with the mosaic of ``bgr`` over it where ``levels`` says so."""
    result = ground.copy()
    for level in range(1, _LEVELS + 1):
        mask = levels == level
        if mask.any():
            cv2.copyTo(_pixelated(bgr, CELL << (level - 1)), _spread(mask, bgr).view(np.uint8), result)
    return result


def _spread(cells: BoolArray, bgr: Image) -> BoolArray:
    height, width = bgr.shape[:2]
    return cells.repeat(CELL, axis=0).repeat(CELL, axis=1)[:height, :width]


def _levels(cells: BoolArray, boxes: FloatArray, *, whole: int, sides: Sequence[float] = ()) -> NDArray[np.uint8]:
    """The block level of every cell (0: not masked; n: blocks of 8·2^(n-1) pixels). Coarser wins; blocks are whole.

    Args:
        cells: what is not confirmed backdrop. Each connected part gets blocks for its greatest thickness.
        boxes: (n, 4) of things, pixels; each gets blocks for its own size.
        whole: the least level of the whole picture, where there is no backdrop; 0 where there is.
        sides: for each box the least side of its blocks; empty where its size alone decides.
    """
    wanted = np.full(cells.shape, whole, np.uint8)
    if not whole and cells.any():
        framed = cv2.copyMakeBorder(cells.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0,))
        thickness = cv2.distanceTransform(framed, cv2.DIST_C, 3)[1:-1, 1:-1] * 2 * CELL
        count, labels = cv2.connectedComponents(cells.astype(np.uint8), connectivity=8)
        thickest = np.zeros(count)
        np.maximum.at(thickest, labels.ravel().astype(np.intp), thickness.ravel())
        wanted = np.array([0, *(_level_for(across) for across in thickest[1:])], np.uint8)[labels]
    for (x1, y1, x2, y2), side in zip(boxes, sides if len(sides) else [0.0] * len(boxes), strict=True):
        margin_x, margin_y = (x2 - x1) * _MARGIN + CELL, (y2 - y1) * _MARGIN + CELL
        part = wanted[
            max(0, int((y1 - margin_y) // CELL)) : max(0, int(-(-(y2 + margin_y) // CELL))),
            max(0, int((x1 - margin_x) // CELL)) : max(0, int(-(-(x2 + margin_x) // CELL))),
        ]
        np.maximum(part, _level_for(max(x2 - x1, (y2 - y1) / _TALL, side * _ACROSS)), out=part)
    return _whole_blocks(wanted)


def _level_for(across: float) -> int:
    """The level whose blocks are at least ``across / 8`` pixels, and at least 8."""
    level = 1
    while level < _LEVELS and (CELL << (level - 1)) < across / _ACROSS:
        level += 1
    return level


def _whole_blocks(wanted: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A block that holds one cell of its level is mosaicked wholly, at that level."""
    rows, columns = wanted.shape
    result = wanted.copy()
    for level in range(2, int(wanted.max(initial=0)) + 1):
        side = 1 << (level - 1)
        padded = np.zeros((-(-rows // side) * side, -(-columns // side) * side), bool)
        padded[:rows, :columns] = result >= level
        blocks = padded.reshape(padded.shape[0] // side, side, -1, side).any(axis=(1, 3))
        grown = blocks.repeat(side, axis=0).repeat(side, axis=1)[:rows, :columns]
        np.maximum(result, grown.astype(np.uint8) * level, out=result)
    return result


def _pixelated(bgr: Image, side: int) -> Image:
    """Means over blocks of ``side`` pixels, aligned to the picture's corner."""
    height, width = bgr.shape[:2]
    rows, columns = -(-height // side), -(-width // side)
    padded = cv2.copyMakeBorder(bgr, 0, rows * side - height, 0, columns * side - width, cv2.BORDER_REPLICATE)
    small = cv2.resize(padded, (columns, rows), interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, (columns * side, rows * side), interpolation=cv2.INTER_NEAREST)
    return cast("Image", large[:height, :width])
