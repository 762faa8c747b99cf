"""What a charter notices: one class for each kind of incident, with what the charter may say about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

from watchglass.charter import schema
from watchglass.charter.hours import DAYS, HOURS, Days, Hours
from watchglass.charter.schema import Key, Many, Named, Pair
from watchglass.core.errors import BadInput
from watchglass.core.time import SECOND

Kind = Literal["person", "vehicle", "bicycle", "bag"]
KINDS: Final[tuple[Kind, ...]] = ("person", "vehicle", "bicycle", "bag")
"""What an analytic may ask for. There is no kind for a face, a plate or a name (law 3)."""

Crosser = Literal["person", "vehicle", "bicycle"]
CROSSERS: Final[tuple[Crosser, ...]] = ("person", "vehicle", "bicycle")
Rider = Literal["vehicle", "bicycle", "cart", "skateboard"]
RIDERS: Final[tuple[Rider, ...]] = ("vehicle", "bicycle", "cart", "skateboard")
Ground = Literal["area", "line", "nothing"]

DENSEST: Final = 0.3
"""The highest limit, people a square metre, that a charter may set: counts were measured against truth up to it."""

_FALL_WITHIN_MS: Final = 3 * SECOND
_DOWN_FOR_MS: Final = 10 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What every analytic says, whatever its kind."""

    life_safety: ClassVar[bool] = False
    """Its overdue alerts are a danger to life, and it may tell somebody before a person has decided."""
    needs: ClassVar[Ground] = "area"
    """What kind of zone it looks at."""
    measures: ClassVar[bool] = False
    """It measures metres, so its source must say how wide its view is."""

    name: str
    source: Annotated[str, Key(schema.NAME, "Which source.")]
    purpose: Annotated[str, Key(schema.NAME, "For which purpose.")]
    for_ms: Annotated[int, Key(schema.DURATION, "How long it must last before anybody is told.", "for")]
    hours: Annotated[Hours | None, Key(HOURS, "At which hours it runs; may pass midnight. Without it: always.")] = None
    days: Annotated[Days, Key(DAYS, "On which days; a night belongs to the day on which it begins.")] = ()
    tell: Annotated[
        tuple[str, ...], Key(Many(schema.NAME, most=16), "Which `destinations` are told besides the responders' page.")
    ] = ()
    notify: Annotated[
        Literal["confirmed", "at_once"],
        Key(
            schema.word("confirmed", "at_once"),
            "When responders and destinations are told: after a person has confirmed it; or at once, marked as not "
            "confirmed (only where lives are in danger).",
        ),
    ] = "confirmed"

    def __post_init__(self) -> None:
        if self.for_ms > schema.UNITS["d"]:
            raise BadInput("An analytic cannot wait longer than a day.", fix="Write a shorter `for`.")
        if len(set(self.tell)) != len(self.tell):
            raise BadInput("`tell` names a destination twice.", fix="Name each once.")
        if self.notify == "at_once" and not self.life_safety:
            raise BadInput(
                "Only an analytic about danger to life may tell somebody before a person has decided.",
                fix="Remove `notify`, so that a person decides first.",
            )

    @property
    def settings(self) -> Mapping[str, object]:
        """The kind's own values, as a worker takes them."""
        return {"for_ms": self.for_ms}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching(Rule):
    """An analytic that looks at a zone with a model."""

    zone: Annotated[str, Key(schema.NAME, "Which of its zones.")]
    model: Annotated[str, Key(schema.NAME, "Which model; may be left out where there is only one.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosing(Watching):
    """An analytic that is about things of some kinds; each says which it may name."""

    of: tuple[str, ...]

    def __post_init__(self) -> None:
        Watching.__post_init__(self)
        if len(set(self.of)) != len(self.of):
            raise BadInput("`of` names a kind twice.", fix="Name each kind once.")

    @property
    def settings(self) -> Mapping[str, object]:
        """See ``Rule.settings``."""
        return {"of": list(self.of), "for_ms": self.for_ms}


@dataclass(frozen=True, slots=True, kw_only=True)
class Intrusion(Choosing):
    """Something of a kind stays inside a zone."""

    kind: ClassVar[str] = "intrusion"

    of: Annotated[tuple[Kind, ...], Key(Many(schema.word(*KINDS), fewest=1, most=len(KINDS)), "What it looks for.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongWay(Choosing):
    """Something crosses a line against the allowed way."""

    kind: ClassVar[str] = "wrong_way"
    needs: ClassVar[Ground] = "line"

    of: Annotated[
        tuple[Crosser, ...], Key(Many(schema.word(*CROSSERS), fewest=1, most=len(CROSSERS)), "What it looks for.")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleInPedestrianArea(Choosing):
    """Something with wheels is where only people on foot may be."""

    kind: ClassVar[str] = "vehicle_in_pedestrian_area"

    of: Annotated[tuple[Rider, ...], Key(Many(schema.word(*RIDERS), fewest=1, most=len(RIDERS)), "What it looks for.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedVehicle(Watching):
    """A vehicle comes to a stop in a zone and stays."""

    kind: ClassVar[str] = "stopped_vehicle"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdDensity(Watching):
    """Too many people on an area."""

    kind: ClassVar[str] = "crowd_density"
    life_safety: ClassVar[bool] = True

    people_per_m2: Annotated[
        float, Key(schema.number(0.01, 12), "The density from which on it is too crowded; at most what was measured.")
    ]

    def __post_init__(self) -> None:
        Watching.__post_init__(self)
        if self.people_per_m2 > DENSEST:
            raise BadInput(
                f"Counting people was measured up to {DENSEST:g} a square metre only; above that nobody knows how many "
                "are missed.",
                fix=f"Set `people_per_m2` to {DENSEST:g} or less.",
            )

    @property
    def settings(self) -> Mapping[str, object]:
        """See ``Rule.settings``."""
        return {"people_per_m2": self.people_per_m2, "for_ms": self.for_ms}


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdSurge(Watching):
    """Several people suddenly run, or run apart."""

    kind: ClassVar[str] = "crowd_surge"
    life_safety: ClassVar[bool] = True
    measures: ClassVar[bool] = True

    people: Annotated[int, Key(schema.whole(2, 1000), "How many people must take part.")] = 4
    speed_m_s: Annotated[float, Key(schema.number(1, 12), "From which speed on it is running, metres a second.")] = 2.5

    @property
    def settings(self) -> Mapping[str, object]:
        """See ``Rule.settings``."""
        return {"people": self.people, "speed_m_s": self.speed_m_s, "for_ms": self.for_ms}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnattendedObject(Watching):
    """Somebody leaves a thing behind and goes away."""

    kind: ClassVar[str] = "unattended_object"
    measures: ClassVar[bool] = True

    owner_within_m: Annotated[
        float, Key(schema.number(0.5, 20), "As long as the person who brought it is this near, it is attended.")
    ] = 3.0

    @property
    def settings(self) -> Mapping[str, object]:
        """See ``Rule.settings``."""
        return {"owner_within_m": self.owner_within_m, "for_ms": self.for_ms}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall(Watching):
    """Somebody falls to the ground."""

    kind: ClassVar[str] = "fall"
    life_safety: ClassVar[bool] = True

    def __post_init__(self) -> None:
        Watching.__post_init__(self)
        if self.for_ms > _FALL_WITHIN_MS:
            raise BadInput(
                "A fall is told within three seconds.", fix="Write `for: 1s`; for somebody who lies, use `person_down`."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDown(Watching):
    """Somebody lies on the ground and does not get up."""

    kind: ClassVar[str] = "person_down"
    life_safety: ClassVar[bool] = True

    def __post_init__(self) -> None:
        Watching.__post_init__(self)
        if self.for_ms < _DOWN_FOR_MS:
            raise BadInput(
                "People sit down and get up again: this needs ten seconds at least.",
                fix="Write `for: 10s` or longer; for the moment of falling, use `fall`.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraFault(Rule):
    """The picture is black, frozen, blurred, moved or lost, or the camera's clock jumps."""

    kind: ClassVar[str] = "camera_fault"
    needs: ClassVar[Ground] = "nothing"
    zone: ClassVar[None] = None
    model: ClassVar[None] = None


@dataclass(frozen=True, slots=True)
class Setting:
    """A number that a plug-in takes."""

    name: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlugIn(Watching):
    """Somebody else's rule, which runs in a sandbox and is pinned by its hash."""

    kind: ClassVar[str] = "plug_in"

    plug_in: Annotated[str, Key(schema.NAME, "Which of `plug_ins`.")]
    rule: Annotated[
        str, Key(schema.SENTENCE, "What it notices, in words that a resident understands: “Tells a person when …”.")
    ]
    numbers: Annotated[
        tuple[Setting, ...],
        Key(Named(Pair(Setting, schema.number(-1_000_000, 1_000_000), "value")), "Its settings.", "settings"),
    ] = ()

    @property
    def settings(self) -> Mapping[str, object]:
        """See ``Rule.settings``."""
        return {"for_ms": self.for_ms, "plug_in": self.plug_in, **{item.name: item.value for item in self.numbers}}


Analytic = (
    Intrusion
    | WrongWay
    | VehicleInPedestrianArea
    | StoppedVehicle
    | CrowdDensity
    | CrowdSurge
    | UnattendedObject
    | Fall
    | PersonDown
    | CameraFault
    | PlugIn
)

ANALYTICS: Final[tuple[type[Analytic], ...]] = (
    Intrusion,
    WrongWay,
    VehicleInPedestrianArea,
    StoppedVehicle,
    CrowdDensity,
    CrowdSurge,
    UnattendedObject,
    Fall,
    PersonDown,
    CameraFault,
    PlugIn,
)
"""The class of every kind of incident."""

LIFE_SAFETY: Final = frozenset(model.kind for model in ANALYTICS if model.life_safety)
"""Kinds whose overdue alerts are a danger to life."""
