"""Acts: somebody opens originals at once by the charter's emergency rule, and later says what for."""

from __future__ import annotations

from watchglass.acts.handed import Handed
from watchglass.acts.releases import insert, request_of
from watchglass.acts.segments import segments_in
from watchglass.charter.decide import decide
from watchglass.charter.permit import BreakGlass
from watchglass.core.errors import DidNotVerify, Problem, Refused
from watchglass.core.time import HOUR, SECOND

OPEN_MS = HOUR
"""For how long the house hands out what a broken glass opened."""
_SOME = 30 * SECOND


def break_glass(handed: Handed) -> None:
    """Open at once, without custodians and without waiting for a witness, because the charter says so and how far."""
    values, role = handed.values, handed.statement.leaf.role
    purpose = str(handed.statement.leaf.purpose)
    asked = BreakGlass(values["source"], purpose, values["from_ms"], values["to_ms"], role)
    decide(handed.standing, asked, handed.now)
    release = handed.charter.safeguards.release
    assert release is not None
    assert release.break_glass is not None
    due = handed.now + release.break_glass.follow_up_ms
    if not handed.now < values["follow_up_by_ms"] <= due + _SOME:
        raise Refused(
            f"Whoever breaks the glass explains it within {release.break_glass.follow_up_ms // SECOND} s.",
            fix="Try again; the command reckons the end from the charter.",
        )
    kept = segments_in(handed.tx, values["source"], values["from_ms"], values["to_ms"], purpose=purpose)
    openable = [segment for segment in kept if segment.read_header().break_glass is not None]
    if not openable:
        raise Refused(
            "Nothing of this source and time can be opened by the emergency rule.",
            fix="Request a release from the custodians: `watchglass case request`.",
        )
    insert(handed, case_id=None, recipient=None, until_ms=handed.now + OPEN_MS)


def follow_up(handed: Handed) -> None:
    """Say what was seen and done. Late is better than never; oversight sees how late."""
    used = request_of(handed.tx, str(handed.values["request"]))
    if not used.glass or used.leaf_hash != handed.statement.leaf.refs[0]:
        raise DidNotVerify("This follows up nothing that was opened in an emergency.", fix="Fetch the list again.")
    if used.vkey != handed.statement.signature.vkey and used.person != handed.person:
        raise Refused("Somebody else broke this glass.", fix="Let them explain it themselves.")
    if used.followed_ms is not None:
        raise Problem("This was explained before.", fix="Nothing more needs to be done.")
    handed.tx.execute("UPDATE release_request SET followed_ms = ? WHERE id = ?", handed.now, used.id)
