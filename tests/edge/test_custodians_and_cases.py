"""Custodians and investigators on machines of their own, against a real portal: the story, on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
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


# ---- exports ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def filmed(tmp_path: Path) -> Iterator[Signers]:
    with signers(tmp_path) as made:
        made.film()
        yield made


def test_an_export_is_verified_offline_and_whoever_changes_it_is_caught(
    capsys: pytest.CaptureFixture[str], filmed: Signers, tmp_path: Path
) -> None:
    number = filmed.taken()
    video = tmp_path / "street.mp4"
    told = done(
        capsys, "evidence", "export", *filmed.words("investigator"), number, "-o", video, "--with-case",
        "--with-reason", "--yes",
    )  # fmt: skip
    manifest = tmp_path / "street.mp4.manifest"
    assert told["manifest"] == str(manifest)
    with av.open(str(video)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert len(times) == 3 * 10 * 5
    assert times[0] == pytest.approx(0, abs=0.01)
    assert times[-1] == pytest.approx(29.8, abs=0.05)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    trust = filmed.scene.world.trust_file(elsewhere / "trust")
    checked = done(capsys, "evidence", "verify", video, "--trust", trust)
    assert checked["approved_by"] == ["dpo", "oversight"]
    assert checked["request"]["reason"] == "To see how the person fell, and who helped."
    assert len(checked["segments"]) == 3
    assert checked["witnesses"]
    code, told = run(capsys, "evidence", "export", *filmed.words("investigator"), number, "-o", video, "--yes")
    assert (code, told["error"]) == (2, "BadInput")  # nothing is overwritten

    data, signed = video.read_bytes(), manifest.read_bytes()
    for file, changed in (
        (video, data[:-1] + bytes([data[-1] ^ 1])),
        (video, data[:-1]),
        (manifest, signed.replace(b"street", b"square", 1)),
        (manifest, signed.replace(b'"made":"The', b'"made":"Teh', 1)),
    ):
        assert changed != file.read_bytes()
        file.write_bytes(changed)
        code, told = run(capsys, "evidence", "verify", video, "--trust", trust)
        assert code in {2, 4}, told
        video.write_bytes(data)
        manifest.write_bytes(signed)
    assert run(capsys, "evidence", "verify", video, "--trust", trust)[0] == 0


def test_an_export_shows_no_more_than_the_exporter_chose(
    capsys: pytest.CaptureFixture[str], filmed: Signers, tmp_path: Path
) -> None:
    number = filmed.taken()
    video = tmp_path / "street.mp4"
    done(capsys, "evidence", "export", *filmed.words("investigator"), number, "-o", video, "--yes")
    checked = done(capsys, "evidence", "verify", video, "--trust", filmed.machine("dpo") / "trust")
    assert checked["request"].keys() == {"source", "from_ms", "to_ms"}
    text = Path(checked["video"] + ".manifest").read_bytes()
    for secret in (b"EX-2026-17", b"district court", b"how the person fell", b"Ines"):
        assert secret not in text
