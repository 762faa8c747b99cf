"""When a picture was taken: the camera's own time where it sends one that can be believed, else when it arrived.

Three clocks meet here. *Stamps* count evenly inside one connection and say nothing about the hour. *Camera time* is
what the camera's sender reports (RFC 3550, section 6.4.1) say of a stamp. *Arrival* is this machine's clock when the
packet was read: never too early, and too late by whatever the way here took.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

JUMP_MS: Final = 2_000
"""A clock that is further off, or steps further, is not believed; a step is a fault of the camera."""

_BUCKET_MS: Final = 10_000
_BUCKETS: Final = 6
_SLEW: Final = 0.1


@dataclass(slots=True)
class Correction:
    """What is added to one camera's time to get ours; None while it sends none. Two streams of a camera share it."""

    ms: float | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """When a picture was taken (``at_ms``), and by how much the camera's clock stepped before it, over two seconds."""

    at_ms: int
    jumped_ms: int = 0


class CameraTime:
    """Places the packets of one connection in time.

    Times go on evenly: what is learned later (that the first packets came late, that the camera has a clock) moves
    them by a tenth of the passing time at most, and no picture is later than its arrival.

    Args:
        lead: where the correction of this camera is put, for other streams of it.
        follow: the correction to use, found by another stream of the same camera.
    """

    def __init__(self, *, lead: Correction | None = None, follow: Correction | None = None) -> None:
        self._lead = lead
        self._follow = follow
        self._stamp: float | None = None
        self._arrived = 0
        self._origin: float | None = None
        self._base = 0.0
        self._placed = False
        self._least: deque[tuple[int, float]] = deque()

    @property
    def note(self) -> str:
        """Whose time it is, in words."""
        if self._origin is None or not self._least:
            return "times of arrival: the camera sends none of its own"
        ahead = self._origin - self._floor()
        if abs(ahead) > JUMP_MS:
            return f"times of arrival: the camera's clock is {_span(ahead)} {'ahead' if ahead > 0 else 'behind'}"
        return f"the camera's own times, {abs(round(ahead))} ms {'after' if ahead > 0 else 'before'} arrival"

    @property
    def ahead_ms(self) -> int | None:
        """How far the camera's clock is ahead of this machine's; None where the camera has none.

        As exact as its quickest packets are quick: what a picture needs on its way counts as being behind.
        """
        return None if self._origin is None or not self._least else round(self._origin - self._floor())

    def learn(self, stamp_ms: float | None, arrived_ms: int) -> None:
        """Learn from a packet that is placed later how quickly packets come."""
        if stamp_ms is not None:
            self._note_arrival(arrived_ms, arrived_ms - stamp_ms)

    def place(self, stamp_ms: float | None, camera_ms: float | None, arrived_ms: int) -> Placed:
        """When the packet was taken.

        Args:
            stamp_ms: its stamp, where it has one.
            camera_ms: what the camera's clock showed, milliseconds since the epoch, where it says so.
            arrived_ms: when it was read here.
        """
        if stamp_ms is None:
            return Placed(arrived_ms)
        jumped = self._stepped(stamp_ms, arrived_ms)
        if jumped:
            self._origin, self._placed = None, False
            self._least.clear()
        if camera_ms is not None:
            origin = camera_ms - stamp_ms
            if self._origin is not None and abs(origin - self._origin) > JUMP_MS:
                jumped = round(origin - self._origin)
            self._origin = origin
        self._note_arrival(arrived_ms, arrived_ms - stamp_ms)
        passed = max(0, arrived_ms - self._arrived)
        self._stamp, self._arrived = stamp_ms, arrived_ms
        self._move(passed)
        self._base = min(self._base, arrived_ms - stamp_ms)
        return Placed(round(stamp_ms + self._base), jumped)

    def _stepped(self, stamp: float, arrived: int) -> int:
        """How far the stamps stepped. A pause in sending or in the net is none: arrival pauses with it, or later."""
        if self._stamp is None:
            return 0
        by, waited = stamp - self._stamp, arrived - self._arrived
        if by < -JUMP_MS or (by > JUMP_MS and by - waited > JUMP_MS):
            return round(by - waited)
        return 0

    def _note_arrival(self, arrived: int, offset: float) -> None:
        if not self._least or arrived - self._least[-1][0] >= _BUCKET_MS or arrived < self._least[-1][0]:
            self._least.append((arrived, offset))
            while len(self._least) > _BUCKETS:
                self._least.popleft()
        elif offset < self._least[-1][1]:
            self._least[-1] = (self._least[-1][0], offset)

    def _floor(self) -> float:
        """Arrival less stamp of the quickest packet of the last minute: follows a clock that runs fast or slow."""
        return min(offset for _, offset in self._least)

    def _target(self) -> float:
        floor = self._floor()
        if self._origin is None:
            return floor
        if self._follow is not None and self._follow.ms is not None:
            return self._origin + self._follow.ms
        believed = abs(self._origin - floor) <= JUMP_MS
        target = min(self._origin, floor) if believed else floor
        if self._lead is not None:
            self._lead.ms = target - self._origin
        return target

    def _move(self, passed_ms: int) -> None:
        target = self._target()
        if not self._placed:
            self._base, self._placed = target, True
        most = _SLEW * passed_ms
        self._base += max(-most, min(most, target - self._base))


def _span(ms: float) -> str:
    seconds = abs(ms) / 1000
    for unit, least in (("days", 172_800), ("hours", 7_200), ("minutes", 120)):
        if seconds >= least:
            return f"{seconds / (least / 2):.0f} {unit}"
    return f"{seconds:.1f} s"
