"""Reports matched with alerts: as many pairs as there can be, the nearest ones, and what is reckoned from them."""

from __future__ import annotations

from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchglass.core.errors import BadInput
from watchglass.quality.reported import counts, match

_MOMENTS = st.lists(st.integers(0, 30), max_size=5)


def best_by_trying(reports: list[int], alerts: list[int], within: int) -> tuple[int, int]:
    best = (0, 0)
    for size in range(1, min(len(reports), len(alerts)) + 1):
        for rows in combinations(range(len(reports)), size):
            for cols in permutations(range(len(alerts)), size):
                apart = [abs(reports[r] - alerts[c]) for r, c in zip(rows, cols, strict=True)]
                if max(apart) <= within:
                    best = max(best, (size, -sum(apart)))
    return best


@settings(max_examples=25)
@given(reports=_MOMENTS, alerts=_MOMENTS, within=st.integers(0, 12))
def test_no_other_matching_is_better(reports: list[int], alerts: list[int], within: int) -> None:
    pairs = match(reports, alerts, within)
    assert len({r for r, _ in pairs}) == len({a for _, a in pairs}) == len(pairs)
    apart = [abs(reports[r] - alerts[a]) for r, a in pairs]
    assert all(each <= within for each in apart)
    assert (len(pairs), -sum(apart)) == best_by_trying(reports, alerts, within)
    assert match(reports, alerts, within) == pairs


def test_the_nearest_is_given_up_where_a_further_one_makes_two_pairs() -> None:
    assert match([10, 13], [12, 18], 5) == ((0, 0), (1, 1))
    assert match([10], [5, 11], 5) == ((0, 1),)
    assert match([], [5], 5) == ()
    with pytest.raises(BadInput):
        match([1], [1], -1)


def test_a_dense_log_is_matched_exactly() -> None:
    reports = [60 * minute for minute in range(3000)]
    alerts = [60 * minute + 20 for minute in range(0, 3000, 3)]
    pairs = match(reports, alerts, 600)
    assert len(pairs) == 1000
    assert sum(abs(reports[r] - alerts[a]) for r, a in pairs) == 20_000


def test_both_ends_are_reckoned_and_nobody_can_polish_one_unseen() -> None:
    fates = ["alerted"] * 20 + ["afterwards"] * 5 + ["missed"] * 4 + ["aside"] * 3 + ["degraded"] * 2 + ["dark"] * 6
    found = counts(fates, fewest=20)  # type: ignore[arg-type]  # words, as they come
    assert (found.reported, found.could_not) == (40, 6)
    assert (found.worst.k, found.worst.n) == (20, 29)
    assert (found.best.k, found.best.n) == (25, 29)
    assert found.worst.low is not None
    assert found.best.low is not None
    assert found.worst.low < found.best.low
    assert found.enough
    assert not counts(fates[20:], fewest=20).enough  # type: ignore[arg-type]  # words, as they come


def test_setting_aside_moves_only_the_better_end() -> None:
    before = counts(["alerted"] * 10 + ["missed"] * 10, fewest=5)
    after = counts(["alerted"] * 10 + ["missed"] * 5 + ["aside"] * 5, fewest=5)
    assert before.worst == after.worst
    assert (after.best.k, after.best.n) == (10, 15)
