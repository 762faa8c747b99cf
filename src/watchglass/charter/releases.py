"""What the charter has against opening original video: each reason a sentence, each with what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from watchglass.charter.model import Charter, Deployment, GlassRule, Record, Release
from watchglass.charter.permit import BreakGlass, GrantRelease, OpenCase, RequestRelease, SealSegment
from watchglass.charter.phrases import duration, somebody
from watchglass.core.time import iso

_LATEST: Final = 7_289_654_400_000  # 2201-01-01, after the last day that a charter can name

Opening = RequestRelease | GrantRelease | BreakGlass


@dataclass(frozen=True, slots=True)
class Against:
    """One reason why not, and what the person does next."""

    reason: str
    fix: str


def against_sealing(deployment: Deployment, charter: Charter, request: SealSegment) -> Iterator[Against]:
    """Why a piece of original video may not be kept."""
    yield from _trial(deployment)
    record = charter.safeguards.record
    if record is None or not charter.records(request.source):
        yield _not_recorded(charter, record, request.source)
    elif request.analytic is None and record.when == "incidents":
        yield Against(
            f"The charter records {request.source!r} around alerts only, and this is about none.",
            "Name the analytic whose alert it is about.",
        )
    if request.analytic is not None and charter.analytic(request.analytic).source != request.source:
        yield Against(f"{request.analytic!r} does not look at {request.source!r}.", "Name the source that it looks at.")


def against_case(deployment: Deployment, charter: Charter, request: OpenCase) -> Iterator[Against]:
    """Why a case may not be opened."""
    yield from _trial(deployment)
    if charter.safeguards.release is None:
        yield Against(
            "This charter keeps no original video, so there is nothing that a case could ask for.",
            "Nothing to do here; other evidence is not in Watchglass.",
        )
    recorded = [source.name for source in charter.sources if charter.records(source.name)]
    yield from _purpose(charter, request.purpose, recorded)


def against_opening(deployment: Deployment, charter: Charter, request: Opening, now_ms: int) -> Iterator[Against]:
    """Why original video may not be opened, by a release or by breaking the glass."""
    yield from _trial(deployment)
    yield from _purpose(charter, request.purpose, [request.source])
    rules = charter.safeguards
    if rules.record is None or not charter.records(request.source):
        yield _not_recorded(charter, rules.record, request.source)
    if not (0 <= request.from_ms <= _LATEST and 0 <= request.to_ms <= _LATEST):
        yield Against(
            "What is asked for is at no time that can be meant.", "Write the times as the camera's page does."
        )
        return
    yield from _order(request, now_ms)
    if rules.release is None or rules.retention.sealed_ms is None:
        return
    if isinstance(request, BreakGlass):
        yield from _glass(rules.release.break_glass, request, now_ms)
    else:
        yield from _release(rules.release, rules.retention.sealed_ms, request, now_ms)


def _trial(deployment: Deployment) -> Iterator[Against]:
    if deployment == "trial":
        yield Against(
            "A trial keeps no original video and opens none.", "Make a real deployment: a board, and a witness outside."
        )


def _not_recorded(charter: Charter, record: Record | None, source: str) -> Against:
    if record is None:
        return Against(
            "This charter keeps no original video.", "Nothing to do here; a new charter would have to allow it first."
        )
    names = record.sources or tuple(item.name for item in charter.sources)
    return Against(f"Original video of {source!r} is not recorded.", f"These are recorded: {', '.join(names)}.")


def _purpose(charter: Charter, purpose: str, sources: list[str]) -> Iterator[Against]:
    """Originals are opened only for what they were kept for: a purpose of an analytic that looks there."""
    known = [item.name for item in charter.purposes]
    kept_for = [name for name in known if any(name == a.purpose for s in sources for a in charter.analytics_of(s))]
    if purpose not in known:
        yield Against(
            f"The charter has no purpose called {purpose!r}.", f"Name one of its purposes: {', '.join(known)}."
        )
    elif kept_for and purpose not in kept_for:
        yield Against(
            f"No original is kept for the purpose {purpose!r} there.",
            f"Originals are opened only for what they were kept for: {', '.join(kept_for)}.",
        )


def _order(request: Opening, now_ms: int) -> Iterator[Against]:
    if request.from_ms >= request.to_ms:
        yield Against(
            f"What is asked for ends ({iso(request.to_ms)}) before it begins.", "Let the second time be the later one."
        )
    if request.to_ms > now_ms:
        yield Against(
            f"What is asked for ends at {iso(request.to_ms)}, and it is {iso(now_ms)}: that is in the future.",
            "Ask for what has happened; only a new request opens more later.",
        )


def _release(
    release: Release, sealed_ms: int, request: RequestRelease | GrantRelease, now_ms: int
) -> Iterator[Against]:
    length = request.to_ms - request.from_ms
    if length > release.longest_ms:
        yield Against(
            f"That is {duration(length)} of video, and one release opens at most {duration(release.longest_ms)}.",
            "Ask for less: the minutes that the case is about.",
        )
    if request.from_ms < now_ms - sealed_ms and not request.held:
        yield Against(
            f"It begins at {iso(request.from_ms)}, and originals are kept for {duration(sealed_ms)}: it is destroyed.",
            f"Ask for what is not older than {iso(now_ms - sealed_ms)}; another time, order a hold before that.",
        )


def _glass(rule: GlassRule | None, request: BreakGlass, now_ms: int) -> Iterator[Against]:
    if rule is None:
        yield Against("This charter lets nobody open original video alone.", "Request a release from the custodians.")
        return
    if request.role not in rule.by:
        yield Against(
            f"The role {request.role!r} may not break the glass.",
            f"Call somebody who may: {somebody(rule.by)}. Or request a release from the custodians.",
        )
    length = request.to_ms - request.from_ms
    if length > rule.longest_ms:
        yield Against(
            f"That is {duration(length)} of video, and in an emergency at most {duration(rule.longest_ms)} is opened.",
            "Ask for less, or request a release from the custodians.",
        )
    if request.from_ms < now_ms - rule.not_older_than_ms:
        yield Against(
            f"It begins at {iso(request.from_ms)}, and an emergency reaches back {duration(rule.not_older_than_ms)}.",
            "Request a release from the custodians.",
        )
