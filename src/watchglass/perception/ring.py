"""The last seconds of coded video, in memory only, for the mosaicked clips of incidents."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from watchglass.perception.observation import Tracks
from watchglass.perception.ports import Packet

_MOST_BYTES: Final = 48 * 1024 * 1024
_PATIENCE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class ClipOrder:
    """What a clip is made of. Goes to the worker, never to the house: the packets are the unmasked original.

    Attributes:
        incident: the incident's id.
        packets: begin with a keyframe; may begin before ``start_ms``.
        tracks: where things were, over the whole time.
        whole: False while the clip is still being filmed: these are its packets so far, to be decoded beforehand. It
            has no tracks then, and the whole order follows, unless the source is told to forget.
    """

    incident: str
    source: str
    start_ms: int
    end_ms: int
    packets: tuple[Packet, ...]
    tracks: tuple[Tracks, ...]
    whole: bool = True


class Ring:
    """Keeps packets and tracks for ``before_ms`` and cuts clips out of them.

    Args:
        before_ms: how far back a clip may begin.
    """

    def __init__(self, source: str, before_ms: int, after_ms: int) -> None:
        self._source = source
        self._before_ms = before_ms
        self._after_ms = after_ms
        self._packets: deque[Packet] = deque()
        self._tracks: deque[Tracks] = deque()
        self._bytes = 0
        self._wanted: list[tuple[str, int]] = []
        self._begun: set[str] = set()
        self._held: dict[str, int] = {}

    def clear(self) -> None:
        """Forget everything at once."""
        self._packets.clear()
        self._tracks.clear()
        self._wanted.clear()
        self._begun.clear()
        self._held.clear()
        self._bytes = 0

    def cut_off(self) -> None:
        """Forget the packets: what comes next does not go on from them. Where things were still holds."""
        self._packets.clear()
        self._bytes = 0

    def keep(self, packet: Packet) -> list[ClipOrder]:
        """Remember a packet; the clips that are complete with it, and the beginnings of those that are not yet.

        A clip is begun as soon as it is wanted, and again at each keyframe.
        """
        self._packets.append(packet)
        self._bytes += packet.size
        orders = [*self._complete(packet.at_ms), *self._begin(packet)] if self._wanted else []
        if packet.keyframe or self._bytes > _MOST_BYTES:
            self._trim(packet.at_ms)
        return orders

    def _complete(self, now_ms: int) -> list[ClipOrder]:
        done = [(i, at) for i, at in self._wanted if now_ms >= at + self._after_ms]
        orders = [self._cut(i, at) for i, at in done]
        self._wanted = [w for w in self._wanted if w not in done]
        return orders

    def _begin(self, packet: Packet) -> list[ClipOrder]:
        self._begun &= {i for i, _ in self._wanted}
        begun = [(i, at) for i, at in self._wanted if packet.keyframe or i not in self._begun]
        self._begun.update(i for i, _ in begun)
        return [self._cut(i, at, whole=False) for i, at in begun]

    def saw(self, tracks: Tracks) -> None:
        """Remember where things are. A clip whose packets do not come is not waited for for ever."""
        self._tracks.append(tracks)
        waited = tracks.at_ms - self._after_ms - _PATIENCE_MS
        self._wanted = [(i, at) for i, at in self._wanted if at > waited]
        self._trim_tracks(tracks.at_ms)

    def want(self, incident: str, at_ms: int) -> None:
        """Ask for the clip around ``at_ms``."""
        self._wanted.append((incident, at_ms))

    def hold(self, identity: str, at_ms: int) -> None:
        """Keep what a clip around ``at_ms`` takes, which may never be wanted; said again, it is around another time."""
        self._held[identity] = at_ms

    def release(self, identity: str) -> None:
        """What was held is not wanted."""
        self._held.pop(identity, None)

    def cut(self, identity: str) -> ClipOrder | None:
        """The clip of what is held, with what there is of it; None where nothing is held."""
        at_ms = self._held.get(identity)
        return None if at_ms is None else self._cut(identity, at_ms)

    def finish(self) -> list[ClipOrder]:
        """The clips that still wait, with what there is."""
        orders = [self._cut(i, at) for i, at in self._wanted]
        self._wanted = []
        return orders

    def _cut(self, incident: str, at_ms: int, *, whole: bool = True) -> ClipOrder:
        start, end = at_ms - self._before_ms, at_ms + self._after_ms
        packets = [p for p in self._packets if p.at_ms <= end]
        keys = [i for i, p in enumerate(packets) if p.keyframe]
        # What lies before the first keyframe that is shown would have to be decoded too: rather begin a little later.
        soon = [i for i in keys if start <= packets[i].at_ms <= start + self._before_ms // 2]
        earlier = [i for i in keys if packets[i].at_ms <= start]
        first = soon[0] if soon else earlier[-1] if earlier else 0
        tracks = tuple(t for t in self._tracks if whole and start - 1000 <= t.at_ms <= end + 1000)
        return ClipOrder(incident, self._source, start, end, tuple(packets[first:]), tracks, whole)

    def _trim(self, now_ms: int) -> None:
        """Drop whole groups of pictures that no clip can need any more, and more where memory is short."""
        oldest = min([*(at for _, at in self._wanted), *self._held.values()], default=now_ms) - self._before_ms
        useful = 0
        for i, packet in enumerate(self._packets):
            if packet.at_ms > oldest:
                break
            useful = i if packet.keyframe else useful
        for _ in range(useful):
            self._bytes -= self._packets.popleft().size
        while self._bytes > _MOST_BYTES and len(self._packets) > 1:
            self._bytes -= self._packets.popleft().size
        self._trim_tracks(now_ms)

    def _trim_tracks(self, now_ms: int) -> None:
        oldest = min([*(at for _, at in self._wanted), *self._held.values()], default=now_ms) - self._before_ms
        while self._tracks and self._tracks[0].at_ms < oldest - 2000:
            self._tracks.popleft()
