from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from watchglass.core import canonical
from watchglass.core.errors import BadInput

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=25,
)


@given(values)
def test_agrees_with_another_implementation(value: Any) -> None:
    assert canonical.encode(value) == rfc8785.dumps(value)


@given(values)
def test_decodes_what_it_encodes(value: Any) -> None:
    assert canonical.decode(canonical.encode(value)) == value


@given(values)
def test_refuses_every_other_form(value: Any) -> None:
    exact = canonical.encode(value)
    for other in (json.dumps(value, indent=1).encode(), json.dumps(value).encode(), exact + b"\n", b" " + exact):
        if other != exact:
            with pytest.raises(BadInput, match="canonical"):
                canonical.decode(other)


@given(st.recursive(values, lambda inner: st.tuples(inner, inner), max_leaves=5))
def test_tuples_are_lists(value: Any) -> None:
    assert json.loads(canonical.encode(value)) == json.loads(json.dumps(value))


def test_keys_go_by_utf16_not_by_code_point() -> None:
    value = {"\ufb33": 1, "\U0001f600": 2, "a": 3}
    assert list(json.loads(canonical.encode(value))) == ["a", "\U0001f600", "\ufb33"]
    nested = {"z": [{"\ufb33": 1, "\U0001f600": 2}], "a": None}
    assert canonical.encode(nested) == rfc8785.dumps(nested)


class Word(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        {"a": 0.5},
        [float("nan")],
        2**53,
        {"a": [-(2**53)]},
        {1: "a"},
        {"a": {None: 1}},
        {Word("a"): 1},
        Word("a"),
        {"a": Word("b")},
        b"bytes",
        {"a": {1, 2}},
        "\ud800",
        {"\udfff": 1},
        {"a": ["\ud800"]},
    ],
)
def test_refuses_what_has_no_canonical_form(value: Any) -> None:
    with pytest.raises(BadInput) as caught:
        canonical.encode(value)
    assert caught.value.fix


def test_the_field_is_named() -> None:
    with pytest.raises(BadInput, match="at share"):
        canonical.encode({"clear": {"share": 0.5}})


def test_depth_is_bounded() -> None:
    def nest(depth: int) -> Any:
        value: Any = "x"
        for _ in range(depth):
            value = [value]
        return value

    canonical.encode(nest(canonical.DEEPEST))
    for depth in (canonical.DEEPEST + 2, 10_000):
        with pytest.raises(BadInput, match="nested"):
            canonical.encode(nest(depth))
    with pytest.raises(BadInput):
        canonical.decode(b"[" * 100_000 + b"]" * 100_000)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b"nul", b'{"a":1,"a":1}', b'{"a":1.0}', b"1e2", b'"\\u0041"', b"-0"]
)
def test_refuses_bytes_that_are_not_canonical_json(data: bytes) -> None:
    with pytest.raises(BadInput):
        canonical.decode(data)


def test_without_the_c_encoder_the_bytes_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"b": [1, "ü", None, True], "a": {"\n": '"'}}
    monkeypatch.setattr(json.encoder, "c_make_encoder", None)
    write = canonical._make_writer(sort_keys=True)
    assert write(value).encode() == canonical.encode(value)
