"""What one more stream costs a worker that holds several: memory, and how many fit in time.

A real worker process (``runtime.worker.main``, spawned as the house spawns it) plays 1, then several 1080p25 streams in
real time under a lease that is renewed twice a second. Its proportional set size is read from ``/proc`` after the gates
have shut and every group of pictures has been held; the figure is the slope. Each stream has a confirmed backdrop of
its own (they differ in one pixel, so that none is shared by accident).
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from canvas import HEIGHT, WIDTH, backdrop
from measures import Figure, figure
from streams import Recipe, stream
from watchglass.perception.messages import AnalyticSpec, Health, Lease, SourceSpec, Stop, ZoneSpec
from watchglass.runtime import worker
from watchglass.views.backdrop import Backdrop

Progress = Callable[[str], None]
TARGET_MIB = 80.0
_LEASE_MS = 1500
_SAMPLES = 8


def specs(path: Path, count: int, pngs: list[bytes] | None) -> tuple[SourceSpec, ...]:
    """So many live sources that play the same file."""
    picture = ZoneSpec("picture", ((0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)))
    rules = (
        AnalyticSpec("intrusion", "intrusion", picture, {"for_ms": 1000}),
        AnalyticSpec("fault", "camera_fault", None, {}),
    )
    return tuple(
        SourceSpec(f"s{i}", str(path), rules, loop=True, backdrops=(("day", pngs[i]),) if pngs else ())
        for i in range(count)
    )


def own_backdrops(data: Path, count: int) -> list[bytes]:
    """PNGs of the empty scene that differ from each other in one pixel."""
    result = []
    for number in range(count):
        picture = backdrop(data).copy()
        picture[0, 0] = number
        result.append(Backdrop(picture, np.ones(picture.shape[:2], bool)).to_png())
    return result


@dataclass(frozen=True)
class Held:
    """What a worker with some live streams came to.

    Attributes:
        mib: its proportional set size, the median of the last readings.
        health: the last line of each source.
        late_ms: how much its sources skipped in the second half of the time, because it could not keep up.
        cpu: CPU seconds a second that its sources cost in the second half.
    """

    mib: float
    health: dict[str, Health]
    late_ms: int
    cpu: float


def held(sources: tuple[SourceSpec, ...], seconds: float) -> Held:
    """Run a worker with these sources for so many seconds."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=worker.main, args=(theirs, sources))
    process.start()
    theirs.close()
    names = frozenset(s.name for s in sources)
    running = frozenset((s.name, a.name) for s in sources for a in s.analytics)
    last: dict[str, Health] = {}
    half: dict[str, Health] = {}
    readings: list[float] = []
    end = time.monotonic() + seconds
    try:
        while (left := end - time.monotonic()) > 0:
            ours.send(Lease("bench", running, names, int(time.time() * 1000) + _LEASE_MS))
            until = time.monotonic() + 0.5
            while ours.poll(max(0.0, until - time.monotonic())):
                report = ours.recv()
                if isinstance(report, Health):
                    last[report.source] = report
            if not half and left <= seconds / 2:
                half = dict(last)
            if left < _SAMPLES * 0.5:
                readings.append(pss_mib(process.pid or 0))
        ours.send(Stop())
        process.join(10)
    finally:
        if process.is_alive():
            process.kill()
        process.join()
        ours.close()
    return Held(
        statistics.median(readings),
        last,
        sum(h.dropped.get("late_ms", 0) - half[name].dropped.get("late_ms", 0) for name, h in last.items()),
        sum(h.cpu_seconds - half[name].cpu_seconds for name, h in last.items()) / (seconds / 2),
    )


def pss_mib(pid: int) -> float:
    """The proportional set size of a process (Linux)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise OSError("the kernel does not say a process's proportional set size")


def memory(data: Path, *, quick: bool, progress: Progress) -> list[Figure]:
    """``memory_per_stream_mib``, and the same while the backdrop is still being learned."""
    name, unit = "memory_per_stream_mib", "MiB a further 1080p stream"
    if not Path("/proc/self/smaps_rollup").is_file():
        return [figure(name, None, TARGET_MIB, unit=unit, note="needs Linux's /proc/PID/smaps_rollup")]
    path = stream(Recipe("quiet", 60), data, progress)
    counts = (1, 4) if quick else (1, 4, 8)
    seconds = 15.0 if quick else 40.0
    result = []
    for label, pngs in (("", own_backdrops(data, counts[-1])), ("_learning", None)):
        if pngs is None and quick:
            break
        sizes = []
        shut: dict[str, Health] = {}
        for count in counts:
            progress(f"a worker with {count} streams{label.replace('_', ', ')}, {seconds:.0f} s")
            done = held(specs(path, count, pngs), seconds)
            shut = done.health
            sizes.append(done.mib)
        slope = float(np.polyfit(counts, sizes, 1)[0])
        steps = [(b - a) / (n - m) for (m, a), (n, b) in zip(zip(counts, sizes), zip(counts[1:], sizes[1:]))]  # noqa: B905 # pairs of neighbours
        read = ", ".join(f"{n}: {mib:.0f}" for n, mib in zip(counts, sizes, strict=True))
        late = sum(h.dropped.get("late_ms", 0) for h in shut.values())
        open_ = statistics.mean(h.open_share for h in shut.values()) if shut else 0.0
        what = "backdrop confirmed" if pngs else "backdrop being learned"
        result.append(
            figure(
                name + label, slope, None if label else TARGET_MIB, unit=unit,
                interval=sorted((min(steps), max(steps))), n=counts[-1],
                note=f"proportional set size after {seconds:.0f} s by streams: {read} MiB; {what}, 4 Mbit/s CBR, "
                f"open {open_:.0%} of the last minute, {late} ms late",
            )
        )  # fmt: skip
    return result


def streams_held(data: Path, *, quick: bool, progress: Progress) -> list[Figure]:
    """How many quiet live streams one worker really holds: so many that none of them skips anything."""
    path = stream(Recipe("quiet", 60 if quick else 600), data, progress)
    best: tuple[int, Held] | None = None
    tried = []
    for count in (20,) if quick else (40, 60, 80, 100):
        progress(f"a worker with {count} quiet streams")
        done = held(specs(path, count, own_backdrops(data, 1) * count), 30.0 if quick else 90.0)
        tried.append(f"{count}: {done.cpu:.2f} CPU s a second, {done.late_ms} ms skipped")
        if done.late_ms:
            break
        best = (count, done)
    return [
        figure(
            "worker_streams_held", best[0] if best else 0, better="higher", n=len(tried),
            unit="1080p25 streams a worker",
            note=f"run, live, all started at once; counted after the first half of the time; {'; '.join(tried)}",
        )
    ]  # fmt: skip
