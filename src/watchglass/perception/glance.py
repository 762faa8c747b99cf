"""Between two keyframes: which picture to glance at, and whether it shows that something moves.

A glance costs one coded picture (``ports.Decoder.glance``). One is taken whenever the last look is about a second old,
at the packet that stands out most among its neighbours: what moves makes packets larger. Where sizes are steady enough,
a packet that stands out far is glanced at at once. Sizes alone never open anything; a trigger that keeps leading to
glances at nothing is switched off for a while.

Where a still scene is coded in next to nothing, sizes say reliably that nothing has changed. Then a keyframe may be
passed over, if the one before it was looked at, and no glance is taken on it while that holds; and whatever is larger
than usual is glanced at at once.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from watchglass.core.geometry import FloatArray
from watchglass.perception.gate import clumps, middle
from watchglass.perception.ports import Packet

EARLY_MS: Final = 670
LATE_MS: Final = 1330
"""A glance is taken so long after the last look, at the best packet in between."""

_TRIGGER_MS: Final = 240
"""A trigger does not make glances follow each other faster than this."""

_WEIGHTS: Final = 250
_KNOWN: Final = 48
_STANDS_OUT: Final = 8.0
_BESIDE_USUAL: Final = 2.0
_BESIDE_RARE: Final = 1.5
_RARE: Final = 2
_PRECISE: Final = 0.05
_PROBATION_MS: Final = 10 * 60_000
_GIANTS: Final = 20
"""So many of the last 250 packets at most are as large as they are because the encoder wants it."""

_CALM: Final = 7.0
_NEXT_TO_NOTHING: Final = 1 / 200
"""Beside a keyframe: a packet that says hardly more than that nothing has changed."""

_LEAST: Final = 3.0
_MOST: Final = 10.0
_START: Final = 7.0
_ABOVE: Final = 1.35
_NOISES: Final = 5.0
_RANK: Final = 4
_PACE: Final = 1 / 16
_FALSE_PACE: Final = 0.34


class Trigger:
    """Packet sizes of one source: which of them stand out, and whether that has meant anything."""

    def __init__(self) -> None:
        self._weights: deque[int] = deque(maxlen=_WEIGHTS)
        self._usual = 0.0
        self._limit: float | None = None
        self._calm: float | None = None
        self._giant: float | None = None
        self._precision = 0.25
        self._off_until: int | None = None

    @property
    def off(self) -> bool:
        """Whether it has misfired and is switched off."""
        return self._off_until is not None

    def weigh(self, weight: int) -> float:
        """Remember a packet's bytes; how large it is beside what is usual here.

        Some encoders make one packet of each group several times as large as the others, whatever happens: it counts
        as smaller than they are.
        """
        self._weights.append(weight)
        if self._giant is not None and self._limit is not None and self._giant < weight <= self._limit:
            return 0.0
        return weight / max(1.0, self._usual or weight)

    def renew(self, at_ms: int, key_size: int) -> None:
        """Work out anew what stands out; once a group is often enough.

        Args:
            at_ms: now.
            key_size: bytes of the newest keyframe.
        """
        if self._off_until is not None and at_ms >= self._off_until:
            self._off_until, self._precision = None, 3 * _PRECISE
        if len(self._weights) < _KNOWN:
            self._limit = self._calm = self._giant = None
            return
        ordered = sorted(self._weights)
        usual = ordered[len(ordered) // 2]
        spread = 1.48 * float(middle(np.abs(np.array(ordered, np.float32) - usual)))
        self._usual = float(usual)
        rare = ordered[-_RARE]
        giant = _BESIDE_USUAL * usual
        self._giant = giant if ordered[-min(len(ordered), _GIANTS + 1)] <= giant < rare else None
        self._calm = usual + _CALM * spread if usual <= _NEXT_TO_NOTHING * key_size else None
        self._limit = max(usual + _STANDS_OUT * spread, _BESIDE_USUAL * usual, _BESIDE_RARE * rare)

    def stands_out(self, weight: int) -> bool:
        """Whether a packet is so large that something must be going on."""
        return self._limit is not None and self._off_until is None and weight > self._limit

    def calm(self, weight: int) -> bool:
        """Whether a packet is so small that nothing can have changed; never where sizes do not tell."""
        return self._calm is not None and self.tells and weight <= self._calm

    @property
    def tells(self) -> bool:
        """Whether packets are so small while nothing changes that anything larger is worth a glance."""
        return self._calm is not None and self._off_until is None

    def turned_out(self, at_ms: int, *, seen: bool) -> None:
        """Learn whether a glance that it asked for showed anything."""
        self._precision += 0.15 * (seen - self._precision)
        if self._precision < _PRECISE:
            self._off_until = at_ms + _PROBATION_MS


@dataclass(slots=True)
class _Best:
    packet: Packet
    score: float


class Glances:
    """Plans and judges the glances at one source.

    Attributes:
        taken: how many glances were judged.
        trigger: the sizes of its packets.
        calm: whether nothing can have changed since the last keyframe, as far as sizes tell.
    """

    def __init__(self) -> None:
        self.taken = 0
        self.trigger = Trigger()
        self.calm = False
        self._passed = False
        self._looked_ms = 0
        self._newest_ms = 0
        self._best: _Best | None = None
        self._triggered = False
        self._noise: FloatArray | None = None
        self._peak = _START
        self._pending: FloatArray | None = None

    def reset(self) -> None:
        """Forget what glances usually show (the camera has moved)."""
        self._noise, self._pending = None, None
        self._peak = _START

    def begin(self, key: Packet, *, passed: bool = False) -> None:
        """A keyframe was looked at, or passed over: the next glance rests on it."""
        self.calm, self._passed = True, passed
        self._looked_ms = self._newest_ms = key.at_ms
        self._best = None
        self.trigger.renew(key.at_ms, key.size)

    def consider(self, packet: Packet, weight: int) -> Packet | None:
        """The packet to glance at now, if it is time to: this one, or one since the last look.

        Args:
            packet: the next of the stream, in coded order.
            weight: its bytes without filler.
        """
        if packet.at_ms <= self._newest_ms:
            # It comes before its time: predicted from both sides, and nothing else rests on it.
            return None
        self._newest_ms = packet.at_ms
        stands_out = self.trigger.stands_out(weight)
        score = self.trigger.weigh(weight)
        calm = self.trigger.calm(weight)
        self.calm = self.calm and calm
        since = packet.at_ms - self._looked_ms
        if (stands_out or (self.trigger.tells and not calm)) and since >= _TRIGGER_MS:
            return self._take(packet, triggered=True)
        if since < EARLY_MS:
            return None
        if self._best is None or score > self._best.score:
            self._best = _Best(packet, score)
        if since < LATE_MS or (self._passed and self.calm):
            return None
        return self._take(self._best.packet, triggered=False)

    def _take(self, packet: Packet, *, triggered: bool) -> Packet:
        self._looked_ms = packet.at_ms
        self._best = None
        self._triggered = triggered
        return packet

    def judge(self, at_ms: int, changes: FloatArray) -> bool:
        """Whether something moves in a glance.

        Args:
            at_ms: when.
            changes: (h, w) strided luma, signed (``ports.Decoder.glance``).
        """
        self.taken += 1
        now = cv2.blur(changes, (3, 3)).astype(np.float32)
        size = np.abs(now - middle(now[::4, ::4]))
        if self._noise is None or self._noise.shape != size.shape:
            self._noise = np.full(size.shape, 0.5, np.float32)
        fresh = size > _NOISES * self._noise
        seen = bool(clumps(fresh & (size > max(_LEAST, _ABOVE * self._peak))).any())
        if self._triggered:
            self.trigger.turned_out(at_ms, seen=seen)
            self._triggered = False
        if seen:
            self._pending = size
        else:
            self._learn(size, fresh, _PACE)
        return seen

    def turned_out(self, *, real: bool) -> None:
        """Learn whether what the last glance opened was anything."""
        pending, self._pending = self._pending, None
        if pending is not None and not real and self._noise is not None and pending.shape == self._noise.shape:
            self._learn(pending, pending > _NOISES * self._noise, _FALSE_PACE)

    def _learn(self, size: FloatArray, fresh: np.ndarray, pace: float) -> None:
        """What glances show where nothing is going on: by place, and how high it rises at most."""
        assert self._noise is not None
        strength = _strength(np.where(fresh, size, np.float32(0)))
        if strength > self._peak:
            self._peak = min(_MOST, self._peak + 1.0)
        else:
            self._peak -= max(0.005, 0.5 / self.taken) * min(1.0, self._peak)
        self._noise += np.float32(max(pace, 1 / (1 + self.taken))) * (size - self._noise)


def _strength(size: FloatArray) -> float:
    """How strong the strongest clump is: above this threshold ``clumps`` would not find it any more, or hardly."""
    spread = cv2.blur(size, (3, 3))
    row, column = divmod(int(spread.argmax()), size.shape[1])
    around = size[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].ravel()
    return float(np.sort(around)[-_RANK]) if len(around) >= _RANK else 0.0
