from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thorough import tries
from watchglass.views.backdrop import Backdrop
from watchglass.views.blocks import CELL
from watchglass.views.light import light, relight
from watchglass.views.mosaic import (
    HOLD_MS,
    NO_SUCH_SIZE,
    OTHER_LIGHT,
    OTHER_VIEW,
    MosaicMaker,
    mosaic,
    plate,
    veil,
)

SHAPE = (240, 320, 3)
NOTHING = np.zeros((0, 4), np.float32)


def ground() -> np.ndarray:
    fine = np.random.default_rng(3).integers(70, 130, (60, 80, 3), np.uint8)
    return fine.repeat(4, axis=0).repeat(4, axis=1)


EMPTY = Backdrop(ground(), np.ones(SHAPE[:2], bool))


def noise(seed: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, shape, np.uint8)


def one(*box: float) -> np.ndarray:
    return np.array([box], np.float32)


def kept(result: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Pixels that show the camera's picture unchanged and could not be backdrop."""
    return (result == frame).all(axis=2) & (np.abs(frame.astype(int) - EMPTY.bgr).max(axis=2) > 12)


def steps(line: np.ndarray) -> int:
    """How many blocks a row of pixels has."""
    return 1 + int((np.diff(line.astype(int), axis=0) != 0).any(axis=1).sum())


def test_an_empty_scene_is_shown_as_it_is():
    result, share = mosaic(ground(), EMPTY, NOTHING)
    assert share == 0
    assert (result == EMPTY.bgr).all()


def test_without_a_backdrop_the_whole_frame_is_mosaicked_in_large_blocks():
    result, share = mosaic(noise(1), None, NOTHING)
    assert share == 1
    blocks = result.reshape(15, 16, 20, 16, 3)
    assert (blocks == blocks[:, :1, :, :1]).all()


@pytest.mark.parametrize("size", [(8, 8), (160, 240), (640, 360)])
def test_a_backdrop_of_another_shape_or_a_smaller_one_withholds_the_frame(size: tuple[int, int]):
    other = Backdrop(np.zeros((size[1], size[0], 3), np.uint8), np.ones(size[::-1], bool))
    maker = MosaicMaker(other)
    result, share = maker.frame(0, noise(1), NOTHING)
    assert share == 1
    assert (result == plate((320, 240), NO_SUCH_SIZE)).all()
    assert maker.withheld == {NO_SUCH_SIZE: 1}


def test_a_larger_backdrop_of_the_same_shape_is_made_smaller():
    large = ground().repeat(3, axis=0).repeat(3, axis=1)
    admitted = np.ones(large.shape[:2], bool)
    admitted[200:202, 300:302] = False
    result, share = mosaic(ground(), Backdrop(large, admitted), NOTHING)
    assert 0 < share < 0.02
    assert (result[120:] == ground()[120:]).all()


def test_a_frame_that_no_confirmed_view_explains_is_a_plate_with_words():
    day, night = EMPTY, Backdrop(noise(4).clip(40, 200), EMPTY.admitted)
    maker = MosaicMaker([day, night])
    assert maker.frame(0, ground(), NOTHING)[1] == 0
    assert maker.frame(100, night.bgr, NOTHING)[1] == 0
    stranger = np.roll(ground(), 120, axis=1)
    result, share = maker.frame(200, stranger, NOTHING)
    assert (result == plate((320, 240), OTHER_VIEW)).all()
    assert share == 1
    assert maker.frame(1000, ground(), NOTHING)[1] == 0
    assert maker.withheld == {OTHER_VIEW: 1}


def test_light_that_is_too_far_away_is_withheld_and_a_thing_that_fills_the_picture_is_not():
    maker = MosaicMaker(EMPTY)
    maker.frame(0, (ground() * 0.2).astype(np.uint8), NOTHING)
    assert maker.withheld == {OTHER_LIGHT: 1}
    bus = ground()
    bus[20:230, 30:300] = noise(5, (210, 270, 3))
    assert maker.frame(1000, bus, one(30, 20, 300, 230))[1] > 0.6
    assert maker.withheld == {OTHER_LIGHT: 1}
    maker.frame(2000, bus, NOTHING)
    assert maker.withheld[OTHER_VIEW] == 1


def test_a_frame_is_withheld_when_somebody_says_so_and_leaves_nothing_behind():
    maker = MosaicMaker(EMPTY)
    maker.withhold(100, "it came damaged")
    shares = [maker.frame(at, noise(1) if at == 100 else ground(), NOTHING)[1] for at in (0, 100, 200)]
    assert shares == [0, 1, 0]
    assert maker.withheld == {"it came damaged": 1}


@pytest.mark.parametrize("size", [(320, 240), (800, 450), (160, 120), (1920, 1080)])
def test_a_plate_says_why(size: tuple[int, int]):
    shown = plate(size, OTHER_VIEW)
    assert shown.shape == (size[1], size[0], 3)
    ink = (shown != shown[0, 0]).any(axis=2)
    assert 0.002 < ink.mean() < 0.3
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    assert columns[0] > 0
    assert columns[-1] < size[0] - 1
    assert rows[0] > 0
    assert rows[-1] < size[1] - 1


def test_a_person_whom_the_detector_misses_is_mosaicked():
    frame = ground()
    frame[80:160, 100:130] = noise(5, (80, 30, 3))
    result, share = mosaic(frame, EMPTY, NOTHING)
    assert share >= 80 * 30 / (240 * 320)
    assert kept(result, frame)[80:160, 100:130].mean() < 0.01
    assert steps(result[120, 96:136]) <= 6


@settings(max_examples=tries(40), deadline=None)
@given(
    st.integers(0, 2**20),
    st.lists(
        st.tuples(st.integers(-20, 330), st.integers(-20, 250), st.integers(1, 200), st.integers(1, 200)), max_size=3
    ),
    st.sampled_from([0, 3, 40]),
)
def test_no_pixel_of_the_camera_leaves_unmosaicked(seed: int, places: list[tuple[int, ...]], amount: int):
    """Whatever the frame shows, a pixel of the result is backdrop under this light, or the mean of a block."""
    frame = (ground().astype(int) + np.random.default_rng(seed).integers(-amount, amount + 1, SHAPE)).clip(0, 255)
    frame = frame.astype(np.uint8)
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in places], np.float32).reshape(-1, 4)
    maker = MosaicMaker(EMPTY)
    result, share = maker.frame(0, frame, boxes)
    if maker.withheld:
        (why,) = maker.withheld
        assert share == 1
        assert (result == plate((320, 240), why)).all()
        return
    cells = result.reshape(30, CELL, 40, CELL, 3)
    flat = (cells == cells[:, :1, :, :1]).all(axis=(1, 3, 4))
    lit = relight(EMPTY.bgr, light(EMPTY.bgr, frame, EMPTY.admitted))
    backdrop = (result == lit).all(axis=2).reshape(30, CELL, 40, CELL).all(axis=(1, 3))
    assert (flat | backdrop).all()
    assert 0 <= share <= 1


def test_where_the_backdrop_is_not_admitted_all_is_mosaicked():
    admitted = np.ones(SHAPE[:2], bool)
    admitted[64:128, 64:160] = False
    frame = ground()
    frame[64:128, 64:160] = noise(2, (64, 96, 3))
    result, share = mosaic(frame, Backdrop(ground(), admitted), NOTHING)
    assert share >= 64 * 96 / (240 * 320)
    assert not kept(result, frame)[64:128, 64:160].any()


@pytest.mark.parametrize("width", [24, 60, 100, 150, 250])
def test_a_face_gets_at_most_four_blocks(width: int):
    """A face is at most half as wide as a person's box: no more than four blocks, five where they are not aligned."""
    frame = ground()
    frame[10:230, 30 : 30 + width] = noise(7, (220, width, 3))
    result, _ = mosaic(frame, EMPTY, one(30, 10, 30 + width, 230))
    face = result[40, 30 + width // 4 : 30 + width // 4 + max(width // 2, 8)]
    assert steps(face) <= 5


def test_a_box_is_covered_with_a_margin_even_where_nothing_differs():
    _, share = mosaic(ground(), EMPTY, one(100, 60, 140, 160))
    assert share >= 1.2 * 40 * 100 / (240 * 320)


def test_another_light_is_not_a_difference():
    for brightness in (0.7, 1.3):
        result, share = mosaic((ground() * brightness).astype(np.uint8), EMPTY, NOTHING)
        assert share < 0.02
        assert result.mean() == pytest.approx(ground().mean() * brightness, rel=0.03)


def test_a_mask_stays_for_a_moment_after_its_cause():
    maker = MosaicMaker(EMPTY)
    maker.frame(0, ground(), one(100, 60, 140, 160))
    assert maker.frame(HOLD_MS - 50, ground(), NOTHING)[1] > 0
    assert maker.frame(HOLD_MS + 200, ground(), NOTHING)[1] == 0


def test_a_difference_stays_masked_for_a_moment_too():
    maker = MosaicMaker(EMPTY)
    frame = ground()
    frame[80:160, 100:130] = noise(5, (80, 30, 3))
    maker.frame(0, frame, NOTHING)
    assert maker.frame(200, ground(), NOTHING)[1] > 0


def test_in_a_clip_nothing_is_seen_before_it_is_found():
    frames = [(at, ground(), one(100, 60, 140, 160) if at >= 1000 else NOTHING) for at in range(0, 2000, 100)]
    shares = [share for _, share in MosaicMaker(EMPTY).clip(frames)]
    assert len(shares) == len(frames)
    assert shares[0] == 0
    assert shares[(1000 - HOLD_MS) // 100] > 0


def test_a_picture_that_changes_size_is_withheld_where_the_backdrop_does_not_fit():
    maker = MosaicMaker(EMPTY)
    maker.frame(0, ground(), NOTHING)
    result, share = maker.frame(100, noise(1, (120, 150, 3)), NOTHING)
    assert share == 1
    assert result.shape == (120, 150, 3)
    assert maker.withheld == {NO_SUCH_SIZE: 1}


def test_what_is_parked_is_veiled_in_the_backdrop():
    backdrop = Backdrop(noise(9), EMPTY.admitted)
    veiled = veil(backdrop, one(100, 60, 180, 120))
    assert (veiled.admitted == backdrop.admitted).all()
    assert steps(veiled.bgr[90, 100:180]) <= 7
    assert (veiled.bgr[:32] == backdrop.bgr[:32]).all()


def test_text_is_veiled_in_blocks_as_large_as_its_letters():
    backdrop = Backdrop(noise(9), EMPTY.admitted)
    sign = one(100, 60, 180, 100)
    assert steps(veil(backdrop, sign).bgr[80, 96:192]) > 4
    assert steps(veil(backdrop, sign, (30.0,)).bgr[80, 96:192]) == 3
    with pytest.raises(ValueError, match="zip"):
        veil(backdrop, sign, (30.0, 30.0))
