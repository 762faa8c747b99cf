"""Acts that arrive signed from a person's own machine: suspend, resume, enrol a key. The server cannot make them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from watchglass.acts.context import Acting, Done, attest, do
from watchglass.charter.decide import Standing
from watchglass.charter.model import Charter
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, DidNotVerify, Problem, Refused
from watchglass.core.time import month_of
from watchglass.ledger.keys import VerifierKey
from watchglass.records.outbox import Transaction
from watchglass.records.statement import SignedStatement, check_hour, verify


def accept(acting: Acting, standing: Standing, statement: SignedStatement) -> Done[bytes]:
    """Verify a statement against the keys that the charter pins, do what it says, and record it.

    Returns:
        The leaf hash of its record.

    Raises:
        DidNotVerify: wrong key, wrong signature, another log, another charter, or an hour that is not now.
        Refused: the charter does not give oversight this right.
        Problem: it was accepted before, or what it refers to is not there.
    """
    charter = standing.charter
    if charter is None:
        raise Refused("There is no charter yet, so no key is pinned.", fix="Publish a charter first.")
    handler = _HANDLERS.get(statement.leaf.act)
    if handler is None:
        raise BadInput(
            f"“{statement.leaf.act}” is not accepted here.",
            fix=f"These are: {', '.join(_HANDLERS)}. Approvals go to `watchglass charter publish`.",
        )
    keys = {"oversight": [VerifierKey.parse(charter.oversight.key)]}
    values = verify(statement, origin=acting.origin, keys=keys)
    check_hour(statement, now=acting.clock.now())
    if statement.leaf.charter != charter.sha256:
        raise DidNotVerify(
            "This was signed under another charter than the one in force.",
            fix="Fetch the standing again and sign once more: the command does both.",
        )

    def act(tx: Transaction) -> bytes:
        leaf = acting.recorder.signed(statement)
        seen = tx.one(
            "SELECT 1 FROM entry WHERE leaf_hash = ? UNION SELECT 1 FROM outbox WHERE leaf_hash = ?",
            leaf.leaf_hash,
            leaf.leaf_hash,
        )
        if seen or tx.one("SELECT 1 FROM statement WHERE sig = ?", statement.signature.sig):
            raise Problem("This statement was accepted before.", fix="Nothing more needs to be done.")
        tx.insert("statement", {"sig": statement.signature.sig, "accepted_ms": acting.clock.now()})
        tx.record(leaf)
        handler(acting, tx, charter, statement, values, leaf.leaf_hash)
        return leaf.leaf_hash

    return do(acting, act)


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


def _suspend(
    acting: Acting,
    tx: Transaction,
    charter: Charter,
    statement: SignedStatement,
    _values: Mapping[str, object],
    leaf_hash: bytes,
) -> None:
    _may(charter, "suspend")
    scope, analytic = statement.leaf.clear["scope"], statement.leaf.clear["analytic"]
    if analytic is not None:
        charter.analytic(analytic)
    tx.insert(
        "suspension",
        {"leaf_hash": leaf_hash, "scope": scope, "analytic": analytic, "ordered_ms": acting.clock.now()},
    )


def _lift(
    acting: Acting,
    tx: Transaction,
    charter: Charter,
    statement: SignedStatement,
    _values: Mapping[str, object],
    leaf_hash: bytes,
) -> None:
    _may(charter, "suspend")
    order = statement.leaf.refs[0]
    row = tx.one("SELECT * FROM suspension WHERE leaf_hash = ?", order)
    if row is None:
        raise Problem(
            "There is no such suspension.",
            fix="Fetch the standing again; it lists what is suspended.",
            order=b64(order),
        )
    if row["lifted_leaf_hash"] is not None:
        raise Problem("This suspension was lifted before.", fix="Nothing more needs to be done.")
    if (row["scope"], row["analytic"]) != (statement.leaf.clear["scope"], statement.leaf.clear["analytic"]):
        raise DidNotVerify("What is lifted is not what was suspended.", fix="Lift each suspension with its own scope.")
    tx.execute(
        "UPDATE suspension SET lifted_leaf_hash = ?, lifted_ms = ? WHERE leaf_hash = ?",
        leaf_hash,
        acting.clock.now(),
        order,
    )


def _enrol(
    acting: Acting,
    tx: Transaction,
    _charter: Charter,
    statement: SignedStatement,
    values: Mapping[str, object],
    leaf_hash: bytes,
) -> None:
    clear = statement.leaf.clear
    if clear["month"] < month_of(acting.clock.now()):
        raise Problem("That month is over.", fix="Enrol the key for this month or a later one.")
    VerifierKey.parse(clear["vkey"])
    person, month = str(values["person"]), clear["month"]
    taken = tx.one(
        "SELECT 1 FROM enrolled_key WHERE vkey = ? OR (person = ? AND month = ?)", clear["vkey"], person, month
    )
    if taken:
        raise Problem(
            "This key, or this person for that month, is enrolled already.",
            fix="One person has one key a month: enrol another month, or another person with a key of their own.",
        )
    tx.insert(
        "enrolled_key",
        {
            "vkey": clear["vkey"],
            "role": clear["enrolled_role"],
            "month": month,
            "person": person,
            "leaf_hash": leaf_hash,
        },
    )


def _may(charter: Charter, what: str) -> None:
    if what not in charter.oversight.may:
        raise Refused(
            f"The charter does not let oversight {what}.", fix="`oversight.may` in the charter names what it may do."
        )


_Handler = Callable[[Acting, Transaction, Charter, SignedStatement, Mapping[str, object], bytes], None]
_HANDLERS: Mapping[str, _Handler] = {
    "suspension_ordered": _suspend,
    "suspension_lifted": _lift,
    "key_enrolled": _enrol,
}
