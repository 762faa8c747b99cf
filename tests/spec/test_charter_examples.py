"""Charters as people would write them: what this version accepts, and what it refuses by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from watchglass.charter.lint import lint
from watchglass.charter.parse import CharterRefused, parse, read
from watchglass.charter.unbuilt import NOT_BUILT

CHARTERS = Path(__file__).parent / "charters"
ACCEPTED = sorted(path for path in CHARTERS.glob("*.yaml") if path.name != "everything-ever.yaml")

UNBUILT_THERE = {
    "safeguards.embargo",
    "statistics",
    "consultation",
    "approvals",
}


def everything() -> bytes:
    return (CHARTERS / "everything-ever.yaml").read_bytes()


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_the_charters_of_this_version_are_accepted_and_can_be_published(path: Path) -> None:
    findings = lint(read(path.read_bytes()), "trial" if path.stem.startswith("trial") else "production")
    assert not [finding for finding in findings if finding.severity == "error"]


@pytest.mark.parametrize("kind", ["sealed", "judged"])
def test_the_charters_with_sealed_originals_and_with_limits_can_be_published(kind: str) -> None:
    data = (CHARTERS / kind / "harbour-square.yaml").read_bytes()
    assert not [finding for finding in lint(read(data)) if finding.severity == "error"]


def test_there_are_accepted_charters() -> None:
    assert len(ACCEPTED) >= 3


def test_the_charter_of_the_whole_design_is_refused_and_each_unbuilt_safeguard_named() -> None:
    with pytest.raises(CharterRefused) as caught:
        parse(everything())
    assert caught.value.exit_code == 3
    assert {refusal.path for refusal in caught.value.refusals} == UNBUILT_THERE
    for refusal in caught.value.refusals:
        assert "does not build" in refusal.message
        assert refusal.rule == "not-built"
        assert refusal.fix


def test_every_top_level_section_of_the_design_is_known() -> None:
    with pytest.raises(CharterRefused) as caught:
        parse(everything())
    sections = set(yaml.safe_load(everything()))
    unknown = [fault for fault in caught.value.faults if "is not known here" in fault.message]
    assert not unknown
    assert {"quality", "statistics", "costs", "consultation", "approvals"} < sections


NEAR = {
    "sources.*.kind": ("    kind: file", "    kind: {value}"),
    "analytics.*.kind": ("kind: intrusion", "kind: {value}"),
    "safeguards.public_view.archive": ("mode: painted", "mode: painted, archive: 1h"),
    "safeguards.record": ("  reviewer_view:", "  record: {when: incidents}\n  reviewer_view:"),
    "safeguards.retention.sealed": ("reviewer_clips: 7d", "sealed: 72h, reviewer_clips: 7d"),
    "safeguards.custodians": ("  reviewer_view:", "  custodians: {dpo: x}\n  reviewer_view:"),
    "safeguards.release": ("  reviewer_view:", "  release: {custodians: 2 of 3}\n  reviewer_view:"),
    "safeguards.access_log": ("  reviewer_view:", "  access_log: {uses: [lawfulness]}\n  reviewer_view:"),
    "safeguards.embargo": ("  reviewer_view:", "  embargo: {alerts: 30d}\n  reviewer_view:"),
    "statistics": ("ledger: {", "statistics: {}\nledger: {"),
    "consultation": ("ledger: {", "consultation: {id: harbour-2026}\nledger: {"),
    "approvals": ("ledger: {", "approvals: {authority: sig}\nledger: {"),
}
"""How to ask the harbour charter for each unbuilt safeguard."""


@pytest.mark.parametrize("row", NOT_BUILT, ids=lambda row: row.path)
def test_each_unbuilt_safeguard_alone_is_refused_by_name(row) -> None:
    path, _, value = row.path.partition("=")
    old, new = NEAR[path]
    text = (CHARTERS / "harbour-square.yaml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(CharterRefused) as caught:
        parse(text.replace(old, new.replace("{value}", value), 1).encode())
    assert row.message in {refusal.message for refusal in caught.value.refusals}
