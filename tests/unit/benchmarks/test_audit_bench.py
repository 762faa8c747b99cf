"""``bench audit``: what it times is a whole audit without a breach, and what it counts are lies that can be missed."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import audit as bench
from audited import Result, named
from dishonest import tell
from lies import BY_NAME, LIES, PENDING

NAMES = [
    "audit_entries_per_s",
    "audit_openings_entries_per_s",
    "audit_bare_verify_per_s",
    "audit_signatures_per_s",
    "audit_ed25519_per_s",
    "breaches_planted",
    "breaches_named",
    "breaches_pending",
    "honest_deployments_flagged",
]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "DAYS", {True: 0.3})
    monkeypatch.setattr(bench, "ROUNDS", {True: 2})
    monkeypatch.setattr(bench, "HONEST", {True: 2})
    monkeypatch.setattr(bench, "SHORT", 0.5)
    monkeypatch.setattr(bench, "LIES", (BY_NAME["never-decided"], BY_NAME["stranger"]))


@pytest.mark.usefixtures("small")
def test_every_figure_is_measured() -> None:
    figures = bench.figures(quick=True, progress=lambda _: None)
    assert [each["name"] for each in figures] == NAMES
    found = {each["name"]: each for each in figures}
    assert found["audit_entries_per_s"]["target"] == 16_700
    assert found["breaches_planted"]["value"] == found["breaches_named"]["value"] == 2
    assert found["breaches_named"]["told"] == [["never-decided", 1, 1], ["stranger", 1, 1]]
    assert found["breaches_pending"]["value"] == len(PENDING)
    assert found["honest_deployments_flagged"]["value"] == 0
    assert found["honest_deployments_flagged"]["n"] == 2
    assert all(each["interval"][0] <= each["value"] <= each["interval"][1] for each in figures[:5])


@pytest.mark.usefixtures("small")
def test_a_lie_that_is_not_named_is_counted_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    missed = replace(BY_NAME["never-decided"], name="told-otherwise", promises=("hours",))
    monkeypatch.setattr(bench, "LIES", (missed, BY_NAME["stranger"]))
    found = {each["name"]: each for each in bench.figures(quick=True, progress=lambda _: None, only=("breaches",))}
    assert found["breaches_named"]["value"] == 1
    assert found["breaches_named"]["ok"] is False
    assert "told-otherwise" in found["breaches_named"]["note"]


def test_another_promise_or_another_entry_is_not_named() -> None:
    lie = BY_NAME["never-decided"]
    right = Result({"alerts": frozenset({7})}, (), None)
    assert named(lie, [7], right)
    assert not named(lie, [8], right)
    assert not named(lie, [7], Result({"hours": frozenset({7})}, (), None))
    assert not named(lie, [7], Result({"alerts": frozenset({7}), "hours": frozenset({9})}, (), None))
    assert not named(lie, [7], Result({}, (), None))


def test_in_the_busy_log_about_one_act_in_fifty_is_signed() -> None:
    made = bench.busy(1.5)
    signed = sum(b'"basis":"signed"' in entry for entry in made.entries)
    assert 30 < len(made.entries) / signed < 60
    beats = bench.beating(0.5)
    assert sum(b'"basis":"signed"' in entry for entry in beats.entries) > 0.9 * len(beats.entries)


def test_the_same_seed_tells_the_same_lie() -> None:
    assert tell(LIES[0], 5).entries == tell(LIES[0], 5).entries
    assert tell(LIES[0], 5).entries != tell(LIES[0], 6).entries
