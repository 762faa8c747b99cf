"""Staged drills in a life: announced, mostly run, sometimes called off or forgotten, and scored after their day."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from made_town import MadeAlert, Story
from watchglass.access.roles import May, Role
from watchglass.acts.drills import day_of
from watchglass.charter.permit import RaiseAlert, RunAnalytic
from watchglass.core.digest import b64
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND
from watchglass.quality.daylight import stratum_of
from watchglass.quality.drilled import Times, due_ms, gap_ms, owns, reach_ms

if TYPE_CHECKING:
    from made_life import Life

BY: Final = (Role.OPERATOR, Role.SHIFT_LEAD)


@dataclass
class MadeDrill:
    """One drill, as far as it has come; ``alerts`` are those of its rule since it was announced."""

    id: str
    leaf: bytes
    look: str
    source: str
    reach: int
    from_ms: int
    to_ms: int
    begun_ms: int | None = None
    ended_ms: int | None = None
    off: bool = False
    alerts: list[MadeAlert] = field(default_factory=list)

    @property
    def times(self) -> Times:
        return Times(self.from_ms, self.to_ms, self.begun_ms, self.ended_ms)

    def owns(self, at_ms: int) -> bool:
        end = self.times.end_ms
        return self.begun_ms is not None and end is not None and owns(self.begun_ms, end, at_ms, self.reach)


class Drills:
    """The drills of a life, for those who count its alerts."""

    def __init__(self) -> None:
        self.all: list[MadeDrill] = []

    def raised(self, made: MadeAlert) -> None:
        """An alert that may be of one of them."""
        for drill in self.all:
            if drill.look == made.look and not drill.off and made.of is None:
                drill.alerts.append(made)

    def may_hold(self, look: str, at_ms: int, now_ms: int) -> bool:
        """Whether an alert may yet turn out to be of one."""
        mine = [each for each in self.all if each.look == look and not each.off]
        return any(not each.times.told_by(now_ms) and each.times.may_hold(at_ms, each.reach) for each in mine)

    def own(self, look: str, at_ms: int) -> bool:
        """Whether an alert was of one."""
        return any(each.look == look and each.owns(at_ms) for each in self.all)


def drilling(life: Life) -> Story:
    """Now and then one is announced."""
    dice = life.dice
    while True:
        yield dice.randrange(4 * HOUR, 40 * HOUR)
        if life.may_look() and life.under is not None:
            life.tell(life.town.now, drilled(life))


def planned(life: Life, look: str, begin: int, end: int, **otherwise: Any) -> MadeDrill | None:
    """Announce one; None where there is no room."""
    town = life.town
    rule = town.charter.analytic(look)
    reach = reach_ms(rule)
    near = gap_ms(reach)
    others = [each for each in life.drills.all if each.look == look]
    if any(each.from_ms < end + near and begin < each.to_ms + near for each in others):
        return None
    number = town.number()
    leaf = town.attest(
        "drill_planned",
        under=town.charter,
        by=town.grant(life.dice.choice(BY), May.PLAN_DRILL),
        clear={"drill": number, "analytic": look, "source": rule.source, "day": day_of(begin)},
        committed={"from_ms": begin, "to_ms": end, "what": "Somebody walks in.", **otherwise},
    )
    made = MadeDrill(number, leaf, look, rule.source, reach, begin, end)
    life.drills.all.append(made)
    return made


def drilled(life: Life) -> Story:
    """One drill from its plan to its score."""
    town, dice = life.town, life.dice
    able = [each for each in town.charter.analytics if town.permit(RunAnalytic(each.source, each.name)) is not None]
    if not able:
        return
    begin = (town.now + HOUR + dice.randrange(MINUTE, 6 * HOUR)) // MINUTE * MINUTE
    end = begin + dice.choice((10, 60)) * MINUTE
    if begin // DAY != (end - 1) // DAY:
        return
    drill = planned(life, dice.choice(able).name, begin, end)
    if drill is None:
        return
    if dice.random() < 1 / 6:
        yield (begin - town.now) // 2
        called_off(life, drill)
        return
    yield begin - town.now + dice.randrange(MINUTE, 4 * MINUTE)
    if dice.random() < 5 / 6 and life.under is not None and life.may_look() and _same(life, drill):
        yield from run(life, drill)
    yield from scored(life, drill)


def called_off(life: Life, drill: MadeDrill) -> bytes:
    """It will not be run."""
    town = life.town
    drill.off = True
    by = town.grant(life.dice.choice(BY), May.PLAN_DRILL)
    committed = {"reason": "Rain."}
    return town.attest("drill_called_off", under=town.charter, by=by, committed=committed, refs=[drill.leaf])


def run(life: Life, drill: MadeDrill) -> Story:
    """People play it; mostly the rule notices. Of short ones it is sometimes told afterwards."""
    town, dice = life.town, life.dice
    afterwards = drill.times.narrow and dice.random() < 1 / 2
    began = town.now
    if not afterwards:
        begun(life, drill)
    yield dice.randrange(10 * SECOND, MINUTE)
    if dice.random() < 4 / 5 and town.permit(RaiseAlert(drill.look)) is not None:
        from made_stories import alert  # noqa: PLC0415  (it begins drills itself)

        life.tell(town.now, alert(life, drill.look))
    yield dice.randrange(MINUTE, 4 * MINUTE)
    over = town.now
    if afterwards:
        yield 11 * MINUTE
    ended(life, drill, began, min(over, drill.to_ms) if afterwards else over, afterwards=afterwards)


def begun(life: Life, drill: MadeDrill) -> bytes:
    """It begins."""
    town = life.town
    drill.begun_ms = town.now
    by = town.grant(Role.RESPONDER, May.RUN_DRILL)
    committed = {"begun_ms": town.now}
    return town.attest("drill_begun", under=town.charter, by=by, committed=committed, refs=[drill.leaf])


def ended(life: Life, drill: MadeDrill, began: int, over: int, *, afterwards: bool) -> bytes:
    """It is over."""
    town = life.town
    drill.begun_ms, drill.ended_ms = began, over
    return town.attest(
        "drill_ended",
        under=town.charter,
        by=town.grant(Role.RESPONDER, May.RUN_DRILL),
        clear={"told": "afterwards" if afterwards else "there"},
        committed={"begun_ms": began, "ended_ms": over},
        refs=[drill.leaf],
    )


def scored(life: Life, drill: MadeDrill) -> Story:
    """The house says after its day what became of it."""
    yield max(1, due_ms(drill.to_ms, drill.reach) - life.town.now)
    while not life.may_look():
        yield 10 * MINUTE
    score(life, drill)


def score(life: Life, drill: MadeDrill, **otherwise: Any) -> bytes:
    """Say it. A liar says some of it ``otherwise``."""
    town = life.town
    own = [b64(each.leaf) for each in drill.alerts if drill.owns(each.raised_ms)]
    at = drill.begun_ms if drill.begun_ms is not None else drill.from_ms
    result = "not-run" if drill.begun_ms is None else "noticed" if own else "missed"
    stratum = stratum_of(next(each.charter for each in town.versions).source(drill.source), at)
    told = {"result": result, "cause": None, "alerts": own, **otherwise}
    clear = {"drill": drill.id, "analytic": drill.look, "source": drill.source, "day": day_of(drill.from_ms)}
    return town.attest(
        "drill_scored",
        under=town.charter,
        clear={**clear, "stratum": stratum, "result": told["result"], "cause": told["cause"]},
        committed={"begun_ms": drill.begun_ms, "ended_ms": drill.times.end_ms, "alerts": told["alerts"]},
        refs=[drill.leaf],
    )


def _same(life: Life, drill: MadeDrill) -> bool:
    return any(each.name == drill.look for each in life.town.charter.analytics)
