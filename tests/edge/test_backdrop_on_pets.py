"""The backdrop's rule on a real street: who is in view for fifty seconds, and what is left of them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from watchglass.views.backdrop import Backdrop, BackdropLearner

FOLDER = (
    Path(os.environ.get("WATCHGLASS_DATA", Path(__file__).resolve().parents[2] / "../shared/data")) / "media/pets_s2l1"
)
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not (FOLDER / "vtest.avi").exists(), reason="needs media/pets_s2l1 of WATCHGLASS_DATA"),
]


def pictures() -> list[tuple[np.ndarray, np.ndarray]]:
    """Every half second of frames 0 to 499: the picture, and where the truth says that somebody is."""
    truth = json.loads((FOLDER / "truth.json").read_text())["boxes"]
    video, found = cv2.VideoCapture(str(FOLDER / "vtest.avi")), []
    for at in range(500):
        worked, bgr = video.read()
        assert worked
        if at % 5 == 0:
            people = np.zeros(bgr.shape[:2], bool)
            for _, x, y, w, h in truth.get(str(at), []):
                people[max(0, int(y - 6)) : int(y + h + 6), max(0, int(x - 6)) : int(x + w + 6)] = True
            found.append((bgr, people))
    return found


def learn(seen: list[tuple[np.ndarray, np.ndarray]], masks: list[np.ndarray]) -> Backdrop:
    learner = BackdropLearner(768, 576)
    for at, ((bgr, _), masked) in enumerate(zip(seen, masks, strict=True)):
        learner.look(at * 500, bgr, masked)
    return learner.picture()


@pytest.fixture(scope="module")
def seen() -> list[tuple[np.ndarray, np.ndarray]]:
    return pictures()


@pytest.fixture(scope="module")
def empty(seen: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The truth about the empty scene: the median of every fourth pixel over the moments without anybody."""
    stack = np.stack([bgr[::4, ::4] for bgr, _ in seen]).astype(np.float32)
    stack[np.stack([people[::4, ::4] for _, people in seen])] = np.nan
    return np.nanmedian(stack, axis=0)


def wrong(picture: Backdrop, empty: np.ndarray) -> float:
    """Share of the picture that is shown and is far from the empty scene."""
    far = np.abs(picture.bgr[::4, ::4] - empty).max(axis=2) > 40
    return float((far & picture.admitted[::4, ::4]).mean())


def test_with_people_masked_the_scene_shows_and_nobody_is_in_it(seen, empty):
    picture = learn(seen, [people for _, people in seen])
    assert picture.share > 0.9
    assert wrong(picture, empty) < 0.002


def test_people_whom_the_detector_misses_while_they_walk_do_not_get_in(seen, empty):
    """No mask at all: what walks is not still for long enough, and what stops came."""
    picture = learn(seen, [np.zeros((576, 768), bool)] * len(seen))
    assert picture.share > 0.85
    assert wrong(picture, empty) < 0.004
