"""What the kinds of incident are measured on: truth from real recordings, and clips made from them, seeded.

Made clips take people and cars out of the recordings, so that what they show is filmed; what happens is not. Rows made
from them say *synthetic*.
"""

from __future__ import annotations

import functools
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from sprites import Alpha, Box, Image, scene, walkers
from watchglass.perception.ground import Ground, Metres

PETS_SIZE = (768, 576)
PETS_TRUTH = 500
UCSD = tuple(f"Test{n:03d}.mp4" for n in range(1, 7))


@dataclass(frozen=True)
class Event:
    """Something that really happens.

    Attributes:
        from_ms, until_ms: when an incident about it is right.
        boxes: where it is at each time (ms), if the place matters: x1, y1, x2, y2.
        what: for the list of what was missed.
    """

    from_ms: int
    until_ms: int
    what: str = ""
    boxes: dict[int, tuple[float, float, float, float]] = field(default_factory=dict)

    def at(self, at_ms: int, x: float, y: float, margin: float = 15) -> bool:
        """Whether (x, y) lies in or beside one of its boxes within half a second of ``at_ms``."""
        near = [box for t, box in self.boxes.items() if abs(t - at_ms) <= 500]
        return any(a - margin <= x <= c + margin and b - margin <= y <= d + margin for a, b, c, d in near)


@dataclass(frozen=True)
class Clip:
    """A file, what is true of it, and how it was made."""

    name: str
    path: Path
    events: tuple[Event, ...] = ()


# ---- PETS: truth on the ground ---------------------------------------------------------------------------------------


def pets_ground(data: Path) -> Ground:
    """The ground of PETS from its published calibration (Tsai 1987), by points every three metres."""
    text = (data / "media/pets_s2l1/PETS2009-calib.xml").read_text()
    c = {key: float(value) for key, value in re.findall(r'(\w+)="([-+.\deE]+)"', text.split("<Geometry", 1)[1])}
    spots = np.array([[x, y] for x in np.arange(-15, 9, 3.0) for y in np.arange(-18, 4, 3.0)])
    pixels = _tsai(c, spots * 1000)
    seen = (pixels > (0, 120)).all(axis=1) & (pixels < PETS_SIZE).all(axis=1)
    rows = np.c_[pixels[seen], spots[seen]].tolist()
    return Ground(tuple((x, y, a, b) for x, y, a, b in rows))


def _tsai(c: dict[str, float], spots: Metres) -> Metres:
    """Pixels of points on the ground (n, 2 in mm), lens distortion included."""
    (sa, sb, sg), (ca, cb, cg) = ([f(c[k]) for k in ("rx", "ry", "rz")] for f in (np.sin, np.cos))
    turn = np.array(
        [
            [cb * cg, cg * sa * sb - ca * sg, sa * sg + ca * cg * sb],
            [cb * sg, sa * sb * sg + ca * cg, ca * sb * sg - cg * sa],
            [-sb, cb * sa, ca * cb],
        ]
    )
    seen = np.c_[spots, np.zeros(len(spots))] @ turn.T + (c["tx"], c["ty"], c["tz"])
    flat = c["focal"] * seen[:, :2] / seen[:, 2:]
    bent = flat
    for _ in range(30):
        bent = flat / (1 + c["kappa1"] * (bent**2).sum(axis=1, keepdims=True))
    pixels: Metres = bent * (c["sx"] / c["dpx"], 1 / c["dpy"]) + (c["cx"], c["cy"])
    return pixels


@functools.cache
def pets_people(data: Path) -> tuple[dict[int, tuple[float, float, float, float]], ...]:
    """For each of frames 0-499 the true boxes (x1, y1, x2, y2) by number."""
    rows = json.loads((data / "media/pets_s2l1/truth.json").read_text())["boxes"]
    return tuple({int(i): (x, y, x + w, y + h) for i, x, y, w, h in rows.get(str(f), [])} for f in range(PETS_TRUTH))


def pets_zones(n: int, seed: int = 7) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Seeded four-cornered zones on the ground where people walk."""
    rng = np.random.default_rng(seed)
    zones = []
    for _ in range(n):
        x, y = rng.uniform(80, 560), rng.uniform(200, 430)
        w, h = rng.uniform(70, 180), rng.uniform(50, 120)
        corners = [(x, y), (x + w, y + rng.uniform(-15, 15)), (x + w + rng.uniform(-20, 20), y + h), (x, y + h)]
        zones.append(tuple((round(float(a), 1), round(float(b), 1)) for a, b in corners))
    return tuple(zones)


@dataclass(frozen=True)
class Stay:
    """An occupation of a zone: since when, when one of them had stayed long enough, until when."""

    since_ms: int
    reached_ms: int
    until_ms: int


def stays(inside: list[set[int]], for_ms: int, rearm_ms: int, step_ms: int = 100) -> list[Stay]:
    """Occupations of a zone, from who is in it at each step: those in which one of them stays for ``for_ms``."""
    found: list[Stay] = []
    began: dict[int, int] = {}
    since, left, reached = 0, -rearm_ms - 1, -1
    for step, who in enumerate(inside):
        at = step * step_ms
        began = {i: began.get(i, at) for i in who}
        if not who:
            continue
        if at - left > rearm_ms:
            if reached >= 0:
                found.append(Stay(since, reached, left))
            since, reached = at, -1
        left = at + step_ms
        if reached < 0 and any(at - first >= for_ms for first in began.values()):
            reached = at
    if reached >= 0:
        found.append(Stay(since, reached, left))
    return found


def crossings(data: Path, direction: str) -> list[Event]:
    """PETS: who crosses x = 384 in that direction (15 px hysteresis), as right for an incident within 3 s."""
    rows = json.loads((data / "media/pets_s2l1/line_crossings.json").read_text())["line_crossings"]
    return [
        Event(r["frame"] * 100 - 1000, r["frame"] * 100 + 3000, f"person {r['id']} in frame {r['frame']}")
        for r in rows
        if r["direction"] == direction
    ]


# ---- UCSD ------------------------------------------------------------------------------------------------------------


def wheels(data: Path, name: str) -> list[Event]:
    """The bicycles and carts of one UCSD clip: its boxes, chained from frame to frame."""
    clip = json.loads((data / "media/ucsd_ped2/truth.json").read_text())["clips"][name]
    chains: list[list[tuple[int, tuple[float, float, float, float]]]] = []
    for number in sorted(map(int, clip["anomaly_boxes_ltwh"])):
        for x, y, w, h in clip["anomaly_boxes_ltwh"][str(number)]:
            box, best, near = (x, y, x + w, y + h), None, 25.0
            for chain in chains:
                last, (a, b, c, d) = chain[-1]
                apart = float(np.hypot(x + w / 2 - (a + c) / 2, y + h / 2 - (b + d) / 2))
                if last < number <= last + 12 and apart < near:
                    best, near = chain, apart
            if best is None:
                chains.append([(number, box)])
            else:
                best.append((number, box))
    return [
        Event(
            c[0][0] * 100 - 100,
            c[-1][0] * 100 + 2000,
            f"{name} frames {c[0][0]}-{c[-1][0]}",
            {n * 100 - 100: box for n, box in c},
        )
        for c in chains
    ]


# ---- made clips ------------------------------------------------------------------------------------------------------


def write(path: Path, pictures: Iterable[Image], fps: int) -> Path:
    """H.264 with a keyframe every two seconds, as cameras send it."""
    options = {"preset": "veryfast", "crf": "20", "bf": "0", "g": str(2 * fps), "keyint_min": str(2 * fps)}
    with av.open(str(path), "w", format="mp4") as container:
        output: Any = container.add_stream("libx264", rate=fps, options=options)
        for number, picture in enumerate(pictures):
            if not number:
                output.height, output.width = picture.shape[0] & ~1, picture.shape[1] & ~1
                output.pix_fmt = "yuv420p"
            even = np.ascontiguousarray(picture[: output.height, : output.width])
            frame = av.VideoFrame.from_ndarray(even, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(output.encode(frame))
        container.mux(output.encode(None))
    return path


def frames(path: Path) -> Iterator[Image]:
    """All pictures of a file, BGR."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="bgr24").astype(np.uint8)


def _paste(picture: Image, part: Image, alpha: Alpha, left: int, top: int) -> None:
    h, w = part.shape[:2]
    y1, x1, y2, x2 = max(0, top), max(0, left), min(picture.shape[0], top + h), min(picture.shape[1], left + w)
    if y2 <= y1 or x2 <= x1:
        return
    a = alpha[y1 - top : y2 - top, x1 - left : x2 - left, None]
    below = picture[y1:y2, x1:x2].astype(np.float32)
    picture[y1:y2, x1:x2] = (below + a * (part[y1 - top : y2 - top, x1 - left : x2 - left] - below)).astype(np.uint8)


def surge(data: Path, path: Path, seed: int, *, times: float, runners: int) -> Clip:
    """People of PETS on their own paths; after 8 s ``runners`` of them go on ``times`` as fast."""
    rng = np.random.default_rng(seed)
    ground, empty, fps, calm = pets_ground(data), scene(data), 10, 80
    able = [w for w in walkers(data, 100) if _pace(ground, w.feet) > 0.9]
    chosen = [able[i] for i in rng.permutation(len(able))[:8]]
    # Everybody is in the midst of their path when it begins.
    starts = [calm - float(rng.uniform(30, max(31, 0.45 * len(w.feet)))) for w in chosen]
    clock = []
    for k, (walker, start) in enumerate(zip(chosen, starts, strict=True)):
        at = np.arange(160, dtype=float) - start
        if k < runners:
            at[calm:] = at[calm] + times * np.arange(160 - calm)
        clock.append(np.where((at >= 0) & (at <= len(walker.feet) - 1), at, -1))
    pictures = []
    for step in range(160):
        picture = np.asarray(empty + rng.normal(0, 2, (*empty.shape[:2], 1)), np.float32).clip(0, 255).astype(np.uint8)
        here = [(w, int(c[step])) for w, c in zip(chosen, clock, strict=True) if c[step] >= 0]
        for walker, i in sorted(here, key=lambda h: h[0].feet[h[1]][1]):
            h, w = walker.masks[i].shape
            x, y = walker.feet[i]
            _paste(picture, walker.pictures[i], walker.masks[i], round(x - w / 2), round(y - h))
        pictures.append(picture)
    speeds = [
        [_speed(ground, w.feet, int(c[s])) * times if c[s] >= 0 else 0.0 for s in range(calm, 160)]
        for w, c in zip(chosen[:runners], clock, strict=False)
    ]
    running = (np.array(speeds) >= 2.5).sum(axis=0) if speeds else np.zeros(80, int)
    first, last = _longest(running >= 4)
    events: tuple[Event, ...] = ()
    if last - first >= 15:
        events = (Event(8_000 + 100 * first, 10_000 + 100 * last, f"{path.stem}: {int(running.max())} run"),)
    return Clip(path.stem, write(path, pictures, fps), events)


def _longest(flags: NDArray[np.bool_]) -> tuple[int, int]:
    best, start = (0, 0), 0
    for i, flag in enumerate([*flags.tolist(), False]):
        if not flag:
            best = max(best, (start, i), key=lambda r: r[1] - r[0])
            start = i + 1
    return best


def _speed(ground: Ground, feet: tuple[tuple[float, float], ...], i: int) -> float:
    """Metres a second around step ``i`` of a path at ten steps a second."""
    a, b = max(0, i - 5), min(len(feet) - 1, i + 5)
    ends = ground.metres(np.array([feet[a], feet[b]]))
    return float(np.hypot(*(ends[1] - ends[0]))) / max(1, b - a) * 10


def _pace(ground: Ground, feet: tuple[tuple[float, float], ...]) -> float:
    return float(np.median([_speed(ground, feet, i) for i in range(0, len(feet), 5)]))


@functools.cache
def cars(data: Path) -> tuple[tuple[tuple[Box, Image, Alpha], ...], ...]:
    """Cars of CDnet's highway from far to near, alone in their blob: box, picture and mask at each of 25 a second."""
    folder = data / "media/cdnet_highway"
    blobs = json.loads((folder / "truth.json").read_text())["moving_blob_boxes_ltwh"]
    video = list(islice(frames(folder / "highway.mp4"), 1100))
    chains: list[list[tuple[int, Box]]] = []
    for number in sorted(map(int, blobs)):
        for x, y, w, h in blobs[str(number)]:
            box = (x, y, w, h)
            # Two cars that touch are one blob, which is taller than wide.
            if (
                h < 18
                or h > 1.2 * w
                or x < 2
                or y < 2
                or x + w > video[0].shape[1] - 2
                or y + h > video[0].shape[0] - 2
            ):
                continue
            chain = next((c for c in chains if c[-1][0] == number - 1 and _same(c[-1][1], box)), None)
            if chain is None:
                chains.append([(number, box)])
            else:
                chain.append((number, box))
    result = []
    with zipfile.ZipFile(folder / "groundtruth_470_1100.zip") as masks:
        for chain in (c for c in chains if len(c) >= 30 and c[-1][1][3] >= 30):
            cut = []
            for number, (x, y, w, h) in chain:
                mask = cv2.imdecode(np.frombuffer(masks.read(f"gt{number:06d}.png"), np.uint8), cv2.IMREAD_GRAYSCALE)
                assert mask is not None
                # 255 is moving, 170 its blurred border, 50 shadow: a car without its shadow seems to float.
                inside = (mask[y : y + h, x : x + w] >= 50).astype(np.float32)
                alpha = cv2.GaussianBlur(inside, (3, 3), 0).astype(np.float32)
                cut.append(((x, y, w, h), video[number - 1][y : y + h, x : x + w], alpha))
            result.append(tuple(cut))
    return tuple(result)


def _same(a: Box, b: Box) -> bool:
    apart = np.hypot(a[0] + a[2] / 2 - b[0] - b[2] / 2, a[1] + a[3] / 2 - b[1] - b[3] / 2)
    return bool(apart < 8) and abs(a[2] * a[3] / (b[2] * b[3]) - 1) < 0.35


@functools.cache
def road(data: Path) -> Image:
    """CDnet's highway without cars: the median of its pictures."""
    video = islice(frames(data / "media/cdnet_highway/highway.mp4"), 0, None, 17)
    empty: Image = np.median(np.stack(list(video)), axis=0).astype(np.uint8)
    return empty


def stop(data: Path, path: Path, seed: int, *, stands_s: float, for_ms: int, from_start: bool = False) -> Clip:
    """A car of the highway drives in, stands and drives on, while others pass; ``from_start``: it was there before.

    The event is that it stands for longer than ``for_ms``, if it came.
    """
    rng = np.random.default_rng(seed)
    empty, fleet, fps = road(data), cars(data), 25
    whole = [c for c in fleet if c[0][0][3] <= 26 and len(c) >= 45]
    car = whole[int(rng.integers(len(whole)))]
    at = int(rng.integers(int(0.6 * len(car)), len(car) - 4))
    arrives = 0 if from_start else int(fps * rng.uniform(8, 14))
    leaves = arrives + (0 if from_start else at) + int(stands_s * fps)
    others = [(int(t), fleet[int(rng.integers(len(fleet)))]) for t in np.cumsum(rng.uniform(40, 160, 40))]
    length = leaves + len(car) - at + 3 * fps
    place = _rect(car[at][0])

    def one(step: int) -> tuple[Box, Image, Alpha] | None:
        if step < arrives:
            return None
        i = step - arrives + (at if from_start else 0)
        if i >= at:
            i = at if step < leaves else at + step - leaves
        return car[i] if i < len(car) else None

    def pictures() -> Iterator[Image]:
        for step in range(length):
            picture = (
                np.asarray(empty + rng.normal(0, 2, (*empty.shape[:2], 1)), np.float32).clip(0, 255).astype(np.uint8)
            )
            here = [c[step - t] for t, c in others if 0 <= step - t < len(c) and not _meets(c, place)]
            if (mine := one(step)) is not None:
                here.append(mine)
            for (x, y, _, _), part, alpha in sorted(here, key=lambda h: h[0][1] + h[0][3]):
                _paste(picture, part, alpha, x, y)
            yield picture

    stood = 1000 * (arrives + at) // fps
    real = not from_start and stands_s * 1000 > for_ms
    events = (Event(stood + for_ms - 3000, 1000 * leaves // fps + 2000, path.stem),) if real else ()
    return Clip(path.stem, write(path, pictures(), fps), events)


def _rect(box: Box) -> tuple[int, int, int, int]:
    x, y, w, h = box
    return x, y, x + w, y + h


def _meets(car: tuple[tuple[Box, Image, Alpha], ...], place: tuple[int, int, int, int]) -> bool:
    """Whether that car's way leads through the place: it would drive through the one that stands."""
    a, b, c, d = place
    return any(x < c and x + w > a and y < d and y + h > b for (x, y, w, h), _, _ in car[::3])


def _blur(now: Image, _: Image, strength: float) -> Image:
    return cv2.GaussianBlur(now, (0, 0), now.shape[1] / 768 * (4 + 4 * strength)).astype(np.uint8)


FAULTS: dict[str, Callable[[Image, Image, float], Image]] = {
    "black": lambda now, _, __: np.full_like(now, 4),
    "frozen": lambda _, held, __: held,
    "blurred": _blur,
    "moved": lambda now, _, strength: np.roll(now, (0, round(now.shape[1] * (0.04 + 0.1 * strength))), (0, 1)),
    "jumped": lambda now, _, __: np.ascontiguousarray(now[::-1, ::-1]),
}
"""Each from the picture, the one at which it began, and a strength 0..1."""


def fault(path: Path, base: Iterable[Image], fps: int, what: str, strength: float, *, begins_s: float = 25) -> Clip:
    """A real clip whose camera fails in one way after ``begins_s``, for 20 s."""
    first = int(begins_s * fps)

    def pictures() -> Iterator[Image]:
        held: Image | None = None
        for number, picture in enumerate(base):
            if number >= first + 30 * fps:
                return
            if number == first:
                held = picture
            shown = picture
            if held is not None and number < first + 20 * fps:
                shown = FAULTS[what](picture, held, strength)
            yield shown

    name = "moved" if what == "jumped" else what
    event = Event(round(1000 * begins_s), round(1000 * begins_s) + 20_000, name)
    return Clip(path.stem, write(path, pictures(), fps), (event,))
