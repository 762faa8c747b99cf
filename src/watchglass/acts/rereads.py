"""Which alerts are owed another judgement, which could serve as checks, what people made of one together.

Everything here reads; ``show_again`` and ``close_reads`` do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watchglass.access.roles import Role
from watchglass.acts.shown import FIRST
from watchglass.charter.model import Charter
from watchglass.core.time import DAY, MINUTE
from watchglass.records.outbox import Reader, Row
from watchglass.review.model import UNDO_WINDOW, Outcome, VerdictValue
from watchglass.review.reads import Judged, Why, alike, month_around
from watchglass.review.seeds import LASTS_MS, Settled, truth_of

ON_DUTY_MS: Final = 5 * MINUTE
"""Whoever used the portal so lately is there."""
ARRIVED_MS: Final = 15 * MINUTE
"""Whoever has signed in so lately is left to find their way first."""
COOLED_MS: Final = 5 * MINUTE
"""So long after a first judgement another one is asked for at the earliest."""
COUNTED_MS: Final = 30 * DAY
LABELLED_UNTIL: Final = "labelled_until"
"""The setting in which the demo keeps until when (ms) verdicts are a developer's labels."""
_LIMIT: Final = 200

_FIRST_READS: Final = (  # constant text
    "SELECT alert.id, alert.analytic, alert.raised_ms, verdict.decided_ms, "
    "(SELECT max(made_ms) FROM clip WHERE clip.alert = alert.id AND destroyed_ms IS NULL) AS clip_ms, "
    "EXISTS (SELECT 1 FROM clip WHERE clip.alert = alert.id AND destroyed_ms IS NOT NULL) AS clip_gone, "
    "length(alert.still) > 0 AS pictured "
    "FROM alert JOIN verdict ON verdict.alert = alert.id AND verdict.withdrawn_ms IS NULL "
    "WHERE alert.id NOT IN (SELECT alert FROM shown_again)"
)
_NOT_SHOWN: Final = (
    "NOT EXISTS (SELECT 1 FROM shown_again WHERE shown_again.of_alert = alert.id AND shown_again.why = '{why}')"
)


@dataclass(frozen=True, slots=True)
class Owed:
    """An alert that another person must judge."""

    alert: str
    analytic: str
    why: Why


def judged(reader: Reader, alert_id: str, now_ms: int) -> Judged | None:
    """What people have said about an alert and can take back no more; None where the first has not."""
    rows = reader.all(
        "SELECT coalesce(shown_again.why, 'first') AS why, verdict.value FROM verdict "
        "LEFT JOIN shown_again ON shown_again.alert = verdict.alert WHERE withdrawn_ms IS NULL AND decided_ms < ?2 "
        "AND (verdict.alert = ?1 OR (shown_again.of_alert = ?1 AND shown_again.why != 'check'))",
        alert_id,
        now_ms - UNDO_WINDOW,
    )
    by = {row["why"]: VerdictValue(row["value"]) for row in rows}
    return Judged(by["first"], by.get("second"), by.get("third")) if "first" in by else None


def settled_truth(reader: Reader, alert_id: str, now_ms: int) -> VerdictValue | None:
    """What an alert was, where enough is known about it to check others by it.

    In the demo's made history a verdict is a developer's label, and counts as known.
    """
    known = judged(reader, alert_id, now_ms)
    if known is None:
        return None
    row = reader.one("SELECT outcome FROM handover WHERE alert = ?", alert_id)
    truth = truth_of(known, Outcome(row["outcome"]) if row and row["outcome"] else None)
    if (
        truth is None
        and known.second is None
        and known.first is not VerdictValue.UNSURE
        and _is_label(reader, alert_id)
    ):
        return known.first
    return truth


def _is_label(reader: Reader, alert_id: str) -> bool:
    row = reader.one(
        "SELECT 1 FROM alert JOIN setting ON setting.key = ? "
        "WHERE id = ? AND raised_ms <= CAST(setting.value AS INTEGER)",
        LABELLED_UNTIL,
        alert_id,
    )
    return row is not None


def owed(reader: Reader, charter: Charter, now_ms: int) -> list[Owed]:
    """The alerts whose second or third judgement is owed, and whose picture shows yet what the first person saw."""
    rows = reader.all(
        f"{_FIRST_READS} AND verdict.drawn < verdict.drawn_below AND verdict.decided_ms < ? AND alert.raised_ms > ? "
        f"AND {_NOT_SHOWN.format(why='third')} ORDER BY verdict.decided_ms LIMIT ?",
        now_ms - COOLED_MS,
        now_ms - charter.safeguards.review.matures_ms,
        _LIMIT,
    )
    found = []
    for row in rows:
        if _picture_until(row, charter) - now_ms < LASTS_MS or not alike(row["raised_ms"], now_ms):
            continue
        known = judged(reader, row["id"], now_ms)
        second = reader.one("SELECT 1 FROM shown_again WHERE of_alert = ? AND why = 'second'", row["id"])
        if second is None:
            found.append(Owed(row["id"], row["analytic"], Why.SECOND))
        elif known is not None and known.differ:
            found.append(Owed(row["id"], row["analytic"], Why.THIRD))
    return found


def _picture_until(row: Row, charter: Charter) -> int:
    """When retention destroys what an alert shows, its clip or its still; long ago where the clip is gone."""
    keep = charter.safeguards.retention.reviewer_clips_ms
    if row["clip_ms"] is None:
        return 0 if row["clip_gone"] else int(row["raised_ms"]) + keep
    return min(int(row["clip_ms"]), int(row["raised_ms"])) + keep


def could_check(reader: Reader, charter: Charter, now_ms: int) -> list[Settled]:
    """The past alerts whose answer is known and whose picture is there."""
    rows = reader.all(
        f"{_FIRST_READS} AND alert.raised_ms > ? ORDER BY alert.raised_ms DESC LIMIT ?",
        now_ms - charter.safeguards.retention.reviewer_clips_ms,
        _LIMIT,
    )
    found = []
    for row in rows:
        truth = settled_truth(reader, row["id"], now_ms) if alike(row["raised_ms"], now_ms) else None
        if truth is not None and row["pictured"]:
            times = _count(
                reader, "SELECT count(*) AS n FROM shown_again WHERE why = 'check' AND of_alert = ?", row["id"]
            )
            until = _picture_until(row, charter)
            found.append(Settled(row["id"], row["analytic"], row["raised_ms"], truth, until, times))
    return found


def on_duty(reader: Reader, now_ms: int) -> dict[int, frozenset[Role]]:
    """Who is there to judge alerts, by account."""
    rows = reader.all(
        "SELECT DISTINCT account.id, account.roles FROM session JOIN account ON account.id = session.account "
        "WHERE session.seen_ms > ? AND session.created_ms < ? AND session.expires_ms > ? "
        "AND account.closed_ms IS NULL",
        now_ms - ON_DUTY_MS,
        now_ms - ARRIVED_MS,
        now_ms,
    )
    judges = {Role.REVIEWER, Role.SHIFT_LEAD}
    found = {row["id"]: frozenset(role for role in judges if f'"{role}"' in row["roles"]) for row in rows}
    return {account: roles for account, roles in found.items() if roles}


def knows(reader: Reader, alert_id: str) -> frozenset[int]:
    """Who has judged an incident, whenever it was shown, or has looked at its clip."""
    rows = reader.all(
        "WITH one (id) AS (SELECT ?1 UNION SELECT alert FROM shown_again WHERE of_alert = ?1) "
        "SELECT account FROM verdict WHERE alert IN (SELECT id FROM one) UNION "
        "SELECT account FROM clip_view WHERE alert IN (SELECT id FROM one) UNION "
        "SELECT claimed_by FROM alert WHERE id IN (SELECT id FROM one) AND claimed_by IS NOT NULL",
        alert_id,
    )
    return frozenset(int(row["account"]) for row in rows)


def may_judge(reader: Reader, alert_id: str, why: Why, duty: dict[int, frozenset[Role]]) -> frozenset[int]:
    """Who is there and may judge it again. Shift leads hear where two people differ, so a third one is none of them."""
    able = {account for account, roles in duty.items() if why is not Why.THIRD or Role.SHIFT_LEAD not in roles}
    return frozenset(able - knows(reader, alert_id))


def checks_of_month(reader: Reader, account: int, now_ms: int) -> int:
    """How many checks this person has answered in this calendar month (UTC)."""
    begin, end = month_around(now_ms)
    return _count(
        reader,
        "SELECT count(*) AS n FROM verdict JOIN shown_again USING (alert) WHERE why = 'check' AND account = ? "
        "AND withdrawn_ms IS NULL AND decided_ms >= ? AND decided_ms < ?",
        account,
        begin,
        end,
    )


def counted(reader: Reader, now_ms: int) -> tuple[int, int]:
    """How many alerts were noticed, and how many checks shown, in the last 30 days."""
    since = now_ms - COUNTED_MS
    alerts = _count(reader, f"SELECT count(*) AS n FROM alert WHERE raised_ms > ? AND {FIRST}", since)  # noqa: S608 (constant text)
    checks = _count(reader, "SELECT count(*) AS n FROM shown_again WHERE why = 'check' AND shown_ms > ?", since)
    return alerts, checks


def busy(reader: Reader, now_ms: int, most: int) -> bool:
    """Whether more than ``most`` alerts wait, or something shown again waits already, or any alert is overdue."""
    row = reader.one(
        "SELECT count(*) AS n, count(*) FILTER (WHERE due_ms < ?) AS late, "
        "count(*) FILTER (WHERE alert.id IN (SELECT alert FROM shown_again)) AS again "
        "FROM alert WHERE state = 'waiting'",
        now_ms,
    )
    return row is None or row["n"] > most or row["late"] > 0 or row["again"] > 0


# ---- where people differ ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Differing:
    """An alert about which a second person says otherwise, so that somebody must look at it.

    Attributes:
        handed: it was handed over, and is doubted now; else it was not, and is confirmed now.
    """

    alert: str
    source: str
    kind: str
    at_ms: int
    said_ms: int
    handed: bool


def differing(reader: Reader, now_ms: int, since_ms: int) -> tuple[Differing, ...]:
    """What the shift lead is told, the newest first. On trial nothing is handed over, so nothing of that is doubted."""
    rows = reader.all(
        "SELECT alert.*, verdict.decided_ms AS said_ms, "
        "EXISTS (SELECT 1 FROM handover WHERE handover.alert = alert.id) AS handed FROM alert "
        "JOIN shown_again ON shown_again.of_alert = alert.id AND shown_again.why = 'second' "
        "JOIN verdict ON verdict.alert = shown_again.alert AND verdict.withdrawn_ms IS NULL "
        "WHERE verdict.decided_ms > ? ORDER BY verdict.decided_ms DESC LIMIT ?",
        since_ms,
        _LIMIT,
    )
    found = []
    for row in rows:
        known = judged(reader, row["id"], now_ms)
        handed = bool(row["handed"])
        if known is not None and known.tell and handed is (known.first is VerdictValue.CONFIRM):
            found.append(Differing(row["id"], row["source"], row["kind"], row["at_ms"], row["said_ms"], handed))
    return tuple(found)


def _count(reader: Reader, sql: str, *params: int | str) -> int:
    row = reader.one(sql, *params)
    return int(row["n"]) if row else 0
