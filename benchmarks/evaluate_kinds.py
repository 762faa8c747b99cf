"""How often each kind of traffic, of crowds and of camera faults is right, and what it misses; see ``kinds_score``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

import kinds_clips as clips
from evaluate import Figure, Progress, figure
from kinds_clips import PETS_SIZE, PETS_TRUTH, Clip, Event
from kinds_score import FEW, Score, Watched, false_only, nothing_real, rows, watch
from watchglass.core.geometry import FloatArray, Polygon
from watchglass.edge.inference import NanoDet, load
from watchglass.perception.ground import Ground
from watchglass.perception.messages import AnalyticSpec, ZoneSpec
from watchglass.perception.observation import KINDS

_PERSON = KINDS.index("person")
_STOPPED_MS = 15_000
_ZONES = 40
_STAY_MS = 1_500
_LOOK_MS = 400

_STAYS = f"PETS2009 S2.L1 frames 0-499, {_ZONES} seeded zones (they overlap), for 1.5 s; a stay is due from 2.3 s on"
_WAYS = "PETS2009 S2.L1 frames 0-499, each direction across x = 384; CDnet highway as a negative"
_WHEELS = "UCSD ped2 Test001-{last} (each bicycle and cart an event), PETS as a negative"
_STOPS = "*synthetic*: cars of CDnet's highway made to stop on its empty road, for 15 s"
_RUNS = "*synthetic*: people of PETS who begin to run on their own paths, 4 at 2.5 m/s for 1 s"
_BROKEN = "*synthetic*: real clips made black, frozen, blurred, shifted, turned; told as what it is"
_CALM = "PETS, UCSD, CDnet highway"

_MEASURED = (
    "intrusion",
    "wrong_way",
    "vehicle_in_pedestrian_area",
    "crowd_density",
    "stopped_vehicle",
    "crowd_surge",
    "camera_fault",
)
_SQUARE_M = 2.5


# ---- PETS ------------------------------------------------------------------------------------------------------------


@dataclass
class Pets:
    """One pass over PETS with everything that can be asked of it."""

    seen: Watched
    zones: tuple[tuple[tuple[float, float], ...], ...]
    ground: Ground


def _whole(name: str, size: tuple[int, int]) -> ZoneSpec:
    w, h = size
    return ZoneSpec(name, ((0, 0), (w, 0), (w, h), (0, h)))


def pets_pass(data: Path, detector: NanoDet, *, quick: bool) -> Pets:
    """Intrusion on seeded zones, both ways across x = 384, and what must stay silent."""
    zones, everything = clips.pets_zones(_ZONES), _whole("view", PETS_SIZE)
    up, down = ((384.0, 575.0), (384.0, 1.0)), ((384.0, 1.0), (384.0, 575.0))
    rules = [
        *(
            AnalyticSpec(f"zone{k}", "intrusion", ZoneSpec(f"zone{k}", z), {"for_ms": _STAY_MS})
            for k, z in enumerate(zones)
        ),
        AnalyticSpec("leftwards", "wrong_way", ZoneSpec("line", up, line=True), {"of": ["person"]}),
        AnalyticSpec("rightwards", "wrong_way", ZoneSpec("line", down, line=True), {"of": ["person"]}),
        AnalyticSpec("wheels", "vehicle_in_pedestrian_area", everything),
        AnalyticSpec("surge", "crowd_surge", everything),
        AnalyticSpec("stopped", "stopped_vehicle", everything, {"for_ms": _STOPPED_MS}),
        AnalyticSpec("fault", "camera_fault", None),
    ]
    ground = clips.pets_ground(data)
    path = data / "media/pets_s2l1/vtest.avi"
    return Pets(watch(path, rules, detector, ground=ground, until=PETS_TRUTH if quick else 795), zones, ground)


def intrusion(pets: Pets, data: Path) -> Score:
    """Stays in the seeded zones, by the true feet.

    The detector looks every 0.4 s: a stay that is longer than ``for`` by less than two looks need not be found, and one
    that is shorter by less than one look is not wrong.
    """
    right, due = Score(), Score()
    people = clips.pets_people(data)
    for k, zone in enumerate(pets.zones):
        polygon = Polygon(zone)
        inside = []
        for boxes in people:
            feet = np.array([((a + c) / 2, d) for a, _, c, d in boxes.values()], np.float32).reshape(-1, 2)
            hits = polygon.contains(feet)
            inside.append({i for i, hit in zip(boxes, hits, strict=True) if hit})
        incidents = [i for i in pets.seen.of(f"zone{k}") if i.at_ms < 100 * PETS_TRUTH]
        about = [(e.reached_ms, e.until_ms + 2000) for e in clips.stays(inside, _STAY_MS - _LOOK_MS, 5000)]
        right.add(f"PETS zone{k}", incidents, [Event(*times) for times in about], 100 * PETS_TRUTH)
        # Somebody else may have stayed just long enough before, and of one occupation only one thing is told.
        late = clips.stays(inside, _STAY_MS + 2 * _LOOK_MS, 5000)
        events = [Event(e.since_ms, e.until_ms + 2000, f"at {e.reached_ms / 1000:.1f} s") for e in late]
        due.add(f"zone{k}", incidents, events, 100 * PETS_TRUTH)
    right.found, right.there, right.missed = due.found, due.there, due.missed
    return right


def wrong_way(pets: Pets, data: Path) -> Score:
    """Each direction across the line taken for the wrong one."""
    score = Score()
    for rule, direction in (("leftwards", "right_to_left"), ("rightwards", "left_to_right")):
        # An incident comes after the crossing: those of the last three seconds with truth are left out on both sides.
        events = [e for e in clips.crossings(data, direction) if e.until_ms <= 100 * PETS_TRUTH]
        incidents = [i for i in pets.seen.of(rule) if i.at_ms < 100 * PETS_TRUTH - 1500]
        score.add(f"PETS {rule}", incidents, events, 100 * PETS_TRUTH, each=True)
    return score


def density(pets: Pets, data: Path) -> list[Figure]:
    """How far the count on a piece of ground is off, by how many really stand there: squares of 2.5 m."""
    people, area = clips.pets_people(data), _SQUARE_M**2
    by: dict[int, list[int]] = {}
    for tracks in pets.seen.moments:
        frame = round(tracks.at_ms / 100)
        if not 20 <= frame < PETS_TRUTH:
            continue
        boxes = np.array(list(people[frame].values()), np.float32).reshape(-1, 4)
        true = _cells(pets.ground, boxes, _SQUARE_M)
        found = _cells(pets.ground, tracks.boxes[tracks.kinds == _PERSON], _SQUARE_M)
        for cell, there in true.items():
            by.setdefault(there, []).append(found.get(cell, 0))
    pairs = np.array([(n, k) for n, counted in by.items() for k in counted], float).reshape(-1, 2)
    if not len(pairs):
        return [figure("crowd_density_counted_share", None, None, None, 0, "nobody was found where people stand")]
    highest = max((n for n, counted in by.items() if len(counted) >= FEW), default=0)
    where = (
        f"PETS2009 S2.L1 frames 20-499, every 0.4 s, squares of {area:.2f} m² of the calibrated ground with people in"
    )
    each = "; ".join(
        f"{n / area:.2f}/m²: {np.mean(counted) / n:.2f} counted (n = {len(counted)})"
        for n, counted in sorted(by.items())
    )
    at_most = by.get(highest, [])
    return [
        figure(
            "crowd_density_counted_share", float(pairs[:, 1].sum() / pairs[:, 0].sum()), None, _spread(pairs),
            len(pairs), f"{where}; bootstrap over squares; {each}",
        ),
        figure(
            "crowd_density_error", float(np.abs(pairs[:, 1] - pairs[:, 0]).mean() / area), None, None, len(pairs),
            f"{where}; mean of what the count is off by, over the area", unit="people/m²", better="lower",
        ),
        figure(
            "crowd_density_highest_measured", highest / area, None, None, len(at_most),
            f"{where}; the most that {FEW} squares or more showed; {np.mean(at_most) / highest:.2f} of them counted",
            unit="people/m²",
        ),
    ]  # fmt: skip


def _cells(ground: Ground, boxes: FloatArray, side: float) -> dict[tuple[int, int], int]:
    feet = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)
    spots = ground.metres(feet)
    cells: dict[tuple[int, int], int] = {}
    for x, y in np.floor(spots[np.isfinite(spots).all(axis=1)] / side).astype(int).tolist():
        cells[x, y] = cells.get((x, y), 0) + 1
    return cells


def _spread(table: FloatArray) -> tuple[float, float] | None:
    if not len(table):
        return None
    rng = np.random.default_rng(1)
    picks = table[rng.integers(0, len(table), (500, len(table)))].sum(axis=1)
    low, high = np.quantile(picks[:, 1] / np.maximum(picks[:, 0], 1), [0.025, 0.975])
    return float(low), float(high)


# ---- the others ------------------------------------------------------------------------------------------------------


def vehicles(data: Path, detector: NanoDet, pets: Pets, *, faults: Score, quick: bool = False) -> Score:
    """UCSD's walkway with its bicycles and the cart, and PETS where nothing has wheels."""
    score = Score()
    for name in clips.UCSD[: 2 if quick else None]:
        rules = [
            AnalyticSpec("wheels", "vehicle_in_pedestrian_area", _whole("walkway", (360, 240))),
            AnalyticSpec("fault", "camera_fault", None),
        ]
        seen = watch(data / "media/ucsd_ped2" / name, rules, detector)
        score.add(name, seen.of("wheels"), clips.wheels(data, name), seen.ms, each=True)
        faults.add(name, seen.of("fault"), [], seen.ms)
    score.add("PETS", pets.seen.of("wheels"), [], pets.seen.ms, each=True)
    return score


def made(
    kind: str,
    rules: Sequence[AnalyticSpec],
    made_clips: Iterable[Clip],
    detector: NanoDet,
    ground: Ground | None = None,
) -> Score:
    """One rule of that kind on made clips."""
    score = Score()
    for clip in made_clips:
        seen = watch(clip.path, rules, detector, ground=ground)
        score.add(clip.name, [i for i in seen.incidents if i.kind == kind], clip.events, seen.ms)
        clip.path.unlink()
    return score


def stopped(data: Path, detector: NanoDet, folder: Path, *, quick: bool) -> Score:
    """Cars that stand for 22 s, for 8 s, and that stood there before."""
    rules = [AnalyticSpec("stopped", "stopped_vehicle", _whole("road", (320, 240)), {"for_ms": _STOPPED_MS})]
    plan = [] if quick else [(22.0, False)] * 12 + [(8.0, False), (25.0, True)] * 3

    def films() -> Iterable[Clip]:
        for seed, (stands, before) in enumerate(plan):
            path = folder / f"stop{seed}.mp4"
            yield clips.stop(data, path, 100 + seed, stands_s=stands, for_ms=_STOPPED_MS, from_start=before)

    return made("stopped_vehicle", rules, films(), detector)


def surge(data: Path, detector: NanoDet, folder: Path, ground: Ground, *, quick: bool) -> Score:
    """Seven of eight who begin to run, and clips in which all go on walking."""
    rules = [AnalyticSpec("surge", "crowd_surge", _whole("square", PETS_SIZE))]
    plan = [] if quick else [2.4, 2.8] * 6 + [1.0] * 4

    def films() -> Iterable[Clip]:
        for seed, times in enumerate(plan):
            yield clips.surge(data, folder / f"surge{seed}.mp4", 200 + seed, times=times, runners=7 if times > 1 else 0)

    return made("crowd_surge", rules, films(), detector, ground)


def camera_faults(data: Path, detector: NanoDet, folder: Path, *, quick: bool) -> Score:
    """Real clips whose picture is made to fail; the condition that is told must be the one."""
    score, media = Score(), data / "media"
    # Every second picture of the highway: 12 a second are enough to fail.
    bases = [(media / "cdnet_highway/highway.mp4", 12, 2), (media / "pets_s2l1/vtest.avi", 10, 1)]
    for path, fps, every in bases[:1] if quick else bases:
        for what in ("moved",) if quick else clips.FAULTS:
            for strength in (0.5,) if quick else (0.1, 0.9):
                name = f"{path.parent.name}-{what}-{strength}"
                clip = clips.fault(
                    folder / f"{name}.mp4", islice(clips.frames(path), 0, None, every), fps, what, strength
                )
                seen = watch(clip.path, [AnalyticSpec("fault", "camera_fault", None, {"for_ms": 3000})], detector)
                same = [i for i in seen.incidents if i.facts.get("condition") == clip.events[0].what]
                score.add(name, same, clip.events, seen.ms)
                others = [i for i in seen.incidents if i not in same]
                score.add(f"{name}, taken for {others[0].facts['condition']}" if others else name, others, [], 0)
                clip.path.unlink()
    return score


def wallflower(data: Path, detector: NanoDet, faults: Score) -> None:
    """Waving trees, a person who fills the picture, lights that go out: none of them is a fault of the camera."""
    for name in ("WavingTrees", "Camouflage", "LightSwitch"):
        seen = watch(data / f"media/wallflower/{name}.mp4", [AnalyticSpec("fault", "camera_fault", None)], detector)
        faults.add(name, seen.of("fault"), [], seen.ms)


def highway(data: Path, detector: NanoDet, *, faults: Score, standing: Score, ways: Score, quick: bool = False) -> None:
    """CDnet's highway, where all drive the right way and nobody stops."""
    # Drawn from left to right, so that its left is the far side, from which the traffic comes.
    line = ZoneSpec("lane", ((10.0, 110.0), (300.0, 110.0)), line=True)
    rules = [
        AnalyticSpec("fault", "camera_fault", None),
        AnalyticSpec("stopped", "stopped_vehicle", _whole("road", (320, 240)), {"for_ms": _STOPPED_MS}),
        AnalyticSpec("way", "wrong_way", line, {"of": ["vehicle"]}),
    ]
    seen = watch(data / "media/cdnet_highway/highway.mp4", rules, detector, until=600 if quick else 10**9)
    faults.add("highway", seen.of("fault"), [], seen.ms)
    standing.add("highway", seen.of("stopped"), [], seen.ms)
    ways.add("highway", seen.of("way"), [], seen.ms)


def figures(*, data: Path, quick: bool, progress: Progress) -> list[Figure]:
    """The figures of the kinds of traffic and crowds, and of camera faults.

    Args:
        data: the folder of the recordings.
        quick: a part of the clips, of the made ones a single one; wider intervals, and more that is null.
        progress: told what is happening.
    """
    if not (data / "media/pets_s2l1/truth.json").is_file():
        names = [f"{kind}_{what}" for kind in _MEASURED for what in ("precision", "recall")]
        return [figure(name, None, None, None, 0, "data not found; set WATCHGLASS_DATA") for name in names]
    detector = load()
    faults, standing = Score(), Score()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        progress("kinds of incident on PETS")
        pets = pets_pass(data, detector, quick=quick)
        ways = wrong_way(pets, data)
        faults.add("PETS", pets.seen.of("fault"), [], pets.seen.ms)
        standing.add("PETS", pets.seen.of("stopped"), [], pets.seen.ms)
        progress("vehicles on UCSD")
        wheels = vehicles(data, detector, pets, faults=faults, quick=quick)
        progress("the highway and Wallflower")
        highway(data, detector, faults=faults, standing=standing, ways=ways, quick=quick)
        if not quick:
            wallflower(data, detector, faults)
        progress("made clips: cars that stop")
        stops = stopped(data, detector, folder, quick=quick)
        progress("made clips: people who run")
        runs = surge(data, detector, folder, pets.ground, quick=quick)
        progress("made clips: cameras that fail")
        broken = camera_faults(data, detector, folder, quick=quick)
    calm = Score()
    calm.add("PETS", pets.seen.of("surge"), [], pets.seen.ms)
    as_they_are = _CALM + ("" if quick else ", Wallflower")
    return [
        *rows("intrusion", intrusion(pets, data), _STAYS),
        *rows("wrong_way", ways, _WAYS),
        *rows(
            "vehicle_in_pedestrian_area",
            wheels,
            _WHEELS.format(last="002" if quick else "006"),
            recall=1.0,
            false_an_hour=6.0,
        ),
        *density(pets, data),
        *nothing_real("stopped_vehicle"),
        *false_only("stopped_vehicle", standing, "PETS (parked cars) and CDnet highway (nobody stops)"),
        *rows("stopped_vehicle_synthetic", stops, _STOPS),
        *nothing_real("crowd_surge"),
        *false_only("crowd_surge", calm, "PETS, where people walk"),
        *rows("crowd_surge_synthetic", runs, _RUNS),
        *nothing_real("camera_fault"),
        *false_only("camera_fault", faults, as_they_are),
        *rows("camera_fault_synthetic", broken, _BROKEN),
    ]
