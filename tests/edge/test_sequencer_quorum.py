"""Enough witnesses must agree; those that are down, slow or lie stop nothing and are told of."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from record_world import NOON, World, merged_hashes

from watchglass.core.errors import DidNotVerify, Problem
from watchglass.core.time import HOUR, MINUTE, SECOND
from watchglass.edge.clock import VirtualClock
from watchglass.edge.entropy import SeededEntropy
from watchglass.edge.witness import WitnessDirectory
from watchglass.edge.witness_client import LocalWitness
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger import note as notes
from watchglass.ledger import policy
from watchglass.ledger.agreement import Agreement
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.ledger.witness import Request, with_answer
from watchglass.runtime.sequencer import EVERYTHING, Sequencer


class Three:
    """A log with three witnesses, of which two must agree."""

    def __init__(self, root: Path, needed: int = 2) -> None:
        self.world = World.make(root)
        self.clock = self.world.clock
        assert isinstance(self.clock, VirtualClock)
        self.keys = [
            SignerKey.generate(f"w{n}.example", SeededEntropy(str(n)), KeyType.COSIGNATURE_V1) for n in range(3)
        ]
        self.names = [key.verifier.label for key in self.keys]
        self.clocks = [VirtualClock(NOON) for _ in self.keys]
        self.locals = [LocalWitness(self.directory(n), self.clock) for n in range(3)]
        self.agreed: list[tuple[int, bytes]] = []
        self.agreement = Agreement(frozenset(self.names), needed)

    def directory(self, n: int) -> WitnessDirectory:
        folder = self.world.root / f"w{n}"
        folder.mkdir(exist_ok=True)
        return WitnessDirectory(folder, self.keys[n], [self.world.signer.verifier], self.clocks[n])

    def sequencer(self, store: Any, witnesses: dict[int, Any] | None = None, **pace: int) -> Sequencer:
        sequencer = self.world.sequencer(store)
        real: dict[int, Any] = dict(enumerate(self.locals))
        asked = {self.names[n]: each for n, each in {**real, **(witnesses or {})}.items()}
        sequencer.watched_by(asked, [self.agreement])
        sequencer.cosigning.on_agreement(lambda _tx, size, note: self.agreed.append((size, note)))
        if pace:
            sequencer.pace(checkpoint_every=MINUTE, batch_every=HOUR, **pace)
        return sequencer

    def grow(self, store: Any, sequencer: Sequencer, numbers: range) -> None:
        store.commit(lambda tx: [tx.record(self.world.prompt(number)) for number in numbers])
        sequencer.tick(EVERYTHING)

    def advance(self, ms: int) -> None:
        for clock in (self.clock, *self.clocks):
            assert isinstance(clock, VirtualClock)
            clock.advance(ms)

    def cosigned_by(self) -> set[str]:
        data = self.world.tiles.read("checkpoint")
        assert data is not None
        known = [self.world.signer.verifier, *(key.verifier for key in self.keys)]
        return {v.key.name for v in checkpoints.open_checkpoint(data, known).note.verified if v.seconds is not None}


class Refusing:
    """A witness that is not there."""

    def cosign(self, request: Request) -> bytes:
        raise Problem("The witness cannot be reached.", fix="Start it.")


class Lying:
    """A witness that answers with whatever it was given."""

    def __init__(self, key: SignerKey, answer: Any) -> None:
        self.key = key
        self.answer = answer

    def cosign(self, request: Request) -> bytes:
        text = notes.parse_note(request.note).text
        return with_answer(request.note, self.answer(text), [self.key.verifier], now_s=NOON // SECOND)


class Stuck:
    """A witness that answers when it is let go."""

    def __init__(self, real: LocalWitness) -> None:
        self.real = real
        self.go = threading.Event()
        self.asked = threading.Event()
        self.times = 0

    def cosign(self, request: Request) -> bytes:
        self.times += 1
        self.asked.set()
        assert self.go.wait(30)
        return self.real.cosign(request)


class Odd:
    """A witness whose client has a fault."""

    def cosign(self, request: Request) -> bytes:
        raise RuntimeError("out of nowhere")


@pytest.mark.parametrize("needed", [1, 2, 3])
def test_so_many_must_agree_and_not_one_less(tmp_path: Path, needed: int) -> None:
    three = Three(tmp_path, needed)
    with three.world.store() as store:
        down: dict[int, Any] = {n: Refusing() for n in range(needed - 1, 3)}
        sequencer = three.sequencer(store, down)
        three.grow(store, sequencer, range(5))
        assert sequencer.head.size == 5, "the log goes on"
        assert sequencer.cosigned_size() == 0
        assert sequencer.cosigning.witnessed_ms() is None
        assert three.agreed == []
        down.pop(needed - 1)
        sequencer.watched_by({three.names[n]: down.get(n, three.locals[n]) for n in range(3)})
        sequencer.tick()
        assert sequencer.cosigned_size() == 5
        assert sequencer.cosigning.witnessed_ms() == NOON
        size, note = three.agreed[0]
        assert size == 5
        assert len(notes.open_note(note, [key.verifier for key in three.keys]).verified) == needed
        assert {each.problem is None for each in sequencer.cosigning.witnessing()} == (
            {True} if needed == 3 else {True, False}
        )
        sequencer.close()


def test_what_a_lower_quorum_makes_enough_counts_only_with_its_record(tmp_path: Path) -> None:
    """A new charter that asks for fewer witnesses must not let anything count that the ledger does not show."""
    three = Three(tmp_path, 2)
    one = Agreement(frozenset(three.names), 1)
    for restart in (False, True):
        with three.world.store() as store:
            sequencer = three.sequencer(store, {1: Refusing(), 2: Refusing()})
            if not restart:
                three.grow(store, sequencer, range(5))
                assert (sequencer.cosigned_size(), three.agreed) == (0, [])
                sequencer.close()
                continue
            asked: dict[str, Any] = {name: Refusing() for name in three.names}
            sequencer.tick()
            sequencer.watched_by(asked, [one])
            assert (sequencer.cosigned_size(), three.agreed) == (0, [])
            sequencer.tick()
            assert sequencer.cosigned_size() == 5
            ((size, note),) = three.agreed
            assert size == 5
            assert len(notes.open_note(note, [key.verifier for key in three.keys]).verified) == 1
            sequencer.tick()
            assert len(three.agreed) == 1
            sequencer.close()


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda _text: "", "cut off"),
        (lambda _text: "garbage\n", "not a signature line"),
        (lambda _text: "— w0.example " + "A" * 200_000 + "\n", ""),
        (lambda text: str(notes.sign_text(text, OTHER, seconds=NOON // SECOND)), "without a cosignature"),
        (lambda text: str(notes.sign_text(text.replace("\n1\n", "\n2\n"), three_key(), seconds=NOON // SECOND)), ""),
        (lambda text: str(notes.sign_text(text, three_key(), seconds=NOON // SECOND + 301)), "clocks is wrong"),
        (lambda text: str(notes.sign_text(text, three_key(), seconds=NOON // SECOND - 301)), "clocks is wrong"),
    ],
)
def test_a_witness_that_lies_does_not_count_and_is_told_of(tmp_path: Path, answer: Any, word: str) -> None:
    three = Three(tmp_path, 3)
    with three.world.store() as store:
        sequencer = three.sequencer(store, {0: Lying(three.keys[0], answer)})
        three.grow(store, sequencer, range(1))
        assert sequencer.head.size == 1
        assert sequencer.cosigned_size() == 0
        assert three.cosigned_by() == {"w1.example", "w2.example"}, "what it sent is not published"
        told = {each.name: each.problem for each in sequencer.cosigning.witnessing()}
        assert word in str(told[three.names[0]])
        assert told[three.names[1]] is None
        sequencer.watched_by(dict(zip(three.names, three.locals, strict=True)))
        sequencer.tick()
        assert sequencer.cosigned_size() == 1
        assert sequencer.cosigning.problems == {}
        sequencer.close()


OTHER = SignerKey.generate("other.example", SeededEntropy("other"), KeyType.COSIGNATURE_V1)


def three_key() -> SignerKey:
    return SignerKey.generate("w0.example", SeededEntropy("0"), KeyType.COSIGNATURE_V1)


def test_a_fault_while_one_is_asked_does_not_keep_the_others_from_being_heard(tmp_path: Path) -> None:
    three = Three(tmp_path)
    with three.world.store() as store:
        sequencer = three.sequencer(store, {1: Odd()})
        three.grow(store, sequencer, range(2))
        assert sequencer.cosigned_size() == 2
        assert "RuntimeError" in sequencer.cosigning.problems[three.names[1]].message
        sequencer.close()


def test_a_slow_witness_holds_up_nobody_and_its_late_answer_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchglass.runtime.cosigning.ASK_S", 0.05)
    three = Three(tmp_path, 3)
    slow = Stuck(three.locals[2])
    with three.world.store() as store:
        sequencer = three.sequencer(store, {2: slow})
        three.grow(store, sequencer, range(3))
        assert slow.asked.wait(20)
        assert sequencer.head.size == 3
        wait_until(lambda: three.cosigned_by() == {"w0.example", "w1.example"})
        assert sequencer.cosigned_size() == 0
        three.grow(store, sequencer, range(3, 7))
        assert sequencer.head.size == 7
        wait_until(lambda: three.cosigned_by() == {"w0.example", "w1.example"})
        assert slow.times == 1, "it is not asked again while it has not answered"
        slow.go.set()
        wait_until(lambda: sequencer.cosigned_size() == 3)
        ((size, note),) = three.agreed
        assert size == 3, "the checkpoint that it was asked for then"
        policy.parse(trust(three)).accept(note)
        sequencer.tick()
        wait_until(lambda: sequencer.cosigned_size() == 7)
        assert three.cosigned_by() == {"w0.example", "w1.example", "w2.example"}
        sequencer.close()
        assert merged_hashes(three.world.tiles)[0].checkpoint.size == 7


def trust(three: Three) -> bytes:
    lines = [f"log {three.world.signer.verifier}"]
    lines += [f"witness w{n} {key.verifier}" for n, key in enumerate(three.keys)]
    lines += ["group witnesses 3 w0 w1 w2", "quorum witnesses", ""]
    return "\n".join(lines).encode()


def wait_until(true: Any) -> None:
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_witness_that_answers_after_the_end_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchglass.runtime.cosigning.ASK_S", 0.05)
    three = Three(tmp_path, 3)
    slow = Stuck(three.locals[2])
    with three.world.store() as store:
        sequencer = three.sequencer(store, {2: slow})
        three.grow(store, sequencer, range(3))
        assert slow.asked.wait(20)
        wait_until(lambda: three.cosigned_by() == {"w0.example", "w1.example"})
        sequencer.close()
        before = three.world.tiles.read("checkpoint")
        slow.go.set()
        wait_until(lambda: not sequencer.cosigning._asking._busy)
        assert three.world.tiles.read("checkpoint") == before


def test_agreement_is_remembered_over_a_restart_and_never_goes_back(tmp_path: Path) -> None:
    three = Three(tmp_path)
    with three.world.store() as store:
        sequencer = three.sequencer(store)
        three.grow(store, sequencer, range(6))
        sequencer.close()
        again = three.world.sequencer(store)
        assert again.cosigned_size() == 6
        again.watched_by({}, [Agreement(frozenset({"new.example+00000000"}), 1)])
        assert again.cosigned_size() == 6, "what witnesses have seen stays seen"
        assert again.cosigning.witnessed_ms() == NOON, "and the time until it would stop runs from there"
        again.close()


def test_what_an_older_version_remembered_is_still_seen(tmp_path: Path) -> None:
    three = Three(tmp_path)
    with three.world.store() as store:
        sequencer = three.sequencer(store)
        three.grow(store, sequencer, range(6))
        sequencer.close()
        old = "UPDATE setting SET value = '{\"w0.example\": 6, \"w1.example\": 4}' WHERE key = 'ledger.cosigned'"
        store.commit(lambda tx: tx.execute(old))
        again = three.sequencer(store)
        assert again.cosigned_size() == 6
        again.tick()
        assert {each.size for each in again.cosigning.witnessing()} == {6}
        again.close()


def test_witnesses_of_a_quiet_log_are_asked_again_before_it_would_stop(tmp_path: Path) -> None:
    three = Three(tmp_path)
    with three.world.store() as store:
        sequencer = three.sequencer(store, witnessed_within=HOUR)
        three.grow(store, sequencer, range(2))
        assert sequencer.cosigning.witnessed_ms() == NOON
        three.advance(14 * MINUTE)
        sequencer.tick()
        assert sequencer.cosigning.witnessed_ms() == NOON
        three.advance(2 * MINUTE)
        sequencer.tick()
        assert sequencer.cosigning.witnessed_ms() == NOON + 16 * MINUTE
        data = three.world.tiles.read("checkpoint")
        assert data is not None
        opened = checkpoints.open_checkpoint(data, [three.world.signer.verifier, *(k.verifier for k in three.keys)])
        assert len(opened.note.signatures) == 4, "each witness once"
        times = {v.seconds for v in opened.note.verified if v.seconds is not None}
        assert times == {(NOON + 16 * MINUTE) // SECOND}
        sequencer.close()


def test_a_quiet_log_is_left_alone_where_no_charter_asks_for_fresh_cosignatures(tmp_path: Path) -> None:
    three = Three(tmp_path)
    with three.world.store() as store:
        sequencer = three.sequencer(store)
        three.grow(store, sequencer, range(2))
        three.advance(10 * HOUR)
        sequencer.tick()
        assert sequencer.cosigning.witnessed_ms() == NOON
        sequencer.close()


def test_a_log_with_two_pasts_is_told_so(tmp_path: Path) -> None:
    three = Three(tmp_path, 1)
    (tmp_path / "other").mkdir()
    other = World.make(tmp_path / "other", seed="another")
    with three.world.store() as store, other.store() as second:
        sequencer = three.sequencer(store)
        three.grow(store, sequencer, range(4))
        sequencer.close()
        liar = Sequencer(second, other.tiles, three.world.signer, three.clock)
        liar.watched_by(dict(zip(three.names, three.locals, strict=True)), [three.agreement])
        second.commit(lambda tx: [tx.record(other.prompt(number + 50)) for number in range(4)])
        for _ in range(2):
            liar.tick(EVERYTHING)
            told = liar.cosigning.problems[three.names[0]]
            assert isinstance(told, DidNotVerify)
            assert "cosigned other entries of this log" in told.message
            assert "two pasts" in told.fix
        assert liar.cosigned_size() == 0
        assert liar.head.size == 4, "it goes on, and everybody is told"
        ((_, fork),) = three.directory(0).evidence()
        assert "two different histories of 4 entries" in fork.sentence
        liar.close()
