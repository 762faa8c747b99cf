"""The painted view: a page, a still picture, the empty scene, and a stream of marks. Nothing here is a film."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from typing import Any, Final

import cv2
from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from watchglass.acts.public_facts import ViewFacts, view_facts
from watchglass.views.backdrop import Backdrop
from watchglass.views.public import Image, paint
from watchglass.views.scenes import DAY
from watchglass.web.portal.answers import NotFound
from watchglass.web.portal.render import page, plain
from watchglass.web.portal.twins import twin

router: Final = APIRouter()

KEEP_ALIVE: Final = 15.0
"""Seconds of silence after which an open stream says that it is still there, and looks again whether it may go on."""

_QUALITY: Final = 75
"""Of WebP, 0 to 100: what is left to see is a quiet scene."""


def facts_of(request: Request, source: str) -> ViewFacts:
    """What the public may see of ``source`` now.

    Raises:
        NotFound: no such source in the charter.
    """
    house = request.app.state.house
    standing = house.standing()
    if standing.charter is None or source not in {item.name for item in standing.charter.sources}:
        raise NotFound
    backdrop = house.live.backdrop(source, DAY)
    return view_facts(
        standing,
        source,
        shown=house.live.pins(source),
        backdrop=backdrop[0] if backdrop else None,
        size=house.live.size(source),
        now_ms=house.clock.now(),
    )


@router.get("/view/{source}/still.png", response_model=None, include_in_schema=False)
def still(request: Request, source: str) -> Response:
    """The view as one picture, for those who can show nothing else."""
    view = facts_of(request, source)
    backdrop = request.app.state.house.live.backdrop(source, DAY) if view.backdrop else None
    shown = request.app.state.house.live.pins(source) if view.pins else None
    picture = paint(
        Backdrop.from_png(backdrop[1]) if backdrop else None,
        (view.width, view.height),
        [(x, y, kind) for x, y, kind in shown["pins"]] if shown else (),
    )
    return Response(_encoded(picture, "png"), media_type="image/png", headers={"cache-control": "no-store"})


@router.get("/view/{source}/backdrop.png", response_model=None, include_in_schema=False)
def backdrop(request: Request, source: str) -> Response:
    """The confirmed empty scene. Asked for again each time, so that a withdrawn one is gone everywhere at once.

    As WebP for browsers that say that they take it (a tenth of the size), else as PNG.
    """
    view = facts_of(request, source)
    found = request.app.state.house.live.backdrop(source, DAY)
    if view.backdrop is None or found is None:
        raise NotFound
    version, png, _ = found
    kind = "webp" if "image/webp" in request.headers.get("accept", "") else "png"
    headers = {"cache-control": "no-cache", "etag": f'"{version}-{kind}"', "vary": "accept"}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(_ground(png, kind), media_type=f"image/{kind}", headers=headers)


@lru_cache(maxsize=32)
def _ground(png: bytes, kind: str) -> bytes:
    """The empty scene as the painted view shows it: quieter than the camera's picture, grey where it is not known."""
    scene = Backdrop.from_png(png)
    return _encoded(paint(scene, scene.size, ()), kind)


def _encoded(picture: Image, kind: str) -> bytes:
    quality = [cv2.IMWRITE_WEBP_QUALITY, _QUALITY] if kind == "webp" else []
    worked, data = cv2.imencode(f".{kind}", picture, quality)
    assert worked  # both formats are built into OpenCV
    return data.tobytes()


@router.get("/view/{source}/events", response_model=None, include_in_schema=False)
async def events(request: Request, source: str) -> Response:
    """The marks as they change, as server-sent events; the charter is asked again for each of them."""
    facts_of(request, source)
    return StreamingResponse(
        _events(request, source), media_type="text/event-stream", headers={"x-accel-buffering": "no"}
    )


async def _events(request: Request, source: str) -> AsyncIterator[bytes]:
    """The present at once, then every change; ends when the house closes its bus."""
    subscription = request.app.state.house.bus.subscribe(f"pins:{source}", "standing")
    try:
        yield b"retry: 3000\n\n"
        yield _message(request, source)
        while not subscription.closed:
            event = await subscription.next(KEEP_ALIVE)
            if event is not None:
                yield _message(request, source)
            elif not subscription.closed:
                yield b": still here\n\n"
    finally:
        subscription.close()


def _message(request: Request, source: str) -> bytes:
    try:
        shown: Mapping[str, Any] = plain(facts_of(request, source))
    except NotFound:
        shown = {"state": "stopped", "when": "Not shown", "pins": [], "people": None, "hidden": False, "backdrop": None}
    kept = {name: shown[name] for name in ("state", "when", "pins", "people", "hidden", "backdrop")}
    return f"data: {json.dumps(kept)}\n\n".encode()


@twin(router, "/view/{source}")
def view(request: Request, source: str) -> Response:
    """The painted view of one source, as large as the screen."""
    return page(request, "public/view.html", {"view": facts_of(request, source)})
