"""What counts as a leak. Each definition is shown to fail: what is planted is found."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import leak_figures
import leak_measure as m
from evaluate import Counts
from leak_line import shown
from leak_parts import share_of, with_marks

Image = NDArray[np.uint8]
SHAPE = (128, 160)
BOX = np.array([[40, 30, 70, 110]], np.float32)
NO_MARKS = np.zeros(SHAPE, bool)
ALL = np.ones(SHAPE, bool)


def textured() -> Image:
    return np.random.default_rng(1).integers(60, 140, (*SHAPE, 3)).astype(np.uint8)


def with_somebody(empty: Image) -> Image:
    camera = empty.copy()
    camera[30:110, 40:70] = (30, 40, 190)
    return camera


def leaked(
    view: Image,
    camera: Image,
    empty: Image,
    boxes: m.FloatArray,
    marks: m.BoolArray,
    known: m.BoolArray = ALL,
    grey: m.BoolArray = NO_MARKS,
    drawn: m.BoolArray = NO_MARKS,
) -> m.Leak:
    return m.leaked(view, camera, empty, boxes, marks, known, grey, drawn)


# ---- pixels ------------------------------------------------------------------------------------------------------


def test_somebody_in_the_published_picture_is_a_leak_though_it_is_paler_than_the_camera() -> None:
    empty = textured()
    camera = with_somebody(empty)
    wash = m.Wash(shown)
    view = shown(camera)
    plain = leaked(view, camera, empty, BOX, NO_MARKS)
    undone = leaked(wash.undone(view), camera, empty, BOX, NO_MARKS)
    assert plain.leaked < 0.1 * plain.pixels, "compared as it is, a leak would hardly ever be found"
    assert undone.leaked > 0.9 * undone.pixels
    assert (undone.boxes, undone.leaking) == (1, 1)


def test_the_empty_scene_and_grey_are_no_leak() -> None:
    empty = textured()
    camera = with_somebody(empty)
    wash = m.Wash(shown)
    for view in (shown(empty), shown(textured(), ~ALL)):
        found = leaked(wash.undone(view), camera, empty, BOX, NO_MARKS)
        assert found.pixels == 30 * 80
        assert found.leaked == 0


def test_a_few_leaked_pixels_are_counted_one_by_one() -> None:
    empty = np.full((*SHAPE, 3), 100, np.uint8)
    camera = with_somebody(empty)
    view = empty.copy()
    view[50, 45:52] = camera[50, 45:52]
    found = leaked(view, camera, empty, BOX, NO_MARKS)
    assert (found.leaked, found.leaking) == (7, 1)
    assert found.share == pytest.approx(7 / 2400)


def test_a_pixel_under_a_mark_is_counted_apart_and_one_without_truth_not_at_all() -> None:
    empty = np.full((*SHAPE, 3), 100, np.uint8)
    camera = with_somebody(empty)
    marks = m.marked([(55, 70)], 8, SHAPE)
    found = leaked(camera, camera, empty, BOX, marks)
    assert found.in_marks == int(marks.sum())
    assert found.leaked == found.pixels - found.in_marks
    known = ALL.copy()
    known[:, :55] = False
    half = leaked(camera, camera, empty, BOX, NO_MARKS, known)
    assert half.pixels == 15 * 80


def test_grey_that_is_like_a_coat_shows_nothing_of_it() -> None:
    empty = textured()
    grey = shown(empty, ~ALL)
    view = shown(empty)
    view[32:96, 32:96] = grey[32:96, 32:96]
    wash = m.Wash(shown)
    camera = empty.copy()
    camera[30:110, 40:70] = wash.undone(grey)[30:110, 40:70]
    assert leaked(wash.undone(view), camera, empty, BOX, NO_MARKS).leaked > 1000
    assert leaked(wash.undone(view), camera, empty, BOX, NO_MARKS, grey=m.grey_of(view, grey)).leaked == 0
    view[50, 50] = view[120, 120] = grey[0, 0]
    assert not m.grey_of(view, grey)[120, 120], "one pixel like it is no grey"


def test_what_is_published_with_nobody_there_is_no_leak_though_it_is_like_somebody_and_is_told_apart() -> None:
    empty = textured()
    camera = with_somebody(empty)
    drawn = NO_MARKS.copy()
    drawn[30:50] = True
    found = leaked(camera, camera, empty, BOX, NO_MARKS, drawn=drawn)
    assert (found.leaked, found.by_chance) == (30 * 60, 30 * 20)
    assert (found + found).by_chance == 30 * 40
    marks, inside = m.marked([(55, 40)], 8, SHAPE), m.covered(BOX, SHAPE)
    assert leaked(camera, camera, empty, BOX, marks, drawn=drawn).in_marks == int((marks & ~drawn & inside).sum())


def test_boxes_that_overlap_are_counted_once_and_those_outside_never() -> None:
    empty = np.full((*SHAPE, 3), 100, np.uint8)
    camera = with_somebody(empty)
    boxes = np.concatenate([BOX, BOX + 2, BOX + 900]).astype(np.float32)
    found = leaked(camera, camera, empty, boxes, NO_MARKS)
    assert found.boxes == 2
    assert found.pixels == int(m.covered(boxes, SHAPE).sum()) < 2 * 2400


def test_leaks_add_up() -> None:
    total = m.Leak(10, 1, 2, 3, 1) + m.Leak(30, 1, 0, 2, 1)
    assert total == m.Leak(40, 2, 2, 5, 2, 0)
    assert total.share == 0.05
    assert m.Leak().share is None


def test_grey_is_told_from_a_scene_that_is_grey_too() -> None:
    grey = shown(textured(), ~ALL)
    half = (np.full((*SHAPE, 3), 198, np.uint8), np.arange(160)[None].repeat(128, axis=0) < 80)
    assert m.grey_share(grey, grey) == 1
    assert m.grey_share(shown(textured()), grey) == 0
    assert m.grey_share(shown(*half), grey) == pytest.approx(0.5, abs=0.01)


def test_the_empty_scene_is_what_is_there_when_nobody_is_said_to_be() -> None:
    empty = textured()
    scene = m.EmptyScene(SHAPE)
    for number in range(12):
        box = BOX if number < 6 else np.zeros((0, 4), np.float32)
        scene.add(with_somebody(empty) if number < 6 else empty, box)
    picture, known = scene.picture()
    assert known.all()
    assert (picture == empty).all(), "somebody who is there half of the time is in the median of all, not in this one"
    crowded = m.EmptyScene(SHAPE)
    for _ in range(12):
        crowded.add(with_somebody(empty), BOX)
    _, known = crowded.picture()
    assert not known[60, 55]
    assert known[5, 5]


# ---- marks and firings -------------------------------------------------------------------------------------------


def test_a_mark_is_one_persons_only() -> None:
    feet = np.array([[50, 50], [54, 50], [200, 50]], np.float32)
    assert m.shown_people(feet, np.array([[52, 50]], np.float32), 20) == 1
    assert m.shown_people(feet, np.array([[52, 50], [60, 50]], np.float32), 20) == 2
    assert m.shown_people(feet, np.array([[230, 50]], np.float32), 20) == 0
    assert m.shown_people(feet, np.zeros((0, 2), np.float32), 20) == 0


def test_marks_that_come_late_are_found_to_come_late() -> None:
    truth = {at: np.array([[at / 10, 50.0]], np.float32) for at in range(0, 4000, 200)}
    seen = [(at, truth[at - 1000]) for at in range(1000, 4000, 200)]
    share = {lag: share_of(with_marks(seen, truth, 30, lag)) for lag in range(0, 2000, 200)}
    assert share[0] == 0
    assert share[1000] == 1
    assert [c.there for c in with_marks(seen, truth, 30, 1000)] == [1] * len(seen)
    assert share_of([]) == 0


def test_a_firing_on_a_mark_or_on_the_scene_itself_is_told_from_one_on_somebody() -> None:
    marks = m.marked([(100, 60)], 10, SHAPE)
    found = np.array([[40, 30, 70, 110], [91, 51, 109, 69], [1, 1, 21, 41], [85, 30, 115, 120]], np.float32)
    own = np.array([False, False, True, False])
    assert m.firings(found, own, marks) == m.Firings(people=2, in_marks=1, in_scene=1)
    assert m.firings(np.zeros((0, 4), np.float32), np.zeros(0, bool), marks) == m.Firings()
    assert m.firings(found, np.zeros(4, bool), marks).in_scene == 0


def test_a_face_is_found_where_a_box_lies_on_it() -> None:
    faces = np.array([[10, 10, 30, 40], [80, 10, 120, 60]], np.float32)
    assert m.hits(np.array([[12, 12, 31, 38]], np.float32), faces).tolist() == [True, False]
    assert m.hits(np.array([[0, 0, 160, 128]], np.float32), faces).tolist() == [False, False]
    assert m.hits(np.zeros((0, 4), np.float32), faces).tolist() == [False, False]


def test_a_plate_is_read_as_far_as_its_characters_come_in_order() -> None:
    assert m.read_of("ABC2345", ["XX", "ABC 2345"]) == 1
    assert m.read_of("ABC2345", ["A8C2345"]) == pytest.approx(6 / 7)
    assert m.read_of("ABC2345", ["5432CBA"]) == pytest.approx(1 / 7)
    assert m.read_of("ABC2345", []) == 0


# ---- figures -----------------------------------------------------------------------------------------------------


def result() -> leak_figures.Result:
    """As good as can be."""
    made = leak_figures.Result()
    made.leaks = {"PETS": m.Leak(100_000, 0, 3, 400, 0), "stays": m.Leak(50_000, 0, 0, 300, 0)}
    made.careless = m.Leak(1000, 700, 0, 20, 20)
    made.refused = True
    made.firings = {"PETS": {"hog": m.Firings(0, 1, 2)}}
    made.before = {"PETS": {"hog": 40}}
    made.attacked = {"PETS": 50}
    made.grey, made.withheld, made.ages_s = [0.01, 0.02, 0.03], [False] * 3, [1.0, 2.0]
    made.shown = [Counts(9, 10, 10)] * 50
    made.plates = [leak_figures.PlateRead("ABC2345", 90, True, False, 1.0, 0.2)] * 5
    made.faces = [leak_figures.FaceSeen(40, False, {"centerface"})] * 60
    made.clip_s = 100.0
    return made


def values(made: leak_figures.Result) -> dict[str, dict[str, object]]:
    return {figure["name"]: figure for figure in leak_figures.told(made)}


def test_all_is_well_where_nothing_leaks() -> None:
    told = values(result())
    assert [name for name, figure in told.items() if figure["ok"] is False] == []
    assert told["painted_detector_firings"]["interval"] == [0, 3]
    assert told["painted_leaked_pixel_share"]["value"] == 0
    assert told["painted_leaked_pixel_share"]["interval"] == [0, 0.0075]
    assert "refuses" in str(told["leaked_pixel_share_if_confirmed_in_view"]["note"])
    assert told["painted_firings_in_marks"]["value"] == 1


def test_each_figure_can_miss_its_target() -> None:
    bad = result()
    bad.leaks["stays"] = m.Leak(50_000, 12, 0, 300, 2)
    bad.firings["PETS"]["hog"] = m.Firings(people=1)
    bad.grey = [0.2] * 9
    bad.shown = [Counts(5, 10, 10)] * 50
    bad.plates = [leak_figures.PlateRead("ABC2345", 90, True, False, 1.0, 0.9)]
    bad.faces = [leak_figures.FaceSeen(40, False, {"centerface"}, {"mtcnn"})] * 49
    told = values(bad)
    missed = {name for name, figure in told.items() if figure["ok"] is False}
    assert missed == {
        "painted_leaked_pixel_share", "painted_detector_firings", "painted_grey_share", "painted_people_shown",
        "plates_read_painted", "mosaic_faces_before", "mosaic_faces_found",
    }  # fmt: skip
    assert told["painted_leaked_pixel_share"]["value"] == pytest.approx(0.00024)


def test_what_was_not_measured_is_null_and_says_why() -> None:
    empty = leak_figures.Result(absent={"ocr": "run `make peers` first"})
    told = values(empty)
    assert {figure["value"] for figure in told.values()} == {None}
    assert {figure["ok"] for figure in told.values()} == {None}
    assert "make peers" in str(told["plates_read_before"]["note"])
