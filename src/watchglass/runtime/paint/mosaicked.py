"""The second pass of a mosaic: each picture again, with everything mosaicked that is not the empty scene."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

import numpy as np

from watchglass.core.errors import BadInput
from watchglass.core.geometry import FloatArray
from watchglass.edge.encode import Image
from watchglass.edge.upright import UprightFile
from watchglass.edge.video import VideoPicture
from watchglass.runtime.paint.scene import joined, near
from watchglass.runtime.paint.study import Progress, Study
from watchglass.views.backdrop import Backdrop
from watchglass.views.mosaic import MosaicMaker
from watchglass.views.public import GREY

_NEAR_MS: Final = 600
_EARLY_MS: Final = 15
"""A picture may come so much sooner than its turn: times are rounded."""


def mosaicked(
    file: UprightFile, found: Study, backdrop: Backdrop | None, fps: float, damaged: set[int], progress: Progress
) -> Iterator[tuple[int, Image, float]]:
    """Pictures for a mosaic: (milliseconds, (h, w, 3) BGR, share that is mosaicked), at most ``fps`` a second.

    Args:
        file, found, backdrop: the video, what the first pass found, and the empty scene.
        fps: at most so many pictures a second.
        damaged: takes the times of pictures that were damaged; they are grey.
        progress: told how many seconds of video are done.
    """
    times: deque[int] = deque()

    def frames() -> Iterator[tuple[int, Image, FloatArray]]:
        moments = joined(found.moments)
        stamps = np.array([moment.at_ms for moment in moments], np.int64)
        for at_ms, picture in _chosen(file, found, fps, damaged):
            times.append(at_ms)
            progress(at_ms / 1000)
            yield at_ms, picture, near(moments, stamps, at_ms, _NEAR_MS)

    for picture, share in MosaicMaker(backdrop).clip(frames()):
        yield times.popleft(), picture, share


def _chosen(file: UprightFile, found: Study, fps: float, damaged: set[int]) -> Iterator[tuple[int, Image]]:
    """The pictures that are written, in order; grey where one was damaged, has another size, or could not be decoded.

    The first and the last picture are always among them.
    """
    grey = np.full((found.size[1], found.size[0], 3), GREY, np.uint8)
    least, last = 1000 / fps - _EARLY_MS, int(found.times[-1])
    done: int | None = None
    for at_ms, picture in _pictures(file):
        whole = picture is not None and (picture.width, picture.height) == found.size
        if not whole:
            damaged.add(at_ms)
        if done is None or at_ms - done >= least or (at_ms > done and at_ms == last):
            done = at_ms
            yield at_ms, picture.bgr() if picture is not None and whole else grey


def _pictures(file: UprightFile) -> Iterator[tuple[int, VideoPicture | None]]:
    """Every picture with its time; None where it is damaged."""
    decoder = file.decoder()
    for packet in file.packets(0):
        flawed = decoder.flawed
        try:
            pictures = decoder.decode(packet)
        except BadInput:
            yield packet.at_ms, None
            continue
        sound = decoder.flawed == flawed
        yield from ((picture.at_ms, picture if sound else None) for picture in pictures)
    yield from ((picture.at_ms, picture) for picture in decoder.drain())
