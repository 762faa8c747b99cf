"""A test of disparity compares what the charter compares now: with other strata it begins anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from limited import limited
from watchglass.bootstrap import VirtualClock
from watchglass.quality.finality import Value
from watchglass.quality.judging import Counted, follow, take
from watchglass.statistics.sequential import Disparity
from world import NOON, make_house

LAWN = "on-the-lawn"
QUALITY = f"quality:\n  {LAWN}: {{expected_alerts_per_week: 200, disparity_at_most: 2, strata: [day, night]}}\n"


def test_a_test_that_was_begun_with_other_strata_begins_anew(tmp_path: Path) -> None:
    with make_house(tmp_path / "house", clock=VirtualClock(NOON), edits=limited(QUALITY)) as world:
        charter = world.standing().charter
    assert charter is not None
    begun = follow(None, "disparity_at_most", charter, LAWN, 0, lambda _: charter)
    assert begun is not None
    assert isinstance(begun.test, Disparity)
    alert = Counted(1, NOON, 0, "night", Value.WRONG, in_time=True)
    taken = take(begun, alert, 0.05)
    kept = follow(replace(taken, charter=b"older"), "disparity_at_most", charter, LAWN, 0, lambda _: charter)
    assert kept is not None
    assert kept.taken == 1  # the same strata: it goes on
    older = replace(taken, charter=b"older", test=Disparity(2000, ("day", "dusk")))
    anew = follow(older, "disparity_at_most", charter, LAWN, 0, lambda _: charter)
    assert anew is not None
    assert anew.taken == 0
    assert take(anew, alert, 0.05).taken == 1
