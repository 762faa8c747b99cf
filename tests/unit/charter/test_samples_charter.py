"""The clause about samples of what was not alerted: what it may say, what lint tells of it, and what residents read."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchglass.charter.decide import Standing, decide, in_force
from watchglass.charter.diff import compare
from watchglass.charter.lint import lint
from watchglass.charter.model import Charter
from watchglass.charter.parse import parse, read
from watchglass.charter.permit import TakeSample
from watchglass.charter.words import explain
from watchglass.core.errors import BadInput, Refused
from watchglass.core.time import DAY

ASKED = "  samples: {near_misses: 5%, quiet_a_day: 2, kept: 7d}\n"
HARBOUR = Path(__file__).parents[2] / "spec" / "charters" / "harbour-square.yaml"
AT = "  review: {within: 2m}\n"
NOON = in_force(parse(HARBOUR.read_bytes()))[0] + DAY // 2


@pytest.fixture
def sampled(edit) -> Charter:
    return parse(edit((AT, AT + ASKED)))


def test_the_clause_says_how_much_and_for_how_long(sampled: Charter) -> None:
    samples = sampled.safeguards.samples
    assert samples is not None
    assert (samples.near_misses, samples.very_near, samples.quiet_a_day, samples.kept_ms) == (50, 50, 2, 7 * DAY)


@pytest.mark.parametrize(
    ("asked", "fix"),
    [
        ("{near_misses: 5%, kept: 91d}", "30d"),
        ("{near_misses: 5%, very_near_misses: 2%, kept: 7d}", "at least"),
        ("{near_misses: 0%, kept: 7d}", "0.001"),
        ("{near_misses: 5%, quiet_a_day: 25, kept: 7d}", "0 to 24"),
        ("{quiet_a_day: 1, kept: 7d}", "near_misses"),
    ],
)
def test_what_the_clause_may_not_say(edit, asked: str, fix: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(edit((AT, f"{AT}  samples: {asked}\n")))
    assert fix in f"{refused.value.message} {refused.value.fix}"


def test_samples_do_not_outlive_alerts(edit) -> None:
    with pytest.raises(BadInput, match="longer than the alerts"):
        parse(edit((AT, f"{AT}  samples: {{near_misses: 5%, kept: 30d}}\n"), ("alerts: 1y", "alerts: 14d")))


def test_without_the_clause_nothing_is_sampled(charter: Charter, sampled: Charter) -> None:
    def standing(one: Charter) -> Standing:
        both = frozenset({"authority", "oversight"})
        return Standing(one, "production", both, "cosigned", witnessed_ms=NOON)  # type: ignore[arg-type]  # a set of words

    name = next(each.name for each in charter.analytics if each.hours is None)
    with pytest.raises(Refused, match="not let anybody look at what was not alerted"):
        decide(standing(charter), TakeSample(name, NOON), NOON)
    assert decide(standing(sampled), TakeSample(name, NOON), NOON).purpose == sampled.analytic(name).purpose


def test_lint_tells_who_looks_how_long_and_what_is_learnt(edit) -> None:
    found = {f.rule: f for f in lint(read(edit((AT, AT + ASKED.replace("7d", "30d")))), "production")}
    assert "30 days, those of alerts for 7 days" in found["samples-kept"].message
    # two rules, two moments a day: 28 clips of 20 seconds; of 1,000 near-misses 50 clips
    assert "ten minutes a week together (28 clips)" in found["samples-cost"].message
    assert "50 are looked at, in 17 minutes" in found["samples-cost"].message
    # 730 clips of 8 seconds are 0.00966 weeks; -ln(0.05) over that
    assert "fewer than 310 a camera-week" in found["samples-learnt"].message


def test_residents_read_it(charter: Charter, sampled: Charter) -> None:
    words = str(explain(sampled))
    assert "5 of 100" in words or "1 of 20" in words
    assert "look at moments about which nobody was alerted" in words
    assert "clips of such moments are kept for 7 days" in words
    [change] = [c for c in compare(charter, sampled) if c.path == "safeguards.samples"]
    assert (change.weight, change.sentence) == (
        "widening",
        "People now look at samples of what nobody was alerted about.",
    )
    [less] = [c for c in compare(sampled, charter) if c.path == "safeguards.samples"]
    assert less.weight == "narrowing"
