"""Vehicles that stood there when a scene began to be learned are part of it: mosaicked, and no reason to stay grey.

What is detected is masked, so that it is not learned. A vehicle that never leaves would so be grey for ever. But it is
no more than a part of the scene that must not be seen closely: the rule lets it in and has it mosaicked.

So a vehicle that has stood in its place for twenty seconds masks it no more, unless the learner knows that place
without it: then it came. When it has left, what was learned of it is forgotten, and the ground is learned as if the
vehicle had been masked all the time. Nobody is let in by that who would not be if the detector knew no vehicles: no
part of the rule asks for masks. People, and whatever moves, stay masked before a vehicle too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from watchglass.core.geometry import BoolArray, FloatArray, iou
from watchglass.core.time import SECOND

PARKED_MS: Final = 20 * SECOND
"""As long as any pixel must agree before it is admitted."""

_SAME: Final = 0.7
"""IoU: boxes of a vehicle that stands overlap so far, whatever the detector's jitter."""

_GONE_MS: Final = 10 * SECOND
_MARGIN: Final = 0.25
"""Of its width and height, all around: as far as perception masks it."""

_ROUNDED: Final = 8
"""Pixels: perception masks in whole samples of its strided luma."""


@dataclass(slots=True, eq=False)
class Spot:
    """A place where a vehicle stands.

    Attributes:
        box: (4,) where it was first seen.
        since_ms: when.
        seen_ms: when it was last seen there.
        part: whether it is part of the scene; None until that is decided.
    """

    box: FloatArray
    since_ms: int
    seen_ms: int
    part: bool | None = None

    def window(self, shape: tuple[int, ...], *, margin: bool = False) -> tuple[slice, slice]:
        """Rows and columns of it in a picture of that (height, width)."""
        x1, y1, x2, y2 = (float(v) for v in self.box)
        across, down = (_MARGIN * (x2 - x1) + _ROUNDED, _MARGIN * (y2 - y1) + _ROUNDED) if margin else (0.0, 0.0)
        rows = slice(max(0, int(y1 - down)), max(0, min(shape[0], int(y2 + down) + 1)))
        return rows, slice(max(0, int(x1 - across)), max(0, min(shape[1], int(x2 + across) + 1)))


class Parking:
    """Remembers where vehicles stand. Deterministic."""

    def __init__(self) -> None:
        self._spots: list[Spot] = []
        self._now_ms = 0
        self._others: list[Spot] = []

    @property
    def boxes(self) -> FloatArray:
        """(n, 4): vehicles that are part of the scene."""
        return np.array([spot.box for spot in self._spots if spot.part], np.float32).reshape(-1, 4)

    def see(self, at_ms: int, boxes: FloatArray) -> None:
        """Take in the vehicles (n, 4) of one moment."""
        self._now_ms = at_ms
        self._others = []
        known = np.array([spot.box for spot in self._spots], np.float32).reshape(-1, 4)
        overlap = iou(boxes, known)
        for box, row in zip(boxes, overlap, strict=True):
            spot = self._spots[int(row.argmax())] if row.max(initial=0.0) >= _SAME else None
            if spot is None:
                spot = Spot(box.astype(np.float32), at_ms, at_ms)
                self._spots.append(spot)
            spot.seen_ms = at_ms
            if not spot.part:
                self._others.append(Spot(box, at_ms, at_ms))
        self._spots = [spot for spot in self._spots if spot.part or at_ms - spot.seen_ms <= _GONE_MS]

    @property
    def undecided(self) -> list[Spot]:
        """Where one has stood for long enough now to be part of the scene."""
        return [s for s in self._spots if s.part is None and s.seen_ms - s.since_ms >= PARKED_MS]

    @property
    def unseen(self) -> list[Spot]:
        """Where one that is part of the scene is not found now: it left, or was missed."""
        return [spot for spot in self._spots if spot.part and spot.seen_ms < self._now_ms]

    def left(self, spot: Spot) -> None:
        """The vehicle that was part of the scene there has left."""
        self._spots.remove(spot)

    def whole(self, masked: BoolArray) -> BoolArray:
        """``masked`` with all vehicles that are part of the scene, found or not: light is told by what cannot leave."""
        missed = self.unseen
        if not missed:
            return masked
        result = masked.copy()
        for spot in missed:
            result[spot.window(masked.shape, margin=True)] = True
        return result

    def masked(self, masked: BoolArray, beside: BoolArray) -> BoolArray:
        """What may not be learned, (h, w), if vehicles that are part of the scene may.

        Args:
            masked: what may not be learned if nothing of that were known.
            beside: what of this is masked by something else than vehicles.
        """
        parts = [spot for spot in self._spots if spot.part]
        if not parts:
            return masked
        result = masked.copy()
        for spot in parts:
            window = spot.window(masked.shape, margin=True)
            result[window] = beside[window]
        for spot in self._others:
            window = spot.window(masked.shape, margin=True)
            result[window] |= masked[window]
        return result
