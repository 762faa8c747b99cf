"""The zone editor in a real browser: with keyboard, mouse and finger, and without a script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

ZONES = "/sources/street/zones"
WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}


def accessible(page: Page) -> None:
    found = Axe().run(page, options=WCAG).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"][:160]) for rule in found] == []


def corners(page: Page) -> list[tuple[float, float]]:
    """The corners of the chosen shape, as the form would send them."""
    text = page.locator(".shape.is-chosen textarea").input_value()
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+), (-?[\d.]+)", text)]


def editor(someone: Any) -> Page:
    page = someone.open(ZONES)
    expect(page.locator(".draw-corner").first).to_be_visible()
    return page


def middle(page: Page, selector: str, n: int = 0) -> tuple[float, float]:
    box = page.locator(selector).nth(n).bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_with_the_keyboard_alone(signed_in: Any) -> None:
    page = editor(signed_in("olga"))
    accessible(page)
    before = corners(page)
    page.locator(".draw-corner").first.focus()
    said = page.locator("[data-live]")
    expect(said).to_contain_text("Corner 1 of")
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    assert corners(page)[0] == (before[0][0] + 2, before[0][1] + 10)
    assert corners(page)[1:] == before[1:]
    expect(said).to_contain_text(f"{before[0][0] + 2:g}, {before[0][1] + 10:g}")
    page.keyboard.press("Escape")
    assert corners(page) == before
    page.keyboard.press("Enter")
    assert len(corners(page)) == len(before) + 1
    expect(said).to_contain_text("Added: Corner 2 of")
    assert page.evaluate("document.activeElement.dataset.index") == "1"
    page.keyboard.press("Delete")
    assert corners(page) == before
    page.keyboard.press("Control+z")
    assert len(corners(page)) == len(before) + 1
    page.keyboard.press("Control+z")
    assert corners(page) == before


def test_a_line_is_added_shown_and_saved(signed_in: Any, demo: Any) -> None:
    before = (demo.state / "charter.yaml").read_text("utf-8")
    page = editor(signed_in("olga"))
    page.locator("[data-add=line]").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".draw-corner")).to_have_count(2)
    (x1, y1), (x2, y2) = corners(page)
    assert x1 == x2
    assert y1 > y2, "from below to above: the allowed way is to the right"
    expect(page.locator(".is-chosen .draw-arrow")).to_have_count(1)
    page.keyboard.press("Delete")
    expect(page.locator("[data-live]")).to_contain_text("needs 2 ends")
    page.locator(".shape.is-chosen [name^=name-]").fill("kerb")
    page.get_by_role("button", name="Turn it round").click()
    assert corners(page) == [(x2, y2), (x1, y1)]
    accessible(page)
    page.get_by_role("button", name="Show what would change").click()
    expect(page.locator("h2", has_text="What would change")).to_be_visible()
    accessible(page)
    assert (demo.state / "charter.yaml").read_text("utf-8") == before, "looking saves nothing"
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.locator("h1")).to_contain_text("The draft is saved as version 3")
    accessible(page)
    after = (demo.state / "charter.yaml").read_text("utf-8")
    assert f"kerb: {{line: [[{x2:g}, {y2:g}], [{x1:g}, {y1:g}]]}}" in after
    assert [line for line in before.splitlines() if line not in after.splitlines()] == ["version: 2"]


def test_with_the_mouse(signed_in: Any) -> None:
    page = editor(signed_in("olga"))
    page.locator("[data-add=polygon]").click()
    before = corners(page)
    x, y = middle(page, ".draw-corner", 2)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 15, steps=4)
    page.mouse.up()
    after = corners(page)
    assert after[2][0] > before[2][0]
    assert after[2][1] > before[2][1]
    assert after[:2] == before[:2]
    x, y = middle(page, ".draw-middle", 0)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 20, steps=4)
    page.mouse.up()
    assert len(corners(page)) == 5
    assert corners(page)[1][1] < before[0][1]
    x, y = middle(page, ".draw-all")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 5000, y, steps=4)
    page.mouse.up()
    assert min(x for x, _ in corners(page)) == 0, "it stops at the edge of the picture and keeps its form"
    for _ in range(3):
        page.locator("[data-undo]").click()
    assert corners(page) == before
    small = page.locator("[data-svg]").bounding_box()
    page.locator("[data-zoom='1']").click()
    large = page.locator("[data-svg]").bounding_box()
    assert small
    assert large
    assert large["width"] > 1.4 * small["width"]
    assert page.locator(".draw-corner").first.bounding_box()["width"] == 44  # type: ignore[index]  # it is visible


@pytest.fixture
def phone(chromium: Browser, demo: Any) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{demo.address}/login")
    page.fill("input[name=name]", "olga")
    page.fill("input[name=password]", demo.password)
    page.click("main form button[type=submit]")
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto(f"{demo.address}{ZONES}")
    yield page
    context.close()


def test_with_a_finger(phone: Page) -> None:
    expect(phone.locator(".draw-corner").first).to_be_visible()
    accessible(phone)
    wide = phone.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    phone.locator("[data-add=never]").tap()
    before = corners(phone)
    phone.locator(".draw-corner").first.scroll_into_view_if_needed()
    box = phone.locator(".draw-corner").first.bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 44
    x, y = middle(phone, ".draw-corner", 0)
    finger = phone.context.new_cdp_session(phone)

    def touch(kind: str, *at: float) -> None:
        points = [{"x": at[0], "y": at[1]}] if at else []
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", x, y)
    for step in range(1, 6):
        touch("touchMove", x - 4 * step, y - 3 * step)
    touch("touchEnd")
    after = corners(phone)
    assert after[0][0] < before[0][0]
    assert after[0][1] < before[0][1]
    assert after[1:] == before[1:]


def test_a_mistake_is_said_beside_the_shape_and_nothing_is_lost(signed_in: Any) -> None:
    someone = signed_in("olga")
    page = editor(someone)
    page.locator("[data-add=polygon]").click()
    page.locator(".shape.is-chosen summary").click()
    page.locator(".shape.is-chosen textarea").fill("10, 10\n90, 60\n90, 10\n10, 40")
    page.get_by_role("button", name="Show what would change").click()
    expect(page.locator("[role=alert]")).to_contain_text("crosses itself")
    expect(page.locator(".shape.field-wrong textarea")).to_have_value("10, 10\n90, 60\n90, 10\n10, 40")
    accessible(page)
    # the browser itself writes the refused form's status into its console
    someone.complaints[:] = [said for said in someone.complaints if "400" not in said]


def test_without_a_script(chromium: Browser, demo: Any) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{demo.address}/login")
    page.fill("input[name=name]", "olga")
    page.fill("input[name=password]", demo.password)
    page.click("main form button[type=submit]")
    page.goto(f"{demo.address}{ZONES}")
    page.fill("[name=name-new-polygon]", "gate")
    page.fill("[name=corners-new-polygon]", "600, 400\n700, 400\n700, 500")
    page.click("text=Show what would change")
    assert "“gate”" in page.inner_text("#result")
    page.click("text=Save as a draft")
    assert "The draft is saved" in page.inner_text("h1")
    assert "gate: {polygon: [[600, 400], [700, 400], [700, 500]]}" in (demo.state / "charter.yaml").read_text("utf-8")
    context.close()
