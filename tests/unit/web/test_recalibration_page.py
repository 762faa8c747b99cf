"""An operator sees what a rule's alerts taught, beside what was said, and puts it in force or takes it back."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from a_portal import DATA, make_portal

from watchglass.access.authorise import authorise
from watchglass.access.roles import May, Person, Role
from watchglass.acts.alerts import the_alert
from watchglass.acts.decide_alert import decide_alert
from watchglass.charter.decide import decide
from watchglass.charter.permit import Decide
from watchglass.core.time import SECOND
from watchglass.review.model import VerdictValue

RULE = "on-the-lawn"


def test_an_operator_puts_in_force_what_was_shown_and_takes_it_back(tmp_path: Path) -> None:
    portal = make_portal(tmp_path)
    with contextlib.closing(portal.street.house):
        house, clock = portal.street.house, portal.street.clock
        operator, lead = portal.person("operator"), portal.person("shift-lead")
        page = operator.get("/quality").text
        assert "60 more final alerts that were right or wrong" in page
        row = house.store.read().one("SELECT id FROM account WHERE name = 'reviewer'")
        assert row is not None
        reviewer = Person(int(row["id"]), "reviewer", frozenset({Role.REVIEWER}))
        grant = authorise(reviewer, May.DECIDE_ALERT)
        for place in range(66):
            alert = portal.alert(sure=0.9)
            value = VerdictValue.CONFIRM if place % 3 else VerdictValue.REJECT
            decide_alert(house.acting, grant, decide(house.standing(), Decide(RULE), clock.now()), alert.id, value)
            clock.advance(15 * SECOND)
        page = operator.get("/quality").text
        found = re.search(r'name="last" value="([^"]+)"', page)
        assert found is not None, page
        assert "What this would have said of the same alerts" in page
        assert 'action="/quality/on-the-lawn/recalibrate"' not in lead.get("/quality").text
        told = operator.get("/quality.json").json()["recalibration"][RULE]
        assert told["in_force"] is None
        assert told["proposal"]["better"]
        assert not [key for key in told if key.startswith("_")]

        path, fields = f"/quality/{RULE}/recalibrate", {"last": found[1].replace("&#43;", "+")}
        assert lead.post(path, fields, DATA).status_code == 403
        assert operator.post(path, {"last": told["proposal"]["last"][::-1]}, DATA).status_code in {400, 409, 422}
        assert operator.post(path, fields).status_code == 303
        assert "In force since" in operator.get("/quality").text
        after = the_alert(house.store.read(), portal.alert(sure=0.9).id)
        assert after.calibration is not None
        page = portal.person("reviewer").get(f"/review/alerts/{after.id}").text
        assert "Of earlier alerts of this rule here, about 7 of 10 such were right" in page
        assert operator.post(f"/quality/{RULE}/withdraw-calibration").status_code == 303
        assert operator.post(f"/quality/{RULE}/withdraw-calibration", headers=DATA).status_code == 409
        portal.street.settle()
        events = portal.someone().get("/how-well").text
        assert "Recalibration taken back" in events
