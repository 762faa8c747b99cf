"""What workers found becomes acts: an incident an alert, a clip a kept clip. What cannot be recorded waits in order.

Sealed segments go their own way (``runtime.vault``): an alert does not wait for a store that is far away.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from watchglass.acts.context import Acting
from watchglass.acts.keep_clip import keep_clip
from watchglass.acts.keep_sample import keep_sample
from watchglass.acts.raise_alert import raise_alert
from watchglass.acts.seal_segment import SealedSegment, seal_segment
from watchglass.acts.take_sample import take_sample
from watchglass.charter.decide import Standing, decide
from watchglass.charter.permit import KeepClip, RaiseAlert, SealSegment, TakeSample
from watchglass.core.errors import CannotRecord, Problem, Refused, WatchglassError
from watchglass.perception.messages import Clip, Health, Incident, Sealed, SourceEnded, Unalerted
from watchglass.runtime.bus import Bus
from watchglass.runtime.vault import Vault

log = logging.getLogger(__name__)

BACKLOG: Final = 1000
"""Incidents and clips that wait while nothing can be recorded; the oldest are lost first, and counted."""


@dataclass(slots=True)
class Tally:
    """What happened in this run; ``run --once`` prints it."""

    alerts: dict[str, int] = field(default_factory=dict)
    ended: dict[str, SourceEnded] = field(default_factory=dict)
    refused: int = 0
    lost: int = 0


class Intake:
    """Takes reports of workers to acts, one after the other.

    Args:
        standing: what is in force now.
    """

    def __init__(self, acting: Acting, standing: Callable[[], Standing], bus: Bus) -> None:
        self._acting = acting
        self._standing = standing
        self._bus = bus
        self._complaint = ""
        self._counting = threading.Lock()
        self.backlog: deque[Incident | Unalerted | Clip] = deque()
        self.tally = Tally()
        self.vault = Vault(self._seal, self._count)

    @property
    def waits(self) -> bool:
        """Whether anything is not recorded yet."""
        return bool(self.backlog or self.vault.waiting)

    def record(self, report: Incident | Unalerted | Clip | Sealed) -> None:
        """Record it now; behind others that wait it waits too, for a clip follows its incident."""
        if isinstance(report, Sealed):
            self.vault.put(report)
            return
        if not self.backlog and self._attempt(report):
            return
        if len(self.backlog) >= BACKLOG:
            self.backlog.popleft()
            self._count("lost")
        self.backlog.append(report)

    def told(self, health: Health) -> Health:
        """A source's health, and that sealed pieces of it wait or are lost, where they are."""
        if (trouble := self.vault.trouble_of(health.source)) is None:
            return health
        if health.fault is not None:
            return replace(health, notes=(*health.notes, trouble))
        return replace(health, fault=trouble)

    def retry(self) -> None:
        """Try again what waits, until something cannot be recorded still."""
        while self.backlog and self._attempt(self.backlog[0]):
            self.backlog.popleft()

    def close(self) -> None:
        """Try a last time; what cannot be recorded now is lost, and counted."""
        self.retry()
        if self.backlog:
            self._count("lost", len(self.backlog))
            log.error("%d incidents and clips could not be recorded, and are lost.", len(self.backlog))
        self.vault.close()

    def complain(self, what: str, error: WatchglassError) -> None:
        """Log a trouble once, however often it is met."""
        if error.message != self._complaint:
            self._complaint = error.message
            log.error("%s: %s %s", what, error.message, error.fix)

    def _count(self, what: str, number: int = 1) -> None:
        """The vault counts from a thread of its own."""
        with self._counting:
            if what == "lost":
                self.tally.lost += number
            else:
                self.tally.refused += number

    def _attempt(self, report: Incident | Unalerted | Clip) -> bool:
        """Whether that is settled: recorded, refused, or impossible. False: it must be tried again."""
        try:
            match report:
                case Incident():
                    self._raise(report)
                case Unalerted():
                    self._sample(report)
                case Clip():
                    self._keep(report)
        except Refused as refusal:
            self._count("refused")
            log.info("Not recorded, because the charter does not allow it: %s", refusal.message)
        except CannotRecord as error:
            self.complain("Nothing can be recorded now, and incidents wait", error)
            return False
        except WatchglassError as error:  # one that cannot be recorded must not stop the others
            self._count("lost")
            what = type(report).__name__.lower()
            log.error("A report (%s) of %s is lost: %s %s", what, report.source, error.message, error.fix)
        self._complaint = ""
        return True

    def _raise(self, incident: Incident) -> None:
        acting, standing = self._acting, self._standing()
        permit = decide(standing, RaiseAlert(incident.analytic, incident.at_ms), acting.clock.now())
        assert standing.charter is not None  # decide has refused otherwise
        within = standing.charter.safeguards.review.within_ms
        alert = raise_alert(acting, permit, incident, review_within_ms=within).value
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
        at_once = standing.charter.analytic(alert.analytic).notify == "at_once"
        if at_once and alert.analytic not in standing.on_trial:
            self._bus.publish("handover", {"type": "not-confirmed", "alert": alert.id})

    def _sample(self, moment: Unalerted) -> None:
        standing = self._standing()
        permit = decide(standing, TakeSample(moment.analytic, moment.at_ms), self._acting.clock.now())
        assert standing.charter is not None  # decide has refused otherwise
        samples = standing.charter.safeguards.samples
        assert samples is not None  # likewise
        take_sample(self._acting, permit, moment, kept_ms=samples.kept_ms)

    def _seal(self, sealed: Sealed) -> None:
        permit = decide(self._standing(), SealSegment(sealed.source, sealed.analytic), self._acting.clock.now())
        seal_segment(self._acting, permit, SealedSegment(sealed.data, sealed.sha256, sealed.incident))

    def _keep(self, clip: Clip) -> None:
        row = self._acting.store.read().one("SELECT analytic FROM alert WHERE id = ?", clip.incident)
        if row is None:
            self._keep_sample(clip)
            return
        permit = decide(self._standing(), KeepClip(row["analytic"]), self._acting.clock.now())
        try:
            keep_clip(self._acting, permit, clip)
        except Problem as error:
            log.error("The clip of alert %s could not be kept: %s %s", clip.incident, error.message, error.fix)
            return
        self._bus.publish("queue", {"type": "clip-ready", "alert": clip.incident})

    def _keep_sample(self, clip: Clip) -> None:
        """The clip of a moment that was drawn; of nothing else is a clip kept."""
        reader = self._acting.store.read()
        row = reader.one("SELECT analytic, at_ms FROM sample WHERE id = ?", clip.incident)
        if row is not None:
            request = TakeSample(row["analytic"], row["at_ms"])
            permit = decide(self._standing(), request, self._acting.clock.now())
            keep_sample(self._acting, permit, clip)
