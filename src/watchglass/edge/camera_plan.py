"""How FFmpeg is asked for a live stream, and what its errors mean."""

from __future__ import annotations

import errno
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import av
from av.container import InputContainer
from av.error import FFmpegError

from watchglass.core.errors import BadInput
from watchglass.edge.address import checked
from watchglass.edge.limits import MOST_PIXELS

OPEN_S: Final = 10.0
"""How long a camera has to answer and to say what it sends."""

READ_S: Final = 10.0
"""How long no picture may come before the connection is given up."""

_CODECS: Final = "h264,hevc,mjpeg"
_MICRO: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How FFmpeg is asked for a stream.

    Attributes:
        address: what is opened. Never shown.
        tries: demuxer and options, to be tried in this order until one fits what the camera or device sends.
        stamped: whether the stamps of packets mean anything.
    """

    address: str = field(repr=False)
    tries: tuple[tuple[str, Mapping[str, str]], ...]
    stamped: bool = True


def plan_of(kind: str, address: str, *, transport: str = "tcp") -> Plan:
    """How a source of this kind is opened. Only the protocols, containers and codecs that it needs are permitted.

    Args:
        kind: ``rtsp``, ``mjpeg`` or ``webcam``.
        address: an address, or a device's name.
        transport: for ``rtsp``: ``tcp`` or ``udp``.

    Raises:
        BadInput: it is no address of this kind, or this system has no such devices.
    """
    if kind == "rtsp":
        checked(address, ("rtsp", "rtsps"))
        options = {
            "rtsp_transport": transport,
            "allowed_media_types": "video",
            "timeout": str(round(READ_S * _MICRO)),
            "protocol_whitelist": "rtp,udp,tcp,tls",
        }
        return Plan(address, (("rtsp", {**options, **_PROBE, **_trust()}),))
    if kind == "mjpeg":
        checked(address, ("http", "https"))
        options = {
            "timeout": str(round(READ_S * _MICRO)),
            "protocol_whitelist": "http,https,tcp,tls",
        }
        options = {**options, **_PROBE, **_trust()}
        return Plan(address, (("mpjpeg", options), ("mjpeg", options)), stamped=False)
    if kind == "webcam":
        system = {"linux": "v4l2", "darwin": "avfoundation"}.get(sys.platform)
        if system is None:
            raise BadInput(
                f"A webcam cannot be read on this system ({sys.platform}).",
                fix="Use Linux or macOS, or an RTSP camera.",
            )
        device = f"/dev/video{address}" if system == "v4l2" and address.isdecimal() else address
        compressed = {"input_format": "mjpeg"} if system == "v4l2" else {"framerate": "30"}
        return Plan(device, ((system, compressed), (system, {})))
    raise BadInput(f"There is no kind of live source “{kind}”.", fix="Use rtsp, mjpeg or webcam.")


_PROBE: Final = {
    "fpsprobesize": "0",
    "analyzeduration": str(round(OPEN_S * _MICRO)),
    "codec_whitelist": _CODECS,
    "max_pixels": str(MOST_PIXELS),
    "max_streams": "16",
}


def _trust() -> dict[str, str]:
    """Cameras that speak TLS must show a certificate that this machine trusts (``SSL_CERT_FILE`` names others)."""
    found = ssl.get_default_verify_paths().cafile
    return {"tls_verify": "1", **({"ca_file": found} if found else {})}


def opened(plan: Plan) -> InputContainer:
    """The stream, as the first of the plan's tries that fits.

    Raises:
        FFmpegError, OSError: none fits; ``meaning`` says what that means.
    """
    for i, (demuxer, options) in enumerate(plan.tries):
        try:
            return av.open(
                plan.address,
                format=demuxer,
                options=dict(options),
                timeout=(OPEN_S, READ_S),
                metadata_errors="replace",
            )
        except (FFmpegError, OSError) as error:
            if isinstance(error, _FINAL) or i == len(plan.tries) - 1:
                raise
    raise AssertionError("a plan has a last try")


_FINAL: Final = (
    ConnectionError,
    TimeoutError,
    FileNotFoundError,
    PermissionError,
    av.error.ExitError,
    av.error.HTTPError,
)
"""What another way of asking would not mend."""

NOTHING_CAME: Final = f"sent nothing for {READ_S:.0f} seconds"

_ANSWERS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (av.error.HTTPUnauthorizedError, "refuses the name and password, or wants some"),
    (av.error.HTTPForbiddenError, "refuses to show this stream"),
    (av.error.HTTPNotFoundError, "has no such stream"),
    (av.error.ExitError, NOTHING_CAME),
    (TimeoutError, NOTHING_CAME),
    (ConnectionRefusedError, "refuses the connection"),
    (ConnectionError, "broke the connection"),
    (FileNotFoundError, "is not there"),
    (PermissionError, "may not be read by this account"),
    (av.error.InvalidDataError, "sends no picture that can be read"),
    (av.error.EOFError, "ended the stream"),
)


def meaning(error: Exception) -> str:
    """What FFmpeg's error means. Its own text holds the address, so only the bare reason is ever taken from it."""
    for kind, words in _ANSWERS:
        if isinstance(error, kind):
            return words
    if getattr(error, "errno", None) == errno.EIO:
        return "broke off the stream"
    return f"cannot be read ({getattr(error, 'strerror', None) or type(error).__name__})"
