"""A witness over HTTP: it cosigns (c2sp.org/tlog-witness), shows its evidence, and keeps what oversight lodges."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final, Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from watchglass.core.errors import BadInput, DidNotVerify, Refused, WatchglassError
from watchglass.ledger.fork import Fork
from watchglass.ledger.keys import VerifierKey
from watchglass.ledger.lodging import MAX_BODY_BYTES
from watchglass.ledger.witness import MAX_REQUEST_BYTES, SIZE_CONTENT_TYPE, NotCosigned

_JSON: Final = "application/json"
_DIGITS: Final = 9
_FOREIGN: Final = {"x-content-type-options": "nosniff", "content-security-policy": "default-src 'none'"}
"""What others sent is shown as text and nothing else."""


class Shelf(Protocol):
    """What was lodged with the witness."""

    @property
    def oversight(self) -> tuple[VerifierKey, ...]: ...

    def lodge(self, body: bytes) -> bytes: ...

    def listed(self, folder: str, start: int = 0) -> dict[str, Any] | None: ...

    def one(self, folder: str, n: int) -> bytes | None: ...


class Witness(Protocol):
    """The witness behind the server."""

    @property
    def key(self) -> VerifierKey:
        """Its public key."""
        ...

    @property
    def origins(self) -> tuple[str, ...]:
        """The logs it watches."""
        ...

    @property
    def shelf(self) -> Shelf:
        """What was lodged with it."""
        ...

    def add_checkpoint(self, body: bytes) -> bytes:
        """Signature lines for a request, or ``NotCosigned``; memory is durable before this returns."""
        ...

    def evidence(self) -> list[tuple[str, Fork]]:
        """The contradictions that it kept, by name."""
        ...


class _Pages:
    """What is answered to whom."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    async def add_checkpoint(self, request: Request) -> Response:
        try:
            body = await _body(request, MAX_REQUEST_BYTES)
        except WatchglassError as error:
            return _told(error)
        try:
            return PlainTextResponse(await run_in_threadpool(self._witness.add_checkpoint, body))
        except NotCosigned as refusal:
            if refusal.size is not None:
                return Response(f"{refusal.size}\n", refusal.status, headers={"content-type": SIZE_CONTENT_TYPE})
            return PlainTextResponse(f"{refusal.message}\n", refusal.status)
        except WatchglassError as error:  # its own memory was changed, or cannot be written
            return PlainTextResponse(f"{error.message}\n", HTTPStatus.INTERNAL_SERVER_ERROR)

    async def lodge(self, request: Request) -> Response:
        try:
            body = await _body(request, MAX_BODY_BYTES)
            return PlainTextResponse(await run_in_threadpool(self._witness.shelf.lodge, body))
        except WatchglassError as error:
            return _told(error)

    async def lodged(self, request: Request) -> Response:
        try:
            start = _number(request.query_params.get("from", "0"))
            found = await run_in_threadpool(self._witness.shelf.listed, request.path_params["folder"], start)
        except WatchglassError as error:
            return _told(error)
        return _not_here() if found is None else JSONResponse(found, headers=_FOREIGN)

    async def one_lodged(self, request: Request) -> Response:
        try:
            number = _number(request.path_params["n"])
            found = await run_in_threadpool(self._witness.shelf.one, request.path_params["folder"], number)
        except WatchglassError as error:
            return _told(error)
        return _not_here() if found is None else Response(found, media_type=_JSON, headers=_FOREIGN)

    async def evidence(self, _: Request) -> Response:
        try:
            found = await run_in_threadpool(self._witness.evidence)
        except WatchglassError as error:
            return _told(error)
        return JSONResponse([{"name": name, "sentence": fork.sentence} for name, fork in found], headers=_FOREIGN)

    async def one_evidence(self, request: Request) -> Response:
        try:
            found = dict(await run_in_threadpool(self._witness.evidence)).get(request.path_params["name"])
        except WatchglassError as error:
            return _told(error)
        return _not_here() if found is None else Response(found.encode(), media_type=_JSON, headers=_FOREIGN)

    async def about(self, _: Request) -> Response:
        witness = self._witness
        try:
            found = await run_in_threadpool(witness.evidence)
            kept = "".join(f"evidence/{name}\n  {fork.sentence}\n" for name, fork in found)
        except WatchglassError as error:
            kept = f"evidence cannot be read: {error.message}\n"
        logs = "".join(f"watches {origin}\n" for origin in witness.origins)
        takes = "".join(f"takes what is lodged by {key}\n" for key in witness.shelf.oversight)
        head = f"A Watchglass witness (c2sp.org/tlog-witness).\n{witness.key}\n"
        return PlainTextResponse(f"{head}{logs}{takes}{kept}", headers=_FOREIGN)


def make_app(witness: Witness) -> Starlette:
    """The server of ``witness``."""
    pages = _Pages(witness)
    return Starlette(
        routes=[
            Route("/add-checkpoint", pages.add_checkpoint, methods=["POST"]),
            Route("/lodge", pages.lodge, methods=["POST"]),
            Route("/lodged/{folder}", pages.lodged, methods=["GET"]),
            Route("/lodged/{folder}/{n}", pages.one_lodged, methods=["GET"]),
            Route("/evidence", pages.evidence, methods=["GET"]),
            Route("/evidence/{name}", pages.one_evidence, methods=["GET"]),
            Route("/", pages.about, methods=["GET"]),
        ]
    )


class _TooLong(WatchglassError):
    """The request's body is longer than it can be."""


async def _body(request: Request, most: int) -> bytes:
    """The request's body; not read on as soon as it is longer than it can be."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > most:
                raise _TooLong("The request is too long.", fix="Send a shorter one.")
    except ClientDisconnect as error:
        raise BadInput("The request was cut off.", fix="Send it again.") from error
    return bytes(body)


_STATUS: Final = (
    (_TooLong, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (BadInput, HTTPStatus.BAD_REQUEST),
    (Refused, HTTPStatus.FORBIDDEN),
    (DidNotVerify, HTTPStatus.FORBIDDEN),
)


def _told(error: WatchglassError) -> Response:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)
    return PlainTextResponse(f"{error.message}\n", status, headers=_FOREIGN)


def _not_here() -> Response:
    return PlainTextResponse("There is nothing here.\n", HTTPStatus.NOT_FOUND)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise BadInput("A number is written in digits.", fix="Count from 0.")
    return int(text)
