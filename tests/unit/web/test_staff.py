"""The reviewer's and the responder's rooms, the sources, and the figures, through the real application."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from a_portal import DATA, MP4, PNG, Portal, make_portal

from watchglass.acts import reading
from watchglass.charter.noticed import ANALYTICS
from watchglass.core.errors import CannotRecord
from watchglass.core.time import MINUTE, SECOND
from watchglass.edge.store import Store
from watchglass.perception.messages import BackdropProposal, Health
from watchglass.views.backdrop import Backdrop
from watchglass.views.public import touched
from watchglass.web.portal import context
from watchglass.web.portal.sources import age
from watchglass.web.portal.staff import KIND_WORDS, png_size


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    made = make_portal(tmp_path_factory.mktemp("staff"))
    yield made
    made.street.house.close()


def acts_of(portal: Portal) -> list[str]:
    rows = portal.street.house.store.read().all(
        "SELECT act FROM (SELECT act, idx AS n FROM entry UNION SELECT act, 1000000 + seq FROM outbox) ORDER BY n"
    )
    return [row["act"] for row in rows]


# ---- the queue -----------------------------------------------------------------------------------------------------


def test_the_queue_lists_what_waits_the_one_that_is_due_first_first(portal: Portal) -> None:
    first = portal.alert()
    portal.street.clock.advance(SECOND)
    second = portal.alert(analytic="gathering", kind="crowd_density")
    data = portal.person("reviewer").get("/review.json").json()
    ids = [item["id"] for item in data["alerts"]]
    assert ids.index(first.id) < ids.index(second.id)
    assert data["waiting"] == len(ids)
    item = next(item for item in data["alerts"] if item["id"] == second.id)
    assert (item["life_safety"], item["overdue"], item["place"]) == (True, False, "Assembly point by the car park")
    portal.street.clock.advance(3 * MINUTE)
    late = portal.person("reviewer").get("/review.json").json()
    assert late["overdue"] >= 2
    page = portal.person("reviewer").get("/review").text
    assert "overdue overdue-danger" in page  # a life-safety alert
    assert 'class="overdue"' in page  # another one: it stands out without red
    assert "http-equiv" in page.split("<noscript>", 1)[1].split("</noscript>")[0]  # works without script


def test_an_alert_says_what_where_and_how_sure_in_words(portal: Portal) -> None:
    alert = portal.alert(clip=True)
    page = portal.person("reviewer").get(f"/review/alerts/{alert.id}").text
    assert "Somebody or something is where nobody should be" in page
    assert "&lt;script&gt;" in page  # what perception says is text, never markup
    assert "inside &#39;lawn&#39; for 1.2 s" in page
    assert "Raw score 71 of 100, not a probability." in page
    assert "Not enough data yet" in page
    assert '<polygon class="scene-zone"' in page
    assert 'viewBox="0 0 768 576"' in page
    assert 'data-theme="dark"' in page
    data = portal.person("reviewer").get(f"/review/alerts/{alert.id}.json").json()
    assert data["raw_score"] == 71
    assert [reason["code"] for reason in data["reasons"]["unsure"]] == ["cannot-see", "too-short"]


def test_a_part_is_the_inside_of_the_page(portal: Portal) -> None:
    alert = portal.alert()
    part = portal.person("reviewer").get(f"/review/alerts/{alert.id}?part=true").text
    assert part.lstrip().startswith("<article")
    assert "<html" not in part


def test_a_still_is_what_was_painted_and_an_unknown_alert_is_told(portal: Portal) -> None:
    alert, reviewer = portal.alert(), portal.person("reviewer")
    assert reviewer.get(f"/review/alerts/{alert.id}/still.png").content == PNG
    unknown = reviewer.get("/review/alerts/ffff.json")
    assert (unknown.status_code, unknown.json()["error"]) == (409, "Problem")


def test_the_clip_comes_whole_or_in_ranges_and_the_look_is_recorded_once(portal: Portal) -> None:
    alert, reviewer = portal.alert(clip=True), portal.person("reviewer")
    path = f"/review/alerts/{alert.id}/clip.mp4"
    before = acts_of(portal).count("clip_viewed")
    whole = reviewer.get(path)
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, MP4, "video/mp4")
    for asked, status, expected in (
        ("bytes=0-9", 206, MP4[:10]),
        ("bytes=10-", 206, MP4[10:]),
        ("bytes=-5", 206, MP4[-5:]),
        ("bytes=0-999999", 206, MP4),
        ("bytes=999999-", 416, b""),
        ("bytes=0-1,3-4", 200, MP4),
        ("lines=1-2", 200, MP4),
        ("bytes=x-", 200, MP4),
    ):
        answer = reviewer.get(path, {"range": asked})
        assert (answer.status_code, answer.content) == (status, expected), asked
    assert reviewer.get(path, {"range": "bytes=2-5"}).headers["content-range"] == f"bytes 2-5/{len(MP4)}"
    assert acts_of(portal).count("clip_viewed") == before + 1


def test_a_clip_that_is_not_there_yet_is_told(portal: Portal) -> None:
    alert = portal.alert()
    assert portal.person("reviewer").get(f"/review/alerts/{alert.id}/clip.mp4", DATA).status_code == 409


# ---- verdicts ------------------------------------------------------------------------------------------------------


def test_a_verdict_is_recorded_with_a_receipt_and_can_be_undone_for_ten_seconds(portal: Portal) -> None:
    alert, reviewer = portal.alert(), portal.person("reviewer")
    path = f"/review/alerts/{alert.id}"
    answer = reviewer.post(f"{path}/verdict", {"value": "reject", "reason": "allowed"}, DATA).json()
    assert answer["undo_until_ms"] - answer["now_ms"] == 10 * SECOND
    assert answer["receipts"][0]["receipt"]["origin"] == portal.street.house.origin
    assert acts_of(portal)[-1] == "alert_decided"
    assert reviewer.get("/review.json").json()["undo"]["alert"] == alert.id
    portal.street.clock.advance(10 * SECOND)
    assert reviewer.post(f"{path}/undo", headers=DATA).status_code == 200
    assert acts_of(portal)[-1] == "verdict_withdrawn"
    reviewer.post(f"{path}/verdict", {"value": "reject"}, DATA)
    portal.street.clock.advance(10 * SECOND + 1)
    late = reviewer.post(f"{path}/undo", headers=DATA)
    assert (late.status_code, late.json()["error"]) == (409, "Problem")
    assert reviewer.get("/review.json").json()["undo"] is None


def test_the_pages_form_carries_one_reason_for_each_verdict(portal: Portal) -> None:
    alert, reviewer = portal.alert(), portal.person("reviewer")
    fields = {
        "value": "unsure",
        "reason_confirm": "as-described",
        "reason_reject": "not-there",
        "reason_unsure": "too-short",
    }
    answer = reviewer.post(f"/review/alerts/{alert.id}/verdict", fields)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/review")
    shown = reviewer.get(f"/review/alerts/{alert.id}.json").json()["verdict"]
    assert (shown["value"], shown["reason"], shown["by"]) == ("unsure", "The clip is too short to tell", "you")


@pytest.mark.parametrize(
    ("fields", "status"),
    [({}, 400), ({"value": "maybe"}, 400), ({"value": "confirm", "reason": "not-there"}, 409)],
)
def test_a_verdict_that_makes_no_sense_decides_nothing(portal: Portal, fields: dict[str, object], status: int) -> None:
    alert, reviewer = portal.alert(), portal.person("reviewer")
    assert reviewer.post(f"/review/alerts/{alert.id}/verdict", fields, DATA).status_code == status
    assert reviewer.get(f"/review/alerts/{alert.id}.json").json()["verdict"] is None


def test_two_people_never_decide_the_same_alert_unknowingly(portal: Portal) -> None:
    alert = portal.alert()
    path = f"/review/alerts/{alert.id}"
    lead, reviewer = portal.person("shift-lead"), portal.person("reviewer")
    lead.get(path)  # opens it
    assert "The shift lead has this open." in reviewer.get(path).text
    listed = {item["id"]: item for item in reviewer.get("/review.json").json()["alerts"]}
    assert listed[alert.id]["open_with"] == "the shift lead"
    claimed = reviewer.post(f"{path}/claim", headers=DATA).json()
    assert claimed["open_with"] == "the shift lead"
    refused = reviewer.post(f"{path}/verdict", {"value": "reject"}, DATA)
    assert (refused.status_code, refused.json()["claimed"]) == (409, True)
    assert reviewer.post(f"{path}/verdict", {"value": "reject", "over_claim": "true"}, DATA).status_code == 200
    second = lead.post(f"{path}/verdict", {"value": "confirm"}, DATA)
    assert second.status_code == 409
    assert "Someone else decided this alert" in second.json()["message"]


def test_who_leaves_an_alert_gives_it_back(portal: Portal) -> None:
    alert = portal.alert()
    path = f"/review/alerts/{alert.id}"
    lead, reviewer = portal.person("shift-lead"), portal.person("reviewer")
    lead.post(f"{path}/claim", headers=DATA)
    lead.post(f"{path}/release", headers=DATA)
    assert reviewer.post(f"{path}/verdict", {"value": "reject"}, DATA).status_code == 200


def test_an_alert_whose_picture_is_damaged_can_still_be_decided(portal: Portal) -> None:
    alert, reviewer = portal.alert(), portal.person("reviewer")
    portal.street.house.store.commit(lambda tx: tx.execute("UPDATE alert SET still = x'00' WHERE id = ?", alert.id))
    page = reviewer.get(f"/review/alerts/{alert.id}")
    assert page.status_code == 200
    assert "Go by the words and the clip." in page.text
    assert png_size(None) == (0, 0)
    assert png_size(b"GIF89a" * 9) == (0, 0)


def test_nothing_is_decided_when_it_cannot_be_recorded(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    alert, reviewer = portal.alert(), portal.person("reviewer")

    def full(_self: Store, _fn: object) -> None:
        raise CannotRecord("The disk is full.", fix="Make room.")

    with monkeypatch.context() as broken:
        broken.setattr(Store, "commit", full)
        answer = reviewer.post(f"/review/alerts/{alert.id}/verdict", {"value": "confirm"}, DATA)
    assert (answer.status_code, answer.json()["error"]) == (503, "CannotRecord")
    assert reviewer.get(f"/review/alerts/{alert.id}.json").json()["verdict"] is None


# ---- news ----------------------------------------------------------------------------------------------------------


def listen(portal: Portal, name: str, path: str, events: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Open a stream as a browser does, publish ``events`` from another thread, and give what arrived."""
    browser = portal.person(name)
    cookie = "; ".join(f"{key}={value}" for key, value in browser.client.cookies.items())
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http",
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"cookie", cookie.encode())],
        "client": ("192.0.2.200", 1),
        "server": ("localhost", 80),
    }
    got: list[dict[str, Any]] = []

    async def run() -> None:
        gone = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            body = message.get("body", b"")
            if message["type"] == "http.response.start":
                assert message["status"] == 200
                headers = dict(message["headers"])
                assert headers[b"content-type"].startswith(b"text/event-stream")
                assert headers[b"cache-control"] == b"no-store"
            if body == b"retry: 2000\n\n":  # listening now
                for topic, event in events:
                    await asyncio.to_thread(portal.street.house.bus.publish, topic, event)
            if body.startswith(b"data: "):
                got.append(json.loads(body[6:]))
            if len(got) == len(events) or message.get("more_body") is False:
                gone.set()

        await asyncio.wait_for(portal.app(scope, receive, send), 20)

    asyncio.run(run())
    return got


def test_app_events_reach_an_open_queue_with_the_time_of_capture_and_no_more_than_is_meant(portal: Portal) -> None:
    raised = {"type": "raised", "alert": "a1", "at_ms": 123, "source": "street", "secret": "x"}
    got = listen(
        portal, "reviewer", "/review/events", [("queue", raised), ("queue", {"type": "overdue", "alert": "a"})]
    )
    assert got == [{"type": "raised", "alert": "a1", "at_ms": 123}, {"type": "overdue", "alert": "a"}]
    handed = [("handover", {"type": "handed-over", "alert": "a", "secret": "x"})]
    assert listen(portal, "responder", "/respond/events", handed) == [{"type": "handed-over", "alert": "a"}]
    health = [("health", {"type": "health", "source": "street", "fps_in": 9.5})]
    assert listen(portal, "operator", "/sources/events", health)[0]["fps_in"] == 9.5


def test_a_stream_ends_with_its_session(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "KEEP_ALIVE", 0.05)
    rosa = portal.person("rosa")
    sessions = portal.app.state.sessions
    monkeypatch.setattr(sessions, "still", lambda _session: False)
    del rosa
    assert listen(portal, "rosa", "/review/events", [("other", {"type": "x"})]) == []


# ---- the responder -------------------------------------------------------------------------------------------------


def confirmed(portal: Portal) -> str:
    alert = portal.alert()
    answer = portal.person("reviewer").post(f"/review/alerts/{alert.id}/verdict", {"value": "confirm"}, DATA)
    assert answer.status_code == 200
    return alert.id


def test_a_confirmed_alert_becomes_a_card_that_a_thumb_can_work(portal: Portal) -> None:
    alert, responder = confirmed(portal), portal.person("responder")
    assert alert in [card["id"] for card in responder.get("/respond.json").json()["open"]]
    page = responder.get(f"/respond/{alert}").text
    assert page.index("I have it") < page.index("I am on my way") < page.index("I am there") < page.index("Done")
    assert responder.get(f"/respond/{alert}/still.png").content == PNG
    for step, left in (("acknowledged", 2), ("arrived", 0)):  # steps may be skipped forwards
        assert responder.post(f"/respond/{alert}/step", {"step": step}).status_code == 303
        assert len(responder.get(f"/respond/{alert}.json").json()["steps"]) == left
    back = responder.post(f"/respond/{alert}/step", {"step": "on_the_way"}, DATA)
    assert back.status_code == 409
    done = responder.post(f"/respond/{alert}/outcome", {"outcome": "found-helped", "note": "All well."})
    assert done.status_code == 303
    assert acts_of(portal)[-3:] == ["handover_progressed", "handover_progressed", "outcome_recorded"]
    data = responder.get("/respond.json").json()
    assert alert not in [card["id"] for card in data["open"]]
    assert data["closed"][0]["outcome"] == "Found it, and helped"


def test_a_responder_sees_no_picture_of_what_was_not_handed_over(portal: Portal) -> None:
    alert = portal.alert()
    responder = portal.person("responder")
    assert responder.get(f"/respond/{alert.id}/still.png", DATA).status_code == 409
    assert responder.get(f"/respond/{alert.id}.json").status_code == 409
    assert responder.get(f"/review/alerts/{alert.id}/still.png", DATA).status_code == 403


def test_responders_see_danger_to_life_before_it_is_confirmed_and_marked_so(portal: Portal) -> None:
    responder, reviewer = portal.person("responder"), portal.person("reviewer")
    quiet, urgent = portal.alert(), portal.alert(analytic="gathering", kind="crowd_density")
    seen = [alert["id"] for alert in responder.get("/respond.json").json()["not_confirmed"]]
    assert urgent.id in seen
    assert quiet.id not in seen
    page = responder.get("/respond").text
    assert "Not confirmed by anybody yet" in page
    assert page.index("Not confirmed") < page.index(f"alert-{urgent.id}")
    assert responder.get(f"/respond/{urgent.id}/still.png", DATA).status_code == 409
    reviewer.post(f"/review/alerts/{urgent.id}/verdict", {"value": "reject"}, DATA)
    assert urgent.id not in [alert["id"] for alert in responder.get("/respond.json").json()["not_confirmed"]]


@pytest.mark.parametrize("fields", [{"outcome": "nonsense"}, {"outcome": "found-helped", "note": "x" * 501}])
def test_an_outcome_that_makes_no_sense_closes_nothing(portal: Portal, fields: dict[str, object]) -> None:
    alert, responder = confirmed(portal), portal.person("responder")
    assert responder.post(f"/respond/{alert}/outcome", fields, DATA).status_code == 400
    assert responder.get(f"/respond/{alert}.json").json()["card"]["closed_ms"] is None


def test_an_undone_confirmation_calls_the_responder_off(portal: Portal) -> None:
    alert = confirmed(portal)
    portal.person("reviewer").post(f"/review/alerts/{alert}/undo", headers=DATA)
    assert portal.person("responder").get(f"/respond/{alert}.json").status_code == 409


def test_the_time_until_somebody_is_told_is_a_figure_with_its_number_of_cases(portal: Portal) -> None:
    officer, lead = portal.person("privacy-officer"), portal.person("shift-lead")
    before = lead.get("/figures.json").json()["times"]["to_told"]
    while officer.get("/figures.json").json()["times"]["to_told"]["n"] < 6:
        confirmed(portal)
    # One that moved with some verdicts and not with others would tell who judges which alerts were shown again.
    assert lead.get("/figures.json").json()["times"]["to_told"] == before
    told = officer.get("/figures.json").json()["times"]["to_told"]
    assert told["low_ms"] <= told["median_ms"] <= told["high_ms"]
    assert told["p95_ms"] is None  # fewer than twenty
    assert "ends at last midnight" in lead.get("/figures").text
    page = officer.get("/figures").text
    assert "Half of them within 0.7 s" in page
    assert "there are not enough cases yet (20 are needed)" in page


def test_live_verdicts_never_pool_with_the_demos_history(portal: Portal) -> None:
    house, lead = portal.street.house, portal.person("shift-lead")
    reader = house.store.read()
    live = reading.how_often_right(reader, "on-the-lawn")
    times = reading.told(reader, house.clock.now())
    assert (live.n > 0, live.were, times.made) == (True, "were confirmed by a person", False)
    border = str(house.clock.now())
    house.store.commit(lambda tx: tx.insert("setting", {"key": "history_until", "value": border}))
    portal.street.clock.advance(SECOND)
    alert = confirmed(portal)
    assert reading.how_often_right(house.store.read(), "on-the-lawn").n == (1 if live.n < 20 else live.n)
    assert reading.told(house.store.read(), house.clock.now()).made
    assert "a simulation drew them" in lead.get("/figures").text
    for _ in range(20):
        confirmed(portal)
    after = reading.how_often_right(house.store.read(), "on-the-lawn")
    assert (after.k, after.n, after.were) == (21, 21, "were confirmed by a person")
    assert not reading.told(house.store.read(), house.clock.now()).made
    assert alert


# ---- the sources ---------------------------------------------------------------------------------------------------


def test_a_source_shows_what_comes_in_what_is_lost_and_what_runs_until_when(portal: Portal) -> None:
    house, lead = portal.street.house, portal.person("shift-lead")
    assert lead.get("/sources.json").json()["sources"][0]["state"] == "nothing heard yet"
    now = house.clock.now()
    line = Health("street", now, 9.66, 0.25, 1000, 500, 40, ("gathering",), {"late": 7, "full": 0}, None, 0.5)
    house.live.take_health(line)
    shown = lead.get("/sources.json").json()["sources"][0]
    assert (shown["state"], shown["fps_in"], shown["open_share"], shown["dropped"]["late"]) == ("fine", 9.7, 0.25, 7)
    assert all(analytic["runs"] and analytic["until_ms"] for analytic in shown["analytics"])
    page = lead.get("/sources").text
    assert "15 s of 60" in page
    assert "late: 7" in page
    assert "Confirm one" not in page  # only operators may
    portal.street.clock.advance(6 * SECOND)
    silent = lead.get("/sources.json").json()["sources"][0]
    assert (silent["state"], silent["fps_in"]) == ("silent", None)
    house.live.take_health(Health("street", house.clock.now(), 0.0, 0.0, 1, 1, 1, (), {}, "black", 0.0))
    assert lead.get("/sources.json").json()["sources"][0]["fault"] == "black"


def test_an_operator_confirms_exactly_the_picture_that_was_looked_at(portal: Portal) -> None:
    house, operator = portal.street.house, portal.person("operator")
    asked: list[str] = []
    house.live.ask = lambda source, _scene: asked.append(source)
    path = "/sources/street/backdrop"
    assert "The picture is on its way" in operator.get(path).text
    assert asked == ["street"]
    house.live.take_proposal(BackdropProposal("street", house.clock.now(), PNG, 0.97))
    page = operator.get(path).text
    assert "Nobody is in this picture, and nothing that reads a name or a number plate." in page
    assert "Who will see it:" in page
    assert operator.get(f"{path}/proposal.png").content == PNG
    looked_at = operator.get(f"{path}.json").json()["proposal"]["sha256"]
    unticked = operator.post(f"{path}/confirm", {"picture": looked_at}, DATA)
    assert (unticked.status_code, unticked.json()["error"]) == (400, "BadInput")
    house.live.take_proposal(BackdropProposal("street", house.clock.now(), PNG + b"newer", 0.98))
    changed = operator.post(f"{path}/confirm", {"picture": looked_at, "nobody": "true"}, DATA)
    assert (changed.status_code, changed.json()["error"]) == (409, "Problem")
    assert "backdrop_confirmed" not in acts_of(portal)
    newer = operator.get(f"{path}.json").json()["proposal"]["sha256"]
    assert operator.post(f"{path}/confirm", {"picture": newer, "nobody": "true"}).status_code == 303
    assert acts_of(portal)[-1] == "backdrop_confirmed"
    (view,) = operator.get(f"{path}.json").json()["views"]
    assert (view["scene"], view["title"], view["renewed_ms"]) == ("day", "Daylight", None)
    assert operator.post(f"{path}/withdraw").status_code == 303
    assert acts_of(portal)[-1] == "backdrop_withdrawn"
    assert operator.post(f"{path}/withdraw", headers=DATA).status_code == 409
    assert operator.get("/sources/nowhere/backdrop.json").status_code == 404


def test_what_was_confirmed_is_proposed_no_more_until_there_is_a_new_picture(portal: Portal) -> None:
    house, operator = portal.street.house, portal.person("operator")
    asked: list[str] = []
    house.live.ask = lambda source, _scene: asked.append(source)
    path = "/sources/street/backdrop"
    house.live.take_proposal(BackdropProposal("street", house.clock.now(), PNG, 0.97))
    looked_at = operator.get(f"{path}.json").json()["proposal"]["sha256"]
    portal.street.clock.advance(20 * SECOND)
    assert operator.post(f"{path}/confirm", {"picture": looked_at, "nobody": "true"}).status_code == 303
    portal.street.clock.advance(3 * 60 * SECOND)
    before = acts_of(portal)
    assert before[-1] == "backdrop_confirmed"
    page = operator.get(path).text
    assert "“Daylight” is confirmed" in page
    assert "3 minutes ago. No newer picture is proposed" in page
    assert "Confirm this picture" not in page
    assert "proposal.png" not in page
    assert f"{path}/view.png?scene=day" in page
    assert "noscript" not in page  # nothing is awaited
    assert operator.get(f"{path}.json").json()["proposal"] is None
    assert operator.get(f"{path}/proposal.png").status_code == 409
    assert operator.get("/sources.json").json()["sources"][0]["proposal_waits"] is False
    again = operator.post(f"{path}/confirm", {"picture": looked_at, "nobody": "true"}, DATA)
    assert "confirmed already" in again.json()["message"]
    assert acts_of(portal) == before
    assert asked == []
    wanted = operator.post(f"{path}/propose")
    assert wanted.headers["location"] == f"{path}?asked=true"
    assert asked == ["street"]
    assert "The picture is on its way" in operator.get(wanted.headers["location"]).text
    assert asked == ["street"]
    house.live.take_proposal(BackdropProposal("street", house.clock.now(), PNG + b"newer", 0.98))
    page = operator.get(path).text
    assert "Confirm this picture" in page
    assert "In force:</strong> “Daylight”, confirmed" in page
    portal.street.clock.advance(SECOND)
    newer = operator.get(f"{path}.json").json()["proposal"]["sha256"]
    operator.post(f"{path}/confirm", {"picture": newer, "nobody": "true"})
    operator.post(f"{path}/withdraw")
    assert "The picture is on its way" in operator.get(path).text  # none stands: a new one is asked for by itself
    assert asked == ["street", "street"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "less than a minute"),
        (59, "less than a minute"),
        (60, "1 minute"),
        (7199, "119 minutes"),
        (7200, "2 hours"),
        (172_800, "2 days"),
    ],
)
def test_how_old_a_confirmed_view_is(seconds: int, words: str) -> None:
    assert age(seconds * SECOND) == words


def test_each_view_is_listed_and_withdrawn_by_itself(portal: Portal) -> None:
    house, operator = portal.street.house, portal.person("operator")
    asked: list[tuple[str, str]] = []
    house.live.ask = lambda source, scene: asked.append((source, scene))
    path = "/sources/street/backdrop"
    dark = Backdrop(np.full((576, 768, 3), 90, np.uint8), np.ones((576, 768), bool)).to_png()
    for scene, png in (("day", PNG), ("infrared", dark)):
        house.live.take_proposal(BackdropProposal("street", house.clock.now(), png, 0.97, scene))
        looked_at = operator.get(f"{path}.json").json()["proposal"]["sha256"]
        assert operator.post(f"{path}/confirm", {"picture": looked_at, "nobody": "true"}).status_code == 303
    line = Health("street", house.clock.now(), 5.0, 0.0, 1, 1, 1, (), scene="infrared")
    house.live.take_health(line)
    page = operator.get(path).text
    assert 'In front of the camera now:</strong> <span data-field="scene">Infrared</span>' in page
    found = operator.get(f"{path}.json").json()["views"]
    assert [(view["title"], view["here"]) for view in found] == [("Daylight", False), ("Infrared", True)]
    charter = house.standing().charter
    assert charter is not None
    hidden = touched((768, 576), (area.corners for area in charter.source("street").never_see))
    assert hidden is not None
    shown = Backdrop.from_png(operator.get(f"{path}/view.png?scene=infrared").content)
    assert not shown.bgr[hidden].any(), "what the charter never sees, whatever was confirmed"
    assert (shown.bgr[~hidden] == 90).all()
    assert operator.get(f"{path}/view.png?scene=day-2").status_code == 404
    assert operator.post(f"{path}/propose", {"scene": "infrared"}).status_code == 303
    assert asked[-1] == ("street", "infrared")
    assert operator.post(f"{path}/withdraw", {"scene": "infrared"}).status_code == 303
    assert [view["scene"] for view in operator.get(f"{path}.json").json()["views"]] == ["day"]
    house.live.take_health(replace(line, scene="", unsure="the picture is black"))
    assert "unsure: the picture is black" in operator.get(path).text
    assert operator.get("/sources.json").json()["sources"][0]["unsure"] == "the picture is black"
    assert operator.post(f"{path}/withdraw", {"scene": "day"}).status_code == 303


def test_what_a_worker_said_before_it_hung_is_not_said_to_be_so_now(portal: Portal) -> None:
    house, operator = portal.street.house, portal.person("operator")
    house.live.ask = lambda _source, _scene: None
    path = "/sources/street/backdrop"
    house.live.take_proposal(BackdropProposal("street", house.clock.now(), PNG + b"hung", 0.97))
    looked_at = operator.get(f"{path}.json").json()["proposal"]["sha256"]
    operator.post(f"{path}/confirm", {"picture": looked_at, "nobody": "true"})
    house.live.take_health(Health("street", house.clock.now(), 5.0, 0.0, 1, 1, 1, (), scene="day"))
    fresh = operator.get(f"{path}.json").json()
    assert (fresh["scene"], [view["here"] for view in fresh["views"]]) == ("day", [True])
    portal.street.clock.advance(6 * SECOND)
    silent = operator.get(f"{path}.json").json()
    assert (silent["scene"], silent["unsure"]) == ("", "nothing is heard from it")
    assert [view["here"] for view in silent["views"]] == [False]
    page = operator.get(path).text
    assert "unsure: nothing is heard from it" in page
    assert ">in front of the camera<" not in page
    operator.post(f"{path}/withdraw")


def test_a_picture_that_could_not_be_made_is_said_and_waited_for_no_more(portal: Portal) -> None:
    house, operator = portal.street.house, portal.person("operator")
    asked: list[str] = []
    house.live.ask = lambda source, _scene: asked.append(source)
    path, now = "/sources/street/backdrop", house.clock.now()
    before = acts_of(portal)
    house.live.take_proposal(BackdropProposal("street", now, b"", 0.0, trouble="the detector broke"))
    page = operator.get(path).text
    assert "The picture could not be made" in page
    assert "the detector broke" in page
    assert "The picture is on its way" not in page
    assert "Confirm this picture" not in page
    assert asked == [], "a page that comes anew with each answer would ask for ever"
    assert operator.get(f"{path}/proposal.png").status_code == 409
    empty = hashlib.sha256(b"").hexdigest()
    refused = operator.post(f"{path}/confirm", {"picture": empty, "nobody": "true"}, DATA)
    assert (refused.status_code, refused.json()["error"]) == (409, "Problem")
    assert "confirmed already" not in refused.json()["message"]
    assert acts_of(portal) == before
    again = operator.post(f"{path}/propose")
    assert asked == ["street"]
    assert "The picture is on its way" in operator.get(again.headers["location"]).text


def test_every_kind_of_incident_has_a_title_for_people() -> None:
    assert set(KIND_WORDS) == {model.kind for model in ANALYTICS}
