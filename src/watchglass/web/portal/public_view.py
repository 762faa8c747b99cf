"""The painted view: a page, a picture, the empty scene, and a stream of marks. Nothing here is a film.

What a viewer may see is decided here and nowhere in the browser. There is one time, one size and one picture of a
source, and whoever asks for another is refused.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from watchglass.acts.public_facts import ViewFacts, view_facts
from watchglass.bootstrap import House
from watchglass.core.errors import Refused
from watchglass.runtime.easel import Format, Seen
from watchglass.web.portal.answers import NotFound
from watchglass.web.portal.render import page, plain
from watchglass.web.portal.twins import twin

router: Final = APIRouter()

_TOLD: Final = ("state", "when", "pins", "people", "hidden", "backdrop", "age", "why_grey")
"""What of the facts changes while a page is open."""

_NOTHING: Final[dict[str, Any]] = {
    "state": "stopped",
    "when": "Not shown",
    "pins": [],
    "people": None,
    "hidden": False,
    "backdrop": None,
    "age": None,
    "why_grey": "This camera is not in the charter any more.",
}

_HERE: Final = b"event: here\ndata:still here\n\n"
"""Told in silence, so that a page knows a line that is lost from one that has nothing to tell."""

_ANYWHERE: Final = {"cache-control": "no-store", "cross-origin-resource-policy": "cross-origin"}
"""A public picture may stand in anybody's page; nobody may keep it, for the next one may show less."""


def facts_of(request: Request, source: str) -> ViewFacts:
    """What the public may see of ``source`` now.

    Raises:
        NotFound: no such source in the charter.
    """
    return _look(request.app.state.house, source)[0]


def _look(house: House, source: str) -> tuple[ViewFacts, Seen]:
    standing = house.standing()
    if standing.charter is None or source not in {item.name for item in standing.charter.sources}:
        raise NotFound
    seen = house.live.seen(source, standing.charter) or Seen(None, None, None)
    facts = view_facts(
        standing,
        source,
        shown=seen.shown,
        backdrop=seen.stage.token if seen.stage else None,
        confirmed_ms=seen.stage.confirmed_ms if seen.stage else 0,
        size=seen.size,
        now_ms=house.clock.now(),
    )
    return facts, seen if facts.backdrop else Seen(seen.size, None, None)


def _only(request: Request, *known: str) -> None:
    """Refuse a request that asks for something else than what there is: another time, another size, another source."""
    if set(request.query_params) - set(known):
        raise Refused(
            "The public view is one picture: of this camera, at the time and the size that the charter gives it. No "
            "other can be asked for.",
            fix="Leave out what stands behind the question mark.",
        )


# ---- pictures ------------------------------------------------------------------------------------------------------


@router.get("/view/{source}/still.png", response_model=None, include_in_schema=False)
def still(request: Request, source: str) -> Response:
    """The view as one picture, for those who can show nothing else."""
    return _painted(request, source, "png")


@router.get("/view/{source}/now.webp", response_model=None, include_in_schema=False)
def now(request: Request, source: str) -> Response:
    """The same picture, a tenth of the size."""
    return _painted(request, source, "webp")


def _painted(request: Request, source: str, kind: Format) -> Response:
    _only(request)
    house: House = request.app.state.house
    facts, seen = _look(house, source)
    picture = house.live.easel(source).now(seen, (facts.width, facts.height), kind)
    return Response(picture, media_type=f"image/{kind}", headers=_ANYWHERE)


@router.get("/view/{source}/backdrop.png", response_model=None, include_in_schema=False)
def backdrop(request: Request, source: str) -> Response:
    """The confirmed empty scene. Asked for again each time, so that a withdrawn one is gone everywhere at once.

    As WebP for browsers that say that they take it (a tenth of the size), else as PNG.
    """
    _only(request, "v")
    house: House = request.app.state.house
    facts, seen = _look(house, source)
    wanted = request.query_params.get("v")
    if seen.stage is None or wanted not in (None, seen.stage.token):
        raise Refused(
            "This empty scene is not shown now: it was replaced or withdrawn, or it is not what the camera shows.",
            fix=f"Open /view/{source}: it knows what may be shown, and says why if nothing may.",
        )
    kind: Format = "webp" if "image/webp" in request.headers.get("accept", "") else "png"
    headers = {"cache-control": "no-cache", "etag": f'"{seen.stage.token}-{kind}"', "vary": "accept"}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    picture = house.live.easel(source).empty(seen, (facts.width, facts.height), kind)
    return Response(picture, media_type=f"image/{kind}", headers=headers)


# ---- what changes --------------------------------------------------------------------------------------------------


@router.get("/view/{source}/events", response_model=None, include_in_schema=False)
async def events(request: Request, source: str) -> Response:
    """The marks as they change, as server-sent events; the charter is asked again for each change."""
    _only(request)
    facts_of(request, source)
    return StreamingResponse(
        _events(request, source), media_type="text/event-stream", headers={"x-accel-buffering": "no"}
    )


async def _events(request: Request, source: str) -> AsyncIterator[bytes]:
    """The present at once, then every change, made once for all who watch; ends when the house closes its bus.

    Pages take more than two and a half ``broadcast.PATIENCE_S`` of silence for a lost line.
    """
    house: House = request.app.state.house
    yield b"retry: 3000\n\n"
    told = house.live.broadcast.listen(
        f"view:{source}", (f"pins:{source}", "standing"), lambda: message(house, source), still_here=_HERE
    )
    async for each in told:
        yield each


def message(house: House, source: str) -> bytes:
    """What of the view of ``source`` changes, as one server-sent event."""
    try:
        shown: dict[str, Any] = plain(_look(house, source)[0])
    except NotFound:
        shown = _NOTHING
    return f"data: {json.dumps({name: shown[name] for name in _TOLD})}\n\n".encode()


@twin(router, "/view/{source}")
def view(request: Request, source: str) -> Response:
    """The painted view of one source, as large as the screen."""
    _only(request)
    return page(request, "public/view.html", {"view": facts_of(request, source)})
