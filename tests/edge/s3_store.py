"""Real servers that speak S3, in processes of their own on loopback, and a line to them that can be bad.

`nanio` checks signatures and clocks; it knows no conditions, and does not compare the hash of what arrives.
`localbucket` keeps to `If-None-Match`, and takes any signature. Both come with `make s3`; without it the
tests are skipped and say so.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import socketserver
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest

from watchglass.edge.bucket import Bucket, ObjectBucket
from watchglass.edge.objects import SEGMENTS

ACCESS, SECRET, BUCKET = "watchglass-access", "a-secret-key-of-the-test", "originals"
_FOLDER: Final = Path(__file__).parents[2] / ".venv-s3" / "bin"


def program(name: str) -> str:
    """The server's program; skips the test where there is none."""
    own = _FOLDER / name
    found = str(own) if own.is_file() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name}, a server that speaks S3, is not here: run `make s3`")
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Server:
    """A store on loopback, with one bucket.

    Attributes:
        folder: where it keeps its objects.
    """

    command: Callable[[Path, int], list[str]]
    folder: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it (again), and wait until it listens."""
        (self.folder / BUCKET).mkdir(parents=True, exist_ok=True)
        keys = {"NANIO_ACCESS_KEY": ACCESS, "NANIO_SECRET_KEY": SECRET, "PATH": os.environ["PATH"]}
        self._process = subprocess.Popen(
            self.command(self.folder, self.port), env=keys, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if self._process.poll() is not None:
                    break
                time.sleep(0.05)
            else:
                return
        pytest.fail(f"{self.command(self.folder, self.port)[0]} did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def bucket(self, port: int | None = None, *, whole_s: float = 20.0, **more: Any) -> ObjectBucket:
        """What we make of it; ``more`` changes the address or the account."""
        values: dict[str, Any] = {
            "endpoint": f"http://127.0.0.1:{port or self.port}",
            "bucket": BUCKET,
            "region": "us-east-1",
            "prefix": "watchglass/abc",
            "access_key": ACCESS,
            "secret_key": SECRET,
            "access_key_name": "store-access",
            "secret_key_name": "store-secret",
        }
        return ObjectBucket(Bucket(**{**values, **more}), SEGMENTS, connect_s=5, whole_s=whole_s)


@contextmanager
def serving(name: str, folder: Path) -> Iterator[Server]:
    """``nanio`` or ``localbucket``, until the end."""
    where = program(name)

    def nanio(data: Path, port: int) -> list[str]:
        return [where, "serve", "--data-dir", str(data), "--host", "127.0.0.1", "--port", str(port)]

    def localbucket(data: Path, port: int) -> list[str]:
        return [where, str(data), "--host", "127.0.0.1", "--port", str(port)]

    server = Server({"nanio": nanio, "localbucket": localbucket}[name], folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@dataclass
class Line:
    """What is done to what passes.

    Attributes:
        up: changes a request's body on its way. worn: changes its headers.
        down: changes an answer: its status, headers and body.
        mute: swallows requests without an answer.
        seen: method and path of each request.
    """

    up: Callable[[str, bytes], bytes] = lambda _method, body: body
    down: Callable[[str, int, Mapping[str, str], bytes], tuple[int, Mapping[str, str], bytes]] = (
        lambda _method, status, headers, body: (status, headers, body)
    )
    worn: Callable[[dict[str, str]], dict[str, str]] = lambda headers: headers
    mute: bool = False
    seen: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0


@contextmanager
def line_to(server: Server) -> Iterator[Line]:
    """A line between us and the server that passes on everything as it is, until it is told otherwise."""
    line = Line()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            line.seen.append((self.command, self.path))
            if line.mute:
                self.connection.shutdown(socket.SHUT_WR)
                self.close_connection = True
                return
            there = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            there.request(self.command, self.path, line.up(self.command, body), line.worn(dict(self.headers.items())))
            answer = there.getresponse()
            data = answer.read()
            status, headers, data = line.down(self.command, answer.status, dict(answer.getheaders()), data)
            there.close()
            self.send_response_only(status)
            hidden = {"content-length", "transfer-encoding", "connection"}
            for key, value in headers.items():
                if key.lower() not in hidden:
                    self.send_header(key, value)
            length = headers.get("content-length", "0") if self.command == "HEAD" else str(len(data))
            self.send_header("Content-Length", length)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass  # noqa: N815 (as http.server wants them)

        def log_message(self, *_: object) -> None:
            pass

    class Relay(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            if not isinstance(sys.exception() if sys.version_info >= (3, 12) else sys.exc_info()[1], OSError):
                socketserver.BaseServer.handle_error(self, *_)  # type: ignore[arg-type]

    relay = Relay(("127.0.0.1", 0), Handler)
    line.port = relay.server_address[1]
    thread = Thread(target=relay.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield line
    finally:
        relay.shutdown()
        relay.server_close()
        thread.join(10)
