"""The first pass over a file: its empty scene, and what is in view when.

The gate, the detector, the tracker and the backdrop's learner are those of a deployment. What differs is that the whole
file is there: where the view changes, the parts are kept apart, and the part that lasted longest is what is painted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from watchglass.core.errors import BadInput
from watchglass.core.geometry import BoolArray, FloatArray
from watchglass.edge.upright import UprightFile
from watchglass.perception.cascade import Cascade, Look
from watchglass.perception.gate import Habit
from watchglass.perception.health import HealthWatch
from watchglass.perception.observation import Tracks
from watchglass.perception.ports import Detector, Picture, stride_of
from watchglass.perception.sight import Sight
from watchglass.runtime.paint.recall import Recall
from watchglass.runtime.paint.suspects import Suspects
from watchglass.views.backdrop import Backdrop, BackdropLearner

PACE_MS: Final = 600
"""The detector looks so often on average: nobody waits for an alert here."""

WATCH_MS: Final = 1000
MOMENT_MS: Final = 170
_ANOTHER_VIEW_MS: Final = 3_000
_UNSURE: Final = frozenset(("black", "blurred", "moved"))
"""What a camera may show, in the words of ``perception.health``, that is not the scene."""

_NO_BOXES: Final = np.zeros((0, 4), np.float32)

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One part of a file in which the camera showed the same scene.

    Attributes:
        start_ms, end_ms: from its first picture to its last.
        backdrop: what was learned of it; None where nothing was.
        parked: (n, 4) vehicles that are part of that, and must be mosaicked in it.
    """

    start_ms: int
    end_ms: int
    backdrop: Backdrop | None
    parked: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """What the first pass found.

    Attributes:
        size: (width, height) of the upright pictures.
        times: (n,) milliseconds of each picture since the first, rising.
        end_ms: when the last picture ends.
        moments: what was in view, up to six times a second; in order.
        view: the part that lasted longest.
        views: how many parts there are.
        unsure: spans of time in which the picture was not the scene (dark, blurred, moved).
        damaged: times at which packets or pictures were damaged.
        suspected: (h, w) where somebody may have been still for a good part of the view.
        recall: what it looked like, second by second.
        looks: how often the detector looked.
        decoded: pictures that were decoded.
    """

    size: tuple[int, int]
    times: NDArray[np.int64]
    end_ms: int
    moments: tuple[Tracks, ...]
    view: View
    views: int
    unsure: tuple[tuple[int, int], ...]
    damaged: tuple[int, ...]
    suspected: BoolArray
    recall: Recall
    looks: int
    decoded: int


class _Scenes:
    """Keeps the parts of a file apart, and of what was learned only the part that lasted longest."""

    def __init__(self, size: tuple[int, int], *, learn: bool) -> None:
        self._size = size
        self._learn = learn
        self._learner = BackdropLearner(*size) if learn else None
        self._start_ms: int | None = None
        self._best: View | None = None
        self.count = 1

    def see(self, picture: Picture, sight: Sight, *, calm: bool) -> None:
        """Learn from a picture, if it is time to and the picture is the scene."""
        at_ms = picture.at_ms
        if self._start_ms is None:
            self._start_ms = at_ms
        if calm and self._learner is not None and self._learner.due(at_ms):
            masked, vehicles = sight.unlearnable(at_ms), sight.vehicles(at_ms)
            beside = sight.unlearnable(at_ms, vehicles=False) if len(vehicles) else masked
            self._learner.look(at_ms, picture.bgr(), masked, vehicles, beside)

    def cut(self, at_ms: int) -> None:
        """Another view begins here."""
        self._close(at_ms)
        self.count += 1
        self._start_ms = at_ms
        if self._learner is not None:
            self._learner.relearn()

    def best(self, end_ms: int) -> View:
        """The part that lasted longest, of a file that ends then."""
        self._close(end_ms)
        assert self._best is not None
        return self._best

    def _close(self, end_ms: int) -> None:
        start_ms = self._start_ms or 0
        if self._best is not None and end_ms - start_ms <= self._best.end_ms - self._best.start_ms:
            return
        learner = self._learner
        learned = learner.picture() if learner is not None else None
        parked = learner.parked if learner is not None else _NO_BOXES
        self._best = View(start_ms, end_ms, learned if learned is not None and learned.admitted.any() else None, parked)


class _FirstPass:
    def __init__(self, size: tuple[int, int], cascade: Cascade, detector: Detector, *, learn: bool) -> None:
        self._size = size
        self._cascade = cascade
        self._sight = Sight(size, detector, pace_ms=PACE_MS)
        self._habit = Habit()
        self._moved: object = None
        self._watch = HealthWatch(stride=stride_of(*size))
        self._watched_ms = self._moment_ms = -(10**9)
        self.scenes = _Scenes(size, learn=learn)
        self.suspects = Suspects(size)
        self.recall = Recall()
        self.moments: list[Tracks] = []
        self.unsure: list[tuple[int, int]] = []
        self.other_size: list[int] = []

    @property
    def looks(self) -> int:
        return self._sight.inferences

    def busy(self, at_ms: int) -> BoolArray | None:
        return self._sight.busy(at_ms)

    def see(self, look: Look) -> None:
        picture = look.picture
        at_ms = picture.at_ms
        if (picture.width, picture.height) != self._size:
            self.other_size.append(at_ms)
            return
        if look.open:
            self._sight.move(picture, breaks=look.breaks)
            self._stir(at_ms)
        else:
            self._sight.rest()
        if self._sight.detect(picture, is_open=look.open):
            self.suspects.see(at_ms, self._sight.found, self._sight.window)
        if at_ms - self._moment_ms >= MOMENT_MS or not look.open:
            self._moment_ms = at_ms
            self.moments.append(self._sight.tracks(at_ms))
        if at_ms - self._watched_ms >= WATCH_MS:
            self._watched_ms = at_ms
            self._judge(look)

    def _stir(self, at_ms: int) -> None:
        """Keep the gate open while something moves where there is not always something."""
        moving, before = self._sight.moving, self._moved
        self._moved = moving
        if moving is not None and moving is not before and self._habit.news(moving, self._sight.busy(at_ms)):
            self._cascade.stir(at_ms)

    def _judge(self, look: Look) -> None:
        """Once a second: whether this is the scene; then the gate and the backdrop learn from it."""
        picture, at_ms = look.picture, look.picture.at_ms
        sample = picture.luma()
        condition = self._watch.look(at_ms, sample, picture.edges())
        busy, moves = self._sight.busy(at_ms), self._sight.moving
        self.recall.keep(picture, busy, condition.name if condition is not None else "")
        if look.open:
            moving = moves if busy is None else (busy if moves is None else busy | moves)
            self._cascade.gate.look(at_ms, sample, moving)
        if condition is not None and condition.name in _UNSURE:
            self.unsure.append((condition.since_ms, at_ms + WATCH_MS))
            if condition.name == "moved" and at_ms - condition.since_ms >= _ANOTHER_VIEW_MS:
                self.scenes.cut(condition.since_ms)
                self._watch.accept_scene()
        self.scenes.see(picture, self._sight, calm=not self._watch.suspects)


def study(file: UprightFile, detector: Detector, *, learn: bool, progress: Progress) -> Study:
    """Look through a file once.

    Args:
        file: the video.
        detector: finds people and things.
        learn: whether an empty scene is wanted.
        progress: told how many seconds of video are done.

    Raises:
        BadInput: the file breaks off, or no picture of it can be decoded.
    """
    decoder = file.decoder()
    cascade = Cascade(decoder)
    first = _FirstPass((file.width, file.height), cascade, detector, learn=learn)
    times: list[int] = []
    damaged: list[int] = []

    def lost() -> int:
        return cascade.damaged + cascade.orphans + cascade.flawed

    for packet in file.packets(0):
        before = lost()
        for look in cascade.feed(packet, lambda at_ms=packet.at_ms: first.busy(at_ms)):  # type: ignore[misc] # lambda
            first.see(look)
        if lost() > before:
            damaged.append(packet.at_ms)
        times.append(packet.at_ms)
        progress(packet.at_ms / 1000)
    for picture in decoder.drain():
        first.see(Look(picture, open=True))
    if not first.moments:
        raise BadInput(
            "No picture of this file can be decoded.", fix="Check that it plays in a video player, and is complete."
        )
    ordered = np.unique(np.array(times, np.int64))
    view = first.scenes.best(int(ordered[-1]))
    step = int(np.median(np.diff(ordered))) if len(ordered) > 1 else round(1000 / file.fps)
    return Study(
        size=(file.width, file.height),
        times=ordered,
        end_ms=int(ordered[-1]) + max(1, step),
        moments=tuple(sorted(first.moments, key=lambda moment: moment.at_ms)),
        view=view,
        views=first.scenes.count,
        unsure=tuple(first.unsure),
        damaged=tuple(sorted({*damaged, *first.other_size})),
        suspected=first.suspects.mask(view.end_ms - view.start_ms),
        recall=first.recall,
        looks=first.looks,
        decoded=cascade.decoded,
    )
