"""``paint`` for one file: look through it, learn its empty scene, and write it anew without anybody in it.

Whoever runs this holds the file already and will decide who gets the result. So there is no charter, no ledger and no
operator: the same person looks at the empty scene that was learned, and says what must stay grey.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import numpy as np

from watchglass.core.errors import BadInput
from watchglass.core.geometry import BoolArray
from watchglass.edge.encode import Image, Mp4File, planar
from watchglass.edge.inference import load, shipped
from watchglass.edge.upright import UprightFile
from watchglass.perception.ports import Detector
from watchglass.runtime.paint.canvas import Canvas
from watchglass.runtime.paint.mosaicked import Mosaicker
from watchglass.runtime.paint.recall import Light
from watchglass.runtime.paint.scene import Marks, Painted, sure, timeline
from watchglass.runtime.paint.study import PACE_MS, Study, study
from watchglass.runtime.paint.unfinished import Unfinished
from watchglass.runtime.scrutiny import without_things
from watchglass.views.backdrop import ENOUGH_MS, Backdrop

Mode = Literal["painted", "mosaic"]
MODES: Final = ("painted", "mosaic")
Rectangle = tuple[int, int, int, int]
"""x, y, width, height in pixels of the upright picture."""

Shows = tuple[BoolArray, list[Light]]
Progress = Callable[[str, float, float], None]
"""Told what is being done, and how many seconds of how many are done (0: nobody knows)."""

FPS: Final = 5.0
_THREADS: Final = 2
"""Of the detector, on one picture: more bring little, and nothing that comes out changes."""

_HOLD_MS: Final = 10_000
_ENDINGS: Final = (".mp4", ".m4v")


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be painted, and how.

    Attributes:
        source: the video.
        target: the MP4 to write. Beside it comes the empty scene (``backdrop_beside``), where one was learned.
        mode: ``painted`` or ``mosaic``.
        marks: how pins are drawn.
        fps: at most so many pictures a second.
        backdrop: a PNG of an empty scene that somebody has looked at; then none is learned.
        plain: paint on grey, and learn no empty scene.
        grey: rectangles that stay grey whatever was learned.
        force: replace what is there.
    """

    source: Path
    target: Path
    mode: Mode = "painted"
    marks: Marks = field(default_factory=Marks)
    fps: float = FPS
    backdrop: bytes | None = None
    plain: bool = False
    grey: tuple[Rectangle, ...] = ()
    force: bool = False

    def __post_init__(self) -> None:
        if self.backdrop is not None and self.plain:
            raise BadInput("An empty scene and none were asked for.", fix="Leave --backdrop or --no-backdrop out.")


def backdrop_beside(target: Path) -> Path:
    """Where the empty scene of a painted file lies: ``street.mp4`` has ``street.mp4.backdrop.png``."""
    return target.with_name(f"{target.name}.backdrop.png")


@dataclass(frozen=True, slots=True)
class Report:
    """What was done. Shares are of the picture, 0..1."""

    frames: int
    written: int
    seconds: float
    size: tuple[int, int]
    turned: int
    grey_median: float
    grey_last: float
    boxes: int
    pins: int
    most_pins: int
    backdrop_share: float
    backdrop_file: str | None
    backdrop_confirmed: bool
    suspected_share: float
    views: int
    unsure_frames: int
    damaged_frames: int
    too_short: bool
    mosaicked_median: float | None
    withheld: dict[str, int] | None
    detector_looks: int
    decoded: int
    sha256_in: str
    sha256_out: str
    model_sha256: str
    parameters: dict[str, object]


def paint_file(order: Order, progress: Progress, detector: Detector | None = None) -> Report:
    """Write a painted or mosaicked copy of a video file. Deterministic: the same file gives the same bytes.

    Args:
        order: what is to be done.
        progress: told how far it is.
        detector: finds people and things; the shipped one, if none is given.

    Raises:
        BadInput: the file is no video, breaks off, or the order makes no sense. Nothing was written.
        Problem, OSError: the result could not be written. Nothing is left of it.
    """
    _check_places(order)
    file = UprightFile(order.source)
    size = (file.width, file.height)
    _check_rectangles(order.grey, size)
    backdrop = _given(order, size)
    weights = shipped()
    detector = detector or load(weights=weights, threads=min(_THREADS, os.cpu_count() or 1))
    before = _sha256(order.source)
    found = study(file, detector, learn=not order.plain and backdrop is None,
                  progress=lambda at: progress("looking", at, file.seconds))  # fmt: skip
    backdrop = backdrop or _learned(order, found, detector)
    # Recognised by what was learned, before anything in it was made unreadable.
    shows = sure(found, backdrop if order.backdrop is not None else found.view.backdrop)
    with Unfinished() as files:
        with Mp4File(files.place(order.target), size, shape=file.shape) as out:
            if order.mode == "painted":
                tally = _paint(order, found, backdrop, shows, out, progress)
            else:
                tally = _mosaic(order, file, found, backdrop, out, progress)
            out.finish(found.end_ms)
            tally.written = out.written
        beside = _keep_backdrop(order, backdrop, files)
        after = _sha256(files.place(order.target))
        if _sha256(order.source) != before:
            raise BadInput("The file changed while it was read.", fix="Wait until nobody writes to it; try again.")
        files.commit()
    if beside is None and order.backdrop is None:
        backdrop_beside(order.target).unlink(missing_ok=True)  # it is of what was replaced
    return _report(order, file, found, backdrop, shows[0], tally, beside, (before, after, weights.sha256))


# ---- before ----------------------------------------------------------------------------------------------------------


def _check_places(order: Order) -> None:
    target = order.target
    places = [target] if order.backdrop is not None else [target, backdrop_beside(target)]
    if target.suffix.lower() not in _ENDINGS:
        raise BadInput(
            f"What is written is an MP4, and {target.name} is not called so.", fix="Name it with .mp4 at the end."
        )
    for place in places:
        if place.exists() and order.source.exists() and place.samefile(order.source):
            raise BadInput("The painted copy may not replace the original.", fix="Give another name for OUT.")
        if place.exists() and not place.is_file():
            raise BadInput(f"{place} is no file.", fix="Give another name for OUT.")
    if not target.parent.is_dir():
        raise BadInput(f"There is no folder {target.parent}.", fix="Make it first, or give another name for OUT.")
    there = [place.name for place in places if place.exists()]
    if there and not order.force:
        raise BadInput(f"{there[0]} is there already.", fix="Give another name, or add --force to replace it.")


def _check_rectangles(rectangles: tuple[Rectangle, ...], size: tuple[int, int]) -> None:
    for x, y, width, height in rectangles:
        if width < 1 or height < 1 or x >= size[0] or y >= size[1] or x + width <= 0 or y + height <= 0:
            raise BadInput(
                f"The rectangle {x},{y},{width},{height} is not in the picture, which is {size[0]} by {size[1]}.",
                fix="Give X,Y,WIDTH,HEIGHT in pixels, from the upper left corner.",
            )


# ---- the empty scene -------------------------------------------------------------------------------------------------


def _given(order: Order, size: tuple[int, int]) -> Backdrop | None:
    """The empty scene that was handed in, if one was."""
    if order.backdrop is None:
        return None
    try:
        given = Backdrop.from_png(order.backdrop)
    except BadInput as error:
        raise BadInput(error.message, fix="Give the picture that an earlier run wrote beside its copy.") from error
    if given.size != size:
        raise BadInput(
            f"The empty scene is {given.size[0]} by {given.size[1]} pixels, and the video {size[0]} by {size[1]}.",
            fix="Use the picture that was made from a video of this camera, in this size.",
        )
    return _greyed(given, order.grey)


def _learned(order: Order, found: Study, detector: Detector) -> Backdrop | None:
    """The empty scene that the first pass learned, without what may be somebody, a vehicle or text."""
    learned = found.view.backdrop
    if learned is None:
        return None
    seen = without_things(learned, detector, found.view.parked)
    return _greyed(Backdrop(seen.bgr, seen.admitted & ~found.suspected), order.grey)


def _greyed(backdrop: Backdrop, rectangles: tuple[Rectangle, ...]) -> Backdrop:
    admitted = backdrop.admitted.copy()
    for x, y, width, height in rectangles:
        admitted[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)] = False
    return Backdrop(np.where(admitted[..., None], backdrop.bgr, np.uint8(0)), admitted)


def _keep_backdrop(order: Order, backdrop: Backdrop | None, files: Unfinished) -> Path | None:
    if backdrop is None or order.backdrop is not None:
        return None
    path = backdrop_beside(order.target)
    files.place(path).write_bytes(backdrop.to_png())
    return path


# ---- the second pass -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Tally:
    written: int = 0
    pins: int = 0
    most_pins: int = 0
    shares: list[float] = field(default_factory=list)
    damaged: set[int] = field(default_factory=set)
    withheld: dict[str, int] = field(default_factory=dict)


def _paint(
    order: Order, found: Study, backdrop: Backdrop | None, shows: Shows, out: Mp4File, progress: Progress
) -> _Tally:
    canvas, tally = Canvas(backdrop, found.size), _Tally(damaged=set(found.damaged))
    for shown in timeline(found, order.marks, order.fps, shows):
        out.write(shown.at_ms, _picture(canvas, shown))
        tally.pins += len(shown.pins or ())
        tally.most_pins = max(tally.most_pins, len(shown.pins or ()))
        progress("painting", shown.at_ms / 1000, found.end_ms / 1000)
    return tally


def _picture(canvas: Canvas, shown: Painted) -> Image:
    return canvas.grey if shown.pins is None else canvas.draw(shown.pins, shown.light)


def _mosaic(
    order: Order, file: UprightFile, found: Study, backdrop: Backdrop | None, out: Mp4File, progress: Progress
) -> _Tally:
    seconds = found.end_ms / 1000
    maker = Mosaicker(file, found, backdrop, order.fps)
    shares: list[float] = []
    with closing(maker.pictures()) as pictures:
        for at_ms, picture, share in pictures:
            out.write(at_ms, planar(picture))
            shares.append(share)
            progress("mosaicking", at_ms / 1000, seconds)
    return _Tally(shares=shares, damaged={*found.damaged, *maker.damaged}, withheld=maker.withheld)


# ---- after -----------------------------------------------------------------------------------------------------------


def _report(
    order: Order,
    file: UprightFile,
    found: Study,
    backdrop: Backdrop | None,
    stands: BoolArray,
    tally: _Tally,
    beside: Path | None,
    hashes: tuple[str, str, str],
) -> Report:
    share = backdrop.share if backdrop is not None else 0.0
    shares = np.where(stands, 1 - share, 1.0)
    mosaic = order.mode == "mosaic"
    return Report(
        frames=len(found.times),
        written=tally.written,
        seconds=found.end_ms / 1000,
        size=found.size,
        turned=file.turned,
        grey_median=round(float(np.median(shares)), 4),
        grey_last=round(float(shares[-1]), 4),
        boxes=sum(len(moment) for moment in found.moments),
        pins=tally.pins,
        most_pins=tally.most_pins,
        backdrop_share=round(share, 4),
        backdrop_file=beside.name if beside else None,
        backdrop_confirmed=order.backdrop is not None,
        suspected_share=round(float(found.suspected.mean()), 4),
        views=found.views,
        unsure_frames=int((~stands).sum()),
        damaged_frames=len(tally.damaged),
        too_short=found.end_ms < ENOUGH_MS + _HOLD_MS,
        mosaicked_median=round(float(np.median(tally.shares)), 4) if mosaic else None,
        withheld=tally.withheld if mosaic else None,
        detector_looks=found.looks,
        decoded=found.decoded,
        sha256_in=hashes[0],
        sha256_out=hashes[1],
        model_sha256=hashes[2],
        parameters={
            "grid_m": order.marks.grid_m,
            "width_m": order.marks.width_m,
            "hide_below": order.marks.hide_below,
            "fps": order.fps,
            "detector_every_ms": PACE_MS,
            "grey": [list(rectangle) for rectangle in order.grey],
            "no_backdrop": order.plain,
        },
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
