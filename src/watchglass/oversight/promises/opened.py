"""Oversight can open every record that retention has left, and finds what the record committed to."""

from __future__ import annotations

from typing import Final

from watchglass.core.time import HOUR
from watchglass.oversight.dues import Dues
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World
from watchglass.records.guard_acts import GUARD_ACTS
from watchglass.records.vocabulary import ACTS, OF_ALERTS

_FORGOTTEN: Final = frozenset(
    OF_ALERTS | {spec.name for spec in GUARD_ACTS} | {"key_enrolled", "openings_taken", "heartbeat"}
)
"""Acts whose openings retention destroys."""
_MOST: Final = 100_000


class Opened(Promise):
    name = "opened"
    title = "Oversight can open every record that retention has left, and each is what was committed to."
    depth = "openings"
    acts = None
    keeps = ("newest", "lacking", "due", "gone")

    def __init__(self) -> None:
        super().__init__()
        self.newest = -1
        """The newest entry with an opening: what came after it had not been taken away yet."""
        self.lacking: list[tuple[int, int]] = []
        """Entries without an opening that no retention destroys: (index, hour)."""
        self.gone = 0
        self.dues = Dues()

    @property
    def due(self) -> dict[int, tuple[int, int]]:
        """Entries whose openings retention may have destroyed, by hour."""
        return self.dues.groups

    @due.setter
    def due(self, kept: dict[int, tuple[int, int]]) -> None:
        self.dues = Dues(kept)

    def see(self, entry: Entry, world: World) -> None:
        if not ACTS[entry.act].committed:
            return
        if world.opened(entry) is not None:
            self.checked += 1
            self.newest = entry.index
        elif world.opening_wrong is not None:
            self.checked += 1
            self.newest = entry.index
            why = world.opening_wrong.message.rstrip(".")
            self.breach(f"('{entry.act}') cannot be opened as it was committed to: {why}", OPERATOR, world, entry)
        elif entry.act in _FORGOTTEN:
            self.gone += 1
            self.dues.add(entry.hour, entry.index)
        elif len(self.lacking) < _MOST:
            self.lacking.append((entry.index, entry.hour))

    def ends(self, world: World, end: End) -> None:
        keep = min((each.charter.safeguards.retention.alerts_ms for each in world.charters.order), default=0)
        young = (end.at_ms - keep) // HOUR + 1
        for index, hour in self.lacking:
            if index < self.newest:
                self.breach("has no opening, and nothing destroys such a one", OPERATOR, world, index, hour=hour)
        for hour, (index, number) in sorted(self.dues.groups.items()):
            if hour > young and index < self.newest and keep:
                others = f" and {number - 1:,} others of that hour have" if number > 1 else " has"
                self.breach(
                    f"{others.strip()} no opening, and retention was not over", OPERATOR, world, index, hour=hour
                )

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.checked, 'record')} opened and compared with their commitments; {self.gone:,} have no "
            "opening any more, as retention wants it, or are newer than the files."
        )
