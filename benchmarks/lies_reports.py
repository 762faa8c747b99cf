"""Lies about what others noted down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dishonest import Lie
from lies_running import running
from made_life import Life
from made_reports import set_aside, take_in
from made_town import Story
from watchglass.core.time import DAY, HOUR, MINUTE

REPORTS: Final = "reports"
TOLD: Final = {
    "reports": True,
    "days": 1.5,
    "sealing": False,
    "heartbeat_ms": None,
    "cases": 0,
    "asides": 0.0,
    "alerts_a_day": 1.0,
}


def without_clause(life: Life) -> Story:
    """Reports are taken in, and the charter says nothing of it."""
    yield from running(life)
    life.town.planted.append(take_in(life, "dispatch").leaf)


def another_log(life: Life) -> Story:
    """A log is taken in that the charter does not name."""
    yield from running(life)
    life.town.planted.append(take_in(life, "complaints").leaf)


def never_taken(life: Life) -> Story:
    """A row is set aside of a log that was not taken in."""
    yield from running(life)
    file = take_in(life, "dispatch")
    yield MINUTE
    life.town.planted.append(set_aside(life, file, "aside", log="caretaker"))


def put_back(life: Life) -> Story:
    """A row is put back that was never set aside, so that the public count shows fewer than there are."""
    yield from running(life)
    file = take_in(life, "dispatch")
    yield MINUTE
    life.town.planted.append(set_aside(life, file, "back"))


def outlives(life: Life) -> Story:
    """What others noted down is kept for ever."""
    yield from running(life)
    life.sins.add("keep-reports")
    hour = life.town.now // HOUR
    earlier = [each for each in life.reports if each.taken_ms // HOUR == hour]  # the first of an hour is named
    life.town.planted.append((earlier or [take_in(life, "dispatch")])[0].leaf)
    yield 4 * DAY


def _lie(name: str, told: str, play: Callable[[Life], Story], **changes: object) -> Lie:
    return Lie(name, told, (REPORTS,), play, changes={**TOLD, **changes})


ABOUT_REPORTS: Final[tuple[Lie, ...]] = (
    _lie(
        "reports-without-clause",
        "What others note down is taken in, and the charter says nothing of it.",
        without_clause,
        reports=False,
    ),
    _lie("reports-of-another-log", "A log is taken in that the charter does not name.", another_log),
    _lie("report-never-taken-in", "A row is set aside of a log that was not taken in.", never_taken),
    _lie("report-put-back", "A row is put back that was never set aside.", put_back),
    _lie("reports-outlive", "What others noted down is kept for ever.", outlives, days=6.0),
)
