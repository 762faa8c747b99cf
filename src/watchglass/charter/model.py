"""What a charter says, as values. Only safeguards that this version keeps have a place here.

Each field carries its own description (``schema.Key``); the parser and the reference page are made from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, ClassVar, Final, Literal, TypeVar

from watchglass.charter import schema
from watchglass.charter.hours import DAYS, HOURS, Days, Hours
from watchglass.charter.schema import Choice, Key, Many, Named, Pair, Part
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput
from watchglass.core.geometry import Polygon

Regime = Literal["gdpr", "led", "other"]
Kind = Literal["person", "vehicle", "bicycle", "bag"]
Deployment = Literal["production", "trial", "demo"]

KINDS: Final[tuple[Kind, ...]] = ("person", "vehicle", "bicycle", "bag")
"""What an analytic may ask for. There is no kind for a face, a plate or a name (law 3)."""

ROLES: Final = (
    "reviewer",
    "responder",
    "shift-lead",
    "operator",
    "custodian",
    "privacy-officer",
    "analyst",
    "clerk",
    "oversight",
    "administrator",
)
LIFE_SAFETY: Final = frozenset({"crowd_density"})
"""Kinds whose overdue alerts are a danger to life."""

EVERYTHING: Final = "all"
"""The scope of a suspension that stops every analytic."""

_WIDEST = 16_384.0


def _polygon(corners: tuple[tuple[float, float], ...]) -> Polygon:
    polygon = Polygon(corners)
    _simple(polygon)
    return polygon


def _simple(polygon: Polygon) -> None:
    """Refuse an outline that crosses itself: what is inside it would be a guess."""
    corners = polygon.corners
    n = len(corners)
    if len(set(corners)) != n:
        raise BadInput("This polygon has the same corner twice.", fix="Name each corner once; it closes by itself.")
    for i in range(n):
        for j in range(i + 1, n):
            if j == i + 1 or (i == 0 and j == n - 1):
                continue
            if _cross(corners[i], corners[(i + 1) % n], corners[j], corners[(j + 1) % n]):
                raise BadInput("The outline of this polygon crosses itself.", fix="Name its corners going round once.")


Point = tuple[float, float]


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _within(a: Point, b: Point, c: Point) -> bool:
    return min(a[0], b[0]) <= c[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= c[1] <= max(a[1], b[1])


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the segments a-b and c-d share a point."""
    one, two, three, four = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if one * two < 0 and three * four < 0:
        return True
    return (
        (one == 0 and _within(a, b, c))
        or (two == 0 and _within(a, b, d))
        or (three == 0 and _within(c, d, a))
        or (four == 0 and _within(c, d, b))
    )


_POINT = Many(schema.number(0, _WIDEST), fewest=2, most=2, expects="a corner as [x, y]")
POLYGON: Final = Many(_POINT, fewest=3, most=64, make=_polygon, expects="a polygon: a list of corners, each as [x, y]")


@dataclass(frozen=True, slots=True)
class Authority:
    """Who is responsible."""

    name: Annotated[str, Key(schema.SENTENCE, "The public body that is responsible.")]
    contact: Annotated[str, Key(schema.SENTENCE, "Where people can write to.")]
    regime: Annotated[
        Regime, Key(schema.word("gdpr", "led", "other"), "Which data-protection law holds: GDPR, LED 2016/680, other.")
    ]
    key: Annotated[str, Key(schema.VKEY, "The authority's verifier key; its approval is checked against it.")]
    competent_under: Annotated[
        str | None,
        Key(schema.SENTENCE, "For `led`: the law that makes it a competent authority in the sense of Art. 3(7)."),
    ] = None


@dataclass(frozen=True, slots=True)
class InForce:
    """The days, both included, on which the charter holds, in the charter's time zone."""

    since: Annotated[date, Key(schema.DATE, "The first day.", "from")]
    until: Annotated[date, Key(schema.DATE, "The last day, included.")]

    def __post_init__(self) -> None:
        if self.until < self.since:
            raise BadInput("The charter would end before it begins.", fix="Let `until` be the later day.")


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why data is processed. Every act names one."""

    name: str
    text: Annotated[str, Key(schema.SENTENCE, "What it is for, in words that a resident understands.")]
    legal_basis: Annotated[str, Key(schema.SENTENCE, "The article or by-law that permits it.")]
    regime: Annotated[
        Regime | None,
        Key(schema.word("gdpr", "led", "other"), "Where this purpose is under another law than the authority's."),
    ] = None
    national_law: Annotated[
        str | None, Key(schema.SENTENCE, "For `led`: the national law that implements the directive.")
    ] = None


@dataclass(frozen=True, slots=True)
class Model:
    """Weights that may run here, named by their hash."""

    name: str
    digest: str


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
        _simple(self.polygon)


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
        tuple[Polygon, ...], Key(Many(POLYGON, most=64), "Areas that are black before anything looks at them.")
    ] = ()

    def zone(self, name: str) -> Zone:
        """The zone called ``name``."""
        return _find(self.zones, name, "zone")


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


@dataclass(frozen=True, slots=True)
class PublicView:
    """What everybody may see."""

    mode: Annotated[Literal["painted"], Key(schema.word("painted"), "An empty scene with pins; no pixel of a person.")]
    delay_ms: Annotated[int, Key(schema.DURATION, "How late it is shown; 0s is live.", "delay")]
    hide_below: Annotated[int, Key(schema.whole(0, 1000), "Empty while fewer people than this are in view.")]
    grid_m: Annotated[float, Key(schema.number(0.1, 100), "Pins are moved to a grid of this many metres.")]
    confirmed: Annotated[
        Literal["operator"],
        Key(schema.word("operator"), "Who confirms that nobody is in the empty scene before it is shown."),
    ] = "operator"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept."""

    reviewer_clips_ms: Annotated[int, Key(schema.DURATION, "Mosaicked clips of alerts.", "reviewer_clips")]
    alerts_ms: Annotated[int, Key(schema.DURATION, "What was decided about alerts.", "alerts")]


@dataclass(frozen=True, slots=True)
class Review:
    """A person decides, within a time."""

    within_ms: Annotated[int, Key(schema.DURATION, "How soon a person must have decided.", "within")]

    def __post_init__(self) -> None:
        if self.within_ms < schema.UNITS["s"]:
            raise BadInput("Nobody can decide in no time.", fix="Give people at least some seconds.")


@dataclass(frozen=True, slots=True)
class OnSuspension:
    """What people do while the software must not look."""

    tell: Annotated[tuple[str, ...], Key(Many(schema.word(*ROLES), fewest=1, most=len(ROLES)), "Which roles are told.")]
    people_do: Annotated[str, Key(schema.SENTENCE, "What people do instead until it is resumed.")]


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What protects the people under the cameras."""

    public_view: Annotated[PublicView, Key(Part(PublicView), "What everybody may see.")]
    reviewer_view: Annotated[
        Literal["mosaic"], Key(schema.word("mosaic"), "Everything that is not confirmed empty scene is mosaicked.")
    ]
    retention: Annotated[Retention, Key(Part(Retention), "How long things are kept.")]
    review: Annotated[Review, Key(Part(Review), "How soon a person decides.")]
    on_suspension: Annotated[
        OnSuspension | None, Key(Part(OnSuspension), "What people do while analytics are suspended.")
    ] = None


@dataclass(frozen=True, slots=True)
class LedgerRules:
    """How soon what was done shows in public."""

    checkpoint_every_ms: Annotated[int, Key(schema.DURATION, "Charters, suspensions and the like.", "checkpoint_every")]
    batch_every_ms: Annotated[int, Key(schema.DURATION, "Alerts and verdicts, together.", "batch_every")]
    merge_within_ms: Annotated[
        int, Key(schema.DURATION, "The latest; a later one is proof of a breach.", "merge_within")
    ]

    def __post_init__(self) -> None:
        for value in (self.checkpoint_every_ms, self.batch_every_ms, self.merge_within_ms):
            if not schema.UNITS["s"] <= value <= 7 * schema.UNITS["d"]:
                raise BadInput("A ledger interval is between a second and a week.", fix="Write for example 60s or 1h.")


@dataclass(frozen=True, slots=True)
class Witness:
    """Someone outside who remembers the ledger's checkpoints."""

    key: Annotated[str, Key(schema.VKEY, "The witness's verifier key.")]
    url: Annotated[str, Key(schema.URL, "Where its add-checkpoint is.")]


@dataclass(frozen=True, slots=True)
class Oversight:
    """Who may look and stop."""

    body: Annotated[str, Key(schema.SENTENCE, "The board or office outside the authority.")]
    key: Annotated[str, Key(schema.VKEY, "Its verifier key; approvals and suspensions are checked against it.")]
    openings_key: Annotated[str, Key(schema.OPENINGS_KEY, "Its X25519 key; details of records are sealed to it.")]
    may: Annotated[
        tuple[Literal["suspend", "inspect"], ...],
        Key(Many(schema.word("suspend", "inspect"), fewest=1, most=2), "What it may do."),
    ]
    witnesses: Annotated[tuple[Witness, ...], Key(Many(Part(Witness), most=16), "Who cosigns checkpoints.")] = ()

    def __post_init__(self) -> None:
        if len(set(self.may)) != len(self.may):
            raise BadInput("`may` names an act twice.", fix="Name each once.")
        if len({witness.key for witness in self.witnesses}) != len(self.witnesses):
            raise BadInput("Two witnesses have the same key.", fix="Name each witness once.")


@dataclass(frozen=True, slots=True)
class Charter:
    """A charter, whole and consistent, with the bytes that are signed.

    Attributes:
        data: the file's bytes, never changed.
        sha256: their SHA-256 (32 bytes); ``digest`` is it in base64, as leaves and leases name it.
    """

    data: bytes = field(repr=False)
    watchglass: Annotated[int, Key(schema.whole(1, 1), "The version of this language: 1.")]
    charter: Annotated[str, Key(schema.NAME, "The charter's name.")]
    version: Annotated[int, Key(schema.whole(1, 1_000_000), "Counts up with every published change.")]
    authority: Annotated[Authority, Key(Part(Authority), "Who is responsible.")]
    in_force: Annotated[InForce, Key(Part(InForce), "On which days it holds.")]
    purposes: Annotated[tuple[Purpose, ...], Key(Named(Part(Purpose), fewest=1), "Why data is processed.")]
    sources: Annotated[tuple[Source, ...], Key(Named(Choice((("file", FileSource),)), fewest=1), "What is looked at.")]
    analytics: Annotated[
        tuple[Analytic, ...],
        Key(
            Named(Choice((("intrusion", Intrusion), ("crowd_density", CrowdDensity), ("camera_fault", CameraFault)))),
            "What is noticed.",
        ),
    ]
    safeguards: Annotated[Safeguards, Key(Part(Safeguards), "What protects people.")]
    ledger: Annotated[LedgerRules, Key(Part(LedgerRules), "How soon what was done shows.")]
    oversight: Annotated[Oversight, Key(Part(Oversight), "Who may look and stop.")]
    models: Annotated[
        tuple[Model, ...], Key(Named(Pair(Model, schema.MODEL_HASH)), "Which weights may run, by their hash.")
    ] = ()
    timezone: Annotated[str, Key(schema.TIMEZONE, "For its days and hours.")] = "UTC"
    sha256: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", sha256(self.data))
        for names in (self.purposes, self.sources, self.analytics, self.models):
            if len({item.name for item in names}) != len(names):
                raise BadInput("Two things have one name.", fix="Give each its own name.")
        for broken in loose_ends(self):
            raise BadInput(broken.message, fix=broken.fix)

    @property
    def digest(self) -> str:
        """The SHA-256 of the charter's bytes in base64."""
        return b64(self.sha256)

    def purpose(self, name: str) -> Purpose:
        """The purpose called ``name``."""
        return _find(self.purposes, name, "purpose")

    def source(self, name: str) -> Source:
        """The source called ``name``."""
        return _find(self.sources, name, "source")

    def analytic(self, name: str) -> Analytic:
        """The analytic called ``name``."""
        return _find(self.analytics, name, "analytic")

    def model(self, name: str) -> Model:
        """The model called ``name``."""
        return _find(self.models, name, "model")

    def analytics_of(self, source: str) -> tuple[Analytic, ...]:
        """The analytics that look at ``source``."""
        return tuple(analytic for analytic in self.analytics if analytic.source == source)

    def regime_of(self, purpose: Purpose) -> Regime:
        """The law that holds for a purpose."""
        return purpose.regime or self.authority.regime


_Item = TypeVar("_Item", Purpose, Model, Zone, FileSource, Analytic)


def _find(items: tuple[_Item, ...], name: str, what: str) -> _Item:
    for item in items:
        if item.name == name:
            return item
    known = ", ".join(item.name for item in items) or "none"
    raise BadInput(f"The charter has no {what} called {name!r}.", fix=f"Use one of these: {known}.")


@dataclass(frozen=True, slots=True)
class LooseEnd:
    """A reference that leads nowhere, or a shape that lies outside the picture."""

    path: tuple[str | int, ...]
    message: str
    fix: str
    written: str = ""
    known: tuple[str, ...] = ()


def loose_ends(charter: Charter) -> Iterator[LooseEnd]:
    """Everything in a charter that does not fit together."""
    for analytic in charter.analytics:
        yield from _ends_of_analytic(charter, analytic)
    for source in charter.sources:
        yield from _outside(source)


def _ends_of_analytic(charter: Charter, analytic: Analytic) -> Iterator[LooseEnd]:
    at = ("analytics", analytic.name)
    if analytic.name == EVERYTHING:
        yield LooseEnd(at, f"An analytic cannot be called {EVERYTHING!r}: suspensions use that word.", "Rename it.")
    yield from _unknown((*at, "purpose"), "purpose", analytic.purpose, charter.purposes)
    if analytic.model is not None:
        yield from _unknown((*at, "model"), "model", analytic.model, charter.models)
    missing = tuple(_unknown((*at, "source"), "source", analytic.source, charter.sources))
    yield from missing
    if missing or analytic.zone is None:
        return
    source = charter.source(analytic.source)
    missing = tuple(_unknown((*at, "zone"), f"zone of {source.name}", analytic.zone, source.zones))
    yield from missing
    if isinstance(analytic, CrowdDensity) and not missing and source.zone(analytic.zone).area_m2 is None:
        yield LooseEnd(
            ("sources", source.name, "zones", analytic.zone),
            f"{analytic.name!r} counts people per square metre, and its zone {analytic.zone!r} states no size.",
            "Add `area_m2` to the zone.",
        )


def _unknown(path: tuple[str | int, ...], what: str, written: str, items: tuple[_Item, ...]) -> Iterator[LooseEnd]:
    known = tuple(item.name for item in items)
    if written not in known:
        listed = ", ".join(known) or "none"
        yield LooseEnd(path, f"There is no {what} called {written!r}.", f"Use one of these: {listed}.", written, known)


def _outside(source: Source) -> Iterator[LooseEnd]:
    if source.picture is None:
        return
    width, height = source.picture.width, source.picture.height
    at: tuple[str | int, ...] = ("sources", source.name)
    shapes: list[tuple[tuple[str | int, ...], Polygon]] = [
        ((*at, "zones", zone.name, "polygon"), zone.polygon) for zone in source.zones
    ]
    shapes += [((*at, "never_see", index), polygon) for index, polygon in enumerate(source.never_see)]
    if source.view is not None and source.view.ground is not None:
        shapes.append(((*at, "view", "ground"), source.view.ground))
    for path, polygon in shapes:
        if any(x > width or y > height for x, y in polygon.corners):
            yield LooseEnd(
                path,
                f"This polygon reaches outside the picture of {width} by {height} pixels.",
                "Move its corners into the picture, or correct `picture`.",
            )
