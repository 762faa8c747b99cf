"""Bad video, made on purpose: small originals of several codecs and containers, and what can be done to them.

Everything follows from one number: ``case(number, originals)`` gives the same bytes each time, so whatever an input
breaks can be broken again by its number. (Originals are written by FFmpeg's encoders, so they are the same on the same
version of PyAV only.)
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import cv2
import numpy as np

SEED: Final = 20_261_123
PICTURES: Final = 30
_FPS: Final = 12
_HEADER: Final = 700
_SPARSE: Final = 64 * 1024 * 1024
_HUGE: Final = (0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_SIZES: Final = ((0, 0), (1, 1), (1, 65535), (8, 8), (4096, 16384), (12288, 12288), (16384, 16384), (65535, 65535))

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Original:
    """A small, sound video: ``PICTURES`` pictures of ``size`` (width, height)."""

    codec: str
    suffix: str
    size: tuple[int, int]
    data: bytes


@dataclass(frozen=True, slots=True)
class Case:
    """One bad input.

    Attributes:
        number: makes it again.
        kind: what was done, a key of ``KINDS``.
        suffix: how the file's name ends.
        data: its bytes.
        zeros: how many zero bytes follow, as a hole that takes no disk.
    """

    number: int
    kind: str
    suffix: str
    data: bytes
    zeros: int = 0

    def write(self, path: Path) -> Path:
        """The file, beside ``path`` with this case's suffix."""
        path = path.with_suffix(self.suffix)
        path.write_bytes(self.data)
        if self.zeros:
            with path.open("r+b") as file:
                file.truncate(len(self.data) + self.zeros)
        return path


# ---- originals -------------------------------------------------------------------------------------------------------

_PLAIN: Final = ":asm=0:cpu-independent=1"
"""x264's assembly reads beside a small picture, and so does not write the same bytes each time."""
_H264: Final = {
    "preset": "veryfast", "g": "10", "bf": "2", "x264-params": "open-gop=1:log-level=none" + _PLAIN, "crf": "24",
}  # fmt: skip
_H265: Final = {"preset": "ultrafast", "x265-params": "log-level=none:keyint=10:bframes=2:open-gop=1:pools=1"}
_SMALL: Final = (160, 120)
_LARGER: Final = (320, 240)
_MADE: Final[tuple[tuple[str, str, tuple[int, int]], ...]] = (
    ("libx264", ".mp4", _SMALL),
    ("libx264", ".mp4", _LARGER),
    ("libx264", ".avi", _SMALL),
    ("libx264", ".mkv", _LARGER),
    ("libx264", ".ts", _SMALL),
    ("libx264", ".h264", _SMALL),
    ("libx264", ".h264", _LARGER),
    ("libx265", ".mp4", _LARGER),
    ("libx265", ".mkv", _SMALL),
    ("libx265", ".ts", _LARGER),
    ("libx265", ".hevc", _SMALL),
    ("mjpeg", ".avi", _SMALL),
    ("mjpeg", ".mkv", _LARGER),
    ("mjpeg", ".mjpeg", _SMALL),
)
_EXACT: Final = {"fflags": "+bitexact"}
FORMATS: Final = {".ts": "mpegts", ".mkv": "matroska", ".mp4": "mp4", ".avi": "avi", ".h264": "h264", ".hevc": "hevc"}


def pictures(size: tuple[int, int], seed: int) -> Iterator[np.ndarray[Any, Any]]:
    """A still scene with noise in which a bright block walks: (h, w, 3) BGR."""
    rng = np.random.default_rng(seed)
    width, height = size
    scene = cv2.resize(rng.integers(30, 200, (6, 8, 3), np.uint8), size, interpolation=cv2.INTER_NEAREST)
    for i in range(PICTURES):
        picture = np.clip(scene + rng.normal(0, 4, scene.shape), 0, 255).astype(np.uint8)
        left = i * (width - 20) // PICTURES
        picture[height // 3 : height // 3 * 2, left : left + 20] = 235
        yield picture


def original(codec: str, suffix: str, size: tuple[int, int], seed: int) -> Original:
    """A sound video."""
    buffer = io.BytesIO()
    options = {"libx264": _H264, "libx265": _H265}.get(codec, {})
    with av.open(buffer, "w", format=FORMATS.get(suffix, suffix[1:]), options=_EXACT) as container:
        stream: Any = container.add_stream(codec, rate=_FPS, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.thread_count = 1
        for picture in pictures(size, seed):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    return Original(codec, suffix, size, buffer.getvalue())


def originals() -> tuple[Original, ...]:
    """All of them."""
    return tuple(original(*made, seed=i) for i, made in enumerate(_MADE))


# ---- what is done to them --------------------------------------------------------------------------------------------


def _pick(rng: Random, found: Sequence[Original], *suffixes: str) -> Original:
    fitting = [each for each in found if not suffixes or each.suffix in suffixes]
    return fitting[int(rng.integers(len(fitting)))]


def _flip(rng: Random, data: bytes, first: int, last: int) -> bytes:
    """One to a thousand bits of the bytes first..last, few more often than many."""
    changed = np.frombuffer(data, np.uint8).copy()
    count = int(10 ** rng.uniform(0, 3))
    places = rng.integers(first, max(first + 1, last), count)
    np.bitwise_xor.at(changed, places, np.uint8(1) << rng.integers(0, 8, count).astype(np.uint8))
    return changed.tobytes()


def header_bits(rng: Random, found: Sequence[Original]) -> tuple[str, bytes]:
    """Flip bits where containers keep their tables: at the beginning, or at the end."""
    one = _pick(rng, found)
    if rng.random() < 0.5:  # either
        return one.suffix, _flip(rng, one.data, 0, _HEADER)
    return one.suffix, _flip(rng, one.data, len(one.data) - 2 * _HEADER, len(one.data))


def payload_bits(rng: Random, found: Sequence[Original]) -> tuple[str, bytes]:
    """Flip bits of coded pictures."""
    one = _pick(rng, found)
    return one.suffix, _flip(rng, one.data, _HEADER, len(one.data) - 2 * _HEADER)


def truncation(rng: Random, found: Sequence[Original]) -> tuple[str, bytes]:
    """Cut it off anywhere, at its end or at its beginning."""
    one = _pick(rng, found)
    at = int(rng.integers(0, len(one.data)))
    return one.suffix, one.data[at:] if rng.random() < 0.2 else one.data[:at]  # rarely


def ranges(rng: Random, found: Sequence[Original]) -> tuple[str, bytes]:
    """Fill ranges with zeros, double them, take them out or swap them."""
    one = _pick(rng, found)
    data = bytearray(one.data)
    for _ in range(int(rng.integers(1, 5))):
        a = int(rng.integers(0, max(1, len(data))))
        b = min(len(data), a + int(10 ** rng.uniform(0, np.log10(len(data) / 2 + 2))))
        what = rng.integers(4)
        if what == 0:
            data[a:b] = bytes(b - a)
        elif what == 1:
            data[b:b] = data[a:b]
        elif what == 2:  # one of four
            del data[a:b]
        else:
            to = int(rng.integers(0, max(1, len(data) - (b - a))))
            data[a:b], data[to : to + b - a] = data[to : to + b - a], data[a:b]
    return one.suffix, bytes(data)


def spliced(rng: Random, found: Sequence[Original]) -> tuple[str, bytes]:
    """Groups of pictures of several streams, sizes and codecs one after another, as one stream."""
    first = _pick(rng, found)
    if rng.random() < 0.4 and first.suffix in (".ts", ".h264", ".hevc", ".mjpeg"):  # some of them
        others = [_pick(rng, found, ".ts", ".h264", ".hevc", ".mjpeg") for _ in range(int(rng.integers(1, 4)))]
        pieces = [each.data[int(rng.integers(len(each.data))) :] for each in others]
        return first.suffix, first.data[: int(rng.integers(len(first.data)))] + b"".join(pieces)
    mixed = rng.random() < 0.5  # either
    others = [each for each in found if mixed or each.codec == first.codec]
    packets = [packet for _ in range(int(rng.integers(2, 5))) for packet in _group(rng, _pick(rng, others))]
    return first.suffix, _muxed(first, packets, step=1)


def jumping(rng: Random, found: Sequence[Original]) -> tuple[str, bytes]:
    """Times that jump, on and back, or stand still."""
    one = _pick(rng, found, ".mp4", ".mkv", ".ts", ".avi")
    packets = [packet for _ in range(3) for packet in _group(rng, one)]
    return one.suffix, _muxed(one, packets, step=int(rng.choice([1, 1, 900, 10**6])), rng=rng)


def _group(rng: Random, one: Original) -> list[av.Packet[Any]]:
    """Some packets of it, mostly from a keyframe on."""
    with av.open(io.BytesIO(one.data)) as container:
        assert isinstance(container, av.container.InputContainer)
        packets = [packet for packet in container.demux(video=0) if packet.size]
    keys = [i for i, packet in enumerate(packets) if packet.is_keyframe] or [0]
    start = int(rng.choice(keys)) if rng.random() < 0.8 else int(rng.integers(len(packets)))  # mostly
    return packets[start : start + int(rng.integers(3, 14))]


def _muxed(form: Original, packets: Sequence[av.Packet[Any]], *, step: int, rng: Random | None = None) -> bytes:
    """These packets in the container and under the headers of ``form``. Muxers may refuse: then what there is."""
    buffer = io.BytesIO()
    try:
        with (
            av.open(io.BytesIO(form.data)) as template,
            av.open(buffer, "w", format=FORMATS.get(form.suffix, form.suffix[1:]), options=_EXACT) as container,
        ):
            stream = container.add_stream_from_template(template.streams.video[0])
            at = 0
            for packet in packets:
                packet.stream = stream
                packet.pts = packet.dts = at
                tick = max(1, round(1 / (_FPS * float(packet.time_base or 1))))
                jump = int(10 ** rng.uniform(0, 7)) if rng is not None and rng.random() < 0.2 else 0
                at += tick * step + jump
                container.mux(packet)
    except (av.error.FFmpegError, ValueError, OverflowError):
        pass
    data = buffer.getvalue()
    if rng is not None and form.suffix == ".ts":
        return _ts_times(rng, data)
    return data


def _ts_times(rng: Random, data: bytes) -> bytes:
    """Presentation stamps of a transport stream, written over: they may go back."""
    changed = bytearray(data)
    for at in range(0, len(changed) - 188, 188):
        place = changed.find(b"\x00\x00\x01\xe0", at, at + 188)
        if place >= 0 and place + 14 < len(changed) and rng.random() < 0.3:  # some
            changed[place + 10 : place + 13] = bytes(rng.integers(0, 256, 3, np.uint8) | 1)
    return bytes(changed)


def absurd_size(rng: Random, found: Sequence[Original]) -> tuple[str, bytes]:
    """Pictures of one pixel, or of more than any memory holds: in the container, in the stream, or in both."""
    one = _pick(rng, [each for each in found if each.codec != "libx265" or each.suffix in (".mp4", ".mkv")])
    width, height = _SIZES[int(rng.integers(len(_SIZES)))]
    data = one.data
    if one.codec != "mjpeg" or rng.random() < 0.8:  # mostly
        data = _container_size(one, data, width, height)
    if one.codec == "mjpeg":
        old = struct.pack(">BHH", 8, one.size[1], one.size[0])
        data = data.replace(old, struct.pack(">BHH", 8, min(height, 65535), min(width, 65535)))
    elif one.codec == "libx264" and one.suffix in (".h264", ".ts"):
        sps = b"\x00\x00\x00\x01" + h264_sps(max(1, width // 16), max(1, height // 16))
        at = data.find(b"\x00\x00\x01\x67")
        end = data.find(b"\x00\x00\x01\x68")
        if at >= 0 and end > at:
            data = data[: at - 1] + sps + data[end - 1 :] if one.suffix == ".h264" else _over(data, at - 1, sps)
    return one.suffix, data


def _container_size(one: Original, data: bytes, width: int, height: int) -> bytes:
    """Width and height where the container says them."""
    w, h = one.size
    wide, high = min(width, 65535), min(height, 65535)
    if one.suffix == ".mp4":
        data = data.replace(struct.pack(">HH", w, h), struct.pack(">HH", wide, high))
        return data.replace(struct.pack(">II", w << 16, h << 16), struct.pack(">II", wide << 16, high << 16))
    if one.suffix == ".avi":
        return data.replace(struct.pack("<II", w, h), struct.pack("<iI", -width if width % 2 else width, height))
    if one.suffix == ".mkv":
        for mark, old, new in ((0xB0, w, wide), (0xBA, h, high)):
            size = 1 if old < 256 else 2  # as many bytes as it takes
            wrote = bytes([mark, 0x80 | size]) + old.to_bytes(size, "big")
            data = data.replace(wrote, bytes([mark, 0x80 | size]) + min(new, 256**size - 1).to_bytes(size, "big"), 1)
    return data


def _over(data: bytes, at: int, what: bytes) -> bytes:
    return data[:at] + what + data[at + len(what) :]


def h264_sps(across: int, down: int) -> bytes:
    """A sequence parameter set (ITU-T H.264, 7.3.2.1.1) of so many macroblocks: the smallest that is complete."""
    bits = "".join(
        (
            f"{66:08b}", "00000000", f"{51:08b}",  # profile, constraints, level
            _golomb(0), _golomb(0), _golomb(0), _golomb(0),  # id, frame numbers, order of pictures
            _golomb(1), "0", _golomb(across - 1), _golomb(down - 1), "1", "1", "0", "0",
        )
    )  # fmt: skip
    bits += "1"
    bits += "0" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big")
    # Two zero bytes are never followed by a small one: that would be a start code (7.4.1.1).
    return b"\x67" + re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", data)


def _golomb(value: int) -> str:
    text = f"{value + 1:b}"
    return "0" * (len(text) - 1) + text


def absurd_numbers(rng: Random, found: Sequence[Original]) -> tuple[str, bytes]:
    """Time bases of nothing, counts of thousands of millions, lengths beyond the end: where containers keep them."""
    one = _pick(rng, found, ".mp4", ".avi", ".mkv", ".ts")
    data = bytearray(one.data)
    marks = {
        ".mp4": (b"mvhd", b"mdhd", b"tkhd", b"stts", b"stsz", b"stsc", b"stco", b"stss", b"ctts", b"elst", b"avcC",
                 b"hvcC", b"hdlr", b"stsd", b"moov", b"trak"),
        ".avi": (b"avih", b"strh", b"strf", b"idx1", b"LIST", b"RIFF", b"movi", b"hdrl"),
        ".mkv": (b"\x2a\xd7\xb1", b"\x44\x89", b"\x1f\x43\xb6\x75", b"\x16\x54\xae\x6b", b"\x1c\x53\xbb\x6b",
                 b"\x23\xe3\x83", b"\x63\xa2", b"\x18\x53\x80\x67"),
        ".ts": (b"\x47\x40\x00", b"\x47\x50\x00", b"\x47\x41\x00"),
    }[one.suffix]  # fmt: skip
    for _ in range(int(rng.integers(1, 4))):
        mark = marks[int(rng.integers(len(marks)))]
        at = data.find(mark)
        if at < 0:
            continue
        place = at + int(rng.integers(-4, 40))
        number = struct.pack(">I" if rng.random() < 0.5 else "<I", int(rng.choice(_HUGE)))  # either
        place = min(max(0, place), len(data) - 4)
        data[place : place + 4] = number
    return one.suffix, bytes(data)


_SUFFIXES: Final = (".mp4", ".avi", ".mkv", ".ts", ".h264", ".mov", ".mjpeg")


def wrong_type(rng: Random, found: Sequence[Original]) -> tuple[str, bytes]:
    """Something else under a video's name: pictures, archives, text, programs, noise, nothing."""
    suffix = str(rng.choice(_SUFFIXES))
    del found
    png = cv2.imencode(".png", rng.integers(0, 256, (40, 60, 3), np.uint8))[1]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("a.txt"), b"nothing to see " * 500, zipfile.ZIP_DEFLATED)
    others = (
        png.tobytes(),
        packed.getvalue(),
        b"the quick brown fox\n" * int(rng.integers(1, 4000)),
        b"\x7fELF\x02\x01\x01" + rng.bytes(int(rng.integers(10, 20_000))),
        rng.bytes(int(10 ** rng.uniform(0, 5))),
        b"RIFF\xff\xff\xff\xffWAVEfmt " + rng.bytes(500),
        b"GIF89a" + rng.bytes(400),
        b"",
    )
    return suffix, others[int(rng.integers(len(others)))]


def zeros(rng: Random, found: Sequence[Original]) -> tuple[str, bytes]:
    """A sound beginning, or none, and then nothing but zeros, up to 64 MiB (a hole in the file)."""
    one = _pick(rng, found)
    return one.suffix, one.data[: int(rng.integers(0, len(one.data)))] if rng.random() < 0.7 else b""


def playlist(
    rng: Random, _: Sequence[Original], *, canary: str = "127.0.0.1:9", good: str = "good.mp4"
) -> tuple[str, bytes]:
    """A text that asks for other files or addresses. None may be followed.

    Args:
        canary: host and port that must never be asked.
        good: the name of a sound video beside it.
    """
    places = [f"http://{canary}/a.ts", f"rtsp://{canary}/a", f"tcp://{canary}", good, f"file:{good}", f"concat:{good}"]
    place = places[int(rng.integers(len(places)))]
    port = canary.partition(":")[2]
    texts = (
        f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{place}\n#EXT-X-ENDLIST\n",
        f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{place}\n",
        f"ffconcat version 1.0\nfile '{place}'\n",
        f"ffconcat version 1.0\noption safe 0\nfile '{place}'\n",
        (
            f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n"
            "a=rtpmap:96 H264/90000\n"
        ),
        (
            "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='static'><Period><AdaptationSet "
            f"mimeType='video/mp4'><Representation id='1'><BaseURL>{place}</BaseURL></Representation></AdaptationSet>"
            "</Period></MPD>"
        ),
        f"<asx version='3.0'><entry><ref href='{place}'/></entry></asx>",
        f"[Reference]\nRef1={place}\n",
    )
    suffix = str(rng.choice([*_SUFFIXES, ".m3u8", ".sdp", ".mpd", ".ffconcat"]))
    return suffix, texts[int(rng.integers(len(texts)))].encode()


Mutation = Callable[[Random, Sequence[Original]], tuple[str, bytes]]

KINDS: Final[dict[str, tuple[Mutation, int]]] = {
    "bits of headers": (header_bits, 18),
    "bits of pictures": (payload_bits, 16),
    "truncated": (truncation, 12),
    "ranges zeroed, doubled, swapped": (ranges, 14),
    "spliced groups of pictures": (spliced, 10),
    "times that jump": (jumping, 6),
    "absurd sizes": (absurd_size, 8),
    "absurd numbers": (absurd_numbers, 8),
    "other files renamed": (wrong_type, 3),
    "zeros without end": (zeros, 2),
    "playlists": (playlist, 3),
}
"""What is done, and how many in a hundred are of that kind."""

_TURNS: Final = tuple(kind for kind, (_, share) in KINDS.items() for _ in range(share))


def case(number: int, found: Sequence[Original], *, canary: str = "127.0.0.1:9", good: str = "good.mp4") -> Case:
    """The bad input of that number. Any hundred that follow each other hold every kind in its share."""
    rng = np.random.default_rng([SEED, number])
    kind = _TURNS[number * 37 % len(_TURNS)]
    mutation = KINDS[kind][0]
    if mutation is playlist:
        suffix, data = playlist(rng, found, canary=canary, good=good)
    else:
        suffix, data = mutation(rng, found)
    empty = int(10 ** rng.uniform(3, np.log10(_SPARSE))) if mutation is zeros else 0
    return Case(number, kind, suffix, data, empty)
