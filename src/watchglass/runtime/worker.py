"""A worker: the process that looks at a group of sources, and obeys the house.

What may run is what the last ``Lease`` says, for as long as it says. Without a valid lease nothing is decoded and no
rule runs. Leases end by the wall clock, whatever time a file claims to have: a source that is not ``realtime`` waits
where it is while no lease covers it (and gives up after ten seconds), so that reading a file faster or slower than it
was filmed changes neither what is found in it nor what is permitted.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput, WatchglassError
from watchglass.core.time import Clock
from watchglass.edge.clock import SystemClock
from watchglass.edge.entropy import SystemEntropy
from watchglass.edge.inference import foreign, load, shipped
from watchglass.edge.undumped import keep_out_of_dumps
from watchglass.perception.messages import (
    Follow,
    Health,
    Lease,
    Order,
    Pins,
    ProposeBackdrop,
    Report,
    SetBackdrop,
    SetSealingKeys,
    SourceEnded,
    SourceSpec,
    Stop,
)
from watchglass.perception.ports import Detector
from watchglass.runtime.clips import ClipMaker
from watchglass.runtime.heart import Heart
from watchglass.runtime.sealing import Sealer
from watchglass.runtime.source import Source

_MOST_WAITING: Final = 200
_LONGEST_SLEEP: Final = 0.2
_FLUSH_SECONDS: Final = 10.0
_LAST_BEAT_SECONDS: Final = 2.0


class Mailbox:
    """Sends reports without ever making the worker wait: old pins and health give way, incidents and clips never do."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._waiting: deque[Report] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self.dropped = 0
        self.broken = False
        self._thread = threading.Thread(target=self._run, name="mailbox", daemon=True)
        self._thread.start()

    def send(self, report: Report) -> None:
        """Queue a report."""
        with self._wake:
            if len(self._waiting) >= _MOST_WAITING and isinstance(report, Pins | Health):
                self._make_room()
            self._waiting.append(report)
            self._wake.notify()

    def close(self) -> None:
        """Send what waits, for ten seconds at most, and end."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(_FLUSH_SECONDS)

    def _make_room(self) -> None:
        for i, waiting in enumerate(self._waiting):
            if isinstance(waiting, Pins | Health):
                del self._waiting[i]
                self.dropped += 1
                return

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._closing:
                    self._wake.wait()
                if not self._waiting:
                    return
                report = self._waiting.popleft()
            try:
                self._conn.send(report)
            except (BrokenPipeError, ConnectionError, OSError):
                self.broken = True
                return


class Worker:
    """Looks at a group of sources until they have ended or the house says stop."""

    def __init__(
        self,
        conn: Connection,
        specs: tuple[SourceSpec, ...],
        *,
        clock: Clock,
        entropy: Entropy,
        detector_of: Callable[[SourceSpec], Detector],
        models_of: Callable[[SourceSpec], Mapping[str, bytes]] = lambda _: {},
    ) -> None:
        self._conn = conn
        self._clock = clock
        self._lease: Lease | None = None
        self._stopping = False
        self._mailbox = Mailbox(conn)
        self._heart = Heart(specs, send=self._mailbox.send, entropy=entropy, models_of=models_of, now_ms=clock.now())
        self._clips = ClipMaker(self._mailbox.send)
        self._sealer = Sealer(self._heart.send, entropy)
        self._sources = {
            spec.name: source
            for spec in specs
            if (source := self._source(spec, clock, entropy, detector_of)) is not None
        }

    def run(self) -> None:
        """Until all sources have ended, or the house says stop or is gone."""
        wait = 0.0
        while not self._stopping and not self._mailbox.broken:
            self._obey(wait)
            self._heart.beat(self._clock.now(), self._valid().running)
            running = [s for s in self._sources.values() if not s.ended]
            if not running:
                break
            due = [at for source in running if (at := self._step(source)) is not None]
            soonest = min(due, default=self._clock.now())
            wait = min(_LONGEST_SLEEP, max(0.0, (soonest - self._clock.now()) / 1000))
        for source in self._sources.values():
            source.put_away()
            source.close()
        self._sealer.finish(self._still_here)
        self._last_beat()
        if self._stopping or self._mailbox.broken:
            self._clips.abandon()
        else:
            self._clips.finish()
        self._mailbox.close()

    def _source(
        self, spec: SourceSpec, clock: Clock, entropy: Entropy, detector_of: Callable[[SourceSpec], Detector]
    ) -> Source | None:
        try:
            return Source(
                spec,
                clock=clock,
                entropy=entropy,
                detector=detector_of(spec),
                send=self._heart.send,
                clips=self._clips,
                sealer=self._sealer,
                looked_at=lambda: spec.name in self._valid().look,
                allowed=lambda: frozenset(a for s, a in self._valid().running if s == spec.name),
            )
        except Exception as error:  # noqa: BLE001 # one broken source must not take the others with it; it says so
            why = f"{type(error).__name__}: {error}"
            if isinstance(error, WatchglassError):
                why = f"{error.message} {error.fix}"
            self._mailbox.send(SourceEnded(spec.name, 0, 0.0, 0.0, 0.0, why))
            return None

    def _still_here(self) -> None:
        """The house gives up a worker of which it hears nothing for seconds."""
        for source in self._sources.values():
            source.still_here()
        self._heart.beat(self._clock.now(), self._valid().running)

    def _last_beat(self) -> None:
        """Sign for the time until now. The house answers each heartbeat before the next can follow, if it is there."""
        self._heart.finish(self._clock.now())
        until = time.monotonic() + _LAST_BEAT_SECONDS
        while not self._heart.settle(self._clock.now()) and (left := until - time.monotonic()) > 0:
            try:
                order = self._conn.recv() if self._conn.poll(left) else None
            except (EOFError, ConnectionError, OSError):
                return
            if isinstance(order, Follow):
                self._heart.follow(order)

    def _valid(self) -> Lease:
        lease = self._lease
        if lease is None or self._clock.now() >= lease.until_ms:
            return _NOTHING
        return lease

    def _step(self, source: Source) -> int | None:
        try:
            return source.step()
        except Exception as error:  # noqa: BLE001 # one broken source must not take the others with it; it says so
            source.fail(f"{type(error).__name__}: {error}")
            return None

    def _obey(self, seconds: float) -> None:
        """Take orders, waiting at most so long for the first."""
        try:
            ready = self._conn.poll(seconds)
            while ready and not self._stopping:
                self._take(self._conn.recv())
                ready = self._conn.poll(0)
        except (EOFError, ConnectionError, OSError):
            self._stopping = True

    def _take(self, order: Order) -> None:
        match order:
            case Lease():
                self._lease = order
            case Follow():
                self._heart.follow(order)
            case Stop():
                self._stopping = True
            case SetBackdrop(name, scene, png):
                if name in self._sources:
                    self._sources[name].confirm_backdrop(scene, png)
            case SetSealingKeys(statements):
                self._sealer.use_keys(statements)
            case ProposeBackdrop(name, scene):
                if name in self._sources:
                    self._sources[name].propose_backdrop(scene)


_NOTHING: Final = Lease("", frozenset(), frozenset(), 0)


def main(conn: Connection, specs: tuple[SourceSpec, ...], inference: str = "onnxruntime") -> None:
    """The whole life of a spawned worker process."""
    keep_out_of_dumps()
    # Ctrl-C, and a service manager's stop, reach the whole process group; the house hears them and says Stop, so that
    # nothing is torn mid-frame. A worker whose house is gone ends by itself.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)

    @cache
    def detector(weights: str | None, sha256: str) -> Detector:
        return load(inference, weights=foreign(Path(weights), sha256) if weights else None)

    def detector_of(spec: SourceSpec) -> Detector:
        return detector(spec.weights, spec.weights_sha256)

    def models_of(spec: SourceSpec) -> Mapping[str, bytes]:
        """What the charter calls the weights, and the hash of those that were loaded: ``detector_of`` checked it."""
        digest = bytes.fromhex(spec.weights_sha256 if spec.weights else shipped().sha256)
        return dict.fromkeys(spec.heartbeat.models if spec.heartbeat else (), digest)

    clock, entropy = SystemClock(), SystemEntropy()
    Worker(conn, specs, clock=clock, entropy=entropy, detector_of=detector_of, models_of=models_of).run()
    conn.close()
    # A thread that still waits for a camera inside the video library would meet an interpreter that is half gone.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def run_once(
    spec: SourceSpec,
    detector: Detector,
    on_report: Callable[[Report], None],
    *,
    entropy: Entropy | None = None,
    clock: Clock | None = None,
) -> SourceEnded:
    """Run a file to its end in this process, as fast as it goes, clips included.

    There is no lease here: the caller must hold the permission for every rule of ``spec``, or be measuring.

    Args:
        spec: with ``realtime=False`` and ``loop=False``; time is taken from the file, from ``start_ms``.
        detector: from ``edge.inference.load``.
        on_report: gets every report in order, in this thread; clips come last.
        entropy: for the ids of incidents; the system's by default.
        clock: only for pacing; the system's by default.

    Raises:
        BadInput: the spec is for a live source, or one of its rules cannot be used.
    """
    if spec.realtime or spec.loop:
        raise BadInput("A file that is run once can be neither live nor looped.", fix="Set realtime and loop to false.")
    clips: deque[Report] = deque()
    ended: list[SourceEnded] = []
    maker = ClipMaker(clips.append)
    sealer = Sealer(clips.append, entropy or SystemEntropy())
    names = frozenset(a.name for a in spec.analytics)

    def send(report: Report) -> None:
        if isinstance(report, SourceEnded):
            ended.append(report)
        else:
            on_report(report)

    source = Source(
        spec,
        clock=clock or SystemClock(),
        entropy=entropy or SystemEntropy(),
        detector=detector,
        send=send,
        clips=maker,
        sealer=sealer,
        looked_at=lambda: True,
        allowed=lambda: names,
    )
    while not source.ended:
        source.step()
    sealer.finish()
    maker.finish()
    for clip in clips:
        on_report(clip)
    on_report(ended[0])
    return ended[0]
