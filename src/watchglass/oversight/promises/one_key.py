"""One person has one key in a month."""

from __future__ import annotations

from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OVERSIGHT, Promise, count
from watchglass.oversight.world import End, World


class OneKey(Promise):
    name = "one-key"
    title = "One person has one key in a month, whatever their roles."
    depth = "openings"
    acts = frozenset({"key_enrolled"})
    keeps = ("known",)

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[tuple[str, str], int] = {}

    def see(self, entry: Entry, world: World) -> None:
        values = world.opened(entry)
        if values is None:
            return
        self.checked += 1
        before = self.known.setdefault((values["person"], entry.clear["month"]), entry.index)
        if before != entry.index:
            self.breach("enrols a second key for one person and month", OVERSIGHT, world, entry, before)

    def how(self, world: World, end: End) -> str:
        del world, end
        return f"{count(self.checked, 'enrolment')} opened and compared. Nobody is named here."
