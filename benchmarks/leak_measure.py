"""What counts as a leak: the definitions behind ``bench leak``, on plain pictures and boxes.

A published picture is not compared as it is: the public view is paler than the camera's picture, so that a pixel of
a person would never be found in it again. ``Wash`` measures on the product itself what it does to each level, and
takes it back first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray, FloatArray, iou
from watchglass.perception.assign import FORBIDDEN, assign

Image = NDArray[np.uint8]

FAR = 25
"""A published pixel is farther from the empty scene than this in at least one of the three channels, and ..."""

NEAR = 12
"""... no farther from the camera's picture than this in any of them: then it shows what was in front of the scene."""

GREY_BLOCK = 16
_GREY_OFF = 2
_GREY_SHARE = 0.95


# ---- pixels ----------------------------------------------------------------------------------------------------------


class Wash:
    """What a view does to the levels of the empty scene, and back.

    Args:
        show: the view of an empty scene (h, w, 3), wholly admitted, in even light and without marks.
    """

    _PATCH = 16

    def __init__(self, show: Callable[[Image], Image]) -> None:
        side = self._PATCH
        levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
        patches = np.kron(levels, np.ones((side, side), np.uint8))
        shown = show(np.dstack([patches] * 3))[side // 2 :: side, side // 2 :: side].reshape(256, 3).astype(float)
        back = [np.interp(np.arange(256), *_rising(shown[:, channel])).round() for channel in range(3)]
        self._back = np.stack(back, axis=1).astype(np.uint8)[:, None]

    def undone(self, view: Image) -> Image:
        """The view (h, w, 3) in the levels of the camera's picture."""
        return cv2.LUT(view, self._back).astype(np.uint8, copy=False)


def _rising(shown: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each level that is shown, and the mean of the levels that it stands for."""
    values = np.unique(shown)
    return values, np.array([float(np.flatnonzero(shown == value).mean()) for value in values])


@dataclass(frozen=True)
class Leak:
    """Counts over pixels inside true boxes.

    Attributes:
        pixels: inside true boxes, where the empty scene is known.
        leaked: of these, those that are like what was in front of the empty scene, and would not be without it.
        in_marks: those that would count as leaked, if they were not inside a drawn mark.
        by_chance: those that are like it too, and would be published just the same with nobody there.
        boxes, leaking: true boxes, and those of them with a leaked pixel.
    """

    pixels: int = 0
    leaked: int = 0
    in_marks: int = 0
    boxes: int = 0
    leaking: int = 0
    by_chance: int = 0

    def __add__(self, other: Leak) -> Leak:
        return Leak(
            self.pixels + other.pixels, self.leaked + other.leaked, self.in_marks + other.in_marks,
            self.boxes + other.boxes, self.leaking + other.leaking, self.by_chance + other.by_chance,
        )  # fmt: skip

    @property
    def share(self) -> float | None:
        """Leaked pixels among those inside true boxes, those by chance too."""
        return (self.leaked + self.by_chance) / self.pixels if self.pixels else None

    @property
    def share_not_by_chance(self) -> float | None:
        """Leaked pixels that would not be published with nobody there, among those inside true boxes."""
        return self.leaked / self.pixels if self.pixels else None


def leaked(
    view: Image, camera: Image, empty: Image, boxes: FloatArray, marks: BoolArray, known: BoolArray, grey: BoolArray,
    drawn: BoolArray,
) -> Leak:  # fmt: skip
    """Leaked pixels of one picture.

    Args:
        view: what was published, in the camera's levels (``Wash.undone``): (h, w, 3).
        camera: the camera's picture of the same moment.
        empty: the scene with nobody in it.
        boxes: (n, 4) of people, from truth.
        marks: (h, w), where the product drew its own marks.
        known: (h, w), where ``empty`` is known.
        grey: (h, w), what is published there is the grey of what is not known: it may be like somebody's coat, and
            shows nothing of it.
        drawn: (h, w), what is published there is what the product draws over the empty scene: the mean of a parked
            van and a wall may be like somebody's trousers, and shows nothing of them either.
    """
    inside = covered(boxes, camera.shape[:2]) & known
    alike = leaking_pixels(view, camera, empty) & inside & ~grey
    shows = alike & ~drawn
    open_ = shows & ~marks
    corners = clipped(boxes, camera.shape[:2])
    leaking = sum(bool(open_[y1:y2, x1:x2].any()) for x1, y1, x2, y2 in corners)
    return Leak(
        int(inside.sum()), int(open_.sum()), int((shows & marks).sum()), len(corners), leaking,
        int((alike & drawn & ~marks).sum()),
    )  # fmt: skip


def leaking_pixels(view: Image, camera: Image, empty: Image) -> BoolArray:
    """(h, w): far from the empty scene in some channel, and near to the camera's picture in all of them."""
    far = cv2.absdiff(view, empty).max(axis=2) > FAR
    near = cv2.absdiff(view, camera).max(axis=2) <= NEAR
    return np.asarray(far & near)


def clipped(boxes: FloatArray, shape: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """Whole pixels of the boxes (n, 4) that lie inside a picture of that (height, width); the others are left out."""
    height, width = shape[:2]
    result = []
    for x1, y1, x2, y2 in np.rint(boxes).astype(int).tolist():
        part = max(0, x1), max(0, y1), min(width, x2), min(height, y2)
        if part[0] < part[2] and part[1] < part[3]:
            result.append(part)
    return result


def covered(boxes: FloatArray, shape: tuple[int, ...]) -> BoolArray:
    """(h, w): inside any of the boxes (n, 4)."""
    mask = np.zeros(shape[:2], bool)
    for x1, y1, x2, y2 in clipped(boxes, shape):
        mask[y1:y2, x1:x2] = True
    return mask


def marked(pins: Sequence[tuple[float, float]], radius: float, shape: tuple[int, ...]) -> BoolArray:
    """(h, w): inside a drawn mark, its rim and shadow included."""
    mask = np.zeros(shape[:2], np.uint8)
    for x, y in pins:
        cv2.circle(mask, (round(x), round(y)), round(1.35 * radius) + 1, 1, -1)
    return mask.astype(bool)


def grey_of(view: Image, grey: Image) -> BoolArray:
    """(h, w): what is published there is the grey of what is not known, and so is what is around it.

    Args:
        view: what was published.
        grey: what is published of a source without a confirmed backdrop.
    """
    same = (cv2.absdiff(view, grey).max(axis=2) == 0).astype(np.uint8)
    return cv2.morphologyEx(same, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8)).astype(bool)


def grey_share(view: Image, grey: Image) -> float:
    """The share of ``view`` that is the grey of what is not known, counted in blocks of 16 pixels.

    Args:
        view: what was published, without marks.
        grey: what is published of a source without a confirmed backdrop.
    """
    same = (cv2.absdiff(view, grey).max(axis=2) <= _GREY_OFF).astype(np.float32)
    size = max(1, view.shape[1] // GREY_BLOCK), max(1, view.shape[0] // GREY_BLOCK)
    return float((cv2.resize(same, size, interpolation=cv2.INTER_AREA) >= _GREY_SHARE).mean())


class EmptyScene:
    """The median of each pixel over the moments when it lies in no true box."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape[:2]
        self._samples: list[NDArray[np.uint16]] = []

    def add(self, camera: Image, boxes: FloatArray) -> None:
        """Take in a picture with all its people."""
        sample = camera.astype(np.uint16)
        sample[covered(grown(boxes), self._shape)] = 999
        self._samples.append(sample)

    def picture(self, fewest: int = 5) -> tuple[Image, BoolArray]:
        """The empty scene (h, w, 3), and where it is known: where at least so many samples lie in no box."""
        height, width = self._shape
        empty, known = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), bool)
        for top in range(0, height, 32):
            rows = slice(top, top + 32)
            ordered = np.sort(np.stack([sample[rows] for sample in self._samples]), axis=0)
            count = (ordered[..., :1] < 999).sum(axis=0)
            known[rows] = count[..., 0] >= fewest
            middle = np.take_along_axis(ordered, np.maximum(count - 1, 0)[None] // 2, axis=0)[0]
            empty[rows] = np.where(known[rows][..., None], middle, 0)
        return empty, known


def grown(boxes: FloatArray, by: float = 0.15) -> FloatArray:
    """Boxes with a margin: shadows, and truth that is a little narrow."""
    if not len(boxes):
        return boxes
    margin = (boxes[:, 2:] - boxes[:, :2]) * np.float32(by)
    return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1).astype(np.float32)


# ---- marks -----------------------------------------------------------------------------------------------------------


def shown_people(feet: FloatArray, pins: FloatArray, cell: float) -> int:
    """How many people (n, 2) have a mark (m, 2) of their own within one cell's side."""
    if not len(feet) or not len(pins):
        return 0
    apart = np.linalg.norm(feet[:, None] - pins[None], axis=-1)
    return len(assign(np.where(apart <= cell, apart / cell, FORBIDDEN).astype(np.float64)))


# ---- firings ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Firings:
    """What a detector that is not the product's found in published pictures.

    Attributes:
        people: boxes that are none of the following.
        in_marks: boxes at least half of which is drawn marks.
        in_scene: boxes that are the empty scene's own: the same detector finds them there too, shown alike.
    """

    people: int = 0
    in_marks: int = 0
    in_scene: int = 0

    def __add__(self, other: Firings) -> Firings:
        return Firings(self.people + other.people, self.in_marks + other.in_marks, self.in_scene + other.in_scene)


def firings(found: FloatArray, own: BoolArray, marks: BoolArray) -> Firings:
    """Sort what was found (n, 4).

    Args:
        found: on the published picture.
        own: (n,), which of them are the empty scene's own (``leak_control``).
        marks: (h, w), where the product drew its own marks.
    """
    drawn = np.array([_share(marks, box) >= 0.5 for box in found], bool)
    return Firings(int((~own & ~drawn).sum()), int((drawn & ~own).sum()), int(own.sum()))


def _share(mask: BoolArray, box: FloatArray) -> float:
    parts = clipped(box[None], mask.shape)
    return float(np.mean([mask[y1:y2, x1:x2].mean() for x1, y1, x2, y2 in parts])) if parts else 0.0


def hits(found: FloatArray, faces: FloatArray) -> BoolArray:
    """Which of ``faces`` (n, 4) were found: the middle of a box (m, 4) lies in it and they overlap by a fifth (IoU)."""
    if not len(found) or not len(faces):
        return np.zeros(len(faces), bool)
    middles = (found[:, :2] + found[:, 2:]) / 2
    inside = (faces[:, None, :2] <= middles[None]).all(axis=2) & (middles[None] <= faces[:, None, 2:]).all(axis=2)
    return np.asarray((inside & (iou(faces, found) >= 0.2)).any(axis=1))


# ---- text ------------------------------------------------------------------------------------------------------------


def read_of(plate: str, texts: Sequence[str]) -> float:
    """The share of a plate's characters that was read, in order: the best of the texts (longest common subsequence)."""
    return max((_common(plate, text) / len(plate) for text in texts), default=0.0)


def _common(a: str, b: str) -> int:
    row = [0] * (len(b) + 1)
    for x in a:
        before = row[:]
        for i, y in enumerate(b, start=1):
            row[i] = before[i - 1] + 1 if x == y else max(before[i], row[i - 1])
    return row[-1]
