"""Sealed clips as files. Retention destroys a clip's key in the database first, then the file here."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from watchglass.core.errors import BadInput, Problem

_NAME: Final = re.compile(r"[0-9a-z][0-9a-z_-]{0,79}")


class ClipFiles:
    """Ciphertext files in one directory, each written durably: temporary file, fsync, rename, fsync of the directory.

    Args:
        directory: made if it is not there, readable by its owner only.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, name: str, ciphertext: bytes) -> None:
        """Keep ``ciphertext`` under ``name``; once this returns it survives a crash.

        Raises:
            BadInput: the name is not one of small letters, digits, ``-`` and ``_``.
            Problem: the disk is full or cannot be written.
        """
        path = self._path(name)
        temporary = path.with_suffix(".part")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(ciphertext)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            self._sync()
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise Problem(
                f"The clip {name} could not be written: {error.strerror or error}.",
                fix="Make room on the disk that holds the clips folder, and check that it is writable.",
            ) from error

    def read(self, name: str) -> bytes:
        """The ciphertext under ``name``.

        Raises:
            BadInput: a bad name, or there is no such clip (any more).
        """
        path = self._path(name)
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise BadInput(
                f"There is no clip {name}.", fix="Its retention may have ended; the painted still remains."
            ) from error

    def names(self) -> tuple[str, ...]:
        """The names of all clips, sorted."""
        return tuple(sorted(path.stem for path in self._directory.glob("*.clip")))

    def destroy(self, name: str) -> bool:
        """Remove the file, durably. Call it after the key was destroyed. False if it was not there."""
        path = self._path(name)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        self._sync()
        return True

    def sweep(self) -> int:
        """Remove what a crash left half-written; how many files."""
        leftovers = list(self._directory.glob("*.part"))
        for path in leftovers:
            path.unlink(missing_ok=True)
        if leftovers:
            self._sync()
        return len(leftovers)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise BadInput(
                f"{name[:40]!r} cannot be the name of a clip.", fix="Use the clip's id as the alert shows it."
            )
        return self._directory / f"{name}.clip"

    def _sync(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class ClipMemory:
    """Sealed clips of a trial: in this process's memory, gone when it ends; none reaches a disk."""

    def __init__(self) -> None:
        self._clips: dict[str, bytes] = {}

    def write(self, name: str, ciphertext: bytes) -> None:
        """Keep ``ciphertext`` under ``name`` until the process ends."""
        self._clips[name] = ciphertext

    def read(self, name: str) -> bytes:
        """The ciphertext under ``name``.

        Raises:
            Problem: it was kept by an earlier run, and went with it.
        """
        try:
            return self._clips[name]
        except KeyError:
            raise Problem(
                "This clip is gone: a trial keeps clips in memory only, until it stops.",
                fix="Decide from the painted still and the rule that fired.",
            ) from None

    def destroy(self, name: str) -> None:
        """Forget the clip."""
        self._clips.pop(name, None)
