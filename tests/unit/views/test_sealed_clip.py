from __future__ import annotations

import pytest

from watchglass.core.errors import DidNotVerify
from watchglass.views.clip import open_clip, seal_clip

KEY, OTHER, NONCE = b"k" * 32, b"o" * 32, b"n" * 12
ALERT = b"alert 5f"


def test_it_opens_with_its_key_and_its_alert():
    sealed = seal_clip(KEY, NONCE, b"a clip", ALERT)
    assert b"a clip" not in sealed
    assert open_clip(KEY, sealed, ALERT) == b"a clip"


def test_any_changed_byte_is_found():
    sealed = seal_clip(KEY, NONCE, b"a clip", ALERT)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(DidNotVerify):
            open_clip(KEY, bytes(changed), ALERT)


def test_any_cut_is_found():
    sealed = seal_clip(KEY, NONCE, b"a clip", ALERT)
    for length in range(len(sealed)):
        with pytest.raises(DidNotVerify):
            open_clip(KEY, sealed[:length], ALERT)


def test_another_alert_and_another_key_are_told_apart():
    sealed = seal_clip(KEY, NONCE, b"a clip", ALERT)
    with pytest.raises(DidNotVerify, match="another alert"):
        open_clip(KEY, sealed, b"alert 60")
    with pytest.raises(DidNotVerify, match="another key"):
        open_clip(OTHER, sealed, ALERT)


def test_the_form_is_fixed():
    """The layout in the module's words, so that a clip sealed today opens tomorrow."""
    sealed = seal_clip(KEY, NONCE, b"", b"")
    key_check = "e6d0dde5ea003c54499a627c3d217ba8d701966122593d352c089e9c10554cce"
    tag = "503d85e5c54cbc273e271f513cab9980"
    assert sealed == b"watchglass/clip/v1\n" + bytes.fromhex(key_check) + NONCE + bytes.fromhex(tag)


@pytest.mark.parametrize(("key", "nonce"), [(b"short", NONCE), (KEY, b"short")])
def test_keys_and_nonces_of_another_length_are_refused(key: bytes, nonce: bytes):
    with pytest.raises(ValueError, match="bytes"):
        seal_clip(key, nonce, b"", ALERT)
