"""Intervals for shares, counts and ratios. Each names its source, and what it takes for granted.

All take what was seen as independent of each other; bursts of alike alerts make the truth less certain than they say.
None of them may be looked at again and again until it says what one likes: that is what ``sequential`` is for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

import numpy as np

from watchglass.core.errors import BadInput
from watchglass.statistics.evalues import likeliest_at
from watchglass.statistics.special import beta_share, gamma_share, root

ALPHA: Final = 0.05

Z95: Final = 1.959963984540054
"""The 97.5 % point of the standard normal distribution: a two-sided interval of 95 %."""

_FARTHEST: Final = 60.0


def z_of(alpha: float) -> float:
    """The normal quantile of a two-sided interval that misses with a chance of ``alpha``."""
    _level(alpha)
    return NormalDist().inv_cdf(1 - alpha / 2)


def wilson(k: float, n: float, z: float = Z95) -> tuple[float, float]:
    """The score interval for a share of which ``k`` of ``n`` were seen.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927), 209-212. It
    keeps its coverage on average at small n and near 0 and 1, where the textbook interval does not (Brown, Cai and
    DasGupta, "Interval estimation for a binomial proportion", Statistical Science 16 (2001), 101-133).

    Returns:
        (low, high), each in 0..1, with ``low <= k/n <= high``.

    Raises:
        BadInput: ``n`` is not positive, or ``k`` is not between 0 and ``n``.
    """
    _part(k, n)
    share = k / n
    square = z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    reach = z * math.sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    low = 0.0 if k == 0 else max(0.0, middle - reach)
    high = 1.0 if k == n else min(1.0, middle + reach)
    return low, high


def clopper_pearson(k: float, n: float, alpha: float = ALPHA) -> tuple[float, float]:
    """The exact interval for a share: it misses with a chance of at most ``alpha``, whatever the share.

    C. J. Clopper and E. S. Pearson, Biometrika 26 (1934), 404-413: the alpha/2 quantile of Beta(k, n-k+1) and the
    1-alpha/2 quantile of Beta(k+1, n-k). ``k`` and ``n`` may be effective sizes that are not whole.

    Raises:
        BadInput: as for ``wilson``, or a level that is none.
    """
    _part(k, n)
    _level(alpha)
    low = root(lambda p: beta_share(k, n - k + 1, p), alpha / 2, 0.0, k / n) if k > 0 else 0.0
    high = root(lambda p: beta_share(k + 1, n - k, p), 1 - alpha / 2, k / n, 1.0) if k < n else 1.0
    return low, high


def garwood(k: float, alpha: float = ALPHA) -> tuple[float, float]:
    """The exact interval for the mean of a Poisson count of ``k``.

    F. Garwood, Biometrika 28 (1936), 437-442: the alpha/2 quantile of Gamma(k) and the 1-alpha/2 quantile of
    Gamma(k+1). Divide by the exposure for a rate.

    Raises:
        BadInput: ``k`` is negative or not a number, or a level that is none.
    """
    if not (math.isfinite(k) and k >= 0):
        raise BadInput(f"{k} is not a count.", fix="Count from 0 on.")
    _level(alpha)
    most = k + 10 + 40 * math.sqrt(k + 1) - 2 * math.log(alpha)
    low = root(lambda mean: gamma_share(k, mean), alpha / 2, 0.0, k) if k > 0 else 0.0
    return low, root(lambda mean: gamma_share(k + 1, mean), 1 - alpha / 2, k, most)


def rule_of_three(exposure: float, alpha: float = ALPHA) -> float:
    """The rate below which it lies where nothing was seen in so much exposure: about 3/exposure at 95 %.

    Hanley and Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA 249 (1983), 1743-1745; exactly
    -log(alpha)/exposure, one-sided.
    """
    if not (math.isfinite(exposure) and exposure > 0):
        raise BadInput("Without exposure nothing can be said.", fix="Watch for some time first.")
    _level(alpha)
    return -math.log(alpha) / exposure


def ratio_of_shares(
    first: tuple[float, float], second: tuple[float, float], alpha: float = ALPHA
) -> tuple[float, float]:
    """The score interval for how many times the second share the first one is. The upper end may be infinite.

    P. A. R. Koopman, "Confidence intervals for the ratio of two binomial proportions", Biometrics 40 (1984), 513-517.

    Args:
        first: (k, n).
        second: (k, n).
        alpha: the chance to miss.
    """
    _part(*first)
    _part(*second)
    needed = z_of(alpha) ** 2
    k, m = first[0] / first[1], second[0] / second[1]
    if k == 0 and m == 0:
        return 0.0, math.inf
    middle = math.log(k / m) if k and m else (-_FARTHEST if m else _FARTHEST)

    def away(log_ratio: float) -> float:
        return _koopman(math.exp(log_ratio), first, second)

    low = math.exp(root(lambda x: -away(x), -needed, -_FARTHEST, middle)) if k else 0.0
    high = math.exp(root(away, needed, middle, _FARTHEST)) if m else math.inf
    return low, high


def ratio_of_rates(
    first: tuple[float, float], second: tuple[float, float], alpha: float = ALPHA
) -> tuple[float, float]:
    """The exact interval for how many times the second rate the first one is, given (count, exposure) of each.

    Given the sum of two Poisson counts the first is binomial (J. Przyborowski and H. Wilenski, Biometrika 31 (1940),
    313-323), so the ends are those of Clopper and Pearson. The upper end may be infinite.
    """
    if min(first[0], second[0]) < 0 or min(first[1], second[1]) <= 0:
        raise BadInput("A rate needs a count from 0 on and some exposure.", fix="Give (count, exposure) of each.")
    total = first[0] + second[0]
    if not total:
        return 0.0, math.inf
    scale = second[1] / first[1]
    low, high = clopper_pearson(first[0], total, alpha)
    return low / (1 - low) * scale if low < 1 else math.inf, high / (1 - high) * scale if high < 1 else math.inf


def simultaneous(shares: Sequence[tuple[int, int]], alpha: float = ALPHA) -> tuple[tuple[float, float], ...]:
    """Exact intervals for several shares (k, n) that all hold together with a chance of at least 1 - alpha.

    Each has the level alpha/m (Bonferroni: the chances to miss add up, whatever the groups have to do with each other).
    """
    return tuple(clopper_pearson(k, n, alpha / len(shares)) for k, n in shares)


def _koopman(ratio: float, first: tuple[float, float], second: tuple[float, float]) -> float:
    """How far both shares are from the likeliest pair with exactly this ratio: Pearson's chi-squared."""
    bad, n = np.array([first[0], second[0]], float), np.array([first[1], second[1]], float)
    p = likeliest_at(ratio, bad, n)
    spread = n * p * (1 - p)
    far = (bad - n * p) ** 2
    return float(np.where(spread > 0, far / np.where(spread > 0, spread, 1.0), np.where(far > 0, np.inf, 0.0)).sum())


def _part(k: float, n: float) -> None:
    if not (math.isfinite(n) and n > 0 and 0 <= k <= n):
        raise BadInput(f"{k} of {n} is not a share.", fix="Count what was so among at least one thing.")


def _level(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise BadInput(f"{alpha} is no level.", fix="Use 0.05 for an interval that holds in 19 cases of 20.")
