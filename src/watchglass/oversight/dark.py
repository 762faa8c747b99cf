"""Dark time: how long nobody can say that a source was watched, told apart from what explains itself.

A heartbeat says that whatever looks at a source was there through an interval. Where beats are missing, either the
house was stopped, and its records say so, or nothing explains it: that is *dark* time. Where beats came and no picture
did, the source was *blind*.

Everything here is worked out from records in the order of the log. Whoever knows when a run began and ended only by the
hour (an outsider) gives the bounds that the hour allows; the house, which knows the second, gives that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

EDGE_S: Final = 30
"""So long a run may take from its record to the first beat of a source, and from the last one to its record."""
LATE_S: Final = 30
"""So much later than its interval's end a beat may be recorded before it counts as missing."""
EXPLAINED: Final = frozenset({"asked", "sources_ended", "charter_ended"})
"""Causes in ``run_stopped`` for which nobody expects a heartbeat afterwards."""


class Watch(StrEnum):
    """What is known of a stretch of time of one source."""

    SEEN = "seen"
    BLIND = "blind"
    IDLE = "idle"
    STOPPED = "stopped"
    DARK = "dark"
    UNTOLD = "untold"
    PENDING = "pending"


MEANS: Final[Mapping[Watch, str]] = {
    Watch.SEEN: "Heartbeats came, and pictures did.",
    Watch.BLIND: "Heartbeats came, and the camera sent no picture.",
    Watch.IDLE: "Heartbeats came; nothing was allowed to look.",
    Watch.STOPPED: "No heartbeat, because it was stopped, and that is in the ledger.",
    Watch.DARK: "No heartbeat, and nothing in the ledger explains it.",
    Watch.UNTOLD: "The rules of that time promised no heartbeats, so nobody can tell.",
    Watch.PENDING: "The next heartbeat is not due yet.",
}


def state_of(running: Sequence[str], received: int) -> Watch:
    """What one heartbeat says: which analytics ran, and how many pictures the source sent."""
    if received:
        return Watch.SEEN
    return Watch.BLIND if running else Watch.IDLE


@dataclass(frozen=True, slots=True)
class Beats:
    """Heartbeats of one source and run that follow each other without a gap and say the same.

    Attributes:
        from_s, to_s: seconds since 1970, UTC; ``to_s`` is the first one that is not covered.
        state: ``SEEN``, ``BLIND`` or ``IDLE``.
        refs: what proves it: the first and the last beat, as the caller names entries (an index, or a leaf hash).
        count: how many.
    """

    run: str
    from_s: int
    to_s: int
    state: Watch
    refs: tuple[int | bytes, ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the house that was to watch a source, in the order of the log.

    Attributes:
        promised: whether its charter promised heartbeats.
        started_s: when it had surely begun; stopped_s: until when it had surely not ended. None: it runs still.
        cause: of its end, as ``run_stopped`` gives it; None: there is no such record.
        refs: its records.
    """

    run: str
    promised: bool
    started_s: int
    stopped_s: int | None = None
    cause: str | None = None
    refs: tuple[int | bytes, ...] = ()

    @property
    def explained(self) -> bool:
        """Whether its end is one after which no beat is expected."""
        return self.cause in EXPLAINED


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of one source's time and what is known of it."""

    from_s: int
    to_s: int
    state: Watch
    why: str = ""
    refs: tuple[int | bytes, ...] = ()

    @property
    def seconds(self) -> int:
        """How long it is."""
        return self.to_s - self.from_s


@dataclass(slots=True)
class Gatherer:
    """Joins single heartbeats of one source, in the order of their chain: its memory grows with changes only."""

    done: list[Beats] = field(default_factory=list)
    _last: Beats | None = None

    def add(self, beat: Beats) -> None:
        """The next heartbeat."""
        last = self._last
        if last is not None and (last.run, last.to_s, last.state) == (beat.run, beat.from_s, beat.state):
            refs = (last.refs[0], beat.refs[-1]) if last.refs and beat.refs else last.refs
            self._last = Beats(last.run, last.from_s, beat.to_s, last.state, refs, last.count + beat.count)
            return
        if last is not None:
            self.done.append(last)
        self._last = beat

    def all(self) -> tuple[Beats, ...]:
        """All of them."""
        return (*self.done, self._last) if self._last is not None else tuple(self.done)


def stretches(beats: Sequence[Beats], runs: Sequence[Run], *, now_s: int, every_s: int) -> tuple[Stretch, ...]:
    """What is known of every second from the first run until ``now_s``, in order and without a gap.

    Args:
        beats: of one source, in the order of their chain.
        runs: those that were to watch this source, in the order of the log.
        every_s: how often beats come now; the last one is missed only when the next is overdue by ``LATE_S``.
    """
    if not runs:
        return ()
    order = {run.run: place for place, run in enumerate(runs)}
    found: list[Stretch] = []
    at = min(runs[0].started_s, beats[0].from_s) if beats else runs[0].started_s
    place, heard = 0, False
    edge: tuple[int | bytes, ...] = ()
    for beat in beats:
        here = order.get(beat.run, place)
        if beat.from_s > at:
            gap = _gap(at, beat.from_s, runs[place : here + 1], heard=heard)
            found += _between_beats(gap, (*edge, *beat.refs[:1]))
        if beat.to_s > at:
            found.append(Stretch(max(at, beat.from_s), beat.to_s, beat.state, MEANS[beat.state], beat.refs))
            at = beat.to_s
        place, heard, edge = here, True, beat.refs[-1:]
    if now_s > at:
        found += _between_beats(_end(at, now_s, runs[place:], every_s, heard=heard), edge)
    return tuple(_joined(found))


def _between_beats(found: Iterable[Stretch], edges: tuple[int | bytes, ...]) -> Iterator[Stretch]:
    """Dark time is proved by the beats at its edges, too."""
    for each in found:
        yield replace(each, refs=(*edges, *each.refs)) if each.state is Watch.DARK else each


def _gap(at: int, until: int, runs: Sequence[Run], *, heard: bool) -> Iterator[Stretch]:
    """What happened from ``at`` to the next beat: ``runs`` begin with that of the beat before and end with its own."""
    if heard and len(runs) == 1:
        yield _missing(at, until, runs[0])
    else:
        yield from _between(at, until, runs, resumes=True)


def _end(at: int, now: int, runs: Sequence[Run], every_s: int, *, heard: bool) -> Iterator[Stretch]:
    """What happened since the last beat, which was of the first of ``runs``."""
    last = runs[-1]
    if last.cause is not None:
        yield from _between(at, now, runs, resumes=False)
        return
    alone = len(runs) == 1
    begun = at if alone else min(max(at, last.started_s), now)
    if begun > at:
        yield from _between(at, begun, runs[:-1], resumes=False)
    wait = every_s + LATE_S + (0 if alone and heard else EDGE_S)
    if now <= begun:
        return
    if last.promised and now - begun <= wait:
        yield Stretch(begun, now, Watch.PENDING, MEANS[Watch.PENDING])
    else:
        yield _missing(begun, now, last)


def _between(at: int, until: int, runs: Sequence[Run], *, resumes: bool) -> Iterator[Stretch]:
    """A time in which runs ended or began.

    It is dark where a run had surely begun and not ended, for longer than ``EDGE_S``, and from the last sign of one
    that was cut off, for nobody knows when. ``resumes``: at ``until`` the last of ``runs`` gives its first beat.
    """
    for place, run in enumerate(runs):
        follows = runs[place + 1] if place + 1 < len(runs) else None
        begun = at if place == 0 else min(max(at, run.started_s), until)
        if begun > at:
            yield _rest(at, begun, runs[place - 1], run)
            at = begun
        starts = resumes and follows is None
        if starts:
            end = until
        elif run.explained:
            end = min(max(at, run.stopped_s if run.stopped_s is not None else until), until)
        else:
            end = until if follows is None else min(max(at, follows.started_s), until)
        if end - at > (EDGE_S if starts or run.explained else 0):
            yield _missing(at, end, run)
            at = end
        elif starts and end > at:
            yield Stretch(at, end, Watch.STOPPED, _STARTS, run.refs)
            at = end
    if at < until:
        yield _rest(at, until, runs[-1], None)


def _missing(at: int, until: int, run: Run) -> Stretch:
    """Beats of ``run`` are missing; whether anybody may expect them is what its charter promised."""
    state = Watch.DARK if run.promised else Watch.UNTOLD
    return Stretch(at, until, state, MEANS[state], run.refs)


_STARTS: Final = "It was starting."
_STOPPED: Final = {
    "asked": "It was stopped by those who run it.",
    "sources_ended": "All recordings had come to their end.",
    "charter_ended": "It was starting anew under other rules.",
}


def _rest(at: int, until: int, after: Run, follows: Run | None) -> Stretch:
    """The time after a run that ended as its record says."""
    refs = (*after.refs, *(follows.refs if follows is not None else ()))
    return Stretch(at, until, Watch.STOPPED, _STOPPED.get(str(after.cause), _STARTS), refs)


def _joined(found: Iterable[Stretch]) -> Iterator[Stretch]:
    """Neighbours that say the same, as one."""
    last: Stretch | None = None
    for each in found:
        if last is not None and (last.to_s, last.state, last.why) == (each.from_s, each.state, each.why):
            last = Stretch(last.from_s, each.to_s, last.state, last.why, tuple(dict.fromkeys((*last.refs, *each.refs))))
            continue
        if last is not None:
            yield last
        last = each
    if last is not None:
        yield last


@dataclass(frozen=True, slots=True)
class Tally:
    """How many seconds of ``[from_s, to_s)`` are of each kind. What lies before the first run is in none."""

    from_s: int
    to_s: int
    seen: int = 0
    blind: int = 0
    idle: int = 0
    stopped: int = 0
    dark: int = 0
    untold: int = 0
    pending: int = 0

    @property
    def with_beats(self) -> int:
        """Seconds through which a recorder was there."""
        return self.seen + self.blind + self.idle


def tally(found: Iterable[Stretch], from_s: int, to_s: int) -> Tally:
    """The sums over a window of time."""
    sums = dict.fromkeys(Watch, 0)
    for each in found:
        sums[each.state] += max(0, min(each.to_s, to_s) - max(each.from_s, from_s))
    return Tally(from_s, to_s, **{state.value: seconds for state, seconds in sums.items()})
