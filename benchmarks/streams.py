"""Makes the streams of ``bench perception``: 1080p25 H.264 with seeded noise and with real people walking through.

The scene and the people are cut from PETS S2.L1: the scene is its median, a person is the sequence of their true boxes
with what belongs to the scene cut away. Streams are cached; each is named by what went into it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

WIDTH, HEIGHT, FPS = 1920, 1080, 25
GROUP = 50
SIGMA = 4.0
_VERSION = 3
_ZOOM = 2.5


@dataclass(frozen=True)
class Recipe:
    """One stream.

    Attributes:
        name: quiet, active10 or busy.
        seconds: how long.
        rate: ``cbr`` (4 Mbit/s, filled up) or ``vbr`` (constant quality).
        seed: of noise, people and phases.
    """

    name: str
    seconds: int
    rate: str = "cbr"
    seed: int = 7

    def key(self) -> str:
        text = f"{_VERSION} {self.name} {self.seconds} {self.rate} {self.seed} {av.ffmpeg_version_info}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Walker:
    """A person: pictures and masks, ten a second, and where they stood (middle of the lower edge, PETS pixels)."""

    pictures: list[Image]
    masks: list[NDArray[np.float32]]
    feet: list[tuple[float, float]]


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


def stream(recipe: Recipe, data: Path, progress: Callable[[str], None]) -> Path:
    """The stream's file, made if it is not there yet."""
    path = cache_folder() / f"{recipe.name}-{recipe.rate}-{recipe.seconds}s-{recipe.key()}.mp4"
    if not path.exists():
        progress(f"making {path.name} (once)")
        unfinished = path.with_suffix(".part")
        _encode(recipe, data, unfinished)
        unfinished.rename(path)
    return path


def file_hash(path: Path) -> str:
    """First 12 hex digits of the file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


# ---- scene and people ------------------------------------------------------------------------------------------------


@functools.cache
def pets_frames(data: Path, count: int) -> tuple[Image, ...]:
    """The first frames of PETS, BGR."""
    frames: list[Image] = []
    with av.open(str(data / "media/pets_s2l1/vtest.avi")) as container:
        for frame in container.decode(video=0):
            frames.append(frame.to_ndarray(format="bgr24").astype(np.uint8))
            if len(frames) == count:
                break
    return tuple(frames)


@functools.cache
def scene(data: Path) -> Image:
    """The empty scene of PETS (median over time), (576, 768, 3)."""
    return np.median(np.stack(pets_frames(data, 500)[::12]), axis=0).astype(np.uint8)


def backdrop(data: Path) -> Image:
    """The empty scene as the streams show it: (1080, 1920, 3)."""
    enlarged = cv2.resize(scene(data), None, fx=_ZOOM, fy=_ZOOM, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(enlarged[-HEIGHT:, :WIDTH]).astype(np.uint8)


@functools.cache
def walkers(data: Path, shortest: int = 40) -> tuple[Walker, ...]:
    """Everyone in PETS who is in view for long enough."""
    frames, empty = pets_frames(data, 500), scene(data)
    boxes = json.loads((data / "media/pets_s2l1/truth.json").read_text())["boxes"]
    people: dict[int, list[tuple[int, list[float]]]] = {}
    for frame in range(len(frames)):
        for number, *box in boxes.get(str(frame), []):
            people.setdefault(int(number), []).append((frame, box))
    result = []
    for _, seen in sorted(people.items()):
        cut = [_cut(frames[f], empty, box) for f, box in seen]
        whole = [c for c in cut if c is not None]
        if len(whole) >= shortest:
            result.append(Walker([c[0] for c in whole], [c[1] for c in whole], [c[2] for c in whole]))
    return tuple(result)


def _cut(frame: Image, empty: Image, box: list[float]) -> tuple[Image, NDArray[np.float32], tuple[float, float]] | None:
    x, y, w, h = (round(v) for v in box)
    if x < 0 or y < 0 or x + w > frame.shape[1] or y + h > frame.shape[0] or w < 8 or h < 16:
        return None
    part, ground = frame[y : y + h, x : x + w], empty[y : y + h, x : x + w]
    differs = (cv2.absdiff(part, ground).max(axis=2) > 22).astype(np.uint8)
    filled = cv2.morphologyEx(differs, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    return part, cv2.GaussianBlur(filled.astype(np.float32), (3, 3), 0).astype(np.float32), (x + w / 2, float(y + h))


@dataclass(frozen=True)
class Visit:
    """One person's way through the picture: from ``start`` (seconds) for as long as they were in view in PETS."""

    walker: Walker
    start: float
    shift: float

    def paste(self, picture: Image, at: float) -> None:
        """Draw the person as they are at ``at`` seconds into ``picture``, if they are in view."""
        index = int((at - self.start) * 10)
        if not 0 <= index < len(self.walker.pictures):
            return
        part, mask = self.walker.pictures[index], self.walker.masks[index]
        size = (round(part.shape[1] * _ZOOM), round(part.shape[0] * _ZOOM))
        foot_x, foot_y = self.walker.feet[index]
        left = round(foot_x * _ZOOM - size[0] / 2 + self.shift)
        top = round(foot_y * _ZOOM - (576 * _ZOOM - HEIGHT)) - size[1]
        x1, y1, x2, y2 = max(0, left), max(0, top), min(WIDTH, left + size[0]), min(HEIGHT, top + size[1])
        if x1 >= x2 or y1 >= y2:
            return
        window = (slice(y1 - top, y2 - top), slice(x1 - left, x2 - left))
        large = cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)[window].astype(np.float32)
        alpha = cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR)[window][..., None]
        ground = picture[y1:y2, x1:x2]
        ground[:] = (alpha * large + (1 - alpha) * ground).astype(np.uint8)


def visits(recipe: Recipe, data: Path) -> list[Visit]:
    """Who walks through when."""
    if recipe.name == "quiet":
        return []
    rng = np.random.default_rng(recipe.seed)
    people = walkers(data)
    if recipe.name == "busy":
        result = []
        for lane in range(6):
            at = -float(rng.uniform(0, 20))
            while at < recipe.seconds:
                walker = people[int(rng.integers(len(people)))]
                result.append(Visit(walker, at, float(rng.uniform(-200, 200)) + 20 * lane))
                at += len(walker.pictures) / 10
        return result
    # A tenth of the time somebody is there: one burst in every hundred seconds (or one in a shorter stream).
    slot = min(100.0, float(recipe.seconds))
    burst = slot / 10
    result = []
    for start in np.arange(0, recipe.seconds - slot + 1e-6, slot):
        begin = float(start + rng.uniform(0.2 * slot, 0.8 * slot))
        for _ in range(2):
            walker = people[int(rng.integers(len(people)))]
            keep = round(burst * 10)
            short = Walker(walker.pictures[:keep], walker.masks[:keep], walker.feet[:keep])
            result.append(Visit(short, begin, 0.0))
    return result


# ---- encoding --------------------------------------------------------------------------------------------------------


def _noise(rng: np.random.Generator) -> NDArray[np.int8]:
    """A field larger than the picture; a random window of it is each frame's own noise."""
    return rng.normal(0, SIGMA, (HEIGHT + 256, WIDTH + 256)).round().clip(-127, 127).astype(np.int8)


def _options(recipe: Recipe) -> dict[str, str]:
    common = {"preset": "ultrafast", "threads": "1", "g": str(GROUP), "keyint_min": str(GROUP), "bf": "0"}
    params = "scenecut=0:cabac=1:no-deblock=0"
    if recipe.rate == "cbr":
        return common | {"b": "4M", "maxrate": "4M", "bufsize": "4M", "x264-params": params + ":nal-hrd=cbr:filler=1"}
    return common | {"crf": "30", "x264-params": params}


def _encode(recipe: Recipe, data: Path, path: Path) -> None:
    rng = np.random.default_rng(recipe.seed)
    fields = [_noise(rng) for _ in range(4)]
    base = backdrop(data)
    walks = visits(recipe, data)
    yuv = cv2.cvtColor(base, cv2.COLOR_BGR2YUV_I420)
    with av.open(str(path), "w", format="mp4") as container:
        output: Any = container.add_stream("libx264", rate=FPS, options=_options(recipe))
        output.width, output.height, output.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(recipe.seconds * FPS):
            at = number / FPS
            present = [w for w in walks if w.start <= at < w.start + len(w.walker.pictures) / 10]
            planes = yuv.copy() if not present else _with(base, present, at)
            dy, dx = rng.integers(0, 256, 2)
            field = fields[int(rng.integers(len(fields)))][dy : dy + HEIGHT, dx : dx + WIDTH]
            luma = planes[:HEIGHT]
            luma[:] = cv2.add(luma, field, dtype=cv2.CV_8U)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(output.encode(frame))
        container.mux(output.encode(None))


def _with(base: Image, present: list[Visit], at: float) -> Image:
    picture = base.copy()
    for visit in present:
        visit.paste(picture, at)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).astype(np.uint8)
