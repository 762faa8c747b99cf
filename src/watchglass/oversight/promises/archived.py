"""What is no longer served was announced, and either oversight had audited it or everybody had time to copy it."""

from __future__ import annotations

from typing import Final

from watchglass.core.digest import unb64
from watchglass.ledger.tiles import FULL
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World

_GRACE_H: Final = 90 * 24
"""Hours between the record that a year began and one that what was before it is archived, where nobody audited it."""


class ArchivedEntries(Promise):
    name = "archived"
    title = "Entries are archived only from before a year that began, after an audit by oversight or ninety days."
    acts = frozenset({"entries_archived", "year_began", "audit_published"})
    keeps = ("years", "audited", "before")

    def __init__(self) -> None:
        super().__init__()
        self.years: dict[bytes, tuple[int, int, int, int]] = {}
        """Of records that a year began, by leaf hash: entry, hour, year, size."""
        self.audited = 0
        """The most entries that an audit which oversight published covers."""
        self.before = 0
        """The first entry that is still served, by the newest record."""

    def see(self, entry: Entry, world: World) -> None:
        clear = entry.clear
        if entry.act == "audit_published":
            size = clear["size"]
            if self.audited < size <= entry.index and world.hashes.root(size) == unb64(clear["root"]):
                self.audited = size
        elif entry.act == "year_began":
            self.years[entry.hash] = (entry.index, entry.hour, clear["year"], clear["size"])
        else:
            self.checked += 1
            self._archived(entry, world)

    def _archived(self, entry: Entry, world: World) -> None:
        found = self.years.get(entry.refs[0]) if entry.refs else None
        if found is None:
            self.breach("archives entries from before a year that never began here", OPERATOR, world, entry)
            return
        index, hour, year, size = found
        before, told = entry.clear["before"], entry.clear["year"]
        if told != year or before > size or before % FULL:
            self.breach(f"archives other entries than those from before {year}", OPERATOR, world, entry, index)
        elif before <= self.before:
            self.breach("archives entries that were archived already", OPERATOR, world, entry, index)
        elif index >= world.times.covered and (world.times.marks or world.given.policy is None):
            what = f"archives entries from before {year}, which no witness had seen to begin"
            self.breach(what, OPERATOR, world, entry, index)
        elif self.audited < size and entry.hour - hour < _GRACE_H:
            what = (
                f"archives entries from before {year} which oversight had published no audit of, before everybody had "
                "ninety days to copy them"
            )
            self.breach(what, OPERATOR, world, entry, index)
        self.before = max(self.before, before)

    def unseen(self, world: World, end: End) -> str | None:
        del end
        if self.checked and not world.times.marks:
            return (
                "Entries are archived, and the log records no checkpoint that a known witness cosigned, so nobody can "
                "tell whether any had seen their year begin."
            )
        return None

    def how(self, world: World, end: End) -> str:
        del world, end
        if not self.checked:
            return "The log has archived nothing: all its entries are served."
        return (
            f"{count(self.checked, 'record')} of archived entries compared with the years that began, with witnesses, "
            f"and with what oversight had audited by then. The entries before {self.before:,} are no longer served."
        )
