"""How long after its last picture was filmed an incident's mosaicked clip is there.

A worker, as a house runs it, plays the busy stream in real time; rules on strips of the picture fire again and again.
The clock runs from the end of the clip (the incident's capture time and ``clip_after_ms``) to the report that holds it:
what is left of decoding again and of the detector's looks, mosaicking, encoding, and waiting for the clips before it.
What a reviewer waits after the alert is ``clip_after_ms`` more.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np

from canvas import HEIGHT, WIDTH, backdrop
from measures import Figure, figure, quantile, quantile_interval
from streams import Recipe, stream
from watchglass.perception.messages import AnalyticSpec, Clip, Incident, Lease, Report, SourceSpec, Stop, ZoneSpec
from watchglass.runtime import worker
from watchglass.views.backdrop import Backdrop

Progress = Callable[[str], None]

NAME = "clip_ready_p95_s"
_STRIPS = 4
_LEASE_MS = 1500
_GRACE_S = 30
"""So long clips are waited for after the last lease."""


def clip_ready(data: Path, *, quick: bool, progress: Progress) -> Figure:
    """``clip_ready_p95_s``."""
    path = stream(Recipe("busy", 60), data, progress)
    progress(f"{NAME}: {'1 minute' if quick else '5 minutes'} in real time")
    incidents, clips = _played(_spec(path, data), 60 if quick else 300)
    seconds = [(arrived - ended) / 1000 for number, arrived in clips.items() if (ended := incidents.get(number))]
    if not seconds:
        return figure(NAME, None, unit="s", note="no clip came")
    note = (
        f"median {quantile(seconds, 0.5):.1f} s, longest {max(seconds):.1f} s; {len(clips)} clips of 8 s of 1080p in "
        f"{60 if quick else 300} s of busy stream, {len(incidents) - len(clips)} not there in time; a reviewer waits "
        "the 4 s more that are still being filmed"
    )
    return figure(
        NAME, quantile(seconds, 0.95), unit="s", n=len(seconds), note=note,
        interval=quantile_interval(seconds, 0.95) if len(seconds) >= 20 else None,
    )  # fmt: skip


def _spec(path: Path, data: Path) -> SourceSpec:
    scene = backdrop(data)
    png = Backdrop(scene, np.ones(scene.shape[:2], bool)).to_png()
    edges = np.linspace(0, WIDTH, _STRIPS + 1)
    rules = tuple(
        AnalyticSpec(
            f"strip-{number}",
            "intrusion",
            ZoneSpec(f"strip-{number}", ((left, 0), (right, 0), (right, HEIGHT), (left, HEIGHT))),
            {"for_ms": 1000, "rearm_ms": 1000},
        )
        for number, (left, right) in enumerate(pairwise(edges))
    )
    return SourceSpec("bench", str(path), rules, loop=True, backdrops=(("day", png),))


def _played(spec: SourceSpec, seconds: int) -> tuple[dict[str, int], dict[str, int]]:
    """When each incident's clip ended, and when each clip arrived: by the incident's id, ms since the epoch.

    Incidents whose clip was still being filmed at the end are left out.
    """
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=worker.main, args=(theirs, (spec,)))
    process.start()
    theirs.close()
    ended: dict[str, int] = {}
    arrived: dict[str, int] = {}
    running = frozenset((spec.name, rule.name) for rule in spec.analytics)
    until = time.monotonic() + seconds
    leased = 0.0
    try:
        while (now := time.monotonic()) < until + _GRACE_S and not (now > until and len(arrived) == len(ended)):
            if now < until and now - leased > 0.5:
                leased = now
                ours.send(Lease("bench", running, frozenset([spec.name]), _now() + _LEASE_MS))
            if not ours.poll(0.2):
                continue
            report: Report = ours.recv()
            if isinstance(report, Incident) and now + spec.clip_after_ms / 1000 < until:
                ended[report.id] = report.at_ms + spec.clip_after_ms
            elif isinstance(report, Clip) and report.incident in ended:
                arrived[report.incident] = _now()
        ours.send(Stop())
    finally:
        ours.close()
        process.join(30)
        if process.is_alive():
            process.terminate()
    return ended, arrived


def _now() -> int:
    return time.time_ns() // 1_000_000
