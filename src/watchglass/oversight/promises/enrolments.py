"""Oversight enrols a key once, for one role and one month that is not over."""

from __future__ import annotations

from watchglass.core.time import HOUR, month_of
from watchglass.oversight import tolerances
from watchglass.oversight.charters import key_of
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OVERSIGHT, Promise, count
from watchglass.oversight.world import End, World


class Enrolments(Promise):
    name = "enrolments"
    title = "A key was enrolled once, for one role and one month that was not over."
    acts = frozenset({"key_enrolled"})
    keeps = ("known",)

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[bytes, int] = {}

    def see(self, entry: Entry, world: World) -> None:
        self.checked += 1
        public = key_of(entry.clear["vkey"]).public
        before = self.known.setdefault(public, entry.index)
        if before != entry.index:
            self.breach("enrols a key that was enrolled before", OVERSIGHT, world, entry, before)
        elif entry.clear["month"] < month_of(entry.begins_ms - tolerances.SIGNER_HOURS * HOUR):
            self.breach("enrols a key for a month that was over", OVERSIGHT, world, entry)

    def how(self, world: World, end: End) -> str:
        del world, end
        return f"{count(self.checked, 'enrolment')} compared with each other. Whose keys they are is sealed."
