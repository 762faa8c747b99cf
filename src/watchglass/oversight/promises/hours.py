"""Analytics ran only at the hours and on the days that the charter gives them."""

from __future__ import annotations

from functools import lru_cache

from watchglass.charter.hours import Days, Hours, look
from watchglass.core.time import HOUR, SECOND
from watchglass.oversight import tolerances
from watchglass.oversight.charters import Known
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World


class InHours(Promise):
    name = "hours"
    title = "Analytics ran only at the hours and on the days that the charter gives them."
    acts = frozenset({"alert_raised", "heartbeat"})

    def see(self, entry: Entry, world: World) -> None:
        known = world.under(entry)
        if known is None:
            return
        self.checked += 1
        if entry.act == "heartbeat":
            for name in entry.clear["running"]:
                self._ran(entry, name, known, world)
            return
        analytic = known.analytics.get(entry.clear["analytic"])
        if analytic is None or (analytic.hours is None and not analytic.days):
            return
        if not _meets_hour(analytic.hours, analytic.days, known.charter.timezone, entry.hour):
            self.breach(
                f"is an alert of '{analytic.name}', and no moment of that hour lies within its hours",
                OPERATOR,
                world,
                entry,
                known.index,
            )

    def _ran(self, entry: Entry, name: str, known: Known, world: World) -> None:
        analytic = known.analytics.get(name)
        if analytic is None or (analytic.hours is None and not analytic.days):
            return
        begin, end = entry.clear["from_s"] * SECOND - tolerances.STOPS_WITHIN, entry.clear["to_s"] * SECOND
        if not meets(analytic.hours, analytic.days, known.charter.timezone, begin, end):
            self.breach(f"says that '{name}' ran, all of it outside its hours", OPERATOR, world, entry, known.index)

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.checked, 'alert and heartbeat', 'alerts and heartbeats')} compared with the charter's hours "
            "in its own time zone. An alert tells its hour only, a heartbeat its seconds."
        )


def meets(hours: Hours | None, days: Days, timezone: str, begin_ms: int, end_ms: int) -> bool:
    """Whether some moment of ``[begin_ms, end_ms)`` lies within some hours. Moves from one change to the next."""
    at = begin_ms
    while at < end_ms:
        answer = look(hours, days, timezone, at)
        if answer.within:
            return True
        if answer.until_ms is None or answer.until_ms <= at:
            return False
        at = answer.until_ms
    return False


@lru_cache(maxsize=4_096)
def _meets_hour(hours: Hours | None, days: Days, timezone: str, hour: int) -> bool:
    return meets(hours, days, timezone, hour * HOUR - tolerances.CAPTURED_BEFORE, (hour + 1) * HOUR)
