"""A year begins with what an audit remembers of the entries before it, which anybody who has them can make again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from watchglass.core.digest import unb64
from watchglass.core.time import month_of
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, OVERSIGHT, Promise, count
from watchglass.oversight.report import TakenOver
from watchglass.oversight.world import End, World

_MOST: Final = 64
"""Years that are made again: each takes as long as an audit of it."""
_AUDITS: Final = 512
"""Published audits that a year may rest on: the newest."""


class Years(Promise):
    name = "years"
    title = "Each year of the log began with what an audit of all before it remembers, as witnesses had seen it."
    acts = frozenset({"year_began", "audit_published"})
    keeps = ("began", "audits", "uncompared", "others")

    def __init__(self) -> None:
        super().__init__()
        self.began: list[tuple[int, int, int, bytes, str]] = []
        """Entry, year, size, the state's hash, and the key (hex) that signed the audit, or ""."""
        self.audits: dict[bytes, tuple[int, int, str, str | None, bytes]] = {}
        """Of published audits by leaf hash: entry, size, root, the state's hash, and the public key that signed it."""
        self.uncompared: list[int] = []
        """Entries with a state that nobody here could make again."""
        self.others: list[tuple[int, str]] = []
        """Likewise because rules of another form made it, and which."""

    def see(self, entry: Entry, world: World) -> None:
        if entry.act == "audit_published":
            self._audit(entry)
            return
        self.checked += 1
        clear = entry.clear
        year, size, state = clear["year"], clear["size"], unb64(clear["state"])
        wrong, other = self._misplaced(entry, world)
        if wrong:
            self.breach(wrong, OPERATOR, world, entry, *other)
            return
        if size > world.times.covered and (world.times.marks or world.given.policy is None):
            what = f"begins a year at {size} entries, and no witness had seen so many in the log"
            self.breach(what, OPERATOR, world, entry)
        signer = self._rests_on(entry, world)
        self._state(entry, size, state, signed=bool(signer), world=world)
        self.began.append((entry.index, year, size, state, signer))

    def _audit(self, entry: Entry) -> None:
        clear, signature = entry.clear, entry.leaf.signature
        assert signature is not None
        said = (entry.index, clear["size"], clear["root"], clear.get("state"), signature.key.public)
        self.audits.setdefault(entry.hash, said)
        if len(self.audits) > _AUDITS:
            del self.audits[min(self.audits, key=lambda each: self.audits[each][0])]

    def _misplaced(self, entry: Entry, world: World) -> tuple[str, tuple[int, ...]]:
        year, size = entry.clear["year"], entry.clear["size"]
        told = month_of(entry.begins_ms)[:4]
        if told != str(year):
            return f"says in {told} that {year} begins", ()
        if self.began and self.began[-1][1] >= year:
            return f"says that {year} begins, and {self.began[-1][1]} had begun before", (self.began[-1][0],)
        if size > entry.index:
            return "begins a year after more entries than there were", ()
        if self.began and self.began[-1][2] > size:
            return "begins a year before the one before it", (self.began[-1][0],)
        if world.hashes.root(size) != unb64(entry.clear["root"]):
            return f"begins a year after {size} other entries than these", ()
        return "", ()

    def _rests_on(self, entry: Entry, world: World) -> str:
        """Whoever signed the audit that a year is said to rest on, as hex of the key; empty where nobody did."""
        clear = entry.clear
        if clear["audit"] is None:
            return ""
        found = self.audits.get(unb64(clear["audit"]))
        if found is None:
            what = "rests on an audit that oversight did not sign, or none that the log holds before it"
            self.breach(what, OPERATOR, world, entry)
            return ""
        index, size, root, state, public = found
        if (size, root) != (clear["size"], clear["root"]):
            self.breach("rests on an audit of another size, or of other entries", OPERATOR, world, entry, index)
        elif state != clear["state"]:
            self.breach("rests on an audit that signs no such state", OPERATOR, world, entry, index)
        else:
            return public.hex()
        return ""

    def _state(self, entry: Entry, size: int, state: bytes, *, signed: bool, world: World) -> None:
        if entry.clear["form"] != world.form:
            self.others.append((entry.index, entry.clear["form"]))
            return
        made = world.remake(size) if self.checked <= _MOST else None
        if made is None:
            self.uncompared.append(entry.index)
        elif made != state:
            self.breach(
                f"begins a year with another state than an audit of the first {size} entries remembers: whoever begins "
                "there would be told another past",
                f"{OPERATOR} {OVERSIGHT}" if signed else OPERATOR,
                world,
                entry,
            )

    def taken_over(self, world: World) -> TakenOver | None:
        """What this audit did not read, and on whose word; None: nothing, or no record says that a year began so."""
        begun, pinned = world.begun, world.given.oversight
        if begun is None:
            return None
        for _, year, size, state, signer in self.began:
            if (year, size, state) == (begun.year, begun.size, begun.state):
                if not signer:
                    return TakenOver(year, size, state, "operator")
                known = pinned is not None and pinned.public.hex() == signer
                return TakenOver(year, size, state, "oversight" if known else "named")
        return None

    def sound(self, most: int) -> Iterator[tuple[int, int, bytes]]:
        """Years whose states were compared, or taken over: (year, size, hash), the newest first, up to a size."""
        doubted = {*self.uncompared, *(index for index, _ in self.others), *(each.entries[0] for each in self.breaches)}
        for index, year, size, state, _ in reversed(self.began):
            if index not in doubted and size <= most:
                yield year, size, state

    def unseen(self, world: World, end: End) -> str | None:
        del end
        if self.checked and not world.times.marks:
            return "A year began, and the log records no checkpoint that a known witness cosigned, so nobody can tell."
        if self.others:
            index, form = self.others[0]
            return (
                f"Entry {index} begins a year with a state that was made by rules of the form {form}, and this version "
                f"has {world.form}. Audit with the version of Watchglass that made it."
            )
        if self.uncompared and (world.begun is None or self.uncompared[-1] >= world.begun.size):
            return (
                f"{count(len(self.uncompared), 'state')} with which a year began could not be made again: what comes "
                "before was not read here, or there are too many. An audit from the start compares them."
            )
        return None

    def how(self, world: World, end: End) -> str:
        del end
        if not self.checked:
            return "No year has begun since the log did."
        told = f"{count(self.checked, 'year')} began"
        if world.begun is not None:
            return f"{told}. This audit began with {world.begun.year}: what that took over was not made again."
        again = "its state was" if self.checked == 1 else "their states were"
        return f"{told}; {again} made again from the entries and compared."
