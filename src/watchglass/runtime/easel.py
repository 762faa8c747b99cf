"""The public pictures of one source: each is painted and encoded once, whoever asks, and only those of now are kept."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final, Literal

import cv2

from watchglass.core.geometry import BoolArray
from watchglass.edge.encode import encode_png
from watchglass.views.backdrop import Backdrop
from watchglass.views.public import Image, PlainPin, ground, with_marks
from watchglass.views.timeline import Shown

Format = Literal["png", "webp"]

_QUALITY: Final = 75
"""Of WebP, 0 to 100: what is left to see is a quiet scene."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What marks stand on: a confirmed backdrop, and the light in which it is shown.

    Attributes:
        scene, version: which one it is.
        png: the backdrop as it was confirmed.
        confirmed_ms: when an operator confirmed it.
        light: twelve factors in sixty-fourths, row by row; () for the backdrop's own light.
        without: names what the charter takes out of it; "" for nothing.
    """

    scene: str
    version: str
    png: bytes
    confirmed_ms: int
    light: tuple[int, ...] = ()
    without: str = ""

    @property
    def token(self) -> str:
        """Names what is shown of the empty scene now: another version, light or charter's area has another one."""
        light = bytes(min(each, 255) for each in self.light).hex() or "even"
        return f"{self.scene}.{self.version}.{light}{self.without and '.'}{self.without}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the public may see of one source now; ``runtime.live`` makes it.

    Attributes:
        size: (width, height) of the picture; None as long as the source has not been opened.
        shown: after delay and threshold; None where there is nothing to show.
        stage: None where no confirmed view is in front of the camera, or its backdrop was withdrawn: all is grey.
        hidden: (height, width), what the charter never shows.
        black: (height, width), what it never sees. The backdrop may have been learned before the charter said so.
    """

    size: tuple[int, int] | None
    shown: Shown | None
    stage: Stage | None
    hidden: BoolArray | None = None
    black: BoolArray | None = None

    @property
    def marks(self) -> tuple[PlainPin, ...]:
        """What stands on the stage; nothing where there is none."""
        return self.shown.marks if self.shown is not None and self.stage is not None else ()


class Easel:
    """Paints what is to be seen of one source. Thread-safe: who asks while it paints gets the same picture."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: tuple[object, ...] = ()
        self._hidden: BoolArray | None = None
        self._ground: Image | None = None
        self._marks: tuple[PlainPin, ...] = ()
        self._empty: dict[Format, bytes] = {}
        self._now: dict[Format, bytes] = {}

    def empty(self, seen: Seen, size: tuple[int, int], kind: Format) -> bytes:
        """The empty scene as the public sees it: quieter than the camera's picture, grey where it is not known."""
        with self._lock:
            scene = self._stand(seen, size)
            if kind not in self._empty:
                self._empty[kind] = _encoded(scene, kind)
            return self._empty[kind]

    def now(self, seen: Seen, size: tuple[int, int], kind: Format) -> bytes:
        """The same with the marks of now on it."""
        with self._lock:
            scene = self._stand(seen, size)
            if seen.marks != self._marks:
                self._marks, self._now = seen.marks, {}
            if kind not in self._now:
                self._now[kind] = _encoded(with_marks(scene, seen.marks), kind)
            return self._now[kind]

    def clear(self) -> None:
        """Forget every picture: one of them must not be shown any more."""
        with self._lock:
            self._forget()

    def _stand(self, seen: Seen, size: tuple[int, int]) -> Image:
        of = (seen.stage, size)
        if self._ground is None or of != self._of or seen.hidden is not self._hidden:
            self._forget()
            backdrop = Backdrop.from_png(seen.stage.png) if seen.stage else None
            light = seen.stage.light if seen.stage else ()
            self._ground = ground(backdrop, size, hidden=seen.hidden, black=seen.black, light=light)
            self._of, self._hidden = of, seen.hidden
        return self._ground

    def _forget(self) -> None:
        self._of, self._hidden, self._ground, self._marks = (), None, None, ()
        self._empty.clear()
        self._now.clear()


def _encoded(picture: Image, kind: Format) -> bytes:
    if kind == "png":
        return encode_png(picture)
    worked, data = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])
    assert worked  # the format is built into OpenCV
    return data.tobytes()
