"""The attackers on the public view, and how they are scored, against scenes whose truth is known."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import pins_door
from pins_attack import Attacker, from_entry, from_photo, idf1, kalman, nearest, patient, pursue, walk, with_hindsight
from pins_over_time import UNITS, by_people, pins
from pins_scene import Frame, Glimpse, Setting, crowd, watch
from pins_traits import Steps, Trail, again, folded, heard, motion, peak, pin_trails, trails, velocities
from watchglass.perception.ground import Ground
from watchglass.views.public import PERSON
from watchglass.views.timeline import Moment, Timeline

GROUND = Ground.flat(16.2 / 768)
PX = 768 / 16.2
STEP_MS = 100


def frames(*ways: Sequence[tuple[float, float]]) -> list[Frame]:
    """People on a flat ground, 10 pictures a second; each way is a place in metres for each picture."""
    result = []
    for step, places in enumerate(zip(*ways, strict=True)):
        feet = np.array(places, np.float32) * np.float32(PX)
        right = np.array([10, 0])
        boxes = np.c_[feet - (10, 60), feet + right].astype(np.float32)
        ids = np.arange(len(places))
        result.append(Frame(step * STEP_MS, ids, boxes, ids))
    return result


def straight(start: tuple[float, float], pace: tuple[float, float], steps: int = 100) -> list[tuple[float, float]]:
    return [(start[0] + pace[0] * k * 0.1, start[1] + pace[1] * k * 0.1) for k in range(steps)]


FREE = Setting(hide_below=0)


# ---- what is published -----------------------------------------------------------------------------------------------


def test_a_glimpse_is_as_late_as_the_charter_says_and_knows_whose_pin_is_whose() -> None:
    seen = watch(frames(straight((2, 2), (1, 0)), straight((2, 8), (1, 0))), FREE)
    assert {g.told_ms - g.at_ms for g in seen} == {FREE.delay_ms}
    last = seen[-1]
    assert sorted(last.really.values()) == sorted(last.places)
    assert last.really[0][1] < last.really[1][1]
    assert not seen[0].places, "a mark shows when its thing has been in view for half a second"


def test_below_the_threshold_nothing_is_published_though_people_are_there() -> None:
    seen = watch(frames(straight((2, 2), (1, 0)), straight((2, 8), (1, 0))), Setting(hide_below=3))
    assert all(g.hidden and not g.places for g in seen)
    assert seen[-1].really


def test_a_laid_over_scene_has_twice_the_people_under_other_numbers() -> None:
    twice = crowd(frames(straight((2, 2), (1, 0))), 2)
    assert twice[0].ids.tolist() == [0, 100]
    assert twice[0].boxes[1].tolist() == twice[-1].boxes[0].tolist()


# ---- the attackers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", [patient, nearest, with_hindsight(patient)])
def test_people_far_apart_are_followed_to_the_end(attack: Attacker) -> None:
    seen = watch(frames(straight((2, 2), (1, 0)), straight((2, 8), (1, 0))), FREE)
    paths = attack(seen, GROUND, FREE.cell_px)
    found = from_entry(seen, paths)
    assert idf1(seen, paths) == 1.0
    assert [p.lost for p in found] == [False, False]
    assert all(p.seconds == p.visit_s > 8 for p in found)


def test_without_a_grid_a_filter_goes_straight_on_where_the_nearest_turns_back() -> None:
    """Two who walk towards each other and pass at half a metre: between two pins a metre apart they change sides."""
    ways = frames(straight((2, 2), (3, 0)), straight((14, 2.3), (-3, 0)), straight((2, 9), (0, 0)))
    exact = Setting(grid_m=None, hide_below=0, pin_hz=4)
    seen = watch(ways[:45], exact)
    assert not any(p.lost for p in from_entry(seen, kalman(seen, GROUND, exact.cell_px), shortest_s=3))
    assert any(p.lost for p in from_entry(seen, nearest(seen, GROUND, exact.cell_px), shortest_s=3))


def test_who_meet_in_one_cell_and_part_are_told_apart_by_luck_only() -> None:
    there = straight((2, 5), (1, 0), 30) + [(5.2, 5.1)] * 60
    back = straight((8.6, 5), (-1, 0), 30) + [(5.3, 5.2)] * 60
    turned = [*there, *straight((5.2, 5.1), (-1, 0), 30)], [*back, *straight((5.3, 5.2), (1, 0), 30)]
    crossed = [*there, *straight((5.2, 5.1), (1, 0), 30)], [*back, *straight((5.3, 5.2), (-1, 0), 30)]
    lost = []
    for ways in (turned, crossed):
        seen = watch(frames(*ways), FREE)
        lost.append(all(p.lost for p in from_entry(seen, kalman(seen, GROUND, FREE.cell_px))))
    assert sorted(lost) == [False, True]


@pytest.mark.parametrize("mistaken", [True, False])
def test_hindsight_undoes_a_mistake_at_a_crossing_and_makes_none(*, mistaken: bool) -> None:
    exact = Setting(grid_m=None, hide_below=0)
    seen = watch(frames(straight((2, 5), (1, 0)), straight((12, 5.3), (-1, 0))), exact)
    middle = len(seen) // 2

    def first(*_: object) -> list[dict[int, tuple[float, float]]]:
        late = (1, 0) if mistaken else (0, 1)
        return [{n: g.really[late[n] if k > middle else n] for n in (0, 1)} for k, g in enumerate(seen)]

    assert any(p.lost for p in from_entry(seen, first())) == mistaken
    again_ = with_hindsight(first)(seen, GROUND, FREE.cell_px)
    assert not any(p.lost for p in from_entry(seen, again_))


def test_a_photo_finds_the_pin_beside_which_it_was_taken() -> None:
    scene = frames(straight((2, 2), (1, 0)), straight((2, 8), (1, 0)))
    seen = watch(scene, FREE)
    where = {(i, int(at)): spot for i, t in trails(scene, GROUND).items() for at, spot in zip(t.at_ms, t.spots)}  # noqa: B905
    found = from_photo(seen, patient(seen, GROUND, FREE.cell_px), where, GROUND)
    assert {p.person for p in found} == {0, 1}
    assert not any(p.lost for p in found)
    assert all(p.metres == pytest.approx(p.seconds, rel=0.05) for p in found), "they walk a metre a second"


# ---- the score -------------------------------------------------------------------------------------------------------


def glimpses(n: int) -> list[Glimpse]:
    """Two people at two places, twice a second."""
    really = {0: (10.0, 10.0), 1: (90.0, 90.0)}
    return [Glimpse(k * 500, k * 500, False, tuple(really.values()), really, {}) for k in range(n)]


def test_a_slip_of_half_a_second_is_forgiven_and_one_of_a_second_is_not() -> None:
    seen = glimpses(20)
    right, wrong = {7: (10.0, 10.0)}, {7: (90.0, 90.0)}
    still = np.arange(20.0)
    slip = [wrong if k in {8, 9} else right for k in range(20)]
    assert not pursue(seen, slip, 0, range(20), 7, still).lost
    gone = [wrong if k in {8, 9, 10} else right for k in range(20)]
    found = pursue(seen, gone, 0, range(20), 7, still)
    assert found.lost
    assert (found.seconds, found.metres, found.visit_s) == (3.5, 7.0, 9.5)


def test_a_path_that_changes_persons_half_way_has_half_the_idf1() -> None:
    seen = glimpses(20)
    a, b = (10.0, 10.0), (90.0, 90.0)
    assert idf1(seen, [{1: a, 2: b}] * 20) == 1.0
    assert idf1(seen, [{1: a, 2: b}] * 10 + [{1: b, 2: a}] * 10) == 0.5


def test_the_way_walked_does_not_grow_by_trembling() -> None:
    rng = np.random.default_rng(1)
    at_ms = np.arange(0, 10_000, 100)
    spots = np.c_[at_ms / 1000, np.zeros(100)] + rng.normal(0, 0.03, (100, 2))
    assert walk(spots, at_ms)[-1] == pytest.approx(9.9, rel=0.03)


def test_an_interval_over_people_holds_the_middle() -> None:
    seen = watch(frames(*(straight((2, y), (0.5, 0)) for y in range(2, 10, 2))), FREE)
    found = from_entry(seen, kalman(seen, GROUND, FREE.cell_px))
    value, (low, high), n = by_people(found, lambda p: p.seconds, lambda v: float(np.median(v)))
    assert low <= value <= high
    assert n == 4


# ---- traits ----------------------------------------------------------------------------------------------------------


def trail(pace: float, seconds: int = 20, hz: int = 4) -> Trail:
    at_ms = np.arange(0, seconds * 1000, 1000 // hz)
    return Trail(at_ms, np.c_[pace * at_ms / 1000, np.zeros(len(at_ms))], np.zeros((len(at_ms), 4), np.float32))


def test_a_pace_is_read_off_a_trail() -> None:
    _, slopes = velocities(trail(1.4), 5)
    assert np.hypot(*slopes.T) == pytest.approx(1.4)
    assert motion(trail(1.4)) == pytest.approx([1.4, 0, 0, 0], abs=1e-9)
    assert motion(trail(0.0))[2] == 1


def test_pins_on_the_grid_tell_the_pace_of_a_straight_walk_within_a_fifth() -> None:
    seen = watch(frames(straight((1, 5), (1.2, 0))), FREE)
    _, slopes = velocities(pin_trails(seen, GROUND)[0], 5)
    assert float(np.median(np.hypot(*slopes.T))) == pytest.approx(1.2, rel=0.2)


def test_people_who_differ_are_known_again_and_people_who_do_not_are_not() -> None:
    rng = np.random.default_rng(2)
    who = np.arange(20.0)[:, None]
    found = again(who + rng.normal(0, 0.1, (20, 1)), who + rng.normal(0, 0.1, (20, 1)))
    assert found.gain == pytest.approx(1 - 1 / 20)
    assert found.auc > 0.99
    mere = again(rng.normal(size=(200, 2)), rng.normal(size=(200, 2)))
    assert abs(mere.gain) < 0.03
    assert mere.auc == pytest.approx(0.5, abs=0.06)
    low, high = found.interval()
    assert low <= found.gain <= high


def test_a_step_frequency_is_found_in_noise_and_none_is_found_in_noise_alone() -> None:
    rng = np.random.default_rng(3)
    t = np.arange(64) / 7
    told, chance = peak([np.sin(2 * np.pi * 1.9 * t) + rng.normal(0, 0.5, 64)], 7, (1.3, 2.6), rng)
    assert told == pytest.approx(1.9, abs=0.1)
    assert chance < 0.01
    false = [peak([np.cumsum(rng.normal(size=64))], 7, (1.3, 2.6), rng)[1] < 0.05 for _ in range(60)]
    assert sum(false) <= 9
    assert peak([np.zeros(64)], 7, (1.3, 2.6), rng)[1] == 1.0


def test_slow_sampling_folds_a_frequency() -> None:
    assert folded(1.9, 7) == pytest.approx(1.9)
    assert folded(1.9, 3.5) == pytest.approx(1.6)
    assert folded(2.0, 4) == pytest.approx(2.0)


def test_signals_with_the_step_in_them_are_heard_and_others_only_by_chance() -> None:
    rng = np.random.default_rng(4)
    known = [Steps(k % 5, 0, 9000, f, (), np.zeros((64, 2))) for k, f in enumerate(rng.uniform(1.4, 2.5, 30))]
    t = np.arange(64) / 7
    with_steps = [[np.sin(2 * np.pi * k.hz * t) + rng.normal(0, 0.3, 64)] for k in known]
    found = heard(known, with_steps, [7.0] * 30)
    assert found.right.mean() > 0.9
    assert found.by_chance < 0.45
    without = heard(known, [[rng.normal(size=64)] for _ in known], [7.0] * 30)
    assert without.right.mean() < 0.5


# ---- the door --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delay_ms", [0, 900_000])
@pytest.mark.parametrize("hide_below", [0, 1, 2, 4])
def test_the_door_sees_what_the_timeline_shows(hide_below: int, delay_ms: int) -> None:
    rng = np.random.default_rng(hide_below)
    people = np.repeat(rng.poisson(3, 60), 40)[: 4 * 400]
    line = Timeline(delay_ms, hide_below)
    moments = [Moment(250 * k, ((5, 5, PERSON),) * int(n), "day") for k, n in enumerate(people)]
    shown = []
    if delay_ms:
        for moment in moments:
            line.add(moment)
    for moment in moments:
        if not delay_ms:
            line.add(moment)
        now = line.at(moment.at_ms + delay_ms)
        assert now is not None
        shown.append(not now.hidden)
    told = pins_door.shows(people, hide_below, 4.0, delay_ms)
    assert told.tolist() == shown
    if 0 < hide_below < 4:
        assert 0 < told.mean() < 1


def hour(*stays: tuple[float, float]) -> pins_door.Hour:
    came, left = np.array(stays, float).T
    return pins_door.Hour(9, came, left, np.zeros(len(came), np.int64), 4.0)


def test_who_comes_alone_is_told_without_a_threshold_and_never_with_one() -> None:
    lonely = hour((500, 520))
    free = pins_door.told(lonely, 0, 0)
    assert (free.told.tolist(), free.alone.tolist(), free.only.tolist()) == ([True], [True], [True])
    assert free.after_s[0] < 0.25
    hidden = pins_door.told(lonely, 3, 900_000)
    assert (hidden.told.tolist(), hidden.left.tolist(), hidden.shown.tolist()) == ([False], [False], [False])


def test_the_third_one_fills_a_plain_view_at_once_and_the_house_s_not() -> None:
    busy = hour((500, 580), (510, 590), (517, 575))
    assert pins_door.told(busy, 3, 900_000, at_once=True).fills.tolist() == [False, False, True]
    assert pins_door.told(busy, 3, 900_000, at_once=True).told.tolist() == [False, False, True]
    late = pins_door.told(busy, 3, 900_000)
    assert late.told.tolist() == [False, False, False]
    assert late.shown.tolist() == [True, True, True]


def test_who_never_leaves_holds_the_view_open_for_everybody_else() -> None:
    counts = {3: [40], 4: [40]}
    alone = pins_door.hours(counts, 1.0, 3, 4.0)
    watched = pins_door.hours(counts, 1.0, 3, 4.0, always=3)
    hidden, shown = ([pins_door.told(hour, 3, 900_000) for hour in made] for made in (alone, watched))
    assert sum(found.told.sum() for found in hidden) < 5
    assert all(found.told.all() and found.open_share == 1 for found in shown)
    assert [len(found.told) for found in hidden] == [len(found.told) for found in shown]


def test_a_share_over_hours_has_an_interval() -> None:
    value, (low, high), n = pins_door.share([np.array([True, False]), np.array([True, True])])
    assert (value, n) == (0.75, 4)
    assert low <= value <= high
    never, (_, most), _ = pins_door.share([np.zeros(10, bool)] * 5)
    assert never == 0
    assert most > 0.05, "fifty who were not seen do not prove that nobody ever is"


def test_without_the_recordings_every_figure_is_there_and_null(tmp_path: Path) -> None:
    found = pins(tmp_path, quick=True, progress=lambda _: None)
    assert [row["name"] for row in found] == list(UNITS)
    assert all(row["value"] is None and "WATCHGLASS_DATA" in row["note"] for row in found)
