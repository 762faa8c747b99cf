"""Puts the views to work for one source: a ``perception.ports.Painter`` made of ``views`` and the encoders."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from watchglass.edge.encode import encode_png
from watchglass.perception.messages import BackdropProposal, Pin, SourceSpec
from watchglass.perception.observation import Tracks
from watchglass.perception.ports import Image
from watchglass.views.backdrop import Backdrop, BackdropLearner
from watchglass.views.public import PlainPin, paint, snap

_CONFIRMED_MS: Final = 30_000


class ViewPainter:
    """Learns the backdrop of one source and paints its stills. Paints on grey until a backdrop was confirmed."""

    def __init__(self, spec: SourceSpec, size: tuple[int, int]) -> None:
        self._spec = spec
        self._size = size
        self._learner = BackdropLearner(*size)
        self._confirmed = Backdrop.from_png(spec.backdrop) if spec.backdrop else None
        self._looked_ms = -_CONFIRMED_MS

    @property
    def confirmed(self) -> Backdrop | None:
        """The backdrop that an operator has confirmed, if any."""
        return self._confirmed

    def confirm(self, png: bytes | None) -> None:
        """Use this confirmed backdrop from now on, or none.

        Raises:
            BadInput: not a backdrop.
        """
        self._confirmed = Backdrop.from_png(png) if png else None

    def proposal(self, at_ms: int) -> BackdropProposal:
        """The backdrop as far as it is learned, for an operator to look at."""
        learned = self._learner.picture()
        return BackdropProposal(self._spec.name, at_ms, learned.to_png(), learned.share)

    # ---- perception.ports.Painter ------------------------------------------------------------------------------------

    @property
    def ready(self) -> float:
        """See ``Painter.ready``."""
        return self._learner.ready

    def due(self, at_ms: int) -> bool:
        """See ``Painter.due``. Once a backdrop is confirmed, learning only keeps up with the seasons of the day."""
        if self._confirmed is not None and 0 <= at_ms - self._looked_ms < _CONFIRMED_MS:
            return False
        return self._learner.due(at_ms)

    def look(self, at_ms: int, bgr: Image, masked: NDArray[np.bool_]) -> None:
        """See ``Painter.look``."""
        self._looked_ms = at_ms
        self._learner.look(at_ms, bgr, masked)

    def pins(self, tracks: Tracks) -> tuple[Pin, ...]:
        """See ``Painter.pins``."""
        return tuple(Pin(*pin) for pin in self._snapped(tracks))

    def still(self, tracks: Tracks, zone: tuple[tuple[float, float], ...] | None) -> bytes:
        """See ``Painter.still``."""
        return encode_png(paint(self._confirmed, self._size, self._snapped(tracks), zone))

    def _snapped(self, tracks: Tracks) -> tuple[PlainPin, ...]:
        return snap(tracks.boxes, tracks.kinds, self._spec.width_m, self._size[0], self._spec.grid_m)
