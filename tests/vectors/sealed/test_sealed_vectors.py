"""Runs the vectors beside it, with the product and with a reader of its own, and sees that ``make.py`` makes them."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

sys.path.insert(0, str(Path(__file__).parent))

import short_reader

from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.evidence.custody import Bundle, Kind, open_bundle
from watchglass.evidence.envelope import open_range, open_sealed
from watchglass.evidence.header import read_header
from watchglass.evidence.shares import recover, unwrap_glass, unwrap_shares

HERE = Path(__file__).parent
CASES = sorted(path.name for path in HERE.iterdir() if (path / "README.md").is_file())
PAIR = ("dpo", "oversight")


def keys(case: Path) -> dict[str, bytes]:
    return {name: bytes.fromhex(text) for name, text in json.loads((case / "keys.json").read_text()).items()}


def ours(case: Path) -> bytes:
    data = (case / "object").read_bytes()
    header = read_header(data)
    private = {name: X25519PrivateKey.from_private_bytes(raw) for name, raw in keys(case).items()}
    key = recover(header, [unwrap_shares(header, name, private[name]) for name in PAIR])
    plain = open_sealed(data, key)
    assert unwrap_glass(header, private["break-glass"]) == key
    assert open_range(data, key, 4090, 4100) == plain[4090:4101]
    expected = json.loads((case / "expect.json").read_text())
    assert key.hex() == expected["key"]
    assert header.sha256.hex() == expected["header_sha256"]
    assert header.context.sha256.hex() == expected["context_sha256"]
    for name in header.wrapped:
        for subset, share in unwrap_shares(header, name, private[name]).by_subset.items():
            assert share.hex() == expected["shares"][",".join(subset)][name]
    return plain


def theirs(case: Path) -> bytes:
    data = (case / "object").read_bytes()
    header, _, _ = short_reader.split_object(data)
    first, second = (short_reader.unwrap(header, name, keys(case)[name])[PAIR] for name in PAIR)
    return short_reader.open_with(data, bytes(a ^ b for a, b in zip(first, second, strict=True)))


@pytest.mark.parametrize("name", [name for name in CASES if not name.endswith("_fail")])
def test_a_good_vector_opens_with_both_readers(name: str) -> None:
    plaintext = (HERE / name / "plaintext").read_bytes()
    assert ours(HERE / name) == plaintext
    assert theirs(HERE / name) == plaintext


@pytest.mark.parametrize("name", [name for name in CASES if name.endswith("_fail")])
def test_a_bad_vector_opens_with_neither(name: str) -> None:
    with pytest.raises((BadInput, DidNotVerify)):
        ours(HERE / name)
    with pytest.raises((AssertionError, InvalidTag)):
        theirs(HERE / name)


def test_a_bundle_opens_with_both_readers() -> None:
    case = HERE / "bundle"
    data, header = (case / "bundle.json").read_bytes(), read_header((case / "object").read_bytes())
    recipient = bytes.fromhex((case / "recipient").read_text())
    bundle = Bundle.parse(data)
    private = X25519PrivateKey.from_private_bytes(recipient)
    terms = {"kind": Kind.RELEASE, "request": b"\x11" * 32, "charter": b"\x22" * 32}
    found = open_bundle(bundle, private, {header.segment: header}, **terms)[header.segment]  # type: ignore[arg-type]  # each of its own type
    assert found == unwrap_shares(header, "dpo", X25519PrivateKey.from_private_bytes(keys(case)["dpo"]))
    assert found.packed == short_reader.read_bundle(data, json.loads(header.encoded), recipient)


def test_the_vectors_are_what_make_py_makes(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_sealed_vectors", HERE / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(tmp_path)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    kept = {
        path.relative_to(HERE): path.read_bytes()
        for name in CASES
        for path in (HERE / name).rglob("*")
        if path.is_file()
    }
    assert made == kept
    assert len(CASES) >= 10
