"""Changes what is drawn on one source's picture, in a charter file's own text. Everything else stays byte for byte.

People write charters by hand, with comments, and sign exact bytes. So an editor may not write the whole file anew: it
puts new corners where the old ones stood, takes lines away, and adds lines in the manner of those around them. Whoever
calls this reads the result with ``charter.parse`` afterwards; what cannot be changed safely is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

import yaml
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from watchglass.charter.tree import Block, Items, Text, grow
from watchglass.charter.tree import Node as Leafed
from watchglass.core.errors import BadInput

Point = tuple[float, float]
Kind = Literal["polygon", "line"]

_PLAIN: Final = re.compile(r"[a-z0-9-]+", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]+|true|false|null|yes|no|on|off|y|n", re.ASCII)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One zone as it shall be.

    Attributes:
        name: what it is called from now on.
        points: its corners, or a line's two ends; pixels, x to the right and y down.
        kind: what ``points`` are.
        area_m2: its area on the ground, where that is stated.
        was: what the file calls it so far; None for a new one.
    """

    name: str
    points: tuple[Point, ...]
    kind: Kind = "polygon"
    area_m2: float | None = None
    was: str | None = None


@dataclass(frozen=True, slots=True)
class Hidden:
    """One area that is never seen, or never shown. ``was``: its place in its list, from 0; None for a new one."""

    points: tuple[Point, ...]
    was: int | None = None


Measured = tuple[float, float, float, float]
"""A point of the ground: x and y in pixels, X and Y in metres."""


@dataclass(frozen=True, slots=True)
class Plane:
    """The ground as it was measured.

    Attributes:
        points: what the file shall hold, in any order; none takes the plane out of it.
        width_m: metres across the picture's width, for a source that states no view yet; else it is not used.
    """

    points: tuple[Measured, ...]
    width_m: float | None = None


def redraw(
    data: bytes,
    source: str,
    zones: Sequence[Drawn],
    never_see: Sequence[Hidden],
    *,
    never_show: Sequence[Hidden] | None = None,
    plane: Plane | None = None,
    version: int | None = None,
) -> bytes:
    """The charter file ``data`` with exactly these zones and hidden areas of ``source``.

    A zone that gets another name keeps its place, and the analytics of this source that name it follow. Nothing here
    judges shapes: ``charter.parse`` does, and its findings carry the lines of the new text.

    Args:
        never_show: areas that the public view never shows; None leaves what the file says.
        plane: the measured ground; None leaves what the file says.
        version: the charter's version from now on; None leaves it.

    Raises:
        BadInput: the file cannot be read, has no such source, or is written in a way that cannot be changed safely.
    """
    areas = {"never_see": never_see} | ({} if never_show is None else {"never_show": never_show})
    _sensible(data, source, zones, areas)
    text = _Text(data.decode("utf-8"))
    if version is not None:
        text.put(("version",), str(version))
    _zones(text, source, zones)
    for key, wanted in areas.items():
        _hidden(text, source, key, wanted)
    _ground(text, source, plane)
    changed = text.text.encode("utf-8")
    _check(data, changed, source, zones, areas, plane, version)
    return changed


def numbers(points: Iterable[Point]) -> str:
    """Points as a charter writes them: ``[[0, 250], [640, 250.5]]``."""
    return "[" + ", ".join(f"[{number(x)}, {number(y)}]" for x, y in points) + "]"


def number(value: float) -> str:
    """Without an exponent, with at most two decimals and none that are not needed."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _sensible(data: bytes, source: str, zones: Sequence[Drawn], areas: Mapping[str, Sequence[Hidden]]) -> None:
    tree = grow(data)
    sources = tree.get("sources")
    found = sources.get(source) if isinstance(sources, Block) else None
    if not isinstance(found, Block):
        raise BadInput(f"This charter has no source called {source!r}.", fix="Add it to the file first.")
    names = [zone.name for zone in zones]
    for name in names:
        if _PLAIN.fullmatch(name) is None:
            raise BadInput(
                f"An area cannot be called {name[:60]!r}.",
                fix="Use small letters, digits and hyphens, such as front-steps.",
                name=name,
            )
        if names.count(name) > 1:
            raise BadInput(f"Two areas are called {name!r}.", fix="Give each its own name.", name=name)
    drawn = [zone.was for zone in zones if zone.was is not None]
    known = _keys(found.get("zones"))
    if len(set(drawn)) != len(drawn) or not set(drawn) <= set(known):
        raise BadInput("An area that was changed is not in the file.", fix="Reload the page and draw it again.")
    for key, wanted in areas.items():
        hidden = [area.was for area in wanted if area.was is not None]
        listed = found.get(key)
        count = len(listed.items) if isinstance(listed, Items) else 0
        if len(set(hidden)) != len(hidden) or not all(0 <= index < count for index in hidden):
            raise BadInput(
                "A hidden area that was changed is not in the file.", fix="Reload the page and draw it again."
            )


def _keys(node: Leafed | None) -> list[str]:
    return [key.text for key, _ in node.entries] if isinstance(node, Block) else []


# ---- the parts of a source that are drawn ----------------------------------------------------------------------------


def _zones(text: _Text, source: str, zones: Sequence[Drawn]) -> None:
    at = ("sources", source, "zones")
    kept = {zone.was: zone for zone in zones if zone.was is not None}
    existing = [key.value for key, _ in _entries(text.find(at))]
    for name in existing:
        if name not in kept:
            text.remove((*at, name))
    for name in existing:
        if name in kept:
            _one_zone(text, (*at, name), kept[name])
    _rename(text, source, {was: zone.name for was, zone in kept.items() if was != zone.name})
    for zone in zones:
        if zone.was is None:
            size = f", area_m2: {number(zone.area_m2)}" if zone.area_m2 is not None else ""
            text.add(at, _scalar(zone.name), f"{{{zone.kind}: {numbers(zone.points)}{size}}}")


def _one_zone(text: _Text, at: tuple[str, ...], zone: Drawn) -> None:
    other = "line" if zone.kind == "polygon" else "polygon"
    if text.find((*at, other)) is not None:
        raise BadInput(
            f"{zone.was!r} cannot turn from an area into a line, or back.", fix="Remove it, and draw a new one."
        )
    if _points(text.find((*at, zone.kind))) != _rounded(zone.points):
        text.put((*at, zone.kind), numbers(zone.points))
    size = text.find((*at, "area_m2"))
    written = size.value if isinstance(size, ScalarNode) else None
    if zone.area_m2 is None and written is not None:
        text.remove((*at, "area_m2"))
    elif zone.area_m2 is not None and written is None:
        text.add(at, "area_m2", number(zone.area_m2))
    elif zone.area_m2 is not None and written is not None and _number(written) != round(zone.area_m2, 2):
        text.put((*at, "area_m2"), number(zone.area_m2))


def _rename(text: _Text, source: str, names: Mapping[str, str]) -> None:
    """New names, also where the analytics of this source use them; all at once, for two may swap theirs."""
    if not names:
        return
    edits: list[tuple[int, int, str]] = []
    for key, _ in _entries(text.find(("sources", source, "zones"))):
        if key.value in names:
            edits.append((*text.span(key), _scalar(names[key.value])))
    for _, analytic in _entries(text.find(("analytics",))):
        of = {key.value: value for key, value in _entries(analytic)}
        zone, looks_at = of.get("zone"), of.get("source")
        if not isinstance(zone, ScalarNode) or not isinstance(looks_at, ScalarNode) or looks_at.value != source:
            continue
        if zone.value in names:
            edits.append((*text.span(zone), _scalar(names[zone.value])))
    text.replace(edits)


def _hidden(text: _Text, source: str, key: str, areas: Sequence[Hidden]) -> None:
    """The areas of ``never_see`` or ``never_show``."""
    at = ("sources", source, key)
    node = text.find(at)
    count = len(node.value) if isinstance(node, SequenceNode) else 0
    kept = {area.was: area for area in areas if area.was is not None}
    for index in range(count):
        if index in kept and _points(text.find((*at, index))) != _rounded(kept[index].points):
            text.put((*at, index), numbers(kept[index].points))
    for index in reversed(range(count)):
        if index not in kept:
            text.remove((*at, index))
    for area in areas:
        if area.was is None:
            text.add(at, None, numbers(area.points))


def _ground(text: _Text, source: str, plane: Plane | None) -> None:
    view: tuple[str | int, ...] = ("sources", source, "view")
    if plane is None:
        return
    at = (*view, "plane")
    before = _measured(text.find(at))
    kept = {was: point for point, was in _matched(before, plane.points) if was is not None}
    for index, point in kept.items():
        if before[index] != _cut(point):
            text.put((*at, index, "at"), f"[{number(point[0])}, {number(point[1])}]")
            text.put((*at, index, "m"), f"[{number(point[2])}, {number(point[3])}]")
    for index in reversed(range(len(before))):
        if index not in kept:
            text.remove((*at, index))
    new = [_as_point(point) for point, was in _matched(before, plane.points) if was is None]
    if new and text.find(view) is None:
        if plane.width_m is None:
            raise BadInput(
                "This source does not say how wide its view is.", fix="Write how many metres the picture shows across."
            )
        text.add(view[:-1], "view", f"{{width_m: {number(plane.width_m)}}}")
    if new and text.find(at) is None:
        text.add_list(view, "plane", new)
    else:
        for each in new:
            text.add(at, None, each)


def _as_point(point: Measured) -> str:
    x, y, right, away = (number(value) for value in point)
    return f"{{at: [{x}, {y}], m: [{right}, {away}]}}"


def _cut(point: Measured) -> Measured:
    x, y, right, away = (round(value, 2) for value in point)
    return x, y, right, away


def _measured(node: Node | None) -> list[Measured]:
    """The points of the plane that a node holds.

    Raises:
        BadInput: it holds anything else.
    """
    if node is None:
        return []
    if not isinstance(node, SequenceNode):
        raise _unsafe()
    found = []
    for item in node.value:
        of = {key.value: value for key, value in _entries(item)}
        pair = [_points(SequenceNode("", [of[key]])) if key in of else None for key in ("at", "m")]
        if pair[0] is None or pair[1] is None or set(of) != {"at", "m"}:
            raise _unsafe()
        found.append((*pair[0][0], *pair[1][0]))
    return found


def _matched(before: Sequence[Measured], after: Sequence[Measured]) -> list[tuple[Measured, int | None]]:
    """Each new point with the place of the old one that it takes, so that comments stay beside their points."""
    found: list[tuple[Measured, int | None]] = [(point, None) for point in after]
    cut = [_cut(point) for point in after]
    for _, old, old_end, new, new_end in SequenceMatcher(None, before, cut, autojunk=False).get_opcodes():
        for step in range(min(old_end - old, new_end - new)):
            found[new + step] = (after[new + step], old + step)
    return found


def _points(node: Node | None) -> tuple[Point, ...] | None:
    """The points that a node holds; None where it holds anything else."""
    if not isinstance(node, SequenceNode):
        return None
    found: list[Point] = []
    for item in node.value:
        pair = item.value if isinstance(item, SequenceNode) else ()
        values = [_number(part.value) if isinstance(part, ScalarNode) else None for part in pair]
        if len(values) != 2 or values[0] is None or values[1] is None:  # noqa: PLR2004 (x and y)
            return None
        found.append((values[0], values[1]))
    return tuple(found)


def _rounded(points: Iterable[Point]) -> tuple[Point, ...]:
    return tuple((round(x, 2), round(y, 2)) for x, y in points)


def _number(text: str) -> float | None:
    try:
        return round(float(text), 2)
    except ValueError:
        return None


def _scalar(name: str) -> str:
    """A name as YAML writes it: in quotes where other readers would take it for a number or a yes."""
    return f'"{name}"' if _NUMBER.fullmatch(name) or name.startswith("-") else name


def _entries(node: Node | None) -> list[tuple[ScalarNode, Node]]:
    return list(node.value) if isinstance(node, MappingNode) else []


# ---- the text --------------------------------------------------------------------------------------------------------


class _Text:
    """A YAML text that is changed in places; after each change it is read again, so that positions always hold."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._root = self._read()

    def _read(self) -> Node | None:
        try:
            root: Node | None = yaml.compose(self.text, Loader=yaml.BaseLoader)
        except yaml.YAMLError as error:
            raise _unsafe() from error
        return root

    def find(self, path: Sequence[str | int]) -> Node | None:
        """The node at ``path``, if it is there."""
        node: Node | None = self._root
        for part in path:
            if isinstance(part, int):
                node = node.value[part] if isinstance(node, SequenceNode) and part < len(node.value) else None
            else:
                node = next((value for key, value in _entries(node) if key.value == part), None)
        return node

    def span(self, node: Node) -> tuple[int, int]:
        """Where a node begins and ends, without the blank lines and comments that follow a block."""
        if not isinstance(node, CollectionNode) or node.flow_style:
            return node.start_mark.index, node.end_mark.index
        last = node.value[-1][1] if isinstance(node, MappingNode) else node.value[-1]
        return node.start_mark.index, self.span(last)[1]

    def replace(self, edits: Iterable[tuple[int, int, str]]) -> None:
        """Put texts in the place of others that do not overlap."""
        for begin, end, new in sorted(edits, reverse=True):
            self.text = self.text[:begin] + new + self.text[end:]
        self._root = self._read()

    def put(self, path: Sequence[str | int], new: str) -> None:
        """Another value at ``path``."""
        node = self.find(path)
        if node is None:
            if isinstance(path[-1], str):
                self.add(path[:-1], path[-1], new)
            return
        self.replace([(*self.span(node), new)])

    # ---- taking away -------------------------------------------------------------------------------------------------

    def remove(self, path: Sequence[str | int]) -> None:
        """Take an entry away; with the last one of a section the section itself goes."""
        parent, item = self.find(path[:-1]), self.find(path)
        if not isinstance(parent, CollectionNode) or item is None:
            return
        if len(parent.value) == 1:
            self.remove(path[:-1])
            return
        parts = self._parts(parent)
        index = next(i for i, (_, value) in enumerate(parts) if value is item)
        if parent.flow_style:
            self._remove_flowing(parts, index)
            return
        begin, end = self._line_of(parts[index][0]), self._line_after(self.span(item)[1])
        if not self.text[begin : parts[index][0]].strip(" "):
            self.replace([(begin, end, "")])
            return
        if index + 1 >= len(parts):  # it shares its line with what is above it, so that it must be the first
            raise _unsafe()
        self.replace([(parts[index][0], parts[index + 1][0], "")])

    def _remove_flowing(self, parts: Sequence[tuple[int, Node]], index: int) -> None:
        end = self.span(parts[index][1])[1]
        if index + 1 < len(parts):
            self.replace([(parts[index][0], parts[index + 1][0], "")])
        else:
            before = self.span(parts[index - 1][1])[1]
            self.replace([(before, end, "")])

    def _parts(self, parent: CollectionNode) -> list[tuple[int, Node]]:
        """Where each entry of a section begins (its dash or its name), and its value."""
        if isinstance(parent, MappingNode):
            return [(key.start_mark.index, value) for key, value in parent.value]
        if parent.flow_style:
            return [(item.start_mark.index, item) for item in parent.value]
        return [(self.text.rindex("-", 0, item.start_mark.index), item) for item in parent.value]

    # ---- adding ------------------------------------------------------------------------------------------------------

    def add(self, path: Sequence[str | int], key: str | None, value: str) -> None:
        """Add an entry at the end of the section at ``path``, which is begun if it is not there."""
        parent = self.find(path)
        if parent is None:
            self._begin(path, key, value)
            return
        entry = value if key is None else f"{key}:{value}" if value.startswith("\n") else f"{key}: {value}"
        if not isinstance(parent, MappingNode | SequenceNode) or isinstance(parent, MappingNode) == (key is None):
            raise _unsafe()
        if parent.flow_style:
            end = self.span(parent.value[-1][1] if key is not None else parent.value[-1])[1] if parent.value else None
            if end is None:
                begin = parent.start_mark.index + 1
                self.replace([(begin, begin, entry)])
            else:
                self.replace([(end, end, f", {entry}")])
            return
        first = self._parts(parent)[0][0]
        indent = first - self.text.rindex("\n", 0, first) - 1 if "\n" in self.text[:first] else first
        end = self._line_after(self.span(parent)[1])
        head = "" if self.text[:end].endswith("\n") else "\n"
        dash = "- " if key is None else ""
        self.replace([(end, end, f"{head}{' ' * indent}{dash}{entry}\n")])

    def add_list(self, path: Sequence[str | int], key: str, items: Sequence[str]) -> None:
        """Add a list to the section at ``path``: an item a line, or all in one where the section is in one."""
        parent = self.find(path)
        if not isinstance(parent, MappingNode) or parent.flow_style:
            self.add(path, key, f"[{', '.join(items)}]")
            return
        first = self._parts(parent)[0][0]
        indent = " " * (first - self._line_of(first) + 2)
        self.add(path, key, "".join(f"\n{indent}- {item}" for item in items))

    def _begin(self, path: Sequence[str | int], key: str | None, value: str) -> None:
        *above, name = path
        assert isinstance(name, str)
        parent = self.find(above)
        if parent is None:
            raise _unsafe()
        entry = f"[{value}]" if key is None else f"{{{key}: {value}}}"
        self.add(above, name, entry)

    def _line_of(self, at: int) -> int:
        """Where the line begins that ``at`` is on."""
        return self.text.rfind("\n", 0, at) + 1

    def _line_after(self, at: int) -> int:
        """Where the next line begins: behind what else is written on this one, which must be a comment at most."""
        end = self.text.find("\n", at)
        rest = self.text[at : end if end >= 0 else len(self.text)].strip()
        if rest and not rest.startswith("#"):
            raise _unsafe()
        return end + 1 if end >= 0 else len(self.text)


def _unsafe() -> BadInput:
    return BadInput(
        "This part of the file is written in a way that the editor does not dare to change.",
        fix="Change it by hand, or write each area of the source on a line of its own.",
    )


# ---- afterwards ------------------------------------------------------------------------------------------------------


def _check(
    before: bytes,
    after: bytes,
    source: str,
    zones: Sequence[Drawn],
    areas: Mapping[str, Sequence[Hidden]],
    plane: Plane | None,
    version: int | None,
) -> None:
    """That the new text says what it should, and that nothing else in it says anything else."""
    old, new = _plain(grow(before)), _plain(grow(after))
    assert isinstance(old, dict)
    names = {zone.was: zone.name for zone in zones if zone.was is not None}
    was = dict(old["sources"][source])
    was_zones = was.pop("zones", {})
    if zones:
        kept = {name: zone for name in was_zones for zone in zones if zone.was == name}
        ordered = [*kept.values(), *(zone for zone in zones if zone.was is None)]
        was["zones"] = {zone.name: _as_written(zone, was_zones.get(zone.was)) for zone in ordered}
    for key, drawn in areas.items():
        was.pop(key, None)
        if drawn:
            ordered_areas = sorted(drawn, key=lambda area: (area.was is None, area.was or 0))
            was[key] = [_pairs(area.points) for area in ordered_areas]
    if plane is not None:
        was |= _wanted_view(was.pop("view", None), plane)
    wanted = {**old, "sources": {**old["sources"], source: was}}
    if version is not None:
        wanted["version"] = str(version)
    if names and isinstance(old.get("analytics"), dict):
        wanted["analytics"] = {name: _renamed(analytic, source, names) for name, analytic in old["analytics"].items()}
    if _same(wanted) != _same(new):
        raise _unsafe()


def _wanted_view(before: object, plane: Plane) -> dict[str, object]:
    """The entry ``view`` as it should be; nothing where there is none and nothing was measured."""
    view = dict(before) if isinstance(before, dict) else {}
    old = [
        (float(point["at"][0]), float(point["at"][1]), float(point["m"][0]), float(point["m"][1]))
        for point in view.pop("plane", [])
    ]
    if not view and plane.points and plane.width_m is not None:
        view = {"width_m": number(plane.width_m)}
    matched = _matched([_cut(point) for point in old], plane.points)
    ordered = sorted(matched, key=lambda each: len(old) if each[1] is None else each[1])
    points = [{"at": _pairs([point[:2]])[0], "m": _pairs([point[2:]])[0]} for point, _ in ordered]
    return {"view": {**view, "plane": points}} if view else {}


def _as_written(zone: Drawn, before: object) -> dict[str, object]:
    rest = (
        {key: value for key, value in before.items() if key not in {"polygon", "line", "area_m2"}}
        if isinstance(before, dict)
        else {}
    )
    size = {} if zone.area_m2 is None else {"area_m2": number(zone.area_m2)}
    return {zone.kind: _pairs(zone.points), **size, **rest}


def _renamed(analytic: object, source: str, names: Mapping[str, str]) -> object:
    if not isinstance(analytic, dict) or analytic.get("source") != source or analytic.get("zone") not in names:
        return analytic
    return {**analytic, "zone": names[analytic["zone"]]}


def _pairs(points: Iterable[Point]) -> list[list[str]]:
    return [[number(x), number(y)] for x, y in points]


def _plain(node: Leafed) -> object:
    if isinstance(node, Text):
        return node.text
    if isinstance(node, Items):
        return [_plain(item) for item in node.items]
    return {key.text: _plain(value) for key, value in node.entries}


def _same(value: object) -> object:
    """A form in which two trees are equal when they say the same: numbers by value, names without their order."""
    if isinstance(value, dict):
        return {key: _same(item) for key, item in value.items() if item not in ({}, [])}
    if isinstance(value, list):
        return [_same(item) for item in value]
    rounded = _number(value) if isinstance(value, str) else None
    return value if rounded is None else rounded
