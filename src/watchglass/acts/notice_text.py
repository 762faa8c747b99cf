"""What a notice says: what, where, when, how sure. Nobody's picture, nobody's name, and no secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from watchglass.acts.alerts import standing_verdict
from watchglass.acts.judged import WHY, Stop
from watchglass.acts.notices import OF_STOPS, Status
from watchglass.acts.reading import how_often_right
from watchglass.charter.model import LIFE_SAFETY, Charter, Deployment
from watchglass.core.digest import b64
from watchglass.core.time import iso
from watchglass.quality.conditions import SHORT
from watchglass.records.outbox import Reader
from watchglass.review.frequency import Frequency
from watchglass.review.model import Alert

WORDS: Final[Mapping[Status, str]] = {
    Status.UNCONFIRMED: "NOT CONFIRMED BY A PERSON. A person is being asked; you will be told what they decide.",
    Status.CONFIRMED: "Confirmed by a person.",
    Status.REJECTED: "A person looked and rejected it. Stand down.",
    Status.UNSURE: "A person looked and could not tell. It stays not confirmed.",
    Status.WITHDRAWN: "The decision was taken back. Stand down until a person has decided again.",
    Status.TEST: "This is a test. Nothing happened.",
    Status.STOPPED: "Its published limit has stopped it. It notices nothing until oversight lets it run again.",
    Status.RESUMED: "It was stopped by its published limit. Oversight has signed, and it runs again.",
}
_MARKS: Final[Mapping[Deployment, str]] = {
    "demo": "THIS IS A DEMO. Nothing of it is real. ",
    "trial": "THIS IS A TRIAL, not a service that anybody relies on. ",
    "production": "",
}


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes.

    Attributes:
        base: the portal's address, without a slash at the end.
    """

    origin: str
    deployment: Deployment
    base: str


def about_alert(
    reader: Reader, head: Letterhead, charter: Charter, alert: Alert, status: Status, *, notice: str, now_ms: int
) -> bytes:
    """The bytes of a notice about an alert, as ``charter`` lets it be told."""
    verdict = standing_verdict(reader, alert.id)
    place = next((source.place.name for source in charter.sources if source.name == alert.source), alert.source)
    data = {
        "alert": alert.id,
        "what": {
            "analytic": alert.analytic,
            "kind": alert.kind,
            "life_safety": alert.kind in LIFE_SAFETY,
        },
        "where": {"place": place, "source": alert.source, "zone": alert.zone},
        "when": {
            "seen": iso(alert.at_ms),
            "raised": iso(alert.raised_ms),
            "decided": iso(verdict.decided_ms) if verdict else None,
        },
        "how_sure": _how_sure(how_often_right(reader, alert.analytic)),
        "camera": {"not_met": [SHORT[name] for name in (alert.seen or {}).get("degraded", ())]},
        "card": f"{head.base}/respond/{alert.id}" if status is Status.CONFIRMED else None,
    }
    return _body(head, charter.sha256, status, data, notice=notice, now_ms=now_ms)


def about_nothing(head: Letterhead, charter: Charter, *, notice: str, now_ms: int) -> bytes:
    """The bytes of a test."""
    nothing = dict.fromkeys(("alert", "what", "where", "when", "how_sure", "camera", "card"))
    return _body(head, charter.sha256, Status.TEST, nothing, notice=notice, now_ms=now_ms)


def about_stop(
    head: Letterhead, charter: Charter, stop: Stop, status: Status, *, kept: bool, notice: str, now_ms: int
) -> bytes:
    """The bytes of a notice about an analytic that a limit stopped: nothing about any alert.

    Args:
        kept: whether its alerts stay with the reviewers, as on trial: then people go on with what they do instead.
    """
    analytic, rules = charter.analytic(stop.analytic), charter.safeguards.on_suspension
    told = WORDS[status]
    if status is Status.RESUMED and kept:
        told += " It is on trial: nobody is sent anywhere because of it yet, so go on with what people do instead."
    data = {
        **dict.fromkeys(("alert", "where", "when", "how_sure", "camera", "card")),
        "what": {"analytic": analytic.name, "kind": analytic.kind, "life_safety": analytic.kind in LIFE_SAFETY},
        "stop": {
            "limit": stop.why,
            "because": WHY.get(stop.why, ""),
            "stopped": iso(stop.stopped_ms),
            "resumed": iso(stop.over_ms) if status is Status.RESUMED and stop.over_ms is not None else None,
            "people_do": rules.people_do if rules is not None else None,
            "page": f"{head.base}/register/analytics/{analytic.name}",
        },
    }
    return _body(head, charter.sha256, status, data, told=told, notice=notice, now_ms=now_ms)


def _body(
    head: Letterhead,
    charter: bytes,
    status: Status,
    data: Mapping[str, Any],
    *,
    notice: str,
    now_ms: int,
    told: str = "",
) -> bytes:
    """One JSON object, the same for every way out. ``event_type`` is what Home Assistant asks for."""
    whole = {
        "id": notice,
        "type": "test" if status is Status.TEST else f"{'analytic' if status in OF_STOPS else 'alert'}.{status}",
        "event_type": status.value,
        "timestamp": iso(now_ms),
        "data": {
            "status": status.value,
            "confirmed": status is Status.CONFIRMED,
            "words": _MARKS[head.deployment] + (told or WORDS[status]),
            **data,
            "deployment": {"origin": head.origin, "kind": head.deployment, "charter": b64(charter)},
        },
    }
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def _how_sure(frequency: Frequency) -> dict[str, object]:
    """How often such an alert was right: never a bare percentage (law 5)."""
    return {
        "words": frequency.sentence.replace("\u00a0", " "),
        "right": frequency.k,
        "of": frequency.n,
        "likely_percent": [frequency.low_percent, frequency.high_percent] if frequency.enough else None,
    }
