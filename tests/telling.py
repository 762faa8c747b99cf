"""Destinations for tests: a charter that tells them, and a receiver on loopback that behaves as it is told to."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from watchglass.acts.notices import Notice, of_alert
from watchglass.review.model import Alert
from world import World

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass(frozen=True)
class Request:
    head: bytes
    headers: dict[str, str]
    body: bytes


Answer = Callable[[socket.socket, threading.Event], None]


def says(text: str) -> Answer:
    """An answer of exactly these bytes."""

    def answer(connection: socket.socket, _stop: threading.Event) -> None:
        connection.sendall(text.encode("latin-1"))

    return answer


def status(code: int, *headers: str) -> Answer:
    lines = "".join(f"{header}\r\n" for header in headers)
    return says(f"HTTP/1.1 {code} Whatever\r\n{lines}content-length: 0\r\nconnection: close\r\n\r\n")


def hangs(_connection: socket.socket, stop: threading.Event) -> None:
    """Takes everything and never says a word."""
    stop.wait(60)


def drips(connection: socket.socket, stop: threading.Event) -> None:
    """One byte of a header now and then: never silent for long, and never done."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
    while not stop.wait(0.2):
        connection.sendall(b"x")


def floods(connection: socket.socket, stop: threading.Event) -> None:
    """A body without an end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not stop.is_set():
        connection.sendall(b"x" * 65536)


@dataclass
class Receiver:
    """A receiver of webhooks. ``answers`` are taken in turn, the last one again and again."""

    answers: Sequence[Answer] = (status(204),)
    tls: ssl.SSLContext | None = None
    port: int = 0
    got: list[Request] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._asked = 0
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(self, _k: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        self.let_go()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def let_go(self) -> None:
        """End every answer that is still going on."""
        self._stop.set()

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/hook"

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with self.tls.wrap_socket(connection, server_side=True) if self.tls else connection as stream:
                self.got.append(read(stream))
                answer = self.answers[min(self._asked, len(self.answers) - 1)]
                self._asked += 1
                answer(stream, self._stop)
        except OSError:  # the sender has had enough of us
            return


def read(stream: socket.socket) -> Request:
    data = b""
    while b"\r\n\r\n" not in data:
        part = stream.recv(65536)
        if not part:
            raise ConnectionError
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")[1:]
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += stream.recv(65536)
    return Request(head.split(b"\r\n")[0], headers, body)


def edits(destinations: str, *, tell: str = "hook") -> list[tuple[str, str]]:
    """What the demo's charter needs, so that it tells ``destinations``: after a verdict, and of a fall at once."""
    rule = "of: [person]\n    for: 1s\n"
    fallen = (
        f"  fallen:\n    kind: person_down\n    source: street\n    zone: lawn\n    purpose: lawn\n"
        f"    model: nanodet-416-int8\n    for: 10s\n    tell: [{tell}]\n    notify: at_once\n"
    )
    return [
        (rule, f"{rule}    tell: [{tell}]\n"),
        ("\nsafeguards:\n", f"{fallen}\ndestinations:\n{destinations}\nsafeguards:\n"),
    ]


def webhook(url: str, name: str = "hook") -> str:
    return f"  {name}:\n    kind: webhook\n    who: the guard's desk\n    url: {url}\n    secret: hook_key\n"


def give_secret(world: World, value: str = SECRET, name: str = "hook_key") -> None:
    world.house.secrets.set(name, value)


def fates(world: World, alert: Alert) -> list[tuple[str, str | None]]:
    """Each notice about an alert: what it says, and what became of it."""
    return [(notice.status.value, notice.outcome and notice.outcome.value) for notice in told(world, alert)]


def told(world: World, alert: Alert) -> tuple[Notice, ...]:
    return of_alert(world.house.store.read(), alert.id)


def certificate(folder: Path, name: str = "127.0.0.1") -> tuple[Path, Path]:
    """A self-signed certificate for ``name``, and its key, made by openssl."""
    cert, key = folder / "server.crt", folder / "server.key"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            f"/CN={name}",
            "-addext",
            f"subjectAltName=IP:{name}",
            "-keyout",
            str(key),
            "-out",
            str(cert),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key
