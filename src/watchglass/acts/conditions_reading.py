"""What is read of a source's conditions: what everybody may know, and for staff what was measured beside each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from watchglass.acts.reading import index_of
from watchglass.acts.source_conditions import Failing, Hour, failing, hours_of, spells
from watchglass.charter.condition_words import conditions_said
from watchglass.charter.conditions import Conditions
from watchglass.charter.model import Source
from watchglass.charter.phrases import listed
from watchglass.core.time import DAY, HOUR
from watchglass.quality.conditions import SHORT, Minute, readings
from watchglass.quality.inputs import MEASURES, TO_DO, Floats, Warned, wanders, warned
from watchglass.records.outbox import Reader

DAYS: Final = 7
"""Over how many days the measured range beside a condition is."""
_SERIES_DAYS: Final = 62
_FEWEST: Final = 24
_THOUSAND: Final = 1000


@dataclass(frozen=True, slots=True)
class Measured:
    """One thing that can be asked of a source, and what was measured of it in the last days.

    Attributes:
        key: as the charter writes it. stated: what it asks, as it is written; "" where it asks nothing.
        least, low, high, most: the lowest and the highest minute, and between which 9 of 10 hours lay; None: unknown.
        hours: of how many hours that is. failed: in how many of them the mean did not meet it; None: not asked.
        remark: that it would never, or always, have failed; "" otherwise.
    """

    key: str
    what: str
    stated: str
    least: float | None
    low: float | None
    high: float | None
    most: float | None
    hours: int
    failed: int | None
    remark: str


@dataclass(frozen=True, slots=True)
class Drift:
    """A measure that was compared with its own earlier weeks, and what to do where it has changed."""

    source: str
    place: str
    warned: Warned
    to_do: str


def public_words(reader: Reader, source: Source) -> tuple[str, ...]:
    """What is asked of a source's pictures and whether it is met, as far as the ledger has told it (law 10)."""
    if source.conditions is None:
        return ("The rules state no conditions for its pictures.",)
    found = [SHORT[each.condition] for each in failing(reader, source.name) if _told(reader, each)]
    asked = f"Its pictures must be {listed(conditions_said(source.conditions))}."
    if not found:
        return (asked, "The ledger says of none of these that it is not met.")
    return (
        asked,
        f"The camera is degraded: {listed(found)}. Its rules go on, and every alert of theirs says so.",
    )


def _told(reader: Reader, found: Failing) -> bool:
    return index_of(reader, found.leaf_hash) is not None


def measured(reader: Reader, source: Source, now_ms: int) -> tuple[Measured, ...]:
    """Each condition that there can be, with the range that was measured in the last days."""
    hours = hours_of(reader, source.name, now_ms - DAYS * DAY, now_ms + 1)
    asked = source.conditions
    found = (
        _row("brightness", "Brightness, 0 to 255", asked, hours, "bright"),
        _row("sharpness_at_least", "Sharpness", asked, hours, "sharp"),
        _row("zones_in_view_at_least", "Share of each area in its place", asked, hours, "zones"),
        _row("uptime_at_least", "Share of the hour with pictures", asked, hours, "up"),
        _row("clock_within", "Clock off by, in seconds", asked, hours, "clock"),
    )
    return tuple(found)


def degraded_lately(reader: Reader, source: str, now_ms: int) -> tuple[Failing, ...]:
    """Every time in the last days that it did not meet a condition, the newest first."""
    return spells(reader, source, now_ms - DAYS * DAY, now_ms + 1)


def input_drift(reader: Reader, sources: tuple[Source, ...], now_ms: int) -> tuple[Drift, ...]:
    """Every measure of every source against its own earlier weeks, whole days only."""
    until = now_ms - now_ms % DAY
    made = []
    for source in sources:
        hours = hours_of(reader, source.name, until - _SERIES_DAYS * DAY, until)
        for name in MEASURES:
            found = warned(name, _days(source, hours, name, until))
            made.append(Drift(source.name, source.place.name, found, TO_DO[name]))
    return tuple(made)


def _days(source: Source, hours: tuple[Hour, ...], name: str, until: int) -> Floats:
    """(days, 24): each hour's value. Not known: hours that were watched for less than half, and light at twilight."""
    lat, lon = source.place.lat, source.place.lon
    first = min((each.hour_ms for each in hours), default=until) // DAY
    days = np.full((max(0, until // DAY - first), 24), np.nan)
    for each in hours:
        value = _value(each, name)
        if value is None or each.up_ms < HOUR // 2:
            continue
        if name == "followed" or not wanders(lat, lon, each.hour_ms):
            days[each.hour_ms // DAY - first, each.hour_ms % DAY // HOUR] = value
    return days


def _value(hour: Hour, name: str) -> float | None:
    match name:
        case "brightness":
            return hour.bright
        case "sharpness":
            return hour.sharp
        case _:
            return hour.followed * HOUR / hour.up_ms if hour.up_ms else None


def _row(key: str, what: str, asked: Conditions | None, hours: tuple[Hour, ...], name: str) -> Measured:
    values = [trio for each in hours if (trio := _of_hour(each, name)) is not None]
    stated = _stated(asked, key)
    middle = [value for _, value, _ in values]
    failed = None
    if stated and asked is not None:
        failed = sum(any(each.fails for each in readings(asked, _minute(name, value))) for value in middle)
    low, high = np.quantile(middle, (0.05, 0.95)).tolist() if middle else (None, None)
    return Measured(
        key,
        what,
        stated,
        min((each for each, _, _ in values), default=None),
        low,
        high,
        max((each for _, _, each in values), default=None),
        len(values),
        failed,
        _remark(failed, len(values)),
    )


def _remark(failed: int | None, hours: int) -> str:
    if failed is None or hours < _FEWEST:
        return ""
    if failed == hours:
        return "It would always have failed: choose a value that a usual day meets."
    return "" if failed else "It was always met."


def _of_hour(hour: Hour, name: str) -> tuple[float, float, float] | None:
    """(least, mean, most) of an hour."""
    match name:
        case "bright":
            found = hour.bright_least, hour.bright, hour.bright_most
        case "sharp":
            found = hour.sharp_least, hour.sharp, hour.sharp_most
        case "zones":
            found = hour.zones_least, hour.zones, hour.zones
        case "up":
            share = hour.up_ms / hour.asked_ms if hour.asked_ms else None
            found = share, share, share
        case _:
            off = None if hour.clock_ms is None else abs(hour.clock_ms) / _THOUSAND
            found = off, off, off
    low, mean, high = found
    return None if low is None or mean is None or high is None else (low, mean, high)


def _minute(name: str, value: float) -> Minute:
    match name:
        case "bright":
            return Minute(brightness=value)
        case "sharp":
            return Minute(sharpness=value)
        case "zones":
            return Minute(zones=value)
        case "up":
            return Minute(uptime=value)
        case _:
            return Minute(clock_ms=round(value * _THOUSAND))


def _stated(asked: Conditions | None, key: str) -> str:
    if asked is None or key not in asked.stated:
        return ""
    match key:
        case "brightness":
            low, high = asked.brightness or (0, 0)
            return f"{low} to {high}"
        case "sharpness_at_least":
            return f"{(asked.sharpness_at_least or 0) / _THOUSAND:g} or more"
        case "zones_in_view_at_least":
            return f"{(asked.zones_in_view_at_least or 0) / _THOUSAND:g} or more"
        case "uptime_at_least":
            return f"{(asked.uptime_at_least or 0) / _THOUSAND:g} or more"
        case _:
            return f"{(asked.clock_within_ms or 0) / _THOUSAND:g} or less"
