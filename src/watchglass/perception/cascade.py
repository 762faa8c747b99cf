"""How much of a stream is decoded: one keyframe and a glance or two of a quiet scene, everything of a busy one.

Shut: the packets of the current group of pictures are held in memory; its keyframe is decoded and compared with the
scene, and about once a second a single picture in between is glanced at. When either shows something, the gate opens
and decoding starts from the group held in memory, so what was already received is not lost. It closes when nothing
has moved for a while. A stream whose keyframes lie too far apart to hold a group in memory, or whose
spacing is not known yet, is decoded wholly.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from watchglass.core.errors import BadInput
from watchglass.core.geometry import BoolArray
from watchglass.perception.gate import Gate
from watchglass.perception.glance import Glances
from watchglass.perception.ports import Decoder, Insight, Packet, Picture

LONGEST_GROUP_MS: Final = 12_000
"""Keyframes further apart than this cannot gate: opening would have to decode too much at once."""

LONGEST_UNSEEN_MS: Final = 4_500
"""Nor can keyframes further apart than this where glances show little: somebody could walk through unseen."""

MOST_HELD_BYTES: Final = 24 * 1024 * 1024

LOOK_MS: Final = 450
"""Keyframes closer together than this are not all looked at."""

QUIET_MS: Final = 2_000
_LEAST_MS: Final = 1_000
"""For so long from its opening on the gate stays open, whatever shows."""

_AGAIN_MS: Final = 450
_GROUPS: Final = 4
_BLIND: Final = 8
_MINUTE_S: Final = 60
_PASSED_MS: Final = 2_500
"""Keyframes further apart than this are all looked at."""

_SETTLED: Final = 10

Busy = Callable[[], BoolArray | None]


def _nowhere() -> BoolArray | None:
    return None


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Look:
    """A picture to look at.

    Attributes:
        open: everything is being decoded.
        past: it was held in memory before.
        breaks: it cannot be compared with the one before, which was less exact in another way.
    """

    picture: Picture
    open: bool
    past: bool = False
    breaks: bool = False


class OpenShare:
    """For how much of the last minute everything was decoded, by packets. Counted in whole seconds."""

    def __init__(self) -> None:
        self._seconds: deque[list[int]] = deque()

    def saw(self, at_ms: int, *, is_open: bool) -> None:
        """Count a packet."""
        second = at_ms // 1000
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append([second, 0, 0])
            while self._seconds[0][0] < second - _MINUTE_S:
                self._seconds.popleft()
        last = self._seconds[-1]
        last[1] += 1
        last[2] += is_open

    @property
    def share(self) -> float:
        """0..1; 0 where nothing came."""
        return sum(second[2] for second in self._seconds) / max(1, sum(second[1] for second in self._seconds))


class Cascade:
    """Decides what of one stream is decoded.

    Args:
        decoder: decodes this stream.
        always_open: decode everything, whatever the gate says.
        quiet_ms: stay open for so long after the last motion.
        exact: whether pictures must be exact at present; asked at keyframes.

    Attributes:
        decoded: pictures that were decoded, glances included.
        damaged: packets that could not be decoded.
        orphans: packets that were left out because the keyframe that they rest on was damaged, or never came.
        overflows: how often a group became too long to be held, so that the gate was opened for it.
        passed: keyframes that were not looked at because packets said that nothing had changed.
        attentive: look at every keyframe; whoever looks sets it.
        openings, false_openings: how often the gate was opened because something showed, and how often then nothing
            moved and nothing was found.
    """

    def __init__(
        self,
        decoder: Decoder,
        *,
        always_open: bool = False,
        quiet_ms: int = QUIET_MS,
        exact: Callable[[], bool] = _always,
    ) -> None:
        self.gate = Gate()
        self.decoded = 0
        self.damaged = 0
        self.orphans = 0
        self.overflows = 0
        self.passed = 0
        self.attentive = False
        self.openings = 0
        self.false_openings = 0
        self._decoder = decoder
        self._flawed = 0
        self._exact = exact
        self._exactly = True
        self._glances = Glances()
        self._blind = 0
        self._always_open = always_open
        self._quiet_ms = quiet_ms
        self._open = True
        self._open_until = 0
        self._seen_until: int | None = None
        self._quiet_looks = 0
        self._passed = False
        self._opened = ""
        self._stirred = False
        self._stirred_ms = -(10**9)
        self._group: list[Packet] = []
        self._former: list[Packet] = []
        self._bytes = 0
        self._keyframe_ms: int | None = None
        self._breaks_ms: int | None = None
        self._groups: deque[int] = deque(maxlen=_GROUPS)
        self._waiting = True

    @property
    def is_open(self) -> bool:
        """Whether everything is decoded."""
        return self._open

    @property
    def flawed(self) -> int:
        """Pictures that were looked at though a part of them was damaged or missing."""
        return self._flawed + self._decoder.flawed

    @property
    def group_ms(self) -> int | None:
        """From one keyframe to the next, as seen last."""
        return self._groups[-1] if self._groups else None

    def words(self) -> str:
        """How the gate works at present."""
        if self._always_open:
            return "always open: the charter says so"
        if not self._groups:
            return "open: the distance of keyframes is not known yet"
        longest = max(self._groups)
        if longest > self._longest_ms:
            return f"always open: keyframes are {longest / 1000:.1f} s apart, too far to wait for"
        parts = [f"keyframes every {self._groups[-1] / 1000:.1f} s"]
        if self._insight:
            parts.append("glances between them" if self._insight is Insight.CLEAR else "faint glances between them")
        if self._glances.trigger.off:
            parts.append("packet sizes misfired and are not asked for now")
        if self.passed:
            parts.append("some passed over while packets say that nothing changes")
        if self.openings:
            parts.append(f"{self.false_openings} of {self.openings} openings false")
        return ", ".join(parts)

    @property
    def _insight(self) -> Insight:
        return self._decoder.insight if self._blind < _BLIND else Insight.NONE

    @property
    def _longest_ms(self) -> int:
        return LONGEST_GROUP_MS if self._insight is Insight.CLEAR else LONGEST_UNSEEN_MS

    def reset(self) -> None:
        """Forget packets and pictures, not the scene (a loop's seam, a lapsed lease)."""
        self._decoder.drain()
        self._hold()
        self._keyframe_ms = self._seen_until = None
        self._waiting = True

    def decode_with(self, decoder: Decoder) -> None:
        """Use another decoder from the next packet on."""
        self._flawed += self._decoder.flawed
        self._decoder = decoder
        self._exactly = True
        self._blind = 0
        self._groups.clear()
        self._waiting = True

    def stir(self, at_ms: int) -> None:
        """Something moves at ``at_ms``: stay open for a while, if it did so just before too (noise does not)."""
        if 0 <= at_ms - self._stirred_ms <= _AGAIN_MS:
            self._open_until = max(self._open_until, at_ms + self._quiet_ms)
            self._stirred = True
        self._stirred_ms = at_ms

    def feed(self, packet: Packet, busy: Busy = _nowhere) -> Iterator[Look]:
        """The pictures to look at because of this packet. Must be taken to the end.

        Args:
            packet: the next of the stream.
            busy: says where tracks are, if the gate asks.
        """
        if self._waiting and not packet.keyframe:
            self.orphans += 1
            return
        self._waiting = False
        if packet.keyframe:
            self._pace(packet)
        if self._open:
            yield from self._feed_open(packet, busy)
        elif packet.keyframe and (not self._group or packet.at_ms - self._group[0].at_ms >= LOOK_MS):
            yield from self._feed_keyframe(packet, busy)
        else:
            yield from self._feed_between(packet)

    def _pace(self, packet: Packet) -> None:
        if self._keyframe_ms is not None:
            self._groups.append(packet.at_ms - self._keyframe_ms)
        self._keyframe_ms = packet.at_ms

    def _hold(self, *group: Packet, former: list[Packet] | None = None) -> None:
        """Hold these packets and no others."""
        self._group, self._former = list(group), former or []
        self._bytes = sum(packet.size for packet in (*self._group, *self._former))

    # ---- open ------------------------------------------------------------------------------------------------------

    def _may_close(self, packet: Packet) -> bool:
        """Only where waiting for the next keyframe is possible, and the scene is known."""
        return (
            not self._always_open
            and packet.at_ms > self._open_until
            and (packet.keyframe or self._holds_group)
            and self.gate.primed
            and bool(self._groups)
            and max(self._groups) <= self._longest_ms
        )

    @property
    def _holds_group(self) -> bool:
        """Whether decoding could begin anew at the keyframe of the group that is being decoded."""
        return bool(self._group) and self._group[0].keyframe and self._bytes <= MOST_HELD_BYTES

    def _feed_open(self, packet: Packet, busy: Busy) -> Iterator[Look]:
        if self._may_close(packet):
            for picture in self._decoder.drain():
                self.decoded += 1
                yield self._look(picture, None)
            self._close(packet, busy)
            return
        if packet.keyframe:
            self._hold(packet)
        elif self._holds_group:
            self._group.append(packet)
            self._bytes += packet.size
        if packet.keyframe and self._exact() != self._exactly:
            for picture in self._decoder.drain():
                self.decoded += 1
                yield self._look(picture, None)
            self._set_exactly()
        for picture in self._decode(packet):
            yield self._look(picture, packet)

    def _close(self, packet: Packet, busy: Busy) -> None:
        self._open = False
        self._hold(*([] if packet.keyframe else self._group), packet)
        self._glances.begin(packet)
        self._glances.calm = False
        if self._opened:
            real = self._stirred or busy() is not None
            self.openings += 1
            self.false_openings += not real
            if self._opened == "glance":
                self._glances.turned_out(real=real)
            elif not real:
                self.gate.accept()
        self._opened = ""

    # ---- shut ------------------------------------------------------------------------------------------------------

    def _feed_keyframe(self, packet: Packet, busy: Busy) -> Iterator[Look]:
        passes = self._may_pass(packet) and busy() is None
        self._hold(packet, former=self._group)
        self._glances.begin(packet, passed=passes)
        if passes:
            self.passed += 1
            self._passed = True
            return
        self._passed = False
        self._set_exactly()
        try:
            picture = self._decoder.alone(packet)
        except BadInput:
            self.damaged += 1
            return
        if picture is None:
            return
        self.decoded += 1
        if self.gate.look(packet.at_ms, picture.luma(), busy()):
            yield from self._catch_up([*self._former, packet], "keyframe")
        else:
            self._quiet_looks += 1
            yield Look(picture, open=False)

    def _may_pass(self, packet: Packet) -> bool:
        """Only if the one before was looked at, and nothing can have come since."""
        return (
            bool(self._group)
            and self._glances.calm
            and not self._passed
            and not self.attentive
            and self._quiet_looks >= _SETTLED
            and self._insight is Insight.CLEAR
            and packet.at_ms - self._group[0].at_ms <= _PASSED_MS
        )

    def _feed_between(self, packet: Packet) -> Iterator[Look]:
        self._group.append(packet)
        self._bytes += packet.size
        if packet.at_ms - self._group[0].at_ms > self._longest_ms or self._bytes > MOST_HELD_BYTES:
            self.overflows += 1
            self._groups.append(packet.at_ms - self._group[0].at_ms)
            yield from self._catch_up(self._group, "")
        elif self._insight and not packet.keyframe:
            at = self._glances.consider(packet, self._decoder.weigh(packet))
            if at is not None and self._glance(at):
                yield from self._catch_up(self._group, "glance")

    def _glance(self, packet: Packet) -> bool:
        changes = self._decoder.glance(self._group[0], packet)
        if changes is None:
            self._blind += 1
            return False
        self._blind = 0
        self.decoded += 1
        return self._glances.judge(packet.at_ms, changes)

    def _catch_up(self, packets: list[Packet], why: str) -> Iterator[Look]:
        """Decode what was held, and go on open from there."""
        self._open = True
        self._passed, self._quiet_looks = False, 0
        self._opened, self._stirred = why, False
        self._open_until = packets[-1].at_ms + _LEAST_MS
        self._decoder.drain()
        self._set_exactly()
        held = list(packets)
        newest = max(i for i, packet in enumerate(held) if packet.keyframe or not i)
        self._hold(*held[newest:])
        for packet in held:
            for picture in self._decode(packet):
                if self._seen_until is None or picture.at_ms > self._seen_until:
                    yield self._look(picture, packet, past=packet is not held[-1])

    # ---- decoding --------------------------------------------------------------------------------------------------

    def _look(self, picture: Picture, packet: Packet | None, *, past: bool = False) -> Look:
        """Errors add up from keyframe to keyframe, and vanish at once."""
        self._seen_until = picture.at_ms
        if packet is not None and packet.keyframe:
            self._breaks_ms = packet.at_ms
        breaks = not self._exactly and self._breaks_ms is not None and picture.at_ms >= self._breaks_ms
        if breaks:
            self._breaks_ms = None
        return Look(picture, open=True, past=past, breaks=breaks)

    def _set_exactly(self) -> None:
        self._exactly = self._exact()
        self._decoder.exactly(self._exactly)

    def _decode(self, packet: Packet) -> Iterator[Picture]:
        try:
            for picture in self._decoder.decode(packet):
                self.decoded += 1
                yield picture
        except BadInput:
            self.damaged += 1
            self._waiting = True
