"""Oversight stages an incident, looks whether it was noticed, tells; and publishes its audit. All by command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ledger_world import serve_app

from watchglass.access.roles import May
from watchglass.acts.inspect_openings import take_openings
from watchglass.bootstrap import SystemClock, open_witness
from watchglass.cli.main import main
from watchglass.core.time import HOUR, MINUTE, iso
from watchglass.ledger.keys import VerifierKey
from world import World, make_house


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_house(tmp_path, clock=SystemClock()) as made:
        yield made


@pytest.fixture
def lodged_at(world: World) -> Iterator[str]:
    """The world's own witness, answering on loopback and taking what oversight lodges."""
    logs, oversight = [VerifierKey.parse(world.house.log_vkey)], [world.keys["oversight"].verifier]
    with serve_app(open_witness(world.folder / "people" / "witness", logs, oversight=oversight)) as url:
        yield url


class Oversight:
    """Oversight's machine: its commands, its keys, its files."""

    def __init__(self, world: World, url: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.world, self.url, self.folder, self.capsys = world, url, folder, capsys
        self.key = ["--key", str(world.folder / "people" / "oversight.key")]
        self.file = folder / "challenge.json"
        self.trust = folder / "known.trust"
        world.trust_file(self.trust)

    def run(self, *words: str) -> tuple[int, dict[str, Any]]:
        self.world.house.close()
        try:
            code = main([*words, "--json"])
        finally:
            self.world.reopen()
        return code, json.loads(self.capsys.readouterr().out)

    def plan(
        self, *, source: str = "street", kind: str = "intrusion", ago: int = 2 * MINUTE
    ) -> tuple[int, dict[str, Any]]:
        now = self.world.clock.now()
        words = ["--source", source, "--kind", kind, "--from", iso(now - ago), "--to", iso(now - ago + MINUTE)]
        more = ["--lodge", self.url, "--witness", str(self.world.witness_key), "-o", str(self.file)]
        return self.run("oversight", "challenge", "plan", str(self.world.layout.root), *self.key, *words, *more)

    def check(self) -> tuple[int, dict[str, Any]]:
        openings = self.folder / "openings.json"
        openings.write_bytes(take_openings(self.world.house.acting, self.world.grant(May.TAKE_OPENINGS)).value)
        self.world.settle()
        key = str(self.world.folder / "people" / "openings.key")
        ledger = ["--ledger", str(self.world.layout.ledger), "--trust", str(self.trust)]
        return self.run(
            "oversight",
            "challenge",
            "check",
            str(self.file),
            *ledger,
            "--openings",
            str(openings),
            "--openings-key",
            key,
        )

    def tell(self) -> tuple[int, dict[str, Any]]:
        words = ["--file", str(self.file), "--note", "A colleague walked over the lawn."]
        return self.run("oversight", "challenge", "tell", str(self.world.layout.root), *self.key, *words)

    def tell_in_words(self) -> str:
        words = ["oversight", "challenge", "tell", str(self.world.layout.root), *self.key, "--file", str(self.file)]
        self.world.house.close()
        try:
            assert main(words) == 0
        finally:
            self.world.reopen()
        told = self.capsys.readouterr()
        return told.out + told.err

    def audit(self, *more: str) -> dict[str, Any]:
        _, result = self.run("audit", str(self.world.layout.ledger), "--trust", str(self.trust), *more)
        return result


@pytest.fixture
def oversight(world: World, lodged_at: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Oversight:
    folder = tmp_path / "oversight"
    folder.mkdir()
    return Oversight(world, lodged_at, folder, capsys)


def state(result: dict[str, Any], promise: str) -> str:
    return next(str(each["state"]) for each in result["findings"] if each["promise"] == promise)


def test_a_staged_incident_is_noticed_and_told(oversight: Oversight) -> None:
    code, planned = oversight.plan(ago=-1)
    assert code == 0
    assert len(planned["lodged"]) == 1
    secret = oversight.file.read_text("utf-8")
    assert oversight.file.stat().st_mode & 0o077 == 0
    assert "street" not in planned["lodged"][0]["note"]
    oversight.world.raise_alert()
    oversight.world.settle()
    code, found = oversight.check()
    assert (code, found["result"]) == (0, "noticed")
    assert oversight.file.read_text("utf-8") != secret
    assert "accepted and recorded" in oversight.tell_in_words()
    oversight.world.settle()
    (record,) = oversight.world.records("challenge_told")
    assert record.leaf.clear["result"] == "noticed"
    assert "street" not in record.data.decode()
    assert record.fields["source"] == "street"
    assert state(oversight.audit(), "challenges") == "kept"


def test_what_is_not_in_the_log_may_still_be_on_its_way_and_later_was_missed(oversight: Oversight) -> None:
    oversight.plan(kind="fall")
    oversight.world.raise_alert()
    oversight.world.settle()
    code, early = oversight.check()
    assert code == 1
    assert "on its way" in early["message"]
    code, untold = oversight.tell()
    assert code == 1
    assert "not known yet" in untold["message"]
    oversight.file.unlink()
    oversight.plan(kind="fall", ago=5 * HOUR)
    code, late = oversight.check()
    assert (code, late["result"], late["alert_leaf"]) == (1, "missed", None)
    code, _ = oversight.tell()
    assert code == 0


def test_an_audit_is_published_and_then_audited_itself(oversight: Oversight) -> None:
    report = oversight.folder / "report.json"
    report.write_text(json.dumps(oversight.audit()), "utf-8")
    code, _ = oversight.run(
        "oversight", "publish-audit", str(oversight.world.layout.root), *oversight.key, "--report", str(report)
    )
    assert code == 0
    oversight.world.settle()
    result = oversight.audit()
    assert state(result, "audits") == "kept"
    (record,) = oversight.world.records("audit_published")
    assert record.leaf.clear["size"] < result["size"]


def test_where_the_charter_lets_nobody_audit_it_is_said_how_to_go_on(tmp_path: Path) -> None:
    edits = [("may: [suspend, inspect, audit]", "may: [suspend, inspect]")]
    with make_house(tmp_path, edits=edits) as world:
        clear = {
            "size": 1,
            "root": "A" * 43 + "=",
            "depth": "structure",
            "found": {},
            "breaches": 0,
            "report_sha256": "A" * 43 + "=",
        }
        with pytest.raises(Exception, match="does not let oversight audit"):
            world.house.hand_in(world.sign("audit_published", "oversight", clear, {}))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"size": 3}', '{"watchglass_challenge": 2}'])
def test_other_files_are_refused_with_words(oversight: Oversight, text: str) -> None:
    file = oversight.folder / "other.json"
    file.write_text(text, "utf-8")
    root = str(oversight.world.layout.root)
    for words in (
        ["oversight", "publish-audit", root, *oversight.key, "--report", str(file)],
        ["oversight", "challenge", "tell", root, *oversight.key, "--file", str(file)],
    ):
        code, error = oversight.run(*words)
        assert code == 2
        assert error["fix"]


def test_a_challenge_that_ends_before_it_begins_or_overwrites_another(oversight: Oversight) -> None:
    oversight.file.write_text("mine", "utf-8")
    assert oversight.plan()[0] == 2
    assert oversight.file.read_text("utf-8") == "mine"
    oversight.file.unlink()
    words = ["--source", "street", "--kind", "fall", "--from", "2026-11-23T14:05Z", "--to", "2026-11-23T14:05Z"]
    more = ["--lodge", oversight.url, "-o", str(oversight.file)]
    code, error = oversight.run(
        "oversight", "challenge", "plan", str(oversight.world.layout.root), *oversight.key, *words, *more
    )
    assert (code, "ends after" in error["message"]) == (2, True)
    assert not oversight.file.exists()
