"""The keys of a month died when nothing of that month had to be opened any more."""

from __future__ import annotations

from functools import lru_cache

from watchglass.core.time import HOUR, iso, month_of
from watchglass.evidence.subsets import can_still_open
from watchglass.oversight import tolerances
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import CUSTODIAN, Promise, count
from watchglass.oversight.promises.releases import subsets_of
from watchglass.oversight.world import End, World


@lru_cache(maxsize=4_096)
def _month(hour: int) -> str:
    return month_of(hour * HOUR)


class MonthKeys(Promise):
    name = "month-keys"
    title = "So many custodians destroyed their keys of a past month that nobody can open its originals any more."
    acts = frozenset({"segment_sealed", "sealing_key_published", "period_destroyed", "hold_ordered", "hold_lifted"})
    keeps = ("published", "destroyed", "months", "holds")
    waits = True

    def __init__(self) -> None:
        super().__init__()
        self.published: dict[tuple[str, str], int] = {}
        """(month, custodian) to the entry."""
        self.destroyed: dict[str, set[str]] = {}
        """Month to custodians."""
        self.months: dict[str, tuple[int, bytes, int]] = {}
        """Months in which something was sealed: until when the last of it is kept, its charter, and its entry."""
        self.holds: set[int] = set()

    def see(self, entry: Entry, world: World) -> None:
        clear = entry.clear
        match entry.act:
            case "segment_sealed":
                self._sealed(entry, world)
            case "sealing_key_published":
                self.checked += 1
                before = self.published.setdefault((clear["period"], clear["custodian"]), entry.index)
                if before != entry.index:
                    self.breach("publishes a second key for a month", CUSTODIAN, world, entry, before)
            case "period_destroyed":
                if (clear["period"], clear["custodian"]) not in self.published:
                    self.breach("destroys a key that was never published", CUSTODIAN, world, entry)
                self.destroyed.setdefault(clear["period"], set()).add(clear["custodian"])
            case "hold_ordered":
                self.holds.add(entry.index)
            case _:
                index = world.references.index(entry.refs[0], "hold_ordered")
                self.holds.discard(-1 if index is None else index)

    def _sealed(self, entry: Entry, world: World) -> None:
        known = world.under(entry)
        keep = known.charter.safeguards.retention.sealed_ms if known is not None else None
        month = _month(entry.hour)
        if keep is None or entry.charter is None or _month(entry.hour - 1) != month:
            return  # a piece of a month's first hour may be of the month before
        until = entry.ends_ms + keep
        if until > self.months.get(month, (0, b"", 0))[0]:
            self.months[month] = (until, entry.charter, entry.index)

    def ends(self, world: World, end: End) -> None:
        if self.holds:
            return
        settled = end.at_ms - world.charters.merge_within() - tolerances.CUSTODIANS_TAKE
        for month, (until, charter, index) in self.months.items():
            if until > settled or month >= month_of(settled):
                continue
            sets = subsets_of(world.charters.by_hash[charter].charter)
            gone = self.destroyed.get(month, set())
            if can_still_open(sets, gone):
                self.breach(
                    f"is the last original of {month}; nothing of that month had to be kept after {iso(until)}, and "
                    "custodians who can open it still have their keys",
                    "The custodians, whose office it is, can answer for it.",
                    world,
                    index,
                    *(place for (of, name), place in self.published.items() if of == month and name not in gone),
                    hour=(until - 1) // HOUR,
                )

    def unseen(self, world: World, end: End) -> str | None:
        settled = end.at_ms - world.charters.merge_within() - tolerances.CUSTODIANS_TAKE
        if self.holds and any(until <= settled for until, _, _ in self.months.values()):
            return "An order to keep stands, and what it keeps is sealed; so nobody can tell which keys it needs."
        return None

    def how(self, world: World, end: End) -> str:
        del world, end
        gone = sum(map(len, self.destroyed.values()))
        return (
            f"{count(self.checked, 'month key')} published, {gone:,} destroyed; originals were sealed in "
            f"{count(len(self.months), 'month')}. A month is over when no permitted set of custodians is left. That a "
            "key was destroyed is each custodian's signed word."
        )
