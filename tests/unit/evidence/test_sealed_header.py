from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from three_custodians import context, sealed

from watchglass.core import canonical
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput
from watchglass.evidence.header import MAGIC, PREFIX, Context, Header, header_length, read_header

ONE = sealed(1)
VALUE: dict[str, Any] = json.loads(ONE.header.encoded)


def test_a_header_is_read_from_the_beginning_of_an_object() -> None:
    assert header_length(ONE.data[:PREFIX]) == len(ONE.header.encoded)
    assert read_header(ONE.data) == read_header(ONE.header.framed) == ONE.header
    assert Header.parse(ONE.header.encoded).sha256 == ONE.header.sha256
    assert Context.from_json(VALUE["context"]) == ONE.header.context


@pytest.mark.parametrize(
    "data",
    [
        b"",
        MAGIC,
        MAGIC + b"\0\0\0",
        b"WGSEAL2\n" + bytes(4),
        b"wgseal1\n" + bytes(4),
        MAGIC + b"\0\0\0\2{}",
        MAGIC + b"\0\0\0\2[]",
        MAGIC + b"\0\0\0\3{} ",
        MAGIC + b"\xff\xff\xff\xff{}",
        ONE.header.framed[:-1],
        ONE.header.framed[:PREFIX],
    ],
)
def test_what_is_no_sealed_segment_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        read_header(data)
    assert caught.value.fix
    assert caught.value.message.count("This is not") == 1


def put(*path: str | int, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(value: Any) -> None:
        for part in path[:-1]:
            value = value[part]
        value[path[-1]] = to

    return change


def drop(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(value: Any) -> None:
        for part in path[:-1]:
            value = value[part]
        del value[path[-1]]

    return change


def swap(name: str) -> Callable[[dict[str, Any]], None]:
    def change(value: Any) -> None:
        value[name][0], value[name][1] = value[name][1], value[name][0]

    return change


BAD = {
    "another version": put("v", to=2),
    "a version that is no number": put("v", to=True),
    "something more": put("more", to=1),
    "something less": drop("nonce"),
    "more in the context": put("context", "place", to="x"),
    "less in the context": drop("context", "charter"),
    "a float": put("length", to=1.5),
    "no plaintext": put("length", to=0),
    "too much plaintext": put("length", to=(1 << 30) + 1),
    "an odd chunk": put("chunk", to=5000),
    "a small chunk": put("chunk", to=2048),
    "a large chunk": put("chunk", to=1 << 23),
    "a short nonce": put("nonce", to=b64(b"123456")),
    "stray bits": put("nonce", to=VALUE["nonce"][:-3] + "B=="),
    "a short commitment": put("key_commitment", to=b64(b"1234")),
    "a source with a space": put("context", "source", to="a b"),
    "a segment that is no id": put("context", "segment", to="1"),
    "time that runs backwards": put("context", "to_ms", to=VALUE["context"]["from_ms"]),
    "kept for less than it lasts": put("context", "keep_until_ms", to=VALUE["context"]["from_ms"]),
    "another month": put("context", "period", to="2026-12"),
    "a time beyond the calendar": put("context", "keep_until_ms", to=253_402_300_800_000),
    "no custodians": put("custodians", to=[]),
    "custodians out of order": swap("custodians"),
    "a custodian twice": lambda value: value["custodians"].append(value["custodians"][-1]),
    "a custodian of no set": lambda value: value["custodians"].append({**value["custodians"][-1], "custodian": "z"}),
    "a key id that is none": put("custodians", 0, "sealing_key", to="x"),
    "a wrapped share too few": put("custodians", 0, "wrapped", to=b64(bytes(80))),
    "no sets": put("subsets", to=[]),
    "sets out of order": swap("subsets"),
    "a set out of order": put("subsets", 0, "custodians", to=["dpo", "control-room"]),
    "a hash too few": drop("subsets", 0, "share_sha256", 0),
    "a hash that is none": put("subsets", 0, "share_sha256", 0, to="x"),
    "no break-glass": drop("break_glass"),
    "a break-glass key that is too long": put("break_glass", "wrapped", to=b64(bytes(81))),
    "a break-glass key that is false": put("break_glass", to=False),
}


@pytest.mark.parametrize("name", BAD)
def test_a_header_is_parsed_strictly(name: str) -> None:
    value = json.loads(ONE.header.encoded)
    BAD[name](value)
    encoded = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(BadInput) as caught:
        Header.parse(encoded)
    assert caught.value.message.startswith("This is not the header of a sealed segment: "), caught.value.message
    assert caught.value.fix


def test_a_header_that_is_not_canonical_is_refused() -> None:
    for encoded in (
        json.dumps(VALUE).encode(),
        ONE.header.encoded + b"\n",
        ONE.header.encoded.replace(b'"chunk":4096', b'"chunk":4096,"chunk":4096'),
    ):
        with pytest.raises(BadInput, match="not the header"):
            Header.parse(encoded)


def test_the_bytes_of_a_header_are_those_of_its_values() -> None:
    assert canonical.encode(VALUE) == ONE.header.encoded


def test_no_part_of_the_context_can_change_without_its_hash() -> None:
    one = context()
    changed = {
        "origin": "other.example",
        "source": "other-cam",
        "segment": "f" * 16,
        "from_ms": one.from_ms + 1,
        "to_ms": one.to_ms - 1,
        "charter": b"d" * 32,
        "purpose": "crowd-safety",
        "retention": "other",
        "keep_until_ms": one.keep_until_ms + 1,
    }
    hashes = {dataclasses.replace(one, **{name: value}).sha256 for name, value in changed.items()}  # type: ignore[arg-type]  # each of its own type
    assert len(hashes | {one.sha256}) == len(changed) + 1
    for charter in (b"short", "text"):
        with pytest.raises(BadInput, match="charter"):
            dataclasses.replace(one, charter=charter)  # type: ignore[arg-type]  # on purpose
