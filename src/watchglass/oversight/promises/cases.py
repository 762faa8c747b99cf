"""Originals were asked for only within an open case that has a legal authority."""

from __future__ import annotations

from typing import Any

from watchglass.core.digest import unb64
from watchglass.core.time import MINUTE, iso
from watchglass.oversight import tolerances
from watchglass.oversight.charters import key_of
from watchglass.oversight.entry import Entry
from watchglass.oversight.minutes import minute_ms
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World


class Cases(Promise):
    name = "cases"
    title = "Originals were asked for only within an open case that rests on a legal authority."
    depth = "openings"
    acts = frozenset({"key_enrolled", "case_opened", "case_closed", "release_requested"})
    keeps = ("cases", "asked", "people")

    def __init__(self) -> None:
        super().__init__()
        self.cases: dict[int, tuple[str, str, int, str | None, str | None, int | None]] = {}
        """By index: the case's id, its key, its end, its purpose, whose it is, and the entry that closed it."""
        self.asked = 0
        self.people: dict[bytes, str] = {}
        """Whom oversight enrolled a key for."""

    def _person(self, entry: Entry) -> str | None:
        signature = entry.leaf.signature
        return None if signature is None else self.people.get(signature.key.public)

    def see(self, entry: Entry, world: World) -> None:
        values = world.opened(entry)
        if values is None:
            return
        if entry.act == "key_enrolled":
            self.people.setdefault(key_of(entry.clear["vkey"]).public, values["person"])
            return
        if entry.act == "case_opened":
            self.checked += 1
            number, key, until = values["case"], values["case_key"], values["until_ms"]
            self.cases[entry.index] = (number, key, until, entry.purpose, self._person(entry), None)
            if not values["authority"].strip():
                self.breach("opens a case without a legal authority", OPERATOR, world, entry)
            return
        index = world.references.index(unb64(values["opened"]), "case_opened")
        case = self.cases.get(-1 if index is None else index)
        if entry.act == "case_closed":
            if index is not None and case is not None:
                self.cases[index] = (*case[:5], entry.index)
            return
        self.asked += 1
        wrong, others = self._wrong(entry, values, case, index, world)
        if wrong:
            self.breach(f"asks for originals {wrong}", OPERATOR, world, entry, *others)

    def _wrong(  # noqa: PLR0911  (a case for each thing that can be wrong)
        self,
        entry: Entry,
        values: dict[str, Any],
        case: tuple[str, str, int, str | None, str | None, int | None] | None,
        index: int | None,
        world: World,
    ) -> tuple[str, tuple[int, ...]]:
        if index is None:
            return "in a case that nobody opened", ()
        if case is None:
            return "", ()  # its opening is gone
        number, key, until, purpose, whose, closed = case
        asker = self._person(entry)
        if values["case"] != number:
            return "in another case than the one that it refers to", (index,)
        if whose is not None and asker is not None and asker != whose:
            return "in a case that another person opened", (index,)
        if closed is not None:
            return "in a case that was closed", (closed, index)
        if minute_ms(values["minute"]) >= until + MINUTE + tolerances.MOMENT:
            return f"in a case that ran out at {iso(until)}", (index,)
        if entry.purpose != purpose:
            return "for another purpose than its case's", (index,)
        if values["recipient"] != key and not world.trial:
            return "to be sealed to another key than its case's", (index,)
        return "", ()

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.asked, 'request')} laid beside {count(self.checked, 'case')}: open then, for that purpose, "
            "with that key. Whether a legal authority is a good one is for people to judge."
        )
