"""How good the pictures of a source are: how bright, how sharp, and how much of its zones they still show.

All of it comes from the looks that are taken at a source's health anyway; nothing is decoded for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.perception.health import Condition

STALE_MS: Final = 15_000
"""A look speaks for so long: the longest group of pictures is shorter."""
_SIDE: Final = 320
_WHITE: Final = 235.0
INFRARED: Final = "infrared"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the last look showed; None where it cannot be told.

    Attributes:
        brightness: mean of the whole picture, 0 black to 255 white; what must never be seen counts as black.
        sharpness: how steep the steepest edges are above what noise alone makes, beside the picture's contrast.
        zones: the share of the source's zones that is still where the charter drew it, 0..1: of the worst of them.
        infrared: whether the confirmed view in front of the camera is one in infrared.
    """

    brightness: float | None = None
    sharpness: float | None = None
    zones: float | None = None
    infrared: bool | None = None


class Fitness:
    """Of one source.

    Args:
        zones: its polygons in pixels; without any the whole picture counts.
        size: (width, height) of the picture that they are drawn on.
    """

    def __init__(self, zones: Sequence[Sequence[tuple[float, float]]], size: tuple[int, int]) -> None:
        self._scale = min(1.0, _SIDE / max(size))
        width, height = (max(1, round(side * self._scale)) for side in size)
        whole = [[(0, 0), (size[0], 0), (size[0], size[1]), (0, size[1])]]
        self._masks = [self._mask(zone, (width, height)) for zone in (zones or whole)]
        self._offset: tuple[float, float] | None = (0.0, 0.0)
        self._at_ms: int | None = None
        self._shown = Shown()
        self._zones: tuple[tuple[float, float] | None, float] = ((0.0, 0.0), 1.0)

    def look(
        self,
        at_ms: int,
        *,
        level: float,
        sharpness: float | None,
        black: int,
        condition: Condition | None,
        scene: str,
    ) -> None:
        """Take in a look at the source's health.

        Args:
            level: mean luma as it is coded. black: what codes black (16, or 0 where all levels are used).
            condition: what is wrong. scene: the confirmed view that is in front of the camera; "" where none is.
        """
        if scene:  # it is what an operator confirmed, so nothing has moved for good
            self._offset = (0.0, 0.0)
        most = 255.0 if not black else _WHITE
        bright = 255.0 * (level - black) / (most - black)
        self._at_ms = at_ms
        self._shown = Shown(
            brightness=round(min(255.0, max(0.0, bright)), 1),
            sharpness=None if sharpness is None else round(sharpness, 3),
            zones=self._in_place(condition),
            infrared=scene.startswith(INFRARED) if scene else None,
        )

    def accept(self, condition: Condition) -> None:
        """The view that was moved is taken for the view from now on; the zones stay where they were drawn."""
        self._offset = self._sum(condition)

    def at(self, at_ms: int) -> Shown:
        """What is known at ``at_ms``."""
        known = self._at_ms is not None and 0 <= at_ms - self._at_ms <= STALE_MS
        return self._shown if known else Shown()

    def forget(self) -> None:
        """Nothing may be looked at, or nothing comes."""
        self._at_ms = None

    def _mask(self, zone: Sequence[tuple[float, float]], size: tuple[int, int]) -> NDArray[np.uint8]:
        mask = np.zeros((size[1], size[0]), np.uint8)
        cv2.fillPoly(mask, [np.rint(np.array(zone, np.float64) * self._scale).astype(np.int32)], 1)
        return mask

    def _in_place(self, condition: Condition | None) -> float | None:
        if condition is not None and condition.name in {"black", "lost"}:
            return 0.0
        offset = self._sum(condition) if condition is not None and condition.name == "moved" else self._offset
        if offset != self._zones[0]:
            self._zones = offset, 0.0 if offset is None else self._overlap(offset)
        return self._zones[1]

    def _sum(self, condition: Condition) -> tuple[float, float] | None:
        """How far the picture lies from where the zones were drawn; None where the scene is not found again."""
        right, down = condition.facts.get("right_px"), condition.facts.get("down_px")
        if self._offset is None or right is None or down is None:
            return None
        return self._offset[0] + right, self._offset[1] + down

    def _overlap(self, offset: tuple[float, float]) -> float:
        right, down = (round(each * self._scale) for each in offset)
        shares = []
        for mask in self._masks:
            height, width = mask.shape
            if abs(right) >= width or abs(down) >= height:
                return 0.0
            here = mask[max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)]
            there = mask[max(0, -down) : height + min(0, -down), max(0, -right) : width + min(0, -right)]
            shares.append(float((here & there).sum()) / max(1, int(mask.sum())))
        return round(min(shares), 3)
