"""What a charter looks at and what it notices there: sources, zones, analytics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal, Protocol, TypeVar

from watchglass.charter import schema
from watchglass.charter.hours import DAYS, HOURS, Days, Hours
from watchglass.charter.outline import check_simple, simple_polygon
from watchglass.charter.schema import Key, Many, Named, Part
from watchglass.core.errors import BadInput
from watchglass.core.geometry import Polygon

Kind = Literal["person", "vehicle", "bicycle", "bag"]
KINDS: Final[tuple[Kind, ...]] = ("person", "vehicle", "bicycle", "bag")
"""What an analytic may ask for. There is no kind for a face, a plate or a name (law 3)."""

LIFE_SAFETY: Final = frozenset({"crowd_density"})
"""Kinds whose overdue alerts are a danger to life."""

_WIDEST = 16_384.0
_POINT = Many(schema.number(0, _WIDEST), fewest=2, most=2, expects="a corner as [x, y]")
POLYGON: Final = Many(
    _POINT, fewest=3, most=64, make=simple_polygon, expects="a polygon: a list of corners, each as [x, y]"
)


class _HasName(Protocol):
    @property
    def name(self) -> str: ...


_Item = TypeVar("_Item", bound=_HasName)


def find(items: tuple[_Item, ...], name: str, what: str) -> _Item:
    """The item called ``name``; raises BadInput that lists the names there are."""
    for item in items:
        if item.name == name:
            return item
    known = ", ".join(item.name for item in items) or "none"
    raise BadInput(f"The charter has no {what} called {name!r}.", fix=f"Use one of these: {known}.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a source stands."""

    name: Annotated[str, Key(schema.SENTENCE, "What people call the place.")]
    lat: Annotated[float, Key(schema.number(-90, 90), "Degrees north.")]
    lon: Annotated[float, Key(schema.number(-180, 180), "Degrees east.")]


@dataclass(frozen=True, slots=True)
class View:
    """What the picture shows of the ground."""

    width_m: Annotated[float, Key(schema.number(0.5, 1000), "Metres across the picture's width, in its middle.")]
    ground: Annotated[Polygon | None, Key(POLYGON, "Where in the picture the ground is.")] = None


@dataclass(frozen=True, slots=True)
class Picture:
    """The size of the source's picture."""

    width: Annotated[int, Key(schema.whole(16, 16384), "Pixels across.")]
    height: Annotated[int, Key(schema.whole(16, 16384), "Pixels down.")]


@dataclass(frozen=True, slots=True)
class Zone:
    """A polygon in a source's picture."""

    name: str
    polygon: Annotated[Polygon, Key(POLYGON, "Its corners in pixels, x to the right and y down.")]
    area_m2: Annotated[
        float | None, Key(schema.number(0.1, 1_000_000), "Its area on the ground; `crowd_density` needs it.")
    ] = None

    def __post_init__(self) -> None:
        check_simple(self.polygon)


@dataclass(frozen=True, slots=True)
class FileSource:
    """A video file that stands in for a camera."""

    kind: ClassVar[str] = "file"

    name: str
    path: Annotated[str, Key(schema.PATH, "The file, inside the deployment's media folder.")]
    place: Annotated[Place, Key(Part(Place), "Where it stands.")]
    loop: Annotated[bool, Key(schema.YES_NO, "Play it again and again, as if it were live.")] = False
    view: Annotated[View | None, Key(Part(View), "What the picture shows of the ground.")] = None
    picture: Annotated[Picture | None, Key(Part(Picture), "The picture's size; polygons are checked against it.")] = (
        None
    )
    gate: Annotated[
        Literal["auto", "always_open"],
        Key(schema.word("auto", "always_open"), "Look only when something moves, or always."),
    ] = "auto"
    zones: Annotated[tuple[Zone, ...], Key(Named(Part(Zone)), "Parts of the picture that analytics look at.")] = ()
    never_see: Annotated[
        tuple[Polygon, ...],
        Key(
            Many(POLYGON, most=64, expects="a list of polygons, each a list of corners [x, y]"),
            "Areas that are black before anything looks at them.",
        ),
    ] = ()

    def zone(self, name: str) -> Zone:
        """The zone called ``name``."""
        return find(self.zones, name, "zone")


Source = FileSource


@dataclass(frozen=True, slots=True)
class Intrusion:
    """Something of a kind stays inside a zone."""

    kind: ClassVar[str] = "intrusion"

    name: str
    source: Annotated[str, Key(schema.NAME, "Which source.")]
    zone: Annotated[str, Key(schema.NAME, "Which of its zones.")]
    purpose: Annotated[str, Key(schema.NAME, "For which purpose.")]
    model: Annotated[str, Key(schema.NAME, "Which model; may be left out where there is only one.")]
    for_ms: Annotated[int, Key(schema.DURATION, "How long it must last before anybody is told.", "for")]
    of: Annotated[tuple[Kind, ...], Key(Many(schema.word(*KINDS), fewest=1, most=len(KINDS)), "What it looks for.")]
    hours: Annotated[Hours | None, Key(HOURS, "At which hours it runs; may pass midnight. Without it: always.")] = None
    days: Annotated[Days, Key(DAYS, "On which days; a night belongs to the day on which it begins.")] = ()

    def __post_init__(self) -> None:
        _of_is_fine(self.of)
        _lasts(self.for_ms)

    @property
    def settings(self) -> Mapping[str, object]:
        """The kind's own values, as a worker takes them."""
        return {"of": list(self.of), "for_ms": self.for_ms}


@dataclass(frozen=True, slots=True)
class CrowdDensity:
    """Too many people on an area."""

    kind: ClassVar[str] = "crowd_density"

    name: str
    source: Annotated[str, Key(schema.NAME, "Which source.")]
    zone: Annotated[str, Key(schema.NAME, "Which of its zones; the zone states its `area_m2`.")]
    purpose: Annotated[str, Key(schema.NAME, "For which purpose.")]
    model: Annotated[str, Key(schema.NAME, "Which model; may be left out where there is only one.")]
    for_ms: Annotated[int, Key(schema.DURATION, "How long it must last before anybody is told.", "for")]
    people_per_m2: Annotated[float, Key(schema.number(0.01, 12), "The density from which on it is too crowded.")]
    hours: Annotated[Hours | None, Key(HOURS, "At which hours it runs; may pass midnight. Without it: always.")] = None
    days: Annotated[Days, Key(DAYS, "On which days; a night belongs to the day on which it begins.")] = ()

    def __post_init__(self) -> None:
        _lasts(self.for_ms)

    @property
    def settings(self) -> Mapping[str, object]:
        """The kind's own values, as a worker takes them."""
        return {"people_per_m2": self.people_per_m2, "for_ms": self.for_ms}


@dataclass(frozen=True, slots=True)
class CameraFault:
    """The picture is black, frozen, blurred, moved or lost."""

    kind: ClassVar[str] = "camera_fault"
    zone: ClassVar[None] = None
    model: ClassVar[None] = None

    name: str
    source: Annotated[str, Key(schema.NAME, "Which source.")]
    purpose: Annotated[str, Key(schema.NAME, "For which purpose.")]
    for_ms: Annotated[int, Key(schema.DURATION, "How long it must last before anybody is told.", "for")]
    hours: Annotated[Hours | None, Key(HOURS, "At which hours it runs; may pass midnight. Without it: always.")] = None
    days: Annotated[Days, Key(DAYS, "On which days; a night belongs to the day on which it begins.")] = ()

    def __post_init__(self) -> None:
        _lasts(self.for_ms)

    @property
    def settings(self) -> Mapping[str, object]:
        """The kind's own values, as a worker takes them."""
        return {"for_ms": self.for_ms}


Analytic = Intrusion | CrowdDensity | CameraFault


def _of_is_fine(of: tuple[Kind, ...]) -> None:
    if len(set(of)) != len(of):
        raise BadInput("`of` names a kind twice.", fix="Name each kind once.")


def _lasts(for_ms: int) -> None:
    if for_ms > schema.UNITS["d"]:
        raise BadInput("An analytic cannot wait longer than a day.", fix="Write a shorter `for`.")
