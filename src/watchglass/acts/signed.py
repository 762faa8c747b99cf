"""Acts that arrive signed from a person's own machine. The server verifies, does, and records; it cannot make them.

What stands is read anew inside the transaction that does the act, so that an order to stop or a new charter that came a
moment before counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from watchglass.acts import break_glass, cases, enrol, holds, misuse, releases, resume, sealing_keys, suspend, watchers
from watchglass.acts.at_once import check_clock, stands_now
from watchglass.acts.context import Acting, Done, do
from watchglass.acts.handed import Handed, keys_of, person_of
from watchglass.acts.releases import deny
from watchglass.acts.who_signed import allow
from watchglass.charter.decide import Standing
from watchglass.core.errors import BadInput, DidNotVerify, Problem, Refused, WatchglassError
from watchglass.records.outbox import Transaction
from watchglass.records.statement import SignedStatement, check_hour, verify

_Handler = Callable[[Handed], None]
_HANDLERS: Final[Mapping[str, _Handler]] = {
    "suspension_ordered": suspend.suspend,
    "suspension_lifted": suspend.lift,
    "resumption_proposed": resume.propose,
    "analytic_resumed": resume.resume,
    "key_enrolled": enrol.enrol,
    "sealing_key_published": sealing_keys.publish,
    "period_destroyed": sealing_keys.destroy_period,
    "case_opened": cases.open_case,
    "case_closed": cases.close_case,
    "release_requested": releases.request,
    "release_approved": releases.approve,
    "release_refused": releases.refuse,
    "release_taken": releases.take,
    "glass_broken": break_glass.break_glass,
    "glass_followed_up": break_glass.follow_up,
    "hold_ordered": holds.order,
    "hold_kept": holds.keep,
    "hold_lifted": holds.lift,
    "misuse_settled": misuse.settle,
    "audit_published": watchers.publish_audit,
    "challenge_told": watchers.tell_challenge,
}
_ASKING: Final = frozenset({"release_requested", "glass_broken"})
"""Who asks for originals in vain leaves a record of it."""
_DISCLOSING: Final = _ASKING | {"release_approved", "release_taken"}
"""What leads to originals being opened: not by a clock that was set back. Nothing that stops or keeps is among it."""


def accept(
    acting: Acting,
    standing: Standing,
    statement: SignedStatement,
    *,
    cosigned_size: int,
    bundle: bytes | None = None,
    lodged_ms: int | None = None,
) -> Done[bytes]:
    """Verify a statement against the keys that may speak for its role, do what it says, and record it.

    Args:
        cosigned_size: how many entries the last witness-cosigned checkpoint covers (law 12).
        bundle: the re-sealed shares that come with an approval or a hold.
        lodged_ms: when a witness got it, by its receipt, where it was lodged there: it must have been signed then. The
            house may have been away since.

    Returns:
        The leaf hash of its record.

    Raises:
        DidNotVerify: wrong key, wrong signature, another log, another charter, or an hour that is not now.
        Refused: the charter does not give this right. A request for originals that is refused is recorded as such.
        Problem: it was accepted before, or what it refers to is not there.
    """
    charter = standing.charter
    if charter is None:
        raise Refused("There is no charter yet, so no key is pinned.", fix="Publish a charter first.")
    act, role = statement.leaf.act, statement.leaf.role
    handler = _HANDLERS.get(act)
    if handler is None:
        raise BadInput(
            f"“{act}” is not accepted here.",
            fix=f"These are: {', '.join(_HANDLERS)}. Approvals of charters go to `watchglass charter publish`.",
        )
    now = acting.clock.now()
    keys = keys_of(acting, charter, role)
    values = verify(statement, origin=acting.origin, keys={role: keys})
    check_hour(statement, now=now if lodged_ms is None else lodged_ms)
    if statement.leaf.charter != charter.sha256:
        raise _another_charter()

    def do_it(tx: Transaction) -> bytes:
        stands = stands_now(tx, standing, cosigned_size=cosigned_size, now_ms=now)
        if stands.charter is None or stands.charter.sha256 != charter.sha256:
            raise _another_charter()
        leaf = acting.recorder.signed(statement)
        seen = tx.one(
            "SELECT 1 FROM entry WHERE leaf_hash = ? UNION SELECT 1 FROM outbox WHERE leaf_hash = ?",
            leaf.leaf_hash,
            leaf.leaf_hash,
        )
        if seen or tx.one("SELECT 1 FROM statement WHERE sig = ?", statement.signature.sig):
            raise Problem("This statement was accepted before, or turned away.", fix="Nothing more needs to be done.")
        if act in _DISCLOSING:
            check_clock(tx, now)
        tx.insert("statement", {"sig": statement.signature.sig, "accepted_ms": now})
        tx.record(leaf)
        handed = Handed(acting, tx, stands, charter, statement, values, leaf.leaf_hash, cosigned_size, bundle)
        handler(handed)
        allow(handed)  # last, since the act's own checks say more exactly why not; what is refused here never happened
        return leaf.leaf_hash

    try:
        return do(acting, do_it)
    except WatchglassError as error:
        if act in _ASKING and isinstance(error, Refused | Problem | BadInput):
            deny(acting, charter, statement, values, person_of(acting.store.read(), statement), error)
        raise


def _another_charter() -> DidNotVerify:
    return DidNotVerify(
        "This was signed under another charter than the one in force.",
        fix="Fetch the standing again and sign once more: the command does both.",
    )
