"""Listening sockets and the portal's server, with errors for people."""

from __future__ import annotations

import errno
import socket
import threading
from typing import Final

import uvicorn
from fastapi import FastAPI

from watchglass.core.errors import BadInput, Problem

_STOP_S: Final = 10.0


def bind(host: str, port: int) -> socket.socket:
    """A listening socket whose connections send at once.

    An answer's head and its body are two writes. Without ``TCP_NODELAY`` the body waits until the other side has
    acknowledged the head, which it may put off by 40 ms or more (RFC 896; RFC 1122, 4.2.3.2). asyncio sets it only on
    sockets that name their protocol, which those of ``create_server`` do not; what is accepted inherits it.

    Raises:
        OSError: the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=128)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, as ``bind`` makes it.

    Raises:
        BadInput: the port is taken. Problem: the address cannot be used.
    """
    try:
        return bind(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise BadInput(
                f"Port {port} on {host} is in use by another program.",
                fix="Stop that program, or choose another port with --port (or `listen:` in deployment.yaml).",
            ) from error
        raise Problem(
            f"{host}:{port} cannot be listened on: {error.strerror}.", fix="Choose another address or port."
        ) from error


def address_of(listener: socket.socket) -> str:
    """The socket's address as a browser writes it."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Serving:
    """An application served from a thread of its own until ``close``.

    Args:
        behind_proxy: whether a proxy on this machine says who really asks; nobody else's word is taken for it.
    """

    def __init__(self, app: FastAPI, listener: socket.socket, *, behind_proxy: bool = False) -> None:
        self.address = address_of(listener)
        self._listener = listener
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=behind_proxy,
            lifespan="off",
            timeout_graceful_shutdown=3,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="watchglass-portal", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Let open answers end (their streams were closed by the house), then stop."""
        self._server.should_exit = True
        self._thread.join(_STOP_S)
        self._listener.close()
