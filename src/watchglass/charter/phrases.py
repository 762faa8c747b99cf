"""Pieces of sentences for residents: lengths of time, days, lists, numbers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from watchglass.core.time import DAY, HOUR, MINUTE, SECOND

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_UNITS: Final = ((365 * DAY, "year"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second"))


def duration(ms: int) -> str:
    """A length of time in words: ``2 minutes``, ``1 year 35 days``."""
    parts: list[str] = []
    rest = ms
    for size, name in _UNITS:
        whole, rest = divmod(rest, size)
        if whole:
            parts.append(f"{whole} {name}{'' if whole == 1 else 's'}")
    if rest:
        parts.append(f"{rest} milliseconds")
    return " ".join(parts) or "0 seconds"


def day(value: date) -> str:
    """``1 December 2026``."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def listed(parts: list[str], word: str = "and") -> str:
    """``a, b and c``."""
    if not parts[1:]:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def said(name: str) -> str:
    """A name as people say it: ``tram-track`` is "tram track"."""
    return name.replace("-", " ")


def somebody(roles: Iterable[str]) -> str:
    """Anybody who has one of some roles: ``a shift lead or an investigator``."""
    return listed([f"{'an' if role[0] in 'aeiou' else 'a'} {said(role)}" for role in roles], "or")


def plain(number: float) -> str:
    """A number without needless digits."""
    return f"{number:.9f}".rstrip("0").rstrip(".")


def count(number: int) -> str:
    """Small numbers as words."""
    small = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return small[number] if number < len(small) else str(number)


def full_stop(text: str) -> str:
    """The text with a full stop."""
    return text if text.endswith((".", "!", "?")) else text + "."


def capital(text: str) -> str:
    """The text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def in_natural(per_mille: int) -> str:
    """A share as a count out of a round number, the smallest that fits: 600 is ``6 of 10``, 950 ``95 of 100``."""
    for whole in (10, 100):
        if per_mille * whole % 1000 == 0:
            return f"{per_mille * whole // 1000} of {whole}"
    return f"{per_mille} of 1,000"
