"""``watchglass paint`` against ``deface`` on the same files, end to end. Read by ``watchglass bench paint``.

Both run as a person would run them: whole processes, from start-up to the finished file, at their defaults, with all
cores of the machine. They run in turn, A B C A B C …: ``deface``, painted, mosaic. A figure is the median of the
pairwise ratios of wall time; the note gives the same for CPU time (user and system, child processes included).

``deface`` (PyPI, MIT) detects faces on every frame and blurs them; it runs in the environment that ``make peers``
builds, with ONNX Runtime there, which it prefers to OpenCV. It is the faster of its two ways.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from canvas import cache_folder, file_hash
from measures import Figure, figure
from streams import Recipe, stream

Progress = Callable[[str], None]

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".venv-peers/bin"
TARGET = 10.0
_LEFT_OUT = "left out by --quick; add --only {}, or run without --quick"
_PETS_QUICK_S, _HD_S, _HD_QUICK_S = 20, 36, 2


@dataclass(frozen=True)
class Ran:
    """One run of one program: wall and CPU seconds, and what ours reported."""

    wall: float
    cpu: float
    report: dict[str, Any]


def run(command: Sequence[str], report: Path | None = None) -> Ran:
    """Run a program to its end.

    Raises:
        RuntimeError: it failed.
    """
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {done.stderr[-500:]}")
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Ran(wall, cpu, json.loads(report.read_text("utf-8")) if report else {})


def deface(source: Path, folder: Path) -> Ran:
    """``deface`` at its defaults."""
    target = folder / "deface.mp4"
    target.unlink(missing_ok=True)
    return run([str(PEERS / "deface"), str(source), "--output", str(target)])


def paint(source: Path, folder: Path, mode: str) -> Ran:
    """Ours, at its defaults."""
    target, report = folder / f"{mode}.mp4", folder / f"{mode}.json"
    words = ["paint", str(source), str(target), "--mode", mode, "--force", "--json", str(report)]
    return run([sys.executable, "-m", "watchglass", *words], report)


def excerpt(source: Path, seconds: float) -> Path:
    """The first seconds of a file, its packets unchanged; kept in the cache folder."""
    path = cache_folder() / f"{source.stem}-first-{seconds:g}s-{file_hash(source)}{source.suffix}"
    if path.exists():
        return path
    unfinished = path.with_name(f"{os.getpid()}-{path.name}")
    with av.open(str(source)) as given, av.open(str(unfinished), "w") as made:
        stream = given.streams.video[0]
        copy = made.add_stream_from_template(stream)
        for packet in given.demux(stream):
            if packet.dts is not None and packet.dts * (stream.time_base or Fraction(1)) < seconds:
                packet.stream = copy
                made.mux(packet)
    unfinished.rename(path)
    return path


def versions() -> str:
    """What is compared with: names and versions in the peers' environment."""
    ask = (
        "from importlib.metadata import version as v; "
        "print(', '.join(f'{n} {v(n)}' for n in ('deface', 'onnxruntime', 'opencv-python')))"
    )
    done = subprocess.run([str(PEERS / "python"), "-c", ask], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "deface of an unknown version"


def pets(data: Path, *, quick: bool, progress: Progress) -> list[Figure]:
    """The whole recording PETS S2.L1, 768 x 576, ten pictures a second; in ``--quick`` its first 20 seconds."""
    source = data / "media/pets_s2l1/vtest.avi"
    return _compared(
        "pets", excerpt(source, _PETS_QUICK_S) if quick else source, turns=1 if quick else 3, progress=progress
    )


def hd(data: Path, *, quick: bool, progress: Progress) -> list[Figure]:
    """1080p25, people throughout: an excerpt of the benchmark's busy stream."""
    whole = stream(Recipe("busy", 60), data, progress)
    source = excerpt(whole, _HD_QUICK_S) if quick else excerpt(whole, _HD_S)
    return _compared("1080p", source, turns=1 if quick else 2, progress=progress)


def _compared(name: str, source: Path, *, turns: int, progress: Progress) -> list[Figure]:
    rounds: list[tuple[Ran, Ran, Ran]] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for turn in range(turns):
            progress(f"{name}: deface, painted, mosaic, turn {turn + 1} of {turns}")
            rounds.append((deface(source, folder), paint(source, folder, "painted"), paint(source, folder, "mosaic")))
    against = f"{versions()}, at its defaults, same file, whole processes in turn, all {os.cpu_count()} cores for both"
    return [
        _figure(f"paint_speedup_{name}_{mode}", [(each[0], each[column]) for each in rounds], against, source)
        for column, mode in ((1, "painted"), (2, "mosaic"))
    ]


def _figure(name: str, pairs: Sequence[tuple[Ran, Ran]], against: str, source: Path) -> Figure:
    walls = [theirs.wall / ours.wall for theirs, ours in pairs]
    cpus = [theirs.cpu / ours.cpu for theirs, ours in pairs]
    theirs, ours = pairs[-1]
    told = ours.report
    note = (
        f"wall {theirs.wall:.1f} s against {ours.wall:.1f} s; CPU {theirs.cpu:.1f} s against {ours.cpu:.1f} s, "
        f"{statistics.median(cpus):.1f} times; {told['frames']} pictures read, ours writes {told['written']}, "
        f"{told['detector_looks']} looks of the detector; grey {told['grey_median']:.2f}; "
        f"file {file_hash(source)}, {told['seconds']:.0f} s"
    )
    return figure(
        name, statistics.median(walls), better="higher", unit="times as fast", n=len(pairs),
        interval=None if len(walls) < 2 else (min(walls), max(walls)), against=against, note=note,
    )  # fmt: skip


PARTS: dict[str, Callable[..., list[Figure]]] = {"pets": pets, "hd": hd}
IN_QUICK = ("pets",)
_NAMES = {"pets": "pets", "hd": "1080p"}


def figures(*, quick: bool, progress: Progress, only: Sequence[str] = ()) -> list[Figure]:
    """The figures of ``watchglass bench paint``; the first is the least of the painted ones.

    Args:
        quick: short excerpts and one turn, of which start-up is a large part.
        progress: told what is happening.
        only: names of ``PARTS``.
    """
    data = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data")).resolve()
    why = ""
    if not (data / "media/pets_s2l1/vtest.avi").is_file():
        why = "PETS data not found; set WATCHGLASS_DATA"
    elif not (PEERS / "deface").exists():
        why = "needs the peers' environment: make peers"
    found: list[Figure] = []
    for part, measure in PARTS.items():
        if only and part not in only:
            continue
        left_out = quick and not only and part not in IN_QUICK
        if why or left_out:
            names = (f"paint_speedup_{_NAMES[part]}_{mode}" for mode in ("painted", "mosaic"))
            found += [
                figure(name, None, better="higher", unit="times as fast", note=why or _LEFT_OUT.format(part))
                for name in names
            ]
        else:
            found += measure(data, quick=quick, progress=progress)
    return [_least(found, why), *found]


def _least(found: Sequence[Figure], why: str) -> Figure:
    painted = [each for each in found if each["name"].endswith("_painted") and each["value"] is not None]
    least = min(painted, key=lambda each: float(each["value"]), default=None)
    if least is None:
        return figure("paint_speedup_vs_deface", None, TARGET, better="higher", unit="times as fast", note=why)
    return figure(
        "paint_speedup_vs_deface", least["value"], TARGET, better="higher", unit="times as fast", n=least["n"],
        interval=least["interval"], against=least["against"], note=f"the least of the painted ones: {least['name']}",
    )  # fmt: skip
