from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from a_release import (
    CASE_KEY,
    CUSTODIANS,
    DPO,
    ENROLLED,
    HEADERS,
    HOUR_MS,
    INVESTIGATOR,
    LOG,
    NOW,
    PURPOSE,
    STRANGER,
    TRUST,
    UNWATCHED,
    SmallLog,
    asked,
    read,
    requested,
    signed,
    the_charter,
)
from three_custodians import NOON, PRIVATE, sealed

from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, DidNotVerify, WatchglassError
from watchglass.evidence.custody import Bundle, reseal
from watchglass.evidence.release import Request, approval, check_approval, check_request, check_segment
from watchglass.evidence.shares import unwrap_shares
from watchglass.ledger import policy as policies
from watchglass.ledger.keys import SignerKey
from watchglass.records.leaf import Leaf
from watchglass.records.statement import SignedStatement, verify

LOG_OF_IT = SmallLog()
STATEMENT = requested()
LEAF = LOG_OF_IT.signed_act(STATEMENT)
REQUEST = read(STATEMENT, LEAF)
PROOF = LOG_OF_IT.proof(LEAF)


def check(request: Request = REQUEST, **changed: Any) -> Any:
    given: dict[str, Any] = {
        "proof": PROOF,
        "policy": TRUST,
        "custodians": CUSTODIANS,
        "charter": the_charter().sha256,
        "now": NOW,
        **changed,
    }
    return check_request(request, given.pop("proof"), given.pop("policy"), **given)


def refused(error: type[WatchglassError], said: str, request: Request = REQUEST, **changed: Any) -> WatchglassError:
    with pytest.raises(error, match=said) as caught:
        check(request, **changed)
    assert caught.value.fix
    return caught.value


def logged(statement: SignedStatement) -> tuple[Request, Any]:
    log = SmallLog()
    leaf = log.signed_act(statement)
    return read(statement, leaf, {"investigator": [statement.signature.key]}), log.proof(leaf)


def test_a_request_that_is_signed_recorded_witnessed_and_in_time_passes() -> None:
    accepted = check()
    assert [name for name, _ in accepted.witnesses] == ["w"]
    assert (REQUEST.source, REQUEST.purpose, REQUEST.case) == ("steps-cam", PURPOSE, "00000000000000cc")
    assert REQUEST.recipient == CASE_KEY.public_key().public_bytes_raw()
    assert REQUEST.by == INVESTIGATOR.verifier


def test_a_request_by_an_unknown_key_is_not_read() -> None:
    stranger = requested(STRANGER)
    log = SmallLog()
    with pytest.raises(DidNotVerify, match="may not speak as investigator"):
        read(stranger, log.signed_act(stranger))
    with pytest.raises(DidNotVerify, match="for the log"):
        read(dataclasses.replace(STATEMENT, origin="other.example"), LEAF)


def test_a_portal_that_swaps_the_case_key_is_refused() -> None:
    """It can change what it shows; it cannot change what was signed, nor sign another request."""
    mine = STATEMENT.opened["recipient"]
    swapped = dataclasses.replace(
        STATEMENT, opened={**STATEMENT.opened, "recipient": type(mine)(mine.salt, b64(b"x" * 32))}
    )
    with pytest.raises(DidNotVerify) as caught:
        read(swapped, LEAF)
    assert caught.value.details["field"] == "recipient"
    forged = requested(STRANGER, recipient=b64(b"x" * 32))
    with pytest.raises(DidNotVerify):
        read(forged, SmallLog().signed_act(forged))


def test_a_record_of_another_request_is_refused() -> None:
    other = SmallLog().signed_act(requested(reason="Something else."))
    with pytest.raises(DidNotVerify, match="The log holds another request"):
        read(STATEMENT, other)
    changed = Leaf.from_body({**STATEMENT.leaf.body(), "hour": "2026-11-23T14Z"})
    again = dataclasses.replace(changed, signature=STATEMENT.leaf.signature, opening=Leaf.parse(LEAF).opening)
    with pytest.raises(DidNotVerify, match="The log holds another request"):
        read(STATEMENT, again.encode())
    refuse = signed(
        "case_closed", INVESTIGATOR, "investigator", {"case": "0" * 16, "opened": b64(b"0" * 32), "result": "x"}
    )
    with pytest.raises(BadInput, match="not a request"):
        read(refuse, LEAF)


def test_another_charter_than_the_one_in_force_is_refused() -> None:
    refused(DidNotVerify, "another charter", charter=b"x" * 32)


def test_what_is_not_in_a_witnessed_log_is_refused() -> None:
    elsewhere = SmallLog()
    elsewhere.add(b"another entry")
    refused(DidNotVerify, "is not what the tree of 2", proof=elsewhere.proof(b"another entry"))
    refused(DidNotVerify, "Too few trusted witnesses", proof=LOG_OF_IT.proof(LEAF, witness=None))
    refused(DidNotVerify, "No witness", proof=LOG_OF_IT.proof(LEAF, witness=None), policy=UNWATCHED)
    other = SignerKey.from_seed("demo.other.example/log", b"z" * 32)
    refused(
        DidNotVerify, "None of the trusted keys", policy=policies.parse(f"log {other.verifier}\nquorum none\n".encode())
    )
    refused(DidNotVerify, "is of the log", dataclasses.replace(REQUEST, origin="demo.third.example"))


def test_a_log_that_shows_others_another_root_is_refused() -> None:
    fork = SmallLog()
    fork.entries[0] = b"something else before"
    fork.signed_act(STATEMENT)
    refused(DidNotVerify, "its past was rewritten", seen={LOG.name: fork.checkpoint()})


def test_a_request_that_is_over_is_refused_and_so_is_the_future() -> None:
    refused(BadInput, "ended at", now=REQUEST.until_ms)
    for times in ({"to_ms": NOW + 1}, {"from_ms": NOON + 25_000}, {"from_ms": NOON + 26_000}):
        request, proof = logged(requested(**times))
        refused(BadInput, "empty or has not been yet", request, proof=proof)


def test_a_clock_that_was_set_back_does_not_make_an_old_request_new() -> None:
    late = LOG_OF_IT.proof(LEAF, at_ms=REQUEST.until_ms + HOUR_MS)
    refused(DidNotVerify, "this machine says", proof=late)
    just = LOG_OF_IT.proof(LEAF, at_ms=REQUEST.until_ms)
    refused(BadInput, "ended at", proof=just, now=REQUEST.until_ms - 60_000)


def test_no_custodian_decides_on_their_own_request() -> None:
    request, proof = logged(requested(DPO))
    refused(BadInput, "A custodian made this request", request, proof=proof)
    renamed = SignerKey.from_seed("somebody.else", b"d" * 32)
    request, proof = logged(requested(renamed))
    refused(BadInput, "A custodian made this request", request, proof=proof)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"origin": "other.example"}, "it is of other.example"),
        ({"source": "other-cam"}, "recorded by other-cam"),
        ({"from_ms": NOON + 25_000, "to_ms": NOON + 35_000}, "not asked for"),
        ({"from_ms": NOON - 5_000, "to_ms": NOON + 5_000}, "not asked for"),
        ({"keep_until_ms": NOW}, "retention ended"),
    ],
)
def test_a_segment_outside_the_request_is_refused(changed: dict[str, Any], said: str) -> None:
    one = sealed(1).header
    check_segment(REQUEST, one, now=NOW)
    outside = dataclasses.replace(one, context=dataclasses.replace(one.context, **changed))
    with pytest.raises(BadInput, match=said) as caught:
        check_segment(REQUEST, outside, now=NOW)
    assert caught.value.details["segment"] == one.segment
    if "keep_until_ms" in changed:
        check_segment(REQUEST, outside, now=NOW, held=True)


def test_segments_that_the_scope_touches_are_within_it() -> None:
    for header in HEADERS.values():
        check_segment(REQUEST, header, now=NOW)


def approved(request: Request = REQUEST, name: str = "dpo") -> tuple[Bundle, dict[str, Any]]:
    shares = [unwrap_shares(header, name, PRIVATE[name]) for header in HEADERS.values()]
    bundle = reseal(request.terms(name), shares)
    return bundle, approval(request, bundle, check(request))


def test_an_approval_says_exactly_what_was_approved() -> None:
    bundle, committed = approved()
    statement = signed("release_approved", DPO, "custodian", committed, refs=(REQUEST.leaf_hash,))
    values = verify(statement, origin=LOG.name, keys={"custodian": CUSTODIANS})
    check_approval(REQUEST, bundle, statement.leaf, values)
    assert values["until_ms"] == REQUEST.until_ms
    assert values["seen"]["size"] == len(LOG_OF_IT.entries)


@pytest.mark.parametrize("name", ["scope_sha256", "recipient", "bundle_sha256", "custodian", "request"])
def test_an_approval_of_something_else_is_refused(name: str) -> None:
    bundle, committed = approved()
    other = {"custodian": "oversight", "request": "f" * 16}.get(name, b64(b"x" * 32))
    statement = signed("release_approved", DPO, "custodian", {**committed, name: other}, refs=(REQUEST.leaf_hash,))
    with pytest.raises(DidNotVerify, match=f"its {name} is another") as caught:
        check_approval(REQUEST, bundle, statement.leaf, statement.values)
    assert caught.value.details["custodian"] == "dpo"


def test_an_approval_under_another_charter_or_of_another_record_is_refused() -> None:
    bundle, committed = approved()
    for more, said in (
        ({"charter": b"x" * 32, "refs": (REQUEST.leaf_hash,)}, "its charter"),
        ({"refs": (b"x" * 32,)}, "its refs"),
        ({"refs": (REQUEST.leaf_hash,), "purpose": "crowd-safety"}, "its purpose"),
    ):
        statement = signed("release_approved", DPO, "custodian", committed, **more)
        with pytest.raises(DidNotVerify, match=said):
            check_approval(REQUEST, bundle, statement.leaf, statement.values)
    stolen = dataclasses.replace(bundle, terms=dataclasses.replace(bundle.terms, charter=b"x" * 32))
    statement = signed(
        "release_approved",
        DPO,
        "custodian",
        {**committed, "bundle_sha256": b64(stolen.sha256)},
        refs=(REQUEST.leaf_hash,),
    )
    with pytest.raises(DidNotVerify, match="another request"):
        check_approval(REQUEST, stolen, statement.leaf, statement.values)


def test_the_scope_is_bound_by_each_of_its_parts() -> None:
    changed: dict[str, Any] = {"source": "x", "purpose": "x", "case": "0" * 16, "from_ms": 0, "to_ms": 1}
    hashes = {dataclasses.replace(REQUEST, **{name: value}).scope_sha256 for name, value in changed.items()}
    assert len(hashes | {REQUEST.scope_sha256}) == len(changed) + 1
    assert ENROLLED
    assert asked()["source"] == REQUEST.source
