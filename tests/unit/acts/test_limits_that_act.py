"""Published limits act: trial, suspension, resumption; what is counted, in which order, and what leaves the queue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from watchglass.access.roles import May, Role
from watchglass.acts import reading
from watchglass.acts.judge import Change
from watchglass.acts.judged import judged_of, stops, progress_of
from watchglass.acts.withdraw_verdict import withdraw_verdict
from watchglass.charter.permit import Decide, RaiseAlert, RunAnalytic
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import DidNotVerify, Problem, Refused
from watchglass.core.time import DAY, MINUTE, SECOND
from watchglass.quality.states import State
from watchglass.review.model import UNDO_WINDOW, Alert, VerdictValue
from world import World, make_house

LAWN = "on-the-lawn"
LIMITS = """
quality:
  alpha: 0.05
  fewest: 20
  on-the-lawn:
    expected_alerts_per_week: 200
    precision_at_least: 0.8
    trial: 30d
ledger:"""
EDITS = (
    ("\nledger:", LIMITS),
    ("  review: {within: 2m}", "  review: {within: 2m, matures: 1d}"),
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_house(tmp_path, edits=EDITS) as made:
        yield made


@pytest.fixture(autouse=True)
def _kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from watchglass.charter import unbuilt

    kept = tuple(row for row in unbuilt.NOT_BUILT if not row.path.startswith(("quality", "safeguards.review.")))
    monkeypatch.setattr(unbuilt, "NOT_BUILT", kept)


def look(world: World) -> list[Change]:
    return world.house.limits.look()


def alerts(world: World, *values: VerdictValue | None) -> list[Alert]:
    """Alerts, a minute apart, decided by a person at once; None: nobody decides."""
    raised = []
    for value in values:
        raised.append(world.raise_alert())
        if value is not None:
            world.decide(raised[-1], value)
        world.clock.advance(MINUTE)
    return raised


def state(world: World) -> State:
    judged = judged_of(world.house.store.read(), LAWN)
    assert judged is not None
    return judged.state


RIGHT, WRONG, UNSURE = VerdictValue.CONFIRM, VerdictValue.REJECT, VerdictValue.UNSURE


def test_a_new_analytic_is_on_trial_and_nothing_leaves_the_queue(world: World) -> None:
    assert LAWN in world.standing().on_trial  # before anybody has looked
    (change,) = look(world)
    assert (change.analytic, change.stands.state, change.stands.why) == (LAWN, State.TRIAL, "new")
    (alert,) = alerts(world, RIGHT)
    assert reading.cards(world.house.store.read(), 0) == ()
    decided = world.records("alert_decided")[-1]
    assert decided.fields["handed_to"] is None
    assert decided.leaf.refs == (alert.leaf_hash,)


def test_it_earns_trust_and_then_is_handed_over(world: World) -> None:
    look(world)
    done: list[Change] = []
    for _ in range(60):
        alerts(world, RIGHT)
        done += look(world)
        if done:
            break
    assert (done[0].stands.state, done[0].stands.why) == (State.WITHIN, "trusted")
    evidence = world.records("analytic_judged")[-1].fields["evidence"]
    first, last = world.records("alert_raised")[0], world.records("alert_raised")[-1]
    assert evidence["alerts"] == len(world.records("alert_raised"))
    assert (evidence["bad"], evidence["first"], evidence["last"]) == (0, b64(first.hash), b64(last.hash))
    alerts(world, RIGHT)
    assert len(reading.cards(world.house.store.read(), 0)) == 1


def test_rejected_alerts_stop_it_and_it_is_refused_like_by_an_order_of_oversight(world: World) -> None:
    look(world)
    done: list[Change] = []
    count = 0
    while not done:
        alerts(world, WRONG)
        count += 1
        done = look(world)
    assert (done[0].stands.state, done[0].stands.why) == (State.SUSPENDED, "precision_at_least")
    assert count < 20
    for request in (RunAnalytic("street", LAWN), RaiseAlert(LAWN)):
        with pytest.raises(Refused, match="suspended by its published limit"):
            world.permit(request)
    record = world.records("analytic_judged")[-1]
    assert record.leaf.clear == {"analytic": LAWN, "state": "suspended", "why": "precision_at_least"}
    assert record.fields["evidence"]["bad"] == count
    assert look(world) == []
