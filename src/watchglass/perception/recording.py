"""Which coded video is kept: all of it, or what lies around incidents. In memory only; sealing it is somebody else's.

Packets are cut at keyframes into whole groups of pictures, and groups are put together to segments. Nothing is kept
twice: what two incidents have in common goes into one segment, as long as both serve the same purpose.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from watchglass.perception.ports import Packet

MOST_BYTES: Final = 64 * 1024 * 1024
"""Of one source: a camera that sends more has a shorter past, and its packets without a keyframe are given up."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What one segment is made of. Goes to the worker, never to the house: the packets are the original.

    Attributes:
        purpose: the purpose that it is kept for.
        analytic, incident: around whose incident it was kept; None where everything is kept.
        packets: whole groups of pictures, the first a keyframe, without a gap.
        from_ms, to_ms: capture time of the first, and of what came after the last.
    """

    source: str
    purpose: str
    analytic: str | None
    incident: str | None
    packets: tuple[Packet, ...]
    from_ms: int
    to_ms: int


@dataclass(slots=True)
class _Group:
    packets: list[Packet]
    place: int
    octets: int = 0
    until_ms: int = 0

    @property
    def from_ms(self) -> int:
        return self.packets[0].at_ms


@dataclass(frozen=True, slots=True)
class _Want:
    from_ms: int
    to_ms: int
    analytic: str
    incident: str


@dataclass(slots=True)
class _Segment:
    want: _Want | None
    groups: list[_Group] = field(default_factory=list)


class Recording:
    """Keeps what is recorded of one source for one purpose.

    Args:
        before_ms, after_ms: how much is kept around an incident.
        segment_ms: how long a segment is at least, where there is more.
        always: keep everything; then nothing is wanted.
    """

    def __init__(
        self, source: str, purpose: str, *, before_ms: int, after_ms: int, segment_ms: int, always: bool = False
    ) -> None:
        self._source = source
        self._purpose = purpose
        self._before_ms = before_ms
        self._after_ms = after_ms
        self._segment_ms = segment_ms
        self._always = always
        self._groups: deque[_Group] = deque()
        self._growing: _Group | None = None
        self._wants: list[_Want] = []
        self._segment = _Segment(None)
        self._octets = 0
        self._places = 0
        self.dropped = 0

    def want(self, analytic: str, incident: str, at_ms: int) -> None:
        """Keep what lies around ``at_ms``."""
        if not self._always:
            self._wants.append(_Want(at_ms - self._before_ms, at_ms + self._after_ms, analytic, incident))

    def keep(self, packet: Packet) -> Iterator[Kept]:
        """Remember a packet; the segments that are complete with it."""
        if packet.keyframe:
            yield from self._close(packet.at_ms)
            self._growing = _Group([], self._places)
            self._places += 1
        if self._growing is None:  # nobody could decode what comes before the first keyframe
            return
        self._growing.packets.append(packet)
        self._growing.octets += packet.size
        self._octets += packet.size
        if self._octets > MOST_BYTES:
            self._shrink()

    def finish(self, until_ms: int | None = None) -> Iterator[Kept]:
        """The stream ended or broke: what is wanted of it, with what there is. What comes next begins anew."""
        growing = self._growing
        if growing is not None:
            last = growing.packets[-1].at_ms
            yield from self._close(max(last + 1, until_ms or 0))
        yield from self._emit()
        self._growing = None
        self._groups.clear()
        self._octets = 0

    def clear(self) -> None:
        """Nothing may be looked at: forget everything at once."""
        self._groups.clear()
        self._wants.clear()
        self._growing = None
        self._segment = _Segment(None)
        self._octets = 0

    def _close(self, at_ms: int) -> Iterator[Kept]:
        """The group that grew is whole: ``at_ms`` is the time of what follows."""
        growing, self._growing = self._growing, None
        if growing is not None:
            growing.until_ms = max(at_ms, growing.packets[-1].at_ms + 1)
            self._groups.append(growing)
        yield from self._sort()
        self._wants = [want for want in self._wants if want.to_ms > at_ms]
        if not self._wants and not self._always:
            yield from self._emit()
        self._forget(at_ms)

    def _sort(self) -> Iterator[Kept]:
        """Put what is wanted of the past into segments, in order."""
        left: deque[_Group] = deque()
        for group in self._groups:
            want = self._wanted(group)
            if want is None and not self._always:
                left.append(group)
                continue
            self._octets -= group.octets
            groups = self._segment.groups
            if groups and groups[-1].place + 1 != group.place:
                yield from self._emit()
            if not self._segment.groups:
                self._segment = _Segment(want)
            self._segment.groups.append(group)
            if group.until_ms - self._segment.groups[0].from_ms >= self._segment_ms:
                yield from self._emit()
        self._groups = left

    def _wanted(self, group: _Group) -> _Want | None:
        return next(
            (want for want in self._wants if want.from_ms < group.until_ms and want.to_ms > group.from_ms), None
        )

    def _emit(self) -> Iterator[Kept]:
        segment, self._segment = self._segment, _Segment(None)
        if segment.groups:
            want = segment.want
            yield Kept(
                self._source,
                self._purpose,
                want.analytic if want else None,
                want.incident if want else None,
                tuple(packet for group in segment.groups for packet in group.packets),
                segment.groups[0].from_ms,
                segment.groups[-1].until_ms,
            )

    def _forget(self, now_ms: int) -> None:
        while self._groups and self._groups[0].until_ms <= now_ms - self._before_ms:
            self._octets -= self._groups.popleft().octets

    def _shrink(self) -> None:
        """Memory is short: the oldest go first; what has no keyframe for so long is given up."""
        while self._octets > MOST_BYTES and self._groups:
            self._octets -= self._groups.popleft().octets
            self.dropped += 1
        if self._octets > MOST_BYTES and self._growing is not None:
            self._octets -= self._growing.octets
            self._growing = None
            self.dropped += 1
