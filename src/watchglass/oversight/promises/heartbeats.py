"""Heartbeats follow each other without a break in their chain."""

from __future__ import annotations

from watchglass.core.digest import b64
from watchglass.core.time import HOUR, SECOND
from watchglass.oversight import tolerances
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World


class Heartbeats(Promise):
    name = "heartbeats"
    title = "Every recorder's heartbeats follow each other, each naming the one before it, and none tells a time twice."
    acts = frozenset({"heartbeat"})
    keeps = ("last",)

    def __init__(self) -> None:
        super().__init__()
        self.last: dict[str, tuple[int, str, int, int]] = {}
        """Of each source the last beat: sequence, leaf hash in base64, end of its interval (seconds), index."""

    def see(self, entry: Entry, world: World) -> None:
        self.checked += 1
        clear = entry.clear
        source, sequence, begin, end = clear["source"], clear["sequence"], clear["from_s"], clear["to_s"]
        last = self.last.get(source)
        self.last[source] = (sequence, b64(entry.hash), end, entry.index)
        before = () if last is None else (last[3],)
        wrong = self._unchained(entry, last) or self._not_whole(entry, world)
        if not wrong and last is not None and begin < last[2]:
            wrong = "tells a time that the one before it told already"
        if wrong:
            self.breach(f"is a heartbeat of '{source}' that {wrong}", OPERATOR, world, entry, *before)

    def _unchained(self, entry: Entry, last: tuple[int, str, int, int] | None) -> str:
        sequence, previous = entry.clear["sequence"], entry.clear["previous"]
        if last is None:
            return "" if previous is None and sequence == 0 else "should be the first, and names one before it"
        if previous != last[1]:
            return "does not name the one before it"
        return "" if sequence == last[0] + 1 else "is not counted on from the one before it"

    def _not_whole(self, entry: Entry, world: World) -> str:
        begin, end = entry.clear["from_s"], entry.clear["to_s"]
        if begin >= end:
            return "is of no time at all"
        known = world.under(entry)
        every = known.charter.ledger.heartbeat_every_ms if known is not None else None
        if every is not None and (end - begin) * SECOND > every + tolerances.BEAT_LATE:
            return "is of a longer time than the charter lets one be"
        slack = tolerances.SIGNER_HOURS * HOUR
        if not entry.begins_ms - slack <= end * SECOND <= entry.ends_ms + slack:
            return "names another hour than its interval"
        return ""

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.checked, 'heartbeat')} of {count(len(self.last), 'source')} walked in their chains: "
            "sequence, the one before, whole intervals that do not overlap, each signed with the key that was named "
            "for its run."
        )
