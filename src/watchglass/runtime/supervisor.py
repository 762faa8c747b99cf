"""Keeps the workers on the charter's lease, and turns what they report into acts.

Twice a second the charter is asked what may run; each worker gets the answer as a lease that ends 1.5 s later. So a
suspension, an expiry, a lost database or a dead house all stop the analytics within two seconds.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final, assert_never

from watchglass.acts.confirm_backdrop import confirmed
from watchglass.acts.context import Acting
from watchglass.acts.keep_clip import keep_clip
from watchglass.acts.raise_alert import NewAlert, raise_alert
from watchglass.acts.run_record import Cause, start_run, stop_run
from watchglass.acts.signed import note_obeyed
from watchglass.charter.decide import Standing, decide
from watchglass.charter.model import EVERYTHING, Charter, Model
from watchglass.charter.permit import KeepClip, RaiseAlert
from watchglass.core.errors import BadInput, CannotRecord, Problem, Refused, WatchglassError
from watchglass.core.time import SECOND
from watchglass.perception.messages import (
    BackdropProposal,
    Clip,
    Health,
    Incident,
    Order,
    Pins,
    ProposeBackdrop,
    Report,
    SetBackdrop,
    SourceEnded,
    SourceOpened,
    SourceSpec,
    Stop,
)
from watchglass.runtime import worker
from watchglass.runtime.bus import Bus
from watchglass.runtime.live import Live
from watchglass.runtime.specs import lease_of, specs_of

log = logging.getLogger(__name__)

RENEW_MS: Final = 500
BACKLOG: Final = 1000
"""Incidents that wait while nothing can be recorded; the oldest are lost first, and counted."""
_JOIN_S: Final = 8.0
_RESTART_MS: Final = (1, 2, 4, 8, 16, 30)
_STEADY_MS: Final = 60 * SECOND


@dataclass(slots=True)
class _Worker:
    specs: tuple[SourceSpec, ...]
    process: BaseProcess
    pipe: Connection
    started_ms: int
    crashes: int = 0
    alive: bool = True
    again_ms: int = 0


@dataclass(slots=True)
class Tally:
    """What happened in this run; ``run --once`` prints it."""

    alerts: dict[str, int] = field(default_factory=dict)
    ended: dict[str, SourceEnded] = field(default_factory=dict)
    refused: int = 0
    lost: int = 0


class Supervisor:
    """One per deployment. ``run`` is its thread; ``wake`` makes it look at once.

    Args:
        standing: what is in force now.
        media: where file sources lie.
        models: the weights that this version ships: name to SHA-256 (hex).
        inference: what runs the detector in the workers.
        once: each file from its beginning to its end, as fast as it goes.
    """

    def __init__(
        self,
        acting: Acting,
        standing: Callable[[], Standing],
        live: Live,
        bus: Bus,
        *,
        media: Path,
        models: Mapping[str, str],
        inference: str = "onnxruntime",
        once: bool = False,
    ) -> None:
        self._acting = acting
        self._inference = inference
        self._models = models
        self._standing = standing
        self._live = live
        self._bus = bus
        self._media = media
        self._once = once
        self._workers: list[_Worker] = []
        self._charter: Charter | None = None
        self._run: str | None = None
        self._backlog: deque[Incident | Clip] = deque()
        self._running: dict[str, tuple[int, frozenset[str]]] = {}
        self._awake_r, self._awake_w = os.pipe()
        os.set_blocking(self._awake_w, False)
        self._told_overdue = acting.clock.now()
        self._wishes: deque[tuple[str, Order]] = deque()
        self._changed = False
        self._complaint = ""
        self.tally = Tally()
        live.ask = lambda source: self.send(source, ProposeBackdrop(source))

    # ---- from other threads --------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Ask the charter again now, not at the next half second."""
        with suppress(BlockingIOError):  # it is awake already
            os.write(self._awake_w, b".")

    def send(self, source: str, order: Order) -> None:
        """Send an order to the worker of ``source``."""
        self._wishes.append((source, order))
        self.wake()

    def backdrop_changed(self, source: str) -> None:
        """Tell worker and pages that an act confirmed or withdrew a backdrop."""
        png = self._load_backdrop(source)
        self.send(source, SetBackdrop(source, png))

    # ---- the thread ----------------------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set, or until every source has ended with ``once``."""
        cause: Cause = "asked"
        try:
            while not stop.is_set():
                self._step()
                if self._once and self._all_ended():
                    cause = "sources_ended"
                    break
        except BaseException:
            cause = "fault"
            raise
        finally:
            self._end(cause)

    def _step(self) -> None:
        standing = self._standing()
        self._follow(standing)
        next_ms = self._renew(standing)
        self._deliver_wishes()
        self._revive()
        self._listen(next_ms)
        self._obeyed(standing)
        self._overdue()
        self._live.tick()
        self._retry()

    def _follow(self, standing: Standing) -> None:
        """Start, restart or stop the workers when another charter counts."""
        charter = standing.charter
        if charter is None or (self._charter is not None and charter.sha256 == self._charter.sha256):
            return
        if not lease_of(standing, self._acting.clock.now()).look and self._charter is None:
            self._live.configure({source.name: charter.safeguards.public_view for source in charter.sources})
            return
        self._check_models(charter)
        if self._charter is not None:
            log.info("Another charter counts now: version %s. The workers start anew.", charter.version)
            self._stop_workers()
            self._finish_run("charter_ended")
            self._charter = None
            self.tally.ended.clear()
        now = self._acting.clock.now()
        specs = specs_of(charter, self._media, self._load_backdrop, realtime=not self._once, start_ms=now)
        models = {model.name: bytes.fromhex(_hex(model)) for model in charter.models}
        try:
            self._run = start_run(self._acting, charter, models, [spec.name for spec in specs]).value
        except CannotRecord as error:
            self._complain("Nothing is looked at, because the start cannot be recorded", error)
            return
        self._charter = charter
        self._live.configure({source.name: charter.safeguards.public_view for source in charter.sources})
        self._workers = [self._spawn(group) for group in _groups(specs)]

    def _check_models(self, charter: Charter) -> None:
        for model in charter.models:
            if self._models.get(model.name) != _hex(model):
                raise Refused(
                    f"The charter allows the model {model.name} with another hash than the one that is installed.",
                    fix="Install the version of Watchglass that ships it, or publish a charter that names this one: "
                    "`watchglass model show` prints its hash.",
                )

    def _spawn(self, specs: tuple[SourceSpec, ...]) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=worker.main, args=(theirs, specs, self._inference), name=f"watchglass {specs[0].name}", daemon=True
        )
        process.start()
        theirs.close()
        return _Worker(specs, process, ours, self._acting.clock.now())

    def _renew(self, standing: Standing) -> int:
        """Send the lease; in how many milliseconds to do so again."""
        now = self._acting.clock.now()
        lease = lease_of(standing, now)
        for each in self._workers:
            self._tell(each, lease)
        return max(1, min(RENEW_MS, lease.until_ms - now)) if lease.look else RENEW_MS

    def _tell(self, to: _Worker, order: Order) -> None:
        if to.alive:
            try:
                to.pipe.send(order)
            except OSError:
                to.alive = False

    def _deliver_wishes(self) -> None:
        while self._wishes:
            source, order = self._wishes.popleft()
            for each in self._workers:
                if any(spec.name == source for spec in each.specs):
                    self._tell(each, order)

    def _listen(self, until_ms: int) -> None:
        """Take reports for ``until_ms``, or until somebody wakes us."""
        deadline = self._acting.clock.now() + until_ms
        while (left := deadline - self._acting.clock.now()) > 0:
            pipes: list[Connection | int] = [each.pipe for each in self._workers if each.alive]
            ready = wait([*pipes, self._awake_r], timeout=left / 1000)
            if self._awake_r in ready:
                os.read(self._awake_r, 4096)
                deadline = 0
            for each in self._workers:
                if each.pipe in ready:
                    self._receive(each)
            self._live.tick()
            if self._changed or (self._once and self._all_ended()):
                self._changed = False
                return

    def _receive(self, each: _Worker) -> None:
        try:
            report = each.pipe.recv()
        except (EOFError, OSError):
            each.alive = False
        else:
            self._take(report)

    def _take(self, report: Report) -> None:
        match report:
            case Pins():
                self._live.take_pins(report)
            case Health():
                self._live.take_health(report)
                self._note_running(report)
            case Incident() | Clip():
                self._record(report)
            case SourceOpened():
                self._live.opened(report.source, report.width, report.height)
            case BackdropProposal():
                self._live.take_proposal(report)
                self._bus.publish("health", {"type": "proposal", "source": report.source})
            case SourceEnded():
                self.tally.ended[report.source] = report
                self._running.pop(report.source, None)
                if report.error:
                    log.warning("The source %s ended: %s", report.source, report.error)
                    self._dark(report.source)
            case _:
                assert_never(report)

    def _note_running(self, report: Health) -> None:
        """What runs where, as of the report; when that changed, an order to stop may have been obeyed."""
        names = frozenset(report.running)
        _, before = self._running.get(report.source, (0, names))
        self._running[report.source] = (min(report.at_ms, self._acting.clock.now()), names)
        self._changed = self._changed or names != before

    def _dark(self, source: str) -> None:
        """Say on the pages that nothing comes from ``source``, keeping what it last counted."""
        now = self._acting.clock.now()
        last = self._live.health().get(source) or Health(source, now, 0.0, 0.0, 0, 0, 0, ())
        self._live.take_health(replace(last, at_ms=now, fps_in=0.0, running=(), fault=last.fault or "lost"))

    # ---- acts ----------------------------------------------------------------------------------------------------

    def _record(self, report: Incident | Clip) -> None:
        """Record it now; behind others that wait it waits too, for a clip follows its incident."""
        if not self._backlog and self._attempt(report):
            return
        if len(self._backlog) >= BACKLOG:
            self._backlog.popleft()
            self.tally.lost += 1
        self._backlog.append(report)

    def _attempt(self, report: Incident | Clip) -> bool:
        """Whether that is settled: recorded, refused, or impossible. False: it must be tried again."""
        try:
            if isinstance(report, Incident):
                self._raise(report)
            else:
                self._keep(report)
        except Refused as refusal:
            self.tally.refused += 1
            log.info("Not recorded, because the charter does not allow it: %s", refusal.message)
        except CannotRecord as error:
            self._complain("Nothing can be recorded now, and incidents wait", error)
            return False
        except WatchglassError as error:  # one that cannot be recorded must not stop the others
            self.tally.lost += 1
            log.error("An incident of %s is lost: %s %s", report.source, error.message, error.fix)
        self._complaint = ""
        return True

    def _complain(self, what: str, error: WatchglassError) -> None:
        """Log a trouble once, however often it is met."""
        if error.message != self._complaint:
            self._complaint = error.message
            log.error("%s: %s %s", what, error.message, error.fix)

    def _raise(self, incident: Incident) -> None:
        acting, charter = self._acting, self._charter
        assert charter is not None
        now = acting.clock.now()
        permit = decide(self._standing(), RaiseAlert(incident.analytic, incident.at_ms), now)
        alert = raise_alert(
            acting,
            permit,
            NewAlert(
                id=incident.id,
                source=incident.source,
                analytic=incident.analytic,
                kind=incident.kind,
                zone=incident.zone,
                at_ms=incident.at_ms,
                score=incident.score,
                why=incident.why,
                facts=incident.facts,
                boxes=incident.boxes,
                still=incident.still,
                review_within_ms=charter.safeguards.review.within_ms,
            ),
        ).value
        self.tally.alerts[alert.kind] = self.tally.alerts.get(alert.kind, 0) + 1
        self._bus.publish(
            "queue",
            {
                "type": "raised",
                "alert": alert.id,
                "kind": alert.kind,
                "source": alert.source,
                "at_ms": alert.at_ms,
                "raised_ms": alert.raised_ms,
            },
        )

    def _keep(self, clip: Clip) -> None:
        row = self._acting.store.read().one("SELECT analytic FROM alert WHERE id = ?", clip.incident)
        if row is None:
            return
        permit = decide(self._standing(), KeepClip(row["analytic"]), self._acting.clock.now())
        try:
            keep_clip(
                self._acting, permit, clip.incident, clip.mp4, seconds=clip.seconds, masked_share=clip.masked_share
            )
        except Problem as error:
            log.error("The clip of alert %s could not be kept: %s %s", clip.incident, error.message, error.fix)
            return
        self._bus.publish("queue", {"type": "clip-ready", "alert": clip.incident})

    def _retry(self) -> None:
        while self._backlog and self._attempt(self._backlog[0]):
            self._backlog.popleft()

    def _obeyed(self, standing: Standing) -> None:
        """Record, for each new order to stop, the moment at which nothing of its scope runs any more."""
        rows = self._acting.store.read().all("SELECT * FROM suspension WHERE obeyed_ms IS NULL")
        if not rows or standing.charter is None:
            return
        now = self._acting.clock.now()
        for row in rows:
            still = [
                name
                for seen_ms, names in self._running.values()
                for name in names
                if row["scope"] == EVERYTHING or name == row["analytic"]
            ]
            fresh = all(seen_ms > row["ordered_ms"] for seen_ms, _ in self._running.values())
            silent = now - row["ordered_ms"] > 2 * SECOND
            if not still and (fresh or silent):
                try:
                    note_obeyed(self._acting, standing.charter, row["leaf_hash"], within_ms=now - row["ordered_ms"])
                except CannotRecord as error:
                    self._complain("That an order was obeyed cannot be recorded yet", error)
                    return
                self._bus.publish("standing", {"type": "obeyed"})

    def _overdue(self) -> None:
        now = self._acting.clock.now()
        rows = self._acting.store.read().all(
            "SELECT id FROM alert WHERE state = 'waiting' AND due_ms > ? AND due_ms <= ?", self._told_overdue, now
        )
        self._told_overdue = now
        for row in rows:
            self._bus.publish("queue", {"type": "overdue", "alert": row["id"]})

    # ---- workers' lives ------------------------------------------------------------------------------------------

    def _revive(self) -> None:
        """A worker that died is started again, later each time; its sources are dark meanwhile, and that is said."""
        now = self._acting.clock.now()
        for index, each in enumerate(self._workers):
            if each.alive and each.process.is_alive():
                continue
            self._drain(each)
            if self._ended(each.specs):
                each.alive = False
                continue
            if not each.again_ms:
                steady = now - each.started_ms > _STEADY_MS
                each.crashes = 0 if steady else each.crashes
                each.again_ms = now + _RESTART_MS[min(each.crashes, len(_RESTART_MS) - 1)] * SECOND
                each.alive = False
                self._mourn(each)
            if now >= each.again_ms:
                if each.process.is_alive():  # it closed its pipe and hangs
                    each.process.kill()
                reborn = self._spawn(each.specs)
                reborn.crashes = each.crashes + 1
                each.pipe.close()
                self._workers[index] = reborn

    def _drain(self, each: _Worker) -> None:
        """Take what a worker said before it ended: what lies in the pipe is as true as what came before it."""
        each.alive = each.alive or not each.pipe.closed
        while each.alive:
            try:
                waiting = each.pipe.poll(0)
            except OSError:
                waiting = False
            if not waiting:
                break
            self._receive(each)
        each.alive = False

    def _mourn(self, each: _Worker) -> None:
        names = [spec.name for spec in each.specs]
        log.error("The worker of %s ended by itself (exit code %s).", ", ".join(names), each.process.exitcode)
        now = self._acting.clock.now()
        for spec in each.specs:
            self._running.pop(spec.name, None)
            self._dark(spec.name)
            for analytic in spec.analytics:
                if analytic.kind == "camera_fault" and not each.crashes:
                    self._record(
                        Incident(
                            id=self._acting.entropy.bytes(8).hex(),
                            source=spec.name,
                            analytic=analytic.name,
                            kind=analytic.kind,
                            zone=None,
                            at_ms=now,
                            score=None,
                            why="The process that looks at this source ended by itself; it is being started again.",
                            facts={"fault": "lost"},
                            still=b"",
                            boxes=(),
                        )
                    )

    def _ended(self, specs: Iterable[SourceSpec]) -> bool:
        return all(spec.name in self.tally.ended for spec in specs)

    def _all_ended(self) -> bool:
        return bool(self._workers) and all(self._ended(each.specs) for each in self._workers) and not self._backlog

    def _load_backdrop(self, source: str) -> bytes | None:
        found = confirmed(self._acting.store.read(), source)
        if found is None:
            self._live.set_backdrop(source, "", None)
            return None
        self._live.set_backdrop(source, str(found[0]), found[1])
        return found[1]

    def _stop_workers(self) -> None:
        for each in self._workers:
            if not self._ended(each.specs):  # one whose sources have ended is finishing its clips
                self._tell(each, Stop())
        for each in self._workers:
            while each.alive and each.pipe.poll(_JOIN_S):
                self._receive(each)
            each.process.join(_JOIN_S)
            if each.process.is_alive():
                each.process.kill()
                each.process.join(_JOIN_S)
            each.pipe.close()
        self._workers = []
        self._running = {}

    def _end(self, cause: Cause) -> None:
        self._stop_workers()
        self._retry()
        if self._backlog:
            self.tally.lost += len(self._backlog)
            log.error("%d incidents and clips could not be recorded, and are lost.", len(self._backlog))
        self._finish_run(cause)

    def _finish_run(self, cause: Cause) -> None:
        if self._run is None:
            return
        try:
            stop_run(self._acting, self._charter, self._run, cause)
        except CannotRecord as error:
            log.error("The end of the run could not be recorded: %s", error.message)
        self._run = None


def _groups(specs: tuple[SourceSpec, ...]) -> list[tuple[SourceSpec, ...]]:
    """Sources spread over worker processes: one core is left for the house where there is more than one."""
    if not specs:
        raise BadInput("The charter has no source.", fix="Add one under `sources`.")
    count = max(1, min(len(specs), (os.cpu_count() or 1) - 1))
    return [specs[index::count] for index in range(count)]


def _hex(model: Model) -> str:
    return model.digest.removeprefix("sha256:")
