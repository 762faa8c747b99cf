"""Staged drills: announced, run, scored by the software; what a hostile operator could try; and the limit on recall."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from limited import limited
from watchglass.access.roles import May, Role
from watchglass.acts.drills import (
    Drill,
    announced_at,
    begin_drill,
    call_off_drill,
    end_drill,
    plan_drill,
    tell_drill,
    the_drill,
)
from watchglass.acts.judged import counts, judged_of, progress_of
from watchglass.core.errors import BadInput, Problem, Refused
from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.ledger import policy as policies
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.verify import verify_log
from watchglass.oversight.audit import Auditor
from watchglass.oversight.report import Report
from watchglass.quality.drilled import Cause, Result, recall
from watchglass.quality.states import State
from watchglass.records.leaf import Leaf
from watchglass.review.model import VerdictValue
from world import World, make_house

LAWN = "on-the-lawn"
LIMITS = """quality:
  alpha: 0.2
  fewest: 5
  on-the-lawn:
    expected_alerts_per_week: 200
    undecided_at_most: 0.5
    recall_at_least: 0.9
    drills_planned: 100
"""
NO_BEATS = ((", heartbeat_every: 10s", ""),)
RIGHT, WRONG = VerdictValue.CONFIRM, VerdictValue.REJECT


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_house(tmp_path, edits=(*limited(LIMITS), *NO_BEATS)) as made:
        made.settle()
        made.house.limits.look()
        yield made


class Opened:
    """What oversight can open of a house's log."""

    def __init__(self, world: World) -> None:
        self._fields = {record.hash: dict(record.fields) for record in world.records()}

    def values(self, leaf: Leaf, digest: bytes) -> dict[str, Any] | None:
        del leaf
        return self._fields.get(digest) or None


def audit(world: World, folder: Path, *, deep: bool = True) -> Report:
    world.clock.advance(3 * HOUR)
    world.settle()
    world.clock.advance(MINUTE)
    world.settle()
    trust = policies.parse(world.trust_file(folder / "trust").read_bytes())
    verified = verify_log(world.house.tiles, trust)
    auditor = Auditor(
        world.house.origin,
        policy=trust,
        oversight=world.keys["oversight"].verifier,
        openings=Opened(world) if deep else None,
        now_ms=world.clock.now(),
    )
    for index, data in enumerate(world.entries()):
        auditor.see(index, data, leaf_hash(data))
    return auditor.finish(verified.checkpoint, verified.witnesses)


def planned(world: World, *, wait: int = 2 * HOUR, long: int = 30 * MINUTE) -> Drill:
    now = world.clock.now()
    charter = world.standing().charter
    assert charter is not None
    grant = world.grant(May.PLAN_DRILL, Role.OPERATOR)
    begin = now + wait
    if begin // DAY != (begin + long - 1) // DAY:
        begin = (begin // DAY + 1) * DAY
    return plan_drill(world.house.acting, grant, charter, LAWN, "Somebody walks across.", begin, begin + long).value


def run(world: World, drill: Drill, *, noticed: bool) -> None:
    charter = world.standing().charter
    assert charter is not None
    world.clock.advance(drill.from_ms + MINUTE - world.clock.now())
    begin_drill(world.house.acting, world.grant(May.RUN_DRILL, Role.RESPONDER), charter, drill.id)
    world.clock.advance(MINUTE)
    if noticed:
        world.decide(world.raise_alert(), RIGHT)
    world.clock.advance(MINUTE)
    end_drill(world.house.acting, world.grant(May.RUN_DRILL, Role.RESPONDER), charter, drill.id)


def scored(world: World, drill: Drill) -> Drill:
    world.clock.advance(max(0, drill.to_ms // DAY * DAY + DAY + 2 * HOUR - world.clock.now()))
    world.house.limits.look()
    return the_drill(world.house.store.read(), drill.id)


def test_a_drill_is_noticed_by_an_alert_of_its_time_and_missed_without(world: World) -> None:
    first = planned(world)
    assert announced_at(world.house.store.read(), first.source, first.from_ms) is not None
    run(world, first, noticed=True)
    assert scored(world, first).result is Result.NOTICED
    second = planned(world)
    world.clock.advance(second.from_ms - 10 * MINUTE - world.clock.now())
    world.raise_alert()  # before it begins: none of it
    run(world, second, noticed=False)
    assert scored(world, second).result is Result.MISSED
    (plan, _), (score, other) = world.records("drill_planned"), world.records("drill_scored")
    assert score.leaf.refs == (plan.hash,)
    assert (score.leaf.clear["result"], other.leaf.clear["result"]) == ("noticed", "missed")
    assert len(score.fields["alerts"]) == 1
    assert "from_ms" not in plan.leaf.clear  # reviewers read the public ledger too


def test_what_is_not_run_counts_as_missed_unless_it_was_called_off_before(world: World) -> None:
    kept, off = planned(world), planned(world, wait=5 * HOUR)
    charter = world.standing().charter
    assert charter is not None
    lead = world.grant(May.PLAN_DRILL, Role.SHIFT_LEAD)
    call_off_drill(world.house.acting, lead, charter, off.id, "A funeral is held there.")
    world.clock.advance(kept.from_ms - world.clock.now())
    with pytest.raises(Problem, match="cannot be called off"):
        call_off_drill(world.house.acting, lead, charter, kept.id, "It goes badly.")
    assert scored(world, kept).result is Result.NOT_RUN
    assert the_drill(world.house.store.read(), off.id).result is None
    assert recall([Result.NOT_RUN, Result.NOTICED], fewest=2).noticed == 1


def test_nothing_is_planned_after_the_fact_or_twice_and_times_are_not_chosen_afterwards(world: World) -> None:
    with pytest.raises(BadInput, match="at least an hour before"):
        planned(world, wait=59 * MINUTE)
    with pytest.raises(BadInput, match="at most two hours"):
        planned(world, long=3 * HOUR)
    wide = planned(world)
    with pytest.raises(Problem, match="Another drill"):
        planned(world, wait=2 * HOUR + 10 * MINUTE)
    charter, grant = world.standing().charter, world.grant(May.RUN_DRILL, Role.OPERATOR)
    assert charter is not None
    with pytest.raises(Problem, match="within its announced time"):
        begin_drill(world.house.acting, grant, charter, wide.id)
    world.clock.advance(wide.to_ms + MINUTE - world.clock.now())
    with pytest.raises(Problem, match="cannot be told afterwards"):
        tell_drill(world.house.acting, grant, charter, wide.id, wide.from_ms, wide.from_ms + MINUTE)
    narrow = planned(world, long=5 * MINUTE)
    world.clock.advance(narrow.from_ms + MINUTE - world.clock.now())
    world.raise_alert()
    world.clock.advance(10 * MINUTE)
    tell_drill(world.house.acting, grant, charter, narrow.id, narrow.from_ms, narrow.to_ms)
    assert scored(world, narrow).result is Result.NOTICED
    with pytest.raises(Refused):
        plan_drill(world.house.acting, grant, charter, LAWN, "x", 0, 1)


def test_a_drill_while_the_rule_was_stopped_does_not_count(world: World) -> None:
    drill = planned(world)
    charter = world.standing().charter
    assert charter is not None
    world.suspend(LAWN)
    world.clock.advance(drill.from_ms + MINUTE - world.clock.now())
    begin_drill(world.house.acting, world.grant(May.RUN_DRILL, Role.OPERATOR), charter, drill.id)
    found = scored(world, drill)
    assert (found.result, found.cause) == (Result.NOT_COUNTED, Cause.STOPPED)


def test_alerts_of_a_drill_count_neither_way_but_have_to_be_looked_at_in_time(world: World) -> None:
    drill = planned(world)
    run(world, drill, noticed=True)
    world.decide(world.raise_alert(), WRONG)
    world.clock.advance(MINUTE)
    world.house.limits.look()
    world.clock.advance(30 * MINUTE)
    world.decide(world.raise_alert(), RIGHT)
    world.clock.advance(DAY)
    world.house.limits.look()
    testing = progress_of(world.house.store.read(), LAWN)["undecided_at_most"].testing
    assert testing is not None
    assert testing.taken == 1  # of three: two were raised while the drill was run


def test_too_many_missed_drills_stop_it_and_the_audit_finds_the_same(world: World, tmp_path: Path) -> None:
    for _ in range(12):
        drill = planned(world)
        run(world, drill, noticed=False)
        scored(world, drill)
        judged = judged_of(world.house.store.read(), LAWN)
        assert judged is not None
        if judged.state is State.SUSPENDED:
            break
    assert (judged.state, judged.why) == (State.SUSPENDED, "recall_at_least")
    told_of = counts(world.house.store.read(), LAWN, world.clock.now())["tests"]
    assert told_of[-1]["test"] == "recall_at_least"
    evidence = world.records("analytic_judged")[-1].fields["evidence"]
    assert evidence["bad"] == evidence["alerts"] == len(world.records("drill_scored"))
    report = audit(world, tmp_path)
    told = {each.promise: each for each in report.findings}
    for name in ("drills", "drills-replayed", "limits", "limits-replayed"):
        assert not told[name].breaches, told[name].breaches
    assert told["drills"].checked == len(world.records("drill_planned"))
