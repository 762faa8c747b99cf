from __future__ import annotations

import pytest

from watchglass.core.reach import is_near

NEAR = (
    *("127.0.0.1", "127.9.9.9", "::1", "[::1]", "10.0.0.1", "172.16.3.4", "192.168.1.1", "fd00::1", "169.254.1.1"),
    *("localhost", "a.localhost", "mosquitto", "desk.lan", "DESK.LOCAL.", "x.home.arpa", "x.internal"),
)
FAR = (
    *("8.8.8.8", "172.32.0.1", "193.168.1.1", "2001:4860:4860::8888", "::ffff:8.8.8.8"),
    *("example.org", "localhost.example.org", "lan.example", "desk.lan.example.org", "127.0.0.1.example.org", "", "."),
)


@pytest.mark.parametrize("host", NEAR)
def test_near(host: str) -> None:
    assert is_near(host)


@pytest.mark.parametrize("host", FAR)
def test_far(host: str) -> None:
    assert not is_near(host)
