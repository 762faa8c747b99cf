"""What decoding and detecting cost, measured where they are done: the published costs rest on it.

CPU time of the calling thread: decoders and detectors work in the thread that asks them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from watchglass.core.geometry import FloatArray
from watchglass.perception.observation import Detections
from watchglass.perception.ports import Decoder, Detector, Image, Insight, Packet, Picture

T = TypeVar("T")


class Meter:
    """Of one source.

    Args:
        cpu: the CPU time of this thread, in seconds.

    Attributes:
        decode_seconds, detect_seconds: CPU seconds so far.
    """

    def __init__(self, cpu: Callable[[], float] = time.thread_time) -> None:
        self.decode_seconds = 0.0
        self.detect_seconds = 0.0
        self._cpu = cpu

    def decoder(self, inner: Decoder) -> Decoder:
        """``inner``, counted."""
        return _MeteredDecoder(inner, self)

    def detector(self, inner: Detector) -> Detector:
        """``inner``, counted."""
        return _MeteredDetector(inner, self)

    def decoding(self, work: Callable[[], T]) -> T:
        """Do ``work`` and count it as decoding, also where it fails."""
        begun = self._cpu()
        try:
            return work()
        finally:
            self.decode_seconds += self._cpu() - begun

    def detecting(self, work: Callable[[], T]) -> T:
        """Do ``work`` and count it as detecting."""
        begun = self._cpu()
        try:
            return work()
        finally:
            self.detect_seconds += self._cpu() - begun


class _MeteredDecoder:
    def __init__(self, inner: Decoder, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    def decode(self, packet: Packet) -> Sequence[Picture]:
        return self._meter.decoding(lambda: self._inner.decode(packet))

    def alone(self, packet: Packet) -> Picture | None:
        return self._meter.decoding(lambda: self._inner.alone(packet))

    def drain(self) -> Sequence[Picture]:
        return self._meter.decoding(self._inner.drain)

    @property
    def insight(self) -> Insight:
        return self._inner.insight

    @property
    def flawed(self) -> int:
        return self._inner.flawed

    def exactly(self, exact: bool) -> None:
        self._inner.exactly(exact)

    def glance(self, key: Packet, packet: Packet) -> FloatArray | None:
        return self._meter.decoding(lambda: self._inner.glance(key, packet))

    def weigh(self, packet: Packet) -> int:
        return self._inner.weigh(packet)


class _MeteredDetector:
    def __init__(self, inner: Detector, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    @property
    def side(self) -> int:
        return self._inner.side

    def detect(self, bgr: Image) -> Detections:
        return self._meter.detecting(lambda: self._inner.detect(bgr))
