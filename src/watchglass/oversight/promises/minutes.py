"""What the hour leaves open: to the minute, alerts were decided in time, and nothing ran when it must not."""

from __future__ import annotations

from typing import Final

from watchglass.charter.model import EVERYTHING
from watchglass.charter.phrases import duration
from watchglass.core.time import HOUR, MINUTE, iso
from watchglass.oversight import tolerances
from watchglass.oversight.entry import Entry
from watchglass.oversight.minutes import minute_ms
from watchglass.oversight.orders import SUSPENDED
from watchglass.oversight.promises.hours import meets
from watchglass.oversight.promises.promise import OPERATOR, REVIEWERS, Promise, count
from watchglass.oversight.world import End, World

_MOST: Final = 20_000
"""Decisions that are remembered because they may be taken back; that is possible for ten seconds."""


class Minutes(Promise):
    name = "minutes"
    title = "To the minute: alerts were decided in time, and nothing ran outside its hours or while it was suspended."
    depth = "openings"
    acts = frozenset(
        {
            "alert_raised",
            "alert_decided",
            "verdict_withdrawn",
            "suspension_obeyed",
            "analytic_judged",
            "release_requested",
            "release_granted",
        }
    )
    keeps = ("waiting", "decided", "stopped", "until")

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[int, tuple[int, int]] = {}
        """Alerts: index to (minute, within); they stay until they are decided."""
        self.decided: dict[int, tuple[int, int, int]] = {}
        """The newest decisions, which may be taken back: index to (alert, and what `waiting` held)."""
        self.stopped: dict[int, int] = {}
        """Orders to stop: index to the minute in which they were obeyed."""
        self.until: dict[int, int] = {}
        """Requests: index to their end."""

    def see(self, entry: Entry, world: World) -> None:
        values = world.opened(entry)
        if values is None:
            return
        self.checked += 1
        at = minute_ms(values["minute"])
        if entry.act == "analytic_judged":
            if entry.clear["state"] == SUSPENDED:
                self.stopped[entry.index] = at
            return
        match entry.act:
            case "alert_raised":
                self._raised(entry, at, world)
            case "alert_decided":
                self._decided(entry, at, world)
            case "verdict_withdrawn":
                self._withdrawn(entry, world)
            case "suspension_obeyed":
                index = world.references.index(entry.refs[0], "suspension_ordered")
                if index is not None:
                    self.stopped[index] = at
            case "release_requested":
                self.until[entry.index] = values["until_ms"]
            case _:
                self._granted(entry, at, world)

    def _withdrawn(self, entry: Entry, world: World) -> None:
        index = world.references.index(entry.refs[0], "alert_decided")
        again = self.decided.pop(-1 if index is None else index, None)
        if again is not None:
            self.waiting[again[0]] = again[1:]

    def _granted(self, entry: Entry, at: int, world: World) -> None:
        index = world.references.index(entry.refs[0], "release_requested")
        until = self.until.pop(-1 if index is None else index, None)
        if index is not None and until is not None and at >= until + tolerances.MOMENT:
            self.breach(f"grants a request that ended at {iso(until)}", OPERATOR, world, entry, index)

    def _raised(self, entry: Entry, at: int, world: World) -> None:
        known = world.under(entry)
        if known is None:
            return
        self.waiting[entry.index] = (at, known.charter.safeguards.review.within_ms)
        name = entry.clear["analytic"]
        analytic = known.analytics.get(name)
        if analytic is not None and (analytic.hours is not None or analytic.days):
            early = at - tolerances.CAPTURED_BEFORE
            if not meets(analytic.hours, analytic.days, known.charter.timezone, early, at + MINUTE):
                self.breach(f"is an alert of '{name}' outside its hours", OPERATOR, world, entry, known.index)
        for scope in (EVERYTHING, name):
            for order in world.orders.by_scope.get(scope, ()):
                stopped = self.stopped.get(order.index)
                lifted = order.lift_hour
                over = lifted is not None and at >= (lifted - tolerances.SIGNER_HOURS) * HOUR
                if stopped is not None and at >= stopped + MINUTE + tolerances.MOMENT and not over:
                    self.breach(f"is an alert of '{name}' after it was stopped", OPERATOR, world, entry, order.index)
                    return

    def _decided(self, entry: Entry, at: int, world: World) -> None:
        index = world.references.index(entry.refs[0], "alert_raised")
        if index is None:
            return
        raised = self.waiting.pop(index, None)
        if raised is None:
            return
        if len(self.decided) >= _MOST:
            for old in list(self.decided)[: _MOST // 2]:
                del self.decided[old]
        self.decided[entry.index] = (index, *raised)
        if at >= raised[0] + MINUTE + raised[1]:
            self.breach(
                f"decides about an alert later than within {duration(raised[1])}", REVIEWERS, world, entry, index
            )

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.checked, 'record')} compared by the minute that their openings tell: alerts with their "
            "decisions, with the charter's hours and with orders to stop, grants with the end of their requests."
        )
