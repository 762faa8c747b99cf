"""Intervals and agreement against published tables and textbook examples."""

from __future__ import annotations

import math

import pytest

from watchglass.core.errors import BadInput
from watchglass.statistics.agreement import agreement
from watchglass.statistics.intervals import (
    Z95,
    clopper_pearson,
    garwood,
    ratio_of_rates,
    ratio_of_shares,
    rule_of_three,
    simultaneous,
    wilson,
    z_of,
)
from watchglass.statistics.special import beta_share, gamma_share


def test_newcombes_example() -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, table I: 81 of 263 and 0 of 20."""
    assert clopper_pearson(81, 263) == pytest.approx((0.2527, 0.3676), abs=5e-5)
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert clopper_pearson(0, 20) == pytest.approx((0, 0.1684), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)


@pytest.mark.parametrize(("k", "n", "alpha"), [(1, 10, 0.05), (7, 20, 0.01), (299, 300, 0.05), (40, 41, 0.2)])
def test_the_ends_of_an_exact_interval_leave_half_of_alpha_in_either_tail(k: int, n: int, alpha: float) -> None:
    low, high = clopper_pearson(k, n, alpha)
    at_least = sum(math.comb(n, i) * low**i * (1 - low) ** (n - i) for i in range(k, n + 1))
    at_most = sum(math.comb(n, i) * high**i * (1 - high) ** (n - i) for i in range(k + 1))
    assert (at_least, at_most) == pytest.approx((alpha / 2, alpha / 2), rel=1e-9)


@pytest.mark.parametrize(
    ("k", "low", "high"),
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390), (50, 37.111, 65.919)],
)
def test_the_table_of_poisson_limits(k: int, low: float, high: float) -> None:
    """Pearson and Hartley, Biometrika Tables for Statisticians 1 (1966), table 40, 95 %."""
    assert garwood(k) == pytest.approx((low, high), abs=6e-4)


def test_whole_gamma_and_beta_shares_are_finite_sums() -> None:
    for x in (0.3, 4.0, 30.0):
        assert gamma_share(4, x) == pytest.approx(
            1 - sum(math.exp(-x) * x**i / math.factorial(i) for i in range(4)), abs=1e-13
        )
    for x in (0.01, 0.5, 0.93):
        assert beta_share(3, 5, x) == pytest.approx(
            sum(math.comb(7, i) * x**i * (1 - x) ** (7 - i) for i in range(3, 8)), abs=1e-13
        )
        assert beta_share(0.5, 0.5, x) == pytest.approx(2 / math.pi * math.asin(math.sqrt(x)), abs=1e-13)
    assert gamma_share(0.5, 2.0) == pytest.approx(math.erf(math.sqrt(2.0)), abs=1e-13)


def test_large_counts_settle_and_meet_the_normal_approximation() -> None:
    assert clopper_pearson(500_000, 1_000_000) == pytest.approx((0.49902, 0.50098), abs=1e-5)
    assert garwood(1_000_000) == pytest.approx((998_041, 1_001_961), abs=2)


def test_koopmans_example() -> None:
    """Koopman's own example (Biometrics 40 (1984), 513-517): 36 of 40 against 16 of 80."""
    assert ratio_of_shares((36, 40), (16, 80)) == pytest.approx((2.94, 7.15), abs=5e-3)
    low, high = ratio_of_shares((16, 80), (36, 40))
    assert (1 / high, 1 / low) == pytest.approx((2.94, 7.15), abs=5e-3)


def test_ratios_where_nothing_happened_have_no_upper_end() -> None:
    assert ratio_of_shares((0, 10), (0, 10)) == (0, math.inf)
    assert ratio_of_shares((0, 40), (16, 80))[0] == 0
    assert ratio_of_shares((16, 80), (0, 40))[1] == math.inf
    assert ratio_of_rates((0, 2.0), (0, 2.0)) == (0, math.inf)
    assert ratio_of_rates((3, 2.0), (0, 2.0))[1] == math.inf


def test_a_ratio_of_rates_is_that_of_the_binomial_behind_it() -> None:
    low, high = ratio_of_rates((11, 2.0), (5, 1.0))
    p, q = clopper_pearson(11, 16)
    assert (low, high) == pytest.approx((p / (1 - p) / 2, q / (1 - q) / 2))


def test_rule_of_three_levels_and_intervals_that_hold_together() -> None:
    assert rule_of_three(100) == pytest.approx(0.03, abs=1e-4)
    assert z_of(0.05) == pytest.approx(Z95)
    both = simultaneous([(3, 30), (9, 30)])
    assert both == (clopper_pearson(3, 30, 0.025), clopper_pearson(9, 30, 0.025))


def test_what_is_no_share_no_count_and_no_level_is_refused() -> None:
    for refused in (
        lambda: clopper_pearson(1, 0),
        lambda: clopper_pearson(3, 2),
        lambda: clopper_pearson(1, 2, 1.0),
        lambda: clopper_pearson(math.nan, 2),
        lambda: garwood(-1),
        lambda: garwood(math.inf),
        lambda: ratio_of_rates((1, 0.0), (1, 1.0)),
        lambda: rule_of_three(0),
    ):
        with pytest.raises(BadInput):
            refused()


_READERS = ("1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 .")


def test_krippendorffs_examples() -> None:
    """Krippendorff (2011): four readers with gaps, .743; two readers, two values, .095."""
    units = [[value for value in unit if value != "."] for unit in zip(*(r.split() for r in _READERS), strict=True)]
    found = agreement(units, seed=1)
    assert found.value == pytest.approx(0.743, abs=5e-4)
    assert (found.units, found.enough, found.low) == (11, False, None)
    two = list(zip("0100000000", "1110010010", strict=True))
    assert agreement(two, seed=1).value == pytest.approx(0.095, abs=5e-4)


def test_an_interval_of_agreement_holds_its_value_and_follows_its_seed() -> None:
    units = [("confirm", "confirm")] * 60 + [("reject", "reject")] * 25 + [("confirm", "reject")] * 15
    found = agreement(units, seed=3, draws=500)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert 0.4 < found.low < found.value < found.high < 0.85
    assert agreement(units, seed=3, draws=500) == found
    assert agreement(units, seed=4, draws=500) != found


def test_agreement_that_is_not_defined_is_not_one() -> None:
    assert agreement([], seed=1).value is None
    assert agreement([("confirm",), ("reject",)], seed=1).units == 0
    alike = agreement([("confirm", "confirm")] * 50, seed=1)
    assert (alike.value, alike.enough) == (None, False)


def test_readers_who_always_agree_and_who_never_do() -> None:
    assert agreement([("a", "a")] * 20 + [("b", "b")] * 20, seed=1).value == 1
    never = agreement([("a", "b")] * 40, seed=1).value
    assert never is not None
    assert never < 0
