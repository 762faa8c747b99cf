"""What is judged again in the demo's made history: by the labels of the developer who viewed the clip, like all of it.

The acts and the rules are the product's: what is drawn is drawn, a check's answer is known by what was made of it
before, and nobody judges what they have seen. Only who judges when is made up, and what they say is the label; so the
two made reviewers always agree and are always right, which no people are.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from watchglass.access.roles import Grant, May, Role
from watchglass.acts import rereads
from watchglass.acts.close_reads import close_reads, settle_reads
from watchglass.acts.decide_alert import decide_alert
from watchglass.acts.show_again import show_again, show_clip
from watchglass.bootstrap import House
from watchglass.charter.decide import decide
from watchglass.charter.model import Charter
from watchglass.charter.permit import Decide, KeepClip, RaiseAlert
from watchglass.core.errors import Problem, Refused
from watchglass.core.time import HOUR, MINUTE, SECOND
from watchglass.review.model import VerdictValue
from watchglass.review.reads import Why
from watchglass.review.seeds import pick

JUDGES: Final = {"robin": Role.REVIEWER, "lee": Role.SHIFT_LEAD}
_SEED: Final = 2010
_CHECKED: Final = range(7, 20)
"""Hours of the day in which somebody of the made reviewers is there to be checked."""
_ONE_IN: Final = 9
_TRIES: Final = 30


@dataclass(slots=True)
class Again:
    """Plays it, between what the history plays.

    Attributes:
        wait: lets time pass (ms). grant: somebody's, by sign-in name. accounts: their numbers.
    """

    house: House
    accounts: dict[str, int]
    wait: Callable[[int], None]
    grant: Callable[[str, May], Grant]
    dice: random.Random = field(default_factory=lambda: random.Random(_SEED))  # noqa: S311 (a schedule, not a secret)
    _labels: dict[str, tuple[VerdictValue, str]] = field(default_factory=dict)
    _later: list[tuple[int, int, str, Why, int]] = field(default_factory=list)
    _count: int = 0

    def begin(self, until_ms: int) -> None:
        """From here on, until then, verdicts are labels."""
        setting = {"key": rereads.LABELLED_UNTIL, "value": str(until_ms)}
        self.house.store.commit(lambda tx: tx.insert("setting", setting))

    def decided(self, alert: str, value: VerdictValue, reason: str) -> None:
        """A first verdict was given by the label; if it was drawn, another person will judge the incident too."""
        self._labels[alert] = (value, reason)
        row = self.house.store.read().one(
            "SELECT 1 FROM verdict WHERE alert = ? AND withdrawn_ms IS NULL AND drawn < drawn_below", alert
        )
        if row is not None:
            self._put(alert, Why.SECOND, self.house.clock.now() + self.dice.randrange(20 * MINUTE, 50 * MINUTE))

    def due(self, until_ms: int) -> None:
        """Play what is due before then."""
        while self._later and self._later[0][0] < until_ms:
            at, _, alert, why, tries = heapq.heappop(self._later)
            self.wait(max(0, at - self.house.clock.now()))
            if not self._show(alert, why) and tries < _TRIES:
                self._put(alert, why, at + HOUR, tries + 1)

    def hour(self, now_ms: int) -> None:
        """An hour is full: now and then a check is due; and what was settled is closed after each day."""
        charter = self.house.standing().charter
        if charter is None or charter.safeguards.review.second_read is None:
            return
        settle_reads(self.house.acting, charter)
        close_reads(self.house.acting, charter)
        if now_ms // HOUR % 24 in _CHECKED and not self.dice.randrange(_ONE_IN):
            self._check(charter, now_ms + self.dice.randrange(HOUR))

    def _check(self, charter: Charter, at_ms: int) -> None:
        reader = self.house.store.read()
        duty = {self.accounts[name]: frozenset({role}) for name, role in JUDGES.items()}
        able = [
            each
            for each in rereads.could_check(reader, charter, at_ms)
            if each.alert in self._labels and rereads.may_judge(reader, each.alert, Why.CHECK, duty)
        ]
        found = pick(able, at_ms, self.dice.randrange(2), self.dice.randrange(1 << 20))
        if found is not None:
            self._put(found.alert, Why.CHECK, at_ms)

    def _put(self, alert: str, why: Why, at_ms: int, tries: int = 0) -> None:
        self._count += 1
        heapq.heappush(self._later, (at_ms, self._count, alert, why, tries))

    def _show(self, alert: str, why: Why) -> bool:
        """Whether it was shown and judged; not while the charter forbids it, or where both know it."""
        house, now = self.house, self.house.clock.now()
        reader, standing = house.store.read(), house.standing()
        knows = rereads.knows(reader, alert)
        who = next((name for name in JUDGES if self.accounts[name] not in knows), None)
        row = reader.one("SELECT analytic FROM alert WHERE id = ?", alert)
        if who is None or row is None or standing.charter is None:
            return True
        try:
            permit = decide(standing, RaiseAlert(row["analytic"]), now)
        except Refused:
            return False
        within = standing.charter.safeguards.review.within_ms
        try:
            shown = show_again(house.acting, permit, alert, why, review_within_ms=within).value
        except Problem:  # its rule was stopped for so long that the picture is gone, or the verdict was taken back
            return True
        self.wait(SECOND)
        show_clip(house.acting, decide(house.standing(), KeepClip(shown.analytic), house.clock.now()), shown.id)
        self.wait(5 * SECOND + self.dice.randrange(40) * SECOND)
        value, reason = self._labels[alert]
        verdict = decide(house.standing(), Decide(shown.analytic), house.clock.now())
        decide_alert(house.acting, self.grant(who, May.DECIDE_ALERT), verdict, shown.id, value, reason)
        self.wait(11 * SECOND)
        return True
