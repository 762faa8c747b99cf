r"""The data key, split by XOR for each permitted subset, and put together again.

For each permitted subset the key is the XOR of one share for each of its custodians; all shares but the last are
fresh random bytes. So a subset rebuilds the key, and whatever does not hold a whole subset learns nothing: each share
that is missing is a one-time pad. Shares of different subsets are independent.

Each custodian's shares, of all subsets that they are in, are sealed to their key of the month in one HPKE message
(RFC 9180, base mode: X25519, HKDF-SHA256, AES-256-GCM):

info        "watchglass/sealed-shares/v1\n" ‖ canonical({context, custodian, sealing_key, subsets})
share hash  SHA-256("watchglass/share/v1\n" ‖ canonical({context, custodian, subset}) ‖ share)
key         commitment = HMAC-SHA256(data key, "watchglass/key-commitment/v1\n" ‖ context hash)
            AES key    = HMAC-SHA256(data key, "watchglass/seal-key/v1\n" ‖ context hash)

where ``context`` is the base64 of the context's hash. HPKE's ephemeral keys come from the library itself.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from watchglass.core import canonical
from watchglass.core.digest import b64
from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.evidence.header import HASH_BYTES, SHARE_BYTES, Context, Header, Wrapped, key_id
from watchglass.evidence.subsets import Subset, Subsets
from watchglass.records.fields import MONTH, NAME

SHARES_DOMAIN: Final = b"watchglass/sealed-shares/v1\n"
SHARE_DOMAIN: Final = b"watchglass/share/v1\n"
COMMITMENT_DOMAIN: Final = b"watchglass/key-commitment/v1\n"
KEY_DOMAIN: Final = b"watchglass/seal-key/v1\n"
GLASS_DOMAIN: Final = b"watchglass/break-glass-key/v1\n"
KEY_BYTES: Final = SHARE_BYTES
SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


@dataclass(frozen=True, slots=True)
class SealingKeys:
    """Each custodian's public key of one month. Whether they published these keys is for the caller to have verified.

    Attributes:
        ids: what a header calls each key.
    """

    period: str
    public: Mapping[str, X25519PublicKey]
    ids: Mapping[str, str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        MONTH.check(self.period, "period")
        for name in self.public:
            NAME.check(name, "custodian")
        ids = {name: key_id(public.public_bytes_raw()) for name, public in self.public.items()}
        if len(set(ids.values())) != len(ids):
            raise BadInput(
                "Two custodians have the same sealing key.", fix="Each makes a key of their own and publishes it."
            )
        object.__setattr__(self, "ids", ids)


@dataclass(frozen=True, slots=True)
class Shares:
    """What one custodian holds of one segment: the share for each permitted subset that they are in, checked.

    Attributes:
        context: the hash of the segment's context.
        by_subset: in the order of the header's subsets; secret.
    """

    segment: str
    context: bytes
    custodian: str
    by_subset: Mapping[Subset, bytes] = field(repr=False)

    @property
    def packed(self) -> bytes:
        """All shares one after the other, as HPKE seals them."""
        return b"".join(self.by_subset.values())


def key_commitment(key: bytes, context: Context) -> bytes:
    """What a header and a record say of the data key. It tells nothing about a random key, and fits no other one."""
    return hmac.digest(key, COMMITMENT_DOMAIN + context.sha256, "sha256")


def cipher_key(key: bytes, context: Context) -> bytes:
    """The AES key of a segment: what was committed to is never itself used to encrypt."""
    return hmac.digest(key, KEY_DOMAIN + context.sha256, "sha256")


def share_hash(context: bytes, subset: Subset, custodian: str, share: bytes) -> bytes:
    """What names a bad share. ``context``: the hash of the segment's context."""
    head, tail = _share_bound(context, subset)
    return hashlib.sha256(head + canonical.encode(custodian) + tail + share).digest()


def share_hashes(context: bytes, subset: Subset, shares: Iterable[bytes]) -> tuple[bytes, ...]:
    """``share_hash`` of each share of a subset, in order."""
    head, tail = _share_bound(context, subset)
    return tuple(
        hashlib.sha256(head + canonical.encode(custodian) + tail + share).digest()
        for custodian, share in zip(subset, shares, strict=True)
    )


def _share_bound(context: bytes, subset: Subset) -> tuple[bytes, bytes]:
    """The canonical JSON of context, custodian and subset, before and after the custodian's name."""
    head = SHARE_DOMAIN + b'{"context":' + canonical.encode(b64(context)) + b',"custodian":'
    return head, b',"subset":' + canonical.encode(list(subset)) + b"}"


def split(key: bytes, subsets: Subsets, entropy: Entropy) -> dict[Subset, tuple[bytes, ...]]:
    """For each subset one share of ``key`` for each of its custodians, in order."""
    fresh = memoryview(entropy.bytes(SHARE_BYTES * sum(len(subset) - 1 for subset in subsets)))
    whole = int.from_bytes(key, "big")
    result, at = {}, 0
    for subset in subsets:
        shares, rest = [], whole
        for _ in subset[1:]:
            share = bytes(fresh[at : at + SHARE_BYTES])
            at += SHARE_BYTES
            rest ^= int.from_bytes(share, "big")
            shares.append(share)
        result[subset] = (*shares, rest.to_bytes(SHARE_BYTES, "big"))
    return result


def wrap(
    context: Context, subsets: Subsets, shares: Mapping[Subset, tuple[bytes, ...]], keys: SealingKeys
) -> dict[str, Wrapped]:
    """Each custodian's shares, sealed to their key of the month.

    Raises:
        BadInput: a custodian has no key for this period, or it is not one that anything can be sealed to.
    """
    if keys.period != context.period:
        raise BadInput(
            f"These are the sealing keys of {keys.period}; segment {context.segment} belongs to {context.period}.",
            fix=f"Take the keys that the custodians published for {context.period}.",
            segment=context.segment,
        )
    mine: dict[str, list[Subset]] = {}
    for subset in subsets:
        for name in subset:
            mine.setdefault(name, []).append(subset)
    result = {}
    for name, own in sorted(mine.items()):
        public = keys.public.get(name)
        if public is None:
            raise BadInput(
                f"The custodian {name} has published no sealing key for {context.period}.",
                fix=f"Ask {name} to publish one; until then nothing can be sealed that needs {name}.",
                custodian=name,
            )
        packed = b"".join(shares[subset][subset.index(name)] for subset in own)
        info = _shares_info(context.sha256, name, keys.ids[name], own)
        result[name] = Wrapped(keys.ids[name], seal_to(public, packed, info, name))
    return result


def seal_to(public: X25519PublicKey, plaintext: bytes, info: bytes, holder: str) -> bytes:
    """HPKE: ``enc ‖ ciphertext``.

    Raises:
        BadInput: nothing can be sealed to this key (it is a point of low order).
    """
    try:
        return SUITE.encrypt(plaintext, public, info=info)
    except ValueError as error:
        raise BadInput(
            f"Nothing can be sealed to the key of {holder}: it is not a proper X25519 key.",
            fix=f"Ask {holder} for a new key.",
            custodian=holder,
        ) from error


def wrap_for_glass(context: Context, key: bytes, public: X25519PublicKey) -> Wrapped:
    """The whole data key, sealed to the charter's break-glass key."""
    named = key_id(public.public_bytes_raw())
    return Wrapped(named, seal_to(public, key, _glass_info(context.sha256, named), "break-glass"))


def unwrap_shares(header: Header, custodian: str, private: X25519PrivateKey) -> Shares:
    """A custodian's shares of a segment, each checked against its hash.

    Raises:
        BadInput: there is nothing for this custodian, or it was sealed to another key of theirs.
        DidNotVerify: it does not unwrap, or a share is not the one whose hash the header holds; both are named.
    """
    wrapped = header.wrapped.get(custodian)
    if wrapped is None:
        raise BadInput(
            f"Segment {header.segment} holds nothing for {custodian}.",
            fix=f"Its custodians are {', '.join(header.wrapped)}.",
            custodian=custodian,
            segment=header.segment,
        )
    _check_key(wrapped, private, f"The shares of {custodian}", header, custodian)
    own = header.subsets_of(custodian)
    info = _shares_info(header.context.sha256, custodian, wrapped.key, own)
    try:
        packed = SUITE.decrypt(wrapped.sealed, private, info=info)
    except (InvalidTag, ValueError) as error:
        raise _changed(
            f"The shares of {custodian} in segment {header.segment} do not unwrap with the key that they name: they "
            "were changed, or belong to another segment.",
            header,
            custodian,
        ) from error
    return unpack(header, custodian, packed)


def unpack(header: Header, custodian: str, packed: bytes) -> Shares:
    """The shares in ``packed`` (32 bytes for each subset of the custodian, in order), each checked against its hash.

    Raises:
        DidNotVerify: one is not what was sealed; the custodian is named.
    """
    own = header.subsets_of(custodian)
    if not own or len(packed) != SHARE_BYTES * len(own):
        raise _changed(f"What came from {custodian} is not their shares of {header.segment}.", header, custodian)
    parts = [packed[at : at + SHARE_BYTES] for at in range(0, len(packed), SHARE_BYTES)]
    by_subset = dict(zip(own, parts, strict=True))
    for subset, share in by_subset.items():
        check_share(header, subset, custodian, share)
    return Shares(header.segment, header.context.sha256, custodian, by_subset)


def check_share(header: Header, subset: Subset, custodian: str, share: bytes) -> None:
    """Check that a share is the one that was made for this custodian, subset and segment.

    Raises:
        DidNotVerify: it is not; the custodian is named.
    """
    found = share_hash(header.context.sha256, subset, custodian, share)
    if len(share) != SHARE_BYTES or not hmac.compare_digest(found, header.share_hash(subset, custodian)):
        raise DidNotVerify(
            f"The share of {custodian} for {' and '.join(subset)} is not the one that was sealed in segment "
            f"{header.segment}: it was changed, or belongs to another custodian, set or segment.",
            fix=f"Ask {custodian} to approve again; if it fails again, keep segment and bundle as evidence.",
            custodian=custodian,
            segment=header.segment,
            subset=",".join(subset),
        )


def combine(header: Header, subset: Subset, shares: Mapping[str, bytes]) -> bytes:
    """The data key, from the share of each custodian of one permitted subset.

    Raises:
        BadInput: not a permitted subset, or a share is missing; who is named.
        DidNotVerify: a share is not the one that was sealed (who is named), or all are and yet rebuild another key
            than the one committed to: then it was sealed wrongly.
    """
    if subset not in header.subsets:
        raise BadInput(
            f"{', '.join(subset)} are not a permitted set of custodians for segment {header.segment}.",
            fix="Permitted are: " + "; ".join(", ".join(each) for each in header.subsets[:8]) + ".",
            segment=header.segment,
        )
    key = 0
    for custodian in subset:
        share = shares.get(custodian)
        if share is None:
            raise BadInput(
                f"The share of {custodian} is missing for segment {header.segment}.",
                fix=f"Ask {custodian}, or use another permitted set.",
                custodian=custodian,
                segment=header.segment,
            )
        check_share(header, subset, custodian, share)
        key ^= int.from_bytes(share, "big")
    whole = key.to_bytes(KEY_BYTES, "big")
    check_key(header, whole)
    return whole


def recover(header: Header, given: Iterable[Shares]) -> bytes:
    """The data key, from the first permitted subset all of whose custodians gave their shares.

    Raises:
        BadInput: these custodians are no permitted subset; the message says who would complete one.
        DidNotVerify: see ``combine``; or shares of another segment.
    """
    by_name = {shares.custodian: shares for shares in given}
    for shares in by_name.values():
        if (shares.segment, shares.context) != (header.segment, header.context.sha256):
            raise _changed(
                f"The shares of {shares.custodian} are of segment {shares.segment}, not of {header.segment}.",
                header,
                shares.custodian,
            )
    for subset in header.subsets:
        if by_name.keys() >= set(subset):
            return combine(header, subset, {name: by_name[name].by_subset.get(subset, b"") for name in subset})
    given_by = " and ".join(sorted(by_name))
    raise BadInput(
        f"{'The shares of ' + given_by if given_by else 'No shares at all'} do not open segment {header.segment}: "
        f"{_wanting(header, by_name)}.",
        fix="Ask one more custodian for an approval.",
        segment=header.segment,
    )


def unwrap_glass(header: Header, private: X25519PrivateKey) -> bytes:
    """The data key, for whoever holds the break-glass key.

    Raises:
        BadInput: this segment has no such key, or another one.
        DidNotVerify: it was changed, or is not the key committed to.
    """
    wrapped = header.break_glass
    if wrapped is None:
        raise BadInput(
            f"Segment {header.segment} was sealed without a break-glass key.",
            fix="Ask the custodians: open a case and request a release.",
            segment=header.segment,
        )
    _check_key(wrapped, private, "The break-glass key", header, "break-glass")
    try:
        key = SUITE.decrypt(wrapped.sealed, private, info=_glass_info(header.context.sha256, wrapped.key))
    except (InvalidTag, ValueError) as error:
        raise _changed(
            f"The break-glass key in segment {header.segment} does not unwrap: it was changed, or belongs to another.",
            header,
            "break-glass",
        ) from error
    check_key(header, key)
    return key


def check_key(header: Header, key: bytes) -> None:
    """Check that ``key`` is the data key that the header commits to.

    Raises:
        DidNotVerify: it is another one.
    """
    if len(key) != HASH_BYTES or not hmac.compare_digest(key_commitment(key, header.context), header.key_commitment):
        raise DidNotVerify(
            f"This is not the key of segment {header.segment}: it is another than the one that was committed to.",
            fix="If every share had the right hash, the recorder sealed it wrongly: keep segment and bundles as "
            "evidence, and tell oversight.",
            segment=header.segment,
        )


def _wanting(header: Header, have: Collection[str]) -> str:
    fewest = min((set(subset) - set(have) for subset in header.subsets), key=lambda rest: (len(rest), sorted(rest)))
    options = sorted({tuple(sorted(set(subset) - set(have))) for subset in header.subsets})
    short = [" and ".join(rest) for rest in options if len(rest) == len(fewest)][:8]
    return "missing is " + ", or ".join(short)


def _check_key(wrapped: Wrapped, private: X25519PrivateKey, what: str, header: Header, holder: str) -> None:
    mine = key_id(private.public_key().public_bytes_raw())
    if mine != wrapped.key:
        raise BadInput(
            f"{what} in segment {header.segment} are sealed to the key {wrapped.key}; this is {mine}.",
            fix=f"Use the private key of {header.context.period}.",
            custodian=holder,
            segment=header.segment,
        )


def _changed(message: str, header: Header, custodian: str) -> DidNotVerify:
    return DidNotVerify(
        message,
        fix="Fetch it again; if it stays so, keep it as evidence and tell oversight.",
        custodian=custodian,
        segment=header.segment,
    )


def _shares_info(context: bytes, custodian: str, sealing_key: str, subsets: Iterable[Subset]) -> bytes:
    return SHARES_DOMAIN + canonical.encode(
        {
            "context": b64(context),
            "custodian": custodian,
            "sealing_key": sealing_key,
            "subsets": [list(subset) for subset in subsets],
        }
    )


def _glass_info(context: bytes, key: str) -> bytes:
    return GLASS_DOMAIN + canonical.encode({"context": b64(context), "key": key})
