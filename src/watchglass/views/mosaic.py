"""The reviewer's view: confirmed backdrop, and a mosaic over everything else.

What is not mosaicked is not the camera's picture at all but the confirmed backdrop under the light of now. So a
person whom the detector misses, or whose clothes hardly differ from the ground, is in no case shown: the worst that a
miss can do is to leave the empty scene in the reviewer's view. A mosaic is not anonymity: gait, clothes and company
can still tell a person to somebody who knows them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
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
_LEVELS: Final = 6
_ACROSS: Final = 8
"""Blocks across a thing: a face is at most half as wide as the box of a person near by, hence at most four blocks."""
_TALL: Final = 3
_MARGIN: Final = 0.12
_DIFFERENCE: Final = 16
_SHARE_OF_CELL: Final = 0.06
_MOST_OF_CELL: Final = 0.5
_BLOCKS_WITHOUT_BACKDROP: Final = 32
HOLD_MS: Final = 600
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
    fits = backdrop if backdrop is not None and backdrop.size == (bgr.shape[1], bgr.shape[0]) else None
    return _compose(bgr, fits, _cells(bgr, fits), boxes)


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
        fits = self._backdrop
        if fits is not None and fits.size != (bgr.shape[1], bgr.shape[0]):
            fits = None
        cells = _cells(bgr, fits)
        if self._recent and (self._recent[-1][0] > at_ms or self._recent[-1][1].shape != cells.shape):
            self._recent.clear()
        self._recent.append((at_ms, cells, boxes))
        while self._recent[0][0] < at_ms - self._hold_ms:
            self._recent.popleft()
        held = cast("BoolArray", np.logical_or.reduce([cells for _, cells, _ in self._recent]))
        return _compose(bgr, fits, held, np.concatenate([boxes for _, _, boxes in self._recent]))

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


def _cells(bgr: Image, backdrop: Backdrop | None) -> BoolArray:
    """Which 8-pixel cells are not confirmed backdrop, one cell of margin included: (ceil(h/8), ceil(w/8))."""
    height, width = bgr.shape[:2]
    rows, columns = -(-height // CELL), -(-width // CELL)
    if backdrop is None:
        return np.ones((rows, columns), bool)
    reference = relight(backdrop.bgr, light(backdrop.bgr, bgr, backdrop.admitted))
    differs = cv2.inRange(
        cv2.absdiff(cv2.blur(bgr, (3, 3)), cv2.blur(reference, (3, 3))), (0, 0, 0), (_DIFFERENCE,) * 3
    )
    share = _mean_cells((differs == 0) | ~backdrop.admitted, rows, columns)
    marked = (share >= _SHARE_OF_CELL).astype(np.uint8)
    lonely = cv2.filter2D(marked, -1, np.ones((3, 3)), borderType=cv2.BORDER_CONSTANT) <= 1
    marked[lonely & (share < _MOST_OF_CELL)] = 0
    return cast("BoolArray", cv2.dilate(marked, np.ones((3, 3), np.uint8)).astype(bool))


def _mean_cells(values: BoolArray, rows: int, columns: int) -> FloatArray:
    height, width = values.shape
    padded = cv2.copyMakeBorder(
        values.astype(np.float32), 0, rows * CELL - height, 0, columns * CELL - width, cv2.BORDER_REPLICATE
    )
    return cast("FloatArray", cv2.resize(padded, (columns, rows), interpolation=cv2.INTER_AREA))


def _compose(bgr: Image, backdrop: Backdrop | None, cells: BoolArray, boxes: FloatArray) -> tuple[Image, float]:
    height, width = bgr.shape[:2]
    levels = _levels(cells, boxes, width, whole=backdrop is None)
    result = (
        np.zeros_like(bgr)
        if backdrop is None
        else relight(backdrop.bgr, light(backdrop.bgr, bgr, backdrop.admitted)).copy()
    )
    for level in range(1, _LEVELS + 1):
        mask = levels == level
        if mask.any():
            side = CELL << (level - 1)
            pixels = mask.repeat(CELL, axis=0).repeat(CELL, axis=1)[:height, :width]
            cv2.copyTo(_pixelated(bgr, side), pixels.view(np.uint8), result)
    return result, float((levels > 0).repeat(CELL, axis=0).repeat(CELL, axis=1)[:height, :width].mean())


def _levels(cells: BoolArray, boxes: FloatArray, width: int, *, whole: bool) -> NDArray[np.uint8]:
    """The block level of every cell (0: not masked; n: blocks of 8·2^(n-1) pixels). Coarser wins; blocks are whole."""
    rows, columns = cells.shape
    wanted = np.zeros((rows, columns), np.uint8)
    if whole:
        wanted[:] = _level_for(width / _BLOCKS_WITHOUT_BACKDROP * _ACROSS)
    else:
        count, labels, stats, _ = cv2.connectedComponentsWithStats(cells.astype(np.uint8), connectivity=8)
        table = np.zeros(count, np.uint8)
        for label in range(1, count):
            across = max(stats[label, cv2.CC_STAT_WIDTH], stats[label, cv2.CC_STAT_HEIGHT] / _TALL) * CELL
            table[label] = _level_for(across)
        wanted = table[labels]
    for x1, y1, x2, y2 in boxes:
        margin_x, margin_y = (x2 - x1) * _MARGIN + CELL, (y2 - y1) * _MARGIN + CELL
        across = max(x2 - x1, (y2 - y1) / _TALL)
        part = wanted[
            max(0, int((y1 - margin_y) // CELL)) : max(0, int(-(-(y2 + margin_y) // CELL))),
            max(0, int((x1 - margin_x) // CELL)) : max(0, int(-(-(x2 + margin_x) // CELL))),
        ]
        np.maximum(part, _level_for(across), out=part)
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
