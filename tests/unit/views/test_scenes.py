"""Which confirmed view is in front of a camera: never another one, and none while that is not sure."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from watchglass.views.scenes import (
    DAY,
    INFRARED,
    NOBODY,
    TROUBLES,
    UNKNOWN,
    Familiar,
    Look,
    SceneWatch,
    free_name,
)

SIZE = (960, 540)
STRIDE = 4


def place(seed: int, *, colour: bool = True) -> np.ndarray:
    """A picture of a place: large and small things with edges."""
    rng = np.random.default_rng(seed)
    picture = np.full((SIZE[1], SIZE[0], 3), (110, 120, 125) if colour else 120, np.uint8)
    for _ in range(150):
        x, y = int(rng.integers(0, SIZE[0])), int(rng.integers(0, SIZE[1]))
        w, h = int(rng.integers(20, 140)), int(rng.integers(20, 110))
        tone = rng.integers(30, 220, 3) if colour else np.full(3, rng.integers(30, 220))
        cv2.rectangle(picture, (x, y), (x + w, y + h), [int(c) for c in tone], -1)
    return picture


def infrared(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[..., None].repeat(3, axis=2)


def look(at_ms: int, bgr: np.ndarray, busy: np.ndarray | None = None, noise: float = 3.0) -> Look:
    """As perception samples a camera's picture."""
    first, wide = STRIDE // 2, 4 * STRIDE
    luma = cv2.cvtColor(bgr[first::STRIDE, first : SIZE[0] - 1 : STRIDE], cv2.COLOR_BGR2GRAY)
    noisy = luma + np.random.default_rng(at_ms).normal(0, noise, luma.shape)
    coded = (16 + noisy * 219 / 255).round().clip(0, 255).astype(np.uint8)
    if not noise:
        coded = (16 + luma.astype(float) * 219 / 255).round().astype(np.uint8)
    chroma = cv2.cvtColor(np.ascontiguousarray(bgr[wide // 2 :: wide, wide // 2 :: wide]), cv2.COLOR_BGR2YCrCb)
    return Look(at_ms, coded, chroma[..., 1:], 16, busy)


def familiar(bgr: np.ndarray, admitted: np.ndarray | None = None) -> Familiar:
    return Familiar.of(bgr, np.ones(bgr.shape[:2], bool) if admitted is None else admitted, STRIDE)


class Camera:
    """A camera, and what is known of it second by second."""

    def __init__(self, **views: np.ndarray) -> None:
        self.watch = SceneWatch()
        self.at_ms = 0
        for name, bgr in views.items():
            self.watch.know(name.replace("_", "-"), familiar(bgr))

    def shows(self, bgr: np.ndarray, seconds: int = 1, trouble: str = "", busy: np.ndarray | None = None) -> list[str]:
        found = []
        for _ in range(seconds):
            self.watch.look(look(self.at_ms, bgr, busy), trouble)
            found.append(self.watch.scene)
            self.at_ms += 1000
        return found


A, B = place(1), place(2)


def test_without_a_confirmed_view_there_is_none():
    camera = Camera()
    assert camera.shows(A, 10) == [""] * 10
    assert camera.watch.unsure == NOBODY


def test_a_view_counts_once_it_has_stood_for_some_seconds():
    camera = Camera(day=A)
    found = camera.shows(A, 8)
    assert found == ["", "", ""] + [DAY] * 5
    assert camera.watch.unsure == ""


def test_another_view_is_none_and_goes_within_two_looks():
    camera = Camera(day=A)
    camera.shows(A, 10)
    assert camera.shows(B, 10) == [DAY] + [""] * 9
    assert camera.watch.unsure == UNKNOWN
    assert camera.shows(A, 6) == ["", "", "", DAY, DAY, DAY]


def test_each_preset_of_a_turning_camera_is_known_and_the_way_between_is_none():
    camera = Camera(day=A, day_2=B)
    assert camera.shows(A, 6)[-1] == DAY
    turning = [cv2.addWeighted(np.roll(A, 60 * step, axis=1), 0.5, np.roll(A, 60 * step + 30, axis=1), 0.5, 0)
               for step in range(2, 8)]  # fmt: skip
    assert [camera.shows(each)[0] for each in turning][1:] == [""] * 5
    assert camera.shows(B, 8)[-1] == "day-2"


@pytest.mark.parametrize("gain", [0.45, 0.7, 1.3])
def test_light_is_not_another_view(gain: float):
    camera = Camera(day=A)
    camera.shows(A, 6)
    lit = (A * gain).clip(0, 255).astype(np.uint8)
    assert camera.shows(lit, 10) == [DAY] * 10
    shaded = (A * np.linspace(0.5, 1.2, SIZE[0])[None, :, None]).clip(0, 255).astype(np.uint8)
    assert camera.shows(shaded, 10) == [DAY] * 10


@pytest.mark.parametrize("shift", [(40, 0), (0, 24), (16, -12), (-10, 0)])
def test_a_camera_that_was_nudged_shows_another_view(shift: tuple[int, int]):
    camera = Camera(day=A)
    camera.shows(A, 6)
    nudged = np.roll(A, shift, axis=(1, 0))
    assert camera.shows(nudged, 6)[1:] == [""] * 5
    assert camera.shows(A, 6)[-1] == DAY


def test_wind_shakes_a_pole_by_a_little():
    camera = Camera(day=A)
    camera.shows(A, 6)
    for step in range(20):
        assert camera.shows(np.roll(A, (-1) ** step * 2, axis=1)) == [DAY]


def test_half_of_a_view_may_be_hidden_and_not_all_of_it():
    camera = Camera(day=A)
    camera.shows(A, 6)
    hidden = A.copy()
    hidden[:, : SIZE[0] // 2] = (40, 60, 50)
    assert camera.shows(hidden, 10) == [DAY] * 10
    hidden[:, : SIZE[0] * 9 // 10] = (40, 60, 50)
    assert camera.shows(hidden, 10)[1:] == [""] * 9
    hand = np.full_like(A, (60, 80, 120))
    assert camera.shows(hand, 10) == [""] * 10
    assert camera.shows(A, 6)[-1] == DAY


def test_people_do_not_hide_what_is_beside_them():
    camera = Camera(day=A)
    camera.shows(A, 6)
    crowd, busy = A.copy(), np.zeros(look(0, A).luma.shape, bool)
    crowd[60:500, 40:840] = place(9)[60:500, 40:840]
    busy[60 // STRIDE : 500 // STRIDE, 40 // STRIDE : 840 // STRIDE] = True
    assert camera.shows(crowd, 10, busy=busy) == [DAY] * 10


@pytest.mark.parametrize("trouble", ["black", "frozen", "blurred", "lost"])
def test_what_perception_finds_wrong_hides_the_view_at_once(trouble: str):
    camera = Camera(day=A)
    camera.shows(A, 6)
    assert camera.shows(A, 3, trouble) == [""] * 3
    assert camera.watch.unsure == TROUBLES[trouble]
    assert camera.shows(A, 6) == ["", "", "", DAY, DAY, DAY]


@pytest.mark.parametrize("trouble", ["moved", "clock"])
def test_a_turning_camera_is_no_trouble_where_its_view_is_known(trouble: str):
    camera = Camera(day=A, day_2=B)
    assert camera.shows(B, 8, trouble)[-1] == "day-2"


def test_infrared_is_another_view():
    camera = Camera(day=A)
    camera.shows(A, 6)
    assert camera.shows(infrared(A), 5)[1:] == [""] * 4
    assert "colour" in camera.watch.unsure
    camera.watch.know(INFRARED, familiar(infrared(A)))
    assert camera.shows(infrared(A), 6)[-1] == INFRARED
    assert camera.shows(A, 8)[-1] == DAY


def test_a_grey_scene_that_never_had_colour_is_one_scene():
    grey = place(3, colour=False)
    camera = Camera(day=grey)
    assert camera.shows(grey, 6)[-1] == DAY
    bus = grey.copy()
    bus[200:320, 100:400] = (30, 30, 200)
    busy = np.zeros(look(0, A).luma.shape, bool)
    busy[200 // STRIDE : 320 // STRIDE, 100 // STRIDE : 400 // STRIDE] = True
    assert camera.shows(bus, 6, busy=busy) == [DAY] * 6
    assert not camera.watch.coloured


def test_colour_comes_and_goes_with_hysteresis():
    """At dusk a camera has less and less colour, and switches once."""
    camera = Camera(day=A)
    camera.shows(A, 6)
    found = []
    for step in range(40):
        left = abs(np.sin(step)) * 0.1 + 0.28
        found += camera.shows((infrared(A) * (1 - left) + A * left).clip(0, 255).astype(np.uint8))
    assert found == [DAY] * 40


def test_a_view_without_edges_is_not_guessed():
    plain = np.full_like(A, (120, 130, 125))
    camera = Camera(day=plain)
    assert camera.shows(plain, 10) == [""] * 10
    assert "too few edges" in camera.watch.unsure


def test_what_may_never_be_seen_does_not_vouch_for_a_view():
    """Its edges stay where they are, wherever the camera looks."""
    black = np.zeros(A.shape[:2], bool)
    for x in range(0, SIZE[0], 120):
        black[:, x : x + 60] = True
    hide = lambda bgr: np.where(black[..., None], np.uint8(0), bgr)  # noqa: E731
    camera = Camera(day=hide(A))
    seen = look(0, hide(A), noise=0)
    assert camera.shows(hide(B), 10) == [""] * 10
    assert camera.shows(hide(A), 6)[-1] == DAY
    assert seen.luma.min() == 16


def test_a_view_that_is_withdrawn_is_gone_at_once_and_one_that_is_renewed_stays():
    camera = Camera(day=A)
    camera.shows(A, 6)
    camera.watch.know(DAY, familiar(A))
    assert camera.watch.scene == DAY
    camera.watch.know(DAY, None)
    assert (camera.watch.scene, camera.watch.unsure) == ("", NOBODY)


def test_a_long_gap_is_no_standing():
    camera = Camera(day=A)
    camera.shows(A, 2)
    camera.at_ms += 60_000
    assert camera.shows(A, 4) == ["", "", "", DAY]


def test_lost_pictures_are_said_at_once():
    camera = Camera(day=A)
    camera.shows(A, 6)
    camera.watch.lose("no picture comes")
    assert (camera.watch.scene, camera.watch.unsure, camera.watch.light) == ("", "no picture comes", ())


def test_looks_that_are_rare_do_too():
    """A shut gate looks at a keyframe every two seconds, or every ten."""
    for every_ms in (2000, 10_000):
        camera = Camera(day=A)
        for _ in range(4):
            camera.shows(A)
            camera.at_ms += every_ms - 1000
        assert camera.watch.scene == DAY


def test_the_light_is_twelve_numbers_and_keeps_its_pace():
    camera = Camera(day=A)
    camera.shows(A, 6)
    assert camera.watch.light == ()
    seen = []
    for step in range(20):
        camera.shows((A * (1 - 0.02 * step)).clip(0, 255).astype(np.uint8))
        seen.append(camera.watch.light)
    assert {len(each) for each in seen} <= {0, 12}
    changes = [at for at in range(1, len(seen)) if seen[at] != seen[at - 1]]
    assert min(np.diff(changes)) >= 2
    assert seen[-1] == pytest.approx([64 * 0.64] * 12, abs=4)


def test_names_are_free():
    assert free_name((), infrared=False) == "day"
    assert free_name(("day",), infrared=False) == "day-2"
    assert free_name(("day", "day-2"), infrared=False) == "day-3"
    assert free_name(("day",), infrared=True) == "infrared"
    assert free_name(("day", "infrared"), infrared=True) == "infrared-2"
