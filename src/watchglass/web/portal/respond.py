"""The responder's place: a list of cards, and one card that a thumb can work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import RedirectResponse

from watchglass.acts import judged, reading
from watchglass.acts.alerts import the_alert, the_handover
from watchglass.acts.drills import announced_at
from watchglass.acts.notices import of_alert
from watchglass.acts.progress_handover import progress_handover
from watchglass.acts.record_outcome import LONGEST_NOTE, record_outcome
from watchglass.charter.model import LIFE_SAFETY
from watchglass.charter.permit import HandOver
from watchglass.core.time import DAY
from watchglass.quality.conditions import SHORT
from watchglass.review.model import OUTCOME_WORDS, Alert, Handover, HandoverState, Outcome
from watchglass.web.portal.answers import wants_data
from watchglass.web.portal.context import grant_of, house_of, permit_for, reader_of, receipts_json, stream
from watchglass.web.portal.notices import line_of
from watchglass.web.portal.render import as_json, page
from watchglass.web.portal.staff import KIND_WORDS, place_of
from watchglass.web.portal.twins import twin

router: Final = APIRouter(include_in_schema=False)

STATE_WORDS: Final[Mapping[HandoverState, str]] = {
    HandoverState.TOLD: "Nobody has it yet",
    HandoverState.ACKNOWLEDGED: "Somebody has it",
    HandoverState.ON_THE_WAY: "Somebody is on the way",
    HandoverState.ARRIVED: "Somebody is there",
    HandoverState.CLOSED: "Done",
}
STEPS: Final = (
    (HandoverState.ACKNOWLEDGED, "I have it"),
    (HandoverState.ON_THE_WAY, "I am on my way"),
    (HandoverState.ARRIVED, "I am there"),
)


def _card(request: Request, alert: Alert, handover: Handover) -> dict[str, object]:
    return {
        "id": alert.id,
        "title": KIND_WORDS[alert.kind],
        "place": place_of(request, alert.source),
        "zone": alert.zone,
        "why": alert.why,
        "life_safety": alert.kind in LIFE_SAFETY,
        "at_ms": alert.at_ms,
        "handed_ms": handover.handed_ms,
        "state": handover.state,
        "state_words": STATE_WORDS[handover.state],
        "acknowledged_ms": handover.acknowledged_ms,
        "on_the_way_ms": handover.on_the_way_ms,
        "arrived_ms": handover.arrived_ms,
        "closed_ms": handover.closed_ms,
        "outcome": OUTCOME_WORDS[handover.outcome] if handover.outcome else None,
    }


@twin(router, "/respond")
def cards(request: Request) -> Response:
    """What nobody has confirmed yet though lives may be in danger, what was handed over, what was closed lately."""
    now = house_of(request).clock.now()
    found = [_card(request, card.alert, card.handover) for card in reading.cards(reader_of(request), now - DAY)]
    opened = [card for card in found if card["state"] is not HandoverState.CLOSED]
    closed = [card for card in found if card["state"] is HandoverState.CLOSED]
    content = {"now_ms": now, "not_confirmed": _not_confirmed(request), "open": opened, "closed": closed}
    return page(request, "respond/list.html", content)


def _not_confirmed(request: Request) -> list[dict[str, object]]:
    """Danger to life that the charter lets responders see before a person has decided (``notify: at_once``)."""
    standing = house_of(request).standing()
    charter = standing.charter
    urgent = {item.name for item in charter.analytics if item.notify == "at_once"} if charter else set()
    urgent -= standing.on_trial
    reader = reader_of(request)
    return [
        {
            "id": alert.id,
            "title": KIND_WORDS[alert.kind],
            "place": place_of(request, alert.source),
            "zone": alert.zone,
            "why": alert.why,
            "at_ms": alert.at_ms,
            "frequency": reading.how_often_right(reader, alert.analytic),
            "drill": _drill(request, alert),
        }
        for alert in reading.not_confirmed(reader)
        if alert.analytic in urgent
    ]


@router.get("/respond/events")
async def events(request: Request) -> Response:
    """News of hand-overs: ids only."""

    def shape(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return {key: event[key] for key in ("type", "alert") if key in event}

    return stream(request, "handover", shape)


@twin(router, "/respond/{alert}")
def card(request: Request, alert: str) -> Response:
    """One card: what, where, how sure, the painted still; and the next step as the largest button."""
    reader = reader_of(request)
    handover = the_handover(reader, alert)
    found = the_alert(reader, alert)
    later = [{"step": step, "words": words} for step, words in STEPS if _ahead(handover, step)]
    return page(
        request,
        "respond/card.html",
        {
            "now_ms": house_of(request).clock.now(),
            "card": _card(request, found, handover),
            "note": handover.note,
            "frequency": reading.how_often_right(reader, found.analytic),
            "not_met": [SHORT[name] for name in (found.seen or {}).get("degraded", ())],
            "stands": judged.beside(reader, house_of(request).standing().charter, found.analytic),
            "steps": later,
            "drill": _drill(request, found),
            "notices": [line_of(notice) for notice in of_alert(reader, alert)],
            "_outcomes": list(OUTCOME_WORDS.items()),
            "_longest_note": LONGEST_NOTE,
        },
    )


def _drill(request: Request, alert: Alert) -> dict[str, int] | None:
    """The time of a drill that is announced where the alert is: for those who go there, not for those who judge."""
    drill = announced_at(reader_of(request), alert.source, alert.raised_ms)
    return None if drill is None else {"from_ms": drill.from_ms, "to_ms": drill.to_ms}


def _ahead(handover: Handover, step: HandoverState) -> bool:
    return handover.steps.index(step) > handover.steps.index(handover.state)


@router.get("/respond/{alert}/still.png")
def still(request: Request, alert: str) -> Response:
    """The painted still of an alert that was handed over; of no other."""
    reader = reader_of(request)
    the_handover(reader, alert)
    return Response(reading.still(reader, alert), media_type="image/png")


@router.post("/respond/{alert}/step")
def step(request: Request, alert: str, step: Annotated[HandoverState, Form()]) -> Response:
    """One step of the response."""
    house = house_of(request)
    found = the_alert(reader_of(request), alert)
    permit = permit_for(request, HandOver(found.analytic), under=found.charter)
    done = progress_handover(house.acting, grant_of(request), permit, alert, step)
    house.bus.publish("handover", {"type": "progressed", "alert": alert})
    if wants_data(request):
        return as_json({"state": done.value.state, "receipts": receipts_json(done.receipts)})
    return RedirectResponse(f"/respond/{alert}", status_code=303)


@router.post("/respond/{alert}/outcome")
def outcome(
    request: Request, alert: str, outcome: Annotated[Outcome, Form()], note: Annotated[str, Form()] = ""
) -> Response:
    """What was found on the spot; closes the alert."""
    house = house_of(request)
    found = the_alert(reader_of(request), alert)
    permit = permit_for(request, HandOver(found.analytic), under=found.charter)
    done = record_outcome(house.acting, grant_of(request), permit, alert, outcome, note)
    house.bus.publish("handover", {"type": "closed", "alert": alert})
    if wants_data(request):
        return as_json({"state": done.value.state, "receipts": receipts_json(done.receipts)})
    return RedirectResponse("/respond", status_code=303)
