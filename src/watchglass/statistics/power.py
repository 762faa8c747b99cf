"""How long a test takes: on the typical path, at once, and exactly, alert by alert.

The *typical path* has exactly the true share of bad ones at every moment. Where its e-value first reaches 1/alpha takes
a millisecond to find, so the charter's lint can say it. Chance crosses on the way there, so it is later than the median
(205 alerts where the median is 156, at twice a limit of .05): a delay that is promised is not too short.

``crossings`` is exact: for independent outcomes the chance of crossing at each alert follows from the counts alone, by
going forward alert by alert and taking out what has crossed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from watchglass.core.errors import BadInput
from watchglass.statistics.evalues import THOUSAND, count_log_e, disparity_log_e, share_log_e, threshold

NEVER: Final = 10_000_000
"""Nobody waits for so many alerts; what takes longer is said to be never."""

_STEPS_A_WEEK: Final = 1000


def twice_as_bad(limit: int) -> int:
    """The share of bad ones of a detector twice as bad as its limit, in thousandths.

    Twice the limit, and no further than halfway from the limit to always wrong.
    """
    return min(2 * limit, (THOUSAND + limit) // 2)


def alerts_to_notice(limit: int, truth: float, alpha: float) -> int | None:
    """After how many final alerts ``AtMost`` typically crosses; None where never.

    Args:
        limit: thousandths.
        truth: the true share of bad ones, 0..1.
        alpha: this test's share of the charter's alpha.
    """
    _a_share(truth)
    if truth <= limit / THOUSAND:
        return None
    return _first(lambda n: float(share_log_e(limit, n * truth, n, worse=True)), threshold(alpha))


def alerts_to_earn_trust(limit: int, truth: float, alpha: float) -> int | None:
    """After how many final alerts ``EarnsTrust`` typically crosses; None where never."""
    _a_share(truth)
    if truth >= limit / THOUSAND:
        return None
    return _first(lambda n: float(share_log_e(limit, n * truth, n, worse=False)), threshold(alpha))


def weeks_to_notice_count(limit: int, truth: float, alpha: float) -> float | None:
    """After how many weeks ``CountAtMost`` typically crosses; None where never.

    Args:
        limit: thousandths a week.
        truth: how many a week there truly are.
        alpha: this test's share of the charter's alpha.
    """
    if truth <= limit / THOUSAND:
        return None
    parts = _first(lambda n: float(count_log_e(limit, truth * n / _STEPS_A_WEEK, n / _STEPS_A_WEEK)), threshold(alpha))
    return None if parts is None else parts / _STEPS_A_WEEK


def alerts_to_notice_disparity(
    limit: int, truths: tuple[float, float], alpha: float, *, first_share: float = 0.5
) -> int | None:
    """After how many final alerts of both strata together ``Disparity`` typically crosses; None where never.

    Args:
        limit: thousandths, 1000 or more.
        truths: the true share of bad ones in either stratum.
        alpha: this test's share of the charter's alpha.
        first_share: how much of all alerts is in the first stratum.
    """
    _a_share(*truths, first_share)
    if max(truths) * THOUSAND <= limit * min(truths):
        return None
    counts = np.array([first_share, 1 - first_share])
    return _first(lambda n: float(disparity_log_e(limit, n * counts * np.array(truths), n * counts)), threshold(alpha))


def weeks(alerts: int | None, per_week: float) -> float | None:
    """How many weeks so many alerts take; None where never."""
    if per_week < 0:
        raise BadInput(f"{per_week} alerts a week cannot be.", fix="Give how many alerts a week you expect.")
    return None if alerts is None or per_week == 0 else alerts / per_week


@functools.lru_cache(maxsize=64)
def boundary(limit: int, alpha: float, most: int, *, worse: bool = True) -> NDArray[np.int64]:
    """At how many bad ones of n the test of a share crosses, (most + 1,), for n = 0 to ``most``.

    ``AtMost`` (worse) crosses at so many or more, and n + 1 says that it cannot; ``EarnsTrust`` at so many or fewer,
    and -1 says that it cannot. One bad one more never lowers the first and one good one more never raises it, so each
    step of n moves the boundary by one at most. It is kept, and may not be written to.
    """
    if worse:
        found = _upper(lambda k, n: float(share_log_e(limit, k, n, worse=True)), threshold(alpha), most)
    else:
        good = _upper(lambda k, n: float(share_log_e(limit, n - k, n, worse=False)), threshold(alpha), most)
        found = np.arange(most + 1) - good
    found.setflags(write=False)
    return found


def crossings(edge: NDArray[np.int64], truth: float, *, worse: bool = True) -> NDArray[np.float64]:
    """The chance that a test first crosses at exactly n, for independent outcomes: (most + 1,).

    Args:
        edge: what ``boundary`` gave.
        truth: the true share of bad ones, 0..1.
        worse: as for ``boundary``.
    """
    _a_share(truth)
    found = np.zeros(len(edge))
    chance = np.zeros(len(edge) + 1)
    chance[0] = 1.0
    for n in range(1, len(edge)):
        chance[1 : n + 1] = chance[1 : n + 1] * (1 - truth) + chance[:n] * truth
        chance[0] *= 1 - truth
        out = slice(edge[n], n + 1) if worse else slice(0, edge[n] + 1)
        found[n] = chance[out].sum()
        chance[out] = 0.0
    return found


def median_alerts(chances: NDArray[np.float64]) -> int | None:
    """By which alert half of all have crossed; None where fewer than half do."""
    total = np.cumsum(chances)
    place = int(np.searchsorted(total, 0.5))
    return place if place < len(total) else None


def _upper(log_e: Callable[[int, int], float], needed: float, most: int) -> NDArray[np.int64]:
    found = np.zeros(most + 1, np.int64)
    k = 0
    for n in range(most + 1):
        while k <= n and log_e(k, n) < needed:
            k += 1
        found[n] = k
    return found


def _first(log_e: Callable[[int], float], needed: float) -> int | None:
    """The first n at which a path that rises in the long run is at ``needed``: doubled, then halved."""
    high = 1
    while log_e(high) < needed:
        high *= 2
        if high > NEVER:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if log_e(middle) >= needed else (middle, high)
    return high


def _a_share(*values: float) -> None:
    if not all(0 <= value <= 1 for value in values):
        raise BadInput("A share lies between 0 and 1.", fix="Give shares as 0.4, not as 40.")
