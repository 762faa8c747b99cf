"""H.264 on disk, each picture at a time of its own: times, bytes, and what is refused."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from watchglass.core.errors import Problem
from watchglass.edge.encode import Mp4File, planar


def picture(level: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    return planar(np.full((size[1], size[0], 3), level, np.uint8))


def test_a_picture_is_shown_until_the_next_and_the_last_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with Mp4File(path, (64, 48)) as out:
        for at, level in ((0, 20), (40, 90), (7000, 160), (7001, 230)):
            out.write(at, picture(level))
        out.finish(9500)
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
        tick = float(packets[0].time_base or 0)
        assert [round(1000 * p.pts * tick) for p in packets] == [0, 40, 7000, 7001]
        assert [round(1000 * p.duration * tick) for p in packets] == [40, 6960, 1, 2499]
        assert packets[0].is_keyframe
    with av.open(str(path)) as container:
        shown = [int(f.to_ndarray(format="bgr24").mean()) for f in container.decode(video=0)]
    assert shown == pytest.approx([20, 90, 160, 230], abs=4)


def test_time_goes_on(tmp_path: Path) -> None:
    out = Mp4File(tmp_path / "a.mp4", (64, 48))
    out.write(5, picture(0))
    with pytest.raises(ValueError, match="a picture at 5 ms after one at 5 ms"):
        out.write(5, picture(9))
    out.finish(9)


def test_what_cannot_be_read_again_is_not_called_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    out = Mp4File(path, (64, 48))
    for at in range(0, 900, 300):
        out.write(at, picture(at // 4))
    out.written += 1  # as if one picture had not reached the disk
    with pytest.raises(Problem, match="cannot be read again"):
        out.finish(1000)


@pytest.mark.parametrize("size", [(64, 48), (65, 49), (2, 2), (17, 33)])
def test_planar_is_even_and_keeps_what_is_shown(size: tuple[int, int]) -> None:
    bgr = np.random.default_rng(2).integers(90, 110, (size[1], size[0], 3), np.uint8)
    made = planar(bgr)
    wide, high = size[0] + size[0] % 2, size[1] + size[1] % 2
    assert made.shape == (high * 3 // 2, wide)
    back = av.VideoFrame.from_ndarray(made, format="yuv420p").to_ndarray(format="bgr24")[: size[1], : size[0]]
    assert np.abs(back.astype(int) - bgr).mean() < 12
