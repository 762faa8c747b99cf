"""One moving thing in one camera for as long as it is in view.

A track's number is meaningless outside its source and its visit. Association is exact (``assign``) over overlap and
centre distance after a constant-velocity Kalman prediction; weak detections may continue a track but never begin one
(after ByteTrack, Zhang et al. 2022). Motion and overlap only: nothing of what a thing looks like is kept (law 3).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray, FloatArray, iou
from watchglass.perception.assign import FORBIDDEN, assign
from watchglass.perception.observation import Detections, Tracks

BIRTH: Final = (0.48, 0.45, 0.40, 0.40)
"""The lowest score that begins a track where something moved, by index into ``KINDS``."""

BIRTH_STILL: Final = (0.60, 0.60, 0.60, 0.60)
"""The same where nothing moved: a thing of the scene that looks a little like a person stays out."""

BIRTH_NEAR: Final = 0.70
"""And where it overlaps with one of its kind that is followed: two who pass each other often look like three."""

SURE: Final = (0.42, 0.42, 0.40, 0.40)
"""A lower score, by kind, can only continue what is expected in just that place."""

_NEAR_IOU: Final = 0.15
_HITS: Final = 2
_SETTLED: Final = 5
"""After so many hits a track is no longer new."""

_STILL_MEAN: Final = 0.5
_AWAY: Final = 0.25
_FAST: Final = 0.9
"""Lengths a second: people on foot are slower."""

_MEMORY: Final = 20

_LEAST_IOU: Final = 0.15
_WEAK_IOU: Final = (0.6, 0.3, 0.3, 0.3)
"""How much a weak detection must overlap with what is expected, by kind: people stand close together, others do not."""

_SHADOW_IOU: Final = 0.4
"""A weak detection that overlaps so much with a sure one is another view of the same."""

_REACH: Final = 0.55
"""How far, in box diagonals, a centre may be from where it was expected."""

_GATE_SIGMAS: Final = 2.5
_LATE: Final = 0.2
"""What a second without being found adds to the cost of a match."""

_CROWDED: Final = 0.25
_ALONE: Final = 1.3
"""What it costs to stay without a match. A track never takes another one's place only so that more are matched."""

_SHOW_UNSEEN_MS: Final = 2500
_UNSEEN_MS: Final = 6000
"""What nobody has looked at for so long is no longer shown, and forgotten."""

# The motion model, in lengths of the longer side: how far a detector's box is off, a weak one, a measured drift; how
# much a velocity changes in a second; and the velocity with which things appear.
_OFF: Final = 0.04
_OFF_WEAK: Final = 0.10
_OFF_DRIFT: Final = 0.03
_TURN: Final = 0.5
_SPEED: Final = 0.8
_GROWTH: Final = 0.7
"""How much the size changes in a second, against how much a box's size jitters (variances)."""

_REACH_SIGMAS: Final = 2.0
_CARRIED: Final = 0.08
"""Who has drifted by so many lengths of its own does move."""

Measure = Callable[[FloatArray, FloatArray, float], FloatArray | None]
"""``drift``, for two given samples: (box before, expected displacement, doubt in pixels) -> displacement."""


@dataclass(slots=True)
class _Doubt:
    """Variances of place and velocity along either axis, and their covariance, in pixels and seconds."""

    place: float
    both: float
    speed: float
    size: float = 1.0

    def later(self, seconds: float, length: float) -> _Doubt:
        """What it grows to: white noise accelerates a thing of that length."""
        t, turn = seconds, (_TURN * length) ** 2
        return _Doubt(
            self.place + 2 * t * self.both + t * t * self.speed + turn * t**3 / 3,
            self.both + t * self.speed + turn * t * t / 2,
            self.speed + turn * t,
            self.size + _GROWTH * t,
        )


@dataclass(slots=True)
class _Track:
    id: int
    kind: int
    box: FloatArray
    velocity: FloatArray
    doubt: _Doubt
    score: float
    hits: int
    missed: int
    at_ms: int
    hit_ms: int
    mean_score: float
    origin: FloatArray
    moved: bool = False
    carried: float = 0.0

    @property
    def length(self) -> float:
        """The longer side, pixels."""
        return float(max(self.box[2] - self.box[0], self.box[3] - self.box[1]))

    def doubt_at(self, at_ms: int) -> _Doubt:
        return self.doubt.later(max(0, at_ms - self.at_ms) / 1000, self.length)


class Tracker:
    """Follows what the detector finds in one source.

    Args:
        size: (width, height) of the picture; what left it is forgotten.
        show_ms: a track that was looked for and not found is shown for so long at its expected place.
        keep_ms: and is remembered for so long, to be continued.

    Attributes:
        confirmed: how many things were followed so far.
    """

    def __init__(self, size: tuple[int, int], show_ms: int = 300, keep_ms: int = 2500) -> None:
        self._size = size
        self._show_ms = show_ms
        self._keep_ms = keep_ms
        self.confirmed = 0
        self._tracks: list[_Track] = []
        self._next = 1

    def reset(self) -> None:
        """Forget everything; numbers go on, so that none is used twice."""
        self._tracks.clear()

    @property
    def holds(self) -> bool:
        """Whether anything confirmed is remembered."""
        return any(t.hits >= _HITS for t in self._tracks)

    def expected(self, at_ms: int) -> tuple[FloatArray, BoolArray]:
        """Boxes (n, 4) of all that is remembered, where it is expected, and which of them are confirmed (n,)."""
        return self._boxes(at_ms), np.array([t.hits >= _HITS for t in self._tracks], bool)

    def hurries(self, at_ms: int) -> bool:
        """Whether something is new, was just lost, or is fast: the next look is worth more soon."""
        return any(
            t.hits < _SETTLED or (t.missed == 1 and t.moved) or float(np.hypot(*t.velocity)) > _FAST * t.length
            for t in self._tracks
            if self._in_view(t, at_ms)
        )

    def see(
        self,
        at_ms: int,
        found: Detections,
        stirred: BoolArray | None = None,
        looked: Callable[[FloatArray], BoolArray] | None = None,
    ) -> None:
        """Take in what the detector found.

        Args:
            at_ms: capture time, never earlier than before.
            found: all of it, down to low scores.
            stirred: (n,) whether something moved inside each box lately; None where that is not known.
            looked: which of some boxes (n, 4) would have been found; None where the whole picture was looked at. The
                others are not missed.
        """
        sure = found.scores >= _at(SURE, found)
        beside = _overlap(found.boxes, found.kinds, found.boxes[sure], found.kinds[sure])
        weak = ~sure & (beside <= _SHADOW_IOU)
        waiting = list(range(len(self._tracks)))
        free: list[int] = np.flatnonzero(sure).tolist()
        for columns, low in ((free, False), (np.flatnonzero(weak).tolist(), True)):
            for track, hit in self._match(at_ms, found, waiting, columns, low=low):
                self._hit(self._tracks[track], at_ms, found, hit, weak=low)
                waiting.remove(track)
                columns.remove(hit)
        seen = np.ones(len(self._tracks), bool) if looked is None else looked(self._boxes(at_ms))
        for lost in waiting:
            self._tracks[lost].missed += int(seen[lost])
        self._forget(at_ms)
        begins = found.scores >= self._birth(at_ms, found, stirred)
        for hit in (h for h in free if begins[h]):
            self._begin(at_ms, found, hit)

    def follow(self, since_ms: int, at_ms: int, measure: Measure) -> None:
        """Move tracks by what is measured between two pictures, without the detector.

        Args:
            since_ms: capture time of the first picture.
            at_ms: that of the second.
            measure: how far what is in a box moved from the first to the second.
        """
        seconds = (at_ms - since_ms) / 1000
        were = self._boxes(since_ms)
        covered = iou(were, were) - np.eye(len(were), dtype=np.float32)
        for track, was, others in zip(self._tracks, were, covered.max(axis=1, initial=0), strict=True):
            # Where two overlap, what moves may be the other one.
            if others > _CROWDED:
                continue
            reach = _REACH_SIGMAS * math.sqrt(track.doubt_at(since_ms).speed) * seconds
            shift = measure(was, _centre(_expected(track, at_ms)) - _centre(was), reach)
            if shift is None:
                continue
            track.carried += float(np.hypot(*shift)) / track.length
            doubt, off = track.doubt_at(since_ms), (_OFF_DRIFT * track.length) ** 2
            speed = doubt.speed + (_TURN * track.length) ** 2 * seconds
            gain = speed / (speed + 2 * off / seconds**2)
            track.velocity = (track.velocity + np.float32(gain) * (shift / seconds - track.velocity)).astype(np.float32)
            track.box = (was + np.concatenate([shift, shift])).astype(np.float32)
            size = doubt.size + _GROWTH * seconds
            track.doubt = _Doubt(doubt.place + off, (1 - gain) * doubt.both, (1 - gain) * speed, size)
            track.at_ms = at_ms

    def at(self, at_ms: int) -> Tracks:
        """The confirmed tracks, where they are expected at ``at_ms``."""
        shown = [t for t in self._tracks if self._shows(t, at_ms)]
        return Tracks(
            at_ms,
            np.array([t.id for t in shown], np.int64),
            np.array([_expected(t, at_ms) for t in shown], np.float32).reshape(-1, 4),
            np.array([t.score for t in shown], np.float32),
            np.array([t.kind for t in shown], np.int8),
        )

    def _boxes(self, at_ms: int) -> FloatArray:
        return np.array([_expected(t, at_ms) for t in self._tracks], np.float32).reshape(-1, 4)

    def _birth(self, at_ms: int, found: Detections, stirred: BoolArray | None) -> FloatArray:
        """The score that each detection needs to begin a track: (n,)."""
        needed = _at(BIRTH, found)
        if stirred is not None:
            needed = np.where(stirred, needed, _at(BIRTH_STILL, found))
        kinds = np.array([t.kind for t in self._tracks], np.int8)
        near = _overlap(found.boxes, found.kinds, self._boxes(at_ms), kinds) > _NEAR_IOU
        return np.where(near, np.maximum(needed, np.float32(BIRTH_NEAR)), needed)

    def _match(
        self, at_ms: int, found: Detections, rows: list[int], columns: list[int], *, low: bool
    ) -> list[tuple[int, int]]:
        rows = [r for r in rows if not low or self._tracks[r].hits >= _HITS]
        tracks = [self._tracks[r] for r in rows]
        if not rows or not columns:
            return []
        expected = np.array([_expected(t, at_ms) for t in tracks], np.float32)
        boxes = found.boxes[columns]
        overlap, apart = iou(expected, boxes), _apart(expected, boxes)
        late = np.array([min(2.0, (at_ms - t.hit_ms) / 1000) for t in tracks], np.float32)
        if low:
            possible = overlap >= np.array([_WEAK_IOU[t.kind] for t in tracks])[:, None]
        else:
            spread = np.array([math.sqrt(t.doubt_at(at_ms).place) for t in tracks], np.float32)
            reach = np.minimum(_REACH, 0.1 + _GATE_SIGMAS * spread / _diagonal(expected))
            possible = (overlap >= _LEAST_IOU) | (apart <= reach[:, None])
        possible &= np.array([t.kind for t in tracks])[:, None] == found.kinds[columns][None, :]
        cost = np.where(possible, (1 - overlap) + apart + _LATE * late[:, None], FORBIDDEN)
        alone = np.where(np.eye(len(rows), dtype=bool), _ALONE, FORBIDDEN)
        pairs = assign(np.concatenate([cost, alone], axis=1).astype(np.float64))
        return [(rows[r], columns[c]) for r, c in pairs if c < len(columns)]

    def _hit(self, track: _Track, at_ms: int, found: Detections, hit: int, *, weak: bool) -> None:
        """Kalman's update (1960) of place and velocity, the same along both axes, and of the size."""
        box, expected, doubt = found.boxes[hit], _expected(track, at_ms), track.doubt_at(at_ms)
        noise = ((_OFF_WEAK if weak else _OFF) * track.length) ** 2
        place, turn = doubt.place / (doubt.place + noise), doubt.both / (doubt.place + noise)
        size = doubt.size / (doubt.size + (4 if weak else 1))
        off = _centre(box) - _centre(expected)
        centre = _centre(expected) + np.float32(place) * off
        half = _half(expected) + np.float32(size) * (_half(box) - _half(expected))
        track.box = np.concatenate([centre - half, centre + half]).astype(np.float32)
        track.velocity = (track.velocity + np.float32(turn) * off).astype(np.float32)
        track.doubt = _Doubt(
            (1 - place) * doubt.place,
            (1 - place) * doubt.both,
            doubt.speed - turn * doubt.both,
            (1 - size) * doubt.size,
        )
        track.score = float(found.scores[hit])
        track.hits += 1
        self.confirmed += track.hits == _HITS
        track.mean_score += (track.score - track.mean_score) / min(track.hits, _MEMORY)
        if float(np.linalg.norm(centre - track.origin)) > min(float(box[2] - box[0]), _AWAY * track.length):
            track.moved = True
        track.missed = 0
        track.at_ms = track.hit_ms = at_ms

    def _begin(self, at_ms: int, found: Detections, hit: int) -> None:
        box = found.boxes[hit].astype(np.float32)
        length = float(max(box[2] - box[0], box[3] - box[1]))
        self._tracks.append(
            _Track(
                id=self._next,
                kind=int(found.kinds[hit]),
                box=box,
                velocity=np.zeros(2, np.float32),
                doubt=_Doubt((_OFF * length) ** 2, 0.0, (_SPEED * length) ** 2),
                score=float(found.scores[hit]),
                hits=1,
                missed=0,
                at_ms=at_ms,
                hit_ms=at_ms,
                mean_score=float(found.scores[hit]),
                origin=_centre(found.boxes[hit]),
            )
        )
        self._next += 1

    def _forget(self, at_ms: int) -> None:
        def stays(track: _Track) -> bool:
            if not track.missed:
                return at_ms == track.hit_ms or (at_ms - track.hit_ms <= _UNSEEN_MS and self._in_view(track, at_ms))
            if not self._in_view(track, at_ms):
                return False
            if track.hits < _HITS:
                # Once is not missed for good, if it can be seen to move.
                return track.missed == 1 and track.carried >= _CARRIED
            return track.missed == 1 or at_ms - track.hit_ms <= self._keep_ms

        self._tracks = [t for t in self._tracks if stays(t)]

    def _shows(self, track: _Track, at_ms: int) -> bool:
        if track.hits < _HITS or not _credible(track) or not self._in_view(track, at_ms):
            return False
        return at_ms - track.hit_ms <= (self._show_ms if track.missed else _SHOW_UNSEEN_MS)

    def _in_view(self, track: _Track, at_ms: int) -> bool:
        x, y = _centre(_expected(track, at_ms))
        return bool(0 <= x <= self._size[0] and 0 <= y <= self._size[1])


def _at(by_kind: tuple[float, ...], found: Detections) -> FloatArray:
    return np.array(by_kind, np.float32)[found.kinds]


def _overlap(boxes: FloatArray, kinds: NDArray[np.int8], others: FloatArray, theirs: NDArray[np.int8]) -> FloatArray:
    """The largest IoU of each box (n, 4) with another one of its kind: (n,). Who rides a bicycle does not hide it."""
    same = np.where(kinds[:, None] == theirs[None, :], iou(boxes, others), np.float32(0))
    largest: FloatArray = same.max(axis=1, initial=0)
    return largest


def _credible(track: _Track) -> bool:
    """A thing that has never moved must look like its kind for longer than one that walks: traffic cones do not."""
    return track.moved or track.mean_score >= _STILL_MEAN


def _centre(box: FloatArray) -> FloatArray:
    return (box[:2] + box[2:]) / np.float32(2)


def _half(box: FloatArray) -> FloatArray:
    return (box[2:] - box[:2]) / np.float32(2)


def _expected(track: _Track, at_ms: int) -> FloatArray:
    """The box moved on by its velocity; what was missed slows down instead of flying off."""
    seconds = min((at_ms - track.at_ms) / 1000, 1.0)
    step = track.velocity * np.float32(seconds)
    box: FloatArray = track.box + np.concatenate([step, step])
    return box


def _diagonal(boxes: FloatArray) -> FloatArray:
    width, height = np.moveaxis(boxes[:, 2:] - boxes[:, :2], -1, 0)
    diagonal: FloatArray = np.maximum(np.hypot(width, height), np.float32(1))
    return diagonal


def _apart(a: FloatArray, b: FloatArray) -> FloatArray:
    """Centre distance in units of the first box's diagonal: (n, m)."""
    centre_a, centre_b = (a[:, :2] + a[:, 2:]) / 2, (b[:, :2] + b[:, 2:]) / 2
    across, down = np.moveaxis(centre_a[:, None] - centre_b[None], -1, 0)
    apart: FloatArray = np.hypot(across, down) / _diagonal(a)[:, None]
    return apart
