"""What the public reads about who is watched and who is acted on, and how far readers agree.

Areas are places; there are no people in any of it. It ends where all public counts end (``public_quality.until``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from watchglass.acts.public_quality import DAYS, WATCHED_DAYS
from watchglass.acts.shown import FIRST
from watchglass.acts.watched_times import watched
from watchglass.charter.model import Charter
from watchglass.core.time import DAY, moment
from watchglass.quality.areas import Areas
from watchglass.quality.disparity import ActedOn, Row, Watched, acted_on
from watchglass.quality.disparity import watched as exposure
from watchglass.records.outbox import Reader
from watchglass.review.bias import GROUP
from watchglass.review.frequency import Frequency
from watchglass.statistics.agreement import FEWEST as FEWEST_PAIRS
from watchglass.statistics.agreement import Agreement, agreement

_SEED: Final = 8280
_MOST: Final = 20_000
_WATCHED_S: Final = 3600.0

_ALERTS: Final = (
    "SELECT alert.source, alert.raised_ms, verdict.value, verdict.drawn < verdict.drawn_below AS twice, "  # noqa: S608 (constant text)
    "reads.value AS made, handover.outcome FROM alert "
    "LEFT JOIN verdict ON verdict.alert = alert.id AND verdict.withdrawn_ms IS NULL AND verdict.decided_ms < ?2 "
    "LEFT JOIN reads ON reads.alert = alert.id AND reads.closed_ms <= ?2 "
    "LEFT JOIN handover ON handover.alert = alert.id AND handover.closed_ms < ?2 "
    f"WHERE alert.raised_ms >= ?1 AND alert.raised_ms < ?2 AND {FIRST} "
    "AND alert.id NOT IN (SELECT alert FROM drill_alert) ORDER BY alert.raised_ms DESC LIMIT ?3"
)
_PAIRS: Final = (
    "SELECT one.value AS one, two.value AS two, one.account AS who, two.account AS other FROM reads "
    "JOIN verdict AS one ON one.alert = reads.alert AND one.withdrawn_ms IS NULL "
    "JOIN shown_again ON of_alert = reads.alert AND why = 'second' "
    "JOIN verdict AS two ON two.alert = shown_again.alert AND two.withdrawn_ms IS NULL "
    "WHERE reads.closed_ms <= ?2 AND one.decided_ms > ?1 ORDER BY one.decided_ms DESC LIMIT ?3"
)


@dataclass(frozen=True, slots=True)
class Exposed:
    """Who is watched and who is acted on.

    Attributes:
        days: of how many it is. left_out: alerts of days of which nobody can tell whether anything was watched.
        watched: None where there are no heartbeats, so nobody can tell.
        by_area, by_hour: of the alerts how many were confirmed, and of those with an outcome how many were found.
    """

    days: int
    left_out: int
    watched: Watched | None
    by_area: ActedOn
    by_hour: ActedOn


def exposed(reader: Reader, charter: Charter, areas: Areas | None, until_ms: int, fewest: int) -> Exposed:
    """The exposure of each area, and what was done there; each source is an area of its own without ``areas``."""
    seen = {source.name: _hours(reader, charter, source.name, until_ms) for source in charter.sources}
    since = until_ms - WATCHED_DAYS * DAY
    found = [row for row in reader.all(_ALERTS, since, until_ms, _MOST) if row["source"] in seen]
    alerts = [
        (row["source"], row["raised_ms"], _said(row["value"], row["twice"], row["made"]), row["outcome"])
        for row in found
    ]
    days = list(_by_day(seen, alerts))
    hours = list(_by_hour(alerts, charter.timezone))
    places = [Row(source, 0, 0, 0, 0.0) for source in seen]
    known = [row for row in days if row.camera_hours]
    return Exposed(
        days=WATCHED_DAYS,
        left_out=sum(row[0] in seen and not seen[row[0]].get(_day(row[1])) for row in alerts),
        watched=exposure([*known, *places], areas, random=np.random.default_rng(_SEED), fewest=fewest)
        if known
        else None,
        by_area=acted_on([*hours, *places], areas, by="area", fewest=fewest),
        by_hour=acted_on([*hours, *places], areas, by="hour", fewest=fewest),
    )


def _said(value: str | None, twice: object, made: str | None) -> str | None:
    """What counts of an alert: nothing while a second judgement of it is open (``public_quality``)."""
    return made or (None if twice else value)


def _hours(reader: Reader, charter: Charter, source: str, until_ms: int) -> dict[int, float]:
    """Day (UTC, ms) -> hours in which heartbeats say that a source was watched."""
    found = watched(reader, charter, source, until_ms, most=0)
    return {day.day_ms: day.sums.seen / _WATCHED_S for day in found.by_day if day.sums.seen}


_Alert = tuple[str, int, str | None, str | None]


def _by_day(seen: Mapping[str, Mapping[int, float]], alerts: Iterable[_Alert]) -> Iterator[Row]:
    """One row for each source and day with heartbeats; an hour of the day says nothing here."""
    counted: dict[tuple[str, int], list[_Alert]] = {}
    for each in alerts:
        counted.setdefault((each[0], _day(each[1])), []).append(each)
    for source, days in seen.items():
        for day, hours in days.items():
            yield _row(source, 0, counted.get((source, day), ()), hours, day)


def _by_hour(alerts: Iterable[_Alert], timezone: str) -> Iterator[Row]:
    """One row for each source, day and hour there that had alerts; camera-hours play no part in what was acted on."""
    zone = ZoneInfo(timezone)
    counted: dict[tuple[str, int, int], list[_Alert]] = {}
    for each in alerts:
        hour = moment(each[1]).astimezone(zone).hour
        counted.setdefault((each[0], _day(each[1]), hour), []).append(each)
    for (source, day, hour), some in counted.items():
        yield _row(source, hour, some, 1.0, day)


def _row(source: str, hour: int, alerts: Iterable[_Alert], hours: float, day: int) -> Row:
    some = list(alerts)
    confirmed = [each for each in some if each[2] == "confirm"]
    outcomes = [each[3] for each in confirmed if each[3] is not None and each[3] != "nobody-contacted"]
    found = sum(each.startswith("found") for each in outcomes)
    return Row(source, hour, len(some), len(confirmed), hours, len(outcomes), found, str(day))


def _day(ms: int) -> int:
    return ms - ms % DAY


# ---- do readers agree? ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Readers:
    """How far those who judged the same alerts agree; nothing of fewer than five people.

    Attributes:
        days: of how many it is. asked: whether the charter has alerts judged twice at all.
        alike, beyond_chance: None where fewer than ``GROUP`` people judged, or fewer than ``fewest`` alerts were.
    """

    days: int
    asked: bool
    people_needed: int
    alerts_needed: int
    alike: Frequency | None
    beyond_chance: Agreement | None


def readers(reader: Reader, charter: Charter, until_ms: int) -> Readers:
    """What second judgements show, of all who judge together."""
    asked = charter.safeguards.review.second_read is not None
    rows = reader.all(_PAIRS, until_ms - DAYS * DAY, until_ms, _MOST)
    people = {row[key] for row in rows for key in ("who", "other")}
    if len(people) < GROUP or len(rows) < FEWEST_PAIRS:
        return Readers(DAYS, asked, GROUP, FEWEST_PAIRS, None, None)
    pairs = [(row["one"], row["two"]) for row in rows]
    alike = Frequency(
        sum(one == two for one, two in pairs), len(pairs), "alerts that two people judged", "were judged alike"
    )
    return Readers(DAYS, asked, GROUP, FEWEST_PAIRS, alike, agreement(pairs, seed=_SEED))
