"""A source that kills its worker each time: the others go on, and soon it is alone."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing.connection import wait
from pathlib import Path

import pytest
from test_worker_process import FAULT, film

from watchglass.edge.clock import SystemClock
from watchglass.perception.messages import Health, Lease, Report, SourceEnded, SourceOpened, SourceSpec
from watchglass.runtime.crew import Crew, Worker


class World:
    """A house that does nothing but hold its crew. As soon as ``poison`` is opened, its worker is killed."""

    def __init__(self) -> None:
        self.frames: dict[str, int] = {}
        self.ended: dict[str, SourceEnded] = {}
        self.deaths: list[tuple[str, ...]] = []
        self.crew = Crew(
            SystemClock(), inference="onnxruntime", take=self.take, ended=self.ended.__contains__, mourn=self.mourn
        )

    def take(self, report: Report) -> None:
        if isinstance(report, SourceOpened) and report.source == "poison":
            (pid,) = (w.process.pid for w in self.crew.workers if self.holds(w) and w.alive)
            os.kill(pid, signal.SIGKILL)
        elif isinstance(report, Health) and report.frames:
            self.frames[report.source] = self.frames.get(report.source, 0) + 1
        elif isinstance(report, SourceEnded):
            self.ended[report.source] = report

    @staticmethod
    def holds(each: Worker) -> bool:
        return any(spec.name == "poison" for spec in each.specs)

    def mourn(self, each: Worker) -> None:
        self.deaths.append(tuple(spec.name for spec in each.specs))

    def step(self, specs: tuple[SourceSpec, ...]) -> None:
        pairs = frozenset((s.name, a.name) for s in specs for a in s.analytics)
        until = round(time.time() * 1000) + 1500
        self.crew.tell(Lease("charter", pairs, frozenset(s.name for s in specs), until))
        self.crew.revive()
        self.crew.hear(wait(self.crew.pipes(), timeout=0.3))


def test_a_source_that_kills_its_worker_is_parted_from_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)  # one worker for all
    path = str(film(tmp_path / "a.mp4", 3))
    names = ("a", "poison", "b")
    specs = tuple(SourceSpec(name, path, (FAULT,), loop=True) for name in names)
    specs += (SourceSpec("short", path, (FAULT,), realtime=False),)
    world = World()
    world.crew.start(specs)
    assert len(world.crew.workers) == 1
    end = time.monotonic() + 120
    try:
        while ("poison",) not in world.deaths and time.monotonic() < end:
            world.step(specs)
        world.frames.clear()
        while not world.frames.keys() >= {"a", "b"} and time.monotonic() < end:
            world.step(specs)
        groups = sorted(sorted(s.name for s in w.specs) for w in world.crew.workers)
    finally:
        world.crew.stop()
    assert world.deaths[:2] == [("a", "poison", "b", "short")] * 2 or "short" in world.ended
    assert ["poison"] in groups
    assert sum(len(group) for group in groups) in (3, 4)
    assert world.frames["a"] > 0
    assert world.frames["b"] > 0
    # Those that were parted from it do not die with it any more.
    assert all("poison" in death for death in world.deaths)
