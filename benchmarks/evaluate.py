"""How good the house is on real recordings with truth. Collects what the parts measure, for ``watchglass eval``.

Every figure carries an interval: Wilson's for independent pictures; a bootstrap over blocks of consecutive frames for
video, whose frames are not independent.
"""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from watchglass.core.geometry import FloatArray, iou
from watchglass.perception.assign import FORBIDDEN, assign

Figure = dict[str, Any]
Progress = Callable[[str], None]

PARTS = ("tracking", "kinds", "gate", "falls", "objects", "calibration")
"""Each is a module ``evaluate_PART`` with ``figures(*, data, quick, progress) -> list[Figure]``; the last is also given
``before``: the figures of the others."""

_BLOCK = 25
_RESAMPLES = 1000


@dataclass(frozen=True)
class Counts:
    """What was found in one picture: found of those that are there, right of those that were claimed."""

    right: int
    claimed: int
    there: int


def match(found: FloatArray, truth: FloatArray) -> Counts:
    """One-to-one at IoU >= .5, exactly assigned."""
    overlap = iou(found, truth)
    cost = np.where(overlap >= 0.5, 1 - overlap, FORBIDDEN).astype(np.float64)
    return Counts(len(assign(cost)), len(found), len(truth))


def wilson(k: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval (1927)."""
    if not n:
        return 0.0, 1.0
    z, p = 1.96, k / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, (middle - half) / (1 + z * z / n)), min(1.0, (middle + half) / (1 + z * z / n))


def by_blocks(counts: list[Counts], seed: int = 1) -> dict[str, tuple[float, float, float]]:
    """Recall and precision with 95 % intervals from a bootstrap over blocks of consecutive frames."""
    blocks = np.array(
        [
            [sum(getattr(c, name) for c in counts[i : i + _BLOCK]) for name in ("right", "claimed", "there")]
            for i in range(0, len(counts), _BLOCK)
        ],
        float,
    )
    rng = np.random.default_rng(seed)
    sums = blocks[rng.integers(0, len(blocks), (_RESAMPLES, len(blocks)))].sum(axis=1)
    total = blocks.sum(axis=0)
    result = {}
    for name, column in (("recall", 2), ("precision", 1)):
        spread = sums[:, 0] / np.maximum(sums[:, column], 1)
        low, high = np.quantile(spread, [0.025, 0.975])
        result[name] = (float(total[0] / max(total[column], 1)), float(low), float(high))
    return result


def figure(
    name: str,
    value: float | None,
    target: float | None,
    interval: tuple[float, float] | None,
    n: int,
    note: str,
    **rest: Any,
) -> Figure:
    """One figure in the form of every ``--json`` output; ``rest`` replaces what is usual."""
    return {
        "name": name,
        "value": None if value is None else round(value, 4),
        "unit": "share",
        "better": "higher",
        "target": target,
        "ok": None if target is None or value is None else value >= target,
        "interval": None if interval is None else [round(interval[0], 4), round(interval[1], 4)],
        "n": n,
        "against": None,
        "note": note,
    } | rest


def figures(*, quick: bool, progress: Progress, only: Sequence[str] = ()) -> list[Figure]:
    """The figures of ``watchglass eval``. Where the data (``WATCHGLASS_DATA``) are absent each is null and says so.

    Args:
        quick: fewer frames and clips, wider intervals.
        progress: told what is happening.
        only: the parts that are asked for; all if empty.
    """
    data = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data")).resolve()
    result: list[Figure] = []
    for part in PARTS:
        if only and part not in only:
            continue
        module = importlib.import_module(f"evaluate_{part}")
        more = {"before": tuple(result)} if part == "calibration" else {}
        result += module.figures(data=data, quick=quick, progress=progress, **more)
    return result
