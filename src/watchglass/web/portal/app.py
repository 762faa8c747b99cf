"""The portal as one ASGI application around a ``House``."""

from __future__ import annotations

from importlib import metadata
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response

from watchglass.access.policies import Policies, policies_of
from watchglass.bootstrap import House
from watchglass.core.errors import BadInput, WatchglassError
from watchglass.web.portal import (
    accounts,
    api,
    drills,
    files,
    notices,
    oversight,
    public,
    quality,
    recalibrating,
    releases,
    reports,
    respond,
    reviewing,
    samples,
    source_page,
    sources,
    staff,
    zones,
)
from watchglass.web.portal.answers import NotFound, answer
from watchglass.web.portal.routes import Table, check
from watchglass.web.portal.security import Address, Guard, Paces, Wall
from watchglass.web.portal.session import Sessions

_PARTS: Final = (
    public,
    quality,
    recalibrating,
    staff,
    reviewing,
    samples,
    respond,
    notices,
    drills,
    reports,
    sources,
    source_page,
    zones,
    oversight,
    releases,
    accounts,
    api,
    files,
)


def create_app(house: House, address: Address | None = None) -> FastAPI:
    """The portal of ``house``.

    Args:
        address: the names that it answers to, and whether browsers come by https; without it loopback and http.

    Raises:
        BadInput: the rules of access under the charter in force do not fit together.
        RuntimeError: an endpoint has no rule in the route table (deny by default begins here).
    """
    address = address or Address()
    table, paces = Table(), Paces()
    sessions = Sessions(house.store, house.clock, house.entropy, secure=address.https)

    def policies() -> Policies:
        return policies_of(house.standing().charter)

    policies()  # checked at the start, and not first when somebody asks
    app = FastAPI(
        title="Watchglass",
        version=metadata.version("watchglass"),
        description=api.DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(Wall, address=address, paces=paces, table=table, answer=answer),
            Middleware(Guard, address=address, sessions=sessions, table=table, policies=policies),
        ],
    )
    app.state.house = house
    app.state.sessions = sessions
    app.state.paces = paces
    for part in _PARTS:
        app.include_router(part.router)
    app.add_exception_handler(WatchglassError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    check(app)
    return app


async def _known(request: Request, error: Exception) -> Response:
    assert isinstance(error, WatchglassError)
    return answer(request, error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    where = ", ".join(sorted({str(part["loc"][-1]) for part in error.errors()}))  # never the value itself
    return answer(
        request,
        BadInput(f"Something in this request cannot be used: {where}.", fix="Go back, correct it and send it again."),
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return answer(request, NotFound())
