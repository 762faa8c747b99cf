"""Act: what has reached the end of its retention is destroyed: keys first, then ciphertext, then salts.

What opens an object is gone for good when the act is done. An object that cannot be destroyed then (its store is away)
is found again by each later round, which compares what the store holds with the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from watchglass.acts.context import Acting, Objects, attest
from watchglass.acts.forget_accesses import (
    DUE_SEGMENTS,
    accesses_are_due,
    destroy_shares,
    forget_accesses,
    forget_keys,
    shares_are_due,
)
from watchglass.acts.reports import forget_reports
from watchglass.charter.model import Charter
from watchglass.core.errors import WatchglassError
from watchglass.core.time import DAY, hour_of, minute_of
from watchglass.records.outbox import Reader, Row, Transaction
from watchglass.records.vocabulary import OF_ALERTS

_OF_ALERTS: Final = tuple(sorted(OF_ALERTS))
_MOST_BEATS: Final = 20_000
_OLDEST_BEATS: Final = (
    "SELECT opening.idx, entry.hour FROM opening CROSS JOIN entry USING (idx) WHERE entry.act = 'heartbeat'"
    " ORDER BY opening.idx LIMIT ?"
)
"""The oldest openings of heartbeats: there may be millions, of which a round looks at no more than it may need."""
_CLIPS_OF_DUE: Final = (
    "SELECT clip.id, clip.path FROM clip JOIN shown_again ON shown_again.alert = clip.alert"
    " JOIN clip AS first ON first.alert = shown_again.of_alert WHERE first.made_ms < ? AND clip.destroyed_ms IS NULL"
)
"""Clips of what is shown again go when the clip goes that they were made from. Their own time is told of all the same,
when it comes: else the record of the log would seem to lack it."""
_CLIPS: Final = "(SELECT path, destroyed_ms FROM clip UNION ALL SELECT path, destroyed_ms FROM sample)"
_BATCH: Final = 500
"""Objects that are compared with their rows at once."""


@dataclass(slots=True)
class Leftovers:
    """Objects whose keys are destroyed, and that lie in their store still.

    Attributes:
        count: how many could not be destroyed in this round, as far as is known.
        trouble: what the last of them met.
        swept: how many went that an earlier round or a crash had left.
        missing: how many sealed segments have a row and no object. Nobody can open them any more.
    """

    count: int = 0
    trouble: WatchglassError | None = None
    swept: int = 0
    missing: int = 0

    def missed(self, error: WatchglassError, count: int = 1) -> None:
        self.count += count
        self.trouble = error


def apply_retention(acting: Acting, charter: Charter, leftovers: Leftovers | None = None) -> dict[str, int]:
    """Destroy what ``charter`` keeps no longer.

    Args:
        leftovers: is told of objects that could not be destroyed now, and of those that earlier rounds had left.

    Returns:
        How many clips, alerts, openings of alerts, shares that were sealed anew, sealed segments, rows and openings of
        cases, requests, orders to keep and signals, samples of what was not alerted, and rows of what others noted
        down went.
    """
    now = acting.clock.now()
    keep = charter.safeguards.retention
    left = leftovers if leftovers is not None else Leftovers()
    clips = _clips(acting, charter, now - keep.reviewer_clips_ms, left)
    alerts = _alerts(acting, charter, now - keep.alerts_ms, left)
    openings = _openings(acting, charter, now - keep.alerts_ms)
    shares = _shares(acting, charter, now)
    segments = _segments(acting, charter, now, left)
    accesses = _accesses(acting, charter, now - keep.alerts_ms)
    samples = _samples(acting, charter, now, left)
    reports = forget_reports(acting, charter)
    if left.trouble is None:
        due = acting.store.read().all("SELECT path FROM segment WHERE destroyed_ms IS NULL")
        there: set[str] = set()
        left.swept = _sweep(acting, acting.clips, _CLIPS, left)
        left.swept += _sweep(acting, acting.objects, "segment", left, there)
        if left.trouble is None:  # else not everything was listed
            left.missing = len({row["path"] for row in due} - there)
    return {
        "clips": clips,
        "alerts": alerts,
        "openings": openings,
        "shares": shares,
        "segments": segments,
        "accesses": accesses,
        "samples": samples,
        "reports": reports,
    }


def _destroy(objects: Objects, names: Sequence[str], left: Leftovers) -> int:
    """Destroy objects until one cannot be destroyed: its store is away, and the others would only wait as long.

    Returns:
        How many went.
    """
    for place, name in enumerate(names):
        try:
            objects.destroy(name)
        except WatchglassError as error:
            left.missed(error, len(names) - place)
            return place
    return len(names)


def _sweep(acting: Acting, objects: Objects, table: str, left: Leftovers, there: set[str] | None = None) -> int:
    """Destroy what lies in the store and should not: its row says destroyed, or no row has known it for a day.

    A row follows its object within moments, so one that has none for a day is left over from a crash.

    Args:
        there: is told of everything that lies in the store.

    Returns:
        How many went.
    """
    now, gone = acting.clock.now(), 0
    every = iter(objects.kept())
    while True:
        try:
            batch = dict(islice(every, _BATCH))
        except WatchglassError as error:
            left.missed(error, 0)
            return gone
        if not batch:
            return gone
        if there is not None:
            there.update(batch)
        rows = acting.store.read().all(
            f"SELECT path, destroyed_ms FROM {table} WHERE path IN ({', '.join('?' * len(batch))})",  # noqa: S608 (question marks)
            *batch,
        )
        stays = {row["path"] for row in rows if row["destroyed_ms"] is None}
        known = {row["path"] for row in rows}
        due = [n for n, made in batch.items() if n not in stays and (n in known or now - made > DAY)]
        went = _destroy(objects, due, left)
        gone += went
        if went < len(due):
            return gone


def _clips(acting: Acting, charter: Charter, before: int, left: Leftovers) -> int:
    """Keys and ciphertext of old clips, and the painted stills of as old alerts."""
    reader: Reader = acting.store.read()
    rows = reader.all("SELECT id, path FROM clip WHERE made_ms < ? AND destroyed_ms IS NULL", before)
    again = reader.all(_CLIPS_OF_DUE, before)
    stills = "raised_ms < ? AND length(still) > 0"
    still = reader.one(f"SELECT 1 FROM alert WHERE {stills} LIMIT 1", before)  # noqa: S608 (constant text)
    earlier = reader.one("SELECT 1 FROM shown_again WHERE clip_ms < ? LIMIT 1", before)
    if not rows and still is None and earlier is None:
        return 0
    known = {row["id"] for row in rows}
    rows = [*rows, *(row for row in again if row["id"] not in known)]

    def act(tx: Transaction) -> None:
        _attest(acting, tx, charter, "clips", len(rows), before)
        for row in rows:
            tx.execute("UPDATE clip SET key = NULL, destroyed_ms = ? WHERE id = ?", acting.clock.now(), row["id"])
        for row in tx.all(
            "SELECT alert FROM shown_again JOIN alert ON alert.id = of_alert WHERE raised_ms < ?", before
        ):
            tx.execute("UPDATE alert SET still = x'' WHERE id = ?", row["alert"])
        tx.execute(f"UPDATE alert SET still = x'' WHERE {stills}", before)  # noqa: S608 (constant text)
        tx.execute("UPDATE shown_again SET clip_ms = NULL WHERE clip_ms < ?", before)

    acting.store.commit(act)
    _destroy(acting.clips, [row["path"] for row in rows], left)
    return len(rows)


def _samples(acting: Acting, charter: Charter, now: int, left: Leftovers) -> int:
    """Clips of what was not alerted, each at its own end; then the answers about them, with alerts as old.

    What a charter promised when a sample was taken holds for it, whatever a later charter says.
    """
    before = now - charter.safeguards.retention.alerts_ms
    over = "kept_until_ms <= ? AND destroyed_ms IS NULL"
    old = "taken_ms < ? AND destroyed_ms IS NOT NULL"
    reader: Reader = acting.store.read()
    due = reader.one(f"SELECT 1 FROM sample WHERE ({over}) OR ({old}) LIMIT 1", now, before)  # noqa: S608 (constant text)
    if due is None and reader.one("SELECT 1 FROM near_miss WHERE day_ms < ? AND told LIMIT 1", before - DAY) is None:
        return 0

    def act(tx: Transaction) -> list[str]:
        paths = [row["path"] for row in tx.all(f"SELECT path FROM sample WHERE {over}", now) if row["path"]]  # noqa: S608 (constant text)
        if paths:
            _attest(acting, tx, charter, "samples", len(paths), now)
        tx.execute(f"UPDATE sample SET key = NULL, destroyed_ms = ? WHERE {over}", now, now)  # noqa: S608 (constant text)
        tx.execute(f"DELETE FROM sample WHERE {old}", before)  # noqa: S608 (constant text)
        tx.execute("DELETE FROM near_miss WHERE day_ms < ? AND told", before - DAY)
        return paths

    paths = acting.store.commit(act).value
    _destroy(acting.clips, paths, left)
    return len(paths)


def _alerts(acting: Acting, charter: Charter, before: int, left: Leftovers) -> int:
    """Rows, salts and sealed openings of old alerts; waiting ones stay, for they still owe somebody a decision."""
    reader: Reader = acting.store.read()
    rows = reader.all("SELECT id, leaf_hash FROM alert WHERE raised_ms < ? AND state = 'decided'", before)
    if not rows:
        return 0

    def act(tx: Transaction) -> list[str]:
        _attest(acting, tx, charter, "alerts", len(rows), before)
        return [path for row in rows for path in _forget(tx, row, acting.clock.now())]

    _destroy(acting.clips, acting.store.commit(act).value, left)
    return len(rows)


def _forget(tx: Transaction, alert: Row, now: int) -> list[str]:
    """Everything of one alert; the files of its clips are left to destroy.

    Of what was shown again of it, all that was copied goes with it; that it was shown, and what was said, has a time of
    its own.
    """
    number, leaves = alert["id"], [alert["leaf_hash"]]
    paths = _forget_copies(tx, number, now)
    for table in ("verdict", "handover"):
        rows = tx.all(f"SELECT leaf_hash FROM {table} WHERE alert = ?", number)  # noqa: S608 (from the tuple above)
        leaves += [row["leaf_hash"] for row in rows]
    for leaf in leaves:
        tx.execute("DELETE FROM opening WHERE leaf_hash = ?", leaf)
    paths += [row["path"] for row in tx.all("SELECT path FROM clip WHERE alert = ?", number)]
    for table in ("clip_view", "clip", "verdict", "handover"):
        tx.execute(f"DELETE FROM {table} WHERE alert = ?", number)  # noqa: S608 (from the tuple above)
    tx.execute("DELETE FROM alert WHERE id = ?", number)
    return paths


def _forget_copies(tx: Transaction, number: str, now: int) -> list[str]:
    """What was copied of an alert to show it again; the files of clips are left to destroy."""
    paths = []
    for row in tx.all("SELECT alert FROM shown_again WHERE of_alert = ?", number):
        copy = row["alert"]
        paths += [clip["path"] for clip in tx.all("SELECT path FROM clip WHERE alert = ? AND key IS NOT NULL", copy)]
        tx.execute("UPDATE clip SET key = NULL, destroyed_ms = ? WHERE alert = ? AND key IS NOT NULL", now, copy)
        tx.execute(
            "UPDATE alert SET still = x'', boxes = '[]', facts = '{}', zone = NULL, why = '', score_per_mille = NULL, "
            "probability_per_mille = NULL, calibration = NULL WHERE id = ?",
            copy,
        )
    return paths


def _openings(acting: Acting, charter: Charter, before: int) -> int:
    """The openings of every other record of alerts (steps, outcomes, looks), by their hour; then keys without openings.

    What an alert's row still stands for keeps its opening, as the alert is still waiting. Heartbeats count incidents,
    so what opens them goes with the alerts.
    """
    hour = hour_of(before)
    marks = ", ".join("?" * len(_OF_ALERTS))
    due = (
        f"SELECT opening.idx FROM opening JOIN entry USING (idx) WHERE entry.hour < ? AND entry.act IN ({marks})"  # noqa: S608 (question marks)
        " AND opening.leaf_hash NOT IN (SELECT leaf_hash FROM alert)"
    )
    reader: Reader = acting.store.read()
    rows = [row["idx"] for row in reader.all(due, hour, *_OF_ALERTS)]
    rows += [row["idx"] for row in reader.all(_OLDEST_BEATS, _MOST_BEATS) if row["hour"] < hour]
    if not rows:
        return 0

    def act(tx: Transaction) -> None:
        _attest(acting, tx, charter, "openings", len(rows), before)
        for index in rows:
            tx.execute("DELETE FROM opening WHERE idx = ?", index)
        forget_keys(tx, hour)

    acting.store.commit(act)
    return len(rows)


def _shares(acting: Acting, charter: Charter, now: int) -> int:
    """Shares that custodians sealed anew, once a request has run out or an order to keep is over."""
    if not shares_are_due(acting.store.read(), now):
        return 0

    def act(tx: Transaction) -> int:
        count = destroy_shares(tx, now)
        _attest(acting, tx, charter, "shares", count, now)
        return count

    return acting.store.commit(act).value


def _accesses(acting: Acting, charter: Charter, before: int) -> int:
    """Cases, requests, orders to keep and signals that were over before then, and what opens their entries."""
    if not accesses_are_due(acting.store.read(), before):
        return 0

    def act(tx: Transaction) -> int:
        count = forget_accesses(tx, before)
        _attest(acting, tx, charter, "accesses", count, before)
        return count

    return acting.store.commit(act).value


def _segments(acting: Acting, charter: Charter, now: int, left: Leftovers) -> int:
    """Sealed originals past their own retention, but for those that a hold keeps: wrapped keys first, then chunks.

    What a charter promised when a segment was sealed holds for it, whatever a later charter says.
    """
    reader: Reader = acting.store.read()
    if not reader.all(DUE_SEGMENTS, now):
        return 0

    def act(tx: Transaction) -> list[str]:
        rows = tx.all(DUE_SEGMENTS, now)
        if rows:
            _attest(acting, tx, charter, "segments", len(rows), now)
        for row in rows:
            tx.execute("UPDATE segment SET header = NULL, opened = NULL, destroyed_ms = ? WHERE id = ?", now, row["id"])
        return [row["path"] for row in rows]

    paths = acting.store.commit(act).value
    _destroy(acting.objects, paths, left)
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
