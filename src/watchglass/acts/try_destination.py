"""Act: a person has a test sent to a destination; it is marked so, and is about nothing."""

from __future__ import annotations

from watchglass.access.roles import Grant, May
from watchglass.acts.context import Acting, Done, do, same
from watchglass.acts.notices import Draft, Notice, Status
from watchglass.acts.send_notice import put, remove_old
from watchglass.charter.permit import Permit, TryDestination
from watchglass.core.errors import BadInput
from watchglass.records.outbox import Transaction


def try_destination(acting: Acting, grant: Grant | None, permit: Permit, draft: Draft) -> Done[Notice]:
    """Record the test and put it into the destination's queue.

    Args:
        grant: None on the machine itself, where no account is needed.

    Raises:
        Refused: the charter names no such destination, or lets nothing leave now.
    """
    if grant is not None:
        grant.require(May.SETTLE_NOTICES)
    same(permit.require(TryDestination, acting.clock.now()).destination, draft.destination)
    if draft.status is not Status.TEST or draft.alert is not None:
        raise BadInput("A test is about no alert.", fix="Make the notice with status `test`.")

    def act(tx: Transaction) -> Notice:
        remove_old(tx, acting.clock.now())
        return put(acting, tx, permit, draft, by=grant)

    return do(acting, act)
