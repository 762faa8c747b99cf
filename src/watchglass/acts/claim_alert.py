"""Presence: who has an alert open. Not an act (nothing happens to anyone by it), so it writes no record."""

from __future__ import annotations

from watchglass.access.roles import Grant, May
from watchglass.acts.alerts import the_alert
from watchglass.acts.context import Acting
from watchglass.acts.shown import the_alert_for
from watchglass.records.outbox import Transaction
from watchglass.review.model import CLAIM, Alert


def claim_alert(acting: Acting, grant: Grant, alert_id: str) -> Alert:
    """Show others that this person has the alert open; leaves a claim that someone else holds as it is."""
    grant.require(May.DECIDE_ALERT)

    def change(tx: Transaction) -> Alert:
        alert = the_alert_for(tx, alert_id, grant.person.account)
        now = acting.clock.now()
        if not alert.held_by_other(grant.person.account, now):
            tx.execute(
                "UPDATE alert SET claimed_by = ?, claimed_until_ms = ? WHERE id = ? AND state = 'waiting'",
                grant.person.account,
                now + CLAIM,
                alert_id,
            )
        return the_alert(tx, alert_id)

    value: Alert = acting.store.commit(change).value
    return value


def release_claim(acting: Acting, grant: Grant, alert_id: str) -> None:
    """Give the alert back to the queue."""
    grant.require(May.DECIDE_ALERT)

    def change(tx: Transaction) -> None:
        tx.execute(
            "UPDATE alert SET claimed_by = NULL, claimed_until_ms = NULL WHERE id = ? AND claimed_by = ?",
            alert_id,
            grant.person.account,
        )

    acting.store.commit(change)
