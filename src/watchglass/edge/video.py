"""Video files through PyAV: packets out of a container, pictures out of packets.

Whatever the charter says must never be seen is black in everything that a ``VideoPicture`` gives out; nothing above
this file can reach the planes behind it. (The planes themselves stay as they are: a decoder predicts later pictures
from them, so painting on them would smear.)
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import av
import cv2
import numpy as np
from av.codec.context import Flags
from av.codec.hwaccel import HWAccel
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from watchglass.core.errors import BadInput
from watchglass.core.geometry import FloatArray
from watchglass.edge.fragments import Coded
from watchglass.edge.limits import FILE_OPTIONS, MOST_PIXELS, READ_S, check_codec, check_size, rate
from watchglass.perception.ports import Image, Insight, Packet, stride_of

_MOSTLY: Final = 0.98
_JUMP_BACK: Final = 1.0
_JUMP_ON: Final = 10.0

_INSIGHT: Final = {"h264": Insight.CLEAR, "hevc": Insight.FAINT}
_GREY: Final = 128
_FULL_RANGE: Final = 2
"""FFmpeg's number for luma from 0 to 255."""


_CLOCK: Final = re.compile(r"(\d{1,4}):(\d\d):(\d\d(?:\.\d{1,9})?)")
_WHY: Final = {
    errno.EINVAL: "not a kind of file that is opened here",
    errno.ENOMEM: "it asks for more memory than any picture needs",
    errno.EIO: "it breaks off",
}

Areas = tuple[tuple[tuple[float, float], ...], ...]


class NeverSee:
    """Polygons of a picture that are black before anything looks at it, at whatever scale it is looked at.

    A scaled pixel mixes its neighbours, so a scaled mask is widened by one pixel on every side.
    """

    def __init__(self, areas: Areas) -> None:
        self._areas = areas
        self._masks: dict[tuple[int, int, int, int], NDArray[np.bool_]] = {}

    def __bool__(self) -> bool:
        return bool(self._areas)

    def clear(self, changes: FloatArray, width: int, height: int) -> None:
        """Let nothing have changed in the areas: ``changes`` is strided luma of a (height, width) picture."""
        hidden = np.zeros(changes.shape, np.uint8)
        self.blacken(hidden, width, height, black=1)
        changes[hidden > 0] = 0

    def blacken(self, image: Image, width: int, height: int, black: int = 0) -> None:
        """Paint the areas of a (height, width) picture into ``image``, which may be a scaled copy of it."""
        if not self._areas:
            return
        key = (*image.shape[:2], width, height)
        if key not in self._masks:
            self._masks[key] = self._mask(*key)
        image[self._masks[key]] = black

    def blacken_part(self, image: Image, left: int, top: int, width: int, height: int) -> None:
        """Paint them into a part, in full size, of a (height, width) picture; its first pixel is (left, top)."""
        if not self._areas:
            return
        key = (height, width, width, height)
        if key not in self._masks:
            self._masks[key] = self._mask(*key)
        rows, columns = image.shape[:2]
        image[self._masks[key][top : top + rows, left : left + columns]] = 0

    def _mask(self, rows: int, columns: int, width: int, height: int) -> NDArray[np.bool_]:
        mask = np.zeros((rows, columns), np.uint8)
        scale = np.array([columns / width, rows / height])
        for area in self._areas:
            corners = np.rint(np.array(area) * scale).astype(np.int32)
            cv2.fillPoly(mask, [corners], 1)
            cv2.polylines(mask, [corners], isClosed=True, color=1, thickness=1)
        if (rows, columns) != (height, width):
            mask = cv2.dilate(mask, np.ones((3, 3), np.uint8)).astype(np.uint8)
        return mask.astype(bool)


class VideoPicture:
    """A ``perception.ports.Picture`` on one decoded frame."""

    __slots__ = ("_frame", "_hidden", "at_ms", "height", "width")

    def __init__(self, frame: VideoFrame, at_ms: int, hidden: NeverSee) -> None:
        self._frame = frame
        self._hidden = hidden
        self.at_ms = at_ms
        self.width = frame.width
        self.height = frame.height

    def luma(self) -> Image:
        """See ``perception.ports.Picture.luma``."""
        return self._sample(0)

    def edges(self) -> Image:
        """See ``perception.ports.Picture.edges``."""
        return self._sample(1)

    @property
    def black(self) -> int:
        """See ``perception.ports.Picture.black``."""
        full = self._frame.format.name.startswith("yuvj") or int(self._frame.color_range) == _FULL_RANGE
        return 0 if full else 16

    def chroma(self) -> Image:
        """See ``perception.ports.Picture.chroma``."""
        planes = self._frame.planes[1:]
        if not planes:
            return np.zeros((0, 0, 2), np.uint8)
        stride = stride_of(self.width, self.height)
        across, down = -(-self.width // planes[0].width), -(-self.height // planes[0].height)
        each = 3 - len(planes)  # NV12 has both in one plane, by turns
        found = []
        for plane in planes:
            rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * plane.height]
            there = rows.reshape(plane.height, plane.line_size)[:, : plane.width * each]
            for first in range(each):
                right = 2 * stride // across * each + first
                found.append(there[2 * stride // down :: 4 * stride // down, right :: 4 * stride // across * each])
        sample: Image = np.dstack(found)
        self._hidden.blacken(sample, self.width, self.height, black=_GREY)
        return sample

    def small(self, side: int) -> Image:
        """See ``perception.ports.Picture.small``."""
        scale = min(1.0, side / max(self.width, self.height))
        wide, high = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        image = cast("Image", self._frame.to_ndarray(format="bgr24", width=wide, height=high, interpolation="AREA"))
        self._hidden.blacken(image, self.width, self.height)
        return image

    def bgr(self) -> Image:
        """See ``perception.ports.Picture.bgr``."""
        image = cast("Image", self._frame.to_ndarray(format="bgr24"))
        self._hidden.blacken(image, self.width, self.height)
        return image

    def part(self, x1: int, y1: int, x2: int, y2: int, side: int) -> Image:
        """See ``perception.ports.Picture.part``."""
        # Colour is stored for pairs of pixels: a window that begins within one is cut out after conversion.
        left, top = x1 - x1 % 2, y1 - y1 % 2
        window = _cut(self._frame, left, top, min(self.width, x2 + x2 % 2), min(self.height, y2 + y2 % 2))
        image = cast("Image", window.to_ndarray(format="bgr24"))[y1 - top : y2 - top, x1 - left : x2 - left]
        if self._hidden:
            image = image.copy()
            self._hidden.blacken_part(image, x1, y1, self.width, self.height)
        scale = min(1.0, side / max(x2 - x1, y2 - y1))
        if scale == 1.0:
            return np.ascontiguousarray(image)
        size = max(1, round((x2 - x1) * scale)), max(1, round((y2 - y1) * scale))
        # Down to a half, each pixel has a share in linear interpolation; area averaging costs eight times as much.
        how = cv2.INTER_LINEAR if scale >= 0.5 else cv2.INTER_AREA  # noqa: PLR2004 # a half
        return cv2.resize(image, size, interpolation=how).astype(np.uint8, copy=False)

    def _sample(self, right: int) -> Image:
        plane = self._frame.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * self.height].reshape(
            self.height, plane.line_size
        )
        stride = stride_of(self.width, self.height)
        first = stride // 2
        sample: Image = rows[first::stride, first + right : self.width - 1 + right : stride].copy()
        if self._hidden:
            self._hidden.blacken(sample, self.width, self.height, black=16)
        return sample


@dataclass(frozen=True, slots=True)
class _Seen:
    """The picture that a decoder's next one will be predicted from, and the keyframe that it rests on."""

    key: Packet
    picture: VideoPicture


class VideoDecoder:
    """A ``perception.ports.Decoder``: one thread, pictures in the order of capture.

    Args:
        pixels: FFmpeg's name of the pixels, for a codec that does not say it itself (uncompressed video).
        hardware: decodes, where it can.
    """

    def __init__(
        self,
        codec: str,
        extradata: bytes | None,
        size: tuple[int, int],
        hidden: NeverSee,
        *,
        pixels: str | None = None,
        hardware: HWAccel | None = None,
    ) -> None:
        self._codec = codec
        self._extradata = extradata
        self._size = size
        self._pixels = pixels
        self._hardware = hardware
        self._hidden = hidden
        self.flawed = 0
        self._exact = True
        self._insight = Insight.NONE if hardware else _INSIGHT.get(codec, Insight.NONE)
        self._delays = False
        self._seen: _Seen | None = None
        self._context = self._open()
        self._pending: list[tuple[int, int | None]] = []
        self._fresh = True
        self._first_ms = 0

    def _open(self) -> VideoCodecContext:
        context = av.CodecContext.create(self._codec, "r", self._hardware)
        assert isinstance(context, VideoCodecContext)
        context.extradata = self._extradata
        context.width, context.height = self._size
        if self._pixels is not None:
            context.pix_fmt = self._pixels
        context.thread_count = 1
        # PyAV has no attributes for these; options are handed to the codec when it is opened.
        context.options = {"max_pixels": str(MOST_PIXELS), **({} if self._exact else {"skip_loop_filter": "all"})}
        return context

    @property
    def insight(self) -> Insight:
        """See ``perception.ports.Decoder.insight``."""
        return self._insight

    def exactly(self, exact: bool) -> None:
        """See ``perception.ports.Decoder.exactly``."""
        if exact == self._exact:
            return
        self._exact = exact
        self._context = self._open()
        self._pending.clear()
        self._fresh, self._seen = True, None

    def decode(self, packet: Packet) -> Sequence[VideoPicture]:
        """See ``perception.ports.Decoder.decode``."""
        self._seen = None
        return self._push(packet)

    def alone(self, packet: Packet) -> VideoPicture | None:
        """See ``perception.ports.Decoder.alone``."""
        self._forget()
        pictures = self._push(packet)
        if pictures and not self._delays:
            # What was decoded stays where it is: a glance may follow.
            self._seen = _Seen(packet, pictures[0])
            return pictures[0]
        self._delays = True
        pictures += self.drain()
        return pictures[0] if pictures else None

    def glance(self, key: Packet, packet: Packet) -> FloatArray | None:
        """See ``perception.ports.Decoder.glance``.

        H.264: FFmpeg fills a gap in the numbers of pictures with copies of the last one, so a picture is predicted
        from the one that was decoded before it, whichever that is. H.265: it fills in even grey, so only what is
        coded anew is seen.
        """
        if not self._insight:
            return None
        flags = self._context.flags
        try:
            # Without its predecessors a picture of H.265 counts as damaged, and would be kept back.
            self._context.flags = flags | Flags.output_corrupt
            return self._glance(key, packet)
        except BadInput:
            self._forget()
            return None
        finally:
            self._context.flags = flags

    def _glance(self, key: Packet, packet: Packet) -> FloatArray | None:
        base = self._seen.picture if self._seen is not None and self._seen.key is key else None
        now = None
        if base is not None:
            # FFmpeg may lose the order of pictures in a gap where their numbers start again: then from the keyframe.
            now = self._last(self._push(packet), packet)
        if base is None or now is None:
            self._forget()
            pictures = [*self._push(key), *self._push(packet)]
            now = self._last(pictures, packet)
            if now is None:
                pictures += self.drain()
                now = self._last(pictures, packet)
            base = pictures[0] if pictures and pictures[0].at_ms == key.at_ms else None
        if base is None or now is None or (base.width, base.height) != (now.width, now.height):
            self._forget()
            return None
        self._seen = None if self._fresh else _Seen(key, now)
        sample = now.luma().astype(np.float32)
        if self._insight is Insight.FAINT:
            sample -= np.float32(_GREY)
            self._hidden.clear(sample, now.width, now.height)
        else:
            sample -= base.luma()
        return sample

    @staticmethod
    def _last(pictures: Sequence[VideoPicture], packet: Packet) -> VideoPicture | None:
        return pictures[-1] if pictures and pictures[-1].at_ms == packet.at_ms else None

    def weigh(self, packet: Packet) -> int:
        """See ``perception.ports.Decoder.weigh``: filler is a run of 0xFF at the end, closed by a stop bit."""
        assert isinstance(packet.payload, av.Packet)
        return len(bytes(packet.payload).rstrip(b"\x80\x00").rstrip(b"\xff"))

    def drain(self) -> Sequence[VideoPicture]:
        """See ``perception.ports.Decoder.drain``."""
        if self._fresh:
            return []
        try:
            frames = self._context.decode(None)
        except FFmpegError:
            frames = []
        pictures = self._name(frames)
        self._forget()
        return pictures

    def _push(self, packet: Packet) -> list[VideoPicture]:
        assert isinstance(packet.payload, av.Packet)
        if self._fresh:
            self._first_ms = packet.at_ms
        self._fresh = False
        self._pending.append((packet.at_ms, packet.payload.pts))
        try:
            frames = self._context.decode(packet.payload)
        except FFmpegError as error:
            self._forget()
            raise BadInput(
                f"A part of the video cannot be decoded ({error.strerror}).",
                fix="Nothing, if it happens once; otherwise check the camera or the file.",
            ) from error
        return self._name(frames)

    def _name(self, frames: Sequence[VideoFrame]) -> list[VideoPicture]:
        """Give each frame the time of its packet.

        Frames and packets share a presentation stamp; where there is none, frames leave a decoder in order of capture,
        so the earliest time that waits is theirs. Times earlier than a frame's belong to packets that were lost.
        """
        self._pending.sort(key=lambda waiting: waiting[0])
        pictures = []
        for frame in frames:
            same = [i for i, (_, pts) in enumerate(self._pending) if pts is not None and pts == frame.pts]
            index = same[0] if same else 0
            if index >= len(self._pending):
                continue
            at_ms = self._pending[index][0]
            del self._pending[: index + 1]
            if at_ms < self._first_ms:
                # Shown before the keyframe with which decoding began: predicted from a group that is not here.
                continue
            if frame.is_corrupt and not self._context.flags & Flags.output_corrupt:
                # FFmpeg made up what was missing. (In a glance it always does.)
                self.flawed += 1
            if _planar(frame):
                pictures.append(VideoPicture(frame, at_ms, self._hidden))
            else:
                pictures.append(VideoPicture(frame.reformat(format="yuv420p"), at_ms, self._hidden))
        return pictures

    def _forget(self) -> None:
        if not self._fresh:
            self._context.flush_buffers()
        self._pending.clear()
        self._fresh, self._seen = True, None


def _cut(frame: VideoFrame, left: int, top: int, right: int, bottom: int) -> VideoFrame:
    """A frame of its own that shows only a window, whose left and top are even. Only the window is copied."""
    window = VideoFrame(right - left, bottom - top, frame.format.name)
    window.colorspace, window.color_range = frame.colorspace, frame.color_range
    for plane, mine in zip(frame.planes, window.planes, strict=True):
        across, down = -(-frame.width // plane.width), -(-frame.height // plane.height)
        each = 2 if frame.format.name == "nv12" and across > 1 else 1
        rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * plane.height]
        source = rows.reshape(plane.height, plane.line_size)
        target = np.frombuffer(memoryview(mine), np.uint8)[: mine.line_size * mine.height]
        first, width = left // across * each, mine.width * each
        target.reshape(mine.height, mine.line_size)[:, :width] = source[
            top // down : top // down + mine.height, first : first + width
        ]
    return window


def _planar(frame: VideoFrame) -> bool:
    """Whether the first plane is eight-bit luma, a byte a pixel."""
    return frame.format.name in ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray")


class _Steady:
    """Seconds since the first picture, whatever the stamps do: a recorder's clock jumps when it was set or restarted.

    Args:
        step: seconds from one picture to the next.
        longest: seconds; what comes later than that after the one before is a jump.
    """

    def __init__(self, step: float, longest: float) -> None:
        self._step = step
        self._longest = longest
        self._last: float | None = None
        self._decoded: float | None = None
        self._offset = 0.0
        self._most = 0.0

    def seconds(self, stamp: float, decoded: float | None = None) -> float:
        """Never negative; a jump back of over a second, or on of over ``longest``, counts as one step.

        Args:
            stamp: when a picture is to be shown, in seconds.
            decoded: when it is to be decoded, where that is known: it rises from picture to picture, and shows a jump
                where the order in which pictures are shown hides it, or looks like one.
        """
        before, self._decoded = self._decoded, self._decoded if decoded is None else decoded
        clock, last = (stamp, self._last) if self._decoded is None else (decoded, before)
        if self._last is None:
            self._offset = -stamp
        elif clock is not None and last is not None and not -_JUMP_BACK < clock - last < self._longest:
            self._offset = self._most + self._step - stamp
        self._last = stamp
        at = max(0.0, stamp + self._offset)
        self._most = max(self._most, at)
        return at


def _demuxed(container: av.container.InputContainer, stream: VideoStream) -> Iterator[av.Packet[VideoStream]]:
    """A stream's packets. Where other streams appear on the way, PyAV 18 stumbles over them at the end."""
    with suppress(IndexError):
        yield from container.demux(stream)


def _lasts(container: str, written: str) -> float:
    """The seconds that a Matroska file says its video lasts (it counts no pictures); 0 where nothing is said."""
    found = _CLOCK.fullmatch(written) if container.startswith("matroska") else None
    return int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3]) if found else 0.0


class VideoFile:
    """A video file, played once or again and again.

    Attributes:
        width, height: pixels of the first picture.
        fps: pictures a second, as the container states it.
        coded: what its packets are.
    """

    longest_gap = _JUMP_ON
    """Seconds; if the next picture is stamped later than that, the recorder's clock was set."""

    def __init__(self, path: Path, *, never_see: Areas = (), loop: bool = False) -> None:
        self._path = path
        self._loop = loop
        self._hidden = NeverSee(never_see)
        with self._open() as container:
            stream = container.streams.video[0]
            self._codec = check_codec(path.name, stream.codec_context)
            self.width, self.height = stream.width, stream.height
            check_size(path.name, self.width, self.height)
            self.fps = rate(float(stream.average_rate or stream.guessed_rate or 0))
            self._extradata = stream.codec_context.extradata
            self.coded = Coded(stream)

    def decoder(self) -> VideoDecoder:
        """A new decoder for this file's packets. Several may decode the same packets."""
        return VideoDecoder(self._codec, self._extradata, (self.width, self.height), self._hidden)

    def packets(self, start_ms: int) -> Iterator[Packet]:
        """The file's packets, the first captured at ``start_ms``; without end when looped.

        Raises:
            BadInput: the file vanished, or is no video (any more).
        """
        turn, base = 0, start_ms
        while True:
            last = base
            frame_ms = 1000 / self.fps
            for packet, at in self._once():
                at_ms = base + round(at * 1000)
                last = max(last, at_ms)
                yield Packet(at_ms, bool(packet.is_keyframe), packet.size, packet, turn)
            if not self._loop:
                return
            turn, base = turn + 1, last + round(frame_ms)

    def _once(self) -> Iterator[tuple[av.Packet[VideoStream], float]]:
        """Each packet with its seconds since the first; a container without times gets them from its rate."""
        with self._open() as container:
            stream = container.streams.video[0]
            steady = _Steady(1 / self.fps, self.longest_gap)
            count = 0
            promised = stream.frames
            lasts = _lasts(container.format.name, stream.metadata.get("DURATION", ""))
            ends = 0.0
            tick = float(stream.time_base or 0)
            try:
                for packet in _demuxed(container, stream):
                    if not packet.size:
                        continue
                    stamp = packet.pts if packet.pts is not None else packet.dts
                    at = count / self.fps if stamp is None else stamp * tick
                    count += 1
                    ends = max(ends, at + 1 / self.fps)
                    yield packet, steady.seconds(at, None if packet.dts is None else packet.dts * tick)
            except FFmpegError as error:
                raise BadInput(
                    f"{self._path.name} breaks off after {count} pictures ({error.strerror}).",
                    fix="Replace the file with an undamaged copy.",
                ) from error
            if count < promised * _MOSTLY or not count:
                raise BadInput(
                    f"{self._path.name} breaks off after {count} pictures of {promised or 'none'}.",
                    fix="Replace the file with an undamaged copy.",
                )
            if ends < lasts * _MOSTLY - 1 / self.fps:
                raise BadInput(
                    f"{self._path.name} breaks off after {ends:.1f} of {lasts:.1f} seconds.",
                    fix="Replace the file with an undamaged copy.",
                )

    def _open(self) -> av.container.InputContainer:
        if not self._path.is_file():
            raise BadInput(f"There is no video file {self._path.name}.", fix="Put the file there, or correct its path.")
        try:
            container = av.open(str(self._path), options=FILE_OPTIONS, timeout=READ_S, metadata_errors="replace")
        except (FFmpegError, OSError) as error:
            why = _WHY.get(error.errno or 0, error.strerror)
            raise BadInput(
                f"{self._path.name} is not a video that can be read ({why}).",
                fix="Check that the file is complete and plays in a video player. Playlists are not followed.",
            ) from error
        if not container.streams.video:
            container.close()
            raise BadInput(f"{self._path.name} has no video stream.", fix="Name a file that holds video.")
        return container
