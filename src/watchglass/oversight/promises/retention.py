"""What the charter keeps for a time is destroyed when that is over: clips, alerts, and what opens their records."""

from __future__ import annotations

from typing import Any, Final

from watchglass.charter.model import Retention as Keeps
from watchglass.charter.phrases import duration
from watchglass.core.time import HOUR
from watchglass.oversight import tolerances
from watchglass.oversight.dues import Dues
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World
from watchglass.records.vocabulary import OF_ALERTS

_OPENED: Final = OF_ALERTS - {"alert_raised", "alert_decided"}
"""Acts that tell of an alert, whose openings go by their own hour."""
_WHAT: Final = {"clips": "clips", "alerts": "alerts that were decided", "openings": "openings of records of alerts"}


class Retention(Promise):
    name = "retention"
    title = "Clips, alerts and what opens their records were destroyed when the charter's time for them was over."
    acts = OF_ALERTS | {"retention_applied"}
    keeps = ("waiting", "due")
    waits = True

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[int, int] = {}
        """Alerts that are not decided yet, and their hours."""
        self.dues = {what: Dues() for what in _WHAT}

    @property
    def due(self) -> dict[str, Any]:
        """The groups that wait, as plain values."""
        return {what: each.groups for what, each in self.dues.items()}

    @due.setter
    def due(self, kept: dict[str, Any]) -> None:
        self.dues = {what: Dues(groups) for what, groups in kept.items()}

    def see(self, entry: Entry, world: World) -> None:
        act = entry.act
        if act == "retention_applied":
            self._applied(entry, world)
        elif act == "alert_raised":
            self.waiting[entry.index] = entry.hour
        elif act == "alert_decided":
            index = world.references.index(entry.refs[0], "alert_raised")
            hour = None if index is None else self.waiting.pop(index, None)
            if hour is not None:
                self.dues["alerts"].add(hour, entry.index)
        else:
            if act == "clip_kept":
                self.dues["clips"].add(entry.hour, entry.index)
            self.dues["openings"].add(entry.hour, entry.index)

    def _applied(self, entry: Entry, world: World) -> None:
        what, known = entry.clear["what"], world.under(entry)
        if what not in _WHAT or known is None:
            return
        self.checked += 1
        keep = known.charter.safeguards.retention
        longest = self._longest(what, world)
        late = longest is not None and entry.begins_ms - longest - tolerances.RETENTION_RUNS
        for hour, index, number in self.dues[what].until(1 + (entry.ends_ms - _kept(keep, what)) // HOUR):
            if late is not False and (hour + 1) * HOUR <= late:
                self._breach(what, number, longest or 0, world, entry, index)
        if what == "alerts":  # their clips go with them
            list(self.dues["clips"].until(1 + (entry.ends_ms - keep.alerts_ms) // HOUR))

    def _longest(self, what: str, world: World) -> int | None:
        """The longest time that a charter gives it."""
        every = [_kept(each.charter.safeguards.retention, what) for each in world.charters.order]
        return max(every, default=None)

    def _breach(self, what: str, number: int, keep: int, world: World, *entries: Entry | int, **more: Any) -> None:
        self.breach(
            f"shows that {number:,} {_WHAT[what]} of one hour were kept for longer than {duration(keep)}",
            OPERATOR,
            world,
            *entries,
            **more,
        )

    def ends(self, world: World, end: End) -> None:
        settled = end.at_ms - world.charters.merge_within() - tolerances.RETENTION_RUNS
        for what, dues in self.dues.items():
            keep = self._longest(what, world)
            if keep is not None:
                for hour, index, number in dues.before((settled - keep) // HOUR - 1):
                    self._breach(what, number, keep, world, index, hour=hour)

    def how(self, world: World, end: End) -> str:
        del world, end
        waiting = sum(number for each in self.dues.values() for _, number in each.groups.values())
        return (
            f"{count(self.checked, 'record')} of what was destroyed laid over the hours of what had to be; "
            f"{count(waiting, 'thing')} are not due. That it was destroyed, and not copied before, is the operator's "
            "word."
        )


def _kept(keep: Keeps, what: str) -> int:
    return keep.reviewer_clips_ms if what == "clips" else keep.alerts_ms
