"""What the house remembers of years that began and of entries that it archived; and audits that bear on them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from watchglass.core.digest import unb64
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY, iso, millis
from watchglass.ledger.merkle import HASH_BYTES, range_hash
from watchglass.ledger.tiles import TileReader, node_reader, read_entry
from watchglass.records.leaf import Leaf
from watchglass.records.outbox import Reader, Transaction

BEGAN: Final = "year_began"
ARCHIVED: Final = "entries_archived"
AUDIT: Final = "audit_published"
GRACE_MS: Final = 90 * DAY
"""How long after a year began its past stays here for everybody to copy, where oversight published no audit of it."""
_SET: Final = "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
_NEWEST_AUDITS: Final = 20


@dataclass(frozen=True, slots=True)
class Year:
    """A year that began.

    Attributes:
        size: how many entries came before it. root: of their tree, state: SHA-256 of what an audit carries over from
            them, both in base64. form: in which form that is.
        audit: the leaf hash of the audit that oversight published of exactly these entries; None: there was none.
        index: the entry that says so; None while it waits for its place.
    """

    year: int
    size: int
    root: str
    state: str
    form: str
    audit: str | None
    began_ms: int
    leaf_hash: str
    index: int | None = None

    DERIVED: ClassVar = ("free_from", "state_file")

    @property
    def free_from(self) -> str:
        """From when on its past may be archived although oversight published no audit of it."""
        return iso(self.began_ms + GRACE_MS)

    @property
    def state_file(self) -> str:
        """Its carried state, below the log's address."""
        return f"years/{self.year:04d}.state"


@dataclass(frozen=True, slots=True)
class Archive:
    """Entries that are no longer served here.

    Attributes:
        year: whose past they are. before: the first entry that is still here. kept_by: who has the others.
        index: the entry that says so; None while it waits for its place.
    """

    year: int
    before: int
    kept_by: str
    leaf_hash: str
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Audited:
    """An audit that oversight published, of entries that are those of this log.

    Attributes:
        index, leaf_hash: of its record. state: the hash of the carried state that oversight's own machine made.
    """

    index: int
    leaf_hash: bytes
    size: int
    root: bytes
    state: bytes | None


def years(reader: Reader) -> tuple[Year, ...]:
    """The years that began, the newest first."""
    return tuple(Year(**value) for value in _kept(reader, BEGAN))


def archives(reader: Reader) -> tuple[Archive, ...]:
    """What was archived, the newest first: the newest one's ``before`` is the first entry that is still here."""
    return tuple(Archive(**value) for value in _kept(reader, ARCHIVED))


def archived_before(reader: Reader) -> int:
    """The first entry that is still served here."""
    return max((each.before for each in archives(reader) if each.index is not None), default=0)


def remember(tx: Transaction, act: str, year: int, values: dict[str, Any]) -> None:
    """Keep what was recorded, in the transaction of its record."""
    tx.execute(_SET, f"{act}.{year:04d}", json.dumps({"year": year, **values}))


def new_year(year: int) -> int:
    """When a year begins, UTC: milliseconds since 1970."""
    return millis(datetime(year, 1, 1, tzinfo=UTC))


def root_of(tiles: TileReader, size: int, head: int) -> bytes:
    """The root of the first ``size`` entries of a log of ``head`` entries.

    Raises:
        BadInput: the log lacks a file.
    """
    return range_hash(node_reader(tiles, head), 0, size)


def audits(reader: Reader, tiles: TileReader, head: int, since: str) -> Iterator[Audited]:
    """The newest audits that oversight published since an hour, of entries that are those of this log."""
    rows = reader.all(
        "SELECT idx, leaf_hash FROM entry WHERE act = ? AND hour >= ? AND idx >= ? AND idx < ?"
        " ORDER BY idx DESC LIMIT ?",
        AUDIT,
        since,
        archived_before(reader),
        head,
        _NEWEST_AUDITS,
    )
    for row in rows:
        try:
            clear = Leaf.parse(read_entry(tiles, row["idx"], head)).clear
            root = unb64(clear["root"], length=HASH_BYTES)
            if clear["size"] <= row["idx"] and root_of(tiles, clear["size"], head) == root:
                state = clear.get("state")
                yield Audited(
                    row["idx"],
                    bytes(row["leaf_hash"]),
                    clear["size"],
                    root,
                    unb64(state, length=HASH_BYTES) if state else None,
                )
        except BadInput:  # of another version, or of another log: it is an audit of nothing here
            continue


def _kept(reader: Reader, act: str) -> Iterator[dict[str, Any]]:
    rows = reader.all("SELECT value FROM setting WHERE key GLOB ? ORDER BY key DESC", f"{act}.[0-9]*")
    for row in rows:
        value = json.loads(row["value"])
        entry = reader.one("SELECT idx FROM entry WHERE leaf_hash = ?", unb64(value["leaf_hash"], length=HASH_BYTES))
        yield {**value, "index": entry["idx"] if entry else None}
