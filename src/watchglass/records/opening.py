r"""Openings: the salted content behind a leaf's commitments, sealed so that only oversight can read it.

plaintext  canonical ``{"fields": {field: {"salt": b64, "value": …}}}``
sealed     key_id (16) ‖ nonce (12) ‖ AES-256-GCM(hourly key, nonce, plaintext, AAD)
AAD        "watchglass/opening/v1\n" ‖ origin ‖ "\n" ‖ canonical(commitments)
wrapped    HPKE (RFC 9180, base mode: X25519, HKDF-SHA256, AES-256-GCM) of the hourly key to oversight's openings key,
           info = "watchglass/opening-key/v1\n" ‖ origin ‖ "\n" ‖ hex(key_id) ‖ "\n" ‖ hour

AES-GCM does not commit to its key: one ciphertext can be authentic under two keys. That does no harm here, because
what comes out must also match every commitment in the leaf, and those are binding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from watchglass.core import canonical
from watchglass.core.digest import b64, sha256, unb64
from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.records import commitment
from watchglass.records.fields import HOUR, check_members, wrong
from watchglass.records.leaf import Leaf

DOMAIN: Final = b"watchglass/opening/v1\n"
KEY_DOMAIN: Final = b"watchglass/opening-key/v1\n"
KEY_ID_BYTES: Final = 16
NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32
_TAG_BYTES: Final = 16
_SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


@dataclass(frozen=True, slots=True)
class Opened:
    """One field as it was committed to."""

    salt: bytes
    value: Any


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """An hourly key as it lies in the database: only oversight's private key unwraps it."""

    key_id: bytes
    hour: str
    wrapped: bytes

    def __post_init__(self) -> None:
        if len(self.key_id) != KEY_ID_BYTES:
            raise BadInput("An opening key's id has 16 bytes.", fix="Use the row as it was written.")
        HOUR.check(self.hour, "hour")


@dataclass(frozen=True, slots=True)
class HourlyKey:
    """A key that seals the openings of one hour. The key itself lives in memory only."""

    wrapped: WrappedKey
    cipher: AESGCM = field(repr=False, compare=False)

    @classmethod
    def fresh(cls, *, origin: str, hour: str, oversight: X25519PublicKey, entropy: Entropy) -> HourlyKey:
        """A new key for ``hour``, wrapped to oversight; HPKE's ephemeral key comes from the library itself."""
        key_id, key = entropy.bytes(KEY_ID_BYTES), entropy.bytes(KEY_BYTES)
        wrapped = _SUITE.encrypt(key, oversight, info=_key_info(origin, key_id, hour))
        return cls(WrappedKey(key_id, hour, wrapped), AESGCM(key))

    def seal(self, plaintext: bytes, *, nonce: bytes, aad: bytes) -> bytes:
        """``key_id ‖ nonce ‖ ciphertext``. The nonce (12 bytes) must be fresh; a key lasts for 2^32 of them."""
        return self.wrapped.key_id + nonce + self.cipher.encrypt(nonce, plaintext, aad)


def associated_data(origin: str, commitments: bytes) -> bytes:
    """What a sealed opening is bound to. ``commitments`` are the canonical bytes of the leaf's commitments."""
    return DOMAIN + origin.encode() + b"\n" + commitments


def plaintext_of(fields: Mapping[str, Opened]) -> bytes:
    """The canonical plaintext of an opening."""
    return canonical.encode(
        {"fields": {name: {"salt": b64(opened.salt), "value": opened.value} for name, opened in fields.items()}}
    )


def parse_plaintext(data: bytes) -> dict[str, Opened]:
    """The fields behind an opening's plaintext.

    Raises:
        BadInput: it is not exactly of that form.
    """
    value = canonical.decode(data)
    if type(value) is not dict or value.keys() != {"fields"} or type(value["fields"]) is not dict:
        raise wrong("opening", "an object with `fields`", value)
    return {name: _opened_from(part, name) for name, part in value["fields"].items()}


def _opened_from(part: object, name: str) -> Opened:
    if type(part) is not dict or part.keys() != {"salt", "value"} or type(part["salt"]) is not str:
        raise wrong(name, "an object of `salt` and `value`", part)
    return Opened(unb64(part["salt"], length=commitment.SALT_BYTES), part["value"])


def check_opened(leaf: Leaf, fields: Mapping[str, Opened]) -> dict[str, Any]:
    """The values by field, if ``fields`` are exactly what the leaf committed to.

    Raises:
        DidNotVerify: a field is missing, unknown, of the wrong type, or not what was committed to; it is named.
    """
    for name in leaf.commitments:
        if name not in fields:
            raise _not_what(f"The opening leaves out '{name}', which the leaf commits to.", name)
    for name, opened in fields.items():
        if name not in leaf.commitments:
            raise _not_what(f"The opening holds '{name}', which the leaf does not commit to.", name)
        commitment.check(leaf.commitments[name], opened.salt, name, opened.value)
    values = {name: opened.value for name, opened in fields.items()}
    try:
        types = {name: kind for name, kind in leaf.spec.committed.items() if name in leaf.commitments}
        check_members(values, types, f"the opening of '{leaf.act}'")
    except BadInput as error:
        name = str(error.details.get("field", ""))
        raise _not_what(f"The leaf commits to a value that its act does not allow: {error.message}", name) from error
    return values


def unwrap(key: WrappedKey, private: X25519PrivateKey, *, origin: str) -> AESGCM:
    """The hourly key, for whoever holds oversight's openings key.

    Raises:
        DidNotVerify: it was wrapped to another key, for another log, id or hour, or was changed.
    """
    try:
        return AESGCM(_SUITE.decrypt(key.wrapped, private, info=_key_info(origin, key.key_id, key.hour)))
    except (InvalidTag, ValueError) as error:
        raise DidNotVerify(
            f"The opening key of {key.hour} does not unwrap with this private key.",
            fix="Use the openings key that the charter of that hour names, and the origin of this log.",
            key_id=key.key_id.hex(),
            hour=key.hour,
        ) from error


def key_id_of(sealed: bytes) -> bytes:
    """Which hourly key seals an opening: 16 bytes.

    Raises:
        BadInput: too short to be a sealed opening.
    """
    if len(sealed) <= KEY_ID_BYTES + NONCE_BYTES + _TAG_BYTES:
        raise BadInput("This is too short to be a sealed opening.", fix="Use the whole file.")
    return sealed[:KEY_ID_BYTES]


def unseal(leaf: Leaf, sealed: bytes, key: WrappedKey, private: X25519PrivateKey, *, origin: str) -> dict[str, Any]:
    """What oversight reads: the values by field, after checking key id, hash, seal and every commitment.

    Raises:
        DidNotVerify: one of them is not what the leaf says; ``details["field"]`` names which.
    """
    _check_sealed(leaf, sealed, key.key_id)
    return unseal_with(leaf, sealed, key.key_id, unwrap(key, private, origin=origin), origin=origin)


def unseal_with(leaf: Leaf, sealed: bytes, key_id: bytes, cipher: AESGCM, *, origin: str) -> dict[str, Any]:
    """``unseal`` with an hourly key that was unwrapped before: 16 bytes of id, and its cipher. Raises as it does."""
    _check_sealed(leaf, sealed, key_id)
    commitments = canonical.encode({name: b64(value) for name, value in leaf.commitments.items()})
    nonce, ciphertext = sealed[KEY_ID_BYTES : KEY_ID_BYTES + NONCE_BYTES], sealed[KEY_ID_BYTES + NONCE_BYTES :]
    try:
        plaintext = cipher.decrypt(nonce, ciphertext, associated_data(origin, commitments))
    except (InvalidTag, ValueError) as error:
        raise _not_what("The sealed opening does not open with its key for this leaf and log.", "sealed") from error
    try:
        fields = parse_plaintext(plaintext)
    except BadInput as error:
        raise _not_what(f"The opened text is not an opening: {error.message}", "plaintext") from error
    return check_opened(leaf, fields)


def _check_sealed(leaf: Leaf, sealed: bytes, key_id: bytes) -> None:
    if leaf.opening is None or sha256(sealed) != leaf.opening:
        raise _not_what("This sealed opening is not the one whose hash the leaf holds.", "opening")
    if sealed[:KEY_ID_BYTES] != key_id:
        raise _not_what("This opening was sealed under another hourly key.", "key_id")


def _key_info(origin: str, key_id: bytes, hour: str) -> bytes:
    return KEY_DOMAIN + f"{origin}\n{key_id.hex()}\n{hour}".encode()


def _not_what(message: str, name: str) -> DidNotVerify:
    return DidNotVerify(
        message, fix="Keep the leaf, the sealed opening and the key: together they are evidence.", field=name
    )
