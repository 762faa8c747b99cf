"""The file of the charter that is worked on: read whole, replaced whole."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from watchglass.core.errors import BadInput, Problem


class DraftFile:
    """One charter file. What people edit by hand beside us is theirs: compare before replacing.

    Args:
        path: the file; it may not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def read(self) -> bytes | None:
        """The file's bytes; None where there is none.

        Raises:
            BadInput: it is there and cannot be read.
        """
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BadInput(
                f"{self.path.name} cannot be read: {error.strerror}.",
                fix="Let it belong to the account that runs Watchglass.",
            ) from error

    @contextmanager
    def replacing(self, data: bytes) -> Iterator[None]:
        """Write ``data`` beside the file; it takes the file's place when the block ends well, and goes otherwise.

        One at a time. The file's permissions stay as they were.

        Raises:
            Problem: it cannot be written; the file is as it was.
        """
        with self._lock:
            temporary = self.path.with_name(f".{self.path.name}.part")
            try:
                self._write(temporary, data)
                yield
                temporary.replace(self.path)
                _sync(self.path.parent)
            except OSError as error:
                raise Problem(
                    f"{self.path.name} cannot be written: {error.strerror}. It is as it was.",
                    fix="Free space, or let the deployment's folder belong to the account that runs Watchglass.",
                ) from error
            finally:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)

    def _write(self, temporary: Path, data: bytes) -> None:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            with suppress(FileNotFoundError):
                os.fchmod(file.fileno(), self.path.stat().st_mode & 0o777)
            os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
