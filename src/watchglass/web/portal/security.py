"""The portal's outer wall: what every request must satisfy, and what every response carries.

Two layers of plain ASGI. ``Wall`` (outermost) checks the host, the size and the pace, and sets the headers. ``Guard``
finds the request's rule in the route table, who is asking, whether they may (Cedar decides, each request anew, by the
policies of the charter in force), and, where something would change, that the request was made by our own page (same
site, and the session's token). Deny by default throughout.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from anyio import to_thread
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchglass.access.authorise import authorise, check_public
from watchglass.access.policies import Policies
from watchglass.core.errors import WatchglassError
from watchglass.web.portal.answers import NotFound, NotSignedIn, TooLarge, TooMany, Unacceptable, wants_data
from watchglass.web.portal.routes import MAX_BODY, Pace, Rule, Table
from watchglass.web.portal.session import Session, Sessions

_log: Final = logging.getLogger(__name__)

_FIELDS: Final = 1_000
"""The most fields that a form may have; the zone editor's has a handful for each thing that is drawn."""

SAFE: Final = frozenset({"GET", "HEAD"})

LIMITS: Final[Mapping[Pace, RateLimitItem]] = {
    Pace.PAGE: RateLimitItemPerMinute(1200),
    Pace.LOG: RateLimitItemPerMinute(6000),
    Pace.LOGIN: RateLimitItemPerMinute(40, 15),
    Pace.SIGNED: RateLimitItemPerMinute(30),
    Pace.ASKED: RateLimitItemPerMinute(600),
}
"""Requests per address. Twenty pages a second is a busy town hall behind one address, and little for this server."""

_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "media-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
CSP: Final = "; ".join(f"{name} {value}" for name, value in _POLICY.items())
"""No inline style or script, nothing from elsewhere, and no page of ours in anybody's frame."""

_HEADERS: Final = (
    ("content-security-policy", CSP),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
)
_HSTS: Final = "max-age=31536000; includeSubDomains"


@dataclass(frozen=True, slots=True)
class Address:
    """How the portal is reached.

    Attributes:
        hosts: the only names that a request's Host may have (without port), against DNS rebinding.
        https: whether browsers come by https (a proxy in front ends it): cookies become Secure, HSTS is sent.
    """

    hosts: frozenset[str] = frozenset({"localhost", "127.0.0.1", "::1"})
    https: bool = False

    @property
    def scheme(self) -> str:
        return "https" if self.https else "http"


class Paces:
    """Moving-window limits in memory. A restart forgets them; a second process counts for itself."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def take(self, limit: RateLimitItem, *keys: str) -> bool:
        """Count one against ``keys``; False when there were too many."""
        return self._limiter.hit(limit, *keys)


Answer = Callable[[Request, WatchglassError], Response]


class Wall:
    """Host, size, pace, headers; and the last net for what nobody foresaw."""

    def __init__(self, app: ASGIApp, *, address: Address, paces: Paces, table: Table, answer: Answer) -> None:
        self._app = app
        self._address = address
        self._paces = paces
        self._table = table
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # the portal has no web sockets
            return
        scope.setdefault("state", {})
        rule = self._table.find("GET" if scope["method"] == "HEAD" else scope["method"], scope["path"])
        started = False

        async def with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._dress(MutableHeaders(scope=message), rule)
            await send(message)

        try:
            self._check(scope, rule)
            await self._app(scope, _bounded(receive, _largest(rule)), with_headers)
        except WatchglassError as error:
            if started:
                raise
            await self._answer(Request(scope), error)(scope, receive, with_headers)
        except Exception:  # the outermost net: whatever it was, the person gets a page and the log the details
            number = secrets.token_hex(4)
            _log.exception("error %s while answering %s %s", number, scope["method"], rule.path if rule else "?")
            if started:
                raise
            await self._answer(Request(scope), Unforeseen(number))(scope, receive, with_headers)

    def _check(self, scope: Scope, rule: Rule | None) -> None:
        headers = Headers(scope=scope)
        if _host(headers.get("host", "")) not in self._address.hosts:
            raise Unacceptable(
                "This portal does not answer to that name.",
                fix="Use the address that is printed on the sign or by `watchglass run`.",
            )
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > _largest(rule):
            raise TooLarge(_largest(rule))
        pace = rule.pace if rule else Pace.PAGE
        if pace in LIMITS and not self._paces.take(LIMITS[pace], pace, client(scope)):
            raise TooMany

    def _dress(self, headers: MutableHeaders, rule: Rule | None) -> None:
        for name, value in _HEADERS:
            headers.setdefault(name, value)
        open_data = rule is not None and rule.public and rule.path != "/login"
        # forms that change something need their Origin, which "no-referrer" would make "null"
        headers.setdefault("referrer-policy", "no-referrer" if open_data else "same-origin")
        if rule is not None and rule.pace is Pace.LOG:  # the log is for everyone's verifier, in anybody's page
            headers.update({"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"})
        headers.setdefault("cross-origin-resource-policy", "same-origin")
        if self._address.https:
            headers.setdefault("strict-transport-security", _HSTS)
        if not open_data:
            headers["cache-control"] = "no-store"
        else:
            headers.setdefault("cache-control", "no-cache")


class Unforeseen(WatchglassError):
    """Something broke that has no better name; the details are in the log under ``number``."""

    def __init__(self, number: str) -> None:
        super().__init__(
            "Something went wrong here. It is our fault, not yours.",
            fix=f"Try again in a moment. If it stays, tell the operator this number: {number}.",
            number=number,
        )


class Guard:
    """Who asks, may they, and did our own page ask. Sits inside ``Wall``.

    Args:
        policies: who may do what under the charter in force now.
    """

    def __init__(
        self, app: ASGIApp, *, address: Address, sessions: Sessions, table: Table, policies: Callable[[], Policies]
    ) -> None:
        self._app = app
        self._address = address
        self._sessions = sessions
        self._table = table
        self._policies = policies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        if head:
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        request = Request(scope, receive)
        rule = self._table.find(scope["method"], scope["path"])
        token = request.cookies.get(self._sessions.cookie)
        session, under = await to_thread.run_sync(self._who, token, rule) if token else (None, None)
        scope["state"].update(session=session, person=session.person if session else None, rule=rule, policies=under)
        if rule is None or (head and rule.stream):
            raise NotFound(sorted(self._table.methods(scope["path"])))
        if rule.public:
            check_public(rule.needs)
        elif session is not None:
            scope["state"]["grant"] = authorise(session.person, rule.needs, under=under)
        elif scope["method"] == "GET" and not rule.stream and not wants_data(request):
            await _to_login(request)(scope, receive, send)
            return
        else:
            raise NotSignedIn
        if scope["method"] not in SAFE:
            receive = await self._own_page(request, rule, session, receive)
        await self._app(scope, receive, send)

    def _who(self, token: str, rule: Rule | None) -> tuple[Session | None, Policies | None]:
        """The session behind a cookie, and where it counts the policies in force. Reads the database."""
        session = self._sessions.find(token)
        return session, self._policies() if session and rule and not rule.public else None

    async def _own_page(self, request: Request, rule: Rule, session: Session | None, receive: Receive) -> Receive:
        """Refuse what another site made the browser send; hand on the body that was read for it."""
        if rule.pace in {Pace.SIGNED, Pace.ASKED}:
            return receive
        self._same_site(request.headers)
        if not rule.csrf:
            return receive
        body = await request.body()
        given = request.headers.get("x-csrf-token") or _field(request.headers, body, "csrf")
        if not given and _media_type(request.headers) == "multipart/form-data":
            sent = Request(request.scope, _again(body, receive))
            async with sent.form(max_files=1, max_fields=_FIELDS) as form:
                given = str(form.get("csrf", ""))
        if session is None or not hmac.compare_digest(given.encode(), session.csrf.encode()):
            raise Unacceptable(
                "This form is out of date, so nothing was done.",
                fix="Go back, reload the page and press the button again.",
            )
        return _again(body, receive)

    def _same_site(self, headers: Headers) -> None:
        site = headers.get("sec-fetch-site")
        origin = headers.get("origin")
        ours = site == "same-origin" if site is not None else False
        if site is None and origin is not None:
            parts = urlsplit(origin)
            ours = parts.scheme == self._address.scheme and parts.netloc == headers.get("host", "")
        if not ours:
            raise Unacceptable(
                "This request did not come from a page of this portal, so nothing was done.",
                fix="Open the portal itself and do it there.",
            )


def client(scope: Scope) -> str:
    """The address that limits count: the IPv4 address, or the /64 of an IPv6 one (one household has a whole /64)."""
    host = scope["client"][0] if scope.get("client") else "-"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def local_path(text: str) -> str:
    """``text`` if it is a path of this portal, else ``/``; so that sign-in never sends anyone elsewhere."""
    parts = urlsplit(text)
    plain = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if plain and not parts.scheme and not parts.netloc else "/"


def _host(value: str) -> str:
    try:
        return urlsplit(f"//{value}").hostname or ""
    except ValueError:
        return ""


def _to_login(request: Request) -> Response:
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/login?next={quote(request.url.path + query)}", status_code=303)


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip()


def _field(headers: Headers, body: bytes, name: str) -> str:
    if _media_type(headers) != "application/x-www-form-urlencoded":
        return ""
    try:
        pairs = parse_qsl(body.decode(), max_num_fields=_FIELDS)
    except ValueError:
        return ""
    return next((value for key, value in pairs if key == name), "")


def _largest(rule: Rule | None) -> int:
    return rule.largest if rule else MAX_BODY


def _bounded(receive: Receive, largest: int) -> Receive:
    """Stops a body that grows beyond the limit, whatever its header said."""
    seen = 0

    async def count() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > largest:
            raise TooLarge(largest)
        return message

    return count


def _again(body: bytes, receive: Receive) -> Receive:
    """Give the body once more; afterwards whatever the connection says (for example that it was closed)."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _without_body(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def only_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return only_head
