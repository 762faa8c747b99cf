"""What is sent is not held back until the other side has acknowledged what was sent before."""

from __future__ import annotations

import socket

import pytest

from watchglass.cli.serving import listen
from watchglass.core.errors import BadInput


def test_a_connection_that_was_accepted_sends_at_once() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_that_is_taken_is_said_to_be() -> None:
    with listen("127.0.0.1", 0) as listener, pytest.raises(BadInput, match="in use by another program"):
        listen("127.0.0.1", listener.getsockname()[1])
