"""Cases, releases, holds and the destruction of keys, as the house does them. Cryptography has tests of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from guarded import Guarded, enrol, guarded
from watchglass.acts.apply_retention import apply_retention
from watchglass.acts.seal_segment import SealedSegment, seal_segment
from watchglass.bootstrap import SeededEntropy
from watchglass.charter.permit import SealSegment
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput, DidNotVerify, Problem, Refused, WatchglassError
from watchglass.core.time import DAY, HOUR, SECOND, month_of
from watchglass.evidence.custody import Bundle, Kind, open_bundle, reseal
from watchglass.evidence.envelope import open_sealed
from watchglass.evidence.header import read_header
from watchglass.evidence.shares import recover, unwrap_glass, unwrap_shares
from watchglass.ledger.keys import SignerKey
from watchglass.records.query import ask


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Guarded]:
    with guarded(tmp_path) as made:
        yield made


# ---- the story ---------------------------------------------------------------------------------------------------


def test_from_a_case_to_the_opened_original(scene: Guarded) -> None:
    kept = scene.record()
    request = scene.granted()
    scene.hand_in(scene.taking(request))
    answer = scene.ask("release", "investigator", request)
    assert [each["id"] for each in answer["segments"]] == kept
    data, headers = {}, {}
    for each in kept:
        query = ask("segment", about=f"{request}/{each}", key=scene.keys["investigator"],
                    origin=scene.world.house.origin, now=scene.now)  # fmt: skip
        data[each] = scene.world.house.sealed_segment(query)
        headers[each] = read_header(data[each])
    charter = scene.world.standing().charter
    assert charter is not None
    given = [
        open_bundle(
            Bundle.parse(scene.bundle(request, name).encoded),
            scene.case_key,
            headers,
            kind=Kind.RELEASE,
            request=bytes.fromhex(_leaf(scene, request)),
            charter=charter.sha256,
        )
        for name in ("oversight", "dpo")
    ]
    for each in kept:
        key = recover(headers[each], [shares[each] for shares in given])
        assert open_sealed(data[each], key) == b"a picture of somebody " * 400
    acts = [record.leaf.act for record in scene.world.records()]
    for act in ("case_opened", "release_requested", "release_approved", "release_granted", "release_taken"):
        assert act in acts
    (grant,) = scene.world.records("release_granted")
    approvals = [b64(record.hash) for record in scene.world.records("release_approved")]
    assert grant.leaf.clear == {"approvals": sorted(approvals)}


def _leaf(scene: Guarded, request: str) -> str:
    row = scene.world.house.store.read().one("SELECT leaf_hash FROM release_request WHERE id = ?", request)
    assert row is not None
    return bytes(row["leaf_hash"]).hex()


def test_the_public_leaves_tell_of_power_and_not_of_people(scene: Guarded) -> None:
    scene.record()
    request = scene.granted()
    scene.hand_in(scene.taking(request))
    scene.world.settle()
    log = b"\n".join(scene.world.entries())
    log = log[log.index(b'"key_enrolled"') :]  # what stands before is the charter's own text
    for secret in (b"EX-2026-17", b"district court", b"street", b"Ines", b"how the person fell", request.encode()):
        assert secret not in log


def test_one_custodian_is_not_enough_nor_two_without_the_one_who_must(scene: Guarded) -> None:
    scene.record()
    request = scene.requested()
    for name in ("dpo", "control-room"):
        scene.approve(request, name)
        scene.world.house.grant_releases()
        assert scene.world.records("release_granted") == []
    scene.approve(request, "oversight")
    scene.world.house.grant_releases()
    assert len(scene.world.records("release_granted")) == 1
    scene.world.house.grant_releases()
    assert len(scene.world.records("release_granted")) == 1


def test_nothing_is_given_out_before_witnesses_have_cosigned(scene: Guarded) -> None:
    scene.record()
    statement = scene.request(scene.open_case())
    scene.hand_in(statement)
    request = str(statement.values["request"])
    with pytest.raises(Refused, match="law 12"):
        scene.approve(request, "dpo")
    scene.world.settle()
    scene.approve(request, "dpo")
    scene.approve(request, "oversight")
    scene.world.house.grant_releases()
    with pytest.raises(Refused, match="law 12"):
        scene.hand_in(scene.taking(request))
    with pytest.raises(Refused, match="not taken yet"):
        scene.ask("release", "investigator", request)
    scene.world.settle()
    with pytest.raises(Refused, match="not taken yet"):
        scene.ask("release", "investigator", request)
    scene.hand_in(scene.taking(request))
    assert scene.ask("release", "investigator", request)["segments"]
    with pytest.raises(Problem, match="taken before"):
        scene.hand_in(scene.taking(request))
    scene.world.clock.advance(25 * HOUR)  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="run out"):
        scene.ask("release", "investigator", request)


# ---- what is not asked for -----------------------------------------------------------------------------------------


def _closed(scene: Guarded) -> tuple[str, bytes]:
    case = scene.open_case()
    values = {"case": case[0], "opened": b64(case[1]), "result": "Nothing was found."}
    scene.hand_in(scene.sign("case_closed", "investigator", values, purpose=scene.purpose))
    return case


def _anothers(scene: Guarded) -> tuple[str, bytes]:
    case = scene.open_case()
    other = SignerKey.generate("other.example", SeededEntropy("other"))
    enrol(scene.world, "investigator", "Otto Other", other)
    scene.keys["investigator"] = other
    return case


def _long_ago(scene: Guarded) -> tuple[str, bytes]:
    case = scene.open_case(until_ms=scene.now + HOUR)
    scene.world.clock.advance(2 * HOUR)  # type: ignore[attr-defined]
    return case


ASKED_IN_VAIN: dict[str, tuple[Callable[[Guarded], tuple[str, bytes]], dict[str, Any], type[WatchglassError], str]] = {
    "no case": (lambda _: ("0" * 16, bytes(32)), {}, Problem, "no such case"),
    "a closed case": (_closed, {}, Refused, "was closed"),
    "another's case": (_anothers, {}, Refused, "somebody else"),
    "a case that ran out": (_long_ago, {}, Refused, "ran out"),
    "another record of the case": (lambda s: (s.open_case()[0], bytes(32)), {}, DidNotVerify, "another record"),
    "too wide": (lambda s: s.open_case(), {"from_ms": -2 * HOUR}, Refused, "1 h|longer|at most"),
    "too old": (lambda s: s.open_case(), {"from_ms": -5 * DAY, "to_ms": -5 * DAY + HOUR}, Refused, "kept|older"),
    "the future": (lambda s: s.open_case(), {"to_ms": HOUR // 2}, Refused, "future|not happened|not yet|has not been"),
    "an empty time": (lambda s: s.open_case(), {"from_ms": 0, "to_ms": -SECOND}, WatchglassError, "before|begin"),
    "another source": (lambda s: s.open_case(), {"source": "attic"}, WatchglassError, "attic"),
    "valid for too long": (lambda s: s.open_case(), {"until_ms": 48 * HOUR}, Refused, "valid for"),
    "nothing is there": (lambda s: s.open_case(), {"from_ms": -HOUR, "to_ms": -HOUR // 2}, Refused, "Nothing of this"),
}


@pytest.mark.parametrize("why", ASKED_IN_VAIN)
def test_a_request_that_may_not_be_made_is_refused_with_the_reason_and_recorded(scene: Guarded, why: str) -> None:
    scene.record()
    case, more, kind, words = ASKED_IN_VAIN[why]
    found = case(scene)
    times = {name: value + scene.now if name.endswith("_ms") else value for name, value in more.items()}
    with pytest.raises(kind, match=words):
        scene.hand_in(scene.request(found, **times))
    assert scene.world.records("release_requested") == []
    if issubclass(kind, DidNotVerify):
        return
    (denied,) = scene.world.records("release_denied")
    assert denied.fields["by"] in {"Ines Vermaat", "Otto Other"}
    assert denied.leaf.clear == {}


def test_a_request_is_not_made_for_another_key_or_purpose(scene: Guarded) -> None:
    scene.record()
    case = scene.open_case()
    other = b64(X25519PrivateKey.generate().public_key().public_bytes_raw())
    with pytest.raises(DidNotVerify, match="another key"):
        scene.hand_in(scene.request(case, recipient=other))
    charter = scene.world.standing().charter
    assert charter is not None
    wrong = next(purpose.name for purpose in charter.purposes if purpose.name != scene.purpose)
    with pytest.raises(DidNotVerify, match="for the purpose"):
        scene.hand_in(scene.request(case, purpose=wrong))


def test_only_enrolled_investigators_open_cases(scene: Guarded) -> None:
    stranger = SignerKey.generate("stranger.example", SeededEntropy("stranger"))
    scene.keys["investigator"] = stranger
    with pytest.raises(DidNotVerify, match="may not speak as investigator"):
        scene.open_case()
    enrol(scene.world, "reviewer", "Rita", stranger)
    with pytest.raises(DidNotVerify, match="may not speak as investigator"):
        scene.open_case()


def test_when_too_many_custodians_are_gone_nothing_is_recorded(scene: Guarded) -> None:
    scene.record()
    case = scene.open_case()
    scene.world._beside("UPDATE sealing_key SET destroyed_ms = 1 WHERE custodian = 'dpo'")
    scene.hand_in(scene.request(case))
    scene.world._beside("UPDATE sealing_key SET destroyed_ms = 1 WHERE custodian = 'oversight'")
    with pytest.raises(Problem, match="Nobody can open"):
        scene.hand_in(scene.request(case))
    assert len(scene.world.records("release_requested")) == 1


# ---- approvals ---------------------------------------------------------------------------------------------------


def test_an_approval_is_of_this_request_by_this_custodian_with_these_shares(scene: Guarded) -> None:
    scene.record()
    request, other = scene.requested(), scene.requested()
    good, strange = scene.bundle(request, "dpo"), scene.bundle(other, "dpo")
    key = b64(X25519PrivateKey.generate().public_key().public_bytes_raw())
    late = scene.now + 48 * HOUR
    wrong: list[tuple[Callable[[], Any], bytes | None, type[WatchglassError], str]] = [
        (lambda: scene.approval(request, "dpo", good), None, BadInput, "did not come"),
        (lambda: scene.approval(request, "dpo", good), strange.encoded, DidNotVerify, "not those"),
        (lambda: scene.approval(request, "dpo", strange), strange.encoded, DidNotVerify, "another|not of this"),
        (lambda: scene.approval(request, "dpo", good, recipient=key), good.encoded, DidNotVerify, "recipient"),
        (lambda: scene.approval(request, "dpo", good, scope_sha256=key), good.encoded, DidNotVerify, "scope"),
        (lambda: scene.approval(request, "dpo", good, until_ms=late), good.encoded, DidNotVerify, "longer"),
        (
            lambda: scene.approval(request, "dpo", good, key=scene.keys["control-room"]),
            good.encoded,
            DidNotVerify,
            "not that of the custodian",
        ),
        (lambda: scene.approval(request, "dpo", good, refs=[bytes(32)]), good.encoded, DidNotVerify, "another request"),
    ]  # fmt: skip
    before = scene.world.state()
    for make, bundle, kind, words in wrong:
        with pytest.raises(kind, match=words):
            scene.hand_in(make(), bundle)
    assert scene.world.state() == before
    scene.hand_in(scene.approval(request, "dpo", good), good.encoded)
    with pytest.raises(Problem, match="answered this request before"):
        scene.refuse(request, "dpo")


def test_shares_of_fewer_segments_than_asked_for_are_not_taken(scene: Guarded) -> None:
    scene.record()
    request = scene.requested()
    whole = scene.bundle(request, "dpo")
    part = reseal(whole.terms, scene.shares(request, "dpo")[:2])
    with pytest.raises(BadInput, match="2 segments, and the request is about 3"):
        scene.hand_in(scene.approval(request, "dpo", part), part.encoded)


def test_nobody_approves_what_they_asked_for(scene: Guarded) -> None:
    scene.record()
    enrol(scene.world, "investigator", "dpo", scene.keys["dpo"])
    scene.keys["investigator"] = scene.keys["dpo"]
    request = scene.requested()
    with pytest.raises(Refused, match="asked for themselves"):
        scene.approve(request, "dpo")
    scene.approve(request, "oversight")
    scene.approve(request, "control-room")
    scene.world.house.grant_releases()
    assert len(scene.world.records("release_granted")) == 1


def test_a_refusal_stands_and_is_shown_to_the_investigator(scene: Guarded) -> None:
    scene.record()
    request = scene.requested()
    scene.refuse(request, "oversight")
    with pytest.raises(Problem, match="answered this request before"):
        scene.approve(request, "oversight")
    (case,) = scene.ask("cases", "investigator")["cases"]
    (shown,) = case["requests"]
    assert shown["refused_by"] == [{"custodian": "oversight", "reason": "Too much for this reason."}]
    assert shown["granted"] is None


def test_a_request_under_an_earlier_charter_is_asked_for_again(scene: Guarded) -> None:
    scene.record()
    request = scene.requested()
    scene.approve(request, "oversight")
    bundle = scene.bundle(request, "dpo")
    scene.world.publish(scene.world.edited(("review: {within: 2m}", "review: {within: 3m}")))
    with pytest.raises(Refused, match="earlier charter"):
        scene.hand_in(scene.approval(request, "dpo", bundle), bundle.encoded)
    scene.world.house.grant_releases()
    assert scene.world.records("release_granted") == []


# ---- who may read what -----------------------------------------------------------------------------------------------


def test_custodians_read_what_waits_for_them_and_nobody_else_does(scene: Guarded) -> None:
    scene.record()
    request = scene.requested()
    inbox = scene.ask("inbox", "dpo")
    assert inbox["custodian"] == "dpo"
    (waiting,) = inbox["requests"]
    assert (waiting["id"], waiting["cosigned"], waiting["segments"]) == (request, True, 3)
    headers = scene.ask("segments", "dpo", request)["segments"]
    assert len(headers) == 3
    for who in ("investigator", "shift-lead"):
        for what in ("inbox", "segments"):
            with pytest.raises(Refused, match="may not read"):
                scene.ask(what, who, request)
    stranger = SignerKey.generate("stranger.example", SeededEntropy("stranger"))
    for what in ("inbox", "cases", "release", "segments"):
        with pytest.raises(Refused, match="may not read"):
            scene.ask(what, "dpo", request, key=stranger)
    with pytest.raises(BadInput, match="Nobody asks"):
        scene.ask("everything", "dpo")


def test_a_release_is_handed_to_whoever_asked_and_to_nobody_else(scene: Guarded) -> None:
    kept = scene.record()
    request = scene.granted()
    scene.hand_in(scene.taking(request))
    other = SignerKey.generate("other.example", SeededEntropy("other"))
    enrol(scene.world, "investigator", "Otto Other", other)
    with pytest.raises(Refused, match="may not read"):
        scene.ask("release", "investigator", request, key=other)
    query = ask("segment", about=f"{request}/{kept[0]}", key=other, origin=scene.world.house.origin, now=scene.now)
    with pytest.raises(Refused, match="may not read"):
        scene.world.house.sealed_segment(query)
    scene.world.clock.advance(20 * SECOND)  # type: ignore[attr-defined]
    (later,) = scene.record(1)
    query = ask("segment", about=f"{request}/{later}", key=scene.keys["investigator"],
                origin=scene.world.house.origin, now=scene.now)  # fmt: skip
    with pytest.raises(Refused, match="may not read"):
        scene.world.house.sealed_segment(query)


# ---- keys of a month -------------------------------------------------------------------------------------------------


def test_a_key_is_published_by_its_custodian_for_this_month_once(tmp_path: Path) -> None:
    with guarded(tmp_path, keys=False) as scene:
        key = b64(scene.sealing["dpo"].public_key().public_bytes_raw())
        month = month_of(scene.now)
        for who, clear, kind, words in (
            ("control-room", {"custodian": "dpo", "period": month, "key": key}, DidNotVerify, "not that of"),
            ("dpo", {"custodian": "dpo", "period": "2026-10", "key": key}, Refused, "not published now"),
            ("dpo", {"custodian": "dpo", "period": "2027-03", "key": key}, Refused, "not published now"),
        ):
            with pytest.raises(kind, match=words):
                scene.hand_in(scene.sign("sealing_key_published", who, {}, clear=clear))
        scene.publish_keys(["dpo"])
        with pytest.raises(Problem, match="already"):
            scene.publish_keys(["dpo"])
        described = scene.world.house.describe()["guard"]
        assert [each["custodian"] for each in described["sealing_keys"]] == ["dpo"]


@pytest.mark.parametrize("whose", ["another's", "zeros", "low order", "last month's"])
def test_one_custodian_cannot_publish_a_key_with_which_nothing_could_be_sealed_to_anybody(
    scene: Guarded, whose: str
) -> None:
    scene.world._beside("DELETE FROM sealing_key WHERE custodian = 'dpo'")
    keys = {
        "another's": scene.sealing["oversight"].public_key().public_bytes_raw(),
        "zeros": bytes(32),
        "low order": b"\1" + bytes(31),
        "last month's": scene.sealing["dpo"].public_key().public_bytes_raw(),
    }
    if whose == "last month's":
        scene.publish_keys(["dpo"])
        scene.world.clock.advance(10 * DAY)  # type: ignore[attr-defined]
    clear = {"custodian": "dpo", "period": month_of(scene.now), "key": b64(keys[whose])}
    with pytest.raises(BadInput if whose in {"zeros", "low order"} else Refused):
        scene.hand_in(scene.sign("sealing_key_published", "dpo", {}, clear=clear))
    assert not [row for row in _keys(scene) if (row["custodian"], row["period"]) == ("dpo", month_of(scene.now))]


def test_a_months_key_dies_only_when_nothing_needs_it(scene: Guarded) -> None:
    scene.record()
    clear = {"custodian": "dpo", "period": month_of(scene.now)}
    ref = [bytes(row["leaf_hash"]) for row in _keys(scene) if row["custodian"] == "dpo"]

    def destroy() -> None:
        scene.hand_in(scene.sign("period_destroyed", "dpo", {}, clear=clear, refs=ref))

    with pytest.raises(Refused, match="is not over"):
        destroy()
    hold = scene.order_hold()
    scene.world.clock.advance(10 * DAY)  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="has not sealed their shares anew"):
        destroy()
    _keep_hold(scene, hold, "dpo")
    destroy()
    with pytest.raises(Problem, match="before"):
        destroy()


def test_a_months_key_does_not_die_while_originals_are_within_their_retention(scene: Guarded) -> None:
    scene.world.clock.advance(6 * DAY + 20 * HOUR)  # type: ignore[attr-defined]
    scene.record()
    period = month_of(scene.now)
    ref = [bytes(row["leaf_hash"]) for row in _keys(scene) if row["custodian"] == "dpo"]
    scene.world.clock.advance(DAY)  # type: ignore[attr-defined]
    assert month_of(scene.now) > period
    clear = {"custodian": "dpo", "period": period}
    with pytest.raises(Refused, match="are kept until"):
        scene.hand_in(scene.sign("period_destroyed", "dpo", {}, clear=clear, refs=ref))


def _keys(scene: Guarded) -> Any:
    return scene.world.house.store.read().all("SELECT * FROM sealing_key")


def _keep_hold(scene: Guarded, hold: str, who: str) -> X25519PrivateKey:
    """A custodian seals their shares of what is held to a key of the hold."""
    (waiting,) = scene.ask("inbox", who)["holds"]
    assert waiting["id"] == hold
    leaf = next(record.hash for record in scene.world.records("hold_ordered"))
    private = X25519PrivateKey.from_private_bytes(scene.entropy.bytes(32))
    reader = scene.world.house.store.read()
    headers = [read_header(bytes(row["header"])) for row in reader.all("SELECT header FROM segment")]
    shares = [unwrap_shares(header, who, scene.sealing[who]) for header in headers]
    bundle = reseal(scene.hold_terms(leaf, who, private.public_key()), shares)
    values = {
        "hold": hold,
        "custodian": who,
        "recipient": b64(private.public_key().public_bytes_raw()),
        "bundle_sha256": b64(bundle.sha256),
    }
    scene.hand_in(scene.sign("hold_kept", who, values, refs=[leaf]), bundle.encoded)
    return private


# ---- retention ---------------------------------------------------------------------------------------------------


def test_retention_destroys_keys_first_then_chunks_but_not_what_is_held(scene: Guarded) -> None:
    scene.record()
    charter = scene.world.standing().charter
    assert charter is not None
    sealed = scene.world.layout.sealed
    assert len(list(sealed.iterdir())) == 3
    scene.order_hold(from_ms=scene.now - 9 * SECOND)
    scene.world.clock.advance(3 * DAY + HOUR)  # type: ignore[attr-defined]
    assert apply_retention(scene.world.house.acting, charter)["segments"] == 2
    reader = scene.world.house.store.read()
    left = reader.all("SELECT * FROM segment WHERE header IS NOT NULL")
    assert [path.stem for path in sealed.iterdir()] == [row["path"] for row in left]
    assert len(left) == 1
    (record,) = scene.world.records("retention_applied")
    assert record.leaf.clear == {"what": "segments"}
    assert record.fields["count"] == 2
    request = scene.requested(from_ms=left[0]["from_ms"], to_ms=left[0]["to_ms"])
    assert scene.ask("segments", "dpo", request)["segments"][0]["id"] == left[0]["id"]


def test_a_hold_is_lifted_by_whoever_ordered_it(scene: Guarded) -> None:
    scene.record()
    hold = scene.order_hold()
    leaf = scene.world.records("hold_ordered")[0].hash
    values = {"hold": hold, "reason": "The complaint was withdrawn."}

    def lift(role: str) -> None:
        key = scene.world.keys[role]
        scene.hand_in(scene.sign("hold_lifted", role, values, role=role, key=key, refs=[leaf]))

    with pytest.raises(Refused, match="ordered by oversight"):
        lift("authority")
    lift("oversight")
    charter = scene.world.standing().charter
    assert charter is not None
    scene.world.clock.advance(4 * DAY)  # type: ignore[attr-defined]
    assert apply_retention(scene.world.house.acting, charter)["segments"] == 3


# ---- an emergency ------------------------------------------------------------------------------------------------


def _glass(scene: Guarded, **more: Any) -> Any:
    values = {
        "request": scene.number(),
        "source": "street",
        "from_ms": scene.now - 60 * SECOND,
        "to_ms": scene.now,
        "reason": "A child is missing.",
        "follow_up_by_ms": scene.now + 24 * HOUR,
    }
    who = more.pop("who", "shift-lead")
    return scene.sign("glass_broken", who, {**values, **more}, purpose=scene.purpose)


def test_the_emergency_rule_opens_at_once_little_and_is_followed_up(scene: Guarded) -> None:
    kept = scene.record()
    statement = _glass(scene)
    leaf = scene.hand_in(statement)
    request = str(statement.values["request"])
    answer = scene.ask("release", "shift-lead", request)
    assert [each["id"] for each in answer["segments"]] == kept
    query = ask("segment", about=f"{request}/{kept[0]}", key=scene.keys["shift-lead"],
                origin=scene.world.house.origin, now=scene.now)  # fmt: skip
    data = scene.world.house.sealed_segment(query)
    assert open_sealed(data, unwrap_glass(read_header(data), scene.glass)).startswith(b"a picture")
    said = {"request": request, "report": "She was found at the steps.", "case": None}
    scene.hand_in(scene.sign("glass_followed_up", "shift-lead", said, purpose=scene.purpose, refs=[leaf]))
    scene.world.clock.advance(2 * HOUR)  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="no longer handed out"):
        scene.ask("release", "shift-lead", request)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"from_ms": -11 * 60 * SECOND}, "longer|at most|10"),
        ({"from_ms": -4 * HOUR, "to_ms": -4 * HOUR + 60 * SECOND}, "older|2 h"),
        ({"follow_up_by_ms": 48 * HOUR}, "explains it within"),
        ({"who": "investigator"}, "investigator"),
    ],
    ids=["too wide", "too old", "a late follow-up", "another role"],
)
def test_the_emergency_rule_is_narrow(scene: Guarded, more: dict[str, Any], words: str) -> None:
    scene.record()
    times = {name: value + scene.now if name.endswith("_ms") else value for name, value in more.items()}
    with pytest.raises(Refused, match=words):
        scene.hand_in(_glass(scene, **times))
    assert scene.world.records("glass_broken") == []
    assert len(scene.world.records("release_denied")) == 1


# ---- keeping segments ------------------------------------------------------------------------------------------------


def test_a_segment_of_another_charter_or_source_is_not_kept(scene: Guarded) -> None:
    permit = scene.world.permit(SealSegment("street", "on-the-lawn"))
    acting, end = scene.world.house.acting, scene.now
    for more, kind in (
        ({"charter": bytes(32)}, DidNotVerify),
        ({"origin": "other.example"}, DidNotVerify),
        ({"purpose": "other"}, DidNotVerify),
        ({"source": "attic"}, Refused),
    ):
        with pytest.raises(kind):
            seal_segment(acting, permit, scene.sealed(scene.context(end - SECOND, end, **more)))
    assert scene.world.records("segment_sealed") == []
    assert not list(scene.world.layout.sealed.iterdir())


def test_a_segment_that_did_not_arrive_as_it_was_sealed_is_not_kept(scene: Guarded) -> None:
    permit = scene.world.permit(SealSegment("street", "on-the-lawn"))
    sealed = scene.sealed(scene.context(scene.now - SECOND, scene.now))
    flipped = sealed.data[:-1] + bytes([sealed.data[-1] ^ 1])
    cut = sealed.data[:-20]
    torn = SealedSegment(cut, sha256(cut), None)
    for wrong in (replace(sealed, data=flipped), replace(sealed, data=cut), torn, replace(sealed, sha256=bytes(32))):
        with pytest.raises(DidNotVerify):
            seal_segment(scene.world.house.acting, permit, wrong)
    assert not list(scene.world.layout.sealed.iterdir())
    assert scene.world.records("segment_sealed") == []


def test_what_cannot_be_recorded_is_not_kept(scene: Guarded) -> None:
    permit = scene.world.permit(SealSegment("street", "on-the-lawn"))
    scene.world.break_the_log("segment_sealed")
    sealed = scene.sealed(scene.context(scene.now - SECOND, scene.now))
    with pytest.raises(WatchglassError):
        seal_segment(scene.world.house.acting, permit, sealed)
    assert not list(scene.world.layout.sealed.iterdir())
    scene.world.mend_the_log()
    seal_segment(scene.world.house.acting, permit, sealed)
    with pytest.raises(Problem, match="kept already"):
        seal_segment(scene.world.house.acting, permit, sealed)
    assert len(list(scene.world.layout.sealed.iterdir())) == 1


def test_no_plaintext_and_no_key_is_anywhere_on_the_disk(scene: Guarded) -> None:
    scene.record()
    scene.world.settle()
    for path in scene.world.layout.root.rglob("*"):
        if path.is_file():
            assert b"a picture of somebody" not in path.read_bytes()
