"""Opened records become facts, and oversight's own command finds what is in them; the house holds no list of places."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from guarded import Guarded, guarded
from watchglass.access.misuse import What
from watchglass.access.misuse.opened import facts_of
from watchglass.cli.main import main
from watchglass.cli.misuse import records_of
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, Problem
from watchglass.core.time import SECOND


def opened(scene: Guarded) -> list[dict[str, Any]]:
    """Every record of a world, as oversight opens it."""
    return [
        {
            "index": place,
            "leaf_hash": b64(record.hash),
            "act": record.leaf.act,
            "hour": record.leaf.hour,
            "role": record.leaf.role,
            "actor": record.leaf.actor,
            "purpose": record.leaf.purpose,
            "clear": dict(record.leaf.clear),
            "refs": [b64(ref) for ref in record.leaf.refs],
            "fields": dict(record.fields),
        }
        for place, record in enumerate(scene.world.records())
    ]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """A release, a request that the house refused, an emergency that nobody explained, an alert that was decided."""
    with guarded(tmp_path_factory.mktemp("story")) as scene:
        alert = scene.world.raise_alert()
        scene.world.decide(alert)
        scene.record()
        request = scene.granted()
        scene.hand_in(scene.taking(request))
        with pytest.raises(Problem):
            scene.hand_in(scene.request(("0" * 16, bytes(32))))
        glass = {
            "request": scene.number(),
            "source": "street",
            "from_ms": scene.now - 60 * SECOND,
            "to_ms": scene.now,
            "reason": "A child is missing.",
            "follow_up_by_ms": scene.now + 60 * SECOND,
        }
        scene.hand_in(scene.sign("glass_broken", "shift-lead", glass, purpose=scene.purpose))
        return opened(scene)


def test_people_accesses_cases_and_answers_are_read(story: list[dict[str, Any]]) -> None:
    facts = facts_of(story)
    assert [(access.person, access.what) for access in facts.accesses] == [
        ("Ines Vermaat", What.CASE_OPENED),
        ("Ines Vermaat", What.RELEASE_REQUEST),
        ("Ines Vermaat", What.RELEASE_TAKEN),
        ("Sam Okoro", What.GLASS_BROKEN),
    ]
    asked, taken = facts.accesses[1], facts.accesses[2]
    assert (asked.source, asked.case, asked.reason) == (
        "street",
        facts.cases[0].id,
        "To see how the person fell, and who helped.",
    )
    assert (taken.source, taken.from_ms, taken.case) == (asked.source, asked.from_ms, asked.case)
    assert {(each.approver, each.approved) for each in facts.approvals} == {("oversight", True), ("dpo", True)}
    assert {each.requester for each in facts.approvals} == {"Ines Vermaat"}
    (incident,) = facts.incidents
    assert incident.settled_ms is not None
    (used,) = facts.breaks
    assert used.followed_ms is None


def test_the_command_tells_signals_and_what_it_cannot_judge(
    story: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A month later something else is recorded, so that whatever can be judged is.
    later = {**story[-1], "leaf_hash": b64(b"l" * 32), "act": "account_changed"}
    later["fields"] = {**later["fields"], "minute": "2026-12-25T14:00Z", "account": "sam"}
    file = tmp_path / "opened.json"
    file.write_text(json.dumps({"opened": len(story) + 1, "entries": [*story, later]}), "utf-8")
    roster = tmp_path / "roster.csv"
    roster.write_text("person,from,to\nSam Okoro,2026-11-23T11:00+00:00,2026-11-23T19:00+00:00\n", "utf-8")
    assert main(["oversight", "misuse", str(file), "--roster", str(roster), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    glass = [each for each in answer["signals"] if each["kind"].startswith("glass")]
    assert glass
    assert "Sam Okoro" in glass[0]["sentence"]
    places, key = tmp_path / "places", tmp_path / "places.key"
    for who, where in (("Ines Vermaat", "street"), ("Ines Vermaat", "street"), ("*", "attic")):
        arguments = ["oversight", "link", who, where, "--places", str(places), "--places-key", str(key), "--json"]
        assert main(arguments) == 0
    capsys.readouterr()
    assert places.stat().st_mode & 0o077 == key.stat().st_mode & 0o077 == 0
    assert b"street" not in places.read_bytes()
    assert len(places.read_text("ascii").splitlines()) == 3
    with_places = ["--places", str(places), "--places-key", str(key)]
    assert main(["oversight", "misuse", str(file), *with_places, "--json"]) == 0
    kinds = {each["kind"] for each in json.loads(capsys.readouterr().out)["signals"]}
    assert "linked-place" in kinds


@pytest.mark.parametrize("answer", [None, [], {"entries": "x"}, {"entries": [3]}, {}], ids=repr)
def test_what_was_not_opened_is_refused(answer: object) -> None:
    with pytest.raises(BadInput, match="oversight open"):
        records_of(answer)


def test_a_torn_record_is_refused(story: list[dict[str, Any]]) -> None:
    with pytest.raises(BadInput, match="oversight open"):
        facts_of([{**story[-1], "fields": {"minute": "2026-11-23T12:00Z"}}])


def test_mistakes_on_the_command_line_say_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "opened.json"
    file.write_text('{"entries": []}', "utf-8")
    roster = tmp_path / "roster.csv"
    for text, words in (("who,when\n", "not a roster"), ("person,from,to\nsam,today,tomorrow\n", "Line 2")):
        roster.write_text(text, "utf-8")
        assert main(["oversight", "misuse", str(file), "--roster", str(roster)]) == 2
        assert words in capsys.readouterr().err
    assert main(["oversight", "misuse", str(file), "--places", str(roster)]) == 2
    assert "belong together" in capsys.readouterr().err
    (tmp_path / "list").write_text("watchglass linked places, version 1\n", "ascii")
    arguments = ["--places", str(tmp_path / "list"), "--places-key", str(tmp_path / "none")]
    assert main(["oversight", "link", "sam", "street", *arguments]) == 2
    assert "its key is not" in capsys.readouterr().err
