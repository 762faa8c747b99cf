"""Act: a reviewer takes a verdict back within ten seconds; both the verdict and its withdrawal stay in the ledger."""

from __future__ import annotations

from watchglass.access.roles import Grant, May
from watchglass.acts.alerts import standing_verdict, the_alert
from watchglass.acts.context import Acting, Done, attest, do, same
from watchglass.charter.permit import Decide, Permit
from watchglass.core.errors import Problem
from watchglass.records.outbox import Transaction
from watchglass.review.model import Alert


def withdraw_verdict(acting: Acting, grant: Grant, permit: Permit, alert_id: str) -> Done[Alert]:
    """Put the alert back into the queue, and call the responder off if one was told.

    Raises:
        Problem: there is no verdict of this person to take back, or the ten seconds are over.
    """
    grant.require(May.DECIDE_ALERT)
    asked = permit.require(Decide, acting.clock.now())

    def act(tx: Transaction) -> Alert:
        alert = the_alert(tx, alert_id)
        same(asked.analytic, alert.analytic)
        verdict = standing_verdict(tx, alert_id)
        now = acting.clock.now()
        if verdict is None or not verdict.can_undo(grant.person.account, now):
            raise Problem(
                "This verdict can no longer be taken back.",
                fix="Only the person who decided can undo, within ten seconds. Tell the shift lead what was wrong.",
            )
        attest(
            acting,
            tx,
            "verdict_withdrawn",
            by=grant,
            under=permit,
            committed={"alert": alert.id},
            refs=[verdict.leaf_hash],
        )
        tx.execute("UPDATE verdict SET withdrawn_ms = ? WHERE id = ?", now, verdict.id)
        tx.execute("UPDATE alert SET state = 'waiting' WHERE id = ?", alert_id)
        tx.execute("DELETE FROM handover WHERE alert = ?", alert_id)
        return the_alert(tx, alert_id)

    return do(acting, act)
