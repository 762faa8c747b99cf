"""What is put into made streams: people cut from PETS S2.L1, vehicles cut from CDnet's highway.

A person is a run of true boxes that no other true box touches, with what belongs to the empty scene cut away. A
vehicle is a run of moving blobs with CDnet's own foreground masks. Nothing is picked by what a detector finds in it.
"""

from __future__ import annotations

import functools
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Alpha = NDArray[np.float32]
Box = tuple[int, int, int, int]
"""x, y, width, height."""

Cut = tuple[Box, Image, Alpha]
"""Where it was, what it looks like, and what of that is not background."""

_PETS_FPS, _CDNET_FPS = 10, 25
_PETS_FRAMES = 500
_CDNET_SIZE = (240, 320)
_SHORTEST = 10
_NEAR = 45
"""A vehicle is cut only where its blob is at least so many pixels tall: further away there is nothing to enlarge."""

_VEHICLE_FRAMES = 25

_POST: Box = (412, 144, 36, 248)
"""The lamp post of PETS with its sign: whoever is behind it is not whole."""


@dataclass(frozen=True)
class Sprite:
    """Something that moves: ``fps`` pictures (h, w, 3) BGR a second with their masks, and which way it looks.

    Attributes:
        heading: +1 looks to the right of the picture, -1 to the left.
        pace: its own speed in heights a second.
    """

    kind: str
    fps: int
    pictures: tuple[Image, ...]
    masks: tuple[Alpha, ...]
    heading: int
    pace: float


@dataclass(frozen=True)
class Walker:
    """A person of PETS from first to last: pictures and masks, ten a second, and where they stood.

    Attributes:
        feet: the middle of the lower edge of each box, PETS pixels.
    """

    pictures: tuple[Image, ...]
    masks: tuple[Alpha, ...]
    feet: tuple[tuple[float, float], ...]


def pets_frames(data: Path, count: int = _PETS_FRAMES) -> Iterator[Image]:
    """The first frames of PETS, (576, 768, 3) BGR."""
    return _frames(data / "media/pets_s2l1/vtest.avi", count)


@functools.cache
def scene(data: Path) -> Image:
    """The empty scene of PETS (median over time), (576, 768, 3)."""
    some = [frame for number, frame in enumerate(pets_frames(data)) if number % 12 == 0]
    empty: Image = np.median(np.stack(some), axis=0).astype(np.uint8)
    return empty


@functools.cache
def _cut_people(data: Path) -> dict[int, dict[int, Cut]]:
    """Everybody in PETS who is wholly in the picture: who, then the number of the frame."""
    empty = scene(data)
    truth = _truth(data)
    result: dict[int, dict[int, Cut]] = {}
    for number, frame in enumerate(pets_frames(data)):
        for who, box in truth[number]:
            if _whole(box, frame.shape[:2]):
                result.setdefault(who, {})[number] = (box, *_person(frame, empty, box))
    return dict(sorted(result.items()))


def _truth(data: Path) -> list[list[tuple[int, Box]]]:
    """True boxes with their numbers, by frame."""
    boxes = json.loads((data / "media/pets_s2l1/truth.json").read_text())["boxes"]
    return [[(int(who), _box(box)) for who, *box in boxes.get(str(n), [])] for n in range(_PETS_FRAMES)]


@functools.cache
def people(data: Path) -> tuple[Sprite, ...]:
    """Everybody in PETS, for as long as they walk alone."""
    truth = _truth(data)
    result = []
    for who, seen in _cut_people(data).items():
        runs: list[list[int]] = []
        for number in seen:
            others = [box for other, box in truth[number] if other != who]
            if any(_touch(seen[number][0], box) for box in (*others, _POST)):
                continue
            if not runs or runs[-1][-1] != number - 1:
                runs.append([])
            runs[-1].append(number)
        for run in runs:
            cut = [seen[number] for number in run]
            # A person fills between a quarter and nine tenths of their box; otherwise a lamp post or a shadow does.
            clear = [c for c in cut if 0.25 <= float(c[2].mean()) <= 0.9]
            if len(clear) >= _SHORTEST and len(clear) >= 0.8 * len(cut):
                result.append(_sprite("person", _PETS_FPS, clear))
    return tuple(result)


@functools.cache
def walkers(data: Path, shortest: int = 40) -> tuple[Walker, ...]:
    """Everyone in PETS who is in view for long enough, together with whoever touches their box."""
    return tuple(
        Walker(
            tuple(c[1] for c in cut.values()),
            tuple(c[2] for c in cut.values()),
            tuple((x + w / 2, float(y + h)) for (x, y, w, h), _, _ in cut.values()),
        )
        for cut in _cut_people(data).values()
        if len(cut) >= shortest
    )


@functools.cache
def vehicles(data: Path) -> tuple[Sprite, ...]:
    """The cars of CDnet's highway, where they are near."""
    folder = data / "media/cdnet_highway"
    blobs = json.loads((folder / "truth.json").read_text())["moving_blob_boxes_ltwh"]
    chains = [chain[-_VEHICLE_FRAMES:] for chain in _chains(blobs, _CDNET_SIZE)]
    wanted = {number for chain in chains for number, _ in chain}
    path = folder / "highway.mp4"
    frames = {n: frame for n, frame in enumerate(_frames(path, max(wanted)), start=1) if n in wanted}
    result = []
    with zipfile.ZipFile(folder / "groundtruth_470_1100.zip") as masks:
        for chain in chains:
            cut = []
            for number, (x, y, w, h) in chain:
                coded = np.frombuffer(masks.read(f"gt{number:06d}.png"), np.uint8)
                mask = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
                assert mask is not None
                # 255 is moving, 170 its blurred border; 50 is shadow.
                inside = (mask[y : y + h, x : x + w] >= 170).astype(np.float32)
                alpha = cv2.GaussianBlur(inside, (3, 3), 0).astype(np.float32)
                cut.append(((x, y, w, h), frames[number][y : y + h, x : x + w].copy(), alpha))
            result.append(_sprite("vehicle", _CDNET_FPS, cut))
    return tuple(result)


def _frames(path: Path, count: int) -> Iterator[Image]:
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0), start=1):
            yield frame.to_ndarray(format="bgr24").astype(np.uint8)
            if number == count:
                return


def _box(values: list[float]) -> Box:
    x, y, w, h = (round(v) for v in values)
    return x, y, w, h


def _touch(a: Box, b: Box) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def _whole(box: Box, size: tuple[int, ...]) -> bool:
    """Whether a box lies inside a picture of that (height, width), and is not tiny."""
    x, y, w, h = box
    return x >= 1 and y >= 1 and x + w < size[1] and y + h < size[0] and w >= 8 and h >= 16


def _person(frame: Image, empty: Image, box: Box) -> tuple[Image, Alpha]:
    x, y, w, h = box
    part, ground = frame[y : y + h, x : x + w].copy(), empty[y : y + h, x : x + w]
    differs = (cv2.absdiff(part, ground).max(axis=2) > 22).astype(np.uint8)
    # Without room around it, closing would fill the corners.
    roomy = cv2.copyMakeBorder(differs, 7, 7, 7, 7, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(roomy, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))[7:-7, 7:-7]
    _, labels, stats, _ = cv2.connectedComponentsWithStats(closed)
    filled = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])) if len(stats) > 1 else closed > 0
    return part, cv2.GaussianBlur(filled.astype(np.float32), (3, 3), 0).astype(np.float32)


def _sprite(kind: str, fps: int, cut: list[Cut]) -> Sprite:
    (x1, y1, w1, h1), (x2, y2, w2, h2) = cut[0][0], cut[-1][0]
    across, down = x2 + w2 / 2 - x1 - w1 / 2, float(y2 + h2 - y1 - h1)
    height = float(np.median([c[0][3] for c in cut]))
    pace = float(np.hypot(across, down)) / height * fps / max(1, len(cut) - 1)
    return Sprite(kind, fps, tuple(c[1] for c in cut), tuple(c[2] for c in cut), 1 if across >= 0 else -1, pace)


def _chains(blobs: dict[str, list[list[int]]], size: tuple[int, int]) -> list[list[tuple[int, Box]]]:
    """Blobs that belong together from frame to frame, wholly in the picture, near, and one car each."""
    chains: list[list[tuple[int, Box]]] = []
    open_: list[list[tuple[int, Box]]] = []
    for number in sorted(map(int, blobs)):
        going: list[list[tuple[int, Box]]] = []
        for x, y, w, h in blobs[str(number)]:
            box = (x, y, w, h)
            # Two cars that touch are one blob, which is taller than wide.
            if not _whole(box, size) or h < _NEAR or h > 1.15 * w:
                continue
            chain = next((c for c in open_ if c not in going and _follows(c[-1][1], box)), None)
            if chain is None:
                chain = []
                chains.append(chain)
            chain.append((number, box))
            going.append(chain)
        open_ = going
    return [c for c in chains if len(c) >= _SHORTEST]


def _follows(a: Box, b: Box) -> bool:
    apart = np.hypot(a[0] + a[2] / 2 - b[0] - b[2] / 2, a[1] + a[3] / 2 - b[1] - b[3] / 2)
    return bool(apart < 8) and abs(a[2] * a[3] / (b[2] * b[3]) - 1) < 0.25
