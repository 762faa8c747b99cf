"""How a confirmed backdrop follows what has changed for good: a car that left, a bench that came.

Every ten seconds (thirty, where nothing differs) the picture is compared with the confirmed backdrop, block by block,
in a quarter of its size and under its light. Only for blocks that differ, and in which nothing moves, candidate
pixels are kept. They are ready after **30 minutes without motion or detection**. What counts as motion is more than
what opens the gate:

* any motion or detection that perception reported since the last look, in the block or beside it;
* a handful of neighbouring pixels that differ from the candidate: somebody who sits still shifts a shoulder, and turns
  a head, and the clock starts again;
* any of that in any block of the same region. A region is all blocks that differ and touch, so a coat that does not
  move is not taken in while its sleeve does. A region is renewed as a whole, or not at all.

Where a quarter of the picture differs, nothing is renewed: that is another season or another view, and an operator's to
say. What is left: whoever does not move by a few pixels for 30 minutes is taken for a thing, unless the detector finds
them in the renewed picture, which is looked at closely before it is published.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray, FloatArray
from watchglass.core.time import MINUTE, SECOND
from watchglass.views.backdrop import BLOCK, QUIET_MS, Backdrop
from watchglass.views.light import light_of_samples

Image = NDArray[np.uint8]
Block = tuple[int, int]
"""Row and column."""

LOOK_MS: Final = 10 * SECOND
SELDOM_MS: Final = 30 * SECOND
"""Where nothing differs, a look every so often is enough."""

_LONGEST_MS: Final = MINUTE
"""A gap longer than this is one in which nobody knows what moved."""

_FEWEST_LOOKS: Final = 90
"""Half of those that 30 minutes have."""

_QUARTER: Final = 4
_DIFFERS: Final = 24
_SHARE, _SHARE_LEFT = 0.10, 0.04
"""A block differs if a tenth of its pixels, each the mean of four by four, are so far from the backdrop; and until less
than a twenty-fifth are."""

_MOVED: Final = 16
_MOVED_PIXELS: Final = 8
_CLUMP: Final = 3
"""Pixels so far from the candidate, with so many like them among their neighbours (of nine), have moved."""

_MOST: Final = 0.25
"""The share of blocks that may differ. (Blocks that are grey count apart.)"""

_MOST_HELD: Final = 0.5
"""The share of blocks that are held at most, grey ones too."""


@dataclass(slots=True, eq=False)
class _Candidate:
    """What a block shows since it differs, under the backdrop's light: 3 KiB."""

    bgr: Image
    looks: int = 1


class Renewal:
    """Watches one view with a confirmed backdrop. Deterministic: the same looks give the same blocks.

    It keeps the backdrop in a quarter of its size and 3 KiB for each block that differs: 0.5 MB at 1080p, and at most
    3.2 MB more.

    Args:
        published: the confirmed backdrop. It is not kept.
        stride: see ``perception.ports.stride_of``.
    """

    def __init__(self, published: Backdrop, stride: int) -> None:
        width, height = published.size
        self._size = (width, height)
        self._grid = -(-height // BLOCK), -(-width // BLOCK)
        self._stride = stride
        self._stirred: BoolArray | None = None
        self._quiet_since = np.zeros(self._grid, np.int64)
        self._candidates: dict[Block, _Candidate] = {}
        self._regions: NDArray[np.int32] = np.zeros(self._grid, np.int32)
        self._last_ms: int | None = None
        self.rebase(published)

    def rebase(self, published: Backdrop) -> None:
        """Compare with this backdrop from now on; what is known of the picture stays known."""
        self._reference = _small(published.bgr)
        self._grey = _by_block(_small(published.admitted.astype(np.uint8) * 255) < 255) > 0  # noqa: PLR2004 # opaque
        self._usable = ~self._grey.repeat(BLOCK // _QUARTER, axis=0).repeat(BLOCK // _QUARTER, axis=1)

    def due(self, at_ms: int) -> bool:
        """Whether it is time to look: every ten seconds, or every thirty where nothing differs."""
        every = LOOK_MS if self._candidates else SELDOM_MS
        return self._last_ms is None or not 0 <= at_ms - self._last_ms < every

    def stir(self, moving: BoolArray) -> None:
        """Something moved or was found there (strided luma) since the last look."""
        if self._stirred is None or self._stirred.shape != moving.shape:
            self._stirred = moving.copy()
        else:
            self._stirred |= moving

    def look(self, at_ms: int, bgr: Image, masked: BoolArray) -> None:
        """Compare one picture.

        Args:
            at_ms: capture time.
            bgr: (h, w, 3).
            masked: (h, w), where something is followed or moves now.
        """
        if bgr.shape[1::-1] != self._size:
            raise ValueError(f"this view is {self._size[0]} by {self._size[1]}, not {bgr.shape}")
        last, self._last_ms = self._last_ms, at_ms
        if last is None or not 0 < at_ms - last <= _LONGEST_MS:
            self._quiet_since[:] = at_ms
            self._candidates.clear()
        small = _small(bgr)
        touched = self._touched(masked)
        known = self._known()
        gains, differs = self._compare(small, touched | known, known)
        differs &= ~self._grey
        differs = self._grey | differs if differs.mean() <= _MOST else np.zeros(self._grid, bool)
        if differs.mean() > _MOST_HELD:
            differs[:] = False
        count, regions = cv2.connectedComponents(differs.astype(np.uint8), connectivity=8)
        self._regions = np.asarray(regions, np.int32)
        moved = touched | self._moved(at_ms, bgr, gains, differs & ~touched)
        for number in range(1, count):
            region = self._regions == number
            if (moved & region).any():
                moved |= region
        self._quiet_since[moved] = at_ms
        for block in [each for each in self._candidates if moved[each] or not differs[each]]:
            del self._candidates[block]

    def ready(self, at_ms: int) -> list[BoolArray]:
        """The regions whose 30 minutes are over: (rows, columns) of blocks each."""
        quiet = at_ms - self._quiet_since >= QUIET_MS
        seen = np.zeros(self._grid, bool)
        for block, candidate in self._candidates.items():
            seen[block] = candidate.looks >= _FEWEST_LOOKS
        regions = (self._regions == number for number in range(1, int(self._regions.max(initial=0)) + 1))
        return [region for region in regions if (quiet & seen)[region].all()]

    def renewed(self, published: Backdrop, region: BoolArray) -> Backdrop:
        """``published`` with the blocks of a region that is ready as they are now."""
        bgr, admitted = published.bgr.copy(), published.admitted.copy()
        for block in zip(*np.nonzero(region), strict=True):
            there = _pixels(block)
            shape = bgr[there].shape
            bgr[there] = self._candidates[block].bgr[: shape[0], : shape[1]]
            admitted[there] = True
        return Backdrop(bgr, admitted)

    def forget(self, region: BoolArray) -> None:
        """Begin anew with a region: it was published, or may not be."""
        assert self._last_ms is not None  # there are regions only after a look
        self._quiet_since[region] = self._last_ms
        for block in [each for each in self._candidates if region[each]]:
            del self._candidates[block]

    # ---- one look --------------------------------------------------------------------------------------------------

    def _touched(self, masked: BoolArray) -> BoolArray:
        """Blocks in which something was since the last look, and those beside them."""
        half = np.ascontiguousarray(masked.view(np.uint8)[::2, ::2])
        touched = _by_block(_padded(half, BLOCK // 2), BLOCK // 2) > 0
        if self._stirred is not None:
            rows, columns = np.nonzero(self._stirred)
            first, stride = self._stride // 2, self._stride
            touched[(first + rows * stride) // BLOCK, (first + columns * stride) // BLOCK] = True
            self._stirred = None
        return cast("BoolArray", cv2.dilate(touched.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool))

    def _known(self) -> BoolArray:
        known = np.zeros(self._grid, bool)
        for block in self._candidates:
            known[block] = True
        return known

    def _compare(self, small: Image, hidden: BoolArray, known: BoolArray) -> tuple[FloatArray, BoolArray]:
        """By what each block's pixels are multiplied to stand in the backdrop's light, and which blocks differ then.

        The light is that of what does not differ. A block that differs already does so until less is left of it.
        """
        gains = self._gains(small, hidden)
        share = self._differing(small, gains)
        if (share > _SHARE).any():
            gains = self._gains(small, hidden | (share > _SHARE))
            share = self._differing(small, gains)
        return gains, share > np.where(known, _SHARE_LEFT, _SHARE)

    def _gains(self, small: Image, hidden: BoolArray) -> FloatArray:
        free = (~hidden).repeat(BLOCK // _QUARTER, axis=0).repeat(BLOCK // _QUARTER, axis=1)
        field = light_of_samples(self._reference, small, self._usable & free)
        rows, columns = self._grid
        return (1 / cv2.resize(field, (columns, rows), interpolation=cv2.INTER_LINEAR)).astype(np.float32)

    def _differing(self, small: Image, gains: FloatArray) -> FloatArray:
        rows, columns = small.shape[:2]
        factors = cv2.resize(gains, (columns, rows), interpolation=cv2.INTER_LINEAR)
        even = cv2.multiply(small, cv2.merge([factors] * 3), dtype=cv2.CV_8U)
        return _by_block(cv2.absdiff(even, self._reference).max(axis=2) > _DIFFERS)

    def _moved(self, at_ms: int, bgr: Image, gains: FloatArray, watched: BoolArray) -> BoolArray:
        """Which of the watched blocks do not show what they showed; new ones begin to be watched."""
        moved = np.zeros(self._grid, bool)
        for block in zip(*np.nonzero(watched), strict=True):
            now = cast("Image", cv2.convertScaleAbs(bgr[_pixels(block)], alpha=float(gains[block])))
            known = self._candidates.get(block)
            if known is None:
                self._candidates[block] = _Candidate(now)
                self._quiet_since[block] = at_ms
            else:
                moved[block] = not _agrees(known, now)
        return moved


def spread(region: BoolArray, size: tuple[int, int]) -> BoolArray:
    """(rows, columns) of blocks to (h, w) of a picture of ``size``."""
    return region.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)[: size[1], : size[0]]


def _agrees(known: _Candidate, now: Image) -> bool:
    """Whether a block still shows what it showed; if so its pixels move one level towards it, and so to the median."""
    far = (cv2.absdiff(now, known.bgr).max(axis=2) > _MOVED).astype(np.uint8)
    if cv2.countNonZero(far) > _MOVED_PIXELS:
        around = cv2.boxFilter(far, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        if int(((around >= _CLUMP) & (far > 0)).sum()) > _MOVED_PIXELS:
            return False
    known.bgr += (now > known.bgr).view(np.uint8)
    known.bgr -= (now < known.bgr).view(np.uint8)
    known.looks += 1
    return True


def _pixels(block: Block) -> tuple[slice, slice]:
    row, column = int(block[0]) * BLOCK, int(block[1]) * BLOCK
    return slice(row, row + BLOCK), slice(column, column + BLOCK)


def _padded(values: Image, side: int) -> Image:
    """(h, w[, 3]) with its border repeated, so that blocks of ``side`` are whole."""
    height, width = values.shape[:2]
    down, right = -height % side, -width % side
    return cast("Image", cv2.copyMakeBorder(values, 0, down, 0, right, cv2.BORDER_REPLICATE))


def _small(values: Image) -> Image:
    """Means of four by four pixels, in whole blocks."""
    height, width = values.shape[:2]
    whole = _padded(values, _QUARTER) if height % _QUARTER or width % _QUARTER else values
    size = whole.shape[1] // _QUARTER, whole.shape[0] // _QUARTER
    return _padded(cast("Image", cv2.resize(whole, size, interpolation=cv2.INTER_AREA)), BLOCK // _QUARTER)


def _by_block(values: NDArray[np.bool_] | Image, side: int = BLOCK // _QUARTER) -> FloatArray:
    """The share of each block of ``side`` that is true."""
    rows, columns = values.shape[0] // side, values.shape[1] // side
    return np.asarray(values.reshape(rows, side, columns, side).mean(axis=(1, 3)), np.float32)
