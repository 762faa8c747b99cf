"""Act: a year begins. From here on an audit may begin, with what it carries over from before (ADR 38).

The state is made by a process of its own and lies in the ledger's folder before this is recorded. A crash in between
leaves a file that nobody names; it is made and written again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from watchglass.acts.context import Acting, Done, attest, do
from watchglass.acts.years import BEGAN, audits, new_year, remember, root_of, years
from watchglass.core.digest import b64
from watchglass.core.errors import Problem
from watchglass.core.time import DAY, hour_of, moment
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger.tiles import CHECKPOINT, TileReader
from watchglass.records.outbox import Reader, Transaction

WAITS_MS: Final = 7 * DAY
"""How long into the year an audit by oversight is waited for."""


class OtherState(Problem):
    """Oversight's audit signs another carried state than this machine made: the year does not rest on that audit."""


@dataclass(frozen=True, slots=True)
class Due:
    """A year that should begin.

    Attributes:
        size, root: after how many entries, and the root of their tree, which enough witnesses cosigned.
        audit: the leaf hash of oversight's published audit of exactly these; None: there is none.
        state: the hash of the carried state as oversight signed it there.
    """

    year: int
    size: int
    root: bytes
    audit: bytes | None
    state: bytes | None


def due(reader: Reader, tiles: TileReader, now_ms: int, *, without: Collection[bytes] = ()) -> Due | None:
    """The year that should begin now; None where none should, or where its audit or its witnesses are waited for.

    Args:
        without: the leaf hashes of audits that sign another state than this machine makes.

    Raises:
        BadInput: the log lacks a file.
    """
    year = moment(now_ms).year
    known = years(reader)
    if known and known[0].year >= year:
        return None
    first = reader.one("SELECT hour FROM entry WHERE idx = 0")
    if first is None or str(first["hour"]) >= f"{year:04d}":
        return None  # the log itself began this year
    noted, at_ms = _noted(reader)
    begin, note = new_year(year), tiles.read(CHECKPOINT)
    if at_ms < begin or note is None:
        return None
    head, least = checkpoints.parse(note).checkpoint.size, known[0].size if known else 0
    for audit in audits(reader, tiles, head, hour_of(begin)):
        if audit.state is not None and audit.leaf_hash not in without and least < audit.size <= noted:
            return Due(year, audit.size, audit.root, audit.leaf_hash, audit.state)
    if now_ms < begin + WAITS_MS or noted <= least:
        return None
    return Due(year, noted, root_of(tiles, noted, head), None, None)


def begin_year(acting: Acting, wanted: Due, state: bytes, form: str) -> Done[bytes]:
    """Record that a year began.

    Args:
        state: SHA-256 of the carried state, which lies in the ledger's folder by now. form: in which form it is.

    Raises:
        OtherState: the audit signs another state. Problem: the year began already.
    """
    if wanted.state is not None and wanted.state != state:
        raise OtherState(
            f"Oversight signed another state of the first {wanted.size} entries than this machine made.",
            fix="Use one version of Watchglass on both sides, and ask oversight to audit and publish again.",
        )
    audit = None if wanted.audit is None else b64(wanted.audit)

    def act(tx: Transaction) -> bytes:
        if any(each.year >= wanted.year for each in years(tx)):
            raise Problem(f"{wanted.year} began already.", fix="There is nothing to do.")
        values = {
            "size": wanted.size,
            "root": b64(wanted.root),
            "form": form,
            "state": b64(state),
            "audit": audit,
        }
        leaf = attest(acting, tx, BEGAN, by=None, under=None, clear={"year": wanted.year, **values})
        remember(tx, BEGAN, wanted.year, {**values, "began_ms": acting.clock.now(), "leaf_hash": b64(leaf)})
        return leaf

    return do(acting, act)


def _noted(reader: Reader) -> tuple[int, int]:
    """How many entries the newest recorded checkpoint covers that witnesses cosigned, and when it was recorded."""
    row = reader.one("SELECT value FROM setting WHERE key = 'witnessed.noted'")
    if row is None:
        return 0, 0
    size, at_ms = map(int, str(row["value"]).split())
    return size, at_ms
