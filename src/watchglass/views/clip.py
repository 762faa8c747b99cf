r"""The envelope of a mosaicked clip: AES-256-GCM under a key of its own, bound to the alert that it belongs to.

Layout: ``watchglass/clip/v1\n`` ‖ key check (32) ‖ nonce (12) ‖ ciphertext and tag. The key check is
SHA-256(``watchglass/clip-key/v1\0`` ‖ key): GCM alone does not commit to its key. It tells nothing about a random key.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from watchglass.core.errors import DidNotVerify

_MAGIC: Final = b"watchglass/clip/v1\n"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_HEADER: Final = len(_MAGIC) + 32


def seal_clip(key: bytes, nonce: bytes, mp4: bytes, aad: bytes) -> bytes:
    """The sealed clip.

    Args:
        key: 32 fresh random bytes, used for this clip only.
        nonce: 12 fresh random bytes.
        mp4: the mosaicked clip.
        aad: what the clip belongs to: the alert's id.
    """
    _check_key(key)
    if len(nonce) != _NONCE_BYTES:
        raise ValueError("a clip's nonce has 12 bytes")
    header = _MAGIC + _key_check(key)
    return header + nonce + AESGCM(key).encrypt(nonce, mp4, header + aad)


def open_clip(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """The clip inside ``sealed``.

    Raises:
        DidNotVerify: not a sealed clip, another key, another alert, or a byte was changed.
    """
    _check_key(key)
    header, nonce = sealed[:_HEADER], sealed[_HEADER : _HEADER + _NONCE_BYTES]
    if not header.startswith(_MAGIC) or len(nonce) != _NONCE_BYTES:
        raise DidNotVerify(
            "This file is not a sealed clip.",
            fix="Restore the clips folder from a backup, or let retention remove the file.",
        )
    if not hmac.compare_digest(header[len(_MAGIC) :], _key_check(key)):
        raise DidNotVerify(
            "This clip was sealed under another key.",
            fix="Check that database and clips folder come from the same backup.",
        )
    try:
        return AESGCM(key).decrypt(nonce, sealed[_HEADER + _NONCE_BYTES :], header + aad)
    except InvalidTag as error:
        raise DidNotVerify(
            "This clip was changed after it was sealed, or belongs to another alert.",
            fix="Do not decide on it: tell oversight, and decide from the painted still.",
        ) from error


def _check_key(key: bytes) -> None:
    if len(key) != _KEY_BYTES:
        raise ValueError("a clip's key has 32 bytes")


def _key_check(key: bytes) -> bytes:
    return hashlib.sha256(b"watchglass/clip-key/v1\0" + key).digest()
