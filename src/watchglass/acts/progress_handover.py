"""Act: the responder has it, is on the way, is there."""

from __future__ import annotations

from typing import Final

from watchglass.access.roles import Grant, May
from watchglass.acts.alerts import handover_leaf, the_alert, the_handover
from watchglass.acts.context import Acting, Done, attest, do, same
from watchglass.charter.permit import HandOver, Permit
from watchglass.core.digest import b64
from watchglass.core.errors import Problem
from watchglass.records.outbox import Transaction
from watchglass.review.model import Handover, HandoverState

_COLUMN: Final = {
    HandoverState.ACKNOWLEDGED: "acknowledged_ms",
    HandoverState.ON_THE_WAY: "on_the_way_ms",
    HandoverState.ARRIVED: "arrived_ms",
}


def progress_handover(
    acting: Acting, grant: Grant, permit: Permit, alert_id: str, step: HandoverState
) -> Done[Handover]:
    """Record one step of the response.

    Raises:
        Problem: the step lies behind, or is not one that a responder takes.
    """
    grant.require(May.RESPOND)
    asked = permit.require(HandOver, acting.clock.now())

    def act(tx: Transaction) -> Handover:
        if step not in _COLUMN:
            raise Problem("That is not a step on the way.", fix="To close, choose what you found.")
        handover = the_handover(tx, alert_id)
        same(asked.analytic, the_alert(tx, alert_id).analytic)
        handover.next_is(step)
        attest(
            acting,
            tx,
            "handover_progressed",
            by=grant,
            under=permit,
            committed={"alert": alert_id, "decided": b64(handover_leaf(tx, alert_id)), "step": step.value},
        )
        now = acting.clock.now()
        tx.execute(
            f"UPDATE handover SET state = ?, {_COLUMN[step]} = ?, "  # noqa: S608 (the column comes from the table above)
            "acknowledged_ms = coalesce(acknowledged_ms, ?) WHERE alert = ?",
            step.value,
            now,
            now,
            alert_id,
        )
        return the_handover(tx, alert_id)

    return do(acting, act)
