"""The desk's wall: only this machine, only this browser, only our own pages.

Every request must name this address in its Host (against DNS rebinding), carry the session's cookie, and, where it
would do something, come from a page of this desk with the session's token. The cookie is given once, for the token in
the address that was printed. A cookie is not kept from other programs that listen on this machine: see ADR 0031.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput, Refused, WatchglassError

_log: Final = logging.getLogger(__name__)
LARGEST_BODY: Final = 64 * 1024
MOST_FIELDS: Final = 50
SECRET_BYTES: Final = 32
SAFE: Final = frozenset({"GET", "HEAD"})
CSP: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""No script at all, nothing from elsewhere, nothing inline, and no page of ours in anybody's frame."""
HEADERS: Final = (
    ("content-security-policy", CSP),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), display-capture=(), picture-in-picture=()"),
    ("cache-control", "no-store"),
)
OPEN: Final = "/static/"
"""What needs no session: the style of the page that says that there is none."""

Answer = Callable[[Request, WatchglassError], Response]


@dataclass
class Session:
    """The one session of a desk.

    Attributes:
        token: in the printed address, good once; "" once it was used.
        secret: in the cookie. csrf: in every form.
    """

    token: str
    secret: str
    csrf: str
    hosts: frozenset[str] = field(default_factory=frozenset)
    cookie: str = "watchglass-desk"

    @classmethod
    def fresh(cls, port: int, entropy: Entropy) -> Session:
        """A session for the desk on that port of loopback."""
        token, secret, csrf = (entropy.bytes(SECRET_BYTES).hex() for _ in range(3))
        hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})
        return cls(token, secret, csrf, hosts, f"watchglass-desk-{port}")

    def enter(self, token: str) -> bool:
        """Whether the printed token fits; it never fits again."""
        good = bool(self.token) and hmac.compare_digest(token.encode(), self.token.encode())
        if good:
            self.token = ""
        return good

    def knows(self, secret: str | None) -> bool:
        """Whether that is the cookie."""
        return secret is not None and hmac.compare_digest(secret.encode(), self.secret.encode())


class NoSession(Refused):
    """Somebody who did not come by the printed address."""


class Wall:
    """The outermost layer."""

    def __init__(self, app: ASGIApp, *, session: Session, answer: Answer) -> None:
        self._app = app
        self._session = session
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # a desk has no web sockets, and nothing to do at its start
            return

        started = False

        async def dressed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS:
                    headers[name] = value
            await send(message)

        request = Request(scope, receive)
        try:
            await self._let(request)(scope, receive, dressed)
        except WatchglassError as error:
            await self._answer(request, error)(scope, receive, dressed)
        except Exception:  # the outermost net: whatever it was, the person gets a page and the terminal the details
            _log.exception("answering %s", scope["path"])
            if started:
                raise
            await self._answer(request, _unforeseen())(scope, receive, dressed)

    def _let(self, request: Request) -> ASGIApp:
        headers = request.headers
        if headers.get("host", "") not in self._session.hosts:
            raise NoSession(
                "This desk does not answer to that name.", fix="Open the address that `watchglass desk serve` printed."
            )
        path = request.url.path
        if request.method in SAFE and path.startswith(OPEN):
            return self._app
        if request.method == "GET" and path == "/" and "token" in request.query_params:
            return self._enter(request.query_params["token"])
        if not self._session.knows(request.cookies.get(self._session.cookie)):
            raise NoSession(
                "This desk opens only by the address that was printed in the terminal, once.",
                fix="Open that address in this browser; if it was used already, stop the desk and start it again.",
            )
        if request.method not in SAFE:
            _own_page(headers, self._session.hosts)
        return self._app

    def _enter(self, token: str) -> Response:
        if not self._session.enter(token):
            raise NoSession(
                "This address was used already, or is not the one that was printed.",
                fix="Stop the desk with Ctrl-C and start it again; it prints a new address.",
            )
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._session.cookie, self._session.secret, httponly=True, samesite="strict", path="/")
        return answer


def _unforeseen() -> WatchglassError:
    return WatchglassError(
        "Something went wrong here. It is our fault, not yours.",
        fix="Look whether it was done, then try again. The terminal of this desk shows the details.",
    )


async def form(request: Request, session: Session) -> Mapping[str, str]:
    """The fields of a form of ours.

    Raises:
        BadInput: it is too large. NoSession: it does not carry the session's token.
    """
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > LARGEST_BODY:
                raise BadInput("This form is too large.", fix="Shorten what you wrote.")
    except ClientDisconnect as error:
        raise BadInput("The form did not arrive.", fix="Send it again.") from error
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, strict_parsing=True))
    except ValueError as error:
        raise BadInput("This form cannot be read.", fix="Go back, reload the page and send it again.") from error
    if not hmac.compare_digest(fields.get("csrf", "").encode(), session.csrf.encode()):
        raise NoSession("This form is out of date, so nothing was done.", fix="Go back, reload the page, try again.")
    return fields


def _own_page(headers: Headers, hosts: frozenset[str]) -> None:
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    ours = site == "same-origin"
    if site is None and origin is not None:
        ours = urlsplit(origin).netloc in hosts and origin.startswith("http://")
    if not ours:
        raise NoSession(
            "This request did not come from a page of this desk, so nothing was done.", fix="Do it on the desk itself."
        )
