"""Who can open original video, and how often that was asked, allowed and refused: for everybody."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from watchglass.access.misuse import QuarterlyCounts
from watchglass.acts import misuse, public_originals
from watchglass.acts import public_facts as facts
from watchglass.acts.reading import history_until
from watchglass.web.portal.context import house_of, reader_of
from watchglass.web.portal.render import page
from watchglass.web.portal.twins import twin

router: Final = APIRouter()


@twin(router, "/originals")
def originals(request: Request) -> Response:
    """What is sealed, for how long, who can open it, and what was done with it, month by month."""
    house, reader = house_of(request), reader_of(request)
    charter = house.standing().charter
    if charter is None:
        return page(request, "public/nothing.html", {"condition": facts.Condition.NO_CHARTER})
    data = {
        "rules": public_originals.originals(charter),
        "months": public_originals.months(reader, house.clock.now()),
        "periods": public_originals.periods(reader, charter),
        "signals": misuse.public_counts(reader, house.clock.now(), charter.safeguards.retention.alerts_ms),
        "withheld": QuarterlyCounts.WHY_WITHHELD,
        "simulated_until": history_until(reader) or None,
        "_log_url": f"{request.base_url}log",
    }
    return page(request, "public/originals.html", data)
