"""Is the camera still showing what it should? Observations that perception makes from strided luma.

Analytics get the finding (``Condition``), never the picture. Each condition must hold for a while before it is
reported, and each is judged against the source's own past.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np

from watchglass.core.geometry import FloatArray
from watchglass.perception.gate import even, smooth
from watchglass.perception.ports import Image

CONDITIONS: Final = ("black", "frozen", "blurred", "moved", "lost", "clock")
"""What can be wrong with a camera, in the words of the charter."""

_BLACK_LEVEL: Final = 24.0
_BLACK_SPREAD: Final = 6.0
_FROZEN_LOOKS: Final = 4
_HISTORY: Final = 20
_LONGEST_HISTORY: Final = 100
_STILL: Final = 0.1
"""A held picture that is coded again differs from itself by less than this share of what the camera's noise changes."""

_NOISY: Final = 0.2
_CHANGE_MOST: Final = 8.0
"""Grey levels: a sample that changes more than this has seen something move, which is no noise."""

_BLUR_RATIO: Final = 0.4
_SHARP_LEAST: Final = 0.1
_ALIKE: Final = 0.45
_SHIFT_LEAST: Final = 1.5
_FOUND_AGAIN: Final = 0.6
_HOLD_MS: Final = 1_000
_CLOCK_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Condition:
    """Something is wrong with a camera.

    Attributes:
        name: one of ``CONDITIONS``.
        since_ms: capture time since which it holds.
        facts: the numbers behind it; plain values.
    """

    name: str
    since_ms: int
    facts: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name not in CONDITIONS:
            raise ValueError(f"no such condition: {self.name}")


class HealthWatch:
    """Watches one source. Hand it a look about once a second or less often; never more often than that.

    Args:
        hold_ms: how long something must hold before it is reported.
        stride: how many pixels lie between two samples (``ports.stride_of``).

    Attributes:
        level: mean luma of the last look. sharpness: of the last look; None where it was black.
    """

    def __init__(self, hold_ms: int = _HOLD_MS, *, stride: int = 8) -> None:
        self.level = 0.0
        self.sharpness: float | None = None
        self._hold_ms = hold_ms
        self._stride = stride
        self._began: dict[str, int] = {}
        self._sharp: float | None = None
        self._before: Image | None = None
        self._same = 0
        self._same_since = 0
        self._changes: deque[float] = deque(maxlen=_LONGEST_HISTORY)
        self._scene: FloatArray | None = None
        self._scene_looks = 0
        self._jump: tuple[int, int] | None = None

    def look(self, at_ms: int, sample: Image, neighbours: Image) -> Condition | None:
        """What is wrong in this look, if it has been wrong for long enough.

        Args:
            at_ms: capture time.
            sample: (h, w) strided luma.
            neighbours: (h, w) the pixels right of ``sample``.
        """
        found: dict[str, dict[str, float]] = {}
        level, spread = float(sample.mean()), float(sample.std())
        self.level, self.sharpness = level, None
        frozen = self._frozen(at_ms, sample)
        if level < _BLACK_LEVEL and spread < _BLACK_SPREAD:
            found["black"] = {"level": round(level, 1), "spread": round(spread, 1)}
        else:
            self._judge(sample, neighbours, found)
        if frozen:
            found["frozen"] = {"looks_alike": float(self._same)}
        jump = self._jump
        if jump is not None and at_ms - jump[0] <= _CLOCK_MS:
            found["clock"] = {"jump_s": round(jump[1] / 1000, 1)}
        for name in list(self._began):
            if name not in found and name != "lost":
                del self._began[name]
        for name in found:
            since = {"frozen": self._same_since, "clock": jump[0] if jump else at_ms}.get(name, at_ms)
            self._began.setdefault(name, since)
        self._began.pop("lost", None)
        for name in CONDITIONS:
            if name in found and at_ms - self._began[name] >= self._hold_ms:
                return Condition(name, self._began[name], found[name])
        return None

    @property
    def suspects(self) -> bool:
        """Whether something seems to be wrong, even if not for long enough yet."""
        return bool(self._began)

    def lost(self, at_ms: int) -> Condition | None:
        """Say that no picture came; the condition once that has lasted."""
        since = self._began.setdefault("lost", at_ms)
        if at_ms - since < self._hold_ms:
            return None
        return Condition("lost", since, {"seconds": round((at_ms - since) / 1000, 1)})

    def jumped(self, at_ms: int, by_ms: int) -> None:
        """Say that the camera's clock jumped, by ``by_ms`` either way. It counts as wrong for a minute."""
        self._jump = (at_ms, by_ms)
        self._began.pop("clock", None)

    def accept_scene(self) -> None:
        """What the camera shows from now on is its scene (after a fault was reported, or the size changed)."""
        self._scene = None
        self._sharp = None
        self._scene_looks = 0
        self._began.clear()

    def seam(self) -> None:
        """The looped file began again: forget what only holds from one picture to the next."""
        self._before = None
        self._same = 0
        self._began.clear()

    def _frozen(self, at_ms: int, sample: Image) -> bool:
        """Looks that are alike from a camera that used to be noisy. A source without noise cannot be judged."""
        before, self._before = self._before, sample
        if before is None or before.shape != sample.shape:
            self._same = 0
            return False
        change = float(np.minimum(cv2.absdiff(before, sample), _CHANGE_MOST).mean())
        # What nine looks in ten change at least; a source of which that is nothing cannot be judged.
        usual = sorted(self._changes)[len(self._changes) // 10] if len(self._changes) >= _HISTORY else 0.0
        if change and not (usual >= _NOISY and change <= _STILL * usual):
            self._same = 0
            self._changes.append(change)
            return False
        if not self._same:
            self._same_since = at_ms
        self._same += 1
        if self._same < _FROZEN_LOOKS:
            return False
        if not usual:
            # It has stood still without ever having been noisy enough: remember that as its nature.
            self._changes.append(change)
        return usual > 0

    def _judge(self, sample: Image, neighbours: Image, found: dict[str, dict[str, float]]) -> None:
        sharp = self.sharpness = _sharpness(sample, neighbours)
        if self._sharp is None:
            self._sharp = sharp
        blurred = self._sharp >= _SHARP_LEAST and sharp < _BLUR_RATIO * self._sharp
        if blurred:
            found["blurred"] = {"sharpness": round(sharp, 2), "usual": round(self._sharp, 2)}
        else:
            self._sharp += 0.05 * (sharp - self._sharp)
        now = smooth(sample)
        if self._scene is None or self._scene.shape != now.shape:
            self._scene, self._scene_looks = now, 1
            return
        likeness = _likeness(now, self._scene)
        if likeness < _ALIKE and not blurred:
            moved = _moved(now, self._scene, likeness, self._stride)
            if moved:
                found["moved"] = moved
        elif not blurred:
            self._scene_looks += 1
            pace = np.float32(max(0.02, 1 / self._scene_looks))
            self._scene += pace * (even(now, self._scene) - self._scene)


def _sharpness(sample: Image, neighbours: Image) -> float:
    """How steep the steepest edges are above what noise alone makes, as a share of the picture's contrast."""
    steps = np.cumsum(np.bincount(cv2.absdiff(sample, neighbours).ravel(), minlength=256))
    usual, steep = np.searchsorted(steps, (0.5 * steps[-1], 0.99 * steps[-1])).tolist()
    return float(max(0.0, steep - 3.0 * usual)) / max(1.0, float(sample.std()))


def _relief(image: FloatArray) -> FloatArray:
    """The picture without its slow shades: light may change, edges stay where they are."""
    return (image - cv2.blur(image, (15, 15))).astype(np.float32)


def _likeness(now: FloatArray, scene: FloatArray) -> float:
    """Correlation of the reliefs, -1..1."""
    a, b = _relief(now).ravel(), _relief(scene).ravel()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm > 1 else 1.0


def _moved(now: FloatArray, scene: FloatArray, likeness: float, stride: int) -> dict[str, float] | None:
    """How far the scene moved (pixels of the picture), or that it cannot be found in the picture at all."""
    relief = _relief(scene)
    if float(relief.std()) < 2.0:  # noqa: PLR2004 # a scene without edges cannot be registered
        return None
    window = cv2.createHanningWindow((now.shape[1], now.shape[0]), cv2.CV_32F)
    (dx, dy), _response = cv2.phaseCorrelate(relief, _relief(now), window)
    shifted = cv2.warpAffine(now, np.array([[1, 0, -dx], [0, 1, -dy]], np.float32), (now.shape[1], now.shape[0]))
    again = _likeness(shifted.astype(np.float32), scene)
    if again >= _FOUND_AGAIN and float(np.hypot(dx, dy)) >= _SHIFT_LEAST:
        return {"likeness": round(likeness, 2), "right_px": round(dx * stride, 0), "down_px": round(dy * stride, 0)}
    if likeness < _ALIKE / 2:
        return {"likeness": round(likeness, 2)}
    return None
