"""``bench seal``: what it measures is sealed and opens again, and what is missing is said."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import seal
from watchglass.edge.fragments import remux
from watchglass.edge.video import VideoFile
from watchglass.evidence.subsets import can_still_open


@pytest.mark.parametrize(
    ("n", "k", "one_of", "sets", "shares"), [(3, 2, 0, 3, 6), (3, 2, 1, 2, 4), (9, 5, 0, 126, 630)]
)
def test_a_rule_is_the_charters_rule(n: int, k: int, one_of: int, sets: int, shares: int) -> None:
    rule = seal.Rule.of(n, k, one_of)
    assert (len(rule.subsets), rule.shares, len(rule.private)) == (sets, shares, n)
    assert can_still_open(rule.subsets, ["custodian-1"]) == (not one_of)
    sealed = rule.seal([b"a", b"bc"])
    assert rule.open(sealed) == b"abc"
    assert len(sealed.header.wrapped) == n


def test_packets_are_cut_like_a_cameras_and_nothing_is_lost() -> None:
    data = bytes(range(256)) * 100
    pieces = seal.pieces_of(data, 100)
    assert b"".join(pieces) == data
    assert len(pieces) == 100
    assert len(pieces[0]) > 10 * len(pieces[1])


def test_segments_begin_with_a_keyframe_and_hold_every_packet(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("libx264", rate=5, options={"bf": "0", "g": "10", "sc_threshold": "0"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for number in range(110):
            picture = np.full((48, 64, 3), number, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(video.encode(None))
    video_file = VideoFile(path)
    segments = seal.packets_of(video_file)
    assert [len(packets) for packets in segments] == [50, 50, 10]
    assert all(packets[0].keyframe for packets in segments)
    with av.open(io.BytesIO(remux(segments[0], video_file.coded))) as container:
        assert sum(1 for _ in container.decode(video=0)) == 50


def test_a_rate_is_bytes_by_the_median_round(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = seal.rate("x", [0.001, 0.002, 0.004], 4_000_000, quick=True, target=1.5, note="n")
    assert (made["value"], made["interval"], made["ok"], made["better"]) == (2.0, [1.0, 4.0], True, "higher")
    monkeypatch.setenv("WATCHGLASS_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    missing = seal.figures(quick=True, progress=lambda _text: None, only=["overhead"])
    assert [(each["value"], each["ok"]) for each in missing] == [(None, None)] * 3
    assert "WATCHGLASS_DATA" in missing[0]["note"]
