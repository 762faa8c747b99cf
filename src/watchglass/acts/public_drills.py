"""What everybody reads about staged drills: of each rule how many it noticed, and which are announced, by day alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from watchglass.acts.drills import Drill, charter_of_drill, day_of, drill_from
from watchglass.acts.reading import index_of
from watchglass.charter.limits import STRATA
from watchglass.charter.model import Charter
from watchglass.charter.renewed import rule_of
from watchglass.core.time import DAY
from watchglass.quality.drilled import Recall, Result, recall
from watchglass.records.outbox import Reader

DAYS: Final = 365
MOST: Final = 400


@dataclass(frozen=True, slots=True)
class Run:
    """One drill that was scored. ``index``: its entry; None while it waits for the ledger."""

    day: str
    light: str
    result: str
    cause: str | None
    afterwards: bool
    index: int | None


@dataclass(frozen=True, slots=True)
class RuleDrills:
    """The drills of one rule, of the model and the rule that run now.

    Attributes:
        all: what they show; by_light: by day and at night.
        runs: the newest first. afterwards: how many times were told afterwards. called_off: how many were, before.
        wanted: how large a share must be noticed, in thousandths; None where the charter states no limit.
        planned: how many the charter says are planned.
    """

    name: str
    all: Recall
    by_light: tuple[tuple[str, Recall], ...]
    runs: tuple[Run, ...]
    afterwards: int
    called_off: int
    wanted: int | None
    planned: int | None


@dataclass(frozen=True, slots=True)
class Coming:
    """A drill that is announced."""

    name: str
    source: str
    day: str


@dataclass(frozen=True, slots=True)
class Drilled:
    """What drills show. ``rules``: those with drills, or with a limit on what they miss."""

    days: int
    rules: tuple[RuleDrills, ...]
    coming: tuple[Coming, ...]


def drilled(reader: Reader, charter: Charter, until_ms: int) -> Drilled | None:
    """What drills show of the rules of ``charter``; None where there were none, and none are asked for.

    Args:
        until_ms: drills of later days are not counted yet.
    """
    rows = reader.all(
        "SELECT * FROM drill WHERE from_ms >= ? ORDER BY from_ms DESC, id LIMIT ?", until_ms - DAYS * DAY, 10 * MOST
    )
    found = [drill_from(row) for row in rows]
    rules = []
    for analytic in charter.analytics:
        limits = charter.limits_of(analytic.name)
        asked = limits is not None and limits.recall_at_least is not None
        own = [each for each in found if each.analytic == analytic.name]
        if own or asked:
            rules.append(_rule(reader, charter, analytic.name, own, until_ms))
    coming = tuple(
        Coming(each.analytic, each.source, day_of(each.from_ms))
        for each in sorted(found, key=lambda each: each.from_ms)
        if each.open and each.analytic in {analytic.name for analytic in charter.analytics}
    )
    return Drilled(DAYS, tuple(rules), coming) if rules or coming else None


def _rule(reader: Reader, charter: Charter, name: str, own: Sequence[Drill], until_ms: int) -> RuleDrills:
    fewest = charter.quality.fewest if charter.quality is not None else 20
    now, same = rule_of(charter, name), {}
    counted = []
    for each in own:
        if each.result is None or each.from_ms >= until_ms:
            continue
        if each.charter not in same:
            same[each.charter] = rule_of(charter_of_drill(reader, each), name) == now
        if same[each.charter]:
            counted.append(each)
    counted = counted[:MOST]
    results = [(each.stratum, each.result) for each in counted if each.result is not None]
    limits = charter.limits_of(name)
    return RuleDrills(
        name=name,
        all=recall((result for _, result in results), fewest=fewest),
        by_light=tuple(
            (light, recall((result for at, result in results if at == light), fewest=fewest)) for light in STRATA
        ),
        runs=tuple(_run(reader, each) for each in counted),
        afterwards=sum(each.told == "afterwards" and each.result is not Result.NOT_COUNTED for each in counted),
        called_off=sum(each.called_off_ms is not None for each in own),
        wanted=limits.recall_at_least if limits is not None else None,
        planned=limits.drills_planned if limits is not None else None,
    )


def _run(reader: Reader, drill: Drill) -> Run:
    return Run(
        day=day_of(drill.from_ms),
        light=drill.stratum or "",
        result=drill.result.value if drill.result is not None else "",
        cause=drill.cause.value if drill.cause is not None else None,
        afterwards=drill.told == "afterwards",
        index=index_of(reader, drill.scored_leaf) if drill.scored_leaf else None,
    )
