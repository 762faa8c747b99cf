"""From pixels to metres: the ground plane of one camera.

A picture of a plane is a homography of it. It comes from points that somebody has measured on the ground, by the
normalised direct linear transformation (Hartley and Zisserman, Multiple View Geometry, 2nd ed., algorithm 4.2).
Lens distortion is not modelled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from watchglass.core.errors import BadInput
from watchglass.core.geometry import FloatArray

Metres = NDArray[np.float64]
"""(n, 2) metres on the ground."""

FEWEST: Final = 4
_FLAT: Final = 0.02
"""Points whose height over their longest side is less than this lie on a line, for all that measuring can tell."""

_WORST_SHARE: Final = 0.1
_WAY: Final = "Give four or more points that lie wide apart on the ground, X to the right and Y away from the camera."


@dataclass(frozen=True, slots=True)
class Ground:
    """The ground under one camera.

    Args:
        points: (x, y in pixels, X, Y in metres); four or more. X and Y turn as on a map: seen from above, Y is to the
            left of X.

    Attributes:
        exact: False where it is only a scale (``flat``).

    Raises:
        BadInput: too few points, points on a line, points mixed up or mirrored, or points that no plane explains.
    """

    points: tuple[tuple[float, float, float, float], ...]
    exact: bool = True
    _matrix: Metres = field(init=False, repr=False, compare=False)
    _near: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        table = np.array(self.points, np.float64)
        if table.ndim != 2 or len(table) < FEWEST or table.shape[1] != FEWEST or not np.isfinite(table).all():  # noqa: PLR2004 # a table
            raise BadInput("The ground plane needs at least four points, each as x, y, X, Y.", fix=_WAY)
        pixels, metres = table[:, :2], table[:, 2:]
        _check(pixels, metres)
        matrix = _homography(pixels, metres)
        depth = pixels @ matrix[2, :2] + matrix[2, 2]
        if not (np.all(depth > 0) or np.all(depth < 0)):
            raise BadInput(
                "No flat ground can look like the points of this plane: some lie beyond its horizon.", fix=_WAY
            )
        object.__setattr__(self, "_matrix", matrix)
        object.__setattr__(self, "_near", math.copysign(1.0, float(depth[0])))
        size = float(np.ptp(metres, axis=0).max())
        if self.worst_m > _WORST_SHARE * size:
            raise BadInput(
                f"The points of this ground plane do not fit each other: one is {self.worst_m:.1f} m off.",
                fix="Measure them again; the worst is often two that were exchanged.",
            )

    @classmethod
    def flat(cls, metres_per_px: float) -> Ground:
        """A rough ground from a scale alone: every pixel is as long as every other. For cameras that look down.

        Raises:
            BadInput: the scale is not above zero.
        """
        if not metres_per_px > 0 or not math.isfinite(metres_per_px):
            raise BadInput(f"A scale of {metres_per_px} metres a pixel is none.", fix="Give a width above zero.")
        corners = ((0.0, 0.0), (1000.0, 0.0), (1000.0, 1000.0), (0.0, 1000.0))
        return cls(tuple((x, y, x * metres_per_px, -y * metres_per_px) for x, y in corners), exact=False)

    @property
    def worst_m(self) -> float:
        """How far the worst of the points is from where the plane puts it, metres. 0 with four points."""
        table = np.array(self.points, np.float64)
        return float(np.hypot(*(self._project(table[:, :2]) - table[:, 2:]).T).max())

    def metres(self, pixels: FloatArray | Metres) -> Metres:
        """Where ``pixels`` (n, 2) lie on the ground: (n, 2) metres; NaN beyond the horizon."""
        return self._project(np.asarray(pixels, np.float64).reshape(-1, 2))

    def pixels(self, metres: Metres) -> Metres:
        """Where points of the ground (n, 2) are seen: (n, 2) pixels; NaN behind the camera."""
        back = np.linalg.inv(self._matrix)
        whole = np.c_[np.asarray(metres, np.float64).reshape(-1, 2), np.ones(len(metres))] @ back.T
        # Depth and its inverse share their sign: s·(X, Y, 1) = H·(x, y, 1).
        return np.where(whole[:, 2:] * self._near > 0, whole[:, :2] / whole[:, 2:], np.nan)

    def area(self, polygon: tuple[tuple[float, float], ...]) -> float:
        """Square metres of a polygon of the picture. Lines stay lines, so that its corners are enough.

        Raises:
            BadInput: a corner lies on or beyond the horizon.
        """
        corners = self.metres(np.array(polygon, np.float64))
        if not np.isfinite(corners).all():
            raise BadInput(
                "A corner of this zone lies beyond the horizon of the ground plane.", fix="Draw it on the ground."
            )
        x, y = corners[:, 0], corners[:, 1]
        return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)

    def _project(self, pixels: Metres) -> Metres:
        whole = np.c_[pixels, np.ones(len(pixels))] @ self._matrix.T
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(whole[:, 2:] * self._near > 0, whole[:, :2] / whole[:, 2:], np.nan)


def _check(pixels: Metres, metres: Metres) -> None:
    """Raises BadInput where the points cannot carry a plane."""
    for values, where in ((pixels, "the picture"), (metres, "the ground")):
        spread = np.linalg.svd(values - values.mean(axis=0), compute_uv=False)
        if spread[1] < _FLAT * max(spread[0], 1e-9):
            raise BadInput(f"The points of the ground plane lie on one line in {where}.", fix=_WAY)
    turns = [(_turn(pixels[list(three)]), _turn(metres[list(three)])) for three in combinations(range(len(pixels)), 3)]
    # A camera keeps the sense of every triangle that it sees on the ground; the picture's y runs down.
    agree = [a * b for a, b in turns if abs(a) > _FLAT and abs(b) > _FLAT]
    if not agree:
        raise BadInput("The points of the ground plane lie on one line.", fix=_WAY)
    if all(sense > 0 for sense in agree):
        raise BadInput("The ground plane is mirrored.", fix=f"Change the sign of every Y. {_WAY}")
    if any(sense > 0 for sense in agree):
        raise BadInput("The points of the ground plane are mixed up.", fix=f"Two may be exchanged. {_WAY}")


def _turn(three: Metres) -> float:
    """Twice the signed area of a triangle over the square of its longest side, -1..1."""
    a, b, c = three
    sides = [float(np.hypot(*(q - p))) for p, q in ((a, b), (b, c), (c, a))]
    cross = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return float(cross) / max(max(sides) ** 2, 1e-12)


def _normal(values: Metres) -> Metres:
    """The similarity (3, 3) that moves points to the origin at a mean distance of the root of two."""
    middle = values.mean(axis=0)
    scale = math.sqrt(2) / max(float(np.hypot(*(values - middle).T).mean()), 1e-12)
    return np.array([[scale, 0, -scale * middle[0]], [0, scale, -scale * middle[1]], [0, 0, 1]])


def _homography(pixels: Metres, metres: Metres) -> Metres:
    """(3, 3) from pixels to metres, least squares."""
    before, after = _normal(pixels), _normal(metres)
    ones = np.ones(len(pixels))
    source, target = (np.c_[pixels, ones] @ before.T), (np.c_[metres, ones] @ after.T)
    rows = []
    for (x, y, w), (u, v, _) in zip(source, target, strict=True):
        rows += [[-x, -y, -w, 0, 0, 0, u * x, u * y, u * w], [0, 0, 0, -x, -y, -w, v * x, v * y, v * w]]
    matrix = np.linalg.svd(np.array(rows))[2][-1].reshape(3, 3)
    whole: Metres = np.linalg.inv(after) @ matrix @ before
    return whole / np.linalg.norm(whole)
