"""Every drill that was announced was scored after its day, or called off before it: none is left out.

From the public ledger alone. Whether what was said of a drill is what came of it takes openings
(``promises.drills_replayed``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from watchglass.core.time import DAY, HOUR, MINUTE, millis
from watchglass.oversight import tolerances
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World
from watchglass.quality.drilled import LATE_MS, LEAD_MS, LONGEST_RUN_MS

SCORED_WITHIN: Final = LATE_MS + LONGEST_RUN_MS + tolerances.RETENTION_RUNS
"""After its day; the house writes something each day."""
_OF_DRILLS: Final = frozenset({"drill_planned", "drill_begun", "drill_ended", "drill_called_off", "drill_scored"})


def day_ms(text: str) -> int:
    """The first moment of a day (UTC), from a record that was checked."""
    return millis(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC))


class Drills(Promise):
    name = "drills"
    title = "Every drill was announced before its time, and scored after its day unless it was called off before."
    acts = _OF_DRILLS | {"alert_raised", "analytic_judged", "reads_closed"}
    keeps = ("planned", "run", "newest", "scored", "called_off")
    waits = True

    def __init__(self) -> None:
        super().__init__()
        self.planned: dict[int, tuple[str, str, str, str]] = {}
        """Drills that are open, by index: id, analytic, source, day."""
        self.run: set[int] = set()
        """Those of them that somebody said were run."""
        self.newest = 0
        """The last hour in which the house did something of a charter."""
        self.scored = 0
        self.called_off = 0

    def see(self, entry: Entry, world: World) -> None:
        if not entry.signed:
            self.newest = max(self.newest, entry.hour)
        if entry.act not in _OF_DRILLS:
            return
        if entry.act == "drill_planned":
            self._planned(entry, world)
            return
        index = world.references.index(entry.refs[0], "drill_planned")
        plan = self.planned.get(-1 if index is None else index)
        if index is None or plan is None:
            self.breach("is about a drill that is not open", OPERATOR, world, entry)
            return
        day = day_ms(plan[3])
        match entry.act:
            case "drill_called_off":
                if entry.begins_ms >= day + DAY:
                    self.breach("calls a drill off after its day", OPERATOR, world, entry, index)
                self._close(index)
                self.called_off += 1
            case "drill_scored":
                self._scored(entry, world, index, plan)
            case _:
                if entry.ends_ms <= day or entry.begins_ms > day + DAY + LATE_MS + LONGEST_RUN_MS:
                    self.breach("says that a drill was run on another day than its own", OPERATOR, world, entry, index)
                self.run.add(index)

    def _planned(self, entry: Entry, world: World) -> None:
        self.checked += 1
        clear = entry.clear
        if day_ms(clear["day"]) + DAY - MINUTE < entry.begins_ms + LEAD_MS:
            self.breach("announces a drill after its time", OPERATOR, world, entry)
        self.planned[entry.index] = (clear["drill"], clear["analytic"], clear["source"], clear["day"])

    def _scored(self, entry: Entry, world: World, index: int, plan: tuple[str, str, str, str]) -> None:
        clear = entry.clear
        if (clear["drill"], clear["analytic"], clear["source"], clear["day"]) != plan:
            self.breach("scores another drill than the one that was announced", OPERATOR, world, entry, index)
        if entry.ends_ms <= day_ms(plan[3]) + DAY:
            self.breach("scores a drill before its day was over", OPERATOR, world, entry, index)
        if (clear["result"] == "not-counted") != (clear["cause"] is not None):
            self.breach("leaves a drill out and does not say why, or counts it and does", OPERATOR, world, entry, index)
        if clear["result"] != "not-counted" and (clear["result"] == "not-run") == (index in self.run):
            self.breach("says something else of whether a drill was run than people did", OPERATOR, world, entry, index)
        self._close(index)
        self.scored += 1

    def _close(self, index: int) -> None:
        del self.planned[index]
        self.run.discard(index)

    def ends(self, world: World, end: End) -> None:
        settled = min(end.at_ms - world.charters.merge_within(), self.newest * HOUR)
        for index, plan in self.planned.items():
            if day_ms(plan[3]) + DAY + SCORED_WITHIN < settled:
                what = "announces a drill of which nothing says what became of it"
                self.breach(what, OPERATOR, world, index)

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.checked, 'drill')} announced: {self.scored:,} scored, {self.called_off:,} called off before "
            f"their day, {len(self.planned):,} open. Whether they were noticed as was said takes openings."
        )
