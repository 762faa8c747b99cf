"""What an operator is asked to confirm: vehicles are mosaicked in it, and a suspected person stays grey."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from watchglass.demo import BACKDROP
from watchglass.edge.inference import NanoDet, load
from watchglass.perception.observation import Detections
from watchglass.runtime.scrutiny import PERSON, VEHICLE, without_things
from watchglass.views.backdrop import Backdrop

DATA = Path(os.environ.get("WATCHGLASS_DATA") or Path(__file__).parents[3] / "shared/data")


@pytest.fixture(scope="module")
def detector() -> NanoDet:
    return load()


def picture(name: str) -> Backdrop:
    file = DATA / "images" / name
    if not file.is_file():
        pytest.skip(f"the shared data is not here ({file}): set WATCHGLASS_DATA")
    bgr = cv2.imread(str(file))
    assert bgr is not None
    return Backdrop(bgr, np.ones(bgr.shape[:2], bool))


def inside(found: Detections, kind: int, shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape[:2], bool)
    for x1, y1, x2, y2 in found.boxes[found.kinds == kind].astype(int):
        mask[max(0, y1) : y2, max(0, x1) : x2] = True
    return mask


def test_a_person_in_a_proposal_stays_grey(detector: NanoDet) -> None:
    learned = picture("person.jpg")
    people = inside(detector.detect(learned.bgr), PERSON, learned.bgr.shape)
    assert people.any(), "the picture shows a person, and the detector sees it"
    proposed = without_things(learned, detector)
    assert not proposed.admitted[people].any()
    assert proposed.admitted[~people].mean() > 0.5


def test_vehicles_in_a_proposal_are_mosaicked(detector: NanoDet) -> None:
    name = next(
        (
            file.name
            for file in sorted((DATA / "images/coco/images").glob("*.jpg"))
            if (detector.detect(picture(f"coco/images/{file.name}").bgr).kinds == VEHICLE).sum() >= 1
        ),
        None,
    )
    if name is None:
        pytest.skip("the shared data is not here: set WATCHGLASS_DATA")
    learned = picture(f"coco/images/{name}")
    vehicles = inside(detector.detect(learned.bgr), VEHICLE, learned.bgr.shape)
    proposed = without_things(learned, detector)
    grey = cv2.cvtColor(learned.bgr, cv2.COLOR_BGR2GRAY)
    veiled = cv2.cvtColor(proposed.bgr, cv2.COLOR_BGR2GRAY)
    detail = float(np.abs(cv2.Laplacian(grey, cv2.CV_32F))[vehicles].mean())
    left = float(np.abs(cv2.Laplacian(veiled, cv2.CV_32F))[vehicles].mean())
    assert left < detail / 2


def test_the_demos_confirmed_backdrop_would_be_proposed_again_nearly_whole(detector: NanoDet) -> None:
    shipped = Backdrop.from_png(BACKDROP.read_bytes())
    assert without_things(shipped, detector).share > shipped.share - 0.05
