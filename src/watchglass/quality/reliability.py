"""Whether what was said of alerts is what came true: the CORP reliability diagram and what the Brier score is made of.

T. Dimitriadis, T. Gneiting and A. I. Jordan, "Stable reliability diagrams for probabilistic classifiers", PNAS 118
(2021), e2016191118: forecasts are calibrated anew by isotonic regression (pool adjacent violators), which needs no
choice of bins, and the mean score S falls into

    S = MCB - DSC + UNC,   MCB = S - S_C,   DSC = S_R - S_C,   UNC = S_R,

where S_C is the score of the calibrated forecast and S_R that of the one number that fits all (the share that was
right). Miscalibration is what could be gained by calibrating anew; discrimination is what the forecasts tell apart;
uncertainty is how hard the question is. All three are 0 or more.

The band shows where the curve would lie if the forecasts were right: outcomes drawn from them, again and again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from watchglass.core.errors import BadInput

FEWEST: Final = 30
DRAWS: Final = 200
_BAND: Final = (0.05, 0.95)
_DIGITS: Final = 4

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Step:
    """Forecasts that the calibration pools: ``right`` of ``n`` came true where ``least`` to ``most`` was said.

    Attributes:
        share: right / n. low, high: the middle 90 % of that, were the forecasts right.
    """

    least: float
    most: float
    n: int
    right: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Decomposed:
    """The mean Brier score of forecasts and its parts: score = miscalibration - discrimination + uncertainty."""

    score: float
    miscalibration: float
    discrimination: float
    uncertainty: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """What forecasts were worth.

    Attributes:
        n, right: how many, and how many came true.
        steps: the curve, from what was said least to what was said most.
        score: the mean Brier score; it is miscalibration - discrimination + uncertainty.
    """

    n: int
    right: int
    steps: tuple[Step, ...]
    score: float
    miscalibration: float
    discrimination: float
    uncertainty: float


def reliability(
    said: Sequence[float], right: Sequence[bool], *, random: np.random.Generator, fewest: int = FEWEST
) -> Reliability | None:
    """The diagram of forecasts and what came true; None with fewer than ``fewest``.

    Args:
        said: each forecast, 0..1.
        right: for each whether it came true.
        random: for the band.

    Raises:
        BadInput: the two are not of one length, or a forecast is none.
    """
    if len(said) != len(right) or any(not 0 <= each <= 1 for each in said):
        raise BadInput("That is no forecast.", fix="Give a share from 0 to 1 for each, and whether it came true.")
    if len(said) < max(1, fewest):
        return None
    forecasts, weights, came = _pooled(said, right)
    fitted = isotonic(came / weights, weights)
    parts = _decomposed(forecasts, came, weights, fitted)
    draws = [isotonic(random.binomial(weights.astype(int), forecasts) / weights, weights) for _ in range(DRAWS)]
    low, high = np.quantile(np.stack(draws), _BAND, axis=0)
    steps = _steps(forecasts, came, weights, fitted, low, high)
    return Reliability(
        len(said),
        int(came.sum()),
        steps,
        parts.score,
        parts.miscalibration,
        parts.discrimination,
        parts.uncertainty,
    )


def decompose(said: Sequence[float], right: Sequence[bool]) -> Decomposed:
    """What forecasts were worth, without a diagram: of one or more.

    Raises:
        BadInput: as for ``reliability``, or there are none.
    """
    if not said or len(said) != len(right) or any(not 0 <= each <= 1 for each in said):
        raise BadInput("That is no forecast.", fix="Give a share from 0 to 1 for each, and whether it came true.")
    forecasts, weights, came = _pooled(said, right)
    return _decomposed(forecasts, came, weights, isotonic(came / weights, weights))


def _pooled(said: Sequence[float], right: Sequence[bool]) -> tuple[Floats, Floats, Floats]:
    """Each forecast once, how often it was given, and how often it came true then."""
    forecasts, where = np.unique(np.round(np.asarray(said, float), _DIGITS), return_inverse=True)
    weights: Floats = np.bincount(where).astype(np.float64)
    return forecasts, weights, np.bincount(where, weights=np.asarray(right, float)).astype(np.float64)


def _decomposed(forecasts: Floats, came: Floats, weights: Floats, fitted: Floats) -> Decomposed:
    share = float(came.sum() / weights.sum())
    score = _brier(forecasts, came, weights)
    best, plain = _brier(fitted, came, weights), share * (1 - share)
    return Decomposed(score, score - best, plain - best, plain)


def isotonic(values: Floats, weights: Floats) -> Floats:
    """The rising values that fit best (weighted least squares), by pooling adjacent violators; as many as came in."""
    pooled: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        mean, mass, size = value, weight, 1
        while pooled and pooled[-1][0] >= mean:
            before, had, count = pooled.pop()
            mean = (before * had + mean * mass) / (had + mass)
            mass, size = had + mass, count + size
        pooled.append((mean, mass, size))
    return np.repeat([mean for mean, _, _ in pooled], [size for _, _, size in pooled])


def _brier(forecasts: Floats, came: Floats, weights: Floats) -> float:
    """The mean of (forecast - outcome) squared, where ``came`` of ``weights`` had the outcome 1."""
    total = came * (1 - forecasts) ** 2 + (weights - came) * forecasts**2
    return float(total.sum() / weights.sum())


def _steps(
    forecasts: Floats, came: Floats, weights: Floats, fitted: Floats, low: Floats, high: Floats
) -> tuple[Step, ...]:
    edges = np.flatnonzero(np.diff(fitted)) + 1
    made = []
    for part in np.split(np.arange(len(forecasts)), edges):
        n, right = int(weights[part].sum()), int(came[part].sum())
        mass = weights[part] / weights[part].sum()
        ends = float((low[part] * mass).sum()), float((high[part] * mass).sum())
        made.append(Step(float(forecasts[part[0]]), float(forecasts[part[-1]]), n, right, right / n, *ends))
    return tuple(made)
