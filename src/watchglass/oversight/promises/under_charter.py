"""Whatever was done was done under a charter that counted, on a day on which it held."""

from __future__ import annotations

from typing import Final

from watchglass.core.time import HOUR, SECOND
from watchglass.oversight import tolerances
from watchglass.oversight.acts import BY_THE_ONE_THAT_STANDS, WHILE_IN_FORCE
from watchglass.oversight.charters import Known
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World

_NOT_YET: Final = frozenset({"charter_published", "charter_approved"})
_BEAT: Final = "heartbeat"
_TAKEN_UP: Final = tolerances.CLOCKS_APART + tolerances.MOMENT
"""When a charter began to stand is a witness's time; what was done under the one before it is told by the house's."""


class UnderCharter(Promise):
    name = "under-charter"
    title = "Whatever was done was done under a charter that both had approved, on a day on which it held."
    acts = None
    keeps = ("unjudged",)

    def __init__(self) -> None:
        super().__init__()
        self.unjudged = 0

    def see(self, entry: Entry, world: World) -> None:
        if entry.charter is None:
            return
        self.checked += 1
        known = world.charters.by_hash.get(entry.charter)
        if known is None:
            self._unknown(entry, world)
            return
        act = entry.act
        if act == _BEAT:
            self._beat(entry, known, world)
            return
        if act in WHILE_IN_FORCE:
            self._in_force(entry, known, world)
        if known.over_ms is not None and act in BY_THE_ONE_THAT_STANDS:
            self._newest(entry, known, known.over_ms, world)

    def _unknown(self, entry: Entry, world: World) -> None:
        if entry.charter in world.charters.unread:
            self.unjudged += 1
        elif entry.act not in _NOT_YET:
            self.breach(
                f"('{entry.act}') was made under a charter that authority and oversight had not both approved by then",
                OPERATOR,
                world,
                entry,
            )

    def _in_force(self, entry: Entry, known: Known, world: World) -> None:
        slack = tolerances.SIGNER_HOURS * HOUR if entry.signed else tolerances.MOMENT
        if entry.ends_ms + slack <= known.begin_ms:
            self._breach(entry, f"before the first day of version {known.version}", known, world)
        elif entry.begins_ms - slack >= known.end_ms:
            self._breach(entry, f"after the last day of version {known.version}", known, world)

    def _newest(self, entry: Entry, known: Known, over_ms: int, world: World) -> None:
        slack = tolerances.SIGNER_HOURS * HOUR + tolerances.CLOCKS_APART if entry.signed else _TAKEN_UP
        if entry.begins_ms >= over_ms + slack:
            self._breach(entry, f"under version {known.version}, and a newer one stood already", known, world)

    def _beat(self, entry: Entry, known: Known, world: World) -> None:
        """A heartbeat says to the second when it began and ended."""
        if not entry.clear["running"]:
            return
        begin, end = entry.clear["from_s"] * SECOND, entry.clear["to_s"] * SECOND
        if end + tolerances.MOMENT <= known.begin_ms or begin - tolerances.MOMENT >= known.end_ms:
            self._breach(entry, f"outside the days of version {known.version}", known, world)
        elif known.over_ms is not None and begin >= known.over_ms + _TAKEN_UP:
            self._breach(entry, f"under version {known.version}, and a newer one stood already", known, world)

    def _breach(self, entry: Entry, when: str, known: Known, world: World) -> None:
        self.breach(f"('{entry.act}') was done {when}", OPERATOR, world, entry, known.index)

    def unseen(self, world: World, end: End) -> str | None:
        del world, end
        if not self.unjudged:
            return None
        return (
            f"{count(self.unjudged, 'entry', 'entries')} were made under a charter that this version cannot read. "
            "Audit with the version of Watchglass that published it."
        )

    def how(self, world: World, end: End) -> str:
        del end
        return (
            f"{count(self.checked, 'entry', 'entries')} compared with the "
            f"{count(len(world.charters.order), 'charter')} that count: each names one that was approved before "
            "it; what looks, runs, keeps or opens names one that held in that hour, and none that another had "
            "replaced."
        )
