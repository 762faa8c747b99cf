"""What oversight reads about original video: requests and answers, what was turned away, emergencies, holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from watchglass.records.outbox import Reader, Row
from watchglass.records.statement import SignedStatement

LIMIT: Final = 100


class State(StrEnum):
    """Where a request stands."""

    WAITING = "waits for custodians"
    REFUSED = "refused"
    GRANTED = "granted, not taken"
    TAKEN = "opened"
    RAN_OUT = "ran out"


@dataclass(frozen=True, slots=True)
class Answer:
    """A custodian's yes or no; ``index`` is its entry in the ledger, None while it waits for it."""

    custodian: str
    approved: bool
    reason: str
    at_ms: int
    index: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for originals, with the case that it was asked in."""

    id: str
    case: str
    authority: str
    person: str
    source: str
    purpose: str
    from_ms: int
    to_ms: int
    reason: str
    asked_ms: int
    until_ms: int
    index: int | None
    state: State
    answers: tuple[Answer, ...]
    granted_ms: int | None
    granted_index: int | None
    taken_ms: int | None
    taken_index: int | None


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A request that the house did not let reach the custodians, and why."""

    at_ms: int
    person: str
    case: str | None
    source: str | None
    why: str
    index: int | None


@dataclass(frozen=True, slots=True)
class Emergency:
    """A use of the emergency rule.

    Attributes:
        due_ms: by when it had to be reported on. report: what was reported, as far as it was.
    """

    id: str
    person: str
    role: str
    source: str
    from_ms: int
    to_ms: int
    reason: str
    at_ms: int
    due_ms: int
    followed_ms: int | None
    index: int | None
    now_ms: int

    DERIVED: ClassVar = ("overdue",)

    @property
    def overdue(self) -> bool:
        """Whether the report should have been there by now, or came too late."""
        return (self.followed_ms or self.now_ms) > self.due_ms


@dataclass(frozen=True, slots=True)
class HoldOrder:
    """An order to keep originals beyond their time."""

    id: str
    role: str
    source: str
    from_ms: int
    to_ms: int
    reason: str
    ordered_ms: int
    until_ms: int
    lifted_ms: int | None
    kept_by: tuple[str, ...]
    index: int | None


def requests(reader: Reader, now_ms: int) -> tuple[Asked, ...]:
    """The requests of custodians, the newest first."""
    rows = reader.all(
        "SELECT release_request.*, number, authority, asked.idx AS idx, granted.idx AS granted_idx,"
        " taken.idx AS taken_idx FROM release_request"
        " JOIN evidence_case ON evidence_case.id = release_request.evidence_case"
        " LEFT JOIN entry AS asked ON asked.leaf_hash = release_request.leaf_hash"
        " LEFT JOIN entry AS granted ON granted.leaf_hash = release_request.granted_leaf_hash"
        " LEFT JOIN entry AS taken ON taken.leaf_hash = release_request.taken_leaf_hash"
        " WHERE glass = 0 ORDER BY asked_ms DESC LIMIT ?",
        LIMIT,
    )
    answers = _answers(reader)
    return tuple(
        Asked(
            row["id"],
            row["number"],
            row["authority"],
            row["person"],
            row["source"],
            row["purpose"],
            row["from_ms"],
            row["to_ms"],
            row["reason"],
            row["asked_ms"],
            row["until_ms"],
            row["idx"],
            _state(row, answers[row["id"]], now_ms),
            tuple(answers[row["id"]]),
            row["granted_ms"],
            row["granted_idx"],
            row["taken_ms"],
            row["taken_idx"],
        )
        for row in rows
    )


def turned_away(reader: Reader) -> tuple[TurnedAway, ...]:
    """What the house denied, the newest first."""
    rows = reader.all(
        "SELECT release_denied.*, number, idx FROM release_denied"
        " LEFT JOIN evidence_case ON evidence_case.id = release_denied.evidence_case"
        " LEFT JOIN entry ON entry.leaf_hash = release_denied.leaf_hash ORDER BY at_ms DESC LIMIT ?",
        LIMIT,
    )
    return tuple(
        TurnedAway(row["at_ms"], row["person"], row["number"], row["source"], row["why"], row["idx"]) for row in rows
    )


def emergencies(reader: Reader, now_ms: int) -> tuple[Emergency, ...]:
    """Uses of the emergency rule: overdue reports first, then the newest. Whatever nobody reported on is among them."""
    rows = reader.all(
        "SELECT release_request.*, idx FROM release_request LEFT JOIN entry USING (leaf_hash)"
        " WHERE glass = 1 AND (followed_ms IS NULL OR id IN"
        " (SELECT id FROM release_request WHERE glass = 1 ORDER BY asked_ms DESC LIMIT ?)) ORDER BY asked_ms DESC",
        LIMIT,
    )
    found = [
        Emergency(
            row["id"],
            row["person"],
            row["role"],
            row["source"],
            row["from_ms"],
            row["to_ms"],
            row["reason"],
            row["asked_ms"],
            int(SignedStatement.parse(bytes(row["statement"])).values["follow_up_by_ms"]),
            row["followed_ms"],
            row["idx"],
            now_ms,
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda each: not (each.overdue and each.followed_ms is None)))


def holds(reader: Reader) -> tuple[HoldOrder, ...]:
    """Orders to keep originals, the newest first, each with the custodians who sealed their shares anew for it."""
    kept: dict[str, list[str]] = defaultdict(list)
    for row in reader.all("SELECT hold, custodian FROM hold_share ORDER BY custodian"):
        kept[row["hold"]].append(row["custodian"])
    rows = reader.all(
        "SELECT hold.*, idx FROM hold LEFT JOIN entry USING (leaf_hash) ORDER BY ordered_ms DESC LIMIT ?", LIMIT
    )
    return tuple(
        HoldOrder(
            row["id"],
            row["role"],
            row["source"],
            row["from_ms"],
            row["to_ms"],
            row["reason"],
            row["ordered_ms"],
            row["until_ms"],
            row["lifted_ms"],
            tuple(kept[row["id"]]),
            row["idx"],
        )
        for row in rows
    )


def _answers(reader: Reader) -> Mapping[str, list[Answer]]:
    found: dict[str, list[Answer]] = defaultdict(list)
    for row in reader.all(
        "SELECT request, custodian, approved, reason, answered_ms, idx FROM release_answer"
        " LEFT JOIN entry USING (leaf_hash) ORDER BY answered_ms"
    ):
        found[row["request"]].append(
            Answer(row["custodian"], bool(row["approved"]), row["reason"], row["answered_ms"], row["idx"])
        )
    return found


def _state(row: Row, answers: Sequence[Answer], now_ms: int) -> State:
    if row["taken_ms"] is not None:
        return State.TAKEN
    over = row["until_ms"] <= now_ms
    if row["granted_ms"] is not None:
        return State.RAN_OUT if over else State.GRANTED
    if any(not each.approved for each in answers):
        return State.REFUSED
    return State.RAN_OUT if over else State.WAITING
