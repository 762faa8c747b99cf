"""Costs: each part by hand, and silence where there is too little to say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from watchglass.charter.model import Costs
from watchglass.review.costs import (
    MONTH_DAYS,
    NOTHING,
    Estimate,
    Use,
    blocks,
    camera_cost,
    estimate,
    machine_month,
    otherwise,
    review_cost,
)

PRICES = Costs(hardware_per_year=480.0, kwh_price=0.30, reviewer_minute=0.75, watts=50.0, currency="EUR")
MINUTE = Use(60, 600, 120, 30, 6_000, 1_200, 1_500, 2)
HOUR = [MINUTE] * 60


def test_one_camera_by_hand() -> None:
    cost = camera_cost("cam", "A square", HOUR, PRICES)
    assert cost.hours == 1.0
    assert cost.cores is not None
    assert (cost.cores.value, cost.cores.low, cost.cores.high, cost.cores.n) == pytest.approx((0.1, 0.1, 0.1, 10))
    assert cost.share is not None
    assert cost.share.value == pytest.approx(0.05)
    assert cost.hardware is not None
    assert cost.hardware.value == pytest.approx(480 / 12 * 0.05)
    assert cost.energy is not None
    assert cost.energy.value == pytest.approx(0.05 * 24 * MONTH_DAYS * 0.30 * 0.05)
    assert cost.total is not None
    assert cost.total.value == pytest.approx(cost.hardware.value + cost.energy.value)
    assert cost.otherwise is not None
    assert (cost.otherwise.decode_ms, cost.otherwise.detect_ms) == (10.0, 50.0)
    # 480 more pictures of a minute at 10 ms each; 570 more looks at 50 ms each
    assert cost.otherwise.decoded == pytest.approx((6_000 + 480 * 10) / 6_000)
    assert cost.otherwise.detected == pytest.approx((6_000 + 480 * 10 + 570 * 50) / 6_000)


def test_without_watts_and_without_prices() -> None:
    cost = camera_cost("cam", "A square", HOUR, replace(PRICES, watts=None))
    assert cost.energy is None
    assert cost.total == cost.hardware
    assert machine_month(replace(PRICES, watts=None)) == (40.0, None)
    unpriced = camera_cost("cam", "A square", HOUR, None)
    assert unpriced.total is None
    assert unpriced.share is not None
    assert unpriced.otherwise is not None


def test_too_short_a_time_gives_no_figure() -> None:
    for uses in ([], [MINUTE] * 7, [replace(MINUTE, seconds=0)] * 600, [replace(MINUTE, seconds=6_000)]):
        cost = camera_cost("cam", "A square", uses, PRICES)
        assert cost.cores is None
        assert cost.total is None


def test_what_was_hardly_measured_is_not_multiplied() -> None:
    assert otherwise(replace(MINUTE, decoded=499)) is None
    whole = replace(MINUTE, frames=6_000, decoded=600, inferences=100)
    assert otherwise(whole) is not None
    assert otherwise(replace(whole, inferences=99)) is None
    assert otherwise(replace(whole, decode_ms=0)) is None
    assert otherwise(NOTHING) is None


def test_looking_at_everything_already_costs_just_that() -> None:
    everything = Use(60, 600, 600, 600, 40_000, 6_000, 30_000, 2)
    found = otherwise(everything)
    assert found is not None
    assert (found.decoded, found.detected) == (1.0, 1.0)


def test_the_interval_is_student_s() -> None:
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    found = estimate(values)
    assert found is not None
    # t(7, .975) = 2.365; s = 2.449; n = 8
    assert (found.value, found.n) == (4.5, 8)
    assert found.high - found.value == pytest.approx(2.365 * 2.4495 / 8**0.5, abs=0.02)
    assert estimate(values[:7]) is None
    assert estimate([5.0] * 3, fewest=1) == Estimate(5.0, 5.0, 5.0, 3)
    assert estimate([5.0], fewest=1) is None
    low = estimate([0.0] * 9 + [10.0])
    assert low is not None
    assert low.low == 0.0


@pytest.mark.parametrize("n", [1, 9, 10, 11, 12, 19, 20, 61, 100, 1440])
def test_blocks_are_ten_to_nineteen_and_lose_nothing(n: int) -> None:
    parts = blocks([MINUTE] * n)
    assert sum(part.frames for part in parts) == 600 * n
    assert len(parts) == n if n < 20 else 10 <= len(parts) <= 20
    assert 2 * min(part.seconds for part in parts) >= max(part.seconds for part in parts) / 2


@pytest.mark.parametrize("minutes", range(10, 41))
def test_from_the_tenth_minute_on_there_is_a_figure(minutes: int) -> None:
    assert camera_cost("cam", "A square", [MINUTE] * minutes, PRICES).total is not None


def test_people_s_time_and_a_confirmed_alert() -> None:
    camera = camera_cost("cam", "A square", HOUR, PRICES)
    review = review_cost([60_000] * 50, 60, 30, 30, [camera], PRICES)
    assert review.minutes is not None
    assert (review.minutes.value, review.minutes.n) == (1.0, 50)
    assert review.month is not None
    assert review.month.value == pytest.approx(0.75 * 60 / 30 * MONTH_DAYS)
    assert review.each is not None
    assert camera.total is not None
    assert review.each.value == pytest.approx((camera.total.value + review.month.value) / (30 / 30 * MONTH_DAYS))
    assert review.each.low <= review.each.value <= review.each.high


def test_an_alert_has_no_price_before_there_is_enough() -> None:
    camera = camera_cost("cam", "A square", HOUR, PRICES)
    new = camera_cost("new", "A corner", [], PRICES)
    assert review_cost([60_000] * 19, 60, 30, 30, [camera], PRICES).minutes is None
    for confirmed, cameras in ((19, [camera]), (30, [camera, new]), (30, [])):
        review = review_cost([60_000] * 50, 60, confirmed, 30, cameras, PRICES)
        assert review.each is None
        assert review.month is not None
