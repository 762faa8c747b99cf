"""Reviewers who do not look, simulated: with what delay seeded checks and the limits find each.

One reviewer reads every alert of an analytic that keeps its limits. The numbers are those of the example charter:
``safeguards.review`` and ``quality``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from watchglass.quality.drawn import Bools, Whole, crossed_at
from watchglass.statistics.power import boundary

WEEKS_A_MONTH: Final = 365.25 / 12 / 7


@dataclass(frozen=True, slots=True)
class Rules:
    """What the charter says, and what is taken to be true.

    Attributes:
        alerts_a_week: of the analytic.
        right: how large a share of its alerts truly is right.
        precision: thousandths that must be right, undecided: that may stay without an answer.
        alpha: of each of the charter's limits. checks_alpha: of the question whether a reviewer reads at all.
        share: of alerts that are seeded checks. at_least: checks in a reviewer's month.
        careless: thousandths of checks answered wrongly beyond which a reviewer is told of.
        slips: how often a careful reviewer answers a check wrongly.
    """

    alerts_a_week: float = 20.0
    right: float = 0.8
    precision: int = 600
    undecided: int = 200
    alpha: float = 0.05 / 4
    checks_alpha: float = 0.05
    share: float = 0.02
    at_least: int = 10
    careless: int = 200
    slips: float = 0.05

    @property
    def checks_a_week(self) -> float:
        """Seeded checks in a week: the share, or the minimum where that is more."""
        return max(self.share * self.alerts_a_week, self.at_least / WEEKS_A_MONTH)


RULES: Final = Rules()
_HABITS: Final = {
    "always_confirm": (1.0, 0.0),
    "always_reject": (0.0, 0.0),
    "always_unsure": (0.0, 1.0),
    "coin": (0.5, 0.0),
}
"""Habit -> (chance to confirm, chance to say unsure), whatever is shown."""
CAREFUL: Final = "careful"
HABITS: Final = (*_HABITS, CAREFUL)


@dataclass(frozen=True, slots=True)
class Found:
    """When one habit is found, (runs,) each; 0: not.

    Attributes:
        checks: after how many seeded checks.
        precision: after how many final alerts the precision limit suspends.
        undecided: after how many the limit on open and unsure alerts does.
    """

    checks: Whole
    precision: Whole
    undecided: Whole


def found(dice: np.random.Generator, habit: str, rules: Rules, runs: int, *, checks: int, alerts: int) -> Found:
    """One habit, simulated: half of the checks are known to be right.

    Args:
        dice: where chance comes from.
        habit: one of ``HABITS``.
        rules: the charter's numbers.
        runs: how many histories.
        checks: for how many checks it is watched.
        alerts: for how many alerts.
    """
    known = dice.random((runs, checks)) < 0.5  # noqa: PLR2004 (half of the checks are right)
    confirms, unsure = _answers(dice, habit, rules, known)
    truth = dice.random((runs, alerts)) < rules.right
    confirmed, open_ = _answers(dice, habit, rules, truth)
    return Found(
        crossed_at((confirms != known) | unsure, boundary(rules.careless, rules.checks_alpha, checks)),
        crossed_at(~confirmed | open_, boundary(1000 - rules.precision, rules.alpha, alerts)),
        crossed_at(open_, boundary(rules.undecided, rules.alpha, alerts)),
    )


def _answers(dice: np.random.Generator, habit: str, rules: Rules, truth: Bools) -> tuple[Bools, Bools]:
    """Whether each is confirmed, and whether it is left unsure."""
    chance = dice.random(truth.shape)
    if habit == CAREFUL:
        return truth ^ (chance < rules.slips), np.zeros_like(truth)
    confirm, unsure = _HABITS[habit]
    return chance < confirm, dice.random(truth.shape) < unsure
