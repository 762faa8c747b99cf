"""What ``watchglass quality disparity`` needs: tables from files, and the pure functions that compare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from watchglass.core.errors import BadInput
from watchglass.edge.tables import columns, lines
from watchglass.quality.areas import MOST_BYTES, Areas, parse
from watchglass.quality.disparity import Row, acted_on, watched
from watchglass.quality.outside import Question, answer

__all__ = ["Question", "answer", "areas_of", "columns", "lines", "of_rows", "residents"]

_SEED: Final = 20261123
"""Of the simulation that says what is uneven by chance: the same table gives the same answer."""

_MOST_ROWS: Final = 2_000_000


def areas_of(file: Path | None) -> Areas | None:
    """The file of areas, if one is given.

    Raises:
        BadInput: it cannot be used.
    """
    if file is None:
        return None
    if not file.is_file() or file.stat().st_size > MOST_BYTES:
        raise BadInput(f"{file.name} is no file of areas.", fix="Give a YAML or CSV file of at most 1 MB.")
    try:
        return parse(file.read_text("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BadInput(f"{file.name} is not UTF-8.", fix="Save it as UTF-8.") from error


def residents(file: Path | None) -> Mapping[str, int]:
    """Group -> residents, from a CSV file with those two columns; nothing where none is given."""
    result: dict[str, int] = {}
    for line in lines([file]) if file is not None else ():
        if len(line) != 2:  # noqa: PLR2004 # group and residents
            raise BadInput("The file of residents needs two columns.", fix="Write group,residents.")
        group, count = line.values()
        if not count.isdecimal() or int(count) < 1 or group in result:
            raise BadInput(f"The residents of {group} are {count!r}, or are there twice.", fix="Write a count, once.")
        result[group] = int(count)
    return MappingProxyType(result)


def of_rows(files: Sequence[Path], areas_file: Path | None) -> dict[str, Any]:
    """Who is watched and who is acted on, from rows of source and hour."""
    areas = areas_of(areas_file)
    rows = list(_rows(files))
    return {
        "rows": len(rows),
        "watched": watched(rows, areas, random=np.random.default_rng(_SEED)).as_json(),
        "acted_on_by_area": acted_on(rows, areas, by="area").as_json(),
        "acted_on_by_hour": acted_on(rows, areas, by="hour").as_json(),
    }


def _rows(files: Sequence[Path]) -> Iterator[Row]:
    for count, line in enumerate(lines(files), 2):
        if count > _MOST_ROWS:
            raise BadInput(f"The table has more than {_MOST_ROWS:,} lines.", fix="Sum hours of a month up.")
        try:
            yield Row(
                line["source"], int(line["hour"]), int(line["alerts"]), int(line["confirmed"]),
                float(line["camera_hours"]), int(line.get("closed") or 0), int(line.get("found") or 0),
                line.get("block", ""),
            )  # fmt: skip
        except ValueError as error:
            raise BadInput(
                f"Line {count} of the table holds something that is no number.", fix="Correct it."
            ) from error
