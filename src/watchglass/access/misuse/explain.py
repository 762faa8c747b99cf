"""What explains an access: an alert in the person's queue, a dispatch, a case, their own verdict, a review.

After D. Fabbri and K. LeFevre, "Explanation-based auditing", Proceedings of the VLDB Endowment 5(1), 2011: an access
is explained when a path of records joins the one who looked with what was looked at. In their hospital other records
explained over 94 % of accesses; the rest is what a person should look at. A shift alone explains nothing: it joins
somebody with the queue.

Only what was known when the access is judged counts. A case that is opened a month later does not explain.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from watchglass.access.misuse.facts import MOSAIC, ORIGINALS, Access, Case, Dispatch, Facts, Verdict, What
from watchglass.access.misuse.signal import Earlier, Kind, Mark, Signal, patterns
from watchglass.access.misuse.thresholds import Thresholds
from watchglass.core.time import DAY, moment


class By(StrEnum):
    """What kind of record explains."""

    QUEUE = "queue"
    VERDICT = "verdict"
    DISPATCH = "dispatch"
    INCIDENT = "incident"
    CASE = "case"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One path: by what kind of record, and which."""

    by: By
    record: str


T = TypeVar("T")


class _Calendar(Generic[T]):
    """Values with a beginning and an end, found by person and moment without a walk through all."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, int], list[tuple[int, int, T]]] = defaultdict(list)

    def add(self, person: str, from_ms: int, to_ms: int, value: T) -> None:
        for number in range(from_ms // DAY, to_ms // DAY + 1):
            self._days[person, number].append((from_ms, to_ms, value))

    def at(self, person: str, at_ms: int) -> Iterator[T]:
        for from_ms, to_ms, value in self._days.get((person, at_ms // DAY), ()):
            if from_ms <= at_ms <= to_ms:
                yield value


class Explainer:
    """The facts, indexed. Answers are the same whatever order the facts came in."""

    def __init__(self, facts: Facts, thresholds: Thresholds) -> None:
        self.thresholds = thresholds
        self.cases = {case.id: case for case in facts.cases}
        self.rostered = bool(facts.shifts)
        self._incidents = {incident.id: incident for incident in facts.incidents}
        self._shifts: _Calendar[None] = _Calendar()
        self._dispatches: _Calendar[Dispatch] = _Calendar()
        self._verdicts: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
        margin, linger = thresholds.shift_margin_ms, thresholds.linger_ms
        for shift in facts.shifts:
            self._shifts.add(shift.person, shift.from_ms - margin, shift.to_ms + margin, None)
        for dispatch in sorted(facts.dispatches, key=lambda each: (each.at_ms, each.id)):
            for person in dispatch.people:
                self._dispatches.add(person, dispatch.at_ms, dispatch.until_ms + linger, dispatch)
        for verdict in sorted(facts.verdicts, key=lambda each: (each.at_ms, each.id)):
            self._verdicts[verdict.person, verdict.alert].append(verdict)
        self._requests = {each.id: each for each in facts.accesses if each.what is What.RELEASE_REQUEST}
        self._raised: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for incident in facts.incidents:
            if not incident.again:
                self._raised[incident.source].append((incident.raised_ms, incident.id))
        for each in self._raised.values():
            each.sort()
        self._all_raised = sorted((incident.raised_ms, incident.id) for incident in facts.incidents)
        self._reviews = sorted((each.person, each.at_ms, each.id) for each in facts.reviews)

    def explanations(self, access: Access, known_ms: int) -> tuple[Explanation, ...]:
        """All that explains this access, from what was known at that moment."""
        return tuple(self._paths(access, known_ms))

    def explained(self, access: Access, known_ms: int) -> bool:
        return next(self._paths(access, known_ms), None) is not None

    def assigned(self, access: Access, known_ms: int) -> bool:
        """Whether something that the person did not choose explains it: queue, dispatch, own verdict, review."""
        return any(path.by is not By.CASE for path in self._paths(access, known_ms))

    def on_shift(self, person: str, at_ms: int) -> bool:
        """Whether somebody was on duty, overtime included."""
        return any(True for _ in self._shifts.at(person, at_ms))

    def called(self, person: str, at_ms: int) -> bool:
        """Whether a dispatch had somebody at work then, wherever they looked."""
        return any(True for _ in self._dispatches.at(person, at_ms))

    def decided(self, person: str, session: Sequence[Access], known_ms: int) -> int:
        """How many of the alerts that were opened in a session this person decided before it could be judged."""
        first = session[0].at_ms
        alerts = {access.alert for access in session if access.alert is not None}
        return sum(
            any(first <= each.at_ms <= known_ms for each in self._verdicts.get((person, alert), ())) for alert in alerts
        )

    def request_of(self, access: Access) -> Access | None:
        """The request that a release was taken under, where it is known."""
        taken = access.what is What.RELEASE_TAKEN and access.request is not None
        return self._requests.get(access.request or "") if taken else None

    def case_of(self, access: Access, known_ms: int) -> Case | None:
        """The case that explains the access: named, open then, and the person's own."""
        name = access.case_known(known_ms)
        case = self.cases.get(name) if name is not None else None
        if case is None or access.person not in case.members:
            return None
        last = case.closed_ms
        begun = case.opened_ms <= access.at_ms
        return case if begun and (last is None or access.at_ms <= last + self.thresholds.closed_ms) else None

    def _paths(self, access: Access, known_ms: int) -> Iterator[Explanation]:
        yield from self._by_alert(access, known_ms)
        yield from self._by_dispatch(access)
        yield from self._by_incident(access)
        yield from self._by_search(access)
        case = self.case_of(access, known_ms)
        if case is not None:
            yield Explanation(By.CASE, case.id)
        if access.what is What.OPENINGS_TAKEN:
            for person, at_ms, review in self._reviews:
                if person == access.person and access.at_ms <= at_ms <= min(known_ms, access.at_ms + DAY):
                    yield Explanation(By.REVIEW, review)

    def _by_alert(self, access: Access, known_ms: int) -> Iterator[Explanation]:
        if access.alert is None or access.what not in MOSAIC:
            return
        limits = self.thresholds
        for verdict in self._verdicts.get((access.person, access.alert), ()):
            known = verdict.at_ms <= known_ms
            if known and verdict.at_ms - DAY <= access.at_ms <= verdict.at_ms + limits.own_verdict_ms:
                yield Explanation(By.VERDICT, verdict.id)
        incident = self._incidents.get(access.alert)
        if incident is None or access.at_ms < incident.raised_ms:
            return
        settled = incident.settled_ms
        if settled is not None and access.at_ms > settled + limits.linger_ms:
            return
        theirs = access.person in incident.people or (
            not incident.people and (not self.rostered or self.on_shift(access.person, access.at_ms))
        )
        if theirs:
            yield Explanation(By.QUEUE, incident.id)

    def _by_dispatch(self, access: Access) -> Iterator[Explanation]:
        limits = self.thresholds
        for each in self._dispatches.at(access.person, access.at_ms):
            if each.source is None or each.source != access.source:
                continue
            first, last = access.from_ms, access.to_ms
            if first is None or last is None or (last >= each.at_ms - limits.lead_ms and first <= each.until_ms):
                yield Explanation(By.DISPATCH, each.id)

    def _by_incident(self, access: Access) -> Iterator[Explanation]:
        """The emergency rule is for what was raised at that source a short while ago."""
        if access.what is not What.GLASS_BROKEN or access.source is None:
            return
        raised = self._raised.get(access.source, [])
        for raised_ms, incident in raised[bisect_left(raised, (access.at_ms - self.thresholds.lead_ms, "")) :]:
            if raised_ms > access.at_ms:
                return
            yield Explanation(By.INCIDENT, incident)

    def _by_search(self, access: Access) -> Iterator[Explanation]:
        """Searching the queue is work where, on duty, there was something in it at what was searched for."""
        if access.what is not What.QUEUE_SEARCH or not self.on_shift(access.person, access.at_ms):
            return
        raised = self._raised.get(access.source, []) if access.source is not None else self._all_raised
        last = bisect_right(raised, (access.at_ms, "\U0010ffff")) - 1
        if last >= 0 and raised[last][0] >= access.at_ms - self.thresholds.linger_ms:
            yield Explanation(By.QUEUE, raised[last][1])


def unexplained(
    explainer: Explainer, person: str, accesses: Sequence[Access], earlier: Earlier, until_ms: int
) -> Iterator[Signal]:
    """Originals that nothing explains, each; and sessions with several such looks at mosaicked pictures.

    Accesses that name a case are left to the rules about cases, which can say what is wrong with it; taking what was
    asked for is one thing with the request.

    Args:
        accesses: all of this person.
    """
    limits = explainer.thresholds
    originals, looks = [], []
    for access in accesses:
        judged = access.at_ms + limits.wait_ms
        named = access.case_known(judged) is not None or explainer.request_of(access) is not None
        if named or explainer.explained(access, judged):
            continue
        mark = Mark(access.id, judged, access)
        if access.what in ORIGINALS or access.what is What.OPENINGS_TAKEN:
            originals.append(mark)
        elif access.what in MOSAIC:
            looks.append(mark)

    def each(_: int, marks: Sequence[Mark[Access]]) -> str | None:
        last = marks[-1].value
        return (
            f"{person} {_DID.get(last.what, 'opened')}{_where(last)} on {day(last.at_ms)}, and no case, alert, "
            "dispatch or review explains it."
        )

    def several(_: int, marks: Sequence[Mark[Access]]) -> str | None:
        if len(marks) < limits.unexplained_views:
            return None
        last = marks[-1].value
        sources = sorted({mark.value.source for mark in marks if mark.value.source is not None})
        where = f" ({_few(sources)})" if sources else ""
        return (
            f"{person} looked {len(marks)} times within {limits.session_gap_ms // 3_600_000} hours, the last time "
            f"on {day(last.at_ms)}, at what no alert in their queue, dispatch or case explains{where}."
        )

    yield from patterns(Kind.UNEXPLAINED, person, originals, each, window_ms=1, earlier=earlier, until_ms=until_ms)
    yield from patterns(
        Kind.UNEXPLAINED, person, looks, several,
        window_ms=limits.session_gap_ms, earlier=earlier, until_ms=until_ms,
    )  # fmt: skip


_DID = {
    What.RELEASE_REQUEST: "asked for originals",
    What.RELEASE_TAKEN: "took originals",
    What.GLASS_BROKEN: "used the emergency rule",
    What.OPENINGS_TAKEN: "took openings of records",
}


def _where(access: Access) -> str:
    return f" of {access.source}" if access.source else ""


def day(at_ms: int) -> str:
    """``23 November 2026, 02:14`` in UTC, as sentences say it."""
    at = moment(at_ms)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def _few(names: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
