"""What one frame shows: arrays, not an object per box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import FloatArray

KINDS: Final = ("person", "vehicle", "bicycle", "bag")
"""The only kinds of thing there are. There is no kind for a face, a plate or a name (law 3)."""


@dataclass(frozen=True, slots=True)
class Detections:
    """Boxes in one frame.

    Attributes:
        boxes: (n, 4) float32 x1, y1, x2, y2 in pixels of the source's picture.
        scores: (n,) float32 raw detector scores in 0..1; not calibrated probabilities.
        kinds: (n,) int8 indices into ``KINDS``.
    """

    boxes: FloatArray
    scores: FloatArray
    kinds: NDArray[np.int8]

    def __post_init__(self) -> None:
        n = len(self.scores)
        if self.boxes.shape != (n, 4) or self.kinds.shape != (n,):
            raise ValueError(
                f"shapes disagree: boxes {self.boxes.shape}, scores {self.scores.shape}, kinds {self.kinds.shape}"
            )

    @classmethod
    def none(cls) -> Detections:
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int8))

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, slots=True)
class Tracks:
    """The things in view at one moment, as the tracker knows them.

    Attributes:
        at_ms: capture time, milliseconds since the epoch.
        ids: (n,) int64, meaningless outside this source and this visit, and never stored with a picture.
        boxes, scores, kinds: as in ``Detections``; a coasting track keeps its last score.
    """

    at_ms: int
    ids: NDArray[np.int64]
    boxes: FloatArray
    scores: FloatArray
    kinds: NDArray[np.int8]

    @classmethod
    def none(cls, at_ms: int) -> Tracks:
        """Nothing in view."""
        empty = Detections.none()
        return cls(at_ms, np.zeros(0, np.int64), empty.boxes, empty.scores, empty.kinds)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class StaticChange:
    """A region that differs from the scene as it was, and does not move. It is no picture: a box and times.

    Attributes:
        id: meaningless outside this source and this visit, as a track's.
        box: x1, y1, x2, y2 in pixels.
        since_ms: capture time since which it has stayed.
        steady_ms: for how long it has really been seen without anything in front of it.
        gone: whether something was taken away here (its outline was there before and is not now); None where that
            cannot be told.
    """

    id: int
    box: tuple[float, float, float, float]
    since_ms: int
    steady_ms: int
    gone: bool | None = None
