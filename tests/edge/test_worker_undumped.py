"""A worker that crashes leaves no copy of its memory, where the picture is, on a disk."""

from __future__ import annotations

import multiprocessing
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from watchglass.perception.messages import Health, SourceSpec, Stop
from watchglass.runtime import worker

PROC = Path("/proc")
needs_proc = pytest.mark.skipif(not (PROC / "self" / "limits").exists(), reason="this machine has no /proc")


@needs_proc
def test_a_worker_that_is_at_work_has_no_core_file(tmp_path: Path) -> None:
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        pytest.skip("core files are off for everybody here, so nothing would show")
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    spec = SourceSpec("street", str(tmp_path / "none.mp4"), (), realtime=True)
    process = context.Process(target=worker.main, args=(theirs, (spec,)))
    process.start()
    theirs.close()
    try:
        while not isinstance(ours.recv(), Health):
            pass
        (line,) = [each for each in (PROC / f"{process.pid}/limits").read_text().splitlines() if "core file" in each]
        assert line.split()[4:6] == ["0", "0"]
        ours.send(Stop())
    finally:
        process.join(20)
        if process.is_alive():
            process.kill()
        ours.close()


@needs_proc
def test_nor_may_the_kernel_hand_it_to_a_program_that_collects_crashes() -> None:
    """Where ``core_pattern`` is a pipe the limit counts for nothing; whether it may be dumped does."""
    ask = (
        "import ctypes; from watchglass.edge.undumped import keep_out_of_dumps\n"
        "before = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0); keep_out_of_dumps()\n"
        "print(before, ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    told = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["1", "0"]
