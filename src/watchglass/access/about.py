"""What an act is about, where the answer depends on it: plain facts that the act has read from what was recorded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AboutCase:
    """A case that is to be opened or closed, or within which something is requested.

    Attributes:
        opened_by: who opened it, as oversight enrolled them.
        authority: the legal authority as it was stated; "" where there is none. reason: likewise.
        until_ms: when the case ends by itself.
    """

    id: str
    opened_by: str
    authority: str
    reason: str
    until_ms: int
    closed: bool = False


@dataclass(frozen=True, slots=True)
class AboutRequest:
    """A request for originals, or a use of the emergency rule, that somebody answers, takes or reports on.

    Attributes:
        requester: who asked, as oversight enrolled them. requester_key: the public half of the key that they signed
            with, in base64.
        until_ms: when it can no longer be approved, taken or fetched.
        emergency: whether it is a use of the emergency rule. taken: whether the one who asked has taken it.
    """

    id: str
    requester: str
    requester_key: str
    until_ms: int
    emergency: bool = False
    taken: bool = False


@dataclass(frozen=True, slots=True)
class AboutHold:
    """An order to keep originals, whose shares a custodian reads to seal them anew.

    Attributes:
        until_ms: when it ends by itself. lifted: whether it was lifted before.
    """

    id: str
    until_ms: int
    lifted: bool = False


About = AboutCase | AboutRequest | AboutHold
