"""What a source is read from, files and live streams alike; and a small stream looked at as if it were a large one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Final, Protocol

import cv2
import numpy as np

from watchglass.core.errors import BadInput
from watchglass.core.geometry import FloatArray
from watchglass.edge.fragments import Coded
from watchglass.edge.video import Areas, VideoFile
from watchglass.perception.ports import Decoder, Image, Insight, Packet, Picture, sample_shape, stride_of

_NOTHING: Final[Mapping[str, int]] = {}


class Footage(Protocol):
    """A file or a live stream.

    Attributes:
        live: it goes on without being read, and packets come when they come.
        cpu_seconds: what reading it has cost in threads of its own.
    """

    live: bool
    cpu_seconds: float

    @property
    def size(self) -> tuple[int, int] | None:
        """(width, height) of its first picture; None while it is being opened."""
        ...

    @property
    def coded(self) -> Coded | None:
        """What its packets are, for keeping them; None while it is being opened."""
        ...

    @property
    def fps(self) -> float:
        """Pictures a second."""
        ...

    @property
    def over(self) -> bool:
        """Whether it came to its end."""
        ...

    @property
    def dropped(self) -> Mapping[str, int]:
        """Lost work per cause."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to know about it, in words; never its address."""
        ...

    @property
    def clock_ms(self) -> int | None:
        """How far its clock is ahead of this machine's; None where it has none of its own."""
        ...

    def take(self) -> Packet | None:
        """The next packet; None while there is none, or at the end.

        Raises:
            BadInput: it is lost, or damaged.
        """
        ...

    def silent_ms(self, now_ms: int) -> int:
        """For how long a live stream has sent nothing."""
        ...

    def decoder(self, shown_as: tuple[int, int] | None = None) -> Decoder:
        """A new decoder for its packets. Several may decode the same packets.

        Args:
            shown_as: the (width, height) that its pictures pretend to have.
        """
        ...

    def close(self) -> None:
        """Give it up, and forget what waits."""
        ...


class FileFootage:
    """A video file.

    Args:
        start_ms: capture time of its first picture.

    Raises:
        BadInput: it cannot be opened, or is empty.
    """

    live = False
    cpu_seconds = 0.0
    clock_ms = None

    def __init__(self, path: Path, *, never_see: Areas, loop: bool, start_ms: int) -> None:
        self._file = VideoFile(path, never_see=never_see, loop=loop)
        self._packets = self._file.packets(start_ms)
        self._first: Packet | None = next(self._packets, None)
        self.over = False
        if self._first is None:
            raise BadInput(f"{path.name} is empty.", fix="Replace the file with an undamaged copy.")

    @property
    def size(self) -> tuple[int, int]:
        return self._file.width, self._file.height

    @property
    def coded(self) -> Coded:
        return self._file.coded

    @property
    def fps(self) -> float:
        return self._file.fps

    @property
    def dropped(self) -> Mapping[str, int]:
        return _NOTHING

    @property
    def notes(self) -> tuple[str, ...]:
        return ()

    def take(self) -> Packet | None:
        """See ``Footage.take``."""
        first, self._first = self._first, None
        packet = first or next(self._packets, None)
        self.over = packet is None
        return packet

    def silent_ms(self, now_ms: int) -> int:
        """Never: a file has no silence of its own."""
        del now_ms
        return 0

    def decoder(self, shown_as: tuple[int, int] | None = None) -> Decoder:
        """See ``Footage.decoder``; a file is shown as it is."""
        del shown_as
        return self._file.decoder()

    def close(self) -> None:
        """Nothing is held."""


class ScaledDecoder:
    """Pictures of a small stream in the coordinates of the large one, on which zones were drawn.

    Args:
        inner: decodes the small stream.
        size: (width, height) that its pictures should have. Others are given out as they are: somebody changed the
            camera, and what was drawn on its picture may no longer fit.
        shown_as: (width, height) of the large picture.
    """

    def __init__(self, inner: Decoder, size: tuple[int, int], shown_as: tuple[int, int]) -> None:
        self._inner = inner
        self._size = size
        self._shown_as = shown_as

    def decode(self, packet: Packet) -> Sequence[Picture]:
        """See ``perception.ports.Decoder.decode``."""
        return [self._scaled(picture) for picture in self._inner.decode(packet)]

    def alone(self, packet: Packet) -> Picture | None:
        """See ``perception.ports.Decoder.alone``."""
        picture = self._inner.alone(packet)
        return None if picture is None else self._scaled(picture)

    def drain(self) -> Sequence[Picture]:
        """See ``perception.ports.Decoder.drain``."""
        return [self._scaled(picture) for picture in self._inner.drain()]

    @property
    def insight(self) -> Insight:
        """See ``perception.ports.Decoder.insight``."""
        return self._inner.insight

    @property
    def flawed(self) -> int:
        """See ``perception.ports.Decoder.flawed``."""
        return self._inner.flawed

    def exactly(self, exact: bool) -> None:
        """See ``perception.ports.Decoder.exactly``."""
        self._inner.exactly(exact)

    def glance(self, key: Packet, packet: Packet) -> FloatArray | None:
        """See ``perception.ports.Decoder.glance``: of the small stream, the nearest samples that there are."""
        changes = self._inner.glance(key, packet)
        if changes is None:
            return None
        rows, columns = sample_shape(*self._shown_as)
        return cv2.resize(changes, (columns, rows), interpolation=cv2.INTER_NEAREST).astype(np.float32)

    def weigh(self, packet: Packet) -> int:
        """See ``perception.ports.Decoder.weigh``."""
        return self._inner.weigh(packet)

    def _scaled(self, picture: Picture) -> Picture:
        if (picture.width, picture.height) != self._size or self._size == self._shown_as:
            return picture
        return ScaledPicture(picture, self._shown_as)


class ScaledPicture:
    """A ``perception.ports.Picture`` of another size than the one that was decoded."""

    __slots__ = ("_inner", "at_ms", "height", "width")

    def __init__(self, inner: Picture, size: tuple[int, int]) -> None:
        self._inner = inner
        self.at_ms = inner.at_ms
        self.width, self.height = size

    def luma(self) -> Image:
        """See ``perception.ports.Picture.luma``: the nearest samples that there are."""
        return self._sample(self._inner.luma())

    def edges(self) -> Image:
        """See ``perception.ports.Picture.edges``: the neighbours of the same samples."""
        return self._sample(self._inner.edges())

    @property
    def black(self) -> int:
        """See ``perception.ports.Picture.black``."""
        return self._inner.black

    def chroma(self) -> Image:
        """See ``perception.ports.Picture.chroma``: the nearest samples that there are."""
        found = self._inner.chroma()
        wide = 4 * stride_of(self.width, self.height)
        rows, columns = (len(range(wide // 2, side, wide)) for side in (self.height, self.width))
        return _nearest(found, rows, columns) if found.size else found

    def small(self, side: int) -> Image:
        """See ``perception.ports.Picture.small``."""
        scale = min(1.0, side / max(self.width, self.height))
        return _resized(self._inner.small(side), max(1, round(self.width * scale)), max(1, round(self.height * scale)))

    def part(self, x1: int, y1: int, x2: int, y2: int, side: int) -> Image:
        """See ``perception.ports.Picture.part``: of the small picture, the pixels that the window touches."""
        across, down = self._inner.width / self.width, self._inner.height / self.height
        left, top = int(x1 * across), int(y1 * down)
        right = max(left + 1, min(self._inner.width, ceil(x2 * across)))
        bottom = max(top + 1, min(self._inner.height, ceil(y2 * down)))
        scale = min(1.0, side / max(x2 - x1, y2 - y1))
        size = max(1, round((x2 - x1) * scale)), max(1, round((y2 - y1) * scale))
        return _resized(self._inner.part(left, top, right, bottom, side), *size)

    def bgr(self) -> Image:
        """See ``perception.ports.Picture.bgr``: no sharper than what was decoded."""
        return _resized(self._inner.bgr(), self.width, self.height)

    def _sample(self, samples: Image) -> Image:
        return _nearest(samples, *sample_shape(self.width, self.height))


def _nearest(samples: Image, rows: int, columns: int) -> Image:
    y = (np.arange(rows) * samples.shape[0]) // rows
    x = (np.arange(columns) * samples.shape[1]) // columns
    taken: Image = samples[np.ix_(y, x)]
    return taken


def _resized(image: Image, width: int, height: int) -> Image:
    if image.shape[:2] == (height, width):
        return image
    way = cv2.INTER_AREA if image.shape[0] > height else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=way).astype(np.uint8, copy=False)
