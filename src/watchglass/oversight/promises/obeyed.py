"""Every order to stop was obeyed within two seconds, and the log says so."""

from __future__ import annotations

from typing import Final

from watchglass.charter.model import EVERYTHING
from watchglass.core.time import HOUR, SECOND
from watchglass.oversight import tolerances
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World

_CUT_OFF: Final = frozenset({"fault", "found_after_crash"})
"""It ended nobody knows when: an order may have come afterwards, and was obeyed when something started again."""
_WITHIN: Final = tolerances.STOPS_WITHIN + tolerances.NOTES_IT_WITHIN


class Obeyed(Promise):
    name = "obeyed"
    title = "Every order of oversight to stop was obeyed within two seconds."
    acts = frozenset({"suspension_ordered", "suspension_obeyed", "suspension_lifted", "run_started", "run_stopped"})
    keeps = ("waiting", "running", "idle")
    waits = True

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[int, int] = {}
        """Orders that are not obeyed yet: index to hour."""
        self.running: str | None = None
        self.idle: set[int] = set()
        """Orders that came while nothing ran: they are obeyed when something starts."""

    def see(self, entry: Entry, world: World) -> None:
        match entry.act:
            case "run_started":
                self.running = entry.clear["run"]
            case "run_stopped":
                self.running = None
                cut_off = entry.clear["cause"] in _CUT_OFF
                self.idle.update(each for each in self.waiting if cut_off or not self._late(each, entry, world))
            case "suspension_ordered":
                self.checked += 1
                self.waiting[entry.index] = entry.hour
                if self.running is None:
                    self.idle.add(entry.index)
            case "suspension_lifted":
                self._lifted(entry, world)
            case _:
                self._obeyed(entry, world)

    def _obeyed(self, entry: Entry, world: World) -> None:
        index = world.references.index(entry.refs[0], "suspension_ordered")
        order = world.orders.by_index.get(-1 if index is None else index)
        if order is None:
            return
        hour = self.waiting.pop(order.index, None)
        scope = EVERYTHING if entry.clear["scope"] == EVERYTHING else entry.clear["analytic"]
        within = entry.clear["within_ms"]
        if scope != order.scope:
            self.breach("says that another order was obeyed than it refers to", OPERATOR, world, entry, order.index)
        elif hour is not None and order.index not in self.idle and within > _WITHIN:
            seconds = f"{within / SECOND:.1f} s"
            self.breach(f"obeys an order to stop only after {seconds}", OPERATOR, world, entry, order.index)
        elif hour is not None and order.index not in self.idle and self._late(order.index, entry, world):
            what = "says how soon an order to stop was obeyed, and witnesses had seen that order long before"
            self.breach(what, OPERATOR, world, entry, order.index)
        self.idle.discard(order.index)

    def _late(self, order: int, entry: Entry, world: World) -> bool:
        """Whether an order surely stood in the log for too long, whatever the house says, when ``entry`` was made."""
        there_ms = world.times.there_by(order)
        return there_ms is not None and entry.begins_ms > there_ms + _WITHIN + tolerances.CLOCKS_APART

    def _lifted(self, entry: Entry, world: World) -> None:
        """What was never obeyed before it was lifted was never obeyed."""
        index = world.references.index(entry.refs[0], "suspension_ordered")
        hour = None if index is None else self.waiting.pop(index, None)
        if index is not None and hour is not None and index not in self.idle:
            self.breach("is an order to stop that was lifted before it was obeyed", OPERATOR, world, index, hour=hour)

    def ends(self, world: World, end: End) -> None:
        settled = end.at_ms - world.charters.merge_within()
        for index, hour in self.waiting.items():
            if index not in self.idle and (hour + 1 + tolerances.SIGNER_HOURS) * HOUR + _WITHIN < settled:
                self.breach("is an order to stop that was never obeyed", OPERATOR, world, index, hour=hour)

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.checked, 'order')} to stop; for each the house recorded when nothing of it ran any more. How "
            "many milliseconds that took is its own word; what ran afterwards is judged above."
        )
