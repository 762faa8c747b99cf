"""Lies about published limits that another record of the same house hides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from test_audit_of_limits import LAWN, RIGHT, WRONG, alerts, broken

from limited import limited
from watchglass.access.roles import May, Role
from watchglass.acts import judge
from watchglass.acts.withdraw_verdict import withdraw_verdict
from watchglass.charter.permit import Decide
from watchglass.core.time import HOUR, MINUTE, SECOND
from watchglass.review.model import Verdict
from world import World, make_house

RULE = "of: [person]\n    for: 1s"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_house(tmp_path, edits=limited()) as made:
        made.settle()
        yield made


def test_a_stop_that_another_rule_made_needless_hides_none_that_came_after(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.house.limits.look()
    first = world.raise_alert()
    alerts(world, *[WRONG] * 12)  # enough, and none counts while the first is open
    world.publish(world.edited((RULE, "of: [person]\n    for: 2s")))
    world.decide(first, WRONG)
    world.clock.advance(HOUR)
    world.house.limits.look()
    monkeypatch.setattr(judge, "_speaks", lambda *_: False)
    alerts(world, *[WRONG] * 12)
    world.clock.advance(HOUR)
    alerts(world, RIGHT)
    world.clock.advance(MINUTE)
    found = broken(world, tmp_path)
    assert f"with which '{LAWN}' was over its limit" in found["limits-replayed"][0]


def test_a_verdict_that_was_taken_back_when_it_could_not_be_undone_any_more(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.house.limits.look()
    lead = world.grant(May.DECIDE_ALERT, Role.REVIEWER)
    for wait in (5, 200):
        alert = world.raise_alert()
        world.decide(alert, WRONG)
        world.clock.advance(wait * SECOND)
        monkeypatch.setattr(Verdict, "can_undo", lambda *_: True)
        withdraw_verdict(world.house.acting, lead, world.permit(Decide(LAWN)), alert.id)
        monkeypatch.undo()
        world.decide(alert, RIGHT)
        world.clock.advance(MINUTE)
    found = broken(world, tmp_path)
    (late,) = found["limits-replayed"]
    assert f"takes back what was said of an alert of '{LAWN}', and the time for that was over" in late
