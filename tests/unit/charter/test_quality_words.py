"""Limits in words for residents, what changes between two of them, and which tests begin anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from watchglass.charter.diff import Change, compare
from watchglass.charter.limits import LIMITS
from watchglass.charter.model import Charter
from watchglass.charter.parse import parse
from watchglass.charter.phrases import in_natural
from watchglass.charter.redraw import Drawn, redraw
from watchglass.charter.renewed import begun_anew, rule_of
from watchglass.charter.words import explain


def told(charter: Charter, name: str) -> str:
    return " ".join(line for part in explain(charter) if part.id == name for line in part.sentences)


def changes(judged_charter: Charter, data: bytes) -> dict[str, Change]:
    return {change.path: change for change in compare(judged_charter, parse(data))}


def test_a_resident_reads_every_limit_and_what_happens_then(judged_charter: Charter) -> None:
    words = told(judged_charter, "quality")
    for part in (
        "“crowding”: at least 6 of 10 alerts must be right; at most 3 false alerts a week; at least 95 of 100 alerts",
        "must be decided within 2 minutes; at most 2 of 10 alerts may stay without a clear answer",
        "It begins on trial, for 60 days at most.",
        "On trial, alerts go to the people who decide and no further",
        "If the time is over before that, it stops.",
        "“camera health” has no limit: nothing stops it by itself, however often it is wrong.",
        "people do this instead: double patrols on the steps until resumed.",
        "would be at most 5 of 100.",
    ):
        assert part in words
    for limit in LIMITS:
        assert limit not in words


def test_a_resident_reads_that_nothing_is_promised(charter: Charter) -> None:
    assert told(charter, "quality").startswith("These rules do not say how often it may be wrong, and nothing stops it")


def test_a_resident_reads_how_the_people_who_decide_are_checked(judged_charter: Charter, charter: Charter) -> None:
    words = told(judged_charter, "reviewer")
    assert "1 of 10 are drawn by lot and made again by a second person who does not know the first answer" in words
    assert "2 of 100 are old ones whose answer is known, at least 10 a month for each person" in words
    assert "second person" not in told(charter, "reviewer")


@pytest.mark.parametrize(
    ("thousandths", "words"),
    [(600, "6 of 10"), (950, "95 of 100"), (625, "625 of 1,000"), (1000, "10 of 10"), (5, "5 of 1,000")],
)
def test_shares_are_said_as_counts(thousandths: int, words: str) -> None:
    assert in_natural(thousandths) == words


@pytest.mark.parametrize(
    ("old", "new", "weight"),
    [
        ("precision_at_least: 0.6", "precision_at_least: 0.7", "narrowing"),
        ("precision_at_least: 0.6", "precision_at_least: 0.5", "widening"),
        ("false_alerts_per_week: 3", "false_alerts_per_week: 2.5", "narrowing"),
        ("false_alerts_per_week: 3", "false_alerts_per_week: 4", "widening"),
        ("reviewed_in_time_at_least: 95%", "reviewed_in_time_at_least: 90%", "widening"),
        ("undecided_at_most: 20%", "undecided_at_most: 10%", "narrowing"),
    ],
)
def test_tightening_begins_a_test_anew_and_loosening_keeps_its_history(
    rejudge, judged_charter: Charter, old: str, new: str, weight: str
) -> None:
    limit = old.partition(":")[0]
    data = rejudge((old, new))
    change = changes(judged_charter, data)[f"quality.crowding.{limit}"]
    assert change.weight == weight
    anew = begun_anew(judged_charter, parse(data), "crowding")
    if weight == "narrowing":
        assert anew == (limit,)
        assert change.sentence.endswith("It is counted anew.")
    else:
        assert anew == ()
        assert change.sentence.endswith("What was counted so far still counts.")
    assert begun_anew(judged_charter, parse(data), "on-the-track") == ()


@pytest.mark.parametrize(("within", "anew"), [("1m", ("reviewed_in_time_at_least",)), ("3m", ())])
def test_less_time_to_decide_begins_the_limit_of_review_in_time_anew(
    rejudge, judged_charter: Charter, within: str, anew: tuple[str, ...]
) -> None:
    data = rejudge(("within: 2m", f"within: {within}"))
    assert begun_anew(judged_charter, parse(data), "crowding") == anew
    told = changes(judged_charter, data).get("quality.crowding")
    assert (told is not None and "counted anew" in told.sentence) is bool(anew)


def test_a_limit_that_goes_widens_and_one_that_comes_narrows(rejudge, judged_charter: Charter) -> None:
    data = rejudge(("    undecided_at_most: 20%\n", ""))
    gone = changes(judged_charter, data)["quality.crowding.undecided_at_most"]
    assert (gone.weight, gone.sentence) == (
        "widening",
        "So many alerts of “crowding” may now stay without an answer: no limit; before: 2 of 10.",
    )
    assert begun_anew(parse(data), judged_charter, "crowding") == ("undecided_at_most",)


def test_another_model_or_rule_begins_all_tests_of_the_analytic_anew(
    rejudge, judged: str, judged_charter: Charter
) -> None:
    data = rejudge(("people_per_m2: 0.3, for: 20s", "people_per_m2: 0.3, for: 30s"))
    change = changes(judged_charter, data)["quality.crowding"]
    assert "works by another model or rule" in change.sentence
    assert "on trial again" in change.sentence
    assert begun_anew(judged_charter, parse(data), "crowding") == judged_charter.quality.limits[0].stated  # type: ignore[union-attr]
    assert begun_anew(judged_charter, parse(data), "on-the-track") == ()
    other = parse(rejudge(("sha256:aeba", "sha256:beba")))
    for name in ("crowding", "on-the-track"):
        assert rule_of(judged_charter, name) != rule_of(other, name)
    assert rule_of(judged_charter, "camera-health") == rule_of(other, "camera-health")
    assert begun_anew(judged_charter, other, "camera-health") == ()


def test_hours_names_of_zones_and_whom_it_tells_are_no_part_of_the_rule(rejudge, judged_charter: Charter) -> None:
    later = parse(rejudge(('hours: "01:00-04:30"', 'hours: "02:00-04:30"'), ("version: 3", "version: 4")))
    assert rule_of(later, "on-the-track") == rule_of(judged_charter, "on-the-track")
    renamed = parse(rejudge(("      track: {", "      rails: {"), ("zone: track", "zone: rails")))
    assert rule_of(renamed, "on-the-track") == rule_of(judged_charter, "on-the-track")
    assert rule_of(judged_charter, "nothing-of-the-kind") is None


def test_another_name_for_the_same_is_said_to_leave_behind_what_was_counted(
    judged: str, judged_charter: Charter
) -> None:
    renamed = judged.replace("on-the-track", "by-the-track").encode()
    sentence = changes(judged_charter, renamed)["analytics.by-the-track"].sentence
    assert "“on the track”, which is gone, looked for the same at the same place" in sentence
    assert "that a limit stopped it, does not count for the new name" in sentence
    elsewhere = renamed.replace(b"zone: track, purpose", b"zone: steps, purpose")
    assert "which is gone" not in changes(judged_charter, elsewhere)["analytics.by-the-track"].sentence


def test_limits_as_a_whole_come_and_go(judged_charter: Charter, charter: Charter) -> None:
    (come,) = [change for change in compare(charter, judged_charter) if change.path == "quality"]
    assert (come.weight, "“crowding” and “on the track”" in come.sentence) == ("narrowing", True)
    (gone,) = [change for change in compare(judged_charter, charter) if change.path == "quality"]
    assert (gone.weight, "nothing stops it by itself" in gone.sentence) == ("widening", True)
    assert begun_anew(charter, judged_charter, "on-the-track") == ("precision_at_least",)


def test_one_analytic_loses_its_limits(rejudge, judged: str, judged_charter: Charter) -> None:
    begin, end = judged.index("  on-the-track:\n    exp"), judged.index("ledger: {check")
    data = rejudge((judged[begin:end], ""))
    lost = changes(judged_charter, data)["quality.on-the-track"]
    assert (lost.weight, lost.sentence) == (
        "widening",
        "“on the track” has no limits any more. Before: right at least 8 of 10.",
    )
    back = {change.path: change for change in compare(parse(data), judged_charter)}["quality.on-the-track"]
    assert back.weight == "narrowing"


def test_fewer_checks_on_the_people_who_decide_widen(rejudge, judged_charter: Charter) -> None:
    data = rejudge(
        ("second_read: 10%", "second_read: 5%"),
        ("share: 2%, at_least_per_reviewer_month: 10", "share: 3%, at_least_per_reviewer_month: 5"),
        ("alpha: 0.05", "alpha: 0.1"),
    )
    weights = {path: change.weight for path, change in changes(judged_charter, data).items()}
    assert weights == {
        "safeguards.review.second_read": "widening",
        "safeguards.review.seeded_checks.share": "narrowing",
        "safeguards.review.seeded_checks.at_least_per_reviewer_month": "widening",
        "quality.alpha": "widening",  # limits act sooner, and trust is given sooner: it cannot be weighed
    }


def test_a_zone_that_is_drawn_anew_leaves_limits_as_they_are_written(judged: str, judged_charter: Charter) -> None:
    source = judged_charter.source("steps-cam")
    zones = [
        Drawn("rails" if zone.name == "track" else zone.name, zone.points, was=zone.name, area_m2=zone.area_m2)
        for zone in source.zones
    ]
    data = redraw(judged.encode(), "steps-cam", zones, [], version=4)
    after = parse(data)
    assert after.quality == replace(judged_charter, version=4).quality
    assert judged[judged.index("quality:") : judged.index("ledger:")] in data.decode()
