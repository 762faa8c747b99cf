"""Only the charter says yes, and it says no with every reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from watchglass.charter.decide import LEASE_MS, Standing, Suspension, decide, in_force
from watchglass.charter.model import Charter
from watchglass.charter.parse import parse
from watchglass.charter.permit import (
    ConfirmBackdrop,
    Decide,
    HandOver,
    KeepClip,
    LookAt,
    RaiseAlert,
    Request,
    RunAnalytic,
    ShowPublicView,
    ShowReviewerView,
)
from watchglass.core.errors import Refused
from watchglass.core.time import millis

BERLIN = ZoneInfo("Europe/Berlin")


def at(*parts: int, fold: int = 0) -> int:
    return millis(datetime(*parts, tzinfo=BERLIN, fold=fold))


NIGHT = at(2027, 1, 5, 2, 0)
NOON = at(2027, 1, 5, 12, 0)

RUNNING: tuple[Request, ...] = (
    RunAnalytic("steps-cam", "crowding"),
    LookAt("steps-cam"),
    ShowPublicView("steps-cam"),
    ConfirmBackdrop("steps-cam"),
    RaiseAlert("crowding"),
    KeepClip("crowding"),
)
FINISHING: tuple[Request, ...] = (
    ShowReviewerView("steps-cam", "crowd-safety"),
    Decide("crowding"),
    HandOver("crowding"),
)


WITHIN = 3_600_000
"""The harbour charter's `witnessed_within`."""
UNSEEN = (", witnessed_within: 1h", "")
"""For what has nothing to do with witnesses."""


def witnessed(charter: Charter, witnessed_ms: int | None, deployment: str = "production") -> Standing:
    signed = frozenset({"authority", "oversight"})
    return Standing(charter, deployment, signed, "cosigned", witnessed_ms=witnessed_ms)  # type: ignore[arg-type]


@pytest.mark.parametrize("request_", RUNNING)
def test_without_a_fresh_cosignature_nothing_runs(charter: Charter, request_: Request) -> None:
    assert decide(witnessed(charter, NOON), request_, NOON).until_ms == NOON + LEASE_MS
    assert decide(witnessed(charter, NOON - WITHIN + 1), request_, NOON).until_ms == NOON + 1
    for last in (None, NOON - WITHIN, NOON - 10 * WITHIN):
        (reason,) = reasons(witnessed(charter, last), request_, NOON)
        assert "Too few witnesses have confirmed the ledger" in reason
        assert "longer than 1 hour" in reason
    assert "so far" in reasons(witnessed(charter, None), request_, NOON)[0]
    assert "since 2027-01-05T10:00:00Z" in reasons(witnessed(charter, NOON - WITHIN), request_, NOON)[0]


@pytest.mark.parametrize("request_", FINISHING)
def test_without_witnesses_people_still_finish_what_was_raised(charter: Charter, request_: Request) -> None:
    assert decide(witnessed(charter, None), request_, NOON)


def test_a_cosignature_from_the_future_is_none(charter: Charter) -> None:
    assert decide(witnessed(charter, NOON + 299_000), RUNNING[0], NOON)
    assert "Too few" in reasons(witnessed(charter, NOON + 301_000), RUNNING[0], NOON)[0]


def test_a_trial_is_exempt_from_witnesses_and_the_demo_is_not(charter: Charter) -> None:
    trial = witnessed(charter, None, "trial")
    assert not [why for why in reasons(trial, RUNNING[0], NOON) if "witness" in why]
    assert "Too few" in reasons(witnessed(charter, None, "demo"), RUNNING[0], NOON)[0]


@pytest.fixture
def standing(unwitnessed: Charter) -> Standing:
    return Standing(unwitnessed, "production", frozenset({"authority", "oversight"}), "cosigned")


def reasons(standing: Standing, request: Request, now: int) -> tuple[str, ...]:
    with pytest.raises(Refused) as caught:
        decide(standing, request, now)
    assert caught.value.exit_code == 3
    assert caught.value.fix
    return caught.value.reasons


@pytest.mark.parametrize("request_", RUNNING + FINISHING)
def test_a_charter_in_force_says_yes_for_a_short_time(standing: Standing, charter: Charter, request_: Request) -> None:
    permit = decide(standing, request_, NOON)
    assert permit.charter_sha256 == charter.sha256
    assert permit.charter == charter.digest
    assert (permit.version, permit.purpose, permit.request) == (3, "crowd-safety", request_)
    assert permit.until_ms == NOON + LEASE_MS


@pytest.mark.parametrize("request_", RUNNING + FINISHING)
def test_without_a_charter_nothing_is_allowed(request_: Request) -> None:
    assert reasons(Standing(None, "demo"), request_, NOON) == ("There is no charter.",)


@pytest.mark.parametrize("request_", RUNNING + FINISHING)
@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"approvals": frozenset({"oversight"})}, "authority has not signed"),
        ({"approvals": frozenset({"authority"})}, "Oversight has not signed"),
        ({"published": "no"}, "not published"),
        ({"published": "waiting"}, "No witness"),
        ({"published": "exempt"}, "Only a trial or the demo"),
    ],
)
def test_what_a_charter_needs_before_it_says_yes(
    standing: Standing, request_: Request, change: dict, word: str
) -> None:
    assert word in " ".join(reasons(replace(standing, **change), request_, NOON))


def test_the_demo_needs_no_witness(standing: Standing) -> None:
    decide(replace(standing, deployment="demo", published="exempt"), RUNNING[0], NOON)


def test_a_trial_ends_after_fourteen_days(standing: Standing, edit) -> None:
    trial = replace(standing, deployment="trial", published="exempt")
    assert "at most 14 days" in " ".join(reasons(trial, RUNNING[0], NOON))
    short = parse(edit(("from: 2026-12-01, until: 2027-11-30", "from: 2027-01-01, until: 2027-01-14")))
    decide(replace(trial, charter=short), RUNNING[0], NOON)


@pytest.mark.parametrize("request_", RUNNING)
def test_it_begins_and_ends_with_its_days_by_its_own_clock(
    standing: Standing, charter: Charter, request_: Request
) -> None:
    begin, end = in_force(charter)
    assert (begin, end) == (at(2026, 12, 1), at(2027, 12, 1))
    assert "comes into force only" in reasons(standing, request_, begin - 1)[0]
    decide(standing, request_, begin)
    assert decide(standing, request_, end - 1).until_ms == end
    assert "ran out" in reasons(standing, request_, end)[0]


@pytest.mark.parametrize("request_", FINISHING)
def test_people_can_finish_after_it_ran_out_or_was_suspended(
    standing: Standing, charter: Charter, request_: Request
) -> None:
    end = in_force(charter)[1]
    assert decide(standing, request_, end).until_ms == end + LEASE_MS
    assert decide(standing, request_, end - 100).until_ms == end
    stopped = replace(standing, suspensions=(Suspension("all", "oversight", NOON - 5),))
    decide(stopped, request_, NOON)


@pytest.mark.parametrize("request_", RUNNING)
@pytest.mark.parametrize("scope", ["all", "crowding"])
def test_a_suspension_stops_what_runs(standing: Standing, request_: Request, scope: str) -> None:
    stopped = replace(standing, suspensions=(Suspension(scope, "oversight", NOON - 5),))
    by_source = isinstance(request_, LookAt | ShowPublicView | ConfirmBackdrop)
    if scope == "crowding" and by_source:
        decide(stopped, request_, NOON)  # the camera's health and the track are still watched
    else:
        assert "suspended by oversight" in reasons(stopped, request_, NOON)[0]


def test_a_suspension_of_one_analytic_leaves_the_others(standing: Standing) -> None:
    stopped = replace(standing, suspensions=(Suspension("on-the-track", "oversight", 5),))
    decide(stopped, RunAnalytic("steps-cam", "crowding"), NIGHT)
    assert reasons(stopped, RunAnalytic("steps-cam", "on-the-track"), NIGHT)


def test_when_every_analytic_of_a_source_is_suspended_nobody_looks(standing: Standing, charter: Charter) -> None:
    every = tuple(Suspension(analytic.name, "oversight", 5) for analytic in charter.analytics)
    assert "Every analytic" in reasons(replace(standing, suspensions=every), LookAt("steps-cam"), NOON)[0]


def test_looking_serves_a_purpose_that_is_not_suspended(standing: Standing) -> None:
    stopped = tuple(Suspension(name, "oversight", 5) for name in ("crowding", "camera-health"))
    permit = decide(replace(standing, suspensions=stopped), LookAt("steps-cam"), NOON)
    assert permit.purpose == "restricted-area"


def test_all_reasons_are_told_at_once(standing: Standing) -> None:
    bad = replace(standing, approvals=frozenset(), published="no", suspensions=(Suspension("all", "oversight", 5),))
    found = reasons(bad, RunAnalytic("steps-cam", "on-the-track"), at(2028, 5, 5, 12))
    assert len(found) == 6


@pytest.mark.parametrize(
    "request_",
    [
        RunAnalytic("steps-cam", "no-such"),
        RunAnalytic("no-such", "crowding"),
        LookAt("no-such"),
        RaiseAlert("no-such"),
        ShowReviewerView("steps-cam", "no-such"),
        ShowReviewerView("no-such", "crowd-safety"),
        HandOver("no-such"),
        RaiseAlert("crowding", NOON + 2 * 86_400_000),
    ],
)
def test_what_the_charter_does_not_name_is_refused(standing: Standing, request_: Request) -> None:
    assert reasons(standing, request_, NOON)


@pytest.mark.parametrize("now", [-1, 10**15, 10**30])
def test_an_impossible_clock_is_refused(standing: Standing, now: int) -> None:
    assert "clock" in reasons(standing, RUNNING[0], now)[0]


TRACK = RunAnalytic("steps-cam", "on-the-track")


def test_hours_open_and_close_to_the_millisecond(standing: Standing) -> None:
    begin, end = at(2027, 1, 5, 1, 0), at(2027, 1, 5, 4, 30)
    assert "outside the hours" in reasons(standing, TRACK, begin - 1)[0]
    decide(standing, TRACK, begin)
    assert decide(standing, TRACK, end - 200).until_ms == end
    assert reasons(standing, TRACK, end)


def test_an_alert_is_judged_by_the_time_it_was_captured(standing: Standing) -> None:
    end = at(2027, 1, 5, 4, 30)
    decide(standing, RaiseAlert("on-the-track", captured_ms=end - 1), end + 900)
    assert reasons(standing, RaiseAlert("on-the-track", captured_ms=end), end + 900)
    decide(standing, KeepClip("on-the-track"), end + 4000)


@pytest.mark.parametrize("days", ["mon", "tue"])
def test_a_night_belongs_to_the_day_on_which_it_begins(standing: Standing, edit, days: str) -> None:
    charter = parse(edit(UNSEEN, ('hours: "01:00-04:30"', f'hours: "22:00-06:00", days: [{days}]')))
    night = replace(standing, charter=charter)
    monday_late, tuesday_early = at(2027, 1, 4, 23, 0), at(2027, 1, 5, 5, 59)
    if days == "mon":
        decide(night, TRACK, monday_late)
        assert decide(night, TRACK, tuesday_early).until_ms == tuesday_early + LEASE_MS
        assert reasons(night, TRACK, at(2027, 1, 4, 5, 0))
        assert reasons(night, TRACK, at(2027, 1, 5, 23, 0))
    else:
        assert reasons(night, TRACK, monday_late)
        assert reasons(night, TRACK, tuesday_early)


def test_when_clocks_are_put_forward_the_hours_follow_the_wall(standing: Standing, edit) -> None:
    # 28 March 2027, 02:00 -> 03:00 in Berlin: the minutes from 02:30 to 03:00 do not exist.
    charter = parse(edit(UNSEEN, ('"01:00-04:30"', '"01:00-02:30"')))
    spring = replace(standing, charter=charter)
    jump = at(2027, 3, 28, 3, 0)
    assert decide(spring, TRACK, jump - 100).until_ms == jump
    assert reasons(spring, TRACK, jump)


def test_when_clocks_are_put_back_an_hour_counts_twice(standing: Standing, edit) -> None:
    # 31 October 2027, 03:00 -> 02:00 in Berlin.
    charter = parse(edit(UNSEEN, ('"01:00-04:30"', '"02:00-02:30"')))
    autumn = replace(standing, charter=charter)
    for fold in (0, 1):
        start = at(2027, 10, 31, 2, 0, fold=fold)
        decide(autumn, TRACK, start)
        assert decide(autumn, TRACK, start + 30 * 60_000 - 1).until_ms == start + 30 * 60_000
        assert reasons(autumn, TRACK, start + 30 * 60_000)
