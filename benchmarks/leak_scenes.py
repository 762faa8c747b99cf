"""Films for ``bench leak``: PETS with its truth, people whom nobody detects, number plates, faces.

All are made from a seed and from recordings; none is picked by what the product finds in it.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

import sprites
from canvas import Grain, cache_folder, digest, planar, planes
from leak_line import NOBODY, Frame
from leak_measure import EmptyScene, Image, covered, grown
from sprites import Alpha
from watchglass.core.geometry import BoolArray, FloatArray

SECOND = 1000
PETS_FPS = 10
PETS_TRUTH = 500
PETS_ALL = 795
_SIGMA = 3.0


def video(bgr: Image, grain: Grain | None = None) -> av.VideoFrame:
    """A picture as a decoder gives it, with a sensor's noise."""
    i420 = planar(bgr)
    if grain is not None:
        grain.add(planes(i420)[0])
    return av.VideoFrame.from_ndarray(i420, format="yuv420p")


def as_decoded(bgr: Image) -> Image:
    """A picture as a camera's decoder gives it, without noise: colour has half the resolution, so edges ring."""
    return np.asarray(video(bgr).to_ndarray(format="bgr24"), np.uint8)


# ---- PETS ------------------------------------------------------------------------------------------------------------


@functools.cache
def pets_truth(data: Path) -> tuple[tuple[tuple[int, ...], FloatArray], ...]:
    """For each of the frames 0-499: who, and their boxes (n, 4)."""
    rows = json.loads((data / "media/pets_s2l1/truth.json").read_text())["boxes"]
    result = []
    for number in range(PETS_TRUTH):
        mine = rows.get(str(number), [])
        boxes = np.array([[x, y, x + w, y + h] for _, x, y, w, h in mine], np.float32).reshape(-1, 4)
        result.append((tuple(int(row[0]) for row in mine), boxes))
    return tuple(result)


def longest_in_view(data: Path) -> int:
    """Who of PETS is in view for most frames."""
    seen: dict[int, int] = {}
    for who, _ in pets_truth(data):
        for number in who:
            seen[number] = seen.get(number, 0) + 1
    return max(seen, key=lambda number: (seen[number], -number))


def pets(
    data: Path, *, step: int = 1, unseen: int | None = None, first: int = PETS_ALL, then: int = PETS_TRUTH
) -> Iterator[Frame]:
    """The whole recording, and its frames with truth once more, which are the scored ones.

    Args:
        step: every so-manieth frame.
        unseen: the number of somebody whom the detector must never find (in the frames with truth).
        first, then: how many frames are played to learn from, and how many are scored.
    """
    truth = pets_truth(data)
    path = data / "media/pets_s2l1/vtest.avi"
    for number, again, picture in itertools.chain(_decoded(path, 0, first), _decoded(path, first, then)):
        if number % step:
            continue
        who, boxes = truth[number] if number < PETS_TRUTH else ((), NOBODY)
        hidden = np.array([w == unseen for w in who], bool)
        yield Frame(
            (again + number) * SECOND // PETS_FPS, picture.reformat(format="yuv420p"), boxes, boxes[hidden],
            scored=again > 0, tag=number,
        )  # fmt: skip


def _decoded(path: Path, after: int, count: int) -> Iterator[tuple[int, int, av.VideoFrame]]:
    with av.open(str(path)) as container:
        for number, picture in enumerate(itertools.islice(container.decode(video=0), count)):
            yield number, after, picture


def pets_empty(data: Path, every: int = 4) -> tuple[Image, BoolArray]:
    """The scene with nobody in it, from truth, and where it is known. Kept between runs."""
    file = cache_folder() / f"pets-empty-{digest('pets-empty', 1, every)}.npz"
    if not file.is_file():
        truth = pets_truth(data)
        scene = EmptyScene((576, 768))
        for number, picture in enumerate(sprites.pets_frames(data)):
            if number % every == 0:
                scene.add(picture, truth[number][1])
        empty, known = scene.picture()
        _keep(file, empty=empty, known=known)
    kept = np.load(file)
    return kept["empty"], kept["known"]


def pets_moments(data: Path, count: int = 8) -> tuple[Image, ...]:
    """The scene with nobody in it at some moments: the camera's pictures, and the empty scene in and around true boxes.

    Sensor and encoder make each a little different, as they make what the product learns from a few dozen of them.
    """
    empty, _ = pets_empty(data)
    truth, made = pets_truth(data), []
    wanted = {PETS_TRUTH * place // count for place in range(count)}
    for number, picture in enumerate(sprites.pets_frames(data)):
        if number in wanted:
            moment = picture.copy()
            somebody = covered(grown(truth[number][1], 0.3), moment.shape[:2])
            moment[somebody] = empty[somebody]
            made.append(moment)
    return tuple(made)


# ---- people whom nobody detects --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cut:
    """A cut-out at its place."""

    bgr: Image
    alpha: Alpha
    x: int
    y: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x1, y1, x2, y2."""
        return self.x, self.y, self.x + self.bgr.shape[1], self.y + self.bgr.shape[0]

    def draw(self, ground: Image, dx: int = 0, dy: int = 0) -> FloatArray:
        """Put it into a picture, in place; its box there (4,)."""
        height, width = self.bgr.shape[:2]
        left, top = self.x + dx, self.y + dy
        x1, y1 = max(0, left), max(0, top)
        x2, y2 = min(ground.shape[1], left + width), min(ground.shape[0], top + height)
        if x1 < x2 and y1 < y2:
            inside = (slice(y1 - top, y2 - top), slice(x1 - left, x2 - left))
            part, alpha = ground[y1:y2, x1:x2], self.alpha[inside][..., None]
            part[:] = (part + alpha * (self.bgr[inside].astype(np.float32) - part)).round().astype(np.uint8)
        return np.array([x1, y1, x2, y2], np.float32)

    def seated(self) -> Cut:
        """As broad, and two thirds as tall: PETS has nobody who sits."""
        height, width = self.bgr.shape[:2]
        size = (width, height * 2 // 3)
        small = cv2.resize(self.bgr, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        alpha = cv2.resize(self.alpha, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        return Cut(small, alpha, self.x, self.y + height - size[1])


_PASSES = 40
_ALPHA = 16
"""Masks are ones and noughts under a small blur: whole sixteenths."""


@functools.cache
def walkers(data: Path, shortest: int = 20) -> tuple[sprites.Walker, ...]:
    """As ``sprites.walkers``, kept between runs: to cut them out takes seconds."""
    file = cache_folder() / f"pets-walkers-{digest('pets-walkers', 1, shortest)}.npz"
    if not file.is_file():
        cut = sprites.walkers(data, shortest)
        masks = [mask * _ALPHA for walker in cut for mask in walker.masks]
        assert all((mask == np.rint(mask)).all() for mask in masks)
        _keep(
            file,
            counts=np.array([len(walker.pictures) for walker in cut]),
            shapes=np.array([mask.shape for mask in masks]),
            feet=np.array([spot for walker in cut for spot in walker.feet]),
            pictures=np.concatenate([picture.ravel() for walker in cut for picture in walker.pictures]),
            masks=np.concatenate([mask.ravel() for mask in masks]).astype(np.uint8),
        )
    kept = np.load(file)
    shapes = [(int(h), int(w)) for h, w in kept["shapes"]]
    ends = np.cumsum([h * w for h, w in shapes])
    pixels, alphas = kept["pictures"], kept["masks"].astype(np.float32) / np.float32(_ALPHA)
    pictures = [pixels[3 * (e - h * w) : 3 * e].reshape(h, w, 3) for (h, w), e in zip(shapes, ends, strict=True)]
    masks = [alphas[e - h * w : e].reshape(h, w) for (h, w), e in zip(shapes, ends, strict=True)]
    feet = [(float(x), float(y)) for x, y in kept["feet"]]
    last = np.cumsum(kept["counts"])
    runs = [slice(int(end - count), int(end)) for end, count in zip(last, kept["counts"], strict=True)]
    return tuple(sprites.Walker(tuple(pictures[run]), tuple(masks[run]), tuple(feet[run])) for run in runs)


def _keep(file: Path, **arrays: Any) -> None:
    """Write arrays so that half of them is never read."""
    unfinished = file.with_suffix(".part.npz")
    np.savez(unfinished, **arrays)
    unfinished.rename(file)


@functools.cache
def standing(data: Path) -> tuple[Cut, ...]:
    """People of PETS where they were at some moment; no two touch, the largest first."""
    found = []
    for walker in walkers(data):
        clear = [n for n, mask in enumerate(walker.masks) if 0.3 <= float(mask.mean()) <= 0.8]
        for number in clear[:: max(1, len(clear) // 3)]:
            bgr, mask, (x, y) = walker.pictures[number], walker.masks[number], walker.feet[number]
            height, width = bgr.shape[:2]
            found.append(Cut(bgr, mask, round(x - width / 2), round(y - height)))
    chosen: list[Cut] = []
    for cut in sorted(found, key=lambda cut: (-cut.bgr.shape[0], cut.x)):
        if all(_apart(cut, other) for other in chosen):
            chosen.append(cut)
    return tuple(chosen)


def _apart(a: Cut, b: Cut, room: int = 24) -> bool:
    (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = a.box, b.box
    return ax2 + room < bx1 or bx2 + room < ax1 or ay2 + room < by1 or by2 + room < ay1


@dataclass(frozen=True)
class Stay:
    """Somebody who stands or sits still, and sways by a pixel now and then.

    Attributes:
        place: the cut-out, by its place in ``standing``.
        since_s: when they are suddenly there. To walk in would be easier for the rule: it would show motion first.
    """

    place: int
    since_s: float
    sits: bool = False


def car_park(data: Path, stays: Sequence[Stay], seconds: float, fps: float, seed: int = 5) -> Iterator[Frame]:
    """The empty car park of PETS; the stays, whom nobody detects; and every 20 s somebody who walks through.

    Scored are all frames; ``people`` are those who stay.
    """
    empty, _ = pets_empty(data)
    rng = np.random.default_rng(seed)
    grain = Grain(rng, _SIGMA)
    cuts = [standing(data)[s.place].seated() if s.sits else standing(data)[s.place] for s in stays]
    passers = [walker for walker in walkers(data) if len(walker.pictures) >= _PASSES]
    sway = [0] * len(stays)
    for number in range(round(seconds * fps)):
        at_s = number / fps
        picture = empty.copy()
        passer, since = divmod(at_s - 12.0, 20.0)
        if passer >= 0:
            _walk(picture, passers[int(passer) % len(passers)], since)
        boxes = []
        for index, (stay, cut) in enumerate(zip(stays, cuts, strict=True)):
            if at_s < stay.since_s:
                continue
            if rng.random() < 0.2 / fps:
                sway[index] = int(rng.integers(-1, 2))
            boxes.append(cut.draw(picture, sway[index]))
        there = np.stack(boxes) if boxes else NOBODY
        yield Frame(round(at_s * SECOND), video(picture, grain), there, there)


def _walk(picture: Image, walker: sprites.Walker, since_s: float) -> None:
    at = round(since_s * PETS_FPS)
    if at < len(walker.pictures):
        bgr, mask, (x, y) = walker.pictures[at], walker.masks[at], walker.feet[at]
        Cut(bgr, mask, round(x - bgr.shape[1] / 2), round(y - bgr.shape[0])).draw(picture)


# ---- number plates ---------------------------------------------------------------------------------------------------

WIDE, HIGH = 1280, 720


@functools.cache
def street(data: Path) -> Image:
    """The empty scene of PETS, enlarged: (720, 1280, 3)."""
    empty, _ = pets_empty(data)
    large = cv2.resize(empty, (WIDE, WIDE * 3 // 4), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(large[-HIGH:]).astype(np.uint8)


@dataclass(frozen=True)
class Plate:
    """A number plate in a film.

    Attributes:
        text: what it says.
        box: (4,) where.
        car: (4,) of the car that carries it; None for one without a car.
        missed: the detector never finds that car.
    """

    text: str
    box: FloatArray
    car: FloatArray | None
    missed: bool


def plate_picture(text: str, width: int, rng: np.random.Generator) -> Image:
    """A plate (h, w, 3): black on white or yellow, drawn large and made small, so that its edges are soft."""
    large = np.full((110, 480, 3), (255, 255, 255) if rng.random() < 0.6 else (60, 210, 250), np.uint8)
    cv2.rectangle(large, (3, 3), (476, 106), (20, 20, 20), 4)
    font = int(rng.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX]))
    (wide, high), _ = cv2.getTextSize(text, font, 1.0, 2)
    scale = min(440 / wide, 74 / high)
    (wide, high), _ = cv2.getTextSize(text, font, scale, 7)
    cv2.putText(large, text, ((480 - wide) // 2, (110 + high) // 2), font, scale, (25, 25, 25), 7, cv2.LINE_AA)
    size = (width, max(8, round(width * 110 / 480)))
    return cv2.resize(large, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _text(rng: np.random.Generator) -> str:
    letters, digits = "ABCDEFHJKLMNPRSTUVWXYZ", string.digits[2:]
    return "".join(rng.choice(list(letters), 3)) + "".join(rng.choice(list(digits), 4))


def parked(data: Path, seed: int) -> tuple[Image, tuple[Plate, ...]]:
    """The street with four cars, parked, of which the detector misses two, and two plates without a car."""
    rng = np.random.default_rng(seed)
    picture = street(data).copy()
    cars = sprites.vehicles(data)
    plates = []
    for place in range(4):
        car = cars[int(rng.integers(len(cars)))]
        number = int(rng.integers(len(car.pictures)))
        tall = int(rng.integers(150, 230))
        wide = round(tall * car.pictures[number].shape[1] / car.pictures[number].shape[0])
        bgr = cv2.resize(car.pictures[number], (wide, tall), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
        alpha = cv2.resize(car.masks[number], (wide, tall), interpolation=cv2.INTER_LINEAR).astype(np.float32)
        cut = Cut(bgr, alpha, 40 + place * 310, int(rng.integers(330, 470)))
        box = cut.draw(picture)
        face = plate_picture(text := _text(rng), int(wide * rng.uniform(0.32, 0.5)), rng)
        x = round(float(box[0] + box[2] - face.shape[1]) / 2)
        y = round(float(box[3]) - 0.16 * tall - face.shape[0])
        plates.append(Plate(text, _put(picture, face, x, y), box, missed=place % 2 == 1))
    for place in range(2):
        face = plate_picture(text := _text(rng), int(rng.integers(70, 220)), rng)
        plates.append(
            Plate(text, _put(picture, face, 120 + place * 640 + int(rng.integers(300)), 180), None, missed=False)
        )
    return picture, tuple(plates)


def _put(picture: Image, part: Image, x: int, y: int) -> FloatArray:
    height, width = part.shape[:2]
    picture[y : y + height, x : x + width] = part
    return np.array([x, y, x + width, y + height], np.float32)


def car_with_plate(
    data: Path, seed: int, seconds: float, fps: float, arrive_s: float = 0.0
) -> tuple[tuple[Plate, ...], Iterator[Frame]]:
    """Plates, and the film of them: they are there from the start, or suddenly at ``arrive_s``."""
    picture, plates = parked(data, seed)
    missed = [plate.car for plate in plates if plate.missed and plate.car is not None]
    unseen = np.stack(missed) if missed else NOBODY

    def film() -> Iterator[Frame]:
        grain = Grain(np.random.default_rng(seed), _SIGMA)
        for number in range(round(seconds * fps)):
            there = number / fps >= arrive_s
            shown = picture if there else street(data)
            yield Frame(round(number * SECOND / fps), video(shown, grain), NOBODY, unseen if there else NOBODY)

    return plates, film()


# ---- faces -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Portrait:
    """Somebody's head and shoulders, from a picture.

    Attributes:
        bgr: (h, w, 3).
        face: (4,) the face in it.
    """

    bgr: Image
    face: FloatArray


@dataclass(frozen=True)
class Visit:
    """A portrait that is put into the film.

    Attributes:
        number: of this insertion.
        portrait: what is inserted, scaled already.
        x, y: where its upper left corner is first.
        across: pixels a second to the right.
        start_ms, end_ms: when it is there.
        alone: only the face is seen, as in a window or above a counter.
    """

    number: int
    portrait: Portrait
    x: float
    y: float
    across: float
    start_ms: int
    end_ms: int
    alone: bool

    def at(self, at_ms: int) -> tuple[int, int]:
        """Its upper left corner at that moment."""
        return round(self.x + self.across * (at_ms - self.start_ms) / SECOND), round(self.y)

    def face(self, at_ms: int) -> FloatArray:
        """(4,) its face at that moment."""
        x, y = self.at(at_ms)
        return self.portrait.face + np.array([x, y, x, y], np.float32)

    @property
    def width(self) -> float:
        """Of the face, in pixels."""
        return float(self.portrait.face[2] - self.portrait.face[0])


FRAMINGS = ((0.9, 0.55, 2.0), (0.7, 0.2, 0.5), (0.12, 0.15, 0.1))
"""Head and chest; head and collar; the face alone: so many widths beside, heights above and below belong to it."""


def portrait(picture: Image, face: FloatArray, *, framing: int, width: float) -> Portrait | None:
    """What belongs to a face in a picture, scaled so that the face is so wide; None where it is cut off."""
    x1, y1, x2, y2 = (float(v) for v in face)
    wide, high = x2 - x1, y2 - y1
    beside, up, down = FRAMINGS[framing]
    rows, columns = picture.shape[:2]
    a, b = max(0, round(x1 - beside * wide)), max(0, round(y1 - up * high))
    c, d = min(columns, round(x2 + beside * wide)), min(rows, round(y2 + down * high))
    if x1 < 0 or y1 < 0 or x2 > columns or y2 > rows or c - a < 4 or d - b < 4:
        return None
    scale = width / wide
    size = max(4, round((c - a) * scale)), max(4, round((d - b) * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    part = cv2.resize(picture[b:d, a:c], size, interpolation=how).astype(np.uint8)
    moved = np.array([x1 - a, y1 - b, x2 - a, y2 - b]) * np.array([size[0] / (c - a), size[1] / (d - b)] * 2)
    return Portrait(part, moved.astype(np.float32))


_GROUPS = (
    ((60, 120), (24, 60), (24, 60), (12, 24)),
    ((120, 300),),
    ((24, 60), (24, 60), (24, 60), (12, 24), (12, 24)),
)
"""Who is there together: widths of faces. The largest are alone, so that they hide no neighbour."""

_ROOM = 40.0
"""So far does a portrait move at most, in pixels."""


def visits(pictures: Sequence[tuple[Image, FloatArray]], count: int, start_ms: int, seed: int = 9) -> tuple[Visit, ...]:
    """``count`` insertions, up to five at a time for four seconds, faces from 12 to 300 pixels wide.

    Args:
        pictures: with the faces (n, 4) in each.
        start_ms: of the first.
    """
    rng = np.random.default_rng(seed)
    faces = [(picture, face) for picture, found in pictures for face in found]
    order = itertools.cycle(int(n) for n in rng.permutation(len(faces)))
    groups = itertools.cycle(_GROUPS)
    result: list[Visit] = []
    at_ms = start_ms
    while len(result) < count and faces:
        x = 20.0
        for low, high in next(groups):
            width = math.exp(rng.uniform(math.log(low), math.log(high)))
            alone, still, across = rng.random() < 0.25, rng.random() < 0.25, rng.uniform(4, _ROOM / 4)
            made, alone = _framed(*faces[next(order)], width, alone=bool(alone))
            if made is None or x + made.bgr.shape[1] + _ROOM > WIDE - 20 or len(result) == count:
                continue
            y = float(rng.uniform(10, HIGH - 10 - made.bgr.shape[0]))
            speed = 0.0 if still else float(across)
            result.append(Visit(len(result), made, x, y, speed, at_ms, at_ms + 4 * SECOND, alone))
            x += made.bgr.shape[1] + _ROOM + 90
        at_ms += 6 * SECOND
    return tuple(result)


def _framed(picture: Image, face: FloatArray, width: float, *, alone: bool) -> tuple[Portrait | None, bool]:
    """As much of somebody as fits into the film, and whether that is the face alone."""
    for framing in (2,) if alone else (0, 1, 2):
        made = portrait(picture, face, framing=framing, width=width)
        if made is None or made.bgr.shape[0] <= HIGH - 20:
            return made, framing == 2
    return None, alone


def crowd(data: Path, there: Sequence[Visit], fps: float, seed: int = 3) -> Iterator[Frame]:
    """The empty street first, so that it is learned; then the visits. ``people`` are the faces in view."""
    empty = street(data)
    grain = Grain(np.random.default_rng(seed), _SIGMA)
    end_ms = max((visit.end_ms for visit in there), default=0) + 3 * SECOND
    for number in range(round(end_ms / SECOND * fps)):
        at_ms = round(number * SECOND / fps)
        picture = empty.copy()
        now = [visit for visit in there if visit.start_ms <= at_ms < visit.end_ms]
        for visit in now:
            x, y = visit.at(at_ms)
            soft = _soft(visit.portrait.bgr.shape[0], visit.portrait.bgr.shape[1])
            Cut(visit.portrait.bgr, soft, x, y).draw(picture)
        faces = np.stack([visit.face(at_ms) for visit in now]) if now else NOBODY
        yield Frame(at_ms, video(picture, grain), faces)


@functools.lru_cache(maxsize=64)
def _soft(height: int, width: int, edge: int = 2) -> Alpha:
    """A mask whose border is soft."""
    mask = np.zeros((height, width), np.float32)
    mask[edge : height - edge, edge : width - edge] = 1
    return cv2.blur(mask, (2 * edge + 1, 2 * edge + 1)).astype(np.float32)
