"""Days of made cameras, looked at as pages look at real ones: how often drift of inputs warns falsely, how soon truly.

A camera has hours of day and of night whose usual values differ. What makes one day unlike another stays from day to
day: it is correlated with the day before by a given number. Each hour differs a little besides. Nothing else happens:
no seasons, no holidays, no lamps.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from watchglass.quality.inputs import LATELY, MEASURES, warned

Floats = NDArray[np.float64]

SEEN: Final = 62
"""So many whole days are read, as pages do: what is older is destroyed."""
_NIGHT: Final = np.repeat((False, True), (8, 4))
_BRIGHT: Final = (120.0, 60.0)
_CLOUDS: Final = 0.1
_GRAIN: Final = 0.03
_PEOPLE: Final = (40.0, 4.0)
_BUSY: Final = 0.2
_WEEKEND: Final = 0.6


def bright(dice: np.random.Generator, days: int, memory: float) -> Floats:
    """Mean brightness of each hour that is neither dawn nor dusk, (days, 12): days differ by a tenth, nights less."""
    usual = np.where(_NIGHT, _BRIGHT[1], _BRIGHT[0])
    clouds = _CLOUDS * _weather(dice, days, memory) * np.where(_NIGHT, 0.3, 1.0)
    return np.asarray(usual * np.exp(clouds + _GRAIN * dice.standard_normal((days, len(_NIGHT)))), np.float64)


def followed(dice: np.random.Generator, days: int, memory: float) -> Floats:
    """How many things are followed in each hour, (days, 12): days differ by a fifth, weekends have fewer."""
    usual = np.where(_NIGHT, _PEOPLE[1], _PEOPLE[0])
    weekend = np.where(np.arange(days) % 7 >= 5, _WEEKEND, 1.0)[:, None]  # noqa: PLR2004 - Saturday and Sunday
    rate = usual * weekend * np.exp(_BUSY * _weather(dice, days, memory))
    return dice.poisson(rate).astype(np.float64)


def false_warnings(dice: np.random.Generator, memory: float, years: int) -> int:
    """How many warnings begin in so many camera-years in which nothing changes, looked at once a week."""
    weeks, count = 52 * years, 0
    for name in MEASURES:
        made = (followed if name == "followed" else bright)(dice, SEEN + 7 * weeks, memory)
        before = False
        for week in range(weeks):
            warns = warned(name, made[7 * week : 7 * week + SEEN]).warns
            count += warns and not before
            before = warns
    return count


def noticed_after(dice: np.random.Generator, name: str, factor: float, memory: float, days: int) -> int | None:
    """After how many days that are otherwise it warns for the first time, looked at daily; None: not within ``days``.

    The camera is as it always was for as long as is kept; from then on each value is ``factor`` times what it would be.
    """
    if name == "followed":
        made = followed(dice, SEEN + days, memory)
        made[SEEN:] = dice.binomial(made[SEEN:].astype(np.int64), factor)
    else:
        made = bright(dice, SEEN + days, memory)
        made[SEEN:] *= factor
    for after in range(1, days + 1):
        found = warned(name, made[after : after + SEEN])
        if found.warns and found.since is not None and found.since < min(after, LATELY) and not found.more:
            return after
    return None


def _weather(dice: np.random.Generator, days: int, memory: float) -> Floats:
    """(days, 1), standard normal, each correlated with the one before."""
    found = dice.standard_normal(days)
    for day in range(1, days):
        found[day] = memory * found[day - 1] + np.sqrt(1 - memory**2) * found[day]
    return found[:, None]
