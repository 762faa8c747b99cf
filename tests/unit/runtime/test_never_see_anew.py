"""A part that a later charter hides is black in all that is made of a backdrop that was confirmed before."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from test_view_painter import FREE, SIZE, Finds, Shot, place, png

from watchglass.core.digest import sha256
from watchglass.core.time import MINUTE
from watchglass.perception.messages import SourceSpec
from watchglass.perception.observation import Tracks
from watchglass.runtime.painting import ViewPainter
from watchglass.views.backdrop import Backdrop
from watchglass.views.public import without

AREA = ((200.0, 90.0), (320.0, 90.0), (320.0, 180.0), (200.0, 180.0))
THERE = (slice(90, 181), slice(200, 321))
STREET = place(1)


def seen(bgr: np.ndarray) -> np.ndarray:
    """The camera's picture under the later charter."""
    hidden = bgr.copy()
    hidden[THERE] = 0
    return hidden


def painter(*, later: bool) -> ViewPainter:
    """Before a camera that shows the street; ``later``: the charter hides a part of it now."""
    areas = (AREA,) if later else ()
    made = ViewPainter(SourceSpec("street", "", (), backdrops=(("day", png(STREET)),), never_see=areas), SIZE)
    look(made, seen(STREET) if later else STREET, 0, 8)
    assert made.view.scene == "day"
    return made


def look(made: ViewPainter, bgr: np.ndarray, at_ms: int, seconds: int, every_ms: int = 1000) -> int:
    for _ in range(seconds * 1000 // every_ms):
        made.recognise(Shot(at_ms, bgr), "", None)
        if made.due(at_ms):
            made.look(at_ms, bgr, FREE)
        at_ms += every_ms
    return at_ms


@pytest.mark.parametrize("later", [False, True])
def test_a_still_shows_nothing_of_it(later: bool) -> None:
    made = painter(later=later)
    still = cv2.imdecode(np.frombuffer(made.still(Tracks.none(8000), None), np.uint8), cv2.IMREAD_COLOR)
    assert still is not None
    assert bool(np.ptp(still[THERE], axis=(0, 1)).max() == 0) is later
    confirmed = made.confirmed
    assert confirmed is not None
    assert (not confirmed.bgr[THERE].any()) is later
    beside = np.ones(confirmed.admitted.shape, bool)
    beside[THERE] = False
    assert np.array_equal(confirmed.bgr[beside], STREET[beside])


def test_one_that_is_confirmed_while_it_runs_is_black_there_too() -> None:
    made = painter(later=True)
    made.confirm("day", png(STREET))
    look(made, seen(STREET), 8000, 4)
    assert made.confirmed is not None
    assert not made.confirmed.bgr[THERE].any()


def test_a_renewal_of_another_part_takes_it_out_and_names_the_picture_that_stands() -> None:
    made, changed = painter(later=True), STREET.copy()
    changed[0:64, 0:64] = (90, 140, 60)
    at_ms = look(made, seen(STREET), 8000, 100)
    at_ms = look(made, seen(changed), at_ms, 60 * 60, 10_000)
    renewal = made.renewal(at_ms, Finds())
    assert renewal is not None
    assert at_ms > 30 * MINUTE
    assert renewal.base_sha256 == sha256(png(STREET))
    renewed = Backdrop.from_png(renewal.png)
    assert not renewed.bgr[THERE].any()
    assert np.abs(renewed.bgr[8:56, 8:56].astype(int) - (90, 140, 60)).max() < 12
    assert renewal.blocks <= 12, "the hidden part is not taken for one that changed"


def test_areas_are_drawn_on_the_picture_whatever_the_size_of_the_backdrop() -> None:
    large = Backdrop(cv2.resize(STREET, None, fx=2, fy=2).clip(1).astype(np.uint8), np.ones((540, 960), bool))
    hidden = without(large, SIZE, (AREA,)).bgr
    assert not hidden[180:361, 400:641].any()
    assert np.array_equal(hidden[:178], large.bgr[:178])
    assert without(large, SIZE, ()) is large
