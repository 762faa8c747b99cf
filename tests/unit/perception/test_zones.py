from __future__ import annotations

import numpy as np
import pytest

from watchglass.core.errors import BadInput
from watchglass.perception.messages import ZoneSpec
from watchglass.perception.observation import KINDS, Detections, Tracks
from watchglass.perception.zones import Zone


def tracks(*boxes: tuple[float, float, float, float], kinds: tuple[int, ...] | None = None) -> Tracks:
    n = len(boxes)
    return Tracks(
        0,
        np.arange(n),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.ones(n, np.float32),
        np.array(kinds or [0] * n, np.int8),
    )


def test_a_thing_is_where_its_feet_are() -> None:
    zone = Zone(ZoneSpec("z", ((0, 100), (100, 100), (100, 200), (0, 200))))
    inside = zone.inside(tracks((40, 0, 60, 150), (40, 110, 60, 250), (90, 50, 130, 150)), ("person",))
    assert inside.tolist() == [True, False, False]


def test_only_the_kinds_that_were_asked_for() -> None:
    zone = Zone(ZoneSpec("z", ((0, 0), (100, 0), (100, 100), (0, 100))))
    box = (40.0, 0.0, 60.0, 50.0)
    everything = tracks(box, box, box, box, kinds=(0, 1, 2, 3))
    assert zone.inside(everything, ("vehicle", "bag")).tolist() == [False, True, False, True]
    assert zone.inside(tracks(), ("person",)).tolist() == []


def test_without_a_polygon_the_whole_picture_is_meant() -> None:
    assert Zone(None).inside(tracks((0, 0, 5, 5)), ("person",)).tolist() == [True]


def test_a_polygon_must_be_one() -> None:
    with pytest.raises(BadInput, match="three corners"):
        Zone(ZoneSpec("z", ((0, 0), (1, 1))))


def test_there_is_no_kind_for_a_face_or_a_plate() -> None:
    assert KINDS == ("person", "vehicle", "bicycle", "bag")


def test_arrays_that_disagree_do_not_construct() -> None:
    with pytest.raises(ValueError, match="shapes disagree"):
        Detections(np.zeros((2, 4), np.float32), np.zeros(1, np.float32), np.zeros(1, np.int8))
