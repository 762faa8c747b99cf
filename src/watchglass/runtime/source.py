"""One source inside a worker: opened, paced by the clock, run through its pipeline, tried again when it is lost.

A file is read as the clock goes. A camera is read by a thread of its own; here its packets are only taken from where
they wait, so that no camera makes another wait.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput, WatchglassError
from watchglass.core.time import SECOND, Clock
from watchglass.edge.calibration import calibration
from watchglass.edge.footage import Footage
from watchglass.perception.messages import BackdropProposal, Report, SourceEnded, SourceOpened, SourceSpec
from watchglass.perception.pipeline import Pipeline
from watchglass.perception.ports import Decoder, Detector, Packet, Picture, Whole
from watchglass.perception.recording import Kept
from watchglass.perception.ring import ClipOrder
from watchglass.runtime.backoff import Backoff
from watchglass.runtime.clips import ClipMaker, Studio
from watchglass.runtime.meter import Meter
from watchglass.runtime.opening import Opening
from watchglass.runtime.painting import ViewPainter
from watchglass.runtime.rules import rule_of
from watchglass.runtime.sealing import Sealer, tape_of

_LATE_MS: Final = 3 * SECOND
_SILENT_MS: Final = 3 * SECOND
_SILENT_PICTURES: Final = 5
_LOOK_MS: Final = 40
_RATE_MS: Final = 5 * SECOND
_BATCH_MS: Final = 60
_UNSEEN_SIZE: Final = (640, 360)
_NOT_MADE: Final = "what was learned could not be searched for people, vehicles and text; the worker's log says why"

log = logging.getLogger(__name__)


class _Nothing(Whole):
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
        sealer: seals what is recorded.
        looked_at: whether the source may be looked at at this moment.
        allowed: which of its rules may run at this moment.

    Raises:
        BadInput: the spec cannot be run.
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
        sealer: Sealer,
        looked_at: Callable[[], bool],
        allowed: Callable[[], frozenset[str]],
    ) -> None:
        self._opening = Opening(spec, clock, entropy)
        self.spec = spec
        self.ended = False
        self._clock = clock
        self._entropy = entropy
        self._detector = detector
        self._send = send
        self._clips = clips
        self._sealer = sealer
        self._looked_at = looked_at
        self._allowed = allowed
        self._backoff = Backoff(entropy)
        self._footage: Footage | None = None
        self._filmed: Footage | None = None
        self._running = False
        self._opened: tuple[int, int] | None = None
        self._told: tuple[int, int] | None = None
        self._fps = 25.0
        self._next: Packet | None = None
        self._shift_ms = 0
        self._lost = ""
        self._misfit = ""
        self._told_lost_ms = 0
        self._health_ms = 0
        self._dropped: Counter[str] = Counter()
        self._arrivals: deque[tuple[int, int, int]] = deque()
        self._began = time.monotonic()
        self._cpu = 0.0
        self._meter = Meter()
        self._first_ms: int | None = None
        self._last_ms = 0
        self._frames = 0
        self._paused = False
        self._refused_since: int | None = None
        self._recorder = self._opening.recorder()
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

    def confirm_backdrop(self, scene: str, png: bytes | None) -> None:
        """See ``ViewPainter.confirm``. One that cannot be read is not used, and the others of the worker go on."""
        others = tuple(each for each in self.spec.backdrops if each[0] != scene)
        try:
            self._painter.confirm(scene, png)
        except BadInput as error:
            log.error("The empty scene of %s cannot be used: %s %s", self.spec.name, error.message, error.fix)
            return
        self.spec = replace(self.spec, backdrops=others if png is None else (*others, (scene, png)))

    def propose_backdrop(self, scene: str) -> None:
        """Send the backdrop of a view as far as it is learned; see ``ViewPainter.propose``.

        An operator waits for the answer, so whatever goes wrong is answered too; the worker and its sources go on.
        """
        now = self._clock.now()
        try:
            finished = self._painter.propose(now, self._detector, scene)
        except Exception as error:  # noqa: BLE001 # a detector of somebody else's may raise anything
            self._not_proposed(now, scene, error)
            return

        def finish() -> None:
            try:
                self._send(finished())
            except Exception as error:  # noqa: BLE001 # in a background thread nobody else would ever hear of it
                self._not_proposed(now, scene, error)

        # The sources of this worker share its thread, and shall not wait for seconds.
        threading.Thread(target=finish, name="proposal", daemon=True).start()

    def _not_proposed(self, now: int, scene: str, error: Exception) -> None:
        name = self.spec.name
        log.error("The empty scene of %s could not be made ready to be looked at.", name, exc_info=error)
        self._send(BackdropProposal(self.spec.name, now, b"", 0.0, scene, trouble=_NOT_MADE))

    def fail(self, error: str) -> None:
        """Give this source up; the others go on. What is broken may break again on the way out."""
        try:
            self._end(error)
        except Exception as again:  # noqa: BLE001 # the others go on, whatever it is
            self.ended = True
            self._let_go()
            self._send(SourceEnded(self.spec.name, self._frames, 0.0, 0.0, 0.0, f"{error}; then {again!r}"))

    def put_away(self) -> None:
        """Have sealed what is recorded so far, before everything stops."""
        if not self.ended:
            self._emit(self._pipeline.put_away())

    def still_here(self) -> None:
        """Tell the house that this worker is at work, though it looks at nothing any more."""
        self._tell_health(self._clock.now())

    def close(self) -> None:
        """Let go of the camera."""
        self._let_go()
        if self._recorder is not None:
            self._recorder.close()

    # ---- opening -----------------------------------------------------------------------------------------------------

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
        self._record()
        if not self._running and not self._open(now):
            return None if self.ended else self._wait_for_it(now)
        return self._run(now)

    def _open(self, now: int) -> bool:
        """Whether there is something to take packets from: at once with a file, when it has answered with a camera."""
        if self._footage is None:
            if now < self._backoff.due_ms:
                return False
            try:
                self._footage = self._opening.looked_at(now)
            except WatchglassError as error:
                self._failed(error)
                return False
        try:
            self._next = self._footage.take()
        except WatchglassError as error:
            self._failed(error)
            return False
        if self._next is None:
            return False
        self._begin(self._footage)
        return True

    def _begin(self, footage: Footage) -> None:
        """The first packet is here, so it is known what comes."""
        size = footage.size
        assert size is not None
        if self._opened is None:
            self._opened = size
            self._misfit = _misfit(self.spec, self.spec.size or size)
            self._painter, self._pipeline = self._build(self.spec.size or size, footage)
        else:
            self._pipeline.reopened(self._decoder(footage))
        tell = self.spec.size if self._apart and self.spec.size else size
        if tell != self._told:
            self._told = tell
            self._send(SourceOpened(self.spec.name, *tell, footage.fps))
        self._running, self._shift_ms, self._fps = True, 0, footage.fps
        if self._recorder is None:
            self._filmed = footage

    @property
    def _apart(self) -> bool:
        """Whether what is looked at and what clips are cut from are two streams."""
        return self.spec.record_uri is not None

    def _decoder(self, footage: Footage) -> Decoder:
        """Of a small stream in the large one's coordinates, as long as it is the small stream that it was at first."""
        shown_as = self.spec.size if self._apart and footage.size == self._opened else None
        return self._meter.decoder(footage.decoder(shown_as))

    def _build(self, size: tuple[int, int], footage: Footage | None) -> tuple[ViewPainter, Pipeline]:
        painter = ViewPainter(self.spec, size)
        pipeline = Pipeline(
            self.spec,
            size,
            decoder=self._decoder(footage) if footage else _Nothing(),
            detector=self._meter.detector(self._detector),
            painter=painter,
            entropy=self._entropy,
            allowed=self._allowed,
            rule_of=rule_of,
            # Other weights' scores mean something else.
            calibration=calibration() if self.spec.weights is None else None,
        )
        return painter, pipeline

    # ---- running -----------------------------------------------------------------------------------------------------

    def _run(self, now: int) -> int | None:
        until = time.monotonic() + _BATCH_MS / 1000
        while time.monotonic() < until and self._looked_at():
            packet = self._take(now)
            if packet is None:
                return self._idle(now)
            if self.spec.realtime and packet.at_ms > now:
                return packet.at_ms
            self._next = None
            self._feed(packet, now)
            now = self._clock.now()
        return now

    def _take(self, now: int) -> Packet | None:
        """The next packet, which stays the next until ``_next`` is cleared; None while there is none."""
        assert self._footage is not None
        if self._next is None:
            try:
                self._next = self._footage.take()
            except WatchglassError as error:
                self._failed(error)
                return None
            if self._next is None:
                return None
        self._backoff.begun(now)
        self._lost = ""
        return self._next if self._footage.live else self._paced(self._next, now)

    def _feed(self, packet: Packet, now: int) -> None:
        self._first_ms = packet.at_ms if self._first_ms is None else self._first_ms
        self._last_ms = packet.at_ms
        self._frames += 1
        self._arrivals.append((now, packet.size, 1))
        self._emit(self._pipeline.feed(packet))

    def _idle(self, now: int) -> int | None:
        """Nothing to take: a file at its end; a camera between two pictures, silent, or lost."""
        footage = self._footage
        if footage is None:
            return None if self.ended else self._wait_for_it(now)
        if footage.over:
            self._end(None)
            return None
        if footage.silent_ms(now) > max(_SILENT_MS, _SILENT_PICTURES * 1000 / footage.fps):
            self._tell_lost(now)
        return now + _LOOK_MS

    def _record(self) -> None:
        """Keep what the recorded stream brought. When it breaks, what waits is cut first: it goes on as it likes."""
        recorder = self._recorder
        while recorder is not None:
            try:
                packet = recorder.take()
            except BadInput:
                self._emit(self._pipeline.record_lost())
                return
            if packet is None:
                return
            if self._filmed is not recorder.footage:
                self._pipeline.record_anew()
                self._filmed = recorder.footage
            self._arrivals.append((self._clock.now(), packet.size, 0))
            self._emit(self._pipeline.record(packet))

    def _emit(self, events: Iterator[Report | ClipOrder | Kept]) -> None:
        for event in events:
            if isinstance(event, ClipOrder):
                self._order(event)
            elif isinstance(event, Kept):
                self._seal(event)
            else:
                self._send(event)

    def _seal(self, kept: Kept) -> None:
        """Have it sealed. A camera that is lost is known as what it was: what it sent last may be wanted now."""
        assert self.spec.sealing is not None  # else nothing is kept
        try:
            tape = tape_of(self._filmed, self.spec, self.spec.size or self._opened)
        except BadInput as error:
            self._sealer.give_up(kept, error.message)
            return
        self._sealer.take(kept, tape, self.spec.sealing)

    def _order(self, order: ClipOrder) -> None:
        studio = self._studio()
        if studio is not None and order.packets:
            self._clips.take(order, studio)

    def _studio(self) -> Studio | None:
        here = self._painter.view.scene
        backdrops = tuple(png for scene, png in sorted(self.spec.backdrops, key=lambda each: each[0] != here))
        if self._recorder is not None:
            studio = self._recorder.studio(backdrops, self._detector)
            return replace(studio, never_see=self.spec.never_see) if studio is not None else None
        footage, spec = self._footage, self.spec
        if footage is None or footage.size is None:
            return None
        size = spec.size or footage.size
        return Studio(footage.decoder, size, footage.fps, backdrops, self._detector, spec.never_see)

    def _paced(self, packet: Packet, now: int) -> Packet:
        """A live file that fell behind goes on from now; what that skipped is counted, in milliseconds."""
        if not self.spec.realtime:
            return packet
        late = now - (packet.at_ms + self._shift_ms)
        if late > _LATE_MS:
            self._shift_ms += late
            self._dropped["late_ms"] += late
        return replace(packet, at_ms=packet.at_ms + self._shift_ms) if self._shift_ms else packet

    # ---- failing -----------------------------------------------------------------------------------------------------

    def _failed(self, error: WatchglassError) -> None:
        """A source that can come back is tried again, ever less often; a file that is read once has failed."""
        if self._running:
            self._emit(self._pipeline.broke())
        self._let_go()
        if not self.spec.realtime:
            self._end(f"{error.message} {error.fix}")
            return
        # A camera comes back by itself; a file does not.
        self._lost = error.message if self.spec.kind != "file" else f"{error.message} {error.fix}"
        self._backoff.failed(self._clock.now())
        self._dropped["reopened"] += 1

    def _let_go(self) -> None:
        if self._footage is not None:
            self._dropped.update(self._footage.dropped)
            self._cpu += self._footage.cpu_seconds
            self._footage.close()
        self._footage = self._next = None
        self._running = False
        self._clips.forget(self.spec.name)

    def _wait_for_it(self, now: int) -> int:
        if not self._lost:  # it was only just asked for the first time
            return now + _LOOK_MS
        self._tell_lost(now)
        return now + _LOOK_MS if self._footage else min(self._backoff.due_ms, self._told_lost_ms + SECOND)

    def _tell_lost(self, now: int) -> None:
        if now - self._told_lost_ms >= SECOND:
            self._told_lost_ms = now
            self._emit(self._pipeline.lost(now))

    def _not_looked_at(self, now: int) -> int | None:
        """Nothing is decoded. A live source goes on unseen; a file that is read once waits where it is."""
        if not self._paused:
            self._pipeline.pause()
            self._clips.forget(self.spec.name)
            self._paused = True
        if self.spec.realtime:
            self.close()
            self._backoff.again()
            return now + 200
        self._refused_since = now if self._refused_since is None else self._refused_since
        if now - self._refused_since > 10 * SECOND:
            self._end("the charter does not let this source be looked at")
            return None
        return now + 50

    # ---- telling -----------------------------------------------------------------------------------------------------

    def _tell_health(self, now: int) -> None:
        while self._arrivals and self._arrivals[0][0] < now - _RATE_MS:
            self._arrivals.popleft()
        self._health_ms = now
        self._renew()
        if self.spec.sealing is not None:
            self._sealer.look(self.spec.name, self.spec.sealing, now)
        fps = sum(pictures for _, _, pictures in self._arrivals) * SECOND / _RATE_MS
        health = self._pipeline.health(now, round(fps, 1), self._all_dropped())
        self._send(
            replace(
                health,
                fault=self._lost
                or health.fault
                or (self._recorder.fault if self._recorder else "")
                or self._misfit
                or self._sealer.trouble.get(self.spec.name)
                or None,
                cpu_seconds=round(self._all_cpu(), 3),
                decode_seconds=round(self._meter.decode_seconds, 3),
                detect_seconds=round(self._meter.detect_seconds, 3),
                kbit_s=round(sum(size for _, size, _ in self._arrivals) * 8 / _RATE_MS, 1),
                notes=self._notes(),
                clock_ms=self._footage.clock_ms if self._footage is not None and self._running else None,
            )
        )

    def _notes(self) -> tuple[str, ...]:
        notes = self._footage.notes if self._footage is not None and self._running else ()
        more = (self._pipeline.recording_trouble, self._sealer.ahead.get(self.spec.name, ""))
        return (*notes, *(each for each in more if each))

    def _renew(self) -> None:
        """Send the parts of the backdrop that changed for good, if there are any."""
        if self._running and (renewal := self._painter.renewal(self._last_ms, self._detector)) is not None:
            self._send(renewal)

    def _all_dropped(self) -> dict[str, int]:
        counts = self._dropped + Counter(self._footage.dropped if self._footage else {})
        recorded = self._recorder.dropped if self._recorder else {}
        made = {"clips": self._clips.dropped, "originals": self._sealer.dropped_of(self.spec.name)}
        return {**counts, **recorded, **{what: count for what, count in made.items() if count}}

    def _all_cpu(self) -> float:
        """What looking has cost: this thread's part, and that of the threads that read."""
        reading = self._footage.cpu_seconds if self._footage else 0.0
        return self._cpu + reading + (self._recorder.cpu_seconds if self._recorder else 0.0)

    def _end(self, error: str | None) -> None:
        self._emit(self._pipeline.finish())
        self.ended = True
        self._tell_health(self._clock.now())
        self.close()
        seconds = 0.0
        if self._first_ms is not None:
            seconds = round((self._last_ms - self._first_ms) / 1000 + 1 / self._fps, 3)
        wall, cpu = round(time.monotonic() - self._began, 3), round(self._all_cpu(), 3)
        self._send(SourceEnded(self.spec.name, self._frames, seconds, cpu, wall, error))


def _misfit(spec: SourceSpec, size: tuple[int, int]) -> str:
    """Which zone does not fit the picture, where the charter does not state its size and so could not be asked."""
    for analytic in spec.analytics:
        zone = analytic.zone
        if zone is not None and any(x > size[0] + 1 or y > size[1] + 1 for x, y in zone.polygon):
            return f"the zone {zone.name} reaches outside the picture of {size[0]}x{size[1]}: draw it anew"
    return ""
