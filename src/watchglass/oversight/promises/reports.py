"""What others noted down was taken in only where the charter names the log, and was destroyed in its time."""

from __future__ import annotations

from typing import Any

from watchglass.charter.phrases import duration
from watchglass.core.time import HOUR
from watchglass.oversight import tolerances
from watchglass.oversight.dues import Dues
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World


class Reports(Promise):
    name = "reports"
    title = "What others noted down was taken in only where the charter names the log, and was destroyed in its time."
    acts = frozenset({"reports_taken_in", "report_set_aside", "retention_applied"})
    keeps = ("logs", "aside", "due", "moved")
    waits = True

    def __init__(self) -> None:
        super().__init__()
        self.logs: dict[int, str] = {}
        """Which log each file was of, by its entry."""
        self.aside: dict[int, int] = {}
        """How many rows of each file are set aside."""
        self.moved = 0
        self.dues = Dues()

    @property
    def due(self) -> dict[int, tuple[int, int]]:
        """The groups of files that wait to be destroyed, as plain values."""
        return self.dues.groups

    @due.setter
    def due(self, kept: dict[int, tuple[int, int]]) -> None:
        self.dues = Dues(kept)

    def see(self, entry: Entry, world: World) -> None:
        match entry.act:
            case "reports_taken_in":
                self._taken(entry, world)
            case "report_set_aside":
                self._set(entry, world)
            case _:
                if entry.clear["what"] == "reports":
                    self._destroyed(entry, world)

    def _taken(self, entry: Entry, world: World) -> None:
        self.checked += 1
        known, log = world.under(entry), entry.clear["log"]
        clause = known.charter.safeguards.reports if known is not None else None
        if known is not None and (clause is None or log not in clause.logs):
            what = f"takes in what others noted down (log: {log}), which the charter does not say"
            self.breach(what, OPERATOR, world, entry, known.index)
        self.logs[entry.index] = log
        self.dues.add(entry.hour, entry.index)

    def _set(self, entry: Entry, world: World) -> None:
        self.moved += 1
        index = world.references.index(entry.refs[0], "reports_taken_in")
        if index is None or self.logs.get(index) != entry.clear["log"]:
            self.breach("sets aside a row of a log that was not taken in", OPERATOR, world, entry)
            return
        now = self.aside.get(index, 0) + (1 if entry.clear["to"] == "aside" else -1)
        self.aside[index] = max(0, now)
        if now < 0:
            self.breach("puts back a row of which none was set aside", OPERATOR, world, entry, index)

    def _destroyed(self, entry: Entry, world: World) -> None:
        known = world.under(entry)
        if known is None:
            return
        clause = known.charter.safeguards.reports
        kept, longest = clause.kept_ms if clause is not None else 0, self._longest(world)
        for hour, index, number in self.dues.until(1 + (entry.ends_ms - kept) // HOUR):
            if (hour + 1) * HOUR <= entry.begins_ms - longest - tolerances.RETENTION_RUNS:
                self._late(number, longest, world, entry, index)

    def _longest(self, world: World) -> int:
        """The longest time that a charter gives them."""
        clauses = (each.charter.safeguards.reports for each in world.charters.order)
        return max((clause.kept_ms for clause in clauses if clause is not None), default=0)

    def _late(self, number: int, longest: int, world: World, *entries: Entry | int, **more: Any) -> None:
        what = f"shows that {count(number, 'file')} of reports of one hour stayed for longer than {duration(longest)}"
        self.breach(what, OPERATOR, world, *entries, **more)

    def ends(self, world: World, end: End) -> None:
        longest = self._longest(world)
        settled = end.at_ms - world.charters.merge_within() - tolerances.RETENTION_RUNS
        for hour, index, number in self.dues.before((settled - longest) // HOUR - 1):
            self._late(number, longest, world, index, hour=hour)

    def how(self, world: World, end: End) -> str:
        del world, end
        aside = sum(self.aside.values())
        return (
            f"{count(self.checked, 'file')} of reports compared with the charter's clause; {count(aside, 'row')} set "
            f"aside now, by {count(self.moved, 'record')}. What stood in the files, and whether a row was rightly set "
            "aside, is the operator's word."
        )
