"""Every stop by a published limit, and all trust that was earned, follows from the alerts and what people said of them.

The tests of the house are run again over the openings, in the order of the log, by the same pure functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from watchglass.charter.limits import QualityLimits
from watchglass.charter.model import Charter
from watchglass.charter.renewed import rule_of
from watchglass.core.digest import b64, unb64
from watchglass.core.time import HOUR, MINUTE, SECOND, iso
from watchglass.oversight.entry import Entry
from watchglass.oversight.limits_replay import SLACK_MS, Begun, Seen, Step, crossing, replay, tests_of
from watchglass.oversight.minutes import minute_ms
from watchglass.oversight.orders import SUSPENDED
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World
from watchglass.quality.drilled import LATE_MS, LONGEST_RUN_MS
from watchglass.quality.judging import TESTED, TRUST, TestName
from watchglass.quality.states import State, Why

_READS: Final = {"second": 2, "third": 3}
_TELLS_NOTHING: Final = frozenset({"nothing", "test"})
_SAID: Final = {
    "precision_at_least": "how many of its alerts are right",
    "false_alerts_per_week": "wrong alerts a week",
    "reviewed_in_time_at_least": "how many are looked at in time",
    "undecided_at_most": "how many stay without an answer",
    "disparity_at_most": "the difference between day and night",
}

Judgement = tuple[int, int, str, str, dict[str, Any] | None]
"""Index, minute, state, why, evidence: None where it shows none, empty where its opening is gone."""


class LimitsReplayed(Promise):
    name = "limits-replayed"
    title = (
        "Every analytic that its alerts show to be over its published limit was stopped, none was stopped or trusted "
        "without cause, and on trial nothing left the reviewers' queue."
    )
    depth = "openings"
    acts = frozenset(
        {
            "alert_raised",
            "alert_decided",
            "verdict_withdrawn",
            "analytic_judged",
            "heartbeat",
            "drill_planned",
            "drill_called_off",
            "drill_scored",
            "notice_decided",
        }
    )
    keeps: ClassVar[tuple[str, ...]] = (
        "alerts",
        "places",
        "again",
        "decided",
        "judged",
        "ran",
        "handed",
        "named",
        "told",
        "drilled",
        "drills",
    )
    waits = True

    def __init__(self) -> None:
        super().__init__()
        self.alerts: dict[str, list[list[Any]]] = {}
        """Of each analytic, what ``Seen`` has, as lists."""
        self.places: dict[int, tuple[str, int]] = {}
        """Index of an alert to its analytic and its place there."""
        self.again: dict[int, tuple[int, int]] = {}
        """Index of an alert that was shown again for another judgement to (index of the first, read)."""
        self.decided: dict[int, tuple[int, int]] = {}
        """Index of a decision to (index of the alert, read); they may be taken back."""
        self.judged: dict[str, list[Judgement]] = {}
        self.ran: dict[str, int] = {}
        """The end of the last heartbeat in which an analytic ran, in milliseconds."""
        self.handed: dict[str, list[tuple[int, int]]] = {}
        """Of each analytic, decisions by which an alert was handed over: (index, minute)."""
        self.named: dict[str, str] = {}
        """The analytic of each alert, by the alert's number."""
        self.told: dict[str, list[tuple[int, int]]] = {}
        """Of each analytic, notices by which somebody outside heard of an alert: (index, minute)."""
        self.drilled: set[int] = set()
        """Alerts that were of staged drills, as was said when those were scored."""
        self.drills: dict[int, tuple[str, int, int, bool]] = {}
        """Drills, by the index of their plan: analytic, from, to, whether it was said what became of them."""

    # ---- what the log tells ------------------------------------------------------------------------------------------

    def see(self, entry: Entry, world: World) -> None:
        if entry.act == "heartbeat":
            for name in entry.clear["running"]:
                self.ran[name] = max(self.ran.get(name, 0), entry.clear["to_s"] * SECOND)
            return
        values = world.opened(entry)
        match entry.act:
            case "alert_raised":
                self._raised(entry, values, world)
            case "alert_decided":
                self._decided(entry, values, world)
            case "verdict_withdrawn":
                self._withdrawn(entry, values, world)
            case "notice_decided":
                self._told(entry, values)
            case "drill_planned" | "drill_called_off" | "drill_scored":
                self._drill(entry, values, world)
            case _:
                self._judged(entry, values)

    def _raised(self, entry: Entry, values: Mapping[str, Any] | None, world: World) -> None:
        name = entry.clear["analytic"]
        known = world.under(entry)
        if known is None or known.charter.limits_of(name) is None:
            return
        again = (values or {}).get("again")
        if again is not None:
            first = world.references.index(unb64(again["of"]), "alert_raised")
            if first is not None and again["why"] in _READS:
                self.again[entry.index] = (first, _READS[again["why"]])
            return
        if values is not None:
            self.named[values["alert"]] = name
        listed = self.alerts.setdefault(name, [])
        self.places[entry.index] = (name, len(listed))
        at = minute_ms(values["minute"]) if values else entry.begins_ms
        source = values["source"] if values else ""
        listed.append([entry.index, entry.hash, at, source, entry.charter, {}, False, values is not None])

    def _decided(self, entry: Entry, values: Mapping[str, Any] | None, world: World) -> None:
        index = world.references.index(entry.refs[0], "alert_raised")
        first, read = self.again.get(-1 if index is None else index, (index, 1))
        place = self.places.get(-1 if first is None else first)
        if first is None or place is None:
            return
        alert = self.alerts[place[0]][place[1]]
        if values is None:
            alert[7] = False
            return
        at = minute_ms(values["minute"])
        self.decided[entry.index] = (first, read)
        alert[5][read] = (values["verdict"], at)
        draw = values.get("draw")
        if read == 1:
            alert[6] = draw is not None and draw["number"] < draw["below"]
        if values["handed_to"] is not None:
            self.handed.setdefault(place[0], []).append((entry.index, at))

    def _withdrawn(self, entry: Entry, values: Mapping[str, Any] | None, world: World) -> None:
        index = world.references.index(entry.refs[0], "alert_decided")
        first, read = self.decided.pop(-1 if index is None else index, (-1, 0))
        place = self.places.get(first)
        if index is None or place is None:
            return
        _, at = self.alerts[place[0]][place[1]][5].pop(read, ("", None))
        if at is not None and values is not None and minute_ms(values["minute"]) > at + SLACK_MS:
            what = f"takes back what was said of an alert of '{place[0]}', and the time for that was over"
            self.breach(what, OPERATOR, world, entry, index)

    def _judged(self, entry: Entry, values: Mapping[str, Any] | None) -> None:
        at = minute_ms(values["minute"]) if values else entry.begins_ms
        evidence = values["evidence"] if values else {}
        told = (entry.index, at, entry.clear["state"], entry.clear["cause"], evidence)
        self.judged.setdefault(entry.clear["analytic"], []).append(told)

    def _drill(self, entry: Entry, values: Mapping[str, Any] | None, world: World) -> None:
        if entry.act == "drill_planned":
            if values is not None:
                plan = (entry.clear["analytic"], values["from_ms"], values["to_ms"], False)
                self.drills[entry.index] = plan
            return
        index = world.references.index(entry.refs[0], "drill_planned")
        known = self.drills.pop(-1 if index is None else index, None)
        if index is None or known is None or entry.act == "drill_called_off" or values is None:
            return
        self.drills[index] = (*known[:3], True)
        found = (world.references.index(unb64(each), "alert_raised") for each in values["alerts"])
        self.drilled.update(each for each in found if each is not None)

    def _drill_over(self, name: str, alert: Seen) -> int:
        """Until when nobody could know whether an alert is of a drill; 0 where there is none."""
        return max((to for to, _ in self._drills_about(name, alert.minute_ms)), default=0)

    def _drills_about(self, name: str, at: int) -> Iterator[tuple[int, bool]]:
        for analytic, begin, end, scored in self.drills.values():
            if analytic == name and begin - MINUTE <= at <= end + LONGEST_RUN_MS + HOUR:
                yield end + LATE_MS + LONGEST_RUN_MS, scored

    # ---- what follows ------------------------------------------------------------------------------------------------

    def ends(self, world: World, end: End) -> None:
        settled = end.at_ms - world.charters.merge_within()
        for name in sorted(self.alerts.keys() | self.judged.keys()):
            alerts = [self._as_known(name, Seen(*each)) for each in self.alerts.get(name, ())]
            judged = self.judged.get(name, [])
            self.checked += len(alerts)
            self._kept_back(name, judged, world)
            resumed = [Begun(at, _stopped_by(judged, index)) for index, at, _, why, _ in judged if why == Why.RESUMED]
            runs = {test: self._replay(test, name, alerts, resumed, world) for test in TESTED}
            for each in judged:
                self._evidence(name, alerts, each, runs, world)
            for test, steps in runs.items():
                if test != TRUST:
                    self._called_for(name, test, alerts, steps, resumed, world, settled)
            self._expired(name, judged, alerts, world, settled)

    def _as_known(self, name: str, alert: Seen) -> Seen:
        """Without an answer where it may be of a drill that is not scored yet."""
        open_ = any(not scored for _, scored in self._drills_about(name, alert.minute_ms))
        return alert._replace(open=False) if open_ else alert

    def _replay(
        self, test: TestName, name: str, alerts: Sequence[Seen], resumed: Sequence[Begun], world: World
    ) -> list[Step]:
        return replay(
            test,
            name,
            alerts,
            resumed,
            lambda sha: _charter(world, sha),
            skip=self.drilled,
            waits=lambda alert: self._drill_over(name, alert),
        )

    def _evidence(
        self, name: str, alerts: Sequence[Seen], told: Judgement, runs: Mapping[TestName, list[Step]], world: World
    ) -> None:
        """A record that says how a test stood: it is so, and the test had come to that."""
        index, _, state, why, evidence = told
        needed = why == Why.TRUSTED or (state == SUSPENDED and why in TESTED)
        if not evidence:
            if needed and evidence is None:
                self.breach(f"says '{why}' of '{name}', and shows no test", OPERATOR, world, index)
            return
        test = evidence["test"]
        if needed and test != (TRUST if why == Why.TRUSTED else why):
            self.breach(f"says '{why}' of '{name}', and shows another test", OPERATOR, world, index)
            return
        leaf = unb64(evidence["last"]) if evidence["last"] else b""
        at = next((place for place, alert in enumerate(alerts) if alert.leaf == leaf), None)
        step = next((each for each in runs.get(test, ()) if each.at == at), None)
        if step is None:
            if evidence["alerts"] and needed:
                what = f"rests a test of '{name}' on an alert that the log does not hold, or not in its order"
                self.breach(what, OPERATOR, world, index)
            return
        if not step.sure:
            return
        self._counts(name, alerts, told, step, world)
        before = [each for each in runs[test] if each.at < step.at and each.mild.first == step.mild.first]
        if needed and test != TRUST and before and before[-1].mild.crossed:
            what = f"stops '{name}' with a later alert than the one with which it was over its limit"
            self.breach(what, OPERATOR, world, index, alerts[step.at].at)
        elif needed and not (step.mild if test == TRUST else step.strict).crossed:
            what = (
                f"trusts '{name}', and its alerts up to then do not show that it keeps its limit"
                if test == TRUST
                else f"stops '{name}' by its limit, and its alerts up to then do not call for that"
            )
            self.breach(what, OPERATOR, world, index, alerts[step.at].at)

    def _counts(self, name: str, alerts: Sequence[Seen], told: Judgement, step: Step, world: World) -> None:
        index, _, _, _, evidence = told
        assert evidence is not None  # whoever compares has looked
        taken, bad = evidence["alerts"], evidence["bad"]
        last = alerts[step.at].at
        if taken not in {step.mild.taken, step.strict.taken}:
            what = (
                f"counts {count(taken, 'alert')} of '{name}', and the log holds {step.mild.taken:,} up to the last of "
                "them that had to be counted"
            )
            self.breach(what, OPERATOR, world, index, last)
        elif not step.mild.bad <= bad <= step.strict.bad:
            what = (
                f"counts {bad:,} of {count(taken, 'alert')} of '{name}' against it, and what people said makes it "
                f"{step.mild.bad:,}"
            )
            self.breach(what, OPERATOR, world, index, last)
        elif evidence["first"] != _first(alerts, step):
            self.breach(f"begins a test of '{name}' with another alert than the first", OPERATOR, world, index, last)
        elif evidence["limit"] not in {step.mild.test.limit, step.strict.test.limit}:
            self.breach(f"tests '{name}' by another limit than the charter's", OPERATOR, world, index, last)

    def _called_for(
        self,
        name: str,
        test: TestName,
        alerts: Sequence[Seen],
        steps: Sequence[Step],
        resumed: Sequence[Begun],
        world: World,
        settled: int,
    ) -> None:
        """A limit that was surely crossed stopped it: it ran on no longer than minutes can hide."""
        for each in tests_of(steps):
            step = crossing(each, mild=True)
            if step is None or not step.sure or step.final_ms + SLACK_MS >= settled:
                continue
            epoch = step.epoch
            by = step.final_ms + SLACK_MS
            until = resumed[epoch].minute_ms if epoch < len(resumed) else settled
            begun = resumed[epoch - 1].minute_ms if epoch else 0
            stops = [at for _, at, state, _, _ in self.judged.get(name, ()) if state == SUSPENDED and begun <= at]
            stopped = min([at for at in stops if at <= until], default=until)
            if stopped <= by or self._other_rule(name, alerts[step.at], by, world):
                continue
            on = next((alert for alert in alerts[step.at + 1 :] if by < alert.minute_ms < stopped), None)
            ran = not [at for at in stops if at <= until] and self.ran.get(name, 0) > by
            if on is not None or ran:
                what = (
                    f"is the alert with which '{name}' was over its limit ({_SAID.get(test, test)}): it should have "
                    f"been stopped by {iso(by)}, and ran on"
                )
                self.breach(what, OPERATOR, world, alerts[step.at].at, *([] if on is None else [on.at]))
                return

    def _other_rule(self, name: str, alert: Seen, by: int, world: World) -> bool:
        """Whether another model or rule had come by then, which starts anew; or a charter no longer states limits."""
        charter = _charter(world, alert.charter)
        if charter is None:
            return True
        for known in world.charters.order:
            later = known.version > charter.version and known.begin_ms <= by
            if later and (
                known.charter.limits_of(name) is None or rule_of(known.charter, name) != rule_of(charter, name)
            ):
                return True
        return False

    def _expired(
        self, name: str, judged: Sequence[Judgement], alerts: Sequence[Seen], world: World, settled: int
    ) -> None:
        """A trial that showed nothing ended in a stop, when its time was over."""
        for begun, after in zip(judged, [*judged[1:], None], strict=True):
            index, at, state, _, _ = begun
            limits = self._limits_at(name, at, world)
            if state != State.TRIAL or limits is None or limits.trial_ms is None:
                continue
            over = at + limits.trial_ms + SLACK_MS
            until = after[1] if after is not None else settled
            on = next((alert for alert in alerts if over < alert.minute_ms < until), None)
            if on is not None:
                what = f"is an alert of '{name}' after its trial was over, which had shown nothing"
                self.breach(what, OPERATOR, world, on.at, index)
            elif after is not None and after[3] == Why.EXPIRED and after[1] + SLACK_MS < at + limits.trial_ms:
                self.breach(f"ends a trial of '{name}' before its time was over", OPERATOR, world, after[0], index)

    def _told(self, entry: Entry, values: Mapping[str, Any] | None) -> None:
        """Somebody outside hears of an alert. What is not about one, such as a stop by a limit, may leave."""
        if values is None or values["status"] in _TELLS_NOTHING:
            return
        name = self.named.get(values["alert"] or "")
        if name is not None:
            self.told.setdefault(name, []).append((entry.index, minute_ms(values["minute"])))

    def _kept_back(self, name: str, judged: Sequence[Judgement], world: World) -> None:
        """On trial nothing was handed over, and nobody outside was told."""
        for begun, after in zip(judged, [*judged[1:], None], strict=True):
            index, at, state, _, _ = begun
            if state != State.TRIAL:
                continue
            until = after[1] if after is not None else None
            left = [(each, "hands over") for each in self.handed.get(name, ())]
            left += [(each, "tells somebody outside of") for each in self.told.get(name, ())]
            for (decided, minute), does in left:
                if minute > at and (until is None or minute < until):
                    self.breach(f"{does} an alert of '{name}', which was on trial", OPERATOR, world, decided, index)

    def _limits_at(self, name: str, at: int, world: World) -> QualityLimits | None:
        charters = [known.charter for known in world.charters.order if known.begin_ms <= at]
        return charters[-1].limits_of(name) if charters else None

    def how(self, world: World, end: End) -> str:
        del end
        stops = sum(each[2] == SUSPENDED for told in self.judged.values() for each in told)
        trusted = sum(each[3] == Why.TRUSTED for told in self.judged.values() for each in told)
        gone = sum(not each[7] for told in self.alerts.values() for each in told)
        blind = (
            f" Of {gone:,} of them retention has destroyed the openings, and tests that rest on them are not judged."
        )
        return (
            f"{count(self.checked, 'alert')} of analytics with limits given to their tests again, in the order of the "
            f"log: {count(stops, 'stop')} by a limit, {trusted:,} times trust was earned.{blind if gone else ''}"
            f"{'' if self.alerts or not world.charters.order else ' No analytic with limits raised an alert.'}"
        )


def _first(alerts: Sequence[Seen], step: Step) -> str | None:
    return None if step.mild.first is None else b64(alerts[step.mild.first].leaf)


def _stopped_by(judged: Sequence[Judgement], index: int) -> str:
    """By which limit it had been stopped before a record let it run again."""
    before = [why for at, _, state, why, _ in judged if state == SUSPENDED and at < index]
    return before[-1] if before else ""


def _charter(world: World, sha256: bytes) -> Charter | None:
    known = world.charters.by_hash.get(sha256)
    return known.charter if known is not None else None
