"""How often an analytic was right: counts of final alerts, by stratum and by week, and how near each limit is. Pure.

Rates that are published are made of the same final values as the tests of limits are (``finality``), but they are not
those tests: an interval tells what is likely at one look. Whoever stops an analytic whenever an interval of one look
lies beyond a limit stops many that keep it, so nothing here stops anything.

Everything is milliseconds since 1970; no time is read here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from watchglass.charter.limits import LimitName, QualityLimits, Stratum
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY
from watchglass.quality.compare import Comparison, Tally, shares
from watchglass.quality.finality import Answer, Value
from watchglass.quality.seen import LIGHTING, SIZES, VIEWS
from watchglass.statistics.intervals import garwood, ratio_of_shares, wilson

WEEK: Final = 7 * DAY
FEWEST_DAYS: Final = 7.0
"""Below so many days of watching, a rate a day says more about those days than about the analytic."""
_THOUSAND: Final = 1000
_MEANS: Final[Mapping[Answer, Value]] = {
    "confirm": Value.RIGHT,
    "reject": Value.WRONG,
    "unsure": Value.UNDECIDED,
}

IN_VIEW: Final = ("one", "two to four", "five or more")
LIGHTS: Final[tuple[Stratum, ...]] = ("day", "night")
CONDITIONS: Final = ("met", "not met")


@dataclass(frozen=True, slots=True)
class Judged:
    """One alert, as far as people had judged it when counting ended.

    Attributes:
        value: what it was; None while something may still come.
        in_time: whether a person had decided by its deadline; None while that may still change.
        light: whether the sun was up.
        in_view: how many things were tracked in the picture when it was raised.
        score, probability: what was said of it when it was raised, 0..1; None where nothing was.
        lighting, view, size: as ``seen`` has them; "" where that is not known.
        conditions: whether its source met the charter's conditions, as ``CONDITIONS`` has it; "" where none were.
        drill: whether a staged drill raised it: then it is neither right nor wrong, and in no count but that of time.
    """

    raised_ms: int
    value: Value | None
    in_time: bool | None
    light: Stratum
    in_view: int
    score: float | None = None
    probability: float | None = None
    lighting: str = ""
    view: str = ""
    size: str = ""
    conditions: str = ""
    drill: bool = False


def value_at(
    *,
    raised_ms: int,
    until_ms: int,
    matures_ms: int,
    undo_ms: int,
    said: tuple[Answer, int] | None,
    drawn: bool,
    made: Answer | None,
) -> Value | None:
    """What an alert was at ``until_ms``; None while something may still come.

    Args:
        said: the first verdict that stands, and when it was given.
        drawn: whether a second person judges it too. Then nothing counts until that is closed: a count that moved
            with the first verdict would tell the second person what it was.
        made: what all of them made of it, once that is closed.
    """
    if made is not None:
        return _MEANS[made]
    if said is not None and not drawn and said[1] + undo_ms <= until_ms:
        return _MEANS[said[0]]
    if raised_ms + matures_ms <= until_ms and not (drawn and said is not None):
        return Value.UNDECIDED
    return None


def timely(*, due_ms: int, until_ms: int, undo_ms: int, said_ms: int | None) -> bool | None:
    """Whether a person had decided by its deadline, at ``until_ms``; None while that may still change."""
    if said_ms is not None and said_ms + undo_ms <= until_ms:
        return said_ms <= due_ms
    return False if due_ms + undo_ms < until_ms else None


def in_view_words(count: int) -> str:
    """How crowded the picture was, in three groups; "" where nothing was tracked in it."""
    if not count:
        return ""
    return IN_VIEW[0] if count == 1 else IN_VIEW[1] if count < 5 else IN_VIEW[2]  # noqa: PLR2004 # as IN_VIEW says


@dataclass(frozen=True, slots=True)
class Counted:
    """Alerts by what they were. ``waiting``: not final yet, and in no rate."""

    right: int = 0
    wrong: int = 0
    undecided: int = 0
    waiting: int = 0

    DERIVED: ClassVar = ("final", "alerts")

    @property
    def final(self) -> int:
        """How many the rates are of."""
        return self.right + self.wrong + self.undecided

    @property
    def alerts(self) -> int:
        return self.final + self.waiting

    @property
    def not_right(self) -> int:
        """Wrong, or never answered: the worst case, as the limits count it."""
        return self.wrong + self.undecided


def count(alerts: Iterable[Judged]) -> Counted:
    """Count them, but for those of drills."""
    values = [each.value for each in alerts if not each.drill]
    return Counted(*(values.count(value) for value in (Value.RIGHT, Value.WRONG, Value.UNDECIDED, None)))


def in_time(alerts: Iterable[Judged]) -> tuple[int, int]:
    """(decided in time, of so many that were due)."""
    known = [each.in_time for each in alerts if each.in_time is not None]
    return sum(known), len(known)


@dataclass(frozen=True, slots=True)
class Split:
    """Right alerts by one thing that may make a difference, side by side.

    Attributes:
        by: "light", "lighting", "view", "size", "in_view" or "conditions".
        unknown: final alerts of which that is not known, such as those of earlier versions.
    """

    by: str
    comparison: Comparison
    unknown: int = 0


_BY: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Judged], str]]]] = {
    "light": (LIGHTS, lambda each: each.light),
    "lighting": (LIGHTING, lambda each: each.lighting),
    "view": (VIEWS, lambda each: each.view),
    "size": (SIZES, lambda each: each.size),
    "in_view": (IN_VIEW, lambda each: in_view_words(each.in_view)),
    "conditions": (CONDITIONS, lambda each: each.conditions),
}


def splits(alerts: Sequence[Judged], *, alpha: float, fewest: int) -> tuple[Split, ...]:
    """How often they were right in each stratum; the intervals of one split hold together. Never a trait of people."""
    made = []
    for by, (names, group_of) in _BY.items():
        found = {name: count(each for each in alerts if group_of(each) == name) for name in names}
        tallies = {name: Tally(each.right, float(each.final)) for name, each in found.items() if each.final}
        if tallies:
            unknown = count(each for each in alerts if group_of(each) not in names).final
            made.append(Split(by, shares(tallies, alpha=alpha, fewest=fewest), unknown))
    return tuple(made)


@dataclass(frozen=True, slots=True)
class Week:
    """One week of alerts, by when they were raised; ``low`` and ``high`` of the share that was right."""

    from_ms: int
    counted: Counted
    low: float | None
    high: float | None


def by_week(alerts: Sequence[Judged], since_ms: int, until_ms: int) -> tuple[Week, ...]:
    """Whole weeks back from ``until_ms``, the oldest first; none that ends before ``since_ms``.

    One week has few alerts, so its interval is shown from the first alert on: it is as wide as it must be.
    """
    made = []
    for at in range(-(-(until_ms - since_ms) // WEEK), 0, -1):
        begin = until_ms - at * WEEK
        counted = count(each for each in alerts if begin <= each.raised_ms < begin + WEEK)
        ends = wilson(counted.right, counted.final) if counted.final else (None, None)
        made.append(Week(begin, counted, *ends))
    return tuple(made)


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something happened in a day of 24 hours. ``value``, ``low``, ``high`` are None with too few days."""

    happened: int
    days: float
    value: float | None
    low: float | None
    high: float | None


def a_day(happened: int, days: float, *, fewest_days: float = FEWEST_DAYS) -> Rate:
    """``happened`` in so many days of watching, with the exact interval of a count."""
    if happened < 0 or not (math.isfinite(days) and days >= 0):
        raise BadInput(f"{happened} in {days} days cannot be.", fix="Count what happened, and for how long.")
    if days < fewest_days:
        return Rate(happened, days, None, None, None)
    low, high = garwood(happened)
    return Rate(happened, days, happened / days, low / days, high / days)


def running_share(begin_ms: int, end_ms: int, stops: Iterable[tuple[int, int]]) -> float:
    """The part of a span in which nothing had stopped an analytic; stops are (from, to) and may overlap."""
    inside = sorted((max(begin_ms, a), min(end_ms, b)) for a, b in stops if a < end_ms and b > begin_ms)
    stopped, reached = 0, begin_ms
    for a, b in inside:
        stopped += max(0, b - max(a, reached))
        reached = max(reached, b)
    return 1 - stopped / (end_ms - begin_ms) if end_ms > begin_ms else 1.0


# ---- how near a limit is -------------------------------------------------------------------------------------------


class Near(StrEnum):
    """How what was seen lies to a limit, at one look. None of these stops anything, and none is a promise."""

    FEW = "few"
    CLEAR = "clear"
    NEAR = "near"
    OVER = "over"
    BEYOND = "beyond"


@dataclass(frozen=True, slots=True)
class Nearness:
    """One limit and what was seen.

    Attributes:
        limit: its name in the charter. allowed: at most so much may be: a share, a count a week, or a ratio.
        seen, low, high: what was seen of that, and its interval; None where there is not enough.
        k, n: what was counted: k of n alerts, or k in n weeks.
    """

    limit: LimitName
    allowed: float
    near: Near
    k: int
    n: float
    seen: float | None
    low: float | None
    high: float | None


def nearness(
    limits: QualityLimits, alerts: Sequence[Judged], weekly: tuple[int, float], fewest: int
) -> tuple[Nearness, ...]:
    """How near each stated limit is: the bad side of each, as its test counts it.

    Args:
        weekly: false alerts, in so many weeks in which the analytic was watching.
        fewest: below so many alerts nothing is said.
    """
    return tuple(_near(limits, limit, alerts, weekly, fewest) for limit in limits.stated if limit != "recall_at_least")


def _near(
    limits: QualityLimits, limit: LimitName, alerts: Sequence[Judged], weekly: tuple[int, float], fewest: int
) -> Nearness:
    allowed = limits.tested(limit) / _THOUSAND
    if limit == "disparity_at_most":
        return _apart(limit, allowed, limits.strata, alerts, fewest)
    counted = count(alerts)
    if limit == "false_alerts_per_week":
        k, weeks = weekly
        enough = weeks * 7 >= FEWEST_DAYS
        low, high = garwood(k) if enough else (0.0, 0.0)
        return _placed(limit, allowed, k, weeks, (k / weeks, low / weeks, high / weeks) if enough else None)
    if limit == "reviewed_in_time_at_least":
        done, due = in_time(alerts)
        k, n = due - done, due
    else:
        k, n = (counted.undecided if limit == "undecided_at_most" else counted.not_right), counted.final
    return _placed(limit, allowed, k, n, (k / n, *wilson(k, n)) if n >= fewest else None)


def _apart(
    limit: LimitName, allowed: float, strata: tuple[Stratum, ...], alerts: Sequence[Judged], fewest: int
) -> Nearness:
    """Two strata: the worse one's share of wrong alerts over the other's, with Koopman's interval."""
    found = [count(each for each in alerts if each.light == name) for name in strata]
    k, n = sum(each.not_right for each in found), sum(each.final for each in found)
    if any(each.final < fewest for each in found):
        return _placed(limit, allowed, k, n, None)
    worse, better = sorted(found, key=lambda each: each.not_right / each.final, reverse=True)
    low, high = ratio_of_shares((worse.not_right, worse.final), (better.not_right, better.final))
    least, most = better.not_right / better.final, worse.not_right / worse.final
    seen = most / least if least else (math.inf if most else 1.0)
    return _placed(limit, allowed, k, n, (seen, max(1.0, low), high))


def _placed(limit: LimitName, allowed: float, k: int, n: float, seen: tuple[float, float, float] | None) -> Nearness:
    if seen is None:
        return Nearness(limit, allowed, Near.FEW, k, n, None, None, None)
    value, low, high = seen
    if value <= allowed:
        near = Near.CLEAR if high <= allowed else Near.NEAR
    else:
        near = Near.BEYOND if low > allowed else Near.OVER
    return Nearness(limit, allowed, near, k, n, *(None if math.isinf(each) else each for each in seen))
