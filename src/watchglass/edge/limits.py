"""What may be opened as video, and how large: files and cameras are not believed.

A file is whatever somebody put there, and a camera whatever answers at its address. So only containers and codecs that
cameras and recorders use are permitted, none of which names other files or addresses (playlists do); pictures have a
largest size; and FFmpeg may hold no single block of memory larger than such a picture needs.
"""

from __future__ import annotations

import ctypes
from typing import Final

import av._core
from av.codec import CodecContext

from watchglass.core.errors import BadInput

MOST_SIDE: Final = 8192
MOST_PIXELS: Final = 40_000_000
LEAST_SIDE: Final = 16

MOST_BLOCK: Final = 128 * 1024 * 1024
"""Bytes: a picture of ``MOST_PIXELS`` in BGR fits, and nothing that is much larger."""

READ_S: Final = 10.0
"""How long opening a file, and reading a packet of it, may take."""

CODECS: Final = frozenset(
    (
        "h264", "hevc", "mjpeg", "mpeg4", "mpeg1video", "mpeg2video", "msmpeg4", "msmpeg4v2", "h263", "vp8", "vp9",
        "av1", "libdav1d", "rawvideo",
    )
)  # fmt: skip
"""FFmpeg's names of the decoders that may run."""

FORMATS: Final = ("mov", "matroska", "avi", "mpegts", "mpeg", "h264", "hevc", "mjpeg", "m4v", "flv", "asf", "dhav")
"""FFmpeg's names of the containers that a file may be. None of them leads to another file."""

FILE_OPTIONS: Final = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join(FORMATS),
    "codec_whitelist": ",".join(sorted(CODECS)),
    "max_pixels": str(MOST_PIXELS),
    "max_streams": "16",
}
"""How FFmpeg is asked for a file."""

_SLOWEST: Final = 0.01
_FASTEST: Final = 1000.0


def check_codec(name: str, context: CodecContext | None) -> str:
    """FFmpeg's name of the codec, if it may be decoded.

    Args:
        name: what is being read, as it may be shown.
        context: of the video stream; None where FFmpeg has no decoder.

    Raises:
        BadInput: it may not.
    """
    codec = context.name if context is not None else "an unknown one"
    if codec not in CODECS:
        raise BadInput(
            f"{name} has a codec that is not decoded here ({codec}).", fix="Use H.264, H.265 or Motion JPEG."
        )
    return codec


def check_size(name: str, width: int, height: int) -> None:
    """Refuse pictures that nothing could be seen in, or that would fill the memory. To be called before decoding.

    Raises:
        BadInput: they are too small or too large.
    """
    if min(width, height) < LEAST_SIDE:
        raise BadInput(
            f"{name} has a picture of {width}x{height} pixels, too small to see anything.",
            fix=f"Use a stream of at least {LEAST_SIDE} pixels each way; check that the file is undamaged.",
        )
    if max(width, height) > MOST_SIDE or width * height > MOST_PIXELS:
        raise BadInput(
            f"{name} says that its picture has {width}x{height} pixels, which is too large.",
            fix=f"Use a stream of at most {MOST_SIDE} pixels each way and {MOST_PIXELS // 1_000_000} megapixels; "
            "check that the file is undamaged.",
        )


def rate(stated: float | None) -> float:
    """Pictures a second, if that can be; else 25, as where nothing is stated."""
    return stated if stated is not None and _SLOWEST <= stated <= _FASTEST else 25.0


def _limit_blocks() -> None:
    """FFmpeg refuses larger blocks from now on, in this process: damaged lengths ask for whole gigabytes."""
    limit = ctypes.CDLL(av._core.__file__).av_max_alloc  # noqa: SLF001 # PyAV does not hand this function out
    limit.argtypes, limit.restype = [ctypes.c_size_t], None
    limit(MOST_BLOCK)


_limit_blocks()
