from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from watchglass.core.errors import BadInput
from watchglass.edge.clock import SystemClock, VirtualClock
from watchglass.edge.entropy import SeededEntropy, SystemEntropy


def test_the_system_clock_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, steady = [10_000_000], [500_000]
    monkeypatch.setattr(time, "time_ns", lambda: wall[0] * 1_000_000)
    monkeypatch.setattr(time, "monotonic_ns", lambda: steady[0] * 1_000_000)
    clock = SystemClock()

    def later(ms: int, *, wall_ms: int | None = None) -> int:
        steady[0] += ms
        wall[0] += ms if wall_ms is None else wall_ms
        return clock.now()

    assert clock.now() == 10_000_000
    assert later(5) == 10_000_005
    assert later(10, wall_ms=-3_600_000) == 10_000_015, "set back an hour: goes on at its own pace"
    assert later(1000) == 10_001_015
    assert clock.ahead_ms() == 3_600_010
    assert later(0, wall_ms=3_700_000) == wall[0], "caught up"
    assert clock.ahead_ms() == 0
    assert later(0, wall_ms=7_200_000) == wall[0], "forward steps are taken"


def test_the_system_clock_is_about_now() -> None:
    clock = SystemClock()
    readings = [clock.now() for _ in range(100)]
    assert readings == sorted(readings)
    assert abs(readings[-1] - time.time() * 1000) < 5_000


def test_the_virtual_clock_stands_and_is_moved() -> None:
    clock = VirtualClock(1_000)
    assert clock.now() == clock.now() == 1_000
    assert clock.advance(5) == 1_005
    clock.set(2_000)
    clock.set(2_000)
    assert clock.now() == 2_000
    with pytest.raises(BadInput, match="backwards"):
        clock.set(1_999)
    with pytest.raises(BadInput, match="backwards"):
        clock.advance(-1)


def test_seeded_entropy_is_one_stream_however_it_is_cut() -> None:
    whole = SeededEntropy("a").bytes(100)
    parts = SeededEntropy("a")
    assert b"".join(parts.bytes(n) for n in (0, 1, 31, 32, 36)) == whole
    assert SeededEntropy(b"b").bytes(100) != whole
    assert SeededEntropy("a").bytes(100) == whole


def test_system_entropy_is_fresh() -> None:
    entropy = SystemEntropy()
    assert len(entropy.bytes(32)) == 32
    assert entropy.bytes(32) != entropy.bytes(32)


def test_the_pool_gives_no_byte_twice_whatever_the_sizes_and_threads() -> None:
    entropy = SystemEntropy()
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(entropy.bytes, [16, 12, 32, 108, 500, 512, 513, 8192, 20_000] * 200))
    assert [len(part) for part in parts] == [16, 12, 32, 108, 500, 512, 513, 8192, 20_000] * 200
    whole = b"".join(part[: len(part) // 8 * 8] for part in parts)
    words = [whole[at : at + 8] for at in range(0, len(whole), 8)]
    assert len(set(words)) == len(words)  # 64-bit words: a repetition means a byte was given twice


FORKED = """
import os
from watchglass.edge.entropy import SystemEntropy
entropy = SystemEntropy()
entropy.bytes(16)  # the pool is filled before the fork
reader, writer = os.pipe()
if not os.fork():
    os.write(writer, entropy.bytes(32))
    os._exit(0)
os.wait()
assert os.read(reader, 32) != entropy.bytes(32), "the child repeats its parent"
"""


def test_a_forked_process_does_not_repeat_its_parent() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
