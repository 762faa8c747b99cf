"""Act: what has reached the end of its retention is destroyed: keys first, then ciphertext, then salts."""

from __future__ import annotations

from typing import Final

from watchglass.acts.context import Acting, attest
from watchglass.charter.model import Charter
from watchglass.core.time import hour_of, minute_of
from watchglass.records.outbox import Reader, Row, Transaction
from watchglass.records.vocabulary import ACTS

_OF_ALERTS: Final = tuple(sorted(name for name, spec in ACTS.items() if "alert" in spec.committed))
"""The acts whose openings tell of an alert."""


def apply_retention(acting: Acting, charter: Charter) -> dict[str, int]:
    """Destroy what ``charter`` keeps no longer.

    Returns:
        How many clips, alerts, openings of alerts, and sealed segments went.
    """
    now = acting.clock.now()
    keep = charter.safeguards.retention
    clips = _clips(acting, charter, now - keep.reviewer_clips_ms)
    alerts = _alerts(acting, charter, now - keep.alerts_ms)
    openings = _openings(acting, charter, now - keep.alerts_ms)
    segments = _segments(acting, charter, now)
    return {"clips": clips, "alerts": alerts, "openings": openings, "segments": segments}


def _clips(acting: Acting, charter: Charter, before: int) -> int:
    """Keys and ciphertext of old clips, and the painted stills of as old alerts."""
    reader: Reader = acting.store.read()
    rows = reader.all("SELECT id, path FROM clip WHERE made_ms < ? AND destroyed_ms IS NULL", before)
    stills = "raised_ms < ? AND length(still) > 0"
    still = reader.one(f"SELECT 1 FROM alert WHERE {stills} LIMIT 1", before)  # noqa: S608 (constant text)
    if not rows and still is None:
        return 0

    def act(tx: Transaction) -> None:
        _attest(acting, tx, charter, "clips", len(rows), before)
        for row in rows:
            tx.execute("UPDATE clip SET key = NULL, destroyed_ms = ? WHERE id = ?", acting.clock.now(), row["id"])
        tx.execute(f"UPDATE alert SET still = x'' WHERE {stills}", before)  # noqa: S608 (constant text)

    acting.store.commit(act)
    for row in rows:
        acting.clips.destroy(row["path"])
    return len(rows)


def _alerts(acting: Acting, charter: Charter, before: int) -> int:
    """Rows, salts and sealed openings of old alerts; waiting ones stay, for they still owe somebody a decision."""
    reader: Reader = acting.store.read()
    rows = reader.all("SELECT id, leaf_hash FROM alert WHERE raised_ms < ? AND state = 'decided'", before)
    if not rows:
        return 0

    def act(tx: Transaction) -> list[str]:
        _attest(acting, tx, charter, "alerts", len(rows), before)
        return [path for row in rows for path in _forget(tx, row)]

    for path in acting.store.commit(act).value:
        acting.clips.destroy(path)
    return len(rows)


def _forget(tx: Transaction, alert: Row) -> list[str]:
    """Everything of one alert; the files of its clips are left to destroy."""
    number, leaves = alert["id"], [alert["leaf_hash"]]
    for table in ("verdict", "handover"):
        rows = tx.all(f"SELECT leaf_hash FROM {table} WHERE alert = ?", number)  # noqa: S608 (from the tuple above)
        leaves += [row["leaf_hash"] for row in rows]
    for leaf in leaves:
        tx.execute("DELETE FROM opening WHERE leaf_hash = ?", leaf)
    paths = [row["path"] for row in tx.all("SELECT path FROM clip WHERE alert = ?", number)]
    for table in ("clip_view", "clip", "verdict", "handover"):
        tx.execute(f"DELETE FROM {table} WHERE alert = ?", number)  # noqa: S608 (from the tuple above)
    tx.execute("DELETE FROM alert WHERE id = ?", number)
    return paths


def _openings(acting: Acting, charter: Charter, before: int) -> int:
    """The openings of every other record of alerts (steps, outcomes, looks), by their hour; then keys without openings.

    What an alert's row still stands for keeps its opening, as the alert is still waiting.
    """
    hour = hour_of(before)
    marks = ", ".join("?" * len(_OF_ALERTS))
    due = (
        f"SELECT opening.idx FROM opening JOIN entry USING (idx) WHERE entry.hour < ? AND entry.act IN ({marks})"  # noqa: S608 (question marks)
        " AND opening.leaf_hash NOT IN (SELECT leaf_hash FROM alert)"
    )
    reader: Reader = acting.store.read()
    rows = reader.all(due, hour, *_OF_ALERTS)
    if not rows:
        return 0

    def act(tx: Transaction) -> None:
        _attest(acting, tx, charter, "openings", len(rows), before)
        for row in rows:
            tx.execute("DELETE FROM opening WHERE idx = ?", row["idx"])
        tx.execute(
            "DELETE FROM opening_key WHERE hour < ? AND key_id NOT IN (SELECT key_id FROM opening)"
            " AND key_id NOT IN (SELECT key_id FROM outbox WHERE key_id IS NOT NULL)",
            hour,
        )

    acting.store.commit(act)
    return len(rows)


def _segments(acting: Acting, charter: Charter, now: int) -> int:
    """Sealed originals past their own retention, but for those that a hold keeps: wrapped keys first, then chunks.

    What a charter promised when a segment was sealed holds for it, whatever a later charter says.
    """
    due = (
        "SELECT id, path FROM segment WHERE keep_until_ms <= ? AND destroyed_ms IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM hold WHERE lifted_ms IS NULL AND until_ms > ? AND hold.source = segment.source"
        " AND hold.from_ms < segment.to_ms AND hold.to_ms > segment.from_ms)"
    )
    reader: Reader = acting.store.read()
    if not reader.all(due, now, now):
        return 0

    def act(tx: Transaction) -> list[str]:
        rows = tx.all(due, now, now)
        if rows:
            _attest(acting, tx, charter, "segments", len(rows), now)
        for row in rows:
            tx.execute("UPDATE segment SET header = NULL, opened = NULL, destroyed_ms = ? WHERE id = ?", now, row["id"])
        return [row["path"] for row in rows]

    paths = acting.store.commit(act).value
    for path in paths:
        acting.objects.destroy(path)
    return len(paths)


def _attest(acting: Acting, tx: Transaction, charter: Charter, what: str, count: int, before: int) -> None:
    attest(
        acting,
        tx,
        "retention_applied",
        by=None,
        under=charter,
        clear={"what": what},
        committed={"count": count, "before": minute_of(before)},
    )
