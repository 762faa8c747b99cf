"""Acts: the authority or oversight orders that originals be kept; custodians keep their shares; the hold is lifted."""

from __future__ import annotations

from dataclasses import dataclass

from watchglass.acts.handed import Handed, not_sealing
from watchglass.acts.rows import as_value
from watchglass.acts.segments import check_can_open, segments_in
from watchglass.core.digest import unb64
from watchglass.core.errors import BadInput, DidNotVerify, Problem, Refused
from watchglass.core.time import DAY
from watchglass.evidence.custody import Bundle, Kind, Terms
from watchglass.records.outbox import Reader

LONGEST_MS = 366 * DAY
"""A hold that lasts longer is ordered again."""


@dataclass(frozen=True, slots=True)
class Hold:
    """An order to keep some originals beyond their retention."""

    id: str
    source: str
    from_ms: int
    to_ms: int
    reason: str
    until_ms: int
    role: str
    ordered_ms: int
    lifted_ms: int | None
    statement: bytes
    leaf_hash: bytes


def hold_of(reader: Reader, number: str) -> Hold:
    """The hold with that id.

    Raises:
        Problem: there is none.
    """
    row = reader.one("SELECT * FROM hold WHERE id = ?", number)
    if row is None:
        raise Problem("There is no such hold.", fix="Fetch the list again: `watchglass custodian inbox`.")
    return as_value(Hold, row)


def open_holds(reader: Reader, now_ms: int) -> list[Hold]:
    """The holds that keep something now."""
    rows = reader.all("SELECT * FROM hold WHERE lifted_ms IS NULL AND until_ms > ? ORDER BY ordered_ms", now_ms)
    return [as_value(Hold, row) for row in rows]


def order(handed: Handed) -> None:
    """What lies in its scope is not destroyed while it stands."""
    if handed.charter.safeguards.record is None:
        raise not_sealing()
    values = handed.values
    handed.charter.source(values["source"])
    if not values["from_ms"] < values["to_ms"]:
        raise BadInput("A hold begins before it ends.", fix="Give the earlier time first.")
    if not handed.now < values["until_ms"] <= handed.now + LONGEST_MS:
        raise Refused("A hold lasts until a day within the next year.", fix="Give `--until` a day within 366 days.")
    if handed.tx.one("SELECT 1 FROM hold WHERE id = ?", values["hold"]):
        raise Problem("A hold has this id already.", fix="Order it again; the command draws another id.")
    kept = segments_in(handed.tx, values["source"], values["from_ms"], values["to_ms"])
    if not kept:
        raise Refused("Nothing of this source and time is kept.", fix="Order a hold of what still exists.")
    check_can_open(handed.tx, kept)
    handed.tx.insert(
        "hold",
        {
            "id": values["hold"],
            "source": values["source"],
            "from_ms": values["from_ms"],
            "to_ms": values["to_ms"],
            "reason": values["reason"],
            "until_ms": values["until_ms"],
            "role": handed.statement.leaf.role,
            "ordered_ms": handed.now,
            "statement": handed.statement.encode(),
            "leaf_hash": handed.leaf_hash,
        },
    )


def keep(handed: Handed) -> None:
    """A custodian sealed their shares of what is held to a key of the hold; their month's key may die now."""
    values = handed.values
    name, hold = handed.as_custodian(str(values["custodian"])), hold_of(handed.tx, str(values["hold"]))
    if handed.statement.leaf.refs[0] != hold.leaf_hash:
        raise DidNotVerify("This keeps another hold.", fix="Fetch the inbox again, then sign once more.")
    if hold.lifted_ms is not None or hold.until_ms <= handed.now:
        raise Refused("This hold no longer stands.", fix="Nothing needs to be kept for it.")
    if handed.tx.one("SELECT 1 FROM hold_share WHERE hold = ? AND custodian = ?", hold.id, name):
        raise Problem(f"{name} kept this hold before.", fix="Nothing more needs to be done.")
    data = handed.the_bundle(values["bundle_sha256"])
    bundle = Bundle.parse(data)
    recipient = unb64(values["recipient"], length=32)
    if bundle.terms != Terms(Kind.HOLD, hold.leaf_hash, handed.charter.sha256, recipient, name):
        raise DidNotVerify("The shares are of another hold, custodian or key.", fix="Keep this hold again.")
    kept = segments_in(handed.tx, hold.source, hold.from_ms, hold.to_ms)
    wanted = {segment.id for segment in kept if name in segment.read_header().wrapped}
    if not wanted <= {each.segment for each in bundle.segments}:
        raise BadInput(
            f"The shares are of {len(bundle.segments)} segments, and the hold keeps {len(wanted)}.",
            fix="Fetch the hold again, and keep it once more.",
        )
    handed.tx.insert(
        "hold_share",
        {
            "hold": hold.id,
            "custodian": name,
            "bundle": data,
            "statement": handed.statement.encode(),
            "kept_ms": handed.now,
            "leaf_hash": handed.leaf_hash,
        },
    )


def lift(handed: Handed) -> None:
    """What was held is destroyed when its retention is over, at the next round."""
    hold = hold_of(handed.tx, str(handed.values["hold"]))
    if handed.statement.leaf.refs[0] != hold.leaf_hash:
        raise DidNotVerify("This lifts another hold.", fix="Fetch the standing again, then sign once more.")
    if hold.role != handed.statement.leaf.role:
        raise Refused(f"This hold was ordered by {hold.role}.", fix="Whoever orders a hold lifts it.")
    if hold.lifted_ms is not None:
        raise Problem("This hold was lifted before.", fix="Nothing more needs to be done.")
    handed.tx.execute("UPDATE hold SET lifted_ms = ? WHERE id = ?", handed.now, hold.id)
