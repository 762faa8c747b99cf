"""Oversight's room of audits: a report beside the trust file is shown and published; a challenge is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_desk_of_oversight import Sitting
from test_desk_wall import PORT, inside

from signers_world import Signers, signers
from watchglass.bootstrap import SeededEntropy, VirtualClock, auditing, challenging
from watchglass.bootstrap.challenging import Challenge
from watchglass.core.time import MINUTE
from watchglass.ledger.lodging import Lodged
from watchglass.web.desk.app import Desk
from watchglass.web.desk.wall import Session
from world import NOON


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Signers]:
    with signers(tmp_path / "place", clock=VirtualClock(NOON)) as made:
        made.scene.keys |= {
            "board": made.scene.world.keys["oversight"],
            "authority": made.scene.world.keys["authority"],
        }
        yield made


@pytest.fixture
def sit(people: Signers, tmp_path: Path) -> Callable[[str], Sitting]:
    def at(who: str) -> Sitting:
        desk = Desk(people.office(who), Session.fresh(PORT, SeededEntropy(who)), exports=tmp_path / "exports")
        return Sitting(desk, inside(desk))

    return at


def report(people: Signers, board: Sitting, name: str = "report.json") -> Path:
    """What the audit command prints, saved beside the trust file."""
    people.scene.world.settle()
    trust = board.desk.office.trust
    result = auditing.audit(str(people.scene.world.layout.ledger), trust, clock=people.scene.world.clock)
    file = trust.resolve().parent / name
    file.write_text(json.dumps(result), "utf-8")
    return file


def challenge(people: Signers, board: Sitting, **more: Any) -> Path:
    origin = people.scene.world.house.origin
    values = {"source": "street", "kind": "intrusion", "from_ms": NOON, "to_ms": NOON + MINUTE, "salt": "00" * 8}
    note = Lodged.of(origin, b"a challenge", NOON // 1000).sign(people.scene.world.witness._witness._signer).decode()
    file = board.desk.office.trust.resolve().parent / "lawn.challenge"
    challenging.write(file, Challenge(origin, **{**values, "notes": (note,), "result": "missed", **more}))
    return file


def test_an_audit_is_offered_shown_and_published(people: Signers, sit: Callable[[str], Sitting]) -> None:
    board = sit("board")
    assert "There is no report of this deployment there." in board.read("/audits")
    file = report(people, board)
    assert "report.json" in board.read("/audits")
    page = board.asks("/audits/publish", file=str(file))
    value = json.loads(file.read_bytes())
    assert value["verdict"] in page
    assert value["report_sha256"].replace("+", "&#43;") in page.replace("+", "&#43;")
    assert "broken: " in page
    assert people.scene.world.records("audit_published") == []
    seen = page.split('name="seen" value="')[1].split('"')[0]
    board.does("/audits/publish", file=str(file), seen=seen)
    people.scene.world.settle()
    (record,) = people.scene.world.records("audit_published")
    assert record.leaf.clear["found"] == {each["promise"]: each["state"] for each in value["findings"]}


def test_a_report_that_changed_meanwhile_is_not_signed(people: Signers, sit: Callable[[str], Sitting]) -> None:
    board = sit("board")
    file = report(people, board)
    seen = board.asks("/audits/publish", file=str(file)).split('name="seen" value="')[1].split('"')[0]
    file.write_text(file.read_text("utf-8") + " ", "utf-8")
    answer = board.send("/audits/publish", file=str(file), seen=seen, sure="yes")
    assert answer.status_code == 400
    assert "changed since you looked" in answer.text
    assert people.scene.world.records("audit_published") == []


def test_other_files_and_other_logs_are_refused(people: Signers, sit: Callable[[str], Sitting], tmp_path: Path) -> None:
    board = sit("board")
    file = report(people, board)
    other = tmp_path / "other.json"
    other.write_text(json.dumps({**json.loads(file.read_bytes()), "origin": "demo.elsewhere.example"}), "utf-8")
    assert "demo.elsewhere.example" in board.send("/audits/publish", file=str(other)).text
    for text in ("", "[]", '{"verdict": 3}', "[" * 100_000):
        other.write_text(text, "utf-8")
        assert board.send("/audits/publish", file=str(other)).status_code == 400
        assert board.send("/audits/tell", file=str(other)).status_code == 400
    assert board.send("/audits/publish", file=str(tmp_path / "nowhere")).status_code == 400
    assert board.send("/audits/publish", file=str(tmp_path)).status_code == 400
    assert board.send("/audits/publish", file="").status_code == 400


def test_a_challenge_is_told_once_its_end_is_known(people: Signers, sit: Callable[[str], Sitting]) -> None:
    board = sit("board")
    challenge(people, board, result=None)
    assert "There is none there whose end is known." in board.read("/audits")
    file = challenge(people, board)
    assert "intrusion at street: missed" in board.read("/audits")
    page = board.asks("/audits/tell", file=str(file), note="A colleague walked over the lawn.")
    sealed = page.index("Sealed to oversight")
    assert sealed < page.index("A colleague walked over the lawn.")
    seen = page.split('name="seen" value="')[1].split('"')[0]
    board.does("/audits/tell", file=str(file), note="A colleague walked over the lawn.", seen=seen)
    people.scene.world.settle()
    (record,) = people.scene.world.records("challenge_told")
    assert (record.leaf.clear["result"], record.fields["source"]) == ("missed", "street")


def test_only_oversight_has_this_room(people: Signers, sit: Callable[[str], Sitting]) -> None:
    board, authority = sit("board"), sit("authority")
    file = report(people, board)
    assert 'href="/audits"' not in authority.read("/")
    assert authority.send("/audits/publish", file=str(file), sure="yes").status_code in {403, 404}
    assert people.scene.world.records("audit_published") == []
