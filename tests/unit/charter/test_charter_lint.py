"""Each rule of lint finds what it is for, and the harbour charter is clean."""

from __future__ import annotations

import pytest

from watchglass.charter.condition_rules import CONDITION_RULES
from watchglass.charter.lint import RULES, Finding, lint
from watchglass.charter.parse import read
from watchglass.charter.quality_rules import QUALITY_RULES
from watchglass.charter.report_rules import REPORT_RULES
from watchglass.charter.sample_rules import SAMPLE_RULES
from watchglass.charter.sealing_rules import SEALING_RULES
from watchglass.ledger.keys import KeyType, SignerKey, VerifierKey

HIT = {
    "led-authority": ("regime: gdpr", "regime: led"),
    "led-national-law": ("regime: gdpr", "regime: led"),
    "legal-basis": ("legal_basis: GDPR Art. 6(1)(e); Exampleton by-law 12", "legal_basis: TBD"),
    "legal-basis-article": ("legal_basis: GDPR Art. 6(1)(e); Exampleton by-law 12", "legal_basis: the by-law"),
    "consent": ("legal_basis: GDPR Art. 6(1)(e); Exampleton by-law 12", "legal_basis: GDPR Art. 6(1)(a)"),
    "prohibited-words": ("more exits.", "more exits by emotion recognition."),
    "trial-length": None,
    "in-force": ("until: 2027-11-30", "until: 2029-11-30"),
    "retention-clips": ("reviewer_clips: 7d", "reviewer_clips: 31d"),
    "retention-alerts-long": ("alerts: 1y", "alerts: 4y"),
    "retention-alerts-short": ("alerts: 1y", "alerts: 181d"),
    "retention-order": ("reviewer_clips: 7d, alerts: 1y", "reviewer_clips: 7d, alerts: 6d"),
    "live-view": ("delay: 15m", "delay: 0s"),
    "hide-below": ("hide_below: 3", "hide_below: 1"),
    "grid": ("grid_m: 1", "grid_m: 0.9"),
    "scale": ("    view: {width_m: 28, ground: [[0,410],[768,390],[768,576],[0,576]]}\n", ""),
    "never-see": ("    never_see: [[[0,0],[300,0],[300,120],[0,120]]]", "   "),
    "review-time": ("within: 2m", "within: 6m"),
    "on-suspension": (
        "  on_suspension: {tell: [oversight, shift-lead], people_do: double patrols on the steps until resumed}\n",
        "",
    ),
    "read-again": None,  # see test_quality_lint
    "stops-reach": None,  # see test_quality_lint
    "hours": (', hours: "01:00-04:30"', ""),
    "for": ("for: 2s", "for: 0s"),
    "nothing": None,
    "in-the-clear": None,  # see test_charter_kinds
    "unused": (
        "    zones:\n",
        "    zones:\n      spare: {polygon: [[0,0],[9,0],[9,9]]}\n",
    ),
    "ledger-order": ("merge_within: 2h", "merge_within: 59m"),
    "checkpoint": ("checkpoint_every: 60s", "checkpoint_every: 11m"),
    "batch": ("batch_every: 1h", "batch_every: 60s"),
    "heartbeat": ("heartbeat_every: 60s", "heartbeat_every: 11m"),
    "own-oversight": None,
    "own-witness": None,
    "no-witness": None,
    "quorum-half": None,
    "quorum-all": None,
    "witnessed-within": (", witnessed_within: 1h", ""),
    "no-suspend": ("may: [suspend, inspect]", "may: [inspect]"),
    "not-consulted": ("", ""),
    **{rule.id: None for rule in SEALING_RULES},  # see test_sealing_lint
    **{rule.id: None for rule in QUALITY_RULES},  # see test_quality_lint
    **{rule.id: None for rule in CONDITION_RULES},  # see test_source_conditions
    **{rule.id: None for rule in SAMPLE_RULES},  # see test_samples_charter
    **{rule.id: None for rule in REPORT_RULES},  # see test_reports_charter
    "quality-none": ("", ""),
}


def found(data: bytes, deployment: str = "production") -> list[Finding]:
    return lint(read(data), deployment)  # type: ignore[arg-type]  # the tests name real deployments


def test_the_harbour_charter_has_only_what_a_person_must_read(harbour: str) -> None:
    assert [(f.rule, f.severity) for f in found(harbour.encode())] == [
        ("prohibited-words", "warning"),  # its promise never to use face recognition
        ("quality-none", "warning"),  # it promises nothing about how often its two rules are right
        ("quality-none", "warning"),
        ("not-consulted", "notice"),
    ]


def test_every_rule_has_an_example() -> None:
    assert set(HIT) == {rule.id for rule in RULES}
    assert len({rule.id for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", [rule for rule, pair in HIT.items() if pair])
def test_each_rule_finds_what_it_is_for(edit, rule: str) -> None:
    data = edit(HIT[rule])
    finding = next(f for f in found(data) if f.rule == rule)
    assert finding.message.endswith(".")
    assert finding.fix.endswith(".")
    assert 1 <= finding.line <= len(data.splitlines())


def test_a_trial_lasts_fourteen_days(harbour: str) -> None:
    assert "trial-length" in {f.rule for f in found(harbour.encode(), "trial") if f.severity == "error"}
    assert "trial-length" not in {f.rule for f in found(harbour.encode())}


def analytics_of(text: str) -> str:
    return text[text.index("analytics:\n") : text.index("safeguards:\n")]


def test_a_charter_that_notices_nothing_is_questioned(edit, harbour: str) -> None:
    rules = {f.rule for f in found(edit((analytics_of(harbour), "analytics: {}\n")))}
    assert {"nothing", "unused"} <= rules


def witnesses_of(text: str) -> str:
    return text[text.index("  witnesses:") :]


def test_without_a_witness_it_cannot_be_published_but_a_trial_can_run(edit, harbour: str) -> None:
    data = edit((witnesses_of(harbour), ""))
    assert ("no-witness", "error") in {(f.rule, f.severity) for f in found(data)}
    assert ("no-witness", "notice") in {(f.rule, f.severity) for f in found(data, "trial")}


def more_witnesses(count: int, quorum: int | None = None) -> tuple[str, str]:
    keys = [SignerKey.from_seed(f"w{n}.example", bytes([n]) * 32, KeyType.COSIGNATURE_V1) for n in range(1, count)]
    lines = [f'    - {{key: {key.verifier}, url: "https://{key.name}"}}\n' for key in keys]
    asked = "" if quorum is None else f"  quorum: {quorum}\n"
    return "  witnesses:\n", f"{asked}  witnesses:\n{''.join(lines)}"


@pytest.mark.parametrize(
    ("count", "quorum", "rules"),
    [
        (1, None, set()),
        (2, None, {"quorum-all"}),
        (2, 1, {"quorum-half"}),
        (3, None, set()),
        (3, 1, {"quorum-half"}),
        (3, 3, {"quorum-all"}),
        (4, 2, {"quorum-half"}),
        (4, None, set()),
    ],
)
def test_more_than_half_of_the_witnesses_agree_and_not_all(
    edit, count: int, quorum: int | None, rules: set[str]
) -> None:
    data = edit(more_witnesses(count, quorum))
    assert {f.rule for f in found(data)} & {"quorum-half", "quorum-all"} == rules


def test_a_trial_and_the_demo_need_not_say_how_long_they_run_unseen(edit) -> None:
    data = edit(HIT["witnessed-within"])
    assert ("witnessed-within", "warning") in {(f.rule, f.severity) for f in found(data)}
    assert "witnessed-within" not in {f.rule for f in (*found(data, "trial"), *found(data, "demo"))}


def test_the_demo_may_be_live_and_says_so(edit) -> None:
    data = edit(HIT["live-view"])
    assert ("live-view", "notice") in {(f.rule, f.severity) for f in found(data, "demo")}
    assert ("live-view", "warning") in {(f.rule, f.severity) for f in found(data)}


def test_nobody_oversees_themselves(edit, charter) -> None:
    data = edit((charter.oversight.key, charter.authority.key))
    assert ("own-oversight", "error") in {(f.rule, f.severity) for f in found(data)}
    assert ("own-oversight", "error") in {(f.rule, f.severity) for f in found(data, "demo")}
    assert ("own-oversight", "notice") in {(f.rule, f.severity) for f in found(data, "trial")}


def test_nobody_witnesses_themselves(edit, charter) -> None:
    public = VerifierKey.parse(charter.authority.key).public
    own = str(VerifierKey("other.example/witness", KeyType.COSIGNATURE_V1, public))
    data = edit((charter.oversight.witnesses[0].key, own))
    assert ("own-witness", "error") in {(f.rule, f.severity) for f in found(data)}


def test_the_police_directive_asks_for_its_two_laws(edit) -> None:
    text = edit(
        ("regime: gdpr", "regime: led\n  competent_under: Police Act 1998 s. 2"),
        ("Exampleton by-law 12", "Exampleton by-law 12\n    national_law: Data Protection Act 2018 Part 3"),
    )
    led = [f for f in found(text) if f.rule.startswith("led")]
    assert [(f.rule, f.path, f.article) for f in led] == [
        ("led-national-law", "purposes.restricted-area", "LED Art. 8(2)")
    ]


def test_a_finding_points_at_its_line(edit) -> None:
    data = edit(HIT["live-view"])
    finding = next(f for f in found(data) if f.rule == "live-view")
    assert data.decode().splitlines()[finding.line - 1][finding.column - 1 :].startswith("0s")
    assert finding.path == "safeguards.public_view.delay"


def test_errors_come_first(edit) -> None:
    severities = [f.severity for f in found(edit(HIT["led-authority"], HIT["live-view"]))]
    assert severities == sorted(severities, key=("error", "warning", "notice").index)
