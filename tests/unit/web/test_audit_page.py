"""The public page of the audit: before the first night, after one that found a breach, and where there was none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from a_portal import Someone
from a_street import Street, make_street

from watchglass.bootstrap.nightly import KEPT, NightlyAudit
from watchglass.core.time import DAY, HOUR
from watchglass.edge.clock import VirtualClock
from watchglass.review.model import VerdictValue
from watchglass.web.portal.app import create_app

WAIT_S = 60


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """A month in which one alert was never decided."""
    made = make_street(tmp_path_factory.mktemp("audited"))
    made.publish()
    made.clock.advance(2 * DAY)
    made.alerts([VerdictValue.CONFIRM, VerdictValue.REJECT, None])
    made.settle()
    made.clock.advance(2 * DAY)
    made.publish(("version: 1\n", "version: 2\n"))
    made.settle()
    yield made
    made.house.close()


def finish(nightly: NightlyAudit, count: int) -> None:
    end = time.monotonic() + WAIT_S
    while len(nightly.days()) < count:
        nightly.tend()
        assert time.monotonic() < end, "the audit did not end"
        time.sleep(0.1)


def test_before_the_first_night_and_after(street: Street) -> None:
    client = Someone(create_app(street.house))
    html = client.get("/audit").text
    assert "There is none yet" in html
    assert "watchglass audit " in html
    assert client.get("/audit/2026-11-23").status_code == 404
    assert client.get("/audit/2026-11-23/report").status_code == 404
    finish(street.house.nightly, 1)
    (day,) = street.house.nightly.days()
    data = client.get("/audit.json").json()
    assert data["audit"]["breaches"] >= 1
    alerts = next(each for each in data["audit"]["findings"] if each["promise"] == "alerts")
    assert alerts["state"] == "broken"
    html = client.get("/audit").text
    assert data["audit"]["verdict"] in html
    assert html.index("What it cannot see") < html.index("Broken: ")
    for number in alerts["breaches"][0]["entries"]:
        assert f'href="/ledger/entries/{number}"' in html
    report = client.get(f"/audit/{day}/report")
    assert "attachment" in report.headers["content-disposition"]
    assert data["audit"]["verdict"] in report.text
    assert client.get(f"/audit/{day}").status_code == 200


@pytest.mark.parametrize("day", ["..", "own.trust", "printed", "2026-11-23.json", "%2e%2e%2fwatchglass"])
def test_nothing_else_of_that_folder_is_shown(street: Street, day: str) -> None:
    client = Someone(create_app(street.house))
    assert client.get(f"/audit/{day}/report").status_code == 404


def make(folder: Path, ledger: Path, clock: VirtualClock, trust: str = "nonsense\n") -> NightlyAudit:
    return NightlyAudit(folder / "audits", ledger, lambda: trust, clock)


def test_one_a_night_two_hours_after_midnight_and_the_old_ones_go(street: Street, tmp_path: Path) -> None:
    clock = VirtualClock(street.clock.now() // DAY * DAY + HOUR)
    nightly = make(tmp_path, street.house.layout.ledger, clock)
    finish(nightly, 1)
    clock.advance(DAY)
    for _ in range(5):
        nightly.tend()
    assert len(nightly.days()) == 1, "an hour after midnight is too early"
    clock.advance(HOUR)
    finish(nightly, 2)
    folder = tmp_path / "audits"
    for number in range(KEPT + 5):
        (folder / f"2025-01-{number:02}.json").write_text("{}", "utf-8")
    clock.advance(DAY)
    nightly.tend()
    end = time.monotonic() + WAIT_S
    while len(nightly.days()) != KEPT:
        nightly.tend()
        assert time.monotonic() < end
        time.sleep(0.1)
    nightly.close()


def test_an_audit_that_cannot_be_made_says_why(street: Street, tmp_path: Path) -> None:
    nightly = make(tmp_path, street.house.layout.ledger, street.clock)
    finish(nightly, 1)
    found = nightly.latest()
    assert found is not None
    assert (found["error"], found["exit"]) == ("BadInput", 2)
    page = street.house.nightly
    street.house.nightly = nightly
    try:
        html = Someone(create_app(street.house)).get("/audit").text
    finally:
        street.house.nightly = page
    assert "It could not be finished." in html
    assert found["message"] in html.replace("&#39;", "'")


def test_a_night_that_crashed_is_told_and_not_begun_again_at_once(street: Street, tmp_path: Path) -> None:
    folder = tmp_path / "audits"
    folder.mkdir()
    (folder / "running.html").write_text("the report of another night", "utf-8")
    nightly = make(tmp_path, street.house.layout.ledger, street.clock)
    nightly.tend()
    process = nightly._beside._process
    assert process is not None
    process.kill()
    process.wait()
    nightly.tend()
    (day,) = nightly.days()
    found = nightly.of(day)
    assert found is not None
    assert not found["ok"]
    assert "ended without saying" in found["message"]
    assert nightly.page(day) is None, "a night that found nothing shows no report, least of all another's"
    nightly.tend()
    assert not nightly._beside.running


def test_where_there_is_no_log_nothing_is_started(tmp_path: Path) -> None:
    nightly = make(tmp_path, tmp_path / "nowhere", VirtualClock(DAY))
    nightly.tend()
    assert nightly.days() == []
    assert nightly.latest() is None
    assert not (tmp_path / "audits").exists()


def test_closing_stops_an_audit_that_runs(street: Street, tmp_path: Path) -> None:
    nightly = make(tmp_path, street.house.layout.ledger, street.clock)
    nightly.tend()
    nightly.close()
    assert nightly.days() == []
    finish(nightly, 1)
