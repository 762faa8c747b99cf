"""Notices to destinations outside: what did not arrive and why, and what a person does about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import RedirectResponse

from watchglass.acts.give_up_notice import give_up_notice
from watchglass.acts.notices import Fate, Notice, Status, asked_of, latest, the_notice, undelivered
from watchglass.acts.retry_notice import retry_notice
from watchglass.acts.try_destination import try_destination
from watchglass.charter.model import Destination
from watchglass.charter.permit import TryDestination
from watchglass.core.errors import BadInput
from watchglass.ledger.receipt import Receipt
from watchglass.web.portal.answers import wants_data
from watchglass.web.portal.context import grant_of, house_of, permit_for, reader_of, receipts_json
from watchglass.web.portal.render import as_json, page
from watchglass.web.portal.twins import twin

router: Final = APIRouter(include_in_schema=False)

STATUS_WORDS: Final[Mapping[Status, str]] = {
    Status.UNCONFIRMED: "not confirmed yet",
    Status.CONFIRMED: "confirmed",
    Status.REJECTED: "rejected, stand down",
    Status.UNSURE: "nobody could tell",
    Status.WITHDRAWN: "taken back, stand down",
    Status.NOTHING: "nothing",
    Status.TEST: "a test",
    Status.STOPPED: "stopped by its limit",
    Status.RESUMED: "runs again after its limit stopped it",
}
FATE_WORDS: Final[Mapping[Fate | None, str]] = {
    Fate.DELIVERED: "delivered",
    Fate.UNDELIVERED: "not delivered",
    Fate.OVERTAKEN: "overtaken by newer news",
    Fate.WITHHELD: "withheld",
    Fate.GIVEN_UP: "given up",
    Fate.NOTHING: "nothing to send",
    None: "being tried",
}


def line_of(notice: Notice) -> dict[str, object]:
    """One notice as staff see it: which rule and whom, never what was seen."""
    return {
        "id": notice.id,
        "destination": notice.destination,
        "analytic": notice.analytic,
        "status": notice.status,
        "says": STATUS_WORDS[notice.status],
        "fate": FATE_WORDS[notice.outcome] if notice.outcome or notice.tries else "waiting",
        "delivered": notice.outcome is Fate.DELIVERED,
        "made_ms": notice.made_ms,
        "settled_ms": notice.settled_ms,
        "tries": notice.tries,
        "cause": notice.cause,
        "stuck": notice.stuck,
    }


@twin(router, "/notices")
def notices(request: Request) -> Response:
    """What did not arrive first; then the destinations of the charter, and what was sent last."""
    house, reader = house_of(request), reader_of(request)
    charter, secrets = house.standing().charter, frozenset(house.secrets.names())
    return page(
        request,
        "notices/list.html",
        {
            "undelivered": [line_of(notice) for notice in undelivered(reader)],
            "destinations": [_destination(each, secrets) for each in (charter.destinations if charter else ())],
            "latest": [line_of(notice) for notice in latest(reader)],
        },
    )


def _destination(known: Destination, secrets: frozenset[str]) -> dict[str, object]:
    """A destination, and the secret that this machine still lacks for it, if it does."""
    missing = known.secret if known.secret is not None and known.secret not in secrets else None
    return {"name": known.name, "kind": known.kind, "who": known.who, "missing_secret": missing}


@router.post("/notices/{notice}/again")
def again(request: Request, notice: str) -> Response:
    """Send it again, with the same id: a receiver that has it already can tell."""
    found = the_notice(reader_of(request), notice)
    done = retry_notice(house_of(request).acting, grant_of(request), permit_for(request, asked_of(found)), notice)
    return _settled(request, done.value, done.receipts)


@router.post("/notices/{notice}/give-up")
def give_up(request: Request, notice: str) -> Response:
    """Take it from the list: it no longer matters, or they know otherwise."""
    house = house_of(request)
    charter = house.standing().charter
    if charter is None:
        raise BadInput("There is no charter, and so no notice.", fix="Go back to the first page.")
    done = give_up_notice(house.acting, grant_of(request), charter, notice)
    return _settled(request, done.value, done.receipts)


@router.post("/notices/test")
def test(request: Request, destination: Annotated[str, Form()]) -> Response:
    """Send a test to a destination of the charter."""
    house = house_of(request)
    permit = permit_for(request, TryDestination(destination))
    done = try_destination(house.acting, grant_of(request), permit, house.test_of(destination))
    return _settled(request, done.value, done.receipts)


def _settled(request: Request, notice: Notice, receipts: tuple[Receipt, ...]) -> Response:
    if wants_data(request):
        return as_json({"notice": line_of(notice), "receipts": receipts_json(receipts)})
    return RedirectResponse("/notices", status_code=303)
