"""A source is called degraded by a condition that its charter states, once, until it meets it again.

From the public ledger alone. Whether alerts say so too takes openings (``promises.conditions_told``).
"""

from __future__ import annotations

from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World
from watchglass.quality.conditions import stated_by


class SourceConditions(Promise):
    name = "conditions"
    title = "Every source that was called degraded failed a condition of its charter, once until it met it again."
    acts = frozenset({"source_degraded", "source_recovered"})
    keeps = ("open", "begun")

    def __init__(self) -> None:
        super().__init__()
        self.open: dict[tuple[str, str], int] = {}
        """What is not met now: (source, condition) to the index of the entry that says so."""
        self.begun = 0

    def see(self, entry: Entry, world: World) -> None:
        self.checked += 1
        if entry.act == "source_degraded":
            self._degraded(entry, world)
        else:
            self._recovered(entry, world)

    def _degraded(self, entry: Entry, world: World) -> None:
        source, condition = entry.clear["source"], entry.clear["condition"]
        self.begun += 1
        if _stated(entry, world) is False:
            what = f"calls '{source}' degraded by a condition ('{condition}') that its charter does not state for it"
            self.breach(what, OPERATOR, world, entry)
        before = self.open.setdefault((source, condition), entry.index)
        if before != entry.index:
            what = f"calls '{source}' degraded ('{condition}') when it was so already"
            self.breach(what, OPERATOR, world, entry, before)

    def _recovered(self, entry: Entry, world: World) -> None:
        source, condition = entry.clear["source"], entry.clear["condition"]
        if entry.clear["because"] == "charter" and _stated(entry, world):
            what = f"says of '{source}' that its charter states a condition ('{condition}') no longer, and it does"
            self.breach(what, OPERATOR, world, entry)
        index = world.references.index(entry.refs[0], "source_degraded")
        if index is None:  # which is another promise's
            self.open.pop((source, condition), None)
        elif self.open.get((source, condition)) == index:
            del self.open[source, condition]
        else:
            what = f"says that '{source}' is no longer degraded ('{condition}'), and it was not by what it refers to"
            self.breach(what, OPERATOR, world, entry, index)

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.begun, 'time')} a source was called degraded, each laid against the conditions of the "
            f"charter that it names; {len(self.open):,} of them not over at the end of the log. How its pictures "
            "really were is the operator's word."
        )


def _stated(entry: Entry, world: World) -> bool | None:
    """Whether the charter of an entry states its condition; None where it has no such source, or cannot be read."""
    known = world.under(entry)
    source = entry.clear["source"]
    if known is None or source not in known.sources:
        return None
    return stated_by(known.charter.source(source).conditions, entry.clear["condition"])
