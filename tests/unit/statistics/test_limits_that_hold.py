"""The tests of limits: that their mean never rises while the limit is kept is summed exactly, never simulated."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchglass.core.errors import BadInput
from watchglass.statistics.evalues import disparity_log_e, most_likely, shares, threshold
from watchglass.statistics.sequential import WEEK_MS, AtMost, CountAtMost, Disparity, EarnsTrust, Test, from_json

LIMITS = (50, 200, 400, 990)


def binomial(k: int, n: int, p: float) -> float:
    return math.comb(n, k) * p**k * (1 - p) ** (n - k)


def mean_of_shares(kind: type[AtMost | EarnsTrust], limit: int, n: int, p: float) -> float:
    return sum(binomial(k, n, p) * math.exp(kind(limit, n, k).log_e) for k in range(n + 1))


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("n", [1, 2, 7, 60])
def test_the_mean_is_one_at_the_limit_and_below_one_within_it(limit: int, n: int) -> None:
    p = limit / 1000
    for kind, kept in ((AtMost, p * 0.7), (EarnsTrust, p + (1 - p) * 0.3)):
        assert mean_of_shares(kind, limit, n, p) == pytest.approx(1, abs=1e-7)
        assert mean_of_shares(kind, limit, n, kept) < 1


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(LIMITS), st.integers(0, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_from_any_history_the_next_outcome_does_not_raise_the_mean(limit: int, history: tuple[int, int]) -> None:
    """The supermartingale itself: given all before, at a chance within the limit."""
    n, bad = history
    for before, chances in ((AtMost(limit, n, bad), (0, 0.5, 1)), (EarnsTrust(limit, n, bad), (1, 1.5, 2))):
        for chance in chances:
            p = min(1.0, chance * limit / 1000)
            worse, better = before.after(True).log_e - before.log_e, before.after(False).log_e - before.log_e
            assert p * math.exp(worse) + (1 - p) * math.exp(better) <= 1 + 1e-7


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(LIMITS), st.integers(0, 2000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_a_bad_one_speaks_against_the_detector_and_a_good_one_for_it(limit: int, history: tuple[int, int]) -> None:
    n, bad = history
    limited, trusted = AtMost(limit, n, bad), EarnsTrust(limit, n, bad)
    assert limited.after(False).log_e <= limited.log_e <= limited.after(True).log_e
    assert trusted.after(True).log_e <= trusted.log_e <= trusted.after(False).log_e


def test_every_alternative_lies_on_its_own_side_of_the_limit() -> None:
    for limit in (1, 50, 500, 999):
        assert (shares(limit, worse=True) > limit / 1000).all()
        assert (shares(limit, worse=True) < 1).all()
        assert (shares(limit, worse=False) < limit / 1000).all()
        assert (shares(limit, worse=False) > 0).all()


def test_what_is_better_than_its_limit_is_never_held_against_it() -> None:
    """The trap of a mixture that is not cut off: it accuses whatever differs from the limit."""
    assert max(AtMost(50, n, round(0.02 * n)).log_e for n in range(0, 5001, 100)) <= 0
    assert AtMost(50, 5000, 0).log_e < 0


@pytest.mark.parametrize(
    ("truth", "weeks", "mean"), [(3.0, 0.1, 1.0), (3.0, 1.0, 0.997), (2.0, 0.1, 0.8), (2.0, 9.0, 0.1)]
)
def test_the_mean_of_a_count_is_one_at_the_limit_and_less_below(truth: float, weeks: float, mean: float) -> None:
    """Summed to 400: at the limit the boldest alternatives have the rest of their mean in counts that never come."""
    expected = truth * weeks
    logs = [
        count * math.log(expected) - expected - math.lgamma(count + 1)
        + CountAtMost(3000, int(weeks * WEEK_MS), count).log_e
        for count in range(400)
    ]  # fmt: skip
    found = sum(map(math.exp, logs))
    assert found <= 1 + 1e-7
    assert found == pytest.approx(mean, abs=0.01)


@pytest.mark.parametrize("truths", [(0.4, 0.2), (0.1, 0.05), (0.3, 0.3), (1.0, 0.5), (0.0, 0.0), (0.45, 0.9)])
def test_the_mean_of_a_disparity_is_at_most_one_where_the_ratio_is_kept(truths: tuple[float, float]) -> None:
    for n in ((8, 6), (1, 12), (30, 30)):
        k = np.array(list(itertools.product(range(n[0] + 1), range(n[1] + 1))))
        chances = np.array([binomial(int(a), n[0], truths[0]) * binomial(int(b), n[1], truths[1]) for a, b in k])
        assert chances.sum() == pytest.approx(1)
        assert (chances * np.exp(disparity_log_e(2000, k, np.array(n)))).sum() <= 1


def test_the_mean_over_three_strata_is_at_most_one_and_one_stratum_alone_says_little() -> None:
    names, n = ("dawn", "day", "night"), (4, 4, 4)
    mean = 0.0
    for bad in itertools.product(range(5), repeat=3):
        chance = math.prod(binomial(b, 4, p) for b, p in zip(bad, (0.4, 0.2, 0.3), strict=True))
        mean += chance * math.exp(Disparity(2000, names, n, bad).log_e)
    assert mean <= 1
    assert Disparity(2000, names, (0, 0, 50), (0, 0, 50)).log_e < 0.1


@settings(max_examples=25, deadline=None)
@given(st.tuples(st.integers(0, 40), st.integers(0, 40)), st.tuples(st.integers(0, 40), st.integers(0, 40)))
def test_the_likeliest_pair_within_the_ratio_is_what_a_search_finds(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    bad, n = np.array([first[0], second[0]], float), np.array([sum(first), sum(second)], float)
    found = float(most_likely(2.0, bad, n))
    p = np.linspace(0, 1, 401)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = [
            np.where(k > 0, k * np.log(p), 0.0) + np.where(m - k > 0, (m - k) * np.log(1 - p), 0.0)
            for k, m in zip(bad, n, strict=True)
        ]
    both = logs[0][:, None] + logs[1][None, :]
    kept = (p[:, None] <= 2 * p[None, :] + 1e-12) & (p[None, :] <= 2 * p[:, None] + 1e-12)
    best = both[kept].max()
    assert best - 1e-9 <= found <= best + 0.05


def test_a_disparity_counts_in_its_stratum_and_is_the_same_from_either_side() -> None:
    test = Disparity(2000, ("day", "night"))
    for stratum, bad in [("day", False), ("night", True), ("night", True), ("day", False), ("night", False)]:
        test = test.after(stratum, bad)
    assert (test.n, test.bad) == ((2, 3), (0, 2))
    assert test.log_e == Disparity(2000, ("night", "day"), (3, 2), (2, 0)).log_e
    assert Disparity(2000, ("day", "night"), (200, 200), (20, 140)).crossed(0.05)
    assert not Disparity(2000, ("day", "night"), (200, 200), (70, 140)).crossed(0.05)
    with pytest.raises(BadInput, match="no stratum 'dusk'"):
        test.after("dusk", True)


def test_whole_counts_and_others_give_the_same_where_they_meet() -> None:
    """A table serves whole counts, the function itself a typical path."""
    whole = float(disparity_log_e(2000, [30, 5], [50, 50]))
    assert float(disparity_log_e(2000, [30 + 1e-9, 5], [50, 50])) == pytest.approx(whole, abs=1e-6)


def test_a_count_takes_time_and_what_came_in_it() -> None:
    test = CountAtMost(3000).after(1, WEEK_MS // 6).after(2, 0)
    assert test == CountAtMost(3000, WEEK_MS // 6, 3)
    assert test.after(0, WEEK_MS).log_e < test.log_e < test.after(1, 0).log_e
    assert CountAtMost(3000).log_e == 0


def test_one_crosses_where_it_reaches_one_over_alpha() -> None:
    test = AtMost(400)
    for n in range(1, 100):
        test = test.after(True)
        assert test.crossed(0.05) == (test.log_e >= math.log(20) - 1e-9)
        if test.crossed(0.05):
            assert n == 6
            break
    with pytest.raises(BadInput):
        threshold(0.0)


@pytest.mark.parametrize(
    "test",
    [
        AtMost(50, 412, 30),
        EarnsTrust(400),
        CountAtMost(3000, 10**12, 77),
        Disparity(1500, ("day", "night"), (5, 6), (0, 6)),
    ],
)
def test_plain_values_make_the_same_test_again(test: Test) -> None:
    assert from_json(test.as_json()) == test
    assert from_json(test.as_json()).log_e == test.log_e


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"test": "at_least", "limit": 5, "n": 0, "bad": 0},
        {"test": "at_most", "limit": 50, "n": 1},
        {"test": "at_most", "limit": 50, "n": 1, "bad": 2},
        {"test": "at_most", "limit": 50, "n": 1, "bad": True},
        {"test": "at_most", "limit": 1000, "n": 1, "bad": 0},
        {"test": "at_most", "limit": 50.0, "n": 1, "bad": 0},
        {"test": "at_most", "limit": 50, "n": 1, "bad": -1},
        {"test": "at_most", "limit": 50, "n": 1, "bad": 0, "more": 0},
        {"test": "at_most", "limit": [50], "n": 1, "bad": 0},
        {"test": ["at_most"], "limit": 50, "n": 1, "bad": 0},
        {"test": "count_at_most", "limit": 0, "exposure_ms": 1, "count": 0},
        {"test": "disparity", "limit": 999, "strata": ["a", "b"], "n": [0, 0], "bad": [0, 0]},
        {"test": "disparity", "limit": 2000, "strata": ["a", "a"], "n": [0, 0], "bad": [0, 0]},
        {"test": "disparity", "limit": 2000, "strata": ["a"], "n": [0], "bad": [0]},
        {"test": "disparity", "limit": 2000, "strata": ["a", "b"], "n": [0], "bad": [0, 0]},
        {"test": "disparity", "limit": 2000, "strata": "ab", "n": [0, 0], "bad": [0, 0]},
        {"test": "disparity", "limit": 2000, "strata": [1, 2], "n": [0, 0], "bad": [0, 0]},
    ],
)
def test_what_is_no_test_is_refused(value: Any) -> None:
    with pytest.raises(BadInput):
        from_json(value)
