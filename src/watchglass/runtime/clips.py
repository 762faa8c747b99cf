"""Makes the mosaicked clips of incidents, in a background thread of the worker, one at a time.

What of a clip is there already is decoded and looked at while the rest is being filmed; what clips of one source have
in common, once. Mosaicked is a clip only when it is whole, for only then it is known where everything was.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

import numpy as np

from watchglass.core.errors import BadInput, WatchglassError
from watchglass.core.geometry import FloatArray
from watchglass.edge.encode import encode_mp4
from watchglass.perception.messages import Clip
from watchglass.perception.ports import Decoder, Detector, Image, Packet, Picture
from watchglass.perception.ring import ClipOrder
from watchglass.perception.sight import Sight
from watchglass.views.backdrop import Backdrop
from watchglass.views.mosaic import MosaicMaker
from watchglass.views.public import without

MOST_FPS: Final = 5.5
"""A reviewer needs no more, and encoding is what a clip costs."""

WIDEST: Final = 800
"""The longer side of a clip in pixels. What is mosaicked has no finer detail, and mosaicking is what a clip costs."""

DAMAGED: Final = "it came damaged"
ANOTHER_SIZE: Final = "the camera sent another size of picture"

_MOST_WAITING: Final = 8
_MOST_REELS: Final = 2
"""So many sources at most have decoded pictures waiting, of eight seconds or so: 45 MB each at 800 by 450."""

log = logging.getLogger(__name__)
_NEAR_MS: Final = 600
_NO_BOXES: Final = np.zeros((0, 4), np.float32)

Areas = tuple[tuple[tuple[float, float], ...], ...]


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
        never_see: polygons of the picture that the charter blackens. A backdrop may be older than they are.
    """

    decoder: Callable[[], Decoder]
    size: tuple[int, int]
    fps: float
    backdrops: tuple[bytes, ...]
    detector: Detector
    never_see: Areas = ()


def make_clip(order: ClipOrder, studio: Studio) -> Clip:
    """The clip that was ordered: everything that is not confirmed backdrop is mosaicked; what is unsure is withheld.

    Raises:
        BadInput: nothing of it could be decoded.
    """
    reel = _Reel(studio, order.start_ms)
    return _made(_Job(order, studio, reel, reel.promise(order.packets)))


def _made(job: _Job) -> Clip:
    order, studio, reel = job.order, job.studio, job.reel
    maker = MosaicMaker([_backdrop(png, studio.size, studio.never_see) for png in studio.backdrops])
    shares: list[float] = []

    def moments() -> Iterator[tuple[int, Image, FloatArray]]:
        scale = np.float32(fitted(studio.size)[0] / studio.size[0])
        for moment in reel.play(job.until, last=job.keep_ms is None):
            if order.start_ms <= moment.at_ms <= order.end_ms:
                if moment.why:
                    maker.withhold(moment.at_ms, moment.why)
                yield moment.at_ms, moment.picture, _known(order, moment) * scale

    def mosaicked() -> Iterator[Image]:
        for picture, share in maker.clip(moments()):
            shares.append(share)
            yield picture

    mp4 = encode_mp4(mosaicked(), reel.fps, fitted(studio.size))
    whys = maker.withheld.most_common(1)
    return Clip(
        order.incident,
        order.source,
        mp4,
        round(len(shares) / reel.fps, 2),
        round(float(np.mean(shares)), 4),
        withheld_share=round(maker.withheld.total() / len(shares), 4),
        withheld_why=whys[0][0] if whys else "",
    )


@lru_cache(maxsize=2)
def _backdrop(png: bytes, size: tuple[int, int], never_see: Areas) -> Backdrop:
    return without(Backdrop.from_png(png), size, never_see)


def fitted(size: tuple[int, int]) -> tuple[int, int]:
    """The size of a clip of a source of this size, as ``Picture.small`` gives it."""
    scale = min(1.0, WIDEST / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


@dataclass(frozen=True, slots=True, eq=False)
class _Moment:
    """One picture of a clip, before it is mosaicked. Never leaves this file.

    Attributes:
        picture: (h, w, 3) BGR in a clip's size; black where none came.
        boxes: (n, 4) of what the detector found since the moment before, and of what it follows; the source's pixels.
        why: why it is withheld; "" if it is not.
    """

    at_ms: int
    picture: Image
    boxes: FloatArray
    why: str


def _known(order: ClipOrder, moment: _Moment) -> FloatArray:
    """Every place where something is, or was known to be around that time: rather too much than too little."""
    near = [t.boxes for t in order.tracks if abs(t.at_ms - moment.at_ms) <= _NEAR_MS]
    return np.concatenate([*near, moment.boxes])


class _Reel:
    """The pictures of one source from ``start_ms`` on, decoded again and looked at 2.5 times a second, as at work.

    Clips that lie in each other share one; each packet is decoded once.
    """

    def __init__(self, studio: Studio, start_ms: int) -> None:
        self._studio = studio
        self._start_ms = start_ms
        self._step = max(1, round(studio.fps / MOST_FPS))
        self.fps = studio.fps / self._step
        self._decoder: Decoder | None = None
        self._sight = Sight(studio.size, studio.detector)
        self._coming: deque[Packet] = deque()
        self._promised = self._fed = 0
        self._found: list[FloatArray] = []
        self._count = 0
        self._held: deque[_Moment] = deque()
        self._sound = True

    def promise(self, packets: Iterable[Packet]) -> int:
        """Packets that follow those that were promised before; how many there are now."""
        for packet in packets:
            self._coming.append(packet)
            self._promised += 1
        return self._promised

    def prepare(self, stop: Callable[[], bool]) -> None:
        """Decode and look at what was promised, until ``stop`` says that something else is more urgent."""
        self._sound = False  # what breaks on the way must not be missing in a clip in silence
        while self._coming and not stop():
            self._held.extend(self._feed())
        self._sound = True

    def play(self, until: int, *, last: bool) -> Iterator[_Moment]:
        """The moments of the first ``until`` packets, oldest first, as far as they are held.

        Args:
            last: no other clip is made of this reel: nothing is held, and what the decoder holds back comes too.
        """
        if not self._sound:
            raise RuntimeError("a part of what was filmed could not be looked at")
        if not last:
            while self._fed < until:
                self._held.extend(self._feed())
            yield from tuple(self._held)
            return
        while self._held:
            yield self._held.popleft()
        while self._fed < until:
            yield from self._feed()
        if self._decoder is not None:
            yield from self._moments(self._decoder.drain(), "")

    def forget(self, before_ms: int) -> None:
        """No clip will ask for what was earlier."""
        while self._held and self._held[0].at_ms < before_ms:
            self._held.popleft()

    def _feed(self) -> Iterator[_Moment]:
        packet = self._coming.popleft()
        self._fed += 1
        decoder = self._decoder = self._decoder or self._studio.decoder()
        flawed = decoder.flawed
        try:
            pictures = decoder.decode(packet)
        except BadInput:
            yield from self._moment(packet.at_ms, None, DAMAGED)
            return
        lost = decoder.flawed > flawed
        if lost and not pictures:
            yield from self._moment(packet.at_ms, None, DAMAGED)
        yield from self._moments(pictures, DAMAGED if lost else "")

    def _moments(self, pictures: Sequence[Picture], why: str) -> Iterator[_Moment]:
        for picture in pictures:
            if (picture.width, picture.height) == self._studio.size:
                yield from self._moment(picture.at_ms, picture, why)
            else:
                yield from self._moment(picture.at_ms, None, ANOTHER_SIZE)

    def _moment(self, at_ms: int, picture: Picture | None, why: str) -> Iterator[_Moment]:
        """Every ``step``-th picture; no picture where none came or it has another size."""
        if picture is not None:
            self._look(picture)
        if at_ms < self._start_ms:
            return
        if self._count % self._step == 0:
            width, height = fitted(self._studio.size)
            small = np.zeros((height, width, 3), np.uint8) if picture is None else picture.small(WIDEST)
            boxes = np.concatenate([_NO_BOXES, *self._found, self._sight.tracks(at_ms).boxes])
            self._found.clear()
            yield _Moment(at_ms, small, boxes, why)
        self._count += 1

    def _look(self, picture: Picture) -> None:
        self._sight.move(picture)
        if self._sight.detect(picture, is_open=True):
            self._found.append(self._sight.found.boxes)


@dataclass(slots=True, eq=False)
class _Open:
    """A reel whose clips are still being filmed.

    Attributes:
        start_ms: what is earlier is not there, or no more.
        newest: the last packet that was ordered of it.
        wants: when the clip of each incident that was begun begins.
    """

    reel: _Reel
    size: tuple[int, int]
    start_ms: int
    newest: Packet
    wants: dict[str, int] = field(default_factory=dict)

    def goes_on_with(self, order: ClipOrder, studio: Studio) -> bool:
        """Promise the reel the rest of an order's packets; False where they are not a continuation of it."""
        packets = order.packets
        known = next((i for i in range(len(packets) - 1, -1, -1) if packets[i] is self.newest), None)
        if known is None or order.start_ms < self.start_ms or self.size != studio.size:
            return False
        self.reel.promise(packets[known + 1 :])
        self.newest = packets[-1]
        return True


@dataclass(frozen=True, slots=True)
class _Job:
    """A whole clip to be made.

    Attributes:
        until: of how many packets of the reel.
        keep_ms: the earliest that another clip wants of the reel; None: nothing more.
    """

    order: ClipOrder
    studio: Studio
    reel: _Reel
    until: int
    keep_ms: int | None = None


class ClipMaker:
    """Works through orders in the background. What it cannot take is counted, and the incident stays without a clip.

    Whole clips come first, one after the other; what is still being filmed is prepared when none waits. Which clips
    share their work follows from the orders alone, not from how fast they are made.

    Args:
        deliver: called in the background thread with each clip that is done.
    """

    def __init__(self, deliver: Callable[[Clip], None]) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="clips")
        self._deliver = deliver
        self._open: dict[str, _Open] = {}
        self._lock = threading.Lock()
        self._whole: deque[_Job] = deque()
        self._begun: dict[str, _Reel] = {}
        self._working = 0
        self._last: tuple[tuple[object, ...], Clip] | None = None
        self.dropped = 0

    def take(self, order: ClipOrder, studio: Studio) -> None:
        """Take an order, if not too many wait."""
        if order.whole:
            self._take_whole(order, studio)
        else:
            self._begin(order, studio)

    def forget(self, source: str) -> None:
        """What was begun of this source will not become whole: let go of its pictures."""
        self._open.pop(source, None)
        with self._lock:
            self._begun.pop(source, None)

    def finish(self) -> None:
        """Wait for what is ordered, then end."""
        self._open.clear()
        with self._lock:
            self._begun.clear()
        self._pool.shutdown(wait=True)

    def abandon(self) -> None:
        """End without starting what still waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    # ---- which clips share their work ------------------------------------------------------------------------------

    def _begin(self, order: ClipOrder, studio: Studio) -> None:
        known = self._open.get(order.source)
        if known is None or not known.goes_on_with(order, studio):
            self.forget(order.source)
            while len(self._open) >= _MOST_REELS:
                self.forget(next(iter(self._open)))
            reel = _Reel(studio, order.start_ms)
            reel.promise(order.packets)
            known = self._open[order.source] = _Open(reel, studio.size, order.start_ms, order.packets[-1])
        known.wants[order.incident] = order.start_ms
        with self._lock:
            self._begun[order.source] = known.reel
        self._pool.submit(self._work)

    def _take_whole(self, order: ClipOrder, studio: Studio) -> None:
        job = self._job(order, studio)
        with self._lock:
            if len(self._whole) + self._working >= _MOST_WAITING:
                self.dropped += 1
                return
            self._whole.append(job)
        self._pool.submit(self._work)

    def _job(self, order: ClipOrder, studio: Studio) -> _Job:
        """With the reel that was begun of it, or a new one."""
        known = self._open.get(order.source)
        if known is not None and known.wants.pop(order.incident, None) is not None:
            goes_on = known.goes_on_with(order, studio)
            if not known.wants:
                self.forget(order.source)
            else:
                known.start_ms = min(known.wants.values())
            if goes_on:
                return _Job(order, studio, known.reel, known.reel.promise(()), known.start_ms if known.wants else None)
        reel = _Reel(studio, order.start_ms)
        return _Job(order, studio, reel, reel.promise(order.packets))

    # ---- in the background -----------------------------------------------------------------------------------------

    def _work(self) -> None:
        """The oldest clip that is whole, or else the beginning of one."""
        job = begun = None
        with self._lock:
            if self._whole:
                job = self._whole.popleft()
                self._working = 1
            elif self._begun:
                begun = self._begun.pop(next(iter(self._begun)))
        if job is not None:
            self._make(job)
            if job.keep_ms is not None:
                job.reel.forget(job.keep_ms)
            self._working = 0
        elif begun is not None:
            try:
                begun.prepare(lambda: bool(self._whole))
            except Exception:  # in a background thread nobody else would ever hear of it
                log.exception("A clip could not be begun.")

    def _make(self, job: _Job) -> None:
        order, studio = job.order, job.studio
        same = (order.source, order.start_ms, order.end_ms, len(order.packets), studio.backdrops, studio.never_see)
        if self._last is not None and self._last[0] == same:
            # Two rules fired at the same moment: one piece of video, two incidents.
            self._deliver(replace(self._last[1], incident=order.incident))
            return
        try:
            clip = _made(job)
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
