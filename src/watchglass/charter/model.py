"""What a charter says, as values. Only safeguards that this version keeps have a place here.

Each field carries its own description (``schema.Key``); the parser and the reference page are made from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Final, Literal

from watchglass.charter import schema
from watchglass.charter.limits import LIMITS, STRATA, LimitName, Quality, QualityLimits, Stratum, quality_ends
from watchglass.charter.noticed import (
    ANALYTICS,
    KINDS,
    LIFE_SAFETY,
    Analytic,
    CameraFault,
    CrowdDensity,
    CrowdSurge,
    Fall,
    Intrusion,
    Kind,
    PersonDown,
    PlugIn,
    Setting,
    StoppedVehicle,
    UnattendedObject,
    VehicleInPedestrianArea,
    WrongWay,
)
from watchglass.charter.reporting import Reports
from watchglass.charter.reviewing import Review, Samples, SeededChecks
from watchglass.charter.scene import (
    SOURCES,
    FileSource,
    HasName,
    MjpegSource,
    Picture,
    Place,
    PlanePoint,
    RtspSource,
    Source,
    View,
    WebcamSource,
    Zone,
    find,
)
from watchglass.charter.schema import Choice, Key, LooseEnd, Many, Named, Pair, Part
from watchglass.charter.sealing import (
    AccessLog,
    Custodian,
    GlassRule,
    Quorum,
    Record,
    Release,
    Use,
)
from watchglass.charter.sealing_ends import Keys, Sealing, sealing_ends
from watchglass.charter.telling import DESTINATIONS, ROLES, Costs, Destination, MqttDestination, WebhookDestination
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput
from watchglass.ledger.agreement import Agreement, more_than_half
from watchglass.ledger.keys import VerifierKey

__all__ = [
    "EVERYTHING",
    "KINDS",
    "LIFE_SAFETY",
    "LIMITS",
    "ROLES",
    "STRATA",
    "TRIAL_DAYS",
    "AccessLog",
    "Analytic",
    "Authority",
    "CameraFault",
    "Charter",
    "Costs",
    "CrowdDensity",
    "CrowdSurge",
    "Custodian",
    "Deployment",
    "Destination",
    "Fall",
    "FileSource",
    "GlassRule",
    "InForce",
    "Intrusion",
    "Kind",
    "LedgerRules",
    "LimitName",
    "LooseEnd",
    "MjpegSource",
    "Model",
    "MqttDestination",
    "OnSuspension",
    "Oversight",
    "PersonDown",
    "Picture",
    "Place",
    "PlanePoint",
    "PlugIn",
    "PlugInCode",
    "PublicView",
    "Purpose",
    "Quality",
    "QualityLimits",
    "Quorum",
    "Record",
    "Regime",
    "Release",
    "Reports",
    "Retention",
    "Review",
    "RtspSource",
    "Safeguards",
    "Samples",
    "SeededChecks",
    "Setting",
    "Source",
    "StoppedVehicle",
    "Stratum",
    "UnattendedObject",
    "VehicleInPedestrianArea",
    "View",
    "WebcamSource",
    "WebhookDestination",
    "Witness",
    "WrongWay",
    "Zone",
    "loose_ends",
]

Regime = Literal["gdpr", "led", "other"]
Deployment = Literal["production", "trial", "demo"]

TRIAL_DAYS: Final = 14
"""How long a trial may last; it cannot be renewed."""

EVERYTHING: Final = "all"
"""The scope of a suspension that stops every analytic."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Who is responsible."""

    name: Annotated[str, Key(schema.SENTENCE, "The public body that is responsible.")]
    contact: Annotated[str, Key(schema.SENTENCE, "Where people can write to.")]
    regime: Annotated[
        Regime, Key(schema.word("gdpr", "led", "other"), "Which data-protection law holds: GDPR, LED 2016/680, other.")
    ]
    key: Annotated[str, Key(schema.SIGNING_KEY, "The authority's verifier key; its approval is checked against it.")]
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
class PlugInCode:
    """A plug-in that may run here, named by the hash over its card and its sources."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class PublicView:
    """What everybody may see."""

    mode: Annotated[Literal["painted"], Key(schema.word("painted"), "An empty scene with pins; no pixel of a person.")]
    delay_ms: Annotated[
        int, Key(schema.DURATION, "How late it is shown. It is live only where 0s is written.", "delay")
    ] = 15 * schema.UNITS["m"]
    hide_below: Annotated[
        int, Key(schema.whole(0, 1000), "Empty while fewer people than this are in view, half a minute at a time.")
    ] = 3
    grid_m: Annotated[float, Key(schema.number(0.1, 100), "Pins are moved to a grid of this many metres.")] = 1.0
    confirmed: Annotated[
        Literal["operator"],
        Key(schema.word("operator"), "Who confirms that nobody is in the empty scene before it is shown."),
    ] = "operator"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept."""

    reviewer_clips_ms: Annotated[int, Key(schema.DURATION, "Mosaicked clips of alerts.", "reviewer_clips")]
    alerts_ms: Annotated[int, Key(schema.DURATION, "What was decided about alerts.", "alerts")]
    sealed_ms: Annotated[
        int | None, Key(schema.DURATION, "Sealed original video, where `record` is written.", "sealed")
    ] = None


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
    record: Annotated[Record | None, Key(Part(Record), "Which original video is kept, sealed. Without it: none.")] = (
        None
    )
    custodians: Annotated[
        tuple[Custodian, ...],
        Key(
            Named(Pair(Custodian, schema.SIGNING_KEY, "key"), fewest=1),
            "Who keeps the keys to sealed originals, by identity key; it signs their monthly sealing keys.",
        ),
    ] = ()
    release: Annotated[Release | None, Key(Part(Release), "What it takes to open sealed originals.")] = None
    samples: Annotated[
        Samples | None,
        Key(Part(Samples), "What was not alerted is looked at by lot, to reckon what was missed. Without it: never."),
    ] = None
    reports: Annotated[
        Reports | None,
        Key(
            Part(Reports), "What others note down is matched with alerts, to learn what was missed. Without it: never."
        ),
    ] = None
    access_log: Annotated[
        AccessLog | None,
        Key(
            Part(AccessLog), "What the record of who looked at what may be used for. Without it: the four lawful uses."
        ),
    ] = None

    @property
    def log_uses(self) -> tuple[Use, ...]:
        """What the record of who looked at what may be used for."""
        return (self.access_log or AccessLog()).uses


@dataclass(frozen=True, slots=True)
class LedgerRules:
    """How soon what was done shows in public."""

    checkpoint_every_ms: Annotated[int, Key(schema.DURATION, "Charters, suspensions and the like.", "checkpoint_every")]
    batch_every_ms: Annotated[int, Key(schema.DURATION, "Alerts and verdicts, together.", "batch_every")]
    merge_within_ms: Annotated[
        int, Key(schema.DURATION, "The latest; a later one is proof of a breach.", "merge_within")
    ]
    heartbeat_every_ms: Annotated[
        int | None,
        Key(
            schema.DURATION,
            "How often whatever looks at a source signs that it is there, quiet or not. Without it nobody can tell.",
            "heartbeat_every",
        ),
    ] = None
    witnessed_within_ms: Annotated[
        int | None,
        Key(
            schema.DURATION,
            "How long anything may run without a fresh cosignature by enough witnesses; then it stops by itself.",
            "witnessed_within",
        ),
    ] = None

    def __post_init__(self) -> None:
        for value in (self.checkpoint_every_ms, self.batch_every_ms, self.merge_within_ms):
            if not schema.UNITS["s"] <= value <= 7 * schema.UNITS["d"]:
                raise BadInput("A ledger interval is between a second and a week.", fix="Write for example 60s or 1h.")
        beat = self.heartbeat_every_ms
        if beat is not None and not schema.UNITS["s"] <= beat <= schema.UNITS["h"]:
            raise BadInput("Heartbeats come once a second to once an hour.", fix="Write `heartbeat_every: 60s`.")
        seen = self.witnessed_within_ms
        if seen is not None and not 2 * self.checkpoint_every_ms <= seen <= 30 * schema.UNITS["d"]:
            raise BadInput(
                "`witnessed_within` is at least twice `checkpoint_every`, and at most 30 days.",
                fix="Write `witnessed_within: 1h`, or how long it may run unseen.",
            )


@dataclass(frozen=True, slots=True)
class Witness:
    """Someone outside who remembers the ledger's checkpoints."""

    key: Annotated[str, Key(schema.WITNESS_KEY, "The witness's verifier key.")]
    url: Annotated[str, Key(schema.URL, "Where its add-checkpoint is.")]


@dataclass(frozen=True, slots=True)
class Oversight:
    """Who may look and stop."""

    body: Annotated[str, Key(schema.SENTENCE, "The board or office outside the authority.")]
    key: Annotated[str, Key(schema.SIGNING_KEY, "Its verifier key; approvals and suspensions are checked against it.")]
    openings_key: Annotated[str, Key(schema.OPENINGS_KEY, "Its X25519 key; details of records are sealed to it.")]
    may: Annotated[
        tuple[Literal["suspend", "inspect", "audit"], ...],
        Key(Many(schema.word("suspend", "inspect", "audit"), fewest=1, most=3), "What it may do."),
    ]
    witnesses: Annotated[tuple[Witness, ...], Key(Many(Part(Witness), most=16), "Who cosigns checkpoints.")] = ()
    quorum: Annotated[
        int | None,
        Key(schema.whole(1, 16), "How many of them must have cosigned. Without it: more than half of them."),
    ] = None

    def __post_init__(self) -> None:
        if len(set(self.may)) != len(self.may):
            raise BadInput("`may` names an act twice.", fix="Name each once.")
        keys = [VerifierKey.parse(witness.key) for witness in self.witnesses]
        if len({key.public for key in keys}) != len(keys):
            raise BadInput("Two witnesses have the same key.", fix="Name each witness once.")
        if len({key.name for key in keys}) != len(keys):
            raise BadInput("Two witnesses have one name.", fix="Ask one of them for a key of another name.")
        if self.quorum is not None and self.quorum > len(keys):
            raise BadInput(
                f"{self.quorum} of {len(keys)} witnesses can never agree.",
                fix="Name more witnesses, or lower `oversight.quorum`.",
            )

    @property
    def agreement(self) -> Agreement | None:
        """How many of which witnesses must agree; None where none is named."""
        labels = frozenset(VerifierKey.parse(witness.key).label for witness in self.witnesses)
        return Agreement(labels, self.quorum or more_than_half(len(labels))) if labels else None


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
    sources: Annotated[
        tuple[Source, ...],
        Key(Named(Choice(tuple((model.kind, model) for model in SOURCES)), fewest=1), "What is looked at."),
    ]
    analytics: Annotated[
        tuple[Analytic, ...],
        Key(Named(Choice(tuple((model.kind, model) for model in ANALYTICS))), "What is noticed."),
    ]
    safeguards: Annotated[Safeguards, Key(Part(Safeguards), "What protects people.")]
    ledger: Annotated[LedgerRules, Key(Part(LedgerRules), "How soon what was done shows.")]
    oversight: Annotated[Oversight, Key(Part(Oversight), "Who may look and stop.")]
    models: Annotated[
        tuple[Model, ...], Key(Named(Pair(Model, schema.MODEL_HASH)), "Which weights may run, by their hash.")
    ] = ()
    plug_ins: Annotated[
        tuple[PlugInCode, ...],
        Key(Named(Pair(PlugInCode, schema.PLUG_IN_HASH)), "Which plug-ins may run, by their hash."),
    ] = ()
    destinations: Annotated[
        tuple[Destination, ...],
        Key(
            Named(Choice(tuple((model.kind, model) for model in DESTINATIONS))),
            "Whom the software may tell by itself, besides the people who sign in.",
        ),
    ] = ()
    quality: Annotated[
        Quality | None, Key(Part(Quality), "How well it must work, with limits that stop an analytic by itself.")
    ] = None
    costs: Annotated[Costs | None, Key(Part(Costs), "What the public page reckons costs with.")] = None
    timezone: Annotated[str, Key(schema.TIMEZONE, "For its days and hours.")] = "UTC"
    sha256: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", sha256(self.data))
        named: tuple[tuple[HasName, ...], ...] = (
            self.purposes,
            self.sources,
            self.analytics,
            self.models,
            self.plug_ins,
            self.destinations,
            self.safeguards.custodians,
            self.quality.limits if self.quality is not None else (),
        )
        for names in named:
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
        return find(self.purposes, name, "purpose")

    def source(self, name: str) -> Source:
        """The source called ``name``."""
        return find(self.sources, name, "source")

    def analytic(self, name: str) -> Analytic:
        """The analytic called ``name``."""
        return find(self.analytics, name, "analytic")

    def model(self, name: str) -> Model:
        """The model called ``name``."""
        return find(self.models, name, "model")

    def plug_in(self, name: str) -> PlugInCode:
        """The plug-in called ``name``."""
        return find(self.plug_ins, name, "plug-in")

    def destination(self, name: str) -> Destination:
        """The destination called ``name``."""
        return find(self.destinations, name, "destination")

    def custodian(self, name: str) -> Custodian:
        """The custodian called ``name``."""
        return find(self.safeguards.custodians, name, "custodian")

    def limits_of(self, analytic: str) -> QualityLimits | None:
        """The limits of ``analytic``; None where the charter states none, so that nothing stops it by itself."""
        stated = self.quality.limits if self.quality is not None else ()
        return next((limits for limits in stated if limits.name == analytic), None)

    def records(self, source: str) -> bool:
        """Whether original video of ``source`` may be sealed and kept."""
        record = self.safeguards.record
        return record is not None and (not record.sources or source in record.sources)

    def analytics_of(self, source: str) -> tuple[Analytic, ...]:
        """The analytics that look at ``source``."""
        return tuple(analytic for analytic in self.analytics if analytic.source == source)

    def kept_for(self, source: str) -> str:
        """The purpose for which everything of a source is kept, where everything is: of the first analytic there.

        Whether that one is suspended at the moment makes no difference, as long as another one looks.
        """
        return self.analytics_of(source)[0].purpose

    def regime_of(self, purpose: Purpose) -> Regime:
        """The law that holds for a purpose."""
        return purpose.regime or self.authority.regime


def loose_ends(charter: Charter) -> Iterator[LooseEnd]:
    """Everything in a charter that does not fit together."""
    for analytic in charter.analytics:
        yield from _ends_of_analytic(charter, analytic)
    for source in charter.sources:
        yield from _outside(source)
        models = sorted({a.model for a in charter.analytics_of(source.name) if a.model is not None})
        if len(models) > 1:
            yield LooseEnd(
                ("sources", source.name),
                f"{source.name!r} would be looked at with two models, {models[0]!r} and {models[1]!r}.",
                "Let all its analytics name one model.",
            )
    rules, oversight = charter.safeguards, charter.oversight
    yield from sealing_ends(
        Sealing(rules.record, rules.custodians, rules.release, rules.retention.sealed_ms),
        tuple(source.name for source in charter.sources),
        Keys(charter.authority.key, oversight.key, oversight.openings_key, tuple(w.key for w in oversight.witnesses)),
    )
    yield from quality_ends(
        charter.quality,
        tuple(analytic.name for analytic in charter.analytics),
        people_do=rules.on_suspension is not None,
        matures_ms=rules.review.matures_ms,
        alerts_ms=rules.retention.alerts_ms,
    )
    if rules.samples is not None and rules.samples.kept_ms > rules.retention.alerts_ms:
        yield LooseEnd(
            ("safeguards", "samples", "kept"),
            "Samples would be kept longer than the alerts beside which they are judged.",
            "Let `samples.kept` be at most `retention.alerts`.",
        )
    if rules.reports is not None:
        yield from _ends_of_reports(charter, rules.reports)


def _ends_of_reports(charter: Charter, reports: Reports) -> Iterator[LooseEnd]:
    """Reports name analytics that are there, and are never kept longer than the alerts that they are matched with."""
    at = ("safeguards", "reports")
    for index, name in enumerate(reports.of):
        yield from _unknown((*at, "of", index), "analytic", name, charter.analytics)
    if reports.kept_ms + reports.within_ms > charter.safeguards.retention.alerts_ms:
        yield LooseEnd(
            (*at, "kept"),
            "Reports would be kept longer than the alerts that they are matched with, and then look as if missed.",
            "Let `reports.kept` and `reports.within` together be at most `retention.alerts`.",
        )


def _ends_of_analytic(charter: Charter, analytic: Analytic) -> Iterator[LooseEnd]:
    at = ("analytics", analytic.name)
    if analytic.name == EVERYTHING:
        yield LooseEnd(at, f"An analytic cannot be called {EVERYTHING!r}: suspensions use that word.", "Rename it.")
    yield from _unknown((*at, "purpose"), "purpose", analytic.purpose, charter.purposes)
    for index, told in enumerate(analytic.tell):
        yield from _unknown((*at, "tell", index), "destination", told, charter.destinations)
    if isinstance(analytic, PlugIn):
        yield from _unknown((*at, "plug_in"), "plug-in", analytic.plug_in, charter.plug_ins)
    if analytic.model is not None:
        yield from _unknown((*at, "model"), "model", analytic.model, charter.models)
    missing = tuple(_unknown((*at, "source"), "source", analytic.source, charter.sources))
    yield from missing
    if missing or analytic.zone is None:
        return
    source = charter.source(analytic.source)
    missing = tuple(_unknown((*at, "zone"), f"zone of {source.name}", analytic.zone, source.zones))
    yield from missing
    if not missing:
        yield from _ends_of_zone(source, analytic, analytic.zone)


def _ends_of_zone(source: Source, analytic: Analytic, name: str) -> Iterator[LooseEnd]:
    """What a rule asks of its zone and of its source's view."""
    zone = source.zone(name)
    at = ("sources", source.name, "zones", name)
    if (zone.line is not None) != (analytic.needs == "line"):
        have, need = ("a line", "an area") if zone.line is not None else ("an area", "a line")
        yield LooseEnd(
            at,
            f"{analytic.name!r} needs {need}, and its zone {name!r} is {have}.",
            f"Draw {need} for it, or name another zone.",
        )
    plane = source.view is not None and bool(source.view.plane)
    if isinstance(analytic, CrowdDensity) and zone.area_m2 is None and not plane:
        yield LooseEnd(
            at,
            f"{analytic.name!r} counts people per square metre, and its zone {name!r} states no size.",
            "Add `area_m2` to the zone, or `view.plane` to the source.",
        )
    if analytic.measures and source.view is None:
        yield LooseEnd(
            ("sources", source.name),
            f"{analytic.name!r} measures metres, and {source.name!r} does not say how wide its view is.",
            "Add `view: {width_m: …}`, better with `plane`.",
        )


def _unknown(
    path: tuple[str | int, ...],
    what: str,
    written: str,
    items: tuple[Source, ...]
    | tuple[Zone, ...]
    | tuple[Purpose, ...]
    | tuple[Model, ...]
    | tuple[PlugInCode, ...]
    | tuple[Destination, ...]
    | tuple[Analytic, ...],
) -> Iterator[LooseEnd]:
    known = tuple(item.name for item in items)
    if written not in known:
        listed = ", ".join(known) or "none"
        yield LooseEnd(path, f"There is no {what} called {written!r}.", f"Use one of these: {listed}.", written, known)


def _outside(source: Source) -> Iterator[LooseEnd]:
    if source.picture is None:
        return
    width, height = source.picture.width, source.picture.height
    at: tuple[str | int, ...] = ("sources", source.name)
    shapes: list[tuple[tuple[str | int, ...], str, tuple[tuple[float, float], ...]]] = [
        ((*at, "zones", zone.name, "line" if zone.line else "polygon"), "line" if zone.line else "polygon", zone.points)
        for zone in source.zones
    ]
    for key, areas in (("never_see", source.never_see), ("never_show", source.never_show)):
        shapes += [((*at, key, index), "polygon", area.corners) for index, area in enumerate(areas)]
    if source.view is not None:
        if source.view.ground is not None:
            shapes.append(((*at, "view", "ground"), "polygon", source.view.ground.corners))
        shapes += [((*at, "view", "plane", i, "at"), "point", (p.at,)) for i, p in enumerate(source.view.plane)]
    for path, shape, points in shapes:
        if any(x > width or y > height for x, y in points):
            yield LooseEnd(
                path,
                f"This {shape} reaches outside the picture of {width} by {height} pixels.",
                "Move its corners into the picture, or correct `picture`.",
            )
