"""Act: a person decides what an alert was. A confirmed one is handed to a responder in the same transaction."""

from __future__ import annotations

from typing import Final

from watchglass.access.roles import Grant, May
from watchglass.acts.alerts import standing_verdict, the_alert, verdict_from
from watchglass.acts.context import Acting, Done, attest, do, same
from watchglass.charter.permit import Decide, Permit
from watchglass.core.errors import Problem
from watchglass.core.time import iso
from watchglass.records.outbox import Transaction
from watchglass.review.model import UNDO_WINDOW, Alert, Verdict, VerdictValue, check_reason

RESPONDER_PAGE: Final = "responder-page"
"""How a confirmed alert reaches those who go there."""


def decide_alert(
    acting: Acting,
    grant: Grant,
    permit: Permit,
    alert_id: str,
    value: VerdictValue,
    reason: str = "",
    *,
    over_claim: bool = False,
) -> Done[Verdict]:
    """Record the verdict; with ``confirm``, tell the responder.

    Raises:
        Problem: someone decided before, or someone else has the alert open and ``over_claim`` is not set.
        CannotRecord: the record could not be written, so nothing was decided.
    """
    grant.require(May.DECIDE_ALERT)
    asked = permit.require(Decide, acting.clock.now())

    def act(tx: Transaction) -> Verdict:
        alert = the_alert(tx, alert_id)
        same(asked.analytic, alert.analytic)
        _nobody_else(acting, tx, grant, alert, over_claim=over_claim)
        words = check_reason(value, reason)
        now = acting.clock.now()
        leaf_hash = attest(
            acting,
            tx,
            "alert_decided",
            by=grant,
            under=permit,
            committed={
                "alert": alert.id,
                "verdict": value.value,
                "reason": words,
                "handed_to": RESPONDER_PAGE if value is VerdictValue.CONFIRM else None,
            },
            refs=[alert.leaf_hash],
        )
        tx.execute("UPDATE alert SET state = 'decided', claimed_by = NULL WHERE id = ?", alert.id)
        tx.insert(
            "verdict",
            {
                "alert": alert.id,
                "account": grant.person.account,
                "value": value.value,
                "reason": words,
                "decided_ms": now,
                "final_ms": now + UNDO_WINDOW,
                "leaf_hash": leaf_hash,
            },
        )
        if value is VerdictValue.CONFIRM:
            tx.insert("handover", {"alert": alert.id, "state": "told", "handed_ms": now, "leaf_hash": leaf_hash})
        row = tx.one("SELECT * FROM verdict WHERE alert = ? AND withdrawn_ms IS NULL", alert.id)
        assert row is not None
        return verdict_from(row)

    return do(acting, act)


def _nobody_else(acting: Acting, tx: Transaction, grant: Grant, alert: Alert, *, over_claim: bool) -> None:
    verdict = standing_verdict(tx, alert.id)
    if verdict is not None:
        whose = "You" if verdict.account == grant.person.account else "Someone else"
        raise Problem(
            f"{whose} decided this alert at {iso(verdict.decided_ms)[11:16]} UTC: {verdict.value}.",
            fix="Nothing was changed by you. Go on with the next alert.",
        )
    if alert.held_by_other(grant.person.account, acting.clock.now()) and not over_claim:
        raise Problem(
            "Someone else has this alert open right now.",
            fix="Leave it to them, or choose “decide anyway”.",
            claimed=True,
        )
