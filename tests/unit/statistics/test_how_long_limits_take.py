"""How long a limit takes to notice: the exact chances against all histories there are, the typical path beside them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from watchglass.core.errors import BadInput
from watchglass.statistics.power import (
    alerts_to_earn_trust,
    alerts_to_notice,
    alerts_to_notice_disparity,
    boundary,
    crossings,
    median_alerts,
    twice_as_bad,
    weeks,
    weeks_to_notice_count,
)
from watchglass.statistics.sequential import WEEK_MS, AtMost, CountAtMost, EarnsTrust


@pytest.mark.parametrize(("kind", "worse", "truth"), [(AtMost, True, 0.6), (EarnsTrust, False, 0.1)])
def test_the_chances_are_those_of_all_histories(kind: type[AtMost | EarnsTrust], worse: bool, truth: float) -> None:
    alpha, most = 0.2, 9
    expected = np.zeros(most + 1)
    for history in itertools.product((False, True), repeat=most):
        test = kind(400)
        for n, bad in enumerate(history, 1):
            test = test.after(bad)
            if test.crossed(alpha):
                expected[n] += truth ** sum(history) * (1 - truth) ** (most - sum(history))
                break
    edge = boundary(400, alpha, most, worse=worse)
    assert expected.sum() > 0.1
    assert crossings(edge, truth, worse=worse) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("limit", [50, 200, 400])
def test_a_detector_at_its_limit_is_suspended_or_trusted_wrongly_at_most_alpha(limit: int) -> None:
    """Ville's bound, exactly, looked at after each of a thousand alerts."""
    for worse in (True, False):
        for alpha in (0.05, 0.01):
            chance = crossings(boundary(limit, alpha, 1000, worse=worse), limit / 1000, worse=worse).sum()
            assert 0.2 * alpha < chance <= alpha


def test_the_delays_of_the_design_are_kept() -> None:
    edge = boundary(50, 0.05, 1500)
    delays = [median_alerts(crossings(edge, 0.05 * times)) for times in (1.5, 2, 3)]
    assert delays == [570, 156, 48]
    assert median_alerts(crossings(edge, 0.02)) is None
    trust = boundary(400, 0.05, 300, worse=False)
    assert median_alerts(crossings(trust, 0.2, worse=False)) == 35


@pytest.mark.parametrize(("limit", "times"), [(50, 1.5), (50, 2), (50, 3), (200, 2), (400, 1.5)])
def test_a_promised_delay_is_later_than_the_median_and_not_twice_as_late(limit: int, times: float) -> None:
    typical = alerts_to_notice(limit, limit / 1000 * times, 0.05)
    median = median_alerts(crossings(boundary(limit, 0.05, 1500), limit / 1000 * times))
    assert typical is not None
    assert median is not None
    assert 0.8 * median <= typical <= 2 * median


def test_more_alpha_or_a_worse_detector_is_noticed_sooner() -> None:
    found = [alerts_to_notice(50, 0.1, alpha) or math.inf for alpha in (0.05, 0.01, 0.0025)]
    assert found == sorted(found)
    assert alerts_to_notice(50, 0.2, 0.05) < alerts_to_notice(50, 0.1, 0.05)  # type: ignore[operator]
    assert alerts_to_earn_trust(400, 0.1, 0.05) < alerts_to_earn_trust(400, 0.3, 0.05)  # type: ignore[operator]
    assert alerts_to_notice_disparity(2000, (0.6, 0.1), 0.05) < alerts_to_notice_disparity(  # type: ignore[operator]
        2000, (0.6, 0.2), 0.05
    )


def test_what_keeps_its_limit_is_never_noticed() -> None:
    assert alerts_to_notice(50, 0.05, 0.05) is None
    assert alerts_to_notice(50, 0.050000001, 0.05) is None
    assert alerts_to_earn_trust(400, 0.4, 0.05) is None
    assert weeks_to_notice_count(3000, 3.0, 0.05) is None
    assert alerts_to_notice_disparity(2000, (0.4, 0.2), 0.05) is None


def test_a_typical_path_crosses_where_it_says() -> None:
    found = weeks_to_notice_count(3000, 6.0, 0.05)
    assert found == pytest.approx(3.687)
    whole = math.ceil(found)
    assert CountAtMost(3000, whole * WEEK_MS, 6 * whole).crossed(0.05)
    assert not CountAtMost(3000, 3 * WEEK_MS, 18).crossed(0.05)


def test_weeks_and_what_twice_as_bad_means() -> None:
    assert weeks(60, 20) == 3
    assert weeks(None, 20) is None
    assert weeks(60, 0) is None
    assert [twice_as_bad(limit) for limit in (50, 300, 400, 900)] == [100, 600, 700, 950]
    with pytest.raises(BadInput):
        weeks(60, -1)
    with pytest.raises(BadInput, match="between 0 and 1"):
        alerts_to_notice(50, 10, 0.05)
