"""Made videos for the tests of ``paint``: a still scene, and a chequered stranger who walks through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

STRANGER = (40, 80)
"""Width and height in pixels of who walks through: red and green squares of four pixels, like nothing in the scene."""


def scene(size: tuple[int, int] = (320, 240), seed: int = 3) -> Image:
    """A still scene in dull colours, a yard before a wall of large stones: (h, w, 3) BGR."""
    rng = np.random.default_rng(seed)
    width, height = size
    ground = np.linspace(95, 165, height)[:, None].repeat(width, axis=1)
    for top in range(0, height, 24):
        for left in range(-(top % 48), width, 48):
            ground[top : top + 22, max(0, left) : max(0, left + 46)] += rng.uniform(-14, 14)
    grey = cv2.GaussianBlur(ground, (3, 3), 0)
    return np.ascontiguousarray(np.stack([grey, grey + 8, grey + 16], axis=2).clip(0, 255).astype(np.uint8))


def stranger() -> Image:
    width, height = STRANGER
    odd = np.add.outer(np.arange(height) // 4, np.arange(width) // 4) % 2
    return np.where(odd[..., None] == 1, np.array((30, 30, 230)), np.array((30, 220, 30))).astype(np.uint8)


def place(number: int, fps: float, size: tuple[int, int]) -> tuple[int, int]:
    """Where the stranger's upper left corner is: through the picture in eight seconds, again and again."""
    width, height = size
    across = number / fps / 8 * (width + STRANGER[0])
    return int(across % (width + STRANGER[0])) - STRANGER[0], height // 2 - STRANGER[1] // 2


def walk(seconds: float, fps: float = 5, size: tuple[int, int] = (320, 240), *, noise: int = 2) -> Iterator[Image]:
    """Pictures of the scene with the stranger in it."""
    empty, patch = scene(size), stranger()
    rng = np.random.default_rng(5)
    for number in range(round(seconds * fps)):
        picture = empty.copy()
        left, top = place(number, fps, size)
        x1, x2 = max(0, left), min(size[0], left + STRANGER[0])
        if x1 < x2:
            picture[top : top + STRANGER[1], x1:x2] = patch[:, x1 - left : x2 - left]
        grain = rng.integers(-noise, noise + 1, picture.shape, np.int16)
        yield np.clip(picture + grain, 0, 255).astype(np.uint8)


def write(
    path: Path,
    pictures: Iterator[Image] | list[Image],
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    fps: float = 5,
    times: Callable[[int], int] | None = None,
    options: dict[str, str] | None = None,
    audio: bool = False,
    prepare: Callable[[Any, Any], None] = lambda _container, _stream: None,
) -> Path:
    """Encode pictures.

    Args:
        path: its ending chooses the container.
        pictures: (h, w, 3) BGR.
        codec, pixels, fps, options: as FFmpeg names them.
        times: milliseconds of each picture, instead of ``fps``.
        audio: add a silent tone (not into MP4).
        prepare: called with container and stream before anything is written.
    """
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1000), options=options or {})
        tone: Any = (
            container.add_stream("aac" if path.suffix in {".mp4", ".mov"} else "pcm_s16le", rate=8000)
            if audio
            else None
        )
        prepare(container, stream)
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        begun = False
        for number, picture in enumerate(pictures):
            if not begun:
                stream.width, stream.height, stream.pix_fmt = picture.shape[1], picture.shape[0], pixels
                begun = True
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            if times is not None:
                frame.pts, frame.time_base = times(number), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        if tone is not None:
            sound = av.AudioFrame(format="s16", layout="mono", samples=1024)
            for plane in sound.planes:
                plane.update(bytes(plane.buffer_size))
            sound.sample_rate, sound.pts = 8000, 0
            container.mux(tone.encode(sound))
            container.mux(tone.encode(None))
        container.mux(stream.encode(None))
    return path


def pictures_of(path: Path) -> list[tuple[float, Image]]:
    """Each picture of a file with its seconds."""
    with av.open(str(path)) as container:
        return [
            (float(frame.time or 0.0), np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
            for frame in container.decode(video=0)
        ]


def strange(picture: Image) -> int:
    """How many pixels of a picture have the stranger's colours."""
    b, g, r = (picture[..., i].astype(int) for i in range(3))
    return int((((r - np.maximum(b, g)) > 90) | ((g - np.maximum(b, r)) > 90)).sum())
