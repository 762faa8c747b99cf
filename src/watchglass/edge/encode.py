"""Pictures and clips as bytes: PNG, JPEG, and H.264 in MP4 as browsers play it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from typing import Final, cast

import av
import cv2
import numpy as np
from av.bitstream import BitStreamFilterContext
from av.video.frame import PictureType
from numpy.typing import NDArray

from watchglass.core.errors import BadInput

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
