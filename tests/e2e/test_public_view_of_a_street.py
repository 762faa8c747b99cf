"""A whole deployment that watches a street with something planted in it: what of that is published, pixel by pixel."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser

from watchglass import demo
from watchglass.access.authorise import authorise
from watchglass.access.roles import May, Person, Role
from watchglass.acts.accounts import open_account
from watchglass.acts.confirm_backdrop import confirm_backdrop
from watchglass.bootstrap import House
from watchglass.charter.decide import decide
from watchglass.charter.permit import ConfirmBackdrop
from watchglass.edge.encode import encode_mp4
from watchglass.views.backdrop import Backdrop
from watchglass.views.public import GREY, cell_side, ground, pin_radius, withheld

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import portal

FPS, SECONDS, COVERED_S = 10, 30, 10
SIZE = (768, 576)
WIDTH_M = 16.2
MAGENTA = (255, 0, 255)
DOOR = [[560, 300], [640, 300], [640, 380], [560, 380]]
"""Where people of the clip walk: never shown."""
UNKNOWN = np.s_[320:448, 96:224]
"""Rows and columns that the confirmed backdrop does not admit."""


def is_magenta(picture: np.ndarray) -> np.ndarray:
    blue, green, red = (picture[..., n].astype(int) for n in range(3))
    return (np.minimum(blue, red) - green) > 90


def grey(picture: np.ndarray) -> np.ndarray:
    return np.abs(picture.astype(int) - GREY).max(axis=-1) < 24


def frames() -> Iterator[np.ndarray]:
    """Half a minute of the demo's street with a bright thing of a person's size that walks through; then a hand."""
    with av.open(io.BytesIO(demo.STREET.read_bytes())) as container:
        for n, frame in enumerate(container.decode(video=0)):
            if n == FPS * SECONDS:
                break
            picture = frame.to_ndarray(format="bgr24")
            x = round(n * 860 / (FPS * SECONDS)) - 60
            cv2.rectangle(picture, (x, 330), (x + 50, 470), MAGENTA, -1)
            yield picture
    for _ in range(FPS * COVERED_S):
        yield np.full((576, 768, 3), 6, np.uint8)


def backdrop() -> Backdrop:
    learned = Backdrop.from_png(demo.BACKDROP.read_bytes())
    admitted = learned.admitted.copy()
    admitted[UNKNOWN] = False
    return Backdrop(np.where(admitted[..., None], learned.bgr, np.uint8(0)), admitted)


def charter(me: str, openings: str) -> dict[str, Any]:
    source = portal.source("street.mp4", {"lawn": {"polygon": [[0, 300], [700, 540], [0, 576]]}})
    source |= {"never_show": [DOOR], "view": {"width_m": WIDTH_M}}
    return portal.charter(me, openings, {"street": source}, {"watch": portal.intrusion("street", "lawn", "person")})


def confirm(root: Path) -> None:
    """An operator says that nobody is in the picture."""
    with House(root) as house:
        account = open_account(house.acting, None, "olga", [Role.OPERATOR], "-").value
        grant = authorise(Person(account, "olga", frozenset({Role.OPERATOR})), May.CONFIRM_BACKDROP)
        permit = decide(house.standing(), ConfirmBackdrop("street"), house.clock.now())
        confirm_backdrop(house.acting, grant, permit, "street", backdrop().to_png())


@dataclass
class Watched:
    """What one visitor saw: each event of the stream with the still of that time, and the address."""

    base: str
    events: list[dict[str, Any]] = field(default_factory=list)
    stills: list[np.ndarray] = field(default_factory=list)
    webps: list[np.ndarray] = field(default_factory=list)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("planted")
    clip = folder / "planted.mp4"
    clip.write_bytes(encode_mp4(frames(), FPS, SIZE, crf=20))
    root = folder / "street"
    portal.deployment(root, {"street.mp4": clip}, charter)
    confirm(root)
    port = portal._listen_port(root)
    command = [sys.executable, "-m", "watchglass", "run", str(root)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as house:
        portal._wait_for(port)
        seen = Watched(f"http://127.0.0.1:{port}")
        listener = threading.Thread(target=listen, args=(seen,), daemon=True)
        listener.start()
        yield seen
        house.send_signal(signal.SIGINT)
        house.wait(60)
        listener.join(10)


def listen(seen: Watched) -> None:
    """Keep every event."""
    with httpx.stream("GET", f"{seen.base}/view/street/events", timeout=None) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                seen.events.append(json.loads(line[6:]))


def fetch(seen: Watched, name: str) -> np.ndarray:
    data = httpx.get(f"{seen.base}/view/street/{name}", timeout=20).content
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return np.asarray(found)


def watch(seen: Watched, until: str, most_s: float) -> None:
    """Look at the stills, until the stream says that the view is in that state."""
    end = time.monotonic() + most_s
    while time.monotonic() < end:
        seen.stills.append(fetch(seen, "still.png"))
        seen.webps.append(fetch(seen, "now.webp"))
        if seen.events and seen.events[-1]["state"] == until:
            return
        time.sleep(0.25)
    raise AssertionError(f"the view never was {until!r}; it was {[event['state'] for event in seen.events[-5:]]}")


def allowed() -> set[tuple[int, int]]:
    """Every place at which a disc may stand: a cell's middle, or beside it where several share a cell."""
    cell, radius = cell_side(WIDTH_M, SIZE[0], 1.0), pin_radius(SIZE[0])
    middles = [
        (round(min((column + 0.5) * cell, SIZE[0] - 1.0)), round((row + 0.5) * cell))
        for column in range(int(SIZE[0] // cell) + 1)
        for row in range(int(SIZE[1] // cell) + 1)
    ]
    beside = [(dx * 0.75 * radius, dy * 1.5 * radius) for dx in (-2, -1, 0, 1, 2) for dy in (0, 1, 2)]
    return {(round(x + dx), round(y + dy)) for x, y in middles for dx, dy in beside}


@pytest.mark.slow
def test_of_a_planted_thing_and_of_people_nothing_is_published_but_discs_on_the_grid(
    watched: Watched, chromium: Browser
) -> None:
    planted = [int(is_magenta(frame).sum()) for n, frame in enumerate(frames()) if n in (100, 200)]
    assert min(planted) > 5_000, "it is in the video"
    watch(watched, "live", 60)
    context = chromium.new_context(viewport={"width": 1280, "height": 1000}, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{watched.base}/view/street")
    page.wait_for_function("document.querySelectorAll('[data-pins] .pin-set').length > 0", timeout=60_000)
    shots = []
    for _ in range(8):
        shots.append(page.locator(".view-frame svg").screenshot())
        page.wait_for_timeout(700)
        watched.stills.append(fetch(watched, "still.png"))
        watched.webps.append(fetch(watched, "now.webp"))
    page.wait_for_function("document.querySelector('[data-when]').dataset.state === 'unsure'", timeout=90_000)
    covered = page.locator(".view-frame svg").screenshot(
        style=".view-when, .view-why, .banner { visibility: hidden !important; }"
    )
    watch(watched, "unsure", 90)
    dark = fetch(watched, "still.png")
    watch(watched, "live", 90)
    context.close()

    pictures = [np.asarray(cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)) for shot in (*shots, covered)]
    for picture in (*watched.stills, *watched.webps, *pictures):
        assert is_magenta(picture).sum() == 0
    assert grey(dark).all(), "a covered camera is grey"
    assert len(np.unique(pictures[-1][12:-12, 12:-12].reshape(-1, 3), axis=0)) == 1, "in the open page too"

    hidden = withheld(SIZE, [DOOR])
    assert hidden is not None
    for still in watched.stills:
        assert grey(still[hidden]).all()
        assert grey(still[UNKNOWN]).all()
    empty = ground(backdrop(), SIZE, hidden=hidden)
    assert (
        np.median([np.abs(still.astype(int) - empty).mean() for still in watched.stills if not grey(still).all()]) < 6
    )

    told = [event for event in watched.events if event["pins"]]
    assert len(told) > 5
    places = {(x, y) for event in told for x, y, _ in event["pins"]}
    assert places <= allowed(), "nothing between cells is ever told"
    assert len(places) > 3, "and people walked"
    for event in watched.events:
        assert event["people"] in (None, sum(kind == 0 for _, _, kind in event["pins"]))
