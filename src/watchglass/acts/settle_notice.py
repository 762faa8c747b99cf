"""Act: what became of a notice is recorded, once; the attempts before are not."""

from __future__ import annotations

from typing import Final

from watchglass.access.roles import Grant
from watchglass.acts.context import Acting, Done, attest, do
from watchglass.acts.notices import Draft, Fate, Notice, the_notice
from watchglass.charter.model import Charter
from watchglass.records.outbox import Transaction

_LONGEST_CAUSE: Final = 500


def settle_notice(
    acting: Acting, charter: Charter, notice_id: str, fate: Fate, *, tries: int, cause: str = ""
) -> Done[Notice]:
    """Record the fate of a notice that waits; one that a person settled meanwhile stays as it is.

    Raises:
        CannotRecord: it could not be recorded; the notice still waits, and may be sent once more.
    """

    def act(tx: Transaction) -> Notice:
        notice = the_notice(tx, notice_id)
        if notice.outcome is None:
            settle(acting, tx, charter, notice, fate, tries=tries, cause=cause, by=None)
        return the_notice(tx, notice_id)

    return do(acting, act)


def settle(
    acting: Acting,
    tx: Transaction,
    charter: Charter,
    notice: Notice | Draft,
    fate: Fate,
    *,
    tries: int,
    cause: str,
    by: Grant | None,
) -> None:
    """Write the record of a fate, and the fate into the notice's row if there is one."""
    cause = cause[:_LONGEST_CAUSE]
    committed: dict[str, object] = {
        "notice": notice.id,
        "alert": notice.alert,
        "destination": notice.destination,
        "outcome": fate.value,
        "tries": tries,
        "cause": cause,
    }
    if by is None:
        committed["account"] = None
    attest(acting, tx, "notice_settled", by=by, under=charter, committed=committed)
    tx.execute(
        "UPDATE notice SET outcome = ?, settled_ms = ?, tries = ?, cause = ? WHERE id = ?",
        fate.value,
        acting.clock.now(),
        tries,
        cause,
        notice.id,
    )
