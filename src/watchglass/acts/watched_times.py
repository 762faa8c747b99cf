"""What everyone may know of how steadily a source was watched: from its heartbeats, and from where they are missing.

All of it follows from public entries: heartbeats, and the records of runs. Whoever has the log can work it out again
(``oversight.dark``), but for the seconds at which runs began and ended, which the ledger tells by the hour.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from watchglass.acts.reading import history_until, index_of
from watchglass.charter import words
from watchglass.charter.model import Charter
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND
from watchglass.oversight.dark import Beats, Run, Stretch, Tally, Watch, stretches, tally
from watchglass.records.outbox import Reader, Row

DAYS: Final = 28
"""How far back it is told, besides today."""
MOST_SHOWN: Final = 200
CELL_MS: Final = 15 * MINUTE
"""What one cell of the drawing stands for."""
CELLS: Final = DAY // CELL_MS
_GRAVEST: Final = (Watch.DARK, Watch.BLIND, Watch.STOPPED, Watch.UNTOLD, Watch.IDLE, Watch.SEEN, Watch.PENDING)
"""A cell shows the gravest of what happened in it, so that not one dark second is hidden."""


@dataclass(frozen=True, slots=True)
class WatchedDay:
    """One day (UTC): seconds of each kind, and the drawing's cells as runs of (first cell, how many, state)."""

    day_ms: int
    sums: Tally
    cells: tuple[tuple[int, int, Watch], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A stretch that was not simply watched, with the entries of the ledger behind it; None where one waits for it."""

    from_ms: int
    to_ms: int
    state: Watch
    why: str
    entries: tuple[int | None, ...]

    DERIVED: ClassVar = ("seconds",)

    @property
    def seconds(self) -> int:
        """How long it was."""
        return (self.to_ms - self.from_ms) // SECOND


@dataclass(frozen=True, slots=True)
class Watched:
    """How steadily a source was watched.

    Attributes:
        every_s: how often the charter in force asks for a heartbeat; None: it does not.
        since_ms: from when on anything is known; None: nothing is.
        made_until_ms: until when the demo's history was made; 0 where nothing was.
        sentences: the answer in words.
        today, days: sums since midnight (UTC), and over the 28 days before and today.
        by_day: the oldest first.
        told: what was not simply watched, the newest first; ``more``: how many stretches are left out.
    """

    source: str
    every_s: int | None
    since_ms: int | None
    made_until_ms: int
    sentences: tuple[str, ...]
    today: Tally
    days: Tally
    by_day: tuple[WatchedDay, ...]
    told: tuple[Told, ...]
    more: int


def watched(reader: Reader, charter: Charter, source: str, now_ms: int, *, most: int = MOST_SHOWN) -> Watched:
    """How steadily ``source`` was watched in the last 28 days and today.

    Args:
        most: how many stretches are told at most.
    """
    midnight = now_ms - now_ms % DAY
    since = midnight - DAYS * DAY
    every_ms = charter.ledger.heartbeat_every_ms
    found = stretches_of(reader, source, since, now_ms, every_ms)
    whole = tally(found, since // SECOND, now_ms // SECOND)
    today = tally(found, midnight // SECOND, now_ms // SECOND)
    notable = [each for each in reversed(found) if each.to_s * SECOND > since and each.state not in _USUAL]
    made = history_until(reader)
    begun = found[0].from_s * SECOND if found else None
    return Watched(
        source=source,
        every_s=every_ms // SECOND if every_ms is not None else None,
        since_ms=begun,
        made_until_ms=made,
        sentences=(*_sentences(every_ms, begun, since, whole, today), *_of_demo(made, since)),
        today=today,
        days=whole,
        by_day=tuple(_day(found, day, now_ms) for day in range(since, midnight + 1, DAY)),
        told=tuple(_told(reader, each) for each in notable[:most]),
        more=max(0, len(notable) - most),
    )


_USUAL: Final = frozenset({Watch.SEEN, Watch.PENDING})


# ---- reading -------------------------------------------------------------------------------------------------------


def stretches_of(reader: Reader, source: str, since: int, now: int, every_ms: int | None) -> tuple[Stretch, ...]:
    """From the last beat before ``since`` on, so that what reaches into the window is judged rightly."""
    before = reader.one("SELECT max(id) AS id FROM watched WHERE source = ? AND to_s <= ?", source, since // SECOND)
    first = before["id"] if before is not None and before["id"] is not None else 0
    rows = reader.all("SELECT * FROM watched WHERE source = ? AND id >= ? ORDER BY id", source, first)
    begin = reader.one("SELECT started_ms FROM run WHERE run = ?", rows[0]["run"]) if rows else None
    runs = reader.all(
        "SELECT * FROM run WHERE started_ms >= ? AND (stopped_ms IS NULL OR stopped_ms >= ?)"
        " ORDER BY started_ms, rowid",
        begin["started_ms"] if begin is not None else 0,
        since if begin is None else 0,
    )
    return stretches(
        [_beats(row) for row in rows],
        [_run(row) for row in runs if source in json.loads(row["sources"])],
        now_s=now // SECOND,
        every_s=(every_ms or 0) // SECOND,
    )


def _beats(row: Row) -> Beats:
    refs = (bytes(row["first_leaf_hash"]), bytes(row["last_leaf_hash"]))
    return Beats(row["run"], row["from_s"], row["to_s"], Watch(row["state"]), refs, row["beats"])


def _run(row: Row) -> Run:
    refs = [bytes(row["started_leaf_hash"])]
    if row["stopped_leaf_hash"] is not None:
        refs.append(bytes(row["stopped_leaf_hash"]))
    return Run(
        row["run"],
        promised=row["every_s"] is not None,
        started_s=row["started_ms"] // SECOND,
        stopped_s=row["stopped_ms"] // SECOND if row["stopped_ms"] is not None else None,
        cause=row["cause"],
        refs=tuple(refs),
    )


def _told(reader: Reader, each: Stretch) -> Told:
    entries = tuple(dict.fromkeys(index_of(reader, ref) for ref in each.refs if isinstance(ref, bytes)))
    return Told(each.from_s * SECOND, each.to_s * SECOND, each.state, each.why, entries)


# ---- drawing -------------------------------------------------------------------------------------------------------


def _day(found: Sequence[Stretch], day_ms: int, now_ms: int) -> WatchedDay:
    first, last = day_ms // SECOND, min(day_ms + DAY, now_ms) // SECOND
    here = [each for each in found if each.to_s > first and each.from_s < last]
    return WatchedDay(day_ms, tally(here, first, last), tuple(_cells(here, first, last)))


def _cells(found: Sequence[Stretch], first_s: int, last_s: int) -> list[tuple[int, int, Watch]]:
    """The gravest state of each cell, equal neighbours joined; nothing where nothing is known."""
    cell = CELL_MS // SECOND
    gravest: dict[int, Watch] = {}
    for each in found:
        begin, end = max(each.from_s, first_s), min(each.to_s, last_s)
        for place in range((begin - first_s) // cell, -(-(end - first_s) // cell)):
            had = gravest.get(place)
            if had is None or _GRAVEST.index(each.state) < _GRAVEST.index(had):
                gravest[place] = each.state
    joined: list[tuple[int, int, Watch]] = []
    for place, state in sorted(gravest.items()):
        if joined and joined[-1][2] is state and sum(joined[-1][:2]) == place:
            joined[-1] = (joined[-1][0], joined[-1][1] + 1, state)
        else:
            joined.append((place, 1, state))
    return joined


# ---- words ---------------------------------------------------------------------------------------------------------


def length(seconds: int) -> str:
    """A length of time for people, never shorter than it is: seconds below an hour, minutes below two days."""
    step = SECOND if seconds * SECOND < HOUR else MINUTE if seconds * SECOND < 2 * DAY else HOUR
    return words.duration(-(-seconds * SECOND // step) * step)


def _sentences(every_ms: int | None, begun: int | None, since: int, whole: Tally, today: Tally) -> list[str]:
    if every_ms is None:
        said = ["The rules in force ask for no heartbeats, so nobody can tell whether it is watched all the time."]
    elif begun is None:
        return ["It was not watched yet since heartbeats began to be kept."]
    else:
        every = words.duration(every_ms)
        every = every.removeprefix("1 ") if every.count(" ") == 1 else every
        said = [f"Whatever watches it signs a heartbeat every {every}."]
    if begun is None or whole.untold + whole.with_beats + whole.dark + whole.stopped == 0:
        return said
    span = "in the last 28 days" if begun <= since else "since heartbeats are kept"
    if whole.dark:
        part = "all" if today.dark == whole.dark else length(today.dark)
        now = f", {part} of it today" if today.dark else ""
        said.append(
            f"{length(whole.dark).capitalize()} of dark time {span}{now}: no heartbeat came, and nothing in the ledger "
            "explains it."
        )
    elif whole.with_beats:
        said.append(f"No dark time {span}: wherever a heartbeat is missing, the ledger says why.")
    if whole.blind:
        said.append(f"For {length(whole.blind)} the camera sent no picture.")
    if whole.stopped:
        said.append(f"For {length(whole.stopped)} it was stopped, and that is in the ledger.")
    if whole.idle:
        said.append(f"For {length(whole.idle)} nothing was allowed to look.")
    if whole.untold:
        said.append(f"For {length(whole.untold)} the rules promised no heartbeats, so nobody can tell.")
    return said


def _of_demo(made_until: int, since: int) -> list[str]:
    if made_until <= since:
        return []
    said = "In this demo the days before it was started are made: their heartbeats were signed on a virtual clock, once"
    return [f"{said} an hour, and no camera was looked at then."]
