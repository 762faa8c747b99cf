"""Act: a person decides what an alert was. A confirmed one is handed to a responder in the same transaction.

While its analytic is on trial nothing is handed over: what people say then shows only how well it works.

Of a first verdict it is drawn here whether another person judges the same incident. What is shown again for that, or as
a check, is decided in the same way and leaves the same record, but is never handed over.
"""

from __future__ import annotations

from typing import Final

from watchglass.access.roles import Grant, May
from watchglass.acts.alerts import standing_verdict, verdict_from
from watchglass.acts.charter_text import the_charter
from watchglass.acts.context import Acting, Done, attest, do, same
from watchglass.acts.judged import stays_with_reviewers
from watchglass.acts.reading import count_waiting
from watchglass.acts.shown import shown_again, the_alert_for
from watchglass.acts.standing import charter_of
from watchglass.charter.permit import Decide, Permit
from watchglass.core.errors import Problem
from watchglass.core.time import iso
from watchglass.records.outbox import Transaction
from watchglass.review.model import UNDO_WINDOW, Alert, Verdict, VerdictValue, check_reason
from watchglass.review.reads import WHOLE, Draw, chance, month_around

RESPONDER_PAGE: Final = "responder-page"
"""How a confirmed alert reaches those who go there."""


def decide_alert(
    acting: Acting,
    grant: Grant,
    permit: Permit,
    alert_id: str,
    value: VerdictValue,
    reason: str = "",
    *,
    over_claim: bool = False,
) -> Done[Verdict]:
    """Record the verdict; with ``confirm``, tell the responder.

    Raises:
        Problem: someone decided before; or someone else has the alert open and ``over_claim`` is not set; or this
            person has judged the same incident before.
        CannotRecord: the record could not be written, so nothing was decided.
    """
    grant.require(May.DECIDE_ALERT)
    asked = permit.require(Decide, acting.clock.now())

    def act(tx: Transaction) -> Verdict:
        alert = the_alert_for(tx, alert_id, grant.person.account)
        same(asked.analytic, alert.analytic)
        _nobody_else(acting, tx, grant, alert, over_claim=over_claim)
        shown = shown_again(tx, alert_id)
        words = check_reason(value, reason)
        now = acting.clock.now()
        kept = stays_with_reviewers(tx, the_charter(tx, alert.charter), alert.analytic)
        hands_over = value is VerdictValue.CONFIRM and shown is None and not kept
        draw = None if shown else _draw(acting, tx, grant, permit)
        leaf_hash = attest(
            acting,
            tx,
            "alert_decided",
            by=grant,
            under=permit,
            committed={
                "alert": alert.id,
                "verdict": value.value,
                "reason": words,
                "handed_to": RESPONDER_PAGE if hands_over else None,
                "read": shown.read if shown else 1,
                "draw": {"number": draw.number, "below": draw.below} if draw else None,
            },
            refs=[alert.leaf_hash],
        )
        waiting = count_waiting(tx)
        tx.execute("UPDATE alert SET state = 'decided', claimed_by = NULL WHERE id = ?", alert.id)
        tx.insert(
            "verdict",
            {
                "alert": alert.id,
                "account": grant.person.account,
                "value": value.value,
                "reason": words,
                "decided_ms": now,
                "final_ms": now + UNDO_WINDOW,
                "leaf_hash": leaf_hash,
                "drawn": draw.number if draw else None,
                "drawn_below": draw.below if draw else None,
                "waiting": waiting,
            },
        )
        if hands_over:
            tx.insert("handover", {"alert": alert.id, "state": "told", "handed_ms": now, "leaf_hash": leaf_hash})
        row = tx.one("SELECT * FROM verdict WHERE alert = ? AND withdrawn_ms IS NULL", alert.id)
        assert row is not None
        return verdict_from(row)

    return do(acting, act)


def _draw(acting: Acting, tx: Transaction, grant: Grant, permit: Permit) -> Draw:
    """Draw whether another person judges it too, with the chance that the charter gives this reviewer's verdict."""
    row = tx.one("SELECT text FROM charter_version WHERE sha256 = ?", permit.charter_sha256)
    assert row is not None
    now = acting.clock.now()
    begin, end = month_around(now)
    before = tx.one(
        "SELECT count(*) AS n FROM verdict WHERE account = ? AND decided_ms >= ? AND decided_ms < ? "
        "AND withdrawn_ms IS NULL AND drawn < drawn_below",
        grant.person.account,
        begin,
        end,
    )
    below = chance(charter_of(bytes(row["text"])).safeguards.review, int(before["n"]) if before else 0, now)
    return Draw(int.from_bytes(acting.entropy.bytes(8)) % WHOLE, below)


def _nobody_else(acting: Acting, tx: Transaction, grant: Grant, alert: Alert, *, over_claim: bool) -> None:
    verdict = standing_verdict(tx, alert.id)
    if verdict is not None:
        mine = verdict.account == grant.person.account
        what = f": {verdict.value}" if mine else ""
        raise Problem(
            f"{'You' if mine else 'Someone else'} decided this alert at {iso(verdict.decided_ms)[11:16]} UTC{what}.",
            fix="Nothing was changed by you. Go on with the next alert.",
        )
    if alert.held_by_other(grant.person.account, acting.clock.now()) and not over_claim:
        raise Problem(
            "Someone else has this alert open right now.",
            fix="Leave it to them, or choose “decide anyway”.",
            claimed=True,
        )
