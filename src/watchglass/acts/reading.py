"""Questions that staff and oversight pages ask of the store. Reading is not an act; what shows a picture is elsewhere.

Everything here is typed and finite: each list has a limit, so that a page stays small on the thousandth day.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from watchglass.access.roles import Role
from watchglass.acts.alerts import ALERT, alert_from, handover_from, verdict_from
from watchglass.acts.shown import FIRST, HIDDEN
from watchglass.core.errors import Problem
from watchglass.core.time import DAY
from watchglass.records.outbox import Reader, Row, Value
from watchglass.review.frequency import Frequency
from watchglass.review.model import Alert, Handover, Verdict

QUEUE_LIMIT: Final = 200
PAGE: Final = 50

# ---- the queue ---------------------------------------------------------------------------------------------------


def waiting(reader: Reader, account: int, limit: int = QUEUE_LIMIT) -> tuple[Alert, ...]:
    """Alerts that wait for this person, the one that is due first first."""
    rows = reader.all(
        f"{ALERT} WHERE alert.state = 'waiting' AND NOT {HIDDEN} ORDER BY alert.due_ms, alert.raised_ms LIMIT ?2",
        account,
        limit,
    )
    return tuple(alert_from(row) for row in rows)


def not_confirmed(reader: Reader) -> tuple[Alert, ...]:
    """Alerts that wait and are new, the one that is due first first: for those who may go there before a verdict."""
    rows = reader.all(
        f"{ALERT} WHERE alert.state = 'waiting' AND {FIRST} ORDER BY alert.due_ms, alert.raised_ms LIMIT ?",
        QUEUE_LIMIT,
    )
    return tuple(alert_from(row) for row in rows)


def count_waiting(reader: Reader, account: int | None = None) -> int:
    """How many alerts wait; for this person, where one is given."""
    if account is None:
        return _count(reader, "SELECT count(*) AS n FROM alert WHERE state = 'waiting'")
    row = reader.one(
        f"SELECT count(*) AS n FROM alert WHERE state = 'waiting' AND NOT {HIDDEN}",  # noqa: S608 (constant text)
        account,
    )
    return int(row["n"]) if row else 0


def recent_verdicts(reader: Reader, account: int, limit: int = 10) -> tuple[Verdict, ...]:
    """What this person decided last, newest first."""
    rows = reader.all("SELECT * FROM verdict WHERE account = ? ORDER BY decided_ms DESC LIMIT ?", account, limit)
    return tuple(verdict_from(row) for row in rows)


HISTORY_UNTIL: Final = "history_until"
"""The setting in which the demo keeps the end of its made history (ms)."""


def history_until(reader: Reader) -> int:
    """Until when the demo's made history lasts; 0 where nothing was made up."""
    row = reader.one("SELECT value FROM setting WHERE key = ?", HISTORY_UNTIL)
    return int(row["value"]) if row else 0


def how_often_right(reader: Reader, analytic: str, limit: int = 1000) -> Frequency:
    """How the last ``limit`` standing verdicts about an analytic's alerts went.

    "Unsure" is neither right nor wrong, so it is not counted. What another person is to judge too counts once that is
    over and closed: else a figure that moves would tell them what the first said.

    Live verdicts never pool with the demo's history: as soon as there are enough of them they stand alone, and until
    then the history stands alone and says what it is.
    """
    border = history_until(reader)
    live = Frequency(*_decided(reader, analytic, border, None, limit), of=_OF, were=_WERE)
    if live.enough or not border:
        return live
    made = Frequency(*_decided(reader, analytic, 0, border, limit), of=f"{_OF} in the demo's made history", were=_LABEL)
    return made if made.enough else live


_OF: Final = "alerts of this rule"
_WERE: Final = "were confirmed by a person"
_LABEL: Final = "were real by the labels of a developer who viewed the clip"


def _decided(reader: Reader, analytic: str, after: int, until: int | None, limit: int) -> tuple[int, int]:
    """(confirmed, confirmed or rejected) among the last ``limit`` verdicts in a span of time."""
    rows = reader.all(
        "SELECT verdict.value AS value FROM verdict JOIN alert ON alert.id = verdict.alert "
        "WHERE alert.analytic = ? AND verdict.withdrawn_ms IS NULL AND verdict.value != 'unsure' "
        "AND alert.id NOT IN (SELECT alert FROM shown_again) "
        "AND alert.id NOT IN (SELECT alert FROM drill_alert) AND (verdict.drawn IS NULL "
        "OR verdict.drawn >= verdict.drawn_below OR alert.id IN (SELECT alert FROM reads WHERE closed_ms IS NOT NULL)) "
        "AND verdict.decided_ms > ? "
        "AND (? IS NULL OR verdict.decided_ms <= ?) "
        "ORDER BY verdict.decided_ms DESC LIMIT ?",
        analytic,
        after,
        until,
        until,
        limit,
    )
    return sum(row["value"] == "confirm" for row in rows), len(rows)


def roles_of(reader: Reader, account: int | None) -> tuple[Role, ...]:
    """The roles behind an account number, closed accounts included; never the name."""
    row = reader.one("SELECT roles FROM account WHERE id = ?", account) if account is not None else None
    return tuple(sorted(Role(role) for role in json.loads(row["roles"]))) if row else ()


def still(reader: Reader, alert_id: str) -> bytes:
    """The painted still of an alert, PNG.

    Raises:
        Problem: there is none, or retention has destroyed it.
    """
    found = still_or_none(reader, alert_id)
    if found is None:
        raise Problem("There is no picture of this alert (any more).", fix="The rule that fired remains, in words.")
    return found


def still_or_none(reader: Reader, alert_id: str) -> bytes | None:
    """The painted still of an alert, or None where there is none (any more)."""
    row = reader.one("SELECT still FROM alert WHERE id = ?", alert_id)
    return bytes(row["still"]) if row is not None and row["still"] else None


# ---- hand-overs --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Card:
    """What a responder needs: the alert and where its hand-over stands."""

    alert: Alert
    handover: Handover


def cards(reader: Reader, since_ms: int) -> tuple[Card, ...]:
    """Open hand-overs, the oldest first, then those that were closed since, the newest first."""
    rows = reader.all(
        "SELECT * FROM handover WHERE state != 'closed' OR closed_ms > ? "
        "ORDER BY state = 'closed', CASE WHEN state = 'closed' THEN -closed_ms ELSE handed_ms END LIMIT ?",
        since_ms,
        PAGE,
    )
    found = []
    for row in rows:
        alert = reader.one(f"{ALERT} WHERE alert.id = ?", row["alert"])
        if alert is not None:
            found.append(Card(alert_from(alert), handover_from(row)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Delay:
    """How long something took, over ``n`` cases: the median with its 95 % interval, and the 95th percentile.

    The interval of the median is the distribution-free one between two order statistics (H. A. David, H. N. Nagaraja,
    *Order Statistics*, 3rd ed., section 7.1). Below ``FEWEST`` cases no figure is given.
    """

    n: int
    median_ms: int | None
    low_ms: int | None
    high_ms: int | None
    p95_ms: int | None

    FEWEST: ClassVar = 6
    """With five, even the smallest and the largest enclose the median in 94 % of cases only."""
    FEWEST_FOR_P95: ClassVar = 20
    DERIVED: ClassVar = ("enough",)

    @property
    def enough(self) -> bool:
        return self.median_ms is not None

    @classmethod
    def of(cls, times_ms: Sequence[int]) -> Delay:
        """The figures of these durations."""
        ordered = sorted(times_ms)
        n = len(ordered)
        if n < cls.FEWEST:
            return cls(n, None, None, None, None)
        reach = _median_rank(n)
        p95 = ordered[math.ceil(0.95 * n) - 1] if n >= cls.FEWEST_FOR_P95 else None
        middle = (ordered[(n - 1) // 2] + ordered[n // 2]) // 2
        return cls(n, middle, ordered[reach], ordered[n - 1 - reach], p95)


def _median_rank(n: int) -> int:
    """The largest r with P(at most r of n fair coins show heads) <= 2.5 %: ranks r and n-1-r enclose the median."""
    total, term, r = 0.0, 0.5**n if n <= 1000 else 0.0, 0  # noqa: PLR2004  # beyond it 0.5**n leaves the floats
    if not term:
        return max(0, math.floor(n / 2 - 1.96 * math.sqrt(n) / 2) - 1)
    for k in range(n // 2):
        total += term
        if total > 0.025:  # noqa: PLR2004  # half of 5 %
            break
        r = k
        term = term * (n - k) / (k + 1)
    return r


@dataclass(frozen=True, slots=True)
class Told:
    """Times of the hand-overs of some days, in milliseconds from the incident in the picture.

    ``made``: the demo's made history stands in for live hand-overs, of which there are not enough yet.
    """

    days: int
    made: bool
    to_verdict: Delay
    to_told: Delay
    to_acknowledged: Delay


def told(reader: Reader, now_ms: int, days: int = 28) -> Told:
    """How long it took from an incident until a person decided, until a responder was told, until one had it.

    Live times never pool with those of the demo's history, which a simulation drew.
    """
    border, since = history_until(reader), now_ms - days * DAY
    live = _told(reader, days, max(border, since), now_ms, made=False)
    return live if live.to_told.enough or not border else _told(reader, days, since, border, made=True)


def _told(reader: Reader, days: int, after: int, until: int, *, made: bool) -> Told:
    rows = reader.all(
        "SELECT alert.at_ms, verdict.decided_ms, handover.handed_ms, handover.acknowledged_ms FROM handover "
        "JOIN alert ON alert.id = handover.alert "
        "LEFT JOIN verdict ON verdict.alert = alert.id AND verdict.withdrawn_ms IS NULL "
        "WHERE handover.handed_ms > ? AND handover.handed_ms <= ?",
        after,
        until,
    )
    return Told(
        days,
        made,
        Delay.of([row["decided_ms"] - row["at_ms"] for row in rows if row["decided_ms"] is not None]),
        Delay.of([row["handed_ms"] - row["at_ms"] for row in rows]),
        Delay.of([row["acknowledged_ms"] - row["at_ms"] for row in rows if row["acknowledged_ms"] is not None]),
    )


# ---- oversight ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger, as coarse as the public sees it."""

    index: int
    act: str
    analytic: str | None
    hour: str
    leaf_hash: bytes


CROWD: Final = ("checkpoint_witnessed", "heartbeat")
"""What comes by itself, again and again; it is listed where somebody asks for it."""


def entries(
    reader: Reader, *, act: str = "", hour: str = "", before: int | None = None, limit: int = PAGE
) -> tuple[Entry, ...]:
    """Entries, newest first; ``act`` and ``hour`` narrow them, ``before`` pages on. ``CROWD`` only if asked for."""
    wheres, params = ["1" if act else f"act NOT IN {CROWD}"], list[Value]()
    for clause, value in (("act = ?", act), ("hour LIKE ? || '%'", _plain(hour)), ("idx < ?", before)):
        if value not in ("", None):
            wheres.append(clause)
            params.append(value)
    sql = f"SELECT * FROM entry WHERE {' AND '.join(wheres)} ORDER BY idx DESC LIMIT ?"  # noqa: S608 (fixed clauses)
    return tuple(_entry(row) for row in reader.all(sql, *params, limit))


def _plain(hour: str) -> str:
    """An hour's text without what LIKE would take as a wildcard."""
    return "".join(letter for letter in hour if letter.isalnum() or letter == "-")


def acts_done(reader: Reader) -> dict[str, int]:
    """How often each act is in the ledger."""
    return {row["act"]: int(row["n"]) for row in reader.all("SELECT act, count(*) AS n FROM entry GROUP BY act")}


def index_of(reader: Reader, leaf_hash: bytes | None) -> int | None:
    """Where a leaf stands in the ledger; None while it waits."""
    row = reader.one("SELECT idx FROM entry WHERE leaf_hash = ?", leaf_hash) if leaf_hash else None
    return int(row["idx"]) if row else None


def _entry(row: Row) -> Entry:
    return Entry(int(row["idx"]), row["act"], row["analytic"], row["hour"], bytes(row["leaf_hash"]))


@dataclass(frozen=True, slots=True)
class SuspensionRow:
    """An order to stop, from when it was ordered to when it was lifted."""

    leaf_hash: bytes
    scope: str
    analytic: str | None
    ordered_ms: int
    obeyed_ms: int | None
    lifted_ms: int | None
    index: int | None
    lifted_index: int | None

    @property
    def open(self) -> bool:
        return self.lifted_ms is None


def suspensions(reader: Reader, limit: int = PAGE) -> tuple[SuspensionRow, ...]:
    """Suspensions, newest first."""
    rows = reader.all("SELECT * FROM suspension ORDER BY ordered_ms DESC LIMIT ?", limit)
    return tuple(
        SuspensionRow(
            bytes(row["leaf_hash"]),
            row["scope"],
            row["analytic"],
            row["ordered_ms"],
            row["obeyed_ms"],
            row["lifted_ms"],
            index_of(reader, row["leaf_hash"]),
            index_of(reader, row["lifted_leaf_hash"]),
        )
        for row in rows
    )


def openings(reader: Reader) -> tuple[int, int]:
    """How many sealed openings there are, and under how many hourly keys."""
    return (
        _count(reader, "SELECT count(*) AS n FROM opening"),
        _count(reader, "SELECT count(*) AS n FROM opening_key"),
    )


# ---- accounts and sources ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Account:
    """A local account as the administrator sees it; there is nothing else to see."""

    id: int
    name: str
    roles: tuple[Role, ...]
    opened_ms: int
    closed_ms: int | None


def accounts(reader: Reader) -> tuple[Account, ...]:
    """Every account, open ones first, by name."""
    rows = reader.all(
        "SELECT id, name, roles, opened_ms, closed_ms FROM account ORDER BY closed_ms IS NOT NULL, name LIMIT 1000"
    )
    return tuple(_account(row) for row in rows)


def account(reader: Reader, number: int) -> Account:
    """One account.

    Raises:
        Problem: there is none of that number.
    """
    row = reader.one("SELECT id, name, roles, opened_ms, closed_ms FROM account WHERE id = ?", number)
    if row is None:
        raise Problem("There is no such account.", fix="Go back to the list of accounts.")
    return _account(row)


def _account(row: Row) -> Account:
    roles = tuple(sorted(Role(role) for role in json.loads(row["roles"])))
    return Account(int(row["id"]), row["name"], roles, row["opened_ms"], row["closed_ms"])


@dataclass(frozen=True, slots=True)
class BackdropRow:
    """A backdrop of one view that was confirmed; the picture itself is gone once it is withdrawn or replaced.

    Attributes:
        made_ms: later than ``confirmed_ms`` where blocks were renewed since an operator confirmed it.
    """

    id: int
    scene: str
    confirmed_ms: int
    made_ms: int
    withdrawn_ms: int | None


def backdrops(reader: Reader, source: str, limit: int = 10) -> tuple[BackdropRow, ...]:
    """The backdrops that a source has had, newest first."""
    rows = reader.all(
        "SELECT id, scene, confirmed_ms, made_ms, withdrawn_ms FROM backdrop "
        "WHERE source = ? AND confirmed_ms IS NOT NULL ORDER BY id DESC LIMIT ?",
        source,
        limit,
    )
    return tuple(
        BackdropRow(int(row["id"]), row["scene"], row["confirmed_ms"], row["made_ms"], row["withdrawn_ms"])
        for row in rows
    )


def _count(reader: Reader, sql: str) -> int:
    row = reader.one(sql)
    return int(row["n"]) if row else 0
