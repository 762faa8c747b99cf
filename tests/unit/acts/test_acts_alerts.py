"""Alerts, verdicts, hand-overs and clips: what each act does, what it records, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from watchglass.access.authorise import authorise
from watchglass.access.roles import Grant, May, Person, Role
from watchglass.acts.alerts import standing_verdict, the_alert, the_handover
from watchglass.acts.claim_alert import claim_alert, release_claim
from watchglass.acts.decide_alert import decide_alert
from watchglass.acts.keep_clip import keep_clip
from watchglass.acts.misuse import facts_of
from watchglass.acts.progress_handover import progress_handover
from watchglass.acts.raise_alert import raise_alert
from watchglass.acts.record_outcome import LONGEST_NOTE, record_outcome
from watchglass.acts.view_clip import LOOK_MS, view_clip
from watchglass.acts.withdraw_verdict import withdraw_verdict
from watchglass.charter.permit import Decide, HandOver, KeepClip, LookAt, RaiseAlert, ShowReviewerView
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput, Problem, Refused, WatchglassError
from watchglass.core.time import MINUTE, SECOND
from watchglass.ledger import receipt as receipts
from watchglass.perception.messages import Clip
from watchglass.review.model import CLAIM, UNDO_WINDOW, Alert, AlertState, HandoverState, Outcome, VerdictValue
from world import PNG, REVIEW_MS, World, make_house

LAWN, BAYS = "on-the-lawn", "in-the-bays"


def keep(world: World, alert: Alert, mp4: bytes = b"a film") -> None:
    permit = world.permit(KeepClip(alert.analytic))
    keep_clip(world.house.acting, permit, Clip(alert.id, alert.source, mp4, 8.04, 0.31))


def look(world: World, alert: Alert, by: Role | Person = Role.REVIEWER) -> bytes:
    permit = world.permit(ShowReviewerView(alert.source, alert.purpose))
    return view_clip(world.house.acting, world.grant(May.SEE_CLIP, by), permit, alert.id)


def step(world: World, alert: Alert, to: HandoverState) -> None:
    permit = world.permit(HandOver(alert.analytic))
    progress_handover(world.house.acting, world.grant(May.RESPOND), permit, alert.id, to)


def outcome(world: World, alert: Alert, found: Outcome = Outcome.FOUND_HELPED, note: str = "") -> None:
    permit = world.permit(HandOver(alert.analytic))
    record_outcome(world.house.acting, world.grant(May.RESPOND), permit, alert.id, found, note)


def undo(world: World, alert: Alert, by: Role | Person = Role.REVIEWER) -> None:
    permit = world.permit(Decide(alert.analytic))
    withdraw_verdict(world.house.acting, world.grant(May.DECIDE_ALERT, by), permit, alert.id)


# ---- raising -----------------------------------------------------------------------------------------------------


def test_an_alert_waits_and_its_record_tells_the_public_no_more_than_it_may(world: World) -> None:
    acting, permit = world.house.acting, world.permit(RaiseAlert(LAWN))
    done = raise_alert(acting, permit, world.new_alert(), review_within_ms=REVIEW_MS)
    alert = done.value
    assert (alert.state, alert.purpose, alert.score_per_mille, alert.due_ms - alert.raised_ms) == (
        AlertState.WAITING, "lawn", 713, 120 * SECOND,
    )  # fmt: skip
    (record,) = world.records("alert_raised")
    leaf = record.leaf
    assert record.hash == alert.leaf_hash
    assert (leaf.role, leaf.actor, leaf.purpose, leaf.hour) == ("house", "house", "lawn", "2026-11-23T12Z")
    assert leaf.clear == {"analytic": LAWN, "kind": "intrusion"}
    assert leaf.charter == world.standing().charter.sha256  # type: ignore[union-attr]
    assert record.fields == {
        "again": None,
        "conditions": {"light": None, "view": None, "size": "small", "crowding": "one", "degraded": []},
        "calibration": None,
        "alert": alert.id,
        "minute": "2026-11-23T12:00Z",
        "score": 713,
        "probability": 820,
        "source": "street",
        "why": "1 person inside 'lawn' for 1.2 s",
        "zone": "lawn",
    }
    assert alert.id.encode() not in record.data
    (receipt,) = done.receipts
    receipts.check(receipt, alert.leaf_hash, world.house.log_key)
    assert receipt.origin == world.house.origin


def test_a_permit_is_for_one_analytic_one_kind_of_act_and_a_short_time(world: World) -> None:
    acting = world.house.acting
    with pytest.raises(Refused, match="in-the-bays"):
        raise_alert(acting, world.permit(RaiseAlert(BAYS)), world.new_alert(LAWN), review_within_ms=REVIEW_MS)
    with pytest.raises(Refused, match="LookAt"):
        raise_alert(acting, world.permit(LookAt("street")), world.new_alert(LAWN), review_within_ms=REVIEW_MS)
    permit = world.permit(RaiseAlert(LAWN))
    world.clock.advance(1500)  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="ran out"):
        raise_alert(acting, permit, world.new_alert(LAWN), review_within_ms=REVIEW_MS)
    assert world.records("alert_raised") == []


def test_one_incident_is_one_alert(world: World) -> None:
    new = world.new_alert()
    raise_alert(world.house.acting, world.permit(RaiseAlert(LAWN)), new, review_within_ms=REVIEW_MS)
    before = world.state()
    with pytest.raises(BadInput):
        raise_alert(world.house.acting, world.permit(RaiseAlert(LAWN)), new, review_within_ms=REVIEW_MS)
    assert world.state() == before


# ---- deciding ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "reason", "recorded"),
    [
        (VerdictValue.CONFIRM, "", "as-described"),
        (VerdictValue.REJECT, "outside-zone", "outside-zone"),
        (VerdictValue.UNSURE, "too-short", "too-short"),
    ],
)
def test_a_verdict_is_recorded_under_a_pseudonym(world: World, value: VerdictValue, reason: str, recorded: str) -> None:
    alert = world.raise_alert()
    verdict = world.decide(alert, value, reason=reason)
    assert (verdict.value, verdict.reason) == (value, recorded)
    assert the_alert(world.house.store.read(), alert.id).state is AlertState.DECIDED
    (record,) = world.records("alert_decided")
    assert record.leaf.refs == (alert.leaf_hash,)
    assert record.leaf.role == "reviewer"
    assert record.leaf.clear == {}
    assert record.fields["verdict"] == value
    assert (record.fields["reason"], record.fields["account"]) == (recorded, "reviewer")
    assert record.leaf.actor.startswith("p-")
    assert b"reviewer" not in record.data.replace(b'"role":"reviewer"', b"")
    assert record.fields["handed_to"] == ("responder-page" if value is VerdictValue.CONFIRM else None)


def test_confirming_hands_over_in_the_same_transaction(world: World) -> None:
    alert = world.raise_alert()
    acting = world.house.acting
    done = decide_alert(
        acting, world.grant(May.DECIDE_ALERT), world.permit(Decide(LAWN)), alert.id, VerdictValue.CONFIRM
    )
    (decided,) = world.records("alert_decided")
    (receipt,) = done.receipts
    receipts.check(receipt, decided.hash, world.house.log_key)
    assert decided.fields["handed_to"] == "responder-page"
    assert the_handover(world.house.store.read(), alert.id).state is HandoverState.TOLD


def test_a_reason_belongs_to_its_verdict(world: World) -> None:
    alert = world.raise_alert()
    before = world.state()
    with pytest.raises(Problem, match="not a reason"):
        world.decide(alert, VerdictValue.CONFIRM, reason="not-there")
    assert world.state() == before


def test_two_people_never_decide_one_alert_unknowingly(world: World) -> None:
    other = world.add("second", Role.REVIEWER)
    alert = world.raise_alert()
    mine, theirs = world.grant(May.DECIDE_ALERT), world.grant(May.DECIDE_ALERT, other)
    acting = world.house.acting
    assert claim_alert(acting, mine, alert.id).claimed_by == mine.person.account
    assert claim_alert(acting, theirs, alert.id).claimed_by == mine.person.account  # left as it was
    with pytest.raises(Problem, match="open right now") as caught:
        world.decide(alert, by=other)
    assert caught.value.details == {"claimed": True}
    world.decide(alert, VerdictValue.REJECT, by=other, over_claim=True)
    with pytest.raises(Problem, match="Someone else decided"):
        world.decide(alert, over_claim=True)
    with pytest.raises(Problem, match="You decided"):
        world.decide(alert, by=other)
    assert len(world.records("alert_decided")) == 1


def test_a_claim_ends_by_itself_or_is_given_back(world: World) -> None:
    other = world.add("second", Role.REVIEWER)
    alert = world.raise_alert()
    mine, theirs = world.grant(May.DECIDE_ALERT), world.grant(May.DECIDE_ALERT, other)
    acting = world.house.acting
    claim_alert(acting, mine, alert.id)
    release_claim(acting, theirs, alert.id)  # not theirs to give back
    assert the_alert(acting.store.read(), alert.id).claimed_by == mine.person.account
    release_claim(acting, mine, alert.id)
    assert the_alert(acting.store.read(), alert.id).claimed_by is None
    claim_alert(acting, mine, alert.id)
    world.clock.advance(CLAIM)  # type: ignore[attr-defined]
    assert world.decide(alert, by=other).account == other.account


def test_one_who_may_only_see_the_queue_decides_nothing(world: World) -> None:
    alert = world.raise_alert()
    before = world.state()
    permit, acting = world.permit(Decide(LAWN)), world.house.acting
    with pytest.raises(Refused, match="see-queue"):
        decide_alert(acting, world.grant(May.SEE_QUEUE), permit, alert.id, VerdictValue.CONFIRM)
    with pytest.raises(Refused):
        world.grant(May.DECIDE_ALERT, Role.RESPONDER)
    with pytest.raises(Refused, match=BAYS):
        decide_alert(acting, world.grant(May.DECIDE_ALERT), world.permit(Decide(BAYS)), alert.id, VerdictValue.CONFIRM)
    assert world.state() == before


def test_an_alert_that_is_not_there(world: World) -> None:
    acting, nothing = world.house.acting, "f" * 16
    with pytest.raises(Problem, match="no such alert"):
        decide_alert(acting, world.grant(May.DECIDE_ALERT), world.permit(Decide(LAWN)), nothing, VerdictValue.REJECT)


def test_what_was_raised_can_be_finished_while_its_analytic_is_suspended(world: World) -> None:
    alert = world.raise_alert()
    world.suspend(LAWN)
    with pytest.raises(Refused, match="suspended"):
        world.raise_alert()
    world.decide(alert)
    step(world, alert, HandoverState.ACKNOWLEDGED)
    outcome(world, alert)


# ---- taking back -------------------------------------------------------------------------------------------------


def test_a_verdict_is_taken_back_within_ten_seconds(world: World) -> None:
    alert = world.raise_alert()
    world.decide(alert)
    world.clock.advance(UNDO_WINDOW)  # type: ignore[attr-defined]
    undo(world, alert)
    reader = world.house.store.read()
    assert the_alert(reader, alert.id).state is AlertState.WAITING
    assert standing_verdict(reader, alert.id) is None
    with pytest.raises(Problem, match="Nothing was handed over"):
        the_handover(reader, alert.id)
    (back,) = world.records("verdict_withdrawn")
    assert back.leaf.refs == (world.records("alert_decided")[0].hash,)
    world.decide(alert, VerdictValue.REJECT)
    assert [record.fields["verdict"] for record in world.records("alert_decided")] == ["confirm", "reject"]


def test_after_ten_seconds_or_by_another_person_it_stands(world: World) -> None:
    other = world.add("second", Role.REVIEWER)
    alert = world.raise_alert()
    with pytest.raises(Problem, match="no longer be taken back"):
        undo(world, alert)
    world.decide(alert)
    before = world.state()
    with pytest.raises(Problem, match="no longer be taken back"):
        undo(world, alert, other)
    world.clock.advance(UNDO_WINDOW + 1)  # type: ignore[attr-defined]
    with pytest.raises(Problem, match="no longer be taken back"):
        undo(world, alert)
    assert world.state() == before


# ---- the response ------------------------------------------------------------------------------------------------


def test_the_response_goes_forwards_only(world: World) -> None:
    alert = world.raise_alert()
    with pytest.raises(Problem, match="Nothing was handed over"):
        step(world, alert, HandoverState.ACKNOWLEDGED)
    world.decide(alert)
    for to in (HandoverState.ACKNOWLEDGED, HandoverState.ON_THE_WAY, HandoverState.ARRIVED):
        world.clock.advance(SECOND)  # type: ignore[attr-defined]
        step(world, alert, to)
    for back in (HandoverState.ARRIVED, HandoverState.ACKNOWLEDGED):
        with pytest.raises(Problem, match="already “arrived”"):
            step(world, alert, back)
    outcome(world, alert, Outcome.NOT_FOUND, "  Nobody there.  ")
    handover = the_handover(world.house.store.read(), alert.id)
    assert (handover.state, handover.outcome, handover.note) == (
        HandoverState.CLOSED, Outcome.NOT_FOUND, "Nobody there.",
    )  # fmt: skip
    assert handover.handed_ms < handover.acknowledged_ms < handover.on_the_way_ms < handover.arrived_ms  # type: ignore[operator]
    for later in (lambda: step(world, alert, HandoverState.ARRIVED), lambda: outcome(world, alert)):
        with pytest.raises(Problem, match="already “closed”"):
            later()
    decided = world.records("alert_decided")[0].hash
    steps, (end,) = world.records("handover_progressed"), world.records("outcome_recorded")
    assert [record.fields["step"] for record in steps] == ["acknowledged", "on_the_way", "arrived"]
    assert {record.fields["decided"] for record in (*steps, end)} == {b64(decided)}
    assert {record.leaf.refs for record in (*steps, end)} == {()}, "a public ref would tell which alerts were confirmed"
    assert (end.fields["outcome"], end.fields["action"]) == ("not-found", "Nobody there.")
    assert end.leaf.role == "responder"


def test_a_step_may_be_skipped_and_then_counts_as_acknowledged(world: World) -> None:
    alert = world.raise_alert()
    world.decide(alert)
    step(world, alert, HandoverState.ON_THE_WAY)
    assert the_handover(world.house.store.read(), alert.id).acknowledged_ms == world.clock.now()


@pytest.mark.parametrize("no_step", [HandoverState.TOLD, HandoverState.CLOSED])
def test_what_is_not_a_step_on_the_way(world: World, no_step: HandoverState) -> None:
    alert = world.raise_alert()
    world.decide(alert)
    with pytest.raises(Problem):
        step(world, alert, no_step)


def test_a_note_is_short_and_responders_alone_respond(world: World) -> None:
    alert = world.raise_alert()
    world.decide(alert)
    before = world.state()
    with pytest.raises(BadInput, match="501"):
        outcome(world, alert, note="x" * (LONGEST_NOTE + 1))
    permit, acting = world.permit(HandOver(LAWN)), world.house.acting
    reviewer = world.grant(May.DECIDE_ALERT)
    with pytest.raises(Refused, match="decide-alert"):
        record_outcome(acting, reviewer, permit, alert.id, Outcome.NOT_FOUND)
    with pytest.raises(Refused, match="decide-alert"):
        progress_handover(acting, reviewer, permit, alert.id, HandoverState.ARRIVED)
    assert world.state() == before


# ---- clips -------------------------------------------------------------------------------------------------------


def test_a_clip_is_sealed_on_the_disk_and_who_looks_at_it_is_recorded(world: World) -> None:
    alert = world.raise_alert()
    with pytest.raises(Problem, match="not there yet"):
        look(world, alert)
    keep(world, alert, b"a film of mosaics")
    (file,) = world.layout.clips.iterdir()
    assert b"mosaics" not in file.read_bytes()
    (kept,) = world.records("clip_kept")
    assert kept.fields["ciphertext_sha256"] == b64(sha256(file.read_bytes()))
    assert (kept.fields["seconds_ms"], kept.fields["masked_per_mille"]) == (8040, 310)
    assert the_alert(world.house.store.read(), alert.id).has_clip

    assert look(world, alert) == look(world, alert) == b"a film of mosaics"
    assert look(world, alert, Role.SHIFT_LEAD) == b"a film of mosaics"
    looks = world.records("clip_viewed")
    assert [record.fields["account"] for record in looks] == ["reviewer", "shift-lead"]
    assert {record.leaf.refs for record in looks} == {(alert.leaf_hash,)}


def test_each_look_at_a_clip_is_recorded_and_what_a_player_fetches_is_one_look(world: World) -> None:
    alert = world.raise_alert()
    keep(world, alert, b"a film of mosaics")
    for minutes in (0, 4, 5, 1, 9, 30):  # the first look, three pieces of which the last is another look, …
        world.clock.advance(minutes * MINUTE)  # type: ignore[attr-defined]
        look(world, alert)
    looks = world.records("clip_viewed")
    assert len(looks) == 3
    assert len({record.fields["minute"] for record in looks}) == 3
    rows = world.house.store.read().all("SELECT at_ms, leaf_hash FROM clip_view ORDER BY at_ms")
    assert [bytes(row["leaf_hash"]) for row in rows] == [record.hash for record in looks]
    starts = [row["at_ms"] - rows[0]["at_ms"] for row in rows]
    assert starts == [0, LOOK_MS, LOOK_MS + 39 * MINUTE]
    facts = facts_of(world.house.store.read(), world.clock.now())
    assert [access.at_ms for access in facts.accesses] == [row["at_ms"] for row in rows]
    assert {access.alert for access in facts.accesses} == {alert.id}


def test_a_second_clip_neither_replaces_nor_harms_the_first(world: World) -> None:
    alert = world.raise_alert()
    keep(world, alert, b"the first")
    with pytest.raises(Problem, match="already"):
        keep(world, alert, b"the second")
    assert look(world, alert) == b"the first"
    assert len(list(world.layout.clips.iterdir())) == 1


def test_a_clip_of_no_alert_leaves_nothing_behind(world: World) -> None:
    permit = world.permit(KeepClip(LAWN))
    with pytest.raises(Problem, match="no such alert"):
        keep_clip(world.house.acting, permit, Clip("f" * 16, "street", b"a film", 1, 0))
    assert list(world.layout.clips.iterdir()) == []


def test_a_clip_is_shown_for_its_own_purpose_to_those_who_may_see_it(world: World) -> None:
    alert = world.raise_alert()
    keep(world, alert)
    acting = world.house.acting
    with pytest.raises(Refused, match="works"):
        view_clip(acting, world.grant(May.SEE_CLIP), world.permit(ShowReviewerView("street", "works")), alert.id)
    with pytest.raises(Refused, match="see-queue"):
        view_clip(acting, world.grant(May.SEE_QUEUE), world.permit(ShowReviewerView("street", "lawn")), alert.id)
    for nobody in (Role.RESPONDER, Role.ADMINISTRATOR, Role.OPERATOR, Role.OVERSIGHT):
        with pytest.raises(Refused):
            world.grant(May.SEE_CLIP, nobody)
    assert world.records("clip_viewed") == []


def test_a_trial_keeps_clips_in_memory_only(tmp_path: Path) -> None:
    with make_house(tmp_path, origin="trial.test.example") as world:
        alert = world.raise_alert()
        keep(world, alert, b"a film in memory")
        assert look(world, alert) == b"a film in memory"
        assert not world.layout.clips.exists()
        world.reopen()
        with pytest.raises(Problem, match="memory only"):
            look(world, alert)


# ---- grants ------------------------------------------------------------------------------------------------------


def test_a_grant_is_made_by_authorise_only() -> None:
    person = Person(1, "eve", frozenset({Role.ADMINISTRATOR}))
    with pytest.raises(TypeError, match="authorise"):
        Grant(person, Role.REVIEWER, May.SEE_CLIP, policy=bytes(32), rules=("x",), token=object())
    for nobody in (None, person):
        with pytest.raises(Refused):
            authorise(nobody, May.SEE_CLIP)


# ---- break the log -----------------------------------------------------------------------------------------------


def _confirmed(world: World) -> Alert:
    alert = world.raise_alert()
    world.decide(alert)
    return alert


def _with_clip(world: World) -> Alert:
    alert = world.raise_alert()
    keep(world, alert)
    return alert


ACTS: dict[str, tuple[Callable[[World], Alert | None], Callable[[World, Alert], object]]] = {
    "alert_raised": (lambda _: None, lambda world, _: world.raise_alert()),
    "alert_decided": (World.raise_alert, lambda world, alert: world.decide(alert, VerdictValue.REJECT)),
    "verdict_withdrawn": (_confirmed, undo),
    "handover_progressed": (_confirmed, lambda world, alert: step(world, alert, HandoverState.ON_THE_WAY)),
    "outcome_recorded": (_confirmed, outcome),
    "clip_kept": (World.raise_alert, keep),
    "clip_viewed": (_with_clip, look),
}


@pytest.mark.parametrize("act", ACTS)
def test_what_cannot_be_recorded_does_not_happen(world: World, act: str) -> None:
    prepare, happen = ACTS[act]
    alert = prepare(world)
    world.break_the_log(act)
    before, files = world.state(), world.files()
    with pytest.raises(WatchglassError) as caught:
        happen(world, alert)  # type: ignore[arg-type]
    assert caught.value.exit_code != 0
    assert caught.value.fix
    assert (world.state(), world.files()) == (before, files)
    world.mend_the_log()
    happen(world, alert)  # type: ignore[arg-type]
    assert world.records(act)


def test_the_painted_still_is_kept_with_the_alert(world: World) -> None:
    alert = world.raise_alert()
    row = world.house.store.read().one("SELECT still FROM alert WHERE id = ?", alert.id)
    assert row is not None
    assert bytes(row["still"]) == PNG
