"""What the whole line costs against decoding alone. Read by ``watchglass bench perception``.

A (decode everything, one thread) and B (the whole line: demultiplex, gate, decode, detect, track, judge, paint, clips)
run in turn, A B A B, each in a process of its own; the figure is the median of the pairwise ratios of their CPU time
(user and system, threads and children included). Start-up (imports, loading the model) is left out of both.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np

from streams import HEIGHT, WIDTH, Recipe, backdrop, file_hash, stream
from watchglass.edge.inference import load
from watchglass.edge.video import VideoFile
from watchglass.perception.messages import AnalyticSpec, Clip, Health, Incident, Report, SourceSpec, ZoneSpec
from watchglass.perception.ring import ClipOrder
from watchglass.runtime.clips import Studio, make_clip
from watchglass.runtime.worker import run_once
from watchglass.views.backdrop import Backdrop

Figure = dict[str, Any]
Progress = Callable[[str], None]

DEMO_CLIP = Path(__file__).resolve().parent.parent / "src/watchglass/demo"


def _figure(name: str, value: float | None, target: float | None, **rest: Any) -> Figure:
    return {
        "name": name,
        "value": None if value is None else round(value, 4),
        "unit": "ratio",
        "better": "lower",
        "target": target,
        "ok": None if target is None or value is None else value <= target,
        "interval": None,
        "n": 0,
        "against": "single-threaded full decode of the same stream, in turn",
        "note": "",
    } | rest


# ---- the two sides, each in a process of its own ---------------------------------------------------------------------


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def run_decode(path: str) -> dict[str, float]:
    """Decode everything on one thread, and drop it."""
    with av.open(path) as container:
        video = container.streams.video[0]
        video.codec_context.thread_count = 1
        began, frames = _cpu(), 0
        for _ in container.decode(video):
            frames += 1
        return {"cpu": _cpu() - began, "frames": frames}


def run_line(path: str, data: str) -> dict[str, float]:
    """The whole line on one file, as a worker runs it."""
    width, height, png = WIDTH, HEIGHT, None
    if data:
        scene = backdrop(Path(data))
        png = Backdrop(scene, np.ones(scene.shape[:2], bool)).to_png()
    else:
        with av.open(path) as container:
            width, height = container.streams.video[0].width, container.streams.video[0].height
    # The lawn, on which hardly anybody walks, and the whole crossing.
    lawn = ZoneSpec("lawn", ((0, 0.5 * height), (0.4 * width, 0.6 * height), (0.4 * width, height), (0, height)))
    crossing = ZoneSpec("crossing", ((0, 0), (width, 0), (width, height), (0, height)), 150.0)
    rules = (
        AnalyticSpec("intrusion", "intrusion", lawn, {"for_ms": 1000}),
        AnalyticSpec("crowding", "crowd_density", crossing, {"people_per_m2": 0.05, "for_ms": 5000}),
        AnalyticSpec("fault", "camera_fault", None, {}),
    )
    spec = SourceSpec("bench", path, rules, realtime=False, backdrop=png)
    detector = load()
    seen = {"incidents": 0, "clips": 0, "inferences": 0, "decoded": 0, "frames": 0, "open": 0.0}

    def on_report(report: Report) -> None:
        seen["incidents"] += isinstance(report, Incident)
        seen["clips"] += isinstance(report, Clip)
        if isinstance(report, Health):
            seen.update(inferences=report.inferences, decoded=report.decoded, frames=report.frames)

    began = _cpu()
    ended = run_once(spec, detector, on_report)
    return {"cpu": _cpu() - began, "seconds": ended.video_seconds, **seen}


def run_clip(path: str, data: str) -> dict[str, float]:
    """One incident's mosaicked clip: eight seconds, decoded again from memory, mosaicked, encoded."""
    file = VideoFile(Path(path))
    packets = tuple(p for p in file.packets(0) if p.at_ms <= 12_000)
    scene = backdrop(Path(data))
    studio = Studio(file.decoder, (file.width, file.height), file.fps, Backdrop(scene, np.ones(scene.shape[:2], bool)))
    order = ClipOrder("0" * 16, "bench", 4_000, 12_000, packets[4 * round(file.fps) :], ())
    began = _cpu()
    clip = make_clip(order, studio)
    return {"cpu": _cpu() - began, "seconds": clip.seconds, "bytes": len(clip.mp4)}


def _measure(what: str, *args: str) -> dict[str, float]:
    root = Path(__file__).resolve().parent.parent
    command = [sys.executable, str(Path(__file__).resolve()), what, *args]
    environment = os.environ | {"PYTHONPATH": str(root / "src"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{what} failed: {done.stderr[-500:]}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


# ---- figures ---------------------------------------------------------------------------------------------------------

_RATIOS = (
    # name, stream, rate, final target, milestone
    ("quiet_cbr_ratio", "quiet", "cbr", 0.10, 0.35),
    ("quiet_vbr_ratio", "quiet", "vbr", 0.20, 0.35),
    ("active10_cbr_ratio", "active10", "cbr", 0.25, None),
    ("busy_ratio", "busy", "cbr", 1.35, 2.0),
)


def _ratio(row: tuple[str, str, str, float, float | None], data: Path, *, quick: bool, progress: Progress) -> Figure:
    name, content, rate, target, milestone = row
    path = stream(Recipe(content, 60 if quick else 600, rate), data, progress)
    pairs = []
    for turn in range(1 if quick else 3):
        progress(f"{name}: pair {turn + 1}")
        pairs.append((_measure("decode", str(path)), _measure("line", str(path), str(data))))
    ratios = [line["cpu"] / decode["cpu"] for decode, line in pairs]
    line = pairs[-1][1]
    value = statistics.median(ratios)
    met = "" if milestone is None else f"milestone {milestone}: {'met' if value <= milestone else 'missed'}; "
    note = (
        f"{met}{line['inferences'] / line['seconds']:.2f} inferences/s, "
        f"{line['decoded'] / line['frames']:.3f} of frames decoded, {line['incidents']:.0f} incidents, "
        f"{line['clips']:.0f} clips, full decode "
        f"{1000 * pairs[-1][0]['cpu'] / line['seconds']:.0f} ms a second; stream {file_hash(path)}, backdrop confirmed"
    )
    interval = None if len(ratios) < 2 else [round(min(ratios), 4), round(max(ratios), 4)]
    return _figure(name, value, target, interval=interval, n=len(ratios), note=note)


def _demo() -> Figure:
    name = "demo_clip_cpu_ms_per_s"
    rest = {"unit": "ms per second of video", "against": None}
    clips = sorted(DEMO_CLIP.rglob("*.mp4")) if DEMO_CLIP.is_dir() else []
    if not clips:
        return _figure(name, None, None, **rest, note="the demo's clip is not in this checkout")
    line = _measure("line", str(clips[0]), "")
    pace = line["inferences"] / line["seconds"]
    note = f"{clips[0].name}: {pace:.2f} inferences/s, {line['clips']:.0f} clips, no backdrop"
    return _figure(name, 1000 * line["cpu"] / line["seconds"], None, **rest, n=1, note=note)


def _clip(data: Path, *, quick: bool, progress: Progress) -> Figure:
    path = stream(Recipe("busy", 60 if quick else 600), data, progress)
    progress("one clip")
    clip = _measure("clip", str(path), str(data))
    note = (
        f"per incident, beside the ratios above: {clip['seconds']:.1f} s of 1080p busy, {clip['bytes'] / 1000:.0f} kB"
    )
    return _figure("incident_clip_cpu_s", clip["cpu"], None, unit="CPU s a clip", against=None, n=1, note=note)


def figures(*, quick: bool, progress: Progress) -> list[Figure]:
    """The figures of ``watchglass bench perception``.

    Args:
        quick: streams of one minute and one pair, instead of ten minutes and three pairs.
        progress: told what is happening.
    """
    data = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data")).resolve()
    if not (data / "media/pets_s2l1/vtest.avi").is_file():
        missing = "PETS data not found; set WATCHGLASS_DATA"
        result = [_figure(row[0], None, row[3], note=missing) for row in _RATIOS]
    else:
        result = [_ratio(row, data, quick=quick, progress=progress) for row in _RATIOS]
        result.append(_clip(data, quick=quick, progress=progress))
    progress("demo clip")
    return [*result, _demo()]


if __name__ == "__main__":
    side = {"decode": run_decode, "line": run_line, "clip": run_clip}[sys.argv[1]]
    print(json.dumps(side(*sys.argv[2:])))
