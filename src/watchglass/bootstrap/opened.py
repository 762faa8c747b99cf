"""The sealed details of records, as oversight opens them on its own machine: files from the portal's openings page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from watchglass.core.digest import unb64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.records.leaf import Leaf
from watchglass.records.opening import WrappedKey, key_id_of, unseal_with, unwrap


class OpenedRecords:
    """What some files from the openings page hold, opened leaf by leaf. Each hourly key is unwrapped once."""

    def __init__(
        self, origin: str, keys: dict[bytes, WrappedKey], sealed: dict[bytes, bytes], own: Sequence[X25519PrivateKey]
    ) -> None:
        self.origin = origin
        self._keys = keys
        self._sealed = sealed
        self._own = own
        self._ciphers: dict[bytes, AESGCM] = {}

    def __len__(self) -> int:
        """How many sealed openings there are."""
        return len(self._sealed)

    def values(self, leaf: Leaf, leaf_hash: bytes) -> dict[str, Any] | None:
        """The committed values of ``leaf`` by field; None where no file has its opening.

        Raises:
            DidNotVerify: what the files hold is not what the leaf committed to, or its key is missing or another's.
        """
        sealed = self._sealed.get(leaf_hash)
        if sealed is None or leaf.opening is None:
            return None
        key_id = key_id_of(sealed)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            wrapped = self._keys.get(key_id)
            if wrapped is None:
                raise DidNotVerify("The key of an opening is missing.", fix="Ask for the openings page's file again.")
            cipher = self._ciphers[key_id] = self._unwrapped(wrapped)
        return unseal_with(leaf, sealed, key_id, cipher, origin=self.origin)

    def _unwrapped(self, wrapped: WrappedKey) -> AESGCM:
        """With whichever of the own keys it was wrapped to: a charter may have named another one in between."""
        for key in self._own[:-1]:
            with suppress(DidNotVerify):
                return unwrap(wrapped, key, origin=self.origin)
        return unwrap(wrapped, self._own[-1], origin=self.origin)


def read_openings(where: Path, *own: X25519PrivateKey) -> OpenedRecords:
    """The openings in a file, or in every ``.json`` file of a folder: later retention has destroyed some of the older.

    Args:
        own: oversight's openings key, or all that it has had, one after the other.

    Raises:
        BadInput: there is none, one of them is not from the openings page, or they are of several logs.
    """
    origins: set[str] = set()
    keys: dict[bytes, WrappedKey] = {}
    sealed: dict[bytes, bytes] = {}
    for file in _files(where):
        try:
            value = json.loads(file.read_bytes())
            origins.add(str(value["origin"]))
            for part in value["keys"]:
                key_id = unb64(part["key_id"])
                keys[key_id] = WrappedKey(key_id, part["hour"], unb64(part["wrapped"]))
            sealed |= {unb64(part["leaf_hash"], length=32): unb64(part["sealed"]) for part in value["openings"]}
        except (OSError, ValueError, KeyError, TypeError, RecursionError, BadInput) as error:
            raise BadInput(f"{file} is not a file from the openings page.", fix="Download it again, whole.") from error
    if len(origins) != 1:
        raise BadInput(f"The openings in {where} are of several logs.", fix="Keep each deployment's in its own folder.")
    return OpenedRecords(origins.pop(), keys, sealed, own)


def _files(where: Path) -> Iterable[Path]:
    found = sorted(where.glob("*.json")) if where.is_dir() else [where]
    if not found:
        raise BadInput(f"There is no .json file in {where}.", fix="Put the files from the openings page there.")
    return found
