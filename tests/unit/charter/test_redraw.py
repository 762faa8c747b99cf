"""A charter's text is changed in place: what is drawn is new, and everything else is byte for byte as it was."""

from __future__ import annotations

import difflib

import pytest

from watchglass.charter.parse import CharterErrors, parse
from watchglass.charter.redraw import Drawn, Hidden, Measured, Plane, number, redraw
from watchglass.charter.tree import grow
from watchglass.core.errors import BadInput

SQUARE = ((10.0, 10.0), (60.0, 10.0), (60.0, 60.0), (10.0, 60.0))
POINT = ((10.0, 225.0), (520.0, 225.0), (560.0, 300.0))
DEMO = b"""\
# The scene is real.
watchglass: 1
version: 1
sources:
  street:
    kind: file
    picture: {width: 768, height: 576}
    view:
      ground: [[0, 190], [768, 150], [768, 576], [0, 576]]
    zones:
      assembly-point:
        polygon: [[360, 225], [520, 225], [560, 300], [480, 345], [340, 300]]
        area_m2: 30.8
      lawn:
        polygon: [[0, 264], [250, 322], [768, 576], [0, 576]]
        area_m2: 84.6
      closed-bays:
        polygon: [[0, 148], [330, 176], [256, 213], [0, 190]]
        area_m2: 74.2
    never_see:
      - [[326, 33], [574, 36], [574, 85], [326, 76]]   # the windows of the offices

analytics:
  gathering:
    kind: crowd_density
    source: street
    zone: assembly-point
    for: 1s
  on-the-lawn: {kind: intrusion, source: street, zone: lawn}   # while it is closed
"""

BLOCKS = b"""\
# kept
watchglass: 1
version: 7   # kept too
sources:
  cam:
    kind: file
    zones:
      first:
        polygon:
          - [0, 0]
          - [9, 0]   # goes with its corner
          - [9, 9]
      # about the second
      second: {polygon: [[0, 0], [5, 0], [5, 5]], area_m2: 4}
    never_see:
      - [[1, 1], [2, 1], [2, 2]]
      -
        - [3, 3]
        - [4, 3]
        - [4, 4]
    path: x.mp4  # last
  other: {kind: file, zones: {second: {polygon: [[0, 0], [5, 0], [5, 5]]}}}
analytics:
  a: {source: cam, zone: second}
  b: {source: other, zone: second}
"""


ZONES = (
    Drawn(
        "assembly-point",
        ((360, 225), (520, 225), (560, 300), (480, 345), (340, 300)),
        "polygon",
        30.8,
        "assembly-point",
    ),
    Drawn("lawn", ((0, 264), (250, 322), (768, 576), (0, 576)), "polygon", 84.6, "lawn"),
    Drawn("closed-bays", ((0, 148), (330, 176), (256, 213), (0, 190)), "polygon", 74.2, "closed-bays"),
)


def demo_zones(**changed: Drawn) -> list[Drawn]:
    return [changed.get(zone.name, zone) for zone in ZONES]


WINDOWS = Hidden(((326, 33), (574, 36), (574, 85), (326, 76)), 0)


def changed(before: bytes, after: bytes) -> list[str]:
    """The lines that differ, with their sign."""
    lines = difflib.unified_diff(before.decode().splitlines(), after.decode().splitlines(), n=0, lineterm="")
    return [line for line in lines if line[:1] in "+-" and line[:3] not in {"+++", "---"}]


def test_what_is_as_it_was_leaves_every_byte() -> None:
    assert redraw(DEMO, "street", demo_zones(), [WINDOWS]) == DEMO


def test_a_corner_moves_and_nothing_else() -> None:
    moved = Drawn("assembly-point", POINT, area_m2=30.8, was="assembly-point")
    after = redraw(DEMO, "street", demo_zones(**{"assembly-point": moved}), [WINDOWS])
    assert changed(DEMO, after) == [
        "-        polygon: [[360, 225], [520, 225], [560, 300], [480, 345], [340, 300]]",
        "+        polygon: [[10, 225], [520, 225], [560, 300]]",
    ]


def test_a_new_name_reaches_the_rules_of_this_source() -> None:
    named = Drawn("muster", demo_zones()[0].points, area_m2=30.8, was="assembly-point")
    after = redraw(DEMO, "street", demo_zones(**{"assembly-point": named}), [WINDOWS])
    assert changed(DEMO, after) == [
        "-      assembly-point:",
        "+      muster:",
        "-    zone: assembly-point",
        "+    zone: muster",
    ]


def test_two_areas_may_swap_their_names() -> None:
    first, lawn, bays = demo_zones()
    swapped = [
        Drawn("lawn", first.points, area_m2=first.area_m2, was=first.name),
        Drawn("assembly-point", lawn.points, area_m2=lawn.area_m2, was="lawn"),
        bays,
    ]
    tree = grow(redraw(DEMO, "street", swapped, [WINDOWS]))
    assert (
        redraw(
            redraw(DEMO, "street", swapped, [WINDOWS]),
            "street",
            [
                Drawn("assembly-point", first.points, area_m2=first.area_m2, was="lawn"),
                Drawn("lawn", lawn.points, area_m2=lawn.area_m2, was="assembly-point"),
                bays,
            ],
            [WINDOWS],
        )
        == DEMO
    )
    assert tree.get("sources") is not None


def test_things_come_and_go_in_the_manner_of_the_file() -> None:
    new = [*demo_zones()[:2], Drawn("kerb", ((5.0, 5.0), (90.5, 5.0)), "line"), Drawn("12", SQUARE, area_m2=3.0)]
    after = redraw(DEMO, "street", new, [Hidden(SQUARE)], version=4)
    assert changed(DEMO, after) == [
        "-version: 1",
        "+version: 4",
        "-      closed-bays:",
        "-        polygon: [[0, 148], [330, 176], [256, 213], [0, 190]]",
        "-        area_m2: 74.2",
        "-    never_see:",
        "-      - [[326, 33], [574, 36], [574, 85], [326, 76]]   # the windows of the offices",
        "+      kerb: {line: [[5, 5], [90.5, 5]]}",
        '+      "12": {polygon: [[10, 10], [60, 10], [60, 60], [10, 60]], area_m2: 3}',
        "+    never_see: [[[10, 10], [60, 10], [60, 60], [10, 60]]]",
    ]


def test_what_is_never_shown_is_a_list_of_its_own() -> None:
    after = redraw(DEMO, "street", demo_zones(), [WINDOWS], never_show=[Hidden(SQUARE)])
    assert changed(DEMO, after) == ["+    never_show: [[[10, 10], [60, 10], [60, 60], [10, 60]]]"]
    assert redraw(after, "street", demo_zones(), [WINDOWS]) == after, "who does not speak of it leaves it"
    assert redraw(after, "street", demo_zones(), [WINDOWS], never_show=[Hidden(SQUARE, 0)]) == after
    assert changed(after, redraw(after, "street", demo_zones(), [], never_show=[Hidden(SQUARE, 0)])) == [
        "-    never_see:",
        "-      - [[326, 33], [574, 36], [574, 85], [326, 76]]   # the windows of the offices",
    ]
    assert redraw(after, "street", demo_zones(), [WINDOWS], never_show=[]) == DEMO
    with pytest.raises(BadInput, match="not in the file"):
        redraw(DEMO, "street", demo_zones(), [WINDOWS], never_show=[Hidden(SQUARE, 0)])


def test_the_size_of_an_area_comes_and_goes() -> None:
    first = demo_zones()[0]
    without = redraw(
        DEMO, "street", demo_zones(**{first.name: Drawn(first.name, first.points, was=first.name)}), [WINDOWS]
    )
    assert changed(DEMO, without) == ["-        area_m2: 30.8"]
    other = Drawn(first.name, first.points, area_m2=31.0, was=first.name)
    assert changed(DEMO, redraw(DEMO, "street", demo_zones(**{first.name: other}), [WINDOWS])) == [
        "-        area_m2: 30.8",
        "+        area_m2: 31",
    ]
    again = redraw(without, "street", demo_zones(), [WINDOWS])
    assert b"area_m2: 30.8" in again


FIRST = Drawn("first", ((0, 0), (9, 0), (9, 9)), was="first")
SECOND = Drawn("second", ((0, 0), (5, 0), (5, 5)), area_m2=4, was="second")
HIDDEN = (Hidden(((1, 1), (2, 1), (2, 2)), 0), Hidden(((3, 3), (4, 3), (4, 4)), 1))


def test_lists_over_several_lines_are_understood() -> None:
    assert redraw(BLOCKS, "cam", [FIRST, SECOND], HIDDEN) == BLOCKS
    moved = Drawn("first", ((0, 0), (8, 0), (9, 9)), was="first")
    after = redraw(BLOCKS, "cam", [moved, SECOND], HIDDEN)
    assert b"[[0, 0], [8, 0], [9, 9]]" in after
    assert b"# about the second" in after
    assert b"# goes with its corner" not in after


def test_hidden_parts_are_told_apart_by_their_place() -> None:
    after = redraw(BLOCKS, "cam", [FIRST, SECOND], [HIDDEN[1], Hidden(SQUARE)])
    assert b"[[1, 1]" not in after
    assert b"- [[10, 10], [60, 10], [60, 60], [10, 60]]\n    path: x.mp4  # last" in after


def test_comments_and_other_sources_stay() -> None:
    after = redraw(BLOCKS, "cam", [Drawn("last", SECOND.points, area_m2=4, was="second")], [], version=8)
    assert after.startswith(b"# kept\nwatchglass: 1\nversion: 8   # kept too\n")
    assert b"a: {source: cam, zone: last}" in after
    assert b"b: {source: other, zone: second}" in after
    assert b"never_see" not in after
    assert b"path: x.mp4  # last" in after


def test_a_source_in_one_line_gets_and_loses_its_zones() -> None:
    other = Drawn("second", ((0, 0), (5, 0), (5, 5)), was="second")
    more = redraw(BLOCKS, "other", [other, Drawn("third", SQUARE)], [Hidden(SQUARE)])
    line = "[[10, 10], [60, 10], [60, 60], [10, 60]]"
    assert f"third: {{polygon: {line}}}}}, never_see: [{line}]}}" in more.decode()
    none = redraw(BLOCKS, "other", [], [])
    assert b"other: {kind: file}" in none
    back = redraw(none, "other", [Drawn("third", SQUARE)], [])
    assert f"other: {{kind: file, zones: {{third: {{polygon: {line}}}}}}}" in back.decode()


def test_a_file_without_a_last_line_break_gets_its_lines() -> None:
    short = b"watchglass: 1\nsources:\n  cam:\n    kind: file"
    after = redraw(short, "cam", [Drawn("a", SQUARE)], [])
    assert after == short + b"\n    zones: {a: {polygon: [[10, 10], [60, 10], [60, 60], [10, 60]]}}\n"


BAY: tuple[Measured, ...] = ((100, 500, 0, 0), (400, 500, 5, 0), (350, 300, 5, 7.5), (150, 300, 0, 7.5))


def test_the_ground_comes_a_point_a_line() -> None:
    after = redraw(DEMO, "street", demo_zones(), [WINDOWS], plane=Plane(BAY))
    assert changed(DEMO, after) == [
        "+      plane:",
        "+        - {at: [100, 500], m: [0, 0]}",
        "+        - {at: [400, 500], m: [5, 0]}",
        "+        - {at: [350, 300], m: [5, 7.5]}",
        "+        - {at: [150, 300], m: [0, 7.5]}",
    ]
    assert redraw(after, "street", demo_zones(), [WINDOWS], plane=Plane(BAY)) == after
    assert redraw(after, "street", demo_zones(), [WINDOWS]) == after, "not asked for: not touched"
    assert redraw(after, "street", demo_zones(), [WINDOWS], plane=Plane(())) == DEMO


def test_a_comment_stays_beside_its_point() -> None:
    first = redraw(DEMO, "street", demo_zones(), [WINDOWS], plane=Plane(BAY))
    text = first.replace(b"m: [5, 7.5]}", b"m: [5, 7.5]}   # the lamp")
    lamp = (351.0, 300.0, 5.0, 7.6)
    moved = redraw(text, "street", demo_zones(), [WINDOWS], plane=Plane((*BAY[:2], lamp, BAY[3])))
    assert b"- {at: [351, 300], m: [5, 7.6]}   # the lamp\n" in moved
    fewer = redraw(text, "street", demo_zones(), [WINDOWS], plane=Plane((BAY[1], *BAY[2:], (9.0, 9.0, 8.0, 8.0))))
    assert changed(text, fewer) == ["-        - {at: [100, 500], m: [0, 0]}", "+        - {at: [9, 9], m: [8, 8]}"]


def test_a_source_without_a_view_gets_one() -> None:
    plane = Plane(BAY, width_m=12.0)
    points = "{at: [100, 500], m: [0, 0]}, {at: [400, 500], m: [5, 0]}, {at: [350, 300], m: [5, 7.5]}"
    line = f"view: {{width_m: 12, plane: [{points}, {{at: [150, 300], m: [0, 7.5]}}]}}"
    after = redraw(BLOCKS, "cam", [FIRST, SECOND], HIDDEN, plane=plane)
    assert changed(BLOCKS, after) == [f"+    {line}"]
    other = Drawn("second", ((0, 0), (5, 0), (5, 5)), was="second")
    assert line in redraw(BLOCKS, "other", [other], [], plane=plane).decode()
    assert redraw(BLOCKS, "cam", [FIRST, SECOND], HIDDEN, plane=Plane((), width_m=12.0)) == BLOCKS
    with pytest.raises(BadInput, match="how wide its view is"):
        redraw(BLOCKS, "cam", [FIRST, SECOND], HIDDEN, plane=Plane(BAY))


def test_a_plane_in_an_unusual_form_is_left_to_people() -> None:
    odd = DEMO.replace(b"      ground:", b"      plane: [{at: [1, 2]}]\n      ground:")
    with pytest.raises(BadInput, match="does not dare"):
        redraw(odd, "street", demo_zones(), [WINDOWS], plane=Plane(BAY))
    assert redraw(odd, "street", demo_zones(), [WINDOWS]) == odd


@pytest.mark.parametrize(
    ("zones", "hidden", "said"),
    [
        ([Drawn("Lawn!", SQUARE)], [], "cannot be called 'Lawn!'"),
        ([Drawn("a", SQUARE), Drawn("a", POINT)], [], "Two areas are called 'a'"),
        ([Drawn("a", SQUARE, was="gone")], [], "not in the file"),
        ([], [Hidden(SQUARE, 7)], "not in the file"),
        ([], [Hidden(SQUARE, 0), Hidden(SQUARE, 0)], "not in the file"),
        ([Drawn("lawn", SQUARE[:2], "line", was="lawn")], [], "cannot turn from an area into a line"),
    ],
)
def test_what_makes_no_sense_is_refused(zones: list[Drawn], hidden: list[Hidden], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        redraw(DEMO, "street", zones, hidden)


def test_there_must_be_such_a_source() -> None:
    with pytest.raises(BadInput, match="no source called 'moon'"):
        redraw(DEMO, "moon", [], [])


def test_what_cannot_be_changed_safely_is_left_to_people() -> None:
    odd = BLOCKS.replace(b"    zones:\n      first:\n", b"    zones: !!map\n      first:\n")
    with pytest.raises(BadInput):
        redraw(odd, "cam", [FIRST], [])
    word = b"sources:\n  cam:\n    zones: none\n"
    with pytest.raises(BadInput, match="does not dare"):
        redraw(word, "cam", [Drawn("a", SQUARE)], [])


def test_the_parser_judges_what_was_drawn(harbour: str) -> None:
    text = harbour.encode()
    source = parse(text).sources[0]
    keep = [
        Drawn(zone.name, zone.points, "line" if zone.line else "polygon", zone.area_m2, zone.name)
        for zone in source.zones
    ]
    hidden = [Hidden(polygon.corners, index) for index, polygon in enumerate(source.never_see)]
    assert redraw(text, source.name, keep, hidden) == text
    bow = ((10.0, 10.0), (90.0, 60.0), (90.0, 10.0), (10.0, 40.0))
    with pytest.raises(CharterErrors, match="crosses itself") as caught:
        parse(redraw(text, source.name, [*keep, Drawn("bow", bow)], hidden))
    assert caught.value.faults[0].path == f"sources.{source.name}.zones.bow.polygon"


@pytest.mark.parametrize(
    ("value", "said"), [(0.0, "0"), (-0.001, "0"), (100.0, "100"), (7.5, "7.5"), (7.126, "7.13"), (-3.0, "-3")]
)
def test_numbers_are_short(value: float, said: str) -> None:
    assert number(value) == said
