"""What may be lodged with a witness: oversight's orders to stop and to resume, and its challenges. Nothing else.

A witness is no mailbox. It keeps what the key that its operator was told belongs to oversight has signed, for a log
that it watches, in the hour in which it was signed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from watchglass.core.errors import BadInput, Refused
from watchglass.ledger.keys import VerifierKey
from watchglass.ledger.lodging import CHALLENGE, MAX_BODY_BYTES, open_challenge
from watchglass.records.statement import SignedStatement, check_hour, verify

ORDERS: Final = frozenset({"suspension_ordered", "suspension_lifted"})
CHALLENGED: Final = "challenge"
_ROLE: Final = "oversight"


@dataclass(frozen=True, slots=True)
class Parcel:
    """What was lodged, after it was checked.

    Attributes:
        origin: the log that it is about.
        kind: the act of an order, or ``challenge``.
        order: the signed order; None for a challenge.
    """

    origin: str
    kind: str
    order: SignedStatement | None


def parcel_of(
    body: bytes, *, origins: Collection[str], oversight: Sequence[VerifierKey], now: int, what: Collection[str] = ()
) -> Parcel:
    """What ``body`` is, if it may be lodged.

    Args:
        origins: the logs that the witness watches.
        oversight: the keys that its operator was told are oversight's.
        now: the witness's time; an order is lodged in the hour in which it was signed.
        what: the kinds that are taken; all of them where it is empty.

    Raises:
        BadInput: it is neither an order nor a challenge.
        Refused: it is an act that is not oversight's to lodge, or about a log that is not watched here.
        DidNotVerify: none of the oversight keys signed it, or not now.
    """
    if len(body) > MAX_BODY_BYTES:
        raise BadInput("This is too large to be lodged.", fix="Lodge what `watchglass oversight` signed.")
    if not oversight:
        raise Refused(
            "This witness takes nothing: its operator named no oversight key.",
            fix="Ask its operator to start it with --oversight, or lodge it with another witness.",
        )
    if body.startswith(f"{CHALLENGE}\n".encode()):
        challenge = open_challenge(body, oversight)
        return _taken(Parcel(challenge.origin, CHALLENGED, None), origins, what)
    statement = SignedStatement.parse(body)
    act, role = statement.leaf.act, statement.leaf.role
    if act not in ORDERS or role != _ROLE:
        raise Refused(
            f"“{act}” by {role} is not lodged with witnesses.",
            fix="These are, signed by oversight: an order to suspend, its lifting, and a challenge.",
        )
    verify(statement, origin=statement.origin, keys={_ROLE: oversight})
    check_hour(statement, now=now)
    return _taken(Parcel(statement.origin, act, statement), origins, what)


def _taken(parcel: Parcel, origins: Collection[str], what: Collection[str]) -> Parcel:
    if parcel.origin not in origins:
        raise Refused(
            f"This witness does not watch the log {parcel.origin}.",
            fix="Lodge it with a witness that the charter names.",
        )
    if what and parcel.kind not in what:
        raise Refused(f"“{parcel.kind}” is not taken here.", fix=f"These are: {', '.join(sorted(what))}.")
    return parcel
