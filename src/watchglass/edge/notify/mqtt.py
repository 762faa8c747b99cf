"""Notices as MQTT messages, with Home Assistant's discovery.

One broker, one connection, held open so that its last will can say when we are gone. A message is published with QoS 1
and counts as delivered when the broker has acknowledged it. When it does not, the whole client is thrown away with what
it holds: a message that was given up must not leave later by itself.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from watchglass import __version__
from watchglass.core.errors import BadInput
from watchglass.core.reach import is_near
from watchglass.edge.notify.letter import Letter, Undelivered

CONNECT_S: Final = 10.0
"""How long a letter waits for the connection."""
ACKNOWLEDGE_S: Final = 10.0
"""How long it waits for the broker's acknowledgement."""
_FAREWELL_S: Final = 2.0
_KEEP_ALIVE_S: Final = 30
_TCP_S: Final = 5.0
_AGAIN_S: Final = (1, 60)
"""Seconds between attempts to connect, doubling from the first to the last."""

DISCOVERY: Final = "homeassistant"
"""Where Home Assistant listens for new things, unless somebody changed it there."""
EVENTS: Final = ("unconfirmed", "confirmed", "rejected", "unsure", "withdrawn", "test", "stopped", "resumed")
"""What may be said about an alert, or a rule that a limit stopped; the same words stand in ``event_type``."""

_ONLINE: Final = b"online"
_OFFLINE: Final = b"offline"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker is and who we are there.

    Attributes:
        topic: what our topics begin with, without a slash at the end.
        client_id: the name of this connection; a second one of the same name would end the first.
    """

    host: str
    port: int
    topic: str
    client_id: str
    username: str | None = None
    tls: bool = True

    def __post_init__(self) -> None:
        if not self.tls and not is_near(self.host):
            raise BadInput(
                f"Notices and the password would travel unencrypted to {self.host}.",
                fix="Write `tls: true`; without it, only this machine and private networks are allowed.",
            )

    @property
    def status(self) -> str:
        """The topic that says whether we are there."""
        return f"{self.topic}/status"

    def events(self, analytic: str) -> str:
        """The topic of one rule's notices."""
        return f"{self.topic}/{analytic}/event"


@dataclass(frozen=True, slots=True)
class Shown:
    """What Home Assistant is told of this deployment; all of it stands in the published charter.

    Attributes:
        origin: the ledger's; it names the device. place: what people call the whole.
        analytics: rule -> what people call it. gone: rules that were shown once and are not any more.
    """

    origin: str
    place: str
    analytics: Mapping[str, str]
    gone: frozenset[str] = field(default_factory=frozenset)

    def topic(self, analytic: str) -> str:
        """The discovery topic of one rule."""
        return f"{DISCOVERY}/event/{_slug('watchglass_' + self.origin)}/{_slug(analytic)}/config"

    def config(self, analytic: str, at: Address) -> bytes:
        """The discovery message of one rule: an event entity, for a notice is a moment and not a state."""
        device = _slug(f"watchglass_{self.origin}")
        return json.dumps(
            {
                "name": self.analytics[analytic],
                "unique_id": f"{device}_{_slug(analytic)}",
                "state_topic": at.events(analytic),
                "event_types": list(EVENTS),
                "availability_topic": at.status,
                "qos": 1,
                "icon": "mdi:bell-alert",
                "device": {
                    "identifiers": [device],
                    "name": self.place,
                    "manufacturer": "Watchglass",
                    "sw_version": __version__,
                },
                "origin": {"name": "Watchglass", "sw_version": __version__},
            },
            ensure_ascii=False,
            sort_keys=True,
        ).encode()


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)


class Broker:
    """Publishes letters at one broker. ``send`` is for one thread; the network has a thread of its own.

    Args:
        password: gives the password; asked whenever a connection is made. None where there is no user.
        trust: whose certificates are believed; the machine's own store by default.
    """

    def __init__(
        self,
        at: Address,
        shown: Shown,
        password: Callable[[], str] | None = None,
        *,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._at = at
        self._shown = shown
        self._password = password
        self._trust = trust or (ssl.create_default_context() if at.tls else None)
        self._ready = threading.Event()
        self._cause = ""
        self._client: Client | None = None

    def send(self, letter: Letter) -> None:
        """Publish ``letter``, and wait until the broker has it.

        Raises:
            Undelivered: it cannot be reached, refuses, or does not acknowledge.
            BadInput: there is no usable password.
        """
        client = self._open()
        if not self._ready.wait(CONNECT_S):
            why = self._cause or "it does not answer"
            self._drop()  # a new password counts only for a new client
            raise Undelivered(
                f"The broker at {self._at.host}:{self._at.port} cannot be used: {why}.",
                fix="Check that it runs, its certificate, and the user and password there.",
            )
        info = client.publish(self._at.events(letter.analytic), letter.body, qos=1)
        if not _acknowledged(info, ACKNOWLEDGE_S):
            self._drop()
            raise Undelivered(
                f"The broker at {self._at.host}:{self._at.port} did not acknowledge it.",
                fix="Look into the broker's own log.",
            )

    def keep(self) -> None:
        """Connect and stay so, that others see that we are there; does not wait.

        Raises:
            BadInput: there is no usable password.
        """
        self._open()

    def _open(self) -> Client:
        if self._client is None:
            client = self._new()
            client.connect_async(self._at.host, self._at.port, keepalive=_KEEP_ALIVE_S)
            client.loop_start()
            self._client = client
        return self._client

    def close(self, *, forget: bool = False) -> None:
        """Say good-bye and disconnect; with ``forget``, take everything out of Home Assistant first."""
        client, connected = self._client, self._ready.is_set()
        if client is None:
            return
        if connected:
            last = [client.publish(self._shown.topic(name), b"", 1, retain=True) for name in self._names(forget=forget)]
            last.append(client.publish(self._at.status, _OFFLINE, 1, retain=True))
            for info in last:
                _acknowledged(info, _FAREWELL_S)
        self._drop()

    def _names(self, *, forget: bool) -> tuple[str, ...]:
        return tuple(self._shown.analytics) if forget else ()

    def _drop(self) -> None:
        """Throw the client away, with whatever it still wanted to send."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()
        self._ready.clear()
        self._cause = ""

    def _new(self) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, client_id=self._at.client_id)
        client.connect_timeout = _TCP_S
        client.reconnect_delay_set(*_AGAIN_S)
        if self._at.username is not None and self._password is not None:
            client.username_pw_set(self._at.username, self._password())
        if self._trust is not None:
            client.tls_set_context(self._trust)
        client.will_set(self._at.status, _OFFLINE, qos=1, retain=True)
        client.on_connect = self._connected
        client.on_connect_fail = self._unreachable
        client.on_disconnect = self._disconnected
        return client

    # ---- from the network's thread -------------------------------------------------------------------------------

    def _connected(
        self, client: Client, _data: Any, _flags: ConnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._cause = f"it says “{code}”"
            return
        for name in self._shown.gone:
            client.publish(self._shown.topic(name), b"", qos=1, retain=True)
        for name in self._shown.analytics:
            client.publish(self._shown.topic(name), self._shown.config(name, self._at), qos=1, retain=True)
        client.publish(self._at.status, _ONLINE, qos=1, retain=True)
        self._cause = ""
        self._ready.set()

    def _unreachable(self, _client: Client, _data: Any) -> None:
        self._cause = "no connection, or a certificate that is not trusted"

    def _disconnected(
        self, _client: Client, _data: Any, _flags: DisconnectFlags, code: ReasonCode, _properties: Properties | None
    ) -> None:
        self._ready.clear()
        if code.is_failure and not self._cause:
            self._cause = f"the connection ended: {code}"


def _acknowledged(info: MQTTMessageInfo, seconds: float) -> bool:
    """Whether the broker acknowledged the message in time."""
    try:
        info.wait_for_publish(seconds)
        return info.is_published()
    except (RuntimeError, ValueError):  # the queue is full, or the connection is gone
        return False
