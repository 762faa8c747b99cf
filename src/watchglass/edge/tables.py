"""Tables in CSV files, plain or gzipped, line by line: never more in memory than a line."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, Final

from watchglass.core.errors import BadInput

MOST_BYTES: Final = 500 * 1024 * 1024
_MOST_COLUMNS: Final = 500


class _Bounded(io.RawIOBase):
    """At most ``MOST_BYTES`` of what is inside: a small file may unpack into a huge one."""

    def __init__(self, inner: IO[bytes], name: str) -> None:
        self._inner, self._name, self._left = inner, name, MOST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # the io module calls it with a memoryview
        data = self._inner.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise BadInput(f"{self._name} has more than {MOST_BYTES >> 20} MB.", fix="Split it, or leave columns out.")
        buffer[: len(data)] = data
        return len(data)


def lines(files: Sequence[Path]) -> Iterator[Mapping[str, str]]:
    """The lines of all files, which have the same columns.

    Raises:
        BadInput: a file is missing, empty, no CSV, or has other columns than the first.
    """
    head: tuple[str, ...] | None = None
    for file in files:
        for row in _lines(file):
            if head is None:
                head = tuple(row)
            elif tuple(row) != head:
                raise BadInput(f"{file.name} has other columns than the file before.", fix="Give alike files.")
            yield row
    if head is None:
        raise BadInput("The table has no line.", fix="Give a CSV file with a head and at least one line.")


def columns(file: Path) -> tuple[str, ...]:
    """The head of a file."""
    return tuple(next(iter(_lines(file)), {}))


def _lines(file: Path) -> Iterator[dict[str, str]]:
    if not file.is_file():
        raise BadInput(f"{file.name} is not there.", fix="Give the path of a CSV file.")
    try:
        with (
            gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as packed,
            closing(io.BufferedReader(_Bounded(packed, file.name))) as plain,  # type: ignore[arg-type] # gzip's type
            io.TextIOWrapper(plain, "utf-8-sig", newline="") as text,
        ):
            yield from _rows(text, file.name)
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, csv.Error) as error:
        raise BadInput(f"{file.name} is no CSV in UTF-8: {error}.", fix="Save it as CSV, UTF-8.") from error


def _rows(text: IO[str], name: str) -> Iterator[dict[str, str]]:
    reader = csv.reader(text)
    head = [part.strip() for part in next(reader, [])]
    if len(set(head)) != len(head) or not 1 < len(head) <= _MOST_COLUMNS or not all(head[1:]):
        raise BadInput(f"{name} has no head with names for its columns.", fix="Write names into its first line.")
    for row in reader:
        if not row:
            continue
        if len(row) != len(head):
            raise BadInput(
                f"{name}, line {reader.line_num}, has {len(row)} columns instead of {len(head)}.", fix="Correct it."
            )
        yield dict(zip(head, (part.strip() for part in row), strict=True))
