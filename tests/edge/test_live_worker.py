"""A real worker process on real cameras: incidents, clips of the large stream, cameras that come and go."""

from __future__ import annotations

import io
import signal
import socket
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from rtsp_camera import Camera, camera, film, missing, serve_file
from test_worker_process import FAULT, House, house

from watchglass.demo import STREET
from watchglass.perception.messages import (
    AnalyticSpec,
    Clip,
    Health,
    Incident,
    Report,
    SourceEnded,
    SourceOpened,
    SourceSpec,
    ZoneSpec,
)

WHY = missing()
needs_camera = pytest.mark.skipif(bool(WHY), reason=WHY)

LOGIN = ("viewer", "hunter2")
WORD = ":".join(LOGIN)


def health_of(world: House, name: str) -> list[Health]:
    return [r for r in world.of(Health) if isinstance(r, Health) and r.source == name]


def incidents_of(reports: list[Report], name: str) -> list[Incident]:
    return [r for r in reports if isinstance(r, Incident) and r.source == name]


def nothing_leaked(world: House, capfd: pytest.CaptureFixture[str]) -> bool:
    told = repr(world.reports) + "".join(capfd.readouterr())
    return not any(word in told for word in ("hunter2", "viewer"))


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Camera]:
    """The demo's street as a camera shows it: a large stream, and a small one of other proportions."""
    folder = tmp_path_factory.mktemp("street")
    large, small = folder / "large.mkv", folder / "small.mkv"
    with av.open(str(STREET)) as read, av.open(str(large), "w") as copy, av.open(str(small), "w") as less:
        video = read.streams.video[0]
        same = copy.add_stream_from_template(video)
        other = less.add_stream(
            "libx264", rate=10, options={"preset": "ultrafast", "x264-params": "keyint=20:slices=1"}
        )
        other.width, other.height, other.pix_fmt = 480, 288, "yuv420p"
        count = 0
        for packet in read.demux(video):
            for frame in packet.decode():
                fitted = frame.reformat(480, 288, "yuv420p")
                fitted.pts, fitted.time_base = count, Fraction(1, 10)
                count += 1
                less.mux(other.encode(fitted))
            if packet.size:
                packet.stream = same
                copy.mux(packet)
        less.mux(other.encode(None))
    with camera({"/large": serve_file(large, "h264"), "/small": serve_file(small, "h264")}, login=LOGIN) as made:
        yield made


EVERYWHERE = ZoneSpec("street", ((0, 0), (768, 0), (768, 576), (0, 576)))
ENTRY = AnalyticSpec("entry", "intrusion", EVERYWHERE, {"for_ms": 1000})


@needs_camera
def test_what_happens_in_front_of_a_camera_becomes_an_incident_and_a_clip(
    street: Camera, capfd: pytest.CaptureFixture[str]
) -> None:
    one = SourceSpec("one", street.address("/large", login=WORD), (ENTRY,), kind="rtsp")
    two = SourceSpec(
        "two",
        street.address("/small", login=WORD),
        (ENTRY,),
        kind="rtsp",
        record_uri=street.address("/large", login=WORD),
        size=(768, 576),
    )
    lame = SourceSpec(
        "lame",
        street.address("/small", login=WORD),
        (ENTRY,),
        kind="rtsp",
        record_uri=street.address("/nowhere", login=WORD),
        size=(768, 576),
    )
    with house(one, two, lame) as world:
        world.until(
            lambda reports: (
                {"one", "two"} <= {r.source for r in reports if isinstance(r, Clip)}
                and bool(incidents_of(reports, "lame"))
            ),
            90,
        )
        world.until(
            lambda _: (
                len(health_of(world, "lame")) > 2 and "no such stream" in (health_of(world, "lame")[-1].fault or "")
            )
        )
    firsts = {name: incidents_of(world.reports, name)[0] for name in ("one", "two", "lame")}
    now = round(time.time() * 1000)
    for incident in firsts.values():
        assert now - 100_000 < incident.at_ms <= now
        assert incident.boxes
    # Boxes of the small stream stand where those of the large one do: in the large picture's pixels.
    feet = {name: [(b[0] + b[2]) / 2 for b in incident.boxes if b[4] == 0] for name, incident in firsts.items()}
    heights = {name: [b[3] - b[1] for b in incident.boxes if b[4] == 0] for name, incident in firsts.items()}
    assert max(feet["two"]) > 480
    assert np.median(heights["two"]) == pytest.approx(np.median(heights["one"]), rel=0.35)
    for name in ("one", "two"):
        clip = next(r for r in world.reports if isinstance(r, Clip) and r.source == name)
        with av.open(io.BytesIO(clip.mp4)) as container:
            assert (container.streams.video[0].width, container.streams.video[0].height) == (768, 576)
        assert clip.seconds > 1, "less, where the incident was among the first pictures of a machine with much to do"
    assert not [r for r in world.of(Clip) if r.source == "lame"]
    fault = health_of(world, "lame")[-1].fault
    assert fault is not None
    assert fault.startswith("no clips: rtsp://127.0.0.1")
    assert "no such stream" in fault
    assert health_of(world, "lame")[-1].dropped["recorded_reopened"] >= 1
    for name in ("one", "two", "lame"):
        last = health_of(world, name)[-1]
        assert last.cpu_seconds > 0
        assert last.kbit_s > 0
        assert any("time" in note for each in health_of(world, name) for note in each.notes)
    assert health_of(world, "two")[-1].kbit_s > health_of(world, "lame")[-1].kbit_s
    opened = {r.source: (r.width, r.height) for r in world.reports if isinstance(r, SourceOpened)}
    assert opened == {"one": (768, 576), "two": (768, 576), "lame": (768, 576)}
    assert nothing_leaked(world, capfd)


@needs_camera
def test_a_camera_that_goes_is_a_fault_and_comes_back_by_itself(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = film(tmp_path / "a.mkv", 60)
    with camera({"/a": serve_file(path, "h264")}, login=LOGIN) as cam:
        rule = AnalyticSpec("fault", "camera_fault", None, {"for_ms": 2000})
        with house(SourceSpec("cam", cam.address("/a", login=WORD), (rule,), kind="rtsp")) as world:
            world.until(lambda _: any(h.frames > 20 for h in health_of(world, "cam")))
            assert not world.of(Incident)
            cam.stop()
            world.until(lambda reports: bool(incidents_of(reports, "cam")))
            assert incidents_of(world.reports, "cam")[0].facts["condition"] == "lost"
            assert "127.0.0.1" in (health_of(world, "cam")[-1].fault or "")
            seen = health_of(world, "cam")[-1].frames
            cam.start()
            world.until(
                lambda _: health_of(world, "cam")[-1].frames > seen + 20 and health_of(world, "cam")[-1].fault is None,
                80,
            )
            assert health_of(world, "cam")[-1].dropped["reopened"] >= 1
    assert len([r for r in world.of(Incident) if r.source == "cam"]) == 1
    assert nothing_leaked(world, capfd)


@needs_camera
def test_a_camera_that_falls_silent_is_told_before_the_connection_is_given_up(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", 60)
    rule = AnalyticSpec("fault", "camera_fault", None, {"for_ms": 1500})
    with (
        camera({"/a": serve_file(path, "h264")}) as cam,
        house(SourceSpec("cam", cam.address("/a"), (rule,), kind="rtsp")) as world,
    ):
        world.until(lambda _: any(h.frames > 20 for h in health_of(world, "cam")))
        assert cam.process is not None
        cam.process.send_signal(signal.SIGSTOP)
        world.until(lambda reports: bool(incidents_of(reports, "cam")))
        cam.process.send_signal(signal.SIGCONT)
        (incident,) = incidents_of(world.reports, "cam")
        assert incident.facts["condition"] == "lost"
        frames = health_of(world, "cam")[-1].frames
        world.until(
            lambda _: health_of(world, "cam")[-1].frames > frames + 20 and health_of(world, "cam")[-1].fault is None
        )
        assert "reopened" not in health_of(world, "cam")[-1].dropped


@needs_camera
def test_a_camera_that_comes_back_with_another_picture_is_a_fault(tmp_path: Path) -> None:
    large = film(tmp_path / "large.mkv", 60)
    small = film(tmp_path / "small.mkv", 60, codec="hevc", size=(160, 128))
    with camera({"/a": serve_file(large, "h264")}) as cam:
        spec = SourceSpec("cam", cam.address("/a"), (FAULT,), kind="rtsp")
        with house(spec) as world:
            world.until(lambda _: any(h.frames > 20 for h in health_of(world, "cam")))
            cam.stop()
            cam.mounts = {"/a": serve_file(small, "hevc")}
            cam.start()
            world.until(lambda _: "160x128" in (health_of(world, "cam")[-1].fault or ""), 80)
            world.until(lambda reports: any(i.facts.get("width_px") == 160.0 for i in incidents_of(reports, "cam")), 40)
    assert [(r.width, r.height) for r in world.of(SourceOpened)] == [(320, 240), (160, 128)]


@needs_camera
def test_what_may_not_be_looked_at_is_not_even_received(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", 60)
    with (
        camera({"/a": serve_file(path, "h264")}) as cam,
        house(SourceSpec("cam", cam.address("/a"), (FAULT,), kind="rtsp")) as world,
    ):
        world.until(lambda _: any(h.frames > 20 for h in health_of(world, "cam")))
        world.leasing = False
        world.until(lambda _: not health_of(world, "cam")[-1].running)
        world.until(lambda _: connections(cam.port) == 0)
        frames = health_of(world, "cam")[-1].frames
        count = len(health_of(world, "cam"))
        world.until(lambda _: len(health_of(world, "cam")) > count + 2)
        assert health_of(world, "cam")[-1].frames == frames
        world.leasing = True
        world.until(lambda _: health_of(world, "cam")[-1].frames > frames + 10)
        assert not world.of(Incident)


def connections(port: int) -> int:
    """How many there are to a port of this machine."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


def test_a_camera_that_never_answers_makes_no_other_wait(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", 4)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        specs = (
            SourceSpec("deaf", f"rtsp://127.0.0.1:{port}/a", (FAULT,), kind="rtsp"),
            SourceSpec("deaf2", f"http://127.0.0.1:{port}/a", (FAULT,), kind="mjpeg"),
            SourceSpec("file", str(path), (FAULT,), loop=True),
            SourceSpec("wrong", "rtsp://", (FAULT,), kind="rtsp"),
        )
        with house(*specs) as world:
            world.until(lambda _: any(h.frames > 80 for h in health_of(world, "file")))
            assert not health_of(world, "deaf")[-1].fault
            assert health_of(world, "file")[-1].dropped.get("late_ms", 0) == 0
            world.until(lambda _: "sent nothing for 10 seconds" in (health_of(world, "deaf")[-1].fault or ""))
            world.until(lambda _: "sent nothing for 10 seconds" in (health_of(world, "deaf2")[-1].fault or ""))
    (ended,) = [r for r in world.of(SourceEnded) if r.source == "wrong"]
    assert "cannot be read" in ended.error
