"""Keeps the workers on the charter's lease, and turns what they report into acts.

Twice a second the charter is asked what may run; each worker gets the answer as a lease that ends 1.5 s later. So a
suspension, an expiry, a lost database or a dead house all stop the analytics within two seconds.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path
from typing import Final, assert_never

from watchglass.acts.confirm_backdrop import all_confirmed
from watchglass.acts.context import Acting
from watchglass.acts.judge import note_limit_obeyed
from watchglass.acts.renew_backdrop import renew_backdrop
from watchglass.acts.run_record import Cause, start_run, stop_run
from watchglass.acts.sealing_keys import sealing_keys
from watchglass.acts.suspend import note_obeyed
from watchglass.charter.decide import Standing, decide
from watchglass.charter.model import Charter, Model, Source
from watchglass.charter.permit import LookAt
from watchglass.core.errors import CannotRecord, Refused, WatchglassError
from watchglass.core.time import HOUR, SECOND, month_of
from watchglass.edge.plugins.host import enforceable
from watchglass.edge.plugins.installed import plug_in
from watchglass.perception.messages import (
    BackdropProposal,
    BackdropRenewal,
    Clip,
    Health,
    Heartbeats,
    Incident,
    Order,
    Pins,
    ProposeBackdrop,
    RecorderKey,
    Report,
    Sealed,
    SealingSpec,
    SetBackdrop,
    SetSealingKeys,
    SourceEnded,
    SourceOpened,
    SourceSpec,
    Unalerted,
)
from watchglass.runtime.bus import Bus
from watchglass.runtime.conditions import SourceConditions
from watchglass.runtime.crew import Crew, Worker
from watchglass.runtime.intake import Intake, Tally
from watchglass.runtime.live import Live
from watchglass.runtime.measure import Measure
from watchglass.runtime.pulses import Pulses
from watchglass.runtime.specs import heartbeat_of, lease_of, no_secrets, sealing_of, specs_of, weights_in

log = logging.getLogger(__name__)

RENEW_MS: Final = 500
BACKLOG: Final = 1000
"""Incidents that wait while nothing can be recorded; the oldest are lost first, and counted."""
_JOIN_S: Final = 8.0


class Supervisor:
    """One per deployment. ``run`` is its thread; ``wake`` makes it look at once.

    Args:
        standing: what is in force now.
        media: where file sources lie.
        models: the weights that this version ships: name to SHA-256 (hex).
        more_models: where others lie.
        inference: what runs the detector in the workers.
        secret: the secret of a name: addresses of cameras may be secrets.
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
        more_models: Path | None = None,
        inference: str = "onnxruntime",
        secret: Callable[[str], str] = no_secrets,
        once: bool = False,
    ) -> None:
        self._acting = acting
        self._models = models
        self._more_models = more_models
        self._standing = standing
        self._live = live
        self._bus = bus
        self._media = media
        self._secret = secret
        self._once = once
        self._charter: Charter | None = None
        self._run: str | None = None
        self._running: dict[str, tuple[int, frozenset[str]]] = {}
        self._awake_r, self._awake_w = os.pipe()
        os.set_blocking(self._awake_w, False)
        self._told_overdue = acting.clock.now()
        self._told_keys: tuple[bytes, ...] = ()
        self._wishes: deque[tuple[str, Order]] = deque()
        self._changed = False
        self._telling = threading.Lock()
        self.intake = Intake(acting, standing, bus)
        self._measure = Measure(acting.store, acting.clock)
        self._conditions = SourceConditions(acting)
        self._looked_at: frozenset[str] = frozenset()
        self.crew = Crew(
            acting.clock,
            inference=inference,
            take=self._take,
            ended=lambda source: source in self.tally.ended,
            mourn=self._mourn,
            again=self._as_it_stands,
        )
        self._pulses = Pulses(acting, self.crew.tell_worker_of)
        live.ask = lambda source, scene: self.send(source, ProposeBackdrop(source, scene))

    @property
    def tally(self) -> Tally:
        """What happened in this run so far."""
        return self.intake.tally

    # ---- from other threads --------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Ask the charter again now, not at the next half second."""
        with suppress(BlockingIOError):  # it is awake already
            os.write(self._awake_w, b".")

    def send(self, source: str, order: Order) -> None:
        """Send an order to the worker of ``source``."""
        self._wishes.append((source, order))
        self.wake()

    def backdrop_changed(self, source: str, scene: str) -> None:
        """Tell worker and pages that an act confirmed, renewed or withdrew the backdrop of one view.

        One at a time: whoever tells last has read last, so what was withdrawn meanwhile does not come back.
        """
        with self._telling:
            self.send(source, SetBackdrop(source, scene, dict(self._tell_pages(source, scene)).get(scene)))

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
        self._tell_sealing_keys()
        self.crew.revive()
        self._listen(next_ms)
        self._obeyed(standing)
        self._overdue()
        self._live.tick()
        self.intake.retry()
        self._pulses.retry()
        self._measure.keep()
        self._conditions.keep(self._charter, self._looked_at)

    def _follow(self, standing: Standing) -> None:
        """Start, restart or stop the workers when another charter counts."""
        charter = standing.charter
        if charter is None or (self._charter is not None and charter.sha256 == self._charter.sha256):
            return
        self._live.follow(charter)  # first of all: what follows may take long, or fail
        if not lease_of(standing, self._acting.clock.now()).look and self._charter is None:
            return
        self._check_models(charter)
        self._check_plug_ins(charter)
        if self._charter is not None:
            log.info("Another charter counts now: version %s. The workers start anew.", charter.version)
            self._charter = None  # what the workers still say was seen by the rules of before
            self._stop_workers()
            self._finish_run("charter_ended")
            self.tally.ended.clear()
        now = self._acting.clock.now()
        specs = specs_of(
            charter,
            self._media,
            self._load_backdrops,
            realtime=not self._once,
            start_ms=now,
            secret=self._secret,
            models=self._more_models,
            sealing=self._sealing(charter),
            heartbeat=partial(heartbeat_of, charter, origin=self._acting.origin),
        )
        models = {model.name: bytes.fromhex(_hex(model)) for model in charter.models}
        try:
            self._run = start_run(self._acting, charter, models, [spec.name for spec in specs]).value
        except CannotRecord as error:
            self.intake.complain("Nothing is looked at, because the start cannot be recorded", error)
            return
        self._charter = charter
        self._pulses.begin(charter, self._run)
        self.crew.start(specs)

    def _check_models(self, charter: Charter) -> None:
        for model in charter.models:
            if self._hash_of(model.name) != _hex(model):
                raise Refused(
                    f"The charter allows the model {model.name} with another hash than the one that is installed.",
                    fix="Install the version of Watchglass that ships it, put its file into models/, or publish a "
                    "charter that names this one: `watchglass model show` prints its hash.",
                )

    def _hash_of(self, name: str) -> str | None:
        """The hash (hex) of a model's file in this deployment, or of the one that ships under that name."""
        file = weights_in(self._more_models, name) if self._more_models else None
        if file is None or not file.is_file():
            return self._models.get(name)
        return hashlib.sha256(file.read_bytes()).hexdigest()

    def _check_plug_ins(self, charter: Charter) -> None:
        """Before anything runs: is each plug-in the one that the charter pins, and can it be kept in?"""
        for code in charter.plug_ins:
            plug_in(code.name, code.digest.removeprefix("sha256:"))
        if charter.plug_ins and (why := enforceable()) is not None:
            raise Refused(
                f"The charter has plug-ins, and this machine cannot keep them in: {why}.",
                fix="Run it on Linux (x86-64 or aarch64) with seccomp, or publish a charter without plug-ins.",
            )

    def _renew(self, standing: Standing) -> int:
        """Send the lease; in how many milliseconds to do so again."""
        now = self._acting.clock.now()
        lease = lease_of(standing, now)
        self._looked_at = lease.look
        self.crew.tell(lease)
        return max(1, min(RENEW_MS, lease.until_ms - now)) if lease.look else RENEW_MS

    def _deliver_wishes(self) -> None:
        while self._wishes:
            source, order = self._wishes.popleft()
            self.crew.tell_worker_of(source, order)

    def _listen(self, until_ms: int) -> None:
        """Take reports for ``until_ms``, or until somebody wakes us."""
        deadline = self._acting.clock.now() + until_ms
        while (left := deadline - self._acting.clock.now()) > 0:
            ready = wait([*self.crew.pipes(), self._awake_r], timeout=left / 1000)
            if self._awake_r in ready:
                os.read(self._awake_r, 4096)
                deadline = 0
            self.crew.hear(ready)
            self._live.tick()
            if self._changed or (self._once and self._all_ended()):
                self._changed = False
                return

    def _take(self, report: Report) -> None:
        match report:
            case Pins() | BackdropProposal() | BackdropRenewal() if self._charter is None:
                pass
            case Pins():
                self._live.take_pins(report)
            case Health():
                self._live.take_health(self._pulses.told(self.intake.told(report)))
                self._measure.take(report)
                self._conditions.take(report)
                self._note_running(report)
            case Incident() | Unalerted() | Clip() | Sealed() | RecorderKey() | Heartbeats():
                self._record(report)
            case SourceOpened():
                self._live.opened(report.source, report.width, report.height)
            case BackdropProposal():
                self._live.take_proposal(report)
                self._bus.publish("health", {"type": "proposal", "source": report.source})
            case BackdropRenewal():
                self._renew_backdrop(report)
            case SourceEnded():
                self.tally.ended[report.source] = report
                self._running.pop(report.source, None)
                if report.error:
                    log.warning("The source %s ended: %s", report.source, report.error)
                    self._dark(report.source)
            case _:
                assert_never(report)

    def _record(self, report: Incident | Unalerted | Clip | Sealed | RecorderKey | Heartbeats) -> None:
        if isinstance(report, RecorderKey | Heartbeats):
            self._pulses.take(report)
        else:
            self.intake.record(report)

    def _renew_backdrop(self, report: BackdropRenewal) -> None:
        """Record that parts of a backdrop are shown as they are now; what cannot be recorded is not shown."""
        try:
            permit = decide(self._standing(), LookAt(report.source), self._acting.clock.now())
            renew_backdrop(self._acting, permit, report)
        except WatchglassError as error:
            log.warning("The backdrop of %s was not renewed: %s %s", report.source, error.message, error.fix)
            return
        self.backdrop_changed(report.source, report.scene)
        self._bus.publish("health", {"type": "backdrop", "source": report.source, "scene": report.scene})

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
        dark = "nothing looks at this camera now"
        fault = last.fault or "lost"
        self._live.take_health(replace(last, at_ms=now, fps_in=0.0, running=(), fault=fault, scene="", unsure=dark))
        self._live.take_pins(Pins(source, now, (), 0, unsure=dark))

    def _obeyed(self, standing: Standing) -> None:
        """Record, for each new order and each limit that was crossed, when nothing of it runs any more."""
        reader, charter = self._acting.store.read(), standing.charter
        ordered = reader.all("SELECT leaf_hash, analytic, ordered_ms AS at_ms FROM suspension WHERE obeyed_ms IS NULL")
        crossed = reader.all("SELECT leaf_hash, analytic, stopped_ms AS at_ms FROM limit_stop WHERE obeyed_ms IS NULL")
        if charter is None or not (ordered or crossed):
            return
        try:
            for rows, note in ((ordered, note_obeyed), (crossed, note_limit_obeyed)):
                for row in rows:
                    within_ms = self._acting.clock.now() - row["at_ms"]
                    if self._silent(row["analytic"], row["at_ms"], within_ms):
                        note(self._acting, charter, row["leaf_hash"], within_ms=within_ms)
                        self._bus.publish("standing", {"type": "obeyed"})
        except CannotRecord as error:
            self.intake.complain("That an order was obeyed cannot be recorded yet", error)

    def _silent(self, analytic: str | None, since_ms: int, within_ms: int) -> bool:
        """Whether nothing of an analytic (None: of everything) runs any more, by what the workers said since then."""
        running = self._running.values()
        if any(analytic is None or name == analytic for _, names in running for name in names):
            return False
        return within_ms > 2 * SECOND or all(seen_ms > since_ms for seen_ms, _ in running)

    def _overdue(self) -> None:
        now = self._acting.clock.now()
        rows = self._acting.store.read().all(
            "SELECT id FROM alert WHERE state = 'waiting' AND due_ms > ? AND due_ms <= ?", self._told_overdue, now
        )
        self._told_overdue = now
        for row in rows:
            self._bus.publish("queue", {"type": "overdue", "alert": row["id"]})

    # ---- workers' lives ------------------------------------------------------------------------------------------

    def _mourn(self, each: Worker) -> None:
        names = [spec.name for spec in each.specs]
        log.error("The worker of %s ended by itself (exit code %s).", ", ".join(names), each.process.exitcode)
        now = self._acting.clock.now()
        for spec in each.specs:
            self._running.pop(spec.name, None)
            self._dark(spec.name)
            for analytic in spec.analytics:
                if analytic.kind == "camera_fault" and not each.crashes:
                    self.intake.record(
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

    def _all_ended(self) -> bool:
        return self.crew.all_over() and not self.intake.waits

    def _load_backdrops(self, source: str) -> tuple[tuple[str, bytes], ...]:
        """(scene, PNG) of each confirmed view, which pages then have too."""
        with self._telling:
            return self._tell_pages(source)

    def _as_it_stands(self, spec: SourceSpec) -> SourceSpec:
        """For a worker that starts again: the backdrops and keys of now, not those of when it started first."""
        sealing = replace(spec.sealing, statements=self._statements()) if spec.sealing else None
        return replace(spec, backdrops=self._load_backdrops(spec.name), sealing=sealing)

    def _sealing(self, charter: Charter) -> Callable[[Source], SealingSpec | None]:
        self._told_keys = self._statements()
        return partial(sealing_of, charter, origin=self._acting.origin, statements=self._told_keys)

    def _statements(self) -> tuple[bytes, ...]:
        """The custodians' statements of their keys of this month and later.

        And of the month before while that is just over: what was filmed before midnight is sealed after it.
        """
        month = month_of(self._acting.clock.now() - HOUR)
        keys = sealing_keys(self._acting.store.read())
        return tuple(key.statement for key in keys if key.period >= month and not key.destroyed)

    def _tell_sealing_keys(self) -> None:
        """A custodian published a key, or a month ended: workers seal to the keys of now."""
        if self._charter is None or self._charter.safeguards.record is None:
            return
        statements = self._statements()
        if statements != self._told_keys:
            self._told_keys = statements
            self.crew.tell(SetSealingKeys(statements))

    def _tell_pages(self, source: str, changed: str = "") -> tuple[tuple[str, bytes], ...]:
        """(scene, PNG) of each confirmed view, which pages then have too; ``changed`` may be confirmed no longer."""
        found = all_confirmed(self._acting.store.read(), source)
        if changed and changed not in {each.scene for each in found}:
            self._live.set_backdrop(source, changed, "", None)
        for each in found:
            self._live.set_backdrop(source, each.scene, str(each.id), each.png, each.confirmed_ms)
        return tuple((each.scene, each.png) for each in found)

    def _stop_workers(self) -> None:
        self.crew.stop()
        self._running = {}

    def _end(self, cause: Cause) -> None:
        self._stop_workers()
        self._measure.close()
        self.intake.close()
        self._finish_run(cause)

    def _finish_run(self, cause: Cause) -> None:
        if self._run is None:
            return
        self._pulses.end()
        try:
            stop_run(self._acting, self._charter, self._run, cause)
        except CannotRecord as error:
            log.error("The end of the run could not be recorded: %s", error.message)
        self._run = None


def _hex(model: Model) -> str:
    return model.digest.removeprefix("sha256:")
