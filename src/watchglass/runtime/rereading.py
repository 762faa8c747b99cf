"""Puts incidents before people again when that is owed: at moments that nobody can expect, while somebody is there.

Real alerts come first: while much waits, or something is overdue, or something shown again waits still, nothing is
shown again. What the charter does not allow now (a suspended analytic, other hours) waits until it does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from watchglass.access.roles import Role
from watchglass.acts import rereads
from watchglass.acts.close_reads import close_reads, settle_reads
from watchglass.acts.context import Acting
from watchglass.acts.count_near_misses import count_near_misses
from watchglass.acts.show_again import show_again, show_clip
from watchglass.charter.decide import Standing, decide
from watchglass.charter.model import Charter
from watchglass.charter.permit import KeepClip, RaiseAlert
from watchglass.core.errors import Problem, Refused, WatchglassError
from watchglass.core.time import DAY, MINUTE, SECOND
from watchglass.review.model import Alert
from watchglass.review.reads import WHOLE, Why
from watchglass.review.seeds import MOST_WAITING, checks_owed, now_is_the_moment, pick
from watchglass.runtime.bus import Bus

log = logging.getLogger(__name__)

LOOK_MS: Final = 10 * SECOND
_EVERY_S: Final = 1.0
_PAUSE_MS: Final = MINUTE
"""After a stop of the house, no more time is made up for than this."""


class Rereading:
    """One per deployment; ``tend`` is called every second or so.

    Args:
        standing: what is in force now. bus: where open queues hear of alerts.
    """

    def __init__(self, acting: Acting, standing: Callable[[], Standing], bus: Bus) -> None:
        self._acting = acting
        self._standing = standing
        self._bus = bus
        self._looked = 0
        self._doubts = 0

    def run(self, stop: threading.Event) -> None:
        """Tend until told to stop."""
        while not stop.wait(_EVERY_S):
            try:
                self.tend()
            except WatchglassError as error:
                log.error("Second judgements wait: %s %s", error.message, error.fix)
            except Exception:  # a thread that died silently would let drawn alerts mature unread
                log.exception("Second judgements met a fault in Watchglass.")

    def tend(self) -> None:
        """Let clips follow that are due; now and then, see whether something is to be shown again or closed."""
        standing, now = self._standing(), self._acting.clock.now()
        charter = standing.charter
        if charter is None:
            return
        count_near_misses(self._acting, charter)
        self._clips(standing, now)
        review = charter.safeguards.review
        if now - self._looked < LOOK_MS or (review.second_read is None and review.seeded_checks is None):
            return
        passed = min(now - self._looked, _PAUSE_MS)
        self._looked = now
        settle_reads(self._acting, charter)
        close_reads(self._acting, charter)
        self._tell(now)
        self.look(standing, charter, passed)

    def _tell(self, now: int) -> None:
        """Let open queues look again where there is another doubt: somebody may still need help."""
        doubts = len(rereads.differing(self._acting.store.read(), now, now - DAY))
        if doubts > self._doubts:
            self._bus.publish("queue", {"type": "doubts"})
        self._doubts = doubts

    def look(self, standing: Standing, charter: Charter, passed_ms: int) -> Alert | None:
        """Show something again where that is owed, somebody is there for it, and the moment has come."""
        reader, now = self._acting.store.read(), self._acting.clock.now()
        duty = rereads.on_duty(reader, now)
        if not duty or rereads.busy(reader, now, MOST_WAITING):
            return None
        for each in rereads.owed(reader, charter, now):
            if rereads.may_judge(reader, each.alert, each.why, duty) and now_is_the_moment(self._draw(), passed_ms):
                shown = self._show(standing, charter, each.alert, each.analytic, each.why)
                if shown is not None:
                    return shown
        return self._check(standing, charter, duty, passed_ms)

    def _check(
        self, standing: Standing, charter: Charter, duty: dict[int, frozenset[Role]], passed_ms: int
    ) -> Alert | None:
        reader, now = self._acting.store.read(), self._acting.clock.now()
        rules = charter.safeguards.review.seeded_checks
        if rules is None or not now_is_the_moment(self._draw(), passed_ms):
            return None
        answered = [rereads.checks_of_month(reader, account, now) for account in duty]
        if not checks_owed(rules, *rereads.counted(reader, now), answered, now):
            return None
        able = [
            each
            for each in rereads.could_check(reader, charter, now)
            if rereads.may_judge(reader, each.alert, Why.CHECK, duty)
        ]
        found = pick(able, now, self._draw(), self._draw())
        return None if found is None else self._show(standing, charter, found.alert, found.analytic, Why.CHECK)

    def _show(self, standing: Standing, charter: Charter, alert: str, analytic: str, why: Why) -> Alert | None:
        within = charter.safeguards.review.within_ms
        try:
            permit = decide(standing, RaiseAlert(analytic), self._acting.clock.now())
            shown = show_again(self._acting, permit, alert, why, review_within_ms=within).value
        except (Refused, Problem) as error:
            log.info("Nothing was shown again: %s", error.message)
            return None
        self._bus.publish(
            "queue",
            {
                "type": "raised",
                "alert": shown.id,
                "kind": shown.kind,
                "source": shown.source,
                "at_ms": shown.at_ms,
                "raised_ms": shown.raised_ms,
            },
        )
        return shown

    def _clips(self, standing: Standing, now: int) -> None:
        for row in self._acting.store.read().all(
            "SELECT alert.id, analytic FROM shown_again JOIN alert ON alert.id = shown_again.alert "
            "WHERE clip_due_ms <= ?",
            now,
        ):
            try:
                permit = decide(standing, KeepClip(row["analytic"]), now)
                if show_clip(self._acting, permit, row["id"]) is not None:
                    self._bus.publish("queue", {"type": "clip-ready", "alert": row["id"]})
            except (Refused, Problem) as error:
                log.info("A clip does not follow yet: %s", error.message)

    def _draw(self) -> int:
        return int.from_bytes(self._acting.entropy.bytes(8)) % WHOLE
