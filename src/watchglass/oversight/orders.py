"""Orders to stop, as oversight signed them, the house obeyed them and oversight lifted them."""

from __future__ import annotations

from typing import Final

from watchglass.charter.model import EVERYTHING
from watchglass.oversight import tolerances
from watchglass.oversight.entry import Entry
from watchglass.oversight.references import References

_MOST: Final = 256
"""Orders of one scope that are looked at: the newest."""


class Order:
    """One order. Hours are numbers; None: not yet.

    Attributes:
        scope: ``all`` or the name of an analytic.
        stopped: the first hour in which surely nothing of it ran any more, if it was obeyed in time.
        lifted_at: the index of the lifting. runs: the first hour in which it may run again.
    """

    __slots__ = ("hour", "index", "lift_hour", "lifted_at", "obeyed_at", "scope", "stopped")

    def __init__(self, index: int, hour: int, scope: str) -> None:
        self.index = index
        self.hour = hour
        self.scope = scope
        self.stopped = hour + 1 + tolerances.SIGNER_HOURS
        self.obeyed_at: int | None = None
        self.lifted_at: int | None = None
        self.lift_hour: int | None = None

    def holds(self, hour: int) -> bool:
        """Whether it surely held through all of an hour."""
        return hour >= self.stopped and (self.lift_hour is None or hour < self.lift_hour - tolerances.SIGNER_HOURS)


class Orders:
    """All of them, by index and by scope."""

    def __init__(self) -> None:
        self.by_index: dict[int, Order] = {}
        self.by_scope: dict[str, list[Order]] = {}

    def add(self, order: Order) -> None:
        """Take an order."""
        self.by_index[order.index] = order
        self.by_scope.setdefault(order.scope, []).append(order)

    def see(self, entry: Entry, references: References, newest_hour: int) -> None:
        """Take an entry whose signature, where it needs one, is genuine.

        Args:
            newest_hour: that the house has named so far. An order that was lodged with a witness may be older.
        """
        clear = entry.clear
        if entry.act == "suspension_ordered":
            scope = EVERYTHING if clear["scope"] == EVERYTHING else str(clear["analytic"])
            new = Order(entry.index, entry.hour, scope)
            new.stopped = max(new.stopped, newest_hour + 1)
            self.add(new)
            return
        index = references.index(entry.refs[0], "suspension_ordered")
        order = self.by_index.get(-1 if index is None else index)
        if order is None or order.scope != (EVERYTHING if clear["scope"] == EVERYTHING else clear["analytic"]):
            return
        if entry.act == "suspension_obeyed" and order.obeyed_at is None:
            order.obeyed_at = entry.index
            order.stopped = entry.hour + 1
        elif entry.act == "suspension_lifted" and order.lifted_at is None:
            order.lifted_at, order.lift_hour = entry.index, entry.hour

    def held(self, hour: int, *scopes: str) -> Order | None:
        """The first order of one of ``scopes`` that surely held through all of an hour."""
        for scope in scopes:
            for order in self.by_scope.get(scope, ())[-_MOST:]:
                if order.holds(hour):
                    return order
        return None
