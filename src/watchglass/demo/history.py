"""Twenty-eight days of the demo through the real acts, on a virtual clock.

The pipeline looks at the clip once. A seeded schedule places its incidents in the 28 days; the verdicts come from
``labels.json`` (made by a developer who viewed the clip); times of people are drawn from the same seed and are
simulations, which the pages say. No act is imitated: each is the one that the running product does.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from watchglass.access.authorise import authorise
from watchglass.access.policies import policies_of
from watchglass.access.roles import Grant, May, Person
from watchglass.acts.accounts import person
from watchglass.acts.confirm_backdrop import confirm_backdrop
from watchglass.acts.decide_alert import decide_alert
from watchglass.acts.judge_sample import Answer
from watchglass.acts.keep_clip import keep_clip
from watchglass.acts.progress_handover import progress_handover
from watchglass.acts.raise_alert import raise_alert
from watchglass.acts.reading import HISTORY_UNTIL
from watchglass.acts.record_outcome import record_outcome
from watchglass.acts.run_record import start_run, stop_run
from watchglass.acts.withdraw_verdict import withdraw_verdict
from watchglass.bootstrap import MODEL, House, VirtualClock, look_once, shipped
from watchglass.charter.decide import decide
from watchglass.charter.permit import ConfirmBackdrop, Decide, HandOver, KeepClip, RaiseAlert
from watchglass.core.errors import Refused
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND, month_of
from watchglass.demo import BACKDROP, LABELS
from watchglass.demo.again import Again
from watchglass.demo.custody import Custody, Moment
from watchglass.demo.missed import Missed, Near
from watchglass.demo.orders import Orders
from watchglass.demo.originals import Piece, Sealing, charter_in, pieces_of
from watchglass.demo.recorder import Recorder
from watchglass.perception.messages import (
    DRAWN_OF,
    Clip,
    Health,
    Incident,
    Report,
    SamplesSpec,
    Unalerted,
)
from watchglass.quality.states import State
from watchglass.records.act_spec import Lane
from watchglass.review.model import HandoverState, Outcome, VerdictValue
from watchglass.runtime.limits import log as limits_log

SEED: Final = 2009
DAYS: Final = 28
SOURCE: Final = "street"
BY_HOUR: Final = (0, 0, 0, 0, 0, 1, 2, 4, 6, 5, 4, 5, 7, 5, 4, 4, 6, 7, 5, 3, 2, 1, 1, 0)
"""How likely an incident is in each hour of the day, as weights."""
A_DAY: Final = (6, 11)
"""Fewest and most incidents of a day."""
NOTED_EVERY: Final = 6 * HOUR
"""How often it is recorded what witnesses cosigned; live, as often as the charter lets the log grow."""


@dataclass(frozen=True, slots=True)
class Label:
    """What the developer who viewed the clip says about an analytic's incidents in a stretch of it."""

    analytic: str
    from_ms: int
    until_ms: int
    verdict: VerdictValue
    reason: str
    outcome: Outcome | None

    def holds_for(self, incident: Incident, start_ms: int) -> bool:
        return self.analytic == incident.analytic and self.from_ms <= incident.at_ms - start_ms < self.until_ms


@dataclass(slots=True)
class Seen:
    """What the pipeline found on the clip: incidents with their label and clip."""

    incidents: list[tuple[Incident, Label | None]] = field(default_factory=list)
    clips: dict[str, Clip] = field(default_factory=dict)
    near: list[Near] = field(default_factory=list)
    """What came near an alert and was none, as far as it is labelled."""
    pieces: Mapping[str, tuple[Piece, ...]] = field(default_factory=dict)
    """What is recorded around each incident, by its number."""
    seconds: float = 0.0
    counted: Health = field(default_factory=lambda: Health(SOURCE, 0, 0.0, 0.0, 0, 0, 0, ()))
    """How long the clip plays, and what was counted when it was looked at."""


def labels() -> tuple[Label, ...]:
    """The shipped labels."""
    return tuple(
        Label(
            part["analytic"],
            part["from_ms"],
            part["until_ms"],
            VerdictValue(part["verdict"]),
            part["reason"],
            Outcome(part["outcome"]) if part["outcome"] else None,
        )
        for part in json.loads(LABELS.read_text("utf-8"))["labels"]
    )


def answers(moment: Unalerted, start_ms: int) -> Answer | None:
    """What the label says of a moment that came near an alert: whether something had happened; None without one."""
    for part in json.loads(LABELS.read_text("utf-8"))["near_misses"]:
        if part["analytic"] == moment.analytic and part["from_ms"] <= moment.at_ms - start_ms < part["until_ms"]:
            answer: Answer = part["answer"]
            return answer
    return None


def look_at_the_clip(house: House, start_ms: int) -> Seen:
    """Run the real pipeline over the clip once, under the charter in force.

    Everything that came near gets its clip, since the lot is drawn later, whenever the schedule has it happen.
    """
    seen, near = Seen(), list[Unalerted]()
    known = labels()

    def take(report: Report) -> None:
        if isinstance(report, Incident):
            label = next((label for label in known if label.holds_for(report, start_ms)), None)
            seen.incidents.append((report, label))
        elif isinstance(report, Clip):
            seen.clips[report.incident] = report
        elif isinstance(report, Unalerted):
            near.append(report)
        elif isinstance(report, Health):
            seen.counted = report

    all_near = SamplesSpec(near=DRAWN_OF, very_near=DRAWN_OF, quiet=0)
    seen.seconds = look_once(house, SOURCE, start_ms, BACKDROP.read_bytes(), take, samples=all_near).video_seconds
    seen.near = [
        Near(each, seen.clips[each.id], answer) for each in near if (answer := answers(each, start_ms)) is not None
    ]
    seen.pieces = pieces_of(house, SOURCE, start_ms, [incident for incident, _ in seen.incidents])
    return seen


@dataclass(slots=True)
class History:
    """Plays the 28 days. ``people`` maps sign-in names to accounts; who signs does it in a process of their own."""

    house: House
    clock: VirtualClock
    people: Mapping[str, int]
    custody: Custody
    orders: Orders
    dice: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311 (a schedule, not a secret)
    _sealing: Sealing = field(init=False)
    _recorder: Recorder = field(init=False)
    _again: Again = field(init=False)
    _missed: Missed = field(init=False)
    _tested_ms: int = 0

    def __post_init__(self) -> None:
        self._sealing = Sealing(self.house)
        self._again = Again(self.house, dict(self.people), self._wait, self._grant)

    def confirm_the_backdrop(self) -> None:
        """The operator confirms the shipped empty scene."""
        permit = decide(self.house.standing(), ConfirmBackdrop(SOURCE), self.clock.now())
        grant = self._grant("olga", May.CONFIRM_BACKDROP)
        confirm_backdrop(self.house.acting, grant, permit, SOURCE, BACKDROP.read_bytes())

    def play(self, seen: Seen, until_ms: int, progress: Callable[[float], None]) -> None:
        """Play from now to ``until_ms``: incidents, verdicts, responses, what is stopped, retention, hourly batches."""
        begin = self.clock.now()
        self.house.watch.spacing_ms = NOTED_EVERY
        self._again.begin(until_ms)
        charter = charter_in(self.house)
        models = {MODEL: bytes.fromhex(shipped().sha256)}
        run = start_run(self.house.acting, charter, models, [SOURCE]).value
        self._recorder = Recorder(self.house, SOURCE, run, seconds=seen.seconds, looked=seen.counted)
        self._missed = Missed(self.house, self.people, self._wait, self._grant, partial(self._drilled, seen), seen.near)
        self.custody.begin_month(month_of(begin))
        moments = sorted(
            [
                *self._incidents(seen, begin, until_ms),
                *self._orders(begin),
                *self.custody.schedule(begin, until_ms),
                *self._missed.schedule(begin, until_ms),
            ],
            key=lambda each: each[0],
        )
        for at, happen in moments:
            self._again.due(at)
            self._pass_time(at)
            happen()
            progress((at - begin) / max(1, until_ms - begin))
        self._again.due(until_ms - 10 * MINUTE)
        self._pass_time(until_ms)
        self.custody.next_month()
        self._recorder.finish()
        stop_run(self.house.acting, charter, run, "asked")
        end = {"key": HISTORY_UNTIL, "value": str(self.clock.now())}
        self.house.store.commit(lambda tx: tx.insert("setting", end))
        self.house.sequencer.tick((Lane.PROMPT, Lane.BATCH))

    # ---- the schedule --------------------------------------------------------------------------------------------

    def _incidents(self, seen: Seen, begin: int, until: int) -> Iterator[Moment]:
        hours = range(24)
        for day in range(DAYS):
            for _ in range(self.dice.randint(*A_DAY)):
                hour = self.dice.choices(hours, BY_HOUR)[0]
                at = begin - begin % DAY + day * DAY + hour * HOUR + self.dice.randrange(HOUR)
                incident, label = self.dice.choice(seen.incidents)
                slow = self.dice.random()
                if begin < at < until - 10 * MINUTE:
                    yield at, partial(self._incident, seen, incident, label, slow)

    def _orders(self, begin: int) -> Iterator[Moment]:
        for at, order in self.orders.schedule(begin):
            yield at, partial(self._order, order)

    def _order(self, order: Callable[[], object]) -> None:
        self._recorder.live()
        order()
        self._recorder.live()

    def _pass_time(self, until: int) -> None:
        """Let the hours pass: at each full hour the ledger takes in its batch, and retention runs once a day."""
        while (full := self.clock.now() - self.clock.now() % HOUR + HOUR) <= until:
            self.clock.set(full)
            self._recorder.live()
            self.house.sequencer.tick()
            self._test_limits(full)
            self.orders.hour(full)
            self._again.hour(full)
            self._missed.hour(full)
            if not full % DAY:
                self.house.keep_retention()
                self.house.look_for_misuse()
        if until > self.clock.now():
            self.clock.set(until)
        if until >= self._tested_ms + MINUTE:
            self._test_limits(until)

    def _test_limits(self, now: int) -> None:
        """Test the published limits, which the house does twice a second; what crosses one is stopped from here on."""
        self._tested_ms = now
        limits_log.setLevel(logging.CRITICAL)  # what was stopped then is no news of now
        try:
            changes = self.house.limits.look()
        finally:
            limits_log.setLevel(logging.NOTSET)
        if any(change.stands.state is State.SUSPENDED for change in changes):
            self.orders.obeyed()
            self._recorder.live()

    def _drilled(self, seen: Seen, analytic: str) -> None:
        """What is played in a drill: the analytic's incident on the clip, to which nobody is sent."""
        found, label = next(each for each in seen.incidents if each[0].analytic == analytic)
        self._incident(seen, found, replace(label, outcome=None) if label else None, self.dice.random() * 0.9)

    # ---- what happens --------------------------------------------------------------------------------------------

    def _incident(self, seen: Seen, found: Incident, label: Label | None, slow: float) -> None:
        house, now = self.house, self.clock.now()
        try:
            permit = decide(house.standing(), RaiseAlert(found.analytic, now), now)
        except Refused:
            return  # suspended, as it would be live
        incident = replace(found, id=self.dice.randbytes(8).hex(), at_ms=now)
        within = charter_in(house).safeguards.review.within_ms
        self._recorder.live()
        raise_alert(house.acting, permit, incident, review_within_ms=within)
        self._recorder.raised()
        if (clip := seen.clips.get(found.id)) is not None:
            keep = decide(house.standing(), KeepClip(found.analytic), now)
            keep_clip(house.acting, keep, replace(clip, incident=incident.id))
        pieces = seen.pieces[found.id]
        self._wait(max(piece.to_ms for piece in pieces))
        self._recorder.sealed(self._sealing.seal(incident, pieces))
        if label is not None:
            self._verdict(incident, label, slow)

    def _verdict(self, incident: Incident, label: Label, slow: float) -> None:
        house = self.house
        who = "lee" if slow > 0.8 else "robin"  # noqa: PLR2004 (one alert in five)
        self._wait(SECOND + round(slow**3 * 170) * SECOND)
        grant = self._grant(who, May.DECIDE_ALERT)
        permit = decide(house.standing(), Decide(incident.analytic), self.clock.now())
        if slow > 0.97:  # noqa: PLR2004 (now and then a key is hit by mistake, and taken back)
            decide_alert(house.acting, grant, permit, incident.id, VerdictValue.UNSURE)
            self._wait(4 * SECOND)
            permit = decide(house.standing(), Decide(incident.analytic), self.clock.now())
            withdraw_verdict(house.acting, grant, permit, incident.id)
        decide_alert(house.acting, grant, permit, incident.id, label.verdict, label.reason)
        self._again.decided(incident.id, label.verdict, label.reason)
        on_trial = incident.analytic in house.standing().on_trial  # its alerts stay with the reviewers
        if label.verdict is VerdictValue.CONFIRM and label.outcome is not None and not on_trial:
            self._response(incident, label.outcome)

    def _response(self, incident: Incident, outcome: Outcome) -> None:
        house = self.house
        grant = self._grant("sam", May.RESPOND)
        steps = (HandoverState.ACKNOWLEDGED, HandoverState.ON_THE_WAY, HandoverState.ARRIVED)
        for step, mean in zip(steps, (25, 40, 150), strict=True):
            self._wait(round(self.dice.expovariate(1 / mean)) * SECOND + 5 * SECOND)
            permit = decide(house.standing(), HandOver(incident.analytic), self.clock.now())
            progress_handover(house.acting, grant, permit, incident.id, step)
        self._wait(60 * SECOND)
        permit = decide(house.standing(), HandOver(incident.analytic), self.clock.now())
        record_outcome(house.acting, grant, permit, incident.id, outcome)

    def _wait(self, ms: int) -> None:
        self._pass_time(self.clock.now() + ms)

    def _grant(self, name: str, may: May) -> Grant:
        someone: Person | None = person(self.house.store.read(), self.people[name])
        return authorise(someone, may, under=policies_of(self.house.standing().charter))
