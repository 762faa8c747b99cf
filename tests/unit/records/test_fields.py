from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.core.digest import b64
from watchglass.core.errors import BadInput
from watchglass.records.fields import (
    DATE,
    HASH,
    HOUR,
    IDENTIFIER,
    LINE,
    MINUTE,
    MONTH,
    NAME,
    PSEUDONYM,
    SIGNATURE,
    SIGNER,
    VKEY,
    Choice,
    FieldType,
    ListOf,
    MapOf,
    Members,
    OrNull,
    Pattern,
    Text,
    Whole,
    check_members,
)

GOOD: list[tuple[FieldType, list[Any]]] = [
    (Text(3), ["a", "äöü"]),
    (Text(3, may_be_empty=True), ["", "abc"]),
    (Choice(("a", "b")), ["a", "b"]),
    (Whole(-1, 5), [-1, 0, 5]),
    (ListOf(Whole(0, 9), 2), [[], [1], [3, 1]]),
    (ListOf(NAME, 3, as_set=True), [[], ["a", "b"]]),
    (MapOf(Whole(0, 9), 1), [{}, {"a": 1}]),
    (Members({"a": Whole(0, 9), "b": Text(2)}), [{"a": 1, "b": "x"}, {"b": "x", "a": 1}]),
    (OrNull(Whole(0, 9)), [None, 3]),
    (NAME, ["a", "steps-cam", "v0.1.0", "A_b"]),
    (HASH, [b64(bytes(32)), b64(b"\xff" * 32)]),
    (IDENTIFIER, ["0123456789abcdef"]),
    (LINE, ["City archive, archive@city.example", "Straße 1", "x" * 300]),
    (MINUTE, ["2026-11-23T14:05Z", "2024-02-29T00:00Z"]),
    (HOUR, ["2026-11-23T14Z"]),
    (MONTH, ["2026-11"]),
    (DATE, ["2026-11-23"]),
    (PSEUDONYM, ["house", "p-abcdefgh2345"]),
    (SIGNER, ["example.org/key+01234567"]),
]
BAD: list[tuple[FieldType, list[Any]]] = [
    (Text(3), ["", "abcd", None, 1, b"a", ["a"]]),
    (Choice(("a", "b")), ["c", "", None, 0, ["a"]]),
    (Whole(-1, 5), [-2, 6, True, "1", 1.0, None]),
    (ListOf(Whole(0, 9), 2), [[1, 2, 3], (1,), None, ["1"], {}]),
    (ListOf(NAME, 3, as_set=True), [["b", "a"], ["a", "a"]]),
    (MapOf(Whole(0, 9), 1), [{"a": 1, "b": 2}, {"a": "1"}, {"a b": 1}, []]),
    (Members({"a": Whole(0, 9)}), [{}, {"a": 1, "b": 2}, {"a": None}, None]),
    (OrNull(Whole(0, 9)), [10, "x"]),
    (NAME, ["", "-a", "a b", "ä", "a" * 65, "a\n", None]),
    (HASH, [b64(bytes(31)), b64(bytes(33)), b64(bytes(32))[:-2] + "B=", "", None, b"a"]),
    (IDENTIFIER, ["0123456789ABCDEF", "0123", None, "0123456789abcdef\n"]),
    (LINE, ["", "two\nlines", "\x1b[2J", "\u202eturned", "x" * 301, None]),
    (MINUTE, ["2026-11-23T14:5Z", "2026-02-30T00:00Z", "2026-11-23T24:00Z", "2026-11-23T14:05", " 2026-11-23T14:05Z"]),
    (HOUR, ["2026-11-23T14:05Z", "2026-13-01T00Z", "2026-11-23T7Z"]),
    (DATE, ["2026-02-30", "2026-1-1", "2026-11"]),
    (MONTH, ["2026-00", "2026-1", "26-11"]),
    (PSEUDONYM, ["Anna", "p-abc", "p-ABCDEFGH2345", "home", "", None]),
    (SIGNER, ["no-id", "a b+01234567", "a+0123456X"]),
    (VKEY, ["", "a+01234567", None]),
    (SIGNATURE, [b64(bytes(63)), b64(bytes(65)), None]),
]


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in GOOD for value in values])
def test_takes(kind: FieldType, value: Any) -> None:
    kind.check(value, "field")


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in BAD for value in values])
def test_refuses_and_names_the_field(kind: FieldType, value: Any) -> None:
    with pytest.raises(BadInput, match="'field") as caught:
        kind.check(value, "field")
    assert str(caught.value.details["field"]).startswith("field")


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64))
def test_every_hash_and_signature_is_one(digest: bytes, signature: bytes) -> None:
    HASH.check(b64(digest), "field")
    SIGNATURE.check(b64(signature), "field")


def test_every_type_says_what_it_is() -> None:
    for kind, _ in GOOD + BAD:
        assert re.search(r"[a-z]{3}", kind.words())


def test_missing_and_unknown_fields_are_named() -> None:
    types = {"a": Whole(0, 9), "b": Pattern(re.compile("x"), "an x")}
    check_members({"a": 1, "b": "x"}, types, "this")
    with pytest.raises(BadInput, match="'b' is missing from this"):
        check_members({"a": 1}, types, "this")
    with pytest.raises(BadInput, match="this has no field 'c'"):
        check_members({"a": 1, "b": "x", "c": 1}, types, "this")
