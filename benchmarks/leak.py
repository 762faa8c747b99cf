"""What the two views give away, attacked by detectors that are no part of the product. ``watchglass bench leak``.

Definitions are in ``leak_measure``; the real line with its misses in ``leak_line``; the films in ``leak_scenes``; the
attackers in ``peer_attack``, which runs in the environment that ``make peers`` builds. docs/reference/leaks.md tells
what is measured, and what is not.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import leak_parts
import pins_over_time
from leak_figures import Result, told
from measures import Figure, figure
from watchglass.edge.inference import load

Progress = Callable[[str], None]

PARTS = ("pets", "stays", "plates", "faces", "pins")
QUICK = ("pets", "stays")
"""What ``--quick`` measures where no part is named."""

OWN_FLOOR = 0.25
"""The product's own detector attacks too, down to this score: the lowest that it ever hands on."""

_MEASURED = {
    "pets": leak_parts.pets, "stays": leak_parts.stays, "plates": leak_parts.plates, "faces": leak_parts.faces,
}  # fmt: skip
_NAMES = {
    "painted_detector_firings": ("pets", "stays", "faces"),
    "painted_leaked_pixel_share": ("pets", "stays"),
    "painted_leaked_share_not_by_chance": ("pets", "stays"),
    "painted_grey_share": ("pets",),
    "painted_people_shown": ("pets",),
    "backdrop_age_s": ("pets",),
    "painted_withheld_share": ("pets",),
    "painted_firings_in_marks": ("pets", "stays", "faces"),
    "leaked_pixel_share_if_confirmed_in_view": ("stays",),
    "plates_read_before": ("plates",),
    "plates_read_painted": ("plates",),
    "plates_read_mosaic": ("plates",),
    "mosaic_faces_before": ("faces",),
    "mosaic_faces_found": ("faces",),
    "mosaic_faces_found_over_time": ("faces",),
    "mosaic_withheld_share": ("faces",),
}


def missing_data(data: Path) -> str:
    """What of the recordings is not there; empty if nothing is."""
    wanted = (
        "media/pets_s2l1/vtest.avi",
        "media/pets_s2l1/truth.json",
        "media/cdnet_highway/highway.mp4",
        "images/coco/images",
    )
    absent = [name for name in wanted if not (data / name).exists()]
    return f"needs {', '.join(absent)} in the folder that WATCHGLASS_DATA names" if absent else ""


def figures(*, quick: bool, progress: Progress, only: Sequence[str] = ()) -> list[Figure]:
    """The figures of ``watchglass bench leak``. Where the recordings are absent each is null and says so."""
    data = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data")).resolve()
    parts = [part for part in PARTS if part in (only or (QUICK if quick else PARTS))]
    asked = [name for name, of in _NAMES.items() if set(of) & set(only or PARTS)]
    over_time = pins_over_time.pins(data, quick=quick, progress=progress) if "pins" in parts else []
    films = [part for part in parts if part in _MEASURED]
    absent = missing_data(data)
    if absent:
        return [*(figure(name, None, note=absent) for name in asked), *over_time]
    detector = load(floor=OWN_FLOOR) if films else None
    result = Result()
    for part in films:
        assert detector is not None
        _MEASURED[part](data, detector, result, quick=quick, progress=progress)
    if films:
        progress("What is left of the attacks ...")
    result.later.finish()
    left = " or ".join(f"--only {part}" for part in _MEASURED if part not in films)
    late = "not part of --quick: ask with {}".format
    return [
        *(
            made if set(_NAMES[made["name"]]) & set(films) else figure(made["name"], None, note=late(left))
            for made in told(result)
            if made["name"] in asked
        ),
        *over_time,
    ]
