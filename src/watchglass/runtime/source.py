"""One source inside a worker: opened, paced by the clock, run through its pipeline, tried again when it is lost."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from watchglass.core.entropy import Entropy
from watchglass.core.errors import WatchglassError
from watchglass.core.time import SECOND, Clock
from watchglass.edge.video import VideoFile
from watchglass.perception.messages import Report, SourceEnded, SourceOpened, SourceSpec
from watchglass.perception.pipeline import Pipeline
from watchglass.perception.ports import Detector, Packet, Picture
from watchglass.perception.ring import ClipOrder
from watchglass.runtime.clips import ClipMaker, Studio
from watchglass.runtime.meter import Meter
from watchglass.runtime.painting import ViewPainter

_LATE_MS: Final = 3 * SECOND
_BACKOFF_MS: Final = (1 * SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND)
_BATCH_MS: Final = 60
_UNSEEN_SIZE: Final = (640, 360)


class _Nothing:
    """The decoder of a source that has never opened."""

    def decode(self, packet: Packet) -> Sequence[Picture]:
        del packet
        return ()

    def alone(self, packet: Packet) -> Picture | None:
        del packet
        return None

    def drain(self) -> Sequence[Picture]:
        return ()


class Source:
    """Runs one source, a little at a time.

    Args:
        spec: what to run.
        clock, entropy, detector: from the edge.
        send: takes reports; must not block.
        clips: makes the clips.
        looked_at: whether the source may be looked at at this moment.
        allowed: which of its rules may run at this moment.
    """

    def __init__(
        self,
        spec: SourceSpec,
        *,
        clock: Clock,
        entropy: Entropy,
        detector: Detector,
        send: Callable[[Report], None],
        clips: ClipMaker,
        looked_at: Callable[[], bool],
        allowed: Callable[[], frozenset[str]],
    ) -> None:
        self.spec = spec
        self.ended = False
        self._clock = clock
        self._entropy = entropy
        self._detector = detector
        self._send = send
        self._clips = clips
        self._looked_at = looked_at
        self._allowed = allowed
        self._file: VideoFile | None = None
        self._packets: Iterator[Packet] | None = None
        self._next: Packet | None = None
        self._shift_ms = 0
        self._failures = 0
        self._retry_ms = 0
        self._lost = ""
        self._told_lost_ms = 0
        self._health_ms = 0
        self._dropped: dict[str, int] = {}
        self._arrivals: deque[int] = deque()
        self._began = time.monotonic()
        self._cpu = 0.0
        self._meter = Meter()
        self._first_ms: int | None = None
        self._last_ms = 0
        self._frames = 0
        self._paused = False
        self._refused_since: int | None = None
        self._painter, self._pipeline = self._build(spec.size or _UNSEEN_SIZE, None)

    # ---- what the worker calls ---------------------------------------------------------------------------------------

    def step(self) -> int | None:
        """Do what is due now, for a few dozen milliseconds at most.

        Returns:
            The time (ms since the epoch) at which the next thing is due; None once the source has ended.
        """
        started = time.thread_time()
        try:
            return self._step()
        finally:
            self._cpu += time.thread_time() - started

    def confirm_backdrop(self, png: bytes | None) -> None:
        """See ``ViewPainter.confirm``."""
        self.spec = replace(self.spec, backdrop=png)
        self._painter.confirm(png)

    def propose_backdrop(self) -> None:
        """Send the backdrop as far as it is learned."""
        self._send(self._painter.proposal(self._clock.now(), self._detector))

    def fail(self, error: str) -> None:
        """Give this source up; the others go on."""
        self._end(error)

    # ---- inside ------------------------------------------------------------------------------------------------------

    def _step(self) -> int | None:
        if self.ended:
            return None
        now = self._clock.now()
        if now - self._health_ms >= SECOND:
            self._tell_health(now)
        if not self._looked_at():
            return self._not_looked_at(now)
        self._refused_since = None
        self._paused = False
        if self._packets is None and not self._open(now):
            return None if self.ended else self._wait_for_file(now)
        return self._run(now)

    def _open(self, now: int) -> bool:
        if now < self._retry_ms:
            return False
        try:
            file = VideoFile(Path(self.spec.uri), never_see=self.spec.never_see, loop=self.spec.loop)
            start = now if self.spec.realtime else self.spec.start_ms
            packets = file.packets(start)
            first = next(packets)
        except (WatchglassError, StopIteration) as error:
            self._failed(str(error) or "the file is empty")
            return False
        size = (file.width, file.height)
        if self._file is None:
            self._painter, self._pipeline = self._build(self.spec.size or size, file)
        else:
            self._pipeline.reopened(self._meter.decoder(file.decoder()))
        if self._file is None or (self._file.width, self._file.height) != size:
            self._send(SourceOpened(self.spec.name, *size, file.fps))
        self._file, self._packets, self._next, self._shift_ms = file, packets, first, 0
        self._lost = ""
        return True

    def _build(self, size: tuple[int, int], file: VideoFile | None) -> tuple[ViewPainter, Pipeline]:
        painter = ViewPainter(self.spec, size)
        decoder = file.decoder() if file else _Nothing()
        pipeline = Pipeline(
            self.spec,
            size,
            decoder=self._meter.decoder(decoder),
            detector=self._meter.detector(self._detector),
            painter=painter,
            entropy=self._entropy,
            allowed=self._allowed,
        )
        return painter, pipeline

    def _run(self, now: int) -> int | None:
        until = time.monotonic() + _BATCH_MS / 1000
        while self._next is not None and time.monotonic() < until and self._looked_at():
            packet = self._paced(self._next, now)
            if self.spec.realtime and packet.at_ms > now:
                return packet.at_ms
            self._first_ms = packet.at_ms if self._first_ms is None else self._first_ms
            self._last_ms = packet.at_ms
            self._frames += 1
            self._arrivals.append(now)
            self._emit(self._pipeline.feed(packet))
            if not self._advance():
                return None if self.ended else self._retry_ms
            now = self._clock.now()
        return now

    def _emit(self, events: Iterator[Report | ClipOrder]) -> None:
        for event in events:
            if isinstance(event, ClipOrder):
                self._order(event)
            else:
                self._send(event)

    def _order(self, order: ClipOrder) -> None:
        file = self._file
        if file is not None and order.packets:
            size = self.spec.size or (file.width, file.height)
            self._clips.take(order, Studio(file.decoder, size, file.fps, self._painter.confirmed))

    def _paced(self, packet: Packet, now: int) -> Packet:
        """A live file that fell behind goes on from now; what that skipped is counted, in milliseconds."""
        if not self.spec.realtime:
            return packet
        late = now - (packet.at_ms + self._shift_ms)
        if late > _LATE_MS:
            self._shift_ms += late
            self._dropped["late_ms"] = self._dropped.get("late_ms", 0) + late
        return replace(packet, at_ms=packet.at_ms + self._shift_ms) if self._shift_ms else packet

    def _advance(self) -> bool:
        assert self._packets is not None
        try:
            self._next = next(self._packets)
        except StopIteration:
            self._end(None)
            return False
        except WatchglassError as error:
            self._failed(str(error))
            return False
        self._failures = 0
        return True

    def _failed(self, why: str) -> None:
        """A source that can come back is tried again, ever less often; a file that is read once has failed."""
        self._packets = self._next = None
        if not self.spec.realtime:
            self._end(why)
            return
        self._lost = why
        wait = _BACKOFF_MS[min(self._failures, len(_BACKOFF_MS) - 1)]
        self._failures += 1
        self._retry_ms = self._clock.now() + wait
        self._dropped["reopened"] = self._dropped.get("reopened", 0) + 1

    def _wait_for_file(self, now: int) -> int:
        if now - self._told_lost_ms >= SECOND:
            self._told_lost_ms = now
            self._emit(self._pipeline.lost(now))
        return min(self._retry_ms, self._told_lost_ms + SECOND)

    def _not_looked_at(self, now: int) -> int | None:
        """Nothing is decoded. A live source goes on unseen; a file that is read once waits where it is."""
        if not self._paused:
            self._pipeline.pause()
            self._paused = True
        if self.spec.realtime:
            self._packets = self._next = None
            self._retry_ms = 0
            return now + 200
        self._refused_since = now if self._refused_since is None else self._refused_since
        if now - self._refused_since > 10 * SECOND:
            self._end("the charter does not let this source be looked at")
            return None
        return now + 50

    def _tell_health(self, now: int) -> None:
        while self._arrivals and self._arrivals[0] < now - 5 * SECOND:
            self._arrivals.popleft()
        self._health_ms = now
        clips = {"clips": self._clips.dropped} if self._clips.dropped else {}
        health = replace(
            self._pipeline.health(now, round(len(self._arrivals) / 5, 1), {**self._dropped, **clips}),
            cpu_seconds=round(self._cpu, 3),
            decode_seconds=round(self._meter.decode_seconds, 3),
            detect_seconds=round(self._meter.detect_seconds, 3),
        )
        self._send(replace(health, fault=self._lost or health.fault) if self._lost else health)

    def _end(self, error: str | None) -> None:
        self._emit(self._pipeline.finish())
        self.ended = True
        self._tell_health(self._clock.now())
        seconds = 0.0
        if self._file is not None and self._first_ms is not None:
            seconds = round((self._last_ms - self._first_ms) / 1000 + 1 / self._file.fps, 3)
        wall, cpu = round(time.monotonic() - self._began, 3), round(self._cpu, 3)
        self._send(SourceEnded(self.spec.name, self._frames, seconds, cpu, wall, error))
