"""Heartbeats on the house's side: recorders are named, beats recorded in order, and what is wrong with them is told.

What cannot be recorded now waits, in order; meanwhile a recorder signs nothing new for that source, for it cannot know
what to go on from, and keeps its intervals. So at most one message a recorder waits here.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from watchglass.acts.context import Acting
from watchglass.acts.heartbeat import Link, keep_beats, name_recorder
from watchglass.charter.model import Charter
from watchglass.core.errors import CannotRecord, WatchglassError
from watchglass.core.time import SECOND, iso
from watchglass.perception.messages import Follow, Health, Heartbeats, RecorderKey

log = logging.getLogger(__name__)

MOST_WAITING: Final = 1_000
"""Messages that wait while nothing can be recorded. A recorder waits for its answer, so only a false one sends more."""
_OVERDUE: Final = 2
_OVERDUE_MS: Final = 15 * SECOND


class Pulses:
    """Takes what recorders sign to the acts, and tells them what to go on from.

    Args:
        answer: sends an order to the worker of a source.
    """

    def __init__(self, acting: Acting, answer: Callable[[str, Follow], None]) -> None:
        self._acting = acting
        self._answer = answer
        self._waiting: deque[RecorderKey | Heartbeats] = deque()
        self._charter: Charter | None = None
        self._run = ""
        self._since_ms = 0
        self._heard: dict[str, int] = {}
        self._false: dict[str, tuple[int, str]] = {}
        self._complaint = ""

    def begin(self, charter: Charter, run: str) -> None:
        """A run begins."""
        self._charter, self._run = charter, run
        self._since_ms = self._acting.clock.now()
        self._heard, self._false = {}, {}

    def end(self) -> None:
        """The run is about to end: what waits is tried a last time. What cannot be recorded now shows as dark."""
        self.retry()
        if self._waiting:
            log.error("%d heartbeats could not be recorded; that time shows as dark.", len(self._waiting))
            self._waiting.clear()
        self._charter, self._run = None, ""

    def take(self, report: RecorderKey | Heartbeats) -> None:
        """What a recorder sent; behind what waits it waits too."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
        self._waiting.append(report)
        self.retry()

    def retry(self) -> None:
        """Record what waits, until something cannot be recorded still."""
        while self._waiting:
            try:
                self._record(self._waiting[0])
            except CannotRecord as error:
                self._complain("Heartbeats wait", error)
                return
            except WatchglassError as error:
                self._complain("A recorder was not let in", error)
            self._waiting.popleft()
        self._complaint = ""

    def told(self, health: Health) -> Health:
        """A source's health, and what is wrong with its heartbeats."""
        count, why = self._false.get(health.source, (0, ""))
        if count:
            many = "1 heartbeat was" if count == 1 else f"{count} heartbeats were"
            health = replace(health, notes=(*health.notes, f"{many} turned away; the last one: {why}"))
        late = self._late(health.source)
        if late is None:
            return health
        return replace(health, notes=(*health.notes, late)) if health.fault else replace(health, fault=late)

    def _late(self, source: str) -> str | None:
        """That beats of a source are overdue."""
        if self._charter is None or (every := self._charter.ledger.heartbeat_every_ms) is None:
            return None
        last = self._heard.get(source, 0)
        if self._acting.clock.now() - max(last, self._since_ms) <= _OVERDUE * every + _OVERDUE_MS:
            return None
        return f"no heartbeat was recorded since {iso(last)}" if last else "no heartbeat was recorded in this run"

    def _record(self, report: RecorderKey | Heartbeats) -> None:
        if self._charter is None:
            return
        if isinstance(report, RecorderKey):
            done = name_recorder(self._acting, self._charter, self._run, report.vkey, report.sources)
            self._go_on(done.value)
            return
        kept = keep_beats(self._acting, self._run, report.statements).value
        false = {each.source for each in kept.turned}
        for source in kept.links.keys() - false:
            self._heard[source] = self._acting.clock.now()
        for each in kept.turned:
            count, _ = self._false.get(each.source, (0, ""))
            if not count:
                log.error("A heartbeat of %s was turned away: %s", each.source or "nobody", each.error.message)
            self._false[each.source] = (count + 1, each.error.message)
        self._go_on(kept.links)

    def _go_on(self, links: Mapping[str, Link]) -> None:
        for source, link in links.items():
            self._answer(source, Follow(source, self._run, link.sequence, link.leaf_hash, link.to_s))

    def _complain(self, what: str, error: WatchglassError) -> None:
        """Log a trouble once, however often it is met."""
        if error.message != self._complaint:
            self._complaint = error.message
            log.error("%s: %s %s", what, error.message, error.fix)
