"""The pixels of the public view, in a real browser: the empty scene outside of the discs, grey where it must be."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
import uvicorn
from a_street import Street, make_street
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from watchglass import demo
from watchglass.cli.serving import listen
from watchglass.perception.messages import Pin, Pins
from watchglass.views.backdrop import Backdrop
from watchglass.views.public import GREY, pin_radius
from watchglass.web.portal.app import create_app

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no system Chromium: the browser tests did not run"),
]

SIZE = (768, 576)
MARKS = ((100, 320, 0), (300, 420, 0), (620, 250, 1), (500, 500, 2))
UNKNOWN = np.s_[64:128, 512:640]
"""Rows and columns of the backdrop that were never admitted."""
DOOR = "[[200, 200], [250, 200], [250, 250], [200, 250]]"
NEVER = np.s_[192:256, 192:256]
"""The whole blocks that DOOR touches."""
AT_REAL_SIZE = """
body > :not(main) { display: none !important; }
.view-frame { position: fixed !important; inset: 0 auto auto 0; z-index: 9; width: 768px !important; }
.view-frame { border-radius: 0 !important; border: 0 !important; }
.view-frame svg { width: 768px !important; height: 576px !important; }
.view-when, .view-why { visibility: hidden; }
"""


def backdrop() -> Backdrop:
    learned = Backdrop.from_png(demo.BACKDROP.read_bytes())
    admitted = learned.admitted.copy()
    admitted[UNKNOWN] = False
    return Backdrop(np.where(admitted[..., None], learned.bgr, np.uint8(0)), admitted)


@dataclass
class Square:
    """A served street with a public view, and a browser."""

    street: Street
    browser: Browser
    base: str
    complaints: list[str] = field(default_factory=list)

    def show(self, *marks: tuple[int, int, int], unsure: str = "", light: tuple[int, ...] = ()) -> None:
        """A moment as a worker reports it."""
        self.street.clock.advance(1000)
        pins = tuple(Pin(*mark) for mark in marks)
        people = sum(pin.kind == 0 for pin in pins)
        scene = "" if unsure else "day"
        self.street.house.live.take_pins(Pins("street", self.street.clock.now(), pins, people, scene, unsure, light))

    def window(self, **more: Any) -> Page:
        context = self.browser.new_context(viewport={"width": 1280, "height": 1000}, bypass_csp=True, **more)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        page.goto(f"{self.base}/view/street")
        return page

    def still(self, name: str = "still.png") -> np.ndarray:
        return picture(httpx.get(f"{self.base}/view/street/{name}").content)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Square]:
    street = make_street(tmp_path_factory.mktemp("pixels"))
    street.publish(("    never_see:", f"    never_show: [{DOOR}]\n    never_see:"))
    street.show((), 0)
    listening = listen("127.0.0.1", 0)
    config = uvicorn.Config(create_app(street.house), log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield Square(street, browser, f"http://127.0.0.1:{listening.getsockname()[1]}")
        browser.close()
    street.house.bus.close()
    server.should_exit = True
    thread.join(20)
    listening.close()
    street.house.close()


@pytest.fixture
def square(served: Square) -> Iterator[Square]:
    live, clock = served.street.house.live, served.street.clock
    live.set_backdrop("street", "day", str(clock.now()), backdrop().to_png(), clock.now())
    served.show()
    yield served
    for context in served.browser.contexts:
        context.close()
    assert served.complaints == []


def picture(data: bytes) -> np.ndarray:
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return np.asarray(found)


def shot(page: Page) -> np.ndarray:
    """The picture in the page, at its real size, when marks have stopped gliding."""
    page.wait_for_timeout(600)
    taken = picture(page.locator(".view-frame svg").screenshot(animations="disabled", style=AT_REAL_SIZE))
    assert taken.shape == (576, 768, 3)
    return taken


def grey(pixels: np.ndarray) -> np.ndarray:
    return np.abs(pixels.astype(int) - GREY).max(axis=-1) < 24


def discs(pixels: np.ndarray, empty: np.ndarray) -> list[tuple[int, int]]:
    """The middles of what differs from the empty scene by more than an encoder's noise and is as large as a mark."""
    differs = (np.abs(pixels.astype(int) - empty).max(axis=2) > 40).astype(np.uint8)
    closed = cv2.morphologyEx(differs, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    _, _, stats, middles = cv2.connectedComponentsWithStats(closed)
    large = [n for n in range(1, len(stats)) if stats[n, cv2.CC_STAT_AREA] > 2 * pin_radius(SIZE[0]) ** 2]
    return sorted((round(middles[n][0]), round(middles[n][1])) for n in large)


def outside(marks: tuple[tuple[int, int, int], ...]) -> np.ndarray:
    y, x = np.mgrid[0:576, 0:768]
    reach = 1.6 * pin_radius(SIZE[0]) + 3
    return np.all([np.hypot(x - mx, y - my) > reach for mx, my, _ in marks], axis=0)


def test_page_and_still_are_the_empty_scene_outside_of_the_discs_and_there_are_as_many_discs_as_marks(
    square: Square,
) -> None:
    empty = square.still()
    page = square.window()
    before = shot(page)
    square.show(*MARKS)
    expect(page.locator("[data-pins] .pin-set")).to_have_count(4)
    after, still = shot(page), square.still()
    far = outside(MARKS)
    assert (still[far] == empty[far]).all(), "the still's pixels are those of the empty scene"
    assert np.abs(after.astype(int) - before)[far].max() <= 2, "so are the page's"
    assert np.abs(before.astype(int) - empty)[far].mean() < 3, "which is the same scene, as WebP"
    for shown, ground in ((after, before), (still, empty)):
        assert np.allclose(sorted(discs(shown, ground)), sorted((x, y) for x, y, _ in MARKS), atol=4)
    expect(page.locator("[data-people]")).to_have_text("2 people are in view.")


def test_it_is_grey_where_it_is_never_shown_and_where_nobody_knows(square: Square) -> None:
    inside = ((225, 225, 0), (262, 224, 0), (170, 230, 1))
    square.show(*inside, (400, 400, 0))
    page = square.window()
    taken, still, webp = shot(page), square.still(), square.still("now.webp")
    for shown in (taken, still, webp):
        assert grey(shown[NEVER]).mean() > 0.995
        assert grey(shown[UNKNOWN]).mean() > 0.995
    assert grey(still[NEVER]).all()
    assert grey(still[UNKNOWN]).all()
    expect(page.locator("[data-people]")).to_have_text("One person is in view.")
    drawn = [mark for mark in square.street.house.live.seen("street").marks if mark[2] == 0]
    assert drawn == [(400, 400, 0)]


def test_a_fault_makes_it_grey_without_a_reload_and_it_comes_back(square: Square) -> None:
    empty = square.still()
    square.show(*MARKS)
    page = square.window()
    assert len(discs(shot(page), empty)) == 4
    square.show(unsure="the camera is covered")
    expect(page.locator("[data-grey]")).to_have_text("Grey, because the camera is covered.")
    expect(page.locator("[data-pins] .pin-set")).to_have_count(0)
    taken = shot(page)
    inner = taken[12:-12, 12:-12].reshape(-1, 3)
    assert len(np.unique(inner, axis=0)) == 1, "one plain colour"
    assert np.ptp(inner[0].astype(int)) < 12, "and that is grey"
    assert grey(square.still()).all()
    square.show(*MARKS)
    expect(page.locator("[data-pins] .pin-set")).to_have_count(4)
    expect(page.locator("[data-grey]")).to_be_hidden()
    expect(page.locator("image[data-backdrop]")).to_have_attribute("href", square_backdrop(square))
    assert len(discs(shot(page), empty)) == 4


def square_backdrop(square: Square) -> str:
    return str(httpx.get(f"{square.base}/view/street.json").json()["view"]["backdrop"])


def test_a_withdrawn_scene_leaves_the_open_page_at_once(square: Square) -> None:
    square.show(*MARKS)
    page = square.window()
    expect(page.locator("image[data-backdrop]")).to_have_attribute("href", square_backdrop(square))
    square.street.house.live.set_backdrop("street", "day", "", None)
    expect(page.locator("[data-grey]")).to_contain_text("nobody has confirmed")
    assert len(np.unique(shot(page)[12:-12, 12:-12].reshape(-1, 3), axis=0)) == 1


def test_a_page_that_is_kept_for_going_back_keeps_nothing_of_the_view(square: Square) -> None:
    square.show(*MARKS)
    page = square.window()
    expect(page.locator("image[data-backdrop]")).to_have_attribute("href", square_backdrop(square))
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    expect(page.locator("[data-pins] .pin-set")).to_have_count(0)
    assert page.locator("image[data-backdrop]").get_attribute("href") is None
    square.street.house.live.set_backdrop("street", "day", "", None)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(page.locator("[data-grey]")).to_contain_text("nobody has confirmed")
    assert page.locator("image[data-backdrop]").get_attribute("href") is None


def test_marks_can_be_held_still_but_not_what_may_not_be_shown(square: Square) -> None:
    square.show(*MARKS)
    page = square.window()
    expect(page.locator("[data-pins] .pin-set")).to_have_count(4)
    hold = page.get_by_role("button", name="Hold still")
    hold.click()
    expect(page.locator("[data-when]")).to_have_text("Held still")
    square.show(*MARKS[:1])
    page.wait_for_timeout(500)
    expect(page.locator("[data-pins] .pin-set")).to_have_count(4)
    hold.click()
    expect(page.locator("[data-pins] .pin-set")).to_have_count(1)
    expect(page.locator("[data-when]")).to_have_text("Live")
    hold.click()
    square.show(unsure="the camera is covered")
    expect(page.locator("[data-grey]")).to_have_text("Grey, because the camera is covered.")
    expect(page.locator("[data-pins] .pin-set")).to_have_count(0)
    expect(hold).to_have_attribute("aria-pressed", "false")


def test_a_line_that_is_lost_shows_nothing_and_is_tried_until_it_stands(square: Square) -> None:
    square.show(*MARKS)
    context = square.browser.new_context()
    page = context.new_page()
    page.clock.install()
    page.goto(f"{square.base}/view/street")
    expect(page.locator("[data-pins] .pin-set")).to_have_count(4)
    page.route("**/events", lambda route: route.fulfill(status=502))  # as a proxy does: for good, to a browser
    page.clock.fast_forward(41_000)  # nothing was heard for so long
    expect(page.locator("[data-when]")).to_have_text("Connection lost")
    expect(page.locator("[data-pins] .pin-set")).to_have_count(0)
    expect(page.locator("image[data-backdrop]")).not_to_have_attribute("href", re.compile("."))
    page.clock.fast_forward(9_000)
    expect(page.locator("[data-when]")).to_have_text("Connection lost")
    page.unroute("**/events")
    page.clock.fast_forward(9_000)
    expect(page.locator("[data-when]")).to_have_text("Live")
    expect(page.locator("[data-pins] .pin-set")).to_have_count(4)


def test_the_light_of_day_reaches_the_page(square: Square) -> None:
    page = square.window()
    before = shot(page)
    first = square_backdrop(square)
    square.street.clock.advance(60_000)
    square.show(light=(32,) * 12)
    square.show(light=(32,) * 12)
    assert square_backdrop(square) != first
    expect(page.locator("image[data-backdrop]")).to_have_attribute("href", square_backdrop(square))
    after = shot(page)
    known = ~grey(before)
    assert after[known].mean() < before[known].mean() - 20
    assert np.abs(after.astype(int) - square.still()).mean() < 3, "and the still has the same light"


def test_without_a_script_the_page_shows_the_same_picture(square: Square) -> None:
    square.show(*MARKS)
    with_script, without = square.window(), square.window(java_script_enabled=False)
    expect(without.locator("[data-pins] .pin-set")).to_have_count(4)
    expect(without.get_by_role("link", name="Show it as it is now")).to_be_visible()
    expect(with_script.locator("[data-pins] .pin-set")).to_have_count(4)
    one, other = shot(with_script), shot(without)
    differs = np.abs(one.astype(int) - other).max(axis=2) > 8
    assert differs.mean() < 0.001, "but for the rim of a disc"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("state", ["marks", "grey"])
def test_the_page_is_accessible_and_fits_whatever_it_shows(square: Square, scheme: str, width: int, state: str) -> None:
    square.show(*(MARKS if state == "marks" else ()), unsure="" if state == "marks" else "the camera is covered")
    page = square.window(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    found = Axe().run(page).response["violations"]
    assert [f"{fault['id']}: {[node['target'] for node in fault['nodes']]}" for fault in found] == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_the_page_weighs_less_than_100_kb_without_its_picture(square: Square) -> None:
    square.show(*MARKS)
    context = square.browser.new_context()
    page = context.new_page()
    weights: dict[str, int] = {}

    def weigh(answer: Any) -> None:
        if not answer.url.endswith("/events"):
            weights[answer.url] = len(answer.body())

    page.on("response", weigh)
    page.goto(f"{square.base}/view/street")
    page.wait_for_load_state("load")
    page.wait_for_timeout(500)
    pictures = [url for url in weights if "backdrop.png" in url]
    assert pictures
    assert sum(size for url, size in weights.items() if url not in pictures) < 100_000
