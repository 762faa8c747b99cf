"""Identity over time: what somebody who records the stream of pins can learn about one person.

``python benchmarks/pins_over_time.py`` prints the figures; ``pins_table.py`` what each choice of a charter costs. None
has a target: they are shown, and ADR 24 argues from them.

Everything is measured on the twelve people of PETS S2.L1, with intervals from a bootstrap over people; so few people,
in one place and in daylight, say roughly how large a thing is and no more. ``pins_door`` is made from counts.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evaluate_tracking import pets_line
from measures import Figure, figure, wilson
from pins_attack import (
    Attacker,
    Paths,
    Pursuit,
    from_entry,
    from_photo,
    idf1,
    kalman,
    kalman_with_sizes,
    nearest,
    patient,
    with_hindsight,
)
from pins_door import TOLD_S, Arrivals, Hour, counted, hours, share, told
from pins_scene import FPS, Floats, Frame, Glimpse, Place, Setting, ground, tall, truth, watch
from pins_traits import (
    STEPS_HZ,
    Again,
    Heard,
    Steps,
    Trail,
    again,
    alike,
    build,
    halves,
    heard,
    long_enough,
    motion,
    pin_trails,
    steps,
    trails,
    velocities,
)
from watchglass.core.geometry import iou
from watchglass.edge.inference import load
from watchglass.perception.assign import FORBIDDEN, assign
from watchglass.perception.ground import Ground
from watchglass.views.public import PERSON
from watchglass.views.timeline import SLOT_MS

Progress = Callable[[str], None]

DEFAULT = Setting()
UNHIDDEN = replace(DEFAULT, hide_below=0)
"""The default grid and delay without the threshold: what shows of a moment, if it shows."""

HIDE_BELOW = (0, 1, 3, 5)
LIVE_MS, LATE_MS = 0, 900_000
PLACES = {"a busy street": 1.0, "a tenth of it": 0.1, "a hundredth of it": 0.01}
"""What share of the people whom Melbourne counts: the door of ``door_*`` is at the tenth."""

SPEED_S = 5.0
WATCHED = "a tenth of it"
_NO_DATA = "recordings not found; set WATCHGLASS_DATA"


@dataclass(frozen=True)
class Scene:
    """PETS with all that is asked of it more than once."""

    data: Path
    frames: list[Frame]
    ground: Ground
    trails: dict[int, Trail]

    @classmethod
    def of(cls, data: Path, frames: list[Frame]) -> Scene:
        where = ground(data)
        return cls(data, frames, where, trails(frames, where))

    @property
    def spots(self) -> dict[tuple[int, int], Floats]:
        """Where each person really stands at each time, metres."""
        return {(i, int(at)): spot for i, t in self.trails.items() for at, spot in zip(t.at_ms, t.spots, strict=True)}

    @property
    def in_view(self) -> float:
        """How many people, at the median."""
        return float(np.median([(frame.ids >= 0).sum() for frame in self.frames]))


# ---- following -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Followed:
    """How well one attacker did under one setting."""

    idf1: float
    entries: list[Pursuit]
    photos: list[Pursuit]
    shown: float


ATTACKERS = tuple(first for plain in (nearest, kalman, patient) for first in (plain, with_hindsight(plain)))


def follow(scene: Scene, setting: Setting, attackers: Sequence[Attacker] = ATTACKERS) -> Followed:
    """The best of the attackers by IDF1, as if they knew which of them that is."""
    glimpses = watch(scene.frames, setting)
    paths: list[Paths] = [attack(glimpses, scene.ground, setting.cell_px) for attack in attackers]
    best = max(paths, key=lambda some: idf1(glimpses, some))
    return Followed(
        idf1(glimpses, best),
        from_entry(glimpses, best),
        from_photo(glimpses, best, scene.spots, scene.ground),
        float(np.mean([not glimpse.hidden for glimpse in glimpses])),
    )


def with_boxes(scene: Scene) -> Attacker:
    """Who sees boxes: their feet without a grid, and how tall and broad each is."""

    def sizes(glimpses: Sequence[Glimpse]) -> list[Floats]:
        found = []
        for glimpse in glimpses:
            boxes = [_box(place, glimpse.sizes[place]) for place in glimpse.places]
            found.append(tall(scene.data, np.array(boxes, np.float32).reshape(-1, 4)))
        return found

    return kalman_with_sizes(sizes)


def _box(feet: Place, size: tuple[float, float]) -> tuple[float, float, float, float]:
    (x, y), (height, width) = feet, size
    return x - width / 2, y - height, x + width / 2, y


def by_people(
    found: Sequence[Pursuit], value: Callable[[Pursuit], float], average: Callable[[Floats], float], seed: int = 1
) -> tuple[float, tuple[float, float], int]:
    """An average over pursuits, its 95 % interval by a bootstrap over people, and of how many people."""
    people = sorted({p.person for p in found})
    values = {i: np.array([value(p) for p in found if p.person == i]) for i in people}
    if not people:
        return float("nan"), (float("nan"), float("nan")), 0
    rng = np.random.default_rng(seed)
    spread = [
        average(np.concatenate([values[people[k]] for k in rng.integers(0, len(people), len(people))]))
        for _ in range(1000)
    ]
    low, high = np.quantile(spread, [0.025, 0.975])
    return average(np.concatenate(list(values.values()))), (float(low), float(high)), len(people)


def median(values: Floats) -> float:
    return float(np.median(values))


def mean(values: Floats) -> float:
    return float(np.mean(values))


def following(scene: Scene, progress: Progress) -> list[Figure]:
    progress("pins: following")
    ours = follow(scene, UNHIDDEN)
    exact = follow(scene, replace(UNHIDDEN, grid_m=None))
    boxes = follow(scene, replace(UNHIDDEN, grid_m=None), (with_boxes(scene),))
    note = (
        f"PETS2009 S2.L1, {len(scene.trails)} people, {scene.in_view:g} in view, true boxes, {FPS:g} pictures a "
        f"second; grid 1 m, hide_below 0, {DEFAULT.pin_hz:g} Hz; bootstrap over people"
    )
    rest = (
        f"IDF1 {ours.idf1:.2f} (without a grid {exact.idf1:.2f}, boxes {boxes.idf1:.2f}); "
        f"median without a grid {seconds(exact.entries):.1f} s, boxes {seconds(boxes.entries):.1f} s, "
        f"and a visit {median(np.array([p.visit_s for p in ours.entries])):.1f} s; {thresholded(scene)}"
    )
    lasted = by_people(ours.entries, lambda p: p.seconds, median)
    whole = by_people(ours.entries, lambda p: not p.lost, mean)
    photo = by_people(ours.photos, lambda p: p.seconds, median)
    way = by_people(ours.photos, lambda p: p.metres, median)
    left = median(np.array([p.visit_s for p in ours.photos]))
    return [
        _shown("pins_follow_median_s", *lasted, f"from the first pin until lost or gone; {rest}; {note}"),
        _shown("pins_follow_share_whole", *whole, f"never taken for another; {note}"),
        _shown(
            "pins_known_start_followed_s",
            *photo,
            f"from a place known to half a metre at one moment; {way[0]:.1f} m on the way ({way[1][0]:.1f} to "
            f"{way[1][1]:.1f}), of {left:.1f} s left of the visit; {len(ours.photos)} starts; {note}",
        ),
    ]


def thresholded(scene: Scene) -> str:
    """The same with the default threshold, wherever the half minutes by which it is decided begin."""
    shares, entries = [], []
    for later_ms in range(0, SLOT_MS, 5000):
        moved = [replace(frame, at_ms=frame.at_ms + later_ms) for frame in scene.frames]
        found = follow(Scene.of(scene.data, moved), DEFAULT)
        shares.append(found.shown)
        entries += found.entries
    followed = f"{seconds(entries):.1f} s" if entries else "nobody"
    return f"with hide_below 3 {np.mean(shares):.2f} of the recording shows, and the median is {followed}"


def seconds(found: Sequence[Pursuit]) -> float:
    return median(np.array([p.seconds for p in found]))


def _shown(
    name: str,
    value: float,
    interval: tuple[float, float],
    n: int,
    note: str,
) -> Figure:
    return figure(name, value, unit=UNITS[name], interval=interval, n=n, note=note)


# ---- the pins of the house's own eyes --------------------------------------------------------------------------------


def house(data: Path, frames: Sequence[Frame]) -> list[Frame]:
    """The same pictures as the product's own detector and tracker know them; numbers from the true boxes, or -1."""
    known, _ = pets_line(data, load())
    result = []
    for frame, tracks in zip(frames, known, strict=True):
        people = tracks.kinds == PERSON
        boxes = tracks.boxes[people]
        overlap = iou(boxes, frame.boxes)
        cost = np.where(overlap >= 0.5, 1 - overlap, FORBIDDEN).astype(np.float64)
        ids = np.full(len(boxes), -1, np.int64)
        for row, column in assign(cost):
            ids[row] = frame.ids[column]
        result.append(Frame(frame.at_ms, ids, boxes, tracks.ids[people]))
    return result


def following_house(scene: Scene, progress: Progress) -> list[Figure]:
    progress("pins: what the house itself sees")
    own = follow(replace(scene, frames=house(scene.data, scene.frames)), UNHIDDEN)
    note = "the same with the product's own detector and tracker instead of the true boxes"
    lasted = by_people(own.entries, lambda p: p.seconds, median)
    return [_shown("pins_follow_house_median_s", *lasted, f"{note}; IDF1 {own.idf1:.2f}")]


# ---- traits ----------------------------------------------------------------------------------------------------------


def traits(scene: Scene, progress: Progress) -> list[Figure]:
    progress("pins: the same person again")
    glimpses = watch(scene.frames, UNHIDDEN)
    seen = long_enough(scene.trails)
    pinned = {i: t for i, t in long_enough(pin_trails(glimpses, scene.ground)).items() if i in seen}
    pins = recognised(pinned, motion)
    exact = recognised(seen, motion)
    boxes = recognised(seen, lambda trail: build(trail, scene.data))
    n = len(seen)
    note = (
        f"the nearest of {n} first halves is the own one, above guessing ({1 / n:.2f}); nearest neighbour, nothing "
        f"learnt; PETS2009 S2.L1, {n} people in view for ten seconds and more, linked without a mistake"
    )
    return [
        _shown(
            "pins_reid_gain",
            pins.gain,
            pins.interval(),
            n,
            f"pace and turning from pins; AUC {pins.auc:.2f}; without a grid {exact.gain:.2f} ({exact.auc:.2f}); "
            f"{note}",
        ),
        _shown("boxes_reid_gain", boxes.gain, boxes.interval(), n, f"height and width; AUC {boxes.auc:.2f}; {note}"),
        speed(scene, DEFAULT),
    ]


def recognised(found: dict[int, Trail], features: Callable[[Trail], Floats]) -> Again:
    """Everybody's second half against all first halves."""
    pairs = [halves(trail) for trail in found.values()]
    return again(np.array([features(a) for a, _ in pairs]), np.array([features(b) for _, b in pairs]))


def speed(scene: Scene, setting: Setting) -> Figure:
    """How wrong a speed read off the pins is, over ``SPEED_S``."""
    wrong, share_ = speed_errors(scene, setting, SPEED_S)
    people = sorted(wrong)
    rng = np.random.default_rng(1)
    again_ = [
        median(np.concatenate([wrong[people[k]] for k in rng.integers(0, len(people), len(people))]))
        for _ in range(1000)
    ]
    low, high = np.quantile(again_, [0.025, 0.975])
    return _shown(
        "pins_speed_error",
        median(np.concatenate(list(wrong.values()))),
        (float(low), float(high)),
        len(people),
        f"median over windows of {SPEED_S:g} s; {share_:.0%} of the true speed where people walk; grid "
        f"{setting.grid_m:g} m; bootstrap over people",
    )


def speed_errors(scene: Scene, setting: Setting, window_s: float) -> tuple[dict[int, Floats], float]:
    """For each person the errors in m/s; and the median error of those who walk, as a share of their speed."""
    shown = pin_trails(watch(scene.frames, replace(setting, hide_below=0)), scene.ground)
    wrong: dict[int, Floats] = {}
    shares: list[float] = []
    for i, trail in scene.trails.items():
        if i not in shown or np.ptp(trail.at_ms) < 1000 * window_s:
            continue
        times, really = velocities(trail, window_s)
        pinned_at, pinned = velocities(shown[i], window_s)
        known = np.isin(times, pinned_at)
        fast = np.hypot(*really[known].T)
        off = np.abs(np.hypot(*pinned[np.isin(pinned_at, times)].T) - fast)
        wrong[i] = off
        shares += (off[fast > 0.5] / fast[fast > 0.5]).tolist()
    return wrong, median(np.array(shares))


# ---- gait ------------------------------------------------------------------------------------------------------------


def gait(scene: Scene, progress: Progress) -> list[Figure]:
    progress("pins: gait")
    known, visible = steps(scene.data, scene.frames)
    boxes = heard(known, [k.box for k in known], [FPS] * len(known))
    pins = pins_heard(scene.ground, known, UNHIDDEN)
    every = pins_heard(scene.ground, known, replace(UNHIDDEN, pin_hz=2 * FPS))
    exact = pins_heard(scene.ground, known, replace(UNHIDDEN, pin_hz=2 * FPS, grid_m=None))
    same, others = alike(known)
    note = (
        f"windows of nine seconds in which the legs in the video show {STEPS_HZ[0]:g} to {STEPS_HZ[1]:g} steps a "
        f"second clearly: {len(known)} of {visible}, of {len({k.person for k in known})} people; two windows of one "
        f"person differ by {same:.2f} steps a second, of two people by {others:.2f} (medians)"
    )
    return [
        _gait(
            "pins_gait_detected",
            pins,
            f"grid 1 m, {DEFAULT.pin_hz:g} Hz; at {FPS:g} Hz {_rate(every)}; "
            f"at {FPS:g} Hz without a grid {_rate(exact)}; {note}",
        ),
        _gait("boxes_gait_detected", boxes, f"upper edge and width of boxes that fit tightly; {note}"),
    ]


def _rate(found: Heard) -> str:
    return f"{found.right.mean():.2f} (by chance {found.by_chance:.2f})"


def _gait(name: str, found: Heard, note: str) -> Figure:
    k, n = int(found.right.sum()), len(found.right)
    return _shown(name, k / max(n, 1), wilson(k, n), n, f"by chance {found.by_chance:.2f}; {note}")


def pins_heard(where: Ground, known: Sequence[Steps], setting: Setting) -> Heard:
    """The step frequency from the pins of boxes that fit tightly, and so tremble with every step."""
    signals, rates = [], []
    for window in known:
        times = np.linspace(window.begin_ms, window.end_ms, len(window.feet)).round().astype(int)
        who = np.array([window.person])
        frames = [
            Frame(int(at), who, np.array([[x - 10, y - 60, x + 10, y]], np.float32), who)
            for at, (x, y) in zip(times, window.feet, strict=True)
        ]
        (trail,) = pin_trails(watch(frames, setting), where).values()
        signals.append(list(trail.spots.T))
        rates.append(1000 / float(np.median(np.diff(trail.at_ms))))
    return heard(known, signals, rates)


# ---- the door --------------------------------------------------------------------------------------------------------


def door(scene: Scene, progress: Progress, *, quick: bool) -> list[Figure]:
    progress("pins: a door that is watched")
    made = street(scene.data, WATCHED, 2 if quick else 12)
    result = []
    for hide_below in HIDE_BELOW:
        for name, delay_ms in (("live", LIVE_MS), ("late", LATE_MS)):
            result.append(_door(made, hide_below, name, delay_ms))
    return result


def street(data: Path, place: str, each: int, always: int = 0) -> list[Hour]:
    """Hours at one of ``PLACES``, with so many who never leave."""
    return hours(counted(data), PLACES[place], each, DEFAULT.pin_hz, always=always)


def _door(made: Sequence[Hour], hide_below: int, name: str, delay_ms: int) -> Figure:
    found = [told(hour, hide_below, delay_ms) for hour in made]
    value, interval, n = share([f.told for f in found])
    plain = share([told(hour, hide_below, delay_ms, at_once=True).told for hour in made])[0]
    when = "as it happens" if delay_ms == LIVE_MS else f"{delay_ms // 60_000} minutes later"
    note = (
        f"synthetic: a tenth of Melbourne's hourly counts, Poisson, {len(made)} hours; arrivals whose pin shows within "
        f"{TOLD_S:g} s of them, {when}; of those who come alone {told_share(found, lambda f: f.told[f.alone])}; the "
        f"only one at that door within a minute {told_share(found, lambda f: f.only)}; the last {TOLD_S:g} s before "
        f"they leave {told_share(found, lambda f: f.left)}; if the threshold were crossed at once {plain:.2f}; "
        "bootstrap over hours"
    )
    return _shown(f"door_arrival_told_share_hide{hide_below}_{name}", value, interval, n, note)


def told_share(found: Sequence[Arrivals], which: Callable[[Arrivals], np.ndarray]) -> str:
    return f"{share([which(f) for f in found])[0]:.2f}"


# ---- all of it -------------------------------------------------------------------------------------------------------

UNITS = {
    "pins_follow_median_s": "s",
    "pins_follow_share_whole": "share",
    "pins_known_start_followed_s": "s",
    "pins_follow_house_median_s": "s",
    "pins_reid_gain": "share",
    "boxes_reid_gain": "share",
    "pins_speed_error": "m/s",
    "pins_gait_detected": "share",
    "boxes_gait_detected": "share",
    **{f"door_arrival_told_share_hide{k}_{name}": "share" for k in HIDE_BELOW for name in ("live", "late")},
}
"""The figures of this part, in order, with their units."""


def pins(data: Path, *, quick: bool, progress: Progress) -> list[Figure]:
    """All figures of this part, in the order of ``UNITS``; null where the recordings are absent.

    Args:
        quick: without the product's own detector, and fewer hours at the door.
    """
    if not (data / "media/pets_s2l1/truth.json").is_file() or not (data / "pedestrian/pedestrian.csv.gz").is_file():
        return [figure(name, None, unit=unit, note=_NO_DATA) for name, unit in UNITS.items()]
    scene = Scene.of(data, truth(data))
    result = following(scene, progress)
    if quick:
        result.append(figure("pins_follow_house_median_s", None, unit="s", note="not with --quick"))
    else:
        result += following_house(scene, progress)
    return [*result, *traits(scene, progress), *gait(scene, progress), *door(scene, progress, quick=quick)]


def main(arguments: Sequence[str]) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="without the product's own detector, and fewer hours")
    chosen = options.parse_args(arguments)
    data = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data")).resolve()
    for row in pins(data, quick=chosen.quick, progress=lambda words: print(words, file=sys.stderr)):
        value = "-" if row["value"] is None else f"{row['value']:.3g}"
        print(f"{row['name']}: {value} {row['unit']}, {row['interval']}, n {row['n']}\n    {row['note']}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
