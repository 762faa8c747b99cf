"""Recall over inserted incidents: does cheap looking miss what looking at everything would find?

People cut from PETS and vehicles cut from CDnet's highway appear one at a time in an otherwise empty scene, 40-300
pixels tall, for 1-10 seconds, at any phase of the group of pictures; between them it is quiet for long enough that the
gate shuts. Two rules watch the whole picture: ``intrusion`` of a person, and of a vehicle, each for half a second.
An insertion is *found* when the rule of its kind fires while it is in view, or up to a second after.

The reference is the same detector, tracker and rule on every frame around each insertion, the gate always open, at the
threshold that serves it best. Its detections are kept beside the stream, for as long as the detector stays the same.

    python benchmarks/incidents.py --n 40          # what the first two files hold; tables of what was missed
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from canvas import FPS, HEIGHT, WIDTH, Coding, Grain, Stamp, backdrop, cache_folder, digest, encode, planar
from measures import Figure, figure, wilson
from sprites import Image, Sprite, people, vehicles
from streams import hard_weather
from watchglass.edge import inference
from watchglass.edge.entropy import SeededEntropy
from watchglass.edge.video import VideoFile
from watchglass.perception import track as tracking
from watchglass.perception.analytics import Scene, build
from watchglass.perception.messages import AnalyticSpec, Health, Incident, Report, SourceSpec, ZoneSpec
from watchglass.perception.observation import Detections
from watchglass.perception.track import Tracker
from watchglass.runtime.worker import run_once
from watchglass.views.backdrop import Backdrop

Progress = Callable[[str], None]
Weather = Callable[[int, Image], None]

_VERSION = 1
PER_FILE = 20
FULL, QUICK = 300, 40
FOR_MS = 500
GRACE_MS = 1000
LEAD_S = 9.0
GAP_S = (6.0, 8.0)
TALL = (40, 300)
IN_VIEW_S = (1.0, 10.0)
GRID = (0.30, 0.35, 0.40, 0.45, 0.50, 0.55, 0.60)
TARGETS = {
    "incident_recall_vs_inserted": 0.98,
    "incident_recall_lower_bound": 0.96,
    "incident_recall_vs_every_frame": 0.98,
}
_BEFORE_MS = 600
_TOP, _BOTTOM = 60, 1040
_PACE = {"person": (0.4, 0.9), "vehicle": (0.5, 2.0)}


@dataclass(frozen=True)
class Insertion:
    """One person or vehicle that comes into view.

    Attributes:
        kind: ``person`` or ``vehicle``.
        start, seconds: from when and for how long it is wholly in view.
        tall: pixels.
        sprite, offset: which cut-out, and at which of its pictures it begins.
        x, foot: where the middle of its lower edge begins.
        speed: pixels a second; negative to the left. It turns at the picture's edges.
        walks_s: for how long it moves before it stands still; as long as it is in view if it moves through.
        within: from which to which x it keeps.
    """

    kind: str
    start: float
    seconds: float
    tall: int
    sprite: int
    offset: int
    x: float
    foot: float
    speed: float
    walks_s: float
    within: tuple[int, int] = field(default=(0, WIDTH), repr=False)

    @property
    def stands(self) -> bool:
        return self.walks_s < self.seconds

    def phase(self, group_s: float) -> float:
        """0..1: how much of the group of pictures had passed when it came."""
        return self.start % group_s / group_s


def plan(
    seed: int,
    count: int,
    sprites: dict[str, int],
    *,
    in_view: tuple[float, float] = IN_VIEW_S,
    shortest: int = TALL[0],
    within: tuple[int, int] = (0, WIDTH),
) -> tuple[Insertion, ...]:
    """Seeded insertions, one after the other.

    Args:
        seed: of everything.
        count: how many; one in three is a vehicle.
        sprites: how many cut-outs there are of each kind.
        in_view: the least and the most, in seconds.
        shortest: pixels.
        within: from which to which x.
    """
    rng = np.random.default_rng([_VERSION, seed])
    at, result = LEAD_S + float(rng.uniform(0, 2)), []
    for number in range(count):
        kind = "vehicle" if number % 3 == 2 else "person"
        seconds = round(float(rng.uniform(*in_view)) * FPS) / FPS
        tall = int(rng.integers(shortest, TALL[1] + 1))
        # The lower in the picture the nearer and the taller, as on a wide square; give or take.
        depth = (tall - TALL[0]) / (TALL[1] - TALL[0])
        foot = float(np.clip(_TOP + depth * (_BOTTOM - _TOP) + rng.normal(0, 30), tall + 2, HEIGHT - 6))
        standing = rng.random() < 0.4
        result.append(
            Insertion(
                kind=kind,
                start=round(at * FPS) / FPS,
                seconds=seconds,
                tall=tall,
                sprite=int(rng.integers(sprites[kind])),
                offset=int(rng.integers(1000)),
                x=float(rng.uniform(within[0] + 0.8 * tall, within[1] - 0.8 * tall)),
                foot=foot,
                speed=float(rng.choice([-1, 1]) * rng.uniform(*_PACE[kind]) * tall),
                walks_s=float(max(0.5, rng.uniform(0.1, 0.4) * seconds)) if standing else seconds,
                within=within,
            )
        )
        at += seconds + float(rng.uniform(*GAP_S))
    return tuple(result)


def place(insertion: Insertion, at: float) -> tuple[float, bool]:
    """Where its middle is (x) after ``at`` seconds in view, and whether it goes to the right."""
    low, high = insertion.within[0] + 0.8 * insertion.tall, insertion.within[1] - 0.8 * insertion.tall
    way = insertion.x - low + insertion.speed * min(at, insertion.walks_s)
    width = high - low
    turns, rest = divmod(way, width)
    back = int(turns) % 2 == 1
    return low + (width - rest if back else rest), (insertion.speed > 0) != back


# ---- making the streams ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class File:
    """One file of insertions."""

    number: int
    path: Path
    coding: Coding
    insertions: tuple[Insertion, ...]

    @property
    def seconds(self) -> float:
        last = self.insertions[-1]
        return last.start + last.seconds + GAP_S[1]


def files(data: Path, n: int, progress: Progress, *, weather: str = "", per_file: int = PER_FILE) -> list[File]:
    """The streams with the first ``n`` insertions, made where they are not there yet. Odd ones are CBR, even ones VBR.

    Args:
        data: where the recordings are.
        n: rounded up to whole files.
        progress: told what is happening.
        weather: ``hard`` for the clock, exposure, swaying, rain and headlights of ``streams``.
        per_file: insertions a file.
    """
    sprites = {"person": people(data), "vehicle": vehicles(data)}
    counts = {kind: len(found) for kind, found in sprites.items()}
    result = []
    for number in range(-(-n // per_file)):
        coding = Coding(rate="vbr" if number % 2 else "cbr")
        insertions = plan(number, per_file, counts)
        key = digest(_VERSION, number, coding, insertions, weather)
        name = f"incidents{'-' + weather if weather else ''}-{coding.rate}-{number:02d}-{key}.mp4"
        file = File(number, cache_folder() / name, coding, insertions)
        if not file.path.exists():
            progress(f"making {name}: {file.seconds:.0f} s (once)")
            encode(file.path, pictures(file, data, weather), coding)
        result.append(file)
    return result


def pictures(file: File, data: Path, weather: str = "", companions: Sequence[Insertion] = ()) -> Iterator[Image]:
    """The pictures of a file (I420), with companions that belong to no insertion."""
    rng = np.random.default_rng([_VERSION, 77, file.number])
    grain, empty = Grain(rng), planar(backdrop(data))
    change: Weather | None = None
    if weather:
        change = hard_weather(file.number)
    pen = _Pen({"person": people(data), "vehicle": vehicles(data)})
    waiting = list(file.insertions)
    for number in range(round(file.seconds * FPS)):
        at = number / FPS
        picture = empty.copy()
        while waiting and at >= waiting[0].start + waiting[0].seconds - 1e-6:
            waiting.pop(0)
        for companion in companions:
            pen.draw(picture, companion, at - companion.start)
        if waiting and at >= waiting[0].start - 1e-6:
            pen.draw(picture, waiting[0], at - waiting[0].start)
        if change is not None:
            change(number, picture)
        grain.add(picture[:HEIGHT])
        yield picture


class _Pen:
    """Draws insertions; a cut-out is scaled once for each of its pictures."""

    def __init__(self, sprites: dict[str, tuple[Sprite, ...]]) -> None:
        self._sprites = sprites
        self._stamp = functools.lru_cache(maxsize=256)(self._make)

    def draw(self, picture: Image, insertion: Insertion, at: float) -> None:
        sprite = self._sprites[insertion.kind][insertion.sprite]
        index = (insertion.offset + int(min(at, insertion.walks_s) * sprite.fps)) % len(sprite.pictures)
        x, right = place(insertion, at)
        stamp = self._stamp(insertion.kind, insertion.sprite, index, insertion.tall, right != (sprite.heading > 0))
        height, width = stamp.y.shape
        stamp.draw(picture, round(x - width / 2), round(insertion.foot - height))

    def _make(self, kind: str, sprite: int, index: int, tall: int, mirrored: bool) -> Stamp:
        one = self._sprites[kind][sprite]
        image, mask = one.pictures[index], one.masks[index]
        return Stamp.of(image, mask, round(tall * image.shape[1] / image.shape[0]), tall, mirrored=mirrored)


# ---- the two that look -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fired:
    """A rule fired: for which kind, and when (capture time, ms)."""

    kind: str
    at_ms: int


def rules(for_ms: int = FOR_MS, rearm_ms: int = 2000, left: int = 0) -> tuple[AnalyticSpec, ...]:
    """Intrusion of a person, and of a vehicle, anywhere in the picture (or from ``left`` on)."""
    picture = ZoneSpec("picture", ((left, 0), (WIDTH, 0), (WIDTH, HEIGHT), (left, HEIGHT)))
    return tuple(
        AnalyticSpec(kind, "intrusion", picture, {"of": (kind,), "for_ms": for_ms, "rearm_ms": rearm_ms})
        for kind in ("person", "vehicle")
    )


RULES = rules()


def cascade(
    file: File, data: Path, detector: inference.NanoDet, judged: tuple[AnalyticSpec, ...] = RULES
) -> tuple[list[Fired], dict[str, float]]:
    """What the whole line raises, and what it did for it."""
    empty = backdrop(data)
    png = Backdrop(empty, np.ones(empty.shape[:2], bool)).to_png()
    spec = SourceSpec("incidents", str(file.path), judged, realtime=False, backdrops=(("day", png),))
    fired: list[Fired] = []
    last: dict[str, float] = {}

    def on_report(report: Report) -> None:
        if isinstance(report, Incident):
            fired.append(Fired(report.analytic, report.at_ms))
        elif isinstance(report, Health):
            last.update(inferences=report.inferences, decoded=report.decoded, frames=report.frames)

    began = time.process_time()
    run_once(spec, detector, on_report, entropy=SeededEntropy("incidents"))
    return fired, {**last, "cpu": time.process_time() - began}


def every_frame(file: File, detector: inference.NanoDet, progress: Progress) -> dict[int, Detections]:
    """What the detector finds in each frame around the insertions, by capture time (ms)."""
    code = hashlib.sha256(Path(inference.__file__).read_bytes()).hexdigest()
    kept = file.path.with_suffix(f".{digest(code, inference.shipped().sha256)}.npz")
    if kept.exists():
        with np.load(kept) as saved:
            rows = {name: saved[name] for name in ("at", "count", "boxes", "scores", "kinds")}
        ends = np.cumsum(rows["count"])
        return {
            int(at): Detections(*(rows[name][end - n : end] for name in ("boxes", "scores", "kinds")))
            for at, n, end in zip(rows["at"], rows["count"], ends, strict=True)
        }
    progress(f"every frame of {file.path.name} (kept until the detector changes)")
    found: dict[int, Detections] = {}
    video = VideoFile(file.path)
    decoder = video.decoder()
    for packet in video.packets(0):
        near = any(_near(i, packet.at_ms, before=_BEFORE_MS + 2100) for i in file.insertions)
        if not near:
            continue
        for picture in decoder.decode(packet):
            if any(_near(i, picture.at_ms, before=_BEFORE_MS) for i in file.insertions):
                small = picture.small(detector.side)
                seen = detector.detect(small)
                scale = np.float32(picture.width / small.shape[1])
                found[picture.at_ms] = Detections(seen.boxes * scale, seen.scores, seen.kinds)
    np.savez_compressed(
        kept,
        at=np.array(list(found)),
        count=np.array([len(d) for d in found.values()]),
        boxes=np.concatenate([d.boxes for d in found.values()]),
        scores=np.concatenate([d.scores for d in found.values()]),
        kinds=np.concatenate([d.kinds for d in found.values()]),
    )
    return found


def _near(insertion: Insertion, at_ms: int, *, before: int) -> bool:
    begin = insertion.start * 1000
    return begin - before <= at_ms <= begin + insertion.seconds * 1000 + GRACE_MS


def reference(
    file: File, found: dict[int, Detections], threshold: float, judged: tuple[AnalyticSpec, ...] = RULES
) -> list[Fired]:
    """What the same tracker and the same rules raise from every frame.

    The tracker has thresholds of its own; scores are moved so that its threshold for a new track falls on
    ``threshold``.
    """
    fired: list[Fired] = []
    for insertion in file.insertions:
        tracker = Tracker((WIDTH, HEIGHT))
        judges = [(spec.name, build(spec)) for spec in judged]
        for at_ms in sorted(t for t in found if _near(insertion, t, before=_BEFORE_MS)):
            seen = found[at_ms]
            birth = np.array(tracking.BIRTH, np.float32)[seen.kinds]
            moved = np.clip(seen.scores + birth - np.float32(threshold), 0, 1).astype(np.float32)
            tracker.see(at_ms, replace(seen, scores=moved))
            scene = Scene(at_ms, tracker.at(at_ms))
            fired += [Fired(kind, at_ms) for kind, judge in judges if judge.see(scene) is not None]
    return fired


# ---- scoring ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Score:
    """Who found what: ``when`` has, for each insertion, the capture time of the first incident of its kind, or None.

    Attributes:
        insertions: in order.
        when: ms, one for each insertion.
        false: incidents that belong to no insertion.
    """

    insertions: tuple[Insertion, ...]
    when: tuple[int | None, ...]
    false: tuple[Fired, ...]

    @property
    def found(self) -> int:
        return sum(w is not None for w in self.when)

    @property
    def f1(self) -> float:
        return 2 * self.found / (2 * self.found + len(self.false) + len(self.when) - self.found)

    def __add__(self, other: Score) -> Score:
        return Score(self.insertions + other.insertions, self.when + other.when, self.false + other.false)


def score(insertions: Sequence[Insertion], fired: Sequence[Fired]) -> Score:
    """An incident belongs to the insertion of its kind that is in view, or was up to a second before."""
    when: list[int | None] = [None] * len(insertions)
    false = []
    for incident in sorted(fired, key=lambda f: f.at_ms):
        for index, insertion in enumerate(insertions):
            begin = insertion.start * 1000
            if (
                incident.kind == insertion.kind
                and begin <= incident.at_ms <= begin + insertion.seconds * 1000 + GRACE_MS
            ):
                when[index] = incident.at_ms if when[index] is None else when[index]
                break
        else:
            false.append(incident)
    return Score(tuple(insertions), tuple(when), tuple(false))


@dataclass(frozen=True)
class Result:
    """Both sides over all files.

    Attributes:
        line: what the cascade found.
        grid: what every frame found at each threshold.
        best: the threshold of the grid with the best F1.
        seconds: of stream.
        work: sums of the line's inferences, decoded frames, frames and CPU seconds.
    """

    line: Score
    grid: dict[float, Score]
    best: float
    seconds: float
    work: dict[str, float]


def measure(data: Path, n: int, progress: Progress, *, weather: str = "") -> Result:
    """Run both sides over ``n`` insertions."""
    detector = inference.load()
    line = Score((), (), ())
    grid = dict.fromkeys(GRID, line)
    seconds, work = 0.0, dict.fromkeys(("inferences", "decoded", "frames", "cpu"), 0.0)
    for file in files(data, n, progress, weather=weather):
        progress(f"the line on {file.path.name}")
        fired, did = cascade(file, data, detector)
        line += score(file.insertions, fired)
        found = every_frame(file, detector, progress)
        grid = {t: grid[t] + score(file.insertions, reference(file, found, t)) for t in GRID}
        seconds += file.seconds
        work = {name: value + did[name] for name, value in work.items()}
    best = max(GRID, key=lambda t: (grid[t].f1, t))
    return Result(line, grid, best, seconds, work)


def recall(*, n: int, quick: bool, progress: Progress) -> list[Figure]:
    """The figures ``incident_recall_*`` and what stands beside them.

    Args:
        n: how many insertions; 0 takes what ``quick`` means.
        quick: 40 instead of 300, and none on the hard scene.
        progress: told what is happening.
    """
    data = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data")).resolve()
    missing = missing_data(data)
    if missing:
        return [
            figure(name, None, target, better="higher", unit="share", note=missing) for name, target in TARGETS.items()
        ]
    count = n or (QUICK if quick else FULL)
    easy = measure(data, count, progress)
    result = as_figures(easy)
    if not quick:
        hard = measure(data, PER_FILE * 2, progress, weather="hard")
        for one in as_figures(hard):
            if one["name"] in {"incident_recall_vs_inserted", "incident_false_per_hour"}:
                result.append(shown_as(one, one["name"].replace("incident", "incident_hard", 1)))
    return result


def missing_data(data: Path) -> str:
    """What to say where the recordings are absent; empty where they are there."""
    needed = ("pets_s2l1/vtest.avi", "cdnet_highway/highway.mp4", "cdnet_highway/groundtruth_470_1100.zip")
    if all((data / "media" / name).is_file() for name in needed):
        return ""
    return "PETS or CDnet data not found; set WATCHGLASS_DATA"


def shown_as(one: Figure, name: str) -> Figure:
    """The same figure under another name, without a target: it is shown."""
    return {**one, "name": name, "target": None, "ok": None}


def as_figures(result: Result) -> list[Figure]:
    """The figures of one run."""
    line, best = result.line, result.grid[result.best]
    n = len(line.when)
    inserted, bound, every = TARGETS.values()
    both = sum(a is not None and b is not None for a, b in zip(line.when, best.when, strict=True))
    grid = ", ".join(f"{t:.2f}: {s.found}/{len(s.when)} found, {len(s.false)} false" for t, s in result.grid.items())
    work = result.work
    pace = f"{work['inferences'] / result.seconds:.2f} inferences/s, {work['decoded'] / work['frames']:.2f} decoded"
    lost = sum(a is None and b is not None for a, b in zip(line.when, best.when, strict=True))
    only = sum(a is not None and b is None for a, b in zip(line.when, best.when, strict=True))
    low, high = wilson(line.found, n)
    note = f"{result.seconds / 60:.0f} minutes of stream, {pace}; {by('tall', line)}"
    return [
        figure(
            "incident_recall_vs_inserted", line.found / n, inserted, interval=(low, high), n=n,
            against="insertions", note=note, better="higher", unit="share",
        ),
        figure(
            "incident_recall_lower_bound", low, bound, n=n, against="insertions",
            note="lower end of Wilson's 95 % interval of incident_recall_vs_inserted", better="higher", unit="share",
        ),
        figure(
            "incident_recall_vs_every_frame", both / max(1, best.found), every,
            interval=wilson(both, best.found), n=best.found,
            against="the same detector, tracker and rule on every frame, at its best threshold",
            note=f"best at {result.best:.2f}; {lost} found by it alone, {only} by the line alone; grid: {grid}",
            better="higher", unit="share",
        ),
        figure(
            "incident_false_per_hour", len(line.false) / result.seconds * 3600, None, unit="false incidents an hour",
            n=len(line.false), note=f"{len(line.false)} in {result.seconds / 3600:.2f} h",
        ),
    ]  # fmt: skip


# ---- where recall is lost --------------------------------------------------------------------------------------------

GROUPS: dict[str, Callable[[Insertion], str]] = {
    "tall": lambda i: "40-79 px" if i.tall < 80 else "80-149 px" if i.tall < 150 else "150-300 px",
    "in view": lambda i: "1-2 s" if i.seconds < 2 else "2-4 s" if i.seconds < 4 else "4-10 s",
    "kind": lambda i: i.kind,
    "moves": lambda i: "stands after entering" if i.stands else "moves through",
    "phase": lambda i: f"{int(i.phase(2.0) * 4) * 25}-{int(i.phase(2.0) * 4) * 25 + 25} % of the group",
}


def table(what: str, line: Score, best: Score) -> list[tuple[str, int, int, int, int]]:
    """Rows (group, insertions, found by the line, found on every frame, found by both) for one of ``GROUPS``."""
    rows: dict[str, list[int]] = {}
    for insertion, mine, its in zip(line.insertions, line.when, best.when, strict=True):
        row = rows.setdefault(GROUPS[what](insertion), [0, 0, 0, 0])
        seen = (True, mine is not None, its is not None, mine is not None and its is not None)
        rows[GROUPS[what](insertion)] = [a + b for a, b in zip(row, seen, strict=True)]
    return [(name, *(int(v) for v in row)) for name, row in sorted(rows.items())]  # type: ignore[misc] # four of them


def by(what: str, line: Score) -> str:
    """Found of inserted by group, in words."""
    return ", ".join(f"{name}: {mine}/{n}" for name, n, mine, _, _ in table(what, line, line))


def report(result: Result) -> str:
    """Tables for whoever wants to know where recall is lost."""
    best = result.grid[result.best]
    lines = [f"{'':34}{'inserted':>9}{'line':>7}{'every':>7}{'both':>7}"]
    for what in GROUPS:
        lines.append(what)
        lines += [f"  {row[0]:32}{row[1]:9}{row[2]:7}{row[3]:7}{row[4]:7}" for row in table(what, result.line, best)]
    lines.append("missed by the line:")
    for i, mine, its in zip(result.line.insertions, result.line.when, best.when, strict=True):
        if mine is None:
            also = "every frame finds it" if its is not None else "every frame misses it too"
            moves = "stands" if i.stands else "moves"
            lines.append(
                f"  {i.kind:8} {i.tall:4} px {i.seconds:5.2f} s at {i.start:7.2f} s, phase {i.phase(2.0):.2f}, "
                f"{moves}, x {i.x:.0f} foot {i.foot:.0f}: {also}"
            )
    lines.append(
        "false incidents of the line: " + ", ".join(f"{f.kind}@{f.at_ms / 1000:.1f}" for f in result.line.false)
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=QUICK, help="insertions, in whole files of 20")
    parser.add_argument("--hard", action="store_true", help="with clock, exposure, swaying, rain and headlights")
    parser.add_argument("--json", action="store_true", help="print figures only")
    args = parser.parse_args()
    data = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data")).resolve()
    if missing := missing_data(data):
        sys.exit(missing)
    result = measure(data, args.n, lambda text: print(text, file=sys.stderr), weather="hard" if args.hard else "")
    if not args.json:
        print(report(result))
    print(json.dumps(as_figures(result), indent=1))


if __name__ == "__main__":
    main()
