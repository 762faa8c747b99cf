"""Act: a notice that the charter does not allow now (a suspension, say) is withheld, and staff see that it was."""

from __future__ import annotations

from watchglass.acts.context import Acting, Done, do
from watchglass.acts.notices import Draft, Fate, Notice, the_notice
from watchglass.acts.send_notice import write
from watchglass.acts.settle_notice import settle
from watchglass.charter.model import Charter
from watchglass.records.outbox import Transaction


def withhold_notice(acting: Acting, charter: Charter, draft: Draft, cause: str) -> Done[Notice]:
    """Record that nothing was sent, and why.

    Raises:
        BadInput: this event was decided about already. CannotRecord: it could not be recorded.
    """

    def act(tx: Transaction) -> Notice:
        write(acting, tx, draft)
        settle(acting, tx, charter, draft, Fate.WITHHELD, tries=0, cause=cause, by=None)
        return the_notice(tx, draft.id)

    return do(acting, act)
