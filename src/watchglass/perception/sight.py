"""What a source's pictures show: where something moves, what the detector finds there, what is followed.

``Sight`` holds the motion test, the detector's pace and the tracker of one source; the pipeline asks it.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray, FloatArray
from watchglass.perception.drift import LONGEST_MS, drift, soften
from watchglass.perception.gate import Motion
from watchglass.perception.observation import KINDS, Detections, Tracks
from watchglass.perception.ports import Detector, Image, Picture, sample_shape, stride_of
from watchglass.perception.regions import SMALL_PICTURE, Look, Regions, Stirs, clumps_of
from watchglass.perception.track import Tracker

DETECT_MS: Final = 400
"""The detector looks every so often, on average and at most: 2.5 times a second."""

HASTE_MS: Final = 180
"""Looks that were saved up follow each other so closely, where something is new or fast."""

SAVED: Final = 4
"""So many looks are saved up at most."""

IDLE_DETECT_MS: Final = 1000
_STILL_MS: Final = 500
MOTION_MS: Final = 180
_STIRRED: Final = 0.1
_STIRRED_MS: Final = 1500
_ENLARGED: Final = 2.0
_TINY: Final = 400
_VEHICLE: Final = KINDS.index("vehicle")
_FINER: Final = 1.25
"""A picture of at most so many pixels is looked at so much finer: of what rides, two fifths more is followed (UCSD)."""


class Sight:
    """Looks at the pictures of one source.

    Args:
        size: (width, height) of its pictures.
        detector: finds things in them.
        calm_ms: the detector keeps its pace for so long after the last motion, and looks less often then.
        pace_ms: how often the detector looks, on average and at most.

    Attributes:
        inferences: how often the detector has looked.
        found: what it found when it looked last, in pixels of the picture.
        window: where it looked (x1, y1, x2, y2 in pixels); None for the whole picture.
    """

    def __init__(
        self, size: tuple[int, int], detector: Detector, *, calm_ms: int = 0, pace_ms: int = DETECT_MS
    ) -> None:
        self.inferences = 0
        self.found = Detections.none()
        self.window: tuple[float, float, float, float] | None = None
        self._size = size
        self._stride = stride_of(*size)
        self._detector = detector
        self._motion = Motion()
        self._moving: BoolArray | None = None
        self._moved_at: NDArray[np.int64] | None = None
        self._looked_ms = -(10**9)
        self._regions = Regions(size, detector.side, postures=calm_ms > 0)
        self._tracker = Tracker(size)
        self._calm_ms = calm_ms
        self._moved_ms = self._detected_ms = self._stirred_ms = -(10**9)
        self._before: Image | None = None
        self._stirs = Stirs()
        self._pace_ms = self._credit_ms = pace_ms
        self._credited_ms: int | None = None

    @property
    def followed(self) -> int:
        """How many things were followed so far."""
        return self._tracker.confirmed

    @property
    def moving(self) -> BoolArray | None:
        """Where something moved last, in strided luma; None while the gate is shut."""
        return self._moving

    def forget(self) -> None:
        """Nothing is followed any more."""
        self._tracker.reset()
        self._regions.reset()
        self.rest()

    def rest(self) -> None:
        """The gate is shut: no two pictures follow each other."""
        if self._moving is not None:
            self._motion.reset()
            self._stirs.reset()
            self._moving = self._moved_at = self._before = None

    def move(self, picture: Picture, *, breaks: bool = False) -> bool:
        """Look for motion, if it is time to; whether something moves.

        Args:
            picture: the newest.
            breaks: its small differences from those before are not motion.
        """
        if breaks:
            self._motion.reset()
        since_ms = self._moved_ms
        if 0 <= picture.at_ms - since_ms < MOTION_MS:
            return False
        self._moved_ms = picture.at_ms
        sample = picture.luma()
        self._follow(since_ms, picture.at_ms, sample)
        moving = self._motion.look(sample)
        if breaks and self._moving is not None:
            # Nothing can be said: not that all stands still either.
            return False
        self._moving = moving
        if self._moved_at is None or self._moved_at.shape != self._moving.shape:
            self._moved_at = np.full(self._moving.shape, -(10**9), np.int64)
        self._moved_at[self._moving] = picture.at_ms
        if not self._moving.any():
            return False
        self._stirred_ms = picture.at_ms
        self._stirs.see(picture.at_ms, clumps_of(self._moving, self._stride), self._stride)
        return True

    def detect(self, picture: Picture, *, is_open: bool) -> bool:
        """Let the detector look, if it is time to; whether it did.

        Args:
            picture: the newest.
            is_open: everything is being decoded.
        """
        if not self._due(picture.at_ms, is_open=is_open):
            return False
        look = self._next(picture.at_ms)
        found = self.found = self._look(picture, look)
        self.window = None if look.whole else (look.x1, look.y1, look.x2, look.y2)
        self.inferences += 1
        stirred = None if self._moved_at is None else _inside(self._moved_at >= self._since(look), found, self._stride)
        self._detected_ms, self._looked_ms = picture.at_ms, self._moved_ms
        self._credit_ms -= self._pace_ms
        fine = max(self._size) <= SMALL_PICTURE
        self._tracker.see(picture.at_ms, found, stirred, None if fine else look.finds)
        return True

    def tracks(self, at_ms: int) -> Tracks:
        """What is in view at ``at_ms``, as far as it is known."""
        return self._tracker.at(at_ms)

    def busy(self, at_ms: int) -> BoolArray | None:
        """Where tracks are, in strided luma; None where there are none."""
        tracks = self.tracks(at_ms)
        return self._covered(tracks.boxes, margin=0.15) if len(tracks) else None

    @property
    def found_at(self) -> BoolArray:
        """Where the detector found something when it looked last, in strided luma."""
        return self._covered(self.found.boxes, margin=0.1)

    def vehicles(self, at_ms: int) -> FloatArray:
        """(n, 4): the vehicles in view at ``at_ms``."""
        tracks = self.tracks(at_ms)
        return np.asarray(tracks.boxes[tracks.kinds == _VEHICLE], np.float32)

    def unlearnable(self, at_ms: int, *, vehicles: bool = True) -> BoolArray:
        """Full-size mask of what the backdrop must not learn from: things with a margin, and what moves.

        Args:
            vehicles: whether they are among these things.
        """
        width, height = self._size
        tracks = self.tracks(at_ms)
        boxes = tracks.boxes if vehicles else tracks.boxes[tracks.kinds != _VEHICLE]
        coarse = self._covered(boxes, margin=0.25).astype(np.uint8)
        if self._moving is not None and self._moving.shape == coarse.shape:
            coarse |= cv2.dilate(self._moving.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.uint8)
        whole = coarse.repeat(self._stride, axis=0).repeat(self._stride, axis=1)
        mask = np.zeros((height, width), bool)
        rows, columns = min(height, whole.shape[0]), min(width, whole.shape[1])
        mask[:rows, :columns] = whole[:rows, :columns].astype(bool)
        mask[rows:, :] = True
        mask[:, columns:] = True
        return mask

    def _next(self, at_ms: int) -> Look:
        """Where to look now."""
        moving, tries = self._stirs.at(at_ms)
        look = self._regions.next(at_ms, moving, *self._tracker.expected(at_ms), tries)
        self._stirs.looked(look)
        return look

    def _look(self, picture: Picture, look: Look) -> Detections:
        """What the detector finds in a window, in pixels of the picture; what the window cuts off is left out."""
        if look.whole:
            finer = _FINER if max(self._size) <= _TINY else 1.0
            small = _enlarged(picture.small(look.side), round(look.side * finer))
        else:
            small = picture.part(look.x1, look.y1, look.x2, look.y2, look.side)
        seen = self._detector.detect(small)
        scale = np.float32((look.x2 - look.x1) / small.shape[1])
        boxes = seen.boxes * scale + np.array([look.x1, look.y1, look.x1, look.y1], np.float32)
        kept = look.uncut(boxes, self._size)
        return Detections(boxes[kept], seen.scores[kept], seen.kinds[kept])

    def _since(self, look: Look) -> int:
        """What moved since then has moved lately: since the look before, or longer where a look shows only a part."""
        return self._looked_ms if max(self._size) <= SMALL_PICTURE else look.at_ms - _STIRRED_MS

    def _follow(self, since_ms: int, at_ms: int, sample: Image) -> None:
        """Move the tracks by what moved since the sample before."""
        before, now = self._before, soften(sample)
        self._before = now
        if before is not None and before.shape == now.shape and 0 < at_ms - since_ms <= LONGEST_MS:
            stride = self._stride
            self._tracker.follow(since_ms, at_ms, lambda box, guess, off: drift(before, now, box, guess, stride, off))

    def _due(self, at_ms: int, *, is_open: bool) -> bool:
        since = at_ms - self._detected_ms
        self._save_up(at_ms)
        if not is_open:
            return self._tracker.holds and since >= self._pace_ms
        if since >= max(IDLE_DETECT_MS, self._pace_ms):
            return True
        if since < HASTE_MS or self._credit_ms < self._pace_ms:
            return False
        followed, _ = self._tracker.expected(at_ms)
        unknown = self._stirs.unknown(at_ms, followed, self._size)
        if unknown or self._tracker.hurries(at_ms):
            return True
        still = self._moving is not None and at_ms - self._stirred_ms >= max(_STILL_MS, self._calm_ms)
        return since >= self._pace_ms and not still

    def _save_up(self, at_ms: int) -> None:
        """Looks not taken are saved, a few of them: on average there are never more."""
        since_ms = at_ms if self._credited_ms is None else self._credited_ms
        self._credit_ms = min(SAVED * self._pace_ms, self._credit_ms + max(0, at_ms - since_ms))
        self._credited_ms = max(since_ms, at_ms)

    def _covered(self, boxes: FloatArray, margin: float) -> BoolArray:
        mask = np.zeros(sample_shape(*self._size), bool)
        size = boxes[:, 2:] - boxes[:, :2]
        left_top = np.floor((boxes[:, :2] - margin * size) / self._stride).astype(int).clip(0)
        right_bottom = np.ceil((boxes[:, 2:] + margin * size) / self._stride).astype(int)
        for (x1, y1), (x2, y2) in zip(left_top.tolist(), right_bottom.tolist(), strict=True):
            mask[y1:y2, x1:x2] = True
        return mask


def _enlarged(small: Image, side: int) -> Image:
    """A picture that is smaller than what the detector reads best, made larger: at most twice.

    People of 25 pixels are found as if they had 36, and bicycles twice as often (UCSD, 360 x 240).
    """
    factor = min(_ENLARGED, side / max(small.shape[:2]))
    if factor <= 1:
        return small
    size = round(small.shape[1] * factor), round(small.shape[0] * factor)
    return cv2.resize(small, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def _inside(moved: BoolArray, found: Detections, stride: int) -> BoolArray:
    """For each box whether a tenth of it or more moved: (n,) bool from a mask in strided luma."""
    corners = (found.boxes / stride).astype(int)
    parts = [moved[y1 : y2 + 1, x1 : x2 + 1] for x1, y1, x2, y2 in corners.tolist()]
    return np.array([part.size > 0 and float(part.mean()) >= _STIRRED for part in parts], bool)
