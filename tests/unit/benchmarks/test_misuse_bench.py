"""The made control room: a seed is a year, insiders do what they are said to do, and what counts is counted right."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import misuse
import misuse_measure
import misuse_room
from misuse_insiders import INSIDERS, Wrong
from misuse_measure import Found, bearing_on
from misuse_room import BEGIN, DEPUTIES, STAFF, Room, Year, honest_year
from watchglass.access.misuse import DEFAULT, Kind, Signal, What, misuse_signals
from watchglass.core.time import DAY

QUIET = Room(alerts_a_day=4, searches=0.2)
"""A room with fewer alerts, which is made sooner."""


@pytest.fixture(scope="module")
def year() -> Iterator[Year]:
    yield honest_year(7, QUIET)
    misuse_room._made.cache_clear()


def test_a_seed_is_a_year(year: Year) -> None:
    misuse_room._made.cache_clear()
    assert honest_year(7, QUIET).facts() == year.facts()
    assert honest_year(8, QUIET).facts() != year.facts()


def test_twelve_people_work_there_and_everybody_asks_within_the_year(year: Year) -> None:
    facts = year.facts()
    assert len(STAFF) == 12
    assert {each.person for each in facts.accesses} <= set(STAFF) - set(DEPUTIES)
    assert all(BEGIN - DAY < each.at_ms <= BEGIN + 365 * DAY for each in facts.accesses)
    assert {each.what for each in facts.accesses} >= {What.CLIP_VIEW, What.RELEASE_TAKEN, What.CASE_OPENED}


def test_the_room_is_made_to_be_explained_as_often_as_in_the_study(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(misuse_measure, "_honest", lambda seed: honest_year(seed).facts())
    assert 0.93 <= misuse_measure.explained_share(7, DEFAULT) <= 0.97


@pytest.mark.parametrize("name", INSIDERS)
def test_an_insider_changes_the_year_only_by_what_is_wrong(name: str) -> None:
    honest, bad = honest_year(7, QUIET), honest_year(7, QUIET)
    wrong = INSIDERS[name](bad)
    before, after = honest.facts(), bad.facts()
    assert {each.id for each in before.accesses} <= {each.id for each in after.accesses}
    added = [each for each in after.accesses if each.id not in {known.id for known in before.accesses}]
    assert {each.person for each in added} <= wrong.people
    assert wrong.ids <= {each.id for each in after.accesses}
    assert wrong.begun_ms == min(each.at_ms for each in after.accesses if each.id in wrong.ids | wrong.answered)


def test_the_ex_partner_is_looked_up_as_often_as_the_real_one() -> None:
    bad = honest_year(7, QUIET)
    wrong = INSIDERS["ex_partner"](bad)
    assert len(wrong.ids) == 69
    assert {each.source for each in bad.accesses if each.id in wrong.ids} == {"camera-17"}


@pytest.mark.parametrize("name", ["ex_partner", "pair"])
def test_leaving_out_what_others_were_assigned_changes_no_signal_about_the_insider(name: str) -> None:
    bad = honest_year(7, QUIET)
    wrong = INSIDERS[name](bad)
    whole, few = bad.facts(), bearing_on(bad.facts(), wrong.people)
    assert len(few.accesses) < len(whole.accesses)
    about = [each for each in misuse_signals(whole) if each.person in wrong.people]
    assert about
    assert about == [each for each in misuse_signals(few) if each.person in wrong.people]


def test_a_signal_shows_what_is_wrong_if_half_of_its_evidence_is() -> None:
    wrong = Wrong(frozenset({"i1"}), frozenset({"a", "b"}), 0, frozenset({"a", "c"}))

    def shows(*evidence: str, kind: Kind = Kind.NO_OUTCOME) -> bool:
        return misuse_measure._shows(Signal(kind, "i1", "Words.", evidence, 1), wrong, {"y": "c"})

    assert shows("a")
    assert shows("a", "b", "x", "z")
    assert not shows("a", "x", "z")
    assert not shows("y")
    assert shows("y", kind=Kind.ALWAYS_APPROVED)
    assert shows("c", kind=Kind.APPROVERS_AGREE)
    assert not shows("b", kind=Kind.APPROVERS_AGREE)


def test_years_without_a_signal_count_as_the_longest() -> None:
    told = [Found("x", days, frozenset()) for days in (1.0, 5.0, None)]
    assert misuse._days("d", told)["value"] == 5.0
    assert misuse._days("d", [*told, Found("x", None, frozenset()), Found("x", None, frozenset())])["value"] is None
    rate = misuse._rate("r", told, "")
    assert (rate["value"], rate["n"]) == (0.6667, 3)


def test_thresholds_are_reported_on_other_seeds_than_they_were_chosen_on() -> None:
    assert not set(misuse_measure.SEEDS_TO_CHOOSE) & set(misuse_measure.SEEDS_TO_REPORT)
    assert max(misuse.EACH.values()) <= len(misuse_measure.SEEDS_TO_REPORT)
