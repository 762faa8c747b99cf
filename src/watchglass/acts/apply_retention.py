"""Act: what has reached the end of its retention is destroyed: keys first, then ciphertext, then salts."""

from __future__ import annotations

from watchglass.acts.context import Acting, attest
from watchglass.charter.model import Charter
from watchglass.core.time import minute_of
from watchglass.records.outbox import Reader, Transaction


def apply_retention(acting: Acting, charter: Charter) -> dict[str, int]:
    """Destroy what ``charter`` keeps no longer.

    Returns:
        How many clips and alerts went.
    """
    now = acting.clock.now()
    keep = charter.safeguards.retention
    clips = _clips(acting, charter, now - keep.reviewer_clips_ms)
    alerts = _alerts(acting, charter, now - keep.alerts_ms)
    return {"clips": clips, "alerts": alerts}


def _clips(acting: Acting, charter: Charter, before: int) -> int:
    reader: Reader = acting.store.read()
    due = "made_ms < ? AND destroyed_ms IS NULL"
    rows = reader.all(f"SELECT id, path, alert FROM clip WHERE {due}", before)  # noqa: S608 (constant text)
    if not rows:
        return 0

    def act(tx: Transaction) -> None:
        _attest(acting, tx, charter, "clips", len(rows), before)
        for row in rows:
            tx.execute("UPDATE clip SET key = NULL, destroyed_ms = ? WHERE id = ?", acting.clock.now(), row["id"])
            tx.execute("UPDATE alert SET still = x'' WHERE id = ?", row["alert"])

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

    def act(tx: Transaction) -> None:
        _attest(acting, tx, charter, "alerts", len(rows), before)
        for row in rows:
            _forget(tx, row["id"], row["leaf_hash"])

    acting.store.commit(act)
    return len(rows)


def _forget(tx: Transaction, alert: str, leaf_hash: bytes) -> None:
    leaves = [leaf_hash]
    for table in ("verdict", "handover"):
        leaves += [
            row["leaf_hash"]
            for row in tx.all(f"SELECT leaf_hash FROM {table} WHERE alert = ?", alert)  # noqa: S608 (from the tuple above)
        ]
    for leaf in leaves:
        tx.execute("DELETE FROM opening WHERE leaf_hash = ?", leaf)
    for table in ("clip_view", "clip", "verdict", "handover"):
        tx.execute(f"DELETE FROM {table} WHERE alert = ?", alert)  # noqa: S608 (from the tuple above)
    tx.execute("DELETE FROM alert WHERE id = ?", alert)


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
