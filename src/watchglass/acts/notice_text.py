"""What a notice says: what, where, when, how sure. Nobody's picture, nobody's name, and no secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from watchglass.acts.alerts import standing_verdict
from watchglass.acts.notices import Status
from watchglass.acts.reading import how_often_right
from watchglass.charter.model import LIFE_SAFETY, Charter, Deployment
from watchglass.core.digest import b64
from watchglass.core.time import iso
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
        "card": f"{head.base}/respond/{alert.id}" if status is Status.CONFIRMED else None,
    }
    return _body(head, charter.sha256, status, data, notice=notice, now_ms=now_ms)


def about_nothing(head: Letterhead, charter: Charter, *, notice: str, now_ms: int) -> bytes:
    """The bytes of a test."""
    nothing = dict.fromkeys(("alert", "what", "where", "when", "how_sure", "card"))
    return _body(head, charter.sha256, Status.TEST, nothing, notice=notice, now_ms=now_ms)


def _body(
    head: Letterhead, charter: bytes, status: Status, data: Mapping[str, Any], *, notice: str, now_ms: int
) -> bytes:
    """One JSON object, the same for every way out. ``event_type`` is what Home Assistant asks for."""
    whole = {
        "id": notice,
        "type": f"alert.{status}" if status is not Status.TEST else "test",
        "event_type": status.value,
        "timestamp": iso(now_ms),
        "data": {
            "status": status.value,
            "confirmed": status is Status.CONFIRMED,
            "words": _MARKS[head.deployment] + WORDS[status],
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
