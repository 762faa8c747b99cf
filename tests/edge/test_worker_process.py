"""A real worker process over a real pipe: leases, backdrops, bad sources, sources that vanish and come back."""

from __future__ import annotations

import multiprocessing
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from watchglass.edge.entropy import SeededEntropy
from watchglass.edge.inference import load
from watchglass.perception.messages import (
    AnalyticSpec,
    BackdropProposal,
    Clip,
    Health,
    Incident,
    Lease,
    Pins,
    ProposeBackdrop,
    Report,
    SetBackdrop,
    SourceEnded,
    SourceOpened,
    SourceSpec,
    Stop,
)
from watchglass.runtime import worker
from watchglass.views.backdrop import Backdrop

FAULT = AnalyticSpec("fault", "camera_fault", None, {})


def film(
    path: Path, seconds: float, *, size: tuple[int, int] = (320, 240), black_after: float = 1e9, seed: int = 0
) -> Path:
    """A noisy still scene with edges, H.264, ten pictures a second, a keyframe a second."""
    rng = np.random.default_rng(seed)
    scene = cv2.resize(
        np.random.default_rng(5).integers(40, 220, (12, 16), np.uint8), size, interpolation=cv2.INTER_NEAREST
    )
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=10, options={"g": "10", "bf": "0", "crf": "18", "preset": "ultrafast"}
        )
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for i in range(round(seconds * 10)):
            noisy = np.clip(scene + rng.normal(0, 3, scene.shape), 0, 255).astype(np.uint8)
            picture = np.zeros_like(noisy) if i / 10 >= black_after else noisy
            frame = av.VideoFrame.from_ndarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


class House:
    """The other end of the pipe: renews the lease, keeps what is reported."""

    def __init__(self, conn: Connection, specs: tuple[SourceSpec, ...]) -> None:
        self.conn = conn
        self.reports: list[Report] = []
        self.pairs = frozenset((s.name, a.name) for s in specs for a in s.analytics)
        self.look = frozenset(s.name for s in specs)
        self.leasing = True
        self.renewed = 0.0

    def lease(self) -> None:
        if self.leasing and time.monotonic() - self.renewed > 0.3:
            self.renewed = time.monotonic()
            self.conn.send(Lease("charter", self.pairs, self.look, round(time.time() * 1000) + 1500))

    def until(self, enough: Callable[[list[Report]], bool], seconds: float = 40) -> list[Report]:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.lease()
            if self.conn.poll(0.05):  # one at a time: however many there are, the lease is renewed meanwhile
                try:
                    self.reports.append(self.conn.recv())
                except EOFError:
                    assert enough(self.reports), self.reports[-1]
                    return self.reports
            if enough(self.reports):
                return self.reports
        raise AssertionError(f"it did not happen; last: {self.reports[-4:]}")

    def of(self, kind: type[Report]) -> list[Report]:
        return [r for r in self.reports if isinstance(r, kind)]


@contextmanager
def house(*specs: SourceSpec) -> Iterator[House]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=worker.main, args=(theirs, specs))
    process.start()
    theirs.close()
    world = House(ours, specs)
    try:
        yield world
        if process.is_alive():
            ours.send(Stop())
    except (BrokenPipeError, ConnectionError):
        pass
    finally:
        process.join(20)
        alive = process.is_alive()
        if alive:
            process.kill()
        ours.close()
        assert not alive, "the worker did not stop"
    assert process.exitcode == 0


def ends(*names: str) -> Callable[[list[Report]], bool]:
    return lambda reports: set(names) <= {r.source for r in reports if isinstance(r, SourceEnded)}


def test_several_sources_once_and_a_bad_one_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    good = film(tmp_path / "good.mp4", 14, black_after=5)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"this is no video" * 100)
    rule = AnalyticSpec("nonsense", "mind_reading", None, {})
    specs = (
        SourceSpec("good", str(good), (FAULT,), realtime=False, start_ms=1_000_000),
        SourceSpec("broken", str(broken), (FAULT,), realtime=False),
        SourceSpec("absent", str(tmp_path / "absent.mp4"), (FAULT,), realtime=False),
        SourceSpec("unknown", str(good), (rule,), realtime=False),
    )
    with house(*specs) as world:
        world.until(lambda r: ends("good", "broken", "absent", "unknown")(r) and any(isinstance(x, Clip) for x in r))
    ended = {r.source: r for r in world.of(SourceEnded)}
    assert ended["good"].error is None
    assert ended["good"].frames == 140
    assert ended["good"].video_seconds == pytest.approx(14)
    assert "not a video" in ended["broken"].error
    assert "no video file" in ended["absent"].error
    assert "mind_reading" in ended["unknown"].error
    incident = next(r for r in world.of(Incident))
    assert incident.facts["condition"] == "black"
    assert incident.at_ms > 1_000_000 + 9_000
    assert cv2.imdecode(np.frombuffer(incident.still, np.uint8), cv2.IMREAD_COLOR).shape == (240, 320, 3)
    clip = next(r for r in world.of(Clip))
    assert clip.incident == incident.id
    assert clip.masked_share == 1.0  # nothing is confirmed backdrop
    assert 5 < clip.seconds < 9


def test_without_a_lease_nothing_is_looked_at_and_with_a_lapsed_one_nothing_more(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", 6)
    spec = SourceSpec("cam", str(path), (FAULT,), loop=True)
    with house(spec) as world:
        world.leasing = False
        world.until(lambda r: len([x for x in r if isinstance(x, Health)]) >= 2)
        assert not world.of(SourceOpened)
        assert not world.of(Pins)
        assert all(h.frames == 0 and not h.running for h in world.of(Health))
        world.leasing = True
        world.until(lambda r: any(isinstance(x, Health) and x.running == ("fault",) and x.decoded for x in r))
        world.leasing = False
        world.until(lambda r: isinstance(r[-1], Health) and not r[-1].running)
        lapsed = world.reports[-1]
        seen = len(world.reports)
        world.until(lambda r: len(r) >= seen + 2)
        assert not any(isinstance(r, Pins) for r in world.reports[seen:])
        assert world.reports[-1].decoded == lapsed.decoded


def test_a_source_read_once_waits_for_its_lease_and_is_not_skipped(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", 8)
    with house(SourceSpec("cam", str(path), (FAULT,), realtime=False)) as world:
        world.leasing = False
        time.sleep(2.0)
        while world.conn.poll(0):
            report = world.conn.recv()
            assert isinstance(report, Health)
            assert report.frames == 0
        world.leasing = True
        world.until(ends("cam"))
    (ended,) = world.of(SourceEnded)
    assert ended.frames == 80
    assert ended.error is None


def test_a_source_that_vanishes_is_a_fault_and_comes_back(tmp_path: Path) -> None:
    original = film(tmp_path / "keep.mp4", 2)
    path = tmp_path / "live.mp4"
    with house(
        SourceSpec("cam", str(path), (FAULT,), loop=True), SourceSpec("other", str(original), (), loop=True)
    ) as world:
        world.until(lambda r: any(isinstance(x, Incident) for x in r))
        (incident,) = world.of(Incident)
        assert incident.facts["condition"] == "lost"
        assert any(
            isinstance(r, Health) and r.source == "cam" and "no video file" in (r.fault or "") for r in world.reports
        )
        assert any(isinstance(r, Health) and r.source == "other" and r.frames > 20 for r in world.reports)
        shutil.copy(original, path)
        world.until(lambda r: any(isinstance(x, SourceOpened) and x.source == "cam" for x in r))
        world.until(
            lambda r: isinstance(r[-1], Health) and r[-1].source == "cam" and r[-1].fault is None and r[-1].frames > 0
        )


def test_a_loops_seam_is_no_fault_and_backdrops_come_and_go(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", 3)
    with house(SourceSpec("cam", str(path), (FAULT,), loop=True)) as world:
        world.until(lambda r: any(isinstance(x, Health) and x.frames > 75 for x in r))
        assert not world.of(Incident)
        world.conn.send(ProposeBackdrop("cam"))
        world.until(lambda r: any(isinstance(x, BackdropProposal) for x in r))
        proposal = next(r for r in world.of(BackdropProposal))
        assert Backdrop.from_png(proposal.png).size == (320, 240)
        world.conn.send(SetBackdrop("cam", proposal.scene, proposal.png))
        world.conn.send(SetBackdrop("cam", proposal.scene, None))
        seen = len(world.reports)
        world.until(lambda r: len(r) > seen + 5)


def test_run_once_is_deterministic_in_process(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", 13, black_after=4)
    spec = SourceSpec("cam", str(path), (FAULT,), realtime=False, start_ms=5_000)
    detector = load()

    def run() -> list[Report]:
        reports: list[Report] = []
        worker.run_once(spec, detector, reports.append, entropy=SeededEntropy("x"))
        return [r for r in reports if not isinstance(r, Health | SourceEnded)]

    first = run()
    assert first == run()
    assert [type(r).__name__ for r in first if not isinstance(r, Pins)] == ["SourceOpened", "Incident", "Clip"]


def test_a_camera_that_changes_its_resolution_is_a_fault(tmp_path: Path) -> None:
    large, small = film(tmp_path / "a.ts", 6), film(tmp_path / "b.ts", 10, size=(160, 120))
    both = tmp_path / "both.ts"
    both.write_bytes(large.read_bytes() + small.read_bytes())
    reports: list[Report] = []
    spec = SourceSpec("cam", str(both), (FAULT,), realtime=False)
    ended = worker.run_once(spec, load(), reports.append)
    assert ended.error is None
    (incident,) = [r for r in reports if isinstance(r, Incident)]
    assert incident.facts["condition"] == "moved"
    assert (incident.facts["width_px"], incident.facts["height_px"]) == (160.0, 120.0)
    assert "160x120" in [r for r in reports if isinstance(r, Health)][-1].fault


def test_a_size_that_is_not_the_charters_is_never_looked_at(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", 10)
    reports: list[Report] = []
    spec = SourceSpec("cam", str(path), (FAULT,), realtime=False, size=(640, 480))
    worker.run_once(spec, load(), reports.append)
    assert [r.facts["condition"] for r in reports if isinstance(r, Incident)] == ["moved"]
    assert [r for r in reports if isinstance(r, Health)][-1].inferences == 0
