from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.views.backdrop import Backdrop
from watchglass.views.public import GREY, ground, paint, pin_radius, snap, spread, stand, touches, with_marks, withheld

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


# ---- what is never shown -------------------------------------------------------------------------------------------


def scene(seed: int = 0) -> Backdrop:
    bgr = np.random.default_rng(seed).integers(0, 255, (240, 320, 3), np.uint8)
    return Backdrop(bgr, np.ones((240, 320), bool))


def is_grey(picture: np.ndarray) -> np.ndarray:
    return np.abs(picture.astype(int) - GREY).max(axis=2) < 16


CORNER = ((100.0, 70.0), (130.0, 70.0), (130.0, 100.0))


def test_what_is_never_shown_is_grey_in_whole_blocks():
    hidden = withheld(SIZE, [CORNER])
    assert hidden is not None
    for top in range(0, 240, 32):
        for left in range(0, 320, 32):
            assert len(np.unique(hidden[top : top + 32, left : left + 32])) == 1
    assert hidden[70, 100]
    assert hidden[99, 129]
    assert not hidden[40, 100]
    picture = ground(scene(), SIZE, hidden=hidden)
    assert is_grey(picture[hidden]).all() if picture[hidden].ndim == 3 else is_grey(picture[hidden][None]).all()
    assert (picture[~hidden] == ground(scene(), SIZE)[~hidden]).all()


def test_nothing_of_the_scene_is_left_where_it_is_never_shown():
    hidden = withheld(SIZE, [CORNER])
    one, other = ground(scene(1), SIZE, hidden=hidden), ground(scene(2), SIZE, hidden=hidden)
    assert hidden is not None
    assert (one[hidden] == other[hidden]).all()


def test_an_area_at_the_edge_and_one_of_a_few_pixels_are_hidden_too():
    hidden = withheld((330, 250), [[(320, 240), (330, 240), (330, 250)], [(0.2, 0.2), (1.9, 0.2), (1.9, 1.9)]])
    assert hidden is not None
    assert hidden.shape == (250, 330)
    assert hidden[249, 329]
    assert hidden[:32, :32].all()
    assert hidden.sum() == 32 * 32 + 26 * 10
    assert withheld(SIZE, []) is None


@given(st.lists(st.tuples(st.integers(0, 319), st.integers(0, 239), st.integers(0, 3)), max_size=8))
def test_no_pixel_of_a_mark_lies_where_it_is_never_shown(pins: list[tuple[int, int, int]]):
    hidden = withheld(SIZE, [CORNER])
    assert hidden is not None
    empty = ground(None, SIZE, hidden=hidden)
    marks = stand(pins, 320, hidden)
    assert (with_marks(empty, marks)[hidden] == empty[hidden]).all()
    assert {pin[2] for pin in marks} <= {pin[2] for pin in pins}
    far = [pin for pin in pins if not touches(pin[0], pin[1], 4 * pin_radius(320), hidden)]
    assert len(marks) >= len(far)


def test_without_such_an_area_every_mark_stands():
    assert stand([(100, 100, 0)] * 4, 320, None) == spread([(100, 100, 0)] * 4, pin_radius(320))


# ---- painting ------------------------------------------------------------------------------------------------------


def test_outside_of_the_marks_no_pixel_differs_from_the_empty_scene():
    empty = ground(scene(), SIZE)
    drawn = with_marks(empty, [(60, 60, 0), (200, 150, 1), (0, 239, 3)])
    ys, xs = np.nonzero((drawn != empty).any(axis=2))
    reach = 1.4 * pin_radius(320) + 2
    near = np.min([np.hypot(xs - x, ys - y) for x, y in ((60, 60), (200, 150), (0, 239))], axis=0)
    assert near.max() <= reach
    assert (with_marks(empty, []) == empty).all()
    assert (empty == ground(scene(), SIZE)).all(), "what is drawn on is not changed"


def test_the_light_of_now_is_a_function_of_twelve_numbers():
    even, dark = ground(scene(), SIZE, light=(64,) * 12), ground(scene(), SIZE, light=(32,) * 12)
    assert (even == ground(scene(), SIZE)).all()
    assert dark.mean() < even.mean() - 30
    uneven = ground(scene(), SIZE, light=(32, 64, 64, 96) * 3)
    assert uneven[:, :40].mean() < uneven[:, -40:].mean() - 30
