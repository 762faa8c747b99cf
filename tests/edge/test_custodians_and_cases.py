"""Custodians and investigators on machines of their own, against a real portal: the story, on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from signers_world import Signers, signers
from watchglass.cli.main import main
from watchglass.core.time import SECOND, iso, month_of
from world import read_json


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Signers]:
    with signers(tmp_path, keys=False) as made:
        yield made


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    code = main([*map(str, words), "--json"])
    out = capsys.readouterr().out
    assert out.count("\n") == 1, out
    return code, read_json(out)


def done(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    code, told = run(capsys, *words)
    assert code == 0, told
    return told


def test_the_story_on_the_command_line(capsys: pytest.CaptureFixture[str], people: Signers, tmp_path: Path) -> None:
    scene = people.scene
    for name in ("control-room", "dpo", "oversight"):
        made = done(capsys, "custodian", "rotate", *people.words(name))
        assert (made["custodian"], made["period"]) == (name, month_of(scene.now))
        scene.sealing[name] = people.office(name).keys.month(made["period"])  # type: ignore[assignment]
    people.settle()
    kept = scene.record()
    case = done(
        capsys, "case", "open", *people.words("investigator"), "--purpose", scene.purpose, "--number", "EX-2026-17",
        "--authority", "Order 7 Gs 112/26", "--reason", "Somebody fell.", "--until", iso(scene.now + 86_400_000)[:10],
    )["case"]  # fmt: skip
    people.settle()
    asked = done(
        capsys, "case", "request", *people.words("investigator"), case, "--source", "street",
        "--from", iso(scene.now - 60 * SECOND), "--to", iso(scene.now), "--reason", "How they fell.",
    )  # fmt: skip
    number = asked["request"]
    code, told = run(capsys, "custodian", "approve", *people.words("dpo"), number, "--yes")
    assert (code, told["error"]) == (4, "DidNotVerify"), told  # no witness has cosigned it yet
    people.settle()
    inbox = done(capsys, "custodian", "inbox", *people.words("dpo"))
    (waiting,) = inbox["requests"]
    assert (waiting["id"], waiting["verified"], waiting["case"]["number"]) == (number, True, "EX-2026-17")
    code, told = run(capsys, "custodian", "approve", *people.words("dpo"), number)
    assert (code, told["error"]) == (2, "BadInput")
    for name in ("dpo", "oversight"):
        assert done(capsys, "custodian", "approve", *people.words(name), number[:6], "--yes")["resealed"] == len(kept)
    code, told = run(capsys, "case", "take", *people.words("investigator"), number)
    assert code in {1, 3}, told
    people.settle()
    done(capsys, "case", "take", *people.words("investigator"), number)
    people.settle()
    into = tmp_path / "opened"
    opened = done(capsys, "case", "open-release", *people.words("investigator"), number, "--into", into, "--yes")
    assert opened["approved_by"] == ["dpo", "oversight"]
    assert [Path(file).read_bytes() for file in opened["files"]] == [b"a picture of somebody " * 400] * len(kept)
    status = done(capsys, "case", "status", *people.words("investigator"))
    assert status["cases"][0]["requests"][0]["taken_ms"]
    done(capsys, "case", "close", *people.words("investigator"), case, "--result", "Nothing more.")
