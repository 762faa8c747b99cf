"""Each alert says what its source did not meet in that minute, as the log tells it: nothing hidden, nothing made up.

The house reads what a source does not meet in the very transaction that records an alert, and all three records wait in
the same lane, so the order of the log is the order in which they were made. There is one doubt: a clock that is set
back, which moves minutes, and places in the log too where a batch was taken in between. ``REACH`` (milliseconds) is
allowed for it: what the house's clock may be off, and the minute that openings tell no finer. An alert hides something
only where its place lies between the two records and its minute does so with that margin at either end; it makes
something up only where neither place nor minute comes near. It is judged once all that may have been recorded beside it
must be in the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.oversight import tolerances
from watchglass.oversight.entry import Entry
from watchglass.oversight.minutes import minute_ms
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World

REACH: Final = tolerances.CLOCKS_APART + MINUTE


@dataclass(frozen=True, slots=True)
class Spell:
    """How long a source did not meet a condition.

    Attributes:
        begun, over: indices of the entries that say so; over None: it goes on.
        begins, ends: the first and the last minute (ms) in which that may have been: the same one where its opening
            tells it, else those of its hour.
    """

    condition: str
    begun: int
    begins: tuple[int, int]
    over: int | None = None
    ends: tuple[int, int] = (0, 0)

    def holds(self, index: int) -> bool:
        """Whether an entry stands between its two in the log."""
        return self.begun < index and (self.over is None or index < self.over)

    def surely(self, index: int, at_ms: int) -> bool:
        """Whether an alert with that index, of that minute, cannot but have been raised in it."""
        after = self.begins[1] + REACH <= at_ms
        return self.holds(index) and after and (self.over is None or at_ms + REACH <= self.ends[0])

    def maybe(self, index: int, at_ms: int) -> bool:
        """Whether it may have been."""
        near = self.begins[0] < at_ms + REACH and (self.over is None or at_ms < self.ends[1] + REACH)
        return near or self.holds(index)


class ConditionsTold(Promise):
    name = "conditions-told"
    title = "Each alert says which conditions its source did not meet: those of which the log tells, and no others."
    depth = "openings"
    acts = frozenset({"alert_raised", "source_degraded", "source_recovered"})
    keeps = ("kept", "waiting", "hour", "degraded", "silent")
    waits = True

    def __init__(self) -> None:
        super().__init__()
        self.spells: dict[str, list[Spell]] = {}
        """By source; those long over are forgotten."""
        self.waiting: list[tuple[int, int, str, int, list[str]]] = []
        """Alerts that are not judged yet: index, hour, source, minute (ms), what each says of its source."""
        self.hour = 0
        """The newest hour when alerts were last judged."""
        self.degraded = 0
        self.silent = 0

    # What is remembered: the spells as plain tuples.

    @property
    def kept(self) -> dict[str, list[tuple[Any, ...]]]:
        """Spells by source."""
        return {
            source: [(each.condition, each.begun, each.begins, each.over, each.ends) for each in spells]
            for source, spells in self.spells.items()
        }

    @kept.setter
    def kept(self, kept: dict[str, list[tuple[Any, ...]]]) -> None:
        self.spells = {source: [Spell(*values) for values in spells] for source, spells in kept.items()}

    def see(self, entry: Entry, world: World) -> None:
        values = world.opened(entry)
        if entry.act == "alert_raised":
            self._raised(entry, values)
        elif entry.act == "source_degraded":
            begun = Spell(entry.clear["condition"], entry.index, _minutes(entry, values))
            self.spells.setdefault(entry.clear["source"], []).append(begun)
        else:
            self._over(entry, values, world)
        if world.newest_hour > self.hour:
            self.hour = world.newest_hour
            self._settle(world)

    def _raised(self, entry: Entry, values: dict[str, Any] | None) -> None:
        if values is None or values.get("again") is not None:  # what is shown again says it the first time
            return
        if "conditions" not in values:
            self.silent += 1
            return
        self.checked += 1
        seen = values["conditions"]
        told = list(seen["degraded"]) if seen is not None else []
        self.degraded += bool(told)
        self.waiting.append((entry.index, entry.hour, values["source"], minute_ms(values["minute"]), told))

    def _over(self, entry: Entry, values: dict[str, Any] | None, world: World) -> None:
        index = world.references.index(entry.refs[0], "source_degraded")
        spells = self.spells.get(entry.clear["source"], [])
        for place, each in enumerate(spells):
            named = index is None or each.begun == index
            if named and each.over is None and each.condition == entry.clear["condition"]:
                spells[place] = replace(each, over=entry.index, ends=_minutes(entry, values))

    def _settle(self, world: World) -> None:
        """Judge what all is there for by now, and forget what no alert can be of any more."""
        settled = self.hour * HOUR - world.charters.merge_within()
        due = [each for each in self.waiting if each[3] + REACH <= settled]
        self.waiting = [each for each in self.waiting if each[3] + REACH > settled]
        self._judge(due, world)
        for source, spells in self.spells.items():
            self.spells[source] = [each for each in spells if each.over is None or each.ends[1] + DAY > settled]

    def _judge(self, alerts: Iterable[tuple[int, int, str, int, list[str]]], world: World) -> None:
        for index, hour, source, at, told in alerts:
            spells = self.spells.get(source, [])
            sure = [each for each in spells if each.condition not in told and each.surely(index, at)]
            if sure:
                what = f"is an alert that does not say what its source did not meet then ('{sure[0].condition}')"
                self.breach(what, OPERATOR, world, index, *(each.begun for each in sure), hour=hour)
            known = {each.condition for each in spells if each.maybe(index, at)}
            made_up = [each for each in told if each not in known]
            if made_up:
                what = f"is an alert that says its source did not meet what the log says it met ('{made_up[0]}')"
                self.breach(what, OPERATOR, world, index, hour=hour)

    def ends(self, world: World, end: End) -> None:
        settled = end.at_ms - world.charters.merge_within()
        self._judge([each for each in self.waiting if each[3] + REACH <= settled], world)

    def how(self, world: World, end: End) -> str:
        del world, end
        older = f" {self.silent:,} of earlier versions say nothing of it." if self.silent else ""
        return (
            f"{count(self.checked, 'alert')} laid against the times in which the log calls their sources degraded; "
            f"{self.degraded:,} say that theirs was.{older}"
        )


def _minutes(entry: Entry, values: dict[str, Any] | None) -> tuple[int, int]:
    """The first and the last minute (ms) of an entry, as far as can be told."""
    if values is None:
        return entry.begins_ms, entry.ends_ms - MINUTE
    at = minute_ms(values["minute"])
    return at, at
