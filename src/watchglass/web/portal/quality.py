"""How well each rule works, for staff: every test with its evidence, calibration, strata, drift, checks.

Nothing on it moves with a verdict for whoever gives verdicts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from fastapi import APIRouter, Request, Response

from watchglass.access.roles import May
from watchglass.acts import staff_quality
from watchglass.acts.conditions_reading import Drift, input_drift
from watchglass.acts.public_facts import Condition
from watchglass.charter.model import Charter
from watchglass.charter.quality_words import limit_words
from watchglass.core.time import DAY
from watchglass.web.portal import charts, rate_words, recalibrating
from watchglass.web.portal.answers import NotFound
from watchglass.web.portal.context import house_of, may, reader_of
from watchglass.web.portal.how_well import group_rows
from watchglass.web.portal.missed import TABLES as MISSED_TABLES
from watchglass.web.portal.missed import missed
from watchglass.web.portal.render import page
from watchglass.web.portal.tables import Cell, Columns, as_csv
from watchglass.web.portal.twins import twin

router: Final = APIRouter(include_in_schema=False)


@twin(router, "/quality")
def quality(request: Request) -> Response:
    """Every rule's tests, calibration, strata and drift."""
    charter = house_of(request).standing().charter
    if charter is None:
        return page(request, "public/nothing.html", {"condition": Condition.NO_CHARTER})
    return page(request, "staff/quality.html", _data(request, charter))


@router.get("/quality/{table}.csv", response_model=None)
def quality_csv(request: Request, table: str) -> Response:
    """One table of the page, as CSV: tests, reliability, strata, weeks, drift, or of what it missed."""
    charter = house_of(request).standing().charter
    if charter is None or table not in TABLES:
        raise NotFound
    return as_csv(TABLES, table, _data(request, charter), "quality")


def _data(request: Request, charter: Charter) -> dict[str, Any]:
    reader, now = reader_of(request), house_of(request).clock.now()
    judges = may(request, May.DECIDE_ALERT)
    found = staff_quality.inside(reader, charter, now, judges=judges)
    rules, until = found.rules, staff_quality.end_of(reader, now)
    again = recalibrating.parts(request, charter, now - now % DAY if judges else now)
    return {
        "until_ms": until,
        "rules": rules,
        "missed": missed(reader, charter, until),
        "inputs": input_drift(reader, charter.sources, now),
        "_missed_tables": tuple(MISSED_TABLES),
        "together": {"said_as": found.scores, "calibration": found.together},
        "judging": staff_quality.checks(reader, now),
        "_pools": {rule.name: charts.pools(rule.calibration) for rule in rules if rule.calibration is not None},
        "_together": charts.pools(found.together) if found.together is not None else (),
        "_square": {"side": charts.SQUARE, "edge": charts.EDGE},
        "_dots": {rule.name: charts.dots(rule.weeks) for rule in rules},
        "_chart": {"width": charts.WIDTH, "height": charts.HEIGHT, "top": charts.TOP, "bottom": charts.BOTTOM},
        "_say": rate_words,
        "recalibration": again,
        "_again": recalibrating.drawn(again),
        "judges": judges,
        "_may_recalibrate": recalibrating.may_change(request) and not judges,
        "_tests": {rule.name: _names(charter, rule) for rule in rules},
    }


def _input_rows(data: Mapping[str, object]) -> Iterator[tuple[Cell, ...]]:
    for each in cast("tuple[Drift, ...]", data["inputs"]):
        found = each.warned
        yield each.source, found.measure, found.days, str(found.warns).lower(), found.lately, found.before


def _names(charter: Charter, rule: staff_quality.Inner) -> dict[str, str]:
    """Each test in words: the limit that it watches."""
    limits = charter.limits_of(rule.name)
    if limits is None:
        return {}
    made = {limit: limit_words(charter, limits, limit) for limit in limits.stated}
    return {name: f"{text[0].upper()}{text[1:]}" for name, text in made.items()} | {"trust": "Trial: to earn trust"}


# ---- tables --------------------------------------------------------------------------------------------------------


def _rules(data: Mapping[str, object]) -> tuple[staff_quality.Inner, ...]:
    return cast("tuple[staff_quality.Inner, ...]", data["rules"])


def _test_rows(data: Mapping[str, object]) -> Iterator[tuple[Cell, ...]]:
    for rule in _rules(data):
        for test in rule.tests:
            yield (
                *(rule.name, test.name, test.alpha, test.counted, test.bad, test.log_e, test.needed, test.e_value),
                str(test.crossed).lower(),
            )


def _step_rows(data: Mapping[str, object]) -> Iterator[tuple[Cell, ...]]:
    together = cast("dict[str, Any]", data["together"])
    found = [(rule.name, rule.scores, rule.calibration) for rule in _rules(data)]
    for name, said, calibration in (*found, ("(all)", together["said_as"], together["calibration"])):
        for step in calibration.steps if calibration is not None else ():
            yield name, said, step.least, step.most, step.n, step.right, step.share, step.low, step.high


def _strata_rows(data: Mapping[str, object]) -> Iterator[tuple[Cell, ...]]:
    for rule in _rules(data):
        for split in rule.splits:
            for row in group_rows(split.comparison):
                yield (rule.name, split.by, *row)


def _week_rows(data: Mapping[str, object]) -> Iterator[tuple[Cell, ...]]:
    for rule in _rules(data):
        for week in rule.weeks:
            found = week.counted
            yield rule.name, week.from_ms, found.right, found.wrong, found.undecided, found.waiting, week.low, week.high


def _drift_rows(data: Mapping[str, object]) -> Iterator[tuple[Cell, ...]]:
    for rule in _rules(data):
        for change in rule.drift:
            yield rule.name, change.what, change.lately, change.before, change.ratio, change.low, change.high


TABLES: Final = {
    "inputs": Columns(("source", "measure", "days", "warns", "last_week", "four_weeks_before"), _input_rows),
    "tests": Columns(
        ("rule", "test", "alpha", "alerts", "bad", "log_e", "log_e_needed", "e_value", "crossed"), _test_rows
    ),
    "reliability": Columns(
        ("rule", "said_as", "said_least", "said_most", "n", "right", "share", "band_low", "band_high"), _step_rows
    ),
    "strata": Columns(("rule", "by", "group", "happened", "of", "share", "low", "high"), _strata_rows),
    "weeks": Columns(
        ("rule", "from_ms", "right", "wrong", "undecided", "not_final", "right_low", "right_high"), _week_rows
    ),
    "drift": Columns(("rule", "what", "last_week", "three_weeks_before", "ratio", "low", "high"), _drift_rows),
    **MISSED_TABLES,
}
"""Every table of the page, by its name in the address."""
