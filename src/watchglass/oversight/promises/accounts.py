"""Each act of a person names, for oversight, who it was and which rules of access let them."""

from __future__ import annotations

from typing import Final

from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World
from watchglass.records.act_spec import ALLOWED_BY, HOUSE, Basis
from watchglass.records.vocabulary import ACTS

_BY_PEOPLE: Final = frozenset(
    name for name, spec in ACTS.items() if spec.basis is Basis.ATTESTED and ALLOWED_BY in spec.committed
)


class Accounts(Promise):
    name = "accounts"
    title = "Every act of a person names, for oversight, who it was and which rules of access let them."
    depth = "openings"
    acts = _BY_PEOPLE

    def see(self, entry: Entry, world: World) -> None:
        if entry.role in HOUSE:
            return
        values = world.opened(entry)
        if values is None:
            return
        self.checked += 1
        allowed = values.get(ALLOWED_BY, _OLD)
        if allowed is None or (allowed is not _OLD and not allowed["rules"]):
            self.breach(
                f"('{entry.act}') was done by a person, and names no rule that let them", OPERATOR, world, entry
            )
        elif "account" in values and not values["account"]:
            self.breach(f"('{entry.act}') was done by a person, and does not name whom", OPERATOR, world, entry)

    def how(self, world: World, end: End) -> str:
        del world, end
        return f"{count(self.checked, 'act')} of people opened: an account and at least one rule each."


_OLD: Final = object()
"""A record of a version that did not say it yet."""
