"""Published limits in a life: what is final, how each analytic stands, what stops by itself and how it runs again.

The house's own tests, on what the life's people said; the rows that the house keeps are plain values here.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from made_town import EXPLANATION, MadeAlert, Order, Story
from watchglass.charter.limits import QualityLimits
from watchglass.charter.model import Charter
from watchglass.charter.renewed import rule_of
from watchglass.core.digest import b64
from watchglass.core.time import HOUR, MINUTE, SECOND
from watchglass.quality.daylight import stratum_of
from watchglass.quality.finality import Awaited, Reading, final_of, in_time
from watchglass.quality.judging import IN_TIME, TESTED, TRUST, Counted, Testing, alpha_of, follow, take
from watchglass.quality.states import LATELY_MS, Stands, State, Why, begun, moved, needs_new_charter
from watchglass.review.model import UNDO_WINDOW

if TYPE_CHECKING:
    from made_life import Life

EVERY: Final = MINUTE
ANYHOW: Final = 10 * MINUTE
"""So often it looks also where nothing became final: time alone ends trials, and witnesses cosign."""


@dataclass
class Told:
    """An alert and what people said of it, by the number of the read: (value, when)."""

    made: MadeAlert
    number: int
    epoch: int
    said: dict[int, tuple[str, int]] = field(default_factory=dict)


@dataclass
class Case:
    """How one analytic stands, and its tests: each with what it has counted, its cursor, and its first and last."""

    stands: Stands
    charter: Charter
    epoch: int = 0
    tests: dict[str, tuple[Testing | None, int, bytes | None, bytes | None]] = field(default_factory=dict)
    finals: list[int] = field(default_factory=list)
    stop: Order | None = None
    resumed: bytes | None = None
    stops: list[int] = field(default_factory=list)


class Judge:
    """The house, as far as limits go. What a dishonest one does otherwise is named in ``life.sins``."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.alerts: dict[str, list[Told]] = {}
        self.cases: dict[str, Case] = {}
        self.wake: list[int] = [0]
        self.anyhow_ms = 0
        self.records: list[bytes] = []
        self.passed_over: set[tuple[str, str]] = set()

    # ---- what happens ------------------------------------------------------------------------------------------------

    def raised(self, made: MadeAlert) -> None:
        """A new alert takes its place."""
        listed = self.alerts.setdefault(made.look, [])
        self.life.drills.raised(made)
        case = self.cases.get(made.look)
        listed.append(Told(made, len(listed) + 1, case.epoch if case else 0))
        heapq.heappush(self.wake, made.due_ms + UNDO_WINDOW + SECOND)
        if "never-judges" in self.life.sins and self.life.town.charter.limits_of(made.look) is not None:
            self._plant(made.leaf)

    def said(self, made: MadeAlert, value: str | None) -> None:
        """Somebody judged it, or what it shows again; None: they took that back."""
        first = made if made.of is None else made.of
        told = next((each for each in self.alerts.get(first.look, ()) if each.made is first), None)
        if told is None or made.read is None:
            return
        heapq.heappush(self.wake, self.life.town.now + UNDO_WINDOW)
        if value is None:
            told.said.pop(made.read, None)
        else:
            told.said[made.read] = (value, self.life.town.now)

    def holds_back(self, look: str) -> bool:
        """Whether nothing about its alerts leaves the reviewers' queue."""
        limits = self.life.town.charter.limits_of(look)
        case = self.cases.get(look)
        if "hands-over" in self.life.sins:
            return False
        if case is None:
            return limits is not None and limits.trial_ms is not None
        stands = case.stands
        return stands.state is State.TRIAL or (stands.state is State.SUSPENDED and stands.trial_ends_ms is not None)

    # ---- what follows ------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Look once at every analytic that has limits."""
        life, town = self.life, self.life.town
        if self.wake[0] > town.now or "never-judges" in life.sins or not life.may_look():
            return
        while self.wake and self.wake[0] <= town.now:
            heapq.heappop(self.wake)
        if self.anyhow_ms <= town.now:
            self.anyhow_ms = town.now + ANYHOW
            heapq.heappush(self.wake, self.anyhow_ms)
        charter = town.charter
        for limits in charter.quality.limits if charter.quality is not None else ():
            self._one(charter, limits)

    def _one(self, charter: Charter, limits: QualityLimits) -> None:
        town, name = self.life.town, limits.name
        case = self.cases.get(name)
        if case is None:
            case = self.cases[name] = Case(begun(limits, Why.NEW, town.now), charter)
            self.record(name, case)
        elif _changed(case, charter, name) and case.stands.state is not State.SUSPENDED:
            case.stands = begun(limits, Why.CHANGED, town.now)
            case.charter = charter
            self.record(name, case)
        case.charter = charter
        if case.stop is not None and case.resumed is not None and self._counts(case.resumed):
            self.runs_again(name, case, limits)
        for test in TESTED:
            self._consume(name, case, test)
        self._move(name, case, charter)

    def _counts(self, leaf: bytes) -> bool:
        return self.life.town.kind == "trial" or self.life.town.log.is_cosigned(leaf)

    def runs_again(self, name: str, case: Case, limits: QualityLimits) -> None:
        """From here on it runs, on trial."""
        town, stop = self.life.town, case.stop
        assert stop is not None  # there was one
        case.epoch += 1
        case.stands = begun(limits, Why.RESUMED, town.now)
        leaf = self.record(name, case)
        stop.lifted, self.life.resumed[stop.leaf] = case.resumed or leaf, town.now
        case.stop = case.resumed = None

    def _consume(self, name: str, case: Case, test: str) -> None:
        testing, cursor, first, last = case.tests.get(test, (None, 0, None, None))
        waits = False
        for told in self._but_drills(name, cursor, test):
            charter = self._charter(told.made)
            counted = self.counted(told, charter, test)
            if counted is None:
                if "verdict-order" in self.life.sins:
                    waits = True
                    continue
                break
            cursor = told.number
            if waits:
                self.passed_over.add((name, test))
            testing = follow(testing, test, charter, name, told.epoch, self._by_hash)  # type: ignore[arg-type]
            if testing is None:
                first = last = None
                continue
            if testing.first is None:
                first = None
            if not testing.crossed and not self._left_out(told):
                testing = take(testing, counted, alpha_of(charter, testing.name))
                first, last = first or told.made.leaf, told.made.leaf
            if test == TRUST:
                case.finals.append(self.life.town.now)
        case.tests[test] = (testing, cursor, first, last)

    def _but_drills(self, name: str, cursor: int, test: str) -> Iterator[Told]:
        """The next alerts, without those of drills, up to the first that may yet be of one."""
        drills, now = self.life.drills, self.life.town.now
        for told in self._in_order(name, cursor):
            at = told.made.raised_ms
            if test != IN_TIME and drills.may_hold(name, at, now):
                return
            if test == IN_TIME or not drills.own(name, at):
                yield told

    def _in_order(self, name: str, cursor: int) -> list[Told]:
        return self.alerts.get(name, [])[cursor:]

    def _left_out(self, told: Told) -> bool:
        return "leaves-out" in self.life.sins and told.number % 3 == 0

    def _charter(self, made: MadeAlert) -> Charter:
        return self._by_hash(made.charter)

    def _by_hash(self, sha256: bytes) -> Charter:
        return next(each.charter for each in self.life.town.versions if each.charter.sha256 == sha256)

    def counted(self, told: Told, charter: Charter, test: str) -> Counted | None:
        """The alert as a test takes it; None while it is not final in what the test asks for."""
        now, made = self.life.town.now, told.made
        readings = tuple(Reading(read, value, at) for read, (value, at) in sorted(told.said.items()))  # type: ignore[arg-type]
        awaited = Awaited(told.number, made.raised_ms, made.due_ms, readings, second_drawn=made.drawn)
        timely = in_time(awaited, now_ms=now, undo_ms=UNDO_WINDOW)
        value = None
        if test != IN_TIME:
            matures = charter.safeguards.review.matures_ms
            final = final_of(awaited, now_ms=now, matures_ms=matures, undo_ms=UNDO_WINDOW)
            if final is None:
                return None
            value = final.value
        elif timely is None:
            return None
        stratum = stratum_of(charter.source(made.source), made.raised_ms)
        return Counted(told.number, made.raised_ms, told.epoch, stratum, value, timely)

    def _move(self, name: str, case: Case, charter: Charter) -> None:
        now = self.life.town.now
        crossed = [test for test, (testing, *_) in case.tests.items() if self._speaks(name, case, testing, charter)]
        limits = [test for test in crossed if test != TRUST]
        if "never-stops" in self.life.sins:
            self._plant(*[case.tests[test][3] for test in limits])
            limits = []
        lately = sum(at > now - LATELY_MS for at in case.finals)
        trusted = TRUST in crossed or ("trusts" in self.life.sins and len(case.finals) > 1)
        quality = charter.quality
        assert quality is not None  # its analytic has limits
        stands = moved(
            case.stands, crossed=limits[0] if limits else None, trusted=trusted, lately=lately,
            fewest=quality.fewest, now_ms=now,
        )  # fmt: skip
        if stands == case.stands:
            return
        case.stands = stands
        leaf = self.record(name, case)
        if self.life.sins & {"trusts", "leaves-out"} or (name, str(stands.why)) in self.passed_over:
            self._plant(leaf)
        if stands.state is State.SUSPENDED:
            self._stopped(name, case, leaf)

    def _plant(self, *leaves: bytes | None) -> None:
        """The first record by which a lie can be seen."""
        if not self.life.town.planted:
            self.life.town.planted += [leaf for leaf in leaves if leaf is not None]

    def _speaks(self, name: str, case: Case, testing: Testing | None, charter: Charter) -> bool:
        if testing is None or not testing.crossed or testing.epoch < case.epoch:
            return False
        return rule_of(self._by_hash(testing.charter), name) == rule_of(charter, name)

    def _stopped(self, name: str, case: Case, leaf: bytes) -> None:
        life, town = self.life, self.life.town
        order = Order(leaf, name, town.now)
        case.stop = order
        if "runs-on" not in life.sins:
            town.orders.append(order)
        again = needs_new_charter(town.now, max(case.stops, default=None))
        case.stops.append(town.now)
        life.tell(town.now, obeyed(life, order))
        if not again and "no-resumption" not in life.sins:
            life.tell(town.now + life.dice.randrange(HOUR, 6 * HOUR), resumption(life, name, case))

    def record(self, name: str, case: Case) -> bytes:
        """Say how it stands."""
        town, stands = self.life.town, case.stands
        clear = {"analytic": name, "state": stands.state.value, "cause": str(stands.why)}
        committed = {"evidence": evidence(case)}
        leaf = town.attest("analytic_judged", under=town.charter, clear=clear, committed=committed)
        self.records.append(leaf)
        return leaf


def _changed(case: Case, charter: Charter, name: str) -> bool:
    """Whether the analytic is another one than when it was last looked at: its model or its rule."""
    return case.charter.sha256 != charter.sha256 and rule_of(case.charter, name) != rule_of(charter, name)


def evidence(case: Case) -> Mapping[str, Any] | None:
    """The test that decided how an analytic stands."""
    why = case.stands.why
    deciding = TRUST if why in {Why.TRUSTED, Why.EXPIRED} else str(why)
    testing, _, first, last = case.tests.get(deciding, (None, 0, None, None))
    if testing is None:
        return None
    return {
        "test": deciding,
        "limit": testing.test.limit,
        "alerts": testing.taken,
        "bad": testing.bad,
        "log_e": round(testing.test.log_e * 1000),
        "first": b64(first) if first else None,
        "last": b64(last) if last else None,
    }


def judging(life: Life) -> Story:
    """The house looks again and again."""
    while True:
        yield EVERY
        life.judge.look()


def obeyed(life: Life, order: Order) -> Story:
    """Nothing of it runs any more."""
    town, within = life.town, life.dice.randrange(50, 2_000)
    yield within
    clear = {"analytic": order.analytic, "within_ms": within}
    town.attest("limit_obeyed", under=town.charter, clear=clear, refs=[order.leaf])


def resumption(life: Life, name: str, case: Case) -> Story:
    """The authority says what was changed, oversight lets it run again."""
    town, stop = life.town, case.stop
    if stop is None:
        return
    yield 1
    clear, refs = {"analytic": name}, [stop.leaf]
    what = {"what_changed": EXPLANATION}
    refs.append(
        town.signed("resumption_proposed", town.keys["authority"], "authority", clear=clear, committed=what, refs=refs)
    )
    yield life.dice.randrange(MINUTE, 3 * HOUR)
    case.resumed = town.signed(
        "analytic_resumed",
        town.keys["oversight-office"],
        "oversight",
        clear=clear,
        committed={"reason": EXPLANATION},
        refs=refs,
    )
