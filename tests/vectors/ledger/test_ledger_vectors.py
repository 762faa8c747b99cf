"""Runs the vectors beside it, and sees that they are still the bytes that ``make.py`` makes."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.edge.tiles import TileDirectory
from watchglass.edge.trust import load_trust
from watchglass.ledger import checkpoint, fork, lodging, merkle, note, policy, receipt, witness
from watchglass.ledger.keys import VerifierKey
from watchglass.ledger.proof import Proof
from watchglass.ledger.verify import verify_log

HERE = Path(__file__).parent
CASES = sorted(path.name for path in HERE.iterdir() if (path / "README.md").is_file())


def keys(path: Path) -> list[VerifierKey]:
    return [VerifierKey.parse(line) for line in path.read_text().splitlines()]


def run_tree(case: Path) -> None:
    leaves = json.loads((case / "leaves.json").read_text())
    hashes = merkle.leaf_hashes(f"{leaves['prefix']}{i}{leaves['suffix']}".encode() for i in range(leaves["count"]))
    assert b64(merkle.root(hashes)) == (case / "root").read_text().strip()


def run_note(case: Path) -> None:
    note.open_note((case / "note").read_bytes(), keys(case / "keys"))


def run_trust(case: Path) -> None:
    policy.parse((case / "trust").read_bytes()).accept((case / "checkpoint").read_bytes())


def run_proof(case: Path) -> None:
    leaf = merkle.leaf_hash((case / "entry").read_bytes())
    Proof.parse((case / "proof").read_bytes()).check(leaf, policy.parse((case / "trust").read_bytes()))


def run_log(case: Path) -> None:
    trust = load_trust(case / "trust")
    expected = json.loads((case / "expect.json").read_text())
    try:
        verified = verify_log(TileDirectory(case / "log"), trust.policy, seen=trust.seen)
    except DidNotVerify as error:
        assert expected.items() <= dict(error.details).items()  # noqa: PT017  (the error goes on to the caller)
        raise
    assert (verified.checkpoint.size, b64(verified.checkpoint.root)) == (expected["size"], expected["root"])


def run_receipt(case: Path) -> None:
    one = receipt.parse((case / "receipt.json").read_bytes())
    leaf = merkle.leaf_hash((case / "entry").read_bytes())
    key = keys(case / "key")[0]
    receipt.check(one, leaf, key)
    if (case / "merged").is_file():
        merged = {unb64(line) for line in (case / "merged").read_text().splitlines()}
        receipt.check_merged(one, leaf, key, merged=merged, as_of_ms=int((case / "as_of").read_text()))


def run_witness(case: Path) -> None:
    known = case / "known"
    latest = checkpoint.Checkpoint.parse_text(known.read_text()) if known.is_file() else None
    status = int((case / "status").read_text())
    request = witness.Request.parse((case / "request").read_bytes())
    try:
        signed = witness.authenticate(request, witness.logs_by_origin(keys(case / "keys")))
        witness.advance(latest, request, signed.checkpoint)
    except witness.NotCosigned as error:
        assert error.status == status  # noqa: PT017  (the error goes on to the caller)
        raise
    assert status == 200


def run_lodged(case: Path) -> None:
    lodging.open_receipt((case / "note").read_bytes(), keys(case / "keys"), body=(case / "body").read_bytes())


def run_fork(case: Path) -> None:
    fork.Fork.parse((case / "fork").read_bytes()).check()


RUNNERS: dict[str, Callable[[Path], None]] = {
    "tree": run_tree,
    "note": run_note,
    "trust": run_trust,
    "proof": run_proof,
    "log": run_log,
    "receipt": run_receipt,
    "witness": run_witness,
    "lodged": run_lodged,
    "fork": run_fork,
}


@pytest.mark.parametrize("name", CASES)
def test_vector(name: str) -> None:
    run = RUNNERS[name.partition("-")[0]]
    if name.endswith("_fail"):
        with pytest.raises((DidNotVerify, BadInput, witness.NotCosigned)):
            run(HERE / name)
    else:
        run(HERE / name)


def test_the_vectors_are_those_that_make_writes(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_ledger_vectors", HERE / "make.py")
    assert spec
    assert spec.loader
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    make.write(tmp_path)
    written = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    kept = {
        path.relative_to(HERE): path.read_bytes()
        for case in CASES
        for path in (HERE / case).rglob("*")
        if path.is_file()
    }
    assert written == kept
