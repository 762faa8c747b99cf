"""What others noted down, matched with alerts: which were alerted, and what that says of what was missed. Pure.

Reports and alerts are moments in milliseconds. A matching is one-to-one, within a window, has as many pairs as there
can be, and of those that do the smallest sum of distances. On a line such a matching need never cross itself: where it
does, exchanging two partners makes neither the sum nor the longest distance larger. So it is found by dynamic
programming over both in their order, exactly, looking for each report only at the alerts within the window.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from watchglass.core.errors import BadInput
from watchglass.statistics.intervals import wilson

Reason = Literal["dark", "stopped", "suspended", "hours"]
"""Why a rule could not have seen something: no heartbeat, switched off or without a picture, stopped by an order or its
own limit, or outside its hours."""
REASONS: Final[tuple[Reason, ...]] = ("dark", "stopped", "suspended", "hours")

Fate = Literal["alerted", "afterwards", "missed", "aside", "degraded", "dark", "stopped", "suspended", "hours"]
"""What became of one report. ``afterwards``: alerted, and noted down only after somebody had been sent there because of
the alert, so that it may be a report of the alert. ``aside``: a person said that the camera does not see that spot.
``degraded``: missed while the camera's picture was worse than the charter asks."""


def match(reports: Sequence[int], alerts: Sequence[int], within_ms: int) -> tuple[tuple[int, int], ...]:
    """Which report goes with which alert.

    Args:
        reports, alerts: moments (ms), in any order.
        within_ms: how far apart a pair may be, inclusive.

    Returns:
        Pairs (place in ``reports``, place in ``alerts``), by the report's moment.
    """
    if within_ms < 0:
        raise BadInput("A window is not negative.", fix="Give the milliseconds that may lie between a pair.")
    rows = sorted(range(len(reports)), key=lambda place: (reports[place], place))
    cols = sorted(range(len(alerts)), key=lambda place: (alerts[place], place))
    times = [alerts[place] for place in cols]
    best = [(0, 0)]  # (pairs, -sum of distances) for the first low, low + 1, ... alerts
    low = 0
    steps: list[tuple[int, list[str]]] = []
    for row in rows:
        at = reports[row]
        first, last = bisect_left(times, at - within_ms), bisect_right(times, at + within_ms)
        now = [_at(best, first - low)]
        step = ["up"]
        for j in range(first + 1, last + 1):
            pairs, gained = _at(best, j - 1 - low)
            options = (
                (_at(best, j - low), "up"),
                (now[-1], "left"),
                ((pairs + 1, gained - abs(times[j - 1] - at)), "pair"),
            )
            value, how = max(options, key=lambda each: each[0])
            now.append(value)
            step.append(how)
        steps.append((first, step))
        best, low = now, first
    return tuple(reversed([*_back(rows, cols, steps)]))


def _at(best: Sequence[tuple[int, int]], place: int) -> tuple[int, int]:
    """The best so far with the first alerts up to a place; beyond those that were looked at it stays the same."""
    return best[min(place, len(best) - 1)]


def _back(
    rows: Sequence[int], cols: Sequence[int], steps: Sequence[tuple[int, list[str]]]
) -> Iterator[tuple[int, int]]:
    j = len(cols)
    for i in range(len(rows) - 1, -1, -1):
        first, step = steps[i]
        j = min(j, first + len(step) - 1)
        while step[j - first] == "left":
            j -= 1
        if step[j - first] == "pair":
            yield rows[i], cols[j - 1]
            j -= 1


@dataclass(frozen=True, slots=True)
class Share:
    """k of n reports, with Wilson's 95 % interval; None where there are too few."""

    k: int
    n: int
    low: float | None
    high: float | None

    @classmethod
    def of(cls, k: int, n: int, fewest: int) -> Share:
        """The share, shown from ``fewest`` on."""
        return cls(k, n, *(wilson(k, n) if n >= max(1, fewest) else (None, None)))


@dataclass(frozen=True, slots=True)
class Counts:
    """The reports of one rule from one log, by what became of them.

    Attributes:
        worst: everything that is open to doubt speaks against the rule: what a person set aside and what came while the
            picture was degraded counts as missed, and what was noted down after somebody had been sent is left out.
        best: all of that speaks for the rule.
    """

    fates: Mapping[Fate, int]
    worst: Share
    best: Share

    DERIVED: ClassVar = ("reported", "could_not", "enough")

    @property
    def reported(self) -> int:
        """How many there were in all."""
        return sum(self.fates.values())

    @property
    def could_not(self) -> int:
        """How many came while the rule could not have seen anything."""
        return sum(self.fates.get(reason, 0) for reason in REASONS)

    @property
    def enough(self) -> bool:
        """Whether there is enough for a share at all."""
        return self.worst.low is not None and self.best.low is not None


def counts(fates: Iterable[Fate], fewest: int) -> Counts:
    """Count them, and reckon both ends."""
    found: dict[Fate, int] = {}
    for fate in fates:
        found[fate] = found.get(fate, 0) + 1
    alerted, missed = found.get("alerted", 0), found.get("missed", 0)
    doubtful = found.get("aside", 0) + found.get("degraded", 0)
    after = found.get("afterwards", 0)
    return Counts(
        found,
        Share.of(alerted, alerted + missed + doubtful, fewest),
        Share.of(alerted + after, alerted + after + missed, fewest),
    )
