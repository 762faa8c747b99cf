"""How much of a stream is decoded: one keyframe of a quiet scene, everything of a busy one.

Quiet: packets of the current group of pictures are held in memory and only its keyframe is decoded and compared with
the scene. When the gate opens, decoding starts from the group held in memory, so what was already received is not
lost; it closes when nothing has moved for a while, at the next keyframe. A stream whose keyframes lie too far apart to
wait for (or whose spacing is not known yet) is decoded wholly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from watchglass.core.errors import BadInput
from watchglass.core.geometry import BoolArray
from watchglass.perception.gate import Gate
from watchglass.perception.ports import Decoder, Packet, Picture

LONGEST_GROUP_MS: Final = 4_500
"""Keyframes further apart than this cannot gate: somebody could walk through unseen for too long."""

LOOK_MS: Final = 450
"""Keyframes closer together than this are not all looked at."""

QUIET_MS: Final = 3_000


Busy = Callable[[], BoolArray | None]


def _nowhere() -> BoolArray | None:
    return None


@dataclass(frozen=True, slots=True)
class Look:
    """A picture to look at. ``open`` says that everything is being decoded, ``past`` that it was held in memory."""

    picture: Picture
    open: bool
    past: bool = False


class Cascade:
    """Decides what of one stream is decoded.

    Args:
        decoder: decodes this stream.
        always_open: decode everything, whatever the gate says.
    """

    def __init__(self, decoder: Decoder, *, always_open: bool = False) -> None:
        self.gate = Gate()
        self.decoded = 0
        self.damaged = 0
        self._decoder = decoder
        self._always_open = always_open
        self._open = True
        self._open_until = 0
        self._group: list[Packet] = []
        self._former: list[Packet] = []
        self._keyframe_ms: int | None = None
        self._group_ms: int | None = None
        self._waiting = True
        self._turn = 0

    @property
    def is_open(self) -> bool:
        """Whether everything is decoded."""
        return self._open

    def reset(self) -> None:
        """Forget packets and pictures, not the scene (a loop's seam, a lapsed lease)."""
        self._decoder.drain()
        self._group, self._former = [], []
        self._keyframe_ms = None
        self._waiting = True

    def decode_with(self, decoder: Decoder) -> None:
        """Use another decoder from the next packet on."""
        self._decoder = decoder
        self._waiting = True

    def stir(self, at_ms: int) -> None:
        """Something is going on at ``at_ms``: stay open for a while."""
        self._open_until = max(self._open_until, at_ms + QUIET_MS)

    def feed(self, packet: Packet, busy: Busy = _nowhere) -> Iterator[Look]:
        """The pictures to look at because of this packet. Must be taken to the end.

        Args:
            packet: the next of the stream.
            busy: says where tracks are, if the gate asks.
        """
        if self._waiting and not packet.keyframe:
            return
        self._waiting = False
        if packet.keyframe:
            self._pace(packet)
        if self._open:
            yield from self._feed_open(packet)
        elif packet.keyframe and (not self._group or packet.at_ms - self._group[0].at_ms >= LOOK_MS):
            yield from self._feed_keyframe(packet, busy)
        else:
            self._group.append(packet)
            if packet.at_ms - self._group[0].at_ms > LONGEST_GROUP_MS:
                self._group_ms = None
                yield from self._catch_up(self._group)

    def _pace(self, packet: Packet) -> None:
        if self._keyframe_ms is not None:
            self._group_ms = packet.at_ms - self._keyframe_ms
        self._keyframe_ms = packet.at_ms

    def _may_close(self, packet: Packet) -> bool:
        """Only where waiting for the next keyframe is short, and the scene is known."""
        return (
            not self._always_open
            and packet.keyframe
            and packet.at_ms > self._open_until
            and self.gate.primed
            and self._group_ms is not None
            and self._group_ms <= LONGEST_GROUP_MS
        )

    def _feed_open(self, packet: Packet) -> Iterator[Look]:
        if self._may_close(packet):
            for picture in self._decoder.drain():
                self.decoded += 1
                yield Look(picture, open=True)
            self._open = False
            self._group, self._former = [packet], []
            return
        for picture in self._decode(packet):
            yield Look(picture, open=True)

    def _feed_keyframe(self, packet: Packet, busy: Busy) -> Iterator[Look]:
        self._former, self._group = self._group, [packet]
        try:
            picture = self._decoder.alone(packet)
        except BadInput:
            self.damaged += 1
            return
        if picture is None:
            return
        self.decoded += 1
        if self.gate.look(packet.at_ms, picture.luma(), busy()):
            yield from self._catch_up([*self._former, packet])
        else:
            yield Look(picture, open=False)

    def _catch_up(self, packets: list[Packet]) -> Iterator[Look]:
        """Decode what was held, and go on open from there."""
        self._open = True
        self._decoder.drain()
        self.stir(packets[-1].at_ms)
        held, self._group, self._former = list(packets), [], []
        for packet in held:
            for picture in self._decode(packet):
                yield Look(picture, open=True, past=packet is not held[-1])

    def _decode(self, packet: Packet) -> Iterator[Picture]:
        try:
            for picture in self._decoder.decode(packet):
                self.decoded += 1
                yield picture
        except BadInput:
            self.damaged += 1
            self._waiting = True
