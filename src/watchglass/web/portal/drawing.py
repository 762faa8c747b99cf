"""What an operator drew, as the form of the zone editor carries it: read, judged by the charter's parser, shown again.

Pure: text in, findings out. A shape's place in the form is its ``id``; where something is wrong with it, the sentence
stands beside it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from watchglass.charter.diff import Change, compare
from watchglass.charter.model import Charter, Source
from watchglass.charter.parse import CharterErrors, CharterRefused, Fault, parse
from watchglass.charter.redraw import Drawn, Hidden, Point, number, redraw
from watchglass.core.errors import BadInput

Kind = Literal["polygon", "line", "never"]
KINDS: Final[tuple[Kind, ...]] = ("polygon", "line", "never")
EMPTY: Final = "new-"
"""What the ids of the form's empty rows begin with."""

MOST: Final = 160
"""Shapes in one form; a charter may have fewer."""

_POINT: Final = re.compile(r"\[?\s*(-?\d{1,6}(?:\.\d{1,4})?)\s*[,; ]\s*(-?\d{1,6}(?:\.\d{1,4})?)\s*\]?,?", re.ASCII)
_AREA: Final = re.compile(r"\d{1,7}(\.\d{1,4})?", re.ASCII)
_ID: Final = re.compile(r"[a-z0-9-]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shape:
    """One thing that is drawn.

    Attributes:
        id: its place in the form. was: what the file knows it by (a name, or a number for a hidden area); "" if new.
        corners: its points as text, one a line. points: the same, where they could be read.
        used_by: the rules that look at it now.
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
    faults: tuple[str, ...] = ()

    def but(self, *faults: str) -> Shape:
        """The same with further faults."""
        return replace(self, faults=(*self.faults, *faults))


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a drawing.

    Attributes:
        shapes: as drawn, each with what is wrong with it.
        faults: what is wrong beyond one shape; where it is in the text, with its line.
        text: the new draft, where nothing is wrong. charter: what that means.
        changes: what it changes, for the people under the camera. lines: the text that differs, as a unified diff.
    """

    shapes: tuple[Shape, ...]
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
    hidden = [
        Shape(f"n{index}", "never", str(index), "", _written(polygon.corners), polygon.corners)
        for index, polygon in enumerate(source.never_see)
    ]
    return (*zones, *hidden)


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
    used = {(shape.kind == "never", shape.was): shape.used_by for shape in before}
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
            used_by=used.get((kind == "never", was), ()),
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
    if shape.kind != "never" and not shape.name:
        faults.append("It has no name. Use small letters, digits and hyphens, such as front-steps.")
    return replace(shape, points=tuple(points), faults=tuple(faults))


def judge(
    draft: bytes, charter: Charter, source: str, shapes: Sequence[Shape], *, version: int, size: tuple[int, int] | None
) -> Found:
    """What the draft becomes with these shapes, and what that changes; or everything that is wrong with them.

    Args:
        draft: the file's bytes. charter: what they say.
        version: the version that the new draft gets.
        size: the picture's (width, height), where it is known though the charter does not state it.
    """
    shapes = tuple(_inside(shape, size) for shape in shapes)
    if any(shape.faults for shape in shapes):
        return Found(tuple(shapes))
    zones = [
        Drawn(
            shape.name,
            shape.points,
            "line" if shape.kind == "line" else "polygon",
            float(shape.area) if shape.area else None,
            shape.was or None,
        )
        for shape in shapes
        if shape.kind != "never" and not shape.removed
    ]
    hidden = [
        Hidden(shape.points, int(shape.was) if shape.was.isdecimal() else None)
        for shape in shapes
        if shape.kind == "never" and not shape.removed
    ]
    try:
        text = redraw(draft, source, zones, hidden)
        if text == draft:
            return Found(tuple(shapes), ("Nothing was changed, so there is nothing to save.",))
        if version != charter.version:
            text = redraw(draft, source, zones, hidden, version=version)
        new = parse(text)
    except CharterErrors as errors:
        return _placed(shapes, source, errors.faults)
    except CharterRefused as refused:
        return _placed(shapes, source, (*refused.refusals, *refused.faults))
    except BadInput as error:
        return _named(shapes, error)
    return Found(tuple(shapes), (), text, new, tuple(compare(charter, new)), tuple(differing(draft, text)))


def _inside(shape: Shape, size: tuple[int, int] | None) -> Shape:
    if shape.removed or size is None:
        return shape
    width, height = size
    if all(0 <= x <= width and 0 <= y <= height for x, y in shape.points):
        return shape
    return shape.but(f"It reaches outside the picture of {width} by {height} pixels. Move its corners inside.")


def _named(shapes: Sequence[Shape], error: BadInput) -> Found:
    """Beside the shape where the error names one, else above them all."""
    said, name = f"{error.message} {error.fix}", error.details.get("name")
    if not any(shape.name == name for shape in shapes):
        return Found(tuple(shapes), (said,))
    return Found(tuple(shape.but(said) if shape.name == name and not shape.removed else shape for shape in shapes))


def _placed(shapes: Sequence[Shape], source: str, faults: Iterable[Fault]) -> Found:
    """Each finding of the parser beside the shape that it is about, else above them all with its line."""
    left = [shape for shape in shapes if shape.kind == "never" and not shape.removed]
    left.sort(key=lambda shape: int(shape.was) if shape.was else len(shapes))
    paths = {f"sources.{source}.never_see[{index}]": shape.id for index, shape in enumerate(left)}
    paths |= {
        f"sources.{source}.zones.{shape.name}": shape.id
        for shape in shapes
        if shape.kind != "never" and not shape.removed
    }
    of: dict[str, list[str]] = {}
    others: list[str] = []
    for fault in faults:
        owner = next((paths[path] for path in paths if _below(fault.path, path)), None)
        if owner is None:
            others.append(f"Line {fault.line}: {fault.message} {fault.fix}")
        else:
            of.setdefault(owner, []).append(f"{fault.message} {fault.fix} (Line {fault.line} of the new text.)")
    return Found(tuple(shape.but(*of.get(shape.id, ())) for shape in shapes), tuple(others))


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
