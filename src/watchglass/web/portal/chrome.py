"""The frame around every page: whose place this is, its banners, the way about, and who is signed in.

It asks nothing of the database, so that a page which says that the database is gone can still be drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Final

from starlette.requests import Request

from watchglass.access.authorise import may_all
from watchglass.access.roles import May, Person
from watchglass.acts.public_facts import Notice, notices
from watchglass.web.portal.routes import Table

PUBLIC: Final = (
    ("/", "This place"),
    ("/register", "What it sees"),
    ("/how-well", "How well it works"),
    ("/charter", "The rules"),
    ("/ledger", "The ledger"),
    ("/tour", "Tour"),
)
STAFF: Final = (
    ("/review", "Queue", May.SEE_QUEUE),
    ("/doubts", "Doubts", May.SEE_DOUBTS),
    ("/respond", "To do", May.RESPOND),
    ("/notices", "Notices", May.SETTLE_NOTICES),
    ("/drills", "Drills", May.SEE_DRILLS),
    ("/reports", "Reports", May.KEEP_REPORTS),
    ("/sources", "Sources", May.SEE_SOURCES),
    ("/figures", "Figures", May.SEE_STAFF_FIGURES),
    ("/quality", "Quality", May.SEE_QUALITY),
    ("/desk", "Your desk", May.PREPARE_RELEASE),
    ("/oversight", "Everything done", May.SEE_EVERYTHING_DONE),
    ("/oversight/releases", "Originals", May.SEE_RELEASES),
    ("/oversight/misuse", "Signals", May.SEE_SIGNALS),
    ("/oversight/suspend", "Suspend", May.PREPARE_SUSPENSION),
    ("/oversight/openings", "Openings", May.TAKE_OPENINGS),
    ("/accounts", "Accounts", May.MANAGE_ACCOUNTS),
)
_PLACES: Final = frozenset(place[0] for place in (*PUBLIC, *STAFF))
_DARK: Final = ("/review", "/respond")
"""Rooms where people look at pictures for hours: dark by default."""


@dataclass(frozen=True, slots=True)
class Link:
    """One way to go. ``current`` is what aria-current says: "page", "true" for a page below, or nothing."""

    href: str
    label: str
    current: str


@dataclass(frozen=True, slots=True)
class Chrome:
    """What the base template needs on every page."""

    place: str
    deployment: str
    origin: str
    version: str
    authority: str
    contact: str
    oversight: str
    banners: tuple[Notice, ...]
    nav: tuple[Link, ...]
    staff_nav: tuple[Link, ...]
    person: str
    csrf: str
    path: str
    json_href: str
    theme: str


def chrome(request: Request) -> Chrome:
    """The frame for ``request``. Needs ``app.state.house``; takes the person from ``request.state`` if there is one."""
    house = request.app.state.house
    standing = house.standing()
    charter = standing.charter
    person: Person | None = getattr(request.state, "person", None)
    session = getattr(request.state, "session", None)
    path = request.url.path
    return Chrome(
        place=_place(charter.charter if charter else house.origin),
        deployment=house.kind,
        origin=house.origin,
        version=metadata.version("watchglass"),
        authority=charter.authority.name if charter else "",
        contact=charter.authority.contact if charter else "",
        oversight=charter.oversight.body if charter else "",
        banners=notices(standing, house.clock.now()),
        nav=tuple(_link(href, label, path) for href, label in PUBLIC),
        staff_nav=tuple(_link(href, label, path) for href, label, may in STAFF if person and may in may_all(person)),
        person=person.name if person else "",
        csrf=session.csrf if session else "",
        path=path,
        json_href=_twin(request),
        theme="dark" if path.startswith(_DARK) else "",
    )


def _place(name: str) -> str:
    """``harbour-square`` as people read it."""
    return name.replace("-", " ").capitalize() if name.islower() and "/" not in name else name


def _link(href: str, label: str, path: str) -> Link:
    if path == href:
        return Link(href, label, "page")
    below = href != "/" and path.startswith(f"{href}/") and path not in _PLACES
    return Link(href, label, "true" if below else "")


def _twin(request: Request) -> str:
    """The address of the page's data, where the route table has one."""
    path = request.url.path
    twin = "/index.json" if path == "/" else f"{path}.json"
    if request.method not in {"GET", "HEAD"} or path.endswith(".json") or _table().find("GET", twin) is None:
        return ""
    return f"{twin}?{request.url.query}" if request.url.query else twin


@cache
def _table() -> Table:
    return Table()
