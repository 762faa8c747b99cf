"""Falls and things left behind, from pictures to incidents through the real line; needs the data."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from watchglass.edge.inference import NanoDet, load

DATA = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data")).resolve()
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (DATA / "media/urfd/truth.json").is_file(), reason="URFD not found; set WATCHGLASS_DATA"),
]


@pytest.fixture(scope="module")
def detector() -> NanoDet:
    return load()


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Imports a part of the evaluation, which is no package."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield importlib.import_module
    for name in ("evaluate_falls", "evaluate_objects", "evaluate", "replay"):
        sys.modules.pop(name, None)


@pytest.fixture
def falls(part: Callable[[str], ModuleType]) -> ModuleType:
    return part("evaluate_falls")


@pytest.mark.parametrize("name", ["fall/fall-01-cam0.mp4", "fall/fall-11-cam1.mp4"])
def test_a_fall_and_then_somebody_down_from_the_side_and_from_above(
    falls: ModuleType, detector: NanoDet, name: str
) -> None:
    told = falls.watch(DATA, name, detector)
    assert told.fall_found
    assert told.down_found
    assert len(told.falls) == len(told.downs) == 1


def test_somebody_who_picks_a_thing_up_has_not_fallen(falls: ModuleType, detector: NanoDet) -> None:
    told = falls.watch(DATA, "adl/adl-04-cam0.mp4", detector)
    assert told.falls == told.downs == ()


@pytest.mark.skipif(not (DATA / "media/pets_s2l1/truth.json").is_file(), reason="PETS not found; set WATCHGLASS_DATA")
def test_things_left_behind_are_told_and_a_thing_taken_away_is_not(
    part: Callable[[str], ModuleType], detector: NanoDet
) -> None:
    objects = part("evaluate_objects")
    result = objects.score(DATA, detector, 1, lambda _: None)
    assert result.there == 4
    assert result.right >= 2
    assert (result.taken, result.taken_told, result.wrong) == (1, 0, 0)
