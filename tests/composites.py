"""People of PETS who stand or sit in its empty car park for as long as one likes; nobody detects them.

They sway by a pixel, the camera is noisy, and the masks are those of the real line: motion, and no detections.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import sprites
from replay import Played
from watchglass.edge.entropy import SeededEntropy
from watchglass.perception.messages import SourceSpec
from watchglass.perception.observation import Detections
from watchglass.perception.pipeline import Pipeline
from watchglass.perception.ports import Packet
from watchglass.runtime.painting import ViewPainter
from watchglass.views.backdrop import Backdrop

SIZE = (768, 576)
FPS = 2
_FAR, _CLOSE = 25, 12
"""A published pixel shows somebody if it is so far from the empty scene, and so close to what the camera saw."""


class Blind:
    """A detector that finds nobody: what the rule must do without."""

    side = 416

    def detect(self, bgr: NDArray[np.uint8]) -> Detections:
        return Detections.none()


@dataclass(frozen=True)
class Stay:
    """Somebody in view from ``since`` (seconds) until ``until``, on the ``place``-th spot of the car park."""

    place: int
    since: float
    until: float = math.inf
    sits: bool = False


@dataclass(frozen=True)
class _Cut:
    bgr: NDArray[np.uint8]
    alpha: NDArray[np.float32]
    x: int
    y: int


@functools.cache
def places(data: Path) -> tuple[_Cut, ...]:
    """People where they were, of whom no two touch; the largest first."""
    whole = []
    for walker in sprites.walkers(data, 20):
        clear = [n for n, mask in enumerate(walker.masks) if 0.3 <= float(mask.mean()) <= 0.8]
        for number in clear[:: max(1, len(clear) // 3)]:
            picture, mask, (x, y) = walker.pictures[number], walker.masks[number], walker.feet[number]
            height, width = picture.shape[:2]
            whole.append(_Cut(picture, mask, round(x - width / 2), round(y - height)))
    chosen: list[_Cut] = []
    for cut in sorted(whole, key=lambda cut: -cut.bgr.shape[0]):
        if all(_apart(cut, other) for other in chosen):
            chosen.append(cut)
    return tuple(chosen)


def _apart(a: _Cut, b: _Cut, room: int = 24) -> bool:
    return (
        a.x + a.bgr.shape[1] + room < b.x
        or b.x + b.bgr.shape[1] + room < a.x
        or a.y + a.bgr.shape[0] + room < b.y
        or b.y + b.bgr.shape[0] + room < a.y
    )


@functools.cache
def _noise(shape: tuple[int, ...]) -> tuple[NDArray[np.int16], ...]:
    """Five pictures' worth of a camera's noise, the same for every film."""
    rng = np.random.default_rng(7)
    return tuple(rng.normal(0, 2, shape).astype(np.int16) for _ in range(5))


class CarPark:
    """The empty car park with some people in it.

    Args:
        data: where PETS is.
        stays: who is there, and when.
    """

    def __init__(self, data: Path, stays: tuple[Stay, ...]) -> None:
        self.empty = sprites.scene(data)
        self._stays = stays
        self._cuts = {
            stay: _seated(places(data)[stay.place]) if stay.sits else places(data)[stay.place] for stay in stays
        }
        self._noise = _noise(self.empty.shape)

    def picture(self, at_s: float, sway: int = 0) -> NDArray[np.uint8]:
        """What is there at that second, without noise."""
        result = self.empty.copy()
        for stay, cut in self._cuts.items():
            if stay.since <= at_s < stay.until:
                height, width = cut.bgr.shape[:2]
                left = max(0, min(result.shape[1] - width, cut.x + sway))
                part = result[cut.y : cut.y + height, left : left + width]
                alpha = cut.alpha[..., None]
                part[:] = (cut.bgr * alpha + part * (1 - alpha)).round().astype(np.uint8)
        return result

    def silhouette(self, stay: Stay) -> NDArray[np.bool_]:
        """Where somebody stands, (h, w), without the blurred border."""
        mask = np.zeros(self.empty.shape[:2], bool)
        cut = self._cuts[stay]
        height, width = cut.bgr.shape[:2]
        mask[cut.y : cut.y + height, cut.x : cut.x + width] = cut.alpha > 0.9
        return mask

    def leaked(self, published: Backdrop, stay: Stay) -> float:
        """The share of somebody's pixels that are published: far from the empty scene, close to the camera's."""
        seen = self.picture((stay.since + min(stay.until, stay.since + 2)) / 2).astype(int)
        far = np.abs(published.bgr.astype(int) - self.empty).max(axis=2) > _FAR
        close = np.abs(published.bgr.astype(int) - seen).max(axis=2) <= _CLOSE
        where = self.silhouette(stay)
        return float((far & close & published.admitted)[where].mean())

    def film(self, seconds: float) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Pictures with their time in milliseconds; the same people, sway and noise are the same picture."""
        present, made = None, dict[tuple[int, int], NDArray[np.uint8]]()
        for number in range(round(seconds * FPS)):
            at_s, sway, noise = number / FPS, round(math.sin(number / FPS * math.tau / 5)), number * 7 % 5
            now = [stay for stay in self._cuts if stay.since <= at_s < stay.until]
            if now != present:
                present, made = now, {}
            if (sway, noise) not in made:
                noisy = self.picture(at_s, sway) + self._noise[noise]
                made[sway, noise] = noisy.clip(0, 255).astype(np.uint8)
                made[sway, noise].flags.writeable = False
            yield round(number * 1000 / FPS), made[sway, noise]


def _seated(cut: _Cut) -> _Cut:
    """As broad and two thirds as tall: PETS has nobody who sits."""
    height, width = cut.bgr.shape[:2]
    low = height * 2 // 3
    alpha = cv2.resize(cut.alpha, (width, low), interpolation=cv2.INTER_AREA)
    return _Cut(cv2.resize(cut.bgr, (width, low), interpolation=cv2.INTER_AREA), alpha, cut.x, cut.y + height - low)


@dataclass
class Line:
    """A real line over such a film: what it has learned is asked of its painter."""

    pipeline: Pipeline
    painter: ViewPainter

    @classmethod
    def make(cls, size: tuple[int, int] = SIZE, confirmed: Backdrop | None = None) -> Line:
        backdrops = (("day", confirmed.to_png()),) if confirmed is not None else ()
        spec = SourceSpec("car-park", "", (), realtime=False, backdrops=backdrops)
        painter = ViewPainter(spec, size)
        pipeline = Pipeline(
            spec, size, decoder=Played(), detector=Blind(), painter=painter,
            entropy=SeededEntropy("composites"), allowed=frozenset,
        )  # fmt: skip
        return cls(pipeline, painter)

    def see(self, at_ms: int, bgr: NDArray[np.uint8]) -> list[object]:
        """Feed one picture; what the line says of it."""
        frame = av.VideoFrame.from_ndarray(bgr, format="bgr24").reformat(format="yuv420p")
        return list(self.pipeline.feed(Packet(at_ms, keyframe=True, size=1, payload=frame)))

    def proposal(self, at_ms: int) -> Backdrop:
        """What an operator would be asked to confirm."""
        return Backdrop.from_png(self.painter.proposal(at_ms, Blind()).png)
