"""Salted commitments: what a public leaf shows of a value that it does not show.

commitment = SHA-256("watchglass/commitment/v1" ‖ 00 ‖ salt (16 bytes) ‖ u8 length of field ‖ field ‖ canonical(value)).

Binding because SHA-256 is collision resistant and the input parses in one way only; hiding because the salt is 128
fresh bits: whoever lacks it cannot test a guess of the value. The field's name is inside, so that two fields with
equal values and (against the rule) equal salts still differ in meaning.
"""

from __future__ import annotations

import hashlib
from typing import Final

from watchglass.core import canonical
from watchglass.core.errors import BadInput, DidNotVerify

PREFIX: Final = b"watchglass/commitment/v1\x00"
SALT_BYTES: Final = 16
_LONGEST_NAME: Final = 255


def commit(salt: bytes, name: str, value: object) -> bytes:
    """The commitment (32 bytes) to ``value`` of field ``name`` under ``salt`` (16 fresh bytes).

    Raises:
        BadInput: the salt, the name or the value cannot be committed to.
    """
    if len(salt) != SALT_BYTES:
        raise BadInput(f"A salt has {SALT_BYTES} bytes, not {len(salt)}.", fix="Make a fresh salt for each field.")
    return hashlib.sha256(PREFIX + salt + name_part(name) + canonical.encode(value)).digest()


def check(commitment: bytes, salt: bytes, name: str, value: object) -> None:
    """Check that ``commitment`` is to ``value``.

    Raises:
        DidNotVerify: it is to something else; ``details["field"]`` says which field.
    """
    found = commit(salt, name, value)
    if found != commitment:
        raise DidNotVerify(
            f"The opened value of '{name}' is not the one that the leaf committed to.",
            fix="Keep the leaf and the opening: together they show that the opening was changed.",
            field=name,
            expected=commitment.hex(),
            found=found.hex(),
        )


def name_part(name: str) -> bytes:
    """``u8 length ‖ name``."""
    data = name.encode()
    if not 0 < len(data) <= _LONGEST_NAME:
        raise BadInput("A field's name has 1 to 255 bytes.", fix="Use a short name.")
    return bytes([len(data)]) + data
