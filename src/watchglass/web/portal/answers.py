"""What the portal answers when something is in the way: the core's errors, and the few that only HTTP has."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify, Problem, Refused, WatchglassError
from watchglass.web.portal.render import as_json, page

_log: Final = logging.getLogger(__name__)


class NotSignedIn(WatchglassError):
    """Only for people who are signed in."""

    def __init__(self) -> None:
        super().__init__("You are not signed in (any more), so nothing was done.", fix="Sign in and do it again.")


class NotFound(WatchglassError):
    """No such page, or not with that method."""

    def __init__(self, methods: Sequence[str] = ()) -> None:
        super().__init__(
            "This page does not take that kind of request." if methods else "There is no such page.",
            fix="Check the address, or start from the first page.",
        )
        self.methods = tuple(methods)


class Unacceptable(WatchglassError):
    """The request is not one that a page of ours makes."""


class TooLarge(WatchglassError):
    """The request's body is over the limit."""

    def __init__(self, largest: int) -> None:
        super().__init__(
            f"This is more than {largest // 1024:,} kB, so nothing was done.", fix="Shorten it and send it again."
        )


class TooMany(WatchglassError):
    """Over a rate limit."""

    def __init__(self) -> None:
        super().__init__(
            "There were too many requests from your address.", fix="Wait a minute and try again; sign-ins, 15 minutes."
        )


_STATUS: Final = (
    (NotSignedIn, 401),
    (Unacceptable, 403),
    (Refused, 403),
    (TooLarge, 413),
    (TooMany, 429),
    (CannotRecord, 503),
    (BadInput, 400),
    (DidNotVerify, 400),
    (Problem, 409),
)


def status_of(error: WatchglassError) -> int:
    """The HTTP status that says the same as the error."""
    if isinstance(error, NotFound):
        return 405 if error.methods else 404
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


_TITLES: Final = {
    400: "That cannot be used",
    401: "Please sign in",
    403: "Refused",
    404: "Not found",
    405: "Not this way",
    409: "Not possible now",
    413: "Too much at once",
    429: "Too many at once",
    503: "It could not be recorded, so it was not done",
}


def wants_data(request: Request) -> bool:
    """Whether the answer should be JSON: the data twin of a page, the API, or a script of ours that says so."""
    path = request.url.path
    if path.endswith(".json") or path.startswith("/api/"):
        return True
    return request.headers.get("accept", "").partition(",")[0].partition(";")[0].strip() == "application/json"


def answer(request: Request, error: WatchglassError) -> Response:
    """The error as a page that says what happened, what was kept and what to do next; or as JSON."""
    status = status_of(error)
    headers = {"allow": ", ".join(error.methods)} if isinstance(error, NotFound) and error.methods else {}
    if wants_data(request):
        return as_json(error.as_json(), status=status, headers=headers)
    data = {
        **error.as_json(),
        "_title": _TITLES.get(status, "Something went wrong"),
        "_status": status,
        "_reasons": getattr(error, "reasons", ()),
    }
    try:
        return page(request, "errors/error.html", data, status=status, headers=headers)
    except Exception:  # noqa: BLE001  # the frame of a page asks what stands; that may be just what is broken
        _log.warning("an error page could not be drawn; answering in plain text")
        text = f"{data['_title']}\n\n{error.message}\n\n{error.fix}\n"
        return Response(text, status_code=status, media_type="text/plain; charset=utf-8", headers=headers)
