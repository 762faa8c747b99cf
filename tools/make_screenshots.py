"""Make the pictures in docs/screenshots from the running product, in a real browser.

    python tools/make_screenshots.py                                  starts a demo of its own
    python tools/make_screenshots.py --url http://127.0.0.1:8600 --password WORD

Needs a system Chromium. Pictures are 1280 by 800 (the phone: 390 by 844), in the light theme, with at most 256 colours.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, sync_playwright

OUT = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
LARGEST = 250_000
COLOURS = 256
SAMPLE = 60_000
START_S = 180
SETTLE_MS = 2500
ALERT_MS = 120_000
DESKTOP = (1280, 800)
PHONE = (390, 844)


# ---- small pictures --------------------------------------------------------------------------------------------------


def palette_png(image: NDArray[np.uint8], colours: int = COLOURS) -> bytes:
    """A PNG with a palette (W3C PNG, colour type 3). ``image`` is (h, w, 3) BGR; exact if it has few colours.

    The palette is k-means over the picture's colours, each weighted by the root of how often it is there, so that wide
    plain areas do not take everything. The same picture gives the same bytes.
    """
    shown, where, often = np.unique(image.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    known = shown
    if len(shown) > colours:
        cv2.setRNGSeed(1)
        weights = np.minimum(np.ceil(np.sqrt(often)), 12).astype(int)
        sample = np.repeat(shown, weights, axis=0)
        chosen = np.random.default_rng(1).permutation(len(sample))[:SAMPLE]
        stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 15, 0.3)
        points = sample[chosen].astype(np.float32)
        _, _, centres = cv2.kmeans(points, colours, np.empty(0, np.int32), stop, 1, cv2.KMEANS_PP_CENTERS)
        known = np.unique(np.rint(centres).astype(np.uint8), axis=0)
    parts = np.array_split(shown.astype(np.float32), max(1, len(shown) // 4096))
    indices = np.concatenate([_nearest(part, known) for part in parts])[where.ravel()].reshape(image.shape[:2])
    height, width = indices.shape
    rows = np.hstack([np.zeros((height, 1), np.uint8), indices]).tobytes()
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", np.ascontiguousarray(known[:, ::-1]).tobytes()),
            _chunk(b"IDAT", zlib.compress(rows, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _nearest(points: NDArray[np.float32], known: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Which of ``known`` each of ``points`` is nearest to."""
    far = points[:, None, :] - known[None].astype(np.float32)
    return (far**2).sum(2).argmin(1).astype(np.uint8)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def keep(page: Page, name: str) -> None:
    """Take the picture and write it as small as it must be."""
    image = cv2.imdecode(np.frombuffer(page.screenshot(animations="disabled"), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    for colours in (COLOURS, 128, 64, 40):
        data = palette_png(np.asarray(image, np.uint8), colours)
        if len(data) < LARGEST:
            break
    else:
        sys.exit(f"{name}.png has {len(data)} bytes; at most {LARGEST} are wanted.")
    (OUT / f"{name}.png").write_bytes(data)
    print(f"{name}.png: {len(data) // 1000} kB, {colours} colours")


# ---- the running product ---------------------------------------------------------------------------------------------


@contextmanager
def demo() -> Iterator[tuple[str, str]]:
    """A demo in a temporary directory: its address and password."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as place:
        state = Path(place) / "demo"
        command = [sys.executable, "-m", "watchglass", "demo", "--state", str(state), "--port", str(port)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        mark = state.with_name("demo.people") / "ready.json"
        try:
            end = time.monotonic() + START_S
            while not mark.is_file():
                if process.poll() is not None or time.monotonic() > end:
                    sys.exit("The demo did not become ready.")
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}", json.loads(mark.read_text("utf-8"))["password"]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def visit(browser: Browser, url: str, size: tuple[int, int], person: str = "", password: str = "") -> Page:
    """A fresh browser, signed in as ``person`` if one is given."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="light", device_scale_factor=1, locale="en-GB"
    )
    page = context.new_page()
    if person:
        page.goto(f"{url}/login")
        page.fill("input[name=name]", person)
        page.fill("input[name=password]", password)
        page.click("main button[type=submit]")
        page.wait_for_load_state()
    return page


def take(browser: Browser, url: str, password: str) -> None:
    """All pictures, one after the other."""
    reviewer = visit(browser, url, DESKTOP, "robin", password)
    reviewer.goto(f"{url}/review")
    reviewer.wait_for_selector("video, .alert video", timeout=ALERT_MS)
    reviewer.wait_for_timeout(SETTLE_MS)
    keep(reviewer, "review")
    for name, size in (("public", DESKTOP), ("phone", PHONE)):
        page = visit(browser, url, size)
        page.goto(f"{url}/", wait_until="load")
        page.wait_for_timeout(SETTLE_MS)
        keep(page, name)
    page = visit(browser, url, DESKTOP)
    page.goto(f"{url}/charter")
    page.click("text=What does it look for?")
    page.wait_for_timeout(SETTLE_MS)
    keep(page, "charter")
    operator = visit(browser, url, DESKTOP, "olga", password)
    operator.goto(f"{url}/sources/street/zones")
    operator.wait_for_selector(".draw-corner")
    operator.get_by_role("button", name="Draw a line").click()
    operator.locator("h1").evaluate("heading => heading.scrollIntoView({block: 'start'})")
    operator.wait_for_timeout(SETTLE_MS)
    keep(operator, "zones")
    overseer = visit(browser, url, DESKTOP, "board", password)
    overseer.goto(f"{url}/oversight")
    overseer.wait_for_timeout(SETTLE_MS)
    keep(overseer, "oversight")
    overseer.goto(f"{url}/oversight/releases")
    overseer.wait_for_timeout(SETTLE_MS)
    keep(overseer, "releases")
    page = visit(browser, url, DESKTOP)
    page.goto(f"{url}/how-well")
    page.wait_for_timeout(SETTLE_MS)
    keep(page, "how-well")
    page.goto(f"{url}/originals")
    page.wait_for_timeout(SETTLE_MS)
    keep(page, "originals")


# ---- what the camera saw, and what everybody sees --------------------------------------------------------------------

STREET = Path(__file__).resolve().parent.parent / "src/watchglass/demo"
SHOWN_S = 30
PAIR = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: #fff; font: 17px/1.45 system-ui, sans-serif; color: #1a1a1a }}
main {{ display: grid; grid-template-columns: 1fr 1fr; gap: 16px; padding: 16px }}
figure {{ margin: 0 }} figcaption {{ padding-top: 8px }}
div {{ aspect-ratio: 4 / 3; background: #33373c; color: #d6d9dd;
  display: grid; place-content: center; text-align: center }}
img {{ width: 100%; display: block }}
code {{ font: 15px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; padding: 0 40px }}
</style><main>
<figure><div><p>Not stored. Not shown.</p><code>SHA-256<br>{digest}</code></div>
<figcaption>What the camera saw, {at} s into the clip</figcaption></figure>
<figure><img src="data:image/png;base64,{painted}" alt="">
<figcaption>What everybody sees of that moment</figcaption></figure>
</main>"""


def pair(browser: Browser) -> None:
    """A frame of the demo's clip as its hash, and the same moment painted by ``watchglass paint``."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "painted.mp4"
        order = ("--backdrop", str(STREET / "backdrop.png"), "--grid", "1", "--width-m", "16", "--json")
        command = [sys.executable, "-m", "watchglass", "paint", str(STREET / "street.mp4"), str(out), *order]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seen, painted = frame_at(STREET / "street.mp4"), frame_at(out)
    png = base64.b64encode(cv2.imencode(".png", painted)[1].tobytes()).decode()
    page = visit(browser, "", (1280, 528))
    digest = hashlib.sha256(seen.tobytes()).hexdigest()
    page.set_content(PAIR.format(digest=f"{digest[:32]}<br>{digest[32:]}", painted=png, at=SHOWN_S))
    keep(page, "pair")


def frame_at(path: Path) -> NDArray[np.uint8]:
    """(h, w, 3) BGR of the first picture that is not before ``SHOWN_S``."""
    with av.open(str(path)) as container:
        frame = next(f for f in container.decode(video=0) if (f.time or 0) >= SHOWN_S)
        return frame.to_ndarray(format="bgr24").astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="a demo that runs already")
    parser.add_argument("--password", help="its password")
    args = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("There is no Chromium on this machine. On Debian: sudo apt-get install chromium")
    if bool(args.url) != bool(args.password):
        parser.error("--url and --password belong together")
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        pair(browser)
        if args.url:
            take(browser, args.url.rstrip("/"), args.password)
        else:
            with demo() as (url, password):
                take(browser, url, password)
        browser.close()


if __name__ == "__main__":
    main()
