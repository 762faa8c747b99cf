"""A leaf of the ledger: built strictly, parsed strictly, and kept as the bytes that were written (laws 7 and 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from watchglass.core import canonical
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput
from watchglass.ledger.keys import SIGNATURE_BYTES, KeyType, VerifierKey
from watchglass.ledger.merkle import HASH_BYTES, leaf_hash
from watchglass.records.act_spec import ActSpec, Basis, Need
from watchglass.records.fields import (
    HASH,
    HOUR,
    NAME,
    PSEUDONYM,
    SIGNATURE,
    SIGNER,
    VKEY,
    FieldType,
    check_members,
    wrong,
)
from watchglass.records.vocabulary import check_sense, spec_of

VERSION: Final = 1
LARGEST: Final = 65_535
"""Bytes: a bundle gives each entry a 16-bit length."""

_ALWAYS: Final = frozenset(
    {"v", "act", "basis", "charter", "purpose", "role", "actor", "hour", "refs", "clear", "commitments"}
)


@dataclass(frozen=True, slots=True)
class Signature:
    """The actor's own signature: the key as a vkey, and 64 bytes of Ed25519."""

    vkey: str
    sig: bytes
    key: VerifierKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        VKEY.check(self.vkey, "sig.key")
        key = VerifierKey.parse(self.vkey)
        if key.kind is not KeyType.ED25519:
            raise wrong("sig.key", "a key of type 01 (Ed25519), not a witness's", self.vkey)
        object.__setattr__(self, "key", key)
        if type(self.sig) is not bytes or len(self.sig) != SIGNATURE_BYTES:
            raise wrong("sig.sig", "64 bytes", self.sig)

    @property
    def signer(self) -> str:
        """``name+keyid``: how the leaf's ``actor`` names this key."""
        return signer_name(self.key)

    def as_json(self) -> dict[str, str]:
        """As it stands in the leaf."""
        return {"key": self.vkey, "sig": b64(self.sig)}


def signer_name(key: VerifierKey) -> str:
    """``name+keyid``: how a leaf's ``actor`` names a key."""
    return f"{key.name}+{key.key_id.hex()}"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One record, wholly checked against the vocabulary.

    Attributes:
        charter: SHA-256 of the charter under which the act was done, or None where the act allows it.
        hour: "2026-11-23T14Z". refs: RFC 6962 leaf hashes of earlier leaves.
        commitments: field to 32 bytes, for exactly the fields that the act commits to.
        opening: SHA-256 of the sealed opening; None where there are no commitments, or before it is sealed.
        signature: of signed acts; None before it is signed.
    """

    act: str
    charter: bytes | None
    purpose: str | None
    role: str
    actor: str
    hour: str
    refs: tuple[bytes, ...]
    clear: Mapping[str, Any]
    commitments: Mapping[str, bytes]
    opening: bytes | None = None
    signature: Signature | None = None
    spec: ActSpec = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        spec = spec_of(self.act)
        object.__setattr__(self, "spec", spec)
        object.__setattr__(self, "clear", MappingProxyType(dict(self.clear)))
        object.__setattr__(self, "commitments", MappingProxyType(dict(self.commitments)))
        check_head(spec, role=self.role, charter=self.charter, purpose=self.purpose)
        check_refs(spec, self.refs)
        check_members(self.clear, _clear_of(spec, self.clear), f"the clear part of '{self.act}'")
        check_sense(spec, self.clear)
        HOUR.check(self.hour, "hour")
        (SIGNER if spec.basis is Basis.SIGNED else PSEUDONYM).check(self.actor, "actor")
        self._check_commitments(spec)
        self._check_signature(spec)

    def _check_commitments(self, spec: ActSpec) -> None:
        if self.commitments.keys() | (spec.later & spec.committed.keys()) != spec.committed.keys():
            raise wrong("commitments", f"to exactly: {', '.join(spec.committed) or 'nothing'}", list(self.commitments))
        for name, value in self.commitments.items():
            _check_hash(value, f"commitments.{name}")
        if self.opening is not None:
            _check_hash(self.opening, "opening")
            if not spec.committed:
                raise wrong("opening", "absent, because this act commits to nothing", "present")

    def _check_signature(self, spec: ActSpec) -> None:
        if self.signature is None:
            return
        if spec.basis is not Basis.SIGNED:
            raise wrong("sig", "absent, because the server attests this act", "present")
        if self.signature.signer != self.actor:
            raise wrong("sig.key", f"the key of the actor {self.actor}", self.signature.signer)

    def body(self) -> dict[str, Any]:
        """The leaf as JSON without ``opening`` and ``sig``: what the actor signs."""
        return {
            "v": VERSION,
            "act": self.act,
            "basis": self.spec.basis.value,
            "charter": None if self.charter is None else b64(self.charter),
            "purpose": self.purpose,
            "role": self.role,
            "actor": self.actor,
            "hour": self.hour,
            "refs": [b64(ref) for ref in self.refs],
            "clear": dict(self.clear),
            "commitments": {name: b64(value) for name, value in self.commitments.items()},
        }

    def encode(self) -> bytes:
        """The canonical bytes of a finished leaf.

        Raises:
            BadInput: it lacks its signature or opening, or is larger than a bundle can hold.
        """
        if self.spec.committed and self.opening is None:
            raise wrong("opening", "the hash of the sealed opening", None)
        if self.spec.basis is Basis.SIGNED and self.signature is None:
            raise wrong("sig", "the actor's signature", None)
        body = self.body()
        if self.opening is not None:
            body["opening"] = b64(self.opening)
        if self.signature is not None:
            body["sig"] = self.signature.as_json()
        return check_size(canonical.encode(body))

    def hash(self) -> bytes:
        """The RFC 6962 leaf hash: how refs, receipts and proofs name this leaf."""
        return leaf_hash(self.encode())

    @classmethod
    def parse(cls, data: bytes) -> Leaf:
        """The finished leaf whose bytes are ``data``. Its signature is not verified here: see ``statement``.

        Raises:
            BadInput: the bytes are not canonical, too many, or not a leaf of the vocabulary.
        """
        value = canonical.decode(check_size(data))
        leaf = cls._from_json(value, finished=True)
        if leaf.spec.committed and leaf.opening is None:
            raise wrong("opening", "the hash of the sealed opening", None)
        if leaf.spec.basis is Basis.SIGNED and leaf.signature is None:
            raise wrong("sig", "the actor's signature", None)
        return leaf

    @classmethod
    def from_body(cls, value: object) -> Leaf:
        """The leaf behind a body as a statement carries it: without ``opening`` and ``sig``.

        Raises:
            BadInput: it is not exactly such a body.
        """
        return cls._from_json(value, finished=False)

    @staticmethod
    def signature_from(value: object) -> Signature:
        """The signature behind ``{"key": …, "sig": …}``.

        Raises:
            BadInput: it is not exactly such an object.
        """
        if type(value) is not dict or value.keys() != {"key", "sig"}:
            raise wrong("sig", "an object of `key` and `sig`", value)
        SIGNATURE.check(value["sig"], "sig.sig")
        return Signature(vkey=value["key"], sig=unb64(value["sig"], length=SIGNATURE_BYTES))

    @classmethod
    def _from_json(cls, value: object, *, finished: bool) -> Leaf:
        if type(value) is not dict:
            raise wrong("leaf", "a JSON object", value)
        extra = value.keys() - _ALWAYS - ({"opening", "sig"} if finished else set())
        missing = _ALWAYS - value.keys()
        if extra or missing:
            name = str(min(extra or missing))[:60]
            raise BadInput(
                f"A leaf {'has no' if extra else 'needs the'} field '{name}'.",
                fix="Use the bytes as they were written, by a version that writes leaves of version 1.",
                field=name,
            )
        spec = spec_of(value["act"])
        if type(value["v"]) is not int or value["v"] != VERSION:
            raise wrong("v", str(VERSION), value["v"])
        if value["basis"] != spec.basis.value:
            raise wrong("basis", f"`{spec.basis}` for this act", value["basis"])
        refs, commitments = value["refs"], value["commitments"]
        if type(refs) is not list:
            raise wrong("refs", "a list of leaf hashes", refs)
        if type(commitments) is not dict or type(value["clear"]) is not dict:
            raise wrong("commitments and clear", "JSON objects", commitments)
        return cls(
            act=spec.name,
            charter=None if value["charter"] is None else _hash_from(value["charter"], "charter"),
            purpose=value["purpose"],
            role=value["role"],
            actor=value["actor"],
            hour=value["hour"],
            refs=tuple(_hash_from(ref, "refs") for ref in refs),
            clear=value["clear"],
            commitments={name: _hash_from(text, f"commitments.{name}") for name, text in commitments.items()},
            opening=_hash_from(value["opening"], "opening") if "opening" in value else None,
            signature=cls.signature_from(value["sig"]) if "sig" in value else None,
        )


def check_size(data: bytes) -> bytes:
    """``data`` if a bundle can hold it.

    Raises:
        BadInput: it is longer than 65,535 bytes.
    """
    if len(data) > LARGEST:
        raise BadInput(
            f"A leaf has at most {LARGEST:,} bytes; this one has {len(data):,}.",
            fix="Shorten its texts; a charter may have about 60,000 characters.",
        )
    return data


def check_head(spec: ActSpec, *, role: object, charter: bytes | None, purpose: str | None) -> None:
    """Check what every leaf has against what its act allows.

    Raises:
        BadInput: naming the field that is wrong.
    """
    if type(role) is not str or role not in spec.roles:
        raise wrong("role", "one of " + ", ".join(sorted(spec.roles)) + f" for '{spec.name}'", role)
    if charter is not None:
        if spec.charter is Need.NEVER:
            raise wrong("charter", "null for this act", "a hash")
        _check_hash(charter, "charter")
    elif spec.charter is Need.ALWAYS:
        raise wrong("charter", "the hash of the charter under which this was done", None)
    if purpose is not None:
        if spec.purpose is Need.NEVER:
            raise wrong("purpose", "null for this act", purpose)
        NAME.check(purpose, "purpose")
    elif spec.purpose is Need.ALWAYS:
        raise wrong("purpose", "the purpose of this act", None)


def check_refs(spec: ActSpec, refs: Sequence[bytes]) -> None:
    """Check that there is one leaf hash for each act that this one refers to.

    Raises:
        BadInput: there are too many or too few, or one is no hash.
    """
    if len(refs) != len(spec.refs_to):
        raise wrong("refs", f"{len(spec.refs_to)} leaf hashes ({', '.join(spec.refs_to) or 'none'})", len(refs))
    for ref in refs:
        _check_hash(ref, "refs")


def _clear_of(spec: ActSpec, clear: Mapping[str, Any]) -> Mapping[str, FieldType]:
    """The clear fields of a record: those that earlier versions lacked may be missing."""
    lacking = (spec.later & spec.clear.keys()) - clear.keys()
    return {name: kind for name, kind in spec.clear.items() if name not in lacking} if lacking else spec.clear


def _check_hash(value: object, where: str) -> None:
    if type(value) is not bytes or len(value) != HASH_BYTES:
        raise wrong(where, "32 bytes", value)


def _hash_from(text: object, where: str) -> bytes:
    HASH.check(text, where)
    return unb64(str(text), length=HASH_BYTES)
