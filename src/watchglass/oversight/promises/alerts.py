"""A person decided about every alert within the charter's time."""

from __future__ import annotations

from typing import Final

from watchglass.charter.phrases import duration
from watchglass.core.time import HOUR
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import REVIEWERS, Promise, count
from watchglass.oversight.world import End, World

_MOST: Final = 20_000
"""Decisions that are remembered because they may be taken back; that is possible for ten seconds."""
_SOFTWARE: Final = b'{"act":"alert_decided","actor":"house"'

Waiting = tuple[int, int | None]
"""The hour of an alert, and within how many milliseconds a person decides; None: its charter cannot be read."""


class Alerts(Promise):
    name = "alerts"
    title = "A person decided about every alert, within the time that the charter gives."
    acts = frozenset({"alert_raised", "alert_decided", "verdict_withdrawn"})
    keeps = ("waiting", "decided", "withdrawn")
    waits = True

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[int, Waiting] = {}
        """By index."""
        self.decided: dict[int, tuple[int, int, int, int | None]] = {}
        """Of the newest decisions: index to (alert, hour of the decision, and what `waiting` held)."""
        self.withdrawn = 0

    def see(self, entry: Entry, world: World) -> None:
        if entry.act == "alert_raised":
            self.checked += 1
            known = world.under(entry)
            within = known.charter.safeguards.review.within_ms if known is not None else None
            self.waiting[entry.index] = (entry.hour, within)
        elif entry.act == "alert_decided":
            self._decided(entry, world)
        else:
            self._withdrawn(entry, world)

    def _decided(self, entry: Entry, world: World) -> None:
        index = world.references.index(entry.refs[0], "alert_raised")
        if index is None:
            return
        waiting = self.waiting.pop(index, None)
        if waiting is None:
            self.breach("decides about an alert that was decided before", REVIEWERS, world, entry, index)
            return
        hour, within = waiting
        if entry.data.startswith(_SOFTWARE):
            self.breach("decides about an alert, and no person did", REVIEWERS, world, entry, index)
        if within is not None and entry.begins_ms >= (hour + 1) * HOUR + within:
            self.breach(f"decides about an alert later than within {duration(within)}", REVIEWERS, world, entry, index)
        if len(self.decided) >= _MOST:
            for old in list(self.decided)[: _MOST // 2]:
                del self.decided[old]
        self.decided[entry.index] = (index, entry.hour, hour, within)

    def _withdrawn(self, entry: Entry, world: World) -> None:
        index = world.references.index(entry.refs[0], "alert_decided")
        if index is None:
            return
        self.withdrawn += 1
        found = self.decided.pop(index, None)
        if found is None or entry.hour > found[1] + 1:
            self.breach("takes a verdict back later than within ten seconds, or again", REVIEWERS, world, entry, index)
        if found is not None:
            self.waiting[found[0]] = (found[2], found[3])

    def ends(self, world: World, end: End) -> None:
        settled = end.at_ms - world.charters.merge_within()
        for index, (hour, within) in sorted(self.waiting.items()):
            if within is not None and (hour + 1) * HOUR + within <= settled:
                self.breach(
                    f"is an alert that should have been decided within {duration(within)}, and waits still",
                    REVIEWERS,
                    world,
                    index,
                    hour=hour,
                )

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.checked, 'alert')} followed to a person's decision; {self.withdrawn:,} of the decisions were "
            "taken back, after which an alert waits again. Waiting at the end of the log: "
            f"{len(self.waiting):,}. Lateness is judged by the hour."
        )
