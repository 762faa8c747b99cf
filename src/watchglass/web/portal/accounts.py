"""Signing in and out, one's own account, and the administrator's list of accounts (never a picture)."""

from __future__ import annotations

import hashlib
import logging
from typing import Annotated, Final, cast

from fastapi import APIRouter, Form, Request, Response
from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from starlette.responses import RedirectResponse

from watchglass.access.authorise import may_all
from watchglass.access.passwords import LONGEST_BYTES, first_password, good_enough, hash_password
from watchglass.access.roles import May, Person, Role
from watchglass.acts import reading
from watchglass.acts.accounts import change_password, change_roles, close_account, open_account
from watchglass.core.errors import BadInput, DidNotVerify, Refused
from watchglass.web.portal.answers import TooMany
from watchglass.web.portal.context import grant_of, house_of, person_of, reader_of, session_of, sessions_of
from watchglass.web.portal.render import page
from watchglass.web.portal.security import Paces, client, local_path
from watchglass.web.portal.twins import twin

router: Final = APIRouter(include_in_schema=False)

_log: Final = logging.getLogger(__name__)
_PER_NAME_AND_ADDRESS: Final = RateLimitItemPerMinute(8, 15)
_PER_NAME: Final = RateLimitItemPerHour(100)
"""Per name alone the limit is wide, so that a stranger cannot lock a reviewer out by guessing."""

_FIRST_PAGE: Final = (
    (May.SEE_QUEUE, "/review"),
    (May.RESPOND, "/respond"),
    (May.SEE_EVERYTHING_DONE, "/oversight"),
    (May.SEE_SOURCES, "/sources"),
    (May.MANAGE_ACCOUNTS, "/accounts"),
    (May.SEE_STAFF_FIGURES, "/figures"),
)

ROLE_WORDS: Final[dict[Role, str]] = {
    Role.REVIEWER: "decides about alerts; sees mosaicked clips",
    Role.RESPONDER: "goes there; sees painted stills of what was handed over",
    Role.SHIFT_LEAD: "decides, and sees the figures and the sources",
    Role.OPERATOR: "keeps the sources well; confirms empty scenes",
    Role.CUSTODIAN: "holds a key; nothing to do in this version",
    Role.INVESTIGATOR: "opens cases and requests original video, with a key of their own; nothing to do here",
    Role.PRIVACY_OFFICER: "sees the figures",
    Role.ANALYST: "nothing to do in this version",
    Role.CLERK: "nothing to do in this version",
    Role.OVERSIGHT: "sees everything that was done; takes the sealed openings",
    Role.ADMINISTRATOR: "manages accounts; sees no picture",
}


def home_of(person: Person) -> str:
    """The place that is this person's."""
    return next((path for what, path in _FIRST_PAGE if what in may_all(person)), "/account")


@router.get("/login")
def login_page(request: Request, next: str = "/") -> Response:  # noqa: A002  # the query's name
    """Who are you? Sets no cookie."""
    if request.state.person is not None:
        return RedirectResponse(home_of(request.state.person), status_code=303)
    return page(request, "session/login.html", {"next": local_path(next), "name": "", "error": ""})


@router.post("/login")
def login(
    request: Request,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002  # the field's name
) -> Response:
    """Check the password; open a fresh session. A wrong name and a wrong password look and last the same."""
    name, target = name.strip().casefold()[:64], local_path(next)
    _slowly(request, name)
    try:
        if len(password.encode("utf-8", "replace")) > LONGEST_BYTES:
            raise DidNotVerify("This name and password do not belong together.", fix="Check both and try again.")
        person, token = sessions_of(request).sign_in(name, password)
    except DidNotVerify as error:
        _log.info("a sign-in from %s failed", client(request.scope))
        data = {"next": target, "name": name, "error": error.message}
        return page(request, "session/login.html", data, status=401)
    old = request.state.session
    if old is not None:
        sessions_of(request).close(old)
    response = RedirectResponse(target if target != "/" else home_of(person), status_code=303)
    sessions_of(request).give(response, token)
    return response


def _slowly(request: Request, name: str) -> None:
    paces = cast("Paces", request.app.state.paces)
    key = hashlib.sha256(name.encode()).hexdigest()  # a password typed into the wrong field stays nowhere
    alone = paces.take(_PER_NAME_AND_ADDRESS, "login", key, client(request.scope))
    if not alone or not paces.take(_PER_NAME, "login", key):
        raise TooMany


@router.post("/logout")
def logout(request: Request) -> Response:
    """End the session here and now."""
    sessions_of(request).close(session_of(request))
    response = RedirectResponse("/", status_code=303)
    sessions_of(request).take(response)
    response.headers["clear-site-data"] = '"cache", "storage"'
    return response


@twin(router, "/account")
def own_account(request: Request) -> Response:
    """What I am here, and my password."""
    return _own(request)


def _own(request: Request, *, errors: tuple[tuple[str, str], ...] = (), status: int = 200) -> Response:
    person = person_of(request)
    roles = [{"role": role, "words": ROLE_WORDS[role]} for role in sorted(person.roles)]
    data = {"name": person.name, "roles": roles, "expires_ms": session_of(request).expires_ms, "errors": errors}
    return page(request, "accounts/own.html", data, status=status)


@router.post("/account")
def new_password(
    request: Request,
    old: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Change one's own password; ends every session of the account and opens a fresh one here."""
    house, sessions, person = house_of(request), sessions_of(request), person_of(request)
    _slowly(request, person.name)
    try:
        sessions.check(person.account, old)
    except DidNotVerify:
        return _own(request, errors=(("old", "This is not your password of now."),), status=400)
    if new != again:
        return _own(request, errors=(("again", "The two new passwords differ."),), status=400)
    try:
        chosen = hash_password(good_enough(new, person.name), house.entropy)
    except BadInput as error:
        return _own(request, errors=(("new", f"{error.message} {error.fix}"),), status=400)
    change_password(house.acting, grant_of(request), person.name, chosen)
    _, token = sessions.sign_in(person.name, new)
    response = RedirectResponse("/account", status_code=303)
    sessions.give(response, token)
    return response


@twin(router, "/accounts")
def accounts(request: Request) -> Response:
    """Every account: name, roles, since when."""
    return _list(request)


def _list(
    request: Request, *, made: tuple[str, str] | None = None, errors: tuple[tuple[str, str], ...] = ()
) -> Response:
    data = {
        "accounts": reading.accounts(reader_of(request)),
        "roles": [{"role": role, "words": words} for role, words in ROLE_WORDS.items()],
        "errors": errors,
        "_made": made,
        "_me": person_of(request).account,
    }
    return page(request, "accounts/list.html", data, status=400 if errors else 200)


@router.post("/accounts")
def open_new(
    request: Request,
    name: Annotated[str, Form()] = "",
    roles: Annotated[list[Role], Form()] = [],  # noqa: B006  # read only
) -> Response:
    """Open an account with a first password, which is shown once."""
    house, password = house_of(request), first_password(house_of(request).entropy)
    name = name.strip()
    try:
        open_account(house.acting, grant_of(request), name, roles, hash_password(password, house.entropy))
    except BadInput as error:
        return _list(request, errors=(("name", f"{error.message} {error.fix}"),))
    return _list(request, made=(name, password))


@router.post("/accounts/{account}/roles")
def other_roles(request: Request, account: int, roles: Annotated[list[Role], Form()] = []) -> Response:  # noqa: B006  # read only
    """Give an account other roles; it is signed out by that."""
    found = _other(request, account)
    change_roles(house_of(request).acting, grant_of(request), found.name, roles)
    return RedirectResponse("/accounts", status_code=303)


@router.post("/accounts/{account}/password")
def reset_password(request: Request, account: int) -> Response:
    """Give an account a new first password, shown once; it is signed out by that."""
    house, found = house_of(request), _other(request, account)
    password = first_password(house.entropy)
    change_password(house.acting, grant_of(request), found.name, hash_password(password, house.entropy))
    return _list(request, made=(found.name, password))


@router.post("/accounts/{account}/close")
def close(request: Request, account: int) -> Response:
    """Close an account; its sessions end at once and its name stays taken."""
    found = _other(request, account)
    close_account(house_of(request).acting, grant_of(request), found.name)
    return RedirectResponse("/accounts", status_code=303)


def _other(request: Request, account: int) -> reading.Account:
    """An open account that is not the administrator's own: nobody gives themselves a role."""
    found = reading.account(reader_of(request), account)
    if found.id == person_of(request).account:
        raise Refused(
            "Nobody changes their own roles or closes their own account.",
            fix="Ask another administrator, or use `watchglass user` on the machine itself.",
        )
    return found
