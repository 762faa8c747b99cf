"""The facts in records that oversight has opened on its own machine (``watchglass oversight open --json``).

What stands in no record cannot be told from here: who was on duty, and what came of a release. Give rosters and
outcomes from outside where they are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from watchglass.access.misuse.facts import (
    Access,
    Approval,
    Case,
    Dispatch,
    Disposition,
    Facts,
    Finding,
    GlassBreak,
    Incident,
    Shift,
    Verdict,
    What,
)
from watchglass.core.errors import BadInput
from watchglass.core.time import HOUR, MINUTE
from watchglass.ledger.keys import VerifierKey

_DISPATCH_MS: Final = 8 * HOUR
"""For so long after a hand-over somebody may still be busy with it."""
_LOOKS: Final = {
    "clip_viewed": What.CLIP_VIEW,
    "openings_taken": What.OPENINGS_TAKEN,
}


@dataclass(slots=True)
class _Reading:
    """What was read so far; people of signed acts are known by the keys that oversight enrolled."""

    people: dict[str, str] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    accesses: list[Access] = field(default_factory=list)
    requests: dict[str, Access] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    dispatches: dict[str, Dispatch] = field(default_factory=dict)
    approvals: list[Approval] = field(default_factory=list)
    breaks: dict[str, GlassBreak] = field(default_factory=dict)
    dispositions: list[Disposition] = field(default_factory=list)


def facts_of(entries: Iterable[Mapping[str, Any]], shifts: tuple[Shift, ...] = ()) -> Facts:
    """The facts in opened records, in the order of the log.

    Args:
        entries: as ``oversight open`` prints them: ``act``, ``actor``, ``leaf_hash``, ``clear``, ``fields``.
        shifts: who was on duty, where that is known from elsewhere.

    Raises:
        BadInput: an entry is not one that was opened by this version.
    """
    read = _Reading()
    first = last = None
    for entry in entries:
        try:
            at_ms = _at(entry["fields"])
            if at_ms is not None:
                first = at_ms if first is None else min(first, at_ms)
                last = at_ms if last is None else max(last, at_ms)
                _take(read, entry, at_ms)
        except (KeyError, TypeError, AttributeError) as error:
            raise BadInput(
                "This is not what `watchglass oversight open --json` printed.",
                fix="Open the records again with this version, and give the whole of its answer.",
            ) from error
    until = (last or 0) + MINUTE
    return Facts(
        from_ms=first or 0,
        until_ms=until,
        accesses=tuple(read.accesses),
        cases=tuple(read.cases.values()),
        shifts=shifts,
        dispatches=tuple(read.dispatches.values()),
        incidents=tuple(read.incidents.values()),
        verdicts=tuple(read.verdicts),
        approvals=tuple(read.approvals),
        breaks=tuple(read.breaks.values()),
        dispositions=tuple(read.dispositions),
    )


def _take(read: _Reading, entry: Mapping[str, Any], at_ms: int) -> None:
    act, fields, leaf = entry["act"], entry["fields"], entry["leaf_hash"]
    if act == "key_enrolled":
        key = VerifierKey.parse(entry["clear"]["vkey"])
        read.people[f"{key.name}+{key.key_id.hex()}"] = fields["person"]
        return
    person = str(fields.get("account") or read.people.get(entry["actor"], entry["actor"]))
    match act:
        case "alert_raised":
            again = fields.get("again") is not None
            read.incidents[fields["alert"]] = Incident(fields["alert"], fields["source"], at_ms, again=again)
        case "alert_decided":
            _decided(read, leaf, fields, person, at_ms)
        case "clip_viewed" | "openings_taken":
            read.accesses.append(_look(read, act, leaf, fields, person, at_ms))
        case "handover_progressed":
            _sent(read, fields["alert"], person, at_ms)
        case "misuse_settled":
            read.dispositions.append(Disposition(fields["signal"], at_ms, Finding(fields["finding"])))
        case _:
            _originals(read, entry, person, at_ms)


def _originals(read: _Reading, entry: Mapping[str, Any], person: str, at_ms: int) -> None:
    """What is about cases and releases."""
    fields, leaf, purpose = entry["fields"], entry["leaf_hash"], entry["purpose"]
    match entry["act"]:
        case "case_opened":
            read.cases[fields["case"]] = Case(fields["case"], at_ms, frozenset({person}))
            read.accesses.append(
                Access(leaf, person, at_ms, What.CASE_OPENED, case=fields["case"], purpose=purpose,
                       reason=fields["reason"])
            )  # fmt: skip
        case "case_closed":
            known = read.cases.get(fields["case"])
            if known is not None:
                read.cases[fields["case"]] = Case(known.id, known.opened_ms, known.members, max(at_ms, known.opened_ms))
        case "release_requested" | "glass_broken":
            _asked(read, entry, person, at_ms)
        case "release_taken":
            asked = read.requests.get(fields["request"])
            where = (asked.source, asked.from_ms, asked.to_ms, asked.case) if asked else (None,) * 4
            read.accesses.append(
                Access(leaf, person, at_ms, What.RELEASE_TAKEN, *where, purpose=purpose, request=fields["request"])
            )
        case "release_approved" | "release_refused":
            asked = read.requests.get(fields["request"])
            if asked is not None:
                yes = entry["act"] == "release_approved"
                read.approvals.append(
                    Approval(leaf, asked.id, asked.person, fields["custodian"], asked.at_ms, at_ms, yes)
                )
        case "glass_followed_up":
            used = read.breaks.get(fields["request"])
            if used is not None:
                read.breaks[fields["request"]] = GlassBreak(used.id, used.person, used.at_ms, used.due_ms, at_ms)


def _asked(read: _Reading, entry: Mapping[str, Any], person: str, at_ms: int) -> None:
    fields, glass = entry["fields"], entry["act"] == "glass_broken"
    asked = Access(
        entry["leaf_hash"],
        person,
        at_ms,
        What.GLASS_BROKEN if glass else What.RELEASE_REQUEST,
        fields["source"],
        fields["from_ms"],
        fields["to_ms"],
        case=fields.get("case"),
        purpose=entry["purpose"],
        reason=fields["reason"],
    )
    read.accesses.append(asked)
    read.requests[fields["request"]] = asked
    if glass:
        read.breaks[fields["request"]] = GlassBreak(asked.id, person, at_ms, max(at_ms, fields["follow_up_by_ms"]))


def _look(read: _Reading, act: str, leaf: str, fields: Mapping[str, Any], person: str, at_ms: int) -> Access:
    alert = fields.get("alert")
    seen = read.incidents.get(alert) if alert else None
    return Access(leaf, person, at_ms, _LOOKS[act], source=seen.source if seen else None, alert=alert)


def _decided(read: _Reading, leaf: str, fields: Mapping[str, Any], person: str, at_ms: int) -> None:
    alert = fields["alert"]
    read.verdicts.append(Verdict(leaf, alert, person, at_ms))
    known = read.incidents.get(alert)
    if known is not None:
        read.incidents[alert] = replace(known, settled_ms=max(at_ms, known.raised_ms))


def _sent(read: _Reading, alert: str, person: str, at_ms: int) -> None:
    """A responder acknowledged, set out or arrived: they and whoever else did are sent there."""
    known, seen = read.dispatches.get(alert), read.incidents.get(alert)
    people = frozenset({person}) | (known.people if known else frozenset())
    begun = known.at_ms if known else at_ms
    read.dispatches[alert] = Dispatch(f"handover:{alert}", begun, begun + _DISPATCH_MS, people,
                                      seen.source if seen else None)  # fmt: skip


def _at(fields: Mapping[str, Any]) -> int | None:
    """The minute of a record, in milliseconds; None where it commits to none."""
    minute = fields.get("minute")
    if minute is None:
        return None
    return round(datetime.strptime(minute, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC).timestamp() * 1000)
