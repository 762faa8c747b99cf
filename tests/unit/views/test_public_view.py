from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.views.backdrop import Backdrop
from watchglass.views.public import GREY, DelayedPins, hide_below, paint, pin_radius, snap, spread

SIZE = (320, 240)


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def kinds(*values: int) -> np.ndarray:
    return np.array(values, np.int8)


def test_feet_move_to_the_middle_of_their_cell():
    # 32 m across 320 px: one metre is ten pixels
    assert snap(boxes((100, 40, 114, 83)), kinds(0), 32.0, 320, 1.0) == ((105, 85, 0),)
    assert snap(boxes((100, 40, 114, 83)), kinds(0), 32.0, 320, 4.0) == ((100, 100, 0),)


def test_without_a_scale_the_picture_is_24_cells_wide():
    assert snap(boxes((0, 0, 2, 2)), kinds(1), None, 480, 1.0) == ((10, 10, 1),)


def test_marks_come_in_no_telling_order_and_none_is_lost():
    one = snap(boxes((0, 0, 2, 2), (300, 0, 302, 9), (0, 0, 2, 2)), kinds(0, 1, 0), 32.0, 320, 1.0)
    other = snap(boxes((300, 0, 302, 9), (0, 0, 2, 2), (0, 0, 2, 2)), kinds(1, 0, 0), 32.0, 320, 1.0)
    assert one == other
    assert len(one) == 3


def test_nothing_gives_nothing():
    assert snap(boxes(), kinds(), 10.0, 320, 1.0) == ()


@given(
    st.floats(0, 319), st.floats(0, 239), st.floats(-4.9, 4.9), st.floats(1, 200), st.sampled_from([16.0, 32.0, None])
)
def test_a_place_within_a_cell_cannot_be_told_apart(x: float, y: float, by: float, tall: float, width_m: float | None):
    """The pin depends on the cell of the feet alone: not on the size of the box, nor on where in the cell it stands."""
    small = snap(boxes((x - 1, y - 1, x + 1, y)), kinds(0), width_m, 320, 1.0)
    ((px, py, _),) = small
    cell = 320 / width_m if width_m else 320 / 24
    assert abs(px - x) <= cell / 2 + 1
    assert abs(py - y) <= cell / 2 + 1
    tall_box = snap(boxes((x - tall, y - tall, x + tall, y)), kinds(0), width_m, 320, 1.0)
    assert abs(tall_box[0][0] - px) in {0, round(cell)} or abs(tall_box[0][0] - px) <= 1
    assert tall_box[0][1] == py


def test_no_backdrop_is_grey():
    picture = paint(None, SIZE, ())
    assert picture.shape == (240, 320, 3)
    assert (np.abs(picture.astype(int) - GREY).max(axis=2) < 16).all()
    assert (paint(Backdrop(np.full((10, 10, 3), 9, np.uint8), np.ones((10, 10), bool)), SIZE, ()) == picture).all()


def test_only_admitted_pixels_of_the_backdrop_show():
    secret = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    admitted = np.zeros((240, 320), bool)
    admitted[:, :160] = True
    one = paint(Backdrop(secret, admitted), SIZE, ())
    secret = secret.copy()
    secret[:, 162:] = 255 - secret[:, 162:]
    assert (one == paint(Backdrop(secret, admitted), SIZE, ())).all()


def test_a_mark_has_one_size_whatever_its_kind():
    empty = paint(None, SIZE, ())
    sizes = {int((paint(None, SIZE, [(160, 120, kind)]) != empty).any(axis=2).sum()) for kind in range(4)}
    assert len(sizes) == 1


def test_the_kinds_look_different():
    assert len({paint(None, SIZE, [(160, 120, kind)]).tobytes() for kind in range(4)}) == 4


def test_marks_of_one_cell_stand_side_by_side():
    radius = pin_radius(320)
    placed = spread([(100, 100, 0)] * 4 + [(10, 10, 1)], radius)
    assert len(set(placed)) == 5
    assert (10, 10, 1) in placed
    assert max(abs(x - 100) for x, y, _ in placed if y > 50) <= 2 * radius


@pytest.mark.parametrize("place", [(0, 0), (319, 239), (-40, 500)])
def test_marks_at_and_beyond_the_edge_are_fine(place: tuple[int, int]):
    assert paint(None, SIZE, [(*place, 0)], [(-5, -5), (400, 0), (400, 400)]).shape == (240, 320, 3)


def test_the_zone_is_drawn_and_its_inside_stays_readable():
    empty, zoned = paint(None, SIZE, ()), paint(None, SIZE, (), ((40, 40), (280, 40), (280, 200), (40, 200)))
    changed = np.abs(zoned.astype(int) - empty).max(axis=2)
    assert changed[38:42, 100].max() > 60
    assert 0 < changed[120, 160] < 40
    assert changed[20, 20] == 0


def test_below_the_threshold_neither_marks_nor_their_number_show():
    shown = hide_below(5, ((1, 2, 0),), 2, 3)
    assert (shown.pins, shown.people, shown.hidden) == ((), None, True)
    shown = hide_below(5, ((1, 2, 0),), 3, 3)
    assert (shown.pins, shown.people, shown.hidden) == (((1, 2, 0),), 3, False)


@given(st.lists(st.integers(1, 2000), max_size=60), st.integers(0, 20_000), st.integers(0, 40_000))
def test_nothing_younger_than_the_delay_is_ever_shown(steps: list[int], delay: int, until: int):
    line = DelayedPins(keep_ms=20_000)
    at = 0
    for step in steps:
        at += step
        line.add(at, ((at, 0, 0),), 5)
        shown = line.visible(at, delay, 0)
        assert shown is None or shown.at_ms <= at - delay
    later = line.visible(at + until, delay, 0)
    assert later is None or at + until - delay - 5000 <= later.at_ms <= at + until - delay


def test_what_was_is_shown_the_delay_later():
    line = DelayedPins(keep_ms=10_000)
    for at in range(0, 20_000, 250):
        line.add(at, ((at, 0, 0),), 4)
        shown = line.visible(at, 10_000, 3)
        assert (shown is None) == (at < 10_000)
        if shown:
            assert shown.pins == ((at - 10_000, 0, 0),)


def test_a_source_that_went_away_leaves_an_empty_view_not_a_still_one():
    line = DelayedPins(keep_ms=0)
    line.add(1000, ((1, 1, 0),), 9)
    assert line.visible(3000, 0, 0) is not None
    assert line.visible(7000, 0, 0) is None


def test_a_clock_that_goes_back_starts_anew():
    line = DelayedPins(keep_ms=10_000)
    line.add(9000, ((1, 1, 0),), 9)
    line.add(100, ((2, 2, 0),), 9)
    shown = line.visible(100, 0, 0)
    assert shown is not None
    assert shown.pins == ((2, 2, 0),)
