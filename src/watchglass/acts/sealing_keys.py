"""Acts: a custodian publishes the key of a month, and destroys it once nothing needs it."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from watchglass.acts.handed import Handed
from watchglass.core.digest import unb64
from watchglass.core.errors import Problem, Refused
from watchglass.core.time import DAY, iso, month_of
from watchglass.evidence.header import read_header
from watchglass.evidence.shares import seal_to
from watchglass.records.outbox import Reader

_AHEAD_MS = 31 * DAY
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A custodian's key of a month, with the custodian's own signed statement of it.

    Attributes:
        public: 32 bytes of X25519.
        statement: the signed act, as bytes: whoever seals to the key verifies it first.
    """

    custodian: str
    period: str
    public: bytes
    statement: bytes
    leaf_hash: bytes
    destroyed: bool


def sealing_keys(reader: Reader, *, period: str | None = None) -> list[PublishedKey]:
    """The published keys, of one month or of all."""
    rows = reader.all(
        "SELECT * FROM sealing_key WHERE ? IS NULL OR period = ? ORDER BY period, custodian", period, period
    )
    return [
        PublishedKey(
            row["custodian"],
            row["period"],
            bytes(row["public"]),
            bytes(row["statement"]),
            bytes(row["leaf_hash"]),
            row["destroyed_ms"] is not None,
        )
        for row in rows
    ]


def publish(handed: Handed) -> None:
    """From now on shares of that month's segments are sealed to this key."""
    name, period = handed.as_custodian(str(handed.clear["custodian"])), str(handed.clear["period"])
    nearest, furthest = month_of(handed.now), month_of(handed.now + _AHEAD_MS)
    if not nearest <= period <= furthest:
        raise Refused(
            f"A key for {period} is not published now, in {nearest}.",
            fix="Publish the key of this month, or of the next: `watchglass custodian rotate`.",
        )
    if handed.tx.one("SELECT 1 FROM sealing_key WHERE custodian = ? AND period = ?", name, period):
        raise Problem(
            f"{name} has a key for {period} already, and segments are sealed to it.",
            fix="Keep using it. If it was lost, the other custodians go on without it until the next month.",
        )
    public = unb64(str(handed.clear["key"]), length=_KEY_BYTES)
    # With a key that is somebody's already, or to which nothing can be sealed, nothing could be sealed to anybody.
    if handed.tx.one("SELECT 1 FROM sealing_key WHERE public = ?", public):
        raise Refused(
            "This key was published before, so it is not one of this custodian and this month alone.",
            fix="Make a key on your own machine: `watchglass custodian rotate`.",
        )
    seal_to(X25519PublicKey.from_public_bytes(public), b"", b"", name)
    handed.tx.insert(
        "sealing_key",
        {
            "custodian": name,
            "period": period,
            "public": public,
            "statement": handed.statement.encode(),
            "leaf_hash": handed.leaf_hash,
            "published_ms": handed.now,
        },
    )


def destroy_period(handed: Handed) -> None:
    """That month's key is gone. Refused while somebody may still have to open what was sealed to it."""
    name, period = handed.as_custodian(str(handed.clear["custodian"])), str(handed.clear["period"])
    row = handed.tx.one("SELECT * FROM sealing_key WHERE custodian = ? AND period = ?", name, period)
    if row is None or bytes(row["leaf_hash"]) != handed.statement.leaf.refs[0]:
        raise Problem(
            f"{name} published no such key for {period}.",
            fix="See `watchglass custodian inbox`, which lists your keys.",
        )
    if row["destroyed_ms"] is not None:
        raise Problem(f"{name} destroyed the key of {period} before.", fix="Nothing more needs to be done.")
    if period >= month_of(handed.now):
        raise Refused(f"{period} is not over, and segments are still sealed to this key.", fix="Wait until it is over.")
    _past_retention(handed, period)
    _not_held(handed, name, period)
    handed.tx.execute(
        "UPDATE sealing_key SET destroyed_ms = ?, destroyed_leaf_hash = ? WHERE custodian = ? AND period = ?",
        handed.now,
        handed.leaf_hash,
        name,
        period,
    )


def _past_retention(handed: Handed, period: str) -> None:
    row = handed.tx.one("SELECT max(keep_until_ms) AS until FROM segment WHERE period = ?", period)
    until = row["until"] if row else None
    if until is not None and int(until) > handed.now:
        raise Refused(
            f"Originals of {period} are kept until {iso(int(until))}.",
            fix="Destroy the key after that; until then somebody may lawfully ask for them.",
        )


def _not_held(handed: Handed, name: str, period: str) -> None:
    """Refuse while a hold is open whose shares this custodian has not sealed anew to a key of the hold."""
    holds = handed.tx.all("SELECT * FROM hold WHERE lifted_ms IS NULL AND until_ms > ?", handed.now)
    for hold in holds:
        kept = handed.tx.one("SELECT 1 FROM hold_share WHERE hold = ? AND custodian = ?", hold["id"], name)
        if kept is not None:
            continue
        held = handed.tx.all(
            "SELECT header FROM segment WHERE period = ? AND source = ? AND from_ms < ? AND to_ms > ?"
            " AND destroyed_ms IS NULL",
            period,
            hold["source"],
            hold["to_ms"],
            hold["from_ms"],
        )
        if any(name in read_header(bytes(row["header"])).wrapped for row in held):
            raise Refused(
                f"The hold {hold['id']} keeps originals of {period}, and {name} has not sealed their shares anew.",
                fix="Run `watchglass custodian keep-hold` first; then the month's key can be destroyed.",
                hold=hold["id"],
            )
