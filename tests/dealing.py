"""How the tests are dealt out to processes: who goes together, what begins first, how many processes there are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

WORKER_BYTES = 5 << 29
"""What one process may grow to, with the demo, workers and a browser that it starts."""
ROOM_BYTES = 6 << 30
"""What the files of a whole run may take, with much to spare: most are cleared away when their test has passed."""

LONGEST = (
    "demo",
    "tests/edge/test_live_rtsp.py",
    "tests/edge/test_heartbeats_at_work.py",
    "tests/edge/test_demo_command.py",
    "tests/e2e/test_public_view_of_a_street.py",
    "tests/edge/test_live_worker.py",
    "tests/edge/test_recording_sealed.py",
    "tests/edge/test_originals_story.py",
    "tests/edge/test_worker_process.py",
    "tests/spec/test_guarantee_bad_input.py",
    "tests/spec/test_guarantee_rule.py",
    "tests/edge/test_paint_file.py",
    "tests/edge/test_lying_portals.py",
    "tests/edge/test_desk_of_offices.py",
    "tests/edge/test_demo_custody.py",
    "tests/edge/test_cli_paint.py",
    "tests/edge/test_hostile_answers.py",
    "tests/edge/test_exports_after_rotation.py",
    "tests/edge/test_lies_to_seekers.py",
    "tests/unit/web/test_desk_of_oversight.py",
    "tests/edge/test_kill9.py",
    "tests/edge/test_desk_browser.py",
    "tests/unit/web/test_app_browser.py",
    "tests/edge/test_falls_and_objects_played.py",
    "tests/generative/test_audit_of_honest_deployments.py",
    "tests/edge/test_custodians_and_cases.py",
    "tests/generative/test_redraw_properties.py",
    "tests/edge/test_supervisor.py",
    "tests/edge/test_cli_places.py",
    "tests/edge/test_bench_files.py",
    "tests/unit/web/test_view_pixels_browser.py",
    "tests/edge/test_renewal_with_people.py",
    "tests/edge/test_cli_story.py",
    "tests/edge/test_live_mjpeg.py",
    "tests/edge/test_mqtt.py",
    "tests/edge/test_backdrop_on_clips.py",
    "tests/edge/test_demo_media.py",
    "tests/edge/test_poisoned_worker.py",
    "tests/generative/test_mutated_media.py",
)
"""What took ten seconds and more, longest first: nobody waits at the end for one process that still has half a minute
to do. A name too many or too few costs a little time, nothing else."""


def group(nodeid: str) -> str:
    """Which tests go to one process: those of a file, of one demo, and those with servers on fixed ports."""
    file = nodeid.split("::", 1)[0]
    if "/e2e/" in file and not file.endswith("test_public_view_of_a_street.py"):
        return "demo"
    return "s3" if "bucket" in file else file


def longest_first(items: list[pytest.Item]) -> None:
    """Put the groups that take long at the beginning, then those of many tests; each stays in its own order."""
    rank = {name: place for place, name in enumerate(LONGEST)}
    sizes: dict[str, int] = {}
    for item in items:
        sizes[group(item.nodeid)] = sizes.get(group(item.nodeid), 0) + 1
    items.sort(key=lambda item: (rank.get(group(item.nodeid), len(rank)), -sizes[group(item.nodeid)]))


def processes() -> int:
    """One more than there are cores, for tests wait for processes that they start; fewer where memory is short."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores + 1, free_memory() // WORKER_BYTES))


def free_memory() -> int:
    """What is available, in bytes; a lot where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return 1 << 40


def in_memory() -> Path | None:
    """A file system in memory with room for the tests' files, which are synced to the disk all the time."""
    folder = Path("/dev/shm")
    try:
        roomy = shutil.disk_usage(folder).free > ROOM_BYTES and os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return None
    return folder if roomy and free_memory() > ROOM_BYTES + processes() * WORKER_BYTES else None


class Together(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Deals out groups. A test that ended its process is not tried again: it failed."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)

    def remove_node(self, node: WorkerController) -> str | None:
        units: Sequence[dict[str, bool]] = list(self.assigned_work.get(node, {}).values())
        for unit in units:
            for nodeid, done in unit.items():
                if not done:
                    unit[nodeid] = True
                    super().remove_node(node)
                    return nodeid
        super().remove_node(node)
        return None
