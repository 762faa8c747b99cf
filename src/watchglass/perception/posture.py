"""Who has gone down: from what the detector finds at each look, without a track's help.

A tracker loses somebody who falls, because the box of a moment ago is no longer there. So postures are read from the
detector's own boxes, down to low scores. Two cases, because they look different:

* From the side somebody upright is taller than wide, and somebody who lies is wider than tall.
* From straight above there is no upright: only something as long as a person that lies still where nothing lay.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from watchglass.core.geometry import BoolArray, FloatArray, iou
from watchglass.perception.ground import Ground
from watchglass.perception.observation import KINDS, Detections, StaticChange

SCORE: Final = 0.25
"""The lowest score of a box that is listened to. Furniture reaches it too, and is known by having been there."""

UPRIGHT: Final = 1.2
"""Somebody upright (who stands, walks or sits) is at least so many times as tall as wide."""

LOW: Final = 1.1
"""Somebody who lies is at least so many times as wide as tall. Somebody who crouches seldom is."""

DROP: Final = 0.4
"""The top has come down by this share of the upright height. Sitting down takes about a quarter."""

FELL_MS: Final = 1_700
"""A body falls in about a second; a look comes every 0.4 s, and one may miss."""

LAY_DOWN_MS: Final = 6_000
"""Whoever was upright here so long ago may be the one who now lies here."""

LONG_M: Final = 1.2
"""From above: the diagonal of a lying person's box. Shoulders are half a metre wide and loom to one."""

_SURE: Final = 0.4
"""From above, the best score of the looks: an upright person seen from above scores less than a lying one."""

_STILL: Final = 0.6
_SAME: Final = 0.2
_PART: Final = 0.5
_REACH: Final = 0.75
_BIGGER: Final = 2.5
_SMALLER: Final = 0.2
_LIES_MS: Final = 700
_LIES_BELOW_MS: Final = 900
"""From above a person who only stands still is harder to tell from one who lies."""

_LOOKS: Final = 2
_LOST_MS: Final = 1_300
_GONE_MS: Final = 6_000
_SHUT_MS: Final = 1_500
"""While the gate is open the detector looks at least once a second."""

_STATIC_GONE_MS: Final = 3_000
_COVERED: Final = 0.3
_KNOWN_MS: Final = 60_000
_KNOWN_AFTER_MS: Final = 2_500
_KNOWN_LOOKS: Final = 2
_KNOWN_IOU: Final = 0.5
_PERSON: Final = KINDS.index("person")


Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels."""


@dataclass(slots=True)
class Lying:
    """Somebody who seems to lie.

    Attributes:
        id: meaningless outside this source and this visit.
        box: (4,) x1, y1, x2, y2 in pixels, as found last.
        since_ms: when it was first found low.
        found_ms: when the detector last found it.
        score: mean raw score of the looks that found it.
        best: the highest of them.
        length_m: mean diagonal of its box on the ground, from above; NaN from the side.
        before: (4,) the box of whoever was upright here; None from above.
        upright_ms: when that was last seen.
        looks: how many looks found it.
        certain: it was found for long enough to be told.
        static: the change of the scene that it is, if it is one.
        there_ms: when anything (a look, a change of the scene) last said that it is still there.
        risen_ms: since when somebody as tall stands there instead; None while it is found low.
        in_view: whether the last look was where it lies.
    """

    id: int
    box: FloatArray
    since_ms: int
    found_ms: int
    score: float
    best: float
    length_m: float = float("nan")
    before: FloatArray | None = None
    upright_ms: int | None = None
    looks: int = 1
    certain: bool = False
    static: int | None = None
    there_ms: int = 0
    risen_ms: int | None = None
    in_view: bool = True

    @property
    def fell_ms(self) -> int | None:
        """How long going down took at the most; None where nobody was seen upright."""
        return None if self.upright_ms is None else self.since_ms - self.upright_ms

    @property
    def drop(self) -> float | None:
        """By which share of the upright height the top has come down; None from above."""
        return None if self.before is None else float((self.box[1] - self.before[1]) / _height(self.before))

    def is_where(self, other: Lying) -> bool:
        """Whether the two can be the same person: one may be the legs, and the other the rest."""
        longest = max(float((box[2:] - box[:2]).max()) for box in (self.box, other.box))
        apart = float(np.hypot(*((self.box[:2] + self.box[2:] - other.box[:2] - other.box[2:]) / 2)))
        return apart <= _REACH * longest

    def found_again(self, at_ms: int, box: FloatArray, score: float) -> None:
        """One more look has found it."""
        self.looks += 1
        self.box, self.found_ms, self.there_ms, self.risen_ms = box, at_ms, at_ms, None
        self.score += (score - self.score) / self.looks
        self.best = max(self.best, score)


class Postures:
    """Who lies in one source's picture."""

    def __init__(self) -> None:
        self._lying: list[Lying] = []
        self._upright: deque[tuple[int, FloatArray]] = deque()
        self._seen: deque[tuple[int, FloatArray]] = deque()
        self._began_ms: int | None = None
        self._looked_ms = 0
        self._next = 1

    def reset(self) -> None:
        """Forget everything."""
        self._lying.clear()
        self._upright.clear()
        self._seen.clear()
        self._began_ms = None

    def see(
        self,
        at_ms: int,
        found: Detections | None,
        statics: Sequence[StaticChange] = (),
        *,
        window: Box | None = None,
        overhead: bool = False,
        ground: Ground | None = None,
    ) -> tuple[Lying, ...]:
        """Those who certainly lie at ``at_ms``, as far as is known. Moments come in order.

        Args:
            at_ms: capture time.
            found: what the detector found now; None where it did not look, which changes nobody's posture.
            statics: what stays in the scene: who is not found any more is still there if the change is.
            window: where it looked (x1, y1, x2, y2 in pixels); None for the whole picture. It says nothing about who
                lies elsewhere.
            overhead: the camera looks straight down.
            ground: metres on the ground; nobody can be said to lie from above without it.
        """
        for one in self._lying:
            one.in_view = found is not None and (window is None or _holds(window, one.box))
            if found is not None and not one.in_view:
                one.there_ms = min(at_ms, one.there_ms + at_ms - self._looked_ms)
        if found is not None:
            heard = (found.kinds == _PERSON) & (found.scores >= SCORE)
            boxes, scores = found.boxes[heard], found.scores[heard]
            known = self._known(at_ms, boxes)
            if not overhead:
                self._from_the_side(at_ms, boxes, scores, known)
            elif ground is not None:
                self._from_above(at_ms, boxes, scores, known, ground)
            self._began_ms = at_ms if self._began_ms is None else self._began_ms
            self._looked_ms = at_ms
        self._stay(at_ms, statics)
        return tuple(one for one in self._lying if one.certain)

    # ---- from the side ---------------------------------------------------------------------------------------------

    def _from_the_side(self, at_ms: int, boxes: FloatArray, scores: FloatArray, known: BoolArray) -> None:
        wide, tall = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        upright = boxes[tall >= UPRIGHT * wide]
        low = wide >= LOW * tall
        taken = np.zeros(len(boxes), bool)
        for one in [one for one in self._lying if one.in_view]:
            same = low & ~taken & _touch(one.box, boxes)
            if same.any():
                best = int(np.argmax(np.where(same, scores, -1)))
                one.found_again(at_ms, boxes[best], float(scores[best]))
                taken |= same
            elif one.before is not None and _is_up(one.before, upright):
                one.risen_ms = at_ms if one.risen_ms is None else one.risen_ms
                if not one.certain:
                    self._lying.remove(one)
                    continue
            # A look that finds nobody upright speaks for lying, once two have found somebody low.
            self._settle(one, lies=one.looks >= _LOOKS and at_ms - one.since_ms >= _LIES_MS)
        new = np.flatnonzero(low & ~taken & ~known)
        for index in new[np.argsort(-scores[new])].tolist():
            self._begin_from_the_side(at_ms, boxes[index], float(scores[index]), upright)
        self._remember(at_ms, boxes)
        self._upright.extend((at_ms, box) for box in upright)
        while self._upright and self._upright[0][0] < at_ms - LAY_DOWN_MS:
            self._upright.popleft()

    def _begin_from_the_side(self, at_ms: int, box: FloatArray, score: float, upright: FloatArray) -> None:
        """Somebody newly low: only where somebody was upright lately and is not now."""
        if not self._upright or any(bool(_touch(one.box, box[None])[0]) for one in self._lying):
            return
        before = np.stack([standing for _, standing in self._upright])
        for index in np.flatnonzero(_came_down(before, box)).tolist()[::-1]:
            if not _is_up(before[index], upright):
                self._begin(at_ms, box, score, before=before[index], upright_ms=self._upright[index][0])
                return

    # ---- from above ------------------------------------------------------------------------------------------------

    def _from_above(self, at_ms: int, boxes: FloatArray, scores: FloatArray, known: BoolArray, ground: Ground) -> None:
        taken = np.zeros(len(boxes), bool)
        overlaps = iou(np.array([one.box for one in self._lying], np.float32).reshape(-1, 4), boxes)
        for one, overlap in zip(self._lying, overlaps, strict=True):
            same = ~taken & (overlap >= (_SAME if one.certain else _STILL))
            if same.any():
                best = int(np.argmax(np.where(same, overlap, -1)))
                one.found_again(at_ms, boxes[best], float(scores[best]))
                one.length_m += (_length(boxes[best], ground) - one.length_m) / one.looks
                taken |= same
                lies = at_ms - one.since_ms >= _LIES_BELOW_MS and one.length_m >= LONG_M and one.best >= _SURE
                self._settle(one, lies=lies and one.since_ms != self._began_ms)
        for index in np.flatnonzero(~taken & ~known).tolist():
            self._begin(at_ms, boxes[index], float(scores[index]), length_m=_length(boxes[index], ground))
        self._remember(at_ms, boxes)

    # ---- both ------------------------------------------------------------------------------------------------------

    def _begin(
        self,
        at_ms: int,
        box: FloatArray,
        score: float,
        *,
        length_m: float = float("nan"),
        before: FloatArray | None = None,
        upright_ms: int | None = None,
    ) -> None:
        self._lying.append(
            Lying(self._next, box, at_ms, at_ms, score, score, length_m, before, upright_ms, there_ms=at_ms)
        )
        self._next += 1

    def _settle(self, one: Lying, *, lies: bool) -> None:
        """Somebody certainly lies: then its first looks were no furniture."""
        if not lies or one.certain:
            return
        one.certain = True
        self._seen = deque(
            (at_ms, boxes if at_ms < one.since_ms else boxes[iou(one.box[None], boxes)[0] <= _SAME])
            for at_ms, boxes in self._seen
        )

    def _stay(self, at_ms: int, statics: Sequence[StaticChange]) -> None:
        """Who is still there? Everybody, where the detector has not looked for a while: nothing moves then."""
        shut = at_ms - self._looked_ms > _SHUT_MS
        for one in self._lying:
            here = [s for s in statics if _covers(s.box, one.box) >= _COVERED]
            if here:
                one.static, one.there_ms = here[0].id, at_ms
            elif shut and one.static is None:
                # Whoever got up would have opened the gate.
                one.there_ms = at_ms
        self._lying = [one for one in self._lying if at_ms - one.there_ms <= _patience(one)]

    def _remember(self, at_ms: int, boxes: FloatArray) -> None:
        others = [i for i, box in enumerate(boxes) if not self._is_another(box)]
        self._seen.append((at_ms, boxes[others]))
        while self._seen[0][0] < at_ms - _KNOWN_MS:
            self._seen.popleft()

    def _known(self, at_ms: int, boxes: FloatArray) -> BoolArray:
        """Which of ``boxes`` (n, 4) were there a while ago already: furniture that looks a little like a person."""
        looks = np.zeros(len(boxes), int)
        old = [seen for seen_ms, seen in self._seen if seen_ms < at_ms - _KNOWN_AFTER_MS and len(seen)]
        if old and len(boxes):
            alike = iou(boxes, np.concatenate(old)) > _KNOWN_IOU
            starts = np.cumsum([0, *[len(seen) for seen in old[:-1]]])
            looks = np.logical_or.reduceat(alike, starts, axis=1).sum(axis=1)
        return np.asarray(looks >= _KNOWN_LOOKS)

    def _is_another(self, box: FloatArray) -> bool:
        """Whether it is a part of somebody who is followed already."""
        return any(_covers(_corners(one.box), box) > _KNOWN_IOU for one in self._lying if one.certain)


def _patience(one: Lying) -> int:
    """For how long nothing may speak for it."""
    if not one.certain or (one.risen_ms is not None and one.static is None):
        return _LOST_MS
    return _GONE_MS if one.static is None else _STATIC_GONE_MS


def _touch(box: FloatArray, boxes: FloatArray) -> BoolArray:
    """Which of ``boxes`` (n, 4) show the same as ``box``, or a part of it, or it as a part: (n,) bool."""
    across = np.minimum(box[2], boxes[:, 2]) - np.maximum(box[0], boxes[:, 0])
    down = np.minimum(box[3], boxes[:, 3]) - np.maximum(box[1], boxes[:, 1])
    common = across.clip(0) * down.clip(0)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    own = float((box[2] - box[0]) * (box[3] - box[1]))
    smaller = np.maximum(np.minimum(area, np.float32(own)), np.float32(1))
    return np.asarray((common > _PART * smaller) | (iou(box[None], boxes)[0] > _SAME))


def _height(box: FloatArray) -> float:
    return max(1.0, float(box[3] - box[1]))


def _came_down(before: FloatArray, after: FloatArray) -> BoolArray:
    """Whether ``after`` can be whoever stood in ``before``, now low: boxes (4,) or (n, 4), one of them (4,)."""
    tall = np.maximum(before[..., 3] - before[..., 1], np.float32(1))
    wide = np.maximum(before[..., 2] - before[..., 0], np.float32(1))
    area = (after[..., 2] - after[..., 0]) * (after[..., 3] - after[..., 1]) / (tall * wide)
    aside = np.abs(after[..., 0] + after[..., 2] - before[..., 0] - before[..., 2]) / 2
    return np.asarray(
        (after[..., 1] >= before[..., 1] + DROP * tall)
        & (after[..., 3] >= before[..., 3] - 0.25 * tall)
        & (aside <= tall)
        & (area >= _SMALLER)
        & (area <= _BIGGER)
    )


def _is_up(before: FloatArray, upright: FloatArray) -> bool:
    """Whether somebody as tall stands where ``before`` was, among ``upright`` (n, 4)."""
    tall = _height(before)
    aside = np.abs(upright[:, 0] + upright[:, 2] - before[0] - before[2]) / 2
    top, height = upright[:, 1], upright[:, 3] - upright[:, 1]
    return bool(((aside <= tall) & (top <= before[1] + 0.3 * tall) & (height >= 0.6 * tall)).any())


def _holds(window: Box, box: FloatArray) -> bool:
    """Whether the middle of ``box`` is in ``window``."""
    x, y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
    return window[0] <= x <= window[2] and window[1] <= y <= window[3]


def _corners(box: FloatArray) -> Box:
    x1, y1, x2, y2 = (float(v) for v in box)
    return x1, y1, x2, y2


def _covers(cover: Box, box: FloatArray) -> float:
    """The share of ``box`` (4,) that ``cover`` covers."""
    x1, y1, x2, y2 = _corners(box)
    across = max(0.0, min(cover[2], x2) - max(cover[0], x1))
    down = max(0.0, min(cover[3], y2) - max(cover[1], y1))
    return across * down / max(1e-6, (x2 - x1) * (y2 - y1))


def _length(box: FloatArray, ground: Ground) -> float:
    """The diagonal of a box on the ground, metres; 0 beyond the horizon."""
    ends = ground.metres(box.reshape(2, 2))
    length = float(np.hypot(*(ends[1] - ends[0])))
    return length if np.isfinite(length) else 0.0
