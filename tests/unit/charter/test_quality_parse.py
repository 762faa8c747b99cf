"""Limits, second reads and seeded checks are read strictly: each mistake with its line, and what to write instead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from watchglass.charter.model import Charter, QualityLimits
from watchglass.charter.parse import CharterErrors, CharterRefused, Fault, parse
from watchglass.core.errors import BadInput

CROWDING = "    precision_at_least: 0.6\n"


def faults(data: bytes) -> list[Fault]:
    with pytest.raises(CharterErrors) as caught:
        parse(data)
    return list(caught.value.faults)


def test_every_limit_is_a_whole_number_of_thousandths(judged_charter: Charter) -> None:
    limits = judged_charter.limits_of("crowding")
    assert limits == QualityLimits(
        "crowding",
        20.0,
        precision_at_least=600,
        false_alerts_per_week=3000,
        reviewed_in_time_at_least=950,
        undecided_at_most=200,
        trial_ms=60 * 86_400_000,
    )
    assert limits.analytic == "crowding"
    assert [limits.tested(limit) for limit in limits.stated] == [400, 3000, 50, 200]
    assert judged_charter.limits_of("camera-health") is None
    review = judged_charter.safeguards.review
    assert (review.second_read, review.second_read_at_least_per_reviewer_month) == (100, 10)
    assert review.seeded_checks is not None
    assert (review.seeded_checks.share, review.seeded_checks.at_least_per_reviewer_month) == (20, 10)


def test_alpha_is_split_equally_over_all_limits_and_never_more_than_all_of_it(judged_charter: Charter) -> None:
    quality = judged_charter.quality
    assert quality is not None
    assert quality.tests == (
        ("crowding", "precision_at_least"),
        ("crowding", "false_alerts_per_week"),
        ("crowding", "reviewed_in_time_at_least"),
        ("crowding", "undecided_at_most"),
        ("on-the-track", "precision_at_least"),
    )
    assert quality.alpha_each == pytest.approx(0.01)
    for names in range(1, 40):
        limits = tuple(replace(quality.limits[0], name=f"a{n}") for n in range(names))
        more = replace(quality, limits=limits)
        assert sum(more.alpha_each for _ in more.tests) <= quality.alpha / 1000 + 1e-12


@pytest.mark.parametrize("written", ["0.6", "60%", "60 %", "0.600"])
def test_a_share_is_written_as_a_number_or_in_percent(rejudge, written: str) -> None:
    limits = parse(rejudge((CROWDING, f"    precision_at_least: {written}\n"))).limits_of("crowding")
    assert limits is not None
    assert limits.precision_at_least == 600


WRONG = {
    "bare percent": ((CROWDING, "    precision_at_least: 60\n"), "more than the whole", "Write 60%, or 0.6."),
    "percent in words": ((CROWDING, "    precision_at_least: 60 per cent\n"), "with their sign", "Write 60%."),
    "all in words": ((CROWDING, "    precision_at_least: most\n"), "such as 0.6 or 60%", "in that form"),
    "always": ((CROWDING, "    precision_at_least: 100%\n"), "outside 0.001 to 0.999", "Write a share"),
    "too fine": ((CROWDING, "    precision_at_least: 0.66667\n"), "finer than shares are kept", "three digits"),
    "a slip in a limit": ((CROWDING, "    precison_at_least: 0.6\n"), "not known here", "Did you mean `precision_at"),
    "a slip in alpha": (("  alpha: 0.05", "  alhpa: 0.05"), "'alhpa' is not known", "Did you mean `alpha`?"),
    "an analytic that is not there": (("  crowding:\n    exp", "  crowdin:\n    exp"), "no analytic", "`crowding`"),
    "a number for an analytic": (("  fewest: 20", "  camera-health: 20"), "Expected a section", "Indent its lines"),
    "no limit": (
        ("    precision_at_least: 0.8\n    trial: 120d\n", ""),
        "states no limit at all",
        "`precision_at_least: 0.6`",
    ),
    "no trial": (("    trial: 60d\n", ""), "earned on trial", "`trial: 60d`"),
    "a trial for nothing": ((CROWDING, ""), "there is none", "`precision_at_least: 0.6`"),
    "a trial of an hour": (("    trial: 60d\n", "    trial: 1h\n"), "from a day to a year", "`trial: 60d`"),
    "how many alerts": (("    expected_alerts_per_week: 12\n", ""), "no `expected_alerts_per_week`", "a number from"),
    "nothing to compare": ((CROWDING, CROWDING + "    disparity_at_most: 2\n"), "what is compared", "strata: [day"),
    "comparing for nothing": ((CROWDING, CROWDING + "    strata: [day, night]\n"), "there is none", "disparity_at"),
    "half of a comparison": (
        (CROWDING, CROWDING + "    strata: [day]\n    disparity_at_most: 2\n"),
        "with 2 to 2 parts",
        "Add what is missing",
    ),
    "weather": (
        (CROWDING, CROWDING + "    strata: [day, rain]\n    disparity_at_most: 2\n"),
        "Expected day or night, and never a trait of a person, and found 'rain'",
        "Write one of these.",
    ),
    "less often than as often": (
        (CROWDING, CROWDING + "    strata: [day, night]\n    disparity_at_most: 0.5\n"),
        "outside 1.1 to 100",
        "from 1.1 to 100",
    ),
    "a minimum without a share": (("    second_read: 10%\n", ""), "goes with `second_read`", "`second_read: 10%`"),
    "final too soon": (("matures: 14d", "matures: 1m"), "after an hour to 90 days", "`matures: 14d`"),
    "final before decided": (("within: 2m", "within: 20d"), "before a person must have decided", "Let `matures`"),
    "gone before final": (("alerts: 1y", "alerts: 10d"), "deleted before it is final", "at most `retention.alerts`"),
    "seeded checks as a share": (
        ("seeded_checks: {share: 2%, at_least_per_reviewer_month: 10}", "seeded_checks: 2%"),
        "Expected a section",
        "{name: value}",
    ),
}


@pytest.mark.parametrize(("pair", "message", "fix"), WRONG.values(), ids=WRONG)
def test_each_mistake_is_told_with_its_line_and_what_to_write(rejudge, pair, message: str, fix: str) -> None:
    (fault,) = faults(rejudge(pair))
    assert message in fault.message
    assert fix in fault.fix
    assert 1 < fault.line < 80


def test_limits_without_anybody_who_takes_over_are_refused(rejudge) -> None:
    stop = "  on_suspension: {tell: [oversight, shift-lead], people_do: double patrols on the steps until resumed}\n"
    (fault,) = faults(rejudge((stop, "")))
    assert "nothing says whom to tell" in fault.message
    assert "on_suspension" in fault.fix
    assert fault.path == "quality"


def test_no_limit_at_all_is_no_section(rejudge, judged: str) -> None:
    begin, end = judged.index("  crowding:\n    exp"), judged.index("ledger: {check")
    (fault,) = faults(rejudge((judged[begin:end], "")))
    assert "No analytic has a limit here" in fault.message


def test_nobody_is_compared_by_who_they_are(rejudge) -> None:
    data = rejudge((CROWDING, CROWDING + "    strata: [day, gender]\n    disparity_at_most: 2\n"))
    with pytest.raises(CharterRefused) as caught:
        parse(data)
    (refusal,) = caught.value.refusals
    assert refusal.rule == "sensitive-traits"


def test_drills_go_together_with_the_limit_that_they_are_for(judged_charter: Charter) -> None:
    limits = judged_charter.limits_of("crowding")
    assert limits is not None
    with pytest.raises(BadInput, match="goes together with `drills_planned`"):
        replace(limits, recall_at_least=800)


def test_a_limit_that_is_not_stated_cannot_be_tested(judged_charter: Charter) -> None:
    limits = judged_charter.limits_of("on-the-track")
    assert limits is not None
    with pytest.raises(BadInput, match="no limit 'undecided_at_most'"):
        limits.tested("undecided_at_most")
