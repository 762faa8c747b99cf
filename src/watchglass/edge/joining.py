"""Opened segments put together into one MP4: the camera's own packets, one after the other, never encoded again."""

from __future__ import annotations

import io
from collections.abc import Iterable
from fractions import Fraction
from typing import Final

import av
from av.error import FFmpegError
from av.video.stream import VideoStream

from watchglass.core.errors import BadInput

_TICKS: Final = 90_000
_PIPED: Final = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "fflags": "+bitexact"}
_SEEKABLE: Final = {"fflags": "+bitexact"}


def join(pieces: Iterable[tuple[int, bytes]], *, piped: bool = False) -> bytes:
    """One MP4 of all pieces: no audio, no metadata, each piece at its own time.

    Args:
        pieces: (when it begins in ms, its fragmented MP4), in order of time.
        piped: for a player that reads from a pipe and cannot seek.

    Raises:
        BadInput: a piece is no video, or the camera changed its coding between two of them.
    """
    target = io.BytesIO()
    begun: int | None = None
    last = -1
    first: tuple[object, ...] = ()
    with av.open(target, "w", format="mp4", options=dict(_PIPED if piped else _SEEKABLE)) as out:
        into: VideoStream | None = None
        for at_ms, data in pieces:
            try:
                with av.open(io.BytesIO(data), "r", format="mp4") as source:
                    stream = source.streams.video[0]
                    if into is None:
                        made = out.add_stream_from_template(stream, opaque=True)
                        assert isinstance(made, VideoStream)
                        into, begun, first = made, at_ms, _coding(stream)
                    elif _coding(stream) != first:
                        raise _changed(at_ms)
                    assert begun is not None
                    last = _copy(source, stream, out, into, (at_ms - begun) * _TICKS // 1000, last)
            except (FFmpegError, ValueError, IndexError) as error:
                raise BadInput(
                    f"What was opened is not video that can be put together: {error}.",
                    fix="Keep the pieces as they are: `watchglass case open-release` writes each to a file.",
                ) from error
    return target.getvalue()


def _copy(
    source: av.container.InputContainer,
    stream: VideoStream,
    out: av.container.OutputContainer,
    into: VideoStream,
    offset: int,
    last: int,
) -> int:
    """Copy a piece's packets; the last decoding time, in ticks."""
    begun: Fraction | None = None
    for packet in source.demux(stream):
        if packet.dts is None or packet.pts is None:
            continue
        base = packet.time_base or stream.time_base or Fraction(1, _TICKS)
        if begun is None:
            begun = packet.dts * base
        decoded = max(last + 1, offset + round((packet.dts * base - begun) * _TICKS))
        shown = max(decoded, offset + round((packet.pts * base - begun) * _TICKS))
        packet.time_base = Fraction(1, _TICKS)
        packet.dts, packet.pts = decoded, shown
        packet.stream = into
        out.mux(packet)
        last = decoded
    return last


def _coding(stream: VideoStream) -> tuple[object, ...]:
    context = stream.codec_context
    return context.name, context.width, context.height, bytes(context.extradata or b"")


def _changed(at_ms: int) -> BadInput:
    return BadInput(
        "The camera changed its coding within this release, so it is not one video.",
        fix="Open it into a folder, where each piece is a file of its own, or ask for a shorter time.",
        at_ms=at_ms,
    )
