"""Staged drills on their pages: planned and run by staff, told to everybody a day later, and to no reviewer before."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from a_portal import DATA, Portal, make_portal
from a_street import Street

from watchglass.acts.drills import day_of
from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.review.model import VerdictValue

LAWN = "on-the-lawn"


def without_beats(street: Street) -> None:
    """No recorder runs here, so nothing could say that pictures came."""
    street.publish(("version: 1\n", "version: 2\n"), (", heartbeat_every: 10s", ""))


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    made = make_portal(tmp_path_factory.mktemp("drills"), wrap=without_beats)
    yield made
    made.street.house.close()


def clock(at_ms: int) -> str:
    return f"{at_ms // HOUR % 24:02}:{at_ms // MINUTE % 60:02}"


def test_a_drill_from_its_plan_to_the_public_page(portal: Portal) -> None:
    street, lead = portal.street, portal.person("shift-lead")
    now = street.clock.now()
    begin = (now + 100 * MINUTE) // MINUTE * MINUTE
    if begin // DAY != (begin + HOUR) // DAY:
        begin = (begin // DAY + 1) * DAY
    form = {
        "rule": LAWN,
        "what": "Two people walk across the lawn.",
        "day": day_of(begin),
        "begin": clock(begin),
        "end": clock(begin + 10 * MINUTE),
    }
    made = lead.post("/drills", form, DATA)
    assert made.status_code == 200, made.text
    drill = made.json()["drill"]["id"]
    public = portal.someone().get("/how-well").text
    assert f"{day_of(begin)}: on the lawn" in public
    assert clock(begin) not in public.partition('id="missed"')[2].partition('id="watched"')[0]
    assert portal.person("reviewer").get("/drills", DATA).status_code == 403
    street.clock.advance(begin + 2 * MINUTE - 97 * MINUTE - street.clock.now())
    street.alerts([VerdictValue.CONFIRM])
    hand = portal.person("responder")
    assert "It begins now" in hand.get("/drills").text
    (card,) = hand.get("/respond.json", DATA).json()["open"]
    shown = hand.get(f"/respond/{card['id']}").text
    assert "A drill is announced here" in shown
    assert "go and look, as always" in shown
    assert "drill" not in portal.person("reviewer").get("/review").text.lower()
    street.clock.advance(10 * MINUTE)
    assert "It was run" in hand.get("/drills").text
    times = {"begin": clock(begin), "end": clock(begin + 5 * MINUTE)}
    assert hand.post(f"/drills/{drill}/tell", times, DATA).status_code == 200
    assert hand.post(f"/drills/{drill}/tell", times, DATA).status_code != 200
    street.clock.advance((begin // DAY + 1) * DAY + 3 * HOUR - street.clock.now())
    street.house.limits.look()
    street.settle()
    assert "Noticed" in portal.person("operator").get("/drills").text
    page = portal.someone().get("/how-well").text
    assert "of 1 staged drill it noticed 1" in page
    (row,) = csv.DictReader(io.StringIO(portal.someone().get("/how-well/drills.csv").text))
    assert (row["rule"], row["result"], row["told"]) == (LAWN, "noticed", "afterwards")
    assert portal.someone().get(f"/ledger/entries/{row['entry']}").status_code == 200
    rule = next(each for each in portal.someone().get("/how-well.json").json()["rules"] if each["name"] == LAWN)
    assert rule["counted"]["right"] == 0  # a drill's alert is no real one
