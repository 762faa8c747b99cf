"""The types that a field of a record may have. Each checks exactly, and describes itself for the reference page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, Protocol

from watchglass.core.errors import BadInput


class FieldType(Protocol):
    """What a value must be."""

    def check(self, value: object, where: str) -> None:
        """Raise ``BadInput`` naming ``where`` unless ``value`` is exactly of this type."""
        ...

    def words(self) -> str:
        """The type in a few plain words."""
        ...


def wrong(where: str, expected: str, value: object) -> BadInput:
    """The one way to say that a field does not hold what it should. Never quotes more than a few characters."""
    shown = "null" if value is None else repr(value)
    return BadInput(
        f"The field '{where}' must be {expected}, not {shown[:60]}.",
        fix="Correct this field; docs/reference/records.md lists what each act writes.",
        field=where,
    )


@dataclass(frozen=True, slots=True)
class Text:
    """Unicode text of 1 to ``most`` characters (0 to ``most`` where ``may_be_empty``)."""

    most: int
    may_be_empty: bool = False

    def check(self, value: object, where: str) -> None:
        if type(value) is not str or len(value) > self.most or not (value or self.may_be_empty):
            raise wrong(where, self.words(), value)

    def words(self) -> str:
        return f"text of at most {self.most:,} characters" + (", may be empty" if self.may_be_empty else "")


@dataclass(frozen=True, slots=True)
class Pattern:
    """Text that matches ``expression`` wholly; ``said`` is what that means in words."""

    expression: re.Pattern[str]
    said: str

    def check(self, value: object, where: str) -> None:
        if type(value) is not str or self.expression.fullmatch(value) is None:
            raise wrong(where, self.said, value)

    def words(self) -> str:
        return self.said


@dataclass(frozen=True, slots=True)
class Moment:
    """A UTC moment written in exactly one way (``form`` is a strptime format)."""

    form: str
    said: str

    def check(self, value: object, where: str) -> None:
        if type(value) is not str or not _is_moment(value, self.form):
            raise wrong(where, self.said, value)

    def words(self) -> str:
        return self.said


@lru_cache(maxsize=256)
def _is_moment(value: str, form: str) -> bool:
    try:
        when = datetime.strptime(value, form)  # noqa: DTZ007  # the Z is literal in these forms; only the form matters
    except ValueError:
        return False
    return when.strftime(form) == value


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    among: tuple[str, ...]

    def check(self, value: object, where: str) -> None:
        if type(value) is not str or value not in self.among:
            raise wrong(where, self.words(), value)

    def words(self) -> str:
        return "one of " + ", ".join(f"`{word}`" for word in self.among)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from ``least`` to ``most``, both included."""

    least: int
    most: int

    def check(self, value: object, where: str) -> None:
        if type(value) is not int or not self.least <= value <= self.most:
            raise wrong(where, self.words(), value)

    def words(self) -> str:
        return f"whole number, {self.least:,} to {self.most:,}"


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of at most ``most`` values of one type; as a set it is sorted and without repetition."""

    item: FieldType
    most: int
    as_set: bool = False

    def check(self, value: object, where: str) -> None:
        if type(value) is not list or len(value) > self.most:
            raise wrong(where, self.words(), value)
        for item in value:
            self.item.check(item, where)
        if self.as_set and sorted(set(value)) != value:
            raise wrong(where, self.words(), value)

    def words(self) -> str:
        order = ", sorted, without repetition" if self.as_set else ""
        return f"list of at most {self.most}{order}: {self.item.words()}"


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object of at most ``most`` entries, from names to values of one type."""

    item: FieldType
    most: int

    def check(self, value: object, where: str) -> None:
        if type(value) is not dict or len(value) > self.most:
            raise wrong(where, self.words(), value)
        for key, item in value.items():
            NAME.check(key, where)
            self.item.check(item, f"{where}.{key}")

    def words(self) -> str:
        return f"object of at most {self.most} entries from names to: {self.item.words()}"


@dataclass(frozen=True, slots=True)
class Members:
    """An object with exactly these members."""

    members: Mapping[str, FieldType]

    def check(self, value: object, where: str) -> None:
        if type(value) is not dict or value.keys() != self.members.keys():
            raise wrong(where, self.words(), value)
        for name, kind in self.members.items():
            kind.check(value[name], f"{where}.{name}")

    def words(self) -> str:
        return "object of " + "; ".join(f"`{name}`: {kind.words()}" for name, kind in self.members.items())


@dataclass(frozen=True, slots=True)
class OrNull:
    """A value of a type, or null."""

    item: FieldType

    def check(self, value: object, where: str) -> None:
        if value is not None:
            self.item.check(value, where)

    def words(self) -> str:
        return f"{self.item.words()}, or null"


def check_members(values: Mapping[str, object], types: Mapping[str, FieldType], where: str) -> None:
    """Check that ``values`` are exactly the fields ``types``, each of its type.

    Raises:
        BadInput: naming the field that is missing, unknown or wrong.
    """
    if values.keys() != types.keys():
        raise _not_these(values, types, where)
    for name, kind in types.items():
        kind.check(values[name], name)


def _not_these(values: Mapping[str, object], types: Mapping[str, FieldType], where: str) -> BadInput:
    for name in types:
        if name not in values:
            return BadInput(
                f"The field '{name}' is missing from {where}.", fix="Add it; every field is needed.", field=name
            )
    name = next(name for name in values if name not in types)
    known = ", ".join(types) or "none"
    return BadInput(
        f"{where} has no field '{str(name)[:60]}'.", fix=f"Remove it. The fields are: {known}.", field=str(name)[:60]
    )


NAME: Final = Pattern(
    re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"), "a name (letters, digits, `.`, `_`, `-`; at most 64)"
)
HASH: Final = Pattern(re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="), "a SHA-256 hash in base64")
X25519: Final = Pattern(re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="), "an X25519 public key in base64")
SIGNATURE: Final = Pattern(re.compile(r"[A-Za-z0-9+/]{85}[AQgw]=="), "an Ed25519 signature in base64")
IDENTIFIER: Final = Pattern(re.compile(r"[0-9a-f]{16}"), "16 hex digits")
VKEY: Final = Pattern(
    re.compile(r"[^\s+]{1,100}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}"), "an Ed25519 key as a C2SP vkey (`name+keyid+base64`)"
)
PSEUDONYM: Final = Pattern(
    re.compile(r"house|p-[a-z2-7]{12}"), "`house`, or a monthly pseudonym (`p-` and 12 letters and digits 2 to 7)"
)
SIGNER: Final = Pattern(re.compile(r"[^\s+]{1,100}\+[0-9a-f]{8}"), "the name and key id of a vkey (`name+keyid`)")
ORIGIN: Final = Pattern(re.compile(r"[^\s+]{1,200}"), "a log's origin (no spaces, no `+`)")
MINUTE: Final = Moment("%Y-%m-%dT%H:%MZ", "a minute, UTC (`2026-11-23T14:05Z`)")
HOUR: Final = Moment("%Y-%m-%dT%HZ", "an hour, UTC (`2026-11-23T14Z`)")
DATE: Final = Moment("%Y-%m-%d", "a day in UTC (`2026-11-23`)")
MONTH: Final = Moment("%Y-%m", "a month (`2026-11`)")
LINE: Final = Pattern(
    re.compile("[^\\x00-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069]{1,300}"), "one line of 1 to 300 characters"
)
"""For everybody to read, also on a terminal: nothing in it moves a cursor or turns the direction of the text."""
