"""The log is one: all its entries lead to the checkpoint, and every checkpoint that witnesses saw lies on the way."""

from __future__ import annotations

from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.times import Seen
from watchglass.oversight.world import End, World


class Intact(Promise):
    name = "intact"
    title = "Nothing in the log was changed, taken away or told differently to others."
    acts = frozenset({"checkpoint_witnessed"})
    keeps = ("noted",)

    def __init__(self) -> None:
        super().__init__()
        self.noted = 0

    def see(self, entry: Entry, world: World) -> None:
        self.noted += 1
        note = world.note
        if not isinstance(note, Seen):
            why = note.message.rstrip(".") if note else "it cannot be read"
            self.breach(f"should record a checkpoint and does not: {why}", OPERATOR, world, entry)
        elif note.checkpoint.origin != world.origin:
            self.breach(f"records a checkpoint of another log than {world.origin}", OPERATOR, world, entry)
        elif note.checkpoint.size > entry.index:
            self.breach("records a checkpoint of more entries than were there", OPERATOR, world, entry)
        elif not world.note_fits:
            whose = "that witnesses cosigned" if note.times else "that no known witness cosigned"
            size = note.checkpoint.size
            self.breach(
                f"records a checkpoint of {size} entries {whose}, and the first {size} entries here are others: the "
                "past was rewritten, or the log forked",
                OPERATOR,
                world,
                entry,
            )

    def replaced(self, index: int, world: World) -> None:
        """An entry that was read before is another one now."""
        self.breach("is another one than when this log was audited before", OPERATOR, world, index)

    def ends(self, world: World, end: End) -> None:
        self.checked = world.size
        if end.checkpoint.origin != world.origin:
            self.breach(
                f"is of {end.checkpoint.origin}, not of {world.origin}", OPERATOR, world, instead="The checkpoint"
            )
        elif end.checkpoint.size != world.size:
            self.breach(
                f"is of {end.checkpoint.size} entries, and {world.size} were read",
                OPERATOR,
                world,
                instead="The checkpoint",
            )
        elif world.hashes.root(world.size) != end.checkpoint.root:
            self.breach("is of other entries than these", OPERATOR, world, instead="The checkpoint")

    def how(self, world: World, end: End) -> str:
        del end
        return (
            f"The tree over {count(world.size, 'entry', 'entries')} was made again and compared with the checkpoint, "
            f"and with {count(self.noted, 'earlier checkpoint')} that the log itself records."
        )
