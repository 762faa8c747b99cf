"""Whom a charter lets the software tell, and what it says about costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from watchglass.charter import schema
from watchglass.charter.schema import Key, Many
from watchglass.core.errors import BadInput

if TYPE_CHECKING:
    from watchglass.charter.model import Charter

ROLES: Final = (
    "reviewer",
    "responder",
    "shift-lead",
    "operator",
    "custodian",
    "investigator",
    "privacy-officer",
    "analyst",
    "clerk",
    "oversight",
    "administrator",
)
"""The parts that people play. An investigator opens cases and asks custodians for releases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What every destination says."""

    name: str
    who: Annotated[str, Key(schema.SENTENCE, "Who reads it, in words that a resident understands.")]
    roles: Annotated[
        tuple[str, ...],
        Key(
            Many(schema.word(*ROLES), fewest=1, most=len(ROLES)),
            "Whose it is: here these roles are told of stops by a limit, where `on_suspension.tell` names them.",
        ),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDestination(Told):
    """A system that is told by a signed HTTP request (Standard Webhooks)."""

    kind: ClassVar[str] = "webhook"

    url: Annotated[str, Key(schema.PAGE_URL, "Where the request goes.")]
    secret: Annotated[str, Key(schema.SECRET, "The secret that signs it; `watchglass secret set` keeps it.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttDestination(Told):
    """A message broker, for control rooms and home automation."""

    kind: ClassVar[str] = "mqtt"

    host: Annotated[str, Key(schema.HOST, "The broker's name or address.")]
    port: Annotated[int, Key(schema.whole(1, 65_535), "The broker's port.")] = 8883
    tls: Annotated[bool, Key(schema.YES_NO, "Encrypt, and check the broker's certificate.")] = True
    topic: Annotated[str, Key(schema.TOPIC, "What the topics begin with.")] = "watchglass"
    username: Annotated[str | None, Key(schema.USERNAME, "Who signs in to the broker.")] = None
    secret: Annotated[str | None, Key(schema.SECRET, "The secret that holds the password.")] = None

    def __post_init__(self) -> None:
        if (self.username is None) != (self.secret is None):
            raise BadInput("A user needs a password, and a password a user.", fix="Write both or neither.")


Destination = WebhookDestination | MqttDestination

DESTINATIONS: Final[tuple[type[Destination], ...]] = (WebhookDestination, MqttDestination)
"""The class of every kind of destination."""


def told_of_stops(charter: Charter) -> tuple[Destination, ...]:
    """The destinations of roles that are to be told when a limit stops an analytic, and when it runs again."""
    stop = charter.safeguards.on_suspension
    if stop is None or charter.quality is None:
        return ()
    return tuple(each for each in charter.destinations if set(each.roles) & set(stop.tell))


def speakers(charter: Charter, destination: str) -> tuple[str, ...]:
    """The analytics that a destination may be told about: their alerts, or that a limit stopped them."""
    of_stops = any(each.name == destination for each in told_of_stops(charter))
    return tuple(
        each.name
        for each in charter.analytics
        if destination in each.tell or (of_stops and charter.limits_of(each.name) is not None)
    )


@dataclass(frozen=True, slots=True)
class Costs:
    """What the public page reckons costs with. The rest is measured."""

    hardware_per_year: Annotated[
        float,
        Key(schema.number(0, 100_000_000), "What the machine costs a year: its price over its years, or its rent."),
    ]
    kwh_price: Annotated[float, Key(schema.number(0, 1000), "The price of a kilowatt-hour.")]
    reviewer_minute: Annotated[float, Key(schema.number(0, 10_000), "What a minute of a reviewer's time costs.")]
    watts: Annotated[
        float | None,
        Key(schema.number(0, 100_000), "What the machine draws while it works; without it energy is not reckoned."),
    ] = None
    currency: Annotated[str, Key(schema.CURRENCY, "Three letters.")] = "EUR"
