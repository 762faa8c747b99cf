"""A real worker on the shipped street: what it reports is kept, and what looking costs is really measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from watchglass.acts.source_history import history
from watchglass.bootstrap import SystemClock
from watchglass.demo import STREET
from world import make_house


def wait_for(enough: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not enough():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.1)


@pytest.mark.slow
def test_a_source_at_work_is_measured_and_what_began_is_kept_at_the_end(tmp_path: Path) -> None:
    with make_house(tmp_path, clock=SystemClock(), media=Path(str(STREET))) as world:
        world.house.start()

        def looked() -> bool:
            line = world.house.live.health().get("street")
            return line is not None and line.inferences >= 5

        wait_for(looked)
        line = world.house.live.health()["street"]
        assert 0 < line.decode_seconds < line.cpu_seconds
        assert 0 < line.detect_seconds < line.cpu_seconds
        assert line.decode_seconds + line.detect_seconds <= line.cpu_seconds
        world.house.halt()
        whole = history(world.house.store.read(), "street", world.clock.now()).whole
        assert whole.heard_s >= 1
        assert whole.decoded >= line.decoded
        assert whole.inferences >= line.inferences
        assert whole.core_share
