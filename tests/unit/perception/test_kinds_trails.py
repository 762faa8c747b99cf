"""Trails: what is remembered of a thing in view, and for how long."""

from __future__ import annotations

import numpy as np

from watchglass.perception.observation import Tracks
from watchglass.perception.trails import Trails


def one(at_ms: int, x: float, *, track: int = 1, kind: int = 0) -> Tracks:
    box = np.array([[x, 10, x + 10, 40]], np.float32)
    return Tracks(at_ms, np.array([track], np.int64), box, np.array([0.7], np.float32), np.array([kind], np.int8))


def test_a_trail_holds_where_a_thing_was_and_when() -> None:
    trails = Trails()
    for i in range(5):
        trails.see(one(i * 400, 10.0 * i))
    trail = trails.get(1)
    assert trail is not None
    assert trail.times().tolist() == [0, 400, 800, 1200, 1600]
    assert trail.feet(since_ms=1200).tolist() == [[35.0, 40.0], [45.0, 40.0]]
    assert trail.age_ms == 1600
    assert trail.scores().shape == (5,)


def test_only_the_last_seconds_are_kept_but_the_age_is_known() -> None:
    trails = Trails(keep_ms=1000)
    for i in range(11):
        trails.see(one(i * 400, 0.0))
    trail = trails.get(1)
    assert trail is not None
    assert trail.times().min() == 3200
    assert trail.first_ms == 0


def test_what_is_gone_is_forgotten_and_other_kinds_are_not_kept() -> None:
    trails = Trails(("person",), forget_ms=2000)
    trails.see(one(0, 0.0))
    trails.see(one(100, 0.0, track=2, kind=1))
    assert [t.id for t in trails] == [1]
    trails.see(Tracks.none(2000))
    assert len(trails) == 1
    trails.see(Tracks.none(2001))
    assert len(trails) == 0


def test_a_moment_told_twice_counts_once_and_reset_forgets() -> None:
    trails = Trails()
    trails.see(one(0, 0.0))
    trails.see(one(0, 5.0))
    trail = trails.get(1)
    assert trail is not None
    assert trail.boxes()[:, 0].tolist() == [5.0]
    trails.reset()
    assert trails.get(1) is None
