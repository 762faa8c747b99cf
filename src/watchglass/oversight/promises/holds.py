"""What an order keeps was not made unreadable: custodians sealed their shares anew before they destroyed their keys."""

from __future__ import annotations

from typing import Any

from watchglass.core.time import MINUTE, month_of
from watchglass.oversight.entry import Entry
from watchglass.oversight.minutes import minute_ms
from watchglass.oversight.promises.promise import CUSTODIAN, Promise, count
from watchglass.oversight.promises.releases import custodian_of, subsets_of
from watchglass.oversight.world import End, World

Piece = tuple[int, int, int]
"""Of a segment: from, to, and until when it is kept (ms)."""


class Holds(Promise):
    name = "holds"
    title = "No custodian destroyed the key of a month while an order keeps something that only it opens."
    depth = "openings"
    acts = frozenset({"segment_sealed", "hold_ordered", "hold_kept", "hold_lifted", "period_destroyed"})
    keeps = ("pieces", "holds", "destroyed", "room")

    def __init__(self) -> None:
        super().__init__()
        self.pieces: dict[str, list[Piece]] = {}
        self.room = 1_000
        """How many pieces of a source are kept before those whose time is over are dropped."""
        self.holds: dict[int, tuple[int, tuple[str, ...], set[str]]] = {}
        """By index: its end, the months whose keys it needs, and the custodians who sealed their shares anew."""
        self.destroyed = 0

    def see(self, entry: Entry, world: World) -> None:
        values = world.opened(entry)
        if values is None:
            return
        match entry.act:
            case "segment_sealed":
                self._sealed(entry, values, world)
            case "hold_ordered":
                self.checked += 1
                self.holds[entry.index] = (values["until_ms"], self._months(values), set())
            case "period_destroyed":
                self._destroyed(entry, values, world)
            case _:
                self._answered(entry, world)

    def _sealed(self, entry: Entry, values: dict[str, Any], world: World) -> None:
        known = world.under(entry)
        keep = known.charter.safeguards.retention.sealed_ms if known is not None else None
        if keep is None:
            return
        pieces = self.pieces.setdefault(values["source"], [])
        pieces.append((values["from_ms"], values["to_ms"], values["to_ms"] + keep))
        if len(pieces) > self.room:
            now = minute_ms(values["minute"])
            pieces[:] = [each for each in pieces if each[2] > now]
            self.room = max(self.room, 2 * len(pieces))

    def _months(self, values: dict[str, Any]) -> tuple[str, ...]:
        """The months of what it keeps: of the pieces that were there."""
        begin, end, now = values["from_ms"], values["to_ms"], minute_ms(values["minute"])
        pieces = self.pieces.get(values["source"], ())
        return tuple(sorted({month_of(a) for a, b, until in pieces if a < end and b > begin and until > now}))

    def _answered(self, entry: Entry, world: World) -> None:
        index = world.references.index(entry.refs[0], "hold_ordered")
        hold = self.holds.get(-1 if index is None else index)
        signature, known = entry.leaf.signature, world.under(entry)
        if index is None or hold is None or signature is None or known is None:
            return
        if entry.act == "hold_lifted":
            del self.holds[index]
            return
        name = custodian_of(known.charter, signature.key.public)
        if name is not None:
            hold[2].add(name)

    def _destroyed(self, entry: Entry, values: dict[str, Any], world: World) -> None:
        self.destroyed += 1
        name, month, known = entry.clear["custodian"], entry.clear["period"], world.under(entry)
        holders = {one for each in subsets_of(known.charter) for one in each} if known is not None else set()
        now = minute_ms(values["minute"]) + MINUTE
        for index, (until, months, kept) in self.holds.items():
            if until > now and month in months and name in holders and name not in kept:
                self.breach(
                    f"destroys the key of {month}, and an order keeps originals of that month for which this custodian "
                    "had not sealed the shares anew",
                    CUSTODIAN,
                    world,
                    entry,
                    index,
                )
                return

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.checked, 'order')} to keep laid beside {count(self.destroyed, 'destroyed key')} of months "
            "and what had been sealed in them."
        )
