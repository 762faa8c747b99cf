"""How many of a whole are marked, when some of it were drawn and looked at: exact, for any size."""

from __future__ import annotations

import math
from collections.abc import Callable

from watchglass.core.errors import BadInput
from watchglass.statistics.intervals import ALPHA


def marked_among(k: int, n: int, total: int, alpha: float = ALPHA) -> tuple[int, int]:
    """The exact interval for how many of ``total`` are marked, of which ``n`` were drawn at random and ``k`` were.

    The numbers for which neither tail of the hypergeometric distribution is as small as alpha/2 (W. G. Cochran,
    "Sampling techniques", 3rd edition (1977), section 3.6): it misses with a chance of at most ``alpha``, whatever the
    truth, because the whole is finite and the draw is the only chance in it.

    Raises:
        BadInput: fewer are marked or drawn than none, or more than there are; or a level that is none.
    """
    if not 0 <= k <= n <= total:
        raise BadInput(f"{k} of {n} of {total} cannot be.", fix="Draw from the whole, and count among what was drawn.")
    if not 0 < alpha < 1:
        raise BadInput(f"{alpha} is no level.", fix="Use 0.05 for an interval that holds in 19 cases of 20.")
    if n == 0:
        return 0, total
    least, most = k, total - n + k
    low = _first(least, most, lambda marked: _tail(k, n, total, marked, upper=True) > alpha / 2)
    high = _first(least, most, lambda marked: _tail(k, n, total, marked, upper=False) <= alpha / 2)
    return low, high if _tail(k, n, total, high, upper=False) > alpha / 2 else high - 1


def _first(low: int, high: int, so: Callable[[int], bool]) -> int:
    """The first number from ``low`` on for which it is so, and stays so; ``high`` where it never is."""
    while low < high:
        middle = (low + high) // 2
        if so(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _tail(k: int, n: int, total: int, marked: int, *, upper: bool) -> float:
    """The chance of ``k`` or more, or of ``k`` or fewer, where so many are marked."""
    fewest, most = max(0, n - (total - marked)), min(n, marked)
    span = range(max(k, fewest), most + 1) if upper else range(fewest, min(k, most) + 1)
    whole = _ways(total, n)
    return math.fsum(math.exp(_ways(marked, i) + _ways(total - marked, n - i) - whole) for i in span)


def _ways(of: int, chosen: int) -> float:
    """The logarithm of the binomial coefficient."""
    return math.lgamma(of + 1) - math.lgamma(chosen + 1) - math.lgamma(of - chosen + 1)
