"""Whether what a camera delivers has begun to be otherwise: brightness, sharpness, how much is followed. Pure.

Each day is compared with the 40 before it, hour of the day by hour of the day, so that night is compared with night.
Hours of dawn and dusk, which wander with the season, are left out. How far an hour is off its usual is measured in the
spread of that hour; a day's number is the median over its hours, so that one cloud does not count for a day. The day's
rank among those 41 becomes a normal score, and a detector bets that these scores have begun to lie higher, or lower
(``statistics.detectors``). Where days could be exchanged, ranks are as likely one as the other whatever the camera and
the place are like. Days cannot: weather stays, and only the newest 62 days are looked at, each time anew. So the stated
run length is no promise here. How far back a day is compared and how high the bar is were chosen from simulations of
exactly this (``quality.drawn_days``), and ``watchglass quality simulate`` prints what they come to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from watchglass.core.time import HOUR
from watchglass.quality.daylight import sun_height
from watchglass.statistics.detectors import after, begin, level, warns_at

Floats = NDArray[np.float64]

REFERENCE: Final = 40
"""Each day is compared with so many before it. The more there are, the longer a change stands out."""
BEFORE: Final = 28
"""What is shown beside the last week is the mean of so many days before it."""
FEWEST: Final = 14
"""Of so many days before it a day can be compared."""
FEWEST_HOURS: Final = 6
LATELY: Final = 7
"""A warning stands while one of so many last days has given it."""
RUN_DAYS: Final = 365
"""Days to a false warning of a camera, of all measures together, if its days could be exchanged and all were kept."""
MEASURES: Final = ("brightness", "sharpness", "followed")
MEMORY: Final = 150
"""Weather that stays for days is no change: the bar is so much higher than days without a memory would need.

Chosen from such simulations among 30, 150 and 600: cameras whose days are correlated by 0.5 warn falsely about once a
year, and a halving is still noticed.
"""
TWILIGHT: Final = (-8.0, 12.0)
"""While the sun is so many degrees above the horizon, light changes within the hour and with the season."""
_SHIFTS: Final = np.array((-1.5, -1.0, -0.5, 0.5, 1.0, 1.5))
_MOST: Final = 1000.0
_SPREAD: Final = 1.4826
_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Warned:
    """One measure of one camera.

    Attributes:
        days: how many days could be compared. warns: whether one of the last seven warned.
        since: how many days ago the first of these was; None without a warning. more: whether there is more of it now.
        lately, before: means over the hours of the last week, and of the four weeks before; None where unknown.
    """

    measure: str
    days: int
    warns: bool
    since: int | None
    more: bool
    lately: float | None
    before: float | None


def warned(measure: str, days: Floats, *, measures: int = len(MEASURES)) -> Warned:
    """Look at a measure.

    Args:
        days: (n, 24), the oldest day first, each hour's value; nan where nothing was measured. Only whole days.
        measures: over how many measures of the camera the run length is shared.
    """
    scores = _scores(days)
    levels = levels_of(scores)
    bar = warns_at(RUN_DAYS * MEMORY * measures)
    beyond = [index for index in range(max(0, len(levels) - LATELY), len(levels)) if levels[index] >= bar]
    late, before = days[-LATELY:], days[-LATELY - BEFORE : -LATELY]
    return Warned(
        measure,
        len(scores),
        bool(beyond),
        len(levels) - 1 - beyond[0] if beyond else None,
        sum(scores[-LATELY:]) > 0,
        _mean(late),
        _mean(before),
    )


def wanders(lat: float, lon: float, hour_ms: int) -> bool:
    """Whether the sun rises or sets at a place in the hour that begins then, or stands low."""
    low, high = TWILIGHT
    return any(low < sun_height(lat, lon, hour_ms + part * HOUR // 4) < high for part in range(5))


def levels_of(scores: Sequence[float]) -> list[float]:
    """What the detector says after each day: the logarithm of its evidence."""
    logs, found = begin(len(_SHIFTS)), []
    for step in np.multiply.outer(np.asarray(scores, np.float64), _SHIFTS) - _SHIFTS**2 / 2:
        logs = after(logs, step)
        found.append(logs)
    return np.asarray(level(np.stack(found)), np.float64).tolist() if found else []


@cache
def normal_score(rank: int, n: int) -> float:
    """The mean of a standard normal value between the ``rank``-th of ``n`` equally likely parts, from 0 on.

    By Jensen's inequality its moments of exponentials are at most those of the normal distribution.
    """
    low, high = rank / n, (rank + 1) / n
    edges = [_NORMAL.pdf(_NORMAL.inv_cdf(each)) if 0 < each < 1 else 0.0 for each in (low, high)]
    return n * (edges[0] - edges[1])


def _scores(days: Floats) -> list[float]:
    """The normal score of each day among those before it, the oldest first; none where there is too little."""
    if len(days) <= FEWEST:
        return []
    none = np.full((REFERENCE, *days.shape[1:]), np.nan)
    seen = np.lib.stride_tricks.sliding_window_view(np.concatenate([none, days]), REFERENCE + 1, axis=0)[FEWEST:]
    hours = (np.isfinite(seen).sum(-1) > FEWEST) & np.isfinite(seen[..., -1])
    kept = np.where(hours[..., None], seen, np.nan)  # (days, hours, 41)
    middle = _medians(kept)[..., None]
    spread = _SPREAD * _medians(np.abs(kept - middle))[..., None]
    off = np.clip((kept - middle) / np.maximum(spread, 1e-6 + 0.01 * np.abs(middle)), -_MOST, _MOST)
    numbers = _medians(np.moveaxis(off, 1, 2))
    numbers[np.isfinite(off).sum(1) < FEWEST_HOURS] = np.nan
    enough = np.isfinite(numbers[:, -1]) & (np.isfinite(numbers).sum(-1) > FEWEST)
    return [_score(each[np.isfinite(each)]) for each in numbers[enough]]


def _score(numbers: Floats) -> float:
    """The normal score of the last of some days."""
    below, alike = int((numbers < numbers[-1]).sum()), int((numbers == numbers[-1]).sum())
    return normal_score(below + (alike - 1) // 2, len(numbers)) if alike < len(numbers) else 0.0


def _medians(values: Floats) -> Floats:
    """Of what is known along the last axis; nan where nothing is."""
    ordered, known = np.sort(values, axis=-1), np.isfinite(values).sum(-1)  # nan comes last
    ends = (np.maximum(known - 1, 0) // 2, np.minimum(known // 2, values.shape[-1] - 1))
    low, high = (np.take_along_axis(ordered, end[..., None], -1)[..., 0] for end in ends)
    return np.asarray(np.where(known > 0, (low + high) / 2, np.nan), np.float64)


def _mean(days: Floats) -> float | None:
    known = days[np.isfinite(days)]
    return float(np.mean(known)) if len(known) else None


TO_DO: Final[Mapping[str, str]] = {
    "brightness": "Look whether a lamp, the exposure or the camera's night mode has changed, or something hangs before "
    "the lens.",
    "sharpness": "Clean the lens and look at the focus; look whether the camera's quality setting was changed.",
    "followed": "Look whether the camera was moved, what is in its way, or whether the place itself is used otherwise.",
}
"""What to do about each."""
