"""Samples of what was not alerted, as they are read: what waits to be looked at, in one random order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watchglass.core.errors import Problem
from watchglass.records.outbox import Reader, Row

_KNOWS: Final = (
    "SELECT alert FROM verdict WHERE account = ?1 UNION SELECT alert FROM clip_view WHERE account = ?1 UNION "
    "SELECT of_alert FROM shown_again JOIN verdict USING (alert) WHERE account = ?1 AND of_alert IS NOT NULL UNION "
    "SELECT of_alert FROM shown_again JOIN clip_view USING (alert) WHERE account = ?1 AND of_alert IS NOT NULL"
)
_WAITS: Final = (
    "answer IS NULL AND kept_until_ms > ?2 AND destroyed_ms IS NULL AND (path IS NOT NULL OR (kind = 'known' "  # noqa: S608 (constant text)
    f"AND of_alert IN (SELECT alert FROM clip WHERE destroyed_ms IS NULL) AND of_alert NOT IN ({_KNOWS})))"
)
"""SQL: person ``?1`` can be asked about it at ``?2``: nobody has answered, its clip is there, and they have not judged
it as an alert, or looked at it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment that people are to look at; what kind it is nobody is told who looks."""

    id: str
    kind: str
    analytic: str
    source: str
    purpose: str
    charter: str
    kept_until_ms: int
    of_alert: str | None
    path: str | None
    withheld_per_mille: int
    withheld_why: str
    answer: str | None
    leaf_hash: bytes

    def over(self, now_ms: int) -> bool:
        """Whether its time is over."""
        return now_ms >= self.kept_until_ms


def sample_from(row: Row) -> Sample:
    return Sample(**{name: row[name] for name in Sample.__slots__})


def the_sample(reader: Reader, number: str) -> Sample:
    """The sample of that id.

    Raises:
        Problem: there is none.
    """
    row = reader.one("SELECT * FROM sample WHERE id = ?", number)
    if row is None:
        raise Problem("There is no such sample.", fix="Its time may be over. Open the list for the next one.")
    return sample_from(row)


def for_person(reader: Reader, number: str, account: int, now_ms: int) -> Sample:
    """The sample of that id, if that person may be asked about it now.

    Raises:
        Problem: they may not: it was judged meanwhile, its time is over, or there is none.
    """
    row = reader.one(f"SELECT * FROM sample WHERE {_WAITS} AND id = ?3", account, now_ms, number)  # noqa: S608 (constant text)
    if row is None:
        raise Problem("This sample does not wait for you.", fix="Open the list for the next one.")
    return sample_from(row)


def waiting(reader: Reader, account: int, now_ms: int) -> tuple[int, Sample | None]:
    """How many samples wait for a person, and the first of them."""
    row = reader.one(f"SELECT count(*) AS n FROM sample WHERE {_WAITS}", account, now_ms)  # noqa: S608 (constant text)
    first = reader.one(f"SELECT * FROM sample WHERE {_WAITS} ORDER BY place, id LIMIT 1", account, now_ms)  # noqa: S608 (constant text)
    return int(row["n"]) if row else 0, sample_from(first) if first else None
