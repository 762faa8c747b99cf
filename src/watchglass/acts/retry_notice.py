"""Act: a person has a notice sent again that had not been delivered."""

from __future__ import annotations

from watchglass.access.roles import Grant, May
from watchglass.acts.context import Acting, Done, attest, do, same
from watchglass.acts.notices import Notice, asked_of, stuck_notice, the_notice
from watchglass.charter.permit import Permit, SendNotice, TellStop
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
    now = acting.clock.now()
    of_stop = isinstance(permit.request, TellStop)
    asked = permit.require(TellStop, now) if of_stop else permit.require(SendNotice, now)

    def act(tx: Transaction) -> Notice:
        notice = stuck_notice(tx, notice_id)
        same(asked.destination, notice.destination)
        same(asked.analytic, notice.analytic)
        same(type(asked).__name__, type(asked_of(notice)).__name__)
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
