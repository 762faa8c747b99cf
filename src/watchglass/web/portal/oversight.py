"""Oversight's place: everything that was done, the suspension that is signed elsewhere, the sealed openings."""

from __future__ import annotations

import re
import shlex
from typing import Final

from fastapi import APIRouter, Request, Response

from watchglass.acts import judged, reading
from watchglass.acts.conditions_reading import public_words
from watchglass.acts.inspect_openings import take_openings
from watchglass.acts.watched_times import Watched, watched
from watchglass.acts.what_waits import what_waits
from watchglass.charter.model import Charter
from watchglass.core.errors import BadInput
from watchglass.core.time import hour_of
from watchglass.web.portal.context import grant_of, house_of, reader_of
from watchglass.web.portal.render import page
from watchglass.web.portal.twins import twin

router: Final = APIRouter(include_in_schema=False)

_HOUR: Final = re.compile(r"\d{4}(-\d{2}(-\d{2}(T\d{2}Z?)?)?)?")


@twin(router, "/oversight")
def everything(request: Request, act: str = "", hour: str = "", before: int | None = None) -> Response:
    """Everything in the ledger, newest first, as coarse as the public sees it."""
    if hour and not _HOUR.fullmatch(hour):
        raise BadInput(f"“{hour[:40]}” is not an hour.", fix="Write it like 2026-11-23T14, or only the day or month.")
    reader, house = reader_of(request), house_of(request)
    charter = house.standing().charter
    steadiness = _watched(request, charter) if charter else []
    shown = reading.entries(reader, act=act, hour=hour, before=before)
    done = reading.acts_done(reader)
    full = len(shown) == reading.PAGE
    return page(
        request,
        "oversight/everything.html",
        {
            "act": act,
            "hour": hour,
            "entries": shown,
            "older": shown[-1].index if full else None,
            "acts": dict(sorted(done.items())),
            "entries_in_all": sum(done.values()),
            "witnesses": house.watch.facts(),
            "suspensions": reading.suspensions(reader),
            "stops": judged.stop_rows(reader),
            "waiting": reading.count_waiting(reader),
            "watched": [
                {"source": found.source, "place": place, "sentences": found.sentences} for place, found in steadiness
            ],
            "conditions": [
                {"source": each.name, "place": each.place.name, "sentences": public_words(reader, each)}
                for each in (charter.sources if charter else ())
            ],
            "waits": what_waits(reader, house.clock.now(), steadiness, house.nightly.latest()),
        },
    )


def _watched(request: Request, charter: Charter) -> list[tuple[str, Watched]]:
    """The name of each source's place, and how steadily it was watched."""
    reader, now = reader_of(request), house_of(request).clock.now()
    return [(each.place.name, watched(reader, charter, each.name, now, most=0)) for each in charter.sources]


@twin(router, "/oversight/suspend")
def suspend(request: Request, analytic: str = "", reason: str = "", key: str = "oversight.key") -> Response:
    """Prepare a suspension: the exact command for oversight's own machine. Nothing is ordered here."""
    house = house_of(request)
    charter = house.standing().charter
    names = [known.name for known in charter.analytics] if charter else []
    chosen = analytic if analytic in names else ""
    said = " ".join(reason.split())[:200]
    url = str(request.base_url).rstrip("/")
    words = ["watchglass", "oversight", "suspend", url, "--key", key]
    words += ["--analytic", chosen] if chosen else ["--all"]
    words += ["--reason", said or "…"]
    rows = reading.suspensions(reader_of(request))
    return page(
        request,
        "oversight/suspend.html",
        {
            "analytics": names,
            "analytic": chosen,
            "reason": said,
            "key": key,
            "command": shlex.join(words),
            "lift": [
                shlex.join(
                    ["watchglass", "oversight", "resume", url, "--key", key]
                    + (["--analytic", row.analytic] if row.analytic else ["--all"])
                    + ["--reason", "…", "--what-changed", "…"]
                )
                for row in rows
                if row.open
            ],
            "people_do": charter.safeguards.on_suspension.people_do
            if charter and charter.safeguards.on_suspension
            else None,
            "suspensions": rows,
            "stops": judged.stop_rows(reader_of(request)),
        },
    )


@twin(router, "/oversight/openings")
def openings(request: Request) -> Response:
    """How many sealed openings there are, and what taking them does."""
    count, keys = reading.openings(reader_of(request))
    return page(
        request, "oversight/openings.html", {"openings": count, "keys": keys, "_log_url": f"{request.base_url}log"}
    )


@router.post("/oversight/openings")
def take(request: Request) -> Response:
    """Download every sealed opening as one file; that they were taken is in the ledger."""
    house = house_of(request)
    done = take_openings(house.acting, grant_of(request))
    name = f"openings-{hour_of(house.clock.now())}.json"
    return Response(
        done.value,
        media_type="application/json",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
