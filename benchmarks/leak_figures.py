"""What the parts of ``bench leak`` measured, put into figures."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from evaluate import Counts, by_blocks
from leak_attack import Later
from leak_measure import Firings, Leak
from measures import Figure, figure, quantile_interval, wilson

READ = 0.7
"""A plate is read where so much of it is, in order."""


@dataclass
class Result:
    """What the parts measured, before it is put into figures."""

    leaks: dict[str, Leak] = field(default_factory=dict)
    careless: Leak | None = None
    refused: bool = False
    firings: dict[str, dict[str, Firings]] = field(default_factory=dict)
    before: dict[str, dict[str, int]] = field(default_factory=dict)
    attacked: dict[str, int] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    grey: list[float] = field(default_factory=list)
    withheld: list[bool] = field(default_factory=list)
    ages_s: list[float] = field(default_factory=list)
    shown: list[Counts] = field(default_factory=list)
    plates: list[PlateRead] = field(default_factory=list)
    faces: list[FaceSeen] = field(default_factory=list)
    cell_px: float = 0.0
    clip_s: float = 0.0
    clip_withheld_s: float = 0.0
    notes: dict[str, str] = field(default_factory=dict)
    later: Later = field(default_factory=Later)


@dataclass(frozen=True)
class PlateRead:
    """Shares of a plate's characters that were read: in the camera's picture, and in a view (``where``)."""

    text: str
    wide: float
    on_car: bool
    missed: bool
    before: float
    after: float
    where: str = "painted"


@dataclass
class FaceSeen:
    """An inserted face, and which attackers found it."""

    width: float
    alone: bool
    before: set[str] = field(default_factory=set)
    after: set[str] = field(default_factory=set)
    joined: set[str] = field(default_factory=set)


# ---- figures ---------------------------------------------------------------------------------------------------------


def told(result: Result) -> list[Figure]:
    """What was measured, in the form of every figure."""
    return [
        *_told_firings(result), *_told_leaks(result), *_told_view(result), *_told_plates(result), *_told_faces(result),
    ]  # fmt: skip


def _told_firings(result: Result) -> list[Figure]:
    by_attacker: dict[str, Firings] = {}
    before: dict[str, int] = {}
    for scene, found in result.firings.items():
        for attacker, counted in found.items():
            by_attacker[attacker] = by_attacker.get(attacker, Firings()) + counted
            before[attacker] = before.get(attacker, 0) + result.before[scene][attacker]
    n = sum(result.attacked.values())
    if not by_attacker:
        note = _absent(result) or "no picture was published"
        return [figure(name, None, note=note) for name in ("painted_detector_firings", "painted_firings_in_marks")]
    total = sum((counted for counted in by_attacker.values()), Firings())
    words = "; ".join(
        f"{name}: {before[name]} in the camera's pictures, {counted.people} in what is published"
        + (f", {counted.in_scene} that it also has in the empty scene" if counted.in_scene else "")
        for name, counted in sorted(by_attacker.items())
    )
    scenes_ = ", ".join(f"{count} {name}" for name, count in result.attacked.items())
    note = f"pictures: {scenes_}. {words}{_absent(result)}"
    return [
        figure("painted_detector_firings", total.people, 0, unit="firings", interval=_count_interval(total.people),
               n=n, against="the same attackers on the same scene with nobody in it", note=note),
        figure("painted_firings_in_marks", total.in_marks, unit="firings", interval=_count_interval(total.in_marks),
               n=n, note="boxes at least half of which is marks that the product drew"),
    ]  # fmt: skip


def _absent(result: Result) -> str:
    return "".join(f"; absent: {name} ({why})" for name, why in sorted(result.absent.items()))


def _count_interval(count: int) -> tuple[float, float]:
    """95 % for a count: the rule of three where it is nought, else Wilson and Hilferty's approximation (1931)."""
    if not count:
        return 0.0, 3.0
    low = count * (1 - 1 / (9 * count) - 1.96 / (3 * count**0.5)) ** 3
    more = count + 1
    return max(0.0, low), more * (1 - 1 / (9 * more) + 1.96 / (3 * more**0.5)) ** 3


def _share(name: str, leak: Leak | None, target: float | None, note: str) -> Figure:
    """A share of pixels. Boxes are what is independent, if anything: without a leak, three in so many of them."""
    if leak is None or leak.share is None:
        return figure(name, None, target, unit="share of pixels", note=note or "nothing was published")
    low, high = (0.0, 3 / leak.boxes) if not leak.leaking else wilson(leak.leaking, leak.boxes)
    made = figure(name, leak.share, target, unit="share of pixels", n=leak.boxes, note=note,
                  against="pixels in true boxes; interval: of the share of boxes with any leaked pixel")  # fmt: skip
    made["value"], made["interval"] = float(f"{leak.share:.3g}"), [round(low, 6), round(high, 6)]
    return made


def _not_by_chance(result: Result) -> Figure:
    """What is left of the leaked share without what a veil over the empty scene has by chance."""
    shares = [leak.share_not_by_chance for leak in result.leaks.values() if leak.share_not_by_chance is not None]
    note = "the worst of the films, without pixels that are published just the same with nobody there, within 4 levels"
    made = figure("painted_leaked_share_not_by_chance", None, unit="share of pixels", note=note)
    made["value"] = float(f"{max(shares):.3g}") if shares else None  # smaller than other figures are rounded to
    return made


def _told_leaks(result: Result) -> list[Figure]:
    worst = max(result.leaks.values(), key=lambda leak: leak.share or 0.0, default=None)
    words = "; ".join(
        f"{name}: {leak.leaked} of {leak.pixels} pixels in {leak.leaking} of {leak.boxes} boxes"
        + (f", {leak.in_marks} more under marks" if leak.in_marks else "")
        + (f", {leak.by_chance} more by chance: a veil over the empty scene is like them" if leak.by_chance else "")
        for name, leak in result.leaks.items()
    )
    if result.careless is None:
        note = "nothing was published"
    else:
        asks = "a careful operator refuses this proposal, and all stays grey" if result.refused else (
            "a careful operator sees nobody in this proposal")  # fmt: skip
        note = f"people who stood and sat there before the first picture, confirmed all the same; {asks}"
    return [
        _share("painted_leaked_pixel_share", worst, 1e-4, f"the worst of the films. {words}"),
        _not_by_chance(result),
        _share("leaked_pixel_share_if_confirmed_in_view", result.careless, None, note),
    ]


def _told_view(result: Result) -> list[Figure]:
    if not result.grey:
        names = ("painted_grey_share", "painted_people_shown", "backdrop_age_s", "painted_withheld_share")
        return [figure(name, None, note="not measured") for name in names]
    count = len(result.grey)
    right, there = sum(c.right for c in result.shown), sum(c.there for c in result.shown)
    _, low, high = by_blocks(result.shown)["recall"]
    cell = result.cell_px
    withheld = sum(result.withheld)
    return [
        figure("painted_grey_share", float(np.median(result.grey)), 0.05, unit="share of the picture", n=count,
               interval=quantile_interval(result.grey, 0.5),
               note="median over frames after 60 s, 30 % of detections dropped"),
        figure("painted_people_shown", right / max(1, there), 0.85, better="higher", unit="share of people",
               interval=(low, high), n=there,
               note=f"true boxes with their feet in the picture that have a mark of their own within {cell:.0f} "
               f"pixels, one side of a cell, at the moment that the view says it shows; "
               f"{sum(c.claimed for c in result.shown)} marks. {result.notes.get('marks', '')}"),
        figure("backdrop_age_s", float(np.median(result.ages_s)) if result.ages_s else None, unit="s",
               n=len(result.ages_s), note="since it was confirmed: median over the published frames"),
        figure("painted_withheld_share", withheld / count, unit="share of frames", n=count,
               interval=wilson(withheld, count), note="frames after 60 s that are wholly grey"),
    ]  # fmt: skip


def _told_plates(result: Result) -> list[Figure]:
    readable = [plate for plate in result.plates if plate.before >= READ]
    if not readable:
        note = result.notes.get("plates", "") + _absent(result)
        names = ("plates_read_before", "plates_read_painted", "plates_read_mosaic")
        return [figure(name, None, note=note or "no plate was readable") for name in names]
    words = (
        f"{sum(p.missed for p in readable)} of them on cars that the detector misses, "
        f"{sum(not p.on_car for p in readable)} without a car; "
        f"{min(p.wide for p in readable):.0f} to {max(p.wide for p in readable):.0f} pixels wide"
    )
    return [
        figure("plates_read_before", len(readable), unit="plates", better="higher", n=len(result.plates),
               interval=[v * len(result.plates) for v in wilson(len(readable), len(result.plates))],
               note=f"PP-OCR reads at least {READ:.0%} of the characters in order; {words}"),
        _read_again("plates_read_painted", [p for p in readable if p.where == "painted"], "parked from the start"),
        _read_again("plates_read_mosaic", [p for p in readable if p.where == "mosaic"], "suddenly there"),
    ]  # fmt: skip


def _read_again(name: str, readable: list[PlateRead], how: str) -> Figure:
    if not readable:
        return figure(name, None, unit="plates", note="no plate was readable")
    again = [plate for plate in readable if plate.after >= READ]
    best = max(plate.after for plate in readable)
    return figure(
        name, len(again), 0, unit="plates", n=len(readable),
        interval=[v * len(readable) for v in _of(len(again), len(readable))],
        note=f"{how}; at most {best:.0%} of a plate's characters are read; on a missed car: "
        f"{sum(p.missed for p in again)}, without a car: {sum(not p.on_car for p in again)}",
    )  # fmt: skip


def _of(k: int, n: int) -> tuple[float, float]:
    """95 % for a share: Wilson's, and the rule of three where it is nought."""
    return (0.0, min(1.0, 3 / n)) if not k else wilson(k, n)


def _told_faces(result: Result) -> list[Figure]:
    found = [face for face in result.faces if face.before]
    if not found:
        note = result.notes.get("faces", "no face was inserted") + _absent(result)
        names = ("mosaic_faces_before", "mosaic_faces_found", "mosaic_faces_found_over_time", "mosaic_withheld_share")
        return [figure(name, None, note=note) for name in names]
    again = [face for face in result.faces if face.after]
    by = "; ".join(
        f"{name}: {sum(name in f.before for f in found)} before, {sum(name in f.after for f in result.faces)} after"
        for name in sorted({name for face in result.faces for name in face.before | face.after})
    )
    widths = sorted(face.width for face in found)
    where = ", ".join(
        f"{f.width:.0f} px{' alone' if f.alone else ''}" for f in sorted(again, key=lambda f: f.width)[:12]
    )
    joined = [face for face in result.faces if face.joined]
    return [
        figure("mosaic_faces_before", len(found), 50, better="higher", unit="faces", n=len(result.faces),
               interval=[v * len(result.faces) for v in wilson(len(found), len(result.faces))],
               note=f"inserted faces that an attacker finds in the camera's picture, {widths[0]:.0f} to "
               f"{widths[-1]:.0f} pixels wide, {sum(f.alone for f in found)} with nothing else of the person; "
               f"{by}{_absent(result)}"),
        figure("mosaic_faces_found", len(again), 0, unit="faces", n=len(found),
               interval=[v * len(found) for v in _of(min(len(again), len(found)), len(found))],
               note="30 % of detections dropped; the clip as it is, and enlarged to the camera's size"
               + (f"; found again: {where}" if where else "")),
        figure("mosaic_faces_found_over_time", len(joined), unit="faces", n=len(found),
               interval=[v * len(found) for v in _of(min(len(joined), len(found)), len(found))],
               note="in the mean of a clip's pictures, each moved as the face moved, which the attacker is told"),
        figure("mosaic_withheld_share", result.clip_withheld_s / max(1e-9, result.clip_s), unit="share of frames",
               n=round(result.clip_s), note="of so many seconds of clips, those that show words instead"),
    ]  # fmt: skip
