"""Is anything happening? Two cheap questions to strided luma, so that a quiet scene costs one keyframe.

``Gate`` compares keyframes with a selective background after taking out gain and offset (clouds, exposure). ``Motion``
compares pictures a fifth of a second apart while the gate is open; ``Habit`` knows where something always moves. All
work on strided luma (``Picture.luma``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray, FloatArray
from watchglass.perception.ports import Image

_FLOOR: Final = 8.0
"""Grey levels that a smoothed sample must differ by, however still the scene is."""

_MOTION_FLOOR: Final = 7.0
_SIGMAS: Final = 5.0
_MOTION_SIGMAS: Final = 6.0
_BLOB: Final = 3
"""So many neighbours (of nine) must differ with a sample before it counts."""

_STUCK_MS: Final = 60_000
"""What has differed for so long without moving has become part of the scene."""

_EVEN: Final = 2048
_ACCEPTED: Final = np.float32(0.34)
_CLOCK_LOOKS: Final = 40
_CLOCK_SHARE: Final = 0.85
_HABIT: Final = 0.25
"""Who walks past a sample moves there for a second or two: a twentieth of this."""

_HABIT_PACE: Final = np.float32(0.005)


def smooth(sample: Image) -> FloatArray:
    """A sample (h, w) as float32, averaged over 3 x 3: sensor noise falls to a third."""
    return cv2.blur(sample, (3, 3)).astype(np.float32)


def middle(values: FloatArray) -> np.float32:
    """The median of some values, the upper one of two. A tenth of what ``numpy.median`` costs where there are few."""
    flat = values.ravel()
    return np.float32(np.partition(flat, len(flat) // 2)[len(flat) // 2])


def clumps(differs: BoolArray) -> BoolArray:
    """Only what differs together with its neighbours; single samples are noise."""
    count = cv2.boxFilter(differs.astype(np.uint8), -1, (3, 3), normalize=False)
    return np.asarray(differs & (count > _BLOB))


def even(sample: FloatArray, reference: FloatArray, ignore: BoolArray | None = None) -> FloatArray:
    """``sample`` with the gain and offset taken out that explain most of its difference from ``reference``.

    Least squares over a grid of some two thousand samples, repeated without those that fit worst, so that a person is
    not taken for a cloud.
    """
    step = max(1, round((sample.size / _EVEN) ** 0.5))
    x, y = sample[::step, ::step].ravel(), reference[::step, ::step].ravel()
    keep = np.ones(len(x), bool) if ignore is None else ~ignore[::step, ::step].ravel()
    gain, offset = 1.0, 0.0
    for _ in range(3):
        xs, ys = x[keep], y[keep]
        if len(xs) < len(x) // 8:
            break
        mean_x, mean_y = float(xs.sum()) / len(xs), float(ys.sum()) / len(xs)
        around_x, around_y = xs - np.float32(mean_x), ys - np.float32(mean_y)
        spread = float(around_x @ around_x) / len(xs)
        gain = float(around_x @ around_y) / len(xs) / spread if spread > 1 else 1.0
        gain = min(3.0, max(1 / 3, gain))
        offset = mean_y - gain * mean_x
        misfit = np.abs(gain * x + offset - y)
        keep &= misfit <= max(_FLOOR, 2.5 * float(misfit[keep].mean()))
    return (gain * sample + np.float32(offset)).astype(np.float32)


@dataclass(slots=True)
class _Memory:
    """What the gate knows of each sample: all (h, w)."""

    scene: FloatArray
    noise: FloatArray
    changes: FloatArray
    since: NDArray[np.int64]
    differs: BoolArray
    fair: FloatArray | None = None
    looks: int = 1

    @classmethod
    def of(cls, sample: FloatArray) -> _Memory:
        shape = sample.shape
        noise, changes = np.full(shape, 2.0, np.float32), np.zeros(shape, np.float32)
        return cls(sample, noise, changes, np.full(shape, -1, np.int64), np.zeros(shape, bool))


class Gate:
    """Compares single pictures with the scene as it is when nothing happens."""

    def __init__(self) -> None:
        self._memory: _Memory | None = None

    @property
    def primed(self) -> bool:
        """Whether there is a scene to compare with yet."""
        return self._memory is not None

    def reset(self) -> None:
        """Forget the scene."""
        self._memory = None

    def accept(self) -> None:
        """What differed when it was looked at last was nothing: it neither moved nor was it recognised.

        The scene moves towards it, and its place counts as noisy until it has been calm for a while: digits of a
        clock on the screen, wet ground, a reflection.
        """
        memory = self._memory
        if memory is None or memory.fair is None:
            return
        around = cv2.dilate(memory.differs.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        off = np.abs(memory.fair - memory.scene)
        memory.noise += np.where(around, _ACCEPTED * np.maximum(off - memory.noise, 0), np.float32(0))
        memory.scene += np.where(memory.differs, _ACCEPTED * (memory.fair - memory.scene), np.float32(0))
        memory.fair = None

    def look(self, at_ms: int, sample: Image, busy: BoolArray | None = None) -> bool:
        """Learn from ``sample`` and say whether something differs that was not there before.

        Args:
            at_ms: capture time.
            sample: (h, w) strided luma.
            busy: (h, w) where tracks are: neither learned from nor a reason to open by itself.
        """
        now = smooth(sample)
        memory = self._memory
        if memory is None or memory.scene.shape != now.shape:
            self._memory = _Memory.of(now)
            return True
        fair = even(now, memory.scene)
        off = np.abs(fair - memory.scene)
        differs = clumps(off > np.maximum(_FLOOR, _SIGMAS * memory.noise))
        _learn(memory, at_ms, fair, off, differs, busy)
        # What differs nearly always and never goes away is a clock on the screen, or a flag.
        fresh = differs
        if memory.looks > _CLOCK_LOOKS and (clock := memory.changes > _CLOCK_SHARE).any():
            fresh = differs & ~cv2.dilate(clock.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
        if busy is not None:
            fresh = fresh & ~busy
        if fresh.any():
            memory.fair, memory.differs = fair, fresh
            return True
        return False


def _learn(
    memory: _Memory, at_ms: int, fair: FloatArray, off: FloatArray, differs: BoolArray, busy: BoolArray | None
) -> None:
    """Move the scene towards what is calm; what has differed for a minute becomes part of it."""
    memory.looks += 1
    pace = np.float32(max(0.05, 1 / memory.looks))
    calm = ~differs if busy is None else ~differs & ~busy
    memory.scene += np.where(calm, pace * (fair - memory.scene), np.float32(0))
    memory.noise += np.where(calm, pace * (off - memory.noise), np.float32(0))
    memory.changes += np.float32(0.02) * (differs - memory.changes)
    memory.since[calm] = -1
    memory.since[differs & (memory.since < 0)] = at_ms
    stuck = differs & (memory.since >= 0) & (at_ms - memory.since > _STUCK_MS)
    if busy is not None:
        stuck &= ~busy
    if stuck.any():
        memory.scene += np.where(stuck, np.float32(0.2) * (fair - memory.scene), np.float32(0))


class Motion:
    """Compares each picture with the one before, while the gate is open."""

    def __init__(self) -> None:
        self._before: FloatArray | None = None
        self._noise: float | None = None

    def reset(self) -> None:
        """Forget the picture before."""
        self._before = None

    def look(self, sample: Image) -> BoolArray:
        """Where something moved: (h, w) bool for strided luma (h, w)."""
        now = smooth(sample)
        before, self._before = self._before, now
        if before is None or before.shape != now.shape:
            return np.zeros(now.shape, bool)
        off = now - before
        off -= middle(off[::4, ::4])
        np.abs(off, out=off)
        # The median of what differs is noise as long as less than half the picture moves.
        noise = 1.48 * float(middle(off[1::4, 1::4]))
        self._noise = noise if self._noise is None else self._noise + 0.1 * (noise - self._noise)
        return clumps(off > max(_MOTION_FLOOR, _MOTION_SIGMAS * self._noise))


class Habit:
    """Where something always moves that nobody has recognised: a tree in the wind, a screen that flickers.

    It holds for what moves at that place only, and never where something is followed: the motion of people is news
    however long it lasts. Known after ten seconds of motion without a pause, and the later the more pauses there are.
    """

    def __init__(self) -> None:
        self._share: FloatArray | None = None

    def news(self, moving: BoolArray, busy: BoolArray | None) -> bool:
        """Learn from a look, and say whether something moves where it does not always.

        Args:
            moving: (h, w) what ``Motion`` saw.
            busy: (h, w) where tracks are.
        """
        share = self._share
        if share is None or share.shape != moving.shape:
            share = self._share = np.zeros(moving.shape, np.float32)
        usual = share > _HABIT
        around = cv2.dilate(moving.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
        if busy is None:
            share += _HABIT_PACE * (around - share)
            return bool(clumps(moving & ~usual).any())
        share += np.where(busy, np.float32(0), _HABIT_PACE * (around - share))
        return bool(clumps(moving & (busy | ~usual)).any())
