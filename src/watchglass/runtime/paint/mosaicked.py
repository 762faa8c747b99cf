"""The second pass of a mosaic: each picture again, with everything mosaicked that is not the empty scene."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from typing import Final

import numpy as np

from watchglass.core.errors import BadInput
from watchglass.core.geometry import FloatArray
from watchglass.edge.encode import Image
from watchglass.edge.upright import UprightFile
from watchglass.edge.video import VideoPicture
from watchglass.runtime.paint.ahead import ahead
from watchglass.runtime.paint.scene import around, joined
from watchglass.runtime.paint.study import Study
from watchglass.views.backdrop import Backdrop
from watchglass.views.mosaic import MosaicMaker

_EARLY_MS: Final = 15
"""A picture may come so much sooner than its turn: times are rounded."""
_AHEAD: Final = 4
_DAMAGED: Final = "it is damaged"


class Mosaicker:
    """Makes the pictures of a mosaic.

    Args:
        file, found, backdrop: the video, what the first pass found, and the empty scene.
        fps: at most so many pictures a second.

    Attributes:
        damaged: times of pictures that were damaged, or could not be decoded; they are withheld.
    """

    def __init__(self, file: UprightFile, found: Study, backdrop: Backdrop | None, fps: float) -> None:
        self.damaged: set[int] = set()
        self._file = file
        self._found = found
        self._maker = MosaicMaker(backdrop)
        self._step_ms = 1000 / fps - _EARLY_MS

    @property
    def withheld(self) -> dict[str, int]:
        """How many pictures were withheld, for each reason."""
        return dict(self._maker.withheld)

    def pictures(self) -> Generator[tuple[int, Image, float]]:
        """(milliseconds, (h, w, 3) BGR, share that is mosaicked) of each picture to write, in order.

        Decoding and mosaicking each have a thread; whoever takes the pictures has the third.
        """
        return ahead(self._mosaicked(), _AHEAD)

    def _mosaicked(self) -> Iterator[tuple[int, Image, float]]:
        times: deque[int] = deque()

        def frames() -> Iterator[tuple[int, Image, FloatArray]]:
            moments = joined(self._found.moments)
            stamps = np.array([moment.at_ms for moment in moments], np.int64)
            for at_ms, picture in ahead(self._chosen(), _AHEAD):
                times.append(at_ms)
                yield at_ms, picture, around(moments, stamps, at_ms)

        for picture, share in self._maker.clip(frames()):
            yield times.popleft(), picture, share

    def _chosen(self) -> Iterator[tuple[int, Image]]:
        """The pictures that are written, in order; the first and the last picture are always among them."""
        size, last = self._found.size, int(self._found.times[-1])
        nothing = np.zeros((size[1], size[0], 3), np.uint8)
        done: int | None = None
        for at_ms, picture in _pictures(self._file):
            whole = picture is not None and (picture.width, picture.height) == size
            if not whole:
                self.damaged.add(at_ms)
            if done is None or at_ms - done >= self._step_ms or (at_ms > done and at_ms == last):
                done = at_ms
                if not whole:
                    self._maker.withhold(at_ms, _DAMAGED)
                yield at_ms, picture.bgr() if picture is not None and whole else nothing


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
