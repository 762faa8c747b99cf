"""What oversight and the authority do about sealed originals on their own machine: order holds, and lift them."""

from __future__ import annotations

from typing import Any

from watchglass.bootstrap.keyring import HOLD_ORDER
from watchglass.bootstrap.office import Office, Sight
from watchglass.core.digest import b64
from watchglass.core.errors import Problem, Refused
from watchglass.core.time import iso, month_of
from watchglass.ledger.keys import VerifierKey
from watchglass.records.statement import SignedStatement


def offices(office: Office, sight: Sight) -> dict[str, Any]:
    """What the identity key may do by the charter and the enrolments in the log.

    Returns:
        ``custodian`` (a name or None), ``enrolled`` (this month's roles), ``signs_as`` (oversight, authority).
    """
    key = office.keys.identity().verifier
    month = month_of(sight.now)
    said = {str(entry.leaf.clear["enrolled_role"]) for entry in sight.log.of("key_enrolled")}
    roles = [role for role in sorted(said) if sight.is_enrolled(key, role, month)]
    pinned = {"oversight": sight.oversight, "authority": VerifierKey.parse(sight.charter.authority.key)}
    return {
        "key": str(key),
        "name": key.name,
        "custodian": next((name for name, each in sight.custodians.items() if each.public == key.public), None),
        "enrolled": roles,
        "signs_as": [role for role, each in pinned.items() if each.public == key.public],
    }


def order_hold(office: Office, *, source: str, from_ms: int, to_ms: int, until_ms: int, reason: str) -> dict[str, Any]:
    """Order that some originals be kept beyond their retention."""
    sight = office.look()
    number = office.number()
    statement = office.sign(
        "hold_ordered",
        _role(office, sight),
        under=sight.charter,
        committed={
            "hold": number,
            "source": source,
            "from_ms": from_ms,
            "to_ms": to_ms,
            "reason": reason,
            "until_ms": until_ms,
        },
    )
    done = office.hand_in_kept(f"{HOLD_ORDER}{number}", statement)
    return {"hold": number, "source": source, "from": iso(from_ms), "to": iso(to_ms), "until": iso(until_ms), **done}


def orders(office: Office) -> list[dict[str, Any]]:
    """The holds that were ordered with keys of this folder, and whether they are in the log and lifted."""
    sight = office.look()
    lifted = sight.lifted()
    found = []
    for number in office.keys.orders():
        statement = _kept(office, number)
        values, leaf = statement.values, _leaf(sight, statement)
        found.append(
            {
                "hold": number,
                "source": values["source"],
                "from": iso(values["from_ms"]),
                "to": iso(values["to_ms"]),
                "until": iso(values["until_ms"]),
                "reason": values["reason"],
                "leaf_hash": None if leaf is None else b64(leaf),
                "lifted": leaf is not None and leaf in lifted,
            }
        )
    return found


def lift_hold(office: Office, number: str, reason: str) -> dict[str, Any]:
    """Let what was held be destroyed again.

    Raises:
        Problem: it was not ordered from this folder, or its order is not in the log yet.
    """
    sight = office.look()
    leaf = _leaf(sight, _kept(office, number))
    if leaf is None:
        raise Problem("The order is not in the log yet.", fix="Orders come in batches: try again in some minutes.")
    statement = office.sign(
        "hold_lifted",
        _role(office, sight),
        under=sight.charter,
        committed={"hold": number, "reason": reason},
        refs=[leaf],
    )
    return {"hold": number, **office.hand_in(statement)}


def _role(office: Office, sight: Sight) -> str:
    roles: list[str] = offices(office, sight)["signs_as"]
    if not roles:
        raise Refused(
            "The charter in force pins your key neither for oversight nor for the authority.",
            fix="Whoever keeps one of these keys orders a hold.",
        )
    return roles[0]


def _kept(office: Office, number: str) -> SignedStatement:
    data = office.keys.kept(f"{HOLD_ORDER}{number}")
    if data is None:
        raise Problem(
            "This hold was not ordered from this folder of keys.",
            fix="Lift it with `watchglass oversight lift-hold`, with the leaf of its order.",
        )
    return SignedStatement.parse(data)


def _leaf(sight: Sight, statement: SignedStatement) -> bytes | None:
    for entry in sight.log.of("hold_ordered"):
        if entry.leaf.signature == statement.leaf.signature:
            return entry.hash
    return None
