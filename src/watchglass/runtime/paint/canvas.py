"""Painted pictures as the encoder takes them, of which only what changes is drawn anew."""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np

from watchglass.edge.encode import Image, planar, redraw
from watchglass.runtime.paint.recall import Light
from watchglass.views.backdrop import Backdrop
from watchglass.views.public import PlainPin, ground, pin_radius, stand, with_marks

_REACH: Final = 1.5
"""How far a mark reaches from its middle, in radii, with room to spare."""


class Canvas:
    """One painted scene, and plain grey beside it.

    Args:
        backdrop: the empty scene, or None for grey.
        size: (width, height) of the picture.

    Attributes:
        grey: what is shown where the picture is not the scene, or was damaged; I420.
    """

    def __init__(self, backdrop: Backdrop | None, size: tuple[int, int]) -> None:
        self._backdrop = backdrop
        self._size = size
        self.grey = planar(ground(None, size))
        self._under(())

    def _under(self, light: Light) -> None:
        self._light = light
        self._ground = ground(self._backdrop, self._size, light=light)
        self._planes = planar(self._ground)
        self._marks: tuple[PlainPin, ...] = ()

    def draw(self, pins: tuple[PlainPin, ...], light: Light = ()) -> Image:
        """The painted picture with these pins, I420; valid until the next call.

        Args:
            pins: on their grid.
            light: twelve factors in sixty-fourths, or () for the backdrop's own light.
        """
        if light != self._light:
            self._under(light)
        marks = stand(pins, self._size[0], None)
        if marks != self._marks:
            picture = with_marks(self._ground, marks)
            reach = int(_REACH * pin_radius(self._size[0])) + 2
            now, before = Counter(marks), Counter(self._marks)
            for x, y, _ in sorted({*(now - before), *(before - now)}):
                redraw(self._planes, picture, (x - reach, y - reach, x + reach, y + reach))
            self._marks = marks
        return self._planes

    def check(self) -> bool:
        """Whether the picture is what drawing all of it anew would give."""
        return bool(np.array_equal(self._planes, planar(with_marks(self._ground, self._marks))))
