"""What a published limit stopped stayed stopped until authority and oversight had both signed, and witnesses had seen.

From the public ledger alone: the order of the records, who signed them, and what began on trial. Whether the limit was
crossed at all takes openings (``promises.limits_replayed``). That nothing ran meanwhile is judged with oversight's
orders (``promises.suspensions``), of which a stop by a limit is one more.
"""

from __future__ import annotations

from typing import Final

from watchglass.charter.limits import AGAIN_WITHIN_MS, QualityLimits
from watchglass.charter.model import Charter
from watchglass.charter.renewed import rule_of
from watchglass.core.time import HOUR, SECOND
from watchglass.oversight import tolerances
from watchglass.oversight.entry import Entry
from watchglass.oversight.orders import SUSPENDED
from watchglass.oversight.promises.promise import OPERATOR, OVERSIGHT, SIGNER, Promise, count
from watchglass.oversight.world import End, World
from watchglass.quality.states import State, Why

_WITHIN: Final = tolerances.STOPS_WITHIN + tolerances.NOTES_IT_WITHIN
_BEGINS: Final = frozenset({Why.NEW.value, Why.CHANGED.value, Why.RESUMED.value})
_MAY_FOLLOW: Final = {
    State.TRIAL.value: {Why.TRUSTED.value},
    State.WITHIN.value: {Why.TOO_FEW.value},
    State.UNKNOWN.value: {Why.ENOUGH.value},
    SUSPENDED: set[str](),
}
"""Why a state that is not a beginning and no stop may follow another."""


class Limits(Promise):
    name = "limits"
    title = (
        "What a published limit stopped ran again only once the authority had proposed it, oversight had signed it and "
        "witnesses had seen that; whatever is new, changed or resumed began on trial."
    )
    acts = frozenset(
        {
            "analytic_judged",
            "limit_obeyed",
            "resumption_proposed",
            "analytic_resumed",
            "alert_raised",
            "run_started",
            "run_stopped",
        }
    )
    keeps = ("states", "stops", "before", "proposals", "resumed", "waiting", "running", "began", "owed")
    waits = True

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[str, tuple[int, str]] = {}
        """How each analytic stands: (index, state)."""
        self.stops: dict[int, tuple[str, int, int]] = {}
        """By index: analytic, hour, version of the charter."""
        self.before: dict[int, int] = {}
        """Of a stop, the hour of the one before it of the same analytic."""
        self.proposals: dict[int, int] = {}
        self.resumed: dict[int, int] = {}
        """Index of a stop to that of oversight's signature."""
        self.waiting: dict[int, int] = {}
        """Stops that were not obeyed yet: index to hour."""
        self.running: str | None = None
        self.began: dict[str, bytes] = {}
        """The charter under which each analytic last began."""
        self.owed: dict[str, tuple[int, int]] = {}
        """Analytics that should have been looked at since an alert: its index and hour."""
        self._other_rule: dict[tuple[bytes, bytes, str], bool] = {}
        """Worked out once for two charters and an analytic."""

    def see(self, entry: Entry, world: World) -> None:
        match entry.act:
            case "run_started":
                self.running = entry.clear["run"]
            case "run_stopped":
                self.running = None
                self.waiting.clear()  # nothing runs, so whatever was stopped is stopped
            case "alert_raised":
                self._alert(entry, world)
            case "analytic_judged":
                self._judged(entry, world)
            case "limit_obeyed":
                self._obeyed(entry, world)
            case "resumption_proposed":
                self._proposed(entry, world)
            case _:
                self._resumed(entry, world)

    def _alert(self, entry: Entry, world: World) -> None:
        known = world.under(entry)
        name = entry.clear["analytic"]
        if known is None or known.charter.limits_of(name) is None or name in self.owed:
            return
        if self._anew(name, known.charter, world):
            self.owed[name] = (entry.index, entry.hour)

    def _anew(self, name: str, charter: Charter, world: World) -> bool:
        """Whether the house owes it a beginning under ``charter``: it is new there, or its model or rule is another."""
        began = world.charters.by_hash.get(self.began.get(name, b""))
        if began is None:
            return True
        if began.version > charter.version or self.states.get(name, (0, ""))[1] == SUSPENDED:
            return False
        key = (began.charter.sha256, charter.sha256, name)
        if key not in self._other_rule:
            self._other_rule[key] = rule_of(began.charter, name) != rule_of(charter, name)
        return self._other_rule[key]

    def _judged(self, entry: Entry, world: World) -> None:
        self.checked += 1
        known = world.under(entry)
        if known is None:
            return
        name, state, why = entry.clear["analytic"], entry.clear["state"], entry.clear["cause"]
        limits = known.charter.limits_of(name)
        before = self.states.get(name)
        if before is not None and before[1] == SUSPENDED:
            self._after_a_stop(entry, world, name, limits)
        elif why in _BEGINS:
            self._beginning(entry, world, limits)
        elif state == SUSPENDED:
            self._stop(entry, world, limits)
        elif before is None or why not in _MAY_FOLLOW[before[1]]:
            what = f"lets '{name}' be {_SAID[state]}, which cannot follow from what it was"
            self.breach(what, OPERATOR, world, entry, *([] if before is None else [before[0]]))
        self.states[name] = (entry.index, state)
        if why in _BEGINS or state == SUSPENDED:
            self.owed.pop(name, None)
        if why in _BEGINS:
            self.began[name] = known.charter.sha256
        if state == SUSPENDED:
            self._note_stop(entry, name, known.version)

    def _note_stop(self, entry: Entry, name: str, version: int) -> None:
        earlier = [hour for analytic, hour, _ in self.stops.values() if analytic == name]
        if earlier:
            self.before[entry.index] = max(earlier)
        self.stops[entry.index] = (name, entry.hour, version)
        if self.running is not None:
            self.waiting[entry.index] = entry.hour

    def _stop(self, entry: Entry, world: World, limits: QualityLimits | None) -> None:
        why = entry.clear["cause"]
        stated = limits is not None and (why in limits.stated or (why == Why.EXPIRED and limits.trial_ms is not None))
        if not stated:
            self.breach(f"stops '{entry.clear['analytic']}' by a limit that no charter states", OPERATOR, world, entry)

    def _beginning(self, entry: Entry, world: World, limits: QualityLimits | None) -> None:
        name, why = entry.clear["analytic"], entry.clear["cause"]
        if why == Why.RESUMED:
            self.breach(f"lets '{name}' run again, which nothing had stopped", OPERATOR, world, entry)
        self._on_trial(entry, world, limits)

    def _on_trial(self, entry: Entry, world: World, limits: QualityLimits | None) -> None:
        """Whatever begins, begins on trial, where the charter has one for it."""
        trial = limits is not None and limits.trial_ms is not None
        if entry.clear["state"] != (State.TRIAL if trial else State.UNKNOWN):
            what = f"lets '{entry.clear['analytic']}' begin as {_SAID[entry.clear['state']]}, and not on trial"
            self.breach(what, OPERATOR, world, entry)

    def _after_a_stop(self, entry: Entry, world: World, name: str, limits: QualityLimits | None) -> None:
        """Out of a stop leads oversight's signature alone, once witnesses have seen it."""
        stop = self.states[name][0]
        resumed = self.resumed.get(stop)
        if entry.clear["cause"] != Why.RESUMED:
            self.breach(f"changes how '{name}' stands, which a limit had stopped", OPERATOR, world, entry, stop)
            return
        self._on_trial(entry, world, limits)
        if resumed is None:
            what = f"lets '{name}' run again, which a limit had stopped, and oversight never signed that"
            self.breach(what, OPERATOR, world, entry, stop)
        elif not world.trial and world.times.marks and world.times.covered <= resumed:
            what = f"lets '{name}' run again before any witness had seen that oversight signed it"
            self.breach(what, OPERATOR, world, entry, resumed)

    def _obeyed(self, entry: Entry, world: World) -> None:
        index = world.references.index(entry.refs[0], "analytic_judged")
        if index is None or index not in self.stops:
            self.breach("says that a stop was obeyed which is none", OPERATOR, world, entry)
            return
        waited = self.waiting.pop(index, None)
        within = entry.clear["within_ms"]
        if waited is not None and within > _WITHIN:
            what = f"tells that '{self.stops[index][0]}' ran on for {within / SECOND:.1f} s after its limit stopped it"
            self.breach(what, OPERATOR, world, entry, index)

    def _proposed(self, entry: Entry, world: World) -> None:
        self.checked += 1
        stop = self._of(entry, world)
        if stop is not None:
            self.proposals[entry.index] = stop

    def _resumed(self, entry: Entry, world: World) -> None:
        self.checked += 1
        stop = self._of(entry, world)
        if stop is None:
            return
        proposal = world.references.index(entry.refs[1], "resumption_proposed")
        if proposal is None or self.proposals.get(proposal) != stop:
            what = f"lets '{self.stops[stop][0]}' run again, which the authority had not proposed for that stop"
            self.breach(what, OVERSIGHT, world, entry, stop)
        known, before = world.under(entry), self.before.get(stop)
        _, hour, version = self.stops[stop]
        again = before is not None and (hour + 1 - before) * HOUR < AGAIN_WITHIN_MS
        if known is not None and again and known.version <= version:
            what = f"lets '{self.stops[stop][0]}' run again under the charter under which it was stopped a second time"
            self.breach(what, OVERSIGHT, world, entry, stop)
        self.resumed.setdefault(stop, entry.index)

    def _of(self, entry: Entry, world: World) -> int | None:
        """The stop that a resumption is about; None, and a breach, where it is about none."""
        index = world.references.index(entry.refs[0], "analytic_judged")
        stop = self.stops.get(-1 if index is None else index)
        if index is None or stop is None or stop[0] != entry.clear["analytic"]:
            self.breach("is about a stop that there is not", SIGNER, world, entry)
            return None
        return index

    def ends(self, world: World, end: End) -> None:
        settled = end.at_ms - world.charters.merge_within()
        for index, hour in self.waiting.items():
            if (hour + 1) * HOUR + _WITHIN < settled:
                what = f"stops '{self.stops[index][0]}' by its limit, and nothing says that it was obeyed"
                self.breach(what, OPERATOR, world, index, hour=hour)
        for name, (index, hour) in self.owed.items():
            if (hour + 1) * HOUR + tolerances.MOMENT < settled:
                what = f"is an alert of '{name}', of which nothing says that it began on trial"
                self.breach(what, OPERATOR, world, index, hour=hour)

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.checked, 'record')} of how analytics stand: {count(len(self.stops), 'stop')} by a limit, "
            f"{len(self.resumed):,} of them ended by oversight's signature upon the authority's proposal. Whether the "
            "limits were crossed takes openings."
        )


_SAID: Final = {"trial": "on trial", "within": "within its limits", "unknown": "not known", SUSPENDED: "stopped"}
