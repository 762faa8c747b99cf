"""One moving thing in one camera for as long as it is in view.

A track's number is meaningless outside its source and its visit. Association is exact (``assign``) over overlap and
centre distance after a constant-velocity prediction; weak detections may continue a track but never begin one (after
ByteTrack, Zhang et al. 2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from watchglass.core.geometry import BoolArray, FloatArray, iou
from watchglass.perception.assign import FORBIDDEN, assign
from watchglass.perception.observation import Detections, Tracks

BIRTH: Final = (0.45, 0.45, 0.40, 0.40)
"""The lowest score that begins or confirms a track where something moved, by index into ``KINDS``."""

BIRTH_STILL: Final = (0.60, 0.60, 0.60, 0.60)
"""The same where nothing moved: a thing of the scene that looks a little like a person stays out."""

_HITS: Final = 2
_STILL_MEAN: Final = 0.5
_MEMORY: Final = 20
_STEADY: Final = (0.9, 0.4, 0.7)
_FIRST: Final = (1.0, 1.0, 0.8)
"""How much of a surprise goes into place, size and velocity: later, and at the second hit."""

_LOW_IOU: Final = 0.3
_NEAR: Final = 0.55
"""How far, in box diagonals, a centre may be from where it was expected."""


@dataclass(slots=True)
class _Track:
    id: int
    kind: int
    box: FloatArray
    velocity: FloatArray
    score: float
    hits: int
    missed: int
    at_ms: int
    hit_ms: int
    mean_score: float
    origin: FloatArray
    moved: bool = False


class Tracker:
    """Follows what the detector finds in one source.

    Args:
        size: (width, height) of the picture; what left it is forgotten.
        show_ms: a track that was not found again is shown for so long at its expected place.
        keep_ms: and is remembered for so long, to be continued.
    """

    def __init__(self, size: tuple[int, int], show_ms: int = 300, keep_ms: int = 2500) -> None:
        self._size = size
        self._show_ms = show_ms
        self._keep_ms = keep_ms
        self._tracks: list[_Track] = []
        self._next = 1

    def reset(self) -> None:
        """Forget everything; numbers go on, so that none is used twice."""
        self._tracks.clear()

    @property
    def holds(self) -> bool:
        """Whether anything confirmed is remembered."""
        return any(t.hits >= _HITS for t in self._tracks)

    def see(self, at_ms: int, found: Detections, stirred: BoolArray | None = None) -> None:
        """Take in what the detector found.

        Args:
            at_ms: capture time, never earlier than before.
            found: all of it, down to low scores.
            stirred: (n,) whether something moved inside each box lately; None where that is not known.
        """
        strong = found.scores >= _at(BIRTH, found)
        begins = strong if stirred is None else strong & (stirred | (found.scores >= _at(BIRTH_STILL, found)))
        open_tracks = list(range(len(self._tracks)))
        free: list[int] = np.flatnonzero(strong).tolist()
        weak: list[int] = np.flatnonzero(~strong).tolist()
        for rows, columns, low in ((open_tracks, free, False), (open_tracks, weak, True)):
            for track, hit in self._match(at_ms, found, rows, columns, low=low):
                self._hit(self._tracks[track], at_ms, found, hit, weak=low)
                open_tracks.remove(track)
                columns.remove(hit)
        for lost in open_tracks:
            self._tracks[lost].missed += 1
        self._forget(at_ms)
        for hit in (h for h in free if begins[h]):
            self._begin(at_ms, found, hit)

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

    def _match(
        self, at_ms: int, found: Detections, rows: list[int], columns: list[int], *, low: bool
    ) -> list[tuple[int, int]]:
        rows = [r for r in rows if not low or self._tracks[r].hits >= _HITS]
        if not rows or not columns:
            return []
        expected = np.array([_expected(self._tracks[r], at_ms) for r in rows], np.float32)
        boxes = found.boxes[columns]
        overlap = iou(expected, boxes)
        apart = _apart(expected, boxes)
        cost = (1 - overlap) + apart
        possible = overlap >= _LOW_IOU if low else (overlap >= 0.15) | (apart <= _NEAR)  # noqa: PLR2004 # a quarter of a step aside
        kinds = np.array([self._tracks[r].kind for r in rows])
        possible &= kinds[:, None] == found.kinds[columns][None, :]
        priced = np.where(possible, cost, FORBIDDEN).astype(np.float64)
        return [(rows[r], int(columns[c])) for r, c in assign(priced)]

    def _hit(self, track: _Track, at_ms: int, found: Detections, hit: int, *, weak: bool) -> None:
        box = found.boxes[hit]
        elapsed = max(1, at_ms - track.at_ms) / 1000
        expected = _expected(track, at_ms)
        off = _centre(box) - _centre(expected)
        # Alpha-beta filter: a detector's box jitters, most of all in size.
        place, size, turn = _STEADY if track.hits > 1 else _FIRST
        if weak:
            size *= 0.5
        centre = _centre(expected) + place * off
        half = _half(expected) + size * (_half(box) - _half(expected))
        track.box = np.concatenate([centre - half, centre + half]).astype(np.float32)
        track.velocity = (track.velocity + turn * off / elapsed).astype(np.float32)
        track.score = float(found.scores[hit])
        track.hits += 1
        track.mean_score += (track.score - track.mean_score) / min(track.hits, _MEMORY)
        if float(np.linalg.norm(centre - track.origin)) > float(box[2] - box[0]):
            track.moved = True
        track.missed = 0
        track.at_ms = track.hit_ms = at_ms

    def _begin(self, at_ms: int, found: Detections, hit: int) -> None:
        self._tracks.append(
            _Track(
                id=self._next,
                kind=int(found.kinds[hit]),
                box=found.boxes[hit].astype(np.float32),
                velocity=np.zeros(2, np.float32),
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
                return True
            if track.hits < _HITS or not self._in_view(track, at_ms):
                return False
            return track.missed == 1 or at_ms - track.hit_ms <= self._keep_ms

        self._tracks = [t for t in self._tracks if stays(t)]

    def _shows(self, track: _Track, at_ms: int) -> bool:
        if track.hits < _HITS or not _credible(track) or not self._in_view(track, at_ms):
            return False
        return not track.missed or at_ms - track.hit_ms <= self._show_ms

    def _in_view(self, track: _Track, at_ms: int) -> bool:
        x, y = _centre(_expected(track, at_ms))
        return bool(0 <= x <= self._size[0] and 0 <= y <= self._size[1])


def _at(by_kind: tuple[float, ...], found: Detections) -> FloatArray:
    return np.array(by_kind, np.float32)[found.kinds]


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


def _apart(a: FloatArray, b: FloatArray) -> FloatArray:
    """Centre distance in units of the first box's diagonal: (n, m)."""
    centre_a, centre_b = (a[:, :2] + a[:, 2:]) / 2, (b[:, :2] + b[:, 2:]) / 2
    across, down = np.moveaxis(centre_a[:, None] - centre_b[None], -1, 0)
    width, height = np.moveaxis(a[:, 2:] - a[:, :2], -1, 0)
    apart: FloatArray = np.hypot(across, down) / np.maximum(np.hypot(width, height), np.float32(1))[:, None]
    return apart
