"""Day or night at a place: whether the sun is up.

Only the minute and the charter's coordinates go in, so that whoever replays a test tells the strata apart likewise.

The sun's place is reckoned by the low-precision formulas of the Astronomical Almanac (page C5), good to about 0.01
degrees between 1950 and 2050; "up" is above -0.833 degrees, which is what almanacs call sunrise and sunset.
"""

from __future__ import annotations

import math
from typing import Final

from watchglass.charter.limits import Stratum
from watchglass.charter.model import Source
from watchglass.core.time import DAY, MINUTE

_J2000_MS: Final = 946_728_000_000
"""2000-01-01T12:00Z."""
_HORIZON: Final = -0.833


def stratum_of(source: Source, at_ms: int) -> Stratum:
    """In which light ``source`` looked at a moment, to the minute."""
    return "day" if sun_height(source.place.lat, source.place.lon, at_ms // MINUTE * MINUTE) > _HORIZON else "night"


def sun_height(lat: float, lon: float, at_ms: int) -> float:
    """How high the sun stands, in degrees above the horizon; negative below.

    Args:
        lat, lon: degrees north and east.
    """
    days = (at_ms - _J2000_MS) / DAY
    mean = math.radians((357.528 + 0.9856003 * days) % 360)
    ecliptic = math.radians((280.460 + 0.9856474 * days + 1.915 * math.sin(mean) + 0.020 * math.sin(2 * mean)) % 360)
    tilt = math.radians(23.439 - 0.0000004 * days)
    ascension = math.atan2(math.cos(tilt) * math.sin(ecliptic), math.cos(ecliptic))
    declination = math.asin(math.sin(tilt) * math.sin(ecliptic))
    sidereal = math.radians((280.46061837 + 360.98564736629 * days + lon) % 360)
    north = math.radians(lat)
    return math.degrees(
        math.asin(
            math.sin(north) * math.sin(declination)
            + math.cos(north) * math.cos(declination) * math.cos(sidereal - ascension)
        )
    )
