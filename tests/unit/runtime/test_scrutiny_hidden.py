"""What is not admitted is no part of what a proposal shows: not of a vehicle's mosaic, and not of a line of text."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from watchglass.runtime.scrutiny import hidden
from watchglass.views.backdrop import Backdrop

GREY = (slice(64, 192), slice(96, 160))
"""Not admitted: blocks in which somebody stands."""
VAN = np.array([[100, 40, 260, 120]], np.float32)


def learned(there: int | None) -> Backdrop:
    """A wall with letters beside a part that is not admitted; that part holds noise of so many levels, or nothing."""
    rng = np.random.default_rng(5)
    bgr = (150 + rng.normal(0, 2, (256, 384, 3))).clip(0, 255).astype(np.uint8)
    cv2.putText(bgr, "AB12 CDE", (166, 190), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (20, 20, 20), 3, cv2.LINE_AA)
    admitted = np.ones((256, 384), bool)
    admitted[GREY] = False
    bgr[GREY] = 0 if there is None else rng.integers(0, max(1, there), bgr[GREY].shape)
    return Backdrop(bgr, admitted)


@pytest.mark.parametrize("there", [60, 255])
def test_what_is_not_admitted_changes_nothing_that_is_shown(there: int) -> None:
    one, other = hidden(learned(None), VAN), hidden(learned(there), VAN)
    assert np.array_equal(one.bgr, other.bgr)
    assert np.array_equal(one.admitted, other.admitted)


def test_what_is_not_admitted_is_not_in_the_picture_either() -> None:
    assert not hidden(learned(255), VAN).bgr[GREY].any()


def test_a_mosaic_beside_grey_is_as_light_as_the_wall() -> None:
    shown = hidden(learned(None), VAN)
    beside = shown.bgr[64:120, 160:192]
    assert np.abs(beside.astype(int) - 150).max() <= 8


def test_what_is_admitted_and_neither_vehicle_nor_text_stays_as_it_is() -> None:
    before = learned(None)
    after = hidden(before, VAN)
    far = (slice(210, 256), slice(0, 90))
    assert np.array_equal(before.bgr[far], after.bgr[far])


def test_a_picture_of_which_nothing_is_admitted_stays_empty() -> None:
    nothing = Backdrop(np.full((64, 96, 3), 99, np.uint8), np.zeros((64, 96), bool))
    assert not hidden(nothing, VAN).bgr.any()
