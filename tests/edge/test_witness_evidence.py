"""A witness that is shown two pasts keeps both; so does whoever verifies a log that contradicts what was seen."""

from __future__ import annotations

import json
import os
from pathlib import Path

import httpx
import pytest
from ledger_world import LOG, World, entries, serve_app

from watchglass.cli.main import main
from watchglass.core.errors import CannotRecord
from watchglass.edge.clock import VirtualClock
from watchglass.edge.entropy import SeededEntropy
from watchglass.edge.witness import MOST_UNPROVEN, WitnessDirectory, new_witness, open_witness
from watchglass.ledger import merkle, note
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.fork import Fork, ForkKind
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.witness import NotCosigned, Request

HASHES = merkle.leaf_hashes([b"%d" % i for i in range(400)])
OTHERS = merkle.leaf_hashes([b"other %d" % i for i in range(400)])
NOW = 1_795_435_200_000


def signed(size: int, hashes: list[bytes] = HASHES, *more: note.Signature) -> bytes:
    return note.add_signatures(Checkpoint(LOG.name, size, merkle.root(hashes[:size])).sign([LOG]), more)


def prove(old: int, new: int, hashes: list[bytes] = HASHES) -> tuple[bytes, ...]:
    return tuple(merkle.consistency_proof(merkle.reader_of(hashes[:new]), old, new))


@pytest.fixture
def witness(tmp_path: Path) -> WitnessDirectory:
    new_witness(tmp_path / "w", "w1.example", SeededEntropy("witness"))
    witness = open_witness(tmp_path / "w", [LOG.verifier], clock=VirtualClock(NOW))
    witness.add_checkpoint(Request(0, (), signed(100)).encode())
    return witness


def refused(witness: WitnessDirectory, request: Request) -> int:
    with pytest.raises(NotCosigned) as caught:
        witness.add_checkpoint(request.encode())
    return int(caught.value.status)


@pytest.mark.parametrize("old", [100, 0, 50])
def test_another_tree_of_the_same_size_is_kept_whatever_the_old_size_says(
    witness: WitnessDirectory, tmp_path: Path, old: int
) -> None:
    assert refused(witness, Request(old, (), signed(100, OTHERS))) == 409
    ((name, fork),) = witness.evidence()
    assert fork.kind is ForkKind.SAME_SIZE
    assert fork.check().at_s == NOW // 1000
    note.open_note(fork.known, [witness.key])
    assert fork.after.root == merkle.root(OTHERS[:100])
    assert Fork.parse((tmp_path / "w" / "evidence" / f"{name}.json").read_bytes()) == fork
    assert refused(witness, Request(old, (), signed(100, OTHERS))) == 409
    assert len(witness.evidence()) == 1, "the same pair once"
    latest = witness.latest(LOG.name)
    assert latest is not None
    assert latest.root == merkle.root(HASHES[:100]), "it stays with what it cosigned"


def test_a_larger_tree_without_a_proof_is_kept_and_settled_when_the_proof_comes(witness: WitnessDirectory) -> None:
    assert refused(witness, Request(100, (), signed(120))) == 422
    assert refused(witness, Request(100, prove(100, 130, OTHERS), signed(130, OTHERS))) == 422
    assert sorted((fork.kind, fork.after.size) for _, fork in witness.evidence()) == [
        (ForkKind.UNPROVEN, 120),
        (ForkKind.UNPROVEN, 130),
    ]
    witness.add_checkpoint(Request(100, prove(100, 120), signed(120)).encode())
    ((_, fork),) = witness.evidence()
    assert fork.after.root == merkle.root(OTHERS[:130]), "what was proven later contradicts nothing"


def test_requests_that_show_nothing_leave_no_evidence(witness: WitnessDirectory) -> None:
    assert refused(witness, Request(50, (), signed(120))) == 409
    assert refused(witness, Request(100, (bytes(32),), signed(100))) == 422
    assert refused(witness, Request(120, (), signed(110))) == 400
    forged = note.sign_note(note.parse_note(signed(100, OTHERS)).text, [SignerKey.from_seed("x.example", b"x" * 32)])
    assert refused(witness, Request(100, (), forged)) == 403
    assert witness.evidence() == []


def test_nobody_fills_the_disk_with_bad_proofs(witness: WitnessDirectory) -> None:
    for size in range(101, 101 + MOST_UNPROVEN + 5):
        assert refused(witness, Request(100, (), signed(size))) == 422
    assert len(witness.evidence()) == MOST_UNPROVEN
    assert refused(witness, Request(100, (), signed(100, OTHERS))) == 409
    assert len(witness.evidence()) == MOST_UNPROVEN + 1, "two trees of one size are always kept"


def test_whoever_holds_the_logs_key_does_not_fill_the_disk_either(
    witness: WitnessDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchglass.edge.witness.MOST_FORKS", 3)
    assert refused(witness, Request(100, (), signed(120))) == 422
    for number in range(6):
        other = merkle.leaf_hashes([b"%d" % (number * 1000 + i) for i in range(100)])
        refused(witness, Request(100, (), signed(100, other[::-1])))
    kinds = [fork.kind for _, fork in witness.evidence()]
    assert sorted(kinds) == [ForkKind.SAME_SIZE] * 3 + [ForkKind.UNPROVEN]


def test_only_the_logs_own_signature_is_kept_of_what_was_shown(witness: WitnessDirectory) -> None:
    stranger = SignerKey.from_seed("stranger.example", b"s" * 32)
    junk = note.sign_text(note.parse_note(signed(100, OTHERS)).text, stranger)
    assert refused(witness, Request(100, (), signed(100, OTHERS, junk))) == 409
    ((_, fork),) = witness.evidence()
    assert [line.name for line in note.parse_note(fork.shown).signatures] == [LOG.name]
    more = note.sign_text(note.parse_note(signed(101)).text, stranger)
    witness.add_checkpoint(Request(100, prove(100, 101), signed(101, HASHES, more)).encode())
    assert refused(witness, Request(101, (), signed(101, OTHERS))) == 409
    known = next(fork.known for _, fork in witness.evidence() if fork.before.size == 101)
    assert [line.name for line in note.parse_note(known).signatures] == [LOG.name, "w1.example"]


def test_evidence_that_cannot_be_written_is_told_and_nothing_is_cosigned(
    witness: WitnessDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        with pytest.raises(CannotRecord):
            witness.add_checkpoint(Request(100, (), signed(100, OTHERS)).encode())
    assert witness.evidence() == []
    assert refused(witness, Request(100, (), signed(100, OTHERS))) == 409
    assert len(witness.evidence()) == 1


def test_everybody_can_read_the_evidence_over_http(witness: WitnessDirectory, tmp_path: Path) -> None:
    with serve_app(witness) as url, httpx.Client(base_url=url) as web:
        assert web.get("/evidence").json() == []
        assert "evidence" not in web.get("/").text
        assert web.post("/add-checkpoint", content=Request(100, (), signed(100, OTHERS)).encode()).status_code == 409
        (line,) = web.get("/evidence").json()
        assert "two different histories of 100 entries" in line["sentence"]
        assert f"evidence/{line['name']}" in web.get("/").text
        answer = web.get(f"/evidence/{line['name']}")
        assert Fork.parse(answer.content).check().kind is ForkKind.SAME_SIZE
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert web.get("/evidence/nothing").status_code == 404
        assert web.get("/evidence/..%2Fwitness.key").status_code == 404
        (tmp_path / "w" / "evidence" / f"{line['name']}.json").write_bytes(b"{}")
        assert web.get("/evidence").status_code == 400
        assert "cannot be read" in web.get("/").text


def test_the_command_prints_the_evidence_as_a_sentence_with_both(
    witness: WitnessDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["witness", "evidence", str(tmp_path / "w")]) == 0
    assert "Nothing that the witness" in capsys.readouterr().out
    refused(witness, Request(100, (), signed(100, OTHERS)))
    assert main(["witness", "evidence", str(tmp_path / "w")]) == 1
    said = capsys.readouterr().out
    assert "signed two different histories of 100 entries" in said
    assert signed(100).decode() in said.replace(said[said.index("— w1.example") :].split("\n", 1)[0] + "\n", "", 1)
    assert signed(100, OTHERS).decode() in said
    assert main(["witness", "evidence", str(tmp_path / "w"), "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["evidence"]
    assert (found["kind"], found["origin"]) == ("same_size", LOG.name)
    assert main(["witness", "evidence", str(tmp_path / "nowhere")]) == 2
    file = next((tmp_path / "w" / "evidence").iterdir())
    file.write_bytes(file.read_bytes().replace(b"same_size", b"shrunk"))
    assert main(["witness", "evidence", str(tmp_path / "w")]) == 4


# ---- whoever verifies --------------------------------------------------------------------------------------------


def verify(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, object]]:
    code = main(["ledger", "verify", *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def kept(path: Path) -> Fork:
    (file,) = (path.with_name(f"{path.name}.evidence")).iterdir()
    return Fork.parse(file.read_bytes()).check()


@pytest.mark.parametrize(
    ("size", "start", "kind"),
    [(300, 1, ForkKind.SAME_SIZE), (400, 1, ForkKind.REWRITTEN), (200, 0, ForkKind.SHRUNK)],
)
def test_a_log_that_contradicts_what_was_seen_leaves_evidence_beside_the_trust_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], size: int, start: int, kind: ForkKind
) -> None:
    world = World(tmp_path / "ledger")
    before = world.grow(entries(300))
    trust = world.trust(tmp_path / "trust")
    assert verify(capsys, world.tiles.path, "--trust", trust)[0] == 0
    liar = World(tmp_path / "liar")
    after = liar.grow(entries(size, start))
    code, result = verify(capsys, liar.tiles.path, "--trust", trust)
    assert code == 4
    fork = kept(trust)
    assert (fork.kind, fork.known, fork.shown) == (kind, before, after)
    assert str(result["evidence"]) in str(result["message"])
    assert (tmp_path / "trust.seen").read_bytes() == before, "what was seen stays"
    assert verify(capsys, liar.tiles.path, "--trust", trust)[0] == 4
    assert kept(trust) == fork
    assert verify(capsys, world.tiles.path, "--trust", trust)[0] == 0


def test_somebody_elses_checkpoint_shows_a_split_view(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown_to_me, shown_to_them = World(tmp_path / "mine"), World(tmp_path / "theirs")
    shown_to_me.grow(entries(300))
    trust = shown_to_me.trust(tmp_path / "trust")
    theirs = tmp_path / "checkpoint-of-a-friend"
    theirs.write_bytes(shown_to_them.grow(entries(250, 1)))
    code, result = verify(capsys, shown_to_me.tiles.path, "--trust", trust, "--against", theirs)
    assert (code, result["error"]) == (4, "DidNotVerify")
    assert kept(trust).kind is ForkKind.REWRITTEN
    assert kept(trust).known == theirs.read_bytes()
    assert not (tmp_path / "trust.seen").exists(), "a log that shows two pasts is not remembered as good"

    honest = World(tmp_path / "honest")
    theirs.write_bytes(honest.grow(entries(100)))
    honest.grow(entries(200, 100))
    code, result = verify(capsys, honest.tiles.path, "--trust", trust, "--against", theirs)
    assert (code, result["against"]) == (0, [str(theirs)])
    assert main(["ledger", "verify", str(honest.tiles.path), "--trust", str(trust), "--against", str(theirs)]) == 0
    assert "It continues what others got" in capsys.readouterr().out


def test_what_others_hand_on_must_be_the_logs_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = World(tmp_path / "ledger")
    data = world.grow(entries(10))
    trust = world.trust(tmp_path / "trust")
    theirs = tmp_path / "theirs"
    theirs.write_bytes(data)
    assert verify(capsys, world.tiles.path, "--against", theirs)[0] == 2, "keys come from a trust file"
    theirs.write_bytes(
        note.sign_note("other.example\n0\n" + Checkpoint("o", 0, merkle.EMPTY_ROOT).text.split("\n")[2] + "\n", [LOG])
    )
    assert verify(capsys, world.tiles.path, "--trust", trust, "--against", theirs)[0] in {2, 4}
    theirs.write_bytes(b"nothing")
    assert verify(capsys, world.tiles.path, "--trust", trust, "--against", theirs)[0] == 2
    theirs.write_bytes(Checkpoint(LOG.name, 10, bytes(32)).sign([SignerKey.from_seed(LOG.name, b"y" * 32)]))
    assert verify(capsys, world.tiles.path, "--trust", trust, "--against", theirs)[0] == 4
    assert not (tmp_path / "trust.evidence").exists(), "what the log never signed is no evidence against it"
