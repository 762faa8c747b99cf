"""Real files through the demuxer and the decoder: what is given out, what is never given out, and what is damaged."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from watchglass.core.errors import BadInput
from watchglass.edge.video import NeverSee, VideoFile, VideoPicture
from watchglass.perception.ports import sample_shape, stride_of


def film(
    path: Path, seconds: int = 4, *, size: tuple[int, int] = (320, 240), gop: int = 10, bframes: int = 0, fps: int = 10
) -> Path:
    """White on grey: a bar that moves eight pixels a picture over a bright picture."""
    with av.open(str(path), "w") as container:
        options = {"g": str(gop), "bf": str(bframes), "crf": "16", "preset": "veryfast", "sc_threshold": "0"}
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for i in range(seconds * fps):
            image = np.full((size[1], size[0], 3), 180, np.uint8)
            x = 8 * i % size[0]
            image[:, x : x + 16] = 250
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def test_packets_have_times_keyframes_and_a_seam(tmp_path: Path) -> None:
    file = VideoFile(film(tmp_path / "a.mp4"), loop=True)
    assert (file.width, file.height, file.fps) == (320, 240, 10.0)
    packets = file.packets(5_000)
    first = [next(packets) for _ in range(90)]
    assert [p.at_ms for p in first] == [5_000 + 100 * i for i in range(90)]
    assert [i for i, p in enumerate(first) if p.keyframe] == list(range(0, 90, 10))
    assert [p.turn for p in first] == [0] * 40 + [1] * 40 + [2] * 10


@pytest.mark.parametrize("bframes", [0, 2])
def test_every_picture_comes_out_once_with_its_own_time(tmp_path: Path, bframes: int) -> None:
    file = VideoFile(film(tmp_path / "a.mp4", bframes=bframes))
    decoder = file.decoder()
    pictures = [p for packet in file.packets(0) for p in decoder.decode(packet)]
    pictures += decoder.drain()
    assert [p.at_ms for p in pictures] == [100 * i for i in range(40)]
    for i, picture in enumerate(pictures):
        column = int(picture.bgr().mean(axis=(0, 2)).argmax())
        assert abs(column - (8 * i % 320)) <= 17


def test_one_keyframe_alone_and_then_the_whole_again(tmp_path: Path) -> None:
    file = VideoFile(film(tmp_path / "a.mp4", bframes=2))
    packets = list(file.packets(0))
    decoder = file.decoder()
    keys = [p for p in packets if p.keyframe]
    assert [decoder.alone(p).at_ms for p in keys] == [p.at_ms for p in keys]
    decoder.drain()
    group = packets[packets.index(keys[2]) : packets.index(keys[3])]
    pictures = [q for p in group for q in decoder.decode(p)] + list(decoder.drain())
    assert [p.at_ms for p in pictures] == sorted(p.at_ms for p in group)


def test_strided_luma_and_sizes(tmp_path: Path) -> None:
    file = VideoFile(film(tmp_path / "a.mp4", size=(322, 242)))
    (picture,) = file.decoder().decode(next(file.packets(0)))
    assert picture.luma().shape == picture.edges().shape == (242, 321)
    assert picture.bgr().shape == (242, 322, 3)
    assert picture.small(161).shape == (121, 161, 3)
    assert picture.small(5000).shape == (242, 322, 3)
    grey = cv2.cvtColor(picture.bgr(), cv2.COLOR_BGR2GRAY)[::1, :-1]
    assert np.corrcoef(grey.ravel(), picture.luma().ravel())[0, 1] > 0.99


@pytest.mark.parametrize(
    "size", [(1920, 1080), (1280, 720), (768, 576), (640, 480), (770, 434), (160, 120), (480, 854)]
)
def test_a_sample_is_about_as_wide_whatever_the_picture_is(size: tuple[int, int]) -> None:
    plane = np.random.default_rng(1).integers(0, 256, (size[1] * 3 // 2, size[0]), np.uint8)
    picture = VideoPicture(av.VideoFrame.from_ndarray(plane, format="yuv420p"), 0, NeverSee(()))
    stride = stride_of(*size)
    assert picture.luma().shape == picture.edges().shape == sample_shape(*size)
    assert 160 <= max(picture.luma().shape) <= 320 or stride == 1
    first, rows = stride // 2, plane[: size[1]]
    assert np.array_equal(picture.luma()[-1], rows[first::stride][-1, first:-1:stride])
    assert np.array_equal(picture.edges()[-1], rows[first::stride][-1, first + 1 :: stride])


def test_what_must_never_be_seen_is_black_in_everything_that_is_given_out(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", size=(640, 480))
    area = ((101.0, 53.0), (333.0, 61.0), (297.0, 251.0), (90.0, 201.0))
    hidden, plain = VideoFile(path, never_see=(area,)), VideoFile(path)
    ours, theirs = hidden.decoder(), plain.decoder()
    mask = cv2.fillPoly(np.zeros((480, 640), np.uint8), [np.array(area, np.int32)], 1).astype(bool)
    for packet in hidden.packets(0):
        for picture, original in zip(ours.decode(packet), theirs.decode(packet), strict=True):
            assert not picture.bgr()[mask].any()
            assert np.array_equal(picture.bgr()[:40], original.bgr()[:40])  # and nothing smears elsewhere
            assert np.array_equal(picture.bgr()[300:], original.bgr()[300:])
            small = picture.small(200)
            inside = cv2.resize(mask.astype(np.float32), small.shape[1::-1], interpolation=cv2.INTER_AREA) > 0
            assert small[inside].max() <= 1
            assert set(np.unique(picture.luma()[mask[1::3, 1::3]])) == {16}
            assert set(np.unique(picture.edges()[mask[1::3, 2::3]])) == {16}
    assert theirs.alone(next(plain.packets(0))).luma()[mask[1::3, 1::3]].min() > 100


@pytest.mark.parametrize(
    ("content", "word"),
    [(None, "no video file"), (b"", "not a video"), (b"\x00\x01 nothing like a video" * 50, "not a video")],
)
def test_what_is_no_video_is_said_so(tmp_path: Path, content: bytes | None, word: str) -> None:
    path = tmp_path / "x.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput, match=word) as caught:
        VideoFile(path)
    assert caught.value.fix


def test_sound_without_a_picture_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "a.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(BadInput, match="no video stream"):
        VideoFile(path)


def test_a_truncated_file_says_where_it_breaks_off(tmp_path: Path) -> None:
    whole = film(tmp_path / "a.mkv", 8)
    moved = tmp_path / "fast.mp4"
    with av.open(str(whole)) as source, av.open(str(moved), "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    moved.write_bytes(moved.read_bytes()[: moved.stat().st_size * 2 // 3])
    file = VideoFile(moved)
    with pytest.raises(BadInput, match="breaks off after"):
        list(file.packets(0))


def test_a_damaged_packet_does_not_end_the_decoder(tmp_path: Path) -> None:
    file = VideoFile(film(tmp_path / "a.mp4"))
    decoder = file.decoder()
    seen = []
    for i, packet in enumerate(file.packets(0)):
        if 12 <= i < 18:
            packet.payload.update(bytes(np.random.default_rng(i).integers(0, 256, packet.size, np.uint8)))
        with suppress(BadInput):
            seen += [p.at_ms for p in decoder.decode(packet)]
    assert set(range(2000, 4000, 100)) <= set(seen)


def test_a_recorders_clock_that_jumps_does_not_turn_time_back(tmp_path: Path) -> None:
    """Two recordings in one transport stream: stamps begin again in the middle."""
    one, two = film(tmp_path / "a.ts", 4), film(tmp_path / "b.ts", 4)
    both = tmp_path / "both.ts"
    both.write_bytes(one.read_bytes() + two.read_bytes())
    at = [p.at_ms for p in VideoFile(both).packets(0)]
    assert len(at) == 80
    assert at[0] == 0
    assert set(np.diff(at)) == {100}


@pytest.mark.data
def test_a_real_recording_with_rare_keyframes(tmp_path: Path) -> None:
    path = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data")) / "media/pets_s2l1/vtest.avi"
    if not path.is_file():
        pytest.skip("the PETS recording is not here; set WATCHGLASS_DATA")
    file = VideoFile(path)
    packets = list(file.packets(0))
    assert len(packets) == 795
    assert [i for i, p in enumerate(packets) if p.keyframe] == [0, 250, 500, 750]
    assert packets[-1].at_ms == 79_400
