"""Conditions are judged with hysteresis; light, size and crowding have stated bounds."""

from __future__ import annotations

from watchglass.charter.conditions import Conditions
from watchglass.quality.conditions import BEGINS, ENDS, NAMES, SHORT, Minute, Watch, in_words, stated_by
from watchglass.quality.seen import seen_of

ASKED = Conditions((30, 230), 400, 900, 980, 2_000)
FINE = Minute(100.0, 1.0, 1.0, 0, 1.0)


def spells(minutes: list[Minute], conditions: Conditions = ASKED) -> list[tuple[int, str, bool]]:
    watch, failing, found = Watch(), set[str](), []
    for at, minute in enumerate(minutes):
        for change in watch.take(conditions, minute, frozenset(failing)):
            (failing.add if change.begins else failing.discard)(change.name)
            found.append((at, change.name, change.begins))
    return found


def test_a_condition_fails_after_three_minutes_and_is_met_after_five_with_a_margin() -> None:
    dark, border, light = Minute(brightness=12.0), Minute(brightness=31.0), Minute(brightness=40.0)
    assert spells([dark] * (BEGINS - 1) + [light] + [dark] * (BEGINS - 1)) == []
    assert spells([dark] * BEGINS) == [(BEGINS - 1, "too_dark", True)]
    assert spells([dark] * 3 + [border] * 20) == [(2, "too_dark", True)]  # above 30, and not by a tenth
    found = spells([dark] * 3 + [light] * (ENDS - 1) + [dark] + [light] * ENDS)
    assert found == [(2, "too_dark", True), (2 + ENDS + ENDS, "too_dark", False)]


def test_each_condition_is_told_by_its_own_name_and_what_was_not_measured_changes_nothing() -> None:
    for bad, name in (
        (Minute(brightness=250.0), "too_bright"),
        (Minute(sharpness=0.2), "blurred"),
        (Minute(zones=0.5), "zones"),
        (Minute(uptime=0.5), "uptime"),
        (Minute(clock_ms=-2_500), "clock"),
    ):
        assert spells([bad] * 3 + [Minute()] * 9) == [(2, name, True)]
    assert spells([FINE] * 9) == []
    assert spells([Minute(brightness=1.0)] * 9, Conditions(sharpness_at_least=400)) == []
    assert set(SHORT) == set(NAMES)
    assert all(stated_by(ASKED, name) for name in NAMES)
    assert not stated_by(None, "clock")


def test_what_is_wrong_is_said_with_its_unit() -> None:
    assert in_words("too_dark", 12_000, 30_000) == "too dark to read: brightness 12, at least 30"
    assert in_words("clock", 2_500, 2_000) == "its clock is 2.5 seconds off, at most 2"
    assert in_words("uptime", 500, 980) == "pictures missing: there for 50% of the last hour, at least 98%"


def test_an_alert_is_put_into_strata_by_bounds_that_were_set_beforehand() -> None:
    boxes = [(0, 0, 10, height, 0) for height in (40, 60, 200)]
    assert seen_of(49.9, True, boxes, ["zones", "blurred"]) == {
        "light": "dark",
        "view": "infrared",
        "size": "middle",
        "crowding": "two to four",
        "degraded": ["blurred", "zones"],
    }
    assert [seen_of(each, False, [], ())["light"] for each in (50.0, 89.9, 90.0)] == ["dim", "dim", "bright"]
    assert seen_of(None, None, [], ()) == dict.fromkeys(("light", "view", "size", "crowding")) | {"degraded": []}
