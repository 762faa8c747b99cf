"""What was said of each drill follows from its times and from the alerts; and so does each stop by what was missed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from watchglass.charter.model import Charter
from watchglass.core.digest import b64
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND
from watchglass.oversight import tolerances
from watchglass.oversight.dark import Watch, state_of
from watchglass.oversight.entry import Entry
from watchglass.oversight.limits_replay import SLACK_MS
from watchglass.oversight.minutes import minute_ms
from watchglass.oversight.promises.drills import day_ms
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World
from watchglass.quality.drilled import LATE_MS, LEAD_MS, LONGEST_RUN_MS, LONGEST_WINDOW_MS, outside_hours, reach_ms
from watchglass.quality.finality import Value
from watchglass.quality.judging import RECALL, Counted, Testing, alpha_of, follow, take

_KEPT: Final = 2 * DAY
"""How long alerts and beats are remembered: until the drills of their day are scored."""

Score = tuple[int, bytes, int, str, str, bytes]
"""Index, record, when it was run or to be run, result, stratum, charter."""


class DrillsReplayed(Promise):
    name = "drills-replayed"
    title = (
        "What became of each drill follows from its times and the alerts, and no reason to leave one out is made up."
    )
    depth = "openings"
    acts = frozenset(
        {
            "drill_planned",
            "drill_begun",
            "drill_ended",
            "drill_called_off",
            "drill_scored",
            "alert_raised",
            "analytic_judged",
            "heartbeat",
        }
    )
    keeps = ("plans", "alerts", "seen", "scores", "resumed", "stops", "newest")
    waits = True

    def __init__(self) -> None:
        super().__init__()
        self.plans: dict[int, list[Any]] = {}
        """By index: analytic, source, from, to, begun, ended (None where not told), charter."""
        self.alerts: dict[str, list[tuple[int, bytes, int, str]]] = {}
        """Of each analytic, the newest alerts: index, record, minute, source (empty: its opening is gone)."""
        self.seen: dict[str, list[tuple[int, int]]] = {}
        """Of each source, the newest times in which heartbeats say that pictures came."""
        self.scores: dict[str, list[Score]] = {}
        self.resumed: dict[str, list[int]] = {}
        self.stops: dict[str, list[tuple[int, int, str, dict[str, Any] | None]]] = {}
        """Index, minute, why, evidence."""
        self.newest = 0

    def see(self, entry: Entry, world: World) -> None:
        if entry.act == "heartbeat":
            if self.plans and state_of(entry.clear["running"], entry.clear["received"]) is Watch.SEEN:
                known = self.seen.setdefault(entry.clear["source"], [])
                known.append((entry.clear["from_s"] * SECOND, entry.clear["to_s"] * SECOND))
            return
        values = world.opened(entry)
        if entry.act == "analytic_judged":
            self._judged(entry, values)
        elif entry.act == "alert_raised":
            self._raised(entry, values)
        elif values is None:
            return
        elif entry.act == "drill_planned":
            self._planned(entry, values, world)
        else:
            self._of_a_drill(entry, values, world)

    def _judged(self, entry: Entry, values: Mapping[str, Any] | None) -> None:
        at = minute_ms(values["minute"]) if values else entry.begins_ms
        name = entry.clear["analytic"]
        if entry.clear["cause"] == "resumed":
            self.resumed.setdefault(name, []).append(at)
        if entry.clear["state"] == "suspended":
            evidence = values["evidence"] if values else None
            self.stops.setdefault(name, []).append((entry.index, at, entry.clear["cause"], evidence))

    def _raised(self, entry: Entry, values: Mapping[str, Any] | None) -> None:
        if values is None:  # its opening is destroyed: nobody can tell any more
            gone = (entry.index, entry.hash, entry.begins_ms, "")
            self.alerts.setdefault(entry.clear["analytic"], []).append(gone)
            return
        at = minute_ms(values["minute"])
        self.newest = max(self.newest, at)
        if values.get("again") is None:
            self.alerts.setdefault(entry.clear["analytic"], []).append((entry.index, entry.hash, at, values["source"]))

    def _planned(self, entry: Entry, values: Mapping[str, Any], world: World) -> None:
        self.checked += 1
        begin, end = values["from_ms"], values["to_ms"]
        if begin < minute_ms(values["minute"]) + LEAD_MS - tolerances.MOMENT:
            self.breach("announces a drill later than an hour before its time", OPERATOR, world, entry)
        day = day_ms(entry.clear["day"])
        if not (day <= begin < end <= day + DAY and end - begin <= LONGEST_WINDOW_MS):
            self.breach("announces a drill for a time that is none of its day, or too long", OPERATOR, world, entry)
        clear = entry.clear
        self.plans[entry.index] = [clear["analytic"], clear["source"], begin, end, None, None, entry.charter]

    def _of_a_drill(self, entry: Entry, values: Mapping[str, Any], world: World) -> None:
        index = world.references.index(entry.refs[0], "drill_planned")
        plan = self.plans.get(-1 if index is None else index)
        if index is None or plan is None:
            return
        at = minute_ms(values["minute"])
        self.newest = max(self.newest, at)
        match entry.act:
            case "drill_called_off":
                if at > plan[2]:
                    self.breach("calls a drill off after its time had begun", OPERATOR, world, entry, index)
                del self.plans[index]
            case "drill_begun":
                plan[4], plan[6] = values["begun_ms"], entry.charter
                if abs(values["begun_ms"] - at) > 2 * MINUTE or not plan[2] <= values["begun_ms"] <= plan[3]:
                    self.breach("lets a drill begin at another time than its own", OPERATOR, world, entry, index)
            case "drill_ended":
                self._ended(entry, values, plan, at, world, index)
            case _:
                self._scored(entry, values, world, index)

    def _ended(
        self, entry: Entry, values: Mapping[str, Any], plan: list[Any], at: int, world: World, index: int
    ) -> None:
        begun, ended = values["begun_ms"], values["ended_ms"]
        if entry.clear["told"] == "there":
            if begun != plan[4] or abs(ended - at) > 2 * MINUTE:
                self.breach("ends a drill at another time than it was", OPERATOR, world, entry, index)
        else:
            narrow = plan[3] - plan[2] <= LONGEST_RUN_MS and plan[4] is None
            if not narrow or not plan[2] <= begun <= ended <= plan[3] or at > plan[3] + LATE_MS + tolerances.MOMENT:
                self.breach("tells times of a drill afterwards that could be chosen", OPERATOR, world, entry, index)
            plan[6] = entry.charter
        plan[4], plan[5] = begun, ended

    # ---- scores --------------------------------------------------------------------------------------------------

    def _scored(self, entry: Entry, values: Mapping[str, Any], world: World, index: int) -> None:
        analytic, source, begin, end, begun, ended, charter = self.plans.pop(index)
        result, cause = entry.clear["result"], entry.clear["cause"]
        known = world.charters.by_hash.get(charter)
        if begun is not None:
            over = begun + LONGEST_RUN_MS if ended is None else min(ended, begun + LONGEST_RUN_MS)
            if (values["begun_ms"], values["ended_ms"]) != (begun, over):
                self.breach("scores a drill by other times than were told", OPERATOR, world, entry, index)
            if known is not None:
                self._own(entry, values, world, index, (analytic, source, begun, over), known.charter)
            begin, end = begun, over
        elif values["alerts"]:
            self.breach("gives alerts to a drill that was not run", OPERATOR, world, entry, index)
        if result in {"noticed", "missed"} and (result == "noticed") != bool(values["alerts"]):
            self.breach("says something else of a drill than its alerts do", OPERATOR, world, entry, index)
        if cause is not None and known is not None:
            self._excuse(entry, world, index, (analytic, source, begin, end), known.charter, ran=begun is not None)
        if result != "not-counted":
            score = (entry.index, entry.hash, begin, result, entry.clear["stratum"], charter)
            self.scores.setdefault(analytic, []).append(score)
        self._forget(end - _KEPT)

    def _own(
        self,
        entry: Entry,
        values: Mapping[str, Any],
        world: World,
        index: int,
        run: tuple[str, str, int, int],
        charter: Charter,
    ) -> None:
        """The alerts that are the drill's own: a minute at each end is left open."""
        analytic, source, begun, over = run
        rule = next((each for each in charter.analytics if each.name == analytic), None)
        first, last = begun // MINUTE * MINUTE, (over + reach_ms(rule)) // MINUTE * MINUTE
        said = set(values["alerts"])
        for number, digest, at, where in self.alerts.get(analytic, ()):
            own = b64(digest) in said
            said.discard(b64(digest))
            if not where:
                continue
            surely = where == source and first < at < last
            never = where != source or not first - MINUTE <= at <= last + MINUTE
            if (own and never) or (surely and not own):
                what = "counts an alert as of a drill that was none of it" if own else "leaves out an alert of a drill"
                self.breach(what, OPERATOR, world, entry, index, number)
        if said:
            self.breach("gives alerts to a drill that are none of its rule", OPERATOR, world, entry, index)

    def _excuse(
        self,
        entry: Entry,
        world: World,
        index: int,
        drill: tuple[str, str, int, int],
        charter: Charter,
        *,
        ran: bool,
    ) -> None:
        """A reason not to count a drill is one that the log shows."""
        analytic, source, begin, end = drill
        rule = next((each for each in charter.analytics if each.name == analytic), None)
        match entry.clear["cause"]:
            case "outside-hours":
                true = rule is not None and outside_hours(charter, rule, (begin, end))
            case "stopped":
                true = self._stopped(world, analytic, begin, end)
            case "dark":
                total = sum(max(0, min(end, b + SECOND) - max(begin, a)) for a, b in self.seen.get(source, ()))
                true = total < end - begin if ran else total <= SECOND
            case _:
                now = world.under(entry)
                true = now is None or all(each.name != analytic for each in now.charter.analytics)
        if not true:
            self.breach("leaves a drill out for a reason that the log does not show", OPERATOR, world, entry, index)

    def _stopped(self, world: World, analytic: str, begin: int, end: int) -> bool:
        for scope in ("all", analytic):
            for order in world.orders.by_scope.get(scope, ()):
                if order.hour * HOUR < end and (order.lift_hour is None or (order.lift_hour + 1) * HOUR > begin):
                    return True
        return any(at - MINUTE <= end for _, at, _, _ in self.stops.get(analytic, ()))

    def _forget(self, before: int) -> None:
        oldest = min([before, *(plan[2] - HOUR for plan in self.plans.values())])
        for name, found in self.alerts.items():
            self.alerts[name] = [each for each in found if each[2] >= oldest]
        for name, spans in self.seen.items():
            self.seen[name] = [each for each in spans if each[1] >= oldest]

    # ---- the limit -----------------------------------------------------------------------------------------------

    def ends(self, world: World, end: End) -> None:
        settled = min(end.at_ms - world.charters.merge_within(), self.newest)
        for name in sorted(self.scores.keys() | self.stops.keys()):
            crossed = self._replay(name, world)
            stops = self.stops.get(name, [])
            for index, at, why, evidence in stops:
                if why == RECALL and evidence is not None and at + world.charters.merge_within() < end.at_ms:
                    self._follows(name, index, evidence, crossed, world)
            for number, _, begin, _ in crossed.values():
                hour = begin // DAY * DAY + DAY + LATE_MS + LONGEST_RUN_MS + SLACK_MS + HOUR
                if hour + tolerances.RETENTION_RUNS < settled and all(at < begin for _, at, _, _ in stops):
                    what = f"scores the drill with which '{name}' missed more than its limit allows, and it ran on"
                    self.breach(what, OPERATOR, world, number)

    def _replay(self, name: str, world: World) -> dict[str, tuple[int, Testing, int, str]]:
        """The drills at which the limit was crossed: by record, (index, the test, when, first record)."""
        testing: Testing | None = None
        known: dict[bytes, Charter] = {}
        crossed: dict[str, tuple[int, Testing, int, str]] = {}
        first = ""
        for number, (index, digest, at, result, stratum, charter) in enumerate(self.scores.get(name, ()), 1):
            under = world.charters.by_hash.get(charter)
            if under is None:
                return crossed
            known[charter] = under.charter
            epoch = sum(each <= at for each in self.resumed.get(name, ()))
            before = testing
            testing = follow(before, RECALL, under.charter, name, epoch, known.__getitem__)
            if testing is None or testing.crossed:
                continue
            value = Value.RIGHT if result == "noticed" else Value.WRONG
            first = b64(digest) if testing.first is None else first
            counted = Counted(number, at, epoch, stratum, value, None)
            testing = take(testing, counted, alpha_of(under.charter, RECALL))
            if testing.crossed:
                crossed[b64(digest)] = (index, testing, at, first)
        return crossed

    def _follows(
        self,
        name: str,
        index: int,
        evidence: Mapping[str, Any],
        crossed: Mapping[str, tuple[int, Testing, int, str]],
        world: World,
    ) -> None:
        found = crossed.get(evidence["last"] or "")
        if found is None:
            self.breach(
                f"stops '{name}' for what it missed, and its drills do not call for that", OPERATOR, world, index
            )
            return
        number, testing, _, first = found
        if (evidence["alerts"], evidence["bad"], evidence["first"]) != (testing.taken, testing.bad, first):
            what = f"counts other drills of '{name}' than were scored"
            self.breach(what, OPERATOR, world, index, number)

    def how(self, world: World, end: End) -> str:
        del world, end
        scored = sum(len(each) for each in self.scores.values())
        return (
            f"{count(self.checked, 'drill')} opened; {scored:,} that count were compared with the alerts of their time."
        )
