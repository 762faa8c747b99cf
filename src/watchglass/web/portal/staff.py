"""The reviewer's place: the queue, one alert that fills the screen, and the verdict."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import RedirectResponse

from watchglass.access.roles import May, Role
from watchglass.acts import how_sure, judged, reading
from watchglass.acts.alerts import standing_verdict, the_alert
from watchglass.acts.claim_alert import claim_alert, release_claim
from watchglass.acts.decide_alert import decide_alert
from watchglass.acts.notices import count_stuck
from watchglass.acts.recalibrate import by_record
from watchglass.acts.rereads import differing
from watchglass.acts.reviewer_figures import group
from watchglass.acts.shown import hidden_from, shown_again, the_alert_for
from watchglass.acts.view_clip import kept_clip, view_clip
from watchglass.acts.withdraw_verdict import withdraw_verdict
from watchglass.charter.model import LIFE_SAFETY
from watchglass.charter.permit import Decide, ShowReviewerView
from watchglass.core.time import DAY
from watchglass.quality.conditions import SHORT
from watchglass.quality.recalibration import curve_of
from watchglass.records.outbox import Reader
from watchglass.review.model import REASONS, UNDO_WINDOW, Alert, Verdict, VerdictValue
from watchglass.statistics.isotonic import Curve
from watchglass.web.portal.answers import wants_data
from watchglass.web.portal.clip_words import clip_words
from watchglass.web.portal.context import (
    further_grant,
    grant_of,
    house_of,
    may,
    permit_for,
    person_of,
    reader_of,
    receipts_json,
    stream,
)
from watchglass.web.portal.render import as_json, page
from watchglass.web.portal.twins import twin

router: Final = APIRouter(include_in_schema=False)

KIND_WORDS: Final[Mapping[str, str]] = {
    "intrusion": "Somebody or something is where nobody should be",
    "wrong_way": "Something goes the wrong way",
    "vehicle_in_pedestrian_area": "Wheels where only people on foot may be",
    "stopped_vehicle": "A vehicle has stopped",
    "crowd_density": "It is getting crowded",
    "crowd_surge": "People are suddenly running",
    "unattended_object": "A thing was left behind",
    "fall": "Somebody has fallen",
    "person_down": "Somebody lies on the ground",
    "camera_fault": "A camera no longer sees properly",
    "plug_in": "A rule by others has found something",
}
_EVENT: Final = ("type", "alert", "at_ms", "analytic", "by_role")
"""Never what somebody decided: whoever judges the same incident after them must not know."""
_PNG_HEADER: Final = 24


@dataclass(frozen=True, slots=True)
class Item:
    """One alert as the queue lists it."""

    id: str
    title: str
    source: str
    place: str
    analytic: str
    kind: str
    zone: str | None
    why: str
    at_ms: int
    raised_ms: int
    due_ms: int
    overdue: bool
    life_safety: bool
    open_with: str | None
    has_clip: bool


def _item(request: Request, reader: Reader, alert: Alert) -> Item:
    now, me = house_of(request).clock.now(), person_of(request).account
    return Item(
        id=alert.id,
        title=KIND_WORDS[alert.kind],
        source=alert.source,
        place=place_of(request, alert.source),
        analytic=alert.analytic,
        kind=alert.kind,
        zone=alert.zone,
        why=alert.why,
        at_ms=alert.at_ms,
        raised_ms=alert.raised_ms,
        due_ms=alert.due_ms,
        overdue=alert.overdue(now),
        life_safety=alert.kind in LIFE_SAFETY,
        open_with=role_words(reader, alert.claimed_by) if alert.held_by_other(me, now) else None,
        has_clip=alert.has_clip,
    )


def place_of(request: Request, source: str) -> str:
    """What people call the place that a source looks at; its name where the charter no longer has it."""
    charter = house_of(request).standing().charter
    for known in charter.sources if charter else ():
        if known.name == source:
            return known.place.name
    return source


def role_words(reader: Reader, account: int | None) -> str:
    """Who a colleague is, by role and never by name: "the shift lead"."""
    roles = reading.roles_of(reader, account)
    for role, words in ((Role.SHIFT_LEAD, "the shift lead"), (Role.REVIEWER, "another reviewer")):
        if role in roles:
            return words
    return "someone else"


def _queue(request: Request) -> dict[str, object]:
    reader, house = reader_of(request), house_of(request)
    me = person_of(request).account
    items = [_item(request, reader, alert) for alert in reading.waiting(reader, me)]
    mine = reading.recent_verdicts(reader, me, limit=1)
    now = house.clock.now()
    undo = next((verdict for verdict in mine if verdict.can_undo(person_of(request).account, now)), None)
    return {
        "now_ms": now,
        "waiting": reading.count_waiting(reader, me),
        "overdue": sum(item.overdue for item in items),
        "alerts": items,
        "undo": {"alert": undo.alert, "value": undo.value, "until_ms": undo.decided_ms + UNDO_WINDOW} if undo else None,
        "undelivered": count_stuck(reader) if may(request, May.SETTLE_NOTICES) else 0,
        "doubts": len(differing(reader, now, now - DAY)) if may(request, May.SEE_DOUBTS) else 0,
    }


@twin(router, "/review")
def queue(request: Request) -> Response:
    """What waits, the one that is due first first."""
    data = _queue(request)
    return page(request, "staff/queue.html", {**data, "_figures": may(request, May.SEE_STAFF_FIGURES)})


@router.get("/review/events")
async def queue_events(request: Request) -> Response:
    """The queue's news as server-sent events: ids and kinds, never a picture or a name."""
    me, house = person_of(request).account, house_of(request)

    def shape(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if hidden_from(house.store.read(), event.get("alert", ""), me):
            return None
        return {key: event[key] for key in _EVENT if key in event}

    return stream(request, "queue", shape)


@twin(router, "/review/alerts/{alert}")
def one_alert(request: Request, alert: str, part: bool = False) -> Response:
    """One alert that fills the screen; ``part`` gives the inside alone, for the script of the open queue."""
    reader = reader_of(request)
    found = the_alert_for(reader, alert, person_of(request).account)
    if not request.url.path.endswith(".json") and may(request, May.DECIDE_ALERT):
        found = claim_alert(house_of(request).acting, further_grant(request, May.DECIDE_ALERT), alert)
        announce(request, "claimed", found)
    data = _alert_data(request, reader, found)
    if part:
        return page(request, "staff/alert_part.html", data)
    return page(request, "staff/alert.html", {**data, "_queue": _queue(request)})


def _alert_data(request: Request, reader: Reader, alert: Alert) -> dict[str, object]:
    verdict = standing_verdict(reader, alert.id)
    width, height = png_size(reading.still_or_none(reader, alert.id))
    return {
        "now_ms": house_of(request).clock.now(),
        "alert": _item(request, reader, alert),
        "clip_words": clip_words(kept_clip(reader, alert.id), house_of(request).clock.now() - alert.raised_ms),
        "facts": alert.facts,
        "frequency": reading.how_often_right(reader, alert.analytic),
        "not_met": [SHORT[name] for name in (alert.seen or {}).get("degraded", ())],
        "stands": judged.beside(reader, house_of(request).standing().charter, alert.analytic),
        "on_test_clips": how_sure.of_alert(house_of(request).calibration, alert, _learnt_here(reader, alert)),
        "_said_here": alert.calibration is not None,
        "raw_score": None if alert.score_per_mille is None else round(alert.score_per_mille / 10),
        "purpose": alert.purpose,
        "entry": reading.index_of(reader, alert.leaf_hash),
        "leaf_hash": alert.leaf_hash,
        "picture": {
            "width": width,
            "height": height,
            "boxes": alert.boxes,
            "zone": _zone(request, alert),
            "kept": width > 0,
        },
        "reasons": {value.value: [{"code": c, "words": w} for c, w in REASONS[value]] for value in VerdictValue},
        "verdict": _verdict(reader, verdict, person_of(request).account) if verdict else None,
    }


def _learnt_here(reader: Reader, alert: Alert) -> Curve | None:
    """What said how likely it is right, where this rule's own alerts did."""
    found = by_record(reader, alert.calibration) if alert.calibration is not None else None
    return curve_of(found.points) if found is not None else None


def _verdict(reader: Reader, verdict: Verdict, me: int) -> dict[str, object]:
    """What was decided and by whom; what others decided stays unsaid, so that whoever judges after them is free."""
    mine = verdict.account == me
    return {
        "value": verdict.value if mine else None,
        "reason": dict(REASONS[verdict.value])[verdict.reason] if mine else None,
        "decided_ms": verdict.decided_ms,
        "by": "you" if mine else role_words(reader, verdict.account),
        "entry": reading.index_of(reader, verdict.leaf_hash) if mine else None,
    }


def _zone(request: Request, alert: Alert) -> tuple[tuple[float, float], ...]:
    charter = house_of(request).standing().charter
    for source in charter.sources if charter else ():
        for zone in source.zones if source.name == alert.source else ():
            if zone.name == alert.zone:
                return zone.points
    return ()


def png_size(png: bytes | None) -> tuple[int, int]:
    """Width and height from a PNG's first chunk (ISO/IEC 15948, 11.2.1); (0, 0) where there is no usable picture.

    An alert whose picture is missing or damaged can still be decided by its words and its clip.
    """
    if png is None or len(png) < _PNG_HEADER or png[12:16] != b"IHDR":
        return 0, 0
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@router.get("/review/alerts/{alert}/still.png")
def still(request: Request, alert: str) -> Response:
    """The painted still: no pixel of a person."""
    the_alert_for(reader_of(request), alert, person_of(request).account)
    return Response(reading.still(reader_of(request), alert), media_type="image/png")


@router.get("/review/alerts/{alert}/clip.mp4")
def clip(request: Request, alert: str) -> Response:
    """The mosaicked clip; that it was looked at is recorded, each time."""
    found = the_alert_for(reader_of(request), alert, person_of(request).account)
    permit = permit_for(request, ShowReviewerView(found.source, found.purpose), under=found.charter)
    mp4 = view_clip(house_of(request).acting, grant_of(request), permit, alert)
    return ranged(request, mp4, "video/mp4")


def ranged(request: Request, data: bytes, media_type: str) -> Response:
    """``data``, or the one range of it that was asked for (RFC 9110, section 14), so that a player can step."""
    headers = {"accept-ranges": "bytes"}
    unit, _, span = request.headers.get("range", "").partition("=")
    first, dash, last = span.partition("-")
    if unit != "bytes" or not dash or "," in span or not (first + last).isdigit():
        return Response(data, media_type=media_type, headers=headers)
    begin = int(first) if first else max(0, len(data) - int(last))
    end = min(int(last), len(data) - 1) if first and last else len(data) - 1
    if begin > end:
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{len(data)}"})
    headers["content-range"] = f"bytes {begin}-{end}/{len(data)}"
    return Response(data[begin : end + 1], status_code=206, media_type=media_type, headers=headers)


@router.post("/review/alerts/{alert}/verdict")
def verdict(  # a form's fields
    request: Request,
    alert: str,
    value: Annotated[VerdictValue, Form()],
    reason: Annotated[str, Form()] = "",
    reason_confirm: Annotated[str, Form()] = "",
    reason_reject: Annotated[str, Form()] = "",
    reason_unsure: Annotated[str, Form()] = "",
    over_claim: Annotated[bool, Form()] = False,
) -> Response:
    """Decide. The page's form has one reason for each verdict; a script sends the one that counts."""
    house = house_of(request)
    found = the_alert_for(reader_of(request), alert, person_of(request).account)
    by_form = {"confirm": reason_confirm, "reject": reason_reject, "unsure": reason_unsure}
    done = decide_alert(
        house.acting,
        grant_of(request),
        permit_for(request, Decide(found.analytic), under=found.charter),
        alert,
        value,
        reason or by_form[value.value],
        over_claim=over_claim,
    )
    announce(request, "decided", found)
    if shown_again(reader_of(request), alert) is None:  # else nobody out there has heard of it
        what = "handed-over" if value is VerdictValue.CONFIRM else "called-off"  # they may have seen it, not confirmed
        house.bus.publish("handover", {"type": what, "alert": alert})
    if wants_data(request):
        return as_json(
            {
                "verdict": done.value.value,
                "undo_until_ms": done.value.decided_ms + UNDO_WINDOW,
                "now_ms": house.clock.now(),
                "receipts": receipts_json(done.receipts),
            }
        )
    following = _next(request)
    return RedirectResponse(f"/review/alerts/{following}" if following else "/review", status_code=303)


def _next(request: Request) -> str | None:
    now, me = house_of(request).clock.now(), person_of(request).account
    queue = reading.waiting(reader_of(request), me)
    return next((alert.id for alert in queue if not alert.held_by_other(me, now)), None)


@router.post("/review/alerts/{alert}/undo")
def undo(request: Request, alert: str) -> Response:
    """Take one's own verdict back within ten seconds."""
    found = the_alert(reader_of(request), alert)
    permit = permit_for(request, Decide(found.analytic), under=found.charter)
    done = withdraw_verdict(house_of(request).acting, grant_of(request), permit, alert)
    announce(request, "withdrawn", found)
    house_of(request).bus.publish("handover", {"type": "called-off", "alert": alert})
    if wants_data(request):
        return as_json({"alert": alert, "receipts": receipts_json(done.receipts)})
    return RedirectResponse(f"/review/alerts/{alert}", status_code=303)


@router.post("/review/alerts/{alert}/claim")
def claim(request: Request, alert: str) -> Response:
    """Show colleagues that this alert is open here; the open page renews it."""
    found = claim_alert(house_of(request).acting, grant_of(request), alert)
    announce(request, "claimed", found)
    now, me = house_of(request).clock.now(), person_of(request).account
    held = role_words(reader_of(request), found.claimed_by) if found.held_by_other(me, now) else None
    return as_json({"alert": alert, "open_with": held, "until_ms": found.claimed_until_ms})


@router.post("/review/alerts/{alert}/release")
def release(request: Request, alert: str) -> Response:
    """Give the alert back to the queue."""
    found = the_alert(reader_of(request), alert)
    release_claim(house_of(request).acting, grant_of(request), alert)
    announce(request, "released", found)
    if wants_data(request):
        return as_json({"alert": alert})
    return RedirectResponse("/review", status_code=303)


@twin(router, "/figures")
def figures(request: Request) -> Response:
    """How long it takes from an incident until a person is told; and how people judge, together.

    For whoever judges it ends at the last midnight (UTC): a count that did not move with a confirmation would tell
    them that the alert was shown again.
    """
    reader, now = reader_of(request), house_of(request).clock.now()
    judges = may(request, May.DECIDE_ALERT)
    until = now - now % DAY if judges else now
    data = {"times": reading.told(reader, until), "judging": group(reader, until), "ends_at_midnight": judges}
    return page(request, "staff/figures.html", data)


def announce(request: Request, what: str, alert: Alert, **more: str) -> None:
    """Tell open queues."""
    house_of(request).bus.publish(
        "queue", {"type": what, "alert": alert.id, "at_ms": alert.at_ms, "analytic": alert.analytic, **more}
    )
