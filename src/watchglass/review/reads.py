"""Who judges an alert besides the first: whether another person does, whether a third must, and what is made of it.

Nobody can pick. Whether a first verdict is followed by another person's is drawn in the moment in which it is given,
and what was drawn is committed to in its record. Where a reviewer's verdicts of a month are drawn too seldom for the
charter's minimum, the chance is raised in steps; what it was stands in the record too.

Whoever judges second or third sees an alert like any other and learns of no verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Final

from watchglass.charter.reviewing import Review
from watchglass.core.errors import BadInput
from watchglass.core.time import HOUR, millis, moment
from watchglass.review.model import VerdictValue

WHOLE: Final = 1_000_000
"""What is drawn is a whole number below this."""
_EARLY: Final = Fraction(1, 10)
"""By so much of a month a minimum is to be reached before the month ends."""
_BEHIND: Final = 2
ALIKE_MS: Final = 4 * HOUR
"""How far the hour of the day may differ at which an incident is shown again: the light in the picture would tell."""


class Why(StrEnum):
    """Why an incident is put before people again."""

    SECOND = "second"
    THIRD = "third"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Draw:
    """What was drawn with a first verdict: a second one follows where ``number`` is below ``below``."""

    number: int
    below: int

    def __post_init__(self) -> None:
        if not (0 <= self.number < WHOLE and 0 <= self.below <= WHOLE):
            raise BadInput("That was not drawn here.", fix=f"Draw a whole number below {WHOLE:,}.")

    @property
    def second(self) -> bool:
        """Whether another person judges it too."""
        return self.number < self.below


def chance(review: Review, drawn_before: int, now_ms: int) -> int:
    """The chance of a second judgement for the verdict that this reviewer gives now, in millionths.

    Args:
        drawn_before: how many of the reviewer's first verdicts of this calendar month (UTC) were drawn.
    """
    if review.second_read is None:
        return 0
    share = review.second_read * 1000
    behind = owed(review.second_read_at_least_per_reviewer_month, now_ms) - drawn_before
    if behind <= 0:
        return share
    return WHOLE if behind >= _BEHIND else max(share, WHOLE // 2)


def owed(at_least: int, now_ms: int) -> int:
    """How many of a month's minimum should be there by now: in proportion, and all of them a tenth before its end."""
    begin, end = month_around(now_ms)
    passed = min(Fraction(1), Fraction(now_ms - begin, end - begin) + _EARLY)
    return -(-at_least * passed.numerator // passed.denominator)


def month_around(now_ms: int) -> tuple[int, int]:
    """Beginning and end of the calendar month (UTC)."""
    at = moment(now_ms)
    after = (at.year + at.month // 12, at.month % 12 + 1)
    return tuple(  # type: ignore[return-value]  # two of them
        millis(datetime(year, month, 1, tzinfo=UTC)) for year, month in ((at.year, at.month), after)
    )


def alike(one_ms: int, other_ms: int) -> bool:
    """Whether two moments are at about the same hour of the day."""
    apart = abs(one_ms - other_ms) % (24 * HOUR)
    return min(apart, 24 * HOUR - apart) <= ALIKE_MS


@dataclass(frozen=True, slots=True)
class Judged:
    """The standing verdicts of one incident that can no longer be taken back, in their order."""

    first: VerdictValue
    second: VerdictValue | None = None
    third: VerdictValue | None = None

    @property
    def differ(self) -> bool:
        """Whether the first two do not agree, so that a third person judges."""
        return self.second not in (None, self.first)

    @property
    def value(self) -> VerdictValue:
        """What is made of them: what the first two agree on, else what the third person says; without one unsure."""
        if not self.differ:
            return self.first
        return self.third or VerdictValue.UNSURE

    @property
    def settled(self) -> bool:
        """Whether no further judgement is owed, where a second one was drawn."""
        return self.second is not None and (not self.differ or self.third is not None)

    @property
    def tell(self) -> bool:
        """Whether somebody must look at it now: what was handed over is doubted, or what was not is confirmed."""
        confirm = VerdictValue.CONFIRM
        return (self.first is confirm and self.second is VerdictValue.REJECT) or (
            self.first is not confirm and self.second is confirm
        )
