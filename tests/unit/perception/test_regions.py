"""Where the detector looks: the whole picture and windows of it, so that nobody small waits for ever."""

from __future__ import annotations

import numpy as np
import pytest

from watchglass.perception.regions import SEEN, Look, Regions, Stirs, clumps_of

HD = (1920, 1080)
NOTHING = np.zeros((0, 4), np.float32)
NOBODY = np.zeros(0, bool)


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def person(x: float, y: float, tall: float = 60) -> tuple[float, float, float, float]:
    return (x, y, x + 0.4 * tall, y + tall)


def settles(look: Look, box: tuple[float, float, float, float]) -> bool:
    return bool(look.finds(boxes(box))[0])


@pytest.mark.parametrize("size", [(768, 576), (360, 240), (640, 360)])
def test_a_small_picture_is_always_looked_at_whole(size: tuple[int, int]) -> None:
    regions = Regions(size, 512)
    for i in range(10):
        look = regions.next(400 * i, boxes(person(10, 20)), boxes(person(90, 20)), np.array([True]))
        assert (look.whole, look.x1, look.y1, look.x2, look.y2, look.side) == (True, 0, 0, *size, 512)


def test_what_is_small_and_moves_gets_a_window_in_which_it_is_large_enough() -> None:
    regions = Regions(HD, 512)
    small = person(1500, 300, 40)
    assert not settles(Look(0, 0, *HD, 512, whole=True), small)
    looks = [regions.next(400 * i, boxes(small), NOTHING, NOBODY) for i in range(3)]
    first = next(look for look in looks if settles(look, small))
    assert 40 * first.scale >= SEEN
    assert not first.whole


def test_what_is_large_needs_no_window() -> None:
    regions = Regions(HD, 512)
    looks = [regions.next(400 * i, NOTHING, boxes(person(800, 200, 500)), np.array([True])) for i in range(4)]
    assert looks[0].whole
    assert all(settles(look, person(800, 200, 500)) for look in looks if look.whole)


def test_neighbours_share_a_window() -> None:
    regions = Regions(HD, 512)
    two = person(1200, 500), person(1330, 520)
    looks = [regions.next(400 * i, boxes(*two), NOTHING, NOBODY) for i in range(4)]
    assert any(all(settles(look, one) for one in two) for look in looks)


def test_windows_lie_within_the_picture_and_cost_no_more_than_a_whole_look() -> None:
    rng = np.random.default_rng(5)
    regions = Regions(HD, 512)
    for i in range(60):
        n = int(rng.integers(0, 12))
        corner = rng.uniform((-20, -20), (1900, 1060), (n, 2))
        tall = rng.uniform(10, 400, n)
        moving = np.stack([corner[:, 0], corner[:, 1], corner[:, 0] + tall * 0.4, corner[:, 1] + tall], axis=1)
        look = regions.next(400 * i, moving.astype(np.float32), NOTHING, NOBODY)
        assert 0 <= look.x1 < look.x2 <= HD[0]
        assert 0 <= look.y1 < look.y2 <= HD[1]
        width, height = (look.x2 - look.x1) * look.scale, (look.y2 - look.y1) * look.scale
        assert look.whole or width * height <= 512 * 288


def test_nobody_waits_for_ever() -> None:
    """Fourteen people far apart, all too small for a whole look: each is looked at again and again."""
    people = [person(x, y, 45) for y in (120, 780) for x in range(40, 1900, 270)]
    regions = Regions(HD, 512)
    seen: dict[int, list[int]] = {i: [] for i in range(len(people))}
    whole = []
    for i in range(150):
        look = regions.next(400 * i, NOTHING, boxes(*people), np.ones(len(people), bool))
        for index, one in enumerate(people):
            if look.holds(boxes(one))[0] and 45 * look.scale >= 18:
                seen[index].append(i)
        if look.whole:
            whole.append(i)
    assert all(max(np.diff([0, *looks, 150])) <= 25 for looks in seen.values())
    assert max(np.diff([0, *whole, 150])) <= 25


def test_where_nothing_happens_every_corner_is_looked_at_now_and_then() -> None:
    """Somebody small who stood there from the beginning moves nothing and is in no track."""
    still = [person(x, y, 44) for y in (100, 500, 900) for x in (150, 700, 1200, 1800)]
    regions = Regions(HD, 512)
    looks = [regions.next(1000 * i, NOTHING, NOTHING, NOBODY) for i in range(60)]
    assert all(any(settles(look, one) for look in looks) for one in still)
    assert sum(look.whole for look in looks) >= 10


def test_somebody_new_is_looked_at_before_those_who_are_known() -> None:
    known = [person(100 + 90 * i, 600, 50) for i in range(6)]
    regions = Regions(HD, 512)
    for i in range(10):
        regions.next(400 * i, NOTHING, boxes(*known), np.ones(6, bool))
    new = person(1700, 150, 50)
    looks = [regions.next(4000 + 400 * i, boxes(new), boxes(*known), np.ones(6, bool)) for i in range(2)]
    assert any(settles(look, new) for look in looks)


def test_the_same_calls_give_the_same_windows() -> None:
    def run() -> list[Look]:
        regions = Regions(HD, 512)
        return [
            regions.next(400 * i, boxes(person(30 * i, 400)), boxes(person(900, 100)), np.array([False]))
            for i in range(20)
        ]

    assert run() == run()


def test_a_box_that_the_window_cuts_off_is_none_and_one_that_the_picture_cuts_off_is() -> None:
    look = Look(0, 200, 416, 456, 416)
    found = boxes((0, 250, 40, 330), (380, 250, 415.5, 330), (100, 200.5, 140, 280), (100, 250, 140, 330))
    assert look.uncut(found, HD).tolist() == [True, False, False, True]


def test_what_was_not_looked_at_finely_enough_is_not_missed() -> None:
    whole, window = Look(0, 0, *HD, 512, whole=True), Look(400, 400, 816, 656, 416)
    three = boxes(person(500, 450, 60), person(500, 420, 200), person(100, 100, 60))
    assert whole.finds(three).tolist() == [False, True, False]
    assert window.finds(three).tolist() == [True, True, False]


def test_clumps_are_what_hangs_together_and_single_samples_are_none() -> None:
    moved = np.zeros((40, 60), bool)
    moved[10:18, 20:23] = True
    moved[19:24, 21:23] = True
    moved[30, 50] = True
    assert clumps_of(moved, 8).tolist() == [[19 * 8, 9 * 8, 24 * 8, 25 * 8]]
    assert clumps_of(np.zeros((40, 60), bool), 8).shape == (0, 4)


def after_a_whole_look(thing: tuple[float, float, float, float], tries: int = 0) -> Look:
    regions = Regions(HD, 512)
    assert regions.next(0, NOTHING, NOTHING, NOBODY).whole
    return regions.next(200, boxes(thing), NOTHING, NOBODY, np.array([tries]))


def test_what_is_very_wide_is_looked_at_coarsely_and_nothing_else_is() -> None:
    """A car of 350 pixels is 93 wide where the whole picture is 512: too many for the detector."""
    car = after_a_whole_look((1000, 600, 1350, 880))
    assert car.whole
    assert 350 * car.scale < 70
    assert after_a_whole_look(person(300, 500, 300)).side > 320


def test_what_moves_and_was_not_found_is_looked_at_again_at_another_scale() -> None:
    large = person(1300, 300, 160)
    whole = Look(0, 0, *HD, 512, whole=True).scale
    assert 160 * whole > SEEN
    for tries in (1, 4):
        assert after_a_whole_look(large, tries).scale > 1.05 * whole


def test_what_moves_is_one_thing_from_motion_to_motion_and_remembered_when_it_stops() -> None:
    stirs = Stirs()
    for i in range(4):
        stirs.see(200 * i, boxes(person(100 + 20 * i, 100, 100)))
    stirs.looked(Look(0, 0, 416, 256, 416, 600))
    box, tries = stirs.at(600)
    assert box.tolist() == boxes(person(160, 100, 100)).tolist()
    assert tries.tolist() == [1]
    assert stirs.unknown(600, NOTHING, HD)
    assert not stirs.unknown(600, boxes(person(160, 100, 100)), HD)
    assert len(stirs.at(2500)[0]) == 1
    assert len(stirs.at(2700)[0]) == 0


def test_what_moves_for_long_is_no_longer_new() -> None:
    stirs = Stirs()
    for i in range(30):
        stirs.see(200 * i, boxes(person(100, 100, 100)))
    assert not stirs.unknown(5800, NOTHING, HD)
    assert len(stirs.at(5800)[0]) == 1
