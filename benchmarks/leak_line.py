"""The real line over made or recorded pictures, with a detector that misses on purpose, and what the house publishes.

Real are the pipeline with its gate, tracker and masks, the painter, the learner, the proposal, the reviewer's clips and
the public view's own painting. Made are the packets (each holds its picture), the misses, and an operator who confirms.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from unittest.mock import patch

import av
import numpy as np

from leak_measure import Image, clipped, leaking_pixels, marked
from replay import GROUP_MS, Played
from watchglass.charter.model import PublicView
from watchglass.core.geometry import BoolArray, FloatArray
from watchglass.edge.clock import VirtualClock
from watchglass.edge.encode import decode_png
from watchglass.edge.entropy import SeededEntropy
from watchglass.edge.video import NeverSee, VideoPicture
from watchglass.perception.analytics import Finding, Scene
from watchglass.perception.messages import AnalyticSpec, BackdropRenewal, Clip, Pins, SourceSpec
from watchglass.perception.observation import Detections
from watchglass.perception.pipeline import Pipeline
from watchglass.perception.ports import Detector, Packet
from watchglass.perception.ring import ClipOrder
from watchglass.runtime import scrutiny
from watchglass.runtime.bus import Bus
from watchglass.runtime.clips import Studio, make_clip
from watchglass.runtime.easel import Easel, Seen
from watchglass.runtime.live import Live
from watchglass.runtime.painting import ViewPainter
from watchglass.views import lettering
from watchglass.views.backdrop import Backdrop
from watchglass.views.mosaic import veil
from watchglass.views.public import paint, pin_radius

NOBODY: FloatArray = np.zeros((0, 4), np.float32)
_REMEMBERED = 1000
_NAME = "film"


@dataclass(frozen=True)
class Frame:
    """One picture of a scene, and the truth about it.

    Attributes:
        people: (n, 4) boxes of everybody.
        unseen: (m, 4) boxes of those whom the detector must not find, whatever it sees.
        scored: it counts in what is measured.
        tag: of the scene's own.
    """

    at_ms: int
    video: av.VideoFrame
    people: FloatArray = field(default_factory=lambda: NOBODY)
    unseen: FloatArray = field(default_factory=lambda: NOBODY)
    scored: bool = True
    tag: int = 0

    def bgr(self) -> Image:
        """The camera's picture, (h, w, 3)."""
        return self.video.to_ndarray(format="bgr24").astype(np.uint8, copy=False)


# ---- a detector that misses ------------------------------------------------------------------------------------------


class Lens:
    """Knows which part of which picture was handed to the detector last, and whom it must not find there."""

    def __init__(self) -> None:
        self._given: tuple[Image, tuple[int, int, int, int], int] | None = None
        self._unseen: dict[int, FloatArray] = {}
        self._last = NOBODY
        self.width = 0

    def shows(self, frame: Frame) -> None:
        """Take note of a picture before the line gets it."""
        self._unseen[frame.at_ms] = self._last = frame.unseen
        self.width = frame.video.width
        if len(self._unseen) > _REMEMBERED:
            del self._unseen[next(iter(self._unseen))]

    def gives(self, picture: Image, part: tuple[int, int, int, int], at_ms: int) -> Image:
        """Take note of what the line cuts out of a picture."""
        self._given = (picture, part, at_ms)
        return picture

    def unseen_in(self, picture: Image) -> FloatArray:
        """(m, 4) boxes, in pixels of ``picture``, of those whom the detector must not find in it.

        A picture that no decoder gave (a proposal) is taken for the whole view, as of the last frame.
        """
        if self._given is not None and self._given[0] is picture:
            _, (x1, y1, x2, _), at_ms = self._given
            unseen, scale = self._unseen.get(at_ms, self._last), picture.shape[1] / (x2 - x1)
            return ((unseen - np.array([x1, y1, x1, y1], np.float32)) * np.float32(scale)).astype(np.float32)
        return (self._last * np.float32(picture.shape[1] / max(1, self.width))).astype(np.float32)


class _Lensed(VideoPicture):
    __slots__ = ("_lens",)

    def __init__(self, frame: av.VideoFrame, at_ms: int, lens: Lens) -> None:
        super().__init__(frame, at_ms, NeverSee(()))
        self._lens = lens

    def small(self, side: int) -> Image:
        return self._lens.gives(super().small(side), (0, 0, self.width, self.height), self.at_ms)

    def part(self, x1: int, y1: int, x2: int, y2: int, side: int) -> Image:
        return self._lens.gives(super().part(x1, y1, x2, y2, side), (x1, y1, x2, y2), self.at_ms)


class Lensed(Played):
    """A decoder of packets that hold their picture; the lens sees what is taken from it."""

    def __init__(self, lens: Lens) -> None:
        self._lens = lens

    def decode(self, packet: Packet) -> Sequence[VideoPicture]:
        """See ``perception.ports.Decoder.decode``."""
        assert isinstance(packet.payload, av.VideoFrame)
        return [_Lensed(packet.payload, packet.at_ms, self._lens)]


class Missing:
    """The product's detector, less what it is made to miss.

    Args:
        detector: the real one.
        lens: knows what it looks at.
        share: of its detections that are dropped at random.
        seed: of the chance.
    """

    def __init__(self, detector: Detector, lens: Lens, share: float, seed: int = 1) -> None:
        self.side = detector.side
        self.dropped = self.kept = 0
        self._detector, self._lens, self._share = detector, lens, share
        self._rng = np.random.default_rng(seed)

    def detect(self, bgr: Image) -> Detections:
        """See ``perception.ports.Detector.detect``."""
        found = self._detector.detect(bgr)
        keep = self._rng.random(len(found)) >= self._share
        keep &= ~touching(found.boxes, self._lens.unseen_in(bgr))
        self.dropped += int((~keep).sum())
        self.kept += int(keep.sum())
        return Detections(found.boxes[keep], found.scores[keep], found.kinds[keep])


def touching(found: FloatArray, unseen: FloatArray) -> BoolArray:
    """Which of ``found`` (n, 4) share a quarter of the smaller box with any of ``unseen`` (m, 4)."""
    if not len(found) or not len(unseen):
        return np.zeros(len(found), bool)
    sides = np.minimum(found[:, None, 2:], unseen[None, :, 2:]) - np.maximum(found[:, None, :2], unseen[None, :, :2])
    common = np.clip(sides, 0, None).prod(axis=2)
    least = np.minimum(_area(found)[:, None], _area(unseen)[None])
    return np.asarray((common >= 0.25 * least).any(axis=1) & (least.max(axis=1) > 0))


def _area(boxes: FloatArray) -> FloatArray:
    sides: FloatArray = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).astype(np.float32)
    return sides[:, 0] * sides[:, 1]


# ---- what the product draws ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hiding:
    """What the product hid in a scene before it was confirmed: boxes, and no pixel.

    Attributes:
        texts, heights: (n, 4) lines that were made illegible, and (n,) how tall their letters are.
        veiled: (m, 4) boxes that were mosaicked.
    """

    texts: FloatArray = field(default_factory=lambda: NOBODY)
    heights: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    veiled: FloatArray = field(default_factory=lambda: NOBODY)

    def over(self, scene: Backdrop) -> Backdrop:
        """Another scene with the same hidden in it, by the product's own hand."""
        return veil(Backdrop(lettering.averaged(scene.bgr, self.texts, self.heights), scene.admitted), self.veiled)


@contextmanager
def noting() -> Iterator[list[Hiding]]:
    """Watches the product's hand while it hides what a proposal must not show: the last of the list is the newest."""
    noted: list[Hiding] = []
    read = lettering.lettering

    def reads(bgr: Image) -> tuple[FloatArray, FloatArray]:
        boxes, heights = read(bgr)
        noted.append(Hiding(boxes, heights))
        return boxes, heights

    def draws(backdrop: Backdrop, boxes: FloatArray) -> Backdrop:
        noted.append(replace(noted.pop(), veiled=boxes.copy()))
        return veil(backdrop, boxes)

    with patch.object(lettering, "lettering", reads), patch.object(scrutiny, "veil", draws):
        yield noted


# ---- the operator ----------------------------------------------------------------------------------------------------


@dataclass
class Operator:
    """Looks at the proposal every ten seconds, and confirms the first that shows enough of the scene.

    Attributes:
        after_ms: the first look.
        enough: the share that a proposal must show ...
        patience_ms: ... until so late; then what there is is confirmed.
        careful: does not confirm a proposal in which anybody can be seen. Who looks knows a person: ``sees_anybody``
            asks the truth.
    """

    after_ms: int = 20_000
    enough: float = 0.96
    patience_ms: int = 60_000
    careful: bool = False
    every_ms: int = 10_000
    confirmed_ms: int | None = None
    refused: int = 0
    proposed: Backdrop | None = None
    hiding: Hiding = field(default_factory=Hiding)

    def look(
        self, frame: Frame, painter: ViewPainter, detector: Detector, empty: Image | None
    ) -> tuple[str, bytes] | None:
        """The view and the PNG that is confirmed at this moment, if one is."""
        if self.confirmed_ms is not None or frame.at_ms < self.after_ms or frame.at_ms % self.every_ms:
            return None
        patient = frame.at_ms < self.patience_ms
        if patient and painter.ready < self.enough:  # a proposal shows no more than is learned
            return None
        with noting() as noted:
            proposal = painter.proposal(frame.at_ms, detector)
        if patient and proposal.ready < self.enough:
            return None
        self.proposed = Backdrop.from_png(proposal.png)
        if self.careful and empty is not None and sees_anybody(self.proposed, frame, empty):
            self.refused += 1
            return None
        self.confirmed_ms, self.hiding = frame.at_ms, noted[-1]
        return proposal.scene, proposal.png


def sees_anybody(proposed: Backdrop, frame: Frame, empty: Image) -> bool:
    """Whether a twentieth of somebody's box shows what stands in front of the empty scene."""
    shows = leaking_pixels(proposed.bgr, frame.bgr(), empty) & proposed.admitted
    parts = clipped(frame.people, shows.shape)
    return any(shows[y1:y2, x1:x2].mean() >= 0.05 for x1, y1, x2, y2 in parts)


# ---- what the house publishes ----------------------------------------------------------------------------------------


class Public:
    """The public view of one source as the house makes it for its pages, with a delay of nothing and nobody hidden.

    Args:
        size: (width, height) of the source's picture.
    """

    def __init__(self, size: tuple[int, int], grid_m: float) -> None:
        self.pngs: dict[str, bytes] = {}
        self._size = size
        self._since: dict[str, int] = {}
        self._clock = VirtualClock(0)
        self._live = Live(Bus(), self._clock)
        self._live.configure({_NAME: PublicView("painted", delay_ms=0, hide_below=0, grid_m=grid_m)})
        self._live.opened(_NAME, *size)

    def at(self, at_ms: int) -> None:
        """Time goes on."""
        self._clock.set(at_ms)

    def take(self, pins: Pins) -> None:
        """The worker told of a moment."""
        self._clock.set(max(pins.at_ms, self._clock.now()))
        self._live.take_pins(pins)

    def confirm(self, scene: str, png: bytes) -> None:
        """An operator has confirmed this view's backdrop."""
        self._since[scene] = self._clock.now()
        self._set(scene, png)

    def renew(self, renewal: BackdropRenewal) -> bool:
        """Whether the backdrop that it renews is the one that is published; then it is the new one from now on."""
        known = self.pngs.get(renewal.scene)
        if known is None or sha256(known).digest() != renewal.base_sha256:
            return False
        self._set(renewal.scene, renewal.png)
        return True

    def _set(self, scene: str, png: bytes) -> None:
        self.pngs[scene] = png
        self._live.set_backdrop(_NAME, scene, sha256(png).hexdigest()[:12], png, self._since[scene])

    def shot(self, frame: Frame, hiding: Hiding) -> Shot:
        """What everybody may see at this moment."""
        seen = self._live.seen(_NAME)
        assert seen is not None
        return Shot(frame, seen, self._live.easel(_NAME), self._size, hiding)


def _picture(png: bytes) -> Image:
    return decode_png(png)[..., :3]


def shown(scene: Image, admitted: BoolArray | None = None) -> Image:
    """A scene (h, w, 3) as the public view shows it, in even light and without marks; grey where it is not admitted."""
    known = np.ones(scene.shape[:2], bool) if admitted is None else admitted
    return paint(Backdrop(np.where(known[..., None], scene, np.uint8(0)), known), (scene.shape[1], scene.shape[0]), ())


@dataclass(frozen=True)
class Shot:
    """What was published of one frame; pictures are painted when they are asked for, as the portal does.

    Attributes:
        seen, easel: what may be seen, and what paints it.
        size: (width, height) of the source's picture.
        hiding: what the product hid in the backdrop.
    """

    frame: Frame
    seen: Seen
    easel: Easel
    size: tuple[int, int]
    hiding: Hiding = field(default_factory=Hiding)

    @cached_property
    def view(self) -> Image:
        """The public view, (h, w, 3)."""
        return _picture(self.easel.now(self.seen, self.size, "png"))

    @cached_property
    def bare(self) -> Image:
        """The same without marks."""
        return _picture(self.easel.empty(self.seen, self.size, "png"))

    @property
    def people(self) -> FloatArray:
        """(n, 2), where marks of persons stand."""
        return np.array([(x, y) for x, y, kind in self.seen.marks if kind == 0], np.float32).reshape(-1, 2)

    @property
    def marks(self) -> BoolArray:
        """(h, w), where marks are drawn."""
        places = [(float(x), float(y)) for x, y, _ in self.seen.marks]
        return marked(places, pin_radius(self.size[0]), (self.size[1], self.size[0]))

    @property
    def age_ms(self) -> int | None:
        """Of the backdrop that is shown; None where all is grey."""
        return None if self.seen.stage is None else self.frame.at_ms - self.seen.stage.confirmed_ms

    @property
    def moment_ms(self) -> int:
        """The moment of which the view says that its marks are."""
        return self.frame.at_ms if self.seen.shown is None else self.seen.shown.marks_ms


# ---- the line --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Piece:
    """A reviewer's clip, and when each of its pictures was taken."""

    clip: Clip
    times: tuple[int, ...]

    def pictures(self) -> list[Image]:
        """As the reviewer's page plays them."""
        with av.open(io.BytesIO(self.clip.mp4), "r") as container:
            return [f.to_ndarray(format="bgr24").astype(np.uint8) for f in container.decode(video=0)]


class _Always:
    """A rule that is satisfied every so often, so that the whole film is cut into clips."""

    def __init__(self, every_ms: int) -> None:
        self._every_ms = every_ms
        self._next_ms: int | None = None

    def see(self, scene: Scene) -> Finding | None:
        if self._next_ms is None:
            self._next_ms = scene.at_ms + self._every_ms // 2
        if scene.at_ms < self._next_ms:
            return None
        self._next_ms += self._every_ms
        return Finding(None, "another piece of the film", {})

    def reset(self) -> None:
        """It goes on."""


@dataclass(frozen=True)
class Setting:
    """How a film is run.

    Attributes:
        dropped: share of detections that is dropped at random.
        width_m, grid_m: as the charter states them.
        clips_ms: the length of the reviewer's clips that are cut out one after the other; 0 for none.
        gate: as in ``SourceSpec``.
    """

    dropped: float = 0.3
    width_m: float | None = None
    grid_m: float = 1.0
    clips_ms: int = 0
    seed: int = 1

    def spec(self) -> SourceSpec:
        """The source as a worker would get it."""
        rules = (AnalyticSpec("always", "always", None),) if self.clips_ms else ()
        half = self.clips_ms // 2
        return SourceSpec(
            "film", "", rules, realtime=False, width_m=self.width_m, grid_m=self.grid_m, clip_before_ms=half,
            clip_after_ms=half,
        )  # fmt: skip


def run(
    frames: Iterable[Frame],
    detector: Detector,
    operator: Operator,
    setting: Setting,
    wanted: Callable[[Frame], bool],
    empty: Image | None = None,
    cut: Callable[[ClipOrder], bool] = lambda _: True,
) -> Iterator[Shot | Piece]:
    """Play a film; what is published of the wanted frames, and the clips.

    Args:
        frames: in order.
        detector: the product's own.
        operator: who confirms.
        setting: of the run.
        wanted: which frames are looked at.
        empty: the scene with nobody in it, where the operator is careful.
        cut: which of the clips are made.
    """
    lens = Lens()
    missing = Missing(detector, lens, setting.dropped, setting.seed)
    line: _Line | None = None
    for frame in frames:
        line = line or _Line((frame.video.width, frame.video.height), setting, lens, missing)
        lens.shows(frame)
        for order in line.feed(frame):
            if cut(order):
                yield line.piece(order)
        confirmed = operator.look(frame, line.painter, missing, empty)
        if confirmed is not None:
            line.confirm(*confirmed)
        if wanted(frame):
            yield line.shot(frame, operator.hiding)
    if line is not None:
        for order in line.finish():
            if cut(order):
                yield line.piece(order)


class _Line:
    def __init__(self, size: tuple[int, int], setting: Setting, lens: Lens, detector: Missing) -> None:
        spec = setting.spec()
        self.painter = ViewPainter(spec, size)
        self._public = Public(size, setting.grid_m)
        self._size = size
        self._lens = lens
        self._detector = detector
        self._keyframe_ms = -GROUP_MS
        self._rate: list[int] = []
        self._pipeline = Pipeline(
            spec, size, decoder=Lensed(lens), detector=detector, painter=self.painter, entropy=SeededEntropy("leak"),
            allowed=lambda: frozenset({"always"}), rule_of=lambda _: _Always(setting.clips_ms),
        )  # fmt: skip

    def confirm(self, scene: str, png: bytes) -> None:
        self.painter.confirm(scene, png)
        self._public.confirm(scene, png)

    def feed(self, frame: Frame) -> Iterator[ClipOrder]:
        if len(self._rate) < 2:
            self._rate.append(frame.at_ms)
        keyframe = frame.at_ms - self._keyframe_ms >= GROUP_MS
        self._keyframe_ms = frame.at_ms if keyframe else self._keyframe_ms
        yield from self._take(self._pipeline.feed(Packet(frame.at_ms, keyframe, 1, frame.video)))
        self._public.at(frame.at_ms)
        if keyframe:
            renewal = self.painter.renewal(frame.at_ms, self._detector)
            if renewal is not None and self._public.renew(renewal):
                self.painter.confirm(renewal.scene, renewal.png)

    def finish(self) -> Iterator[ClipOrder]:
        yield from self._take(self._pipeline.finish())

    def _take(self, events: Iterator[object]) -> Iterator[ClipOrder]:
        for event in events:
            if isinstance(event, Pins):
                self._public.take(event)
            elif isinstance(event, ClipOrder):
                yield event

    def shot(self, frame: Frame, hiding: Hiding) -> Shot:
        return self._public.shot(frame, hiding)

    def piece(self, order: ClipOrder) -> Piece:
        fps = 1000 / max(1, self._rate[1] - self._rate[0])
        here = self.painter.view.scene
        backdrops = tuple(png for scene, png in sorted(self._public.pngs.items(), key=lambda each: each[0] != here))
        clip = make_clip(order, Studio(lambda: Lensed(self._lens), self._size, fps, backdrops, self._detector))
        times = [packet.at_ms for packet in order.packets if packet.at_ms >= order.start_ms]
        count = _frames(clip.mp4)
        step = max(1, round(len(times) / max(1, count)))
        return Piece(clip, tuple(times[::step][:count]))


def _frames(mp4: bytes) -> int:
    with av.open(io.BytesIO(mp4), "r") as container:
        return len([packet for packet in container.demux(video=0) if packet.size])
