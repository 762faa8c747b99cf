"""The reviewer's view: confirmed backdrop, and a mosaic over everything else.

What is not mosaicked is not the camera's picture at all but the confirmed backdrop under the light of now. So a
person whom the detector misses, or whose clothes hardly differ from the ground, is in no case shown: the worst that a
miss can do is to leave the empty scene in the reviewer's view. A frame that no confirmed backdrop explains is withheld.
A mosaic is not anonymity: gait, clothes and company can still tell a person to somebody who knows them.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray, FloatArray
from watchglass.views.backdrop import Backdrop
from watchglass.views.blocks import (
    CELL,
    Levels,
    add_boxes,
    covered,
    grid_of,
    level_of_side,
    levels_of,
    levels_of_unknown,
    painted_over,
    share_of_cells,
    spread,
    whole_blocks,
)
from watchglass.views.light import LIMITS, light, relight

Image = NDArray[np.uint8]

_NOISE, _NOISE_OF_BRIGHT, _SHARE_OF_EDGE = 15.5, 1 / 16, 0.5
"""Levels by which a pixel may differ: so many, and shares of its brightness and of what the backdrop changes there."""
_SHARE_OF_CELL: Final = 0.06
_MOST_OF_CELL: Final = 0.5
_BLOCKS_WITHOUT_BACKDROP: Final = 32
_FLAT_LEVELS: Final = 6
HOLD_MS: Final = 400
"""How long a mask stays after its cause, so that a miss of some frames shows nothing."""

MOST_DIFFERS: Final = 0.5
"""A frame of which more than this share differs from the backdrop, boxes apart, is withheld."""
_LEAST_JUDGED: Final = 0.05

NO_SUCH_SIZE: Final = "its size is not that of the confirmed empty scene"
OTHER_LIGHT: Final = "its light is too far from that of the confirmed empty scene"
OTHER_VIEW: Final = "too much of it differs from the confirmed empty scene"

_PLATE, _INK = (205, 203, 200), (70, 66, 60)


def mosaic(bgr: Image, backdrop: Backdrop | None, boxes: FloatArray) -> tuple[Image, float]:
    """One frame for a reviewer.

    Args:
        bgr: (h, w, 3) the camera's picture.
        backdrop: the confirmed backdrop; without one the whole frame is mosaicked.
        boxes: (n, 4) of things in view, pixels.

    Returns:
        The picture, and the share of it that is mosaicked (0..1). A frame that is withheld is a plate with words, and
        its share is 1.
    """
    return MosaicMaker(backdrop).frame(0, bgr, boxes)


def veil(backdrop: Backdrop, boxes: FloatArray, sides: Sequence[float] = ()) -> Backdrop:
    """``backdrop`` with ``boxes`` (n, 4) mosaicked: parked vehicles and readable text, before it is confirmed.

    Args:
        backdrop: what was learned.
        boxes: (n, 4) of what must not be seen, pixels.
        sides: for each box how large its blocks must be at least, in pixels, and never less than the box itself asks
            for: for text the height of a letter, which leaves of each letter its mean. Empty: as the boxes ask.
    """
    levels = np.zeros(grid_of(backdrop.bgr), np.uint8)
    add_boxes(levels, boxes, sides)
    return Backdrop(painted_over(backdrop.bgr, backdrop.bgr, whole_blocks(levels)), backdrop.admitted)


def plate(size: tuple[int, int], why: str) -> Image:
    """What stands in the place of a frame that is withheld: (h, w, 3), even grey, and why in words."""
    width, height = size
    picture = np.full((height, width, 3), _PLATE, np.uint8)
    scale = max(0.3, min(width / 800, height / 450) * 0.7)
    font, thick = cv2.FONT_HERSHEY_SIMPLEX, max(1, round(scale * 1.8))
    lines: list[str] = []
    for word in f"This picture is withheld, because {why}.".split():
        longer = f"{lines[-1]} {word}" if lines else word
        fits = lines and cv2.getTextSize(longer, font, scale, thick)[0][0] <= width * 0.8
        lines[-1:] = [longer] if fits else [*lines[-1:], word]
    for number, line in enumerate(lines):
        (wide, high), _ = cv2.getTextSize(line, font, scale, thick)
        at = (width - wide) // 2, round(height / 2 + (number - (len(lines) - 1) / 2) * 2 * high)
        cv2.putText(picture, line, at, font, scale, _INK, thick, cv2.LINE_AA)
    return picture


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """A confirmed backdrop in the size of the frames.

    Attributes:
        backdrop: see there.
        known: (rows, columns) which cells it admits wholly.
        veiled: the least level of each cell: what was mosaicked in the backdrop gets no finer blocks in a frame.
    """

    backdrop: Backdrop
    known: BoolArray
    veiled: Levels

    @classmethod
    def of(cls, backdrop: Backdrop, size: tuple[int, int]) -> _View | None:
        """For frames of ``size`` (width, height); None if they are of another shape, or larger."""
        fitted = scaled(backdrop, size)
        if fitted is None:
            return None
        unknown = share_of_cells(~fitted.admitted, grid_of(fitted.bgr))
        veiled = _veiled(backdrop)
        scale = size[0] / backdrop.size[0]
        least = np.zeros(unknown.shape, np.uint8)
        for level in range(1, int(veiled.max(initial=0)) + 1):
            there = (veiled == level).astype(np.float32)
            if not there.any():
                continue
            if scale < 1:
                there = cv2.resize(there, unknown.shape[::-1], interpolation=cv2.INTER_AREA)
            here = cv2.dilate((there > 0).astype(np.uint8), np.ones((3, 3), np.uint8))
            np.maximum(least, here * np.uint8(level_of_side(scale * (CELL << (level - 1)))), out=least)
        return cls(fitted, unknown == 0, least)


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """A frame against one view.

    Attributes:
        view: None where there is no backdrop at all.
        ground: the view's backdrop under the light of the frame.
        differs: (rows, columns) in which cells the frame differs.
        unlike: in what share of them, boxes apart.
        why: why the view does not fit; "" if it does.
    """

    view: _View | None
    ground: Image
    differs: BoolArray
    unlike: float
    why: str


class MosaicMaker:
    """Mosaics the frames of one source one after the other; masks stay for a moment after their cause.

    Args:
        backdrops: the confirmed backdrop, or those of several views of the camera (day, infrared, …); a frame that none
            of them explains is withheld. They may be larger than the frames. None: everything is mosaicked.
        hold_ms: how long masks and boxes stay.

    Attributes:
        withheld: how many frames were withheld, for each reason.
    """

    def __init__(self, backdrops: Backdrop | Sequence[Backdrop] | None, hold_ms: int = HOLD_MS) -> None:
        self.withheld: Counter[str] = Counter()
        self._backdrops = [backdrops] if isinstance(backdrops, Backdrop) else list(backdrops or ())
        self._hold_ms = hold_ms
        self._size: tuple[int, int] | None = None
        self._views: list[_View] = []
        self._recent: deque[tuple[int, BoolArray, FloatArray]] = deque()
        self._doubts: dict[int, str] = {}

    def withhold(self, at_ms: int, why: str) -> None:
        """Withhold the frame of ``at_ms`` when its turn comes, whatever it shows: it is damaged, say."""
        self._doubts[at_ms] = why

    def frame(self, at_ms: int, bgr: Image, boxes: FloatArray) -> tuple[Image, float]:
        """As ``mosaic``, with what differed, and the boxes, of the last ``hold_ms`` added."""
        self._fit(bgr)
        if self._recent and self._recent[-1][0] > at_ms:
            self._recent.clear()
        while self._recent and self._recent[0][0] < at_ms - self._hold_ms:
            self._recent.popleft()
        doubt = self._doubts.pop(at_ms, "")
        judged = self._judge(bgr, boxes)
        why = doubt or judged.why
        # What a withheld frame shows is not what is there.
        self._recent.append((at_ms, np.zeros_like(judged.differs) if why else judged.differs, boxes))
        if why:
            self.withheld[why] += 1
            return plate((bgr.shape[1], bgr.shape[0]), why), 1.0
        differs = cast("BoolArray", np.logical_or.reduce([cells for _, cells, _ in self._recent]))
        held = np.concatenate([boxes for _, _, boxes in self._recent])
        levels = _levels(differs, judged.view, held, bgr)
        return painted_over(judged.ground, bgr, levels, steps=True), float(
            spread(levels > 0, CELL, bgr.shape[:2]).mean()
        )

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

    def _fit(self, bgr: Image) -> None:
        """Bring the backdrops to the size of the frames."""
        size = (bgr.shape[1], bgr.shape[0])
        if size != self._size:
            self._size = size
            self._recent.clear()
            self._views = [view for b in self._backdrops if (view := _View.of(b, size)) is not None]

    def _judge(self, bgr: Image, boxes: FloatArray) -> _Judged:
        """The frame against the view that explains it; the last one that did is asked first."""
        nothing = np.zeros(grid_of(bgr), bool)
        if not self._backdrops:
            return _Judged(None, np.zeros_like(bgr), nothing, 0.0, "")
        best = _Judged(None, bgr, nothing, np.inf, NO_SUCH_SIZE)
        for view in self._views:
            judged = _against(view, bgr, boxes)
            if not judged.why:
                self._views.sort(key=lambda other, fits=view: other is not fits)  # type: ignore[misc] # lambda
                return judged
            best = min(best, judged, key=lambda each: each.unlike)
        return best


def scaled(backdrop: Backdrop, size: tuple[int, int]) -> Backdrop | None:
    """The backdrop in the size (width, height) of smaller frames; None where the shape is another, or it is smaller.

    A pixel stays admitted only if all that it is made of was.
    """
    if backdrop.size == size:
        return backdrop
    (width, height), (wide, high) = size, backdrop.size
    if width > wide or abs(width * high - height * wide) > max(wide, high):
        return None
    picture = cv2.resize(backdrop.bgr, size, interpolation=cv2.INTER_AREA)
    whole = cv2.resize(backdrop.admitted.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return Backdrop(picture.astype(np.uint8), np.asarray(whole > 0.999))  # noqa: PLR2004 # all of them, but for rounding


# ---- what differs ----------------------------------------------------------------------------------------------------


def _against(view: _View, bgr: Image, boxes: FloatArray) -> _Judged:
    """``bgr`` against one view.

    A pixel differs when it is farther from the backdrop than noise (more where it is bright) and than half of what the
    backdrop changes from this pixel to the next, so that a camera that trembles does not unsettle every edge.
    """
    field = light(view.backdrop.bgr, bgr, view.backdrop.admitted)
    ground = relight(view.backdrop.bgr, field)
    calm = cv2.blur(ground, (3, 3))
    edges = cv2.morphologyEx(calm, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    allowed = cv2.addWeighted(calm, _NOISE_OF_BRIGHT, edges, _SHARE_OF_EDGE, _NOISE)
    over = cv2.subtract(cv2.absdiff(cv2.blur(bgr, (3, 3)), calm), allowed)
    alike = cv2.inRange(over, (0, 0, 0), (0, 0, 0))
    share = share_of_cells((alike == 0) & view.backdrop.admitted, grid_of(bgr))
    marked = (share >= _SHARE_OF_CELL).astype(np.uint8)
    around = cv2.filter2D(marked, -1, np.ones((3, 3)), borderType=cv2.BORDER_CONSTANT)
    marked[(around <= 1) & (share < _MOST_OF_CELL)] = 0
    differs = marked.astype(bool)
    judged = view.known & ~covered(differs.shape, boxes)
    unlike = float(differs[judged].mean()) if judged.mean() >= _LEAST_JUDGED else 0.0
    why = OTHER_VIEW if unlike > MOST_DIFFERS else ""
    # One part of the field may be somebody close by.
    if ((field <= LIMITS[0]) | (field >= LIMITS[1])).mean() > MOST_DIFFERS:
        why = OTHER_LIGHT
    return _Judged(view, ground, differs, unlike, why)


def _veiled(backdrop: Backdrop) -> Levels:
    """The level of the blocks in which each cell of a backdrop was mosaicked before it was confirmed; 0 if it was not.

    A mosaicked block is one colour and has neighbours of other colours; so has hardly anything that was filmed. What is
    black or burnt out is even by itself.
    """
    result = np.zeros(grid_of(backdrop.bgr), np.uint8)
    height, width = backdrop.admitted.shape
    for level in range(1, _FLAT_LEVELS + 1):
        side = CELL << (level - 1)
        rows, columns = height // side, width // side
        if not rows or not columns:
            break
        blocks = backdrop.bgr[: rows * side, : columns * side].reshape(rows, side, columns, side, 3)
        colour = blocks[:, 0, :, 0]
        even = (blocks == colour[:, None, :, None]).all(axis=(1, 3, 4))
        even &= backdrop.admitted[: rows * side, : columns * side].reshape(rows, side, columns, side).all(axis=(1, 3))
        even &= (colour > 0).any(axis=2) & (colour < 255).any(axis=2)  # noqa: PLR2004  (burnt out)
        if not even.any():
            break
        alone = np.zeros_like(even)
        for axis in (0, 1):
            step = (np.diff(colour.astype(np.int16), axis=axis) != 0).any(axis=2)
            before, after = (slice(None, -1), slice(1, None))
            alone[(after, slice(None)) if axis == 0 else (slice(None), after)] |= step
            alone[(before, slice(None)) if axis == 0 else (slice(None), before)] |= step
        cells = spread(even & alone, side // CELL, result.shape)
        result[cells] = level
    return result


# ---- how coarse ------------------------------------------------------------------------------------------------------


def _levels(differs: BoolArray, view: _View | None, boxes: FloatArray, bgr: Image) -> Levels:
    """The block level of every cell. Coarser wins; blocks are whole.

    Args:
        differs: (rows, columns) cells in which the frame differs from the backdrop.
        view: what it differs from; None where there is no backdrop: then everything is mosaicked.
        boxes: (n, 4) of things, pixels; each gets blocks for its own size.
        bgr: the frame.
    """
    whole = level_of_side(max(bgr.shape[:2]) / _BLOCKS_WITHOUT_BACKDROP)
    if view is None:
        wanted = np.full(differs.shape, whole, np.uint8)
    else:
        wanted = levels_of(differs, boxes)
        if not view.known.all():
            np.maximum(wanted, levels_of_unknown(differs, ~view.known, boxes, whole), out=wanted)
        wanted = cast("Levels", cv2.dilate(wanted, np.ones((3, 3), np.uint8)))
    add_boxes(wanted, boxes)
    if view is not None:
        np.maximum(wanted, view.veiled, out=wanted, where=wanted > 0)
    return whole_blocks(wanted)
