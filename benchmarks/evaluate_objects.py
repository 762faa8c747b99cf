"""How well ``unattended_object`` sees. There is no real footage with truth, so every figure here is synthetic.

Things are laid into PETS S2.L1 at the feet of real people who then walk on: boxes and suitcases that are drawn, and
bags cut roughly from COCO. Whoever passes in front passes in front: people are cut from the scene's median and drawn
over. Each run also holds a thing that lies there from the beginning and is taken away, which must not be told. Real
footage without any such thing (PETS, CDnet highway, Wallflower) must stay silent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from evaluate import Figure, Progress, figure, wilson
from replay import Timed, frames, held, play
from watchglass.edge.inference import NanoDet, load
from watchglass.perception.messages import AnalyticSpec, Incident

Image = NDArray[np.uint8]
Alpha = NDArray[np.float32]

FPS = 10
FRAMES = 500
FOR_MS = 10_000
WITHIN_M = 3.0
LATE_MS = 15_000
RUNS, PER_RUN = 10, 4
RULES = (AnalyticSpec("left", "unattended_object", None, {"for_ms": FOR_MS, "owner_within_m": WITHIN_M}),)
NEGATIVES = (("cdnet_highway/highway.mp4", 25.0), ("wallflower/WavingTrees.mp4", 15.0),
             ("wallflower/Camouflage.mp4", 15.0), ("wallflower/LightSwitch.mp4", 15.0))  # fmt: skip
"""Footage without a thing left behind; CDnet and Wallflower state no rate, so these are assumed."""

_BAGS = (24, 26, 28)
_TALL_M = 1.7
_STAYS = 100
_APART = 110.0


@dataclass(frozen=True, eq=False)
class Thing:
    """Something laid into the footage.

    Attributes:
        picture, alpha: (h, w, 3) and (h, w).
        x, y: its left upper corner.
        first, last: the frames between which it is there.
        due: the frame from which on it should be told; None where it must not be.
    """

    picture: Image
    alpha: Alpha
    x: int
    y: int
    first: int
    last: int
    due: int | None

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x1, y1, x2, y2."""
        return self.x, self.y, self.x + self.picture.shape[1], self.y + self.picture.shape[0]


# ---- footage ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Footage:
    """PETS: frames (BGR), the empty scene, and the true boxes (number, x1, y1, x2, y2) of people."""

    pictures: list[Image]
    empty: Image
    people: list[NDArray[np.float64]]


def footage(data: Path) -> Footage:
    """The part of PETS that has truth."""
    pictures = [
        f.to_ndarray(format="bgr24").astype(np.uint8) for f in frames(data / "media/pets_s2l1/vtest.avi")[:FRAMES]
    ]
    empty = np.median(np.stack(pictures[::12]), axis=0).astype(np.uint8)
    rows = json.loads((data / "media/pets_s2l1/truth.json").read_text())["boxes"]
    people = [
        np.array([[i, x, y, x + w, y + h] for i, x, y, w, h in rows.get(str(n), [])], float).reshape(-1, 5)
        for n in range(FRAMES)
    ]
    return Footage(pictures, empty, people)


def bags(data: Path) -> list[tuple[Image, Alpha]]:
    """Bags and suitcases of COCO, cut out with a rounded box: the labels have no outlines."""
    found = []
    for label in sorted((data / "images/coco/labels").glob("*.txt")):
        image = cv2.imread(str(label.parent.parent / "images" / f"{label.stem}.jpg"))
        for line in label.read_text().splitlines():
            number, cx, cy, w, h = (float(v) for v in line.split()[:5])
            if image is None or int(number) not in _BAGS:
                continue
            rows, columns = image.shape[:2]
            x1, y1 = int((cx - w / 2) * columns), int((cy - h / 2) * rows)
            part = image[y1 : y1 + int(h * rows), x1 : x1 + int(w * columns)]
            if min(part.shape[:2]) >= 24:
                found.append((part.astype(np.uint8), _rounded(part.shape[0], part.shape[1])))
    return found


def _rounded(height: int, width: int) -> Alpha:
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, (width // 2, height // 2), (int(width * 0.48), int(height * 0.48)), 0, 0, 360, 255, -1)
    inner = (slice(int(height * 0.18), int(height * 0.95)), slice(int(width * 0.1), int(width * 0.9)))
    mask[inner] = 255
    return (mask / np.float32(255)).astype(np.float32)


def drawn(rng: np.random.Generator) -> tuple[Image, Alpha]:
    """A box, or a suitcase with a handle, in a colour of its own, lit from one side."""
    height, width = 60, int(rng.integers(40, 80))
    colour = rng.integers(10, 220, 3)
    shade = np.linspace(1.15, 0.75, width)[None, :, None]
    picture = np.clip(np.full((height, width, 3), colour, float) * shade, 0, 255).astype(np.uint8)
    alpha = np.ones((height, width), np.float32)
    if rng.random() < 0.5:
        picture[::15] = (picture[::15] * 0.6).astype(np.uint8)
        alpha[:12] = 0
        alpha[2:12, width // 3 : width // 3 + 3] = alpha[2:12, 2 * width // 3 : 2 * width // 3 + 3] = 1
        alpha[2:5, width // 3 : 2 * width // 3] = 1
    return picture, alpha


def plan(shots: Footage, cut: list[tuple[Image, Alpha]], seed: int) -> list[Thing]:
    """The things of one run: some left behind, and one that is taken away."""
    rng = np.random.default_rng(seed)
    things: list[Thing] = []
    for _ in range(2000):
        if len(things) == PER_RUN + 1:
            break
        taken = len(things) == PER_RUN
        at = int(rng.integers(120, 260))
        people = shots.people[at]
        if not len(people):
            continue
        number, x1, y1, x2, y2 = people[int(rng.integers(len(people)))]
        tall = y2 - y1
        if x1 < 8 or x2 > 760 or y2 > 560 or tall < 50:
            continue
        picture, alpha = cut[int(rng.integers(len(cut)))] if cut and rng.random() < 0.4 else drawn(rng)
        height = max(12, int(tall * rng.uniform(0.28, 0.45)))
        width = max(10, int(height * picture.shape[1] / picture.shape[0]))
        if width > tall:
            continue
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
        mask = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
        x, y = int((x1 + x2) / 2 - width / 2), int(y2 - height + 3)
        if any(np.hypot(t.x - x, t.y - y) < _APART for t in things):
            continue
        if taken:
            things.append(Thing(small, mask, x, y, 0, at, None))
            continue
        due = _due(shots, int(number), (x + width / 2, float(y + height)), at)
        if due is not None and due + 50 < FRAMES:
            things.append(Thing(small, mask, x, y, at, FRAMES, due))
    return things


def _due(shots: Footage, owner: int, foot: tuple[float, float], at: int) -> int | None:
    """From which frame on the rule holds, by the truth; None where somebody else stays with it."""
    away, near = at, 0
    for n in range(at, FRAMES):
        people = shots.people[n]
        tall = np.maximum(people[:, 4] - people[:, 2], 1)
        off = np.hypot((people[:, 1] + people[:, 3]) / 2 - foot[0], people[:, 4] - foot[1]) / tall * _TALL_M
        close = off <= WITHIN_M
        if owner in people[close, 0].astype(int).tolist():
            away = n
        near = near + 1 if close.any() else 0
        if near >= _STAYS:
            return None
        if (n - away) * 1000 / FPS >= FOR_MS:
            return n
    return None


def composed(shots: Footage, things: Sequence[Thing]) -> Iterator[Timed]:
    """The footage with the things in it; who passes in front is drawn over them."""
    for n, picture in enumerate(shots.pictures):
        result = picture.copy()
        for thing in things:
            if thing.first <= n < thing.last:
                _lay(result, picture, shots, n, thing)
        yield n * 1000 // FPS, av.VideoFrame.from_ndarray(result, format="bgr24").reformat(format="yuv420p")


def _lay(result: Image, picture: Image, shots: Footage, n: int, thing: Thing) -> None:
    x1, y1, x2, y2 = thing.box
    alpha = thing.alpha.copy()
    for _, px1, py1, px2, py2 in shots.people[n]:
        if py2 <= y2 or px2 <= x1 or px1 >= x2 or py1 >= y2:
            continue
        differs = cv2.absdiff(picture[y1:y2, x1:x2], shots.empty[y1:y2, x1:x2]).max(axis=2) > 22
        body = cv2.dilate(differs.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        columns, rows = np.arange(x1, x2), np.arange(y1, y2)
        inside = ((rows >= py1) & (rows < py2))[:, None] & ((columns >= px1) & (columns < px2))[None]
        alpha[body & inside] = 0
    part = result[y1:y2, x1:x2].astype(np.float32)
    result[y1:y2, x1:x2] = (alpha[..., None] * thing.picture + (1 - alpha[..., None]) * part).astype(np.uint8)


# ---- scoring ---------------------------------------------------------------------------------------------------------


def _at(incident: Incident, thing: Thing) -> bool:
    """Whether the incident's box is where the thing is."""
    x1, y1, x2, y2 = (float(v) for v in np.array(incident.facts["box"], float))
    a1, b1, a2, b2 = thing.box
    return min(x2, a2) > max(x1, a1) and min(y2, b2) > max(y1, b1)


def _in_time(incident: Incident, thing: Thing) -> bool:
    due = (thing.due or 0) * 1000 / FPS
    return due - 3000 <= incident.at_ms <= due + LATE_MS


@dataclass(frozen=True)
class Score:
    """What was told: right, of those there, wrong, of those taken away told, and what was missed (run, box).

    ``told_of`` has for each incident its raw score, whether it was right, and the run.
    """

    right: int
    there: int
    wrong: int
    taken: int
    taken_told: int
    missed: tuple[tuple[int, tuple[int, int, int, int]], ...]
    told_of: tuple[list[object], ...] = ()


def score(data: Path, detector: NanoDet, runs: int, progress: Progress) -> Score:
    """Play the runs."""
    shots, cut = footage(data), bags(data)
    right = there = wrong = taken = taken_told = 0
    missed: list[tuple[int, tuple[int, int, int, int]]] = []
    told_of: list[list[object]] = []
    for seed in range(runs):
        progress(f"things left behind, run {seed + 1} of {runs}")
        things = plan(shots, cut, seed)
        incidents = play(composed(shots, things), RULES, detector)
        left = [t for t in things if t.due is not None]
        gone = [t for t in things if t.due is None]
        told = [t for t in left if any(_at(i, t) and _in_time(i, t) for i in incidents)]
        there, right, taken = there + len(left), right + len(told), taken + len(gone)
        missed += [(seed, t.box) for t in left if t not in told]
        taken_told += sum(any(_at(i, t) for i in incidents) for t in gone)
        fits = [any(_at(i, t) and _in_time(i, t) for t in left) for i in incidents]
        wrong += fits.count(False)
        told_of += [[i.score, int(fit), f"run {seed}"] for i, fit in zip(incidents, fits, strict=True)]
    return Score(right, there, wrong, taken, taken_told, tuple(missed), tuple(told_of))


def silence(data: Path, detector: NanoDet) -> tuple[int, float, list[str]]:
    """Footage in which nobody leaves anything: how often something was told, seconds, and of which file."""
    told, seconds, where = 0, 0.0, []
    for name, fps in (("pets_s2l1/vtest.avi", float(FPS)), *NEGATIVES):
        path = data / "media" / name
        if not path.is_file():
            continue
        pictures = frames(path)
        incidents = play(held(pictures, fps), RULES, detector)
        seconds += len(pictures) / fps
        told += len(incidents)
        where += [f"{Path(name).stem} at {i.at_ms / 1000:.0f} s" for i in incidents]
    return told, seconds, where


def figures(*, data: Path, quick: bool, progress: Progress) -> list[Figure]:
    """Things left behind: synthetic, and null for real footage.

    Args:
        data: the folder of real data.
        quick: one run and no other footage; otherwise ten, and all of it.
        progress: told what is happening.
    """
    nothing = figure("unattended_object_recall", None, None, None, 0, "no real footage with truth")
    if not (data / "media/pets_s2l1/truth.json").is_file():
        return [
            nothing,
            figure("unattended_object_recall_synthetic", None, None, None, 0, "PETS not found; set WATCHGLASS_DATA"),
        ]
    detector = load()
    result = score(data, detector, 1 if quick else RUNS, progress)
    progress("footage in which nobody leaves anything")
    told, seconds, where = (0, 0.0, []) if quick else silence(data, detector)
    claimed = result.right + result.wrong + told
    how = f"synthetic: things laid into PETS at the feet of people who walk on, for {FOR_MS / 1000:g} s"
    return [
        nothing,
        figure("unattended_object_recall_synthetic", result.right / max(1, result.there), None,
               wilson(result.right, result.there), result.there, f"{how}; missed: {_words(result.missed)}"),
        figure("unattended_object_precision_synthetic", result.right / max(1, claimed), None,
               wilson(result.right, claimed), claimed,
               f"{how}; and {seconds:.0f} s of real footage with none (told: {', '.join(where) or 'nothing'})",
               told=[*result.told_of, *([None, 0, place] for place in where)]),
        figure("unattended_object_taken_away_told_synthetic", result.taken_told / max(1, result.taken), None,
               wilson(result.taken_told, result.taken), result.taken,
               "synthetic: things that lie there from the beginning and are taken away", better="lower"),
    ]  # fmt: skip


def _words(missed: Sequence[tuple[int, tuple[int, int, int, int]]]) -> str:
    return ", ".join(f"run {run} {box[2] - box[0]}x{box[3] - box[1]} at {box[:2]}" for run, box in missed) or "none"
