"""What is painted when: pins on a timeline, and the times at which the view is grey."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray, FloatArray
from watchglass.perception.observation import Tracks
from watchglass.runtime.paint.recall import Light
from watchglass.runtime.paint.study import Study
from watchglass.views.backdrop import Backdrop
from watchglass.views.public import PERSON, PlainPin
from watchglass.views.smoothing import WINDOW_MS, SteadyMarks
from watchglass.views.timeline import SLOT_MS

LAG_MS: Final = WINDOW_MS // 2
"""Steady marks come so late, live. In a file the future is known: they are shown so much sooner."""

_JOINED_MS: Final = 6_000
"""A thing that the tracker takes for the same after so long was there in between."""

_BEFORE_MS: Final = 700
"""A thing is known once it was found twice: it was there since about so long before."""

_STALE_MS: Final = 2_500
_DAMAGE_MS: Final = 300
_EARLY_MS: Final = 15
_LONGEST_MS: Final = 2_000
"""A picture is written at least so often, so that a player that seeks finds one."""


@dataclass(frozen=True, slots=True)
class Marks:
    """How pins are drawn.

    Attributes:
        grid_m: metres from one place for a pin to the next.
        width_m: metres across the picture; None where nobody has measured them.
        hide_below: no pins in a half minute in which fewer people than this are in view at some moment.
    """

    grid_m: float = 2.0
    width_m: float | None = None
    hide_below: int = 0


@dataclass(frozen=True, slots=True)
class Painted:
    """One painted picture.

    Attributes:
        at_ms: when it begins to be shown.
        pins: what stands in it; None for a grey picture.
        light: twelve factors in sixty-fourths by which the light differs from the backdrop's; () for none.
    """

    at_ms: int
    pins: tuple[PlainPin, ...] | None
    light: Light = ()


def joined(moments: tuple[Tracks, ...]) -> tuple[Tracks, ...]:
    """The same moments, with what was missed for a while put back in between, on a straight line."""
    seen: dict[int, list[tuple[int, int]]] = {}
    for index, moment in enumerate(moments):
        for row, track in enumerate(moment.ids.tolist()):
            seen.setdefault(track, []).append((index, row))
    added: dict[int, list[tuple[int, FloatArray, float, int]]] = {}
    for track, places in seen.items():
        _before(moments, track, places[0], added)
        for (i, row), (j, later) in pairwise(places):
            if j - i > 1 and moments[j].at_ms - moments[i].at_ms <= _JOINED_MS:
                _between(moments, track, (i, row), (j, later), added)
    return tuple(_with(moment, added.get(index, [])) for index, moment in enumerate(moments))


def _before(
    moments: tuple[Tracks, ...],
    track: int,
    first: tuple[int, int],
    added: dict[int, list[tuple[int, FloatArray, float, int]]],
) -> None:
    index, row = first
    moment = moments[index]
    for i in range(index - 1, -1, -1):
        if moment.at_ms - moments[i].at_ms > _BEFORE_MS:
            return
        added.setdefault(i, []).append((track, moment.boxes[row], float(moment.scores[row]), int(moment.kinds[row])))


def _between(
    moments: tuple[Tracks, ...],
    track: int,
    left: tuple[int, int],
    right: tuple[int, int],
    added: dict[int, list[tuple[int, FloatArray, float, int]]],
) -> None:
    (i, row), (j, later) = left, right
    start, end = moments[i], moments[j]
    for k in range(i + 1, j):
        share = np.float32((moments[k].at_ms - start.at_ms) / max(1, end.at_ms - start.at_ms))
        box = start.boxes[row] + share * (end.boxes[later] - start.boxes[row])
        added.setdefault(k, []).append((track, box, float(start.scores[row]), int(start.kinds[row])))


def _with(moment: Tracks, more: list[tuple[int, FloatArray, float, int]]) -> Tracks:
    if not more:
        return moment
    return Tracks(
        moment.at_ms,
        np.concatenate([moment.ids, np.array([m[0] for m in more], np.int64)]),
        np.concatenate([moment.boxes, np.array([m[1] for m in more], np.float32)]),
        np.concatenate([moment.scores, np.array([m[2] for m in more], np.float32)]),
        np.concatenate([moment.kinds, np.array([m[3] for m in more], np.int8)]),
    )


def sure(found: Study, backdrop: Backdrop | None) -> tuple[BoolArray, list[Light]]:
    """For each picture of the file whether its view may be shown, (n,), and under what light.

    It may be where the backdrop's scene is recognised. Where there is nothing to recognise it by, or no backdrop at
    all, it may be in the part that lasted longest, while nothing seemed wrong. Never around damage.
    """
    times = found.times
    damage = [(at - _DAMAGE_MS, at + _DAMAGE_MS) for at in found.damaged]
    standing = found.recall.compare(backdrop) if backdrop is not None else None
    if standing is not None:
        stands, lights = standing.at(times)
        return stands & ~_within(times, damage), lights
    spans = [*damage, *found.unsure]
    if found.views > 1:
        spans += [(-(10**9), found.view.start_ms - 1), (found.view.end_ms + 1, 10**12)]
    return ~_within(times, sorted(spans)), [()] * len(times)


def _within(times: NDArray[np.int64], spans: list[tuple[int, int]]) -> BoolArray:
    """Which of some times (n,) lie in a span, its ends included: (n,)."""
    grey = np.zeros(len(times), bool)
    for start, end in spans:
        grey[np.searchsorted(times, start) : np.searchsorted(times, end, side="right")] = True
    return grey


def timeline(found: Study, marks: Marks, fps: float, shows: tuple[BoolArray, list[Light]]) -> list[Painted]:
    """The pictures to paint: one whenever something changes, at most ``fps`` a second; the first at the first time.

    Every time is that of a picture of the file.

    Args:
        found, marks, fps: what was found, how pins are drawn, and how often at most.
        shows: see ``sure``.
    """
    times = found.times
    stands, lights = shows
    moments = joined(found.moments)
    stamps = np.array([moment.at_ms for moment in moments], np.int64)
    pins = _pins(moments, found.size, marks)
    later = times + LAG_MS
    newest = np.searchsorted(stamps, later, side="right") - 1
    least = 1000 / fps - _EARLY_MS
    shown: list[Painted] = []
    last: Painted | None = None
    for index, at in enumerate(times.tolist()):
        if last is not None and at - last.at_ms < least:
            continue
        which = int(newest[index])
        stale = which < 0 or int(later[index]) - int(stamps[which]) > _STALE_MS
        now = Painted(at, None)
        if stands[index]:
            now = Painted(at, () if stale else pins[which], lights[index])
        changes = last is None or (now.pins, now.light) != (last.pins, last.light)
        if last is None or changes or at - last.at_ms >= _LONGEST_MS or index == len(times) - 1:
            shown.append(now)
            last = now
    return shown


def _pins(moments: tuple[Tracks, ...], size: tuple[int, int], marks: Marks) -> list[tuple[PlainPin, ...]]:
    """The pins of each moment; none in a half minute in which there were too few at any moment."""
    steady = SteadyMarks(size, marks.width_m, marks.grid_m)
    pins = [steady.see(moment.at_ms, moment.ids, moment.boxes, moment.kinds) for moment in moments]
    least: dict[int, int] = {}
    for moment, shown in zip(moments, pins, strict=True):
        slot, people = moment.at_ms // SLOT_MS, sum(kind == PERSON for _, _, kind in shown)
        least[slot] = min(people, least.get(slot, people))
    return [
        shown if least[moment.at_ms // SLOT_MS] >= marks.hide_below else ()
        for moment, shown in zip(moments, pins, strict=True)
    ]


def around(moments: tuple[Tracks, ...], stamps: NDArray[np.int64], at_ms: int) -> FloatArray:
    """Boxes (n, 4) of what was in view right before and right after a time."""
    after = int(np.searchsorted(stamps, at_ms))
    boxes = [m.boxes for m in moments[max(0, after - 1) : after + 1] if abs(m.at_ms - at_ms) <= _STALE_MS]
    return np.concatenate(boxes) if boxes else np.zeros((0, 4), np.float32)
