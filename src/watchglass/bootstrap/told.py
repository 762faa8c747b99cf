"""What a portal answers, read as something that may hold anything: each part is of its type, or that is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from watchglass.core.canonical import MAX_INTEGER
from watchglass.core.digest import unb64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.evidence.header import LARGEST_HEADER
from watchglass.records.fields import HASH, FieldType, Text, Whole

_OCTETS: Final = Text(64 * LARGEST_HEADER)
_COUNT: Final = Whole(0, MAX_INTEGER)


def part(row: Mapping[str, Any], name: str, kind: FieldType) -> Any:
    """One part of an answer.

    Raises:
        DidNotVerify: it is missing, or of another type.
    """
    try:
        kind.check(row.get(name), name)
    except BadInput as error:
        raise DidNotVerify(
            f"The portal's answer cannot be right: {error.message}",
            fix="Do nothing that rests on it; check the portal's address, and tell oversight.",
            field=name,
        ) from error
    return row[name]


def parts(row: Mapping[str, Any], kinds: Mapping[str, FieldType]) -> dict[str, Any]:
    """The row, of which each of these parts is of its type.

    Raises:
        DidNotVerify: one is not.
    """
    return {**row, **{name: part(row, name, kind) for name, kind in kinds.items()}}


def rows(told: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects in a list of an answer; whatever else is there is left out."""
    found = told.get(name)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def obj(value: object) -> dict[str, Any]:
    """An object, or an empty one."""
    return value if isinstance(value, dict) else {}


def count(row: Mapping[str, Any], name: str) -> int:
    """A number from 0.

    Raises:
        DidNotVerify: there is none.
    """
    return int(part(row, name, _COUNT))


def hash_of(row: Mapping[str, Any], name: str) -> bytes:
    """The 32 bytes of a hash.

    Raises:
        DidNotVerify: there is none.
    """
    return unb64(part(row, name, HASH))


def octets(row: Mapping[str, Any], name: str) -> bytes:
    """Bytes in base64.

    Raises:
        BadInput, DidNotVerify: there are none.
    """
    return unb64(part(row, name, _OCTETS))
