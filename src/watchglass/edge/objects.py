"""Ciphertext as files: the mosaicked clips of alerts, and the chunks of sealed segments.

Retention destroys what opens an object in the database first, then the object here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchglass.core.errors import BadInput, CannotRecord, Problem, WatchglassError

_NAME: Final = re.compile(r"[0-9a-z][0-9a-z_-]{0,79}")


@dataclass(frozen=True, slots=True)
class Kind:
    """What the objects of one store are, in the words of its errors.

    Attributes:
        noun: "clip".
        folder: what people call the folder.
        suffix: of the files, and of the keys in a bucket.
        gone: what to do where there is none (any more).
        unwritten: what is raised where one cannot be written now; ``CannotRecord`` lets it wait.
    """

    noun: str
    folder: str
    suffix: str
    gone: str
    unwritten: type[WatchglassError]


CLIPS: Final = Kind("clip", "clips", ".clip", "Its retention may have ended; the painted still remains.", Problem)
SEGMENTS: Final = Kind(
    "sealed segment",
    "sealed",
    ".sealed",
    "Its retention may have ended. If not, restore what holds the sealed segments from a backup.",
    CannotRecord,
)


def checked(name: str, kind: Kind) -> str:
    """The name, if an object may have it.

    Raises:
        BadInput: it is not one of small letters, digits, ``-`` and ``_``, or begins with one of the last two.
    """
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{name[:40]!r} cannot be the name of a {kind.noun}.", fix="Use the name as its record or page shows it."
        )
    return name


def missing(name: str, kind: Kind) -> BadInput:
    """There is no such object (any more)."""
    return BadInput(f"There is no {kind.noun} {name}.", fix=kind.gone)


def other_content(name: str, kind: Kind) -> Problem:
    """Something else lies under that name: an object never changes."""
    return Problem(
        f"Another {kind.noun} is kept under the name {name} already.",
        fix="It is left as it is, and the new one is not kept. Look for a second deployment that writes there.",
        name=name,
    )


class ObjectFiles:
    """Ciphertext files in one directory, each written durably: temporary file, fsync, rename, fsync of the directory.

    Args:
        directory: made if it is not there, readable by its owner only.
        kind: what they are.
    """

    def __init__(self, directory: Path, kind: Kind) -> None:
        self._directory = directory
        self._kind = kind
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def __str__(self) -> str:
        return str(self._directory)

    def write(self, name: str, ciphertext: bytes) -> None:
        """Keep ``ciphertext`` under ``name``; once this returns it survives a crash. The same may be written again.

        Raises:
            BadInput: a bad name.
            Problem: other bytes lie under that name. Problem or, for segments, CannotRecord: the disk is full or
                cannot be written.
        """
        path = self._path(name)
        temporary = path.with_suffix(".part")
        try:
            if path.exists():
                if path.read_bytes() != ciphertext:
                    raise other_content(name, self._kind)
                self._sync()  # an earlier try may have failed between its name and this
                return
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(ciphertext)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            self._sync()
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise self._kind.unwritten(
                f"The {self._kind.noun} {name} could not be written: {error.strerror or error}.",
                fix=f"Make room on the disk that holds the {self._kind.folder} folder, and check that it is writable.",
            ) from error

    def read(self, name: str) -> bytes:
        """The ciphertext under ``name``.

        Raises:
            BadInput: a bad name, or there is no such object (any more). Problem: it cannot be read.
        """
        return self._read(name, 0, None)

    def read_part(self, name: str, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset`` on; fewer where the object ends, and none behind its end.

        Raises:
            as ``read``.
        """
        if offset < 0 or length < 0:
            raise BadInput("No part begins before an object, or has less than no bytes.", fix="Ask for another part.")
        return self._read(name, offset, length)

    def kept(self) -> Iterator[tuple[str, int]]:
        """Every whole object, in the order of names, with when it was written (milliseconds since 1970)."""
        for path in sorted(self._directory.glob(f"*{self._kind.suffix}")):
            try:
                written = path.stat().st_mtime_ns // 1_000_000
            except FileNotFoundError:  # destroyed meanwhile
                continue
            yield path.stem, written

    def names(self) -> tuple[str, ...]:
        """The names of all whole objects, sorted."""
        return tuple(name for name, _ in self.kept())

    def destroy(self, name: str) -> bool:
        """Remove the file, durably. Call it after what opens it was destroyed. False if it was not there.

        Raises:
            BadInput: a bad name. Problem: the disk refuses.
        """
        path = self._path(name)
        try:
            path.unlink()
            self._sync()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise Problem(
                f"The {self._kind.noun} {name} could not be destroyed: {error.strerror or error}.",
                fix=f"Check who may write to the {self._kind.folder} folder, and its disk. It is tried again.",
            ) from error
        return True

    def sweep(self) -> int:
        """Remove what a crash left half-written; how many files. Only for the one process that writes here."""
        leftovers = list(self._directory.glob("*.part"))
        for path in leftovers:
            path.unlink(missing_ok=True)
        if leftovers:
            self._sync()
        return len(leftovers)

    def check(self) -> None:
        """See whether one could be written now.

        Raises:
            Problem or CannotRecord: no.
        """
        if not self._directory.is_dir() or not os.access(self._directory, os.R_OK | os.W_OK | os.X_OK):
            raise self._kind.unwritten(
                f"The {self._kind.folder} folder is not there, or cannot be written.",
                fix=f"Mount or make {self._directory}, and give it to the account that runs Watchglass.",
            )

    def _read(self, name: str, offset: int, length: int | None) -> bytes:
        path = self._path(name)
        try:
            with path.open("rb") as file:
                file.seek(offset)
                return file.read(-1 if length is None else length)
        except FileNotFoundError as error:
            raise missing(name, self._kind) from error
        except OSError as error:
            raise Problem(
                f"The {self._kind.noun} {name} could not be read: {error.strerror or error}.",
                fix=f"Check the disk that holds the {self._kind.folder} folder.",
            ) from error

    def _path(self, name: str) -> Path:
        return self._directory / f"{checked(name, self._kind)}{self._kind.suffix}"

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

    def kept(self) -> Iterator[tuple[str, int]]:
        """None that could be left over: they go with the process."""
        return iter(())
