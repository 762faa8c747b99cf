"""Lies about cameras that see badly: hidden, made up, or told otherwise than they were."""

from __future__ import annotations

from typing import Final

from dishonest import Lie
from lies_running import running, some_look
from made_conditions import degrade, recover
from made_life import Life
from made_stories import alert
from made_town import Search, Story
from watchglass.core.time import HOUR, MINUTE

STATED: Final = "conditions"
TOLD: Final = "conditions-told"
UNASKED: Final = "clock"
"""A condition that no made charter states."""
BY_DAY: Final = "too_bright"
"""One that every made charter of a lie states, and that no honest life fails."""


def a_source(life: Life) -> Search[str]:
    """A source of an analytic that runs and looks at people."""
    yield from running(life)
    return life.town.charter.analytic(some_look(life)).source


def planted_alert(life: Life) -> Story:
    """An alert of that source, as the house raises it; planted."""
    known = set(life.town.alerts)
    yield from alert(life, some_look(life))
    life.town.planted += [made.leaf for number, made in life.town.alerts.items() if number not in known][:1]


def hidden(life: Life) -> Story:
    """The log says that a camera sees badly, and its alerts do not."""
    source = yield from a_source(life)
    leaf = degrade(life, source, BY_DAY)
    del life.failing[source][BY_DAY]
    yield HOUR
    yield from planted_alert(life)
    yield HOUR
    life.failing[source][BY_DAY] = leaf
    recover(life, source, BY_DAY)


def made_up(life: Life) -> Story:
    """An alert says that its camera saw badly, and nothing was recorded of it."""
    source = yield from a_source(life)
    life.failing[source][BY_DAY] = b""
    yield from planted_alert(life)
    del life.failing[source][BY_DAY]


def prolonged(life: Life) -> Story:
    """Alerts still say that their camera sees badly, hours after the log said that it no longer does."""
    source = yield from a_source(life)
    leaf = degrade(life, source, BY_DAY)
    yield HOUR
    recover(life, source, BY_DAY)
    life.failing[source][BY_DAY] = leaf
    yield HOUR
    yield from planted_alert(life)
    del life.failing[source][BY_DAY]


def not_asked(life: Life) -> Story:
    """A camera is called degraded by what its charter does not ask."""
    source = yield from a_source(life)
    life.town.planted.append(degrade(life, source, UNASKED))


def twice(life: Life) -> Story:
    """A camera is called degraded again while it is."""
    source = yield from a_source(life)
    first = degrade(life, source, BY_DAY)
    yield 30 * MINUTE
    life.town.planted.append(degrade(life, source, BY_DAY))
    life.failing[source][BY_DAY] = first
    yield 30 * MINUTE
    recover(life, source, BY_DAY)


def well_already(life: Life) -> Story:
    """A camera is said to see well again, and it did already."""
    source = yield from a_source(life)
    leaf = degrade(life, source, BY_DAY)
    yield 30 * MINUTE
    recover(life, source, BY_DAY)
    yield 30 * MINUTE
    life.failing[source][BY_DAY] = leaf
    life.town.planted.append(recover(life, source, BY_DAY))


def charter_blamed(life: Life) -> Story:
    """The charter is said to ask no longer what it asks, so that nobody has to measure."""
    source = yield from a_source(life)
    degrade(life, source, BY_DAY)
    yield 30 * MINUTE
    life.town.planted.append(recover(life, source, BY_DAY, "charter"))


CONDITION_LIES: Final[tuple[Lie, ...]] = (
    Lie(
        "degraded-hidden",
        "The log says that a camera sees badly, and an alert of that time does not.",
        (TOLD,),
        hidden,
        depth="openings",
    ),
    Lie(
        "degraded-made-up",
        "An alert says that its camera saw badly, and nothing was recorded of it.",
        (TOLD,),
        made_up,
        depth="openings",
    ),
    Lie(
        "degraded-for-longer",
        "An alert says that its camera saw badly, an hour after the log said that it no longer did.",
        (TOLD,),
        prolonged,
        depth="openings",
    ),
    Lie("degraded-by-nothing", "A camera is called degraded by what its charter does not ask.", (STATED,), not_asked),
    Lie("degraded-twice", "A camera is called degraded again while it is.", (STATED,), twice),
    Lie("recovered-twice", "A camera is said to see well again when it did already.", (STATED,), well_already),
    Lie(
        "recovered-by-decree",
        "A charter is said to ask no longer what it asks of a camera.",
        (STATED,),
        charter_blamed,
    ),
)
