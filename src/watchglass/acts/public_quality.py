"""What the public reads about how well it works: each rule's state, its history, how often it was right.

Like all public counts these end at the last midnight (UTC), verdicts included, so that nobody can watch a number move
(law 10); in the demo they end with its made history. What is shown again to people (second judgements, checks) is an
incident that was counted before, so it is in no count; and an alert that was drawn for a second judgement counts only
once that is closed, as if nobody had decided it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from watchglass.acts import judged as states
from watchglass.acts.charter_text import the_charter
from watchglass.acts.public_ledger import entries_of
from watchglass.acts.reading import Delay, history_until, index_of, suspensions
from watchglass.acts.shown import FIRST
from watchglass.acts.source_conditions import degraded_ms, spells
from watchglass.acts.watched_times import watched
from watchglass.charter import renewed
from watchglass.charter.limits import QualityLimits
from watchglass.charter.model import EVERYTHING, Analytic, Charter
from watchglass.charter.quality_words import limit_words
from watchglass.core.time import DAY
from watchglass.ledger.tiles import TileReader
from watchglass.quality.daylight import stratum_of
from watchglass.quality.rates import (
    CONDITIONS,
    Counted,
    Judged,
    Nearness,
    Rate,
    Split,
    Week,
    a_day,
    by_week,
    count,
    in_time,
    nearness,
    running_share,
    splits,
    timely,
    value_at,
)
from watchglass.quality.states import State
from watchglass.records.outbox import Reader, Row
from watchglass.review.frequency import Frequency
from watchglass.review.model import UNDO_WINDOW

DAYS: Final = 90
"""How far back alerts count: as long as they speak for a state."""
WATCHED_DAYS: Final = 28
"""How far back camera-days count: as far as heartbeats are told."""
MOST: Final = 2000
"""How many of the newest alerts of a rule are counted at most."""
_SAME_ALERTS: Final = "Which alerts it raises did not change."
RECALIBRATED: Final = {
    "learnt": (
        "recalibrated",
        f"Its own earlier alerts, and no longer test clips, say how likely its next ones are right. {_SAME_ALERTS}",
    ),
    "renewed": (
        "recalibrated",
        f"How likely its next alerts are right was learnt anew from its earlier ones. {_SAME_ALERTS}",
    ),
    "withdrawn": (
        "recalibration taken back",
        f"Its own earlier alerts no longer say how likely the next ones are right. {_SAME_ALERTS}",
    ),
}
"""What happened, and why, in words for everybody."""
_MOST_ENTRIES: Final = 60
_ALPHA: Final = 0.05

_ALERTS: Final = (
    "SELECT alert.raised_ms, alert.at_ms, alert.due_ms, alert.charter, alert.boxes, alert.score_per_mille, alert.seen, "  # noqa: S608 (constant text)
    "alert.probability_per_mille, verdict.value, verdict.decided_ms, verdict.drawn < verdict.drawn_below AS twice, "
    "reads.value AS made, handover.arrived_ms, drill_alert.alert IS NOT NULL AS drill FROM alert "
    "LEFT JOIN verdict ON verdict.alert = alert.id AND verdict.withdrawn_ms IS NULL AND verdict.decided_ms < ?3 "
    "LEFT JOIN reads ON reads.alert = alert.id AND reads.closed_ms <= ?3 "
    "LEFT JOIN handover ON handover.alert = alert.id LEFT JOIN drill_alert ON drill_alert.alert = alert.id "
    f"WHERE alert.analytic = ?1 AND alert.raised_ms >= ?2 AND alert.raised_ms < ?3 AND {FIRST} "
    "ORDER BY alert.raised_ms DESC LIMIT ?4"
)


@dataclass(frozen=True, slots=True)
class Limit:
    """One published limit: in words, and how what was seen lies to it."""

    words: str
    seen: Nearness


@dataclass(frozen=True, slots=True)
class Event:
    """Something that began in the life of a rule.

    Attributes:
        hour: in which it did (UTC), as the ledger tells it. index: its entry; None while it waits for the ledger.
        state: "trial", "within", "unknown", "suspended", or "" where the entry is archived.
    """

    hour: str
    state: str
    words: str
    because: str
    index: int | None


@dataclass(frozen=True, slots=True)
class Rule:
    """How well one rule works.

    Attributes:
        stands: how it stands to its limits, as ``judged.about`` tells it; None where the charter states none.
        counted: its alerts by what they were. more: whether there were more than ``MOST``.
        of_another: how many are left out because its model or its rule was another one then.
        false_a_day: wrong alerts, and those without an answer, in a camera-day; watched: over how many such days.
        met: how often those were right that were raised while its camera met the charter's conditions; None where the
            charter states none. The limits count all of them.
        degraded: for how much of the time it was watching its camera did not meet them; None: nobody can tell.
        to_verdict, to_arrival: from the moment in the picture.
    """

    name: str
    source: str
    place: str
    rule: str
    kind: str
    model: str | None
    stands: Mapping[str, Any] | None
    fewest: int
    counted: Counted
    more: bool
    of_another: int
    was_right: Frequency
    met: Frequency | None
    degraded: float | None
    was_in_time: Frequency
    false_a_day: Rate | None
    to_verdict: Delay
    to_arrival: Delay
    splits: tuple[Split, ...]
    weeks: tuple[Week, ...]
    limits: tuple[Limit, ...]
    events: tuple[Event, ...]


def until(reader: Reader, now_ms: int) -> tuple[int, bool]:
    """Where public counts end, and whether all before it was made up by the demo."""
    midnight, border = now_ms - now_ms % DAY, history_until(reader)
    return (min(midnight, border), True) if border else (midnight, False)


def rule_of(
    reader: Reader, tiles: TileReader, size: int, charter: Charter, analytic: Analytic, words: str, now_ms: int
) -> Rule:
    """How well one rule of the charter in force works.

    Args:
        tiles, size: of the published log.
        words: the rule in a sentence.
    """
    end, _ = until(reader, now_ms)
    quality, limits = charter.quality, charter.limits_of(analytic.name)
    fewest = quality.fewest if quality is not None else 20
    source = charter.source(analytic.source)
    everything = alert_rows(reader, analytic.name, end)
    rows = of_this_rule(reader, everything, charter, analytic.name)
    alerts = judged_alerts(rows, charter, analytic, end)
    days = watched_days(reader, charter, analytic, end)
    false = count(each for each in alerts if each.raised_ms >= end - WATCHED_DAYS * DAY).not_right
    counted, timely_ = count(alerts), in_time(alerts)
    about = {each["analytic"]: each for each in states.about(reader, charter)}
    first = min((each.raised_ms for each in alerts), default=end)
    return Rule(
        name=analytic.name,
        source=analytic.source,
        place=source.place.name,
        rule=words,
        kind=analytic.kind,
        model=analytic.model,
        stands=about.get(analytic.name),
        fewest=fewest,
        counted=counted,
        more=len(everything) == MOST,
        of_another=len(everything) - len(rows),
        was_right=Frequency(counted.right, counted.final, "alerts of this rule", "were real", fewest),
        met=_while_met(alerts, fewest) if source.conditions is not None else None,
        degraded=_degraded(reader, source.name, end, days) if source.conditions is not None else None,
        was_in_time=Frequency(*timely_, "alerts of this rule", "were decided in time", fewest),
        false_a_day=a_day(false, days) if days is not None else None,
        to_verdict=Delay.of([row["decided_ms"] - row["at_ms"] for row in rows if row["decided_ms"] is not None]),
        to_arrival=Delay.of([row["arrived_ms"] - row["at_ms"] for row in rows if _arrived(row, end)]),
        splits=splits(alerts, alpha=_ALPHA, fewest=fewest),
        weeks=by_week(alerts, max(first, end - DAYS * DAY), end) if alerts else (),
        limits=_limits(charter, limits, alerts, (false, (days or 0.0) / 7), fewest) if limits is not None else (),
        events=tuple(events_of(reader, tiles, size, analytic.name)),
    )


def alert_rows(reader: Reader, analytic: str, until_ms: int) -> list[Row]:
    """The newest alerts of a rule before ``until_ms``, each incident once, at most ``MOST``."""
    return list(reader.all(_ALERTS, analytic, until_ms - DAYS * DAY, until_ms, MOST))


def of_this_rule(reader: Reader, rows: Iterable[Row], charter: Charter, analytic: str) -> list[Row]:
    """Those that were raised by the same model and rule as run now: others say nothing of these."""
    same: dict[str, bool] = {}
    now = renewed.rule_of(charter, analytic)
    for row in rows:
        digest = row["charter"]
        if digest not in same:
            same[digest] = renewed.rule_of(the_charter(reader, digest), analytic) == now
    return [row for row in rows if same[row["charter"]]]


def judged_alerts(rows: Iterable[Row], charter: Charter, analytic: Analytic, until_ms: int) -> list[Judged]:
    """Those alerts as they had been judged by then."""
    matures = charter.safeguards.review.matures_ms
    source = charter.source(analytic.source)
    made = []
    for row in rows:
        boxes = json.loads(row["boxes"])
        said = (row["value"], row["decided_ms"]) if row["value"] is not None else None
        made.append(
            Judged(
                raised_ms=row["raised_ms"],
                value=value_at(
                    raised_ms=row["raised_ms"],
                    until_ms=until_ms,
                    matures_ms=matures,
                    undo_ms=UNDO_WINDOW,
                    said=said,
                    drawn=bool(row["twice"]),
                    made=row["made"],
                ),
                in_time=timely(due_ms=row["due_ms"], until_ms=until_ms, undo_ms=UNDO_WINDOW, said_ms=row["decided_ms"]),
                light=stratum_of(source, row["raised_ms"]),
                in_view=len(boxes),
                **_seen(row["seen"], asked=source.conditions is not None),
                score=_share(row["score_per_mille"]),
                probability=_share(row["probability_per_mille"]),
                drill=bool(row["drill"]),
            )
        )
    return made


def watched_days(reader: Reader, charter: Charter, analytic: Analytic, until_ms: int) -> float | None:
    """For how many days of 24 hours the rule's camera was watched while nothing had stopped the rule, of the last 28.

    None: there are no heartbeats, so nobody can tell.
    """
    found = watched(reader, charter, analytic.source, until_ms, most=0)
    stops = list(_stops(reader, analytic.name, until_ms))
    seconds = 0.0
    for day in found.by_day:
        end = min(day.day_ms + DAY, until_ms)
        if end > day.day_ms:
            seconds += day.sums.seen * running_share(day.day_ms, end, stops)
    return seconds * 1000 / DAY if found.days.with_beats else None


def _stops(reader: Reader, analytic: str, until_ms: int) -> Iterator[tuple[int, int]]:
    """When the rule was stopped, by whomever."""
    for order in suspensions(reader):
        if order.scope == EVERYTHING or order.analytic == analytic:
            yield order.ordered_ms, order.lifted_ms or until_ms
    for stop in states.stops(reader, analytic):
        yield stop.stopped_ms, stop.over_ms or until_ms


def _limits(
    charter: Charter, limits: QualityLimits, alerts: Sequence[Judged], weekly: tuple[int, float], fewest: int
) -> tuple[Limit, ...]:
    found = nearness(limits, alerts, weekly, fewest)
    return tuple(Limit(limit_words(charter, limits, each.limit), each) for each in found)


def events_of(reader: Reader, tiles: TileReader, size: int, analytic: str) -> Iterator[Event]:
    """What the ledger says of how a rule stood, the newest first; then nothing that it does not say."""
    known = states.judged_of(reader, analytic)
    if known is not None and index_of(reader, known.leaf_hash) is None:
        yield Event("", known.state.value, states.STATE_WORDS[known.state], states.WHY.get(known.why, ""), None)
    rows = reader.all(
        "SELECT idx FROM entry WHERE act IN ('analytic_judged', 'recalibrated') AND analytic = ? AND idx < ? "
        "ORDER BY idx DESC LIMIT ?",
        analytic,
        size,
        _MOST_ENTRIES,
    )
    told = [_of_entry(each) for each in entries_of(reader, tiles, size, [int(row["idx"]) for row in rows])]
    for order in suspensions(reader):
        if order.scope == EVERYTHING or order.analytic == analytic:
            told.extend(_of_order(reader, order))
    yield from sorted(told, key=lambda each: -1 if each.index is None else -each.index)


def _of_entry(entry: Any) -> Event:
    clear = entry.clear or {}
    if entry.act == "recalibrated" and "cause" in clear:
        words, because = RECALIBRATED[clear["cause"]]
        return Event(entry.hour, "", words, because, entry.index)
    if "state" not in clear:
        return Event(entry.hour, "", "told in an archived entry", "", entry.index)
    state = State(clear["state"])
    return Event(entry.hour, state.value, states.STATE_WORDS[state], states.WHY.get(clear["cause"], ""), entry.index)


def _of_order(reader: Reader, order: Any) -> Iterator[Event]:
    if order.index is not None:
        yield Event(
            _hour(reader, order.index), "suspended", "suspended by oversight", "Oversight ordered it.", order.index
        )
    if order.lifted_index is not None:
        words = "allowed again by oversight"
        yield Event(
            _hour(reader, order.lifted_index), "", words, "Oversight signed that it may run again.", order.lifted_index
        )


def _hour(reader: Reader, index: int) -> str:
    row = reader.one("SELECT hour FROM entry WHERE idx = ?", index)
    return str(row["hour"]) if row is not None else ""


def _while_met(alerts: Sequence[Judged], fewest: int) -> Frequency:
    found = count(each for each in alerts if each.conditions != CONDITIONS[1])
    return Frequency(found.right, found.final, "alerts of this rule", "were real", fewest)


def _arrived(row: Row, until_ms: int) -> bool:
    return row["arrived_ms"] is not None and row["arrived_ms"] < until_ms


def _seen(text: str | None, *, asked: bool) -> dict[str, str]:
    """Under what conditions an alert was seen; nothing where it is of an earlier version."""
    seen = json.loads(text) if text is not None else None
    if seen is None:
        return {}
    return {
        "lighting": seen["light"] or "",
        "view": seen["view"] or "",
        "size": seen["size"] or "",
        "conditions": (CONDITIONS[bool(seen["degraded"])]) if asked or seen["degraded"] else "",
    }


def _degraded(reader: Reader, source: str, end: int, days: float | None) -> float | None:
    """The share of the watched time in which a source did not meet its conditions, 0..1; None: nobody can tell."""
    if not days:
        return None
    begin = end - WATCHED_DAYS * DAY
    return min(1.0, degraded_ms(spells(reader, source, begin, end), begin, end) / (days * DAY))


def _share(per_mille: int | None) -> float | None:
    return None if per_mille is None else per_mille / 1000
