"""How a charter's keys are described: what a value must look like, and what it means.

The model's fields carry these descriptions (``Annotated[type, Key(...)]``). The parser, the reference page and the
nearest-word hints all read them, so that there is one place that says what a charter may hold.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from watchglass.core.digest import unb64
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND
from watchglass.ledger.keys import KeyType, VerifierKey

UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY, "y": 365 * DAY}
"""Milliseconds of each unit of time; a year is 365 days."""

_LONGEST = 100 * UNITS["y"]
_WHOLE = 100  # percent


@dataclass(frozen=True, slots=True)
class Scalar:
    """One written value.

    Attributes:
        expects: what to write, for error messages and the reference ("a length of time such as 20s").
        read: the value of a text; raises BadInput or ValueError where the text does not fit.
        words: the only words allowed, where they are a fixed few.
        write: how a charter writes a value that is kept as another number.
    """

    expects: str
    read: Callable[[str], Any]
    words: tuple[str, ...] = ()
    write: Callable[[Any], str] = str


@dataclass(frozen=True, slots=True)
class Many:
    """A list of ``item``; ``make`` turns the tuple of its values into the field's value."""

    item: Spec
    fewest: int = 0
    most: int = 1000
    make: Callable[[tuple[Any, ...]], Any] = tuple
    expects: str = "a list"


@dataclass(frozen=True, slots=True)
class Part:
    """A section with fixed keys."""

    of: type


@dataclass(frozen=True, slots=True)
class Named:
    """A section whose keys are names that the charter gives; each value is an ``item``."""

    item: Part | Choice | Pair
    fewest: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """A section whose ``kind`` decides which keys it has."""

    kinds: tuple[tuple[str, type], ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """``name: value`` in one line, kept as a small class with ``name`` and ``field``."""

    of: type
    value: Scalar
    field: str = "digest"


Spec = Scalar | Many | Part | Named | Choice

ANY = "*"
"""The key of a field that takes every name which its section does not know by itself."""


@dataclass(frozen=True, slots=True)
class Key:
    """What one field means: its description, and its name in the file where that differs."""

    spec: Spec
    means: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A field of a model class together with its description."""

    field: str
    key: str
    spec: Spec
    means: str
    required: bool
    default: Any


@cache
def entries(model: type) -> tuple[Entry, ...]:
    """The described fields of a model class, in order."""
    hints = get_type_hints(model, include_extras=True)
    found: list[Entry] = []
    for field in dataclasses.fields(model):
        hint = hints[field.name]
        if get_origin(hint) is not Annotated:
            continue
        key = next(extra for extra in get_args(hint)[1:] if isinstance(extra, Key))
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        default = None if required else field.default
        found.append(Entry(field.name, key.name or field.name, key.spec, key.means, required, default))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class LooseEnd:
    """What is written right by itself and does not fit the rest: a name that leads nowhere, a shape that lies outside.

    Attributes:
        path: where it stands. ``written`` and ``known``: a wrong name and the right ones, for a hint at the nearest.
    """

    path: tuple[str | int, ...]
    message: str
    fix: str
    written: str = ""
    known: tuple[str, ...] = ()


def _matching(pattern: str, convert: Callable[[str], Any], expects: str) -> Scalar:
    compiled = re.compile(pattern, re.ASCII)

    def read(text: str) -> Any:
        if not compiled.fullmatch(text):
            raise ValueError(text[:60])
        return convert(text)

    return Scalar(expects, read)


def word(*words: str) -> Scalar:
    """One of a fixed few words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(text[:60])
        return text

    listed = " or ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]
    return Scalar(listed, read, words)


def number(lowest: float, highest: float) -> Scalar:
    """A decimal number, no exponent."""
    between = f"{lowest:.6f}".rstrip("0").rstrip(".") + " to " + f"{highest:.6f}".rstrip("0").rstrip(".")

    def convert(text: str) -> float:
        value = float(text)
        if not lowest <= value <= highest:
            raise BadInput(f"{text} is outside {between}.", fix=f"Write a number from {between}.")
        return value

    return _matching(r"-?[0-9]{1,9}(\.[0-9]{1,9})?", convert, f"a number from {between}")


_SHARE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)( ?%)?", re.ASCII)
_IN_WORDS = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?(?:per ?cent|pct)\.?", re.ASCII | re.IGNORECASE)


def share(lowest: int, highest: int) -> Scalar:
    """A part of a whole, per mille: ``0.6`` and ``60%`` are both 600. A bare 60 may be either, so it is neither."""
    between = f"{lowest / 1000:g} to {highest / 1000:g}"

    def read(text: str) -> int:
        spelled = _IN_WORDS.fullmatch(text)
        if spelled:
            raise BadInput("Percent are written with their sign.", fix=f"Write {spelled[1]}%.")
        found = _SHARE.fullmatch(text)
        if not found:
            raise ValueError(text[:60])
        number = Decimal(found[1])
        if not found[2] and number > 1:
            fix = f"Write {number}%, or {number / 100}." if number <= _WHOLE else "Write for example 0.6."
            raise BadInput(f"{text} is more than the whole. A share is written as 0.6 or as 60%.", fix=fix)
        exact = number * (10 if found[2] else 1000)
        if exact != exact.to_integral_value():
            raise BadInput(
                f"{text} is finer than shares are kept.", fix="Write at most three digits after the point, as in 0.625."
            )
        if not lowest <= exact <= highest:
            raise BadInput(f"{text} is outside {between}.", fix=f"Write a share from {between}, or it in percent.")
        return int(exact)

    return Scalar(f"a share such as 0.6 or 60%, from {between}", read, write=lambda value: f"{value / 1000:g}")


def thousandths(lowest: int, highest: int) -> Scalar:
    """A decimal number with at most three digits after the point, kept as a whole number of thousandths."""
    between = f"{lowest / 1000:g} to {highest // 1000}"

    def convert(text: str) -> int:
        value = int(Decimal(text) * 1000)
        if not lowest <= value <= highest:
            raise BadInput(f"{text} is outside {between}.", fix=f"Write a number from {between}.")
        return value

    expects = f"a number from {between}, with at most three digits after the point"
    return _matching(r"-?[0-9]{1,9}(\.[0-9]{1,3})?", convert, expects)


def whole(lowest: int, highest: int) -> Scalar:
    """A whole number."""

    def convert(text: str) -> int:
        value = int(text)
        if not lowest <= value <= highest:
            raise BadInput(
                f"{text} is outside {lowest} to {highest}.", fix=f"Write a whole number from {lowest} to {highest}."
            )
        return value

    expects = f"{lowest}" if lowest == highest else f"a whole number from {lowest} to {highest}"
    return _matching(r"0|[1-9][0-9]{0,8}", convert, expects)


def _duration(text: str) -> int:
    value = int(text[:-1]) * UNITS[text[-1]]
    if value > _LONGEST:
        raise BadInput("That is longer than a hundred years.", fix="Write a shorter time.")
    return value


def _date(text: str) -> date:
    value = date.fromisoformat(text)
    if not 2000 <= value.year <= 2199:  # noqa: PLR2004  (the years that a charter can be about)
        raise BadInput(f"The year of {text} cannot be meant.", fix="Write a year from 2000 to 2199.")
    return value


def zone_of(name: str) -> tzinfo:
    """The time zone called ``name``; UTC needs no time zone data on the machine."""
    return UTC if name == "UTC" else ZoneInfo(name)


def _timezone(text: str) -> str:
    try:
        zone_of(text)
    except (ValueError, OSError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise ValueError(text[:60]) from error
    return text


def _key_of(kind: KeyType, wrong: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if VerifierKey.parse(text).kind is not kind:
            raise BadInput(f"This is the key of {wrong}.", fix="Copy the key that belongs here.")
        return text

    return read


def _openings_key(text: str) -> str:
    unb64(text, length=32)
    return text


def _sentence(text: str) -> str:
    clean = " ".join(text.split())
    if not clean or len(clean) > 2000 or not clean.isprintable():  # noqa: PLR2004  (a text, not a book)
        raise ValueError(text[:60])
    return clean


SENTENCE = Scalar("a sentence", _sentence)
DURATION = _matching(r"(0|[1-9][0-9]{0,6})[smhdwy]", _duration, "a length of time such as 20s, 15m, 72h, 7d, 2w or 1y")
DATE = _matching(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", _date, "a day such as 2026-12-01")
YES_NO = _matching(r"true|false", lambda text: text == "true", "true or false")
NAME = _matching(r"[a-z0-9](-?[a-z0-9]){0,63}", str, "a name in small letters, digits and hyphens, such as steps-cam")
MODEL_HASH = _matching(r"sha256:[0-9a-f]{64}", str, "sha256: and 64 hex digits, as `watchglass model show` prints them")
PLUG_IN_HASH = _matching(
    r"sha256:[0-9a-f]{64}", str, "sha256: and 64 hex digits, as `watchglass plugin show` prints them"
)
TIMEZONE = Scalar("a time zone such as Europe/Berlin", _timezone)
PATH = _matching(r"(?!/)(?!.*(^|/)\.\.?(/|$))(?!.*//)[A-Za-z0-9._/ -]{1,200}", str, "a path inside the media folder")
URL = _matching(r"https?://[A-Za-z0-9.:\[\]-]{1,200}(/[A-Za-z0-9._~/-]{0,200})?", str, "an http or https address")
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9a-fA-F:.]{2,45}\])"


def _address(schemes: str, expects: str) -> Scalar:
    """An address without a user and a password in it: secrets do not stand in a published file."""
    fits = re.compile(rf"(?:{schemes})://{_HOST}(?::[0-9]{{1,5}})?(?:/[A-Za-z0-9._~/%+:,;=&?!-]{{0,400}})?", re.ASCII)

    def read(text: str) -> str:
        if "@" in text:
            raise BadInput(
                "A user or a password stands in this address, and a charter is published.",
                fix="Keep the address with `watchglass secret set NAME`; name it under the key that ends in _secret.",
            )
        if not fits.fullmatch(text):
            raise ValueError(text[:60])
        return text

    return Scalar(expects, read)


RTSP_URL = _address("rtsps?", "an address such as rtsp://camera.example/stream1")
PAGE_URL = _address("https?", "an address such as https://example.org/hook")
HOST = _matching(_HOST, str, "a host such as broker.example.org")
DEVICE = _matching(r"/dev/[A-Za-z0-9/_-]{1,60}|[0-9]{1,2}", str, "a device such as /dev/video0, or its number")
TOPIC = _matching(r"[a-z0-9_-]{1,40}(/[a-z0-9_-]{1,40}){0,4}", str, "a topic such as watchglass, without wildcards")
SECRET = _matching(
    r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?", str, "a secret's name such as quay_main, never the secret itself"
)
USERNAME = _matching(r"[A-Za-z0-9._@-]{1,64}", str, "a user's name")
CURRENCY = _matching(r"[A-Z]{3}", str, "three capital letters such as EUR")
_VKEY = r"[A-Za-z0-9._/-]{1,100}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{40,60}"
SIGNING_KEY = _matching(
    _VKEY,
    _key_of(KeyType.ED25519, "a witness, and here belongs one that signs"),
    "a verifier key as `watchglass key new` prints it: name+id+key, in one line",
)
WITNESS_KEY = _matching(
    _VKEY,
    _key_of(KeyType.COSIGNATURE_V1, "somebody who signs, and here belongs a witness's"),
    "a witness's verifier key: name+id+key, in one line",
)
OPENINGS_KEY = _matching(r"[A-Za-z0-9+/=]{44}", _openings_key, "an X25519 public key: 32 bytes in base64")
