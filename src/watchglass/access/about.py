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
        until_ms: when it can no longer be approved or taken.
    """

    id: str
    requester: str
    requester_key: str
    until_ms: int


About = AboutCase | AboutRequest
