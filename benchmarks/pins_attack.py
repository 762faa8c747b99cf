"""Somebody who has nothing but the stream of pins, and wants to know which pin is the one of a moment ago.

The nearest pin; a Kalman filter on the ground with an exact assignment (as in SORT, Bewley et al. 2016, with the cell
as noise of measurement); and each of them again with hindsight, because who has a recording also knows how it went on.
A better attacker would do better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pins_scene import Floats, Glimpse, Place
from watchglass.perception.assign import FORBIDDEN, assign
from watchglass.perception.ground import Ground

PATIENCE_S = 1.5
"""How long a path goes on without a pin."""

LOST_S = 1.0
"""Who was taken for another for so long is lost."""

_LOOK_S = 4.0
_ACCELERATION = 1.0
_NO_NEGATIVE_COST = 30.0
_VAGUE = 25.0
_FASTEST = 2.5
_GATE = 13.8
_SIZE_NOISE = np.array([0.12, 0.18])

Paths = list[dict[int, Place]]
"""For each moment: the place at which the attacker believes each of his paths to be, where it is at a pin."""

Attacker = Callable[[Sequence[Glimpse], Ground, float], Paths]


@dataclass
class _Path:
    number: int
    at_ms: int
    place: Floats
    """(2,) metres: where its last pin stood."""
    state: Floats = field(default_factory=lambda: np.zeros(4))
    spread: Floats = field(default_factory=lambda: np.zeros((4, 4)))
    size: Floats | None = None


def nearest(glimpses: Sequence[Glimpse], ground: Ground, cell_px: float) -> Paths:
    """Each path goes on at the pin nearest to its last, one to one, unless nobody is so fast."""
    paths: list[_Path] = []
    result: Paths = []
    born = 0
    for glimpse, spots, noise in _located(glimpses, ground, cell_px):
        paths = [p for p in paths if glimpse.at_ms - p.at_ms <= PATIENCE_S * 1000]
        cost = np.full((len(paths), len(spots)), FORBIDDEN)
        for row, path in enumerate(paths):
            far = np.hypot(*(spots - path.place).T)
            reach = _FASTEST * (glimpse.at_ms - path.at_ms) / 1000 + 2 * np.sqrt(12 * _trace(noise) / 2)
            cost[row] = np.where(far < reach, far, FORBIDDEN)
        now: dict[int, Place] = {}
        taken = assign(cost)
        for row, column in taken:
            paths[row].place, paths[row].at_ms = spots[column], glimpse.at_ms
            now[paths[row].number] = glimpse.places[column]
        for column in set(range(len(spots))) - {c for _, c in taken}:
            paths.append(_Path(born, glimpse.at_ms, spots[column]))
            now[born] = glimpse.places[column]
            born += 1
        result.append(now)
    return result


def kalman(glimpses: Sequence[Glimpse], ground: Ground, cell_px: float) -> Paths:
    """Constant velocity on the ground; the likeliest assignment."""
    return _kalman(glimpses, ground, cell_px, None)


def patient(glimpses: Sequence[Glimpse], ground: Ground, cell_px: float) -> Paths:
    """The same, expecting marks to be late and to jump: as if cells were twice as large."""
    return _kalman(glimpses, ground, 2 * cell_px, None)


def with_hindsight(first: Attacker) -> Attacker:
    """Another's paths, looked at again: where two came close and parted, they are exchanged if that bends them less.

    Each encounter is bridged from both its sides: by the straight lines of ``_LOOK_S`` before it and after it.
    """

    def attack(glimpses: Sequence[Glimpse], ground: Ground, cell_px: float) -> Paths:
        paths = first(glimpses, ground, cell_px)
        numbers = sorted({n for now in paths for n in now})
        column = {n: k for k, n in enumerate(numbers)}
        places = np.full((len(glimpses), len(numbers), 2), np.nan)
        for index, now in enumerate(paths):
            for n, place in now.items():
                places[index, column[n]] = place
        seconds = np.array([g.at_ms for g in glimpses]) / 1000
        for a, b, begin, end in _encounters(places, cell_px):
            _reconsider(places, ground, seconds, (a, b), (begin, end))
        return [
            {n: (float(x), float(y)) for n, (x, y) in zip(numbers, row, strict=True) if np.isfinite(x)}
            for row in places
        ]

    return attack


def _encounters(places: Floats, cell_px: float) -> list[tuple[int, int, int, int]]:
    """Pairs of paths that are within two cells of each other, and from which moment to which; the earliest first."""
    found = []
    for a in range(places.shape[1]):
        for b in range(a + 1, places.shape[1]):
            near = np.flatnonzero(np.abs(places[:, a] - places[:, b]).max(axis=1) < 2.1 * cell_px)
            runs = np.split(near, np.flatnonzero(np.diff(near) > 3) + 1)
            found += [(a, b, int(run[0]), int(run[-1])) for run in runs if len(run)]
    return sorted(found, key=lambda encounter: encounter[3])


def _reconsider(places: Floats, ground: Ground, seconds: Floats, pair: tuple[int, int], span: tuple[int, int]) -> None:
    """Exchange the rest of two paths from the middle of an encounter on, if that bends them less."""
    begin, end = span
    before = (seconds >= seconds[begin] - _LOOK_S) & (seconds <= seconds[begin])
    after = (seconds >= seconds[end]) & (seconds <= seconds[end] + _LOOK_S)
    lines = []
    for rows in (before, after):
        for one in pair:
            known = rows & np.isfinite(places[:, one, 0])
            if not known.any() or np.ptp(seconds[known]) < _LOOK_S / 3:
                return
            t = seconds[known] - seconds[known].mean()
            spots = ground.metres(places[known, one])
            middle = spots.mean(axis=0)
            lines.append((seconds[known].mean(), middle, t @ (spots - middle) / (t @ t)))
    bend = np.array([[_bend(lines[row], lines[2 + column]) for column in (0, 1)] for row in (0, 1)])
    if bend[0, 1] + bend[1, 0] < bend[0, 0] + bend[1, 1]:
        rest = slice((begin + end) // 2 + 1, None)
        a, b = pair
        places[rest, [a, b]] = places[rest, [b, a]]


def _bend(before: tuple[float, Floats, Floats], after: tuple[float, Floats, Floats]) -> float:
    """How badly two straight lines go on in each other: the squared gap at either end, in square metres."""
    (t0, x0, v0), (t1, x1, v1) = before, after
    forward, backward = x0 + v0 * (t1 - t0) - x1, x1 - v1 * (t1 - t0) - x0
    return float(forward @ forward + backward @ backward)


def kalman_with_sizes(tall: Callable[[Sequence[Glimpse]], list[Floats]]) -> Attacker:
    """The same for an attacker who also sees how tall and broad each box is, as in a video with boxes."""

    def attack(glimpses: Sequence[Glimpse], ground: Ground, cell_px: float) -> Paths:
        return _kalman(glimpses, ground, cell_px, tall(glimpses))

    return attack


def _kalman(glimpses: Sequence[Glimpse], ground: Ground, cell_px: float, sizes: list[Floats] | None) -> Paths:
    paths: list[_Path] = []
    result: Paths = []
    born = 0
    for index, (glimpse, spots, noise) in enumerate(_located(glimpses, ground, cell_px)):
        paths = [p for p in paths if glimpse.at_ms - p.at_ms <= PATIENCE_S * 1000]
        cost = np.full((len(paths), len(spots)), FORBIDDEN)
        ahead = [_ahead(path, glimpse.at_ms) for path in paths]
        for row, (state, spread) in enumerate(ahead):
            doubt = spread[None, :2, :2] + noise
            off = spots - state[:2]
            far = np.einsum("ni,nij,nj->n", off, np.linalg.inv(doubt), off)
            price = far + np.log(np.linalg.det(doubt)) + _NO_NEGATIVE_COST
            size = paths[row].size
            if sizes is not None and size is not None:
                price = price + (((sizes[index] - size) / _SIZE_NOISE) ** 2).sum(axis=1)
            cost[row] = np.where(far < _GATE, price, FORBIDDEN)
        now: dict[int, Place] = {}
        taken = assign(cost)
        for row, column in taken:
            path, (state, spread) = paths[row], ahead[row]
            gain = spread[:, :2] @ np.linalg.inv(spread[:2, :2] + noise[column])
            path.state = state + gain @ (spots[column] - state[:2])
            path.spread = spread - gain @ spread[:2]
            path.at_ms, path.place = glimpse.at_ms, spots[column]
            if sizes is not None and path.size is not None:
                path.size = 0.9 * path.size + 0.1 * sizes[index][column]
            now[path.number] = glimpse.places[column]
        for column in sorted(set(range(len(spots))) - {c for _, c in taken}):
            spread = np.zeros((4, 4))
            spread[:2, :2], spread[2:, 2:] = noise[column], np.eye(2)
            state = np.r_[spots[column], 0.0, 0.0]
            size = None if sizes is None else sizes[index][column]
            paths.append(_Path(born, glimpse.at_ms, spots[column], state, spread, size))
            now[born] = glimpse.places[column]
            born += 1
        result.append(now)
    return result


def _ahead(path: _Path, at_ms: int) -> tuple[Floats, Floats]:
    """Where a path will be, and how surely."""
    dt = (at_ms - path.at_ms) / 1000
    step = np.eye(4)
    step[0, 2] = step[1, 3] = dt
    push = np.array([[dt * dt / 2, 0], [0, dt * dt / 2], [dt, 0], [0, dt]]) * _ACCELERATION
    return step @ path.state, step @ path.spread @ step.T + push @ push.T


def _located(glimpses: Sequence[Glimpse], ground: Ground, cell_px: float) -> Iterator[tuple[Glimpse, Floats, Floats]]:
    """With each moment its pins in metres (n, 2), and the covariance (n, 2, 2) of standing anywhere in the cell."""
    right_px = np.array([cell_px / 2, 0.0])
    for glimpse in glimpses:
        at = np.array(glimpse.places, np.float64).reshape(-1, 2)
        right = ground.metres(at + right_px) - ground.metres(at - right_px)
        down = ground.metres(at + right_px[::-1]) - ground.metres(at - right_px[::-1])
        spread = (right[:, :, None] * right[:, None] + down[:, :, None] * down[:, None]) / 12
        spread = np.where(np.isfinite(spread), spread, _VAGUE * np.eye(2))  # a cell that reaches the horizon
        yield glimpse, ground.metres(at), spread + 0.05**2 * np.eye(2)


def _trace(noise: Floats) -> Floats:
    return noise[:, 0, 0] + noise[:, 1, 1]


# ---- how well it went ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pursuit:
    """Somebody followed from one moment on.

    Attributes:
        seconds, metres: until lost, or until the last moment at which the person's pin was shown.
        visit_s: how long it could have been.
        lost: whether another was taken for the person before the visit ended.
    """

    person: int
    seconds: float
    metres: float
    visit_s: float
    lost: bool


def idf1(glimpses: Sequence[Glimpse], paths: Paths) -> float:
    """IDF1 (Ristani et al. 2016) over the moments that are shown; pins in one cell count for each who is in it."""
    people = sorted({i for g in glimpses for i in g.really})
    numbers = sorted({n for now in paths for n in now})
    row, column = ({key: k for k, key in enumerate(keys)} for keys in (people, numbers))
    common = np.zeros((len(people), len(numbers)))
    there = claimed = 0
    for glimpse, now in zip(glimpses, paths, strict=True):
        if glimpse.hidden:
            continue
        there += len(glimpse.really)
        claimed += len(now)
        for person, place in glimpse.really.items():
            for number, believed in now.items():
                common[row[person], column[number]] += believed == place
    right = sum(common[r, c] for r, c in assign(common.max(initial=0.0) - common))
    return float(2 * right / max(there + claimed, 1))


def visits(glimpses: Sequence[Glimpse]) -> dict[int, list[int]]:
    """For each person the moments at which they are shown."""
    shown: dict[int, list[int]] = {}
    for index, glimpse in enumerate(glimpses):
        for person in () if glimpse.hidden else glimpse.really:
            shown.setdefault(person, []).append(index)
    return shown


def pursue(
    glimpses: Sequence[Glimpse], paths: Paths, person: int, moments: Sequence[int], number: int, walked: Floats
) -> Pursuit:
    """How long path ``number`` is at this person, from the first of ``moments`` on.

    Args:
        walked: (n,) for each of ``moments`` the metres that the person has walked.
    """
    wrong: int | None = None
    for k, index in enumerate(moments):
        if paths[index].get(number) == glimpses[index].really[person]:
            wrong = None
            continue
        wrong = k if wrong is None else wrong
        if glimpses[index].at_ms - glimpses[moments[wrong]].at_ms >= LOST_S * 1000:
            break
    else:
        wrong = None
    end = len(moments) - 1 if wrong is None else max(wrong - 1, 0)
    start_ms = glimpses[moments[0]].at_ms
    return Pursuit(
        person,
        (glimpses[moments[end]].at_ms - start_ms) / 1000,
        float(walked[end] - walked[0]),
        (glimpses[moments[-1]].at_ms - start_ms) / 1000,
        wrong is not None,
    )


def from_entry(glimpses: Sequence[Glimpse], paths: Paths, shortest_s: float = 5.0) -> list[Pursuit]:
    """Everybody followed from their first pin; the youngest path there is taken. Short visits are left out."""
    result = []
    for person, moments in sorted(visits(glimpses).items()):
        if glimpses[moments[-1]].at_ms - glimpses[moments[0]].at_ms < shortest_s * 1000:
            continue
        here = [n for n, place in paths[moments[0]].items() if place == glimpses[moments[0]].really[person]]
        result.append(pursue(glimpses, paths, person, moments, max(here), np.zeros(len(moments))))
    return result


def from_photo(
    glimpses: Sequence[Glimpse],
    paths: Paths,
    where: dict[tuple[int, int], Floats],
    ground: Ground,
    *,
    every_s: float = 2.0,
    error_m: float = 0.5,
    seed: int = 5,
) -> list[Pursuit]:
    """Somebody whose place is known at one moment (from a photo, give or take ``error_m``), followed from there.

    Args:
        where: the true place on the ground (2,) by (person, capture time).
        every_s: a new start each so many seconds of everybody's visit, at least five seconds before its end.
    """
    rng = np.random.default_rng(seed)
    result = []
    for person, moments in sorted(visits(glimpses).items()):
        spots = np.array([where[person, glimpses[m].at_ms] for m in moments])
        walked = walk(spots, np.array([glimpses[m].at_ms for m in moments]))
        next_ms = 0
        for k, index in enumerate(moments):
            at_ms = glimpses[index].at_ms
            if at_ms < next_ms or glimpses[moments[-1]].at_ms - at_ms < 5000:
                continue
            next_ms = at_ms + round(every_s * 1000)
            known = spots[k] + rng.normal(0, error_m, 2)
            numbers = list(paths[index])
            there = ground.metres(np.array([paths[index][n] for n in numbers], np.float64))
            number = numbers[int(np.hypot(*(there - known).T).argmin())]
            result.append(pursue(glimpses, paths, person, moments[k:], number, walked[k:]))
    return result


def walk(spots: Floats, at_ms: NDArray[np.int64]) -> Floats:
    """Metres walked up to each moment (n,), in straight lines of about a second, so that trembling does not add up."""
    marks = [0]
    for k in range(1, len(at_ms)):
        if at_ms[k] - at_ms[marks[-1]] >= 1000 or k == len(at_ms) - 1:
            marks.append(k)
    lengths = [0.0, *np.cumsum([float(np.hypot(*(spots[b] - spots[a]))) for a, b in pairwise(marks)])]
    way: Floats = np.interp(at_ms, at_ms[marks], lengths[: len(marks)])
    return way
