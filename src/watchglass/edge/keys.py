"""Key files: PKCS#8 PEM with the key's name and public half above it, mode 0600, with a passphrase if wanted.

RFC 7468 allows text before the first ``-----BEGIN``; the name and the vkey stand there, because PKCS#8 has no place
for them and people need to see which key a file holds.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from watchglass.core.digest import b64, unb64
from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput, CannotRecord
from watchglass.edge.tiles import sync_folder, write_durably
from watchglass.ledger.keys import KeyType, SignerKey

_SECRET_MODE: Final = 0o600
_OTHERS: Final = 0o077
_BEGIN: Final = b"-----BEGIN "
_PUBLIC: Final = "Public: "
_NAME: Final = "Name: "
_KEY_BYTES: Final = 32
_LARGEST: Final = 16_384


def write_signing_key(path: Path, key: SignerKey, *, passphrase: str | None = None) -> None:
    """Write a signing key that nobody but the file's owner can read.

    Raises:
        BadInput: there is a file already. CannotRecord: the disk refuses.
    """
    head = f"Watchglass {_WORDS[key.kind]}\n{_NAME}{key.name}\n{_PUBLIC}{key.verifier}\n"
    private = Ed25519PrivateKey.from_private_bytes(_seed_of(key))
    _write(path, head, private, passphrase)


def read_signing_key(path: Path, *, passphrase: str | None = None) -> SignerKey:
    """The signing key in a file.

    Raises:
        BadInput: other people can read the file, the passphrase is missing or wrong, or it holds something else.
    """
    head, private = _read(path, passphrase)
    if not isinstance(private, Ed25519PrivateKey):
        raise BadInput(f"{path.name} is not a signing key (Ed25519).", fix="Give the file that `key new` wrote.")
    name, public = _line(head, _NAME, path), _line(head, _PUBLIC, path)
    for kind in KeyType:
        key = SignerKey.from_seed(name, private.private_bytes_raw(), kind)
        if str(key.verifier) == public:
            return key
    raise BadInput(
        f"The name or public key written in {path.name} does not belong to the key in it.",
        fix="Restore the whole file; its first lines were changed.",
    )


def new_openings_key(entropy: Entropy) -> X25519PrivateKey:
    """A fresh key to which records' details are sealed: oversight makes it, on its own machine."""
    return X25519PrivateKey.from_private_bytes(entropy.bytes(_KEY_BYTES))


def openings_key_text(key: X25519PublicKey) -> str:
    """The public half as the charter's ``oversight.openings_key`` writes it: 32 bytes in base64."""
    return b64(key.public_bytes_raw())


def parse_openings_key(text: str) -> X25519PublicKey:
    """The key behind the charter's ``oversight.openings_key``.

    Raises:
        BadInput: it is not 32 bytes in base64.
    """
    return X25519PublicKey.from_public_bytes(unb64(text, length=_KEY_BYTES))


def write_openings_key(
    path: Path, key: X25519PrivateKey, *, passphrase: str | None = None, what: str = "openings key"
) -> None:
    """Write oversight's openings key, or another to which something is sealed: ``what`` it is stands in its head.

    Raises:
        BadInput: there is a file already. CannotRecord: the disk refuses.
    """
    _write(path, f"Watchglass {what}\n{_PUBLIC}{openings_key_text(key.public_key())}\n", key, passphrase)


def read_openings_key(path: Path, *, passphrase: str | None = None) -> X25519PrivateKey:
    """Oversight's openings key in a file.

    Raises:
        BadInput: other people can read the file, the passphrase is missing or wrong, or it holds something else.
    """
    head, private = _read(path, passphrase)
    if not isinstance(private, X25519PrivateKey):
        raise BadInput(
            f"{path.name} is not an openings key, nor another that things are sealed to (X25519).",
            fix="Give the file that the command wrote.",
        )
    if _line(head, _PUBLIC, path) != openings_key_text(private.public_key()):
        raise BadInput(
            f"The public key written in {path.name} does not belong to the key in it.", fix="Restore the whole file."
        )
    return private


def is_encrypted(path: Path) -> bool:
    """Whether a key file is protected by a passphrase; False where there is no such file."""
    try:
        with path.open("rb") as file:
            return b"BEGIN ENCRYPTED PRIVATE KEY" in file.read(_LARGEST)
    except OSError:
        return False  # reading it as a key says what is wrong


def destroy_key(path: Path) -> None:
    """Overwrite a key file where it lies, then remove it. Copies elsewhere, and what a disk keeps of old blocks, stay.

    Raises:
        CannotRecord: the disk refuses; then the file is still there.
    """
    try:
        size = path.stat().st_size
        with path.open("r+b", buffering=0) as file:
            file.write(bytes(size))
            os.fsync(file.fileno())
        path.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise CannotRecord(
            f"The disk refused to destroy {path}: {error.strerror}.",
            fix="Remove the file by hand; the record that it was destroyed stands already.",
        ) from error


_WORDS: Final = {KeyType.ED25519: "signing key", KeyType.COSIGNATURE_V1: "witness key"}


def _seed_of(key: SignerKey) -> bytes:
    """The seed behind the key's own text form ``PRIVATE+KEY+name+keyid+base64(type ‖ seed)``."""
    return unb64(key.export().split("+", 4)[4])[1:]


def _write(path: Path, head: str, private: Ed25519PrivateKey | X25519PrivateKey, passphrase: str | None) -> None:
    if path.exists():
        raise BadInput(f"There is a file {path.name} already.", fix="Choose another name; keys are never overwritten.")
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        if not passphrase:
            raise BadInput("An empty passphrase protects nothing.", fix="Give a longer one, or none.")
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    write_durably([(path, head.encode() + pem)], mode=_SECRET_MODE)


def _read(path: Path, passphrase: str | None) -> tuple[str, object]:
    try:
        with path.open("rb") as file:
            mode = path.stat().st_mode
            data = file.read(_LARGEST)
    except OSError as error:
        raise BadInput(
            f"The key file {path} cannot be read: {error.strerror}.", fix="Check its name and who owns it."
        ) from error
    if mode & _OTHERS:
        raise BadInput(f"Other people on this machine can read the secret key {path}.", fix=f"Run: chmod 600 {path}")
    start = data.find(_BEGIN)
    if start < 0:
        raise BadInput(f"{path.name} does not hold a key.", fix="Give the file that `watchglass key new` wrote.")
    try:
        secret = passphrase.encode() if passphrase is not None else None
        private = serialization.load_pem_private_key(data[start:], secret)
    except TypeError as error:
        raise BadInput(
            f"{path.name} is protected by a passphrase." if passphrase is None else f"{path.name} has no passphrase.",
            fix="Give its passphrase." if passphrase is None else "Leave the passphrase out.",
        ) from error
    except ValueError as error:
        raise BadInput(f"{path.name} does not open.", fix="Check the passphrase, or restore the whole file.") from error
    return data[:start].decode("utf-8", "replace"), private


def _line(head: str, label: str, path: Path) -> str:
    for line in head.splitlines():
        if line.startswith(label):
            return line.removeprefix(label)
    raise BadInput(f"{path.name} lacks its line “{label.strip()}”.", fix="Restore the whole file; a part was removed.")
