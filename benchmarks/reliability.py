"""Whether what is said about incidents comes true on clips that were not learnt from.

Each clip is judged by the curve that was fitted to all others (leave one clip out). What was said is held against what
was so: in bins of equal size (reliability diagram, DeGroot and Fienberg 1983), by their mean distance weighted by size
(expected calibration error, Naeini et al. 2015, with bins of equal size), and by Brier's score (1950) beside that of
always saying how many were right in the other clips. Incidents of one clip are not independent, so intervals are from a
bootstrap over clips.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluate import Figure, figure, wilson
from kinds_score import Told
from watchglass.statistics.isotonic import FEWEST, FEWEST_RARER, enough, fit

BINS = 5
PER_BIN = 10
_RESAMPLES = 500

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """What was said of each, out of sample.

    Attributes:
        said: probabilities (n,).
        base: what is said without a score (n,).
        right: 0 or 1 (n,).
        clip: the number of its clip (n,).
    """

    said: Floats
    base: Floats
    right: Floats
    clip: NDArray[np.int64]

    @property
    def bins(self) -> list[tuple[float, int, int]]:
        """(mean said, how many were right, of how many), of as equal a size as those who were told alike allow."""
        return _bins(self.said, self.right)

    @property
    def error(self) -> float:
        """The expected calibration error."""
        return _error(self.said, self.right)

    @property
    def brier(self) -> float:
        """The mean squared distance between what was said and what was so."""
        return float(np.mean((self.said - self.right) ** 2))

    @property
    def base_brier(self) -> float:
        """The same for whoever always says how many were right in the other clips."""
        return float(np.mean((self.base - self.right) ** 2))

    def spread(self, seed: int = 1) -> tuple[float, float]:
        """A 95 % interval for ``error``. Drawing again makes bins differ more: it is moved back by that."""
        rng = np.random.default_rng(seed)
        rows = [np.flatnonzero(self.clip == c) for c in np.unique(self.clip)]
        found = []
        for _ in range(_RESAMPLES):
            pick = np.concatenate([rows[i] for i in rng.integers(0, len(rows), len(rows))])
            found.append(_error(self.said[pick], self.right[pick]))
        low, high = np.quantile(found, [0.025, 0.975]) - (np.mean(found) - self.error)
        return max(0.0, min(float(low), self.error)), max(float(high), self.error)


def _bins(said: Floats, right: Floats) -> list[tuple[float, int, int]]:
    order = np.argsort(said, kind="stable")
    said, right = said[order], right[order]
    size = max(PER_BIN, -(-len(said) // BINS))
    result, first = [], 0
    while first < len(said):
        end = first + size
        # Those who were told alike stay together, and what is left over is no bin of its own.
        end = len(said) if len(said) - end < size // 2 else int(np.searchsorted(said, said[end - 1], side="right"))
        part = slice(first, end)
        result.append((float(said[part].mean()), int(right[part].sum()), end - first))
        first = end
    return result


def _error(said: Floats, right: Floats) -> float:
    return sum(n * abs(mean - k / n) for mean, k, n in _bins(said, right)) / len(said)


def judged(told: Sequence[Told]) -> Judged:
    """What each clip would have been told by all others; there must be two clips or more."""
    names = sorted({one.clip for one in told})
    said, base, right, clip = [], [], [], []
    for number, name in enumerate(names):
        others = [one for one in told if one.clip != name]
        curve = fit([one.score for one in others], [one.right for one in others])
        usual = (sum(one.right for one in others) + 1) / (len(others) + 2)
        for one in told:
            if one.clip == name:
                said.append(curve.block(one.score).probability)
                base.append(usual)
                right.append(float(one.right))
                clip.append(number)
    return Judged(np.array(said), np.array(base), np.array(right), np.array(clip))


def figures_of(name: str, told: Sequence[Told], about: str) -> list[Figure]:
    """The figures of one kind: the error of what is said, and Brier's score beside the base rate's.

    The first has beside it ``bins``: rows of (mean said, right, of how many, low, high).
    """
    outcomes = [one.right for one in told]
    clips = len({one.clip for one in told})
    about = f"{about}; {clips} clips or parts, {len(told) - sum(outcomes)} wrong"
    if not enough(outcomes) or clips < 2:
        needed = f"{FEWEST} and, of the rarer outcome, {FEWEST_RARER} are needed"
        note = f"{about}; not enough data: {needed}"
        return [figure(f"{name}_calibration_error", None, None, None, len(told), note, better="lower")]
    found = judged(told)
    bins = [[round(mean, 3), k, n, *(round(v, 3) for v in wilson(k, n))] for mean, k, n in found.bins]
    return [
        figure(
            f"{name}_calibration_error", found.error, None, found.spread(), len(told),
            f"{about}; out of sample, one clip left out at a time; bootstrap over clips", better="lower", bins=bins,
        ),
        figure(
            f"{name}_brier", found.brier, None, None, len(told), about, better="lower",
            against=f"always saying the base rate: {found.base_brier:.4f}",
        ),
    ]  # fmt: skip
