"""Whether a source meets the conditions that its charter states: judged minute by minute, with hysteresis. Pure.

A source is degraded by a condition once that has failed for ``BEGINS`` minutes on end, and no longer once it has been
met with a margin for ``ENDS`` minutes on end: light at the border of what is enough does not flicker in the ledger.
What could not be measured changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from watchglass.charter.conditions import Conditions

Name = Literal["too_dark", "too_bright", "blurred", "zones", "uptime", "clock"]
NAMES: Final[tuple[Name, ...]] = ("too_dark", "too_bright", "blurred", "zones", "uptime", "clock")
"""How a source may fail its conditions, as the ledger calls it."""

BEGINS: Final = 3
ENDS: Final = 5
MARGIN: Final = 0.1
"""To be met again, brightness, sharpness and the clock must be better than the border by a tenth of it."""
FEWEST_MINUTES: Final = 10
"""Uptime is judged once so many minutes of the last hour are known."""
_THOUSAND: Final = 1000


@dataclass(frozen=True, slots=True)
class Minute:
    """What one minute of a source was like; None where it was not measured.

    Attributes:
        brightness: mean, 0 to 255. sharpness: mean. zones: the least share in place.
        clock_ms: how far its clock was off, either way.
        uptime: the share of the last hour in which pictures came.
    """

    brightness: float | None = None
    sharpness: float | None = None
    zones: float | None = None
    clock_ms: int | None = None
    uptime: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One condition in one minute.

    Attributes:
        measured, allowed: in thousandths of what the charter states it in; the clock in milliseconds.
        fails: it is not met. met: it is met with the margin; in between nothing changes.
    """

    name: Name
    measured: int
    allowed: int
    fails: bool
    met: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A source began, or ceased, to fail a condition."""

    name: Name
    begins: bool
    measured: int
    allowed: int


def readings(conditions: Conditions, minute: Minute) -> Iterator[Reading]:
    """Every stated condition that was measured in a minute."""
    if conditions.brightness is not None and minute.brightness is not None:
        low, high = (edge * _THOUSAND for edge in conditions.brightness)
        value = round(minute.brightness * _THOUSAND)
        yield _at_least("too_dark", value, low, low * (1 + MARGIN))
        yield _at_most("too_bright", value, high, high - (255 * _THOUSAND - high) * MARGIN)
    if conditions.sharpness_at_least is not None and minute.sharpness is not None:
        least = conditions.sharpness_at_least
        yield _at_least("blurred", round(minute.sharpness * _THOUSAND), least, least * (1 + MARGIN))
    if conditions.zones_in_view_at_least is not None and minute.zones is not None:
        least = conditions.zones_in_view_at_least
        yield _at_least("zones", round(minute.zones * _THOUSAND), least, least)
    if conditions.uptime_at_least is not None and minute.uptime is not None:
        least = conditions.uptime_at_least
        yield _at_least("uptime", round(minute.uptime * _THOUSAND), least, least)
    if conditions.clock_within_ms is not None and minute.clock_ms is not None:
        most = conditions.clock_within_ms
        yield _at_most("clock", abs(minute.clock_ms), most, most * (1 - MARGIN))


def _at_least(name: Name, value: int, least: int, again: float) -> Reading:
    return Reading(name, value, least, fails=value < least, met=value >= again)


def _at_most(name: Name, value: int, most: int, again: float) -> Reading:
    return Reading(name, value, most, fails=value > most, met=value <= again)


@dataclass(slots=True)
class Watch:
    """Follows one source; what has begun stands with whoever asks, so that it outlives a restart."""

    _failed: dict[Name, int] = field(default_factory=dict)
    _met: dict[Name, int] = field(default_factory=dict)

    def take(self, conditions: Conditions, minute: Minute, failing: frozenset[str]) -> list[Change]:
        """What changes by one more minute.

        Args:
            failing: the conditions that the source fails by now.
        """
        changes = []
        for each in readings(conditions, minute):
            self._failed[each.name] = self._failed.get(each.name, 0) + 1 if each.fails else 0
            self._met[each.name] = self._met.get(each.name, 0) + 1 if each.met else 0
            begins = each.name not in failing and self._failed[each.name] >= BEGINS
            ends = each.name in failing and self._met[each.name] >= ENDS
            if begins or ends:
                changes.append(Change(each.name, begins, each.measured, each.allowed))
        return changes


_STATED: Final[Mapping[Name, str]] = {
    "too_dark": "brightness",
    "too_bright": "brightness",
    "blurred": "sharpness_at_least",
    "zones": "zones_in_view_at_least",
    "uptime": "uptime_at_least",
    "clock": "clock_within",
}


def stated_by(conditions: Conditions | None, name: str) -> bool:
    """Whether a charter states the condition at all."""
    return conditions is not None and _STATED.get(_name(name), "") in conditions.stated


def in_words(name: str, measured: int, allowed: int) -> str:
    """What is wrong: ``too dark to read: brightness 12, at least 30``."""
    value, limit = measured / _THOUSAND, allowed / _THOUSAND
    match _name(name):
        case "too_dark":
            return f"too dark to read: brightness {value:.0f}, at least {limit:.0f}"
        case "too_bright":
            return f"too bright to read: brightness {value:.0f}, at most {limit:.0f}"
        case "blurred":
            return f"not sharp enough: sharpness {value:.2f}, at least {limit:g}"
        case "zones":
            return f"not the view that was drawn: {value:.0%} of an area where it was, at least {limit:.0%}"
        case "uptime":
            return f"pictures missing: there for {value:.0%} of the last hour, at least {limit:.0%}"
        case "clock":
            return f"its clock is {value:.1f} seconds off, at most {limit:g}"


SHORT: Final[Mapping[str, str]] = {
    "too_dark": "too dark to read",
    "too_bright": "too bright to read",
    "blurred": "not sharp enough",
    "zones": "not the view that was drawn",
    "uptime": "pictures missing",
    "clock": "its clock is off",
}
"""The same without numbers: for everybody."""


def _name(name: str) -> Name:
    return next(each for each in NAMES if each == name)
