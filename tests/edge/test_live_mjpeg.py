"""Cameras that send single pictures over HTTP, from servers made here, and devices: what arrives, what is said."""

from __future__ import annotations

import base64
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import cv2
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from test_live_rtsp import watch

from watchglass.edge.camera_plan import Plan, plan_of
from watchglass.edge.clock import SystemClock
from watchglass.edge.live import LiveStream

SECRET = "hunter2"
STEP_S = 0.05


def jpeg(place: int) -> bytes:
    picture = np.full((120, 160, 3), 80, np.uint8)
    picture[:, place * 10 : place * 10 + 10] = 220
    done, data = cv2.imencode(".jpg", picture)
    assert done
    return bytes(data)


PICTURES = [jpeg(i) for i in range(16)]


class Handler(BaseHTTPRequestHandler):
    """Behaves as its path says."""

    def log_message(self, *_: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        way = self.path.split("?")[0]
        if way == "/locked":
            word = base64.b64encode(f"viewer:{SECRET}".encode()).decode()
            if self.headers.get("Authorization") != f"Basic {word}":
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.end_headers()
                return
        self.send_response(200)
        kinds = {"/bare": "image/jpeg", "/page": "text/html"}
        self.send_header("Content-Type", kinds.get(way, "multipart/x-mixed-replace; boundary=frame"))
        self.end_headers()
        try:
            self.send(way)
        except OSError:  # whoever looked has gone
            return

    def send(self, way: str) -> None:
        if way == "/page":
            self.wfile.write(b"<html><body>Please upgrade your browser.</body></html>" * 50)
            return
        for i in range(16 if way == "/short" else 400):
            data = PICTURES[i % 16]
            if way == "/broken" and i % 4 == 3:
                data = data[:200] + bytes(300) + data[500:]
            if way != "/bare":
                length = b"" if way == "/lengthless" else b"Content-Length: %d\r\n" % len(data)
                self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n" + length + b"\r\n")
            self.wfile.write(data + (b"" if way == "/bare" else b"\r\n"))
            self.wfile.flush()
            time.sleep(STEP_S)


@contextmanager
def server(context: ssl.SSLContext | None = None) -> Iterator[int]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    made.block_on_close = False
    if context is not None:
        made.socket = context.wrap_socket(made.socket, server_side=True)
    thread = threading.Thread(target=made.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield made.server_address[1]
    finally:
        made.shutdown()
        made.server_close()
        thread.join()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with server() as made:
        yield made


def stream_of(address: str) -> LiveStream:
    return LiveStream(plan_of("mjpeg", address), SystemClock())


@pytest.mark.parametrize("way", ["/multipart", "/lengthless", "/bare"])
def test_each_picture_stands_for_itself_and_has_the_time_of_its_arrival(port: int, way: str) -> None:
    stream = stream_of(f"http://127.0.0.1:{port}{way}")
    seen = watch(stream, 20, pictures=60)
    assert not seen.failure
    assert stream.shape is not None
    assert (stream.shape.codec, stream.size) == ("mjpeg", (160, 120))
    assert len(seen.pictures) >= 60
    assert all(packet.keyframe for packet in seen.packets)
    places = [int(picture.bgr()[60, :, 1].argmax() / 10) for picture in seen.pictures]
    assert places == [(places[0] + i) % 16 for i in range(len(places))]
    times = [picture.at_ms for picture in seen.pictures]
    assert times == sorted(times)
    assert stream.fps == pytest.approx(1 / STEP_S, rel=0.3)
    assert max(seen.late_ms[30:]) < 1_000
    assert "times of arrival" in stream.notes[0]


def test_a_password_is_used_and_never_shown(port: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert not watch(stream_of(f"http://viewer:{SECRET}@127.0.0.1:{port}/locked"), 10, pictures=5).failure
    wrong = watch(stream_of(f"http://viewer:{SECRET}x@127.0.0.1:{port}/locked"), 10).failure
    assert "refuses the name and password" in wrong
    assert SECRET not in wrong + "".join(capfd.readouterr())


def test_damaged_pictures_do_not_end_the_stream(port: int) -> None:
    seen = watch(stream_of(f"http://127.0.0.1:{port}/broken"), 20, pictures=40)
    assert not seen.failure
    assert len(seen.pictures) >= 40


def test_the_end_and_what_is_no_video_are_told(port: int) -> None:
    short = watch(stream_of(f"http://127.0.0.1:{port}/short"), 10)
    assert "broke off the stream" in short.failure
    assert len(short.packets) >= 14
    assert "no picture that can be read" in watch(stream_of(f"http://127.0.0.1:{port}/page"), 10).failure


def test_an_address_opens_no_other_kind_of_file(tmp_path: Path, port: int) -> None:
    inside = tmp_path / "list.m3u8"
    inside.write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n")
    plan = plan_of("mjpeg", f"http://127.0.0.1:{port}/multipart")
    seen = watch(LiveStream(Plan(str(inside), plan.tries), SystemClock()), 5)
    assert seen.failure
    assert not seen.packets


def certificate(folder: Path) -> tuple[Path, Path]:
    """A camera's own certificate, as cameras have them: signed by nobody else."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, private = folder / "camera.pem", folder / "camera.key"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert, private


def test_over_tls_only_a_certificate_that_is_trusted_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with server(context) as port:
        address = f"https://viewer:{SECRET}@127.0.0.1:{port}/locked"
        refused = watch(stream_of(address), 10)
        assert refused.failure
        assert not refused.packets
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        assert not watch(stream_of(address), 10, pictures=5).failure


def test_a_webcam_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    failure = watch(LiveStream(plan_of("webcam", "/dev/video97"), SystemClock()), 5).failure
    assert failure == "/dev/video97 is not there."


def test_a_device_without_compression_is_read_too() -> None:
    stream = LiveStream(Plan("testsrc=size=320x240:rate=10,realtime", (("lavfi", {}),)), SystemClock())
    seen = watch(stream, 10, pictures=20)
    assert len(seen.pictures) >= 20
    assert stream.size == (320, 240)
    assert seen.pictures[0].bgr().shape == (240, 320, 3)


def test_a_device_that_refuses_one_way_is_asked_another() -> None:
    plan = Plan("testsrc=size=64x64:rate=10,realtime", (("lavfi", {"graph": "nonsense"}), ("lavfi", {})))
    assert len(watch(LiveStream(plan, SystemClock()), 10, pictures=3).pictures) >= 3


def test_uncompressed_pictures_of_a_camera_keep_their_colours(tmp_path: Path) -> None:
    path = tmp_path / "raw.y4m"
    luma, half = bytes([200]) * (64 * 48), 64 * 48 // 4
    frame = b"FRAME\n" + luma + bytes([90]) * half + bytes([240]) * half
    path.write_bytes(b"YUV4MPEG2 W64 H48 F10:1 Ip C420\n" + frame * 20)
    seen = watch(LiveStream(Plan(str(path), (("yuv4mpegpipe", {}),)), SystemClock()), 5, pictures=20)
    assert len(seen.pictures) == 20
    blue, _, red = seen.pictures[0].bgr()[20, 20].astype(int)
    assert red > 200
    assert blue < 200
