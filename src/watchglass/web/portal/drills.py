"""Staged drills: planning them, saying on the spot when one begins and ends, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import RedirectResponse

from watchglass.access.roles import May
from watchglass.acts import drills as acts
from watchglass.acts.context import Done
from watchglass.acts.drills import Drill
from watchglass.charter.model import Charter
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY, millis
from watchglass.quality.drilled import LATE_MS, LONGEST_RUN_MS, MOST_A_DAY, Cause, Result, due_ms
from watchglass.web.portal.answers import wants_data
from watchglass.web.portal.context import grant_of, house_of, may, reader_of, receipts_json
from watchglass.web.portal.render import as_json, page
from watchglass.web.portal.twins import twin

router: Final = APIRouter(include_in_schema=False)

RESULT_WORDS: Final[Mapping[Result, str]] = {
    Result.NOTICED: "noticed",
    Result.MISSED: "missed",
    Result.NOT_RUN: "not run: counts as missed",
    Result.NOT_COUNTED: "not counted",
}
CAUSE_WORDS: Final[Mapping[Cause, str]] = {
    Cause.STOPPED: "the rule was stopped then",
    Cause.DARK: "no pictures came then",
    Cause.OUTSIDE_HOURS: "the rule does not run at that hour",
    Cause.NOT_ALLOWED: "the charter no longer has the rule",
}
_SHOWN: Final = 100


@twin(router, "/drills")
def drills(request: Request) -> Response:
    """What is to be run now, what is announced, and what became of the last ones."""
    house, reader = house_of(request), reader_of(request)
    now, charter = house.clock.now(), house.standing().charter
    found = [_line(reader, each, now) for each in acts.drills(reader)]
    waiting = [each for each in found if each["state"] in {"running", "due", "tell"}]
    coming = sorted((each for each in found if each["state"] == "coming"), key=lambda each: each["from_ms"])
    over = [each for each in found if each["state"] not in {"running", "due", "tell", "coming"}]
    rules = [{"name": each.name, "source": each.source} for each in charter.analytics] if charter else []
    content = {
        "now_ms": now,
        "now": waiting,
        "coming": coming,
        "over": over[:_SHOWN],
        "rules": rules,
        "_may_plan": may(request, May.PLAN_DRILL),
        "_may_see": may(request, May.SEE_QUEUE),
        "_may_run": may(request, May.RUN_DRILL),
        "_most": MOST_A_DAY,
        "_longest": acts.LONGEST_WORDS,
        "_day": acts.day_of(now + DAY),
    }
    return page(request, "staff/drills.html", content)


def _line(reader: Any, drill: Drill, now: int) -> dict[str, Any]:
    noticed = reader.one("SELECT alert FROM drill_alert WHERE drill = ? ORDER BY alert LIMIT 1", drill.id)
    return {
        "id": drill.id,
        "analytic": drill.analytic,
        "source": drill.source,
        "what": drill.what,
        "from_ms": drill.from_ms,
        "to_ms": drill.to_ms,
        "begun_ms": drill.begun_ms,
        "ended_ms": drill.times.end_ms if drill.begun_ms is not None and drill.times.told_by(now) else None,
        "told": drill.told,
        "state": _state(drill, now),
        "called_off_ms": drill.called_off_ms,
        "reason": drill.reason,
        "result": drill.result,
        "says": RESULT_WORDS[drill.result] if drill.result else "",
        "cause": CAUSE_WORDS[drill.cause] if drill.cause else None,
        "scored_from_ms": due_ms(drill.to_ms, drill.reach_ms),
        "alert": noticed["alert"] if noticed is not None else None,
    }


def _state(drill: Drill, now: int) -> str:
    """coming, due (its time is now), running, tell (its times may still be told), over, called-off, scored."""
    if drill.called_off_ms is not None:
        return "called-off"
    if drill.scored_ms is not None:
        return "scored"
    if now < drill.from_ms:
        return "coming"
    if drill.begun_ms is not None:
        return "running" if drill.ended_ms is None and now <= drill.begun_ms + LONGEST_RUN_MS else "over"
    if now <= drill.to_ms:
        return "due"
    return "tell" if drill.times.narrow and now <= drill.to_ms + LATE_MS else "over"


@router.post("/drills")
def plan(
    request: Request,
    rule: Annotated[str, Form()],
    what: Annotated[str, Form()],
    day: Annotated[str, Form()],
    begin: Annotated[str, Form()],
    end: Annotated[str, Form()],
) -> Response:
    """Announce a drill."""
    house = house_of(request)
    times = (_moment(day, begin), _moment(day, end))
    return _done(request, acts.plan_drill(house.acting, grant_of(request), _charter(request), rule, what, *times))


@router.post("/drills/{drill}/begin")
def begin(request: Request, drill: str) -> Response:
    """It begins now."""
    house = house_of(request)
    return _done(request, acts.begin_drill(house.acting, grant_of(request), _charter(request), drill))


@router.post("/drills/{drill}/end")
def end(request: Request, drill: str) -> Response:
    """It is over now."""
    house = house_of(request)
    return _done(request, acts.end_drill(house.acting, grant_of(request), _charter(request), drill))


@router.post("/drills/{drill}/tell")
def tell(request: Request, drill: str, begin: Annotated[str, Form()], end: Annotated[str, Form()]) -> Response:
    """When it was, afterwards."""
    house = house_of(request)
    day = acts.day_of(acts.the_drill(reader_of(request), drill).from_ms)
    times = (_moment(day, begin), _moment(day, end))
    return _done(request, acts.tell_drill(house.acting, grant_of(request), _charter(request), drill, *times))


@router.post("/drills/{drill}/call-off")
def call_off(request: Request, drill: str, reason: Annotated[str, Form()]) -> Response:
    """It will not be run."""
    house = house_of(request)
    return _done(request, acts.call_off_drill(house.acting, grant_of(request), _charter(request), drill, reason))


def _charter(request: Request) -> Charter:
    charter = house_of(request).standing().charter
    if charter is None:
        raise BadInput("There is no charter, and so no rule to drill.", fix="Go back to the first page.")
    return charter


def _moment(day: str, clock: str) -> int:
    try:
        return millis(datetime.strptime(f"{day} {clock[:5]}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC))
    except ValueError as error:
        raise BadInput(
            "That is no day and time.", fix="Write the day as 2026-11-23 and the time as 14:30, in UTC."
        ) from error


def _done(request: Request, done: Done[Drill]) -> Response:
    if wants_data(request):
        now = house_of(request).clock.now()
        line = _line(reader_of(request), done.value, now)
        return as_json({"drill": line, "receipts": receipts_json(done.receipts)})
    return RedirectResponse("/drills", status_code=303)
