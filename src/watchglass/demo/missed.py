"""How the demo finds out what it missed, and one dark evening: a simulator, like its cases.

*Drills.* From day 5 on one a day on the lawn: announced at noon by the operator, begun and ended by the responder. The
part of the clip in which two people walk across the lawn is what is played, and its alert is the pipeline's own. In one
of six nothing is played to the pipeline, so that a drill is missed; one is called off. What they were said to be begins
with "Simulated for the demo".

*Near-misses.* What came near the threshold on the clip is the pipeline's; the schedule places it in the days, a lot
from a seed decides which are looked at, and the answer is the label of the developer who viewed the clip.

*A log of the dispatch.* Once a week the operator hands in a log that nobody kept: about seven of ten alerts that the
label calls right stand in it, a few minutes off, and a third as many rows where nothing was alerted.

*A dark evening.* On day 22 the camera is said to be too dark for two hours, which no picture of the clip is. The alert
in it says that its camera was degraded.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from watchglass.access.roles import Grant, May
from watchglass.acts.count_near_misses import count_near_misses
from watchglass.acts.drills import begin_drill, call_off_drill, end_drill, plan_drill
from watchglass.acts.judge_sample import Answer, judge_sample, view_sample
from watchglass.acts.keep_sample import keep_sample
from watchglass.acts.reports import take_reports
from watchglass.acts.samples import Sample, waiting
from watchglass.acts.source_conditions import degrade, recover
from watchglass.acts.take_sample import take_sample
from watchglass.bootstrap import House
from watchglass.charter.decide import decide
from watchglass.charter.permit import Decide, ShowReviewerView, TakeReports, TakeSample
from watchglass.core.errors import Refused
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND, iso
from watchglass.demo.custody import SIMULATED, Moment
from watchglass.demo.originals import charter_in
from watchglass.perception.messages import DRAWN_OF, Clip, Unalerted
from watchglass.quality.report_rows import Asked

DRILLED: Final = "on-the-lawn"
GATHERING: Final = "gathering"
"""What happens in the dark evening."""
FIRST_DRILL: Final = 5
MISSED_ONE_IN: Final = 6
CALLED_OFF: Final = 12
"""On which day a drill is called off."""
DARK_DAY: Final = 22
DARK_MS: Final = (19 * HOUR, 21 * HOUR)
MEASURED, ALLOWED = 12_000, 30_000
"""Brightness of the dark evening, and the least that the charter asks for, in thousandths."""
NEAR_A_DAY: Final = (5, 8)
"""Fewest and most near-misses of a day."""
LOGGED: Final = ("on-the-lawn", "gathering")
LOGGED_SHARE: Final = 0.7
JUDGES: Final = ("robin", "lee")
_SEED: Final = 2011
_JUDGED: Final = range(8, 18)
"""Hours of the day in which the made reviewers look at samples."""


@dataclass(frozen=True, slots=True)
class Near:
    """What came near on the clip: its clip, and what the developer who viewed it says: whether something happened."""

    moment: Unalerted
    clip: Clip
    answer: Answer


@dataclass(slots=True)
class Missed:
    """Plays it, between what the history plays.

    Attributes:
        wait: lets time pass (ms). grant: somebody's, by sign-in name. play: lets an incident of an analytic happen now,
            to which nobody is sent. near: what came near on the clip.
    """

    house: House
    accounts: Mapping[str, int]
    wait: Callable[[int], None]
    grant: Callable[[str, May], Grant]
    play: Callable[[str], None]
    near: list[Near]
    dice: random.Random = field(default_factory=lambda: random.Random(_SEED))  # noqa: S311 (a schedule, not a secret)
    _answers: dict[str, Answer] = field(default_factory=dict)

    @property
    def _now(self) -> int:
        return self.house.clock.now()

    def schedule(self, begin: int, until: int) -> Iterator[Moment]:
        """What happens when."""
        midnight = begin - begin % DAY
        for day in range(1, (until - midnight) // DAY + 1):
            start = midnight + day * DAY
            for _ in range(self.dice.randint(*NEAR_A_DAY) if self.near else 0):
                at = start + self.dice.randrange(6 * HOUR, 22 * HOUR)
                if at < until - 10 * MINUTE:
                    yield at, partial(self._came_near, self.dice.choice(self.near))
            if day >= FIRST_DRILL and start + 18 * HOUR < until:
                begins = start + self.dice.randrange(14 * HOUR, 17 * HOUR, MINUTE)
                steps = self._drill(begins, missed=not self.dice.randrange(MISSED_ONE_IN), called_off=day == CALLED_OFF)
                for at in (start + 12 * HOUR, begins + 3 * MINUTE):
                    yield at, partial(next, steps, None)
        for day in range(7, (until - midnight) // DAY, 7):
            yield midnight + day * DAY + 10 * HOUR, self._log_of_the_dispatch
        dark = midnight + DARK_DAY * DAY
        yield dark + DARK_MS[0], self._dark
        yield dark + sum(DARK_MS) // 2, partial(self.play, GATHERING)
        yield dark + DARK_MS[1], self._light

    def hour(self, now_ms: int) -> None:
        """An hour is full: samples are looked at by day, and after each day what came near is counted in public."""
        if not now_ms % DAY:
            count_near_misses(self.house.acting, charter_in(self.house))
        if now_ms // HOUR % 24 in _JUDGED:
            self._look(JUDGES[now_ms // HOUR % 2])

    # ---- drills ------------------------------------------------------------------------------------------------------

    def _drill(self, begins: int, *, missed: bool, called_off: bool) -> Iterator[None]:
        house, charter = self.house, charter_in(self.house)
        what = SIMULATED + "two people walk across the lawn, one with a sheet of paper."
        plan = self.grant("olga", May.PLAN_DRILL)
        drill = plan_drill(house.acting, plan, charter, DRILLED, what, begins, begins + 30 * MINUTE).value
        if called_off:
            call_off_drill(house.acting, plan, charter, drill.id, SIMULATED + "heavy rain.")
            return
        yield
        run = self.grant("sam", May.RUN_DRILL)
        begin_drill(house.acting, run, charter, drill.id)
        self.wait(MINUTE)
        end_drill(house.acting, run, charter, drill.id)
        if not missed:
            self.play(DRILLED)
        yield

    # ---- samples -----------------------------------------------------------------------------------------------------

    def _came_near(self, near: Near) -> None:
        house, rules = self.house, charter_in(self.house).safeguards.samples
        assert rules is not None
        share = rules.very_near if near.moment.band == "very_near" else rules.near_misses
        number = self.dice.randbytes(8).hex()
        moment = replace(
            near.moment,
            id=number,
            at_ms=self._now,
            number=self.dice.randrange(DRAWN_OF),
            below=share * (DRAWN_OF // 1000),
        )
        try:
            permit = decide(house.standing(), TakeSample(moment.analytic, self._now), self._now)
        except Refused:
            return  # suspended, as it would be live
        if take_sample(house.acting, permit, moment, kept_ms=rules.kept_ms).value is not None:
            self._answers[number] = near.answer
            keep_sample(house.acting, permit, replace(near.clip, incident=number))

    def _look(self, name: str) -> None:
        """Look at what waits for somebody, one after another."""
        while (sample := waiting(self.house.store.read(), self.accounts[name], self._now)[1]) is not None:
            shown = decide(self.house.standing(), ShowReviewerView(sample.source, sample.purpose), self._now)
            view_sample(self.house.acting, self.grant(name, May.SEE_CLIP), shown, sample.id)
            self.wait(10 * SECOND + self.dice.randrange(20) * SECOND)
            verdict = decide(self.house.standing(), Decide(sample.analytic), self._now)
            answer = self._answer(sample)
            judge_sample(self.house.acting, self.grant(name, May.DECIDE_ALERT), verdict, sample.id, answer)

    def _answer(self, sample: Sample) -> Answer:
        """What the label says; of an alert that was mixed in, the label of that alert."""
        if sample.of_alert is None:
            return self._answers[sample.id]
        sql = "SELECT value FROM verdict WHERE alert = ? AND withdrawn_ms IS NULL"
        row = self.house.store.read().one(sql, sample.of_alert)
        return "yes" if row is not None and row["value"] == "confirm" else "no"

    # ---- what others note down ---------------------------------------------------------------------------------------

    def _log_of_the_dispatch(self) -> None:
        """Hand in the log of the days before."""
        house, now = self.house, self._now
        rows = house.store.read().all(
            "SELECT alert.raised_ms, alert.analytic FROM alert JOIN verdict ON verdict.alert = alert.id"
            " WHERE verdict.value = 'confirm' AND verdict.withdrawn_ms IS NULL AND alert.raised_ms BETWEEN ? AND ?"
            " AND alert.analytic IN (?, ?) AND alert.id NOT IN (SELECT alert FROM shown_again)"
            " ORDER BY alert.raised_ms",
            now - 7 * DAY,
            now - HOUR,
            *LOGGED,
        )
        known = [row for row in rows if self.dice.random() < LOGGED_SHARE]
        times = [(row["raised_ms"] + self.dice.randint(-3, 3) * MINUTE, row["analytic"]) for row in known]
        others = len(known) // 3
        times += [(now - self.dice.randrange(HOUR, 6 * DAY), self.dice.choice(LOGGED)) for _ in range(others)]
        lines = ["time,source,kind", *(f"{iso(at)},street,{kind}" for at, kind in sorted(times))]
        permit = decide(house.standing(), TakeReports("dispatch"), now)
        grant, data = self.grant("olga", May.KEEP_REPORTS), "\n".join(lines).encode()
        # Two within a minute are one to a log that is kept by the minute.
        asked = Asked({}, leave_out=frozenset({"repeated"}))
        take_reports(house.acting, grant, permit, charter_in(house), data, asked)

    # ---- the dark evening --------------------------------------------------------------------------------------------

    def _dark(self) -> None:
        degrade(self.house.acting, charter_in(self.house), "street", "too_dark", MEASURED, ALLOWED)

    def _light(self) -> None:
        recover(self.house.acting, charter_in(self.house), "street", "too_dark")
