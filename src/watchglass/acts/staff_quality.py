"""What those who run and oversee it read about how well it works: tests, calibration, strata, drift, checks.

It shows how far each test has come, so it is for staff alone, and for those of them who judge no alerts: a test moves
about ten seconds after a verdict, and one that did not move would tell who gave it that the alert was shown again. For
the same reason rates, calibration and drift end at the last midnight, as for everybody. Nothing of it is of one person:
what checks show is of five people together, or is not shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np

from watchglass.acts import judged as states
from watchglass.acts import public_quality as public
from watchglass.acts.reviewer_figures import Group, group
from watchglass.charter.model import Analytic, Charter
from watchglass.core.time import DAY
from watchglass.quality.finality import Value
from watchglass.quality.judging import alpha_of
from watchglass.quality.rates import Counted, Judged, Nearness, Split, Week, by_week, count, nearness, splits
from watchglass.quality.reliability import Reliability, reliability
from watchglass.records.outbox import Reader
from watchglass.statistics.evalues import threshold
from watchglass.statistics.intervals import ratio_of_rates, ratio_of_shares

LATELY: Final = 7
BEFORE: Final = 21
"""Drift compares the last week with the three before."""
_ALPHA: Final = 0.05
_SEED: Final = 2021


@dataclass(frozen=True, slots=True)
class TestNow:
    """How far one test has come: it stops the analytic, or ends its trial, where ``log_e`` reaches ``needed``.

    Attributes:
        alpha: its part of the charter's. counted, bad: alerts, and those that speak against the analytic.
        log_e, needed: natural logarithms of the evidence.
    """

    __test__: ClassVar = False  # not for pytest

    name: str
    alpha: float
    counted: int
    bad: int
    log_e: float
    needed: float
    crossed: bool

    DERIVED: ClassVar = ("e_value",)

    @property
    def e_value(self) -> float:
        """The evidence: 1 says nothing, the more the more it speaks against what the limit takes for granted."""
        return float(np.exp(min(self.log_e, 50.0)))


@dataclass(frozen=True, slots=True)
class Change:
    """The last week against the three before: a ratio with its interval; None where there is too little."""

    what: str
    lately: float
    before: float
    ratio: float | None
    low: float | None
    high: float | None

    DERIVED: ClassVar = ("changed",)

    @property
    def changed(self) -> bool:
        """Whether chance alone hardly explains it."""
        return self.low is not None and (self.low > 1 or (self.high is not None and self.high < 1))


@dataclass(frozen=True, slots=True)
class Inner:
    """How well one rule works, for staff. ``lately``, ``tests``: None and none for whoever judges alerts."""

    name: str
    place: str
    stands: dict[str, Any] | None
    lately: int | None
    tests: tuple[TestNow, ...]
    counted: Counted
    near: tuple[Nearness, ...]
    splits: tuple[Split, ...]
    weeks: tuple[Week, ...]
    drift: tuple[Change, ...]
    calibration: Reliability | None
    scores: str


@dataclass(frozen=True, slots=True)
class Inside:
    """Every rule of a charter, and the calibration of all of them together."""

    rules: tuple[Inner, ...]
    together: Reliability | None
    scores: str


def inside(reader: Reader, charter: Charter, now_ms: int, *, judges: bool) -> Inside:
    """How well all of it works now.

    Args:
        judges: whether whoever reads it may decide alerts; then how far tests have come is left out.
    """
    end = end_of(reader, now_ms)
    alerts = {each.name: _alerts(reader, charter, each, end) for each in charter.analytics}
    far = {} if judges else {each.name: states.counts(reader, each.name, now_ms) for each in charter.analytics}
    rules = (_inner(reader, charter, each, alerts[each.name], end, far.get(each.name)) for each in charter.analytics)
    scores, together = _calibrated([each for some in alerts.values() for each in some])
    return Inside(tuple(rules), together, scores)


def _alerts(reader: Reader, charter: Charter, analytic: Analytic, end: int) -> list[Judged]:
    rows = public.of_this_rule(reader, public.alert_rows(reader, analytic.name, end), charter, analytic.name)
    return public.judged_alerts(rows, charter, analytic, end)


def _inner(
    reader: Reader,
    charter: Charter,
    analytic: Analytic,
    alerts: list[Judged],
    end: int,
    far: dict[str, Any] | None,
) -> Inner:
    quality, limits = charter.quality, charter.limits_of(analytic.name)
    fewest = quality.fewest if quality is not None else 20
    days = public.watched_days(reader, charter, analytic, end)
    late = count(each for each in alerts if each.raised_ms >= end - public.WATCHED_DAYS * DAY)
    about = {each["analytic"]: each for each in states.about(reader, charter)}
    weekly = (late.not_right, (days or 0.0) / 7)
    first = min((each.raised_ms for each in alerts), default=end)
    scores, calibration = _calibrated(alerts)
    return Inner(
        name=analytic.name,
        place=charter.source(analytic.source).place.name,
        stands=about.get(analytic.name),
        lately=far["lately"] if far is not None else None,
        tests=tuple(_test(charter, each) for each in far["tests"]) if far is not None and quality is not None else (),
        counted=count(alerts),
        near=nearness(limits, alerts, weekly, fewest) if limits is not None else (),
        splits=splits(alerts, alpha=_ALPHA, fewest=fewest),
        weeks=by_week(alerts, max(first, end - public.DAYS * DAY), end) if alerts else (),
        drift=drift(alerts, end),
        calibration=calibration,
        scores=scores,
    )


def end_of(reader: Reader, now_ms: int) -> int:
    """Where staff's counts end: at the last midnight (UTC), as public ones do."""
    return public.until(reader, now_ms)[0]


def checks(reader: Reader, now_ms: int) -> Group:
    """What seeded checks show of all reviewers together; nothing of fewer than five."""
    return group(reader, now_ms)


def drift(alerts: list[Judged], end_ms: int) -> tuple[Change, ...]:
    """How the last week differs from the three before: how many alerts came, and how many of them were not right.

    What cameras show (brightness, sharpness) is not measured here yet.
    """
    border, begin = end_ms - LATELY * DAY, end_ms - (LATELY + BEFORE) * DAY
    late = count(each for each in alerts if each.raised_ms >= border)
    before = count(each for each in alerts if begin <= each.raised_ms < border)
    return (
        _rates("alerts a day", (late.alerts, LATELY), (before.alerts, BEFORE)),
        _shares("share that was not right", (late.not_right, late.final), (before.not_right, before.final)),
    )


def _rates(what: str, late: tuple[int, int], before: tuple[int, int]) -> Change:
    values = late[0] / late[1], before[0] / before[1]
    if not late[0] + before[0]:
        return Change(what, *values, None, None, None)
    low, high = ratio_of_rates(late, before, _ALPHA)
    return Change(what, *values, values[0] / values[1] if values[1] else None, low, _finite(high))


def _shares(what: str, late: tuple[int, int], before: tuple[int, int]) -> Change:
    values = tuple(k / n if n else 0.0 for k, n in (late, before))
    if not late[1] or not before[1] or not late[0] + before[0]:
        return Change(what, values[0], values[1], None, None, None)
    low, high = ratio_of_shares(late, before, _ALPHA)
    return Change(what, values[0], values[1], values[0] / values[1] if values[1] else None, low, _finite(high))


def _finite(value: float) -> float | None:
    return None if np.isinf(value) else value


def _calibrated(alerts: list[Judged]) -> tuple[str, Reliability | None]:
    """What was said of alerts ("probability" or "score"), and what that was worth."""
    which, said = _forecasts(alerts)
    shares, right = [share for share, _ in said], [came for _, came in said]
    return which, reliability(shares, right, random=np.random.default_rng(_SEED))


def _forecasts(alerts: list[Judged]) -> tuple[str, list[tuple[float, bool]]]:
    """What was said of alerts that turned out right or wrong: probabilities where there are any, else raw scores."""
    known = [each for each in alerts if each.value in {Value.RIGHT, Value.WRONG} and not each.drill]
    probable = [(each.probability, each.value is Value.RIGHT) for each in known if each.probability is not None]
    if probable:
        return "probability", probable
    return "score", [(each.score, each.value is Value.RIGHT) for each in known if each.score is not None]


def _test(charter: Charter, told: dict[str, Any]) -> TestNow:
    alpha = alpha_of(charter, told["test"])
    return TestNow(
        told["test"], alpha, told["alerts"], told["bad"], told["log_e"], round(threshold(alpha), 3), told["crossed"]
    )
