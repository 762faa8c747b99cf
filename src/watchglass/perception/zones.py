"""Who stands where: a thing is in a zone when the point where it stands on the ground is."""

from __future__ import annotations

import numpy as np

from watchglass.core.geometry import BoolArray, Polygon, feet
from watchglass.perception.messages import ZoneSpec
from watchglass.perception.observation import KINDS, Tracks


class Zone:
    """A polygon of one source, ready to be asked; without a spec, the whole picture.

    Raises:
        BadInput: the polygon is none.
    """

    def __init__(self, spec: ZoneSpec | None) -> None:
        self.name = spec.name if spec else None
        self.area_m2 = spec.area_m2 if spec else None
        self._polygon = Polygon(spec.polygon) if spec else None

    def inside(self, tracks: Tracks, kinds: tuple[str, ...]) -> BoolArray:
        """Which tracks of ``kinds`` stand in the zone: (n,) bool."""
        wanted = np.isin(tracks.kinds, [KINDS.index(kind) for kind in kinds])
        if self._polygon is None or not len(tracks):
            return wanted
        return np.asarray(wanted & self._polygon.contains(feet(tracks.boxes)))
