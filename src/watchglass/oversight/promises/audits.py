"""An audit that oversight published is one of this log, and says no better than this one found then."""

from __future__ import annotations

from watchglass.core.digest import unb64
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OVERSIGHT, Promise, count
from watchglass.oversight.report import State
from watchglass.oversight.world import End, World


class PublishedAudits(Promise):
    name = "audits"
    title = "What oversight published about earlier audits agrees with what this one finds."
    acts = frozenset({"audit_published"})

    def see(self, entry: Entry, world: World) -> None:
        self.checked += 1
        clear = entry.clear
        size = clear["size"]
        if size > entry.index:
            self.breach("is an audit of more entries than there were", OVERSIGHT, world, entry)
            return
        if world.hashes.root(size) != unb64(clear["root"]):
            self.breach(f"is an audit of {size} other entries than these", OVERSIGHT, world, entry)
            return
        said = [name for name, state in clear["found"].items() if state == State.KEPT.value]
        broken = sorted(set(said).intersection(world.judged(size)))
        if broken:
            names = ", ".join(f"'{name}'" for name in broken)
            self.breach(
                f"says of the first {size} entries that {names} {'was' if len(broken) == 1 else 'were'} kept, and it "
                f"was broken already",
                OVERSIGHT,
                world,
                entry,
            )

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.checked, 'published audit')} compared: the root at that size, and no promise called kept "
            "that was broken by then."
        )
