"""What discloses, and what lets things run again, waited until witnesses had seen it."""

from __future__ import annotations

from typing import Final

from watchglass.charter.model import EVERYTHING
from watchglass.oversight import tolerances
from watchglass.oversight.acts import WHILE_IN_FORCE
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import CUSTODIAN, OPERATOR, Promise, count
from watchglass.oversight.world import End, World

_AFTER: Final = {
    "release_approved": ("release_requested", "approves a request", CUSTODIAN),
    "release_granted": ("release_requested", "grants a request", OPERATOR),
    "release_taken": ("release_granted", "takes what was granted", OPERATOR),
}


class Disclosed(Promise):
    name = "disclosed-after-witnesses"
    title = "A charter, a release and the end of a suspension took effect only once witnesses had seen them."
    acts = frozenset(_AFTER) | WHILE_IN_FORCE
    keeps = ("charters", "begun")

    def __init__(self) -> None:
        super().__init__()
        self.charters: set[bytes] = set()
        """Those under which something ran."""
        self.begun: set[int] = set()
        """Orders whose lifting was looked at."""

    def see(self, entry: Entry, world: World) -> None:
        if world.trial:
            return
        waits = _AFTER.get(entry.act)
        if waits is not None:
            act, what, by = waits
            index = world.references.index(entry.refs[0], act)
            if index is not None:
                self._seen(index, f"{what} before any witness had seen it in the log", by, entry, world)
        if entry.act in WHILE_IN_FORCE and entry.charter is not None and entry.charter not in self.charters:
            known = world.under(entry)
            if known is not None:
                self.charters.add(entry.charter)
                what = f"('{entry.act}') was done under a charter before any witness had seen that both approved it"
                self._seen(known.index, what, OPERATOR, entry, world)
        if entry.act == "alert_raised" and world.orders.by_index:
            self._again(entry, world)

    def _again(self, entry: Entry, world: World) -> None:
        """The first alert in an hour that is surely after a lifting: by then witnesses must have seen it."""
        for scope in (EVERYTHING, entry.clear["analytic"]):
            for order in world.orders.by_scope.get(scope, ())[-1:]:
                if order.lifted_at is None or order.lift_hour is None or order.index in self.begun:
                    continue
                if entry.hour > order.lift_hour + tolerances.SIGNER_HOURS:
                    self.begun.add(order.index)
                    what = (
                        f"is an alert of '{entry.clear['analytic']}' before any witness had seen that it may run again"
                    )
                    self._seen(order.lifted_at, what, OPERATOR, entry, world)

    def _seen(self, index: int, what: str, by: str, entry: Entry, world: World) -> None:
        self.checked += 1
        if world.times.covered <= index and world.times.marks:
            self.breach(what, by, world, entry, index)

    def unseen(self, world: World, end: End) -> str | None:
        del end
        if world.trial:
            return "A trial waits for no witness."
        if not world.times.marks and self.checked:
            return (
                "The log records no checkpoint that known witnesses cosigned, so nobody can tell what came before it."
            )
        return None

    def how(self, world: World, end: End) -> str:
        del end
        return (
            f"{count(self.checked, 'act')} that had to wait; before each the log records a checkpoint, cosigned by "
            f"known witnesses, that covers what it waited for ({count(world.times.marks, 'such record')} in all)."
        )
