"""What the acts that people sign are given once their signature was verified; and whose keys speak for which role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from watchglass.acts.context import Acting
from watchglass.acts.standing import is_cosigned
from watchglass.charter.decide import Standing
from watchglass.charter.model import Charter
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput, DidNotVerify, Refused
from watchglass.core.time import month_of
from watchglass.ledger.keys import VerifierKey
from watchglass.records.outbox import Reader, Transaction
from watchglass.records.statement import SignedStatement


@dataclass(frozen=True, slots=True)
class Handed:
    """A verified statement inside the transaction that does what it says.

    Attributes:
        values: the committed values, checked against the commitments.
        leaf_hash: of the statement's own record, which is written already and goes if the act fails.
        cosigned_size: how many entries the last witness-cosigned checkpoint covers.
        bundle: the re-sealed shares that came with it; not looked at yet.
    """

    acting: Acting
    tx: Transaction
    standing: Standing
    charter: Charter
    statement: SignedStatement
    values: Mapping[str, Any]
    leaf_hash: bytes
    cosigned_size: int
    bundle: bytes | None = None

    @property
    def now(self) -> int:
        """The house's time."""
        return self.acting.clock.now()

    @property
    def clear(self) -> Mapping[str, Any]:
        """The fields that everyone can read."""
        return self.statement.leaf.clear

    @property
    def key(self) -> VerifierKey:
        """The key that signed."""
        return self.statement.signature.key

    @property
    def person(self) -> str:
        """Whom oversight enrolled this key for; the key's name where the charter itself pins it."""
        return person_of(self.tx, self.statement)

    def cosigned(self, leaf_hash: bytes) -> bool:
        """Whether that record takes effect: witnesses have cosigned it (law 12). A trial waits for none."""
        return self.standing.deployment == "trial" or is_cosigned(self.tx, leaf_hash, self.cosigned_size)

    def as_custodian(self, name: str) -> str:
        """``name``, if the charter pins the key that signed for this custodian.

        Raises:
            DidNotVerify: it is another custodian's key.
        """
        for custodian in self.charter.safeguards.custodians:
            if custodian.name == name and VerifierKey.parse(custodian.key).public == self.key.public:
                return name
        raise DidNotVerify(
            f"The key {self.key.name} is not that of the custodian “{name}”.",
            fix="Sign with the identity key that the charter pins for this custodian.",
            custodian=name,
        )

    def the_bundle(self, signed: str) -> bytes:
        """The bundle that came along, if its hash is what was signed.

        Raises:
            BadInput: none came along. DidNotVerify: it is another one.
        """
        if self.bundle is None:
            raise BadInput(
                "The re-sealed shares did not come with this.", fix="Hand both in together, as the command does."
            )
        if b64(sha256(self.bundle)) != signed:
            raise DidNotVerify(
                "The shares that came are not those that were signed for.", fix="Hand in what the command wrote."
            )
        return self.bundle


def keys_of(acting: Acting, charter: Charter, role: str) -> list[VerifierKey]:
    """The keys that may speak in ``role`` now: pinned in the charter, or enrolled by oversight for this month."""
    match role:
        case "authority":
            return [VerifierKey.parse(charter.authority.key)]
        case "oversight":
            return [VerifierKey.parse(charter.oversight.key)]
        case "custodian":
            return [VerifierKey.parse(custodian.key) for custodian in charter.safeguards.custodians]
    month = month_of(acting.clock.now())
    rows = acting.store.read().all("SELECT vkey FROM enrolled_key WHERE role = ? AND month = ?", role, month)
    return [VerifierKey.parse(row["vkey"]) for row in rows]


def person_of(reader: Reader, statement: SignedStatement) -> str:
    """Whom oversight enrolled the signer's key for; its name where the charter itself pins it."""
    row = reader.one("SELECT person FROM enrolled_key WHERE vkey = ?", statement.signature.vkey)
    return str(row["person"]) if row else statement.signature.key.name


def not_sealing() -> Refused:
    """The refusal of everything around sealed originals where the charter records none."""
    return Refused(
        "The charter in force records no original video.",
        fix="There is nothing to open, to hold or to destroy. See `watchglass charter explain`.",
    )
