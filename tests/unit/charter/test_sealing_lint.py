"""Each rule of lint about sealed originals finds what it is for."""

from __future__ import annotations

import pytest

from watchglass.charter.lint import Finding, lint
from watchglass.charter.parse import read
from watchglass.charter.sealing_rules import SEALING_RULES
from watchglass.ledger.keys import KeyType, VerifierKey

HIT = {
    "sealed-alone": [("custodians: 2 of 3", "custodians: 1 of 3")],
    "sealed-shares": None,
    "sealed-spare": [("custodians: 2 of 3", "custodians: 3 of 3")],
    "sealed-outside": [("    one_of: [oversight]    # never without the board\n", "")],
    "custodian-oversight": None,
    "record-wide": [("before: 20s", "before: 5m")],
    "record-always": [("when: incidents, before: 20s, after: 40s", "when: always")],
    "retention-sealed": [("sealed: 72h", "sealed: 8d")],
    "retention-sealed-order": [("reviewer_clips: 7d, alerts: 1y", "reviewer_clips: 1d, alerts: 2d")],
    "release-wide": [("    longest: 1h", "    longest: 5h")],
    "release-valid": [("valid: 24h", "valid: 4d"), ("sealed: 72h", "sealed: 5d")],
    "break-glass": [],
    "break-glass-explained": [("follow_up: 24h", "follow_up: 4d")],
    "sealed-never-see": [],
    "trial-record": None,
}


def found(data: bytes, deployment: str = "production") -> list[Finding]:
    return lint(read(data), deployment)  # type: ignore[arg-type]  # the tests name real deployments


def test_the_sealed_harbour_charter_has_only_what_a_person_must_read(sealed: str) -> None:
    assert [(f.rule, f.severity) for f in found(sealed.encode())] == [
        ("prohibited-words", "warning"),
        ("quality-none", "warning"),
        ("quality-none", "warning"),
        ("break-glass", "warning"),
        ("witnessed-within", "warning"),
        ("not-consulted", "notice"),
        ("sealed-never-see", "notice"),
    ]


def test_every_rule_has_an_example() -> None:
    assert set(HIT) == {rule.id for rule in SEALING_RULES}


@pytest.mark.parametrize("rule", [rule for rule, pairs in HIT.items() if pairs is not None])
def test_each_rule_finds_what_it_is_for_and_only_then(reseal, sealed: str, rule: str) -> None:
    data = reseal(*HIT[rule])
    (finding,) = [f for f in found(data) if f.rule == rule]
    assert finding.message.endswith(".")
    assert finding.fix.endswith(".")
    assert 1 <= finding.line <= len(data.splitlines())
    if HIT[rule]:
        assert rule not in {f.rule for f in found(sealed.encode())}


@pytest.mark.parametrize("rule", [rule for rule in SEALING_RULES if rule.id != "trial-record"], ids=lambda r: r.id)
def test_a_charter_that_records_nothing_is_left_alone(harbour: str, rule) -> None:
    assert rule.id not in {f.rule for f in lint(read(harbour.encode()))}


def with_custodians(reseal, number: int, rule: str) -> bytes:
    """The sealed charter with as many custodians, of whom none in particular must agree."""
    start = "    dpo: dpo.exampleton.example/custodian+0eccfc64+AfB+TDPgvCf+oEFUf7/xXmZs3tuHNCgkrz6AWczGv+Nv\n"
    more = "".join(
        f"    c{n}: {VerifierKey(f'c{n}', KeyType.ED25519, bytes([n + 1]) * 32)}\n" for n in range(number - 2)
    )
    return reseal((start, more), ("custodians: 2 of 3", f"custodians: {rule}"), ("    one_of: [oversight]", "   "))


@pytest.mark.parametrize(
    ("number", "rule", "shares"), [(9, "5 of 9", 630), (5, "3 of 5", 30), (9, "2 of 9", 72), (8, "2 of 8", 56)]
)
def test_more_than_64_shares_a_piece_cannot_be_published(reseal, number: int, rule: str, shares: int) -> None:
    data = with_custodians(reseal, number, rule)
    release = read(data).charter.safeguards.release
    assert release is not None
    assert release.shares == shares
    hits = [f for f in found(data) if f.rule == "sealed-shares"]
    assert bool(hits) is (shares > 64)
    if hits:
        assert hits[0].severity == "error"
        assert f"{shares} shares of its key" in hits[0].message


def test_one_custodian_alone_is_an_error(reseal) -> None:
    (finding,) = [f for f in found(reseal(*HIT["sealed-alone"])) if f.rule == "sealed-alone"]
    assert (finding.severity, finding.path) == ("error", "safeguards.release.custodians")
    assert "Art. 32" in finding.article


def test_breaking_the_glass_is_told_with_how_loud_it_is(sealed: str) -> None:
    (finding,) = [f for f in found(sealed.encode()) if f.rule == "break-glass"]
    for words in (
        "A shift lead may open 10 minutes of the last 2 hours",
        "told to oversight at once",
        "late after 1 day",
    ):
        assert words in finding.message
    assert "stolen key opens everything" in finding.message


def test_burning_in_what_may_not_be_seen_is_told_with_its_cost(reseal, sealed: str) -> None:
    (finding,) = [f for f in found(sealed.encode()) if f.rule == "sealed-never-see"]
    assert "decoded and encoded" in finding.message
    without = reseal(("    never_see: [[[0,0],[300,0],[300,120],[0,120]]]", "   "))
    assert "sealed-never-see" not in {f.rule for f in found(without)}


def test_an_oversight_with_another_key_is_told(reseal, sealed_charter) -> None:
    other = str(VerifierKey("board.example/custody", KeyType.ED25519, b"\7" * 32))
    data = reseal((f"    oversight: {sealed_charter.oversight.key}", f"    oversight: {other}"))
    assert ("custodian-oversight", "notice") in {(f.rule, f.severity) for f in found(data)}


def test_a_trial_records_nothing(sealed: str) -> None:
    assert ("trial-record", "error") in {(f.rule, f.severity) for f in found(sealed.encode(), "trial")}
    assert "trial-record" not in {f.rule for f in found(sealed.encode(), "demo")}
