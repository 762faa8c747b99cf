"""The same place again and again: days with chosen accesses to one source, without a case or across cases.

One officer searched an ex-partner's plate 69 times. Here nobody can search for a plate or a person, only for a place
and a time; so what repeats is the source. Accesses that were not chosen (an alert in the queue, a dispatch) do not
count. Across cases a busy square repeats for everybody, so there it is a signal only where colleagues' cases do not
lead to that source so often: a binomial tail, with the colleagues' share of the source (add-one) as the chance.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from watchglass.access.misuse.explain import Explainer, day
from watchglass.access.misuse.facts import MOSAIC, ORIGINALS, Access
from watchglass.access.misuse.signal import Earlier, Kind, Mark, Signal, patterns
from watchglass.access.misuse.thresholds import Thresholds
from watchglass.core.time import DAY


@dataclass(frozen=True, slots=True)
class _Chosen:
    access: Access
    day: int
    case: str | None


class Chosen:
    """All accesses that people chose themselves, by person and source."""

    def __init__(self, explainer: Explainer, accesses: Sequence[Access]) -> None:
        self.marks: dict[str, dict[str, list[Mark[_Chosen]]]] = defaultdict(lambda: defaultdict(list))
        units: set[tuple[str, str, int, int]] = set()
        for access in accesses:
            judged = access.at_ms + explainer.thresholds.wait_ms
            if access.source is None or access.what not in MOSAIC | ORIGINALS or explainer.assigned(access, judged):
                continue
            case = explainer.case_of(access, judged)
            chosen = _Chosen(access, access.at_ms // DAY, None if case is None else case.id)
            self.marks[access.person][access.source].append(Mark(access.id, judged, chosen))
            if case is not None:
                units.add((access.person, access.source, chosen.day, judged))
        # a person's day at a source counts once, when its first access can be judged
        first: dict[tuple[str, str, int], int] = {}
        for person, source, number, judged in units:
            key = (person, source, number)
            first[key] = min(judged, first.get(key, judged))
        self._when: dict[tuple[str, str], list[int]] = defaultdict(list)
        for (person, source, _), judged in sorted(first.items(), key=lambda item: item[1]):
            self._when[person, source].append(judged)

    def chance(self, person: str, source: str, from_ms: int, until_ms: int) -> float:
        """How likely so many of a person's days with a case lead to ``source``, chosen as colleagues choose."""
        own, own_here, others, others_here = 0, 0, 0, 0
        sources = set()
        for (who, where), when in self._when.items():
            count = bisect_right(when, until_ms) - bisect_left(when, from_ms)
            if not count:
                continue
            sources.add(where)
            here = count if where == source else 0
            if who == person:
                own, own_here = own + count, own_here + here
            else:
                others, others_here = others + count, others_here + here
        share = (others_here + 1) / (others + max(2, len(sources)))
        return tail(own_here, own, share)


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
        return (
            f"{person} looked at {source} on {len(bare)} days within {limits.repeat_window_ms // DAY} that no case, "
            f"alert or dispatch explains, the last time on {last}."
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
    if chosen.chance(person, source, at_ms - limits.across_window_ms, at_ms) >= limits.across_chance:
        return None
    return (
        f"{person} looked at {source} on {len(days)} days within {window}, over {len(by_case)} cases, the last time on "
        f"{last}; colleagues' cases lead there far less often."
    )


def _within(mark: Mark[_Chosen], at_ms: int, limits: Thresholds) -> bool:
    return mark.judged_ms > at_ms - limits.repeat_window_ms
