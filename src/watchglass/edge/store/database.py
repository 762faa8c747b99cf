"""One SQLite database: opened safely, by one process, with errors that say what to do."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path
from typing import Final
from urllib.parse import quote

from watchglass.core.errors import BadInput, CannotRecord, Problem, WatchglassError
from watchglass.records.outbox import Value

SCHEMA_VERSION: Final = 12
APPLICATION_ID: Final = 0x57474C53
"""``WGLS``: marks the file as a Watchglass database."""
BUSY_MS: Final = 5_000
_PRIVATE: Final = 0o600
PAGE_BYTES: Final = 4096

_LOCKED: Final = (
    CannotRecord,
    "The database {name} is locked by another program, so nothing was done.",
    "Close the other program (a backup, a database browser), then try again.",
)
_READ_ONLY: Final = (
    CannotRecord,
    "The database {name} cannot be opened for writing, so nothing was done.",
    "Make the deployment's directory writable for the account that runs Watchglass.",
)
_DAMAGED: Final = (
    Problem,
    "The file {name} is damaged or is not a database.",
    "Stop, keep the file, and restore the last backup; the ledger directory shows what it must contain.",
)
_UNKNOWN: Final = (
    Problem,
    "The database {name} refused a statement.",
    "Report this: it is a fault in Watchglass.",
)
_MEANINGS: Final[Mapping[int, tuple[type[WatchglassError], str, str]]] = {
    sqlite3.SQLITE_FULL: (
        CannotRecord,
        "The disk that holds {name} is full, so nothing can be recorded and nothing was done.",
        "Free some space on this disk, then try again; nothing that was acknowledged is lost.",
    ),
    sqlite3.SQLITE_IOERR: (
        CannotRecord,
        "The disk that holds {name} reported an error, so nothing was done.",
        "Check the disk (and that it is not full); nothing that was acknowledged is lost.",
    ),
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _READ_ONLY,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}
"""What SQLite's primary result codes mean for a person, and what to do."""


def explain(error: sqlite3.Error, path: Path) -> WatchglassError:
    """What a database error means for a person, and what to do about it."""
    if isinstance(error, sqlite3.IntegrityError):
        return BadInput(
            f"This does not agree with what is stored already: {error}.",
            fix="Reload and look at the present state, then try again.",
        )
    code = getattr(error, "sqlite_errorcode", None)
    kind, what, fix = _MEANINGS.get(code & 0xFF if isinstance(code, int) else -1, _UNKNOWN)
    return kind(what.format(name=path.name), fix=fix, sqlite=str(error))


class Lock:
    """Held for as long as a process has a deployment open, so that there is never a second one.

    Args:
        path: the lock file; it is made if needed, and never removed (removing it would open a race).
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _cannot_open(path, error) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip()
            os.close(self._file)
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise _cannot_open(path, error) from error
            raise BadInput(
                f"Another process{f' (number {holder})' if holder else ''} already runs this deployment.",
                fix="Stop it first, or use the one that is running.",
                pid=holder or None,
            ) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another process in."""
        os.close(self._file)


def _cannot_open(path: Path, error: OSError) -> BadInput:
    return BadInput(
        f"The deployment at {path.parent} cannot be opened for writing: {error.strerror}.",
        fix="Check that the directory exists, has space, and belongs to the account that runs Watchglass.",
    )


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection with every safety on: WAL, synchronous=FULL, foreign keys; explicit transactions only.

    Raises:
        WatchglassError: the file cannot be opened, is not ours, or was made by a newer version.
    """
    mode = "ro" if read_only else "rwc"
    if not read_only:
        _keep_private(path)
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode={mode}",
            uri=True,
            timeout=BUSY_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
    except sqlite3.Error as error:
        raise explain(error, path) from error
    try:
        connection.row_factory = sqlite3.Row
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        else:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                raise BadInput(
                    f"The database {path.name} cannot use a write-ahead log on this file system.",
                    fix="Put the deployment on a local disk.",
                )
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA foreign_keys = ON")
        _check_version(connection, path, may_create=not read_only)
    except sqlite3.Error as error:
        connection.close()
        raise explain(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _keep_private(path: Path) -> None:
    """Only the owner may read the database (its keys, its names); its write-ahead log takes over the same mode."""
    with suppress(OSError):  # opening it says what is wrong
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE))
        path.chmod(_PRIVATE)


def _check_version(connection: sqlite3.Connection, path: Path, *, may_create: bool) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    mark = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if not tables and may_create:
        schema = resources.files(__package__).joinpath("schema.sql").read_text("utf-8")
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{schema}\nPRAGMA application_id = {APPLICATION_ID};\n"
            f"PRAGMA user_version = {SCHEMA_VERSION};\nCOMMIT;"
        )
        return
    if mark != APPLICATION_ID:
        raise BadInput(f"{path.name} is not a Watchglass database.", fix="Point to the deployment's own directory.")
    if version > SCHEMA_VERSION:
        raise BadInput(
            f"{path.name} was made by a newer version of Watchglass (schema {version}; this is {SCHEMA_VERSION}).",
            fix="Use the newer version; going back would lose records.",
        )
    if version < SCHEMA_VERSION:
        if not may_create or version < 1:
            raise BadInput(
                f"{path.name} was made by an older version of Watchglass (schema {version}; this is {SCHEMA_VERSION}).",
                fix="Start Watchglass once with this deployment: that brings the database up to date.",
            )
        _migrate(connection, version)


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a database of an older version up to date, one step after the other, all in one transaction."""
    here = resources.files(__package__)
    steps = [
        here.joinpath(f"migration_{number}.sql").read_text("utf-8") for number in range(version + 1, SCHEMA_VERSION + 1)
    ]
    connection.executescript(
        "BEGIN IMMEDIATE;\n" + "\n".join(steps) + f"\nPRAGMA user_version = {SCHEMA_VERSION};\nCOMMIT;"
    )


class Reader:
    """Looks at what is durable. One connection; use it from one thread at a time."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def one(self, sql: str, *parameters: Value) -> sqlite3.Row | None:
        """The first row, or None."""
        try:
            row: sqlite3.Row | None = self._connection.execute(sql, parameters).fetchone()
        except sqlite3.Error as error:
            raise explain(error, self._path) from error
        return row

    def all(self, sql: str, *parameters: Value) -> list[sqlite3.Row]:
        """All rows."""
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise explain(error, self._path) from error

    @contextmanager
    def snapshot(self) -> Iterator[Reader]:
        """Several reads of one and the same moment."""
        self.one("BEGIN")
        try:
            yield self
        finally:
            self.one("ROLLBACK")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def open_reader(path: Path) -> Reader:
    """A read-only look at a deployment's database, also while another process runs it.

    Raises:
        WatchglassError: there is none, or it cannot be read.
    """
    if not path.exists():
        raise BadInput(
            f"There is no database at {path}.", fix="Give the deployment's directory, made by `watchglass init`."
        )
    return Reader(connect(path, read_only=True), path)


class Readers:
    """One read-only connection for each thread, closed with the thread or with the store."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: dict[int, tuple[threading.Thread, Reader]] = {}
        self._closed = False

    def get(self) -> Reader:
        """This thread's reader.

        Raises:
            Problem: the store is closed.
        """
        reader: Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = open_reader(self._path)
            self._local.reader = reader
            thread = threading.current_thread()
            with self._lock:
                if self._closed:
                    reader.close()
                    self._local.reader = None
                    raise Problem("The store is closed.", fix="Start Watchglass again.")
                ended = [key for key, (owner, _) in self._open.items() if not owner.is_alive()]
                for key in ended:
                    self._open.pop(key)[1].close()
                self._open[id(reader)] = (thread, reader)
        return reader

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            self._closed = True
            for _, reader in self._open.values():
                reader.close()
            self._open.clear()
        self._local = threading.local()
