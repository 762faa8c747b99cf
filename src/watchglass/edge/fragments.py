"""Coded video as a fragmented MP4 in memory: the camera's own packets, never encoded again.

Only where a part of the picture must never be seen is what is kept decoded, blackened and encoded anew.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final, cast

import av
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from watchglass.core.errors import BadInput
from watchglass.edge.encode import planar
from watchglass.perception.ports import Decoder, Packet, Picture

CARRIED: Final = frozenset({"h264", "hevc", "mpeg4", "mjpeg", "av1", "libdav1d", "vp9"})
"""What an MP4 carries as it came. Other cameras' video is encoded anew."""
_FRAGMENTED: Final = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "fflags": "+bitexact"}
_TICKS: Final = 90_000
_BASE: Final = Fraction(1, _TICKS)
_STEP: Final = 2 * _TICKS
_CRF: Final = 20
"""Of what is encoded anew: visually as it came."""


class Coded:
    """What a stream's packets are, remembered so that they can be put into an MP4 after the stream was closed.

    Args:
        stream: of a container that is open now.

    Attributes:
        codec: FFmpeg's name of it.
        carried: whether an MP4 carries it as it came.
    """

    def __init__(self, stream: VideoStream) -> None:
        self.codec = stream.codec_context.name
        self.carried = self.codec in CARRIED
        # An MP4 that is never written holds the parameters; the stream's own end with its container.
        self._holder = av.open(io.BytesIO(), "w", format="mp4")
        self._template = self._holder.add_stream_from_template(stream, opaque=True) if self.carried else None

    def in_(self, container: OutputContainer) -> VideoStream:
        """A stream of the same parameters in another container."""
        assert self._template is not None
        stream = container.add_stream_from_template(self._template, opaque=True)
        assert isinstance(stream, VideoStream)
        return stream


def remux(packets: Sequence[Packet], coded: Coded) -> bytes:
    """A fragmented MP4 of exactly these packets: no audio, no metadata, a fragment for each keyframe.

    Args:
        packets: in the order of decoding, the first a keyframe.

    Raises:
        BadInput: they cannot be put into an MP4.
    """
    target = io.BytesIO()
    first = packets[0]
    try:
        with av.open(target, "w", format="mp4", options=dict(_FRAGMENTED)) as container:
            stream, times = coded.in_(container), _Times(first)
            for packet in packets:
                copy = _copy(packet)
                copy.time_base = _BASE
                copy.dts, copy.pts = times.place(packet)
                copy.stream = stream
                container.mux(copy)
    except (FFmpegError, ValueError) as error:
        raise BadInput(
            f"What the camera sends ({coded.codec}) cannot be kept as it came: {error}.",
            fix="Let the camera send H.264 or H.265.",
        ) from error
    return target.getvalue()


def encode_anew(packets: Iterable[Packet], decoder: Decoder, fps: float, size: tuple[int, int]) -> bytes:
    """A fragmented MP4 of what the packets show, with what must never be seen black in it.

    Args:
        decoder: a fresh one; its pictures are black where the charter says so.
        fps: pictures a second. size: (width, height); pictures of another size are left out.

    Raises:
        BadInput: nothing of it could be decoded.
    """
    target, written = io.BytesIO(), 0
    with av.open(target, "w", format="mp4", options=dict(_FRAGMENTED)) as container:
        options = {"preset": "veryfast", "crf": str(_CRF), "threads": "1"}
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000), options=options)
        stream.width, stream.height = size[0] + size[0] % 2, size[1] + size[1] % 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, _TICKS)
        stream.codec_context.max_b_frames = 0
        stream.codec_context.gop_size = max(1, round(2 * fps))
        begun: int | None = None
        last = -1
        for picture in _pictures(packets, decoder):
            if (picture.width, picture.height) != size:
                continue
            begun = picture.at_ms if begun is None else begun
            last = max(last + 1, (picture.at_ms - begun) * _TICKS // 1000)  # it does not encode what goes back in time
            frame = av.VideoFrame.from_ndarray(planar(picture.bgr()), format="yuv420p")
            frame.pts, frame.time_base = last, Fraction(1, _TICKS)
            container.mux(stream.encode(frame))
            written += 1
        if written:
            container.mux(stream.encode(None))
    if not written:
        raise BadInput("Nothing of this could be decoded.", fix="Check the camera; what comes next is kept again.")
    return target.getvalue()


def _pictures(packets: Iterable[Packet], decoder: Decoder) -> Iterable[Picture]:
    for packet in packets:
        yield from decoder.decode(packet)
    yield from decoder.drain()


def _copy(packet: Packet) -> av.Packet[VideoStream]:
    """The same bytes; the originals are left alone, for clips are made of them too."""
    payload = packet.payload
    assert isinstance(payload, av.Packet)
    copied = av.Packet(payload)  # type: ignore[arg-type]  # a packet is a buffer; bytes of it would be one copy more
    copy = cast("av.Packet[VideoStream]", copied)
    copy.is_keyframe = packet.keyframe
    return copy


class _Times:
    """Where each packet stands in the MP4, in ticks from the first on.

    Within a connection a camera's stamps count evenly, and so they are kept. Where they start again, or step (the
    camera was set to another time, a file begins anew), they are laid on where the packet's own time says.

    Args:
        first: the first packet.
    """

    def __init__(self, first: Packet) -> None:
        self._first = first
        self._before = first
        self._shift: int | None = None
        self._lead = 0
        self._last = -1

    def place(self, packet: Packet) -> tuple[int, int]:
        """When to decode and when to show the next packet."""
        payload = packet.payload
        assert isinstance(payload, av.Packet)
        by_clock = self._lead + (packet.at_ms - self._first.at_ms) * _TICKS // 1000
        dts = pts = by_clock
        tick = payload.time_base
        if tick is not None and payload.pts is not None:
            many, of = tick.numerator * _TICKS, tick.denominator
            pts = _rounded(payload.pts * many, of)
            dts = pts if payload.dts is None else _rounded(payload.dts * many, of)
            if self._shift is None:
                self._shift, self._lead = -dts, pts - dts
            elif packet.turn != self._before.turn or abs(pts + self._shift - by_clock) > _STEP:
                self._shift = by_clock - pts
            dts, pts = dts + self._shift, pts + self._shift
        self._before = packet
        self._last = dts = max(dts, self._last + 1)
        return dts, max(pts, dts)


def _rounded(number: int, of: int) -> int:
    """``number / of``, the nearest whole number: fractions cost more than everything else that is done to a packet."""
    return (2 * number + of) // (2 * of)
