"""Oversight lodges orders and challenges with a witness: only its own, kept before the receipt, shown to everybody."""

from __future__ import annotations

import http.server
import json
import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from ledger_world import LOG, serve_app

from watchglass.bootstrap import auditing, lodging
from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify, Problem, Refused, WatchglassError
from watchglass.core.time import HOUR
from watchglass.edge.clock import VirtualClock
from watchglass.edge.entropy import SeededEntropy
from watchglass.edge.lodging import Kept, LodgingClient, folder_of
from watchglass.edge.trust import load_trust
from watchglass.edge.witness import WitnessClient, WitnessDirectory, new_witness, open_witness
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.lodging import MAX_BODY_BYTES, Challenge, open_receipt
from watchglass.ledger.witness import Request
from watchglass.records.statement import SignedStatement, sign

NOW = 1_795_435_200_000
BOARD = SignerKey.from_seed("board.example", b"b" * 32)
STRANGER = SignerKey.from_seed("stranger.example", b"s" * 32)
HASH = b"h" * 32


def order(
    *, key: SignerKey = BOARD, origin: str = LOG.name, now: int = NOW, seed: str = "order", role: str = "oversight"
) -> SignedStatement:
    return sign(
        "suspension_ordered",
        role=role,
        key=key,
        origin=origin,
        now=now,
        entropy=SeededEntropy(seed),
        charter=b"c" * 32,
        clear={"scope": "all", "analytic": None},
        committed={"reason": "A test."},
    )


def asking(url: str, witness: WitnessDirectory) -> closing[LodgingClient]:
    return closing(LodgingClient(url, witness.key))


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


@pytest.fixture
def witness(tmp_path: Path, clock: VirtualClock) -> WitnessDirectory:
    new_witness(tmp_path / "w", "w1.example", SeededEntropy("witness"))
    return open_witness(tmp_path / "w", [LOG.verifier], oversight=[BOARD.verifier], clock=clock)


def test_an_order_is_kept_with_a_receipt_and_everybody_reads_both(
    witness: WitnessDirectory, clock: VirtualClock
) -> None:
    body = order().encode()
    with serve_app(witness) as url, asking(url, witness) as client:
        assert str(BOARD.verifier) in httpx.get(url).text
        assert client.listed(LOG.name, 0) == (0, [])
        note = client.lodge(body)
        assert open_receipt(note, [witness.key], body=body).seconds == NOW // 1000
        clock.set(NOW + 60_000)
        assert client.lodge(body) == note, "the same bytes give the same receipt"
        challenge = Challenge(LOG.name, HASH).sign(BOARD)
        client.lodge(challenge)
        assert client.listed(LOG.name, 0) == (2, [0, 1])
        assert client.listed(LOG.name, 1) == (2, [1])
        assert client.listed(LOG.name, 5) == (2, [])
        kept = client.fetch(LOG.name, 0)
        assert (kept.body, kept.note, kept.kind, kept.at_s) == (body, note, "suspension_ordered", NOW // 1000)
        assert client.fetch(LOG.name, 1).kind == "challenge"
        listed = httpx.get(f"{url}/lodged/{folder_of(LOG.name)}").json()
        assert (listed["origin"], listed["count"]) == (LOG.name, 2)
        assert [line["kind"] for line in listed["lodged"]] == ["suspension_ordered", "challenge"]


def test_what_was_lodged_survives_a_restart_and_a_damaged_file_is_noticed(
    witness: WitnessDirectory, tmp_path: Path, clock: VirtualClock
) -> None:
    body = order().encode()
    note = witness.shelf.lodge(body)
    again = open_witness(tmp_path / "w", [LOG.verifier], oversight=[BOARD.verifier], clock=clock)
    assert again.shelf.lodge(body) == note
    file = tmp_path / "w" / "lodged" / folder_of(LOG.name) / "0.json"
    kept = Kept.parse(0, file.read_bytes())
    file.write_bytes(Kept(0, kept.origin, kept.kind, kept.at_s, kept.body[:-2] + b" \n", kept.note).encode())
    third = open_witness(tmp_path / "w", [LOG.verifier], oversight=[BOARD.verifier], clock=clock)
    with pytest.raises((CannotRecord, DidNotVerify)):
        third.shelf.lodge(order(seed="other").encode())


def test_nothing_is_promised_that_is_not_on_disk(witness: WitnessDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    body = order().encode()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        with pytest.raises(CannotRecord):
            witness.shelf.lodge(body)
    found = witness.shelf.listed(folder_of(LOG.name))
    assert found is not None
    assert found["count"] == 0
    assert witness.shelf.lodge(body)


REFUSED = {
    "another key": (order(key=STRANGER).encode(), 403),
    "another log": (order(origin="other.example").encode(), 403),
    "an hour that is over": (order(now=NOW - 3 * HOUR).encode(), 403),
    "a later hour": (order(now=NOW + 3 * HOUR).encode(), 403),
    "another act": (
        sign(
            "key_enrolled",
            role="oversight",
            key=BOARD,
            origin=LOG.name,
            now=NOW,
            entropy=SeededEntropy("e"),
            charter=b"c" * 32,
            clear={"enrolled_role": "investigator", "vkey": str(STRANGER.verifier), "month": "2026-11"},
            committed={"person": "Robin"},
        ).encode(),
        403,
    ),
    "a changed reason": (order().encode().replace(b"A test.", b"A lie!!"), 403),
    "no statement": (b"{}", 400),
    "nothing": (b"", 400),
    "not canonical": (b" " + order().encode(), 400),
    "a challenge by somebody else": (Challenge(LOG.name, HASH).sign(STRANGER), 403),
    "a challenge for another log": (Challenge("other.example", HASH).sign(BOARD), 403),
    "half a challenge": (b"watchglass/challenge/v1\n", 400),
    "too much": (b"x" * (MAX_BODY_BYTES + 1), 413),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_oversights_is_refused_with_words(witness: WitnessDirectory, what: str) -> None:
    body, status = REFUSED[what]
    with serve_app(witness) as url:
        answer = httpx.post(f"{url}/lodge", content=body)
        assert answer.status_code == status, answer.text
        assert answer.text.strip().endswith(".")
        assert httpx.get(f"{url}/lodged/{folder_of(LOG.name)}").json()["count"] == 0


def test_an_authority_that_holds_the_key_of_oversight_in_another_role_lodges_nothing(witness: WitnessDirectory) -> None:
    with pytest.raises((BadInput, Refused)):
        witness.shelf.lodge(order(role="authority").encode())


def test_a_witness_without_an_oversight_key_takes_nothing(tmp_path: Path, clock: VirtualClock) -> None:
    new_witness(tmp_path / "bare", "w2.example", SeededEntropy("bare"))
    bare = open_witness(tmp_path / "bare", [LOG.verifier], clock=clock)
    with serve_app(bare) as url:
        answer = httpx.post(f"{url}/lodge", content=order().encode())
        assert answer.status_code == 403
        assert "takes nothing" in answer.text
        with asking(url, bare) as client, pytest.raises(Refused, match="takes nothing"):
            client.lodge(order().encode())


@pytest.mark.parametrize(
    "path", ["/lodged/00", "/lodged/{}/0", "/lodged/{}/x", "/lodged/{}?from=-1", "/lodged/{}?from=x"]
)
def test_addresses_that_lead_nowhere(witness: WitnessDirectory, path: str) -> None:
    with serve_app(witness) as url:
        assert httpx.get(url + path.format(folder_of(LOG.name))).status_code in {400, 404}


# ---- oversight's machine -----------------------------------------------------------------------------------------


def test_lodging_goes_on_with_the_witnesses_that_answer(witness: WitnessDirectory, tmp_path: Path) -> None:
    body = order().encode()
    with serve_app(witness) as url:
        urls, keys = [url, "http://127.0.0.1:1"], [witness.key, witness.key]
        taken, failed = lodging.lodge_with_all(urls, keys, "suspension_ordered", LOG.name, body)
        assert [each.url for each in taken] == [url]
        assert [where for where, _ in failed] == ["http://127.0.0.1:1"]
        lodging.keep(tmp_path / "order.lodged", taken)
        kept = Kept.parse(0, (tmp_path / "order.lodged" / "0.json").read_bytes())
        assert open_receipt(kept.note, [witness.key], body=body).origin == LOG.name
        challenge = lodging.lodge_challenge(url, witness.key, BOARD, LOG.name, HASH)
        assert challenge.kind == "challenge"
        assert b"watchglass/challenge/v1" in challenge.body


def test_whose_receipt_it_is_must_be_known() -> None:
    known = [{"key": str(BOARD.verifier), "url": "https://w.example/"}]
    assert lodging.witness_at("https://w.example", known) == BOARD.verifier
    assert lodging.witness_at("https://other.example", known, [STRANGER.verifier]) == STRANGER.verifier
    with pytest.raises(BadInput, match="no witness at"):
        lodging.witness_at("https://other.example", known)
    with pytest.raises(BadInput, match="no witness at"):
        lodging.witness_at("https://other.example", known, [STRANGER.verifier, BOARD.verifier])


# ---- witnesses that lie ------------------------------------------------------------------------------------------


@contextmanager
def answering(body: bytes, status: int = 200, *, drip: bool = False) -> Iterator[str]:
    """A server that answers everything with ``body``; with ``drip`` it never comes to an end."""
    over = threading.Event()

    class Liar(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(status)
            if not drip:
                self.send_header("content-length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
                while drip and not over.wait(0.02):
                    self.wfile.write(b"x")
            except OSError:
                pass

        do_GET = do_POST = answer  # noqa: N815  (the names that http.server calls)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            over.set()
            server.shutdown()
            thread.join(20)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"count":"1","lodged":[]}',
        b'{"count":1,"lodged":[{"n":7}]}',
        b'{"count":1,"lodged":[{}]}',
        b'{"count":1,"lodged":3}',
        b"[" * 100_000,
        json.dumps({"count": 10**6, "lodged": [{"n": n} for n in range(101)]}).encode(),
        b"x" * 1_000_000,
    ],
)
def test_lists_that_make_no_sense_are_refused(witness: WitnessDirectory, body: bytes) -> None:
    with answering(body) as url, asking(url, witness) as client, pytest.raises(Problem):
        client.listed(LOG.name, 0)


def test_receipts_and_things_of_other_witnesses_are_refused(witness: WitnessDirectory, tmp_path: Path) -> None:
    new_witness(tmp_path / "w2", "w2.example", SeededEntropy("w2"))
    other = open_witness(tmp_path / "w2", [LOG.verifier], oversight=[BOARD.verifier], clock=VirtualClock(NOW))
    body = order().encode()
    note = other.shelf.lodge(body)
    with answering(note) as url, asking(url, witness) as client, pytest.raises(DidNotVerify):
        client.lodge(body)
    ours = witness.shelf.lodge(order(seed="another").encode())
    with answering(ours) as url, asking(url, witness) as client, pytest.raises(DidNotVerify, match="something else"):
        client.lodge(body)
    kept = Kept(0, LOG.name, "suspension_ordered", 1, body, witness.shelf.lodge(body))
    with (
        answering(kept.encode()) as url,
        asking(url, witness) as client,
        pytest.raises(BadInput, match="do not belong together"),
    ):
        client.fetch(LOG.name, 0)


def test_a_witness_that_lies_about_what_is_lodged_stops_no_audit(witness: WitnessDirectory, tmp_path: Path) -> None:
    """Its receipts are by another key than the trust file's: that is told, and the audit goes on without them."""
    other = new_witness(tmp_path / "other", "w1.example", SeededEntropy("another key"))
    file = tmp_path / "trust"
    witness.shelf.lodge(order().encode())
    for key, read in ((witness.key, 1), (other, 0)):
        with serve_app(witness) as url:
            file.write_text(f"log {LOG.verifier}\nwitness w1 {key} {url}\nquorum w1\n", "utf-8")
            problems: list[str] = []
            assert len(list(auditing._lodged(url, LOG.name, load_trust(file), problems))) == read
            assert [url in each for each in problems] == [True] * (1 - read)


def test_an_endless_answer_comes_to_an_end(witness: WitnessDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchglass.edge.lodging._TIMEOUT_S", 0.3)
    with (
        answering(b"x", drip=True) as url,
        asking(url, witness) as client,
        pytest.raises(Problem, match="without coming to an end"),
    ):
        client.listed(LOG.name, 0)


def request() -> Request:
    return Request(0, (), Checkpoint(LOG.name, 1, HASH).sign([LOG]))


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        (b"", 200, "cut off"),
        (b"<html>", 200, "cut off"),
        (b"\xff\xfe\n", 200, "not a signature line"),
        (b"x" * 100_000, 200, "far too much"),
        (b"try later\n", 503, "try later"),
        (b"7\n", 409, "it knows the log at size 7"),
        (b"-7\n", 409, "-7"),
        (b"", 302, "302"),
    ],
)
def test_what_a_log_gets_from_a_witness_that_is_none(
    witness: WitnessDirectory, body: bytes, status: int, word: str
) -> None:
    with (
        answering(body, status) as url,
        closing(WitnessClient(url, [witness.key])) as client,
        pytest.raises(WatchglassError, match=word),
    ):
        client.cosign(request())


def test_a_log_waits_for_no_witness_that_never_ends(witness: WitnessDirectory) -> None:
    with (
        answering(b"x", drip=True) as url,
        closing(WitnessClient(url, [witness.key], timeout_s=0.3)) as client,
        pytest.raises(Problem, match="without coming to an end"),
    ):
        client.cosign(request())


def test_a_cosignature_over_http_whose_time_is_far_off_is_not_used(
    witness: WitnessDirectory, clock: VirtualClock
) -> None:
    here = VirtualClock(NOW)
    with serve_app(witness) as url, closing(WitnessClient(url, [witness.key], clock=here)) as client:
        assert client.cosign(request())
        clock.set(NOW + 299_000)
        again = Request(1, (), request().note)
        assert client.cosign(again)
        clock.set(NOW + 301_000)
        with pytest.raises(DidNotVerify, match="one of the two clocks is wrong"):
            client.cosign(again)
