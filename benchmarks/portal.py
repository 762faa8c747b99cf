"""From the street to a person's screen: capture to the event in an open reviewer page, in a real browser.

A deployment of its own plays the demo's clip live, under a trial charter with many small zones, so that something
happens often. A page with the reviewer's queue stands open in headless Chromium; its script notes when each event
arrives. Both clocks are this machine's. A robot presses C at once, so ``alert_to_told`` is the machine's share only.
What the public view adds with many viewers is measured beside it (``viewers``).
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchglass.access.passwords import hash_password
from watchglass.access.roles import Role
from watchglass.acts.accounts import open_account
from watchglass.bootstrap import (
    MODEL,
    House,
    SystemClock,
    make_deployment,
    new_key,
    read_signing_key,
    shipped,
    sign_statement,
)
from watchglass.charter.parse import parse
from watchglass.core.time import DAY, moment
from watchglass.demo import STREET
from watchglass.records.act_spec import Lane

PASSWORD = "a-robot-that-presses-c"  # noqa: S105 (a throw-away deployment on loopback)
SECONDS = {True: 40, False: 300}
START_S = 30
COLUMNS, ROWS, TOP, WIDTH, HEIGHT = 6, 3, 180, 768, 576
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


PARTS = ("alerts", "view")


def figures(*, quick: bool, progress: Callable[[str], None], only: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The figures of ``watchglass bench portal``: how soon reviewers have alerts, and viewers the public view.

    Args:
        only: names of ``PARTS``; nothing else is measured or listed.
    """
    import viewers  # noqa: PLC0415 (it uses what stands here)

    found: list[dict[str, Any]] = []
    for part, measure in (("alerts", alerts), ("view", viewers.figures)):
        if not only or part in only:
            found += measure(quick=quick, progress=progress)
    return found


def alerts(*, quick: bool, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """The figures ``capture_to_page_*`` and ``alert_to_told_p95_s``."""
    if CHROMIUM is None:
        note = "needs a system Chromium (apt-get install chromium)"
        return [
            _figure(name, None, None, 0, note)
            for name in ("capture_to_page_p50_s", "capture_to_page_p95_s", "alert_to_told_p95_s")
        ]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "bench"
        deployment(root, {"street.mp4": Path(str(STREET))}, one_street)
        progress(f"Watching an open reviewer page for {SECONDS[quick]} s ...")
        seen = [(event.received_ms - event.at_ms) / 1000 for event in watch(root, SECONDS[quick]).values()]
        told = _told(root)
    note = "the clip at 10 frames a second, in real time; the wait for the next inference (2.5 a second) is included"
    return [
        _figure("capture_to_page_p50_s", seen, 0.5, len(seen), note),
        _figure("capture_to_page_p95_s", seen, 0.95, len(seen), note),
        _figure(
            "alert_to_told_p95_s", told, 0.95, len(told), "a robot presses C as soon as the alert is on the screen"
        ),
    ]


def _figure(name: str, values: list[float] | None, share: float | None, n: int, note: str) -> dict[str, Any]:
    value = likely = None
    if values:
        ordered = sorted(values)
        share = share or 0.5
        value = statistics.median(ordered) if share == 0.5 else ordered[min(n - 1, int(share * n))]
        likely = interval(ordered, share)
    return {
        "name": name,
        "value": value,
        "unit": "s",
        "better": "lower",
        "target": None,
        "ok": None,
        "interval": likely,
        "n": n,
        "against": None,
        "note": note,
    }


def interval(ordered: list[float], share: float) -> list[float]:
    """A 95 % interval for a quantile from order statistics (normal approximation to the binomial ranks)."""
    n = len(ordered)
    spread = 1.96 * (n * share * (1 - share)) ** 0.5
    low, high = int(n * share - spread), int(n * share + spread) + 1
    return [ordered[max(0, low)], ordered[min(n - 1, high)]]


def deployment(root: Path, media: dict[str, Path], charter_of: Callable[[str, str], dict[str, Any]]) -> None:
    """Make a trial deployment with a robot for a reviewer, its charter in force.

    Args:
        root: where.
        media: files for its sources, by the name that the charter calls them.
        charter_of: the charter, given the key of whoever signs and the key of the openings.
    """
    origin = "trial.bench.example"
    layout, _ = make_deployment(root, origin, f"127.0.0.1:{_port()}")
    for name, path in media.items():
        shutil.copyfile(str(path), layout.media / name)
    key, openings = root.parent / "me.key", root.parent / "openings.key"
    me, sealed = new_key(key, f"me.{origin}", "signing", None), new_key(openings, f"me.{origin}", "openings", None)
    text = json.dumps(charter_of(me, sealed), indent=1).encode()
    charter = parse(text)
    with House(root) as house:
        clear = {"name": charter.charter, "version": 1, "sha256": charter.digest, "seen": None}
        approvals = [
            sign_statement(
                "charter_approved",
                role=role,
                key=read_signing_key(key),
                origin=origin,
                charter=None,
                clear={**clear, "as_role": role},
                committed={},
            )
            for role in ("authority", "oversight")
        ]
        house.publish(text, approvals)
        roles = [Role.REVIEWER, Role.RESPONDER]
        open_account(house.acting, None, "robot", roles, hash_password(PASSWORD, house.entropy))
        house.sequencer.tick((Lane.PROMPT, Lane.BATCH))


def one_street(me: str, openings: str) -> dict[str, Any]:
    """A charter with many small zones on the demo's street."""
    width, height = WIDTH // COLUMNS, (HEIGHT - TOP) // ROWS
    cells = [(x * width, TOP + y * height) for y in range(ROWS) for x in range(COLUMNS)]
    zones = {
        f"cell-{i}": {"polygon": [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]}
        for i, (x, y) in enumerate(cells)
    }
    analytics = {f"watch-{i}": intrusion("street", f"cell-{i}", "person") for i in range(len(cells))}
    return charter(me, openings, {"street": source("street.mp4", zones)}, analytics)


def intrusion(where: str, zone: str, what: str) -> dict[str, Any]:
    """A rule of the charter: that kind of thing is in that zone for a second."""
    return {
        "kind": "intrusion", "source": where, "zone": zone, "purpose": "measure", "model": MODEL, "of": [what],
        "for": "1s",
    }  # fmt: skip


def source(file: str, zones: dict[str, Any]) -> dict[str, Any]:
    """A source of the charter: a file that is played again and again."""
    place = {"name": "A clip", "lat": 0, "lon": 0}
    return {"kind": "file", "path": file, "loop": True, "place": place, "zones": zones}


def charter(me: str, openings: str, sources: dict[str, Any], analytics: dict[str, Any]) -> dict[str, Any]:
    """A charter for measuring, signed by one person for everybody."""
    today = moment(SystemClock().now()).date()
    until = moment(SystemClock().now() + 7 * DAY).date()
    return {
        "watchglass": 1,
        "charter": "bench",
        "version": 1,
        "authority": {"name": "A benchmark", "contact": "nobody", "regime": "gdpr", "key": me},
        "in_force": {"from": str(today), "until": str(until)},
        "purposes": {
            "measure": {"text": "Measure how fast an alert arrives.", "legal_basis": "none is needed: a clip"}
        },
        "models": {MODEL: f"sha256:{shipped().sha256}"},
        "sources": sources,
        "analytics": analytics,
        "safeguards": {
            "public_view": {"mode": "painted", "delay": "0s", "hide_below": 0, "grid_m": 1},
            "reviewer_view": "mosaic",
            "retention": {"reviewer_clips": "1d", "alerts": "7d"},
            "review": {"within": "2m"},
            "on_suspension": {"tell": ["oversight"], "people_do": "nothing"},
        },
        "ledger": {"checkpoint_every": "10s", "batch_every": "1m", "merge_within": "10m"},
        "oversight": {"body": "A benchmark", "key": me, "openings_key": openings, "may": ["suspend"]},
    }


@dataclass(frozen=True)
class Arrival:
    """An alert reached an open page: its capture time, and when the page heard of it (both ms, one clock)."""

    at_ms: int
    received_ms: int


def watch(root: Path, seconds: int) -> dict[str, Arrival]:
    """Run the deployment with a reviewer's page open for so long: what arrived, by alert. A robot confirms each."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (only this benchmark needs a browser)

    port = _listen_port(root)
    house = subprocess.Popen(
        [sys.executable, "-m", "watchglass", "run", str(root)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    arrived: dict[str, Arrival] = {}
    try:
        _wait_for(port)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page()
            base = f"http://127.0.0.1:{port}"
            page.goto(f"{base}/login")
            page.fill("input[name=name]", "robot")
            page.fill("input[name=password]", PASSWORD)
            page.click("main form button[type=submit]")
            page.goto(f"{base}/review")
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                for event in page.evaluate("window.__watchglass ? window.__watchglass.latency : []"):
                    arrived[event["alert"]] = Arrival(event["at_ms"], event["received_ms"])
                if page.locator("article.alert form#verdict").count():
                    page.keyboard.press("c")
                page.wait_for_timeout(50)
            browser.close()
    finally:
        house.send_signal(signal.SIGINT)
        house.wait(60)
    return arrived


def _told(root: Path) -> list[float]:
    """Seconds from capture to hand-over of each alert."""
    with House(root) as opened:
        rows = opened.store.read().all(
            "SELECT handover.handed_ms - alert.at_ms AS ms FROM handover JOIN alert ON alert.id = handover.alert"
        )
        return [row["ms"] / 1000 for row in rows]


def _listen_port(root: Path) -> int:
    for line in (root / "deployment.yaml").read_text().splitlines():
        if line.startswith("listen:"):
            return int(line.rpartition(":")[2].strip('"'))
    raise AssertionError("init writes where it listens")


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError("the portal did not start")
