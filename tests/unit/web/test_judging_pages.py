"""What is shown again looks like any alert to those who may judge it; everybody reads their own figures alone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest
from a_portal import DATA, Portal, make_portal
from a_street import Street

from watchglass.acts.close_reads import close_reads, settle_reads
from watchglass.acts.show_again import show_again, show_clip
from watchglass.charter.decide import decide
from watchglass.charter.permit import KeepClip, RaiseAlert
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND
from watchglass.review.model import Alert
from watchglass.review.reads import Why

LAWN = "on-the-lawn"
RULES = "review: {within: 2m, second_read: 100%, seeded_checks: {share: 2%}}"


def judged_twice(street: Street) -> None:
    street.publish(("version: 1\n", "version: 2\n"), ("review: {within: 2m}", RULES))


@pytest.fixture
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    made = make_portal(tmp_path_factory.mktemp("judging"), wrap=judged_twice)
    yield made
    made.street.house.close()


def again(portal: Portal, alert: Alert, why: Why) -> str:
    house, now = portal.street.house, portal.street.clock.now()
    permit = decide(house.standing(), RaiseAlert(LAWN), now)
    shown = show_again(house.acting, permit, alert.id, why, review_within_ms=2 * MINUTE).value
    show_clip(house.acting, decide(house.standing(), KeepClip(LAWN), now), shown.id)
    return shown.id


def decide_as(portal: Portal, name: str, alert: str, value: str) -> None:
    answer = portal.person(name).post(f"/review/alerts/{alert}/verdict", {"value": value}, headers=DATA)
    assert answer.status_code == 200, answer.text
    portal.street.clock.advance(11 * SECOND)


def bare(text: str, *numbers: str) -> str:
    """A page without what differs between any two alerts: its number, its times, its entry."""
    for number in numbers:
        text = text.replace(number, "ID")
    text = re.sub(r"\d\d:\d\d(:\d\d)?|\d{13}|2026-[-0-9:TZ.]+", "TIME", text)
    return re.sub(r'leaf_hash": "[^"]+"|"entry": [^,]+,|Ledger entry \d+|entries/\d+', "ENTRY", text)


def test_nobody_can_tell_a_second_judgement_from_a_first_one(portal: Portal) -> None:
    rosa, reviewer = portal.person("rosa"), portal.person("reviewer")
    first = portal.alert(clip=True)
    portal.street.settle()
    page, data = rosa.get(f"/review/alerts/{first.id}").text, rosa.get(f"/review/alerts/{first.id}.json").text
    rosa.post(f"/review/alerts/{first.id}/release")
    listed = rosa.get("/review.json").text
    decide_as(portal, "reviewer", first.id, "reject")
    # what somebody else said is nowhere
    told = rosa.get(f"/review/alerts/{first.id}.json").json()["verdict"]
    assert (told["value"], told["reason"], told["entry"]) == (None, None, None)
    assert "reject" not in rosa.get(f"/review/alerts/{first.id}").text.replace("reject<", "")
    refused = rosa.post(f"/review/alerts/{first.id}/verdict", {"value": "confirm"}, headers=DATA)
    assert refused.status_code == 409
    assert "reject" not in refused.text
    portal.street.clock.advance(30 * MINUTE)
    second = again(portal, first, Why.SECOND)
    portal.street.settle()
    assert bare(rosa.get("/review.json").text, second) == bare(listed, first.id)
    assert bare(rosa.get(f"/review/alerts/{second}").text, second) == bare(page, first.id)
    assert bare(rosa.get(f"/review/alerts/{second}.json").text, second) == bare(data, first.id)
    for path in ("", ".json", "/still.png", "/clip.mp4"):  # for whoever judged it there is no such alert
        assert reviewer.get(f"/review/alerts/{second}{path}").status_code == 409
    assert reviewer.get("/review.json").json()["waiting"] == 0


def test_news_of_it_does_not_reach_those_who_know_it_and_tells_nobody_what_was_decided(portal: Portal) -> None:
    first = portal.alert()
    decide_as(portal, "reviewer", first.id, "confirm")
    second = again(portal, first, Why.SECOND)
    heard = {name: portal.person(name).client for name in ("reviewer", "rosa")}
    app, bus = portal.app, portal.street.house.bus

    async def listen(name: str) -> str:
        cookies = "; ".join(f"{each.name}={each.value}" for each in heard[name].cookies.jar)
        got: list[bytes] = []
        enough = asyncio.Event()

        async def receive() -> dict[str, object]:
            await enough.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, object]) -> None:
            got.append(message.get("body", b""))  # type: ignore[arg-type]
            if b"last" in b"".join(got):
                enough.set()

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": "/review/events", "raw_path": b"/review/events", "query_string": b"", "root_path": "",
            "headers": [(b"host", b"localhost"), (b"cookie", cookies.encode())],
            "client": ("192.0.2.7", 1), "server": ("localhost", 80),
        }  # fmt: skip
        talk = asyncio.create_task(app(scope, receive, send))  # type: ignore[arg-type]
        for _ in range(100):
            await asyncio.sleep(0.01)
            if got and b"retry" in b"".join(got):
                break
        bus.publish("queue", {"type": "decided", "alert": second, "value": "confirm"})
        bus.publish("queue", {"type": "last", "alert": first.id})
        await asyncio.wait_for(enough.wait(), 5)
        talk.cancel()
        await asyncio.gather(talk, return_exceptions=True)
        return b"".join(got).decode()

    assert second in asyncio.run(listen("rosa"))
    told = asyncio.run(listen("reviewer"))
    assert second not in told
    assert "confirm" not in told


def test_everybody_reads_their_own_figures_after_the_day_and_leads_hear_of_doubts_at_once(portal: Portal) -> None:
    lead, rosa = portal.person("shift-lead"), portal.person("rosa")
    assert "Nobody differs" in lead.get("/doubts").text
    assert rosa.get("/doubts").status_code == 403
    first = portal.alert(clip=True)
    decide_as(portal, "reviewer", first.id, "reject")
    decide_as(portal, "rosa", again(portal, first, Why.SECOND), "confirm")
    page = lead.get("/doubts").text
    assert "It was not handed over, and is confirmed now" in page
    assert "1 alert is doubted" in re.sub(r"<[^>]+>", "", lead.get("/review").text)
    other = portal.alert(clip=True)
    decide_as(portal, "reviewer", other.id, "reject")
    decide_as(portal, "shift-lead", again(portal, other, Why.SECOND), "reject")
    portal.street.clock.advance(DAY - HOUR)
    portal.people.clear()  # they sign in again
    rosa = portal.person("rosa")
    check = again(portal, other, Why.CHECK)
    decide_as(portal, "rosa", check, "confirm")
    before = rosa.get("/review/mine").text
    assert "None so far" in before
    house, charter = portal.street.house, portal.street.house.standing().charter
    assert charter is not None
    portal.street.clock.advance(DAY)
    portal.people.clear()
    lead, rosa = portal.person("shift-lead"), portal.person("rosa")
    settle_reads(house.acting, charter)
    assert close_reads(house.acting, charter)
    mine = rosa.get("/review/mine.json").json()
    assert [each["value"] for each in mine["mine"]["checks"]] == ["confirm"]
    assert mine["mine"]["figures"]["wrong_confirmed"]["k"] == 1
    page = rosa.get("/review/mine").text
    assert "you were wrong" in page
    assert "Only you see this page" in page
    assert portal.person("reviewer").get("/review/mine.json").json()["mine"]["checks"] == []
    figures = lead.get("/figures").text
    assert "Too few people" in figures
