"""Act: a person gives up a notice that did not arrive, because it no longer matters or somebody told them otherwise."""

from __future__ import annotations

from watchglass.access.roles import Grant, May
from watchglass.acts.context import Acting, Done, do
from watchglass.acts.notices import Fate, Notice, stuck_notice, the_notice
from watchglass.acts.settle_notice import settle
from watchglass.charter.model import Charter
from watchglass.records.outbox import Transaction


def give_up_notice(acting: Acting, grant: Grant, charter: Charter, notice_id: str) -> Done[Notice]:
    """Take the notice from the list. It does not leave any more, so the charter need not be asked.

    Raises:
        Problem: it was delivered or given up, or is being tried.
    """
    grant.require(May.SETTLE_NOTICES)

    def act(tx: Transaction) -> Notice:
        notice = stuck_notice(tx, notice_id)
        settle(acting, tx, charter, notice, Fate.GIVEN_UP, tries=notice.tries, cause=notice.cause, by=grant)
        return the_notice(tx, notice_id)

    return do(acting, act)
