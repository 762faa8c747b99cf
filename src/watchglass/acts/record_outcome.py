"""Act: the responder says what was found on the spot, which closes the alert."""

from __future__ import annotations

from typing import Final

from watchglass.access.roles import Grant, May
from watchglass.acts.alerts import handover_leaf, the_alert, the_handover
from watchglass.acts.context import Acting, Done, attest, do, same
from watchglass.charter.permit import HandOver, Permit
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput
from watchglass.records.outbox import Transaction
from watchglass.review.model import Handover, HandoverState, Outcome

LONGEST_NOTE: Final = 500


def record_outcome(
    acting: Acting, grant: Grant, permit: Permit, alert_id: str, outcome: Outcome, note: str = ""
) -> Done[Handover]:
    """Record the outcome.

    Raises:
        Problem: the hand-over is closed already.
        BadInput: the note is too long.
    """
    note = note.strip()
    if len(note) > LONGEST_NOTE:
        raise BadInput(
            f"The note has {len(note)} characters; {LONGEST_NOTE} fit.",
            fix="Shorten it to what was found and done. Leave out names.",
        )
    grant.require(May.RESPOND)
    asked = permit.require(HandOver, acting.clock.now())

    def act(tx: Transaction) -> Handover:
        same(asked.analytic, the_alert(tx, alert_id).analytic)
        the_handover(tx, alert_id).next_is(HandoverState.CLOSED)
        attest(
            acting,
            tx,
            "outcome_recorded",
            by=grant,
            under=permit,
            committed={
                "alert": alert_id,
                "decided": b64(handover_leaf(tx, alert_id)),
                "outcome": outcome.value,
                "action": note,
            },
        )
        now = acting.clock.now()
        tx.execute(
            "UPDATE handover SET state = 'closed', outcome = ?, note = ?, closed_ms = ?, "
            "acknowledged_ms = coalesce(acknowledged_ms, ?) WHERE alert = ?",
            outcome.value,
            note,
            now,
            now,
            alert_id,
        )
        return the_handover(tx, alert_id)

    return do(acting, act)
