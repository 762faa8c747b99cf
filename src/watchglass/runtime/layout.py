"""Where the parts of one deployment lie on disk, and the few settings that are not the charter's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from watchglass.charter.model import Deployment
from watchglass.core.errors import BadInput
from watchglass.ledger import policy

SETTINGS: Final = "deployment.yaml"
_KNOWN: Final = {"origin", "listen"}
DEFAULT_LISTEN: Final = "127.0.0.1:8600"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of a deployment."""

    root: Path

    @property
    def settings(self) -> Path:
        return self.root / SETTINGS

    @property
    def charter(self) -> Path:
        return self.root / "charter.yaml"

    @property
    def database(self) -> Path:
        return self.root / "watchglass.db"

    @property
    def ledger(self) -> Path:
        return self.root / "ledger"

    @property
    def clips(self) -> Path:
        return self.root / "clips"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def log_key(self) -> Path:
        return self.keys / "log.key"

    @property
    def media(self) -> Path:
        return self.root / "media"

    @property
    def people(self) -> Path:
        """Beside the deployment, never inside: keys of people in a trial or the demo."""
        root = self.root.resolve()
        return root.with_name(root.name + ".people")

    def make(self) -> None:
        """Make the directories that are not there."""
        for directory, mode in ((self.root, 0o755), (self.keys, 0o700), (self.media, 0o755), (self.ledger, 0o755)):
            directory.mkdir(mode=mode, parents=True, exist_ok=True)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a deployment is called and where it listens.

    Attributes:
        origin: the ledger's origin; ``demo.`` or ``trial.`` in front says what it is.
        listen: host and port of the portal.
    """

    origin: str
    host: str
    port: int

    @property
    def deployment(self) -> Deployment:
        """What kind of deployment the origin says this is."""
        return deployment_of(self.origin)

    def __post_init__(self) -> None:
        if self.deployment == "trial" and self.host not in {"127.0.0.1", "::1", "localhost"}:
            raise BadInput(
                f"A trial listens on this machine only, not on {self.host}.",
                fix="Write `listen: 127.0.0.1:8600` in deployment.yaml.",
            )


def deployment_of(origin: str) -> Deployment:
    """Demo, trial or production, by the origin's first label."""
    return policy.Deployment.of(origin).value


def read_settings(layout: Layout) -> Settings:
    """The settings in ``deployment.yaml``.

    Raises:
        BadInput: there is no deployment, or a setting is not understood.
    """
    try:
        text = layout.settings.read_text("utf-8")
    except OSError as error:
        raise BadInput(
            f"{layout.root} is not a Watchglass deployment: it has no {SETTINGS}.",
            fix=f"Make one with `watchglass init {layout.root}`, or give the right directory.",
        ) from error
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadInput(f"{SETTINGS} is not YAML: {error}.", fix="Correct the line it names.") from error
    if not isinstance(values, Mapping) or not values.keys() <= _KNOWN or not isinstance(values.get("origin"), str):
        raise BadInput(
            f"{SETTINGS} must have `origin`, and may have `listen`.", fix="Compare it with the one `init` writes."
        )
    host, port = parse_listen(str(values.get("listen", DEFAULT_LISTEN)))
    return Settings(values["origin"], host, port)


def write_settings(layout: Layout, origin: str, listen: str) -> None:
    """Write ``deployment.yaml``.

    Raises:
        BadInput: as ``read_settings`` would.
    """
    Settings(origin, *parse_listen(listen))
    layout.settings.write_text(
        f"# What is not the charter's to say. The origin names the ledger for ever; it cannot be changed.\n"
        f'origin: {origin}\nlisten: "{listen}"\n',  # quoted: an IPv6 address begins with a bracket
        "utf-8",
    )


def parse_listen(text: str) -> tuple[str, int]:
    """Host and port of ``host:port``.

    Raises:
        BadInput: the text is not of that form.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:  # noqa: PLR2004 (ports)
        raise BadInput(f"“{text}” is not host:port.", fix="Write for example 127.0.0.1:8600.")
    return host.strip("[]"), int(port)
