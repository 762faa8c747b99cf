"""How far readers agree beyond chance: Krippendorff's alpha for names without an order, with its interval.

K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), https://repository.upenn.edu/asc_papers/43, and
Content Analysis (4th edition, 2018), chapter 12. It is 1 where readers always agree, 0 where they agree as often as
draws from all their values would, and below 0 where they disagree systematically. Any number of readers may have read
each unit; a unit that one alone has read tells nothing and is left out.

The interval draws whole units with replacement and takes the 2.5 % and 97.5 % points (Zapf, Castell, Morawietz and
Karch, "Measuring inter-rater reliability for nominal data", BMC Medical Research Methodology 16 (2016), 93). With few
units it is too short, so none is shown below ``FEWEST``.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FEWEST: Final = 20
"""Fewer units read twice say more about chance than about readers."""

DRAWS: Final = 2000
_TWO: Final = 2
_ENDS: Final = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far readers agree.

    Attributes:
        value: alpha; None where it is not defined: nothing was read twice, or only one value was ever given.
        low, high: its 95 % interval; None where there are too few units, or alpha is not defined.
        units: how many were read by two or more.
    """

    value: float | None
    low: float | None
    high: float | None
    units: int

    @property
    def enough(self) -> bool:
        """Whether it may be shown."""
        return self.low is not None


def agreement(units: Sequence[Sequence[Hashable]], *, seed: int, draws: int = DRAWS, fewest: int = FEWEST) -> Agreement:
    """Krippendorff's alpha of what readers gave to each unit, with its interval.

    Args:
        units: the values that each unit was given, one for each reader who read it, in any order.
        seed: of the draws; the same seed gives the same interval.
        draws: how many times the units are drawn again.
        fewest: below so many units no interval is given.
    """
    counts = _counts(units)
    value = krippendorff(counts)
    if value is None or len(counts) < fewest:
        return Agreement(value, None, None, len(counts))
    dice = np.random.default_rng(seed)
    again = dice.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=draws).astype(np.float64)
    values = _alphas(counts, again)
    low, high = np.percentile(values, _ENDS)
    return Agreement(value, float(low), float(high), len(counts))


def krippendorff(counts: NDArray[np.float64]) -> float | None:
    """Alpha of a table of counts: how many readers gave unit u the value c, (units, values), each row two or more.

    Returns:
        None where alpha is not defined: there is no row, or only one value.
    """
    if not counts.size or (counts.sum(0) > 0).sum() < _TWO:
        return None
    return float(_alphas(counts, np.ones((1, len(counts))))[0])


def _alphas(counts: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - observed over expected disagreement, for each row of how many times each unit is taken, (draws, units).

    Where a draw has one value only nobody disagreed: 1.
    """
    sizes = counts.sum(1)
    unlike = (sizes**2 - (counts**2).sum(1)) / (sizes - 1)
    totals = times @ counts
    all_values = totals.sum(1)
    expected = (all_values**2 - (totals**2).sum(1)) / (all_values - 1)
    observed = times @ unlike
    apart = np.divide(observed, expected, out=np.zeros_like(observed), where=expected > 0)
    return np.asarray(1 - apart, np.float64)


def _counts(units: Sequence[Sequence[Hashable]]) -> NDArray[np.float64]:
    """How many readers gave each unit each value; units that fewer than two have read are left out."""
    read = [unit for unit in units if len(unit) >= _TWO]
    places: dict[Hashable, int] = {}
    for unit in read:
        for value in unit:
            places.setdefault(value, len(places))
    table = np.zeros((len(read), len(places)))
    for row, unit in enumerate(read):
        for value in unit:
            table[row, places[value]] += 1
    return table
