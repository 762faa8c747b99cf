"""How coarse a mosaic must be: a level for every cell of a picture, by boxes and by the shape of what differs.

A picture is cut into cells of 8 pixels. Blocks are 8, 16, 32, … pixels wide, lie on the picture's grid and nest, so
that coarser always wins and no block is the outline of anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray, FloatArray

Image = NDArray[np.uint8]
Levels = NDArray[np.uint8]
"""For every cell: 0 where nothing is mosaicked; n where blocks are 8·2^(n-1) pixels wide."""

CELL: Final = 8
"""The finest block, in pixels; all masks are aligned to it."""

_LEVELS: Final = 8
_ACROSS: Final = 8
"""Blocks across the box of somebody who is wholly in view. Of whoever stands the face is at most half as wide."""
_ACROSS_FACE: Final = 3
"""Blocks across the widest face that there may be: all of what no box explains, or of a box that may be a head."""
_ACROSS_BOTH: Final = 4
"""Blocks across a box and what is beside it, which may be one face."""
_STEP: Final = 32
_STEPS: Final = np.array([value // _STEP * _STEP + _STEP // 2 for value in range(256)], np.uint8)
"""The colours of a mosaic. Blocks stand still while a face moves under them, so many frames together show more of it
than one; steps as coarse as these leave little of that."""
_TALL: Final = 3
_FACE_OF_HEIGHT: Final = 0.8
_FACE_OF_BODY: Final = 3 / 8
_HEAD_ALONE, _WHOLE_BODY = 1.5, 2.2
"""Height by width of a box: up to the first it may hold nothing but a head, from the second on it holds a body."""
_MARGIN: Final = 0.12
_GAP: Final = 5
_HOLE: Final = 0.6
_INSCRIBED: Final = 2.0
_EXPLAINED: Final = 0.5
_UPPER: Final = 0.6
_BESIDE: Final = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The connected parts of some cells, gaps and holes filled.

    Attributes:
        labels: (rows, columns) the number of the part of each cell; 0 is none.
        across: (n,) pixels; how wide each part is: the shorter side of the rectangle around it, or twice the side of
            the largest square in it where that is less (a railing that trembles is large and thin). Of 0 it is 0.
    """

    labels: NDArray[np.int32]
    across: FloatArray

    @classmethod
    def of(cls, cells: BoolArray) -> Parts:
        """The parts of ``cells`` (rows, columns)."""
        count, labels, stats, _ = cv2.connectedComponentsWithStats(_filled(cells), connectivity=8)
        framed = cv2.copyMakeBorder((labels > 0).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
        squares = 2 * cv2.distanceTransform(framed, cv2.DIST_C, 3)[1:-1, 1:-1]
        across = np.zeros(count, np.float32)
        for part in range(1, count):
            x, y, wide, high, _ = (int(v) for v in stats[part])
            window = slice(y, y + high), slice(x, x + wide)
            mine = labels[window] == part
            shorter = 1 + min(cv2.minAreaRect(cv2.findNonZero(mine.astype(np.uint8)))[1])
            across[part] = CELL * min(_INSCRIBED * float(squares[window][mine].max()), shorter)
        return cls(cast("NDArray[np.int32]", labels), across)

    def shares(self, cells: BoolArray) -> NDArray[np.float64]:
        """The share of each part that ``cells`` cover: (n,)."""
        count = len(self.across)
        sizes = np.bincount(self.labels.ravel(), minlength=count)
        return np.bincount(self.labels.ravel(), weights=cells.ravel(), minlength=count) / np.maximum(sizes, 1)

    def levels(self, across: FloatArray) -> Levels:
        """The level of each cell where ``across`` (n,) pixels of each part may be one face; 0 outside."""
        table = [0, *(level_of_side(float(width) / _ACROSS_FACE) for width in across[1:])]
        return np.array(table, np.uint8)[self.labels]


def _filled(cells: BoolArray) -> NDArray[np.uint8]:
    """``cells`` with gaps closed, and with the holes of each part filled where they are not most of it."""
    filled = cv2.morphologyEx(
        cv2.copyMakeBorder(cells.astype(np.uint8), _GAP, _GAP, _GAP, _GAP, cv2.BORDER_CONSTANT, value=(0,)),
        cv2.MORPH_CLOSE,
        np.ones((_GAP, _GAP), np.uint8),
    )
    outlines, tree = cv2.findContours(filled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    parents = tree[0][:, 3] if tree is not None else np.zeros(0, np.int32)
    areas = np.array([cv2.contourArea(outline) for outline in outlines])
    for outer in np.flatnonzero(parents < 0).tolist():
        holes = np.flatnonzero(parents == outer).tolist()
        if areas[holes].sum() <= _HOLE * areas[outer]:
            cv2.drawContours(filled, [outlines[hole] for hole in holes], -1, 1, cv2.FILLED)
    return cast("NDArray[np.uint8]", filled[_GAP:-_GAP, _GAP:-_GAP].copy())


def levels_of(differs: BoolArray, boxes: FloatArray) -> Levels:
    """The level of each cell that differs from the backdrop, gaps and holes filled, and of boxes beside such.

    A part that boxes explain by half or more is as coarse as they ask for. Any other may be nothing but a face; so may
    what is left of a part when the boxes are taken away, together with a box that it touches at its upper half: a bag
    held before a chin, a find that holds half of a head.

    Args:
        differs: (rows, columns).
        boxes: (n, 4) pixels.
    """
    explained = covered(differs.shape, boxes)
    parts, rest = Parts.of(differs), Parts.of(differs & ~explained)
    boxed = parts.shares(explained) >= _EXPLAINED
    wanted = parts.levels(np.where(boxed, np.float32(0), parts.across))
    across = rest.across.copy()
    for box in boxes if len(across) > 1 else ():
        width, upper = float(box[2] - box[0]), box.copy()
        upper[3] = box[1] + _UPPER * (box[3] - box[1])
        rows, columns = _cells_of(upper)
        ring = rest.labels[max(0, rows.start - 1) : rows.stop + 1, max(0, columns.start - 1) : columns.stop + 1]
        for part in np.unique(ring[ring > 0]).tolist():
            beside = min(float(rest.across[part]), width)
            if rest.across[part] >= max(_BESIDE * width, 2 * CELL):
                across[part] = max(across[part], (rest.across[part] + beside) * _ACROSS_FACE / _ACROSS_BOTH)
                mine = wanted[_cells_of(box)]
                np.maximum(mine, level_of_side((width + beside) / _ACROSS_BOTH), out=mine)
    return cast("Levels", np.maximum(wanted, rest.levels(across)))


def levels_of_unknown(differs: BoolArray, unknown: BoolArray, boxes: FloatArray, most: int) -> Levels:
    """As ``levels_of`` where what is not admitted is ``unknown``: it may be large, so no coarser than ``most``."""
    parts = Parts.of(differs | unknown)
    boxed = parts.shares(covered(differs.shape, boxes)) >= _EXPLAINED
    return cast("Levels", np.minimum(parts.levels(np.where(boxed, np.float32(0), parts.across)), most))


def add_boxes(wanted: Levels, boxes: FloatArray, sides: Sequence[float] = ()) -> None:
    """Raise the levels of the cells of each box, with a margin, to what the box asks for, and at least ``sides``."""
    for box, side in zip(boxes, sides if len(sides) else [0.0] * len(boxes), strict=True):
        part = wanted[_cells_of(box)]
        np.maximum(part, level_of_side(max(_side_for(box), side)), out=part)


def covered(grid: tuple[int, int], boxes: FloatArray) -> BoolArray:
    """Which cells boxes (n, 4) cover, margins included."""
    cells = np.zeros(grid, bool)
    for box in boxes:
        cells[_cells_of(box)] = True
    return cells


def _cells_of(box: FloatArray) -> tuple[slice, slice]:
    x1, y1, x2, y2 = (float(v) for v in box)
    margin_x, margin_y = (x2 - x1) * _MARGIN + CELL, (y2 - y1) * _MARGIN + CELL
    return (
        slice(max(0, int((y1 - margin_y) // CELL)), max(0, int(-(-(y2 + margin_y) // CELL)))),
        slice(max(0, int((x1 - margin_x) // CELL)), max(0, int(-(-(x2 + margin_x) // CELL)))),
    )


def _side_for(box: FloatArray) -> float:
    """How large blocks of a box (4,) must be, in pixels: an eighth of its width, a third of the widest face.

    A box much taller than wide holds a body, and the face is at most half as wide. The less tall it is, the more of it
    may be a face: of a child close to the camera, or of somebody behind a counter, the box is the head.
    """
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    body = (height / max(width, 1.0) - _HEAD_ALONE) / (_WHOLE_BODY - _HEAD_ALONE)
    face = min(width * (1 - (1 - _FACE_OF_BODY) * min(max(body, 0.0), 1.0)), _FACE_OF_HEIGHT * height)
    return max(width / _ACROSS, height / _TALL / _ACROSS, face / _ACROSS_FACE)


def level_of_side(side: float) -> int:
    """The level whose blocks are at least ``side`` pixels wide, and at least 8."""
    level = 1
    while level < _LEVELS and (CELL << (level - 1)) < side:
        level += 1
    return level


def whole_blocks(wanted: Levels) -> Levels:
    """A block that holds one cell of its level is mosaicked wholly, at that level."""
    rows, columns = wanted.shape
    result = wanted.copy()
    for level in range(2, int(wanted.max(initial=0)) + 1):
        side = 1 << (level - 1)
        padded = np.zeros((-(-rows // side) * side, -(-columns // side) * side), bool)
        padded[:rows, :columns] = result >= level
        blocks = padded.reshape(padded.shape[0] // side, side, -1, side).any(axis=(1, 3))
        grown = spread(cast("BoolArray", blocks), side, wanted.shape)
        np.maximum(result, grown.astype(np.uint8) * np.uint8(level), out=result)
    return result


# ---- cells and pixels ------------------------------------------------------------------------------------------------


def grid_of(bgr: Image) -> tuple[int, int]:
    return -(-bgr.shape[0] // CELL), -(-bgr.shape[1] // CELL)


def share_of_cells(values: BoolArray, grid: tuple[int, int]) -> FloatArray:
    """The share of each cell in which ``values`` (h, w) is true, to a 255th; 0 only where none is."""
    (height, width), (rows, columns) = values.shape, grid
    white = values.view(np.uint8) * np.uint8(255)
    padded = cv2.copyMakeBorder(white, 0, rows * CELL - height, 0, columns * CELL - width, cv2.BORDER_REPLICATE)
    means = cv2.resize(padded, (columns, rows), interpolation=cv2.INTER_AREA)
    return cast("FloatArray", means.astype(np.float32) / np.float32(255))


def spread(blocks: BoolArray, side: int, shape: tuple[int, int]) -> BoolArray:
    """Each of ``blocks`` ``side`` times in both directions, cut to ``shape``; false where they do not reach."""
    spread = blocks.repeat(side, axis=0).repeat(side, axis=1)[: shape[0], : shape[1]]
    result = np.zeros(shape, bool)
    result[: spread.shape[0], : spread.shape[1]] = spread
    return result


def painted_over(ground: Image, bgr: Image, levels: Levels, *, steps: bool = False) -> Image:
    """``ground`` with the mosaic of ``bgr`` over it where ``levels`` says so; ``steps``: in eight shades a channel."""
    result = ground.copy()
    for level in range(1, _LEVELS + 1):
        mask = levels == level
        if mask.any():
            cv2.copyTo(
                _pixelated(bgr, CELL << (level - 1), steps=steps),
                spread(mask, CELL, bgr.shape[:2]).view(np.uint8),
                result,
            )
    return result


def in_steps(bgr: Image) -> Image:
    """``bgr`` in the eight shades a channel of a reviewer's mosaic."""
    return cast("Image", cv2.LUT(bgr, _STEPS))


def _pixelated(bgr: Image, side: int, *, steps: bool) -> Image:
    """Means over blocks of ``side`` pixels, aligned to the picture's corner."""
    height, width = bgr.shape[:2]
    rows, columns = -(-height // side), -(-width // side)
    padded = cv2.copyMakeBorder(bgr, 0, rows * side - height, 0, columns * side - width, cv2.BORDER_REPLICATE)
    small = cv2.resize(padded, (columns, rows), interpolation=cv2.INTER_AREA)
    if steps:
        small = in_steps(cast("Image", small))
    large = cv2.resize(small, (columns * side, rows * side), interpolation=cv2.INTER_NEAREST)
    return cast("Image", large[:height, :width])
