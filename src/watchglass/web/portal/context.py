"""What every handler of the portal needs from its request: the house, the person's grant, the charter's permit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any, Final, cast

from anyio import to_thread
from fastapi import Request
from starlette.responses import StreamingResponse

from watchglass.access.authorise import authorise, may_all
from watchglass.access.policies import Policies
from watchglass.access.roles import Grant, May, Person
from watchglass.acts.standing import standing_of
from watchglass.bootstrap import House
from watchglass.charter.decide import decide
from watchglass.charter.permit import Permit
from watchglass.charter.permit import Request as Asked
from watchglass.core.digest import unb64
from watchglass.ledger.receipt import Receipt
from watchglass.records.outbox import Reader
from watchglass.web.portal.session import Session, Sessions

KEEP_ALIVE: Final = 15.0
"""Seconds of silence after which an open stream says that it is still there."""


def house_of(request: Request) -> House:
    """The deployment that this portal belongs to."""
    return cast("House", request.app.state.house)


def sessions_of(request: Request) -> Sessions:
    return cast("Sessions", request.app.state.sessions)


def reader_of(request: Request) -> Reader:
    return cast("Reader", house_of(request).store.read())


def grant_of(request: Request) -> Grant:
    """The grant that the guard gave for this endpoint."""
    return cast("Grant", request.state.grant)


def further_grant(request: Request, what: May) -> Grant:
    """The grant of something else that the same person does along with it.

    Raises:
        Refused: they may not.
    """
    return authorise(person_of(request), what, under=cast("Policies", request.state.policies))


def session_of(request: Request) -> Session:
    """The session; the guard lets nobody through to here without one."""
    return cast("Session", request.state.session)


def person_of(request: Request) -> Person:
    return session_of(request).person


def may(request: Request, what: May) -> bool:
    """Whether the person who asks may also do ``what``: for links to further pages."""
    person = cast("Person | None", request.state.person)
    return person is not None and what in may_all(person)


def permit_for(request: Request, asked: Asked, *, under: str = "") -> Permit:
    """The charter's yes to ``asked`` now.

    Args:
        under: the digest of the charter that raised the alert, where an alert is to be finished; a newer charter may
            no longer know its analytic, and people must still be able to do their duty.

    Raises:
        Refused: it says no.
    """
    house = house_of(request)
    stands = house.standing()
    if under and stands.charter is not None and stands.charter.digest != under:
        raised_by = unb64(under, length=32)
        size = house.cosigned_size()
        stands = standing_of(reader_of(request), raised_by, deployment=house.kind, cosigned_size=size)
    return decide(stands, asked, house.clock.now())


def receipts_json(receipts: Iterable[Receipt]) -> list[dict[str, object]]:
    """What the person holds after an act."""
    return [
        {"issued_ms": receipt.issued_ms, "merge_by_ms": receipt.merge_by_ms, "receipt": receipt.as_json()}
        for receipt in receipts
    ]


Shape = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]


def stream(request: Request, topic: str, shape: Shape) -> StreamingResponse:
    """Server-sent events of ``topic``, each as ``shape`` lets it through (None: not at all).

    Ends when the session does, so that an open page outlives neither a sign-out nor a change of roles.
    """
    house, sessions, session = house_of(request), sessions_of(request), session_of(request)

    async def events() -> AsyncIterator[bytes]:
        subscription = house.bus.subscribe(topic)
        try:
            yield b"retry: 2000\n\n"
            while not subscription.closed:
                event = await subscription.next(KEEP_ALIVE)
                if event is None:
                    if subscription.closed or not await to_thread.run_sync(sessions.still, session):
                        return
                    yield b": still here\n\n"
                    continue
                shown = event if event["type"] == "resync" else shape(event)
                if shown is not None:
                    yield f"data: {json.dumps(shown)}\n\n".encode()
        finally:
            subscription.close()

    return StreamingResponse(events(), media_type="text/event-stream", headers={"x-accel-buffering": "no"})
