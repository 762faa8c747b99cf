"""One source's views at work: which one is shown, which one is learned, and what is renewed by itself."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from watchglass.core.digest import sha256
from watchglass.core.errors import BadInput
from watchglass.core.time import MINUTE
from watchglass.perception.messages import BackdropProposal, BackdropRenewal, SourceSpec
from watchglass.perception.observation import KINDS, Detections, Tracks
from watchglass.perception.ports import View, stride_of
from watchglass.runtime.painting import ViewPainter
from watchglass.views.backdrop import Backdrop

SIZE = (480, 270)
STRIDE = stride_of(*SIZE)
FREE = np.zeros((SIZE[1], SIZE[0]), bool)


def place(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    picture = np.full((SIZE[1], SIZE[0], 3), (110, 120, 125), np.uint8)
    for _ in range(150):
        x, y = int(rng.integers(0, SIZE[0])), int(rng.integers(0, SIZE[1]))
        w, h = int(rng.integers(10, 70)), int(rng.integers(10, 55))
        cv2.rectangle(picture, (x, y), (x + w, y + h), [int(c) for c in rng.integers(30, 220, 3)], -1)
    return picture


A, B = place(1), place(2)


def png(bgr: np.ndarray) -> bytes:
    return Backdrop(bgr, np.ones(bgr.shape[:2], bool)).to_png()


def alike(found: np.ndarray, bgr: np.ndarray) -> bool:
    """But for what may be text: rectangles in a row look like letters."""
    return float((np.abs(found.astype(int) - bgr).max(axis=2) <= 2).mean()) > 0.9


class Shot:
    """A ``perception.ports.Picture`` of a full-range camera."""

    black = 0

    def __init__(self, at_ms: int, bgr: np.ndarray) -> None:
        self.at_ms = at_ms
        self._bgr = bgr
        self.height, self.width = bgr.shape[:2]

    def luma(self) -> np.ndarray:
        first = STRIDE // 2
        return cv2.cvtColor(self._bgr[first::STRIDE, first : self.width - 1 : STRIDE].copy(), cv2.COLOR_BGR2GRAY)

    def chroma(self) -> np.ndarray:
        wide = 4 * STRIDE
        return cv2.cvtColor(self._bgr[wide // 2 :: wide, wide // 2 :: wide].copy(), cv2.COLOR_BGR2YCrCb)[..., 1:]

    def bgr(self) -> np.ndarray:
        return self._bgr


class Finds:
    """A detector that finds one kind of thing in one place, wherever it is shown that place."""

    side = 416

    def __init__(self, kind: str = "", box: tuple[int, int, int, int] = (0, 0, 0, 0)) -> None:
        self.kind, self.box = kind, box

    def detect(self, bgr: np.ndarray) -> Detections:
        if not self.kind or bgr.shape[:2] != (SIZE[1], SIZE[0]):
            return Detections.none()
        kinds = np.array([KINDS.index(self.kind)], np.int8)
        return Detections(np.array([self.box], np.float32), np.array([0.4], np.float32), kinds)


class Line:
    """A painter, called as the pipeline calls it, and a time that goes on by itself."""

    def __init__(self, **backdrops: np.ndarray) -> None:
        found = tuple((name.replace("_", "-"), png(bgr)) for name, bgr in backdrops.items())
        self.painter = ViewPainter(SourceSpec("street", "", (), backdrops=found), SIZE)
        self.at_ms = 0

    def see(self, bgr: np.ndarray, seconds: float = 1, trouble: str = "") -> View:
        """Once a second, or as a shut gate looks while that lasts for long."""
        every_ms = 1000 if seconds <= 120 else 10_000
        for _ in range(round(seconds * 1000 / every_ms)):
            self.painter.recognise(Shot(self.at_ms, bgr), trouble, None)
            if self.painter.due(self.at_ms):
                self.painter.look(self.at_ms, bgr, FREE)
            self.at_ms += every_ms
        return self.painter.view

    def proposal(self, scene: str = "") -> BackdropProposal:
        return self.painter.proposal(self.at_ms, Finds(), scene)

    def renewal(self, detector: Finds | None = None) -> BackdropRenewal | None:
        return self.painter.renewal(self.at_ms, detector or Finds())


def test_the_first_view_is_learned_and_then_known() -> None:
    line = Line()
    assert line.see(A, 45) == View(unsure="nobody has confirmed a view of this camera yet")
    proposal = line.proposal()
    assert (proposal.scene, proposal.ready) == ("day", 1.0)
    line.painter.confirm(proposal.scene, proposal.png)
    assert not line.painter.learning
    assert line.see(A, 6) == View("day")
    confirmed = line.painter.confirmed
    assert confirmed is not None
    assert alike(confirmed.bgr, A)


def test_another_view_is_learned_only_when_somebody_asks_and_only_while_it_is_there() -> None:
    line = Line(day=A)
    assert line.see(A, 6) == View("day")
    assert line.see(B, 120).scene == ""
    assert not line.painter.learning
    assert line.proposal().ready == 0
    for _ in range(6):
        line.see(B, 15)
        line.see(A, 15)
    proposal = line.proposal("day-2")
    assert (proposal.scene, proposal.ready) == ("day-2", 1.0)
    assert alike(Backdrop.from_png(proposal.png).bgr, B)
    line.painter.confirm("day-2", proposal.png)
    assert [line.see(each, 8).scene for each in (B, A, B)] == ["day-2", "day", "day-2"]


def test_a_confirmed_view_is_learned_anew_when_somebody_asks_for_it() -> None:
    line = Line(day=A, day_2=B)
    line.see(B, 6)
    assert line.proposal("day").scene == "day"
    line.see(B, 40)
    assert line.proposal("day").ready == 0
    line.see(A, 50)
    assert line.proposal("day").ready == 1


def test_infrared_is_a_view_of_its_own() -> None:
    line = Line(day=A)
    line.see(A, 6)
    dark = cv2.cvtColor(A, cv2.COLOR_BGR2GRAY)[..., None].repeat(3, axis=2)
    assert "colour" in line.see(dark, 10).unsure
    line.proposal()
    line.see(dark, 45)
    proposal = line.proposal()
    assert (proposal.scene, proposal.ready) == ("infrared", 1.0)
    line.painter.confirm("infrared", proposal.png)
    assert line.see(dark, 8).scene == "infrared"
    assert line.see(A, 8).scene == "day"


def test_a_view_that_does_not_come_back_is_not_waited_for() -> None:
    line = Line()
    line.see(A, 30)
    line.see(B, 120)
    proposal = line.proposal()
    assert proposal.ready == 1
    assert alike(Backdrop.from_png(proposal.png).bgr, B)


def test_what_nobody_asks_for_any_more_is_not_learned_for_ever() -> None:
    line = Line(day=A)
    line.see(A, 6)
    line.proposal()
    line.see(A, 29 * 60)
    assert line.painter.learning
    line.see(A, 2 * 60)
    assert not line.painter.learning


def test_trouble_and_lost_pictures_are_said_at_once_and_stills_are_grey() -> None:
    line = Line(day=A)
    line.see(A, 6)
    colourful = line.painter.still(Tracks.none(0), None)
    assert line.see(A, 1, trouble="blurred") == View(unsure="the picture is blurred")
    assert line.painter.confirmed is None
    assert line.painter.still(Tracks.none(0), None) != colourful
    line.see(A, 6)
    line.painter.lose("no picture comes")
    assert line.painter.view == View(unsure="no picture comes")


def test_a_backdrop_of_another_size_is_not_used_and_one_that_cannot_be_read_neither() -> None:
    small = Line(day=np.ascontiguousarray(A[:100, :100]))
    assert small.see(A, 6) == View(unsure="the confirmed backdrop has another size than the picture")
    broken = ViewPainter(SourceSpec("street", "", (), backdrops=(("day", b"no picture"),)), SIZE)
    broken.recognise(Shot(0, A), "", None)
    assert broken.view == View(unsure="the confirmed backdrop cannot be read")
    with pytest.raises(BadInput):
        broken.confirm("day", b"no picture")


def test_withdrawn_it_is_grey_and_learned_again() -> None:
    line = Line(day=A)
    line.see(A, 6)
    line.painter.confirm("day", None)
    assert line.painter.view.scene == ""
    assert line.painter.learning


def with_thing() -> np.ndarray:
    picture = A.copy()
    picture[100:150, 200:260] = np.random.default_rng(8).integers(0, 255, (50, 60, 3))
    return picture


def test_what_changed_for_good_is_renewed_and_then_settled() -> None:
    line = Line(day=A)
    line.see(A, 120)
    assert line.see(with_thing(), 29 * 60).scene == "day"
    assert line.renewal() is None
    line.see(with_thing(), 120)
    new = line.renewal()
    assert new is not None
    assert (new.source, new.scene, new.base_sha256) == ("street", "day", sha256(png(A)))
    renewed = Backdrop.from_png(new.png)
    assert np.abs(renewed.bgr[100:150, 200:260].astype(int) - with_thing()[100:150, 200:260]).mean() < 3
    assert 4 <= new.blocks <= 12
    same = (renewed.bgr == A).all(axis=2)
    assert same[:, :160].all()
    assert same[:, 320:].all()
    line.painter.confirm("day", new.png)  # as the house does once the act is recorded
    assert line.see(with_thing(), 35 * 60).scene == "day"
    assert line.renewal() is None


def test_where_a_person_is_suspected_nothing_is_renewed() -> None:
    line = Line(day=A)
    line.see(A, 120)
    line.see(with_thing(), 31 * 60)
    assert line.renewal(Finds("person", (210, 90, 240, 150))) is None
    line.see(with_thing(), 20 * 60)
    assert line.renewal() is None  # its thirty minutes began anew
    line.see(with_thing(), 12 * 60)
    assert line.renewal() is not None


def test_a_parked_vehicle_is_mosaicked_before_it_is_renewed() -> None:
    line = Line(day=A)
    line.see(A, 120)
    line.see(with_thing(), 31 * 60)
    new = line.renewal(Finds("vehicle", (195, 95, 265, 155)))
    assert new is not None
    inside = Backdrop.from_png(new.png).bgr[100:150, 200:260]
    assert (np.diff(inside.astype(int), axis=1) == 0).all(axis=2).mean() > 0.8  # blocks, not the thing's pattern
    assert (np.diff(with_thing()[100:150, 200:260].astype(int), axis=1) == 0).all(axis=2).mean() < 0.1


def test_what_moved_between_two_looks_is_heard_of() -> None:
    line = Line(day=A)
    line.see(A, 120)
    moving = np.zeros(Shot(0, A).luma().shape, bool)
    moving[120 // STRIDE, 230 // STRIDE] = True
    for _ in range(4):
        line.see(with_thing(), 20 * 60)
        assert line.renewal() is None
        line.painter.stir(moving)
        line.see(with_thing(), 10)


def test_renewals_come_no_more_often_than_every_ten_minutes() -> None:
    line = Line(day=A)
    line.see(A, 120)
    first, both = with_thing(), with_thing()
    both[20:60, 380:430] = np.random.default_rng(9).integers(0, 255, (40, 50, 3))
    line.see(first, 120)
    line.see(both, 29 * 60)
    new = line.renewal()
    assert new is not None
    line.painter.confirm("day", new.png)
    line.see(both, 3 * 60)
    assert line.renewal() is None
    line.see(both, 8 * MINUTE / 1000)
    assert line.renewal() is not None


def test_one_broken_backdrop_takes_no_other_with_it_and_an_unknown_name_asks_for_what_is_there() -> None:
    found = (("day", b"no picture"), ("day-2", png(B)))
    line = Line()
    line.painter = ViewPainter(SourceSpec("street", "", (), backdrops=found), SIZE)
    assert line.see(B, 6) == View("day-2")
    assert line.proposal("day-7").scene == "day-2"
    line.see(A, 10)
    assert line.proposal().ready == 0  # the view of before has gone: this one is begun
    line.see(A, 40)
    proposal = line.proposal()
    assert (proposal.scene, proposal.ready) == ("day", 1.0)
