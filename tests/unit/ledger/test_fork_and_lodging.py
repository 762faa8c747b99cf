"""Evidence of forks, receipts for what is lodged, and how many witnesses agree: what is taken and what is not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.core import canonical
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger import merkle, note
from watchglass.ledger.agreement import Agreement, more_than_half
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.fork import LARGEST_FILE, Fork, ForkKind
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.ledger.lodging import Challenge, Lodged, open_challenge, open_receipt, speaking_key
from watchglass.ledger.witness import CLOCKS_APART_S, with_answer

LOG = SignerKey.from_seed("log.example", b"l" * 32)
OTHER_LOG = SignerKey.from_seed("other.example", b"o" * 32)
WITNESS = SignerKey.from_seed("w1.example", b"w" * 32, KeyType.COSIGNATURE_V1)
OTHER = SignerKey.from_seed("w2.example", b"v" * 32, KeyType.COSIGNATURE_V1)
BOARD = SignerKey.from_seed("board.example", b"b" * 32)
HASHES = merkle.leaf_hashes([f"{i}".encode() for i in range(20)])
NOW_S = 1_795_435_200


def tree(size: int, hashes: list[bytes] = HASHES, signer: SignerKey = LOG) -> bytes:
    return Checkpoint(signer.name, size, merkle.root(hashes[:size])).sign([signer])


def fork(kind: ForkKind, known: bytes, shown: bytes) -> Fork:
    return Fork(kind, "w1.example+00000000", NOW_S, (LOG.verifier,), known, shown)


GOOD = {
    ForkKind.SAME_SIZE: (tree(7), tree(7, HASHES[1:])),
    ForkKind.REWRITTEN: (tree(7), tree(9, HASHES[1:])),
    ForkKind.SHRUNK: (tree(9), tree(7)),
    ForkKind.UNPROVEN: (tree(7), tree(9)),
}


@pytest.mark.parametrize("kind", ForkKind)
def test_evidence_survives_its_file_and_says_what_it_shows(kind: ForkKind) -> None:
    found = fork(kind, *GOOD[kind])
    again = Fork.parse(found.encode()).check()
    assert again == found
    assert again.name == found.name
    assert again.sentence.startswith("On 2026-11-23T12:00:00Z, w1.example+00000000 saw: ")
    assert "log.example" in again.sentence
    assert {fork(other, *pair).name for other, pair in GOOD.items()}.issuperset({found.name})
    assert len({fork(other, *pair).name for other, pair in GOOD.items()}) == 4


@pytest.mark.parametrize(
    ("kind", "pair"),
    [
        (ForkKind.SAME_SIZE, (tree(7), tree(7))),
        (ForkKind.SAME_SIZE, (tree(7), tree(8))),
        (ForkKind.SHRUNK, (tree(7), tree(9))),
        (ForkKind.REWRITTEN, (tree(9), tree(7))),
        (ForkKind.UNPROVEN, (tree(9), tree(9, HASHES[1:]))),
    ],
)
def test_what_contradicts_nothing_is_no_evidence(kind: ForkKind, pair: tuple[bytes, bytes]) -> None:
    with pytest.raises(DidNotVerify, match="no evidence"):
        fork(kind, *pair).check()


def test_evidence_that_the_log_did_not_sign_is_none() -> None:
    forged = note.Note(Checkpoint("log.example", 7, merkle.root(HASHES[1:8])).text, ()).text
    shown = note.sign_note(forged, [SignerKey.from_seed("log.example", b"x" * 32)])
    with pytest.raises(DidNotVerify):
        fork(ForkKind.SAME_SIZE, tree(7), shown).check()


def test_a_log_that_signs_with_two_keys_still_contradicts_itself() -> None:
    second = SignerKey.from_seed("log.example", b"m" * 32)
    pair = tree(7), tree(7, HASHES[1:], second)
    found = Fork(ForkKind.SAME_SIZE, "somebody", NOW_S, (LOG.verifier, second.verifier), *pair)
    assert Fork.parse(found.encode()).check() == found


def test_two_logs_are_no_fork() -> None:
    with pytest.raises(BadInput, match="not of one log"):
        fork(ForkKind.SAME_SIZE, tree(7), tree(7, HASHES, OTHER_LOG))


def damaged(**changes: object) -> bytes:
    value = json.loads(fork(ForkKind.SAME_SIZE, *GOOD[ForkKind.SAME_SIZE]).encode())
    return canonical.encode({**value, **changes})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"x" * (LARGEST_FILE + 1),
        damaged(kind="none"),
        damaged(kind=1),
        damaged(at_s="1"),
        damaged(at_s=-1),
        damaged(at_s=10**15),
        damaged(by=""),
        damaged(by="a\nb"),
        damaged(logs=[]),
        damaged(logs="x"),
        damaged(logs=["x"]),
        damaged(known="no note"),
        damaged(shown=7),
        damaged(more=1),
        damaged(watchglass_fork=2),
    ],
)
def test_files_that_are_no_evidence(data: bytes) -> None:
    with pytest.raises(BadInput):
        Fork.parse(data)


# ---- receipts ----------------------------------------------------------------------------------------------------


def test_a_receipt_is_for_these_bytes_by_this_witness() -> None:
    receipt = Lodged.of("log.example", b"an order", NOW_S).sign(WITNESS)
    assert open_receipt(receipt, [OTHER.verifier, WITNESS.verifier], body=b"an order") == Lodged.of(
        "log.example", b"an order", NOW_S
    )
    with pytest.raises(DidNotVerify, match="something else"):
        open_receipt(receipt, [WITNESS.verifier], body=b"another")
    with pytest.raises(DidNotVerify, match="None of the trusted keys"):
        open_receipt(receipt, [OTHER.verifier])
    with pytest.raises(DidNotVerify):
        open_receipt(receipt.replace(b"1795435200", b"1795435201"), [WITNESS.verifier])


def test_a_receipt_is_no_cosignature_and_a_cosignature_no_receipt() -> None:
    assert speaking_key(WITNESS.verifier).key_id != WITNESS.verifier.key_id
    checkpoint = Checkpoint("log.example", 7, merkle.root(HASHES[:7]))
    cosigned = note.add_signatures(tree(7), [note.sign_text(checkpoint.text, WITNESS, seconds=NOW_S)])
    with pytest.raises((BadInput, DidNotVerify)):
        open_receipt(cosigned, [WITNESS.verifier])
    receipt = Lodged.of("log.example", b"x", NOW_S).sign(WITNESS)
    with pytest.raises(DidNotVerify):
        note.open_note(receipt, [WITNESS.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "watchglass/lodged/v2\nlog.example\n{}\n5\n",
        "watchglass/lodged/v1\nlog.example\n{}\n05\n",
        "watchglass/lodged/v1\nlog.example\n{}\n0\n",
        "watchglass/lodged/v1\n7\n{}\n5\n",
        "watchglass/lodged/v1\nlog.example\n{}\n5\nmore\n",
        "watchglass/lodged/v1\nlog.example\nAAAA\n5\n",
    ],
)
def test_texts_that_are_no_receipts(text: str) -> None:
    full = text.format("A" * 43 + "=")
    with pytest.raises(BadInput):
        open_receipt(note.sign_note(full, [WITNESS.speaking]), [WITNESS.verifier])


def test_a_challenge_is_oversights_and_nobody_elses() -> None:
    challenge = Challenge("log.example", b"h" * 32)
    signed = challenge.sign(BOARD)
    assert open_challenge(signed, [BOARD.verifier]) == challenge
    with pytest.raises(DidNotVerify):
        open_challenge(signed, [LOG.verifier])
    with pytest.raises(BadInput, match="not a challenge"):
        open_challenge(note.sign_note("watchglass/challenge/v1\nlog.example\n", [BOARD]), [BOARD.verifier])
    with pytest.raises(BadInput, match="32 bytes"):
        Challenge("log.example", b"h")
    with pytest.raises(BadInput, match="origin"):
        Challenge("12", b"h" * 32)
    with pytest.raises(BadInput, match="witness's key"):
        challenge.sign(WITNESS)


# ---- agreement ---------------------------------------------------------------------------------------------------


@given(st.integers(1, 16), st.data())
def test_any_two_sets_of_more_than_half_share_a_witness(count: int, data: st.DataObject) -> None:
    names = [f"w{n}" for n in range(count)]
    needed = more_than_half(count)
    one, two = (set(data.draw(st.permutations(names))[:needed]) for _ in range(2))
    assert one & two
    assert 2 * (needed - 1) <= count


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 9)), st.integers(1, 4))
def test_agreement_reaches_what_enough_have_reached_and_no_more(seen: dict[str, int], needed: int) -> None:
    agreement = Agreement(frozenset("abcd"), needed)
    reached = agreement.reached(seen)
    ours = [seen.get(name, 0) for name in "abcd"]
    assert sum(value >= reached for value in ours) >= needed
    assert sum(value > reached for value in ours) < needed


@pytest.mark.parametrize("needed", [0, -1, 3])
def test_an_agreement_that_can_never_be(needed: int) -> None:
    with pytest.raises(BadInput, match="can never agree"):
        Agreement(frozenset({"a", "b"}), needed)


# ---- cosignatures with times -------------------------------------------------------------------------------------


@pytest.mark.parametrize("apart", [-CLOCKS_APART_S, -1, 0, CLOCKS_APART_S])
def test_a_witness_whose_clock_is_near_counts(apart: int) -> None:
    line = note.sign_text(note.parse_note(tree(7)).text, WITNESS, seconds=NOW_S + apart)
    cosigned = with_answer(tree(7), str(line), [WITNESS.verifier], now_s=NOW_S)
    assert note.open_note(cosigned, [WITNESS.verifier]).verified[0].seconds == NOW_S + apart


@pytest.mark.parametrize("apart", [-CLOCKS_APART_S - 1, CLOCKS_APART_S + 1, 10**12])
def test_a_witness_whose_clock_is_far_off_does_not(apart: int) -> None:
    line = note.sign_text(note.parse_note(tree(7)).text, WITNESS, seconds=NOW_S + apart)
    with pytest.raises(DidNotVerify, match="one of the two clocks is wrong"):
        with_answer(tree(7), str(line), [WITNESS.verifier], now_s=NOW_S)
    assert with_answer(tree(7), str(line), [WITNESS.verifier])


def test_a_newer_cosignature_takes_the_place_of_the_older_one() -> None:
    text = note.parse_note(tree(7)).text
    first = with_answer(tree(7), str(note.sign_text(text, WITNESS, seconds=NOW_S)), [WITNESS.verifier])
    both = note.add_signatures(first, [note.sign_text(text, OTHER, seconds=NOW_S)])
    again = note.replace_signatures(both, [note.sign_text(text, WITNESS, seconds=NOW_S + 60)])
    opened = note.open_note(again, [LOG.verifier, WITNESS.verifier, OTHER.verifier])
    assert {v.key.name: v.seconds for v in opened.verified} == {
        "log.example": None,
        "w2.example": NOW_S,
        "w1.example": NOW_S + 60,
    }
    assert len(opened.signatures) == 3
    assert replace(opened, verified=()) == note.parse_note(again)
