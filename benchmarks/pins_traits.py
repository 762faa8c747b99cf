"""What a stream tells of *how* somebody is: size, pace, gait. The linking is given; only the traits are in question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pins_scene import FPS, Floats, Frame, Glimpse, metres, tall
from sprites import Image, pets_frames, scene
from watchglass.perception.ground import Ground

SHORTEST_S = 10.0
"""Who is in view for less has no two halves."""

STEPS_HZ = (1.3, 2.6)
"""Steps a second of people who walk or hurry."""

TOLERANCE_HZ = 0.15
_LAG_S = 2.0
_STANDS = 0.3
_WINDOW = 64
_STRIDE = 32
_PADDED = 1024
_SURROGATES = 200
_LEGS = 0.35
_DIFFERS = 30
_FEWEST_PX = 20
_VISIBLE = 0.8
_CLEAR = 0.05


@dataclass(frozen=True)
class Trail:
    """One person's visit as somebody saw it: when (n,), where on the ground (n, 2), in what box (n, 4)."""

    at_ms: NDArray[np.int64]
    spots: Floats
    boxes: NDArray[np.float32]


def trails(frames: Sequence[Frame], where: Ground) -> dict[int, Trail]:
    """Everybody's visit with their feet as exactly as they are annotated."""
    found: dict[int, list[tuple[int, NDArray[np.float32]]]] = {}
    for frame in frames:
        for i, box in zip(frame.ids, frame.boxes, strict=True):
            if i >= 0:
                found.setdefault(int(i), []).append((frame.at_ms, box))
    result = {}
    for i, rows in sorted(found.items()):
        boxes = np.array([box for _, box in rows], np.float32)
        spots = where.metres(np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1))
        result[i] = Trail(np.array([at for at, _ in rows]), spots, boxes)
    return result


def pin_trails(glimpses: Sequence[Glimpse], where: Ground) -> dict[int, Trail]:
    """Everybody's visit as their pins show it, had the attacker linked them without a mistake."""
    found: dict[int, list[tuple[int, tuple[float, float]]]] = {}
    for glimpse in glimpses:
        for i, place in () if glimpse.hidden else glimpse.really.items():
            found.setdefault(i, []).append((glimpse.at_ms, place))
    return {
        i: Trail(
            np.array([at for at, _ in rows]),
            metres([place for _, place in rows], where),
            np.zeros((len(rows), 4), np.float32),
        )
        for i, rows in sorted(found.items())
    }


# ---- the same person again? ------------------------------------------------------------------------------------------


def velocities(trail: Trail, lag_s: float) -> tuple[Floats, Floats]:
    """Middles of windows (m,) in ms and the velocity in each (m, 2): the slope of the best straight line."""
    first = -(-int(trail.at_ms[0]) // 500) * 500  # the same windows for whoever sees the same person
    begins = np.arange(first, trail.at_ms[-1] - lag_s * 1000 + 1, 500)
    times, slopes = [], []
    for begin in begins:
        rows = (trail.at_ms >= begin) & (trail.at_ms <= begin + lag_s * 1000)
        if rows.sum() < 3 or np.ptp(trail.at_ms[rows]) < 700 * lag_s:
            continue
        t = trail.at_ms[rows] / 1000
        t = t - t.mean()
        slopes.append(t @ (trail.spots[rows] - trail.spots[rows].mean(axis=0)) / (t @ t))
        times.append(begin + lag_s * 500)
    return np.array(times), np.array(slopes).reshape(-1, 2)


def motion(trail: Trail) -> Floats:
    """How somebody walks (4,): median pace, its quartiles' distance, share of standing, turning in radians a second."""
    _, slopes = velocities(trail, _LAG_S)
    pace = np.hypot(*slopes.T)
    low, middle, high = np.quantile(pace, [0.25, 0.5, 0.75])
    heading = np.unwrap(np.arctan2(slopes[:, 1], slopes[:, 0]))
    walks = (pace[1:] > _STANDS) & (pace[:-1] > _STANDS)
    turning = np.abs(np.diff(heading))[walks]
    return np.array([middle, high - low, (pace < _STANDS).mean(), turning.mean() / 0.5 if len(turning) else 0.0])


def build(trail: Trail, data: Path) -> Floats:
    """How somebody is built (2,): the medians of height and width in metres."""
    return np.asarray(np.median(tall(data, trail.boxes), axis=0))


def halves(trail: Trail) -> tuple[Trail, Trail]:
    """The first and the second half of a visit."""
    middle = len(trail.at_ms) // 2
    first, second = slice(0, middle), slice(middle, None)
    return (
        Trail(trail.at_ms[first], trail.spots[first], trail.boxes[first]),
        Trail(trail.at_ms[second], trail.spots[second], trail.boxes[second]),
    )


def long_enough(found: dict[int, Trail]) -> dict[int, Trail]:
    """Those whose visit has two halves worth the name."""
    return {i: t for i, t in found.items() if t.at_ms[-1] - t.at_ms[0] >= SHORTEST_S * 1000}


@dataclass(frozen=True)
class Again:
    """Whether second halves are nearest to their own first halves.

    Attributes:
        right: (n,) for each person.
        auc: how often a pair of the same person is nearer than a pair of two.
    """

    right: NDArray[np.bool_]
    auc: float

    @property
    def gain(self) -> float:
        """Accuracy above that of guessing."""
        return float(self.right.mean() - 1 / len(self.right))

    def interval(self, seed: int = 2) -> tuple[float, float]:
        """95 % of the gain, bootstrap over people."""
        rng = np.random.default_rng(seed)
        again = self.right[rng.integers(0, len(self.right), (2000, len(self.right)))].mean(axis=1)
        low, high = np.quantile(again, [0.025, 0.975]) - 1 / len(self.right)
        return float(low), float(high)


def again(first: Floats, second: Floats) -> Again:
    """Features (n, f) of first and second halves: is everybody's second half nearest to their own first?

    Nothing is learnt: each feature is divided by its spread over all halves.
    """
    scale = np.concatenate([first, second]).std(axis=0)
    far = np.sqrt((((second[:, None] - first[None]) / np.maximum(scale, 1e-9)) ** 2).sum(axis=2))
    own = np.diag(far)
    others = far[~np.eye(len(far), dtype=bool)]
    auc = (own[:, None] < others).mean() + 0.5 * (own[:, None] == others).mean()
    return Again(far.argmin(axis=1) == np.arange(len(far)), float(auc))


# ---- gait ------------------------------------------------------------------------------------------------------------


LEGS = (0, 1, 2)
"""Of ``silhouettes``: how far the legs spread, how broad they are, how much there is of them."""

TIGHT_BOX = (3, 4)
"""Of ``silhouettes``: the upper edge and the width of a box that fits tightly, as a good detector draws it."""

FEET = (5, 6)
"""Of ``silhouettes``: the middle of that box's lower edge, in pixels of the picture."""

_SHAPES = 7


def silhouettes(data: Path, frames: Sequence[Frame]) -> dict[int, Floats]:
    """What the video shows of everybody's gait: (len(frames), 7), mostly in shares of their height; NaN where hidden.

    From what differs from the empty scene in the true box and a little around it. The annotated boxes themselves were
    drawn by hand and smoothed: no step shows in them. Boxes that touch another are left out.
    """
    empty = scene(data)
    found: dict[int, Floats] = {int(i): np.full((len(frames), _SHAPES), np.nan) for f in frames for i in f.ids}
    for index, (picture, frame) in enumerate(zip(pets_frames(data, len(frames)), frames, strict=True)):
        for k, (i, box) in enumerate(zip(frame.ids, frame.boxes, strict=True)):
            rest = np.delete(frame.boxes, k, axis=0)
            if not ((rest[:, :2] < box[2:]) & (rest[:, 2:] > box[:2])).all(axis=1).any():
                found[int(i)][index] = _silhouette(picture, empty, box)
    return found


def _silhouette(picture: Image, empty: Image, box: NDArray[np.float32]) -> Floats:
    tall_px = float(box[3] - box[1])
    dx, dy = 0.1 * tall_px, 0.05 * tall_px
    part = (
        slice(max(0, int(box[1] - dy)), int(box[3] + dy) + 1),
        slice(max(0, int(box[0] - dx)), int(box[2] + dx) + 1),
    )
    differs = cv2.absdiff(picture[part], empty[part]).max(axis=2) > _DIFFERS
    legs = differs[int((1 - _LEGS) * len(differs)) :].sum(axis=0).astype(np.float64)
    rows, columns = np.flatnonzero(differs.sum(axis=1) >= 3), np.flatnonzero(differs.sum(axis=0) >= 3)
    if legs.sum() < _FEWEST_PX or not len(rows) or not len(columns):
        return np.full(_SHAPES, np.nan)
    x = np.arange(len(legs))
    middle = (legs * x).sum() / legs.sum()
    spread = np.sqrt((legs * (x - middle) ** 2).sum() / legs.sum())
    shares = [spread, (legs > 0).sum(), legs.sum() / tall_px, rows[0], columns[-1] - columns[0]]
    feet = [part[1].start + (columns[0] + columns[-1]) / 2, part[0].start + rows[-1]]
    return np.array([*(share / tall_px for share in shares), *feet], np.float64)


def peak(
    signals: Sequence[Floats], hz: float, band: tuple[float, float], rng: np.random.Generator
) -> tuple[float, float]:
    """The frequency in ``band`` that stands out most in all signals together, and how likely that is by chance.

    Each signal is differenced, its spectrum divided by that of a first-order autoregression fitted to it, and the same
    is done with made signals of that autoregression alone.
    """
    total = 0.0
    chance = np.zeros((_SURROGATES, 1))
    frequency = np.fft.rfftfreq(_PADDED, 1 / hz)
    inside = (frequency >= band[0]) & (frequency <= band[1])
    for signal in signals:
        moved = np.diff(signal)
        moved = moved - moved.mean()
        power = moved @ moved
        if power < 1e-12:
            continue
        phi = float(np.clip(moved[1:] @ moved[:-1] / power, -0.95, 0.95))
        red = 1 / np.abs(1 - phi * np.exp(-2j * np.pi * frequency / hz)) ** 2
        total = total + _spectrum(moved[None])[0] / red
        noise = rng.normal(size=(_SURROGATES, len(moved) + 50))
        for k in range(1, noise.shape[1]):
            noise[:, k] += phi * noise[:, k - 1]
        chance = chance + _spectrum(noise[:, 50:]) / red
    if np.isscalar(total):
        return float("nan"), 1.0
    height = np.where(inside, total, 0)
    return float(frequency[height.argmax()]), float((chance[:, inside].max(axis=1) >= height.max()).mean())


def _spectrum(rows: Floats) -> Floats:
    """Power (k, f) of rows (k, n) with a Hann window, each row of unit variance."""
    rows = rows - rows.mean(axis=1, keepdims=True)
    rows = rows / np.maximum(rows.std(axis=1, keepdims=True), 1e-12)
    return np.asarray(np.abs(np.fft.rfft(rows * np.hanning(rows.shape[1]), _PADDED, axis=1)) ** 2)


def folded(frequency: float, hz: float) -> float:
    """Where a frequency shows when it is sampled ``hz`` times a second."""
    return abs(frequency - hz * round(frequency / hz))


@dataclass(frozen=True)
class Steps:
    """A person in a window of frames, and how many steps a second the video shows them taking.

    Attributes:
        box: upper edge and width of the tight box in each frame of the window.
        feet: (frames, 2) the middle of its lower edge in pixels, which is what a pin is made from.
    """

    person: int
    begin_ms: int
    end_ms: int
    hz: float
    box: tuple[Floats, ...]
    feet: Floats


def steps(data: Path, frames: Sequence[Frame], seed: int = 4) -> tuple[list[Steps], int]:
    """Everybody's step frequency in windows of some nine seconds, wherever the legs in the video show one clearly.

    Returns:
        These windows, and how many there are in which somebody is visible.
    """
    rng = np.random.default_rng(seed)
    found = []
    visible = 0
    for person, shape in sorted(silhouettes(data, frames).items()):
        for begin in range(0, len(frames) - _WINDOW + 1, _STRIDE):
            window = shape[begin : begin + _WINDOW]
            known = np.flatnonzero(np.isfinite(window[:, 0]))
            if len(known) < _VISIBLE * _WINDOW:
                continue
            visible += 1
            whole = [np.interp(np.arange(_WINDOW), known, window[known, k]) for k in range(window.shape[1])]
            hz, chance = peak([whole[k] for k in LEGS], FPS, STEPS_HZ, rng)
            if chance < _CLEAR:
                ends = frames[begin].at_ms, frames[begin + _WINDOW - 1].at_ms
                box = tuple(whole[k] for k in TIGHT_BOX)
                found.append(Steps(person, *ends, hz, box, np.stack([whole[k] for k in FEET], axis=1)))
    return found, visible


def alike(known: Sequence[Steps]) -> tuple[float, float]:
    """How far step frequencies of the same person are apart, and of two people: medians, in Hz."""
    hz, who = np.array([k.hz for k in known]), np.array([k.person for k in known])
    apart, same = np.abs(hz[:, None] - hz), who[:, None] == who
    once = np.triu(np.ones_like(same), 1)
    return float(np.median(apart[same & once])), float(np.median(apart[~same & once]))


@dataclass(frozen=True)
class Heard:
    """For each window whether its step frequency was told within ``TOLERANCE_HZ``; and the share by mere chance."""

    people: NDArray[np.int64]
    right: NDArray[np.bool_]
    by_chance: float


def heard(known: Sequence[Steps], signals: Sequence[Sequence[Floats]], hz: Sequence[float], seed: int = 6) -> Heard:
    """Look for each window's step frequency, or its alias, in its signals, sampled ``hz`` times a second."""
    rng = np.random.default_rng(seed)
    people = np.array([k.person for k in known])
    told = []
    for rate, some in zip(hz, signals, strict=True):
        edges = [folded(f, rate) for f in np.linspace(*STEPS_HZ, 50)]
        told.append(peak(some, rate, (min(edges), max(edges)), rng)[0])
    wanted = np.array([[folded(k.hz, rate) for k in known] for rate in hz])
    near = np.abs(wanted - np.array(told)[:, None]) <= TOLERANCE_HZ
    other = people[:, None] != people[None]
    return Heard(people, np.diag(near), float(near[other].mean()) if other.any() else 0.0)
