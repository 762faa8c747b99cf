"""What the made streams hold, how a figure looks, and which parts the benchmark has."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import measures
import peers
import perception
from canvas import Coding, Grain, Stamp, planar, planes
from streams import Recipe, hard_weather, visits
from watchglass.cli import bench
from watchglass.core.errors import BadInput
from watchglass.perception.observation import Detections

LENGTHS = (40, 80, 100, 120, 300)


# ---- streams -----------------------------------------------------------------------------------------------------


def test_a_tenth_of_ten_minutes_is_six_bursts_of_ten_seconds() -> None:
    bursts = sorted({(v.start, v.end) for v in visits(Recipe("active10", 600), LENGTHS)})
    assert len(bursts) == 6
    assert all(end - start == pytest.approx(10) for start, end in bursts)
    assert [int(start // 100) for start, _ in bursts] == list(range(6))
    assert len({start % 2 for start, _ in bursts}) == 6


def test_somebody_is_there_all_the_time_when_it_is_busy_and_nobody_when_it_is_quiet() -> None:
    busy = visits(Recipe("busy", 60), LENGTHS)
    assert all(sum(v.start <= at < v.end for v in busy) == 6 for at in np.arange(0, 60, 0.5))
    assert visits(Recipe("quiet", 60), LENGTHS) == []
    assert visits(Recipe("quiet-hard", 60), LENGTHS) == []


def test_a_stream_is_named_by_what_went_into_it() -> None:
    variants = [
        Recipe("quiet", 60),
        Recipe("quiet", 60, "vbr"),
        Recipe("quiet", 60, group_s=1.0),
        Recipe("quiet", 60, sub=True),
        Recipe("quiet", 60, seed=8),
        Recipe("quiet", 61),
        Recipe("quiet-hard", 60),
    ]
    assert len({recipe.file() for recipe in variants}) == len(variants)
    assert Recipe("quiet", 60).file() == Recipe("quiet", 60).file()
    sub = Recipe("busy", 60, sub=True).coding
    assert (sub.width, sub.height, sub.fps) == (640, 360, 5)
    assert sub.options()["g"] == "10"


def test_a_group_lasts_as_long_as_is_asked() -> None:
    assert Coding(group_s=4.0).options()["g"] == "100"
    assert Coding().options()["maxrate"] == "4000000"
    assert "crf" in Coding("vbr").options()


def test_noise_has_the_strength_that_is_named_and_is_new_in_each_frame() -> None:
    grain = Grain(np.random.default_rng(1))
    first, second = (np.full((1080, 1920), 128, np.uint8) for _ in range(2))
    grain.add(first)
    grain.add(second)
    a, b = (x.astype(float).ravel() - 128 for x in (first, second))
    assert a.std() == pytest.approx(4, abs=0.05)
    assert abs(float(np.corrcoef(a, b)[0, 1])) < 0.01


def test_a_cut_out_changes_the_picture_where_it_is_and_nowhere_else() -> None:
    picture = planar(np.full((120, 160, 3), 90, np.uint8))
    before = picture.copy()
    red = np.zeros((20, 10, 3), np.uint8)
    red[..., 2] = 255
    Stamp.of(red, np.ones((20, 10), np.float32), 20, 40).draw(picture, 150, 100)
    changed = [np.argwhere(a != b) for a, b in zip(planes(picture), planes(before), strict=True)]
    assert changed[0].min(axis=0).tolist() == [100, 150]
    assert len(changed[0]) == 20 * 10
    assert len(changed[2]) == 10 * 5
    Stamp.of(red, np.ones((20, 10), np.float32), 20, 40).draw(picture, 500, 500)


def test_the_clock_moves_and_the_exposure_drifts() -> None:
    change = hard_weather(3)
    shown = []
    for number in (0, 25, 500):
        picture = planar(np.full((1080, 1920, 3), 100, np.uint8))
        change(number, picture)
        shown.append(planes(picture)[0])
    assert (shown[0][24:72, 1540:1900] != shown[1][24:72, 1540:1900]).any()
    assert abs(float(np.median(shown[0])) - float(np.median(shown[2]))) > 3


# ---- figures -----------------------------------------------------------------------------------------------------


def test_intervals_are_those_of_the_books() -> None:
    low, high = measures.wilson(294, 300)
    assert (low, high) == pytest.approx((0.9570, 0.9908), abs=1e-4)
    assert measures.wilson(0, 0) == (0.0, 1.0)
    values = [float(v) for v in range(1, 101)]
    assert measures.quantile(values, 0.95) == 95
    assert measures.quantile(values, 0.5) == 50
    low, high = measures.quantile_interval(values, 0.95)
    assert low < 95 < high


def test_a_figure_knows_whether_it_met_its_target() -> None:
    assert measures.figure("a", 0.1, 0.2)["ok"] is True
    assert measures.figure("a", 0.1, 0.2, better="higher")["ok"] is False
    assert measures.figure("a", None, 0.2)["ok"] is None
    assert measures.figure("a", 0.1)["ok"] is None


def test_each_part_that_is_left_out_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert perception.FIGURES.keys() == perception.PARTS.keys()
    monkeypatch.setenv("WATCHGLASS_DATA", str(tmp_path))
    found = perception.figures(quick=True, progress=lambda _: None, only=[p for p in perception.PARTS if p != "demo"])
    names = {name for part, rows in perception.FIGURES.items() if part != "demo" for name, _ in rows}
    assert {f["name"] for f in found} == names
    assert all(f["value"] is None and "WATCHGLASS_DATA" in f["note"] for f in found)
    recall = next(f for f in found if f["name"] == "incident_recall_vs_inserted")
    assert (recall["better"], recall["target"]) == ("higher", 0.98)


def test_a_part_that_is_not_there_is_refused_with_the_ones_that_are() -> None:
    for name, only, says in (("perception", ["speed"], "latency"), ("ledger", ["ratios"], "Leave --only out")):
        with pytest.raises(BadInput) as refused:
            bench._run(argparse.Namespace(name=name, only=only, quick=True))
        assert says in refused.value.fix


# ---- peers -------------------------------------------------------------------------------------------------------


def test_a_recorder_looks_at_squares_around_what_moves() -> None:
    size = (1280, 720)
    assert peers.regions([], size) == []
    (alone,) = peers.regions([(0, 0, 40, 100)], size)
    assert alone == (0, 0, 320, 320)
    (large,) = peers.regions([(100, 100, 500, 600)], size)
    assert large[2] == large[3] == 600
    assert len(peers.regions([(10, 10, 50, 50), (1200, 600, 1250, 700)], size)) == 2
    assert len(peers.regions([(300, 300, 340, 400), (360, 300, 400, 400)], size)) == 1


def test_what_two_regions_found_counts_once() -> None:
    def found(x: float, score: float, kind: int) -> Detections:
        return Detections(
            np.array([[x, 0, x + 50, 100]], np.float32), np.array([score], np.float32), np.array([kind], np.int8)
        )

    both = peers.merged([found(0, 0.5, 0), found(4, 0.8, 0), found(0, 0.6, 1), found(300, 0.5, 0)])
    assert sorted(both.scores.tolist()) == pytest.approx([0.5, 0.6, 0.8])
    assert len(peers.merged([])) == 0


def test_a_recorder_learns_the_scene_before_it_sees_motion() -> None:
    motion = peers.Motion()
    empty = np.full((100, 178), 100, np.uint8)
    somebody = empty.copy()
    somebody[40:70, 60:75] = 220
    assert motion.look(empty) == []
    assert motion.look(somebody) == []
    for _ in range(40):
        assert motion.look(empty) == []
    ((x, y, w, h),) = motion.look(somebody)
    assert x <= 60
    assert y <= 40
    assert x + w >= 75
    assert y + h >= 70
