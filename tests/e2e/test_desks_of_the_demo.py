"""The desk of the demo's oversight, as its terminal prints the command: what it signs, the public page shows."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

STARTED_S = 60
NAME = "camera"
STOPPED = "in-the-bays"


@contextmanager
def at_desk(chromium: Browser, demo: Any, role: str, *more: object) -> Iterator[Page]:
    """The browser of an office at its own desk, without scripts."""
    folder = demo.people / role
    words = ["desk", "serve", demo.address, "--keys", folder, "--key", folder / "signing.key"]
    words += ["--trust", demo.people / "trust", *more]
    process = subprocess.Popen(
        [sys.executable, "-m", "watchglass", *map(str, words)], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        address = next(line.strip() for line in process.stderr if "?token=" in line)
        context = chromium.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(address)
        yield page
        context.close()
    finally:
        process.terminate()
        process.wait(STARTED_S)
        process.stderr.close()


@pytest.fixture
def board(chromium: Browser, demo: Any) -> Iterator[Page]:
    with at_desk(chromium, demo, "oversight", "--roster", demo.people / "oversight" / "roster.csv") as page:
        yield page


@pytest.fixture
def authority(chromium: Browser, demo: Any) -> Iterator[Page]:
    with at_desk(chromium, demo, "authority") as page:
        yield page


def sign(page: Page) -> None:
    expect(page.get_by_role("heading", name="What you will sign")).to_be_visible()
    page.locator("main form button[type=submit]").click()
    expect(page.get_by_text("accepted and recorded")).to_be_visible()


def until_cosigned(page: Page) -> None:
    """The demo takes a checkpoint every ten seconds."""
    until_it_says(page, "as entry")


def until_it_says(page: Page, words: str) -> None:
    """Without scripts a page says what is new when it is asked again."""
    for _ in range(120):
        if page.get_by_text(words).count():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(f"it never said {words!r}: {page.locator('main').inner_text()}")


def test_what_waits_at_oversights_desk_in_the_demo(board: Page) -> None:
    expect(board.get_by_role("heading", name="1 emergency overdue")).to_be_visible()
    expect(board.get_by_role("heading", name="Charter version 3 waits for you")).to_be_visible()
    board.get_by_role("link", name="Charter", exact=True).click()
    expect(board.get_by_role("heading", name="It may do more, or protects less")).to_be_visible()
    expect(board.get_by_role("heading", name="It may do less, or protects more")).to_be_visible()
    expect(board.get_by_role("button", name="Approve it as oversight")).to_be_visible()
    board.get_by_role("link", name="People", exact=True).click()
    board.get_by_role("button", name="Enrol Noor Haddad (invented)").first.click()
    sign(board)


def test_oversight_stops_and_resumes_at_its_desk_and_the_public_sees_both(board: Page, visitor: Any) -> None:
    board.get_by_role("link", name="What runs").click()
    rule = board.locator("section", has=board.get_by_role("heading", name=NAME, exact=True))
    rule.locator("summary").click()
    rule.locator("textarea").fill("We want to look at it first.")
    rule.get_by_role("button").click()
    sign(board)
    public = visitor.open(f"/register/analytics/{NAME}")
    expect(public.locator("main")).to_contain_text(re.compile("suspended", re.IGNORECASE))
    until_cosigned(board)
    board.get_by_role("link", name="What runs").click()
    until_it_says(board, "Nothing of it has run since")
    order = board.locator("section", has=board.get_by_text(f"Let {NAME} run again"))
    order.locator("summary").click()
    order.get_by_label("Why it may run again").fill("It was looked at on the spot.")
    order.get_by_label("What changed since").fill("The camera was cleaned.")
    order.get_by_role("button").click()
    sign(board)
    until_cosigned(board)
    answer: dict[str, Any] = visitor.page.request.get(visitor.base + "/api/v1/standing").json()
    assert [each["resumed"] for each in answer["suspensions"] if each["analytic"] == NAME][-1]
    running = {each["name"]: each["runs"] for each in answer["analytics"]}
    assert running[NAME]
    expect(visitor.open(f"/register/analytics/{NAME}").locator("main")).to_contain_text("may run now")


def test_what_its_limit_stopped_twice_runs_again_once_both_offices_have_signed(
    authority: Page, board: Page, visitor: Any, demo: Any
) -> None:
    """The second stop needed a new version of the charter; the one that came into force with the present is new."""

    def stands() -> dict[str, Any]:
        answer = visitor.page.request.get(visitor.base + "/api/v1/standing").json()
        return next(each for each in answer["quality"] if each["analytic"] == STOPPED)

    public = visitor.open(f"/register/analytics/{STOPPED}")
    expect(public.get_by_role("heading", name="Stopped by its limit")).to_be_visible()
    stops = public.get_by_role("table", name="When its limits stopped it").locator("tbody tr")
    expect(stops).to_have_count(2)
    expect(stops.first).to_contain_text("not yet")
    expect(stops.last).to_contain_text("on trial. The authority had said: “Simulated for the demo: the tape")
    board.get_by_role("link", name="Limits", exact=True).click()
    expect(board.locator("main")).to_contain_text(STOPPED)
    expect(board.get_by_role("button")).to_have_count(0)  # nobody has said yet what was changed
    authority.get_by_role("link", name="Limits", exact=True).click()
    authority.get_by_label("What was changed").fill("The zone ends before the road now.")
    authority.locator("main form button").click()
    sign(authority)
    board.reload()
    board.locator("main form textarea").fill("We saw where it ends.")
    board.locator("main form button").click()
    sign(board)
    until_cosigned(board)
    for _ in range(60):
        if stands()["state"] == "trial":
            break
        public.wait_for_timeout(500)
    assert stands()["state"] == "trial"
    public.reload()
    expect(public.get_by_text("on trial").first).to_be_visible()
    # whoever comes next finds alerts only that leave the reviewers' queue
    key = str(demo.people / "oversight" / "signing.key")
    words = ("oversight", "suspend", demo.address, "--key", key, "--analytic", STOPPED, "--reason", "the test is over")
    assert demo.watchglass(*words).returncode == 0
