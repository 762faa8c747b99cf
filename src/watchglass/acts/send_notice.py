"""Act: a destination outside is told about an alert, or is told nothing. The record comes before anything leaves.

Every verdict of an analytic that may tell somebody leaves the same record for each destination, whether or not there
is anything to tell: the existence of the record must not give away what is sealed in the verdict's.
"""

from __future__ import annotations

from typing import Final

from watchglass.access.roles import Grant
from watchglass.acts.context import Acting, Done, attest, do, same
from watchglass.acts.notices import OF_STOPS, Draft, Fate, Notice, Status, the_notice
from watchglass.charter.permit import Permit, SendNotice, TellStop
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import Refused
from watchglass.core.time import DAY
from watchglass.records.outbox import Transaction

_KEPT_MS: Final = 7 * DAY
"""What is about no alert has no retention that would remove it."""


def send_notice(acting: Acting, permit: Permit, draft: Draft) -> Done[Notice]:
    """Record the decision and put the notice into the queue of its destination.

    Raises:
        Refused: the permit is for another destination, analytic or kind of news.
        BadInput: this event was decided about already.
        CannotRecord: the record could not be written, so nothing will leave.
    """
    asked = permit.require(SendNotice, acting.clock.now())
    same(asked.destination, draft.destination)
    same(asked.analytic, draft.analytic)
    of_none = draft.status is Status.TEST or draft.status in OF_STOPS
    if of_none or (draft.status is not Status.UNCONFIRMED and not asked.decided):
        raise Refused(f"This permit is not for the news “{draft.status}”.", fix="Ask the charter for this act.")

    def act(tx: Transaction) -> Notice:
        return put(acting, tx, permit, draft, by=None)

    return do(acting, act)


def tell_stop(acting: Acting, permit: Permit, draft: Draft) -> Done[Notice]:
    """Record that a role's destination is told of a stop by a limit or of its end, and put it into the queue.

    Raises:
        Refused: the permit is for another destination or analytic, or the news is about an alert.
        BadInput: this event was decided about already.
        CannotRecord: the record could not be written, so nothing will leave.
    """
    asked = permit.require(TellStop, acting.clock.now())
    same(asked.destination, draft.destination)
    same(asked.analytic, draft.analytic)
    if draft.status not in OF_STOPS or draft.alert is not None:
        raise Refused(f"This permit is not for the news “{draft.status}”.", fix="Ask the charter for this act.")

    def act(tx: Transaction) -> Notice:
        remove_old(tx, acting.clock.now())
        return put(acting, tx, permit, draft, by=None)

    return do(acting, act)


def remove_old(tx: Transaction, now_ms: int) -> None:
    """Remove settled notices that are about no alert: tests and stops of a week ago."""
    tx.execute(
        "DELETE FROM notice WHERE alert IS NULL AND outcome IS NOT NULL AND made_ms < ?",
        now_ms - _KEPT_MS,
    )


def put(acting: Acting, tx: Transaction, permit: Permit, draft: Draft, *, by: Grant | None) -> Notice:
    """Record the decision about a notice, and its row, in one transaction."""
    committed: dict[str, object] = {
        "notice": draft.id,
        "alert": draft.alert,
        "destination": draft.destination,
        "status": draft.status.value,
        "body_sha256": b64(sha256(draft.body)),
    }
    if by is None:
        committed["account"] = None
    attest(acting, tx, "notice_decided", by=by, under=permit, committed=committed)
    return write(acting, tx, draft)


def write(acting: Acting, tx: Transaction, draft: Draft, outcome: Fate | None = None, cause: str = "") -> Notice:
    """The row of a notice; its record is the caller's."""
    now = acting.clock.now()
    tx.insert(
        "notice",
        {
            "id": draft.id,
            "event": draft.event,
            "destination": draft.destination,
            "analytic": draft.analytic,
            "alert": draft.alert,
            "status": draft.status.value,
            "body": draft.body,
            "made_ms": now,
            "since_ms": now,
            "due_ms": now,
            "cause": cause,
            "outcome": outcome.value if outcome else None,
            "settled_ms": now if outcome else None,
        },
    )
    return the_notice(tx, draft.id)
