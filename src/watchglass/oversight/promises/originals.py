"""Sealed originals were destroyed when their retention was over."""

from __future__ import annotations

from typing import Any

from watchglass.charter.phrases import duration
from watchglass.core.time import HOUR
from watchglass.oversight import tolerances
from watchglass.oversight.dues import Dues
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World


class Originals(Promise):
    name = "retention-originals"
    title = "Sealed originals were destroyed when their retention was over, but for those that an order keeps."
    acts = frozenset({"segment_sealed", "retention_applied", "hold_ordered", "hold_lifted"})
    keeps = ("due", "holds", "unjudged", "sealed")
    waits = True

    def __init__(self) -> None:
        super().__init__()
        self.dues: dict[int, Dues] = {}
        """By how long the segment's own charter keeps it: a later charter changes nothing for it."""
        self.holds: dict[int, str] = {}
        """Orders to keep that are not lifted, and who ordered them. What they keep is sealed."""
        self.unjudged = 0
        self.sealed = 0

    @property
    def due(self) -> dict[int, Any]:
        """The groups that wait, as plain values."""
        return {keep: each.groups for keep, each in self.dues.items()}

    @due.setter
    def due(self, kept: dict[int, Any]) -> None:
        self.dues = {keep: Dues(groups) for keep, groups in kept.items()}

    def see(self, entry: Entry, world: World) -> None:
        match entry.act:
            case "segment_sealed":
                known = world.under(entry)
                keep = known.charter.safeguards.retention.sealed_ms if known is not None else None
                if keep is not None:
                    self.sealed += 1
                    self.dues.setdefault(keep, Dues()).add(entry.hour, entry.index)
            case "hold_ordered":
                self.holds[entry.index] = entry.role
            case "hold_lifted":
                self._lifted(entry, world)
            case _:
                if entry.clear["what"] == "segments":
                    self._applied(entry, world)

    def _lifted(self, entry: Entry, world: World) -> None:
        index = world.references.index(entry.refs[0], "hold_ordered")
        by = self.holds.get(-1 if index is None else index)
        if index is None or by is None:
            return
        if by != entry.role:
            self.breach(f"lifts in the name of {entry.role} an order to keep by {by}", OPERATOR, world, entry, index)
            return
        del self.holds[index]

    def _applied(self, entry: Entry, world: World) -> None:
        self.checked += 1
        for keep, dues in self.dues.items():
            late = entry.begins_ms - keep - tolerances.RETENTION_RUNS
            for hour, index, number in dues.until(1 + (entry.ends_ms - keep) // HOUR):
                if (hour + 1) * HOUR <= late:
                    self._late(number, keep, world, entry, index)

    def _late(self, number: int, keep: int, world: World, *entries: Entry | int, **more: Any) -> None:
        if self.holds:
            self.unjudged += number
            return
        self.breach(
            f"shows that {count(number, 'original')} of one hour were kept for longer than {duration(keep)}, and no "
            "order to keep stood",
            OPERATOR,
            world,
            *entries,
            **more,
        )

    def ends(self, world: World, end: End) -> None:
        if self.holds:
            return
        settled = end.at_ms - world.charters.merge_within() - tolerances.RETENTION_RUNS
        for keep, dues in self.dues.items():
            for hour, index, number in dues.before((settled - keep) // HOUR - 1):
                self._late(number, keep, world, index, hour=hour)

    def unseen(self, world: World, end: End) -> str | None:
        del world, end
        if not self.unjudged:
            return None
        return (
            f"{count(self.unjudged, 'original')} stayed longer than their retention while an order to keep stood; "
            "whether it was about them is sealed."
        )

    def how(self, world: World, end: End) -> str:
        del world, end
        waiting = sum(number for each in self.dues.values() for _, number in each.groups.values())
        return (
            f"{count(self.sealed, 'sealed original')}; {count(self.checked, 'record')} of what was destroyed laid over "
            f"the hours in which their retention ended, {waiting:,} not due or kept by an order. What nobody can open "
            "any more once the month's keys are gone is destroyed in any case."
        )
