"""Lies about what alerts are said to be worth."""

from __future__ import annotations

from typing import Any, Final

from dishonest import Lie
from lies_limits import LITTLE

RECALIBRATED: Final = "recalibrated"
MANY: Final[dict[str, Any]] = {**LITTLE, "precision": None, "days": 2.5, "alerts_a_day": 50.0}
"""Enough alerts to learn from, and no limit that stops them."""

RECALIBRATED_LIES: Final = (
    Lie(
        "calibration-invented",
        "What a rule's alerts are said to be worth is made up, and not learnt from them.",
        (RECALIBRATED,),
        depth="openings",
        changes=MANY,
        sins=frozenset({"invents-calibration"}),
    ),
    Lie(
        "calibration-not-followed",
        "Alerts name the calibration in force, and are given another probability.",
        (RECALIBRATED,),
        depth="openings",
        changes=MANY,
        sins=frozenset({"tells-otherwise"}),
    ),
)
