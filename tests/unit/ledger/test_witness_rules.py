"""What a witness cosigns and what it refuses, without any IO."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from watchglass.core.errors import DidNotVerify
from watchglass.ledger import merkle, note, witness
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.ledger.witness import NotCosigned, Request

LOG = SignerKey.from_seed("log.example", b"l" * 32)
SECOND = SignerKey.from_seed("log.example", b"m" * 32)
STRANGER = SignerKey.from_seed("stranger.example", b"s" * 32)
WITNESS = SignerKey.from_seed("w1.example", b"w" * 32, KeyType.COSIGNATURE_V1)
LOGS = witness.logs_by_origin([LOG.verifier, SECOND.verifier])
HASHES = merkle.leaf_hashes([f"{i}".encode() for i in range(20)])


def tree(size: int, hashes: list[bytes] = HASHES, signer: SignerKey = LOG) -> tuple[Checkpoint, bytes]:
    checkpoint = Checkpoint(signer.name, size, merkle.root(hashes[:size]))
    return checkpoint, checkpoint.sign([signer])


def proof(old: int, new: int) -> tuple[bytes, ...]:
    return tuple(merkle.consistency_proof(merkle.reader_of(HASHES[:new]), old, new))


def decide(latest: Checkpoint | None, request: Request) -> Checkpoint:
    request = Request.parse(request.encode())
    return witness.advance(latest, request, witness.authenticate(request, LOGS).checkpoint)


def test_it_follows_a_log_that_only_grows() -> None:
    latest = None
    for size in (0, 1, 1, 7, 8, 20):
        known = latest.size if latest else 0
        latest = decide(latest, Request(known, proof(known, size), tree(size)[1]))
        assert latest.size == size


@pytest.mark.parametrize(
    ("known", "request_", "status", "size"),
    [
        (None, Request(0, (), tree(5, signer=STRANGER)[1]), HTTPStatus.NOT_FOUND, None),
        (
            None,
            Request(0, (), note.sign_note(tree(5)[0].text, [STRANGER])),
            HTTPStatus.FORBIDDEN,
            None,
        ),
        (
            None,
            Request(
                0, (), note.Note(tree(5)[0].text, (note.Signature(LOG.name, LOG.verifier.key_id, bytes(64)),)).encode()
            ),
            HTTPStatus.FORBIDDEN,
            None,
        ),
        (7, Request(8, (), tree(7)[1]), HTTPStatus.BAD_REQUEST, None),
        (7, Request(6, proof(6, 8), tree(8)[1]), HTTPStatus.CONFLICT, 7),
        (None, Request(1, proof(1, 8), tree(8)[1]), HTTPStatus.CONFLICT, 0),
        (7, Request(0, (), tree(5)[1]), HTTPStatus.CONFLICT, 7),
        (7, Request(7, (), tree(7, HASHES[1:])[1]), HTTPStatus.CONFLICT, 7),
        (7, Request(7, proof(6, 8), tree(8)[1]), HTTPStatus.UNPROCESSABLE_ENTITY, None),
        (7, Request(7, (), tree(8)[1]), HTTPStatus.UNPROCESSABLE_ENTITY, None),
        (7, Request(7, proof(7, 8), tree(8, HASHES[1:])[1]), HTTPStatus.UNPROCESSABLE_ENTITY, None),
        (None, Request(0, (bytes(32),), tree(8)[1]), HTTPStatus.UNPROCESSABLE_ENTITY, None),
        (7, Request(7, (bytes(32),), tree(7)[1]), HTTPStatus.UNPROCESSABLE_ENTITY, None),
    ],
)
def test_refusals(known: int | None, request_: Request, status: HTTPStatus, size: int | None) -> None:
    with pytest.raises(NotCosigned) as caught:
        decide(None if known is None else tree(known)[0], request_)
    assert (caught.value.status, caught.value.size) == (status, size)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old 00\n\nx\n",
        b"old -1\n\nx\n",
        b"new 0\n\nx\n",
        b"old 0\nAAAA\n\nx\n",
        b"old 0\n" + (b"A" * 43 + b"=\n") * 64 + b"\n" + tree(5)[1],
        b"old \xff\n\n" + tree(5)[1],
        b"old 0\n\nno checkpoint\n",
        b"old 0\n\n" + tree(5)[1].replace(b"\n5\n", b"\n05\n"),
        b"old 0\n\n" + tree(5)[1] + b"x" * witness.MAX_REQUEST_BYTES,
    ],
)
def test_malformed_requests(body: bytes) -> None:
    with pytest.raises(NotCosigned) as caught:
        witness.authenticate(Request.parse(body), LOGS)
    assert caught.value.status is HTTPStatus.BAD_REQUEST


def test_either_of_two_keys_of_a_log_will_do() -> None:
    assert witness.authenticate(Request(0, (), tree(5, signer=SECOND)[1]), LOGS).checkpoint.size == 5


def test_the_logs_side_takes_only_cosignatures_by_the_witness_it_knows() -> None:
    checkpoint, data = tree(5)
    good = note.sign_text(checkpoint.text, WITNESS, seconds=9)
    other = SignerKey.from_seed("w2.example", b"v" * 32, KeyType.COSIGNATURE_V1)
    foreign = note.sign_text(checkpoint.text, other, seconds=9)
    both = witness.with_answer(data, f"{foreign}{good}", [WITNESS.verifier])
    assert [s.name for s in note.parse_note(both).signatures] == ["log.example", "w1.example"]
    with pytest.raises(DidNotVerify):
        witness.with_answer(data, str(foreign), [WITNESS.verifier])
    wrong = note.sign_text(tree(6)[0].text, WITNESS, seconds=9)
    with pytest.raises(DidNotVerify):
        witness.with_answer(data, str(wrong), [WITNESS.verifier])


def test_answers_become_refusals_again() -> None:
    assert witness.refusal(409, "17\n").size == 17
    assert witness.refusal(409, "seventeen\n").size is None
    assert witness.refusal(599, "?").status is HTTPStatus.BAD_GATEWAY
