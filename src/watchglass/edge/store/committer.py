"""The single writer: many acts, one durable transaction, one signature (group commit).

Closures wait in a queue. The writer thread takes all that wait, runs them one after the other in one SQL transaction,
writes their records, signs one receipt batch, commits (one fsync), and wakes their callers. While it waits for the
disk the next group gathers, so the group grows with the load and a lone act waits for nobody.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Generic, Self, TypeVar

from watchglass.core.errors import BadInput, CannotRecord, WatchglassError
from watchglass.core.time import HOUR, Clock
from watchglass.edge.store.database import Lock, Reader, Readers, connect, explain
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.receipt import Receipt, issue
from watchglass.records.outbox import Committed, PreparedLeaf, Value
from watchglass.records.outbox import Transaction as TransactionPort

T = TypeVar("T")

LARGEST_GROUP: Final = 1024
LOCK_FILE: Final = "watchglass.lock"
_WAL_PAGES: Final = 4000
"""Pages in the write-ahead log before it is folded back into the database (32 MB)."""
_SAVEPOINT: Final = "SAVEPOINT act"

_KEYS_SQL: Final = "INSERT OR IGNORE INTO opening_key (key_id, hour, wrapped) VALUES (?, ?, ?)"
_OUTBOX_SQL: Final = (
    "INSERT INTO outbox (lane, act, analytic, hour, leaf, leaf_hash, created_ms, merge_by_ms, key_id, sealed)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Transaction:
    """What one closure sees. Its writes stand behind a savepoint, made with the first of them."""

    __slots__ = ("_connection", "_live", "_path", "_savepoint", "leaves")

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._savepoint = False
        self._live = True
        self.leaves: list[PreparedLeaf] = []

    def execute(self, sql: str, *parameters: Value) -> int:
        """Run one statement; the number of rows that it changed."""
        return self._run(sql, parameters, writes=True).rowcount

    def insert(self, table: str, values: Mapping[str, Value]) -> int:
        """Insert one row; its rowid."""
        cursor = self._run(_insert_sql(table, tuple(values)), tuple(values.values()), writes=True)
        return cursor.lastrowid or 0

    def one(self, sql: str, *parameters: Value) -> sqlite3.Row | None:
        """The first row, or None."""
        row: sqlite3.Row | None = self._run(sql, parameters, writes=not _only_reads(sql)).fetchone()
        return row

    def all(self, sql: str, *parameters: Value) -> list[sqlite3.Row]:
        """All rows."""
        return self._run(sql, parameters, writes=not _only_reads(sql)).fetchall()

    def record(self, leaf: PreparedLeaf) -> bytes:
        """Record ``leaf`` with this transaction; its leaf hash."""
        if not self._live:
            raise RuntimeError("this transaction is over")
        self.leaves.append(leaf)
        return leaf.leaf_hash

    def _run(self, sql: str, parameters: tuple[Value, ...], *, writes: bool) -> sqlite3.Cursor:
        if not self._live:
            raise RuntimeError("this transaction is over")
        try:
            if writes and not self._savepoint:
                self._connection.execute(_SAVEPOINT)
                self._savepoint = True
            return self._connection.execute(sql, parameters)
        except sqlite3.Error as error:
            raise explain(error, self._path) from error

    def _finish(self, *, keep: bool) -> None:
        """End this closure's part: keep it in the group's transaction, or undo it."""
        self._live = False
        if not keep:
            self.leaves.clear()
        if self._savepoint and self._connection.in_transaction:
            if not keep:
                self._connection.execute("ROLLBACK TO act")
            self._connection.execute("RELEASE act")


_INSERTS: dict[tuple[str, tuple[str, ...]], str] = {}


def _insert_sql(table: str, columns: tuple[str, ...]) -> str:
    sql = _INSERTS.get((table, columns))
    if sql is None:
        if not all(name.isidentifier() for name in (table, *columns)):
            raise BadInput("A table or column has an impossible name.", fix="Use names of the schema.")
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608  # names are identifiers
        _INSERTS[table, columns] = sql
    return sql


def _only_reads(sql: str) -> bool:
    return sql.lstrip()[:6].upper() == "SELECT"


class _Job(Generic[T]):
    """A closure on its way through the writer."""

    __slots__ = ("_gate", "error", "first", "fn", "future", "leaves", "result", "scrubs", "value")

    def __init__(self, fn: Callable[[TransactionPort], T], future: asyncio.Future[Committed[T]] | None = None) -> None:
        self.fn = fn
        self.future = future
        self.value: Any = None
        self.error: BaseException | None = None
        self.leaves: list[PreparedLeaf] = []
        self.first = 0
        self.scrubs = False
        self.result: Committed[T] | None = None
        self._gate = threading.Lock()
        self._gate.acquire()

    def wait(self) -> Committed[T]:
        """Block until the writer is done with this job."""
        self._gate.acquire()
        if self.error is not None:
            raise self.error
        assert self.result is not None
        return self.result

    def wake(self) -> None:
        """Let the waiting thread go on."""
        self._gate.release()

    def resolve(self) -> None:
        """Settle the future; runs on its event loop."""
        assert self.future is not None
        if self.future.cancelled():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            assert self.result is not None
            self.future.set_result(self.result)


class Store:
    """State and outbox of one deployment. Opening it takes the deployment's lock, until ``close``.

    Args:
        path: the database file; made if missing.
        clock: tells when a record was created.
        signer: the log's key, for receipts.
        merge_within: milliseconds within which every leaf must be in a public checkpoint.

    Raises:
        BadInput: another process runs this deployment, or the file is not usable.
    """

    def __init__(self, path: Path, *, clock: Clock, signer: SignerKey, merge_within: int = 2 * HOUR) -> None:
        self.path = path
        self._clock = clock
        self._signer = signer
        self.merge_within = merge_within
        self._lock = Lock(path.with_name(LOCK_FILE))
        try:
            self._connection = connect(path)
            self._connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
        except BaseException:
            self._lock.release()
            raise
        self._readers = Readers(path)
        self._known_keys: set[bytes] = set()
        self._new_keys: set[bytes] = set()
        self._queue: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="watchglass-writer", daemon=True)
        self._thread.start()

    # ---- for callers ---------------------------------------------------------------------------------------------

    def commit(self, fn: Callable[[TransactionPort], T]) -> Committed[T]:
        """Run ``fn`` in a durable transaction, and wait for it. See ``records.outbox.Store``."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("a closure cannot commit another one: put both into one")
        job: _Job[T] = _Job(fn)
        self._put(job)
        return job.wait()

    def commit_async(self, fn: Callable[[TransactionPort], T]) -> asyncio.Future[Committed[T]]:
        """The same for a coroutine on the running event loop: ``await store.commit_async(fn)``.

        Cancelling the wait does not undo the act, which may have happened already.
        """
        future: asyncio.Future[Committed[T]] = asyncio.get_running_loop().create_future()
        self._put(_Job(fn, future))
        return future

    def read(self) -> Reader:
        """What is durable now, for this thread."""
        return self._readers.get()

    def scrub(self) -> None:
        """Fold the write-ahead log into the database and empty it, so that what was deleted is gone from both files.

        Raises:
            CannotRecord: a reader holds an older state open, or the disk refuses; try again later.
        """
        job: _Job[None] = _Job(_nothing)
        job.scrubs = True
        self._put(job)
        job.wait()

    def close(self) -> None:
        """Finish what waits, then let go of the deployment."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        self._readers.close()
        self._connection.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, job: _Job[Any]) -> None:
        with self._closing:
            if self._closed:
                raise CannotRecord("The store is closed, so nothing was done.", fix="Start Watchglass again.")
            self._queue.put(job)

    # ---- the writer ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        ending = False
        while not ending:
            job = self._queue.get()
            if job is None:
                return
            jobs = [job]
            while len(jobs) < LARGEST_GROUP:
                try:
                    job = self._queue.get_nowait()
                except queue.Empty:
                    break
                if job is None:
                    ending = True
                    break
                jobs.append(job)
            self._group(jobs)

    def _group(self, jobs: list[_Job[Any]]) -> None:
        try:
            self._transact(jobs)
        except BaseException as error:  # noqa: BLE001  # every caller must hear of it, whatever it is
            self._give_up(jobs, error)
        else:
            self._scrub([job for job in jobs if job.scrubs])
        _deliver(jobs)

    def _transact(self, jobs: list[_Job[Any]]) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        leaves: list[PreparedLeaf] = []
        self._new_keys = set()
        for job in jobs:
            self._attempt(job, leaves)
        receipts = self._record(leaves) if leaves else []
        connection.execute("COMMIT")
        self._known_keys |= self._new_keys
        for job in jobs:
            if job.error is None:
                job.result = Committed(job.value, tuple(receipts[job.first : job.first + len(job.leaves)]))

    def _scrub(self, jobs: list[_Job[Any]]) -> None:
        """Empty the write-ahead log for those who asked; a failure is theirs alone."""
        if not jobs:
            return
        try:
            busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            for job in jobs:
                job.error = _cannot_record(error, self.path)
            return
        if busy:
            for job in jobs:
                job.error = CannotRecord(
                    "Somebody still reads an older state of the database.", fix="Try again in a moment."
                )

    def _attempt(self, job: _Job[Any], leaves: list[PreparedLeaf]) -> None:
        """Run one closure. What it raises undoes its own part only."""
        transaction = Transaction(self._connection, self.path)
        try:
            job.value = job.fn(transaction)
        except BaseException as error:  # noqa: BLE001  # it is the caller's, and is raised there
            job.error = error
            transaction._finish(keep=False)  # noqa: SLF001  # the writer ends what it began
        else:
            job.first = len(leaves)
            job.leaves = transaction.leaves
            leaves.extend(transaction.leaves)
            transaction._finish(keep=True)  # noqa: SLF001  # the writer ends what it began
        if not self._connection.in_transaction:  # the database itself gave up: a full disk, for instance
            cause = job.error
            job.error = None
            raise (
                cause
                if isinstance(cause, CannotRecord)
                else CannotRecord(
                    "The database gave up this transaction, so nothing was done.",
                    fix="Check the disk, then try again; nothing that was acknowledged is lost.",
                )
            ) from cause

    def _record(self, leaves: list[PreparedLeaf]) -> list[Receipt]:
        now = self._clock.now()
        due = now + self.merge_within
        rows, hashes, fresh = [], [], {}
        for data, leaf_hash, act, lane, analytic, hour, sealed, key, _ in leaves:
            key_id = None
            if key is not None:
                key_id = key.key_id
                if key_id not in self._known_keys:
                    fresh[key_id] = key
            hashes.append(leaf_hash)
            rows.append((lane.value, act, analytic, hour, data, leaf_hash, now, due, key_id, sealed))
        if fresh:
            self._connection.executemany(_KEYS_SQL, [(key.key_id, key.hour, key.wrapped) for key in fresh.values()])
        self._connection.executemany(_OUTBOX_SQL, rows)
        self._new_keys = set(fresh)
        return issue(hashes, issued_ms=now, merge_by_ms=due, signer=self._signer)

    def _give_up(self, jobs: list[_Job[Any]], error: BaseException) -> None:
        """Nothing of this group happened: roll back, and tell every caller whose closure had not failed itself."""
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error as second:
                error = second
        for job in jobs:
            if job.error is None:
                job.error = _cannot_record(error, self.path)


def _nothing(_: TransactionPort) -> None:
    """An act that does nothing."""


def _cannot_record(error: BaseException, path: Path) -> CannotRecord:
    """A fresh error for each caller: one exception must not be raised in many threads."""
    explained = explain(error, path) if isinstance(error, sqlite3.Error) else error
    if isinstance(explained, WatchglassError):
        message, fix = explained.message, explained.fix
    else:
        message, fix = (
            f"The record could not be written ({error}), so nothing was done.",
            "Try again; report it if it stays.",
        )
    result = CannotRecord(message, fix=fix)
    result.__cause__ = error
    return result


def _deliver(jobs: list[_Job[Any]]) -> None:
    """Wake every caller: threads one by one, coroutines with one call for each event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[_Job[Any]]] = {}
    for job in jobs:
        if job.future is None:
            job.wake()
        else:
            loops.setdefault(job.future.get_loop(), []).append(job)
    for loop, waiting in loops.items():
        try:
            loop.call_soon_threadsafe(_resolve, waiting)
        except RuntimeError:  # that loop is closed: nobody waits there any more
            continue


def _resolve(jobs: list[_Job[Any]]) -> None:
    for job in jobs:
        job.resolve()
