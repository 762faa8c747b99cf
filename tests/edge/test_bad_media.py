"""Video that is not what it says: sizes, codecs, playlists, late streams, odd names, and no keyframe for ever."""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from test_video_files import film
from test_worker_process import ends, house

from watchglass.core.errors import BadInput
from watchglass.edge.clock import SystemClock
from watchglass.edge.entropy import SeededEntropy
from watchglass.edge.inference import load
from watchglass.edge.limits import MOST_BLOCK, MOST_PIXELS, check_codec, check_size, rate
from watchglass.edge.video import VideoFile
from watchglass.perception.messages import AnalyticSpec, Health, Incident, Report, SourceEnded, SourceSpec, ZoneSpec
from watchglass.perception.ring import ClipOrder
from watchglass.runtime import source as runtime_source
from watchglass.runtime.clips import ClipMaker, Studio
from watchglass.runtime.sealing import Sealer
from watchglass.runtime.source import Source
from watchglass.runtime.worker import run_once

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from fuzz import Canary, Walking
from mutations import h264_sps, original

FAULT = AnalyticSpec("fault", "camera_fault", None, {})


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    level = av.logging.get_level()
    av.logging.set_level(None)
    yield
    av.logging.set_level(level)


def run(path: Path, **more: Any) -> tuple[str | None, list[Report]]:
    reports: list[Report] = []
    spec = SourceSpec("a", str(path), **{"analytics": (FAULT,), "realtime": False, "gate": "always_open", **more})
    return run_once(spec, load("onnxruntime"), reports.append).error, reports


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (15, 200), (8193, 16), (16384, 16384), (8000, 8000)])
def test_sizes_that_make_no_sense_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(BadInput, match=r"too small|too large") as caught:
        check_size("a.mp4", *size)
    assert "undamaged" in caught.value.fix


@pytest.mark.parametrize("size", [(16, 16), (160, 120), (3840, 2160), (7680, 4320), (8192, 4882)])
def test_sizes_of_cameras_are_not(size: tuple[int, int]) -> None:
    check_size("a.mp4", *size)
    assert size[0] * size[1] * 3 <= MOST_BLOCK


@pytest.mark.parametrize(
    ("stated", "used"), [(0.0, 25.0), (None, 25.0), (1e9, 25.0), (-3.0, 25.0), (1e-9, 25.0), (12.5, 12.5)]
)
def test_rates_that_cannot_be_count_as_not_stated(stated: float | None, used: float) -> None:
    assert rate(stated) == used


def test_a_jpeg_that_claims_to_be_huge_is_refused_before_memory_is_asked_for(tmp_path: Path) -> None:
    data = original("mjpeg", ".mjpeg", (160, 120), 1).data
    claims = data.replace(struct.pack(">BHH", 8, 120, 160), struct.pack(">BHH", 8, 16_384, 16_384))
    assert claims != data
    path = tmp_path / "a.mjpeg"
    path.write_bytes(claims)
    error, _ = run(path)
    assert error is not None
    assert "." in error


def test_a_stream_that_grows_on_the_way_is_not_decoded(tmp_path: Path) -> None:
    data = original("libx264", ".h264", (160, 120), 1).data
    path = tmp_path / "a.h264"
    later = data[data.index(b"\x00\x00\x00\x01\x68") :]  # all but its own parameters
    path.write_bytes(data + b"\x00\x00\x00\x01" + h264_sps(768, 768) + later)
    error, reports = run(path)
    last = [r for r in reports if isinstance(r, Health)][-1]
    assert error is None
    assert last.dropped["damaged_packets"] >= 1
    assert last.decoded >= 25


def test_ffmpeg_is_given_no_block_larger_than_a_picture_needs() -> None:
    frame = av.VideoFrame(MOST_PIXELS // 8000, 8000, "bgr24")
    assert frame.width * frame.height == MOST_PIXELS
    with pytest.raises((MemoryError, av.error.FFmpegError)):
        av.VideoFrame(16_384, 16_384, "gray")


def test_a_codec_that_cameras_do_not_use_is_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((120, 160, 3), np.uint8), format="bgr24")))
        container.mux(stream.encode(None))
    with pytest.raises(BadInput, match="is not decoded here") as caught:
        VideoFile(path)
    assert "H.264" in caught.value.fix
    with pytest.raises(BadInput, match="an unknown one"):
        check_codec("a.avi", None)


@pytest.mark.parametrize("suffix", [".mp4", ".m3u8", ".ts", ".ffconcat", ".sdp", ".mpd"])
def test_no_playlist_is_followed(suffix: str, tmp_path: Path) -> None:
    film(tmp_path / "good.mp4")
    path = tmp_path / f"list{suffix}"
    with Canary() as canary:
        for place in (
            f"http://{canary.address}/a.ts",
            f"tcp://{canary.address}",
            "good.mp4",
            str(tmp_path / "good.mp4"),
        ):
            port = canary.address.partition(":")[2]
            for text in (
                f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{place}\n#EXT-X-ENDLIST\n",
                f"ffconcat version 1.0\nfile '{place}'\n",
                f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n",
            ):
                path.write_text(text)
                with pytest.raises(BadInput, match="not a video that can be read") as caught:
                    VideoFile(path)
                assert "Playlists are not followed" in caught.value.fix
    assert canary.asked == 0


def test_a_playlist_would_have_been_followed(tmp_path: Path) -> None:
    """What the test above guards against is real: FFmpeg, asked without limits, plays the file that is named."""
    film(tmp_path / "good.mp4")
    path = tmp_path / "list.mp4"
    path.write_text("ffconcat version 1.0\nfile 'good.mp4'\n")
    with av.open(str(path)) as container:
        assert container.streams.video[0].width > 0


def test_a_matroska_file_that_breaks_off_says_so(tmp_path: Path) -> None:
    data = original("libx264", ".mkv", (160, 120), 1).data
    path = tmp_path / "a.mkv"
    path.write_bytes(data[: len(data) // 2])
    error, _ = run(path)
    assert error
    whole = tmp_path / "whole.mkv"
    whole.write_bytes(data)
    assert run(whole)[0] is None
    hole = bytearray(data)
    third = len(data) // 3
    hole[third : 2 * third] = bytes(third)
    path.write_bytes(bytes(hole))
    error, reports = run(path)
    dropped = [r for r in reports if isinstance(r, Health)][-1].dropped
    assert error or dropped


def test_names_in_a_container_need_not_be_text(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        container.metadata["title"] = "a film"
        stream: Any = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((120, 160, 3), np.uint8), format="bgr24")))
        container.mux(stream.encode(None))
    path = tmp_path / "a.mp4"
    path.write_bytes(buffer.getvalue().replace(b"a film", b"\xff\xfe\xfd\xc0\x80\xff"))
    with pytest.raises(UnicodeDecodeError):
        av.open(str(path)).metadata  # noqa: B018 # what we must not stumble over
    assert run(path)[0] is None


def test_a_stream_without_keyframes_is_a_fault_and_counted(tmp_path: Path) -> None:
    """Nothing can be decoded, though packets come: as bad as a camera that is dark."""
    one = tmp_path / "one.mkv"
    one.write_bytes(original("libx264", ".mkv", (160, 120), 1).data)
    path = tmp_path / "a.mkv"
    with av.open(str(one)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        between = [bytes(p) for p in source.demux(video=0) if p.size and not p.is_keyframe]
        for i in range(400):  # over half a minute
            packet: Any = av.Packet(between[i % 9])
            packet.stream, packet.time_base = stream, Fraction(1, 12)
            packet.pts = packet.dts = i
            target.mux(packet)
    error, reports = run(path)
    last = [r for r in reports if isinstance(r, Health)][-1]
    assert error is None
    assert last.decoded == 0
    assert last.dropped == {"orphaned_packets": 400}
    assert "no picture can be made of what comes" in str(last.fault)
    incident = next(r for r in reports if isinstance(r, Incident))
    assert incident.facts["condition"] == "lost"


def test_pictures_that_were_made_up_in_part_are_counted(tmp_path: Path) -> None:
    one = original("libx264", ".h264", (160, 120), 1)
    data = bytearray(one.data)
    places = np.random.default_rng(3).integers(1500, len(data), 60)
    for place in places:
        data[int(place)] ^= 0x55
    path = tmp_path / "a.h264"
    path.write_bytes(bytes(data))
    _, reports = run(path)
    last = [r for r in reports if isinstance(r, Health)][-1]
    assert last.dropped.get("damaged_pictures", 0) > 0


def test_a_zone_that_the_picture_does_not_hold_is_a_fault(tmp_path: Path) -> None:
    """The charter need not state the picture's size; then only the first picture shows that a zone lies beside it."""
    path = tmp_path / "a.mp4"
    path.write_bytes(original("libx264", ".mp4", (320, 240), 1).data)
    inside = ZoneSpec("lawn", ((0, 0), (300, 0), (300, 200), (0, 200)))
    beside = ZoneSpec("track", ((700, 0), (900, 0), (900, 200), (700, 200)))
    for zone, word in ((inside, "None"), (beside, "the zone track reaches outside the picture of ")):
        rule = AnalyticSpec("intrusion", "intrusion", zone, {"for_ms": 1000})
        _, reports = run(path, analytics=(rule,))
        fault = [r for r in reports if isinstance(r, Health)][-1].fault
        assert word in str(fault)


def test_what_breaks_a_source_when_it_is_made_does_not_break_the_others(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", 2)
    good = SourceSpec("good", str(path), (FAULT,), realtime=False)
    odd = SourceSpec("odd", str(path), (FAULT,), realtime=False, size=("wide", "high"))  # type: ignore[arg-type]
    with house(odd, good) as world:
        world.until(ends("odd", "good"))
    ended = {r.source: r for r in world.of(SourceEnded)}
    assert ended["good"].error is None
    assert "Error" in str(ended["odd"].error)


def test_what_breaks_again_on_the_way_out_still_ends_one_source_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that fails when it looks, and a clip that cannot be ordered: the source ends, and says both."""
    monkeypatch.setattr(runtime_source, "_BATCH_MS", 1)  # so that the incident comes before the film's end
    sent: list[Report] = []

    class Broken(ClipMaker):
        def take(self, order: ClipOrder, studio: Studio) -> None:
            if order.whole:
                raise RuntimeError("no room for " + order.incident)

    path = tmp_path / "a.mp4"
    path.write_bytes(original("libx264", ".mp4", (320, 240), 1).data)
    zone = ZoneSpec("lawn", ((0, 0), (320, 0), (320, 240), (0, 240)))
    rule = AnalyticSpec("intrusion", "intrusion", zone, {"for_ms": 100})
    source = Source(
        SourceSpec("a", str(path), (rule,), realtime=False, gate="always_open"),
        clock=SystemClock(),
        entropy=SeededEntropy("1"),
        detector=Walking(),
        send=sent.append,
        clips=Broken(sent.append),
        sealer=Sealer(sent.append, SeededEntropy("2")),
        looked_at=lambda: True,
        allowed=lambda: frozenset(["intrusion"]),
    )
    while not any(isinstance(report, Incident) for report in sent):
        source.step()
    source.fail("ValueError: a rule failed")
    assert source.ended
    (ended,) = [report for report in sent if isinstance(report, SourceEnded)]
    assert "a rule failed" in str(ended.error)
    assert "no room for" in str(ended.error)
