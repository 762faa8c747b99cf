"""What alerts are said to be worth follows from earlier alerts: what was learnt is learnt again from the openings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from watchglass.charter.model import Charter
from watchglass.charter.renewed import rule_of
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import Refused
from watchglass.core.time import MINUTE
from watchglass.oversight.entry import Entry
from watchglass.oversight.limits_replay import Seen, outcomes
from watchglass.oversight.minutes import minute_ms
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World
from watchglass.quality.drilled import LONGEST_RUN_MS, reach_ms
from watchglass.quality.finality import Value
from watchglass.quality.recalibration import Judged, Recalibration, learn, points_of, probability

_READS: Final = {"second": 2, "third": 3}
_ROUNDING: Final = 1
"""Of a millionth: machines add in another order."""


class Recalibrated(Promise):
    name = "recalibrated"
    title = (
        "What was said of an alert follows from its score and the calibration in force, and every calibration from "
        "earlier alerts and what people said of them."
    )
    depth = "openings"
    acts = frozenset(
        {
            "alert_raised",
            "alert_decided",
            "verdict_withdrawn",
            "drill_planned",
            "drill_begun",
            "drill_ended",
            "drill_called_off",
            "drill_scored",
            "recalibrated",
        }
    )
    keeps = ("alerts", "places", "again", "decided", "scores", "drills", "drilled", "standing", "unsure", "learnt")

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
        self.scores: dict[str, list[tuple[int | None, int | None]]] = {}
        """Of each analytic's alerts, score and probability, per mille, in the order of ``alerts``."""
        self.drills: dict[int, tuple[str, str, int | None, int | None]] = {}
        """Index of a drill that is not scored yet to its analytic, its source, and when it was run, as far as told."""
        self.drilled: set[int] = set()
        """Alerts that staged drills raised: nothing is learnt from them."""
        self.standing: dict[str, tuple[int, bytes, bytes | None, list[tuple[int, int, int]] | None]] = {}
        """What is in force: index, record, charter, points; None where its opening is gone."""
        self.unsure = 0
        self.learnt = 0

    def see(self, entry: Entry, world: World) -> None:
        values = world.opened(entry)
        match entry.act:
            case "alert_raised":
                self._raised(entry, values, world)
            case "alert_decided":
                self._decided(entry, values, world)
            case "verdict_withdrawn":
                index = world.references.index(entry.refs[0], "alert_decided")
                first, read = self.decided.pop(-1 if index is None else index, (-1, 0))
                if first in self.places:
                    self._alert(first)[5].pop(read, None)
            case "drill_planned":
                self.drills[entry.index] = (entry.clear["analytic"], entry.clear["source"], None, None)
            case "drill_begun" | "drill_ended" | "drill_called_off" | "drill_scored":
                self._drill(entry, values, world)
            case _:
                self._recalibrated(entry, values, world)

    def _raised(self, entry: Entry, values: Mapping[str, Any] | None, world: World) -> None:
        if world.under(entry) is None:
            return
        name, told = entry.clear["analytic"], values or {}
        again = told.get("again")
        if again is not None:
            first = world.references.index(unb64(again["of"]), "alert_raised")
            if first is not None and again["why"] in _READS:
                self.again[entry.index] = (first, _READS[again["why"]])
            return
        listed = self.alerts.setdefault(name, [])
        self.places[entry.index] = (name, len(listed))
        at = minute_ms(told["minute"]) if told else entry.begins_ms
        source = told.get("source", "")
        listed.append([entry.index, entry.hash, at, source, entry.charter, {}, False, values is not None])
        self.scores.setdefault(name, []).append((told.get("score"), told.get("probability")))
        if values is not None and "calibration" in values:
            self.checked += 1
            self._said(entry, values, world)

    def _decided(self, entry: Entry, values: Mapping[str, Any] | None, world: World) -> None:
        index = world.references.index(entry.refs[0], "alert_raised")
        first, read = self.again.get(-1 if index is None else index, (index, 1))
        if first is None or first not in self.places:
            return
        alert = self._alert(first)
        if values is None:
            alert[7] = False
            return
        self.decided[entry.index] = (first, read)
        alert[5][read] = (values["verdict"], minute_ms(values["minute"]))
        draw = values.get("draw")
        if read == 1:
            alert[6] = draw is not None and draw["number"] < draw["below"]

    def _drill(self, entry: Entry, values: Mapping[str, Any] | None, world: World) -> None:
        index = world.references.index(entry.refs[0], "drill_planned")
        known = self.drills.get(-1 if index is None else index)
        if index is None or known is None:
            return
        if entry.act in {"drill_called_off", "drill_scored"}:
            del self.drills[index]
            found = (world.references.index(unb64(each), "alert_raised") for each in (values or {}).get("alerts", ()))
            self.drilled.update(each for each in found if each is not None)
        elif values is not None:
            self.drills[index] = (*known[:2], values["begun_ms"], values.get("ended_ms"))

    def _alert(self, index: int) -> list[Any]:
        name, place = self.places[index]
        return self.alerts[name][place]

    def _said(self, entry: Entry, values: Mapping[str, Any], world: World) -> None:
        """An alert's probability is what the calibration in force says of its score."""
        name, named = entry.clear["analytic"], values["calibration"]
        stands = self.standing.get(name)
        if stands is not None and not _same_rule(world, stands[2], entry.charter, name):
            stands = None
        due = b64(stands[1]) if stands is not None else None
        if named != due:
            what = (
                f"is an alert of '{name}' said to be as likely right as another calibration tells than the one in force"
            )
            self.breach(what, OPERATOR, world, entry, *([] if stands is None else [stands[0]]))
        elif stands is not None and stands[3] is not None:
            wanted = probability(stands[3], values["score"])
            if values["probability"] != wanted:
                what = f"says of an alert of '{name}' another probability than its score has by what is in force"
                self.breach(what, OPERATOR, world, entry, stands[0])

    def _recalibrated(self, entry: Entry, values: Mapping[str, Any] | None, world: World) -> None:
        self.checked += 1
        self.learnt += 1
        name, cause = entry.clear["analytic"], entry.clear["cause"]
        told = values["calibration"] if values is not None else None
        if cause == "withdrawn":
            if self.standing.pop(name, None) is None:
                self.breach(f"takes back a calibration of '{name}' that was not in force", OPERATOR, world, entry)
            if told is not None:
                self.breach(f"takes back a calibration of '{name}' and names one", OPERATOR, world, entry)
            return
        if values is not None and told is None:
            self.breach(f"recalibrates '{name}' and does not say how", OPERATOR, world, entry)
        points = points_of([(p["least"], p["right"], p["n"]) for p in told["points"]]) if told else None
        self.standing[name] = (entry.index, entry.hash, entry.charter, list(points) if points is not None else None)
        if told:
            self._again(entry, told, world)

    def _again(self, entry: Entry, told: Mapping[str, Any], world: World) -> None:
        """Learn it again from the same alerts."""
        name = entry.clear["analytic"]
        listed = self.alerts.get(name, [])
        leaves = [each[1] for each in listed]
        first, last = (unb64(told[each]) for each in ("first", "last"))
        if first not in leaves or last not in leaves or leaves.index(first) > leaves.index(last):
            self.breach(f"recalibrates '{name}' from alerts that the log does not hold", OPERATOR, world, entry)
            return
        begin, end = leaves.index(first), leaves.index(last) + 1
        earlier = self._usable(name, range(begin), entry, world)
        if earlier:
            what = f"recalibrates '{name}' and leaves out earlier alerts that could be read"
            self.breach(what, OPERATOR, world, entry, earlier[0][0])
            return
        used = self._usable(name, range(begin, end), entry, world)
        if used is None:
            self.unsure += 1
            return
        try:
            found = learn([judged for _, judged in used])
        except Refused:
            self.breach(f"recalibrates '{name}' from too few alerts", OPERATOR, world, entry)
            return
        if not _same(found, told):
            what = f"recalibrates '{name}' otherwise than its alerts and what people said of them tell"
            self.breach(what, OPERATOR, world, entry, used[-1][0])
        elif not found.better:
            what = f"puts a calibration of '{name}' in force that was no better on later alerts"
            self.breach(what, OPERATOR, world, entry, used[-1][0])

    def _usable(self, name: str, places: Sequence[int], entry: Entry, world: World) -> list[tuple[int, Judged]] | None:
        """The alerts among ``places`` that can be learnt from; None where nobody can tell of one any more."""
        found = []
        for place in places:
            alert = Seen(*self.alerts[name][place])
            known = world.charters.by_hash.get(alert.charter)
            if known is None or not alert.open:
                return None
            drilled = self._of_a_drill(name, alert, known.charter)
            if drilled is None:
                return None
            if drilled or not _same_rule(world, alert.charter, entry.charter, name):
                continue
            best, worst = outcomes(alert, known.charter, 0, place)
            if best.value is not worst.value:
                return None
            score, said = self.scores[name][place]
            if score is not None and best.value is not Value.UNDECIDED:
                found.append((alert.at, Judged(alert.leaf, score, said, best.value is Value.RIGHT)))
        return found

    def _of_a_drill(self, name: str, alert: Seen, charter: Charter) -> bool | None:
        """Whether an alert was of a drill: of one that is not scored yet by its times; None where minutes do not tell.

        The house leaves out a drill's own alerts from when its times are known, and scores it after its day.
        """
        if alert.at in self.drilled:
            return True
        rule = next((each for each in charter.analytics if each.name == name), None)
        for analytic, source, begun, ended in self.drills.values():
            if (analytic, source) != (name, alert.source) or begun is None:
                continue
            latest = begun + LONGEST_RUN_MS
            over = (latest if ended is None else min(ended, latest)) + reach_ms(rule)
            first, last = begun // MINUTE * MINUTE, over // MINUTE * MINUTE
            if first < alert.minute_ms < last:
                return True
            if first - MINUTE <= alert.minute_ms <= last + MINUTE:
                return None
        return False

    def how(self, world: World, end: End) -> str:
        del world, end
        blind = f" {self.unsure:,} of them rest on alerts of which nobody can tell any more." if self.unsure else ""
        return (
            f"{count(self.learnt, 'recalibration')} learnt again from the openings of the alerts they name, and what "
            f"was said of each alert held against the one in force: {count(self.checked, 'record')}.{blind}"
        )


def _same_rule(world: World, one: bytes | None, other: bytes | None, name: str) -> bool:
    """Whether the model and the rule are the same under two charters; those that cannot be read count as other ones."""
    if one == other:
        return True
    first, second = world.charters.by_hash.get(one or b""), world.charters.by_hash.get(other or b"")
    return first is not None and second is not None and rule_of(first.charter, name) == rule_of(second.charter, name)


def _same(found: Recalibration, told: Mapping[str, Any]) -> bool:
    points = [{"least": least, "right": right, "n": n} for least, right, n in found.points]
    exact = (points, found.learnt, found.shown) == (told["points"], told["learnt"], told["shown"])
    before = found.before.as_json() if found.before is not None else None
    return exact and _near(before, told["before"]) and _near(found.after.as_json(), told["after"])


def _near(found: Mapping[str, int] | None, told: Mapping[str, int] | None) -> bool:
    if found is None or told is None:
        return found is told
    return all(abs(value - told[each]) <= _ROUNDING for each, value in found.items())
