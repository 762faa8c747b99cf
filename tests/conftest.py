"""Makes ``world`` importable from every test below, and gives a ready one to those who ask for it.

And deals the tests out to processes: a file stays together, for what it prepares is prepared once; so do files that
share one demo, or servers on fixed ports.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from world import World, make_house


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A small real deployment on a virtual clock, with its charter in force and an account for each role."""
    with make_house(tmp_path) as made:
        yield made


class _Together(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Files that share something expensive go to one process."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        if "/e2e/" in file:
            return "demo"
        return "s3" if "bucket" in file else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Instead of groups by marks, which this pytest no longer tells xdist of."""
    return _Together(config, log)
