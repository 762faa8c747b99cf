"""What recorders counted and sealed is in the log: heartbeats agree with alerts and originals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from watchglass.core.digest import unb64
from watchglass.core.time import HOUR, MINUTE, SECOND
from watchglass.ledger.merkle import EMPTY_ROOT, leaf_hash, root
from watchglass.oversight.entry import Entry
from watchglass.oversight.minutes import minute_ms
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World

_AFTER: Final = 5 * MINUTE
"""So much later than a recorder counted it the house may record something."""
_MOST: Final = 2_000
"""Originals of one interval that are tried."""
_WAITS: Final = 20_000
"""Heartbeats of a source that may wait for what comes in batches; then those that can be judged are."""
_HOUSE_KIND: Final = "camera_fault"
"""The house itself says that a recorder ended; no recorder counts that."""

Beat = tuple[int, int, int, bytes, int]
"""From, to (ms), alerts, root of originals, index."""


class Counts(Promise):
    name = "counts"
    title = "Every incident that a recorder counted and every original that it sealed is in the log."
    depth = "openings"
    acts = frozenset({"heartbeat", "alert_raised", "segment_sealed"})
    keeps = ("beats", "alerts", "sealed", "judged", "blind")

    def __init__(self) -> None:
        super().__init__()
        self.beats: dict[str, list[Beat]] = {}
        self.alerts: dict[str, list[tuple[int, bool]]] = {}
        """Minutes of alerts by source, and whether only a recorder can have raised it."""
        self.sealed: dict[str, list[tuple[int, bytes]]] = {}
        """(minute, ciphertext's hash), in the order of the log."""
        self.judged = 0
        self.blind: set[int] = set()
        """Hours with alerts or originals whose openings retention has destroyed: of them nobody can tell any more."""

    def see(self, entry: Entry, world: World) -> None:
        values = world.opened(entry)
        if values is None:
            if entry.act != "heartbeat":
                self.blind.add(entry.hour)
            return
        if entry.act == "heartbeat":
            self._beat(entry, values, world)
        elif entry.act == "alert_raised":
            if values.get("again") is not None:
                return  # no recorder counted that
            kind = entry.clear["kind"] != _HOUSE_KIND
            self.alerts.setdefault(values["source"], []).append((minute_ms(values["minute"]), kind))
        else:
            digest = unb64(values["ciphertext_sha256"])
            self.sealed.setdefault(values["source"], []).append((minute_ms(values["minute"]), digest))

    def _beat(self, entry: Entry, values: dict[str, Any], world: World) -> None:
        self.checked += 1
        clear = entry.clear
        beats = self.beats.setdefault(clear["source"], [])
        begin, end = clear["from_s"] * SECOND, clear["to_s"] * SECOND
        beats.append((begin, end, values["alerts"], unb64(values["segments"]), entry.index))
        if len(beats) > _WAITS:
            settled = end - world.charters.merge_within() - _AFTER
            self._judge(clear["source"], settled, world)
            self._forget(clear["source"], settled)

    def _forget(self, source: str, settled: int) -> None:
        old = settled - 2 * _AFTER
        self.beats[source] = [each for each in self.beats[source] if each[1] >= settled]
        self.alerts[source] = [each for each in self.alerts.get(source, ()) if each[0] >= old]
        self.sealed[source] = [each for each in self.sealed.get(source, ()) if each[0] >= old]

    def ends(self, world: World, end: End) -> None:
        settled = end.at_ms - world.charters.merge_within() - _AFTER
        judged = self.judged
        for source in self.beats:
            self._judge(source, settled, world)
        self.judged = judged

    def _judge(self, source: str, settled: int, world: World) -> None:
        """Compare the beats that ended before a time with what the log holds of it."""
        alerts, sealed = self.alerts.get(source, []), self.sealed.get(source, [])
        for begin, end, number, digest, index in self.beats[source]:
            if end >= settled:
                return
            if not self.blind.isdisjoint(range((begin - _AFTER) // HOUR, (end + _AFTER) // HOUR + 1)):
                continue
            self.judged += 1
            near = [each for each in alerts if begin - MINUTE < each[0] < end + _AFTER]
            inside = sum(only and begin < at and at + MINUTE + _AFTER <= end for at, only in near)
            if number > len(near) and not self._stopped(begin, end, world):
                missing = number - len(near)
                self.breach(
                    f"counts {count(number, 'incident')} of '{source}', and the log holds {len(near):,} of that time: "
                    f"{missing:,} left out",
                    OPERATOR,
                    world,
                    index,
                )
            elif number < inside:
                self.breach(
                    f"counts {count(number, 'incident')} of '{source}', and the log holds {inside:,} of that time",
                    OPERATOR,
                    world,
                    index,
                )
            if digest != EMPTY_ROOT and not _is_of(digest, sealed, begin, end) and not self._stopped(begin, end, world):
                self.breach(
                    f"tells of originals of '{source}' that the log does not hold, or not as they were sealed",
                    OPERATOR,
                    world,
                    index,
                )

    def _stopped(self, begin: int, end: int, world: World) -> bool:
        """Whether the house may have had to refuse what was found then: an order to stop, or another charter, came."""
        hours = range((begin - _AFTER) // (60 * MINUTE) - 1, (end + _AFTER) // (60 * MINUTE) + 2)
        orders = world.orders.by_index.values()
        charters = world.charters.order
        changes = [each.end_ms for each in charters]
        changes += [moment for each in charters[1:] for moment in (each.begin_ms, each.holds_ms or 0)]
        return any(each.hour in hours or each.lift_hour in hours or _open(each, hours) for each in orders) or any(
            begin - _AFTER <= moment <= end + _AFTER for moment in changes
        )

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.checked, 'heartbeat')} opened; their counts and roots compared with the alerts and originals "
            "that the log holds of those minutes. Around orders to stop and changes of charter the house may refuse "
            "some, and nothing is said."
        )


def _open(order: Any, hours: range) -> bool:
    """Whether an order held through those hours."""
    return order.hour <= hours.start and (order.lift_hour is None or order.lift_hour >= hours.stop)


def _is_of(digest: bytes, sealed: Iterable[tuple[int, bytes]], begin: int, end: int) -> bool:
    """Whether a root is of some originals that follow each other in the log and were recorded about then."""
    near = [each for at, each in sealed if begin - MINUTE < at < end + _AFTER][:_MOST]
    sure = {each for at, each in sealed if begin + MINUTE <= at and at + MINUTE + _AFTER <= end}
    first = next((place for place, each in enumerate(near) if each in sure), len(near))
    last = max((place for place, each in enumerate(near) if each in sure), default=-1)
    for start in range(first + 1):
        for stop in range(max(start, last) + 1, len(near) + 1):
            if root([leaf_hash(each) for each in sorted(near[start:stop])]) == digest:
                return True
    return False
