"""Where the detector looks next: the whole picture, or a window of it in which small things are large enough.

A large picture, made as small as the detector reads it, hides people who are less than about a twentieth of its height.
So what asks to be looked at is written down as ``Need``: a place, how fine a look must be, and what is at stake. What
nobody has looked at finely enough for long weighs more and more, so nothing waits for ever. Each time the window is
chosen that settles most for what it costs. Pure: the same calls give the same windows.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray, FloatArray

SMALL_PICTURE: Final = 800
"""Up to this longer side the whole picture is fine enough: windows bring next to nothing (PETS, 768 x 576)."""

SHAPES: Final = ((416, 256), (320, 320), (256, 416))
"""Width and height of a window as the detector sees it; all cost about the same."""

SEEN: Final = 26.0
"""From so many pixels on, along its longer side, a person is mostly found; as the detector sees them."""

_FOUND_FIRST: Final = 32.0
"""Whoever is new is looked for at so many: more is found twice in a row."""

_LARGEST: Final = 70.0
"""What is wider than tall, a vehicle, is found less and less beyond so many (raw renders: half at 80)."""

_TOO_FINE: Final = 0.3
_ASPECT: Final = 0.9
_COARSE: Final = 320
"""A look at the whole picture for what is very large in it."""

_SCALES: Final = (1.0, 1.5, 0.75)
"""What moves and was not found is looked at again at another scale."""

_UNKNOWN_MS: Final = 2_000
_NEW_MS: Final = 3_000
_FOUND_AGAIN: Final = 18.0
"""Whoever is followed already is found again from so many pixels on, more often than not."""

GOAL: Final = 44.0
"""And beyond so many, more bring nothing."""

_MEMORY_MS: Final = 20_000
_WHOLE_MS: Final = 2_000
_LONG_MS: Final = 4_000
_LARGE_MS: Final = 4_000
_STAKE_WHOLE: Final = 2.0
_STAKE_TENTATIVE: Final = 3.0
_STAKE_MOVING: Final = 2.0
_STAKE_FOLLOWED: Final = 1.0
_STAKE_CORNER: Final = 0.2
_LEAST_SIDE: Final = 40.0
_LEAST_CLUMP: Final = 2
_COVERED: Final = 0.5
_MARGIN: Final = 0.15
_MOSTLY: Final = 0.6
_JUST: Final = 0.75
_FINENESS: Final = (0.1, 0.7)
_CANDIDATES: Final = 8


@dataclass(frozen=True, slots=True)
class Look:
    """One look of the detector.

    Attributes:
        x1, y1, x2, y2: the window, pixels of the picture.
        side: its longer side as the detector sees it.
        at_ms: capture time.
        whole: it is the whole picture.
    """

    x1: int
    y1: int
    x2: int
    y2: int
    side: int
    at_ms: int = 0
    whole: bool = False

    @property
    def scale(self) -> float:
        """Pixels that the detector sees for each of the picture's."""
        return self.side / max(self.x2 - self.x1, self.y2 - self.y1)

    def holds(self, boxes: FloatArray) -> BoolArray:
        """Which boxes (n, 4) lie wholly within the window."""
        inside: BoolArray = (
            (boxes[:, 0] >= self.x1) & (boxes[:, 1] >= self.y1) & (boxes[:, 2] <= self.x2) & (boxes[:, 3] <= self.y2)
        )
        return inside

    def finds(self, boxes: FloatArray) -> BoolArray:
        """Which things (n, 4) would be found: wholly within the window, and large enough."""
        if self.whole:
            # What stands half outside the picture is looked for in it all the same.
            return _longer(boxes) * self.scale >= SEEN
        return self.holds(boxes) & (_longer(boxes) * self.scale >= SEEN)

    def uncut(self, boxes: FloatArray, size: tuple[int, int]) -> BoolArray:
        """Which found boxes (n, 4) are not cut off by an edge of the window that is none of the picture's."""
        edge = 2 / self.scale
        width, height = size
        cut = (
            ((boxes[:, 0] <= self.x1 + edge) & (self.x1 > 0))
            | ((boxes[:, 1] <= self.y1 + edge) & (self.y1 > 0))
            | ((boxes[:, 2] >= self.x2 - edge) & (self.x2 < width))
            | ((boxes[:, 3] >= self.y2 - edge) & (self.y2 < height))
        )
        return ~cut


@dataclass(frozen=True, slots=True)
class Needs:
    """What asks to be looked at.

    Attributes:
        boxes: (n, 4) pixels.
        finest: (n,) the scale from which a look settles it.
        wanted: (n,) the scale that would be best.
        coarsest: (n,) the scale beyond which less is found again.
        stakes: (n,)
    """

    boxes: FloatArray
    finest: NDArray[np.float64]
    wanted: NDArray[np.float64]
    coarsest: NDArray[np.float64]
    stakes: NDArray[np.float64]


@dataclass(slots=True)
class _Stir:
    box: FloatArray
    since_ms: int
    at_ms: int
    tries: int = 0


class Stirs:
    """What moves, from motion to motion, and what has stopped just now: until it is known, or has gone."""

    def __init__(self) -> None:
        self._stirs: list[_Stir] = []

    def reset(self) -> None:
        """Nothing has moved."""
        self._stirs.clear()

    def see(self, at_ms: int, clumps: FloatArray, margin: float = 0.0) -> None:
        """Take in where something moves at ``at_ms``.

        Args:
            at_ms: capture time.
            clumps: (n, 4) pixels, from ``clumps_of``.
            margin: how many pixels they are too large on every side.
        """
        former = [s for s in self._stirs if at_ms - s.at_ms <= _UNKNOWN_MS]
        boxes = np.array([s.box for s in former], np.float32).reshape(-1, 4)
        meets = _meet(clumps, boxes)
        half = np.minimum(margin, (clumps[:, 2:] - clumps[:, :2]) / 4)
        inner = np.concatenate([clumps[:, :2] + half, clumps[:, 2:] - half], axis=1).astype(np.float32)
        now = []
        for box, met in zip(inner, meets, strict=True):
            same = [s for s, m in zip(former, met, strict=True) if m]
            since_ms = min((s.since_ms for s in same), default=at_ms)
            now.append(_Stir(box, since_ms, at_ms, max((s.tries for s in same), default=0)))
        left = [s for s, gone in zip(former, np.asarray(meets.any(axis=0)), strict=True) if not gone]
        self._stirs = now + left

    def looked(self, look: Look) -> None:
        """The detector has looked there."""
        for stir in self._stirs:
            stir.tries += int(look.finds(stir.box[None])[0])

    def at(self, at_ms: int) -> tuple[FloatArray, NDArray[np.int64]]:
        """Boxes (n, 4) of what has moved lately, and how often each was looked at (n,)."""
        lately = [s for s in self._stirs if at_ms - s.at_ms <= _UNKNOWN_MS]
        boxes = np.array([s.box for s in lately], np.float32).reshape(-1, 4)
        return boxes, np.array([s.tries for s in lately], np.int64)

    def unknown(self, at_ms: int, followed: FloatArray, size: tuple[int, int]) -> bool:
        """Whether something new has begun to move that is not followed: boxes (m, 4)."""
        new = [s.box for s in self._stirs if at_ms - s.since_ms <= _NEW_MS and at_ms - s.at_ms <= _UNKNOWN_MS]
        boxes = np.array(new, np.float32).reshape(-1, 4)
        return bool((_covered(boxes, _wider(followed, size)) < _COVERED).any())


class Regions:
    """Chooses the looks of one source.

    Args:
        size: (width, height) of its pictures.
        side: the longer side at which the detector reads a whole picture.
        postures: rules about postures run. Whoever is large in the picture is then looked at whole, two times of three,
            and for some seconds after they have moved: a window that follows what moves cuts off who falls out of it.
    """

    def __init__(self, size: tuple[int, int], side: int, *, postures: bool = False) -> None:
        self._postures = postures
        self._large_ms = -(10**9)
        self._size = size
        self._side = side
        self._looks: deque[Look] = deque()
        self._corners = _corners(size)

    def reset(self) -> None:
        """Nothing has been looked at yet."""
        self._looks.clear()

    def next(
        self,
        at_ms: int,
        moving: FloatArray,
        followed: FloatArray,
        confirmed: BoolArray,
        tries: NDArray[np.int64] | None = None,
    ) -> Look:
        """The next look.

        Args:
            at_ms: capture time of the picture that will be looked at.
            moving: (n, 4) where something moves.
            followed: (m, 4) where tracks are expected.
            confirmed: (m,) which of them have been found more than once.
            tries: (n,) how often what moves was looked at already.
        """
        look = self._choose(at_ms, moving, followed, confirmed, tries)
        self._looks.append(look)
        while self._looks[0].at_ms < at_ms - _MEMORY_MS:
            self._looks.popleft()
        return look

    def _whole(self, at_ms: int) -> Look:
        return Look(0, 0, *self._size, self._side, at_ms, whole=True)

    def _choose(
        self,
        at_ms: int,
        moving: FloatArray,
        followed: FloatArray,
        confirmed: BoolArray,
        tries: NDArray[np.int64] | None,
    ) -> Look:
        whole = self._whole(at_ms)
        if max(self._size) <= SMALL_PICTURE:
            return whole
        if self._postures and self._is_for_large(whole, np.concatenate([moving, followed])):
            return whole
        needs = self._needs(moving, followed, confirmed, np.zeros(len(moving), np.int64) if tries is None else tries)
        # A root: what has waited for long always comes, and does not shut out what moves just now.
        weights = needs.stakes * np.sqrt(self._waiting(at_ms, needs))
        windows, sides = self._windows(needs, weights)
        since = min((at_ms - look.at_ms for look in self._looks if look.whole), default=_MEMORY_MS)
        # What is very large is looked at coarsely; everything else finely, whatever it costs.
        large = bool((needs.coarsest * 1.02 < whole.scale).any())
        wholes = [self._side, _COARSE] if large else [self._side]
        windows = np.concatenate([[[0, 0, *self._size]] * len(wholes), windows])
        sides = np.concatenate([wholes, sides])
        settled = _worth(windows, sides, needs) @ weights
        settled[0] += _STAKE_WHOLE * (min(since, _LONG_MS) / _WHOLE_MS) ** 2
        spans = windows[:, 2:] - windows[:, :2]
        cost = spans.prod(axis=1) * (sides / spans.max(axis=1)) ** 2
        best = int(np.argmax(settled / cost))
        if best < len(wholes):
            return replace(whole, side=int(sides[best]))
        held = needs.boxes[_worth(windows[best : best + 1], sides[best : best + 1], needs)[0] > 0]
        x1, y1, x2, y2 = self._centred(windows[best], held)
        return Look(x1, y1, x2, y2, int(sides[best]), at_ms)

    def _is_for_large(self, whole: Look, things: FloatArray) -> bool:
        """Whether the look belongs to somebody who is large enough in the whole picture."""
        if len(things) and float(_longer(things).max()) * whole.scale >= GOAL:
            self._large_ms = whole.at_ms
        lately = [look.whole for look in self._looks][-2:]
        return whole.at_ms - self._large_ms <= _LARGE_MS and not (len(lately) > 1 and all(lately))

    def _needs(self, moving: FloatArray, followed: FloatArray, confirmed: BoolArray, tries: NDArray[np.int64]) -> Needs:
        """Tracks, what moves and is not followed, and in the end every corner of the picture."""
        unknown = _covered(moving, _wider(followed, self._size)) < _COVERED
        fresh, again = moving[unknown], np.array(_SCALES)[tries[unknown] % len(_SCALES)]
        things = np.concatenate([followed, fresh])
        boxes = np.concatenate([_wider(things, self._size), self._corners[0]])
        sizes = np.concatenate([_longer(followed).clip(1), np.maximum(_longer(fresh), _LEAST_SIDE)])
        stakes = np.where(confirmed, _STAKE_FOLLOWED, _STAKE_TENTATIVE)
        times = np.concatenate([np.ones(len(followed)), again])
        enough = np.concatenate([np.where(confirmed, _FOUND_AGAIN, SEEN), np.full(len(fresh), _FOUND_FIRST)])
        most = np.where(_wide(things), _LARGEST, np.inf)
        return Needs(
            boxes.astype(np.float32),
            np.concatenate([enough * times / sizes, self._corners[1]]).clip(None, 1.0),
            np.concatenate([GOAL * times / sizes, self._corners[1]]).clip(None, 1.0),
            np.concatenate([most * times / sizes, np.full(len(self._corners[0]), np.inf)]),
            np.concatenate([stakes, np.full(len(fresh), _STAKE_MOVING), np.full(len(self._corners[0]), _STAKE_CORNER)]),
        )

    def _waiting(self, at_ms: int, needs: Needs) -> NDArray[np.float64]:
        """For each need the seconds since a look settled it: (n,), at most the memory."""
        last = np.full(len(needs.stakes), at_ms - _MEMORY_MS, np.float64)
        if self._looks:
            windows = np.array([(look.x1, look.y1, look.x2, look.y2) for look in self._looks], np.float64)
            settled = _worth(windows, np.array([look.side for look in self._looks]), needs) > 0
            times = np.array([look.at_ms for look in self._looks], np.float64)
            last = np.maximum(last, np.where(settled, times[:, None], -np.inf).max(axis=0))
        waited: NDArray[np.float64] = (at_ms - last) / 1000
        return waited

    def _windows(self, needs: Needs, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Candidates (c, 4) and their sides (c,): every shape around the weightiest needs, fine and coarse.

        Each with the need in the middle, and at every edge and corner of it: one of them holds most of its neighbours.
        """
        first = np.argsort(-weights, kind="stable")[:_CANDIDATES]
        boxes, finest, wanted = needs.boxes[first], needs.finest[first], needs.wanted[first]
        shapes = np.array(SHAPES, np.float64)
        spans = np.maximum(boxes[:, 2:] - boxes[:, :2], 1)
        # Between just fine enough and as fine as is best for it; coarser where it would not fit.
        scale = finest[:, None, None] * (wanted / finest)[:, None, None] ** np.array(_FINENESS)
        scale = np.minimum(scale, (shapes[None] / spans[:, None]).min(axis=2)[..., None])
        size = np.array(self._size, np.float64)
        window = np.minimum(np.round(shapes[None, :, None] / scale[..., None]), size)
        fits = (scale >= finest[:, None, None]) & (window.prod(axis=3) <= _MOSTLY * size.prod())
        need, shape, _ = np.nonzero(fits)
        window = window[fits]
        low, high = boxes[need, :2], boxes[need, 2:]
        places = np.stack([low, (low + high - window) / 2, high - window])
        corners = [np.stack([places[i][:, 0], places[j][:, 1]], axis=1) for i in range(3) for j in range(3)]
        start = np.floor(np.clip(np.concatenate(corners), 0, size - np.tile(window, (9, 1))))
        sides = np.tile(shapes.max(axis=1)[shape], 9)
        return np.concatenate([start, start + np.tile(window, (9, 1))], axis=1), sides

    def _centred(self, window: NDArray[np.float64], held: FloatArray) -> tuple[int, int, int, int]:
        """The same window, moved so that what it holds lies in its middle."""
        span = window[2:] - window[:2]
        middle = (held[:, :2].min(axis=0) + held[:, 2:].max(axis=0)) / 2
        start = np.clip(np.floor(middle - span / 2), 0, np.array(self._size) - span)
        x1, y1, x2, y2 = (int(v) for v in np.concatenate([start, start + span]))
        return x1, y1, x2, y2


def _worth(windows: NDArray[np.float64], sides: NDArray[np.float64], needs: Needs) -> NDArray[np.float64]:
    """How much of each need (n,) each window (c, 4) settles: (c, n).

    Nothing if it is outside or too small, most of it if it is just seen, less again if it is too large.
    """
    scale = (sides / (windows[:, 2:] - windows[:, :2]).max(axis=1))[:, None]
    holds = (windows[:, None, :2] <= needs.boxes[None, :, :2]).all(axis=2)
    holds &= (windows[:, None, 2:] >= needs.boxes[None, :, 2:]).all(axis=2)
    holds &= needs.finest <= scale * 1.02
    too_fine = np.where(scale > needs.coarsest * 1.02, _TOO_FINE, 1.0)
    fine = ((scale - needs.finest) / np.maximum(needs.wanted - needs.finest, 1e-6)).clip(0, 1)
    worth: NDArray[np.float64] = np.where(holds, (_JUST + (1 - _JUST) * fine) * too_fine, 0.0)
    return worth


def clumps_of(moved: BoolArray, stride: int) -> FloatArray:
    """Boxes (n, 4), in pixels, of what hangs together in a mask of strided luma; what almost touches does."""
    joined = cv2.dilate(moved.astype(np.uint8), np.ones((3, 3), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    counts = np.bincount(labels[moved], minlength=len(stats))
    kept = [row for row, count in zip(stats[1:], counts[1:], strict=True) if count >= _LEAST_CLUMP]
    boxes = np.array([[x, y, x + w, y + h] for x, y, w, h in (row[:4].tolist() for row in kept)], np.float32).reshape(
        -1, 4
    )
    return boxes * np.float32(stride)


def _longer(boxes: FloatArray) -> FloatArray:
    sides = boxes[:, 2:] - boxes[:, :2]
    longer: FloatArray = sides.max(axis=1, initial=0)
    return longer


def _wide(boxes: FloatArray) -> BoolArray:
    """Which boxes (n, 4) are about as wide as tall, or wider: people are not."""
    spans = boxes[:, 2:] - boxes[:, :2]
    wide: BoolArray = spans[:, 0] >= np.float32(_ASPECT) * spans[:, 1]
    return wide


def _meet(boxes: FloatArray, others: FloatArray) -> BoolArray:
    """Which boxes (n, 4) overlap with which others (m, 4): (n, m)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    meets: BoolArray = np.asarray((low < high).all(axis=2))
    return meets


def _wider(boxes: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Boxes with a margin, within the picture."""
    margin = np.float32(_MARGIN) * _longer(boxes)[:, None]
    width, height = size
    wider = np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1)
    limit = np.array([width, height, width, height], np.float32)
    clipped: FloatArray = np.clip(wider, np.float32(0), limit).astype(np.float32)
    return clipped


def _covered(boxes: FloatArray, by: FloatArray) -> FloatArray:
    """The largest share of each box (n, 4) that one of ``by`` (m, 4) covers: (n,)."""
    if not len(by) or not len(boxes):
        return np.zeros(len(boxes), np.float32)
    low = np.maximum(boxes[:, None, :2], by[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], by[None, :, 2:])
    inter = (high - low).clip(0).prod(axis=2)
    share: FloatArray = (inter / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1)[:, None]).max(axis=1)
    return share


def _corners(size: tuple[int, int]) -> tuple[FloatArray, NDArray[np.float64]]:
    """Places all over the picture, and the scale at which somebody of ``_LEAST_SIDE`` pixels is found in them."""
    width, height = size
    wide, high = SHAPES[0]
    scale = min(1.0, SEEN / _LEAST_SIDE)
    across, down = -(-width // round(wide / scale)), -(-height // round(high / scale))
    boxes = [
        [width * i / across, height * j / down, width * (i + 1) / across, height * (j + 1) / down]
        for j in range(down)
        for i in range(across)
    ]
    return np.floor(np.array(boxes, np.float32)), np.full(across * down, scale)
