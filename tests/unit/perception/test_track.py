from __future__ import annotations

import numpy as np
import pytest

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
    """A traffic cone scores .48 for ever; a person who stands scores more, and one who walks has moved."""
    cone, person, walker = Tracker(SIZE), Tracker(SIZE), Tracker(SIZE)
    for i in range(10):
        cone.see(400 * i, found(box(100), score=0.47))
        person.see(400 * i, found(box(100), score=0.7))
        walker.see(400 * i, found(box(100 + 12 * i), score=0.47))
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
