"""How soon each limit of a charter would notice, and how soon trust can be earned: reckoned, not measured.

Always for a detector twice as bad as its limit, at the rate of alerts that the charter expects; see
``statistics.power`` for what *typical* means there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from watchglass.charter.limits import LimitName, Quality, QualityLimits
from watchglass.core.time import DAY
from watchglass.statistics.power import (
    alerts_to_earn_trust,
    alerts_to_notice,
    alerts_to_notice_disparity,
    twice_as_bad,
    weeks,
    weeks_to_notice_count,
)

_WRONG: Final = 200
"""Thousandths of alerts that are taken to be wrong where no precision is asked for."""
_MOST_WRONG: Final = 500
"""Of two strata together; so that the worse of them is not wrong more than always."""


@dataclass(frozen=True, slots=True)
class Reckoned:
    """How soon one limit notices.

    Attributes:
        limit: which, of ``analytic``.
        bad: how bad the detector is taken to be, in thousandths, as the test takes it; twice the limit where that
            can be. For a disparity: how many thousandths as often it is wrong in one stratum as in the other.
        alerts: after how many final alerts (staged drills for recall); None where never, or where time alone counts.
        weeks: after how many weeks; None where never.
    """

    analytic: str
    limit: LimitName
    bad: int
    alerts: int | None
    weeks: float | None


@dataclass(frozen=True, slots=True)
class Trust:
    """How soon an analytic on trial has shown that it keeps its precision, if it is wrong half as often as it may be.

    Attributes:
        good: thousandths of its alerts that are wrong.
        alerts, weeks: after how many final alerts and weeks; None where never.
        trial_weeks: how long the trial lasts.
    """

    analytic: str
    good: int
    alerts: int | None
    weeks: float | None
    trial_weeks: float


@cache
def notices(quality: Quality) -> tuple[Reckoned, ...]:
    """For each stated limit, in the order of the file, how soon it notices."""
    return tuple(_reckon(limits, limit, quality.alpha_each) for limits in quality.limits for limit in limits.stated)


@cache
def trusts(quality: Quality) -> tuple[Trust, ...]:
    """For each analytic that begins on trial, how soon it can have earned trust."""
    return tuple(_trusts(quality))


def wrong_together(limits: QualityLimits) -> int:
    """Thousandths of alerts that are taken to be wrong, day and night together, when a disparity is reckoned with."""
    stated = limits.precision_at_least is not None
    return min(_MOST_WRONG, limits.tested("precision_at_least")) if stated else _WRONG


def _trusts(quality: Quality) -> Iterator[Trust]:
    for limits in quality.limits:
        if limits.precision_at_least is None or limits.trial_ms is None:
            continue
        tested = limits.tested("precision_at_least")
        needed = alerts_to_earn_trust(tested, tested / 2000, quality.alpha / 1000)
        yield Trust(
            limits.name,
            tested // 2,
            needed,
            weeks(needed, limits.expected_alerts_per_week),
            limits.trial_ms / (7 * DAY),
        )


def _reckon(limits: QualityLimits, limit: LimitName, alpha: float) -> Reckoned:
    tested = limits.tested(limit)
    match limit:
        case "false_alerts_per_week":
            bad = 2 * tested
            return Reckoned(limits.name, limit, bad, None, weeks_to_notice_count(tested, bad / 1000, alpha))
        case "disparity_at_most":
            bad = 2 * tested
            less = 2 * wrong_together(limits) / 1000 / (1 + bad / 1000)
            found = alerts_to_notice_disparity(tested, (less, less * bad / 1000), alpha)
        case _:
            bad = twice_as_bad(tested)
            found = _share(tested, alpha)
    if limit == "recall_at_least":
        return Reckoned(limits.name, limit, bad, found, None)
    return Reckoned(limits.name, limit, bad, found, weeks(found, limits.expected_alerts_per_week))


def _share(tested: int, alpha: float) -> int | None:
    return alerts_to_notice(tested, twice_as_bad(tested) / 1000, alpha)
