"""Acts: an operator confirms that nobody is in the empty scene, or takes it back."""

from __future__ import annotations

from dataclasses import dataclass

from watchglass.access.roles import Grant, May
from watchglass.acts.context import Acting, Done, attest, do, same
from watchglass.charter.permit import ConfirmBackdrop, Permit
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import Problem
from watchglass.records.outbox import Reader, Transaction
from watchglass.views.scenes import DAY


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The backdrop that stands for one view of a source.

    Attributes:
        confirmed_ms: when an operator confirmed it; made_ms: when it last changed (later, if blocks were renewed).
    """

    id: int
    scene: str
    png: bytes
    confirmed_ms: int
    made_ms: int


def confirm_backdrop(
    acting: Acting, grant: Grant, permit: Permit, source: str, png: bytes, scene: str = DAY
) -> Done[int]:
    """Let ``png`` be the backdrop of one view of ``source`` from now on; the one before it is withdrawn.

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
            committed={"scene": scene, "picture_sha256": b64(sha256(png))},
        )
        withdraw(tx, source, scene, now)
        return tx.insert(
            "backdrop",
            {
                "source": source,
                "scene": scene,
                "png": png,
                "made_ms": now,
                "confirmed_ms": now,
                "account": grant.person.account,
            },
        )

    return do(acting, act)


def withdraw_backdrop(acting: Acting, grant: Grant, permit: Permit, source: str, scene: str = DAY) -> Done[None]:
    """One view of ``source`` is shown grey again until somebody confirms a new backdrop of it."""
    grant.require(May.CONFIRM_BACKDROP)
    same(permit.require(ConfirmBackdrop, acting.clock.now()).source, source)

    def act(tx: Transaction) -> None:
        standing = confirmed(tx, source, scene)
        if standing is None:
            raise Problem(
                "No backdrop stands for this view of the source.",
                fix="Nothing needs to be withdrawn; the view is grey.",
            )
        attest(
            acting,
            tx,
            "backdrop_withdrawn",
            by=grant,
            under=permit,
            clear={"source": source},
            committed={"scene": scene, "picture_sha256": b64(sha256(standing.png))},
        )
        withdraw(tx, source, scene, acting.clock.now())

    return do(acting, act)


def withdraw(tx: Transaction, source: str, scene: str, now: int) -> None:
    """Let no backdrop stand for this view, and keep its picture no longer; part of an act that says so."""
    tx.execute(
        "UPDATE backdrop SET withdrawn_ms = ?, png = x'' WHERE source = ? AND scene = ? AND withdrawn_ms IS NULL",
        now,
        source,
        scene,
    )


def confirmed(reader: Reader, source: str, scene: str | None = None) -> Confirmed | None:
    """The backdrop that stands for one view of ``source``; without a ``scene`` that of the view confirmed first."""
    return next((each for each in all_confirmed(reader, source) if scene in (None, each.scene)), None)


def all_confirmed(reader: Reader, source: str) -> tuple[Confirmed, ...]:
    """The backdrops that stand for the views of ``source``, the daylight's first."""
    rows = reader.all(
        "SELECT id, scene, png, confirmed_ms, made_ms FROM backdrop "
        "WHERE source = ? AND confirmed_ms IS NOT NULL AND withdrawn_ms IS NULL "
        "ORDER BY scene <> 'day', confirmed_ms, id",
        source,
    )
    return tuple(
        Confirmed(int(row["id"]), row["scene"], bytes(row["png"]), row["confirmed_ms"], row["made_ms"]) for row in rows
    )
