"""Alerts by chance, verdicts that come late, and where a test first crosses: the arrays behind ``simulate``.

Outcomes are (runs, alerts), true where an alert is wrong. Randomness comes in as a generator.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from watchglass.quality.drift import Watch
from watchglass.statistics.detectors import after, level, share_steps, warns_at
from watchglass.statistics.evalues import count_log_e, disparity_log_e, threshold
from watchglass.statistics.special import beta_share

Bools = NDArray[np.bool_]
Whole = NDArray[np.int64]
Floats = NDArray[np.float64]

NEVER: Final = 0
"""Stands for "did not cross" where alerts are counted from 1."""

_AT_ONCE: Final = 250
_HALVINGS: Final = 60


def outcomes(dice: np.random.Generator, share: float, runs: int, alerts: int, *, burst: int = 1) -> Iterator[Bools]:
    """Alerts that are wrong with a chance of ``share``, some hundred runs at a time.

    Args:
        dice: where chance comes from.
        share: 0..1.
        runs: how many histories.
        alerts: how long each is.
        burst: how many alerts in a row have the same outcome; 1: each has its own.
    """
    for begin in range(0, runs, _AT_ONCE):
        count = min(_AT_ONCE, runs - begin)
        drawn = dice.random((count, -(-alerts // burst)), dtype=np.float32) < share
        yield np.repeat(drawn, burst, axis=1)[:, :alerts] if burst > 1 else drawn


def first_at(hit: Bools) -> Whole:
    """The number of the first alert at which something was so, from 1; ``NEVER`` where at none. (runs,)."""
    return np.where(hit.any(1), hit.argmax(1) + 1, NEVER).astype(np.int64)


def crossed_at(bad: Bools, edge: Whole, *, worse: bool = True) -> Whole:
    """After which alert a test with this boundary first crosses, taken one after another. (runs,)."""
    so_far = np.cumsum(bad, 1, dtype=np.int32)
    limit = edge[1 : bad.shape[1] + 1].astype(np.int32)
    return first_at(so_far >= limit if worse else so_far <= limit)


def crossed_when_final(bad: Bools, edge: Whole, late: int, *, worse: bool = True) -> tuple[Whole, Whole]:
    """In alert order, each once final: wrong ones are settled at once, right ones ``late`` alerts later.

    An alert is taken when it and all before it are final.

    Returns:
        how many alerts had been taken when it crossed, and how many had been raised by then; ``NEVER`` where it did not
        before the last alert was raised.
    """
    taken = crossed_at(bad, edge, worse=worse)
    waits = np.maximum.accumulate(_final(bad, late), axis=1)
    raised = np.take_along_axis(waits, np.maximum(taken - 1, 0)[:, None], 1)[:, 0].astype(np.int64)
    counts = (taken != NEVER) & (raised <= bad.shape[1])
    return np.where(counts, taken, NEVER), np.where(counts, raised, NEVER)


def crossed_as_told(bad: Bools, edge: Whole, late: int) -> Whole:
    """What happens where outcomes are taken in the order of verdicts: the mistake that is shown, not made."""
    final = _final(bad, late)
    order = np.argsort(final, axis=1, kind="stable")
    told = np.take_along_axis(bad, order, 1)
    known = np.take_along_axis(final, order, 1) <= bad.shape[1]
    hit = (np.cumsum(told, 1, dtype=np.int32) >= edge[1 : bad.shape[1] + 1].astype(np.int32)) & known
    return first_at(hit)


def _final(bad: Bools, late: int) -> NDArray[np.int16]:
    """After how many raised alerts each is final, (runs, alerts)."""
    return (np.arange(1, bad.shape[1] + 1, dtype=np.int16) + np.where(bad, 0, late).astype(np.int16)).astype(np.int16)


def peeking_edge(limit: float, alpha: float, most: int, every: int) -> Whole:
    """The boundary of the naive way: every so many alerts, is the exact lower bound of level 1 - alpha above the limit?

    One-sided, as our own tests are. Between looks nothing crosses.
    """
    edge = np.arange(1, most + 2)
    k = 0
    for n in range(every, most + 1, every):
        while k <= n and (k == 0 or beta_share(k, n - k + 1, limit) > alpha):
            k += 1
        edge[n] = k
    return edge


def two_sided_log_e(limit: float, bad: Bools) -> Floats:
    """The logarithm of a mixture over all shares, Beta(1, 1): not cut off at the limit, so better ones are accused too.

    (runs, alerts), after each alert.
    """
    k = np.cumsum(bad, 1, dtype=np.int64)
    n = np.arange(1, bad.shape[1] + 1)
    table = np.array([math.lgamma(i + 1) for i in range(bad.shape[1] + 2)])
    found = table[k] + table[n - k] - table[n + 1] - k * math.log(limit) - (n - k) * math.log(1 - limit)
    return np.asarray(found, np.float64)


def latest_weeks(limit: int, alpha: float, most: int) -> Floats:
    """By when the n-th must have come for ``CountAtMost`` to cross at it, in weeks: (most + 1,), n = 0 to ``most``."""
    count = np.arange(most + 1)
    low, high = np.zeros(most + 1), np.full(most + 1, 1000.0 * most / limit)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        crossed = count_log_e(limit, count, middle) >= threshold(alpha)
        low, high = np.where(crossed, middle, low), np.where(crossed, high, middle)
    return low


def weeks_until(dice: np.random.Generator, latest: Floats, a_week: float, weeks: float, runs: int) -> Floats:
    """After how many weeks a count limit is crossed, with wrong ones by chance at ``a_week``; infinite where not.

    Args:
        dice: where chance comes from.
        latest: what ``latest_weeks`` gave; long enough for ``weeks``.
        a_week: the true rate.
        weeks: for how long it is watched.
        runs: how many histories.
    """
    came = np.cumsum(dice.exponential(1 / a_week, (runs, len(latest) - 1)), 1)
    at = first_at((came <= latest[1:]) & (came <= weeks))
    when = np.take_along_axis(came, np.maximum(at - 1, 0)[:, None], 1)[:, 0]
    return np.where(at == NEVER, np.inf, when)


def disparity_crossed_at(
    dice: np.random.Generator, limit: int, shares: tuple[float, float], alpha: float, runs: int, alerts: int
) -> Whole:
    """After how many alerts of two strata, by chance half each, a ratio limit is crossed. (runs,)."""
    found = []
    for begin in range(0, runs, _AT_ONCE):
        count = min(_AT_ONCE, runs - begin)
        second = dice.random((count, alerts)) < 0.5  # noqa: PLR2004 (a half)
        bad = dice.random((count, alerts)) < np.where(second, shares[1], shares[0])
        n = np.stack([np.cumsum(~second, 1), np.cumsum(second, 1)], -1)
        k = np.stack([np.cumsum(bad & ~second, 1), np.cumsum(bad & second, 1)], -1)
        found.append(first_at(disparity_log_e(limit, k, n) >= threshold(alpha)))
    return np.concatenate(found)


def over(parts: Iterator[Bools], measure: Callable[[Bools], Whole]) -> Whole:
    """``measure`` of all parts, one after another."""
    return np.concatenate([measure(part) for part in parts])


def drift_warned_at(
    dice: np.random.Generator,
    before: float,
    since: float,
    good: int,
    runs: int,
    alerts: int,
    normal: int,
    run_length: float,
) -> Whole:
    """After which alert a watch of wrong ones first warns, counted from 1. (runs,).

    Args:
        before: the share of wrong ones in the first ``good`` alerts (in those that say what is normal, at least).
        since: afterwards. alerts: how long each history is. normal: so many say what is normal.
    """
    watched = [Watch("wrong", normal, int(k)).limit or 1 for k in range(normal + 1)]
    limits = np.array(watched)[dice.binomial(normal, before, runs)]
    gains = np.stack([share_steps(int(limit), [False, True]) for limit in limits])
    logs = np.full((runs, gains.shape[-1]), -np.inf)
    found, each = np.full(runs, NEVER, np.int64), np.arange(runs)
    for number in range(normal + 1, alerts + 1):
        bad = dice.random(runs) < (before if number <= good or not good else since)
        logs = after(logs, gains[each, bad.astype(np.int64)])
        found[(found == NEVER) & (level(logs) >= warns_at(run_length))] = number
    return found
