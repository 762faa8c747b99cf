"""Each promise of the audit that oversight's openings prove: a log that keeps it, and one that breaks exactly that."""

from __future__ import annotations

from typing import Any

import pytest
from small_log import LEDGER, NOON, ORIGIN, Everything, Made, Small

from watchglass.core import canonical
from watchglass.core.digest import b64, sha256, unb64
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND, minute_of
from watchglass.evidence.release import SCOPE_DOMAIN
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.lodging import Challenge
from watchglass.ledger.lodging import Lodged as Receipt
from watchglass.ledger.merkle import leaf_hash, root
from watchglass.oversight.challenge import commitment
from watchglass.oversight.report import State
from watchglass.records.act_spec import ALLOWED_BY

BEATS = (LEDGER.replace(", heartbeat_every: 10s", ""), LEDGER.replace("10s}", "15m}"))
HOURS = (
    "    of: [person]\n    for: 1s\n  entrance-only",
    "    of: [person]\n    for: 1s\n    hours: 12:00-12:30\n  entrance-only",
)
KEY = b64(sha256(b"case key"))
CASE = "00000000000000ca"


@pytest.fixture
def small() -> Small:
    made = Small().begin()
    made.enrol("investigator")
    return made


def broken(small: Small) -> dict[str, list[int]]:
    return small.broken(deep=True)


def test_lawful_records_open_and_break_nothing(small: Small) -> None:
    small.decide(small.alert())
    small.stop()
    report = small.audit(deep=True)
    assert report.broken == ()
    assert report.depth == "openings"
    assert report.by_promise["opened"].checked == 6
    assert all(each.state is not State.UNSEEN for each in report.findings if each.depth == "openings")


def test_without_openings_these_promises_are_unseen(small: Small) -> None:
    deep = {each.promise for each in small.audit(deep=True).findings if each.depth == "openings"}
    shallow = {each.promise: each.state for each in small.audit().findings}
    assert {name for name in deep if shallow[name] is not State.UNSEEN} == set()


def test_an_opening_is_there_and_is_what_was_committed_to(small: Small) -> None:
    first = small.attest("account_changed", clear={"change": "opened"}, roles=["reviewer"], by=None)
    second = small.attest("account_changed", clear={"change": "closed"}, roles=[], by=None)
    small.decide(small.alert())
    kept = dict(small.sealed)
    del small.sealed[first.hash]
    assert broken(small) == {"opened": [first.index]}
    small.sealed = {**kept, first.hash: kept[second.hash]}
    assert broken(small) == {"opened": [first.index]}


def test_openings_that_retention_destroyed_are_not_missed(small: Small) -> None:
    alert = small.alert()
    small.decide(alert)
    small.stop()
    small.pass_time(366 * DAY)
    del small.sealed[alert.hash]
    last = small.attest("account_changed", clear={"change": "opened"}, roles=["reviewer"], by=None)
    small.pass_time(HOUR)
    assert "opened" not in broken(small)
    assert last.index > alert.index


def test_an_opening_that_is_gone_too_early_is_missed(small: Small) -> None:
    alert = small.alert()
    small.decide(alert)
    del small.sealed[alert.hash]
    assert broken(small) == {"opened": [alert.index]}


# ---- minutes ---------------------------------------------------------------------------------------------------------


def test_minutes_late_within_one_hour(small: Small) -> None:
    alert = small.alert()
    small.pass_time(2 * MINUTE + 30 * SECOND)
    small.decide(alert)
    assert broken(small) == {}
    other = small.alert()
    small.pass_time(4 * MINUTE)
    late = small.decide(other)
    assert broken(small) == {"minutes": [late.index]}
    assert small.broken() == {}


def test_a_verdict_that_is_taken_back_does_not_stop_the_clock(small: Small) -> None:
    alert = small.alert()
    verdict = small.decide(alert)
    small.attest("verdict_withdrawn", refs=[verdict], purpose="lawn", role="reviewer")
    small.pass_time(20 * MINUTE)
    late = small.decide(alert)
    assert broken(small) == {"minutes": [late.index]}


def test_minutes_outside_the_hours_and_after_an_order() -> None:
    small = Small(edits=[HOURS]).begin()
    small.pass_time(33 * MINUTE)
    small.decide(small.alert())  # of what the camera saw some minutes before
    small.pass_time(20 * MINUTE)
    late = small.alert()
    small.decide(late)
    assert broken(small) == {"minutes": [late.index]}
    other = Small().begin()
    order = other.suspend("on-the-lawn")
    other.obey(order, "on-the-lawn")
    other.pass_time(30 * MINUTE)
    ran = other.alert()
    other.decide(ran)
    assert broken(other) == {"minutes": [ran.index]}
    assert other.broken() == {}


# ---- originals -------------------------------------------------------------------------------------------------------


def open_case(small: Small, **more: Any) -> Made:
    return small.sign("case_opened", "investigator", purpose="lawn", **{"case_key": KEY, **more})


def ask(small: Small, within: Made, /, **more: Any) -> Made:
    values = {"opened": b64(within.hash), "recipient": KEY, "case": CASE, **more}
    made = small.sign("release_requested", "investigator", purpose="lawn", **values)
    small.witness()
    return made


def approve(small: Small, asked: Made, name: str = "oversight", /, **more: Any) -> Made:
    scope = {
        "case": CASE,
        "from_ms": NOON - MINUTE,
        "purpose": "lawn",
        "source": "street",
        "to_ms": NOON - MINUTE + 10 * SECOND,
    }
    checkpoint, _ = small.witness(hide=True)
    values = {
        "scope_sha256": b64(sha256(SCOPE_DOMAIN + canonical.encode(scope))),
        "recipient": KEY,
        "custodian": name,
        "seen": {"size": checkpoint.size, "root": b64(checkpoint.root)},
        **more,
    }
    return small.sign("release_approved", f"custodian-{name}", refs=[asked], purpose="lawn", **values)


def grant(small: Small, asked: Made, approvals: list[Made], /, **more: Any) -> Made:
    clear = {"approvals": sorted(b64(each.hash) for each in approvals)}
    return small.attest("release_granted", clear=clear, refs=[asked], purpose="lawn", **more)


def test_a_release_that_is_what_was_asked_for(small: Small) -> None:
    request = ask(small, open_case(small))
    grant(small, request, [approve(small, request, "dpo"), approve(small, request)])
    assert broken(small) == {}


@pytest.mark.parametrize(
    "otherwise",
    [
        {"scope_sha256": b64(sha256(b"another"))},
        {"recipient": b64(sha256(b"another key"))},
        {"until_ms": NOON + 48 * HOUR},
        {"custodian": "control-room"},
        {"request": "00000000000000b0"},
        {"seen": {"size": 3, "root": b64(sha256(b"x"))}},
    ],
)
def test_an_approval_of_something_else_is_named(small: Small, otherwise: dict[str, Any]) -> None:
    request = ask(small, open_case(small))
    wrong = approve(small, request, **otherwise)
    assert broken(small) == {"scopes": [wrong.index]}
    assert small.broken() == {}


def test_an_approval_that_saw_another_log_is_named(small: Small) -> None:
    request = ask(small, open_case(small))
    wrong = approve(small, request, seen={"size": len(small.entries), "root": b64(sha256(b"fork"))})
    assert broken(small) == {"scopes": [wrong.index]}


def test_a_grant_of_another_request_and_too_much_video_are_named(small: Small) -> None:
    case = open_case(small)
    request = ask(small, case)
    wrong = grant(small, request, [approve(small, request, "dpo"), approve(small, request)], request="00000000000000b0")
    long = ask(small, case, request="00000000000000b1", from_ms=NOON - HOUR)
    assert broken(small) == {"scopes": [wrong.index, long.index]}


def test_originals_are_asked_for_in_an_open_case(small: Small) -> None:
    case = open_case(small)
    other = ask(small, case, case="00000000000000c0")
    nowhere = ask(small, Made(0, b"", sha256(b"nothing")), request="00000000000000b1")
    key = ask(small, case, request="00000000000000b2", recipient=b64(sha256(b"mine")))
    small.sign("case_closed", "investigator", purpose="lawn", opened=b64(case.hash))
    closed = ask(small, case, request="00000000000000b3")
    over = open_case(small, until_ms=NOON - HOUR)
    late = ask(small, over, request="00000000000000b4")
    assert broken(small) == {"cases": [each.index for each in (other, nowhere, key, closed, late)]}


def test_nobody_asks_in_a_case_of_another_person(small: Small) -> None:
    case = open_case(small)
    small.keys["other"] = SignerKey.generate("other.example", small.entropy)
    small.enrol("other", clear={"enrolled_role": "investigator"}, person="another")
    wrong = small.sign(
        "release_requested",
        "other",
        role="investigator",
        purpose="lawn",
        opened=b64(case.hash),
        recipient=KEY,
        case=CASE,
    )
    assert broken(small) == {"cases": [wrong.index]}


def sealed_piece(small: Small) -> Made:
    return small.attest("segment_sealed", purpose="lawn")


def test_no_key_dies_that_an_order_still_needs(small: Small) -> None:
    clear = {"custodian": "oversight", "period": "2026-11", "key": KEY}
    key = small.sign("sealing_key_published", "custodian-oversight", clear=clear)
    sealed_piece(small)
    hold = small.sign("hold_ordered", "oversight", until_ms=NOON + 90 * DAY, from_ms=NOON - HOUR, to_ms=NOON + HOUR)
    destroys = {"custodian": "oversight", "period": "2026-11"}
    gone = small.sign("period_destroyed", "custodian-oversight", clear=destroys, refs=[key])
    assert broken(small) == {"holds": [gone.index]}
    assert small.breach("holds", deep=True).entries == (gone.index, hold.index)
    small.entries.pop()
    small.sign("hold_kept", "custodian-oversight", refs=[hold], custodian="oversight", recipient=KEY)
    small.sign("period_destroyed", "custodian-oversight", clear=destroys, refs=[key])
    assert broken(small) == {}


def test_retention_tells_what_was_due(small: Small) -> None:
    small.attest("retention_applied", clear={"what": "clips"}, before=minute_of(NOON - 7 * DAY))
    small.attest("retention_applied", clear={"what": "segments"}, before=minute_of(NOON))
    assert broken(small) == {}
    wrong = small.attest("retention_applied", clear={"what": "alerts"}, before=minute_of(NOON - DAY))
    assert broken(small) == {"retention-told": [wrong.index]}


# ---- heartbeats ------------------------------------------------------------------------------------------------------


def beating() -> Small:
    small = Small(edits=[BEATS]).begin()
    small.name_recorder()
    return small


def test_heartbeats_agree_with_alerts_and_originals() -> None:
    small = beating()
    small.pass_time(500 * SECOND)
    small.decide(small.alert())
    small.attest("segment_sealed", purpose="lawn", ciphertext_sha256=b64(sha256(b"piece")))
    small.clock.set(NOON)
    small.beat(900, alerts=1, segments=b64(root([leaf_hash(sha256(b"piece"))])))
    small.stop()
    small.pass_time(HOUR)
    assert broken(small) == {}


@pytest.mark.parametrize("lie", [{"alerts": 2}, {"segments": b64(root([leaf_hash(sha256(b"another"))]))}])
def test_what_a_recorder_counted_and_the_log_does_not_hold_is_named(lie: dict[str, Any]) -> None:
    small = beating()
    lied = small.beat(900, **lie)
    small.stop()
    small.pass_time(HOUR)
    assert broken(small) == {"counts": [lied.index]}


def test_of_what_retention_took_nobody_can_tell_and_nothing_is_said() -> None:
    small = beating()
    small.pass_time(500 * SECOND)
    alert = small.alert()
    small.decide(alert)
    small.clock.set(NOON)
    small.beat(900, alerts=1)
    small.stop()
    small.pass_time(366 * DAY)
    del small.sealed[alert.hash]
    assert "counts" not in broken(small)


def test_more_alerts_than_a_recorder_counted_are_named() -> None:
    small = beating()
    small.pass_time(300 * SECOND)
    small.decide(small.alert())
    small.decide(small.alert("camera", "camera_fault", "upkeep"), "upkeep")  # the house itself may say so
    small.clock.set(NOON)
    beat = small.beat(900)
    small.stop()
    small.pass_time(HOUR)
    assert broken(small) == {"counts": [beat.index]}


# ---- people ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden", [{ALLOWED_BY: None}, {ALLOWED_BY: {"policy": b64(bytes(32)), "rules": []}}])
def test_an_act_of_a_person_names_the_rule_that_let_them(small: Small, hidden: dict[str, Any]) -> None:
    wrong = small.decide(small.alert(), **hidden)
    assert broken(small) == {"accounts": [wrong.index]}


def test_one_person_has_one_key_a_month(small: Small) -> None:
    again = small.enrol("shift-lead", person="investigator")
    assert broken(small) == {"one-key": [again.index]}


def test_a_signal_is_settled_once(small: Small) -> None:
    signal = b64(sha256(b"signal"))
    small.attest("misuse_signalled", signal=signal)
    small.sign("misuse_settled", "oversight", signal=signal)
    assert broken(small) == {}
    again = small.sign("misuse_settled", "oversight", signal=signal)
    assert broken(small) == {"misuse-settled": [again.index]}


def tell(small: Small, *, from_ms: int, lodged_ms: int, changed: bool = False, **more: Any) -> Made:
    told: dict[str, Any] = {
        "source": "street",
        "kind": "intrusion",
        "to_ms": from_ms + MINUTE,
        "salt": "00000000000000dd",
    }
    digest = commitment(ORIGIN, {**told, "from_ms": from_ms})
    body = Challenge(ORIGIN, digest).sign(small.keys["oversight"])
    note = Receipt.of(ORIGIN, body, lodged_ms // SECOND).sign(small.eye)
    clear = {"challenge": b64(digest), "lodged": note.decode(), "result": more.pop("result", "missed")}
    values = {**told, "from_ms": from_ms - HOUR * changed, **more}
    return small.sign("challenge_told", "oversight", clear=clear, **values)


def test_a_challenge_is_told_as_it_was_lodged_and_was_lodged_before_it_began(small: Small) -> None:
    alert = small.alert()
    small.decide(alert)
    tell(small, from_ms=NOON, lodged_ms=NOON - MINUTE)
    tell(small, from_ms=NOON, lodged_ms=NOON - MINUTE, result="noticed", alert_leaf=b64(alert.hash))
    assert broken(small) == {}
    changed = tell(small, from_ms=NOON, lodged_ms=NOON - MINUTE, changed=True)
    late = tell(small, from_ms=NOON - 2 * HOUR, lodged_ms=NOON)
    nothing = tell(small, from_ms=NOON, lodged_ms=NOON - MINUTE, result="noticed")
    assert broken(small) == {"challenges": [changed.index, late.index, nothing.index]}
    assert small.broken() == {}


def test_openings_of_hostile_entries_raise_nothing(small: Small) -> None:
    small.add(b"nothing")

    class Hostile(Everything):
        def values(self, leaf: object, digest: bytes) -> dict[str, Any] | None:
            raise RecursionError(unb64(b64(digest)))

    auditor = small.read(small.auditor(openings=Hostile(small)))
    report = auditor.finish(*small.ending())
    assert [each.promise for each in report.broken] == ["well-formed"]
    assert report.by_promise["opened"].state is State.UNSEEN
    assert "stumbled" in report.by_promise["opened"].sentence
