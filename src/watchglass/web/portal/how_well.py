"""How well does it work? One plain public page: what each rule's alerts turned out to be, and what nobody knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from fastapi import APIRouter, Request, Response

from watchglass.acts import public_exposure, public_quality
from watchglass.acts.public_facts import Condition, meanwhile
from watchglass.bootstrap import House
from watchglass.bootstrap.bias import areas_of
from watchglass.charter import words
from watchglass.charter.model import Charter
from watchglass.core.errors import BadInput
from watchglass.ledger import checkpoint as checkpoints
from watchglass.quality.areas import Areas
from watchglass.quality.compare import Comparison, Group
from watchglass.web.portal import charts, rate_words, tested
from watchglass.web.portal.answers import NotFound
from watchglass.web.portal.context import house_of, reader_of
from watchglass.web.portal.missed import TABLES as MISSED_TABLES
from watchglass.web.portal.missed import missed
from watchglass.web.portal.render import page
from watchglass.web.portal.tables import Cell, Columns, as_csv
from watchglass.web.portal.twins import twin

router: Final = APIRouter()

AREA_FILES: Final = ("areas.yaml", "areas.csv")
"""Beside the charter in the deployment's directory: which cameras see which area, and how many people live there."""
EVENTS: Final = 12
"""How many of a rule's events the page shows; its tables have all of them."""


@twin(router, "/how-well")
def how_well(request: Request) -> Response:
    """Every rule's state, how often it was right, what it missed, who is watched; in sentences first."""
    charter = house_of(request).standing().charter
    if charter is None:
        return page(request, "public/nothing.html", {"condition": Condition.NO_CHARTER})
    return page(request, "public/how_well.html", _data(request, charter))


@router.get("/how-well/{table}.csv", response_model=None)
def how_well_csv(request: Request, table: str) -> Response:
    """One table of the page, as CSV: rules, limits, strata, weeks, events, areas, hours, or of what it missed."""
    charter = house_of(request).standing().charter
    if charter is None or table not in TABLES:
        raise NotFound
    return as_csv(TABLES, table, _data(request, charter), "how-well")


def _data(request: Request, charter: Charter) -> dict[str, Any]:
    house, reader = house_of(request), reader_of(request)
    now = house.clock.now()
    until, made = public_quality.until(reader, now)
    head = house.checkpoint()
    size = checkpoints.parse(head).checkpoint.size if head is not None else 0
    rules = tuple(
        public_quality.rule_of(reader, house.tiles, size, charter, each, words.sentence(charter, each), now)
        for each in charter.analytics
    )
    areas, problem = _areas(house)
    fewest = charter.quality.fewest if charter.quality is not None else 20
    exposed = public_exposure.exposed(reader, charter, areas, until, fewest)
    return {
        "until_ms": until,
        "made": made,
        "days": public_quality.DAYS,
        "summary": rate_words.summary(rules),
        "meanwhile": meanwhile(house.standing()),
        "rules": rules,
        "missed": missed(reader, charter, until),
        "_missed_tables": tuple(MISSED_TABLES),
        "exposed": _exposed(exposed),
        "areas_given": areas is not None,
        "areas_problem": problem,
        "readers": public_exposure.readers(reader, charter, until),
        "not_tested": [
            {"model": model.name, "on": tested.facts_of(house, model.name, model.digest)["not_tested"]}
            for model in charter.models
        ],
        "_dots": {rule.name: charts.dots(rule.weeks) for rule in rules},
        "_chart": {"width": charts.WIDTH, "height": charts.HEIGHT, "top": charts.TOP, "bottom": charts.BOTTOM},
        "_say": rate_words,
        "_most": EVENTS,
        "_exposed": exposed,
        "_place": {source.name: source.place.name for source in charter.sources},
    }


def _areas(house: House) -> tuple[Areas | None, str]:
    """The deployment's file of areas, and what is wrong with it."""
    file = next((house.layout.root / name for name in AREA_FILES if (house.layout.root / name).is_file()), None)
    try:
        return areas_of(file), ""
    except BadInput as error:
        return None, error.message


def _exposed(found: public_exposure.Exposed) -> dict[str, Any]:
    return {
        "days": found.days,
        "left_out": found.left_out,
        "watched": None if found.watched is None else found.watched.as_json(),
        "acted_on_by_area": found.by_area.as_json(),
        "acted_on_by_hour": found.by_hour.as_json(),
    }


# ---- tables --------------------------------------------------------------------------------------------------------


def _rules(data: Mapping[str, object]) -> tuple[public_quality.Rule, ...]:
    return cast("tuple[public_quality.Rule, ...]", data["rules"])


def _rule_rows(data: Mapping[str, object]) -> Iterator[tuple[Cell, ...]]:
    for rule in _rules(data):
        stands, found, rate = rule.stands or {}, rule.counted, rule.false_a_day
        right = rule.was_right
        yield (
            *(rule.name, rule.source, stands.get("state", "no published limit"), stands.get("why", "")),
            *(stands.get("since"), found.right, found.wrong, found.undecided, found.waiting, found.final),
            *(right.percent, right.low_percent, right.high_percent, rule.was_in_time.k, rule.was_in_time.n),
            *((rate.happened, rate.days, rate.value, rate.low, rate.high) if rate is not None else (None,) * 5),
            *(rule.to_verdict.n, rule.to_verdict.median_ms, rule.to_verdict.low_ms, rule.to_verdict.high_ms),
            *(rule.to_arrival.n, rule.to_arrival.median_ms, rule.to_arrival.low_ms, rule.to_arrival.high_ms),
            *((rule.met.k, rule.met.n) if rule.met is not None else (None, None)),
            rule.degraded,
        )


def _strata_rows(data: Mapping[str, object]) -> Iterator[tuple[Cell, ...]]:
    for rule in _rules(data):
        for split in rule.splits:
            for row in group_rows(split.comparison):
                yield (rule.name, split.by, *row)


def _week_rows(data: Mapping[str, object]) -> Iterator[tuple[Cell, ...]]:
    for rule in _rules(data):
        for week in rule.weeks:
            found = week.counted
            yield (
                *(rule.name, week.from_ms, found.right, found.wrong, found.undecided, found.waiting),
                *(week.low, week.high),
            )


def _limit_rows(data: Mapping[str, object]) -> Iterator[tuple[Cell, ...]]:
    for rule in _rules(data):
        for limit in rule.limits:
            seen = limit.seen
            yield (
                *(rule.name, seen.limit, limit.words, seen.allowed, seen.k, seen.n, seen.seen, seen.low, seen.high),
                seen.near.value,
            )


def _event_rows(data: Mapping[str, object]) -> Iterator[tuple[Cell, ...]]:
    for rule in _rules(data):
        for event in rule.events:
            yield rule.name, event.hour, event.state, event.words, event.because, event.index


def _area_rows(data: Mapping[str, object]) -> Iterator[tuple[Cell, ...]]:
    exposed = cast("public_exposure.Exposed", data["_exposed"])
    if exposed.watched is None:
        return
    for each in exposed.watched.exposure:
        found = (exposed.watched.alerts, exposed.by_area.confirmed, exposed.by_area.found)
        yield (
            *(each.area, each.sources, each.camera_hours, each.share, each.population, each.per_residents),
            *(cell for comparison in found for cell in _counts(comparison.group(each.area))),
        )


def _counts(group: Group | None) -> tuple[Cell, ...]:
    return (None,) * 5 if group is None else (group.happened, group.of, group.value, group.low, group.high)


def _hour_rows(data: Mapping[str, object]) -> Iterator[tuple[Cell, ...]]:
    acted = cast("public_exposure.Exposed", data["_exposed"]).by_hour
    for what, found in (("confirmed of alerts", acted.confirmed), ("found of those with an outcome", acted.found)):
        for row in group_rows(found):
            yield (what, *row)


def group_rows(found: Comparison) -> Iterator[tuple[Cell, ...]]:
    """(name, happened, of, share, low, high) of each group."""
    for group in found.groups:
        yield group.name, group.happened, group.of, group.value, group.low, group.high


_GROUP: Final = ("group", "happened", "of", "share", "low", "high")
TABLES: Final = {
    "rules": Columns(
        (
            *("rule", "source", "state", "why", "since", "right", "wrong", "undecided", "not_final", "final"),
            *("right_percent", "right_low_percent", "right_high_percent", "in_time", "due"),
            *("false", "camera_days", "false_a_day", "false_a_day_low", "false_a_day_high"),
            *("verdicts", "to_verdict_median_ms", "to_verdict_low_ms", "to_verdict_high_ms"),
            *("arrivals", "to_arrival_median_ms", "to_arrival_low_ms", "to_arrival_high_ms"),
            *("right_while_conditions_met", "final_while_conditions_met", "share_of_time_conditions_not_met"),
        ),
        _rule_rows,
    ),
    "limits": Columns(
        ("rule", "limit", "words", "allowed_at_most", "k", "n", "seen", "low", "high", "near"), _limit_rows
    ),
    "strata": Columns(("rule", "by", *_GROUP), _strata_rows),
    "weeks": Columns(
        ("rule", "from_ms", "right", "wrong", "undecided", "not_final", "right_low", "right_high"), _week_rows
    ),
    "events": Columns(("rule", "hour", "state", "words", "because", "entry"), _event_rows),
    "areas": Columns(
        (
            *("area", "sources", "camera_hours", "share_of_camera_hours", "residents", "per_1000_residents"),
            *("alerts", "in_camera_hours", "alerts_per_camera_hour", "alerts_low", "alerts_high"),
            *("confirmed", "of_alerts", "confirmed_share", "confirmed_low", "confirmed_high"),
            *("found", "of_outcomes", "found_share", "found_low", "found_high"),
        ),
        _area_rows,
    ),
    "hours": Columns(("what", *_GROUP), _hour_rows),
    **MISSED_TABLES,
}
"""Every table of the page, by its name in the address."""
