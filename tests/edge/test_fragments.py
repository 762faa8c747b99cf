"""Packets as a fragmented MP4: the same pictures, byte for byte, and nothing else; or blackened and encoded anew."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from watchglass.demo import CHARTER
from watchglass.edge.fragments import encode_anew, remux
from watchglass.edge.video import VideoFile
from watchglass.perception.ports import Packet

STREET = CHARTER.with_name("street.mp4")


def groups(path: Path, first: int, count: int) -> tuple[VideoFile, list[Packet]]:
    """Whole groups of pictures of a video."""
    file = VideoFile(path)
    packets = list(islice(file.packets(1_000_000), 400))
    keys = [place for place, packet in enumerate(packets) if packet.keyframe]
    return file, packets[keys[first] : keys[first + count]]


def pictures(mp4: bytes) -> list[np.ndarray]:
    with av.open(io.BytesIO(mp4)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def test_it_is_the_cameras_own_video() -> None:
    file, packets = groups(STREET, 1, 3)
    mp4 = remux(packets, file.coded)
    decoder = file.decoder()
    shown = [picture.bgr() for packet in packets for picture in decoder.decode(packet)]
    shown += [picture.bgr() for picture in decoder.drain()]
    with av.open(io.BytesIO(mp4)) as container:
        kept = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
        assert len(container.streams) == 1
        assert not container.streams.video[0].metadata.get("encoder")
        assert "encoder" not in container.metadata
    assert len(kept) == len(shown) == len(packets)
    assert all(np.array_equal(a, b) for a, b in zip(kept, shown, strict=True))
    assert mp4.count(b"moof") == 3, "a fragment for each keyframe"
    assert len(mp4) < sum(packet.size for packet in packets) * 1.1


def test_the_packets_are_left_as_they_were_and_a_second_segment_begins_at_zero() -> None:
    file, packets = groups(STREET, 2, 2)
    before = [(packet.payload.pts, packet.payload.dts, bytes(packet.payload)) for packet in packets]  # type: ignore[attr-defined]
    first, again = remux(packets, file.coded), remux(packets, file.coded)
    assert first == again
    assert before == [(packet.payload.pts, packet.payload.dts, bytes(packet.payload)) for packet in packets]  # type: ignore[attr-defined]
    with av.open(io.BytesIO(first)) as container:
        times = [float(packet.pts * packet.time_base) for packet in container.demux(video=0) if packet.size]
    spans = [(packet.at_ms - packets[0].at_ms) / 1000 for packet in packets]
    assert times == pytest.approx(spans, abs=0.002)


def test_what_must_never_be_seen_is_black_in_what_is_kept() -> None:
    area = ((0.0, 0.0), (300.0, 0.0), (300.0, 200.0), (0.0, 200.0))
    file = VideoFile(STREET, never_see=(area,))
    _, packets = groups(STREET, 0, 2)
    mp4 = encode_anew(packets, file.decoder(), file.fps, (file.width, file.height))
    kept = pictures(mp4)
    assert len(kept) == len(packets)
    for picture in kept:
        assert picture[8:192, 8:292].max() < 24, "limited range: black is 16"
        assert picture[300:, 400:].std() > 10, "the rest is there"


def shifted(packet: Packet, ticks: int, **more: int) -> Packet:
    """The same picture with other stamps."""
    old = packet.payload
    assert isinstance(old, av.Packet)
    new = av.Packet(bytes(old))
    new.is_keyframe, new.time_base = old.is_keyframe, old.time_base
    new.pts, new.dts = old.pts + ticks, old.dts + ticks
    return replace(packet, payload=new, **more)


@pytest.mark.parametrize("by_s", [-40_000, -3, 3600])
@pytest.mark.parametrize("later", [0, 3])
def test_stamps_that_start_again_or_step_are_laid_on_where_the_clock_says(by_s: int, later: int) -> None:
    """A camera was restarted or set: its stamps go on from elsewhere, and ``at_ms`` goes on evenly."""
    file, packets = groups(STREET, 1, 3)
    keys = [place for place, packet in enumerate(packets) if packet.keyframe]
    step = keys[1] + later
    ticks = int(by_s / packets[0].payload.time_base)  # type: ignore[attr-defined]
    jumps = [by_s * 1000 if place == step else 0 for place in range(len(packets))]
    stepped = [
        shifted(p, ticks, jumped_ms=j) if i >= step else p for i, (p, j) in enumerate(zip(packets, jumps, strict=True))
    ]
    with av.open(io.BytesIO(remux(stepped, file.coded))) as container:
        times = [float(packet.pts * packet.time_base) for packet in container.demux(video=0) if packet.size]
    spans = [(packet.at_ms - packets[0].at_ms) / 1000 for packet in packets]
    assert times == pytest.approx(spans, abs=0.1)


def test_times_that_go_back_are_encoded_all_the_same() -> None:
    area = ((0.0, 0.0), (300.0, 0.0), (300.0, 200.0), (0.0, 200.0))
    file = VideoFile(STREET, never_see=(area,))
    _, packets = groups(STREET, 0, 2)
    back = [replace(p, at_ms=p.at_ms - 30_000) if place > 20 else p for place, p in enumerate(packets)]
    mp4 = encode_anew(back, file.decoder(), file.fps, (file.width, file.height))
    assert len(pictures(mp4)) == len(packets)


def test_a_codec_that_no_mp4_carries_is_known_as_such(tmp_path: Path) -> None:
    path = tmp_path / "old.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("msmpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for place in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((72, 64), 16 * place, np.uint8), format="yuv420p")
            frame.pts = place
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file = VideoFile(path)
    assert not file.coded.carried
    packets = list(file.packets(0))
    assert len(pictures(encode_anew(packets, file.decoder(), 5.0, (64, 48)))) == 5
