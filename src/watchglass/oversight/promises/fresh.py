"""Nothing ran for longer than the charter lets it without a fresh cosignature."""

from __future__ import annotations

from watchglass.charter.phrases import duration
from watchglass.core.time import SECOND
from watchglass.oversight import tolerances
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World


class Fresh(Promise):
    name = "fresh-witnesses"
    title = "Nothing ran for longer than the charter lets it without witnesses having seen the log anew."
    acts = frozenset({"heartbeat"})
    keeps = ("promised",)

    def __init__(self) -> None:
        super().__init__()
        self.promised = False

    def see(self, entry: Entry, world: World) -> None:
        known = world.under(entry)
        ledger = known.charter.ledger if known is not None else None
        if known is None or ledger is None or ledger.witnessed_within_ms is None or world.trial:
            return
        self.promised = True
        if not entry.clear["running"]:
            return
        self.checked += 1
        begin, last = entry.clear["from_s"] * SECOND, world.times.after_ms
        allowed = ledger.witnessed_within_ms + ledger.checkpoint_every_ms + tolerances.CLOCKS_APART
        if last and begin > last + allowed:
            self.breach(
                f"says that something ran {duration(begin - last)} after witnesses had last seen the log, and the "
                f"charter lets it run {duration(ledger.witnessed_within_ms)}",
                OPERATOR,
                world,
                entry,
                known.index,
            )

    def unseen(self, world: World, end: End) -> str | None:
        del end
        if not self.promised:
            return "No charter of this log says how long anything may run unseen, or no heartbeat says what ran."
        if not world.times.marks:
            return "The log records no checkpoint that known witnesses cosigned."
        return None

    def how(self, world: World, end: End) -> str:
        del end
        return (
            f"{count(self.checked, 'heartbeat')} of something that ran laid beside "
            f"{count(world.times.marks, 'cosigned checkpoint')} that the log records. How soon a cosignature is "
            "recorded is allowed for."
        )
