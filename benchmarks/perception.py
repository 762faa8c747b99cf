"""What the whole line costs against decoding alone, and what it finds. Read by ``watchglass bench perception``.

A (decode everything, one thread), B (the whole line: demultiplex, gate, decode, detect, track, judge, paint, clips) and
the peers run in turn, A B C A B C …, each in a process of its own; a figure is the median of the pairwise ratios of
their CPU time (user and system, threads and children included). Start-up (imports, loading the model) is left out of
all. ``--only`` takes the names in ``PARTS``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

import clip_ready
import incidents
import latency
import memory
from canvas import HEIGHT, WIDTH, backdrop, file_hash
from measures import Figure, figure
from peers import cpu
from streams import Recipe, stream
from watchglass.edge.inference import load
from watchglass.edge.video import VideoFile
from watchglass.perception.messages import AnalyticSpec, Clip, Health, Incident, Report, SourceSpec, ZoneSpec
from watchglass.perception.ring import ClipOrder
from watchglass.runtime.clips import Studio, make_clip
from watchglass.runtime.worker import run_once
from watchglass.views.backdrop import Backdrop

Progress = Callable[[str], None]
Side = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent
DEMO_CLIP = ROOT / "src/watchglass/demo"
PEERS = ROOT / ".venv-peers/bin/python"
DECODE = "single-threaded full decode of the same stream, in turn"


# ---- the two sides, each in a process of its own ---------------------------------------------------------------------


def run_line(path: str, data: str) -> Side:
    """The whole line on one file, as a worker runs it. A stream of another size than 1080p gets no backdrop."""
    with av.open(path) as container:
        width, height = container.streams.video[0].width, container.streams.video[0].height
    png = None
    if data and (width, height) == (WIDTH, HEIGHT):
        scene = backdrop(Path(data))
        png = Backdrop(scene, np.ones(scene.shape[:2], bool)).to_png()
    # The lawn, on which hardly anybody walks, and the whole crossing.
    lawn = ZoneSpec("lawn", ((0, 0.5 * height), (0.4 * width, 0.6 * height), (0.4 * width, height), (0, height)))
    crossing = ZoneSpec("crossing", ((0, 0), (width, 0), (width, height), (0, height)), 150.0)
    rules = (
        AnalyticSpec("intrusion", "intrusion", lawn, {"for_ms": 1000}),
        AnalyticSpec("crowding", "crowd_density", crossing, {"people_per_m2": 0.05, "for_ms": 5000}),
        AnalyticSpec("fault", "camera_fault", None, {}),
    )
    spec = SourceSpec("bench", path, rules, realtime=False, backdrops=(("day", png),) if png else ())
    detector = load()
    seen: Side = {"incidents": 0, "clips": 0, "inferences": 0, "decoded": 0, "frames": 0, "gate": ""}

    def on_report(report: Report) -> None:
        seen["incidents"] += isinstance(report, Incident)
        seen["clips"] += isinstance(report, Clip)
        if isinstance(report, Health):
            seen.update(inferences=report.inferences, decoded=report.decoded, frames=report.frames, gate=report.gate)

    began = cpu()
    ended = run_once(spec, detector, on_report)
    return {"cpu": cpu() - began, "seconds": ended.video_seconds, **seen}


def run_clip(path: str, data: str) -> Side:
    """One incident's mosaicked clip: eight seconds, decoded again from memory, mosaicked, encoded."""
    file = VideoFile(Path(path))
    packets = tuple(p for p in file.packets(0) if p.at_ms <= 12_000)
    scene = backdrop(Path(data))
    png = Backdrop(scene, np.ones(scene.shape[:2], bool)).to_png()
    studio = Studio(file.decoder, (file.width, file.height), file.fps, (png,), load())
    order = ClipOrder("0" * 16, "bench", 4_000, 12_000, packets[4 * round(file.fps) :], ())
    began = cpu()
    clip = make_clip(order, studio)
    return {"cpu": cpu() - began, "seconds": clip.seconds, "bytes": len(clip.mp4)}


def _measure(script: str, what: str, *args: str, python: Path | None = None) -> Side:
    """Run one side in a process of its own."""
    command = [str(python or sys.executable), str(ROOT / "benchmarks" / f"{script}.py"), what, *args]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{what} failed: {done.stderr[-500:]}")
    result: Side = json.loads(done.stdout.splitlines()[-1])
    return result


# ---- ratios ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One stream on which the line is compared with decoding: what is targeted, and the stretch beyond it."""

    name: str
    recipe: Callable[[int], Recipe]
    target: float | None = None
    stretch: float | None = None


RATIOS = (
    Row("quiet_cbr_ratio", lambda s: Recipe("quiet", s), 0.10, 0.07),
    Row("quiet_vbr_ratio", lambda s: Recipe("quiet", s, "vbr"), 0.20, 0.15),
    Row("active10_cbr_ratio", lambda s: Recipe("active10", s), 0.25, 0.18),
    Row("busy_ratio", lambda s: Recipe("busy", s), 1.35, 1.15),
)
SHOWN = (
    Row("quiet_hard_ratio", lambda s: Recipe("quiet-hard", s)),
    Row("quiet_gop1_ratio", lambda s: Recipe("quiet", s, group_s=1.0)),
    Row("quiet_gop4_ratio", lambda s: Recipe("quiet", s, group_s=4.0)),
)


def length(*, quick: bool) -> int:
    """Seconds of each stream."""
    return 60 if quick else 600


def _ratio(row: Row, data: Path, *, quick: bool, progress: Progress, turns: int) -> Figure:
    path = stream(row.recipe(length(quick=quick)), data, progress)
    pairs = []
    for turn in range(1 if quick else turns):
        progress(f"{row.name}: pair {turn + 1}")
        pairs.append(
            (_measure("peers", "decode", str(path), "0"), _measure("perception", "line", str(path), str(data)))
        )
    line = pairs[-1][1]
    value = statistics.median(_ms(mine) / _ms(unit) for unit, mine in pairs)
    reached = "" if row.stretch is None else f"stretch {row.stretch:g}: {'met' if value <= row.stretch else 'missed'}; "
    note = (
        f"{reached}{line['inferences'] / line['seconds']:.2f} inferences/s, "
        f"{line['decoded'] / line['frames']:.3f} of frames decoded, {line['incidents']:.0f} incidents, "
        f"{line['clips']:.0f} clips; gate: {line['gate'] or 'says nothing'}; "
        f"full decode {_ms(pairs[-1][0]):.0f} ms a second{' (of its first third)' if quick else ''}; "
        f"stream {file_hash(path)}, {line['seconds']:.0f} s, backdrop confirmed"
    )
    made = figure(row.name, value, row.target, interval=_spread(pairs), n=len(pairs), against=DECODE, note=note)
    if row.name == "busy_ratio" and line["inferences"] / line["seconds"] < 2:
        made |= {"ok": False, "note": f"fewer than two inferences a second; {note}"}
    return made


def _ms(side: Side) -> float:
    return 1000 * float(side["cpu"]) / float(side["seconds"])


def _spread(pairs: Sequence[tuple[Side, Side]]) -> list[float] | None:
    """Least and greatest of the pairwise ratios, of CPU time a second of video."""
    ratios = [_ms(mine) / _ms(unit) for unit, mine in pairs]
    return None if len(ratios) < 2 else [min(ratios), max(ratios)]


def ratios(data: Path, *, quick: bool, progress: Progress) -> list[Figure]:
    """The line against decoding, on the streams that have a target."""
    return [_ratio(row, data, quick=quick, progress=progress, turns=3) for row in RATIOS]


def shown(data: Path, *, quick: bool, progress: Progress) -> list[Figure]:
    """The same where there is no target: the hard scene, and other groups of pictures."""
    return [_ratio(row, data, quick=quick, progress=progress, turns=1) for row in SHOWN]


def streams_a_core(data: Path, *, quick: bool, progress: Progress) -> list[Figure]:
    """How many quiet streams one core carries, derived from what one costs."""
    path = stream(Recipe("quiet", length(quick=quick)), data, progress)
    sides = [_measure("perception", "line", str(path), str(data)) for _ in range(1 if quick else 3)]
    fit = [side["seconds"] / side["cpu"] for side in sides]
    return [
        *memory.streams_held(data, quick=quick, progress=progress),
        figure(
            "worker_streams_quiet", statistics.median(fit), better="higher", unit="1080p25 streams a core",
            interval=None if len(fit) < 2 else (min(fit), max(fit)), n=len(fit),
            note="derived, not run: seconds of quiet CBR stream that the line does in a CPU second",
        ),
    ]  # fmt: skip


# ---- peers -----------------------------------------------------------------------------------------------------------


def peers(data: Path, *, quick: bool, progress: Progress) -> list[Figure]:
    """What others cost on the same streams, with the same detector, in turn with ours."""
    seconds = length(quick=quick)
    turns = 1 if quick else 3
    result = []
    for name, recipe in (("quiet", Recipe("quiet", seconds)), ("busy", Recipe("busy", seconds))):
        path = str(stream(recipe, data, progress))
        progress(f"nvr_like_{name}_ratio")
        part = "20" if quick else "120"
        pairs = [(_measure("peers", "decode", path, part), _measure("peers", "nvr", path, part)) for _ in range(turns)]
        result.append(_peer(f"nvr_like_{name}_ratio", pairs, f"{DECODE}; first {part} s"))
    for name, what in (("substream", "quiet"), ("substream_busy", "busy")):
        path = str(stream(Recipe(what, seconds, sub=True), data, progress))
        progress(f"nvr_like_{name}_ratio, ours_{name}_ratio")
        trios = [
            (
                _measure("peers", "decode", path, "0"),
                _measure("peers", "nvr", path, "0"),
                _measure("perception", "line", path, str(data)),
            )
            for _ in range(turns)
        ]
        against = f"single-threaded full decode of the same 640x360@5 {what} sub-stream, in turn"
        result.append(_peer(f"nvr_like_{name}_ratio", [(u, n) for u, n, _ in trios], against))
        result.append(_peer(f"ours_{name}_ratio", [(u, o) for u, _, o in trios], against))
    return result + _every_frame(data, quick=quick, progress=progress)


def _peer(name: str, pairs: Sequence[tuple[Side, Side]], against: str) -> Figure:
    unit, mine = pairs[-1]
    return figure(
        name, statistics.median(_ms(m) / _ms(u) for u, m in pairs), interval=_spread(pairs), n=len(pairs),
        against=against,
        note=f"{_ms(mine):.1f} ms a second against {_ms(unit):.1f}; "
        f"{mine['inferences'] / mine['seconds']:.2f} inferences/s",
    )  # fmt: skip


def _every_frame(data: Path, *, quick: bool, progress: Progress) -> list[Figure]:
    """The detector on every frame, with ByteTrack: on busy against decoding, on active10 against ours."""
    names = ("detector_per_frame_ratio", "decode_everything_speedup_active10")
    if not PEERS.is_file():
        note = "needs the peers' environment: make peers"
        return [
            figure(names[0], None, note=note),
            figure(names[1], None, 4.0, better="higher", note=note),
        ]
    turns, part = (1, "4") if quick else (3, "60")
    busy = str(stream(Recipe("busy", length(quick=quick)), data, progress))
    progress(names[0])
    pairs = [
        (_measure("peers", "decode", busy, part), _measure("peers", "every", busy, part, python=PEERS))
        for _ in range(turns)
    ]
    result = [_peer(names[0], pairs, f"{DECODE}; first {part} s of busy, ByteTrack of `trackers` behind it")]
    active = str(stream(Recipe("active10", length(quick=quick)), data, progress))
    progress(names[1])
    trios = [
        (
            _measure("peers", "decode", active, "0"),
            _measure("peers", "every", active, part, python=PEERS),
            _measure("perception", "line", active, str(data)),
        )
        for _ in range(turns)
    ]
    value = statistics.median(_ms(e) / _ms(o) for _, e, o in trios)
    alone = statistics.median(_ms(d) / _ms(o) for d, _, o in trios)
    ratios = [_ms(e) / _ms(o) for _, e, o in trios]
    result.append(
        figure(
            names[1], value, 4.0, better="higher", unit="times ours", n=turns,
            interval=None if turns < 2 else (min(ratios), max(ratios)),
            against="the whole line on active10, in turn",
            note=f"compared: decode everything, the same detector on every frame, ByteTrack (CPU a second of video, "
            f"first {part} s); decoding alone, with no detector at all, costs {alone:.2f} times ours",
        )
    )  # fmt: skip
    return result


# ---- one clip, the demo ----------------------------------------------------------------------------------------------


def clip(data: Path, *, quick: bool, progress: Progress) -> list[Figure]:
    """What one incident's clip costs, and how long after its end it is there."""
    path = stream(Recipe("busy", length(quick=quick)), data, progress)
    progress("one clip")
    made = _measure("perception", "clip", str(path), str(data))
    note = f"per incident, beside the ratios: {made['seconds']:.1f} s of 1080p busy, {made['bytes'] / 1000:.0f} kB"
    cost = figure("incident_clip_cpu_s", made["cpu"], unit="CPU s a clip", n=1, note=note)
    return [cost, clip_ready.clip_ready(data, quick=quick, progress=progress)]


def demo(_data: Path, *, quick: bool, progress: Progress) -> list[Figure]:
    """The demo's clip: the same everywhere, as it is in the repository."""
    name, unit = "demo_clip_cpu_ms_per_s", "ms per second of video"
    clips = sorted(DEMO_CLIP.rglob("*.mp4")) if DEMO_CLIP.is_dir() else []
    if not clips:
        return [figure(name, None, unit=unit, note="the demo's clip is not in this checkout")]
    progress("demo clip")
    lines = [_measure("perception", "line", str(clips[0]), "") for _ in range(1 if quick else 3)]
    pace = lines[-1]["inferences"] / lines[-1]["seconds"]
    note = f"{clips[0].name}: {pace:.2f} inferences/s, {lines[-1]['clips']:.0f} clips, no backdrop"
    return [figure(name, statistics.median(_ms(line) for line in lines), unit=unit, n=len(lines), note=note)]


def recall(_data: Path, *, quick: bool, progress: Progress) -> list[Figure]:
    """Recall over inserted incidents."""
    return incidents.recall(n=0, quick=quick, progress=progress)


# ---- all of it -------------------------------------------------------------------------------------------------------

PARTS: dict[str, Callable[..., list[Figure]]] = {
    "ratios": ratios,
    "clip": clip,
    "demo": demo,
    "streams": streams_a_core,
    "shown": shown,
    "peers": peers,
    "recall": recall,
    "memory": memory.memory,
    "latency": latency.latency,
}
IN_QUICK = ("ratios", "demo")
FIGURES: dict[str, tuple[tuple[str, float | None], ...]] = {
    "ratios": tuple((row.name, row.target) for row in RATIOS),
    "clip": (("incident_clip_cpu_s", None), (clip_ready.NAME, None)),
    "demo": (("demo_clip_cpu_ms_per_s", None),),
    "streams": (("worker_streams_quiet", None), ("worker_streams_held", None)),
    "shown": tuple((row.name, None) for row in SHOWN),
    "peers": (
        ("nvr_like_quiet_ratio", None), ("nvr_like_busy_ratio", None), ("nvr_like_substream_ratio", None),
        ("ours_substream_ratio", None), ("detector_per_frame_ratio", None), ("decode_everything_speedup_active10", 4.0),
    ),
    "recall": tuple(incidents.TARGETS.items()),
    "memory": (("memory_per_stream_mib", memory.TARGET_MIB),),
    "latency": (("latency_open_p95_s", latency.OPEN_TARGET_S), ("latency_closed_p95_s", latency.CLOSED_TARGET_S)),
}  # fmt: skip
_HIGHER = {
    "decode_everything_speedup_active10",
    "worker_streams_quiet",
    "worker_streams_held",
    *(name for name, _ in FIGURES["recall"]),
}


def _not_measured(part: str, why: str) -> list[Figure]:
    return [
        figure(name, None, target, better="higher" if name in _HIGHER else "lower", note=why)
        for name, target in FIGURES[part]
    ]


def figures(*, quick: bool, progress: Progress, only: Sequence[str] = ()) -> list[Figure]:
    """The figures of ``watchglass bench perception``.

    Args:
        quick: streams of one minute and one pair, instead of ten minutes and three pairs; and without ``only`` just the
            ratios and the demo: the other figures are null and say so.
        progress: told what is happening.
        only: names of ``PARTS``; nothing else is measured or listed.
    """
    data = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data")).resolve()
    there = (data / "media/pets_s2l1/vtest.avi").is_file()
    result: list[Figure] = []
    for part, measure in PARTS.items():
        if only and part not in only:
            continue
        if not there and part != "demo":
            result += _not_measured(part, "PETS data not found; set WATCHGLASS_DATA")
        elif quick and not only and part not in IN_QUICK:
            result += _not_measured(part, f"left out by --quick; add --only {part}, or run without --quick")
        else:
            result += measure(data, quick=quick, progress=progress)
    return result


if __name__ == "__main__":
    side = {"line": run_line, "clip": run_clip}[sys.argv[1]]
    print(json.dumps(side(*sys.argv[2:])))
