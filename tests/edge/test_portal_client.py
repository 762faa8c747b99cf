"""A signer's machine and a portal that answers well, badly, or not at all."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify, Problem, Refused
from watchglass.edge.portal_client import PortalClient


@contextmanager
def portal(status: int, body: bytes) -> Iterator[tuple[str, list[tuple[str, str, bytes]]]]:
    """A server that answers everything with ``body``; its address, and what it was asked."""
    asked: list[tuple[str, str, bytes]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            size = int(self.headers.get("Content-Length", "0"))
            asked.append((self.command, self.path, self.rfile.read(size)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 (the library's name)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", asked
        finally:
            server.shutdown()
            thread.join(20)


def ask(status: int, value: object) -> dict[str, object]:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    with portal(status, body) as (url, _):
        client = PortalClient(url)
        try:
            return client.standing()
        finally:
            client.close()


def test_what_is_asked_and_where() -> None:
    with portal(200, b'{"ok": true}') as (url, asked):
        client = PortalClient(url)
        assert client.standing() == client.hand_in(b"act") == client.publish(b"charter") == {"ok": True}
        client.close()
    assert asked == [
        ("GET", "/api/v1/standing", b""),
        ("POST", "/api/v1/signed-acts", b"act"),
        ("POST", "/api/v1/charters", b"charter"),
    ]


@pytest.mark.parametrize("kind", [BadInput, Refused, DidNotVerify, CannotRecord, Problem])
def test_the_portals_errors_keep_their_kind_and_their_words(kind: type[Problem]) -> None:
    with pytest.raises(kind, match="Because") as caught:
        ask(400, kind("Because.", fix="Do this.").as_json())
    assert caught.value.fix == "Do this."


def test_every_reason_of_a_refusal_arrives() -> None:
    with pytest.raises(Refused) as caught:
        ask(403, Refused("A. B.", fix="f", reasons=("A.", "B.")).as_json())
    assert caught.value.reasons == ("A.", "B.")


def test_an_error_that_is_not_known_here_is_a_problem() -> None:
    with pytest.raises(Problem, match="odd"):
        ask(500, {"error": "Odd", "message": "odd"})
    with pytest.raises(Problem, match="refused"):
        ask(500, {})


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"{", b"[" * 100_000])
def test_what_is_no_portal(body: bytes) -> None:
    for status in (200, 404):
        with pytest.raises(Problem, match="without data"):
            ask(status, body)


def test_it_follows_nobody_elsewhere_and_reads_no_endless_answer() -> None:
    with pytest.raises(Problem):
        ask(302, {"ok": True})
    with pytest.raises(Problem, match="too large"):
        ask(200, b'{"x": "' + b"x" * (1 << 20) + b'"}')
    with pytest.raises(BadInput, match="not an address"):
        PortalClient("ftp://x")
