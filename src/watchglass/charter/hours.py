"""Hours of the day and days of the week, in the charter's time zone, over every change of the clocks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from watchglass.charter.schema import Many, Scalar, word, zone_of
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY, MINUTE, millis, moment

WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Days = tuple[str, ...]
_PATTERN = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])", re.ASCII)
_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Hours:
    """From one minute of the day until another; ``end`` not after ``start`` means that they pass midnight.

    Attributes:
        start: minutes after midnight, 0..1439.
        end: minutes after midnight, 1..1440, not equal to ``start``.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not (0 <= self.start < _A_DAY and 0 < self.end <= _A_DAY):
            raise BadInput("Hours go from 00:00 to 24:00.", fix="Write for example 01:00-04:30.")
        if self.start == self.end:
            raise BadInput("These hours have no length.", fix="For the whole day leave `hours` out.")

    @property
    def past_midnight(self) -> bool:
        """Whether they end on the next day."""
        return self.end < self.start

    def __str__(self) -> str:
        return f"{self.start // 60:02d}:{self.start % 60:02d}-{self.end // 60:02d}:{self.end % 60:02d}"


def _read_hours(text: str) -> Hours:
    match = _PATTERN.fullmatch(text)
    if not match:
        raise ValueError(text[:60])
    first, second, third, fourth = (int(part) for part in match.groups())
    end = third * 60 + fourth
    return Hours(first * 60 + second, end or _A_DAY)


def _read_days(days: tuple[str, ...]) -> Days:
    if len(set(days)) != len(days):
        raise BadInput("A day is named twice.", fix="Name each day once.")
    return tuple(day for day in WEEK if day in days)


HOURS: Final = Scalar("hours such as 01:00-04:30", _read_hours)
DAYS: Final = Many(word(*WEEK), fewest=1, most=7, make=_read_days, expects="a list of days such as [mon, tue]")


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a moment lies within some hours, and the next moment (ms) at which that could change."""

    within: bool
    until_ms: int | None


def _offset(zone: tzinfo, at_ms: int) -> int:
    """Milliseconds that the zone's clocks are ahead of UTC at ``at_ms``."""
    delta = moment(at_ms).astimezone(zone).utcoffset()
    if delta is None:  # pragma: no cover  (every zone here knows)
        raise BadInput("The time zone has no offset.", fix="Choose another time zone.")
    return delta // timedelta(milliseconds=1)


def look(hours: Hours | None, days: Days, timezone: str, now_ms: int) -> Answer:
    """Whether ``now_ms`` is within ``hours`` on ``days`` by the wall clock of ``timezone``.

    A night that passes midnight belongs to the day on which it begins. Where clocks are put forward the wall clock
    jumps, where they are put back it shows an hour twice; what counts is what the wall clock shows.
    """
    if hours is None and not days:
        return Answer(within=True, until_ms=None)
    zone = zone_of(timezone)
    local = now_ms + _offset(zone, now_ms)
    into_day = local % DAY
    weekday = (local // DAY + 3) % 7  # 1970-01-01 was a Thursday
    within = _within(hours, days, into_day, weekday)
    marks = {DAY} if hours is None else {DAY, hours.start * MINUTE, hours.end * MINUTE}
    until = now_ms + min(mark - into_day for mark in marks if mark > into_day)
    return Answer(within, _first_shift(zone, now_ms, until))


def _within(hours: Hours | None, days: Days, into_day: int, weekday: int) -> bool:
    def on(day: int) -> bool:
        return not days or WEEK[day % 7] in days

    if hours is None:
        return on(weekday)
    start, end = hours.start * MINUTE, hours.end * MINUTE
    if not hours.past_midnight:
        return on(weekday) and start <= into_day < end
    return (on(weekday) and into_day >= start) or (on(weekday - 1) and into_day < end)


def _first_shift(zone: tzinfo, now_ms: int, until_ms: int) -> int:
    """``until_ms``, or the moment before it at which the clocks are changed."""
    before = _offset(zone, now_ms)
    if _offset(zone, until_ms) == before:
        return until_ms
    low, high = now_ms, until_ms
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def begin_of(day: date, timezone: str) -> int:
    """The moment (ms) at which ``day`` begins in ``timezone``."""
    return millis(datetime(day.year, day.month, day.day, tzinfo=zone_of(timezone)).astimezone(UTC))
