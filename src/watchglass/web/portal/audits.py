"""The compliance audit for everybody: how to run it from outside, and what last night's found. Public."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from watchglass.acts.public_watchers import published_audits, told_challenges
from watchglass.acts.years import archives
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger.keys import VerifierKey
from watchglass.web.portal.answers import NotFound
from watchglass.web.portal.context import house_of
from watchglass.web.portal.render import page
from watchglass.web.portal.twins import twin

router: Final = APIRouter()

STATES: Final = {
    "broken": "Broken",
    "kept": "Kept",
    "unseen": "Cannot be told from this data",
    "pending": "Not promised by this version",
}


@twin(router, "/audit")
def latest(request: Request) -> Response:
    """How to audit this deployment from outside, and what its own last audit found."""
    days = house_of(request).nightly.days()
    return _page(request, days[0] if days else "", days)


@twin(router, "/audit/{day}")
def of_a_day(request: Request, day: str) -> Response:
    """What the audit of one night found."""
    days = house_of(request).nightly.days()
    if day not in days:
        raise NotFound
    return _page(request, day, days)


@router.get("/audit/{day}/report", response_model=None, include_in_schema=False)
def report(request: Request, day: str) -> Response:
    """The report of one night as a file that stands alone: to keep, to print, to file."""
    data = house_of(request).nightly.page(day)
    if data is None:
        raise NotFound
    name = f"audit-{house_of(request).origin.replace('/', '-')}-{day}.html"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type="text/html; charset=utf-8", headers=headers)


def _page(request: Request, day: str, days: list[str]) -> Response:
    house = house_of(request)
    found = house.nightly.of(day) if day else None
    base = str(request.base_url).rstrip("/")
    name = f"{house.origin.replace('/', '-')}.trust"
    archive = next(iter(archives(house.store.read())), None)
    begin = f" --from-year {archive.year}" if archive else ""
    data = {
        "origin": house.origin,
        "deployment": house.kind,
        "day": day,
        "days": days,
        "audit": found if found is not None and "findings" in found else None,
        "failure": found if found is not None and "findings" not in found else None,
        "command": f"watchglass audit {base}/log --trust {name}{begin} --html audit.html",
        "trust_name": name,
        "archive": archive,
        **_said_by_oversight(request),
        "_groups": _groups(found or {}),
    }
    return page(request, "public/audit.html", data)


def _said_by_oversight(request: Request) -> dict[str, Any]:
    """What oversight signed in public: its own audits, and what came of incidents that it had staged."""
    house = house_of(request)
    data, charter = house.checkpoint(), house.standing().charter
    if data is None:
        return {"published": (), "challenges": ()}
    size, reader = checkpoints.parse(data).checkpoint.size, house.store.read()
    witnesses = [VerifierKey.parse(each.key) for each in charter.oversight.witnesses] if charter else []
    return {
        "published": published_audits(reader, house.tiles, size, house.nightly.latest()),
        "challenges": told_challenges(reader, house.tiles, size, witnesses),
    }


def _groups(found: Mapping[str, Any]) -> list[tuple[str, str, list[Any]]]:
    """Findings by state, what is broken first: (state, its heading, findings)."""
    findings = found.get("findings", [])
    grouped = (
        (state, heading, [each for each in findings if each["state"] == state]) for state, heading in STATES.items()
    )
    return [group for group in grouped if group[2]]
