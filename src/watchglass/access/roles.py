"""Roles, what each may do, and the ``Grant`` that only ``authorise`` gives. What is not listed is refused.

``policies`` compiles the table here into Cedar; nothing in the house decides by it directly.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from enum import StrEnum
from typing import Final, NoReturn

from watchglass.core.digest import b64
from watchglass.core.errors import Refused


class Role(StrEnum):
    """The parts that people play. ``PUBLIC`` is everyone, signed in or not."""

    PUBLIC = "public"
    REVIEWER = "reviewer"
    RESPONDER = "responder"
    SHIFT_LEAD = "shift-lead"
    OPERATOR = "operator"
    CUSTODIAN = "custodian"
    INVESTIGATOR = "investigator"
    PRIVACY_OFFICER = "privacy-officer"
    ANALYST = "analyst"
    CLERK = "clerk"
    OVERSIGHT = "oversight"
    ADMINISTRATOR = "administrator"


class May(StrEnum):
    """What somebody may be allowed to do. Anything that shows a picture of a scene says so."""

    SEE_PUBLIC = "see-public"
    KEEP_OWN_ACCOUNT = "keep-own-account"
    SEE_QUEUE = "see-queue"
    SEE_CLIP = "see-clip"  # mosaicked pictures
    DECIDE_ALERT = "decide-alert"
    RESPOND = "respond"
    SEE_DOUBTS = "see-doubts"
    SETTLE_NOTICES = "settle-notices"
    SEE_SOURCES = "see-sources"
    CONFIRM_BACKDROP = "confirm-backdrop"  # a picture of a scene believed to be empty
    EDIT_DRAFT = "edit-draft"  # of the charter; draws on the confirmed empty scene
    SEE_STAFF_FIGURES = "see-staff-figures"
    SEE_QUALITY = "see-quality"
    KEEP_REPORTS = "keep-reports"
    SEE_DRILLS = "see-drills"
    RUN_DRILL = "run-drill"
    PLAN_DRILL = "plan-drill"
    RECALIBRATE = "recalibrate"
    SEE_EVERYTHING_DONE = "see-everything-done"
    TAKE_OPENINGS = "take-openings"
    PREPARE_SUSPENSION = "prepare-suspension"
    SEE_RELEASES = "see-releases"
    SEE_SIGNALS = "see-signals"
    PREPARE_RELEASE = "prepare-release"
    MANAGE_ACCOUNTS = "manage-accounts"
    SEE_SYSTEM_HEALTH = "see-system-health"
    # what follows is signed by the person's own key on the person's own machine; no account in the portal may do it
    PUBLISH_SEALING_KEY = "publish-sealing-key"
    DESTROY_PERIOD = "destroy-period"
    OPEN_CASE = "open-case"
    CLOSE_CASE = "close-case"
    REQUEST_RELEASE = "request-release"
    APPROVE_RELEASE = "approve-release"
    REFUSE_RELEASE = "refuse-release"
    TAKE_RELEASE = "take-release"  # original pictures
    BREAK_GLASS = "break-glass"  # original pictures
    FOLLOW_UP_GLASS = "follow-up-glass"
    ORDER_HOLD = "order-hold"
    KEEP_HOLD = "keep-hold"
    LIFT_HOLD = "lift-hold"
    SETTLE_SIGNAL = "settle-signal"
    # what follows is asked with a question that is signed likewise; it changes nothing
    READ_INBOX = "read-inbox"
    READ_SHARES = "read-shares"  # shares of keys, which open nothing by themselves
    READ_OWN_CASES = "read-own-cases"
    FETCH_RELEASE = "fetch-release"  # original pictures, sealed
    READ_OFFICE = "read-office"
    READ_DRAFT = "read-draft"
    FETCH_OPENINGS = "fetch-openings"


IN_WORDS: Final[dict[May, str]] = {
    May.SEE_PUBLIC: "see what is public",
    May.KEEP_OWN_ACCOUNT: "see their own account, change its password and sign out",
    May.SEE_QUEUE: "see the queue of alerts with painted stills",
    May.SEE_CLIP: "see mosaicked clips of alerts",
    May.DECIDE_ALERT: "decide about alerts",
    May.RESPOND: "see what was handed over, say that they are on the way, and enter what was found",
    May.SEE_DOUBTS: "see about which alerts a second person says otherwise",
    May.SETTLE_NOTICES: "send undelivered notices again or give them up",
    May.SEE_SOURCES: "see how each camera fares",
    May.CONFIRM_BACKDROP: "see an empty scene that was learned, and say that nobody is in it",
    May.EDIT_DRAFT: "draw zones into a draft of the charter",
    May.SEE_STAFF_FIGURES: "see how well alerts are decided",
    May.KEEP_REPORTS: "take in what other logs say happened, and say of a row that no camera sees that spot",
    May.SEE_QUALITY: "see how near each rule is to its limits, and how its tests stand",
    May.RECALIBRATE: "let what was learnt from a rule's alerts say how likely the next ones are right, or take it back",
    May.SEE_DRILLS: "see which drills are announced, and what became of each",
    May.RUN_DRILL: "say when a drill begins and ends",
    May.PLAN_DRILL: "announce drills, and call them off before their time",
    May.SEE_EVERYTHING_DONE: "see everything that was done",
    May.TAKE_OPENINGS: "take the sealed details of records away, to open them elsewhere",
    May.PREPARE_SUSPENSION: "prepare an order to stop, to be signed elsewhere",
    May.SEE_RELEASES: "see every request for original video, and what became of it",
    May.SEE_SIGNALS: "see signals of misuse, and prepare what they say of one, to be signed elsewhere",
    May.PREPARE_RELEASE: "prepare what they sign about original video at their own desk",
    May.MANAGE_ACCOUNTS: "open, change and close accounts",
    May.SEE_SYSTEM_HEALTH: "see whether the machine is well",
    May.PUBLISH_SEALING_KEY: "publish the key to which a month's shares are sealed",
    May.DESTROY_PERIOD: "destroy their key of a month",
    May.OPEN_CASE: "open a case",
    May.CLOSE_CASE: "close a case",
    May.REQUEST_RELEASE: "request original video",
    May.APPROVE_RELEASE: "approve a request for original video",
    May.REFUSE_RELEASE: "refuse a request for original video",
    May.TAKE_RELEASE: "take original video that was released",
    May.BREAK_GLASS: "open original video at once in an emergency",
    May.FOLLOW_UP_GLASS: "report on an emergency opening",
    May.ORDER_HOLD: "order that originals be kept beyond their time",
    May.KEEP_HOLD: "seal their shares anew for an order to keep originals",
    May.LIFT_HOLD: "lift an order to keep originals",
    May.SETTLE_SIGNAL: "say what was made of a signal of misuse",
    May.READ_INBOX: "read what waits for them",
    May.READ_SHARES: "read their sealed shares",
    May.READ_OWN_CASES: "read their own cases, and what became of what they asked for",
    May.FETCH_RELEASE: "fetch original video, sealed, and what opens it together with their own key",
    May.READ_OFFICE: "read signals of misuse, uses of the emergency rule, and whose keys were enrolled",
    May.READ_DRAFT: "read the draft of the charter that waits for their signature",
    May.FETCH_OPENINGS: "fetch the sealed details of records, which is recorded",
}
"""Each act in plain words, to stand after “may”."""

SIGNED_IN: Final = frozenset({May.KEEP_OWN_ACCOUNT})
"""What every signed-in person may do, whatever their roles."""

GRANTS: Final[dict[Role, frozenset[May]]] = {
    Role.PUBLIC: frozenset({May.SEE_PUBLIC}),
    Role.REVIEWER: frozenset({May.SEE_QUEUE, May.SEE_CLIP, May.DECIDE_ALERT}),
    Role.RESPONDER: frozenset({May.RESPOND, May.SEE_DRILLS, May.RUN_DRILL}),
    Role.SHIFT_LEAD: frozenset(
        {
            May.SEE_QUEUE,
            May.SEE_CLIP,
            May.DECIDE_ALERT,
            May.SEE_DOUBTS,
            May.SETTLE_NOTICES,
            May.SEE_STAFF_FIGURES,
            May.SEE_QUALITY,
            May.SEE_DRILLS,
            May.RUN_DRILL,
            May.PLAN_DRILL,
            May.KEEP_REPORTS,
            May.SEE_SOURCES,
            May.SEE_SYSTEM_HEALTH,
            May.PREPARE_RELEASE,
        }
    ),
    Role.OPERATOR: frozenset(
        {
            May.SEE_SOURCES,
            May.CONFIRM_BACKDROP,
            May.EDIT_DRAFT,
            May.SETTLE_NOTICES,
            May.SEE_QUALITY,
            May.SEE_DRILLS,
            May.RUN_DRILL,
            May.PLAN_DRILL,
            May.KEEP_REPORTS,
            May.RECALIBRATE,
            May.SEE_SYSTEM_HEALTH,
        }
    ),
    Role.CUSTODIAN: frozenset({May.PREPARE_RELEASE}),
    Role.INVESTIGATOR: frozenset({May.PREPARE_RELEASE}),
    Role.PRIVACY_OFFICER: frozenset({May.SEE_STAFF_FIGURES}),
    Role.ANALYST: frozenset(),
    Role.CLERK: frozenset(),
    Role.OVERSIGHT: frozenset(
        {
            May.SEE_EVERYTHING_DONE,
            May.TAKE_OPENINGS,
            May.PREPARE_SUSPENSION,
            May.SEE_RELEASES,
            May.SEE_SIGNALS,
            May.SEE_QUALITY,
            May.SEE_DRILLS,
            May.SEE_SOURCES,
            May.SEE_SYSTEM_HEALTH,
        }
    ),
    Role.ADMINISTRATOR: frozenset({May.MANAGE_ACCOUNTS, May.SEE_SYSTEM_HEALTH}),
}

AUTHORITY: Final = "authority"
"""The role of the public body itself. It only signs; nobody signs in as it."""

_TOKEN: Final = object()
"""Only ``authorise`` uses it. A test proves that nothing else in the house does."""


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in account."""

    account: int
    name: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody whose signature over an act was verified.

    Attributes:
        name: a custodian's name in the charter, the person whom oversight enrolled, or the role itself.
        role: in which they signed; ``AUTHORITY`` or one of ``Role``.
        key: the public half of the key that verified, in base64.
    """

    name: str
    role: str
    key: str


Actor = Person | Signer


@dataclass(frozen=True, slots=True)
class Grant:
    """The answer that somebody may do something, and in which role. Only ``authorise`` makes one.

    Attributes:
        policy: SHA-256 of the policies that said so, as published.
        rules: the ids of the rules that did.
    """

    who: Actor
    role: str
    what: May
    policy: bytes
    rules: tuple[str, ...]
    token: InitVar[object] = None

    def __post_init__(self, token: object) -> None:
        if token is not _TOKEN:
            raise TypeError("a Grant comes from access.authorise.authorise only")

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Grant cannot be copied or sent; ask authorise again.")

    @property
    def person(self) -> Person:
        """The signed-in person.

        Raises:
            Refused: it was given to somebody who signed; such a one has no account here.
        """
        if not isinstance(self.who, Person):
            raise Refused("This is done by people who are signed in here.", fix="Sign in to the portal.")
        return self.who

    def require(self, what: May) -> None:
        """Check that this grant is of ``what``; otherwise an act would be open to all who may do something else.

        Raises:
            Refused: it was given for something else.
        """
        if self.what is not what:
            raise Refused(f"This grant is of {self.what}, not of {what}.", fix="Ask for the right to do this act.")

    def as_json(self) -> dict[str, object]:
        """What a record says about it: which policies, and which of their rules."""
        return {"policy": b64(self.policy), "rules": list(self.rules)}
