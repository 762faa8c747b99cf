"""What a rule's own alerts say its scores are worth: shown to staff, put in force by an operator, or taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, Form, Request, Response
from starlette.responses import RedirectResponse

from watchglass.access.roles import May
from watchglass.acts import drifting
from watchglass.acts.recalibrate import (
    final_alerts,
    in_force,
    recalibrate,
    standing,
    to_learn_from,
    withdraw_recalibration,
)
from watchglass.charter.model import Charter
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import Problem, Refused
from watchglass.quality.recalibration import Judged, Recalibration, learn, said_of, split
from watchglass.quality.reliability import Reliability, reliability
from watchglass.web.portal import charts
from watchglass.web.portal.answers import wants_data
from watchglass.web.portal.context import grant_of, house_of, may, reader_of, receipts_json
from watchglass.web.portal.render import as_json

router: Final = APIRouter(include_in_schema=False)

_SEED: Final = 2021


@router.post("/quality/{analytic}/recalibrate")
def put_in_force(request: Request, analytic: str, last: Annotated[str, Form()]) -> Response:
    """Put in force exactly what was shown; where more alerts became final since, nothing is done."""
    house = house_of(request)
    done = recalibrate(house.acting, grant_of(request), _charter(request), analytic, last=unb64(last, length=32))
    if wants_data(request):
        return as_json({"leaf_hash": b64(done.value), "receipts": receipts_json(done.receipts)})
    return RedirectResponse(f"/quality#again-{analytic}", status_code=303)


@router.post("/quality/{analytic}/withdraw-calibration")
def take_back(request: Request, analytic: str) -> Response:
    """Let test clips say again how likely alerts are right, where they say anything."""
    done = withdraw_recalibration(house_of(request).acting, grant_of(request), _charter(request), analytic)
    if wants_data(request):
        return as_json({"receipts": receipts_json(done.receipts)})
    return RedirectResponse(f"/quality#again-{analytic}", status_code=303)


def parts(request: Request, charter: Charter, now_ms: int) -> dict[str, dict[str, Any]]:
    """For each rule: what is in force, what would be, and whether its alerts have begun to be otherwise."""
    reader, found = reader_of(request), {}
    for each in charter.analytics:
        alerts = final_alerts(reader, charter, each.name, now_ms)
        stands = standing(reader, each.name)
        holds = in_force(reader, each.name, charter) is not None
        found[each.name] = {
            "in_force": None
            if stands is None
            else {"since_ms": stands.since_ms, "facts": stands.facts, "holds": holds},
            "proposal": _proposal(to_learn_from(alerts)),
            "watches": drifting.watched(alerts),
        }
    return found


def drawn(found: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, tuple[charts.Pool, ...]]]:
    """Where the diagrams' dots lie, of the proposals before and after."""
    made = {}
    for name, part in found.items():
        told = part["proposal"]
        made[name] = {each: charts.pools(told[each]) if told.get(each) else () for each in ("before", "after")}
    return made


def may_change(request: Request) -> bool:
    """Whether whoever asks may put something in force."""
    return may(request, May.RECALIBRATE)


def _proposal(alerts: list[Judged]) -> dict[str, Any]:
    try:
        found = learn(alerts)
    except Refused as error:
        return {"missing": error.message}
    _, later = split(alerts)
    after = _diagram(*said_of(later, found.points))
    known = [each.said for each in later]
    before = None
    if None not in known:
        before = _diagram([(each or 0) / 1000 for each in known], [each.right for each in later])
    return {
        "missing": "",
        "points": _steps(found),
        "learnt": found.learnt,
        "shown": found.shown,
        "better": found.better,
        "last": b64(found.last),
        "before": before,
        "after": after,
    }


def _steps(found: Recalibration) -> list[dict[str, int]]:
    return [{"least": least, "right": right, "n": n} for least, right, n in found.points]


def _diagram(said: list[float], right: list[bool]) -> Reliability | None:
    return reliability(said, right, random=np.random.default_rng(_SEED))


def _charter(request: Request) -> Charter:
    charter = house_of(request).standing().charter
    if charter is None:
        raise Problem("There is no charter yet, so no rule has alerts.", fix="Publish a charter first.")
    return charter
