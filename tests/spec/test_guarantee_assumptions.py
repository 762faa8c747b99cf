"""What the guarantee rests on besides the rule: time, areas that are never seen, what somebody looks like, text.

The page is docs/explanation/what-the-painted-view-guarantees.md.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

import composites
from composites import SIZE, Blind, CarPark, Line, Stay
from watchglass.core.time import HOUR, MINUTE, SECOND
from watchglass.edge.video import NeverSee, VideoPicture
from watchglass.perception.messages import Pins
from watchglass.perception.observation import KINDS, Detections
from watchglass.perception.ports import Packet
from watchglass.runtime.scrutiny import without_things
from watchglass.views import backdrop as rule
from watchglass.views.backdrop import Backdrop, BackdropLearner

DATA = Path(os.environ.get("WATCHGLASS_DATA", Path(__file__).resolve().parents[2] / "../shared/data")).resolve()
needs_pets = pytest.mark.skipif(
    not (DATA / "media/pets_s2l1/truth.json").exists(), reason="needs media/pets_s2l1 of WATCHGLASS_DATA"
)

# ---- time ----------------------------------------------------------------------------------------------------------

NOTHING = np.zeros((96, 128), bool)
GROUND = np.random.default_rng(1).integers(60, 200, (96, 128, 3), np.uint8)


def thing() -> np.ndarray:
    picture = GROUND.copy()
    picture[32:64, 32:96] = (20, 30, 220)
    return picture


def watched(jump_ms: int) -> Backdrop:
    """Ground for a minute, then something that came; after ten seconds the clock jumps, and thirty more follow."""
    learner, at_ms = BackdropLearner(128, 96), 0
    for count, picture, jump in ((60, GROUND, 0), (10, thing(), jump_ms), (30, thing(), 0)):
        for _ in range(count):
            learner.look(at_ms, picture, NOTHING)
            at_ms += SECOND
        at_ms += jump
    return learner.picture()


def shows_thing(picture: Backdrop) -> bool:
    """Whether something else than the ground is shown where the thing is."""
    far = np.abs(picture.bgr.astype(int) - GROUND).max(axis=2) > 40
    return bool((far & picture.admitted)[32:64, 32:96].mean() > 0.5)


@pytest.mark.parametrize("jump_ms", [31 * MINUTE, 5 * HOUR])
def test_a_clock_that_jumps_ahead_does_not_pass_for_half_an_hour_of_quiet(jump_ms: int) -> None:
    assert not shows_thing(watched(jump_ms))


def test_if_a_jump_counted_as_time_it_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule, "_MOST_CREDIT", 10 * HOUR)
    monkeypatch.setattr(rule, "_LOOK_SELDOM", 10 * HOUR)
    assert shows_thing(watched(31 * MINUTE))


# ---- masks, and what they do not need --------------------------------------------------------------------------------


def test_who_was_masked_from_the_first_moment_on_and_is_missed_later_was_there_first() -> None:
    """The limit of the rule: it counts what a pixel showed *unmasked*. Hence the operator's look."""
    learner, masked = BackdropLearner(128, 96), NOTHING.copy()
    masked[24:72, 24:104] = True
    for second in range(60):
        learner.look(second * SECOND, thing(), masked)
    assert not shows_thing(learner.picture())
    for second in range(60, 120):
        learner.look(second * SECOND, thing(), NOTHING)
    assert shows_thing(learner.picture())


# ---- what is never seen --------------------------------------------------------------------------------------------

DOOR = Stay(0, 0)


class Played(composites.Played):
    """Pictures in which a part is never seen."""

    def __init__(self, areas: tuple[tuple[tuple[float, float], ...], ...]) -> None:
        self._areas = areas

    def decode(self, packet: Packet) -> Sequence[VideoPicture]:
        return [VideoPicture(packet.payload, packet.at_ms, NeverSee(self._areas))]


def proposed(monkeypatch: pytest.MonkeyPatch, areas: tuple[tuple[tuple[float, float], ...], ...]) -> np.ndarray:
    """What would be proposed where somebody stands, (n, 3)."""
    monkeypatch.setattr(composites, "Played", lambda: Played(areas))
    park, line, at_ms = CarPark(DATA, (DOOR,)), Line.make(), 0
    for at_ms, picture in park.film(45):
        line.see(at_ms, picture)
    return line.proposal(at_ms).bgr[park.silhouette(DOOR)]


@needs_pets
@pytest.mark.data
def test_who_stands_where_nothing_is_ever_seen_is_not_even_proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, columns = np.nonzero(CarPark(DATA, (DOOR,)).silhouette(DOOR))
    left, top, right, bottom = columns.min() - 4, rows.min() - 4, columns.max() + 4, rows.max() + 4
    area = ((left, top), (right, top), (right, bottom), (left, bottom))
    assert not proposed(monkeypatch, (tuple((float(x), float(y)) for x, y in area),)).any()
    assert proposed(monkeypatch, ()).any()


# ---- what somebody looks like ----------------------------------------------------------------------------------------


class Told:
    """A detector that finds one person where one stands, whatever they look like."""

    side = 416

    def __init__(self, box: tuple[float, float, float, float]) -> None:
        self._box = np.array([box], np.float32)

    def detect(self, bgr: np.ndarray) -> Detections:
        scale = bgr.shape[1] / SIZE[0]
        return Detections(
            (self._box * scale).astype(np.float32),
            np.array([0.9], np.float32),
            np.array([KINDS.index("person")], np.int8),
        )


@needs_pets
@pytest.mark.data
def test_what_somebody_looks_like_changes_nothing_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two people of one shape and quite other colours, on one spot: every message about every moment is the same."""
    park = CarPark(DATA, (DOOR,))
    confirmed = Backdrop(park.empty, np.ones(park.empty.shape[:2], bool))
    inside = park.silhouette(DOOR)
    rows, columns = np.nonzero(inside)
    detector = Told((float(columns.min()), float(rows.min()), float(columns.max()), float(rows.max())))
    told = []
    for colours in (lambda bgr: bgr, lambda bgr: 255 - bgr):
        monkeypatch.setattr(composites, "Blind", lambda: detector)
        line, messages, stills = Line.make(confirmed=confirmed), [], []
        for at_ms, picture in park.film(12):
            seen = picture.copy()
            seen[inside] = colours(picture[inside])
            messages += [each for each in line.see(at_ms, seen) if isinstance(each, Pins)]
            stills.append(line.painter.still(line.pipeline.tracks(at_ms), None))
        told.append((messages, stills))
    assert any(each.pins for each in told[0][0]), "somebody is there, and has a mark"
    assert told[0] == told[1]


@needs_pets
@pytest.mark.data
def test_people_whom_nothing_detects_do_not_change_the_light() -> None:
    """Where too few are in view to be shown, the light must not tell that somebody came."""
    park = CarPark(DATA, tuple(Stay(place, 8) for place in range(8)))
    confirmed = Backdrop(park.empty, np.ones(park.empty.shape[:2], bool))
    line = Line.make(confirmed=confirmed)
    lights = {
        each.light for at_ms, picture in park.film(16) for each in line.see(at_ms, picture) if isinstance(each, Pins)
    }
    assert lights == {()}
    dimmer = Line.make(confirmed=confirmed)
    lights = {
        each.light
        for at_ms, picture in park.film(16)
        for each in dimmer.see(at_ms, (picture * 0.8).astype(np.uint8))
        if isinstance(each, Pins)
    }
    assert any(lights), "it is sent at all"


# ---- text ----------------------------------------------------------------------------------------------------------


def test_a_number_plate_in_the_empty_scene_cannot_be_read_when_it_is_proposed() -> None:
    scene = np.full((360, 640, 3), (120, 125, 128), np.uint8)
    cv2.rectangle(scene, (220, 150), (420, 200), (225, 230, 230), -1)
    cv2.putText(scene, "KR24 MPZ", (232, 187), cv2.FONT_HERSHEY_DUPLEX, 1.1, (20, 20, 20), 2, cv2.LINE_AA)
    proposed = without_things(Backdrop(scene, np.ones(scene.shape[:2], bool)), Blind())
    inside = (slice(155, 195), slice(228, 412))
    detail = [np.abs(cv2.Laplacian(each[..., 1], cv2.CV_32F))[inside].mean() for each in (scene, proposed.bgr)]
    assert detail[1] < 0.15 * detail[0]
    assert (proposed.bgr[:100] == scene[:100]).all()
