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


def in_the_middle(page: Page, kind: str) -> None:
    """A shape of the usual size in the middle of the picture."""
    page.locator(f"[data-draw={kind}]").click()
    page.get_by_role("button", name="Put one in the middle").click()


def spot(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where on the screen a pixel of the picture is."""
    box = page.locator("[data-svg]").bounding_box()
    assert box
    wide, high = (float(page.locator("#drawing").get_attribute(f"data-{side}") or 0) for side in ("width", "height"))
    return box["x"] + x / wide * box["width"], box["y"] + y / high * box["height"]


def near(found: list[tuple[float, float]], wanted: list[tuple[float, float]]) -> bool:
    """Whether points are those, as well as a pixel of the screen can tell."""
    return len(found) == len(wanted) and all(
        abs(x - a) <= 2 and abs(y - b) <= 2 for (x, y), (a, b) in zip(found, wanted, strict=True)
    )


def test_an_area_is_drawn_click_by_click(signed_in: Any) -> None:
    page = editor(signed_in("olga"))
    shapes = page.locator("[data-shape]").count()
    page.locator("[data-draw=polygon]").click()
    said, band = page.locator("[data-live]"), page.locator(".draw-band")
    wanted = [(300.0, 300.0), (420.0, 300.0), (420.0, 420.0)]
    for x, y in wanted:
        page.mouse.click(*spot(page, x, y))
    expect(said).to_contain_text("Corner 3 at 4")
    expect(said).to_contain_text("Press Enter to finish.")
    page.mouse.move(*spot(page, 310, 400))
    end = (band.get_attribute("points") or "").replace(",", " ").split()
    assert len(end) == 8, "the next edge follows the pointer"
    assert abs(float(end[-2]) - 310) <= 2
    accessible(page)
    page.keyboard.press("Backspace")
    expect(said).to_contain_text("Taken back. 2 are set.")
    page.get_by_role("button", name="Done").click()
    expect(said).to_contain_text("needs 3 corners; 2 so far")
    page.mouse.click(*spot(page, *wanted[2]))
    page.mouse.click(*spot(page, *wanted[0]))
    expect(said).to_contain_text("is drawn with 3 corners")
    assert near(corners(page), wanted)
    assert page.locator("[data-pen]").is_hidden()
    page.keyboard.press("Control+z")
    assert page.locator("[data-shape]").count() == shapes, "a drawn shape is one step"
    page.locator("[data-draw=never]").click()
    page.mouse.click(*spot(page, 100, 100))
    page.keyboard.press("Escape")
    expect(said).to_contain_text("Dropped.")
    assert page.locator("[data-shape]").count() == shapes
    page.locator("[data-draw=never]").click()
    for x, y in wanted[:2]:
        page.mouse.click(*spot(page, x, y))
    page.mouse.dblclick(*spot(page, *wanted[2]))
    expect(said).to_contain_text("is drawn with 3 corners")
    page.locator("[data-draw=line]").click()
    for x, y in wanted[:2]:
        page.mouse.click(*spot(page, x, y))
    expect(said).to_contain_text("is drawn.")
    assert near(corners(page), wanted[:2])


def test_an_area_is_drawn_with_the_keyboard(signed_in: Any) -> None:
    page = editor(signed_in("olga"))
    page.locator("[data-draw=polygon]").focus()
    page.keyboard.press("Enter")
    said = page.locator("[data-live]")
    expect(page.locator(".draw-cross")).to_have_count(1)
    accessible(page)
    page.keyboard.press("Space")
    expect(said).to_contain_text("Corner 1 at 384, 288. At least 2 more.")
    for key in ("Alt+ArrowRight", "Shift+ArrowRight", "ArrowLeft", "Enter", "PageDown", "Space"):
        page.keyboard.press(key)
    expect(said).to_contain_text("Corner 3 at 470, 346. Press Enter to finish.")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(said).to_contain_text("Corner 4 at 547, 346")
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    expect(said).to_contain_text("is drawn with 3 corners")
    assert corners(page) == [(384, 288), (470, 288), (470, 346)]
    assert page.evaluate("document.activeElement.className") == "draw-corner"


def test_a_grey_part_is_drawn_with_the_keyboard_and_is_no_hidden_part(signed_in: Any) -> None:
    page = editor(signed_in("olga"))
    page.locator("[data-draw=grey]").focus()
    page.keyboard.press("Enter")
    said = page.locator("[data-live]")
    expect(said).to_contain_text("what the public may not see; rules still look there")
    for key in ("Space", "Alt+ArrowRight", "Space", "PageDown", "Space", "Enter"):
        page.keyboard.press(key)
    expect(said).to_contain_text("is drawn with 3 corners")
    expect(page.locator(".shape.is-chosen legend")).to_have_text("Grey part 1")
    expect(page.locator(".is-chosen .draw-grey")).to_have_count(1)
    accessible(page)
    drawn = corners(page)
    page.get_by_role("button", name="Show what would change").click()
    changes = page.locator("section", has=page.locator("h2", has_text="What would change"))
    expect(changes).to_contain_text("narrowing")
    written = ", ".join(f"[{x:g}, {y:g}]" for x, y in drawn)
    expect(changes.locator(".line-new", has_text="never_show")).to_contain_text(f"never_show: [[{written}]]")
    expect(page.locator(".draw-grey")).to_have_count(1)
    accessible(page)
    page.locator("summary", has_text="How to draw").click()
    expect(page.locator("[data-help]")).to_contain_text("The public view shows it grey")


def test_a_shape_is_dragged_and_its_edge_gets_a_corner(signed_in: Any) -> None:
    page = editor(signed_in("olga"))
    in_the_middle(page, "polygon")
    before = corners(page)
    x, y = before[0][0] + 15, before[0][1] + 20
    page.mouse.move(*spot(page, x, y))
    page.mouse.down()
    page.mouse.move(*spot(page, x - 40, y + 30), steps=4)
    page.mouse.up()
    moved = corners(page)
    assert near(moved, [(x - 40, y + 30) for x, y in before])
    assert {(a - c, b - d) for (a, b), (c, d) in zip(moved, before, strict=True)} == {
        (moved[0][0] - before[0][0], moved[0][1] - before[0][1])
    }, "it keeps its form"
    quarter = (moved[0][0] + (moved[1][0] - moved[0][0]) / 4, moved[0][1])
    page.mouse.click(*spot(page, *quarter))
    assert near(corners(page), [moved[0], quarter, *moved[1:]])
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert corners(page) == before


def test_a_line_is_added_shown_and_saved(signed_in: Any, demo: Any) -> None:
    before = (demo.state / "charter.yaml").read_text("utf-8")
    page = editor(signed_in("olga"))
    in_the_middle(page, "line")
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
    assert "version: 3\n" in before, "the demo has a draft that waits, and a draft that nobody signed keeps its number"
    assert [line for line in before.splitlines() if line not in after.splitlines()] == []


def test_with_the_mouse(signed_in: Any) -> None:
    page = editor(signed_in("olga"))
    in_the_middle(page, "polygon")
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
    known = demo.signed_in.get("olga")
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, storage_state=known
    )
    page = context.new_page()
    if known is None:
        page.goto(f"{demo.address}/login")
        page.fill("input[name=name]", "olga")
        page.fill("input[name=password]", demo.password)
        page.click("main form button[type=submit]")
        page.wait_for_url(lambda url: "/login" not in url)
        demo.signed_in["olga"] = context.storage_state()
    page.goto(f"{demo.address}{ZONES}")
    yield page
    context.close()


def test_with_a_finger(phone: Page) -> None:
    expect(phone.locator(".draw-corner").first).to_be_visible()
    accessible(phone)
    wide = phone.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    in_the_middle(phone, "never")
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


def test_corners_are_tapped_and_the_page_stays(phone: Page) -> None:
    expect(phone.locator(".draw-corner").first).to_be_visible()
    shapes = phone.locator("[data-shape]").count()
    phone.locator("[data-draw=polygon]").tap()
    for button in phone.locator(".draw-tools button:visible").all():
        box = button.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 44
    assert phone.locator("[data-pen]").evaluate("(pen) => getComputedStyle(pen).touchAction") == "pinch-zoom"
    finger = phone.context.new_cdp_session(phone)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        found = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": found})

    top = phone.evaluate("scrollY")
    for x, y in [(300.0, 200.0), (500.0, 200.0)]:
        phone.touchscreen.tap(*spot(phone, x, y))
    x, y = spot(phone, 500, 500)  # slides up onto its place before it is lifted
    touch("touchStart", (x, y))
    for step in range(1, 6):
        touch("touchMove", (x, y - 8 * step))
    touch("touchEnd")
    expect(phone.locator("[data-live]")).to_contain_text("Corner 3 at")
    assert phone.evaluate("scrollY") == top, "drawing does not move the page"
    touch("touchStart", spot(phone, 300, 450), spot(phone, 450, 300))
    touch("touchEnd")
    assert phone.locator(".draw-set").count() == 3, "two fingers set nothing"
    accessible(phone)
    phone.touchscreen.tap(*spot(phone, 305, 205))
    expect(phone.locator("[data-live]")).to_contain_text("is drawn with 3 corners")
    assert phone.locator("[data-shape]").count() == shapes + 1
    phone.locator("[data-draw=plane]").tap()
    phone.touchscreen.tap(*spot(phone, 300, 450))
    assert phone.evaluate("document.activeElement.closest('.point') !== null"), "the metres are asked for"
    wide = phone.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0


def test_a_mistake_is_said_beside_the_shape_and_nothing_is_lost(signed_in: Any) -> None:
    someone = signed_in("olga")
    page = editor(someone)
    in_the_middle(page, "polygon")
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


def test_the_ground_is_measured_and_gives_sizes(signed_in: Any, demo: Any) -> None:
    someone = signed_in("olga")
    page = editor(someone)
    page.locator("[data-draw=plane]").click()
    bay = [((80, 520), "0", "0"), ((690, 520), "9", "0"), ((540, 230), "9", "12"), ((190, 230), "0", "12")]
    for (x, y), right, away in bay:
        page.mouse.click(*spot(page, x, y))
        for metres in (right, away):
            page.keyboard.type(metres)
            page.keyboard.press("Enter")
    expect(page.locator(".draw-point")).to_have_count(4)
    expect(page.locator(".point [data-at]").last).to_contain_text("at 1")
    accessible(page)
    page.get_by_role("button", name="Done").click()
    page.locator(".draw-point").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-live]")).to_contain_text("Point 1 of 4 of the ground")
    rows = page.locator(".point input")
    rows.nth(7).fill("-12")
    page.get_by_role("button", name="Show what would change").click()
    expect(page.locator("#shape-ground .field-error")).to_contain_text("mixed up")
    expect(page.locator(".point input").nth(7)).to_have_value("-12")
    accessible(page)
    page.locator(".point input").nth(7).fill("12")
    page.get_by_role("button", name="Show what would change").click()
    expect(page.locator("#result")).to_contain_text("lies on the ground was measured anew")
    told = page.locator("[data-measured]").first
    expect(told).to_contain_text("m² on the measured ground")
    assert page.locator(".draw-grid").count() == 1
    accessible(page)
    page.locator(".draw-corner").first.focus()
    page.keyboard.press("ArrowUp")
    expect(told).to_contain_text("told anew")
    page.keyboard.press("Control+z")
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.locator("h1")).to_contain_text("The draft is saved")
    text = (demo.state / "charter.yaml").read_text("utf-8")
    assert re.search(r"\n      plane:\n(        - \{at: \[\d+, \d+\], m: \[(0|9), (0|12)\]\}\n){4}", text), text
    someone.complaints[:] = [said for said in someone.complaints if "400" not in said]
