"""Cameras over RTSP, from GStreamer's server: what arrives, when, and what is said when it does not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from rtsp_camera import Camera, camera, film, missing, serve_file

from watchglass.core.errors import BadInput
from watchglass.edge.camera_plan import plan_of
from watchglass.edge.clock import SystemClock
from watchglass.edge.live import LiveStream
from watchglass.perception.ports import Packet, Picture

WHY = missing()
pytestmark = pytest.mark.skipif(bool(WHY), reason=WHY)

LOGIN = ("viewer", "hunter2")
WORD = ":".join(LOGIN)


@pytest.fixture(scope="module")
def cam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Camera]:
    folder = tmp_path_factory.mktemp("films")
    plain = film(folder / "plain.mkv", 30)
    b264 = film(folder / "b264.mkv", 30, between=2, group=12)
    b265 = film(folder / "b265.mkv", 30, codec="hevc", between=3, group=12)
    mounts = {
        "/h264": serve_file(plain, "h264"),
        "/b264": serve_file(b264, "h264"),
        "/b265": serve_file(b265, "hevc"),
        "/jitter": serve_file(plain, "h264", lossy="min-delay=0 max-delay=400"),
        "/losing": serve_file(plain, "h264", lossy="drop-probability=0.05"),
    }
    with camera(mounts, login=LOGIN) as made:
        yield made


@dataclass
class Seen:
    packets: list[Packet] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    late_ms: list[int] = field(default_factory=list)
    damaged: int = 0
    failure: str = ""


def watch(stream: LiveStream, seconds: float, *, pictures: float = 1e9) -> Seen:
    """Take and decode for some seconds, until enough pictures came or the connection is lost."""
    seen, decoder, clock = Seen(), None, SystemClock()
    end = time.monotonic() + seconds
    while time.monotonic() < end and len(seen.pictures) < pictures:
        try:
            packet = stream.take()
        except BadInput as error:
            seen.failure = str(error)
            break
        if packet is None:
            time.sleep(0.02)
            continue
        decoder = decoder or stream.decoder()
        seen.packets.append(packet)
        seen.late_ms.append(clock.now() - packet.at_ms)
        try:
            seen.pictures += decoder.decode(packet)
        except BadInput:
            seen.damaged += 1
    stream.close()
    return seen


def walker(picture: Picture) -> int:
    """At which of its sixteen places the bright square stands."""
    row = picture.bgr()[16, :, 1].astype(int)
    return int(np.convolve(row, np.ones(16), "valid").argmax() / 16 + 0.5)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize(("mount", "codec"), [("/h264", "h264"), ("/b264", "h264"), ("/b265", "hevc")])
def test_pictures_arrive_whole_in_order_and_in_time(cam: Camera, mount: str, codec: str, transport: str) -> None:
    stream = LiveStream(plan_of("rtsp", cam.address(mount, login=WORD), transport=transport), SystemClock())
    seen = watch(stream, 30, pictures=60)
    assert not seen.failure
    assert stream.shape is not None
    assert (stream.shape.codec, stream.size) == (codec, (320, 240))
    assert seen.packets[0].keyframe
    assert len(seen.pictures) >= 60
    times = [picture.at_ms for picture in seen.pictures]
    assert times == sorted(times)
    assert np.all(np.abs(np.diff(times[5:]) - 100) <= 20)
    places = [walker(picture) for picture in seen.pictures]
    assert places == [(places[0] + i) % 16 for i in range(len(places))]
    assert stream.fps == pytest.approx(10, rel=0.1)
    assert min(seen.late_ms) >= 0
    assert stream.dropped == {}


def test_keyframes_that_come_in_parts_are_put_together(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", 12, slices=2)
    with camera({"/a": serve_file(path, "h264", split=True)}) as odd:
        stream = LiveStream(plan_of("rtsp", odd.address("/a")), SystemClock())
        seen = watch(stream, 30, pictures=50)
    places = [walker(picture) for picture in seen.pictures]
    assert places == [(places[0] + i) % 16 for i in range(len(places))]
    assert sum(packet.keyframe for packet in seen.packets) <= 6


def test_sender_reports_give_the_cameras_own_time(cam: Camera) -> None:
    stream = LiveStream(plan_of("rtsp", cam.address("/h264", login=WORD)), SystemClock())
    assert "sends none" in stream.notes[0]
    watch(stream, 30, pictures=80)
    assert "the camera's own times" in stream.notes[0]


def test_a_camera_seventy_years_off_is_not_believed(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", 12)
    with camera({"/a": serve_file(path, "h264")}, clock="unix") as wrong:
        stream = LiveStream(plan_of("rtsp", wrong.address("/a")), SystemClock())
        seen = watch(stream, 30, pictures=80)
    assert "days behind" in stream.notes[0]
    assert all(abs(late) < 5_000 for late in seen.late_ms)
    assert not any(packet.jumped_ms for packet in seen.packets)


def test_jitter_is_smoothed(cam: Camera) -> None:
    stream = LiveStream(plan_of("rtsp", cam.address("/jitter", login=WORD)), SystemClock())
    seen = watch(stream, 30, pictures=80)
    steps = np.diff([picture.at_ms for picture in seen.pictures])[30:]
    assert np.percentile(steps, 90) <= 130
    assert steps.min() >= 0


def test_what_the_net_loses_breaks_nothing(cam: Camera) -> None:
    stream = LiveStream(plan_of("rtsp", cam.address("/losing", login=WORD), transport="udp"), SystemClock())
    seen = watch(stream, 9)
    end = time.monotonic() + 18  # which packets are lost is chance
    more = LiveStream(plan_of("rtsp", cam.address("/losing", login=WORD), transport="udp"), SystemClock())
    while not stream.dropped.get("missing_ms") and not more.dropped.get("missing_ms") and time.monotonic() < end:
        time.sleep(0.1)
    more.close()
    assert not seen.failure
    assert len(seen.pictures) > 40
    assert {**stream.dropped, **more.dropped}["missing_ms"] >= 100
    times = [picture.at_ms for picture in seen.pictures]
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("login", "mount", "why"),
    [
        ("viewer:wrong", "/h264", "refuses the name and password"),
        ("", "/h264", "refuses the name"),
        (WORD, "/x", "no such stream"),
    ],
)
def test_a_refusal_is_said_without_the_address(
    cam: Camera, capfd: pytest.CaptureFixture[str], login: str, mount: str, why: str
) -> None:
    seen = watch(LiveStream(plan_of("rtsp", cam.address(mount, login=login)), SystemClock()), 20)
    assert why in seen.failure
    assert f"rtsp://127.0.0.1:{cam.port}" in seen.failure
    told = seen.failure + "".join(capfd.readouterr())
    for word in ("hunter2", "wrong", "viewer", mount):
        assert word not in told


def test_a_camera_that_is_switched_off_is_lost_and_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = film(tmp_path / "a.mkv", 30)
    with camera({"/a": serve_file(path, "h264")}, login=LOGIN) as off:
        address = off.address("/a", login=WORD)
        stream = LiveStream(plan_of("rtsp", address), SystemClock())
        assert not watch_some(stream).failure
        off.stop()
        seen = watch(stream, 30)
        assert "ended the stream" in seen.failure or "broke the connection" in seen.failure
        again = watch(LiveStream(plan_of("rtsp", address), SystemClock()), 20)
        assert "refuses the connection" in again.failure
        assert "hunter2" not in seen.failure + again.failure + "".join(capfd.readouterr())


def watch_some(stream: LiveStream) -> Seen:
    seen, end = Seen(), time.monotonic() + 20
    while len(seen.packets) < 5 and time.monotonic() < end:
        packet = stream.take()
        if packet is None:
            time.sleep(0.02)
        else:
            seen.packets.append(packet)
    assert len(seen.packets) == 5
    return seen


def test_whoever_does_not_look_loses_the_past_and_no_memory(cam: Camera) -> None:
    stream = LiveStream(plan_of("rtsp", cam.address("/h264", login=WORD)), SystemClock())
    end = time.monotonic() + 30
    while not stream.dropped.get("queue_ms") and time.monotonic() < end:
        time.sleep(0.2)
    assert stream.dropped["queue_ms"] >= 1_000
    seen = watch(stream, 10, pictures=30)
    assert seen.packets[0].keyframe
    assert seen.late_ms[0] <= 6_500
    places = [walker(picture) for picture in seen.pictures]
    assert places == [(places[0] + i) % 16 for i in range(len(places))]


def test_hardware_or_not_it_is_decoded(cam: Camera) -> None:
    stream = LiveStream(plan_of("rtsp", cam.address("/h264", login=WORD)), SystemClock(), hardware=True)
    seen = watch(stream, 20, pictures=10)
    assert len(seen.pictures) >= 10
    assert any("hardware" in note for note in stream.notes)
