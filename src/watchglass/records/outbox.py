"""The ports between acts and the store: decide and do inside one transaction, and record there too (law 1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from watchglass.ledger.receipt import Receipt
from watchglass.records.act_spec import Lane
from watchglass.records.opening import WrappedKey

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Value = str | int | float | bytes | None
"""What a column or a parameter of a statement may hold."""


class Row(Protocol):
    """One row of the database, by column name (or number)."""

    def __getitem__(self, column: str | int, /) -> Any:
        """The value of a column."""
        ...

    def keys(self) -> list[str]:
        """The names of the columns."""
        ...


class PreparedLeaf(NamedTuple):
    """A finished leaf with what must be stored beside it in the same transaction. Only ``Recorder`` makes one.

    Attributes:
        data: the canonical bytes. leaf_hash: how refs and receipts name it.
        analytic: for look-ups of integrated leaves.
        sealed: the sealed opening, or None where the act commits to nothing; key: the hourly key that it is under.
        opening: what is sealed in it, for an act that hands it to somebody else too (``records.opening``); nothing
            stores it by itself.
    """

    data: bytes
    leaf_hash: bytes
    act: str
    lane: Lane
    analytic: str | None
    hour: str
    sealed: bytes | None
    key: WrappedKey | None
    opening: bytes | None = None


class Committed(NamedTuple, Generic[T_co]):
    """What a durable transaction gave: the closure's value, and one receipt for each leaf that it recorded."""

    value: T_co
    receipts: tuple[Receipt, ...]


class Reader(Protocol):
    """Looks at the database; changes nothing."""

    def one(self, sql: str, *parameters: Value) -> Row | None:
        """The first row, or None."""
        ...

    def all(self, sql: str, *parameters: Value) -> Sequence[Row]:
        """All rows."""
        ...


class Transaction(Reader, Protocol):
    """What a closure may do inside ``Store.commit``. It must not be kept beyond the closure."""

    def execute(self, sql: str, *parameters: Value) -> int:
        """Run one statement; the number of rows that it changed."""
        ...

    def insert(self, table: str, values: Mapping[str, Value]) -> int:
        """Insert one row; its rowid."""
        ...

    def record(self, leaf: PreparedLeaf) -> bytes:
        """Record ``leaf`` with this transaction; its leaf hash."""
        ...


class Store(Protocol):
    """Where acts happen: everything of a closure is durable together with its records, or nothing is."""

    def commit(self, fn: Callable[[Transaction], T]) -> Committed[T]:
        """Run ``fn`` in a durable transaction, and wait for it.

        Raises:
            CannotRecord: it could not be written; nothing happened.
            Exception: whatever ``fn`` raised; nothing of ``fn`` happened.
        """
        ...

    def commit_async(self, fn: Callable[[Transaction], T]) -> Awaitable[Committed[T]]:
        """The same for a coroutine: does not block the event loop."""
        ...

    def read(self) -> Reader:
        """What is durable now, for this thread."""
        ...
