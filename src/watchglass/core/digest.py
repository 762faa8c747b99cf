"""Digests and their text form."""

from __future__ import annotations

import base64
import binascii
import hashlib

from watchglass.core.errors import BadInput


def sha256(data: bytes) -> bytes:
    """SHA-256 of ``data``: 32 bytes."""
    return hashlib.sha256(data).digest()


def b64(data: bytes) -> str:
    """Standard base64 with padding, as C2SP writes it."""
    return base64.b64encode(data).decode("ascii")


def unb64(text: str, *, length: int | None = None) -> bytes:
    """The bytes behind strict standard base64.

    Raises:
        BadInput: the text is not exactly the base64 of some bytes, or those are not ``length`` bytes long.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput(
            f"{text[:40]!r} is not base64.", fix="Copy the whole value again, without spaces or line breaks."
        ) from error
    if b64(data) != text:
        raise BadInput(f"{text[:40]!r} is base64 with stray bits.", fix="Copy the value again, unchanged.")
    if length is not None and len(data) != length:
        raise BadInput(
            f"Expected {length} bytes and got {len(data)}.", fix="Copy the whole value again; a part is missing."
        )
    return data
