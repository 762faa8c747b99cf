"""Notices to destinations outside, as values, and how they are read from their rows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from watchglass.charter.permit import SendNotice, TellStop
from watchglass.core.errors import Problem
from watchglass.records.outbox import Reader, Row

PAGE: Final = 50


class Status(StrEnum):
    """What a notice says about its alert."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    UNSURE = "unsure"
    WITHDRAWN = "withdrawn"
    NOTHING = "nothing"  # nobody is told; the record is the same, so that it gives no verdict away
    TEST = "test"
    STOPPED = "stopped"  # a limit stopped an analytic; of no alert
    RESUMED = "resumed"


class Fate(StrEnum):
    """What became of a notice."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    OVERTAKEN = "overtaken"  # by newer news of the same alert
    WITHHELD = "withheld"
    GIVEN_UP = "given-up"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Draft:
    """A notice before it is decided about.

    Attributes:
        id: 16 hex digits; receivers tell copies by it.
        event: what it is about, once for each destination: ``raised:ALERT``, ``decided:ALERT:VERDICT``, …
        alert: None for a test, and for a stop. body: exactly what is sent; empty where nothing is.
    """

    id: str
    event: str
    destination: str
    analytic: str
    alert: str | None
    status: Status
    body: bytes


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that was decided about. Times are milliseconds since the epoch.

    Attributes:
        since_ms: when its time for delivery began. due_ms: when the next attempt may be.
        cause: why the last attempt failed, or why it was withheld.
        outcome: None while it waits or is tried.
    """

    seq: int
    id: str
    destination: str
    analytic: str
    alert: str | None
    status: Status
    body: bytes
    made_ms: int
    since_ms: int
    due_ms: int
    tries: int
    cause: str
    outcome: Fate | None
    settled_ms: int | None

    @property
    def stuck(self) -> bool:
        """Whether a person may have it sent again or give it up."""
        return self.outcome in {Fate.UNDELIVERED, Fate.WITHHELD}


OF_STOPS: Final = frozenset({Status.STOPPED, Status.RESUMED})
"""What is told of an analytic that a limit stopped."""


def asked_of(notice: Notice) -> SendNotice | TellStop:
    """What the charter is asked before a notice leaves."""
    if notice.status in OF_STOPS:
        return TellStop(notice.destination, notice.analytic)
    return SendNotice(notice.destination, notice.analytic, decided=notice.status is not Status.UNCONFIRMED)


def notice_from(row: Row) -> Notice:
    return Notice(
        seq=row["seq"],
        id=row["id"],
        destination=row["destination"],
        analytic=row["analytic"],
        alert=row["alert"],
        status=Status(row["status"]),
        body=bytes(row["body"]),
        made_ms=row["made_ms"],
        since_ms=row["since_ms"],
        due_ms=row["due_ms"],
        tries=row["tries"],
        cause=row["cause"],
        outcome=Fate(row["outcome"]) if row["outcome"] else None,
        settled_ms=row["settled_ms"],
    )


def the_notice(reader: Reader, notice_id: str) -> Notice:
    """The notice of that id.

    Raises:
        Problem: there is none, or retention has removed it with its alert.
    """
    row = reader.one("SELECT * FROM notice WHERE id = ?", notice_id)
    if row is None:
        raise Problem("There is no such notice.", fix="It may have reached the end of its retention with its alert.")
    return notice_from(row)


def stuck_notice(reader: Reader, notice_id: str) -> Notice:
    """That notice, if it was neither delivered nor given up, and is not being tried.

    Raises:
        Problem: there is nothing to do about it.
    """
    notice = the_notice(reader, notice_id)
    if not notice.stuck:
        said = notice.outcome.replace("-", " ") if notice.outcome else "being tried"
        raise Problem(f"This notice is {said} by now.", fix="Reload the page to see where it stands.")
    return notice


def next_due(reader: Reader, destination: str, now_ms: int) -> Notice | None:
    """The oldest notice to ``destination`` that may be tried now."""
    row = reader.one(
        "SELECT * FROM notice WHERE destination = ? AND outcome IS NULL AND due_ms <= ? ORDER BY seq LIMIT 1",
        destination,
        now_ms,
    )
    return notice_from(row) if row else None


_NEWER: Final = (
    "EXISTS (SELECT 1 FROM notice WHERE destination = n.destination AND alert = n.alert AND outcome IS NULL "
    "AND status != 'nothing' AND seq > n.seq)"
)


def overtaken(reader: Reader, destination: str) -> Notice | None:
    """A notice to ``destination`` that waits, due or not, while there is newer news of the same alert."""
    row = reader.one(
        f"SELECT * FROM notice AS n WHERE destination = ? AND outcome IS NULL AND status != 'nothing' AND {_NEWER} "  # noqa: S608 (constant text)
        "ORDER BY seq LIMIT 1",
        destination,
    )
    return notice_from(row) if row else None


def has_newer(reader: Reader, notice: Notice) -> bool:
    """Whether newer news of the same alert waits for the same destination."""
    return reader.one(f"SELECT 1 FROM notice AS n WHERE id = ? AND {_NEWER}", notice.id) is not None  # noqa: S608 (constant text)


def undelivered(reader: Reader, limit: int = PAGE) -> tuple[Notice, ...]:
    """Notices that did not arrive, then those that are still tried after a failure; each the newest first."""
    rows = reader.all(
        "SELECT * FROM notice WHERE status != 'nothing' AND (outcome IN ('undelivered', 'withheld') "
        "OR (outcome IS NULL AND tries > 0)) ORDER BY outcome IS NULL, seq DESC LIMIT ?",
        limit,
    )
    return tuple(notice_from(row) for row in rows)


def count_stuck(reader: Reader) -> int:
    """How many notices wait for a person to send them again or to give them up."""
    row = reader.one(
        "SELECT count(*) AS n FROM notice WHERE status != 'nothing' AND outcome IN ('undelivered', 'withheld')"
    )
    return int(row["n"]) if row else 0


def latest(reader: Reader, limit: int = PAGE) -> tuple[Notice, ...]:
    """The last notices, whatever became of them, the newest first."""
    rows = reader.all("SELECT * FROM notice WHERE status != 'nothing' ORDER BY seq DESC LIMIT ?", limit)
    return tuple(notice_from(row) for row in rows)


def of_alert(reader: Reader, alert_id: str) -> tuple[Notice, ...]:
    """What destinations were told about an alert, in the order of telling."""
    rows = reader.all("SELECT * FROM notice WHERE alert = ? AND status != 'nothing' ORDER BY seq", alert_id)
    return tuple(notice_from(row) for row in rows)


def told(reader: Reader, event: str, destination: str) -> Status | None:
    """What was decided about an event for a destination; None where nothing was yet."""
    row = reader.one("SELECT status FROM notice WHERE event = ? AND destination = ?", event, destination)
    return Status(row["status"]) if row else None
