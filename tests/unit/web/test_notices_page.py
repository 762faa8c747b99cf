"""The page of notices: who may see it, what it tells, and that each of its buttons is an act."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from a_portal import DATA, OURS, PASSWORD, Someone

from telling import Receiver, edits, fates, give_secret, status, told, webhook
from watchglass.access.roles import Role
from watchglass.review.model import Alert
from watchglass.web.portal.app import create_app
from world import World, make_house

LAWN = "on-the-lawn"


@dataclass
class Desk:
    world: World
    receiver: Receiver
    operator: Someone

    def dead_letter(self) -> Alert:
        """A confirmed alert whose destination said that it is gone."""
        alert = self.world.raise_alert(LAWN)
        self.world.decide(alert)
        self.world.house.notifier.decide_new()
        self.world.house.notifier.post("hook")
        return alert


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with (
        Receiver([status(410), status(204)]) as receiver,
        make_house(tmp_path, edits=edits(webhook(receiver.url)), password=PASSWORD) as world,
    ):
        give_secret(world)
        operator = Someone(create_app(world.house))
        assert operator.sign_in("operator").status_code == 303
        yield Desk(world, receiver, operator)


def test_it_tells_what_did_not_arrive_and_why(desk: Desk) -> None:
    assert "Everything arrived" in desk.operator.get("/notices").text
    alert = desk.dead_letter()
    text = desk.operator.get("/notices").text
    assert "It answered 410." in text
    assert "Send again" in text
    assert "the guard&#39;s desk" in text
    (line,) = desk.operator.get("/notices.json").json()["undelivered"]
    assert (line["destination"], line["fate"], line["stuck"]) == ("hook", "not delivered", True)
    for secret in (alert.id, "whsec_", alert.why):
        assert secret not in text


def test_who_leads_the_shift_sees_it_beside_the_queue(desk: Desk) -> None:
    desk.dead_letter()
    for role, sees in (("shift-lead", True), ("reviewer", False)):
        person = Someone(create_app(desk.world.house))
        person.sign_in(role)
        assert ("1 notice did not arrive" in person.get("/review").text) is sees
        assert person.get("/review.json").json()["undelivered"] == (1 if sees else 0)


def test_a_secret_that_is_missing_is_told(desk: Desk) -> None:
    assert "is not set on this machine" not in desk.operator.get("/notices").text
    desk.world.house.secrets.remove("hook_key")
    assert "The secret “hook_key” is not set on this machine" in desk.operator.get("/notices").text


def test_a_person_sends_again_and_it_is_recorded(desk: Desk) -> None:
    alert = desk.dead_letter()
    (notice,) = told(desk.world, alert)
    assert desk.operator.post(f"/notices/{notice.id}/again").headers["location"] == "/notices"
    assert fates(desk.world, alert) == [("confirmed", None)]
    desk.world.house.notifier.post("hook")
    assert fates(desk.world, alert) == [("confirmed", "delivered")]
    assert len({got.headers["webhook-id"] for got in desk.receiver.got}) == 1
    (record,) = desk.world.records("notice_retried")
    assert (record.leaf.role, record.fields["notice"]) == ("operator", notice.id)
    refused = desk.operator.post(f"/notices/{notice.id}/again", headers=DATA)
    assert (refused.status_code, "delivered" in refused.json()["message"]) == (409, True)


def test_a_person_gives_up_and_it_is_recorded(desk: Desk) -> None:
    alert = desk.dead_letter()
    (notice,) = told(desk.world, alert)
    desk.operator.post(f"/notices/{notice.id}/give-up")
    assert fates(desk.world, alert) == [("confirmed", "given-up")]
    record = desk.world.records("notice_settled")[-1]
    assert (record.fields["outcome"], record.fields["account"]) == ("given-up", "operator")
    assert "Everything arrived" in desk.operator.get("/notices").text


def test_without_the_sessions_token_nothing_happens(desk: Desk) -> None:
    alert = desk.dead_letter()
    (notice,) = told(desk.world, alert)
    before = desk.world.state()["notice"]
    for path in (f"/notices/{notice.id}/again", f"/notices/{notice.id}/give-up", "/notices/test"):
        answer = desk.operator.send("POST", path, data={"destination": "hook"}, headers=OURS)
        assert answer.status_code == 403
    assert desk.world.state()["notice"] == before


def test_a_test_is_sent_only_where_the_charter_says(desk: Desk) -> None:
    assert desk.operator.post("/notices/test", {"destination": "elsewhere"}, DATA).status_code == 403
    answer = desk.operator.post("/notices/test", {"destination": "hook"}, DATA)
    assert answer.json()["notice"]["says"] == "a test"
    desk.world.house.notifier.post("hook")
    (got,) = desk.receiver.got
    assert b"This is a test. Nothing happened." in got.body
    (record,) = desk.world.records("notice_decided")
    assert (record.fields["status"], record.fields["alert"], record.leaf.role) == ("test", None, "operator")
    desk.world.suspend()
    assert desk.operator.post("/notices/test", {"destination": "hook"}, DATA).status_code == 403


def test_the_responders_card_says_who_else_was_told(desk: Desk) -> None:
    alert = desk.dead_letter()
    responder = Someone(create_app(desk.world.house))
    responder.sign_in(Role.RESPONDER.value)
    assert "Told hook, “confirmed”: not delivered" in responder.get(f"/respond/{alert.id}").text
    assert responder.get("/notices").status_code == 403
