"""Text in real scenes: signs rendered into photographs are found, and what two real cameras look at mostly stays."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import sprites
from watchglass.views.lettering import illegible

DATA = Path(os.environ.get("WATCHGLASS_DATA", Path(__file__).resolve().parents[2] / "../shared/data")).resolve()
PHOTOS = sorted((DATA / "images/coco/images").glob("*.jpg"))[::8]
WORDS = ("KR24 MPZ", "Dr. Miller", "PHARMACY", "Max 30 min", "4BYU465", "Family Jansen", "Reception", "B-LK 7219")

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        not PHOTOS or not (DATA / "media/cdnet_highway/highway.mp4").is_file(),
        reason="needs images/coco and media of WATCHGLASS_DATA",
    ),
]


def with_sign(photo: np.ndarray, tall: int, rng: random.Random) -> tuple[np.ndarray, np.ndarray]:
    """The photograph with a sign that hangs askew, compressed; and where its letters stand."""
    text, font = rng.choice(WORDS), rng.choice((cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX))
    thick = max(1, round(tall / 8))
    (wide, high), _ = cv2.getTextSize(text, font, tall / 22, thick)
    board = np.zeros((2 * high + 8, wide + 2 * high, 3), np.uint8)
    letters = np.zeros(board.shape[:2], np.uint8)
    shade = rng.randint(30, 225)
    board[:] = (shade, min(255, shade + rng.randint(-25, 25)), shade)
    ink = shade - 90 if shade > 127 else shade + 90
    cv2.putText(letters, text, (high, high + high // 2 + 4), font, tall / 22, (255,), thick, cv2.LINE_AA)
    cover = letters[..., None] / 255
    board = (board * (1 - cover) + ink * cover).astype(np.uint8)
    height, width = photo.shape[:2]
    down, right = board.shape[:2]
    turn = cv2.getRotationMatrix2D((right / 2, down / 2), rng.uniform(-20, 20), 1)
    turn[:, 2] += rng.uniform(0.3, 0.7) * np.array([width, height]) - (right / 2, down / 2)
    hung = cv2.warpAffine(board, turn, (width, height))
    where = cv2.warpAffine(np.ones_like(letters), turn, (width, height)) > 0
    result = np.where(where[..., None], hung, photo)
    quality = [cv2.IMWRITE_JPEG_QUALITY, rng.choice((50, 70, 90))]
    seen = cv2.imdecode(cv2.imencode(".jpg", result, quality)[1], cv2.IMREAD_COLOR)
    return seen, cv2.warpAffine(letters, turn, (width, height)) > 128


@pytest.mark.parametrize("tall", [12, 20, 34])
def test_signs_in_photographs_lose_their_letters(tall: int) -> None:
    rng, left, total = random.Random(tall), 0, 0
    for file in PHOTOS:
        photo = cv2.imread(str(file))
        assert photo is not None
        seen, letters = with_sign(photo, tall, rng)
        hidden = illegible(seen)
        left += int(((hidden == seen).all(axis=2) & letters).sum())
        total += int(letters.sum())
    assert left / total < 0.12


def highway() -> np.ndarray:
    with av.open(str(DATA / "media/cdnet_highway/highway.mp4")) as container:
        some = [frame.to_ndarray(format="bgr24") for n, frame in enumerate(container.decode(video=0)) if n % 60 == 0]
    return np.median(np.stack(some), axis=0).astype(np.uint8)


@pytest.mark.parametrize("scene", ["car park", "highway"])
def test_a_lawn_bricks_windows_leaves_and_a_fence_mostly_stay(scene: str) -> None:
    empty = sprites.scene(DATA) if scene == "car park" else highway()
    changed = (illegible(empty) != empty).any(axis=2).mean()
    assert changed < 0.05
