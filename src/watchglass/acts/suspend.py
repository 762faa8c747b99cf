"""Acts: oversight orders everything, or one analytic, to stop; later lets it run again. And the house obeys."""

from __future__ import annotations

from watchglass.acts.context import Acting, Done, attest, do
from watchglass.acts.handed import Handed
from watchglass.charter.model import Charter
from watchglass.core.digest import b64
from watchglass.core.errors import DidNotVerify, Problem, Refused
from watchglass.records.outbox import Transaction


def suspend(handed: Handed) -> None:
    """Stop it from this moment on; no witness is waited for."""
    _may_suspend(handed.charter)
    scope, analytic = handed.clear["scope"], handed.clear["analytic"]
    if analytic is not None:
        handed.charter.analytic(analytic)
    row = {"leaf_hash": handed.leaf_hash, "scope": scope, "analytic": analytic, "ordered_ms": handed.now}
    handed.tx.insert("suspension", row)


def lift(handed: Handed) -> None:
    """Let it run again, once witnesses have cosigned this."""
    _may_suspend(handed.charter)
    order = handed.statement.leaf.refs[0]
    row = handed.tx.one("SELECT * FROM suspension WHERE leaf_hash = ?", order)
    if row is None:
        raise Problem(
            "There is no such suspension.",
            fix="Fetch the standing again; it lists what is suspended.",
            order=b64(order),
        )
    if row["lifted_leaf_hash"] is not None:
        raise Problem("This suspension was lifted before.", fix="Nothing more needs to be done.")
    if (row["scope"], row["analytic"]) != (handed.clear["scope"], handed.clear["analytic"]):
        raise DidNotVerify("What is lifted is not what was suspended.", fix="Lift each suspension with its own scope.")
    handed.tx.execute(
        "UPDATE suspension SET lifted_leaf_hash = ?, lifted_ms = ? WHERE leaf_hash = ?",
        handed.leaf_hash,
        handed.now,
        order,
    )


def note_obeyed(acting: Acting, charter: Charter, order: bytes, *, within_ms: int) -> Done[None]:
    """Record that what a suspension named no longer runs anywhere, and how long that took."""

    def act(tx: Transaction) -> None:
        row = tx.one("SELECT scope, analytic FROM suspension WHERE leaf_hash = ? AND obeyed_ms IS NULL", order)
        if row is None:
            return
        attest(
            acting,
            tx,
            "suspension_obeyed",
            by=None,
            under=charter,
            clear={"scope": row["scope"], "analytic": row["analytic"], "within_ms": within_ms},
            refs=[order],
        )
        tx.execute("UPDATE suspension SET obeyed_ms = ? WHERE leaf_hash = ?", acting.clock.now(), order)

    return do(acting, act)


def _may_suspend(charter: Charter) -> None:
    if "suspend" not in charter.oversight.may:
        raise Refused(
            "The charter does not let oversight suspend.", fix="`oversight.may` in the charter names what it may do."
        )
