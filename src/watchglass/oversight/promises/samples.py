"""What was not alerted is looked at as the charter says: what the lot fell on, all of it, and not for longer."""

from __future__ import annotations

from typing import Any, Final

from watchglass.charter.reviewing import Samples as Asked
from watchglass.core.digest import unb64
from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.oversight import tolerances
from watchglass.oversight.entry import Entry
from watchglass.oversight.minutes import minute_ms
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World

_WHOLE: Final = 1_000_000_000
_KNOWN: Final = _WHOLE // 10
_VERY: Final = 750
_SLACK: Final = 2 * MINUTE
_COUNTED_WITHIN: Final = 2 * DAY
"""A moment is counted in the night that follows it; a house that stood still does it when it runs again."""


class Samples(Promise):
    name = "samples"
    title = "What was not alerted was looked at only as the charter says: what the lot fell on, and not for longer."
    depth = "openings"
    acts = frozenset({"sample_taken", "sample_kept", "sample_judged", "near_misses_counted", "retention_applied"})
    keeps = ("taken", "uncounted", "clips", "judged", "unread_hour", "unknown", "counted", "drawn")
    waits = True

    def __init__(self) -> None:
        super().__init__()
        self.taken: dict[int, tuple[str, int]] = {}
        """Samples, by their entries: what kind, and until when (ms)."""
        self.uncounted: dict[int, tuple[str, int, int, int]] = {}
        """Near-misses that were taken and stand in no count yet: (analytic, number, below, when)."""
        self.clips: dict[int, int] = {}
        """Samples whose clips are kept, and until when (ms)."""
        self.judged: set[int] = set()
        self.unread_hour = -1
        """The latest hour of a sample that cannot be opened any more."""
        self.unknown = 0
        self.counted = 0
        self.drawn = 0

    def see(self, entry: Entry, world: World) -> None:
        if entry.act == "retention_applied" and entry.clear["what"] != "samples":
            return
        values = world.opened(entry)
        if values is None:
            if entry.act == "sample_taken":
                self.unread_hour = max(self.unread_hour, entry.hour)
            if entry.act != "sample_kept":
                return
        match entry.act:
            case "sample_taken":
                self._taken(entry, values or {}, world)
            case "sample_kept":
                self._kept(entry, world)
            case "sample_judged":
                self._judged(entry, values or {}, world)
            case "near_misses_counted":
                self._counted(entry, values or {}, world)
            case _:
                self._destroyed(entry, values or {}, world)

    def _taken(self, entry: Entry, values: dict[str, Any], world: World) -> None:
        self.checked += 1
        known = world.under(entry)
        asked = known.charter.safeguards.samples if known is not None else None
        now, until = minute_ms(values["minute"]), minute_ms(values["kept_until"])
        self.taken[entry.index] = (values["kind"], until)
        if known is not None and asked is None:
            what = "has people look at what was not alerted, which the charter does not say"
            self.breach(what, OPERATOR, world, entry, known.index)
            return
        if values["number"] >= values["below"]:
            self.breach("has people look at a moment on which the lot did not fall", OPERATOR, world, entry)
        if asked is not None and values["below"] != _chance(asked, values):
            self.breach("drew a moment with another chance than the charter's", OPERATOR, world, entry)
        if asked is not None and until > now + asked.kept_ms + _SLACK:
            self.breach("has a sample kept for longer than the charter says", OPERATOR, world, entry)
        if values["kind"] == "near":
            self.uncounted[entry.index] = (values["analytic"], values["number"], values["below"], now)
        if values["kind"] == "known":
            first = world.references.index(unb64(values["of"]), "alert_raised") if values["of"] else None
            if first is None or first >= entry.index:
                self.breach("calls a sample an old alert that is not there", OPERATOR, world, entry)

    def _kept(self, entry: Entry, world: World) -> None:
        index = world.references.index(entry.refs[0], "sample_taken")
        known = self.taken.get(-1 if index is None else index)
        if index is None or known is None:
            self.unknown += 1
            return
        if index in self.clips:
            self.breach("keeps a second clip of one sample", OPERATOR, world, entry, index)
        self.clips[index] = known[1]

    def _judged(self, entry: Entry, values: dict[str, Any], world: World) -> None:
        index = world.references.index(entry.refs[0], "sample_taken")
        known = self.taken.get(-1 if index is None else index)
        if index is None or known is None:
            return
        if index in self.judged:
            self.breach("judges a sample that was judged before", OPERATOR, world, entry, index)
        self.judged.add(index)
        if minute_ms(values["minute"]) > known[1] + _SLACK:
            self.breach("judges a sample after it had to be destroyed", OPERATOR, world, entry, index)

    def _counted(self, entry: Entry, values: dict[str, Any], world: World) -> None:
        analytic, day = entry.clear["analytic"], values["day"]
        for draw in values["draws"]:
            self.counted += 1
            if draw["number"] >= draw["below"]:
                continue
            self.drawn += 1
            asked = (analytic, draw["number"], draw["below"])
            found = next((index for index, each in self.uncounted.items() if each[:3] == asked), None)
            if found is not None:
                del self.uncounted[found]
            elif self.unread_hour * HOUR < day - HOUR:
                self.breach("counts a moment on which the lot fell, and nobody was asked", OPERATOR, world, entry)
        for index, (name, _, _, when) in list(self.uncounted.items()):
            if name == analytic and when < day - _COUNTED_WITHIN:
                del self.uncounted[index]
                self._left_out(index, world)

    def _left_out(self, index: int, world: World) -> None:
        self.breach("was taken as a near-miss, and stands in no count of them", OPERATOR, world, index)

    def _destroyed(self, entry: Entry, values: dict[str, Any], world: World) -> None:
        now = minute_ms(values["minute"])
        sure = [index for index, until in self.clips.items() if until + _SLACK <= now]
        able = [index for index, until in self.clips.items() if until <= now + MINUTE]
        if values["count"] < len(sure) or (not self.unknown and values["count"] > len(able)):
            self.breach("says that more or fewer samples were destroyed than had to be", OPERATOR, world, entry)
        for index in able:
            if self.clips.pop(index) + tolerances.RETENTION_RUNS < now:
                self.breach("shows that a sample was kept for too long", OPERATOR, world, entry, index)

    def ends(self, world: World, end: End) -> None:
        settled = end.at_ms - world.charters.merge_within()
        for index, until in sorted(self.clips.items()):
            if until + tolerances.RETENTION_RUNS < settled:
                self.breach("is a sample that was not destroyed in its time", OPERATOR, world, index)
        for index, (_, _, _, when) in sorted(self.uncounted.items()):
            if when + _COUNTED_WITHIN + DAY < settled:
                self._left_out(index, world)

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.checked, 'sample')} laid against the charter's chances and times; of {self.counted:,} "
            f"near-misses the lot fell on {self.drawn:,}, and each of those was taken. That the lot was drawn "
            "honestly, and every near-miss counted, is the operator's word."
        )


def _chance(asked: Asked, values: dict[str, Any]) -> int:
    """With which chance the charter has it drawn; 0 where it is not what it says."""
    match values["kind"], values["closeness"]:
        case "near", int(closeness):
            very = closeness >= _VERY
            right = values["band"] == ("very_near" if very else "near")
            return (asked.very_near if very else asked.near_misses) * (_WHOLE // 1000) if right else 0
        case "quiet", None:
            return asked.quiet_a_day * _WHOLE // 86_400
        case "known", None:
            return _KNOWN
        case _:
            return 0
