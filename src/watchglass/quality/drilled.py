"""Staged drills: when one counts, which alerts are its own, what it shows. Pure, so that house and auditor agree.

People play what a rule is for and count whether it noticed. A drill is announced before it is run, so that nobody can
plan one for what has happened already; the software decides what became of it, by rules that were fixed beforehand:

* Times are taken to the minute, as openings tell them.
* An alert of the rule is a drill's own where it was raised between the drill's beginning and ``reach_ms`` after its
  end. One is enough: the drill was *noticed*. Without any it was *missed*.
* Planned, and neither run nor called off before its time: it counts as missed, for whoever leaves out what went badly
  would look better than they are.
* Where the rule did not run while the drill did, the drill shows nothing, and does not count. That is asked before
  anybody looks at alerts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from watchglass.charter.hours import look
from watchglass.charter.model import Analytic, Charter
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.statistics.intervals import clopper_pearson

LEAD_MS: Final = HOUR
"""A drill is announced at least so long before its time."""
AHEAD_MS: Final = 366 * DAY
LONGEST_WINDOW_MS: Final = 2 * HOUR
"""The time in which a drill is to be run is at most so long."""
LONGEST_RUN_MS: Final = 15 * MINUTE
"""A drill is over after this, whether or not somebody said so."""
LATE_MS: Final = HOUR
"""Times may be told afterwards within this, where the announced time itself was no longer than a run may be."""
TOLERANCE_MS: Final = 2 * MINUTE
"""What an alert may take beyond the rule's own time: pictures, the worker, the house."""
MOST_A_DAY: Final = 4
"""Of one rule. The alerts of drills count neither right nor wrong, so there may not be many."""


class Result(StrEnum):
    """What became of a drill."""

    NOTICED = "noticed"
    MISSED = "missed"
    NOT_RUN = "not-run"
    NOT_COUNTED = "not-counted"


class Cause(StrEnum):
    """Why a drill does not count: the rule was stopped, nothing came from its source, or it was not to run then."""

    STOPPED = "stopped"
    DARK = "dark"
    OUTSIDE_HOURS = "outside-hours"
    NOT_ALLOWED = "not-allowed"


@dataclass(frozen=True, slots=True)
class Times:
    """The times of a drill, in milliseconds since 1970; ``begun_ms`` and ``ended_ms`` as far as they are told."""

    from_ms: int
    to_ms: int
    begun_ms: int | None = None
    ended_ms: int | None = None

    @property
    def narrow(self) -> bool:
        """Whether its times may be told afterwards: the announced time leaves nothing to choose."""
        return self.to_ms - self.from_ms <= LONGEST_RUN_MS

    @property
    def end_ms(self) -> int | None:
        """When it was over; None where nobody told that it had begun."""
        if self.begun_ms is None:
            return None
        latest = self.begun_ms + LONGEST_RUN_MS
        return latest if self.ended_ms is None else min(self.ended_ms, latest)

    def told_by(self, now_ms: int) -> bool:
        """Whether nothing that is said of its times from now on can change them."""
        if self.begun_ms is None:
            return now_ms > self.to_ms + (LATE_MS if self.narrow else 0)
        return self.ended_ms is not None or now_ms > self.begun_ms + LONGEST_RUN_MS

    def may_hold(self, at_ms: int, reach: int) -> bool:
        """Whether an alert that was raised then may be its own, as far as its times are told."""
        if self.begun_ms is not None:
            return owns(self.begun_ms, self.end_ms or self.begun_ms, at_ms, reach)
        return self.narrow and owns(self.from_ms, self.to_ms, at_ms, reach)


def reach_ms(analytic: Analytic | None) -> int:
    """How long after a drill's end an alert may still be of it: the rule's own time, and what telling takes."""
    return int(getattr(analytic, "for_ms", 0)) + TOLERANCE_MS


def owns(begun_ms: int, ended_ms: int, at_ms: int, reach: int) -> bool:
    """Whether an alert that was raised then is the drill's own."""
    return _minute(begun_ms) <= _minute(at_ms) <= _minute(ended_ms + reach)


def due_ms(to_ms: int, reach: int) -> int:
    """When it is said what became of a drill: after its day (UTC), so that nobody learns which alert it was."""
    return max(to_ms // DAY * DAY + DAY, to_ms + LATE_MS + LONGEST_RUN_MS + reach)


def gap_ms(reach: int) -> int:
    """How far the announced times of two drills of a rule must be apart, so that no alert is of both."""
    return LONGEST_RUN_MS + reach


def check_window(from_ms: int, to_ms: int, now_ms: int) -> None:
    """Check an announced time.

    Raises:
        BadInput: it is too soon, too far, too long, or on two days.
    """
    if from_ms < now_ms + LEAD_MS:
        raise BadInput(
            "A drill is announced at least an hour before its time, so that nobody can plan one for what has happened.",
            fix="Choose a later time.",
            field="from",
        )
    if from_ms > now_ms + AHEAD_MS:
        raise BadInput("That is more than a year ahead.", fix="Choose a nearer day.", field="from")
    if not MINUTE <= to_ms - from_ms <= LONGEST_WINDOW_MS:
        raise BadInput(
            "The time for a drill is at least a minute and at most two hours long.",
            fix="Choose a shorter time, or plan two drills.",
            field="to",
        )
    if from_ms // DAY != (to_ms - 1) // DAY:
        raise BadInput(
            "A drill lies within one day, counted in UTC.",
            fix="Choose a time that does not pass 00:00 UTC.",
            field="to",
        )


def outside_hours(charter: Charter, analytic: Analytic, times: Iterable[int]) -> bool:
    """Whether the rule was not to run at one of these moments."""
    return any(not look(analytic.hours, analytic.days, charter.timezone, each).within for each in times)


@dataclass(frozen=True, slots=True)
class Recall:
    """What drills show of a rule: ``noticed`` of ``counted``.

    Attributes:
        not_run: how many of the missed were planned and not run.
        low, high: Clopper and Pearson's interval of 95 %; None where there are fewer than ``fewest``.
    """

    noticed: int
    counted: int
    not_run: int
    not_counted: int
    fewest: int
    low: float | None
    high: float | None


def recall(results: Iterable[Result], *, fewest: int) -> Recall:
    """Count what became of drills."""
    found = list(results)
    noticed = found.count(Result.NOTICED)
    left_out = found.count(Result.NOT_COUNTED)
    counted = len(found) - left_out
    low, high = clopper_pearson(noticed, counted) if counted >= fewest else (None, None)
    return Recall(noticed, counted, found.count(Result.NOT_RUN), left_out, fewest, low, high)


def _minute(at_ms: int) -> int:
    return at_ms // MINUTE
