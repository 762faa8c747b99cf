"""What bad input does to the line. Read by ``watchglass bench fuzz``.

Ten thousand mutated files (``mutations``) go through the real things: container, decoder, gate, tracker, rules, clips.
Most run in this benchmark's own processes, one after another, so that whatever breaks has a number that makes it again
(``python benchmarks/fuzz.py NUMBER``); a share runs in real worker processes under a lease, beside sound files that
must not suffer; and cameras on loopback lie to a worker in every way that was thought of. In most runs the detector is
a stand-in that costs nothing; one in twenty has the real one.

*Reported* means: FFmpeg alone, asked for the same file in the same way, met damage (it could not open it, an error,
a picture marked as corrupt, fewer pictures than promised), and the line said so too: the source ended with what to
do, or its health counted what was lost, or named a fault.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import multiprocessing
import socket
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Self

import av
import numpy as np

from liars import LIES, Liars
from measures import Figure, figure
from mutations import PICTURES, SEED, Original, case, originals
from watchglass.edge.inference import load
from watchglass.edge.limits import FILE_OPTIONS
from watchglass.perception.messages import (
    AnalyticSpec,
    Clip,
    Health,
    Incident,
    Lease,
    Report,
    SourceEnded,
    SourceSpec,
    Stop,
    ZoneSpec,
)
from watchglass.perception.observation import Detections
from watchglass.perception.ports import Detector, Image
from watchglass.runtime import worker

Progress = Callable[[str], None]
PARTS: Final = ("files", "workers", "streams")

FILES: Final = 9_000
IN_WORKERS: Final = 1_000
QUICK_FILES: Final = 300
QUICK_IN_WORKERS: Final = 50
HANG_S: Final = 120.0
"""One input may take so long on a busy machine before it counts as a hang."""

GROWTH_MIB: Final = 48.0
"""What memory may grow by over a thousand inputs, after the first two hundred."""

_BATCH: Final = 1_000
_WARM: Final = 200
_GROUP: Final = 24
_REAL_EVERY: Final = 20
_LEASE_MS: Final = 1_500
_QUIET: Final = 5.0
LIES_MIB: Final = 1_024.0


class Walking:
    """A stand-in detector: one person, who walks from left to right; no thought is given to the picture."""

    side = 320

    def __init__(self) -> None:
        self._turn = 0

    def detect(self, bgr: Image) -> Detections:
        """See ``perception.ports.Detector.detect``."""
        height, width = bgr.shape[:2]
        self._turn += 1
        left = float(self._turn % 8) / 8 * width * 0.8
        box = np.array([[left, height * 0.2, left + width * 0.15, height * 0.9]], np.float32)
        return Detections(box, np.array([0.9], np.float32), np.zeros(1, np.int8))


@dataclass(slots=True)
class Outcome:
    """What became of one input.

    Attributes:
        met: the damage that FFmpeg alone met; empty for none.
        told: what the line said.
        stray: the error that nobody expected; empty for none.
        frames: packets that were read.
        shut: the gate was shut at times, so not everything was decoded; what is not looked at is not missed.
    """

    number: int
    kind: str
    met: str = ""
    told: tuple[str, ...] = ()
    stray: str = ""
    frames: int = 0
    shut: bool = False

    @property
    def unreported(self) -> bool:
        """Damage that was met by FFmpeg alone, in what was looked at, and not a word of it."""
        return bool(self.met) and not (self.told or self.stray or self.shut)


# ---- one input -------------------------------------------------------------------------------------------------------


def met_by_ffmpeg(path: Path) -> str:
    """The damage that FFmpeg alone meets in a file; empty where it meets none."""
    try:
        with av.open(str(path), options=FILE_OPTIONS, metadata_errors="replace") as container:
            if not container.streams.video:
                return "no video stream"
            stream = container.streams.video[0]
            if stream.codec_context is None:
                return "no decoder"
            stream.thread_count = 1
            stream.codec_context.options = {"max_pixels": FILE_OPTIONS["max_pixels"]}
            return _met(container, stream)
    except (av.error.FFmpegError, OSError) as error:
        return f"{type(error).__name__}"


def _demuxed(container: Any, stream: Any) -> Iterator[Any]:
    with suppress(IndexError):  # PyAV 18, where streams appear on the way
        yield from container.demux(stream)


def _met(container: Any, stream: Any) -> str:
    count = corrupt = errors = 0
    for packet in _demuxed(container, stream):
        if not packet.size:
            continue
        count += 1
        try:
            corrupt += sum(bool(frame.is_corrupt) for frame in packet.decode())
        except av.error.FFmpegError:
            errors += 1
    if errors or corrupt:
        return f"{errors} errors, {corrupt} corrupt pictures"
    if not count or count < 0.98 * stream.frames:
        return f"{count} pictures of {stream.frames}"
    return ""


def spec_of(name: str, path: Path, number: int, **more: Any) -> SourceSpec:
    """How an input is looked at: three in four with the gate always open, one in four with a rule that cuts clips."""
    rules = [AnalyticSpec("fault", "camera_fault", None, {})]
    if number % 4 == 0:
        zone = ZoneSpec("zone", ((0, 0), (160, 0), (160, 120), (0, 120)))
        rules.append(AnalyticSpec("intrusion", "intrusion", zone, {"for_ms": 400}))
    gate = "auto" if number % 4 == 2 else "always_open"  # one in four
    return SourceSpec(name, str(path), tuple(rules), **{"realtime": False, "gate": gate, **more})


def play(path: Path, number: int, kind: str, detector: Detector) -> Outcome:
    """One file through the whole line, in this process."""
    outcome = Outcome(number, kind, met_by_ffmpeg(path))
    health: list[Health] = []
    told: list[str] = []

    def take(report: Report) -> None:
        if isinstance(report, Health):
            health.append(report)
        elif isinstance(report, Incident) and report.kind == "camera_fault":
            told.append("camera_fault")
        elif isinstance(report, Clip) and not report.mp4:
            raise AssertionError("an empty clip")

    try:
        ended = worker.run_once(spec_of("source", path, number), detector, take)
    except Exception:  # noqa: BLE001 # this is what is looked for
        outcome.stray = traceback.format_exc(limit=-4)
        return outcome
    outcome.frames = ended.frames
    last = health[-1] if health else None
    told += [f"ended: {ended.error}"] if ended.error else []
    outcome.shut = last is not None and last.open_share < 1
    told += [f"dropped: {last.dropped}"] if last and last.dropped else []
    told += [f"fault: {each.fault}" for each in health if each.fault][:1]
    outcome.told = tuple(told)
    return outcome


def make(number: int, found: Sequence[Original], folder: Path, canary: str) -> tuple[Path, str]:
    """The input's file, and its kind."""
    made = case(number, found, canary=canary)
    return made.write(folder / f"input-{number}"), made.kind


# ---- many, in processes of their own ---------------------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """What became of many inputs."""

    outcomes: list[Outcome] = field(default_factory=list)
    crashes: list[tuple[int, str, str]] = field(default_factory=list)
    hangs: list[tuple[int, str]] = field(default_factory=list)
    growth: list[float] = field(default_factory=list)
    real: int = 0


def batch(conn: Connection, numbers: Sequence[int], found: tuple[Original, ...], folder: Path, canary: str) -> None:
    """The life of a process that tries inputs one after another and says what it begins and what came of it."""
    _silence()
    cheap, real = Walking(), load("onnxruntime")
    before: float | None = None
    for i, number in enumerate(numbers):
        if i == _WARM:
            before = resident_mib()
        made = case(number, found, canary=canary)
        conn.send(("begun", number, made.kind))
        path = made.write(folder / f"input-{number}")
        conn.send(("done", play(path, number, made.kind, real if number % _REAL_EVERY == 0 else cheap)))
        path.unlink()
    after = resident_mib()
    conn.send(("over", None if before is None or after is None else (after - before, len(numbers) - _WARM)))
    conn.close()


def _silence() -> None:
    """Neither FFmpeg nor the log of clips that could not be made: ten thousand damaged files have much to say."""
    av.logging.set_level(None)
    logging.disable(logging.CRITICAL)


def resident_mib() -> float | None:
    """What this process holds, after what is free was given back; None where the system does not say."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
        text = Path("/proc/self/smaps_rollup").read_text("utf-8")
    except (OSError, AttributeError):
        return None
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_")) / 1024


def run_files(first: int, count: int, found: tuple[Original, ...], canary: str, progress: Progress) -> Tally:
    """So many inputs, a thousand to a process; one that kills its process is counted, and the next goes on."""
    tally = Tally()
    todo = list(range(first, first + count))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "good.mp4").write_bytes(found[0].data)
        while todo:
            done = _supervised(todo[:_BATCH], found, place, canary, tally)
            todo = todo[done:]
            progress(f"files: {count - len(todo)} of {count} tried, {len(tally.crashes)} crashes")
    return tally


def _supervised(numbers: list[int], found: tuple[Original, ...], folder: Path, canary: str, tally: Tally) -> int:
    """How many of the numbers one process dealt with, the one that it died of included."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=batch, args=(theirs, numbers, found, folder, canary))
    process.start()
    theirs.close()
    done, current, kind = 0, numbers[0], ""
    try:
        while True:
            if not ours.poll(HANG_S):
                tally.hangs.append((current, kind))
                return done + 1
            message = ours.recv()
            if message[0] == "begun":
                _, current, kind = message
            elif message[0] == "done":
                done += 1
                outcome = message[1]
                tally.outcomes.append(outcome)
                tally.real += outcome.number % _REAL_EVERY == 0
                if outcome.stray:
                    tally.crashes.append((outcome.number, outcome.kind, outcome.stray.strip()))
            else:
                if message[1] is not None:
                    grown, over = message[1]
                    tally.growth.append(grown * _BATCH / max(1, over))
                return done
    except EOFError:
        process.join(10)
        tally.crashes.append((current, kind, f"the process ended with exit code {process.exitcode}"))
        return done + 1
    finally:
        if process.is_alive():
            process.join(10)
        if process.is_alive():
            process.kill()
            process.join()
        ours.close()


# ---- in real worker processes ----------------------------------------------------------------------------------------


class House:
    """A real worker process and the end of the pipe that the house holds: it renews leases and keeps what is said."""

    def __init__(self, specs: tuple[SourceSpec, ...]) -> None:
        context = multiprocessing.get_context("spawn")
        self.conn, theirs = context.Pipe()
        self.process = context.Process(target=worker.main, args=(theirs, specs))
        self.process.start()
        theirs.close()
        self.specs = specs
        self.ended: dict[str, SourceEnded] = {}
        self.last: dict[str, Health] = {}
        self.faults: dict[str, set[str]] = {spec.name: set() for spec in specs}
        self.dropped: dict[str, int] = {}
        self.most_mib = 0.0
        self.stalled: dict[str, float] = {}
        self._moved: dict[str, tuple[int, float]] = {}
        self.gone = False

    def run(self, seconds: float, *, enough: Callable[[], bool]) -> None:
        """Until that is enough, the worker is gone, or the time is over."""
        end = time.monotonic() + seconds
        pairs = frozenset((s.name, a.name) for s in self.specs for a in s.analytics)
        names = frozenset(s.name for s in self.specs)
        while time.monotonic() < end and not self.gone and not enough():
            try:
                self.conn.send(Lease("bench", pairs, names, round(time.time() * 1000) + _LEASE_MS))
                until = time.monotonic() + 0.4
                while not self.gone and self.conn.poll(max(0.0, until - time.monotonic())):
                    self._take(self.conn.recv())
            except (EOFError, OSError):
                self.gone = True
            self.most_mib = max(self.most_mib, _pss_mib(self.process.pid or 0))

    def played(self, name: str) -> bool:
        """Whether a source has said that pictures of it came."""
        return name in self.last and self.last[name].frames > 0

    def stop(self) -> int | None:
        """The worker's exit code; -9 where it had to be killed."""
        try:
            self.conn.send(Stop())
            while self.conn.poll(10):
                self._take(self.conn.recv())
        except (EOFError, OSError):
            pass
        self.process.join(20)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.conn.close()
        return self.process.exitcode

    def _take(self, report: Report) -> None:
        if isinstance(report, SourceEnded):
            self.ended[report.source] = report
        elif isinstance(report, Health):
            self.last[report.source] = report
            if report.fault:
                self.faults[report.source].add(report.fault)
            frames, since = self._moved.get(report.source, (-1, time.monotonic()))
            now = time.monotonic()
            if report.frames != frames:
                self._moved[report.source] = (report.frames, now)
            else:
                self.stalled[report.source] = max(self.stalled.get(report.source, 0.0), now - since)


def _pss_mib(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


@dataclass(slots=True)
class Rounds:
    """What became of inputs in real workers."""

    inputs: int = 0
    died: list[str] = field(default_factory=list)
    unended: list[str] = field(default_factory=list)
    hurt: list[str] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)


def run_workers(first: int, count: int, found: tuple[Original, ...], canary: str, progress: Progress) -> Rounds:
    """Two dozen bad files to a worker, beside a sound one that must come through whole and one that must go on."""
    rounds = Rounds()
    for start in range(first, first + count, _GROUP):
        numbers = range(start, min(start + _GROUP, first + count))
        with tempfile.TemporaryDirectory() as folder:
            _round(numbers, found, Path(folder), canary, rounds)
        progress(f"workers: {rounds.inputs} of {count} files tried, {len(rounds.died)} workers died")
    return rounds


def _round(numbers: range, found: tuple[Original, ...], folder: Path, canary: str, rounds: Rounds) -> None:
    good = folder / "good.mp4"
    good.write_bytes(found[0].data)
    specs = [spec_of(f"n{n}", make(n, found, folder, canary)[0], n) for n in numbers]
    specs.append(spec_of("sound", good, 1))
    live = spec_of("live", good, 3, realtime=True, loop=True)
    house = House((*specs, live))
    names = {spec.name for spec in specs}
    # The bad files may all be over before the live source has said its first word.
    house.run(HANG_S, enough=lambda: names <= house.ended.keys() and house.played("live"))
    code = house.stop()
    label = f"{numbers.start}..{numbers.stop - 1}"
    rounds.inputs += len(numbers)
    if house.gone or code != 0:
        rounds.died.append(f"{label}: exit code {code}")
    rounds.unended += sorted(names - house.ended.keys())
    rounds.stray += [f"{name}: {end.error}" for name, end in house.ended.items() if end.error and _is_stray(end.error)]
    sound = house.ended.get("sound")
    if sound is None or sound.error or sound.frames != PICTURES:
        rounds.hurt.append(f"{label}: the sound file ended with {sound}")
    if "live" in house.ended or not house.played("live"):
        rounds.hurt.append(f"{label}: the live source ended with {house.ended.get('live')}")


def _is_stray(error: str) -> bool:
    """Whether that is an error that nobody expected: those begin with their type."""
    return error.partition(":")[0].isidentifier() and error.partition(":")[0][:1].isupper() and ": " in error


# ---- cameras that lie ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Lies:
    """What became of cameras that lie."""

    cameras: int = 0
    connections: int = 0
    quiet: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    hurt: list[str] = field(default_factory=list)
    most_mib: float = 0.0
    code: int | None = 0


def run_streams(found: tuple[Original, ...], seconds: float, progress: Progress) -> Lies:
    """Every lie by a camera of its own, all in one worker, beside a sound file that must go on."""
    progress(f"streams: {len(LIES)} cameras that lie, {seconds:.0f} s")
    with tempfile.TemporaryDirectory() as folder, Liars() as liars:
        good = Path(folder) / "good.mp4"
        good.write_bytes(found[0].data)
        rules = (AnalyticSpec("fault", "camera_fault", None, {}),)
        specs = tuple(
            SourceSpec(name, liars.address(name), rules, kind=lie.kind, gate="always_open")
            for name, lie in LIES.items()
        )
        live = spec_of("live", good, 3, realtime=True, loop=True)
        house = House((*specs, live))
        house.run(seconds, enough=lambda: False)
        lies = Lies(len(LIES), liars.connections, most_mib=house.most_mib)
        lies.code = house.stop()
    for name, lie in LIES.items():
        said = house.faults[name] or (house.last[name].dropped if name in house.last else {})
        if lie.told and not said:
            lies.quiet.append(name)
        if name in house.ended and house.ended[name].error:
            lies.ended.append(f"{name}: {house.ended[name].error}")
    if house.gone or house.stalled.get("live", 0.0) > _QUIET or "live" not in house.last:
        lies.hurt.append(f"the sound source stood still for {house.stalled.get('live', 0.0):.1f} s")
    return lies


# ---- figures ---------------------------------------------------------------------------------------------------------


class Canary:
    """An address on loopback that nobody may ask: playlists name it."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.asked = 0
        self._over = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while not self._over:
            try:
                self._socket.accept()[0].close()
            except TimeoutError:
                continue
            self.asked += 1


def figures(*, quick: bool, progress: Progress, only: Sequence[str] = ()) -> list[Figure]:
    """The figures of ``bench fuzz``."""
    _silence()
    parts = only or PARTS
    progress("making sound videos of several codecs and containers")
    found = originals()
    tally = rounds = lies = None
    with Canary() as canary:
        if "files" in parts:
            tally = run_files(0, QUICK_FILES if quick else FILES, found, canary.address, progress)
        if "workers" in parts:
            count = QUICK_IN_WORKERS if quick else IN_WORKERS
            rounds = run_workers(FILES, count, found, canary.address, progress)
        if "streams" in parts:
            lies = run_streams(found, 15.0 if quick else 60.0, progress)
        asked = canary.asked
    return _all(tally, rounds, lies, asked, quick=quick)


def _all(tally: Tally | None, rounds: Rounds | None, lies: Lies | None, asked: int, *, quick: bool) -> list[Figure]:
    files, kinds, streams = tally or Tally(), rounds or Rounds(), lies or Lies()
    tried = len({o.number for o in files.outcomes} | {number for number, *_ in (*files.crashes, *files.hangs)})
    inputs = tried + kinds.inputs + streams.cameras
    crashes = [f"{n} ({kind}): {_last(why)}" for n, kind, why in files.crashes] + kinds.died + kinds.stray
    crashes += streams.ended + ([f"the worker of cameras that lie: exit code {streams.code}"] if streams.code else [])
    hangs = [f"{n} ({kind})" for n, kind in files.hangs] + kinds.unended
    hurt = kinds.hurt + streams.hurt
    made = (
        f"seed {SEED}; {tried} files, {files.real} of them with the real detector; {kinds.inputs} files in workers "
        f"under a lease, with it; {streams.cameras} cameras that lie, {streams.connections} connections"
    )
    return [
        figure(
            "inputs", inputs, None if quick else 10_000, better="higher", unit="inputs", n=inputs, note=made,
        ),
        figure("crashes", len(crashes), 0, unit="inputs", n=inputs, note=_some(crashes, "unforeseen errors included")),
        figure("hangs", len(hangs), 0, unit="inputs", n=inputs, note=_some(hangs, f"none took {HANG_S:.0f} s")),
        _unreported(files, streams),
        _followed(files, asked),
        figure("others_hurt", len(hurt), 0, unit="sources", n=kinds.inputs + streams.cameras,
               note=_some(hurt, "sound sources in the same worker as bad ones")),
        _growth(files),
        figure("lying_cameras_memory_mib", streams.most_mib if lies else None, LIES_MIB, unit="MiB",
               n=streams.cameras, note="the most that one worker held which reads them all at once"),
        *_by_kind(files),
    ]  # fmt: skip


def _unreported(files: Tally, streams: Lies) -> Figure:
    quiet = [f"{o.number} ({o.kind}): {o.met}" for o in files.outcomes if o.unreported]
    shut = sum(bool(o.met) and not o.told and o.shut for o in files.outcomes)
    met = sum(bool(o.met) for o in files.outcomes)
    note = f"n: inputs in which FFmpeg alone met damage; in {shut} of them it lies where the shut gate did not decode"
    return figure(
        "unreported", len(quiet) + len(streams.quiet), 0, unit="inputs", n=met + streams.cameras,
        note=_some([*quiet, *streams.quiet], note),
    )  # fmt: skip


def _followed(files: Tally, asked: int) -> Figure:
    lists = [o for o in files.outcomes if o.kind == "playlists"]
    return figure(
        "playlists_followed", sum(o.frames > 0 for o in lists) + asked, 0, unit="inputs", n=len(lists),
        note=f"{asked} connections to the address that they name",
    )  # fmt: skip


def _growth(files: Tally) -> Figure:
    each = ", ".join(f"{grown:.1f}" for grown in files.growth) or "not measured: fewer inputs, or no /proc"
    return figure(
        "memory_growth_mib", max(files.growth) if files.growth else None, GROWTH_MIB, unit="MiB a thousand inputs",
        n=len(files.growth), note=f"private memory after the first {_WARM} inputs of a process, by process: {each}",
    )  # fmt: skip


def _last(text: str) -> str:
    return text.strip().splitlines()[-1]


def _some(found: Sequence[str], otherwise: str) -> str:
    return "; ".join(found[:12]) if found else otherwise


def _by_kind(tally: Tally) -> list[Figure]:
    """How many of each kind there were, and how many of them were told of."""
    count = Counter(o.kind for o in tally.outcomes)
    told = Counter(o.kind for o in tally.outcomes if o.told)
    met = Counter(o.kind for o in tally.outcomes if o.met)
    return [
        figure(
            f"told_{kind.replace(',', '').replace(' ', '_')}", told[kind] / count[kind], better="higher", unit="share",
            n=count[kind], note=f"FFmpeg alone met damage in {met[kind]}; in the others nothing can be told",
        )
        for kind in count
    ]  # fmt: skip


def _again(numbers: Sequence[str]) -> None:
    """Try single inputs again, in this process, and show what became of them."""
    found = originals()
    logging.basicConfig()
    with tempfile.TemporaryDirectory() as folder, Canary() as canary:
        (Path(folder) / "good.mp4").write_bytes(found[0].data)
        for each in numbers:
            number = int(each)
            path, kind = make(number, found, Path(folder), canary.address)
            detector = load("onnxruntime") if number % _REAL_EVERY == 0 else Walking()
            print(play(path, number, kind, detector))  # it is a tool


if __name__ == "__main__":
    _again(sys.argv[1:])
