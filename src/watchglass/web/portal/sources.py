"""The sources' health, and the operator's confirmation that nobody is in a backdrop."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import RedirectResponse

from watchglass.access.roles import May
from watchglass.acts import reading
from watchglass.acts.confirm_backdrop import all_confirmed, confirm_backdrop, confirmed, withdraw_backdrop
from watchglass.acts.source_conditions import failing
from watchglass.charter.decide import Standing, decide, in_force
from watchglass.charter.hours import look
from watchglass.charter.model import Analytic, Charter, Source
from watchglass.charter.permit import ConfirmBackdrop, RunAnalytic
from watchglass.core.digest import sha256
from watchglass.core.errors import BadInput, Problem, Refused
from watchglass.core.time import HOUR, MINUTE
from watchglass.perception.messages import BackdropProposal, Health
from watchglass.views.backdrop import Backdrop
from watchglass.views.public import without
from watchglass.views.scenes import DAY
from watchglass.web.portal.answers import NotFound, wants_data
from watchglass.web.portal.context import (
    grant_of,
    house_of,
    may,
    permit_for,
    reader_of,
    receipts_json,
    stream,
)
from watchglass.web.portal.render import as_json, page, plural
from watchglass.web.portal.twins import twin

router: Final = APIRouter(include_in_schema=False)

SENTENCE: Final = "Nobody is in this picture, and nothing that reads a name or a number plate."
_SILENT_MS: Final = 5000
_TITLES: Final = {"day": "Daylight", "infrared": "Infrared"}


@dataclass(frozen=True, slots=True)
class Running:
    """One analytic of a source: whether the charter lets it run now, until when, or why not."""

    name: str
    kind: str
    source: str
    runs: bool
    until_ms: int | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """One source at a glance. Shares are 0..1; None where nothing was heard yet."""

    name: str
    place: str
    state: str
    fault: str | None
    seen_ms: int | None
    fps_in: float | None
    open_share: float | None
    frames: int
    decoded: int
    inferences: int
    dropped: Mapping[str, int]
    gate: str
    group_ms: int | None
    kbit_s: float | None
    cpu_seconds: float
    notes: tuple[str, ...]
    backdrop_ready: float | None
    backdrop_ms: int | None
    scene: str
    unsure: str
    proposal_waits: bool
    not_met: tuple[str, ...]
    analytics: tuple[Running, ...]


def running(standing: Standing, charter: Charter, analytic: Analytic, now: int) -> Running:
    """Ask the charter about one analytic, as the supervisor does twice a second."""
    end = in_force(charter)[1]
    until = look(analytic.hours, analytic.days, charter.timezone, now).until_ms
    try:
        decide(standing, RunAnalytic(analytic.source, analytic.name), now)
    except Refused as error:
        return Running(analytic.name, analytic.kind, analytic.source, False, None, error.reasons)
    return Running(analytic.name, analytic.kind, analytic.source, True, end if until is None else min(until, end), ())


def _heard(request: Request, name: str) -> Health | None:
    """The last line of a source; None if there is none or it is old: what it said before it hung holds no more."""
    house = house_of(request)
    line: Health | None = house.live.health().get(name)
    return None if line is None or house.clock.now() - line.at_ms > _SILENT_MS else line


def _health(request: Request, charter: Charter, source: Source) -> SourceHealth:
    house = house_of(request)
    now = house.clock.now()
    line: Health | None = house.live.health().get(source.name)
    stands = [row for row in reading.backdrops(reader_of(request), source.name) if row.withdrawn_ms is None]
    silent = _heard(request, source.name) is None
    if line is None:
        state = "nothing heard yet"
    elif line.fault:
        state = "fault"
    else:
        state = "silent" if silent else "fine"
    standing = house.standing()
    return SourceHealth(
        name=source.name,
        place=source.place.name,
        state=state,
        fault=line.fault if line else None,
        seen_ms=line.at_ms if line else None,
        fps_in=None if line is None or silent else round(line.fps_in, 1),
        open_share=None if line is None or silent else round(line.open_share, 3),
        frames=line.frames if line else 0,
        decoded=line.decoded if line else 0,
        inferences=line.inferences if line else 0,
        dropped=dict(line.dropped) if line else {},
        gate=line.gate if line else "",
        group_ms=line.group_ms if line else None,
        kbit_s=round(line.kbit_s, 1) if line and not silent and line.kbit_s else None,
        cpu_seconds=line.cpu_seconds if line else 0.0,
        notes=line.notes if line else (),
        backdrop_ready=round(line.backdrop_ready, 3) if line else None,
        backdrop_ms=stands[0].confirmed_ms if stands else None,
        scene=line.scene if line and not silent else "",
        unsure=line.unsure if line and not silent else "nothing is heard from it",
        proposal_waits=_proposal(request, source.name) is not None,
        not_met=tuple(each.words for each in failing(reader_of(request), source.name)),
        analytics=tuple(running(standing, charter, a, now) for a in charter.analytics_of(source.name)),
    )


def health_of(request: Request, name: str) -> SourceHealth:
    """How one source is now.

    Raises:
        NotFound: no such source in the charter.
    """
    source = source_of(request, name)
    charter = house_of(request).standing().charter
    assert charter is not None  # it has the source
    return _health(request, charter, source)


@twin(router, "/sources")
def sources(request: Request) -> Response:
    """Every source of the charter: what comes in, what was dropped and why, what runs and until when."""
    charter = house_of(request).standing().charter
    found = [_health(request, charter, source) for source in charter.sources] if charter else []
    data = {"now_ms": house_of(request).clock.now(), "charter": charter is not None, "sources": found}
    return page(
        request,
        "sources/list.html",
        {
            **data,
            "_may_confirm": may(request, May.CONFIRM_BACKDROP),
            "_may_draw": may(request, May.EDIT_DRAFT),
            "_title_of": title_of,
        },
    )


@router.get("/sources/events")
async def events(request: Request) -> Response:
    """A line about each source, once a second."""

    def shape(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return {key: value for key, value in event.items() if key != "topic"}

    return stream(request, "health", shape)


def source_of(request: Request, name: str) -> Source:
    """The source of the charter called ``name``.

    Raises:
        NotFound: there is none.
    """
    charter = house_of(request).standing().charter
    for source in charter.sources if charter else ():
        if source.name == name:
            return source
    raise NotFound


def _digest(proposal: BackdropProposal) -> str:
    return sha256(proposal.png).hex()


def _proposal(request: Request, name: str) -> BackdropProposal | None:
    """The picture that nobody has answered yet; None once it, or a later one of the same view, was confirmed."""
    found = house_of(request).live.proposal(name)
    if found is None or found.trouble:
        return None
    later = any(
        row.scene == found.scene and row.confirmed_ms > found.at_ms
        for row in reading.backdrops(reader_of(request), name)
    )
    return None if later else found


def age(ms: int) -> str:
    """How old something is, in words: less than a minute, 5 minutes, 3 hours, 12 days."""
    for least, unit, word in ((48 * HOUR, 24 * HOUR, "day"), (2 * HOUR, HOUR, "hour"), (MINUTE, MINUTE, "minute")):
        if ms >= least:
            return plural(ms // unit, word)
    return "less than a minute"


@dataclass(frozen=True, slots=True)
class ConfirmedView:
    """One confirmed view of a source, as the operator's page lists it.

    Attributes:
        age: how long ago it was confirmed, in words.
        renewed_ms: when parts of it were renewed last; None where all of it is as it was confirmed.
        here: whether it is in front of the camera now.
    """

    id: int
    scene: str
    title: str
    confirmed_ms: int
    age: str
    renewed_ms: int | None
    here: bool


def title_of(scene: str) -> str:
    """What a view is called on screen: Daylight, Infrared, Daylight 2."""
    first, _, number = scene.partition("-")
    return f"{_TITLES.get(first, first.capitalize())} {number}".strip()


def _views(request: Request, name: str) -> tuple[ConfirmedView, ...]:
    line = _heard(request, name)
    return tuple(
        ConfirmedView(
            each.id,
            each.scene,
            title_of(each.scene),
            each.confirmed_ms,
            age(house_of(request).clock.now() - each.confirmed_ms),
            each.made_ms if each.made_ms > each.confirmed_ms else None,
            line is not None and line.scene == each.scene,
        )
        for each in all_confirmed(reader_of(request), name)
    )


@twin(router, "/sources/{name}/backdrop")
def backdrop(request: Request, name: str, asked: bool = False) -> Response:
    """The proposed picture, large; what confirming does, who will see it, and how to take it back.

    A picture that was confirmed is proposed no more. A new one is asked for by itself where none was ever asked for, or
    where no view is confirmed; else when somebody presses the button (``asked``).
    """
    source, live = source_of(request, name), house_of(request).live
    proposal, views = _proposal(request, name), _views(request, name)
    last = live.proposal(name)
    trouble = last.trouble if last is not None else ""
    waiting = proposal is None and not trouble and (asked or not views or last is None)
    if waiting and not asked:
        live.ask_proposal(name)
    line = _heard(request, name)
    shown = None
    if proposal is not None:
        shown = {
            "sha256": _digest(proposal),
            "at_ms": proposal.at_ms,
            "ready": round(proposal.ready, 3),
            "scene": proposal.scene,
            "title": title_of(proposal.scene),
        }
    return page(
        request,
        "sources/backdrop.html",
        {
            "source": name,
            "place": source.place.name,
            "proposal": shown,
            "size": live.size(name),
            "now_ms": house_of(request).clock.now(),
            "views": views,
            "latest": max(views, key=lambda view: (view.confirmed_ms, view.id), default=None),
            "waiting": waiting,
            "trouble": trouble,
            "scene": line.scene if line else "",
            "unsure": line.unsure if line else "nothing is heard from it",
            "before": reading.backdrops(reader_of(request), name),
            "_title_of": title_of,
            "_sentence": SENTENCE,
        },
    )


@router.get("/sources/{name}/backdrop/proposal.png")
def proposal_png(request: Request, name: str) -> Response:
    """The picture as learned so far; only the operator sees it."""
    source_of(request, name)
    proposal = _proposal(request, name)
    if proposal is None:
        raise Problem("There is no proposed picture yet.", fix="Ask for one; it arrives within a second.")
    return Response(proposal.png, media_type="image/png")


def scene_png(request: Request, name: str, scene: str = DAY) -> bytes:
    """The confirmed empty scene of one view; black where the charter in force never sees, confirmed before it or not.

    Raises:
        NotFound: none is confirmed.
    """
    found = confirmed(reader_of(request), name, scene)
    if found is None:
        raise NotFound
    charter = house_of(request).standing().charter
    source = next((each for each in charter.sources if each.name == name), None) if charter else None
    if source is None or not source.never_see:
        return found.png
    backdrop, drawn = Backdrop.from_png(found.png), source.picture
    size = (drawn.width, drawn.height) if drawn else house_of(request).live.size(name) or backdrop.size
    return without(backdrop, size, [area.corners for area in source.never_see]).to_png()


@router.get("/sources/{name}/backdrop/view.png")
def view_png(request: Request, name: str, scene: str = DAY) -> Response:
    """The confirmed empty scene of one view."""
    source_of(request, name)
    return Response(scene_png(request, name, scene), media_type="image/png")


@router.post("/sources/{name}/backdrop/propose")
def propose(request: Request, name: str, scene: Annotated[str, Form()] = "") -> Response:
    """Ask the worker for the picture of a view as it has learned it by now; it begins to learn, if need be."""
    source_of(request, name)
    house_of(request).live.ask_proposal(name, scene)
    return RedirectResponse(f"/sources/{name}/backdrop?asked=true", status_code=303)


@router.post("/sources/{name}/backdrop/confirm")
def confirm(
    request: Request,
    name: str,
    picture: Annotated[str, Form()],
    nobody: Annotated[bool, Form()] = False,
) -> Response:
    """Confirm exactly the picture that was shown; a newer one is refused, for nobody has looked at it."""
    house = house_of(request)
    source_of(request, name)
    if not nobody:
        raise BadInput(
            "The sentence under the picture was not ticked, so nothing was published.",
            fix="Look at the whole picture. Tick the sentence only if it is true.",
        )
    proposal = _proposal(request, name)
    last = house.live.proposal(name)
    if proposal is None and last is not None and not last.trouble:
        raise Problem(
            "This picture, or a later one of the same view, was confirmed already, so nothing was done.",
            fix="Look at the confirmed view; ask for a new picture if it is no longer right.",
        )
    if proposal is None or not hmac.compare_digest(_digest(proposal), picture):
        raise Problem(
            "The picture has changed since you looked at it, so nothing was published.",
            fix="Look at the new picture and decide again.",
        )
    permit = permit_for(request, ConfirmBackdrop(name))
    done = confirm_backdrop(house.acting, grant_of(request), permit, name, proposal.png, proposal.scene)
    house.backdrop_changed(name, proposal.scene)
    if wants_data(request):
        return as_json({"backdrop": done.value, "receipts": receipts_json(done.receipts)})
    return RedirectResponse(f"/sources/{name}/backdrop", status_code=303)


@router.post("/sources/{name}/backdrop/withdraw")
def withdraw(request: Request, name: str, scene: Annotated[str, Form()] = DAY) -> Response:
    """Make one view grey again."""
    house = house_of(request)
    source_of(request, name)
    done = withdraw_backdrop(house.acting, grant_of(request), permit_for(request, ConfirmBackdrop(name)), name, scene)
    house.backdrop_changed(name, scene)
    if wants_data(request):
        return as_json({"receipts": receipts_json(done.receipts)})
    return RedirectResponse(f"/sources/{name}/backdrop", status_code=303)
