"""Two custodians, an investigator and oversight, each at a desk of their own, in a real browser: the whole story."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from signers_world import Signers, serving, signers
from watchglass.bootstrap import exporting
from watchglass.core.time import DAY, SECOND, iso, month_of
from watchglass.edge.entropy import SystemEntropy
from watchglass.web.desk.app import Desk
from watchglass.web.desk.wall import Session

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no system Chromium: the browser tests did not run"),
]


@dataclass
class Desks:
    """Everybody's desks and browser windows; every fault of a page is kept until the end."""

    people: Signers
    browser: Browser
    stack: ExitStack
    folder: Path
    faults: list[str] = field(default_factory=list)

    def window(self, who: str, *, script: bool = True, width: int = 1280) -> Page:
        """Somebody's own browser at their own desk, come in by the printed address."""
        url, session = self.stack.enter_context(desk_of(self.people, who, self.folder))
        context = self.browser.new_context(java_script_enabled=script, viewport={"width": width, "height": 900})
        page = context.new_page()
        page.on("pageerror", lambda error: self.faults.append(f"{who}: {error}"))
        page.on(
            "console",
            lambda said: said.type in {"error", "warning"} and self.faults.append(f"{who} {page.url}: {said.text}"),
        )
        page.on("request", lambda asked: asked.url.startswith(url) or self.faults.append(f"{who} asked {asked.url}"))
        page.goto(f"{url}/?token={session.token}")
        assert page.url == f"{url}/"
        return page


@contextmanager
def desk_of(people: Signers, who: str, folder: Path) -> Iterator[tuple[str, Session]]:
    with serving(lambda port: _desk(people, who, folder, port)) as (url, desk):
        yield url, desk.session


def _desk(people: Signers, who: str, folder: Path, port: int) -> Desk:
    session = Session.fresh(port, SystemEntropy())
    return Desk(people.office(who), session, exports=folder / "exports", glass=people.scene.glass)


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Desks]:
    with signers(tmp_path / "place", keys=False) as people, sync_playwright() as playwright, ExitStack() as stack:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        made = Desks(people, browser, stack, tmp_path)
        yield made
        browser.close()
        assert made.faults == []


def accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [f"{page.url} {each['id']}: {[node['target'] for node in each['nodes']]}" for each in found] == []


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def publish(desks: Desks, name: str) -> Page:
    """A custodian publishes this month's key at their desk."""
    scene, page = desks.people.scene, desks.window(name)
    page.get_by_role("link", name="My keys").click()
    accessible(page)
    press(page, f"Make and publish the key of {month_of(scene.now)}")
    expect(page.get_by_role("heading", name="Your key is published")).to_be_visible()
    key = desks.people.office(name).keys.month(month_of(scene.now))
    assert key is not None
    scene.sealing[name] = key
    return page


def ask(desks: Desks, page: Page) -> None:
    """An investigator opens a case and asks for the last minute; ends at what they asked for."""
    scene = desks.people.scene
    page.get_by_role("link", name="Cases", exact=True).click()
    page.select_option("#purpose", scene.purpose)
    page.fill("#number", "EX-2026-17")
    page.fill("#authority", "Order of the district court, 7 Gs 112/26")
    page.fill("#reason", "Somebody fell at the assembly point.")
    page.fill("#until", iso(scene.now + DAY)[:10])
    press(page, "Open the case")
    desks.people.settle()
    page.get_by_role("link", name="Go on").click()
    page.select_option("#source", "street")
    page.fill("#from", iso(scene.now - 60 * SECOND)[:-1])
    page.fill("#to", iso(scene.now)[:-1])
    page.fill("#reason", "To see how they fell, and who helped.")
    press(page, "Ask the custodians")
    expect(page.get_by_role("heading", name="Asked")).to_be_visible()
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_text("It waits for the custodians")).to_be_visible()
    desks.people.settle()


def approve(page: Page) -> None:
    """A custodian reads the one request that waits, and approves it."""
    page.get_by_role("link", name="Inbox", exact=True).click()
    accessible(page)
    page.get_by_role("link", name="street, 60 seconds, for case EX-2026-17").click()
    expect(page.get_by_text("Order of the district court, 7 Gs 112/26")).to_be_visible()
    for words in ("What will happen", "Who will see it", "What cannot be undone"):
        expect(page.get_by_text(words)).to_be_visible()
    accessible(page)
    press(page, "Approve")
    expect(page.get_by_role("heading", name="Approved")).to_be_visible()


def test_the_story_at_the_desks(desks: Desks) -> None:
    people = desks.people
    custodians = {name: publish(desks, name) for name in ("control-room", "dpo", "oversight")}
    people.settle()
    custodians["dpo"].reload()
    expect(custodians["dpo"].get_by_text("as entry")).to_be_visible()
    accessible(custodians["dpo"])
    people.film()
    seeker = desks.window("investigator", script=False)  # nothing of a desk needs a script
    ask(desks, seeker)
    for name in ("dpo", "oversight"):
        approve(custodians[name])
    people.settle()
    seeker.reload()
    press(seeker, "Take it")
    people.settle()
    seeker.get_by_role("link", name="Go on").click()
    press(seeker, "Open and play")
    number = seeker.url.rpartition("/")[2]
    expect(seeker.locator(".mark span").first).to_contain_text(f"release {number}")
    expect(seeker.get_by_text("dpo, oversight")).to_be_visible()
    seeker.get_by_role("link", name="What you asked for").click()
    press(seeker, "Export")
    expect(seeker.get_by_role("heading", name="Exported")).to_be_visible()
    video = desks.folder / "exports" / f"release-{number}.mp4"
    checked = exporting.check(video, exporting.manifest_of(video), people.machine("dpo") / "trust")
    assert checked["approved_by"] == ["dpo", "oversight"]


def test_what_was_taken_is_played_from_memory_under_the_releases_number(desks: Desks) -> None:
    people = desks.people
    people.scene.publish_keys()
    people.film()
    number = people.taken()
    page = desks.window("investigator", width=360)
    base = page.url.rstrip("/")
    page.goto(f"{base}/asked/{number}")
    accessible(page)
    press(page, "Open and play")
    video = page.locator("video")
    ready(page)
    assert 29 < video.evaluate("video => video.duration") < 31
    video.evaluate("video => { video.currentTime = 25 }")
    ready(page)
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box, mark = video.bounding_box(), page.locator(".mark").bounding_box()
    assert box is not None
    assert mark is not None
    assert (mark["width"], mark["height"]) == pytest.approx((box["width"], box["height"]), abs=2)
    answer = page.request.get(f"{base}/play/{number}/video.mp4", headers={"range": "bytes=0-99"})
    assert (answer.status, len(answer.body())) == (206, 100)
    assert answer.headers["cache-control"] == "no-store"
    for file in people.folder.parent.rglob("*"):
        assert not file.is_file() or b"ftypiso" not in file.read_bytes()[:64], f"{file} is an opened video"
    press(page, "Close it")
    assert page.request.get(f"{base}/play/{number}/video.mp4").status == 409


def ready(page: Page) -> None:
    """Wait until the player shows a picture."""
    for _ in range(200):
        if page.locator("video").evaluate("video => video.readyState >= 2 && !video.seeking"):
            return
        page.wait_for_timeout(50)
    raise AssertionError("the player shows nothing")


def test_every_page_of_every_signer_is_accessible_and_says_what_is_wrong(desks: Desks) -> None:
    for who in ("dpo", "investigator"):
        page = desks.window(who)
        base = page.url.rstrip("/")
        for path in ("/", "/keys", "/keys/2026-10/destroy", "/cases", "/holds", "/emergency"):
            answer = page.goto(base + path)
            assert answer is not None
            if answer.status == 403:  # a page of somebody else's
                expect(page.get_by_role("alert")).to_be_visible()
                desks.faults.clear()  # the browser itself says that the answer was 403
            accessible(page)
