"""Areas and lines of a charter: exactly the sensible ones are taken; the others are refused with their line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from thorough import tries
from watchglass.charter.outline import simple_polygon
from watchglass.charter.parse import CharterErrors, Fault, parse
from watchglass.core.errors import BadInput

TEXT = (Path(__file__).parents[1] / "spec" / "charters" / "harbour-square.yaml").read_text("utf-8")
AFTER = "      track: {polygon: [[0,200],[768,180],[768,230],[0,250]]}\n"
WIDE, HIGH = 768, 576
PATH = "sources.steps-cam.zones.extra"

Point = tuple[Fraction, Fraction]

odd = st.sampled_from([".nan", ".inf", "-.inf", "1e400", "null", "true", "[]", "0x10", "1_0", "~", "12:30"])
plain = st.one_of(
    st.integers(-1, 8).map(lambda i: str(i * 96)),  # few places, so that corners meet and edges cross
    st.integers(0, 1152).map(lambda i: str(i / 2)),
    st.sampled_from(["-0.5", "-0.0", "768", "768.5", "576.5", "99999", "1e3"]),
)
points = st.lists(st.tuples(plain, plain), min_size=0, max_size=7)


def turn(a: Point, b: Point, c: Point) -> Fraction:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether two segments share a point, by exact arithmetic."""
    across = (b[0] - a[0]) * (d[1] - c[1]) - (b[1] - a[1]) * (d[0] - c[0])
    if across:
        t = ((c[0] - a[0]) * (d[1] - c[1]) - (c[1] - a[1]) * (d[0] - c[0])) / across
        u = ((c[0] - a[0]) * (b[1] - a[1]) - (c[1] - a[1]) * (b[0] - a[0])) / across
        return 0 <= t <= 1 and 0 <= u <= 1
    if turn(a, b, c):
        return False
    return max(min(a, b), min(c, d)) <= min(max(a, b), max(c, d))  # on one line: points in order along it


def inside(corners: list[Point]) -> bool:
    return all(0 <= x <= WIDE and 0 <= y <= HIGH for x, y in corners)


def simple(corners: list[Point]) -> bool:
    """Whether an outline is one that a charter may have."""
    n = len(corners)
    if n < 3 or len(set(corners)) != n or not inside(corners):
        return False
    doubled = sum(a[0] * b[1] - a[1] * b[0] for a, b in zip(corners, [*corners[1:], corners[0]], strict=True))
    if abs(doubled) < 2:
        return False
    edges = [(corners[i], corners[(i + 1) % n]) for i in range(n)]
    return not any(meet(*edges[i], *edges[j]) for i in range(n) for j in range(i + 2, n) if not (i == 0 and j == n - 1))


def faults_of(what: str, written: str) -> tuple[Fault, ...]:
    """What is wrong with a charter that has this zone too."""
    text = TEXT.replace(AFTER, f"{AFTER}      extra: {{{what}: {written}}}\n")
    assert text != TEXT
    faults: tuple[Fault, ...] = ()
    try:
        parse(text.encode())
    except CharterErrors as error:
        faults = error.faults
    line = 1 + text[: text.index("      extra: ")].count("\n")
    assert {fault.line for fault in faults} <= {line}
    assert all(fault.path.startswith(PATH) and fault.message and fault.fix for fault in faults)
    return faults


def text_of(corners: list[tuple[str, str]]) -> str:
    return "[" + ", ".join(f"[{x}, {y}]" for x, y in corners) + "]"


@settings(max_examples=tries(500), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=8))
def test_exactly_the_outlines_that_do_not_cross_themselves_are_polygons(corners: list[tuple[int, int]]) -> None:
    exact = [(Fraction(x), Fraction(y)) for x, y in corners]
    try:
        simple_polygon(tuple((float(x), float(y)) for x, y in corners))
        taken = True
    except BadInput:
        taken = False
    assert taken == simple(exact)


@settings(max_examples=tries(80), deadline=None)
@given(points)
def test_exactly_the_simple_outlines_within_the_picture_are_areas(corners: list[tuple[str, str]]) -> None:
    exact = [(Fraction(x), Fraction(y)) for x, y in corners]
    assert (not faults_of("polygon", text_of(corners))) == simple(exact)


@settings(max_examples=tries(40), deadline=None)
@given(points)
def test_exactly_two_different_points_within_the_picture_are_a_line(ends: list[tuple[str, str]]) -> None:
    exact = [(Fraction(x), Fraction(y)) for x, y in ends]
    sensible = len(exact) == 2 and inside(exact)
    if sensible:
        (a, b), (c, d) = exact
        sensible = max(abs(a - c), abs(b - d)) >= 1
    assert (not faults_of("line", text_of(ends))) == sensible


@settings(max_examples=24, deadline=None)
@given(st.sampled_from(["polygon", "line"]), odd, st.integers(0, 1), st.integers(0, 3))
def test_what_is_no_number_is_no_corner(what: str, written: str, place: int, which: int) -> None:
    corners = [["100", "100"], ["300", "100"], ["300", "300"], ["100", "300"]][: 2 if what == "line" else 4]
    corners[which % len(corners)][place] = written
    assert faults_of(what, text_of([(x, y) for x, y in corners]))


@settings(max_examples=20, deadline=None)
@given(st.recursive(st.sampled_from(["1", "x", "null", "[]", "{}"]), lambda inner: st.lists(inner, max_size=4).map(
    lambda items: "[" + ", ".join(items) + "]"), max_leaves=12))  # fmt: skip
def test_what_is_no_list_of_corners_is_refused_with_its_line(written: str) -> None:
    assert faults_of("polygon", written)
