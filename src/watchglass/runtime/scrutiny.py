"""A close look at an empty scene before anybody may see it: is there somebody in it after all, a parked vehicle, text?

It is done once for a picture that an operator is asked to confirm, and once for a part that is renewed. So it may take
its time: the detector sees the whole picture, and then windows of it in which small things are large enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import cv2
import numpy as np

from watchglass.core.geometry import BoolArray, FloatArray
from watchglass.perception.observation import KINDS
from watchglass.perception.ports import Detector, Image
from watchglass.views.backdrop import Backdrop
from watchglass.views.filling import carried_on
from watchglass.views.lettering import illegible
from watchglass.views.mosaic import veil

PERSON: Final = KINDS.index("person")
VEHICLE: Final = KINDS.index("vehicle")
_MARGIN: Final = 0.1
"""How far around a suspected person a picture stays grey, as a share of the box's longer side."""

_SCALES: Final = (2.0, 1.0)
"""Windows are so many times as wide as what the detector reads best."""

_CLOSER: Final = (1.2, 2.0, 3.5)
"""Windows around a part that is to be renewed are so many times as large."""

_ENLARGED: Final = 4.0
_STEP: Final = 0.75
_LEAST_SCORE: Final = 0.35
"""Of what is seen in a window only. There are many of them, and each may see things that are not there."""


_AROUND_TEXT: Final = 96
"""Pixels: a letter that is partly outside a part must be seen with the rest of its line."""


def without_things(learned: Backdrop, detector: Detector, parked: FloatArray | None = None) -> Backdrop:
    """``learned`` with its vehicles mosaicked, its text illegible, and not admitted where a person may be in it.

    Args:
        learned: the empty scene.
        detector: looks for people and vehicles in it.
        parked: (n, 4) vehicles that are known to be part of it, found again or not.
    """
    people, vehicles = things(learned.bgr, detector)
    if parked is not None:
        vehicles = np.concatenate([vehicles, parked])
    return hidden(Backdrop(learned.bgr, learned.admitted & ~around(people, learned.size)), vehicles)


def approved(
    standing: Backdrop, tried: Backdrop, parts: Sequence[BoolArray], detector: Detector
) -> tuple[Backdrop, list[bool]]:
    """What may be renewed.

    Args:
        standing: the confirmed backdrop.
        tried: it with every part as it is now.
        parts: (h, w) each. One in which the detector suspects a person stays as it is in ``standing``.

    Returns:
        The renewed backdrop, its new parts with vehicles mosaicked and text illegible; and which parts are new.
    """
    people, vehicles = things(tried.bgr, detector, np.logical_or.reduce(parts))
    good = []
    bgr, admitted = standing.bgr.copy(), standing.admitted.copy()
    for part in parts:
        closer = [_closely(tried.bgr, part, grow, detector) for grow in _CLOSER]
        suspected = around(np.concatenate([people, *closer]), tried.size)
        good.append(not bool((suspected & part).any()))
        if good[-1]:
            looked = hidden(tried, vehicles, part)
            cv2.copyTo(looked.bgr, part.view(np.uint8), bgr)
            admitted |= part
    return Backdrop(bgr, admitted), good


def _closely(bgr: Image, part: BoolArray, grow: float, detector: Detector) -> FloatArray:
    """Boxes (n, 4) of people in a window around the part, enlarged: some are found only if they are large enough."""
    rows, columns = np.nonzero(part.any(axis=1))[0], np.nonzero(part.any(axis=0))[0]
    half = grow * max(rows[-1] - rows[0], columns[-1] - columns[0]) / 2
    y, x = (rows[-1] + rows[0]) / 2, (columns[-1] + columns[0]) / 2
    left, top = max(0, int(x - half)), max(0, int(y - half))
    window = bgr[top : int(y + half) + 1, left : int(x + half) + 1]
    scale = min(_ENLARGED, detector.side / max(window.shape[:2]))
    if scale > 1:
        window = cv2.resize(window, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    found = detector.detect(window)
    boxes = found.boxes[found.kinds == PERSON] / np.float32(max(scale, 1.0))
    return np.asarray(boxes + np.array([left, top, left, top], np.float32), np.float32)


def hidden(learned: Backdrop, vehicles: FloatArray, within: BoolArray | None = None) -> Backdrop:
    """``learned`` with vehicles mosaicked and its text illegible. Finding text takes seconds at 1080p.

    What is not admitted is no part of any mean that is shown, and its border is no stroke of a letter.

    Args:
        vehicles: (n, 4) boxes.
        within: (h, w) the only part in which text matters; None for everything.
    """
    return _bare(_hidden(Backdrop(carried_on(learned.bgr, learned.admitted), learned.admitted), vehicles, within))


def _hidden(learned: Backdrop, vehicles: FloatArray, within: BoolArray | None) -> Backdrop:
    if within is None:
        return veil(Backdrop(illegible(learned.bgr), learned.admitted), vehicles)
    rows, columns = np.nonzero(within.any(axis=1))[0], np.nonzero(within.any(axis=0))[0]
    top, left = max(0, int(rows[0]) - _AROUND_TEXT), max(0, int(columns[0]) - _AROUND_TEXT)
    part = slice(top, int(rows[-1]) + _AROUND_TEXT), slice(left, int(columns[-1]) + _AROUND_TEXT)
    bgr = learned.bgr.copy()
    bgr[part] = illegible(learned.bgr[part])
    return veil(Backdrop(bgr, learned.admitted), vehicles)


def _bare(backdrop: Backdrop) -> Backdrop:
    """``backdrop`` without anything where it is not admitted."""
    return Backdrop(np.where(backdrop.admitted[..., None], backdrop.bgr, np.uint8(0)), backdrop.admitted)


def things(bgr: Image, detector: Detector, within: BoolArray | None = None) -> tuple[FloatArray, FloatArray]:
    """What may not be shown in an empty scene.

    Args:
        bgr: (h, w, 3).
        detector: finds it.
        within: (h, w) the part that matters; windows beside it are left out. None for everything.

    Returns:
        Boxes (n, 4) of suspected people, and boxes (m, 4) of what must be mosaicked.
    """
    boxes, kinds = [np.zeros((0, 4), np.float32)], [np.zeros(0, np.int8)]
    for x1, y1, x2, y2 in ((0, 0, bgr.shape[1], bgr.shape[0]), *_windows(bgr.shape[1], bgr.shape[0], detector.side)):
        if within is not None and not within[y1:y2, x1:x2].any():
            continue
        found = detector.detect(bgr[y1:y2, x1:x2])
        whole = (x2 - x1, y2 - y1) == (bgr.shape[1], bgr.shape[0])
        sure = found.scores >= (0 if whole else _LEAST_SCORE)
        boxes.append(found.boxes[sure] + np.array([x1, y1, x1, y1], np.float32))
        kinds.append(found.kinds[sure])
    all_boxes, all_kinds = np.concatenate(boxes), np.concatenate(kinds)
    return all_boxes[all_kinds == PERSON], all_boxes[all_kinds == VEHICLE]


def around(boxes: FloatArray, size: tuple[int, int]) -> BoolArray:
    """(h, w): inside the boxes (n, 4), with a margin."""
    mask = np.zeros((size[1], size[0]), bool)
    for x1, y1, x2, y2 in boxes:
        margin = _MARGIN * max(x2 - x1, y2 - y1)
        top, left = max(0, int(y1 - margin)), max(0, int(x1 - margin))
        mask[top : int(y2 + margin) + 1, left : int(x2 + margin) + 1] = True
    return mask


def _windows(width: int, height: int, side: int) -> Iterator[tuple[int, int, int, int]]:
    """x1, y1, x2, y2 of windows that overlap by a quarter; none as large as the picture."""
    for scale in _SCALES:
        wide = round(scale * side)
        if wide >= max(width, height):
            continue
        for y in _starts(height, wide):
            for x in _starts(width, wide):
                yield x, y, min(width, x + wide), min(height, y + wide)


def _starts(length: int, wide: int) -> list[int]:
    if length <= wide:
        return [0]
    count = 1 + int(np.ceil((length - wide) / (_STEP * wide)))
    return [round(each) for each in np.linspace(0, length - wide, count)]
