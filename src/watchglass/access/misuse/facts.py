"""What the signals look at: who looked at what and when, and whatever may explain it. Values only.

Every value has an ``id``: the hash of its leaf where it has one (base64), otherwise its row's. A signal names its
evidence by these. People are named by what stays theirs: the account's name. A monthly pseudonym would cut every
pattern at the end of a month; oversight, who opens the records, knows the account.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from watchglass.core.errors import BadInput


class What(StrEnum):
    """What somebody did with pictures or with records about them."""

    ALERT_VIEW = "alert-view"
    CLIP_VIEW = "clip-view"
    QUEUE_SEARCH = "queue-search"
    CASE_OPENED = "case-opened"
    RELEASE_REQUEST = "release-request"
    RELEASE_TAKEN = "release-taken"
    GLASS_BROKEN = "glass-broken"
    OPENINGS_TAKEN = "openings-taken"


MOSAIC: Final = frozenset({What.ALERT_VIEW, What.CLIP_VIEW, What.QUEUE_SEARCH})
"""Painted and mosaicked pictures, and lists: part of everybody's day, so one look alone says little."""

ORIGINALS: Final = frozenset({What.RELEASE_REQUEST, What.RELEASE_TAKEN, What.GLASS_BROKEN})
"""Originals, with everybody in them: each must be explained."""


class Finding(StrEnum):
    """What oversight made of a signal. The same words as in the record ``misuse_settled``."""

    EXPLAINED = "explained"
    MISTAKE = "mistake"
    MISUSE = "misuse"
    UNCLEAR = "unclear"


def _named(value: object, *names: str) -> None:
    for name in names:
        if not getattr(value, name):
            raise BadInput(
                f"A {type(value).__name__} without {name} cannot be told from another.",
                fix=f"Fill in {name} from the record.",
            )


def _ordered(value: object, first: str, last: str) -> None:
    begin, end = getattr(value, first), getattr(value, last)
    if begin is not None and end is not None and end < begin:
        raise BadInput(
            f"A {type(value).__name__} ends before it begins.", fix=f"Check {first} and {last}: they may be swapped."
        )


@dataclass(frozen=True, slots=True)
class Access:
    """Somebody looked at, searched, asked for or took something.

    Attributes:
        from_ms, to_ms: of the footage, where it is about footage.
        case: its identifier, where one was given.
        named_ms: when the case was given, if that was later than the access.
        alert: the alert that was looked at.
        request: the request that a release was taken under.
    """

    id: str
    person: str
    at_ms: int
    what: What
    source: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    case: str | None = None
    named_ms: int | None = None
    purpose: str | None = None
    reason: str = ""
    alert: str | None = None
    request: str | None = None

    def __post_init__(self) -> None:
        _named(self, "id", "person")
        _ordered(self, "from_ms", "to_ms")
        if (self.from_ms is None) != (self.to_ms is None):
            raise BadInput("Footage has a beginning and an end.", fix="Give from_ms and to_ms, or neither.")
        if self.named_ms is not None and self.case is None:
            raise BadInput("A case was named later, but not which.", fix="Give the case, or no named_ms.")

    def case_known(self, at_ms: int) -> str | None:
        """The case that this access names, as far as was known at that moment."""
        return self.case if self.named_ms is None or self.named_ms <= at_ms else None


@dataclass(frozen=True, slots=True)
class Case:
    """An investigation. ``id`` is its identifier; ``members`` are who may use it, the one who opened it included."""

    id: str
    opened_ms: int
    members: frozenset[str]
    closed_ms: int | None = None

    def __post_init__(self) -> None:
        _named(self, "id")
        _ordered(self, "opened_ms", "closed_ms")


@dataclass(frozen=True, slots=True)
class Shift:
    """Somebody was on duty."""

    person: str
    from_ms: int
    to_ms: int

    def __post_init__(self) -> None:
        _named(self, "person")
        _ordered(self, "from_ms", "to_ms")


@dataclass(frozen=True, slots=True)
class Dispatch:
    """People were called or sent because of something at a source: a hand-over, a call-in, an order from dispatch.

    Attributes:
        source: None where it is about the whole house.
    """

    id: str
    at_ms: int
    until_ms: int
    people: frozenset[str]
    source: str | None = None

    def __post_init__(self) -> None:
        _named(self, "id")
        _ordered(self, "at_ms", "until_ms")


@dataclass(frozen=True, slots=True)
class Incident:
    """An alert: in the queue from ``raised_ms`` until ``settled_ms`` (None: still waiting).

    Attributes:
        id: the alert's identifier.
        people: in whose queue it was; empty means everybody's who was on duty.
        again: it was put before people again, and is nothing that had happened then.
    """

    id: str
    source: str
    raised_ms: int
    settled_ms: int | None = None
    people: frozenset[str] = frozenset()
    again: bool = False

    def __post_init__(self) -> None:
        _named(self, "id", "source")
        _ordered(self, "raised_ms", "settled_ms")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Somebody decided about an alert."""

    id: str
    alert: str
    person: str
    at_ms: int

    def __post_init__(self) -> None:
        _named(self, "id", "alert", "person")


@dataclass(frozen=True, slots=True)
class Approval:
    """A custodian approved or refused somebody's request (``asked_ms``: when it could first be seen)."""

    id: str
    request: str
    requester: str
    approver: str
    asked_ms: int
    at_ms: int
    approved: bool

    def __post_init__(self) -> None:
        _named(self, "id", "request", "requester", "approver")
        _ordered(self, "asked_ms", "at_ms")


@dataclass(frozen=True, slots=True)
class GlassBreak:
    """The emergency rule was used. ``id`` is that of its access; ``due_ms``: when the report had to be there."""

    id: str
    person: str
    at_ms: int
    due_ms: int
    followed_ms: int | None = None

    def __post_init__(self) -> None:
        _named(self, "id", "person")
        _ordered(self, "at_ms", "due_ms")
        _ordered(self, "at_ms", "followed_ms")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Something came of a release: an export, a finding, a report. ``about`` is a request or a case."""

    id: str
    about: str
    at_ms: int

    def __post_init__(self) -> None:
        _named(self, "id", "about")


@dataclass(frozen=True, slots=True)
class Review:
    """Oversight looked at the record of accesses."""

    id: str
    person: str
    at_ms: int

    def __post_init__(self) -> None:
        _named(self, "id", "person")


@dataclass(frozen=True, slots=True)
class Disposition:
    """What oversight made of an earlier signal."""

    signal: str
    at_ms: int
    finding: Finding

    def __post_init__(self) -> None:
        _named(self, "signal")


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of ``from_ms`` to ``until_ms``; later facts may not be among it.

    Raises:
        BadInput: two values of one kind have the same id, or an access lies beyond ``until_ms``.
    """

    from_ms: int
    until_ms: int
    accesses: tuple[Access, ...] = ()
    cases: tuple[Case, ...] = ()
    shifts: tuple[Shift, ...] = ()
    dispatches: tuple[Dispatch, ...] = ()
    incidents: tuple[Incident, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    approvals: tuple[Approval, ...] = ()
    breaks: tuple[GlassBreak, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    reviews: tuple[Review, ...] = ()
    dispositions: tuple[Disposition, ...] = ()

    def __post_init__(self) -> None:
        _ordered(self, "from_ms", "until_ms")
        for field in fields(self):
            values = getattr(self, field.name)
            if not isinstance(values, tuple) or field.name in {"shifts", "dispositions"}:
                continue
            if len({value.id for value in values}) != len(values):
                raise BadInput(f"Two {field.name} have the same id.", fix="Give each record once.")
        late = next((access for access in self.accesses if access.at_ms > self.until_ms), None)
        if late is not None:
            raise BadInput("An access is later than all that is known.", fix="Set until_ms to now.", access=late.id)
