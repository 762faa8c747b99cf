"""Each promise of the audit that public data proves: a log that keeps it, and one that breaks exactly that."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_log import LEDGER, NOON, ORIGIN, Made, Small

from watchglass.charter.model import Charter
from watchglass.core import canonical
from watchglass.core.digest import b64, sha256
from watchglass.core.entropy import Entropy
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND, moment
from watchglass.edge.entropy import SeededEntropy
from watchglass.ledger import receipt as receipts
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.lodging import Challenge
from watchglass.ledger.lodging import Lodged as Receipt
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.note import Note, sign_text
from watchglass.oversight.challenge import commitment
from watchglass.oversight.given import Lodged, Promised
from watchglass.oversight.report import State

BEATS = (LEDGER.replace(", heartbeat_every: 10s", ""), LEDGER)
HOURS = (
    "    of: [person]\n    for: 1s\n  entrance-only",
    "    of: [person]\n    for: 1s\n    hours: 01:00-05:00\n  entrance-only",
)
TRIAL = ('until: "2027-11-30"', f'until: "{moment(NOON + 13 * DAY).date()}"')


@pytest.fixture
def small() -> Small:
    return Small().begin()


def key(name: str) -> SignerKey:
    entropy: Entropy = SeededEntropy(name)
    return SignerKey.generate(f"{name}.example", entropy)


# ---- the log itself --------------------------------------------------------------------------------------------------


def test_a_log_of_a_few_lawful_entries_breaks_nothing(small: Small) -> None:
    alert = small.alert()
    small.pass_time(30 * SECOND)
    small.decide(alert)
    small.stop()
    report = small.audit()
    assert report.broken == ()
    states = {each.promise: each.state for each in report.findings}
    assert states["intact"] is State.KEPT
    assert {name for name, state in states.items() if state is State.PENDING} == {
        "consultation", "budget", "requests"
    }  # fmt: skip
    assert states["scopes"] is State.UNSEEN
    assert report.charters[0].version == 1
    assert any("tap" in sentence for sentence in report.cannot_see)


def test_entries_that_are_no_records_are_named_and_the_others_are_read_on(small: Small) -> None:
    first = small.add(b"\xff\xfe not json")
    second = small.add(b'{"act": "run_started"}')
    small.stop()
    assert small.broken() == {"well-formed": [first.index, second.index]}


@pytest.mark.parametrize(
    "data", [b"", b"[" * 60_000, b"{}", b"nul", b'{"act":"alert_raised"}', b"\x00" * 65_536, b'{"a":1e999}']
)
def test_nothing_that_an_entry_holds_raises(small: Small, data: bytes) -> None:
    at = small.add(data)
    assert small.broken() == {"well-formed": [at.index]}


def test_a_key_that_only_looks_like_one_is_no_record(small: Small) -> None:
    vkey = str(small.keys["investigator"].verifier).replace("investigator", "somebodyelse")
    wrong = small.enrol("investigator", clear={"vkey": vkey})
    small.enrol("investigator")
    assert small.broken() == {"well-formed": [wrong.index]}


def test_hundreds_of_charters_that_nobody_approved_are_not_read_for_ever(small: Small) -> None:
    for number in range(300):
        text = f"charter: {number}\n"
        clear = {"name": "x", "version": 2, "sha256": b64(sha256(text.encode())), "text": text}
        last = small.attest("charter_published", clear=clear)
    found = small.broken()
    assert found["charters"][-1] == last.index
    assert len(found["charters"]) == 300 - 256


def test_the_beginning_stands_in_entry_0_and_nowhere_else(small: Small) -> None:
    clear = {"origin": ORIGIN, "deployment": "production", "software": "watchglass-1"}
    again = small.attest("log_opened", clear={**clear, "software": "watchglass-2"})
    assert small.broken() == {"well-formed": [again.index]}
    other = Small()
    other.attest("log_opened", clear={**clear, "deployment": "demo"})
    assert "well-formed" in other.broken()


def test_a_checkpoint_of_other_entries_is_named(small: Small) -> None:
    checkpoint, cosigned = small.ending()
    auditor = small.read(small.auditor())
    report = auditor.finish(replace(checkpoint, root=sha256(b"other")), cosigned)
    assert [each.promise for each in report.broken] == ["intact"]
    assert [each.promise for each in auditor.finish(replace(checkpoint, size=3), cosigned).broken] == ["intact"]
    assert auditor.finish(checkpoint, cosigned).broken == ()


def test_a_recorded_checkpoint_of_another_past_is_named(small: Small) -> None:
    text = Checkpoint(ORIGIN, 3, sha256(b"another past")).text
    lines = (sign_text(text, small.log), sign_text(text, small.eye, seconds=NOON // SECOND))
    forked = small.attest("checkpoint_witnessed", clear={"note": Note(text, lines).encode().decode()})
    assert small.broken() == {"intact": [forked.index]}
    assert "rewritten" in small.breach("intact").sentence


@pytest.mark.parametrize("note", ["nothing", "a\n3\nx\n\n— w abc=\n"])
def test_a_recorded_checkpoint_that_is_none_is_named(small: Small, note: str) -> None:
    made = small.attest("checkpoint_witnessed", clear={"note": note})
    assert small.broken() == {"intact": [made.index]}


def test_a_record_refers_to_an_earlier_one_of_the_right_act(small: Small) -> None:
    started = Made(0, b"", leaf_hash(small.entries[-1]))
    nothing = small.decide(Made(0, b"", sha256(b"nothing")))
    wrong = small.decide(started)
    assert small.broken() == {"refs": [nothing.index, wrong.index]}
    assert small.finding("refs").breaches[1].entries == (wrong.index, len(small.entries) - 3)


def test_no_record_stands_twice(small: Small) -> None:
    first = small.alert()
    small.decide(first)
    again = small.add(first.data)
    found = small.broken()
    assert found["once"] == [again.index]
    assert small.finding("once").breaches[0].entries == (again.index, first.index)


# ---- keys and charters -----------------------------------------------------------------------------------------------


def test_a_signature_by_a_key_that_may_not_speak_counts_for_nothing(small: Small) -> None:
    order = small.suspend("on-the-lawn", key=key("stranger"))
    small.pass_time(5 * HOUR)
    small.decide(small.alert())
    assert small.broken() == {"signatures": [order.index]}
    assert "could not speak" in small.breach("signatures").sentence


def test_a_signature_that_its_key_did_not_make_is_named(small: Small) -> None:
    statement = small.statement("suspension_ordered", "oversight", clear=small.scope("on-the-lawn"), reason="x")
    data = small.recorder.signed(statement).data
    sig = b64(statement.signature.sig).encode()
    forged = small.add(data.replace(sig, b64(bytes(64)).encode()))
    assert small.broken() == {"signatures": [forged.index]}
    assert "did not make" in small.breach("signatures").sentence


def test_an_enrolled_key_speaks_for_its_role_and_month_only(small: Small) -> None:
    small.enrol("investigator")
    small.sign("case_opened", "investigator", purpose="lawn")
    assert small.broken() == {}
    wrong = small.sign("glass_broken", "investigator", role="shift-lead", purpose="lawn")
    small.pass_time(10 * DAY)
    small.witness()
    late = small.sign("case_closed", "investigator", purpose="lawn")
    assert small.broken() == {"signatures": [wrong.index, late.index]}


def test_one_statement_is_recorded_once(small: Small) -> None:
    statement = small.statement("suspension_ordered", "oversight", clear=small.scope("camera"), reason="x")
    order = small.record(statement)
    small.obey(order, "camera")
    again = small.record(statement)
    small.obey(again, "camera")
    assert small.broken() == {"signatures": [again.index]}


def test_a_key_is_enrolled_once_and_for_a_month_that_is_not_over(small: Small) -> None:
    small.enrol("investigator")
    again = small.enrol("investigator", clear={"enrolled_role": "shift-lead"})
    past = small.enrol("shift-lead", clear={"month": "2026-09"})
    assert small.broken() == {"enrolments": [again.index, past.index]}


def test_a_later_charter_needs_the_keys_of_the_one_before(small: Small) -> None:
    new = {role: key(f"new-{role}") for role in ("authority", "oversight")}
    edits = [(str(small.keys[role].verifier), str(new[role].verifier)) for role in new]
    made = small.publish(small.text(2, *edits), by=new, stands=False)
    assert small.broken() == {"signatures": [made.index + 1, made.index + 2], "charters": [made.index]}


def test_a_charter_with_the_outgoing_keys_counts(small: Small) -> None:
    small.publish(small.text(2, ("review: {within: 2m}", "review: {within: 3m}")))
    small.witness()
    small.start("00000000000000e2")
    report = small.audit()
    assert report.broken == ()
    assert [each.version for each in report.charters] == [1, 2]


def test_a_charter_without_oversights_approval_is_named(small: Small) -> None:
    text = small.text(2, ("review: {within: 2m}", "review: {within: 3m}"))
    made = small.publish(text, by={"authority": small.keys["authority"]}, stands=False)
    small.stop()
    assert small.broken() == {"charters": [made.index]}


def test_versions_count_up_and_the_text_is_what_its_hash_names(small: Small) -> None:
    same = small.publish(small.text(1, ("review: {within: 2m}", "review: {within: 3m}")), stands=False)
    other = {"name": "demo-street", "version": 2, "sha256": b64(sha256(b"another")), "text": "what is this"}
    text = small.attest("charter_published", clear=other)
    assert small.broken()["charters"] == [same.index, same.index + 1, same.index + 2, text.index]


def test_a_charter_that_asks_for_what_none_may_is_named(small: Small) -> None:
    text = small.text(2).replace("kind: wrong_way", "kind: face_recognition")
    clear = {"name": "demo-street", "version": 2, "sha256": b64(sha256(text.encode())), "text": text}
    made = small.attest("charter_published", clear=clear)
    found = small.finding("charters")
    assert [each.entries for each in found.breaches] == [(made.index,)]
    assert "asks for what none may" in found.breaches[0].sentence


def test_what_a_newer_version_wrote_is_not_judged(small: Small) -> None:
    text = small.text(2) + "a_section_of_next_year: {x: 1}\n"
    clear = {"name": "demo-street", "version": 2, "sha256": b64(sha256(text.encode())), "text": text}
    small.attest("charter_published", clear=clear)
    under = replace_hash(small, text)
    small.attest("account_changed", clear={"change": "opened"}, charter=under, roles=["reviewer"], by=None)
    report = small.audit()
    assert report.broken == ()
    assert report.by_promise["charters"].state is State.UNSEEN
    assert report.by_promise["under-charter"].state is State.UNSEEN


def replace_hash(small: Small, text: str) -> Charter:
    """A charter as far as an entry names it: by the hash of bytes that this version cannot read."""
    assert small.charter is not None
    made = replace(small.charter, data=small.charter.data)
    object.__setattr__(made, "sha256", sha256(text.encode()))
    return made


def test_the_first_oversight_is_the_one_that_was_remembered(small: Small) -> None:
    found = small.broken(oversight=key("another").verifier)
    assert list(found) == ["charters"]


def test_nothing_is_done_under_a_charter_that_does_not_count(small: Small) -> None:
    made = small.alert(charter=replace_hash(small, "nowhere"))
    small.decide(made)
    assert small.broken() == {"under-charter": [made.index]}


def test_nothing_runs_before_the_first_day_or_after_the_last(small: Small) -> None:
    small.publish(small.text(2, ('from: "2026-11-23"', 'from: "2026-12-20"')))
    small.witness()
    early = small.alert()
    small.decide(early)
    assert small.broken() == {"under-charter": [early.index]}


def test_the_charter_that_was_replaced_allows_nothing_new(small: Small) -> None:
    old = small.charter
    small.publish(small.text(2, ("review: {within: 2m}", "review: {within: 3m}")))
    small.witness()
    small.start("00000000000000e2")
    small.pass_time(3 * HOUR)
    small.witness()
    late = small.alert(charter=old)
    small.decide(late, charter=old)
    assert small.broken() == {"under-charter": [late.index]}


# ---- what ran --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "otherwise",
    [
        {"analytic": "faces"},
        {"kind": "crowd_density"},
        {"purpose": "works"},
        {"purpose": "advertising"},
    ],
)
def test_only_analytics_kinds_and_purposes_of_the_charter_raise_alerts(small: Small, otherwise: dict[str, str]) -> None:
    made = small.alert(**otherwise)
    small.decide(made)
    assert small.broken() == {"allowed": [made.index]}


@pytest.mark.parametrize("otherwise", [{"sources": ["back-yard"]}, {"models": {"nanodet-416-int8": b64(bytes(32))}}])
def test_only_its_sources_and_models_run(small: Small, otherwise: dict[str, object]) -> None:
    small.stop()
    made = small.start("00000000000000e2", **otherwise)
    assert small.broken() == {"allowed": [made.index]}


def test_no_original_is_kept_where_the_charter_keeps_none() -> None:
    small = Small().begin()
    small.attest("segment_sealed", purpose="lawn")
    assert small.broken() == {}
    made = small.attest("segment_sealed", purpose="nothing")
    assert small.broken() == {"allowed": [made.index]}


def test_alerts_come_at_the_charters_hours() -> None:
    small = Small(edits=[HOURS]).begin()
    early = small.alert()
    small.decide(early)
    assert small.broken() == {"hours": [early.index]}
    lawful = Small(edits=[HOURS]).begin()
    lawful.clock.set(NOON + 13 * HOUR + 30 * MINUTE)
    lawful.decide(lawful.alert())
    lawful.clock.set(NOON + 17 * HOUR + 2 * MINUTE)  # of what a camera saw two minutes before
    lawful.decide(lawful.alert())
    assert lawful.broken() == {}


def test_heartbeats_say_to_the_second_what_ran_outside_its_hours() -> None:
    small = Small(edits=[BEATS, HOURS]).begin()
    small.name_recorder()
    small.beat(running=("camera",))
    outside = small.beat(running=("camera", "on-the-lawn"))
    small.stop()
    assert small.broken() == {"hours": [outside.index]}


def test_nothing_runs_in_an_hour_through_which_it_was_suspended(small: Small) -> None:
    order = small.suspend("on-the-lawn")
    small.obey(order, "on-the-lawn")
    small.decide(small.alert())  # of the same hour: it may have been before
    small.pass_time(2 * HOUR)
    small.decide(small.alert("camera", "camera_fault", "upkeep"), "upkeep")
    assert small.broken() == {}
    ran = small.alert()
    small.decide(ran)
    assert small.broken() == {"suspensions": [ran.index]}
    assert small.breach("suspensions").entries == (ran.index, order.index)


def test_an_order_to_stop_everything_stops_originals_too(small: Small) -> None:
    order = small.suspend()
    small.obey(order)
    small.pass_time(2 * HOUR)
    kept = small.attest("segment_sealed", purpose="lawn")
    assert small.broken() == {"suspensions": [kept.index]}


def test_what_was_lifted_may_run_once_witnesses_have_seen_it(small: Small) -> None:
    order = small.suspend("on-the-lawn")
    small.obey(order, "on-the-lawn")
    small.pass_time(2 * HOUR)
    small.witness()
    small.lift(order, "on-the-lawn")
    small.pass_time(3 * HOUR)
    unseen = small.alert()
    small.decide(unseen)
    assert small.broken() == {"disclosed-after-witnesses": [unseen.index]}
    small.entries = small.entries[:-2]
    small.witness()
    small.decide(small.alert())
    assert small.broken() == {}


def test_an_order_is_obeyed_at_all_and_within_two_seconds(small: Small) -> None:
    order = small.suspend("camera")
    late = small.obey(order, "camera", within_ms=11_000)
    assert small.broken() == {"obeyed": [late.index]}
    never = small.suspend("on-the-lawn")
    assert small.broken() == {"obeyed": [late.index]}
    small.pass_time(4 * HOUR)
    assert small.broken() == {"obeyed": [late.index, never.index]}


def test_an_order_that_came_after_a_crash_is_not_late(small: Small) -> None:
    order = small.suspend("camera")
    small.pass_time(5 * HOUR)
    small.stop("found_after_crash")
    small.start("00000000000000e2")
    small.obey(order, "camera", within_ms=5 * HOUR)
    assert small.broken() == {}


def test_a_late_word_that_an_order_was_obeyed_hides_nothing(small: Small) -> None:
    """The house says in how many milliseconds it obeyed; witnesses had seen the order for hours by then."""
    order = small.suspend("camera")
    small.pass_time(MINUTE)
    small.witness()
    small.pass_time(5 * HOUR)
    late = small.obey(order, "camera")
    small.witness()
    assert small.broken() == {"obeyed": [late.index]}
    stopped = small.suspend("on-the-lawn")
    small.pass_time(MINUTE)
    small.witness()
    small.stop("asked")
    small.pass_time(5 * HOUR)
    small.start("00000000000000e2")
    small.obey(stopped, "on-the-lawn")
    assert small.broken() == {"obeyed": [late.index]}, "what was asked to stop at that moment had stopped"


def test_hours_that_change_too_often_to_be_kept_hide_no_late_one(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchglass.oversight.promises.times._MOST", 2)
    for _ in range(3):
        small.pass_time(HOUR)
        small.decide(small.alert())
    small.clock.set(small.clock.now() + 9 * HOUR)
    wrong = small.decide(small.alert())
    small.clock.set(small.clock.now() - 9 * HOUR)
    small.decide(small.alert())
    small.witness()
    assert wrong.index - 1 in small.broken()["times"]


def test_a_witness_counts_once_however_many_charters_name_it(small: Small) -> None:
    auditor = small.read(small.auditor(policy=None))
    names = [str(each) for each in auditor.world.witness_keys()]
    auditor.world.charters.order *= 20
    assert [str(each) for each in auditor.world.witness_keys()] == names


def test_an_order_that_was_lodged_while_the_house_was_away_accuses_nobody(small: Small) -> None:
    statement = small.statement("suspension_ordered", "oversight", clear=small.scope("on-the-lawn"), reason="x")
    small.pass_time(2 * HOUR)
    small.decide(small.alert())
    held = small.recorder.attested(
        "alert_raised", role="house", charter=small.charter.sha256 if small.charter else None, purpose="lawn",
        clear={"analytic": "on-the-lawn", "kind": "intrusion"}, committed={
            "alert": "00000000000000aa", "source": "street", "zone": None, "score": None, "probability": None,
            "why": "x",
            "again": None,
            "conditions": None,
            "calibration": None,
        },
    )  # fmt: skip
    small.pass_time(3 * HOUR)
    small.witness()
    small.obey(small.record(statement), "on-the-lawn")
    assert small.broken() == {}
    late = small.add(held.data)  # of before it came; merged far too late, which is another promise's
    small.decide(late)
    assert set(small.broken()) == {"times", "alerts"}


def test_an_order_that_came_while_nothing_ran_is_not_late(small: Small) -> None:
    small.stop()
    order = small.suspend("camera")
    small.pass_time(5 * HOUR)
    small.start("00000000000000e2")
    small.obey(order, "camera", within_ms=5 * HOUR)
    assert small.broken() == {}


# ---- alerts and what is kept -----------------------------------------------------------------------------------------


def test_every_alert_is_decided_in_time(small: Small) -> None:
    waiting = small.alert()
    assert small.broken() == {}
    small.pass_time(3 * HOUR)
    assert small.broken() == {"alerts": [waiting.index]}
    late = small.decide(waiting)
    assert small.broken() == {"alerts": [late.index]}
    assert small.breach("alerts").hour == "2026-11-23T15Z"


def test_an_alert_whose_verdict_was_taken_back_waits_again(small: Small) -> None:
    alert = small.alert()
    verdict = small.decide(alert)
    small.attest("verdict_withdrawn", refs=[verdict], purpose="lawn", role="reviewer")
    assert small.broken() == {}
    small.pass_time(3 * HOUR)
    assert small.broken() == {"alerts": [alert.index]}


def test_nobody_decides_twice_and_software_never(small: Small) -> None:
    alert = small.alert()
    small.decide(alert)
    again = small.decide(alert)
    assert small.broken() == {"alerts": [again.index]}
    other = small.alert()
    alone = small.decide(other, actor="house")
    assert small.broken() == {"alerts": [again.index, alone.index]}


def test_originals_do_not_outlive_their_retention(small: Small) -> None:
    kept = small.attest("segment_sealed", purpose="lawn")
    small.pass_time(3 * DAY + 2 * HOUR)
    assert small.broken() == {}
    small.attest("retention_applied", clear={"what": "segments"})
    small.pass_time(5 * DAY)
    assert small.broken() == {}
    small.entries.pop()
    assert small.broken() == {"retention-originals": [kept.index]}


def test_what_an_order_may_keep_is_not_judged_from_outside(small: Small) -> None:
    small.attest("segment_sealed", purpose="lawn")
    small.sign("hold_ordered", "oversight", until_ms=NOON + 90 * DAY)
    small.pass_time(9 * DAY)
    small.attest("retention_applied", clear={"what": "segments"})
    found = small.finding("retention-originals")
    assert found.state is State.UNSEEN
    assert "order to keep" in found.sentence


def test_who_orders_that_something_is_kept_lifts_it(small: Small) -> None:
    hold = small.sign("hold_ordered", "oversight", until_ms=NOON + 90 * DAY)
    wrong = small.sign("hold_lifted", "authority", refs=[hold])
    small.sign("hold_lifted", "oversight", refs=[hold])
    assert small.broken() == {"retention-originals": [wrong.index]}


def test_clips_do_not_outlive_theirs(small: Small) -> None:
    alert = small.alert()
    small.decide(alert)
    clip = small.attest("clip_kept", refs=[alert], purpose="lawn")
    small.pass_time(7 * DAY + 2 * DAY)
    assert small.broken() == {"retention": [clip.index]}
    small.clock.set(NOON + 7 * DAY + 2 * HOUR)
    small.attest("retention_applied", clear={"what": "clips"})
    small.pass_time(3 * DAY)
    assert small.broken() == {}


def test_the_keys_of_a_month_die(small: Small) -> None:
    names = ("control-room", "dpo", "oversight")
    for name in names:
        clear = {"custodian": name, "period": "2026-11", "key": b64(sha256(name.encode()))}
        small.sign("sealing_key_published", f"custodian-{name}", clear=clear)
    published = dict(zip(names, range(len(small.entries) - 3, len(small.entries)), strict=True))
    kept = small.attest("segment_sealed", purpose="lawn")
    small.pass_time(4 * DAY)
    small.attest("retention_applied", clear={"what": "segments"})
    small.pass_time(10 * DAY)
    assert small.broken() == {"month-keys": [kept.index]}
    assert set(published.values()) < set(small.breach("month-keys").entries)
    gone = Made(0, b"", leaf_hash(small.entries[published["oversight"]]))
    clear = {"custodian": "oversight", "period": "2026-11"}
    small.sign("period_destroyed", "custodian-oversight", clear=clear, refs=[gone])
    assert small.broken() == {}  # without oversight's no permitted set is left


# ---- originals -------------------------------------------------------------------------------------------------------


def requested(small: Small, by: str = "investigator") -> Made:
    """A request that the witness has seen."""
    if by == "investigator":
        small.enrol("investigator")
    made = small.sign("release_requested", by, role="investigator", purpose="lawn", opened=b64(sha256(b"case")))
    small.witness()
    return made


def approve(small: Small, request: Made, name: str, **more: object) -> Made:
    checkpoint, _ = small.witness(hide=True)
    seen = {"size": checkpoint.size, "root": b64(checkpoint.root)}
    return small.sign(
        "release_approved", f"custodian-{name}", refs=[request], purpose="lawn", seen=seen, custodian=name, **more
    )


def grant(small: Small, request: Made, *approvals: Made) -> Made:
    clear = {"approvals": sorted(b64(each.hash) for each in approvals)}
    return small.attest("release_granted", clear=clear, refs=[request], purpose="lawn")


def test_a_release_with_a_permitted_set_of_approvals_is_lawful(small: Small) -> None:
    request = requested(small)
    granted = grant(small, request, approve(small, request, "dpo"), approve(small, request, "oversight"))
    small.witness()
    small.sign("release_taken", "investigator", refs=[granted], purpose="lawn")
    assert small.broken() == {}
    assert small.finding("releases").checked == 1


@pytest.mark.parametrize("names", [(), ("oversight",), ("dpo", "control-room"), ("oversight", "oversight")])
def test_a_release_without_a_permitted_set_is_named(small: Small, names: tuple[str, ...]) -> None:
    request = requested(small)
    granted = grant(small, request, *(approve(small, request, name) for name in names))
    assert small.broken() == {"releases": [granted.index]}


def test_nobody_approves_their_own_request(small: Small) -> None:
    small.keys["investigator"] = small.keys["custodian-dpo"]
    request = requested(small)
    mine, theirs = approve(small, request, "dpo"), approve(small, request, "oversight")
    granted = grant(small, request, mine, theirs)
    assert small.broken() == {"releases": [mine.index, granted.index]}


def test_a_forged_approval_counts_for_nothing(small: Small) -> None:
    request = requested(small)
    forged = approve(small, request, "oversight", key=key("forger"))
    granted = grant(small, request, approve(small, request, "dpo"), forged)
    assert small.broken() == {"signatures": [forged.index], "releases": [granted.index]}


def test_an_approval_of_another_request_counts_for_nothing(small: Small) -> None:
    first = requested(small)
    second = small.sign("release_requested", "investigator", purpose="lawn", opened=b64(sha256(b"case")))
    small.witness()
    granted = grant(small, second, approve(small, first, "dpo"), approve(small, first, "oversight"))
    assert small.broken() == {"releases": [granted.index]}


def test_a_release_is_granted_once_in_time_and_taken_by_who_asked(small: Small) -> None:
    request = requested(small)
    both = approve(small, request, "dpo"), approve(small, request, "oversight")
    granted = grant(small, request, *both)
    again = grant(small, request, *both)
    small.keys["other"] = key("other")
    vkey = str(small.keys["other"].verifier)
    small.enrol("investigator", clear={"vkey": vkey}, person="another")
    small.witness()
    taken = small.sign("release_taken", "other", role="investigator", refs=[granted], purpose="lawn")
    small.pass_time(2 * DAY)
    late = grant(small, request, *both)
    assert small.broken()["releases"] == [again.index, taken.index, late.index, late.index]


def test_what_discloses_waits_for_witnesses(small: Small) -> None:
    small.enrol("investigator")
    request = small.sign("release_requested", "investigator", purpose="lawn", opened=b64(sha256(b"case")))
    early = approve(small, request, "dpo")
    small.witness()
    grant(small, request, early, approve(small, request, "oversight"))
    assert small.broken() == {"disclosed-after-witnesses": [early.index]}
    assert small.finding("disclosed-after-witnesses").checked == 4


def test_a_run_begins_once_witnesses_have_seen_its_charter() -> None:
    small = Small()
    small.attest("log_opened", clear={"origin": ORIGIN, "deployment": "production", "software": "watchglass-1"})
    small.witness()
    small.publish(small.text())
    early = small.start()
    small.witness()
    assert small.broken() == {"disclosed-after-witnesses": [early.index]}


def test_an_emergency_is_explained_in_time(small: Small) -> None:
    small.enrol("shift-lead")
    used = small.sign("glass_broken", "shift-lead", purpose="lawn")
    small.pass_time(20 * HOUR)
    small.sign("glass_followed_up", "shift-lead", refs=[used], purpose="lawn", case=None)
    assert small.broken() == {}
    second = small.sign("glass_broken", "shift-lead", purpose="lawn")
    small.pass_time(2 * DAY)
    assert small.broken() == {"emergencies": [second.index]}


def test_an_emergency_needs_a_rule_and_a_role() -> None:
    small = Small().begin()
    small.enrol("investigator")
    used = small.sign("glass_broken", "investigator", purpose="lawn")
    assert small.broken() == {"emergencies": [used.index]}


# ---- completeness ----------------------------------------------------------------------------------------------------


def test_an_hour_that_is_too_early_or_too_late_is_named(small: Small) -> None:
    small.pass_time(5 * HOUR)
    small.witness()
    small.clock.set(NOON)
    old = small.attest("account_changed", clear={"change": "opened"}, roles=["reviewer"], by=None)
    small.clock.set(NOON + 5 * HOUR)
    assert small.broken() == {"times": [old.index]}
    small.clock.set(NOON + 11 * HOUR)
    new = small.attest("account_changed", clear={"change": "opened"}, roles=["reviewer"], by=None)
    small.clock.set(NOON + 5 * HOUR + MINUTE)
    small.witness()
    assert small.broken() == {"times": [old.index, new.index]}


def test_what_a_batch_brings_late_is_not_too_early() -> None:
    hourly = "ledger: {checkpoint_every: 60s, batch_every: 1h, merge_within: 2h}"
    small = Small(edits=[(BEATS[0], hourly)]).begin()
    small.pass_time(50 * MINUTE)
    held = small.recorder.attested(
        "misuse_signalled", role="house", charter=small.charter.sha256 if small.charter else None,
        committed={"signal": b64(sha256(b"s")), "kind": "odd", "sentence": "Odd."},
    )  # fmt: skip
    small.pass_time(70 * MINUTE)
    small.witness()
    small.add(held.data)
    assert small.broken() == {}


def test_a_cosignature_that_its_witness_did_not_make_is_named(small: Small) -> None:
    checkpoint, note = small.witness(hide=True)
    other = sign_text(checkpoint.text.replace(ORIGIN, "other"), small.eye, seconds=NOON // SECOND)
    forged = Note(checkpoint.text, (sign_text(checkpoint.text, small.log), other)).encode()
    made = small.attest("checkpoint_witnessed", clear={"note": forged.decode()})
    assert small.broken() == {"times": [made.index]}
    assert note != forged


def test_a_receipt_is_honoured_in_time(small: Small) -> None:
    alert = small.alert()
    small.decide(alert)
    now = small.clock.now()
    given = [
        Promised("kept", made(small, alert.hash, now), alert.hash),
        Promised("not-yet", made(small, sha256(b"new"), now), sha256(b"new")),
        Promised("of-another-log", made(small, sha256(b"x"), now - DAY, key("log")), sha256(b"x")),
    ]
    assert small.broken(receipts=given) == {}
    left_out = Promised("left-out", made(small, sha256(b"gone"), now - HOUR), sha256(b"gone"))
    assert small.breach("receipts", receipts=[*given, left_out]).sentence.startswith("The receipt 'left-out' promised")
    small.pass_time(HOUR)
    small.witness()
    late = small.stop()
    receipt = Promised("late", made(small, late.hash, now), late.hash)
    assert small.breach("receipts", receipts=[given[0], receipt]).entries == (late.index,)
    assert small.finding("receipts", receipts=given, policy=None).state is State.UNSEEN


def made(small: Small, leaf: bytes, issued_ms: int, signer: SignerKey | None = None) -> receipts.Receipt:
    due = issued_ms + 10 * MINUTE
    return receipts.issue([leaf], issued_ms=issued_ms, merge_by_ms=due, signer=signer or small.log)[0]


def beating() -> Small:
    small = Small(edits=[BEATS]).begin()
    small.name_recorder()
    return small


def test_heartbeats_follow_each_other() -> None:
    small = beating()
    for _ in range(3):
        small.beat()
    small.stop()
    assert small.broken() == {}
    cut = small.beat(previous=b64(bytes(32)))
    counted = small.beat(sequence=9)
    long = small.beat(300)
    twice = small.beat(from_s=small.clock.now() // SECOND - 5)
    empty = small.beat(to_s=small.clock.now() // SECOND)
    assert small.broken()["heartbeats"] == [each.index for each in (cut, counted, long, twice, empty)]


def test_a_heartbeat_of_no_named_recorder_counts_for_nothing() -> None:
    small = beating()
    small.beat()
    forged = small.beat(key=key("forger"))
    small.stop()
    assert small.broken()["signatures"] == [forged.index]


def test_time_without_a_heartbeat_is_dark() -> None:
    small = beating()
    small.beat()
    small.pass_time(3 * HOUR)
    small.beats["street"] = (*small.beats["street"][:2], small.clock.now() // SECOND)
    small.beat()
    small.stop()
    (dark,) = small.finding("dark-time").breaches
    assert dark.sentence.startswith("The source 'street' was dark for 3 hours")
    assert [each.promise for each in small.audit().broken] == ["dark-time"]


def test_a_stop_that_was_asked_for_is_not_dark() -> None:
    small = beating()
    small.beat()
    small.stop()
    small.pass_time(30 * HOUR)
    small.witness()
    assert small.broken() == {}


def test_without_promised_heartbeats_nobody_can_tell(small: Small) -> None:
    assert small.finding("dark-time").state is State.UNSEEN


def test_nothing_runs_on_when_witnesses_are_away() -> None:
    within = BEATS[1].replace("heartbeat_every: 10s", "heartbeat_every: 1h, witnessed_within: 2h")
    small = Small(edits=[(BEATS[0], within)]).begin()
    small.name_recorder()
    small.beat(3_600)
    small.beat(3_600)
    small.witness()
    for _ in range(3):
        small.beat(3_600)
    idle = small.beat(3_600, running=())
    assert small.broken() == {}
    ran = small.beat(3_600)
    assert small.broken() == {"fresh-witnesses": [ran.index]}
    assert idle.index == ran.index - 1


def lodge(small: Small, body: bytes, name: str = "first") -> Lodged:
    return Lodged(name, body, Receipt.of(ORIGIN, body, small.clock.now() // SECOND).sign(small.eye))


def test_an_order_lodged_with_a_witness_is_recorded(small: Small) -> None:
    statement = small.statement("suspension_ordered", "oversight", clear=small.scope("on-the-lawn"), reason="x")
    lodged = lodge(small, statement.encode())
    small.pass_time(MINUTE)
    order = small.record(statement)
    small.obey(order, "on-the-lawn")
    assert small.finding("lodged", lodged=[lodged]).state is State.KEPT
    small.entries = small.entries[:-2]
    small.pass_time(3 * HOUR)
    ran = small.alert()
    small.decide(ran)
    breach = small.breach("lodged", lodged=[lodged])
    assert breach.entries == (ran.index,)
    assert "ran on" in breach.sentence
    stranger = small.statement("suspension_ordered", "oversight", clear=small.scope(), reason="x", key=key("stranger"))
    assert small.finding("lodged", lodged=[lodge(small, stranger.encode())]).state is State.UNSEEN


def tell(small: Small, result: str = "missed", *, lodged_ms: int | None = None, **more: object) -> Made:
    told = {
        "source": "street",
        "kind": "intrusion",
        "from_ms": NOON,
        "to_ms": NOON + MINUTE,
        "salt": "00000000000000dd",
    }
    digest = commitment(ORIGIN, told)
    body = Challenge(ORIGIN, digest).sign(small.keys["oversight"])
    at = small.clock.now() if lodged_ms is None else lodged_ms
    note = Receipt.of(ORIGIN, body, at // SECOND).sign(small.eye)
    clear = {"challenge": b64(digest), "lodged": note.decode(), "result": result}
    return small.sign("challenge_told", "oversight", clear=clear, **{**told, **more})


def test_a_challenge_was_lodged_before(small: Small) -> None:
    small.pass_time(MINUTE)
    tell(small)
    assert small.broken() == {}
    later = tell(small, lodged_ms=NOON + 4 * HOUR)
    assert small.broken() == {"challenges": [later.index]}


def published(small: Small, **otherwise: object) -> Made:
    checkpoint, _ = small.witness(hide=True)
    clear = {
        "size": checkpoint.size,
        "root": b64(checkpoint.root),
        "depth": "structure",
        "found": {"alerts": "kept", "intact": "kept"},
        "breaches": 0,
        "report_sha256": b64(sha256(b"report")),
        **otherwise,
    }
    return small.sign("audit_published", "oversight", clear=clear)


def test_a_published_audit_agrees_with_this_one(small: Small) -> None:
    published(small)
    assert small.broken() == {}
    other = published(small, root=b64(sha256(b"other")))
    assert small.broken() == {"audits": [other.index]}


def test_a_published_audit_does_not_call_kept_what_was_broken(small: Small) -> None:
    alert = small.alert()
    small.pass_time(5 * HOUR)
    small.witness()
    wrong = published(small)
    assert small.broken() == {"alerts": [alert.index], "audits": [wrong.index]}
    right = Small().begin()
    alert = right.alert()
    right.pass_time(5 * HOUR)
    right.witness()
    published(right, found={"alerts": "broken"}, breaches=1)
    assert right.broken() == {"alerts": [alert.index]}


def test_a_trial_waits_for_no_witness_and_says_so() -> None:
    small = Small(origin="trial.small.example", edits=(TRIAL,)).begin()
    report = small.audit()
    assert report.broken == ()
    assert report.by_promise["disclosed-after-witnesses"].state is State.UNSEEN
    assert report.notice is not None


def test_a_trial_is_neither_long_nor_renewed() -> None:
    long = Small(origin="trial.small.example").begin()
    assert long.broken() == {"charters": [3]}
    small = Small(origin="trial.small.example", edits=(TRIAL,)).begin()
    small.publish(small.text(2, ("review: {within: 2m}", "review: {within: 3m}")))
    assert small.broken() == {}
    longer = small.publish(small.text(3, (TRIAL[1], f'until: "{moment(NOON + 20 * DAY).date()}"')))
    assert small.broken() == {"charters": [longer.index + 2]}


def test_sentences_name_offices_and_never_people(small: Small) -> None:
    request = requested(small)
    grant(small, request, approve(small, request, "control-room"))
    small.alert("faces")
    small.pass_time(3 * HOUR)
    for finding in small.audit().broken:
        for each in finding.breaches:
            assert each.sentence.endswith("can answer for it.")
            assert "control-room" not in each.sentence
    assert canonical.encode(small.audit().as_json())
