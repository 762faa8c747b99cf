"""When the public sees what: late enough, only with enough people, and with little to learn from when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.views.timeline import SLOT_MS, STALE_MS, Moment, Shown, Timeline


def moment(at_ms: int, people: int = 0, others: int = 0) -> Moment:
    return Moment(at_ms, tuple((at_ms % 1000 + n, 0, 0) for n in range(people)) + ((5, 5, 1),) * others, "day")


STEPS = st.lists(st.tuples(st.integers(1, 4000), st.integers(0, 5)), max_size=80)
"""Milliseconds to the next moment, and how many people are in view then."""


@given(STEPS, st.integers(0, 20_000), st.integers(0, 40_000))
def test_nothing_younger_than_the_delay_and_nothing_stale_is_ever_shown(
    steps: list[tuple[int, int]], delay: int, until: int
) -> None:
    line = Timeline(delay, 0)
    at = 0
    for step, people in steps:
        at += step
        line.add(moment(at, people))
        shown = line.at(at)
        assert shown is None or shown.at_ms <= at - delay
    later = line.at(at + until)
    assert later is None or at + until - delay - STALE_MS <= later.at_ms <= at + until - delay


@given(STEPS, st.sampled_from([0, 5_000, SLOT_MS, 15 * 60_000]), st.integers(1, 4))
def test_fewer_people_than_the_threshold_are_never_shown_nor_counted(
    steps: list[tuple[int, int]], delay: int, threshold: int
) -> None:
    line = Timeline(delay, threshold)
    at = 0
    for step, people in steps:
        at += step
        line.add(moment(at, people, others=1))
    for now in range(0, at + delay + 1000, 700):
        shown = line.at(now)
        if shown is None:
            continue
        if shown.hidden:
            assert (shown.marks, shown.people) == ((), None)
        else:
            assert shown.people is not None
            assert shown.people >= threshold


@given(STEPS, st.sampled_from([SLOT_MS, 15 * 60_000]), st.integers(1, 4))
def test_late_views_fill_and_empty_only_with_the_half_minute_whoever_comes_and_goes_when(
    steps: list[tuple[int, int]], delay: int, threshold: int
) -> None:
    line = Timeline(delay, threshold)
    at = 0
    for step, people in steps:
        at += step
        line.add(moment(at, people))
    of: dict[int, set[bool]] = {}
    for now in range(delay, at + delay, 500):
        shown = line.at(now)
        if shown is not None:
            of.setdefault((now - delay) // SLOT_MS, set()).add(shown.hidden)
    assert all(len(states) == 1 for states in of.values())


def test_the_second_at_which_the_third_came_cannot_be_told() -> None:
    """Whether they came at second 33 or at second 58: what is shown is the same."""
    tellings = []
    for came in (33_000, 58_000):
        line = Timeline(15 * 60_000, 3)
        for at in range(0, 120_000, 250):
            line.add(moment(at, 3 if at >= came else 2))
        tellings.append([seen(line.at(at + 15 * 60_000)) for at in range(0, 119_000, 500)])
    assert tellings[0] == tellings[1]
    assert tellings[0][119] == (True, None)
    assert tellings[0][120] == (False, 3)


def test_live_views_fill_after_half_a_minute_and_empty_at_once() -> None:
    line = Timeline(0, 3)
    shown = {}
    for at in range(0, 150_000, 250):
        line.add(moment(at, 3 if 12_000 <= at < 100_250 else 2))
        shown[at] = seen(line.at(at))
    assert shown[59_750] == (True, None)
    assert shown[60_000] == (False, 3)
    assert shown[100_000] == (False, 3)
    assert shown[100_250] == (True, None)


def seen(shown: Shown | None) -> tuple[bool, int | None]:
    assert shown is not None
    return shown.hidden, shown.people


def test_one_who_is_missed_for_a_moment_hides_a_live_view_until_enough_were_there_for_half_a_minute() -> None:
    line = Timeline(0, 3)
    shown = []
    for at in range(0, 180_000, 250):
        line.add(moment(at, 2 if at == 70_000 else 4))
        shown.append(seen(line.at(at))[0])
    assert not shown[69_750 // 250]
    assert all(shown[70_000 // 250 : 120_000 // 250])
    assert not shown[120_000 // 250]


def test_what_was_is_shown_the_delay_later() -> None:
    line = Timeline(10_000, 0)
    for at in range(0, 20_000, 250):
        line.add(moment(at, 4))
        shown = line.at(at)
        assert (shown is None) == (at < 10_000)
        if shown:
            assert shown.at_ms == at - 10_000


def test_a_source_that_went_away_leaves_an_empty_view_not_a_still_one() -> None:
    line = Timeline(0, 0)
    line.add(moment(1000, 9))
    assert line.at(3000) is not None
    assert line.at(1000 + STALE_MS + 1) is None


def test_a_clock_that_goes_back_starts_anew_and_shows_nothing_too_young() -> None:
    line = Timeline(5_000, 0)
    line.add(moment(90_000, 9))
    assert line.at(95_000) is not None
    assert line.at(94_000) is None, "by the clock of now that is four seconds old"
    line.add(moment(100, 1))
    shown = line.at(5_100)
    assert shown is not None
    assert shown.at_ms == 100


def test_a_moment_that_comes_out_of_turn_does_not_cost_what_waits_to_be_shown() -> None:
    line = Timeline(60_000, 0)
    for at in (1000, 2000, 1500, 2000, 2500):
        line.add(moment(at, at // 500))
    assert [seen(line.at(60_000 + at))[1] for at in (1000, 1700, 2000, 2500)] == [2, 2, 4, 5]


def test_where_no_view_fits_nobody_is_counted_and_the_reason_is_told() -> None:
    line = Timeline(0, 3)
    line.add(Moment(5, unsure="the camera is covered"))
    shown = line.at(5)
    assert shown is not None
    assert (shown.marks, shown.people, shown.hidden, shown.unsure) == ((), None, False, "the camera is covered")


def test_marks_without_a_view_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="no marks"):
        Moment(5, ((1, 2, 0),))
