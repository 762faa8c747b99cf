"""The clip of an incident where a later charter hides a part of the picture: nothing old is shown there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_incident_clips import FPS, SIZE, Sees, ground, order, pictures, written

from watchglass.edge.video import VideoFile
from watchglass.runtime.clips import Studio, make_clip
from watchglass.views.backdrop import Backdrop

AREA = ((160.0, 96.0), (319.0, 96.0), (319.0, 255.0), (160.0, 255.0))
INSIDE = (slice(104, 248), slice(168, 312))


def dim() -> np.ndarray:
    """The empty scene; where the area is, it was so dark that a black picture hardly differs from it."""
    scene = ground()
    scene[96:256, 160:320] = 0
    for left in range(160, 320, 32):
        scene[96:256, left : left + 16] = 13
    return scene


@pytest.mark.parametrize("scene", [ground(), dim()], ids=["bright", "dim"])
def test_a_clip_shows_nothing_of_it_and_it_needs_no_mosaic(scene: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "street.mp4"
    written(path, [scene] * FPS * 3)
    file = VideoFile(path, never_see=(AREA,))
    png = Backdrop(scene, np.ones(scene.shape[:2], bool)).to_png()
    shown = make_clip(order(file), Studio(file.decoder, SIZE, FPS, (png,), Sees(), (AREA,)))
    for picture in pictures(shown):
        assert picture[INSIDE].max() <= 3
    assert (shown.masked_share, shown.withheld_share) == (0, 0)
