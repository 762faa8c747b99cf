"""Where things lie in the charts of rates: numbers for the templates, which draw them as SVG without any script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from watchglass.quality.rates import Week
from watchglass.quality.reliability import Reliability

WIDTH: Final = 400
HEIGHT: Final = 110
"""Of the chart of weeks; shares lie between ``TOP`` and ``BOTTOM``."""
TOP: Final = 8.0
BOTTOM: Final = 92.0
_LEFT: Final = 46.0
_RIGHT: Final = 8.0

SQUARE: Final = 240
"""Of the reliability diagram: its corners are (0, 0) below left and (1, 1) above right, within ``EDGE``."""
EDGE: Final = 20.0


@dataclass(frozen=True, slots=True)
class Dot:
    """One week: where it stands, and its share with its interval; y is None where there was no final alert."""

    x: float
    y: float | None
    low: float
    high: float
    n: int


def dots(weeks: Sequence[Week]) -> tuple[Dot, ...]:
    """One dot a week, the oldest at the left."""
    step = (WIDTH - _LEFT - _RIGHT) / max(1, len(weeks))
    made = []
    for at, week in enumerate(weeks):
        x = round(_LEFT + step * (at + 0.5), 1)
        if week.low is None or week.high is None:
            made.append(Dot(x, None, BOTTOM, BOTTOM, 0))
            continue
        n = week.counted.final
        made.append(Dot(x, _y(week.counted.right / n), _y(week.low), _y(week.high), n))
    return tuple(made)


def _y(share: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * share, 1)


@dataclass(frozen=True, slots=True)
class Pool:
    """One step of the reliability diagram: a dot, its line from what was said least to most, and its band."""

    x: float
    y: float
    from_x: float
    to_x: float
    low: float
    high: float
    radius: float


def pools(found: Reliability) -> tuple[Pool, ...]:
    """One pool for each step; a dot's area grows with how many it is of."""
    most = max(step.n for step in found.steps)
    return tuple(
        Pool(
            _across((step.least + step.most) / 2),
            _up(step.share),
            _across(step.least),
            _across(step.most),
            _up(step.low),
            _up(step.high),
            round(3 + 6 * (step.n / most) ** 0.5, 1),
        )
        for step in found.steps
    )


def _across(share: float) -> float:
    return round(EDGE + (SQUARE - 2 * EDGE) * share, 1)


def _up(share: float) -> float:
    return round(SQUARE - EDGE - (SQUARE - 2 * EDGE) * share, 1)
