"""Act: parts of a published backdrop that have changed, and saw no motion for 30 minutes, are shown as they are now."""

from __future__ import annotations

from watchglass.acts.confirm_backdrop import confirmed, withdraw
from watchglass.acts.context import Acting, Done, attest, do, same
from watchglass.charter.permit import LookAt, Permit
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import Problem
from watchglass.perception.messages import BackdropRenewal
from watchglass.records.outbox import Transaction


def renew_backdrop(acting: Acting, permit: Permit, new: BackdropRenewal) -> Done[int]:
    """Let the renewed picture be the backdrop of its view; when an operator confirmed it stays as it is.

    Returns:
        The backdrop's number.

    Raises:
        Problem: the picture that was renewed stands no longer: an operator has withdrawn or replaced it.
        CannotRecord: the record could not be written, so nothing is renewed.
    """
    same(permit.require(LookAt, acting.clock.now()).source, new.source)

    def act(tx: Transaction) -> int:
        standing = confirmed(tx, new.source, new.scene)
        if standing is None or sha256(standing.png) != new.base_sha256:
            raise Problem(
                "The backdrop that was to be renewed does not stand any more.",
                fix="Nothing: it is compared with the one that stands, and renewed when that is due.",
            )
        attest(
            acting,
            tx,
            "backdrop_renewed",
            by=None,
            under=permit,
            clear={"source": new.source},
            committed={
                "scene": new.scene,
                "before_sha256": b64(new.base_sha256),
                "picture_sha256": b64(sha256(new.png)),
                "blocks": new.blocks,
            },
        )
        now = acting.clock.now()
        account = tx.one("SELECT account FROM backdrop WHERE id = ?", standing.id)
        withdraw(tx, new.source, new.scene, now)
        return tx.insert(
            "backdrop",
            {
                "source": new.source,
                "scene": new.scene,
                "png": new.png,
                "made_ms": now,
                "confirmed_ms": standing.confirmed_ms,
                "account": account["account"] if account else None,
            },
        )

    return do(acting, act)
