"""The calibration that ships beside the weights."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

from watchglass.edge.inference import MODEL
from watchglass.perception.calibration import Calibration, parse


@cache
def calibration() -> Calibration:
    """What is known about the shipped detector's incidents; empty where the table was made with other weights."""
    folder = resources.files("watchglass.perception") / "weights"
    found = parse((folder / "calibration.json").read_text("utf-8"))
    card = json.loads((folder / f"{MODEL}.json").read_text("utf-8"))
    return found if found.model_sha256 == card["sha256"] else Calibration(str(card["sha256"]), {})
