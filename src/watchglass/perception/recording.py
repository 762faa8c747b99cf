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
"""Of one source and purpose: a camera that sends more has a shorter past, and a group that is longer is cut."""
MOST_PIECE: Final = 32 * 1024 * 1024
"""A segment that would have more ends before its time, unless it is a single group of pictures."""
LATE_MS: Final = 30_000
"""So late may an incident be told: two groups of pictures, which the gate of a quiet scene held back, and then some."""
_BACK_MS: Final = 2_000
_TOLD_MS: Final = 60_000
_LONGEST_MS: Final = 10_000
"""No picture stands for longer than this, however late the next one comes."""


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

    @property
    def last_ms(self) -> int:
        """Packets come in the order of decoding, which is not that of capture."""
        return max(packet.at_ms for packet in self.packets)


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
    octets: int = 0


class Recording:
    """Keeps what is recorded of one source for one purpose.

    Args:
        before_ms, after_ms: how much is kept around an incident.
        segment_ms: how long a segment is at least, where there is more.
        always: keep everything; then nothing is wanted.

    Attributes:
        dropped: how often pictures were given up because their group was too long for memory.
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
        self._last_ms: int | None = None
        self._broken = False
        self._short = (0, before_ms)
        self._cut_ms: int | None = None
        self.dropped = 0

    @property
    def trouble(self) -> str:
        """Why less is kept than the charter says, at present; empty while nothing is missing."""
        if self._last_ms is None:
            return ""
        if self._cut_ms is not None and self._last_ms - self._cut_ms <= _TOLD_MS:
            return "original video is not kept without gaps: the camera sends too few keyframes"
        at_ms, reach_ms = self._short
        if reach_ms >= self._before_ms or self._last_ms - at_ms > _TOLD_MS:
            return ""
        return (
            f"of the time before an incident only {reach_ms / 1000:.0f} s are remembered, not "
            f"{self._before_ms / 1000:.0f}: the camera sends too much for memory"
        )

    def want(self, analytic: str, incident: str, at_ms: int) -> None:
        """Keep what lies around ``at_ms``."""
        if not self._always:
            self._wants.append(_Want(at_ms - self._before_ms, at_ms + self._after_ms, analytic, incident))

    def keep(self, packet: Packet) -> Iterator[Kept]:
        """Remember a packet; the segments that are complete with it."""
        if packet.keyframe:
            if self._last_ms is not None and packet.at_ms < self._last_ms - _BACK_MS:
                yield from self._set_back()
            if self._broken:
                yield from self.finish(packet.at_ms)
                self._places += 1  # so nothing of before the break is put together with what comes
                self._broken = False
            yield from self._close(packet.at_ms)
            self._growing = _Group([], self._places)
            self._places += 1
        self._last_ms = packet.at_ms if self._last_ms is None else max(self._last_ms, packet.at_ms)
        if self._growing is None:  # nobody could decode what comes before the next keyframe
            self._forget(packet.at_ms)
            return
        self._growing.packets.append(packet)
        self._growing.octets += packet.size
        self._octets += packet.size
        if self._octets > MOST_BYTES:
            yield from self._shrink(packet.at_ms)

    def finish(self, now_ms: int | None = None) -> Iterator[Kept]:
        """The stream ended or broke: what is wanted of it, with what there is. What comes next begins anew.

        What nobody wants yet is remembered as before: that the camera was lost, for example, is an incident that is
        told some seconds later. So call ``idle`` from then on, once a second, for as long as nothing comes.

        Args:
            now_ms: the time now; that of the last packet by default.
        """
        if self._last_ms is None:
            return
        yield from self._close(max(self._last_ms, now_ms or 0), until_ms=0)
        yield from self._emit()
        self._broken = True

    def idle(self, now_ms: int) -> Iterator[Kept]:
        """Nothing comes. Of a stream that broke, what is wanted meanwhile; one that is only silent may go on."""
        if self._broken:
            yield from self.finish(now_ms)

    def begin_anew(self) -> None:
        """What comes next is of another stream. What is wanted of it is still wanted."""
        self._growing = None
        self._forget_groups()
        self._broken = False

    def clear(self) -> None:
        """Nothing may be looked at: forget everything at once."""
        self.begin_anew()
        self._wants.clear()
        self._segment = _Segment(None)

    def _set_back(self) -> Iterator[Kept]:
        """The clock was set back: times of before and of now cannot be compared. What was wanted is kept until here."""
        yield from self.finish()
        self.clear()
        self._last_ms = self._cut_ms = None
        self._short = (0, self._before_ms)

    def _forget_groups(self) -> None:
        self._groups.clear()
        self._octets = 0

    def _close(self, at_ms: int, until_ms: int | None = None) -> Iterator[Kept]:
        """The group that grew is whole: ``at_ms`` is the time now, and of what follows but for ``until_ms``."""
        growing, self._growing = self._growing, None
        if growing is not None:
            last, follows = growing.last_ms, at_ms if until_ms is None else until_ms
            growing.until_ms = max(min(follows, last + _LONGEST_MS), last + 1)
            self._groups.append(growing)
        if self._wants or self._always:
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
            full = self._segment.octets + group.octets > MOST_PIECE
            if groups and (full or groups[-1].place + 1 != group.place):
                yield from self._emit()
            if not self._segment.groups:
                self._segment = _Segment(want)
            self._segment.groups.append(group)
            self._segment.octets += group.octets
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
        while self._groups and self._groups[0].until_ms <= now_ms - self._before_ms - LATE_MS:
            self._octets -= self._groups.popleft().octets

    def _shrink(self, now_ms: int) -> Iterator[Kept]:
        """Memory is short: the oldest go first; a group that is too long by itself ends here, and its rest is lost."""
        while self._octets > MOST_BYTES and self._groups:
            self._octets -= self._groups.popleft().octets
            oldest = self._groups[0] if self._groups else self._growing
            self._short = now_ms, now_ms - (oldest.from_ms if oldest else now_ms)
        if self._octets > MOST_BYTES and self._growing is not None:
            self.dropped, self._cut_ms = self.dropped + 1, now_ms
            yield from self._close(now_ms)
