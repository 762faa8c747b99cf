"""What reports from outside say of what was missed: each row matched with alerts, and the shares that follow.

Public figures end at the last midnight (UTC), like all public counts; rows that were taken in, or set aside, later are
in none. Which rows there are, with their minutes, is for staff alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from watchglass.acts import judged as states
from watchglass.acts.reading import suspensions
from watchglass.acts.shown import FIRST
from watchglass.acts.watched_times import stretches_of
from watchglass.charter.hours import look
from watchglass.charter.model import EVERYTHING, Analytic, Charter
from watchglass.charter.report_words import LOG_WORDS
from watchglass.charter.reporting import Reports
from watchglass.core.time import MINUTE, SECOND
from watchglass.oversight.dark import Watch
from watchglass.quality.reported import Counts, Fate, Share, counts, match
from watchglass.records.outbox import Reader, Row
from watchglass.review.model import UNDO_WINDOW

_NOT_DRILLED: Final = "alert.id NOT IN (SELECT alert FROM drill_alert)"
_ALERTS: Final = (
    "SELECT alert.id, alert.analytic, alert.at_ms, handover.handed_ms FROM alert "  # noqa: S608 (constant text)
    "LEFT JOIN handover ON handover.alert = alert.id WHERE alert.analytic = ?1 AND alert.at_ms >= ?2 "
    f"AND alert.raised_ms < ?3 AND {FIRST} AND {_NOT_DRILLED}"
)
_CONFIRMED: Final = (
    "SELECT alert.id, alert.analytic, alert.at_ms FROM alert "  # noqa: S608 (constant text)
    "JOIN verdict ON verdict.alert = alert.id AND verdict.withdrawn_ms IS NULL "
    "LEFT JOIN reads ON reads.alert = alert.id AND reads.closed_ms <= ?3 "
    "WHERE alert.source = ?1 AND alert.at_ms >= ?2 AND verdict.decided_ms + ?4 <= ?3 AND "
    "CASE WHEN verdict.drawn < verdict.drawn_below THEN reads.value ELSE verdict.value END = 'confirm' "
    f"AND {FIRST} AND {_NOT_DRILLED}"
)
_ROWS: Final = (
    "SELECT report.* FROM report JOIN report_import ON report_import.id = report.import WHERE analytic = ?1 "
    "AND at_ms >= ?2 AND at_ms < ?3 AND taken_ms < ?3 ORDER BY at_ms, report.id"
)
_UNSEEN: Final[Mapping[Watch, Fate]] = {
    Watch.DARK: "dark",
    Watch.STOPPED: "stopped",
    Watch.BLIND: "stopped",
    Watch.IDLE: "stopped",
}


@dataclass(frozen=True, slots=True)
class Found:
    """One row and what became of it."""

    id: int
    log: str
    at_ms: int
    fate: Fate


@dataclass(frozen=True, slots=True)
class OfLog:
    """What one log says of one rule. ``says``: the log in words."""

    log: str
    says: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class OfRule:
    """What all logs say of one rule; an incident that stands in two logs is in both."""

    name: str
    place: str
    logs: tuple[OfLog, ...]


@dataclass(frozen=True, slots=True)
class Wronged:
    """Complaints of having been approached for nothing, at one source.

    Attributes:
        complaints: how many there were. tied: how many of them match a confirmed alert there, of so many.
    """

    source: str
    place: str
    complaints: int
    tied: Share


@dataclass(frozen=True, slots=True)
class Reported:
    """Everything that is told of reports. ``fewest``: below so many no share is shown."""

    logs: tuple[str, ...]
    within_ms: int
    kept_ms: int
    fewest: int
    rules: tuple[OfRule, ...]
    wronged: tuple[Wronged, ...]


def reported(reader: Reader, charter: Charter, until_ms: int) -> Reported | None:
    """What reports from outside say, of what was taken in before ``until_ms``; None without a clause."""
    reports = charter.safeguards.reports
    if reports is None:
        return None
    fewest = charter.quality.fewest if charter.quality is not None else 20
    analytics = [charter.analytic(name) for name in reports.of]
    rules = [_rule(charter, each, of_rule(reader, charter, each, until_ms), fewest) for each in analytics]
    sources = dict.fromkeys(each.source for each in analytics)
    wronged = [_wronged(reader, charter, reports, source, until_ms, fewest) for source in sources]
    return Reported(
        tuple(LOG_WORDS[log] for log in reports.logs),
        reports.within_ms,
        reports.kept_ms,
        fewest,
        tuple(rules),
        tuple(each for each in wronged if each.complaints),
    )


def of_rule(reader: Reader, charter: Charter, analytic: Analytic, until_ms: int) -> list[Found]:
    """Every row about a rule, and what became of it; each log is matched by itself."""
    reports = charter.safeguards.reports
    assert reports is not None  # whoever asks has looked
    since = until_ms - reports.kept_ms
    rows = reader.all(_ROWS, analytic.name, since, until_ms)
    if not rows:
        return []
    alerts = reader.all(_ALERTS, analytic.name, since - reports.within_ms, until_ms)
    moments = [_minute(row["at_ms"]) for row in alerts]
    sight = _Sight(reader, charter, analytic, since, until_ms)
    found = []
    for log in dict.fromkeys(row["log"] for row in rows):
        mine = [row for row in rows if row["log"] == log]
        pairs = dict(match([row["at_ms"] for row in mine], moments, reports.within_ms))
        for place, row in enumerate(mine):
            alert = alerts[pairs[place]] if place in pairs else None
            found.append(Found(row["id"], log, row["at_ms"], _fate(row, alert, sight, until_ms)))
    return found


def _fate(row: Row, alert: Row | None, sight: _Sight, until_ms: int) -> Fate:
    if alert is not None:
        handed = alert["handed_ms"]
        return "afterwards" if handed is not None and row["at_ms"] >= _minute(handed) else "alerted"
    unseen = sight.why_not(row["at_ms"])
    if unseen is not None:
        return unseen
    if row["aside_ms"] is not None and row["aside_ms"] < until_ms:
        return "aside"
    return "degraded" if sight.degraded(row["at_ms"]) else "missed"


class _Sight:
    """When a rule could see at all."""

    def __init__(self, reader: Reader, charter: Charter, analytic: Analytic, since: int, until: int) -> None:
        self.charter, self.analytic = charter, analytic
        every = charter.ledger.heartbeat_every_ms
        self.stretches = stretches_of(reader, analytic.source, since, until, every)
        orders = [
            (order.ordered_ms, order.lifted_ms or until)
            for order in suspensions(reader)
            if order.scope == EVERYTHING or order.analytic == analytic.name
        ]
        self.stops = [
            *orders,
            *((stop.stopped_ms, stop.over_ms or until) for stop in states.stops(reader, analytic.name)),
        ]
        worse = reader.all("SELECT since_ms, over_ms FROM source_condition WHERE source = ?", analytic.source)
        self.worse = [(row["since_ms"], row["over_ms"] or until) for row in worse]

    def why_not(self, at_ms: int) -> Fate | None:
        """Why it could not have seen anything in the whole of that minute; None where it could."""
        end = at_ms + MINUTE
        if any(since <= at_ms and end <= over for since, over in self.stops):
            return "suspended"
        rule, zone = self.analytic, self.charter.timezone
        if not any(look(rule.hours, rule.days, zone, moment).within for moment in (at_ms, end - 1)):
            return "hours"
        here = [each for each in self.stretches if each.from_s * SECOND < end and each.to_s * SECOND > at_ms]
        fates = [_UNSEEN.get(each.state) for each in here]
        covered = sum(min(each.to_s * SECOND, end) - max(each.from_s * SECOND, at_ms) for each in here)
        return fates[0] if fates and None not in fates and covered >= MINUTE else None

    def degraded(self, at_ms: int) -> bool:
        """Whether its picture was worse than the charter asks, at any moment of that minute."""
        return any(since < at_ms + MINUTE and over > at_ms for since, over in self.worse)


def _rule(charter: Charter, analytic: Analytic, found: Iterable[Found], fewest: int) -> OfRule:
    rows = list(found)
    logs = [
        OfLog(log, words, counts((each.fate for each in rows if each.log == log), fewest))
        for log, words in LOG_WORDS.items()
        if any(each.log == log for each in rows)
    ]
    return OfRule(analytic.name, charter.source(analytic.source).place.name, tuple(logs))


def _wronged(reader: Reader, charter: Charter, reports: Reports, source: str, until_ms: int, fewest: int) -> Wronged:
    since = until_ms - reports.kept_ms
    rows = [row for row in reader.all(_ROWS, "", since, until_ms) if row["source"] == source]
    alerts = reader.all(_CONFIRMED, source, since - reports.within_ms, until_ms, UNDO_WINDOW)
    mine = [row for row in alerts if row["analytic"] in reports.of]
    pairs = match([row["at_ms"] for row in rows], [_minute(row["at_ms"]) for row in mine], reports.within_ms)
    return Wronged(source, charter.source(source).place.name, len(rows), Share.of(len(pairs), len(mine), fewest))


def _minute(at_ms: int) -> int:
    return at_ms // MINUTE * MINUTE


FATES: Final[Mapping[Fate, str]] = {
    "alerted": "alerted",
    "afterwards": "alerted, and reported only after somebody had been sent",
    "missed": "missed, or not visible to it",
    "aside": "outside what the camera sees, a person says",
    "degraded": "missed while its picture was worse than the charter asks",
    "dark": "could not have been seen: no heartbeat came",
    "stopped": "could not have been seen: it was switched off, or the camera sent no picture",
    "suspended": "could not have been seen: it was suspended",
    "hours": "could not have been seen: outside its hours",
}
"""What became of a report, in words."""


def imports(reader: Reader) -> list[dict[str, Any]]:
    """What was taken in, the newest first, with how many of its rows are kept still."""
    rows = reader.all(
        "SELECT report_import.id, report_import.log, taken_ms, count(report.id) AS kept FROM report_import "
        "LEFT JOIN report ON report.import = report_import.id GROUP BY report_import.id ORDER BY taken_ms DESC "
        "LIMIT 100"
    )
    return [{key: row[key] for key in ("id", "log", "taken_ms", "kept")} for row in rows]
