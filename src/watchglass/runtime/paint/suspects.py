"""Where somebody may have been still for a good part of a file, as the detector sees it at its lowest scores.

Somebody gets into a backdrop only where they were, unnoticed, for most of the time (the learner wants 70 % of its
samples). So a place is suspected from a quarter of the time on. It need not be the same person, nor one stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from watchglass.core.geometry import BoolArray, FloatArray, iou
from watchglass.perception.observation import KINDS, Detections
from watchglass.views.backdrop import BLOCK

PERSON: Final = KINDS.index("person")
LEAST_MS: Final = 8_000
SHARE: Final = 0.25
"""Of the time that is painted, and at least eight seconds: so long somebody was still in a place that stays grey."""

_SAME: Final = 0.6
"""A box that overlaps so much with one of a look before has not moved."""

_MISSES: Final = 3
_LONGEST_MS: Final = 12_000

Window = tuple[float, float, float, float] | None


@dataclass(slots=True)
class _Place:
    box: FloatArray
    seen_ms: int
    missed: int = 0


class Suspects:
    """Adds up for how long people stayed where they were.

    Args:
        size: (width, height) of the pictures.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._still = np.zeros((-(-size[1] // BLOCK), -(-size[0] // BLOCK)), np.int64)
        self._places: list[_Place] = []

    def see(self, at_ms: int, found: Detections, window: Window = None) -> None:
        """Take in what one look of the detector found.

        Args:
            at_ms: capture time.
            found: down to the lowest scores.
            window: where it looked (x1, y1, x2, y2); None for the whole picture.
        """
        people = found.boxes[found.kinds == PERSON]
        known = np.array([place.box for place in self._places], np.float32).reshape(-1, 4)
        overlap = iou(people, known)
        still = np.zeros(self._still.shape, np.int64)
        for row, box in enumerate(people):
            same = int(overlap[row].argmax()) if len(known) else -1
            if same < 0 or overlap[row, same] < _SAME:
                self._places.append(_Place(box, at_ms))
                continue
            place = self._places[same]
            blocks = self._blocks(place.box)
            np.maximum(still[blocks], at_ms - place.seen_ms, out=still[blocks])
            place.box, place.seen_ms, place.missed = box, at_ms, 0
        self._still += still
        self._forget(at_ms, window)

    def mask(self, lasted_ms: int) -> BoolArray:
        """(h, w): where somebody was still for too long, of a scene that lasted so long. Whole blocks of 32 pixels."""
        long = self._still >= max(LEAST_MS, SHARE * lasted_ms)
        return long.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)[: self._size[1], : self._size[0]]

    def _blocks(self, box: FloatArray) -> tuple[slice, slice]:
        x1, y1, x2, y2 = (int(value) for value in box)
        return slice(max(0, y1 // BLOCK), max(0, y2 // BLOCK + 1)), slice(max(0, x1 // BLOCK), max(0, x2 // BLOCK + 1))

    def _forget(self, at_ms: int, window: Window) -> None:
        for place in self._places:
            if place.seen_ms != at_ms and (window is None or _inside(place.box, window)):
                place.missed += 1
        self._places = [p for p in self._places if p.missed < _MISSES and at_ms - p.seen_ms <= _LONGEST_MS]


def _inside(box: FloatArray, window: tuple[float, float, float, float]) -> bool:
    x1, y1, x2, y2 = box.tolist()
    return bool(window[0] <= x1 and window[1] <= y1 and x2 <= window[2] and y2 <= window[3])
