"""The parts of ``paint``: pictures drawn by halves, still people, joined tracks, files that are whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from watchglass.edge.encode import planar, redraw
from watchglass.perception.observation import Detections, Tracks
from watchglass.runtime.paint.canvas import Canvas
from watchglass.runtime.paint.scene import around, joined
from watchglass.runtime.paint.suspects import Suspects
from watchglass.runtime.paint.unfinished import Unfinished
from watchglass.views.backdrop import Backdrop

# ---- drawn by halves -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(320, 240), (321, 243)])
def test_what_is_drawn_by_halves_is_what_is_drawn_whole(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    width, height = size
    backdrop = Backdrop(rng.integers(0, 255, (height, width, 3), np.uint8), rng.random((height, width)) < 0.9)
    canvas = Canvas(backdrop, size)
    for number in range(12):
        count = int(rng.integers(0, 9))
        pins = tuple(
            sorted((int(x), int(y), int(k)) for x, y, k in rng.integers((0, 0, 0), (width, height + 20, 4), (count, 3)))
        )
        light = () if number < 8 else (60 - number,) * 12
        canvas.draw(pins * (1 + number % 2), light)
        assert canvas.check()


def test_a_window_that_hangs_over_the_edge_is_cut() -> None:
    rng = np.random.default_rng(4)
    before, after = (rng.integers(0, 255, (63, 81, 3), np.uint8) for _ in range(2))
    drawn = planar(before)
    redraw(drawn, after, (-9, -9, 200, 200))
    assert (drawn == planar(after)).all()
    drawn = planar(before)
    for outside in ((200, 0, 300, 9), (0, -30, 10, -1), (5, 5, 5, 5)):
        redraw(drawn, after, outside)
    assert (drawn == planar(before)).mean() > 0.99


# ---- still people ----------------------------------------------------------------------------------------------------


def people(*boxes: tuple[float, float, float, float], score: float = 0.26) -> Detections:
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(len(boxes), score, np.float32),
        np.zeros(len(boxes), np.int8),
    )


def test_whoever_sits_for_a_quarter_of_the_time_is_suspected_there_and_nowhere_else() -> None:
    suspects = Suspects((320, 240))
    for number in range(40):
        sits = [(100.0, 100.0, 120.0, 150.0)] if number < 15 else []
        walks = (5.0 * number, 10.0, 5.0 * number + 16, 50.0)
        suspects.see(1000 * number, people(*sits, walks))
    mask = suspects.mask(40_000)
    assert mask[100:150, 100:120].all()
    assert not mask[:60].any(), "who walks is not still"
    assert not suspects.mask(120_000).any(), "an eighth of the time is not enough to get into a backdrop"


def test_a_miss_or_two_do_not_clear_anybody_and_a_bag_is_nobody() -> None:
    suspects = Suspects((320, 240))
    for number in range(30):
        found = people((100.0, 100.0, 120.0, 150.0)) if number % 3 == 0 else people()
        suspects.see(1000 * number, found)
    assert suspects.mask(30_000)[110, 110]
    bags = Suspects((320, 240))
    for number in range(30):
        box = people((100.0, 100.0, 120.0, 150.0))
        bags.see(1000 * number, Detections(box.boxes, box.scores, np.full(1, 3, np.int8)))
    assert not bags.mask(30_000).any()


def test_a_look_elsewhere_is_no_miss() -> None:
    suspects = Suspects((1920, 1080))
    for number in range(30):
        there = number % 6 == 0
        window = (0.0, 0.0, 400.0, 400.0) if there else (1000.0, 500.0, 1400.0, 900.0)
        suspects.see(1000 * number, people((100.0, 100.0, 120.0, 150.0)) if there else people(), window)
    assert suspects.mask(30_000)[110, 110]


# ---- tracks ----------------------------------------------------------------------------------------------------------


def moment(at_ms: int, *things: tuple[int, float]) -> Tracks:
    boxes = np.array([(x, 0, x + 10, 30) for _, x in things], np.float32).reshape(-1, 4)
    n = len(things)
    return Tracks(
        at_ms, np.array([i for i, _ in things], np.int64), boxes, np.ones(n, np.float32), np.zeros(n, np.int8)
    )


def left_edges(moments: tuple[Tracks, ...]) -> list[list[float]]:
    return [sorted(m.boxes[:, 0].tolist()) for m in moments]


def test_whoever_was_missed_for_a_moment_was_there_in_between() -> None:
    film = (moment(0, (1, 0)), moment(200), moment(400), moment(600, (1, 30)), moment(800, (1, 40)))
    assert left_edges(joined(film)) == [[0], [10], [20], [30], [40]]


def test_whoever_was_away_for_long_was_away() -> None:
    film = tuple(moment(1000 * n, *([(1, 0)] if n in {2, 10} else [])) for n in range(11))
    assert [bool(edges) for edges in left_edges(joined(film))] == [n in {2, 10} for n in range(11)]


def test_whoever_is_found_for_the_second_time_was_there_a_little_before() -> None:
    film = (moment(0), moment(200), moment(400), moment(600), moment(800, (7, 50)))
    assert [bool(edges) for edges in left_edges(joined(film))] == [False, True, True, True, True]


def test_boxes_around_a_time_are_those_before_and_after_it() -> None:
    film = (moment(0, (1, 0)), moment(200, (1, 10)), moment(400, (1, 20)), moment(9000, (1, 90)))
    stamps = np.array([m.at_ms for m in film], np.int64)
    assert sorted(around(film, stamps, 300)[:, 0].tolist()) == [10, 20]
    assert around(film, stamps, 5000)[:, 0].tolist() == []
    assert around((), np.zeros(0, np.int64), 10).shape == (0, 4)


# ---- files -----------------------------------------------------------------------------------------------------------


def test_files_appear_together_or_not_at_all(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    with Unfinished() as files:
        files.place(a).write_text("new")
        files.place(b).write_text("new")
        assert not a.exists()
        files.commit()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]

    def fail() -> None:
        with Unfinished() as files:
            files.place(a).write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]
    assert a.read_text() == "new"
