"""How often incidents with such a score were right on clips with truth, in words: natural frequencies, with their n."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watchglass.perception.calibration import Calibration, Known
from watchglass.review.model import Alert
from watchglass.statistics.isotonic import Block, Curve

_ALIKE: Final = 0.0005
"""Half of the last decimal that a record keeps."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a kind's table, for a page.

    Attributes:
        least: the raw score from which on it holds, of 100.
        about: "about 8 of 10".
        n: how many incidents it rests on.
    """

    least: int
    about: str
    n: int


def of_alert(calibration: Calibration, alert: Alert, here: Curve | None = None) -> str | None:
    """One sentence about this alert, as sure as it was when it was raised; None where nothing is known.

    Args:
        here: what was learnt from this rule's own alerts, where that said it (``Alert.calibration``).
    """
    if alert.probability_per_mille is None:
        return None
    said = alert.probability_per_mille / 1000
    if alert.calibration is not None:
        rests_on = None if here is None else next((b for b in here.blocks if abs(b.probability - said) <= _ALIKE), None)
        return f"Of earlier alerts of this rule here, {about(said)} such were right{_many(rests_on)}."
    known = calibration.kinds.get(alert.kind)
    block = None if known is None else _block(known, said)
    clips = _clips(synthetic=known.synthetic) if known else "On test clips"
    return f"{clips}, {about(said)} such alerts were right{_many(block)}."


def _many(block: Block | None) -> str:
    """On how many that rests; a table of another version of the software no longer says it."""
    return "" if block is None else f" (n\u00a0=\u00a0{block.n})"


@dataclass(frozen=True, slots=True)
class OnTestClips:
    """What is known about a kind, for a page.

    Attributes:
        clips: "On test clips", or what says that they were made.
        steps: from low scores to high.
    """

    clips: str
    steps: tuple[Step, ...]


def on_test_clips(calibration: Calibration, kind: str) -> OnTestClips | None:
    """What is known about a kind; None where there is not enough data."""
    known = calibration.kinds.get(kind)
    if known is None:
        return None
    steps = (Step(round(100 * b.least), about(b.probability), b.n) for b in known.curve.blocks)
    return OnTestClips(_clips(synthetic=known.synthetic), tuple(steps))


def about(probability: float) -> str:
    """In words: "about 8 of 10", and near the ends "about 97 of 100"."""
    tenths = round(10 * probability)
    if 0 < tenths < 10:  # noqa: PLR2004 (tenths)
        return f"about {tenths} of 10"
    return f"about {min(99, max(1, round(100 * probability)))} of 100"


def _block(known: Known, said: float) -> Block | None:
    return next((b for b in known.curve.blocks if abs(b.probability - said) <= _ALIKE), None)


def _clips(*, synthetic: bool) -> str:
    return "On made-up test clips (synthetic)" if synthetic else "On test clips"
