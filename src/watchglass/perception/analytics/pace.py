"""How tall people appear and how fast they walk at each place of one picture: the measure for what moves among them.

Nothing is kept of anybody: two numbers for the whole view, from the people of the last minutes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import FloatArray
from watchglass.perception.ground import Ground
from watchglass.perception.trails import Trail

WINDOW_MS: Final = 2_000
_LEAST_MS: Final = 1_200
_FULL_MS: Final = 1_800
_FEWEST_STEPS: Final = 3
_STEP_MS: Final = 350
_EVEN: Final = 0.4
"""By what share of its speed a step may be off, at most, where somebody rolls or walks evenly."""

_MEMORY_MS: Final = 180_000
_FEWEST: Final = 4
_FEWEST_SIZES: Final = 12
_TALL_M: Final = 1.7
_WALK_M_S: Final = 1.6
_BRISK: Final = 0.75
"""The pace is what three in four walkers stay below: who walks away from the camera looks slow."""

_LEARN_MS: Final = 1_000
_NARROW: Final = 0.25
_STROLL: Final = 0.12
"""Who is slower than this many heights a second stands, and says nothing of how fast people walk."""


@dataclass(frozen=True, slots=True)
class Stride:
    """How one track has moved over the last two seconds.

    Attributes:
        foot: where it stands: (2,) pixels.
        velocity: (2,) pixels a second.
        size: (2,) width and height of its box, median.
        even: it went straight, and each step was about as the others.
        long: the two seconds are full.
    """

    foot: FloatArray
    velocity: FloatArray
    size: FloatArray
    even: bool
    long: bool


def stride_of(trail: Trail, at_ms: int) -> Stride | None:
    """The stride of a track at ``at_ms``; None where it was not followed for long enough."""
    times, boxes = trail.times(at_ms - WINDOW_MS), trail.boxes(at_ms - WINDOW_MS)
    if len(times) <= _FEWEST_STEPS or times[-1] - times[0] < _LEAST_MS:
        return None
    kept = _apart(times.tolist())
    feet = trail.feet(at_ms - WINDOW_MS)[kept]
    seconds = np.diff(times[kept]).astype(np.float32) / np.float32(1000)
    steps = np.diff(feet, axis=0) / seconds[:, None]
    velocity = (feet[-1] - feet[0]) / np.float32(seconds.sum())
    # A track that changes over to somebody else takes one step that is unlike the others.
    unlike = np.hypot(*(steps - velocity).T)
    even = len(steps) >= _FEWEST_STEPS and float(unlike.max()) <= _EVEN * float(np.hypot(*velocity))
    sizes = boxes[:, 2:] - boxes[:, :2]
    size = np.median(sizes, axis=0).astype(np.float32)
    return Stride(feet[-1], velocity.astype(np.float32), size, even, bool(times[-1] - times[0] >= _FULL_MS))


def _apart(times: list[int]) -> list[int]:
    """Indices of moments far enough apart to measure a step, the last one among them."""
    kept = [len(times) - 1]
    for i in range(len(times) - 2, -1, -1):
        if times[kept[-1]] - times[i] >= _STEP_MS:
            kept.append(i)
    return kept[::-1]


class Pace:
    """What people in view measure.

    Args:
        ground: the ground plane where there is one; then pace is in metres, and only heights are learned.
    """

    def __init__(self, ground: Ground | None) -> None:
        self._ground = ground if ground is not None and ground.exact else None
        self._sizes: deque[tuple[float, float]] = deque(maxlen=2000)
        self._walks: dict[int, tuple[int, float]] = {}
        self._line: tuple[float, float] | None = None
        self._between = (4.0, float("inf"))
        self._walk: float | None = None
        self._learned_ms = -_MEMORY_MS

    def learn(self, at_ms: int, people: list[tuple[Trail, Stride]]) -> None:
        """Take in the people of one moment."""
        for trail, stride in people:
            self._sizes.append((float(stride.foot[1]), float(stride.size[1])))
            speed = self._speed(stride)
            if speed > _STROLL * (_TALL_M if self._ground else 1.0):
                former = self._walks.get(trail.id, (at_ms, speed))[1]
                self._walks[trail.id] = (at_ms, former + 0.2 * (speed - former))
        if at_ms - self._learned_ms >= _LEARN_MS:
            self._learned_ms = at_ms
            self._settle(at_ms)

    def height(self, stride: Stride) -> float:
        """How tall a person who stands there appears, pixels; until that is known, the thing's own longer side."""
        if self._line is None:
            return max(4.0, float(stride.size.max()))
        low, high = self._between
        return min(high, max(low, self._line[0] + self._line[1] * float(stride.foot[1])))

    def heights(self, stride: Stride) -> float:
        """How long the thing is in heights of a person who stands there; infinite until those are known."""
        return float(stride.size.max()) / self.height(stride) if self._line is not None else float("inf")

    def paces(self, stride: Stride) -> float:
        """How many times as fast as people walk."""
        usual = self._walk if self._walk is not None else _WALK_M_S / (1.0 if self._ground else _TALL_M)
        return self._speed(stride) / usual

    def _speed(self, stride: Stride) -> float:
        """Metres a second on the ground plane, otherwise heights a second."""
        if self._ground is not None:
            spots = self._ground.metres(np.stack([stride.foot - stride.velocity, stride.foot]))
            return float(np.hypot(*(spots[1] - spots[0]))) if np.isfinite(spots).all() else 0.0
        return float(np.hypot(*stride.velocity)) / self.height(stride)

    def _settle(self, at_ms: int) -> None:
        self._walks = {track: walk for track, walk in self._walks.items() if at_ms - walk[0] <= _MEMORY_MS}
        walks = [speed for _, speed in self._walks.values()]
        self._walk = float(np.quantile(walks, _BRISK)) if len(walks) >= _FEWEST else None
        if len(self._sizes) >= _FEWEST_SIZES:
            sizes = np.array(self._sizes)
            low, high = np.quantile(sizes[:, 1], [0.1, 0.9])
            # A line that was learned in one part of the picture is not believed far beyond what was seen there.
            self._line, self._between = _fit(sizes), (0.7 * float(low), 1.4 * float(high))


def _fit(sizes: NDArray[np.float64]) -> tuple[float, float]:
    """Height over the foot's row: the line through the medians of three bands (exact on flat ground without roll)."""
    rows, tall = sizes[:, 0], sizes[:, 1]
    middle = float(np.median(tall))
    if float(np.std(rows)) < _NARROW * middle:  # all in one place: no slope to be learned
        return middle, 0.0
    bands = np.array_split(np.argsort(rows, kind="stable"), 3)
    centres = np.array([[np.median(rows[band]), np.median(tall[band])] for band in bands])
    slope, start = np.polyfit(centres[:, 0], centres[:, 1], 1)
    return (float(start), float(slope)) if slope > 0 else (middle, 0.0)
