"""Live video through PyAV: RTSP and MJPEG cameras and webcams, each read in a thread of its own.

The thread connects, reads and stamps packets; whoever looks takes them from a bounded backlog and is never made to
wait. A stream is one connection: once it has failed it stays so, and a new one is made.
"""

from __future__ import annotations

import struct
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final, cast

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from watchglass.core.errors import BadInput
from watchglass.core.time import SECOND, Clock
from watchglass.edge.address import shown
from watchglass.edge.backlog import Backlog
from watchglass.edge.camera_plan import NOTHING_CAME, OPEN_S, Plan, meaning, opened
from watchglass.edge.camera_time import CameraTime
from watchglass.edge.footage import ScaledDecoder
from watchglass.edge.fragments import Coded
from watchglass.edge.hardware import hardware_for
from watchglass.edge.limits import check_codec, check_size
from watchglass.edge.video import Areas, NeverSee, VideoDecoder
from watchglass.perception.ports import Decoder, Packet

_IN_GROUPS: Final = ("h264", "hevc")
_EARLY_MS: Final = 300
_EARLY: Final = 300
_RATE_OF: Final = 60
_RATE_LEAST: Final = 12
_GAP: Final = 1.8
_SLICE_MS: Final = 1 * SECOND
_PRFT: Final = struct.Struct("=q")

if TYPE_CHECKING:
    CameraPacket = av.Packet[VideoStream]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a stream turned out to be; ``fps`` as it states it, 0 where it does not."""

    width: int
    height: int
    fps: float
    codec: str
    extradata: bytes | None
    pixels: str | None = None


@dataclass(slots=True)
class _Arrived:
    """A packet, its stamp and the camera's time where it has them, and when it was read."""

    packet: CameraPacket
    stamp_ms: float | None
    camera_ms: float | None
    at_ms: int


class LiveStream:
    """One connection to a camera. Opening does not block: ``shape`` is None until the camera has answered.

    Args:
        plan: from ``plan_of``.
        clock: tells when packets arrive.
        never_see: polygons that its pictures hide.
        times: places its packets in time; by default by this stream alone.
        hardware: decode on hardware where there is any.
    """

    live = True
    over = False

    def __init__(
        self,
        plan: Plan,
        clock: Clock,
        *,
        never_see: Areas = (),
        times: CameraTime | None = None,
        hardware: bool = False,
    ) -> None:
        self.shape: Shape | None = None
        self.coded: Coded | None = None
        self.cpu_seconds = 0.0
        self._plan = plan
        self._clock = clock
        self._never_see = never_see
        self._times = times or CameraTime()
        self._hardware = hardware
        self._decodes = ""
        self._backlog = Backlog()
        self._recent: deque[int] = deque(maxlen=_RATE_OF)
        self._failure: str | None = None
        self._closed = False
        self._damaged = 0
        self._missing = 0.0
        self._newest: float | None = None
        self._steps: deque[float] = deque(maxlen=_RATE_OF)
        self._began_ms = self._heard_ms = clock.now()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    # ---- what a source asks ------------------------------------------------------------------------------------------

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) as the stream says at its beginning; None until the camera has answered."""
        return None if self.shape is None else (self.shape.width, self.shape.height)

    @property
    def fps(self) -> float:
        """Pictures a second: as they come, once enough have come; else as stated, else 25."""
        recent = list(self._recent)
        if len(recent) >= _RATE_LEAST and max(recent) - min(recent) >= _SLICE_MS:
            return round((len(recent) - 1) * 1000 / (max(recent) - min(recent)), 2)
        return self.shape.fps if self.shape and self.shape.fps else 25.0

    @property
    def dropped(self) -> dict[str, int]:
        """Lost work per cause: what gave way in the backlog, what the camera or the net left out, what came damaged."""
        counts = {
            "queue_ms": self._backlog.lost_ms,
            "missing_ms": round(self._missing),
            "damaged_packets": self._damaged,
        }
        return {name: count for name, count in counts.items() if count}

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to know about the stream."""
        times = self._times.note if self._plan.stamped else "times of arrival: this kind of camera sends none"
        return tuple(note for note in (times, self._decodes) if note)

    @property
    def clock_ms(self) -> int | None:
        """How far the camera's clock is ahead of this machine's; None where it has none."""
        return self._times.ahead_ms if self._plan.stamped else None

    def take(self) -> Packet | None:
        """The next packet; None while there is none. What arrived before the connection broke comes first.

        Raises:
            BadInput: the connection has failed, and everything that arrived was taken.
        """
        failure = self._failure
        packet = self._backlog.take()
        if packet is None and failure is not None:
            raise BadInput(
                failure, fix="Check the camera, its address and the net between; it is tried again by itself."
            )
        return packet

    def silent_ms(self, now_ms: int) -> int:
        """For how long nothing has arrived."""
        return max(0, now_ms - self._heard_ms)

    def decoder(self, shown_as: tuple[int, int] | None = None) -> Decoder:
        """A new decoder for this stream's packets, on hardware if that was asked for and can be had.

        Args:
            shown_as: the (width, height) that its pictures pretend to have, on which ``never_see`` was drawn.
        """
        shape = self.shape
        assert shape is not None
        found: HWAccel | None = None
        if self._hardware:
            found, self._decodes = hardware_for(shape.codec)
        size = (shape.width, shape.height)
        hidden = NeverSee(_scaled(self._never_see, shown_as or size, size))
        decoder = VideoDecoder(shape.codec, shape.extradata, size, hidden, pixels=shape.pixels, hardware=found)
        return decoder if shown_as is None else ScaledDecoder(decoder, size, shown_as)

    def close(self) -> None:
        """Forget what waits, and end; the thread follows when the camera next lets go of it."""
        self._closed = True
        self._backlog.clear()

    # ---- in the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        began = time.monotonic()
        try:
            with opened(self._plan) as container:
                self._read(container)
            self._failure = f"{self._name} ended the stream."
        except BadInput as error:
            self._failure = error.message
        except (FFmpegError, OSError) as error:
            # Cut off in the middle of an answer, FFmpeg blames the answer.
            waited = self.shape is None and time.monotonic() - began >= OPEN_S
            self._failure = f"{self._name} {NOTHING_CAME if waited else meaning(error)}."
        except Exception as error:  # noqa: BLE001 # its text may hold the address
            self._failure = f"{self._name} failed ({type(error).__name__})."

    @property
    def _name(self) -> str:
        return shown(self._plan.address)

    def _read(self, container: InputContainer) -> None:
        if not container.streams.video:
            raise BadInput(f"{self._name} sends no video.", fix="Name a stream that has a picture.")
        stream = container.streams.video[0]
        shape = self._shape(stream)
        self.coded = Coded(stream)
        self.shape = shape
        early: list[_Arrived] | None = []
        try:
            for count, packet in enumerate(self._whole(container.demux(stream))):
                if self._closed:
                    return
                if count % _RATE_LEAST == 0:
                    self.cpu_seconds = time.thread_time()
                if not packet.size:
                    continue
                early = self._sort_in(self._arrived(packet), early)
        finally:
            self._keep_early(early or [])

    def _whole(self, packets: Iterable[CameraPacket]) -> Iterator[CameraPacket]:
        """Whole pictures: some senders cut one into two packets of the same stamp (at each keyframe, for example).

        Once that was seen, each packet is held until the next shows that it was whole.
        """
        held: CameraPacket | None = None
        former: CameraPacket | None = None
        splits = False
        for packet in packets:
            same = former is not None and self._groups and _same_picture(former, packet)
            splits = splits or same
            hold = splits or former is None
            former = packet
            if held is not None and same:
                held = _joined(held, packet)
                continue
            if held is not None:
                yield held
            held = packet if hold else None
            if not hold:
                yield packet
        if held is not None:
            yield held

    def _sort_in(self, arrived: _Arrived, early: list[_Arrived] | None) -> list[_Arrived] | None:
        """Keep a packet; the first ones wait a moment, and what still waits is returned.

        What the camera or FFmpeg held back comes at once: the last of it shows how old the first is.
        """
        if early is None:
            self._keep(arrived)
            return None
        early.append(arrived)
        self._times.learn(arrived.stamp_ms, arrived.at_ms)
        if arrived.at_ms - early[0].at_ms < _EARLY_MS and len(early) < _EARLY:
            return early
        self._keep_early(early)
        return None

    def _shape(self, stream: VideoStream) -> Shape:
        context = stream.codec_context
        # A device of this machine is believed about its codec; what answers in a network is not.
        codec = check_codec(self._name, context) if "://" in self._plan.address else context.name
        if not (stream.width and stream.height):
            raise BadInput(f"{self._name} sends no picture that can be read.", fix="Check the camera's settings.")
        check_size(self._name, stream.width, stream.height)
        fps = float(stream.average_rate or stream.guessed_rate or 0) if self._plan.stamped else 0.0
        pixels = context.pix_fmt if codec == "rawvideo" else None
        return Shape(stream.width, stream.height, fps, codec, context.extradata, pixels)

    def _arrived(self, packet: CameraPacket) -> _Arrived:
        now = self._heard_ms = self._clock.now()
        self._damaged += bool(packet.is_corrupt)
        stamp = packet.pts if packet.pts is not None else packet.dts
        stamp_ms = None if stamp is None or not self._plan.stamped else float(stamp * packet.time_base * 1000)
        return _Arrived(packet, stamp_ms, _camera_ms(packet), now)

    def _keep_early(self, early: list[_Arrived]) -> None:
        """The first packets of a connection may have no stamp; they were taken before those that have one."""
        unstamped = [each for each in early if each.stamp_ms is None]
        stamps = [each.stamp_ms for each in early if each.stamp_ms is not None]
        step = 1000 / self.fps
        for i, each in enumerate(unstamped):
            if stamps:
                each.stamp_ms = min(stamps) - step * (len(unstamped) - i)
        for each in early:
            self._keep(each)

    def _keep(self, arrived: _Arrived) -> None:
        packet = arrived.packet
        placed = self._times.place(arrived.stamp_ms, arrived.camera_ms, arrived.at_ms)
        self._note_gap(arrived.stamp_ms, anew=bool(placed.jumped_ms))
        self._recent.append(placed.at_ms)
        keyframe = bool(packet.is_keyframe) or not self._groups
        self._backlog.put(Packet(placed.at_ms, keyframe, packet.size, packet, jumped_ms=placed.jumped_ms))

    def _note_gap(self, stamp: float | None, *, anew: bool) -> None:
        """Pictures that are missing between two, because the camera did not send them or the net lost them."""
        if stamp is None:
            return
        step = None if anew or self._newest is None else stamp - self._newest
        if step is not None and step <= 0:
            return
        self._newest = stamp
        if step is None:
            return
        if len(self._steps) >= _RATE_LEAST:
            usual = median(self._steps)
            self._missing += step - usual if step > _GAP * usual else 0.0
        self._steps.append(step)

    @property
    def _groups(self) -> bool:
        """Whether pictures refer to each other."""
        return self.shape is not None and self.shape.codec in _IN_GROUPS


def _same_picture(first: CameraPacket, second: CameraPacket) -> bool:
    """Whether two packets in a row are parts of one; the first of a connection may have no stamp."""
    if not second.size or second.pts is None:
        return False
    return first.pts == second.pts or (first.pts is None and first.is_keyframe and second.is_keyframe)


def _joined(first: CameraPacket, second: CameraPacket) -> CameraPacket:
    """Two parts of one picture as one packet."""
    whole = cast("CameraPacket", av.Packet(bytes(first) + bytes(second)))
    whole.pts, whole.dts, whole.time_base = second.pts, second.dts, second.time_base
    whole.is_keyframe = first.is_keyframe or second.is_keyframe
    if second.has_sidedata("prft"):
        whole.set_sidedata(second.get_sidedata("prft"))
    return whole


def _camera_ms(packet: CameraPacket) -> float | None:
    """What the camera's clock showed at this picture: FFmpeg's "producer reference time", from sender reports."""
    if not packet.has_sidedata("prft"):
        return None
    data = bytes(packet.get_sidedata("prft"))
    return _PRFT.unpack_from(data)[0] / 1000 if len(data) >= _PRFT.size else None


def _scaled(areas: Areas, drawn_on: tuple[int, int], size: tuple[int, int]) -> Areas:
    across, down = size[0] / drawn_on[0], size[1] / drawn_on[1]
    return tuple(tuple((x * across, y * down) for x, y in area) for area in areas)
