"""Entries that a log has archived: what it says of them itself, and what to say to whoever finds them missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger.tiles import FULL
from watchglass.ledger.verify import Verified
from watchglass.records.leaf import Leaf

_YEAR: Final = b'{"act":"year_began"'
_ARCHIVED: Final = b'{"act":"entries_archived"'


@dataclass(frozen=True, slots=True)
class Archival:
    """A record that entries are archived: ``before`` is the first that is still served.

    ``began`` is the hour in which the log recorded that their year began; all of them are older.
    """

    index: int
    year: int
    before: int
    kept_by: str
    began: str


@dataclass(slots=True)
class Archivals:
    """Collects, while a log is read, the years that began and what was archived of it.

    Attributes:
        years: for each year that began (index of its record, size, hash of its state in base64).
    """

    years: dict[int, tuple[int, int, str]] = field(default_factory=dict)
    _leaves: dict[bytes, tuple[int, int, str]] = field(default_factory=dict)
    _found: list[Archival] = field(default_factory=list)

    def take(self, first: int, entries: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        """Look at a bundle of entries; pass it to ``verify_log`` as ``on_entries``."""
        for at, data in enumerate(entries):
            if data.startswith((_YEAR, _ARCHIVED)):
                try:
                    leaf = Leaf.parse(data)
                except BadInput:  # whoever wrote it: it says nothing
                    continue
                self._see(first + at, leaf, hashes[at])

    def _see(self, index: int, leaf: Leaf, digest: bytes) -> None:
        clear = leaf.clear
        if leaf.act == "year_began":
            self.years.setdefault(clear["year"], (index, clear["size"], clear["state"]))
            self._leaves[digest] = (clear["year"], clear["size"], leaf.hour)
        elif leaf.refs[0] in self._leaves:
            year, size, began = self._leaves[leaf.refs[0]]
            if clear["year"] == year and clear["before"] <= size and not clear["before"] % FULL:
                self._found.append(Archival(index, year, clear["before"], clear["kept_by"], began))

    def of(self, unread: int) -> Archival | None:
        """The record that says where the first ``unread`` entries are; None where there is none."""
        return next((each for each in self._found if each.before >= unread), None) if unread else None

    def check(self, verified: Verified) -> Archival | None:
        """The record of what was not read; None where everything was.

        Raises:
            DidNotVerify: entries are missing, and the log records no year from before which they were archived.
        """
        found = self.of(verified.unread)
        if verified.unread and found is None:
            raise DidNotVerify(
                f"The first {verified.unread} entries are missing, and the log does not say that they were archived.",
                fix="Ask the operator for them, and keep the checkpoint: it is evidence of how many there were.",
                path="checkpoint",
                entry=0,
                archived=verified.unread,
            )
        return found


def as_json(verified: Verified, found: Archival | None) -> dict[str, Any]:
    """What was not read, for programs and for ``words``."""
    if found is None:
        return {"archived": None}
    return {
        "archived": {
            "entries": verified.unread,
            "kept_by": found.kept_by,
            "record": found.index,
            "year": found.year,
        }
    }


def words(archived: dict[str, Any] | None) -> list[str]:
    """The same in sentences; none where everything was read."""
    if archived is None:
        return []
    count = f"{archived['entries']:,} entries from before {archived['year']}"
    return [
        f"{count} are archived. They were not read: only their hashes were, and those fit.",
        f"Who has them, by entry {archived['record']}: {archived['kept_by']}",
    ]
