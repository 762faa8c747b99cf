"""What has changed in the scene and stays: a thing left behind, a thing taken away, somebody who lies.

Each sample of strided luma has a scene (how it looks when nothing happens) and a candidate (how it has looked since it
changed). A candidate that stays becomes static; what passes in front of it interrupts its time and does not end it
(two backgrounds, after Porikli 2007, "Detection of temporarily static regions by processing video at different frame
rates"). What leaves here is a box and times, never a picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray, FloatArray
from watchglass.perception.gate import clumps, even, smooth
from watchglass.perception.observation import StaticChange
from watchglass.perception.ports import Image

STEADY_MS: Final = 3_000
"""What has looked the same for so long is static."""

HIDDEN_MS: Final = 30_000
"""For so long something may stand in front of it."""

ABSORB_MS: Final = 30 * 60_000
"""What has stayed for so long is the scene."""

_FLOOR: Final = 10.0
"""Grey levels that a smoothed sample must differ by, however still the scene is."""

_SIGMAS: Final = 5.0
_ALIKE: Final = 6.0
"""Grey levels within which a candidate is itself again."""

_LEAST: Final = 6
"""So many samples make a change: about 8 x 12 pixels of a picture 768 pixels wide."""

_GONE_LOOKS: Final = 2
_YOUNG_MS: Final = 3_000
_LONGEST_STEP_MS: Final = 5_000
_EVERYWHERE: Final = 0.4
_OTHER_SCENE_LOOKS: Final = 5
_SAME: Final = 0.3
_EDGES: Final = 1.25
_TEXTURE: Final = 4.0
_LIGHT: Final = 0.7
_SEEN: Final = 0.6


@dataclass(slots=True)
class _Memory:
    """What is known of each sample: all (h, w). Times are milliseconds."""

    scene: FloatArray
    noise: FloatArray
    shown: NDArray[np.int64]
    candidate: FloatArray
    since: NDArray[np.int64]
    steady: NDArray[np.int64]
    seen: NDArray[np.int64]
    cleared: NDArray[np.int8]
    looks: int = 1

    @classmethod
    def of(cls, sample: FloatArray, at_ms: int) -> _Memory:
        shape = sample.shape
        return cls(
            scene=sample,
            noise=np.full(shape, 2.0, np.float32),
            shown=np.zeros(shape, np.int64),
            candidate=sample.copy(),
            since=np.full(shape, at_ms, np.int64),
            steady=np.zeros(shape, np.int64),
            seen=np.full(shape, at_ms, np.int64),
            cleared=np.zeros(shape, np.int8),
        )


class StaticWatch:
    """Watches one source. Hand it a look about once a second; while the gate is shut, keyframes are enough.

    Args:
        stride: how many pixels apart luma is sampled.
    """

    def __init__(self, stride: int) -> None:
        self._stride = stride
        self._memory: _Memory | None = None
        self._at_ms = 0
        self._elsewhere = 0
        self._changes: tuple[StaticChange, ...] = ()
        self._next = 1

    @property
    def changes(self) -> tuple[StaticChange, ...]:
        """As of the last look."""
        return self._changes

    def reset(self) -> None:
        """Forget the scene (another camera, another view)."""
        self._memory = None
        self._changes = ()

    def seam(self, at_ms: int) -> None:
        """The looped file began again: what stayed has not stayed."""
        self._changes = ()
        self._at_ms = at_ms
        if self._memory is not None:
            self._memory.steady[:] = 0
            self._memory.cleared[:] = 0

    def look(self, at_ms: int, sample: Image, busy: BoolArray | None = None) -> tuple[StaticChange, ...]:
        """What stays changed in this look.

        Args:
            at_ms: capture time.
            sample: (h, w) strided luma.
            busy: (h, w) where tracks are: the scene is not learned there.
        """
        now = smooth(sample)
        memory = self._memory
        if memory is None or memory.scene.shape != now.shape:
            self._memory, self._at_ms, self._changes = _Memory.of(now, at_ms), at_ms, ()
            return ()
        step = min(max(0, at_ms - self._at_ms), _LONGEST_STEP_MS)
        self._at_ms = at_ms
        fair = even(now, memory.scene)
        off = np.abs(fair - memory.scene)
        differs = clumps(off > np.maximum(_FLOOR, _SIGMAS * memory.noise))
        if float(differs.mean()) > _EVERYWHERE:
            # Another light, or another view: nothing can be said until it has gone, or has become the scene.
            self._elsewhere += 1
            if self._elsewhere >= _OTHER_SCENE_LOOKS:
                self._memory, self._changes, self._elsewhere = _Memory.of(now, at_ms), (), 0
            return self._changes
        self._elsewhere = 0
        same = np.abs(fair - memory.candidate) <= np.maximum(_ALIKE, 3 * memory.noise)
        _learn(memory, fair, off, ~differs if busy is None else ~differs & ~busy, step)
        _follow(memory, at_ms, fair, step, differs=differs, same=same)
        _heal(memory)
        self._changes = self._boxes(memory, fair, differs & same)
        return self._changes

    def _boxes(self, memory: _Memory, fair: FloatArray, visible: BoolArray) -> tuple[StaticChange, ...]:
        static = (memory.steady >= STEADY_MS).astype(np.uint8)
        if not static.any():
            return ()
        joined = cv2.morphologyEx(static, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
        changes = []
        for label in range(1, count):
            x, y, w, h, area = (int(v) for v in stats[label])
            if area < _LEAST:
                continue
            part = (slice(max(0, y - 2), y + h + 2), slice(max(0, x - 2), x + w + 2))
            mine = labels[part] == label
            known = mine & (static[part] > 0)
            box = tuple(float(v * self._stride) for v in (x, y, x + w, y + h))
            before = self._before((box[0], box[1], box[2], box[3]))
            if before is not None and self._at_ms - before.since_ms > ABSORB_MS:
                rim = cv2.dilate(mine.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
                memory.scene[part][rim] = fair[part][rim]
                memory.steady[part][rim] = 0
                continue
            gone = before.gone if before else None
            if float(visible[part][known].mean()) >= _SEEN:
                if _is_light(fair[part], memory.scene[part], mine):
                    continue
                gone = _is_gone(fair[part], memory.scene[part], mine)
            changes.append(
                StaticChange(
                    id=before.id if before else self._number(),
                    box=(box[0], box[1], box[2], box[3]),
                    since_ms=min(int(np.median(memory.since[part][known])), before.since_ms if before else self._at_ms),
                    steady_ms=int(np.median(memory.steady[part][known])),
                    gone=gone,
                )
            )
        return tuple(changes)

    def _before(self, box: tuple[float, float, float, float]) -> StaticChange | None:
        best = max(self._changes, key=lambda c: _iou(c.box, box), default=None)
        return best if best is not None and _iou(best.box, box) >= _SAME else None

    def _number(self) -> int:
        self._next += 1
        return self._next - 1


def _learn(memory: _Memory, fair: FloatArray, off: FloatArray, calm: BoolArray, step: int) -> None:
    """Move the scene towards what is calm."""
    memory.looks += 1
    pace = np.float32(max(0.05, 1 / memory.looks))
    memory.scene += np.where(calm, pace * (fair - memory.scene), np.float32(0))
    memory.noise += np.where(calm, pace * (off - memory.noise), np.float32(0))
    memory.shown[calm] += step


def _follow(memory: _Memory, at_ms: int, fair: FloatArray, step: int, *, differs: BoolArray, same: BoolArray) -> None:
    """Let candidates stay, be hidden, or go."""
    stays = differs & same
    memory.steady[stays] += step
    memory.seen[stays] = at_ms
    memory.cleared[stays] = 0
    established = memory.steady >= STEADY_MS
    hidden = differs & ~same & established & (at_ms - memory.seen <= HIDDEN_MS)
    new = differs & ~same & ~hidden
    memory.candidate[new] = fair[new]
    memory.since[new] = at_ms
    memory.seen[new] = at_ms
    memory.steady[new] = 0
    memory.cleared[new | hidden] = 0
    memory.cleared[~differs] += 1
    np.minimum(memory.cleared, _GONE_LOOKS, out=memory.cleared)
    over = ~differs & (~established | (memory.cleared >= _GONE_LOOKS))
    memory.steady[over] = 0
    memory.candidate[over] = fair[over]


def _heal(memory: _Memory) -> None:
    """What came after a scene that hardly anybody has seen is the scene."""
    young = (memory.steady >= STEADY_MS) & (memory.shown < _YOUNG_MS)
    if young.any():
        memory.scene[young] = memory.candidate[young]
        memory.steady[young] = 0


def _steep(image: FloatArray) -> FloatArray:
    return np.asarray(np.hypot(cv2.Sobel(image, cv2.CV_32F, 1, 0), cv2.Sobel(image, cv2.CV_32F, 0, 1)), np.float32)


def _is_gone(now: FloatArray, scene: FloatArray, mine: BoolArray) -> bool | None:
    """Whether the outline was there before and is not now: a thing was taken away. None where neither is clear."""
    outer = cv2.dilate(mine.astype(np.uint8), np.ones((3, 3), np.uint8))
    inner = cv2.erode(mine.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0)
    rim = (outer > 0) & (inner == 0)
    there, before = float(_steep(now)[rim].mean()), float(_steep(scene)[rim].mean())
    if before > _EDGES * there:
        return True
    return False if there > _EDGES * before else None


def _is_light(now: FloatArray, scene: FloatArray, mine: BoolArray) -> bool:
    """Whether the same texture is still there under another light."""
    a, b = now[mine] - now[mine].mean(), scene[mine] - scene[mine].mean()
    if float(b.std()) < _TEXTURE or float(a.std()) < _TEXTURE / 2:
        return False
    return float((a * b).mean() / (a.std() * b.std())) >= _LIGHT


def _iou(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    across = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    down = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    common = across * down
    return common / max(1e-6, (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)
