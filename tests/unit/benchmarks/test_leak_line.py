"""The line behind ``bench leak``: its misses are misses, its operator confirms, and a leak that is there comes out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import leak_line
from leak_control import Views
from leak_line import NOBODY, Frame, Lens, Lensed, Missing, Operator, Piece, Setting, Shot
from leak_measure import Leak, Wash, grey_of, leaked
from leak_scenes import video
from watchglass.core.geometry import FloatArray
from watchglass.perception.observation import Detections
from watchglass.perception.ports import Packet
from watchglass.runtime.easel import Easel, Seen, Stage
from watchglass.views.backdrop import Backdrop
from watchglass.views.timeline import Shown

Image = NDArray[np.uint8]
HEIGHT, WIDTH = 192, 256
NOWHERE = np.zeros((HEIGHT, WIDTH), bool)
BOX = np.array([[100, 40, 132, 136]], np.float32)


class Finds:
    """A detector that finds the same boxes in whatever it is given."""

    side = 416

    def __init__(self, boxes: FloatArray) -> None:
        self._boxes = boxes

    def detect(self, bgr: Image) -> Detections:
        count = len(self._boxes)
        return Detections(self._boxes, np.full(count, 0.9, np.float32), np.zeros(count, np.int8))


def scene() -> Image:
    """A scene with coarse texture, so that it is not taken for a covered lens."""
    coarse = np.random.default_rng(2).integers(70, 150, (HEIGHT // 8, WIDTH // 8, 3))
    return np.kron(coarse, np.ones((8, 8, 1))).astype(np.uint8)


def film(since_s: float, seconds: int = 70) -> Iterator[Frame]:
    """Somebody stands there from so many seconds on; nobody detects them."""
    for number in range(seconds * 2):
        picture, there = scene(), NOBODY
        if number / 2 >= since_s:
            picture[40:136, 100:132] = (30, 30, 220)
            there = BOX
        yield Frame(number * 500, video(picture), there, there)


def published(since_s: float, operator: Operator) -> tuple[Leak, list[Shot]]:
    wash = Wash(leak_line.shown)
    made = leak_line.run(
        film(since_s), Finds(NOBODY), operator, Setting(), lambda f: f.at_ms >= 60_000 and not f.at_ms % 1000, scene()
    )
    shots = [shot for shot in made if isinstance(shot, Shot)]
    total = Leak()
    for shot in shots:
        view, grey = wash.undone(shot.view), grey_of(shot.view, leak_line.shown(scene(), NOWHERE))
        total += leaked(view, shot.frame.bgr(), scene(), shot.frame.people, shot.marks, ~NOWHERE, grey, NOWHERE)
    return total, shots


def test_somebody_who_stood_there_from_the_start_is_found_to_leak_where_an_operator_confirms_them() -> None:
    careless = Operator()
    total, shots = published(0.0, careless)
    assert careless.confirmed_ms is not None
    assert all(shot.age_ms is not None for shot in shots)
    assert total.share is not None
    assert total.share > 0.5, "the measure does not see a leak that is there"


def test_a_careful_operator_refuses_that_and_all_stays_grey() -> None:
    careful = Operator(careful=True)
    total, shots = published(0.0, careful)
    assert careful.confirmed_ms is None
    assert careful.refused > 0
    assert total.leaked == 0
    assert {shot.age_ms for shot in shots} == {None}


def test_somebody_who_came_later_does_not_leak() -> None:
    total, shots = published(30.0, Operator(careful=True))
    assert all(shot.age_ms is not None for shot in shots)
    assert total.boxes == len(shots) > 0
    assert total.leaked == 0


def test_the_operator_waits_until_enough_is_shown_and_looks_every_ten_seconds() -> None:
    operator = Operator()
    _, shots = published(1e9, operator)
    assert operator.confirmed_ms is not None
    assert operator.confirmed_ms % 10_000 == 0
    assert 20_000 <= operator.confirmed_ms <= 60_000
    assert shots[-1].age_ms == shots[-1].frame.at_ms - operator.confirmed_ms


def test_the_film_is_cut_into_clips_whose_pictures_have_their_times() -> None:
    made = leak_line.run(film(1e9, 30), Finds(NOBODY), Operator(), Setting(clips_ms=8000), lambda _: False)
    pieces = [piece for piece in made if isinstance(piece, Piece)]
    assert len(pieces) >= 3
    for piece in pieces:
        assert len(piece.times) == len(piece.pictures())
        assert list(piece.times) == sorted(set(piece.times))
    seen = {at for piece in pieces for at in piece.times}
    assert len(seen) >= 0.8 * 60 / 1, "the clips leave no gaps"


# ---- misses ------------------------------------------------------------------------------------------------------


def test_so_many_detections_are_dropped_at_random() -> None:
    boxes = np.array([[i * 10, 0, i * 10 + 8, 8] for i in range(100)], np.float32)
    missing = Missing(Finds(boxes), Lens(), 0.3)
    for _ in range(30):
        missing.detect(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    assert missing.dropped / 3000 == pytest.approx(0.3, abs=0.03)
    assert missing.kept + missing.dropped == 3000
    none = Missing(Finds(boxes), Lens(), 0.0)
    assert len(none.detect(np.zeros((HEIGHT, WIDTH, 3), np.uint8))) == 100


def test_one_person_is_never_found_also_in_a_part_of_the_picture_that_was_made_smaller() -> None:
    lens = Lens()
    frame = Frame(500, video(scene()), BOX, BOX)
    lens.shows(frame)
    (picture,) = Lensed(lens).decode(Packet(500, keyframe=True, size=1, payload=frame.video))
    part = picture.part(80, 20, 180, 170, 75)
    in_part = (BOX - [80, 20, 80, 20]) * 0.5
    elsewhere = np.array([[1, 1, 8, 8]], np.float32)
    both = Finds(np.concatenate([in_part, elsewhere]).astype(np.float32))
    assert Missing(both, lens, 0.0).detect(part).boxes.tolist() == elsewhere.tolist()
    whole = picture.small(128)
    both = Finds(np.concatenate([BOX * 0.5, elsewhere]).astype(np.float32))
    assert Missing(both, lens, 0.0).detect(whole).boxes.tolist() == elsewhere.tolist()
    lens.shows(Frame(1000, video(scene())))
    assert len(Missing(both, lens, 0.0).detect(picture.small(128))) == 1, "as of the moment of that picture"


def test_boxes_touch_by_a_quarter_of_the_smaller() -> None:
    found = np.array([[0, 0, 10, 10], [8, 0, 18, 10], [5, 5, 8, 8]], np.float32)
    assert leak_line.touching(found, np.array([[0, 0, 10, 10]], np.float32)).tolist() == [True, False, True]
    assert leak_line.touching(found, NOBODY).tolist() == [False] * 3


def test_a_firing_is_held_against_the_same_view_with_nobody_in_it() -> None:
    with_somebody = scene()
    with_somebody[40:136, 100:132] = (30, 30, 220)
    admitted = ~NOWHERE
    admitted[:64, :64] = False
    stage = Stage("day", "1", Backdrop(with_somebody, admitted).to_png(), 0)
    told = Shown(1000, ((200, 100, 0),), 1, False, "day", "", ())
    shot = Shot(Frame(1000, video(scene())), Seen((WIDTH, HEIGHT), told, stage), Easel(), (WIDTH, HEIGHT))
    views = Views(scene(), ~NOWHERE)
    nobody = views.control(shot)
    assert shot.people.tolist() == [[200, 100]]
    assert np.abs(shot.view[60:120, 104:128].astype(int) - views.scene[60:120, 104:128]).mean() > 20, "it is published"
    assert (nobody[60:120, 104:128] == views.scene[60:120, 104:128]).all(), "and not in what it is held against"
    assert (nobody[shot.marks] == shot.view[shot.marks]).all()
    assert (nobody[10:50, 10:50] == views.grey[10:50, 10:50]).all()
    assert views.leak(replace_people(shot)).leaked > 1500


def replace_people(shot: Shot) -> Shot:
    """The same moment, the camera seeing whoever is published."""
    camera = scene()
    camera[40:136, 100:132] = (30, 30, 220)
    return Shot(Frame(1000, video(camera), BOX), shot.seen, shot.easel, shot.size)
