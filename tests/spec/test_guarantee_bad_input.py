"""What the public sees while a camera shows something else than it should: grey where it is unsure, and never a guess.

Real pictures of a car park, disturbed, through the real line to the picture that is published. Somebody whom nothing
detects stands there all the time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from composites import SIZE, CarPark, Line, Stay
from watchglass.bootstrap import VirtualClock
from watchglass.charter.model import PublicView
from watchglass.perception.messages import Pins
from watchglass.runtime.bus import Bus
from watchglass.runtime.live import Live
from watchglass.views.backdrop import Backdrop
from watchglass.views.light import LIMITS, UNIT
from watchglass.views.public import ground
from world import NOON, World

DATA = Path(os.environ.get("WATCHGLASS_DATA", Path(__file__).resolve().parents[2] / "../shared/data")).resolve()

pytestmark = [
    pytest.mark.data,
    pytest.mark.slow,
    pytest.mark.skipif(
        not (DATA / "media/pets_s2l1/truth.json").exists(), reason="needs media/pets_s2l1 of WATCHGLASS_DATA"
    ),
]

Image = np.ndarray
SOMEBODY = Stay(0, 0)
FINE_S, BAD_S = 10, 8


def moved(bgr: Image, number: int) -> Image:
    return cv2.warpAffine(bgr, np.float32([[1, 0, 60], [0, 1, 20]]), SIZE, borderMode=cv2.BORDER_REPLICATE)


def nudged(bgr: Image, number: int) -> Image:
    return cv2.warpAffine(bgr, np.float32([[1, 0, 9], [0, 1, 0]]), SIZE, borderMode=cv2.BORDER_REPLICATE)


def zoomed(bgr: Image, number: int) -> Image:
    return cv2.warpAffine(bgr, cv2.getRotationMatrix2D((384, 288), 0, 1.3), SIZE)


def turned(bgr: Image, number: int) -> Image:
    return cv2.warpAffine(bgr, cv2.getRotationMatrix2D((384, 288), 20, 1), SIZE)


def covered(bgr: Image, number: int) -> Image:
    cloth = np.random.default_rng(number).normal((60, 50, 70), 3, bgr.shape)
    return cloth.clip(0, 255).astype(np.uint8)


def dark(bgr: Image, number: int) -> Image:
    return np.random.default_rng(number).integers(0, 6, bgr.shape).astype(np.uint8)


def infrared(bgr: Image, number: int) -> Image:
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)


def smeared(bgr: Image, number: int) -> Image:
    return cv2.GaussianBlur(bgr, (0, 0), 14)


def smaller(bgr: Image, number: int) -> Image:
    return cv2.resize(bgr, (SIZE[0] // 2, SIZE[1] // 2), interpolation=cv2.INTER_AREA)


def dimmed(bgr: Image, number: int) -> Image:
    return (bgr * 0.55).astype(np.uint8)


def headlights(bgr: Image, number: int) -> Image:
    glow = np.zeros(bgr.shape[:2], np.float32)
    cv2.circle(glow, (100 + 35 * number, 330), 60, 1.0, -1)
    glow = cv2.GaussianBlur(glow, (0, 0), 18)[..., None]
    return (bgr + glow * (255 - bgr)).clip(0, 255).astype(np.uint8)


def rain(bgr: Image, number: int) -> Image:
    wet, rng = bgr.copy(), np.random.default_rng(number)
    for x, y in rng.integers(0, (SIZE[0], SIZE[1]), (350, 2)).tolist():
        cv2.line(wet, (x, y), (x + 2, y + 18), (215, 215, 215), 1, cv2.LINE_AA)
    return cv2.addWeighted(wet, 0.8, bgr, 0.2, 0)


def compressed(bgr: Image, number: int) -> Image:
    return cv2.imdecode(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 6])[1], cv2.IMREAD_COLOR)


def smudged(bgr: Image, number: int) -> Image:
    """A smear on a third of the lens."""
    soft = cv2.GaussianBlur(bgr, (0, 0), 14)
    return np.concatenate([soft[:, :256], bgr[:, 256:]], axis=1)


OTHER_VIEWS = [moved, nudged, zoomed, turned, covered, dark, infrared, smeared, smaller]
SAME_VIEW = [dimmed, headlights, rain, compressed, smudged]


class Square:
    """A camera with a confirmed scene, and what the public sees of it."""

    def __init__(self, rules: PublicView) -> None:
        self.park = CarPark(DATA, (SOMEBODY,))
        self.confirmed = Backdrop(self.park.empty, np.ones(self.park.empty.shape[:2], bool))
        self.clock = VirtualClock(NOON)
        self.line = Line.make(confirmed=self.confirmed)
        self.live = Live(Bus(), self.clock)
        self.live.configure({"car-park": replace(rules, delay_ms=0, hide_below=0)})
        self.live.opened("car-park", *SIZE)
        self.live.set_backdrop("car-park", "day", "1", self.confirmed.to_png(), self.clock.now())
        self._film = self.park.film(10**6)
        self._last: tuple[tuple[bytes, bool, tuple[float, ...]], Image] | None = None

    def see(self, seconds: float, disturb: Callable[[Image, int], Image] = lambda bgr, _: bgr) -> list[Image]:
        """What was published after each picture. Never anything but grey, or the confirmed scene in smooth light."""
        published = []
        for number in range(round(seconds * 2)):
            _, bgr = next(self._film)
            self.clock.advance(500)
            for event in self.line.see(self.clock.now(), disturb(bgr, number)):
                if isinstance(event, Pins):
                    self.live.take_pins(event)
            published.append(self._published())
        return published

    def _published(self) -> Image:
        seen = self.live.seen("car-park")
        assert seen is not None
        light = seen.stage.light if seen.stage else ()
        published = (bytes(self.live.easel("car-park").now(seen, SIZE, "png")), seen.stage is not None, light)
        if self._last is not None and published == self._last[0]:
            return self._last[1]
        picture = cv2.imdecode(np.frombuffer(published[0], np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert all(LIMITS[0] * UNIT - 1 <= factor <= LIMITS[1] * UNIT + 1 for factor in light)
        assert len(light) in (0, 12)
        assert (picture == ground(self.confirmed if seen.stage else None, SIZE, light=light)).all()
        self._last = (published, picture)
        return picture


GREY = ground(None, SIZE)


def is_grey(picture: Image) -> bool:
    return bool((picture == GREY).all())


@pytest.fixture
def square(world: World) -> Square:
    charter = world.standing().charter
    assert charter is not None
    return Square(charter.safeguards.public_view)


@pytest.mark.parametrize("disturb", OTHER_VIEWS, ids=lambda each: each.__name__)
def test_what_is_not_the_confirmed_view_is_grey_within_three_seconds_and_comes_back(
    square: Square, disturb: Callable[[Image, int], Image]
) -> None:
    fine = square.see(FINE_S)
    assert not is_grey(fine[-1])
    bad = square.see(BAD_S, disturb)
    assert all(map(is_grey, bad[6:])), [number / 2 for number, each in enumerate(bad) if not is_grey(each)]
    back = square.see(FINE_S)
    assert is_grey(back[0]), "what comes back must stand for a moment before it counts"
    assert not is_grey(back[-1])


@pytest.mark.parametrize("disturb", SAME_VIEW, ids=lambda each: each.__name__)
def test_weather_light_and_dirt_bring_no_new_pixels(square: Square, disturb: Callable[[Image, int], Image]) -> None:
    """The scene or grey, whichever; what matters is that ``see`` finds nothing of the camera's own in it."""
    before = square.see(FINE_S)[-1]
    square.see(BAD_S, disturb)
    after = square.see(FINE_S)[-1]
    assert not is_grey(before)
    assert not is_grey(after)


def test_half_the_light_is_followed_by_the_old_picture(square: Square) -> None:
    square.see(FINE_S)
    square.clock.advance(60_000)
    shown = square.see(70, dimmed)[-1]
    assert not is_grey(shown)
    ratio = (shown.astype(float) - 47.2).mean() / (ground(square.confirmed, SIZE).astype(float) - 47.2).mean()
    assert ratio == pytest.approx(0.55, abs=0.08)


def test_a_frozen_picture_is_grey(square: Square) -> None:
    square.see(30)
    frozen = square.park.picture(0)
    assert is_grey(square.see(12, lambda _bgr, _number: frozen)[-1])
    assert not is_grey(square.see(FINE_S)[-1])


def test_a_camera_from_which_nothing_comes_is_grey(square: Square) -> None:
    square.see(FINE_S)
    for _ in range(4):
        square.clock.advance(1000)
        for event in square.line.pipeline.lost(square.clock.now()):
            if isinstance(event, Pins):
                square.live.take_pins(event)
    square.clock.advance(20_000)
    assert is_grey(square._published())


def test_until_somebody_has_confirmed_it_the_empty_scene_is_not_shown(world: World) -> None:
    charter = world.standing().charter
    assert charter is not None
    square = Square(charter.safeguards.public_view)
    square.line = Line.make()
    assert all(map(is_grey, square.see(45)))
    assert square.line.painter.ready > 0.5, "it was learned, and still it is not shown"
