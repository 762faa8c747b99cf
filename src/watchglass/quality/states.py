"""What an analytic is by its published limits: on trial, within, unknown, or suspended. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from watchglass.charter.limits import AGAIN_WITHIN_MS, QualityLimits
from watchglass.core.time import DAY

LATELY_MS: Final = 90 * DAY
"""Evidence that is older says nothing about how well it works now."""


class State(StrEnum):
    """How an analytic stands to its published limits."""

    TRIAL = "trial"
    WITHIN = "within"
    UNKNOWN = "unknown"
    SUSPENDED = "suspended"


class Why(StrEnum):
    """Why a state began, where no limit was crossed."""

    NEW = "new"
    CHANGED = "changed"
    RESUMED = "resumed"
    TRUSTED = "trusted"
    EXPIRED = "trial-expired"
    ENOUGH = "enough"
    TOO_FEW = "too-few"


@dataclass(frozen=True, slots=True)
class Stands:
    """How an analytic stands.

    Attributes:
        why: a ``Why``, or the name of the limit that was crossed.
        trial_ends_ms: when a trial ends in a suspension; kept where it was suspended on trial, else None.
        trusted_ms: when its trial last ended well; None: not since it was new, changed or resumed.
    """

    state: State
    why: str
    since_ms: int
    trial_ends_ms: int | None = None
    trusted_ms: int | None = None


def begun(limits: QualityLimits | None, why: Why, now_ms: int) -> Stands:
    """A new, changed or resumed analytic: on trial where the charter says how long, else nobody knows yet."""
    if limits is None or limits.trial_ms is None:
        return Stands(State.UNKNOWN, why, now_ms)
    return Stands(State.TRIAL, why, now_ms, trial_ends_ms=now_ms + limits.trial_ms)


def moved(before: Stands, *, crossed: str | None, trusted: bool, lately: int, fewest: int, now_ms: int) -> Stands:
    """The state now; ``before`` itself where nothing changed. A suspension ends by a resumption alone, not here.

    Args:
        crossed: a limit that was crossed. trusted: the trial's own test has shown that it keeps its limit.
        lately: how many alerts have become final within ``LATELY_MS``. fewest: below so many nobody can tell.
    """
    if before.state is State.SUSPENDED:
        return before
    if crossed is not None:
        return Stands(State.SUSPENDED, crossed, now_ms, trial_ends_ms=before.trial_ends_ms)
    if before.state is State.TRIAL:
        return _on_trial(before, trusted=trusted, now_ms=now_ms)
    known = lately >= fewest or (before.trusted_ms is not None and now_ms < before.trusted_ms + LATELY_MS)
    if known == (before.state is State.WITHIN):
        return before
    state, why = (State.WITHIN, Why.ENOUGH) if known else (State.UNKNOWN, Why.TOO_FEW)
    return Stands(state, why, now_ms, trusted_ms=before.trusted_ms)


def _on_trial(before: Stands, *, trusted: bool, now_ms: int) -> Stands:
    if trusted:
        return Stands(State.WITHIN, Why.TRUSTED, now_ms, trusted_ms=now_ms)
    if before.trial_ends_ms is not None and now_ms >= before.trial_ends_ms:
        return Stands(State.SUSPENDED, Why.EXPIRED, now_ms, trial_ends_ms=before.trial_ends_ms)
    return before


def needs_new_charter(suspended_ms: int, before_ms: int | None) -> bool:
    """Whether a suspension came so soon after the one before that only a new charter version lets it be resumed."""
    return before_ms is not None and suspended_ms - before_ms < AGAIN_WITHIN_MS
