"""``POST /add-checkpoint`` (c2sp.org/tlog-witness): a request goes in, signature lines or a refusal come out."""

from __future__ import annotations

from http import HTTPStatus
from typing import Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from watchglass.core.errors import WatchglassError
from watchglass.ledger.keys import VerifierKey
from watchglass.ledger.witness import MAX_REQUEST_BYTES, SIZE_CONTENT_TYPE, NotCosigned


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

    def add_checkpoint(self, body: bytes) -> bytes:
        """Signature lines for a request, or ``NotCosigned``; memory is durable before this returns."""
        ...


def make_app(witness: Witness) -> Starlette:
    """The server of ``witness``."""

    async def add_checkpoint(request: Request) -> Response:
        try:
            body = await _body(request)
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        if body is None:
            return PlainTextResponse("The request is too long.\n", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            return PlainTextResponse(await run_in_threadpool(witness.add_checkpoint, body))
        except NotCosigned as refusal:
            if refusal.size is not None:
                return Response(f"{refusal.size}\n", refusal.status, headers={"content-type": SIZE_CONTENT_TYPE})
            return PlainTextResponse(f"{refusal.message}\n", refusal.status)
        except WatchglassError as error:
            return PlainTextResponse(f"{error.message}\n", HTTPStatus.INTERNAL_SERVER_ERROR)

    async def about(_: Request) -> Response:
        logs = "".join(f"watches {origin}\n" for origin in witness.origins)
        return PlainTextResponse(f"A Watchglass witness (c2sp.org/tlog-witness).\n{witness.key}\n{logs}")

    return Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/", about, methods=["GET"]),
        ]
    )


async def _body(request: Request) -> bytes | None:
    """The request's body, or None as soon as it is longer than a request can be."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_REQUEST_BYTES:
            return None
    return bytes(body)
