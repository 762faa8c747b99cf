"""An incident carries what its score is worth, where that is known."""

from __future__ import annotations

import pytest
from test_cascade_and_pipeline import (
    HEIGHT,
    QUIET,
    RULE,
    WALK,
    WIDTH,
    Counting,
    SimulatedDecoder,
    SimulatedDetector,
    SimulatedPainter,
    World,
    feed,
    incidents,
)

from watchglass.perception.calibration import Calibration, Known
from watchglass.perception.messages import SourceSpec
from watchglass.perception.pipeline import Pipeline
from watchglass.statistics.isotonic import Block, Curve

TABLE = Calibration(
    "ab", {"intrusion": Known(Curve((Block(0.1, 3, 14), Block(0.5, 47, 62))), synthetic=False, about="")}
)


@pytest.mark.parametrize(("table", "probability"), [(TABLE, 0.75), (Calibration("ab", {}), None), (None, None)])
def test_an_incident_says_how_likely_it_is_right(table: Calibration | None, probability: float | None) -> None:
    world = World()
    line = Pipeline(
        SourceSpec("cam", "x", (RULE,)),
        (WIDTH, HEIGHT),
        decoder=SimulatedDecoder(world),
        detector=SimulatedDetector(world),
        painter=SimulatedPainter(world),
        entropy=Counting(),
        allowed=lambda: frozenset({"in"}),
        calibration=table,
    )
    (incident,) = incidents(feed(line, world.packets([*QUIET, *WALK])))
    assert incident.score is not None
    assert incident.score >= 0.5
    assert incident.probability == probability
