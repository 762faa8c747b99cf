"""One moving thing in one camera for as long as it is in view.

A track's number is meaningless outside its source and its visit. Association is exact (``assign``) over overlap and
centre distance after a constant-velocity prediction; weak detections may continue a track but never begin one (after
ByteTrack, Zhang et al. 2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from watchglass.core.geometry import FloatArray, iou
from watchglass.perception.assign import FORBIDDEN, assign
from watchglass.perception.observation import Detections, Tracks

BIRTH: Final = (0.45, 0.45, 0.40, 0.40)
"""The lowest score that begins or confirms a track, by index into ``KINDS``."""

_HITS: Final = 2
_LOW_IOU: Final = 0.4
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
    born_ms: int


class Tracker:
    """Follows what the detector finds in one source.

    Args:
        show_ms: a track that was not found again is shown for so long at its expected place.
        keep_ms: and is remembered for so long, to be continued.
    """

    def __init__(self, show_ms: int = 700, keep_ms: int = 2500) -> None:
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

    def see(self, at_ms: int, found: Detections) -> None:
        """Take in what the detector found at ``at_ms`` (never earlier than before)."""
        strong = found.scores >= np.array(BIRTH, np.float32)[found.kinds]
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
        for hit in free:
            self._begin(at_ms, found, hit)

    def at(self, at_ms: int) -> Tracks:
        """The confirmed tracks, where they are expected at ``at_ms``."""
        shown = [t for t in self._tracks if t.hits >= _HITS and (t.missed == 0 or at_ms - t.hit_ms <= self._show_ms)]
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
        place, size, turn = (0.75, 0.5, 0.5) if track.hits > 1 else (1.0, 1.0, 0.8)
        if weak:
            size *= 0.5
        centre = _centre(expected) + place * off
        half = _half(expected) + size * (_half(box) - _half(expected))
        track.box = np.concatenate([centre - half, centre + half]).astype(np.float32)
        track.velocity = (track.velocity + turn * off / elapsed).astype(np.float32)
        track.score = float(found.scores[hit])
        track.hits += 1
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
                born_ms=at_ms,
            )
        )
        self._next += 1

    def _forget(self, at_ms: int) -> None:
        self._tracks = [
            t
            for t in self._tracks
            if t.missed == 0 or (t.hits >= _HITS and (t.missed == 1 or at_ms - t.hit_ms <= self._keep_ms))
        ]


def _centre(box: FloatArray) -> FloatArray:
    return (box[:2] + box[2:]) / np.float32(2)


def _half(box: FloatArray) -> FloatArray:
    return (box[2:] - box[:2]) / np.float32(2)


def _expected(track: _Track, at_ms: int) -> FloatArray:
    """The box moved on by its velocity; what was missed slows down instead of flying off."""
    seconds = min((at_ms - track.at_ms) / 1000, 1.0)
    step = track.velocity * np.float32(seconds)
    return (track.box + np.concatenate([step, step])).astype(np.float32)


def _apart(a: FloatArray, b: FloatArray) -> FloatArray:
    """Centre distance in units of the first box's diagonal: (n, m)."""
    centre_a, centre_b = (a[:, :2] + a[:, 2:]) / 2, (b[:, :2] + b[:, 2:]) / 2
    distance = np.linalg.norm(centre_a[:, None] - centre_b[None], axis=2)
    diagonal = np.linalg.norm(a[:, 2:] - a[:, :2], axis=1)
    return np.asarray(distance / np.maximum(diagonal[:, None], 1), np.float32)
