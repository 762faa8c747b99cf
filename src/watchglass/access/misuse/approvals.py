"""Two people who always agree: a custodian who never refuses one requester, two custodians who never refuse anything.

Saying yes is mostly right, so never saying no is not enough. It is a signal where others refuse so often that so many
yeses in a row are unlikely, or where the two answer within a minute and others take their time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from watchglass.access.misuse.facts import Approval
from watchglass.access.misuse.signal import Earlier, Kind, Mark, Signal, patterns
from watchglass.access.misuse.thresholds import Thresholds
from watchglass.core.time import DAY, SECOND

_FEWEST_OTHERS = 20
"""Fewer answers of others say more about chance than about how they answer."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What two people did about one request: whether it was a yes (of both), and how long it took (the second)."""

    pair: tuple[str, str]
    yes: bool
    took_ms: int
    at_ms: int


def always_approved(
    approvals: Sequence[Approval], limits: Thresholds, earlier: Earlier, until_ms: int
) -> Iterator[Signal]:
    """A custodian and a requester whom that custodian never refuses. ``person`` is the custodian."""
    answers = [
        (each.id, _Answer((each.approver, each.requester), each.approved, each.at_ms - each.asked_ms, each.at_ms))
        for each in approvals
    ]
    yield from _pairs(
        Kind.ALWAYS_APPROVED,
        answers,
        "{0} approved all {n} requests of {1}",
        "answered within",
        limits,
        earlier,
        until_ms,
    )


def approvers_agree(
    approvals: Sequence[Approval], limits: Thresholds, earlier: Earlier, until_ms: int
) -> Iterator[Signal]:
    """Two custodians who never refuse anything that both are asked. The evidence names the requests."""
    by_request: dict[str, list[Approval]] = defaultdict(list)
    for each in approvals:
        by_request[each.request].append(each)
    answers = []
    for request, given in by_request.items():
        given.sort(key=lambda each: (each.at_ms, each.id))
        for at, second in enumerate(given):
            for first in given[:at]:
                if first.approver != second.approver:
                    one, other = sorted((first.approver, second.approver))
                    yes, took = first.approved and second.approved, second.at_ms - first.at_ms
                    answers.append((request, _Answer((one, other), yes, took, second.at_ms)))
    yield from _pairs(
        Kind.APPROVERS_AGREE,
        answers,
        "{0} and {1} both approved all {n} requests that both answered",
        "the second answered the first within",
        limits,
        earlier,
        until_ms,
    )


def _pairs(
    kind: Kind,
    answers: Sequence[tuple[str, _Answer]],
    said: str,
    quick: str,
    limits: Thresholds,
    earlier: Earlier,
    until_ms: int,
) -> Iterator[Signal]:
    by_pair: dict[tuple[str, str], list[Mark[_Answer]]] = defaultdict(list)
    for name, answer in answers:
        by_pair[answer.pair].append(Mark(name, answer.at_ms, answer))
    window, everybody = limits.pair_window_ms, _Tally([answer for _, answer in answers], limits)
    for pair, marks in sorted(by_pair.items()):
        own = _Tally([mark.value for mark in marks], limits)

        def says(
            at_ms: int, found: Sequence[Mark[_Answer]], pair: tuple[str, str] = pair, own: _Tally = own
        ) -> str | None:
            n = len(found)
            if n < limits.pair_least or not all(mark.value.yes for mark in found):
                return None
            others = everybody.between(at_ms - window, at_ms).without(own.between(at_ms - window, at_ms))
            why = _unlike_others([mark.value for mark in found], others, quick, limits)
            return why and f"{said.format(*pair, n=n)} within {window // DAY} days, and {why}."

        yield from patterns(
            kind, pair[0], marks, says, window_ms=window, earlier=earlier, until_ms=until_ms, other=pair[1]
        )


@dataclass(frozen=True, slots=True)
class _Counts:
    """How many answers there were, how many of them refusals, how many hasty."""

    answers: int
    refused: int
    hasty: int

    def without(self, part: _Counts) -> _Counts:
        return _Counts(self.answers - part.answers, self.refused - part.refused, self.hasty - part.hasty)


class _Tally:
    """Answers in time, summed up so that any stretch is counted at once."""

    def __init__(self, answers: Sequence[_Answer], limits: Thresholds) -> None:
        in_time = sorted(answers, key=lambda answer: answer.at_ms)
        self._times = [answer.at_ms for answer in in_time]
        self._refused = list(accumulate((not answer.yes for answer in in_time), initial=0))
        self._hasty = list(accumulate((answer.took_ms <= limits.hasty_ms for answer in in_time), initial=0))

    def between(self, after_ms: int, until_ms: int) -> _Counts:
        first, last = bisect_right(self._times, after_ms), bisect_right(self._times, until_ms)
        return _Counts(last - first, self._refused[last] - self._refused[first], self._hasty[last] - self._hasty[first])


def _unlike_others(own: Sequence[_Answer], others: _Counts, quick: str, limits: Thresholds) -> str | None:
    if others.answers < _FEWEST_OTHERS:
        return None
    hasty = sum(answer.took_ms <= limits.hasty_ms for answer in own)
    if hasty >= limits.hasty_share * len(own) and 2 * others.hasty < limits.hasty_share * others.answers:
        seconds = limits.hasty_ms // SECOND
        return f"{quick} {seconds} seconds {hasty} times, which others did {others.hasty} of {others.answers} times"
    if (1 - others.refused / others.answers) ** len(own) < limits.pair_chance:
        return f"of {others.answers} other answers {others.refused} were a refusal"
    return None
