"""How people judge, measured on checks whose answer is known, and where two people judged the same incident.

It is about conditions first: does anybody still say no when much waits, or in the seventh hour? Then about each
person, who alone sees their own figures; of a group only what several people together show.

What cannot be told apart from not looking is named as such: always the same answer, or answers that have nothing to do
with what was shown. Nothing below that is a judgement about anybody: few checks show little, and every figure says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeVar

from watchglass.core.time import HOUR
from watchglass.review.frequency import Frequency
from watchglass.review.model import VerdictValue
from watchglass.statistics.agreement import Agreement, agreement

GROUP: Final = 5
"""Fewer people's figures are never shown together: each could tell the others'."""
REST_MS: Final = 6 * HOUR
"""A shift begins with the first verdict after so long a pause."""
FEWEST: Final = 10
"""Below this many checks no share is shown."""
FEWEST_OF_EACH: Final = 4
"""Before it is said that answers have nothing to do with what was shown, so many of both kinds were answered."""
_End = TypeVar("_End", int, int | None)
_SURE: Final = 0.05
_ALWAYS: Final = 0.95

HOURS: Final = ((0, 2), (2, 4), (4, 6), (6, 24))
"""Hours of a shift, from and before."""
LENGTHS: Final = ((1, 1), (2, 4), (5, 9), (10, None))
"""How many alerts waited, this one among them: from and to."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A check that somebody answered.

    Attributes:
        account: who did. shift_ms: since their shift began. waiting: how many alerts waited, this one among them.
    """

    account: int
    truth: VerdictValue
    value: VerdictValue
    at_ms: int
    shift_ms: int
    waiting: int

    @property
    def right(self) -> bool:
        return self.value is self.truth


class Pattern(StrEnum):
    """What answers look like when nobody looks."""

    ALWAYS_CONFIRM = "always-confirm"
    ALWAYS_REJECT = "always-reject"
    ALWAYS_UNSURE = "always-unsure"
    CHANCE = "chance"


@dataclass(frozen=True, slots=True)
class Condition:
    """Checks answered under one condition.

    Attributes:
        what: the condition in words. right: how many of all were answered right.
        wrong_confirmed: how many of those that were wrong were confirmed all the same.
    """

    what: str
    right: Frequency
    wrong_confirmed: Frequency


@dataclass(frozen=True, slots=True)
class Figures:
    """What checks and second judgements show.

    Attributes:
        people: how many people's answers these are.
        real_confirmed, wrong_confirmed: of the checks that were real, or not, how many were confirmed.
        pattern: what the answers cannot be told apart from; None where they can.
        agreement: how far those who judged the same incidents agree, beyond chance; twice: in how many they said the
            same.
    """

    people: int
    right: Frequency
    real_confirmed: Frequency
    wrong_confirmed: Frequency
    by_hour: tuple[Condition, ...]
    by_length: tuple[Condition, ...]
    pattern: Pattern | None
    agreement: Agreement
    twice: Frequency


def figures(
    answers: Sequence[Answer], pairs: Sequence[tuple[VerdictValue, VerdictValue]], *, people: int | None = None
) -> Figures:
    """The figures of these checks, and of incidents that two people judged (the first's value, the second's)."""
    real = [each for each in answers if each.truth is VerdictValue.CONFIRM]
    return Figures(
        len({each.account for each in answers}) if people is None else people,
        _right(answers),
        Frequency(_confirmed(real), len(real), "checks that were real", "were confirmed", FEWEST),
        _wrong_confirmed(answers),
        tuple(_condition(_hours_words(*span), _within_hours(answers, *span)) for span in HOURS),
        tuple(_condition(_length_words(*span), _of_length(answers, *span)) for span in LENGTHS),
        pattern(answers),
        agreement(pairs, seed=0),
        Frequency(sum(one is other for one, other in pairs), len(pairs), "alerts that two judged", "were judged alike"),
    )


def together(
    answers: Sequence[Answer], pairs: Sequence[tuple[VerdictValue, VerdictValue]], *, judges: int
) -> Figures | None:
    """The figures of a group; None where fewer than ``GROUP`` people answered, for each could be told from the rest.

    That holds for each figure by itself: what fewer people answered under a condition, or judged twice, is left out. A
    group has no pattern: that is one person's, and theirs alone to see.

    Args:
        judges: how many people gave ``pairs``.
    """
    if _people(answers) < GROUP:
        return None
    real = [each for each in answers if each.truth is VerdictValue.CONFIRM]
    other = [each for each in answers if each.truth is VerdictValue.REJECT]
    made = figures(answers, pairs if judges >= GROUP else ())
    return replace(
        made,
        real_confirmed=made.real_confirmed if _people(real) >= GROUP else _left_out(made.real_confirmed),
        wrong_confirmed=made.wrong_confirmed if _people(other) >= GROUP else _left_out(made.wrong_confirmed),
        by_hour=tuple(_shown(answers, HOURS, _within_hours, _hours_words)),
        by_length=tuple(_shown(answers, LENGTHS, _of_length, _length_words)),
        pattern=None,
        twice=made.twice if judges >= GROUP else _left_out(made.twice),
    )


def _people(answers: Iterable[Answer]) -> int:
    return len({each.account for each in answers})


def _left_out(frequency: Frequency) -> Frequency:
    """Nothing of it, because it is of too few people."""
    return replace(frequency, k=0, n=0, of=f"{frequency.of} (of {GROUP} people or more)")


def _shown(
    answers: Sequence[Answer],
    spans: Iterable[tuple[int, _End]],
    within: Callable[[Sequence[Answer], int, _End], list[Answer]],
    words: Callable[[int, _End], str],
) -> Iterator[Condition]:
    """The conditions under which enough people answered, and of those that were not real, enough or nobody."""
    for span in spans:
        some = within(answers, *span)
        if _people(some) < GROUP:
            continue
        made = _condition(words(*span), some)
        few = _people(each for each in some if each.truth is VerdictValue.REJECT) < GROUP
        yield replace(made, wrong_confirmed=_left_out(made.wrong_confirmed)) if few else made


def pattern(answers: Sequence[Answer]) -> Pattern | None:
    """What the answers cannot be told apart from.

    Always the same: at least 95 of 100, of both kinds of checks. Chance: checks that were real are not confirmed more
    often than the others, by Fisher's exact test (one-sided, 5 %) over "confirmed" against the truth.
    """
    real = [each for each in answers if each.truth is VerdictValue.CONFIRM]
    other = [each for each in answers if each.truth is not VerdictValue.CONFIRM]
    if len(answers) < FEWEST or min(len(real), len(other)) < FEWEST_OF_EACH:
        return None
    for value, found in (
        (VerdictValue.CONFIRM, Pattern.ALWAYS_CONFIRM),
        (VerdictValue.REJECT, Pattern.ALWAYS_REJECT),
        (VerdictValue.UNSURE, Pattern.ALWAYS_UNSURE),
    ):
        if all(sum(each.value is value for each in kind) >= _ALWAYS * len(kind) for kind in (real, other)):
            return found
    chance = fisher(_confirmed(real), len(real), _confirmed(other), len(other))
    return Pattern.CHANCE if chance > _SURE else None


def fisher(k: int, n: int, other_k: int, other_n: int) -> float:
    """How likely at least ``k`` of ``n`` are, were both shares alike (R. A. Fisher, 1935; hypergeometric tail)."""
    together_k, whole = k + other_k, n + other_n
    ways = math.comb(whole, together_k)
    most = min(n, together_k)
    return sum(math.comb(n, i) * math.comb(other_n, together_k - i) for i in range(k, most + 1)) / ways


def shift_of(times_ms: Iterable[int], at_ms: int) -> int:
    """How long a person had been at work at ``at_ms``, from when they gave verdicts (that one's among them)."""
    begun = before = None
    for time in sorted(times_ms):
        if time > at_ms:
            break
        if before is None or time - before > REST_MS:
            begun = time
        before = time
    return 0 if begun is None else at_ms - begun


def _confirmed(answers: Iterable[Answer]) -> int:
    return sum(each.value is VerdictValue.CONFIRM for each in answers)


def _right(answers: Sequence[Answer]) -> Frequency:
    return Frequency(sum(each.right for each in answers), len(answers), "checks", "were answered right", FEWEST)


def _wrong_confirmed(answers: Sequence[Answer]) -> Frequency:
    wrong = [each for each in answers if each.truth is VerdictValue.REJECT]
    return Frequency(_confirmed(wrong), len(wrong), "checks that were not real", "were confirmed all the same", FEWEST)


def _condition(what: str, answers: Sequence[Answer]) -> Condition:
    return Condition(what, _right(answers), _wrong_confirmed(answers))


def _within_hours(answers: Sequence[Answer], begin: int, end: int) -> list[Answer]:
    return [each for each in answers if begin * HOUR <= each.shift_ms < end * HOUR]


def _of_length(answers: Sequence[Answer], least: int, most: int | None) -> list[Answer]:
    return [each for each in answers if least <= each.waiting and (most is None or each.waiting <= most)]


def _hours_words(begin: int, end: int) -> str:
    return f"after {begin} hours of a shift" if end == HOURS[-1][1] else f"in hours {begin + 1} and {end} of a shift"


def _length_words(least: int, most: int | None) -> str:
    if most is None:
        return f"while {least} or more waited"
    return "while nothing else waited" if most == 1 else f"while {least} to {most} waited"
