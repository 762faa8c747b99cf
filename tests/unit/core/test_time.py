from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.core.time import DAY, HOUR, MINUTE, SECOND, hour_of, iso, millis, minute_of, moment, month_of

NOON = 1_795_435_200_000


def test_the_forms() -> None:
    assert (iso(NOON), hour_of(NOON), minute_of(NOON), month_of(NOON)) == (
        "2026-11-23T12:00:00Z",
        "2026-11-23T12Z",
        "2026-11-23T12:00Z",
        "2026-11",
    )
    assert (SECOND, MINUTE, HOUR, DAY) == (1000, 60_000, 3_600_000, 86_400_000)


@given(st.integers(0, 4_000_000_000_000))
def test_milliseconds_survive(ms: int) -> None:
    assert millis(moment(ms)) == ms


@pytest.mark.parametrize("step", [1, SECOND - 1])
def test_nothing_rounds_up_into_the_next_hour(step: int) -> None:
    assert hour_of(NOON + HOUR - step) == "2026-11-23T12Z"
    assert minute_of(NOON + MINUTE - step) == "2026-11-23T12:00Z"
