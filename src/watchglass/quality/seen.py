"""Under what conditions an alert was seen: light, view, size, crowding. Of the scene, never a trait of a person. Pure.

The bounds are round numbers set beforehand and fitted to nothing. Brightness is the camera's, after its own exposure:
it says how much there was to be seen, not how much light there was. There is no stratum of weather, because nothing
here measures it and no source of truth is connected.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

DARK: Final = 50.0
BRIGHT: Final = 90.0
SMALL: Final = 48.0
LARGE: Final = 128.0
MANY: Final = 5

LIGHTING: Final = ("dark", "dim", "bright")
VIEWS: Final = ("colour", "infrared")
SIZES: Final = ("small", "middle", "large")
CROWDING: Final = ("one", "two to four", "five or more")
MEANT: Final = {
    "lighting": f"mean brightness of the picture, 0 to 255: below {DARK:.0f}, below {BRIGHT:.0f}, from there on",
    "view": "whether the confirmed view in front of the camera was one in colour or in infrared",
    "size": f"median height in pixels of what was followed: below {SMALL:.0f}, below {LARGE:.0f}, from there on",
    "in_view": "how many things were followed in the picture",
}


def lighting_of(brightness: float) -> str:
    return LIGHTING[0] if brightness < DARK else LIGHTING[1] if brightness < BRIGHT else LIGHTING[2]


def size_of(height: float) -> str:
    return SIZES[0] if height < SMALL else SIZES[1] if height < LARGE else SIZES[2]


def crowding_of(count: int) -> str:
    return CROWDING[0] if count == 1 else CROWDING[1] if count < MANY else CROWDING[2]


def seen_of(
    brightness: float | None, infrared: bool | None, boxes: Iterable[Sequence[int]], degraded: Iterable[str]
) -> dict[str, object]:
    """What is committed with an alert; None where it is not known.

    Args:
        boxes: (x1, y1, x2, y2, …) in pixels. degraded: the conditions that its source did not meet.
    """
    heights = [box[3] - box[1] for box in boxes]
    return {
        "light": None if brightness is None else lighting_of(brightness),
        "view": None if infrared is None else VIEWS[infrared],
        "size": size_of(median(heights)) if heights else None,
        "crowding": crowding_of(len(heights)) if heights else None,
        "degraded": sorted(degraded),
    }
