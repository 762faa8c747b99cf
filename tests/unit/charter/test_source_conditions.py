"""Conditions of a source: read, told, weighed, and those that could never or would always fail."""

from __future__ import annotations

import pytest

from watchglass.charter.conditions import Conditions
from watchglass.charter.diff import compare
from watchglass.charter.lint import lint
from watchglass.charter.parse import CharterErrors, parse, read
from watchglass.charter.words import explain

ALL = "{brightness: [30, 230], sharpness_at_least: 0.4, zones_in_view_at_least: 90%, uptime_at_least: 0.98}"


def having(harbour: str, conditions: str) -> bytes:
    at = "    zones:\n"
    assert at in harbour
    return harbour.replace(at, f"    conditions: {conditions}\n{at}", 1).encode()


def test_each_condition_is_kept_as_a_whole_number(harbour: str) -> None:
    conditions = parse(having(harbour, ALL)).sources[0].conditions
    assert conditions == Conditions((30, 230), 400, 900, 980)
    assert conditions.stated == (
        "brightness",
        "sharpness_at_least",
        "zones_in_view_at_least",
        "uptime_at_least",
    )


@pytest.mark.parametrize(
    ("conditions", "says"),
    [
        ("{brightness: [230, 30]}", "would always fail"),
        ("{brightness: [30]}", "2 to 2 parts"),
        ("{brightness: [30, 256]}", "outside 0 to 255"),
        ("{clock_within: 2h}", "within a second to an hour"),
        ("{}", "states no condition"),
        ("{sharpnes_at_least: 1}", "sharpness_at_least"),
    ],
)
def test_what_cannot_be_meant_is_a_mistake(harbour: str, conditions: str, says: str) -> None:
    with pytest.raises(CharterErrors) as caught:
        parse(having(harbour, conditions))
    assert any(says in str(fault) for fault in caught.value.faults), caught.value.faults


@pytest.mark.parametrize(
    ("conditions", "rule", "says"),
    [
        ("{brightness: [0, 255]}", "conditions-never", "none is darker than 0"),
        ("{clock_within: 2s}", "conditions-never", "never measured"),
        ("{clock_within: 5m}", "conditions-never", "5 minutes off"),
        ("{brightness: [100, 110]}", "conditions-always", "asks for 100 to 110"),
        ("{sharpness_at_least: 7}", "conditions-always", "sharpness of 7"),
        ("{uptime_at_least: 100%}", "conditions-always", "one second without a picture"),
    ],
)
def test_lint_says_which_could_never_and_which_would_always_fail(
    harbour: str, conditions: str, rule: str, says: str
) -> None:
    found = [each for each in lint(read(having(harbour, conditions))) if each.rule == rule]
    assert any(says in each.message for each in found), found
    usual = lint(read(having(harbour, ALL)))
    assert not [each for each in usual if each.rule.startswith("conditions-")]


def test_residents_read_what_is_asked_and_asking_for_less_is_widening(harbour: str) -> None:
    with_all, without = parse(having(harbour, ALL)), parse(harbour.encode())
    told = " ".join(line for part in explain(with_all) for line in part.sentences)
    assert "neither too dark nor too bright (30 to 230" in told
    assert "9 of 10 parts of each area" in told
    assert [change.weight for change in compare(without, with_all)] == ["narrowing"]
    assert [change.weight for change in compare(with_all, without)] == ["widening"]
    looser = parse(having(harbour, ALL.replace("30, 230", "10, 230").replace("0.4", "0.5")))
    assert {change.path.rpartition(".")[2]: change.weight for change in compare(with_all, looser)} == {
        "brightness": "widening",
        "sharpness_at_least": "narrowing",
    }
