"""Steady marks: trembling boxes, misses, new numbers and wrong kinds do not show; who walks moves from cell to cell."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.views.public import PlainPin, pin_radius, touches, withheld
from watchglass.views.smoothing import APPEAR_MS, LINGER_MS, STEP_MS, SteadyMarks

SIZE = (320, 240)
Thing = tuple[int, float, float, int]
"""(track number, x and y of the feet, kind)."""


def steady(never_show: list[list[tuple[float, float]]] | None = None) -> SteadyMarks:
    return SteadyMarks(SIZE, 32.0, 2.0, never_show or [])  # cells of 20 pixels


def look(marks: SteadyMarks, at_ms: int, *things: Thing) -> tuple[PlainPin, ...]:
    boxes = np.array([[x - 5, y - 30, x + 5, y] for _, x, y, _ in things], np.float32).reshape(-1, 4)
    ids = np.array([number for number, *_ in things], np.int64)
    return marks.see(at_ms, ids, boxes, np.array([kind for *_, kind in things], np.int8))


@given(st.lists(st.tuples(st.floats(-3.5, 3.5), st.floats(-3.5, 3.5)), min_size=20, max_size=60))
def test_who_stands_on_the_border_of_four_cells_does_not_jump(shaking: list[tuple[float, float]]) -> None:
    marks, seen = steady(), set()
    for n, (dx, dy) in enumerate(shaking):
        seen.add(look(marks, n * 250, (1, 100 + dx, 100 + dy, 0)))
    seen.discard(())
    assert len(seen) == 1


def test_who_walks_moves_from_cell_to_cell_and_not_faster_than_once_a_second() -> None:
    marks, changed, last = steady(), [], ()
    for at in range(0, 20_000, 250):
        shown = look(marks, at, (1, 10 + at / 100, 100, 0))
        assert len(shown) <= 1
        for x, y, _ in shown:
            assert (x % 20, y % 20) == (10, 10)
        if shown and last and shown != last:
            changed.append(at)
        last = shown
    assert len(changed) >= 8
    assert min(b - a for a, b in itertools.pairwise(changed)) >= STEP_MS
    assert abs(last[0][0] - (10 + 19_750 / 100)) <= 40, "it follows"


def test_a_glimpse_has_no_mark_and_a_thing_that_stays_has_one_soon() -> None:
    marks = steady()
    assert look(marks, 0, (1, 50, 50, 0)) == ()
    assert look(marks, 250) == ()
    assert look(marks, 5_000, (2, 50, 50, 0)) == ()
    assert look(marks, 5_000 + APPEAR_MS, (2, 50, 50, 0)) == ((50, 50, 0),)


def test_one_that_is_missed_stays_for_a_second_and_then_goes() -> None:
    marks = steady()
    for at in (0, 250, 500):
        look(marks, at, (1, 50, 50, 0))
    assert look(marks, 750) == ((50, 50, 0),)
    assert look(marks, 500 + LINGER_MS) == ((50, 50, 0),)
    assert look(marks, 500 + LINGER_MS + 1) == ()


def test_a_new_number_in_the_same_place_goes_on_with_the_mark() -> None:
    marks = steady()
    for at in (0, 250, 500, 750):
        look(marks, at, (1, 52, 50, 0))
    for at in (1000, 1250, 1500):
        assert look(marks, at, (2, 55, 52, 0)) == ((50, 50, 0),)
    assert len(look(marks, 1750, (2, 55, 52, 0), (3, 56, 50, 0))) == 1, "a third thing beside it is a new one"
    assert len(look(marks, 2500, (2, 55, 52, 0), (3, 56, 50, 0))) == 2


def test_a_new_number_far_away_is_a_new_mark() -> None:
    marks = steady()
    for at in (0, 500, 1000):
        look(marks, at, (1, 50, 50, 0))
    assert look(marks, 1250, (2, 150, 150, 0)) == ((50, 50, 0),)
    assert look(marks, 2250, (2, 150, 150, 0)) == ((150, 150, 0),)


def test_a_kind_does_not_flip_with_a_wrong_frame() -> None:
    marks = steady()
    kinds = [2, 2, 2, 2, 0, 2, 2, 0, 0, 2, 2, 2]
    shown = [look(marks, n * 250, (1 + n // 4, 50, 50, kind)) for n, kind in enumerate(kinds)]
    assert set(shown[2:]) == {((50, 50, 2),)}


def test_a_kind_that_was_wrong_at_first_is_mended() -> None:
    marks = steady()
    for at in (0, 250, 500):
        look(marks, at, (1, 50, 50, 1))
    for at in range(750, 3000, 250):
        shown = look(marks, at, (2, 50, 50, 0))
    assert shown == ((50, 50, 0),)


def test_a_camera_that_is_looked_at_seldom_has_marks_all_the_same() -> None:
    marks = steady()
    look(marks, 0, (1, 50, 50, 0))
    look(marks, 900, (1, 50, 50, 0))
    for at in range(12_000, 60_000, 12_000):
        look(marks, at, (1, 50, 50, 0))
        assert look(marks, at + 600, (1, 50, 50, 0)) == ((50, 50, 0),)


def test_a_clock_that_goes_back_starts_anew() -> None:
    marks = steady()
    for at in (5000, 5500, 6000):
        look(marks, at, (1, 50, 50, 0))
    assert look(marks, 100, (1, 50, 50, 0)) == ()


DOOR = [(140.0, 90.0), (180.0, 90.0), (180.0, 120.0), (140.0, 120.0)]


def test_who_goes_through_what_is_never_shown_has_no_mark_there_and_none_for_a_second_after() -> None:
    hidden = withheld(SIZE, [DOOR])
    assert hidden is not None
    marks, left, back = steady([DOOR]), None, None
    for at in range(0, 40_000, 250):
        x = 20 + at / 150
        shown = look(marks, at, (1, x, 105, 0))
        inside = hidden[105, min(int(x), 319)]
        assert not (inside and shown)
        for mark in shown:
            assert not touches(mark[0], mark[1], pin_radius(320), hidden)
        if inside:
            left, back = at, None
        elif shown and back is None:
            back = at
    assert left is not None
    assert back is not None
    assert back - left > STEP_MS


@pytest.mark.parametrize("n", [0, 1, 7])
def test_marks_come_in_no_telling_order_and_their_number_is_right(n: int) -> None:
    one, other = steady(), steady()
    things: list[Thing] = [(k, 20.0 + 30 * k, 200.0 - 20 * k, k % 2) for k in range(n)]
    for at in (0, 600):
        shown = look(one, at, *things)
        assert shown == look(other, at, *reversed(things))
    assert len(shown) == n
