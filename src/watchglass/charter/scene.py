"""What a charter looks at: places, views, zones and sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal, Protocol, TypeVar

from watchglass.charter import schema
from watchglass.charter.conditions import Conditions
from watchglass.charter.outline import Point, check_simple, flat, simple_polygon, straight_line
from watchglass.charter.schema import Key, Many, Named, Part
from watchglass.core.errors import BadInput
from watchglass.core.geometry import Polygon

Line = tuple[Point, Point]

_WIDEST: Final = 16_384.0
POINT: Final = Many(schema.number(0, _WIDEST), fewest=2, most=2, expects="a corner as [x, y]")
METRES: Final = Many(schema.number(-10_000, 10_000), fewest=2, most=2, expects="metres as [x, y]")
LINE: Final = Many(POINT, fewest=2, most=2, make=straight_line, expects="a line: its two ends, each as [x, y]")
POLYGON: Final = Many(
    POINT, fewest=3, most=64, make=simple_polygon, expects="a polygon: a list of corners, each as [x, y]"
)


class HasName(Protocol):
    """Anything that the charter gives a name."""

    @property
    def name(self) -> str: ...


_Item = TypeVar("_Item", bound=HasName)


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
class PlanePoint:
    """A point of the ground: where it is in the picture, and where in the world."""

    at: Annotated[Point, Key(POINT, "Where it is in the picture, in pixels.")]
    m: Annotated[Point, Key(METRES, "Where it is on the ground, in metres from a corner that you choose.")]


@dataclass(frozen=True, slots=True)
class View:
    """What the picture shows of the ground."""

    width_m: Annotated[float, Key(schema.number(0.5, 1000), "Metres across the picture's width, in its middle.")]
    ground: Annotated[Polygon | None, Key(POLYGON, "Where in the picture the ground is.")] = None
    plane: Annotated[
        tuple[PlanePoint, ...],
        Key(
            Many(
                Part(PlanePoint),
                fewest=4,
                most=64,
                expects="a list of four or more points, each {at: [x, y], m: [x, y]}",
            ),
            "Points of the ground. With them distances, speeds and areas are measured instead of estimated.",
        ),
    ] = ()
    overhead: Annotated[bool, Key(schema.YES_NO, "The camera looks straight down.")] = False

    def __post_init__(self) -> None:
        if self.plane and (flat([p.at for p in self.plane]) or flat([p.m for p in self.plane])):
            raise BadInput(
                "The points of this plane lie on one line, or all in one place.",
                fix="Choose four points far apart, of which no three lie on one line.",
            )


@dataclass(frozen=True, slots=True)
class Picture:
    """The size of the source's picture."""

    width: Annotated[int, Key(schema.whole(16, 16384), "Pixels across.")]
    height: Annotated[int, Key(schema.whole(16, 16384), "Pixels down.")]


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of a source's picture: an area, or a line that may be crossed one way only."""

    name: str
    polygon: Annotated[Polygon | None, Key(POLYGON, "An area: its corners in pixels, x to the right and y down.")] = (
        None
    )
    line: Annotated[
        Line | None,
        Key(
            LINE,
            "A line: its two ends. Seen from the first towards the second, the allowed way across is from the left to "
            "the right.",
        ),
    ] = None
    area_m2: Annotated[
        float | None,
        Key(schema.number(0.1, 1_000_000), "Its area on the ground; `crowd_density` needs it, or `view.plane`."),
    ] = None

    def __post_init__(self) -> None:
        if (self.polygon is None) == (self.line is None):
            raise BadInput("A zone is either a polygon or a line.", fix="Write `polygon` or `line`.")
        if self.polygon is not None:
            check_simple(self.polygon)
        elif self.area_m2 is not None:
            raise BadInput("A line has no area.", fix="Remove `area_m2`, or draw a polygon.")

    @property
    def points(self) -> tuple[Point, ...]:
        """The polygon's corners, or the line's two ends."""
        return self.polygon.corners if self.polygon is not None else self.line or ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """What every source says, whatever its kind."""

    name: str
    place: Annotated[Place, Key(Part(Place), "Where it stands.")]
    view: Annotated[View | None, Key(Part(View), "What the picture shows of the ground.")] = None
    picture: Annotated[
        Picture | None,
        Key(Part(Picture), "The size of the picture that polygons are drawn on; they are checked against it."),
    ] = None
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
    never_show: Annotated[
        tuple[Polygon, ...],
        Key(
            Many(POLYGON, most=64, expects="a list of polygons, each a list of corners [x, y]"),
            "Areas that are looked at, and that the public view never shows: grey in whole blocks, without pins, and "
            "nobody in them is counted in it.",
        ),
    ] = ()

    conditions: Annotated[
        Conditions | None,
        Key(
            Part(Conditions),
            "What its pictures must be like. While they are not, its analytics are degraded: they go on, and every "
            "alert says so.",
        ),
    ] = None

    def zone(self, name: str) -> Zone:
        """The zone called ``name``."""
        return find(self.zones, name, "zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource(Camera):
    """A video file that stands in for a camera."""

    kind: ClassVar[str] = "file"

    path: Annotated[str, Key(schema.PATH, "The file, inside the deployment's media folder.")]
    loop: Annotated[bool, Key(schema.YES_NO, "Play it again and again, as if it were live.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RtspSource(Camera):
    """A network camera: one stream, or a small one to look at beside the large one that clips are cut from."""

    kind: ClassVar[str] = "rtsp"

    url: Annotated[str | None, Key(schema.RTSP_URL, "Its address, if no password is in it.")] = None
    url_secret: Annotated[str | None, Key(schema.SECRET, "The secret that holds its address.")] = None
    detect_url: Annotated[str | None, Key(schema.RTSP_URL, "A small stream of the same camera, to look at.")] = None
    detect_url_secret: Annotated[str | None, Key(schema.SECRET, "The secret that holds that address.")] = None
    record_url: Annotated[
        str | None, Key(schema.RTSP_URL, "Beside `detect_url`: the large stream, from which clips are cut.")
    ] = None
    record_url_secret: Annotated[str | None, Key(schema.SECRET, "The secret that holds that address.")] = None
    transport: Annotated[
        Literal["tcp", "udp"], Key(schema.word("tcp", "udp"), "How the pictures come; tcp loses none.")
    ] = "tcp"
    hardware: Annotated[bool, Key(schema.YES_NO, "Decode on the machine's video hardware, where it has any.")] = False

    def __post_init__(self) -> None:
        one = _stated(self.url, self.url_secret, "url")
        detect = _stated(self.detect_url, self.detect_url_secret, "detect_url")
        record = _stated(self.record_url, self.record_url_secret, "record_url")
        if (one, detect, record) not in {(True, False, False), (False, True, True)}:
            raise BadInput(
                "A network camera has one address; or one to look at and one to cut clips from.",
                fix="Write `url` or `url_secret`; or both `detect_url` and `record_url` (or their `…_secret`).",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class MjpegSource(Camera):
    """A network camera that sends single pictures (MJPEG over HTTP)."""

    kind: ClassVar[str] = "mjpeg"

    url: Annotated[str | None, Key(schema.PAGE_URL, "Its address, if no password is in it.")] = None
    url_secret: Annotated[str | None, Key(schema.SECRET, "The secret that holds its address.")] = None

    def __post_init__(self) -> None:
        if not _stated(self.url, self.url_secret, "url"):
            raise BadInput("This camera has no address.", fix="Write `url` or `url_secret`.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebcamSource(Camera):
    """A camera on the machine itself."""

    kind: ClassVar[str] = "webcam"

    device: Annotated[str, Key(schema.DEVICE, "Which one.")]


Source = FileSource | RtspSource | MjpegSource | WebcamSource

SOURCES: Final[tuple[type[Source], ...]] = (FileSource, RtspSource, MjpegSource, WebcamSource)
"""The class of every kind of source."""


def _stated(plain: str | None, secret: str | None, key: str) -> bool:
    if plain is not None and secret is not None:
        raise BadInput(f"`{key}` and `{key}_secret` say the same thing twice.", fix="Keep one of them.")
    return plain is not None or secret is not None
