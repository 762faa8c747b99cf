"""Acts: an operator confirms that nobody is in the empty scene, or takes it back."""

from __future__ import annotations

from watchglass.access.roles import Grant, May
from watchglass.acts.context import Acting, Done, attest, do, same
from watchglass.charter.permit import ConfirmBackdrop, Permit
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import Problem
from watchglass.records.outbox import Reader, Transaction


def confirm_backdrop(acting: Acting, grant: Grant, permit: Permit, source: str, png: bytes) -> Done[int]:
    """Let ``png`` be the source's backdrop from now on; the one before it is withdrawn.

    Returns:
        The backdrop's number.
    """
    grant.require(May.CONFIRM_BACKDROP)
    same(permit.require(ConfirmBackdrop, acting.clock.now()).source, source)

    def act(tx: Transaction) -> int:
        now = acting.clock.now()
        attest(
            acting,
            tx,
            "backdrop_confirmed",
            by=grant,
            under=permit,
            clear={"source": source},
            committed={"picture_sha256": b64(sha256(png))},
        )
        _withdraw(tx, source, now)
        return tx.insert(
            "backdrop",
            {"source": source, "png": png, "made_ms": now, "confirmed_ms": now, "account": grant.person.account},
        )

    return do(acting, act)


def withdraw_backdrop(acting: Acting, grant: Grant, permit: Permit, source: str) -> Done[None]:
    """The public view of ``source`` is grey again until somebody confirms a new backdrop."""
    grant.require(May.CONFIRM_BACKDROP)
    same(permit.require(ConfirmBackdrop, acting.clock.now()).source, source)

    def act(tx: Transaction) -> None:
        standing = confirmed(tx, source)
        if standing is None:
            raise Problem("No backdrop stands for this source.", fix="Nothing needs to be withdrawn; the view is grey.")
        attest(
            acting,
            tx,
            "backdrop_withdrawn",
            by=grant,
            under=permit,
            clear={"source": source},
            committed={"picture_sha256": b64(sha256(standing[1]))},
        )
        _withdraw(tx, source, acting.clock.now())

    return do(acting, act)


def _withdraw(tx: Transaction, source: str, now: int) -> None:
    tx.execute("UPDATE backdrop SET withdrawn_ms = ?, png = x'' WHERE source = ? AND withdrawn_ms IS NULL", now, source)


def confirmed(reader: Reader, source: str) -> tuple[int, bytes] | None:
    """The backdrop that stands for ``source``: its number and its PNG."""
    row = reader.one(
        "SELECT id, png FROM backdrop WHERE source = ? AND confirmed_ms IS NOT NULL AND withdrawn_ms IS NULL "
        "ORDER BY id DESC LIMIT 1",
        source,
    )
    return (int(row["id"]), bytes(row["png"])) if row else None
