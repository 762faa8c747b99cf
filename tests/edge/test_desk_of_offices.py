"""Oversight, the authority and a shift lead at desks of their own in a real browser, beside the public's pages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from test_desk_browser import CHROMIUM, Desks, accessible, press

from signers_world import Signers, serving, signers
from watchglass.bootstrap import SeededEntropy, SystemEntropy, VirtualClock
from watchglass.core.time import DAY, SECOND, iso, month_of
from watchglass.ledger.keys import SignerKey
from watchglass.web.desk.app import Desk
from watchglass.web.desk.wall import Session
from world import NOON

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no system Chromium: the browser tests did not run"),
]
RETENTION = "retention: {sealed: 3d, reviewer_clips: 7d, alerts: 1y}"
NEWER = RETENTION.replace("sealed: 3d", "sealed: 4d").replace("reviewer_clips: 7d", "reviewer_clips: 5d")
SHOTS = os.environ.get("WATCHGLASS_SHOTS")
"""A folder for pictures of every page, where somebody wants to look at them."""


class Offices(Desks):
    """Desks with a list of people, and the public's browser."""

    def sit(self, who: str, *, width: int = 1280) -> Page:
        """Somebody's own browser at their own desk, without scripts; no page of it may need one."""
        roster = self.folder / "roster.csv" if who == "board" else None

        def desk(port: int) -> Desk:
            session = Session.fresh(port, SystemEntropy())
            glass = self.people.scene.glass if who == "shift-lead" else None
            exports = self.folder / "exports"
            return Desk(self.people.office(who), session, exports=exports, glass=glass, roster=roster)

        url, made = self.stack.enter_context(serving(desk))
        context = self.browser.new_context(java_script_enabled=False, viewport={"width": width, "height": 900})
        page = context.new_page()
        page.on("request", lambda asked: asked.url.startswith(url) or self.faults.append(f"{who} asked {asked.url}"))
        page.goto(f"{url}/?token={made.session.token}")
        return page

    def checked(self, page: Page, name: str) -> None:
        """A page is accessible, in light and in dark, and fits a phone. Axe needs scripts: a second window has them."""
        looking = self.browser.new_context(viewport={"width": 1280, "height": 900})
        for each in page.context.cookies():
            looking.add_cookies([each])
        twin = looking.new_page()
        if page.url.endswith(("/suspend", "/resume", "/enrol", "/settle", "/approve")):  # an answer to a form
            twin.route(page.url, lambda route: route.fulfill(body=page.content(), content_type="text/html"))
        twin.goto(page.url)
        for scheme in ("light", "dark"):
            twin.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # one of its two words
            accessible(twin)
            if SHOTS:
                twin.screenshot(path=f"{SHOTS}/{name}-{scheme}.png", full_page=True)
        twin.set_viewport_size({"width": 360, "height": 740})
        assert twin.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
        if SHOTS:
            twin.screenshot(path=f"{SHOTS}/{name}-phone.png", full_page=True)
        looking.close()

    def public(self, path: str) -> Page:
        page = self.browser.new_page()
        page.goto(self.people.url + path)
        return page


@pytest.fixture
def offices(tmp_path: Path) -> Iterator[Offices]:
    clock = VirtualClock(NOON)
    with signers(tmp_path / "place", clock=clock) as people, sync_playwright() as playwright, ExitStack() as stack:
        world = people.scene.world
        people.scene.keys |= {"board": world.keys["oversight"], "authority": world.keys["authority"]}
        new = SignerKey.generate("noor.example", SeededEntropy("noor")).verifier
        (tmp_path / "roster.csv").write_text(f"person,role,key\nNoor Haddad,investigator,{new}\n", "utf-8")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        made = Offices(people, browser, stack, tmp_path)
        yield made
        browser.close()
        assert made.faults == []


def signed(offices: Offices, page: Page, name: str) -> None:
    """On the page that asks, and then on the receipt, before and after witnesses have cosigned it."""
    for words in ("What you will sign", "What will happen", "Who will see it", "What cannot be undone"):
        expect(page.get_by_text(words)).to_be_visible()
    offices.checked(page, f"{name}-confirm")
    page.locator("main form button[type=submit]").click()
    expect(page.get_by_text("accepted and recorded")).to_be_visible()
    expect(page.get_by_text("not yet; reload this page to see it")).to_be_visible()
    offices.people.scene.world.witnessed()  # the one that a published charter names does not run
    offices.people.settle()
    page.reload()
    expect(page.get_by_text("as entry")).to_be_visible()
    offices.checked(page, f"{name}-receipt")


def test_oversight_stops_an_analytic_and_the_public_sees_it(offices: Offices) -> None:
    page = offices.sit("board")
    offices.checked(page, "home")
    page.get_by_role("link", name="What runs").click()
    page.get_by_text("Stop on-the-lawn").click()
    page.fill("[id='reason--on-the-lawn']", "Wrong three nights in a row.")
    page.locator("section", has=page.get_by_role("heading", name="on-the-lawn")).get_by_role("button").click()
    expect(page.get_by_role("heading", name="Stop on-the-lawn?")).to_be_visible()
    signed(offices, page, "suspend")
    public = offices.public("/register/analytics/on-the-lawn")
    expect(public.locator("main")).to_contain_text("uspended")

    page.get_by_role("link", name="Go on").click()
    offices.checked(page, "running")
    page.get_by_text("Let on-the-lawn run again").click()
    page.get_by_label("Why it may run again").fill("Seen at work.")
    page.get_by_label("What changed since").fill("The zone ends before the kerb now.")
    page.locator("section", has=page.get_by_text("Let on-the-lawn run again")).get_by_role("button").click()
    signed(offices, page, "resume")
    public.reload()
    expect(public.locator("main")).not_to_contain_text("uspended")
    page.get_by_role("link", name="What I signed").click()
    expect(page.get_by_text("Oversight allowed what it had stopped to run again")).to_be_visible()
    offices.checked(page, "signed")


def test_with_the_keyboard_alone(offices: Offices) -> None:
    page = offices.sit("board")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.goto(page.url + "running")
    page.locator("summary", has_text="Stop everything").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("We want to look at it first.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Stop everything?")).to_be_visible()
    page.get_by_role("button", name="Stop everything").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ordered to stop")).to_be_visible()
    assert [each.scope for each in offices.people.scene.world.standing().suspensions] == ["all"]


def test_an_emergency_is_used_explained_late_and_its_signal_settled(offices: Offices) -> None:
    people = offices.people
    people.film()
    lead = offices.sit("shift-lead")
    lead.get_by_role("link", name="Emergency").click()
    offices.checked(lead, "emergency")
    now = people.scene.now
    lead.select_option("#purpose", people.scene.purpose)
    lead.select_option("#source", "street")
    lead.fill("#from", iso(now - 60 * SECOND)[:-1])
    lead.fill("#to", iso(now)[:-1])
    lead.fill("#reason", "Somebody lies on the lawn and does not move.")
    press(lead, "Break the glass")
    expect(lead.get_by_role("heading", name="The glass is broken")).to_be_visible()
    people.settle()
    lead.get_by_role("link", name="Go on").click()
    press(lead, "Open and play")
    expect(lead.get_by_text("nobody: the emergency rule was used")).to_be_visible()

    board = offices.sit("board")
    expect(board.get_by_role("heading", name="1 emergency to be explained")).to_be_visible()
    clock = people.scene.world.clock
    assert isinstance(clock, VirtualClock)
    clock.advance(2 * DAY)
    people.scene.world.house.look_for_misuse()
    people.settle()
    board.reload()
    expect(board.get_by_role("heading", name="1 emergency overdue")).to_be_visible()
    offices.checked(board, "home-overdue")
    board.get_by_role("link", name="Signals", exact=True).click()
    expect(board.get_by_text("not explained, and overdue")).to_be_visible()
    offices.checked(board, "signals")
    board.get_by_label("What it was").first.select_option("mistake")
    board.get_by_label("Why you think so").first.fill("The report was forgotten; it was asked for.")
    board.get_by_role("button", name="Go on").first.click()
    expect(board.get_by_text("The report was forgotten; it was asked for.")).to_be_visible()
    signed(offices, board, "settle")
    (record,) = people.scene.world.records("misuse_settled")
    assert record.fields["finding"] == "mistake"

    lead.get_by_role("link", name="Emergency").click()
    lead.locator("summary", has_text="Explain it").click()
    lead.get_by_label("What was seen and done").fill("A man slept in the sun. Nobody was hurt.")
    press(lead, "Explain")
    expect(lead.get_by_role("heading", name="Explained")).to_be_visible()
    people.settle()
    lead.get_by_role("link", name="Emergency").click()
    expect(lead.locator(".tag", has_text="explained")).to_be_visible()
    board.get_by_role("link", name="Signals", exact=True).click()
    expect(board.get_by_text("explained, too late")).to_be_visible()
    offices.checked(board, "signals-settled")


def test_somebody_who_waits_is_enrolled(offices: Offices) -> None:
    page = offices.sit("board")
    expect(page.get_by_role("heading", name="1 person waits to be enrolled")).to_be_visible()
    page.get_by_role("link", name="People").click()
    offices.checked(page, "people")
    press(page, "Enrol Noor Haddad")
    expect(page.get_by_role("heading", name="Enrol Noor Haddad?")).to_be_visible()
    signed(offices, page, "enrol")
    month = month_of(offices.people.scene.now)
    (record,) = offices.people.scene.world.records("key_enrolled")[-1:]
    assert (record.leaf.clear["month"], record.fields["person"]) == (month, "Noor Haddad")
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_text("Everybody on your list is enrolled.")).to_be_visible()


def test_a_charter_is_approved_at_two_desks(offices: Offices) -> None:
    people: Signers = offices.people
    world = people.scene.world
    world.layout.charter.write_text(world.edited((RETENTION, NEWER)), "utf-8")
    authority, board = offices.sit("authority"), offices.sit("board")
    authority.get_by_role("link", name="Read it").click()
    expect(authority.get_by_role("heading", name="It may do more, or protects less")).to_be_visible()
    offices.checked(authority, "charter")
    press(authority, "Approve it as authority")
    offices.checked(authority, "charter-confirm")
    press(authority, "Approve version 2 as authority")
    expect(authority.get_by_text("It waits for oversight to sign version 2 too")).to_be_visible()
    offices.checked(authority, "charter-kept")
    board.reload()
    board.get_by_role("link", name="Read it").click()
    press(board, "Approve it as oversight")
    signed(offices, board, "charter-second")
    charter = world.standing().charter
    assert charter is not None
    assert charter.version == 2
    public = offices.public("/charter/versions")
    expect(public.locator("main")).to_contain_text("2")
    authority.get_by_role("link", name="Charter").click()
    expect(authority.get_by_text("No charter waits for a signature.")).to_be_visible()
    offices.checked(authority, "charter-published")
