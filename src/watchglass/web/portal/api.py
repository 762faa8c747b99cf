"""The programming interface: what stands, and where signed acts are handed in. Described in OpenAPI."""

from __future__ import annotations

import json
from typing import Any, Final

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from watchglass.core import canonical
from watchglass.core.digest import unb64
from watchglass.core.errors import BadInput, Refused
from watchglass.records.query import SignedQuery
from watchglass.records.statement import SignedStatement
from watchglass.web.portal.context import house_of
from watchglass.web.portal.render import as_json, page
from watchglass.web.portal.sources import running

router: Final = APIRouter(tags=["api"])

DESCRIPTION: Final = """\
What a signer's own machine and other people's programs need of this deployment.

No key, account or cookie is needed: what is public is public, and what changes something is signed (Ed25519) by a key
that the charter pins. Trust nothing here that a signature or the ledger under `/log/` does not show. Times are
milliseconds since 1970-01-01 UTC; hashes, keys and signatures are standard base64 with padding.
Errors are objects with `error`, `message` (what happened) and `fix` (what to do next).
Beside every public page there is its data: add `.json` to its address (`/index.json` for the first page).
"""


class CharterInForce(BaseModel):
    """The charter that counts now."""

    name: str = Field(description="The charter's name.")
    version: int = Field(description="Counts up with every published change.")
    sha256: str = Field(description="SHA-256 of the charter's bytes: what a signed act names.")
    first_day: str = Field(alias="from", description="The first day on which it holds (YYYY-MM-DD).")
    until: str = Field(description="The last day on which it holds, included.")
    approvals: list[str] = Field(description="Whose signatures over its bytes were verified.")
    published: str = Field(description="`cosigned` once a witness has cosigned its record; `exempt` only in a trial.")
    analytics: list[str] = Field(description="The names of its analytics.")


class AnalyticNow(BaseModel):
    """An analytic, and whether the charter lets it run now."""

    name: str
    kind: str
    source: str
    runs: bool
    until_ms: int | None = Field(description="Until when the charter lets it run if nothing changes.")
    reasons: list[str] = Field(description="Why it does not run; empty where it does.")


class SuspensionNow(BaseModel):
    """An order to stop. To lift it, sign `suspension_lifted` with its leaf hash in `refs`."""

    leaf_hash: str
    scope: str = Field(description="`all` or `analytic`.")
    analytic: str | None
    ordered: str = Field(description="When it was ordered (RFC 3339).")
    obeyed: str | None = Field(description="When nothing of it ran any more.")
    lifted: bool = Field(description="Whether a signed lifting was accepted.")
    resumed: bool = Field(description="Whether the lifting has taken effect: a witness has cosigned it.")


class ProposalNow(BaseModel):
    """What the authority says was changed."""

    leaf_hash: str
    what_changed: str
    proposed: str = Field(description="RFC 3339.")


class LimitStop(BaseModel):
    """A stop by a limit. To end it, authority and oversight sign with its leaf hash in `refs`."""

    leaf_hash: str
    stopped: str = Field(description="RFC 3339.")
    why: str = Field(description="The limit that was crossed, or `trial-expired`.")
    obeyed: str | None = Field(description="When nothing of it ran any more.")
    resumed: bool = Field(description="Oversight has signed that it may run again; it does once witnesses cosign.")
    proposals: list[ProposalNow]


class QualityNow(BaseModel):
    """How an analytic stands to its published limits."""

    analytic: str
    state: str = Field(description="`trial`, `within`, `unknown` or `suspended`.")
    says: str = Field(description="The state in words.")
    why: str
    because: str = Field(description="Why, in a sentence.")
    since: str | None = Field(description="RFC 3339; null until it was first looked at.")
    trial_ends: str | None = Field(description="When a trial ends in a suspension.")
    fewest: int = Field(description="Below so many nobody can tell.")
    alpha_each: float = Field(description="The chance with which each limit may stop an analytic that keeps it.")
    limits: dict[str, int] = Field(description="Each stated limit, in thousandths.")
    stop: LimitStop | None
    people_do: str | None = Field(description="What people do while it is stopped.")


class StandingNow(BaseModel):
    """What is in force here."""

    origin: str = Field(description="The name of this deployment's log; every signed act is bound to it.")
    deployment: str = Field(description="`production`, `trial` or `demo`.")
    now_ms: int = Field(description="The deployment's time.")
    charter: CharterInForce | None
    analytics: list[AnalyticNow] = Field(description="What the charter lets run now, and what not and why.")
    suspensions: list[SuspensionNow] = Field(description="Every order to stop, the oldest first.")
    quality: list[QualityNow] = Field(description="How each analytic with published limits stands.")
    guard: dict[str, Any] | None = Field(
        description="How originals are sealed here: custodians and their keys, the rule of release; null where nothing "
        "is recorded."
    )
    log_vkey: str = Field(description="The verifier key that signs checkpoints and receipts.")
    ledger_size: int = Field(description="How many entries the last witness-cosigned checkpoint covers.")


class Accepted(BaseModel):
    """A signed act that was verified, done and recorded."""

    leaf_hash: str = Field(description="The hash of its record.")
    leaf: str | None = Field(description="The record itself: with the receipt it proves what was promised.")
    receipt: dict[str, Any] = Field(description="The log's signed promise to include the record by `merge_by`.")


class Published(BaseModel):
    """A charter that was published with its approvals."""

    version: int
    sha256: str = Field(description="SHA-256 of the charter's bytes.")
    receipt: dict[str, Any] = Field(description="The log's signed promise to include the record by `merge_by`.")


class Answer(BaseModel):
    """What a signed question may read."""

    model_config = {"extra": "allow"}


class Fault(BaseModel):
    """An error."""

    error: str = Field(description="`BadInput`, `Refused`, `DidNotVerify`, `Problem`, `CannotRecord`, …")
    message: str = Field(description="What happened.")
    fix: str = Field(description="What to do next.")


_FAULTS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": Fault, "description": "Not a statement, or it did not verify."},
    403: {"model": Fault, "description": "The charter does not give this right."},
    409: {"model": Fault, "description": "It was accepted before, or what it refers to is not there."},
    429: {"model": Fault, "description": "More than 30 signed acts, or 600 questions, in a minute from one address."},
    503: {"model": Fault, "description": "It could not be recorded, so it was not done."},
}


def _body(description: str, example: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}, "example": example}}
    return {"requestBody": {"required": True, "description": description, "content": content}}


@router.get("/api/v1/standing", response_model=StandingNow, summary="What is in force")
def standing(request: Request) -> Response:
    """The charter in force, what it lets run now, and every suspension: what a signer looks at before signing."""
    house = house_of(request)
    now, stands = house.clock.now(), house.standing()
    charter = stands.charter
    states = [running(stands, charter, analytic, now) for analytic in charter.analytics] if charter else []
    return as_json({**house.describe(), "now_ms": now, "analytics": states, "ledger_size": house.cosigned_size()})


@router.post(
    "/api/v1/signed-acts",
    response_model=Accepted,
    responses=_FAULTS,
    summary="Hand in a signed act",
    openapi_extra=_body(
        "The file that `watchglass oversight …` signs: one line of canonical JSON (RFC 8785).",
        {"watchglass_statement": 1, "origin": "city.example/log", "leaf": {}, "opening": {"fields": {}}, "sig": {}},
    ),
)
async def signed_acts(request: Request) -> Response:
    """Suspend, resume, enrol a key; open a case, ask for originals, refuse them; approve the draft of a charter.

    The signature is the authority: no account is looked at. The statement must be signed by a key that the charter in
    force pins for the role, or that oversight enrolled for this month; for this log, under this charter, and in this
    hour. A suspension is obeyed within two seconds; a resumption, and a release, once witnesses have cosigned it. An
    approval has no receipt until the other one is there (`waits_for`); then the charter is published.
    """
    body = await request.body()
    return await to_thread.run_sync(_accept, request, body)


def _accept(request: Request, body: bytes) -> Response:
    return as_json(house_of(request).hand_in(SignedStatement.parse(body)))


@router.post(
    "/api/v1/bundles",
    response_model=Accepted,
    responses=_FAULTS,
    summary="Hand in a signed act with re-sealed shares",
    openapi_extra=_body(
        "A custodian's approval of a release, or their keeping of a hold, with the bundle whose hash was signed.",
        {"statement": {"watchglass_statement": 1}, "bundle": "eyJ…"},
    ),
)
async def bundles(request: Request) -> Response:
    """Approve a release or keep a hold. The shares open nothing but for the key that they were sealed anew to."""
    body = await request.body()
    return await to_thread.run_sync(_accept_bundle, request, body)


def _accept_bundle(request: Request, body: bytes) -> Response:
    wrong = BadInput("This is not a signed act with its shares.", fix="Hand in what `watchglass custodian` wrote.")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise wrong from error
    if not isinstance(value, dict) or value.keys() != {"statement", "bundle"} or not isinstance(value["bundle"], str):
        raise wrong
    statement = SignedStatement.parse(canonical.encode(value["statement"]))
    return as_json(house_of(request).hand_in(statement, unb64(value["bundle"])))


@router.post(
    "/api/v1/queries",
    response_model=Answer,
    responses=_FAULTS,
    summary="Ask a signed question",
    openapi_extra=_body(
        "A question that is signed with the asker's own key and holds for five minutes: `inbox` and `segments` for a "
        "custodian, `cases` and `release` for whoever asked for originals, `office` and "
        "`openings` for oversight, `draft` for it and the authority.",
        {"watchglass_query": 1, "origin": "city.example/log", "what": "inbox", "about": "", "at_ms": 0},
    ),
)
async def queries(request: Request) -> Response:
    """Read what only the holder of a key may read. No account or cookie is looked at.

    Nothing changes; only that oversight took openings is recorded.
    """
    body = await request.body()
    return await to_thread.run_sync(lambda: as_json(house_of(request).ask(SignedQuery.parse(body))))


@router.post(
    "/api/v1/segments",
    responses={**_FAULTS, 200: {"content": {"application/octet-stream": {}}, "description": "The sealed segment."}},
    response_class=Response,
    summary="Fetch a sealed segment",
    openapi_extra=_body(
        "A signed question about `REQUEST/SEGMENT`, of a release that was taken.",
        {"watchglass_query": 1, "origin": "city.example/log", "what": "segment", "about": "0123…/89ab…", "at_ms": 0},
    ),
)
async def segments(request: Request) -> Response:
    """Ciphertext: only who asked, with the case's key and enough custodians' shares, can open it."""
    body = await request.body()
    return await to_thread.run_sync(_segment, request, body)


def _segment(request: Request, body: bytes) -> Response:
    data = house_of(request).sealed_segment(SignedQuery.parse(body))
    return Response(data, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})


@router.post(
    "/api/v1/charters",
    response_model=Published,
    responses=_FAULTS,
    summary="Publish a charter that both have signed",
    openapi_extra=_body(
        "The charter's exact text, and the two approvals that `watchglass charter sign` wrote.",
        {"text": "watchglass: 1\n…", "approvals": [{"watchglass_statement": 1}, {"watchglass_statement": 1}]},
    ),
)
async def charters(request: Request) -> Response:
    """Put a charter before everyone. It comes into force once its publication is in a witness-cosigned checkpoint."""
    body = await request.body()
    return await to_thread.run_sync(_publish, request, body)


def _publish(request: Request, body: bytes) -> Response:
    house = house_of(request)
    if house.standing().charter is None:
        raise Refused(
            "The first charter of a deployment is not published from afar.",
            fix="Whoever keeps the machine publishes it there: `watchglass charter publish DIR FILE …`.",
        )
    return as_json(house.publish(*_charter_of(body)))


def _charter_of(body: bytes) -> tuple[bytes, list[SignedStatement]]:
    wrong = BadInput(
        "This is not a charter with its approvals.", fix="Use `watchglass charter publish`, which sends both."
    )
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise wrong from error
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        raise wrong
    approvals = value.get("approvals")
    if not isinstance(approvals, list):
        raise wrong
    return value["text"].encode(), [SignedStatement.parse(canonical.encode(item)) for item in approvals]


@router.get("/api/openapi.json", include_in_schema=False)
def openapi(request: Request) -> Response:
    """The description of this interface for machines (OpenAPI 3.1)."""
    return as_json(request.app.openapi())


@router.get("/api", include_in_schema=False)
def about(request: Request) -> Response:
    """The description of this interface for people."""
    described = request.app.openapi()
    calls = [
        {
            "method": method.upper(),
            "path": path,
            "summary": call["summary"],
            "description": call["description"].split("\n\n"),
        }
        for path, methods in described["paths"].items()
        for method, call in methods.items()
    ]
    paragraphs = [" ".join(part.split()) for part in DESCRIPTION.split("\n\n")]
    return page(request, "api/about.html", {"calls": calls, "paragraphs": paragraphs})
