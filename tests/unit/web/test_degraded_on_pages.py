"""A source that does not meet its conditions: on the source's page, beside its alerts, on the register."""

from __future__ import annotations

import json
from pathlib import Path

from a_portal import make_portal

from watchglass.acts.notice_text import Letterhead, about_alert
from watchglass.acts.notices import Status
from watchglass.acts.source_conditions import Hour, degrade, keep_hours
from watchglass.core.time import HOUR


def test_a_dark_camera_is_told_wherever_its_alerts_are(tmp_path: Path) -> None:
    portal = make_portal(tmp_path)
    try:
        street = portal.street
        house, now = street.house, street.clock.now()
        charter = house.standing().charter
        assert charter is not None
        degrade(house.acting, charter, "street", "too_dark", 12_000, 30_000)
        hour = Hour("street", now - now % HOUR, HOUR, HOUR, 60, 12.0, 9.0, 14.0, 1.0, 0.9, 1.1, 1.0, 1.0)
        house.store.commit(lambda tx: keep_hours(tx, [hour]))
        page = portal.person("operator").get("/sources/street").text
        assert "too dark to read: brightness 12, at least 30" in page
        assert "9 to 14" in page or ">9<" in page
        listed = portal.person("operator").get("/sources").text
        assert "Degraded:</strong> too dark to read: brightness 12, at least 30" in listed
        overseen = portal.person("oversight").get("/oversight").text
        assert "Conditions of the cameras" in overseen
        alert = portal.alert()
        said = "did not meet its conditions"
        reviewer = portal.person("reviewer").get(f"/review/alerts/{alert.id}").text
        assert said in reviewer
        assert "too dark to read" in reviewer
        letterhead = Letterhead("example.org/log", "demo", "http://localhost")
        body = about_alert(
            house.store.read(), letterhead, charter, alert, Status.CONFIRMED, notice="0" * 16, now_ms=street.clock.now()
        )
        assert json.loads(body)["data"]["camera"] == {"not_met": ["too dark to read"]}
        answer = portal.person("reviewer").post(f"/review/alerts/{alert.id}/verdict", {"value": "confirm"})
        assert answer.status_code < 400
        card = portal.person("responder").get(f"/respond/{alert.id}").text
        assert "did not meet its conditions then: too dark to read" in card
        assert "state no conditions for its pictures" in portal.someone().get("/register/sources/street").text
    finally:
        portal.street.house.close()
