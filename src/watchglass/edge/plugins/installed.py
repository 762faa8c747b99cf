"""The plug-ins of this installation: their cards and sources, read as files. Nothing of them is imported here."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from typing import Any, Final, cast

from watchglass.core import canonical
from watchglass.core.errors import BadInput
from watchglass.perception.analytics.card import Card, Parameter

GROUP: Final = "watchglass.analytics"
"""The entry-point group: ``name = package.module:Class``. The card is the file ``name.card.json`` beside the module."""

_MOST_BYTES: Final = 1_000_000
_MOST_FILES: Final = 200
_NAME: Final = re.compile(r"[a-z0-9](-?[a-z0-9]){0,63}")
_SEES: Final = ("tracks", "statics", "condition")
_NEEDS: Final = ("area", "line")


@dataclass(frozen=True, slots=True)
class Setting:
    """A number that a charter may set: its bounds and what holds without it (None: the charter must say it)."""

    key: str
    lowest: float
    highest: float
    default: float | None


@dataclass(frozen=True, slots=True)
class PlugIn:
    """One plug-in as it lies on this machine.

    Attributes:
        name: its entry point's name, by which a charter names it.
        module, cls: where its class is.
        package: the distribution and its version, for people.
        card: what it says about itself.
        settings: the numbers that it takes.
        sources: each of its modules: dotted name to source text.
        sha256: hex digest over its card and all its sources; a charter pins it.
    """

    name: str
    module: str
    cls: str
    package: str
    card: Card
    settings: tuple[Setting, ...]
    sources: Mapping[str, str]
    sha256: str

    def checked(self, settings: Mapping[str, float]) -> dict[str, float]:
        """What the plug-in is given, after a charter's ``settings`` were held against its card.

        Raises:
            BadInput: one is unknown, missing or out of bounds.
        """
        known = {setting.key: setting for setting in self.settings}
        for key, value in settings.items():
            if key not in known:
                listed = ", ".join(known) or "none"
                raise BadInput(f"The plug-in {self.name!r} has no setting {key!r}.", fix=f"Its settings are: {listed}.")
            if not known[key].lowest <= value <= known[key].highest:
                between = f"{known[key].lowest:g} to {known[key].highest:g}"
                raise BadInput(
                    f"{key} of the plug-in {self.name!r} is {value:g}.", fix=f"Write a number from {between}."
                )
        given = {key: setting.default for key, setting in known.items()} | dict(settings)
        missing = [key for key, number in given.items() if number is None]
        if missing:
            raise BadInput(f"The plug-in {self.name!r} needs {missing[0]!r}.", fix="Add it under `settings`.")
        return {key: number for key, number in given.items() if number is not None}


def installed(path: list[str] | None = None) -> dict[str, PlugIn | BadInput]:
    """Every plug-in of this installation by name; one that cannot be read stands there with the reason.

    Args:
        path: folders to look in; Python's own by default.
    """
    found: dict[str, PlugIn | BadInput] = {}
    for distribution in distributions(path=path) if path is not None else distributions():
        for point in distribution.entry_points:
            if point.group != GROUP:
                continue
            try:
                if point.name in found:
                    raise BadInput(f"Two plug-ins are called {point.name!r}.", fix="Uninstall one of them.")
                found[point.name] = _read(distribution, point)
            except BadInput as error:
                found[point.name] = error
    return found


def plug_in(name: str, sha256: str, path: list[str] | None = None) -> PlugIn:
    """The installed plug-in that a charter names.

    Raises:
        BadInput: it is not installed, cannot be read, or is not the one that the charter pins.
    """
    there = installed(path).get(name)
    if there is None:
        raise BadInput(f"The plug-in {name!r} is not installed.", fix="Install its package, or change the charter.")
    if isinstance(there, BadInput):
        raise there
    if there.sha256 != sha256:
        raise BadInput(
            f"The plug-in {name!r} is installed with another hash than the charter allows.",
            fix="Install the version that the charter names; `watchglass plugin show` prints the hash.",
        )
    return there


def _read(distribution: Distribution, point: EntryPoint) -> PlugIn:
    if not _NAME.fullmatch(point.name):
        raise BadInput(f"A plug-in cannot be called {point.name!r}.", fix="Use small letters, digits and hyphens.")
    top = point.module.partition(".")[0]
    files = _files(distribution, point.name, top)
    card_file = f"{point.name}.card.json"
    cards = [data for name, data in files.items() if name.rsplit("/", 1)[-1] == card_file]
    if len(cards) != 1:
        raise BadInput(f"The plug-in {point.name!r} has no card.", fix=f"Ship one file {card_file} in its package.")
    card, settings = _card(point.name, cards[0])
    sources = {}
    for name, data in files.items():
        if name.endswith(".py"):
            dotted = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            sources[dotted] = data.decode("utf-8", errors="strict")
    if point.module not in sources:
        raise BadInput(f"The plug-in {point.name!r} has no module {point.module}.", fix="Ask its author.")
    listing = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    digest = hashlib.sha256(canonical.encode({"name": point.name, "entry": point.value, "files": listing})).hexdigest()
    package = f"{distribution.metadata['Name']} {distribution.version}"
    return PlugIn(point.name, point.module, point.attr, package, card, settings, sources, digest)


def _files(distribution: Distribution, name: str, top: str) -> dict[str, bytes]:
    """The package's Python files and cards: path inside the package to bytes."""
    listed = [str(file) for file in distribution.files or ()]
    wanted = sorted(f for f in listed if f.startswith((f"{top}/", f"{top}.py")) and f.endswith((".py", ".card.json")))
    binary = [f for f in listed if f.startswith(f"{top}/") and f.endswith((".so", ".pyd", ".dylib"))]
    if binary:
        raise BadInput(
            f"The plug-in {name!r} has compiled parts ({binary[0]}).",
            fix="Plug-ins are plain Python, so that anyone can read them.",
        )
    if len(wanted) > _MOST_FILES:
        raise BadInput(f"The plug-in {name!r} has {len(wanted)} files.", fix=f"At most {_MOST_FILES} are read.")
    files, size = {}, 0
    for file in wanted:
        try:
            data = Path(str(distribution.locate_file(file))).read_bytes()
            data.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{file} of the plug-in {name!r} cannot be read.", fix="Install it again.") from error
        size += len(data)
        files[file] = data
    if size > _MOST_BYTES:
        raise BadInput(f"The plug-in {name!r} is {size:,} bytes.", fix=f"At most {_MOST_BYTES:,} are read.")
    return files


def _card(name: str, data: bytes) -> tuple[Card, tuple[Setting, ...]]:
    try:
        raw = json.loads(data)
        parameters = tuple(_parameter(item) for item in raw.get("parameters", ()))
        sees = tuple(str(item) for item in raw["sees"])
        needs = str(raw["needs"])
        if not set(sees) <= set(_SEES) or not sees or needs not in _NEEDS:
            raise ValueError(f"`sees` is some of {', '.join(_SEES)}, and `needs` one of {', '.join(_NEEDS)}")
        card = Card(
            kind=name,
            rule=_text(raw["rule"]),
            needs=needs,
            parameters=tuple(parameter for parameter, _ in parameters),
            evidence=_text(raw["evidence"]),
            fails=tuple(_text(item) for item in raw["fails"]),
            sees=cast("Any", sees),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(
            f"The card of the plug-in {name!r} is not written right ({error}).",
            fix="See docs/how-to/write-a-plug-in.md.",
        ) from error
    return card, tuple(setting for _, setting in parameters)


def _parameter(raw: Mapping[str, Any]) -> tuple[Parameter, Setting]:
    default = raw.get("default")
    setting = Setting(
        str(raw["key"]), float(raw["lowest"]), float(raw["highest"]), None if default is None else float(default)
    )
    if not _NAME.fullmatch(setting.key) or not setting.lowest <= setting.highest:
        raise ValueError(f"the parameter {setting.key!r}")
    shown = "" if setting.default is None else f"{setting.default:g}"
    return Parameter(setting.key, _text(raw["unit"]), shown, _text(raw["means"])), setting


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 1000 or not value.isprintable():  # noqa: PLR2004 # a sentence
        raise ValueError("a text is missing or too long")
    return value.strip()
