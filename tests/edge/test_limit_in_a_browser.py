"""A reviewer rejects alerts until the analytic stops itself: seen by the public, by the audit, and resumed properly."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright

from limited import limited
from signers_world import served
from watchglass.acts.judged import judged_of
from watchglass.bootstrap import SystemClock
from watchglass.charter.permit import RaiseAlert
from watchglass.cli.main import main
from watchglass.core.errors import Refused
from watchglass.ledger import policy as policies
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.verify import verify_log
from watchglass.oversight.audit import Auditor
from watchglass.oversight.report import Report
from watchglass.quality.states import State
from watchglass.records.leaf import Leaf
from watchglass.web.portal.app import create_app
from world import World, make_house

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no system Chromium: the browser tests did not run"),
]
LAWN = "on-the-lawn"
PASSWORD = "a long enough word for a test"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    stop = threading.Event()
    with make_house(tmp_path, clock=SystemClock(), edits=limited(matures="1h"), password=PASSWORD) as made:
        tests = threading.Thread(target=made.house.limits.run, args=(stop,))
        tests.start()
        yield made
        stop.set()
        tests.join()


def wait_for(enough: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := enough():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen")


def state(world: World) -> State | None:
    judged = judged_of(world.house.store.read(), LAWN)
    return judged.state if judged else None


def audit(world: World, folder: Path) -> Report:
    """As oversight does it, with the openings."""
    world.settle()
    trust = policies.parse(world.trust_file(folder / "trust").read_bytes())
    verified = verify_log(world.house.tiles, trust)
    fields = {record.hash: dict(record.fields) for record in world.records()}

    class Opened:
        def values(self, leaf: Leaf, digest: bytes) -> dict[str, Any] | None:
            del leaf
            return fields.get(digest) or None

    auditor = Auditor(
        world.house.origin,
        policy=trust,
        oversight=world.keys["oversight"].verifier,
        openings=Opened(),
        now_ms=world.clock.now(),
    )
    for index, data in enumerate(world.entries()):
        auditor.see(index, data, leaf_hash(data))
    return auditor.finish(verified.checkpoint, verified.witnesses)


def sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/login")
    page.fill("#name", "reviewer")
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda at: "/login" not in at)


def test_people_reject_its_alerts_until_it_stops_itself_and_two_offices_let_it_run_again(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wait_for(lambda: state(world) is State.TRIAL)
    with served(create_app(world.house)) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        sign_in(page, url)
        for _ in range(6):
            try:
                alert = world.raise_alert()
            except Refused:  # five are enough, where a machine is so slow that all five are final by now
                break
            page.goto(f"{url}/review/alerts/{alert.id}")
            on_trial, stopped = (
                page.get_by_text(f"This rule {what}") for what in ("is on trial", "was stopped by its published limit")
            )
            expect(on_trial.or_(stopped)).to_be_visible()
            page.get_by_role("button", name="Reject").click()
            page.wait_for_url(lambda at, left=alert.id: left not in at)
        wait_for(lambda: state(world) is State.SUSPENDED)
        with pytest.raises(Refused, match="suspended by its published limit"):
            world.permit(RaiseAlert(LAWN))
        public = browser.new_context().new_page()
        public.goto(f"{url}/register/analytics/{LAWN}")
        expect(public.get_by_role("heading", name="Stopped by its limit")).to_be_visible()
        expect(public.get_by_text("Too many of its alerts were wrong").first).to_be_visible()
        found = Axe().run(public).response["violations"]
        assert [each["id"] for each in found] == []

        report = audit(world, tmp_path)
        assert report.broken == ()
        assert "1 stop by a limit" in report.by_promise["limits-replayed"].sentence

        key = tmp_path / "people"
        words = ["--analytic", LAWN, "--key"]
        changed = "The zone ends before the path now."
        assert (
            main(["quality", "propose-resumption", url, *words, str(key / "authority.key"), "--what-changed", changed])
            == 0
        )
        world.settle()
        public.reload()
        expect(public.get_by_text(changed)).to_be_visible()
        assert main(["oversight", "resume", url, *words, str(key / "oversight.key"), "--reason", "We saw it."]) == 0
        assert state(world) is State.SUSPENDED
        world.settle()
        wait_for(lambda: state(world) is State.TRIAL)
        world.permit(RaiseAlert(LAWN))
        public.reload()
        expect(public.get_by_text("on trial").first).to_be_visible()
        capsys.readouterr()
        assert main(["quality", "state", url, "--json"]) == 0
        (told,) = [each for each in json.loads(capsys.readouterr().out)["analytics"] if each["analytic"] == LAWN]
        assert (told["state"], told["why"], told["stop"]) == ("trial", "resumed", None)
        browser.close()
    assert audit(world, tmp_path).broken == ()
