"""Makes the mosaicked clips of incidents, in a background thread of the worker, one at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from watchglass.core.errors import BadInput, WatchglassError
from watchglass.core.geometry import FloatArray
from watchglass.edge.encode import encode_mp4
from watchglass.perception.messages import Clip
from watchglass.perception.observation import Tracks
from watchglass.perception.ports import Decoder, Image
from watchglass.perception.ring import ClipOrder
from watchglass.views.backdrop import Backdrop
from watchglass.views.mosaic import MosaicMaker

MOST_FPS: Final = 5.5
"""A reviewer needs no more, and encoding is what a clip costs."""

WIDEST: Final = 800
"""The longer side of a clip in pixels. What is mosaicked has no finer detail, and mosaicking is what a clip costs."""

_MOST_WAITING: Final = 8

log = logging.getLogger(__name__)
_NEAR_MS: Final = 600


@dataclass(frozen=True, slots=True)
class Studio:
    """What one source's clips are made with.

    Attributes:
        decoder: makes a decoder for the source's packets.
        size: (width, height) that pictures must have; others are left out.
        fps: pictures a second of the source.
        backdrop: the confirmed backdrop of the moment, or None (then everything is mosaicked).
    """

    decoder: Callable[[], Decoder]
    size: tuple[int, int]
    fps: float
    backdrop: Backdrop | None


def make_clip(order: ClipOrder, studio: Studio) -> Clip:
    """The clip that was ordered: everything that is not confirmed backdrop is mosaicked.

    Raises:
        BadInput: nothing of it could be decoded.
    """
    step = max(1, round(studio.fps / MOST_FPS))
    fps = studio.fps / step
    size = fitted(studio.size)
    backdrop = scaled(studio.backdrop, size) if studio.backdrop else None
    shares: list[float] = []

    def mosaicked() -> Iterator[Image]:
        for picture, share in MosaicMaker(backdrop).clip(_frames(order, studio, step)):
            shares.append(share)
            yield picture

    mp4 = encode_mp4(mosaicked(), fps, size)
    return Clip(order.incident, order.source, mp4, round(len(shares) / fps, 2), round(float(np.mean(shares)), 4))


def fitted(size: tuple[int, int]) -> tuple[int, int]:
    """The size of a clip of a source of this size, as ``Picture.small`` gives it."""
    scale = min(1.0, WIDEST / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def scaled(backdrop: Backdrop, size: tuple[int, int]) -> Backdrop:
    """The backdrop in a clip's size. A pixel stays admitted only if all that it is made of was."""
    if backdrop.size == size:
        return backdrop
    picture = cv2.resize(backdrop.bgr, size, interpolation=cv2.INTER_AREA)
    whole = cv2.resize(backdrop.admitted.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return Backdrop(picture.astype(np.uint8), np.asarray(whole > 0.999))  # noqa: PLR2004 # all of them, but for rounding


def _frames(order: ClipOrder, studio: Studio, step: int) -> Iterator[tuple[int, Image, FloatArray]]:
    decoder = studio.decoder()
    count = 0
    for packet in order.packets:
        try:
            pictures = decoder.decode(packet)
        except BadInput:
            continue
        for picture in pictures:
            if picture.at_ms < order.start_ms or (picture.width, picture.height) != studio.size:
                continue
            if count % step == 0:
                scale = np.float32(fitted(studio.size)[0] / studio.size[0])
                yield picture.at_ms, picture.small(WIDEST), _boxes(order.tracks, picture.at_ms) * scale
            count += 1


def _boxes(tracks: tuple[Tracks, ...], at_ms: int) -> FloatArray:
    """Every place where something was known to be around ``at_ms``: rather too much than too little."""
    near = [t.boxes for t in tracks if abs(t.at_ms - at_ms) <= _NEAR_MS]
    return np.concatenate(near) if near else np.zeros((0, 4), np.float32)


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
        same = (order.source, order.start_ms, order.end_ms, len(order.packets), studio.backdrop is None)
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
