"""How an alert, its verdict and its hand-over are read from their rows."""

from __future__ import annotations

import json
from typing import Final

from watchglass.core.errors import Problem
from watchglass.records.outbox import Reader, Row
from watchglass.review.model import Alert, AlertState, Handover, HandoverState, Outcome, Verdict, VerdictValue

ALERT: Final = (
    "SELECT alert.*, EXISTS (SELECT 1 FROM clip WHERE clip.alert = alert.id AND clip.destroyed_ms IS NULL) AS has_clip "
    "FROM alert"
)


def alert_from(row: Row) -> Alert:
    return Alert(
        id=row["id"],
        source=row["source"],
        analytic=row["analytic"],
        kind=row["kind"],
        zone=row["zone"],
        purpose=row["purpose"],
        charter=row["charter"],
        at_ms=row["at_ms"],
        raised_ms=row["raised_ms"],
        due_ms=row["due_ms"],
        score_per_mille=row["score_per_mille"],
        probability_per_mille=row["probability_per_mille"],
        why=row["why"],
        facts=json.loads(row["facts"]),
        seen=json.loads(row["seen"]) if row["seen"] is not None else None,
        boxes=tuple(tuple(box) for box in json.loads(row["boxes"])),
        state=AlertState(row["state"]),
        leaf_hash=row["leaf_hash"],
        claimed_by=row["claimed_by"],
        claimed_until_ms=row["claimed_until_ms"] or 0,
        has_clip=bool(row["has_clip"]),
        calibration=row["calibration"],
    )


def verdict_from(row: Row) -> Verdict:
    return Verdict(
        id=row["id"],
        alert=row["alert"],
        account=row["account"],
        value=VerdictValue(row["value"]),
        reason=row["reason"],
        decided_ms=row["decided_ms"],
        withdrawn_ms=row["withdrawn_ms"],
        leaf_hash=row["leaf_hash"],
    )


def handover_from(row: Row) -> Handover:
    return Handover(
        alert=row["alert"],
        state=HandoverState(row["state"]),
        handed_ms=row["handed_ms"],
        acknowledged_ms=row["acknowledged_ms"],
        on_the_way_ms=row["on_the_way_ms"],
        arrived_ms=row["arrived_ms"],
        closed_ms=row["closed_ms"],
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        note=row["note"] or "",
    )


def the_alert(reader: Reader, alert_id: str) -> Alert:
    """The alert of that id.

    Raises:
        Problem: there is none, or retention has removed it.
    """
    row = reader.one(f"{ALERT} WHERE alert.id = ?", alert_id)
    if row is None:
        raise Problem(
            "There is no such alert.",
            fix="It may have reached the end of its retention. Open the queue to see what is waiting.",
        )
    return alert_from(row)


def standing_verdict(reader: Reader, alert_id: str) -> Verdict | None:
    """The verdict that stands for an alert, if one was given and not withdrawn."""
    row = reader.one("SELECT * FROM verdict WHERE alert = ? AND withdrawn_ms IS NULL", alert_id)
    return verdict_from(row) if row else None


def the_handover(reader: Reader, alert_id: str) -> Handover:
    """The hand-over of that alert.

    Raises:
        Problem: nothing was handed over.
    """
    row = reader.one("SELECT * FROM handover WHERE alert = ?", alert_id)
    if row is None:
        raise Problem("Nothing was handed over for this alert.", fix="Open your list to see what is yours.")
    return handover_from(row)


def handover_leaf(reader: Reader, alert_id: str) -> bytes:
    """The leaf hash of the verdict that handed the alert over: what each step of the response follows from."""
    row = reader.one("SELECT leaf_hash FROM handover WHERE alert = ?", alert_id)
    assert row is not None
    return bytes(row["leaf_hash"])
