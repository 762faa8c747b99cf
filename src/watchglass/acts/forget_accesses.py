"""Part of retention: how long the house remembers cases, requests for originals, orders to keep, and signals of misuse.

As long as what was decided about alerts, from the moment that they were over: a case closed and its requests run out,
an emergency reported on, a signal settled. What is not over is kept, since somebody still owes an answer to it. The
ledger keeps its entries; what would open them goes (law 10).

Shares that custodians sealed anew go much sooner: those for a request when it has run out, those for an order to keep
when it is over and nothing that it kept is left. They must not outlive it, for somebody may have a copy of the video.
"""

from __future__ import annotations

from typing import Final

from watchglass.core.time import hour_of, month_of
from watchglass.records.guard_acts import GUARD_ACTS
from watchglass.records.outbox import Reader, Transaction

DUE_SEGMENTS: Final = (
    "SELECT id, path FROM segment WHERE keep_until_ms <= ?1 AND destroyed_ms IS NULL AND NOT EXISTS"
    " (SELECT 1 FROM hold WHERE lifted_ms IS NULL AND until_ms > ?1 AND hold.source = segment.source"
    " AND hold.from_ms < segment.to_ms AND hold.to_ms > segment.from_ms)"
)
"""Sealed originals past their own retention (?1: now), but for those that an order keeps."""

_REQUEST_SHARES: Final = (
    "release_answer WHERE length(bundle) > 0 AND request IN (SELECT id FROM release_request WHERE until_ms <= ?1)"
)
_HOLD_SHARES: Final = (
    "hold_share WHERE length(bundle) > 0 AND hold IN (SELECT id FROM hold"  # noqa: S608 (constant text)
    " WHERE min(coalesce(lifted_ms, until_ms), until_ms) <= ?1 AND NOT EXISTS (SELECT 1 FROM segment"
    " WHERE segment.source = hold.source AND from_ms < hold.to_ms AND to_ms > hold.from_ms AND destroyed_ms IS NULL"
    f" AND id NOT IN (SELECT id FROM ({DUE_SEGMENTS}))))"
)

_CASES: Final = (
    "SELECT id FROM evidence_case WHERE min(coalesce(closed_ms, until_ms), until_ms) < ?1 AND NOT EXISTS"
    " (SELECT 1 FROM release_request AS asked WHERE asked.evidence_case = evidence_case.id AND asked.until_ms >= ?1)"
)
_REQUESTS: Final = (
    f"SELECT id FROM release_request WHERE evidence_case IN ({_CASES})"  # noqa: S608 (constant text)
    " OR (glass = 1 AND until_ms < ?1 AND followed_ms < ?1)"
)
_HOLDS: Final = (
    "SELECT id FROM hold WHERE min(coalesce(lifted_ms, until_ms), until_ms) < ?1 AND NOT EXISTS"
    " (SELECT 1 FROM hold_share WHERE hold_share.hold = hold.id AND length(bundle) > 0)"
)
_ROWS: Final = (
    f"release_answer WHERE request IN ({_REQUESTS})",
    f"release_request WHERE id IN ({_REQUESTS})",
    f"evidence_case WHERE id IN ({_CASES})",
    f"hold_share WHERE hold IN ({_HOLDS})",
    f"hold WHERE id IN ({_HOLDS})",
    "release_denied WHERE at_ms < ?1",
    "misuse_signal WHERE settled_ms < ?1",
    "segment WHERE destroyed_ms < ?1",
)
"""What is over for so long (?1: before when), in an order in which nothing is left that names what is gone."""
_KEYS: Final = "enrolled_key WHERE month < ?1"
"""Whose key was whose."""

_ACTS: Final = {spec.name for spec in GUARD_ACTS if "alert" not in spec.committed} | {"key_enrolled", "openings_taken"}
"""The acts whose openings tell of these; those that tell of an alert go with the alerts."""
_STANDING: Final = " UNION ALL ".join(
    f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608 (from the tuple below)
    for table, column in (
        ("evidence_case", "leaf_hash"),
        ("release_request", "leaf_hash"),
        ("release_request", "granted_leaf_hash"),
        ("release_request", "taken_leaf_hash"),
        ("release_answer", "leaf_hash"),
        ("hold", "leaf_hash"),
        ("hold_share", "leaf_hash"),
        ("release_denied", "leaf_hash"),
        ("misuse_signal", "leaf_hash"),
        ("misuse_signal", "settled_leaf_hash"),
        ("enrolled_key", "leaf_hash"),
    )
)
_NAMES: Final = ", ".join(f"'{name}'" for name in sorted(_ACTS))
_OPENINGS: Final = (
    "SELECT opening.idx FROM opening JOIN entry USING (idx)"  # noqa: S608 (constant text)
    f" WHERE entry.hour < ?1 AND entry.act IN ({_NAMES})"
    f" AND opening.leaf_hash NOT IN ({_STANDING})"
)


def shares_are_due(reader: Reader, now_ms: int) -> bool:
    """Whether shares that were sealed anew have nothing left to open."""
    found = (reader.one(f"SELECT 1 FROM {each} LIMIT 1", now_ms) for each in (_REQUEST_SHARES, _HOLD_SHARES))  # noqa: S608 (constant text)
    return any(row is not None for row in found)


def destroy_shares(tx: Transaction, now_ms: int) -> int:
    """Destroy the shares that were sealed anew for requests that have run out and orders that are over; how many."""
    count = 0
    for each in (_REQUEST_SHARES, _HOLD_SHARES):
        table, _, where = each.partition(" ")
        count += tx.execute(f"UPDATE {table} SET bundle = x'' {where}", now_ms)  # noqa: S608 (constant text)
    return count


def accesses_are_due(reader: Reader, before_ms: int) -> bool:
    """Whether something was over before that moment."""
    rows = (reader.one(f"SELECT 1 FROM {each} LIMIT 1", before_ms) for each in _ROWS)  # noqa: S608 (constant text)
    if any(row is not None for row in rows):
        return True
    if reader.one(f"SELECT 1 FROM {_KEYS} LIMIT 1", month_of(before_ms)) is not None:  # noqa: S608 (constant text)
        return True
    return reader.one(f"{_OPENINGS} LIMIT 1", hour_of(before_ms)) is not None


def forget_accesses(tx: Transaction, before_ms: int) -> int:
    """Destroy what was over before that moment, and what opens its entries in the ledger; how many of both."""
    hour = hour_of(before_ms)
    count = sum(tx.execute(f"DELETE FROM {each}", before_ms) for each in _ROWS)  # noqa: S608 (constant text)
    count += tx.execute(f"DELETE FROM {_KEYS}", month_of(before_ms))  # noqa: S608 (constant text)
    count += tx.execute(f"DELETE FROM opening WHERE idx IN ({_OPENINGS})", hour)  # noqa: S608 (constant text)
    forget_keys(tx, hour)
    return count


def forget_keys(tx: Transaction, hour: str) -> None:
    """Destroy the keys of hours before that one under which no opening is left."""
    tx.execute(
        "DELETE FROM opening_key WHERE hour < ? AND key_id NOT IN (SELECT key_id FROM opening)"
        " AND key_id NOT IN (SELECT key_id FROM outbox WHERE key_id IS NOT NULL)",
        hour,
    )
