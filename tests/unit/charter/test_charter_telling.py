"""Whom the charter lets be told: by destination, by rule, before or after a person decided, and not while suspended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from watchglass.charter.decide import Standing, Suspension, decide, in_force
from watchglass.charter.model import Charter
from watchglass.charter.parse import parse
from watchglass.charter.permit import Decide, Request, RunAnalytic, SendNotice, TryDestination
from watchglass.core.errors import Refused
from watchglass.core.time import HOUR

EVERY_KIND = Path(__file__).parents[2] / "spec" / "charters" / "every-kind.yaml"


@pytest.fixture(scope="module")
def telling() -> Charter:
    return parse(EVERY_KIND.read_bytes())


@pytest.fixture
def standing(telling: Charter) -> Standing:
    return Standing(telling, "production", frozenset({"authority", "oversight"}), "cosigned")


@pytest.fixture
def now(telling: Charter) -> int:
    return in_force(telling)[0] + 12 * HOUR


@pytest.mark.parametrize(
    "request_",
    [
        SendNotice("harbour-master", "crowding", decided=True),
        SendNotice("harbour-master", "crowding", decided=False),
        SendNotice("control-room", "running", decided=True),
        SendNotice("control-room", "fall", decided=False),
        TryDestination("control-room"),
    ],
)
def test_what_the_charter_names_may_be_told(standing: Standing, now: int, request_: Request) -> None:
    assert decide(standing, request_, now).purpose == "safety"


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (SendNotice("harbour-master", "running", decided=True), "does not let 'running' tell 'harbour-master'"),
        (SendNotice("nobody", "crowding", decided=True), "does not let 'crowding' tell 'nobody'"),
        (SendNotice("control-room", "no-such-rule", decided=True), "no analytic called"),
        (SendNotice("control-room", "closed", decided=True), "does not let 'closed'"),
        (SendNotice("control-room", "running", decided=False), "only what a person has decided"),
        (SendNotice("control-room", "down", decided=False), "only what a person has decided"),
        (TryDestination("nobody"), "does not let any analytic tell 'nobody'"),
    ],
)
def test_and_nobody_else_and_nothing_else(standing: Standing, now: int, request_: Request, said: str) -> None:
    with pytest.raises(Refused, match=said):
        decide(standing, request_, now)


def test_a_suspension_of_the_rule_or_of_all_stops_its_news(standing: Standing, now: int) -> None:
    crowding = SendNotice("control-room", "crowding", decided=True)
    running = SendNotice("control-room", "running", decided=True)
    one = replace(standing, suspensions=(Suspension("crowding", "oversight", now - HOUR),))
    with pytest.raises(Refused, match="suspended by oversight"):
        decide(one, crowding, now)
    assert decide(one, running, now)
    for asked in (crowding, running, TryDestination("control-room")):
        with pytest.raises(Refused, match="suspended by oversight"):
            decide(replace(standing, suspensions=(Suspension("all", "oversight", now - HOUR),)), asked, now)


def test_a_charter_that_ran_out_lets_nobody_be_told(standing: Standing, telling: Charter) -> None:
    with pytest.raises(Refused, match="ran out"):
        decide(standing, SendNotice("control-room", "crowding", decided=True), in_force(telling)[1])


def test_a_trial_and_the_demo_tell_nobody_far_away(standing: Standing, now: int) -> None:
    near = parse(EVERY_KIND.read_text("utf-8").replace("broker.exampleton.example", "broker.lan").encode())
    demo = replace(standing, deployment="demo", charter=near, published="exempt")
    assert decide(demo, SendNotice("control-room", "crowding", decided=True), now)
    for here in (demo, replace(demo, deployment="trial")):
        with pytest.raises(Refused, match="tell nobody far away"):
            decide(here, SendNotice("harbour-master", "crowding", decided=True), now)


def test_on_trial_nobody_outside_is_told_anything_and_people_go_on_deciding(standing: Standing, now: int) -> None:
    trial = replace(standing, on_trial=frozenset({"crowding"}))
    for decided in (True, False):
        with pytest.raises(Refused, match="'crowding' is on trial: its alerts go to reviewers"):
            decide(trial, SendNotice("harbour-master", "crowding", decided=decided), now)
    assert decide(trial, SendNotice("control-room", "running", decided=True), now).purpose == "safety"
    assert decide(trial, Decide("crowding"), now).purpose == "safety"
    assert decide(trial, RunAnalytic(trial.charter.analytic("crowding").source, "crowding"), now)


def test_what_a_limit_stopped_does_not_run_and_says_so(standing: Standing, now: int) -> None:
    stopped = replace(standing, suspensions=(Suspension("crowding", "its published limit", now),))
    source = stopped.charter.analytic("crowding").source
    with pytest.raises(Refused, match="'crowding' is suspended by its published limit"):
        decide(stopped, RunAnalytic(source, "crowding"), now)
    assert decide(stopped, Decide("crowding"), now).purpose == "safety"
