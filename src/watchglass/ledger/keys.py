"""Ed25519 keys as C2SP signed notes write them: ``name+keyid+base64(type ‖ public key)``.

Source: c2sp.org/signed-note. Type 01 signs a text as it is; type 04 is a witness's timestamped cosignature.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from watchglass.core.digest import b64, sha256, unb64
from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput, DidNotVerify

KEY_ID_BYTES = 4
PUBLIC_KEY_BYTES = 32
SEED_BYTES = 32
SIGNATURE_BYTES = 64
_PRIVATE_PREFIX = "PRIVATE+KEY+"
_HEX_DIGITS = frozenset("0123456789abcdef")


class KeyType(IntEnum):
    """The signature types that this program speaks."""

    ED25519 = 0x01
    COSIGNATURE_V1 = 0x04


def check_name(name: str) -> None:
    """Refuse a key name that signed notes cannot carry.

    Raises:
        BadInput: it is empty, or holds a space, a plus or a control character.
    """
    if not name or "+" in name or any(letter.isspace() or ord(letter) < 0x20 for letter in name):  # noqa: PLR2004  (U+0020)
        raise BadInput(
            f"{name!r} cannot name a key: a name is not empty and has no spaces and no plus.",
            fix="Use a name like example.org/street-log.",
        )


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a key: who it speaks for, how it signs, and 32 bytes of Ed25519."""

    name: str
    kind: KeyType
    public: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.public) != PUBLIC_KEY_BYTES:
            raise BadInput(
                f"An Ed25519 public key has 32 bytes, not {len(self.public)}.", fix="Copy the whole key again."
            )

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """The key behind ``name+keyid+base64``.

        Raises:
            BadInput: it is not such a key, or its id does not belong to it.
        """
        parts = text.split("+", 2)
        if len(parts) != 3:  # noqa: PLR2004  (name, id, key)
            raise BadInput(
                f"{text[:60]!r} is not a verifier key (name+keyid+base64).",
                fix="Copy the whole line that `watchglass key new` or the log's page shows.",
            )
        name, key_id, encoded = parts
        kind, public = _typed(unb64(encoded))
        key = cls(name, kind, public)
        if set(key_id) - _HEX_DIGITS or key.key_id.hex() != key_id:
            raise BadInput(
                f"The key id {key_id!r} of {name} does not belong to this name and key.",
                fix="Copy the whole key again; its name or a part of it was changed.",
                expected=key.key_id.hex(),
            )
        return key

    @property
    def key_id(self) -> bytes:
        """``SHA-256(name ‖ 0A ‖ type ‖ public key)[:4]``."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public)[:KEY_ID_BYTES]

    @property
    def label(self) -> str:
        """``name+keyid``: short, and still of this key alone, whatever else bears its name."""
        return f"{self.name}+{self.key_id.hex()}"

    def __str__(self) -> str:
        return f"{self.label}+{b64(bytes([self.kind]) + self.public)}"

    def verify(self, message: bytes, signature: bytes) -> None:
        """Check a raw Ed25519 signature over exactly ``message``.

        Raises:
            DidNotVerify: it was not made by this key over this message.
        """
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError) as error:
            raise DidNotVerify(
                f"The signature by {self.name} does not belong to this text and key.",
                fix="Fetch the text and the key again; if it still fails, somebody changed one of them.",
                key=str(self),
            ) from error


@dataclass(frozen=True, slots=True)
class SignerKey:
    """A private key with its name. Its ``repr`` never shows the secret."""

    name: str
    kind: KeyType
    _private: Ed25519PrivateKey = field(repr=False, compare=False)
    verifier: VerifierKey = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "verifier", VerifierKey(self.name, self.kind, self._private.public_key().public_bytes_raw())
        )

    @classmethod
    def generate(cls, name: str, entropy: Entropy, kind: KeyType = KeyType.ED25519) -> SignerKey:
        """A new key from 32 fresh bytes."""
        return cls.from_seed(name, entropy.bytes(SEED_BYTES), kind)

    @classmethod
    def from_seed(cls, name: str, seed: bytes, kind: KeyType = KeyType.ED25519) -> SignerKey:
        """The key of a 32-byte Ed25519 seed.

        Raises:
            BadInput: the seed has another length, or the name is not possible.
        """
        if len(seed) != SEED_BYTES:
            raise BadInput(f"An Ed25519 seed has 32 bytes, not {len(seed)}.", fix="Use the whole key file.")
        check_name(name)
        return cls(name, kind, Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def parse(cls, text: str) -> SignerKey:
        """The key behind ``PRIVATE+KEY+name+keyid+base64(type ‖ seed)``, the form that Go's ``sumdb/note`` uses.

        Raises:
            BadInput: it is not such a key, or its id does not belong to it. The message never quotes the secret.
        """
        body = text.strip()
        parts = body.removeprefix(_PRIVATE_PREFIX).split("+", 2)
        if not body.startswith(_PRIVATE_PREFIX) or len(parts) != 3:  # noqa: PLR2004  (name, id, key)
            raise BadInput(
                "This file does not hold a private key (PRIVATE+KEY+name+keyid+base64).",
                fix="Give the file that `watchglass key new` wrote.",
            )
        try:
            raw = unb64(parts[2])
        except BadInput:
            raise BadInput("The private key in this file is damaged.", fix="Restore the key file whole.") from None
        kind, seed = _typed(raw)
        key = cls.from_seed(parts[0], seed, kind)
        if key.verifier.key_id.hex() != parts[1]:
            raise BadInput("The private key's id does not belong to it.", fix="Restore the key file whole.")
        return key

    @property
    def speaking(self) -> SignerKey:
        """The same key as one that signs plain text (type 01): for what a witness says besides cosigning."""
        return SignerKey(self.name, KeyType.ED25519, self._private)

    def export(self) -> str:
        """The secret as text, for a key file with mode 0600 and nothing else."""
        secret = bytes([self.kind]) + self._private.private_bytes_raw()
        return f"{_PRIVATE_PREFIX}{self.name}+{self.verifier.key_id.hex()}+{b64(secret)}"

    def sign(self, message: bytes) -> bytes:
        """A raw Ed25519 signature over exactly ``message``: 64 bytes. The caller separates domains."""
        return self._private.sign(message)


def _typed(raw: bytes) -> tuple[KeyType, bytes]:
    """Split ``type ‖ 32 bytes``."""
    if len(raw) != 1 + PUBLIC_KEY_BYTES:
        raise BadInput(
            f"A key has one type byte and 32 more, not {len(raw)} bytes.", fix="Copy the whole key again, unchanged."
        )
    try:
        return KeyType(raw[0]), raw[1:]
    except ValueError as error:
        raise BadInput(
            f"This key is of type {raw[0]:02x}, which this version does not speak.",
            fix="Use an Ed25519 key (type 01) or a witness's cosignature/v1 key (type 04).",
        ) from error
