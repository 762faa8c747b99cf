"""Where a log's files live: a directory with durable writes, or somebody's web server.

A file is written whole to a temporary name, fsynced, renamed, and its directory fsynced, so that a crash leaves the
old file or the new one. Tiles are written once: writing other bytes to a name that exists is refused, because the
log would then have said two things.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from watchglass.core.errors import BadInput, CannotRecord, Problem
from watchglass.ledger.note import MAX_NOTE_BYTES
from watchglass.ledger.tiles import (
    CHECKPOINT,
    ENTRIES,
    FULL,
    MAX_BUNDLE_BYTES,
    MAX_STATE_BYTES,
    Tile,
    is_state,
    state_path,
)

TIMEOUT_SECONDS = 20.0
_HASH_TILE_BYTES = 8192
_TEMPORARY = ".writing-"
_LOCK = ".lock"
_READABLE = 0o644


def open_tiles(where: str) -> TileDirectory | HttpTiles:
    """The log at ``where``: an ``http(s)://`` address or a directory. Both are ``TileReader``s; ``close`` it after use.

    Raises:
        BadInput: there is no such directory, or the address is not one.
    """
    if where.startswith(("http://", "https://")):
        return HttpTiles(where)
    path = Path(where.removeprefix("file://"))
    if not path.is_dir():
        raise BadInput(
            f"{where} is not a directory.", fix="Give a ledger's directory, or its address beginning with https://."
        )
    return TileDirectory(path)


class WithArchives:
    """A log whose first entries were archived, together with those archives: it reads like the whole log again.

    Nothing in an archive is believed: its bundles are hashed like all others, up to the log's own checkpoint.

    Args:
        log: what is served. archives: directories or addresses that the entries were copied to.
    """

    def __init__(self, log: TileDirectory | HttpTiles, archives: Sequence[TileDirectory | HttpTiles]) -> None:
        self._log = log
        self._archives = archives

    def read(self, path: str) -> bytes | None:
        """The bytes of ``path``; a full bundle or a year's state that the log lacks comes from an archive."""
        data = self._log.read(path)
        if data is None and _may_be_archived(path):
            data = next((found for each in self._archives if (found := each.read(path)) is not None), None)
        return data

    def close(self) -> None:
        """Let go of all of them."""
        for each in (self._log, *self._archives):
            each.close()


def open_whole(where: str, archives: Sequence[str]) -> TileDirectory | HttpTiles | WithArchives:
    """The log at ``where``, with what was archived of it, where that is given.

    Raises:
        BadInput: one of them is no directory and no address.
    """
    log = open_tiles(where)
    return WithArchives(log, [open_tiles(each) for each in archives]) if archives else log


class TileDirectory:
    """A log in a directory, laid out so that any static web server can serve it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def close(self) -> None:
        """Nothing to close: files are opened for one read each."""

    def read(self, path: str) -> bytes | None:
        """The bytes of ``path``, or None.

        Raises:
            BadInput: ``path`` names no file of a log.
            Problem: the file is there and cannot be read.
        """
        limit = _limit(path)
        try:
            with (self.path / path).open("rb") as file:
                return file.read(limit + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Problem(
                f"{path} cannot be read: {error.strerror}.",
                fix="Check the disk and the file's permissions.",
                path=path,
            ) from error

    def paths(self) -> Iterator[str]:
        """Every file under ``tile/``, without the temporary ones that a crash may leave."""
        for folder, folders, names in os.walk(self.path / "tile"):
            folders.sort()
            for name in sorted(names):
                if not name.startswith(_TEMPORARY):
                    yield (Path(folder) / name).relative_to(self.path).as_posix()

    def write(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Write tiles and bundles durably, in order; a file that is there already with the same bytes is left.

        Raises:
            CannotRecord: the disk refuses, or a file is there with other bytes.
        """
        fresh = []
        for path, data in files:
            Tile.parse(path)
            before = self.read(path)
            if before is not None and before != data:
                raise CannotRecord(
                    f"{path} is on the disk already, with other contents: this log would say two things.",
                    fix="Stop, keep the directory as evidence, and run `watchglass ledger verify` on it.",
                    path=path,
                )
            if before is None:
                fresh.append((self.path / path, data))
        write_durably(fresh)

    def publish(self, checkpoint: bytes) -> None:
        """Replace the checkpoint durably: always the last step.

        Raises:
            CannotRecord: the disk refuses.
        """
        write_durably([(self.path / CHECKPOINT, checkpoint)])

    def drop_partials(self, path: str) -> None:
        """Remove the partial files that the *full* tile or bundle at ``path``, now on disk, has replaced."""
        tile = Tile.parse(path)
        if tile.width != FULL or not (self.path / path).is_file():
            raise BadInput(f"{path} is not a full tile on the disk.", fix="Write the full tile first.")
        folder = (self.path / path).with_name(f"{Path(path).name}.p")
        if folder.is_dir():
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()

    def keep_state(self, year: int, data: bytes) -> None:
        """Write the carried state of a year durably, over one that no record names yet.

        Raises:
            CannotRecord: the disk refuses.
        """
        write_durably([(self.path / state_path(year), data)])

    def drop_bundle(self, index: int) -> int:
        """Remove a full bundle of entries that was archived, and what is left of its partial ones; how many bytes."""
        path = Tile(ENTRIES, index).path
        file = self.path / path
        if not file.is_file():
            return 0
        self.drop_partials(path)
        octets = file.stat().st_size
        file.unlink()
        return octets

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only writer of this log.

        Raises:
            CannotRecord: another process writes it, or the directory cannot be written.
        """
        with exclusive(self.path / _LOCK):
            yield


class HttpTiles:
    """A log on a web server, read with size limits and timeouts, without following redirects."""

    def __init__(self, url: str, client: httpx.Client | None = None) -> None:
        self.url = url.rstrip("/")
        try:
            parsed = httpx.URL(self.url)
        except httpx.InvalidURL as error:
            raise BadInput(
                f"{url} is not an address.", fix="Give an address like https://example.org/ledger."
            ) from error
        if not parsed.host or parsed.query or parsed.fragment:
            raise BadInput(
                f"{url} is not the address of a log.", fix="Give an address like https://example.org/ledger."
            )
        self._client = client or httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False)

    def read(self, path: str) -> bytes | None:
        """The bytes of ``path``, or None where the server has no such file.

        Raises:
            BadInput: ``path`` names no file of a log.
            Problem: the server cannot be reached, is too slow, answers oddly or sends more than such a file can hold.
        """
        limit = _limit(path)
        try:
            with self._client.stream("GET", f"{self.url}/{path}") as answer:
                if answer.status_code == httpx.codes.NOT_FOUND:
                    return None
                if answer.status_code != httpx.codes.OK:
                    raise self._problem(path, f"it answered {answer.status_code}")
                data = bytearray()
                for part in answer.iter_bytes():
                    data += part
                    if len(data) > limit:
                        raise self._problem(path, f"it sent more than the {limit} bytes that such a file can have")
                return bytes(data)
        except httpx.TimeoutException as error:
            raise self._problem(path, "it took too long") from error
        except httpx.HTTPError as error:
            raise self._problem(path, str(error) or type(error).__name__) from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _problem(self, path: str, what: str) -> Problem:
        return Problem(
            f"{self.url}/{path} could not be fetched: {what}.",
            fix="Check the address and try again; if it stays so, ask the operator.",
            path=path,
        )


def write_durably(files: Sequence[tuple[Path, bytes]], *, mode: int = _READABLE) -> None:
    """Write each (path, bytes) so that after a crash it is there wholly or not at all.

    All files are on disk, and so are their names, when this returns.

    Raises:
        CannotRecord: the disk is full, read-only or broken.
    """
    try:
        made: set[Path] = set()
        for path, data in files:
            _make_folder(path.parent, made)
            temporary = path.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}")
            try:
                _write_and_sync(temporary, data, mode)
                temporary.rename(path)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
            made.add(path.parent)
        for folder in made:
            sync_folder(folder)
    except OSError as error:
        raise CannotRecord(
            f"The disk refused to write {error.filename or 'a file'}: {error.strerror}.",
            fix="Make room or make the directory writable, then try again; nothing was acknowledged.",
        ) from error


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def exclusive(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock file at ``path``; the system lets it go when the process ends, however it ends.

    Raises:
        CannotRecord: another process holds it (unless told to ``wait``), or it cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotRecord(
            f"{path.parent} cannot be written: {error.strerror}.", fix="Make the directory writable."
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotRecord(
                f"Another process works on {path.parent}.", fix="Stop the other one first, or wait for it."
            ) from error
        yield
    finally:
        os.close(handle)


def _write_and_sync(path: Path, data: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)


def _make_folder(folder: Path, made: set[Path]) -> None:
    """Make ``folder`` and those above it; remember which directories got a new name in them."""
    if folder.is_dir():
        return
    _make_folder(folder.parent, made)
    folder.mkdir(exist_ok=True)
    made.add(folder.parent)


def _limit(path: str) -> int:
    """The most bytes that the file at ``path`` can have; refuses every path that no log has."""
    if path == CHECKPOINT:
        return MAX_NOTE_BYTES
    if is_state(path):
        return MAX_STATE_BYTES
    return MAX_BUNDLE_BYTES if Tile.parse(path).level == ENTRIES else _HASH_TILE_BYTES


def _may_be_archived(path: str) -> bool:
    if path == CHECKPOINT:
        return False
    if is_state(path):
        return True
    tile = Tile.parse(path)
    return tile.level == ENTRIES and tile.width == FULL
