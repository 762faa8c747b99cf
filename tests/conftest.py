"""Makes ``world`` importable from every test below, and gives a ready one to those who ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from world import World, make_house


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A small real deployment on a virtual clock, with its charter in force and an account for each role."""
    with make_house(tmp_path) as made:
        yield made
