"""Puts the views to work for one source: a ``perception.ports.Painter`` made of ``views`` and the encoders."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from watchglass.edge.encode import encode_png
from watchglass.perception.messages import BackdropProposal, Pin, SourceSpec
from watchglass.perception.observation import KINDS, Tracks
from watchglass.perception.ports import Detector, Image, View
from watchglass.views.backdrop import Backdrop, BackdropLearner
from watchglass.views.mosaic import veil
from watchglass.views.public import PlainPin, paint, snap
from watchglass.views.scenes import DAY
from watchglass.views.smoothing import SteadyMarks

PERSON: Final = KINDS.index("person")
VEHICLE: Final = KINDS.index("vehicle")
_MARGIN: Final = 0.1
"""How far around a suspected person a proposal stays grey, as a share of the box's longer side."""

_backdrop = lru_cache(maxsize=1)(Backdrop.from_png)
"""A source is painted before it is opened and after, on the same backdrop, which takes a tenth of a second to read."""


def without_things(learned: Backdrop, detector: Detector) -> Backdrop:
    """``learned`` with its vehicles mosaicked, and not admitted where a person may be in it."""
    found = detector.detect(learned.bgr)
    admitted = learned.admitted.copy()
    for x1, y1, x2, y2 in found.boxes[found.kinds == PERSON]:
        margin = _MARGIN * max(x2 - x1, y2 - y1)
        top, left = max(0, int(y1 - margin)), max(0, int(x1 - margin))
        admitted[top : int(y2 + margin) + 1, left : int(x2 + margin) + 1] = False
    return veil(Backdrop(learned.bgr, admitted), found.boxes[found.kinds == VEHICLE])


class ViewPainter:
    """Learns the backdrop of one source and paints its stills. Paints on grey until a backdrop was confirmed.

    While a backdrop is confirmed nothing is learned (that would cost 18 bytes a pixel and a few milliseconds a look),
    until somebody asks for another proposal: then learning begins anew.
    """

    def __init__(self, spec: SourceSpec, size: tuple[int, int]) -> None:
        self._spec = spec
        self._size = size
        self._png = dict(spec.backdrops).get(DAY)
        self._decoded: Backdrop | None = None
        self._learner = None if self._png else BackdropLearner(*size)
        self._steady = SteadyMarks(size, spec.width_m, spec.grid_m, spec.never_show)

    @property
    def confirmed(self) -> Backdrop | None:
        """The backdrop that an operator has confirmed, if any. Decoded when it is first asked for, and once."""
        if self._decoded is None and self._png:
            self._decoded = _backdrop(self._png)
        return self._decoded

    def confirm(self, scene: str, png: bytes | None) -> None:
        """Use this confirmed backdrop of a view from now on, or none.

        Raises:
            BadInput: not a backdrop.
        """
        if scene != DAY:
            return
        self._decoded = _backdrop(png) if png else None
        self._png = png
        if self._decoded is not None:
            self._learner = None
        elif self._learner is None:
            self._learner = BackdropLearner(*self._size)

    def proposal(self, at_ms: int, detector: Detector, scene: str = "") -> BackdropProposal:
        """The backdrop as far as it is learned, for an operator to look at. Begins to learn, if need be.

        Vehicles in it are mosaicked, and where the detector thinks that it sees a person it stays grey: an operator
        confirms what is left, and is not asked to overlook anybody.
        """
        del scene
        if self._learner is None:
            self._learner = BackdropLearner(*self._size)
        learned = without_things(self._learner.picture(), detector)
        return BackdropProposal(self._spec.name, at_ms, learned.to_png(), learned.share)

    # ---- perception.ports.Painter ------------------------------------------------------------------------------------

    @property
    def view(self) -> View:
        """See ``Painter.view``."""
        return View(DAY) if self._png else View(unsure="nobody has confirmed a view of this camera yet")

    @property
    def ready(self) -> float:
        """See ``Painter.ready``. While nothing is learned: how much of the confirmed backdrop is admitted."""
        if self._learner is not None:
            return self._learner.ready
        return self.confirmed.share if self.confirmed else 0.0

    @property
    def learning(self) -> bool:
        """See ``Painter.learning``."""
        return self._learner is not None

    def due(self, at_ms: int) -> bool:
        """See ``Painter.due``."""
        return self._learner is not None and self._learner.due(at_ms)

    def look(self, at_ms: int, bgr: Image, masked: NDArray[np.bool_]) -> None:
        """See ``Painter.look``."""
        if self._learner is not None:
            self._learner.look(at_ms, bgr, masked)

    def pins(self, tracks: Tracks) -> tuple[Pin, ...]:
        """See ``Painter.pins``."""
        return tuple(Pin(*pin) for pin in self._steady.see(tracks.at_ms, tracks.ids, tracks.boxes, tracks.kinds))

    def still(self, tracks: Tracks, zone: tuple[tuple[float, float], ...] | None) -> bytes:
        """See ``Painter.still``."""
        return encode_png(paint(self.confirmed, self._size, self._snapped(tracks), zone))

    def _snapped(self, tracks: Tracks) -> tuple[PlainPin, ...]:
        return snap(tracks.boxes, tracks.kinds, self._spec.width_m, self._size[0], self._spec.grid_m)
