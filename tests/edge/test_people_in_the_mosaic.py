"""Real people over a real scene, at many sizes: the reviewer's view shows blocks of them, and few across a head.

No detector of faces is asked here: ``watchglass bench leak`` does that, with detectors that are not ours.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from watchglass.edge.inference import NanoDet, load
from watchglass.edge.video import VideoFile
from watchglass.perception.observation import KINDS
from watchglass.views.backdrop import Backdrop
from watchglass.views.blocks import CELL
from watchglass.views.light import light, relight
from watchglass.views.mosaic import MosaicMaker

DATA = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data"))
COCO, PETS = DATA / "images/coco", DATA / "media/pets_s2l1/vtest.avi"
SIZE = (800, 600)
PERSON = KINDS.index("person")

needs_data = pytest.mark.skipif(
    not (COCO / "images").is_dir() or not PETS.is_file(), reason="COCO and PETS are not here; set WATCHGLASS_DATA"
)
pytestmark = needs_data


@dataclass(frozen=True)
class Somebody:
    """A person cut out of a picture, wholly in view: two to three and a half times as tall as wide."""

    bgr: NDArray[np.uint8]


@pytest.fixture(scope="module")
def scene() -> NDArray[np.uint8]:
    """The empty car park: the median of every twentieth picture."""
    file = VideoFile(PETS)
    decoder = file.decoder()
    seen = [
        picture.bgr()
        for number, packet in enumerate(file.packets(0))
        for picture in decoder.decode(packet)
        if number % 20 == 0
    ]
    return np.asarray(cv2.resize(np.median(seen, axis=0).astype(np.uint8), SIZE), np.uint8)


@pytest.fixture(scope="module")
def people() -> list[Somebody]:
    result = []
    for labels in sorted((COCO / "labels").glob("*.txt")):
        picture = cv2.imread(str(COCO / "images" / f"{labels.stem}.jpg"))
        assert picture is not None
        height, width = picture.shape[:2]
        for line in labels.read_text("utf-8").splitlines():
            kind, x, y, w, h = (float(v) for v in line.split())
            wide, high = w * width, h * height
            left, top = x * width - wide / 2, y * height - high / 2
            if kind == 0 and high > 120 and 2 <= high / wide <= 3.5 and top > 2 and top + high < height - 2:
                cut = picture[int(top) : int(top + high), max(0, int(left)) : int(left + wide)]
                result.append(Somebody(np.asarray(cut, np.uint8)))
    assert len(result) >= 10
    return result[:16]


@pytest.fixture(scope="module")
def detector() -> NanoDet:
    return load()


def placed(
    scene: NDArray[np.uint8], who: Somebody, high: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], tuple[int, int, int, int]]:
    wide = max(8, round(high * who.bgr.shape[1] / who.bgr.shape[0]))
    left, top = int(rng.integers(8, SIZE[0] - wide - 8)), int(rng.integers(4, SIZE[1] - high - 4))
    frame = scene.copy()
    frame[top : top + high, left : left + wide] = cv2.resize(who.bgr, (wide, high), interpolation=cv2.INTER_AREA)
    return frame, (left, top, left + wide, top + high)


def runs(line: NDArray[np.uint8]) -> int:
    """How many blocks a row of pixels has."""
    return 1 + int((np.diff(line.astype(int), axis=0) != 0).any(axis=1).sum())


@pytest.mark.parametrize("high", [60, 110, 200, 330, 520])
@pytest.mark.parametrize("missed", [False, True])
def test_a_head_is_few_blocks_and_nothing_else_of_the_camera_is_shown(
    scene: NDArray[np.uint8], people: list[Somebody], detector: NanoDet, high: int, missed: bool
) -> None:
    """Found by our detector, or missed by it; a head is about three eighths as wide as the box of whoever stands."""
    backdrop = Backdrop(scene, np.ones(scene.shape[:2], bool))
    rng = np.random.default_rng(high)
    worst = []
    for who in people:
        frame, (x1, y1, x2, y2) = placed(scene, who, high, rng)
        found = detector.detect(frame)
        boxes = found.boxes[:0] if missed else found.boxes[found.kinds == PERSON]
        maker = MosaicMaker(backdrop)
        shown, share = maker.frame(0, frame, boxes)
        assert not maker.withheld
        assert share > 0.5 * (x2 - x1) * (y2 - y1) / (SIZE[0] * SIZE[1])
        lit = relight(scene, light(scene, frame, backdrop.admitted))
        cells = shown.reshape(SIZE[1] // CELL, CELL, SIZE[0] // CELL, CELL, 3)
        flat = (cells == cells[:, :1, :, :1]).all(axis=(1, 3, 4))
        stepped = (cells[:, 0, :, 0] % 32 == 16).all(axis=2)
        empty = (shown == lit).all(axis=2).reshape(*cells.shape[:4]).all(axis=(1, 3))
        assert ((flat & stepped) | empty).all()
        middle, half = (x1 + x2) // 2, max(4, (x2 - x1) * 3 // 16)
        head = shown[y1 : y1 + max(CELL, (y2 - y1) // 7), middle - half : middle + half]
        masked = ~empty.repeat(CELL, axis=0).repeat(CELL, axis=1)[
            y1 : y1 + head.shape[0], middle - half : middle + half
        ]
        worst += [runs(row[hidden]) for row, hidden in zip(head, masked, strict=True) if hidden.any()]
    assert max(worst) <= 5
    assert np.median(worst) <= 4


def test_a_camera_that_trembles_shows_no_pixel_of_its_own_and_is_not_withheld(
    scene: NDArray[np.uint8], people: list[Somebody]
) -> None:
    backdrop = Backdrop(scene, np.ones(scene.shape[:2], bool))
    maker = MosaicMaker(backdrop)
    rng = np.random.default_rng(2)
    frame, _ = placed(scene, people[0], 200, rng)
    for number in range(6):
        right, down = (int(v) for v in rng.integers(-2, 3, 2))
        shaken = np.roll(frame, (down, right), axis=(0, 1))
        noisy = (shaken + rng.normal(0, 6, shaken.shape)).clip(0, 255).astype(np.uint8)
        shown, share = maker.frame(200 * number, noisy, np.zeros((0, 4), np.float32))
        assert share < 0.9
        lit = relight(scene, light(scene, noisy, backdrop.admitted))
        cells = shown.reshape(SIZE[1] // CELL, CELL, SIZE[0] // CELL, CELL, 3)
        flat = (cells == cells[:, :1, :, :1]).all(axis=(1, 3, 4))
        assert (flat | (shown == lit).all(axis=2).reshape(*cells.shape[:4]).all(axis=(1, 3))).all()
    assert not maker.withheld
