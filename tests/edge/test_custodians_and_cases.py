"""Custodians and investigators on machines of their own, against a real portal: the story, on the command line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from signers_world import Signers, a_film, signers
from watchglass.bootstrap import VirtualClock, custody, join_video, seeking
from watchglass.cli.main import main
from watchglass.core.errors import BadInput, Problem, Refused
from watchglass.core.time import DAY, SECOND, iso, month_of
from watchglass.edge.keys import write_openings_key, write_signing_key
from world import NOON, read_json


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


def test_where_nothing_was_recorded_the_picture_stands_still_and_that_is_said(tmp_path: Path) -> None:
    clock = VirtualClock(NOON)
    with signers(tmp_path / "place", clock=clock) as people:
        people.film(1)
        clock.advance(30 * SECOND)
        people.film(1)
        number = people.taken()
        office = people.office("investigator")
        found = seeking.release(office, number)
        assert found.as_json()["gaps"] == [{"from": iso(NOON), "to": iso(NOON + 20 * SECOND)}]
        pieces = [(piece.header.context.from_ms, piece.plaintext) for piece in seeking.opened(office, found)]
    for piped in (False, True):
        with av.open(io.BytesIO(join_video(pieces, piped=piped))) as container:
            times = [frame.time for frame in container.decode(video=0)]
        assert len(times) == 2 * 10 * 5
        assert max(after - before for before, after in pairwise(times)) == pytest.approx(20.2, abs=0.02)
    with pytest.raises(BadInput, match="not video"):
        join_video([(0, b"a picture of somebody")])
    with pytest.raises(BadInput, match="changed its coding"):
        join_video([(0, a_film(1)), (1_000, a_film(1, width=320))])


# ---- keys, holds, emergencies ----------------------------------------------------------------------------------------


def test_a_months_key_is_destroyed_only_once_that_was_accepted(
    tmp_path: Path,
) -> None:
    clock = VirtualClock(NOON)
    with signers(tmp_path, clock=clock) as people:
        people.film()
        people.adopt("dpo")
        file = people.machine("dpo") / "keys" / "2026-11.key"
        office = people.office("dpo")
        hold = people.scene.order_hold()
        for refusal in ("is not over", "has not sealed their shares anew"):
            with pytest.raises(Refused, match=refusal):
                custody.destroy_period(office, "2026-11")
            assert file.exists()
            clock.advance(12 * DAY)  # into December, past the retention of three days
        kept = custody.keep_hold(office, hold)
        assert kept["kept"] == 3
        people.settle()
        before = file.read_bytes()
        link = tmp_path / "the same file"
        link.hardlink_to(file)
        told = custody.destroy_period(office, "2026-11")
        assert not told["recorded_before"]
        assert not file.exists()
        assert link.read_bytes() == bytes(len(before))  # overwritten where it lay
        people.settle()
        (record,) = people.scene.world.records("period_destroyed")
        assert record.leaf.clear == {"custodian": "dpo", "period": "2026-11"}
        with pytest.raises(Problem, match="not in this folder"):
            custody.destroy_period(office, "2026-11")


def test_holds_and_emergencies_on_the_command_line(
    capsys: pytest.CaptureFixture[str], filmed: Signers, tmp_path: Path
) -> None:
    scene = filmed.scene
    key = tmp_path / "oversight.key"
    write_signing_key(key, scene.world.keys["oversight"])
    when = ("--source", "street", "--from", iso(scene.now - 60 * SECOND), "--to", iso(scene.now))
    until = iso(scene.now + 30 * DAY)[:10]
    held = done(
        capsys, "oversight", "hold", filmed.url, "--key", key, *when, "--until", until, "--reason", "A complaint.",
    )  # fmt: skip
    filmed.settle()
    filmed.adopt("dpo")
    kept = done(capsys, "custodian", "keep-hold", *filmed.words("dpo"), held["hold"][:6])
    assert (kept["kept"], kept["ordered_by"]) == (3, "oversight")
    assert (filmed.machine("dpo") / "keys" / kept["file"]).exists()
    words = ("oversight", "lift-hold", filmed.url, "--key", key, held["hold"], "--leaf", held["leaf_hash"])
    done(capsys, *words, "--reason", "It was withdrawn.")

    glass = tmp_path / "glass.key"
    write_openings_key(glass, scene.glass, what="emergency key")
    code, told = run(capsys, "case", "break-glass", *filmed.words("investigator"), "--purpose", scene.purpose,
                     *when, "--reason", "A child is missing.", "--yes")  # fmt: skip
    assert (code, told["error"]) == (3, "Refused"), told
    broken = done(capsys, "case", "break-glass", *filmed.words("shift-lead"), "--purpose", scene.purpose,
                  *when, "--reason", "A child is missing.", "--yes")  # fmt: skip
    code, told = run(capsys, "case", "open-release", *filmed.words("shift-lead"), broken["request"],
                     "--into", tmp_path / "a", "--yes")  # fmt: skip
    assert (code, told["error"]) == (2, "BadInput"), told  # the emergency key is missing
    at_once = done(capsys, "case", "open-release", *filmed.words("shift-lead"), broken["request"],
                   "--into", tmp_path / "now", "--glass-key", glass, "--yes")  # fmt: skip
    assert len(at_once["files"]) == 3
    filmed.settle()
    opened = done(capsys, "case", "open-release", *filmed.words("shift-lead"), broken["request"],
                  "--into", tmp_path / "b", "--glass-key", glass, "--yes")  # fmt: skip
    assert opened["emergency"]
    assert [Path(file).read_bytes()[4:8] for file in opened["files"]] == [b"ftyp"] * 3
    video = tmp_path / "glass.mp4"
    done(capsys, "evidence", "export", *filmed.words("shift-lead"), broken["request"], "-o", video,
         "--glass-key", glass, "--yes")  # fmt: skip
    checked = done(capsys, "evidence", "verify", video, "--trust", filmed.machine("dpo") / "trust")
    assert (checked["emergency"], checked["approved_by"]) == (True, [])
    done(capsys, "case", "follow-up", *filmed.words("shift-lead"), broken["request"], "--report", "She was found.")
    status = done(capsys, "case", "status", *filmed.words("shift-lead"))
    assert status["emergencies"][0]["followed_ms"]
