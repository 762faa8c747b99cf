"""What every benchmark shares: the form of a figure, and intervals for shares and quantiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

Figure = dict[str, Any]

_Z = 1.96


def figure(
    name: str,
    value: float | None,
    target: float | None = None,
    *,
    better: str = "lower",
    unit: str = "ratio",
    interval: Sequence[float] | None = None,
    n: int = 0,
    against: str | None = None,
    note: str = "",
) -> Figure:
    """One figure in the form of every ``--json`` output."""
    met = None
    if target is not None and value is not None:
        met = value <= target if better == "lower" else value >= target
    return {
        "name": name,
        "value": None if value is None else round(value, 4),
        "unit": unit,
        "better": better,
        "target": target,
        "ok": met,
        "interval": None if interval is None else [round(v, 4) for v in interval],
        "n": n,
        "against": against,
        "note": note,
    }


def wilson(k: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval (1927) for a share of ``k`` in ``n``."""
    if not n:
        return 0.0, 1.0
    p = k / n
    middle, half = p + _Z * _Z / (2 * n), _Z * math.sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n))
    scale = 1 + _Z * _Z / n
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of ``values`` do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def quantile_interval(values: Sequence[float], share: float) -> tuple[float, float]:
    """A 95 % interval for a quantile from order statistics (normal approximation to the binomial ranks).

    Where there are too few values for the upper rank, it is the largest value: the interval is then too short.
    """
    ordered, n = sorted(values), len(values)
    spread = _Z * math.sqrt(n * share * (1 - share))
    low, high = math.floor(n * share - spread), math.ceil(n * share + spread)
    return ordered[min(n - 1, max(0, low - 1))], ordered[min(n - 1, max(0, high))]
