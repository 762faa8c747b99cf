"""A vehicle that was followed while a scene was learned is mosaicked in what is proposed, found again or not."""

from __future__ import annotations

import cv2
import numpy as np
from test_view_painter import FREE, SIZE, Finds, Shot, place

from watchglass.perception.messages import SourceSpec
from watchglass.runtime.painting import ViewPainter
from watchglass.views.backdrop import Backdrop

BOX = (120, 80, 280, 200)
THERE = (slice(80, 200), slice(120, 280))


def rough(street: np.ndarray) -> np.ndarray:
    return (street + np.random.default_rng(3).integers(-30, 31, street.shape)).clip(0, 255).astype(np.uint8)


def proposed(seconds: int, *, found: bool) -> Backdrop:
    """What is proposed of a street of which a vehicle hides a part; a detector that looks at it then finds nothing."""
    painter, street = ViewPainter(SourceSpec("street", "", ()), SIZE), rough(place(1))
    masked = FREE.copy()
    masked[50:230, 80:320] = found
    vehicles = np.array([BOX] if found else [], np.float32).reshape(-1, 4)
    for second in range(seconds):
        painter.recognise(Shot(second * 1000, street), "", None)
        if painter.due(second * 1000):
            painter.look(second * 1000, street, masked, vehicles, FREE)
    return Backdrop.from_png(painter.proposal(seconds * 1000, Finds()).png)


def detail(picture: Backdrop) -> float:
    grey = cv2.cvtColor(picture.bgr, cv2.COLOR_BGR2GRAY)
    return float(np.abs(cv2.Laplacian(grey, cv2.CV_32F))[THERE].mean())


def test_a_parked_vehicle_is_proposed_and_only_as_a_mosaic() -> None:
    plain, parked = proposed(60, found=False), proposed(60, found=True)
    assert parked.admitted[THERE].all()
    assert detail(parked) < detail(plain) / 3


def test_one_that_has_not_stood_for_long_leaves_its_place_grey() -> None:
    assert not proposed(15, found=True).admitted[THERE].any()
