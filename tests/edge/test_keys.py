from __future__ import annotations

from pathlib import Path

import pytest

from watchglass.core.errors import BadInput
from watchglass.edge.entropy import SeededEntropy, SystemEntropy
from watchglass.edge.keys import (
    new_openings_key,
    openings_key_text,
    parse_openings_key,
    read_openings_key,
    read_signing_key,
    write_openings_key,
    write_signing_key,
)
from watchglass.ledger.keys import KeyType, SignerKey

KEY = SignerKey.generate("authority.example.org", SeededEntropy("a"))


@pytest.mark.parametrize("passphrase", [None, "correct horse"])
@pytest.mark.parametrize("kind", list(KeyType))
def test_signing_keys_survive(tmp_path: Path, passphrase: str | None, kind: KeyType) -> None:
    key = SignerKey.generate("a.example.org", SeededEntropy("k"), kind)
    path = tmp_path / "keys" / "a.key"
    write_signing_key(path, key, passphrase=passphrase)
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text()
    assert str(key.verifier) in text
    assert ("ENCRYPTED" in text) == (passphrase is not None)
    read = read_signing_key(path, passphrase=passphrase)
    assert read.verifier == key.verifier
    key.verifier.verify(b"message", read.sign(b"message"))


@pytest.mark.parametrize("passphrase", [None, "correct horse"])
def test_openings_keys_survive(tmp_path: Path, passphrase: str | None) -> None:
    key = new_openings_key(SystemEntropy())
    write_openings_key(tmp_path / "o.key", key, passphrase=passphrase)
    read = read_openings_key(tmp_path / "o.key", passphrase=passphrase)
    assert read.private_bytes_raw() == key.private_bytes_raw()
    text = openings_key_text(key.public_key())
    assert parse_openings_key(text).public_bytes_raw() == key.public_key().public_bytes_raw()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.key"
    write_signing_key(path, KEY)
    path.chmod(mode)
    with pytest.raises(BadInput, match="Other people") as caught:
        read_signing_key(path)
    assert "chmod 600" in caught.value.fix


def test_passphrases(tmp_path: Path) -> None:
    plain, locked = tmp_path / "p.key", tmp_path / "l.key"
    write_signing_key(plain, KEY)
    write_signing_key(locked, KEY, passphrase="secret")
    with pytest.raises(BadInput, match="is protected by a passphrase"):
        read_signing_key(locked)
    with pytest.raises(BadInput, match="does not open"):
        read_signing_key(locked, passphrase="wrong")
    with pytest.raises(BadInput, match="has no passphrase"):
        read_signing_key(plain, passphrase="secret")
    with pytest.raises(BadInput, match="protects nothing"):
        write_signing_key(tmp_path / "e.key", KEY, passphrase="")


def test_keys_are_never_overwritten_nor_confused(tmp_path: Path) -> None:
    write_signing_key(tmp_path / "s.key", KEY)
    with pytest.raises(BadInput, match="already"):
        write_signing_key(tmp_path / "s.key", KEY)
    write_openings_key(tmp_path / "o.key", new_openings_key(SeededEntropy("o")))
    with pytest.raises(BadInput, match="not a signing key"):
        read_signing_key(tmp_path / "o.key")
    with pytest.raises(BadInput, match="not an openings key"):
        read_openings_key(tmp_path / "s.key")


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_changed_head_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "s.key"
    write_signing_key(path, KEY)
    rewrite(path, "Name: authority.example.org", "Name: oversight.example.org")
    with pytest.raises(BadInput, match="does not belong"):
        read_signing_key(path)
    rewrite(path, "Name: oversight.example.org\n", "")
    with pytest.raises(BadInput, match="lacks its line"):
        read_signing_key(path)
    opening = tmp_path / "o.key"
    write_openings_key(opening, new_openings_key(SeededEntropy("o")))
    rewrite(opening, openings_key_text(new_openings_key(SeededEntropy("o")).public_key()), "AAAA")
    with pytest.raises(BadInput, match="does not belong"):
        read_openings_key(opening)


@pytest.mark.parametrize("data", [b"", b"hello", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.key"
    path.touch(0o600)
    path.write_bytes(data)
    with pytest.raises(BadInput):
        read_signing_key(path)
    with pytest.raises(BadInput, match="cannot be read"):
        read_signing_key(tmp_path / "none.key")
