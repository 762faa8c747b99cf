"""Every entry is a record of the published vocabulary, in the one form that its bytes can have."""

from __future__ import annotations

from watchglass.core.errors import BadInput
from watchglass.ledger.policy import Deployment
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World


class WellFormed(Promise):
    name = "well-formed"
    title = "Every entry is a record of the published vocabulary, exactly as it is written there."
    acts = frozenset({"log_opened"})

    def bad(self, index: int, error: Exception, world: World) -> None:
        """An entry could not be read."""
        self.checked += 1
        why = error.message if isinstance(error, BadInput) else "Its bytes cannot be read."
        self.breach(f"is not a record: {why.rstrip('.')}", OPERATOR, world, index)

    def good(self) -> None:
        """An entry could be read."""
        self.checked += 1

    def see(self, entry: Entry, world: World) -> None:
        if entry.index:
            self.breach("says that the log begins, which only entry 0 may", OPERATOR, world, entry)
        elif entry.clear["origin"] != world.origin:
            self.breach(f"begins another log than {world.origin}", OPERATOR, world, entry)
        elif entry.clear["deployment"] != Deployment.of(world.origin).value:
            self.breach(
                f"calls this a {entry.clear['deployment']} deployment, and its name says {world.deployment.value}",
                OPERATOR,
                world,
                entry,
            )

    def begins_otherwise(self, world: World) -> None:
        """Entry 0 is something else than the log's beginning."""
        self.breach("is not the record that a log begins with", OPERATOR, world, 0)

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.checked, 'entry', 'entries')} read strictly: known act, every field there and of its type, "
            "canonical bytes, the log's beginning in entry 0 and nowhere else."
        )
