"""How well it works: what everybody reads, what staff read, as pages, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from a_portal import DATA, Portal, make_portal
from a_street import Street

from watchglass.acts.show_again import show_again
from watchglass.charter.decide import decide
from watchglass.charter.permit import RaiseAlert
from watchglass.core.time import DAY, MINUTE
from watchglass.review.model import VerdictValue
from watchglass.review.reads import Why
from watchglass.web.portal import how_well, quality
from watchglass.web.portal.missed import TABLES as MISSED

LAWN = "on-the-lawn"
LIMITS = (
    "quality:\n"
    f"  {LAWN}: {{expected_alerts_per_week: 100, precision_at_least: 0.5, undecided_at_most: 0.4, trial: 28d}}\n\n"
)
YES, NO, UNSURE = VerdictValue.CONFIRM, VerdictValue.REJECT, VerdictValue.UNSURE


def with_limits(street: Street) -> None:
    street.publish(("version: 1\n", "version: 2\n"), ("\nledger:", f"\n{LIMITS}ledger:"))


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Thirty alerts that were right, six wrong, one unsure; of the last day some that count tomorrow."""
    made = make_portal(tmp_path_factory.mktemp("how-well"), wrap=with_limits)
    street = made.street
    street.alerts([YES] * 30 + [NO] * 6 + [UNSURE])
    street.clock.advance(DAY)
    street.alerts([NO, NO])
    street.house.limits.look()
    street.settle()
    yield made
    street.house.close()


def the_rule(portal: Portal) -> dict[str, Any]:
    data = portal.someone().get("/how-well.json").json()
    return next(rule for rule in data["rules"] if rule["name"] == LAWN)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_everybody_reads_sentences_first_and_what_is_not_known_is_said(portal: Portal) -> None:
    answer = portal.someone().get("/how-well")
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.text))
    assert "30 were real" in page
    assert "likely between" in page
    assert "At least 5 of 10 alerts must be right." in page
    assert "That is not known." in page
    assert "No drill has been counted here" in page
    assert "not tested on" in page
    assert len(answer.content) < 100_000
    for word in ("e-value", "log_e", "martingale"):
        assert word not in answer.text
    assert "<script" not in answer.text


def test_counts_end_at_midnight_so_that_nobody_watches_them_move(portal: Portal) -> None:
    before = the_rule(portal)
    assert before["counted"]["alerts"] == 37
    portal.street.alerts([NO])
    assert the_rule(portal)["counted"] == before["counted"]


def test_what_is_shown_again_is_counted_once(portal: Portal) -> None:
    house, before = portal.street.house, the_rule(portal)["counted"]
    row = house.store.read().one("SELECT id FROM alert ORDER BY raised_ms LIMIT 1")
    assert row is not None
    permit = decide(house.standing(), RaiseAlert(LAWN, portal.street.clock.now()), portal.street.clock.now())
    again = show_again(house.acting, permit, row["id"], Why.SECOND, review_within_ms=2 * MINUTE).value
    house.store.commit(
        lambda tx: tx.execute("UPDATE alert SET raised_ms = ?, at_ms = ? WHERE id = ?", *_early(portal), again.id)
    )
    assert the_rule(portal)["counted"] == before
    assert again.id not in portal.someone().get("/how-well.json").text


def _early(portal: Portal) -> tuple[int, int]:
    early = portal.street.clock.now() - 2 * DAY
    return early, early


def test_a_first_verdict_counts_for_nothing_while_a_second_judgement_is_open(portal: Portal) -> None:
    store, before = portal.street.house.store, the_rule(portal)["counted"]
    row = store.read().one(
        "SELECT verdict.id AS id, drawn, drawn_below FROM verdict JOIN alert ON alert.id = verdict.alert "
        "WHERE value = 'reject' AND drawn IS NOT NULL ORDER BY alert.raised_ms LIMIT 1"
    )
    assert row is not None
    change = "UPDATE verdict SET drawn = ?, drawn_below = ? WHERE id = ?"
    store.commit(lambda tx: tx.execute(change, 0, 1_000_000, row["id"]))
    open_ = the_rule(portal)["counted"]
    store.commit(lambda tx: tx.execute(change, row["drawn"], row["drawn_below"], row["id"]))
    assert (open_["wrong"], open_["waiting"]) == (before["wrong"] - 1, before["waiting"] + 1)


def test_a_state_has_its_reason_its_time_and_its_entry(portal: Portal) -> None:
    rule = the_rule(portal)
    assert rule["stands"]["state"] == "within"
    assert [event["state"] for event in rule["events"]] == ["within", "trial"]
    for event in rule["events"]:
        assert portal.someone().get(f"/ledger/entries/{event['index']}").status_code == 200
    assert [limit["seen"]["near"] for limit in rule["limits"]] == ["clear", "clear"]


def test_a_file_of_areas_beside_the_charter_says_who_lives_there_and_a_bad_one_breaks_nothing(portal: Portal) -> None:
    file = portal.street.house.layout.root / how_well.AREA_FILES[0]
    file.write_text("areas:\n  green: {population: 500, sources: [street]}\n")
    data = portal.someone().get("/how-well.json").json()
    assert data["areas_given"]
    assert data["exposed"]["acted_on_by_area"]["confirmed"]["groups"][0]["name"] == "green"
    file.write_text("areas: 7")
    answer = portal.someone().get("/how-well")
    file.unlink()
    assert answer.status_code == 200
    assert "So each camera stands for itself." in answer.text


@pytest.mark.parametrize("table", sorted(how_well.TABLES))
def test_every_public_table_is_a_file_too(portal: Portal, table: str) -> None:
    answer = portal.someone().get(f"/how-well/{table}.csv")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert f'href="/how-well/{table}.csv"' in portal.someone().get("/how-well").text
    for row in rows(answer.text):
        assert None not in row
        assert None not in row.values()


def test_the_files_say_what_the_page_says(portal: Portal) -> None:
    rule = the_rule(portal)["counted"]
    (row,) = [row for row in rows(portal.someone().get("/how-well/rules.csv").text) if row["rule"] == LAWN]
    assert (int(row["right"]), int(row["wrong"]), int(row["undecided"])) == (
        rule["right"],
        rule["wrong"],
        rule["undecided"],
    )
    assert portal.someone().get("/how-well/none.csv").status_code == 404


def test_staff_who_judge_nothing_see_every_test_with_its_evidence(portal: Portal) -> None:
    operator = portal.person("operator")
    data = operator.get("/quality.json").json()
    rule = next(each for each in data["rules"] if each["name"] == LAWN)
    tests = {test["name"]: test for test in rule["tests"]}
    assert set(tests) == {"precision_at_least", "undecided_at_most", "trust"}
    assert tests["trust"]["crossed"]
    assert tests["precision_at_least"]["counted"] >= 37
    assert tests["precision_at_least"]["e_value"] > 0
    assert rule["calibration"]["n"] == rule["counted"]["right"] + rule["counted"]["wrong"]
    assert data["judging"]["figures"] is None  # of fewer than five people nothing is shown
    page = operator.get("/quality").text
    assert "e-value" in page
    assert "Brier score" in page
    for table in quality.TABLES.keys() - MISSED.keys():
        assert rows(operator.get(f"/quality/{table}.csv").text)
    assert portal.person("reviewer").get("/quality", DATA).status_code == 403
    assert portal.someone().get("/quality/tests.csv", DATA).status_code == 401


def test_nothing_moves_with_a_verdict_for_a_shift_lead_who_may_have_given_it(portal: Portal) -> None:
    street = portal.street

    def seen(role: str) -> dict[str, Any]:
        portal.people.pop(role, None)  # who was idle for so long signs in again
        data = portal.person(role).get("/quality.json").json()
        return {key: data[key] for key in ("rules", "recalibration", "judging")}

    before, live, day = seen("shift-lead"), seen("operator"), street.clock.now() // DAY
    street.alerts([None, YES, NO])  # a new one, which nobody has decided yet, and two that are final
    street.house.limits.look()
    street.settle()
    assert street.clock.now() // DAY == day
    assert seen("shift-lead") == before
    assert seen("operator") != live
    lead = portal.person("shift-lead")
    assert not rows(lead.get("/quality/tests.csv").text)
    page = lead.get("/quality").text
    assert "e-value</th>" not in page
    assert "became final" not in page
    assert "not shown to people who judge alerts" in page


def test_pages_lead_to_it(portal: Portal) -> None:
    for path in ("/", "/register", "/tour", f"/register/analytics/{LAWN}"):
        assert 'href="/how-well' in portal.someone().get(path).text
