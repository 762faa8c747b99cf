"""The charter's highest limit is the highest density at which counting was measured."""

from watchglass.charter.noticed import DENSEST
from watchglass.perception.analytics.crowd_density import HIGHEST_MEASURED


def test_no_charter_may_ask_for_more_than_was_measured() -> None:
    assert DENSEST == HIGHEST_MEASURED
