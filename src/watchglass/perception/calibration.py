"""The table of what raw scores are worth: how often incidents of a kind with such a score were right on test clips.

How it is learnt, and when there is too little to learn from, is told in ``statistics.isotonic``. Where there is too
little there is no probability: none is made up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from watchglass.statistics.isotonic import Block, Curve


@dataclass(frozen=True, slots=True)
class Known:
    """What was learnt about one kind.

    Attributes:
        curve: from scores to probabilities.
        synthetic: it was learnt from made clips, because there is no real one with truth.
        about: from which clips, in words.
    """

    curve: Curve
    synthetic: bool
    about: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """The kinds about which enough is known, with the detector whose scores they are.

    Attributes:
        model_sha256: the weights (hexadecimal); another model's scores mean something else.
        kinds: by the kind of incident; a kind that is not here has not enough data.
    """

    model_sha256: str
    kinds: Mapping[str, Known]

    def probability(self, kind: str, score: float | None) -> float | None:
        """How likely an incident of the kind is right, three decimals; None where too little is known."""
        known = self.kinds.get(kind)
        return None if known is None else round(known.curve.block(score).probability, 3)


def parse(text: str) -> Calibration:
    """Read the table.

    Raises:
        ValueError: it is not one.
    """
    try:
        raw = json.loads(text)
        kinds = {name: _known(one) for name, one in raw["kinds"].items() if one["blocks"]}
        return Calibration(str(raw["model_sha256"]), kinds)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a table of calibrations: {error!r}") from error


def _known(one: Mapping[str, Any]) -> Known:
    blocks = tuple(Block(float(least), int(right), int(n)) for least, right, n in one["blocks"])
    return Known(Curve(blocks), bool(one["synthetic"]), str(one["about"]))
