"""Whether the one who signed may do what the statement says: the grant beside the charter's permit.

Orders to stop, their lifting, resumptions, the enrolment of keys and what oversight says of its audits are not put to
the policies of access: the key of authority or oversight that the charter pins is their whole authority, and no fault
in the policies may keep anybody from stopping anything, or from saying what they found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from watchglass.access.about import About, AboutCase, AboutRequest
from watchglass.access.authorise import authorise
from watchglass.access.policies import policies_of, public_half
from watchglass.access.roles import Grant, May, Signer
from watchglass.acts.cases import case_of
from watchglass.acts.handed import Handed
from watchglass.acts.releases import request_of
from watchglass.core.digest import b64

NEEDS: Final[Mapping[str, May | None]] = {
    "suspension_ordered": None,
    "suspension_lifted": None,
    "resumption_proposed": None,
    "analytic_resumed": None,
    "key_enrolled": None,
    "sealing_key_published": May.PUBLISH_SEALING_KEY,
    "period_destroyed": May.DESTROY_PERIOD,
    "case_opened": May.OPEN_CASE,
    "case_closed": May.CLOSE_CASE,
    "release_requested": May.REQUEST_RELEASE,
    "release_approved": May.APPROVE_RELEASE,
    "release_refused": May.REFUSE_RELEASE,
    "release_taken": May.TAKE_RELEASE,
    "glass_broken": May.BREAK_GLASS,
    "glass_followed_up": May.FOLLOW_UP_GLASS,
    "hold_ordered": May.ORDER_HOLD,
    "hold_kept": May.KEEP_HOLD,
    "hold_lifted": May.LIFT_HOLD,
    "misuse_settled": May.SETTLE_SIGNAL,
    "audit_published": None,
    "challenge_told": None,
}
"""What each signed act needs; None is decided by the pinned key alone."""
_CASE: Final = frozenset({May.OPEN_CASE, May.CLOSE_CASE, May.REQUEST_RELEASE})
_REQUEST: Final = frozenset({May.APPROVE_RELEASE, May.REFUSE_RELEASE, May.TAKE_RELEASE, May.FOLLOW_UP_GLASS})


def allow(handed: Handed) -> Grant | None:
    """The grant of a signed act to its signer, by the policies of the charter in force.

    Raises:
        Refused: no rule permits it, a rule forbids it, or there was no answer.
        KeyError: nobody said what the act needs; a fault of ours, and never a yes.
    """
    what = NEEDS[handed.statement.leaf.act]
    if what is None:
        return None
    about = _about(handed, what)
    now_ms = None if about is None else handed.now
    return authorise(_signer(handed), what, under=policies_of(handed.charter), about=about, now_ms=now_ms)


def _signer(handed: Handed) -> Signer:
    """Who signed: a custodian by the name in the charter that they claim, which the policies hold to the pinned key."""
    role = handed.statement.leaf.role
    claimed = handed.values.get("custodian") or handed.clear.get("custodian")
    return Signer(str(claimed) if claimed and role == "custodian" else handed.person, role, b64(handed.key.public))


def _about(handed: Handed, what: May) -> About | None:
    if what in _CASE:
        case = case_of(handed.tx, str(handed.values["case"]))
        closed = case.closed_ms is not None
        return AboutCase(case.id, case.person, case.authority, case.reason, case.until_ms, closed)
    if what in _REQUEST:
        asked = request_of(handed.tx, str(handed.values["request"]))
        taken = asked.taken is not None
        return AboutRequest(asked.id, asked.person, public_half(asked.vkey), asked.until_ms, asked.glass, taken)
    return None
