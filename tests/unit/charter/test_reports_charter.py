"""The clause about reports from outside: what it may say, what lint tells of it, and what residents read."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchglass.charter.decide import Standing, decide, in_force
from watchglass.charter.diff import compare
from watchglass.charter.lint import lint
from watchglass.charter.model import Charter
from watchglass.charter.parse import parse, read
from watchglass.charter.permit import TakeReports
from watchglass.charter.words import explain
from watchglass.core.errors import BadInput, Refused
from watchglass.core.time import DAY, MINUTE

HARBOUR = Path(__file__).parents[2] / "spec" / "charters" / "harbour-square.yaml"
PLAIN = parse(HARBOUR.read_bytes())
RULE = PLAIN.analytics[0].name
AT = "  review: {within: 2m}\n"
ASKED = f"  reports: {{from: [dispatch], of: [{RULE}], within: 10m, kept: 30d}}\n"
LONG = ("alerts: 7d", "alerts: 1y") if b"alerts: 7d" in HARBOUR.read_bytes() else ("alerts: 1y", "alerts: 1y")
NOON = in_force(PLAIN)[0] + DAY // 2


@pytest.fixture
def compared(edit) -> Charter:
    return parse(edit((AT, AT + ASKED), LONG))


def test_the_clause_names_logs_rules_a_window_and_a_time(compared: Charter) -> None:
    reports = compared.safeguards.reports
    assert reports is not None
    assert (reports.logs, reports.of) == (("dispatch",), (RULE,))
    assert (reports.within_ms, reports.kept_ms) == (10 * MINUTE, 30 * DAY)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[dispatch]", "[neighbours]", "dispatch"),
        ("[dispatch]", "[dispatch, dispatch]", "twice"),
        (f"[{RULE}]", "[nobody-knows]", "no analytic called"),
        ("within: 10m", "within: 2h", "an hour apart"),
        ("kept: 30d", "kept: 91d", "a day to 90 days"),
        (", kept: 30d", "", "kept"),
    ],
)
def test_what_the_clause_may_not_say(edit, old: str, new: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(edit((AT, AT + ASKED.replace(old, new)), LONG))
    assert said in f"{refused.value.message} {refused.value.fix}"


def test_reports_do_not_outlive_alerts(edit) -> None:
    with pytest.raises(BadInput, match="look as if missed"):
        parse(edit((AT, AT + ASKED), ("alerts: 1y", "alerts: 30d")))


def test_only_a_named_log_may_be_taken_in(charter: Charter, compared: Charter) -> None:
    def standing(one: Charter) -> Standing:
        both = frozenset({"authority", "oversight"})
        return Standing(one, "production", both, "cosigned", witnessed_ms=NOON)  # type: ignore[arg-type]  # a set of words

    with pytest.raises(Refused, match="does not let anybody take in reports from 'dispatch'; it names none"):
        decide(standing(charter), TakeReports("dispatch"), NOON)
    with pytest.raises(Refused, match="from 'complaints'; it names dispatch"):
        decide(standing(compared), TakeReports("complaints"), NOON)
    permit = decide(standing(compared), TakeReports("dispatch"), NOON)
    assert permit.purpose == compared.analytic(RULE).purpose


def test_lint_tells_what_is_learnt_and_warns_of_a_wide_window(edit) -> None:
    found = {f.rule: f for f in lint(read(edit((AT, AT + ASKED.replace("10m", "45m")), LONG)), "production")}
    assert "Below 20 reports of a rule within 30 days no share is shown." in found["reports-learnt"].message
    assert "45 minutes apart" in found["reports-wide"].message
    narrow = {f.rule for f in lint(read(edit((AT, AT + ASKED), LONG)), "production")}
    assert "reports-wide" not in narrow


def test_residents_read_it_and_what_changes(edit, charter: Charter, compared: Charter) -> None:
    words = str(explain(compared))
    assert "the log of emergency calls may be compared with the alerts of" in words
    assert "no name, no number, no text" in words
    assert "notes of others is kept for 30 days" in words
    [change] = [c for c in compare(charter, compared) if c.path == "safeguards.reports"]
    assert change.weight == "widening"
    more = parse(edit((AT, AT + ASKED.replace("[dispatch]", "[dispatch, complaints]")), LONG))
    [change] = [c for c in compare(compared, more) if c.path == "safeguards.reports.logs"]
    assert (change.weight, "the list of complaints" in change.sentence) == ("widening", True)
    shorter = parse(edit((AT, AT + ASKED.replace("30d", "7d")), LONG))
    [change] = [c for c in compare(compared, shorter) if c.path == "safeguards.reports.kept_ms"]
    assert change.weight == "narrowing"
