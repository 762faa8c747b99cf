"""The ledger for people and for programs: pages in plain words, and the log's own files as C2SP lays them out."""

from __future__ import annotations

from typing import Any, Final, cast

from fastapi import APIRouter, Request, Response

from watchglass.acts import public_ledger as ledger
from watchglass.acts import reading
from watchglass.acts.years import Archive
from watchglass.acts.years import archives as public_archives
from watchglass.acts.years import years as public_years
from watchglass.bootstrap.watching import WatchFacts
from watchglass.charter.decide import Standing
from watchglass.core.errors import BadInput
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger.tiles import FULL, Tile, TileReader
from watchglass.records.outbox import Reader
from watchglass.web.portal.answers import NotFound
from watchglass.web.portal.render import page
from watchglass.web.portal.twins import twin

router: Final = APIRouter()

_A_YEAR: Final = "public, max-age=31536000, immutable"
_PROOF: Final = ".tlog-proof"
_ANY: Final = "SELECT 1 FROM entry WHERE act IN (?, ?) LIMIT 1"
_INDEX_DIGITS: Final = 15


@twin(router, "/ledger")
def overview(request: Request) -> Response:
    """How large the ledger is, who vouches for it, and its latest entries."""
    house = request.app.state.house
    data = house.checkpoint()
    if data is None:
        return page(request, "public/ledger_empty.html", {"head": None, "entries": []})
    head = ledger.head(data, _keys(request, house.standing()))
    before = _number(request.query_params.get("before"), head.size)
    reader, tiles = house.store.read(), _tiles(request)
    everything = "all" in request.query_params
    return page(
        request,
        "public/ledger.html",
        {
            "head": head,
            "witnesses": _agreement(house.watch.facts()),
            "growth": ledger.growth(reader, head.size),
            "entries": ledger.entries(reader, tiles, head.size, before)
            if everything
            else ledger.entries_but(reader, reading.CROWD, tiles, head.size, before),
            "before": before,
            "page_size": ledger.PAGE,
            "heartbeats": {"shown": everything, "any": reader.one(_ANY, *reading.CROWD) is not None},
            "years": public_years(reader),
            "archives": public_archives(reader),
        },
    )


def _agreement(facts: WatchFacts) -> dict[str, int]:
    """How many witnesses must agree, and how far enough of them have; why one does not is for those who can mend it."""
    return {"needed": facts.needed, "named": len(facts.witnesses), "cosigned_size": facts.cosigned_size}


@twin(router, "/ledger/entries/{index}")
def entry(request: Request, index: str) -> Response:
    """One entry: in plain words, its exact bytes, and the proof that it is in the ledger."""
    wants_proof = index.endswith(_PROOF)
    number = _number(index.removesuffix(_PROOF), -1)
    house = request.app.state.house
    data = house.checkpoint()
    if data is None or not 0 <= number < checkpoints.parse(data).checkpoint.size:
        raise NotFound
    found, refs, leaf, proof = ledger.proven_entry(house.store.read(), _tiles(request), number)
    if wants_proof:
        name = f"entry-{number}{_PROOF}"
        return _download(proof.encode(), name)
    return page(
        request,
        "public/entry.html",
        {
            "entry": found,
            "refs": refs,
            "leaf": None if leaf is None else leaf.decode("utf-8", "replace"),
            "archive": _archive_of(house.store.read(), number) if found.archived else None,
            "proof": proof.encode().decode(),
            "size": checkpoints.parse(proof.checkpoint).checkpoint.size,
        },
    )


@twin(router, "/ledger/verify")
def verify(request: Request) -> Response:
    """How anyone can verify all of it: the command, the trust file, the key."""
    house = request.app.state.house
    base = str(request.base_url).rstrip("/")
    vkey = _log_key(request)
    trust = ledger.trust_file(vkey, f"{base}/log", house.standing().charter)
    name = f"{house.origin.replace('/', '-')}.trust"
    if request.query_params.get("download") == "trust-file":
        return _download(trust.encode(), name)
    data = {
        "origin": house.origin,
        "log_url": f"{base}/log",
        "vkey": vkey,
        "trust_file": trust,
        "trust_name": name,
        "command": f"watchglass ledger verify {base}/log --trust {name}",
        "archives": public_archives(house.store.read()),
        "deployment": house.kind,
    }
    return page(request, "public/verify.html", data)


# ---- the log's own files ---------------------------------------------------------------------------------------------


@router.get("/log/checkpoint", response_model=None, include_in_schema=False)
def checkpoint(request: Request) -> Response:
    """The signed, cosigned checkpoint."""
    data = request.app.state.house.checkpoint()
    if data is None:
        raise NotFound
    return Response(data, media_type="text/plain; charset=utf-8", headers={"cache-control": "no-cache"})


@router.get("/log/tile/{path:path}", response_model=None, include_in_schema=False)
def tile(request: Request, path: str) -> Response:
    """A tile or a bundle of entries, if the checkpoint covers it. Full ones never change."""
    data = request.app.state.house.checkpoint()
    try:
        size = checkpoints.parse(data).checkpoint.size if data is not None else 0
        body = ledger.published_tile(_tiles(request), f"tile/{path}", size)
    except BadInput as error:
        raise NotFound from error
    full = Tile.parse(f"tile/{path}").width == FULL
    headers = {"cache-control": _A_YEAR if full else "no-cache"}
    return Response(body, media_type="application/octet-stream", headers=headers)


@router.get("/log/years/{name}", response_model=None, include_in_schema=False)
def state(request: Request, name: str) -> Response:
    """What audits carry over into a year, as soon as the log says that it began. It never changes then."""
    house = request.app.state.house
    year = next((each for each in public_years(house.store.read()) if each.state_file == f"years/{name}"), None)
    data = None if year is None else _tiles(request).read(year.state_file)
    if data is None:
        raise NotFound
    return Response(data, media_type="application/octet-stream", headers={"cache-control": _A_YEAR})


def _archive_of(reader: Reader, index: int) -> Archive | None:
    """Who has an entry: the first archive that took so much away."""
    return next((each for each in reversed(public_archives(reader)) if index < each.before), None)


def _tiles(request: Request) -> TileReader:
    return cast("TileReader", request.app.state.house.tiles)


def _log_key(request: Request) -> str:
    return str(request.app.state.house.log_vkey)


def _keys(request: Request, standing: Standing) -> list[str]:
    """The verifier keys that this server knows: its log's, and the witnesses that the charter names."""
    witnesses = standing.charter.oversight.witnesses if standing.charter else ()
    return [_log_key(request), *(witness.key for witness in witnesses)]


def _number(text: Any, otherwise: int) -> int:
    """A whole number as people write it, or ``otherwise``."""
    plain = isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= _INDEX_DIGITS
    return int(text) if plain else otherwise


def _download(data: bytes, name: str) -> Response:
    return Response(
        data,
        media_type="text/plain; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-cache"},
    )
