"""The table beside the weights is one, is of those weights, and is what the tool makes of the figures in the docs."""

from __future__ import annotations

from watchglass.edge.calibration import calibration
from watchglass.edge.inference import shipped
from watchglass.perception.analytics import KINDS_OF_INCIDENT
from watchglass.statistics.isotonic import FEWEST, FEWEST_RARER


def test_the_table_is_of_the_weights_that_ship() -> None:
    table = calibration()
    assert table.model_sha256 == shipped().sha256
    assert table.kinds.keys() <= KINDS_OF_INCIDENT.keys()
    for known in table.kinds.values():
        right = sum(block.right for block in known.curve.blocks)
        assert known.curve.n >= FEWEST
        assert min(right, known.curve.n - right) >= FEWEST_RARER
