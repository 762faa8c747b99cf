"""Alerts in the order in which they were raised, as the tests of limits take them: each once what they ask is final."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from watchglass.acts.charter_text import charter_of, the_charter
from watchglass.acts.score_drills import is_of_a_drill, may_be_of_a_drill
from watchglass.charter.model import Charter
from watchglass.quality.daylight import stratum_of
from watchglass.quality.finality import Awaited, Reading, final_of, in_time
from watchglass.quality.judging import IN_TIME, Counted
from watchglass.records.outbox import Reader, Row, Transaction
from watchglass.review.model import UNDO_WINDOW

MOST: Final = 200
"""How many are looked at in one go."""

_ALERTS: Final = (
    "SELECT o.number, o.epoch, o.alert, a.source, a.charter, a.raised_ms, a.due_ms, a.leaf_hash "
    "FROM alert_order AS o LEFT JOIN alert AS a ON a.id = o.alert "
    "WHERE o.analytic = ? AND o.number > ? ORDER BY o.number LIMIT ?"
)
_READINGS: Final = (
    "SELECT 1 AS read, value, decided_ms, drawn, drawn_below FROM verdict WHERE alert = ?1 AND withdrawn_ms IS NULL "
    "UNION ALL SELECT CASE s.why WHEN 'second' THEN 2 ELSE 3 END, v.value, v.decided_ms, NULL, NULL "
    "FROM shown_again AS s JOIN verdict AS v ON v.alert = s.alert AND v.withdrawn_ms IS NULL "
    "WHERE s.of_alert = ?1 AND s.why != 'check'"
)


@dataclass(frozen=True, slots=True)
class Known:
    """One alert, ready for a test.

    Attributes:
        counted: None where it was destroyed before it was final: then nobody can tell any more; or for a drill's own.
        drill: whether a staged drill raised it. Only whether it was looked at in time counts then.
    """

    number: int
    charter: Charter
    leaf_hash: bytes
    counted: Counted | None
    final_ms: int
    drill: bool = False


def batch(reader: Reader, analytic: str, after: int, test: str, now_ms: int, most: int = MOST) -> list[Known]:
    """The alerts of ``analytic`` that follow number ``after`` and are ready, up to the first that is not."""
    return list(_ready(reader, analytic, reader.all(_ALERTS, analytic, after, most), test, now_ms))


def put_in_order(tx: Transaction, alert: str, analytic: str) -> None:
    """Give a new alert its place."""
    row = tx.one("SELECT epoch FROM judged WHERE analytic = ?", analytic)
    tx.insert("alert_order", {"alert": alert, "analytic": analytic, "epoch": int(row["epoch"]) if row else 0})


def note_final(tx: Transaction, alert: Known) -> None:
    """Keep since when an alert is final."""
    tx.execute(
        "UPDATE alert_order SET final_ms = ? WHERE number = ? AND final_ms IS NULL", alert.final_ms, alert.number
    )


def _ready(reader: Reader, analytic: str, rows: Iterable[Row], test: str, now_ms: int) -> Iterator[Known]:
    gone: Charter | None = None
    for row in rows:
        if row["alert"] is None:
            gone = gone or _newest(reader)
            yield Known(row["number"], gone, b"", None, now_ms)
            continue
        charter = the_charter(reader, row["charter"])
        if test != IN_TIME:
            if may_be_of_a_drill(reader, analytic, row["raised_ms"], now_ms):
                return
            if is_of_a_drill(reader, row["alert"]):
                yield Known(row["number"], charter, bytes(row["leaf_hash"]), None, now_ms, drill=True)
                continue
        awaited = _awaited(reader, row)
        value, final_ms = None, now_ms
        timely = in_time(awaited, now_ms=now_ms, undo_ms=UNDO_WINDOW)
        if test != IN_TIME:
            final = final_of(
                awaited, now_ms=now_ms, matures_ms=charter.safeguards.review.matures_ms, undo_ms=UNDO_WINDOW
            )
            if final is None:
                return
            value, final_ms = final.value, final.at_ms
        elif timely is None:
            return
        stratum = stratum_of(charter.source(row["source"]), row["raised_ms"])
        counted = Counted(row["number"], row["raised_ms"], row["epoch"], stratum, value, timely)
        yield Known(row["number"], charter, bytes(row["leaf_hash"]), counted, final_ms)


def _awaited(reader: Reader, row: Row) -> Awaited:
    found = reader.all(_READINGS, row["alert"])
    first = next((each for each in found if each["read"] == 1), None)
    drawn = False
    if first is not None and first["drawn"] is not None:
        drawn = first["drawn"] < first["drawn_below"]
    return Awaited(
        row["number"],
        row["raised_ms"],
        row["due_ms"],
        tuple(Reading(each["read"], each["value"], each["decided_ms"]) for each in found),
        second_drawn=drawn,
    )


def _newest(reader: Reader) -> Charter:
    row = reader.one("SELECT text FROM charter_version ORDER BY version DESC LIMIT 1")
    assert row is not None  # there was an alert, so there was a charter
    return charter_of(bytes(row["text"]))
