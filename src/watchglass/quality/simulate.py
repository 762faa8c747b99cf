"""What the limits do, by simulation: how often they are unjust, how soon they notice, and what the naive ways would do.

Every figure has an interval and the number of histories behind it. Where outcomes are independent the same chances also
follow exactly from the counts (``statistics.power.crossings``); notes say them beside.

Wrong alerts are settled at once and right ones twenty alerts later, as in a control room where a rejection is a click
and a confirmation waits for whoever went there. Tests are fed in alert order and looked at after every alert.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from watchglass.quality import drawn
from watchglass.quality.drawn_days import SEEN, false_warnings, noticed_after
from watchglass.quality.drift import NORMAL, RUN_LENGTH
from watchglass.quality.reviewers import CAREFUL, HABITS, RULES, found
from watchglass.statistics.evalues import threshold
from watchglass.statistics.intervals import garwood, wilson
from watchglass.statistics.power import boundary, crossings, median_alerts

Figure = dict[str, Any]
Say = Callable[[str], None]

ALPHA: Final = 0.05
LIMITS: Final = (50, 200, 400)
LATE: Final = 20
SEED: Final = 7
LOOK_EVERY: Final = 10
_LIMIT: Final = 50
_Z: Final = 1.96
_CHECKS: Final = 300
_READ: Final = 1000
_MEMORIES: Final = (0.0, 0.3, 0.5, 0.7)
_NOTICED_WITHIN: Final = (14, 28)


@dataclass(frozen=True, slots=True)
class Size:
    """How many histories: of shares; and of what takes longer, or needs fewer; and how many alerts each has."""

    shares: int
    others: int
    alerts: int = 5000


QUICK: Final = Size(2_000, 500)
FULL: Final = Size(20_000, 4_000)


def figures(*, quick: bool, progress: Say, seed: int = SEED, size: Size | None = None) -> list[Figure]:
    """Every figure of ``watchglass quality simulate``.

    Args:
        quick: fewer histories, wider intervals.
        progress: is told what is being done.
        seed: of chance; the same seed gives the same figures.
        size: how many histories, instead of what ``quick`` says.
    """
    size = size or (QUICK if quick else FULL)
    dice = np.random.default_rng(seed)
    made: list[Figure] = []
    for words, part in (
        ("detectors at their limit", _at_limit),
        ("the naive ways", _naive),
        ("detectors worse than their limit", _worse),
        ("detectors better than their limit", _better),
        ("what breaks the promise", _broken),
        ("trials", _trials),
        ("counts a week", _counts),
        ("disparities", _disparities),
        ("warnings of change", _drift),
        ("reviewers who do not look", _reviewers),
        ("warnings about cameras", _input_drift),
    ):
        progress(words)
        made += part(dice, size)
    return made


def _at_limit(dice: np.random.Generator, size: Size) -> Iterator[Figure]:
    found_at: dict[int, tuple[drawn.Whole, float]] = {}
    for limit in LIMITS:
        edge = boundary(limit, ALPHA, size.alerts)
        crossed = drawn.over(
            drawn.outcomes(dice, limit / 1000, size.shares, size.alerts),
            lambda bad, edge=edge: drawn.crossed_when_final(bad, edge, LATE)[0],  # type: ignore[misc] # mypy cannot infer a lambda with a default
        )
        found_at[limit] = (crossed, float(crossings(edge, limit / 1000).sum()))
    worst = max(found_at, key=lambda limit: int((found_at[limit][0] != drawn.NEVER).sum()))
    yield _share_figure(
        "false_suspension_rate_at_limit",
        found_at[worst][0] != drawn.NEVER,
        ALPHA,
        note=f"the worst of three limits ({worst / 1000:g}), alpha {ALPHA:g}, after every alert over {size.alerts}",
    )
    for limit, (crossed, exact) in found_at.items():
        yield _share_figure(
            f"false_suspension_rate_at_limit_{limit / 1000:g}".replace(".", "_"),
            crossed != drawn.NEVER,
            ALPHA,
            note=f"exactly {exact:.4f} without delay",
        )


def _naive(dice: np.random.Generator, size: Size) -> Iterator[Figure]:
    edge = drawn.peeking_edge(_LIMIT / 1000, ALPHA, size.alerts, LOOK_EVERY)
    crossed = drawn.over(
        drawn.outcomes(dice, _LIMIT / 1000, size.shares, size.alerts), lambda bad: drawn.crossed_at(bad, edge)
    )
    yield _share_figure(
        "naive_false_suspension_rate",
        crossed != drawn.NEVER,
        note=f"not ours: an exact lower bound of 95 %, looked at every {LOOK_EVERY} alerts; "
        f"exactly {crossings(edge, _LIMIT / 1000).sum():.4f}",
    )
    for limit in LIMITS:
        ours = boundary(limit, ALPHA, size.alerts)
        told = drawn.over(
            drawn.outcomes(dice, limit / 1000, size.shares, size.alerts),
            lambda bad, ours=ours: drawn.crossed_as_told(bad, ours, LATE),  # type: ignore[misc] # as above
        )
        yield _share_figure(
            f"verdict_order_false_suspension_rate_{limit / 1000:g}".replace(".", "_"),
            told != drawn.NEVER,
            note="not ours: the same test, fed in the order of verdicts",
        )


def _worse(dice: np.random.Generator, size: Size) -> Iterator[Figure]:
    for times, target in ((1.5, 600), (2, 180), (3, 60)):
        name = f"alerts_to_suspend_{times:g}x".replace(".", "_")
        yield _delay(dice, size, name, _LIMIT / 1000 * times, ALPHA, target)
    yield _delay(dice, size, "alerts_to_suspend_2x_alpha_fifth", 2 * _LIMIT / 1000, ALPHA / 5, None)
    edge = boundary(_LIMIT, ALPHA, size.alerts)
    good = 1000

    def after_the_turn(bad: drawn.Bools) -> drawn.Whole:
        turned = bad.copy()
        turned[:, :good] = dice.random((len(bad), good)) < _LIMIT / 1000 * 0.4
        crossed = drawn.crossed_at(turned, edge)
        return np.where(crossed > good, crossed - good, drawn.NEVER)

    late = drawn.over(drawn.outcomes(dice, 2 * _LIMIT / 1000, size.others, size.alerts), after_the_turn)
    yield _median_figure(
        "alerts_to_suspend_2x_after_1000_good",
        _or_never(late),
        unit="alerts",
        note="a detector at 0.4 of its limit turns to twice its limit: the good history counts for it",
    )


def _delay(
    dice: np.random.Generator, size: Size, name: str, truth: float, alpha: float, target: float | None
) -> Figure:
    edge = boundary(_LIMIT, alpha, size.alerts)
    both = [drawn.crossed_when_final(bad, edge, LATE) for bad in drawn.outcomes(dice, truth, size.shares, size.alerts)]
    taken = np.concatenate([part[0] for part in both])
    raised = np.concatenate([part[1] for part in both])
    waited = _median(_or_never(raised))
    exact = median_alerts(crossings(edge, truth))
    return _median_figure(
        name,
        _or_never(taken),
        target,
        unit="alerts",
        note=f"final alerts, limit {_LIMIT / 1000:g}, truth {truth:g}, alpha {alpha:g}; exactly {exact}; "
        f"{waited:g} had been raised by then; {np.mean(taken != drawn.NEVER):.1%} crossed within {size.alerts}",
    )


def _better(dice: np.random.Generator, size: Size) -> Iterator[Figure]:
    rates = []
    for limit in LIMITS:
        edge = boundary(limit, ALPHA, size.alerts)
        crossed = drawn.over(
            drawn.outcomes(dice, 0.4 * limit / 1000, size.shares, size.alerts),
            lambda bad, edge=edge: drawn.crossed_when_final(bad, edge, LATE)[0],  # type: ignore[misc] # as above
        )
        rates.append(crossed != drawn.NEVER)
    yield _share_figure(
        "better_detector_suspended",
        max(rates, key=lambda rate: int(rate.sum())),
        ALPHA,
        note="the worst of three limits; the truth is 0.4 of the limit",
    )

    def untruncated(bad: drawn.Bools) -> drawn.Whole:
        return drawn.first_at(drawn.two_sided_log_e(_LIMIT / 1000, bad) >= threshold(ALPHA))

    yield _share_figure(
        "untruncated_better_detector_suspended",
        drawn.over(drawn.outcomes(dice, 0.4 * _LIMIT / 1000, size.others, size.alerts), untruncated) != drawn.NEVER,
        note=f"not ours: a mixture over all shares, Beta(1, 1), limit {_LIMIT / 1000:g}, truth {0.4 * _LIMIT / 1000:g}",
    )


def _broken(dice: np.random.Generator, size: Size) -> Iterator[Figure]:
    edge = boundary(_LIMIT, ALPHA, size.alerts)
    for burst in (2, 5):
        crossed = drawn.over(
            drawn.outcomes(dice, _LIMIT / 1000, size.shares, size.alerts, burst=burst),
            lambda bad: drawn.crossed_at(bad, edge),
        )
        yield _share_figure(
            f"bursts_of_{burst}_false_suspension_rate",
            crossed != drawn.NEVER,
            note=f"the assumption broken: {burst} alerts in a row are right or wrong together; {_LIMIT / 1000:g} are",
        )


def _trials(dice: np.random.Generator, size: Size) -> Iterator[Figure]:
    limit = 1000 - RULES.precision
    edge = boundary(limit, ALPHA, size.alerts, worse=False)

    def trusted(bad: drawn.Bools) -> drawn.Whole:
        return drawn.crossed_when_final(bad, edge, LATE, worse=False)[0]

    good = drawn.over(drawn.outcomes(dice, 1 - RULES.right, size.shares, size.alerts), trusted)
    exact = median_alerts(crossings(edge, 1 - RULES.right, worse=False))
    yield _median_figure(
        "alerts_to_earn_trust",
        _or_never(good),
        unit="alerts",
        note=f"at least {RULES.precision / 1000:g} must be right, {RULES.right:g} are; exactly {exact}; "
        f"{(exact or math.inf) / RULES.alerts_a_week:.1f} weeks at {RULES.alerts_a_week:g} a week",
    )
    bad = drawn.over(drawn.outcomes(dice, limit / 1000, size.shares, size.alerts), trusted)
    exactly = float(crossings(edge, limit / 1000, worse=False).sum())
    yield _share_figure(
        "false_trust_rate_at_limit",
        bad != drawn.NEVER,
        ALPHA,
        note=f"exactly {RULES.precision / 1000:g} are right, {size.alerts} alerts; exactly {exactly:.4f} without delay",
    )


def _counts(dice: np.random.Generator, size: Size) -> Iterator[Figure]:
    limit, years = 3, 5
    weeks = 52.0 * years
    latest = drawn.latest_weeks(limit * 1000, ALPHA, 1200)
    quiet = drawn.weeks_until(dice, latest, limit, weeks, size.others)
    yield _share_figure(
        "count_false_suspension_rate_at_limit",
        np.isfinite(quiet),
        ALPHA,
        note=f"{limit} a week allowed and true, watched for {years} years",
    )
    for times in (1.5, 2, 3):
        yield _median_figure(
            f"weeks_to_suspend_count_{times:g}x".replace(".", "_"),
            drawn.weeks_until(dice, latest, limit * times, weeks, size.others),
            unit="weeks",
            note=f"{limit} a week allowed, {limit * times:g} true",
        )
    fourth = drawn.latest_weeks(limit * 1000, ALPHA / 4, 1200)
    yield _median_figure(
        "weeks_to_suspend_count_2x_alpha_fourth",
        drawn.weeks_until(dice, fourth, limit * 2, weeks, size.others),
        unit="weeks",
        note="the same, one of four limits",
    )


def _disparities(dice: np.random.Generator, size: Size) -> Iterator[Figure]:
    runs, alerts, limit = size.others // 2, 2000, 2000
    kept = [
        drawn.disparity_crossed_at(dice, limit, shares, ALPHA, runs, alerts) != drawn.NEVER
        for shares in ((0.4, 0.2), (0.1, 0.05), (0.3, 0.3))
    ]
    yield _share_figure(
        "disparity_false_suspension_rate_at_limit",
        max(kept, key=lambda rate: int(rate.sum())),
        ALPHA,
        note=f"the worst of three pairs of strata, ratio 2 allowed, {alerts} alerts, half in each",
    )
    for shares in ((0.6, 0.2), (0.4, 0.1)):
        at = drawn.disparity_crossed_at(dice, limit, shares, ALPHA, runs, alerts)
        yield _median_figure(
            f"alerts_to_suspend_disparity_{shares[0] / shares[1]:.0f}x",
            _or_never(at),
            unit="alerts",
            note=f"ratio 2 allowed; {shares[0]:g} wrong in one stratum, {shares[1]:g} in the other; both counted",
        )


def _drift(dice: np.random.Generator, size: Size) -> Iterator[Figure]:
    """Warnings of change: how many are false in a year, and how soon they come where a limit would come late."""
    runs, a_year = size.others // 4, round(52 * RULES.alerts_a_week)
    quiet = drawn.drift_warned_at(dice, 0.02, 0.02, 0, runs, a_year, NORMAL, RUN_LENGTH)
    yield _share_figure(
        "drift_false_warning_in_a_year",
        quiet != drawn.NEVER,
        note=f"nothing changes: 0.02 of the alerts are wrong, {RULES.alerts_a_week:g} come a week; false warnings come "
        f"after {RUN_LENGTH} alerts or more in the mean, once {NORMAL} have said what is normal",
    )
    for before, since in ((0.02, 0.1), (0.3, 0.6)):
        good = 1000
        at = drawn.drift_warned_at(dice, before, since, good, runs, 3 * good, NORMAL, RUN_LENGTH)
        late = at[(at == drawn.NEVER) | (at > good)]
        yield _median_figure(
            f"alerts_to_warn_{before:g}_to_{since:g}".replace(".", "_"),
            np.where(late == drawn.NEVER, np.inf, late - float(good)),
            unit="alerts",
            note=f"after {good} alerts of which {before:g} were wrong, {since:g} are; a warning stops nothing. "
            f"{len(at) - len(late)} of {runs} histories had a false warning before, and are left out",
        )


def _input_drift(dice: np.random.Generator, size: Size) -> Iterator[Figure]:
    """Warnings that a camera delivers otherwise than before: how many are false, and how soon a halving is noticed."""
    years, runs = max(1, size.others // 80), max(2, size.others // 20)
    (dice,) = dice.spawn(1)  # the same whatever came before
    for memory in _MEMORIES:
        count = false_warnings(dice, memory, years)
        low, high = garwood(count)
        yield _figure(
            f"input_drift_false_warnings_a_camera_year_{memory:g}".replace(".", "_"),
            count / years,
            None,
            "warnings",
            (low / years, high / years),
            years,
            f"{count} in {years} camera-years in which nothing changes but the weather; each day is correlated with "
            f"the one before by {memory:g}; three measures, the newest {SEEN} days, looked at once a week",
        )
    for name, what in (("brightness", "brightness"), ("followed", "detections")):
        at = [noticed_after(dice, name, 0.5, _MEMORIES[1], max(_NOTICED_WITHIN)) for _ in range(runs)]
        for days in _NOTICED_WITHIN:
            k = sum(each is not None and each <= days for each in at)
            found = _figure(
                f"input_drift_halved_{what}_noticed_within_{days}_days",
                k / runs,
                None,
                "ratio",
                wilson(k, runs),
                runs,
                f"halved from one day to the next, after {SEEN} days as usual; each day is correlated with the one "
                f"before by {_MEMORIES[1]:g}",
            )
            yield {**found, "better": "higher"}


def _reviewers(dice: np.random.Generator, size: Size) -> Iterator[Figure]:
    for habit in HABITS:
        seen = found(dice, habit, RULES, size.others, checks=_CHECKS, alerts=_READ)
        first = _sooner(seen.precision, seen.undecided)
        if habit == CAREFUL:
            yield _share_figure(
                "careful_reviewer_told_of",
                seen.checks != drawn.NEVER,
                ALPHA,
                note=f"answers {RULES.slips:g} of the checks wrongly; {_CHECKS} checks",
            )
            yield _share_figure(
                "careful_reviewer_suspends",
                np.isfinite(first),
                note=f"{RULES.right:g} of the alerts are right, {RULES.precision / 1000:g} must be; {_READ} alerts",
            )
            continue
        checks = _or_never(seen.checks)
        yield _median_figure(
            f"weeks_to_find_reviewer_{habit}",
            checks / RULES.checks_a_week,
            unit="weeks",
            note=f"by seeded checks: {_median(checks):g} of them, {RULES.checks_a_week:.2f} a week "
            f"({RULES.share:.0%} of {RULES.alerts_a_week:g} alerts, at least {RULES.at_least} a month), "
            f"half of them right, more than {RULES.careless / 1000:g} answered wrongly",
        )
        yield _median_figure(
            f"alerts_until_suspended_reviewer_{habit}",
            first,
            unit="alerts",
            note=f"by the limits: at least {RULES.precision / 1000:g} right, at most {RULES.undecided / 1000:g} "
            f"without an answer, which counts as wrong; {np.mean(np.isfinite(first)):.1%} of histories within {_READ}",
        )


def _sooner(first: drawn.Whole, second: drawn.Whole) -> drawn.Floats:
    return np.minimum(_or_never(first), _or_never(second))


def _or_never(at: drawn.Whole) -> drawn.Floats:
    return np.where(at == drawn.NEVER, np.inf, at.astype(np.float64))


def _share_figure(name: str, hit: NDArray[np.bool_], target: float | None = None, *, note: str) -> Figure:
    k, n = int(hit.sum()), len(hit)
    return _figure(name, k / n, target, "ratio", wilson(k, n), n, note)


def _median_figure(name: str, values: NDArray[Any], target: float | None = None, *, unit: str, note: str) -> Figure:
    """The median with the interval of its order statistics (normal approximation to the ranks)."""
    ordered, n = np.sort(values.astype(np.float64)), len(values)
    reach = _Z * math.sqrt(n) / 2
    low, high = ordered[max(0, math.floor(n / 2 - reach) - 1)], ordered[min(n - 1, math.ceil(n / 2 + reach))]
    value = _median(values)
    known = math.isfinite(value) and math.isfinite(high)
    return _figure(name, value if known else None, target, unit, (float(low), float(high)) if known else None, n, note)


def _median(values: NDArray[Any]) -> float:
    """The smallest that half do not exceed; infinite where fewer than half got there."""
    return float(np.sort(values.astype(np.float64))[(len(values) - 1) // 2])


def _figure(
    name: str,
    value: float | None,
    target: float | None,
    unit: str,
    interval: tuple[float, float] | None,
    n: int,
    note: str,
) -> Figure:
    return {
        "name": name,
        "value": None if value is None else round(value, 4),
        "unit": unit,
        "better": "lower",
        "target": target,
        "ok": None if target is None or value is None else value <= target,
        "interval": None if interval is None else [round(end, 4) for end in interval],
        "n": n,
        "against": None,
        "note": note,
    }
