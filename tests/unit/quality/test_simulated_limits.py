"""What the simulation rests on: small histories by hand, and its figures where chance hardly matters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from watchglass.cli.main import main
from watchglass.quality import drawn
from watchglass.quality.reviewers import HABITS, RULES, found
from watchglass.quality.simulate import Size, figures
from watchglass.statistics.power import boundary, crossings
from watchglass.statistics.sequential import WEEK_MS, AtMost, CountAtMost, Disparity

TINY = Size(shares=250, others=40, alerts=1000)


@pytest.fixture(scope="module")
def made() -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in figures(quick=True, progress=lambda _: None, size=TINY)}


def history(*outcomes: int) -> drawn.Bools:
    return np.array([outcomes], bool)


def test_alert_order_waits_for_what_is_not_final_and_verdict_order_does_not() -> None:
    """Limit .4: six wrong ones of six cross, or eight of nine. A right one is final only some alerts later."""
    edge = boundary(400, 0.05, 12)
    bad = history(0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0)
    assert drawn.crossed_as_told(bad, edge, 8)[0] == 6
    assert drawn.crossed_at(bad, edge)[0] == 9
    assert [int(part[0]) for part in drawn.crossed_when_final(bad, edge, 8)] == [9, 9]
    waiting = history(1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 0)
    assert drawn.crossed_at(waiting, edge)[0] == 9
    assert [int(part[0]) for part in drawn.crossed_when_final(waiting, edge, 6)] == [9, 11]
    assert [int(part[0]) for part in drawn.crossed_when_final(waiting, edge, 60)] == [drawn.NEVER, drawn.NEVER]


def test_a_test_that_is_looked_at_crosses_where_the_arrays_say() -> None:
    dice = np.random.default_rng(3)
    bad = dice.random((20, 120)) < 0.55
    at = drawn.crossed_at(bad, boundary(400, 0.05, 120))
    for row, expected in zip(bad, at, strict=True):
        test, crossed = AtMost(400), drawn.NEVER
        for n, one in enumerate(row, 1):
            test = test.after(bool(one))
            if test.crossed(0.05):
                crossed = n
                break
        assert crossed == expected
    assert (at != drawn.NEVER).sum() > 0


def test_the_latest_moment_of_a_count_is_where_its_test_stops_crossing() -> None:
    latest = drawn.latest_weeks(3000, 0.05, 40)
    for count in (5, 20, 40):
        before, after = (int(latest[count] * part * WEEK_MS) for part in (0.999, 1.001))
        assert CountAtMost(3000, before, count).crossed(0.05)
        assert not CountAtMost(3000, after, count).crossed(0.05)


def test_the_naive_way_is_unjust_a_third_of_the_time_exactly() -> None:
    edge = drawn.peeking_edge(0.05, 0.05, 2000, 10)
    assert crossings(edge, 0.05).sum() == pytest.approx(0.27, abs=0.03)
    assert crossings(edge, 0.05)[1:10].sum() == 0


def test_the_mixture_that_is_not_cut_off_is_the_integral() -> None:
    found_here = drawn.two_sided_log_e(0.05, history(0, 1, 0, 0))[0, -1]
    q = (np.arange(200_000) + 0.5) / 200_000
    assert found_here == pytest.approx(math.log((q * (1 - q) ** 3).mean() / (0.05 * 0.95**3)), abs=1e-6)


def test_bursts_come_together_and_are_as_frequent() -> None:
    (bad,) = drawn.outcomes(np.random.default_rng(1), 0.3, 200, 101, burst=5)
    assert bad.shape == (200, 101)
    assert (bad[:, 0:100:5] == bad[:, 4:100:5]).all()
    assert bad.mean() == pytest.approx(0.3, abs=0.03)


def test_a_disparity_is_found_where_there_is_one() -> None:
    at = drawn.disparity_crossed_at(np.random.default_rng(1), 2000, (0.9, 0.1), 0.05, 20, 300)
    assert (at != drawn.NEVER).all()
    even = Disparity(2000, ("a", "b"), (150, 150), (135, 15))
    assert even.crossed(0.05)


def test_each_careless_habit_is_found_by_checks_and_always_confirming_by_nothing_else() -> None:
    dice = np.random.default_rng(1)
    seen = {habit: found(dice, habit, RULES, 40, checks=150, alerts=300) for habit in HABITS}
    for habit in ("always_confirm", "always_reject", "always_unsure", "coin"):
        assert (seen[habit].checks != drawn.NEVER).mean() > 0.95, habit
    assert (seen["always_confirm"].precision == drawn.NEVER).all()
    assert (seen["always_confirm"].undecided == drawn.NEVER).all()
    assert (seen["always_unsure"].undecided == 5).all()
    assert (seen["careful"].checks == drawn.NEVER).all()
    assert RULES.checks_a_week == pytest.approx(2.3, abs=0.01)


def test_the_promised_figures_are_there_and_met(made: dict[str, dict[str, Any]]) -> None:
    promised = {
        "false_suspension_rate_at_limit", "naive_false_suspension_rate", "alerts_to_suspend_1_5x",
        "alerts_to_suspend_2x", "alerts_to_suspend_3x", "alerts_to_earn_trust", "better_detector_suspended",
    }  # fmt: skip
    assert promised <= set(made)
    for figure in made.values():
        assert figure["n"] > 0
        assert figure["note"]
        assert (figure["value"] is None) == (figure["interval"] is None)
        if figure["interval"]:
            assert figure["interval"][0] <= figure["value"] <= figure["interval"][1], figure["name"]
    assert made["naive_false_suspension_rate"]["value"] > 0.12
    assert made["untruncated_better_detector_suspended"]["value"] > 0.5
    assert made["verdict_order_false_suspension_rate_0_4"]["value"] > 0.5
    assert made["bursts_of_5_false_suspension_rate"]["value"] > 0.15
    assert made["better_detector_suspended"]["value"] < 0.02
    assert made["alerts_until_suspended_reviewer_always_confirm"]["value"] is None
    assert made["input_drift_false_warnings_a_camera_year_0"]["value"] == 0
    assert made["input_drift_halved_brightness_noticed_within_28_days"]["value"] == 1


def test_the_same_seed_gives_the_same_histories() -> None:
    dice = [np.random.default_rng(5) for _ in range(2)]
    first, second = (np.concatenate(list(drawn.outcomes(one, 0.1, 300, 40))) for one in dice)
    assert (first == second).all()
    assert len(first) == 300


def test_the_command_refuses_a_seed_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quality", "simulate", "--quick", "--seed", "-1"]) == 2
    assert "not a seed" in capsys.readouterr().err
