"""The two functions behind exact intervals: the regularised incomplete beta and gamma functions. Pure Python.

A library has them too (SciPy, 35 MB to fetch); these two are all that is needed here, and published tables are their
test (ADR 39).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from watchglass.core.errors import Problem

_TINY: Final = 1e-300
_CLOSE: Final = 1e-15
_MOST: Final = 100_000
_HALVINGS: Final = 200


def beta_share(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b): the chance that a Beta(a, b) variable is at most ``x``.

    The continued fraction of DLMF 8.17.22 (https://dlmf.nist.gov/8.17), evaluated by Lentz's method as modified by
    Thompson and Barnett (Journal of Computational Physics 64 (1986), 490-509). ``a`` and ``b`` are positive.
    """
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - beta_share(b, a, 1 - x)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x) - math.log(a)
    )

    def part(step: int) -> tuple[float, float]:
        m, odd = divmod(step, 2)
        if odd:
            return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), 1.0
        return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), 1.0

    return front / _lentz(1.0, part)


def gamma_share(a: float, x: float) -> float:
    """The regularised lower incomplete gamma function P(a, x): the chance that a Gamma(a) variable is at most ``x``.

    The series of DLMF 8.7.1 below ``a + 1``, the continued fraction of DLMF 8.9.2 above (https://dlmf.nist.gov/8.9).
    """
    if x <= 0:
        return 0.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        step = a
        while term > total * _CLOSE:
            step += 1
            term *= x / step
            total += term
        return front * total
    return 1.0 - front / _lentz(x + 1 - a, lambda step: (-step * (step - a), x + 2 * step + 1 - a))


def root(rising: Callable[[float], float], goal: float, low: float, high: float) -> float:
    """Where a rising function takes the value ``goal``, between two ends, by halving to the last place."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        low, high = (middle, high) if rising(middle) < goal else (low, middle)
    return (low + high) / 2


def _lentz(first: float, part: Callable[[int], tuple[float, float]]) -> float:
    """The value of first + a1/(b1 + a2/(b2 + ...)), where ``part(j)`` is (aj, bj)."""
    value = first or _TINY
    above, below = value, 0.0
    for step in range(1, _MOST):
        a, b = part(step)
        below = 1 / (b + a * below or _TINY)
        above = b + a / above or _TINY
        value *= above * below
        if abs(above * below - 1) < _CLOSE:
            return value
    raise Problem("An exact interval did not settle.", fix="Use a score interval for counts as large as these.")
