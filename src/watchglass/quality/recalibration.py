"""What a place's own alerts say their scores are worth: learnt from earlier alerts, shown on later ones.

Pure, so that a house and an auditor agree. The alerts of one analytic come in the order in which they were raised, each
once final; those without an answer say nothing of what came true and are left out, and so are those without a score.
The later third of them (30 at least) is kept to show what the earlier ones taught: no alert is judged by what was
learnt from it. What is shown is exactly what is put in force.

A calibration says how likely an alert is right. It raises none and holds none back, so it changes no rule, and no test
of a limit begins anew. It belongs to the model and rule that it was learnt from: under another one it says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from watchglass.core.errors import Refused
from watchglass.quality.reliability import Decomposed, decompose
from watchglass.statistics.isotonic import FEWEST, FEWEST_RARER, Block, Curve, fit

LATER: Final = 3
"""One alert of so many, the latest, is kept to show what the others taught."""
_THOUSAND: Final = 1000
_MILLION: Final = 1_000_000


class Judged(NamedTuple):
    """One final alert.

    Attributes:
        leaf: the hash of its record.
        score: its raw score, per mille. said: the probability that it was given, per mille; None where it had none.
        right: whether it was.
    """

    leaf: bytes
    score: int
    said: int | None
    right: bool


@dataclass(frozen=True, slots=True)
class Worth:
    """What forecasts were worth, in millionths: Brier = miscalibration - discrimination + uncertainty."""

    brier: int
    miscalibration: int
    discrimination: int
    uncertainty: int

    def as_json(self) -> dict[str, int]:
        """Plain values, as the record commits to them."""
        return {
            "brier": self.brier,
            "miscalibration": self.miscalibration,
            "discrimination": self.discrimination,
            "uncertainty": self.uncertainty,
        }


@dataclass(frozen=True, slots=True)
class Recalibration:
    """What would be put in force.

    Attributes:
        points: (least score, right, n) of each block, rising; scores per mille.
        learnt, shown: from how many alerts it was learnt, and on how many later ones it was shown.
        first, last: the records of the first and the last of them.
        before: what the probabilities were worth that those later alerts were given; None where one had none.
        after: what these are worth on the same alerts.
    """

    points: tuple[tuple[int, int, int], ...]
    learnt: int
    shown: int
    first: bytes
    last: bytes
    before: Worth | None
    after: Worth

    @property
    def better(self) -> bool:
        """Whether it is nearer to what came true than what was said so far, on alerts that it was not learnt from."""
        return self.before is None or self.after.brier < self.before.brier


def probability(points: Sequence[tuple[int, int, int]], score: int | None) -> int | None:
    """What a calibration says of a score, both per mille; None where the alert has no score."""
    if score is None:
        return None
    return round(_THOUSAND * curve_of(points).block(score / _THOUSAND).probability)


def curve_of(points: Sequence[tuple[int, int, int]]) -> Curve:
    """The curve of whole numbers that a record holds.

    Raises:
        ValueError: they are none.
    """
    return Curve(tuple(Block(least / _THOUSAND, right, n) for least, right, n in points))


def learn(alerts: Sequence[Judged]) -> Recalibration:
    """What these alerts, in their order, say that scores are worth.

    Raises:
        Refused: there are too few, or too few of one outcome; it says how many are missing.
    """
    missing = short_of(alerts)
    if missing:
        raise Refused(f"There is not enough to learn from: {missing}.", fix="Wait until people have decided more.")
    earlier, later = split(alerts)
    curve = fit([each.score / _THOUSAND for each in earlier], [each.right for each in earlier])
    points = tuple((round(each.least * _THOUSAND), each.right, each.n) for each in curve.blocks)
    said = [each.said for each in later]
    before = None if None in said else _worth(later, [each or 0 for each in said])
    after = _worth(later, [probability(points, each.score) or 0 for each in later])
    return Recalibration(points, len(earlier), len(later), alerts[0].leaf, alerts[-1].leaf, before, after)


def split(alerts: Sequence[Judged]) -> tuple[Sequence[Judged], Sequence[Judged]]:
    """Those to learn from, and the later ones to show it on."""
    later = max(FEWEST, len(alerts) // LATER)
    return alerts[:-later], alerts[-later:]


def short_of(alerts: Sequence[Judged]) -> str:
    """What is missing before anything can be learnt; empty where nothing is."""
    needed = 2 * FEWEST - len(alerts)
    if needed > 0:
        return f"{needed} more final alerts that were right or wrong and have a score ({len(alerts)} of {2 * FEWEST})"
    earlier, _ = split(alerts)
    right = sum(each.right for each in earlier)
    rarer = min(right, len(earlier) - right)
    if rarer < FEWEST_RARER:
        which = "right" if right == rarer else "wrong"
        return f"{FEWEST_RARER - rarer} more that were {which} among the earlier ones ({rarer} of {FEWEST_RARER})"
    return ""


def said_of(alerts: Sequence[Judged], points: Sequence[tuple[int, int, int]]) -> tuple[list[float], list[bool]]:
    """What a calibration says of alerts, and which were right: for the reliability diagram."""
    said = [(probability(points, each.score) or 0) / _THOUSAND for each in alerts]
    return said, [each.right for each in alerts]


def points_of(values: Sequence[Any]) -> tuple[tuple[int, int, int], ...]:
    """The points of a record or a row: lists of three whole numbers."""
    return tuple((int(least), int(right), int(n)) for least, right, n in values)


def _worth(alerts: Sequence[Judged], said: Sequence[int]) -> Worth:
    found: Decomposed = decompose([each / _THOUSAND for each in said], [each.right for each in alerts])
    parts = (found.score, found.miscalibration, found.discrimination, found.uncertainty)
    return Worth(*(round(_MILLION * float(np.round(each, 12))) for each in parts))
