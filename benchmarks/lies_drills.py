"""Lies about staged drills."""

from __future__ import annotations

from typing import Any, Final

from dishonest import Lie
from lies_running import running, some_look
from made_drills import MadeDrill, begun, ended, planned, score
from made_life import Life
from made_stories import raise_alert, verdict
from made_town import Search, Story
from watchglass.charter.permit import RaiseAlert
from watchglass.core.digest import b64
from watchglass.core.time import DAY, HOUR, MINUTE

DRILLS: Final = "drills"
REPLAYED: Final = "drills-replayed"
LITTLE: Final[dict[str, Any]] = {
    "days": 4.0,
    "sealing": False,
    "heartbeat_ms": None,
    "cases": 0,
    "asides": 0.0,
    "alerts_a_day": 2.0,
    "suspensions": 0,
    "charters": 0,
    "stops": 0,
    "all_day": True,
    "kind": "production",
}


def announced(life: Life, *, long: int = HOUR, **otherwise: Any) -> Search[MadeDrill]:
    """A drill, and the moment at which its time has just begun."""
    yield from running(life)
    town = life.town
    yield (town.now // DAY + 1) * DAY + 9 * HOUR - town.now
    begin = (town.now + 90 * MINUTE) // MINUTE * MINUTE
    drill = planned(life, some_look(life), begin, begin + long, **otherwise)
    while drill is None:
        yield 20 * MINUTE
        begin = (town.now + 90 * MINUTE) // MINUTE * MINUTE
        drill = planned(life, some_look(life), begin, begin + long, **otherwise)
    yield begin + MINUTE - town.now
    return drill


def played(life: Life) -> Search[MadeDrill]:
    """A drill that nothing noticed, and the day after it."""
    drill = yield from announced(life)
    begun(life, drill)
    yield 3 * MINUTE
    ended(life, drill, drill.begun_ms or 0, life.town.now, afterwards=False)
    yield (drill.to_ms // DAY + 1) * DAY + 2 * HOUR - life.town.now
    return drill


def left_out(life: Life) -> Story:
    """It went badly, and nothing more is said of it."""
    drill = yield from played(life)
    life.town.planted.append(drill.leaf)


def flattered(life: Life) -> Story:
    """An alert of hours before is said to be its own."""
    drill = yield from announced(life)
    yield MINUTE
    permit = life.town.permit(RaiseAlert(drill.look))
    assert permit is not None
    made = raise_alert(life, drill.look, permit, life.town.now)
    yield MINUTE
    verdict(life, made)
    yield 20 * MINUTE
    begun(life, drill)
    yield 3 * MINUTE
    ended(life, drill, drill.begun_ms or 0, life.town.now, afterwards=False)
    yield (drill.to_ms // DAY + 1) * DAY + 2 * HOUR - life.town.now
    life.town.planted.append(score(life, drill, result="noticed", alerts=[b64(made.leaf)]))


def excused(life: Life) -> Story:
    """It was missed, and is left out because the rule is said to have been stopped."""
    drill = yield from played(life)
    own = [b64(each.leaf) for each in drill.alerts if drill.owns(each.raised_ms)]
    life.town.planted.append(score(life, drill, result="not-counted", cause="stopped", alerts=own))


def after_the_fact(life: Life) -> Story:
    """A drill is announced for a time that is over."""
    yield from running(life)
    town = life.town
    yield (town.now // DAY + 1) * DAY + 9 * HOUR - town.now
    begin = (town.now - 30 * MINUTE) // MINUTE * MINUTE
    drill = planned(life, some_look(life), begin, begin + 10 * MINUTE)
    assert drill is not None
    town.planted.append(drill.leaf)
    yield (drill.to_ms // DAY + 1) * DAY + 2 * HOUR - town.now
    score(life, drill)


def chosen(life: Life) -> Story:
    """Times within a long window are told afterwards."""
    drill = yield from announced(life)
    yield 70 * MINUTE
    leaf = ended(life, drill, drill.from_ms + 5 * MINUTE, drill.from_ms + 9 * MINUTE, afterwards=True)
    life.town.planted.append(leaf)
    yield (drill.to_ms // DAY + 1) * DAY + 2 * HOUR - life.town.now
    score(life, drill)


DRILL_LIES: Final = (
    Lie(
        "drill-left-out",
        "A drill that was missed is never scored.",
        (DRILLS,),
        left_out,
        changes=LITTLE,
        at=0.0,
    ),
    Lie(
        "drill-flattered",
        "An alert from before a drill is said to have noticed it.",
        (REPLAYED,),
        flattered,
        depth="openings",
        changes={**LITTLE, "reads": False},
        at=0.0,
    ),
    Lie(
        "drill-excused",
        "A drill is left out because its rule was stopped, and it was not.",
        (REPLAYED,),
        excused,
        depth="openings",
        changes=LITTLE,
        at=0.0,
    ),
    Lie(
        "drill-after-the-fact",
        "A drill is announced for a time that is over.",
        (REPLAYED,),
        after_the_fact,
        depth="openings",
        changes=LITTLE,
        at=0.0,
    ),
    Lie(
        "drill-times-chosen",
        "Somebody tells afterwards at which minutes of a long time a drill was run.",
        (REPLAYED,),
        chosen,
        depth="openings",
        changes=LITTLE,
        at=0.0,
    ),
)
