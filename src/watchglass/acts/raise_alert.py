"""Act: an incident becomes an alert that waits for a person."""

from __future__ import annotations

import json

from watchglass.acts.alerts import the_alert
from watchglass.acts.charter_text import the_charter
from watchglass.acts.context import Acting, Done, attest, do, same
from watchglass.acts.final_alerts import put_in_order
from watchglass.acts.recalibrate import in_force
from watchglass.acts.source_conditions import failing
from watchglass.charter.permit import Permit, RaiseAlert
from watchglass.core.digest import b64
from watchglass.perception.messages import Incident
from watchglass.quality.recalibration import probability as by_points
from watchglass.quality.seen import seen_of
from watchglass.records.outbox import Transaction
from watchglass.review.model import Alert


def raise_alert(acting: Acting, permit: Permit, new: Incident, *, review_within_ms: int) -> Done[Alert]:
    """Record the alert and put it into the queue, to be decided within ``review_within_ms``.

    Raises:
        CannotRecord: the record could not be written, so there is no alert.
    """
    same(permit.require(RaiseAlert, acting.clock.now()).analytic, new.analytic)

    def act(tx: Transaction) -> Alert:
        score, probability = _per_mille(new.score), _per_mille(new.probability)
        not_met = (each.condition for each in failing(tx, new.source))
        seen = seen_of(new.brightness, new.infrared, new.boxes, not_met)
        learnt = in_force(tx, new.analytic, the_charter(tx, permit.charter))
        if learnt is not None:
            probability = by_points(learnt.points, score)
        leaf_hash = attest(
            acting,
            tx,
            "alert_raised",
            by=None,
            under=permit,
            clear={"analytic": new.analytic, "kind": new.kind},
            committed={
                "alert": new.id,
                "source": new.source,
                "zone": new.zone,
                "score": score,
                "probability": probability,
                "why": new.why,
                "again": None,
                "conditions": seen,
                "calibration": b64(learnt.leaf_hash) if learnt else None,
            },
        )
        now = acting.clock.now()
        tx.insert(
            "alert",
            {
                "id": new.id,
                "source": new.source,
                "analytic": new.analytic,
                "kind": new.kind,
                "zone": new.zone,
                "purpose": permit.purpose,
                "charter": permit.charter,
                "at_ms": new.at_ms,
                "raised_ms": now,
                "score_per_mille": score,
                "probability_per_mille": probability,
                "calibration": learnt.leaf_hash if learnt else None,
                "why": new.why,
                "facts": json.dumps(dict(new.facts)),
                "seen": json.dumps(seen),
                "boxes": json.dumps(new.boxes),
                "still": new.still,
                "state": "waiting",
                "due_ms": now + review_within_ms,
                "leaf_hash": leaf_hash,
            },
        )
        put_in_order(tx, new.id, new.analytic)
        return the_alert(tx, new.id)

    return do(acting, act)


def _per_mille(share: float | None) -> int | None:
    return None if share is None else round(share * 1000)
