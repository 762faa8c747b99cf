"""Act: a person has a notice sent again that had not been delivered."""

from __future__ import annotations

from watchglass.access.roles import Grant, May
from watchglass.acts.context import Acting, Done, attest, do, same
from watchglass.acts.notices import Notice, stuck_notice, the_notice
from watchglass.charter.permit import Permit, SendNotice
from watchglass.records.outbox import Transaction


def retry_notice(acting: Acting, grant: Grant | None, permit: Permit, notice_id: str) -> Done[Notice]:
    """Put the notice back into its destination's queue, with the same id and the same bytes.

    Args:
        grant: None on the machine itself, where no account is needed.

    Raises:
        Problem: it was delivered or given up, or is being tried.
        Refused: the charter does not let it leave now.
    """
    if grant is not None:
        grant.require(May.SETTLE_NOTICES)
    asked = permit.require(SendNotice, acting.clock.now())

    def act(tx: Transaction) -> Notice:
        notice = stuck_notice(tx, notice_id)
        same(asked.destination, notice.destination)
        same(asked.analytic, notice.analytic)
        committed: dict[str, object] = {
            "notice": notice.id,
            "alert": notice.alert,
            "destination": notice.destination,
        }
        if grant is None:
            committed["account"] = None
        attest(acting, tx, "notice_retried", by=grant, under=permit, committed=committed)
        now = acting.clock.now()
        tx.execute(
            "UPDATE notice SET outcome = NULL, settled_ms = NULL, since_ms = ?, due_ms = ? WHERE id = ?",
            now,
            now,
            notice.id,
        )
        return the_notice(tx, notice.id)

    return do(acting, act)
