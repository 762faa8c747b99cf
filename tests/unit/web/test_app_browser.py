"""The reviewer's and the responder's rooms in a real browser: keys, news, two people, no accessibility faults."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

import pytest
import uvicorn
from a_portal import PASSWORD, Portal, make_portal
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from watchglass.acts.show_again import show_again
from watchglass.charter.decide import decide
from watchglass.charter.permit import RaiseAlert
from watchglass.cli.serving import listen
from watchglass.perception.messages import BackdropProposal, Health
from watchglass.review.reads import Why
from watchglass.web.portal.security import Address

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no system Chromium: the browser tests did not run"),
]


@dataclass
class Rooms:
    """A served portal and a browser; each person gets a window of their own."""

    portal: Portal
    browser: Browser
    base: str
    complaints: list[str]

    def window(self, name: str, *, script: bool = True, width: int = 1366, height: int = 768) -> Page:
        context = self.browser.new_context(java_script_enabled=script, viewport={"width": width, "height": height})
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{name}: {error}"))
        page.on("console", lambda said: said.type == "error" and self.complaints.append(f"{name}: {said.text}"))
        sessions = self.portal.app.state.sessions
        row = self.portal.street.house.store.read().one("SELECT id FROM account WHERE name = ?", name)
        assert row is not None
        token = sessions._open(row["id"])  # hashing is slow on purpose; one test signs in as people do
        context.add_cookies([{"name": sessions.cookie, "value": token, "url": self.base}])
        page.goto(f"{self.base}/login")  # sends who is signed in to their own place
        return page

    def raise_alert(self, **more: object) -> str:
        alert = self.portal.alert(**more)  # type: ignore[arg-type]  # passed on
        event = {"type": "raised", "alert": alert.id, "at_ms": round(time.time() * 1000)}
        self.portal.street.house.bus.publish("queue", event)
        return alert.id

    def show_again(self, alert: str) -> str:
        house, now = self.portal.street.house, self.portal.street.clock.now()
        permit = decide(house.standing(), RaiseAlert("on-the-lawn"), now)
        shown = show_again(house.acting, permit, alert, Why.SECOND, review_within_ms=120_000).value
        house.bus.publish("queue", {"type": "raised", "alert": shown.id, "at_ms": round(time.time() * 1000)})
        return shown.id


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rooms]:
    portal = make_portal(tmp_path_factory.mktemp("browser"), address=Address())
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(portal.app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield Rooms(portal, browser, f"http://127.0.0.1:{listening.getsockname()[1]}", [])
        browser.close()
    portal.street.house.bus.close()
    server.should_exit = True
    thread.join(20)
    listening.close()
    portal.street.house.close()


def faults(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{page.url} {fault['id']}: {[node['target'] for node in fault['nodes']]}" for fault in found]


def at(page: Page) -> str:
    return page.url.rsplit("/", 1)[1]


def test_signing_in_and_out(rooms: Rooms) -> None:
    context = rooms.browser.new_context()
    page = context.new_page()
    page.goto(f"{rooms.base}/review")
    assert context.cookies() == []
    assert faults(page) == []
    page.fill("#name", "reviewer")
    page.fill("#password", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/review")
    assert [cookie["httpOnly"] and cookie["sameSite"] == "Strict" for cookie in context.cookies()] == [True]
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{rooms.base}/")
    assert context.cookies() == []
    context.close()


def test_a_shift_at_the_queue(rooms: Rooms) -> None:
    page = rooms.window("reviewer")
    expect(page.locator("#calm h1")).to_have_text("Nothing waits")
    assert faults(page) == []
    first = rooms.raise_alert()
    expect(page.locator(".alert h1")).to_have_text("Somebody or something is where nobody should be")
    assert at(page) == first  # it came by itself
    heard = page.evaluate("window.__watchglass.latency")[0]
    assert heard["alert"] == first
    assert heard["received_ms"] >= heard["at_ms"]
    second = rooms.raise_alert(analytic="gathering", kind="crowd_density")
    expect(page.locator("#count")).to_contain_text("2 waiting")
    assert at(page) == first  # nothing is pulled from under anybody's fingers
    assert faults(page) == []
    page.keyboard.press("6")
    expect(page.locator("input[data-digit='6']")).to_be_checked()
    page.keyboard.press("r")
    expect(page.locator("#undo")).to_contain_text("Rejected.")
    expect(page.locator(".alert")).to_have_attribute("data-alert", second)  # the next comes by itself
    page.keyboard.press("z")
    expect(page.locator(".alert")).to_have_attribute("data-alert", first)
    page.keyboard.press("c")
    expect(page.locator("#undo")).to_contain_text("Confirmed.")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    assert faults(page) == []
    page.keyboard.press("c")  # while the help is open, keys decide nothing
    page.keyboard.press("Escape")
    expect(page.locator(".alert")).to_have_attribute("data-alert", second)
    page.keyboard.press("u")
    expect(page.locator("#undo")).to_contain_text("Unsure.")
    expect(page.locator("#calm h1")).to_be_visible()
    reader = rooms.portal.street.house.store.read()
    verdicts = reader.all("SELECT alert, value, reason FROM verdict WHERE withdrawn_ms IS NULL")
    assert {(row["alert"], row["value"]) for row in verdicts} == {(first, "confirm"), (second, "unsure")}
    undone = reader.one("SELECT reason FROM verdict WHERE withdrawn_ms IS NOT NULL")
    assert undone is not None
    assert undone["reason"] == "allowed"  # digit 6
    page.context.close()


def test_two_people_at_one_queue(rooms: Rooms) -> None:
    lead, reviewer = rooms.window("shift-lead", width=1920, height=1080), rooms.window("rosa")
    reviewer.goto(f"{rooms.base}/account")
    alert = rooms.raise_alert()
    expect(lead.locator(".alert")).to_have_attribute("data-alert", alert)  # and with that it is the lead's
    reviewer.goto(f"{rooms.base}/review/alerts/{alert}")
    expect(reviewer.locator("#held")).to_contain_text("The shift lead has this open")
    assert faults(reviewer) == []
    lead.keyboard.press("r")
    expect(reviewer.locator("#message")).to_contain_text("Someone else just decided this alert. Press N")
    expect(reviewer.locator("#verdict")).to_have_count(0)
    reviewer.keyboard.press("n")
    expect(reviewer.locator("#calm h1")).to_be_visible()
    again = rooms.show_again(alert)  # it comes to who has not judged it, like any alert, and not to who has
    expect(reviewer.locator(".alert")).to_have_attribute("data-alert", again)
    expect(lead.locator("#calm h1")).to_have_text("Nothing waits")
    expect(lead.locator("#count")).to_contain_text("0 waiting")
    assert faults(reviewer) == []
    reviewer.keyboard.press("c")
    expect(reviewer.locator("#undo")).to_contain_text("Confirmed.")
    assert rooms.portal.street.house.store.read().one("SELECT 1 FROM handover WHERE alert = ?", again) is None
    lead.context.close()
    reviewer.context.close()


def test_the_responders_card_in_one_hand(rooms: Rooms) -> None:
    reviewer, responder = rooms.window("reviewer"), rooms.window("responder", width=390, height=844)
    alert = rooms.raise_alert()
    expect(reviewer.locator(".alert")).to_have_attribute("data-alert", alert)
    reviewer.keyboard.press("c")
    card = responder.locator(f"a.task[href='/respond/{alert}']")
    expect(card).to_contain_text("Nobody has it yet")  # it came by itself
    assert faults(responder) == []
    card.click()
    for words in ("I have it", "I am on my way", "I am there"):
        button = responder.get_by_role("button", name=words, exact=True)
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 64
        assert box["width"] >= 300
        button.click()
        responder.wait_for_load_state()
    assert faults(responder) == []
    responder.get_by_role("button", name="Found it, and helped").click()
    expect(responder.locator(".task-done").first).to_contain_text("Found it, and helped")
    reviewer.context.close()
    responder.context.close()


def test_everything_without_script(rooms: Rooms) -> None:
    alert = rooms.portal.alert().id
    page = rooms.window("reviewer", script=False, width=390, height=844)
    page.click(f"#items a[href='/review/alerts/{alert}']")
    page.get_by_label("The picture was disturbed").check()
    page.get_by_role("button", name="Reject").click()
    page.wait_for_load_state()
    expect(page.locator("#undo")).to_contain_text("Decided: reject.")
    page.locator("#undo button").click()
    page.wait_for_load_state()
    assert at(page) == alert
    page.get_by_role("button", name="Unsure").click()
    page.goto(f"{rooms.base}/review/alerts/{alert}")
    expect(page.locator(".decided h2")).to_have_text("You decided: unsure")
    page.context.close()


def test_a_source_that_is_heard_no_more_is_not_said_to_have_a_view(rooms: Rooms) -> None:
    house = rooms.portal.street.house
    line = Health("street", house.clock.now(), 5.0, 0.5, 1, 1, 1, (), scene="day")
    house.live.take_health(line)
    page = rooms.window("operator")
    page.clock.install()
    page.goto(f"{rooms.base}/sources")
    card = page.locator('[data-source="street"]')
    scene, state = card.locator('[data-field="scene"]'), card.locator('[data-field="state"]')
    expect(scene).to_have_text("Daylight")
    expect(state).to_have_text("fine")
    page.clock.fast_forward(8000)
    expect(scene).to_have_text("unsure: nothing is heard from it")
    expect(state).to_have_text("silent")
    for _ in range(100):  # the page may still be connecting
        house.live.take_health(line)
        page.wait_for_timeout(100)
        if state.text_content() == "fine":
            break
    expect(scene).to_have_text("Daylight")
    page.context.close()


PAGES = {
    "operator": ("/notices", "/drills", "/sources", "/sources/street/backdrop"),
    "oversight": ("/oversight", "/oversight/suspend", "/oversight/openings", "/nowhere"),
    "administrator": ("/accounts", "/account"),
    "shift-lead": ("/notices", "/figures", "/sources", "/doubts", "/review/mine"),
}


@pytest.mark.parametrize("name", PAGES)
def test_no_accessibility_faults_and_nothing_wider_than_a_phone(rooms: Rooms, name: str) -> None:
    house = rooms.portal.street.house
    png = resources.files("watchglass").joinpath("demo/backdrop.png").read_bytes()
    house.live.take_proposal(BackdropProposal("street", house.clock.now(), png, 0.9))
    page = rooms.window(name)
    for path in PAGES[name]:
        page.goto(rooms.base + path)
        assert faults(page) == []
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        page.set_viewport_size({"width": 1366, "height": 768})
    page.context.close()


def test_nothing_was_wrong_in_any_console(rooms: Rooms) -> None:
    not_there = "status of 404"  # the page that is not there, asked for above
    assert [said for said in rooms.complaints if not_there not in said] == []
