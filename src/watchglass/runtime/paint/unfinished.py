"""Files that appear when all of them are whole, or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Self


class Unfinished:
    """Hands out a place beside each file to write to; ``commit`` moves them all, and leaving without it removes them.

    Not even a moment's power cut leaves half a file under the name that was asked for.
    """

    def __init__(self) -> None:
        self._waiting: dict[Path, Path] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for place in self._waiting.values():
            with suppress(OSError):
                place.unlink()

    def place(self, path: Path) -> Path:
        """Where to write what will be at ``path``."""
        place = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._waiting[path] = place
        return place

    def commit(self) -> None:
        """All of them are whole: on the disk, then under their names, the first that was asked for last."""
        for place in self._waiting.values():
            with place.open("rb+") as file:
                os.fsync(file.fileno())
        for path in reversed(list(self._waiting)):
            self._waiting[path].replace(path)
            del self._waiting[path]
