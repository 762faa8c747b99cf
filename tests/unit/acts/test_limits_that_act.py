"""Published limits act: trial, suspension, resumption; what is counted, in which order, and what leaves the queue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from limited import LIMITS, limited
from watchglass.access.roles import May, Role
from watchglass.acts import judge, reading
from watchglass.acts.accounts import close_account
from watchglass.acts.judge import Change
from watchglass.acts.judged import judged_of, progress_of, stops
from watchglass.acts.withdraw_verdict import withdraw_verdict
from watchglass.bootstrap.limits_told import limits_of
from watchglass.charter.permit import Decide, RaiseAlert, RunAnalytic
from watchglass.cli.main import main
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput, DidNotVerify, Problem, Refused, WatchglassError
from watchglass.core.time import DAY, MINUTE
from watchglass.quality.states import State
from watchglass.review.model import UNDO_WINDOW, Alert, VerdictValue
from world import World, make_house

LAWN = "on-the-lawn"
RULE = "of: [person]\n    for: 1s"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_house(tmp_path, edits=limited()) as made:
        yield made


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
    assert record.leaf.clear == {"analytic": LAWN, "state": "suspended", "cause": "precision_at_least"}
    assert record.fields["evidence"]["bad"] == count
    assert look(world) == []


# ---- what is counted, and when -----------------------------------------------------------------------------------


def taken(world: World, test: str = "precision_at_least") -> tuple[int, int]:
    """How many alerts a test has counted, and how many of them were bad."""
    found = progress_of(world.house.store.read(), LAWN).get(test)
    return (found.testing.taken, found.testing.bad) if found and found.testing else (0, 0)


def test_alerts_count_in_the_order_in_which_they_were_raised_whatever_order_people_decide_in(world: World) -> None:
    look(world)
    first, second = world.raise_alert(), world.raise_alert()
    world.decide(second, WRONG)
    world.clock.advance(MINUTE)
    look(world)
    assert taken(world) == (0, 0)  # the first is still open
    world.decide(first, RIGHT)
    world.clock.advance(UNDO_WINDOW - 1)
    look(world)
    assert taken(world) == (0, 0)  # it could be taken back
    world.clock.advance(1)
    look(world)
    assert taken(world) == (2, 1)
    look(world)
    assert taken(world) == (2, 1)  # each once


def test_a_verdict_that_was_taken_back_counts_as_the_next_one(world: World) -> None:
    look(world)
    alert = world.raise_alert()
    world.decide(alert, WRONG)
    withdraw_verdict(
        world.house.acting, world.grant(May.DECIDE_ALERT, Role.REVIEWER), world.permit(Decide(LAWN)), alert.id
    )
    world.clock.advance(MINUTE)
    look(world)
    assert taken(world) == (0, 0)
    world.decide(alert, RIGHT)
    world.clock.advance(MINUTE)
    look(world)
    assert taken(world) == (1, 0)


def test_what_nobody_answers_counts_as_the_worst_once_it_is_mature_and_a_later_answer_rewinds_nothing(
    world: World,
) -> None:
    look(world)
    (alert,) = alerts(world, None)
    alerts(world, RIGHT)
    world.clock.advance(DAY - 3 * MINUTE)
    look(world)
    assert taken(world) == (0, 0)
    world.clock.advance(2 * MINUTE)
    look(world)
    assert taken(world) == (2, 1)
    world.decide(alert, RIGHT)
    world.clock.advance(MINUTE)
    look(world)
    assert taken(world) == (2, 1)


def test_what_retention_destroyed_before_it_was_final_is_passed_over(world: World) -> None:
    look(world)
    (alert,) = alerts(world, None)
    alerts(world, RIGHT)
    world.house.store.commit(lambda tx: tx.execute("DELETE FROM alert WHERE id = ?", alert.id))
    look(world)
    assert taken(world) == (1, 0)


def test_a_house_that_stood_still_counts_what_matured_before_retention_destroys_it(tmp_path: Path) -> None:
    with make_house(tmp_path, edits=(*limited(), ("alerts: 1y", "alerts: 8d"))) as world:
        look(world)
        alerts(world, None, WRONG)  # what is open holds up what follows
        world.clock.advance(9 * DAY)
        world.house.keep_retention()
        assert world.house.store.read().all("SELECT id FROM alert WHERE state = 'decided'") == []
        look(world)
        assert taken(world) == (2, 2)


def test_a_reviewer_who_is_gone_leaves_their_verdicts(world: World) -> None:
    look(world)
    alerts(world, WRONG)
    close_account(world.house.acting, world.grant(May.MANAGE_ACCOUNTS), "reviewer")
    look(world)
    assert taken(world) == (1, 1)


# ---- other charters ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "counted", "starts"),
    [
        (("precision_at_least: 0.8", "precision_at_least: 0.7"), (2, 2), False),  # wider: its history goes on
        (("precision_at_least: 0.8", "precision_at_least: 0.9"), (1, 1), False),  # tighter: anew
        (("expected_alerts_per_week: 200", "expected_alerts_per_week: 300"), (2, 2), False),
        (("trial: 30d", "trial: 30d\n    disparity_at_most: 2\n    strata: [day, night]"), (2, 2), False),  # one more
        ((RULE, "of: [person]\n    for: 2s"), (1, 1), True),  # another rule: anew, and on trial
    ],
)
def test_only_tightening_or_another_rule_starts_a_test_anew(
    world: World, edit: tuple[str, str], counted: tuple[int, int], starts: bool
) -> None:
    look(world)
    alerts(world, WRONG)
    look(world)
    world.publish(world.edited(edit))
    assert [change.stands.why for change in look(world)] == (["changed"] if starts else [])
    alerts(world, WRONG)
    look(world)
    assert taken(world) == counted


@pytest.mark.parametrize(("within", "counted"), [("1m", (1, 1)), ("3m", (2, 2))])
def test_less_time_to_decide_begins_only_the_test_of_review_in_time_anew(
    tmp_path: Path, within: str, counted: tuple[int, int]
) -> None:
    stated = LIMITS.replace("    trial: 30d\n", "    reviewed_in_time_at_least: 95%\n    trial: 30d\n")
    with make_house(tmp_path, edits=limited(stated)) as world:
        for edit in ((), (("within: 2m", f"within: {within}"),)):
            if edit:
                world.publish(world.edited(*edit))
            look(world)
            late = world.raise_alert()
            world.clock.advance(5 * MINUTE)
            world.decide(late, WRONG)
            world.clock.advance(MINUTE)
            look(world)
        assert taken(world, "reviewed_in_time_at_least") == counted
        assert taken(world) == (2, 2)


def test_evidence_about_the_rule_of_before_does_not_stop_the_new_one(world: World) -> None:
    look(world)
    open_one = world.raise_alert()
    for _ in range(15):
        alerts(world, WRONG)  # enough to stop it, and none counts while the first is open
    assert look(world) == []
    world.publish(world.edited((RULE, "of: [person]\n    for: 2s")))
    assert [change.stands.why for change in look(world)] == ["changed"]
    world.decide(open_one, WRONG)
    world.clock.advance(MINUTE)
    assert look(world) == []
    assert state(world) is State.TRIAL


# ---- resumption --------------------------------------------------------------------------------------------------


def crossed(world: World) -> bytes:
    """Let people reject alerts until the limit stops it; the record that says so."""
    look(world)
    while not look(world):
        alerts(world, WRONG)
    (stop,) = [each for each in stops(world.house.store.read()) if each.over_ms is None]
    return stop.leaf_hash


def propose(world: World, stop: bytes, analytic: str = LAWN, what: str = "The zone was drawn anew.") -> bytes:
    statement = world.sign(
        "resumption_proposed", "authority", {"analytic": analytic}, {"what_changed": what}, refs=[stop]
    )
    return unb64(world.house.hand_in(statement)["leaf_hash"], length=32)


def resume(world: World, stop: bytes, proposal: bytes, role: str = "oversight") -> None:
    refs = [stop, proposal]
    statement = world.sign("analytic_resumed", role, {"analytic": LAWN}, {"reason": "It was looked at."}, refs=refs)
    world.house.hand_in(statement)


def test_the_authority_proposes_oversight_resumes_and_witnesses_make_it_count(world: World) -> None:
    stop = crossed(world)
    resume(world, stop, propose(world, stop))
    assert look(world) == []
    assert state(world) is State.SUSPENDED  # no witness has seen it
    world.settle()
    (change,) = look(world)
    assert (change.stands.state, change.stands.why) == (State.TRIAL, "resumed")
    world.permit(RunAnalytic("street", LAWN))
    alerts(world, WRONG)
    look(world)
    assert taken(world) == (1, 1)  # the limit that was crossed is tested anew
    assert taken(world, "trust") == (1, 1)


def test_without_a_proposal_or_with_one_of_another_stop_nothing_is_resumed(world: World) -> None:
    stop = crossed(world)
    with pytest.raises(Problem, match="Nobody has proposed"):
        resume(world, stop, bytes(32))
    with pytest.raises(DidNotVerify, match="not what was stopped"):
        propose(world, stop, "in-the-bays")
    with pytest.raises(Problem, match="No limit stops"):
        propose(world, world.records("analytic_judged")[0].hash)
    proposal = propose(world, stop)
    resume(world, stop, proposal)
    with pytest.raises(Problem, match="already"):
        resume(world, stop, proposal)


def test_neither_can_sign_for_the_other(world: World) -> None:
    stop = crossed(world)
    proposal = propose(world, stop)
    with pytest.raises(WatchglassError):
        resume(world, stop, proposal, role="authority")


def test_the_second_stop_within_90_days_needs_another_charter(world: World) -> None:
    for _ in range(2):
        stop = crossed(world)
        if not stops(world.house.store.read())[1:]:
            resume(world, stop, propose(world, stop))
            world.settle()
            world.clock.advance(5 * DAY)
    with pytest.raises(Refused, match="only a new version of the charter"):
        propose(world, stop)
    world.publish(world.edited())
    resume(world, stop, propose(world, stop))
    world.settle()
    assert [change.stands.why for change in look(world)] == ["resumed"]


def test_a_trial_that_shows_nothing_ends_in_a_suspension(world: World) -> None:
    look(world)
    alerts(world, RIGHT)
    world.clock.advance(30 * DAY)
    (change,) = look(world)
    assert (change.stands.state, change.stands.why) == (State.SUSPENDED, "trial-expired")
    assert world.records("analytic_judged")[-1].fields["evidence"]["alerts"] == 1
    assert LAWN in world.standing().on_trial  # what is still decided leaves the queue no more than before


def test_what_cannot_be_recorded_did_not_happen_and_is_tried_again(world: World) -> None:
    look(world)
    world.break_the_log("analytic_judged")
    with pytest.raises(WatchglassError):
        crossed(world)
    assert state(world) is State.TRIAL
    world.mend_the_log()
    (change,) = look(world)
    assert change.stands.state is State.SUSPENDED


def test_what_keeps_one_from_being_judged_keeps_no_other_from_being_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = LIMITS + LIMITS.partition("\n")[2].replace(LAWN, "gathering")
    with make_house(tmp_path, edits=limited(more)) as world:
        look(world)
        real = judge._due

        def but_one(acting: Any, reader: Any, charter: Any, name: str, effective: Any) -> bool:
            if name == "gathering":
                raise BadInput("A row cannot be read.", fix="Restore the house from its backup.")
            return real(acting, reader, charter, name, effective)

        monkeypatch.setattr(judge, "_due", but_one)
        for _ in range(15):
            alerts(world, WRONG)
            with pytest.raises(BadInput, match="row"):
                look(world)
            if state(world) is State.SUSPENDED:
                break
        assert state(world) is State.SUSPENDED


def test_how_it_stands_is_told_beside_a_house_that_runs(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    stop = crossed(world)
    propose(world, stop)
    assert main(["status", str(world.layout.root)]) == 0
    assert "on-the-lawn: suspended by its limit. Too many of its alerts were wrong" in capsys.readouterr().out
    (told,) = limits_of(world.layout.root)
    assert told["stop"]["proposals"][0]["what_changed"] == "The zone was drawn anew."
    assert told["people_do"].startswith("The caretaker")
