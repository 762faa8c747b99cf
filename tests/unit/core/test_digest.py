from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.core.digest import b64, sha256, unb64
from watchglass.core.errors import BadInput


def test_sha256_of_nothing() -> None:
    assert sha256(b"").hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(st.binary(max_size=100))
def test_round_trip(data: bytes) -> None:
    assert unb64(b64(data)) == data
    assert unb64(b64(data), length=len(data)) == data


@pytest.mark.parametrize("text", ["a", "ab=", "YQ", "YQ==\n", " YQ==", "YR==", "Y-_=", "ü", "YQ==YQ=="])
def test_refuses_loose_base64(text: str) -> None:
    with pytest.raises(BadInput):
        unb64(text)


def test_refuses_another_length() -> None:
    with pytest.raises(BadInput, match="Expected 32 bytes and got 3"):
        unb64(b64(b"abc"), length=32)
