"""What an entry refers to is there, came before it, and is what it says."""

from __future__ import annotations

from typing import Final

from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.report import MOST_BREACHES
from watchglass.oversight.world import End, World
from watchglass.records.vocabulary import ACTS

_WANTED: Final = {name: spec.refs_to for name, spec in ACTS.items() if spec.refs_to}


class Refs(Promise):
    name = "refs"
    title = "What a record refers to came before it, and is the act that it names."
    acts = frozenset(_WANTED)

    def see(self, entry: Entry, world: World) -> None:
        for ref, wanted in zip(entry.refs, _WANTED[entry.act], strict=True):
            self.checked += 1
            found = world.references.find(ref)
            if found is not None and found[1] == wanted:
                continue
            if found is not None:
                what = f"refers to entry {found[0]} as '{wanted}', and that is '{found[1]}'"
                self.breach(what, OPERATOR, world, entry, found[0])
                continue
            index = world.hashes.find(ref) if self.total < MOST_BREACHES else None
            if index is None or index == entry.index:
                self.breach(f"refers to a '{wanted}' that the log does not hold before it", OPERATOR, world, entry)
            else:
                self.breach(f"refers to entry {index} as '{wanted}', which it is not", OPERATOR, world, entry, index)

    def how(self, world: World, end: End) -> str:
        del world, end
        return f"{count(self.checked, 'reference')} looked up by leaf hash among the entries before."
