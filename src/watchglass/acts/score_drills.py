"""Act: the house says what became of each drill, after its day; nobody else does.

Before that it notes which alerts are a drill's own, as soon as its times cannot change any more: they count neither as
right nor as wrong, and the tests of limits wait for that.
"""

from __future__ import annotations

from watchglass.acts import judged as states
from watchglass.acts.context import Acting, Done, attest, do
from watchglass.acts.drills import Drill, charter_of_drill, day_of, drill_from, open_drills
from watchglass.acts.reading import suspensions
from watchglass.acts.shown import FIRST
from watchglass.charter.model import EVERYTHING, Charter
from watchglass.core.digest import b64
from watchglass.core.time import MINUTE, SECOND
from watchglass.quality.daylight import stratum_of
from watchglass.quality.drilled import Cause, Result, due_ms, outside_hours, owns
from watchglass.records.outbox import Reader, Transaction


def score_drills(acting: Acting, charter: Charter) -> Done[list[Drill]] | None:
    """Note the alerts of drills that are over, and score those whose day is.

    Args:
        charter: the one in force.

    Returns:
        What was scored; None where there was nothing to do.

    Raises:
        CannotRecord: something was due and could not be recorded; look again.
    """
    reader, now = acting.store.read(), acting.clock.now()
    over = [each for each in _unscored(reader, now) if each.times.told_by(now)]
    due = [each for each in over if due_ms(each.to_ms, each.reach_ms) <= now]
    if not due and not any(_own(reader, each, marked=False) for each in over):
        return None

    def act(tx: Transaction) -> list[Drill]:
        for each in over:
            for alert, _ in _own(tx, each, marked=False):
                tx.execute("INSERT OR IGNORE INTO drill_alert (alert, drill) VALUES (?, ?)", alert, each.id)
        return [_score(acting, tx, charter, each) for each in due]

    return do(acting, act)


def may_be_of_a_drill(reader: Reader, analytic: str, at_ms: int, now_ms: int) -> bool:
    """Whether an alert that was raised then may yet turn out to be of a drill."""
    for each in open_drills(reader, analytic):
        settled = each.times.told_by(now_ms)
        if not settled and each.times.may_hold(at_ms, each.reach_ms):
            return True
    return False


def is_of_a_drill(reader: Reader, alert: str) -> bool:
    """Whether an alert was a drill's own."""
    return reader.one("SELECT 1 FROM drill_alert WHERE alert = ?", alert) is not None


def _unscored(reader: Reader, now_ms: int) -> list[Drill]:
    sql = "SELECT * FROM drill WHERE scored_ms IS NULL AND called_off_ms IS NULL AND from_ms <= ? ORDER BY from_ms, id"
    return [drill_from(row) for row in reader.all(sql, now_ms)]


def _own(reader: Reader, drill: Drill, *, marked: bool) -> list[tuple[str, bytes]]:
    """(id, record) of the alerts that are the drill's own; without ``marked``: of those that are not noted yet."""
    if drill.begun_ms is None or drill.times.end_ms is None:
        return []
    known = "" if marked else "AND NOT EXISTS (SELECT 1 FROM drill_alert WHERE drill_alert.alert = alert.id) "
    rows = reader.all(
        "SELECT id, leaf_hash, raised_ms FROM alert WHERE analytic = ? AND source = ? AND raised_ms >= ? "  # noqa: S608  # constant text
        f"AND raised_ms <= ? AND {FIRST} {known}ORDER BY raised_ms, id",
        *(drill.analytic, drill.source, drill.begun_ms - MINUTE, drill.times.end_ms + drill.reach_ms + MINUTE),
    )
    begun, end = drill.begun_ms, drill.times.end_ms
    return [(row["id"], bytes(row["leaf_hash"])) for row in rows if owns(begun, end, row["raised_ms"], drill.reach_ms)]


def _score(acting: Acting, tx: Transaction, charter: Charter, drill: Drill) -> Drill:
    run_under = charter_of_drill(tx, drill)
    at = drill.begun_ms if drill.begun_ms is not None else drill.from_ms
    own = _own(tx, drill, marked=True)
    cause = _why_not(tx, charter, run_under, drill)
    result = (
        Result.NOT_COUNTED
        if cause is not None
        else Result.NOT_RUN
        if drill.begun_ms is None
        else Result.NOTICED
        if own
        else Result.MISSED
    )
    stratum = stratum_of(run_under.source(drill.source), at)
    leaf_hash = attest(
        acting,
        tx,
        "drill_scored",
        by=None,
        under=charter,
        clear={
            "drill": drill.id,
            "analytic": drill.analytic,
            "source": drill.source,
            "day": day_of(drill.from_ms),
            "stratum": stratum,
            "result": result.value,
            "cause": cause.value if cause is not None else None,
        },
        committed={
            "begun_ms": drill.begun_ms,
            "ended_ms": drill.times.end_ms,
            "alerts": [b64(leaf) for _, leaf in own][:200],
        },
        refs=[drill.leaf_hash],
    )
    newest = tx.one("SELECT coalesce(max(number), 0) AS n FROM drill")
    resumed = tx.one("SELECT count(*) AS n FROM limit_stop WHERE analytic = ? AND over_ms <= ?", drill.analytic, at)
    tx.execute(
        "UPDATE drill SET stratum = ?, result = ?, cause = ?, epoch = ?, number = ?, scored_ms = ?, scored_leaf = ? "
        "WHERE id = ?",
        *(stratum, result.value, cause.value if cause else None, int(resumed["n"]) if resumed else 0),
        *(int(newest["n"]) + 1 if newest else 1, acting.clock.now(), leaf_hash, drill.id),
    )
    row = tx.one("SELECT * FROM drill WHERE id = ?", drill.id)
    assert row is not None  # it was just written
    return drill_from(row)


def _why_not(reader: Reader, charter: Charter, run_under: Charter, drill: Drill) -> Cause | None:
    """Why it does not count. One that was run: the rule did not run all the while; else: it never did."""
    ran = drill.begun_ms is not None
    begin, end = (drill.begun_ms or drill.from_ms), (drill.times.end_ms or drill.to_ms)
    if not ran and all(each.name != drill.analytic for each in charter.analytics):
        return Cause.NOT_ALLOWED
    rule = run_under.analytic(drill.analytic)
    if ran and outside_hours(run_under, rule, (begin, end)):
        return Cause.OUTSIDE_HOURS
    stops = [
        (order.ordered_ms, order.lifted_ms)
        for order in suspensions(reader)
        if order.scope == EVERYTHING or order.analytic == drill.analytic
    ]
    stops += [(stop.stopped_ms, stop.over_ms) for stop in states.stops(reader, drill.analytic)]
    for a, b in stops:
        if (a < end and (b is None or b > begin)) if ran else (a <= begin and (b is None or b >= end)):
            return Cause.STOPPED
    if run_under.ledger.heartbeat_every_ms is None:
        return None
    seen = _seen_ms(reader, drill.source, begin, end)
    return Cause.DARK if (seen < end - begin if ran else seen == 0) else None


def _seen_ms(reader: Reader, source: str, begin: int, end: int) -> int:
    """For how long heartbeats say that pictures came, to the second."""
    rows = reader.all(
        "SELECT from_s, to_s FROM watched WHERE source = ? AND state = 'seen' AND to_s > ? AND from_s < ?",
        *(source, begin // SECOND, -(-end // SECOND)),
    )
    total, reached = 0, begin
    for row in sorted(rows, key=lambda each: int(each["from_s"])):
        a, b = max(reached, row["from_s"] * SECOND, begin), min(end, (row["to_s"] + 1) * SECOND)
        total += max(0, b - a)
        reached = max(reached, b)
    return total
