from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from leaves import KEY, LOG, NOON, PRIVATE, example, is_signed, recorder

from watchglass.core import canonical
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.core.time import HOUR
from watchglass.edge.entropy import SeededEntropy
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.ledger.note import sign_text
from watchglass.records.leaf import Leaf, Signature
from watchglass.records.opening import unseal
from watchglass.records.statement import SignedStatement, check_hour, message, sign, verify, verify_leaf
from watchglass.records.vocabulary import ACTS

KEYS = {"oversight": [KEY.verifier]}


def signed(act: str = "suspension_ordered", **changes: Any) -> SignedStatement:
    arguments: dict[str, Any] = {
        "key": KEY,
        "origin": LOG,
        "now": NOON,
        "entropy": SeededEntropy("signer"),
        **example(ACTS[act]),
        **changes,
    }
    return sign(act, **arguments)


@pytest.mark.parametrize("act", [name for name, spec in ACTS.items() if is_signed(spec)])
def test_from_one_machine_to_the_other(act: str) -> None:
    role = min(ACTS[act].roles)
    statement, keys = signed(act, role=role), {role: [KEY.verifier]}
    carried = SignedStatement.parse(statement.encode())
    assert carried == statement
    values = verify(carried, origin=LOG, keys=keys)
    assert values == {**example(ACTS[act])["committed"], "minute": "2026-11-23T12:00Z"}
    made = recorder().signed(carried)
    leaf = Leaf.parse(made.data)
    assert verify_leaf(leaf, origin=LOG, keys=keys) == KEY.verifier
    assert made.sealed is not None
    assert made.key is not None
    assert unseal(leaf, made.sealed, made.key, PRIVATE, origin=LOG) == values


def test_the_message_is_as_written_and_is_no_note() -> None:
    statement = signed()
    body = {
        name: value
        for name, value in json.loads(recorder().signed(statement).data).items()
        if name not in ("opening", "sig")
    }
    said = message(LOG, statement.leaf)
    assert said == b"watchglass/signed-act/v1\n" + LOG.encode() + b"\n" + canonical.encode(body)
    KEY.verifier.verify(said, statement.signature.sig)
    with pytest.raises(BadInput, match="ends with a newline"):
        sign_text(said.decode(), KEY)


def rewritten(**changes: Any) -> SignedStatement:
    value = json.loads(signed().encode())
    for path, new in changes.items():
        *way, last = path.split("__")
        inner = value
        for step in way:
            inner = inner[step]
        inner[last] = new
    return SignedStatement.parse(canonical.encode(value))


@pytest.mark.parametrize(
    ("changes", "message_part"),
    [
        ({"leaf__clear__analytic": "other"}, "does not belong"),
        ({"leaf__hour": "2026-11-23T13Z"}, "does not belong"),
        ({"leaf__charter": b64(b"x" * 32)}, "does not belong"),
        ({"leaf__commitments__reason": b64(bytes(32))}, "does not belong"),
        ({"opening__fields__reason__value": "another"}, "'reason'"),
        ({"opening__fields__reason__salt": b64(bytes(16))}, "'reason'"),
        ({"sig__sig": b64(bytes(64))}, "does not belong"),
        ({"origin": "other.example.org"}, "signed for the log"),
    ],
)
def test_whatever_is_changed_does_not_verify(changes: dict[str, Any], message_part: str) -> None:
    with pytest.raises(DidNotVerify, match=message_part):
        verify(rewritten(**changes), origin=LOG, keys=KEYS)


def test_a_signature_for_one_log_is_none_for_another() -> None:
    elsewhere = signed(origin="other.example.org")
    moved = dataclasses.replace(elsewhere, origin=LOG)
    with pytest.raises(DidNotVerify, match="does not belong"):
        verify(moved, origin=LOG, keys=KEYS)
    with pytest.raises(BadInput, match="for the log"):
        recorder().signed(elsewhere)


def test_the_right_key_for_the_role() -> None:
    stranger = SignerKey.generate("stranger.example.org", SeededEntropy("stranger"))
    with pytest.raises(DidNotVerify, match="may not speak as oversight"):
        verify(signed(key=stranger), origin=LOG, keys=KEYS)
    with pytest.raises(DidNotVerify, match="may not speak as authority"):
        verify(signed("charter_approved", role="authority"), origin=LOG, keys=KEYS)
    with pytest.raises(DidNotVerify, match="may not speak"):
        verify(signed(), origin=LOG, keys={})


def test_an_attested_leaf_is_never_a_signed_one() -> None:
    leaf = Leaf.parse(recorder().attested("alert_raised", **example(ACTS["alert_raised"])).data)
    with pytest.raises(DidNotVerify, match="the server alone states it"):
        verify_leaf(leaf, origin=LOG, keys={"house": [KEY.verifier]})


def test_the_hour_is_near() -> None:
    statement = signed()
    for now in (NOON, NOON + 2 * HOUR - 1, NOON - HOUR):
        check_hour(statement, now=now)
    for now in (NOON + 2 * HOUR, NOON - HOUR - 1):
        with pytest.raises(DidNotVerify, match="signed in the hour"):
            check_hour(statement, now=now)


def test_what_people_do_not_sign() -> None:
    with pytest.raises(BadInput, match="not an act that people sign"):
        signed("alert_raised")
    witness = SignerKey.generate("w", SeededEntropy("w"), KeyType.COSIGNATURE_V1)
    with pytest.raises(BadInput, match="witness"):
        signed(key=witness)
    with pytest.raises(BadInput, match="'reason' is missing"):
        signed(committed={})


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"x" * 300_000, signed().encode() + b"\n", json.dumps(json.loads(signed().encode())).encode()],
)
def test_what_is_no_statement(data: bytes) -> None:
    with pytest.raises(BadInput):
        SignedStatement.parse(data)


@pytest.mark.parametrize("part", ["leaf", "sig", "opening", "watchglass_statement", "origin"])
def test_every_part_is_needed(part: str) -> None:
    value = json.loads(signed().encode())
    del value[part]
    with pytest.raises(BadInput):
        SignedStatement.parse(canonical.encode(value))
    value[part] = 7
    with pytest.raises(BadInput):
        SignedStatement.parse(canonical.encode(value))


def test_a_signature_names_the_actor() -> None:
    other = SignerKey.generate("other.example.org", SeededEntropy("x"))
    with pytest.raises(BadInput, match="the key of the actor"):
        dataclasses.replace(signed().leaf, signature=Signature(str(other.verifier), bytes(64)))
