"""What was put before people again was judged by others, went to nobody outside, and did not outlive its original."""

from __future__ import annotations

from typing import Any, Final

from watchglass.charter.model import EVERYTHING
from watchglass.charter.phrases import duration
from watchglass.core.digest import unb64
from watchglass.core.errors import BadInput
from watchglass.core.time import HOUR
from watchglass.oversight import tolerances
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World
from watchglass.review.model import VerdictValue
from watchglass.review.reads import Draw, Judged

_READ: Final = {"second": 2, "third": 3, "check": None}
_MOST: Final = 20_000
"""Decisions that are remembered because they may be taken back or acted upon."""
_TELLS_NOTHING: Final = frozenset({"nothing", "test"})


class Reads(Promise):
    name = "reads"
    title = (
        "Where an alert was judged again, or served as a check, others judged it, nobody outside heard of it, and it "
        "did not outlive its original."
    )
    depth = "openings"
    acts = frozenset(
        {
            "alert_raised",
            "alert_decided",
            "verdict_withdrawn",
            "handover_progressed",
            "outcome_recorded",
            "notice_decided",
            "reads_closed",
            "analytic_judged",
        }
    )
    keeps = ("firsts", "again", "judges", "said", "decided", "owed", "names", "stopped", "shown", "closed")
    waits = True

    def __init__(self) -> None:
        super().__init__()
        self.firsts: dict[int, tuple[int, str]] = {}
        """Alerts that were new: index to (hour, analytic)."""
        self.again: dict[int, tuple[int, str]] = {}
        """Alerts shown again: index to (index of the first, why)."""
        self.judges: dict[int, list[str]] = {}
        """Who has judged each incident, by the index of its first alert."""
        self.said: dict[int, dict[int, str]] = {}
        """What stands of each: first, second and third judgement."""
        self.decided: dict[int, tuple[int, int | None]] = {}
        """The newest decisions: index to (index of the alert, which judgement)."""
        self.owed: dict[int, int] = {}
        """Alerts that were drawn for a second judgement: index to within how many milliseconds."""
        self.names: dict[str, int] = {}
        """Alerts shown again, by their numbers."""
        self.stopped: dict[str, list[int]] = {}
        """Hours in which a published limit stopped an analytic."""
        self.shown = 0
        self.closed = 0

    def see(self, entry: Entry, world: World) -> None:
        if entry.act == "analytic_judged":
            if entry.clear["state"] == "suspended":
                self.stopped.setdefault(entry.clear["analytic"], []).append(entry.hour)
            return
        values = world.opened(entry)
        if values is None:
            return
        match entry.act:
            case "alert_raised":
                self._raised(entry, values, world)
            case "alert_decided":
                self._decided(entry, values, world)
            case "verdict_withdrawn":
                self._withdrawn(entry, world)
            case "reads_closed":
                self._closed(entry, values, world)
            case _:
                self._outside(entry, values, world)

    def _outside(self, entry: Entry, values: dict[str, Any], world: World) -> None:
        """Somebody outside the queue heard of it, or goes there."""
        if entry.act == "notice_decided":
            alert = self.names.get(values["alert"] or "")
            if alert is not None and values["status"] not in _TELLS_NOTHING:
                what = "tells somebody outside of an alert that was only shown again"
                self.breach(what, OPERATOR, world, entry, alert)
            return
        index = world.references.index(unb64(values["decided"]), "alert_decided")
        alert = self.decided.get(-1 if index is None else index, (-1, None))[0]
        if alert in self.again:
            self.breach("goes there because of an alert that was only shown again", OPERATOR, world, entry, alert)

    # ---- alerts ------------------------------------------------------------------------------------------------------

    def _raised(self, entry: Entry, values: dict[str, Any], world: World) -> None:
        again = values.get("again")
        if again is None:
            self.firsts[entry.index] = (entry.hour, entry.clear["analytic"])
            return
        self.checked += 1
        self.shown += 1
        first = world.references.index(unb64(again["of"]), "alert_raised")
        if first is None or first in self.again or first >= entry.index:
            self.breach("shows an alert again that is not there, or was itself shown again", OPERATOR, world, entry)
            return
        self.again[entry.index] = (first, again["why"])
        self.names[values["alert"]] = entry.index
        known = self.firsts.get(first)
        if known is None:  # its opening is destroyed: so is what it showed
            return
        hour, analytic = known
        if analytic != entry.clear["analytic"]:
            self.breach("shows an alert again as another analytic's", OPERATOR, world, entry, first)
        charter = world.under(entry)
        keep = charter.charter.safeguards.retention.reviewer_clips_ms if charter is not None else None
        if keep is not None and entry.begins_ms >= (hour + 1) * HOUR + keep + tolerances.RETENTION_RUNS:
            self.breach(
                f"shows an alert again after what it shows had to be destroyed, within {duration(keep)}",
                OPERATOR,
                world,
                entry,
                first,
            )
        if again["why"] == "second" and self.owed.pop(first, None) is None:
            self.breach("has an alert judged again that was not drawn for it", OPERATOR, world, entry, first)

    def _decided(self, entry: Entry, values: dict[str, Any], world: World) -> None:
        alert = world.references.index(entry.refs[0], "alert_raised")
        if alert is None or "read" not in values:
            return  # of an earlier version
        first, why = self.again.get(alert, (alert, None))
        read = 1 if why is None else _READ[why]
        if values["read"] != read:
            self.breach("is not the judgement that it says it is", OPERATOR, world, entry, alert)
        if why is not None and values["handed_to"] is not None:
            self.breach("hands over an alert that was only shown again", OPERATOR, world, entry, alert)
        if len(self.decided) >= _MOST:
            for old in list(self.decided)[: _MOST // 2]:
                del self.decided[old]
        self.decided[entry.index] = (alert, read)
        judges = self.judges.setdefault(first, [])
        if why is not None and values["account"] in judges:
            self.breach("is by somebody who had judged the same incident before", OPERATOR, world, entry, first)
        judges.append(values["account"])
        if read is not None:
            self.said.setdefault(first, {})[read] = values["verdict"]
        if read == 1:
            self._drawn(entry, values, world, alert)

    def _drawn(self, entry: Entry, values: dict[str, Any], world: World, alert: int) -> None:
        known = world.under(entry)
        review = known.charter.safeguards.review if known is not None else None
        share = review.second_read * 1000 if review is not None and review.second_read is not None else 0
        drawn = values["draw"]
        if share and (drawn is None or drawn["below"] < share):
            self.breach("was drawn with a smaller chance than the charter's", OPERATOR, world, entry)
        if review is not None and drawn is not None and Draw(drawn["number"], drawn["below"]).second:
            self.owed[alert] = review.matures_ms

    def _withdrawn(self, entry: Entry, world: World) -> None:
        index = world.references.index(entry.refs[0], "alert_decided")
        alert, read = self.decided.pop(-1 if index is None else index, (-1, None))
        if alert < 0:
            return
        first = self.again.get(alert, (alert, ""))[0]
        judges = self.judges.get(first)
        if judges:
            judges.pop()  # the same person may decide again
        if read is not None:
            self.said.get(first, {}).pop(read, None)
        if read == 1:
            self.owed.pop(alert, None)

    # ---- what was made of them ---------------------------------------------------------------------------------------

    def _closed(self, entry: Entry, values: dict[str, Any], world: World) -> None:
        for each in values["closed"]:
            self.closed += 1
            first = world.references.index(unb64(each["alert"]), "alert_raised")
            said = self.said.get(-1 if first is None else first)
            if first is None or not said or 1 not in said:
                continue  # what opens it is destroyed
            judged = Judged(*(VerdictValue(said[read]) if read in said else None for read in (1, 2, 3)))  # type: ignore[arg-type]  # three, as it has fields
            if judged.value.value != each["value"] or (each["told"] == "yes") != judged.tell:
                self.breach(
                    "says something else of an alert than its judgements come to", OPERATOR, world, entry, first
                )
        for each in values["checks"]:
            try:
                check = world.references.index(unb64(each["alert"]), "alert_raised")
            except BadInput:
                check = None
            if check is not None and check in self.firsts:
                self.breach("calls an alert a check that was a new one", OPERATOR, world, entry, check)

    def ends(self, world: World, end: End) -> None:
        settled = end.at_ms - world.charters.merge_within()
        for alert, matures in sorted(self.owed.items()):
            hour, analytic = self.firsts.get(alert, (0, ""))
            over = (hour + 1) * HOUR + matures
            if over <= settled and not self._excused(analytic, hour, over // HOUR, world):
                self.breach(
                    f"was drawn for a second person's judgement, and had none within {duration(matures)}",
                    OPERATOR,
                    world,
                    alert,
                    hour=hour,
                )

    def _excused(self, analytic: str, hour: int, until: int, world: World) -> bool:
        """Whether it may not have been allowed: an order or a limit stopped it, or a charter began or ended."""
        for scope in (EVERYTHING, analytic):
            for order in world.orders.by_scope.get(scope, ()):
                if order.hour <= until and (order.lift_hour is None or order.lift_hour >= hour):
                    return True
        if any(hour - 1 <= each <= until for each in self.stopped.get(analytic, ())):
            return True
        within = range(hour * HOUR + 1, (until + 1) * HOUR + 1)
        return any(each.begin_ms in within or each.end_ms in within for each in world.charters.order)

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.shown, 'alert')} shown again compared with what they are of; {self.closed:,} closed ones "
            f"reckoned anew from their judgements; {len(self.owed):,} drawn ones wait for theirs. Who sat before the "
            "screen is the operator's word."
        )
