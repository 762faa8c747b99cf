"""A camera that changes is noticed within days, one whose days only differ is not, and so is light by the hour."""

from __future__ import annotations

import numpy as np
import pytest

from watchglass.quality.drawn_days import bright, false_warnings, noticed_after
from watchglass.quality.inputs import levels_of, normal_score, wanders, warned

DAYS = 56


def lit(rng: np.random.Generator, days: int = DAYS) -> np.ndarray:
    """Brightness by the hour: day and night, whose length changes, and weather that stays."""
    hours = np.arange(24)
    weather = np.zeros(days)
    for day in range(days):
        weather[day] = (0.5 * weather[day - 1] if day else 0.0) + rng.normal(0, 6)
    half_day = 4.5 + 0.04 * np.arange(days)[:, None]  # two minutes more of light each day, at both ends
    sun = np.clip(half_day - np.abs(hours - 12), -1, 1)
    sun[np.abs(sun) < 1] = np.nan  # what ``wanders`` leaves out
    return 70 + 50 * sun + weather[:, None] * (sun > 0) + rng.normal(0, 2, (days, 24))


def test_days_that_only_differ_warn_of_nothing_and_night_is_compared_with_night() -> None:
    rng = np.random.default_rng(11)
    found = [warned("brightness", lit(rng)) for _ in range(40)]
    assert sum(each.warns for each in found) <= 2
    assert all(each.days == DAYS - 14 for each in found)


@pytest.mark.parametrize("memory", [0.3, 0.5])
def test_brightness_that_halves_is_noticed_mostly_within_two_weeks(memory: float) -> None:
    rng = np.random.default_rng(12)
    after = [noticed_after(rng, "brightness", 0.5, memory, 28) for _ in range(20)]
    assert sum(each is not None for each in after) >= 19
    assert sum(each is not None and each <= 14 for each in after) >= 17


def test_half_as_much_followed_is_noticed_within_four_weeks_mostly() -> None:
    rng = np.random.default_rng(12)
    after = [noticed_after(rng, "followed", 0.5, 0.3, 28) for _ in range(20)]
    assert sum(each is not None for each in after) >= 14


def test_a_made_camera_in_which_nothing_changes_is_almost_never_warned_about() -> None:
    assert false_warnings(np.random.default_rng(12), 0.3, 2) <= 1


def test_a_warning_says_which_way_and_since_when() -> None:
    rng = np.random.default_rng(12)
    for factor, more in ((0.5, False), (2.0, True)):
        days = bright(rng, 62, 0.3)
        days[-21:] *= factor
        found = warned("brightness", days)
        assert found.warns
        assert found.more == more
        assert found.since == 6
        assert found.lately is not None
        assert found.before is not None
        assert (found.lately > found.before) == more


def test_hours_in_which_the_sun_rises_or_sets_are_left_out() -> None:
    noon = 1_795_435_200_000 // 86_400_000 * 86_400_000 + 12 * 3_600_000
    out = [hour for hour in range(24) if wanders(52.5, 13.4, noon + (hour - 12) * 3_600_000)]
    assert 6 in out
    assert 15 in out
    assert not {0, 2, 20, 22} & set(out)


def test_too_few_days_and_days_without_pictures_say_nothing() -> None:
    rng = np.random.default_rng(13)
    assert not warned("sharpness", lit(rng, 10)).days
    gone = lit(rng)
    gone[-8:] = np.nan
    assert warned("sharpness", gone).days == DAYS - 14 - 8
    assert not warned("sharpness", np.full((40, 24), 3.0)).warns  # a file that plays again and again
    assert warned("sharpness", np.zeros((0, 24))).lately is None


def test_scores_bet_fairly_while_days_could_be_exchanged() -> None:
    scores = [normal_score(rank, 29) for rank in range(29)]
    assert abs(sum(scores)) < 1e-9
    for bet in (-1.5, -0.5, 1.0):
        assert np.mean(np.exp(bet * np.array(scores) - bet**2 / 2)) <= 1
    assert levels_of([0.0] * 200)[-1] < 3
