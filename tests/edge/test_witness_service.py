"""A witness over real HTTP: every status, memory on disk before the answer, and nothing cosigned on damaged memory."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import stat
import threading
from pathlib import Path

import httpx
import pytest
from ledger_world import LOG, serve_app

from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify, Problem
from watchglass.edge.clock import VirtualClock
from watchglass.edge.entropy import SeededEntropy
from watchglass.edge.witness import KEY_FILE, WitnessClient, WitnessDirectory, new_witness, open_witness
from watchglass.ledger import merkle, note
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.witness import NotCosigned, Request

HASHES = merkle.leaf_hashes([b"%d" % i for i in range(2_000)])
NOW = 1_790_000_000_000


def signed(size: int, hashes: list[bytes] = HASHES, signer: SignerKey = LOG) -> bytes:
    return Checkpoint(signer.name, size, merkle.root(hashes[:size])).sign([signer])


def prove(old: int, new: int) -> tuple[bytes, ...]:
    return tuple(merkle.consistency_proof(merkle.reader_of(HASHES[:new]), old, new))


@pytest.fixture
def witness(tmp_path: Path) -> WitnessDirectory:
    new_witness(tmp_path / "w", "w1.example", SeededEntropy("witness"))
    return open_witness(tmp_path / "w", [LOG.verifier], clock=VirtualClock(NOW))


def test_every_status_over_http(witness: WitnessDirectory) -> None:
    stranger = SignerKey.from_seed("stranger.example", b"s" * 32)
    forged = note.sign_note(note.parse_note(signed(8)).text, [stranger])
    with serve_app(witness) as url, httpx.Client(base_url=url) as web:

        def post(request: Request | bytes) -> httpx.Response:
            body = request if isinstance(request, bytes) else request.encode()
            return web.post("/add-checkpoint", content=body)

        first = post(Request(0, (), signed(5)))
        assert first.status_code == 200
        cosigned = note.open_note(signed(5) + first.content, [LOG.verifier, witness.key])
        assert {v.key: v.seconds for v in cosigned.verified} == {LOG.verifier: None, witness.key: NOW // 1000}

        assert post(Request(0, (), signed(5, signer=stranger))).status_code == 404
        assert post(Request(5, prove(5, 8), forged)).status_code == 403
        assert post(b"old 5\n").status_code == 400
        assert post(Request(9, (), signed(8))).status_code == 400
        stale = post(Request(4, prove(4, 8), signed(8)))
        assert (stale.status_code, stale.text) == (409, "5\n")
        assert stale.headers["content-type"] == "text/x.tlog.size"
        assert post(Request(5, (), signed(5, HASHES[1:]))).status_code == 409
        assert post(Request(5, prove(4, 8), signed(8))).status_code == 422
        assert post(Request(5, prove(5, 8), signed(8, HASHES[1:]))).status_code == 422
        assert post(b"x" * 70_000).status_code == 413
        assert web.get("/add-checkpoint").status_code == 405
        assert str(witness.key) in web.get("/").text
        assert post(Request(5, prove(5, 8), signed(8))).status_code == 200
        assert post(Request(8, (), signed(8))).status_code == 200


def test_the_client_finds_where_the_witness_stands(witness: WitnessDirectory) -> None:
    with serve_app(witness) as url:
        client = WitnessClient(url, [witness.key])
        for size, last in ((7, 0), (7, 7), (9, 0), (1000, 9), (2000, 3)):
            data = client.cosign_latest(signed(size), prove, last=last)
            note.open_note(data, [witness.key])
            latest = witness.latest(LOG.name)
            assert latest is not None
            assert latest.size == size
        with pytest.raises(NotCosigned) as caught:
            client.cosign_latest(signed(1999), prove, last=1000)
        assert caught.value.size == 2000
        foreign = WitnessClient(url, [SignerKey.from_seed("x", b"x" * 32).verifier])
        with pytest.raises(DidNotVerify):
            foreign.cosign(Request(2000, (), signed(2000)))
        foreign.close()
    with pytest.raises(Problem, match="cannot be reached"):
        client.cosign(Request(0, (), signed(7)))
    client.close()


def test_memory_survives_a_restart(witness: WitnessDirectory, tmp_path: Path) -> None:
    witness.add_checkpoint(Request(0, (), signed(100)).encode())
    again = open_witness(tmp_path / "w", [LOG.verifier], clock=VirtualClock(NOW))
    with pytest.raises(NotCosigned) as caught:
        again.add_checkpoint(Request(0, (), signed(50)).encode())
    assert caught.value.size == 100


def test_nothing_is_cosigned_when_memory_cannot_be_written(
    witness: WitnessDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        with pytest.raises(CannotRecord):
            witness.add_checkpoint(Request(0, (), signed(5)).encode())
    assert witness.latest(LOG.name) is None
    with serve_app(witness) as url:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", no_space)
            assert httpx.post(f"{url}/add-checkpoint", content=Request(0, (), signed(5)).encode()).status_code == 500
        assert httpx.post(f"{url}/add-checkpoint", content=Request(0, (), signed(5)).encode()).status_code == 200


def test_changed_memory_is_noticed(witness: WitnessDirectory, tmp_path: Path) -> None:
    witness.add_checkpoint(Request(0, (), signed(100)).encode())
    file = next((tmp_path / "w").glob("*.checkpoint"))
    file.write_bytes(file.read_bytes().replace(b"\n100\n", b"\n99\n"))
    with pytest.raises(DidNotVerify, match="was changed"):
        witness.add_checkpoint(Request(99, prove(99, 101), signed(101)).encode())
    file.write_bytes(signed(50))
    with pytest.raises(DidNotVerify, match="was changed"):
        witness.add_checkpoint(Request(50, prove(50, 101), signed(101)).encode())


def test_racing_requests_never_roll_back(witness: WitnessDirectory) -> None:
    witness.add_checkpoint(Request(0, (), signed(1000)).encode())
    bodies = [Request(1000, prove(1000, size), signed(size)).encode() for size in range(1001, 1025)]
    won: list[int] = []
    refused: list[int] = []

    def ask(body: bytes, size: int) -> None:
        try:
            witness.add_checkpoint(body)
            won.append(size)
        except NotCosigned as error:
            refused.append(error.status)

    threads = [threading.Thread(target=ask, args=(body, 1001 + i)) for i, body in enumerate(bodies)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert refused == [409] * 23
    latest = witness.latest(LOG.name)
    assert latest is not None
    assert latest.size == won[0]


def _serve_on(path: Path, said: socket.socket) -> None:
    """A process that follows the log as fast as it can and says each size only after it was cosigned."""
    witness = open_witness(path, [LOG.verifier])
    latest = witness.latest(LOG.name)
    known = latest.size if latest else 0
    for size in range(known + 1, len(HASHES)):
        witness.add_checkpoint(Request(known, prove(known, size), signed(size)).encode())
        known = size
        said.sendall(f"{size}\n".encode())


def test_kill_9_never_loses_an_acknowledged_checkpoint(witness: WitnessDirectory, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    acknowledged = 0
    for round_ in range(8):
        ours, theirs = socket.socketpair()
        process = context.Process(target=_serve_on, args=(tmp_path / "w", theirs))
        process.start()
        theirs.close()
        data = b""
        while data.count(b"\n") < 2 + round_ % 3:
            data += ours.recv(64)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        while more := ours.recv(4096):
            data += more
        ours.close()
        complete = data.split(b"\n")[:-1]
        acknowledged = max(acknowledged, int(complete[-1]))
        latest = witness.latest(LOG.name)
        assert latest is not None
        assert latest.size >= acknowledged
        assert latest.root == merkle.root(HASHES[: latest.size])
    assert acknowledged > 0


def test_keys_are_kept_secret_and_not_overwritten(witness: WitnessDirectory, tmp_path: Path) -> None:
    file = tmp_path / "w" / KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(BadInput, match="already"):
        new_witness(tmp_path / "w", "w2.example", SeededEntropy("again"))
    file.chmod(0o644)
    with pytest.raises(BadInput, match="Other people can read"):
        open_witness(tmp_path / "w", [LOG.verifier])
    file.chmod(0o600)
    file.write_text(LOG.export())
    with pytest.raises(BadInput, match="not a witness"):
        open_witness(tmp_path / "w", [LOG.verifier])
    with pytest.raises(BadInput, match="cannot be read"):
        open_witness(tmp_path / "nowhere", [LOG.verifier])


def test_one_process_serves_a_witness(witness: WitnessDirectory, tmp_path: Path) -> None:
    other = open_witness(tmp_path / "w", [LOG.verifier])
    with witness.alone(), pytest.raises(CannotRecord, match="Another process"), other.alone():
        pass
