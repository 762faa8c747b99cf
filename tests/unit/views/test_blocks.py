"""How coarse the mosaic is: three or four blocks across a face, whatever the detector says of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from watchglass.views.backdrop import Backdrop
from watchglass.views.blocks import CELL, level_of_side, levels_of
from watchglass.views.mosaic import MosaicMaker, mosaic, veil

WIDTH, HEIGHT = 800, 448
NOTHING = np.zeros((0, 4), np.float32)


def scene() -> np.ndarray:
    fine = np.random.default_rng(3).integers(90, 150, (HEIGHT // 16, WIDTH // 16, 3), np.uint8)
    return cv2.resize(fine, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


EMPTY = Backdrop(scene(), np.ones((HEIGHT, WIDTH), bool))


def one(*box: float) -> np.ndarray:
    return np.array([box], np.float32)


def with_face(across: int, at: tuple[int, int] = (400, 220), skin: bool = True, size: float = 1.3) -> np.ndarray:
    """The scene with a head in it: skin (or, without, skin of the colours of the wall behind), hair, eyes, a mouth."""
    frame = scene()
    x, y = at
    unit = across / 2
    axes = round(unit), round(unit * size)
    if skin:
        cv2.ellipse(frame, at, axes, 0, 0, 360, (150, 175, 225), -1)
    dark = (25, 25, 30)
    cv2.ellipse(frame, (x, round(y - 0.75 * unit)), (axes[0], round(0.5 * unit)), 0, 180, 360, dark, -1)
    for side in (-1, 1):
        cv2.ellipse(
            frame, (round(x + side * 0.4 * unit), y), (round(0.2 * unit), round(0.13 * unit)), 0, 0, 360, dark, -1
        )
    cv2.ellipse(frame, (x, round(y + 0.65 * unit)), (round(0.4 * unit), round(0.12 * unit)), 0, 0, 360, dark, -1)
    return frame


def blocks_across(result: np.ndarray, across: int, at: tuple[int, int] = (400, 220)) -> int:
    """The most blocks that any row of the face shows."""
    x, y = at
    face = result[y - across // 2 : y + across // 2, x - across // 2 : x + across // 2].astype(int)
    return 1 + int((np.diff(face, axis=1) != 0).any(axis=2).sum(axis=1).max())


@pytest.mark.parametrize("across", [32, 48, 64, 96, 128, 192, 256])
@pytest.mark.parametrize("at", [(400, 220), (391, 213), (70, 150)])
def test_a_face_alone_in_the_picture_that_no_box_explains(across: int, at: tuple[int, int]) -> None:
    """At most three blocks, and one more where they do not begin with the face."""
    if at[0] < across / 2 or at[1] < across:
        at = (across, across)
    result, share = mosaic(with_face(across, at), EMPTY, NOTHING)
    assert share > 0
    assert blocks_across(result, across, at) <= 4


@pytest.mark.parametrize("across", [48, 64, 96])
def test_a_face_whose_skin_is_as_the_wall(across: int) -> None:
    """What differs is hair, eyes and mouth; they count as one, or the eyes would get small blocks of their own."""
    frame = with_face(across, skin=False)
    result, _ = mosaic(frame, EMPTY, NOTHING)
    changed = (result != EMPTY.bgr).any(axis=2)
    assert changed.any()
    levels = levels_of(np.asarray(cv2.resize(changed.astype(np.uint8), (100, 56)), bool), NOTHING)
    assert (CELL << (int(levels.max()) - 1)) >= across / 4 - 8
    eyes = result[216:224, 400 - across // 2 : 400 + across // 2].astype(int)
    assert 1 + int((np.diff(eyes, axis=1) != 0).any(axis=2).sum(axis=1).max()) <= 9


@pytest.mark.parametrize("across", [64, 96, 160])
@pytest.mark.parametrize("box", ["the head", "head and shoulders", "the nose", "half of it", "a bag before it"])
def test_a_box_that_holds_the_head_or_a_part_of_it(across: int, box: str) -> None:
    """A child close to the camera, a false find on a nose, a bag at the chin: three or four blocks, and one more."""
    half = across / 2
    boxes = {
        "the head": one(400 - half, 220 - 1.3 * half, 400 + half, 220 + 1.3 * half),
        "head and shoulders": one(400 - 2 * half, 220 - 1.3 * half, 400 + 2 * half, 220 + 2.5 * half),
        "the nose": one(390, 205, 410, 240),
        "half of it": one(400, 220 - 1.3 * half, 400 + half, 220 + 1.3 * half),
        "a bag before it": one(400 - half, 220, 400 + half, 220 + half),
    }
    result, _ = mosaic(with_face(across), EMPTY, boxes[box])
    assert blocks_across(result, across) <= (4 if "head" in box else 5)


def test_two_people_in_one_box_are_hidden_in_blocks_for_the_wider_box() -> None:
    frame = with_face(40, (340, 220))
    result, _ = mosaic(frame, EMPTY, one(300, 180, 480, 440))
    assert blocks_across(result, 40, (340, 220)) <= 3


def test_a_crowd_that_boxes_explain_is_not_one_great_block() -> None:
    frame = scene()
    frame[200:420, 100:700] = np.random.default_rng(1).integers(0, 255, (220, 600, 3), np.uint8)
    boxes = np.array([(x, 200, x + 60, 420) for x in range(100, 700, 60)], np.float32)
    maker = MosaicMaker(EMPTY)
    result, _ = maker.frame(0, frame, boxes)
    assert not maker.withheld
    line = result[300, 128:640].astype(int)
    assert 1 + int((np.diff(line, axis=0) != 0).any(axis=1).sum()) >= 512 / 64


def test_a_railing_that_trembles_is_not_one_great_block() -> None:
    """Large and thin: twice the side of the largest square in it counts, not the rectangle around it."""
    cells = np.zeros((56, 100), bool)
    cells[10:50:8, 5:95] = True
    cells[10:50, 5:95:10] = True
    assert CELL << (int(levels_of(cells, NOTHING).max()) - 1) <= 32


def test_a_number_plate_on_a_car_close_by_gets_two_blocks() -> None:
    """A plate is about a quarter as wide as the car."""
    frame = scene()
    cv2.rectangle(frame, (100, 150), (700, 400), (160, 60, 40), -1)
    cv2.rectangle(frame, (330, 340), (480, 372), (240, 240, 240), -1)
    cv2.putText(frame, "AB 123 C", (336, 366), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (10, 10, 10), 2)
    for boxes in (one(100, 150, 700, 400), NOTHING):
        result, _ = mosaic(frame, EMPTY, boxes)
        line = result[356, 330:480].astype(int)
        assert 1 + int((np.diff(line, axis=0) != 0).any(axis=1).sum()) <= 3


def parked() -> tuple[np.ndarray, np.ndarray]:
    frame = scene()
    cv2.rectangle(frame, (200, 150), (500, 300), (160, 60, 40), -1)
    cv2.rectangle(frame, (310, 250), (385, 270), (240, 240, 240), -1)
    cv2.putText(frame, "AB 123 C", (313, 266), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (10, 10, 10), 1)
    return frame, one(200, 150, 500, 300)


@pytest.mark.parametrize("times", [1, 2])
def test_what_is_veiled_in_the_backdrop_stays_veiled_for_the_reviewer(times: int) -> None:
    """A parked car is in the confirmed backdrop, mosaicked. The camera sees it sharp; the clip shows no more."""
    frame, box = parked()
    large = frame.repeat(times, axis=0).repeat(times, axis=1)
    confirmed = veil(Backdrop(large, np.ones(large.shape[:2], bool)), box * times)
    result, _ = mosaic(frame, confirmed, NOTHING)
    line = result[260, 310:385].astype(int)
    assert 1 + int((np.diff(line, axis=0) != 0).any(axis=1).sum()) <= 3


@pytest.mark.parametrize("times", [1, 2])
def test_veiled_text_gets_no_finer_blocks_in_the_clip(times: int) -> None:
    """A sign with letters of 20 pixels: its box asks for blocks of 8, its letters for 32."""
    frame = scene()
    cv2.putText(frame, "CAFE ROSA", (300, 120), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (250, 250, 250), 2)
    large = frame.repeat(times, axis=0).repeat(times, axis=1)
    box = one(296, 96, 470, 126)
    confirmed = veil(Backdrop(large, np.ones(large.shape[:2], bool)), box * times, (20.0 * times,))
    result, _ = mosaic(frame, confirmed, NOTHING)
    shown = result[96:128, 288:480].reshape(1, 32, 6, 32, 3)
    assert (shown == shown[:, :1, :, :1]).all()


def test_levels_are_powers_of_two_of_eight_pixels() -> None:
    assert [CELL << (level_of_side(side) - 1) for side in (0, 8, 8.1, 16, 33, 200)] == [8, 8, 16, 16, 64, 256]


def test_a_mosaic_has_eight_shades_a_channel() -> None:
    """A face that moves under blocks that stand still shows more in many frames than in one; steps take that away."""
    frame = np.random.default_rng(2).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    result, _ = mosaic(frame, None, NOTHING)
    assert set(np.unique(result)) <= set(range(16, 256, 32))
    frame = with_face(96)
    moved, _ = mosaic(frame, EMPTY, NOTHING)
    changed = (moved != EMPTY.bgr).any(axis=2)
    assert changed.any()
    assert set(np.unique(moved[changed])) <= set(range(16, 256, 32))
