"""The watchers' own duty: signals that nobody settled, months in which nobody looked at the record of accesses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from watchglass.access.misuse.explain import day
from watchglass.access.misuse.facts import Facts
from watchglass.access.misuse.signal import OVERSIGHT, Earlier, Kind, Signal
from watchglass.access.misuse.thresholds import Thresholds
from watchglass.core.time import DAY, millis, moment, month_of

_WEEK = 7 * DAY


def review_missing(facts: Facts, limits: Thresholds, earlier: Earlier, signals: Sequence[Signal]) -> Iterator[Signal]:
    """Signals that stand unsettled, told once a week together; and months without a review, each once.

    Args:
        signals: all that are known, of this run and earlier ones.
    """
    yield from _unsettled(facts, limits, earlier, signals)
    yield from _no_review(facts, limits, earlier)


def _unsettled(facts: Facts, limits: Thresholds, earlier: Earlier, signals: Sequence[Signal]) -> Iterator[Signal]:
    settled: dict[str, int] = {}
    for each in facts.dispositions:
        settled[each.signal] = min(each.at_ms, settled.get(each.signal, each.at_ms))
    weeks: dict[int, set[str]] = defaultdict(set)
    for signal in signals:
        due = signal.at_ms + limits.settle_ms
        if signal.kind is not Kind.REVIEW_MISSING and settled.get(signal.id, due + 1) > due:
            weeks[due // _WEEK].add(signal.id)
    told = {evidence for _, _, evidence in earlier.used(Kind.REVIEW_MISSING)}
    for week, names in sorted(weeks.items()):
        judged = (week + 1) * _WEEK
        left = tuple(sorted(names - told))
        if left and earlier.until_ms < judged <= facts.until_ms:
            stood = "a signal" if len(left) == 1 else f"{len(left)} signals"
            yield Signal(
                Kind.REVIEW_MISSING,
                OVERSIGHT,
                f"Oversight had not said what it made of {stood} within {limits.settle_ms // DAY} days, in the week "
                f"before {day(judged)}.",
                left,
                judged,
            )


def _no_review(facts: Facts, limits: Thresholds, earlier: Earlier) -> Iterator[Signal]:
    for judged in _month_ends(facts.from_ms, facts.until_ms):
        since = judged - limits.review_ms
        if judged <= earlier.until_ms or since < facts.from_ms:
            continue
        if not any(since <= review.at_ms < judged for review in facts.reviews):
            yield Signal(
                Kind.REVIEW_MISSING,
                OVERSIGHT,
                f"Nobody of oversight looked at the record of accesses in the {limits.review_ms // DAY} days before "
                f"{day(judged)}.",
                (f"no-review-{month_of(judged - 1)}",),
                judged,
            )


def _month_ends(from_ms: int, until_ms: int) -> Iterator[int]:
    """The first moments of months after ``from_ms``, up to ``until_ms``."""
    at = moment(from_ms)
    year, month = at.year, at.month
    while True:
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)  # noqa: PLR2004  # December
        end = millis(datetime(year, month, 1, tzinfo=UTC))
        if end > until_ms:
            return
        yield end
