"""What others noted down: who may take it in, what is recorded and kept of it, and what it says of what was missed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from watchglass.access.roles import May, Role
from watchglass.acts.apply_retention import apply_retention
from watchglass.acts.public_reports import of_rule, reported
from watchglass.acts.reports import TakenIn, set_report_aside, take_reports
from watchglass.charter.model import Charter
from watchglass.charter.permit import TakeReports
from watchglass.core.errors import BadInput, Problem, Refused
from watchglass.core.time import DAY, HOUR, MINUTE, iso
from watchglass.quality.report_rows import Asked
from watchglass.review.model import VerdictValue
from world import World, make_house

RULE = "on-the-lawn"
CLAUSE = f"  reports: {{from: [dispatch, complaints], of: [{RULE}], within: 10m, kept: 7d}}\n"


@pytest.fixture
def told(tmp_path: Path) -> Iterator[World]:
    """A house whose charter lets two logs be compared with one rule's alerts."""
    with make_house(tmp_path) as made:
        made.publish(made.edited(("  on_suspension:", CLAUSE + "  on_suspension:")))
        yield made


def charter(world: World) -> Charter:
    found = world.standing().charter
    assert found is not None
    return found


def file_of(*moments: int, kind: str = RULE) -> bytes:
    rows = "".join(f"{iso(at)},street,{kind},Anna Muster\n" for at in moments)
    return f"time,source,kind,caller\n{rows}".encode()


def take(world: World, data: bytes, log: str = "dispatch", by: Role = Role.OPERATOR) -> TakenIn:
    permit, grant = world.permit(TakeReports(log)), world.grant(May.KEEP_REPORTS, by)
    return take_reports(world.house.acting, grant, permit, charter(world), data, Asked({})).value


def pass_time(world: World, ms: int) -> None:
    world.clock.advance(ms)  # type: ignore[attr-defined]  # a virtual one
    world.settle()


def fates(world: World) -> list[str]:
    rule = charter(world).analytic(RULE)
    return [each.fate for each in of_rule(world.house.store.read(), charter(world), rule, world.clock.now() + 1)]


def test_without_the_clause_nothing_is_taken_in(world: World) -> None:
    with pytest.raises(Refused, match="does not let anybody take in reports from 'dispatch'"):
        world.permit(TakeReports("dispatch"))
    assert reported(world.house.store.read(), charter(world), world.clock.now()) is None


def test_what_is_recorded_holds_no_minute_no_place_and_nobody(told: World) -> None:
    now = told.clock.now()
    made = take(told, file_of(now - 2 * HOUR, now - HOUR))
    assert (made.new, made.known, made.file.dropped_columns, made.file.dropped_values) == (2, 0, 1, 2)
    (record,) = told.records("reports_taken_in")
    assert record.leaf.clear == {"log": "dispatch"}
    assert (record.fields["rows"], record.fields["analytics"]) == (2, [RULE])
    kept = repr(told.state()["report"])
    assert "Muster" not in kept
    assert "Muster" not in repr(record.fields)
    assert len(told.state()["report"]) == 2


def test_the_same_file_twice_changes_nothing_and_records_nothing(told: World) -> None:
    now = told.clock.now()
    take(told, file_of(now - 2 * HOUR, now - HOUR))
    before = told.state()["report"]
    assert (take(told, file_of(now - 2 * HOUR, now - HOUR)).new, len(told.records("reports_taken_in"))) == (0, 1)
    assert told.state()["report"] == before
    more = take(told, file_of(now - HOUR, now - 30 * MINUTE))
    assert (more.new, more.known) == (1, 1)
    assert take(told, file_of(now - HOUR), log="complaints").new == 1  # another log is matched by itself


def test_a_file_with_one_wrong_row_leaves_nothing(told: World) -> None:
    now = told.clock.now()
    with pytest.raises(BadInput, match="Row 3 has a time that has not come yet"):
        take(told, file_of(now - HOUR, now + HOUR))
    assert not told.state()["report"]
    assert not told.records("reports_taken_in")


def test_who_may_not_is_refused(told: World) -> None:
    with pytest.raises(Refused):
        take(told, file_of(told.clock.now() - HOUR), by=Role.REVIEWER)
    grant, permit = told.grant(May.SEE_QUALITY, Role.OPERATOR), told.permit(TakeReports("dispatch"))
    with pytest.raises(Refused, match="not of keep-reports"):
        take_reports(told.house.acting, grant, permit, charter(told), file_of(0), Asked({}))


def test_rows_are_matched_and_each_has_its_fate(told: World) -> None:
    alert = told.raise_alert()
    at = told.house.store.read().one("SELECT at_ms FROM alert WHERE id = ?", alert.id)["at_ms"]  # type: ignore[index]
    told.decide(alert, VerdictValue.CONFIRM)
    pass_time(told, HOUR)
    take(told, file_of(at + 3 * MINUTE, at + 40 * MINUTE))
    assert fates(told) == ["afterwards", "missed"]  # the first was noted down after somebody had been sent
    pass_time(told, DAY)
    found = reported(told.house.store.read(), charter(told), told.clock.now())
    assert found is not None
    (rule,) = found.rules
    (log,) = rule.logs
    assert (log.log, log.counts.worst.n, log.counts.best.k, log.counts.best.n) == ("dispatch", 1, 1, 2)
    assert not log.counts.enough  # two are not twenty
    assert log.counts.best.low is None


def test_what_came_while_it_was_suspended_could_not_have_been_seen(told: World) -> None:
    pass_time(told, HOUR)
    order = told.suspend(RULE)
    pass_time(told, HOUR)
    told.lift(order, RULE)
    now = told.clock.now()
    pass_time(told, HOUR)
    take(told, file_of(now - 30 * MINUTE, now - 90 * MINUTE))
    assert fates(told) == ["missed", "suspended"]


def test_a_row_is_set_aside_and_put_back_by_somebody_and_both_ends_are_told(told: World) -> None:
    now = told.clock.now()
    take(told, file_of(now - HOUR))
    (row,) = told.house.store.read().all("SELECT id FROM report")
    pass_time(told, MINUTE)
    grant = told.grant(May.KEEP_REPORTS, Role.SHIFT_LEAD)
    set_report_aside(told.house.acting, grant, charter(told), row["id"], "aside")
    pass_time(told, MINUTE)
    assert fates(told) == ["aside"]
    with pytest.raises(Problem, match="done that already"):
        set_report_aside(told.house.acting, grant, charter(told), row["id"], "aside")
    found = reported(told.house.store.read(), charter(told), told.clock.now())
    assert found is not None
    counts = found.rules[0].logs[0].counts
    assert (counts.worst.n, counts.best.n) == (1, 0)
    set_report_aside(told.house.acting, grant, charter(told), row["id"], "back")
    assert fates(told) == ["missed"]
    aside, back = told.records("report_set_aside")
    assert (aside.leaf.clear, back.leaf.clear["to"]) == ({"log": "dispatch", "to": "aside"}, "back")
    assert aside.fields["account"] == grant.person.name
    assert aside.leaf.refs == (told.records("reports_taken_in")[0].hash,)
    with pytest.raises(BadInput, match="no such report"):
        set_report_aside(told.house.acting, grant, charter(told), 99, "aside")


def test_a_complaint_of_being_approached_is_tied_to_a_confirmed_alert(told: World) -> None:
    alert = told.raise_alert()
    at = told.house.store.read().one("SELECT at_ms FROM alert WHERE id = ?", alert.id)["at_ms"]  # type: ignore[index]
    told.decide(alert, VerdictValue.CONFIRM)
    pass_time(told, HOUR)
    take(told, file_of(at + 5 * MINUTE, at + 30 * MINUTE, kind="wrongly-approached"), log="complaints")
    pass_time(told, MINUTE)
    found = reported(told.house.store.read(), charter(told), told.clock.now())
    assert found is not None
    (wronged,) = found.wronged
    assert (wronged.source, wronged.complaints, wronged.tied.k, wronged.tied.n) == ("street", 2, 1, 1)
    (row, *_) = told.house.store.read().all("SELECT id FROM report")
    with pytest.raises(BadInput, match="about no rule"):
        set_report_aside(told.house.acting, None, charter(told), row["id"], "aside")


def test_rows_are_destroyed_when_their_time_is_over(told: World) -> None:
    now = told.clock.now()
    take(told, file_of(now - 6 * DAY, now - HOUR))
    pass_time(told, 2 * DAY)
    assert apply_retention(told.house.acting, charter(told))["reports"] == 1
    pass_time(told, 6 * DAY)
    assert apply_retention(told.house.acting, charter(told))["reports"] == 2  # the other, and what is known of the file
    assert not told.state()["report"]
    assert not told.state()["report_import"]
    assert [
        each.fields["count"] for each in told.records("retention_applied") if each.leaf.clear["what"] == "reports"
    ] == [1, 2]
