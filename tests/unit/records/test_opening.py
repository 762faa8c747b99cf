from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from leaves import LOG, PRIVATE, example, recorder

from watchglass.core import canonical
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.edge.entropy import SeededEntropy
from watchglass.records import commitment
from watchglass.records.leaf import Leaf
from watchglass.records.opening import HourlyKey, WrappedKey, key_id_of, parse_plaintext, unseal, unwrap
from watchglass.records.vocabulary import ACTS

RECORDER = recorder()
MADE = RECORDER.attested("alert_raised", **example(ACTS["alert_raised"]))
LEAF = Leaf.parse(MADE.data)
assert MADE.sealed is not None
assert MADE.key is not None
SEALED: bytes = MADE.sealed
KEY: WrappedKey = MADE.key


def test_oversight_reads_what_was_committed() -> None:
    wanted = {**example(ACTS["alert_raised"])["committed"], "minute": "2026-11-23T12:00Z"}
    assert unseal(LEAF, SEALED, KEY, PRIVATE, origin=LOG) == wanted
    assert key_id_of(SEALED) == KEY.key_id


def test_what_an_earlier_version_recorded_still_opens() -> None:
    """Alerts once had no probability: such leaves are read as they are, and nothing else may be missing."""
    body = LEAF.body()
    fewer = {name: value for name, value in body["commitments"].items() if name != "probability"}
    leaf = Leaf.from_body({**body, "commitments": fewer})
    value = plaintext()
    del value["fields"]["probability"]
    leaf, sealed = resealed(canonical.encode(value), leaf)
    opened = unseal(Leaf.parse(leaf.encode()), sealed, KEY, PRIVATE, origin=LOG)
    wanted = {**example(ACTS["alert_raised"])["committed"], "minute": "2026-11-23T12:00Z"}
    del wanted["probability"]
    assert opened == wanted
    with pytest.raises(BadInput, match="commitments"):
        Leaf.from_body({**body, "commitments": {n: v for n, v in fewer.items() if n != "score"}})


def wrong(field: str, **given: Any) -> None:
    arguments = {"leaf": LEAF, "sealed": SEALED, "key": KEY, "private": PRIVATE, "origin": LOG, **given}
    with pytest.raises(DidNotVerify) as caught:
        unseal(
            arguments.pop("leaf"), arguments.pop("sealed"), arguments.pop("key"), arguments.pop("private"), **arguments
        )
    assert caught.value.details.get("field", caught.value.details.get("key_id") and "key") == field, caught.value


def resealed(plaintext: bytes, leaf: Leaf = LEAF, origin: str = LOG) -> tuple[Leaf, bytes]:
    """The leaf with another opening sealed under the true key: what a lying server could make."""
    cipher = unwrap(KEY, PRIVATE, origin=LOG)
    shown = canonical.encode({name: b64(value) for name, value in leaf.commitments.items()})
    nonce = bytes(12)
    sealed = (
        KEY.key_id
        + nonce
        + cipher.encrypt(nonce, plaintext, b"watchglass/opening/v1\n" + origin.encode() + b"\n" + shown)
    )
    return dataclasses.replace(leaf, opening=sha256(sealed)), sealed


def plaintext() -> dict[str, Any]:
    cipher = unwrap(KEY, PRIVATE, origin=LOG)
    shown = canonical.encode(LEAF.body()["commitments"])
    data = cipher.decrypt(SEALED[16:28], SEALED[28:], b"watchglass/opening/v1\n" + LOG.encode() + b"\n" + shown)
    value: dict[str, Any] = json.loads(data)
    assert canonical.encode(value) == data
    return value


def test_any_flipped_byte_is_found() -> None:
    for at in range(0, len(SEALED), 7):
        changed = SEALED[:at] + bytes([SEALED[at] ^ 1]) + SEALED[at + 1 :]
        wrong("opening", sealed=changed)
        field = "key_id" if at < 16 else "sealed"
        wrong(field, leaf=dataclasses.replace(LEAF, opening=sha256(changed)), sealed=changed)


def test_another_log_key_or_leaf() -> None:
    wrong("key", origin="other.example.org")
    wrong("key", private=X25519PrivateKey.generate())
    wrong("key", key=dataclasses.replace(KEY, hour="2026-11-23T13Z"))
    wrong("key", key=dataclasses.replace(KEY, wrapped=KEY.wrapped[:-1]))
    wrong("key_id", key=dataclasses.replace(KEY, key_id=bytes(16)))
    other = Leaf.parse(RECORDER.attested("alert_raised", **example(ACTS["alert_raised"])).data)
    wrong("opening", leaf=other)
    wrong("sealed", leaf=dataclasses.replace(other, opening=LEAF.opening))
    bare = recorder().attested("log_opened", **example(ACTS["log_opened"]))
    wrong("opening", leaf=Leaf.parse(bare.data))


@pytest.mark.parametrize("field", list(LEAF.commitments))
def test_a_changed_value_is_named(field: str) -> None:
    value = plaintext()
    value["fields"][field]["value"] = "another"
    leaf, sealed = resealed(canonical.encode(value))
    wrong(field, leaf=leaf, sealed=sealed)
    value = plaintext()
    value["fields"][field]["salt"] = b64(bytes(16))
    leaf, sealed = resealed(canonical.encode(value))
    wrong(field, leaf=leaf, sealed=sealed)


def test_left_out_added_and_ill_typed_fields_are_named() -> None:
    value = plaintext()
    del value["fields"]["zone"]
    leaf, sealed = resealed(canonical.encode(value))
    wrong("zone", leaf=leaf, sealed=sealed)
    value = plaintext()
    value["fields"]["face"] = {"salt": b64(bytes(16)), "value": 1}
    leaf, sealed = resealed(canonical.encode(value))
    wrong("face", leaf=leaf, sealed=sealed)
    value = plaintext()
    salt = bytes(16)
    value["fields"]["score"] = {"salt": b64(salt), "value": "high"}
    lying = dataclasses.replace(
        LEAF, commitments={**LEAF.commitments, "score": commitment.commit(salt, "score", "high")}
    )
    leaf, sealed = resealed(canonical.encode(value), lying)
    wrong("score", leaf=leaf, sealed=sealed)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b'{"fields":[]}',
        b'{"fields":{"a":{"salt":"AA==","value":1}}}',
        b'{"fields":{"a":{"value":1}}}',
        b'{"fields": {}}',
    ],
)
def test_what_is_no_opening(data: bytes) -> None:
    with pytest.raises(BadInput):
        parse_plaintext(data)
    leaf, sealed = resealed(data)
    wrong("plaintext", leaf=leaf, sealed=sealed)


def test_too_short_to_be_sealed() -> None:
    with pytest.raises(BadInput, match="too short"):
        key_id_of(SEALED[:44])


def test_a_ciphertext_under_two_keys_cannot_show_two_values() -> None:
    """GCM does not commit to its key; the commitments do: a second plaintext fails on its first field."""
    key = HourlyKey.fresh(origin=LOG, hour=KEY.hour, oversight=PRIVATE.public_key(), entropy=SeededEntropy("second"))
    value = plaintext()
    value["fields"]["why"]["value"] = "another story"
    shown = canonical.encode(LEAF.body()["commitments"])
    aad = b"watchglass/opening/v1\n" + LOG.encode() + b"\n" + shown
    sealed = key.seal(canonical.encode(value), nonce=bytes(12), aad=aad)
    wrong("why", leaf=dataclasses.replace(LEAF, opening=sha256(sealed)), sealed=sealed, key=key.wrapped)


# ---- commitments -------------------------------------------------------------------------------------------------


def test_the_commitment_is_as_written() -> None:
    assert commitment.commit(bytes(range(16)), "verdict", "confirm") == sha256(
        b"watchglass/commitment/v1\x00" + bytes(range(16)) + b"\x07verdict" + b'"confirm"'
    )


def test_names_and_values_do_not_run_into_each_other() -> None:
    salt = bytes(16)
    assert commitment.commit(salt, "a", "b") != commitment.commit(salt, 'a"b', "")
    assert commitment.commit(salt, "score", 1) != commitment.commit(salt, "score", "1")
    assert commitment.commit(salt, "x", None) != commitment.commit(salt, "x", "null")


def test_a_wrong_value_raises_with_evidence() -> None:
    salt = bytes(16)
    made = commitment.commit(salt, "verdict", "confirm")
    commitment.check(made, salt, "verdict", "confirm")
    with pytest.raises(DidNotVerify, match="'verdict'") as caught:
        commitment.check(made, salt, "verdict", "reject")
    assert caught.value.details["expected"] == made.hex()


@pytest.mark.parametrize(
    ("salt", "name"), [(bytes(15), "a"), (bytes(17), "a"), (bytes(16), ""), (bytes(16), "a" * 256)]
)
def test_refuses_short_salts_and_impossible_names(salt: bytes, name: str) -> None:
    with pytest.raises(BadInput):
        commitment.commit(salt, name, 1)


def test_keys_do_not_show_themselves() -> None:
    key = HourlyKey(KEY, AESGCM(bytes(32)))
    assert "AESGCM" not in repr(key)
