"""Roles, and the one table of what each may do. Deny by default: what is not listed is refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from watchglass.core.errors import Refused


class Role(StrEnum):
    """The parts that people play. ``PUBLIC`` is everyone, signed in or not."""

    PUBLIC = "public"
    REVIEWER = "reviewer"
    RESPONDER = "responder"
    SHIFT_LEAD = "shift-lead"
    OPERATOR = "operator"
    CUSTODIAN = "custodian"
    PRIVACY_OFFICER = "privacy-officer"
    ANALYST = "analyst"
    CLERK = "clerk"
    OVERSIGHT = "oversight"
    ADMINISTRATOR = "administrator"


class May(StrEnum):
    """What a person may be allowed to do in the portal. Anything that shows a picture of a scene says so."""

    SEE_PUBLIC = "see-public"
    SEE_QUEUE = "see-queue"
    SEE_CLIP = "see-clip"  # mosaicked pictures
    DECIDE_ALERT = "decide-alert"
    RESPOND = "respond"
    SETTLE_NOTICES = "settle-notices"
    SEE_SOURCES = "see-sources"
    CONFIRM_BACKDROP = "confirm-backdrop"  # a picture of a scene believed to be empty
    EDIT_DRAFT = "edit-draft"  # of the charter; draws on the confirmed empty scene
    SEE_STAFF_FIGURES = "see-staff-figures"
    SEE_EVERYTHING_DONE = "see-everything-done"
    TAKE_OPENINGS = "take-openings"
    PREPARE_SUSPENSION = "prepare-suspension"
    MANAGE_ACCOUNTS = "manage-accounts"
    SEE_SYSTEM_HEALTH = "see-system-health"


GRANTS: Final[dict[Role, frozenset[May]]] = {
    Role.PUBLIC: frozenset({May.SEE_PUBLIC}),
    Role.REVIEWER: frozenset({May.SEE_QUEUE, May.SEE_CLIP, May.DECIDE_ALERT}),
    Role.RESPONDER: frozenset({May.RESPOND}),
    Role.SHIFT_LEAD: frozenset(
        {
            May.SEE_QUEUE,
            May.SEE_CLIP,
            May.DECIDE_ALERT,
            May.SETTLE_NOTICES,
            May.SEE_STAFF_FIGURES,
            May.SEE_SOURCES,
            May.SEE_SYSTEM_HEALTH,
        }
    ),
    Role.OPERATOR: frozenset(
        {May.SEE_SOURCES, May.CONFIRM_BACKDROP, May.EDIT_DRAFT, May.SETTLE_NOTICES, May.SEE_SYSTEM_HEALTH}
    ),
    Role.CUSTODIAN: frozenset(),
    Role.PRIVACY_OFFICER: frozenset({May.SEE_STAFF_FIGURES}),
    Role.ANALYST: frozenset(),
    Role.CLERK: frozenset(),
    Role.OVERSIGHT: frozenset(
        {May.SEE_EVERYTHING_DONE, May.TAKE_OPENINGS, May.PREPARE_SUSPENSION, May.SEE_SOURCES, May.SEE_SYSTEM_HEALTH}
    ),
    Role.ADMINISTRATOR: frozenset({May.MANAGE_ACCOUNTS, May.SEE_SYSTEM_HEALTH}),
}

_TOKEN: Final = object()


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in account. ``pseudonym`` is what public leaves call this person this month."""

    account: int
    name: str
    roles: frozenset[Role]

    def may(self, what: May) -> bool:
        return any(what in GRANTS[role] for role in self.roles | {Role.PUBLIC})


class Grant:
    """The answer that a person may do something, and in which role. Only ``authorise`` makes one."""

    __slots__ = ("person", "role", "what")

    def __init__(self, person: Person, role: Role, what: May, *, token: object) -> None:
        if token is not _TOKEN:
            raise TypeError("a Grant comes from access.roles.authorise only")
        self.person = person
        self.role = role
        self.what = what

    def require(self, what: May) -> None:
        """Check that this grant is of ``what``; otherwise an act would be open to all who may do something else.

        Raises:
            Refused: it was given for something else.
        """
        if self.what is not what:
            raise Refused(f"This grant is of {self.what}, not of {what}.", fix="Ask for the right to do this act.")


def authorise(person: Person | None, what: May) -> Grant:
    """The grant of ``what`` to ``person``.

    Raises:
        Refused: none of the person's roles may do this.
    """
    if person is not None:
        for role in Role:
            if role in person.roles and what in GRANTS[role]:
                return Grant(person, role, what, token=_TOKEN)
    needed = ", ".join(role for role in Role if what in GRANTS[role])
    raise Refused(
        f"Your account may not do this ({what}).",
        fix=f"It needs one of these roles: {needed}. Ask the administrator, who must record the change.",
    )
