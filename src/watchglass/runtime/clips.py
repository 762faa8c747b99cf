"""Makes the mosaicked clips of incidents, in a background thread of the worker, one at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from watchglass.core.errors import BadInput, WatchglassError
from watchglass.core.geometry import FloatArray
from watchglass.edge.encode import encode_mp4
from watchglass.perception.messages import Clip
from watchglass.perception.ports import Decoder, Detector, Image, Picture
from watchglass.perception.ring import ClipOrder
from watchglass.perception.sight import Sight
from watchglass.views.backdrop import Backdrop
from watchglass.views.mosaic import MosaicMaker

MOST_FPS: Final = 5.5
"""A reviewer needs no more, and encoding is what a clip costs."""

WIDEST: Final = 800
"""The longer side of a clip in pixels. What is mosaicked has no finer detail, and mosaicking is what a clip costs."""

DAMAGED: Final = "it came damaged"
ANOTHER_SIZE: Final = "the camera sent another size of picture"

_MOST_WAITING: Final = 8

log = logging.getLogger(__name__)
_NEAR_MS: Final = 600
_NO_BOXES: Final = np.zeros((0, 4), np.float32)


@dataclass(frozen=True, slots=True)
class Studio:
    """What one source's clips are made with.

    Attributes:
        decoder: makes a decoder for the source's packets.
        size: (width, height) that pictures must have; others are withheld.
        fps: pictures a second of the source.
        backdrops: PNG of each view whose backdrop is confirmed, the one in front of the camera first; without any,
            everything is mosaicked.
        detector: looks for people and things in the clip: while the gate was shut, nobody did.
    """

    decoder: Callable[[], Decoder]
    size: tuple[int, int]
    fps: float
    backdrops: tuple[bytes, ...]
    detector: Detector


def make_clip(order: ClipOrder, studio: Studio) -> Clip:
    """The clip that was ordered: everything that is not confirmed backdrop is mosaicked; what is unsure is withheld.

    Raises:
        BadInput: nothing of it could be decoded.
    """
    step = max(1, round(studio.fps / MOST_FPS))
    fps = studio.fps / step
    maker = MosaicMaker([Backdrop.from_png(png) for png in studio.backdrops])
    shares: list[float] = []

    def mosaicked() -> Iterator[Image]:
        for picture, share in maker.clip(_Frames(order, studio, maker).every(step)):
            shares.append(share)
            yield picture

    mp4 = encode_mp4(mosaicked(), fps, fitted(studio.size))
    whys = maker.withheld.most_common(1)
    return Clip(
        order.incident,
        order.source,
        mp4,
        round(len(shares) / fps, 2),
        round(float(np.mean(shares)), 4),
        withheld_share=round(maker.withheld.total() / len(shares), 4),
        withheld_why=whys[0][0] if whys else "",
    )


def fitted(size: tuple[int, int]) -> tuple[int, int]:
    """The size of a clip of a source of this size, as ``Picture.small`` gives it."""
    scale = min(1.0, WIDEST / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


class _Frames:
    """The pictures of an order, decoded again and looked at by the detector 2.5 times a second, as at work.

    Args:
        maker: is told which pictures are to be withheld.
    """

    def __init__(self, order: ClipOrder, studio: Studio, maker: MosaicMaker) -> None:
        self._order = order
        self._studio = studio
        self._maker = maker
        self._sight = Sight(studio.size, studio.detector)
        self._found: list[FloatArray] = []

    def every(self, step: int) -> Iterator[tuple[int, Image, FloatArray]]:
        """(ms, BGR in a clip's size, boxes (n, 4) of things) of every ``step``-th picture."""
        width, height = fitted(self._studio.size)
        scale = np.float32(width / self._studio.size[0])
        count = 0
        for at_ms, picture, why in self._decoded():
            if picture is not None:
                self._look(picture)
            if at_ms < self._order.start_ms:
                continue
            if count % step == 0:
                if why:
                    self._maker.withhold(at_ms, why)
                small = np.zeros((height, width, 3), np.uint8) if picture is None else picture.small(WIDEST)
                yield at_ms, small, self._boxes(at_ms) * scale
                self._found.clear()
            count += 1

    def _decoded(self) -> Iterator[tuple[int, Picture | None, str]]:
        """(ms, picture, why it is withheld or ""): no picture where none came or it has another size."""
        decoder = self._studio.decoder()
        for packet in self._order.packets:
            flawed = decoder.flawed
            try:
                pictures = decoder.decode(packet)
            except BadInput:
                yield packet.at_ms, None, DAMAGED
                continue
            lost = decoder.flawed > flawed
            if lost and not pictures:
                yield packet.at_ms, None, DAMAGED
            yield from self._sorted(pictures, DAMAGED if lost else "")
        yield from self._sorted(decoder.drain(), "")

    def _sorted(self, pictures: Sequence[Picture], why: str) -> Iterator[tuple[int, Picture | None, str]]:
        for picture in pictures:
            if (picture.width, picture.height) == self._studio.size:
                yield picture.at_ms, picture, why
            else:
                yield picture.at_ms, None, ANOTHER_SIZE

    def _look(self, picture: Picture) -> None:
        self._sight.move(picture)
        if self._sight.detect(picture, is_open=True):
            self._found.append(self._sight.found.boxes)

    def _boxes(self, at_ms: int) -> FloatArray:
        """Every place where something is, or was known to be around ``at_ms``: rather too much than too little."""
        near = [t.boxes for t in self._order.tracks if abs(t.at_ms - at_ms) <= _NEAR_MS]
        return np.concatenate([_NO_BOXES, *near, *self._found, self._sight.tracks(at_ms).boxes])


class ClipMaker:
    """Works through orders in the background. What it cannot take is counted, and the incident stays without a clip.

    Args:
        deliver: called in the background thread with each clip that is done.
    """

    def __init__(self, deliver: Callable[[Clip], None]) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="clips")
        self._deliver = deliver
        self._waiting: list[Future[None]] = []
        self._last: tuple[tuple[object, ...], Clip] | None = None
        self.dropped = 0

    def take(self, order: ClipOrder, studio: Studio) -> None:
        """Take an order, if not too many wait."""
        self._waiting = [f for f in self._waiting if not f.done()]
        if len(self._waiting) >= _MOST_WAITING:
            self.dropped += 1
            return
        self._waiting.append(self._pool.submit(self._make, order, studio))

    def finish(self) -> None:
        """Wait for what is ordered, then end."""
        self._pool.shutdown(wait=True)

    def abandon(self) -> None:
        """End without starting what still waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _make(self, order: ClipOrder, studio: Studio) -> None:
        same = (order.source, order.start_ms, order.end_ms, len(order.packets), studio.backdrops)
        if self._last is not None and self._last[0] == same:
            # Two rules fired at the same moment: one piece of video, two incidents.
            self._deliver(replace(self._last[1], incident=order.incident))
            return
        try:
            clip = make_clip(order, studio)
        except WatchglassError as error:  # a damaged source has many of these
            log.warning("The clip of incident %s could not be made: %s", order.incident, error.message)
            self.dropped += 1
            return
        except Exception:  # in a background thread nobody else would ever hear of it
            log.exception("The clip of incident %s could not be made.", order.incident)
            self.dropped += 1
            return
        self._last = (same, clip)
        self._deliver(clip)
