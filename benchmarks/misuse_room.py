"""A made control room for a year: twelve honest people, with the habits that make honest work look odd.

Every number is a parameter of ``Room`` with where it comes from. *Fact*: a published case or study. *Assumed*: our
judgement; nobody publishes such data. A seed gives the same year on every machine.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

from watchglass.access.misuse import (
    Access,
    Approval,
    Case,
    Dispatch,
    Facts,
    GlassBreak,
    Incident,
    Outcome,
    Review,
    Shift,
    Verdict,
    What,
)
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND

BEGIN = 20_454 * DAY
"""1 January 2026."""

REVIEWERS = ("r1", "r2", "r3", "r4", "r5", "r6")
LEADS = ("l1", "l2")
INVESTIGATORS = ("i1", "i2")
DEPUTIES = ("k1", "k2")
OUTSIDE = ("dpo", "oversight")
STAFF = (*REVIEWERS, *LEADS, *INVESTIGATORS, *DEPUTIES)


@dataclass(frozen=True)
class Room:
    """How a control room of twelve works.

    Attributes:
        days: one year.
        sources: cameras. Assumed. The n-th most eventful has 1/n of the first one's alerts (Zipf). Assumed.
        alerts_a_day: Assumed: one an hour and some.
        second_look: alerts that a second reviewer on duty opens too. Assumed.
        return_next_day: alerts that the one who decided opens again within two days. Assumed.
        undecided: alerts about which nobody decides. Assumed.
        confirmed: alerts that lead to a dispatch. Assumed.
        curious: unexplained looks at old alerts in a shift (Poisson), to learn, to show somebody, out of boredom.
            Set so that about 94 % of all accesses are explained. Fact: Fabbri and LeFevre, in hospitals.
        searches: searches of the queue in a shift. Assumed.
        overtime, overtime_mean_h: shifts that run over, and how long (exponential). Assumed.
        swaps: shifts that somebody else works without the roster saying so. Assumed.
        call_ins, unrecorded_call_ins: people called in at night, a month, and the share without a dispatch. Assumed.
        cases_a_month: for each investigator. Assumed.
        case_days: median of how long a case is open (lognormal, sigma 1). Assumed.
        requests_a_case: mean (1 + Poisson). Assumed.
        looks_a_case: mosaicked clips that an investigator opens for a case (1 + Poisson). Assumed.
        late_number, late_number_h: looks whose case number is filled in later, and how long after (exponential).
            Assumed.
        looked_first, looked_first_h: cases opened after the first look, and how long after (exponential). Assumed.
        after_closing: requests made within days after the case was closed. Assumed.
        copier, copies: one of the two investigators copies that share of reasons from an earlier case. Assumed.
        vague: share of reasons that say nothing. Assumed.
        weak_requests: requests that a careful custodian refuses, four times of five. Assumed.
        answer_min: median of how long an answer takes (lognormal, sigma 1). Assumed.
        nothing_came: releases of which nothing comes within the year. Assumed.
        breaks_a_year, late_reports: uses of the emergency rule in the whole room, and reports that come late. Assumed.
    """

    days: int = 365
    sources: int = 24
    alerts_a_day: float = 30.0
    second_look: float = 0.3
    return_next_day: float = 0.1
    undecided: float = 0.01
    confirmed: float = 0.1
    curious: float = 0.55
    searches: float = 2.0
    overtime: float = 0.1
    overtime_mean_h: float = 1.0
    swaps: float = 0.003
    call_ins: float = 1.0
    unrecorded_call_ins: float = 0.1
    cases_a_month: float = 8.0
    case_days: float = 15.0
    requests_a_case: float = 2.0
    looks_a_case: float = 3.0
    late_number: float = 0.2
    late_number_h: float = 24.0
    looked_first: float = 0.1
    looked_first_h: float = 3.0
    after_closing: float = 0.01
    copier: str = "i2"
    copies: float = 0.15
    vague: float = 0.03
    weak_requests: float = 0.06
    answer_min: float = 40.0
    nothing_came: float = 0.05
    breaks_a_year: float = 6.0
    late_reports: float = 0.1


@dataclass
class Year:
    """What happened, as it is being made; ``facts`` is what is then known of it."""

    room: Room
    rng: random.Random
    accesses: list[Access] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    shifts: list[Shift] = field(default_factory=list)
    dispatches: list[Dispatch] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    approvals: list[Approval] = field(default_factory=list)
    breaks: list[GlassBreak] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    worked: list[Shift] = field(default_factory=list)
    made: int = 0

    @property
    def until_ms(self) -> int:
        return BEGIN + self.room.days * DAY

    def name(self, kind: str) -> str:
        self.made += 1
        return f"{kind}{self.made}"

    def poisson(self, mean: float) -> int:
        """Knuth's way: how many exponential waits fit."""
        limit, product, count = math.exp(-mean), self.rng.random(), 0
        while product > limit:
            product *= self.rng.random()
            count += 1
        return count

    def source(self) -> str:
        numbers = range(1, self.room.sources + 1)
        [number] = self.rng.choices(numbers, [1 / number for number in numbers])
        return f"camera-{number}"

    def look(self, person: str, at_ms: int, what: What = What.CLIP_VIEW, **more: Any) -> Access:
        access = Access(self.name("x"), person, int(at_ms), what, **more)
        self.accesses.append(access)
        return access

    def on_duty(self, at_ms: int, people: tuple[str, ...] = REVIEWERS) -> list[str]:
        day = (at_ms - BEGIN) // DAY
        near = (shift for number in (day - 1, day) for shift in self._by_day.get(number, ()))
        return [each.person for each in near if each.person in people and each.from_ms <= at_ms < each.to_ms]

    @property
    def _by_day(self) -> dict[int, list[Shift]]:
        if not hasattr(self, "_days"):
            self._days: dict[int, list[Shift]] = {}
            for shift in self.worked:
                self._days.setdefault((shift.from_ms - BEGIN) // DAY, []).append(shift)
        return self._days

    def facts(self) -> Facts:
        """What is known at the end of the year."""
        until = self.until_ms
        return Facts(
            BEGIN, until,
            tuple(each for each in self.accesses if each.at_ms <= until),
            tuple(self.cases), tuple(self.shifts), tuple(self.dispatches), tuple(self.incidents), tuple(self.verdicts),
            tuple(each for each in self.approvals if each.at_ms <= until),
            tuple(self.breaks), tuple(self.outcomes), tuple(self.reviews),
        )  # fmt: skip


def honest_year(seed: int, room: Room | None = None) -> Year:
    """A year in which nobody does anything wrong; an own copy, into which insiders may be put."""
    made = _made(seed, room or Room())
    lists = {each.name: list(getattr(made, each.name)) for each in fields(made) if each.default_factory is list}
    rng = random.Random(f"watchglass misuse, insiders {seed}")  # noqa: S311  # a made year, not a secret
    return Year(made.room, rng, **lists, made=made.made)


@lru_cache(maxsize=2)
def _made(seed: int, room: Room) -> Year:
    year = Year(room, random.Random(f"watchglass misuse {seed}"))  # noqa: S311  # a made year, not a secret
    _roster(year)
    _alerts(year)
    _shifts_work(year)
    _call_ins(year)
    for person in INVESTIGATORS:
        _cases(year, person)
    _emergencies(year)
    year.reviews = [Review(f"w{month}", "oversight", BEGIN + (month * 30 + 15) * DAY) for month in range(13)]
    return year


def _roster(year: Year) -> None:
    room, rng = year.room, year.rng
    for day in range(room.days):
        start = BEGIN + day * DAY
        for number, person in enumerate(REVIEWERS):
            phase = day + number  # four days on, two off; early, late, night in turn
            if phase % 6 < 4:
                begin = start + (6, 14, 22)[(phase // 6 + number) % 3] * HOUR
                _shift(year, person, REVIEWERS, begin, 8)
        if (day + 3) % 7 < 5:
            for number, person in enumerate(LEADS):
                _shift(year, person, LEADS, start + (7 if (day // 7 + number) % 2 else 13) * HOUR, 8)
            for person in (*INVESTIGATORS, *DEPUTIES):
                year.shifts.append(Shift(person, start + 8 * HOUR, start + 17 * HOUR))
    rng.shuffle(year.shifts)


def _shift(year: Year, person: str, colleagues: tuple[str, ...], begin: int, hours: int) -> None:
    room, rng = year.room, year.rng
    over = rng.expovariate(1 / room.overtime_mean_h) if rng.random() < room.overtime else 0.0
    year.shifts.append(Shift(person, begin, begin + hours * HOUR))
    who = rng.choice(colleagues) if rng.random() < room.swaps else person
    year.worked.append(Shift(who, begin, begin + int((hours + min(over, 6)) * HOUR)))


def _alerts(year: Year) -> None:
    room, rng = year.room, year.rng
    for day in range(room.days):
        for _ in range(year.poisson(room.alerts_a_day)):
            raised = BEGIN + day * DAY + rng.randrange(DAY)
            alert, source = year.name("a"), year.source()
            there = year.on_duty(raised) or year.on_duty(raised, LEADS)
            if not there:
                year.incidents.append(Incident(alert, source, raised, raised + 10 * MINUTE))
                year.verdicts.append(Verdict(year.name("v"), alert, "other-room", raised + 10 * MINUTE))
                continue
            who = rng.choice(there)
            opened = raised + int(rng.expovariate(1 / (2 * MINUTE))) + 5 * SECOND
            footage: dict[str, Any] = {
                "source": source,
                "from_ms": raised - 10 * SECOND,
                "to_ms": raised + 20 * SECOND,
                "alert": alert,
            }
            year.look(who, opened, **footage)
            if rng.random() < room.second_look:
                year.look(rng.choice(there), opened + rng.randrange(30 * MINUTE), **footage)
            if rng.random() < room.undecided:
                year.incidents.append(Incident(alert, source, raised, raised + DAY))
                continue
            decided = opened + rng.randrange(5 * SECOND, 3 * MINUTE)
            year.incidents.append(Incident(alert, source, raised, decided))
            year.verdicts.append(Verdict(year.name("v"), alert, who, decided))
            if rng.random() < room.confirmed:
                sent = Dispatch(year.name("d"), decided, decided + HOUR, frozenset(there), source)
                year.dispatches.append(sent)
            if rng.random() < room.return_next_day:
                again = [each for each in year.worked if each.person == who and 0 < each.from_ms - decided < 2 * DAY]
                if again:
                    year.look(who, again[0].from_ms + rng.randrange(7 * HOUR), **footage)


def _shifts_work(year: Year) -> None:
    """What people do in a shift beside the queue: searches, and looks at old alerts out of curiosity."""
    rng, room = year.rng, year.room
    old = sorted(year.incidents, key=lambda each: each.raised_ms)
    for shift in year.worked:
        length = shift.to_ms - shift.from_ms
        for _ in range(year.poisson(room.searches)):
            source = year.source() if rng.random() < 0.3 else None
            year.look(shift.person, shift.from_ms + rng.randrange(length), What.QUEUE_SEARCH, source=source)
        for _ in range(year.poisson(room.curious)):
            at = shift.from_ms + rng.randrange(length)
            alert = rng.choice(old)
            if alert.raised_ms < at - DAY:
                year.look(shift.person, at, source=alert.source, alert=alert.id)


def _call_ins(year: Year) -> None:
    rng, room = year.rng, year.room
    for _ in range(year.poisson(room.call_ins * room.days / 30)):
        at = BEGIN + rng.randrange(room.days) * DAY + rng.randrange(DAY)
        person, source = rng.choice((*LEADS, *INVESTIGATORS)), year.source()
        if rng.random() >= room.unrecorded_call_ins:
            year.dispatches.append(Dispatch(year.name("d"), at - HOUR, at + 2 * HOUR, frozenset({person}), source))
        for _ in range(1 + year.poisson(2)):
            year.look(person, at + rng.randrange(90 * MINUTE), source=source)


_WHAT = (
    "Assault", "Theft of a bicycle", "Burglary", "Hit and run", "Robbery of a phone", "Graffiti on a shop window",
    "Missing child", "Collision of a van and a cyclist", "Purse snatched", "Fight between two groups",
    "Fire in a waste container", "Threat with a knife", "Damaged ticket machine", "Person fallen on the rails",
    "Illegal dumping of rubble", "Shoplifting, suspect fled on foot",
)  # fmt: skip
_DETAIL = (
    "reported by a passer-by", "reported by the victim at the station", "seen by the driver of line {n}",
    "named in complaint {n}", "victim in hospital", "two witnesses heard", "prosecutor's order {n}",
    "insurer's report {n}", "officer {n} was on the spot", "shopkeeper gave a description", "ambulance was called",
    "caller hung up", "child found meanwhile", "stolen goods found nearby",
)  # fmt: skip
_WHEN = ("in the early morning", "before noon", "after school", "at closing time", "during the market", "at night")
_VAGUE = ("investigation", "as requested", "check of footage", "see case", "police matter {n}", "follow-up")


def reason(year: Year, person: str, source: str) -> str:
    """What somebody writes into the field."""
    rng, room = year.rng, year.room
    if rng.random() < room.vague:
        text = rng.choice(_VAGUE)
    elif person == room.copier and len(year.reasons) > 5 and rng.random() < room.copies:
        text = rng.choice(year.reasons[-40:])
    else:
        text = f"{rng.choice(_WHAT)} {rng.choice(_WHEN)} near {source}, {rng.choice(_DETAIL)}, {rng.choice(_DETAIL)}"
        year.reasons.append(text)
    return text.replace("{n}", str(rng.randrange(100, 9999)))


def _cases(year: Year, person: str) -> None:
    rng, room = year.rng, year.room
    for _ in range(year.poisson(room.cases_a_month * room.days / 30)):
        opened = working_time(year, BEGIN + rng.randrange(room.days) * DAY)
        length = int(room.case_days * math.exp(rng.gauss(0, 1)) * DAY)
        closed = working_time(year, opened + max(length, 2 * DAY))
        case = Case(f"c{year.name('')}", opened, frozenset({person}), closed)
        year.cases.append(case)
        sources = [year.source() for _ in range(1 + year.poisson(0.5))]
        crime = opened - int(rng.expovariate(1 / (2 * DAY)))
        why = reason(year, person, sources[0])
        year.look(person, opened, What.CASE_OPENED, case=case.id, reason=why)
        _looks(year, person, case, sources, crime)
        for _ in range(1 + year.poisson(room.requests_a_case - 1)):
            late = rng.random() < room.after_closing
            after = (case.closed_ms or 0) + 2 * DAY if late else opened + rng.randrange(max(length // 2, DAY))
            at = min(working_time(year, after), year.until_ms)
            if not late:
                at = min(at, (case.closed_ms or 0) - 1)
            ask(year, person, case.id, rng.choice(sources), at, crime, why)


def _looks(year: Year, person: str, case: Case, sources: list[str], crime: int) -> None:
    rng, room = year.rng, year.room
    first = rng.random() < room.looked_first
    for number in range(1 + year.poisson(room.looks_a_case - 1)):
        at = working_time(year, case.opened_ms + int(rng.expovariate(1 / (2 * DAY))))
        at = min(max(at, case.opened_ms + MINUTE), (case.closed_ms or 0) - 1)
        named = at + int(rng.expovariate(1 / room.late_number_h) * HOUR) if rng.random() < room.late_number else None
        if number == 0 and first:
            at = case.opened_ms - int(rng.expovariate(1 / room.looked_first_h) * HOUR) - MINUTE
            at = max(at, case.opened_ms - (case.opened_ms - BEGIN) % DAY + 8 * HOUR)  # not before the day's work
            named = case.opened_ms
        footage: dict[str, Any] = {"source": rng.choice(sources), "from_ms": crime, "to_ms": crime + 5 * MINUTE}
        year.look(person, at, case=case.id, named_ms=named, **footage)


def working_time(year: Year, at_ms: int) -> int:
    """A moment of office hours on that day, or on the Monday after."""
    day = (at_ms - BEGIN) // DAY
    while (day + 3) % 7 >= 5:
        day += 1
    earliest = max(8 * HOUR, at_ms - BEGIN - day * DAY) if day == (at_ms - BEGIN) // DAY else 8 * HOUR
    return BEGIN + day * DAY + year.rng.randrange(min(earliest, 17 * HOUR - 1), 17 * HOUR)


def _then(year: Year, at_ms: int) -> int:
    """Soon, if it is office hours; otherwise on the next working day."""
    day, rest = divmod(at_ms - BEGIN, DAY)
    if (day + 3) % 7 < 5 and 8 * HOUR <= rest < 17 * HOUR:
        return at_ms + year.rng.randrange(30 * MINUTE)
    return working_time(year, at_ms + DAY if rest >= 17 * HOUR else at_ms)


def ask(  # the parts of one request
    year: Year, person: str, case: str, source: str, at: int, from_ms: int, why: str,
    deputies: tuple[str, ...] | None = None, took_ms: int | None = None,
) -> list[Access]:  # fmt: skip
    """A request with its answers, the taking and what came of it.

    Args:
        deputies: two who answer; drawn from all four custodians where None.
        took_ms: how long each answer takes at most; then all say yes.
    """
    rng, room = year.rng, year.room
    from_ms = min(from_ms, at)
    asked = year.look(
        person,
        at,
        What.RELEASE_REQUEST,
        source=source,
        from_ms=from_ms,
        to_ms=from_ms + 10 * MINUTE,
        case=case,
        reason=why,
    )
    weak, yes = rng.random() < room.weak_requests, True
    answered = at
    for custodian in deputies or rng.sample([*DEPUTIES, *OUTSIDE], 2):
        slow = int(room.answer_min * MINUTE * math.exp(rng.gauss(0, 1)))
        answered += slow if took_ms is None else rng.randrange(5 * SECOND, took_ms)
        refused = took_ms is None and rng.random() < (0.8 if weak else 0.01)
        given = Approval(year.name("y"), asked.id, person, custodian, at, answered, not refused)
        year.approvals.append(given)
        yes = yes and not refused
    if not yes:
        return [asked]
    taken = year.look(
        person, _then(year, answered), What.RELEASE_TAKEN,
        source=source, from_ms=from_ms, to_ms=from_ms + 10 * MINUTE, case=case, request=asked.id,
    )  # fmt: skip
    if rng.random() >= room.nothing_came:
        came = taken.at_ms + int(rng.expovariate(1 / (7 * DAY)))
        year.outcomes.append(Outcome(year.name("o"), asked.id, came))
    return [asked, taken]


def _emergencies(year: Year) -> None:
    rng, room = year.rng, year.room
    for _ in range(year.poisson(room.breaks_a_year * room.days / 365)):
        alert = rng.choice(year.incidents)
        there = year.on_duty(alert.raised_ms, LEADS)
        if there:
            break_glass(year, there[0], alert.raised_ms + 5 * MINUTE, alert.source, rng.random() < room.late_reports)


def break_glass(year: Year, person: str, at: int, source: str, late: bool) -> Access:
    """The emergency rule, used, with its report in time or two days late."""
    rng = year.rng
    why = reason(year, person, source)
    used = year.look(person, at, What.GLASS_BROKEN, source=source, from_ms=at - 5 * MINUTE, to_ms=at, reason=why)
    report = at + (3 * DAY if late else rng.randrange(HOUR, 20 * HOUR))
    year.breaks.append(GlassBreak(used.id, person, at, at + DAY, report))
    return used
