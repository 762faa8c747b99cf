"""Which keys may be relied on: each custodian's key of the month, and the key that oversight enrolled for a person.

Whoever seals or hands on checks this on their own machine, from what was signed; nobody takes a key from a server's
word. What these functions cannot see is whether the record is in the log: see ``ledger.proof``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from watchglass.core.digest import unb64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.evidence.shares import SealingKeys
from watchglass.evidence.subsets import Subsets, custodians_of
from watchglass.ledger.keys import VerifierKey
from watchglass.records import statement as statements
from watchglass.records.leaf import Leaf
from watchglass.records.statement import SignedStatement

PUBLISHED: Final = "sealing_key_published"
ENROLLED: Final = "key_enrolled"
_KEY_BYTES: Final = 32


def sealing_keys(
    published: Iterable[SignedStatement], *, origin: str, custodians: Mapping[str, VerifierKey], period: str
) -> SealingKeys:
    """The custodians' keys of one month, each signed by the identity key that the charter pins.

    Args:
        published: the statements of that month; of each custodian at most one.
        origin: this log. custodians: identity keys by name, from the charter in force. It is the key that counts; a
            custodian's own file may name it otherwise.

    Raises:
        DidNotVerify: a statement is not by the custodian it names, or is for another month or log; who is named.
        BadInput: a custodian published two keys.
    """
    found: dict[str, X25519PublicKey] = {}
    for each in published:
        name = str(each.leaf.clear.get("custodian", ""))
        if each.leaf.act != PUBLISHED or each.leaf.clear["period"] != period or name not in custodians:
            raise DidNotVerify(
                f"This is no key of a custodian for {period}: '{each.leaf.act}' of {name or 'nobody'}.",
                fix="Take the statements of that month, of custodians whom the charter names.",
                custodian=name,
            )
        by = each.signature.key
        allowed = by if by.public == custodians[name].public else custodians[name]
        try:
            statements.verify(each, origin=origin, keys={"custodian": [allowed]})
        except DidNotVerify as error:
            raise DidNotVerify(
                f"The sealing key of {name} for {period} is not signed by {name}: {error.message}",
                fix=f"Seal nothing to it. Ask {name} to publish their key; tell oversight.",
                custodian=name,
            ) from error
        if name in found:
            raise BadInput(
                f"{name} published two keys for {period}.", fix="Take the one that is in use.", custodian=name
            )
        found[name] = X25519PublicKey.from_public_bytes(unb64(each.leaf.clear["key"], length=_KEY_BYTES))
    return SealingKeys(period, found)


def sealable(subsets: Subsets, keys: SealingKeys) -> Subsets:
    """The permitted subsets of whom everybody has a key: those for which a segment can be sealed now.

    A custodian without a key of the month is left out; the others can still open. Ask this before anything is recorded.

    Raises:
        BadInput: nobody could ever open it; who is missing is named.
    """
    found = tuple(each for each in subsets if keys.public.keys() >= set(each))
    if not found:
        missing = [name for name in custodians_of(subsets) if name not in keys.public]
        raise BadInput(
            f"Nothing can be recorded: without {' and '.join(missing)} no permitted set of custodians could open it.",
            fix=f"Let them publish their keys for {keys.period}: `watchglass custodian rotate`.",
            missing=", ".join(missing),
        )
    return found


def enrolled(leaf: bytes, *, origin: str, oversight: VerifierKey, role: str, month: str) -> VerifierKey:
    """The key that oversight enrolled for one person, role and month, from the bytes of its record.

    Raises:
        BadInput: it is no enrolment. DidNotVerify: it is for another role or month, or not by oversight.
    """
    record = Leaf.parse(leaf)
    if record.act != ENROLLED:
        raise BadInput(f"This is a record of '{record.act}', not of an enrolment.", fix="Give the enrolment's record.")
    statements.verify_leaf(record, origin=origin, keys={"oversight": [oversight]})
    for name, wanted in (("enrolled_role", role), ("month", month)):
        if record.clear[name] != wanted:
            raise DidNotVerify(
                f"This key was enrolled for {record.clear['enrolled_role']} in {record.clear['month']}, not for {role} "
                f"in {month}.",
                fix="Ask oversight to enrol a key for this role and month.",
                field=name,
            )
    return VerifierKey.parse(record.clear["vkey"])
