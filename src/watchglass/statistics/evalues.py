"""E-values from counts: the formulas behind ``sequential``, for one count or whole arrays of them. Natural logarithms.

Rounded to nine decimals, so that machines whose ``exp`` differs in the last place agree.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from watchglass.core.errors import BadInput

Floats = NDArray[np.float64]

THOUSAND: Final = 1000
ALTERNATIVES: Final = 64
DIGITS: Final = 9


def threshold(alpha: float) -> float:
    """What ``log_e`` has to reach: log(1/alpha).

    Raises:
        BadInput: alpha is not a chance between 0 and 1.
    """
    if not 0 < alpha < 1:
        raise BadInput(f"{alpha} is not a chance of error.", fix="Give alpha between 0 and 1, for example 0.05.")
    return round(-math.log(alpha), DIGITS)


def shares(limit: int, *, worse: bool) -> Floats:
    """The alternatives to a share of ``limit`` thousandths: 64 shares of equal weight, on one side of it.

    The smaller of the two odds over the larger is (j + 1/2)/64, j = 0 to 63.
    """
    p = limit / THOUSAND
    apart = _apart()
    odds = p / (1 - p) / apart if worse else p / (1 - p) * apart
    return np.asarray(odds / (1 + odds), np.float64)


def share_log_e(limit: int, bad: ArrayLike, n: ArrayLike, *, worse: bool) -> Floats:
    """Log of the mean over the alternatives q of (q/p)^bad ((1-q)/(1-p))^(n-bad), p the limit.

    Args:
        limit: thousandths.
        bad: bad ones, any shape; need not be whole (typical paths are not).
        n: all of them, of a shape that fits.
        worse: whether the alternatives lie above the limit, or below it.
    """
    gains, losses = _steps(limit, worse)
    k = np.asarray(bad, np.float64)[..., None]
    rest = np.asarray(n, np.float64)[..., None] - k
    return _mean_exp(k * gains + rest * losses)


def count_log_e(limit: int, count: ArrayLike, weeks: ArrayLike) -> Floats:
    """Log of the mean over the alternatives r > 1 of exp(-(r-1) limit weeks) r^count; ``limit`` in thousandths a week.

    1/r is (j + 1/2)/64, j = 0 to 63.
    """
    r = 1 / _apart()
    expected = np.asarray(weeks, np.float64)[..., None] * (limit / THOUSAND)
    return _mean_exp(np.asarray(count, np.float64)[..., None] * np.log(r) - (r - 1) * expected)


def disparity_log_e(limit: int, bad: ArrayLike, n: ArrayLike) -> Floats:
    """Log of the running prediction of two strata's outcomes over the most that shares within the ratio could give.

    Args:
        limit: thousandths, 1000 or more.
        bad: bad ones, (..., 2).
        n: all of them, (..., 2).
    """
    k, m = np.asarray(bad, np.float64), np.asarray(n, np.float64)
    predicted = (_log_gamma(k + 0.5) + _log_gamma(m - k + 0.5) - _log_gamma(m + 1) - math.log(math.pi)).sum(-1)
    return np.asarray(np.round(predicted - most_likely(limit / THOUSAND, k, m), DIGITS), np.float64)


def most_likely(ratio: float, bad: Floats, n: Floats) -> Floats:
    """The largest log-likelihood of two shares p and q with p <= ratio q and q <= ratio p.

    Where what was seen breaks the ratio, the largest is where the ratio is just kept, p = ratio q: the smaller root of
    ratio N q² - ((a + b)(1 + ratio) + ratio c + d) q + (a + b) = 0, with a, b bad ones, c, d good ones, and N all.

    Args:
        ratio: at least 1.
        bad: (..., 2).
        n: (..., 2).
    """
    free = _log_likelihood(bad, n, np.divide(bad, n, out=np.zeros_like(bad + n), where=n > 0))
    first = _log_likelihood(bad, n, likeliest_at(ratio, bad, n))
    second = _log_likelihood(bad[..., ::-1], n[..., ::-1], likeliest_at(ratio, bad[..., ::-1], n[..., ::-1]))
    a, b = bad[..., 0] * n[..., 1], bad[..., 1] * n[..., 0]
    return np.where(a > ratio * b, first, np.where(b > ratio * a, second, free))


def likeliest_at(ratio: float, bad: Floats, n: Floats) -> Floats:
    """The likeliest pair of shares (..., 2) of which the first is exactly ``ratio`` times the second, from counts."""
    wrong, good = bad.sum(-1), n - bad
    middle = wrong * (1 + ratio) + ratio * good[..., 0] + good[..., 1]
    every = np.maximum(ratio * n.sum(-1), np.finfo(np.float64).tiny)
    root = np.sqrt(np.maximum(middle * middle - 4 * every * wrong, 0.0))
    q = np.minimum(2 * wrong / np.maximum(middle + root, np.finfo(np.float64).tiny), 1 / ratio)
    return np.stack([np.minimum(ratio * q, 1.0), q], -1)


def _log_likelihood(bad: Floats, n: Floats, p: Floats) -> Floats:
    return np.asarray((_times_log(bad, p) + _times_log(n - bad, 1 - p)).sum(-1), np.float64)


def _times_log(times: Floats, p: Floats) -> Floats:
    """Times log(p), 0 where times is 0 and minus infinity where p alone is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(times > 0, times * np.log(np.maximum(p, 0.0)), 0.0)


def _log_gamma(x: Floats) -> Floats:
    """From a table where all are whole or half numbers, as counts give them; one by one where not."""
    twice = np.rint(2 * x).astype(np.int64)
    if (twice < _TABLE).all() and (twice == 2 * x).all():
        return _halves()[twice]
    return np.asarray(_LOG_GAMMA(x), np.float64)


_TABLE: Final = 20_000
_LOG_GAMMA: Final[Any] = np.vectorize(math.lgamma, otypes=[np.float64])


@functools.cache
def _halves() -> Floats:
    return np.array([math.inf] + [math.lgamma(i / 2) for i in range(1, _TABLE)])


def _mean_exp(logs: Floats) -> Floats:
    """Log of the mean of exp along the last axis, rounded."""
    most = logs.max(-1, keepdims=True)
    return np.asarray(np.round(most[..., 0] + np.log(np.exp(logs - most).mean(-1)), DIGITS), np.float64)


def _apart() -> Floats:
    return (np.arange(ALTERNATIVES) + 0.5) / ALTERNATIVES


@functools.lru_cache(maxsize=256)
def _steps(limit: int, worse: bool) -> tuple[Floats, Floats]:
    """By how much a bad and a good one move each alternative's log-likelihood against the limit's."""
    p, q = limit / THOUSAND, shares(limit, worse=worse)
    return np.log(q / p), np.log((1 - q) / (1 - p))
