"""What changes by itself in a published backdrop: only what was still for thirty minutes, and as a whole."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from watchglass.views.backdrop import BLOCK, Backdrop
from watchglass.views.renewal import LOOK_MS, Renewal

WIDTH, HEIGHT, STRIDE = 320, 192, 2
FREE = np.zeros((HEIGHT, WIDTH), bool)


def empty() -> np.ndarray:
    texture = np.random.default_rng(5).integers(60, 160, (HEIGHT // 8, WIDTH // 8, 3)).astype(np.uint8)
    return cv2.resize(texture, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)


EMPTY = empty()
NOISE = [np.random.default_rng(seed).normal(0, 2.5, EMPTY.shape).round().astype(np.int16) for seed in range(7)]
WHOLE = Backdrop(EMPTY, ~FREE)


def with_thing(x: int = 70, y: int = 40, w: int = 60, h: int = 90) -> np.ndarray:
    """A thing with a pattern on it, over six blocks or so."""
    picture = EMPTY.copy()
    pattern = np.random.default_rng(8).integers(0, 255, (h // 6, w // 6, 3)).astype(np.uint8)
    picture[y : y + h, x : x + w] = cv2.resize(pattern, (w, h), interpolation=cv2.INTER_NEAREST)
    return picture


class Watch:
    """A renewal, and a time that goes on by itself."""

    def __init__(self, published: Backdrop = WHOLE) -> None:
        self.published = published
        self.renewal = Renewal(published, STRIDE)
        self.at_ms = 0

    def see(self, minutes: float, picture: np.ndarray, masked: np.ndarray = FREE) -> list[np.ndarray]:
        for _ in range(round(minutes * 60_000 / LOOK_MS)):
            if not self.renewal.due(self.at_ms):
                self.at_ms += LOOK_MS
                continue
            noise = NOISE[self.at_ms // LOOK_MS * 3 % len(NOISE)][: picture.shape[0], : picture.shape[1]]
            self.renewal.look(self.at_ms, (picture + noise).clip(0, 255).astype(np.uint8), masked)
            self.at_ms += LOOK_MS
        return self.renewal.ready(self.at_ms - LOOK_MS)

    def renewed(self) -> Backdrop:
        result = self.published
        for region in self.renewal.ready(self.at_ms - LOOK_MS):
            result = self.renewal.renewed(result, region)
        return result


def test_nothing_changes_where_nothing_changed():
    watch = Watch()
    assert watch.see(40, EMPTY) == []


def test_what_stood_still_for_thirty_minutes_is_taken_in_as_a_whole():
    watch = Watch()
    watch.see(1, EMPTY)
    assert watch.see(29.5, with_thing()) == []
    (region,) = watch.see(1.5, with_thing())
    renewed = watch.renewed()
    spread = region.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)[:HEIGHT, :WIDTH]
    assert (renewed.bgr[~spread] == EMPTY[~spread]).all()
    assert np.abs(renewed.bgr[spread].astype(int) - with_thing()[spread]).mean() < 2.5
    assert spread[45:125, 75:125].all()


def test_once_renewed_it_is_settled():
    watch = Watch()
    watch.see(1, EMPTY)
    watch.see(31, with_thing())
    renewed = watch.renewed()
    for region in watch.renewal.ready(watch.at_ms - LOOK_MS):
        watch.renewal.forget(region)
    watch.renewal.rebase(renewed)
    assert watch.see(35, with_thing()) == []


def test_what_is_refused_must_be_still_for_another_thirty_minutes():
    watch = Watch()
    (region,) = watch.see(31, with_thing())
    watch.renewal.forget(region)
    assert watch.see(29, with_thing()) == []
    assert len(watch.see(2, with_thing())) == 1


@pytest.mark.parametrize("by", [(2, 0), (0, 2), (3, 3)])
def test_who_moves_by_two_pixels_once_in_a_while_is_not_taken_in(by: tuple[int, int]):
    watch = Watch()
    watch.see(1, EMPTY)
    for turn in range(6):
        assert watch.see(12, with_thing(70 + by[0] * (turn % 2), 40 + by[1] * (turn % 2))) == []


def test_a_sleeve_that_moves_keeps_the_whole_coat_out():
    still, moved = with_thing(), with_thing()
    moved[100:112, 100:112] = 255 - moved[100:112, 100:112]
    watch = Watch()
    watch.see(1, EMPTY)
    for turn in range(6):
        assert watch.see(12, moved if turn % 2 else still) == []


def test_motion_between_two_looks_counts_also_beside_it():
    watch = Watch()
    watch.see(1, EMPTY)
    moving = np.zeros((HEIGHT // STRIDE, WIDTH // STRIDE), bool)
    moving[20:24, 20:24] = True  # the block to the left of the thing
    for _ in range(4):
        assert watch.see(20, with_thing()) == []
        watch.renewal.stir(moving)
    far = np.zeros_like(moving)
    far[80:90, 140:150] = True
    watch.see(20, with_thing())
    watch.renewal.stir(far)
    assert len(watch.see(11, with_thing())) == 1


def test_a_detection_keeps_it_out():
    watch = Watch()
    masked = FREE.copy()
    masked[60:80, 80:100] = True
    for _ in range(3):
        watch.see(25, with_thing())
        assert watch.see(0.5, with_thing(), masked) == []


def test_what_left_is_taken_out_the_same_way():
    watch = Watch(Backdrop(with_thing(), ~FREE))
    assert len(watch.see(31, EMPTY)) == 1
    assert np.abs(watch.renewed().bgr.astype(int) - EMPTY).mean() < 3


def test_grey_blocks_are_filled():
    admitted = ~FREE
    admitted[:64, :64] = False
    watch = Watch(Backdrop(np.where(admitted[..., None], EMPTY, 0).astype(np.uint8), admitted))
    assert len(watch.see(31, EMPTY)) == 1
    assert watch.renewed().share == 1


def test_another_light_changes_nothing_and_things_are_kept_in_the_backdrops_light():
    watch = Watch()
    assert watch.see(10, (EMPTY * 0.7).astype(np.uint8)) == []
    for minute in range(31):
        found = watch.see(1, (with_thing() * (0.7 + 0.01 * minute)).clip(0, 255).astype(np.uint8))
    assert len(found) == 1
    assert np.abs(watch.renewed().bgr.astype(int) - with_thing()).mean() < 6


def test_a_gap_is_no_quiet_time():
    watch = Watch()
    watch.see(29, with_thing())
    watch.at_ms += 5 * 60_000
    assert watch.see(29, with_thing()) == []
    assert len(watch.see(2, with_thing())) == 1


def test_another_season_is_an_operators_to_say_and_memory_is_bounded():
    watch = Watch()
    snow = EMPTY.copy()
    snow[:, : WIDTH // 2] = np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH // 2, 3))
    assert watch.see(40, snow) == []
    assert not watch.renewal._candidates


def test_the_same_looks_give_the_same_picture():
    one, two = Watch(), Watch()
    for watch in (one, two):
        watch.see(31, with_thing())
    assert (one.renewed().bgr == two.renewed().bgr).all()


def test_a_picture_whose_size_is_no_multiple_of_a_block():
    bgr = np.ascontiguousarray(EMPTY[:150, :300])
    watch = Watch(Backdrop(bgr, np.ones(bgr.shape[:2], bool)))
    thing = np.ascontiguousarray(with_thing(250, 100, 60, 90)[:150, :300])
    watch.see(31, thing, np.zeros(bgr.shape[:2], bool))
    assert np.abs(watch.renewed().bgr[110:, 260:].astype(int) - thing[110:, 260:]).mean() < 3


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(ValueError, match="320 by 192"):
        Renewal(WHOLE, STRIDE).look(0, np.zeros((10, 10, 3), np.uint8), np.zeros((10, 10), bool))
