from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from leaves import CHARTER, KEY, LOG, NOON, example, is_signed, recorder

from watchglass.core import canonical
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, CannotRecord
from watchglass.edge.clock import VirtualClock
from watchglass.edge.entropy import SeededEntropy
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.ledger.merkle import leaf_hash
from watchglass.records.act_spec import ActSpec, Need
from watchglass.records.leaf import LARGEST, Leaf
from watchglass.records.outbox import PreparedLeaf
from watchglass.records.recorder import Recorder
from watchglass.records.statement import sign
from watchglass.records.vocabulary import ACTS


def prepared(spec: ActSpec) -> PreparedLeaf:
    if is_signed(spec):
        statement = sign(spec.name, key=KEY, origin=LOG, now=NOON, entropy=SeededEntropy("s"), **example(spec))
        return recorder().signed(statement)
    return recorder().attested(spec.name, **example(spec))


@pytest.mark.parametrize("spec", ACTS.values(), ids=ACTS)
def test_what_the_recorder_writes_is_what_the_parser_reads(spec: ActSpec) -> None:
    made = prepared(spec)
    leaf = Leaf.parse(made.data)
    assert leaf.encode() == made.data == canonical.encode(json.loads(made.data))
    assert leaf.hash() == made.leaf_hash == leaf_hash(made.data)
    assert (leaf.act, leaf.spec.lane, leaf.hour) == (made.act, made.lane, made.hour)
    assert leaf.clear.get("analytic") == made.analytic
    assert (leaf.opening is None) == (made.sealed is None) == (made.key is None) == (not spec.committed)
    assert (leaf.signature is not None) == is_signed(spec)
    wanted = example(spec)
    assert dict(leaf.clear) == wanted["clear"]
    assert list(leaf.refs) == wanted["refs"]
    assert leaf.charter == wanted["charter"]


def change(data: bytes, **changes: Any) -> bytes:
    value = json.loads(data)
    for path, new in changes.items():
        *way, last = path.split("__")
        inner = value
        for step in way:
            inner = inner[step]
        if new is ...:
            del inner[last]
        else:
            inner[last] = new
    return canonical.encode(value)


ALERT = prepared(ACTS["alert_decided"]).data
ORDER = prepared(ACTS["suspension_ordered"]).data
OPENED = prepared(ACTS["log_opened"]).data
OTHER = SignerKey.generate("other.example.org", SeededEntropy("o"))
WITNESS = SignerKey.generate("w.example.org", SeededEntropy("w"), KeyType.COSIGNATURE_V1)

REFUSED: list[tuple[bytes, dict[str, Any], str]] = [
    (ALERT, {"extra": 1}, "has no field 'extra'"),
    (ALERT, {"origin": "x"}, "has no field 'origin'"),
    *((ALERT, {name: ...}, f"needs the field '{name}'") for name in ("act", "refs", "clear", "hour", "v", "purpose")),
    (ALERT, {"opening": ...}, "'opening'"),
    (ALERT, {"v": 2}, "'v'"),
    (ALERT, {"v": True}, "'v'"),
    (ALERT, {"act": "face_matched"}, "not an act"),
    (ALERT, {"basis": "signed"}, "'basis'"),
    (ALERT, {"charter": None}, "'charter'"),
    (ALERT, {"charter": "abc"}, "'charter'"),
    (ALERT, {"purpose": None}, "'purpose'"),
    (ALERT, {"purpose": "a b"}, "'purpose'"),
    (ALERT, {"role": "oversight"}, "'role'"),
    (ALERT, {"role": 3}, "'role'"),
    (ALERT, {"actor": "anna"}, "'actor'"),
    (ALERT, {"hour": "2026-11-23T12:30Z"}, "'hour'"),
    (ALERT, {"refs": []}, "'refs'"),
    (ALERT, {"refs": "x"}, "'refs'"),
    (ALERT, {"refs": [b64(bytes(32))] * 2}, "'refs'"),
    (ALERT, {"refs": [7]}, "'refs'"),
    (ALERT, {"refs": [b64(bytes(31))]}, "'refs'"),
    (ALERT, {"clear": []}, "JSON objects"),
    (ALERT, {"clear__verdict": "confirm"}, "no field 'verdict'"),
    (ALERT, {"commitments": {}}, "'commitments'"),
    (ALERT, {"commitments__verdict": ...}, "'commitments'"),
    (ALERT, {"commitments__place": b64(bytes(32))}, "'commitments'"),
    (ALERT, {"commitments__verdict": "confirm"}, r"'commitments\.verdict'"),
    (ALERT, {"opening": "x"}, "'opening'"),
    (ALERT, {"sig": {"key": str(KEY.verifier), "sig": b64(bytes(64))}}, "'sig'"),
    (OPENED, {"opening": b64(bytes(32))}, "'opening'"),
    (OPENED, {"charter": b64(bytes(32))}, "'charter'"),
    (OPENED, {"purpose": "x"}, "'purpose'"),
    (OPENED, {"clear__deployment": "secret"}, "'deployment'"),
    (ORDER, {"sig": ...}, "'sig'"),
    (ORDER, {"sig__sig": "x"}, r"'sig\.sig'"),
    (ORDER, {"sig__extra": "x"}, "'sig'"),
    (ORDER, {"sig__key": str(OTHER.verifier)}, r"'sig\.key'"),
    (ORDER, {"sig__key": str(WITNESS.verifier)}, "type 01"),
    (ORDER, {"sig__key": 4}, r"'sig\.key'"),
    (ORDER, {"actor": "p-abcdefgh2345"}, "'actor'"),
    (ORDER, {"clear__scope": "all"}, "names none"),
    (ORDER, {"clear__analytic": None}, "names it"),
]


@pytest.mark.parametrize(("data", "changes", "message"), REFUSED)
def test_refuses(data: bytes, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Leaf.parse(change(data, **changes))


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"null", b"{}", b"\xff", ALERT[:-1], ALERT + b"\n", json.dumps(json.loads(ALERT)).encode()]
)
def test_refuses_bytes_that_are_no_leaf(data: bytes) -> None:
    with pytest.raises(BadInput):
        Leaf.parse(data)


def test_size_is_bounded() -> None:
    arguments = example(ACTS["charter_published"])
    arguments["clear"]["text"] = "ü" * 33_000
    with pytest.raises(BadInput, match="65,535"):
        recorder().attested("charter_published", **arguments)
    with pytest.raises(BadInput, match="65,535"):
        Leaf.parse(b" " * (LARGEST + 1))


def test_leaves_cannot_be_changed() -> None:
    leaf = Leaf.parse(ALERT)
    with pytest.raises(dataclasses.FrozenInstanceError):
        leaf.role = "house"  # type: ignore[misc]
    with pytest.raises(TypeError):
        leaf.clear["a"] = 1  # type: ignore[index]
    with pytest.raises(BadInput, match="'opening'"):
        dataclasses.replace(leaf, opening=None).encode()


# ---- the recorder ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"role": "reviewer"}, "'role'"),
        ({"actor": "anna"}, "'actor'"),
        ({"charter": None}, "'charter'"),
        ({"charter": b"short"}, "'charter'"),
        ({"purpose": None}, "'purpose'"),
        ({"clear": {"analytic": "a"}}, "'kind' is missing"),
        ({"clear": {"analytic": "a", "kind": 3}}, "'kind'"),
        ({"clear": {"analytic": "a", "kind": "k", "zone": "z"}}, "no field 'zone'"),
        ({"committed": {}}, "is missing"),
        ({"refs": [bytes(32)]}, "'refs'"),
    ],
)
def test_the_recorder_refuses_what_the_parser_would(changes: dict[str, Any], message: str) -> None:
    arguments = {**example(ACTS["alert_raised"]), **changes}
    with pytest.raises(BadInput, match=message):
        recorder().attested("alert_raised", **arguments)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("score", 0.5),
        ("score", True),
        ("score", 1001),
        ("zone", ""),
        ("why", None),
        ("alert", "ABC"),
        ("minute", "now"),
    ],
)
def test_committed_values_are_checked_before_they_are_hidden(field: str, value: Any) -> None:
    arguments = example(ACTS["alert_raised"])
    arguments["committed"][field] = value
    with pytest.raises(BadInput, match=f"'{field}'"):
        recorder().attested("alert_raised", **arguments)


def test_half_a_character_is_refused() -> None:
    for part in ("committed", "clear"):
        arguments = example(ACTS["alert_raised"])
        arguments[part] = {**arguments[part], ("why" if part == "committed" else "kind"): "\ud800"}
        with pytest.raises(BadInput, match=r"surrogate|'kind'"):
            recorder().attested("alert_raised", **arguments)


def test_the_server_cannot_attest_what_people_sign() -> None:
    with pytest.raises(BadInput, match="its actor signs it"):
        recorder().attested("suspension_ordered", **example(ACTS["suspension_ordered"]))


def test_without_oversights_key_nothing_is_hidden_and_nothing_happens() -> None:
    bare = Recorder(origin=LOG, clock=VirtualClock(NOON), entropy=SeededEntropy("x"))
    bare.attested("log_opened", **example(ACTS["log_opened"]))
    with pytest.raises(CannotRecord, match="no charter yet"):
        bare.attested("alert_raised", **example(ACTS["alert_raised"]))


def test_the_key_changes_with_the_hour_and_with_oversight() -> None:
    clock = VirtualClock(NOON)
    made = recorder()
    made._clock = clock
    alert = example(ACTS["alert_raised"])

    def key() -> Any:
        return made.attested("alert_raised", **alert).key

    first = key()
    clock.advance(3_599_999)
    assert key() == first
    clock.advance(1)
    second = key()
    assert second.key_id != first.key_id
    assert second.hour == "2026-11-23T13Z"
    made.seal_to(recorder()._oversight)  # type: ignore[arg-type]
    assert key().key_id != second.key_id


def test_equal_acts_have_unequal_leaves() -> None:
    made = recorder()
    for spec in ACTS.values():
        if spec.committed and not is_signed(spec):
            arguments = example(spec)
            assert made.attested(spec.name, **arguments).leaf_hash != made.attested(spec.name, **arguments).leaf_hash


def test_the_same_seed_makes_the_same_commitments() -> None:
    arguments = example(ACTS["alert_raised"])
    first, second = (recorder("one").attested("alert_raised", **arguments) for _ in range(2))
    assert Leaf.parse(first.data).commitments == Leaf.parse(second.data).commitments


def test_what_was_remembered_of_one_leaf_does_not_leak_into_another() -> None:
    made = recorder()
    arguments = example(ACTS["alert_raised"])
    for purpose, kind in (("a", "x"), ("a", "y"), ("b", "x"), ("a", "x")):
        leaf = Leaf.parse(
            made.attested(
                "alert_raised", **{**arguments, "purpose": purpose, "clear": {"analytic": "t", "kind": kind}}
            ).data
        )
        assert (leaf.purpose, leaf.clear["kind"]) == (purpose, kind)
    assert Need.ALWAYS is ACTS["alert_raised"].charter
    assert leaf.charter == CHARTER
