"""Video files as a player shows them: turned as they say.

A telephone films on its side and writes beside it how to turn the picture. Whoever decodes packets never sees that
note, so people would lie on their sides, and the note would be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane

from watchglass.core.errors import BadInput
from watchglass.edge.limits import check_size
from watchglass.edge.video import NeverSee, VideoDecoder, VideoFile, VideoPicture
from watchglass.perception.ports import Image

_TURNS: Final = frozenset(("yuv420p", "yuvj420p", "yuv444p", "yuvj444p", "gray"))
"""Kinds of picture that keep their kind when they are turned: colour as fine across as down."""

_QUARTER: Final = 90
_MICROSECONDS: Final = 1_000_000


def turned(frame: VideoFrame, quarters: int) -> VideoFrame:
    """``frame`` turned counter-clockwise by so many quarters."""
    if not quarters % 4:
        return frame
    source = frame if frame.format.name in _TURNS else frame.reformat(format="yuv420p")
    size = (source.height, source.width) if quarters % 2 else (source.width, source.height)
    result = VideoFrame(*size, source.format.name)
    result.colorspace, result.color_range = source.colorspace, source.color_range
    result.pts = frame.pts
    for plane, mine in zip(source.planes, result.planes, strict=True):
        _pixels(mine)[:] = np.rot90(_pixels(plane), quarters)
    return result


def _pixels(plane: VideoPlane) -> Image:
    rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * plane.height]
    return rows.reshape(plane.height, plane.line_size)[:, : plane.width]


class UprightDecoder(VideoDecoder):
    """A decoder that turns each picture before anybody sees it.

    Args:
        quarters: how often, counter-clockwise.
        codec, extradata, size: as for ``VideoDecoder``; the size is the coded one.
    """

    def __init__(self, quarters: int, codec: str, extradata: bytes | None, size: tuple[int, int]) -> None:
        self._quarters = quarters
        super().__init__(codec, extradata, size, NeverSee(()))

    def _name(self, frames: Sequence[VideoFrame]) -> list[VideoPicture]:
        if not self._quarters:
            return super()._name(frames)
        self.flawed += sum(frame.is_corrupt for frame in frames)
        return super()._name([turned(frame, self._quarters) for frame in frames])


class UprightFile(VideoFile):
    """A video file, once through, upright.

    Attributes:
        width, height: pixels of the upright picture.
        fps: pictures a second, as the container states it.
        turned: by how many degrees pictures are turned, counter-clockwise.
        shape: width and height of one pixel, where they are not square; else None.
        seconds: how long it says that it lasts; 0 where it does not say.

    Raises:
        BadInput: no video, or none that may be opened here.
    """

    longest_gap = 3600.0
    """Somebody's film may stand still for long; a copy keeps its times."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.seconds = 0.0
        self._coded = (self.width, self.height)
        self._quarters, shape = self._note()
        self.turned = _QUARTER * self._quarters
        if self._quarters % 2:
            self.width, self.height = self.height, self.width
            shape = (shape[1], shape[0])
        self.shape = shape if shape[0] != shape[1] and min(shape) > 0 else None

    def decoder(self) -> UprightDecoder:
        """See ``VideoFile.decoder``."""
        return UprightDecoder(self._quarters, self._codec, self._extradata, self._coded)

    def _note(self) -> tuple[int, tuple[int, int]]:
        """Quarter turns, counter-clockwise, and the shape of a pixel. They stand beside the first picture."""
        with self._open() as container:
            stream = container.streams.video[0]
            self.seconds = max(0.0, (container.duration or 0) / _MICROSECONDS)
            ratio = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
            shape = (ratio.numerator, ratio.denominator) if ratio else (1, 1)
            try:
                frame = next(container.decode(stream), None)
            except (FFmpegError, IndexError):
                frame = None
            if frame is None:
                return 0, shape
            check_size(self._path.name, frame.width, frame.height)
            if (frame.width, frame.height) != self._coded:
                raise BadInput(
                    f"{self._path.name} says that its picture has {self._coded[0]}x{self._coded[1]} pixels, and it has "
                    f"{frame.width}x{frame.height}.",
                    fix="Write the file anew with a video program, then try again.",
                )
            return round(frame.rotation / _QUARTER) % 4, shape
