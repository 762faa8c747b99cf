"""What oversight made of signals of misuse, once for each."""

from __future__ import annotations

from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OVERSIGHT, Promise, count
from watchglass.oversight.world import End, World


class Settled(Promise):
    name = "misuse-settled"
    title = "What oversight made of a signal of misuse it said once, and it stays."
    depth = "openings"
    acts = frozenset({"misuse_signalled", "misuse_settled"})
    keeps = ("told", "settled")

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, int] = {}
        self.settled: dict[str, int] = {}

    def see(self, entry: Entry, world: World) -> None:
        values = world.opened(entry)
        if values is None:
            return
        self.checked += 1
        known = self.told if entry.act == "misuse_signalled" else self.settled
        before = known.setdefault(values["signal"], entry.index)
        if before != entry.index and known is self.settled:
            self.breach("settles a signal that was settled before", OVERSIGHT, world, entry, before)

    def how(self, world: World, end: End) -> str:
        del world, end
        waiting = len(self.told.keys() - self.settled.keys())
        return (
            f"{count(len(self.told), 'signal')} of misuse, {len(self.settled):,} settled, {waiting:,} waiting. No "
            "charter says how soon, so waiting is no breach; it shows here."
        )
