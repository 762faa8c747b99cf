r"""Acts that a person signs on their own machine (law 11), and the portable file that carries them.

The signed message is ``watchglass/signed-act/v1\n ‖ origin ‖ \n ‖ canonical(leaf without opening and sig)``. It can
be mistaken for nothing else that the same key may sign: a signed note's text always ends with a newline, and this
message always ends with a brace.

The salts are made by the signer, so the server learns the values only with the statement, and can change none of
them: the signature covers every commitment. The server adds only the hash of the sealed opening.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from watchglass.core import canonical
from watchglass.core.digest import b64
from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.core.time import HOUR as HOUR_MS
from watchglass.core.time import hour_of, minute_of
from watchglass.ledger.keys import KeyType, SignerKey, VerifierKey
from watchglass.records import commitment
from watchglass.records.act_spec import Basis
from watchglass.records.fields import ORIGIN, check_members, wrong
from watchglass.records.leaf import Leaf, Signature, signer_name
from watchglass.records.opening import Opened, check_opened, parse_plaintext
from watchglass.records.vocabulary import spec_of

DOMAIN: Final = b"watchglass/signed-act/v1\n"
_FILE: Final = frozenset({"watchglass_statement", "origin", "leaf", "opening", "sig"})
_VERSION: Final = 1
_LARGEST_FILE: Final = 200_000


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A signed act on its way to the house: who carries it learns what is in it.

    Attributes:
        origin: the log that it is for, and no other.
        leaf: with signature, still without opening.
        opened: the salt and value of every committed field.
    """

    origin: str
    leaf: Leaf
    opened: Mapping[str, Opened]

    def __post_init__(self) -> None:
        ORIGIN.check(self.origin, "origin")
        if self.leaf.signature is None or self.leaf.opening is not None:
            raise BadInput("A statement carries a signed leaf without its sealed opening.", fix="Sign it again.")

    @property
    def signature(self) -> Signature:
        """The actor's signature."""
        assert self.leaf.signature is not None
        return self.leaf.signature

    @property
    def values(self) -> dict[str, Any]:
        """The committed values by field. Trust them only after ``verify``."""
        return {name: opened.value for name, opened in self.opened.items()}

    def encode(self) -> bytes:
        """The file: one line of canonical JSON."""
        return (
            canonical.encode(
                {
                    "watchglass_statement": _VERSION,
                    "origin": self.origin,
                    "leaf": self.leaf.body(),
                    "opening": {
                        "fields": {
                            name: {"salt": b64(opened.salt), "value": opened.value}
                            for name, opened in self.opened.items()
                        }
                    },
                    "sig": self.signature.as_json(),
                }
            )
            + b"\n"
        )

    @classmethod
    def parse(cls, data: bytes) -> SignedStatement:
        """The statement in a file. Nothing in it is verified yet.

        Raises:
            BadInput: the bytes are not a statement.
        """
        if len(data) > _LARGEST_FILE:
            raise BadInput("This file is too large to be a statement.", fix="Give the file that was signed.")
        value = canonical.decode(data.removesuffix(b"\n"))
        if type(value) is not dict or value.keys() != _FILE or value["watchglass_statement"] != _VERSION:
            raise BadInput("This file is not a signed statement of version 1.", fix="Give the file that was signed.")
        sig, body = value["sig"], value["leaf"]
        if type(body) is not dict or "opening" in body or "sig" in body:
            raise wrong("leaf", "a leaf without opening and sig", body)
        bare = Leaf.from_body(body)
        signed = _with_signature(bare, Leaf.signature_from(sig))
        return cls(value["origin"], signed, parse_plaintext(canonical.encode(value["opening"])))


def message(origin: str, leaf: Leaf) -> bytes:
    """The bytes that the actor signs."""
    return DOMAIN + origin.encode() + b"\n" + canonical.encode(leaf.body())


def sign(
    act: str,
    *,
    role: str,
    key: SignerKey,
    origin: str,
    now: int,
    entropy: Entropy,
    charter: bytes | None,
    purpose: str | None = None,
    clear: Mapping[str, Any] | None = None,
    committed: Mapping[str, Any] | None = None,
    refs: Sequence[bytes] = (),
) -> SignedStatement:
    """Sign an act with the actor's own key, on the actor's own machine. The minute is filled in from ``now``.

    Raises:
        BadInput: the act is not one that people sign, or a field is not as the vocabulary says.
    """
    spec = spec_of(act)
    if spec.basis is not Basis.SIGNED:
        raise BadInput(f"'{act}' is not an act that people sign.", fix="The server attests it when it happens.")
    if key.kind is not KeyType.ED25519:
        raise BadInput("A witness's key does not sign acts.", fix="Make a key with `watchglass key new`.")
    values = dict(committed or {})
    if "minute" in spec.committed:
        values.setdefault("minute", minute_of(now))
    check_members(values, spec.committed, f"the committed part of '{act}'")
    opened = {name: Opened(entropy.bytes(commitment.SALT_BYTES), value) for name, value in values.items()}
    bare = Leaf(
        act=act,
        charter=charter,
        purpose=purpose,
        role=role,
        actor=signer_name(key.verifier),
        hour=hour_of(now),
        refs=tuple(refs),
        clear=clear or {},
        commitments={name: commitment.commit(part.salt, name, part.value) for name, part in opened.items()},
    )
    signature = Signature(str(key.verifier), key.sign(message(origin, bare)))
    return SignedStatement(origin, _with_signature(bare, signature), opened)


def verify(statement: SignedStatement, *, origin: str, keys: Mapping[str, Sequence[VerifierKey]]) -> dict[str, Any]:
    """The committed values, if one of the ``keys`` of the statement's role signed it for this log.

    Args:
        statement: as it came in.
        origin: this log's origin.
        keys: for each role, the keys that may speak for it: those pinned in the charter, or enrolled for the month.

    Raises:
        DidNotVerify: another log, an unknown key for this role, a wrong signature, or an opening that does not match.
    """
    if statement.origin != origin:
        raise DidNotVerify(
            f"This statement was signed for the log {statement.origin}, not for {origin}.",
            fix="Sign it again for this log.",
            field="origin",
        )
    verify_leaf(statement.leaf, origin=origin, keys=keys)
    return check_opened(statement.leaf, statement.opened)


def verify_leaf(leaf: Leaf, *, origin: str, keys: Mapping[str, Sequence[VerifierKey]]) -> VerifierKey:
    """The key that signed ``leaf``, if it is one of the ``keys`` of the leaf's role.

    Raises:
        DidNotVerify: it is attested only, unknown for this role, or the signature is wrong.
    """
    signature = leaf.signature
    if signature is None:
        raise DidNotVerify(
            f"Nobody signed this '{leaf.act}': the server alone states it.", fix="Ask for the signed act.", field="sig"
        )
    if signature.key not in keys.get(leaf.role, ()):
        raise DidNotVerify(
            f"The key {signature.signer} may not speak as {leaf.role} here.",
            fix="Sign with the key that the charter pins for this role, or that oversight enrolled for this month.",
            field="sig.key",
            key=signature.vkey,
        )
    signature.key.verify(message(origin, leaf), signature.sig)
    return signature.key


def check_hour(statement: SignedStatement, *, now: int) -> None:
    """Check that the hour that the signer named is that of ``now``, or at most one hour from it.

    Raises:
        DidNotVerify: the signer's clock or the house's is wrong, or the statement is old.
    """
    near = {hour_of(now - HOUR_MS), hour_of(now), hour_of(now + HOUR_MS)}
    if statement.leaf.hour not in near:
        raise DidNotVerify(
            f"This was signed in the hour {statement.leaf.hour}, and now it is {hour_of(now)}.",
            fix="Check the clocks of both machines, then sign it again.",
            field="hour",
        )


def _with_signature(leaf: Leaf, signature: Signature) -> Leaf:
    return Leaf(
        act=leaf.act,
        charter=leaf.charter,
        purpose=leaf.purpose,
        role=leaf.role,
        actor=leaf.actor,
        hour=leaf.hour,
        refs=leaf.refs,
        clear=leaf.clear,
        commitments=leaf.commitments,
        signature=signature,
    )
