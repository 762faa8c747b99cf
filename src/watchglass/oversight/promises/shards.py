"""A log that goes on from another says so once, in its second entry, under the other's cosigned end."""

from __future__ import annotations

from watchglass.core.errors import BadInput
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise
from watchglass.oversight.times import Seen, read_note
from watchglass.oversight.world import End, World


class Shards(Promise):
    name = "shards"
    title = "A log that goes on from the year before begins with that one's cosigned end."
    acts = frozenset({"shard_began"})
    keeps = ("before", "by")

    def __init__(self) -> None:
        super().__init__()
        self.before = ""
        self.by = 0

    def see(self, entry: Entry, world: World) -> None:
        self.checked += 1
        self.before = str(entry.clear["before"])
        if entry.index != 1:
            self.breach("says that this log goes on from another, which only entry 1 may", OPERATOR, world, entry)
            return
        try:
            seen = read_note(str(entry.clear["note"]).encode(), world.witness_keys())
        except BadInput as error:
            what = f"should hold the end of the log before, and does not: {error.message.rstrip('.')}"
            self.breach(what, OPERATOR, world, entry)
            return
        self._joins(entry, seen, world)

    def _joins(self, entry: Entry, seen: Seen, world: World) -> None:
        self.by = len(seen.times)
        if seen.checkpoint.origin != self.before or self.before == world.origin:
            self.breach(f"goes on from '{self.before}', and holds another log's end", OPERATOR, world, entry)
        elif seen.forged:
            self.breach("holds a cosignature that its witness's key did not make", OPERATOR, world, entry)
        elif not seen.times and world.given.policy is not None and world.given.policy.witnesses:
            self.breach("holds an end of the log before that no known witness cosigned", OPERATOR, world, entry)

    def how(self, world: World, end: End) -> str:
        del world, end
        if not self.checked:
            return "This log goes on from no other."
        return (
            f"It goes on from {self.before}, whose end {self.by} known witnesses had cosigned. That log is audited by "
            "itself; what it left open is compared in neither."
        )
