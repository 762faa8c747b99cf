"""Whatever is drawn: the new text says exactly that, and nothing else in the file has moved."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from thorough import tries
from watchglass.charter.outline import flat
from watchglass.charter.parse import parse
from watchglass.charter.redraw import Drawn, Hidden, Measured, Plane, redraw

TEXT = (Path(__file__).parents[1] / "spec" / "charters" / "harbour-square.yaml").read_bytes()
CHARTER = parse(TEXT)
SOURCE = CHARTER.sources[0]
USED = {analytic.zone for analytic in CHARTER.analytics_of(SOURCE.name)}
WIDE, HIGH = (SOURCE.picture.width, SOURCE.picture.height) if SOURCE.picture else (640, 360)

corner = st.tuples(st.integers(0, WIDE - 40), st.integers(0, HIGH - 40))


@st.composite
def triangles(draw: st.DrawFn) -> tuple[tuple[float, float], ...]:
    x, y = draw(corner)
    return ((float(x), float(y)), (float(x + draw(st.integers(9, 40))), float(y)), (float(x), float(y + 30.5)))


names = st.from_regex(r"new-[a-z0-9](-?[a-z0-9]){0,8}", fullmatch=True)


@st.composite
def drawings(draw: st.DrawFn) -> tuple[list[Drawn], list[Hidden]]:
    zones = []
    for zone in SOURCE.zones:
        if zone.name not in USED and draw(st.booleans()):
            continue
        points = draw(triangles()) if zone.polygon and draw(st.booleans()) else zone.points
        name = draw(names) if draw(st.booleans()) else zone.name
        zones.append(Drawn(name, points, "polygon" if zone.polygon else "line", zone.area_m2, zone.name))
    for name in draw(st.lists(names, max_size=3)):
        size = draw(st.none() | st.integers(1, 900).map(float))
        zones.append(Drawn(name, draw(triangles()), area_m2=size))
    unique = list({zone.name: zone for zone in zones}.values())
    if {zone.was for zone in unique} < {zone.was for zone in zones}:
        unique = [zone for zone in zones if zone.was is not None and zone.name == zone.was]
        unique += [Drawn(z.name, z.points, "polygon" if z.polygon else "line", z.area_m2, z.name) for z in SOURCE.zones
                   if z.name not in {zone.was for zone in unique}]  # fmt: skip
    hidden = [
        Hidden(draw(triangles()) if draw(st.booleans()) else polygon.corners, index)
        for index, polygon in enumerate(SOURCE.never_see)
        if draw(st.booleans())
    ]
    return unique, [*hidden, *(Hidden(points) for points in draw(st.lists(triangles(), max_size=2)))]


@settings(max_examples=tries(60, 15), deadline=None)
@given(drawings())
def test_the_new_charter_is_what_was_drawn(drawing: tuple[list[Drawn], list[Hidden]]) -> None:
    zones, hidden = drawing
    after = redraw(TEXT, SOURCE.name, zones, hidden, version=CHARTER.version + 1)
    new = parse(after)
    assert new.version == CHARTER.version + 1
    source = new.source(SOURCE.name)
    assert {(zone.name, zone.points, zone.area_m2) for zone in source.zones} == {
        (zone.name, zone.points, zone.area_m2) for zone in zones
    }
    assert [polygon.corners for polygon in source.never_see] == [area.points for area in hidden]
    named = {zone.was: zone.name for zone in zones}
    for before, now in zip(CHARTER.analytics, new.analytics, strict=True):
        mine = before.source == SOURCE.name
        assert now.zone == (named[before.zone] if mine and before.zone else before.zone)
    assert redraw(after, SOURCE.name, [Drawn(z.name, z.points, z.kind, z.area_m2, z.name) for z in zones],
                  [Hidden(area.points, index) for index, area in enumerate(hidden)]) == after  # fmt: skip
    comments = [line for line in TEXT.splitlines() if line.lstrip().startswith(b"#")]
    assert [line for line in after.splitlines() if line.lstrip().startswith(b"#")] == comments


places = st.tuples(
    *(st.integers(0, 4 * most).map(lambda quarter: quarter / 4) for most in (WIDE, HIGH)),
    *[st.integers(-8000, 8000).map(lambda cent: cent / 100)] * 2,
)
planes = st.lists(places, min_size=4, max_size=7, unique=True).filter(lambda points: _wide(tuple(points)))


def _wide(points: tuple[Measured, ...]) -> bool:
    return not flat([point[:2] for point in points]) and not flat([point[2:] for point in points])


@settings(max_examples=tries(20, 6), deadline=None)
@given(planes, planes, st.data())
def test_the_ground_is_what_was_measured(first: list[Measured], second: list[Measured], data: st.DataObject) -> None:
    zones = [Drawn(z.name, z.points, "polygon" if z.polygon else "line", z.area_m2, z.name) for z in SOURCE.zones]
    hidden = [Hidden(polygon.corners, index) for index, polygon in enumerate(SOURCE.never_see)]
    text = TEXT
    for points in (first, [*data.draw(st.permutations(first)), *second], second):
        text = redraw(text, SOURCE.name, zones, hidden, plane=Plane(tuple(points)))
        view = parse(text).source(SOURCE.name).view
        assert view is not None
        assert sorted((*point.at, *point.m) for point in view.plane) == sorted(points)
        as_read = tuple((*point.at, *point.m) for point in view.plane)
        assert redraw(text, SOURCE.name, zones, hidden, plane=Plane(as_read)) == text
    assert redraw(text, SOURCE.name, zones, hidden, plane=Plane(())) == TEXT
