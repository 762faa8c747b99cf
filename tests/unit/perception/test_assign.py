from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from thorough import tries
from watchglass.perception.assign import FORBIDDEN, assign


def cheapest(cost: np.ndarray) -> float:
    """By trying everything."""
    rows, columns = cost.shape
    if rows > columns:
        return cheapest(cost.T)
    return min(sum(cost[r, c] for r, c in enumerate(p)) for p in permutations(range(columns), rows))


@settings(deadline=None, max_examples=tries(150))
@given(
    st.tuples(st.integers(1, 5), st.integers(1, 6)).flatmap(
        lambda shape: arrays(np.float64, shape, elements=st.floats(0, 10, allow_nan=False))
    )
)
def test_is_as_cheap_as_the_best_of_all_assignments(cost: np.ndarray) -> None:
    pairs = assign(cost)
    assert len({r for r, _ in pairs}) == len({c for _, c in pairs}) == min(cost.shape)
    assert sum(cost[r, c] for r, c in pairs) == pytest.approx(cheapest(cost))


def test_prefers_two_fair_pairs_to_one_good_and_one_bad_where_greedy_would_not() -> None:
    assert assign(np.array([[1.0, 2.0], [2.0, 100.0]])) == [(0, 1), (1, 0)]


def test_leaves_out_what_is_forbidden() -> None:
    assert assign(np.array([[FORBIDDEN, FORBIDDEN], [0.5, FORBIDDEN]])) == [(1, 0)]
    assert assign(np.zeros((0, 3))) == []
    assert assign(np.zeros((3, 0))) == []
