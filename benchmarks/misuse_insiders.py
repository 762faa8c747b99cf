"""People who misuse a control room, each added to an honest year. What they do wrong is marked, to be found.

Parameters stand with each, with where they come from: *fact* or *assumed*, as in ``misuse_room``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from misuse_room import BEGIN, Year, ask, break_glass, reason, working_time
from watchglass.access.misuse import Access, Case, What
from watchglass.core.time import DAY, HOUR, MINUTE


@dataclass(frozen=True)
class Wrong:
    """What somebody did wrong: the ids of their accesses, and when it began.

    Attributes:
        answered: requests that custodians waved through. Asking was not wrong, answering was.
    """

    people: frozenset[str]
    ids: frozenset[str]
    begun_ms: int
    answered: frozenset[str] = frozenset()


def ex_partner(year: Year) -> Wrong:
    """A reviewer looks at one quiet camera, in front of somebody's door, again and again: 69 times.

    69 times: fact (an officer searched an ex-partner's plate so often). Over nine months, four of five on duty, at
    clips of old alerts; the fifth time from 22 to 2 o'clock, whatever the roster says: assumed.
    """
    rng, person, source = year.rng, "r1", "camera-17"
    own = [shift for shift in year.worked if shift.person == person and shift.from_ms >= BEGIN + 90 * DAY]
    begun = []
    for _ in range(69):
        shift = rng.choice(own)
        at = shift.from_ms + rng.randrange(shift.to_ms - shift.from_ms)
        if rng.random() < 0.2:
            at = BEGIN + rng.randrange(90, year.room.days - 5) * DAY + 22 * HOUR + rng.randrange(4 * HOUR)
        begun.append(_old_clip(year, person, at, source))
    return _wrong(year, {person}, begun)


def neighbour(year: Year) -> Wrong:
    """An investigator asks for originals of their own street twelve times, each time under another case of theirs.

    Twelve a year, with a reason that says little every third time: assumed.
    """
    rng, person, source = year.rng, "i1", "camera-14"
    done = []
    for case in rng.sample([case for case in year.cases if person in case.members], 12):
        at = min(working_time(year, case.opened_ms + DAY), (case.closed_ms or 0) - MINUTE)
        why = "follow-up" if rng.random() < 1 / 3 else reason(year, person, source)
        done += ask(year, person, case.id, source, max(at, case.opened_ms), at - 3 * DAY, why)
    return _wrong(year, {person}, done)


def pair(year: Year) -> Wrong:
    """An investigator and two custodians: whatever is asked is approved, within a minute of each other.

    From day 120 on three requests a month have nothing to do with their case, and four of five of all this
    investigator's requests are steered to these two: assumed.
    """
    rng, person, since = year.rng, "i1", BEGIN + 120 * DAY
    deputies = ("k1", "k2")
    asked = {each.id for each in year.accesses if each.what is What.RELEASE_REQUEST and each.person == person}
    steered = {name for name in sorted(asked) if rng.random() < 0.8}
    own: dict[str, int] = {}
    for number, given in enumerate(year.approvals):
        if given.request in steered and given.asked_ms >= since:
            second = own.get(given.request, 0)
            own[given.request] = second + 1
            took = rng.randrange(5_000, 50_000) * (second + 1)
            year.approvals[number] = replace(
                given, approver=deputies[second % 2], at_ms=given.asked_ms + took, approved=True
            )
    done = []
    open_then = [case for case in year.cases if person in case.members and case.opened_ms >= since]
    for _ in range(3 * (year.room.days - 130) // 30):
        case = rng.choice(open_then)
        at = min(working_time(year, case.opened_ms + DAY), (case.closed_ms or 0) - MINUTE)
        why = reason(year, person, year.source())
        done += ask(year, person, case.id, year.source(), max(at, case.opened_ms), at - DAY, why, deputies, 50_000)
    wrong = _wrong(year, {person, *deputies}, done)
    unread = [each for each in year.accesses if each.id in steered and each.at_ms >= since]
    begun = min(wrong.begun_ms, *(each.at_ms for each in unread))
    return replace(wrong, begun_ms=begun, answered=wrong.ids | {each.id for each in unread})


def afterwards(year: Year) -> Wrong:
    """An investigator looks first, out of curiosity, and opens a case for it two hours to three days later.

    Twice a month: assumed.
    """
    rng, person = year.rng, "i1"
    done = []
    for _ in range(2 * year.room.days // 30):
        at = working_time(year, BEGIN + rng.randrange(year.room.days - 10) * DAY)
        opened, source = at + rng.randrange(2 * HOUR, 72 * HOUR), year.source()
        case = Case(f"c{year.name('')}", opened, frozenset({person}), opened + 14 * DAY)
        year.cases.append(case)
        why = reason(year, person, source)
        done.append(
            year.look(
                person,
                at,
                source=source,
                from_ms=at - 2 * DAY,
                to_ms=at - 2 * DAY + HOUR,
                case=case.id,
                named_ms=opened,
            )
        )
        year.look(person, opened, What.CASE_OPENED, case=case.id, reason=why)
    return _wrong(year, {person}, done)


def breaker(year: Year) -> Wrong:
    """A shift lead uses the emergency rule without an emergency, eight times a year, and mostly reports late.

    Late three times of five. Assumed.
    """
    rng, person = year.rng, "l1"
    own = [shift for shift in year.worked if shift.person == person]
    done = []
    for shift in rng.sample(own, 8):
        at = shift.from_ms + rng.randrange(8 * HOUR)
        done.append(break_glass(year, person, at, year.source(), rng.random() < 0.6))
    return _wrong(year, {person}, done)


def night_visitor(year: Year) -> Wrong:
    """A shift lead, who works by day, comes in every other week between one and four at night to look around.

    Assumed.
    """
    rng, person = year.rng, "l2"
    done = []
    for week in range(4, year.room.days // 7 - 1, 2):
        at = BEGIN + (7 * week + rng.randrange(7)) * DAY + rng.randrange(1 * HOUR, 4 * HOUR)
        done += [_old_clip(year, person, at + number * MINUTE, year.source()) for number in range(rng.randrange(1, 4))]
    return _wrong(year, {person}, done)


def careful(year: Year) -> Wrong:
    """An investigator looks up somebody twice a month: a real case, a good reason, a camera of that case's street.

    Assumed. Nothing tells this from work: it is here to show what is not found.
    """
    rng, person = year.rng, "i2"
    own = [each for each in year.accesses if each.what is What.RELEASE_REQUEST and each.person == person]
    cases = {case.id: case for case in year.cases}
    done = []
    for true in rng.sample(own, min(len(own), 2 * year.room.days // 30)):
        case = cases[true.case or ""]
        at = min(working_time(year, true.at_ms), (case.closed_ms or 0) - MINUTE)
        if case.opened_ms <= at:
            source = true.source or ""
            done += ask(year, person, case.id, source, at, (true.from_ms or at) - HOUR, reason(year, person, source))
    return _wrong(year, {person}, done)


INSIDERS: Final[dict[str, Callable[[Year], Wrong]]] = {
    "ex_partner": ex_partner,
    "neighbour": neighbour,
    "pair": pair,
    "afterwards": afterwards,
    "breaker": breaker,
    "night_visitor": night_visitor,
    "careful": careful,
}


def _old_clip(year: Year, person: str, at: int, source: str) -> Access:
    """Somebody opens the clip of the last alert of a source that is more than a day old."""
    old = [each for each in year.incidents if each.source == source and each.raised_ms < at - DAY]
    latest = max(old, key=lambda each: each.raised_ms)
    return year.look(person, at, source=source, alert=latest.id)


def _wrong(year: Year, people: set[str], done: list[Access]) -> Wrong:
    known = [each for each in done if each.at_ms <= year.until_ms]
    return Wrong(frozenset(people), frozenset(each.id for each in known), min(each.at_ms for each in known))
