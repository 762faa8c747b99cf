"""The running demo and a real browser. Skipped, with a word, where there is no system Chromium."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
START_S = 400


@dataclass
class Demo:
    """A demo at work, and what a visitor of it knows."""

    address: str
    state: Path
    password: str
    process: subprocess.Popen[str]
    printed: list[str] = field(default_factory=list)
    signed_in: dict[str, Any] = field(default_factory=dict)

    @property
    def people(self) -> Path:
        return self.state.with_name(self.state.name + ".people")

    def watchglass(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command as an outsider would, in a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "watchglass", *words], capture_output=True, text=True, timeout=120, check=False
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_HERE = Path(__file__).parent
_RUNNING: list[Callable[[], None]] = []


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """The demo ends with the last of these tests, and does not work beside all others."""
    if nextitem is None or nextitem.path.parent != _HERE:
        while _RUNNING:
            _RUNNING.pop()()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    state = tmp_path_factory.mktemp("e2e") / "demo"
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "watchglass", "demo", "--state", str(state), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines: list[str] = []
    ready = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            lines.append(line)
            if "Ctrl-C stops" in line:
                ready.set()
        ready.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()

    def stop() -> None:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, "the demo did not stop cleanly:\n" + "".join(lines[-30:])
        reader.join(10)
        assert process.stderr is not None
        process.stderr.close()

    assert ready.wait(START_S), "the demo did not become ready:\n" + "".join(lines)
    assert process.poll() is None, "the demo ended:\n" + "".join(lines)
    _RUNNING.append(stop)
    password = json.loads((state.parent / "demo.people" / "ready.json").read_text())["password"]
    return Demo(f"http://127.0.0.1:{port}", state, password, process, lines)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for one module: its event loop occupies the thread, and other modules have loops of their own."""
    if CHROMIUM is None:
        pytest.skip("no system Chromium: the browser tests did not run (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@dataclass
class Visitor:
    """A person with a browser: a page, and every complaint of its console."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        answer = self.page.goto(self.base + path)
        assert answer is not None
        assert answer.ok, f"{path} answered {answer.status}"
        return self.page


def _visitor(context: BrowserContext, base: str) -> Visitor:
    visitor = Visitor(context.new_page(), base)

    def hear(message: ConsoleMessage) -> None:
        # What is not shown any more by the time the browser asks for it is refused, and the page goes on without it.
        gone = "403" in message.text and "/backdrop.png?v=" in message.location["url"]
        if message.type in {"error", "warning"} and not gone:
            visitor.complaints.append(f"{visitor.page.url}: {message.text}")

    visitor.page.on("console", hear)
    visitor.page.on("pageerror", lambda error: visitor.complaints.append(f"{visitor.page.url}: {error}"))
    return visitor


@pytest.fixture
def visitor(chromium: Browser, demo: Demo) -> Iterator[Visitor]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    someone = _visitor(context, demo.address)
    yield someone
    context.close()
    assert someone.complaints == []


@pytest.fixture
def signed_in(chromium: Browser, demo: Demo) -> Iterator[object]:
    """``signed_in(name)`` gives a visitor who has signed in with a demo account."""
    contexts: list[tuple[BrowserContext, Visitor]] = []

    def sign_in(name: str, *, width: int = 1280, height: int = 900) -> Visitor:
        known = demo.signed_in.get(name)  # the demo refuses who signs in again and again
        context = chromium.new_context(viewport={"width": width, "height": height}, storage_state=known)
        someone = _visitor(context, demo.address)
        contexts.append((context, someone))
        if known is not None:
            someone.open("/")
            return someone
        page = someone.open("/login")
        page.fill("input[name=name]", name)
        page.fill("input[name=password]", demo.password)
        page.click("main form button[type=submit]")
        page.wait_for_url(lambda url: "/login" not in url)
        demo.signed_in[name] = context.storage_state()
        return someone

    yield sign_in
    for context, someone in contexts:
        context.close()
        assert someone.complaints == []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = str(Path(__file__).parent)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.browser)


os.environ.setdefault("PLAYWRIGHT_SKIP_VALIDATE_HOST_REQUIREMENTS", "1")
