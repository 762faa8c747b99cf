"""The streams that the benchmark really writes: keyframes, size, rate, and somebody where somebody was put."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import av
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import incidents
import peers
import sprites
import streams

DATA = Path(os.environ.get("WATCHGLASS_DATA", str(ROOT / "../shared/data"))).resolve()
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        bool(incidents.missing_data(DATA)), reason="the recordings are not here: set WATCHGLASS_DATA to their folder"
    ),
]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def packets(path: Path) -> list[tuple[bool, int]]:
    with av.open(str(path)) as container:
        return [(bool(p.is_keyframe), p.size) for p in container.demux(video=0) if p.size]


def luma(path: Path, number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index == number:
                return frame.to_ndarray()[: frame.height].astype(np.int16)
    raise AssertionError("the file is too short")


def test_a_constant_stream_has_its_keyframes_and_its_rate_and_is_made_once(cache: Path) -> None:
    told: list[str] = []
    recipe = streams.Recipe("quiet", 3, group_s=1.0)
    path = streams.stream(recipe, DATA, told.append)
    assert path.is_relative_to(cache)
    assert streams.stream(recipe, DATA, told.append) == path
    assert len(told) == 1
    found = packets(path)
    assert [n for n, (key, _) in enumerate(found) if key] == [0, 25, 50]
    assert sum(size for _, size in found) * 8 / 3 == pytest.approx(4_000_000, rel=0.1)
    off = luma(path, 40) - luma(path, 30)
    assert abs(float(off.mean())) < 0.3
    assert float(off.std()) > 0.5, "the encoder left nothing of the noise"


def test_the_sub_stream_is_small_and_slow(cache: Path) -> None:
    path = streams.stream(streams.Recipe("busy", 4, sub=True), DATA, print)
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        assert (video.width, video.height, float(video.average_rate or 0)) == (640, 360, 5)
    assert peers.decode(str(path))["seconds"] == pytest.approx(4, abs=0.3)
    assert peers.decode(str(path), 2.0)["frames"] == 10


def test_somebody_is_in_view_when_and_where_they_were_put(cache: Path) -> None:
    (file,) = incidents.files(DATA, 1, print, per_file=1)
    (there,) = file.insertions
    empty, during = luma(file.path, 2), luma(file.path, round((there.start + there.seconds / 2) * 25))
    x, _ = incidents.place(there, there.seconds / 2)
    differs = np.abs(during - empty) > 40
    rows, columns = np.nonzero(differs)
    assert len(rows) > 0.1 * there.tall * there.tall * 0.3
    assert abs(float(np.median(columns)) - x) < 0.3 * there.tall
    assert there.foot - there.tall - 4 <= np.quantile(rows, 0.02)
    assert np.quantile(rows, 0.98) <= there.foot + 4
    after = luma(file.path, round((there.start + there.seconds) * 25) + 2)
    assert (np.abs(after - empty) > 40).sum() < 0.05 * len(rows)


def test_cut_outs_are_whole_people_and_cars() -> None:
    people, vehicles = sprites.people(DATA), sprites.vehicles(DATA)
    assert len(people) >= 30
    assert len(vehicles) >= 8
    for sprite in people:
        assert all(p.shape[0] > 1.2 * p.shape[1] for p in sprite.pictures[:1])
        assert all(0.2 < float(mask.mean()) < 0.95 for mask in sprite.masks)
    for sprite in vehicles:
        assert all(p.shape[0] >= 45 and p.shape[1] >= 0.85 * p.shape[0] for p in sprite.pictures)
        assert all(float(mask.mean()) > 0.6 for mask in sprite.masks)
