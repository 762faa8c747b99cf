"""The hours that entries name agree with the times at which witnesses saw the log."""

from __future__ import annotations

from typing import Final

from watchglass.core.time import HOUR, SECOND, iso
from watchglass.oversight import tolerances
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, WITNESS, Promise, count
from watchglass.oversight.times import Seen
from watchglass.oversight.world import End, World

_LATEST: Final = 253_402_300_800_000
"""The year 10000: what lies beyond cannot be written as a date."""
_MOST: Final = 65_536
"""Changes of the hour between two cosignatures that are kept."""
_NOTED: Final = "checkpoint_witnessed"
_LODGED: Final = frozenset({"suspension_ordered", "suspension_lifted"})
"""These may have been lodged with a witness hours before the house could be reached."""


class AgreeingTimes(Promise):
    name = "times"
    title = "The hours that entries name agree with the times at which witnesses saw the log."
    acts = None
    keeps = ("pending", "witnesses", "notes")

    def __init__(self) -> None:
        super().__init__()
        self.pending: list[tuple[int, int, int]] = []
        """Entries that no recorded checkpoint covers yet, where the hour changes: (index, hour, slack in hours)."""
        self.witnesses: dict[str, tuple[int, int]] = {}
        """By name, the largest size that each cosigned, and when (POSIX seconds)."""
        self.notes = 0

    def see(self, entry: Entry, world: World) -> None:
        self.checked += 1
        slack = tolerances.SIGNER_HOURS if entry.signed else 0
        after = world.times.after_ms
        if (
            after
            and entry.act not in _LODGED
            and entry.ends_ms + slack * HOUR + world.charters.merge_within() + tolerances.CLOCKS_APART < after
        ):
            self.breach(
                f"('{entry.act}') names an hour that is too early: it entered the log after {_told(after)}, and "
                "nothing may take so long",
                OPERATOR,
                world,
                entry,
            )
        pending = self.pending
        if not pending or pending[-1][1:] != (entry.hour, slack):
            if len(pending) < _MOST:
                pending.append((entry.index, entry.hour, slack))
            elif entry.hour - slack > pending[-1][1] - pending[-1][2]:  # of more, the latest hour is kept
                pending[-1] = (entry.index, entry.hour, slack)
        if entry.act == _NOTED and isinstance(world.note, Seen):
            self._noted(entry, world.note, world)

    def _noted(self, entry: Entry, seen: Seen, world: World) -> None:
        self.notes += 1
        if seen.forged:
            self.breach("records a cosignature that its witness's key did not make", OPERATOR, world, entry)
        if not seen.times or not world.note_fits:
            return
        if seen.earliest_ms > entry.ends_ms + tolerances.CLOCKS_APART:
            self.breach(
                f"records a cosignature of {_told(seen.earliest_ms)}, later than the hour that it names itself",
                OPERATOR,
                world,
                entry,
            )
        size = seen.checkpoint.size
        for name, seconds in seen.times:
            known, before = self.witnesses.get(name, (0, 0))
            if size > known and (seconds - before) * SECOND < -tolerances.CLOCKS_APART:
                self.breach("records a witness whose clock went back", WITNESS, world, entry)
            if size >= known:
                self.witnesses[name] = (size, max(seconds, before))
        self._covered(size, seen.latest_ms, world)

    def _covered(self, size: int, latest_ms: int, world: World) -> None:
        """The first ``size`` entries were there at that time."""
        left: list[tuple[int, int, int]] = []
        for place, (index, hour, slack) in enumerate(self.pending):
            last = place + 1 == len(self.pending) or self.pending[place + 1][0] > size
            if index >= size:
                left.append((index, hour, slack))
                continue
            if (hour - slack) * HOUR > latest_ms + tolerances.CLOCKS_APART:
                self.breach(
                    f"names an hour that is too late: witnesses saw it at {_told(latest_ms)} already",
                    OPERATOR,
                    world,
                    index,
                    hour=hour,
                )
            elif last:
                left.append((size, hour, slack))
        self.pending = left

    def ends(self, world: World, end: End) -> None:
        if end.cosigned:
            pending = self.pending
            self._covered(world.size, end.at_ms, world)
            self.pending = pending
        if end.at_ms > world.given.now_ms + tolerances.CLOCKS_APART:
            self.breach(
                f"was cosigned at {_told(end.at_ms)}, and it is {_told(world.given.now_ms)} now: a witness's clock or "
                "the auditor's is wrong",
                WITNESS,
                world,
                instead="The checkpoint",
            )

    def unseen(self, world: World, end: End) -> str | None:
        if not world.times.marks and not end.cosigned:
            return "Neither the log nor its checkpoint carries the time of a known witness, so nobody can tell."
        return None

    def how(self, world: World, end: End) -> str:
        times = world.times.marks
        last = " and the checkpoint's own" if end.cosigned else ""
        return (
            f"{count(self.checked, 'entry', 'entries')} put between {count(times, 'cosigned checkpoint')} that the log "
            f"records{last}. Nothing names an hour later than a witness saw it, or earlier than the time that the "
            "charter gives to show it."
        )


def _told(ms: int) -> str:
    return iso(ms) if ms < _LATEST else "a time beyond the calendar"
