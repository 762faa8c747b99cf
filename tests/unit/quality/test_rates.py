"""Counts, strata, weeks, how near a limit is; and what forecasts were worth."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchglass.charter.limits import QualityLimits
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.quality.finality import Value
from watchglass.quality.rates import (
    WEEK,
    Judged,
    Near,
    a_day,
    by_week,
    count,
    in_time,
    in_view_words,
    nearness,
    running_share,
    splits,
    timely,
    value_at,
)
from watchglass.quality.reliability import isotonic, reliability

RIGHT, WRONG, NOTHING = Value.RIGHT, Value.WRONG, Value.UNDECIDED
ALERT = Judged(raised_ms=0, value=RIGHT, in_time=True, light="day", in_view=1)
LIMITS = QualityLimits("lawn", expected_alerts_per_week=14, precision_at_least=600, trial_ms=60 * DAY)


def alerts(right: int, wrong: int = 0, undecided: int = 0, **other: object) -> list[Judged]:
    values = [RIGHT] * right + [WRONG] * wrong + [NOTHING] * undecided
    return [replace(ALERT, value=value, **other) for value in values]  # type: ignore[arg-type]


def at(**other: object) -> Value | None:
    given_ = {
        "raised_ms": 0, "until_ms": DAY, "matures_ms": 14 * DAY, "undo_ms": 10_000, "said": ("confirm", HOUR),
        "drawn": False, "made": None, **other,
    }  # fmt: skip
    return value_at(**given_)  # type: ignore[arg-type]


def test_an_alert_counts_once_nothing_can_come_any_more() -> None:
    assert at() is RIGHT
    assert at(said=("reject", HOUR)) is WRONG
    assert at(said=("unsure", HOUR)) is NOTHING
    assert at(said=None) is None
    assert at(until_ms=HOUR + 9_999) is None  # it can still be taken back
    assert at(said=None, until_ms=14 * DAY) is NOTHING


def test_a_verdict_that_another_person_is_to_give_too_counts_for_nothing_until_that_is_closed() -> None:
    for said in ("confirm", "reject", "unsure"):  # whatever the first said: nobody learns it from a count
        assert at(said=(said, HOUR), drawn=True) is None
        assert at(said=(said, HOUR), drawn=True, until_ms=15 * DAY) is None
    assert at(drawn=True, made="reject") is WRONG


def test_in_time_is_known_once_it_cannot_change() -> None:
    def asked(said_ms: int | None, until_ms: int) -> bool | None:
        return timely(due_ms=2 * MINUTE, until_ms=until_ms, undo_ms=10_000, said_ms=said_ms)

    assert asked(MINUTE, HOUR) is True
    assert asked(3 * MINUTE, HOUR) is False
    assert asked(None, HOUR) is False
    assert asked(None, MINUTE) is None
    assert in_time([replace(ALERT, in_time=value) for value in (True, False, None)]) == (1, 2)


def test_what_waits_is_in_no_rate_and_no_answer_is_not_right() -> None:
    found = count([*alerts(3, 2, 1), replace(ALERT, value=None)])
    assert (found.final, found.alerts, found.not_right) == (6, 7, 3)


def test_how_crowded_a_picture_was_is_told_in_three_groups() -> None:
    assert [in_view_words(n) for n in (0, 1, 2, 4, 5)] == ["", "one", "two to four", "two to four", "five or more"]


def test_strata_stand_side_by_side_with_intervals_that_hold_together_and_too_few_are_said_to_be() -> None:
    some = [*alerts(30), *alerts(5, 25, light="night"), *alerts(3, in_view=7)]
    light, crowded = splits(some, alpha=0.05, fewest=20)
    assert [(group.name, group.happened, group.of) for group in light.comparison.groups] == [
        ("day", 33, 33.0),
        ("night", 5, 30.0),
    ]
    assert light.comparison.differs
    many = crowded.comparison.group("five or more")
    assert many is not None
    assert (many.happened, many.value) == (3, None)
    assert splits([], alpha=0.05, fewest=20) == ()


def test_weeks_end_with_the_count_and_an_empty_one_is_shown_as_empty() -> None:
    some = [replace(ALERT, raised_ms=ms) for ms in (1, 2 * WEEK, 3 * WEEK - 1)]
    weeks = by_week(some, 0, 3 * WEEK)
    assert [(week.from_ms // WEEK, week.counted.final, week.low is None) for week in weeks] == [
        (0, 1, False),
        (1, 0, True),
        (2, 2, False),
    ]


def test_a_rate_a_day_has_an_exact_interval_and_nothing_below_a_week() -> None:
    rate = a_day(0, 28.0)
    assert rate.value == 0
    assert rate.high == pytest.approx(-math.log(0.025) / 28, rel=1e-6)
    assert a_day(5, 6.9).value is None
    with pytest.raises(BadInput):
        a_day(-1, 7)


def test_what_was_stopped_is_no_exposure_and_overlaps_are_taken_out_once() -> None:
    assert running_share(0, 100, [(10, 30), (20, 40), (90, 200), (-50, 0)]) == pytest.approx(0.6)
    assert running_share(0, 100, []) == 1


@pytest.mark.parametrize(
    ("right", "wrong", "near"),
    [(5, 1, Near.FEW), (95, 5, Near.CLEAR), (65, 35, Near.NEAR), (55, 45, Near.OVER), (20, 80, Near.BEYOND)],
)
def test_how_near_a_limit_is(right: int, wrong: int, near: Near) -> None:
    (found,) = nearness(LIMITS, alerts(right, wrong), (wrong, 4.0), 20)
    assert (found.near, found.k) == (near, wrong)


def test_every_limit_is_seen_from_its_bad_side() -> None:
    limits = QualityLimits(
        "lawn", 14, 600, 3000, 950, 200, ("day", "night"), 2000, trial_ms=60 * DAY
    )  # fmt: skip
    some = [*alerts(40, 2, 4, in_time=False), *alerts(20, 30, light="night")]
    found = {each.limit: each for each in nearness(limits, some, (36, 4.0), 20)}
    assert (found["precision_at_least"].k, found["precision_at_least"].n) == (36, 96)
    assert (found["undecided_at_most"].k, found["reviewed_in_time_at_least"].k) == (4, 46)
    assert found["false_alerts_per_week"].seen == 9
    assert found["false_alerts_per_week"].near is Near.BEYOND
    assert found["disparity_at_most"].seen == pytest.approx((30 / 50) / (6 / 46))
    assert found["disparity_at_most"].near is Near.BEYOND
    few = {each.limit: each for each in nearness(limits, alerts(40), (0, 0.5), 20)}
    assert few["false_alerts_per_week"].near is few["disparity_at_most"].near is Near.FEW


# ---- reliability ---------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.9]), st.booleans()), min_size=30, max_size=60))
def test_the_score_is_the_sum_of_its_parts_and_no_part_is_negative(pairs: list[tuple[float, bool]]) -> None:
    said, right = [share for share, _ in pairs], [came for _, came in pairs]
    found = reliability(said, right, random=np.random.default_rng(1))
    assert found is not None
    assert found.score == pytest.approx(np.mean((np.array(said) - np.array(right)) ** 2))
    assert found.score == pytest.approx(found.miscalibration - found.discrimination + found.uncertainty)
    assert min(found.miscalibration, found.discrimination, found.uncertainty) >= -1e-12
    assert sum(step.n for step in found.steps) == len(pairs)
    shares = [step.share for step in found.steps]
    assert shares == sorted(shares)


def test_pooling_gives_the_rising_values_that_fit_best() -> None:
    weights = np.array([1.0, 1.0, 2.0, 1.0])
    assert isotonic(np.array([0.0, 1.0, 0.25, 1.0]), weights).tolist() == [0.0, 0.5, 0.5, 1.0]
    best = isotonic(np.array([0.9, 0.1, 0.5]), np.ones(3))
    assert best.tolist() == pytest.approx([0.5, 0.5, 0.5])


def test_forecasts_that_are_right_lie_in_their_band_and_those_that_boast_do_not() -> None:
    dice = np.random.default_rng(7)
    said = [0.2] * 200 + [0.8] * 200
    honest = (dice.random(400) < np.array(said)).tolist()
    found = reliability(said, honest, random=np.random.default_rng(1))
    assert found is not None
    assert all(step.low <= step.share <= step.high for step in found.steps)
    boasts = reliability([0.95] * 100, [True] * 50 + [False] * 50, random=np.random.default_rng(1))
    assert boasts is not None
    assert boasts.steps[0].share < boasts.steps[0].low
    assert boasts.miscalibration == pytest.approx(0.45**2)
    assert reliability([0.5] * 29, [True] * 29, random=dice) is None
    with pytest.raises(BadInput):
        reliability([1.5], [True], random=dice)
