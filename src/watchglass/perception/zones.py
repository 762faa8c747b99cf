"""Who stands where: a thing is in a zone, or on a side of a line, when the point where it stands on the ground is."""

from __future__ import annotations

import numpy as np

from watchglass.core.errors import BadInput
from watchglass.core.geometry import BoolArray, FloatArray, Polygon, feet
from watchglass.perception.messages import ZoneSpec
from watchglass.perception.observation import KINDS, Tracks

_SHORTEST_PX = 8.0


class Zone:
    """A polygon of one source, ready to be asked; without a spec, the whole picture.

    Raises:
        BadInput: the polygon is none.
    """

    def __init__(self, spec: ZoneSpec | None) -> None:
        if spec is not None and spec.line:
            raise BadInput(f"The zone {spec.name!r} is a line; this rule needs an area.", fix="Draw a polygon for it.")
        self.name = spec.name if spec else None
        self.area_m2 = spec.area_m2 if spec else None
        self._polygon = Polygon(spec.polygon) if spec else None

    def inside(self, tracks: Tracks, kinds: tuple[str, ...]) -> BoolArray:
        """Which tracks of ``kinds`` stand in the zone: (n,) bool."""
        wanted = np.isin(tracks.kinds, [KINDS.index(kind) for kind in kinds])
        return np.asarray(wanted & self.holds(feet(tracks.boxes)))

    def holds(self, points: FloatArray) -> BoolArray:
        """Which points (n, 2) lie in the zone: (n,) bool."""
        if self._polygon is None or not len(points):
            return np.ones(len(points), bool)
        return self._polygon.contains(points)


class Line:
    """A directed line of one source. Seen from its first point towards its second, it has a left and a right.

    Raises:
        BadInput: the zone is no line, or too short to have sides.
    """

    def __init__(self, spec: ZoneSpec | None) -> None:
        if spec is None or not spec.line or len(spec.polygon) != 2:  # noqa: PLR2004 # two points
            raise BadInput(
                "This rule needs a line.", fix="Give its zone `line: [[x, y], [x, y]]` instead of a polygon."
            )
        self.name = spec.name
        self._first = np.array(spec.polygon[0], np.float32)
        along = np.array(spec.polygon[1], np.float32) - self._first
        self._length = float(np.hypot(*along))
        if self._length < _SHORTEST_PX:
            raise BadInput(f"The line {spec.name!r} is too short to have sides.", fix="Draw it across the whole way.")
        self._along = along / np.float32(self._length)

    def offset(self, points: FloatArray) -> FloatArray:
        """How far right of the line points (n, 2) lie, pixels; negative is left. As the picture shows it."""
        rest = points - self._first
        right = rest[:, 1] * self._along[0] - rest[:, 0] * self._along[1]
        return np.asarray(right, np.float32)

    def beside(self, points: FloatArray) -> FloatArray:
        """How far along the line points (n, 2) lie: 0 at its first point, 1 at its second."""
        share = (points - self._first) @ self._along / np.float32(self._length)
        return np.asarray(share, np.float32)
