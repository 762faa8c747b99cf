from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.acts.reading import Delay, _median_rank


def test_too_few_cases_give_no_figure() -> None:
    assert Delay.of([1, 2, 3, 4, 5]) == Delay(5, None, None, None, None)
    assert Delay.of([]).n == 0
    assert not Delay.of([]).enough


def test_the_median_its_interval_and_the_95th_percentile() -> None:
    delay = Delay.of(list(range(100, 0, -1)))
    assert (delay.n, delay.median_ms, delay.p95_ms) == (100, 50, 95)
    assert (delay.low_ms, delay.high_ms) == (40, 61)  # the textbook's ranks 40 and 61 for n = 100
    assert Delay.of(range(19)).p95_ms is None
    assert Delay.of(range(20)).p95_ms == 18


@pytest.mark.parametrize("n", [6, 7, 10, 25, 50, 99, 500, 1000])
def test_the_interval_covers_the_median_in_at_least_95_percent_and_is_the_narrowest_that_does(n: int) -> None:
    def tail(r: int) -> float:
        return sum(math.comb(n, k) for k in range(r + 1)) / 2**n

    rank = _median_rank(n)
    assert 1 - 2 * tail(rank) >= 0.95
    assert 1 - 2 * tail(rank + 1) < 0.95


def test_many_cases_use_the_normal_approximation_on_the_safe_side() -> None:
    assert 450 < _median_rank(1000) < _median_rank(1001) + 5
    assert 4890 < _median_rank(10_000) < 4902


@given(st.lists(st.integers(0, 10**9), min_size=6, max_size=300))
def test_the_parts_are_in_order(times: list[int]) -> None:
    delay = Delay.of(times)
    assert delay.median_ms is not None
    assert delay.low_ms is not None
    assert delay.high_ms is not None
    assert min(times) <= delay.low_ms <= delay.median_ms <= delay.high_ms <= max(times)
