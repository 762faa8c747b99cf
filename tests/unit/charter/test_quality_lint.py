"""Each rule of lint about limits finds what it is for; how soon a limit notices is told of each."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from watchglass.charter.lint import Finding, lint
from watchglass.charter.model import Charter
from watchglass.charter.parse import parse, read
from watchglass.charter.promised import promised
from watchglass.charter.quality_rules import NO_LIMITS, QUALITY_RULES, enough_drills, nothing_promised
from watchglass.charter.reckoning import notices, trusts
from watchglass.statistics.power import alerts_to_earn_trust, alerts_to_notice

CROWDING = "    precision_at_least: 0.6\n"
COMPARED = "    strata: [day, night]\n    disparity_at_most: 3\n"
HIT = {
    "quality-acts": [("reviewed_in_time_at_least: 95%", "reviewed_in_time_at_least: 99%")],
    "quality-late": [],
    "quality-soon": [],
    "quality-trial": [("    trial: 60d", "    trial: 10d")],
    "quality-trust": [],
    "quality-drills": None,
    "quality-strata": [("    precision_at_least: 0.8\n", "    precision_at_least: 0.8\n" + COMPARED)],
    "quality-borne": [("false_alerts_per_week: 3", "false_alerts_per_week: 20")],
    "quality-second-read": [
        ("    second_read: 10%\n    second_read_at_least_per_reviewer_month: 10\n", ""),
    ],
    "quality-seeded": [("    seeded_checks: {share: 2%, at_least_per_reviewer_month: 10}\n", "")],
}


def found(data: bytes, deployment: str = "production") -> list[Finding]:
    return lint(read(data), deployment)  # type: ignore[arg-type]  # the tests name real deployments


def test_every_rule_has_an_example() -> None:
    assert set(HIT) == {rule.id for rule in QUALITY_RULES}


@pytest.mark.parametrize("rule", [rule for rule, pairs in HIT.items() if pairs is not None])
def test_each_rule_finds_what_it_is_for_and_only_then(rejudge, harbour: str, rule: str) -> None:
    data = rejudge(*HIT[rule])
    hits = [f for f in found(data) if f.rule == rule]
    assert hits
    for finding in hits:
        assert finding.message.endswith(".")
        assert finding.fix.endswith(".")
        assert "Art. " in finding.article
        assert 40 < finding.line <= len(data.splitlines())
    if HIT[rule]:
        assert rule not in {f.rule for f in found(rejudge())}
    assert rule not in {f.rule for f in found(harbour.encode())}


def test_the_judged_harbour_charter_can_be_published(rejudge) -> None:
    assert {(f.rule, f.severity) for f in found(rejudge())} == {
        ("prohibited-words", "warning"),
        ("quality-late", "warning"),  # fifteen weeks for reviews that come too late
        ("quality-soon", "notice"),
        ("quality-trust", "notice"),
        ("samples-cost", "notice"),
        ("samples-learnt", "notice"),
        ("reports-learnt", "notice"),
        ("not-consulted", "notice"),
        ("stops-reach", "notice"),
    }


def test_whoever_is_to_be_told_of_a_stop_and_gets_no_message_is_named(rejudge) -> None:
    reach = (
        "destinations:\n  desk: {kind: webhook, who: the desk, url: https://a.example/x, secret: desk, roles: [%s]}\n"
    )
    said = {}
    for roles in ("clerk", "shift-lead", "oversight, shift-lead"):
        judged = rejudge(("quality:\n", f"{reach % roles}quality:\n"))
        said[roles] = [f.message.split(" when ")[0] for f in found(judged) if f.rule == "stops-reach"]
    assert said == {
        "clerk": ["No message reaches oversight and shift lead"],
        "shift-lead": ["No message reaches oversight"],
        "oversight, shift-lead": [],
    }


@pytest.mark.parametrize(("kept", "hit"), [("47h", True), ("48h", False)])
def test_clips_that_are_gone_before_a_second_person_looks_are_named(rejudge, judged: str, kept: str, hit: bool) -> None:
    now = re.search(r"reviewer_clips: \w+", judged)
    assert now is not None
    hits = [f for f in found(rejudge((now[0], f"reviewer_clips: {kept}"))) if f.rule == "read-again"]
    assert bool(hits) is hit
    assert all("reviewer_clips" in f.path for f in hits)


def test_of_every_limit_is_told_how_soon_it_would_notice_the_double(rejudge) -> None:
    told = {f.path: f.message for f in found(rejudge()) if f.rule == "quality-soon"}
    assert set(told) == {
        "quality.crowding.precision_at_least",
        "quality.crowding.false_alerts_per_week",
        "quality.crowding.reviewed_in_time_at_least",
        "quality.crowding.undecided_at_most",
        "quality.on-the-track.precision_at_least",
    }
    alerts = alerts_to_notice(200, 0.4, 0.01)
    assert alerts is not None
    assert told["quality.on-the-track.precision_at_least"] == (
        "`precision_at_least: 0.8` of 'on-the-track': wrong in 4 of 10 alerts, where 2 of 10 are borne, would be "
        f"noticed after about {alerts / 12:.1f} weeks: {alerts} alerts, at 12 a week."
    )
    assert "twice as many, 6 a week, would be noticed" in told["quality.crowding.false_alerts_per_week"]


def test_of_every_trial_is_told_how_many_alerts_earn_trust(rejudge) -> None:
    told = {f.path: f.message for f in found(rejudge()) if f.rule == "quality-trust"}
    alerts = alerts_to_earn_trust(400, 0.2, 0.05)  # trust is another question, so it has all of alpha
    assert f"after about {alerts} alerts" in told["quality.crowding.trial"]
    assert "wrong in 2 of 10 alerts, half as often as it may be" in told["quality.crowding.trial"]


def test_a_limit_that_can_never_act_stops_publication_but_not_a_trial_of_two_weeks(rejudge) -> None:
    data = rejudge(*HIT["quality-acts"])
    (error,) = [f for f in found(data) if f.severity == "error"]
    assert (error.rule, error.path) == ("quality-acts", "quality.crowding.reviewed_in_time_at_least")
    assert "could never act: late in 2 of 100 alerts" in error.message
    assert "The charter holds for 52.1 weeks." in error.message
    assert "quality-acts" not in {f.rule for f in found(data, "trial") if f.severity == "error"}
    assert "quality-acts" in {f.rule for f in found(data, "demo") if f.severity == "error"}


def test_a_trial_that_nobody_could_pass_is_an_error_with_what_it_takes(rejudge) -> None:
    (error,) = [f for f in found(rejudge(*HIT["quality-trial"])) if f.severity == "error"]
    assert error.message.startswith("'crowding' could never pass its trial of 1.4 weeks: If it is wrong in 2 of 10")
    rare = [("    expected_alerts_per_week: 20\n", "    expected_alerts_per_week: 0.5\n")]
    assert {f.rule for f in found(rejudge(*rare)) if f.severity == "error"} == {"quality-trial", "quality-acts"}


def test_day_and_night_are_compared_only_where_both_are_seen(rejudge) -> None:
    for hours, never in (("01:00-04:30", "by day"), ("08:00-18:00", "at night")):
        data = rejudge(*HIT["quality-strata"], ('hours: "01:00-04:30"', f'hours: "{hours}"'))
        (finding,) = [f for f in found(data) if f.rule == "quality-strata"]
        assert f"hardly ever {never}" in finding.message
    both = rejudge(
        *HIT["quality-strata"],
        ('hours: "01:00-04:30"', 'hours: "18:00-12:00"'),
        ("expected_alerts_per_week: 12", "expected_alerts_per_week: 60"),
    )
    assert "quality-strata" not in {f.rule for f in found(both)}
    soon = [f for f in found(both) if f.path == "quality.on-the-track.disparity_at_most" and f.rule == "quality-soon"]
    assert "6 times as often would be noticed after about" in soon[0].message
    assert "as many alerts by day as at night, and 2 of 10 wrong" in soon[0].message


def test_a_limit_on_what_is_missed_needs_as_many_drills_as_it_takes_to_notice(judged_charter: Charter) -> None:
    quality = judged_charter.quality
    assert quality is not None
    for planned, enough in ((40, False), (66, True)):
        limits = replace(quality.limits[0], recall_at_least=800, drills_planned=planned)
        charter = replace(judged_charter, quality=replace(quality, limits=(limits,)))
        hits = [*enough_drills(charter)]
        assert bool(hits) is not enough
        if hits:
            path, message = hits[0]
            assert path == ("quality", "crowding", "recall_at_least")
            assert "it takes 57 staged drills" in message
            assert "and 40 are planned" in message


def test_what_has_no_limits_is_named_except_faults_of_cameras(charter: Charter, judged_charter: Charter) -> None:
    assert NO_LIMITS.check is nothing_promised
    named = [path[1] for path, message in nothing_promised(charter) if "nobody promises" in message]
    assert named == ["crowding", "on-the-track"]
    assert not [*nothing_promised(judged_charter)]


def test_more_limits_make_each_of_them_slower(judged_charter: Charter) -> None:
    quality = judged_charter.quality
    assert quality is not None
    alone = replace(quality, limits=(quality.limits[1],))
    (quick,), slow = notices(alone), notices(quality)[-1]
    assert (quick.analytic, quick.limit) == (slow.analytic, slow.limit)
    assert quick.alerts is not None
    assert slow.alerts is not None
    assert quick.alerts < slow.alerts
    assert trusts(alone)[0].alerts == trusts(quality)[-1].alerts


def test_what_is_promised_is_data_too(judged: str, judged_charter: Charter, charter: Charter) -> None:
    assert promised(charter) is None
    data = promised(parse(judged.encode()))
    assert data is not None
    assert (data["alpha"], data["fewest"], data["without_limits"]) == (0.05, 20, ["camera-health"])
    first = data["analytics"][0]
    assert first["limits"][0]["value"] == 0.6
    assert first["limits"][0]["words"] == "at least 6 of 10 alerts must be right"
    assert first["limits"][1]["notices"]["alerts"] is None  # time alone counts
    assert first["trial"]["days"] == 60
    assert data["analytics"][1]["limits"][0]["notices"]["alerts"] == notices(judged_charter.quality)[-1].alerts
