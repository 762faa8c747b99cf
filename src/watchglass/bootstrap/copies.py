"""Copies of a log's full tiles and bundles in a signer's own folder, so that not all of it is fetched each time.

A copy is believed no more than the server that it came from: whoever reads a log hashes every byte again, up to a
checkpoint that witnesses cosigned just now. Copies that do not fit are thrown away, and the log is fetched again.

Entries that the log has archived since are in these copies alone, so those are never thrown away; and a machine that
never had them adopts the archive, which is then a copy like any other.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from watchglass.core.errors import BadInput, CannotRecord, Problem
from watchglass.edge.tiles import TileDirectory
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger.tiles import CHECKPOINT, ENTRIES, FULL, Tile, TileReader, first_here

_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600


class Copies:
    """A log, and a folder in which what never changes of it is kept: full tiles and full bundles.

    Args:
        log: where the log's files are.
        folder: made when it is first needed. If it cannot be written, nothing is kept, and all else goes on.
    """

    def __init__(self, log: TileReader, folder: Path) -> None:
        self._log = log
        self._folder = folder
        self._kept = TileDirectory(folder)
        self.used = 0
        """How many copies were given out since they were last thrown away, or since ``start``."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a file of the log, from a copy where there is one."""
        if path == CHECKPOINT or Tile.parse(path).width != FULL:
            return self._log.read(path)
        with suppress(Problem):  # a copy that cannot be read is none
            data = self._kept.read(path)
            if data is not None:
                self.used += 1
                return data
        data = self._log.read(path)
        if data is not None:
            with suppress(OSError):  # a full disk keeps nothing, and hinders nothing
                self._keep(self._folder / path, data)
        return data

    def start(self) -> None:
        """Begin to count anew."""
        self.used = 0

    def archived(self) -> int:
        """The first entry that the log itself still serves."""
        note = self._log.read(CHECKPOINT)
        return 0 if note is None else first_here(self._log, checkpoints.parse(note).checkpoint.size)

    def throw_away(self) -> bool:
        """Remove every copy that can be fetched again; whether there was one."""
        self.used = 0
        last, found = self.archived() // FULL, False
        for path in list(self._kept.paths()):
            with suppress(BadInput):
                tile = Tile.parse(path)
                if tile.level == ENTRIES and tile.width == FULL and tile.index < last:
                    continue
            (self._folder / path).unlink(missing_ok=True)
            found = True
        return found

    def adopt(self, archive: TileReader, size: int) -> int:
        """Take over every full bundle of an archive of ``size`` entries; how many. It is hashed whenever it is read.

        Raises:
            CannotRecord: the folder cannot be written.
        """
        count = 0
        try:
            for index in range(size // FULL):
                path = Tile(ENTRIES, index).path
                data = archive.read(path)
                if data is not None:
                    self._keep(self._folder / path, data)
                    count += 1
        except OSError as error:
            raise CannotRecord(
                f"{self._folder} cannot be written: {error.strerror}.", fix="Make room, then adopt the archive again."
            ) from error
        return count

    def _keep(self, file: Path, data: bytes) -> None:
        """Write a copy whole or not at all. It is not synced: one that a crash tore is found and thrown away."""
        _make(file.parent)
        new = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        try:
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE_FILE)
            with os.fdopen(handle, "wb") as out:
                out.write(data)
            new.rename(file)
        except OSError:
            new.unlink(missing_ok=True)
            raise


def _make(folder: Path) -> None:
    """Make a folder and those above it, each for its owner alone: ``mkdir`` itself gives its mode to the last only."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
