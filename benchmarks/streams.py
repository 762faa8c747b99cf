"""Makes the streams of ``bench perception``: 1080p25 H.264 with seeded noise and with real people walking through.

The scene and the people are cut from PETS S2.L1: the scene is its median, a person is the sequence of their true boxes
with what belongs to the scene cut away. Streams are cached; each is named by what went into it.

| name | what is in it |
|---|---|
| quiet | the empty scene and noise |
| quiet-hard | with a clock on the screen, exposure drifting by 15 %, a swaying region, rain, passing headlights |
| active10 | people for a tenth of the time: one burst of 10 s at a random moment of each 100 s |
| busy | six lanes of people throughout |

    python benchmarks/streams.py --seconds 600     # makes all of them beforehand
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from canvas import (
    FPS,
    HEIGHT,
    SIGMA,
    WIDTH,
    ZOOM,
    Coding,
    Grain,
    Stamp,
    backdrop,
    cache_folder,
    digest,
    encode,
    file_hash,
    planar,
    planes,
)
from sprites import Image, Walker, walkers

__all__ = ["HEIGHT", "SIGMA", "WIDTH", "Recipe", "backdrop", "file_hash", "hard_weather", "stream", "visits"]

_VERSION = 4
_WALK_FPS = 10
_SLOT_S, _ACTIVE = 100.0, 0.1
SUB = Coding(width=640, height=360, fps=5, bits=512_000)
"""What a camera offers beside its main stream, to look at."""


@dataclass(frozen=True)
class Recipe:
    """One stream.

    Attributes:
        name: quiet, quiet-hard, active10 or busy.
        seconds: how long.
        rate: ``cbr`` (4 Mbit/s, filled up) or ``vbr`` (constant quality).
        seed: of noise, people and phases.
        group_s: seconds from one keyframe to the next.
        sub: the same scene as a camera's 640x360 sub-stream of five pictures a second (CBR, 512 kbit/s).
    """

    name: str
    seconds: int
    rate: str = "cbr"
    seed: int = 7
    group_s: float = 2.0
    sub: bool = False

    @property
    def coding(self) -> Coding:
        if self.sub:
            return Coding(self.rate, self.group_s, SUB.width, SUB.height, SUB.fps, SUB.bits)
        return Coding(self.rate, self.group_s)

    def file(self) -> str:
        """What its file is called."""
        parts = [self.name, self.rate, f"{self.seconds}s"]
        parts += [f"gop{self.group_s:g}"] * (self.group_s != 2) + ["sub"] * self.sub
        return f"{'-'.join(parts)}-{digest(_VERSION, self, self.coding)}.mp4"


def stream(recipe: Recipe, data: Path, progress: Callable[[str], None]) -> Path:
    """The stream's file, made if it is not there yet."""
    path = cache_folder() / recipe.file()
    if not path.exists():
        progress(f"making {path.name} (once)")
        encode(path, _pictures(recipe, data), recipe.coding)
    return path


# ---- people ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Visit:
    """One person's way through the picture, from ``start`` (seconds) on.

    Attributes:
        walker: who, by number.
        pictures: for how many of their pictures, ten a second.
        shift: pixels to the right.
    """

    walker: int
    start: float
    pictures: int
    shift: float

    @property
    def end(self) -> float:
        return self.start + self.pictures / _WALK_FPS


def visits(recipe: Recipe, lengths: tuple[int, ...]) -> list[Visit]:
    """Who walks through when.

    Args:
        recipe: says how busy it is.
        lengths: how many pictures there are of each walker.
    """
    rng = np.random.default_rng(recipe.seed)
    result: list[Visit] = []
    if recipe.name == "busy":
        for lane in range(6):
            at = -float(rng.uniform(0, 20))
            while at < recipe.seconds:
                who = int(rng.integers(len(lengths)))
                result.append(Visit(who, at, lengths[who], float(rng.uniform(-200, 200)) + 20 * lane))
                at += lengths[who] / _WALK_FPS
    elif recipe.name == "active10":
        # One burst in each slot; a stream that is shorter than a slot is one short slot.
        slot = min(_SLOT_S, float(recipe.seconds))
        burst = round(slot * _ACTIVE * _WALK_FPS)
        long = [who for who, length in enumerate(lengths) if length >= burst]
        for start in np.arange(0, recipe.seconds - slot + 1e-6, slot):
            begin = float(start + rng.uniform(0.2 * slot, 0.8 * slot))
            result += [Visit(long[int(rng.integers(len(long)))], begin, burst, 0.0) for _ in range(2)]
    return result


class _Crowd:
    """Draws visits; a cut-out is scaled once for each of its pictures."""

    def __init__(self, people: tuple[Walker, ...]) -> None:
        self._people = people
        self._stamp = functools.lru_cache(maxsize=128)(self._make)

    def draw(self, picture: Image, visit: Visit, at: float) -> None:
        index = int((at - visit.start) * _WALK_FPS)
        if not 0 <= index < visit.pictures:
            return
        stamp = self._stamp(visit.walker, index)
        foot_x, foot_y = self._people[visit.walker].feet[index]
        height, width = stamp.y.shape
        left = round(foot_x * ZOOM - width / 2 + visit.shift)
        stamp.draw(picture, left, round(foot_y * ZOOM - (576 * ZOOM - HEIGHT)) - height)

    def _make(self, who: int, index: int) -> Stamp:
        part, mask = self._people[who].pictures[index], self._people[who].masks[index]
        return Stamp.of(part, mask, round(part.shape[1] * ZOOM), round(part.shape[0] * ZOOM))


# ---- weather ---------------------------------------------------------------------------------------------------------


def hard_weather(seed: int) -> Callable[[int, Image], None]:
    """What makes a quiet scene hard, drawn in place into the I420 picture of that number.

    Exposure drifts by 15 % up and down in 80 s; an upper corner of grass sways by six pixels; 250 streaks of rain fall;
    headlights sweep across every 45 s for 3 s; a clock on the screen counts seconds.
    """
    rng = np.random.default_rng([seed, 15])
    phase = float(rng.uniform(0, 80))
    drops = rng.integers((0, 0), (WIDTH, HEIGHT - 18), (64, 250, 2))
    streaks = ((drops[..., 1:] + np.arange(18)) * WIDTH + drops[..., :1]).reshape(64, -1)
    rows, columns = np.mgrid[0:420, 0:420].astype(np.float32)
    glow = 110 * np.exp(-(((rows - 210) / 110) ** 2 + ((columns - 210) / 150) ** 2))
    rise = np.linspace(1, 0, 220, dtype=np.float32)[:, None]

    def change(number: int, picture: Image) -> None:
        at = number / FPS
        luma, u, v = planes(picture)
        _sway(luma, rise, at)
        gain = 1 + 0.15 * np.sin(2 * np.pi * (at + phase) / 80)
        table = np.clip(np.arange(256) * gain, 0, 255).astype(np.uint8)
        luma[:] = table[luma]
        flat, wet = luma.reshape(-1), streaks[number % len(streaks)]
        flat[wet] = np.minimum(flat[wet], 220) + 35
        passing = (at + phase) % 45
        if passing < 3:
            left = int(passing / 3 * (WIDTH - 420))
            window = luma[380:800, left : left + 420]
            window[:] = np.clip(window + glow, 0, 255).astype(np.uint8)
        luma[24:72, WIDTH - 380 : WIDTH - 20] = 16
        u[12:36, WIDTH // 2 - 190 : WIDTH // 2 - 10] = v[12:36, WIDTH // 2 - 190 : WIDTH // 2 - 10] = 128
        second = int(at)
        text = f"2026-11-23 {second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        cv2.putText(luma, text, (WIDTH - 372, 58), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 235, 2, cv2.LINE_AA)

    return change


def _sway(luma: Image, rise: np.ndarray[tuple[int, ...], np.dtype[np.float32]], at: float) -> None:
    """A bush in the wind: rows shift with the wind, the higher the more."""
    region = luma[230:450, 60:460]
    off = 6 * np.sin(2 * np.pi * at / 2.7) + 3 * np.sin(2 * np.pi * at / 1.1)
    columns = np.arange(region.shape[1], dtype=np.float32)[None, :] + off * rise
    lines = np.broadcast_to(np.arange(region.shape[0], dtype=np.float32)[:, None], columns.shape)
    moved = cv2.remap(region.copy(), columns.astype(np.float32), np.ascontiguousarray(lines), cv2.INTER_LINEAR,
                      borderMode=cv2.BORDER_REFLECT)  # fmt: skip
    region[:] = moved


# ---- encoding --------------------------------------------------------------------------------------------------------


def _pictures(recipe: Recipe, data: Path) -> Iterator[Image]:
    grain = Grain(np.random.default_rng(recipe.seed))
    empty = planar(backdrop(data))
    people = walkers(data) if recipe.name in {"busy", "active10"} else ()
    ways = visits(recipe, tuple(len(p.pictures) for p in people))
    crowd = _Crowd(people)
    change = hard_weather(recipe.seed) if recipe.name == "quiet-hard" else None
    for number in range(0, recipe.seconds * FPS, FPS // recipe.coding.fps):
        at = number / FPS
        picture = empty.copy()
        for visit in ways:
            if visit.start <= at < visit.end:
                crowd.draw(picture, visit, at)
        if change is not None:
            change(number, picture)
        grain.add(picture[:HEIGHT])
        yield _smaller(picture, recipe.coding) if recipe.sub else picture


def _smaller(picture: Image, coding: Coding) -> Image:
    size = (coding.width, coding.height)
    half = (coding.width // 2, coding.height // 2)
    y, u, v = planes(picture)
    parts = [cv2.resize(plane, to, interpolation=cv2.INTER_AREA) for plane, to in ((y, size), (u, half), (v, half))]
    flat = np.concatenate([part.ravel() for part in parts]).astype(np.uint8)
    return flat.reshape(coding.height * 3 // 2, coding.width)


RECIPES = (
    ("quiet", "cbr", 2.0, False),
    ("quiet", "vbr", 2.0, False),
    ("active10", "cbr", 2.0, False),
    ("busy", "cbr", 2.0, False),
    ("quiet-hard", "cbr", 2.0, False),
    ("quiet", "cbr", 1.0, False),
    ("quiet", "cbr", 4.0, False),
    ("quiet", "cbr", 2.0, True),
    ("busy", "cbr", 2.0, True),
)


def main() -> None:
    import os  # noqa: PLC0415 (only here)

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    args = parser.parse_args()
    data = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data")).resolve()
    for name, rate, group_s, sub in RECIPES:
        recipe = Recipe(name, args.seconds, rate, group_s=group_s, sub=sub)
        path = stream(recipe, data, lambda text: print(text, file=sys.stderr))
        print(file_hash(path), path.name)


if __name__ == "__main__":
    main()
