"""Where each thing in view has been lately: the short memory that rules about movement and posture share.

A trail lives as long as its track and a little longer, holds a few seconds, and is never stored or reported.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import FloatArray
from watchglass.core.geometry import feet as feet_of
from watchglass.perception.observation import KINDS, Tracks

KEEP_MS: Final = 10_000
FORGET_MS: Final = 3_000
"""A track is remembered for about so long by the tracker when it is not seen."""


@dataclass(slots=True)
class Trail:
    """What is remembered of one track, oldest first.

    Attributes:
        id: the track's number.
        kind: index into ``observation.KINDS``, as the track has it now.
        first_ms: when the track was first seen, even if that is no longer remembered.
        last_ms: when it was last seen.
    """

    id: int
    kind: int
    first_ms: int
    last_ms: int
    _rows: deque[tuple[int, float, float, float, float, float]] = field(default_factory=deque)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def age_ms(self) -> int:
        """How long it has been in view."""
        return self.last_ms - self.first_ms

    def times(self, since_ms: int | None = None) -> NDArray[np.int64]:
        """Capture times (n,), from ``since_ms`` on."""
        return np.array([row[0] for row in self._since(since_ms)], np.int64)

    def boxes(self, since_ms: int | None = None) -> FloatArray:
        """Boxes (n, 4) x1, y1, x2, y2 in pixels, from ``since_ms`` on."""
        return np.array([row[1:5] for row in self._since(since_ms)], np.float32).reshape(-1, 4)

    def feet(self, since_ms: int | None = None) -> FloatArray:
        """Where it stood: (n, 2) pixels, from ``since_ms`` on."""
        return feet_of(self.boxes(since_ms))

    def scores(self, since_ms: int | None = None) -> FloatArray:
        """Raw scores (n,), from ``since_ms`` on."""
        return np.array([row[5] for row in self._since(since_ms)], np.float32)

    def note(self, at_ms: int, kind: int, box: tuple[float, float, float, float], score: float, keep_ms: int) -> None:
        """Remember one moment; moments older than ``keep_ms`` go. A moment told twice counts once."""
        if self._rows and at_ms <= self._rows[-1][0]:
            self._rows.pop()
        self._rows.append((at_ms, *box, score))
        self.kind, self.last_ms = kind, at_ms
        while self._rows[0][0] < at_ms - keep_ms:
            self._rows.popleft()

    def _since(self, since_ms: int | None) -> Iterator[tuple[int, float, float, float, float, float]]:
        return (row for row in self._rows if since_ms is None or row[0] >= since_ms)


class Trails:
    """The trails of one source.

    Args:
        kinds: only of these kinds; all by default.
        keep_ms: how much of each is remembered.
        forget_ms: a track not seen for so long is gone.
    """

    def __init__(self, kinds: tuple[str, ...] = KINDS, *, keep_ms: int = KEEP_MS, forget_ms: int = FORGET_MS) -> None:
        self._kinds = frozenset(KINDS.index(kind) for kind in kinds)
        self._keep_ms = keep_ms
        self._forget_ms = forget_ms
        self._trails: dict[int, Trail] = {}

    def reset(self) -> None:
        """Forget everything."""
        self._trails.clear()

    def see(self, tracks: Tracks) -> None:
        """Take in one moment. Moments come in order."""
        at_ms = tracks.at_ms
        rows = zip(
            tracks.ids.tolist(), tracks.kinds.tolist(), tracks.boxes.tolist(), tracks.scores.tolist(), strict=True
        )
        for track, kind, box, score in rows:
            if kind not in self._kinds:
                continue
            trail = self._trails.get(track)
            if trail is None:
                trail = self._trails[track] = Trail(track, kind, at_ms, at_ms)
            trail.note(at_ms, kind, (box[0], box[1], box[2], box[3]), score, self._keep_ms)
        gone = [track for track, trail in self._trails.items() if at_ms - trail.last_ms > self._forget_ms]
        for track in gone:
            del self._trails[track]

    def get(self, track: int) -> Trail | None:
        """The trail of one track, if it is remembered."""
        return self._trails.get(track)

    def __iter__(self) -> Iterator[Trail]:
        """All that are remembered; those in view now have ``last_ms`` of the last moment."""
        return iter(tuple(self._trails.values()))

    def __len__(self) -> int:
        return len(self._trails)
