"""Cameras on loopback that lie: garbage, headers and pictures without end, wrong lengths, and silence."""

from __future__ import annotations

import socket
import struct
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np

from mutations import h264_sps

_STEP_S: Final = 0.05
_CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Lie:
    """One way to lie.

    Attributes:
        kind: of source: ``mjpeg`` or ``rtsp``.
        answer: what is sent, piece by piece, to a request.
        told: whether there is something to be told; some lies are only odd.
    """

    kind: str
    answer: Callable[[bytes], Iterator[bytes]]
    told: bool = True


class Liars:
    """All of them, each on a port of its own. A context manager."""

    def __init__(self) -> None:
        self.connections = 0
        self._over = threading.Event()
        self._sockets: dict[str, socket.socket] = {}
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        for name, lie in LIES.items():
            listening = socket.create_server(("127.0.0.1", 0))
            listening.settimeout(0.2)
            self._sockets[name] = listening
            self._start(self._listen, listening, lie)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in list(self._threads):
            thread.join()
        for each in self._sockets.values():
            each.close()

    def address(self, name: str) -> str:
        """Where it is asked."""
        scheme = "rtsp" if LIES[name].kind == "rtsp" else "http"
        return f"{scheme}://127.0.0.1:{self._sockets[name].getsockname()[1]}/{name}"

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self, listening: socket.socket, lie: Lie) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                asked, _ = listening.accept()
                self.connections += 1
                self._start(self._answer, asked, lie)

    def _answer(self, asked: socket.socket, lie: Lie) -> None:
        asked.settimeout(0.5)
        with asked:
            while not self._over.is_set():
                try:
                    request = asked.recv(8192)
                except TimeoutError:
                    continue
                except OSError:
                    return
                if not request or not self._send(asked, lie.answer(request)):
                    return

    def _send(self, asked: socket.socket, pieces: Iterator[bytes]) -> bool:
        """Whether the other end still listens."""
        for piece in pieces:
            left = memoryview(piece)
            while left:
                if self._over.is_set():
                    return False
                try:
                    left = left[asked.send(left) :]
                except TimeoutError:
                    continue
                except OSError:
                    return False
            if not piece and self._over.wait(_STEP_S):  # an empty piece is a pause
                return False
        return True


# ---- over HTTP -------------------------------------------------------------------------------------------------------

_OK: Final = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"


def jpeg(width: int = 160, height: int = 120, place: int = 0) -> bytes:
    """A picture with a bright bar."""
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[:, place : place + 8] = 230
    return bytes(cv2.imencode(".jpg", picture)[1])


def part(data: bytes, length: int | None = None) -> bytes:
    """One picture of a multipart answer; it says that it has another length."""
    said = len(data) if length is None else length
    return b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % said + data + b"\r\n"


def _noise(seed: int) -> bytes:
    return np.random.default_rng(seed).bytes(_CHUNK)


def _sized(data: bytes, width: int, height: int) -> bytes:
    """A JPEG whose header claims another size."""
    return data.replace(struct.pack(">BHH", 8, 120, 160), struct.pack(">BHH", 8, height, width))


def _garbage(_: bytes) -> Iterator[bytes]:
    for i in range(200):
        yield _noise(i)
        yield b""


def _headers(_: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.0 200 OK\r\n"
    while True:
        yield b"X-Camera: again\r\n" * 200
        yield b""


def _no_newline(_: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.0 200 OK\r\nX-Camera: "
    while True:
        yield b"a" * _CHUNK
        yield b""


def _silence(_: bytes) -> Iterator[bytes]:
    yield _OK
    while True:
        yield b""


def _mute(_: bytes) -> Iterator[bytes]:
    while True:
        yield b""


def _part_headers(_: bytes) -> Iterator[bytes]:
    yield _OK + b"--frame\r\nContent-Type: image/jpeg\r\n"
    while True:
        yield b"X-Part: again\r\n" * 200
        yield b""


def _huge(_: bytes) -> Iterator[bytes]:
    """A hundred megabytes said, and sent."""
    size = 100_000_000
    yield _OK + part(jpeg()) + b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % size
    for _each in range(size // _CHUNK):
        yield bytes(_CHUNK)
    yield bytes(size % _CHUNK) + b"\r\n"
    while True:
        yield part(jpeg())
        yield b""


def _endless(_: bytes) -> Iterator[bytes]:
    """A picture without a length, and without an end."""
    yield _OK + b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg()[:-2]
    while True:
        yield bytes(_CHUNK)


def _two_gigabytes(_: bytes) -> Iterator[bytes]:
    yield _OK + b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 2147483647\r\n\r\n"
    while True:
        yield bytes(_CHUNK)


def _negative(_: bytes) -> Iterator[bytes]:
    yield _OK
    while True:
        yield part(jpeg(), -5)
        yield b""


def _too_long(_: bytes) -> Iterator[bytes]:
    """Says more than it sends: each picture swallows the next."""
    yield _OK
    while True:
        yield part(jpeg(), len(jpeg()) + 333)
        yield b""


def _too_short(_: bytes) -> Iterator[bytes]:
    yield _OK
    while True:
        yield part(jpeg(), 50)
        yield b""


def _claims(width: int, height: int) -> Callable[[bytes], Iterator[bytes]]:
    def answer(_: bytes) -> Iterator[bytes]:
        yield _OK
        while True:
            yield part(_sized(jpeg(), width, height))
            yield b""

    return answer


def _grows(_: bytes) -> Iterator[bytes]:
    """The first pictures are sound; then each claims to be larger than the last."""
    yield _OK
    for _each in range(20):
        yield part(jpeg())
        yield b""
    while True:
        for side in (1, 16, 4_000, 16_384, 65_500):
            yield part(_sized(jpeg(), side, side))
            yield b""


def _damaged(_: bytes) -> Iterator[bytes]:
    """Every third picture is damaged, each in another place."""
    yield _OK
    rng = np.random.default_rng(7)
    for i in range(10**9):
        data = bytearray(jpeg(place=i % 150))
        if i % 3 == 2:  # every third
            for place in rng.integers(0, len(data), 30):
                data[place] = rng.integers(256)
        yield part(bytes(data))
        yield b""


def _hangs_later(_: bytes) -> Iterator[bytes]:
    yield _OK
    for _each in range(30):
        yield part(jpeg())
        yield b""
    yield part(jpeg())[:300]
    while True:
        yield b""


def _redirects(_: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.0 302 Found\r\nLocation: file:///etc/hostname\r\nContent-Length: 0\r\n\r\n"


def _playlist(_: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.0 200 OK\r\nContent-Type: application/vnd.apple.mpegurl\r\n\r\n#EXTM3U\n#EXTINF:2,\n/etc/hostname\n"


# ---- over RTSP -------------------------------------------------------------------------------------------------------


def _said(request: bytes, body: bytes = b"", *, headers: bytes = b"", code: bytes = b"200 OK") -> bytes:
    number = request.partition(b"CSeq:")[2].partition(b"\r\n")[0].strip() or b"1"
    return (
        b"RTSP/1.0 " + code + b"\r\nCSeq: " + number + b"\r\n" + headers
        + b"Content-Length: %d\r\n\r\n" % len(body) + body
    )  # fmt: skip


_SDP: Final = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
    b"a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets=%s\r\na=control:trackID=0\r\n"
)
_SETUP: Final = b"Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 7;timeout=60\r\n"


def _rtsp(sdp: bytes, packet: Callable[[int], bytes], count: int = 10**9) -> Callable[[bytes], Iterator[bytes]]:
    """A camera that answers as it should and then plays ``packet(i)``, interleaved."""

    def answer(request: bytes) -> Iterator[bytes]:
        method = request.partition(b" ")[0]
        if method == b"OPTIONS":
            yield _said(request, headers=b"Public: OPTIONS, DESCRIBE, SETUP, PLAY\r\n")
        elif method == b"DESCRIBE":
            yield _said(request, sdp, headers=b"Content-Type: application/sdp\r\n")
        elif method == b"SETUP":
            yield _said(request, headers=_SETUP)
        elif method == b"PLAY":
            yield _said(request, headers=b"Session: 7\r\n")
            for i in range(count):
                data = packet(i)
                yield b"$\x00" + struct.pack(">H", len(data)) + data
                yield b""
        else:
            yield _said(request)

    return answer


def _rtp(i: int, payload: bytes) -> bytes:
    return struct.pack(">BBHII", 0x80, 0x80 | 96, i & 0xFFFF, (i * 3000) & 0xFFFFFFFF, 99) + payload


def _rtsp_headers(request: bytes) -> Iterator[bytes]:
    yield _said(request)[:-2]
    while True:
        yield b"X-Camera: again\r\n" * 200
        yield b""


def _rtsp_body(request: bytes) -> Iterator[bytes]:
    """A description of two gigabytes."""
    yield _said(request).replace(b"Content-Length: 0", b"Content-Length: 2147483600")
    while True:
        yield b"a=x\r\n" * 10_000


def _rtsp_many(request: bytes) -> Iterator[bytes]:
    """A description of ten thousand streams."""
    lines = b"".join(b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:%d\r\n" % i for i in range(10_000))
    yield from _rtsp(b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" + lines, lambda i: _rtp(i, b"\x65"))(
        request
    )


def _sets(width: int, height: int) -> bytes:
    return b64encode(h264_sps(width // 16, height // 16)) + b"," + b64encode(b"\x68\xce\x38\x80")


def _nothing(i: int) -> bytes:
    return _rtp(i, b"\x65\x88\x80\x10" + bytes(200))


def _rubbish(i: int) -> bytes:
    return _noise(i)[: 12 + i % 900]


LIES: Final[dict[str, Lie]] = {
    "garbage": Lie("mjpeg", _garbage),
    "headers-without-end": Lie("mjpeg", _headers),
    "no-newline": Lie("mjpeg", _no_newline),
    "silence": Lie("mjpeg", _silence),
    "mute": Lie("mjpeg", _mute),
    "part-headers-without-end": Lie("mjpeg", _part_headers),
    "a-hundred-megabytes": Lie("mjpeg", _huge),
    "a-picture-without-end": Lie("mjpeg", _endless),
    "two-gigabytes": Lie("mjpeg", _two_gigabytes),
    "negative-length": Lie("mjpeg", _negative),
    "too-long": Lie("mjpeg", _too_long, told=False),
    "too-short": Lie("mjpeg", _too_short),
    "claims-65500": Lie("mjpeg", _claims(65_500, 65_500)),
    "claims-12288": Lie("mjpeg", _claims(12_288, 12_288)),
    "claims-one-pixel": Lie("mjpeg", _claims(1, 1)),
    "grows": Lie("mjpeg", _grows),
    "damaged": Lie("mjpeg", _damaged, told=False),
    "hangs-later": Lie("mjpeg", _hangs_later),
    "redirects-to-a-file": Lie("mjpeg", _redirects),
    "sends-a-playlist": Lie("mjpeg", _playlist),
    "rtsp-garbage": Lie("rtsp", _garbage),
    "rtsp-mute": Lie("rtsp", _mute),
    "rtsp-headers-without-end": Lie("rtsp", _rtsp_headers),
    "rtsp-description-without-end": Lie("rtsp", _rtsp_body),
    "rtsp-ten-thousand-streams": Lie("rtsp", _rtsp_many),
    "rtsp-claims-65520": Lie("rtsp", _rtsp(_SDP % _sets(65_520, 65_520), _nothing)),
    "rtsp-claims-12288": Lie("rtsp", _rtsp(_SDP % _sets(12_288, 12_288), _nothing)),
    "rtsp-rubbish": Lie("rtsp", _rtsp(_SDP % _sets(640, 480), _rubbish)),
    "rtsp-empty-pictures": Lie("rtsp", _rtsp(_SDP % _sets(640, 480), lambda i: _rtp(i, b""))),
    "rtsp-then-silence": Lie("rtsp", _rtsp(_SDP % _sets(640, 480), _nothing, count=20)),
}
