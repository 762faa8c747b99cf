r"""What a custodian hands on: bundles of shares, sealed anew.

A bundle holds one custodian's shares of some segments, each sealed anew (HPKE, the suite of ``shares``) to one
recipient: the key of a case, or of a hold. Each is bound to what it was given for:

info    "watchglass/resealed-shares/v1\n" ‖ canonical({charter, context, custodian, kind, recipient, request, segment})

where ``request`` is the leaf hash of the signed request (or of the order to hold). So nobody can use it for another
request, key, charter or segment, and the record of the approval commits to the bundle's SHA-256.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from watchglass.core import canonical
from watchglass.core.digest import b64, sha256, unb64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.evidence.header import HASH_BYTES, Header
from watchglass.evidence.shares import SUITE, Shares, seal_to, unpack
from watchglass.records.fields import (
    HASH,
    IDENTIFIER,
    NAME,
    Choice,
    FieldType,
    ListOf,
    Members,
    Text,
    Whole,
    check_members,
)
from watchglass.records.fields import X25519 as X25519_TEXT

DOMAIN: Final = b"watchglass/resealed-shares/v1\n"
VERSION: Final = 1
MOST_SEGMENTS: Final = 10_000
LARGEST_BUNDLE: Final = 6 << 20
"""Bytes. An hour of pieces of one second takes 5.5 MB where a charter uses all the shares that it may (32 of one
custodian in a piece, 1,532 bytes); a day of pieces of ten seconds takes 2.2 MB for "2 of 3" (252 bytes)."""


class Kind(StrEnum):
    """What shares are sealed anew for."""

    RELEASE = "release"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a bundle was given for, and nothing else.

    Attributes:
        request: leaf hash of the signed request, or of the order to hold.
        charter: SHA-256 of the charter under which it was approved.
        recipient: the X25519 public key of the case or of the hold, 32 bytes.
    """

    kind: Kind
    request: bytes
    charter: bytes
    recipient: bytes
    custodian: str

    def __post_init__(self) -> None:
        NAME.check(self.custodian, "custodian")
        for name in ("request", "charter", "recipient"):
            if len(getattr(self, name)) != HASH_BYTES:
                raise BadInput(f"'{name}' of a bundle has 32 bytes.", fix="Use it as it stands in the record.")

    def as_json(self) -> dict[str, str]:
        """As it stands in the bundle."""
        return {
            "kind": self.kind.value,
            "request": b64(self.request),
            "charter": b64(self.charter),
            "recipient": b64(self.recipient),
            "custodian": self.custodian,
        }


@dataclass(frozen=True, slots=True)
class Resealed:
    """One custodian's shares of one segment, sealed anew. ``context``: the hash of the segment's context."""

    segment: str
    context: bytes
    sealed: bytes


_BUNDLE: Final[Mapping[str, FieldType]] = {
    "watchglass_bundle": Whole(VERSION, VERSION),
    "kind": Choice(tuple(Kind)),
    "request": HASH,
    "charter": HASH,
    "recipient": X25519_TEXT,
    "custodian": NAME,
    "segments": ListOf(
        Members({"segment": IDENTIFIER, "context": HASH, "sealed": Text(LARGEST_BUNDLE)}), MOST_SEGMENTS
    ),
}


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a custodian hands on: their shares of some segments, for one recipient and one purpose."""

    terms: Terms
    segments: tuple[Resealed, ...]
    encoded: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = [each.segment for each in self.segments]
        if names != sorted(set(names)) or len(names) > MOST_SEGMENTS:
            raise BadInput("A bundle names each segment once, sorted.", fix="Use the bundle as it was made.")
        body = {
            "watchglass_bundle": VERSION,
            **self.terms.as_json(),
            "segments": [
                {"segment": each.segment, "context": b64(each.context), "sealed": b64(each.sealed)}
                for each in self.segments
            ],
        }
        object.__setattr__(self, "encoded", canonical.encode(body) + b"\n")

    @property
    def sha256(self) -> bytes:
        """Of the file: what the record of the approval commits to."""
        return sha256(self.encoded)

    @classmethod
    def parse(cls, data: bytes) -> Bundle:
        """The bundle in a file. Nothing in it is opened yet.

        Raises:
            BadInput: the bytes are not a bundle.
        """
        if len(data) > LARGEST_BUNDLE:
            raise BadInput("This file is too large to be a bundle.", fix="Give the bundle that the custodian made.")
        if not data.endswith(b"\n"):
            raise BadInput("This bundle is cut off.", fix="Fetch the bundle again, whole.")
        value = canonical.decode(data[:-1])
        if type(value) is not dict:
            raise BadInput("This file is not a bundle of shares.", fix="Give the bundle that the custodian made.")
        check_members(value, _BUNDLE, "a bundle of shares")
        terms = Terms(
            Kind(value["kind"]),
            unb64(value["request"], length=HASH_BYTES),
            unb64(value["charter"], length=HASH_BYTES),
            unb64(value["recipient"], length=HASH_BYTES),
            value["custodian"],
        )
        rows = value["segments"]
        return cls(
            terms,
            tuple(
                Resealed(row["segment"], unb64(row["context"], length=HASH_BYTES), unb64(row["sealed"])) for row in rows
            ),
        )


def reseal(terms: Terms, shares: Iterable[Shares]) -> Bundle:
    """A custodian's shares, sealed anew to the recipient of ``terms``. Call it only for a request that was checked.

    Raises:
        BadInput: shares of another custodian, a recipient that nothing can be sealed to, or more than fits.
    """
    public = X25519PublicKey.from_public_bytes(terms.recipient)
    found, given = list[Resealed](), sorted(shares, key=lambda one: one.segment)
    if len(given) > MOST_SEGMENTS:
        raise _too_much(terms, len(given))
    for each in given:
        if each.custodian != terms.custodian:
            raise BadInput(
                f"These shares are {each.custodian}'s, not {terms.custodian}'s.",
                fix="Each custodian hands on their own.",
                custodian=each.custodian,
            )
        info = _info(terms, each.segment, each.context)
        found.append(Resealed(each.segment, each.context, seal_to(public, each.packed, info, "the recipient")))
    bundle = Bundle(terms, tuple(found))
    if len(bundle.encoded) > LARGEST_BUNDLE:
        raise _too_much(terms, len(given))
    return bundle


def open_bundle(
    bundle: Bundle,
    private: X25519PrivateKey,
    headers: Mapping[str, Header],
    *,
    kind: Kind,
    request: bytes,
    charter: bytes,
) -> dict[str, Shares]:
    """The shares in a bundle by segment, each checked against the hash in its segment's header.

    Args:
        bundle: as it came.
        private: the recipient's key.
        headers: of the segments, by id, each checked against its record.
        kind: what it must be for. request: leaf hash of the request. charter: hash of the charter of the request.

    Raises:
        DidNotVerify: it is for another request, charter or key, or a part of it is not what was sealed; the custodian
            is named.
        BadInput: it holds shares of a segment that is not among ``headers``.
    """
    terms, mine = bundle.terms, private.public_key().public_bytes_raw()
    expected: tuple[tuple[str, object, object], ...] = (
        ("kind", terms.kind, kind),
        ("request", terms.request, request),
        ("charter", terms.charter, charter),
        ("recipient", terms.recipient, mine),
    )
    for name, found, wanted in expected:
        if found != wanted:
            raise not_for_this(terms, name, f"{_WHAT[name]} than this")
    result = {}
    for each in bundle.segments:
        header = headers.get(each.segment)
        if header is None:
            raise BadInput(
                f"The bundle of {terms.custodian} holds shares of segment {each.segment}, which is not here.",
                fix="Fetch the segments of the release again, all of them.",
                custodian=terms.custodian,
                segment=each.segment,
            )
        if each.context != header.context.sha256:
            raise not_for_this(terms, "context", f"another segment than {each.segment}", each.segment)
        try:
            packed = SUITE.decrypt(each.sealed, private, info=_info(terms, each.segment, each.context))
        except (InvalidTag, ValueError) as error:
            raise not_for_this(
                terms, "sealed", "another request, key or segment, or was changed", each.segment
            ) from error
        result[each.segment] = unpack(header, terms.custodian, packed)
    return result


_WHAT: Final = {
    "kind": "something else",
    "request": "another request",
    "charter": "another charter",
    "recipient": "another key",
}


def not_for_this(terms: Terms, name: str, what: str, segment: str | None = None) -> DidNotVerify:
    return DidNotVerify(
        f"The bundle of {terms.custodian} is for {what}.",
        fix=f"Fetch it again, or ask {terms.custodian} to approve again; keep this one as evidence.",
        custodian=terms.custodian,
        field=name,
        **({} if segment is None else {"segment": segment}),
    )


def _too_much(terms: Terms, segments: int) -> BadInput:
    what = "ask again for less at a time" if terms.kind is Kind.RELEASE else "order shorter holds instead of this one"
    return BadInput(
        f"Shares of {segments:,} segments are more than can be handed in at once ({MOST_SEGMENTS:,} segments, "
        f"{LARGEST_BUNDLE >> 20} MB), so nothing was signed.",
        fix=f"Let whoever asked {what}.",
        custodian=terms.custodian,
    )


def _info(terms: Terms, segment: str, context: bytes) -> bytes:
    return DOMAIN + canonical.encode({**terms.as_json(), "segment": segment, "context": b64(context)})
