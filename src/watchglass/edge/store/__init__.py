"""The SQLite store: state, the outbox of records, and the one thread that writes both."""

from watchglass.edge.store.committer import Store
from watchglass.edge.store.database import Reader, open_reader

__all__ = ["Reader", "Store", "open_reader"]
