"""The emergency rule was used only by who may, and explained in time."""

from __future__ import annotations

from watchglass.charter.phrases import duration
from watchglass.core.time import HOUR
from watchglass.oversight import tolerances
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World

_WHO = "Whoever broke the glass, and the operator who let them, can answer for it."


class Emergencies(Promise):
    name = "emergencies"
    title = "Originals were opened in an emergency only by roles that may, and each time was explained in time."
    acts = frozenset({"glass_broken", "glass_followed_up"})
    keeps = ("waiting", "explained")
    waits = True

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[int, tuple[int, int]] = {}
        """Uses that are not explained yet: index to (hour, milliseconds)."""
        self.explained = 0

    def see(self, entry: Entry, world: World) -> None:
        if entry.act == "glass_broken":
            self._broken(entry, world)
            return
        index = world.references.index(entry.refs[0], "glass_broken")
        waiting = None if index is None else self.waiting.pop(index, None)
        if index is None or waiting is None:
            return
        self.explained += 1
        hour, within = waiting
        if entry.begins_ms >= self._latest(hour, within):
            self.breach(
                f"explains the use of the emergency rule later than within {duration(within)}",
                _WHO,
                world,
                entry,
                index,
            )

    def _broken(self, entry: Entry, world: World) -> None:
        self.checked += 1
        known = world.under(entry)
        if known is None:
            return
        release = known.charter.safeguards.release
        rule = release.break_glass if release is not None else None
        if rule is None:
            self.breach("uses an emergency rule that the charter does not have", OPERATOR, world, entry, known.index)
        elif entry.role not in rule.by:
            what = f"uses the emergency rule as {entry.role}, whom the charter does not let"
            self.breach(what, OPERATOR, world, entry, known.index)
        else:
            self.waiting[entry.index] = (entry.hour, rule.follow_up_ms)

    def _latest(self, hour: int, within: int) -> int:
        """When it is surely too late: both hours are signers' words."""
        return (hour + 1 + 2 * tolerances.SIGNER_HOURS) * HOUR + within + tolerances.FOLLOW_UP_HANDED_IN

    def ends(self, world: World, end: End) -> None:
        settled = end.at_ms - world.charters.merge_within()
        for index, (hour, within) in sorted(self.waiting.items()):
            if self._latest(hour, within) <= settled:
                self.breach(
                    f"uses the emergency rule, and was not explained within {duration(within)}",
                    _WHO,
                    world,
                    index,
                    hour=hour,
                )

    def how(self, world: World, end: End) -> str:
        del world, end
        uses = count(self.checked, "use")
        return f"{uses} of the emergency rule, {self.explained:,} explained. What was opened is sealed."
