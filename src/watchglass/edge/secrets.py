"""Secrets of a deployment: a camera's address with its password, the key of a webhook. One file each, 0600.

The charter names a secret and never holds one, because it is published. Who may read or set secrets is what the
operating system says about the folder: setting one is no act, and nothing of it enters the ledger.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from watchglass.core.errors import BadInput
from watchglass.edge.tiles import sync_folder, write_durably

LARGEST: Final = 16_384
"""Bytes of a secret: an address, a token, a key."""

_FOLDER_MODE: Final = 0o700
_SECRET_MODE: Final = 0o600
_OTHERS: Final = 0o077
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")


class SecretFolder:
    """The secrets in one folder. Names are lower-case letters, digits, hyphens and underscores.

    Args:
        path: ``keys/secrets`` of a deployment; it is made when the first secret is set.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._deployment = path.parent.parent

    def get(self, name: str) -> str:
        """The secret of this name.

        Raises:
            BadInput: there is none, other people can read it, or it holds no text.
        """
        path = self._file(name)
        try:
            with path.open("rb") as file:
                mode = path.stat().st_mode
                data = file.read(LARGEST + 1)
        except FileNotFoundError as error:
            raise BadInput(
                f"There is no secret “{name}”.",
                fix=f"Set it on this machine: watchglass secret set {self._deployment} {name}",
            ) from error
        except OSError as error:
            raise BadInput(
                f"The secret “{name}” cannot be read: {error.strerror}.", fix=f"Check who owns {path}."
            ) from error
        if mode & _OTHERS:
            raise BadInput(f"Other people on this machine can read the secret “{name}”.", fix=f"Run: chmod 600 {path}")
        return _text(name, data)

    def set(self, name: str, value: str) -> None:
        """Keep a secret; one that was there is replaced.

        Raises:
            BadInput: the name or the value cannot be used. CannotRecord: the disk refuses.
        """
        path = self._file(name)
        data = _text(name, value.encode(errors="surrogateescape")).encode()
        if not self._path.exists():
            self._path.mkdir(mode=_FOLDER_MODE, parents=True)
        self._path.chmod(_FOLDER_MODE)
        write_durably([(path, data)], mode=_SECRET_MODE)

    def remove(self, name: str) -> None:
        """Remove a secret.

        Raises:
            BadInput: there is none.
        """
        try:
            self._file(name).unlink()
        except FileNotFoundError as error:
            raise BadInput(
                f"There is no secret “{name}”.", fix=f"List the names: watchglass secret list {self._deployment}"
            ) from error
        sync_folder(self._path)

    def names(self) -> tuple[str, ...]:
        """What secrets there are, in order; never what is in them."""
        if not self._path.is_dir():
            return ()
        return tuple(sorted(p.name for p in self._path.iterdir() if _NAME.fullmatch(p.name)))

    def _file(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise BadInput(
                f"“{name}” cannot be the name of a secret.",
                fix="Use up to 64 lower-case letters, digits, hyphens and underscores, as in: harbour-camera",
            )
        return self._path / name


def _text(name: str, data: bytes) -> str:
    """The one line that a secret is, without the line's end."""
    try:
        text = data.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise BadInput(f"The secret “{name}” is not text.", fix="Set it again, as UTF-8 text.") from error
    if not text or len(data) > LARGEST or any(not character.isprintable() for character in text):
        raise BadInput(
            f"The secret “{name}” is empty, too long or more than one line.",
            fix=f"Set it again: one line of at most {LARGEST} bytes.",
        )
    return text
