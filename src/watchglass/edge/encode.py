"""Pictures and clips as bytes: PNG, JPEG, and H.264 in MP4 as browsers play it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Final, Self, cast

import av
import cv2
import numpy as np
from av.bitstream import BitStreamFilterContext
from av.error import FFmpegError
from av.video.frame import PictureType
from numpy.typing import NDArray

from watchglass.core.errors import BadInput, Problem

Image = NDArray[np.uint8]

_PNG: Final = [
    cv2.IMWRITE_PNG_COMPRESSION,
    3,
    cv2.IMWRITE_PNG_STRATEGY,
    cv2.IMWRITE_PNG_STRATEGY_RLE,
]
"""A sixth of the time of the usual settings, and no larger, on pictures of cameras."""
_NO_SEI: Final = "filter_units=remove_types=6"
"""Takes out the message in which x264 names itself and its settings."""
_MOOV_BYTES: Final = 48 * 1024
"""Room kept at the front for the index, so that playing starts before the file is there wholly (about 2,500 frames)."""


def encode_mp4(
    frames: Iterable[Image], fps: float, size: tuple[int, int], *, crf: int = 26, preset: str = "veryfast"
) -> bytes:
    """H.264 in MP4, index first: no audio, no metadata, no name of the encoder.

    Args:
        frames: (h, w, 3) BGR pictures, each of ``size``. An odd last row or column is repeated to make the size even.
        fps: pictures per second.
        size: (width, height) of the pictures.
        crf: constant quality, less is better.
        preset: of x264; how much time to spend.

    Raises:
        BadInput: there are no frames.
        ValueError: a frame of another size.
    """
    width, height = size
    target = io.BytesIO()
    rate = Fraction(fps).limit_denominator(1000)
    options = {"moov_size": str(_MOOV_BYTES), "fflags": "+bitexact"}
    with av.open(target, "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=rate, options={"preset": preset, "crf": str(crf), "threads": "1"})
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = max(1, round(fps))
        stream.codec_context.max_b_frames = 0
        nameless: BitStreamFilterContext | None = None
        for picture in chain(_pictures(frames, size, rate), (None,)):
            for packet in stream.encode(picture):
                # not sooner: it reads parameters that the encoder has only after its first picture
                nameless = nameless or BitStreamFilterContext(_NO_SEI, stream)
                container.mux(nameless.filter(packet))
        if nameless is None:
            raise BadInput(
                "A clip without a frame was asked for.", fix="Wait until the source has given its first frames."
            )
    return target.getvalue()


def _pictures(frames: Iterable[Image], size: tuple[int, int], rate: Fraction) -> Iterator[av.VideoFrame]:
    width, height = size
    for count, bgr in enumerate(frames):
        if bgr.shape != (height, width, 3):
            raise ValueError(f"a frame of {bgr.shape} in a clip of {width} by {height}")
        even = cast("Image", cv2.copyMakeBorder(bgr, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE))
        frame = av.VideoFrame.from_ndarray(even, format="bgr24")
        frame.pts, frame.time_base, frame.pict_type = count, 1 / rate, PictureType.NONE
        yield frame


# ---- a whole file, each picture at a time of its own ---------------------------------------------------------------

_BT601: Final = 6
_TV_RANGE: Final = 1
_TICKS: Final = 1000
_KEYFRAME_EVERY: Final = 50


class Mp4File:
    """H.264 in MP4 on disk, index first: no audio, no metadata, no name of the encoder.

    A picture is shown until the next one; where nothing changes none need be written. One thread, so that the same
    pictures give the same bytes, however many cores there are.

    Args:
        path: written anew.
        size: (width, height) of the pictures; an odd one is made even, as by ``planar``.
        shape: width and height of one pixel, where they are not square.
        crf: constant quality, less is better.
        preset: of x264; how much time to spend.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        *,
        shape: tuple[int, int] | None = None,
        crf: int = 24,
        preset: str = "veryfast",
    ) -> None:
        self._path = path
        self.written = 0
        self._last_ms: int | None = None
        self._container = av.open(
            str(path), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}
        )
        options = {"preset": preset, "crf": str(crf), "threads": "1"}
        stream = self._stream = self._container.add_stream("libx264", rate=_TICKS, options=options)
        stream.width, stream.height = size[0] + size[0] % 2, size[1] + size[1] % 2
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, _TICKS)
        context.gop_size, context.max_b_frames = _KEYFRAME_EVERY, 0
        context.colorspace = context.color_primaries = context.color_trc = _BT601
        context.color_range = _TV_RANGE
        if shape is not None:
            context.sample_aspect_ratio = Fraction(*shape)
        self._nameless: BitStreamFilterContext | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            with suppress(Exception):
                self._container.close()

    def write(self, at_ms: int, i420: Image) -> None:
        """Show a picture (3 h / 2, w) from ``at_ms`` on; later than the one before.

        Raises:
            OSError: the disk is full, or the file cannot be written.
        """
        if self._last_ms is not None and at_ms <= self._last_ms:
            raise ValueError(f"a picture at {at_ms} ms after one at {self._last_ms} ms")
        frame = av.VideoFrame.from_ndarray(i420, format="yuv420p")
        frame.pts, frame.time_base, frame.pict_type = at_ms, Fraction(1, _TICKS), PictureType.NONE
        self._mux(frame, at_ms)
        self._last_ms = at_ms
        self.written += 1

    def finish(self, end_ms: int) -> None:
        """The last picture is shown until ``end_ms``; the file is whole then, and was read again to be sure.

        Raises:
            OSError: as ``write``.
            Problem: what is on the disk is not what was written.
        """
        self._mux(None, end_ms)
        self._container.close()
        with suppress(FFmpegError), av.open(str(self._path)) as container:
            count = sum(1 for packet in container.demux(video=0) if packet.size)
            if count == self.written:
                return
        raise Problem(
            "What was written cannot be read again.", fix="Check that the disk has room and is sound; then try again."
        )

    def _mux(self, frame: av.VideoFrame | None, until_ms: int) -> None:
        for packet in self._stream.encode(frame):
            # not sooner: it reads parameters that the encoder has only after its first picture
            self._nameless = self._nameless or BitStreamFilterContext(_NO_SEI, self._stream)
            if frame is None and packet.pts is not None and packet.pts == self._last_ms:
                packet.duration = max(1, until_ms - packet.pts)
            self._container.mux(self._nameless.filter(packet))


def planar(bgr: Image) -> Image:
    """I420 (3 h / 2, w) of a (h, w, 3) BGR picture; an odd last row or column is repeated to make the size even."""
    height, width = bgr.shape[:2]
    even = bgr
    if height % 2 or width % 2:
        even = cast("Image", cv2.copyMakeBorder(bgr, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE))
    return cast("Image", cv2.cvtColor(even, cv2.COLOR_BGR2YUV_I420))


def redraw(i420: Image, bgr: Image, window: tuple[int, int, int, int]) -> None:
    """Bring a window of ``bgr`` (h, w, 3) into its I420 picture, in place.

    Args:
        i420: as ``planar`` made it of a picture of the same size.
        bgr: the picture.
        window: x1, y1, x2, y2 in pixels; it is widened to even ones, and cut to the picture.
    """
    height, width = i420.shape[0] * 2 // 3, i420.shape[1]
    left, top = max(0, window[0] // 2 * 2), max(0, window[1] // 2 * 2)
    right, bottom = min(width, -(-window[2] // 2) * 2), min(height, -(-window[3] // 2) * 2)
    if left >= right or top >= bottom:
        return
    part = planar(np.ascontiguousarray(bgr[top:bottom, left:right]))
    high, wide = bottom - top, right - left
    i420[top:bottom, left:right] = part[:high]
    chroma = i420[height:].reshape(2, height // 2, width // 2)
    chroma[:, top // 2 : bottom // 2, left // 2 : right // 2] = part[high:].reshape(2, high // 2, wide // 2)


def encode_png(picture: Image) -> bytes:
    """PNG of (h, w, 3) BGR, (h, w, 4) BGRA or (h, w) grey."""
    return _encoded(".png", picture, _PNG)


def encode_jpeg(picture: Image, quality: int = 86) -> bytes:
    """Baseline JPEG of (h, w, 3) BGR, without metadata."""
    return _encoded(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])


def decode_png(png: bytes) -> Image:
    """(h, w, 3) or (h, w, 4), as the file has it.

    Raises:
        BadInput: not a picture.
    """
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED) if png else None
    if picture is None:
        raise BadInput("This file is not a picture that can be read.", fix="Check that the PNG is complete.")
    return cast("Image", picture)


def _encoded(suffix: str, picture: Image, options: list[int]) -> bytes:
    worked, data = cv2.imencode(suffix, picture, options)
    if not worked:
        raise ValueError(f"a picture of shape {picture.shape} cannot be written as {suffix[1:]}")
    return data.tobytes()
