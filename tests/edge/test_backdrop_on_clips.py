"""Backdrops and views on recordings with truth: Wallflower, CDnet's highway, PETS."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from watchglass.edge.video import NeverSee, VideoPicture
from watchglass.perception.health import HealthWatch
from watchglass.perception.ports import stride_of
from watchglass.views.backdrop import Backdrop, BackdropLearner
from watchglass.views.scenes import Familiar, Look, SceneWatch

MEDIA = Path(os.environ.get("WATCHGLASS_DATA", Path(__file__).resolve().parents[2] / "../shared/data")) / "media"
WALLFLOWER, HIGHWAY, PETS = MEDIA / "wallflower", MEDIA / "cdnet_highway", MEDIA / "pets_s2l1"
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        not (WALLFLOWER.is_dir() and HIGHWAY.is_dir() and PETS.is_dir()),
        reason="needs media/wallflower, media/cdnet_highway and media/pets_s2l1 of WATCHGLASS_DATA",
    ),
]
FAR = 40
WALLFLOWER_MS = 250
"""Wallflower was sampled four times a second."""


def frames(path: Path, step: int, last: int = 10**9) -> Iterator[tuple[int, np.ndarray]]:
    video = cv2.VideoCapture(str(path))
    number = 0
    while number <= last and video.grab():
        if number % step == 0:
            yield number, video.retrieve()[1]
        number += 1


def learn(seen: list[tuple[int, np.ndarray]]) -> Backdrop:
    """Without any mask: what the rule does by itself."""
    height, width = seen[0][1].shape[:2]
    learner, nothing = BackdropLearner(width, height), np.zeros((height, width), bool)
    for at_ms, bgr in seen:
        learner.look(at_ms, bgr, nothing)
    return learner.picture()


def far(picture: Backdrop, empty: np.ndarray) -> np.ndarray:
    return (np.abs(picture.bgr.astype(int) - empty).max(axis=2) > FAR) & picture.admitted


# ---- the learner -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "empty_until", "someone", "shows"),
    [
        ("WavingTrees", 240, (242, 258), 0.1),
        ("Camouflage", 240, (240, 353), 0.7),
        ("LightSwitch", 790, (1844, 2202), 0.8),
    ],
)
def test_who_comes_later_is_not_in_the_backdrop(
    name: str, empty_until: int, someone: tuple[int, int], shows: float
) -> None:
    """Leaves wave, a screen rolls behind a person in its colours, the light goes out and on again."""
    step = 8 if name == "LightSwitch" else 2
    seen = [(number * WALLFLOWER_MS, bgr) for number, bgr in frames(WALLFLOWER / f"{name}.mp4", step)]
    empty = np.median(np.stack([bgr for at, bgr in seen if at < empty_until * WALLFLOWER_MS]), axis=0)
    picture = learn(seen)
    (mask,) = WALLFLOWER.glob(f"{name}_gt_*.png")
    person = cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE) > 0
    there = next(bgr for at, bgr in seen if someone[0] * WALLFLOWER_MS + 2000 <= at)
    assert picture.share >= shows
    wrong = far(picture, empty)
    assert wrong[person].mean() < 0.03
    # what is wrong shows the scene in another light, not who stands there
    looks_like_them = (np.abs(picture.bgr.astype(int) - there).max(axis=2) <= 12) & wrong
    assert looks_like_them[person].mean() < 0.01


def test_on_a_busy_highway_the_road_shows_and_no_vehicle() -> None:
    seen = [(number * 40, bgr) for number, bgr in frames(HIGHWAY / "highway.mp4", 12)]
    with zipfile.ZipFile(HIGHWAY / "groundtruth_470_1100.zip") as pack:
        masks = {int(Path(name).stem[-6:]) - 1: name for name in pack.namelist() if name.endswith(".png")}
        known = [
            (bgr, cv2.imdecode(np.frombuffer(pack.read(masks[at // 40]), np.uint8), cv2.IMREAD_GRAYSCALE))
            for at, bgr in seen
            if at // 40 in masks
        ]
    stack = np.stack([bgr for bgr, _ in known]).astype(np.float32)
    stack[np.stack([mask[: stack.shape[1], : stack.shape[2]] > 0 for _, mask in known])] = np.nan
    with np.errstate(all="ignore"):
        empty = np.nanmedian(stack, axis=0)
    picture = learn(seen)
    judged = picture.admitted & ~np.isnan(empty).any(axis=2)
    assert judged.mean() > 0.5
    assert float((far(picture, np.nan_to_num(empty)) & judged).mean()) < 0.01


# ---- which view it is ------------------------------------------------------------------------------------------------


class Camera:
    """Real pictures through perception's own sampling and health, once a second."""

    def __init__(self, bgr: np.ndarray) -> None:
        stride = stride_of(bgr.shape[1], bgr.shape[0])
        self.watch, self.health, self.at_ms = SceneWatch(), HealthWatch(stride=stride), 0
        self.watch.know("day", Familiar.of(bgr, np.ones(bgr.shape[:2], bool), stride))

    def shows(self, bgr: np.ndarray) -> str:
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(bgr), format="bgr24").reformat(format="yuv420p")
        picture = VideoPicture(frame, self.at_ms, NeverSee(()))
        trouble = self.health.look(self.at_ms, picture.luma(), picture.edges())
        look = Look(self.at_ms, picture.luma(), picture.chroma(), picture.black)
        self.watch.look(look, trouble.name if trouble else "")
        self.at_ms += 1000
        return self.watch.scene


@cache
def clip(path: Path, step: int) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Every ``step``-th picture, and their median."""
    found = tuple(bgr for _, bgr in frames(path, step))
    return found, np.median(np.stack(found), axis=0).astype(np.uint8)


@pytest.mark.parametrize(
    ("path", "step"), [(PETS / "vtest.avi", 20), (HIGHWAY / "highway.mp4", 40), (WALLFLOWER / "WavingTrees.mp4", 8)]
)
def test_people_vehicles_and_leaves_hide_no_view(path: Path, step: int) -> None:
    shots, empty = clip(path, step)
    camera = Camera(empty)
    found = [camera.shows(bgr) for bgr in shots]
    assert found[:3] == [""] * 3
    assert found[3:] == ["day"] * (len(found) - 3)


def turned(bgr: np.ndarray, right: float = 0, degrees: float = 0, zoom: float = 1) -> np.ndarray:
    height, width = bgr.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, zoom)
    matrix[0, 2] += right
    return cv2.warpAffine(bgr, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)


CHANGES = {
    "moved": lambda bgr: turned(bgr, right=60),
    "nudged by a hundredth": lambda bgr: turned(bgr, right=8),
    "turned by two degrees": lambda bgr: turned(bgr, degrees=2),
    "zoomed by two per cent": lambda bgr: turned(bgr, zoom=1.02),
    "covered": lambda bgr: np.full_like(bgr, (60, 70, 90)),
    "black": np.zeros_like,
    "in infrared": lambda bgr: cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)[..., None].repeat(3, axis=2),
    "another camera": lambda bgr: cv2.resize(clip(HIGHWAY / "highway.mp4", 40)[1], bgr.shape[1::-1]),
}


@pytest.mark.parametrize("what", CHANGES)
def test_it_goes_grey_within_two_seconds_and_comes_back_after_three(what: str) -> None:
    shots, empty = clip(PETS / "vtest.avi", 20)
    camera = Camera(empty)
    for bgr in shots[:8]:
        camera.shows(bgr)
    assert camera.watch.scene == "day"
    found = [camera.shows(CHANGES[what](bgr)) for bgr in shots[8:16]]
    assert found[2:] == [""] * 6, what
    assert camera.watch.unsure
    back = [camera.shows(bgr) for bgr in shots[16:24]]
    assert back[:3] == [""] * 3
    assert back[4:] == ["day"] * 4, what


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_weather_is_no_other_view(gamma: float) -> None:
    shots, empty = clip(PETS / "vtest.avi", 20)
    camera = Camera(empty)
    found = [camera.shows((255 * (bgr / 255) ** gamma).astype(np.uint8)) for bgr in shots[:10]]
    assert found[3:] == ["day"] * 7


def test_somebody_right_before_the_lens_hides_the_view() -> None:
    """Camouflage: bars roll over a screen all the time, and then a person fills nearly the whole picture."""
    shots, _ = clip(WALLFLOWER / "Camouflage.mp4", 4)
    camera = Camera(np.median(np.stack(shots[:58]), axis=0).astype(np.uint8))
    found = [camera.shows(bgr) for bgr in shots]
    assert found[12:58] == ["day"] * 46
    assert found[76:] == [""] * (len(found) - 76)


def test_when_the_lamp_goes_out_the_view_is_not_guessed() -> None:
    camera = Camera(
        np.median(np.stack([b for _, b in frames(WALLFLOWER / "LightSwitch.mp4", 40, 780)]), axis=0).astype(np.uint8)
    )
    found = {n: camera.shows(b) for n, b in frames(WALLFLOWER / "LightSwitch.mp4", 15, 2400)}
    assert {scene for n, scene in found.items() if 60 <= n < 790} == {"day"}
    assert {scene for n, scene in found.items() if 870 <= n < 1844} == {""}
    assert {scene for n, scene in found.items() if 1930 <= n < 2190} == {"day"}
