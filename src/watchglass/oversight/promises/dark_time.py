"""No source was left unwatched without a word."""

from __future__ import annotations

from typing import Any

from watchglass.charter.phrases import duration
from watchglass.core.time import HOUR, SECOND, iso
from watchglass.oversight import tolerances
from watchglass.oversight.dark import Beats, Gatherer, Run, Stretch, Watch, state_of, stretches
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World

_HOUR_S = HOUR // SECOND


class DarkTime(Promise):
    name = "dark-time"
    title = "Whatever should have looked looked all the time, or the log says why not."
    acts = frozenset({"heartbeat", "run_started", "run_stopped"})
    keeps = ("beats", "runs", "every")

    def __init__(self) -> None:
        super().__init__()
        self.gathered: dict[str, Gatherer] = {}
        self.run_of: dict[str, list[Run]] = {}
        self.every: dict[str, int] = {}
        """Of each source the interval of its charter now, in seconds."""

    # What is remembered: the gatherers and runs as plain tuples.

    @property
    def beats(self) -> dict[str, list[tuple[Any, ...]]]:
        """Joined heartbeats by source."""
        return {
            source: [
                (each.run, each.from_s, each.to_s, each.state.value, each.refs, each.count) for each in found.all()
            ]
            for source, found in self.gathered.items()
        }

    @beats.setter
    def beats(self, kept: dict[str, list[tuple[Any, ...]]]) -> None:
        for source, values in kept.items():
            found = self.gathered[source] = Gatherer()
            for run, begin, end, state, refs, number in values:
                found.add(Beats(run, begin, end, Watch(state), refs, number))

    @property
    def runs(self) -> dict[str, list[tuple[Any, ...]]]:
        """Runs by source."""
        return {
            source: [(each.run, each.promised, each.started_s, each.stopped_s, each.cause, each.refs) for each in runs]
            for source, runs in self.run_of.items()
        }

    @runs.setter
    def runs(self, kept: dict[str, list[tuple[Any, ...]]]) -> None:
        self.run_of = {source: [Run(*values) for values in runs] for source, runs in kept.items()}

    def see(self, entry: Entry, world: World) -> None:
        clear = entry.clear
        if entry.act == "heartbeat":
            self.checked += 1
            state = state_of(clear["running"], clear["received"])
            if clear["from_s"] < clear["to_s"]:
                beat = Beats(clear["run"], clear["from_s"], clear["to_s"], state, (entry.index,))
                self.gathered.setdefault(clear["source"], Gatherer()).add(beat)
        elif entry.act == "run_started":
            known = world.under(entry)
            every = known.charter.ledger.heartbeat_every_ms if known is not None else None
            for source in sorted(known.sources.intersection(clear["sources"])) if known is not None else ():
                self.every[source] = (every or 0) // SECOND
                run = Run(clear["run"], every is not None, (entry.hour + 1) * _HOUR_S, refs=(entry.index,))
                self.run_of.setdefault(source, []).append(run)
        else:
            for runs in self.run_of.values():
                self._stopped(runs, entry)

    def _stopped(self, runs: list[Run], entry: Entry) -> None:
        if runs and runs[-1].run == entry.clear["run"] and runs[-1].cause is None:
            run = runs.pop()
            surely = entry.hour * _HOUR_S
            refs = (*run.refs, entry.index)
            runs.append(Run(run.run, run.promised, run.started_s, surely, entry.clear["cause"], refs))

    def _dark(self, world: World, end: End) -> list[tuple[str, Stretch]]:
        now = (end.at_ms - world.charters.merge_within()) // SECOND
        found = []
        for source, runs in self.run_of.items():
            beats = self.gathered[source].all() if source in self.gathered else ()
            every = self.every[source]
            longest = every * SECOND + tolerances.BEAT_LATE
            every_one = stretches(beats, runs, now_s=now, every_s=every)
            dark = (each for each in every_one if each.state is Watch.DARK and each.seconds * SECOND > longest)
            found += [(source, each) for each in dark]
        return found

    def ends(self, world: World, end: End) -> None:
        for source, each in self._dark(world, end):
            entries = [ref for ref in each.refs if isinstance(ref, int)]
            self.breach(
                f"was dark for {duration(each.seconds * SECOND)} from {iso(each.from_s * SECOND)}: no heartbeat, and "
                "nothing in the log explains it",
                OPERATOR,
                world,
                *entries[:8],
                hour=each.from_s // _HOUR_S,
                instead=f"The source '{source}'",
            )

    def unseen(self, world: World, end: End) -> str | None:
        del end
        runs = [run for each in self.run_of.values() for run in each]
        if runs and not any(run.promised for run in runs):
            return "No charter of this log promised heartbeats, so nobody can tell whether a time was left out."
        if not runs and world.size:
            return "The log names no run, so nothing was to look."
        return None

    def how(self, world: World, end: End) -> str:
        del world, end
        blind = sum(
            each.to_s - each.from_s
            for found in self.gathered.values()
            for each in found.all()
            if each.state is Watch.BLIND
        )
        return (
            f"{count(self.checked, 'heartbeat')} of {count(len(self.run_of), 'source')} laid over the hours in which "
            f"runs began and ended. What is longer than one interval and unexplained is dark. For "
            f"{duration(blind * SECOND)} recorders were there and their cameras sent nothing; that is no breach, and "
            "shows in the open."
        )
