"""Draws and encodes made pictures, in the planes that the encoder takes: no picture is converted as a whole."""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from sprites import Alpha, Image, scene

WIDTH, HEIGHT, FPS = 1920, 1080, 25
SIGMA = 4.0
ZOOM = 2.5


@dataclass(frozen=True)
class Coding:
    """How a stream is encoded: 1080p25 H.264 without B-frames, or a smaller one.

    Attributes:
        rate: ``cbr`` (filled up to ``bits``) or ``vbr`` (constant quality).
        group_s: seconds from one keyframe to the next.
        bits: a second, for ``cbr``.
    """

    rate: str = "cbr"
    group_s: float = 2.0
    width: int = WIDTH
    height: int = HEIGHT
    fps: int = FPS
    bits: int = 4_000_000

    def options(self) -> dict[str, str]:
        """What x264 is told."""
        group = str(round(self.group_s * self.fps))
        common = {"preset": "ultrafast", "threads": "1", "g": group, "keyint_min": group, "bf": "0"}
        params = "scenecut=0:cabac=1:no-deblock=0"
        if self.rate == "vbr":
            return common | {"crf": "30", "x264-params": params}
        bits = str(self.bits)
        filled = params + ":nal-hrd=cbr:filler=1"
        return common | {"b": bits, "maxrate": bits, "bufsize": bits, "x264-params": filled}


def cache_folder() -> Path:
    """Where streams are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "watchglass" / "bench"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir()) / "watchglass-bench"
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def digest(*what: object) -> str:
    """Twelve hex digits that change with any of ``what``, and with the encoder."""
    return hashlib.sha256(repr((*what, av.ffmpeg_version_info)).encode()).hexdigest()[:12]


def file_hash(path: Path) -> str:
    """First 12 hex digits of the file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


# ---- pictures --------------------------------------------------------------------------------------------------------


@functools.cache
def backdrop(data: Path) -> Image:
    """The empty scene as the streams show it: (1080, 1920, 3)."""
    enlarged = cv2.resize(scene(data), None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(enlarged[-HEIGHT:, :WIDTH]).astype(np.uint8)


def planar(bgr: Image) -> Image:
    """(h, w, 3) BGR as I420: (3 h / 2, w)."""
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420).astype(np.uint8)


def planes(i420: Image) -> tuple[Image, Image, Image]:
    """Views on the luma (h, w) and the two chroma planes (h / 2, w / 2) of one I420 picture."""
    height, width = i420.shape[0] * 2 // 3, i420.shape[1]
    chroma = i420[height:].reshape(-1)
    half = (height // 2, width // 2)
    return i420[:height], chroma[: len(chroma) // 2].reshape(half), chroma[len(chroma) // 2 :].reshape(half)


@dataclass(frozen=True)
class Stamp:
    """A cut-out at its size in the picture: luma and chroma with their masks, even in width and height."""

    y: Alpha
    u: Alpha
    v: Alpha
    full: Alpha
    half: Alpha

    @classmethod
    def of(cls, bgr: Image, mask: Alpha, width: int, height: int, *, mirrored: bool = False) -> Stamp:
        """``bgr`` (h, w, 3) where ``mask`` (h, w) says so, scaled to about ``width`` x ``height``."""
        size = (max(2, width // 2 * 2), max(2, height // 2 * 2))
        way = cv2.INTER_AREA if size[1] < bgr.shape[0] else cv2.INTER_CUBIC
        scaled = cv2.resize(bgr, size, interpolation=way)
        alpha = cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR)
        if mirrored:
            scaled, alpha = cv2.flip(scaled, 1), cv2.flip(alpha, 1)
        y, u, v = planes(planar(scaled.astype(np.uint8)))
        half = cv2.resize(alpha, (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_AREA)
        whole = [p.astype(np.float32) for p in (y, u, v, alpha, half)]
        return cls(*whole)

    def draw(self, i420: Image, left: int, top: int) -> None:
        """Put it into a picture; what does not fit in is cut off."""
        left, top = left // 2 * 2, top // 2 * 2
        y, u, v = planes(i420)
        _blend(y, self.y, self.full, left, top)
        _blend(u, self.u, self.half, left // 2, top // 2)
        _blend(v, self.v, self.half, left // 2, top // 2)


def _blend(plane: Image, part: Alpha, alpha: Alpha, left: int, top: int) -> None:
    height, width = part.shape
    x1, y1, x2, y2 = max(0, left), max(0, top), min(plane.shape[1], left + width), min(plane.shape[0], top + height)
    if x1 >= x2 or y1 >= y2:
        return
    window = (slice(y1 - top, y2 - top), slice(x1 - left, x2 - left))
    ground = plane[y1:y2, x1:x2]
    ground[:] = (ground + alpha[window] * (part[window] - ground)).astype(np.uint8)


class Grain:
    """Sensor noise, independent from frame to frame: each takes its own window of one of four large fields."""

    def __init__(self, rng: np.random.Generator, sigma: float = SIGMA) -> None:
        self._rng = rng
        size = (HEIGHT + 256, WIDTH + 256)
        self._fields = [rng.normal(0, sigma, size).round().clip(-127, 127).astype(np.int8) for _ in range(4)]

    def add(self, luma: Image) -> None:
        """Add it in place to luma (h, w)."""
        dy, dx = self._rng.integers(0, 256, 2)
        field = self._fields[int(self._rng.integers(len(self._fields)))]
        cv2.add(luma, field[dy : dy + luma.shape[0], dx : dx + luma.shape[1]], dst=luma, dtype=cv2.CV_8U)


def encode(path: Path, pictures: Iterable[Image], coding: Coding) -> None:
    """Write I420 pictures as MP4. The file appears when it is whole."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    with av.open(str(unfinished), "w", format="mp4") as container:
        output: Any = container.add_stream("libx264", rate=coding.fps, options=coding.options())
        output.width, output.height, output.pix_fmt = coding.width, coding.height, "yuv420p"
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, coding.fps)
            container.mux(output.encode(frame))
        container.mux(output.encode(None))
    unfinished.rename(path)
