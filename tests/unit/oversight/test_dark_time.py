"""Dark time: what missing heartbeats mean, and what explains itself."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watchglass.oversight.dark import (
    EDGE_S,
    LATE_S,
    Beats,
    Gatherer,
    Run,
    Stretch,
    Watch,
    state_of,
    stretches,
    tally,
)

EVERY = 60
SEEN, BLIND, IDLE = Watch.SEEN, Watch.BLIND, Watch.IDLE
STOPPED, DARK, UNTOLD, PENDING = Watch.STOPPED, Watch.DARK, Watch.UNTOLD, Watch.PENDING


def beat(run: str, from_s: int, to_s: int, state: Watch = SEEN) -> Beats:
    return Beats(run, from_s, to_s, state, (from_s, to_s))


def run(name: str, started: int, stopped: int | None = None, cause: str | None = None, *, promised: bool = True) -> Run:
    return Run(name, promised, started, stopped, cause, (-started,))


def told(found: tuple[Stretch, ...]) -> list[tuple[int, int, Watch]]:
    return [(each.from_s, each.to_s, each.state) for each in found]


def of(beats: list[Beats], runs: list[Run], now: int) -> list[tuple[int, int, Watch]]:
    return told(stretches(beats, runs, now_s=now, every_s=EVERY))


def test_a_beat_says_whether_pictures_came_and_whether_anything_might_look() -> None:
    assert state_of(["a"], 10) is SEEN
    assert state_of([], 10) is SEEN
    assert state_of(["a"], 0) is BLIND
    assert state_of([], 0) is IDLE


def test_a_source_that_is_watched_has_no_dark_time() -> None:
    assert of([beat("a", 5, 60), beat("a", 60, 120)], [run("a", 0)], 130) == [
        (0, 5, STOPPED),
        (5, 120, SEEN),
        (120, 130, PENDING),
    ]


def test_a_beat_that_is_missing_within_a_run_is_dark_however_short() -> None:
    assert of([beat("a", 0, 60), beat("a", 61, 120)], [run("a", 0)], 120) == [
        (0, 60, SEEN),
        (60, 61, DARK),
        (61, 120, SEEN),
    ]


def test_dark_time_is_proved_by_the_beats_at_its_edges_and_the_run() -> None:
    found = stretches([beat("a", 0, 60), beat("a", 90, 120)], [run("a", 7)], now_s=120, every_s=EVERY)
    assert found[1].refs == (60, 90, -7)


def test_the_last_beat_is_missed_only_when_the_next_is_overdue() -> None:
    last = 60 + EVERY + LATE_S
    assert of([beat("a", 0, 60)], [run("a", 0)], last)[-1] == (60, last, PENDING)
    assert of([beat("a", 0, 60)], [run("a", 0)], last + 1)[-1] == (60, last + 1, DARK)


def test_a_stop_on_record_explains_the_time_until_the_next_start() -> None:
    runs = [run("a", 0, 101, "asked"), run("b", 900)]
    assert of([beat("a", 0, 100), beat("b", 903, 960)], runs, 960) == [
        (0, 100, SEEN),
        (100, 900, STOPPED),
        (900, 903, STOPPED),
        (903, 960, SEEN),
    ]


def test_other_rules_explain_the_moment_in_which_it_starts_anew() -> None:
    runs = [run("a", 0, 100, "charter_ended"), run("b", 100)]
    found = stretches([beat("a", 0, 100), beat("b", 104, 160)], runs, now_s=160, every_s=EVERY)
    assert told(found) == [(0, 100, SEEN), (100, 104, STOPPED), (104, 160, SEEN)]
    assert "starting" in found[1].why


def test_where_only_hours_are_known_a_stop_and_a_start_within_one_are_no_dark_time() -> None:
    """An outsider's bounds: begun surely by the hour's end, not ended surely before its beginning."""
    hours = [run("a", 3_600, 0, "asked"), run("b", 3_600, 0, "asked"), run("c", 3_600)]
    found = of([beat("a", 60, 600), beat("b", 700, 900), beat("c", 1_500, 2_000)], hours, 2_000)
    assert DARK not in {state for _, _, state in found}
    assert {state for start, end, state in found if start >= 600 and end <= 700} == {STOPPED}


def test_where_only_hours_are_known_a_whole_hour_without_a_beat_is_dark() -> None:
    hours = [run("a", 3_600, 7_200, "asked"), run("b", 10_800)]
    found = of([beat("a", 60, 600), beat("b", 9_000, 9_060)], hours, 9_060)
    assert (600, 7_200, DARK) in found
    assert (7_200, 9_000, STOPPED) in found


@pytest.mark.parametrize("cause", ["fault", "found_after_crash"])
def test_a_run_that_was_cut_off_is_dark_until_the_next_begins(cause: str) -> None:
    runs = [run("a", 0, 900, cause), run("b", 900)]
    assert of([beat("a", 0, 100), beat("b", 904, 960)], runs, 960) == [
        (0, 100, SEEN),
        (100, 900, DARK),
        (900, 904, STOPPED),
        (904, 960, SEEN),
    ]


def test_a_recorder_that_fell_silent_long_before_the_stop_was_dark_until_then() -> None:
    runs = [run("a", 0, 5_000, "asked"), run("b", 9_000)]
    assert of([beat("a", 0, 100), beat("b", 9_005, 9_060)], runs, 9_060) == [
        (0, 100, SEEN),
        (100, 5_000, DARK),
        (5_000, 9_000, STOPPED),
        (9_000, 9_005, STOPPED),
        (9_005, 9_060, SEEN),
    ]


def test_a_run_between_that_never_gave_a_beat_was_dark() -> None:
    runs = [run("a", 0, 100, "asked"), run("b", 1_000, 4_000, "asked"), run("c", 5_000)]
    assert of([beat("a", 0, 100), beat("c", 5_001, 5_060)], runs, 5_060) == [
        (0, 100, SEEN),
        (100, 1_000, STOPPED),
        (1_000, 4_000, DARK),
        (4_000, 5_000, STOPPED),
        (5_000, 5_001, STOPPED),
        (5_001, 5_060, SEEN),
    ]


def test_a_run_that_is_over_before_its_first_beat_is_no_dark_time() -> None:
    runs = [run("a", 0, 100, "asked"), run("b", 1_000, 1_000 + EDGE_S, "asked"), run("c", 5_000)]
    found = of([beat("a", 0, 100), beat("c", 5_001, 5_060)], runs, 5_060)
    assert DARK not in {state for _, _, state in found}


def test_where_no_heartbeats_were_promised_nobody_can_tell() -> None:
    runs = [run("a", 0, 1_000, "charter_ended", promised=False), run("b", 1_000)]
    assert of([beat("b", 1_003, 1_060)], runs, 1_060) == [
        (0, 1_000, UNTOLD),
        (1_000, 1_003, STOPPED),
        (1_003, 1_060, SEEN),
    ]
    assert of([], [run("a", 0, promised=False)], 500) == [(0, 500, UNTOLD)]


def test_a_run_that_never_begins_to_beat_is_dark_once_that_is_overdue() -> None:
    soon = EVERY + LATE_S + EDGE_S
    assert of([], [run("a", 0)], soon) == [(0, soon, PENDING)]
    assert of([], [run("a", 0)], soon + 1) == [(0, soon + 1, DARK)]


def test_a_stop_at_the_end_explains_itself_until_now() -> None:
    assert of([beat("a", 0, 100)], [run("a", 0, 101, "asked")], 9_000) == [(0, 100, SEEN), (100, 9_000, STOPPED)]
    assert of([beat("a", 0, 100)], [run("a", 0, 101, "fault")], 9_000) == [(0, 100, SEEN), (100, 9_000, DARK)]


def test_a_new_run_without_beats_yet_is_not_dark_at_once() -> None:
    runs = [run("a", 0, 101, "asked"), run("b", 9_000)]
    assert of([beat("a", 0, 100)], runs, 9_020) == [(0, 100, SEEN), (100, 9_000, STOPPED), (9_000, 9_020, PENDING)]
    assert of([beat("a", 0, 100)], runs, 10_000)[-1] == (9_000, 10_000, DARK)


def test_beats_that_overlap_after_the_clock_was_set_back_count_once() -> None:
    found = of([beat("a", 0, 1_000), beat("a", 500, 1_100)], [run("a", 0)], 1_100)
    assert found == [(0, 1_100, SEEN)] or sum(to - start for start, to, _ in found) == 1_100


def test_beats_that_say_the_same_are_gathered_with_the_first_and_the_last() -> None:
    gatherer = Gatherer()
    for start in range(0, 600, 60):
        gatherer.add(Beats("a", start, start + 60, BLIND if start == 300 else SEEN, (start,)))
    assert [(each.from_s, each.to_s, each.state, each.refs, each.count) for each in gatherer.all()] == [
        (0, 300, SEEN, (0, 240), 5),
        (300, 360, BLIND, (300,), 1),
        (360, 600, SEEN, (360, 540), 4),
    ]


def test_sums_are_of_a_window() -> None:
    found = [Stretch(0, 100, SEEN), Stretch(100, 150, DARK), Stretch(150, 300, STOPPED), Stretch(300, 400, BLIND)]
    sums = tally(found, 50, 350)
    assert (sums.seen, sums.dark, sums.stopped, sums.blind, sums.with_beats) == (50, 50, 150, 50, 100)


CAUSES = [None, "asked", "charter_ended", "fault", "found_after_crash"]


@settings(suppress_health_check=[HealthCheck.too_slow])  # drawing is slow where the machine is busy
@given(st.data())
def test_every_second_is_told_once(data: st.DataObject) -> None:
    """Whatever runs and beats there are: from the first run on, stretches are in order, without gap or overlap."""
    now = data.draw(st.integers(1, 5_000))
    edges = sorted(data.draw(st.lists(st.integers(0, 5_000), min_size=2, max_size=8)))
    runs, beats = [], []
    for place, (start, end) in enumerate(zip(edges[::2], edges[1::2], strict=False)):
        cause = data.draw(st.sampled_from(CAUSES[1:] if place < len(edges) // 2 - 1 else CAUSES))
        stopped = end if cause else None
        runs.append(run(str(place), start, stopped, cause, promised=data.draw(st.booleans())))
        cuts = sorted(data.draw(st.lists(st.integers(start, end), max_size=6)))
        beats += [
            beat(str(place), low, high, data.draw(st.sampled_from([SEEN, BLIND, IDLE])))
            for low, high in zip(cuts[::2], cuts[1::2], strict=False)
            if high > low
        ]
    found = stretches(beats, runs, now_s=now, every_s=EVERY)
    at = runs[0].started_s
    for each in found:
        assert each.from_s == at
        assert each.to_s > each.from_s
        at = each.to_s
    assert not found or at >= now
    covered = {second for each in beats for second in range(each.from_s, each.to_s)}
    for each in found:
        if each.state in {SEEN, BLIND, IDLE}:
            assert covered.issuperset(range(each.from_s, each.to_s))
        else:
            assert covered.isdisjoint(range(each.from_s, each.to_s))
