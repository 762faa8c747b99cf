"""Hypothesis for limits: what is written is what is kept, and alpha is never spent twice."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from watchglass.charter import schema
from watchglass.charter.limits import LIMITS, Quality, QualityLimits
from watchglass.charter.phrases import in_natural
from watchglass.charter.quality_told import tightened
from watchglass.charter.reckoning import notices

SHARE = schema.share(1, 999)
FEW = settings(max_examples=25, deadline=None)
thousandths = st.integers(1, 999)


@FEW
@given(thousandths)
def test_a_share_is_kept_as_it_is_written_however_it_is_written(value: int) -> None:
    for text in (SHARE.write(value), f"{Decimal(value) / 10}%", f"{value / 1000:.3f}"):
        assert SHARE.read(text) == value
    part, _, whole = in_natural(value).replace(",", "").partition(" of ")
    assert int(part) * 1000 == value * int(whole)


@FEW
@given(st.sampled_from(LIMITS), st.none() | thousandths, st.none() | thousandths)
def test_what_tightens_one_way_loosens_the_other(limit, old: int | None, new: int | None) -> None:
    assert not (tightened(limit, old, new) and tightened(limit, new, old))
    assert (tightened(limit, old, new) or tightened(limit, new, old)) is (old != new)


limits = st.builds(
    QualityLimits,
    name=st.uuids().map(str),
    expected_alerts_per_week=st.floats(0.5, 200),
    precision_at_least=st.integers(500, 950),
    false_alerts_per_week=st.none() | st.integers(500, 20_000),
    undecided_at_most=st.none() | st.integers(20, 500),
    trial_ms=st.just(60 * schema.UNITS["d"]),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(limits, min_size=1, max_size=4, unique_by=lambda each: each.name), st.integers(10, 200))
def test_all_limits_together_spend_no_more_than_alpha_and_each_notices_some_day(
    each: list[QualityLimits], alpha: int
) -> None:
    quality = Quality(tuple(each), alpha)
    assert sum(quality.alpha_each for _ in quality.tests) <= alpha / 1000 * (1 + 1e-12)
    found = notices(quality)
    assert [(one.analytic, one.limit) for one in found] == list(quality.tests)
    assert all(one.weeks is not None and one.weeks > 0 for one in found)
