from __future__ import annotations

import cv2
import numpy as np
import pytest

from watchglass.perception.drift import drift, soften
from watchglass.perception.observation import Detections
from watchglass.perception.track import Tracker

SIZE = (640, 480)


def found(*boxes: tuple[float, float, float, float], score: float = 0.8, kind: int = 0) -> Detections:
    n = len(boxes)
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4), np.full(n, score, np.float32), np.full(n, kind, np.int8)
    )


def box(x: float, y: float = 100) -> tuple[float, float, float, float]:
    return (x, y, x + 40, y + 100)


def test_one_hit_is_a_rumour_and_two_are_a_track() -> None:
    tracker = Tracker(SIZE)
    tracker.see(0, found(box(100)))
    assert len(tracker.at(0)) == 0
    assert not tracker.holds
    tracker.see(400, found(box(110)))
    assert tracker.at(400).ids.tolist() == [1]
    assert tracker.holds


def test_between_looks_it_moves_on_at_its_own_speed() -> None:
    tracker = Tracker(SIZE)
    for i in range(6):
        tracker.see(400 * i, found(box(100 + 20 * i)))
    expected = tracker.at(2200)
    assert expected.boxes[0, 0] == pytest.approx(100 + 20 * 5 + 10, abs=3)


def test_two_that_cross_keep_their_numbers() -> None:
    tracker = Tracker(SIZE)
    for i in range(12):
        tracker.see(400 * i, found(box(100 + 20 * i, 100), box(320 - 20 * i, 130)))
    last = tracker.at(400 * 11)
    by_id = dict(zip(last.ids.tolist(), last.boxes[:, 0].tolist(), strict=True))
    assert by_id[1] > 300
    assert by_id[2] < 120


def test_a_weak_detection_continues_a_track_and_never_begins_one() -> None:
    tracker = Tracker(SIZE)
    tracker.see(0, found(box(100), score=0.3))
    tracker.see(400, found(box(100), score=0.3))
    assert len(tracker.at(400)) == 0
    tracker.see(800, found(box(100)))
    tracker.see(1200, found(box(105)))
    tracker.see(1600, found(box(110), score=0.3))
    assert len(tracker.at(2400)) == 1


def test_kinds_do_not_mix() -> None:
    tracker = Tracker(SIZE)
    tracker.see(0, found(box(100)))
    tracker.see(400, found(box(100), kind=1))
    assert len(tracker.at(400)) == 0


def test_a_missed_one_is_shown_briefly_kept_longer_and_then_forgotten() -> None:
    tracker = Tracker(SIZE, show_ms=500, keep_ms=2000)
    tracker.see(0, found(box(100)))
    tracker.see(400, found(box(100)))
    tracker.see(800, found())
    assert len(tracker.at(800)) == 1
    tracker.see(1200, found())
    assert len(tracker.at(1200)) == 0
    tracker.see(1600, found(box(102)))
    assert tracker.at(1600).ids.tolist() == [1]
    for at in range(2000, 6000, 400):
        tracker.see(at, found())
    assert not tracker.holds


def test_what_leaves_the_picture_is_gone() -> None:
    tracker = Tracker(SIZE, show_ms=5000, keep_ms=5000)
    for i in range(5):
        tracker.see(400 * i, found(box(520 + 20 * i)))
    tracker.see(2000, found())
    assert len(tracker.at(4000)) == 0


def test_a_still_thing_that_hardly_looks_like_a_person_is_none() -> None:
    """A traffic cone scores .49 for ever; a person who stands scores more, and one who walks has moved."""
    cone, person, walker = Tracker(SIZE), Tracker(SIZE), Tracker(SIZE)
    for i in range(10):
        cone.see(400 * i, found(box(100), score=0.49))
        person.see(400 * i, found(box(100), score=0.7))
        walker.see(400 * i, found(box(100 + 12 * i), score=0.49))
    assert (len(cone.at(3600)), len(person.at(3600)), len(walker.at(3600))) == (0, 1, 1)


def test_where_nothing_moved_only_a_clear_score_begins_a_track() -> None:
    tracker = Tracker(SIZE)
    for i in range(4):
        tracker.see(400 * i, found(box(100), box(300), score=0.55), np.array([True, False]))
    assert tracker.at(1200).boxes[:, 0].tolist() == pytest.approx([100])


def test_numbers_are_never_used_twice() -> None:
    tracker = Tracker(SIZE)
    for i in range(2):
        tracker.see(400 * i, found(box(100)))
    first = tracker.at(400).ids.tolist()
    tracker.reset()
    for i in range(2, 4):
        tracker.see(400 * i, found(box(100)))
    assert not set(first) & set(tracker.at(1200).ids.tolist())


def test_two_who_pass_each_other_do_not_become_three() -> None:
    """What overlaps with somebody who is followed needs a clear score to begin a track of its own."""
    tracker = Tracker(SIZE)
    for i in range(4):
        tracker.see(400 * i, found(box(100), box(300)))
    for i in range(4, 8):
        seen = found(box(100), box(300), (115, 100, 160, 200))
        doubtful = Detections(seen.boxes, np.array([0.8, 0.8, 0.6], np.float32), seen.kinds)
        tracker.see(400 * i, doubtful)
    assert tracker.at(2800).ids.tolist() == [1, 2]
    for i in range(8, 10):
        tracker.see(400 * i, found(box(100), box(300), (115, 100, 160, 200)))
    assert len(tracker.at(3600)) == 3


def test_a_rider_does_not_hide_the_bicycle() -> None:
    tracker = Tracker(SIZE)
    for i in range(6):
        rider, bicycle = box(100 + 20 * i), (95 + 20 * i, 140, 150 + 20 * i, 205)
        score = 0.45 if i < 4 else 0.33
        both = Detections(
            np.array([rider, bicycle], np.float32), np.array([0.8, score], np.float32), np.array([0, 2], np.int8)
        )
        tracker.see(400 * i, both)
    assert sorted(tracker.at(2000).kinds.tolist()) == [0, 2]


def test_a_lost_track_takes_nobody_elses_place() -> None:
    """One vanishes beside another one who walks on: the one who walks keeps its number."""
    tracker = Tracker(SIZE)
    for i in range(6):
        tracker.see(400 * i, found(box(200), box(260 + 4 * i)))
    ids = tracker.at(2000).ids.tolist()
    for i in range(6, 9):
        tracker.see(400 * i, found(box(260 + 4 * i)))
    last = tracker.at(3200)
    assert last.ids.tolist() == [ids[1]]
    assert last.boxes[0, 0] == pytest.approx(292, abs=4)


def test_what_nobody_looked_at_is_not_missed_and_not_kept_for_ever() -> None:
    tracker = Tracker(SIZE)
    for i in range(3):
        tracker.see(400 * i, found(box(100), box(400)))

    def left(boxes: np.ndarray) -> np.ndarray:
        return boxes[:, 2] < 320

    for i in range(3, 8):
        tracker.see(400 * i, found(box(100)), looked=left)
    assert tracker.at(2800).ids.tolist() == [1, 2]
    tracker.see(3200, found(), looked=left)
    assert tracker.at(3200).ids.tolist() == [2]
    for i in range(9, 20):
        tracker.see(400 * i, found(box(100)), looked=left)
    assert 2 not in tracker.at(400 * 19).ids.tolist()


def test_between_looks_a_measured_drift_moves_a_track() -> None:
    tracker = Tracker(SIZE)
    for i in range(3):
        tracker.see(400 * i, found(box(100)))
    tracker.follow(800, 1000, lambda _box, _guess, _doubt: np.array([12, 0], np.float32))
    assert tracker.at(1000).boxes[0, 0] == pytest.approx(112, abs=1)
    assert tracker.at(1100).boxes[0, 0] > 114
    tracker.follow(1000, 1200, lambda _box, _guess, _doubt: None)
    tracker.see(1200, found(box(124)))
    assert tracker.at(1200).boxes[0, 0] == pytest.approx(124, abs=2)


def test_where_two_overlap_no_drift_is_believed() -> None:
    tracker = Tracker(SIZE)
    for i in range(3):
        tracker.see(400 * i, found(box(100), box(115)))
    tracker.follow(800, 1000, lambda _box, _guess, _doubt: np.array([40, 0], np.float32))
    assert tracker.at(1000).boxes[:, 0].tolist() == pytest.approx([100, 115], abs=3)


def pattern(seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 255, (60, 80)).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 2)


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (9, 3), (-12, 0), (4, -6), (20, 0)])
def test_drift_finds_by_how_much_a_patch_moved(dx: int, dy: int) -> None:
    """A patch pasted on a flat ground, moved by whole and by broken samples (eight pixels each)."""
    ground, patch = pattern(1) * 0 + 100, pattern(2)[10:34, 10:26] * 3 % 255
    samples = []
    for x, y in ((0.0, 0.0), (dx / 8, dy / 8)):
        matrix = np.array([[1, 0, 30 + x], [0, 1, 18 + y]], np.float32)
        moved = cv2.warpAffine(patch, matrix, (80, 60), dst=ground.copy(), borderMode=cv2.BORDER_TRANSPARENT)
        samples.append(soften(moved.clip(0, 255).astype(np.uint8)))
    where = np.array([30 * 8, 18 * 8, 46 * 8, 42 * 8], np.float32)
    found_shift = drift(samples[0], samples[1], where, np.zeros(2, np.float32), 8)
    assert found_shift is not None
    assert found_shift.tolist() == pytest.approx([dx, dy], abs=2.5)


def test_drift_looks_as_far_as_the_doubt_reaches() -> None:
    """Who is new may be fast: nine samples in a fifth of a second."""
    ground, patch = np.full((60, 80), 100, np.uint8), soften(pattern(2)[10:34, 10:26].clip(0, 255).astype(np.uint8))
    samples = []
    for x in (30, 39):
        sample = ground.copy()
        sample[18:42, x : x + 16] = patch
        samples.append(sample)
    where, none = np.array([30 * 8, 18 * 8, 46 * 8, 42 * 8], np.float32), np.zeros(2, np.float32)
    far = drift(samples[0], samples[1], where, none, 8, 100)
    assert far is not None
    assert far.tolist() == pytest.approx([72, 0], abs=2.5)


@pytest.mark.parametrize(("samples_off", "noise", "told"), [(6, 0, True), (6, 45, False), (12, 0, False)])
def test_who_begins_to_run_is_found_twice_as_far_if_very_much_alike(samples_off: int, noise: int, told: bool) -> None:
    ground, patch = np.full((60, 80), 100, np.uint8), soften(pattern(2)[10:34, 10:26].clip(0, 255).astype(np.uint8))
    before, now = ground.copy(), ground.copy()
    before[18:42, 30:46] = patch
    off = np.random.default_rng(1).normal(0, noise, patch.shape)
    now[18:42, 30 + samples_off : 46 + samples_off] = (patch + off).clip(0, 255).astype(np.uint8)
    shift = drift(before, now, np.array([240, 144, 368, 336], np.float32), np.zeros(2, np.float32), 8)
    right = shift is not None and abs(float(shift[0]) - 8 * samples_off) < 4
    assert right == told


def test_who_is_seen_to_move_may_be_missed_once_before_it_is_confirmed() -> None:
    def seen(*, carried: bool) -> int:
        tracker = Tracker((1000, 600))
        tracker.see(0, found(box(100)))
        if carried:
            tracker.follow(0, 200, lambda _box, _guess, _doubt: np.array([30, 0], np.float32))
        tracker.see(400, found())
        tracker.see(800, found(box(220 if carried else 100)))
        return len(tracker.at(800))

    assert seen(carried=True) == 1
    assert seen(carried=False) == 0


def test_drift_says_nothing_about_what_it_cannot_tell() -> None:
    flat = np.full((60, 80), 90, np.uint8)
    middle, none = np.array([240, 144, 368, 336], np.float32), np.zeros(2, np.float32)
    assert drift(flat, flat, middle, none, 8) is None
    busy = soften(pattern().astype(np.uint8))
    assert drift(busy, soften(pattern(9).astype(np.uint8)), middle, none, 8) is None
    assert drift(busy, busy, np.array([240, 144, 260, 180], np.float32), none, 8) is None
    assert drift(busy, busy, np.array([0, 0, 128, 192], np.float32), none, 8) is None


def test_what_is_new_or_fast_wants_the_next_look_soon_and_who_walks_on_does_not() -> None:
    walker, runner = Tracker((2000, 600)), Tracker((2000, 600))
    hurried = []
    for i in range(10):
        walker.see(400 * i, found(box(100 + 20 * i)))
        runner.see(400 * i, found(box(100 + 60 * i)))
        hurried.append(walker.hurries(400 * i))
    assert hurried == [True] * 4 + [False] * 6
    assert runner.hurries(3600)
