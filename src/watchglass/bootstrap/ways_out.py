"""The ways out of a deployment: each destination of its charter with its connection and its secret."""

from __future__ import annotations

from watchglass.charter.model import Charter, Destination, WebhookDestination
from watchglass.charter.telling import speakers
from watchglass.core.time import Clock
from watchglass.edge.notify.mqtt import Address, Broker, Shown
from watchglass.edge.notify.webhook import Webhook
from watchglass.edge.secrets import SecretFolder
from watchglass.runtime.lane import Sender
from watchglass.runtime.layout import Settings
from watchglass.runtime.notifier import Connect


def ways_out(settings: Settings, secrets: SecretFolder, clock: Clock) -> Connect:
    """What makes the way out to a destination. Secrets are read when they are needed, and kept nowhere else."""

    def connect(destination: Destination, charter: Charter, gone: frozenset[str]) -> Sender:
        name = destination.secret
        if isinstance(destination, WebhookDestination):
            return Webhook(destination.url, lambda: secrets.get(destination.secret), clock)
        return Broker(
            Address(
                destination.host,
                destination.port,
                destination.topic,
                f"watchglass-{settings.origin}-{destination.name}",
                destination.username,
                destination.tls,
            ),
            Shown(
                settings.origin,
                f"Watchglass {charter.charter}",
                {name: name for name in speakers(charter, destination.name)},
                gone,
            ),
            (lambda: secrets.get(name)) if name is not None else None,
        )

    return connect


def portal_address(settings: Settings) -> str:
    """Where people reach the portal: its first name of the settings, or where it listens."""
    scheme = "https" if settings.https else "http"
    if settings.names:
        name = min(settings.names)
        return f"{scheme}://{name}" if settings.https else f"{scheme}://{name}:{settings.port}"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{scheme}://{host}:{settings.port}"
