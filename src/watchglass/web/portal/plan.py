"""A small plan of where the sources stand, drawn from their latitudes and longitudes: no map, no other server."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from watchglass.charter.model import Source

WIDTH: Final = 640
HEIGHT: Final = 320
_MARGIN: Final = 70
_METRES_PER_DEGREE: Final = 111_320.0
"""Metres in a degree of latitude; of longitude this times the cosine of the latitude (a plane is enough for a town)."""
_SMALLEST_M: Final = 60.0
_FEWEST: Final = 2


@dataclass(frozen=True, slots=True)
class Dot:
    """One source on the plan, in the plan's own units."""

    name: str
    place: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Dots and a scale bar of ``scale_m`` metres that is ``scale_px`` long."""

    dots: tuple[Dot, ...]
    scale_m: int
    scale_px: float
    width: int = WIDTH
    height: int = HEIGHT


def plan_of(sources: Sequence[Source]) -> Plan | None:
    """North up, to scale; None where there are fewer than two sources, because one dot tells nothing."""
    if len(sources) < _FEWEST:
        return None
    middle = sum(source.place.lat for source in sources) / len(sources)
    squeeze = math.cos(math.radians(middle))
    east = [source.place.lon * _METRES_PER_DEGREE * squeeze for source in sources]
    north = [source.place.lat * _METRES_PER_DEGREE for source in sources]
    wide = max(max(east) - min(east), _SMALLEST_M)
    high = max(max(north) - min(north), _SMALLEST_M)
    scale = min((WIDTH - 2 * _MARGIN) / wide, (HEIGHT - 2 * _MARGIN) / high)
    centre_x, centre_y = (max(east) + min(east)) / 2, (max(north) + min(north)) / 2
    bar = _round_length(120 / scale)
    return Plan(
        dots=tuple(
            Dot(
                source.name,
                source.place.name,
                round(WIDTH / 2 + (x - centre_x) * scale, 1),
                round(HEIGHT / 2 - (y - centre_y) * scale, 1),
            )
            for source, x, y in zip(sources, east, north, strict=True)
        ),
        scale_m=bar,
        scale_px=round(bar * scale, 1),
    )


def _round_length(metres: float) -> int:
    """The largest 1, 2 or 5 times a power of ten that is not longer."""
    power: float = 10 ** math.floor(math.log10(metres))
    return int(max(step * power for step in (1, 2, 5) if step * power <= metres))
