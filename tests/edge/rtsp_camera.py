"""A real RTSP camera for tests: GStreamer's server (Debian's), in a process of the system's Python, on loopback.

Imported, it films clips and starts cameras; run by the system's Python, it is the camera.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PYTHON = "/usr/bin/python3"
PACKAGES = (
    "gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
)


def missing() -> str:
    """Why there can be no camera here; empty where there can."""
    try:
        done = subprocess.run([PYTHON, __file__, "--check"], capture_output=True, text=True, timeout=60, check=False)
    except OSError as error:
        return f"no system Python: {error}"
    return "" if done.returncode == 0 else f"GStreamer's RTSP server is not installed (apt-get install {PACKAGES})"


def serve_file(path: Path, codec: str, *, lossy: str = "", split: bool = False) -> str:
    """A GStreamer line that plays a Matroska file in real time.

    Args:
        split: send parameter sets before each slice of a keyframe, which cuts it into packets of its slices.
        lossy: properties of GStreamer's ``netsim`` (delays, drops) between the camera and the net.
    """
    short = {"h264": "h264", "hevc": "h265"}[codec]
    pay = f"rtp{short}pay name={'pay' if lossy else 'pay0'} pt=96 config-interval={-int(split)}"
    end = f" ! netsim name=pay0 {lossy}" if lossy else ""
    return f"( filesrc location={path} ! matroskademux ! {short}parse ! {pay}{end} )"


def film(
    path: Path,
    seconds: float,
    *,
    codec: str = "h264",
    size: tuple[int, int] = (320, 240),
    group: int = 10,
    between: int = 0,
    slices: int = 1,
    black_after: float = 1e9,
) -> Path:
    """A noisy still scene with edges, ten pictures a second; one bright square walks across it, a step a picture.

    Args:
        group: pictures from one keyframe to the next; groups are open where there are pictures in ``between``.
        between: B-frames in a row.
        slices: parts of a picture (H.264).
    """
    import av  # noqa: PLC0415 # the system's Python has none of these
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    rng = np.random.default_rng(0)
    scene = cv2.resize(rng.integers(40, 180, (12, 16), np.uint8), size, interpolation=cv2.INTER_NEAREST)
    params = f"keyint={group}:min-keyint={group}:scenecut=0:bframes={between}:b-adapt=0"
    own = {
        "h264": {"x264-params": f"{params}:slices={slices}:threads=1:open-gop={int(between > 0)}"},
        "hevc": {"x265-params": f"{params}:log-level=none:pools=1:frame-threads=1:open-gop={int(between > 0)}"},
    }
    name = {"h264": "libx264", "hevc": "libx265", "mjpeg": "mjpeg"}[codec]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(name, rate=10, options={"preset": "ultrafast", "crf": "23", **own.get(codec, {})})
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for i in range(round(seconds * 10)):
            picture = np.clip(scene + rng.normal(0, 3, scene.shape), 0, 255).astype(np.uint8)
            picture[8:24, (x := 16 * (i % 16)) : x + 16] = 250
            picture = np.zeros_like(picture) if i / 10 >= black_after else picture
            container.mux(stream.encode(av.VideoFrame.from_ndarray(cv2.merge([picture] * 3), format="bgr24")))
        container.mux(stream.encode(None))
    return path


@dataclass
class Camera:
    """A running camera.

    Args:
        mounts: from a path ("/main") to the GStreamer line behind it.
        login: (name, password) that it asks for.
        clock: whose time its sender reports carry: ``ntp`` (right), ``unix`` (seventy years off) …
    """

    mounts: dict[str, str]
    login: tuple[str, str] | None = None
    clock: str = "ntp"
    port: int = 0
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    def start(self) -> None:
        plan = {"mounts": self.mounts, "login": self.login, "clock": self.clock, "port": self.port}
        self.process = subprocess.Popen(
            [PYTHON, __file__, json.dumps(plan)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("port "), f"the camera did not start: {line!r}"
        self.port = int(line.split()[1])

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def address(self, mount: str, *, login: str = "") -> str:
        return f"rtsp://{login}{'@' if login else ''}127.0.0.1:{self.port}{mount}"


@contextmanager
def camera(mounts: dict[str, str], **settings: Any) -> Iterator[Camera]:
    made = Camera(mounts, **settings)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def _serve(plan: dict[str, Any]) -> None:  # pragma: no cover - runs in the system's Python
    import gi  # noqa: PLC0415 # Debian's, not ours

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer  # noqa: PLC0415

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(plan["port"]))
    if plan["login"]:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(*plan["login"]), token)
        server.set_auth(auth)

    def prepared(media: Any) -> None:
        bins = media.get_element().get_parent().iterate_elements()
        while (found := bins.next())[0] == Gst.IteratorResult.OK:
            if found[1].get_factory().get_name() == "rtpbin":
                found[1].set_property("ntp-time-source", plan["clock"])

    def configured(_factory: object, media: Any) -> None:
        media.connect("prepared", prepared)

    for mount, line in plan["mounts"].items():
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(line)
        factory.set_shared(False)
        factory.connect("media-configure", configured)
        if plan["login"]:
            role = Gst.Structure.new_empty("viewer")
            role.set_value("media.factory.access", True)
            role.set_value("media.factory.construct", True)
            factory.add_role_from_structure(role)
        server.get_mount_points().add_factory(mount, factory)
    server.attach(None)
    sys.stdout.write(f"port {server.get_bound_port()}\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


if __name__ == "__main__":
    if sys.argv[1] == "--check":
        import gi

        gi.require_version("Gst", "1.0")
        gi.require_version("GstRtspServer", "1.0")
        from gi.repository import Gst

        Gst.init(None)
        needed = ("rtph264pay", "rtph265pay", "h264parse", "h265parse", "matroskademux", "netsim")
        sys.exit(0 if all(Gst.ElementFactory.find(name) for name in needed) else 1)
    _serve(json.loads(sys.argv[1]))
