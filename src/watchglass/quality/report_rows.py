"""Reads a log that others keep: of each row the minute, the source and the kind, and nothing else. Pure.

Every column but ``time``, ``source`` (or ``lat`` and ``lon``) and ``kind`` is dropped here, and so is whatever stands
in those and is not one of the words that are expected. Errors name rows, and never what stands in them.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, Literal, NoReturn

from watchglass.charter.model import Charter, Source
from watchglass.charter.reporting import Reports
from watchglass.charter.schema import zone_of
from watchglass.core.digest import sha256
from watchglass.core.errors import BadInput
from watchglass.core.time import MINUTE, SECOND

MOST_BYTES: Final = 8_000_000
MOST_ROWS: Final = 50_000
NEAR_M: Final = 50.0
"""How far a row's place may be from a camera's place to count as there."""
WRONGED: Final = "wrongly-approached"
"""The kind of a complaint that somebody was approached for nothing; it is matched with confirmed alerts."""
NOT_MEANT: Final = "-"
"""What a kind is mapped to that nobody asks about."""

LeaveOut = Literal["elsewhere", "old", "repeated"]
LEAVE_OUT: Final[tuple[LeaveOut, ...]] = ("elsewhere", "old", "repeated")
"""What makes a file be refused, unless it is asked to leave such rows out; they are counted then."""

_KNOWN: Final = ("time", "source", "lat", "lon", "kind")
_TIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_LISTED: Final = 8
_METRES: Final = 111_195.0
"""Of a degree of latitude."""


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """What is kept of a report.

    Attributes:
        at_ms: the minute that it names. analytic: the rule that would have seen it; "" for ``WRONGED``.
    """

    at_ms: int
    source: str
    analytic: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What was read.

    Attributes:
        rows: without repetition, in order. read: how many rows the file has.
        dropped_columns: columns that were not read. dropped_values: how many of their cells held anything.
        left_out: rows that were left out, by reason; "other" are kinds that nobody asks about.
        digest: SHA-256 of the file.
    """

    rows: tuple[Row, ...]
    read: int
    dropped_columns: int
    dropped_values: int
    left_out: Mapping[str, int]
    digest: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """How a file is to be read.

    Attributes:
        kinds: the log's words to ours: an analytic of the clause, a kind of incident, ``WRONGED`` or ``NOT_MEANT``.
        kind: of all rows, where the file does not say. timezone: of times without one.
        leave_out: which rows may be left out instead of refusing the file.
    """

    kinds: Mapping[str, str]
    kind: str | None = None
    timezone: str | None = None
    leave_out: frozenset[LeaveOut] = frozenset()


def mapping_of(text: str) -> dict[str, str]:
    """A mapping as people write it: a line ``their word = ours`` for each kind.

    Raises:
        BadInput: a line is not of that form, or says two things of one word.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        theirs, equals, ours = line.rpartition("=")
        word = theirs.strip().casefold()
        if not equals or not word or not ours.strip() or found.get(word, ours.strip()) != ours.strip():
            raise BadInput(
                f"Line {number} of the mapping says nothing, or something else than a line before.",
                fix="Write one line for each kind: their word = person_down",
            )
        found[word] = ours.strip()
    return found


def read_rows(data: bytes, asked: Asked, charter: Charter, reports: Reports, now_ms: int) -> Taken:
    """The rows of a file, all of them or none.

    Raises:
        BadInput: with every reason, and the rows that it holds for.
    """
    if len(data) > MOST_BYTES:
        raise BadInput(
            f"The file has {len(data):,} bytes; at most {MOST_BYTES:,} are read.",
            fix="Cut it into parts by date, and hand in one after another.",
        )
    head, records = _table(data)
    reader = _Reader(asked, charter, reports, now_ms, head)
    for number, record in enumerate(records, 2):
        reader.take(number, record)
    reader.finish()
    left = dict(sorted(reader.left.items()))
    return Taken(tuple(sorted(reader.rows)), len(records), len(reader.dropped), reader.values, left, sha256(data))


# ---- the table -----------------------------------------------------------------------------------------------------


def _table(data: bytes) -> tuple[list[str], list[list[str]]]:
    """The names of the columns, and the rows."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(f"Line {line} of the file is not UTF-8 text.", fix="Save it as CSV in UTF-8.") from error
    if "\0" in text:
        raise BadInput("The file holds zero bytes, so it is no CSV text.", fix="Save it as CSV in UTF-8.")
    head, delimiter = _head(text.partition("\n")[0])
    try:
        records = [row for row in csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True) if row]
    except csv.Error as error:
        raise BadInput("The file ends within a quoted text, or a quote is not closed.", fix=_TORN) from error
    if len(records) - 1 > MOST_ROWS:
        raise BadInput(f"There are {len(records) - 1:,} rows; at most {MOST_ROWS:,} are read.", fix="Cut it by date.")
    torn = [number for number, record in enumerate(records, 1) if len(record) != len(head)]
    if torn:
        raise BadInput(f"{_rows(torn)} {_has(torn)} another number of columns than the first.", fix=_TORN)
    if len(records) == 1:
        raise BadInput("The file has no rows.", fix="Hand in a file with at least one report.")
    return head, records[1:]


def _head(first: str) -> tuple[list[str], str]:
    """The names of the columns, and what stands between them."""
    for delimiter in (",", ";", "\t"):
        head = [name.strip().casefold() for name in next(csv.reader([first], delimiter=delimiter), [])]
        if "time" in head:
            break
    else:
        raise BadInput(
            "The first row does not name a column `time`.",
            fix="Name the columns in the first row: time, source (or lat and lon), kind.",
        )
    doubled = [name for name in _KNOWN if head.count(name) > 1]
    if doubled:
        raise BadInput(f"There are two columns {doubled[0]!r}.", fix="Keep one of them.")
    if "source" not in head and not {"lat", "lon"} <= set(head):
        raise BadInput("No column says where.", fix="Add a column `source`, or two columns `lat` and `lon`.")
    return head, delimiter


_TORN: Final = "The file may be cut off: export it again, and look at these rows."


def _rows(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:_LISTED])
    more = f" and {len(numbers) - _LISTED:,} more" if len(numbers) > _LISTED else ""
    return f"Row{'' if len(numbers) == 1 else 's'} {shown}{more}"


def _has(numbers: Sequence[int]) -> str:
    return "has" if len(numbers) == 1 else "have"


# ---- the rows ------------------------------------------------------------------------------------------------------

_SAYS: Final[Mapping[str, tuple[str, str]]] = {
    "time": ("no time as 2026-11-23T14:05 or 2026-11-23T14:05+01:00", "Write each time in one of these forms."),
    "bare": ("a time that does not say its time zone", "Say which it is: --timezone Europe/Berlin."),
    "mixed": (
        "a time with another distance from UTC than the rows before, or without any",
        "Say in which time zone the log is kept: --timezone Europe/Berlin.",
    ),
    "zone": ("a time whose distance from UTC is not the one of that time zone", "Name the right time zone."),
    "twice": (
        "a time that the clock showed twice, or never, when it was set",
        "Write the distance from UTC behind it, as +01:00.",
    ),
    "future": ("a time that has not come yet", "Check the time zone, and the clock of the log."),
    "old": ("a time before what the charter lets anybody keep", "Remove these rows, or leave them out: old."),
    "source": ("a source that the charter does not have", "Use the names of sources in the charter."),
    "place": ("no place as degrees, or one without either source or place", "Fill in `source`, or `lat` and `lon`."),
    "elsewhere": (
        "a place where no rule of the clause looks for that kind",
        "Remove these rows, or leave them out: elsewhere.",
    ),
    "kind": (
        "a kind that has no meaning here",
        "Say what their words mean in a mapping, or give one kind for all rows.",
    ),
    "several": (
        "a kind that two rules of the clause look for at that place",
        "Let the mapping name the analytic instead of its kind.",
    ),
    "repeated": (
        "the same minute, place and kind as a row before",
        "Remove them if they are copies, or leave them out: repeated.",
    ),
}


class _Reader:
    def __init__(self, asked: Asked, charter: Charter, reports: Reports, now_ms: int, head: list[str]) -> None:
        self.asked, self.charter, self.now = asked, charter, now_ms
        self.oldest = now_ms - reports.kept_ms
        self.analytics = [charter.analytic(name) for name in reports.of]
        wanted = {"time", "source", "kind"} if "source" in head else {"time", "lat", "lon", "kind"}
        if asked.kind is not None:
            wanted.discard("kind")
        elif "kind" not in head:
            raise BadInput("No column says of what kind.", fix="Add a column `kind`, or give one kind for all rows.")
        self.at = {name: head.index(name) for name in wanted}
        self.dropped = [place for place in range(len(head)) if place not in self.at.values()]
        self.zone = _zone(asked.timezone)
        self.offset: str | None = None
        self.rows: set[Row] = set()
        self.values = 0
        self.left: Counter[str] = Counter()
        self.wrong: dict[str, list[int]] = {}
        targets = {*asked.kinds.values(), *([asked.kind] if asked.kind is not None else [])}
        known = {each.name for each in self.analytics} | {each.kind for each in self.analytics} | {WRONGED, NOT_MEANT}
        if targets - known:
            raise BadInput(
                f"The mapping names {min(targets - known)[:60]!r}, and the charter's clause about reports does not.",
                fix=f"Use one of these: {', '.join(sorted(known))}.",
            )

    def take(self, number: int, record: list[str]) -> None:
        """One row. What is wrong with it is remembered, and told of in the end."""
        self.values += sum(bool(record[place].strip()) for place in self.dropped)
        try:
            row = self._row({name: record[place].strip() for name, place in self.at.items()})
            if row is not None and row in self.rows:
                raise _WrongError("repeated")
        except _WrongError as wrong:
            if wrong.what in self.asked.leave_out:
                self.left[wrong.what] += 1
            else:
                self.wrong.setdefault(wrong.what, []).append(number)
            return
        if row is None:
            self.left["other"] += 1
        else:
            self.rows.add(row)

    def finish(self) -> None:
        """Refuse the file where any row is wrong."""
        if not self.wrong:
            return
        order = [what for what in _SAYS if what in self.wrong]
        told = " ".join(f"{_rows(self.wrong[what])} {_has(self.wrong[what])} {_SAYS[what][0]}." for what in order)
        raise BadInput(
            f"Nothing was taken in. {told}",
            fix=" ".join(_SAYS[what][1] for what in order),
        )

    def _row(self, cells: Mapping[str, str]) -> Row | None:
        word = self.asked.kind if self.asked.kind is not None else cells["kind"]
        target = word if self.asked.kind is not None else self.asked.kinds.get(word.casefold(), word)
        if target == NOT_MEANT:
            return None
        at_ms = self._time(cells["time"])
        source = self._source(cells)
        if target == WRONGED:
            if source not in {each.source for each in self.analytics}:
                raise _WrongError("elsewhere")
            return Row(at_ms, source, "")
        fits = [each for each in self.analytics if target in {each.name, each.kind}]
        if not fits:
            raise _WrongError("kind")
        here = [each for each in fits if each.source == source]
        if len(here) != 1:
            raise _WrongError("several" if here else "elsewhere")
        return Row(at_ms, source, here[0].name)

    def _source(self, cells: Mapping[str, str]) -> str:
        if "source" in cells:
            if cells["source"] not in {each.name for each in self.charter.sources}:
                raise _WrongError("source")
            return cells["source"]
        try:
            lat, lon = float(cells["lat"]), float(cells["lon"])
        except ValueError as error:
            raise _WrongError("place") from error
        if not (abs(lat) <= 90 and abs(lon) <= 180):  # noqa: PLR2004  (degrees)
            raise _WrongError("place")
        near = min(self.charter.sources, key=lambda each: (_metres(each, lat, lon), each.name))
        if _metres(near, lat, lon) > NEAR_M:
            raise _WrongError("elsewhere")
        return near.name

    def _time(self, text: str) -> int:
        found = _TIME.fullmatch(text)
        if found is None:
            raise _WrongError("time")
        try:
            bare = datetime.fromisoformat(f"{found[1]}T{found[2]}")
        except ValueError as error:
            raise _WrongError("time") from error
        at_ms = round(self._moment(bare, found[3]).timestamp()) * SECOND // MINUTE * MINUTE
        if at_ms > self.now:
            raise _WrongError("future")
        if at_ms < self.oldest:
            raise _WrongError("old")
        return at_ms

    def _moment(self, bare: datetime, offset: str | None) -> datetime:
        if self.zone is None:
            return self._as_written(bare, offset)
        candidates = {(each.utcoffset(), each) for each in _meant(bare, self.zone)}
        if offset is not None:
            for distance, each in candidates:
                if distance == _distance(offset):
                    return each
            raise _WrongError("zone")
        if len(candidates) != 1:
            raise _WrongError("twice")
        return next(each for _, each in candidates)

    def _as_written(self, bare: datetime, offset: str | None) -> datetime:
        if self.offset is None:
            self.offset = offset or ""
        if offset is None:
            raise _WrongError("mixed" if self.offset else "bare")
        if offset != self.offset:
            raise _WrongError("mixed")
        return bare.replace(tzinfo=UTC) - _distance(offset)


class _WrongError(Exception):
    """What is wrong with a row."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    try:
        return zone_of(name)
    except (ValueError, OSError, KeyError):
        _no_zone()


def _no_zone() -> NoReturn:
    raise BadInput("There is no such time zone.", fix="Write a name such as Europe/Berlin, or UTC.")


def _distance(offset: str) -> timedelta:
    if offset == "Z":
        return timedelta()
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    if hours > 14 or minutes > 59:  # noqa: PLR2004  (no clock on earth is further from UTC)
        raise _WrongError("time")
    return timedelta(hours=hours, minutes=minutes) * (-1 if offset[0] == "-" else 1)


def _meant(bare: datetime, zone: tzinfo) -> Iterator[datetime]:
    """The moments that a clock on the wall can mean by this: one; two where it was set back; none where forward."""
    for fold in (0, 1):
        there = bare.replace(tzinfo=zone, fold=fold)
        back = there.astimezone(UTC).astimezone(zone)
        if back.replace(tzinfo=None, fold=0) == bare:
            yield there.astimezone(UTC).astimezone(zone)


def _metres(source: Source, lat: float, lon: float) -> float:
    """From a camera's place, on a plane: right for the tens of metres that are asked about."""
    north = (lat - source.place.lat) * _METRES
    east = (lon - source.place.lon) * _METRES * math.cos(math.radians(lat))
    return math.hypot(north, east)
