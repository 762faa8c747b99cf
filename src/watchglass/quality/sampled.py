"""What samples tell of what was missed: among near-misses with known chances, and in moments drawn whatever they show.

Each near-miss was drawn with a known chance, and whether it was drawn had nothing to do with what a person would see.
So within a band those that were looked at stand for the others: each for as many as there are for one (Horvitz and
Thompson, JASA 47 (1952), 663-685, with the share that was really drawn, which is surer than the one that was meant).
Intervals are design-based: the only chance in them is the draw, and no model of what near-misses are like. They are
exact in each band and are added up at alpha over the number of bands (Bonferroni), so that all hold together.

What nobody could tell, or nobody looked at in time, is the worst case: none of it where the least is asked for, all of
it where the most is. None of this speaks of what never came near a threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from watchglass.core.errors import BadInput
from watchglass.statistics.hypergeometric import marked_among
from watchglass.statistics.intervals import ALPHA, garwood, rule_of_three

FEWEST: Final = 20
"""So many must have been looked at before a number is given, where a charter does not say."""
WEEK_S: Final = 7 * 24 * 3600

Band = Literal["near", "very_near"]


@dataclass(frozen=True, slots=True)
class Stratum:
    """Near-misses that were drawn with one chance.

    Attributes:
        below: the chance, in thousand-millionths. counted: how many there were, drawn or not.
        yes, no: what people said of those that were drawn. unclear: they could not tell, or nobody looked in time.
        waiting: those that are not looked at yet; in what order they are is drawn too.
    """

    band: Band
    below: int
    counted: int
    yes: int
    no: int
    unclear: int
    waiting: int = 0

    def __post_init__(self) -> None:
        if min(self.counted, self.yes, self.no, self.unclear, self.waiting) < 0 or self.taken > self.counted:
            raise BadInput("More was drawn than there was.", fix="Count every near-miss, drawn or not.")

    @property
    def closed(self) -> int:
        """How many are settled, whatever came of it."""
        return self.yes + self.no + self.unclear

    @property
    def taken(self) -> int:
        """How many were drawn."""
        return self.closed + self.waiting


@dataclass(frozen=True, slots=True)
class Missed:
    """How many incidents there were among near-misses: about ``point``, between ``low`` and ``high`` with 1 - alpha."""

    point: float
    low: int
    high: int


def missed_near(strata: Sequence[Stratum], fewest: int = FEWEST, alpha: float = ALPHA) -> Missed | None:
    """How many of all near-misses were incidents; None while too few were looked at, or of one band none was."""
    some = [each for each in strata if each.counted]
    if not some or sum(each.yes + each.no for each in some) < fewest or any(not each.closed for each in some):
        return None
    point, low, high = 0.0, 0, 0
    for each in some:
        point += each.counted * each.yes / max(1, each.yes + each.no)
        low += marked_among(each.yes, each.closed, each.counted, alpha / len(some))[0]
        high += marked_among(each.yes + each.unclear, each.closed, each.counted, alpha / len(some))[1]
    return Missed(min(max(point, low), high), low, high)


def horvitz_thompson(strata: Sequence[Stratum]) -> float:
    """The plain estimate by the chances that were meant: unbiased, and less sure than ``missed_near``'s point."""
    return sum(each.yes * 1_000_000_000 / each.below for each in strata)


def noticed_at_most(right: int, missed: Missed) -> float | None:
    """Of the incidents that came near its threshold or over it, at most this share gave an alert.

    At most, for there may be others that came near nothing; None where no miss is established, or no alert was right.

    Args:
        right: how many alerts people found to be right in the same time.
    """
    return right / (right + missed.low) if right and missed.low else None


@dataclass(frozen=True, slots=True)
class Quiet:
    """Moments that were drawn whatever was in the picture. ``seconds``: of all that were settled."""

    yes: int
    no: int
    unclear: int
    seconds: float


def missed_a_week(quiet: Quiet, alpha: float = ALPHA) -> tuple[float, float] | None:
    """Between how many and how many incidents a camera-week were missed; None where nothing was looked at.

    Where nothing was found only the upper end says anything (the rule of three); else Garwood's interval, whose upper
    end takes what nobody could tell for an incident.
    """
    weeks = quiet.seconds / WEEK_S
    if weeks <= 0:
        return None
    if not quiet.yes and not quiet.unclear:
        return 0.0, rule_of_three(weeks, alpha)
    low = garwood(quiet.yes, alpha)[0]
    return low / weeks, garwood(quiet.yes + quiet.unclear, alpha)[1] / weeks
