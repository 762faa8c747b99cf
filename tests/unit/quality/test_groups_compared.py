"""Groups side by side: intervals that hold together, units that are not independent, and NIST's differentials."""

from __future__ import annotations

import math

import numpy as np
import pytest

from watchglass.core.errors import BadInput
from watchglass.quality.compare import Tally, against, clustered, rates, shares, student
from watchglass.statistics.intervals import clopper_pearson


def test_differentials_are_those_of_nist() -> None:
    compared = shares({"a": Tally(32, 100), "b": Tally(8, 100), "c": Tally(4, 100)})
    assert compared.worst_over_mean is not None
    assert compared.worst_over_best is not None
    # Max over geometric mean (NISTIR 8429): .32 / (.32 * .08 * .04)^(1/3).
    assert compared.worst_over_mean.value == pytest.approx(0.32 / (0.32 * 0.08 * 0.04) ** (1 / 3))
    assert compared.worst_over_mean.first == "a"
    assert compared.worst_over_best.value == pytest.approx(8.0)
    assert (compared.worst_over_best.first, compared.worst_over_best.second) == ("a", "c")
    assert compared.differs is True


def test_each_interval_has_its_part_of_the_level() -> None:
    compared = shares({"a": Tally(3, 40), "b": Tally(9, 30), "few": Tally(1, 5)}, alpha=0.04)
    group = compared.group("a")
    assert group is not None
    # Two groups have enough data, so each has half of the level; the third has none, and takes none.
    assert (group.low, group.high) == pytest.approx(clopper_pearson(3, 40, 0.02))
    assert compared.groups[2].value is None
    assert compared.groups[2].low is None
    assert not compared.groups[2].enough


def test_what_the_groups_leave_possible_is_found_by_trying_everything() -> None:
    """The interval of a differential against a search over the whole box of the groups' intervals."""
    compared = shares({"a": Tally(20, 60), "b": Tally(9, 50), "c": Tally(14, 80)})
    ends = [(group.low or 0, group.high or 0) for group in compared.groups]
    steps = [np.linspace(low, high, 41) for low, high in ends]
    grid = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    found = grid.max(axis=1) / np.exp(np.log(grid).mean(axis=1))
    assert compared.worst_over_mean is not None
    assert compared.worst_over_mean.high == pytest.approx(float(found.max()))
    assert compared.worst_over_mean.low <= float(found.min()) + 1e-9
    assert compared.worst_over_mean.low == pytest.approx(float(found.min()), rel=0.02)


def test_a_group_in_which_it_never_happened_has_no_ratio_and_no_bound() -> None:
    compared = shares({"a": Tally(20, 60), "b": Tally(0, 50)})
    assert compared.worst_over_best is not None
    assert compared.worst_over_best.value is None
    assert compared.worst_over_best.high is None
    assert compared.worst_over_best.low > 1
    assert compared.gap is not None
    assert compared.gap.value == pytest.approx(1 / 3)


def test_nothing_at_all_is_not_enough_data() -> None:
    compared = shares({"a": Tally(0, 0), "b": Tally(0, 0)})
    assert [group.value for group in compared.groups] == [None, None]
    assert compared.worst_over_mean is None
    assert compared.differs is None
    assert shares({}).groups == ()


def test_people_in_one_picture_are_not_so_many_independent_people() -> None:
    """Ten people to a picture, all missed or all found: the pictures count, not the people."""
    whole = clustered([(10, 10)] * 8 + [(0, 10)] * 12, share=True)
    assert whole.of == 200
    assert whole.units == 20
    assert whole.spread == pytest.approx(10 * 20 / 19)
    alone = clustered([(1, 1)] * 8 + [(0, 1)] * 12, share=True)
    wide, narrow = shares({"a": whole}).groups[0], shares({"a": alone}).groups[0]
    assert wide.value == narrow.value
    assert (wide.high or 0) - (wide.low or 0) == pytest.approx((narrow.high or 0) - (narrow.low or 0), rel=0.02)


def test_where_nothing_was_missed_each_picture_counts_once() -> None:
    none = clustered([(0, 25)] * 20, share=True)
    group = shares({"a": none}).groups[0]
    assert group.high is not None
    assert group.high > clopper_pearson(0, 20, 0.05)[1] * 0.99


def test_too_few_pictures_are_not_enough_however_many_people_are_in_them() -> None:
    assert not shares({"a": clustered([(5, 50)] * 9, share=True)}).groups[0].enough
    assert shares({"a": clustered([(5, 50)] * 10, share=True)}).groups[0].enough


def test_intervals_of_clustered_misses_hold_as_often_as_they_say() -> None:
    """Pictures with their own rate (beta-binomial, intra-class correlation 1/4): 95 % intervals, 400 sets."""
    random = np.random.default_rng(7)
    held = naive = 0
    for _ in range(400):
        n = random.integers(1, 9, 40)
        k = random.binomial(n, random.beta(0.9, 2.1, 40))
        tally = clustered(zip(k.tolist(), n.tolist(), strict=True), share=True)
        group = shares({"a": tally}).groups[0]
        low, high = clopper_pearson(tally.happened, tally.of)
        held += (group.low or 0) <= 0.3 <= (group.high or 0)
        naive += low <= 0.3 <= high
    assert held >= 0.94 * 400
    assert naive < 0.94 * 400, "if this holds too, the test shows nothing"


def test_bursts_widen_the_interval_of_a_rate() -> None:
    even = rates({"a": clustered([(1, 10.0)] * 30, share=False)}).groups[0]
    burst = rates({"a": clustered([(10, 10.0)] * 3 + [(0, 10.0)] * 27, share=False)}).groups[0]
    assert even.value == burst.value == pytest.approx(0.1)
    assert (burst.high or 0) - (burst.low or 0) > 2 * ((even.high or 0) - (even.low or 0))


def test_ratios_to_a_reference_that_was_chosen_before() -> None:
    tallies = {"a": Tally(30, 100), "b": Tally(10, 100), "few": Tally(1, 3)}
    (only,) = against(tallies, "b", share=True)
    assert only.value == pytest.approx(3)
    assert only.low > 1
    assert only.second == "b"
    with pytest.raises(BadInput, match="not enough data"):
        against(tallies, "few", share=True)


def test_students_t_is_near_the_tables() -> None:
    # t(.975) and t(.9995) with 9 and 30 degrees of freedom, from the usual tables.
    assert student(1.959964, 9) == pytest.approx(2.262, rel=1e-3)
    assert student(3.290527, 9) == pytest.approx(4.781, rel=1e-2)
    assert student(1.959964, 30) == pytest.approx(2.042, rel=1e-3)


@pytest.mark.parametrize(
    ("happened", "of", "spread"), [(-1, 5, 1.0), (1, -5, 1.0), (1, math.nan, 1.0), (1, 5, 0.5), (1, 5, math.inf)]
)
def test_what_cannot_be_counted_is_refused(happened: int, of: float, spread: float) -> None:
    with pytest.raises(BadInput):
        Tally(happened, of, spread)


def test_more_than_all_is_refused() -> None:
    with pytest.raises(BadInput, match="6 times among 5"):
        shares({"a": Tally(6, 5)})
