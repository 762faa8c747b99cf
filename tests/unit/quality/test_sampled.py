"""What samples tell: exact intervals that hold for small counts, the worst case for what nobody could tell."""

from __future__ import annotations

import math

import numpy as np
import pytest

from watchglass.core.errors import BadInput
from watchglass.quality.sampled import (
    Missed,
    Quiet,
    Stratum,
    horvitz_thompson,
    missed_a_week,
    missed_near,
    noticed_at_most,
)
from watchglass.statistics.hypergeometric import marked_among


def by_hand(k: int, n: int, total: int, alpha: float) -> tuple[int, int]:
    """Every number that neither tail excludes, with whole-number binomials."""
    ways = math.comb(total, n)

    def chance(marked: int, seen: range) -> float:
        return sum(math.comb(marked, i) * math.comb(total - marked, n - i) for i in seen) / ways

    kept = [
        marked
        for marked in range(total + 1)
        if chance(marked, range(k, n + 1)) > alpha / 2 and chance(marked, range(k + 1)) > alpha / 2
    ]
    return kept[0], kept[-1]


@pytest.mark.parametrize(("k", "n", "total"), [(0, 5, 40), (1, 5, 40), (5, 5, 40), (3, 20, 20), (2, 11, 35), (0, 1, 2)])
def test_the_interval_is_every_number_that_neither_tail_excludes(k: int, n: int, total: int) -> None:
    assert marked_among(k, n, total) == by_hand(k, n, total, 0.05)


def test_what_was_not_drawn_says_nothing_and_all_of_it_everything() -> None:
    assert marked_among(0, 0, 7) == (0, 7)
    assert marked_among(3, 7, 7) == (3, 3)
    with pytest.raises(BadInput):
        marked_among(1, 3, 2)


def test_the_interval_over_bands_covers_for_small_counts() -> None:
    """2,000 deployments of 60 near and 12 very near misses, of which few are drawn: it misses at most alpha."""
    rng = np.random.default_rng(44)
    held = told = 0
    for _ in range(2000):
        near, very = rng.random(60) < 0.05, rng.random(12) < 0.5
        strata = []
        for band, marks, share in (("near", near, 0.25), ("very_near", very, 0.6)):
            drawn = rng.random(len(marks)) < share
            yes = int((marks & drawn).sum())
            strata.append(Stratum(band, int(share * 1e9), len(marks), yes, int(drawn.sum()) - yes, 0))  # type: ignore[arg-type]
        found = missed_near(strata, fewest=1)
        if found is None:
            continue
        told += 1
        held += found.low <= int(near.sum() + very.sum()) <= found.high
    assert told > 1900
    assert held / told >= 0.95


def test_the_estimate_stands_for_those_that_nobody_looked_at() -> None:
    strata = [Stratum("near", 50_000_000, 400, 1, 19, 0), Stratum("very_near", 200_000_000, 50, 5, 5, 0)]
    found = missed_near(strata)
    assert found is not None
    assert found.point == 400 / 20 + 50 / 2
    assert horvitz_thompson(strata) == pytest.approx(1 / 0.05 + 5 / 0.2)
    assert found.low < found.point < found.high


def test_what_nobody_could_tell_is_the_worst_case() -> None:
    clear = missed_near([Stratum("near", 100_000_000, 200, 2, 20, 0)])
    unclear = missed_near([Stratum("near", 100_000_000, 200, 2, 20, 6)])
    assert clear is not None
    assert unclear is not None
    assert unclear.high > clear.high
    assert unclear.low <= clear.low


def test_too_little_is_no_number() -> None:
    assert missed_near([]) is None
    assert missed_near([Stratum("near", 50_000_000, 400, 0, 19, 5)]) is None
    assert missed_near([Stratum("near", 50_000_000, 400, 0, 30, 0), Stratum("very_near", 1, 9, 0, 0, 0)]) is None
    with pytest.raises(BadInput):
        Stratum("near", 1, 3, 2, 2, 0)


def test_only_an_upper_bound_of_what_is_noticed_follows() -> None:
    assert noticed_at_most(30, Missed(12.0, 10, 40)) == 0.75
    assert noticed_at_most(30, Missed(0.0, 0, 40)) is None
    assert noticed_at_most(0, Missed(12.0, 10, 40)) is None


def test_quiet_moments_say_fewer_than_so_many_a_week() -> None:
    assert missed_a_week(Quiet(0, 0, 0, 0.0)) is None
    week = 7 * 24 * 3600.0
    assert missed_a_week(Quiet(0, 90, 0, week)) == (0.0, pytest.approx(2.9957, abs=1e-4))
    low, high = missed_a_week(Quiet(2, 90, 0, week)) or (0.0, 0.0)
    assert (low, high) == (pytest.approx(0.2422, abs=1e-4), pytest.approx(7.2247, abs=1e-4))  # Garwood, 1936
    assert (missed_a_week(Quiet(0, 90, 2, week)) or (1.0, 0.0)) == (0.0, pytest.approx(7.2247, abs=1e-4))
