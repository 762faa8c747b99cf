"""What is opened and shown: in memory only, and only until it is closed or the desk stops."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

from watchglass.core.errors import BadInput, Problem

MOST_BYTES: Final = 1 << 30
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shown:
    """One opened release: an MP4, and what is known of it."""

    video: bytes
    about: Mapping[str, Any]


class Theatre:
    """Holds opened releases by their number. Nothing of it reaches a disk."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown: dict[str, Shown] = {}

    def show(self, number: str, shown: Shown) -> None:
        """Take one in.

        Raises:
            BadInput: all together would need more memory than a desk takes.
        """
        with self._lock:
            rest = sum(len(each.video) for key, each in self._shown.items() if key != number)
            if rest + len(shown.video) > MOST_BYTES:
                raise BadInput(
                    "What is open on this desk would take more than a gigabyte of memory.",
                    fix="Close another release first, or export this one.",
                )
            self._shown[number] = shown

    def get(self, number: str) -> Shown:
        """The one with that number.

        Raises:
            Problem: it is not open.
        """
        with self._lock:
            shown = self._shown.get(number)
        if shown is None:
            raise Problem("This release is not open on this desk.", fix="Open it again from its case.")
        return shown

    def close(self, number: str) -> None:
        """Let go of one."""
        with self._lock:
            self._shown.pop(number, None)

    def open_now(self) -> list[str]:
        """The numbers of what is open."""
        with self._lock:
            return sorted(self._shown)


def ranged(video: bytes, asked: str | None) -> Response:
    """The video, or the one part of it that a player asks for (RFC 9110, one range)."""
    headers = {"accept-ranges": "bytes"}
    match = _RANGE.fullmatch(asked or "")
    if match is None or match.groups() == ("", ""):
        return Response(video, media_type="video/mp4", headers=headers)
    first, last = match.groups()
    size = len(video)
    if first:
        begin, end = int(first), min(int(last) if last else size - 1, size - 1)
    else:
        begin, end = max(0, size - int(last)), size - 1
    if begin > end:
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{size}"})
    headers["content-range"] = f"bytes {begin}-{end}/{size}"
    return Response(video[begin : end + 1], 206, media_type="video/mp4", headers=headers)
