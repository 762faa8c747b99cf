"""What a firing is held against holds all that the product draws over the empty scene, and nothing published."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import leak_control
from leak_control import Views, explained, in_pieces, is_control, judged
from leak_line import Frame, Hiding, Operator, Setting, Shot, run
from leak_measure import Firings
from leak_scenes import plate_picture, video
from watchglass.core.geometry import FloatArray
from watchglass.perception.observation import Detections
from watchglass.runtime.easel import Easel, Seen, Stage
from watchglass.views.backdrop import Backdrop
from watchglass.views.timeline import Shown

Image = NDArray[np.uint8]
HEIGHT, WIDTH = 192, 256
ALL = np.ones((HEIGHT, WIDTH), bool)
RED = (40, 40, 230)
SIGN = slice(20, 150), slice(180, 190)
SOMEBODY = slice(60, 150), slice(60, 90)
CAR = np.array([[130, 96, 256, 170]], np.float32)
"""It hides the lower part of the sign."""


def empty() -> Image:
    """A scene with coarse texture and a red sign."""
    coarse = np.random.default_rng(2).integers(70, 150, (HEIGHT // 8, WIDTH // 8, 3))
    made = np.kron(coarse, np.ones((8, 8, 1))).astype(np.uint8)
    made[SIGN] = RED
    return made


def with_somebody(at: tuple[slice, slice] = SOMEBODY) -> Image:
    made = empty()
    made[at] = RED
    return made


class Reddish:
    """An attacker that takes everything red and tall for a person."""

    def __init__(self) -> None:
        self.looked = 0

    def __call__(self, pictures: Sequence[Image], names: Sequence[str]) -> dict[str, list[FloatArray]]:
        self.looked += len(pictures)
        return {name: [self.found(picture) for picture in pictures] for name in names}

    @staticmethod
    def found(picture: Image) -> FloatArray:
        channels = picture.astype(int)
        red = (channels[..., 2] - channels[..., :2].max(axis=2) > 60).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(red)
        rows = [(x, y, x + w, y + h) for x, y, w, h, area in stats[1:].tolist() if area > 100 and h > 1.3 * w]
        return np.array(rows, np.float32).reshape(-1, 4)


def shot(
    learned: Image, hiding: Hiding | None = None, admitted: NDArray[np.bool_] = ALL, light: tuple[int, ...] = ()
) -> Shot:
    """What is published of a backdrop that was learned so; a mark stands on the lower edge."""
    hiding = hiding or Hiding()
    confirmed = hiding.over(Backdrop(learned, admitted))
    stage = Stage("day", "1", confirmed.to_png(), 0, light)
    told = Shown(1000, ((128, 170, 0),), 1, False, "day", "", ())
    seen = Seen((WIDTH, HEIGHT), told, stage)
    return Shot(Frame(1000, video(learned)), seen, Easel(), (WIDTH, HEIGHT), hiding)


def counted(published: Shot, attacker: Reddish | None = None) -> Firings:
    found = {"red": [Reddish.found(published.view)]}
    return judged([published], found, Views(empty(), ALL), attacker or Reddish())["red"]


# ---- what counts -------------------------------------------------------------------------------------------------


def test_somebody_who_is_published_is_a_firing_and_the_sign_of_the_empty_scene_is_none() -> None:
    assert counted(shot(empty())) == Firings(people=0, in_scene=1)
    assert counted(shot(with_somebody())) == Firings(people=1, in_scene=1)


def test_a_sign_that_a_veil_cuts_in_two_is_none_and_somebody_beside_it_still_is() -> None:
    hiding = Hiding(veiled=CAR)
    cut = Reddish.found(shot(empty(), hiding).view)
    assert (cut[:, 3] - cut[:, 1]).tolist() == [44], "the veil hides a part of the sign"
    assert counted(shot(empty(), hiding)) == Firings(people=0, in_scene=1)
    assert counted(shot(with_somebody(), hiding)) == Firings(people=1, in_scene=1)
    unveiled = replace(shot(empty(), hiding), hiding=Hiding())
    assert counted(unveiled).people == 1, "without its veil the control would not explain it"


def test_somebody_who_is_published_before_a_sign_is_a_firing() -> None:
    """The same attacker fires at the same place of the empty scene, but what is there looks otherwise."""
    before = with_somebody((slice(16, 154), slice(176, 194)))
    before[40:110, 180:190] = (200, 200, 90)
    published = shot(before)
    sign = np.array([[180, 20, 190, 150]], np.float32)
    here = np.array([[178, 16, 192, 154]], np.float32)
    control = Views(empty(), ALL).control(published)
    assert not explained(here, published.view, control, sign).any()
    assert explained(here, shot(empty()).view, control, sign).all()
    assert not explained(here, shot(empty()).view, control, sign[:0]).any(), "where it fires nowhere else"


def test_where_nothing_but_the_control_is_published_nobody_can_be_and_faint_shapes_are_something() -> None:
    control = Views(empty(), ALL).control(shot(empty()))
    here = np.array([[60, 60, 90, 150], [180, 20, 190, 150]], np.float32)
    grain = np.random.default_rng(5).normal(0, 2, control.shape)
    noisy = (control + grain).clip(0, 255).round().astype(np.uint8)
    assert is_control(here, noisy, control).all()
    faint = noisy.copy()
    faint[70:100, 70:75] += 12
    assert is_control(here, faint, control).tolist() == [False, True]


def test_somebody_who_leaks_beside_a_mark_is_not_in_the_control() -> None:
    beside = slice(162, 179), slice(120, 137)
    published = shot(with_somebody(beside))
    assert published.marks[beside].mean() > 0.5
    control = Views(empty(), ALL).control(published)
    assert (control == shot(empty()).view).all()
    assert (control != published.view).any()


def test_a_veil_over_the_empty_scene_that_is_like_somebody_is_no_leak_and_a_veil_over_somebody_is() -> None:
    hiding, box = Hiding(veiled=CAR), np.array([[140, 100, 200, 160]], np.float32)
    views = Views(empty(), ALL)
    veiled = hiding.over(Backdrop(empty(), ALL)).bgr
    alike = empty()
    alike[100:160, 140:200] = veiled[100:160, 140:200]
    published = shot(empty(), hiding)
    chance = views.leak(replace(published, frame=Frame(1000, video(alike), box)))
    assert chance.by_chance > 200
    assert chance.leaked == 0
    blue = empty()
    blue[100:160, 140:200] = (220, 90, 60)
    over_somebody = shot(blue, hiding)
    seen = hiding.over(Backdrop(blue, ALL)).bgr
    leak = views.leak(replace(over_somebody, frame=Frame(1000, video(seen), box)))
    assert leak.leaked > 1000
    assert leak.by_chance < 100


# ---- what a control holds ----------------------------------------------------------------------------------------


def test_a_control_is_the_empty_scene_with_grey_light_marks_and_veils_whatever_was_published() -> None:
    admitted = ALL.copy()
    admitted[32:64, 64:128] = False
    light = (50, 60, 70, 80) * 3
    hiding = Hiding(np.array([[10, 10, 60, 30]], np.float32), np.array([12], np.float32), CAR)
    other = np.random.default_rng(9).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    control = Views(empty(), ALL).control(shot(other, hiding, admitted, light))
    assert (control == shot(empty(), hiding, admitted, light).view).all()
    assert (control != shot(empty(), hiding, admitted).view).any()
    assert (control != shot(empty(), None, admitted, light).view).any()


def test_grey_is_taken_over_in_blocks_and_boxes_and_never_as_an_outline() -> None:
    blocks = ~ALL
    blocks[32:96, 0:64] = blocks[160:192, 224:256] = True
    blocks[60:140, 50:71] = True  # around a suspected person
    assert (in_pieces(blocks) == blocks).all()
    outline = blocks.copy()
    figure = outline[20:120, 150:174]
    figure[:14, 6:18] = figure[14:60, 5:19] = figure[60:, 4:10] = figure[60:, 14:20] = True
    assert outline.sum() > blocks.sum() + 1000
    assert (in_pieces(outline) == blocks).all()
    assert not in_pieces(~ALL).any()


def test_nobody_looks_at_a_control_where_nothing_was_found_and_at_variants_only_where_it_explains_too_little() -> None:
    quiet, attacker = empty(), Reddish()
    quiet[SIGN] = 100
    assert judged([shot(quiet)], {"red": [Reddish.found(quiet)]}, Views(quiet, ALL), attacker)["red"] == Firings()
    assert attacker.looked == 0
    counted(shot(empty()), attacker)
    assert attacker.looked == 0, "what is published there is the control"
    dull = empty()
    dull[SIGN] = (40, 40, 215)
    counted(shot(dull), attacker)
    assert attacker.looked == 1
    counted(shot(with_somebody()), attacker)
    assert attacker.looked == 1 + len(leak_control.variants(empty()))


# ---- what the product hides is noted -----------------------------------------------------------------------------


class FindsACar:
    """A detector that sees the car wherever it looks at the whole picture."""

    side = 416

    def detect(self, bgr: Image) -> Detections:
        return Detections(CAR, np.full(1, 0.9, np.float32), np.full(1, 1, np.int8))


def test_what_fires_at_some_moments_of_the_empty_scene_is_its_own_and_somebody_is_in_no_moment() -> None:
    """An attacker whose threshold the sign of a smooth scene just misses, and that of a camera's picture does not."""

    class Choosy(Reddish):
        def __call__(self, pictures: Sequence[Image], names: Sequence[str]) -> dict[str, list[FloatArray]]:
            found = super().__call__(pictures, names)
            bright = [picture[SIGN][..., 2].mean() > at for picture in pictures]
            return {name: [b if some else b[:0] for b, some in zip(each, bright, strict=True)]
                    for name, each in found.items()}  # fmt: skip

    moment = empty()
    moment[SIGN] = (30, 30, 242)
    plain, there = shot(moment), shot(np.where(with_somebody() == empty(), moment, with_somebody()))
    shown = {place: each.view[SIGN][..., 2].mean() for place, each in (("moment", plain), ("median", shot(empty())))}
    median, moments = Views(empty(), ALL), Views(empty(), ALL, (empty(), moment))
    at = (shown["moment"] + 1.02 * shown["median"]) / 2
    found = {"x": [Reddish.found(plain.view)]}
    assert len(found["x"][0]) == 1
    assert judged([plain], found, median, Choosy())["x"] == Firings(people=1)
    assert judged([plain], found, moments, Choosy())["x"] == Firings(in_scene=1)
    found = {"x": [Reddish.found(there.view)]}
    assert len(found["x"][0]) == 2
    assert judged([there], found, moments, Choosy())["x"] == Firings(people=1, in_scene=1)


def test_what_the_product_hid_in_a_proposal_is_hidden_alike_in_another_picture_of_the_scene() -> None:
    scene = empty()
    sign = plate_picture("ABC2345", 90, np.random.default_rng(4))
    scene[130 : 130 + len(sign), 8:98] = sign
    frames = (Frame(at * 500, video(scene)) for at in range(130))
    operator = Operator()
    list(run(frames, FindsACar(), operator, Setting(dropped=0.0), lambda _: False))
    assert operator.proposed is not None
    assert operator.confirmed_ms is not None
    assert len(operator.hiding.veiled)
    assert len(operator.hiding.texts)
    here = operator.proposed.admitted
    assert here.mean() > 0.5
    alike = operator.hiding.over(Backdrop(scene, ALL)).bgr
    off = cv2.absdiff(alike, operator.proposed.bgr).max(axis=2)[here]
    plain = cv2.absdiff(scene, operator.proposed.bgr).max(axis=2)[here]
    assert (off > 30).mean() < 0.02
    assert (plain > 30).mean() > 0.05
