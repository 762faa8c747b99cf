"""When an alert is final and what it was; day and night; the four states."""

from __future__ import annotations

from dataclasses import replace

import pytest

from watchglass.charter.limits import QualityLimits
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND
from watchglass.quality.daylight import sun_height
from watchglass.quality.finality import Awaited, Reading, Value, final_of, in_time
from watchglass.quality.states import State, Why, begun, moved, needs_new_charter

UNDO = 10 * SECOND
ALERT = Awaited(1, 0, 2 * MINUTE)


def read(*values: str, drawn: bool | None = False) -> Awaited:
    """An alert with these judgements, an hour apart."""
    readings = tuple(Reading(place, value, place * HOUR) for place, value in enumerate(values, 1))  # type: ignore[arg-type]
    return replace(ALERT, readings=readings, second_drawn=drawn)


@pytest.mark.parametrize(
    ("alert", "value", "at_ms"),
    [
        (ALERT, Value.UNDECIDED, DAY),
        (read("confirm"), Value.RIGHT, HOUR + UNDO),
        (read("reject"), Value.WRONG, HOUR + UNDO),
        (read("unsure"), Value.UNDECIDED, HOUR + UNDO),
        (read("confirm", drawn=True), Value.RIGHT, DAY),  # nobody judged it again
        (read("confirm", drawn=None), Value.RIGHT, DAY),
        (read("confirm", "confirm", drawn=True), Value.RIGHT, 2 * HOUR + UNDO),
        (read("confirm", "reject", drawn=True), Value.UNDECIDED, DAY),  # two differ, and no third came
        (read("confirm", "reject", "reject", drawn=True), Value.WRONG, 3 * HOUR + UNDO),
        (read("reject", "confirm", "unsure", drawn=True), Value.UNDECIDED, 3 * HOUR + UNDO),
    ],
)
def test_an_alert_is_final_once_nothing_is_owed_or_it_is_mature(alert: Awaited, value: Value, at_ms: int) -> None:
    assert final_of(alert, now_ms=at_ms - 1, matures_ms=DAY, undo_ms=UNDO) is None
    for now in (at_ms, at_ms + DAY):
        final = final_of(alert, now_ms=now, matures_ms=DAY, undo_ms=UNDO)
        assert final is not None
        assert (final.number, final.value, final.at_ms) == (1, value, at_ms)


def test_a_verdict_that_can_still_be_undone_when_it_matures_came_too_late() -> None:
    for late, value in ((0, Value.RIGHT), (1, Value.UNDECIDED)):
        alert = replace(ALERT, readings=(Reading(1, "confirm", DAY - UNDO + late),))
        final = final_of(alert, now_ms=2 * DAY, matures_ms=DAY, undo_ms=UNDO)
        assert final is not None
        assert final.value is value


def test_a_place_is_read_once() -> None:
    with pytest.raises(BadInput, match="twice"):
        replace(ALERT, readings=(Reading(1, "confirm", 1), Reading(1, "reject", 2)))


def test_whether_it_was_in_time_is_known_at_the_deadline_and_not_before() -> None:
    due = ALERT.due_ms
    assert in_time(ALERT, now_ms=due + UNDO, undo_ms=UNDO) is None  # a verdict in time could have been taken back
    assert in_time(ALERT, now_ms=due + UNDO + 1, undo_ms=UNDO) is False
    early, late = (replace(ALERT, readings=(Reading(1, "reject", at),)) for at in (due, due + 1))
    assert in_time(early, now_ms=due + UNDO - 1, undo_ms=UNDO) is None
    assert in_time(early, now_ms=due + UNDO, undo_ms=UNDO) is True
    assert in_time(late, now_ms=due + UNDO + 1, undo_ms=UNDO) is False


def test_the_sun_stands_where_almanacs_say() -> None:
    """At the pole its height is its declination: 0 at the equinox (2024-03-20T03:06Z), 23.44 at the solstice."""
    equinox, solstice = 1_710_903_960_000, 1_718_916_660_000  # 2024-06-20T20:51Z
    assert abs(sun_height(90, 0, equinox)) < 0.02
    assert abs(sun_height(90, 0, solstice) - 23.436) < 0.02
    noon = 1_718_884_800_000 + 2 * MINUTE  # at Greenwich, on the day of the solstice
    assert abs(sun_height(51.4779, 0, noon) - (90 - 51.4779 + 23.436)) < 0.05
    assert sun_height(51.4779, 0, noon - 12 * HOUR) < -10
    assert sun_height(80, 0, noon - 12 * HOUR) > 0  # the midnight sun


LIMITS = QualityLimits("lawn", expected_alerts_per_week=5, precision_at_least=600, trial_ms=30 * DAY)


def test_states_follow_from_tests_and_time() -> None:
    trial = begun(LIMITS, Why.NEW, 0)
    assert (trial.state, trial.trial_ends_ms) == (State.TRIAL, 30 * DAY)
    nothing = {"crossed": None, "trusted": False, "lately": 0, "fewest": 20}
    assert moved(trial, **nothing, now_ms=30 * DAY - 1) is trial
    over = moved(trial, **nothing, now_ms=30 * DAY)
    assert (over.state, over.why) == (State.SUSPENDED, Why.EXPIRED)
    trusted = moved(trial, **{**nothing, "trusted": True}, now_ms=DAY)
    assert trusted.state is State.WITHIN
    assert moved(trusted, **nothing, now_ms=91 * DAY - 1) is trusted
    unknown = moved(trusted, **nothing, now_ms=91 * DAY)
    assert (unknown.state, unknown.why) == (State.UNKNOWN, Why.TOO_FEW)
    again = moved(unknown, **{**nothing, "lately": 20}, now_ms=92 * DAY)
    assert (again.state, again.why) == (State.WITHIN, Why.ENOUGH)
    stopped = moved(again, **{**nothing, "crossed": "undecided_at_most", "trusted": True}, now_ms=93 * DAY)
    assert (stopped.state, stopped.why) == (State.SUSPENDED, "undecided_at_most")
    assert moved(stopped, **{**nothing, "trusted": True, "lately": 99}, now_ms=94 * DAY) is stopped
    assert needs_new_charter(89 * DAY, 0)
    assert not needs_new_charter(90 * DAY, 0)
    assert not needs_new_charter(90 * DAY, None)
