"""The commands, as a person runs them: exit codes, words, and one JSON object."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ledger_world import LOG, World, entries, serve_directory

from watchglass.cli.main import main
from watchglass.edge.witness import WitnessClient
from watchglass.ledger import merkle, note, receipt
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import SignerKey, VerifierKey


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "ledger")
    world.grow(entries(300))
    world.trust(tmp_path / "trust")
    return world


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, object]]:
    code = main([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_verify_without_and_with_a_trust_file(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result = run(capsys, "ledger", "verify", world.tiles.path)
    assert (code, result["result"]) == (0, "self-consistent")
    assert "Without a trust file" in str(result["warning"])

    code, result = run(capsys, "ledger", "verify", world.tiles.path, "--trust", tmp_path / "trust")
    assert (code, result["result"], result["continues"], result["size"]) == (0, "verified", None, 300)
    assert (tmp_path / "trust.seen").is_file()

    world.grow(entries(5, 300))
    with serve_directory(world.tiles.path) as url:
        code, result = run(capsys, "ledger", "verify", url, "--trust", tmp_path / "trust")
    assert (code, result["continues"], result["size"]) == (0, 300, 305)

    assert main(["ledger", "verify", str(world.tiles.path), "--trust", str(tmp_path / "trust")]) == 0
    said = capsys.readouterr().out
    assert "305 entries" in said
    assert "Cosigned by w1" in said
    assert said.rstrip().endswith("Verified.")


def test_a_changed_byte_exits_4_and_names_the_entry(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = world.tiles.path / "tile/entries/000"
    file.write_bytes(file.read_bytes().replace(b'"n":77}', b'"n":78}'))
    code, result = run(capsys, "ledger", "verify", world.tiles.path, "--trust", tmp_path / "trust")
    assert (code, result["entry"], result["path"]) == (4, 77, "tile/entries/000")
    assert not (tmp_path / "trust.seen").exists(), "what did not verify is not remembered"
    assert main(["ledger", "verify", str(world.tiles.path)]) == 4
    assert "What to do" in capsys.readouterr().err


def test_a_rewritten_log_exits_4_only_because_it_was_seen(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "ledger", "verify", world.tiles.path, "--trust", tmp_path / "trust")[0] == 0
    rewritten = World(tmp_path / "rewritten")
    rewritten.grow([*entries(9), b"{}", *entries(400, 10)])
    assert run(capsys, "ledger", "verify", rewritten.tiles.path)[0] == 0
    code, result = run(capsys, "ledger", "verify", rewritten.tiles.path, "--trust", tmp_path / "trust")
    assert code == 4
    assert "rewritten" in str(result["message"])


def test_a_proof_is_made_and_checked_offline(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = tmp_path / "p.tlog-proof"
    assert run(capsys, "ledger", "prove", world.tiles.path, "--index", 42, "-o", proof)[0] == 0
    code, result = run(capsys, "ledger", "check-proof", proof, "--trust", tmp_path / "trust")
    assert (code, result["index"], result["entry"]) == (0, 42, {"act": "test", "n": 42})

    other = tmp_path / "entry"
    other.write_bytes(entries(1, 42)[0])
    assert run(capsys, "ledger", "check-proof", proof, "--trust", tmp_path / "trust", "--entry", other)[0] == 0
    other.write_bytes(entries(1, 43)[0])
    assert run(capsys, "ledger", "check-proof", proof, "--trust", tmp_path / "trust", "--entry", other)[0] == 4

    assert main(["ledger", "prove", str(world.tiles.path), "--index", "42"]) == 0
    assert capsys.readouterr().out.encode() == proof.read_bytes()
    assert main(["ledger", "check-proof", str(proof), "--trust", str(tmp_path / "trust")]) == 0
    assert "Entry 42 is in log.example" in capsys.readouterr().out


def test_a_receipt_is_checked_against_the_log(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The log's checkpoint of 300 entries was cosigned at 1,000,300 s."""
    hashes = merkle.leaf_hashes([entries(1, 7)[0], b"never merged"])
    words = ("--entry", tmp_path / "entry", "--trust", tmp_path / "trust")

    def check(at: int, entry: bytes, merge_by: int, *more: object) -> tuple[int, dict[str, object]]:
        one = receipt.issue(hashes, issued_ms=1, merge_by_ms=merge_by, signer=LOG)[at]
        (tmp_path / "receipt").write_bytes(one.encode())
        (tmp_path / "entry").write_bytes(entry)
        return run(capsys, "ledger", "check-receipt", tmp_path / "receipt", *words, *more)

    log = ("--log", world.tiles.path)
    assert check(0, entries(1, 7)[0], 5)[1]["promise"] == "genuine"
    assert check(0, entries(1, 7)[0], 5, *log)[1]["promise"] == "kept"
    assert check(1, b"never merged", 1_000_300_000, *log)[1]["promise"] == "not_yet_due"
    code, result = check(1, b"never merged", 1_000_299_999, *log)
    assert code == 4
    assert "it is not there" in str(result["message"])
    assert check(0, entries(1, 8)[0], 5)[0] == 4
    (tmp_path / "trust").write_text("quorum none\n")
    assert check(0, entries(1, 7)[0], 5)[0] == 4


def test_bad_input_exits_2(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "ledger", "verify", tmp_path / "nowhere")[0] == 2
    assert run(capsys, "ledger", "verify", tmp_path)[0] == 2
    assert run(capsys, "ledger", "verify", world.tiles.path, "--trust", tmp_path / "nowhere")[0] == 2
    assert run(capsys, "ledger", "prove", world.tiles.path, "--index", 300)[0] == 2
    assert run(capsys, "ledger", "check-proof", tmp_path / "trust", "--trust", tmp_path / "trust")[0] == 2
    assert run(capsys, "witness", "serve", tmp_path, "--log", LOG.verifier)[0] == 2
    assert run(capsys, "witness", "serve", tmp_path, "--log", LOG.verifier, "--listen", "nowhere")[0] == 2


def test_a_demo_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo = SignerKey.from_seed("demo.watchglass.example", b"d" * 32)
    world = World(tmp_path / "ledger")
    world.grow(entries(3))
    world.tiles.publish(Checkpoint(demo.name, 3, world.growth.root()).sign([demo]))
    (tmp_path / "trust").write_text(f"log {demo.verifier}\nquorum none\n")
    for words in ((), ("--trust", tmp_path / "trust")):
        code, result = run(capsys, "ledger", "verify", world.tiles.path, *words)
        assert (code, result["deployment"]) == (0, "demo")
        assert "demonstration" in str(result["notice"])
    world.trust(tmp_path / "production")
    code, result = run(capsys, "ledger", "verify", world.tiles.path, "--trust", tmp_path / "production")
    assert code == 4
    assert "demo" in str(result["message"])


def test_a_witness_is_made_and_serves_as_a_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result = run(capsys, "witness", "new", tmp_path / "w", "--name", "w1.example")
    assert code == 0
    key = VerifierKey.parse(str(result["key"]))
    command = [sys.executable, "-m", "watchglass", "witness", "serve", str(tmp_path / "w")]
    command += ["--listen", "127.0.0.1:0", "--log", str(LOG.verifier), "--json"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert found, line
            data = Checkpoint(LOG.name, 0, merkle.EMPTY_ROOT).sign([LOG])
            client = WitnessClient(found[0], [key])
            cosigned = client.cosign_latest(data, lambda _old, _new: ())
            client.close()
            assert note.open_note(cosigned, [key]).verified[0].key == key
        finally:
            process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    assert process.returncode in (0, 130)
    assert process.returncode or json.loads(out)["stopped"]
