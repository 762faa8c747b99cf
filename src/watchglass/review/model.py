"""An alert from its first second to its outcome, as values and rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from watchglass.core.errors import Problem
from watchglass.core.time import SECOND

UNDO_WINDOW: Final = 10 * SECOND
"""How long a verdict can be taken back by the person who gave it."""

CLAIM: Final = 90 * SECOND
"""How long an opened alert is shown to others as being looked at; renewed while the page is open."""


class AlertState(StrEnum):
    WAITING = "waiting"
    DECIDED = "decided"


class VerdictValue(StrEnum):
    CONFIRM = "confirm"
    REJECT = "reject"
    UNSURE = "unsure"


REASONS: Final[Mapping[VerdictValue, tuple[tuple[str, str], ...]]] = {
    VerdictValue.CONFIRM: (
        ("as-described", "It happened as the rule says"),
        ("more-serious", "It happened, and looks more serious"),
    ),
    VerdictValue.REJECT: (
        ("not-there", "There was nobody and nothing there"),
        ("other-thing", "Something else: an animal, a shadow, a reflection"),
        ("outside-zone", "It was outside the zone"),
        ("allowed", "It happened, and is allowed here"),
        ("picture-fault", "The picture was disturbed"),
    ),
    VerdictValue.UNSURE: (
        ("cannot-see", "The picture does not show enough"),
        ("too-short", "The clip is too short to tell"),
    ),
}
"""Structured reasons: (code, words). The first of each is the default for one-key verdicts."""


class HandoverState(StrEnum):
    TOLD = "told"
    ACKNOWLEDGED = "acknowledged"
    ON_THE_WAY = "on_the_way"
    ARRIVED = "arrived"
    CLOSED = "closed"


class Outcome(StrEnum):
    FOUND_HELPED = "found-helped"
    FOUND_NO_HELP_NEEDED = "found-no-help-needed"
    NOT_FOUND = "not-found"
    NOBODY_CONTACTED = "nobody-contacted"


OUTCOME_WORDS: Final[Mapping[Outcome, str]] = {
    Outcome.FOUND_HELPED: "Found it, and helped",
    Outcome.FOUND_NO_HELP_NEEDED: "Found it, no help was needed",
    Outcome.NOT_FOUND: "Went there and found nothing",
    Outcome.NOBODY_CONTACTED: "Could not go",
}


@dataclass(frozen=True, slots=True)
class Alert:
    """An incident waiting for, or decided by, a human. Times are milliseconds since the epoch.

    Attributes:
        id: 16 hex digits.
        at_ms: when the rule was satisfied in the picture; raised_ms: when the act was recorded.
        due_ms: when the charter's ``review.within`` ends.
        score_per_mille: the raw score, not a probability; None where the rule has none.
        probability_per_mille: how likely it was right by what was known when it was raised; None: not known.
        calibration: the record of what was learnt here, by which that was said; None: test clips said it.
        boxes: ((x1, y1, x2, y2, kind index), ...) in pixels.
        seen: under what conditions (``quality.seen``), with the source's that were not met; None: not known.
        claimed_by: the account that has it open, until ``claimed_until_ms``.
    """

    id: str
    source: str
    analytic: str
    kind: str
    zone: str | None
    purpose: str
    charter: str
    at_ms: int
    raised_ms: int
    due_ms: int
    score_per_mille: int | None
    why: str
    facts: Mapping[str, object]
    boxes: tuple[tuple[int, int, int, int, int], ...]
    state: AlertState
    leaf_hash: bytes
    claimed_by: int | None = None
    claimed_until_ms: int = 0
    has_clip: bool = False
    probability_per_mille: int | None = None
    seen: Mapping[str, Any] | None = None
    calibration: bytes | None = None

    def overdue(self, now_ms: int) -> bool:
        return self.state is AlertState.WAITING and now_ms > self.due_ms

    def held_by_other(self, account: int, now_ms: int) -> bool:
        return self.claimed_by not in (None, account) and now_ms < self.claimed_until_ms


@dataclass(frozen=True, slots=True)
class Verdict:
    id: int
    alert: str
    account: int
    value: VerdictValue
    reason: str
    decided_ms: int
    withdrawn_ms: int | None
    leaf_hash: bytes

    def can_undo(self, account: int, now_ms: int) -> bool:
        return self.withdrawn_ms is None and self.account == account and now_ms <= self.decided_ms + UNDO_WINDOW


@dataclass(frozen=True, slots=True)
class Handover:
    alert: str
    state: HandoverState
    handed_ms: int
    acknowledged_ms: int | None = None
    on_the_way_ms: int | None = None
    arrived_ms: int | None = None
    closed_ms: int | None = None
    outcome: Outcome | None = None
    note: str = ""
    steps: tuple[HandoverState, ...] = field(default=tuple(HandoverState))

    def next_is(self, step: HandoverState) -> None:
        """Check that ``step`` may come now; steps may be skipped forwards, never taken backwards.

        Raises:
            Problem: the step was already passed, or the hand-over is closed.
        """
        if self.steps.index(step) <= self.steps.index(self.state):
            raise Problem(
                f"This hand-over is already “{self.state.replace('_', ' ')}”.",
                fix="Reload the page to see where it stands; someone may have pressed the button before you.",
            )


def check_reason(value: VerdictValue, reason: str) -> str:
    """The reason if it belongs to the verdict; the default reason if it is empty.

    Raises:
        Problem: the reason is not one of the verdict's.
    """
    codes = [code for code, _ in REASONS[value]]
    if not reason:
        return codes[0]
    if reason not in codes:
        raise Problem(f"“{reason}” is not a reason for “{value}”.", fix=f"Choose one of: {', '.join(codes)}.")
    return reason
