"""Detectors of change: they never stop, and warn falsely no sooner than after a stated time in the mean.

A test of ``sequential`` asks whether a limit was ever broken, so a long good history speaks against every crossing that
comes after. A detector asks whether something has *begun* to be otherwise: it sums what a test would say that had begun
at each moment so far (A. N. Shiryaev, Theory of Probability and its Applications 8 (1963), 22-46; S. W. Roberts,
Technometrics 8 (1966), 411-430). With e-processes in place of likelihood ratios the sum M satisfies E[M at t] <= E[t]
at any stopping time t while nothing has changed, so where it warns at M >= c the mean time to a false warning, its
average run length, is at least c (Shin, Ramdas and Rinaldo, "E-detectors: a nonparametric framework for sequential
change detection", New England Journal of Statistics in Data Science 2 (2024), 229-260). A mean, not a promise for each
time: some false warnings come sooner.

Whoever bets gives *steps*: for each observation the logarithm of a bet's gain, one for each alternative, of which the
gain's mean is at most 1 while nothing has changed. ``after`` takes one observation; ``level`` is log M.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchglass.core.errors import BadInput
from watchglass.statistics.evalues import ALTERNATIVES, DIGITS, THOUSAND, shares

Floats = NDArray[np.float64]

SHIFTS: Final = (-2.0, -1.5, -1.0, -0.75, -0.5, 0.5, 0.75, 1.0, 1.5, 2.0)
"""By how much the log odds of what came true may differ from what was said: the alternatives of ``forecast_steps``."""


def begin(alternatives: int = ALTERNATIVES) -> Floats:
    """A detector that has seen nothing: the logarithm of each alternative's sum."""
    return np.full(alternatives, -np.inf)


def after(logs: Floats, steps: ArrayLike) -> Floats:
    """The detector after one more observation: each sum s becomes gain * (s + 1).

    Args:
        logs: (..., alternatives). steps: the logarithms of the gains, of a shape that fits.
    """
    return np.asarray(np.asarray(steps, np.float64) + np.logaddexp(0.0, logs), np.float64)


def level(logs: Floats) -> Floats:
    """Log of the mean over the alternatives, to nine decimals: it warns at the logarithm of the average run length."""
    most = np.maximum(logs.max(-1, keepdims=True), -1e300)
    return np.asarray(np.round(most[..., 0] + np.log(np.exp(logs - most).mean(-1)), DIGITS), np.float64)


def warns_at(run_length: float) -> float:
    """What ``level`` has to reach so that false warnings come after ``run_length`` observations or more, in the mean.

    Raises:
        BadInput: that is no run length.
    """
    if not (math.isfinite(run_length) and run_length > 1):
        raise BadInput(f"{run_length} is no run length.", fix="Give how many observations, more than one.")
    return round(math.log(run_length), DIGITS)


def share_steps(limit: int, bad: ArrayLike) -> Floats:
    """Bets that more than ``limit`` thousandths are bad, with the alternatives of ``sequential``: (..., alternatives).

    Args:
        limit: 1 to 999. bad: whether each was, any shape.
    """
    p, q = limit / THOUSAND, shares(limit, worse=True)
    chosen = np.where(np.asarray(bad, np.bool_)[..., None], np.log(q / p), np.log((1 - q) / (1 - p)))
    return np.asarray(chosen, np.float64)


def count_steps(count: ArrayLike, expected: ArrayLike, *, more: bool) -> Floats:
    """Bets that more comes than is expected, or less: exp(-(r-1) expected) r^count, r or 1/r is (j + 1/2)/64.

    Its mean is at most 1 where counts are Poisson with a mean of at most ``expected`` (at least, for less).

    Args:
        count: how many came, any shape. expected: above 0, of a shape that fits.
    """
    apart = (np.arange(ALTERNATIVES) + 0.5) / ALTERNATIVES
    r = 1 / apart if more else apart
    mean = np.asarray(expected, np.float64)[..., None]
    return np.asarray(np.asarray(count, np.float64)[..., None] * np.log(r) - (r - 1) * mean, np.float64)


def forecast_steps(said: ArrayLike, came: ArrayLike) -> Floats:
    """Bets against what was said: that the log odds of what comes true differ from it by one of ``SHIFTS``.

    Where each outcome has exactly the chance that was said, whatever came before, each gain has the mean 1 (S. Arnold,
    A. Henzi and J. F. Ziegel, "Sequentially valid tests for forecast calibration", Annals of Applied Statistics 17
    (2023), 1909-1935, bet likewise).

    Args:
        said: chances strictly between 0 and 1, any shape. came: whether it came true, of the same shape.
    """
    p = np.asarray(said, np.float64)[..., None]
    odds = p / (1 - p) * np.exp(np.asarray(SHIFTS))
    q = odds / (1 + odds)
    chosen = np.where(np.asarray(came, np.bool_)[..., None], np.log(q / p), np.log((1 - q) / (1 - p)))
    return np.asarray(chosen, np.float64)
