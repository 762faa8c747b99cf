from __future__ import annotations

import numpy as np
import pytest

from watchglass.core.errors import BadInput
from watchglass.core.time import MINUTE, SECOND
from watchglass.views.backdrop import BLOCK, ENOUGH_MS, HOLD_MS, Backdrop, BackdropLearner

SIZE = (128, 96)
GROUND = (60, 110, 90)
THING = (20, 30, 200)
FREE = np.zeros((96, 128), bool)


def scene(thing: tuple[slice, slice] | None = None, colour: tuple[int, int, int] = THING, seed: int = 0) -> np.ndarray:
    """Textured ground with camera noise, and a thing in it."""
    fixed = np.random.default_rng(99).integers(-20, 20, (96, 128, 1))
    noise = np.random.default_rng(seed).integers(-3, 4, (96, 128, 3))
    picture = np.array(GROUND) + fixed + noise
    if thing is not None:
        picture[thing] = np.array(colour) + noise[thing]
    return picture.clip(0, 255).astype(np.uint8)


class Watch:
    """A learner, and a time that goes on by itself."""

    def __init__(self) -> None:
        self.learner = BackdropLearner(*SIZE)
        self.at_ms = 0

    def see(self, seconds: float, thing=None, masked=FREE, every_ms: int = 1000, colour=THING) -> Backdrop:
        for _ in range(round(seconds * 1000 / every_ms)):
            self.learner.look(self.at_ms, scene(thing, colour, seed=self.at_ms), masked)
            self.at_ms += every_ms
        return self.learner.picture()


MIDDLE = (slice(32, 64), slice(32, 64))
CORNER = (slice(0, 32), slice(0, 32))


def shows_thing(picture: Backdrop) -> bool:
    return bool((np.abs(picture.bgr.astype(int) - THING).max(axis=2) < 30).any())


def test_nothing_is_admitted_before_twenty_seconds_and_all_is_after_the_hold():
    watch = Watch()
    assert watch.see(ENOUGH_MS / 1000).share == 0
    assert watch.see((HOLD_MS + 11 * SECOND) / 1000).share == 1
    assert watch.learner.ready == 1


def test_the_picture_is_the_scene_without_its_noise():
    picture = Watch().see(60)
    clean = np.mean([scene(seed=s).astype(float) for s in range(40)], axis=0)
    error = np.abs(picture.bgr - clean)
    assert error.max() <= 5
    assert error.mean() < 1.5


def test_samples_need_not_be_contiguous():
    watch = Watch()
    everything = np.ones_like(FREE)
    for _ in range(40):
        watch.see(1)
        picture = watch.see(1, thing=MIDDLE, masked=everything)
    assert picture.share == 1
    assert not shows_thing(picture)


def test_less_than_seventy_percent_is_not_enough():
    watch = Watch()
    for _ in range(60):
        watch.see(3)
        picture = watch.see(2, thing=MIDDLE)
    assert not picture.admitted[MIDDLE].any()
    assert picture.admitted[CORNER].all()


def test_a_thing_that_came_and_stays_is_never_admitted():
    watch = Watch()
    watch.see(8)
    picture = watch.see(20 * 60, thing=MIDDLE, every_ms=2000)
    assert not shows_thing(picture)
    assert not picture.admitted[MIDDLE].any()


def test_a_thing_that_came_behind_a_mask_and_is_missed_afterwards_is_never_admitted():
    watch = Watch()
    watch.see(30)
    coming = FREE.copy()
    coming[MIDDLE] = True
    watch.see(5, thing=MIDDLE, masked=coming)
    assert not shows_thing(watch.see(10 * 60, thing=MIDDLE, every_ms=2000))


def test_when_it_leaves_the_scene_is_shown_again():
    watch = Watch()
    watch.see(40)
    watch.see(30, thing=MIDDLE)
    picture = watch.see(120)
    assert picture.share == 1
    assert not shows_thing(picture)


def test_after_thirty_quiet_minutes_what_stayed_is_part_of_the_scene():
    watch = Watch()
    watch.see(30)
    picture = watch.see(32 * 60, thing=MIDDLE, every_ms=2000)
    assert shows_thing(picture)


def test_motion_keeps_what_came_out_for_longer_than_thirty_minutes():
    watch = Watch()
    watch.see(30)
    passing = FREE.copy()
    passing[32:34, 32:64] = True
    for _ in range(4):
        watch.see(10 * 60, thing=MIDDLE, every_ms=4000)
        picture = watch.see(2, thing=MIDDLE, masked=passing)
    assert not shows_thing(picture)


def test_an_operator_can_have_it_learned_anew():
    watch = Watch()
    watch.see(40)
    watch.learner.relearn()
    assert watch.learner.ready == 0
    assert shows_thing(watch.see(45, thing=MIDDLE))


def test_grey_comes_in_whole_blocks():
    watch = Watch()
    blob = (slice(40, 51), slice(37, 60))
    for _ in range(30):
        watch.see(1)
        picture = watch.see(1, thing=blob)
    blocks = picture.admitted.reshape(96 // BLOCK, BLOCK, 128 // BLOCK, BLOCK)
    assert (blocks.all(axis=(1, 3)) == blocks.any(axis=(1, 3))).all()
    assert 0 < picture.share < 1


def test_a_small_hole_is_filled_and_never_with_what_was_there():
    watch = Watch()
    speck = (slice(40, 44), slice(40, 44))
    for _ in range(30):
        watch.see(1)
        picture = watch.see(1, thing=speck)
    assert picture.share == 1
    assert not shows_thing(picture)


def test_a_block_stays_grey_for_a_while_after_it_was():
    watch = Watch()
    watch.see(40)
    shares = [watch.see(1, thing=MIDDLE).admitted[MIDDLE].all() for _ in range(40)]
    assert not shares[-1]
    back = [watch.see(1).admitted[MIDDLE].all() for _ in range(120)]
    eligible = next(i for i, shown in enumerate(back) if shown)
    assert eligible * SECOND >= HOLD_MS
    assert all(back[eligible:])


@pytest.mark.parametrize("brightness", [0.6, 0.8, 1.25])
def test_another_light_is_not_another_scene(brightness: float):
    watch = Watch()
    watch.see(12)
    for _ in range(60):
        lit = (scene(seed=watch.at_ms) * brightness).clip(0, 255).astype(np.uint8)
        watch.learner.look(watch.at_ms, lit, FREE)
        watch.at_ms += 1000
    picture = watch.learner.picture()
    assert picture.share == 1
    assert np.abs(picture.bgr.mean(axis=(0, 1)) - scene().mean(axis=(0, 1))).max() < 4


def test_infrared_teaches_nothing():
    watch = Watch()
    watch.see(40)
    for _ in range(100):
        grey = scene(seed=watch.at_ms).mean(axis=2, keepdims=True).astype(np.uint8).repeat(3, axis=2)
        watch.learner.look(watch.at_ms, grey, FREE)
        watch.at_ms += 1000
    assert np.abs(watch.learner.picture().bgr.mean(axis=(0, 1)) - scene().mean(axis=(0, 1))).max() < 2


def test_a_dull_day_goes_on_teaching():
    learner = BackdropLearner(*SIZE)
    for second in range(60):
        tint = 3 if second % 2 else 1  # about what is still called colour
        picture = scene(seed=second).mean(axis=2, keepdims=True).repeat(3, axis=2)
        picture[..., 2] += tint
        learner.look(second * 1000, picture.clip(0, 255).astype(np.uint8), FREE)
    assert learner.picture().share == 1


def test_a_clock_that_goes_back_teaches_nothing():
    learner = BackdropLearner(*SIZE)
    for _ in range(200):
        learner.look(1000, scene(), FREE)
    assert learner.picture().share == 0


def test_a_long_gap_counts_as_one_short_sample():
    learner = BackdropLearner(*SIZE)
    for hour in range(9):
        learner.look(hour * 60 * MINUTE, scene(), FREE)
    assert learner.picture().share == 0


def test_the_same_looks_give_the_same_picture():
    assert (Watch().see(45, thing=MIDDLE).bgr == Watch().see(45, thing=MIDDLE).bgr).all()


def test_looks_become_rare_once_nothing_new_shows():
    watch = Watch()
    assert watch.learner.due(0)
    watch.see(40)
    assert watch.learner.due(watch.at_ms)
    assert not watch.learner.due(watch.at_ms - 500)
    watch.see(200)
    assert not watch.learner.due(watch.at_ms + 5000)
    assert watch.learner.due(watch.at_ms + 9000)


def test_counting_goes_on_after_hours():
    learner = BackdropLearner(32, 32)
    picture, nothing = np.full((32, 32, 3), (10, 80, 120), np.uint8), np.zeros((32, 32), bool)
    for look in range(4000):
        learner.look(look * 2000, picture, nothing)
    assert learner.picture().share == 1
    assert (learner.picture().bgr == (10, 80, 120)).all()


def test_pictures_whose_size_is_no_multiple_of_a_block():
    learner = BackdropLearner(100, 50)
    for second in range(40):
        learner.look(second * 1000, np.full((50, 100, 3), (10, 80, 120), np.uint8), np.zeros((50, 100), bool))
    assert learner.picture().share == 1


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(ValueError, match="128 by 96"):
        BackdropLearner(*SIZE).look(0, np.zeros((10, 10, 3), np.uint8), np.zeros((10, 10), bool))


def test_png_keeps_picture_and_admission_and_nothing_beneath_grey():
    admitted = np.zeros((96, 128), bool)
    admitted[32:64] = True
    written = Backdrop(scene(), admitted).to_png()
    read = Backdrop.from_png(written)
    assert (read.admitted == admitted).all()
    assert (read.bgr[admitted] == scene()[admitted]).all()
    assert not read.bgr[~admitted].any()
    assert read.size == SIZE


@pytest.mark.parametrize("data", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_backdrop_is_refused_with_a_way_on(data: bytes):
    with pytest.raises(BadInput) as error:
        Backdrop.from_png(data)
    assert "again" in error.value.fix


def test_a_backdrop_with_shapes_that_disagree_does_not_exist():
    with pytest.raises(ValueError, match="backdrop"):
        Backdrop(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), bool))
