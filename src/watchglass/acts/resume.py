"""Acts: the authority proposes that an analytic may run again that its limit had stopped; oversight lets it.

It takes both, each with their own key: who runs it states what was changed, who watches over it signs that this is
enough. It begins on trial, once witnesses have cosigned oversight's signature (law 12; ``acts.judge``).
"""

from __future__ import annotations

from watchglass.acts.handed import Handed
from watchglass.acts.judged import Stop, stops
from watchglass.charter.limits import AGAIN_WITHIN_MS
from watchglass.core.digest import b64
from watchglass.core.errors import DidNotVerify, Problem, Refused
from watchglass.quality.states import needs_new_charter


def propose(handed: Handed) -> None:
    """Keep what the authority says was changed."""
    stop = _the_stop(handed)
    _new_charter(handed, stop)
    row = {
        "leaf_hash": handed.leaf_hash,
        "stop": stop.leaf_hash,
        "what_changed": handed.values["what_changed"],
        "proposed_ms": handed.now,
    }
    handed.tx.insert("resumption", row)


def resume(handed: Handed) -> None:
    """Let it run again, on trial, once witnesses have cosigned this."""
    stop = _the_stop(handed)
    _new_charter(handed, stop)
    proposal = handed.statement.leaf.refs[1]
    row = handed.tx.one("SELECT stop FROM resumption WHERE leaf_hash = ?", proposal)
    if row is None or bytes(row["stop"]) != stop.leaf_hash:
        raise Problem(
            "Nobody has proposed this resumption.",
            fix="First the authority states what was changed: `watchglass quality propose-resumption`.",
            proposal=b64(proposal),
        )
    handed.tx.execute(
        "UPDATE limit_stop SET resumed = ?, resumed_ms = ? WHERE leaf_hash = ?",
        handed.leaf_hash,
        handed.now,
        stop.leaf_hash,
    )


def _the_stop(handed: Handed) -> Stop:
    """The stop that the statement is about, if it holds and nobody has ended it.

    Raises:
        Problem: there is none. DidNotVerify: the statement names another analytic.
    """
    leaf = handed.statement.leaf.refs[0]
    stop = next((each for each in stops(handed.tx) if each.leaf_hash == leaf), None)
    if stop is None or stop.over_ms is not None:
        raise Problem(
            "No limit stops an analytic with that record.",
            fix="Fetch the standing again; it lists what is stopped.",
            stop=b64(leaf),
        )
    if stop.resumed is not None:
        raise Problem("Oversight has let this analytic run again already.", fix="Nothing more needs to be done.")
    if stop.analytic != handed.clear["analytic"]:
        raise DidNotVerify(
            "What is resumed is not what was stopped.", fix="Sign with the name of the analytic that was stopped."
        )
    return stop


def _new_charter(handed: Handed, stop: Stop) -> None:
    """A second stop soon after the first needs another charter, not another promise.

    Raises:
        Refused: the charter is still the one under which it was stopped.
    """
    earlier = [each.stopped_ms for each in stops(handed.tx, stop.analytic) if each.stopped_ms < stop.stopped_ms]
    again = needs_new_charter(stop.stopped_ms, max(earlier, default=None))
    if again and handed.charter.version <= stop.version:
        days = AGAIN_WITHIN_MS // 86_400_000
        raise Refused(
            f"{stop.analytic!r} was stopped by its limits twice within {days} days: only a new version of the charter "
            "lets it run again.",
            fix="Change the analytic or its limits in the charter, have both sign it, publish it, and propose again.",
        )
