"""What is said about each field that changes, and how much it weighs for the people under the cameras."""

from __future__ import annotations

from itertools import product
from typing import Any, Final

from watchglass.charter.condition_told import CONDITIONS
from watchglass.charter.condition_told import STATED as CONDITIONS_STATED
from watchglass.charter.hours import WEEK, Days, Hours
from watchglass.charter.model import (
    Authority,
    CameraFault,
    Charter,
    Costs,
    CrowdDensity,
    CrowdSurge,
    Fall,
    FileSource,
    InForce,
    Intrusion,
    LedgerRules,
    MjpegSource,
    Model,
    MqttDestination,
    OnSuspension,
    Oversight,
    PersonDown,
    Picture,
    Place,
    PlugIn,
    PlugInCode,
    PublicView,
    Purpose,
    Retention,
    RtspSource,
    Safeguards,
    Setting,
    StoppedVehicle,
    UnattendedObject,
    VehicleInPedestrianArea,
    View,
    WebcamSource,
    WebhookDestination,
    Witness,
    WrongWay,
    Zone,
)
from watchglass.charter.outline import lies_inside
from watchglass.charter.quality_told import QUALITY, quality_said
from watchglass.charter.report_words import REPORTS_TOLD
from watchglass.charter.sealed_told import KEPT, ORIGINAL, SEALED
from watchglass.charter.weighing import (
    Told,
    Weight,
    members_protect,
    members_widen,
    more_is_wider,
    names,
    neither,
    wider,
)
from watchglass.charter.words import day, duration, plain, said, when
from watchglass.core.geometry import Polygon

# ---- how a difference weighs -----------------------------------------------------------------------------------


def _less_is_wider(old: Any, new: Any) -> Weight:
    return "widening" if old is None or new is None or new < old else "narrowing"


def _rarer_is_wider(old: int | None, new: int | None) -> Weight:
    return "narrowing" if new is not None and (old is None or new < old) else "widening"


def _zone_grows(old: Polygon, new: Polygon) -> Weight:
    return "narrowing" if lies_inside(new, old) else "widening"


def _blackout_shrinks(old: tuple[Polygon, ...], new: tuple[Polygon, ...]) -> Weight:
    covered = all(any(lies_inside(was, now) for now in new) for was in old)
    if covered and set(old) == set(new):
        return "maintenance"
    return "narrowing" if covered else "widening"


def _gate(_old: str, new: str) -> Weight:
    return "widening" if new == "always_open" else "narrowing"


def _appears(_old: object, new: object) -> Weight:
    return "narrowing" if new is not None else "widening"


def _minutes(schedule: tuple[Hours | None, Days]) -> set[int]:
    """The minutes of a week at which something runs; minute 0 is Monday 00:00."""
    hours, days = schedule
    start, end = (0, 24 * 60) if hours is None else (hours.start, hours.end)
    length = (end - start) % (24 * 60) or 24 * 60
    first = [WEEK.index(name) * 24 * 60 + start for name in days or WEEK]
    return {(begin + minute) % (7 * 24 * 60) for begin, minute in product(first, range(length))}


def _schedule(old: tuple[Hours | None, Days], new: tuple[Hours | None, Days]) -> Weight:
    before, after = _minutes(old), _minutes(new)
    if before == after:
        return "maintenance"
    return "narrowing" if after < before else "widening"


# ---- what is said about each field -----------------------------------------------------------------------------


def _quoted(value: object) -> str:
    return "nothing" if value is None else f"“{value}”"


def _name(value: object) -> str:
    return f"“{said(str(value))}”"


def _number(value: float | None) -> str:
    return "not stated" if value is None else plain(value)


def _stated(value: object) -> str:
    return "not stated" if value is None else "stated"


def _law(value: object) -> str:
    return {"gdpr": "the GDPR", "led": "the police directive", "other": "another law"}.get(str(value), "the usual law")


def _hours_words(schedule: tuple[Hours | None, Days]) -> str:
    return when(*schedule)


_ANALYTIC: Final[dict[str, Told]] = {
    "source": Told(wider, "{who} now looks through the camera {new}, not {old}.", _name),
    "zone": Told(wider, "{who} now watches the area {new}, not {old}.", _name),
    "purpose": Told(wider, "{who} now serves the purpose {new}, not {old}.", _name),
    "model": Told(wider, "{who} now uses the software {new}, not {old}.", _name),
    "for_ms": Told(_less_is_wider, "{who} now tells a person after {new}, not after {old}.", duration),
    "hours": Told(_schedule, "{who} now runs {new}; before: {old}.", _hours_words),
    "tell": Told(members_widen, "{who} now also tells: {new}; before: {old}.", names),
    "notify": Told(
        lambda _old, new: "widening" if new == "at_once" else "narrowing",
        "{who} now tells others {new}.",
        lambda when: (
            "at once, before a person has decided" if when == "at_once" else "only after a person has confirmed it"
        ),
    ),
}

_OF: Final = Told(members_widen, "{who} now looks for: {new}; before: {old}.", names)

_CAMERA: Final[dict[str, Told]] = {
    "gate": Told(
        _gate,
        "The software now looks closely at {who} {new}.",
        lambda gate: "all the time" if gate == "always_open" else "only while something moves",
    ),
    "never_see": Told(
        _blackout_shrinks,
        "{who}: what is blacked out before anything looks at it changes; it was {old}, and is {new}.",
        lambda areas: f"{len(areas)} part{'' if len(areas) == 1 else 's'} of the picture",
    ),
    "never_show": Told(
        _blackout_shrinks,
        "{who}: what the public is never shown changes; it was {old}, and is {new}.",
        lambda areas: f"{len(areas)} part{'' if len(areas) == 1 else 's'} of the picture",
    ),
    "view": Told(wider, "{who}: what its picture shows of the ground is now {new}.", _stated),
    "picture": Told(neither, "{who}: the size of its picture is now {new}.", _stated),
    "conditions": CONDITIONS_STATED,
}

_ADDRESS: Final = Told(wider, "{who} now shows what comes from another address: {new}, not {old}.", _quoted)
_SECRET: Final = Told(wider, "{who} now shows what comes from another address, which is kept secret.")

TOLD: Final[dict[type, dict[str, Told]]] = {
    Charter: {
        "watchglass": Told(neither, "The language of these rules is now number {new}, not {old}."),
        "charter": Told(neither, "These rules are now called {new}, not {old}.", _name),
        "version": Told(neither, "This is version {new}; before: version {old}."),
        "quality": Told(_appears, "{new}", quality_said),
        "costs": Told(neither, "What it costs is now {new}.", _stated),
        "timezone": Told(wider, "Days and hours now follow the clocks of {new}, not of {old}."),
    },
    Authority: {
        "name": Told(wider, "{new} is now responsible, not {old}."),
        "contact": Told(neither, "You can now write to {new}; before: {old}."),
        "regime": Told(wider, "Your data is now protected by {new}, not by {old}.", _law),
        "key": Told(neither, "The authority now signs with another key."),
        "competent_under": Told(wider, "The law that makes the authority competent is now {new}, not {old}.", _quoted),
    },
    InForce: {
        "since": Told(_less_is_wider, "The rules now hold from {new} on, not from {old}.", day),
        "until": Told(more_is_wider, "The rules now hold until {new}, not until {old}.", day),
    },
    Purpose: {
        "text": Told(wider, "The purpose {who} now reads {new}; before: {old}.", _quoted),
        "legal_basis": Told(neither, "The law for the purpose {who} is now {new}; before: {old}.", _quoted),
        "regime": Told(wider, "For the purpose {who}, your data is now protected by {new}, not by {old}.", _law),
        "national_law": Told(neither, "The national law for the purpose {who} is now {new}; before: {old}.", _quoted),
    },
    Model: {
        "digest": Told(neither, "The software {who} is replaced: its fingerprint is now {new}, not {old}."),
    },
    PlugInCode: {
        "digest": Told(neither, "The plug-in {who} is replaced: its fingerprint is now {new}, not {old}."),
    },
    FileSource: {
        **_CAMERA,
        "path": Told(wider, "{who} now shows another file: {new}, not {old}."),
        "loop": Told(neither, "{who} {new}.", lambda on: "now plays again and again" if on else "now plays once"),
    },
    RtspSource: {
        **_CAMERA,
        **dict.fromkeys(("url", "detect_url", "record_url"), _ADDRESS),
        **dict.fromkeys(("url_secret", "detect_url_secret", "record_url_secret"), _SECRET),
        "transport": Told(neither, "The pictures of {who} now come by {new}, not by {old}."),
        "hardware": Told(
            neither, "{who} is now decoded {new}.", lambda on: "on the machine's hardware" if on else "in software"
        ),
    },
    MjpegSource: {**_CAMERA, "url": _ADDRESS, "url_secret": _SECRET},
    WebcamSource: {**_CAMERA, "device": Told(wider, "{who} is now another device: {new}, not {old}.")},
    Place: {
        "name": Told(neither, "{who} is now said to be at {new}, not at {old}.", _quoted),
        "lat": Told(wider, "{who} now stands at another place: {new} degrees north, not {old}.", _number),
        "lon": Told(wider, "{who} now stands at another place: {new} degrees east, not {old}.", _number),
    },
    View: {
        "width_m": Told(more_is_wider, "{who} now shows {new} metres across, not {old}.", _number),
        "ground": Told(neither, "{who}: the part of its picture that counts as ground changes."),
        "plane": Told(neither, "{who}: how its picture lies on the ground was measured anew."),
        "overhead": Told(
            neither, "{who} is now a camera that looks {new}.", lambda on: "straight down" if on else "from the side"
        ),
    },
    Picture: {
        "width": Told(neither, "{who}: its picture is now {new} pixels wide, not {old}."),
        "height": Told(neither, "{who}: its picture is now {new} pixels high, not {old}."),
    },
    Zone: {
        "polygon": Told(_zone_grows, "The watched area {who} has a new outline: about {new} of the old size.", str),
        "line": Told(wider, "The line {who} now lies elsewhere, or points the other way."),
        "area_m2": Told(_less_is_wider, "The area {who} is now said to have {new} square metres, not {old}.", _number),
    },
    Intrusion: {**_ANALYTIC, "of": _OF},
    WrongWay: {**_ANALYTIC, "of": _OF},
    VehicleInPedestrianArea: {**_ANALYTIC, "of": _OF},
    StoppedVehicle: _ANALYTIC,
    CrowdDensity: {
        **_ANALYTIC,
        "people_per_m2": Told(
            _less_is_wider, "{who} now tells a person at {new} people on each square metre, not at {old}.", _number
        ),
    },
    CrowdSurge: {
        **_ANALYTIC,
        "people": Told(_less_is_wider, "{who} now tells a person when {new} people run, not {old}."),
        "speed_m_s": Told(_less_is_wider, "{who} now takes {new} metres a second for running, not {old}.", _number),
    },
    UnattendedObject: {
        **_ANALYTIC,
        "owner_within_m": Told(
            _less_is_wider, "{who} now takes a thing for left behind when its owner is {new} metres away, not {old}.",
            _number,
        ),
    },
    Fall: _ANALYTIC,
    PersonDown: _ANALYTIC,
    PlugIn: {
        **_ANALYTIC,
        "plug_in": Told(wider, "{who} is now judged by the plug-in {new}, not by {old}.", _name),
        "rule": Told(wider, "{who} now tells a person when {new}; before: when {old}.", _quoted),
    },
    Setting: {
        "value": Told(wider, "The plug-in's setting {who} is now {new}, not {old}.", _number),
    },
    CameraFault: {key: told for key, told in _ANALYTIC.items() if key not in {"zone", "model"}},
    WebhookDestination: {
        "who": Told(wider, "Messages to {who} are now read by {new}, not by {old}.", _quoted),
        "roles": Told(members_protect, "{who} is now told of stops for {new}; before: for {old}.", names),
        "url": Told(wider, "Messages to {who} now go to {new}, not to {old}."),
        "secret": Told(neither, "Messages to {who} are now signed with another secret."),
    },
    MqttDestination: {
        "who": Told(wider, "Messages to {who} are now read by {new}, not by {old}.", _quoted),
        "roles": Told(members_protect, "{who} is now told of stops for {new}; before: for {old}.", names),
        "host": Told(wider, "Messages to {who} now go to the machine {new}, not to {old}."),
        "port": Told(neither, "Messages to {who} now go to the port {new}, not to {old}."),
        "tls": Told(
            lambda _old, new: "narrowing" if new else "widening",
            "Messages to {who} are now {new}.",
            lambda on: "encrypted on their way" if on else "no longer encrypted on their way",
        ),
        "topic": Told(neither, "Messages to {who} now stand under the topic {new}, not {old}."),
        "username": Told(neither, "The software now signs in to {who} as {new}, not as {old}.", _quoted),
        "secret": Told(neither, "The software now signs in to {who} with another password."),
    },
    Costs: {
        "currency": Told(neither, "Costs are now told in {new}, not in {old}."),
        "hardware_per_year": Told(neither, "The machine is now said to cost {new} a year, not {old}.", _number),
        "watts": Told(neither, "The machine is now said to draw {new} watts, not {old}.", _number),
        "kwh_price": Told(neither, "A kilowatt-hour is now said to cost {new}, not {old}.", _number),
        "reviewer_minute": Told(neither, "A reviewer's minute is now said to cost {new}, not {old}.", _number),
    },
    Safeguards: {
        "reviewer_view": Told(wider, "Reviewers now see a picture of the kind {new}, not {old}.", _quoted),
        "on_suspension": Told(
            _appears,
            "What people do while it is stopped is {new}.",
            lambda stop: "no longer said" if stop is None else f"now said: “{stop.people_do}”",
        ),
        "samples": Told(
            lambda _old, new: "narrowing" if new is None else "widening",
            "People {new} look at samples of what nobody was alerted about.",
            lambda samples: "no longer" if samples is None else "now",
        ),
        "reports": Told(
            lambda _old, new: "narrowing" if new is None else "widening",
            "What others note down, in logs of calls and complaints, is {new} compared with alerts.",
            lambda reports: "no longer" if reports is None else "now",
        ),
        **ORIGINAL,
    },
    **SEALED,
    **CONDITIONS,
    PublicView: {
        "mode": Told(wider, "The public picture is now {new}, not {old}.", _quoted),
        "delay_ms": Told(
            _less_is_wider,
            "The public picture is now {new}; before: {old}.",
            lambda ms: f"{duration(ms)} late" if ms else "live",
        ),
        "hide_below": Told(_less_is_wider, "Pins now show once {new} or more people are there; before: {old}."),
        "grid_m": Told(_less_is_wider, "Pins are now moved to a grid of {new} metres, not {old}.", _number),
        "confirmed": Told(wider, "The empty scene is now confirmed by {new}, not by {old}.", _quoted),
    },
    Retention: {
        "reviewer_clips_ms": Told(more_is_wider, "Clips are now kept for {new}, not for {old}.", duration),
        "alerts_ms": Told(more_is_wider, "What was decided is now kept for {new}, not for {old}.", duration),
        "sealed_ms": KEPT,
    },
    **QUALITY,
    **REPORTS_TOLD,
    OnSuspension: {
        "tell": Told(members_protect, "While it is stopped, these are now told: {new}; before: {old}.", names),
        "people_do": Told(neither, "While it is stopped, people now do this: {new}; before: {old}.", _quoted),
    },
    LedgerRules: {
        "checkpoint_every_ms": Told(
            more_is_wider, "New rules and stops now show in the ledger after {new}, not after {old}.", duration
        ),
        "batch_every_ms": Told(
            more_is_wider, "Alerts and decisions now show in the ledger after {new}, not after {old}.", duration
        ),
        "merge_within_ms": Told(
            more_is_wider, "Nothing may now take longer than {new} to show in the ledger; before: {old}.", duration
        ),
        "witnessed_within_ms": Told(
            _rarer_is_wider,
            "Without witnesses, everything now stops {new}; before: {old}.",
            lambda ms: "never" if ms is None else f"after {duration(ms)}",
        ),
        "heartbeat_every_ms": Told(
            _rarer_is_wider,
            "What looks at a camera now signs that it is there {new}; before: {old}.",
            lambda ms: "never" if ms is None else f"every {duration(ms)}",
        ),
    },
    Oversight: {
        "body": Told(wider, "{new} now watches over it, not {old}."),
        "key": Told(wider, "Oversight now signs with another key."),
        "openings_key": Told(wider, "The details of records can now be opened with another key."),
        "may": Told(members_protect, "Oversight may now {new}; before: {old}.", names),
        "quorum": Told(
            _less_is_wider,
            "So many witnesses must now have confirmed the ledger: {new}; before: {old}.",
            lambda number: "more than half of them" if number is None else str(number),
        ),
    },
    Witness: {
        "url": Told(neither, "A witness now has another address: {new}, not {old}."),
    },
}  # fmt: skip
"""Every described field of the model, except those that hold further parts. A test proves that none is left out."""
