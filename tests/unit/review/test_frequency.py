import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.core.errors import BadInput
from watchglass.review.frequency import FEWEST, Frequency
from watchglass.statistics.intervals import Z95, wilson


def test_the_example_of_the_portal_is_what_the_formula_gives() -> None:
    told = Frequency(187, 212)
    assert told.sentence == (
        "Of the last 212 alerts here, 187 were real: 88\u00a0%, likely between 83\u00a0% and 92\u00a0%."
    )


@pytest.mark.parametrize(("k", "n"), [(0, 10), (10, 10), (7, 10), (187, 212), (1, 1)])
def test_the_ends_are_the_roots_of_wilsons_quadratic(k: int, n: int) -> None:
    square = Z95**2
    roots = np.sort(np.roots([n + square, -(2 * k + square), k * k / n]).real)
    assert wilson(k, n) == pytest.approx(tuple(roots), abs=1e-9)


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_ends_solve_the_score_equation(pair: tuple[int, int]) -> None:
    """Each end p satisfies |k/n - p| = z sqrt(p (1 - p) / n), Wilson's definition, or is 0 or 1 exactly."""
    k, n = pair
    low, high = wilson(k, n)
    assert 0 <= low <= k / n <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert abs(k / n - end) == pytest.approx(Z95 * math.sqrt(end * (1 - end) / n), rel=1e-6, abs=1e-9)


@given(st.integers(FEWEST, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_whole_percents_never_make_it_look_more_certain(pair: tuple[int, int]) -> None:
    told = Frequency(*pair)
    low, high = wilson(*pair)
    assert told.low_percent is not None
    assert told.high_percent is not None
    assert told.low_percent <= 100 * low + 1e-6
    assert told.high_percent >= 100 * high - 1e-6


def test_few_give_no_share() -> None:
    told = Frequency(3, FEWEST - 1)
    assert not told.enough
    assert told.percent is told.low_percent is told.high_percent is None
    assert told.sentence.startswith("Not enough data yet: of 19 alerts here so far, 3 were real.")
    assert "%" not in told.sentence


def test_none_says_so() -> None:
    assert Frequency(0, 0).sentence.startswith("Not enough data yet: no alerts here so far.")


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (0, -1)])
def test_impossible_counts_are_refused(k: int, n: int) -> None:
    with pytest.raises(BadInput):
        Frequency(k, n)


@pytest.mark.parametrize(("k", "n"), [(0, 0), (2, 1), (-1, 1)])
def test_impossible_shares_are_refused(k: int, n: int) -> None:
    with pytest.raises(BadInput):
        wilson(k, n)
