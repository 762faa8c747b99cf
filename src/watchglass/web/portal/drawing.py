"""What an operator drew, as the form of the zone editor carries it: read, judged by the charter's parser, shown again.

Pure: text in, findings out. A shape's place in the form is its ``id``; where something is wrong with it, the sentence
stands beside it.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np

from watchglass.charter.diff import Change, compare
from watchglass.charter.model import Charter, Source
from watchglass.charter.parse import CharterErrors, CharterRefused, Fault, parse
from watchglass.charter.redraw import Drawn, Hidden, Measured, Plane, Point, number, redraw
from watchglass.core.errors import BadInput
from watchglass.core.geometry import Polygon
from watchglass.perception.ground import Ground

Kind = Literal["polygon", "line", "never", "grey"]
KINDS: Final[tuple[Kind, ...]] = ("polygon", "line", "never", "grey")
LISTS: Final = {"never": "never_see", "grey": "never_show"}
"""The kinds that have no name, and what the charter calls the list in which they stand."""
EMPTY: Final = "new-"
"""What the ids of the form's empty rows begin with."""

_GROUND: Final = "the ground"
"""Stands for the measured ground where faults are sorted; no shape can have it as its id."""

_ANY_SIZE: Final = (4096, 4096)

MOST: Final = 160
"""Shapes in one form; a charter may have fewer."""

_POINT: Final = re.compile(r"\[?\s*(-?\d{1,6}(?:\.\d{1,4})?)\s*[,; ]\s*(-?\d{1,6}(?:\.\d{1,4})?)\s*\]?,?", re.ASCII)
_PAIR: Final = r"\s*(-?\d{1,6}(?:\.\d{1,4})?)\s*[,; ]\s*(-?\d{1,6}(?:\.\d{1,4})?)\s*"
_MEASURED: Final = re.compile(f"{_PAIR}={_PAIR}", re.ASCII)
_AREA: Final = re.compile(r"\d{1,7}(\.\d{1,4})?", re.ASCII)
_ID: Final = re.compile(r"[a-z0-9-]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shape:
    """One thing that is drawn.

    Attributes:
        id: its place in the form. was: what the file knows it by (a name, or a number for a hidden area); "" if new.
        corners: its points as text, one a line. points: the same, where they could be read.
        used_by: the rules that look at it now.
        ground_m2: an area's size on the measured ground, square metres; None where that is not known.
        faults: what is wrong with it, in sentences.
    """

    id: str
    kind: Kind
    was: str
    name: str
    corners: str
    points: tuple[Point, ...] = ()
    area: str = ""
    removed: bool = False
    used_by: tuple[str, ...] = ()
    ground_m2: float | None = None
    faults: tuple[str, ...] = ()

    def but(self, *faults: str) -> Shape:
        """The same with further faults."""
        return replace(self, faults=(*self.faults, *faults))


@dataclass(frozen=True, slots=True)
class Measure:
    """The ground as it was measured.

    Attributes:
        text: the points as text, one a line: ``x, y = X, Y``. points: the same, where they could be read.
        width: metres across the picture as text, where the source states no view yet. asks_width: whether it does not.
        grid_m: the mesh of ``grid``, metres. grid: lines of the ground in the picture, each as its two ends in pixels.
        worst_m: how far the worst point is from where the plane puts it, metres; None where there is no plane.
        faults: what is wrong with it, in sentences.
    """

    text: str = ""
    points: tuple[Measured, ...] = ()
    width: str = ""
    asks_width: bool = False
    grid_m: float = 0.0
    grid: tuple[tuple[Point, Point], ...] = ()
    worst_m: float | None = None
    faults: tuple[str, ...] = ()

    def but(self, *faults: str) -> Measure:
        """The same with further faults."""
        return replace(self, faults=(*self.faults, *faults))


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a drawing.

    Attributes:
        shapes: as drawn, each with what is wrong with it.
        ground: as it was measured, with what is wrong with it.
        faults: what is wrong beyond one shape; where it is in the text, with its line.
        text: the new draft, where nothing is wrong. charter: what that means.
        changes: what it changes, for the people under the camera. lines: the text that differs, as a unified diff.
    """

    shapes: tuple[Shape, ...]
    ground: Measure = Measure()
    faults: tuple[str, ...] = ()
    text: bytes | None = None
    charter: Charter | None = None
    changes: tuple[Change, ...] = ()
    lines: tuple[str, ...] = field(default=())

    @property
    def fine(self) -> bool:
        """Whether it can be saved."""
        return self.text is not None


def shapes_of(charter: Charter, source: Source) -> tuple[Shape, ...]:
    """What is drawn on a source's picture so far."""
    looked_at: dict[str, list[str]] = {}
    for analytic in charter.analytics_of(source.name):
        if analytic.zone is not None:
            looked_at.setdefault(analytic.zone, []).append(analytic.name)
    zones = [
        Shape(
            id=f"z{index}",
            kind="line" if zone.polygon is None else "polygon",
            was=zone.name,
            name=zone.name,
            corners=_written(zone.points),
            points=zone.points,
            area="" if zone.area_m2 is None else number(zone.area_m2),
            used_by=tuple(looked_at.get(zone.name, ())),
        )
        for index, zone in enumerate(source.zones)
    ]
    nameless: tuple[tuple[Kind, Sequence[Polygon]], ...] = (("never", source.never_see), ("grey", source.never_show))
    hidden = [
        Shape(f"{kind[0]}{index}", kind, str(index), "", _written(polygon.corners), polygon.corners)
        for kind, polygons in nameless
        for index, polygon in enumerate(polygons)
    ]
    return (*zones, *hidden)


def ground_of(source: Source) -> Measure:
    """What was measured on a source's ground so far."""
    points = tuple((*point.at, *point.m) for point in source.view.plane) if source.view else ()
    lines = (f"{number(x)}, {number(y)} = {number(right)}, {number(away)}" for x, y, right, away in points)
    return Measure("\n".join(lines), points, asks_width=source.view is None)


def ground_from(fields: Iterable[tuple[str, str]], before: Measure) -> Measure:
    """The measured ground that a form holds; ``before`` where the form says nothing of it."""
    values = dict(fields)
    if "plane" not in values:
        return before
    text = values["plane"].replace("\r\n", "\n").strip()
    width = values.get("width", "").strip().replace(",", ".")
    points, faults = [], []
    for place, line in enumerate((line for line in text.split("\n") if line.strip()), start=1):
        found = _MEASURED.fullmatch(line)
        if found is None and "=" in line and not line.partition("=")[2].strip(" ,"):
            faults.append(f"Point {place} has no metres yet. Write them: to the right, and away from the camera.")
        elif found is None:
            faults.append(
                f"Point {place} is written {line.strip()[:40]!r}. Write where it is in the picture, and its metres: "
                "120, 340 = 0, 5.5."
            )
        else:
            points.append((float(found[1]), float(found[2]), float(found[3]), float(found[4])))
    if before.asks_width and text and _AREA.fullmatch(width) is None:
        faults.append("Write how many metres the picture shows across, in its middle. Write for example 12.")
    return Measure(text, tuple(points), width, before.asks_width, faults=tuple(faults))


def surveyed(shapes: Sequence[Shape], ground: Measure, size: tuple[int, int]) -> tuple[tuple[Shape, ...], Measure]:
    """The same with what follows from the ground: each area's size, a grid to check it by, and why it cannot be."""
    if not ground.points or ground.faults:
        return tuple(shapes), ground
    try:
        plane = Ground(ground.points)
    except BadInput as error:
        return tuple(shapes), ground.but(f"{error.message} {error.fix}")
    mesh, grid = _grid(plane, ground.points, size)
    return (
        tuple(replace(shape, ground_m2=_size_of(plane, shape)) for shape in shapes),
        replace(ground, grid_m=mesh, grid=grid, worst_m=round(plane.worst_m, 2)),
    )


def _size_of(plane: Ground, shape: Shape) -> float | None:
    if shape.kind != "polygon" or len(shape.points) < 3:  # noqa: PLR2004 (a triangle)
        return None
    try:
        return round(plane.area(shape.points), 1)
    except BadInput:
        return None


_MESHES: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0)
_LINES: Final = 12


def _grid(
    plane: Ground, points: Sequence[Measured], size: tuple[int, int]
) -> tuple[float, tuple[tuple[Point, Point], ...]]:
    """Lines of the ground over what was measured: (metres between them, each line's two ends in pixels)."""
    low, high = [min(p[i] for p in points) for i in (2, 3)], [max(p[i] for p in points) for i in (2, 3)]
    longest = max(high[0] - low[0], high[1] - low[1])
    mesh = next((mesh for mesh in _MESHES if longest / mesh <= _LINES), longest / _LINES)
    begin = [math.floor(value / mesh + 1e-6) for value in low]
    end = [math.ceil(value / mesh - 1e-6) for value in high]
    ends = [((n * mesh, begin[1] * mesh), (n * mesh, end[1] * mesh)) for n in range(begin[0], end[0] + 1)]
    ends += [((begin[0] * mesh, n * mesh), (end[0] * mesh, n * mesh)) for n in range(begin[1], end[1] + 1)]
    seen = plane.pixels(np.array(ends, np.float64).reshape(-1, 2)).reshape(-1, 4)
    far = 4 * max(size)
    shown = [tuple(round(float(value), 1) for value in line) for line in seen if np.all(np.abs(line) < far)]
    return mesh, tuple(((x1, y1), (x2, y2)) for x1, y1, x2, y2 in shown)


def shapes_from(fields: Iterable[tuple[str, str]], before: Sequence[Shape]) -> tuple[Shape, ...]:
    """The shapes that a form holds. New ones without any corner are left out: they are the form's empty rows.

    Raises:
        BadInput: it is not a form of ours.
    """
    pairs = list(fields)
    values = dict(pairs)
    ids = [value for key, value in pairs if key == "shape"]
    if len(ids) > MOST or len(set(ids)) != len(ids) or not all(_ID.fullmatch(each) for each in ids):
        raise BadInput("This is not a form of the zone editor.", fix="Reload the page and draw again.")
    used = {shape.was: shape.used_by for shape in before if shape.kind not in LISTS}
    found = []
    for each in tuple(ids):
        kind = values.get(f"kind-{each}")
        if kind not in KINDS:
            raise BadInput("This is not a form of the zone editor.", fix="Reload the page and draw again.")
        was = values.get(f"was-{each}", "")
        corners = values.get(f"corners-{each}", "").replace("\r\n", "\n").strip()
        if not was and not corners:
            continue
        shape = Shape(
            id=_free(ids) if each.startswith(EMPTY) else each,
            kind=kind,
            was=was,
            name=values.get(f"name-{each}", "").strip(),
            corners=corners,
            area=values.get(f"area-{each}", "").strip().replace(",", "."),
            removed=f"remove-{each}" in values,
            used_by=() if kind in LISTS else used.get(was, ()),
        )
        found.append(shape if shape.removed else _measured(shape))
    return tuple(found)


def _free(ids: list[str]) -> str:
    """An id for what came from one of the form's empty rows, which are there again the next time."""
    ids.append(next(f"row{n}" for n in range(len(ids) + 1) if f"row{n}" not in ids))
    return ids[-1]


def _measured(shape: Shape) -> Shape:
    points, faults = [], []
    for place, line in enumerate((line for line in shape.corners.split("\n") if line.strip()), start=1):
        pair = _POINT.fullmatch(line.strip())
        if pair is None:
            faults.append(f"Corner {place} is written {line.strip()[:30]!r}. Write two numbers in pixels: 120, 40.")
        else:
            points.append((float(pair[1]), float(pair[2])))
    if shape.area and _AREA.fullmatch(shape.area) is None:
        faults.append(f"The size {shape.area[:20]!r} is not a number of square metres. Write for example 30.8.")
    if shape.kind not in LISTS and not shape.name:
        faults.append("It has no name. Use small letters, digits and hyphens, such as front-steps.")
    return replace(shape, points=tuple(points), faults=tuple(faults))


def judge(
    draft: bytes,
    charter: Charter,
    source: str,
    shapes: Sequence[Shape],
    ground: Measure,
    *,
    version: int,
    size: tuple[int, int] | None,
) -> Found:
    """What the draft becomes with these shapes, and what that changes; or everything that is wrong with them.

    Args:
        draft: the file's bytes. charter: what they say.
        ground: as it was measured; its faults, too, keep a drawing from being saved.
        version: the version that the new draft gets.
        size: the picture's (width, height), where it is known though the charter does not state it.
    """
    shapes = tuple(_inside(shape, size) for shape in shapes)
    if size is not None and not all(0 <= x <= size[0] and 0 <= y <= size[1] for x, y, _, _ in ground.points):
        ground = ground.but(f"A point lies outside the picture of {size[0]} by {size[1]} pixels. Move it inside.")
    shapes, ground = surveyed(shapes, ground, size or _ANY_SIZE)
    known = ground_of(charter.source(source)).points == ground.points  # what is wrong with it was so before
    if (ground.faults and not known) or any(shape.faults for shape in shapes):
        return Found(shapes, ground)
    zones = [
        Drawn(
            shape.name,
            shape.points,
            "line" if shape.kind == "line" else "polygon",
            float(shape.area) if shape.area else None,
            shape.was or None,
        )
        for shape in shapes
        if shape.kind not in LISTS and not shape.removed
    ]
    hidden, grey = (
        [
            Hidden(shape.points, int(shape.was) if shape.was.isdecimal() else None)
            for shape in shapes
            if shape.kind == kind and not shape.removed
        ]
        for kind in LISTS
    )
    plane = Plane(ground.points, float(ground.width) if ground.width else None)
    try:
        text = redraw(draft, source, zones, hidden, never_show=grey, plane=plane)
        if text == draft:
            return Found(shapes, ground, ("Nothing was changed, so there is nothing to save.",))
        if version != charter.version:
            text = redraw(draft, source, zones, hidden, never_show=grey, plane=plane, version=version)
        new = parse(text)
    except CharterErrors as errors:
        return _placed(shapes, ground, source, errors.faults)
    except CharterRefused as refused:
        return _placed(shapes, ground, source, (*refused.refusals, *refused.faults))
    except BadInput as error:
        return _named(shapes, ground, error)
    return Found(shapes, ground, (), text, new, tuple(compare(charter, new)), tuple(differing(draft, text)))


def _inside(shape: Shape, size: tuple[int, int] | None) -> Shape:
    if shape.removed or size is None:
        return shape
    width, height = size
    if all(0 <= x <= width and 0 <= y <= height for x, y in shape.points):
        return shape
    return shape.but(f"It reaches outside the picture of {width} by {height} pixels. Move its corners inside.")


def _named(shapes: Sequence[Shape], ground: Measure, error: BadInput) -> Found:
    """Beside the shape where the error names one, else above them all."""
    said, name = f"{error.message} {error.fix}", error.details.get("name")
    if not any(shape.name == name for shape in shapes):
        return Found(tuple(shapes), ground, (said,))
    found = tuple(shape.but(said) if shape.name == name and not shape.removed else shape for shape in shapes)
    return Found(found, ground)


def _placed(shapes: Sequence[Shape], ground: Measure, source: str, faults: Iterable[Fault]) -> Found:
    """Each finding of the parser beside the shape that it is about, else above them all with its line."""
    paths: dict[str, str] = {}
    for kind, key in LISTS.items():
        left = [shape for shape in shapes if shape.kind == kind and not shape.removed]
        left.sort(key=lambda shape: int(shape.was) if shape.was else len(shapes))
        paths |= {f"sources.{source}.{key}[{index}]": shape.id for index, shape in enumerate(left)}
    paths |= {
        f"sources.{source}.zones.{shape.name}": shape.id
        for shape in shapes
        if shape.kind not in LISTS and not shape.removed
    }
    paths |= {f"sources.{source}.view": _GROUND}
    of: dict[str, list[str]] = {}
    others: list[str] = []
    for fault in faults:
        owner = next((paths[path] for path in paths if _below(fault.path, path)), None)
        if owner is None:
            others.append(f"Line {fault.line}: {fault.message} {fault.fix}")
        else:
            of.setdefault(owner, []).append(f"{fault.message} {fault.fix} (Line {fault.line} of the new text.)")
    found = tuple(shape.but(*of.get(shape.id, ())) for shape in shapes)
    return Found(found, ground.but(*of.get(_GROUND, ())), tuple(others))


def _below(path: str, of: str) -> bool:
    return path == of or path.startswith((f"{of}.", f"{of}["))


def _written(points: Iterable[Point]) -> str:
    return "\n".join(f"{number(x)}, {number(y)}" for x, y in points)


def differing(before: bytes, after: bytes) -> list[str]:
    """The lines that differ, with two around them: a unified diff without its head."""
    old, new = (data.decode("utf-8", "replace").splitlines() for data in (before, after))
    return list(difflib.unified_diff(old, new, n=2, lineterm=""))[2:]


def arrow(points: Sequence[Point], reach: float) -> str:
    """The allowed way over a line as an SVG path: through its middle, from its left to its right as it is seen."""
    if len(points) != 2 or points[0] == points[1]:  # noqa: PLR2004 (a line has two ends)
        return ""
    (x1, y1), (x2, y2) = points
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    right, down = -(y2 - y1) / length * reach, (x2 - x1) / length * reach
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    barbs = "".join(
        f"M{x + right:.1f} {y + down:.1f}l{(-right - side * down) * 0.35:.1f} {(-down + side * right) * 0.35:.1f}"
        for side in (1, -1)
    )
    return f"M{x - right:.1f} {y - down:.1f}L{x + right:.1f} {y + down:.1f}{barbs}"
