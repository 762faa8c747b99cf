"""From an incident on a real video to its destroyed original, in real browsers.

An incident is noticed and the seconds around it are sealed. An investigator opens a case, asks for too much and is
refused, then asks properly; two custodians approve at two desks of their own; the copy is opened and exported, and
verified offline after the house is gone; and retention destroys the rest.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from test_desk_browser import CHROMIUM, Desks, press, publish
from test_recording_sealed import NEVER_SEE, STREET, spec_of

from signers_world import Signers, signers
from watchglass.acts.apply_retention import apply_retention
from watchglass.bootstrap import SeededEntropy, VirtualClock, exporting
from watchglass.core.time import DAY, HOUR, SECOND, iso
from watchglass.edge.inference import load
from watchglass.perception.messages import Incident, Report, Sealed
from watchglass.runtime.bus import Bus
from watchglass.runtime.intake import Intake
from watchglass.runtime.worker import run_once

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no system Chromium: the browser tests did not run"),
]


def watched(people: Signers) -> Incident:
    """The house looks at the demo's street, which ends now; the last incident of it."""
    house, reports = people.scene.world.house, list[Report]()
    run_once(spec_of(people.scene), load(), reports.append, entropy=SeededEntropy("watched"))
    intake = Intake(house.acting, house.standing, Bus())
    for report in reports:
        if isinstance(report, Incident | Sealed):
            intake.record(report)
    assert intake.vault.settle(60)
    assert not intake.waits
    intake.close()
    people.settle()
    return [report for report in reports if isinstance(report, Incident) and report.analytic == "on-the-lawn"][-1]


def ask(page: Page, from_ms: int, to_ms: int) -> None:
    page.select_option("#source", "street")
    page.fill("#from", iso(from_ms)[:-1])
    page.fill("#to", iso(to_ms)[:-1])
    page.fill("#reason", "To see what happened on the lawn, and who helped.")
    press(page, "Ask the custodians")


def open_case(seeker: Page, purpose: str, until_ms: int) -> None:
    seeker.get_by_role("link", name="Cases", exact=True).click()
    seeker.select_option("#purpose", purpose)
    seeker.fill("#number", "EX-2026-17")
    seeker.fill("#authority", "Order of the district court, 7 Gs 112/26")
    seeker.fill("#reason", "Somebody was on the lawn.")
    seeker.fill("#until", iso(until_ms)[:10])
    press(seeker, "Open the case")


def released(desks: Desks, custodians: Mapping[str, Page], incident: Incident) -> str:
    """From the case to the export; the number of the release."""
    people = desks.people
    charter, seeker = people.scene.world.standing().charter, desks.window("investigator")
    assert charter is not None
    open_case(seeker, charter.analytic("on-the-lawn").purpose, people.scene.now + DAY)
    people.settle()
    seeker.get_by_role("link", name="Go on").click()
    case = seeker.url
    ask(seeker, incident.at_ms - 3 * HOUR, incident.at_ms)
    expect(seeker.get_by_role("alert")).to_be_visible()
    assert len(people.scene.world.records("release_denied")) == 1
    assert people.scene.world.records("release_requested") == []
    desks.faults.clear()  # the browser itself says that the answer was 403
    seeker.goto(case)
    ask(seeker, incident.at_ms - 15 * SECOND, incident.at_ms + 10 * SECOND)
    expect(seeker.get_by_role("heading", name="Asked")).to_be_visible()
    seeker.get_by_role("link", name="Go on").click()
    people.settle()
    for name in ("dpo", "oversight"):
        page = custodians[name]
        page.get_by_role("link", name="Inbox", exact=True).click()
        page.get_by_role("link", name="street, 25 seconds, for case EX-2026-17").click()
        press(page, "Approve")
        expect(page.get_by_role("heading", name="Approved")).to_be_visible()
    people.settle()
    seeker.reload()
    press(seeker, "Take it")
    people.settle()
    seeker.get_by_role("link", name="Go on").click()
    press(seeker, "Open and play")
    number = seeker.url.rpartition("/")[2]
    expect(seeker.locator(".mark span").first).to_contain_text(f"release {number}")
    seeker.get_by_role("link", name="What you asked for").click()
    press(seeker, "Export")
    expect(seeker.get_by_role("heading", name="Exported")).to_be_visible()
    return number


def test_from_an_incident_to_its_destroyed_original(tmp_path: Path) -> None:
    with (
        signers(tmp_path / "place", keys=False, media=STREET, edits=[(NEVER_SEE, "")]) as people,
        sync_playwright() as playwright,
        ExitStack() as stack,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        desks = Desks(people, browser, stack, tmp_path)
        house = people.scene.world.house
        custodians = {name: publish(desks, name) for name in ("control-room", "dpo", "oversight")}
        people.settle()

        incident = watched(people)
        kept = house.store.read().all("SELECT * FROM segment")
        assert any(row["alert"] == incident.id for row in kept)

        number = released(desks, custodians, incident)
        charter = people.scene.world.standing().charter
        assert charter is not None
        later = replace(house.acting, clock=VirtualClock(people.scene.now + 4 * DAY))
        assert apply_retention(later, charter)["segments"] == len(kept)
        assert not list(people.scene.world.layout.sealed.iterdir())
        assert house.store.read().all("SELECT 1 FROM segment WHERE header IS NOT NULL") == []
        browser.close()
        assert desks.faults == []

    shutil.rmtree(people.scene.world.layout.root)  # years later the house is gone
    video = tmp_path / "exports" / f"release-{number}.mp4"
    checked = exporting.check(video, exporting.manifest_of(video), people.machine("dpo") / "trust")
    assert checked["approved_by"] == ["dpo", "oversight"]
