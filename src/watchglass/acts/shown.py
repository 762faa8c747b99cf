"""Which alerts are an incident shown again, and to whom they may be shown: to nobody who has seen it before.

What is shown again has a row of its own among the alerts, and everything that shows alerts shows it like any other.
Only what counts alerts, and what tells somebody outside, has to know; it asks here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watchglass.acts.alerts import the_alert
from watchglass.core.errors import Problem
from watchglass.records.outbox import Reader, Row
from watchglass.review.model import Alert, VerdictValue
from watchglass.review.reads import Why

FIRST: Final = "alert.id NOT IN (SELECT alert FROM shown_again)"
"""SQL: the alert is an incident that was noticed, and not one that is shown again."""

_OF_ONE: Final = (
    "(SELECT own.of_alert AS id FROM shown_again AS own WHERE own.alert = alert.id UNION "
    "SELECT other.alert FROM shown_again AS own JOIN shown_again AS other ON other.of_alert = own.of_alert "
    "WHERE own.alert = alert.id AND other.alert != alert.id)"
)
_JUDGED: Final = f"EXISTS (SELECT 1 FROM verdict WHERE verdict.account = ?1 AND verdict.alert IN {_OF_ONE})"  # noqa: S608 (constant text)
_LOOKED: Final = f"EXISTS (SELECT 1 FROM clip_view WHERE clip_view.account = ?1 AND clip_view.alert IN {_OF_ONE})"  # noqa: S608 (constant text)
_LEADS: Final = (
    "EXISTS (SELECT 1 FROM shown_again JOIN account ON account.id = ?1 WHERE shown_again.alert = alert.id "
    "AND shown_again.why = 'third' AND account.roles LIKE '%\"shift-lead\"%')"
)
HIDDEN: Final = f"({_JUDGED} OR {_LOOKED} OR {_LEADS})"
"""SQL: the account ``?1`` must not see the alert: it is an incident shown again that they have judged before, or whose
clip they have looked at; or they were told that two people differ about it."""

_READ: Final = {Why.SECOND: 2, Why.THIRD: 3, Why.CHECK: None}


@dataclass(frozen=True, slots=True)
class Shown:
    """That an alert is an incident shown again.

    Attributes:
        of_alert: the alert that it is of; None once retention has destroyed that. of_leaf: its record.
        truth: what a check's answer is.
    """

    alert: str
    of_alert: str | None
    of_leaf: bytes
    why: Why
    truth: VerdictValue | None
    shown_ms: int

    @property
    def read(self) -> int | None:
        """Which judgement it asks for; None: a check."""
        return _READ[self.why]


def shown_again(reader: Reader, alert_id: str) -> Shown | None:
    """What an alert shows again; None for one that is new."""
    row = reader.one("SELECT * FROM shown_again WHERE alert = ?", alert_id)
    return shown_from(row) if row else None


def shown_from(row: Row) -> Shown:
    return Shown(
        row["alert"],
        row["of_alert"],
        bytes(row["of_leaf"]),
        Why(row["why"]),
        VerdictValue(row["truth"]) if row["truth"] else None,
        row["shown_ms"],
    )


def hidden_from(reader: Reader, alert_id: str, account: int) -> bool:
    """Whether that person must not see it."""
    sql = f"SELECT 1 FROM alert WHERE alert.id = ?2 AND {HIDDEN}"  # noqa: S608 (constant text)
    return reader.one(sql, account, alert_id) is not None


def the_alert_for(reader: Reader, alert_id: str, account: int) -> Alert:
    """The alert of that id, for that person.

    Raises:
        Problem: there is none for them.
    """
    alert = the_alert(reader, alert_id)
    if hidden_from(reader, alert_id, account):
        raise Problem(
            "There is no such alert.",
            fix="It may have reached the end of its retention. Open the queue to see what is waiting.",
        )
    return alert
