"""Which source looks at which area, and how many people live there: a small file, as YAML or CSV.

YAML::

    areas:
      harbour: {population: 12400, sources: [quay-1, quay-2]}
      market: {sources: [market-hall]}        # population unknown

CSV, one line a source, with a head; a population is repeated or left empty::

    source,area,population
    quay-1,harbour,12400
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import yaml

from watchglass.core.errors import BadInput

MOST_BYTES: Final = 1024 * 1024
MOST_AREAS: Final = 500
_HEAD: Final = ("source", "area", "population")
_LONGEST: Final = 80


@dataclass(frozen=True, slots=True)
class Areas:
    """Areas in the file's order.

    Attributes:
        of_source: source -> area.
        population: area -> residents, where it is given.
    """

    of_source: Mapping[str, str]
    population: Mapping[str, int]

    def __post_init__(self) -> None:
        if not self.of_source:
            raise BadInput("The file of areas names no source.", fix="List under each area the sources that see it.")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.of_source.values(), *self.population)))


def parse(text: str) -> Areas:
    """The areas in a YAML or CSV text.

    Raises:
        BadInput: it is neither, an area is there twice, a source is in two, or a population is no count.
    """
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise BadInput("The file of areas has more than 1 MB.", fix="List areas and sources only.")
    first = next((line for line in text.splitlines() if line.strip()), "")
    entries = _from_csv(text) if first.replace(" ", "").startswith("source,") else _from_yaml(text)
    of_source: dict[str, str] = {}
    population: dict[str, int] = {}
    for area, residents, sources in entries:
        name = _name(area, "an area")
        if residents is not None:
            known = population.setdefault(name, residents)
            if known != residents:
                raise BadInput(f"The area {name} has two populations.", fix="Give the same one on each line.")
        for source in sources:
            key = _name(source, "a source")
            if of_source.setdefault(key, name) != name:
                raise BadInput(f"The source {key} is in two areas.", fix="Give each source to one area.")
    if len({*of_source.values(), *population}) > MOST_AREAS:
        raise BadInput(f"There are more than {MOST_AREAS} areas.", fix="Put areas together.")
    return Areas(MappingProxyType(of_source), MappingProxyType(population))


_Entry = tuple[object, int | None, list[object]]


def _from_csv(text: str) -> list[_Entry]:
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    head = tuple((name or "").strip() for name in reader.fieldnames or ())
    if not {"source", "area"} <= set(head) <= set(_HEAD):
        raise BadInput("The file of areas needs the columns source, area and population.", fix="Correct its head.")
    entries: list[_Entry] = []
    for count, row in enumerate(reader, 2):
        if None in row or None in row.values():
            raise BadInput(f"The file of areas, line {count}, has too many or too few columns.", fix="Correct it.")
        text_of = (row.get("population") or "").strip()
        entries.append((row["area"], None if not text_of else _count(text_of, row["area"]), [row["source"]]))
    return entries


def _from_yaml(text: str) -> list[_Entry]:
    if "&" in text and any(token for token in _anchors(text)):
        raise BadInput("The file of areas has anchors.", fix="Write each area out.")
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise BadInput("The file of areas is neither YAML nor CSV.", fix="Begin it with `areas:`.") from error
    found = data.get("areas") if isinstance(data, dict) and set(data) == {"areas"} else None
    if not isinstance(found, dict):
        raise BadInput("The file of areas has no `areas`.", fix="Write: areas: {harbour: {sources: [quay-1]}}.")
    return [_area(name, entry) for name, entry in found.items()]


def _anchors(text: str) -> list[Any]:
    try:
        return [t for t in yaml.scan(text) if isinstance(t, yaml.AnchorToken | yaml.AliasToken)]
    except (yaml.YAMLError, RecursionError):
        return []


def _area(name: object, entry: object) -> _Entry:
    if not isinstance(entry, dict) or not set(entry) <= {"population", "sources"}:
        raise BadInput(f"The area {name} has other keys than population and sources.", fix="Leave them out.")
    sources = entry.get("sources", [])
    if not isinstance(sources, list):
        raise BadInput(f"The sources of {name} are no list.", fix="Write them as [quay-1, quay-2].")
    residents = entry.get("population")
    return name, None if residents is None else _count(residents, name), list(sources)


def _count(value: object, area: object) -> int:
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number == int(number) and 1 <= number <= 1e9):  # noqa: PLR2004 # people
        raise BadInput(f"The population of {area} is {value!r}.", fix="Write a count of residents, or leave it out.")
    return int(number)


def _name(value: object, what: str) -> str:
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise BadInput(f"{value!r} cannot be the name of {what}.", fix="Use a short name.")
    return text
