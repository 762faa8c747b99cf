"""Time as plain values: milliseconds since 1970-01-01 UTC, and the clock that the edge hands in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Clock(Protocol):
    """Tells the time. Below the edge nothing else does (law 8)."""

    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...


def moment(ms: int) -> datetime:
    """The aware UTC datetime of ``ms``."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def millis(when: datetime) -> int:
    """Milliseconds since the epoch of an aware datetime."""
    return round(when.timestamp() * 1000)


def iso(ms: int) -> str:
    """``2026-11-23T14:05:09Z``; a time that no calendar has stays a number of milliseconds, so that it can be shown."""
    try:
        return moment(ms).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{ms} ms"


def hour_of(ms: int) -> str:
    """The hour a public leaf may name: ``2026-11-23T14Z``."""
    return moment(ms).strftime("%Y-%m-%dT%HZ")


def minute_of(ms: int) -> str:
    """The minute that only an opening names: ``2026-11-23T14:05Z``."""
    return moment(ms).strftime("%Y-%m-%dT%H:%MZ")


def month_of(ms: int) -> str:
    """``2026-11``: how long a pseudonym or an enrolled key lives."""
    return moment(ms).strftime("%Y-%m")
