"""Act: once a day it is recorded what people made together of alerts, and which were checks.

Until then nobody is told that an alert was a check, and nothing shows that a second person has judged another one.
"""

from __future__ import annotations

from typing import Final

from watchglass.acts.alerts import the_alert
from watchglass.acts.context import Acting, attest
from watchglass.acts.rereads import judged
from watchglass.acts.shown import FIRST
from watchglass.charter.model import Charter
from watchglass.core.digest import b64
from watchglass.core.time import DAY
from watchglass.records.outbox import Reader, Row, Transaction
from watchglass.review.model import UNDO_WINDOW

DAY_CLOSED: Final = "reads_closed_until"
_MOST: Final = 200


def settle_reads(acting: Acting, charter: Charter) -> int:
    """Note what was made of each alert that was drawn for a second judgement, once nothing is owed or it has matured.

    Returns:
        How many were noted.
    """
    now, reader = acting.clock.now(), acting.store.read()
    matured = now - charter.safeguards.review.matures_ms - DAY  # what was shown at the last moment is judged by then
    rows = reader.all(
        "SELECT alert.id, alert.raised_ms FROM alert JOIN verdict ON verdict.alert = alert.id "  # noqa: S608 (constant text)
        f"AND verdict.withdrawn_ms IS NULL WHERE verdict.drawn < verdict.drawn_below AND {FIRST} "
        "AND alert.id NOT IN (SELECT alert FROM reads) AND (alert.raised_ms <= ? OR EXISTS "
        "(SELECT 1 FROM shown_again WHERE of_alert = alert.id AND why = 'second')) LIMIT ?",
        matured,
        _MOST,
    )
    due = []
    for row in rows:
        known = judged(reader, row["id"], now)
        if known is not None and (known.settled or row["raised_ms"] <= matured):
            due.append((row["id"], known))

    def act(tx: Transaction) -> None:
        for alert, known in due:
            values = {"value": known.value.value, "told": int(known.tell), "settled_ms": now}
            tx.insert("reads", {"alert": alert, **values})

    if due:
        acting.store.commit(act)
    return len(due)


def close_reads(acting: Acting, charter: Charter) -> bool:
    """Record what was settled until the last midnight (UTC), whether or not there is anything; once a day.

    Returns:
        Whether it was the time for it.
    """
    midnight = acting.clock.now() // DAY * DAY
    reader = acting.store.read()
    row = reader.one("SELECT value FROM setting WHERE key = ?", DAY_CLOSED)
    if row is not None and int(row["value"]) >= midnight:
        return False
    while True:
        closed = reader.all("SELECT * FROM reads WHERE closed_ms IS NULL AND settled_ms < ? LIMIT ?", midnight, _MOST)
        checks = reader.all(
            "SELECT shown_again.* FROM shown_again JOIN verdict ON verdict.alert = shown_again.alert "
            "AND verdict.withdrawn_ms IS NULL WHERE why = 'check' AND closed_ms IS NULL AND verdict.decided_ms < ? "
            "LIMIT ?",
            midnight - UNDO_WINDOW,
            _MOST,
        )
        acting.store.commit(lambda tx, c=closed, k=checks: _record(acting, tx, charter, c, k))  # type: ignore[misc]  # defaults bind the loop's values
        if max(len(closed), len(checks)) < _MOST:
            break

    def done(tx: Transaction) -> None:
        tx.execute("DELETE FROM setting WHERE key = ?", DAY_CLOSED)
        tx.insert("setting", {"key": DAY_CLOSED, "value": str(midnight)})

    acting.store.commit(done)
    return True


def _record(acting: Acting, tx: Transaction, charter: Charter, closed: list[Row], checks: list[Row]) -> None:
    attest(
        acting,
        tx,
        "reads_closed",
        by=None,
        under=charter,
        committed={
            "closed": [
                {
                    "alert": b64(the_alert(tx, row["alert"]).leaf_hash),
                    "reads": _leaves(tx, row["alert"]),
                    "value": row["value"],
                    "told": "yes" if row["told"] else "no",
                }
                for row in closed
            ],
            "checks": [
                {
                    "alert": b64(the_alert(tx, row["alert"]).leaf_hash),
                    "of": b64(bytes(row["of_leaf"])),
                    "truth": row["truth"],
                }
                for row in checks
            ],
        },
    )
    now = acting.clock.now()
    for row in closed:
        tx.execute("UPDATE reads SET closed_ms = ? WHERE alert = ?", now, row["alert"])
    for row in checks:
        tx.execute("UPDATE shown_again SET closed_ms = ? WHERE alert = ?", now, row["alert"])


def _leaves(reader: Reader, alert_id: str) -> list[str]:
    """The records of the judgements of an alert, the first one first."""
    rows = reader.all(
        "SELECT verdict.leaf_hash FROM verdict LEFT JOIN shown_again ON shown_again.alert = verdict.alert "
        "WHERE verdict.withdrawn_ms IS NULL AND (verdict.alert = ?1 OR (of_alert = ?1 AND why != 'check')) "
        "ORDER BY verdict.id",
        alert_id,
    )
    return [b64(bytes(row["leaf_hash"])) for row in rows]
