"""Whether the one who signed a question may read what it asks for: put to the policies of the charter in force.

Whatever is asked here is decided twice: by what the question itself checks, which says more exactly why not, and by
the policies, as with signed acts. A question that has no line in ``QUESTIONS`` is answered to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from watchglass.access.about import About
from watchglass.access.authorise import authorise
from watchglass.access.policies import policies_of
from watchglass.access.roles import AUTHORITY, Grant, May, Role, Signer
from watchglass.charter.model import Charter
from watchglass.core.digest import b64
from watchglass.core.errors import Refused
from watchglass.ledger.keys import VerifierKey

QUESTIONS: Final[Mapping[str, May]] = {
    "inbox": May.READ_INBOX,
    "segments": May.READ_SHARES,
    "cases": May.READ_OWN_CASES,
    "release": May.FETCH_RELEASE,
    "segment": May.FETCH_RELEASE,
    "office": May.READ_OFFICE,
    "draft": May.READ_DRAFT,
    "openings": May.FETCH_OPENINGS,
}
"""What each signed question needs."""


def allow_question(
    charter: Charter, what: str, who: Signer, *, about: About | None = None, now_ms: int | None = None
) -> Grant:
    """The grant of a question to its signer, by the policies of the charter in force.

    Args:
        about, now_ms: the request or the order to keep that is asked about, and the house's time; both or neither.

    Raises:
        Refused: no rule permits it, a rule forbids it, or there was no answer.
        KeyError: nobody said what the question needs; a fault of ours, and never a yes.
    """
    return authorise(who, QUESTIONS[what], under=policies_of(charter), about=about, now_ms=now_ms)


def office_of(charter: Charter, key: VerifierKey) -> Signer:
    """Authority or oversight, whichever of them the charter pins this key for.

    Raises:
        Refused: neither.
    """
    for role, pinned in ((Role.OVERSIGHT, charter.oversight.key), (AUTHORITY, charter.authority.key)):
        if VerifierKey.parse(pinned).public == key.public:
            return Signer(key.name, role, b64(key.public))
    raise not_yours()


def not_yours() -> Refused:
    """The refusal of a question by a key that may not read that."""
    return Refused(
        "Your key may not read this.",
        fix="Ask with the key that the charter pins, or that oversight enrolled for this month.",
    )
