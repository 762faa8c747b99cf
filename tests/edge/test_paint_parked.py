"""``paint`` of a yard in which a vehicle stands from the first picture to the last, and of one that leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from films import scene, walk, write
from numpy.typing import NDArray

from watchglass.perception.observation import KINDS, Detections
from watchglass.runtime.paint.file import Order, Report, backdrop_beside, paint_file
from watchglass.views.backdrop import Backdrop

CAR = (slice(156, 220), slice(200, 296))
FENCE = (slice(10, 76), slice(4, 320, 9))
"""So that the view is recognised by more than the car."""

SECONDS, FPS = 60, 5


def car() -> NDArray[np.uint8]:
    """Blue, in squares of four pixels: what is mosaicked has none of them."""
    odd = np.add.outer(np.arange(64) // 4, np.arange(96) // 4) % 2
    return np.where(odd[..., None] == 1, np.array((220, 60, 30)), np.array((150, 20, 60))).astype(np.uint8)


class SeesBlue:
    """A detector that takes what is blue for a vehicle, in whatever part of a picture it is shown."""

    side = 416

    def detect(self, bgr: NDArray[np.uint8]) -> Detections:
        blue = bgr[..., 0].astype(int) - bgr[..., 2] > 60
        rows, columns = np.nonzero(blue.any(axis=1))[0], np.nonzero(blue.any(axis=0))[0]
        if int(blue.sum()) < 200:
            return Detections.none()
        box = np.array([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]], np.float32)
        return Detections(box, np.full(1, 0.9, np.float32), np.array([KINDS.index("vehicle")], np.int8))


def film(until: int) -> Iterator[NDArray[np.uint8]]:
    """The car stands there in the first so many seconds."""
    for number, picture in enumerate(walk(SECONDS, FPS)):
        picture[FENCE] = 30
        if number < until * FPS:
            picture[CAR] = car()
        yield picture


def painted(tmp_path: Path, until: int) -> tuple[Report, Backdrop]:
    source = write(tmp_path / "yard.mp4", film(until), options={"g": "25", "crf": "16"})
    target = tmp_path / "painted.mp4"
    report = paint_file(Order(source, target), lambda _what, _done, _all: None, SeesBlue())
    return report, Backdrop.from_png(backdrop_beside(target).read_bytes())


def detail(bgr: NDArray[np.uint8]) -> float:
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    return float(np.abs(cv2.Laplacian(grey, cv2.CV_32F))[4:-4, 4:-4].mean())


def test_a_parked_vehicle_is_mosaicked_and_not_grey(tmp_path: Path) -> None:
    report, learned = painted(tmp_path, SECONDS)
    assert learned.admitted[CAR].mean() > 0.9
    assert detail(learned.bgr[CAR]) < 0.3 * detail(car())
    assert report.grey_median < 0.15


@pytest.mark.parametrize(("until", "least"), [(25, 0.8), (45, 0.0)])
def test_of_one_that_leaves_nothing_stays(until: int, least: float, tmp_path: Path) -> None:
    """After 25 seconds it is a part of the scene already, and there is time left to learn the ground."""
    report, learned = painted(tmp_path, until)
    assert report.views == 1, "the view was taken for another one; then this test shows nothing"
    shown = learned.bgr[CAR][learned.admitted[CAR]].astype(int)
    assert (shown[:, 0] - shown[:, 2]).max(initial=0) < 40, "something is blue"
    ground = np.abs(learned.bgr[CAR].astype(int) - scene()[CAR]).max(axis=2) < 25
    assert (learned.admitted[CAR] & ground).mean() >= least
