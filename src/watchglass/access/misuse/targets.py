"""The same place again and again: days with chosen accesses to one source, without a case or across cases.

One officer searched an ex-partner's plate 69 times. Here nobody can search for a plate or a person, only for a place
and a time; so what repeats is the source. Accesses that were not chosen (an alert in the queue, a dispatch) do not
count. A busy square repeats for everybody, so it is a signal only where that is unlikely: a binomial tail, with the
colleagues' share of such choices, or the source's share of alerts if that is more, as the chance of one choice.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from watchglass.access.misuse.explain import Explainer, day
from watchglass.access.misuse.facts import MOSAIC, ORIGINALS, Access, Facts
from watchglass.access.misuse.signal import Earlier, Kind, Mark, Signal, patterns
from watchglass.access.misuse.thresholds import Thresholds
from watchglass.core.time import DAY


@dataclass(frozen=True, slots=True)
class _Chosen:
    access: Access
    day: int
    case: str | None


class Chosen:
    """All accesses that people chose themselves, by person and source, and how often whose choice fell on what.

    What is compared are independent choices: a case that leads to a source counts once, however many days it takes;
    without a case a day counts once.
    """

    def __init__(self, explainer: Explainer, facts: Facts) -> None:
        self.marks: dict[str, dict[str, list[Mark[_Chosen]]]] = defaultdict(lambda: defaultdict(list))
        choices: dict[tuple[str, str, str | int], int] = {}
        for access in facts.accesses:
            judged = access.at_ms + explainer.thresholds.wait_ms
            if access.source is None or access.what not in MOSAIC | ORIGINALS or explainer.assigned(access, judged):
                continue
            case = explainer.case_of(access, judged)
            chosen = _Chosen(access, access.at_ms // DAY, None if case is None else case.id)
            self.marks[access.person][access.source].append(Mark(access.id, judged, chosen))
            choice = access.person, access.source, chosen.day if case is None else case.id
            choices[choice] = min(judged, choices.get(choice, judged))
        self._made: dict[tuple[bool, str, str], list[int]] = defaultdict(list)
        for (person, source, what), judged in choices.items():
            self._made[isinstance(what, str), person, source].append(judged)
        self._raised: dict[str, list[int]] = defaultdict(list)
        for incident in facts.incidents:
            if not incident.again:
                self._raised[incident.source].append(incident.raised_ms)
        for times in (*self._made.values(), *self._raised.values()):
            times.sort()

    def chance(self, person: str, source: str, from_ms: int, until_ms: int, *, for_cases: bool) -> float:
        """How likely it is that so many of a person's choices fall on ``source``, if it is as usual a choice for them.

        How usual it is: the colleagues' share of choices (add-one), or the source's share of alerts if that is more.
        """
        own, own_here, others, others_here = 0, 0, 0, 0
        sources = set()
        for (cased, who, where), made in self._made.items():
            count = _between(made, from_ms, until_ms) if cased is for_cases else 0
            if not count:
                continue
            sources.add(where)
            here = count if where == source else 0
            if who == person:
                own, own_here = own + count, own_here + here
            else:
                others, others_here = others + count, others_here + here
        share = (others_here + 1) / (others + max(2, len(sources)))
        alerts = sum(_between(raised, from_ms, until_ms) for raised in self._raised.values())
        if alerts:
            share = max(share, _between(self._raised.get(source, []), from_ms, until_ms) / alerts)
        return tail(own_here, own, share)


def _between(times: list[int], from_ms: int, until_ms: int) -> int:
    return bisect_right(times, until_ms) - bisect_left(times, from_ms)


def tail(k: int, n: int, share: float) -> float:
    """The chance of ``k`` or more of ``n``, each with chance ``share``, independently (binomial)."""
    return math.fsum(math.comb(n, each) * share**each * (1 - share) ** (n - each) for each in range(k, n + 1))


def repeated_target(
    chosen: Chosen, person: str, limits: Thresholds, earlier: Earlier, until_ms: int
) -> Iterator[Signal]:
    """Signals of one person, source by source."""
    sources: Mapping[str, list[Mark[_Chosen]]] = chosen.marks.get(person, {})
    for source in sorted(sources):

        def says(at_ms: int, marks: Sequence[Mark[_Chosen]], source: str = source) -> str | None:
            return _says(chosen, person, source, at_ms, marks, limits)

        yield from patterns(
            Kind.REPEATED_TARGET, person, sources[source], says,
            window_ms=max(limits.across_window_ms, limits.repeat_window_ms), earlier=earlier, until_ms=until_ms,
        )  # fmt: skip


def _says(
    chosen: Chosen, person: str, source: str, at_ms: int, marks: Sequence[Mark[_Chosen]], limits: Thresholds
) -> str | None:
    last = day(marks[-1].value.access.at_ms)
    bare = {mark.value.day for mark in marks if mark.value.case is None and _within(mark, at_ms, limits)}
    if len(bare) >= limits.repeat_days:
        from_ms = at_ms - limits.repeat_window_ms
        if chosen.chance(person, source, from_ms, at_ms, for_cases=False) < limits.repeat_chance:
            return (
                f"{person} looked at {source} on {len(bare)} days within {limits.repeat_window_ms // DAY} that no "
                f"case, alert or dispatch explains, the last time on {last}; by chance that hardly happens."
            )
    days = {mark.value.day for mark in marks}
    by_case: dict[str, set[int]] = defaultdict(set)
    for mark in marks:
        if mark.value.case is not None:
            by_case[mark.value.case].add(mark.value.day)
    window = limits.across_window_ms // DAY
    longest = max(by_case, key=lambda case: (len(by_case[case]), case), default=None)
    if longest is not None and len(by_case[longest]) >= limits.one_case_days:
        return (
            f"{person} looked at {source} on {len(by_case[longest])} days within {window} for the one case {longest}, "
            f"the last time on {last}."
        )
    if len(days) < limits.across_days or len(by_case) < limits.across_cases:
        return None
    from_ms = at_ms - limits.across_window_ms
    if chosen.chance(person, source, from_ms, at_ms, for_cases=True) >= limits.across_chance:
        return None
    return (
        f"{person} looked at {source} on {len(days)} days within {window}, over {len(by_case)} cases, the last time on "
        f"{last}; colleagues' cases lead there far less often."
    )


def _within(mark: Mark[_Chosen], at_ms: int, limits: Thresholds) -> bool:
    return mark.judged_ms > at_ms - limits.repeat_window_ms
