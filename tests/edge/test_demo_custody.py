"""The demo's people seal, ask, approve and refuse in processes of their own, and its months follow each other."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from watchglass.core.errors import Problem
from watchglass.core.time import DAY, month_of
from watchglass.demo.custody import CUSTODIANS, NAMES, Hand, Hands, month_after, months_of
from watchglass.demo.people import make_people
from watchglass.demo.stage import find_or_set

NOVEMBER_23 = 1_795_392_000_000
ORIGIN = "demo.watchglass.example"


def test_months_follow_each_other_and_one_is_made_ahead() -> None:
    assert months_of(NOVEMBER_23 - 28 * DAY, NOVEMBER_23) == ["2026-10", "2026-11", "2026-12"]
    assert months_of(NOVEMBER_23 - 2 * DAY, NOVEMBER_23) == ["2026-11", "2026-12"]
    december_31 = NOVEMBER_23 + 38 * DAY
    assert months_of(december_31 - 28 * DAY, december_31) == ["2026-12", "2027-01"]
    assert month_of(month_after(december_31)) == "2027-01"
    assert month_of(month_after(december_31) - 1) == "2026-12"


def test_everybody_has_a_folder_of_their_own_that_nobody_else_reads(tmp_path: Path) -> None:
    people = make_people(tmp_path / "people", ORIGIN)
    with Hands(people, ORIGIN, ["2026-10", "2026-11", "2026-12"]) as hands:
        assert set(hands.custodians) == set(CUSTODIANS)
        assert set(hands.enrolled) == {(role, month) for role in NAMES for month in ("2026-10", "2026-11")}
        assert len({*hands.custodians.values(), *hands.enrolled.values(), *hands.sealing.values(), hands.glass}) == 17
    for name in CUSTODIANS:
        folder = people.folder / "custodians" / name
        assert sorted(file.name for file in folder.iterdir()) == [
            "2026-10.key", "2026-11.key", "2026-12.key", "identity.key",
        ]  # fmt: skip
        assert folder.stat().st_mode & 0o077 == 0
        assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())


def test_what_a_signer_refuses_is_told_in_their_words_and_they_go_on(tmp_path: Path) -> None:
    hand = Hand(tmp_path)
    try:
        hand.ask("new-signing", file="identity.key", name="dpo.example")
        with pytest.raises(Problem, match="identity"):
            hand.ask("new-signing", file="identity.key", name="dpo.example")
        assert hand.ask("new-sealing", file="2026-11.key", what="sealing key")["public"]
    finally:
        hand.close()
    with pytest.raises(Problem, match="ended"):
        hand.ask("destroy", period="2026-11")


AllOf = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo as its 28 days left it."""
    state = tmp_path_factory.mktemp("demo") / "state"
    find_or_set(state, 9480, lambda _: None, lambda _: None)
    return state


@pytest.fixture
def all_of(state: Path) -> Iterator[AllOf]:
    with closing(sqlite3.connect(state / "watchglass.db")) as database:
        yield lambda sql: database.execute(sql).fetchall()


@pytest.mark.slow
def test_the_28_days_have_cases_and_what_is_past_its_time_is_destroyed(state: Path, all_of: AllOf) -> None:
    ((sealed, alerts, kept, late),) = all_of(
        "SELECT count(*), count(DISTINCT alert), sum(destroyed_ms IS NULL),"
        " sum(destroyed_ms IS NULL AND keep_until_ms < (SELECT max(made_ms) FROM segment)) FROM segment"
    )
    ((raised,),) = all_of("SELECT count(*) FROM alert WHERE id NOT IN (SELECT alert FROM shown_again)")
    assert alerts == raised > 150
    assert sealed > 1.5 * raised
    assert 0 < kept < sealed / 4
    assert late <= 30  # retention runs once a day of the virtual clock
    files = {file.stem for file in (state / "sealed").glob("*.*")}
    assert files == {row[0] for row in all_of("SELECT path FROM segment WHERE destroyed_ms IS NULL")}

    assert all_of("SELECT number, closed_ms IS NULL FROM evidence_case ORDER BY number") == [
        ("DEMO-1", 1), ("DEMO-2", 0), ("DEMO-3", 1),
    ]  # fmt: skip
    asked = all_of("SELECT glass, granted_ms IS NULL, taken_ms IS NULL, followed_ms IS NULL FROM release_request")
    assert sorted(asked) == [(0, 0, 0, 1), (0, 1, 1, 1), (1, 1, 1, 0), (1, 1, 1, 1)]
    assert all_of("SELECT kind, finding FROM misuse_signal ORDER BY kind") == [
        ("glass-not-followed", None), ("unexplained", "explained"),
    ]  # fmt: skip
    answers = all_of("SELECT custodian, approved FROM release_answer ORDER BY custodian, approved")
    assert answers == [("dpo", 0), ("dpo", 1), ("oversight", 1)]
    ((why,),) = all_of("SELECT why FROM release_denied")
    assert "one release opens at most 10 minutes" in str(why)
    texts = all_of("SELECT reason FROM evidence_case UNION SELECT reason FROM release_request")
    assert all(str(text).startswith("Simulated for the demo: ") for (text,) in texts)
    published = {month for (month,) in all_of("SELECT DISTINCT period FROM sealing_key")}
    now = all_of("SELECT value FROM setting WHERE key = 'history_until'")
    assert {month_of(int(str(now[0][0]))), month_of(month_after(int(str(now[0][0]))))} <= published

    # its recorder beat once an hour without a gap, and was stopped in order
    ((watched, beats, seconds),) = all_of("SELECT state, beats, to_s - from_s FROM watched")
    assert watched == "seen"
    assert 28 * 24 <= beats <= 28 * 24 + 2
    assert 28 * 86_400 <= seconds <= 28 * 86_400 + 7_200
    assert all_of("SELECT cause FROM run") == [("asked",)]


@pytest.mark.slow
def test_in_the_28_days_a_limit_stops_a_rule_twice(all_of: AllOf) -> None:
    # one rule was stopped by its limit, let run again, and stopped by the same limit: it still is
    stops = all_of(
        "SELECT analytic, why, version, obeyed_ms - stopped_ms, resumed_ms - stopped_ms, over_ms IS NULL"
        " FROM limit_stop ORDER BY stopped_ms"
    )
    limit, after = "precision_at_least", stops[0][4]
    assert stops == [("in-the-bays", limit, 1, 0, after, 0), ("in-the-bays", limit, 1, 0, None, 1)]
    assert 3 * DAY <= int(str(after)) < 3 * DAY + 7_200_000
    ((changed,),) = all_of("SELECT what_changed FROM resumption")
    assert str(changed).startswith("Simulated for the demo: ")
    states = all_of("SELECT state FROM judged ORDER BY analytic")
    assert states == [("within",), ("within",), ("suspended",), ("within",)]
    ((verdicts,),) = all_of(
        "SELECT group_concat(DISTINCT value) FROM verdict JOIN alert ON alert.id = verdict.alert"
        " WHERE analytic = 'in-the-bays' AND withdrawn_ms IS NULL"
    )
    assert verdicts == "reject"  # the label, and nothing else


@pytest.mark.slow
def test_in_the_28_days_there_are_drills_samples_and_a_dark_evening(all_of: AllOf) -> None:
    # staged drills on the lawn: noticed where the pipeline's own incident was played, missed where nothing was
    drilled = dict(all_of("SELECT result, count(*) FROM drill WHERE scored_ms IS NOT NULL GROUP BY result"))
    assert set(drilled) == {"noticed", "missed"}
    assert drilled["noticed"] > drilled["missed"] > 0
    assert sum(drilled.values()) >= 20  # enough to say a number
    assert all_of("SELECT count(*) FROM drill WHERE called_off_ms IS NOT NULL") == [(1,)]
    assert all(str(text).startswith("Simulated for the demo: ") for (text,) in all_of("SELECT what FROM drill"))

    # what came near is counted, the lot decides what is looked at, and the answers are the labels
    answered = dict(all_of("SELECT answer, count(*) FROM sample WHERE kind = 'near' AND answer IS NOT NULL GROUP BY 1"))
    assert set(answered) == {"no"}
    assert answered["no"] >= 20
    ((near,),) = all_of("SELECT count(*) FROM near_miss")
    assert near > 3 * answered["no"]
    ((mixed,),) = all_of("SELECT count(*) FROM sample WHERE kind = 'known' AND answer NOT IN ('yes', 'no')")
    assert mixed == 0

    # one dark evening, and the alerts in it say so; how many there are depends on the hour at which the demo is made
    assert all_of("SELECT condition, over_ms - since_ms FROM source_condition") == [("too_dark", 7_200_000)]
    dark = all_of("SELECT raised_ms FROM alert WHERE seen LIKE '%too_dark%'")
    ((since, over),) = all_of("SELECT since_ms, over_ms FROM source_condition")
    assert dark
    assert all(since <= raised <= over for (raised,) in dark)
