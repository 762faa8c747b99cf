"""What the stream of pins shows of the people of PETS S2.L1, and who they really are.

The pins are made as the house makes them: at the worker's cadence, steadied on the grid (``views.smoothing``), late and
only above the threshold (``views.timeline``). The people's numbers are kept beside, only to score an attacker who does
not have them.

The recording has no clock. It is taken as seven pictures a second, as the tracking benchmarks made from it list it:
people then walk at one metre a second.
"""

from __future__ import annotations

import functools
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kinds_clips import PETS_SIZE, pets_ground, pets_people
from watchglass.perception.ground import Ground
from watchglass.perception.messages import SourceSpec
from watchglass.views.public import PERSON, cell_side, snap
from watchglass.views.smoothing import SteadyMarks
from watchglass.views.timeline import Moment, Timeline

FPS = 7.0
WIDTH_M = 16.2
"""Metres across the middle of the picture, as the demo's charter states them for this camera."""

FINE_PX = 2.0
"""How exactly feet are known where there is no grid: the annotators' hand."""

Floats = NDArray[np.float64]
Place = tuple[float, float]
"""Pixels, as they are published."""


@dataclass(frozen=True)
class Frame:
    """Who is in one picture.

    Attributes:
        ids: (n,) the people's numbers, -1 where it is nobody.
        boxes: (n, 4).
        tracks: (n,) the numbers that the house itself gives them.
    """

    at_ms: int
    ids: NDArray[np.int64]
    boxes: NDArray[np.float32]
    tracks: NDArray[np.int64]


@dataclass(frozen=True)
class Setting:
    """What a charter chooses, and what the house does by itself.

    Attributes:
        grid_m: None puts pins at the feet themselves, which no charter can.
        steady: whether marks are steadied over time; otherwise each moment is put on the grid by itself.
    """

    grid_m: float | None = 1.0
    hide_below: int = 3
    delay_ms: int = 900_000
    pin_hz: float = SourceSpec("", "", ()).pin_hz
    steady: bool = True

    @property
    def cell_px(self) -> float:
        """Side of a cell."""
        return cell_side(WIDTH_M, PETS_SIZE[0], self.grid_m) if self.grid_m else FINE_PX


@dataclass(frozen=True)
class Glimpse:
    """One published moment.

    Attributes:
        told_ms: when it was published.
        places: of all pins, in the published order; none where hidden.
        really: the place of each person's pin, by their number; also where it is hidden.
        sizes: height and width of the boxes by place; only where there is no grid.
    """

    at_ms: int
    told_ms: int
    hidden: bool
    places: tuple[Place, ...]
    really: dict[int, Place]
    sizes: dict[Place, tuple[float, float]]


def truth(data: Path) -> list[Frame]:
    """The annotated people of frames 0-499, timed at ``FPS``."""
    result = []
    for index, people in enumerate(pets_people(data)):
        ids = np.array(list(people), np.int64)
        boxes = np.array(list(people.values()), np.float32).reshape(-1, 4)
        result.append(Frame(round(index * 1000 / FPS), ids, boxes, ids))
    return result


class Pinning:
    """Which places are published, and whose each is.

    One line of marks is what the house publishes. Beside it each track has a line of its own: the same mark without
    the others, by which a published place is known to be this track's.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._all = _line(setting)
        self._own: dict[int, SteadyMarks] = {}

    def see(self, frame: Frame) -> tuple[list[Place], dict[int, Place]]:
        """All places, and each person's."""
        if self._setting.grid_m is None:
            feet = [((float(a) + float(c)) / 2, float(d)) for a, _, c, d in frame.boxes]
            return sorted(feet), {int(i): at for i, at in zip(frame.ids, feet, strict=True) if i >= 0}
        published = self._places(self._all, frame, np.arange(len(frame.ids)))
        really: dict[int, Place] = {}
        for row, (person, track) in enumerate(zip(frame.ids.tolist(), frame.tracks.tolist(), strict=True)):
            own = self._places(self._own.setdefault(track, _line(self._setting)), frame, np.array([row]))
            if person >= 0 and own and own[0] in published:
                really[person] = own[0]
        return published, really

    def _places(self, line: SteadyMarks, frame: Frame, rows: NDArray[np.int64]) -> list[Place]:
        boxes, kinds = frame.boxes[rows], np.full(len(rows), PERSON, np.int8)
        if self._setting.steady:
            pins = line.see(frame.at_ms, frame.tracks[rows], boxes, kinds)
        else:
            assert self._setting.grid_m is not None
            pins = snap(boxes, kinds, WIDTH_M, PETS_SIZE[0], self._setting.grid_m)
        return [(x, y) for x, y, _ in pins]


def _line(setting: Setting) -> SteadyMarks:
    return SteadyMarks(PETS_SIZE, WIDTH_M, setting.grid_m or 1.0)


def watch(frames: Sequence[Frame], setting: Setting) -> list[Glimpse]:
    """What somebody who records the stream of pins has in the end.

    Each moment is asked for when it becomes due, as the house's own tick does.

    Raises:
        RuntimeError: a moment was published too early, or not at all.
    """
    line, pinning = Timeline(setting.delay_ms, setting.hide_below), Pinning(setting)
    every = round(1000 / setting.pin_hz) - 10  # as perception.pipeline has it
    due: list[Frame] = []
    for frame in frames:
        if not due or frame.at_ms - due[-1].at_ms >= every:
            due.append(frame)
    pinned = {frame.at_ms: pinning.see(frame) for frame in due}
    steps = sorted(
        [(frame.at_ms, 0, frame) for frame in due] + [(frame.at_ms + setting.delay_ms, 1, frame) for frame in due],
        key=lambda step: step[:2],
    )
    glimpses = []
    for now_ms, read, frame in steps:
        places, really = pinned[frame.at_ms]
        if not read:
            line.add(Moment(frame.at_ms, tuple((x, y, PERSON) for x, y in places), "day"))  # type: ignore[misc] # feet without a grid are no whole pixels
            continue
        shown = line.at(now_ms)
        if shown is None or shown.at_ms != frame.at_ms:
            raise RuntimeError(f"The moment {frame.at_ms} was not published when it was due.")
        sizes = {}
        if setting.grid_m is None:
            sizes = {((float(a) + float(c)) / 2, float(d)): (float(d - b), float(c - a)) for a, b, c, d in frame.boxes}
        seen = tuple((x, y) for x, y, _ in shown.marks)
        glimpses.append(Glimpse(shown.at_ms, now_ms, shown.hidden, seen, really, sizes))
    return glimpses


# ---- fewer and more people -------------------------------------------------------------------------------------------


def fewer(frames: Sequence[Frame], kept: frozenset[int]) -> list[Frame]:
    """The scene with some of its people only."""
    result = []
    for frame in frames:
        rows = np.isin(frame.ids, list(kept))
        result.append(Frame(frame.at_ms, frame.ids[rows], frame.boxes[rows], frame.tracks[rows]))
    return result


def crowd(frames: Sequence[Frame], times: int) -> list[Frame]:
    """*Synthetic*: the scene laid over itself, backwards in time, mirrored, and both, as other people: 1 to 4 times."""
    result = []
    for index, frame in enumerate(frames):
        ids, boxes = [], []
        for copy in range(times):
            source = frames[len(frames) - 1 - index] if copy % 2 else frame
            mirrored = source.boxes.copy()
            if copy >= 2:
                mirrored[:, [0, 2]] = PETS_SIZE[0] - source.boxes[:, [2, 0]]
            ids.append(source.ids + 100 * copy)
            boxes.append(mirrored)
        numbers = np.concatenate(ids)
        result.append(Frame(frame.at_ms, numbers, np.concatenate(boxes), numbers))
    return result


# ---- metres ----------------------------------------------------------------------------------------------------------


@functools.cache
def ground(data: Path) -> Ground:
    """The ground plane; an attacker gets one from the published backdrop."""
    return pets_ground(data)


def tall(data: Path, boxes: NDArray[np.float32]) -> Floats:
    """Height and width in metres (n, 2) of whoever fills each box and stands on its lower edge.

    By comparison with an upright of 1.7 m at the same place, seen through the published calibration (Tsai 1987). Lens
    distortion bends both alike and is left out.
    """
    root = ET.parse(data / "media/pets_s2l1/PETS2009-calib.xml").getroot()  # noqa: S314 (our own data)
    c = {key: float(value) for part in root for key, value in part.attrib.items()}
    (sa, sb, sg), (ca, cb, cg) = ([f(c[k]) for k in ("rx", "ry", "rz")] for f in (np.sin, np.cos))
    turn = np.array(
        [
            [cb * cg, cg * sa * sb - ca * sg, sa * sg + ca * cg * sb],
            [cb * sg, sa * sb * sg + ca * cg, ca * sb * sg - cg * sa],
            [-sb, cb * sa, ca * cb],
        ]
    )
    spots = ground(data).metres(np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)) * 1000
    ends = []
    for height in (0.0, 1700.0):
        seen = np.c_[spots, np.full(len(spots), height)] @ turn.T + (c["tx"], c["ty"], c["tz"])
        ends.append(c["focal"] * seen[:, :2] / seen[:, 2:] * (c["sx"] / c["dpx"], 1 / c["dpy"]))
    upright = np.abs(ends[0][:, 1] - ends[1][:, 1])
    pixels = np.stack([boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]], axis=1)
    found: Floats = 1.7 * pixels / upright[:, None]
    return found


def metres(places: Sequence[Place], where: Ground) -> Floats:
    """Published places on the ground (n, 2)."""
    return where.metres(np.array(places, np.float64).reshape(-1, 2))
