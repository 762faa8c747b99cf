"""Only the charter says yes: (standing, request, time) → ``Permit``, or ``Refused`` with every reason. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal, assert_never
from urllib.parse import urlsplit

from watchglass.charter.hours import begin_of, look
from watchglass.charter.model import (
    EVERYTHING,
    LIFE_SAFETY,
    TRIAL_DAYS,
    Analytic,
    Charter,
    Deployment,
    Destination,
    WebhookDestination,
)
from watchglass.charter.permit import (
    _SEAL,
    BreakGlass,
    ConfirmBackdrop,
    Decide,
    GrantRelease,
    HandOver,
    KeepClip,
    LookAt,
    OpenCase,
    Permit,
    RaiseAlert,
    Request,
    RequestRelease,
    RunAnalytic,
    SealSegment,
    SendNotice,
    ShowPublicView,
    ShowReviewerView,
    TakeReports,
    TakeSample,
    TellStop,
    TryDestination,
)
from watchglass.charter.phrases import duration
from watchglass.charter.releases import Against, against_case, against_opening, against_sealing
from watchglass.charter.telling import speakers, told_of_stops
from watchglass.core.errors import BadInput, Refused
from watchglass.core.reach import is_near
from watchglass.core.time import DAY, iso

__all__ = [
    "LEASE_MS",
    "TRIAL_DAYS",
    "Approver",
    "Publication",
    "Standing",
    "Suspension",
    "decide",
    "in_force",
    "is_unseen",
    "unseen_from",
]

LEASE_MS: Final = 1500
"""No permit holds longer: whatever changes is obeyed within two seconds."""

_CLOCKS_APART_MS: Final = 300_000
_END_OF_TIME: Final = 7_289_654_400_000  # 2201-01-01, after the last day that a charter can name

Approver = Literal["authority", "oversight"]
Publication = Literal["no", "waiting", "cosigned", "exempt"]


@dataclass(frozen=True, slots=True)
class Suspension:
    """An order to stop that holds.

    Attributes:
        scope: ``all`` or the name of an analytic.
        by: who ordered it, in words for people ("oversight", "its published limit").
        at_ms: since when.
    """

    scope: str
    by: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A charter together with everything that bears on whether it says yes.

    To finish alerts that an older charter raised, build the standing of that charter.

    Attributes:
        charter: the charter, or None where there is none.
        deployment: production, trial or demo; told by the ledger's origin, never by the charter.
        approvals: whose signatures over the charter's bytes were verified.
        published: ``cosigned`` once its record is in a witness-cosigned checkpoint (law 12); ``exempt`` only in a trial
            or the demo; ``waiting`` while it is recorded and not cosigned yet.
        suspensions: those that hold now, ordered by oversight or by a published limit.
        on_trial: the analytics whose alerts go to reviewers and no further, until they have earned trust.
        witnessed_ms: when enough witnesses were asked that have cosigned since; None where too few ever have.
    """

    charter: Charter | None
    deployment: Deployment
    approvals: frozenset[Approver] = field(default_factory=frozenset)
    published: Publication = "no"
    suspensions: tuple[Suspension, ...] = ()
    witnessed_ms: int | None = None
    on_trial: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Case:
    """A request with what the charter says about it, and what it has against it."""

    purpose: str
    runs: bool
    analytic: Analytic | None = None
    hours_at: int | None = None
    against: tuple[Against, ...] = ()


def decide(standing: Standing, request: Request, now_ms: int) -> Permit:
    """The charter's yes to ``request`` at ``now_ms``.

    What looks, runs, keeps or opens needs a charter that is in force and not suspended, within the analytic's hours.
    What finishes alerts that were already raised stays possible when the charter has run out or is suspended, so that
    people can do their duty; and so does opening a case, on which a hold may hang, and which shows nothing to anybody.

    Raises:
        Refused: with all reasons.
    """
    charter = standing.charter
    if charter is None:
        raise Refused("There is no charter.", fix="Write, sign and publish one: `watchglass charter publish`.")
    if not 0 <= now_ms < _END_OF_TIME:
        raise Refused("The clock shows a time that cannot be right.", fix="Set the machine's clock.")
    reasons = list(_bearing(standing, charter))
    try:
        case = _case(standing, charter, request, now_ms)
    except BadInput as error:
        raise _refusal([*reasons, error.message]) from error
    begin, end = in_force(charter)
    until = now_ms + LEASE_MS
    if now_ms < end:
        until = min(until, end)
    if case.runs:
        reasons += _out_of_force(begin, end, now_ms)
        reasons += _suspended(standing, case)
        reasons += _unseen(standing, charter, now_ms)
        until = min(until, max(now_ms, unseen_from(standing)))
        if case.analytic is not None and case.hours_at is not None:
            answer = look(case.analytic.hours, case.analytic.days, charter.timezone, case.hours_at)
            if not answer.within:
                reasons.append(f"It is outside the hours of {case.analytic.name!r}.")
            if answer.until_ms is not None and case.hours_at == now_ms:
                until = min(until, answer.until_ms)
    reasons += [each.reason for each in case.against]
    if reasons:
        raise _refusal(reasons, [each.fix for each in case.against])
    return Permit(charter.sha256, charter.version, case.purpose, request, until, _SEAL)


def in_force(charter: Charter) -> tuple[int, int]:
    """The first moment (ms) at which a charter holds, and the first at which it no longer does."""
    until = charter.in_force.until + timedelta(days=1)
    return begin_of(charter.in_force.since, charter.timezone), begin_of(until, charter.timezone)


_FIX: Final = "See `watchglass charter explain`; nothing runs that the charter does not allow."


def _refusal(reasons: list[str], fixes: list[str] | None = None) -> Refused:
    unique = tuple(dict.fromkeys(reasons))
    return Refused(" ".join(unique), fix=" ".join(dict.fromkeys(fixes or ())) or _FIX, reasons=unique)


def _bearing(standing: Standing, charter: Charter) -> Iterator[str]:
    """Reasons that hold against the charter as such."""
    if "authority" not in standing.approvals:
        yield "The authority has not signed this charter."
    if "oversight" not in standing.approvals:
        yield "Oversight has not signed this charter."
    if standing.published == "no":
        yield "This charter is not published in the ledger."
    elif standing.published == "waiting":
        yield "No witness has cosigned the publication of this charter yet."
    elif standing.published == "exempt" and standing.deployment == "production":
        yield "Only a trial or the demo may go without a witness."
    days = (charter.in_force.until - charter.in_force.since).days
    if standing.deployment == "trial" and days > TRIAL_DAYS:
        yield f"A trial lasts at most {TRIAL_DAYS} days, and this charter holds longer."


def _out_of_force(begin: int, end: int, now_ms: int) -> Iterator[str]:
    if now_ms < begin:
        yield f"This charter comes into force only at {iso(begin)}."
    if now_ms >= end:
        yield f"This charter ran out at {iso(end)}."


def _stops(standing: Standing, analytic: str) -> tuple[Suspension, ...]:
    return tuple(order for order in standing.suspensions if order.scope in {EVERYTHING, analytic})


def _suspended(standing: Standing, case: _Case) -> Iterator[str]:
    name = case.analytic.name if case.analytic is not None else EVERYTHING
    for order in _stops(standing, name):
        what = "Everything" if order.scope == EVERYTHING else repr(order.scope)
        yield f"{what} is suspended by {order.by} since {iso(order.at_ms)}."


def unseen_from(standing: Standing) -> int:
    """From which moment (ms) on nothing runs unless enough witnesses cosign before; far away where no charter says so.

    A trial has no witness, and says that it binds nobody.
    """
    within = standing.charter.ledger.witnessed_within_ms if standing.charter is not None else None
    if within is None or standing.deployment == "trial":
        return _END_OF_TIME
    return 0 if standing.witnessed_ms is None else standing.witnessed_ms + within


def is_unseen(standing: Standing, now_ms: int) -> bool:
    """Whether nothing runs because too few witnesses have cosigned for too long.

    A last time that lies in the future is no time: somebody set a clock.
    """
    ends = unseen_from(standing)
    ahead = (standing.witnessed_ms or 0) > now_ms + _CLOCKS_APART_MS
    return ends != _END_OF_TIME and (now_ms >= ends or ahead)


def _unseen(standing: Standing, charter: Charter, now_ms: int) -> Iterator[str]:
    if is_unseen(standing, now_ms):
        within = duration(charter.ledger.witnessed_within_ms or 0)
        since = f"since {iso(standing.witnessed_ms)}" if standing.witnessed_ms else "so far"
        yield f"Too few witnesses have confirmed the ledger {since}, and nothing may run longer than {within} without."


def _case(standing: Standing, charter: Charter, request: Request, now_ms: int) -> _Case:
    match request:
        case RunAnalytic() | RaiseAlert() | KeepClip() | TakeSample():
            return _incident(charter, request, now_ms)
        case LookAt() | ShowPublicView() | ConfirmBackdrop() | TakeReports():
            if isinstance(request, TakeReports):
                purpose = _purpose_of_log(charter, request.log)
            else:
                purpose = _purpose_of_source(standing, charter, request.source)
            return _Case(purpose, runs=True)
        case ShowReviewerView(source, purpose):
            charter.source(source)
            return _Case(charter.purpose(purpose).name, runs=False)
        case Decide(name) | HandOver(name):
            return _Case(charter.analytic(name).purpose, runs=False)
        case SendNotice() | TryDestination() | TellStop():
            return _telling(standing, charter, request, now_ms)
        case SealSegment() | OpenCase() | RequestRelease() | GrantRelease() | BreakGlass():
            return _original(standing, charter, request, now_ms)
        case _:
            assert_never(request)


def _incident(charter: Charter, request: RunAnalytic | RaiseAlert | KeepClip | TakeSample, now_ms: int) -> _Case:
    analytic = charter.analytic(request.analytic)
    if isinstance(request, TakeSample) and charter.safeguards.samples is None:
        raise BadInput(
            "The charter does not let anybody look at what was not alerted.", fix="Nothing of it is kept or shown."
        )
    if isinstance(request, RunAnalytic):
        if analytic.source != request.source:
            raise BadInput(
                f"{analytic.name!r} does not look at {request.source!r}.", fix="Ask for the source that it looks at."
            )
        return _Case(analytic.purpose, runs=True, analytic=analytic, hours_at=now_ms)
    if isinstance(request, KeepClip):
        return _Case(analytic.purpose, runs=True, analytic=analytic)
    at = now_ms if request.captured_ms is None else request.captured_ms
    if abs(at - now_ms) > DAY:
        raise BadInput("The incident's time is more than a day away from now.", fix="Check the clocks.")
    return _Case(analytic.purpose, runs=True, analytic=analytic, hours_at=at)


def _purpose_of_log(charter: Charter, log: str) -> str:
    """What a log of others may be compared with alerts for; without a clause about it, nothing."""
    reports = charter.safeguards.reports
    if reports is None or log not in reports.logs:
        named = " or ".join(reports.logs) if reports is not None else "none"
        raise BadInput(
            f"The charter does not let anybody take in reports from {log!r}; it names {named}.",
            fix="Name the log under `safeguards.reports`, or keep it where it is.",
        )
    return charter.analytic(reports.of[0]).purpose


def _original(
    standing: Standing,
    charter: Charter,
    request: SealSegment | OpenCase | RequestRelease | GrantRelease | BreakGlass,
    now_ms: int,
) -> _Case:
    """Original video: keeping it, and what leads to opening it. All that is against it is told at once."""
    deployment = standing.deployment
    match request:
        case SealSegment(source, name):
            charter.source(source)
            analytic = charter.analytic(name) if name is not None else None
            against = (*against_sealing(deployment, charter, request),)
            if against:
                return _Case("", runs=True, analytic=analytic, against=against)
            if analytic is not None:
                return _Case(analytic.purpose, runs=True, analytic=analytic)
            _purpose_of_source(standing, charter, source)  # somebody looks
            return _Case(charter.kept_for(source), runs=True)
        case OpenCase(purpose):
            return _Case(purpose, runs=False, against=(*against_case(deployment, charter, request),))
        case RequestRelease() | GrantRelease() | BreakGlass():
            charter.source(request.source)
            against = (*against_opening(deployment, charter, request, now_ms),)
            return _Case(request.purpose, runs=True, against=against)
        case _:
            assert_never(request)


def _telling(
    standing: Standing, charter: Charter, request: SendNotice | TryDestination | TellStop, now_ms: int
) -> _Case:
    """Whom an analytic may tell: whatever the hour, for a verdict comes later than its alert."""
    if isinstance(request, TellStop):
        return _telling_of_stop(standing, charter, request, now_ms)
    name = request.destination
    tellers = [charter.analytic(each) for each in speakers(charter, name)]
    if isinstance(request, SendNotice):
        tellers = [analytic for analytic in tellers if name in analytic.tell]
        asked = charter.analytic(request.analytic)
        tellers = [analytic for analytic in tellers if analytic.name == asked.name]
    destination = next((known for known in charter.destinations if known.name == name), None)
    if not tellers or destination is None:
        who = repr(request.analytic) if isinstance(request, SendNotice) else "any analytic"
        raise BadInput(f"The charter does not let {who} tell {name!r}.", fix="Name it in the analytic's `tell`.")
    _check_near(standing, destination)
    analytic = tellers[0]
    if isinstance(request, SendNotice) and analytic.name in standing.on_trial:
        raise BadInput(
            f"{analytic.name!r} is on trial: its alerts go to reviewers, and nobody else is told anything.",
            fix="Wait until its alerts have shown that it keeps its published limit.",
        )
    if isinstance(request, SendNotice) and not request.decided:
        if analytic.notify == "at_once" and analytic.kind in LIFE_SAFETY:
            return _Case(analytic.purpose, runs=True, analytic=analytic)
        raise BadInput(
            f"The charter lets {analytic.name!r} tell {name!r} only what a person has decided.",
            fix="Wait for the verdict.",
        )
    return _Case(analytic.purpose, runs=True, analytic=analytic)


def _telling_of_stop(standing: Standing, charter: Charter, request: TellStop, now_ms: int) -> _Case:
    """A stop is told whatever is suspended: that is what it is about."""
    analytic = charter.analytic(request.analytic)
    destination = next((each for each in told_of_stops(charter) if each.name == request.destination), None)
    if destination is None or charter.limits_of(analytic.name) is None:
        raise BadInput(
            f"The charter does not let {request.destination!r} be told that a limit stopped {analytic.name!r}.",
            fix="Name its role in `roles`, and in `on_suspension.tell`.",
        )
    _check_near(standing, destination)
    over = tuple(Against(reason, _FIX) for reason in _out_of_force(*in_force(charter), now_ms))
    return _Case(analytic.purpose, runs=False, analytic=analytic, against=over)


def _check_near(standing: Standing, destination: Destination) -> None:
    if standing.deployment != "production" and not is_near(_host(destination)):
        raise BadInput(
            f"A trial and the demo tell nobody far away, and {destination.name!r} is not on this machine or in a "
            "private network.",
            fix="Use a destination nearby, or make a real deployment.",
        )


def _host(destination: Destination) -> str:
    """The machine that is told."""
    if isinstance(destination, WebhookDestination):
        return urlsplit(destination.url).hostname or ""
    return destination.host


def _purpose_of_source(standing: Standing, charter: Charter, source: str) -> str:
    """The first purpose that is left for looking at a source; without one nobody looks."""
    analytics = charter.analytics_of(charter.source(source).name)
    if not analytics:
        raise BadInput(f"Nothing in the charter looks at {source!r}.", fix="Give the source an analytic, or remove it.")
    open_ones = [analytic for analytic in analytics if not _stops(standing, analytic.name)]
    if not open_ones:
        by = ", ".join(dict.fromkeys(order.by for analytic in analytics for order in _stops(standing, analytic.name)))
        raise BadInput(f"Every analytic of {source!r} is suspended by {by}.", fix="Wait until one is resumed.")
    return open_ones[0].purpose
