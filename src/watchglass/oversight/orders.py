"""Orders to stop: as oversight signed and lifted them, or as a published limit gave them; and that they were obeyed."""

from __future__ import annotations

from typing import Final

from watchglass.charter.model import EVERYTHING
from watchglass.oversight import tolerances
from watchglass.oversight.entry import Entry
from watchglass.oversight.references import References

SUSPENDED: Final = "suspended"
_OF_LIMITS: Final = frozenset({"analytic_judged", "limit_obeyed", "analytic_resumed"})
_MOST: Final = 256
"""Orders of one scope that are looked at: the newest."""


class Order:
    """One order. Hours are numbers; None: not yet.

    Attributes:
        scope: ``all`` or the name of an analytic.
        stopped: the first hour in which surely nothing of it ran any more, if it was obeyed in time.
        lifted_at: the index of the lifting. runs: the first hour in which it may run again.
        by_limit: a published limit gave it, not oversight.
    """

    __slots__ = ("by_limit", "hour", "index", "lift_hour", "lifted_at", "obeyed_at", "scope", "stopped")

    def __init__(self, index: int, hour: int, scope: str, *, by_limit: bool = False) -> None:
        self.by_limit = by_limit
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
        if entry.act in _OF_LIMITS:
            self._limit(entry, references)
            return
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

    def _limit(self, entry: Entry, references: References) -> None:
        """What the house itself attests of published limits; an hour of its own is exact."""
        if entry.act == "analytic_judged":
            name = str(entry.clear["analytic"])
            if entry.clear["state"] == SUSPENDED:
                new = Order(entry.index, entry.hour, name, by_limit=True)
                new.stopped = entry.hour + 1
                self.add(new)
            elif (stop := self.open_limit(name)) is not None:
                stop.lift_hour = entry.hour + tolerances.SIGNER_HOURS
            return
        index = references.index(entry.refs[0], "analytic_judged")
        found = self.by_index.get(-1 if index is None else index)
        if found is None or not found.by_limit:
            return
        if entry.act == "limit_obeyed":
            found.obeyed_at = found.obeyed_at or entry.index
        else:
            found.lifted_at = found.lifted_at or entry.index

    def open_limit(self, analytic: str) -> Order | None:
        """The stop by a limit that holds for an analytic: the house has not said that it runs again."""
        found = [each for each in self.by_scope.get(analytic, ())[-_MOST:] if each.by_limit]
        return found[-1] if found and found[-1].lift_hour is None else None

    def held(self, hour: int, *scopes: str) -> Order | None:
        """The first order of one of ``scopes`` that surely held through all of an hour."""
        for scope in scopes:
            for order in self.by_scope.get(scope, ())[-_MOST:]:
                if order.holds(hour):
                    return order
        return None
