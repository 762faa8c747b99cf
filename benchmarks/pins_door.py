"""Somebody who watches a door through the public view: which arrivals can be told, and to within what time.

*Synthetic*, but for how many come: Melbourne's hourly counts of 2015 and 2016 say how many pass in an hour of the day;
that they come one by one and independently (Poisson), cross a view of ``WAY_M`` at ``PACE`` (Weidmann 1993) and leave
is assumed. Groups, which are the rule on a pavement, fill a view sooner than that.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from measures import wilson
from watchglass.views.timeline import SLOT_MS

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WAY_M = 20.0
PACE = (1.34, 0.26)
"""Metres a second: mean and standard deviation."""

TOLD_S = 5.0
"""An arrival is told if the view shows its pin within so many seconds of it."""

HABIT_S = 60.0
"""Who is expected is known to come within so many seconds of a moment."""

_WARM_S = 60.0
_FOR_EVER = 1e6
_SLOWEST = 0.5


@dataclass(frozen=True)
class Hour:
    """One hour at one place: when each arrives and leaves (n,) in seconds, and through which of two doors."""

    of_day: int
    came: Floats
    left: Floats
    door: NDArray[np.int64]
    hz: float

    @property
    def people(self) -> NDArray[np.int64]:
        """How many are in view at each published moment."""
        steps = np.arange(int((3600 + _WARM_S) * self.hz)) / self.hz
        came = np.searchsorted(np.sort(self.came), steps, side="right")
        return came - np.searchsorted(np.sort(self.left), steps, side="right")


@dataclass(frozen=True)
class Arrivals:
    """What an hour's arrivals gave away, each (n,).

    Attributes:
        told: their pin is shown within ``TOLD_S``.
        left: it is shown within ``TOLD_S`` before they leave.
        shown: it is shown at any time.
        after_s: how long after they came it is first shown; NaN if never.
        alone: nobody else was in view when they came.
        fills: it was hidden until they came, and shows when they do.
        only: told, and nobody else came through this door for ``HABIT_S`` before and after.
        open_share: of the hour that the view shows anything: (), not (n,).
    """

    told: Bools
    left: Bools
    shown: Bools
    after_s: Floats
    alone: Bools
    fills: Bools
    only: Bools
    open_share: float


def counted(data: Path) -> dict[int, list[int]]:
    """Hourly counts of all sensors by hour of the day."""
    found: dict[int, list[int]] = {hour: [] for hour in range(24)}
    with gzip.open(data / "pedestrian/pedestrian.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["Count"] not in {"", "NA"}:
                found[int(row["Time"])].append(int(row["Count"]))
    return found


def hours(
    counts: dict[int, list[int]], share: float, each: int, hz: float, *, always: int = 0, seed: int = 11
) -> list[Hour]:
    """``each`` hours for every hour of the day, with so large a share of a real hour's people.

    Args:
        always: so many stand in view all the time: guards, traders, or accomplices of whoever watches.
    """
    rng = np.random.default_rng(seed)
    made = []
    for of_day, known in sorted(counts.items()):
        for count in rng.choice(known, each):
            n = int(rng.poisson(count * share * (3600 + _WARM_S) / 3600))
            came = np.sort(rng.uniform(0, 3600 + _WARM_S, n))
            stay = WAY_M / np.clip(rng.normal(*PACE, n), _SLOWEST, None)
            door = np.r_[rng.integers(0, 2, n), np.full(always, -1)]
            came, left = np.r_[came, np.full(always, -_FOR_EVER)], np.r_[came + stay, np.full(always, _FOR_EVER)]
            made.append(Hour(of_day, came, left, door, hz))
    return made


def shows(people: NDArray[np.int64], hide_below: int, hz: float, delay_ms: int, *, at_once: bool = False) -> Bools:
    """At which moments the view shows marks: what ``views.timeline.Timeline`` decides, for a whole hour at a time.

    Args:
        people: how many are in view at each published moment (n,), the first at time 0.
        at_once: not the house's rule but the plain one: whenever enough people are in view.
    """
    enough = people >= hide_below
    if at_once or hide_below == 0:
        return enough
    size = round(SLOT_MS / 1000 * hz)
    slots = [enough[begin : begin + size] for begin in range(0, len(enough), size)]
    # What was in view when a slot begins still is, until the first moment of the slot.
    steady = [bool(slot.all()) and bool(k == 0 or slots[k - 1][-1]) for k, slot in enumerate(slots)]
    if delay_ms >= SLOT_MS:
        return np.concatenate([np.full(len(slot), open_) for slot, open_ in zip(slots, steady, strict=True)])
    return np.concatenate([np.logical_and.accumulate(slot) & (k > 0 and steady[k - 1]) for k, slot in enumerate(slots)])


def told(hour: Hour, hide_below: int, delay_ms: int, *, at_once: bool = False) -> Arrivals:
    """What a recording of the view tells about each arrival of the hour."""
    people, hz = hour.people, hour.hz
    open_ = shows(people, hide_below, hz, delay_ms, at_once=at_once)
    counts = np.r_[0, np.cumsum(open_)]
    inside = (hour.came >= _WARM_S) & (hour.left < len(people) / hz)
    came, left, door = hour.came[inside], hour.left[inside], hour.door[inside]
    first = np.ceil(came * hz).astype(int)
    last = np.floor(left * hz).astype(int)
    soon = np.minimum(np.floor((came + TOLD_S) * hz).astype(int), last)
    late = np.maximum(np.ceil((left - TOLD_S) * hz).astype(int), first)
    is_told = counts[soon + 1] > counts[first]
    is_left = counts[last + 1] > counts[late]
    is_shown = counts[last + 1] > counts[first]
    ahead = _next(open_)
    after = np.where(is_shown, ahead[first] / hz - came, np.nan)
    before = people[np.maximum(first - 1, 0)]
    only = np.array(
        [((np.abs(hour.came - at) <= HABIT_S) & (hour.door == d)).sum() == 1 for at, d in zip(came, door, strict=True)],
        bool,
    )
    return Arrivals(
        is_told,
        is_left,
        is_shown,
        after,
        before == 0,
        (before < hide_below) & open_[first],
        is_told & only,
        float(open_.mean()),
    )


def _next(open_: Bools) -> Floats:
    """For each moment the first one from it on at which the view shows; the end where there is none."""
    n = len(open_)
    at = np.where(open_, np.arange(n), n)
    return np.minimum.accumulate(at[::-1])[::-1].astype(np.float64)


def share(found: Sequence[Bools], seed: int = 3) -> tuple[float, tuple[float, float], int]:
    """The share that is so, its 95 % interval, and of how many.

    By a bootstrap over hours; at least Wilson's, because where it never happened every resample says never.
    """
    right = np.array([f.sum() for f in found], float)
    size = np.array([len(f) for f in found], float)
    rng = np.random.default_rng(seed)
    again = rng.integers(0, len(found), (1000, len(found)))
    spread = right[again].sum(axis=1) / np.maximum(size[again].sum(axis=1), 1)
    low, high = np.quantile(spread, [0.025, 0.975])
    k, n = int(right.sum()), int(size.sum())
    least, most = wilson(k, n)
    return k / max(n, 1), (min(float(low), least), max(float(high), most)), n
