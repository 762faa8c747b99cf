from __future__ import annotations

import numpy as np
import pytest

from watchglass.perception.gate import Gate, Habit, Motion, even

ROWS, COLUMNS = 60, 90


def scene(rng: np.random.Generator, *, gain: float = 1.0, offset: float = 0.0, person: int | None = None) -> np.ndarray:
    """A seeded scene with noise of 4 grey levels; a person is four samples wide and ten high."""
    picture = np.random.default_rng(3).uniform(60, 160, (ROWS, COLUMNS))
    if person is not None:
        picture[30:40, person : person + 4] = 25
    return np.clip(picture * gain + offset + rng.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)


def taught(looks: int = 20) -> tuple[Gate, np.random.Generator]:
    rng = np.random.default_rng(1)
    gate = Gate()
    for i in range(looks):
        gate.look(2000 * i, scene(rng))
    return gate, rng


def test_noise_does_not_open_it() -> None:
    gate, rng = taught()
    assert not any(gate.look(40_000 + 2000 * i, scene(rng)) for i in range(100))


@pytest.mark.parametrize(("gain", "offset"), [(0.8, 0), (1.2, 0), (1.0, 15), (1.1, -20)])
def test_a_change_of_light_does_not_open_it(gain: float, offset: float) -> None:
    gate, rng = taught()
    assert not any(gate.look(40_000 + 2000 * i, scene(rng, gain=gain, offset=offset)) for i in range(5))


def test_a_person_opens_it_in_any_light() -> None:
    for gain in (0.8, 1.0, 1.2):
        gate, rng = taught()
        assert gate.look(40_000, scene(rng, gain=gain, person=50))


def test_what_stays_for_a_minute_becomes_the_scene_and_its_place_afterwards_too() -> None:
    gate, rng = taught()
    opened = [gate.look(40_000 + 2000 * i, scene(rng, person=50)) for i in range(80)]
    assert all(opened[:25])
    assert not any(opened[-10:])


def test_where_tracks_are_it_neither_learns_nor_opens() -> None:
    gate, rng = taught()
    busy = np.zeros((ROWS, COLUMNS), bool)
    busy[26:44, 46:58] = True
    assert not any(gate.look(40_000 + 2000 * i, scene(rng, person=50), busy) for i in range(80))
    assert gate.look(300_000, scene(rng, person=50))


def test_a_clock_on_the_screen_is_masked_in_the_end() -> None:
    gate, rng = taught()
    opened = []
    for i in range(200):
        picture = scene(rng)
        picture[2:5, 2:14] = 250 if i % 2 else 5
        opened.append(gate.look(40_000 + 2000 * i, picture))
    assert not any(opened[-20:])
    assert gate.look(500_000, scene(rng, person=50))


def test_where_it_opened_for_nothing_it_soon_does_no_more_and_elsewhere_it_does() -> None:
    gate, rng = taught()
    opened = 0
    for i in range(30):
        picture = scene(rng)
        picture[2:6, 2:14] = 250 if i % 3 else 5
        if gate.look(40_000 + 2000 * i, picture):
            opened += 1
            gate.accept()
    assert opened <= 6
    assert gate.look(200_000, scene(rng, person=50))


def test_even_takes_out_what_explains_all_but_a_person() -> None:
    base = np.random.default_rng(3).uniform(60, 160, (ROWS, COLUMNS)).astype(np.float32)
    darker = 0.7 * base + 5
    darker[30:40, 50:54] = 250
    fair = even(darker.astype(np.float32), base)
    untouched = np.ones(base.shape, bool)
    untouched[30:40, 50:54] = False
    assert np.abs(fair - base)[untouched].max() < 1.0
    assert np.abs(fair - base)[~untouched].min() > 20


def test_motion_finds_what_moves_and_nothing_else() -> None:
    rng = np.random.default_rng(2)
    motion = Motion()
    assert not motion.look(scene(rng, person=40)).any()
    for i in range(30):
        assert not motion.look(scene(rng, person=40)).any(), i
    moved = motion.look(scene(rng, person=46))
    rows, columns = np.nonzero(moved)
    assert 28 <= rows.min() <= rows.max() <= 41
    assert 38 <= columns.min() <= columns.max() <= 51


def test_where_something_always_moves_it_is_no_news_and_beside_it_or_where_somebody_is_followed_it_is() -> None:
    rng, habit = np.random.default_rng(6), Habit()

    def tree() -> np.ndarray:
        moving = np.zeros((60, 90), bool)
        moving[10:30, 10:30] = rng.random((20, 20)) < 0.6
        return moving

    news = [habit.news(tree(), None) for _ in range(300)]
    assert all(news[:20])
    assert not any(news[200:])
    person = tree()
    person[10:30, 50:56] = True
    assert habit.news(person, None)
    busy = np.zeros((60, 90), bool)
    busy[12:28, 12:18] = True
    assert habit.news(tree(), busy)


def test_people_who_walk_by_now_and_then_do_not_become_a_habit() -> None:
    habit = Habit()
    for look in range(3000):
        moving = np.zeros((60, 90), bool)
        if look % 60 < 45:  # somebody crosses in eight seconds, three seconds later the next one does
            left = look % 60 * 2
            moving[20:40, left : left + 6] = True
            assert habit.news(moving, None)
        else:
            assert not habit.news(moving, None)
