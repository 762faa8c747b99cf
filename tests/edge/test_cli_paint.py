"""``watchglass paint`` as a person runs it: what it prints, its exit codes, and what it leaves when it is stopped."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from films import pictures_of, walk, write

from watchglass.cli.main import main
from watchglass.views.public import GREY


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("yard") / "yard.mp4", walk(40))


def left(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_it_says_what_it_did_and_what_to_look_at(
    yard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["paint", str(yard), str(tmp_path / "out.mp4")]) == 0
    told = capsys.readouterr()
    assert "out.mp4: 40.0 s, 200 pictures read" in told.out
    assert f"Look at {tmp_path / 'out.mp4.backdrop.png'} before you give" in told.err
    assert "--grey X,Y,W,H" in told.err
    assert left(tmp_path) == ["out.mp4", "out.mp4.backdrop.png"]


def test_the_report_on_stdout_is_one_object(yard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paint", str(yard), str(tmp_path / "out.mp4"), "--json", "-", "--grey", "0,0,32,32"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    report = json.loads(out)
    assert (report["command"], report["mode"], report["frames"]) == ("paint", "painted", 200)
    assert report["backdrop_confirmed"] is False
    assert report["parameters"]["grey"] == [[0, 0, 32, 32]]
    assert len(report["sha256_in"]) == len(report["sha256_out"]) == len(report["model_sha256"]) == 64
    assert str(tmp_path) not in out


def test_the_report_in_a_file_comes_beside_the_text(
    yard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "report.json"
    words = ["paint", "--mode", "mosaic", "--json", str(file), str(yard), str(tmp_path / "out.mp4")]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "A mosaic is not anonymity" in out
    report = json.loads(file.read_text("utf-8"))
    assert report["mode"] == "mosaic"
    assert 0 < report["mosaicked_median"] < 1
    assert any("not anonymity" in line for line in report["told"])


def test_a_short_file_is_grey_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / "in.mp4", walk(5))
    assert main(["paint", str(source), str(tmp_path / "out.mp4")]) == 0
    told = capsys.readouterr()
    assert "The file lasts 5.0 s." in told.out
    assert "Look at" not in told.err, "there is no picture to look at"
    assert left(tmp_path) == ["in.mp4", "out.mp4"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["missing.mp4", "out.mp4"], 2, "There is no video file missing.mp4"),
        (["junk.mp4", "out.mp4"], 2, "is not a video that can be read"),
        (["yard.mp4", "yard.mp4"], 2, "may not replace the original"),
        (["yard.mp4", "out.mkv"], 2, "is an MP4"),
        (["yard.mp4", "out.mp4", "--grey", "1,2,3"], 2, "is not X,Y,WIDTH,HEIGHT"),
        (["yard.mp4", "out.mp4", "--grey", "9000,2,3,4"], 2, "is not in the picture"),
        (["yard.mp4", "out.mp4", "--fps", "0"], 2, "is not a number"),
        (["yard.mp4", "out.mp4", "--hide-below", "2.7"], 2, "is not a whole number"),
        (["yard.mp4", "out.mp4", "--backdrop", "none.png"], 2, "There is no file none.png"),
        (["yard.mp4", "out.mp4", "--backdrop", "junk.mp4"], 2, "is not a backdrop"),
        (["yard.mp4", "out.mp4", "--backdrop", "junk.mp4", "--no-backdrop"], 2, "not allowed with"),
        (["yard.mp4", "out.mp4", "--json", "yard.mp4"], 2, "may not replace a video"),
        (["yard.mp4", "out.mp4", "--json", "out.mp4.backdrop.png"], 2, "or an empty scene"),
        (["--json", "junk.mp4", "yard.mp4", "out.mp4"], 2, "junk.mp4 is there already"),
        (["yard.mp4", "out.mp4", "--json", "no/where.json"], 2, "No report can be written"),
        (["yard.mp4"], 2, "required: OUT"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(
    words: list[str],
    code: int,
    says: str,
    yard: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "yard.mp4").write_bytes(yard.read_bytes())
    (tmp_path / "junk.mp4").write_bytes(b"junk" * 100)
    assert main(["paint", *words]) == code
    told = capsys.readouterr().err
    assert says in told
    assert "What to do: " in told
    assert "operator" not in told, "there is none here"
    assert (tmp_path / "junk.mp4").read_bytes() == b"junk" * 100
    assert left(tmp_path) == ["junk.mp4", "yard.mp4"]
    assert (tmp_path / "yard.mp4").read_bytes() == yard.read_bytes()


def command(*words: object) -> list[str]:
    # -B: where the disk is full, what Python keeps of its modules would be cut off too, for all who come after
    return [sys.executable, "-B", "-m", "watchglass", "paint", *map(str, words)]


def test_a_full_disk_leaves_nothing(yard: Path, tmp_path: Path) -> None:
    """The limit on the size of a file stands in for the disk's: writing fails in the middle in the same way."""

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000))

    done = subprocess.run(
        command(yard, tmp_path / "out.mp4", "--mode", "mosaic"), preexec_fn=small, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "The machine refused" in done.stderr
    assert left(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_polite_kill_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    """It is stopped as soon as it has begun to write; once more with a longer film if it was done before that."""
    folder = tmp_path / "out"
    folder.mkdir()
    for seconds in (30, 90, 270):
        long = write(tmp_path / "long.mp4", walk(seconds, fps=20), fps=20)
        words = command(long, folder / "out.mp4", "--mode", "mosaic", "--fps", "20", "--force")
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
            while not any(folder.iterdir()) and running.poll() is None:
                time.sleep(0.02)
            running.send_signal(number)
            _, told = running.communicate(timeout=120)
        if running.returncode != 0:
            break
        assert left(folder) == ["out.mp4"], "it was done before it could be stopped"
        (folder / "out.mp4").unlink()
    assert running.returncode == 130
    assert b"Stopped." in told
    assert left(folder) == []


def test_a_grey_place_that_is_asked_for_is_grey_in_the_copy(yard: Path, tmp_path: Path) -> None:
    words: list[Any] = [yard, tmp_path / "out.mp4", "--grey", "64,32,64,64"]
    subprocess.run(command(*words), check=True, capture_output=True)
    last = pictures_of(tmp_path / "out.mp4")[-1][1].astype(int)
    far = np.abs(last - GREY).max(axis=2) > 24
    assert not far[36:92, 68:124].any()
    assert far.any()


def test_the_report_of_before_is_replaced_with_force_only(yard: Path, tmp_path: Path) -> None:
    words = ["paint", str(yard), str(tmp_path / "out.mp4"), "--no-backdrop", "--json", str(tmp_path / "report.json")]
    assert main(words) == 0
    first = (tmp_path / "report.json").read_text("utf-8")
    (tmp_path / "out.mp4").unlink()
    assert main(words) == 2
    assert main([*words, "--force", "--fps", "1"]) == 0
    assert (tmp_path / "report.json").read_text("utf-8") != first


@pytest.mark.parametrize("why", ["no-backdrop", "short"])
def test_an_empty_scene_that_lies_beside_goes_with_force_only(why: str, yard: Path, tmp_path: Path) -> None:
    """It would be taken for that of the new copy, which has none."""
    source = yard if why == "no-backdrop" else write(tmp_path / "in.mp4", walk(5))
    words = ["paint", str(source), str(tmp_path / "out.mp4"), *(["--no-backdrop"] if source == yard else [])]
    beside = tmp_path / "out.mp4.backdrop.png"
    beside.write_bytes(b"precious")
    assert main(words) == 2
    assert beside.read_bytes() == b"precious"
    assert main([*words, "--force"]) == 0
    assert not beside.exists()
