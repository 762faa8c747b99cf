"""Where the parts of one deployment lie on disk, and the few settings that are not the charter's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from watchglass.charter.model import Deployment
from watchglass.core.errors import BadInput
from watchglass.ledger import policy

SETTINGS: Final = "deployment.yaml"
_KNOWN: Final = {"origin", "listen", "names", "https", "inference", "sealed"}
_OF_A_BUCKET: Final = ("endpoint", "bucket", "region", "prefix", "access_key_secret", "secret_key_secret")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION: Final = re.compile(r"[a-z0-9-]{1,40}")
_PREFIX: Final = re.compile(r"(?:[A-Za-z0-9_-]{1,60}(?:/[A-Za-z0-9_-]{1,60}){0,5})?")
_NAMED: Final = "the name of a secret, such as store-key; what it is stands in `watchglass secret set` only"
_NAME_OF_A_SECRET: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")
_RUNTIMES: Final = ("onnxruntime", "openvino")
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
    def sealed(self) -> Path:
        """The chunks of sealed originals; what opens them lies in the database, and with the custodians."""
        return self.root / "sealed"

    @property
    def audits(self) -> Path:
        """What the nightly audits found, a file a day, and what the next one goes on from."""
        return self.root / "audits"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def log_key(self) -> Path:
        return self.keys / "log.key"

    @property
    def secrets(self) -> Path:
        """What cameras and receivers share with us: one file each."""
        return self.keys / "secrets"

    @property
    def media(self) -> Path:
        return self.root / "media"

    @property
    def models(self) -> Path:
        """Models that do not ship with the software: NAME.onnx, of the shipped network's form."""
        return self.root / "models"

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
class InBucket:
    """Sealed originals go to a bucket of an S3-compatible store.

    Attributes:
        endpoint: the store's address, without the bucket: ``https://``, or ``http://`` where nobody else listens.
        region: what requests are signed for; stores of one's own mostly take ``us-east-1``.
        prefix: what stands before the names of all objects; empty, or names between slashes.
        access_key_secret, secret_key_secret: the names of the two secrets of our account there.
    """

    endpoint: str
    bucket: str
    access_key_secret: str
    secret_key_secret: str
    region: str = "us-east-1"
    prefix: str = "watchglass"

    def __post_init__(self) -> None:
        _check_endpoint(self.endpoint)
        for key, pattern, words in (
            ("bucket", _BUCKET, "three to 63 small letters, digits, dots and hyphens"),
            ("region", _REGION, "small letters, digits and hyphens, such as eu-central-1"),
            ("prefix", _PREFIX, "letters, digits, hyphens and underscores, with a slash between parts"),
            ("access_key_secret", _NAME_OF_A_SECRET, _NAMED),
            ("secret_key_secret", _NAME_OF_A_SECRET, _NAMED),
        ):
            if not pattern.fullmatch(getattr(self, key)):
                raise BadInput(
                    f"In {SETTINGS}, `sealed.{key}` cannot be used.",
                    fix=f"Write {words}.",
                )


@dataclass(frozen=True, slots=True)
class Settings:
    """What a deployment is called and where it listens.

    Attributes:
        origin: the ledger's origin; ``demo.`` or ``trial.`` in front says what it is.
        host, port: where the portal listens.
        names: the host names by which browsers reach it, beside those of this machine.
        https: whether they come by https, which a proxy in front ends.
        inference: what runs the detector: ``onnxruntime``, or ``openvino`` where it is installed.
        sealed: the bucket that sealed originals go to; None where they lie in the deployment's own folder.
    """

    origin: str
    host: str
    port: int
    names: frozenset[str] = frozenset()
    https: bool = False
    inference: str = "onnxruntime"
    sealed: InBucket | None = None

    @property
    def deployment(self) -> Deployment:
        """What kind of deployment the origin says this is."""
        return deployment_of(self.origin)

    def __post_init__(self) -> None:
        if self.inference not in _RUNTIMES:
            raise BadInput(f"“{self.inference}” does not run detectors.", fix=f"Write one of: {', '.join(_RUNTIMES)}.")
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
    if not isinstance(values, Mapping) or not isinstance(values.get("origin"), str):
        raise BadInput(f"{SETTINGS} must name the `origin`.", fix="Compare it with the one `init` writes.")
    if unknown := sorted(str(key) for key in values.keys() - _KNOWN):
        near = get_close_matches(unknown[0], _KNOWN, n=1)
        hint = f"Did you mean `{near[0]}`? " if near else ""
        raise BadInput(
            f"{SETTINGS} has a setting “{unknown[0]}” that there is not.", fix=f"{hint}Correct or remove it."
        )
    names, https = values.get("names", []), values.get("https", False)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or type(https) is not bool:
        raise BadInput(
            f"In {SETTINGS}, `names` is a list of host names and `https` is true or false.",
            fix="Write for example: names: [safety.example.org]",
        )
    host, port = parse_listen(str(values.get("listen", DEFAULT_LISTEN)))
    return Settings(
        values["origin"],
        host,
        port,
        frozenset(names),
        https,
        str(values.get("inference", "onnxruntime")),
        _sealed(values.get("sealed", {"store": "files"})),
    )


def _sealed(values: Any) -> InBucket | None:
    """Where sealed originals go; None for the deployment's own folder.

    Raises:
        BadInput: it is not understood.
    """
    store = values.get("store") if isinstance(values, Mapping) else None
    if store == "files" and len(values) == 1:
        return None
    if store != "s3":
        raise BadInput(
            f"In {SETTINGS}, `sealed` says `store: files` alone, or `store: s3` with a bucket.",
            fix="Write sealed: {store: files}, or compare it with docs/how-to/keep-originals-in-a-bucket.md.",
        )
    given = {str(key): value for key, value in values.items() if key != "store"}
    if unknown := sorted(given.keys() - set(_OF_A_BUCKET)):
        near = get_close_matches(unknown[0], _OF_A_BUCKET, n=1)
        hint = f"Did you mean `{near[0]}`? " if near else ""
        raise BadInput(
            f"In {SETTINGS}, `sealed` has a setting “{unknown[0]}” that there is not.",
            fix=f"{hint}These there are: {', '.join(_OF_A_BUCKET)}.",
        )
    for key in _OF_A_BUCKET:
        if not isinstance(given.get(key, "" if key in {"region", "prefix"} else None), str):
            raise BadInput(f"In {SETTINGS}, `sealed.{key}` is missing, or no text.", fix=f"Write `{key}:` as text.")
    return InBucket(**given)


def _check_endpoint(endpoint: str) -> None:
    """Nobody may read on the way which segments are fetched, nor send requests elsewhere.

    Raises:
        BadInput: it is no address, or one in the open to a machine that is not ours.
    """
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    plain = parts.path in {"", "/"} and not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in {"http", "https"} or not host or not plain or port == 0:
        raise BadInput(
            f"In {SETTINGS}, `sealed.endpoint` is not the address of a store.",
            fix="Write https://host or https://host:port, without the bucket, a path or a password.",
        )
    if parts.scheme == "http" and not _near(host):
        raise BadInput(
            f"In {SETTINGS}, `sealed.endpoint` is in the open, to a machine outside.",
            fix="Write https://. Only to this machine or to an address of a private network may it be http://.",
        )


def _near(host: str) -> bool:
    """Whether that is this machine, or an address (no name: it could come to mean another) of a private network."""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or (address.is_private and not address.is_unspecified)


def write_settings(layout: Layout, origin: str, listen: str) -> None:
    """Write ``deployment.yaml``.

    Raises:
        BadInput: as ``read_settings`` would.
    """
    Settings(origin, *parse_listen(listen))
    layout.settings.write_text(
        f"# What is not the charter's to say. The origin names the ledger for ever; it cannot be changed.\n"
        f'origin: {origin}\nlisten: "{listen}"\n'  # quoted: an IPv6 address begins with a bracket
        "# names: [safety.example.org]   # how browsers reach it through a proxy\n"
        "# https: true                   # when that proxy speaks https\n"
        "# inference: openvino           # where `pip install 'watchglass[openvino]'` was done\n"
        "# sealed: {store: files}        # or a bucket: docs/how-to/keep-originals-in-a-bucket.md\n",
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
