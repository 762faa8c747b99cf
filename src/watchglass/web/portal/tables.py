"""Tables of a page as CSV (RFC 4180), beside its ``.json``: one file a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Response

from watchglass.web.portal.answers import NotFound

Cell = str | int | float | None
_DIGITS: Final = 6
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula, at the beginning of a text."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A table: its head, and how its rows are made of a page's data."""

    head: tuple[str, ...]
    rows: Callable[[Mapping[str, object]], Iterable[Sequence[Cell]]]


def as_csv(tables: Mapping[str, Columns], name: str, data: Mapping[str, object], file: str) -> Response:
    """The table ``name`` of a page as a file to keep.

    Raises:
        NotFound: the page has no such table.
    """
    table = tables.get(name)
    if table is None:
        raise NotFound
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(table.head)
    for row in table.rows(data):
        writer.writerow([_cell(cell) for cell in row])
    headers = {"content-disposition": f'attachment; filename="{file}-{name}.csv"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
