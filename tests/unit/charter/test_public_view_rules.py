"""What the charter says about the public view: its defaults, what is never shown, and no archive."""

from __future__ import annotations

import pytest

from watchglass.charter.diff import compare
from watchglass.charter.lint import lint
from watchglass.charter.parse import CharterErrors, CharterRefused, parse, read
from watchglass.charter.redraw import Drawn, Hidden, redraw
from watchglass.charter.words import explain
from watchglass.core.time import MINUTE

DOOR = "[[100, 100], [200, 100], [200, 200]]"
BEFORE = "    never_see:"


def with_door(edit, shape: str = DOOR) -> bytes:
    return edit((BEFORE, f"    never_show: [{shape}]\n{BEFORE}"))


def told(data: bytes) -> str:
    return " ".join(line for section in explain(parse(data)) for line in section.sentences)


def test_what_a_charter_leaves_out_is_late_hidden_and_coarse(edit) -> None:
    rules = parse(edit(("mode: painted, delay: 15m, hide_below: 3, grid_m: 1", "mode: painted"))).safeguards.public_view
    assert (rules.delay_ms, rules.hide_below, rules.grid_m) == (15 * MINUTE, 3, 1.0)


def test_it_is_live_only_where_that_is_written_and_then_it_must_be_consulted_on(edit) -> None:
    live = edit(("delay: 15m", "delay: 0s"))
    assert parse(live).safeguards.public_view.delay_ms == 0
    (finding,) = [each for each in lint(read(live)) if each.rule == "live-view"]
    assert finding.severity == "warning"
    assert "must be consulted on" in finding.message


def test_an_archive_is_refused_by_name(edit) -> None:
    with pytest.raises(CharterRefused) as caught:
        parse(edit(("mode: painted", "mode: painted, archive: 30d")))
    assert "archive of the public view" in caught.value.message
    assert "nobody can ask for another time" in caught.value.fix


def test_areas_that_are_never_shown_are_read_and_told(edit) -> None:
    data = with_door(edit)
    (source,) = [source for source in parse(data).sources if source.never_show]
    assert source.never_show[0].corners == ((100, 100), (200, 100), (200, 200))
    assert "One part of its picture is never shown to the public" in told(data)
    assert "never shown to the public" not in told(edit())


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ("[[100, 100], [9000, 100], [200, 200]]", "outside the picture"),
        ("[[100, 100], [300, 200], [300, 100], [100, 250]]", "crosses itself"),
        ("[[100, 100], [200, 200]]", "polygon"),
    ],
)
def test_a_shape_that_cannot_be_is_refused_where_it_stands(edit, shape: str, words: str) -> None:
    with pytest.raises(CharterErrors) as caught:
        parse(with_door(edit, shape))
    (fault,) = caught.value.faults
    assert "never_show[0]" in fault.path
    assert words in fault.message


def test_the_zone_editor_keeps_what_is_never_shown(edit) -> None:
    data = with_door(edit)
    (source,) = [source for source in parse(data).sources if source.never_show]
    zones = [
        Drawn(zone.name, zone.points, "line" if zone.line else "polygon", zone.area_m2, zone.name)
        for zone in source.zones
    ]
    hidden = [Hidden(area.corners, index) for index, area in enumerate(source.never_see)]
    new = Drawn("new", ((9.0, 9.0), (60.0, 9.0), (60.0, 60.0)))
    drawn = redraw(data, source.name, [*zones, new], hidden)
    assert parse(drawn).source(source.name).never_show == source.never_show
    assert f"never_show: [{DOOR}]".encode() in drawn


def test_to_show_more_is_widening_and_to_hide_more_is_narrowing(edit) -> None:
    without, door = parse(edit(("version: 3", "version: 4"))), parse(with_door(edit))
    both = parse(with_door(edit, f"{DOOR}, [[300, 300], [400, 300], [400, 400]]"))
    for old, new, weight in ((door, without, "widening"), (without, door, "narrowing"), (door, both, "narrowing")):
        (change,) = [each for each in compare(old, new) if each.path.endswith("never_show")]
        assert change.weight == weight
        assert "what the public is never shown" in change.sentence
