"""What may be asked of the charter, and the ``Permit`` that only ``decide`` can give (law 2)."""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from typing import Final, NoReturn, TypeVar

from watchglass.core.digest import b64
from watchglass.core.errors import Refused
from watchglass.core.time import iso

# ---- requests: a closed union ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunAnalytic:
    """Let an analytic look at its source, for as long as the permit lasts."""

    source: str
    analytic: str


@dataclass(frozen=True, slots=True)
class LookAt:
    """Open a source at all: its health, its backdrop, its public view."""

    source: str


@dataclass(frozen=True, slots=True)
class ShowPublicView:
    """Show the painted view of a source to everybody."""

    source: str


@dataclass(frozen=True, slots=True)
class ConfirmBackdrop:
    """An operator says that nobody is in the empty scene of a source."""

    source: str


@dataclass(frozen=True, slots=True)
class RaiseAlert:
    """Put an incident before a person.

    Attributes:
        captured_ms: when the camera saw it; the analytic's hours are judged by it. None: now.
    """

    analytic: str
    captured_ms: int | None = None


@dataclass(frozen=True, slots=True)
class KeepClip:
    """Keep the mosaicked clip of an alert that was raised."""

    analytic: str


@dataclass(frozen=True, slots=True)
class TakeSample:
    """Keep a mosaicked clip of a moment about which nobody was alerted, for people to look at.

    Attributes:
        captured_ms: when the camera saw it; the analytic's hours are judged by it.
    """

    analytic: str
    captured_ms: int


@dataclass(frozen=True, slots=True)
class TakeReports:
    """Take in what others noted down in a log, to match it with alerts."""

    log: str


@dataclass(frozen=True, slots=True)
class ShowReviewerView:
    """Show a reviewer the mosaicked view of an alert that was raised."""

    source: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Decide:
    """A person's verdict about an alert that was raised."""

    analytic: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """A confirmed alert goes to a responder."""

    analytic: str


@dataclass(frozen=True, slots=True)
class SendNotice:
    """Tell a destination outside about an alert.

    Attributes:
        decided: whether a person has decided about the alert; only kinds that are about danger to life may be told
            before, and only where the charter says `notify: at_once`.
    """

    destination: str
    analytic: str
    decided: bool


@dataclass(frozen=True, slots=True)
class TellStop:
    """Tell a destination of a role that a limit stopped an analytic, or that it runs again; nothing of any alert."""

    destination: str
    analytic: str


@dataclass(frozen=True, slots=True)
class TryDestination:
    """Send a destination outside a message that is marked as a test, and is about nothing."""

    destination: str


@dataclass(frozen=True, slots=True)
class SealSegment:
    """Keep a piece of a source's original video, sealed.

    Attributes:
        analytic: whose alert it is about; None where the charter records everything.
    """

    source: str
    analytic: str | None = None


@dataclass(frozen=True, slots=True)
class OpenCase:
    """Open a case, within which releases may be asked for."""

    purpose: str


@dataclass(frozen=True, slots=True)
class RequestRelease:
    """Ask the custodians for a source's originals, from a moment (ms) until another.

    Attributes:
        held: a hold keeps these pieces, so that they may be older than what is kept otherwise.
    """

    source: str
    purpose: str
    from_ms: int
    to_ms: int
    held: bool = False


@dataclass(frozen=True, slots=True)
class GrantRelease:
    """Give out what enough custodians have re-sealed to the case; judged anew, as the request was."""

    source: str
    purpose: str
    from_ms: int
    to_ms: int
    held: bool = False


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """Open a source's latest originals alone, in an emergency.

    Attributes:
        role: the role in which the person does it.
    """

    source: str
    purpose: str
    from_ms: int
    to_ms: int
    role: str


Request = (
    RunAnalytic
    | LookAt
    | ShowPublicView
    | ConfirmBackdrop
    | RaiseAlert
    | KeepClip
    | TakeSample
    | TakeReports
    | ShowReviewerView
    | Decide
    | HandOver
    | SendNotice
    | TellStop
    | TryDestination
    | SealSegment
    | OpenCase
    | RequestRelease
    | GrantRelease
    | BreakGlass
)

R = TypeVar(
    "R",
    RunAnalytic,
    LookAt,
    ShowPublicView,
    ConfirmBackdrop,
    RaiseAlert,
    KeepClip,
    TakeSample,
    TakeReports,
    ShowReviewerView,
    Decide,
    HandOver,
    SendNotice,
    TellStop,
    TryDestination,
    SealSegment,
    OpenCase,
    RequestRelease,
    GrantRelease,
    BreakGlass,
)

# ---- the permit ------------------------------------------------------------------------------------------------

_SEAL: Final = object()
"""Only ``decide`` uses it. A test proves that nothing else in the house does."""


@dataclass(frozen=True, slots=True)
class Permit:
    """The charter's yes to one request, for a short time. It never leaves the process.

    Attributes:
        charter_sha256: SHA-256 of the bytes of the charter that says yes.
        version: that charter's version.
        purpose: the purpose that the act serves.
        request: what was asked.
        until_ms: the first moment at which it no longer holds.
    """

    charter_sha256: bytes
    version: int
    purpose: str
    request: Request
    until_ms: int
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("Only charter.decide makes a Permit (law 2).")

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Permit cannot be copied or sent; ask charter.decide again.")

    @property
    def charter(self) -> str:
        """The charter's hash in base64, as leaves and leases name it."""
        return b64(self.charter_sha256)

    def require(self, kind: type[R], now_ms: int) -> R:
        """The request, if the permit is for this kind of act and still holds at ``now_ms``.

        Raises:
            Refused: it is for another act, or it has run out.
        """
        if not isinstance(self.request, kind):
            raise Refused(
                f"This permit is for {type(self.request).__name__}, not for {kind.__name__}.",
                fix="Ask the charter for this act.",
            )
        if now_ms >= self.until_ms:
            raise Refused(f"This permit ran out at {iso(self.until_ms)}.", fix="Ask the charter again.")
        return self.request
