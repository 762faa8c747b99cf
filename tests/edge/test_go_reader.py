"""The checks that need only C2SP, repeated by a program that shares no code with ours: Go's own transparency log."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from base64 import b64encode
from pathlib import Path

import pytest
from ledger_world import LOG, World, entries

from thorough import THOROUGH
from watchglass.ledger import merkle
from watchglass.ledger.proof import Proof, prove
from watchglass.ledger.tiles import decode_bundle

SOURCE = Path(__file__).parent / "go_reader"
GOPATH = Path("/usr/share/gocode")
pytestmark = [
    # Go's compiler was seen twice to hold every core of a small machine for as long as it stood, killed or not.
    pytest.mark.skipif(not THOROUGH, reason="Go's compiler runs with `make test-deep` only"),
    pytest.mark.skipif(
        shutil.which("go") is None or not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir(),
        reason="Go and golang.org/x/mod are not installed (Debian: golang-go, golang-golang-x-mod-dev)",
    ),
]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("go")
    made = folder / "reader"
    env = os.environ | {
        "GO111MODULE": "off",
        "GOPATH": str(GOPATH),
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
        "CGO_ENABLED": "0",
    }
    command = ["go", "build", "-p", "1", "-o", str(made), "."]
    build = subprocess.Popen(command, cwd=SOURCE, env=env, start_new_session=True)
    try:
        assert build.wait(timeout=60) == 0
    except subprocess.TimeoutExpired:
        os.killpg(build.pid, signal.SIGKILL)
        pytest.skip("Go's compiler did not end within a minute")
    return made


def run(reader: Path, log: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(reader), "-key", str(LOG.verifier), *options, str(log)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_it_finds_the_same_root_the_same_past_and_accepts_our_proofs(reader: Path, tmp_path: Path) -> None:
    log = tmp_path / "ledger"
    world = World(log)
    world.grow(entries(777))
    before = tmp_path / "before"
    before.write_bytes((log / "checkpoint").read_bytes())
    world.grow(entries(1_300, 777))
    for index in (0, 255, 256, 777, 2_076):
        entry, bare = prove(world.tiles, index)
        proof = tmp_path / "proof"
        proof.write_bytes(Proof(bare.index, bare.path, bare.checkpoint, extra=entry).encode())
        done = run(reader, log, "-before", str(before), "-proof", str(proof))
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {
            "origin": LOG.name,
            "size": 2_077,
            "root": b64encode(world.growth.root()).decode(),
            "continues": 777,
            "proved": index,
        }


def test_it_refuses_what_we_refuse(reader: Path, tmp_path: Path) -> None:
    log = tmp_path / "ledger"
    World(log).grow(entries(300))
    bundle = log / "tile/entries/000"
    good = bundle.read_bytes()
    bundle.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert "entry 255 and its tile differ" in run(reader, log).stderr
    tile = log / "tile/0/000"
    tile.write_bytes(tile.read_bytes()[:-32] + merkle.leaf_hash(decode_bundle(bundle.read_bytes(), 256)[-1]))
    assert "lead to the root" in run(reader, log).stderr
    bundle.write_bytes(good)
    other = World(tmp_path / "other")
    other.grow([b"another", *entries(300)])
    done = run(reader, tmp_path / "other", "-before", str(log / "checkpoint"))
    assert done.returncode == 4
    assert "consistency" in done.stderr
